//! One pass over the sound: as it is played on two loudspeakers, at the engine's sample rate.

use super::spans::{Runs, Stretch};
use crate::audio::{Meter, SoundReader};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::SAMPLE_RATE;
use crate::source::{ProbedAudio, Subject};
use crate::units::{TimeBase, TimeSpan, Timestamp};

/// What is at most this far from zero is silence: FFmpeg's `silencedetect`, `noise` (-60 dB).
const SILENCE: f32 = 0.001;
/// The shortest silent span that is told: `silencedetect`, `duration`.
pub(super) const SHORTEST: TimeSpan = TimeSpan::from_secs(2);
/// Sample frames of one block.
const BLOCK: usize = 8192;

/// What listening found. Times are those from the first picture.
#[derive(Debug)]
pub(super) struct Heard {
    /// Where the sound begins, before zero too, and where it ends.
    pub(super) whole: Stretch,
    /// Integrated loudness in LUFS; `None` for silence.
    pub(super) loudness: Option<f64>,
    /// The highest true peak in dBTP; `None` for silence.
    pub(super) peak: Option<f64>,
    /// Silent stretches of two seconds or longer.
    pub(super) silent: Vec<Stretch>,
    /// Whether nothing but silence was heard.
    pub(super) is_silent: bool,
    pub(super) damaged: u64,
}

pub(super) fn hear(subject: &Subject<'_>, audio: &ProbedAudio) -> Result<Heard> {
    let Subject { path, limits, interrupt, .. } = subject;
    let mut reader = SoundReader::open(path, audio, TimeSpan::ZERO, limits, interrupt)?;
    let mut meter = Meter::new()?;
    let mut block = vec![0.0; 2 * BLOCK];
    let (mut runs, mut was_silent) = (Runs::default(), false);
    let mut position = 0u64;
    // A file that lies about its times could have any length of silence before its sound.
    let longest = Timestamp::ZERO.saturating_add(limits.source_duration).to_sample_frames(SAMPLE_RATE);
    loop {
        interrupt.pulse().beat();
        if interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while sound was inspected"));
        }
        let count = reader.read(&mut block)?;
        let samples = block.get(..2 * count).unwrap_or_default();
        if count == 0 || i64::try_from(position).unwrap_or(i64::MAX) > longest {
            break;
        }
        meter.add(samples)?;
        for (frame, [left, right]) in (position..).zip(samples.as_chunks::<2>().0) {
            let is_silent = left.abs() < SILENCE && right.abs() < SILENCE;
            if is_silent != was_silent || frame == 0 {
                runs.push(time_of(frame), is_silent);
                was_silent = is_silent;
            }
        }
        position += count as u64;
    }
    let end = time_of(position);
    let measured = meter.finish()?;
    let silent = runs.finish(end);
    let first = reader.first().unwrap_or(0);
    let base = TimeBase::new(1, SAMPLE_RATE);
    let start = base.map_or(Timestamp::ZERO, |base| Timestamp::from_pts(first, base));
    let finite = |value: f64| value.is_finite().then_some(value);
    Ok(Heard {
        whole: Stretch::new(start, end.max(start)),
        loudness: finite(measured.integrated),
        peak: finite(20.0 * libm::log10(measured.peak)),
        is_silent: silent.iter().any(|span| span.start == Timestamp::ZERO && span.end == end) || position == 0,
        silent: silent.into_iter().filter(|span| span.length() >= SHORTEST).collect(),
        damaged: reader.damaged() as u64,
    })
}

fn time_of(frame: u64) -> Timestamp {
    let pts = i64::try_from(frame).unwrap_or(i64::MAX);
    TimeBase::new(1, SAMPLE_RATE).map_or(Timestamp::ZERO, |base| Timestamp::from_pts(pts, base))
}
