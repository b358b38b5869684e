//! A text set but not drawn: lines, size, glyphs and their places on the canvas.

use std::ops::Range;

use ab_glyph::Font as _;
use serde::{Deserialize, Serialize};

use super::book::{FaceId, FontBook};
use super::fit::{self, Fitter};
use super::itemise::{self, MissingCluster};
use super::shape::ShapedText;
use super::style::{Backdrop, Rgba, Shadow, TextBlock};
use crate::error::{Error, ErrorKind, Result};

/// A text set in its area. Made by [`lay_out`], drawn by [`rasterise`](super::rasterise).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextLayout {
    font_size: f32,
    lines: Vec<TextLine>,
    extent: PixelBox,
    ink: Option<PixelBox>,
    pub(super) fill: Rgba,
    /// Reach in px, and colour.
    pub(super) stroke: Option<(f32, Rgba)>,
    #[serde(skip)]
    pub(super) shadow: Option<Shadow>,
    /// What stands under the lines, from top to bottom, px on the canvas.
    #[serde(skip)]
    pub(super) boxes: Vec<PixelBox>,
    #[serde(skip)]
    pub(super) backdrop: Option<Backdrop>,
}

/// One line of a layout.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TextLine {
    /// What stands on it, in logical order, without spaces at either end and without dropped characters.
    pub text: String,
    /// Its bytes in the block's text.
    pub range: Range<usize>,
    /// Left end of its advances, px on the canvas.
    pub x: f32,
    /// Width of its advances, px.
    pub width: f32,
    /// Its baseline, px on the canvas, whole.
    pub baseline: f32,
    /// The glyphs that have ink, in visual order from left to right.
    pub glyphs: Vec<PlacedGlyph>,
}

/// A glyph on the canvas.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlacedGlyph {
    /// The face it is from.
    pub face: FaceId,
    /// Its number in the face.
    pub glyph: u16,
    /// Where its origin is, px on the canvas.
    pub x: f32,
    /// Where its origin is, px on the canvas, y down.
    pub y: f32,
    /// The bytes of the block's text that it shows.
    pub range: Range<usize>,
}

/// A rectangle in px, y down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelBox {
    /// The left edge.
    pub left: f32,
    /// The top edge.
    pub top: f32,
    /// The right edge, at least `left`.
    pub right: f32,
    /// The bottom edge, at least `top`.
    pub bottom: f32,
}

impl PixelBox {
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    pub(super) fn rounded_out(self) -> Self {
        Self { left: self.left.floor(), top: self.top.floor(), right: self.right.ceil(), bottom: self.bottom.ceil() }
    }

    /// Where the shadow of what is in the box falls, at a font size: three standard deviations around it.
    pub(super) fn shadow(self, shadow: &Shadow, size: f32) -> Self {
        let around = 3.0 * shadow.blur * size + 1.0;
        let (x, y) = (shadow.x * size, shadow.y * size);
        Self {
            left: self.left + x - around,
            top: self.top + y - around,
            right: self.right + x + around,
            bottom: self.bottom + y + around,
        }
    }

    fn moved(self, x: f32, y: f32) -> Self {
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }
    }
}

impl TextLayout {
    /// The font size that was chosen, px per em.
    pub fn font_size(&self) -> f32 {
        self.font_size
    }

    /// The lines from top to bottom, blank ones included. A text without any character has one blank line.
    pub fn lines(&self) -> &[TextLine] {
        &self.lines
    }

    /// What the block takes up: line heights by the widest line, and all ink. Lies inside the block's area.
    pub fn extent(&self) -> PixelBox {
        self.extent
    }

    /// The box around all ink, the stroke included; `None` if there is none.
    pub fn ink(&self) -> Option<PixelBox> {
        self.ink
    }
}

/// Sets `block`: breaks it into balanced lines at the largest size of its style that fits its area, or up to a tenth
/// smaller where that spares a word a line of its own.
///
/// Nothing is drawn. Line breaks in the text are kept; lines break between words, and inside a word only where it is
/// longer than a line at a reasonable size.
///
/// # Errors
///
/// `VALIDATION` if a number of the block is out of range, the text is too long (see
/// [`MAX_CHARACTERS`](super::MAX_CHARACTERS)) or does not fit at the smallest size; `FONT_MISSING` if the book lacks the
/// style's family or weight, or has no glyph for a character or emoji: all of them are named.
pub fn lay_out(book: &FontBook, block: &TextBlock) -> Result<TextLayout> {
    let (text, missing) = shape(book, block)?;
    if !missing.is_empty() {
        return Err(not_covered(&missing));
    }
    let style = &block.style;
    let (ascent, descent) = own_metrics(book, block)?;
    let fitter = Fitter { book, text: &text, style, area: block.area, ascent, descent };
    let fitted = fitter.fit()?;
    let (x, y) = fit::origin(fitted.extent, block.area, block.anchor);
    let lines = fitted.lines.into_iter().map(|fitted| {
        let paragraph = text.source(&fitted.line);
        TextLine {
            text: paragraph.text[fitted.line.range.clone()].to_owned(),
            range: paragraph.source_range(fitted.line.range.clone()),
            x: x + fitted.line.span.0 + fitted.shift,
            width: fitted.line.width(),
            baseline: y + fitted.baseline,
            glyphs: fitted
                .line
                .glyphs
                .into_iter()
                .map(|glyph| PlacedGlyph {
                    face: glyph.face,
                    glyph: glyph.glyph,
                    x: x + fitted.shift + glyph.x,
                    y: y + fitted.baseline + glyph.y,
                    range: paragraph.source_range(glyph.range),
                })
                .collect(),
        }
    });
    Ok(TextLayout {
        font_size: fitted.size,
        lines: lines.collect(),
        extent: fitted.extent.moved(x, y),
        ink: fitted.ink.map(|ink| ink.moved(x, y)),
        fill: style.fill,
        stroke: style.stroke.map(|stroke| (stroke.width * fitted.size, stroke.colour)),
        shadow: style.shadow,
        boxes: fitted.boxes.into_iter().map(|under| under.moved(x, y)).collect(),
        backdrop: style.backdrop,
    })
}

/// The characters and emoji of `block` that no face of `book` has; empty when all is well.
///
/// # Errors
///
/// As [`lay_out`], except that missing characters are the answer and fitting is not tried.
pub fn find_missing(book: &FontBook, block: &TextBlock) -> Result<Vec<MissingCluster>> {
    shape(book, block).map(|(_, missing)| missing)
}

fn shape(book: &FontBook, block: &TextBlock) -> Result<(ShapedText, Vec<MissingCluster>)> {
    block.check()?;
    let (paragraphs, mut missing) = itemise::itemise(book, &block.text, &block.style)?;
    let text = ShapedText::new(book, paragraphs, &mut missing)?;
    Ok((text, missing))
}

/// Ascent and descent of the style's own face, em, both positive.
fn own_metrics(book: &FontBook, block: &TextBlock) -> Result<(f32, f32)> {
    let own = itemise::own_face(book, &block.style)?;
    let font =
        book.face(own).ok_or_else(|| Error::new(ErrorKind::Internal, "the style's face left the book"))?.open()?;
    let em = font.units_per_em().unwrap_or(1000.0);
    Ok((font.ascent_unscaled() / em, -font.descent_unscaled() / em))
}

fn not_covered(missing: &[MissingCluster]) -> Error {
    const NAMED: usize = 8;
    let mut seen: Vec<&str> = Vec::new();
    for cluster in missing {
        if !seen.contains(&cluster.text.as_str()) {
            seen.push(&cluster.text);
        }
    }
    let names: Vec<String> = seen
        .iter()
        .take(NAMED)
        .map(|text| {
            let points: Vec<String> = text.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
            format!("{text} ({})", points.join(" "))
        })
        .collect();
    let more = if seen.len() > NAMED { format!(" and {} more", seen.len() - NAMED) } else { String::new() };
    Error::new(ErrorKind::FontMissing, format!("no font of the book has {}{more}", names.join(", ")))
        .suggest("replace or remove these characters, or add a font that has them")
}
