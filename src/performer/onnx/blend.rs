//! Puts an aligned square back where it came from, with a soft edge.

use super::align::{Similarity, add, taps};
use super::picture::{Picture, Square, bilinear, place};
use crate::performer::Replacement;

/// What the mask leaves free along the square's edge, as a share of its side.
const EROSION: f64 = 0.05;
/// Where the mask rises from 0 to 1, inwards, as a share of the side.
const FEATHER: f64 = 0.14;
/// Radius of the mask's corners as a share of the side: corners of the square are hair and background.
const CORNER: f64 = 0.3;

/// Warps `painted` back into `picture`. `to_square` brings the picture onto the square; `own` is the model's mask in the
/// square, 0..=1, row by row. `None` when nothing of it lies in the picture.
pub(super) fn put_back(
    picture: &Picture<'_>,
    painted: &Square,
    own: Option<&[f32]>,
    to_square: &Similarity,
) -> Option<Replacement> {
    let region = Region::of(picture, painted.size, &to_square.inverse())?;
    let taps = taps(to_square.scale());
    let share = 1.0 / (taps.len() * taps.len()) as f32;
    let pixels = region.width as usize * region.height as usize;
    let mut replacement = Replacement {
        x: region.x,
        y: region.y,
        width: region.width,
        height: region.height,
        rgb: Vec::with_capacity(pixels * 3),
        mask: Vec::with_capacity(pixels),
    };
    for y in region.y..region.y + region.height {
        for x in region.x..region.x + region.width {
            let [u, v] = to_square.apply([f64::from(x), f64::from(y)]);
            let own = own.map_or(1.0, |own| sample(own, painted.size, u, v));
            let mask = byte(feather(u, v, painted.size) * own * 255.0);
            replacement.mask.push(mask);
            if mask == 0 {
                replacement.rgb.extend(picture.pixel(i64::from(x), i64::from(y)));
                continue;
            }
            let mut sum = [0.0_f32; 3];
            for down in &taps {
                for across in &taps {
                    let [u, v] = to_square.apply([f64::from(x) + across, f64::from(y) + down]);
                    add(&mut sum, painted.sample(u, v));
                }
            }
            replacement.rgb.extend(sum.map(|value| byte(value * share)));
        }
    }
    Some(replacement)
}

/// How much of the square is seen at a place of it, 0..=1: a box with round corners, eroded and feathered. The rise is the
/// smoothstep 3t² - 2t³, whose slope is 0 at both ends; the distance to the box is Quilez, "2D distance functions".
fn feather(u: f64, v: f64, size: u32) -> f32 {
    let side = f64::from(size);
    let half = side / 2.0;
    let radius = CORNER * side;
    let straight = half - EROSION * side - radius;
    let [x, y] = [u, v].map(|value| (value + 0.5 - half).abs() - straight);
    let outside = (x.max(0.0) * x.max(0.0) + y.max(0.0) * y.max(0.0)).sqrt();
    let depth = radius - outside - x.max(y).min(0.0);
    let rise = (depth / (FEATHER * side)).clamp(0.0, 1.0);
    (rise * rise * (3.0 - 2.0 * rise)) as f32
}

fn sample(mask: &[f32], size: u32, u: f64, v: f64) -> f32 {
    let [value] = bilinear(u, v, |x, y| [mask.get(place(x, y, size)).copied().unwrap_or_default()]);
    value.clamp(0.0, 1.0)
}

fn byte(value: f32) -> u8 {
    value.clamp(0.0, 255.0).round() as u8
}

struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Region {
    /// The smallest upright rectangle of the picture that holds all of the square's mask.
    fn of(picture: &Picture<'_>, size: u32, to_picture: &Similarity) -> Option<Self> {
        let inset = EROSION * f64::from(size);
        let (near, far) = (inset - 0.5, f64::from(size) - inset - 0.5);
        let corners = [[near, near], [far, near], [near, far], [far, far]].map(|corner| to_picture.apply(corner));
        let span = |axis: fn(&[f64; 2]) -> f64, side: u32| {
            let values = corners.iter().map(axis);
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
            let (low, high) = (low.floor().max(0.0), high.ceil().min(f64::from(side - 1)));
            (low <= high).then(|| (low as u32, (high - low) as u32 + 1))
        };
        let (x, width) = span(|corner| corner[0], picture.width())?;
        let (y, height) = span(|corner| corner[1], picture.height())?;
        Some(Self { x, y, width, height })
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn mask_is_one_in_the_middle_and_nothing_at_the_edge() {
        assert_eq!(feather(63.5, 63.5, 128), 1.0);
        for place in [0.0, 30.0, 63.5, 127.0] {
            assert_eq!(feather(0.0, place, 128), 0.0);
            assert_eq!(feather(place, 127.0, 128), 0.0);
        }
        // The corners are rounder than the sides.
        assert_eq!(feather(15.0, 15.0, 128), 0.0);
        assert!(feather(15.0, 63.5, 128) > 0.3);
    }

    #[test]
    fn mask_has_no_hard_edge() {
        // The steepest slope of the smoothstep is 1.5 over the feather's width.
        let limit = 1.5 / (FEATHER * 128.0) + 1e-6;
        for y in 0..128 {
            for x in 0..128 {
                let here = feather(f64::from(x), f64::from(y), 128);
                let right = feather(f64::from(x) + 1.0, f64::from(y), 128);
                let below = feather(f64::from(x), f64::from(y) + 1.0, 128);
                assert!(f64::from((here - right).abs().max((here - below).abs())) <= limit, "at {x}, {y}");
            }
        }
    }
}
