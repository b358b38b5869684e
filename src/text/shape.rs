//! From runs to glyphs, and breaking them into lines at a size and width. The only file that drives cosmic-text.
//!
//! cosmic-text shapes. Where lines break is decided here: cosmic-text 0.19 knows no dictionaries and no language, and
//! breaks wherever the direction changes, such as between a bracket and what is in it.
//!
//! Shaping is done in em once; every size and width that fitting tries reuses it.

use std::collections::HashMap;
use std::ops::Range;

use cosmic_text::{Attrs, AttrsList, Family, FontSystem, ShapeGlyph, ShapeLine, Shaping, Weight};

use super::book::{FaceId, FontBook};
use super::breaks::{self, Language};
use super::cluster;
use super::glyph::{self, InkBox};
use super::itemise::{MissingCluster, Paragraph};
use crate::error::{Error, ErrorKind, Result};

/// By how much sums of advances may be off, px: far below anything visible.
const TOLERANCE: f32 = 0.01;

/// Distance of tab stops, in spaces.
const TAB_WIDTH: u16 = 4;

/// A whole text, shaped, at no size yet.
pub(super) struct ShapedText {
    paragraphs: Vec<(Paragraph, ShapeLine)>,
    /// What each paragraph consists of, in logical order.
    pieces: Vec<Vec<Piece>>,
    inks: HashMap<(FaceId, u16), Option<InkBox>>,
}

/// What is set as one: a cluster, or several that a ligature joins.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    /// Its bytes in the paragraph's text.
    range: Range<usize>,
    /// Em.
    advance: f32,
    /// Nothing is seen of it: spaces and the like.
    blank: bool,
    /// Whether a line may start with it.
    starts: Start,
}

/// Whether a line may start somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// By the rules of line breaking.
    Allowed,
    /// Only where a word is longer than a line: between graphemes.
    InsideWord,
    /// Never.
    Forbidden,
}

/// Where a line stands in its paragraph, and how wide it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LineRange {
    /// Its bytes in the paragraph's text, without spaces at either end.
    range: Range<usize>,
    /// The sum of its advances, px.
    pub(super) width: f32,
}

/// How a paragraph may be broken into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    /// Between words only; a longer word sticks out.
    Words,
    /// Between words, and inside a word that is longer than a line.
    Anywhere,
}

/// One line at a size: glyphs in visual order from left to right, x from the paragraph's left edge, y down from the baseline, in px.
#[derive(Debug, Clone, Default)]
pub(super) struct WrappedLine {
    /// Number of the paragraph.
    pub(super) paragraph: usize,
    /// The line's bytes in the paragraph's text, without spaces at its end.
    pub(super) range: Range<usize>,
    /// The left and right end of the advances, spaces at either end left out.
    pub(super) span: (f32, f32),
    /// The glyphs that have ink.
    pub(super) glyphs: Vec<WrappedGlyph>,
}

/// A glyph of a line.
#[derive(Debug, Clone)]
pub(super) struct WrappedGlyph {
    pub(super) face: FaceId,
    pub(super) glyph: u16,
    pub(super) x: f32,
    pub(super) y: f32,
    /// Its cluster's bytes in the paragraph's text.
    pub(super) range: Range<usize>,
    /// The left and right end of its advance, px.
    pub(super) span: (f32, f32),
    /// The box of its ink around its origin, in em.
    pub(super) ink: InkBox,
}

impl WrappedLine {
    /// The width of its advances, px.
    pub(super) fn width(&self) -> f32 {
        self.span.1 - self.span.0
    }
}

impl ShapedText {
    /// Shapes `paragraphs`. Clusters that came out as a box are added to `missing`.
    pub(super) fn new(
        book: &FontBook,
        paragraphs: Vec<Paragraph>,
        language: &Language,
        missing: &mut Vec<MissingCluster>,
    ) -> Result<Self> {
        let paragraphs: Vec<(Paragraph, ShapeLine)> = book.with_shaper(|shaper| {
            paragraphs
                .into_iter()
                .map(|paragraph| shape(book, shaper, &paragraph).map(|line| (paragraph, line)))
                .collect::<Result<_>>()
        })?;
        let pieces = paragraphs.iter().map(|(paragraph, line)| pieces(paragraph, line, language)).collect();
        let mut text = Self { paragraphs, pieces, inks: HashMap::new() };
        text.measure(book)?;
        text.find_boxes(book, missing)?;
        Ok(text)
    }

    /// How many paragraphs it has, at least one.
    pub(super) fn paragraphs(&self) -> usize {
        self.paragraphs.len()
    }

    /// The paragraph that a line came from.
    pub(super) fn source(&self, line: &WrappedLine) -> &Paragraph {
        &self.paragraphs[line.paragraph].0
    }

    /// Where one paragraph breaks into lines of at most `width` px at `size` px per em; at least one line. Every line but
    /// those with a word that is too long is filled as far as it goes.
    pub(super) fn break_at(&self, paragraph: usize, size: f32, width: f32, breaks: Breaks) -> Vec<LineRange> {
        let pieces = &self.pieces[paragraph];
        let mut lines = Vec::new();
        let mut first = 0;
        while let Some(start) = pieces.get(first) {
            // The place of the last allowed break so far, and the line's width up to it.
            let mut last: Option<(usize, LineRange)> = None;
            let mut line = LineRange { range: start.range.start..start.range.start, width: 0.0 };
            let mut blanks = 0.0;
            let mut next = first;
            let end = loop {
                let Some(piece) = pieces.get(next) else { break (next, line) };
                if next > first && piece.starts == Start::Allowed {
                    last = Some((next, line.clone()));
                }
                if piece.blank {
                    // Spaces at the start of a line are left out as those at its end are.
                    blanks += if line.range.is_empty() { 0.0 } else { piece.advance * size };
                } else {
                    let wider = line.width + blanks + piece.advance * size;
                    if wider > width + TOLERANCE && !line.range.is_empty() {
                        match last {
                            Some(last) => break last,
                            None if breaks == Breaks::Anywhere && piece.starts == Start::InsideWord => {
                                break (next, line);
                            }
                            None => {}
                        }
                    }
                    if line.range.is_empty() {
                        line.range.start = piece.range.start;
                    }
                    line.range.end = piece.range.end;
                    line.width = wider;
                    blanks = 0.0;
                }
                next += 1;
            };
            first = end.0;
            lines.push(end.1);
        }
        if lines.is_empty() {
            lines.push(LineRange { range: 0..0, width: 0.0 });
        }
        lines
    }

    /// Sets the lines of one paragraph at `size` px per em.
    pub(super) fn set(&self, book: &FontBook, paragraph: usize, size: f32, lines: &[LineRange]) -> Vec<WrappedLine> {
        lines.iter().map(|line| self.line(book, paragraph, size, &line.range)).collect()
    }

    /// Sets what stands at `place` of a paragraph as one line.
    fn line(&self, book: &FontBook, paragraph: usize, size: f32, place: &Range<usize>) -> WrappedLine {
        let (Paragraph { text, .. }, shaped) = &self.paragraphs[paragraph];
        let spans: Vec<(u8, Vec<&ShapeGlyph>)> = shaped
            .spans
            .iter()
            .map(|span| {
                let glyphs = span.words.iter().flat_map(|word| &word.glyphs);
                (span.level.number(), glyphs.filter(|glyph| place.contains(&glyph.start)).collect())
            })
            .filter(|(_, glyphs): &(u8, Vec<_>)| !glyphs.is_empty())
            .collect();
        let mut order = visual_order(&spans.iter().map(|(level, _)| *level).collect::<Vec<_>>());
        if shaped.rtl {
            // cosmic-text lists the words and glyphs of a line that starts at the right from there.
            order.reverse();
        }
        let mut range: Option<Range<usize>> = None;
        let mut span: Option<(f32, f32)> = None;
        let mut glyphs = Vec::new();
        let mut pen = 0.0;
        for glyph in order.into_iter().flat_map(|number| &spans[number].1) {
            let advance = glyph.x_advance * size;
            let left = if shaped.rtl { pen - advance } else { pen };
            pen = if shaped.rtl { left } else { pen + advance };
            if text.get(glyph.start..glyph.end).is_none_or(|text| text.chars().all(is_unseen)) {
                continue;
            }
            let right = left + advance;
            range = Some(range.map_or(glyph.start..glyph.end, |r| r.start.min(glyph.start)..r.end.max(glyph.end)));
            span = Some(span.map_or((left, right), |(l, r)| (l.min(left), r.max(right))));
            let Some(face) = book.id_of(glyph.font_id) else { continue };
            let Some(&Some(ink)) = self.inks.get(&(face, glyph.glyph_id)) else { continue };
            glyphs.push(WrappedGlyph {
                face,
                glyph: glyph.glyph_id,
                x: left + glyph.x_offset * size,
                y: -glyph.y_offset * size,
                range: glyph.start..glyph.end,
                span: (left, right),
                ink,
            });
        }
        if shaped.rtl {
            glyphs.reverse();
        }
        WrappedLine { paragraph, range: range.unwrap_or_default(), span: span.unwrap_or_default(), glyphs }
    }

    /// Looks up the ink of every glyph once.
    fn measure(&mut self, book: &FontBook) -> Result<()> {
        let mut open = HashMap::new();
        for (_, line) in &self.paragraphs {
            for glyph in line.spans.iter().flat_map(|span| &span.words).flat_map(|word| &word.glyphs) {
                let Some(face) = book.id_of(glyph.font_id) else { continue };
                let key = (face, glyph.glyph_id);
                if self.inks.contains_key(&key) {
                    continue;
                }
                let Some(source) = book.face(face) else { continue };
                let font = match open.entry(face) {
                    std::collections::hash_map::Entry::Occupied(font) => font.into_mut(),
                    std::collections::hash_map::Entry::Vacant(slot) => slot.insert(source.open()?),
                };
                self.inks.insert(key, glyph::ink(font, glyph.glyph_id));
            }
        }
        Ok(())
    }

    /// Lists the clusters that the shaper could only show as a box, as nothing, as a stand-in flag, or in pieces.
    fn find_boxes(&self, book: &FontBook, missing: &mut Vec<MissingCluster>) -> Result<()> {
        let stand_in = self.unknown_flag(book)?;
        for (paragraph, line) in &self.paragraphs {
            let mut drawn = vec![false; paragraph.text.len()];
            // How many pictures begin at each byte.
            let mut pictures = vec![0u8; paragraph.text.len()];
            let mut boxed = Vec::new();
            for glyph in line.spans.iter().flat_map(|span| &span.words).flat_map(|word| &word.glyphs) {
                let Some(text) = paragraph.text.get(glyph.start..glyph.end) else { continue };
                let face = book.id_of(glyph.font_id);
                let is_stand_in = stand_in.is_some_and(|flag| Some(flag) == face.map(|face| (face, glyph.glyph_id)));
                if (glyph.glyph_id == 0 || is_stand_in) && !text.chars().all(is_unseen) {
                    boxed.push(glyph.start..glyph.end);
                }
                if face.is_some_and(|face| matches!(self.inks.get(&(face, glyph.glyph_id)), Some(Some(_)))) {
                    drawn[glyph.start..glyph.end].fill(true);
                    pictures[glyph.start] = pictures[glyph.start].saturating_add(1);
                }
            }
            for run in paragraph.runs.iter().filter(|run| book.face(run.face).is_some_and(|face| face.colour)) {
                let text = &paragraph.text[run.range.clone()];
                for (start, cluster) in cluster::clusters(text) {
                    let range = run.range.start + start..run.range.start + start + cluster.len();
                    // A sequence that the font does not know falls apart: a person and shoes for a dancer.
                    let falls_apart = pictures[range.clone()].iter().map(|&count| u32::from(count)).sum::<u32>() > 1;
                    let is_unseen = cluster.chars().all(is_unseen);
                    if falls_apart || (!drawn[range.clone()].contains(&true) && !is_unseen) {
                        boxed.push(range);
                    }
                }
            }
            for range in boxed {
                let text = paragraph.text[range.clone()].to_owned();
                let range = paragraph.source_range(range);
                if !missing.iter().any(|known| known.range.start < range.end && range.start < known.range.end) {
                    missing.push(MissingCluster { text, range });
                }
            }
        }
        missing.sort_by_key(|cluster| cluster.range.start);
        Ok(())
    }

    /// The glyph that the colour font shows for a flag that it does not know: that of the invalid pair XX.
    fn unknown_flag(&self, book: &FontBook) -> Result<Option<(FaceId, u16)>> {
        const INVALID: &str = "\u{1F1FD}\u{1F1FD}";
        let flags = |(paragraph, _): &(Paragraph, ShapeLine)| paragraph.text.contains(cluster::is_regional_indicator);
        let Some((face, _)) = book.faces().find(|(_, face)| face.colour) else { return Ok(None) };
        if !self.paragraphs.iter().any(flags) {
            return Ok(None);
        }
        let paragraph = Paragraph::in_one_face(INVALID, face);
        let line = book.with_shaper(|shaper| shape(book, shaper, &paragraph))?;
        let mut glyphs = line.spans.iter().flat_map(|span| &span.words).flat_map(|word| &word.glyphs);
        Ok(match (glyphs.next(), glyphs.next()) {
            (Some(only), None) => Some((face, only.glyph_id)),
            // The font has no stand-in: it shows two letters.
            _ => None,
        })
    }
}

/// The order from left to right of runs with these embedding levels, given in logical order: UAX #9, rule L2.
fn visual_order(levels: &[u8]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    for level in (1..=levels.iter().copied().max().unwrap_or(0)).rev() {
        for run in order.chunk_by_mut(|&a, &b| (levels[a] >= level) == (levels[b] >= level)) {
            if run.first().is_some_and(|&first| levels[first] >= level) {
                run.reverse();
            }
        }
    }
    order
}

/// A paragraph's glyphs by the text that they show, in logical order.
fn pieces(paragraph: &Paragraph, line: &ShapeLine, language: &Language) -> Vec<Piece> {
    let text = &paragraph.text;
    let mut glyphs: Vec<(usize, usize, f32)> = line
        .spans
        .iter()
        .flat_map(|span| &span.words)
        .flat_map(|word| &word.glyphs)
        .map(|glyph| (glyph.start, glyph.end, glyph.x_advance))
        .collect();
    glyphs.sort_by_key(|&(start, ..)| start);
    let allowed = breaks::opportunities(text, language);
    let graphemes: Vec<usize> =
        unicode_segmentation::UnicodeSegmentation::grapheme_indices(text.as_str(), true).map(|(at, _)| at).collect();
    let mut pieces: Vec<Piece> = Vec::with_capacity(glyphs.len());
    for (start, end, advance) in glyphs {
        if let Some(last) = pieces.last_mut().filter(|last| start < last.range.end) {
            last.range.end = last.range.end.max(end);
            last.advance += advance;
            continue;
        }
        let starts = if allowed.binary_search(&start).is_ok() {
            Start::Allowed
        } else if graphemes.binary_search(&start).is_ok() {
            Start::InsideWord
        } else {
            Start::Forbidden
        };
        pieces.push(Piece { range: start..end, advance, blank: false, starts });
    }
    for piece in &mut pieces {
        piece.blank = text.get(piece.range.clone()).is_none_or(|text| text.chars().all(is_unseen));
    }
    pieces
}

fn shape(book: &FontBook, shaper: &mut FontSystem, paragraph: &Paragraph) -> Result<ShapeLine> {
    let unknown = || Error::new(ErrorKind::Internal, "a run of text names a face that the font book does not have");
    let first = paragraph.runs.first().map_or(FaceId(0), |run| run.face);
    let mut attributes = AttrsList::new(&attributes(book, first).ok_or_else(unknown)?);
    for run in &paragraph.runs {
        attributes.add_span(run.range.clone(), &self::attributes(book, run.face).ok_or_else(unknown)?);
    }
    let mut line = ShapeLine::new(shaper, &paragraph.text, &attributes, Shaping::Advanced, TAB_WIDTH);
    order_runs_of_rtl_words(&mut line, paragraph);
    Ok(line)
}

/// Puts the faces' runs inside right-to-left words into order.
///
/// cosmic-text 0.19 shapes the runs of a word one by one, each to visual order, and appends them in logical order; in a
/// right-to-left word of several faces ("שלום!" with the mark from another font) they then stand the wrong way round.
/// It later lays out words of right-to-left lines from the right, so there runs must ascend, elsewhere descend.
fn order_runs_of_rtl_words(line: &mut ShapeLine, paragraph: &Paragraph) {
    let run_of = |start: usize| paragraph.runs.partition_point(|run| run.range.end <= start);
    let ascending = line.rtl;
    for span in line.spans.iter_mut().filter(|span| span.level.is_rtl()) {
        for word in &mut span.words {
            // Stable: within a run the order is right.
            if ascending {
                word.glyphs.sort_by_key(|glyph| run_of(glyph.start));
            } else {
                word.glyphs.sort_by_key(|glyph| std::cmp::Reverse(run_of(glyph.start)));
            }
        }
    }
}

fn attributes(book: &FontBook, face: FaceId) -> Option<Attrs<'_>> {
    Some(Attrs::new().family(Family::Name(&book.face(face)?.key)).weight(Weight::NORMAL))
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace() || cluster::is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stand_in_visual_order() {
        assert_eq!(visual_order(&[0, 1, 0]), [0, 1, 2]);
        assert_eq!(visual_order(&[0, 1, 2, 1, 0]), [0, 3, 2, 1, 4], "a number in Hebrew in English");
        assert_eq!(visual_order(&[1, 2, 1]), [2, 1, 0], "a number in Hebrew");
        assert_eq!(visual_order(&[]), [] as [usize; 0]);
    }
}
