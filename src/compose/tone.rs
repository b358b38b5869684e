//! High dynamic range and wide gamut to BT.709, in one pass over the planes.

use super::{Encoding, I420Mut};

/// A transfer function beyond the standard range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hdr {
    /// None: standard dynamic range, BT.709's curve.
    None,
    /// Perceptual quantiser, absolute light (SMPTE ST 2084, ITU-R BT.2100-2 table 4).
    Pq,
    /// Hybrid log-gamma (ARIB STD-B67, ITU-R BT.2100-2 table 5).
    Hlg,
}

/// Colour primaries that light is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Primaries {
    /// ITU-R BT.709-6, item 1.3.
    Bt709,
    /// ITU-R BT.2020-2, table 3.
    Bt2020,
}

/// One plane of samples in 16-bit words, borrowed.
#[derive(Clone, Copy)]
pub struct DeepPlane<'a> {
    data: &'a [u16],
    width: usize,
    height: usize,
    stride: usize,
}

impl<'a> DeepPlane<'a> {
    /// A plane of `width` by `height` samples whose rows start `stride` words apart. `None` unless `data` has room for it
    /// and neither size is zero.
    pub fn new(data: &'a [u16], width: usize, height: usize, stride: usize) -> Option<Self> {
        let words = height.checked_sub(1)?.checked_mul(stride)?.checked_add(width)?;
        (width > 0 && stride >= width && words <= data.len()).then_some(Self { data, width, height, stride })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row `y` without padding; empty below the last row.
    pub fn row(&self, y: usize) -> &'a [u16] {
        if y >= self.height {
            return &[];
        }
        self.data.get(y * self.stride..y * self.stride + self.width).unwrap_or(&[])
    }
}

/// A planar 4:2:0 picture of 10-bit samples: luma, and chroma at half the size in both directions, rounded up.
#[derive(Clone, Copy)]
pub struct Deep420<'a> {
    /// Luma.
    pub y: DeepPlane<'a>,
    /// Blue difference.
    pub u: DeepPlane<'a>,
    /// Red difference.
    pub v: DeepPlane<'a>,
}

/// Nodes along luma, every 16 code values of 1024.
const LUMA_NODES: usize = 65;
/// Nodes along each colour difference, every 16 code values.
const CHROMA_NODES: usize = 65;
const LUMA_STEP: u16 = 16;
const CHROMA_STEP: u16 = 16;
const MOST: u16 = 1023;

/// A change from 10-bit HDR or BT.2020 to 8-bit BT.709 limited.
///
/// The whole chain is a smooth function of three numbers, so it is tabulated once (274 625 nodes, 4.4 MB) and
/// interpolated: first between the four nodes of a chroma sample, which its two by two luma samples share, then along
/// luma. For colours that BT.709 has it is 0.5 (HLG) and 0.9 (PQ) code values from the chain on average, and at most 11:
/// in the dark, and at the very edge of what BT.709 has, the chain bends more than the table does. In 32-bit floats in a fixed order: the same
/// bytes on every CPU.
///
/// The chain, in light relative to reference white (203 cd/m², ITU-R BT.2408-7, table 1): PQ by its EOTF; HLG by its
/// inverse OETF and the OOTF of a display of 1000 cd/m² with a gamma of 1.2 (BT.2100-2, table 5). Then the primaries of
/// BT.709, where colours outside go towards grey of the same luminance. Then the brightest component is rolled off with a
/// Möbius curve (as FFmpeg's `tonemap`): up to half of reference white nothing changes, reference white becomes 0.77,
/// and 1000 cd/m² white; all three components are scaled alike, so hues stay. Last the inverse of a display's gamma
/// (ITU-R BT.1886: 2.4).
pub struct ToneMap {
    /// Y, Cb, Cr and nothing of the result as code values, by Cr, Cb and luma of the source.
    nodes: Vec<f32>,
}

/// Numbers of a node.
const LANES: usize = 4;

impl std::fmt::Debug for ToneMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToneMap").finish_non_exhaustive()
    }
}

impl ToneMap {
    /// The change from samples in `encoding` with light in `hdr` and `primaries`. Takes some tens of milliseconds.
    pub fn new(hdr: Hdr, primaries: Primaries, encoding: Encoding) -> Self {
        let mut nodes = Vec::with_capacity(LUMA_NODES * CHROMA_NODES * CHROMA_NODES * LANES);
        let at = |node: usize, step: u16| node as f64 * f64::from(step);
        for v in 0..CHROMA_NODES {
            for u in 0..CHROMA_NODES {
                for y in 0..LUMA_NODES {
                    let code = [at(y, LUMA_STEP), at(u, CHROMA_STEP), at(v, CHROMA_STEP)];
                    let [y, cb, cr] = exact(hdr, primaries, encoding, code);
                    nodes.extend([y as f32, cb as f32, cr as f32, 0.0]);
                }
            }
        }
        Self { nodes }
    }

    /// Changes `from` into `to`, which has the same size. No allocation.
    pub fn apply(&self, from: Deep420<'_>, to: &mut I420Mut<'_>) {
        for row in 0..from.u.height() {
            let (top, bottom) = (from.y.row(2 * row), from.y.row(2 * row + 1));
            let (u, v) = (from.u.row(row), from.v.row(row));
            let (to_top, to_bottom) = to.y.two_rows_mut(2 * row);
            let (to_u, to_v) = (to.u.row_mut(row), to.v.row_mut(row));
            // Whole blocks first; what is left at the edges of odd sizes has no pair.
            let whole = bottom.len() / 2;
            let blocks = top.chunks_exact(2).zip(bottom.chunks_exact(2)).zip(u.iter().zip(v));
            let targets = to_top.chunks_exact_mut(2).zip(to_bottom.chunks_exact_mut(2));
            let targets = targets.zip(to_u.iter_mut().zip(to_v.iter_mut()));
            for (((top, bottom), (&u, &v)), ((to_top, to_bottom), (to_u, to_v))) in blocks.zip(targets) {
                let mut curve = Curve::at(self, u, v);
                let [a, b] = [top[0].min(MOST), top[1].min(MOST)];
                let [c, d] = [bottom[0].min(MOST), bottom[1].min(MOST)];
                (to_top[0], to_top[1]) = (curve.luma(a), curve.luma(b));
                (to_bottom[0], to_bottom[1]) = (curve.luma(c), curve.luma(d));
                (*to_u, *to_v) = curve.color((a + b + c + d) / 4);
            }
            for (place, (&u, &v)) in u.iter().zip(v).enumerate().skip(whole) {
                let mut curve = Curve::at(self, u, v);
                let (mut sum, mut count) = (0, 0);
                for (samples, target) in [(top, &mut *to_top), (bottom, &mut *to_bottom)] {
                    let samples = samples.iter().skip(2 * place).take(2);
                    for (target, &sample) in target.iter_mut().skip(2 * place).zip(samples) {
                        let sample = sample.min(MOST);
                        *target = curve.luma(sample);
                        (sum, count) = (sum + sample, count + 1);
                    }
                }
                let color = curve.color(sum / u16::max(count, 1));
                if let (Some(to_u), Some(to_v)) = (to_u.get_mut(place), to_v.get_mut(place)) {
                    (*to_u, *to_v) = color;
                }
            }
        }
    }
}

/// The result along luma for one pair of colour differences.
struct Curve<'a> {
    /// The curves of the four neighbouring pairs.
    corners: [&'a [f32]; 4],
    /// How much each counts.
    weights: [f32; 4],
    /// The node of luma that was asked for last, with the results there and at the next node.
    cell: u16,
    ends: [f32; 2 * LANES],
}

impl<'a> Curve<'a> {
    #[inline(always)]
    fn at(map: &'a ToneMap, u: u16, v: u16) -> Self {
        let split = |value: u16| {
            let value = value.min(MOST);
            (usize::from(value / CHROMA_STEP), f32::from(value % CHROMA_STEP) * (1.0 / CHROMA_STEP as f32))
        };
        let ((u, part_u), (v, part_v)) = (split(u), split(v));
        let (rest_u, rest_v) = (1.0 - part_u, 1.0 - part_v);
        const CURVE: usize = LUMA_NODES * LANES;
        let start = (v * CHROMA_NODES + u) * CURVE;
        let curve = |at: usize| map.nodes.get(at..at + CURVE).unwrap_or(&[]);
        let below = start + CHROMA_NODES * CURVE;
        Self {
            corners: [curve(start), curve(start + CURVE), curve(below), curve(below + CURVE)],
            weights: [rest_u * rest_v, part_u * rest_v, rest_u * part_v, part_u * part_v],
            cell: u16::MAX,
            ends: [0.0; 2 * LANES],
        }
    }

    #[inline(always)]
    fn luma(&mut self, sample: u16) -> u8 {
        self.enter(sample);
        self.between(0, sample)
    }

    #[inline(always)]
    fn color(&mut self, sample: u16) -> (u8, u8) {
        self.enter(sample);
        (self.between(1, sample), self.between(2, sample))
    }

    /// A result between the two nodes around a luma sample, rounded. None is below 0 or above 255: the nodes are not.
    #[inline(always)]
    fn between(&self, lane: usize, sample: u16) -> u8 {
        let part = f32::from(sample % LUMA_STEP) * (1.0 / LUMA_STEP as f32);
        let (from, to) = (self.ends[lane], self.ends[lane + LANES]);
        (from + (to - from) * part + 0.5) as i32 as u8
    }

    /// Moves to the cell of a luma sample.
    #[inline(always)]
    fn enter(&mut self, sample: u16) {
        let cell = sample / LUMA_STEP;
        if cell != self.cell {
            self.cell = cell;
            self.ends = self.mixed(usize::from(cell) * LANES);
        }
    }

    /// The four corners at two neighbouring nodes, weighted: eight lanes that compile to vectors.
    #[inline(always)]
    fn mixed(&self, at: usize) -> [f32; 2 * LANES] {
        let mut ends = [0.0f32; 2 * LANES];
        for (corner, weight) in self.corners.iter().zip(self.weights) {
            let lanes: &[f32; 2 * LANES] = match corner.get(at..).and_then(|rest| rest.first_chunk()) {
                Some(lanes) => lanes,
                None => continue,
            };
            for (end, &lane) in ends.iter_mut().zip(lanes) {
                *end += lane * weight;
            }
        }
        ends
    }
}

/// Light of reference white, in cd/m² (ITU-R BT.2408-7, table 1).
const REFERENCE_WHITE: f64 = 203.0;
/// The brightest light that is told from brighter ones, in cd/m²: the peak of usual mastering displays, and of HLG's
/// reference display.
const PEAK: f64 = 1000.0;
/// Half of reference white: below, nothing is rolled off.
const KNEE: f64 = 0.5;
/// The gamma of a standard display (ITU-R BT.1886).
const DISPLAY_GAMMA: f64 = 2.4;
/// BT.2020 to BT.709 in linear light (ITU-R BT.2087-0, annex 2, inverted).
const TO_BT709: [[f64; 3]; 3] =
    [[1.660_491, -0.587_641, -0.072_850], [-0.124_550, 1.132_900, -0.008_349], [-0.018_151, -0.100_579, 1.118_730]];

/// The chain for one colour: 10-bit code values to 8-bit ones, not rounded.
pub(super) fn exact(hdr: Hdr, primaries: Primaries, encoding: Encoding, code: [f64; 3]) -> [f64; 3] {
    let rgb = encoding.decode(code.map(|value| value / 4.0)).map(|component| component.clamp(0.0, 1.1));
    let light = linear(hdr, rgb);
    let light = match primaries {
        Primaries::Bt709 => light,
        Primaries::Bt2020 => to_bt709_light(light),
    };
    let signal = match hdr {
        Hdr::None => light.map(|part| bt709_oetf(part.clamp(0.0, 1.0))),
        _ => {
            let most = light.iter().fold(0.0f64, |most, &part| most.max(part));
            let scale = if most > 0.0 { roll_off(most) / most } else { 0.0 };
            light.map(|part| (part * scale).clamp(0.0, 1.0).powf(1.0 / DISPLAY_GAMMA))
        }
    };
    Encoding::BT709.encode(signal).map(|value| value.clamp(0.0, 255.0))
}

/// Light relative to reference white (HDR) or to white (standard range) of a signal from 0 to 1.
fn linear(hdr: Hdr, signal: [f64; 3]) -> [f64; 3] {
    match hdr {
        Hdr::None => signal.map(bt709_inverse_oetf),
        Hdr::Pq => signal.map(|part| pq_eotf(part) / REFERENCE_WHITE),
        Hdr::Hlg => {
            let scene = signal.map(hlg_inverse_oetf);
            let luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2];
            let gain = if luminance > 0.0 { luminance.powf(0.2) * PEAK / REFERENCE_WHITE } else { 0.0 };
            scene.map(|part| part * gain)
        }
    }
}

/// ITU-R BT.2100-2, table 4: cd/m² of a signal.
fn pq_eotf(signal: f64) -> f64 {
    const M1: f64 = 2610.0 / 16384.0;
    const M2: f64 = 2523.0 / 4096.0 * 128.0;
    const C1: f64 = 3424.0 / 4096.0;
    const C2: f64 = 2413.0 / 4096.0 * 32.0;
    const C3: f64 = 2392.0 / 4096.0 * 32.0;
    let power = signal.clamp(0.0, 1.0).powf(1.0 / M2);
    10_000.0 * ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1)
}

/// ITU-R BT.2100-2, table 5: scene light of a signal, 1 at the nominal peak.
fn hlg_inverse_oetf(signal: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 1.0 - 4.0 * A;
    const C: f64 = 0.559_910_73;
    if signal <= 0.5 { signal * signal / 3.0 } else { (((signal - C) / A).exp() + B) / 12.0 }
}

/// ITU-R BT.709-6, item 1.2.
pub(super) fn bt709_oetf(light: f64) -> f64 {
    if light < 0.018 { 4.5 * light } else { 1.099 * light.powf(0.45) - 0.099 }
}

pub(super) fn bt709_inverse_oetf(signal: f64) -> f64 {
    if signal < 0.081 { signal / 4.5 } else { ((signal + 0.099) / 1.099).powf(1.0 / 0.45) }
}

/// Light in the primaries of BT.2020 to light in those of BT.709, with what lies outside taken towards grey.
pub(super) fn to_bt709_light(light: [f64; 3]) -> [f64; 3] {
    into_gamut(TO_BT709.map(|row| row[0] * light[0] + row[1] * light[1] + row[2] * light[2]))
}

/// Takes a colour with components below zero towards the grey of its luminance, until none is.
fn into_gamut(light: [f64; 3]) -> [f64; 3] {
    let least = light.iter().fold(0.0f64, |least, &part| least.min(part));
    let luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    if least >= 0.0 || luminance <= 0.0 {
        return light.map(|part| part.max(0.0));
    }
    let kept = luminance / (luminance - least);
    light.map(|part| luminance + (part - luminance) * kept)
}

/// Light relative to reference white to light relative to a standard display's white: a Möbius curve that leaves what is
/// under the knee alone, and ends with value 1 at the peak.
fn roll_off(light: f64) -> f64 {
    let peak = PEAK / REFERENCE_WHITE;
    if light <= KNEE {
        return light;
    }
    let a = -KNEE * KNEE * (peak - 1.0) / (KNEE * KNEE - 2.0 * KNEE + peak);
    let b = (KNEE * KNEE - 2.0 * KNEE * peak + peak) / (peak - 1.0);
    ((b * b + 2.0 * b * KNEE + KNEE * KNEE) / (b - a) * (light + a) / (light + b)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::PlaneMut;

    const BT2020: Encoding = Encoding { kr: 0.2627, kb: 0.0593, full_range: false };

    fn mapped(map: &ToneMap, [y, u, v]: [u16; 3]) -> [u8; 3] {
        let plane = |value, width, height| (vec![value; width * height], width, height);
        let [y, u, v] = [plane(y, 3, 3), plane(u, 2, 2), plane(v, 2, 2)];
        let deep = |plane: &'_ (Vec<u16>, usize, usize)| -> DeepPlane<'static> {
            DeepPlane::new(plane.0.clone().leak(), plane.1, plane.2, plane.1).expect("fits")
        };
        let (mut luma, mut cb, mut cr) = ([0; 9], [0; 4], [0; 4]);
        let mut to = I420Mut {
            y: PlaneMut::new(&mut luma, 3, 3, 3).expect("fits"),
            u: PlaneMut::new(&mut cb, 2, 2, 2).expect("fits"),
            v: PlaneMut::new(&mut cr, 2, 2, 2).expect("fits"),
        };
        map.apply(Deep420 { y: deep(&y), u: deep(&u), v: deep(&v) }, &mut to);
        assert!(luma.iter().all(|&y| y == luma[0]) && cb.iter().all(|&u| u == cb[0]), "edges are like the middle");
        [luma[0], cb[0], cr[0]]
    }

    #[test]
    fn curves_meet_their_standards() {
        assert!((pq_eotf(0.580_689) - 203.0).abs() < 0.1, "BT.2408: 203 cd/m2 is 58 % PQ");
        assert!((pq_eotf(1.0) - 10_000.0).abs() < 1e-6);
        assert!((hlg_inverse_oetf(1.0) - 1.0).abs() < 1e-6);
        assert!((linear(Hdr::Hlg, [0.75; 3])[0] - 1.0).abs() < 0.01, "BT.2408: 203 cd/m2 is 75 % HLG");
        assert!((bt709_inverse_oetf(bt709_oetf(0.18)) - 0.18).abs() < 1e-4);
        assert_eq!(roll_off(0.3), 0.3);
        assert!((roll_off(PEAK / REFERENCE_WHITE) - 1.0).abs() < 1e-9);
        assert!((0.74..0.80).contains(&roll_off(1.0)));
    }

    #[test]
    fn greys_stay_grey_and_in_order() {
        for hdr in [Hdr::Hlg, Hdr::Pq] {
            let map = ToneMap::new(hdr, Primaries::Bt2020, BT2020);
            let mut last = 0;
            for y in 64..=940u16 {
                let [luma, cb, cr] = mapped(&map, [y, 512, 512]);
                assert!(cb.abs_diff(128) <= 1 && cr.abs_diff(128) <= 1, "{hdr:?} {y}: {cb} {cr}");
                assert!(luma >= last, "{hdr:?} {y}: {luma} after {last}");
                last = luma;
            }
            assert_eq!(mapped(&map, [64, 512, 512])[0], 16, "black");
            assert!((233..=236).contains(&last), "{hdr:?}: white is {last}");
        }
    }

    #[test]
    fn reference_white_is_bright_and_middle_grey_is_in_the_middle() {
        let hlg = ToneMap::new(Hdr::Hlg, Primaries::Bt2020, BT2020);
        let white = mapped(&hlg, [64 + 876 * 3 / 4, 512, 512])[0];
        assert!((205..=220).contains(&white), "75 % HLG became {white}");
        // BT.2408: a grey card of 18 % is 26 cd/m2, 38 % HLG and 38 % PQ.
        let pq = ToneMap::new(Hdr::Pq, Primaries::Bt2020, BT2020);
        for map in [&hlg, &pq] {
            let grey = mapped(map, [64 + 333, 512, 512])[0];
            assert!((95..=125).contains(&grey), "a grey card became {grey}");
        }
    }

    #[test]
    fn interpolation_is_near_the_exact_chain() {
        for hdr in [Hdr::Hlg, Hdr::Pq] {
            let map = ToneMap::new(hdr, Primaries::Bt2020, BT2020);
            let (mut sum, mut count, mut most) = (0.0f64, 0, 0.0f64);
            // Steps that meet the nodes nowhere.
            for y in (71..=940u16).step_by(23) {
                for u in (69..=960u16).step_by(37) {
                    for v in (69..=960u16).step_by(37) {
                        let rgb = BT2020.decode([y, u, v].map(|code| f64::from(code) / 4.0));
                        let light = linear(hdr, rgb.map(|part| part.clamp(0.0, 1.0)));
                        let light = TO_BT709.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>());
                        // Colours that a camera can make and BT.709 has.
                        if !rgb.iter().all(|part| (0.0..=1.0).contains(part)) || light.iter().any(|&part| part < 0.0) {
                            continue;
                        }
                        let expected = exact(hdr, Primaries::Bt2020, BT2020, [y, u, v].map(f64::from));
                        for (found, expected) in mapped(&map, [y, u, v]).into_iter().zip(expected) {
                            let error = (f64::from(found) - expected).abs();
                            (sum, count, most) = (sum + error, count + 1, most.max(error));
                        }
                    }
                }
            }
            let mean = sum / f64::from(count);
            assert!(count > 1_500 && mean < 1.0 && most < 12.0, "{hdr:?}: mean {mean}, most {most} of {count}");
        }
    }
}
