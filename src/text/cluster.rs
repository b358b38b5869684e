//! What kind of thing a user-perceived character (extended grapheme cluster, UAX #29) is.

use unicode_segmentation::UnicodeSegmentation as _;

/// Variation selector 15: show as text.
const TEXT_PRESENTATION: char = '\u{FE0E}';
/// Variation selector 16: show as emoji.
const EMOJI_PRESENTATION: char = '\u{FE0F}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const COMBINING_KEYCAP: char = '\u{20E3}';

/// How a cluster should look, before it is known which fonts have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presentation {
    /// Letters, digits, marks, and whatever asks for text presentation.
    Text,
    /// A colour glyph (UTS #51: by selector, sequence, or because the character is an emoji).
    Emoji,
    /// A typographic mark that is also in the emoji list, such as `©` or `↔`, without a selector: text where a text
    /// font has it, emoji otherwise.
    TextIfAvailable,
    /// No ink of its own: joiners, selectors, bidi controls.
    Invisible,
}

/// How `cluster` should look. `base_is_emoji` says whether the colour font has its first character; that serves as the
/// Unicode Emoji property, since an emoji that the font lacks cannot be drawn either way.
pub(super) fn presentation(cluster: &str, base_is_emoji: bool) -> Presentation {
    let mut chars = cluster.chars();
    let Some(base) = chars.next() else { return Presentation::Invisible };
    if cluster.chars().all(is_invisible) {
        return Presentation::Invisible;
    }
    let rest = chars.as_str();
    if rest.contains(TEXT_PRESENTATION) {
        return Presentation::Text;
    }
    if rest.contains(COMBINING_KEYCAP) && matches!(base, '0'..='9' | '#' | '*') {
        return Presentation::Emoji;
    }
    if base.is_ascii() || !base_is_emoji {
        return Presentation::Text;
    }
    if rest.contains([EMOJI_PRESENTATION, ZERO_WIDTH_JOINER]) || !is_typographic_mark(base) {
        return Presentation::Emoji;
    }
    Presentation::TextIfAvailable
}

/// Characters of the emoji list that writers use as plain marks: text by default (Emoji_Presentation=No) and not a
/// picture. Other text-default emoji, such as a bare U+2764, are set in colour, as the apps do.
fn is_typographic_mark(c: char) -> bool {
    matches!(
        c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'
            ..='\u{2199}'
                | '\u{21A9}'
                | '\u{21AA}'
                | '\u{24C2}'
                | '\u{25AA}'
                | '\u{25AB}'
                | '\u{25B6}'
                | '\u{25C0}'
                | '\u{25FB}'
                | '\u{25FC}'
    )
}

/// The user-perceived characters of `text`, each with its place. UAX #29 joins a skin tone to whatever stands before it;
/// after what is no emoji, such as a space or a letter, it stands by itself.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.grapheme_indices(true).flat_map(|(start, cluster)| {
        let tone = cluster.char_indices().skip(1).find(|(_, c)| is_skin_tone(*c)).map(|(at, _)| at);
        let joined = |at: &usize| !cluster[..*at].ends_with(|c: char| c.is_whitespace() || c.is_alphanumeric());
        let (whole, rest) = cluster.split_at(tone.filter(|at| !joined(at)).unwrap_or(cluster.len()));
        [(start, whole), (start + whole.len(), rest)].into_iter().filter(|(_, part)| !part.is_empty())
    })
}

/// Whether `c` colours the skin of the emoji before it (Emoji_Modifier).
fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// Whether `c` is one half of a flag.
pub(super) fn is_regional_indicator(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Whether `c` has no glyph of its own (Default_Ignorable_Code_Point, Unicode 16, DerivedCoreProperties.txt).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether `c` always ends a line (UAX #14 classes BK, CR, LF, NL).
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether `c` is dropped: control characters other than line breaks and tab.
pub(super) fn is_dropped(c: char) -> bool {
    c.is_control() && c != '\t' && !is_line_break(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skin_tone_belongs_to_an_emoji_alone() {
        let of = |text| clusters(text).collect::<Vec<_>>();
        assert_eq!(of("a 🏽"), [(0, "a"), (1, " "), (2, "🏽")]);
        assert_eq!(of("👍🏽!"), [(0, "👍🏽"), (8, "!")]);
        assert_eq!(of("👩🏽\u{200D}🚀"), [(0, "👩🏽\u{200D}🚀")]);
    }

    #[test]
    fn sequences_are_emoji_and_selectors_are_obeyed() {
        let presentation = |cluster: &str| presentation(cluster, true);
        for emoji in
            ["🧠", "❤\u{FE0F}", "❤", "1\u{FE0F}\u{20E3}", "#\u{20E3}", "🇩🇪", "👍🏽", "👩\u{200D}🚀", "©\u{FE0F}", "🇩"]
        {
            assert_eq!(presentation(emoji), Presentation::Emoji, "{emoji}");
        }
        for text in ["a", "1", "#", "1\u{FE0F}", "e\u{301}", "❤\u{FE0E}", "a\u{FE0F}", "a\u{20E3}"] {
            assert_eq!(presentation(text), Presentation::Text, "{text}");
        }
        for either in ["©", "↔", "▶"] {
            assert_eq!(presentation(either), Presentation::TextIfAvailable, "{either}");
        }
        for none in ["", "\u{200D}", "\u{FE0F}", "\u{202E}", "\u{200B}"] {
            assert_eq!(presentation(none), Presentation::Invisible, "{none:?}");
        }
    }

    #[test]
    fn what_the_colour_font_lacks_is_text() {
        assert_eq!(presentation("a\u{200D}b", false), Presentation::Text);
        assert_eq!(presentation("漢", false), Presentation::Text);
    }

    #[test]
    fn controls_are_dropped_but_not_line_breaks() {
        assert!(['\0', '\u{1B}', '\u{7F}', '\u{9F}'].into_iter().all(is_dropped));
        assert!(!['\t', '\n', '\r', '\u{85}', '\u{2028}', '\u{202E}', 'a'].into_iter().any(is_dropped));
    }
}
