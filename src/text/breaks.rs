//! Where lines may break: UAX #14, with dictionaries for scripts without spaces and the rules of a language.

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

    /// Whether `text` is Urdu, which is read in Nastaliq: by the tag, or without one by letters that Arabic and Persian do
    /// not have.
    pub(super) fn is_urdu(&self, text: &str) -> bool {
        match &self.0 {
            Some(id) => id.language.as_str() == "ur",
            None => text.contains(['ٹ', 'ڈ', 'ڑ', 'ے', 'ں']),
        }
    }

    /// Whether lines break between words alone where a text's letters would let them break anywhere: Korean has spaces,
    /// and readers of headlines do not want its words cut (W3C "Requirements for Hangul Text Layout", 2.3; CSS's
    /// `word-break: keep-all`). Untagged text is Korean if it has more Hangul than Han characters and kana.
    fn keeps_words(&self, text: &str) -> bool {
        match &self.0 {
            Some(id) => id.language.as_str() == "ko",
            None => {
                let is_hangul = |c: &char| matches!(c, '\u{AC00}'..='\u{D7A3}');
                let is_other = |c: &char| matches!(c, '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}');
                text.chars().filter(is_hangul).count() > text.chars().filter(is_other).count()
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
    // A soft hyphen would have to show itself where a line breaks after it; it is left out instead.
    let is_kept =
        |before: &str, at: usize| before.ends_with('\u{AD}') || (before.ends_with('/') && is_alternative(text, at));
    breaks.retain(|&at| !is_kept(&text[..at], at));
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

/// The most bytes of what is taken for words with a solidus between, such as `and/or`.
const LONGEST_ALTERNATIVE: usize = 24;

/// Whether the solidus before `at` stands between words, not in an address or a path. Browsers do not break after it
/// either; in addresses UAX #14 does (rule LB13 and class SY), and readers are better off.
fn is_alternative(text: &str, at: usize) -> bool {
    let before = text[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
    let after = text[at..].split(char::is_whitespace).next().unwrap_or_default();
    let word = text.get(at - before.len()..at + after.len()).unwrap_or_default();
    word.len() <= LONGEST_ALTERNATIVE && !word.contains("://") && !word.starts_with("www.")
}

/// Scripts written without spaces between words: Thai, Lao, Burmese, Khmer (Line_Break=SA).
fn needs_dictionary(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{19E0}'..='\u{19FF}'
        | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}')
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
    fn alternatives_stay_whole_and_addresses_break() {
        assert_eq!(pieces("and/or not", None), ["and/or ", "not"]);
        assert_eq!(pieces("see https://a.org/b", None), ["see ", "https://", "a.org/", "b"]);
        assert_eq!(pieces("見\u{3000}https://a.org/b", None), ["見\u{3000}", "https://", "a.org/", "b"]);
        assert_eq!(pieces("hy\u{AD}phen", None), ["hy\u{AD}phen"]);
    }

    #[test]
    fn korean_words_stay_whole() {
        assert_eq!(pieces("내 사고방식", None), ["내 ", "사고방식"]);
        assert_eq!(pieces("한 と仮名", None).len(), 4, "more kana and Han make it no Korean text");
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
