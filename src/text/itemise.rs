//! From text to runs: paragraphs between line breaks, and in them runs of clusters that one face has.

use std::collections::HashMap;
use std::ops::Range;

use ab_glyph::{Font as _, FontRef};
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::book::{Face, FaceId, FontBook};
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
    /// Pairs of (offset in `text`, offset in the source) where the two start to run in step.
    steps: Vec<(usize, usize)>,
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
        Self { text: text.to_owned(), runs: vec![Run { range: 0..text.len(), face }], steps: vec![(0, 0)] }
    }

    /// The bytes of the source that `range` of the cleaned text came from.
    pub(super) fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let source = |offset: usize| {
            let step = self.steps.partition_point(|&(clean, _)| clean <= offset).saturating_sub(1);
            self.steps.get(step).map_or(offset, |&(clean, source)| source + (offset - clean))
        };
        let start = source(range.start);
        // Through the last byte: a dropped character after the range is not part of it.
        if range.is_empty() { start..start } else { start..source(range.end - 1) + 1 }
    }
}

/// Cuts `text` into paragraphs and runs. Clusters that no face has are listed and set in the style's own face.
///
/// # Errors
///
/// `VALIDATION` if the text is too long or piles too many marks on one character, `FONT_MISSING` if the style's face is
/// not in the book.
pub(super) fn itemise(book: &FontBook, text: &str, style: &TextStyle) -> Result<(Vec<Paragraph>, Vec<MissingCluster>)> {
    let mut paragraphs = split(text);
    check_size(&paragraphs)?;
    let mut faces = Faces::choose(book, style)?;
    let mut missing = Vec::new();
    for paragraph in &mut paragraphs {
        let mut runs: Vec<Run> = Vec::new();
        for (start, cluster) in paragraph.text.grapheme_indices(true) {
            let range = start..start + cluster.len();
            let face = match faces.for_cluster(cluster) {
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
fn split(text: &str) -> Vec<Paragraph> {
    let mut paragraphs = vec![Paragraph::default()];
    let mut in_step = false;
    let mut after_return = false;
    for (offset, c) in text.char_indices() {
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
                paragraph.steps.push((paragraph.text.len(), offset));
                in_step = true;
            }
            paragraph.text.push(c);
        }
    }
    paragraphs
}

fn check_size(paragraphs: &[Paragraph]) -> Result<()> {
    let mut clusters = paragraphs.len() - 1;
    for cluster in paragraphs.iter().flat_map(|paragraph| paragraph.text.graphemes(true)) {
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
    let weights: Vec<String> =
        book.faces().filter(|(_, face)| is_family(face, style)).map(|(_, face)| face.weight.to_string()).collect();
    let what = if weights.is_empty() {
        format!("the font book has no family {:?}", style.family)
    } else {
        format!("{} has no weight {}; it has {}", style.family, style.weight, weights.join(", "))
    };
    Err(Error::new(ErrorKind::FontMissing, what))
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
    fn choose(book: &'b FontBook, style: &TextStyle) -> Result<Self> {
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
        letters.extend(families.iter().map(|&(_, id, _)| id));
        let colour = book.faces().find(|(_, face)| face.colour).map(|(id, _)| id);
        let coverage = Coverage { book, open: book.faces().map(|_| None).collect() };
        Ok(Self { own, letters, colour, coverage, known: HashMap::new() })
    }

    fn for_cluster(&mut self, cluster: &str) -> Choice {
        let mut chars = cluster.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => {
                if let Some(&choice) = self.known.get(&c) {
                    return choice;
                }
                let choice = self.find(cluster);
                self.known.insert(c, choice);
                choice
            }
            _ => self.find(cluster),
        }
    }

    fn find(&mut self, cluster: &str) -> Choice {
        let base = cluster.chars().next();
        let base_is_emoji = self.colour.zip(base).is_some_and(|(face, base)| self.coverage.has(face, base));
        let as_emoji = self.colour.map_or(Choice::None, Choice::Face);
        match cluster::presentation(cluster, base_is_emoji) {
            Presentation::Invisible => Choice::Any,
            Presentation::Emoji => as_emoji,
            Presentation::Text => self.find_letters(cluster),
            Presentation::TextIfAvailable => match self.find_letters(cluster) {
                Choice::None => as_emoji,
                found => found,
            },
        }
    }

    fn find_letters(&mut self, cluster: &str) -> Choice {
        let coverage = &mut self.coverage;
        let found = self.letters.iter().find(|&&face| {
            cluster.chars().filter(|&c| !cluster::is_invisible(c) && c != '\t').all(|c| coverage.has(face, c))
        });
        match found {
            Some(&face) => Choice::Face(face),
            // The shaper makes every width of space from the plain one.
            None if cluster.chars().all(char::is_whitespace) => Choice::Any,
            None => Choice::None,
        }
    }
}

impl Coverage<'_> {
    fn has(&mut self, id: FaceId, c: char) -> bool {
        let Some(slot) = self.open.get_mut(usize::from(id.0)) else { return false };
        if slot.is_none() {
            *slot = self.book.face(id).and_then(|face| face.open().ok());
        }
        slot.as_ref().is_some_and(|font| font.glyph_id(c).0 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        split(text).into_iter().map(|paragraph| paragraph.text).collect()
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
        let paragraphs = split(source);
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
        let (_, missing) = itemise(&book, "ok \u{1FAE9}\n漢", &TextStyle::default()).expect("itemised");
        let listed: Vec<(&str, usize)> = missing.iter().map(|m| (m.text.as_str(), m.range.start)).collect();
        assert_eq!(listed, [("\u{1FAE9}", 3), ("漢", 8)]);
    }

    #[test]
    fn a_family_or_weight_that_is_not_there_is_said() {
        let book = FontBook::installed().expect("fonts");
        let message = |style: TextStyle| itemise(&book, "a", &style).expect_err("refused").message().to_owned();
        let other = TextStyle { family: "Comic Sans".to_owned(), ..TextStyle::default() };
        assert!(message(other).contains("no family \"Comic Sans\""));
        let light = TextStyle { weight: 123, ..TextStyle::default() };
        assert!(message(light).contains("no weight 123; it has 700, 500"));
    }
}
