//! From five landmarks to an upright square.

use super::description::{Channels, Numbers, Template};
use super::picture::{Picture, Square};

/// Right eye, left eye, nose, right and left corner of the mouth, seen from the person: the right eye is on the left of an
/// upright picture. Pixels; whole numbers are the centres of pixels.
pub(super) type Landmarks = [[f64; 2]; 5];

/// ArcFace's landmarks in a square of 112 pixels: insightface, `python-package/insightface/utils/face_align.py`.
const ARCFACE: Landmarks =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];
/// FFHQ's mean landmarks in a square of 512 pixels: facexlib, `utils/face_restoration_helper.py`.
const FFHQ: Landmarks = [
    [192.98138, 239.94708],
    [318.90277, 240.1936],
    [256.63416, 314.01935],
    [201.26117, 371.41043],
    [313.08905, 371.15118],
];
/// Most samples along a side that are averaged into one pixel.
const MAX_TAPS: f64 = 8.0;

/// The landmarks of a template in a square of `size` pixels.
///
/// As in insightface's `estimate_norm`, ArcFace's sizes that are multiples of 128, and not of 112, have the face of 112 pixels
/// in the middle of a square of 128: `inswapper_128` is made so. All others are scaled from 112.
pub(super) fn template(template: Template, size: u32) -> Landmarks {
    let scaled = |points: Landmarks, base: f64, shift: f64| {
        let factor = f64::from(size) / base;
        points.map(|[x, y]| [(x + shift) * factor, y * factor])
    };
    match template {
        Template::Arcface if !size.is_multiple_of(112) && size.is_multiple_of(128) => scaled(ARCFACE, 128.0, 8.0),
        Template::Arcface => scaled(ARCFACE, 112.0, 0.0),
        Template::Ffhq => scaled(FFHQ, 512.0, 0.0),
    }
}

/// x' = a x - b y + dx, y' = b x + a y + dy: a rotation, a scale and a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Similarity {
    a: f64,
    b: f64,
    dx: f64,
    dy: f64,
}

impl Similarity {
    /// The similarity that brings `from` onto `to` with the least sum of squared distances.
    ///
    /// Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE PAMI 13(4), 1991,
    /// equations 40 to 42. In the plane and without reflections its singular value decomposition has a closed form: with both
    /// sets about their means, a and b are the sums of dot and cross products over the variance of `from`.
    ///
    /// `None` when the points coincide or are not finite.
    pub(super) fn between(from: &Landmarks, to: &Landmarks) -> Option<Self> {
        let [from_mean, to_mean] = [from, to].map(mean);
        let (mut dot, mut cross, mut variance) = (0.0, 0.0, 0.0);
        for (&[x, y], &[u, v]) in from.iter().zip(to) {
            let (x, y, u, v) = (x - from_mean[0], y - from_mean[1], u - to_mean[0], v - to_mean[1]);
            dot += x * u + y * v;
            cross += x * v - y * u;
            variance += x * x + y * y;
        }
        // A face whose landmarks lie within a pixel is none.
        if variance.is_nan() || variance < 1.0 {
            return None;
        }
        let (a, b) = (dot / variance, cross / variance);
        let found = Self {
            a,
            b,
            dx: to_mean[0] - (a * from_mean[0] - b * from_mean[1]),
            dy: to_mean[1] - (b * from_mean[0] + a * from_mean[1]),
        };
        let finite = [found.a, found.b, found.dx, found.dy].iter().all(|value| value.is_finite());
        (finite && found.scale() > 1e-4).then_some(found)
    }

    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy]
    }

    /// Pixels of the target for each pixel of the source.
    pub(super) fn scale(&self) -> f64 {
        (self.a * self.a + self.b * self.b).sqrt()
    }

    pub(super) fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, dx: -(a * self.dx - b * self.dy), dy: -(b * self.dx + a * self.dy) }
    }
}

fn mean(points: &Landmarks) -> [f64; 2] {
    let [x, y] = points.iter().fold([0.0, 0.0], |[x, y], point| [x + point[0], y + point[1]]);
    [x / 5.0, y / 5.0]
}

/// The upright square that `to_square` cuts out of a picture. Where it shrinks, several bilinear samples are averaged, since
/// one of them would skip pixels. Outside of the picture its edge goes on.
pub(super) fn align(picture: &Picture<'_>, to_square: &Similarity, size: u32) -> Square {
    let back = to_square.inverse();
    let taps = taps(back.scale());
    let share = 1.0 / (taps.len() * taps.len()) as f32;
    let mut pixels = Vec::with_capacity(size as usize * size as usize);
    for y in 0..size {
        for x in 0..size {
            let mut sum = [0.0_f32; 3];
            for v in &taps {
                for u in &taps {
                    let [x, y] = back.apply([f64::from(x) + u, f64::from(y) + v]);
                    add(&mut sum, picture.sample(x, y));
                }
            }
            pixels.push(sum.map(|value| value * share));
        }
    }
    Square { size, pixels }
}

/// Offsets within a pixel, -0.5..0.5, for a step of `step` pixels of the source.
pub(super) fn taps(step: f64) -> Vec<f64> {
    let count = step.ceil().clamp(1.0, MAX_TAPS) as u32;
    (0..count).map(|index| (f64::from(index) + 0.5) / f64::from(count) - 0.5).collect()
}

pub(super) fn add(sum: &mut [f32; 3], value: [f32; 3]) {
    for (sum, value) in sum.iter_mut().zip(value) {
        *sum += value;
    }
}

/// The planes that a model takes: \[3, size, size\] in the order and numbers of `numbers`.
pub(super) fn planes(pixels: &[[f32; 3]], numbers: Numbers) -> Vec<f32> {
    let mut planes = Vec::with_capacity(pixels.len() * 3);
    let plane = |channel: usize| pixels.iter().map(move |pixel| pixel.get(channel).copied().unwrap_or_default());
    let order = match numbers.channels {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
    };
    for channel in order {
        planes.extend(plane(channel).map(|value| (value - numbers.mean) / numbers.std));
    }
    planes
}

/// The pixels of the planes \[3, size, size\] of a model's output: value * std + mean, clamped to 0..=255.
/// `None` when a value is not finite.
pub(super) fn pixels(planes: &[f32], size: u32, numbers: Numbers) -> Option<Vec<[f32; 3]>> {
    let count = size as usize * size as usize;
    let (first, rest) = planes.split_at_checked(count)?;
    let (second, third) = rest.split_at_checked(count)?;
    let mut pixels = Vec::with_capacity(count);
    for ((first, second), third) in first.iter().zip(second).zip(third) {
        let values = match numbers.channels {
            Channels::Rgb => [*first, *second, *third],
            Channels::Bgr => [*third, *second, *first],
        };
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        pixels.push(values.map(|value| (value * numbers.std + numbers.mean).clamp(0.0, 255.0)));
    }
    (pixels.len() == count).then_some(pixels)
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_found_again() {
        let known = Similarity { a: 1.2, b: -0.7, dx: 30.0, dy: -4.0 };
        let from = template(Template::Arcface, 112);
        let found = Similarity::between(&from, &from.map(|point| known.apply(point))).expect("found");
        for (found, known) in [(found.a, known.a), (found.b, known.b), (found.dx, known.dx), (found.dy, known.dy)] {
            assert!((found - known).abs() < 1e-9);
        }
        let [x, y] = found.inverse().apply(found.apply([3.0, 5.0]));
        assert!((x - 3.0).abs() < 1e-9 && (y - 5.0).abs() < 1e-9);
    }

    #[test]
    fn fit_is_least_in_squares() {
        // Landmarks that no similarity maps exactly: any small change of the solution has to be worse.
        let from = template(Template::Arcface, 112);
        let mut to = template(Template::Ffhq, 512);
        to[2][0] += 25.0;
        let cost = |s: &Similarity| -> f64 {
            from.iter()
                .zip(&to)
                .map(|(from, [u, v])| (s.apply(*from), u, v))
                .map(|([x, y], u, v)| (x - u).powi(2) + (y - v).powi(2))
                .sum()
        };
        let best = Similarity::between(&from, &to).expect("found");
        for change in [-1e-3, 1e-3] {
            for worse in [
                Similarity { a: best.a + change, ..best },
                Similarity { b: best.b + change, ..best },
                Similarity { dx: best.dx + change, ..best },
                Similarity { dy: best.dy + change, ..best },
            ] {
                assert!(cost(&worse) > cost(&best));
            }
        }
    }

    #[test]
    fn points_in_one_place_have_no_similarity() {
        assert_eq!(Similarity::between(&[[5.0, 5.0]; 5], &ARCFACE), None);
        assert_eq!(Similarity::between(&[[f64::NAN, 5.0]; 5], &ARCFACE), None);
    }

    #[test]
    fn arcface_of_128_is_shifted_as_in_insightface() {
        assert!((template(Template::Arcface, 128)[0][0] - 46.2946).abs() < 1e-9);
        assert!((template(Template::Arcface, 224)[0][0] - 76.5892).abs() < 1e-9);
        assert!((template(Template::Ffhq, 256)[0][0] - 96.49069).abs() < 1e-9);
    }

    #[test]
    fn planes_go_there_and_back() {
        let square = [[10.0, 20.0, 30.0], [40.0, 50.0, 60.0], [70.0, 80.0, 90.0], [1.0, 2.0, 3.0]];
        let numbers = Numbers { channels: Channels::Bgr, mean: 127.5, std: 127.5 };
        let planes = planes(&square, numbers);
        assert!((planes[0] - (30.0 - 127.5) / 127.5).abs() < 1e-6);
        let back = pixels(&planes, 2, numbers).expect("finite");
        assert!(back.iter().flatten().zip(square.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-3));
        assert_eq!(pixels(&[f32::NAN; 12], 2, numbers), None);
    }
}
