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
    encoding: Encoding,
    to_bt709: [[f64; 3]; 3],
    /// Light of each step of the signal.
    light: Vec<f32>,
    /// Signal of each step of the light.
    signal: Vec<f32>,
}

impl GamutMap {
    /// The change from samples in `encoding` and `primaries`.
    pub fn new(encoding: Encoding, primaries: Primaries) -> Self {
        let table = |curve: fn(f64) -> f64| {
            (0..=STEPS).map(|step| curve(step as f64 / STEPS as f64) as f32).collect::<Vec<f32>>()
        };
        Self { encoding, to_bt709: primaries.to_bt709(), light: table(bt709_inverse_oetf), signal: table(bt709_oetf) }
    }

    /// Changes `from` into `to`, which has the same size. No allocation.
    pub fn apply(&self, from: I420Ref16<'_>, to: &mut I420Mut<'_>) {
        for row in 0..from.u.height() {
            let (u, v) = (from.u.row(row), from.v.row(row));
            for line in [2 * row, 2 * row + 1] {
                let target = to.y.row_mut(line);
                for (x, (target, &luma)) in target.iter_mut().zip(from.y.row(line)).enumerate() {
                    let [Some(&u), Some(&v)] = [u.get(x / 2), v.get(x / 2)] else { continue };
                    let [y, ..] = self.change([luma, u, v]);
                    *target = (y + 0.5) as u8;
                }
            }
            let targets = to.u.row_mut(row).iter_mut().zip(to.v.row_mut(row));
            for (x, ((to_u, to_v), (&u, &v))) in targets.zip(u.iter().zip(v)).enumerate() {
                let at = |line: usize, side: usize| from.y.row(line).get(2 * x + side).copied();
                let four = [at(2 * row, 0), at(2 * row, 1), at(2 * row + 1, 0), at(2 * row + 1, 1)];
                let (mut sum, mut count) = (0u32, 0u32);
                four.into_iter().flatten().for_each(|luma| (sum, count) = (sum + u32::from(luma), count + 1));
                let [_, cb, cr] = self.change([(sum / count.max(1)) as u16, u, v]);
                (*to_u, *to_v) = ((cb + 0.5) as u8, (cr + 0.5) as u8);
            }
        }
    }

    /// One colour: 10-bit code values to 8-bit ones, not rounded.
    fn change(&self, code: [u16; 3]) -> [f32; 3] {
        let rgb = self.encoding.decode(code.map(|value| f64::from(value) / 4.0));
        let light = rgb.map(|part| lookup(&self.light, part as f32));
        let light = to_bt709_light(&self.to_bt709, light.map(f64::from)).map(|part| part as f32);
        let signal = light.map(|part| lookup(&self.signal, part));
        Encoding::BT709.encode(signal.map(f64::from)).map(|value| value as f32)
    }
}

/// The value of a table at `place` from 0 to 1, to the nearest step.
fn lookup(table: &[f32], place: f32) -> f32 {
    let step = (place * STEPS as f32 + 0.5) as usize;
    table.get(step).or(table.last()).copied().unwrap_or(0.0)
}

/// ITU-R BT.709-6, item 1.2; ITU-R BT.2020-2, table 4, has the same curve for 10 bits.
fn bt709_oetf(light: f64) -> f64 {
    if light < 0.018 { 4.5 * light } else { 1.099 * libm::pow(light, 0.45) - 0.099 }
}

fn bt709_inverse_oetf(signal: f64) -> f64 {
    if signal < 0.081 { signal / 4.5 } else { libm::pow((signal + 0.099) / 1.099, 1.0 / 0.45) }
}

/// Light in other primaries to light in those of BT.709 by `matrix`. A colour that lies outside goes towards the grey of its
/// luminance, until no component is under zero.
fn to_bt709_light(matrix: &[[f64; 3]; 3], light: [f64; 3]) -> [f64; 3] {
    let light = matrix.map(|row| row[0] * light[0] + row[1] * light[1] + row[2] * light[2]);
    let least = light.iter().fold(0.0f64, |least, &part| least.min(part));
    let luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    if least >= 0.0 || luminance <= 0.0 {
        return light.map(|part| part.max(0.0));
    }
    let kept = luminance / (luminance - least);
    light.map(|part| luminance + (part - luminance) * kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(encoding: Encoding, code: [u16; 3]) -> [f64; 3] {
        let rgb = encoding.decode(code.map(|value| f64::from(value) / 4.0));
        let light = to_bt709_light(&Primaries::Bt2020.to_bt709(), rgb.map(bt709_inverse_oetf));
        Encoding::BT709.encode(light.map(|part| bt709_oetf(part.clamp(0.0, 1.0))))
    }

    #[test]
    fn tables_are_near_the_exact_chain() {
        let bt2020 = Encoding { kr: 0.2627, kb: 0.0593, full_range: false };
        let map = GamutMap::new(bt2020, Primaries::Bt2020);
        let mut checked = 0;
        for y in (64..=940u16).step_by(12) {
            for u in (64..=960u16).step_by(28) {
                for v in (64..=960u16).step_by(28) {
                    let rgb = bt2020.decode([y, u, v].map(|code| f64::from(code) / 4.0));
                    if rgb.iter().all(|part| (0.0..=1.0).contains(part)) {
                        let exact = exact(bt2020, [y, u, v]);
                        for (found, exact) in map.change([y, u, v]).into_iter().zip(exact) {
                            assert!((f64::from(found) - exact).abs() < 0.7, "{y} {u} {v}: {found} for {exact}");
                        }
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 5_000, "{checked}");
    }

    #[test]
    fn greys_stay_what_they_are() {
        let map = GamutMap::new(Encoding { kr: 0.2627, kb: 0.0593, full_range: false }, Primaries::Bt2020);
        for y in 64..=940u16 {
            let [luma, cb, cr] = map.change([y, 512, 512]);
            assert!((luma - f32::from(y) / 4.0).abs() < 0.3, "{y}: {luma}");
            assert!((cb - 128.0).abs() < 0.1 && (cr - 128.0).abs() < 0.1, "{y}: {cb} {cr}");
        }
    }
}
