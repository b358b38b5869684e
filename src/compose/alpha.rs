//! Pictures with alpha in the working format: premultiplying, and one over another.

use std::ops::Range;

use multiversion::multiversion;

use super::{I420Mut, I420Ref, PlaneMut, PlaneRef};

/// Black and grey: what a code value is counted from when it is multiplied by alpha.
pub(super) const LUMA_BASE: u8 = 16;
pub(super) const CHROMA_BASE: u8 = 128;

/// Multiplies a picture by its alpha, each sample as its distance from black (luma) or grey (chroma): what is
/// transparent is black, and filters may blur and overshoot each plane by itself without tinting the edges. Chroma takes
/// the mean alpha of its two by two pixels. No allocation.
pub fn premultiply(picture: &mut I420Mut<'_>, alpha: PlaneRef<'_>) {
    for row in 0..picture.y.height() {
        multiply(picture.y.row_mut(row), alpha.row(row), LUMA_BASE);
    }
    for row in 0..picture.u.height() {
        let (us, vs) = (picture.u.row_mut(row), picture.v.row_mut(row));
        each_chroma_alpha(alpha, row, 0..us.len().min(vs.len()), |part, alpha| {
            multiply(&mut us[part.clone()], alpha, CHROMA_BASE);
            multiply(&mut vs[part], alpha, CHROMA_BASE);
        });
    }
}

/// Blends a picture that was [premultiplied](premultiply) with its `alpha` over `under` (source-over), which has the same
/// size; what one has more than the other is left alone. Every sample is within 1 of the exact value. No allocation.
pub fn blend_over(under: &mut I420Mut<'_>, over: I420Ref<'_>, alpha: PlaneRef<'_>) {
    for row in 0..under.y.height() {
        blend(under.y.row_mut(row), over.y.row(row), alpha.row(row), LUMA_BASE);
    }
    for row in 0..under.u.height() {
        let (us, vs) = (under.u.row_mut(row), under.v.row_mut(row));
        let (over_us, over_vs) = (over.u.row(row), over.v.row(row));
        let columns = us.len().min(vs.len()).min(over_us.len()).min(over_vs.len());
        each_chroma_alpha(alpha, row, 0..columns, |part, alpha| {
            blend(&mut us[part.clone()], &over_us[part.clone()], alpha, CHROMA_BASE);
            blend(&mut vs[part.clone()], &over_vs[part], alpha, CHROMA_BASE);
        });
    }
}

/// Black, opaque, in every pixel.
pub fn fill_black(picture: &mut I420Mut<'_>) {
    fill(picture, [LUMA_BASE, CHROMA_BASE, CHROMA_BASE]);
}

/// The colour of the code values `[y, u, v]` in every pixel.
pub(crate) fn fill(picture: &mut I420Mut<'_>, [y, u, v]: [u8; 3]) {
    let fill = |plane: &mut PlaneMut<'_>, value| (0..plane.height()).for_each(|row| plane.row_mut(row).fill(value));
    fill(&mut picture.y, y);
    fill(&mut picture.u, u);
    fill(&mut picture.v, v);
}

/// Calls `with` for one part after the other of `columns` of chroma row `row`: with the part, and the mean alpha of the
/// pixels that each of its samples stands for.
pub(super) fn each_chroma_alpha(
    alpha: PlaneRef<'_>,
    row: usize,
    columns: Range<usize>,
    mut with: impl FnMut(Range<usize>, &[u8]),
) {
    const PART: usize = 128;
    let mut means = [0u8; PART];
    let top = alpha.row(2 * row);
    // The last row of an odd height stands for itself alone.
    let bottom = if 2 * row + 1 < alpha.height() { alpha.row(2 * row + 1) } else { top };
    let end = columns.end.min(top.len().div_ceil(2));
    for start in (columns.start..end).step_by(PART) {
        let part = start..(start + PART).min(end);
        let pixels = 2 * part.start..(2 * part.end).min(top.len());
        let means = &mut means[..part.len()];
        means_of_four(means, &top[pixels.clone()], &bottom[pixels.clone()]);
        // So does the last column of an odd width.
        if let (Some(last), 1) = (means.last_mut(), pixels.len() % 2) {
            *last = (u16::from(top[pixels.end - 1]) + u16::from(bottom[pixels.end - 1])).div_ceil(2) as u8;
        }
        with(part, means);
    }
}

/// The mean of each two by two samples of two rows.
#[multiversion(targets = "simd")]
fn means_of_four(means: &mut [u8], top: &[u8], bottom: &[u8]) {
    for (mean, (top, bottom)) in means.iter_mut().zip(top.chunks_exact(2).zip(bottom.chunks_exact(2))) {
        let sum = u16::from(top[0]) + u16::from(top[1]) + u16::from(bottom[0]) + u16::from(bottom[1]);
        *mean = ((sum + 2) / 4) as u8;
    }
}

/// Multiplies samples by their alpha, counted from `base`.
#[multiversion(targets = "simd")]
pub(super) fn multiply(values: &mut [u8], alpha: &[u8], base: u8) {
    for (value, &alpha) in values.iter_mut().zip(alpha) {
        *value = over_base(*value, alpha, base);
    }
}

/// Blends premultiplied samples over others.
#[multiversion(targets = "simd")]
pub(super) fn blend(under: &mut [u8], over: &[u8], alpha: &[u8], base: u8) {
    for ((under, &over), &alpha) in under.iter_mut().zip(over).zip(alpha) {
        let left = i16::from(over_base(*under, 255 - alpha, base));
        *under = (left + i16::from(over) - i16::from(base)).clamp(0, 255) as u8;
    }
}

/// `alpha` of 255 parts of `value`, the rest `base`, to the nearest. All of it fits 16 bits, so that many are done at once
/// (the division by 255 is Blinn's, "Three Wrongs Make a Right", 1995).
#[inline(always)]
fn over_base(value: u8, alpha: u8, base: u8) -> u8 {
    let sum = u16::from(value) * u16::from(alpha) + u16::from(base) * u16::from(255 - alpha) + 128;
    ((sum + (sum >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3 by 3 pixels: odd, so that edges count.
    fn view(planes: &mut [Vec<u8>; 3]) -> I420Mut<'_> {
        let [y, u, v] = planes;
        I420Mut {
            y: PlaneMut::new(y, 3, 3, 3).expect("fits"),
            u: PlaneMut::new(u, 2, 2, 2).expect("fits"),
            v: PlaneMut::new(v, 2, 2, 2).expect("fits"),
        }
    }

    fn flat([y, u, v]: [u8; 3]) -> [Vec<u8>; 3] {
        [vec![y; 9], vec![u; 4], vec![v; 4]]
    }

    fn composed(over: [u8; 3], alpha: u8, under: [u8; 3]) -> [u8; 3] {
        let mask = vec![alpha; 9];
        let mask = PlaneRef::new(&mask, 3, 3, 3).expect("fits");
        let (mut top, mut bottom) = (flat(over), flat(under));
        premultiply(&mut view(&mut top), mask);
        let [y, u, v] = &top;
        let picture = I420Ref {
            y: PlaneRef::new(y, 3, 3, 3).expect("fits"),
            u: PlaneRef::new(u, 2, 2, 2).expect("fits"),
            v: PlaneRef::new(v, 2, 2, 2).expect("fits"),
        };
        blend_over(&mut view(&mut bottom), picture, mask);
        assert!(bottom.iter().all(|plane| plane.iter().all(|&value| value == plane[0])), "edges are like the middle");
        bottom.map(|plane| plane[0])
    }

    #[test]
    fn one_over_another_is_within_one_of_the_exact_value() {
        let (over, under) = ([200, 60, 220], [40, 180, 90]);
        for alpha in 0..=255u8 {
            let part = f64::from(alpha) / 255.0;
            for ((found, over), under) in composed(over, alpha, under).into_iter().zip(over).zip(under) {
                let exact = f64::from(over) * part + f64::from(under) * (1.0 - part);
                assert!((f64::from(found) - exact).abs() <= 1.0, "alpha {alpha}: {found} for {exact}");
            }
        }
        assert_eq!(composed([200, 60, 220], 0, [16, 128, 128]), [16, 128, 128]);
        assert_eq!(composed([200, 60, 220], 255, [16, 128, 128]), [200, 60, 220]);
    }

    /// Rows that are long enough for the widest vectors, and not whole multiples of them.
    #[test]
    fn many_samples_at_once_are_what_each_is() {
        let samples = |seed: usize| (0..1_003).map(move |at| ((at * 7_919 + seed * 104_729) % 251) as u8);
        let (under, over, alpha): (Vec<u8>, Vec<u8>, Vec<u8>) =
            (samples(1).collect(), samples(2).collect(), samples(3).collect());
        for base in [LUMA_BASE, CHROMA_BASE] {
            let (mut blended, mut multiplied) = (under.clone(), under.clone());
            blend(&mut blended, &over, &alpha, base);
            multiply(&mut multiplied, &alpha, base);
            for at in 0..under.len() {
                let (mut one, mut other) = ([under[at]], [under[at]]);
                blend(&mut one, &over[at..=at], &alpha[at..=at], base);
                multiply(&mut other, &alpha[at..=at], base);
                assert_eq!((blended[at], multiplied[at]), (one[0], other[0]), "sample {at}");
            }
        }
        let mut means = vec![0; under.len() / 2];
        means_of_four(&mut means, &under, &over);
        for (at, mean) in means.into_iter().enumerate() {
            let four = [under[2 * at], under[2 * at + 1], over[2 * at], over[2 * at + 1]];
            assert_eq!(mean, ((four.map(u32::from).iter().sum::<u32>() + 2) / 4) as u8, "mean {at}");
        }
    }

    #[test]
    fn black_is_black() {
        let mut planes = flat([90, 1, 2]);
        fill_black(&mut view(&mut planes));
        assert_eq!(planes, flat([16, 128, 128]));
    }
}
