//! A drawn text at another size, for as long as it grows or shrinks.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::raster::TextSprite;
use crate::error::{Error, ErrorKind, Result};

/// Transparent px around the picture that is resampled: what rounding the place to even px may reach beyond it.
const PADDING: u32 = 16;

/// Sizes that a text can have, in thousandths of its own.
const SIZES: std::ops::RangeInclusive<u16> = 250..=2_000;

impl TextSprite {
    /// The picture at `thousandths` of its size (250 to 2000; what is beyond counts as the end), around its middle, to a
    /// fraction of a px: moving does not jerk.
    ///
    /// # Errors
    ///
    /// `INTERNAL` if it cannot be resampled.
    pub fn scaled(&self, thousandths: u16) -> Result<Self> {
        let scale = f64::from(thousandths.clamp(*SIZES.start(), *SIZES.end())) / 1_000.0;
        let padded = self.padded();
        let (left, width) = even_span(self.x, self.width, scale);
        let (top, height) = even_span(self.y, self.height, scale);
        let middle = |start: i32, length: u32| f64::from(start) + f64::from(length) / 2.0;
        let (cx, cy) = (middle(self.x, self.width), middle(self.y, self.height));
        let crop_left = (f64::from(left) - cx) / scale + cx - f64::from(self.x) + f64::from(PADDING);
        let crop_top = (f64::from(top) - cy) / scale + cy - f64::from(self.y) + f64::from(PADDING);
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, "a text cannot be scaled").caused_by(error.to_string())
        };
        let source = ImageRef::new(padded.width, padded.height, &padded.pixels, PixelType::U8x4);
        let source = source.map_err(|error| failed(&error))?;
        let mut target = Image::new(width, height, PixelType::U8x4);
        // Alpha is multiplied in already.
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
            .crop(crop_left, crop_top, f64::from(width) / scale, f64::from(height) / scale)
            .use_alpha(false);
        Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
        let mut pixels = target.into_vec();
        // A filter with lobes overshoots: no colour is more than its alpha.
        for [r, g, b, a] in pixels.as_chunks_mut::<4>().0 {
            (*r, *g, *b) = ((*r).min(*a), (*g).min(*a), (*b).min(*a));
        }
        Ok(Self { x: left, y: top, width, height, pixels })
    }

    fn padded(&self) -> Self {
        let (width, height) = (self.width + 2 * PADDING, self.height + 2 * PADDING);
        let mut pixels = vec![0; width as usize * height as usize * 4];
        let row = self.width as usize * 4;
        for (number, source) in self.pixels.chunks_exact(row.max(1)).enumerate() {
            let at = ((number + PADDING as usize) * width as usize + PADDING as usize) * 4;
            pixels[at..at + row].copy_from_slice(source);
        }
        Self { x: self.x, y: self.y, width, height, pixels }
    }

    /// The part of it that lies on a canvas; `None` if none does. A canvas's size is even, as is a sprite's place.
    pub fn on_canvas(&self, width: u32, height: u32) -> Option<Self> {
        let span = |start: i32, length: u32, limit: u32| {
            let end = i64::from(start) + i64::from(length);
            let first = u32::try_from(start.max(0)).ok()?;
            let last = u32::try_from(end.min(i64::from(limit))).ok()?;
            (first < last).then_some((first, last - first))
        };
        let (x, wide) = span(self.x, self.width, width)?;
        let (y, high) = span(self.y, self.height, height)?;
        let (left, top) = (x as i32, y as i32);
        if (wide, high) == (self.width, self.height) {
            return Some(self.clone());
        }
        let (skip, above) = (left.abs_diff(self.x) as usize, top.abs_diff(self.y) as usize);
        let rows = self.pixels.chunks_exact(self.width as usize * 4).skip(above).take(high as usize);
        let pixels = rows.flat_map(|row| &row[skip * 4..(skip + wide as usize) * 4]).copied().collect();
        Some(Self { x: left, y: top, width: wide, height: high, pixels })
    }
}

/// The even px that a span of `length` from `start` covers at `scale` around its middle, with one to spare on each side.
fn even_span(start: i32, length: u32, scale: f64) -> (i32, u32) {
    let middle = f64::from(start) + f64::from(length) / 2.0;
    let half = f64::from(length) / 2.0 * scale;
    let first = ((middle - half - 1.0) / 2.0).floor() as i32 * 2;
    let last = ((middle + half + 1.0) / 2.0).ceil() as i32 * 2;
    (first, first.abs_diff(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An opaque white square of 40 px in a transparent sprite of 60.
    fn square() -> TextSprite {
        let inside = |at: usize| (10..50).contains(&(at % 60)) && (10..50).contains(&(at / 60));
        let pixels = (0..3_600).flat_map(|at| [if inside(at) { 255 } else { 0 }; 4]).collect();
        TextSprite { x: 100, y: 200, width: 60, height: 60, pixels }
    }

    /// The mean place of its ink, and its amount in px.
    fn weight(sprite: &TextSprite) -> (f64, f64, f64) {
        let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
        for (at, pixel) in sprite.pixels.as_chunks::<4>().0.iter().enumerate() {
            let alpha = f64::from(pixel[3]) / 255.0;
            let (column, row) = (at % sprite.width as usize, at / sprite.width as usize);
            x += alpha * (f64::from(sprite.x) + column as f64 + 0.5);
            y += alpha * (f64::from(sprite.y) + row as f64 + 0.5);
            sum += alpha;
        }
        (x / sum, y / sum, sum)
    }

    #[test]
    fn it_grows_around_its_middle_by_as_much_as_asked() {
        for thousandths in [700, 777, 901, 1_000, 1_013, 1_500] {
            let scaled = square().scaled(thousandths).expect("can be scaled");
            let (x, y, area) = weight(&scaled);
            let side = 40.0 * f64::from(thousandths) / 1_000.0;
            assert!((x - 130.0).abs() < 0.05 && (y - 230.0).abs() < 0.05, "{thousandths}: {x} {y}");
            assert!((area.sqrt() - side).abs() < 0.1, "{thousandths}: {} {side}", area.sqrt());
            assert!(scaled.x % 2 == 0 && scaled.y % 2 == 0);
            assert!(scaled.width.is_multiple_of(2) && scaled.height.is_multiple_of(2));
        }
    }

    #[test]
    fn what_is_off_the_canvas_is_cut() {
        let mut sprite = square();
        assert_eq!(sprite.on_canvas(1080, 1920).as_ref(), Some(&sprite));
        (sprite.x, sprite.y) = (-20, 1_900);
        let part = sprite.on_canvas(1080, 1920).expect("is there in part");
        assert_eq!((part.x, part.y, part.width, part.height), (0, 1_900, 40, 20));
        assert_eq!(part.pixels.len(), 40 * 20 * 4);
        assert_eq!(part.pixels[(15 * 40 + 5) * 4], 255);
        sprite.x = -60;
        assert_eq!(sprite.on_canvas(1080, 1920), None);
    }
}
