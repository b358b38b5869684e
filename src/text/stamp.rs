//! The coverage of one glyph at its size, filled and stroked, and planes of coverage to stamp it on.

use ab_glyph::{Glyph, GlyphId, Outline, OutlineCurve, OutlinedGlyph, Point, PxScale, PxScaleFactor};
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Path, PathBuilder, Stroke, Transform};

/// Glyphs are drawn at quarters of a px, as browsers do: finer is not seen, and equal letters share their drawing.
pub(super) const SUBPIXELS: i32 = 4;

/// Reach of a stroke, as a factor of the font size, up to which it leaves no gap around dots: twice the radius of the
/// smallest dots of bold faces.
const SAFE_REACH: f32 = 0.1;

/// Coverage of a small rectangle, 0 to 255, row-major without padding.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamp {
    /// Left edge relative to the whole px of the origin.
    pub(super) left: i32,
    /// Top edge relative to the whole px of the origin, y down.
    pub(super) top: i32,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) coverage: Vec<u8>,
}

/// Coverage of the whole sprite, 0 to 255, row-major without padding.
pub(super) struct Plane {
    width: usize,
    height: usize,
    pub(super) coverage: Vec<u8>,
}

/// A place on a grid of [`SUBPIXELS`] to the px: whole px and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Subpixel {
    pub(super) whole: i32,
    pub(super) part: i32,
}

impl Subpixel {
    pub(super) fn nearest(place: f32) -> Self {
        let steps = (place * SUBPIXELS as f32).round() as i32;
        Self { whole: steps.div_euclid(SUBPIXELS), part: steps.rem_euclid(SUBPIXELS) }
    }

    fn fraction(self) -> f32 {
        self.part as f32 / SUBPIXELS as f32
    }
}

impl Stamp {
    /// The inside of `outline` at `scale` px per font unit. Coverage is the exact area of each px.
    pub(super) fn fill(outline: &Outline, scale: f32, x: Subpixel, y: Subpixel) -> Self {
        // Not by `PxScale`, which is the height from descent to ascent: the factor is px per unit.
        let factor = PxScaleFactor { horizontal: scale, vertical: scale };
        let position = Point { x: x.fraction(), y: y.fraction() };
        let glyph = Glyph { id: GlyphId(0), scale: PxScale::from(1.0), position };
        let glyph = OutlinedGlyph::new(glyph, outline.clone(), factor);
        let bounds = glyph.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut coverage = vec![0; width * height];
        glyph.draw(|x, y, share| {
            if let Some(px) = coverage.get_mut(y as usize * width + x as usize) {
                // Above 1 where contours overlap.
                *px = (share.min(1.0) * 255.0 + 0.5) as u8;
            }
        });
        Self { left: bounds.min.x as i32, top: bounds.min.y as i32, width, height, coverage }
    }

    /// The outline's inside and everything within `reach` px of it, corners rounded; `size` is px per em. `None` if it
    /// has no area.
    pub(super) fn stroke(
        outline: &Outline,
        (scale, size): (f32, f32),
        x: Subpixel,
        y: Subpixel,
        reach: f32,
    ) -> Option<Self> {
        let fill = Self::fill(outline, scale, x, y);
        let margin = reach.ceil() as i32 + 1;
        let (left, top) = (fill.left - margin, fill.top - margin);
        let width = fill.width + 2 * margin as usize;
        let height = fill.height + 2 * margin as usize;
        let path = path(outline, scale, x.fraction() - left as f32, y.fraction() - top as f32)?;
        let mut mask = Mask::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?)?;
        let mut pen_reach = reach;
        loop {
            let pen = Stroke {
                width: 2.0 * pen_reach,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            mask.fill_path(&path.stroke(&pen, 1.0)?, FillRule::Winding, true, Transform::identity());
            // Around a dot whose radius is below half the reach, the inner side of the stroke turns inside out and
            // leaves a gap between dot and stroke. Narrower strokes fill it.
            if pen_reach <= SAFE_REACH * size {
                break;
            }
            pen_reach /= 2.0;
        }
        let mut plane = Plane { width, height, coverage: mask.take() };
        plane.unite(&fill, -left, -top);
        Some(Self { left, top, width, height, coverage: plane.coverage })
    }
}

impl Plane {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, coverage: vec![0; width * height] }
    }

    /// Stamps by the larger coverage: for strokes, which overlap everywhere.
    pub(super) fn unite(&mut self, stamp: &Stamp, x: i32, y: i32) {
        self.stamp(stamp, x, y, u8::max);
    }

    /// Stamps by the sum: for fills, so that letters that touch (Arabic, Devanagari) join without a seam.
    pub(super) fn add(&mut self, stamp: &Stamp, x: i32, y: i32) {
        self.stamp(stamp, x, y, u8::saturating_add);
    }

    fn stamp(&mut self, stamp: &Stamp, x: i32, y: i32, mix: impl Fn(u8, u8) -> u8) {
        for_each_row((self.width, self.height), stamp, x, y, |row, columns, source| {
            let start = row * self.width;
            for (px, new) in self.coverage[start + columns.start..start + columns.end].iter_mut().zip(source) {
                *px = mix(*px, *new);
            }
        });
    }
}

/// Calls `draw` with each row of a plane of `size` that the stamp covers, the columns, and the stamp's coverage there.
fn for_each_row(
    size: (usize, usize),
    stamp: &Stamp,
    x: i32,
    y: i32,
    mut draw: impl FnMut(usize, std::ops::Range<usize>, &[u8]),
) {
    let clip = |start: i64, length: usize, limit: usize| {
        let first = start.clamp(0, limit as i64);
        let last = (start + length as i64).clamp(first, limit as i64);
        (first as usize..last as usize, (first - start) as usize)
    };
    let (columns, skip) = clip(i64::from(x) + i64::from(stamp.left), stamp.width, size.0);
    let (rows, skip_rows) = clip(i64::from(y) + i64::from(stamp.top), stamp.height, size.1);
    if columns.is_empty() {
        return;
    }
    for (number, row) in rows.enumerate() {
        let start = (number + skip_rows) * stamp.width + skip;
        draw(row, columns.clone(), &stamp.coverage[start..start + columns.len()]);
    }
}

/// The outline as a path in px, y down, its origin at (`x`, `y`). Contours end where the next curve starts elsewhere.
fn path(outline: &Outline, scale: f32, x: f32, y: f32) -> Option<Path> {
    let place = |point: Point| (point.x.mul_add(scale, x), (-point.y).mul_add(scale, y));
    let mut builder = PathBuilder::new();
    let mut pen: Option<Point> = None;
    for curve in &outline.curves {
        let (start, end) = match *curve {
            OutlineCurve::Line(a, b) | OutlineCurve::Quad(a, _, b) | OutlineCurve::Cubic(a, _, _, b) => (a, b),
        };
        if pen != Some(start) {
            if pen.is_some() {
                builder.close();
            }
            let (x, y) = place(start);
            builder.move_to(x, y);
        }
        let (to_x, to_y) = place(end);
        match *curve {
            OutlineCurve::Line(..) => builder.line_to(to_x, to_y),
            OutlineCurve::Quad(_, control, _) => {
                let (x, y) = place(control);
                builder.quad_to(x, y, to_x, to_y);
            }
            OutlineCurve::Cubic(_, first, second, _) => {
                let ((x1, y1), (x2, y2)) = (place(first), place(second));
                builder.cubic_to(x1, y1, x2, y2, to_x, to_y);
            }
        }
        pen = Some(end);
    }
    builder.close();
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of 10 units whose lower left corner is the origin.
    fn square() -> Outline {
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)].map(|(x, y)| Point { x, y });
        let curves = (0..4).map(|i| OutlineCurve::Line(corners[i], corners[(i + 1) % 4])).collect();
        Outline { bounds: ab_glyph::Rect { min: corners[3], max: corners[1] }, curves }
    }

    #[test]
    fn a_fill_covers_exactly_its_area() {
        let origin = Subpixel::nearest(0.0);
        let stamp = Stamp::fill(&square(), 0.5, origin, origin);
        assert_eq!((stamp.left, stamp.top, stamp.width, stamp.height), (0, -5, 5, 5));
        assert!(stamp.coverage.iter().all(|&c| c == 255));
        let moved = Stamp::fill(&square(), 0.5, Subpixel::nearest(0.5), origin);
        let row: Vec<u8> = moved.coverage[..6].to_vec();
        assert_eq!(row, [128, 255, 255, 255, 255, 128]);
    }

    #[test]
    fn a_stroke_reaches_as_far_as_asked_with_round_corners() {
        let origin = Subpixel::nearest(0.0);
        let stamp = Stamp::stroke(&square(), (1.0, 20.0), origin, origin, 3.0).expect("has area");
        let at = |x: i32, y: i32| {
            let (column, row) = ((x - stamp.left) as usize, (y - stamp.top) as usize);
            stamp.coverage[row * stamp.width + column]
        };
        assert_eq!(at(5, -5), 255, "the inside belongs to it");
        assert_eq!((at(-3, -5), at(-4, -5)), (255, 0), "3 px to the left, no more");
        assert!(at(-3, -13) < 64, "the corner is round");
    }

    #[test]
    fn a_wide_stroke_leaves_no_gap_around_a_dot() {
        let origin = Subpixel::nearest(0.0);
        let stamp = Stamp::stroke(&square(), (0.4, 20.0), origin, origin, 9.0).expect("has area");
        let middle = stamp.height / 2;
        let row = &stamp.coverage[middle * stamp.width..(middle + 1) * stamp.width];
        let inked = row.iter().filter(|&&c| c == 255).count();
        assert_eq!(inked, 4 + 18, "{row:?}");
    }

    #[test]
    fn stamping_outside_is_clipped() {
        let mut plane = Plane::new(4, 3);
        let stamp = Stamp { left: -1, top: -1, width: 3, height: 3, coverage: vec![200; 9] };
        for (x, y) in [(0, 0), (4, 3), (-100, 0), (i32::MAX, i32::MIN), (3, 2)] {
            plane.add(&stamp, x, y);
        }
        assert_eq!(plane.coverage, [200, 200, 0, 0, 200, 200, 200, 200, 0, 0, 200, 255]);
    }

    #[test]
    fn subpixels_round_to_the_grid() {
        assert_eq!(Subpixel::nearest(2.9), Subpixel { whole: 3, part: 0 });
        assert_eq!(Subpixel::nearest(-0.3), Subpixel { whole: -1, part: 3 });
    }
}
