//! The fonts that text is set in: explicit files, with one hash over all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ab_glyph::{Font as _, FontRef, VariableFont as _};
use cosmic_text::FontSystem;
use cosmic_text::fontdb::{self, Database, FaceInfo, Language, Source, Style, Weight};
use serde::{Deserialize, Serialize};

use super::glyph;
use crate::error::{Error, ErrorKind, Result};

/// Number of a face in its [`FontBook`], from 0, in the order of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaceId(pub u16);

/// A fixed, ordered set of font faces. Cheap to clone and to share between threads.
///
/// Faces that the style does not name are fallbacks, tried in the order of the files; a face with colour bitmaps is
/// used for emoji only. Shaping state is kept warm inside, one per thread that uses the book at the same time.
#[derive(Clone)]
pub struct FontBook(Arc<Inner>);

struct Inner {
    faces: Vec<Face>,
    hash: blake3::Hash,
    database: Database,
    ids: BTreeMap<fontdb::ID, FaceId>,
    idle: Mutex<Vec<FontSystem>>,
}

/// One face of a font file.
pub(super) struct Face {
    /// The typographic family.
    pub(super) family: String,
    /// 1 to 1000; 700 is bold.
    pub(super) weight: u16,
    /// Whether its glyphs are colour bitmaps.
    pub(super) colour: bool,
    /// The name that the shaper knows it by; unique, so that the shaper never chooses between faces.
    pub(super) key: String,
    bytes: Arc<Vec<u8>>,
    index: u32,
}

impl FontBook {
    /// Reads font files (TrueType, OpenType, collections) in the given order.
    ///
    /// # Errors
    ///
    /// `FONT_MISSING` if a file cannot be read or the list is empty; `SOURCE_UNSUPPORTED` if one is not a font, is
    /// slanted, or is a variable font (only static upright faces are set).
    pub fn from_files(paths: &[PathBuf]) -> Result<Self> {
        let mut faces = Vec::new();
        let mut hasher = blake3::Hasher::new();
        for path in paths {
            let bytes = std::fs::read(path).map_err(|error| {
                Error::new(ErrorKind::FontMissing, format!("the font {} cannot be read", path.display()))
                    .caused_by(error)
            })?;
            hasher.update(blake3::hash(&bytes).as_bytes());
            read_faces(path, Arc::new(bytes), &mut faces)?;
        }
        if faces.is_empty() || faces.len() > usize::from(u16::MAX) {
            let found = faces.len();
            return Err(Error::new(ErrorKind::FontMissing, format!("a font book needs 1 to 65535 faces, not {found}")));
        }
        let mut database = Database::new();
        let mut ids = BTreeMap::new();
        for (number, face) in (0..).zip(&faces) {
            ids.insert(database.push_face_info(face.info()), FaceId(number));
        }
        Ok(Self(Arc::new(Inner { faces, hash: hasher.finalize(), database, ids, idle: Mutex::default() })))
    }

    /// BLAKE3 over the contents of all files in order. Goes into the key of everything that text was drawn on.
    pub fn hash(&self) -> blake3::Hash {
        self.0.hash
    }

    /// The number of faces.
    pub fn face_count(&self) -> usize {
        self.0.faces.len()
    }

    /// The family of a face of this book, such as `Noto Sans Arabic`; `None` if the book has no such face.
    pub fn family_of(&self, face: FaceId) -> Option<&str> {
        self.face(face).map(|face| face.family.as_str())
    }

    pub(super) fn face(&self, id: FaceId) -> Option<&Face> {
        self.0.faces.get(usize::from(id.0))
    }

    pub(super) fn faces(&self) -> impl Iterator<Item = (FaceId, &Face)> {
        (0..).map(FaceId).zip(&self.0.faces)
    }

    /// The face that the shaper calls `id`.
    pub(super) fn id_of(&self, id: fontdb::ID) -> Option<FaceId> {
        self.0.ids.get(&id).copied()
    }

    /// Lends a warm shaper to `work`. One is made when all others are lent.
    pub(super) fn with_shaper<T>(&self, work: impl FnOnce(&mut FontSystem) -> T) -> T {
        let lent = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut shaper = lent.unwrap_or_else(|| {
            let database = self.0.database.clone();
            // Its own fallback never applies: it goes by families' names, and here these are keys.
            FontSystem::new_with_locale_and_db("en-US".to_owned(), database)
        });
        let result = work(&mut shaper);
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(shaper);
        result
    }
}

impl fmt::Debug for FontBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faces = self.0.faces.iter().map(|face| format!("{} {}", face.family, face.weight));
        f.debug_struct("FontBook").field("hash", &self.0.hash).field("faces", &faces.collect::<Vec<_>>()).finish()
    }
}

impl Face {
    /// Parses the face's tables.
    pub(super) fn open(&self) -> Result<FontRef<'_>> {
        FontRef::try_from_slice_and_index(&self.bytes, self.index).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the face {} was read before and is not now", self.family))
                .caused_by(error)
        })
    }

    fn info(&self) -> FaceInfo {
        FaceInfo {
            id: fontdb::ID::dummy(),
            source: Source::Binary(Arc::clone(&self.bytes) as _),
            index: self.index,
            families: vec![(self.key.clone(), Language::English_UnitedStates)],
            post_script_name: self.key.clone(),
            style: Style::Normal,
            // The shaper takes a face only if its weight is exactly the one asked for. All have the same one, and the
            // key tells them apart.
            weight: Weight::NORMAL,
            stretch: fontdb::Stretch::Normal,
            monospaced: false,
        }
    }
}

/// Adds the faces of one file.
fn read_faces(path: &Path, bytes: Arc<Vec<u8>>, faces: &mut Vec<Face>) -> Result<()> {
    let unsupported = |what: &str| Error::new(ErrorKind::SourceUnsupported, format!("{} {what}", path.display()));
    let mut reader = Database::new();
    reader.load_font_source(Source::Binary(Arc::clone(&bytes) as _));
    if reader.is_empty() {
        return Err(unsupported("is not a font"));
    }
    for info in reader.faces() {
        let font = FontRef::try_from_slice_and_index(&bytes, info.index)
            .map_err(|error| unsupported("is a damaged font").caused_by(error))?;
        if !font.variations().is_empty() {
            return Err(unsupported("is a variable font").suggest("use a static instance of it"));
        }
        if info.style != Style::Normal {
            return Err(unsupported("is a slanted font").suggest("use the upright one"));
        }
        if !font.units_per_em().is_some_and(|units| units >= 16.0) {
            return Err(unsupported("is a damaged font: it has no em size"));
        }
        faces.push(Face {
            family: info.families.first().map_or_else(|| info.post_script_name.clone(), |(name, _)| name.clone()),
            weight: info.weight.0,
            colour: glyph::has_colour_bitmaps(&font),
            key: format!("face {}", faces.len()),
            bytes: Arc::clone(&bytes),
            index: info.index,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_shared<T: Send + Sync + Clone>(_: &T) {}

    #[test]
    fn the_installed_book_has_its_faces_and_a_stable_hash() {
        let book = FontBook::installed().expect("the font packages are installed");
        assert_shared(&book);
        let has = |family: &str, weight: u16| book.faces().any(|(_, f)| f.family == family && f.weight == weight);
        assert!(has("Inter", 700) && has("Inter", 500) && has("Inter", 900), "{book:?}");
        assert!(has("Noto Sans Arabic", 700), "{book:?}");
        let colour: Vec<&str> = book.faces().filter(|(_, f)| f.colour).map(|(_, f)| f.family.as_str()).collect();
        assert_eq!(colour, ["Noto Color Emoji"]);
        assert_eq!(book.hash(), FontBook::installed().expect("again").hash());
    }

    #[test]
    fn what_is_not_a_font_is_refused() {
        let code = |path: &str| FontBook::from_files(&[PathBuf::from(path)]).expect_err("refused").code();
        assert_eq!(code("/nonexistent/font.ttf"), "FONT_MISSING");
        assert_eq!(code("/etc/passwd"), "SOURCE_UNSUPPORTED");
        assert_eq!(FontBook::from_files(&[]).expect_err("refused").code(), "FONT_MISSING");
    }
}
