//! What a file is, by its first bytes: names and MIME types of uploads are not believed.

use super::picture::{self, PictureKind};

/// Bytes that are looked at.
pub(super) const HEAD: usize = 4096;

/// What kind of reader a file needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A still or an animation.
    Picture(PictureKind),
    /// Video or sound, for these of FFmpeg's demuxers alone, separated by commas.
    Media(&'static str),
}

/// The kind of the file that starts with `head`; `None` for text, playlists, and whatever else the engine does not
/// read. Only demuxers that open no further files are ever named.
pub(crate) fn sniff(head: &[u8]) -> Option<Kind> {
    if let Some(kind) = picture::sniff(head) {
        return Some(Kind::Picture(kind));
    }
    let demuxers = match head {
        // ISO/IEC 14496-12 and QuickTime: the type of the first box.
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
        | [_, _, _, _, b'm', b'o', b'o', b'v', ..]
        | [_, _, _, _, b'm', b'd', b'a', b't', ..]
        | [_, _, _, _, b'w', b'i', b'd', b'e', ..]
        | [_, _, _, _, b'f', b'r', b'e', b'e', ..]
        | [_, _, _, _, b's', b'k', b'i', b'p', ..]
        | [_, _, _, _, b'p', b'n', b'o', b't', ..] => "mov",
        // EBML (RFC 8794).
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "matroska",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..]
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "wav",
        [b'f', b'L', b'a', b'C', ..] => "flac",
        [b'O', b'g', b'g', b'S', ..] => "ogg",
        // Tags are put before MP3, ADTS and FLAC alike.
        [b'I', b'D', b'3', ..] => "mp3,aac,flac",
        // Twelve bits of ones; the layer tells MPEG audio from ADTS (ISO/IEC 13818-7, 6.2).
        [0xff, second, ..] if second & 0xf6 == 0xf0 => "aac",
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => "mp3",
        // MPEG audio may have anything before its first frame; FFmpeg looks for a run of them. Text has none.
        _ if is_binary(head) => "mp3,aac",
        _ => return None,
    };
    Some(Kind::Media(demuxers))
}

/// Whether there are bytes that no text has.
fn is_binary(head: &[u8]) -> bool {
    let strange = head.iter().filter(|&&byte| byte < 9 || (14..32).contains(&byte)).count();
    strange * 50 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let media = |head: &[u8]| match sniff(head) {
            Some(Kind::Media(demuxers)) => demuxers,
            _ => "",
        };
        assert_eq!(media(b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"), "mov");
        assert_eq!(media(b"\0\0\0\x08wide\0\0\x02\0mdat"), "mov");
        assert_eq!(media(b"\x1a\x45\xdf\xa3\x01"), "matroska");
        assert_eq!(media(b"RIFF\0\0\0\0WAVEfmt "), "wav");
        assert_eq!(media(b"\xff\xfb\x90\x64"), "mp3");
        assert_eq!(media(b"\xff\xf1\x50\x80"), "aac");
        assert_eq!(media(b"ID3\x04\0"), "mp3,aac,flac");
        assert_eq!(media(&[0; 64]), "mp3,aac", "MP3 after zeros");
    }

    #[test]
    fn text_and_playlists_are_nothing() {
        for text in [
            "#EXTM3U\n#EXT-X-VERSION:3\n",
            "ffconcat version 1.0\nfile 'a.mp4'\n",
            "<?xml version=\"1.0\"?>\n<MPD></MPD>",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
            "just a note",
            "",
        ] {
            assert_eq!(sniff(text.as_bytes()), None, "{text}");
        }
    }
}
