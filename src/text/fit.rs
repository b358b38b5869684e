//! The largest size at which a text fits its area, its lines balanced, and their place.

use super::book::FontBook;
use super::layout::PixelBox;
use super::shape::{Breaks, LineRange, ShapedText, WrappedGlyph, WrappedLine};
use super::style::{ActiveStyle, Anchor, Area, BackdropShape, TextStyle};
use crate::error::{Error, ErrorKind, Result};

/// Sizes are tried in steps of this many px.
const STEP: f32 = 0.5;

/// A word that is longer than a line shrinks the whole text at most to this share of the size it would have with the
/// word broken; below that the word is broken. Chosen by eye: one long word should not make a hook unreadable.
const SHRINK_FOR_WORD: f32 = 0.6;

/// A lone word on a line shorter than this share of the widest line is worth shrinking the text to at most
/// [`SHRINK_FOR_LONE_WORD`] of its size. Chosen by eye, as is [`MOST_LINES_TO_REFINE`]: in long texts it is not seen.
const SHORT_LINE: f32 = 0.6;
const SHRINK_FOR_LONE_WORD: f32 = 0.9;
const MOST_LINES_TO_REFINE: usize = 10;

/// Boxes of neighbouring lines that are at most this far apart, em, touch: a hairline between them looks like a fault.
const LARGEST_CRACK: f32 = 0.15;

/// Slack when widths are compared, px: far below anything visible, above the rounding of sums of advances.
const SLACK: f32 = 0.01;

/// How far a glyph may be drawn from its exact place, px: emoji go to whole px, letters to quarters.
const ROUNDING: f32 = 0.5;

/// Lines at their size, placed relative to the block's origin (its left edge, the top of its first line).
pub(super) struct Fitted {
    pub(super) size: f32,
    pub(super) lines: Vec<FittedLine>,
    /// The ink of all, the stroke included; `None` if nothing has ink.
    pub(super) ink: Option<PixelBox>,
    /// The lines' advances and line heights, and the ink.
    pub(super) extent: PixelBox,
    /// What stands under the lines, one for each line with a text, or one for all.
    pub(super) boxes: Vec<PixelBox>,
}

/// A line with its place in the block.
pub(super) struct FittedLine {
    pub(super) line: WrappedLine,
    /// What to add to the x of its glyphs.
    pub(super) shift: f32,
    /// Its baseline, whole px.
    pub(super) baseline: f32,
}

/// What fitting needs to know besides the text.
pub(super) struct Fitter<'a> {
    pub(super) book: &'a FontBook,
    pub(super) text: &'a ShapedText,
    pub(super) style: &'a TextStyle,
    pub(super) area: Area,
    /// Ascent and descent of the style's own face, em, both positive.
    pub(super) ascent: f32,
    pub(super) descent: f32,
}

impl Fitter<'_> {
    /// The text at the largest size that fits, or up to a tenth below where that avoids a word alone on a line.
    ///
    /// # Errors
    ///
    /// `VALIDATION` if it does not fit at the smallest.
    pub(super) fn fit(&self) -> Result<Fitted> {
        let (min, max) = (self.style.font_size.min, self.style.font_size.max);
        let broken = self.largest(min, max, Breaks::Anywhere).ok_or_else(|| self.too_long())?;
        let whole = self.largest(min.max(broken.size * SHRINK_FOR_WORD), broken.size, Breaks::Words);
        let fitted = whole.unwrap_or(broken);
        let balanced = self.balance(fitted);
        Ok(self.without_lone_words(&balanced).unwrap_or(balanced))
    }

    /// The text a little smaller, if that spares a word a line of its own between longer lines.
    fn without_lone_words(&self, fitted: &Fitted) -> Option<Fitted> {
        if fitted.lines.len() > MOST_LINES_TO_REFINE || !self.has_lone_word(fitted) {
            return None;
        }
        let least = self.style.font_size.min.max(fitted.size * SHRINK_FOR_LONE_WORD);
        let mut size = fitted.size - STEP;
        while size >= least {
            let smaller = self.attempt(size, Breaks::Words).map(|smaller| self.balance(smaller));
            if let Some(smaller) = smaller.filter(|smaller| !self.has_lone_word(smaller)) {
                return Some(smaller);
            }
            size -= STEP;
        }
        None
    }

    /// Whether a paragraph of several lines has a short line of a single word.
    fn has_lone_word(&self, fitted: &Fitted) -> bool {
        let widest = fitted.lines.iter().map(|line| line.line.width()).fold(0.0, f32::max);
        fitted.lines.iter().enumerate().any(|(number, FittedLine { line, .. })| {
            let of_same = |other: Option<&FittedLine>| other.is_some_and(|o| o.line.paragraph == line.paragraph);
            let has_neighbour = of_same(fitted.lines.get(number + 1))
                || number.checked_sub(1).is_some_and(|before| of_same(fitted.lines.get(before)));
            let text = &self.text.source(line).text[line.range.clone()];
            has_neighbour && line.width() < widest * SHORT_LINE && text.split_whitespace().nth(1).is_none()
        })
    }

    /// The largest size of the grid from `min` to `max` that fits: a binary search, since the number of lines never
    /// falls when the size grows.
    fn largest(&self, min: f32, max: f32, breaks: Breaks) -> Option<Fitted> {
        if let Some(fitted) = self.attempt(max, breaks) {
            return Some(fitted);
        }
        let mut best = self.attempt(min, breaks)?;
        let size = |step: u32| min + step as f32 * STEP;
        let (mut fits, mut fails) = (0, ((max - min) / STEP).ceil() as u32);
        while fails - fits > 1 {
            let middle = fits + (fails - fits) / 2;
            match self.attempt(size(middle), breaks) {
                Some(fitted) => (best, fits) = (fitted, middle),
                None => fails = middle,
            }
        }
        Some(best)
    }

    /// The lines at a size, as many as there are.
    pub(super) fn lines(&self, size: f32) -> Vec<WrappedLine> {
        let width = self.line_width(size).max(1.0);
        let lines = |paragraph: usize| {
            let lines = self.text.break_at(paragraph, size, width, Breaks::Anywhere);
            self.text.set(self.book, paragraph, size, &lines)
        };
        (0..self.text.paragraphs()).flat_map(lines).collect()
    }

    /// The lines at a size, if they are inside of the area. Where ink sticks out of a line's advances, lines are broken as
    /// much earlier.
    fn attempt(&self, size: f32, breaks: Breaks) -> Option<Fitted> {
        const TRIES: usize = 4;
        let mut width = self.line_width(size);
        for _ in 0..TRIES {
            let fitted = self.attempt_within(width, size, breaks)?;
            if self.is_inside(&fitted) {
                return Some(fitted);
            }
            let over = fitted.extent.right - fitted.extent.left - self.area.width as f32;
            if over <= 0.0 {
                return None;
            }
            width -= over;
        }
        None
    }

    fn attempt_within(&self, width: f32, size: f32, breaks: Breaks) -> Option<Fitted> {
        if width <= 0.0 {
            return None;
        }
        let most = self.most_lines(size);
        let mut broken = Vec::with_capacity(self.text.paragraphs());
        let mut count = 0;
        for paragraph in 0..self.text.paragraphs() {
            let ranges = self.text.break_at(paragraph, size, width, breaks);
            count += ranges.len();
            if count > most || !ranges.iter().all(|line| is_within(line.width, width)) {
                return None;
            }
            broken.push(ranges);
        }
        let set = |(number, ranges): (usize, &Vec<LineRange>)| self.text.set(self.book, number, size, ranges);
        let lines = broken.iter().enumerate().flat_map(set).collect();
        Some(self.place(size, lines))
    }

    /// The same with every paragraph as narrow as it can be with as many lines, so that no word is left alone.
    fn balance(&self, fitted: Fitted) -> Fitted {
        let size = fitted.size;
        let full = self.line_width(size);
        let mut lines = Vec::with_capacity(fitted.lines.len());
        for paragraph in 0..self.text.paragraphs() {
            let count = fitted.lines.iter().filter(|line| line.line.paragraph == paragraph).count();
            let narrow = (count > 1).then(|| self.narrowest(paragraph, size, full, count)).flatten();
            match narrow {
                Some(narrow) => lines.extend(narrow),
                None => lines.extend(
                    fitted.lines.iter().filter(|line| line.line.paragraph == paragraph).map(|l| l.line.clone()),
                ),
            }
        }
        let balanced = self.place(size, lines);
        // Other neighbours may put a tall glyph on the first line or a deep one on the last.
        if self.is_inside(&balanced) { balanced } else { fitted }
    }

    /// The paragraph at the smallest width that keeps it at `count` lines, words whole; `None` if that cannot be.
    fn narrowest(&self, paragraph: usize, size: f32, full: f32, count: usize) -> Option<Vec<WrappedLine>> {
        let attempt = |width: f32| {
            let lines = self.text.break_at(paragraph, size, width, Breaks::Words);
            (lines.len() == count && lines.iter().all(|line| is_within(line.width, width))).then_some(lines)
        };
        let (mut fails, mut fits) = (full as u32 / count as u32 / 2, full.ceil() as u32);
        let mut best = attempt(full)?;
        while fits - fails > 1 {
            let middle = fails + (fits - fails) / 2;
            match attempt((middle as f32).min(full)) {
                Some(lines) => (best, fits) = (lines, middle),
                None => fails = middle,
            }
        }
        Some(self.text.set(self.book, paragraph, size, &best))
    }

    /// Stacks and aligns lines, and finds their extent.
    fn place(&self, size: f32, lines: Vec<WrappedLine>) -> Fitted {
        let height = size * self.style.line_height;
        // CSS: the face's ascent and descent centred in the line's height.
        let rise = (height - (self.ascent + self.descent) * size) / 2.0 + self.ascent * size;
        let reach = self.stroke(size);
        let width = lines.iter().map(WrappedLine::width).fold(0.0, f32::max);
        let mut extent = PixelBox { left: 0.0, top: 0.0, right: width, bottom: height * lines.len() as f32 };
        let mut ink: Option<PixelBox> = None;
        let mut fitted = Vec::with_capacity(lines.len());
        for (number, line) in lines.into_iter().enumerate() {
            let free = width - line.width();
            let shift = free * self.style.align.share() - line.span.0;
            let baseline = (number as f32).mul_add(height, rise).round();
            for glyph in &line.glyphs {
                let (x, y) = (glyph.x + shift, glyph.y + baseline);
                let reach = reach + ROUNDING;
                let around = PixelBox {
                    left: x + glyph.ink.left * size - reach,
                    top: y + glyph.ink.top * size - reach,
                    right: x + glyph.ink.right * size + reach,
                    bottom: y + glyph.ink.bottom * size + reach,
                };
                let around = self.style.shadow.map_or(around, |shadow| around.union(around.shadow(&shadow, size)));
                ink = Some(ink.map_or(around, |ink| ink.union(around)));
            }
            fitted.push(FittedLine { line, shift, baseline });
        }
        if let Some(active) = self.style.active {
            for line in &fitted {
                ink = ink.map(|ink| ink.union(self.room_for_active(&active, line, size)));
            }
        }
        let boxes = self.boxes(size, &fitted);
        for under in &boxes {
            ink = ink.map(|ink| ink.union(*under));
        }
        if let Some(ink) = ink {
            extent = extent.union(ink);
        }
        Fitted { size, lines: fitted, ink, extent: extent.rounded_out(), boxes }
    }

    /// What the active word, its box and its growth may cover, whichever word of the line is active.
    fn room_for_active(&self, active: &ActiveStyle, line: &FittedLine, size: f32) -> PixelBox {
        let reach = self.stroke(size) + ROUNDING;
        let mut room: Option<PixelBox> = None;
        for word in self.words(&line.line) {
            let mut around = self.word_box(word, line, size, active.backdrop.map_or(0.0, |under| under.padding));
            for glyph in word {
                let (x, y) = (glyph.x + line.shift, glyph.y + line.baseline);
                let ink = PixelBox {
                    left: x + glyph.ink.left * size - reach,
                    top: y + glyph.ink.top * size - reach,
                    right: x + glyph.ink.right * size + reach,
                    bottom: y + glyph.ink.bottom * size + reach,
                };
                around = around.union(self.style.shadow.map_or(ink, |shadow| ink.union(ink.shadow(&shadow, size))));
            }
            let centre = self.word_centre(word, line, size);
            let grown = around.scaled_about(centre, active.scale);
            room = Some(room.map_or(grown, |room| room.union(grown)));
        }
        let edge = line.line.span.0 + line.shift;
        room.unwrap_or(PixelBox { left: edge, top: line.baseline, right: edge, bottom: line.baseline })
    }

    /// The glyphs of a line, word by word: what spaces part.
    pub(super) fn words<'l>(&self, line: &'l WrappedLine) -> impl Iterator<Item = &'l [WrappedGlyph]> {
        let text = &self.text.source(line).text;
        line.glyphs.chunk_by(|glyph, next| {
            let between = glyph.range.end.min(next.range.end)..glyph.range.start.max(next.range.start);
            text.get(between).is_none_or(|between| !between.contains(char::is_whitespace))
        })
    }

    /// The box under some glyphs of a line, `padding` (in em) beyond their advances and half of that above and below.
    pub(super) fn word_box(&self, glyphs: &[WrappedGlyph], line: &FittedLine, size: f32, padding: f32) -> PixelBox {
        let padding = padding * size;
        let left = glyphs.iter().map(|glyph| glyph.span.0).fold(f32::INFINITY, f32::min);
        let right = glyphs.iter().map(|glyph| glyph.span.1).fold(f32::NEG_INFINITY, f32::max);
        PixelBox {
            left: left + line.shift - padding,
            top: line.baseline - self.ascent * size - padding / 2.0,
            right: right + line.shift + padding,
            bottom: line.baseline + self.descent * size + padding / 2.0,
        }
    }

    /// The point that a word of a line grows around.
    pub(super) fn word_centre(&self, glyphs: &[WrappedGlyph], line: &FittedLine, size: f32) -> (f32, f32) {
        let around = self.word_box(glyphs, line, size, 0.0);
        ((around.left + around.right) / 2.0, (around.top + around.bottom) / 2.0)
    }

    fn boxes(&self, size: f32, lines: &[FittedLine]) -> Vec<PixelBox> {
        let Some(backdrop) = self.style.backdrop else { return Vec::new() };
        let padding = backdrop.padding * size;
        let of_line = |line: &FittedLine| {
            let left = line.line.span.0 + line.shift;
            PixelBox {
                left: left - padding,
                top: line.baseline - self.ascent * size - padding / 2.0,
                right: left + line.line.width() + padding,
                bottom: line.baseline + self.descent * size + padding / 2.0,
            }
        };
        let boxes = lines.iter().filter(|line| !line.line.glyphs.is_empty()).map(of_line);
        match backdrop.shape {
            BackdropShape::Line => joined(boxes.collect(), LARGEST_CRACK * size),
            BackdropShape::Block => boxes.reduce(PixelBox::union).into_iter().collect(),
        }
    }

    fn is_inside(&self, fitted: &Fitted) -> bool {
        fitted.extent.right - fitted.extent.left <= self.area.width as f32
            && fitted.extent.bottom - fitted.extent.top <= self.area.height as f32
    }

    /// How far the stroke reaches outside the letters, px.
    pub(super) fn stroke(&self, size: f32) -> f32 {
        self.style.stroke.map_or(0.0, |stroke| stroke.width * size)
    }

    fn line_width(&self, size: f32) -> f32 {
        // A px for rounding the block's place.
        let active = self.style.active.and_then(|active| Some(active.backdrop?.padding * active.scale));
        let padding = self.style.backdrop.map_or(0.0, |under| under.padding).max(active.unwrap_or(0.0)) * size;
        let shadow = self.style.shadow.map_or(0.0, |shadow| shadow.reach(size));
        self.area.width as f32 - 2.0 * (self.stroke(size) + shadow).max(padding) - 1.0
    }

    fn most_lines(&self, size: f32) -> usize {
        let by_height = (self.area.height as f32 / (size * self.style.line_height)) as usize;
        self.style.max_lines.map_or(by_height, |max| by_height.min(max as usize))
    }

    fn too_long(&self) -> Error {
        let Area { width, height, .. } = self.area;
        let min = self.style.font_size.min;
        let lines = self.style.max_lines.map_or(String::new(), |max| format!(" in {max} lines"));
        Error::new(
            ErrorKind::Validation,
            format!("the text does not fit {width}x{height} px{lines} at the smallest font size, {min} px"),
        )
        .suggest("shorten the text, or allow a smaller fontSize.min or more lines")
    }
}

/// The boxes of lines with no crack between them: each reaches down to the next where that is at most `crack` px away.
fn joined(mut boxes: Vec<PixelBox>, crack: f32) -> Vec<PixelBox> {
    for next in 1..boxes.len() {
        let top = boxes[next].top;
        if boxes[next - 1].bottom < top && top - boxes[next - 1].bottom <= crack {
            boxes[next - 1].bottom = top;
        }
    }
    boxes
}

/// Where in `area` a block of this extent keeps to `anchor`: the block's origin on the canvas, whole px.
pub(super) fn origin(extent: PixelBox, area: Area, anchor: Anchor) -> (f32, f32) {
    let (across, down) = anchor.shares();
    let free_width = area.width as f32 - (extent.right - extent.left);
    let free_height = area.height as f32 - (extent.bottom - extent.top);
    let x = area.x as f32 + (free_width * across).floor() - extent.left;
    let y = area.y as f32 + (free_height * down).floor() - extent.top;
    (x, y)
}

fn is_within(line: f32, width: f32) -> bool {
    line <= width + SLACK
}
