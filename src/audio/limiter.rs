//! A look-ahead limiter of true peaks: it turns down what would be over the ceiling, for as long as it would be, and
//! nothing else.

use std::collections::VecDeque;

use super::peak::{Interpolation, REACH, STRETCH};
use crate::plan::SAMPLE_RATE;

/// Sample frames that the gain falls over before a peak: 5 ms, slow enough not to be heard as a click.
const LOOK_AHEAD: usize = SAMPLE_RATE as usize / 200;
/// The part of its way back that the gain goes with each sample frame: to within a third in 80 ms.
const RELEASE: f64 = 1.0 / (0.08 * SAMPLE_RATE as f64);

/// Limits interleaved stereo, block by block. What comes out is late by [`Limiter::DELAY`] sample frames. Before the first
/// sample, where a sound that begins at once would ring, nothing is judged.
pub(super) struct Limiter {
    ceiling: f32,
    interpolation: Interpolation,
    /// For each side the samples that have not gone out, and those before them that the next peaks need: zeros before the
    /// start.
    lines: [Vec<f32>; 2],
    /// The oldest sample frame in `lines` that has not gone out, and the first whose peak is not known.
    oldest: usize,
    unjudged: usize,
    /// Candidates for the least gain that is needed in the window, with their places, ascending.
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
            interpolation: Interpolation::new(),
            lines: std::array::from_fn(|_| vec![0.0; REACH - 1]),
            oldest: REACH - 1,
            unjudged: REACH - 1,
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
        let frames = input.as_chunks::<2>().0;
        for (side, line) in self.lines.iter_mut().enumerate() {
            line.extend(frames.iter().map(|frame| frame[side]));
        }
        while let Some(left) = self.lines[0].len().checked_sub(self.unjudged + REACH).filter(|&left| left > 0) {
            let count = left.min(STRETCH);
            let around = self.unjudged + 1 - REACH..self.unjudged + count + REACH;
            let is_under = |line: &Vec<f32>| self.interpolation.stays_under(&line[around.clone()], self.ceiling);
            if self.lines.iter().all(is_under) {
                self.pass(&[1.0; STRETCH][..count], out);
                continue;
            }
            let mut peaks = [0.0; STRETCH];
            for line in &self.lines {
                self.interpolation.raise(&line[around.clone()], &mut peaks[..count]);
            }
            let needed = peaks.map(|peak| if peak > self.ceiling { self.ceiling / peak } else { 1.0 });
            self.pass(&needed[..count], out);
        }
        let gone = self.oldest.min(self.unjudged + 1 - REACH);
        self.lines.iter_mut().for_each(|line| drop(line.drain(..gone)));
        self.oldest -= gone;
        self.unjudged -= gone;
    }

    /// Takes the gains that the next sample frames need, and gives those out that are finished by that.
    fn pass(&mut self, needed: &[f32], out: &mut Vec<f32>) {
        for &most in needed {
            while self.least.back().is_some_and(|(_, gain)| *gain >= most) {
                self.least.pop_back();
            }
            self.least.push_back((self.place, most));
            self.place += 1;
            self.unjudged += 1;
            if self.unjudged - self.oldest > LOOK_AHEAD {
                let gain = self.gain();
                out.extend([&self.lines[0], &self.lines[1]].map(|line| line[self.oldest] * gain));
                self.oldest += 1;
            }
        }
    }

    /// The gain of the oldest sample frame. The envelope is never over the least gain that the window needs, and the
    /// mean of the newest values covers it whole, so the gain is never over the one that this sample frame needs.
    fn gain(&mut self) -> f32 {
        let oldest = self.place.saturating_sub(LOOK_AHEAD as u64 + 1);
        while self.least.front().is_some_and(|(place, _)| *place < oldest) {
            self.least.pop_front();
        }
        let target = self.least.front().map_or(1.0, |(_, gain)| f64::from(*gain));
        let full = u64::from(ONE) * LOOK_AHEAD as u64;
        // Far from any peak, where most of a sound is.
        if target >= 1.0 && self.envelope >= 1.0 && self.sum == full {
            self.started = true;
            return 1.0;
        }
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
        (self.sum as f64 / full as f64) as f32
    }
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
        for block in [1, 7, 63, 64, 65, 241, 48_000] {
            assert!(out == limited(&input, 0.8, block), "the same in blocks of {block}");
        }
        let peak = out.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak <= 0.800_01, "{peak}");
        // Between the samples too: judged by another's meter.
        let mut meter = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::TRUE_PEAK).expect("a meter");
        meter.add_frames_f32(&out).expect("is measured");
        let peak = meter.true_peak(0).expect("is known");
        assert!(peak <= 0.81, "{peak}");
        assert!(peak > 0.75, "no more than needed: {peak}");
    }

    /// The same, each sample frame by itself: what is needed at it, the least of that in the window, the envelope, its mean.
    fn plainly(input: &[f32], ceiling: f32) -> Vec<f32> {
        let frames = input.as_chunks::<2>().0;
        let at = |place: usize, side: usize| {
            place.checked_sub(REACH - 1).and_then(|place| frames.get(place)).map_or(0.0, |frame| frame[side])
        };
        let interpolation = Interpolation::new();
        let needed = |place: usize| {
            let mut peak = [0.0];
            for side in 0..2 {
                let around: Vec<f32> = (place..place + 2 * REACH).map(|place| at(place, side)).collect();
                interpolation.raise(&around, &mut peak);
            }
            if peak[0] > ceiling { ceiling / peak[0] } else { 1.0 }
        };
        let needed: Vec<f32> = (0..frames.len() + LOOK_AHEAD).map(needed).collect();
        let mut envelope = 1.0f64;
        let mut recent: Option<VecDeque<u32>> = None;
        let gain = |place: usize| {
            let target = needed[place..=place + LOOK_AHEAD].iter().fold(1.0, |least: f32, gain| least.min(*gain));
            let target = f64::from(target);
            envelope = if target < envelope { target } else { envelope + (target - envelope) * RELEASE };
            if envelope > 0.999_99 && target >= 1.0 {
                envelope = 1.0;
            }
            let newest = (envelope * f64::from(ONE)) as u32;
            let recent = recent.get_or_insert_with(|| VecDeque::from(vec![newest; LOOK_AHEAD]));
            recent.pop_front();
            recent.push_back(newest);
            let sum: u64 = recent.iter().map(|&gain| u64::from(gain)).sum();
            (sum as f64 / (f64::from(ONE) * LOOK_AHEAD as f64)) as f32
        };
        let gains = (0..frames.len()).map(gain);
        frames.iter().zip(gains).flat_map(|([left, right], gain)| [left * gain, right * gain]).collect()
    }

    #[test]
    fn what_is_passed_over_needs_no_limiting() {
        let loud_at = |side: usize| {
            let loud = move |n: usize| if n % 2 == side && (3_000..3_100).contains(&(n / 2)) { 2.0 } else { 0.4 };
            crate::audio::noise(4).take(20_000).enumerate().map(|(n, sample)| sample * loud(n)).collect::<Vec<f32>>()
        };
        let begins_loud = || crate::audio::noise(5).take(4_000).map(|sample| 1.5 * sample).collect::<Vec<f32>>();
        for (what, input) in [
            ("bursts", bursts()[..40_000].to_vec()),
            ("loud on the left for a moment", loud_at(0)),
            ("loud on the right for a moment", loud_at(1)),
            ("loud at the start and at the end", begins_loud()),
            ("silence", vec![0.0; 2_000]),
            ("shorter than the window", vec![1.2; 10]),
        ] {
            let (found, expected) = (limited(&input, 0.8, 500), plainly(&input, 0.8));
            assert!(found == expected, "{what}");
            assert_eq!(found != input, what != "silence", "{what}");
        }
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
