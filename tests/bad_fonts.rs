//! Fonts that somebody broke, and texts that nobody writes: a picture or a typed error, never a panic, a hang or much
//! memory.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use remix_engine::text::{Area, FontBook, TextBlock, TextStyle, lay_out, rasterise};

/// What is broken, its family, and a text that needs it.
const FONTS: [(&str, &str, &str); 5] = [
    ("opentype/inter/Inter-Bold.otf", "Inter", "Ångström fi ffl gjpqy"),
    ("truetype/noto/NotoSansDevanagari-Bold.ttf", "Noto Sans Devanagari", "ज़िंदगी क्ष त्र ज्ञ र्क"),
    ("truetype/noto/NotoNastaliqUrdu-Bold.ttf", "Noto Nastaliq Urdu", "یہ سادہ عادت"),
    ("truetype/noto/NotoSansArabic-Bold.ttf", "Noto Sans Arabic", "بِسْمِ ٱللَّهِ مرحبا"),
    ("truetype/noto/NotoColorEmoji.ttf", "Inter", "🧠 👨‍👩‍👧‍👦 🇩🇪"),
];

/// Sets a text with a font file; says whether it was drawn, or the code of the error.
fn set(file: &Path, family: &str, text: &str) -> Result<bool, String> {
    let inter = PathBuf::from("/usr/share/fonts/opentype/inter/Inter-Bold.otf");
    let mut paths = vec![file.to_owned()];
    if family != "Inter" || text.contains('🧠') {
        paths.push(inter);
    }
    let code = |error: remix_engine::Error| error.code().to_owned();
    let book = FontBook::from_paths(&paths).map_err(code)?;
    let style = TextStyle { family: family.to_owned(), ..TextStyle::default() };
    let block = TextBlock { style, ..TextBlock::new(text, Area { x: 0, y: 0, width: 600, height: 400 }) };
    let layout = lay_out(&book, &block).map_err(code)?;
    Ok(rasterise(&book, &layout).map_err(code)?.is_some())
}

/// Peak memory of this process, bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("has a peak");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") * 1024
}

/// A sequence of numbers that is the same in every run (Vigna's SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Damages a font: bytes anywhere, bytes of its tables' directory, numbers blown up, a part cut out, or its end.
fn damaged(font: &[u8], numbers: &mut Numbers, way: usize) -> Vec<u8> {
    let mut font = font.to_vec();
    let length = font.len();
    match way % 5 {
        0 => (0..64).for_each(|_| font[numbers.below(length)] = numbers.below(256) as u8),
        1 => (0..6).for_each(|_| font[numbers.below(400.min(length))] ^= 1 << numbers.below(8)),
        2 => {
            for _ in 0..24 {
                let at = numbers.below(length - 4);
                font[at..at + 2].copy_from_slice(&[0xFF, 0xFF]);
            }
        }
        3 => {
            let at = numbers.below(length - 1);
            font.drain(at..(at + numbers.below(4_096) + 1).min(length));
        }
        _ => font.truncate(numbers.below(length)),
    }
    font
}

#[test]
fn damaged_fonts_give_a_picture_or_a_typed_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let before = peak_memory();
    let mut numbers = Numbers(7);
    let (mut drawn, mut refused) = (0, 0);
    let largest =
        FONTS.map(|(path, ..)| fs::metadata(Path::new("/usr/share/fonts").join(path)).expect("is there").len());
    for (path, family, text) in FONTS {
        let good = fs::read(Path::new("/usr/share/fonts").join(path)).expect("is installed");
        for round in 0..60 {
            let file = folder.path().join("broken.ttf");
            fs::write(&file, damaged(&good, &mut numbers, round)).expect("can be written");
            let set = catch_unwind(AssertUnwindSafe(|| set(&file, family, text)));
            match set.unwrap_or_else(|_| unreachable!("{path}, round {round}: a panic")) {
                Ok(_) => drawn += 1,
                Err(code) => {
                    assert!(
                        matches!(code.as_str(), "FONT_MISSING" | "SOURCE_UNSUPPORTED" | "VALIDATION"),
                        "{path} {code}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(drawn > 20 && refused > 20, "both happen: {drawn} drawn, {refused} refused");
    let more = peak_memory() - before;
    let files: u64 = largest.iter().max().copied().unwrap_or_default();
    assert!(more < 200_000_000, "{more} bytes more than before, for fonts of at most {files}");
}

#[test]
fn what_is_no_font_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for content in [&b""[..], b"not a font", &[0; 5_000], b"OTTO\xFF\xFF\xFF\xFF", b"ttcf\0\x01\0\0\xFF\xFF\xFF\xFF"] {
        let file = folder.path().join("none.ttf");
        fs::write(&file, content).expect("can be written");
        let error = FontBook::from_paths(&[file]).expect_err("is refused");
        assert!(matches!(error.code(), "SOURCE_UNSUPPORTED" | "FONT_MISSING"), "{error}");
    }
}

#[test]
fn hostile_texts_give_a_picture_or_a_typed_error() {
    let before = peak_memory();
    let book = FontBook::installed().expect("the fonts are installed");
    let texts = [
        format!("a{}", "\u{301}".repeat(10_000)),
        "a\u{301}\u{302}\u{303}".repeat(500),
        "\u{200D}".repeat(2_000),
        "🧠\u{200D}".repeat(1_000),
        "\u{202E}a\u{202D}b\u{2067}c\u{2066}".repeat(250),
        "\u{2069}\u{202C}".repeat(1_000),
        (0..32).chain(127..160).filter_map(char::from_u32).collect::<String>().repeat(10),
        "\u{FFFD}\u{FFFF}\u{E000}\u{E0001}".repeat(300),
        "🇩".repeat(1_999),
        "﷽".repeat(2_000),
        "कि".repeat(1_000),
        "W".repeat(2_000),
        "\n".repeat(2_000),
        " \t".repeat(1_000),
    ];
    for text in texts {
        for language in [None, Some("ar"), Some("ja")] {
            let block = TextBlock {
                language: language.map(str::to_owned),
                ..TextBlock::new(text.as_str(), Area { x: 0, y: 0, width: 720, height: 1210 })
            };
            let drawn = lay_out(&book, &block).and_then(|layout| rasterise(&book, &layout));
            if let Err(error) = drawn {
                assert!(matches!(error.code(), "VALIDATION" | "FONT_MISSING"), "{error}");
            }
        }
    }
    let more = peak_memory() - before;
    assert!(more < 200_000_000, "{more} bytes");
}
