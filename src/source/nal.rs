//! The little of H.264's bitstream that tells which pictures nobody refers to.

/// How the NAL units of a stream's packets are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Each is preceded by its length in this many bytes (ISO/IEC 14496-15).
    Length(usize),
    /// Start codes (ITU-T H.264, annex B).
    StartCode,
}

impl Framing {
    /// The framing that a stream's extradata calls for: an `avcC` record starts with version 1.
    pub(super) fn of_extradata(extradata: &[u8]) -> Self {
        match extradata {
            [1, _, _, _, size, ..] => Self::Length(usize::from(size & 3) + 1),
            _ => Self::StartCode,
        }
    }
}

/// Whether all slices of an H.264 packet have `nal_ref_idc` 0 (clause 7.4.1): no other picture is predicted from it, so
/// a decoder gives the same pictures without it. `false` in doubt.
pub(super) fn is_unreferenced(packet: &[u8], framing: Framing) -> bool {
    let Framing::Length(size) = framing else { return false };
    let mut rest = packet;
    let mut slices = 0;
    while rest.len() > size {
        let (length, tail) = rest.split_at(size);
        let length = length.iter().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
        let Some(unit) = tail.get(..length) else { return false };
        if let Some(&header) = unit.first() {
            // Slices are of type 1 to 5.
            if (1..=5).contains(&(header & 0x1f)) {
                if header >> 5 & 3 != 0 {
                    return false;
                }
                slices += 1;
            }
        }
        rest = &tail[length..];
    }
    slices > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slices_without_references_count() {
        let framing = Framing::of_extradata(&[1, 100, 0, 40, 0xff, 0xe1]);
        assert_eq!(framing, Framing::Length(4));
        let unit = |header: u8| vec![0, 0, 0, 2, header, 0x80];
        assert!(is_unreferenced(&unit(0x01), framing), "nal_ref_idc 0, a slice");
        assert!(!is_unreferenced(&unit(0x41), framing), "nal_ref_idc 2");
        assert!(!is_unreferenced(&unit(0x65), framing), "an IDR slice");
        assert!(!is_unreferenced(&unit(0x06), framing), "SEI alone shows nothing");
        assert!(!is_unreferenced(&[unit(0x01), unit(0x41)].concat(), framing));
        assert!(is_unreferenced(&[unit(0x06), unit(0x01)].concat(), framing));
        assert!(!is_unreferenced(&[0, 0, 0, 9, 1], framing), "a length beyond the packet");
        assert!(!is_unreferenced(&[0, 0, 1, 1], Framing::StartCode));
    }
}
