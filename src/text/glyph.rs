//! What one glyph looks like: an outline or a colour bitmap, and the box of its ink.

use ab_glyph::{Font, FontRef, GlyphId, GlyphImageFormat, Outline, OutlineCurve, Point, Rect, v2::GlyphImage};

/// The strike asked for: far above any that exists, so that the largest one is taken.
const LARGEST_STRIKE: u16 = u16::MAX;

/// A rectangle around ink, relative to the glyph's origin on the baseline, y down, in em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct InkBox {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

/// The colour bitmap of a glyph, still compressed as PNG.
pub(super) fn colour_bitmap<'f>(font: &'f FontRef<'_>, glyph: u16) -> Option<GlyphImage<'f>> {
    font.glyph_raster_image2(GlyphId(glyph), LARGEST_STRIKE)
        .filter(|image| matches!(image.format, GlyphImageFormat::Png) && image.pixels_per_em > 0)
}

/// Whether the face is one of colour bitmaps: judged by one emoji that every emoji font has.
pub(super) fn has_colour_bitmaps(font: &FontRef<'_>) -> bool {
    colour_bitmap(font, font.glyph_id('\u{1F600}').0).is_some()
}

/// The outline of a glyph in font units, y up, with a box that surely holds it; `None` if it has no ink.
///
/// The font's own boxes are not trusted: a wrong one would clip the glyph or make the rasteriser write outside.
pub(super) fn outline(font: &FontRef<'_>, glyph: u16) -> Option<Outline> {
    let Outline { curves, .. } = font.outline(GlyphId(glyph))?;
    let first = curves.first().map(|curve| points(curve)[0])?;
    let (mut min, mut max) = (first, first);
    for point in curves.iter().flat_map(points) {
        (min.x, min.y) = (min.x.min(point.x), min.y.min(point.y));
        (max.x, max.y) = (max.x.max(point.x), max.y.max(point.y));
    }
    if !(min.x < max.x && min.y < max.y) {
        return None;
    }
    // `Rect` is top-down and the outline is bottom-up: its minimum is the highest point.
    let bounds = Rect { min: Point { x: min.x, y: max.y }, max: Point { x: max.x, y: min.y } };
    Some(Outline { bounds, curves })
}

/// The box of a glyph's ink; `None` for spaces and invisible characters.
pub(super) fn ink(font: &FontRef<'_>, glyph: u16) -> Option<InkBox> {
    if let Some(image) = colour_bitmap(font, glyph) {
        let scale = 1.0 / f32::from(image.pixels_per_em);
        // The origin's y is the bottom edge above the baseline, whatever ab_glyph's documentation says of the top.
        let (left, bottom) = (image.origin.x, -image.origin.y);
        return Some(InkBox {
            left: left * scale,
            top: (bottom - f32::from(image.height)) * scale,
            right: (left + f32::from(image.width)) * scale,
            bottom: bottom * scale,
        });
    }
    let Rect { min, max } = outline(font, glyph)?.bounds;
    let scale = 1.0 / font.units_per_em()?;
    Some(InkBox { left: min.x * scale, top: -min.y * scale, right: max.x * scale, bottom: -max.y * scale })
}

/// The end and control points of a curve; their hull holds the curve.
fn points(curve: &OutlineCurve) -> [Point; 4] {
    match *curve {
        OutlineCurve::Line(a, b) => [a, a, b, b],
        OutlineCurve::Quad(a, b, c) => [a, b, b, c],
        OutlineCurve::Cubic(a, b, c, d) => [a, b, c, d],
    }
}
