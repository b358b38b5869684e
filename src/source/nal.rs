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
    /// The framing that a stream's extradata calls for: `avcC` and `hvcC` records start with version 1.
    pub(super) fn of_extradata(extradata: &[u8], codec: &str) -> Self {
        // Where the records say how many bytes a length has.
        let at = if codec == "hevc" { 21 } else { 4 };
        match (extradata.first(), extradata.get(at)) {
            (Some(1), Some(size)) => Self::Length(usize::from(size & 3) + 1),
            _ => Self::StartCode,
        }
    }

    /// The header bytes of the NAL units in a packet; `None` if lengths do not add up.
    fn headers(self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut headers = Vec::new();
        match self {
            Self::Length(size) => {
                let mut rest = packet;
                while rest.len() > size {
                    let (length, tail) = rest.split_at(size);
                    let length = length.iter().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
                    headers.extend(tail.get(..length)?.first());
                    rest = &tail[length..];
                }
            }
            Self::StartCode => {
                let codes = packet.windows(4).filter(|window| window[..3] == [0, 0, 1]);
                headers.extend(codes.map(|window| window[3]));
            }
        }
        Some(headers)
    }
}

/// Whether decoding can start at a packet that the container calls a key picture, as far as its bitstream tells:
/// H.264 IDR pictures (clause 7.4.1.2.4), HEVC pictures with random access (ITU-T H.265, 7.4.2.2, types 16 to 21).
/// Containers without a table of key pictures call every picture one. Other codecs are believed.
pub(super) fn is_random_access(codec: &str, packet: &[u8], framing: Framing) -> bool {
    let any = |test: fn(u8) -> bool| framing.headers(packet).is_some_and(|headers| headers.into_iter().any(test));
    match codec {
        "h264" => any(|header| header & 0x1f == 5),
        "hevc" => any(|header| (16..=21).contains(&(header >> 1 & 0x3f))),
        _ => true,
    }
}

/// Whether all slices of an H.264 packet have `nal_ref_idc` 0 (clause 7.4.1): no other picture is predicted from it, so
/// a decoder gives the same pictures without it. `false` in doubt.
pub(super) fn is_unreferenced(packet: &[u8], framing: Framing) -> bool {
    let Framing::Length(_) = framing else { return false };
    let Some(headers) = framing.headers(packet) else { return false };
    // Slices are of type 1 to 5.
    let mut slices = headers.into_iter().filter(|header| (1..=5).contains(&(header & 0x1f))).peekable();
    slices.peek().is_some() && slices.all(|header| header >> 5 & 3 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_starts_at_real_key_pictures_alone() {
        let framing = Framing::Length(4);
        let unit = |header: u8| vec![0, 0, 0, 2, header, 0x80];
        assert!(is_random_access("h264", &[unit(0x67), unit(0x65)].concat(), framing), "SPS and IDR");
        assert!(!is_random_access("h264", &unit(0x41), framing));
        assert!(is_random_access("hevc", &unit(21 << 1), framing), "CRA");
        assert!(!is_random_access("hevc", &unit(1 << 1), framing), "TRAIL_R");
        assert!(is_random_access("h264", &[0, 0, 1, 0x65, 0x80], Framing::StartCode));
        assert!(is_random_access("vp9", &[], Framing::StartCode), "is believed");
    }

    #[test]
    fn only_slices_without_references_count() {
        let framing = Framing::of_extradata(&[1, 100, 0, 40, 0xff, 0xe1], "h264");
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
