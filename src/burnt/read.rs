//! Reading lines of text.

use std::ops::Range;

use crate::error::Result;

/// A line of text as a picture: letters dark on white, nothing else, with a margin; one byte a pixel, 0 is black.
#[derive(Debug, Clone, Default)]
pub struct LinePicture {
    /// Rows from the top; all of `width` pixels.
    pub samples: Vec<u8>,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineReading {
    /// Its words in reading order; none if nothing could be read.
    pub words: Vec<WordReading>,
    /// The ISO 15924 code of its script, such as `Latn`.
    pub script: String,
    /// How sure the reader is, 0 to 1.
    pub confidence: f64,
}

/// A word of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct WordReading {
    /// What it says.
    pub text: String,
    /// The columns of the picture that it takes.
    pub columns: Range<usize>,
    /// How sure the reader is, 0 to 1.
    pub confidence: f64,
}

impl LineReading {
    /// How many characters its words have.
    pub(super) fn length(&self) -> usize {
        self.words.iter().map(|word| word.text.chars().count()).sum()
    }

    /// Sets its confidence to the mean of its words', by their lengths.
    pub(super) fn weigh(&mut self) {
        let sure = self.words.iter().map(|word| word.confidence * word.text.chars().count() as f64);
        self.confidence = sure.sum::<f64>() / (self.length() as f64).max(1.0);
    }

    /// The words, with spaces between them where their script has some: Chinese, Japanese and Thai have none between their own
    /// signs, Korean has one where the words are as far apart as that.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut end = None;
        for word in &self.words {
            let ends_in_ascii = text.chars().next_back().is_none_or(|last| last.is_ascii());
            let is_own = !ends_in_ascii && word.text.chars().next().is_some_and(|first| !first.is_ascii());
            let gap = end.map_or(0, |end| word.columns.start.saturating_sub(end));
            let is_apart = match self.script.as_str() {
                "Hans" | "Hant" | "Jpan" | "Thai" => !is_own,
                "Kore" => !is_own || gap >= WORD_SPACE,
                _ => true,
            };
            if is_apart && !text.is_empty() {
                text.push(' ');
            }
            text += &word.text;
            end = Some(word.columns.end);
        }
        text
    }
}

/// The fewest columns of a space between Korean words, where letters are about 36 high: a space is about 25 wide, what is
/// between syllables at most 5.
const WORD_SPACE: usize = 9;

/// Reads text. The engine brings one of its own (the feature `tesseract`); callers may bring theirs.
pub trait TextReader: Send + Sync {
    /// Reads the lines of a source, those first that look the most like text; their letters are about 36 pixels high. What
    /// comes back are as many readings, in the same order. `alive` is to be called before each line: a job that does not hear
    /// from its reader for long is taken for stalled.
    ///
    /// # Errors
    /// What `alive` gives, as it is; what keeps the reader from working at all. A line that cannot be read is a reading
    /// without words.
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>>;

    /// As [`read`](Self::read), of lines that are in this script (by its ISO 15924 code), if they are text at all: what may be
    /// left of a text that was taken out. A reader that knows several scripts need not try the others; by default it does.
    ///
    /// # Errors
    /// As `read`.
    fn read_in(
        &self,
        _script: &str,
        lines: &[LinePicture],
        alive: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<LineReading>> {
        self.read(lines, alive)
    }
}

/// A reader that is asked for one script.
pub(super) struct InScript<'a> {
    pub(super) reader: &'a dyn TextReader,
    pub(super) script: &'a str,
}

impl TextReader for InScript<'_> {
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
        self.reader.read_in(self.script, lines, alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_where_a_script_has_them() {
        let reading = |script: &str, words: &[(&str, Range<usize>)]| {
            let word = |(text, columns): &(&str, Range<usize>)| WordReading {
                text: (*text).to_owned(),
                columns: columns.clone(),
                confidence: 0.9,
            };
            LineReading { words: words.iter().map(word).collect(), script: script.to_owned(), confidence: 0.9 }.text()
        };
        assert_eq!(reading("Latn", &[("one", 0..50), ("two", 52..90)]), "one two");
        assert_eq!(reading("Hans", &[("今", 0..30), ("天", 60..90), ("10", 95..120), ("点", 122..150)]), "今天 10 点");
        let words = [("오", 0..40), ("늘", 41..70), ("추천", 95..150)];
        assert_eq!(reading("Kore", &words), "오늘 추천");
        // A reader may take one box for two syllables.
        assert_eq!(reading("Kore", &[("오", 0..80), ("늘", 41..70)]), "오늘");
        assert_eq!(reading("Arab", &[("في", 0..20), ("المدينة", 21..90)]), "في المدينة");
    }
}
