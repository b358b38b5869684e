//! Where somebody speaks, so that music goes down for words and not for the taps and chimes of an app.
//!
//! The sound is looked at between 300 and 3400 Hz, the band of the telephone, in steps of 10 ms. A step is *voiced* if it
//! is loud enough and repeats itself at the pitch of a voice, which noise, clicks and swooshes do not. Speech is where
//! there are enough voiced steps in 0.6 s, at least 100 ms of them in a row, which taps do not reach, and where their
//! spectrum moves as a mouth does, which tones, chimes and hums do not. Singing is speech too.

use std::collections::VecDeque;

use super::duck::HOP;
use crate::plan::SAMPLE_RATE;

/// The detector works at 8 kHz.
const DECIMATION: usize = 6;
const RATE: usize = SAMPLE_RATE as usize / DECIMATION;
/// Samples of a step, and of the window that is looked at: three pitch periods of the deepest voice.
const STEP: usize = HOP / DECIMATION;
const WINDOW: usize = 4 * STEP;
/// Periods of voices, 70 to 400 Hz, in samples.
const LONGEST_PERIOD: usize = RATE / 70;
const SHORTEST_PERIOD: usize = RATE / 400;
/// How much a voiced window is like itself one period later, -1 to 1. Voices have 0.8 to 0.95, noises up to 0.45.
const LIKENESS: f32 = 0.6;
/// Steps that are looked at together.
const SPAN: usize = 60;
/// Voiced steps among them that speech has, and how many in a row.
const VOICED: usize = 15;
const IN_A_ROW: usize = 10;
/// A change of the first reflection coefficient from one voiced step to the next that is a movement of the spectrum, and
/// the part of steps with one: 0.25 to 0.8 in speech (espeak-ng, three voices, and a recorded talk), at most 0.05 in
/// chimes and bells.
const MOVEMENT: f32 = 0.006;
const MOVING: f32 = 0.2;
/// Steps before the first voiced one that are speech too: consonants, and half of the window.
const BEFORE: usize = 12;
/// Taps of the low-pass filter.
const TAPS: usize = 60;

/// Hears sound, and tells for each step of 10 ms, late by [`SpeechDetector::LATE`] steps, whether it is speech.
pub(super) struct SpeechDetector {
    /// Mean square over which a step may be voiced.
    threshold: f32,
    low_pass: [f32; TAPS],
    /// The newest samples at 48 kHz.
    recent: Vec<f32>,
    high_pass: HighPass,
    /// The newest samples at 8 kHz.
    band: Vec<f32>,
    steps: VecDeque<Step>,
    /// Whether the newest steps are speech, the oldest first.
    marks: VecDeque<bool>,
}

#[derive(Clone, Copy)]
struct Step {
    voiced: bool,
    /// The first reflection coefficient, a measure of where the energy is.
    tilt: f32,
}

impl SpeechDetector {
    /// Steps that must follow before one is told.
    pub(super) const LATE: usize = SPAN + BEFORE;

    /// A detector of speech that is louder than `threshold` (mean square).
    pub(super) fn new(threshold: f64) -> Self {
        Self {
            threshold: threshold as f32,
            low_pass: low_pass(),
            recent: Vec::new(),
            high_pass: HighPass::default(),
            band: Vec::new(),
            steps: VecDeque::new(),
            marks: VecDeque::new(),
        }
    }

    /// Hears the next step: [`HOP`] sample frames of interleaved stereo. Gives whether the step [`Self::LATE`] before it
    /// is speech, once there is one.
    pub(super) fn hear(&mut self, step: &[f32]) -> Option<bool> {
        // Unequal, so that a voice that is out of phase between the sides does not vanish.
        self.recent.extend(step.as_chunks::<2>().0.iter().map(|[left, right]| 0.65 * left + 0.35 * right));
        let silent = step.iter().all(|&sample| sample == 0.0);
        let mut start = 0;
        while self.recent.len() >= start + TAPS {
            let sample = if silent && self.high_pass.is_at_rest() {
                0.0
            } else {
                self.high_pass.next(dot(&self.recent[start..start + TAPS], &self.low_pass))
            };
            self.band.push(sample);
            start += DECIMATION;
        }
        self.recent.drain(..start);
        self.band.drain(..self.band.len().saturating_sub(WINDOW));
        let found = self.judge();
        self.steps.push_back(found);
        if self.steps.len() > SPAN {
            self.steps.pop_front();
        }
        self.marks.push_back(false);
        if found.voiced && self.is_speech() {
            self.mark();
        }
        if self.marks.len() > Self::LATE { self.marks.pop_front() } else { None }
    }

    /// The steps that have not been told yet, at the end of the sound.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = bool> + '_ {
        self.marks.drain(..)
    }

    /// Whether the newest window is voiced.
    fn judge(&self) -> Step {
        const SILENT: Step = Step { voiced: false, tilt: 0.0 };
        let Some(window) = self.band.last_chunk::<WINDOW>() else { return SILENT };
        // Its middle counts, so that a tap is not longer than it is.
        let middle = &window[STEP..WINDOW - STEP];
        if dot(middle, middle) <= self.threshold * middle.len() as f32 {
            return SILENT;
        }
        let energy = dot(window, window);
        let tilt = dot(&window[..WINDOW - 1], &window[1..]) / energy;
        let like = |period: usize| {
            let (early, late) = (&window[..WINDOW - period], &window[period..]);
            let product = dot(early, late);
            // Cheaper than the energies, and no larger than the likeness.
            product > 0.0 && {
                let energies = dot(early, early) * dot(late, late);
                product * product > LIKENESS * LIKENESS * energies
            }
        };
        Step { voiced: (SHORTEST_PERIOD..=LONGEST_PERIOD).any(like), tilt }
    }

    fn is_speech(&self) -> bool {
        let (mut voiced, mut row, mut longest) = (0usize, 0usize, 0usize);
        let (mut moving, mut pairs) = (0usize, 0usize);
        let mut before: Option<Step> = None;
        for &step in &self.steps {
            if step.voiced {
                voiced += 1;
                row += 1;
                longest = longest.max(row);
                if let Some(before) = before.filter(|before| before.voiced) {
                    moving += usize::from((step.tilt - before.tilt).abs() > MOVEMENT);
                    pairs += 1;
                }
            } else {
                row = 0;
            }
            before = Some(step);
        }
        voiced >= VOICED && longest >= IN_A_ROW && moving as f32 > MOVING * pairs as f32
    }

    /// Marks everything from shortly before the first voiced step of the span on.
    fn mark(&mut self) {
        let first = self.steps.iter().position(|step| step.voiced).unwrap_or(0);
        let back = self.steps.len() - first + BEFORE;
        let from = self.marks.len().saturating_sub(back);
        self.marks.iter_mut().skip(from).for_each(|mark| *mark = true);
    }
}

/// In eight sums, which the compiler keeps in one register.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}

/// A sinc at 3400 Hz under a Hann window.
fn low_pass() -> [f32; TAPS] {
    use std::f64::consts::PI;
    let cutoff = 3_400.0 / f64::from(SAMPLE_RATE);
    let weights: [f64; TAPS] = std::array::from_fn(|tap| {
        let x = tap as f64 - (TAPS - 1) as f64 / 2.0;
        let window = 0.5 - 0.5 * libm::cos(2.0 * PI * (tap as f64 + 0.5) / TAPS as f64);
        libm::sin(2.0 * PI * cutoff * x) / (PI * x) * window
    });
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| (weight / sum) as f32)
}

/// A Butterworth high-pass of second order at 300 Hz, for 8 kHz (Bristow-Johnson's cookbook).
struct HighPass {
    b: [f32; 2],
    a: [f32; 2],
    x: [f32; 2],
    y: [f32; 2],
}

impl Default for HighPass {
    fn default() -> Self {
        let w = std::f64::consts::TAU * 300.0 / RATE as f64;
        let (sin, cos) = (libm::sin(w), libm::cos(w));
        let alpha = sin / std::f64::consts::SQRT_2;
        let a0 = 1.0 + alpha;
        let b = (1.0 + cos) / 2.0 / a0;
        Self {
            b: [b as f32, (-2.0 * b) as f32],
            a: [(-2.0 * cos / a0) as f32, ((1.0 - alpha) / a0) as f32],
            x: [0.0; 2],
            y: [0.0; 2],
        }
    }
}

impl HighPass {
    fn next(&mut self, sample: f32) -> f32 {
        let mut out = self.b[0] * (sample + self.x[1]) + self.b[1] * self.x[0];
        out -= self.a[0] * self.y[0] + self.a[1] * self.y[1];
        // Else it would rest in numbers that are slow to compute.
        if out.abs() < 1e-12 {
            out = 0.0;
        }
        self.x = [sample, self.x[0]];
        self.y = [out, self.y[0]];
        out
    }

    fn is_at_rest(&self) -> bool {
        self.x == [0.0; 2] && self.y == [0.0; 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of the steps of a sound (mono, of time in seconds) that are speech.
    fn spoken(seconds: f64, wave: impl Fn(f64) -> f64) -> f64 {
        let mut detector = SpeechDetector::new(1e-4);
        let steps = (seconds * 100.0) as usize;
        let mut marks = Vec::new();
        for step in 0..steps {
            let samples: Vec<f32> =
                (0..HOP).flat_map(|n| [wave((step * HOP + n) as f64 / f64::from(SAMPLE_RATE)) as f32; 2]).collect();
            marks.extend(detector.hear(&samples));
        }
        marks.extend(detector.finish());
        assert_eq!(marks.len(), steps, "every step is told");
        marks.iter().filter(|&&mark| mark).count() as f64 / steps as f64
    }

    fn sine(hertz: f64, t: f64) -> f64 {
        (std::f64::consts::TAU * hertz * t).sin()
    }

    fn noise(t: f64) -> f64 {
        let bits = ((t * 48_000.0).round() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) as f64 / u64::MAX as f64 * 2.0 - 1.0
    }

    type Wave = Box<dyn Fn(f64) -> f64>;

    #[test]
    fn what_an_app_sounds_like_is_no_speech() {
        let since = |t: f64, every: f64| t % every;
        let sounds: [(&str, Wave); 9] = [
            ("taps", Box::new(move |t| 0.5 * noise(t) * (-150.0 * since(t, 0.37)).exp())),
            ("thumps", Box::new(move |t| 0.7 * sine(220.0, since(t, 0.25)) * (-60.0 * since(t, 0.25)).exp())),
            (
                "pops",
                Box::new(move |t| {
                    let t = since(t, 0.3);
                    if t < 0.06 { 0.6 * sine(400.0 + 4_000.0 * t, t) } else { 0.0 }
                }),
            ),
            (
                "a bell",
                Box::new(move |t| {
                    let t = since(t, 1.0);
                    (-6.0 * t).exp() * (0.4 * sine(880.0, t) + 0.2 * sine(1_760.0, t) + 0.1 * sine(2_640.0, t))
                }),
            ),
            (
                "a chime of two notes",
                Box::new(move |t| {
                    let t = since(t, 2.0);
                    let note = if t < 0.25 {
                        sine(660.0, t) * (-8.0 * t).exp()
                    } else {
                        sine(880.0, t) * (2.0 - 8.0 * t).exp()
                    };
                    0.5 * note
                }),
            ),
            ("a swoosh", Box::new(move |t| 0.5 * noise(t) * (10.0 * since(t, 1.0)).sin().max(0.0))),
            ("a hum", Box::new(|t| 0.3 * sine(50.0, t) + 0.1 * sine(150.0, t) + 0.1 * sine(350.0, t))),
            ("a tone", Box::new(|t| 0.5 * sine(1_000.0, t))),
            ("noise", Box::new(|t| 0.3 * noise(t))),
        ];
        for (what, sound) in sounds {
            assert_eq!(spoken(6.0, sound), 0.0, "{what}");
        }
    }

    /// A source of pulses at a gliding pitch through two moving resonances: vowels.
    #[test]
    fn vowels_are_speech_while_they_last() {
        let vowels = |t: f64| {
            if !(1.0..3.0).contains(&t) {
                return 0.0;
            }
            let phase = 130.0 * t + 2.0 * sine(1.5, t);
            let (first, second) = (550.0 + 200.0 * sine(3.0, t), 1_500.0 + 500.0 * sine(2.0, t));
            let since = phase.fract() / 130.0;
            let syllable = (0.6 + 0.4 * sine(4.0, t)).max(0.0);
            0.4 * syllable
                * ((-90.0 * since).exp() * sine(first, since) + 0.5 * (-120.0 * since).exp() * sine(second, since))
        };
        let part = spoken(5.0, vowels);
        assert!((0.36..0.47).contains(&part), "two of five seconds: {part}");
        assert_eq!(spoken(5.0, |t| 0.01 * vowels(t)), 0.0, "too quiet");
    }
}
