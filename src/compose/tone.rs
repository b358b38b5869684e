//! High dynamic range to standard: 10-bit HLG or PQ to 8-bit BT.709, in one pass over the picture.
//!
//! # The mapping
//!
//! 1. Y'CbCr to R'G'B' by the source's matrix.
//! 2. R'G'B' to light of a display, in cd/m2: PQ by its EOTF (ITU-R BT.2100-2, table 4; SMPTE ST 2084), HLG by its inverse
//!    OETF and the OOTF of a display of 1000 cd/m2 with system gamma 1.2 (BT.2100-2, table 5).
//! 3. The source's primaries to BT.709's in light (for BT.2020: ITU-R BT.2407-0, section 2). Components under zero are
//!    clipped.
//! 4. Highlights are rolled off by the EETF of ITU-R BT.2390-8, section 5.4.1, from the source's peak to HDR reference
//!    white, 203 cd/m2 (ITU-R BT.2408-4, table 1), which becomes SDR peak white. The curve is applied to the largest of
//!    the three components and scales all of them (the "maxRGB" way of BT.2408-4, annex 5), so that hue and saturation
//!    stay and nothing clips.
//! 5. Light to signal by the inverse of ITU-R BT.1886, gamma 2.4, and BT.709's matrix in limited range.
//!
//! So at a peak of 1000 cd/m2 everything up to 98 cd/m2 (HLG 59 %, PQ 51 %, nearly all skin) keeps its brightness relative
//! to white; grey of 18 % (26 cd/m2) becomes a signal of 42 %, where BT.709 cameras put it; and reference white (HLG
//! 75 %, PQ 58 %) 90 %, with the rest left for highlights.
//!
//! # How
//!
//! The mapping is sampled at 65 values of each of Y', Cb and Cr, once; a picture is then interpolated in integers, luma
//! for each sample and chroma for each block of 2x2. So the bytes do not depend on the CPU. A direct computation needs
//! about eight table look-ups for each sample; this needs three.

use serde::{Deserialize, Serialize};

use super::{I420Mut, I420Ref16};

/// The transfer function of a source of high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hdr {
    /// Hybrid log-gamma: ARIB STD-B67, ITU-R BT.2100. Code point 18 of ITU-T H.273.
    Hlg,
    /// Perceptual quantiser: SMPTE ST 2084, ITU-R BT.2100. Code point 16 of ITU-T H.273.
    Pq,
}

/// The primaries of a source; the white point of all is D65.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Primaries {
    /// ITU-R BT.709. Code point 1 of ITU-T H.273.
    Bt709,
    /// ITU-R BT.2020 and BT.2100. Code point 9. Default.
    #[default]
    Bt2020,
    /// Display P3: SMPTE EG 432-1. Code point 12.
    DisplayP3,
}

impl Primaries {
    /// What turns light in these primaries into light in those of BT.709.
    pub(super) const fn to_bt709(self) -> [[f64; 3]; 3] {
        match self {
            Self::Bt709 => IDENTITY,
            Self::Bt2020 => BT2020_TO_BT709,
            Self::DisplayP3 => P3_TO_BT709,
        }
    }
}

/// The matrix of a source of high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HdrMatrix {
    /// ITU-R BT.709. Code point 1 of ITU-T H.273.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance. Code point 9. Default.
    #[default]
    Bt2020,
}

/// What the samples of a source of high dynamic range mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HdrColor {
    /// The transfer function.
    pub transfer: Hdr,
    /// The primaries. Default: BT.2020.
    pub primaries: Primaries,
    /// The matrix. Default: BT.2020.
    pub matrix: HdrMatrix,
    /// Whether samples use the full range 0 to 1023 in place of 64 to 940. Default: no.
    pub full_range: bool,
    /// The luminance in cd/m2 that is rolled off to SDR white; 203 to 10 000, else the nearest. Only for PQ, from the
    /// metadata of its mastering; HLG is always shown at 1000. Default: 1000.
    pub peak_nits: u32,
}

impl HdrColor {
    /// BT.2020 in limited range, with a peak of 1000 cd/m2.
    pub const fn new(transfer: Hdr) -> Self {
        Self { transfer, primaries: Primaries::Bt2020, matrix: HdrMatrix::Bt2020, full_range: false, peak_nits: 1000 }
    }
}

/// Samples between two nodes of the table, in each direction.
const CELL: u16 = 16;
const CELL_BITS: u32 = CELL.trailing_zeros();
/// Cells in each direction: 10 bits of samples.
const CELLS: usize = 1024 / CELL as usize;
const NODES: usize = CELLS + 1;
/// The largest 10-bit sample.
const MAX_SAMPLE: u16 = 1023;
/// The tables hold 8-bit samples in sixteenths: twelve bits, times the weight of 16 they fill a lane of 16 bits.
const SUBSTEPS: f64 = 16.0;

/// One mapping from 10-bit high dynamic range to the working picture.
///
/// At a peak of 1000 cd/m2 grey of 18 % becomes a signal of 42 %, HDR reference white (203 cd/m2) 90 %, and the peak
/// 100 %; light up to 98 cd/m2 keeps its brightness relative to white. Highlights are rolled off by the EETF of ITU-R
/// BT.2390 on the largest of R, G and B, so that hues stay; colours outside of BT.709 are clipped; the result is for a
/// display by ITU-R BT.1886. The module's source says it step by step.
///
/// Greys and a camera's colours are within 2 of the exact 8-bit value, nine in ten of all colours too, and the rest,
/// near the edge of BT.709 or over 600 cd/m2, within 16. The bytes are the same on every CPU.
///
/// 3.2 MB; built in about 40 ms.
pub struct ToneMap {
    /// For each value of Cb, each of Cr.
    nodes: Vec<Node>,
}

/// The mapping of all Y' at one (Cb, Cr). For each cell of Y', the values at both its ends lie in lanes of 16 bits, so
/// that one multiplication does for both.
struct Node {
    luma: [u32; CELLS],
    /// Cb at both ends, Cr at both ends.
    chroma: [u64; CELLS],
}

impl std::fmt::Debug for ToneMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToneMap").finish_non_exhaustive()
    }
}

impl ToneMap {
    /// The mapping for sources of `color`.
    pub fn new(color: HdrColor) -> Self {
        let mapping = Mapping::new(color);
        let node = |at: usize| {
            let (cb, cr) = (at / NODES, at % NODES);
            let curve: [[u16; 3]; NODES] = std::array::from_fn(|y| {
                let sample = [y, cb, cr].map(|node| (node * usize::from(CELL)) as f64);
                mapping.map(sample).map(|value| (value * SUBSTEPS).round() as u16)
            });
            let ends = |cell: usize, i: usize| u32::from(curve[cell][i]) | u32::from(curve[cell + 1][i]) << 16;
            Node {
                luma: std::array::from_fn(|cell| ends(cell, 0)),
                chroma: std::array::from_fn(|cell| u64::from(ends(cell, 1)) | u64::from(ends(cell, 2)) << 32),
            }
        };
        Self { nodes: (0..NODES * NODES).map(node).collect() }
    }

    /// Maps `source` (the low ten bits of each sample) to `target`: 8 bit, BT.709 limited. Both must have the same
    /// size, and chroma half of it, rounded up; otherwise nothing is drawn and the answer is false.
    ///
    /// Chroma keeps its place; luma takes the chroma of its block of 2x2. No allocation. A frame of 1080x1920 takes 8 ms on
    /// one thread, as much as 14 ms if it is noise (`benches/source.rs`); zscale and tonemap of FFmpeg take 40.
    #[must_use]
    pub fn apply(&self, source: I420Ref16<'_>, target: &mut I420Mut<'_>) -> bool {
        let (width, height) = (source.y.width(), source.y.height());
        let half = (width.div_ceil(2), height.div_ceil(2));
        let fits = (target.y.width(), target.y.height()) == (width, height)
            && [&source.u, &source.v].iter().all(|plane| (plane.width(), plane.height()) == half)
            && [&target.u, &target.v].iter().all(|plane| (plane.width(), plane.height()) == half);
        if !fits {
            return false;
        }
        for y in 0..half.1 {
            let upper = source.y.row(2 * y);
            let chroma = (source.u.row(y), source.v.row(y));
            let (target_upper, target_lower) = target.y.row_pair_mut(2 * y);
            let target_chroma = (target.u.row_mut(y), target.v.row_mut(y));
            if 2 * y + 1 < height {
                self.map_rows((upper, source.y.row(2 * y + 1)), chroma, (target_upper, target_lower), target_chroma);
            } else {
                self.map_last_row(upper, chroma, target_upper, target_chroma);
            }
        }
        true
    }

    /// Maps one row of chroma and its two rows of luma.
    fn map_rows(
        &self,
        (upper, lower): (&[u16], &[u16]),
        (cb, cr): (&[u16], &[u16]),
        (target_upper, target_lower): (&mut [u8], &mut [u8]),
        (target_cb, target_cr): (&mut [u8], &mut [u8]),
    ) {
        let ((upper, upper_rest), (lower, lower_rest)) = (upper.as_chunks(), lower.as_chunks());
        let (target_upper, target_upper_rest) = target_upper.as_chunks_mut();
        let (target_lower, target_lower_rest) = target_lower.as_chunks_mut();
        let source = upper.iter().zip(lower).zip(cb.iter().zip(cr));
        let target = target_upper.iter_mut().zip(target_lower).zip(target_cb.iter_mut().zip(&mut *target_cr));
        for (((&upper, &lower), (&cb, &cr)), ((target_upper, target_lower), target_chroma)) in source.zip(target) {
            let block = self.map_block(upper, lower, cb, cr);
            (*target_upper, *target_lower) = (block.upper, block.lower);
            (*target_chroma.0, *target_chroma.1) = (block.cb, block.cr);
        }
        if let (&[upper], &[lower], [.., cb], [.., cr]) = (upper_rest, lower_rest, cb, cr) {
            let block = self.map_block([upper; 2], [lower; 2], *cb, *cr);
            target_upper_rest.fill(block.upper[0]);
            target_lower_rest.fill(block.lower[0]);
            set_last(target_cb, block.cb);
            set_last(target_cr, block.cr);
        }
    }

    /// Maps one row of chroma and the last row of luma of a picture with an odd number of rows.
    fn map_last_row(
        &self,
        luma: &[u16],
        (cb, cr): (&[u16], &[u16]),
        target_luma: &mut [u8],
        (target_cb, target_cr): (&mut [u8], &mut [u8]),
    ) {
        let source = luma.chunks(2).zip(cb.iter().zip(cr));
        let target = target_luma.chunks_mut(2).zip(target_cb.iter_mut().zip(target_cr));
        for ((luma, (&cb, &cr)), (target_luma, target_chroma)) in source.zip(target) {
            let pair = [luma[0], luma[luma.len() - 1]];
            let block = self.map_block(pair, pair, cb, cr);
            target_luma.copy_from_slice(&block.upper[..luma.len()]);
            (*target_chroma.0, *target_chroma.1) = (block.cb, block.cr);
        }
    }

    #[inline(always)]
    fn map_block(&self, upper: [u16; 2], lower: [u16; 2], cb: u16, cr: u16) -> Block {
        let mix = Mix::new(cb, cr);
        let nodes = mix.nodes.map(|node| &self.nodes[node]);
        let [upper, lower] = [upper, lower].map(|pair| pair.map(|y| y & MAX_SAMPLE));
        let [cb, cr] = mix.chroma(nodes, (upper[0] + upper[1] + lower[0] + lower[1] + 2) / 4);
        let differing = (upper[0] ^ upper[1]) | (upper[0] ^ lower[0]) | (upper[0] ^ lower[1]);
        // Most blocks are so smooth that all four lie in one cell, where three of four look-ups are saved.
        if differing < CELL {
            let ends = mix.luma_ends(nodes, upper[0]);
            Block { upper: upper.map(|y| between(ends, y)), lower: lower.map(|y| between(ends, y)), cb, cr }
        } else {
            let luma = |y| between(mix.luma_ends(nodes, y), y);
            Block { upper: upper.map(luma), lower: lower.map(luma), cb, cr }
        }
    }
}

/// Four samples of luma and their chroma.
struct Block {
    upper: [u8; 2],
    lower: [u8; 2],
    cb: u8,
    cr: u8,
}

fn set_last(row: &mut [u8], value: u8) {
    if let Some(last) = row.last_mut() {
        *last = value;
    }
}

/// How a colour lies between three nodes of (Cb, Cr): the corners of the half of a cell that holds it.
struct Mix {
    nodes: [usize; 3],
    /// How far it lies from the first node to the second one, and from the second to the third, in sixteenths.
    steps: [u32; 2],
}

impl Mix {
    #[inline(always)]
    fn new(cb: u16, cr: u16) -> Self {
        let (cb, cr) = (cb & MAX_SAMPLE, cr & MAX_SAMPLE);
        let first = usize::from(cb / CELL) * NODES + usize::from(cr / CELL);
        let (x, y) = (u32::from(cb % CELL), u32::from(cr % CELL));
        let corner = first + if x >= y { NODES } else { 1 };
        Self { nodes: [first, corner, first + NODES + 1], steps: [x.max(y), x.min(y)] }
    }

    /// Luma at both ends of the cell of `y`, in two lanes.
    #[inline(always)]
    fn luma_ends(&self, nodes: [&Node; 3], y: u16) -> u32 {
        let [a, b, c] = nodes.map(|node| node.luma[cell_of(y)]);
        // Differences may borrow from lane to lane; the sum has lanes of at most 16 * 4095 again, and is exact.
        let first = b.wrapping_sub(a).wrapping_mul(self.steps[0]);
        let second = c.wrapping_sub(b).wrapping_mul(self.steps[1]);
        (a << CELL_BITS).wrapping_add(first).wrapping_add(second)
    }

    /// Cb and Cr at luma `y`.
    #[inline(always)]
    fn chroma(&self, nodes: [&Node; 3], y: u16) -> [u8; 2] {
        let [a, b, c] = nodes.map(|node| node.chroma[cell_of(y)]);
        let first = b.wrapping_sub(a).wrapping_mul(u64::from(self.steps[0]));
        let second = c.wrapping_sub(b).wrapping_mul(u64::from(self.steps[1]));
        let ends = (a << CELL_BITS).wrapping_add(first).wrapping_add(second);
        [between(ends as u32, y), between((ends >> 32) as u32, y)]
    }
}

#[inline(always)]
fn cell_of(y: u16) -> usize {
    usize::from(y / CELL) % CELLS
}

/// The value at `y` between the two lanes of `ends`, which are in 1/256 and belong to the ends of its cell.
#[inline(always)]
fn between(ends: u32, y: u16) -> u8 {
    let (low, high) = (ends & 0xFFFF, ends >> 16);
    let rise = high.wrapping_sub(low).wrapping_mul(u32::from(y % CELL));
    ((low << CELL_BITS).wrapping_add(rise).wrapping_add(1 << (7 + CELL_BITS)) >> (8 + CELL_BITS)) as u8
}

/// HDR reference white in cd/m2: ITU-R BT.2408-4, table 1.
const REFERENCE_WHITE: f64 = 203.0;
/// The peak of the display for which HLG's OOTF is taken, in cd/m2, and its exponent: ITU-R BT.2100-2, table 5.
const HLG_PEAK: f64 = 1000.0;
const HLG_GAMMA: f64 = 1.2;
/// The exponent of ITU-R BT.1886.
const SDR_GAMMA: f64 = 2.4;
/// Weights of R and B in luma and luminance: ITU-R BT.709-6, item 3.2, and ITU-R BT.2020-2, table 4.
const BT709_WEIGHTS: [f64; 2] = [0.2126, 0.0722];
const BT2020_WEIGHTS: [f64; 2] = [0.2627, 0.0593];
/// The same for Display P3, from the chromaticities of SMPTE EG 432-1 by SMPTE RP 177.
const P3_WEIGHTS: [f64; 2] = [0.228_974_564_069_749, 0.079_286_914_093_745];
/// Light of BT.2020's primaries to light of BT.709's: ITU-R BT.2407-0, section 2, with more digits (from the primaries'
/// chromaticities), so that white stays white.
const BT2020_TO_BT709: [[f64; 3]; 3] = [
    [1.660_491_002_108_435, -0.587_641_138_788_549_5, -0.072_849_863_319_885_2],
    [-0.124_550_474_521_590_6, 1.132_899_897_125_961_2, -0.008_349_422_604_369_5],
    [-0.018_150_763_354_905_2, -0.100_578_898_008_007_4, 1.118_729_661_362_912_3],
];
/// The same for Display P3, from the chromaticities of SMPTE EG 432-1 by SMPTE RP 177.
const P3_TO_BT709: [[f64; 3]; 3] = [
    [1.224_940_176_280_559_7, -0.224_940_176_280_559_7, 0.0],
    [-0.042_056_954_709_688_2, 1.042_056_954_709_688_2, 0.0],
    [-0.019_637_554_590_334_4, -0.078_636_045_550_631_9, 1.098_273_600_140_966_3],
];
const IDENTITY: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// A function of 0 to 1, sampled; straight between the samples.
struct Curve(Vec<f64>);

impl Curve {
    const STEPS: usize = 4096;

    fn new(function: impl Fn(f64) -> f64) -> Self {
        // One sample more than needed, so that 1 too lies before another one.
        Self((0..=Self::STEPS + 1).map(|step| function(step as f64 / Self::STEPS as f64)).collect())
    }

    fn at(&self, x: f64) -> f64 {
        let position = x.clamp(0.0, 1.0) * Self::STEPS as f64;
        let step = position as usize;
        let part = position - step as f64;
        self.0[step] * (1.0 - part) + self.0[step + 1] * part
    }
}

/// The mapping in real numbers.
///
/// Powers come from `libm`, which is the same Rust code everywhere; the C library picks its own by CPU. They are
/// sampled, because there are a quarter of a million nodes. Functions of light are sampled over its fourth root, which
/// is even to the eye and needs only square roots.
struct Mapping {
    color: HdrColor,
    /// Signal, in parts of its greatest, to light: in cd/m2, for HLG to the scene's, 1 being its peak.
    light: Curve,
    /// The root of the scene's luminance to the factor that gives a display's light in cd/m2; for HLG only.
    ootf: Curve,
    /// The root of the largest component in [`MOST_LIGHT`] to the factor for all, after which 1 is SDR peak white.
    scale: Curve,
    /// The root of SDR light, 0 to 1, to signal.
    signal: Curve,
}

/// How far a signal may lie under 0 or over 1; its light goes on as the formulas have it, mirrored at 0. Not for what
/// such signals show, but because colours at the edge of those that exist are interpolated with nodes beyond it.
const OVERSHOOT: f64 = 0.1;
/// More light in cd/m2 than any component has: PQ's at a signal of 1.1 is under 30 000, in BT.709 less than twice that.
const MOST_LIGHT: f64 = 60_000.0;

impl Mapping {
    fn new(color: HdrColor) -> Self {
        let (decode, peak): (fn(f64) -> f64, f64) = match color.transfer {
            Hdr::Hlg => (hlg_scene_light, HLG_PEAK),
            Hdr::Pq => (pq_eotf, f64::from(color.peak_nits).clamp(REFERENCE_WHITE, 10_000.0)),
        };
        let scale = |root: f64| {
            let light = (MOST_LIGHT * root * root * root * root).max(f64::MIN_POSITIVE);
            roll_off(light, peak) / light / REFERENCE_WHITE
        };
        Self {
            color,
            light: Curve::new(|part| decode(part * (1.0 + OVERSHOOT))),
            ootf: Curve::new(|root| HLG_PEAK * libm::pow(root, 4.0 * (HLG_GAMMA - 1.0))),
            scale: Curve::new(scale),
            signal: Curve::new(|root| libm::pow(root, 4.0 / SDR_GAMMA)),
        }
    }

    /// 10-bit Y', Cb, Cr to the 8-bit ones of BT.709 limited, not rounded.
    fn map(&self, sample: [f64; 3]) -> [f64; 3] {
        let light = to_bt709(self.display_light(self.decode(sample)), self.color.primaries);
        let largest = light[0].max(light[1]).max(light[2]).max(0.0);
        let scale = self.scale.at(fourth_root(largest / MOST_LIGHT));
        let [r, g, b] = light.map(|light| self.signal.at(fourth_root((light * scale).max(0.0))));
        let [kr, kb] = BT709_WEIGHTS;
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let chroma = |value: f64, weight: f64| 128.0 + 224.0 * (value - y) / (2.0 * (1.0 - weight));
        [16.0 + 219.0 * y, chroma(b, kb), chroma(r, kr)]
    }

    /// 10-bit Y', Cb, Cr to R', G', B': ITU-R BT.2100-2, tables 6 and 9.
    fn decode(&self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let (black, luma_range, chroma_range) =
            if self.color.full_range { (0.0, 1023.0, 1023.0) } else { (64.0, 876.0, 896.0) };
        let [kr, kb] = match self.color.matrix {
            HdrMatrix::Bt709 => BT709_WEIGHTS,
            HdrMatrix::Bt2020 => BT2020_WEIGHTS,
        };
        let y = (y - black) / luma_range;
        let r_minus_y = (cr - 512.0) / chroma_range * 2.0 * (1.0 - kr);
        let b_minus_y = (cb - 512.0) / chroma_range * 2.0 * (1.0 - kb);
        let g_minus_y = -(kr * r_minus_y + kb * b_minus_y) / (1.0 - kr - kb);
        [r_minus_y, g_minus_y, b_minus_y].map(|difference| (y + difference).clamp(-OVERSHOOT, 1.0 + OVERSHOOT))
    }

    /// R', G', B' to the light of a display, in cd/m2.
    fn display_light(&self, signal: [f64; 3]) -> [f64; 3] {
        let light = signal.map(|signal| self.light.at(signal.abs() / (1.0 + OVERSHOOT)).copysign(signal));
        if self.color.transfer == Hdr::Pq {
            return light;
        }
        let [kr, kb] = match self.color.primaries {
            Primaries::Bt709 => BT709_WEIGHTS,
            Primaries::Bt2020 => BT2020_WEIGHTS,
            Primaries::DisplayP3 => P3_WEIGHTS,
        };
        let luminance = kr * light[0] + (1.0 - kr - kb) * light[1] + kb * light[2];
        let gain = self.ootf.at(fourth_root(luminance.max(0.0)));
        light.map(|light| light * gain)
    }
}

fn fourth_root(value: f64) -> f64 {
    value.sqrt().sqrt()
}

/// The EETF of ITU-R BT.2390-8, section 5.4.1, for `light` in cd/m2, from `peak` to reference white, with black at zero
/// in both.
fn roll_off(light: f64, peak: f64) -> f64 {
    let source_peak = pq_inverse_eotf(peak);
    let target = pq_inverse_eotf(REFERENCE_WHITE) / source_peak;
    let knee = 1.5 * target - 0.5;
    let signal = (pq_inverse_eotf(light) / source_peak).min(1.0);
    if signal <= knee {
        return light;
    }
    // A source no brighter than the target has its knee at the peak.
    let t = if knee < 1.0 { (signal - knee) / (1.0 - knee) } else { 1.0 };
    let (t2, t3) = (t * t, t * t * t);
    let rolled =
        (2.0 * t3 - 3.0 * t2 + 1.0) * knee + (t3 - 2.0 * t2 + t) * (1.0 - knee) + (3.0 * t2 - 2.0 * t3) * target;
    pq_eotf(rolled * source_peak)
}

fn to_bt709(light: [f64; 3], primaries: Primaries) -> [f64; 3] {
    primaries.to_bt709().map(|row| row[0] * light[0] + row[1] * light[1] + row[2] * light[2])
}

/// The inverse OETF of HLG, 0 to 1 to 0 to 1: ITU-R BT.2100-2, table 5.
pub(crate) fn hlg_scene_light(signal: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 0.284_668_92;
    const C: f64 = 0.559_910_73;
    if signal <= 0.5 { signal * signal / 3.0 } else { (libm::exp((signal - C) / A) + B) / 12.0 }
}

/// Constants of PQ: ITU-R BT.2100-2, table 4.
const PQ_M1: f64 = 2610.0 / 16384.0;
const PQ_M2: f64 = 2523.0 / 4096.0 * 128.0;
const PQ_C1: f64 = 3424.0 / 4096.0;
const PQ_C2: f64 = 2413.0 / 4096.0 * 32.0;
const PQ_C3: f64 = 2392.0 / 4096.0 * 32.0;

/// The EOTF of PQ, 0 to 1 to cd/m2.
pub(crate) fn pq_eotf(signal: f64) -> f64 {
    let power = libm::pow(signal, 1.0 / PQ_M2);
    10_000.0 * libm::pow((power - PQ_C1).max(0.0) / (PQ_C2 - PQ_C3 * power), 1.0 / PQ_M1)
}

/// The inverse of [`pq_eotf`].
fn pq_inverse_eotf(light: f64) -> f64 {
    let power = libm::pow(light / 10_000.0, PQ_M1);
    libm::pow((PQ_C1 + PQ_C2 * power) / (1.0 + PQ_C3 * power), PQ_M2)
}

#[cfg(test)]
mod tests {
    use super::super::{PlaneMut, PlaneRef16};
    use super::*;

    /// Maps one picture with rows one after the other.
    fn map(map: &ToneMap, (width, height): (usize, usize), [y, u, v]: [&[u16]; 3]) -> [Vec<u8>; 3] {
        let half = (width.div_ceil(2), height.div_ceil(2));
        let mut planes = [vec![0; width * height], vec![0; half.0 * half.1], vec![0; half.0 * half.1]];
        let [target_y, target_u, target_v] = &mut planes;
        let source = I420Ref16 {
            y: PlaneRef16::new(y, width, height, width).expect("fits"),
            u: PlaneRef16::new(u, half.0, half.1, half.0).expect("fits"),
            v: PlaneRef16::new(v, half.0, half.1, half.0).expect("fits"),
        };
        let mut target = I420Mut {
            y: PlaneMut::new(target_y, width, height, width).expect("fits"),
            u: PlaneMut::new(target_u, half.0, half.1, half.0).expect("fits"),
            v: PlaneMut::new(target_v, half.0, half.1, half.0).expect("fits"),
        };
        assert!(map.apply(source, &mut target));
        planes
    }

    fn map_sample(tone: &ToneMap, [y, cb, cr]: [u16; 3]) -> [u8; 3] {
        let [y, u, v] = map(tone, (1, 1), [&[y], &[cb], &[cr]]);
        [y[0], u[0], v[0]]
    }

    fn pq_to_nits(signal: f64) -> f64 {
        let power = signal.powf(32.0 / 2523.0);
        10_000.0 * ((power - 0.8359375).max(0.0) / (18.8515625 - 18.6875 * power)).powf(16384.0 / 2610.0)
    }

    fn nits_to_pq(nits: f64) -> f64 {
        let power = (nits / 10_000.0).powf(2610.0 / 16384.0);
        ((0.8359375 + 18.8515625 * power) / (1.0 + 18.6875 * power)).powf(2523.0 / 32.0)
    }

    /// The mapping of the module's documentation in real numbers, for BT.2020 in limited range and a peak of 1000.
    fn by_definition(transfer: Hdr, sample: [u16; 3]) -> [f64; 3] {
        let [y, cb, cr] = sample.map(f64::from);
        let (y, cb, cr) = ((y - 64.0) / 876.0, (cb - 512.0) / 896.0, (cr - 512.0) / 896.0);
        let (r, b) = (y + 1.4746 * cr, y + 1.8814 * cb);
        let rgb = [r, (y - 0.2627 * r - 0.0593 * b) / 0.678, b].map(|signal| signal.clamp(0.0, 1.0));
        let [r, g, b] = match transfer {
            Hdr::Pq => rgb.map(pq_to_nits),
            Hdr::Hlg => {
                let [r, g, b] = rgb.map(|signal| {
                    if signal <= 0.5 {
                        signal.powi(2) / 3.0
                    } else {
                        (((signal - 0.55991073) / 0.17883277).exp() + 0.28466892) / 12.0
                    }
                });
                let luminance: f64 = 0.2627 * r + 0.678 * g + 0.0593 * b;
                [r, g, b].map(|light| 1000.0 * luminance.powf(0.2) * light)
            }
        };
        let light = [
            1.660491 * r - 0.587641 * g - 0.072850 * b,
            -0.124550 * r + 1.132900 * g - 0.008349 * b,
            -0.018151 * r - 0.100579 * g + 1.118730 * b,
        ];
        let largest = light.into_iter().fold(1e-9, f64::max);
        let (peak, white) = (nits_to_pq(1000.0), nits_to_pq(203.0) / nits_to_pq(1000.0));
        let knee = 1.5 * white - 0.5;
        let e = (nits_to_pq(largest) / peak).min(1.0);
        let t = (e - knee) / (1.0 - knee);
        let hermite = (2.0 * t.powi(3) - 3.0 * t.powi(2) + 1.0) * knee
            + (t.powi(3) - 2.0 * t.powi(2) + t) * (1.0 - knee)
            + (-2.0 * t.powi(3) + 3.0 * t.powi(2)) * white;
        let rolled = if e < knee { largest } else { pq_to_nits(hermite * peak) };
        let [r, g, b] = light.map(|light| (light.max(0.0) * rolled / largest / 203.0).powf(1.0 / 2.4));
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.8556, 128.0 + 224.0 * (r - y) / 1.5748]
    }

    /// R'G'B' as 10-bit samples of BT.2020 in limited range.
    fn sample_of([r, g, b]: [f64; 3]) -> [u16; 3] {
        let y = 0.2627 * r + 0.678 * g + 0.0593 * b;
        [64.0 + 876.0 * y, 512.0 + 896.0 * (b - y) / 1.8814, 512.0 + 896.0 * (r - y) / 1.4746]
            .map(|sample| sample.round() as u16)
    }

    /// The largest difference from the definition, in 8-bit samples.
    fn error_of(tone: &ToneMap, transfer: Hdr, sample: [u16; 3]) -> f64 {
        let (found, exact) = (map_sample(tone, sample), by_definition(transfer, sample));
        (0..3).map(|i| (f64::from(found[i]) - exact[i]).abs()).fold(0.0, f64::max)
    }

    /// The whole cube of R'G'B', on a grid.
    fn all_colors() -> impl Iterator<Item = [u16; 3]> {
        let signals = || (0..=22).map(|step| f64::from(step) / 22.0);
        signals().flat_map(move |r| signals().flat_map(move |g| signals().map(move |b| sample_of([r, g, b]))))
    }

    #[test]
    fn colours_of_a_camera_are_within_two_of_the_definition() {
        // Signals of three skins, sky, leaves, wood and a lamp.
        let hlg = [
            [0.62, 0.53, 0.49],
            [0.55, 0.45, 0.40],
            [0.35, 0.26, 0.22],
            [0.45, 0.55, 0.68],
            [0.30, 0.40, 0.20],
            [0.40, 0.30, 0.20],
            [0.90, 0.85, 0.75],
        ];
        let pq = [
            [0.52, 0.48, 0.46],
            [0.48, 0.44, 0.42],
            [0.38, 0.33, 0.31],
            [0.45, 0.50, 0.56],
            [0.34, 0.39, 0.29],
            [0.40, 0.36, 0.31],
            [0.70, 0.68, 0.65],
        ];
        for (transfer, colors) in [(Hdr::Hlg, hlg), (Hdr::Pq, pq)] {
            let tone = ToneMap::new(HdrColor::new(transfer));
            for color in colors {
                let error = error_of(&tone, transfer, sample_of(color));
                assert!(error <= 2.0, "{transfer:?} {color:?}: {error}");
            }
        }
    }

    #[test]
    fn all_colours_are_near_the_definition() {
        // Between nodes lie the edges where another component becomes the largest and where one is clipped.
        for transfer in [Hdr::Hlg, Hdr::Pq] {
            let tone = ToneMap::new(HdrColor::new(transfer));
            let mut errors: Vec<_> = all_colors().map(|sample| error_of(&tone, transfer, sample)).collect();
            errors.sort_by(f64::total_cmp);
            let part = |part: f64| errors[(errors.len() as f64 * part) as usize];
            assert!(
                part(0.5) <= 0.5 && part(0.9) <= 2.0 && part(0.99) <= 8.5,
                "{} {} {}",
                part(0.5),
                part(0.9),
                part(0.99)
            );
            assert!(errors[errors.len() - 1] <= 16.0, "{transfer:?}: {:?}", errors.last());
        }
    }

    #[test]
    fn greys_are_neutral_rise_and_follow_the_definition() {
        for transfer in [Hdr::Hlg, Hdr::Pq] {
            let tone = ToneMap::new(HdrColor::new(transfer));
            let mut last = 0;
            for y in 0..=1023 {
                let [luma, cb, cr] = map_sample(&tone, [y, 512, 512]);
                assert_eq!([cb, cr], [128, 128], "{transfer:?} {y}");
                assert!(luma >= last, "{transfer:?} {y}: {luma} after {last}");
                let [exact, ..] = by_definition(transfer, [y, 512, 512]);
                assert!((f64::from(luma) - exact).abs() <= 1.0, "{transfer:?} {y}: {luma} {exact}");
                last = luma;
            }
        }
    }

    #[test]
    fn black_grey_and_white_are_where_they_belong() {
        // 10-bit signals of black, grey of 18 % and reference white by BT.2408-4, table 1, and of the peak of 1000 cd/m2.
        for (transfer, signals) in [(Hdr::Hlg, [0.0, 0.38, 0.75, 1.0]), (Hdr::Pq, [0.0, 0.38, 0.58, 0.7518])] {
            let tone = ToneMap::new(HdrColor::new(transfer));
            let [black, grey, white, peak] = signals.map(|signal| map_sample(&tone, sample_of([signal; 3]))[0]);
            assert_eq!((black, peak), (16, 235), "{transfer:?}");
            let percent = |luma: u8| (f64::from(luma) - 16.0) / 2.19;
            assert!((40.0..44.0).contains(&percent(grey)), "{transfer:?}: {}", percent(grey));
            assert!((88.0..92.0).contains(&percent(white)), "{transfer:?}: {}", percent(white));
        }
    }

    #[test]
    fn tags_and_peak_are_obeyed() {
        let limited = ToneMap::new(HdrColor::new(Hdr::Pq));
        let full = ToneMap::new(HdrColor { full_range: true, ..HdrColor::new(Hdr::Pq) });
        assert_eq!(map_sample(&full, [0, 512, 512]), [16, 128, 128]);
        let [in_full, in_limited] = [map_sample(&full, [593, 512, 512]), map_sample(&limited, [572, 512, 512])];
        assert!(in_full[0].abs_diff(in_limited[0]) <= 1, "58 % in both ranges: {in_full:?} {in_limited:?}");

        let brighter = ToneMap::new(HdrColor { peak_nits: 4000, ..HdrColor::new(Hdr::Pq) });
        assert!(map_sample(&brighter, [723, 512, 512])[0] < map_sample(&limited, [723, 512, 512])[0]);
        let none = ToneMap::new(HdrColor { peak_nits: 0, ..HdrColor::new(Hdr::Pq) });
        let white = map_sample(&none, [573, 512, 512])[0];
        assert!(white >= 232, "a peak under reference white is reference white: {white}");

        // In BT.709's own primaries and matrix, its pure red stays so.
        let color = HdrColor { primaries: Primaries::Bt709, matrix: HdrMatrix::Bt709, ..HdrColor::new(Hdr::Hlg) };
        let red = map_sample(&ToneMap::new(color), [250, 409, 960]);
        assert!(red.iter().zip([63, 102, 240]).all(|(found, pure)| found.abs_diff(pure) <= 3), "{red:?}");
    }

    #[test]
    fn every_size_is_mapped_and_a_wrong_one_refused() {
        let tone = ToneMap::new(HdrColor::new(Hdr::Hlg));
        for (width, height) in [(1usize, 1usize), (2, 1), (1, 2), (3, 3), (4, 3), (5, 2), (7, 6)] {
            let luma: Vec<u16> = (0..width * height).map(|at| 100 + 37 * (at as u16 % 22)).collect();
            let half = width.div_ceil(2) * height.div_ceil(2);
            let planes = map(&tone, (width, height), [&luma, &vec![480; half], &vec![560; half]]);
            let expected: Vec<_> = luma.iter().map(|&y| map_sample(&tone, [y, 480, 560])[0]).collect();
            assert_eq!(planes[0], expected, "{width}x{height}");
            assert!(planes[1].iter().all(|&cb| cb < 128) && planes[2].iter().all(|&cr| cr > 128));
        }
        let (luma, mut bytes) = ([64; 16], [7; 24]);
        let plane = |side| PlaneRef16::new(&luma, side, side, side).expect("fits");
        let (y, chroma) = bytes.split_at_mut(16);
        let (u, v) = chroma.split_at_mut(4);
        let mut target = I420Mut {
            y: PlaneMut::new(y, 4, 4, 4).expect("fits"),
            u: PlaneMut::new(u, 2, 2, 2).expect("fits"),
            v: PlaneMut::new(v, 2, 2, 2).expect("fits"),
        };
        assert!(!tone.apply(I420Ref16 { y: plane(3), u: plane(2), v: plane(2) }, &mut target));
        assert!(!tone.apply(I420Ref16 { y: plane(4), u: plane(2), v: plane(1) }, &mut target));
        assert_eq!(bytes, [7; 24], "nothing is drawn");
    }

    #[test]
    fn the_bytes_are_the_same_on_every_machine() {
        // FNV-1a over all colours of the grid; a change of the mapping changes finished videos, and their keys must.
        let hash = |transfer| {
            let tone = ToneMap::new(HdrColor::new(transfer));
            let bytes = all_colors().flat_map(|sample| map_sample(&tone, sample));
            bytes.fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
        };
        assert_eq!([Hdr::Hlg, Hdr::Pq].map(hash), [17_508_789_754_184_949_016, 16_913_651_161_330_402_490]);
    }
}
