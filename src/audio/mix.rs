//! All cues summed to the output's sound.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::decode::SoundReader;
use super::duck::Ducker;
use super::loudness::{Loudness, Meter};
use super::seam::{SEAM, join};
use super::tempo::SpeedReader;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;
use crate::plan::{AudioCue, Crossing, Plan, Role, SAMPLE_RATE};
use crate::source::Probed;

/// A mix of at most this many sample frames is kept between measuring and encoding: a little over a minute, 24.6 MB.
const KEPT_MIX: u64 = 64 * crate::plan::SAMPLE_RATE as u64;

/// What one pass over a mix tells.
pub(crate) struct Measured {
    pub(crate) loudness: Loudness,
    /// What is worth telling of the sound, for people.
    pub(crate) notes: Vec<String>,
    kept: Option<Arc<Vec<f32>>>,
}

impl Measured {
    /// The same mix once more: as it was kept, or from a new mixer.
    pub(crate) fn replay_or<'a>(&self, mixer: impl FnOnce() -> Mixer<'a>) -> Mix<'a> {
        match &self.kept {
            Some(samples) => Mix::Kept { samples: Arc::clone(samples), read: 0 },
            None => Mix::Anew(Box::new(mixer())),
        }
    }
}

/// A mix to be read from its start to its end.
pub(crate) enum Mix<'a> {
    /// All of it, interleaved, and how much has been read.
    Kept { samples: Arc<Vec<f32>>, read: usize },
    /// Made while it is read.
    Anew(Box<Mixer<'a>>),
}

impl Mix<'_> {
    /// As [`Mixer::read`].
    pub(crate) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        match self {
            Self::Anew(mixer) => mixer.read(out),
            Self::Kept { samples, read } => {
                let count = (samples.len() - *read).min(out.len());
                out[..count].copy_from_slice(&samples[*read..*read + count]);
                *read += count;
                Ok(count / 2)
            }
        }
    }
}

/// Makes the mix of a plan from its start to its end, block by block.
pub(crate) struct Mixer<'a> {
    plan: &'a Plan,
    /// The probes of the plan's sources.
    sources: &'a [Arc<Probed>],
    limits: &'a Limits,
    interrupt: &'a Interrupt,
    voices: Vec<Voice<'a>>,
    position: u64,
    scratch: Vec<f32>,
    /// For cues that go down under others, one each.
    duckers: Vec<Ducker>,
    /// The clips and the voice-over from `position` on, as far as the duckers had to hear them.
    ahead: VecDeque<f32>,
    /// Packets that were damaged, by source.
    damaged: BTreeMap<usize, usize>,
}

/// Samples over which a sound goes down that ends before its cue: 5 ms of two channels.
const FALL: usize = 2 * SAMPLE_RATE as usize / 200;

/// A source of at most this many samples is kept when it loops: ten seconds, 3.8 MB.
const KEPT: usize = 10 * 2 * crate::plan::SAMPLE_RATE as usize;

struct Voice<'a> {
    cue: &'a AudioCue,
    reader: Option<SpeedReader>,
    /// The whole source from its start, as far as it was read, while it is short enough.
    kept: Option<Vec<f32>>,
    /// Where in `kept` the next loop reads, once the source has ended.
    replay: Option<usize>,
    /// What the source gave and is not handed out yet: if it is its end, it has to fade, or to blend with the start of the
    /// next pass.
    pending: Vec<f32>,
    /// Whether the end of `pending` is that of the source.
    ended: bool,
    /// Samples of this pass so far.
    pass: usize,
    done: bool,
}

/// Whose sound is added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Clips,
    VoiceOver,
    Music,
}

impl Part {
    fn of(role: Role) -> Self {
        match role {
            Role::Clip => Self::Clips,
            Role::VoiceOver => Self::VoiceOver,
            Role::Music => Self::Music,
        }
    }
}

impl<'a> Mixer<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        sources: &'a [Arc<Probed>],
        limits: &'a Limits,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            plan,
            sources,
            limits,
            interrupt,
            voices: plan.cues().iter().map(Voice::new).collect(),
            position: 0,
            scratch: Vec::new(),
            duckers: plan.cues().iter().filter_map(|cue| cue.duck).map(Ducker::new).collect(),
            ahead: VecDeque::new(),
            damaged: BTreeMap::new(),
        }
    }

    /// Makes the whole mix, and measures it.
    pub(crate) fn measure(mut self) -> Result<Measured> {
        let mut block = vec![0.0f32; 2 * 8192];
        let mut meter = Meter::new()?;
        let mut kept = (self.plan.samples() <= KEPT_MIX).then(|| Vec::with_capacity(2 * self.plan.samples() as usize));
        loop {
            let count = self.read(&mut block)?;
            if count == 0 {
                break;
            }
            let samples = &block[..count * 2];
            meter.add(samples)?;
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(samples);
            }
        }
        for at in 0..self.voices.len() {
            self.close(at);
        }
        let mut notes: Vec<String> = self
            .damaged
            .iter()
            .map(|(&source, &packets)| {
                let id = self.plan.sources().get(source).map_or("", |source| source.asset.id.as_str());
                format!("{id}: {packets} damaged packets of its sound are silence")
            })
            .collect();
        notes.extend(meter.cancels().then(|| {
            "left and right are out of phase: on a phone with one loudspeaker most of the sound is lost".to_owned()
        }));
        Ok(Measured { loudness: meter.finish()?, notes, kept: kept.map(Arc::new) })
    }

    /// Writes the next sample frames to `out` (interleaved stereo) and gives how many: fewer than asked for only at the
    /// end of the timeline.
    ///
    /// # Errors
    /// What decoding a source reports; `CANCELED`.
    pub(crate) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        self.interrupt.pulse().beat();
        let frames = (out.len() as u64 / 2).min(self.plan.samples() - self.position);
        let block = &mut out[..frames as usize * 2];
        let end = self.position + frames;
        // What is gone down under comes first, as far ahead as it must be heard.
        let look_ahead = self.duckers.iter().map(Ducker::look_ahead).max().unwrap_or(0);
        let heard = self.position + self.ahead.len() as u64 / 2;
        let until = (end + look_ahead).min(self.plan.samples()).max(heard);
        let mut clips = vec![0.0; (until - heard) as usize * 2];
        self.add((heard, until), &mut clips, Part::Clips)?;
        let mut voice = vec![0.0; clips.len()];
        self.add((heard, until), &mut voice, Part::VoiceOver)?;
        for ducker in &mut self.duckers {
            ducker.hear(&clips, &voice);
            if until == self.plan.samples() {
                ducker.hear_end();
            }
        }
        self.ahead.extend(clips.iter().zip(&voice).map(|(clips, voice)| clips + voice));
        let (first, second) = self.ahead.as_slices();
        let (head, tail) = block.split_at_mut(first.len().min(block.len()));
        head.copy_from_slice(&first[..head.len()]);
        tail.copy_from_slice(&second[..tail.len()]);
        self.ahead.drain(..block.len());
        self.add((self.position, end), block, Part::Music)?;
        self.position = end;
        Ok(frames as usize)
    }

    /// Adds to `block`, which is the sample frames of `span`, the cues of `part`.
    fn add(&mut self, span: (u64, u64), block: &mut [f32], part: Part) -> Result<()> {
        let mut ducker = 0;
        for at in 0..self.voices.len() {
            let cue = self.voices[at].cue;
            let ducked = cue.duck.map(|_| {
                ducker += 1;
                ducker - 1
            });
            if Part::of(cue.role) != part {
                continue;
            }
            let cue_end = cue.start + cue.length;
            let (from, to) = (span.0.max(cue.start), span.1.min(cue_end));
            if span.0 >= cue_end {
                self.close(at);
            }
            if from >= to || self.voices[at].done {
                continue;
            }
            let source = &self.plan.sources()[cue.source];
            let about =
                |error: Error| error.for_asset(format!("{} ({})", source.asset.id, source.asset.path.display()));
            self.scratch.clear();
            self.scratch.resize((to - from) as usize * 2, 0.0);
            let (sources, limits, interrupt) = (self.sources, self.limits, self.interrupt);
            let open = || -> Result<SpeedReader> {
                let audio = sources.get(cue.source).and_then(|probed| probed.audio.as_ref());
                let audio = audio.ok_or_else(|| Error::new(ErrorKind::Internal, "a sound has no source"))?;
                let reader = SoundReader::open(&source.asset.path, audio, cue.source_start, limits, interrupt)?;
                SpeedReader::new(reader, cue.speed)
            };
            self.voices[at].fill(&mut self.scratch, open).map_err(about)?;
            if let Some(ducker) = ducked.and_then(|ducker| self.duckers.get_mut(ducker)) {
                ducker.duck(from, &mut self.scratch);
            }
            let offset = (from - span.0) as usize * 2;
            let target = &mut block[offset..offset + self.scratch.len()];
            add_faded(target, &self.scratch, cue, from - cue.start);
        }
        Ok(())
    }

    /// Ends a voice, and notes what was wrong with its source.
    fn close(&mut self, at: usize) {
        let voice = &mut self.voices[at];
        if let Some(reader) = voice.reader.take().filter(|reader| reader.inner().damaged() > 0) {
            let damaged = self.damaged.entry(voice.cue.source).or_default();
            *damaged = reader.inner().damaged().max(*damaged);
        }
        (voice.kept, voice.pending) = (None, Vec::new());
        voice.done = true;
    }
}

impl<'a> Voice<'a> {
    fn new(cue: &'a AudioCue) -> Self {
        Self {
            cue,
            reader: None,
            kept: cue.looped.then(Vec::new),
            replay: None,
            pending: Vec::new(),
            ended: false,
            pass: 0,
            done: false,
        }
    }

    /// Fills `out` with the source's next sample frames; after its end silence, or its start again.
    fn fill(&mut self, out: &mut [f32], open: impl Fn() -> Result<SpeedReader>) -> Result<()> {
        if !self.cue.looped {
            return self.fill_once(out, open);
        }
        let mut filled = 0;
        while filled < out.len() && !self.done {
            // The end of a pass is held back: until it is known whether it is one.
            let free = self.pending.len().saturating_sub(2 * SEAM);
            if free > 0 {
                let count = free.min(out.len() - filled);
                out[filled..filled + count].copy_from_slice(&self.pending[..count]);
                self.pending.drain(..count);
                filled += count;
                continue;
            }
            let mut fresh = vec![0.0; (out.len() - filled).max(4 * SEAM)];
            let count = self.read_pass(&mut fresh, &open)? * 2;
            self.pending.extend_from_slice(&fresh[..count]);
            self.pass += count;
            if count < fresh.len() {
                self.start_over(&open)?;
            }
        }
        Ok(())
    }

    /// Fills `out` with the source's next sample frames; its last ones go down to silence.
    fn fill_once(&mut self, out: &mut [f32], open: impl Fn() -> Result<SpeedReader>) -> Result<()> {
        let mut filled = 0;
        while filled < out.len() && !self.done {
            let free = if self.ended { self.pending.len() } else { self.pending.len().saturating_sub(FALL) };
            let count = free.min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&self.pending[..count]);
            self.pending.drain(..count);
            filled += count;
            if self.ended {
                // The reader is kept: it knows what was damaged.
                self.done = self.pending.is_empty();
            } else if filled < out.len() {
                let held = self.pending.len();
                self.pending.resize(held + (out.len() - filled).max(FALL), 0.0);
                let mut pending = std::mem::take(&mut self.pending);
                let count = self.read_pass(&mut pending[held..], &open)? * 2;
                self.ended = held + count < pending.len();
                pending.truncate(held + count);
                if self.ended {
                    fade_away(&mut pending);
                }
                self.pending = pending;
            }
        }
        Ok(())
    }

    /// Reads the current pass on; fewer sample frames than asked for are its end.
    fn read_pass(&mut self, out: &mut [f32], open: &impl Fn() -> Result<SpeedReader>) -> Result<usize> {
        if let (Some(kept), Some(at)) = (&self.kept, &mut self.replay) {
            let count = (kept.len() - *at).min(out.len());
            out[..count].copy_from_slice(&kept[*at..*at + count]);
            *at += count;
            return Ok(count / 2);
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(open()?),
        };
        let count = reader.read(out)?;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&out[..count * 2]);
            if kept.len() > KEPT {
                self.kept = None;
            }
        }
        Ok(count)
    }

    /// Begins the next pass, and puts its start behind the end of this one.
    fn start_over(&mut self, open: &impl Fn() -> Result<SpeedReader>) -> Result<()> {
        // One that gives nothing from its start would loop for ever.
        if self.pass == 0 {
            self.done = true;
            return Ok(());
        }
        let long = self.pass >= 8 * SEAM;
        match &self.kept {
            Some(_) => self.replay = Some(0),
            None => self.reader = None,
        }
        let mut head = vec![0.0; 2 * SEAM];
        let count = self.read_pass(&mut head, open)? * 2;
        head.truncate(count);
        self.pass = count;
        join(&mut self.pending, &head, long);
        Ok(())
    }
}

/// Has the end of interleaved `samples` go down to silence.
fn fade_away(samples: &mut [f32]) {
    let length = samples.len().min(FALL);
    let start = samples.len() - length;
    for (number, frame) in samples[start..].chunks_exact_mut(2).rev().enumerate() {
        let gain = number as f32 / (length / 2) as f32;
        frame.iter_mut().for_each(|sample| *sample *= gain);
    }
}

/// Adds `sound`, which is `cue` from its sample frame `at` on, with its gain and its fades.
fn add_faded(target: &mut [f32], sound: &[f32], cue: &AudioCue, at: u64) {
    let end = at + sound.len() as u64 / 2;
    let begun = at.saturating_add(cue.enter.outside) >= cue.enter.length && at >= cue.fade_in;
    let left = cue.length.saturating_sub(end);
    if begun && left.saturating_add(cue.leave.outside) >= cue.leave.length && left >= cue.fade_out {
        for (target, sound) in target.iter_mut().zip(sound) {
            *target += sound * cue.gain.0;
        }
        return;
    }
    let frames = target.as_chunks_mut::<2>().0.iter_mut().zip(sound.as_chunks::<2>().0);
    for (place, (target, sound)) in (at..).zip(frames) {
        let gain = cue.gain.0 * fade(cue, place);
        target[0] += sound[0] * gain;
        target[1] += sound[1] * gain;
    }
}

/// The factor of a cue's fades at its sample frame `at`.
fn fade(cue: &AudioCue, at: u64) -> f32 {
    let ramp = |position: u64, length: u64| if position < length { position as f32 / length as f32 } else { 1.0 };
    let cross = |position: u64, Crossing { length, outside }: Crossing| {
        let position = position.saturating_add(outside);
        if position >= length {
            return 1.0;
        }
        libm::sin(std::f64::consts::FRAC_PI_2 * position as f64 / length as f64) as f32
    };
    let left = cue.length.saturating_sub(at + 1);
    ramp(at, cue.fade_in) * ramp(left, cue.fade_out) * cross(at, cue.enter) * cross(left, cue.leave)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Gain, TimeSpan};

    #[test]
    fn fades_start_and_end_in_silence_and_are_full_between() {
        let cue = AudioCue {
            source: 0,
            role: Role::Music,
            enter: Crossing::default(),
            leave: Crossing::default(),
            start: 0,
            length: 1000,
            source_start: TimeSpan::ZERO,
            speed: crate::units::Speed::NORMAL,
            gain: Gain::UNITY,
            fade_in: 100,
            fade_out: 200,
            looped: false,
            duck: None,
        };
        assert_eq!(fade(&cue, 0), 0.0);
        assert_eq!(fade(&cue, 50), 0.5);
        assert_eq!(fade(&cue, 100), 1.0);
        assert_eq!(fade(&cue, 799), 1.0);
        assert_eq!(fade(&cue, 899), 0.5);
        assert_eq!(fade(&cue, 999), 0.0);
    }

    #[test]
    fn a_crossfade_of_equal_power_keeps_the_power() {
        let cross = |length, outside| Crossing { length, outside };
        let cue = |start, length, enter, leave| AudioCue {
            source: 0,
            role: Role::Clip,
            enter,
            leave,
            start,
            length,
            source_start: TimeSpan::ZERO,
            speed: crate::units::Speed::NORMAL,
            gain: Gain::UNITY,
            fade_in: 0,
            fade_out: 0,
            looped: false,
            duck: None,
        };
        // The first ends a little before the fade does, and the second is cut within it.
        let out = cue(0, 990, cross(0, 0), cross(400, 10));
        let into = [cue(600, 100, cross(400, 0), cross(0, 0)), cue(700, 1000, cross(400, 100), cross(0, 0))];
        for at in 600..990u64 {
            let into = if at < 700 { fade(&into[0], at - 600) } else { fade(&into[1], at - 700) };
            let power = fade(&out, at).powi(2) + into.powi(2);
            assert!((power - 1.0).abs() < 0.01, "{at}: {power}");
        }
        assert_eq!(fade(&into[1], 300), 1.0);
        // Where neither fades, the quick way gives the same.
        for (at, cue) in [(0, &out), (500, &out), (0, &into[0]), (250, &into[1]), (300, &into[1])] {
            let mut added = [0.0; 200];
            add_faded(&mut added, &[1.0; 200], cue, at);
            let exact: Vec<f32> = (at..at + 100).flat_map(|at| [fade(cue, at); 2]).collect();
            assert_eq!(added[..], exact[..], "{at}");
        }
    }

    #[test]
    fn what_ends_early_goes_down_to_silence() {
        let mut sound = vec![1.0; 1000];
        fade_away(&mut sound);
        assert_eq!((sound[1000 - FALL - 1], sound[998], sound[999]), (1.0, 0.0, 0.0));
        assert!(sound.windows(2).all(|pair| pair[0] >= pair[1] && pair[0] - pair[1] < 0.005));
        let mut short = vec![1.0; 4];
        fade_away(&mut short);
        assert_eq!(short, [0.5, 0.5, 0.0, 0.0]);
        fade_away(&mut []);
    }
}
