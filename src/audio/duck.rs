//! Music goes down while the clips speak.

use std::collections::VecDeque;

use crate::plan::{Duck, SAMPLE_RATE};

/// Sample frames whose level is judged at once: 10 ms.
const HOP: usize = SAMPLE_RATE as usize / 100;

/// The gain of the music, from the clips' own level: the same whatever the size of the blocks.
///
/// The clips are heard ahead of the music, so that it is down when a voice begins. Levels are the mean squares of 10 ms;
/// the gain goes in decibels at an even speed, down over `attack`, up over `release`, and in between is exactly 1.
pub(super) struct Ducker {
    /// The mean square over which a clip is heard.
    threshold: f64,
    /// Hops before a sound in which the music goes down, and after it in which it stays down.
    attack: u64,
    hold: u64,
    /// Decibels a hop.
    down: f64,
    up: f64,
    amount: f64,
    /// The hop that is being heard: sum of squares and sample frames so far.
    heard: (f64, usize),
    /// Hops that have been heard.
    hops: u64,
    /// The loud ones among them that still matter, ascending.
    loud: VecDeque<u64>,
    /// The level at the start and at the end of hop `current`, in decibels.
    current: u64,
    from: f64,
    to: f64,
    started: bool,
}

impl Ducker {
    pub(super) fn new(duck: Duck) -> Self {
        let hops = |seconds: f64| ((seconds * 100.0).round() as u64).max(1);
        let (attack, release) = (hops(duck.attack), hops(duck.release));
        Self {
            threshold: libm::pow(10.0, duck.threshold / 10.0),
            attack,
            hold: hops(duck.hold),
            down: duck.amount / attack as f64,
            up: duck.amount / release as f64,
            amount: duck.amount,
            heard: (0.0, 0),
            hops: 0,
            loud: VecDeque::new(),
            current: 0,
            from: 0.0,
            to: 0.0,
            started: false,
        }
    }

    /// How many sample frames the clips must be heard ahead of the music.
    pub(super) fn look_ahead(&self) -> u64 {
        (self.attack + 2) * HOP as u64
    }

    /// Hears the clips' next sample frames, interleaved stereo.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        for [left, right] in samples.as_chunks::<2>().0 {
            self.heard.0 += (f64::from(left * left) + f64::from(right * right)) / 2.0;
            self.heard.1 += 1;
            if self.heard.1 == HOP {
                if self.heard.0 / HOP as f64 > self.threshold {
                    self.loud.push_back(self.hops);
                }
                self.hops += 1;
                self.heard = (0.0, 0);
            }
        }
    }

    /// Turns down the music `samples` (interleaved stereo), which begin at sample frame `start` of the timeline; blocks
    /// must follow each other.
    pub(super) fn duck(&mut self, start: u64, samples: &mut [f32]) {
        for (place, frame) in (start..).zip(samples.as_chunks_mut::<2>().0) {
            let hop = place / HOP as u64;
            while !self.started || self.current < hop {
                self.step();
            }
            if self.from == 0.0 && self.to == 0.0 {
                continue;
            }
            let part = (place % HOP as u64) as f64 / HOP as f64;
            let level = self.from + (self.to - self.from) * part;
            let gain = libm::pow(10.0, level / 20.0) as f32;
            *frame = frame.map(|sample| sample * gain);
        }
    }

    /// Goes to the next hop.
    fn step(&mut self) {
        if self.started {
            self.current += 1;
        }
        self.started = true;
        self.from = self.to;
        // At the end of this hop: is a sound near?
        let at = self.current + 1;
        while self.loud.front().is_some_and(|&loud| loud + self.hold < at) {
            self.loud.pop_front();
        }
        let near = self.loud.front().is_some_and(|&loud| loud <= at + self.attack);
        self.to = if near { (self.to - self.down).max(-self.amount) } else { (self.to + self.up).min(0.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUCK: Duck = Duck { amount: 12.0, threshold: -40.0, attack: 0.2, hold: 0.3, release: 0.5 };

    /// The music's gain at every sample frame, with a voice from second 2 to 3, in blocks of `block`.
    fn gains(block: usize) -> Vec<f32> {
        let voice = |n: usize| if (96_000..144_000).contains(&n) { 0.2 * (n as f32 * 0.05).sin() } else { 0.0 };
        let clips: Vec<f32> = (0..240_000).flat_map(|n| [voice(n); 2]).collect();
        let mut ducker = Ducker::new(DUCK);
        let ahead = ducker.look_ahead() as usize;
        let (mut heard, mut out) = (0, Vec::new());
        for start in (0..240_000).step_by(block) {
            let count = block.min(240_000 - start);
            let until = (start + count + ahead).min(240_000);
            ducker.hear(&clips[2 * heard..2 * until]);
            heard = until;
            let mut music = vec![1.0f32; 2 * count];
            ducker.duck(start as u64, &mut music);
            out.extend(music.chunks_exact(2).map(|frame| frame[0]));
        }
        out
    }

    #[test]
    fn music_is_down_under_a_voice_and_untouched_elsewhere() {
        let gains = gains(1_024);
        assert!(gains == super::tests::gains(333) && gains == super::tests::gains(240_000), "whatever the blocks");
        let down = libm::pow(10.0, -12.0 / 20.0) as f32;
        assert!(gains[96_000..144_000].iter().all(|gain| (gain - down).abs() < 0.01), "twelve decibels down");
        assert!(gains[..85_000].iter().all(|&gain| gain == 1.0), "bit by bit until just before it");
        assert!(gains[185_000..].iter().all(|&gain| gain == 1.0), "and after it");
        // No pumping: the slope is bounded, down by 60 and up by 24 decibels a second.
        let level = |gain: f32| 20.0 * libm::log10(f64::from(gain));
        for pair in gains.windows(2) {
            let slope = (level(pair[1]) - level(pair[0])) * 48_000.0;
            assert!((-61.0..25.0).contains(&slope), "{slope} dB a second");
        }
    }

    #[test]
    fn what_is_under_the_threshold_does_nothing() {
        let mut ducker = Ducker::new(DUCK);
        ducker.hear(&[0.005; 96_000]);
        let mut music = vec![0.5f32; 20_000];
        ducker.duck(0, &mut music);
        assert!(music.iter().all(|&sample| sample == 0.5));
    }
}
