//! NAL units between start codes (ITU-T H.264, annex B).

/// SEI, clause 7.3.2.3.
const NAL_SEI: u8 = 6;

/// `data` without its SEI units. x264 writes its version and settings as text into the first picture of every encode,
/// which would put one copy into each chunk; it writes no other SEI with these settings.
pub(super) fn without_sei(data: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(data.len());
    for unit in units(data) {
        if unit.header & 0x1f != NAL_SEI {
            kept.extend_from_slice(unit.bytes);
        }
    }
    kept
}

struct Unit<'a> {
    header: u8,
    /// With the start code before it.
    bytes: &'a [u8],
}

fn units(data: &[u8]) -> impl Iterator<Item = Unit<'_>> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = data.get(at..).and_then(|rest| rest.windows(3).position(|window| window == [0, 0, 1])) {
        let code = at + found;
        // A zero before the three bytes belongs to the start code.
        let start = if code > 0 && data[code - 1] == 0 { code - 1 } else { code };
        starts.push((start, code + 3));
        at = code + 3;
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|&(start, _)| start).chain([data.len()]).collect();
    starts.into_iter().zip(ends).filter_map(move |((start, header), end)| {
        Some(Unit { header: *data.get(header)?, bytes: data.get(start..end)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sei_is_left_out() {
        let sei = [0, 0, 0, 1, 6, 5, 1, 0xff];
        let idr = [0, 0, 1, 0x65, 0x88, 0x84, 0, 0, 3, 1];
        let slice = [0, 0, 0, 1, 0x41, 0x9a];
        let all = [&sei[..], &idr, &sei, &slice].concat();
        assert_eq!(without_sei(&all), [&idr[..], &slice].concat());
        assert!(without_sei(&[]).is_empty());
        assert!(without_sei(&[1, 2, 3]).is_empty(), "no start code, no unit");
    }
}
