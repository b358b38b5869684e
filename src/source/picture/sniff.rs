//! Which kind of picture a file is, by its first bytes. Names and extensions are not trusted.

use super::PictureKind;

/// The kind of picture that starts with `head` (256 bytes are enough: an `ftyp` box lists its brands there). `None` for anything
/// else, videos of the ISO family with pictures' boxes included.
pub(crate) fn sniff(head: &[u8]) -> Option<PictureKind> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(PictureKind::Jpeg);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(PictureKind::Png);
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Some(PictureKind::Gif);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some(PictureKind::Webp);
    }
    sniff_iso(head)
}

/// A file of ISO/IEC 23008-12 by the brands of its `ftyp` box. The major brand decides where it is a known one; a
/// movie may list `mif1` among the others.
fn sniff_iso(head: &[u8]) -> Option<PictureKind> {
    if head.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let size = u32::from_be_bytes(head.first_chunk().copied()?) as usize;
    let brands = head.get(8..size.min(head.len()))?.as_chunks::<4>().0;
    let major = *brands.first()?;
    // The second field is the minor version.
    let compatible = brands.get(2..).unwrap_or_default();
    let is_avif = |brand: &[u8; 4]| matches!(brand, b"avif" | b"avis");
    let is_heif = |brand: &[u8; 4]| matches!(brand, b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"msf1");
    if is_movie(major) || !std::iter::once(&major).chain(compatible).any(|brand| is_avif(brand) || is_heif(brand)) {
        return None;
    }
    let avif = is_avif(&major) || (!is_hevc(major) && compatible.iter().any(is_avif));
    Some(if avif { PictureKind::Avif } else { PictureKind::Heic })
}

fn is_hevc(major: [u8; 4]) -> bool {
    matches!(&major, b"heic" | b"heix" | b"heim" | b"heis")
}

fn is_movie(major: [u8; 4]) -> bool {
    matches!(&major, b"qt  " | b"avc1" | b"M4V " | b"M4VH" | b"M4A " | b"3gp4" | b"3gp5" | b"3gp6" | b"dash")
        || major.starts_with(b"iso")
        || major.starts_with(b"mp4")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ftyp(brands: &[&[u8; 4]]) -> Vec<u8> {
        let mut head = (8 + 4 * brands.len() as u32).to_be_bytes().to_vec();
        head.extend(b"ftyp");
        brands.iter().for_each(|brand| head.extend(*brand));
        head.extend(b"\0\0\0\x08free");
        head
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let version = &[0; 4];
        let cases: [(Vec<u8>, Option<PictureKind>); 13] = [
            (vec![0xff, 0xd8, 0xff, 0xe0], Some(PictureKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n".to_vec(), Some(PictureKind::Png)),
            (b"GIF89a\x01".to_vec(), Some(PictureKind::Gif)),
            (b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), Some(PictureKind::Webp)),
            (b"RIFF\0\0\0\0WAVEfmt ".to_vec(), None),
            (ftyp(&[b"avif", version, b"mif1"]), Some(PictureKind::Avif)),
            (ftyp(&[b"avis", version, b"msf1", b"iso8"]), Some(PictureKind::Avif)),
            (ftyp(&[b"heic", version, b"mif1"]), Some(PictureKind::Heic)),
            (ftyp(&[b"mif1", version, b"heic"]), Some(PictureKind::Heic)),
            (ftyp(&[b"mif1", version, b"avif", b"miaf"]), Some(PictureKind::Avif)),
            (ftyp(&[b"isom", version, b"mif1", b"avc1"]), None),
            (ftyp(&[b"qt  ", version]), None),
            (b"ftyp".to_vec(), None),
        ];
        for (head, kind) in cases {
            assert_eq!(sniff(&head), kind, "{}", String::from_utf8_lossy(&head));
            for cut in 0..head.len() {
                let _ = sniff(&head[..cut]);
            }
        }
    }
}
