//! A text set but not drawn: lines, size, glyphs and their places on the canvas.

use std::ops::Range;

use ab_glyph::Font as _;
use serde::{Deserialize, Serialize};

use super::book::{FaceId, FontBook};
use super::breaks::Language;
use super::fit::{self, Fitted, FittedLine, Fitter};
use super::itemise::{self, Edit, MissingCluster};
use super::shape::{ShapedText, WrappedGlyph};
use super::style::{ActiveStyle, Backdrop, MissingPolicy, Rgba, Shadow, TextBlock};
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
    #[serde(skip)]
    pub(super) opacity: f32,
    #[serde(skip)]
    pub(super) active: Option<Active>,
    missing: Vec<MissingCluster>,
}

/// How the active glyphs of a layout are drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Active {
    pub(super) fill: Rgba,
    pub(super) scale: f32,
    pub(super) backdrop: Option<Backdrop>,
    /// The boxes under them, one for each line that they are on, px on the canvas.
    pub(super) boxes: Vec<PixelBox>,
}

/// What is set as one: the glyphs of one cluster, or of several that the font joins.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TextCluster {
    /// Its characters.
    pub text: String,
    /// Its bytes in the block's text.
    pub range: Range<usize>,
    /// The number of its line, from 0.
    pub line: usize,
    /// The family of the face it is set in.
    pub font: String,
    /// The numbers of its glyphs in the face, in visual order from left to right.
    pub glyphs: Vec<u16>,
    /// The left end of its first glyph's origin, px on the canvas.
    pub x: f32,
    /// The baseline of its line, px on the canvas.
    pub y: f32,
}

/// A layout in full, for planners and other programs: what `remix text --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TextDescription {
    /// The font size that was chosen, px per em.
    pub font_size: f32,
    /// The lines from top to bottom.
    pub lines: Vec<LineDescription>,
    /// What is set as one, line by line, in visual order from left to right.
    pub clusters: Vec<TextCluster>,
    /// What no font has, and was left out or replaced; empty when all is well.
    pub missing: Vec<MissingCluster>,
    /// What the block takes up on the canvas, px.
    pub extent: PixelBox,
    /// The box around all ink, px on the canvas; `None` if there is none.
    pub ink: Option<PixelBox>,
}

/// A line of a [`TextDescription`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LineDescription {
    /// What stands on it, in logical order, without spaces at either end.
    pub text: String,
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Left end of its advances, px on the canvas.
    pub x: f32,
    /// Its baseline, px on the canvas.
    pub y: f32,
    /// Width of its advances, px.
    pub width: f32,
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
    #[serde(skip)]
    pub(super) active: bool,
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

    pub(super) fn scaled_about(self, (x, y): (f32, f32), scale: f32) -> Self {
        Self {
            left: x + (self.left - x) * scale,
            top: y + (self.top - y) * scale,
            right: x + (self.right - x) * scale,
            bottom: y + (self.bottom - y) * scale,
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

    /// The characters and emoji of the text that no font has, and that were left out or replaced as
    /// [`TextBlock::missing`] says; empty when all is well.
    pub fn missing(&self) -> &[MissingCluster] {
        &self.missing
    }

    /// All of it in plain numbers. `text` and `book` must be those that it was set with.
    pub fn describe(&self, book: &FontBook, text: &str) -> TextDescription {
        let line = |line: &TextLine| LineDescription {
            text: line.text.clone(),
            range: line.range.clone(),
            x: line.x,
            y: line.baseline,
            width: line.width,
        };
        TextDescription {
            font_size: self.font_size,
            lines: self.lines.iter().map(line).collect(),
            clusters: self.clusters(book, text),
            missing: self.missing.clone(),
            extent: self.extent,
            ink: self.ink,
        }
    }

    /// What is set as one, line by line, in visual order from left to right. `text` and `book` must be those that it was
    /// set with.
    pub fn clusters(&self, book: &FontBook, text: &str) -> Vec<TextCluster> {
        let mut clusters: Vec<TextCluster> = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            for glyphs in line.glyphs.chunk_by(|a, b| a.range == b.range) {
                let Some(first) = glyphs.first() else { continue };
                clusters.push(TextCluster {
                    text: text.get(first.range.clone()).unwrap_or_default().to_owned(),
                    range: first.range.clone(),
                    line: number,
                    font: book.family_of(first.face).unwrap_or_default().to_owned(),
                    glyphs: glyphs.iter().map(|glyph| glyph.glyph).collect(),
                    x: first.x,
                    y: line.baseline,
                });
            }
        }
        clusters
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
    let (text, missing) = shape_all(book, block)?;
    let style = &block.style;
    let (ascent, descent) = own_metrics(book, block)?;
    let fitter = Fitter { book, text: &text, style, area: block.area, ascent, descent };
    let fitted = fitter.fit()?;
    let (x, y) = fit::origin(fitted.extent, block.area, block.anchor);
    let mut lines = Vec::with_capacity(fitted.lines.len());
    let mut boxes = Vec::new();
    let active = style.active.zip(block.active.as_ref());
    for line in &fitted.lines {
        let (line, under) = place_line(&fitter, &fitted, line, (x, y), active);
        lines.push(line);
        boxes.extend(under);
    }
    Ok(TextLayout {
        font_size: fitted.size,
        lines,
        extent: fitted.extent.moved(x, y),
        ink: fitted.ink.map(|ink| ink.moved(x, y)),
        fill: style.fill,
        stroke: style.stroke.map(|stroke| (stroke.width * fitted.size, stroke.colour)),
        shadow: style.shadow,
        boxes: fitted.boxes.into_iter().map(|under| under.moved(x, y)).collect(),
        backdrop: style.backdrop,
        opacity: style.opacity,
        active: active.map(|(active, _)| Active {
            fill: active.fill.unwrap_or(style.fill),
            scale: active.scale,
            backdrop: active.backdrop,
            boxes,
        }),
        missing,
    })
}

/// A line at its place on the canvas, and the box under its active glyphs.
fn place_line(
    fitter: &Fitter<'_>,
    fitted: &Fitted,
    line: &FittedLine,
    (x, y): (f32, f32),
    active: Option<(ActiveStyle, &Range<usize>)>,
) -> (TextLine, Option<PixelBox>) {
    let paragraph = fitter.text.source(&line.line);
    let source_of = |glyph: &WrappedGlyph| paragraph.source_range(glyph.range.clone());
    let is_active = |range: &Range<usize>| {
        active.is_some_and(|(_, active)| active.contains(&range.start) && range.end <= active.end)
    };
    // Each word grows around its own middle, so that several active ones stay inside of the room that was kept.
    let words: Vec<Vec<WrappedGlyph>> = match active {
        Some(_) => fitter
            .words(&line.line)
            .map(|word| word.iter().filter(|glyph| is_active(&source_of(glyph))).cloned().collect::<Vec<_>>())
            .filter(|word| !word.is_empty())
            .collect(),
        None => Vec::new(),
    };
    let middle_of = |glyph: &WrappedGlyph| {
        let word = words.iter().find(|word| word.iter().any(|other| other.range == glyph.range))?;
        let (cx, cy) = fitter.word_centre(word, line, fitted.size);
        Some((x + cx, y + cy))
    };
    let glyphs = line.line.glyphs.iter().map(|glyph| {
        let range = source_of(glyph);
        let place = (x + line.shift + glyph.x, y + line.baseline + glyph.y);
        let grow = active.filter(|_| is_active(&range)).and_then(|(style, _)| Some((style, middle_of(glyph)?)));
        let is_active = grow.is_some();
        let (x, y) = match grow {
            Some((style, (cx, cy))) => (cx + (place.0 - cx) * style.scale, cy + (place.1 - cy) * style.scale),
            None => place,
        };
        PlacedGlyph { face: glyph.face, glyph: glyph.glyph, x, y, range, active: is_active }
    });
    let placed = TextLine {
        text: paragraph.text[line.line.range.clone()].to_owned(),
        range: paragraph.source_range(line.line.range.clone()),
        x: x + line.line.span.0 + line.shift,
        width: line.line.width(),
        baseline: y + line.baseline,
        glyphs: glyphs.collect(),
    };
    let under = active.and_then(|(style, _)| {
        let padding = style.backdrop?.padding;
        let grown = words.iter().map(|word| {
            let (cx, cy) = fitter.word_centre(word, line, fitted.size);
            let under = fitter.word_box(word, line, fitted.size, padding).moved(x, y);
            under.scaled_about((x + cx, y + cy), style.scale)
        });
        grown.reduce(PixelBox::union)
    });
    (placed, under)
}

/// The characters and emoji of `block` that no face of `book` has; empty when all is well.
///
/// # Errors
///
/// As [`lay_out`], except that missing characters are the answer and fitting is not tried.
pub fn find_missing(book: &FontBook, block: &TextBlock) -> Result<Vec<MissingCluster>> {
    let language = check(block)?;
    shape(book, block, &[], &language).map(|(_, missing)| missing)
}

/// The lines at which `block` breaks at the largest size of its style in an area of its width and any height, as bytes of
/// its text: what paging needs to know.
///
/// # Errors
///
/// As [`lay_out`], except that fitting is not tried.
pub(crate) fn break_lines(book: &FontBook, block: &TextBlock) -> Result<Vec<Range<usize>>> {
    let (text, _) = shape_all(book, block)?;
    let (ascent, descent) = own_metrics(book, block)?;
    let fitter = Fitter { book, text: &text, style: &block.style, area: block.area, ascent, descent };
    let lines = fitter.lines(block.style.font_size.max);
    Ok(lines.iter().map(|line| text.source(line).source_range(line.range.clone())).collect())
}

/// The bytes of `text` at which a line may start, ascending; neither 0 nor its end.
///
/// # Errors
///
/// `VALIDATION` if `language` is not a BCP 47 tag.
pub(crate) fn break_opportunities(text: &str, language: Option<&str>) -> Result<Vec<usize>> {
    Ok(super::breaks::opportunities(text, &Language::parse(language)?))
}

/// Checks a language tag.
///
/// # Errors
///
/// `VALIDATION` if `tag` is not one of BCP 47.
pub(crate) fn check_language(tag: &str) -> Result<()> {
    Language::parse(Some(tag)).map(|_| ())
}

/// The text shaped, and what no font has of it, once the block's policy has been applied.
fn shape_all(book: &FontBook, block: &TextBlock) -> Result<(ShapedText, Vec<MissingCluster>)> {
    /// Leaving something out can bring forth something else that no font has, such as half of a flag; seldom twice.
    const ROUNDS: usize = 4;
    let language = check(block)?;
    let with = match block.missing {
        MissingPolicy::Replace(with) => Some(with),
        MissingPolicy::Drop | MissingPolicy::Error => None,
    };
    let mut left_out: Vec<MissingCluster> = Vec::new();
    for _ in 0..ROUNDS {
        left_out.sort_by_key(|cluster| cluster.range.start);
        let edits: Vec<Edit> = left_out.iter().map(|cluster| Edit { range: cluster.range.clone(), with }).collect();
        let (text, missing) = shape(book, block, &edits, &language)?;
        if missing.is_empty() {
            return Ok((text, left_out));
        }
        let is_known = |new: &MissingCluster| left_out.iter().any(|old| old.range == new.range);
        if block.missing == MissingPolicy::Error || missing.iter().any(is_known) {
            return Err(not_covered(&missing));
        }
        // What the fonts lack next to what was left out is one with it.
        left_out.retain(|old| {
            !missing.iter().any(|new| new.range.start < old.range.end && old.range.start < new.range.end)
        });
        left_out.extend(missing);
    }
    Err(not_covered(&left_out))
}

fn check(block: &TextBlock) -> Result<Language> {
    block.check()?;
    Language::parse(block.language.as_deref())
}

fn shape(
    book: &FontBook,
    block: &TextBlock,
    edits: &[Edit],
    language: &Language,
) -> Result<(ShapedText, Vec<MissingCluster>)> {
    let (paragraphs, mut missing) = itemise::itemise(book, &block.text, edits, &block.style, language)?;
    let text = ShapedText::new(book, paragraphs, language, &mut missing)?;
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
