//! From runs to glyphs, and wrapping them at a size and width. The only file that drives cosmic-text.
//!
//! Shaping is done in em once; every size and width that fitting tries reuses it.

use std::collections::HashMap;
use std::ops::Range;

use cosmic_text::{
    Attrs, AttrsList, Family, FontSystem, Hinting, LayoutGlyph, LayoutLine, ShapeLine, Shaping, Weight, Wrap,
};

use super::book::{FaceId, FontBook};
use super::breaks::{self, Language};
use super::cluster;
use super::glyph::{self, InkBox};
use super::itemise::{MissingCluster, Paragraph};
use crate::error::{Error, ErrorKind, Result};

/// Distance of tab stops, in spaces.
const TAB_WIDTH: u16 = 4;

/// A whole text, shaped, at no size yet.
pub(super) struct ShapedText {
    paragraphs: Vec<(Paragraph, ShapeLine)>,
    /// Where each paragraph may break, bytes of its text.
    breaks: Vec<Vec<usize>>,
    inks: HashMap<(FaceId, u16), Option<InkBox>>,
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
        let mut paragraphs: Vec<(Paragraph, ShapeLine)> = book.with_shaper(|shaper| {
            paragraphs
                .into_iter()
                .map(|paragraph| shape(book, shaper, &paragraph).map(|line| (paragraph, line)))
                .collect::<Result<_>>()
        })?;
        let mut breaks = Vec::with_capacity(paragraphs.len());
        for (paragraph, line) in &mut paragraphs {
            let opportunities = breaks::opportunities(&paragraph.text, language);
            breaks::cut_words(line, &paragraph.text, &opportunities);
            breaks::bind_clusters(line);
            breaks.push(opportunities);
        }
        let mut text = Self { paragraphs, breaks, inks: HashMap::new() };
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

    /// Breaks one paragraph into lines of at most `width` px at `size` px per em; at least one line.
    pub(super) fn wrap(
        &self,
        book: &FontBook,
        paragraph: usize,
        size: f32,
        width: f32,
        breaks: Breaks,
    ) -> Vec<WrappedLine> {
        let (text, shaped) = &self.paragraphs[paragraph];
        if text.text.is_empty() {
            return vec![WrappedLine { paragraph, ..WrappedLine::default() }];
        }
        let wrap = match breaks {
            Breaks::Words => Wrap::Word,
            Breaks::Anywhere => Wrap::WordOrGlyph,
        };
        let lines = shaped.layout(size, Some(width), wrap, None, None, Hinting::Disabled);
        lines.iter().map(|line| self.line(book, paragraph, line)).collect()
    }

    /// Whether each of a paragraph's lines starts where one may. cosmic-text also breaks where the direction changes,
    /// such as between a bracket and what is in it.
    pub(super) fn starts_where_it_may(&self, lines: &[WrappedLine]) -> bool {
        lines.windows(2).all(|pair| {
            let (before, line) = (&pair[0], &pair[1]);
            let breaks = &self.breaks[line.paragraph];
            let next = breaks.partition_point(|&at| at < before.range.end);
            before.paragraph != line.paragraph
                || line.range.is_empty()
                || breaks.get(next).is_some_and(|&at| at <= line.range.start)
        })
    }

    fn line(&self, book: &FontBook, paragraph: usize, line: &LayoutLine) -> WrappedLine {
        let text = &self.paragraphs[paragraph].0.text;
        let mut range: Option<Range<usize>> = None;
        let mut span: Option<(f32, f32)> = None;
        let mut glyphs = Vec::with_capacity(line.glyphs.len());
        for glyph in &line.glyphs {
            if is_blank(text, glyph) {
                continue;
            }
            range = Some(range.map_or(glyph.start..glyph.end, |r| r.start.min(glyph.start)..r.end.max(glyph.end)));
            let (left, right) = (glyph.x, glyph.x + glyph.w);
            span = Some(span.map_or((left, right), |(l, r)| (l.min(left), r.max(right))));
            let Some(face) = book.id_of(glyph.font_id) else { continue };
            let Some(&Some(ink)) = self.inks.get(&(face, glyph.glyph_id)) else { continue };
            glyphs.push(WrappedGlyph {
                face,
                glyph: glyph.glyph_id,
                x: glyph.x + glyph.x_offset * glyph.font_size,
                y: glyph.y - glyph.y_offset * glyph.font_size,
                range: glyph.start..glyph.end,
                span: (left, right),
                ink,
            });
        }
        if self.paragraphs[paragraph].1.rtl {
            // Lines that start at the right are laid out from there.
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

    /// Lists the clusters that the shaper could only show as a box, as nothing, or as a stand-in flag.
    fn find_boxes(&self, book: &FontBook, missing: &mut Vec<MissingCluster>) -> Result<()> {
        let stand_in = self.unknown_flag(book)?;
        for (paragraph, line) in &self.paragraphs {
            let mut drawn = vec![false; paragraph.text.len()];
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
                }
            }
            for run in paragraph.runs.iter().filter(|run| book.face(run.face).is_some_and(|face| face.colour)) {
                let text = &paragraph.text[run.range.clone()];
                for (start, cluster) in unicode_segmentation::UnicodeSegmentation::grapheme_indices(text, true) {
                    let range = run.range.start + start..run.range.start + start + cluster.len();
                    if !drawn[range.clone()].contains(&true) && !cluster.chars().all(is_unseen) {
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

fn is_blank(text: &str, glyph: &LayoutGlyph) -> bool {
    text.get(glyph.start..glyph.end).is_none_or(|text| text.chars().all(is_unseen))
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace() || cluster::is_invisible(c)
}
