//! The mix at the loudness that it should have.

use super::limiter::Limiter;
use super::loudness::{CEILING, Loudness, Meter};
use super::mix::{Measured, Mix, Mixer};
use crate::error::Result;
use crate::units::Gain;

/// Times that the gain is corrected for what the limiter takes away.
const CORRECTIONS: usize = 4;
/// The least that a decibel of gain makes a limited mix louder by, in LU: with less, corrections would overshoot.
const LEAST_SLOPE: f64 = 0.25;
/// What AAC takes from a mix that is dense enough to be limited, in LU: up to three times as much of noise.
const AAC_LOSS: f64 = 0.1;
/// Nearer to the target than this, in LU, is near enough.
const NEAR: f64 = 0.1;

/// What was done to a mix, and what came out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    /// One linear gain on all of it.
    pub(crate) gain: Gain,
    /// Whether peaks were turned down after that.
    pub(crate) limited: bool,
    /// The loudness of the result, before AAC.
    pub(crate) result: Loudness,
    /// What is worth telling of the sound, for people.
    pub(crate) notes: Vec<String>,
}

/// A mix with its levels set, to be read from its start to its end.
pub(crate) struct Leveled<'a> {
    mix: Mix<'a>,
    gain: Gain,
    limiter: Option<Limiter>,
    /// What the limiter has finished and nobody has read.
    ready: Vec<f32>,
    ended: bool,
}

impl<'a> Leveled<'a> {
    fn new(mix: Mix<'a>, gain: Gain, limited: bool) -> Self {
        Self { mix, gain, limiter: limited.then(|| Limiter::new(CEILING)), ready: Vec::new(), ended: false }
    }

    /// As [`Mixer::read`].
    pub(crate) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        let Some(limiter) = &mut self.limiter else {
            let count = self.mix.read(out)?;
            scale(&mut out[..2 * count], self.gain);
            return Ok(count);
        };
        let mut block = vec![0.0; out.len()];
        while self.ready.len() < out.len() && !self.ended {
            let count = self.mix.read(&mut block)?;
            if count == 0 {
                self.ended = true;
                limiter.process(&vec![0.0; 2 * Limiter::DELAY], &mut self.ready);
            } else {
                scale(&mut block[..2 * count], self.gain);
                limiter.process(&block[..2 * count], &mut self.ready);
            }
        }
        let count = self.ready.len().min(out.len());
        out[..count].copy_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        Ok(count / 2)
    }

    fn measure(mut self) -> Result<Loudness> {
        let mut meter = Meter::new()?;
        let mut block = vec![0.0; 2 * 8192];
        loop {
            let count = self.read(&mut block)?;
            if count == 0 {
                return meter.finish();
            }
            meter.add(&block[..2 * count])?;
        }
    }
}

fn scale(samples: &mut [f32], gain: Gain) {
    if gain != Gain::UNITY {
        samples.iter_mut().for_each(|sample| *sample *= gain.0);
    }
}

/// The mix that `measured` was, as loud as `target` (LUFS), with its true peaks under the ceiling; `None` and what is
/// too quiet or short keep their levels, unless a peak is over the ceiling: then all of it goes down.
///
/// # Errors
/// What decoding a source reports; `CANCELED`.
pub(crate) fn level<'a>(
    measured: &Measured,
    target: Option<f64>,
    mixer: impl Fn() -> Mixer<'a>,
) -> Result<(Leveled<'a>, Levels)> {
    let found = measured.loudness;
    let wanted = target.map_or(Gain::UNITY, |target| found.gain_to(target));
    let moved = |gain: Gain| Loudness {
        integrated: found.integrated + 20.0 * libm::log10(f64::from(gain.0)),
        peak: found.peak * f64::from(gain.0),
        frames: found.frames,
    };
    let leveled = |gain, limited| Leveled::new(measured.replay_or(&mixer), gain, limited);
    let (Some(target), true) = (target, wanted != Gain::UNITY && found.needs_limiting(wanted)) else {
        let down = if found.needs_limiting(wanted) { Gain(CEILING / found.peak as f32) } else { wanted };
        let levels = Levels { gain: down, limited: false, result: moved(down), notes: measured.notes.clone() };
        return Ok((leveled(down, false), levels));
    };
    let decibels = |gain: Gain| 20.0 * libm::log10(f64::from(gain.0));
    let (mut gain, mut slope) = (wanted, 1.0);
    let mut result = leveled(gain, true).measure()?;
    for _ in 0..CORRECTIONS {
        let off = target + AAC_LOSS - result.integrated;
        if off.abs() < NEAR {
            break;
        }
        // A limiter that takes away more than a few decibels would be heard: then it stays a little quieter.
        let next = libm::pow(10.0, (decibels(gain) + off / slope) / 20.0).min(f64::from(wanted.0) * 2.0) as f32;
        let (before, louder) = (result.integrated, decibels(Gain(next)) - decibels(gain));
        if louder.abs() < NEAR / 2.0 {
            break;
        }
        gain = Gain(next);
        result = leveled(gain, true).measure()?;
        slope = ((result.integrated - before) / louder).clamp(LEAST_SLOPE, 1.0);
    }
    let levels = Levels { gain, limited: true, result, notes: measured.notes.clone() };
    Ok((leveled(gain, true), levels))
}
