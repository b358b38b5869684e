//! One Y'CbCr to another: matrix and range, in one pass over the planes.

use multiversion::multiversion;

use super::I420Mut;

/// Luma coefficients of red and blue of a Y'CbCr matrix (green is the rest), with full or limited range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoding {
    /// Red's part of luma.
    pub kr: f64,
    /// Blue's part of luma.
    pub kb: f64,
    /// Whether samples use 0 to 255 in place of 16 to 235 and 16 to 240.
    pub full_range: bool,
}

impl Encoding {
    /// The engine's own: BT.709 limited (ITU-R BT.709-6, item 3.2).
    pub const BT709: Self = Self { kr: 0.2126, kb: 0.0722, full_range: false };

    /// The encoding of an ITU-T H.273 matrix code point (clause 8.3, table 4); `None` for what is no matrix of luma
    /// coefficients, such as identity, YCgCo and ICtCp.
    pub fn of_matrix(code_point: u8, full_range: bool) -> Option<Self> {
        let (kr, kb) = match code_point {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            5 | 6 => (0.299, 0.114),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => return None,
        };
        Some(Self { kr, kb, full_range })
    }

    /// The scales of luma and chroma, and the code value of black.
    fn scales(&self) -> (f64, f64, f64) {
        if self.full_range { (255.0, 255.0, 0.0) } else { (219.0, 224.0, 16.0) }
    }

    /// Red, green and blue (0 to 1) of a luma (0 to 1) and two colour differences (-0.5 to 0.5).
    fn rgb_of(self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let red = y + 2.0 * (1.0 - self.kr) * cr;
        let blue = y + 2.0 * (1.0 - self.kb) * cb;
        [red, (y - self.kr * red - self.kb * blue) / (1.0 - self.kr - self.kb), blue]
    }

    /// Red, green and blue (0 to 1) of 8-bit code values, which may have fractions.
    pub(crate) fn decode(self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let (luma, chroma, black) = self.scales();
        self.rgb_of([(y - black) / luma, (cb - 128.0) / chroma, (cr - 128.0) / chroma])
    }

    /// 8-bit code values, with fractions, of red, green and blue.
    #[cfg(test)]
    pub(super) fn encode(self, rgb: [f64; 3]) -> [f64; 3] {
        let (luma, chroma, black) = self.scales();
        let [y, cb, cr] = self.ycc_of(rgb);
        [black + luma * y, 128.0 + chroma * cb, 128.0 + chroma * cr]
    }

    fn ycc_of(self, [red, green, blue]: [f64; 3]) -> [f64; 3] {
        let y = self.kr * red + (1.0 - self.kr - self.kb) * green + self.kb * blue;
        [y, (blue - y) / (2.0 * (1.0 - self.kb)), (red - y) / (2.0 * (1.0 - self.kr))]
    }
}

/// A change from one [`Encoding`] to BT.709 limited, at the same primaries and transfer.
///
/// Both have the neutral axis in common, so that chroma depends on chroma alone and luma on all three: nine factors
/// become seven. Fixed point with 14 fractional bits; each sample is within 1 of the exact value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recolor {
    /// Luma from luma, Cb and Cr, and an offset.
    luma: [i32; 4],
    /// Cb from Cb and Cr, and the same for Cr.
    chroma: [[i32; 2]; 2],
}

const BITS: u32 = 14;
const HALF: i32 = 1 << (BITS - 1);

impl Recolor {
    /// The change from `encoding`; `None` if there is nothing to change.
    pub fn to_bt709(encoding: Encoding) -> Option<Self> {
        if encoding == Encoding::BT709 {
            return None;
        }
        let (luma_in, chroma_in, black_in) = encoding.scales();
        let (luma_out, chroma_out, black_out) = Encoding::BT709.scales();
        let change = |input: [f64; 3]| Encoding::BT709.ycc_of(encoding.rgb_of(input));
        let (of_cb, of_cr) = (change([0.0, 1.0, 0.0]), change([0.0, 0.0, 1.0]));
        let fixed = |value: f64| (value * f64::from(1 << BITS)).round() as i32;
        Some(Self {
            luma: [
                fixed(luma_out / luma_in),
                fixed(luma_out / chroma_in * of_cb[0]),
                fixed(luma_out / chroma_in * of_cr[0]),
                fixed(black_out - black_in * luma_out / luma_in) + HALF,
            ],
            chroma: [1, 2].map(|row| [of_cb[row], of_cr[row]].map(|factor| fixed(chroma_out / chroma_in * factor))),
        })
    }

    /// Changes `picture` in place. Each chroma sample stands for its two by two samples of luma. One row is allocated.
    pub fn apply(&self, picture: &mut I420Mut<'_>) {
        let I420Mut { y, u, v } = picture;
        let rows = u.height().min(v.height());
        let mut shifts = vec![0; y.width().next_multiple_of(2)];
        for row in 0..rows {
            let (us, vs) = (u.row_mut(row), v.row_mut(row));
            luma_shifts(self.luma, us, vs, &mut shifts);
            for line in [2 * row, 2 * row + 1] {
                luma_row(self.luma[0], &shifts, y.row_mut(line));
            }
            chroma_row(self.chroma, us, vs);
        }
    }
}

/// What chroma adds to each luma sample of a row.
#[multiversion(targets = "simd")]
fn luma_shifts([_, of_u, of_v, offset]: [i32; 4], u: &[u8], v: &[u8], shifts: &mut [i32]) {
    for (pair, (&u, &v)) in shifts.chunks_exact_mut(2).zip(u.iter().zip(v)) {
        pair.fill((i32::from(u) - 128) * of_u + (i32::from(v) - 128) * of_v + offset);
    }
}

#[multiversion(targets = "simd")]
fn luma_row(of_y: i32, shifts: &[i32], y: &mut [u8]) {
    // At most 1.17 in 14 bits: it fits into 16, and products of 16-bit numbers are what old vector units can do.
    let of_y = of_y as i16;
    for (y, &shift) in y.iter_mut().zip(shifts) {
        *y = to_byte(i32::from(i16::from(*y)) * i32::from(of_y) + shift);
    }
}

#[multiversion(targets = "simd")]
fn chroma_row([[u_of_u, u_of_v], [v_of_u, v_of_v]]: [[i32; 2]; 2], us: &mut [u8], vs: &mut [u8]) {
    for (u, v) in us.iter_mut().zip(vs) {
        let (cb, cr) = (i32::from(*u) - 128, i32::from(*v) - 128);
        *u = to_byte(cb * u_of_u + cr * u_of_v + (128 << BITS) + HALF);
        *v = to_byte(cb * v_of_u + cr * v_of_v + (128 << BITS) + HALF);
    }
}

#[inline(always)]
fn to_byte(fixed: i32) -> u8 {
    (fixed >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::PlaneMut;

    fn exact(encoding: Encoding, [y, u, v]: [u8; 3]) -> [f64; 3] {
        let rgb = encoding.decode([y, u, v].map(f64::from));
        Encoding::BT709.encode(rgb).map(|value| value.clamp(0.0, 255.0))
    }

    fn applied(encoding: Encoding, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let (mut luma, mut cb, mut cr) = ([y; 15], [u; 6], [v; 6]);
        let mut picture = I420Mut {
            y: PlaneMut::new(&mut luma, 5, 3, 5).expect("fits"),
            u: PlaneMut::new(&mut cb, 3, 2, 3).expect("fits"),
            v: PlaneMut::new(&mut cr, 3, 2, 3).expect("fits"),
        };
        Recolor::to_bt709(encoding).expect("something to change").apply(&mut picture);
        assert!(luma.iter().all(|&y| y == luma[0]) && cb.iter().all(|&u| u == cb[0]), "every sample is changed");
        [luma[14], cb[5], cr[5]]
    }

    #[test]
    fn known_colours() {
        let bt601 = Encoding::of_matrix(6, false).expect("is one");
        // Red, green, blue and white in BT.601 limited, and in BT.709 limited: both are rounded, which adds up to 1.
        for (from, to) in [
            ([81, 90, 240], [63u8, 102, 240]),
            ([145, 54, 34], [173, 42, 26]),
            ([41, 240, 110], [32, 240, 118]),
            ([235, 128, 128], [235, 128, 128]),
        ] {
            let found = applied(bt601, from);
            assert!(found.iter().zip(to).all(|(&found, to)| found.abs_diff(to) <= 1), "{from:?} became {found:?}");
        }
        let full = Encoding { full_range: true, ..Encoding::BT709 };
        assert_eq!(applied(full, [0, 128, 128]), [16, 128, 128]);
        assert_eq!(applied(full, [255, 128, 128]), [235, 128, 128]);
        assert_eq!(Recolor::to_bt709(Encoding::BT709), None);
        assert_eq!(Encoding::of_matrix(8, false), None, "YCgCo");
    }

    proptest! {
        #[test]
        fn every_sample_is_within_one_of_the_exact_value(
            matrix in prop::sample::select(vec![1u8, 4, 6, 7, 9]), full: bool, sample: [u8; 3],
        ) {
            let encoding = Encoding::of_matrix(matrix, full).expect("is one");
            prop_assume!(encoding != Encoding::BT709);
            for (found, exact) in applied(encoding, sample).into_iter().zip(exact(encoding, sample)) {
                prop_assert!((f64::from(found) - exact).abs() <= 1.0, "{found} {exact}");
            }
        }
    }
}
