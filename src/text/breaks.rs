//! Where lines may break: UAX #14, with dictionaries for scripts without spaces and the rules of a language.

use cosmic_text::{ShapeGlyph, ShapeLine, ShapeSpan, ShapeWord};
use icu_locale_core::{LanguageIdentifier, Locale};
use icu_segmenter::LineSegmenter;
use icu_segmenter::options::{LineBreakOptions, LineBreakStrictness, LineBreakWordOption};

use crate::error::{Error, ErrorKind, Result};

/// The language of a text, parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Language(Option<LanguageIdentifier>);

impl Language {
    /// Parses a BCP 47 tag; extensions such as `-u-nu-latn` are left aside.
    ///
    /// # Errors
    ///
    /// `VALIDATION` if it is not one.
    pub(super) fn parse(tag: Option<&str>) -> Result<Self> {
        let Some(tag) = tag else { return Ok(Self(None)) };
        let locale: Locale = tag.parse().map_err(|error| {
            Error::new(ErrorKind::Validation, format!("{tag:?} is not a language tag"))
                .caused_by(error)
                .suggest("give a BCP 47 tag such as `ja`, `pt-BR` or `zh-Hant`")
        })?;
        Ok(Self(Some(locale.id)))
    }

    /// Whether it is Urdu, which is read in Nastaliq.
    pub(super) fn is_urdu(&self) -> bool {
        self.0.as_ref().is_some_and(|id| id.language.as_str() == "ur")
    }

    /// Whether lines break between words alone where a text's letters would let them break anywhere: Korean has spaces,
    /// and readers of headlines do not want its words cut (W3C "Requirements for Hangul Text Layout", 2.3; CSS's
    /// `word-break: keep-all`). Untagged text is Korean if it has Hangul and no kana.
    fn keeps_words(&self, text: &str) -> bool {
        match &self.0 {
            Some(id) => id.language.as_str() == "ko",
            None => {
                let is_hangul = |c: char| matches!(c, '\u{AC00}'..='\u{D7A3}');
                let is_kana = |c: char| matches!(c, '\u{3041}'..='\u{30FF}');
                text.chars().any(is_hangul) && !text.chars().any(is_kana)
            }
        }
    }

    /// The form of Han characters that it is read in, as fonts' names have it; `None` if it is written without them.
    pub(super) fn han(&self) -> Option<&'static str> {
        let id = self.0.as_ref()?;
        let region = id.region.map(|region| region.as_str().to_owned());
        match (id.language.as_str(), id.script.map(|script| script.as_str().to_owned()).as_deref(), region.as_deref()) {
            ("ja", ..) => Some("JP"),
            ("ko", ..) => Some("KR"),
            ("zh" | "yue", _, Some("HK" | "MO")) => Some("HK"),
            ("yue", Some("Hans"), _) => Some("SC"),
            ("yue", ..) => Some("HK"),
            ("zh", Some("Hant"), _) | ("zh", None, Some("TW")) => Some("TC"),
            ("zh", ..) => Some("SC"),
            _ => None,
        }
    }
}

/// The bytes of `text` at which a line may start, ascending; neither 0 nor its end.
///
/// CSS's `line-break: auto` as browsers have it: small kana and the like do not start a line (`strict`).
pub(super) fn opportunities(text: &str, language: &Language) -> Vec<usize> {
    let mut options = LineBreakOptions::default();
    options.strictness = Some(LineBreakStrictness::Strict);
    options.content_locale = language.0.as_ref();
    if language.keeps_words(text) {
        options.word_option = Some(LineBreakWordOption::KeepAll);
    }
    let segmenter = if text.chars().any(needs_dictionary) {
        LineSegmenter::new_dictionary(options)
    } else {
        LineSegmenter::new_for_non_complex_scripts(options)
    };
    let mut breaks: Vec<usize> = segmenter.segment_str(text).filter(|&at| at > 0 && at < text.len()).collect();
    // Tables of Unicode versions differ: no emoji is ever cut, whichever is the newer one.
    let mut starts = unicode_segmentation::UnicodeSegmentation::grapheme_indices(text, true).map(|(at, _)| at);
    let mut start = starts.next();
    breaks.retain(|&at| {
        while start.is_some_and(|start| start < at) {
            start = starts.next();
        }
        start == Some(at)
    });
    breaks
}

/// Scripts written without spaces between words: Thai, Lao, Burmese, Khmer (Line_Break=SA).
fn needs_dictionary(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{19E0}'..='\u{19FF}'
        | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}')
}

/// Cuts what is read from left to right into words at `breaks`.
///
/// cosmic-text 0.19 knows the rules of Unicode 15 and no dictionary: to it a Thai sentence is one word. Right-to-left
/// text has spaces, and its words stay as they are.
pub(super) fn cut_words(line: &mut ShapeLine, text: &str, breaks: &[usize]) {
    let reversed = line.rtl;
    for span in line.spans.iter_mut().filter(|span| !span.level.is_rtl()) {
        cut_span(span, reversed, text, breaks);
    }
}

fn cut_span(span: &mut ShapeSpan, reversed: bool, text: &str, breaks: &[usize]) {
    let mut words = std::mem::take(&mut span.words);
    if reversed {
        words.reverse();
    }
    let glyphs = words.into_iter().flat_map(|mut word| {
        if reversed {
            word.glyphs.reverse();
        }
        word.glyphs
    });
    let mut segment: Vec<ShapeGlyph> = Vec::new();
    let mut segment_number = None;
    for glyph in glyphs {
        let number = breaks.partition_point(|&at| at <= glyph.start);
        if segment_number != Some(number) {
            push_segment(&mut span.words, std::mem::take(&mut segment), text);
            segment_number = Some(number);
        }
        segment.push(glyph);
    }
    push_segment(&mut span.words, segment, text);
    if reversed {
        for word in &mut span.words {
            word.glyphs.reverse();
        }
        span.words.reverse();
    }
}

/// A word, and each space after it as a word of its own, as cosmic-text has them.
fn push_segment(words: &mut Vec<ShapeWord>, mut glyphs: Vec<ShapeGlyph>, text: &str) {
    let is_space = |glyph: &ShapeGlyph| {
        text.get(glyph.start..glyph.end).is_some_and(|text| !text.is_empty() && text.chars().all(char::is_whitespace))
    };
    let length = glyphs.iter().rposition(|glyph| !is_space(glyph)).map_or(0, |last| last + 1);
    let spaces = glyphs.split_off(length);
    if !glyphs.is_empty() {
        words.push(ShapeWord { blank: false, glyphs });
    }
    words.extend(spaces.into_iter().map(|space| ShapeWord { blank: true, glyphs: vec![space] }));
}

/// Gives the whole advance of each cluster to the glyph that is set first, so that a word that is too long for a line is
/// never broken between a letter and its marks.
pub(super) fn bind_clusters(line: &mut ShapeLine) {
    let from_right = line.rtl;
    for word in line.spans.iter_mut().flat_map(|span| &mut span.words) {
        for cluster in word.glyphs.chunk_by_mut(|a, b| a.start == b.start) {
            if cluster.len() < 2 {
                continue;
            }
            let whole: f32 = cluster.iter().map(|glyph| glyph.x_advance).sum();
            // Where each would be set, from the cluster's left edge; glyphs of lines that start at the right are listed
            // from the right.
            let mut place = if from_right { whole } else { 0.0 };
            for (number, glyph) in cluster.iter_mut().enumerate() {
                if from_right {
                    place -= glyph.x_advance;
                    glyph.x_offset += place;
                } else {
                    glyph.x_offset += if number == 0 { 0.0 } else { place - whole };
                    place += glyph.x_advance;
                }
                glyph.x_advance = if number == 0 { whole } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, tag: Option<&str>) -> Vec<String> {
        let language = Language::parse(tag).expect("a tag");
        let mut start = 0;
        let mut pieces = Vec::new();
        for at in opportunities(text, &language).into_iter().chain([text.len()]) {
            pieces.push(text[start..at].to_owned());
            start = at;
        }
        pieces
    }

    #[test]
    fn thai_breaks_between_words() {
        assert_eq!(pieces("ฉันรักภาษาไทย", None), ["ฉัน", "รัก", "ภาษา", "ไทย"]);
    }

    #[test]
    fn japanese_punctuation_and_small_kana_do_not_start_a_line() {
        assert_eq!(pieces("「今日は、」", None), ["「今", "日", "は、」"]);
        assert_eq!(pieces("ちょっと", Some("ja")), ["ちょっ", "と"]);
    }

    #[test]
    fn sequences_stay_whole() {
        let emoji = [
            "👩\u{200D}👩\u{200D}👧",
            "🇩🇪",
            "1\u{FE0F}\u{20E3}",
            "👍🏽",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        ];
        assert_eq!(pieces(&emoji.concat(), None), emoji);
        assert_eq!(pieces("Quoi ? Non\u{A0}!", None), ["Quoi ? ", "Non\u{A0}!"]);
    }

    #[test]
    fn a_language_chooses_the_form_of_han() {
        let han = |tag: &str| Language::parse(Some(tag)).expect("a tag").han();
        let cases = [
            ("ja", Some("JP")),
            ("ko-KR", Some("KR")),
            ("zh", Some("SC")),
            ("zh-Hans-TW", Some("SC")),
            ("zh-TW", Some("TC")),
            ("zh-Hant", Some("TC")),
            ("zh-Hant-HK", Some("HK")),
            ("yue", Some("HK")),
            ("en-u-nu-latn", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(han(tag), expected, "{tag}");
        }
        assert_eq!(Language::parse(Some("not a tag")).expect_err("refused").code(), "VALIDATION");
    }
}
