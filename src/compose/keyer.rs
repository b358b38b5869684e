//! Chroma key: the screen of one colour behind somebody, taken out of a picture.

use std::ops::RangeInclusive;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::alpha::{CHROMA_BASE, LUMA_BASE, each_chroma_alpha, multiply};
use super::{I420Ref, PlaneRef, code_values};

/// How a screen of one colour is taken out.
///
/// Each pixel is taken for a mixture of the screen and of something else. How much of it is screen follows from its Cb and
/// Cr: how far it lies in the direction of the screen's colour from grey, less what it lies aside of it, in parts of how far
/// the screen lies (the foreground key of Jack, "Video Demystified", chroma keying, with an acceptance angle of 120°).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenKey {
    /// The screen's colour: red, green and blue, sRGB. It must have one: Cb and Cr at least 16 from grey.
    pub color: [u8; 3],
    /// How much weaker than `color` the screen may be and is still taken out whole, 0 to 0.9.
    pub tolerance: f64,
    /// Over which part of all mixtures the edge goes from transparent to opaque, 0.02 to 1; a large one keeps hair, a small
    /// one makes a hard edge.
    pub softness: f64,
    /// How much of the screen's light on the foreground is taken out, 0 to 1.
    pub spill: f64,
    /// By how many pixels the edge moves inwards, 0 to 16.
    pub choke: u32,
}

impl ScreenKey {
    /// The usual for a screen of `color`. 4:2:0 has spread the edge over two pixels, which the choke takes away again.
    pub const fn of(color: [u8; 3]) -> Self {
        Self { color, tolerance: 0.4, softness: 0.5, spill: 1.0, choke: 2 }
    }

    /// What `tolerance` may be.
    pub const TOLERANCE: RangeInclusive<f64> = 0.0..=0.9;
    /// What `softness` may be.
    pub const SOFTNESS: RangeInclusive<f64> = 0.02..=1.0;
    /// What `spill` may be.
    pub const SPILL: RangeInclusive<f64> = 0.0..=1.0;
    /// What `choke` may be.
    pub const CHOKE: RangeInclusive<f64> = 0.0..=16.0;

    /// Whether all is in range.
    pub fn is_sane(&self) -> bool {
        Self::TOLERANCE.contains(&self.tolerance)
            && Self::SOFTNESS.contains(&self.softness)
            && Self::SPILL.contains(&self.spill)
            && Self::CHOKE.contains(&self.choke.into())
            && is_colored(self.color)
    }
}

/// The least distance of a screen's chroma from grey, in code values.
const LEAST_CHROMA: f64 = 16.0;
/// The tangent of half of the acceptance angle.
const TAN_HALF: f64 = 1.732_050_807_568_877_2;
/// More of the screen than this is not taken out of what is seen: what is left would be noise.
const MOST_TAKEN: f64 = 0.6;

/// Whether a screen of this colour can be told from what is grey.
pub(crate) fn is_colored(color: [u8; 3]) -> bool {
    let [_, u, v] = code_values(color);
    let (u, v) = (f64::from(u) - 128.0, f64::from(v) - 128.0);
    u * u + v * v >= LEAST_CHROMA * LEAST_CHROMA
}

/// What becomes of the pixels with one pair of Cb and Cr.
#[derive(Clone, Copy)]
struct Entry {
    alpha: u8,
    /// Without the screen's light.
    u: u8,
    v: u8,
    /// By how much luma is further from the screen's than it was, in 64 parts.
    gain: u8,
}

/// Takes a screen out of pictures of one size.
pub struct Keyer {
    table: Vec<Entry>,
    screen_luma: u8,
    choke: u32,
    size: (usize, usize),
    /// By chroma sample: how opaque it is, and the gain of its luma.
    small: Vec<u8>,
    gains: Vec<u8>,
    /// A plane of `small`'s size.
    scratch: Vec<u8>,
    alpha: Vec<u8>,
    planes: [Vec<u8>; 3],
}

impl Keyer {
    /// For pictures of the even size `width` x `height`.
    pub fn new(key: ScreenKey, width: usize, height: usize) -> Self {
        let (samples, pixels) = ((width / 2) * (height / 2), width * height);
        Self {
            table: table(key),
            screen_luma: code_values(key.color)[0],
            choke: key.choke,
            size: (width, height),
            small: vec![0; samples],
            gains: vec![0; samples],
            scratch: vec![0; samples],
            alpha: vec![0; pixels],
            planes: [vec![0; pixels], vec![0; samples], vec![0; samples]],
        }
    }

    /// Takes the screen out of `picture`, which must be of the keyer's size: what is left, premultiplied, and its alpha;
    /// `None` for another size. No allocation.
    pub fn key(&mut self, picture: I420Ref<'_>) -> Option<(I420Ref<'_>, PlaneRef<'_>)> {
        let (width, height) = self.size;
        if (picture.y.width(), picture.y.height()) != self.size {
            return None;
        }
        let half = width / 2;
        let [luma, us, vs] = &mut self.planes;
        for y in 0..height / 2 {
            let at = y * half..(y + 1) * half;
            let found = picture.u.row(y).iter().zip(picture.v.row(y));
            let made = self.small[at.clone()].iter_mut().zip(&mut self.gains[at.clone()]);
            let colors = us[at.clone()].iter_mut().zip(&mut vs[at]);
            for ((found, (alpha, gain)), (new_u, new_v)) in found.zip(made).zip(colors) {
                let entry = self.table[usize::from(*found.0) << 8 | usize::from(*found.1)];
                (*alpha, *gain, *new_u, *new_v) = (entry.alpha, entry.gain, entry.u, entry.v);
            }
        }
        choke(&mut self.small, &mut self.scratch, half, self.choke);
        let line = &mut self.scratch[..half];
        for y in 0..height {
            // Two rows of pixels have a row of chroma between them: three quarters of the nearer one.
            let near = y / 2;
            let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(height / 2 - 1) };
            between_rows(&self.small[near * half..][..half], &self.small[far * half..][..half], line);
            let alpha = &mut self.alpha[y * width..][..width];
            let kept = &mut luma[y * width..][..width];
            let gains = &self.gains[near * half..][..half];
            let found = picture.y.row(y);
            for start in (0..half).step_by(PART) {
                let part = start..(start + PART).min(half);
                let pixels = 2 * part.start..2 * part.end;
                let (kept, alpha, found) = (&mut kept[pixels.clone()], &mut alpha[pixels.clone()], &found[pixels]);
                // Most parts are all screen or all foreground. The sample after a part has a share in its last pixel.
                let around = &line[part.start..(part.end + 1).min(half)];
                if is_all(around, 0) {
                    alpha.fill(0);
                    kept.fill(LUMA_BASE);
                } else if is_all(around, 255) && is_all(&gains[part.clone()], WHOLE_GAIN) {
                    alpha.fill(255);
                    kept.copy_from_slice(found);
                } else {
                    widen(around, alpha);
                    unmix(kept, found, &gains[part], self.screen_luma);
                    multiply(kept, alpha, LUMA_BASE);
                }
            }
        }
        let alpha = PlaneRef::new(&self.alpha, width, height, width)?;
        for (y, (us, vs)) in us.chunks_exact_mut(half).zip(vs.chunks_exact_mut(half)).enumerate() {
            each_chroma_alpha(alpha, y, 0..half, |part, alpha| {
                if is_all(alpha, 255) {
                    return;
                }
                multiply(&mut us[part.clone()], alpha, CHROMA_BASE);
                multiply(&mut vs[part], alpha, CHROMA_BASE);
            });
        }
        let chroma = |plane| PlaneRef::new(plane, half, height / 2, half);
        let y = PlaneRef::new(luma, width, height, width)?;
        Some((I420Ref { y, u: chroma(us)?, v: chroma(vs)? }, alpha))
    }
}

/// Chroma samples that are looked at together.
const PART: usize = 32;
/// The gain of what has nothing of the screen.
const WHOLE_GAIN: u8 = 64;

/// Whether all samples have this value. Without an early end: parts are short, and most are of one value.
#[multiversion(targets = "simd")]
fn is_all(samples: &[u8], value: u8) -> bool {
    samples.iter().fold(0, |differing, &sample| differing | (sample ^ value)) == 0
}

/// The row of samples at a quarter of the way from one to another.
#[multiversion(targets = "simd")]
fn between_rows(near: &[u8], far: &[u8], line: &mut [u8]) {
    for (line, (&near, &far)) in line.iter_mut().zip(near.iter().zip(far)) {
        *line = ((3 * u16::from(near) + u16::from(far) + 2) >> 2) as u8;
    }
}

/// Takes the screen's luma out of pixels, each pair with its gain.
#[multiversion(targets = "simd")]
fn unmix(kept: &mut [u8], found: &[u8], gains: &[u8], screen: u8) {
    let screen = i32::from(screen);
    for ((kept, found), &gain) in kept.chunks_exact_mut(2).zip(found.chunks_exact(2)).zip(gains) {
        for (kept, &found) in kept.iter_mut().zip(found) {
            let further = ((i32::from(found) - screen) * i32::from(gain) + 32) >> 6;
            *kept = (screen + further).clamp(LUMA_BASE.into(), 255) as u8;
        }
    }
}

/// What becomes of each pair of Cb and Cr.
fn table(key: ScreenKey) -> Vec<Entry> {
    let [_, screen_u, screen_v] = code_values(key.color).map(|value| f64::from(value) - f64::from(CHROMA_BASE));
    let far = (screen_u * screen_u + screen_v * screen_v).sqrt().max(1.0);
    let (along_u, along_v) = (screen_u / far, screen_v / far);
    // All that has at least so much of the screen is transparent; all that has at most so much, opaque.
    let clear = 1.0 - key.tolerance;
    let opaque = (clear - key.softness).max(0.0);
    let softness = clear - opaque;
    let entry = |at: usize| {
        let (u, v) = ((at >> 8) as f64 - 128.0, (at & 255) as f64 - 128.0);
        let along = u * along_u + v * along_v;
        let aside = (v * along_u - u * along_v).abs();
        let screen = ((along - aside / TAN_HALF) / far).clamp(0.0, 1.0);
        let alpha = ((clear - screen) / softness).clamp(0.0, 1.0);
        let taken = (screen * key.spill).min(MOST_TAKEN);
        let gain = 1.0 / (1.0 - taken);
        let without = |value: f64, screen: f64| ((value - taken * screen) * gain + 128.5).clamp(0.0, 255.0) as u8;
        Entry {
            alpha: (alpha * 255.0 + 0.5) as u8,
            u: without(u, screen_u),
            v: without(v, screen_v),
            gain: (gain * f64::from(WHOLE_GAIN) + 0.5) as u8,
        }
    };
    (0..1 << 16).map(entry).collect()
}

/// Moves the edges of a plane of chroma samples inwards by `pixels`, two of which are a sample: each becomes the least
/// around it, in a square.
fn choke(plane: &mut [u8], scratch: &mut [u8], width: usize, pixels: u32) {
    let mut left = pixels;
    while left > 0 {
        // The last odd pixel is half of a step.
        let whole = left >= 2;
        for (row, to) in plane.chunks_exact(width).zip(scratch.chunks_exact_mut(width)) {
            least_beside(row, to);
        }
        let height = scratch.len() / width;
        for y in 0..height {
            let row = |y: usize| &scratch[y * width..][..width];
            let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
            take_least(&mut plane[y * width..][..width], above, here, below, whole);
        }
        left = left.saturating_sub(2);
    }
}

/// The least of each sample and those on both sides of it.
#[multiversion(targets = "simd")]
fn least_beside(row: &[u8], to: &mut [u8]) {
    to.copy_from_slice(row);
    to.iter_mut().skip(1).zip(row).for_each(|(to, &left)| *to = left.min(*to));
    to.iter_mut().zip(row.iter().skip(1)).for_each(|(to, &right)| *to = right.min(*to));
}

/// Has values be the least of three rows, or half of the way there.
#[multiversion(targets = "simd")]
fn take_least(values: &mut [u8], above: &[u8], here: &[u8], below: &[u8], whole: bool) {
    for (value, ((&above, &here), &below)) in values.iter_mut().zip(above.iter().zip(here).zip(below)) {
        let least = above.min(here).min(below);
        *value = if whole { least } else { ((u16::from(*value) + u16::from(least) + 1) >> 1) as u8 };
    }
}

/// A row of chroma samples as pixels: a sample lies on the first of its two pixels (H.264, chroma sample location type 0).
#[multiversion(targets = "simd")]
fn widen(line: &[u8], pixels: &mut [u8]) {
    let last = line.last().copied().unwrap_or(0);
    let next = line.iter().skip(1).chain(std::iter::once(&last));
    for ((pair, &here), &next) in pixels.chunks_exact_mut(2).zip(line).zip(next) {
        pair[0] = here;
        pair[1] = ((u16::from(here) + u16::from(next) + 1) >> 1) as u8;
    }
}

/// The colour of the screen in `picture`: what most of its upper edge and its sides is, if it is one colour; red, green and
/// blue, sRGB.
pub(crate) fn screen_color(picture: I420Ref<'_>) -> Option<[u8; 3]> {
    /// Bins of eight code values.
    const BIN: usize = 8;
    const BINS: usize = 256 / BIN;
    /// Of what is looked at, so much must be the screen.
    const ENOUGH: f64 = 0.25;
    let (width, height) = (picture.u.width(), picture.u.height());
    let (deep, side) = ((height / 10).max(1), (width / 8).max(1));
    // Somebody who is in the picture stands in it from below.
    let is_edge = |x: usize, y: usize| y < deep || (y < height * 3 / 4 && (x < side || x >= width - side));
    let places: Vec<(usize, usize)> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|&(x, y)| is_edge(x, y)).collect();
    let chroma = |(x, y): (usize, usize)| (picture.u.row(y)[x], picture.v.row(y)[x]);
    let far = |u: f64, v: f64| (u - 128.0) * (u - 128.0) + (v - 128.0) * (v - 128.0) >= LEAST_CHROMA * LEAST_CHROMA;
    let mut counts = vec![0u32; BINS * BINS];
    for &place in &places {
        let (u, v) = chroma(place);
        if far(u.into(), v.into()) {
            counts[usize::from(u) / BIN * BINS + usize::from(v) / BIN] += 1;
        }
    }
    let (most, _) = counts.iter().enumerate().max_by_key(|&(at, count)| (count, std::cmp::Reverse(at)))?;
    let center = |bin: usize| (bin * BIN + BIN / 2) as i32;
    let (u, v) = (center(most / BINS), center(most % BINS));
    // What is near the fullest bin, so that its borders do not count.
    let is_near = |place: &(usize, usize)| {
        let (found_u, found_v) = chroma(*place);
        let reach = BIN as i32 + BIN as i32 / 2;
        (i32::from(found_u) - u).abs() <= reach && (i32::from(found_v) - v).abs() <= reach
    };
    let near: Vec<(usize, usize)> = places.iter().copied().filter(is_near).collect();
    if (near.len() as f64) < ENOUGH * places.len() as f64 {
        return None;
    }
    let mean = |value: &dyn Fn((usize, usize)) -> u8| {
        near.iter().map(|&place| u64::from(value(place))).sum::<u64>() as f64 / near.len() as f64
    };
    let luma = mean(&|(x, y)| picture.y.row(2 * y)[2 * x]);
    let color = rgb(luma, mean(&|place| chroma(place).0), mean(&|place| chroma(place).1));
    is_colored(color).then_some(color)
}

/// Y'CbCr of limited range as R'G'B' (ITU-R BT.709-6, table 3).
fn rgb(y: f64, u: f64, v: f64) -> [u8; 3] {
    let (y, u, v) = ((y - 16.0) / 219.0, (u - 128.0) / 224.0, (v - 128.0) / 224.0);
    let red = y + 1.574_8 * v;
    let blue = y + 1.855_6 * u;
    let green = (y - 0.212_6 * red - 0.072_2 * blue) / 0.715_2;
    [red, green, blue].map(|part| (part * 255.0 + 0.5).clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::{I420Mut, PlaneMut, blend_over};

    const WIDTH: usize = 48;
    const HEIGHT: usize = 64;
    const GREEN: [u8; 3] = [20, 200, 60];

    /// A picture whose pixels are pairs of equal ones.
    struct Picture([Vec<u8>; 3]);

    impl Picture {
        /// With the code values that `color` gives for each chroma sample.
        fn new(color: impl Fn(usize, usize) -> [f64; 3]) -> Self {
            let sample = |at: usize, part: usize| (color(at % (WIDTH / 2), at / (WIDTH / 2))[part] + 0.5) as u8;
            let luma = |at: usize| sample(at / WIDTH / 2 * (WIDTH / 2) + at % WIDTH / 2, 0);
            let chroma = |part| (0..WIDTH * HEIGHT / 4).map(|at| sample(at, part)).collect();
            Self([(0..WIDTH * HEIGHT).map(luma).collect(), chroma(1), chroma(2)])
        }

        fn flat(color: [f64; 3]) -> Self {
            Self::new(|_, _| color)
        }

        fn view(&self) -> I420Ref<'_> {
            let plane = |data, by: usize| PlaneRef::new(data, WIDTH / by, HEIGHT / by, WIDTH / by).expect("fits");
            I420Ref { y: plane(&self.0[0], 1), u: plane(&self.0[1], 2), v: plane(&self.0[2], 2) }
        }

        fn view_mut(&mut self) -> I420Mut<'_> {
            let [y, u, v] = &mut self.0;
            I420Mut {
                y: PlaneMut::new(y, WIDTH, HEIGHT, WIDTH).expect("fits"),
                u: PlaneMut::new(u, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
                v: PlaneMut::new(v, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
            }
        }

        /// The colour in the middle.
        fn middle(&self) -> [u8; 3] {
            let at = HEIGHT / 4 * (WIDTH / 2) + WIDTH / 4;
            [self.0[0][HEIGHT / 2 * WIDTH + WIDTH / 2], self.0[1][at], self.0[2][at]]
        }
    }

    fn coded(color: [u8; 3]) -> [f64; 3] {
        code_values(color).map(f64::from)
    }

    /// `share` of `one`, the rest of `other`.
    fn mixed(one: [f64; 3], other: [f64; 3], share: f64) -> [f64; 3] {
        std::array::from_fn(|part| one[part] * share + other[part] * (1.0 - share))
    }

    /// `picture` without its screen over `under`, and its alpha in the middle.
    fn over(key: ScreenKey, picture: &Picture, under: [f64; 3]) -> ([u8; 3], u8) {
        let mut keyer = Keyer::new(key, WIDTH, HEIGHT);
        let (left, alpha) = keyer.key(picture.view()).expect("is of its size");
        let mut canvas = Picture::flat(under);
        blend_over(&mut canvas.view_mut(), left, alpha);
        (canvas.middle(), alpha.row(HEIGHT / 2)[WIDTH / 2])
    }

    proptest! {
        /// What is seen through is replaced, and what is not stays: a mixture of screen and a colour without any of it
        /// becomes the same mixture of another picture and the colour.
        #[test]
        fn the_screen_in_a_mixture_is_replaced(
            luma in 30u8..=230, aside in -40.0f64..40.0, share in 0.4f64..=1.0,
            under in prop::array::uniform3(16u8..=235),
        ) {
            let screen = coded(GREEN);
            let (u, v) = (screen[1] - 128.0, screen[2] - 128.0);
            let far = (u * u + v * v).sqrt();
            let (u, v) = (u / far, v / far);
            // At the edge of the angle: of what is further away, a part counts against the screen.
            let along = aside.abs() / TAN_HALF;
            let color = [f64::from(luma), 128.0 + along * u - aside * v, 128.0 + along * v + aside * u];
            let under = under.map(f64::from);
            let exactly = ScreenKey { tolerance: 0.0, softness: 1.0, ..ScreenKey::of(GREEN) };
            let (seen, _) = over(exactly, &Picture::flat(mixed(color, screen, share)), under);
            let exact = mixed(color, under, share);
            for (seen, exact) in seen.into_iter().zip(exact) {
                // Rounding before the key grows by one part of the share.
                prop_assert!((f64::from(seen) - exact).abs() <= 1.5 + 1.5 / share, "{seen} for {exact}, share {share}");
            }
        }
    }

    #[test]
    fn a_screen_with_shadows_is_gone_and_what_stands_before_it_stays() {
        let key = ScreenKey::of(GREEN);
        let (screen, under) = (coded(GREEN), [90.0, 100.0, 160.0]);
        for light in [0.65, 0.8, 1.0, 1.2] {
            let dim = [
                16.0 + (screen[0] - 16.0) * light,
                128.0 + (screen[1] - 128.0) * light,
                128.0 + (screen[2] - 128.0) * light,
            ];
            assert_eq!(over(key, &Picture::flat(dim), under), (under.map(|value| value as u8), 0), "light {light}");
        }
        for color in
            [[0; 3], [255; 3], [128; 3], [224, 172, 105], [90, 56, 37], [180, 30, 40], [40, 60, 190], [250, 220, 40]]
        {
            let found = over(key, &Picture::flat(coded(color)), under);
            assert_eq!(found, (code_values(color), 255), "{color:?}");
        }
        // Light of the screen on grey: it stays, without the tint.
        let tinted = mixed(screen, coded([150; 3]), 0.08);
        let ([_, u, v], alpha) = over(key, &Picture::flat(tinted), under);
        assert!(alpha == 255 && u.abs_diff(128) <= 1 && v.abs_diff(128) <= 1, "{u}, {v}, alpha {alpha}");
        let kept = ScreenKey { spill: 0.0, ..key };
        let ([_, u, v], _) = over(kept, &Picture::flat(tinted), under);
        assert!(u.abs_diff(128) > 2 || v.abs_diff(128) > 2, "{u}, {v}");
    }

    #[test]
    fn edges_move_inwards() {
        let (screen, gray) = (coded(GREEN), coded([150; 3]));
        // Columns 16 to 31 of the pixels.
        let picture = Picture::new(|x, _| if (8..16).contains(&x) { gray } else { screen });
        let row = |choke: u32| {
            let mut keyer = Keyer::new(ScreenKey { choke, ..ScreenKey::of(GREEN) }, WIDTH, HEIGHT);
            keyer.key(picture.view()).expect("is of its size").1.row(30).to_vec()
        };
        let opaque = |row: &[u8]| row.iter().filter(|&&alpha| alpha == 255).count();
        assert_eq!([0, 2, 4, 8].map(|choke| opaque(&row(choke))), [15, 11, 7, 0]);
        let (none, half) = (row(0), row(1));
        assert!(half.iter().zip(&none).all(|(half, none)| half <= none) && half[16] == 128, "{half:?}");
    }

    #[test]
    fn a_screen_is_found_at_the_edges() {
        let gray = coded([150; 3]);
        let screen = |x: usize, y: usize| {
            // Darker towards a side, and with noise.
            let (light, noise) = (1.0 - x as f64 / 120.0, ((x * 7 + y * 13) % 5) as f64 - 2.0);
            coded(GREEN).map(|value| value * light + 128.0 * (1.0 - light) + noise)
        };
        let stands = |x: usize, y: usize| (6..18).contains(&x) && y > 6;
        let before = Picture::new(|x, y| if stands(x, y) { gray } else { screen(x, y) });
        let found = screen_color(before.view()).expect("there is one");
        let apart = |part: usize| found[part].abs_diff(GREEN[part]);
        assert!((0..3).all(|part| apart(part) < 40), "{found:?}");
        let key = ScreenKey::of(found);
        let mut keyer = Keyer::new(key, WIDTH, HEIGHT);
        let (_, alpha) = keyer.key(before.view()).expect("is of its size");
        assert!(alpha.row(2).iter().all(|&alpha| alpha == 0), "{:?}", alpha.row(2));
        assert!(alpha.row(40)[14..33].iter().all(|&alpha| alpha == 255), "{:?}", alpha.row(40));
        assert_eq!(screen_color(Picture::flat(gray).view()), None);
        // Stripes of many colours are no screen.
        let stripes = Picture::new(|x, y| [100.0, (x * 37 % 256) as f64, (y * 53 % 256) as f64]);
        assert_eq!(screen_color(stripes.view()), None);
    }

    #[test]
    fn colours_come_back_from_their_code_values() {
        for color in [GREEN, [0, 0, 255], [255, 255, 255], [12, 90, 200]] {
            let [y, u, v] = coded(color);
            let back = rgb(y, u, v);
            assert!(back.iter().zip(color).all(|(back, value)| back.abs_diff(value) <= 2), "{color:?}: {back:?}");
        }
    }
}
