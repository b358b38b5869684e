//! Wide gamut at standard dynamic range to BT.709.

use super::{Encoding, I420Mut, I420Ref16, Primaries};

/// Steps of a signal from 0 to 1 in the tables, and of light.
const STEPS: usize = 4096;
/// Values of a table: the steps and its end, and more, so that every masked number is one of them.
const SLOTS: usize = 2 * STEPS;

type Table = [f32; SLOTS];

/// A change from 10-bit samples of wider primaries at standard dynamic range to 8-bit BT.709 limited.
///
/// By way of linear light (ITU-R BT.2087-0), with tables for both curves: saturated colours lie where the curves bend
/// most, and a table of the whole chain, as HDR has it, would be off by several code values there. In 32-bit floats in a
/// fixed order: the same bytes on every CPU. A frame of noise of 1080x1920 takes 50 ms (`benches/source.rs`); what is drawn,
/// such as a screen, a fraction of that, since runs of one colour are changed once.
#[derive(Debug, Clone)]
pub struct GamutMap {
    input: Input,
    to_bt709: [[f32; 3]; 3],
    /// Light of each step of the signal.
    light: Box<Table>,
    /// Signal of each step of the light.
    signal: Box<Table>,
}

/// How 10-bit samples become R'G'B'.
#[derive(Debug, Clone, Copy)]
struct Input {
    black: f32,
    luma: f32,
    chroma: f32,
    /// R' of Cr, G' of Cb and of Cr, B' of Cb.
    red: f32,
    green: [f32; 2],
    blue: f32,
}

impl Input {
    fn new(Encoding { kr, kb, full_range }: Encoding) -> Self {
        let (black, luma, chroma) = if full_range { (0.0, 1020.0, 1020.0) } else { (64.0, 876.0, 896.0) };
        let (red, blue, kg) = (2.0 * (1.0 - kr), 2.0 * (1.0 - kb), 1.0 - kr - kb);
        Self {
            black,
            luma: 1.0 / luma,
            chroma: 1.0 / chroma,
            red: red as f32,
            green: [(-kb * blue / kg) as f32, (-kr * red / kg) as f32],
            blue: blue as f32,
        }
    }

    /// What chroma adds to luma for R', G' and B'.
    #[inline(always)]
    fn differences(&self, cb: u16, cr: u16) -> [f32; 3] {
        let (cb, cr) = ((f32::from(cb) - 512.0) * self.chroma, (f32::from(cr) - 512.0) * self.chroma);
        [self.red * cr, self.green[0] * cb + self.green[1] * cr, self.blue * cb]
    }

    #[inline(always)]
    fn luma(&self, y: u16) -> f32 {
        (f32::from(y) - self.black) * self.luma
    }
}

/// BT.709's weights of R and B.
const KR: f32 = 0.2126;
const KB: f32 = 0.0722;
const KG: f32 = 0.7152;

impl GamutMap {
    /// The change from samples in `encoding` and `primaries`.
    pub fn new(encoding: Encoding, primaries: Primaries) -> Self {
        let table = |curve: fn(f64) -> f64| {
            let mut table = Box::new([0.0; SLOTS]);
            for (step, slot) in table.iter_mut().enumerate().take(STEPS + 1) {
                *slot = curve(step as f64 / STEPS as f64) as f32;
            }
            table
        };
        Self {
            input: Input::new(encoding),
            to_bt709: primaries.to_bt709().map(|row| row.map(|part| part as f32)),
            light: table(bt709_inverse_oetf),
            signal: table(bt709_oetf),
        }
    }

    /// Changes `from` into `to`, which has the same size. No allocation.
    pub fn apply(&self, from: I420Ref16<'_>, to: &mut I420Mut<'_>) {
        let height = from.y.height();
        for row in 0..from.u.height() {
            let upper = from.y.row(2 * row);
            let lower = if 2 * row + 1 < height { from.y.row(2 * row + 1) } else { upper };
            let (to_upper, to_lower) = to.y.row_pair_mut(2 * row);
            let luma = upper.chunks(2).zip(lower.chunks(2));
            let chroma = from.u.row(row).iter().zip(from.v.row(row));
            let to_luma =
                to_upper.chunks_mut(2).zip(to_lower.chunks_mut(2).map(Some).chain(std::iter::repeat_with(|| None)));
            let to_chroma = to.u.row_mut(row).iter_mut().zip(to.v.row_mut(row));
            let mut last = ([0; 4], 0, 0);
            let mut block = self.block(last);
            for (((upper, lower), (&u, &v)), ((to_upper, to_lower), (to_u, to_v))) in
                luma.zip(chroma).zip(to_luma.zip(to_chroma))
            {
                let last_of = |pair: &[u16]| pair.last().copied().unwrap_or(0);
                let samples = ([upper[0], last_of(upper), lower[0], last_of(lower)], u, v);
                // Drawn pictures, such as screens, have the same colour over and over.
                if samples != last {
                    (last, block) = (samples, self.block(samples));
                }
                let ([a, b, c, d], chroma) = block;
                to_upper.copy_from_slice(&[a, b][..to_upper.len()]);
                if let Some(to_lower) = to_lower {
                    to_lower.copy_from_slice(&[c, d][..to_lower.len()]);
                }
                (*to_u, *to_v) = chroma;
            }
        }
    }

    /// Four samples of luma and the chroma of all.
    #[inline(always)]
    fn block(&self, (luma, u, v): ([u16; 4], u16, u16)) -> ([u8; 4], (u8, u8)) {
        let differences = self.input.differences(u, v);
        let [a, b, c, d] = luma;
        let mean = ((u32::from(a) + u32::from(b) + u32::from(c) + u32::from(d)) / 4) as u16;
        let [r, g, b] = self.change(self.input.luma(mean), differences);
        let y = KR * r + KG * g + KB * b;
        let chroma =
            (byte(128.0 + 224.0 * (b - y) / (2.0 * (1.0 - KB))), byte(128.0 + 224.0 * (r - y) / (2.0 * (1.0 - KR))));
        if luma == [mean; 4] {
            return ([byte(16.0 + 219.0 * y); 4], chroma);
        }
        let luma = luma.map(|y| {
            let [r, g, b] = self.change(self.input.luma(y), differences);
            byte(16.0 + 219.0 * (KR * r + KG * g + KB * b))
        });
        (luma, chroma)
    }

    /// One colour to R'G'B' of BT.709.
    #[inline(always)]
    fn change(&self, luma: f32, differences: [f32; 3]) -> [f32; 3] {
        let [r, g, b] = differences.map(|difference| lookup(&self.light, luma + difference));
        let light = self.to_bt709.map(|row| row[0] * r + row[1] * g + row[2] * b);
        let least = light[0].min(light[1]).min(light[2]);
        let light = if least < 0.0 { towards_grey(light, least) } else { light };
        light.map(|part| lookup(&self.signal, part))
    }
}

/// A colour outside of BT.709 goes towards the grey of its luminance, until no component is under zero.
#[inline(always)]
fn towards_grey(light: [f32; 3], least: f32) -> [f32; 3] {
    let luminance = KR * light[0] + KG * light[1] + KB * light[2];
    if luminance <= 0.0 {
        return [0.0; 3];
    }
    let kept = luminance / (luminance - least);
    light.map(|part| luminance + (part - luminance) * kept)
}

/// The value of a table at `place` from 0 to 1, to the nearest step.
#[inline(always)]
fn lookup(table: &Table, place: f32) -> f32 {
    table[nearest(place * STEPS as f32, STEPS as f32) & (SLOTS - 1)]
}

/// `value`, 0 to 255, to the nearest.
#[inline(always)]
fn byte(value: f32) -> u8 {
    nearest(value, 255.0) as u8
}

/// `value`, clamped to 0 to `most`, to the nearest. At 2^23 the last bit of a float is worth one, so that an addition
/// rounds, and its bits are the number: a conversion checks more and takes several times as long.
#[inline(always)]
fn nearest(value: f32, most: f32) -> usize {
    const UNIT: f32 = (1 << 23) as f32;
    ((value.max(0.0).min(most) + UNIT).to_bits() & 0x7f_ffff) as usize
}

/// ITU-R BT.709-6, item 1.2; ITU-R BT.2020-2, table 4, has the same curve for 10 bits.
fn bt709_oetf(light: f64) -> f64 {
    if light < 0.018 { 4.5 * light } else { 1.099 * libm::pow(light, 0.45) - 0.099 }
}

fn bt709_inverse_oetf(signal: f64) -> f64 {
    if signal < 0.081 { signal / 4.5 } else { libm::pow((signal + 0.099) / 1.099, 1.0 / 0.45) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{PlaneMut, PlaneRef16};

    const BT2020: Encoding = Encoding { kr: 0.2627, kb: 0.0593, full_range: false };

    /// The chain by its definition; R'G'B' must lie in 0 to 1.
    fn exact(encoding: Encoding, primaries: Primaries, code: [u16; 3]) -> [f64; 3] {
        let rgb = encoding.decode(code.map(|value| f64::from(value) / 4.0)).map(bt709_inverse_oetf);
        let light = primaries.to_bt709().map(|row| row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2]);
        let least = light.iter().fold(0.0f64, |least, &part| least.min(part));
        let luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
        let kept = if least < 0.0 && luminance > 0.0 { luminance / (luminance - least) } else { 1.0 };
        let light = light.map(|part| (luminance + (part - luminance) * kept).clamp(0.0, 1.0));
        Encoding::BT709.encode(light.map(bt709_oetf))
    }

    fn change(map: &GamutMap, [y, u, v]: [u16; 3]) -> [u8; 3] {
        let (luma, u, v) = ([y; 4], [u], [v]);
        let plane = |samples, side| PlaneRef16::new(samples, side, side, side).expect("fits");
        let mut planes = ([0u8; 4], [0u8], [0u8]);
        let mut to = I420Mut {
            y: PlaneMut::new(&mut planes.0, 2, 2, 2).expect("fits"),
            u: PlaneMut::new(&mut planes.1, 1, 1, 1).expect("fits"),
            v: PlaneMut::new(&mut planes.2, 1, 1, 1).expect("fits"),
        };
        map.apply(I420Ref16 { y: plane(&luma, 2), u: plane(&u, 1), v: plane(&v, 1) }, &mut to);
        [planes.0[3], planes.1[0], planes.2[0]]
    }

    #[test]
    fn tables_are_near_the_exact_chain() {
        let full = Encoding { full_range: true, ..Encoding::BT709 };
        let kinds =
            [(BT2020, Primaries::Bt2020), (Encoding::BT709, Primaries::DisplayP3), (full, Primaries::DisplayP3)];
        for (encoding, primaries) in kinds {
            let map = GamutMap::new(encoding, primaries);
            let mut checked = 0;
            for y in (64..=940u16).step_by(12) {
                for u in (64..=960u16).step_by(28) {
                    for v in (64..=960u16).step_by(28) {
                        let rgb = encoding.decode([y, u, v].map(|code| f64::from(code) / 4.0));
                        if rgb.iter().all(|part| (0.0..=1.0).contains(part)) {
                            let exact = exact(encoding, primaries, [y, u, v]);
                            for (found, exact) in change(&map, [y, u, v]).into_iter().zip(exact) {
                                assert!((f64::from(found) - exact).abs() < 1.2, "{y} {u} {v}: {found} for {exact}");
                            }
                            checked += 1;
                        }
                    }
                }
            }
            assert!(checked > 5_000, "{checked}");
        }
    }

    #[test]
    fn greys_stay_what_they_are() {
        let map = GamutMap::new(BT2020, Primaries::Bt2020);
        for y in 64..=940u16 {
            let [luma, cb, cr] = change(&map, [y, 512, 512]);
            assert!((f64::from(luma) - f64::from(y) / 4.0).abs() < 0.8, "{y}: {luma}");
            assert_eq!((cb, cr), (128, 128), "{y}");
        }
    }
}
