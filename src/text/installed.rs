//! The engine's default fonts: files of four Debian packages, by path, in the order that they are tried.
//!
//! The list is the same on every machine and its faces go into the cache keys, so a host with other fonts cannot change
//! a picture unnoticed. On Debian 12 it supports emoji up to Unicode 15.1 (Noto Color Emoji 2.042).

use std::path::PathBuf;

use super::book::FontBook;
use crate::error::{Error, ErrorKind, Result};

const INTER: &str = "/usr/share/fonts/opentype/inter";
const NOTO: &str = "/usr/share/fonts/truetype/noto";

/// Nothing can be set without these: the face of the default style, and emoji.
const MANDATORY: [(&str, &str, &str); 2] =
    [(INTER, "Inter-Bold.otf", "fonts-inter"), (NOTO, "NotoColorEmoji.ttf", "fonts-noto-color-emoji")];

/// Further weights of the default family.
const WEIGHTS: [&str; 4] = ["Inter-Medium.otf", "Inter-SemiBold.otf", "Inter-ExtraBold.otf", "Inter-Black.otf"];

/// Chinese, Japanese and Korean, from fonts-noto-cjk: five faces for the forms of Han characters, and five of one width.
const CJK: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc";

/// What Inter lacks, from fonts-noto-core. Noto Sans first: further Latin, Greek, Cyrillic, and Devanagari's marks in
/// transliteration. Symbols last: they have letters too, and a script's own font must win.
const FALLBACKS: [&str; 26] = [
    "NotoSans-Bold.ttf",
    "NotoSansArabic-Bold.ttf",
    "NotoNastaliqUrdu-Bold.ttf",
    "NotoSansHebrew-Bold.ttf",
    "NotoSansDevanagari-Bold.ttf",
    "NotoSansBengali-Bold.ttf",
    "NotoSansTamil-Bold.ttf",
    "NotoSansThai-Bold.ttf",
    "NotoSansArmenian-Bold.ttf",
    "NotoSansGeorgian-Bold.ttf",
    "NotoSansEthiopic-Bold.ttf",
    "NotoSansGujarati-Bold.ttf",
    "NotoSansGurmukhi-Bold.ttf",
    "NotoSansKannada-Bold.ttf",
    "NotoSansMalayalam-Bold.ttf",
    "NotoSansTelugu-Bold.ttf",
    "NotoSansSinhala-Bold.ttf",
    "NotoSansLao-Bold.ttf",
    "NotoSansKhmer-Bold.ttf",
    "NotoSansMyanmar-Bold.ttf",
    "NotoSansOriya-Bold.ttf",
    "NotoSerifTibetan-Bold.ttf",
    "NotoSansThaana-Bold.ttf",
    "NotoSansSymbols-Bold.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansMath-Regular.ttf",
];

impl FontBook {
    /// The engine's default fonts: Inter in five weights, Noto Color Emoji, and Noto Sans for other scripts, from the
    /// Debian packages fonts-inter, fonts-noto-color-emoji, fonts-noto-core and fonts-noto-cjk.
    ///
    /// A fallback face that is not installed is simply not in the book; a text that needs it is then refused by name.
    ///
    /// # Errors
    ///
    /// `FONT_MISSING` if Inter Bold or Noto Color Emoji is not installed, with the package to install.
    pub fn installed() -> Result<Self> {
        Self::installed_and(&[])
    }

    /// Further fonts, files or folders, and after them those of [`installed`](Self::installed): a style can name them,
    /// and what they have is taken before the default fallbacks.
    ///
    /// # Errors
    ///
    /// As [`installed`](Self::installed) and [`from_paths`](Self::from_paths).
    pub fn installed_and(further: &[PathBuf]) -> Result<Self> {
        let mut paths = further.to_vec();
        for (folder, file, package) in MANDATORY {
            let path = PathBuf::from(folder).join(file);
            if !path.is_file() {
                return Err(Error::new(
                    ErrorKind::FontMissing,
                    format!("the font {} is not installed", path.display()),
                )
                .suggest(format!("install it: apt-get install {package}")));
            }
            paths.push(path);
        }
        let weights = WEIGHTS.iter().map(|file| PathBuf::from(INTER).join(file));
        let fallbacks = FALLBACKS.iter().map(|file| PathBuf::from(NOTO).join(file));
        let all = weights.chain(fallbacks).chain([PathBuf::from(CJK)]);
        paths.extend(all.filter(|path| path.is_file()));
        Self::from_paths(&paths)
    }
}
