//! The fonts that text is set in: explicit files, with one hash over all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ab_glyph::{Font as _, FontRef, VariableFont as _};
use cosmic_text::FontSystem;
use cosmic_text::fontdb::{self, Database, FaceInfo, Language, Source, Style, Weight};
use serde::{Deserialize, Serialize};

use super::cache::GlyphCache;
use super::glyph;
use crate::error::{Error, ErrorKind, Result};

/// Number of a face in its [`FontBook`], from 0, in the order of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaceId(pub u16);

/// The largest font file, bytes; the largest of the default fonts has 20 MB.
const MAX_FONT_BYTES: u64 = 64 << 20;
/// The most files in a book, and how deep folders are searched.
const MAX_FILES: usize = 1_000;
const MAX_DEPTH: usize = 8;
/// The endings of font files, in folders.
const ENDINGS: [&str; 4] = ["ttf", "otf", "ttc", "otc"];

/// A fixed, ordered set of font faces. Cheap to clone and to share between threads.
///
/// All files are read once, when the book is made, for their names and their hashes; what is in them is kept in memory
/// only for those that a text has needed. Faces that the style does not name are fallbacks, tried in the order of the files; a face with colour bitmaps is
/// used for emoji only. Shaping state is kept warm inside, one per thread that uses the book at the same time, and glyphs
/// that were drawn, at most 16 MB.
#[derive(Clone)]
pub struct FontBook(Arc<Inner>);

struct Inner {
    files: Vec<Arc<FontFile>>,
    faces: Vec<Face>,
    hash: blake3::Hash,
    database: Database,
    ids: BTreeMap<fontdb::ID, FaceId>,
    idle: Mutex<Vec<FontSystem>>,
    glyphs: GlyphCache,
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
    file: Arc<FontFile>,
    index: u32,
}

/// A font file. Its bytes are read again when they are first needed, and must still be the same.
struct FontFile {
    path: PathBuf,
    hash: blake3::Hash,
    bytes: OnceLock<Vec<u8>>,
}

impl FontFile {
    fn bytes(&self) -> Result<&[u8]> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes);
        }
        let bytes = read(&self.path)?;
        if blake3::hash(&bytes) != self.hash {
            let message = format!("the font {} was changed after it was loaded", self.path.display());
            return Err(Error::new(ErrorKind::FontMissing, message).suggest("start the engine again"));
        }
        Ok(self.bytes.get_or_init(|| bytes))
    }
}

/// For the shaper, which takes no errors: a font without bytes has no glyphs. [`Face::open`] tells what is wrong.
impl AsRef<[u8]> for FontFile {
    fn as_ref(&self) -> &[u8] {
        self.bytes().unwrap_or_default()
    }
}

impl FontBook {
    /// Reads fonts (TrueType, OpenType, collections; static and upright) in the given order. Of a folder all fonts in
    /// it and in its folders are read, in the order of their paths.
    ///
    /// # Errors
    ///
    /// `FONT_MISSING` if a file cannot be read or there is none; `SOURCE_UNSUPPORTED` if one is not a font, is slanted,
    /// or is a variable font (only static upright faces are set); `LIMIT_EXCEEDED` if one has more than 64 MiB or there
    /// are more than 1,000.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self> {
        let mut found = Vec::new();
        for path in paths {
            find_fonts(path, 0, &mut found)?;
        }
        if found.len() > MAX_FILES {
            let message = format!("there are {} font files; at most {MAX_FILES} are read", found.len());
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        let mut files = Vec::new();
        let mut faces = Vec::new();
        let mut hasher = blake3::Hasher::new();
        for path in found {
            let bytes = read(&path)?;
            let file = Arc::new(FontFile { path, hash: blake3::hash(&bytes), bytes: OnceLock::new() });
            hasher.update(file.hash.as_bytes());
            read_faces(&file, bytes, &mut faces)?;
            files.push(file);
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
        Ok(Self(Arc::new(Inner {
            files,
            faces,
            hash: hasher.finalize(),
            database,
            ids,
            idle: Mutex::default(),
            glyphs: GlyphCache::default(),
        })))
    }

    /// Glyphs of the book that were drawn.
    pub(super) fn glyphs(&self) -> &GlyphCache {
        &self.0.glyphs
    }

    /// BLAKE3 over the contents of all files in order. Goes into the key of everything that text was drawn on.
    pub fn hash(&self) -> blake3::Hash {
        self.0.hash
    }

    /// The files, each with the BLAKE3 hash of its content, in order.
    pub fn files(&self) -> impl Iterator<Item = (&Path, blake3::Hash)> {
        self.0.files.iter().map(|file| (file.path.as_path(), file.hash))
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
        FontRef::try_from_slice_and_index(self.file.bytes()?, self.index).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the face {} was read before and is not now", self.family))
                .caused_by(error)
        })
    }

    fn info(&self) -> FaceInfo {
        FaceInfo {
            id: fontdb::ID::dummy(),
            source: Source::Binary(Arc::clone(&self.file) as _),
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

fn read(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::FontMissing, format!("the font {} cannot be read", path.display())).caused_by(error)
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    // Opening a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a file")));
    }
    let length = metadata.len();
    if length > MAX_FONT_BYTES {
        let message = format!("the font {} has {length} bytes; the limit is {MAX_FONT_BYTES}", path.display());
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    std::fs::read(path).map_err(unreadable)
}

/// Adds the file, or the fonts in the folder.
fn find_fonts(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::FontMissing, format!("the folder {} cannot be read", path.display())).caused_by(error)
    };
    let entries = std::fs::read_dir(path).map_err(unreadable)?;
    let mut entries =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(unreadable)?;
    // Folders list their entries in any order.
    entries.sort();
    for entry in entries {
        let ending = entry.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let is_font = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
        if (entry.is_dir() && depth < MAX_DEPTH) || (entry.is_file() && is_font) {
            find_fonts(&entry, depth + 1, found)?;
        }
        if found.len() > MAX_FILES {
            break;
        }
    }
    Ok(())
}

/// The most faces of a font collection; Noto Sans CJK has ten.
const MAX_COLLECTION: u32 = 256;

/// Adds the faces of one file.
fn read_faces(file: &Arc<FontFile>, bytes: Vec<u8>, faces: &mut Vec<Face>) -> Result<()> {
    let unsupported = |what: &str| Error::new(ErrorKind::SourceUnsupported, format!("{} {what}", file.path.display()));
    // The reader makes room for as many faces as a collection's header promises (OpenType, "Font Collections").
    let promised = match bytes.get(..12) {
        Some([b't', b't', b'c', b'f', _, _, _, _, count @ ..]) => count.try_into().map_or(0, u32::from_be_bytes),
        _ => 1,
    };
    if promised > MAX_COLLECTION {
        return Err(unsupported("is a collection of too many fonts, or damaged"));
    }
    let bytes = Arc::new(bytes);
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
            file: Arc::clone(file),
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
        let code = |path: &str| FontBook::from_paths(&[PathBuf::from(path)]).expect_err("refused").code();
        assert_eq!(code("/nonexistent/font.ttf"), "FONT_MISSING");
        assert_eq!(code("/etc/passwd"), "SOURCE_UNSUPPORTED");
        assert_eq!(FontBook::from_paths(&[]).expect_err("refused").code(), "FONT_MISSING");
        assert_eq!(code("/usr/share/doc/base-files"), "FONT_MISSING", "a folder without fonts");
    }

    #[test]
    fn a_folder_gives_its_fonts_in_order_and_each_has_a_hash() {
        let folder = tempfile::tempdir().expect("a folder");
        let inter = Path::new("/usr/share/fonts/opentype/inter");
        std::fs::create_dir(folder.path().join("b")).expect("a folder");
        for (file, name) in [("Inter-Bold.otf", "b/z.otf"), ("Inter-Black.otf", "c.OTF"), ("Inter-Medium.otf", "a.otf")]
        {
            std::fs::copy(inter.join(file), folder.path().join(name)).expect("copied");
        }
        std::fs::write(folder.path().join("OFL.txt"), "a licence").expect("written");
        let book = FontBook::from_paths(&[folder.path().to_owned()]).expect("fonts");
        let weights: Vec<u16> = book.faces().map(|(_, face)| face.weight).collect();
        assert_eq!(weights, [500, 700, 900]);
        let bold = std::fs::read(inter.join("Inter-Bold.otf")).expect("there");
        let hashes: Vec<blake3::Hash> = book.files().map(|(_, hash)| hash).collect();
        assert_eq!(hashes[1], blake3::hash(&bold));

        // What is no longer what was hashed is not set.
        std::fs::copy(inter.join("Inter-Bold.otf"), folder.path().join("a.otf")).expect("copied");
        let face = book.face(FaceId(0)).expect("a face");
        assert_eq!(face.open().map(drop).expect_err("refused").code(), "FONT_MISSING");
    }
}
