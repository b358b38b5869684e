//! The one thing in an MP4 or MOV file that FFmpeg before 7.1 does not tell: the clean aperture.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::ffmpeg::Crop;

/// Boxes that are looked at, at most: a whole file of the engine's inputs has a few hundred.
const MOST_BOXES: usize = 20_000;
/// Bytes of a visual sample entry before its own boxes (ISO/IEC 14496-12, 12.1.3).
const SAMPLE_ENTRY: u64 = 78;

/// A clean aperture box (ISO/IEC 14496-12, 12.1.4): fractions of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CleanAperture {
    width: f64,
    height: f64,
    /// From the picture's centre to the aperture's.
    offset: (f64, f64),
}

impl CleanAperture {
    fn parse(bytes: [u8; 32]) -> Option<Self> {
        let number = |at: usize| i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let fraction = |at: usize| {
            let den = number(at + 4);
            (den > 0).then(|| f64::from(number(at)) / f64::from(den))
        };
        let (width, height) = (fraction(0)?, fraction(8)?);
        (width >= 1.0 && height >= 1.0).then_some(Self { width, height, offset: (fraction(16)?, fraction(24)?) })
    }

    /// The part of a picture of `width` by `height` pixels; `None` if it is not inside.
    pub(super) fn crop(&self, width: u32, height: u32) -> Option<Crop> {
        let place = |whole: u32, part: f64, offset: f64| {
            let start = (f64::from(whole) - part) / 2.0 + offset;
            let (start, size) = (start.round(), part.floor());
            (start >= 0.0 && start + size <= f64::from(whole)).then_some((start as u32, size as u32))
        };
        let (left, width) = place(width, self.width, self.offset.0)?;
        let (top, height) = place(height, self.height, self.offset.1)?;
        Some(Crop { left, top, width, height })
    }
}

/// The clean aperture of the track with this id. `None` where there is none, and where the file is not what it says: to
/// refuse that is the demuxer's part.
pub(super) fn clean_aperture(path: &Path, track: u32) -> Option<CleanAperture> {
    let mut file = File::open(path).ok()?;
    let end = file.metadata().ok()?.len();
    let mut walk = Walk { file: &mut file, left: MOST_BOXES };
    let moov = walk.find(0, end, b"moov")?;
    let mut at = moov.0;
    while let Some(trak) = walk.find(at, moov.1, b"trak") {
        if walk.track_id(trak) == Some(track) {
            return walk.aperture(trak);
        }
        at = trak.1;
    }
    None
}

/// The bytes of a box's content: start and end.
type Content = (u64, u64);

struct Walk<'a> {
    file: &'a mut File,
    left: usize,
}

impl Walk<'_> {
    fn read<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The first box of this type among those from `at` to `end`.
    fn find(&mut self, mut at: u64, end: u64, wanted: &[u8; 4]) -> Option<Content> {
        while at.checked_add(8)? <= end {
            self.left = self.left.checked_sub(1)?;
            let [a, b, c, d, kind @ ..] = self.read::<8>(at)?;
            let (header, size) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (8, end - at),
                1 => (16, u64::from_be_bytes(self.read(at + 8)?)),
                size => (8, u64::from(size)),
            };
            let next = at.checked_add(size).filter(|&next| size >= header && next <= end)?;
            if kind == *wanted {
                return Some((at + header, next));
            }
            at = next;
        }
        None
    }

    fn track_id(&mut self, trak: Content) -> Option<u32> {
        let tkhd = self.find(trak.0, trak.1, b"tkhd")?;
        let [version, ..] = self.read::<4>(tkhd.0)?;
        // After two times of 4 bytes, or 8 in version 1.
        let at = tkhd.0 + if version == 1 { 20 } else { 12 };
        Some(u32::from_be_bytes(self.read(at)?))
    }

    fn aperture(&mut self, trak: Content) -> Option<CleanAperture> {
        let mut inner = trak;
        for kind in [b"mdia", b"minf", b"stbl", b"stsd"] {
            inner = self.find(inner.0, inner.1, kind)?;
        }
        // Version, flags and a count come before the first entry.
        let entry = inner.0.checked_add(8)?;
        let size = u64::from(u32::from_be_bytes(self.read(entry)?));
        let end = entry.checked_add(size).filter(|&end| end <= inner.1)?;
        let clap = self.find(entry.checked_add(8 + SAMPLE_ENTRY)?, end, b"clap")?;
        CleanAperture::parse(self.read(clap.0)?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).expect("small");
        [&size.to_be_bytes()[..], kind, content].concat()
    }

    fn clap(numbers: [i32; 8]) -> Vec<u8> {
        boxed(b"clap", &numbers.map(i32::to_be_bytes).concat())
    }

    fn track(id: u32, inside_entry: &[u8]) -> Vec<u8> {
        let tkhd = boxed(b"tkhd", &[&[0; 12][..], &id.to_be_bytes(), &[0; 68]].concat());
        let entry = boxed(b"avc1", &[&[0; SAMPLE_ENTRY as usize][..], inside_entry].concat());
        let stsd = boxed(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &entry].concat());
        let mdia = boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &stsd)));
        boxed(b"trak", &[tkhd, mdia].concat())
    }

    fn found(file: &[u8], id: u32) -> Option<CleanAperture> {
        let mut temporary = tempfile::NamedTempFile::new().expect("a file");
        temporary.write_all(file).expect("can be written");
        clean_aperture(temporary.path(), id)
    }

    #[test]
    fn the_aperture_of_the_right_track_is_found() {
        let moov = boxed(b"moov", &[track(1, &[]), track(2, &clap([704, 1, 480, 1, 0, 1, -2, 1]))].concat());
        let file = [boxed(b"ftyp", b"qt  "), boxed(b"mdat", &[7; 100]), moov].concat();
        let aperture = found(&file, 2).expect("has one");
        assert_eq!(aperture.crop(720, 486), Some(Crop { left: 8, top: 1, width: 704, height: 480 }));
        assert_eq!(aperture.crop(700, 486), None, "wider than the picture");
        assert_eq!(found(&file, 1), None);
        assert_eq!(found(&file, 3), None);
        assert!((0..file.len()).all(|length| found(&file[..length], 2).is_none()), "a cut file has none");
    }

    #[test]
    fn sizes_that_lie_end_the_search() {
        let mut huge = boxed(b"moov", &track(1, &clap([1, 0, 1, 1, 0, 1, 0, 1])));
        assert_eq!(found(&huge, 1), None, "a denominator of zero");
        huge[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(found(&huge, 1), None);
        let endless = [&[0, 0, 0, 8][..], b"free"].concat().repeat(MOST_BOXES + 10);
        assert_eq!(found(&endless, 1), None);
    }
}
