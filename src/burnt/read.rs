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

    /// The words, with spaces between them.
    pub fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

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
}
