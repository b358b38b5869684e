//! The sound of one source, as a stream of sample frames from a given time on.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AudioFrame, AvError, Decoder, Input, Interrupt, Packet, Received, Resampler};
use crate::limits::Limits;
use crate::plan::SAMPLE_RATE;
use crate::source::{ProbedAudio, open_decoder};
use crate::units::{TimeBase, TimeSpan, Timestamp};

/// A jump of the source's clock by more than this is a gap to fill; below, it is jitter of the container.
const GAP: i64 = SAMPLE_RATE as i64 / 20;

/// Decodes a file's sound from `start` on, at 48 kHz stereo.
pub(super) struct SoundReader {
    input: Input,
    decoder: Decoder,
    packet: Packet,
    frame: AudioFrame,
    resampler: Option<Resampler>,
    stream: usize,
    base: TimeBase,
    /// The source's time zero on its own clock.
    zero: Timestamp,
    /// Interleaved sample frames not yet handed out, from `read` on.
    buffer: Vec<f32>,
    read: usize,
    /// The sample frame (from the source's time zero) after the last one that was decoded; `None` before the first.
    decoded: Option<i64>,
    /// The next sample frame to hand out.
    position: i64,
    draining: bool,
    ended: bool,
}

impl SoundReader {
    /// Opens the sound `audio` of the file at `path` from source time `start` on.
    pub(super) fn open(
        path: &Path,
        audio: &ProbedAudio,
        start: TimeSpan,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut input = Input::reopen(path, Arc::clone(interrupt)).map_err(failed)?;
        input.keep_only(&[audio.stream]);
        let decoder = open_decoder(&audio.parameters, &audio.codec, limits)?;
        Ok(Self {
            input,
            decoder,
            packet: Packet::new().map_err(failed)?,
            frame: AudioFrame::empty().map_err(failed)?,
            resampler: None,
            stream: audio.stream,
            base: audio.time_base,
            zero: audio.zero,
            buffer: Vec::new(),
            read: 0,
            decoded: None,
            position: Timestamp::ZERO.saturating_add(start).to_sample_frames(SAMPLE_RATE),
            draining: false,
            ended: false,
        })
    }

    /// Writes the next sample frames to `out` (interleaved stereo) and gives how many: fewer than asked for only at the
    /// end of the source.
    pub(super) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        let mut written = 0;
        while written < out.len() {
            if self.read == self.buffer.len() {
                if self.ended {
                    break;
                }
                self.refill()?;
                continue;
            }
            let count = (self.buffer.len() - self.read).min(out.len() - written);
            out[written..written + count].copy_from_slice(&self.buffer[self.read..self.read + count]);
            self.read += count;
            written += count;
            self.position += (count / 2) as i64;
        }
        Ok(written / 2)
    }

    /// Decodes until the buffer has sample frames from `position` on, or the source ends.
    fn refill(&mut self) -> Result<()> {
        self.buffer.clear();
        self.read = 0;
        match self.decoder.receive_audio(&mut self.frame) {
            Ok(Received::Frame) => self.convert()?,
            Ok(Received::NeedsInput) if !self.draining => return self.feed(),
            Ok(_) => {
                self.ended = true;
                self.flush_resampler()?;
            }
            Err(error) if error.is_invalid_data() => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        self.align();
        Ok(())
    }

    fn feed(&mut self) -> Result<()> {
        loop {
            match self.input.read(&mut self.packet) {
                Ok(true) if self.packet.stream() != self.stream => {}
                Ok(true) => match self.decoder.send(&self.packet) {
                    Err(error) if !error.is_invalid_data() => return Err(failed(error)),
                    // A damaged packet is a short silence: the next one's time tells how long.
                    _ => return Ok(()),
                },
                Err(error) if error.is_interrupt() => return Err(failed(error)),
                Ok(false) | Err(_) => {
                    self.draining = true;
                    return self.decoder.send_end().map_err(failed);
                }
            }
        }
    }

    /// Converts the decoded frame into the buffer, with silence before it where the source's clock has a gap.
    fn convert(&mut self) -> Result<()> {
        if !self.resampler.as_ref().is_some_and(|resampler| resampler.takes(&self.frame)) {
            self.flush_resampler()?;
            self.resampler = Some(Resampler::for_frame(&self.frame, SAMPLE_RATE).map_err(failed)?);
        }
        if let Some(pts) = self.frame.pts() {
            let time = Timestamp::from_pts(pts, self.base);
            let at =
                Timestamp::from_ticks(time.ticks().saturating_sub(self.zero.ticks())).to_sample_frames(SAMPLE_RATE);
            match self.decoded {
                None => self.decoded = Some(at),
                // What the resampler still holds is not counted in `decoded`, and is far below a gap.
                Some(expected) if at > expected.saturating_add(GAP) => {
                    self.flush_resampler()?;
                    let gap = at - self.decoded.unwrap_or(expected);
                    self.silence(gap.max(0));
                }
                Some(_) => {}
            }
        }
        let before = self.buffer.len();
        if let Some(resampler) = &mut self.resampler {
            resampler.convert(&self.frame, &mut self.buffer).map_err(failed)?;
        }
        self.count_from(before);
        Ok(())
    }

    fn flush_resampler(&mut self) -> Result<()> {
        let before = self.buffer.len();
        if let Some(mut resampler) = self.resampler.take() {
            resampler.flush(&mut self.buffer).map_err(failed)?;
        }
        self.count_from(before);
        Ok(())
    }

    fn silence(&mut self, sample_frames: i64) {
        // Longer gaps than an hour are nonsense of the container.
        let count = sample_frames.clamp(0, i64::from(SAMPLE_RATE) * 3600) as usize;
        let before = self.buffer.len();
        self.buffer.resize(before + count * 2, 0.0);
        self.count_from(before);
    }

    fn count_from(&mut self, before: usize) {
        let added = ((self.buffer.len() - before) / 2) as i64;
        self.decoded = Some(self.decoded.unwrap_or(0).saturating_add(added));
    }

    /// Makes the buffer start at `position`: what lies before it is dropped, a late start is filled with silence.
    fn align(&mut self) {
        let Some(end) = self.decoded else { return };
        let start = end - (self.buffer.len() / 2) as i64;
        if start < self.position {
            let late = usize::try_from(self.position - start).unwrap_or(usize::MAX).saturating_mul(2);
            self.buffer.drain(..late.min(self.buffer.len()));
        } else if start > self.position && !self.buffer.is_empty() {
            let early = (start - self.position).min(i64::from(SAMPLE_RATE) * 3600) as usize;
            self.buffer.splice(..0, std::iter::repeat_n(0.0, early * 2));
        }
    }
}

fn failed(error: AvError) -> Error {
    if error.is_interrupt() {
        return Error::new(ErrorKind::Canceled, "the job was cancelled while sound was read");
    }
    Error::new(ErrorKind::SourceUnreadable, "reading its sound failed").caused_by(error)
}
