//! True peaks: how high the waveform is, at the samples and between them.

use multiversion::multiversion;

/// Points from one sample to the next at which the waveform is looked at, the first of them the sample: as ITU-R BS.1770-4,
/// annex 2, has it for 48 kHz.
const PHASES: usize = 4;
/// Samples on each side that a point between them is interpolated from.
pub(super) const REACH: usize = 6;
/// Samples that a point is interpolated from.
const AROUND: usize = 2 * REACH;

/// Samples that are interpolated, or passed over, together: few, so that one that is high costs little, and some vectors.
pub(super) const STRETCH: usize = 64;

/// The waveform between samples: a sinc under a Hann window through the samples around a point, which is what the crate
/// ebur128 looks at too. A window that falls earlier would miss peaks of high tones by a decibel.
pub(super) struct Interpolation {
    /// Weights of the samples around a point, for each point between two samples.
    taps: [[f32; AROUND]; PHASES - 1],
    /// No point is higher than this many times the highest of the samples around it: 1.86.
    bound: f32,
}

impl Interpolation {
    pub(super) fn new() -> Self {
        use std::f64::consts::PI;
        let taps: [[f32; AROUND]; PHASES - 1] = std::array::from_fn(|phase| {
            let point = (phase + 1) as f64 / PHASES as f64;
            std::array::from_fn(|tap| {
                let x = tap as f64 + 1.0 - REACH as f64 - point;
                let sinc = libm::sin(PI * x) / (PI * x);
                (sinc * (0.5 + 0.5 * libm::cos(PI * x / REACH as f64))) as f32
            })
        });
        let sum = |taps: &[f32; AROUND]| taps.iter().map(|weight| weight.abs()).sum::<f32>();
        // A little more, for what rounding adds.
        let bound = taps.iter().map(sum).fold(1.0, f32::max) * 1.000_1;
        Self { taps, bound }
    }

    /// Whether nothing at and between `samples` of one side can be over `floor`, by a quick look.
    pub(super) fn stays_under(&self, samples: &[f32], floor: f32) -> bool {
        highest(samples) * self.bound <= floor
    }

    /// Raises each of `peaks` to the highest absolute value from its sample up to the next one. The sample of the first is
    /// `samples[REACH - 1]`, and `samples` has [`AROUND`] - 1 more than there are peaks.
    pub(super) fn raise(&self, samples: &[f32], peaks: &mut [f32]) {
        raise(samples, &self.taps, peaks);
    }
}

/// Finds the highest true peak of a sound, block by block.
///
/// A stretch in which nothing can be higher than what was found before, which is one that stays 5.4 dB below it, costs no more
/// than a look at its samples. The crate ebur128, whose peaks these are, interpolates all, one sample after another.
pub(super) struct PeakMeter {
    interpolation: Interpolation,
    /// For each side the samples that the next points need: zeros before the start.
    lines: [Vec<f32>; 2],
    peak: f32,
}

impl PeakMeter {
    pub(super) fn new() -> Self {
        let lines = std::array::from_fn(|_| vec![0.0; AROUND - 1]);
        Self { interpolation: Interpolation::new(), lines, peak: 0.0 }
    }

    /// Takes the next sample frames, interleaved stereo.
    pub(super) fn add(&mut self, samples: &[f32]) {
        let frames = samples.as_chunks::<2>().0;
        for (side, line) in self.lines.iter_mut().enumerate() {
            line.extend(frames.iter().map(|frame| frame[side]));
            let points = line.len() + 1 - AROUND;
            for start in (0..points).step_by(STRETCH) {
                let end = (start + STRETCH).min(points);
                let around = &line[start..end + AROUND - 1];
                if !self.interpolation.stays_under(around, self.peak) {
                    let mut peaks = [0.0; STRETCH];
                    self.interpolation.raise(around, &mut peaks[..end - start]);
                    self.peak = peaks.into_iter().fold(self.peak, f32::max);
                }
            }
            line.drain(..points);
        }
    }

    /// The highest true peak, linear. What follows the sound is silence.
    pub(super) fn finish(mut self) -> f32 {
        self.add(&[0.0; 2 * AROUND]);
        self.peak
    }
}

/// The highest absolute value; 0 of nothing.
#[multiversion(targets = "simd")]
fn highest(samples: &[f32]) -> f32 {
    let (parts, rest) = samples.as_chunks::<16>();
    let mut most = [0.0f32; 16];
    for part in parts {
        for (most, sample) in most.iter_mut().zip(part) {
            *most = most.max(sample.abs());
        }
    }
    most.into_iter().chain(rest.iter().map(|sample| sample.abs())).fold(0.0, f32::max)
}

/// As [`Interpolation::raise`], with its taps.
#[multiversion(targets = "simd")]
fn raise(samples: &[f32], taps: &[[f32; AROUND]; PHASES - 1], peaks: &mut [f32]) {
    const LANES: usize = 16;
    for (number, block) in peaks.chunks_mut(LANES).enumerate() {
        let left = samples.get(number * LANES..).unwrap_or_default();
        let mut padded = [0.0f32; LANES + AROUND - 1];
        let window = left.first_chunk().unwrap_or_else(|| {
            padded[..left.len()].copy_from_slice(left);
            &padded
        });
        let mut most: [f32; LANES] = std::array::from_fn(|lane| window[lane + REACH - 1].abs());
        for weights in taps {
            let mut sums = [0.0f32; LANES];
            for (tap, weight) in weights.iter().enumerate() {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum += window[tap + lane] * weight;
                }
            }
            for (found, sum) in most.iter_mut().zip(sums) {
                *found = found.max(sum.abs());
            }
        }
        for (peak, found) in block.iter_mut().zip(most) {
            *peak = peak.max(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::noise;

    fn peak(samples: &[f32], block: usize) -> f32 {
        let mut meter = PeakMeter::new();
        samples.chunks(2 * block).for_each(|part| meter.add(part));
        meter.finish()
    }

    /// The crate's own peak, with the silence after the end.
    fn by_ebur128(samples: &[f32]) -> f64 {
        let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK).expect("a meter");
        meter.add_frames_f32(samples).expect("is measured");
        meter.add_frames_f32(&[0.0; 2 * AROUND]).expect("is measured");
        meter.true_peak(0).expect("is known").max(meter.true_peak(1).expect("is known"))
    }

    #[test]
    fn it_finds_what_the_field_s_meter_finds() {
        let tone = |level: f32, step: f32, phase: f32| (0..9_000).map(move |n| level * (step * n as f32 + phase).sin());
        let burst = |at: usize| (0..9_000).map(move |n| if n / 8 == at { 0.9 } else { 0.01 });
        let stereo = |left: &mut dyn Iterator<Item = f32>, right: &mut dyn Iterator<Item = f32>| -> Vec<f32> {
            left.zip(right).flat_map(|(left, right)| [left, right]).collect()
        };
        let quarter = std::f32::consts::FRAC_PI_2;
        let sounds = [
            stereo(&mut noise(1).take(9_000), &mut noise(2).take(9_000)),
            // Its samples are 3 dB lower than its waveform.
            stereo(&mut tone(0.5, quarter, quarter / 2.0), &mut tone(0.2, 0.1, 0.0)),
            stereo(&mut tone(0.1, 0.05, 0.0), &mut tone(0.7, 2.6, 0.3)),
            // One high moment: at the very start, in the middle, and at the very end.
            stereo(&mut burst(0), &mut tone(0.05, 0.3, 0.0)),
            stereo(&mut tone(0.05, 0.3, 0.0), &mut burst(600)),
            stereo(&mut burst(1_124), &mut burst(2_000)),
            vec![0.3, -0.2],
            vec![0.0; 20],
        ];
        for (number, sound) in sounds.iter().enumerate() {
            let expected = by_ebur128(sound);
            for block in [1, 63, 64, 65, 1_000, 9_000] {
                let found = f64::from(peak(sound, block));
                assert!(
                    (found - expected).abs() <= 2e-6 * expected,
                    "{number}: {found} for {expected}, in blocks of {block}"
                );
            }
        }
        assert!(peak(&sounds[1], 500) > 0.49, "between samples of 0.354");
        assert_eq!(peak(&[], 1), 0.0);
    }

    #[test]
    fn no_point_is_higher_than_the_quick_look_allows() {
        let interpolation = Interpolation::new();
        let peak_of = |around: &[f32]| {
            let mut peak = [0.0];
            interpolation.raise(around, &mut peak);
            peak[0]
        };
        // What is highest: samples whose signs are those of the weights.
        let worst = interpolation.taps.map(|taps| peak_of(&taps.map(f32::signum)));
        let highest = worst.into_iter().fold(0.0, f32::max);
        assert!(highest > 0.999 * interpolation.bound && highest <= interpolation.bound, "{worst:?}");
        for seed in 0..200 {
            let around: Vec<f32> = noise(seed).skip(3).take(AROUND).collect();
            assert!(!interpolation.stays_under(&around, 0.999 * peak_of(&around)), "{seed}");
        }
        assert!(interpolation.stays_under(&[0.1; 30], 0.2) && !interpolation.stays_under(&[0.1; 30], 0.1));
    }

    #[test]
    fn each_point_has_its_own_peak_whatever_is_asked_for_at_once() {
        let interpolation = Interpolation::new();
        let samples: Vec<f32> = noise(9).take(100 + AROUND - 1).collect();
        let mut together = vec![0.0; 100];
        interpolation.raise(&samples, &mut together);
        for (at, &peak) in together.iter().enumerate() {
            let mut alone = [0.0];
            interpolation.raise(&samples[at..at + AROUND], &mut alone);
            assert_eq!(alone[0], peak, "{at}");
            let between = interpolation.taps.iter().map(|taps| {
                let points = samples[at..at + AROUND].iter().zip(taps);
                points.map(|(sample, weight)| sample * weight).sum::<f32>().abs()
            });
            assert_eq!(between.fold(samples[at + REACH - 1].abs(), f32::max), peak, "{at}");
        }
        // What was higher stays.
        let mut high = [9.0; 100];
        interpolation.raise(&samples, &mut high);
        assert_eq!(high, [9.0; 100]);
    }
}
