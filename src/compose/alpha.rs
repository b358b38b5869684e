//! Pictures with alpha in the working format: premultiplying, and one over another.

use super::{I420Mut, I420Ref, PlaneMut, PlaneRef};

/// Black and grey: what a code value is counted from when it is multiplied by alpha.
pub(super) const LUMA_BASE: u8 = 16;
pub(super) const CHROMA_BASE: u8 = 128;

/// Multiplies a picture by its alpha, each sample as its distance from black (luma) or grey (chroma): what is
/// transparent is black, and filters may blur and overshoot each plane by itself without tinting the edges. Chroma takes
/// the mean alpha of its two by two pixels. No allocation.
pub fn premultiply(picture: &mut I420Mut<'_>, alpha: PlaneRef<'_>) {
    for row in 0..picture.y.height() {
        multiply(picture.y.row_mut(row), alpha.row(row).iter().copied(), LUMA_BASE);
    }
    for row in 0..picture.u.height() {
        let pairs = chroma_alpha(alpha, row);
        multiply(picture.u.row_mut(row), pairs.clone(), CHROMA_BASE);
        multiply(picture.v.row_mut(row), pairs, CHROMA_BASE);
    }
}

/// Blends a picture that was [premultiplied](premultiply) with its `alpha` over `under` (source-over), which has the same
/// size; what one has more than the other is left alone. Every sample is within 1 of the exact value. No allocation.
pub fn blend_over(under: &mut I420Mut<'_>, over: I420Ref<'_>, alpha: PlaneRef<'_>) {
    for row in 0..under.y.height() {
        blend(under.y.row_mut(row), over.y.row(row), alpha.row(row).iter().copied(), LUMA_BASE);
    }
    for row in 0..under.u.height() {
        let pairs = chroma_alpha(alpha, row);
        blend(under.u.row_mut(row), over.u.row(row), pairs.clone(), CHROMA_BASE);
        blend(under.v.row_mut(row), over.v.row(row), pairs, CHROMA_BASE);
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

/// The mean alpha of the pixels that each sample of chroma row `row` stands for.
pub(super) fn chroma_alpha(alpha: PlaneRef<'_>, row: usize) -> impl Iterator<Item = u8> + Clone {
    let top = alpha.row(2 * row);
    // The last row of an odd height stands for itself alone.
    let bottom = if 2 * row + 1 < alpha.height() { alpha.row(2 * row + 1) } else { top };
    top.chunks(2).zip(bottom.chunks(2)).map(|(top, bottom)| {
        let ends = |pair: &[u8]| u16::from(pair[0]) + u16::from(pair[pair.len() - 1]);
        ((ends(top) + ends(bottom) + 2) / 4) as u8
    })
}

pub(super) fn multiply(values: &mut [u8], alpha: impl Iterator<Item = u8>, base: u8) {
    for (value, alpha) in values.iter_mut().zip(alpha) {
        *value = to_byte(i32::from(base) + times(i32::from(*value) - i32::from(base), alpha));
    }
}

pub(super) fn blend(under: &mut [u8], over: &[u8], alpha: impl Iterator<Item = u8>, base: u8) {
    for ((under, &over), alpha) in under.iter_mut().zip(over).zip(alpha) {
        *under = to_byte(i32::from(over) + times(i32::from(*under) - i32::from(base), 255 - alpha));
    }
}

/// `distance * alpha / 255` to the nearest, for distances of up to 255 either way.
fn times(distance: i32, alpha: u8) -> i32 {
    // 257 / 65536 is 1 / 255 but for a 65 thousandth part.
    (distance * i32::from(alpha) * 257 + (1 << 15)) >> 16
}

fn to_byte(value: i32) -> u8 {
    value.clamp(0, 255) as u8
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

    #[test]
    fn black_is_black() {
        let mut planes = flat([90, 1, 2]);
        fill_black(&mut view(&mut planes));
        assert_eq!(planes, flat([16, 128, 128]));
    }
}
