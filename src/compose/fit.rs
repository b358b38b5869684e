//! How a source is fitted to a part of the canvas, with the meanings of CSS `object-fit`.

use serde::{Deserialize, Serialize};

use crate::text::Area;
use crate::units::{CanvasSize, SourceSize};

/// How a source is fitted to its part of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fit {
    /// Scaled evenly until it covers the part; what stands over is cut. Default.
    #[default]
    Cover,
    /// Scaled evenly until all of it is in the part; what is left of the part stays as it is.
    Contain,
    /// Scaled to the part's shape, whatever its own is.
    Fill,
    /// As it is, not scaled; what stands over is cut.
    None,
    /// Contained, over itself covering the part and blurred.
    Blur,
}

impl Fit {
    /// The names as they are written.
    pub const NAMES: [&'static str; 5] = ["cover", "contain", "fill", "none", "blur"];

    /// The fit of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "cover" => Self::Cover,
            "contain" => Self::Contain,
            "fill" => Self::Fill,
            "none" => Self::None,
            "blur" => Self::Blur,
            _ => return None,
        })
    }

    /// What of a source of `size` is shown, and where, if it is fitted to `area`, whose numbers are even. What is shown is
    /// inside of the source and where it is inside of `area`, with even numbers too. Where there is a choice, `focus` makes
    /// it: of what stays in view when it is cut, and, as CSS `object-position`, of where it is in an area that it leaves
    /// a part of. `None` for an area without even one sample of chroma.
    pub fn place(self, size: SourceSize, area: Area, focus: Focus) -> Option<(SourceRect, Area)> {
        let whole = SourceRect { x: 0, y: 0, width: size.width(), height: size.height() };
        let canvas = CanvasSize::new(area.width, area.height).filter(|_| area.width >= 2 && area.height >= 2)?;
        let (sw, sh) = (u64::from(size.width()), u64::from(size.height()));
        let (aw, ah) = (u64::from(area.width), u64::from(area.height));
        let inside = |width: u64, height: u64| {
            let at = |start: i32, free: u64, focus: f64| {
                let share = if focus.is_finite() { focus.clamp(0.0, 1.0) } else { 0.5 };
                start + ((free as f64 * share) as i32 & !1)
            };
            Area {
                x: at(area.x, aw - width, focus.x),
                y: at(area.y, ah - height, focus.y),
                width: u32::try_from(width).unwrap_or(area.width),
                height: u32::try_from(height).unwrap_or(area.height),
            }
        };
        Some(match self {
            Self::Cover => (cover(size, canvas, focus), area),
            Self::Fill => (whole, area),
            Self::Contain | Self::Blur => {
                // Cross-multiplied, so that the comparison is exact.
                let (width, height) = if sw * ah > aw * sh {
                    (aw, round_even(sh * aw, sw, ah))
                } else {
                    (round_even(sw * ah, sh, aw), ah)
                };
                (whole, inside(width, height))
            }
            Self::None => {
                let (width, height) = ((sw & !1).clamp(2, aw), (sh & !1).clamp(2, ah));
                let taken = |part: u64, size: u64| u32::try_from(part.min(size)).unwrap_or(1);
                let rect = SourceRect {
                    x: place(sw, width.min(sw), focus.x),
                    y: place(sh, height.min(sh), focus.y),
                    width: taken(width, sw),
                    height: taken(height, sh),
                };
                (rect, inside(width, height))
            }
        })
    }
}

impl Fit {
    /// As [`Self::place`], of a part of a source alone, whose place is even.
    pub(crate) fn place_part(self, part: SourceRect, area: Area, focus: Focus) -> Option<(SourceRect, Area)> {
        let (rect, area) = self.place(SourceSize::new(part.width, part.height)?, area, focus)?;
        Some((SourceRect { x: part.x + rect.x, y: part.y + rect.y, ..rect }, area))
    }
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

    fn at(x: i32, y: i32, width: u32, height: u32) -> Area {
        Area { x, y, width, height }
    }

    #[test]
    fn each_fit_is_what_css_says() {
        let whole = |width, height| SourceRect { x: 0, y: 0, width, height };
        let canvas = at(0, 0, 1080, 1920);
        let place = |fit: Fit, w, h, area| fit.place(size(w, h), area, Focus::default()).expect("has room");
        assert_eq!(place(Fit::Contain, 1920, 1080, canvas), (whole(1920, 1080), at(0, 656, 1080, 608)));
        assert_eq!(place(Fit::Contain, 1170, 2532, canvas), (whole(1170, 2532), at(96, 0, 888, 1920)));
        assert_eq!(place(Fit::Blur, 500, 500, canvas), (whole(500, 500), at(0, 420, 1080, 1080)));
        assert_eq!(place(Fit::Fill, 500, 300, canvas), (whole(500, 300), canvas));
        let part = at(40, 100, 400, 600);
        assert_eq!(
            place(Fit::None, 300, 1000, part),
            (SourceRect { x: 0, y: 200, width: 300, height: 600 }, at(90, 100, 300, 600))
        );
        assert_eq!(
            place(Fit::Cover, 300, 1000, part),
            (SourceRect { x: 0, y: 275 & !1, width: 300, height: 450 }, part)
        );
        // The focus is where it is in what it leaves free.
        let low = Focus { x: 0.0, y: 1.0 };
        assert_eq!(Fit::Contain.place(size(400, 300), part, low), Some((whole(400, 300), at(40, 400, 400, 300))));
        assert_eq!(Fit::Cover.place(size(400, 300), at(0, 0, 1, 2), low), None);
    }

    proptest! {
        #[test]
        fn every_fit_stays_inside_of_both(
            w in 1u32..5000, h in 1u32..5000, x in -200i32..200, y in -200i32..200, aw in 1u32..600, ah in 1u32..1000,
            fx in -1.0f64..2.0, fy in -1.0f64..2.0,
        ) {
            let area = at(2 * x, 2 * y, 2 * aw, 2 * ah);
            for fit in [Fit::Cover, Fit::Contain, Fit::Fill, Fit::None, Fit::Blur] {
                let (rect, to) = fit.place(size(w, h), area, Focus { x: fx, y: fy }).expect("has room");
                prop_assert!(rect.width > 0 && rect.x + rect.width <= w && rect.height > 0 && rect.y + rect.height <= h);
                prop_assert!(to.x >= area.x && to.y >= area.y && to.width >= 2 && to.height >= 2);
                prop_assert!(to.x + to.width as i32 <= area.x + area.width as i32, "{fit:?} {to:?}");
                prop_assert!(to.y + to.height as i32 <= area.y + area.height as i32, "{fit:?} {to:?}");
                prop_assert!(to.x % 2 == 0 && to.y % 2 == 0 && to.width % 2 == 0 && to.height % 2 == 0);
            }
        }

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
