//! From text to runs: paragraphs between line breaks, and in them runs of clusters that one face has.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use ab_glyph::{Font as _, FontRef};
use serde::{Deserialize, Serialize};

use super::book::{Face, FaceId, FontBook};
use super::breaks::Language;
use super::cluster::{self, Presentation};
use super::style::TextStyle;
use super::{MAX_CHARACTERS, MAX_CLUSTER_SCALARS};
use crate::error::{Error, ErrorKind, Result};

/// A user-perceived character that no face of the book has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingCluster {
    /// The character as it stands in the text.
    pub text: String,
    /// Its bytes in the block's text.
    pub range: Range<usize>,
}

/// The text between two line breaks, cleaned, cut into runs.
#[derive(Debug, Default)]
pub(super) struct Paragraph {
    /// The text to shape: without control characters.
    pub(super) text: String,
    /// The runs, in order, covering all of `text`.
    pub(super) runs: Vec<Run>,
    /// Where `text` and the source start to run in step.
    steps: Vec<Step>,
}

/// From `clean` in a paragraph's text on, each byte is the one from `source` on; or all of them stand for `instead` bytes.
#[derive(Debug, Clone, Copy)]
struct Step {
    clean: usize,
    source: usize,
    instead: Option<usize>,
}

/// What stands in the text instead of some bytes of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: Option<char>,
}

/// Neighbouring clusters that are set in one face.
#[derive(Debug)]
pub(super) struct Run {
    /// Bytes of the paragraph's text.
    pub(super) range: Range<usize>,
    pub(super) face: FaceId,
}

impl Paragraph {
    /// `text` as one run.
    pub(super) fn in_one_face(text: &str, face: FaceId) -> Self {
        Self { text: text.to_owned(), runs: vec![Run { range: 0..text.len(), face }], steps: Vec::new() }
    }

    /// The bytes of the source that `range` of the cleaned text came from.
    pub(super) fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let step = |offset: usize| {
            let step = self.steps.partition_point(|step| step.clean <= offset).saturating_sub(1);
            self.steps.get(step).copied().unwrap_or(Step { clean: 0, source: 0, instead: None })
        };
        let source = |offset: usize, step: Step| step.source + step.instead.map_or(offset - step.clean, |_| 0);
        let start = source(range.start, step(range.start));
        if range.is_empty() {
            return start..start;
        }
        // Through the last byte: a dropped character after the range is not part of it.
        let last = step(range.end - 1);
        start..source(range.end - 1, last) + last.instead.unwrap_or(1)
    }
}

/// Cuts `text` with `edits` (in order, apart) into paragraphs and runs. Clusters that no face has are listed and set in
/// the style's own face.
///
/// # Errors
///
/// `VALIDATION` if the text is too long or piles too many marks on one character, `FONT_MISSING` if the style's face is
/// not in the book.
pub(super) fn itemise(
    book: &FontBook,
    text: &str,
    edits: &[Edit],
    style: &TextStyle,
    language: &Language,
) -> Result<(Vec<Paragraph>, Vec<MissingCluster>)> {
    let mut paragraphs = split(text, edits);
    check_size(&paragraphs)?;
    let mut faces = Faces::choose(book, style, language, text)?;
    let mut missing = Vec::new();
    for paragraph in &mut paragraphs {
        let mut runs: Vec<Run> = Vec::new();
        for (start, cluster) in cluster::clusters(&paragraph.text) {
            let range = start..start + cluster.len();
            let face = match faces.for_cluster(cluster)? {
                Choice::Face(face) => face,
                Choice::Any => runs.last().map_or(faces.own, |run| run.face),
                Choice::None => {
                    let range = paragraph.source_range(range.clone());
                    missing.push(MissingCluster { text: cluster.to_owned(), range });
                    faces.own
                }
            };
            match runs.last_mut() {
                Some(run) if run.face == face => run.range.end = range.end,
                _ => runs.push(Run { range, face }),
            }
        }
        paragraph.runs = runs;
    }
    Ok((paragraphs, missing))
}

/// The paragraphs of `text`, cleaned, without runs. A text of n line breaks has n + 1 of them.
fn split(text: &str, edits: &[Edit]) -> Vec<Paragraph> {
    let mut paragraphs = vec![Paragraph::default()];
    let mut in_step = false;
    let mut after_return = false;
    let mut edits = edits.iter().peekable();
    for (offset, c) in text.char_indices() {
        while edits.next_if(|edit| edit.range.end <= offset).is_some() {}
        if let Some(edit) = edits.peek().filter(|edit| edit.range.contains(&offset)) {
            if let Some((paragraph, with)) = paragraphs.last_mut().zip(edit.with).filter(|_| offset == edit.range.start)
            {
                let instead = Some(edit.range.len());
                paragraph.steps.push(Step { clean: paragraph.text.len(), source: offset, instead });
                paragraph.text.push(with);
            }
            (in_step, after_return) = (false, false);
            continue;
        }
        let second_half = after_return && c == '\n';
        after_return = c == '\r';
        if cluster::is_line_break(c) {
            if !second_half {
                paragraphs.push(Paragraph::default());
            }
            in_step = false;
        } else if cluster::is_dropped(c) {
            in_step = false;
        } else if let Some(paragraph) = paragraphs.last_mut() {
            if !in_step {
                paragraph.steps.push(Step { clean: paragraph.text.len(), source: offset, instead: None });
                in_step = true;
            }
            paragraph.text.push(c);
        }
    }
    paragraphs
}

fn check_size(paragraphs: &[Paragraph]) -> Result<()> {
    let mut clusters = paragraphs.len() - 1;
    for (_, cluster) in paragraphs.iter().flat_map(|paragraph| cluster::clusters(&paragraph.text)) {
        clusters += 1;
        let scalars = cluster.chars().count();
        if scalars > MAX_CLUSTER_SCALARS {
            return Err(Error::new(
                ErrorKind::Validation,
                format!(
                    "character {clusters} of the text is made of {scalars} code points; at most {MAX_CLUSTER_SCALARS} are set"
                ),
            )
            .suggest("remove the combining marks and joiners piled up there"));
        }
    }
    if clusters > MAX_CHARACTERS {
        return Err(Error::new(
            ErrorKind::Validation,
            format!("the text has {clusters} characters; at most {MAX_CHARACTERS} are set"),
        ));
    }
    Ok(())
}

/// The face that the style names.
///
/// # Errors
///
/// `FONT_MISSING` if the book has no such family or not in that weight.
pub(super) fn own_face(book: &FontBook, style: &TextStyle) -> Result<FaceId> {
    let own = book.faces().find(|(_, face)| is_family(face, style) && face.weight == style.weight);
    if let Some((own, _)) = own {
        return Ok(own);
    }
    let weights: BTreeSet<u16> =
        book.faces().filter(|(_, face)| is_family(face, style)).map(|(_, face)| face.weight).collect();
    if weights.is_empty() {
        let families: BTreeSet<&str> =
            book.faces().filter(|(_, face)| !face.colour).map(|(_, face)| face.family.as_str()).collect();
        let families: Vec<&str> = families.into_iter().collect();
        return Err(Error::new(ErrorKind::FontMissing, format!("the font book has no family {:?}", style.family))
            .suggest(crate::request::nearest(&style.family, &families)));
    }
    let near = weights.iter().min_by_key(|weight| weight.abs_diff(style.weight)).copied().unwrap_or_default();
    let list = weights.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::new(ErrorKind::FontMissing, format!("{} has no weight {}; it has {list}", style.family, style.weight))
        .suggest(format!("use {near}, or add a font file with that weight")))
}

fn is_family(face: &Face, style: &TextStyle) -> bool {
    !face.colour && face.family.eq_ignore_ascii_case(&style.family)
}

/// The faces that a text may use, in the order they are tried.
struct Faces<'b> {
    own: FaceId,
    letters: Vec<FaceId>,
    colour: Option<FaceId>,
    coverage: Coverage<'b>,
    known: HashMap<char, Choice>,
}

/// Which characters faces have; each is opened when first asked.
struct Coverage<'b> {
    book: &'b FontBook,
    open: Vec<Option<FontRef<'b>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Face(FaceId),
    /// No ink: whatever the neighbour has.
    Any,
    None,
}

impl<'b> Faces<'b> {
    fn choose(book: &'b FontBook, style: &TextStyle, language: &Language, text: &str) -> Result<Self> {
        let own = own_face(book, style)?;
        // Of each fallback family the weight nearest to the style's.
        let mut letters: Vec<FaceId> = vec![own];
        let mut families: Vec<(&str, FaceId, u16)> = Vec::new();
        for (id, face) in book.faces().filter(|(_, face)| !face.colour && !is_family(face, style)) {
            let distance = face.weight.abs_diff(style.weight);
            match families.iter_mut().find(|(family, ..)| *family == face.family) {
                Some(entry) if distance < entry.2 => *entry = (&face.family, id, distance),
                Some(_) => {}
                None => families.push((&face.family, id, distance)),
            }
        }
        order_by_language(&mut families, language, text);
        letters.extend(families.iter().map(|&(_, id, _)| id));
        let colour = book.faces().find(|(_, face)| face.colour).map(|(id, _)| id);
        let coverage = Coverage { book, open: book.faces().map(|_| None).collect() };
        Ok(Self { own, letters, colour, coverage, known: HashMap::new() })
    }

    fn for_cluster(&mut self, cluster: &str) -> Result<Choice> {
        let mut chars = cluster.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => {
                if let Some(&choice) = self.known.get(&c) {
                    return Ok(choice);
                }
                let choice = self.find(cluster)?;
                self.known.insert(c, choice);
                Ok(choice)
            }
            _ => self.find(cluster),
        }
    }

    fn find(&mut self, cluster: &str) -> Result<Choice> {
        let base_is_emoji = match self.colour.zip(cluster.chars().next()) {
            // Nothing below is an emoji by itself, and the emoji font need not be read for plain letters.
            Some((face, base)) if base > '\u{A8}' => self.coverage.has(face, base)?,
            _ => false,
        };
        let as_emoji = self.colour.map_or(Choice::None, Choice::Face);
        Ok(match cluster::presentation(cluster, base_is_emoji) {
            Presentation::Invisible => Choice::Any,
            Presentation::Emoji => as_emoji,
            Presentation::Text => self.find_letters(cluster)?,
            Presentation::TextIfAvailable => match self.find_letters(cluster)? {
                Choice::None => as_emoji,
                found => found,
            },
        })
    }

    fn find_letters(&mut self, cluster: &str) -> Result<Choice> {
        for &face in &self.letters {
            if self.coverage.has_all(face, cluster)? {
                return Ok(Choice::Face(face));
            }
        }
        // The shaper makes every width of space from the plain one.
        Ok(if cluster.chars().all(char::is_whitespace) { Choice::Any } else { Choice::None })
    }
}

impl Coverage<'_> {
    fn has(&mut self, id: FaceId, c: char) -> Result<bool> {
        let Some(slot) = self.open.get_mut(usize::from(id.0)) else { return Ok(false) };
        if slot.is_none() {
            *slot = self.book.face(id).map(Face::open).transpose()?;
        }
        Ok(slot.as_ref().is_some_and(|font| font.glyph_id(c).0 != 0))
    }

    /// Whether the face has every character of the cluster that needs a glyph.
    fn has_all(&mut self, id: FaceId, cluster: &str) -> Result<bool> {
        for c in cluster.chars().filter(|&c| !cluster::is_invisible(c) && c != '\t') {
            if !self.has(id, c)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The forms of Han characters, as the names of font families end.
const HAN_FORMS: [&str; 5] = ["JP", "KR", "SC", "TC", "HK"];

/// Puts the face that a language is read in before others that have the same letters.
fn order_by_language(families: &mut [(&str, FaceId, u16)], language: &Language, text: &str) {
    let mut to_front = |of: &dyn Fn(&str) -> bool, wanted: &dyn Fn(&str) -> bool| {
        let first = families.iter().position(|(family, ..)| of(family));
        let chosen = families.iter().position(|(family, ..)| wanted(family));
        if let Some((first, chosen)) = first.zip(chosen).filter(|(first, chosen)| first < chosen) {
            families[first..=chosen].rotate_right(1);
        }
    };
    let form = |family: &str| HAN_FORMS.iter().copied().find(|form| family.ends_with(&format!(" {form}")));
    let wanted = language.han().unwrap_or_else(|| han_of_letters(text));
    to_front(&|family| form(family).is_some(), &|family| form(family) == Some(wanted) && !family.contains("Mono"));
    if language.is_urdu(text) {
        to_front(&|family| family.contains("Arabic"), &|family| family.contains("Nastaliq"));
    }
}

/// Who writes Han characters beside such letters: kana, Hangul, bopomofo; else simplified Chinese.
fn han_of_letters(text: &str) -> &'static str {
    let form = |c: char| match c {
        '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' => Some("JP"),
        '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}' => Some("KR"),
        '\u{3105}'..='\u{312F}' => Some("TC"),
        _ => None,
    };
    text.chars().find_map(form).unwrap_or("SC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn itemise(book: &FontBook, text: &str, style: &TextStyle) -> Result<(Vec<Paragraph>, Vec<MissingCluster>)> {
        super::itemise(book, text, &[], style, &Language::default())
    }

    fn texts(text: &str) -> Vec<String> {
        split(text, &[]).into_iter().map(|paragraph| paragraph.text).collect()
    }

    #[test]
    fn every_line_break_is_kept_and_controls_are_not() {
        assert_eq!(texts("a\nb\r\nc\u{2028}d\re"), ["a", "b", "c", "d", "e"]);
        assert_eq!(texts("a\n\n\r\n\rb\n"), ["a", "", "", "", "b", ""]);
        assert_eq!(texts("a\0b\u{1B}[1m\tc\u{9F}"), ["ab[1m\tc"]);
        assert_eq!(texts(""), [""]);
    }

    #[test]
    fn ranges_lead_back_to_the_source() {
        let source = "é\0xy\nzw\u{7}";
        let paragraphs = split(source, &[]);
        assert_eq!(&source[paragraphs[0].source_range(2..4)], "xy");
        assert_eq!(&source[paragraphs[0].source_range(0..4)], "é\0xy");
        assert_eq!(&source[paragraphs[1].source_range(0..2)], "zw");
        assert_eq!(paragraphs[1].source_range(2..2).len(), 0);
    }

    #[test]
    fn each_cluster_gets_the_face_that_has_it() {
        let book = FontBook::installed().expect("fonts");
        let (paragraphs, missing) =
            itemise(&book, "a\u{301} שלום 🧠 © नमस्ते 𝗯", &TextStyle::default()).expect("itemised");
        let families: Vec<&str> = paragraphs[0].runs.iter().filter_map(|run| book.family_of(run.face)).collect();
        assert_eq!(
            families,
            [
                "Inter",
                "Noto Sans Hebrew",
                "Inter",
                "Noto Color Emoji",
                "Inter",
                "Noto Sans Devanagari",
                "Inter",
                "Noto Sans Math"
            ]
        );
        assert_eq!(missing, []);
    }

    #[test]
    fn what_no_face_has_is_listed_with_its_place() {
        let book = FontBook::installed().expect("fonts");
        let (_, missing) = itemise(&book, "ok \u{1FAE9}\n\u{13000}", &TextStyle::default()).expect("itemised");
        let listed: Vec<(&str, usize)> = missing.iter().map(|m| (m.text.as_str(), m.range.start)).collect();
        assert_eq!(listed, [("\u{1FAE9}", 3), ("\u{13000}", 8)]);
    }

    #[test]
    fn edits_lead_back_to_the_source() {
        let source = "a🧠b🧠\nc";
        let edits = [Edit { range: 1..5, with: Some('□') }, Edit { range: 6..10, with: None }];
        let paragraphs = split(source, &edits);
        assert_eq!(paragraphs[0].text, "a□b");
        assert_eq!(paragraphs[0].source_range(1..4), 1..5);
        assert_eq!(paragraphs[0].source_range(0..5), 0..6);
        assert_eq!(paragraphs[0].source_range(4..5), 5..6);
        assert_eq!(paragraphs[1].source_range(0..1), 11..12);
    }

    #[test]
    fn a_language_chooses_between_faces_with_the_same_letters() {
        let book = FontBook::installed().expect("fonts");
        let family = |text: &str, tag: Option<&str>| {
            let language = Language::parse(tag).expect("a tag");
            let (paragraphs, missing) =
                super::itemise(&book, text, &[], &TextStyle::default(), &language).expect("itemised");
            assert_eq!(missing, []);
            book.family_of(paragraphs[0].runs[0].face).expect("a face").to_owned()
        };
        assert_eq!(family("骨", None), "Noto Sans CJK SC");
        assert_eq!(family("骨が", None), "Noto Sans CJK JP");
        assert_eq!(family("漢字 한국", None), "Noto Sans CJK KR");
        assert_eq!(family("骨", Some("ja")), "Noto Sans CJK JP");
        assert_eq!(family("骨", Some("zh-HK")), "Noto Sans CJK HK");
        assert_eq!(family("骨", Some("zh-Hant")), "Noto Sans CJK TC");
        assert_eq!(family("زندگی", None), "Noto Sans Arabic");
        assert_eq!(family("زندگی", Some("ur")), "Noto Nastaliq Urdu");
    }

    #[test]
    fn a_family_or_weight_that_is_not_there_is_said() {
        let book = FontBook::installed().expect("fonts");
        let message = |style: TextStyle| itemise(&book, "a", &style).expect_err("refused").message().to_owned();
        let other = TextStyle { family: "Comic Sans".to_owned(), ..TextStyle::default() };
        assert!(message(other).contains("no family \"Comic Sans\""));
        let light = TextStyle { weight: 123, ..TextStyle::default() };
        assert!(message(light).contains("no weight 123; it has 500, 600, 700"));
    }
}
