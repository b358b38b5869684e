//! How a source is fitted to the canvas, with the meanings of CSS `object-fit`.

use serde::{Deserialize, Serialize};

use crate::units::{CanvasSize, SourceSize};

/// How a source is fitted to the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fit {
    /// Scaled evenly until it covers the canvas; what stands over is cut. Default.
    #[default]
    Cover,
}

/// The point of a source that stays in view when it is cut, as fractions of its width and height.
///
/// Default: the centre.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Focus {
    /// 0 is the left edge, 1 the right.
    pub x: f64,
    /// 0 is the top edge, 1 the bottom.
    pub y: f64,
}

impl Default for Focus {
    fn default() -> Self {
        Self { x: 0.5, y: 0.5 }
    }
}

/// A rectangle in the displayed pixels of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

/// The part of a source of `size` that covers `canvas`: the largest rectangle of the canvas's shape, as near to `focus`
/// as the edges allow. Positions are even, so that 4:2:0 chroma stays with its luma.
pub fn cover(size: SourceSize, canvas: CanvasSize, focus: Focus) -> SourceRect {
    let (sw, sh) = (u64::from(size.width()), u64::from(size.height()));
    let (cw, ch) = (u64::from(canvas.width()), u64::from(canvas.height()));
    // Cross-multiplied, so that the comparison is exact.
    let (width, height) =
        if sw * ch > cw * sh { (round_even(sh * cw, ch, sw), sh) } else { (sw, round_even(sw * ch, cw, sh)) };
    SourceRect {
        x: place(sw, width, focus.x),
        y: place(sh, height, focus.y),
        width: u32::try_from(width).unwrap_or(size.width()),
        height: u32::try_from(height).unwrap_or(size.height()),
    }
}

/// `num / den` to the nearest even number, within 1 and `max`.
fn round_even(num: u64, den: u64, max: u64) -> u64 {
    ((num + den) / (2 * den) * 2).clamp(2.min(max), max)
}

fn place(size: u64, part: u64, focus: f64) -> u32 {
    let free = size.saturating_sub(part);
    let focus = if focus.is_finite() { focus.clamp(0.0, 1.0) } else { 0.5 };
    let start = (focus * size as f64 - part as f64 / 2.0).clamp(0.0, free as f64);
    u32::try_from(start as u64 & !1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> SourceSize {
        SourceSize::new(width, height).expect("not zero")
    }

    #[test]
    fn the_usual_sizes() {
        let part = |w, h| cover(size(w, h), CanvasSize::VERTICAL_HD, Focus::default());
        assert_eq!(part(1080, 1920), SourceRect { x: 0, y: 0, width: 1080, height: 1920 });
        assert_eq!(part(1170, 2532), SourceRect { x: 0, y: 226, width: 1170, height: 2080 });
        assert_eq!(part(1920, 1080), SourceRect { x: 656, y: 0, width: 608, height: 1080 });
        assert_eq!(part(1, 1), SourceRect { x: 0, y: 0, width: 1, height: 1 });
    }

    proptest! {
        #[test]
        fn the_part_stays_inside_and_has_the_canvas_shape(
            w in 16u32..8192, h in 16u32..8192, fx in -1.0f64..2.0, fy in -1.0f64..2.0,
        ) {
            let part = cover(size(w, h), CanvasSize::VERTICAL_HD, Focus { x: fx, y: fy });
            prop_assert!(part.x + part.width <= w && part.y + part.height <= h);
            prop_assert!(part.x.is_multiple_of(2) && part.y.is_multiple_of(2));
            // One side is whole and the other within two pixels of the exact shape.
            let exact = if part.height == h { f64::from(h) * 9.0 / 16.0 - f64::from(part.width) }
                else { f64::from(w) * 16.0 / 9.0 - f64::from(part.height) };
            prop_assert!((part.height == h || part.width == w) && exact.abs() <= 2.0, "{part:?}");
        }
    }
}
