//! How loud a mix is, and what makes it as loud as it should be.

use ebur128::{EbuR128, Mode};
use multiversion::multiversion;

use super::peak::PeakMeter;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::SAMPLE_RATE;
use crate::units::Gain;

/// The highest true peak before AAC, which overshoots a little: -1.5 dBTP.
pub(crate) const CEILING: f32 = 0.841_395;
/// What is quieter is silence or noise, in LUFS; and what is shorter has no loudness that means anything, in sample
/// frames: both are left alone.
const QUIETEST: f64 = -50.0;
const SHORTEST: u64 = 2 * SAMPLE_RATE as u64;
/// The most that a mix is turned up, in dB: beyond that it is mostly noise.
const MOST_GAIN: f64 = 20.0;

/// The loudness of a mix by ITU-R BS.1770-4 and EBU R 128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loudness {
    /// Integrated loudness in LUFS; minus infinity for silence.
    pub(crate) integrated: f64,
    /// The highest true peak, linear.
    pub(crate) peak: f64,
    /// Sample frames that were measured.
    pub(crate) frames: u64,
}

impl Loudness {
    /// The gain that makes the mix as loud as `target` (LUFS); 1 for what is left alone. Peaks are not looked at.
    pub(crate) fn gain_to(&self, target: f64) -> Gain {
        if self.frames < SHORTEST || self.integrated.is_nan() || self.integrated <= QUIETEST {
            return Gain::UNITY;
        }
        Gain(libm::pow(10.0, (target - self.integrated).min(MOST_GAIN) / 20.0) as f32)
    }

    /// Whether something would be over the ceiling after `gain`.
    pub(crate) fn needs_limiting(&self, gain: Gain) -> bool {
        self.peak * f64::from(gain.0) > f64::from(CEILING)
    }
}

/// Measures a mix, block by block.
pub(crate) struct Meter {
    meter: EbuR128,
    peak: PeakMeter,
    frames: u64,
    /// Sums of the squares of both sides, and of what one loudspeaker makes of them.
    power: (f64, f64),
}

impl Meter {
    pub(crate) fn new() -> Result<Self> {
        let meter = EbuR128::new(2, SAMPLE_RATE, Mode::I).map_err(failed)?;
        Ok(Self { meter, peak: PeakMeter::new(), frames: 0, power: (0.0, 0.0) })
    }

    /// Takes the next sample frames, interleaved stereo.
    pub(crate) fn add(&mut self, samples: &[f32]) -> Result<()> {
        self.frames += samples.len() as u64 / 2;
        let (both, mono) = power(samples);
        self.power = (self.power.0 + f64::from(both), self.power.1 + f64::from(mono));
        self.peak.add(samples);
        self.meter.add_frames_f32(samples).map_err(failed)
    }

    /// Whether most of what was heard cancels out when both sides are played by one loudspeaker: more than 10 dB.
    pub(crate) fn cancels(&self) -> bool {
        let (both, mono) = self.power;
        // -80 dBFS and less is silence.
        both > 1e-8 * self.frames as f64 && mono < both / 10.0
    }

    pub(crate) fn finish(self) -> Result<Loudness> {
        Ok(Loudness {
            integrated: self.meter.loudness_global().map_err(failed)?,
            peak: f64::from(self.peak.finish()),
            frames: self.frames,
        })
    }
}

/// The sums of the squares of both sides, and of what one loudspeaker makes of them.
#[multiversion(targets = "simd")]
fn power(samples: &[f32]) -> (f32, f32) {
    // Sums side by side, in the same order on every machine.
    const LANES: usize = 8;
    let (mut both, mut mono) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (parts, rest) = samples.as_chunks::<2>().0.as_chunks::<LANES>();
    let mut add = |lane: usize, [left, right]: [f32; 2]| {
        both[lane] += left * left + right * right;
        mono[lane] += (left + right) * (left + right);
    };
    for part in parts {
        (0..LANES).for_each(|lane| add(lane, part[lane]));
    }
    rest.iter().enumerate().for_each(|(lane, &frame)| add(lane, frame));
    (both.iter().sum(), mono.iter().sum::<f32>() / 2.0)
}

fn failed(error: ebur128::Error) -> Error {
    Error::new(ErrorKind::Internal, "the loudness of the mix cannot be measured").caused_by(format!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(integrated: f64, peak: f64, frames: u64) -> Loudness {
        Loudness { integrated, peak, frames }
    }

    #[test]
    fn gains_reach_the_target_and_silence_is_left_alone() {
        let gain = |loudness: Loudness| loudness.gain_to(-14.0).0;
        assert!((gain(of(-20.0, 0.5, 480_000)) - 1.995_26).abs() < 1e-4);
        assert!((gain(of(-8.0, 0.5, 480_000)) - 0.501_19).abs() < 1e-4);
        assert!((gain(of(-45.0, 0.1, 480_000)) - 10.0).abs() < 1e-4, "at most 20 dB");
        assert_eq!(gain(of(-60.0, 0.1, 480_000)), 1.0);
        assert_eq!(gain(of(f64::NEG_INFINITY, 0.0, 480_000)), 1.0);
        assert_eq!(gain(of(-20.0, 0.1, 90_000)), 1.0, "too short");
        assert!(of(-20.0, 0.9, 1).needs_limiting(Gain::UNITY) && !of(-20.0, 0.8, 1).needs_limiting(Gain::UNITY));
    }

    /// EBU Tech 3341, test 1: a stereo sine of 1000 Hz at -23 dBFS is -23 LUFS.
    #[test]
    fn the_meter_is_right() {
        let level = libm::pow(10.0, -23.0 / 20.0) as f32;
        let tone = |n: i32| level * (std::f32::consts::TAU * 1_000.0 * (n % 48_000) as f32 / 48_000.0).sin();
        let samples: Vec<f32> = (0..480_000).flat_map(|n| [tone(n); 2]).collect();
        let mut meter = Meter::new().expect("a meter");
        samples.chunks(4_096).for_each(|block| meter.add(block).expect("is measured"));
        let found = meter.finish().expect("is known");
        assert!((found.integrated + 23.0).abs() < 0.1, "{found:?}");
        assert_eq!(found.frames, 480_000);
    }
}
