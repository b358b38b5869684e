//! All cues summed to the output's sound.

use std::collections::VecDeque;
use std::sync::Arc;

use super::decode::SoundReader;
use super::duck::Ducker;
use super::loudness::{Loudness, Meter};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;
use crate::plan::{AudioCue, Plan};
use crate::source::Probed;

/// A mix of at most this many sample frames is kept between measuring and encoding: half a minute, 11.5 MB.
const KEPT_MIX: u64 = 30 * crate::plan::SAMPLE_RATE as u64;

/// What one pass over a mix tells.
pub(crate) struct Measured {
    pub(crate) loudness: Loudness,
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
    /// What the others sound like from `position` on, as far as the duckers had to hear it.
    ahead: VecDeque<f32>,
}

/// A source of at most this many samples is kept when it loops: ten seconds, 3.8 MB.
const KEPT: usize = 10 * 2 * crate::plan::SAMPLE_RATE as usize;

struct Voice<'a> {
    cue: &'a AudioCue,
    reader: Option<SoundReader>,
    /// The whole source from its start, as far as it was read, while it is short enough.
    kept: Option<Vec<f32>>,
    /// Where in `kept` the next loop reads, once the source has ended.
    replay: Option<usize>,
    done: bool,
}

impl<'a> Mixer<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        sources: &'a [Arc<Probed>],
        limits: &'a Limits,
        interrupt: &'a Interrupt,
    ) -> Self {
        let voices: Vec<Voice<'_>> = plan.cues().iter().map(Voice::new).collect();
        let duckers = plan.cues().iter().filter_map(|cue| cue.duck).map(Ducker::new).collect();
        let ahead = VecDeque::new();
        Self { plan, sources, limits, interrupt, voices, position: 0, scratch: Vec::new(), duckers, ahead }
    }

    /// Makes the whole mix, and measures it.
    pub(crate) fn measure(mut self) -> Result<Measured> {
        let mut block = vec![0.0f32; 2 * 8192];
        let mut meter = Meter::new()?;
        let mut kept = (self.plan.samples() <= KEPT_MIX).then(Vec::new);
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
        Ok(Measured { loudness: meter.finish()?, kept: kept.map(Arc::new) })
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
        let mut fresh = vec![0.0; (until - heard) as usize * 2];
        self.add((heard, until), &mut fresh, false)?;
        for ducker in &mut self.duckers {
            ducker.hear(&fresh);
        }
        self.ahead.extend(fresh);
        for (target, sample) in block.iter_mut().zip(self.ahead.drain(..frames as usize * 2)) {
            *target = sample;
        }
        self.add((self.position, end), block, true)?;
        self.position = end;
        Ok(frames as usize)
    }

    /// Adds to `block`, which is the sample frames of `span`, the cues that duck, or those that do not.
    fn add(&mut self, span: (u64, u64), block: &mut [f32], ducking: bool) -> Result<()> {
        let mut duckers = self.duckers.iter_mut();
        for voice in &mut self.voices {
            let cue = voice.cue;
            if cue.duck.is_some() != ducking {
                continue;
            }
            let ducker = if ducking { duckers.next() } else { None };
            let (from, to) = (span.0.max(cue.start), span.1.min(cue.start + cue.length));
            if from >= to || voice.done {
                continue;
            }
            let source = &self.plan.sources()[cue.source];
            let about =
                |error: Error| error.for_asset(format!("{} ({})", source.asset.id, source.asset.path.display()));
            self.scratch.clear();
            self.scratch.resize((to - from) as usize * 2, 0.0);
            let open = || -> Result<SoundReader> {
                let audio = self.sources.get(cue.source).and_then(|probed| probed.audio.as_ref());
                let audio = audio.ok_or_else(|| Error::new(ErrorKind::Internal, "a sound has no source"))?;
                SoundReader::open(&source.asset.path, audio, cue.source_start, self.limits, self.interrupt)
            };
            voice.fill(&mut self.scratch, open).map_err(about)?;
            if let Some(ducker) = ducker {
                ducker.duck(from, &mut self.scratch);
            }
            let offset = (from - span.0) as usize * 2;
            let at = from - cue.start;
            for (frame, (target, sound)) in
                block[offset..].chunks_exact_mut(2).zip(self.scratch.chunks_exact(2)).enumerate()
            {
                let gain = cue.gain.0 * fade(cue, at + frame as u64);
                target[0] += sound[0] * gain;
                target[1] += sound[1] * gain;
            }
        }
        Ok(())
    }
}

impl<'a> Voice<'a> {
    fn new(cue: &'a AudioCue) -> Self {
        Self { cue, reader: None, kept: cue.looped.then(Vec::new), replay: None, done: false }
    }

    /// Fills `out` with the source's next sample frames; after its end silence, or its start again.
    fn fill(&mut self, out: &mut [f32], open: impl Fn() -> Result<SoundReader>) -> Result<()> {
        let mut filled = 0;
        while filled < out.len() && !self.done {
            if let (Some(kept), Some(at)) = (&self.kept, &mut self.replay) {
                let count = (kept.len() - *at).min(out.len() - filled);
                out[filled..filled + count].copy_from_slice(&kept[*at..*at + count]);
                filled += count;
                *at = (*at + count) % kept.len();
                continue;
            }
            let fresh = self.reader.is_none();
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => none.insert(open()?),
            };
            let count = reader.read(&mut out[filled..])? * 2;
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(&out[filled..filled + count]);
                if kept.len() > KEPT {
                    self.kept = None;
                }
            }
            filled += count;
            if filled < out.len() {
                // The source has ended. One that gives nothing from its start would loop for ever.
                self.reader = None;
                self.done = !self.cue.looped || (fresh && count == 0);
                self.replay = self.kept.as_ref().filter(|kept| !kept.is_empty()).map(|_| 0);
            }
        }
        Ok(())
    }
}

/// The factor of a cue's fades at its sample frame `at`.
fn fade(cue: &AudioCue, at: u64) -> f32 {
    let ramp = |position: u64, length: u64| if position < length { position as f32 / length as f32 } else { 1.0 };
    ramp(at, cue.fade_in) * ramp(cue.length.saturating_sub(at + 1), cue.fade_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Gain, TimeSpan};

    #[test]
    fn fades_start_and_end_in_silence_and_are_full_between() {
        let cue = AudioCue {
            source: 0,
            start: 0,
            length: 1000,
            source_start: TimeSpan::ZERO,
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
}
