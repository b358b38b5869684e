//! Pictures as they come in and go out.

use super::fault::unavailable;
use crate::error::Error;

/// Largest side of a picture in pixels.
pub(super) const MAX_SIDE: u32 = 4096;

/// A borrowed picture: rows from the top, without padding, three bytes R, G, B for each pixel.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    rgb: &'a [u8],
    width: u32,
    height: u32,
}

impl<'a> Picture<'a> {
    /// # Errors
    /// `Invalid` when a side is 0 or above [`MAX_SIDE`], or when the bytes are not width * height * 3.
    pub(super) fn new(rgb: &'a [u8], width: u32, height: u32) -> Result<Self, Error> {
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(unavailable(format!(
                "the picture has {width}x{height} pixels; each side lies from 1 to {MAX_SIDE}"
            ))
            .suggest("scale the picture first"));
        }
        let expected = width as usize * height as usize * 3;
        if rgb.len() != expected {
            return Err(unavailable(format!(
                "the picture of {width}x{height} pixels has {} bytes; {expected} are expected",
                rgb.len()
            ))
            .suggest("give RGB, three bytes for each pixel, without padding"));
        }
        Ok(Self { rgb, width, height })
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.rgb.chunks_exact(self.width as usize * 3)
    }

    /// The pixel at a place, the nearest one when it lies outside.
    pub(super) fn pixel(&self, x: i64, y: i64) -> [u8; 3] {
        let x = x.clamp(0, i64::from(self.width) - 1).unsigned_abs() as usize;
        let y = y.clamp(0, i64::from(self.height) - 1).unsigned_abs() as usize;
        let start = (y * self.width as usize + x) * 3;
        match self.rgb.get(start..start + 3) {
            Some(&[r, g, b]) => [r, g, b],
            _ => [0; 3],
        }
    }

    /// The colour at a place, bilinear, 0..=255. Whole numbers are the centres of pixels.
    pub(super) fn sample(&self, x: f64, y: f64) -> [f32; 3] {
        bilinear(x, y, |x, y| self.pixel(x, y).map(f32::from))
    }
}

/// A square of floats: `size` x `size` pixels, rows from the top, three values 0..=255 for each pixel, R, G, B.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Square {
    pub(super) size: u32,
    pub(super) pixels: Vec<[f32; 3]>,
}

impl Square {
    /// The colour at a place, bilinear; whole numbers are the centres of pixels, edges go on outside.
    pub(super) fn sample(&self, x: f64, y: f64) -> [f32; 3] {
        bilinear(x, y, |x, y| self.pixels.get(place(x, y, self.size)).copied().unwrap_or_default())
    }
}

/// The index of a pixel in a square, the nearest one's when it lies outside.
pub(super) fn place(x: i64, y: i64, size: u32) -> usize {
    let last = i64::from(size) - 1;
    let [x, y] = [x, y].map(|value| value.clamp(0, last.max(0)).unsigned_abs() as usize);
    y * size as usize + x
}

/// Bilinear interpolation between the four pixels around a place. Places beyond any picture are drawn near, so that the
/// conversion to whole numbers is exact.
pub(super) fn bilinear<const N: usize>(x: f64, y: f64, pixel: impl Fn(i64, i64) -> [f32; N]) -> [f32; N] {
    let [x, y] = [x, y].map(|value| value.clamp(-1e6, 1e6));
    let (left, top) = (x.floor(), y.floor());
    let (u, v) = ((x - left) as f32, (y - top) as f32);
    let (left, top) = (left as i64, top as i64);
    let mix = |a: [f32; N], b: [f32; N], share: f32| {
        let mut mixed = a;
        for (value, other) in mixed.iter_mut().zip(b) {
            *value += (other - *value) * share;
        }
        mixed
    };
    let upper = mix(pixel(left, top), pixel(left + 1, top), u);
    let lower = mix(pixel(left, top + 1), pixel(left + 1, top + 1), u);
    mix(upper, lower, v)
}
