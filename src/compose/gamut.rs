//! Wide gamut at standard dynamic range to BT.709.

use super::{Encoding, I420Mut, I420Ref16, Primaries};

/// Steps of a signal from 0 to 1 in the tables, and of light.
const STEPS: usize = 4096;

/// A change from 10-bit samples of wider primaries at standard dynamic range to 8-bit BT.709 limited.
///
/// By way of linear light (ITU-R BT.2087-0), with tables for both curves: saturated colours lie where the curves bend
/// most, and a table of the whole chain, as HDR has it, would be off by several code values there. In 32-bit floats in a
/// fixed order: the same bytes on every CPU. About three times the time of an HDR table.
#[derive(Debug, Clone)]
pub struct GamutMap {
    input: Input,
    to_bt709: [[f32; 3]; 3],
    /// Light of each step of the signal.
    light: Vec<f32>,
    /// Signal of each step of the light.
    signal: Vec<f32>,
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
            (0..=STEPS).map(|step| curve(step as f64 / STEPS as f64) as f32).collect::<Vec<f32>>()
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
        for row in 0..from.u.height() {
            let (u, v) = (from.u.row(row), from.v.row(row));
            for line in [2 * row, 2 * row + 1] {
                let luma = from.y.row(line).chunks(2);
                for ((target, luma), (&u, &v)) in to.y.row_mut(line).chunks_mut(2).zip(luma).zip(u.iter().zip(v)) {
                    let differences = self.input.differences(u, v);
                    for (target, &y) in target.iter_mut().zip(luma) {
                        let [r, g, b] = self.change(self.input.luma(y), differences);
                        *target = (16.5 + 219.0 * (KR * r + KG * g + KB * b)) as u8;
                    }
                }
            }
            let targets = to.u.row_mut(row).iter_mut().zip(to.v.row_mut(row));
            for (x, ((to_u, to_v), (&u, &v))) in targets.zip(u.iter().zip(v)).enumerate() {
                let at = |line: usize, side: usize| from.y.row(line).get(2 * x + side).copied();
                let four = [at(2 * row, 0), at(2 * row, 1), at(2 * row + 1, 0), at(2 * row + 1, 1)];
                let (mut sum, mut count) = (0u32, 0u32);
                four.into_iter().flatten().for_each(|luma| (sum, count) = (sum + u32::from(luma), count + 1));
                let luma = self.input.luma((sum / count.max(1)) as u16);
                let [r, g, b] = self.change(luma, self.input.differences(u, v));
                let y = KR * r + KG * g + KB * b;
                *to_u = (128.5 + 224.0 * (b - y) / (2.0 * (1.0 - KB))) as u8;
                *to_v = (128.5 + 224.0 * (r - y) / (2.0 * (1.0 - KR))) as u8;
            }
        }
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
#[cold]
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
fn lookup(table: &[f32], place: f32) -> f32 {
    // `as` takes everything under zero as zero.
    let step = (place * STEPS as f32 + 0.5) as usize;
    table[step.min(STEPS)]
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
