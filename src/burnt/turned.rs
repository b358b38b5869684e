//! Pictures of lines that are set at an angle, turned until they are level: that is how a reader wants them.

use std::ops::Range;

use image::{GrayImage, Luma};

use super::components::Bounds;
use super::tilt::is_level;

/// A picture that is turned so that what has a slope in it is level.
#[derive(Debug, Clone)]
pub(super) struct Turned {
    sin: f64,
    cos: f64,
    /// The sizes before and after.
    from: (f64, f64),
    to: (f64, f64),
    /// The rows of letters in the turned one.
    rows: (f64, f64),
}

impl Turned {
    /// Of a picture of this size; `None` if all is level.
    pub(super) fn new((width, height): (u32, u32), slope: f64) -> Option<Self> {
        let (sin, cos) = slope.atan().sin_cos();
        let (width, height) = (f64::from(width), f64::from(height));
        let to = ((width * cos + height * sin.abs()).ceil(), (height * cos + width * sin.abs()).ceil());
        (!is_level(slope)).then_some(Self { sin, cos, from: (width, height), to, rows: (0.0, to.1) })
    }

    /// Where in the picture a place of the turned one comes from.
    fn source(&self, x: f64, y: f64) -> (f64, f64) {
        let (right, down) = (x - self.to.0 / 2.0, y - self.to.1 / 2.0);
        let (sin, cos) = (self.sin, self.cos);
        (self.from.0 / 2.0 + right * cos - down * sin, self.from.1 / 2.0 + right * sin + down * cos)
    }

    /// Dark letters on white, level; linear between samples.
    pub(super) fn levelled(&mut self, picture: &GrayImage) -> GrayImage {
        let at = |x: i64, y: i64| match (u32::try_from(x), u32::try_from(y)) {
            (Ok(x), Ok(y)) => picture.get_pixel_checked(x, y).map_or(255.0, |pixel| f64::from(pixel.0[0])),
            _ => 255.0,
        };
        let level = GrayImage::from_fn(self.to.0 as u32, self.to.1 as u32, |x, y| {
            let (x, y) = self.source(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
            let (fx, fy) = (x - 0.5 - left, y - 0.5 - top);
            let row = |y: i64| at(left as i64, y) * (1.0 - fx) + at(left as i64 + 1, y) * fx;
            let value = row(top as i64) * (1.0 - fy) + row(top as i64 + 1) * fy;
            Luma([value.round() as u8])
        });
        let is_inked = |y: &u32| (0..level.width()).any(|x| level.get_pixel(x, *y).0[0] < 128);
        let first = (0..level.height()).find(is_inked).map_or(0.0, f64::from);
        let last = (0..level.height()).rev().find(is_inked).map_or(self.to.1, |last| f64::from(last + 1));
        self.rows = (first, last);
        level
    }

    /// What part of the picture the letters between two columns of the turned one take.
    pub(super) fn part(&self, start: usize, end: usize) -> Bounds {
        let rows = [self.rows.0, self.rows.1];
        let corners = [start, end].into_iter().flat_map(|x| rows.map(|y| self.source(x as f64, y)));
        let corners: Vec<(f64, f64)> = corners.collect();
        let least = |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(f64::MAX, f64::min).max(0.0) as usize;
        let most = |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).fold(0.0, f64::max).ceil() as usize;
        let (left, top) = (least(|corner| corner.0), least(|corner| corner.1));
        let (right, bottom) = (most(|corner| corner.0), most(|corner| corner.1));
        Bounds { left, top, right: right.max(left.saturating_add(1)), bottom: bottom.max(top.saturating_add(1)) }
    }
}

/// How the picture that a reader got lies in its line's crop.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// How it was turned; `None` if the line is level.
    pub(super) turned: Option<Turned>,
    /// Its first column and row in the crop, and pixels of it for one of the crop.
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) by: f64,
    /// Pixels around it that were added.
    pub(super) margin: usize,
    /// Its width, if it was given upside down.
    pub(super) over: Option<usize>,
}

impl Page {
    /// The part of the crop, which has this size, that some of its columns come from: at least one column.
    pub(super) fn part(&self, columns: &Range<usize>, (width, height): (usize, usize)) -> Bounds {
        // Somebody else's reader may give any.
        let column = |at: usize| (at.saturating_sub(self.margin) as f64 / self.by) as usize;
        let columns = match self.over {
            Some(whole) => whole.saturating_sub(columns.end)..whole.saturating_sub(columns.start),
            None => columns.clone(),
        };
        let (start, end) = (column(columns.start), column(columns.end));
        let part = match &self.turned {
            Some(turned) => turned.part(start, end),
            None => Bounds { left: start, top: 0, right: end, bottom: height },
        };
        let left = self.left.saturating_add(part.left).min(width.saturating_sub(1));
        let top = self.top.saturating_add(part.top).min(height.saturating_sub(1));
        Bounds {
            right: self.left.saturating_add(part.right).clamp(left + 1, width.max(left + 1)),
            bottom: self.top.saturating_add(part.bottom).clamp(top + 1, height.max(top + 1)),
            left,
            top,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_slope_is_level_once_it_is_turned() {
        // A bar of 160 by 12 that falls by 0.3 with each column, dark on white.
        let slope: f64 = 0.3;
        let (sin, cos) = slope.atan().sin_cos();
        let (width, height) = (240u32, 120u32);
        let along = |x: f64, y: f64| ((x - 120.0) * cos + (y - 60.0) * sin, (y - 60.0) * cos - (x - 120.0) * sin);
        let picture = GrayImage::from_fn(width, height, |x, y| {
            let (along, across) = along(f64::from(x) + 0.5, f64::from(y) + 0.5);
            Luma([if along.abs() < 80.0 && across.abs() < 6.0 { 0 } else { 255 }])
        });
        let mut turned = Turned::new((width, height), slope).expect("has a slope");
        let level = turned.levelled(&picture);
        let dark = |x: u32, y: u32| level.get_pixel(x, y).0[0] < 128;
        let all = || (0..level.height()).flat_map(|y| (0..level.width()).map(move |x| (x, y)));
        let inked: Vec<(u32, u32)> = all().filter(|&(x, y)| dark(x, y)).collect();
        let ends = |of: fn(&(u32, u32)) -> u32| {
            (inked.iter().map(of).min().expect("has ink"), inked.iter().map(of).max().expect("has ink") + 1)
        };
        let ((left, right), (top, bottom)) = (ends(|at| at.0), ends(|at| at.1));
        assert!((right - left).abs_diff(160) <= 2 && (bottom - top).abs_diff(12) <= 2, "{left} {right} {top} {bottom}");
        // Its first half is the left and upper one of the picture.
        let half = turned.part(left as usize, (left + right) as usize / 2);
        let ends = [120.0 - 80.0 * cos - 6.0 * sin, 60.0 - 80.0 * sin - 6.0 * cos, 120.0 + 6.0 * sin, 60.0 + 6.0 * cos];
        let found = [half.left, half.top, half.right, half.bottom].map(|side| side as f64);
        assert!(found.iter().zip(ends).all(|(side, meant)| (side - meant).abs() <= 2.5), "{half:?} is not {ends:?}");
        // What is level stays as it is.
        assert!(Turned::new((width, height), 0.0).is_none());
    }

    #[test]
    fn columns_lie_in_the_crop_whatever_they_are() {
        for slope in [0.0, 0.3, -0.3] {
            let turned = Turned::new((200, 80), slope);
            let page = Page { turned, left: 20, top: 10, by: 0.5, margin: 14, over: None };
            let columns = [(0, 0), (14, 60), (60, 14), (900, 1_000), (usize::MAX - 1, usize::MAX), (usize::MAX, 0)];
            for columns in columns.map(|(start, end)| start..end) {
                for page in [page.clone(), Page { over: Some(148), ..page.clone() }] {
                    let Bounds { left, top, right, bottom } = page.part(&columns, (240, 100));
                    assert!(left < right && right <= 240 && top < bottom && bottom <= 100, "{slope}, {columns:?}");
                }
            }
        }
        let level = Page { turned: None, left: 20, top: 10, by: 0.5, margin: 14, over: None };
        assert_eq!(level.part(&(24..64), (240, 100)), Bounds { left: 40, top: 10, right: 120, bottom: 100 });
        // Of 128 columns, upside down.
        let over = Page { over: Some(128), ..level };
        assert_eq!(over.part(&(64..104), (240, 100)), Bounds { left: 40, top: 10, right: 120, bottom: 100 });
    }
}
