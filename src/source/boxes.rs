//! What FFmpeg does not tell of an MP4 or MOV file: the clean aperture (before version 7.1), how large its tables of
//! samples will be, where its index lies, and whether it has edit lists.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::ffmpeg::{Crop, Interrupt};

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

/// Where the parts of an MP4 or MOV file lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mp4Layout {
    /// Whether the index (`moov`) comes before the media (`mdat`), so that players can start while they load.
    pub(crate) is_faststart: bool,
    /// Whether a track has an edit list (ISO/IEC 14496-12, 8.6.6) with an entry.
    pub(crate) has_edit_list: bool,
}

/// The layout of the MP4 or MOV file at `path`. `None` if it has no index or no media where they are looked for.
pub(crate) fn mp4_layout(path: &Path) -> Option<Mp4Layout> {
    let mut file = File::open(path).ok()?;
    let end = file.metadata().ok()?.len();
    let mut walk = Walk { file: &mut file, left: MOST_BOXES };
    let moov = walk.find(0, end, b"moov")?;
    let mdat = walk.find(0, end, b"mdat")?;
    let mut has_edit_list = false;
    let mut at = moov.0;
    while let Some(trak) = walk.find(at, moov.1, b"trak") {
        has_edit_list |= walk.has_edits(trak).unwrap_or(false);
        at = trak.1;
    }
    Some(Mp4Layout { is_faststart: moov.0 < mdat.0, has_edit_list })
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

    fn has_edits(&mut self, trak: Content) -> Option<bool> {
        let edts = self.find(trak.0, trak.1, b"edts")?;
        let elst = self.find(edts.0, edts.1, b"elst")?;
        // Behind version and flags.
        Some(u32::from_be_bytes(self.read(elst.0.checked_add(4)?)?) > 0)
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

/// Boxes that a file may have when its samples are counted: more than an hour of fragments of one picture each.
const MOST_COUNTED: u64 = 8_000_000;

/// Boxes in which FFmpeg looks for further boxes, wherever they are (`mov_default_parse_table` in its `mov.c`).
const FOLDERS: [&[u8; 4]; 15] = [
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"dinf", b"mvex", b"tref", b"udta",
    b"sinf", b"schi", b"ilst",
];

/// Boxes in boxes that are followed; FFmpeg follows eleven, and files have six.
const DEPTH: usize = 16;

/// Bytes of a sample description that are searched; real ones have some hundred.
const MOST_DESCRIPTION: usize = 1 << 20;

/// The entries that FFmpeg makes, beyond those that the file lists: one of 24 bytes for each sample that is promised
/// without being listed (`stsz` with one size for all, `trun` that says nothing of each), and all of a track's again for
/// each entry of an edit list. A file of 6 kB took 2 GB. `u64::MAX` if it cannot be told: too many boxes, or an index
/// that is compressed.
///
/// # Errors
/// What reading gives; `Interrupted` if `interrupt` is set.
pub(super) fn promised_samples(path: &Path, interrupt: &Interrupt) -> std::io::Result<u64> {
    let file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut count = Count::default();
    // Where each open box ends, outermost first.
    let mut open = vec![end];
    let mut at = 0u64;
    let mut boxes = 0u64;
    while let Some(&end) = open.last() {
        if at.saturating_add(8) > end {
            at = end;
            open.pop();
            continue;
        }
        boxes += 1;
        if boxes > MOST_COUNTED {
            return Ok(u64::MAX);
        }
        if boxes.is_multiple_of(4096) {
            interrupt.pulse().beat();
            if interrupt.is_set() {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
        }
        let mut head = [0; 24];
        let read = file.read_at(&mut head, at)?;
        let word = |at: usize| {
            let bytes = head.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map_or(0, |&bytes| u32::from_be_bytes(bytes))
        };
        let (header, size) = match word(0) {
            0 => (8, end - at),
            1 => (16, u64::from(word(8)) << 32 | u64::from(word(12))),
            size => (8, u64::from(size)),
        };
        if size < header || read < 8 {
            // As FFmpeg, which leaves the box that it is in.
            at = end;
            continue;
        }
        // What reaches beyond the box that it is in is read up to there.
        let (content, next) = (at + header, at.saturating_add(size).min(end));
        let kind = &head[4..8];
        // An index may hide in a box that is free, a description has boxes behind fields of its own, and of `meta` FFmpeg
        // follows what begins with a handler.
        let inside = match kind {
            b"cmov" => return Ok(u64::MAX),
            b"free" | b"hoov" if matches!(&head[12..16], b"mvhd" | b"cmov") => Some(content),
            b"wave" => Some(content),
            b"meta" => handler(&file, content, next)?,
            _ => FOLDERS.iter().any(|folder| *folder == kind).then_some(content),
        };
        if let Some(inside) = inside.filter(|_| open.len() < DEPTH) {
            open.push(next);
            at = inside;
            continue;
        }
        if kind == b"stsd" {
            count.description(&file, content, next)?;
        } else {
            count.table(kind, &file, content, next - content)?;
        }
        at = next;
    }
    Ok(count.entries())
}

/// Where the boxes of a `meta` box begin: at its handler, which FFmpeg looks for word by word.
fn handler(file: &File, mut at: u64, end: u64) -> std::io::Result<Option<u64>> {
    let mut block = [0; 4096];
    while at < end {
        let read = file.read_at(&mut block, at)?;
        let words = block[..read].chunks_exact(4);
        if let Some(place) = words.clone().position(|word| word == b"hdlr") {
            return Ok(Some((at + 4 * place as u64).saturating_sub(4)));
        }
        let passed = 4 * words.len() as u64;
        if passed == 0 {
            break;
        }
        at += passed;
    }
    Ok(None)
}

/// What the tables of a file promise.
#[derive(Default)]
struct Count {
    /// Samples that nothing is listed of.
    unlisted: u64,
    /// All samples of tables.
    samples: u64,
    /// Entries of the longest edit list.
    edits: u64,
}

impl Count {
    fn table(&mut self, kind: &[u8], file: &File, content: u64, length: u64) -> std::io::Result<()> {
        if !matches!(kind, b"stsz" | b"stz2" | b"trun" | b"elst") {
            return Ok(());
        }
        let mut fields = [0; 12];
        let _ = file.read_at(&mut fields, content)?;
        let word =
            |at: usize| u64::from(u32::from_be_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]));
        // ISO/IEC 14496-12, 8.7.3: size, count. 8.8.8.2: the flags 0x100 to 0x800 list something of each sample.
        match kind {
            b"trun" if fields[2] & 0x0f == 0 => self.unlisted = self.unlisted.saturating_add(word(4)),
            b"stsz" | b"stz2" => {
                self.samples = self.samples.saturating_add(word(8));
                if kind == b"stsz" && word(4) != 0 {
                    self.unlisted = self.unlisted.saturating_add(word(8));
                }
            }
            // An entry has at least 12 bytes.
            b"elst" => self.edits = self.edits.max(length / 12),
            _ => {}
        }
        Ok(())
    }

    /// Tables among the boxes inside of a sample description.
    fn description(&mut self, file: &File, content: u64, end: u64) -> std::io::Result<()> {
        let length = usize::try_from(end - content).unwrap_or(usize::MAX).min(MOST_DESCRIPTION);
        let mut bytes = vec![0; length];
        let read = file.read_at(&mut bytes, content)?;
        for (place, kind) in bytes[..read].windows(4).enumerate() {
            if matches!(kind, b"stsz" | b"stz2" | b"trun" | b"elst") {
                let inside = content + place as u64 + 4;
                self.table(kind, file, inside, end.saturating_sub(inside))?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> u64 {
        // Real lists have a few entries for parts of a track, not for all of it: a quarter of the worst case counts.
        let repeated = if self.edits > 1 { self.samples.saturating_mul(self.edits) / 4 } else { 0 };
        self.unlisted.max(repeated)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use super::*;

    fn interrupt() -> Interrupt {
        Interrupt::new(Arc::default(), Arc::default(), Arc::default())
    }

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
    fn the_layout_tells_where_the_index_lies_and_whether_there_are_edits() {
        let layout = |content: &[u8]| {
            let mut temporary = tempfile::NamedTempFile::new().expect("a file");
            temporary.write_all(content).expect("can be written");
            mp4_layout(temporary.path())
        };
        let edits =
            |count: u8| boxed(b"edts", &boxed(b"elst", &[&[0, 0, 0, 0, 0, 0, 0, count][..], &[0; 24]].concat()));
        let moov = |inside: &[u8]| boxed(b"moov", &[boxed(b"trak", &[]), boxed(b"trak", inside)].concat());
        let (head, media) = (boxed(b"ftyp", b"isom"), boxed(b"mdat", &[7; 100]));
        let first = [&head[..], &moov(&edits(1)), &media].concat();
        assert_eq!(layout(&first), Some(Mp4Layout { is_faststart: true, has_edit_list: true }));
        let last = [&head[..], &media, &moov(&edits(0))].concat();
        assert_eq!(layout(&last), Some(Mp4Layout { is_faststart: false, has_edit_list: false }));
        let none = [&head[..], &moov(&[]), &media].concat();
        assert_eq!(layout(&none), Some(Mp4Layout { is_faststart: true, has_edit_list: false }));
        assert_eq!(layout(&[&head[..], &media].concat()), None, "no index");
        let media_at = first.len() - media.len();
        assert!((0..media_at).all(|length| layout(&first[..length]).is_none()), "a cut file has none");
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

    #[test]
    fn samples_that_are_promised_are_counted() {
        let promised = |content: &[u8]| {
            let mut temporary = tempfile::NamedTempFile::new().expect("a file");
            temporary.write_all(content).expect("can be written");
            promised_samples(temporary.path(), &interrupt()).expect("can be read")
        };
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let table = |size, count| boxed(b"stbl", &boxed(b"stsz", &words(&[0, size, count])));
        let track = |inside: &[u8]| boxed(b"trak", &boxed(b"mdia", &boxed(b"minf", inside)));
        let run = |flags, count| boxed(b"moof", &boxed(b"traf", &boxed(b"trun", &words(&[flags, count]))));
        let moov = boxed(b"moov", &[track(&table(1, 5_000)), track(&table(0, 7)), track(&table(4, 30))].concat());
        let file = [boxed(b"ftyp", b"qt  "), boxed(b"mdat", &[7; 100]), moov, run(0x1, 600), run(0x201, 9)].concat();
        assert_eq!(promised(&file), 5_630);
        assert_eq!(promised(&[boxed(b"free", &[]), table(1, 3)].concat()), 3, "outside of a track too");
        let mut long = boxed(b"moov", &track(&table(1, 3)));
        long[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(promised(&long), 3, "a size beyond the end");
        (0..file.len()).for_each(|length| assert!(promised(&file[..length]) <= 5_630));
        // Where FFmpeg finds tables too.
        for kind in [b"udta", b"tref", b"sinf", b"schi", b"ilst", b"wave", b"edts", b"dinf"] {
            assert_eq!(promised(&boxed(b"moov", &boxed(kind, &table(1, 77)))), 77, "{}", kind.escape_ascii());
        }
        let meta = [&[0; 4][..], &boxed(b"hdlr", &[0; 24]), &table(1, 78)].concat();
        assert_eq!(promised(&boxed(b"moov", &boxed(b"meta", &meta))), 78);
        let described = [&[0; 90][..], &boxed(b"stsz", &words(&[0, 1, 79]))].concat();
        assert_eq!(promised(&boxed(b"stsd", &described)), 79);
        let hidden = [boxed(b"mvhd", &[0; 8]), table(1, 80)].concat();
        assert_eq!(promised(&boxed(b"free", &hidden)), 80);
        assert_eq!(promised(&boxed(b"moov", &boxed(b"cmov", &[0; 8]))), u64::MAX);
        let edits = boxed(b"edts", &boxed(b"elst", &[0; 8 + 12 * 100]));
        let edited = boxed(b"trak", &[edits, table(0, 1_000)].concat());
        assert_eq!(promised(&edited), 25_000, "a thousand listed samples, a hundred times");
    }
}
