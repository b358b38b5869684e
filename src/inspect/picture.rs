//! How black a picture is, and how different two are: counted on every sample, without floating point until the end.

use std::ops::Range;

use crate::compose::PlaneRef;

/// A part of a picture that is left out, in pixels: where a text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mask {
    pub(super) x: Range<usize>,
    pub(super) y: Range<usize>,
}

impl Mask {
    /// The mask on a plane that is reduced by these powers of 2.
    fn reduced(&self, [across, down]: [u32; 2]) -> Self {
        let part = |range: &Range<usize>, shift: u32| range.start >> shift..range.end.div_ceil(1 << shift);
        Self { x: part(&self.x, across), y: part(&self.y, down) }
    }
}

/// The parts of row `y` of a plane `width` samples wide that no mask covers.
fn open_parts(y: usize, width: usize, masks: &[Mask]) -> Vec<Range<usize>> {
    let mut covered: Vec<&Range<usize>> = masks.iter().filter(|mask| mask.y.contains(&y)).map(|mask| &mask.x).collect();
    covered.sort_by_key(|range| range.start);
    let (mut parts, mut at) = (Vec::new(), 0);
    for range in covered {
        if range.start > at {
            parts.push(at..range.start.min(width));
        }
        at = at.max(range.end).min(width);
    }
    parts.push(at..width);
    parts
}

/// Samples of one block: as many as a byte can count, so that the counting loop runs on vectors of bytes.
const BLOCK: usize = 128;

/// Which share of a plane is at most `threshold`, 0 to 1, outside of the masks; 0 where they cover all of it.
pub(super) fn dark_share(plane: PlaneRef<'_>, threshold: u8, masks: &[Mask]) -> f64 {
    let (mut dark, mut count) = (0u64, 0u64);
    for (y, row) in plane.rows().enumerate() {
        for part in open_parts(y, row.len(), masks) {
            let samples = row.get(part).unwrap_or_default();
            count += samples.len() as u64;
            for block in samples.chunks(BLOCK) {
                dark += u64::from(block.iter().map(|&sample| u8::from(sample <= threshold)).sum::<u8>());
            }
        }
    }
    if count == 0 { 0.0 } else { dark as f64 / count as f64 }
}

/// The mean absolute difference of two pictures over all samples of all planes, 0 to 1, as FFmpeg's `freezedetect`
/// measures it; 1 where their shapes differ. `shifts`: the powers of 2 by which the planes after the first are reduced.
pub(super) fn difference(first: &[PlaneRef<'_>], second: &[PlaneRef<'_>], shifts: [u32; 2], masks: &[Mask]) -> f64 {
    if first.len() != second.len() {
        return 1.0;
    }
    let (mut sum, mut count) = (0u64, 0u64);
    for (number, (first, second)) in first.iter().zip(second).enumerate() {
        if (first.width(), first.height()) != (second.width(), second.height()) {
            return 1.0;
        }
        let shifts = if number == 0 { [0, 0] } else { shifts };
        let masks: Vec<Mask> = masks.iter().map(|mask| mask.reduced(shifts)).collect();
        for (y, (first, second)) in first.rows().zip(second.rows()).enumerate() {
            for part in open_parts(y, first.len(), &masks) {
                let (first, second) = (first.get(part.clone()), second.get(part));
                let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
                count += first.len() as u64;
                let apart = first.iter().zip(second).map(|(&first, &second)| u32::from(first.abs_diff(second)));
                sum += u64::from(apart.sum::<u32>());
            }
        }
    }
    if count == 0 { 0.0 } else { sum as f64 / count as f64 / 256.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(data: &[u8], width: usize) -> PlaneRef<'_> {
        PlaneRef::new(data, width, data.len() / width, width).expect("fits")
    }

    #[test]
    fn the_dark_share_counts_every_sample_outside_of_masks() {
        let mut data = vec![200u8; 300 * 10];
        data[..300 * 4].fill(37);
        assert!((dark_share(plane(&data, 300), 37, &[]) - 0.4).abs() < 1e-12);
        assert_eq!(dark_share(plane(&data, 300), 36, &[]), 0.0);
        // Without the six bright rows, and without overlapping halves of them.
        let below = Mask { x: 0..300, y: 4..10 };
        assert_eq!(dark_share(plane(&data, 300), 37, &[below]), 1.0);
        let halves = [Mask { x: 100..300, y: 4..20 }, Mask { x: 0..150, y: 4..10 }];
        assert_eq!(dark_share(plane(&data, 300), 37, &halves), 1.0);
        let right = Mask { x: 150..9_999, y: 0..10 };
        assert!((dark_share(plane(&data, 300), 37, &[right]) - 0.4).abs() < 1e-12);
        assert_eq!(dark_share(plane(&data, 300), 255, &[Mask { x: 0..300, y: 0..10 }]), 0.0, "nothing is left");
    }

    #[test]
    fn the_difference_is_the_mean_over_all_planes() {
        let (luma, other) = (vec![10u8; 64], vec![14u8; 64]);
        let (chroma, same) = (vec![128u8; 16], vec![128u8; 16]);
        let first = [plane(&luma, 8), plane(&chroma, 4), plane(&chroma, 4)];
        let second = [plane(&other, 8), plane(&same, 4), plane(&same, 4)];
        let expected = 4.0 * 64.0 / 96.0 / 256.0;
        assert!((difference(&first, &second, [1, 1], &[]) - expected).abs() < 1e-12);
        assert_eq!(difference(&first, &first, [1, 1], &[]), 0.0);
        assert_eq!(difference(&first, &first[..1], [1, 1], &[]), 1.0);
        // One sample differs, and a mask is on it.
        let mut dot = luma.clone();
        dot[8 * 3 + 5] = 255;
        let dotted = [plane(&dot, 8), plane(&chroma, 4), plane(&chroma, 4)];
        assert!(difference(&first, &dotted, [1, 1], &[]) > 0.0);
        assert_eq!(difference(&first, &dotted, [1, 1], &[Mask { x: 5..6, y: 3..4 }]), 0.0);
    }
}
