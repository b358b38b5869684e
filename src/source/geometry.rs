//! From coded pixels to what is displayed: clean aperture, sample aspect ratio, orientation.

use crate::compose::{Orientation, SourceRect};
use crate::ffmpeg::Crop;
use crate::units::SourceSize;

/// How the pictures of one size are displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// The part of the coded picture that is meant to be seen.
    aperture: Crop,
    /// The size of that part with square pixels, before it is turned.
    square: (u32, u32),
    orientation: Orientation,
}

impl Geometry {
    /// The geometry of pictures of `width` by `height` coded pixels, of which `aperture` is seen, each `aspect` as wide
    /// as high. `None` without a pixel.
    ///
    /// Pixels that are not square are stretched along their longer side: nothing is lost.
    pub(crate) fn new(
        (width, height): (u32, u32),
        aperture: Option<Crop>,
        aspect: Option<(u32, u32)>,
        orientation: Orientation,
    ) -> Option<Self> {
        let whole = Crop { left: 0, top: 0, width, height };
        let inside = |crop: &Crop| {
            crop.left.checked_add(crop.width).is_some_and(|right| right <= width)
                && crop.top.checked_add(crop.height).is_some_and(|bottom| bottom <= height)
        };
        let aperture = aperture.filter(|crop| crop.width > 0 && crop.height > 0 && inside(crop)).unwrap_or(whole);
        let (num, den) = aspect.filter(|&aspect| is_plausible(aspect)).unwrap_or((1, 1));
        let stretch = |side: u32, by: u32, of: u32| {
            let side = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of);
            u32::try_from(side).ok().filter(|&side| side > 0)
        };
        let square = if num >= den {
            (stretch(aperture.width, num, den)?, aperture.height)
        } else {
            (aperture.width, stretch(aperture.height, den, num)?)
        };
        (width > 0 && height > 0).then_some(Self { aperture, square, orientation })
    }

    /// The size as displayed.
    pub(crate) fn displayed(&self) -> Option<SourceSize> {
        let (width, height) = self.square;
        if self.orientation.swaps_sides() { SourceSize::new(height, width) } else { SourceSize::new(width, height) }
    }

    /// The coded pixels that the part `rect` of the displayed picture shows. Positions are even, and sizes where they
    /// can be, so that 4:2:0 chroma stays with its luma.
    pub(crate) fn coded(&self, rect: SourceRect) -> Crop {
        let (x, y, width, height) = self.unturned(rect);
        let (left, width) = scaled(x, width, self.square.0, self.aperture.width);
        let (top, height) = scaled(y, height, self.square.1, self.aperture.height);
        Crop { left: self.aperture.left + left, top: self.aperture.top + top, width, height }
    }

    /// `rect` of the displayed picture in the picture before it is turned, as x, y, width and height.
    fn unturned(&self, rect: SourceRect) -> (u32, u32, u32, u32) {
        let (width, height) = self.square;
        let rect = self.orientation.coded_rect(rect, (width, height));
        (rect.x, rect.y, rect.width, rect.height)
    }

    /// The part of this picture that stands for the part `rect` of a picture displayed at `planned` size: the same where
    /// the sizes agree; else, where a stream changes its size on the way, the largest part of the same shape, with its
    /// centre at the same place.
    pub(crate) fn part_like(&self, rect: SourceRect, planned: SourceSize) -> SourceRect {
        let Some(here) = self.displayed().filter(|&here| here != planned) else { return rect };
        let (whole_width, whole_height) = (f64::from(here.width()), f64::from(here.height()));
        let shape = f64::from(rect.width) / f64::from(rect.height);
        let width = whole_width.min(whole_height * shape).max(1.0);
        let height = (width / shape).clamp(1.0, whole_height);
        let place = |start: u32, size: u32, planned: u32, part: f64, whole: f64| {
            let centre = (f64::from(start) + f64::from(size) / 2.0) / f64::from(planned) * whole;
            (centre - part / 2.0).clamp(0.0, whole - part) as u32
        };
        let (width_px, height_px) = (width as u32, height as u32);
        SourceRect {
            x: place(rect.x, rect.width, planned.width(), width, whole_width).min(here.width() - width_px),
            y: place(rect.y, rect.height, planned.height(), height, whole_height).min(here.height() - height_px),
            width: width_px,
            height: height_px,
        }
    }
}

/// Whether a pixel shape is one that cameras and encoders make; beyond, it is a broken header.
pub(super) fn is_plausible((num, den): (u32, u32)) -> bool {
    num > 0 && den > 0 && u64::from(num) <= 8 * u64::from(den) && u64::from(den) <= 8 * u64::from(num)
}

/// A stretch of `size` from `start` of a side of `from` pixels, on the same side of `to` pixels.
fn scaled(start: u32, size: u32, from: u32, to: u32) -> (u32, u32) {
    if from == to && start.is_multiple_of(2) {
        return (start, size);
    }
    let at = |value: u32| (f64::from(value) * f64::from(to) / f64::from(from)).round() as u32;
    let left = (at(start) & !1).min(to.saturating_sub(1));
    let end = at(start.saturating_add(size)).clamp(left + 1, to);
    // An odd size is rounded up where there is room.
    let length = (end - left).next_multiple_of(2);
    (left, if left + length <= to { length } else { end - left })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: fn(u32, u32) -> SourceRect = |width, height| SourceRect { x: 0, y: 0, width, height };

    fn shown(size: (u32, u32), aspect: (u32, u32), orientation: Orientation) -> (u32, u32) {
        let geometry = Geometry::new(size, None, Some(aspect), orientation).expect("has pixels");
        let shown = geometry.displayed().expect("has pixels");
        (shown.width(), shown.height())
    }

    #[test]
    fn sizes_as_displayed() {
        assert_eq!(shown((1920, 1080), (1, 1), Orientation::Rotate90), (1080, 1920));
        assert_eq!(shown((640, 360), (2, 3), Orientation::Upright), (640, 540));
        assert_eq!(shown((800, 640), (64, 45), Orientation::Upright), (1138, 640));
        assert_eq!(shown((800, 640), (64, 45), Orientation::Rotate270), (640, 1138));
        assert_eq!(shown((640, 360), (1, 1_000), Orientation::Upright), (640, 360), "a broken header");
    }

    #[test]
    fn parts_lead_back_to_coded_pixels() {
        let turned = Geometry::new((1920, 1080), None, None, Orientation::Rotate90).expect("has pixels");
        assert_eq!(turned.coded(WHOLE(1080, 1920)), Crop { left: 0, top: 0, width: 1920, height: 1080 });
        // The top of the displayed picture is the left of the coded one, turned clockwise: its bottom is the right.
        let top = SourceRect { x: 0, y: 0, width: 1080, height: 480 };
        assert_eq!(turned.coded(top), Crop { left: 0, top: 0, width: 480, height: 1080 });
        let wide = Geometry::new((720, 576), None, Some((64, 45)), Orientation::Upright).expect("has pixels");
        let middle = SourceRect { x: 350, y: 0, width: 324, height: 576 };
        assert_eq!(wide.coded(middle), Crop { left: 246, top: 0, width: 228, height: 576 });
        let aperture = Crop { left: 8, top: 4, width: 704, height: 480 };
        let clean = Geometry::new((720, 488), Some(aperture), None, Orientation::Upright).expect("has pixels");
        assert_eq!(clean.coded(WHOLE(704, 480)), aperture);
        let outside = Crop { left: 100, ..aperture };
        let broken = Geometry::new((720, 488), Some(outside), None, Orientation::Upright).expect("has pixels");
        assert_eq!(broken.displayed(), SourceSize::new(720, 488), "an aperture outside of the picture is ignored");
    }

    #[test]
    fn another_size_shows_the_same_shape() {
        let planned = SourceSize::new(1920, 1080).expect("not zero");
        let rect = SourceRect { x: 656, y: 0, width: 608, height: 1080 };
        let smaller = Geometry::new((960, 540), None, None, Orientation::Upright).expect("has pixels");
        assert_eq!(smaller.part_like(rect, planned), SourceRect { x: 328, y: 0, width: 304, height: 540 });
        let upright = Geometry::new((540, 960), None, None, Orientation::Upright).expect("has pixels");
        let part = upright.part_like(rect, planned);
        assert_eq!((part.width, part.x), (540, 0));
        assert!(part.height.abs_diff(959) <= 1 && part.y + part.height <= 960, "{part:?}");
    }
}
