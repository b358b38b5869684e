//! Music goes down while somebody speaks.

use std::collections::VecDeque;

use super::speech::SpeechDetector;
use crate::plan::{Duck, SAMPLE_RATE};

/// Sample frames that are judged at once: 10 ms.
pub(super) const HOP: usize = SAMPLE_RATE as usize / 100;

/// The gain of the music, from what is said over it: the same whatever the size of the blocks.
///
/// The clips and the voice-over are heard ahead of the music, so that it is down when a word begins. Of clips only speech
/// counts, of a voice-over all that is louder than the threshold. The gain is linear in decibels between steps of 10 ms,
/// down over `attack`, up over `release`; outside of that it is exactly 1.
pub(super) struct Ducker {
    /// The mean square over which a voice is heard.
    threshold: f64,
    speech: SpeechDetector,
    /// Hops before a sound in which the music goes down, and after it in which it stays down.
    attack: u64,
    hold: u64,
    /// Decibels a hop.
    down: f64,
    up: f64,
    amount: f64,
    /// The hop that is being heard: clips and voice-over.
    heard: (Vec<f32>, Vec<f32>),
    /// Whether the voice-over is loud in the hops that the detector has not told of.
    loud: VecDeque<bool>,
    /// Hops that are known.
    known: u64,
    /// Those with a voice that still matter, ascending.
    voiced: VecDeque<u64>,
    /// The level at the start and at the end of hop `current`, in decibels.
    current: u64,
    from: f64,
    to: f64,
    /// The gain at each sample frame of a hop, and which one that is.
    ramp: (Option<u64>, Vec<f32>),
    started: bool,
}

impl Ducker {
    pub(super) fn new(duck: Duck) -> Self {
        let hops = |seconds: f64| ((seconds * 100.0).round() as u64).max(1);
        let (attack, release) = (hops(duck.attack), hops(duck.release));
        let threshold = libm::pow(10.0, duck.threshold / 10.0);
        Self {
            threshold,
            speech: SpeechDetector::new(threshold),
            attack,
            hold: hops(duck.hold),
            down: duck.amount / attack as f64,
            up: duck.amount / release as f64,
            amount: duck.amount,
            heard: (Vec::with_capacity(2 * HOP), Vec::with_capacity(2 * HOP)),
            loud: VecDeque::new(),
            known: 0,
            voiced: VecDeque::new(),
            current: 0,
            from: 0.0,
            to: 0.0,
            ramp: (None, Vec::with_capacity(HOP)),
            started: false,
        }
    }

    /// How many sample frames must be heard ahead of the music.
    pub(super) fn look_ahead(&self) -> u64 {
        (self.attack + 2 + SpeechDetector::LATE as u64) * HOP as u64
    }

    /// Hears the next sample frames of the clips and of the voice-over: interleaved stereo, as many of each.
    pub(super) fn hear(&mut self, clips: &[f32], voice: &[f32]) {
        let mut at = 0;
        while at < clips.len() {
            let count = (2 * HOP - self.heard.0.len()).min(clips.len() - at);
            self.heard.0.extend_from_slice(&clips[at..at + count]);
            self.heard.1.extend_from_slice(&voice[at..at + count]);
            at += count;
            if self.heard.0.len() == 2 * HOP {
                let square: f64 = self.heard.1.iter().map(|&sample| f64::from(sample * sample)).sum();
                self.loud.push_back(square / (2 * HOP) as f64 > self.threshold);
                if let Some(spoken) = self.speech.hear(&self.heard.0) {
                    self.learn(spoken);
                }
                self.heard.0.clear();
                self.heard.1.clear();
            }
        }
    }

    /// Nothing more is heard.
    pub(super) fn hear_end(&mut self) {
        let rest: Vec<bool> = self.speech.finish().collect();
        rest.into_iter().for_each(|spoken| self.learn(spoken));
    }

    fn learn(&mut self, spoken: bool) {
        if self.loud.pop_front().unwrap_or(false) || spoken {
            self.voiced.push_back(self.known);
        }
        self.known += 1;
    }

    /// Turns down the music `samples` (interleaved stereo), which begin at sample frame `start` of the timeline; blocks
    /// must follow each other.
    pub(super) fn duck(&mut self, start: u64, samples: &mut [f32]) {
        let (mut place, mut rest) = (start, samples);
        while !rest.is_empty() {
            let hop = place / HOP as u64;
            while !self.started || self.current < hop {
                self.step();
            }
            let within = (place % HOP as u64) as usize;
            let (now, later) = rest.split_at_mut(rest.len().min(2 * (HOP - within)));
            place += now.len() as u64 / 2;
            rest = later;
            if self.from == 0.0 && self.to == 0.0 {
                continue;
            }
            if self.ramp.0 != Some(hop) {
                self.fill_ramp(hop);
            }
            for (frame, gain) in now.as_chunks_mut::<2>().0.iter_mut().zip(&self.ramp.1[within..]) {
                *frame = frame.map(|sample| sample * gain);
            }
        }
    }

    /// Goes to the next hop.
    fn step(&mut self) {
        if self.started {
            self.current += 1;
        }
        self.started = true;
        self.from = self.to;
        // At the end of this hop: is a voice near?
        let at = self.current + 1;
        while self.voiced.front().is_some_and(|&voiced| voiced + self.hold < at) {
            self.voiced.pop_front();
        }
        let near = self.voiced.front().is_some_and(|&voiced| voiced <= at + self.attack);
        self.to = if near { (self.to - self.down).max(-self.amount) } else { (self.to + self.up).min(0.0) };
    }

    /// Linear in decibels: each sample frame's gain is the same part of the one before.
    fn fill_ramp(&mut self, hop: u64) {
        let gain_of = |level: f64| libm::pow(10.0, level / 20.0);
        let (first, part) = (gain_of(self.from), gain_of((self.to - self.from) / HOP as f64));
        let gains = std::iter::successors(Some(first), |gain| Some(gain * part)).take(HOP);
        self.ramp.0 = Some(hop);
        self.ramp.1.clear();
        self.ramp.1.extend(gains.map(|gain| gain as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUCK: Duck = Duck { amount: 12.0, threshold: -40.0, attack: 0.2, hold: 0.3, release: 0.5 };

    /// The music's gain at every sample frame, with a voice from second 2 to 3, in blocks of `block`.
    fn gains(block: usize) -> Vec<f32> {
        let voice = |n: usize| if (96_000..144_000).contains(&n) { 0.2 * (n as f32 * 0.05).sin() } else { 0.0 };
        let voices: Vec<f32> = (0..240_000).flat_map(|n| [voice(n); 2]).collect();
        let mut ducker = Ducker::new(DUCK);
        let ahead = ducker.look_ahead() as usize;
        let (mut heard, mut out) = (0, Vec::new());
        for start in (0..240_000).step_by(block) {
            let count = block.min(240_000 - start);
            let until = (start + count + ahead).min(240_000);
            let voice = &voices[2 * heard..2 * until];
            ducker.hear(&vec![0.0; voice.len()], voice);
            heard = until;
            if until == 240_000 {
                ducker.hear_end();
            }
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
        ducker.hear(&[0.0; 96_000], &[0.005; 96_000]);
        ducker.hear_end();
        let mut music = vec![0.5f32; 20_000];
        ducker.duck(0, &mut music);
        assert!(music.iter().all(|&sample| sample == 0.5));
    }
}
