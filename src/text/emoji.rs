//! One colour glyph at its final size, and the outline around it.

use std::io::Cursor;

use ab_glyph::FontRef;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageFormat, ImageReader, Limits};

use super::glyph;
use super::stamp::Stamp;
use crate::error::{Error, ErrorKind, Result};

/// The largest bitmap that a font may hold, px on a side. Noto's are 136x128.
const MAX_STRIKE: u32 = 1024;

/// A colour glyph, scaled: premultiplied RGBA, sRGB, row-major without padding.
#[derive(Debug)]
pub(super) struct ColourGlyph {
    /// Left edge relative to the glyph's origin, px, not rounded.
    pub(super) left: f32,
    /// Top edge relative to the baseline, px, y down, not rounded.
    pub(super) top: f32,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

impl ColourGlyph {
    /// The glyph at `size` px per em; `None` if it is not a colour glyph.
    ///
    /// # Errors
    ///
    /// `SOURCE_UNSUPPORTED` if its bitmap is damaged.
    pub(super) fn new(font: &FontRef<'_>, glyph: u16, size: f32, resizer: &mut Resizer) -> Result<Option<Self>> {
        let Some(bitmap) = glyph::colour_bitmap(font, glyph) else { return Ok(None) };
        let Some(ink) = glyph::ink(font, glyph) else { return Ok(None) };
        let (strike_width, strike_height, strike) = decode(bitmap.data)?;
        let (exact_width, exact_height) = ((ink.right - ink.left) * size, (ink.bottom - ink.top) * size);
        // Rounded down, so that it stays inside the box that layout counted on.
        let (width, height) = ((exact_width as u32).max(1), (exact_height as u32).max(1));
        let pixels = resize(&strike, (strike_width, strike_height), (width, height), resizer)?;
        Ok(Some(Self {
            left: ink.left * size + (exact_width - width as f32) / 2.0,
            top: ink.top * size + (exact_height - height as f32) / 2.0,
            width: width as usize,
            height: height as usize,
            pixels,
        }))
    }

    /// Everything within `reach` px of the glyph, relative to its upper left corner.
    pub(super) fn outline(&self, reach: f32) -> Stamp {
        let margin = reach.ceil() as usize + 1;
        let (width, height) = (self.width + 2 * margin, self.height + 2 * margin);
        let mut squared = vec![FAR; width * height];
        for (y, row) in self.pixels.chunks_exact(self.width * 4).enumerate() {
            let start = (y + margin) * width + margin;
            for (px, seed) in row.chunks_exact(4).zip(&mut squared[start..]) {
                *seed = seed_of(px[3]);
            }
        }
        distance_transform(&mut squared, width, height);
        let coverage = squared.iter().map(|d| ((reach + 0.5 - d.sqrt()).clamp(0.0, 1.0) * 255.0 + 0.5) as u8).collect();
        Stamp { left: -(margin as i32), top: -(margin as i32), width, height, coverage }
    }
}

fn decode(png: &[u8]) -> Result<(u32, u32, Vec<u8>)> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_STRIKE);
    limits.max_image_height = Some(MAX_STRIKE);
    reader.limits(limits);
    let image = reader
        .decode()
        .map_err(|error| {
            Error::new(ErrorKind::SourceUnsupported, "a colour glyph of the emoji font is damaged").caused_by(error)
        })?
        .into_rgba8();
    let (width, height) = image.dimensions();
    let mut pixels = image.into_raw();
    for px in pixels.chunks_exact_mut(4) {
        let alpha = u32::from(px[3]);
        for channel in &mut px[..3] {
            *channel = ((u32::from(*channel) * alpha + 127) / 255) as u8;
        }
    }
    Ok((width, height, pixels))
}

/// Scales premultiplied pixels, in which transparent ones have no colour that could bleed.
fn resize(source: &[u8], from: (u32, u32), to: (u32, u32), resizer: &mut Resizer) -> Result<Vec<u8>> {
    let fault =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::Internal, format!("scaling a colour glyph: {error}"));
    let source = ImageRef::new(from.0, from.1, source, PixelType::U8x4).map_err(|error| fault(&error))?;
    let mut target = Image::new(to.0, to.1, PixelType::U8x4);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(false);
    resizer.resize(&source, &mut target, &options).map_err(|error| fault(&error))?;
    let mut pixels = target.into_vec();
    for px in pixels.chunks_exact_mut(4) {
        // The filter overshoots at edges; colour above alpha would shine when blended.
        let alpha = px[3];
        for channel in &mut px[..3] {
            *channel = (*channel).min(alpha);
        }
    }
    Ok(pixels)
}

/// Stands for infinity; squares of distances stay far below, sums stay finite.
const FAR: f32 = 1e12;

/// The squared distance from a px's centre to the shape, by its opacity: an edge px is as far outside as it is empty.
fn seed_of(alpha: u8) -> f32 {
    match alpha {
        0 => FAR,
        128..=255 => 0.0,
        _ => (0.5 - f32::from(alpha) / 255.0).powi(2),
    }
}

/// Replaces each value by the least over all px of (that px's value + squared distance to it).
///
/// Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012): the lower envelope of parabolas,
/// first by columns, then by rows; linear in the number of px whatever the reach.
fn distance_transform(values: &mut [f32], width: usize, height: usize) {
    let longest = width.max(height);
    let mut line = vec![0.0; longest];
    let mut envelope = Envelope { vertices: vec![0; longest], starts: vec![0.0; longest + 1] };
    for x in 0..width {
        for (y, value) in line[..height].iter_mut().enumerate() {
            *value = values[y * width + x];
        }
        envelope.of(&line[..height], |y, value| values[y * width + x] = value);
    }
    for row in values.chunks_exact_mut(width) {
        line[..width].copy_from_slice(row);
        envelope.of(&line[..width], |x, value| row[x] = value);
    }
}

/// Scratch for one line of the distance transform.
struct Envelope {
    /// Where the parabolas of the envelope have their vertices, from left to right.
    vertices: Vec<usize>,
    /// From where on each of them is the lowest.
    starts: Vec<f32>,
}

impl Envelope {
    fn of(&mut self, line: &[f32], mut set: impl FnMut(usize, f32)) {
        let (vertices, starts) = (&mut self.vertices, &mut self.starts);
        let mut last = 0;
        vertices[0] = 0;
        starts[0] = f32::NEG_INFINITY;
        starts[1] = f32::INFINITY;
        let height_at = |q: usize| line[q] + (q * q) as f32;
        // A parabola as high as `FAR` never reaches the envelope of anything that matters.
        for (q, _) in line.iter().enumerate().skip(1).filter(|&(_, &value)| value < FAR) {
            loop {
                let vertex = vertices[last];
                let crossing = (height_at(q) - height_at(vertex)) / (2 * (q - vertex)) as f32;
                if crossing > starts[last] {
                    last += 1;
                    vertices[last] = q;
                    starts[last] = crossing;
                    starts[last + 1] = f32::INFINITY;
                    break;
                }
                if last == 0 {
                    vertices[0] = q;
                    starts[1] = f32::INFINITY;
                    break;
                }
                last -= 1;
            }
        }
        let mut current = 0;
        for q in 0..line.len() {
            while starts[current + 1] < q as f32 {
                current += 1;
            }
            let vertex = vertices[current];
            let distance = q.abs_diff(vertex) as f32;
            set(q, distance.mul_add(distance, line[vertex]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_exact() {
        let (width, height) = (23, 17);
        let seeds = [(0, 0), (22, 3), (7, 16), (8, 8)];
        let mut values = vec![FAR; width * height];
        for (x, y) in seeds {
            values[y * width + x] = 0.0;
        }
        distance_transform(&mut values, width, height);
        for (i, value) in values.iter().enumerate() {
            let (x, y) = (i % width, i / width);
            let nearest = seeds.iter().map(|&(sx, sy)| x.abs_diff(sx).pow(2) + y.abs_diff(sy).pow(2)).min();
            assert_eq!(Some(*value as usize), nearest, "({x}, {y})");
        }
    }

    #[test]
    fn an_empty_picture_has_no_outline() {
        let glyph = ColourGlyph { left: 0.0, top: 0.0, width: 4, height: 4, pixels: vec![0; 64] };
        assert!(glyph.outline(2.5).coverage.iter().all(|&c| c == 0));
    }

    #[test]
    fn an_outline_reaches_as_far_as_asked() {
        let glyph = ColourGlyph { left: 0.0, top: 0.0, width: 1, height: 1, pixels: vec![255; 4] };
        let stamp = glyph.outline(3.0);
        let middle = stamp.height / 2;
        let row = &stamp.coverage[middle * stamp.width..(middle + 1) * stamp.width];
        assert_eq!(row, [0, 128, 255, 255, 255, 255, 255, 128, 0]);
        assert_eq!(stamp.coverage[0], 0, "the corner is round");
    }

    #[test]
    fn a_damaged_bitmap_is_an_error() {
        assert_eq!(decode(b"\x89PNG").expect_err("refused").code(), "SOURCE_UNSUPPORTED");
    }
}
