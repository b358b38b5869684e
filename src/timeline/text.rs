//! Texts over the pictures: overlays, how they come and go, and captions.

use serde::{Deserialize, Serialize};

use crate::text::TextBlock;
use crate::units::{FrameRange, TimeSpan};

/// A text over the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextOverlay {
    /// Its name, unique in the timeline.
    pub name: String,
    /// The text, its style and its place.
    pub block: TextBlock,
    /// When it is on.
    pub during: During,
    /// How it comes and goes. Default: at once.
    #[serde(default)]
    pub motion: TextMotion,
    /// Where it is in the request, a JSON pointer, for errors.
    #[serde(default)]
    pub pointer: String,
}

/// When an overlay is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum During {
    /// As long as the shot of this name.
    Shot(String),
    /// From the start of the timeline for this long, at most to its end.
    FromStart(TimeSpan),
    /// These frames of the timeline, as far as it goes.
    Frames(FrameRange),
}

/// How a text comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TextMotion {
    /// How it comes; `None` for at once.
    pub enter: Option<TextChange>,
    /// How it goes; `None` for at once.
    pub exit: Option<TextChange>,
}

/// How a text comes or goes. Both together take at most the time that it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextChange {
    /// What it looks like.
    pub kind: TextChangeKind,
    /// How long it takes.
    pub duration: TimeSpan,
}

/// What a text's coming or going looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum TextChangeKind {
    /// Its opacity rises or falls evenly.
    Fade,
    /// It grows from 7/10 of its size to a little above all of it and back, while it fades in; gone the same way.
    Pop,
}

impl TextChangeKind {
    /// The names of [`TextChangeKind::from_name`].
    pub const NAMES: [&'static str; 2] = ["fade", "pop"];

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "fade" => Some(Self::Fade),
            "pop" => Some(Self::Pop),
            _ => None,
        }
    }
}

/// Captions: what is said, in pages of a few lines.
///
/// A page is at most as wide and as many lines as `look` allows at its largest font size. Pages break where a sentence
/// ends and where the speaker pauses, and long sentences into parts of about the same length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptionTrack {
    /// What is said, by time.
    pub cues: Vec<Cue>,
    /// How every page looks and where it stands; its text is not used, and `max_lines` of its style is 2 if it has none.
    pub look: TextBlock,
    /// The most words on a page, at least 1; `None` for as many as fit.
    pub max_words: Option<u32>,
    /// How pages come and go.
    pub motion: TextMotion,
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cue {
    /// The words; line breaks are kept.
    pub text: String,
    /// When it begins, from the start of the timeline.
    pub start: TimeSpan,
    /// When it ends, after `start`.
    pub end: TimeSpan,
    /// When each word is said, in the order of the text; empty if that is not known.
    #[serde(default)]
    pub words: Vec<CueWord>,
    /// Where it is in the request, a JSON pointer, for errors.
    #[serde(default)]
    pub pointer: String,
    /// Which one it is in its list or file, from 1, for errors.
    #[serde(default)]
    pub number: usize,
}

/// A word of a cue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CueWord {
    /// Where it starts in the cue's text, bytes.
    pub at: usize,
    /// Where it ends in the cue's text, bytes.
    pub to: usize,
    /// When it begins.
    pub start: TimeSpan,
    /// When it ends.
    pub end: TimeSpan,
}
