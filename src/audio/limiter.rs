//! A look-ahead limiter of true peaks: it turns down what would be over the ceiling, for as long as it would be, and
//! nothing else.

use std::collections::VecDeque;

use crate::plan::SAMPLE_RATE;

/// Sample frames that the gain falls over before a peak: 5 ms, slow enough not to be heard as a click.
const LOOK_AHEAD: usize = SAMPLE_RATE as usize / 200;
/// The part of its way back that the gain goes with each sample frame: to within a third in 80 ms.
const RELEASE: f64 = 1.0 / (0.08 * SAMPLE_RATE as f64);
/// Points between two samples at which the waveform is looked at: as ITU-R BS.1770-4, annex 2, has it for 48 kHz.
const PHASES: usize = 4;
/// Samples on each side that a point between them is interpolated from.
const REACH: usize = 6;

/// Limits interleaved stereo, block by block. What comes out is late by [`Limiter::DELAY`] sample frames.
pub(super) struct Limiter {
    ceiling: f32,
    /// Weights of the samples around a point, for each point between two samples.
    taps: [[f32; 2 * REACH]; PHASES - 1],
    /// Sample frames that came in and have not gone out.
    waiting: VecDeque<[f32; 2]>,
    /// How many of `waiting`, from the front, have their gain in `needed`.
    judged: usize,
    /// Candidates for the least of `needed` in the window, with their places, ascending.
    least: VecDeque<(u64, f32)>,
    place: u64,
    /// In 64 bits: near 1 the steps of its release are smaller than those of 32.
    envelope: f64,
    /// The newest values of the envelope in [`ONE`]s, and their sum: their mean is the gain. In integers, since rounding
    /// would add up, and what needs no limiting must stay as it is.
    recent: VecDeque<u32>,
    sum: u64,
    started: bool,
}

const ONE: u32 = 1 << 24;

impl Limiter {
    /// Sample frames by which the output is late.
    pub(super) const DELAY: usize = LOOK_AHEAD + REACH;

    pub(super) fn new(ceiling: f32) -> Self {
        Self {
            ceiling,
            taps: taps(),
            waiting: VecDeque::new(),
            judged: 0,
            least: VecDeque::new(),
            place: 0,
            envelope: 1.0,
            recent: VecDeque::from(vec![ONE; LOOK_AHEAD]),
            sum: u64::from(ONE) * LOOK_AHEAD as u64,
            started: false,
        }
    }

    /// Takes the next sample frames and appends to `out` those that are finished.
    pub(super) fn process(&mut self, input: &[f32], out: &mut Vec<f32>) {
        for frame in input.as_chunks::<2>().0 {
            self.waiting.push_back(*frame);
            if self.waiting.len() > self.judged + REACH {
                self.judge();
            }
            if self.judged > LOOK_AHEAD {
                let gain = self.gain();
                if let Some([left, right]) = self.waiting.pop_front() {
                    out.extend([left * gain, right * gain]);
                }
                self.judged -= 1;
            }
        }
    }

    /// Finds the gain that the next sample frame needs: the peaks at it and between it and the next one.
    fn judge(&mut self) {
        let at = self.judged;
        let sample = |place: i64, channel: usize| {
            let place = usize::try_from(at as i64 + place).ok();
            place.and_then(|place| self.waiting.get(place)).map_or(0.0, |frame| frame[channel])
        };
        let mut peak = 0.0f32;
        for channel in 0..2 {
            let around: [f32; 2 * REACH] = std::array::from_fn(|tap| sample(tap as i64 + 1 - REACH as i64, channel));
            peak = peak.max(around[REACH - 1].abs());
            // Between samples the waveform is at most twice as high as they are: the taps' sizes add up to less.
            if around.iter().fold(0.0f32, |most, sample| most.max(sample.abs())) * 2.0 < self.ceiling {
                continue;
            }
            for taps in &self.taps {
                let between: f32 = around.iter().zip(taps).map(|(sample, weight)| sample * weight).sum();
                peak = peak.max(between.abs());
            }
        }
        let needed = if peak > self.ceiling { self.ceiling / peak } else { 1.0 };
        while self.least.back().is_some_and(|(_, gain)| *gain >= needed) {
            self.least.pop_back();
        }
        self.least.push_back((self.place, needed));
        self.place += 1;
        self.judged += 1;
    }

    /// The gain of the oldest sample frame. The envelope is never over the least gain that the window needs, and the
    /// mean of the newest values covers it whole, so the gain is never over the one that this sample frame needs.
    fn gain(&mut self) -> f32 {
        let oldest = self.place.saturating_sub(LOOK_AHEAD as u64 + 1);
        while self.least.front().is_some_and(|(place, _)| *place < oldest) {
            self.least.pop_front();
        }
        let target = self.least.front().map_or(1.0, |(_, gain)| f64::from(*gain));
        self.envelope =
            if target < self.envelope { target } else { self.envelope + (target - self.envelope) * RELEASE };
        if self.envelope > 0.999_99 && target >= 1.0 {
            self.envelope = 1.0;
        }
        // Rounded down: the gain stays under what is needed.
        let newest = (self.envelope * f64::from(ONE)) as u32;
        if !self.started {
            // There is nothing before the start to fall from.
            self.started = true;
            self.recent.iter_mut().for_each(|gain| *gain = newest);
            self.sum = u64::from(newest) * LOOK_AHEAD as u64;
        }
        self.sum = self.sum + u64::from(newest) - u64::from(self.recent.pop_front().unwrap_or(ONE));
        self.recent.push_back(newest);
        (self.sum as f64 / (f64::from(ONE) * LOOK_AHEAD as f64)) as f32
    }
}

/// A sinc under a Hann window through the samples around a point, for the points between two of them: what the meter
/// (the crate ebur128) looks at too. A window that falls earlier would miss peaks of high tones by a decibel.
fn taps() -> [[f32; 2 * REACH]; PHASES - 1] {
    use std::f64::consts::PI;
    std::array::from_fn(|phase| {
        let point = (phase + 1) as f64 / PHASES as f64;
        std::array::from_fn(|tap| {
            let x = tap as f64 + 1.0 - REACH as f64 - point;
            let sinc = if x.abs() < 1e-12 { 1.0 } else { libm::sin(PI * x) / (PI * x) };
            (sinc * (0.5 + 0.5 * libm::cos(PI * x / REACH as f64))) as f32
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(input: &[f32], ceiling: f32, block: usize) -> Vec<f32> {
        let mut limiter = Limiter::new(ceiling);
        let mut out = Vec::new();
        for part in input.chunks(2 * block) {
            limiter.process(part, &mut out);
        }
        limiter.process(&vec![0.0; 2 * Limiter::DELAY], &mut out);
        assert_eq!(out.len(), input.len());
        out
    }

    /// A tone with bursts that are louder than the ceiling.
    fn bursts() -> Vec<f32> {
        (0..48_000)
            .flat_map(|n| {
                let loud = if n / 6_000 % 3 == 1 { 1.4 } else { 0.3 };
                let value = loud * (std::f32::consts::TAU * 0.23 * n as f32).sin();
                [value, -0.8 * value]
            })
            .collect()
    }

    #[test]
    fn nothing_is_over_the_ceiling_and_blocks_do_not_matter() {
        let input = bursts();
        let out = limited(&input, 0.8, 512);
        assert!(out == limited(&input, 0.8, 7), "the same in blocks of any size");
        let peak = out.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak <= 0.800_01, "{peak}");
        // Between the samples too: judged by another's meter.
        let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK).expect("a meter");
        meter.add_frames_f32(&out).expect("is measured");
        let peak = meter.true_peak(0).expect("is known");
        assert!(peak <= 0.81, "{peak}");
        assert!(peak > 0.75, "no more than needed: {peak}");
    }

    #[test]
    fn a_peak_right_at_the_start_is_limited_too() {
        let input: Vec<f32> =
            (0..4_800).flat_map(|n| [1.5 * (std::f32::consts::TAU * 0.02 * n as f32).cos(); 2]).collect();
        let peak = limited(&input, 0.8, 100).iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak <= 0.800_01, "{peak}");
    }

    #[test]
    fn what_is_quiet_enough_is_untouched() {
        let input: Vec<f32> = bursts().iter().map(|sample| sample * 0.4).collect();
        assert!(limited(&input, 0.8, 1_000) == input, "bit by bit");
        // Far from a peak as well: 6 ms before the first burst, and a second after the last one.
        let mut input = bursts();
        input.extend(std::iter::repeat_n([0.2f32, -0.1], 96_000).flatten());
        let out = limited(&input, 0.8, 1_000);
        assert!(out[..2 * 5_700] == input[..2 * 5_700]);
        assert!(out[2 * 130_000..] == input[2 * 130_000..]);
    }
}
