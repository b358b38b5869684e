//! MP4 files changed box by box: what muxers write is too well-behaved to test with.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An MP4 file in memory whose `moov` comes last, so that it can grow without moving a sample.
pub(crate) struct Mp4(Vec<u8>);

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Where the boxes inside a box of a kind begin, from its start: ISO/IEC 14496-12, 8.5.2 and 12.1.3.
fn head(kind: &str) -> usize {
    match kind {
        "stsd" => 16,
        "avc1" | "hvc1" | "hev1" => 8 + 78,
        _ => 8,
    }
}

impl Mp4 {
    pub(crate) fn open(file: &Path) -> Self {
        let this = Self(fs::read(file).expect("is there"));
        assert!(this.find("mdat").start < this.find("moov").start, "{} has its moov last", file.display());
        this
    }

    /// The ranges of the boxes on the way to the first box of a path such as `moov/trak/tkhd`.
    fn way(&self, path: &str) -> Vec<Range<usize>> {
        let mut way = Vec::new();
        let mut inside = 0..self.0.len();
        for kind in path.split('/') {
            let mut at = inside.start;
            let found = loop {
                assert!(at + 8 <= inside.end, "there is no {path}");
                let size = word(&self.0, at);
                if &self.0[at + 4..at + 8] == kind.as_bytes() {
                    break at..at + size;
                }
                at += size;
            };
            inside = found.start + head(kind)..found.end;
            way.push(found);
        }
        way
    }

    fn find(&self, path: &str) -> Range<usize> {
        self.way(path).pop().expect("a path has a name")
    }

    /// The bytes of a box behind its size and name.
    pub(crate) fn payload(&mut self, path: &str) -> &mut [u8] {
        let range = self.find(path);
        &mut self.0[range.start + 8..range.end]
    }

    /// Adds a box at the end of another.
    pub(crate) fn add(&mut self, parent: &str, kind: &str, payload: &[u8]) {
        let size = u32::try_from(8 + payload.len()).expect("a small box");
        self.insert(parent, &[&size.to_be_bytes(), kind.as_bytes(), payload].concat());
    }

    /// Adds bytes at the end of a box, and makes it and those around it larger.
    fn insert(&mut self, path: &str, bytes: &[u8]) {
        let way = self.way(path);
        for range in &way {
            let grown = u32::try_from(range.len() + bytes.len()).expect("a small file");
            self.0[range.start..range.start + 4].copy_from_slice(&grown.to_be_bytes());
        }
        let end = way.last().expect("a box").end;
        self.0.splice(end..end, bytes.iter().copied());
    }

    /// Makes the last picture of a track of constant rate `times` as long, in its tables and in all durations.
    pub(crate) fn lengthen_last(&mut self, times: u32) {
        // 8.6.1.2: one entry of a count and a duration.
        let table = self.payload("moov/trak/mdia/minf/stbl/stts");
        let (entries, count, step) = (word(table, 4), word(table, 8) as u32, word(table, 12) as u32);
        assert_eq!(entries, 1, "a constant rate");
        table[4..8].copy_from_slice(&2u32.to_be_bytes());
        table[8..12].copy_from_slice(&(count - 1).to_be_bytes());
        self.insert("moov/trak/mdia/minf/stbl/stts", &[1u32.to_be_bytes(), (step * times).to_be_bytes()].concat());
        let (num, den) = (u64::from(count - 1 + times), u64::from(count));
        self.scale_durations(num, den);
        // 8.6.6: behind version, flags and the count.
        let edit = self.payload("moov/trak/edts/elst");
        let length = u32::try_from(word(edit, 8) as u64 * num / den).expect("a short clip");
        edit[8..12].copy_from_slice(&length.to_be_bytes());
    }

    /// Sets the only entry of the track's edit list: how long it shows the media, in the movie's time scale, and from
    /// when on, in the media's.
    pub(crate) fn set_edit(&mut self, length: u32, from: u32) {
        let edit = self.payload("moov/trak/edts/elst");
        assert_eq!((edit[0], word(edit, 4)), (0, 1), "version 0, one entry");
        edit[8..12].copy_from_slice(&length.to_be_bytes());
        edit[12..16].copy_from_slice(&from.to_be_bytes());
    }

    /// Sets the nine values of the matrix of a `moov/mvhd` or `moov/trak/tkhd` of version 0.
    ///
    /// `(x, y)` is shown at `(a x + c y + x0, b x + d y + y0)`.
    pub(crate) fn set_matrix(&mut self, path: &str, [a, b, c, d]: [i32; 4], (x0, y0): (i32, i32)) {
        let fixed = |value: i32| value << 16;
        let matrix = [fixed(a), fixed(b), 0, fixed(c), fixed(d), 0, fixed(x0), fixed(y0), 1 << 30];
        let bytes: Vec<u8> = matrix.into_iter().flat_map(i32::to_be_bytes).collect();
        // 8.2.2 and 8.3.2: both have 36 bytes before it, behind version and flags.
        let start = if path.ends_with("mvhd") { 36 } else { 40 };
        let payload = self.payload(path);
        assert_eq!(payload[0], 0, "version 0");
        payload[start..start + 36].copy_from_slice(&bytes);
    }

    /// Multiplies the durations of the movie, the track and the media by `num / den`; the tables are left alone.
    pub(crate) fn scale_durations(&mut self, num: u64, den: u64) {
        for (path, at) in [("moov/mvhd", 16), ("moov/trak/tkhd", 20), ("moov/trak/mdia/mdhd", 16)] {
            let payload = self.payload(path);
            assert_eq!(payload[0], 0, "version 0");
            let lie = u32::try_from(word(payload, at) as u64 * num / den).expect("a short clip");
            payload[at..at + 4].copy_from_slice(&lie.to_be_bytes());
        }
    }

    /// Writes the file beside the clip that it was made from.
    pub(crate) fn save(self, name: &str) -> PathBuf {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("patched-{name}.mp4"));
        fs::write(&file, self.0).expect("can be written");
        file
    }
}
