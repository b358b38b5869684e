//! Captions as the caller gives them, and what is wrong with them.

use std::io::Read as _;

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Request;
use super::parse::{Faults, nearest, shorten};
use super::style::{StyleRequest, animation_faults};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::text::TextStyle;
use crate::timeline::{Cue, CueWord};
use crate::units::TimeSpan;

/// The most bytes of a caption file: an hour of word-timed JSON has about one megabyte.
const MAX_BYTES: u64 = 8 << 20;

/// The most captions, and the most words and bytes of all of them together: more than is said in five hours.
const MAX_CUES: usize = 20_000;
const MAX_WORDS: usize = 100_000;
const MAX_ALL_BYTES: usize = 1 << 20;

/// By how much the times of a word may lie outside of its caption, in seconds: recognisers round.
const SLACK: f64 = 0.25;

/// Findings of one kind after which the rest is not looked at.
const ENOUGH: usize = 20;

/// Something that is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct CaptionCue {
    /// What is said, at most 2 000 characters; line breaks are kept. Default: the words, with spaces between.
    #[serde(default)]
    #[deserr(default)]
    pub text: Option<String>,
    /// When it begins, in seconds from the start of the video.
    pub start: f64,
    /// When it ends, after `start`.
    pub end: f64,
    /// When each word is said, in the order of the text. Default: that is not known, and no word is marked.
    #[serde(default)]
    #[deserr(default)]
    pub words: Vec<CaptionWord>,
}

/// A word of a caption.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct CaptionWord {
    /// The word as it stands in the text.
    pub text: String,
    /// When it begins, in seconds from the start of the video.
    pub start: f64,
    /// When it ends, not before `start`.
    pub end: f64,
}

/// How captions look.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct CaptionOptions {
    /// As `hookStyle`; its `maxLines` is 2 and its font size 36 to 64 by default.
    #[deserr(default)]
    pub style: Option<StyleRequest>,
    /// Where they stand in the safe area: `top`, `center` or `bottom`. Default: `bottom`.
    #[deserr(default)]
    pub position: Option<String>,
    /// How the word is marked that is being said: by its `color`, by a `box` under it, by its `scale`, or `none`; wins
    /// over the style's `active`. Default: as that says, else `color`.
    #[deserr(default)]
    pub active_word: Option<String>,
    /// The most words that are shown at once, 1 to 50. Default: as many as fit.
    #[deserr(default)]
    pub max_words: Option<u64>,
    /// How each page comes and goes. Default: at once.
    #[deserr(default)]
    pub animation: Option<super::style::AnimationRequest>,
}

/// Places of captions.
pub(crate) const POSITIONS: [&str; 3] = ["top", "center", "bottom"];

/// Ways to mark the word that is being said.
pub(crate) const ACTIVE_WORDS: [&str; 4] = ["color", "box", "scale", "none"];

impl Request {
    /// Whether it asks for captions.
    pub(crate) fn has_captions(&self) -> bool {
        !self.captions.is_empty() || self.captions_src.is_some()
    }

    /// What is wrong with the captions as far as no file needs to be read.
    pub(super) fn check_captions(&self, found: &mut Vec<Finding>) {
        if !self.captions.is_empty() && self.captions_src.is_some() {
            let message = "captions and captionsSrc are both given";
            found.push(Finding::new(ErrorKind::Validation, "/captionsSrc", message).suggest("leave one of them out"));
        }
        if let Some(Err((message, suggestion))) = self.captions_src.as_deref().map(|src| self.check_src(src)) {
            found.push(Finding::new(ErrorKind::Validation, "/captionsSrc", message).suggest(suggestion));
        }
        if let Err(findings) = cues_of(&self.captions, "/captions") {
            found.extend(findings);
        }
        let Some(options) = &self.caption_options else { return };
        if let Some(style) = &options.style {
            found.extend(style.faults("/captionOptions/style", caption_style()));
        }
        if let Some(animation) = &options.animation {
            found.extend(animation_faults(animation, "/captionOptions/animation"));
        }
        for (field, given, known) in
            [("position", &options.position, &POSITIONS[..]), ("activeWord", &options.active_word, &ACTIVE_WORDS[..])]
        {
            if let Some(given) = given.as_deref().filter(|given| !known.contains(given)) {
                let message = format!("unknown {field} `{}`", shorten(given));
                let pointer = format!("/captionOptions/{field}");
                found.push(Finding::new(ErrorKind::Validation, pointer, message).suggest(nearest(given, known)));
            }
        }
        if let Some(words) = options.max_words.filter(|words| !(1..=50).contains(words)) {
            let message = format!("maxWords is {words}; it must be 1 to 50");
            found.push(Finding::new(ErrorKind::Validation, "/captionOptions/maxWords", message));
        }
    }

    /// The bytes of the caption file `src`.
    ///
    /// # Errors
    /// `NOT_FOUND` or `SOURCE_UNREADABLE` if the file cannot be read, `LIMIT_EXCEEDED` if it is too long.
    pub(super) fn captions_file(&self, src: &str) -> Result<Vec<u8>> {
        let about = |error: Error| error.for_asset(shorten(src)).at_pointer("/captionsSrc");
        let path = self.resolve(src).map_err(about)?;
        let mut bytes = Vec::new();
        // Asked before it is opened: opening a pipe would wait for whoever writes to it.
        let read = std::fs::metadata(&path).and_then(|metadata| {
            if !metadata.is_file() {
                return Err(std::io::Error::other("it is not a file"));
            }
            std::fs::File::open(&path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)
        });
        read.map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::SourceUnreadable,
            };
            about(Error::new(kind, format!("the captions {} cannot be read", path.display())).caused_by(error))
        })?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("the captions have more than {} MB", MAX_BYTES >> 20);
            return Err(about(Error::new(ErrorKind::LimitExceeded, message)));
        }
        Ok(bytes)
    }

    /// The captions, read from their file if they are in one.
    ///
    /// # Errors
    /// `NOT_FOUND` or `SOURCE_UNREADABLE` if the file cannot be read, `LIMIT_EXCEEDED` if it is too long; `VALIDATION`,
    /// `SOURCE_UNSUPPORTED` or `SOURCE_EMPTY` for what is in it.
    pub(crate) fn cues(&self) -> Result<Vec<Cue>> {
        let Some(src) = &self.captions_src else {
            return cues_of(&self.captions, "/captions").map_err(Error::from_findings);
        };
        let bytes = self.captions_file(src)?;
        let about = |error: Error| error.for_asset(shorten(src)).at_pointer("/captionsSrc");
        let cues = super::subtitles::parse(&bytes).map_err(about)?;
        // The file's cues have no place in the request: their number is in the message.
        let cues = cues_of(&cues, "/captionsSrc").map_err(|mut findings| {
            for finding in &mut findings {
                let place = finding.pointer.strip_prefix("/captionsSrc/").unwrap_or_default();
                if let Some(number) = place.split('/').next().and_then(|number| number.parse::<usize>().ok()) {
                    finding.message = format!("caption {}: {}", number + 1, finding.message);
                }
                finding.pointer = "/captionsSrc".to_owned();
            }
            Error::from_findings(findings)
        })?;
        Ok(cues.into_iter().map(|cue| Cue { pointer: "/captionsSrc".to_owned(), ..cue }).collect())
    }
}

/// The look of captions that say nothing of it.
pub(crate) fn caption_style() -> TextStyle {
    TextStyle {
        font_size: crate::text::FontSize { min: 36.0, max: 64.0 },
        weight: 800,
        max_lines: Some(2),
        ..TextStyle::default()
    }
}

/// The cues with their words found in their texts, or what is wrong with them; `list` is their pointer.
fn cues_of(cues: &[CaptionCue], list: &str) -> std::result::Result<Vec<Cue>, Vec<Finding>> {
    let words: usize = cues.iter().map(|cue| cue.words.len()).sum();
    let bytes: usize = cues.iter().map(|cue| cue.text.as_ref().map_or(0, String::len)).sum();
    if cues.len() > MAX_CUES || words > MAX_WORDS || bytes > MAX_ALL_BYTES {
        let message = format!(
            "there are {} captions with {words} timed words and {bytes} bytes of text; the limits are {MAX_CUES}, \
             {MAX_WORDS} and {MAX_ALL_BYTES}",
            cues.len()
        );
        return Err(vec![Finding::new(ErrorKind::LimitExceeded, list, message).suggest("give shorter captions")]);
    }
    let (mut found, mut right) = (Vec::new(), Vec::with_capacity(cues.len()));
    for (number, cue) in cues.iter().enumerate() {
        match cue_of(cue, &format!("{list}/{number}")) {
            Ok(cue) => right.extend(cue.map(|cue| Cue { number: number + 1, ..cue })),
            Err(finding) => found.push(finding),
        }
        if found.len() == ENOUGH {
            break;
        }
    }
    if found.is_empty() { Ok(right) } else { Err(found) }
}

/// A cue; `None` if it has no text or lasts no time.
fn cue_of(cue: &CaptionCue, at: &str) -> std::result::Result<Option<Cue>, Finding> {
    let wrong =
        |place: &str, message: String| Err(Finding::new(ErrorKind::Validation, format!("{at}{place}"), message));
    let is_time = |seconds: f64| (0.0..=360_000.0).contains(&seconds);
    if !is_time(cue.start) || !is_time(cue.end) || cue.end < cue.start {
        let (start, end) = (cue.start, cue.end);
        return wrong("", format!("it is from {start} to {end} s; it must begin at 0 or later and end after that"));
    }
    let text = match &cue.text {
        Some(text) => text.trim().to_owned(),
        None => cue.words.iter().map(|word| word.text.trim()).collect::<Vec<_>>().join(" "),
    };
    let chars = text.chars().count();
    if chars > crate::text::MAX_CHARACTERS {
        let most = crate::text::MAX_CHARACTERS;
        return wrong("/text", format!("it has {chars} characters; the limit is {most}"));
    }
    if text.is_empty() || cue.end == cue.start {
        return Ok(None);
    }
    let span = |seconds: f64| TimeSpan::from_secs_f64(seconds).unwrap_or_default();
    let (mut from, mut last) = (0, cue.start);
    let mut words = Vec::with_capacity(cue.words.len());
    for (number, word) in cue.words.iter().enumerate() {
        let place = format!("/words/{number}");
        let Some(begin) = find_word(&text[from..], word.text.trim()) else {
            return wrong(&place, format!("`{}` is not the next word of the text", shorten(&word.text)));
        };
        let inside = word.start >= last - SLACK && word.end <= cue.end + SLACK && word.start <= word.end;
        if !(is_time(word.start) && is_time(word.end) && inside) {
            let (start, end) = (word.start, word.end);
            return wrong(&place, format!("it is from {start} to {end} s; words follow each other inside the caption"));
        }
        let start = word.start.clamp(last, cue.end);
        last = start;
        let begin = from + begin;
        from = begin + word.text.trim().len();
        let (start, end) = (span(start), span(word.end.clamp(start, cue.end)));
        words.push(CueWord { at: begin, to: from, start, end });
    }
    Ok(Some(Cue { text, start: span(cue.start), end: span(cue.end), words, pointer: at.to_owned(), number: 0 }))
}

/// Where the next `word` of a text begins: rather one that stands by itself than a part of a longer one.
fn find_word(text: &str, word: &str) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let stands_alone =
        |&at: &usize| !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next());
    // Near: a word far away leaves out what is between.
    const NEAR: usize = 16;
    let mut places = text.match_indices(word).map(|(at, _)| at).take(NEAR);
    places.clone().find(stands_alone).or_else(|| places.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, start: f64, end: f64) -> CaptionWord {
        CaptionWord { text: text.to_owned(), start, end }
    }

    #[test]
    fn words_are_found_in_their_text() {
        let words = vec![word("no", 0.0, 0.2), word("No", 0.3, 0.5), word("no", 0.6, 0.9)];
        let cue = CaptionCue { text: Some("no, No (no)".to_owned()), start: 0.0, end: 1.0, words };
        let cue = cue_of(&cue, "/captions/0").expect("is right").expect("has a text");
        let places: Vec<_> = cue.words.iter().map(|word| &cue.text[word.at..word.to]).collect();
        assert_eq!(places, ["no", "No", "no"]);
        assert_eq!(cue.words[2].at, 8);
        assert_eq!(find_word("Ada: a dog", "a"), Some(5), "not the end of another word");
        assert_eq!(find_word("この習慣", "習慣"), Some(6));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let cue = |start, end, words| CaptionCue { text: Some("one two".to_owned()), start, end, words };
        let fault = |cue| cue_of(&cue, "/captions/3").expect_err("is refused");
        assert_eq!(fault(cue(2.0, 1.0, vec![])).pointer, "/captions/3");
        assert_eq!(fault(cue(f64::NAN, 1.0, vec![])).pointer, "/captions/3");
        assert_eq!(fault(cue(0.0, 1.0, vec![word("three", 0.0, 0.5)])).pointer, "/captions/3/words/0");
        assert_eq!(
            fault(cue(0.0, 1.0, vec![word("one", 0.5, 0.6), word("two", 0.1, 0.2)])).pointer,
            "/captions/3/words/1"
        );
        assert_eq!(fault(cue(0.0, 1.0, vec![word("", 0.5, 0.6)])).pointer, "/captions/3/words/0");
    }
}
