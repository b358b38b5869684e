//! The sound of one source, as a stream of sample frames from a given time on.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AudioFrame, AvError, Decoder, Input, Interrupt, Packet, Received, Resampler};
use crate::limits::Limits;
use crate::plan::SAMPLE_RATE;
use crate::source::{MusicReader, ProbedAudio, open_decoder};
use crate::units::{TimeBase, TimeSpan, Timestamp};

/// A jump of the source's clock by more than this, either way, is obeyed; below, it is jitter of the container.
const JUMP: i64 = SAMPLE_RATE as i64 / 20;

/// A start that is at least this far in is gone to, in the containers that have exact times; what is nearer is decoded
/// from the beginning.
const FAR_IN: TimeSpan = TimeSpan::from_secs(10);
/// How far before the start decoding begins then: codecs need some of what came before, Opus 80 ms.
const PREROLL: TimeSpan = TimeSpan::from_secs(1);

/// Decodes a file's sound from `start` on, at 48 kHz stereo.
pub(crate) struct SoundReader {
    origin: Origin,
    interrupt: Interrupt,
    /// Whether what was decoded last waits until what came before it is handed out.
    held: bool,
    resampler: Option<Resampler>,
    /// Sample frames of silence to hand out before the buffer.
    silence: u64,
    /// Interleaved sample frames not yet handed out, from `read` on.
    buffer: Vec<f32>,
    read: usize,
    /// The sample frame (from the source's time zero) after the last one that was decoded; `None` at the start and
    /// after a jump.
    decoded: Option<i64>,
    /// The first sample frame that was decoded, whether it is handed out or not.
    first: Option<i64>,
    /// The next sample frame to hand out.
    position: i64,
    /// Sample frames from the first decoded one on that are sound; what follows is an encoder's padding.
    length: Option<i64>,
    /// The sample frame after the last one that is sound, once the first is known.
    end: Option<i64>,
    ended: bool,
    damaged: usize,
}

/// Who decodes.
enum Origin {
    /// FFmpeg: the sound of clips, and music that symphonia lacks.
    Stream(Box<Stream>),
    /// Symphonia: music from its first sample frame on, without gaps.
    Music(Box<MusicReader>),
}

struct Stream {
    input: Input,
    decoder: Decoder,
    packet: Packet,
    frame: AudioFrame,
    stream: usize,
    cut_short: bool,
    base: TimeBase,
    /// The source's time zero on its own clock; `None` until the first sample tells.
    zero: Option<Timestamp>,
    draining: bool,
}

/// What asking for more sound came to.
enum Got {
    /// The next stretch waits in the origin.
    Sound,
    /// Nothing yet.
    Nothing,
    End,
}

impl SoundReader {
    /// Opens the sound `audio` of the file at `path` from source time `start` on.
    pub(crate) fn open(
        path: &Path,
        audio: &ProbedAudio,
        start: TimeSpan,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut sought = false;
        let origin = match audio.music {
            Some(music) => Origin::Music(Box::new(MusicReader::open(path, music, interrupt)?)),
            None => {
                let open = || -> Result<Input> {
                    let mut input = Input::open(path, audio.demuxers, interrupt.clone()).map_err(failed)?;
                    input.keep_only(&[audio.stream]);
                    Ok(input)
                };
                let mut input = open()?;
                let is_exact = matches!(audio.demuxers, "mov" | "matroska");
                if let Some(zero) = audio.zero.filter(|_| is_exact && start >= FAR_IN) {
                    let from = TimeSpan::from_ticks(start.ticks() - PREROLL.ticks());
                    match input.seek(audio.stream, zero.saturating_add(from).to_pts_floor(audio.time_base)) {
                        Ok(()) => sought = true,
                        Err(error) if error.is_interrupt() => return Err(failed(error)),
                        // Some files cannot seek and still read forward.
                        Err(_) => input = open()?,
                    }
                }
                Origin::Stream(Box::new(Stream {
                    input,
                    decoder: open_decoder(&audio.parameters, None, &audio.codec, limits)?,
                    packet: Packet::new().map_err(failed)?,
                    frame: AudioFrame::empty().map_err(failed)?,
                    stream: audio.stream,
                    cut_short: audio.cut_short,
                    base: audio.time_base,
                    zero: audio.zero,
                    draining: false,
                }))
            }
        };
        Ok(Self {
            origin,
            interrupt: interrupt.clone(),
            held: false,
            resampler: None,
            silence: 0,
            buffer: Vec::new(),
            read: 0,
            decoded: None,
            first: None,
            position: Timestamp::ZERO.saturating_add(start).to_sample_frames(SAMPLE_RATE),
            // It counts from the first sample frame.
            length: audio
                .length
                .filter(|_| !sought)
                .map(|span| Timestamp::ZERO.saturating_add(span).to_sample_frames(SAMPLE_RATE)),
            end: None,
            ended: false,
            damaged: 0,
        })
    }

    /// Packets so far that were damaged and are silence, of what is heard.
    pub(crate) fn damaged(&self) -> usize {
        match &self.origin {
            Origin::Music(music) => music.missing(),
            Origin::Stream(_) => self.damaged,
        }
    }

    /// The first sample frame of the sound, from the source's time zero, once it is decoded; before zero where the sound
    /// starts before the first picture.
    pub(crate) fn first(&self) -> Option<i64> {
        self.first
    }

    /// Writes the next sample frames to `out` (interleaved stereo) and gives how many: fewer than asked for only at the
    /// end of the source.
    pub(crate) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        let mut written = 0;
        while written < out.len() {
            let room = out.len() - written;
            let count = if self.silence > 0 {
                let count = usize::try_from(self.silence).unwrap_or(usize::MAX).min(room / 2);
                out[written..written + count * 2].fill(0.0);
                self.silence -= count as u64;
                count * 2
            } else if self.read < self.buffer.len() {
                let count = (self.buffer.len() - self.read).min(room);
                out[written..written + count].copy_from_slice(&self.buffer[self.read..self.read + count]);
                self.read += count;
                count
            } else if self.ended {
                break;
            } else {
                self.refill()?;
                0
            };
            written += count;
            self.position = self.position.saturating_add((count / 2) as i64);
        }
        Ok(written / 2)
    }

    /// Takes one step towards sample frames from `position` on: the buffer may still be empty afterwards.
    fn refill(&mut self) -> Result<()> {
        if self.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while sound was read"));
        }
        self.buffer.clear();
        self.read = 0;
        if self.held {
            self.convert()?;
        } else {
            // Damage of what lies before the start is nobody's.
            let is_heard = self.decoded.map_or(self.position <= 0, |decoded| decoded >= self.position);
            let got = match &mut self.origin {
                Origin::Stream(stream) => {
                    let mut damaged = 0;
                    let got = stream.next(&mut damaged)?;
                    self.damaged += if is_heard { damaged } else { 0 };
                    got
                }
                Origin::Music(music) => match music.next()? {
                    false => Got::End,
                    true if music.block().channels.iter().all(Vec::is_empty) => Got::Nothing,
                    true => Got::Sound,
                },
            };
            match got {
                Got::Sound => self.convert()?,
                Got::Nothing => return Ok(()),
                Got::End => {
                    self.ended = true;
                    self.flush_resampler()?;
                }
            }
        }
        self.align();
        Ok(())
    }

    /// Converts what was decoded into the buffer. Where the source's clock jumps, what came before is handed out first
    /// and the rest is held.
    fn convert(&mut self) -> Result<()> {
        let at = match &mut self.origin {
            Origin::Stream(stream) => stream.at(),
            // It has no gaps: the first sample frame is the start.
            Origin::Music(_) => self.decoded.is_none().then_some(0),
        };
        // What the resampler still holds is not counted in `decoded`, and is far below a jump.
        let jumps = at.zip(self.decoded).is_some_and(|(at, expected)| at.abs_diff(expected) > JUMP as u64);
        let fits = self.resampler.as_ref().is_some_and(|resampler| match &self.origin {
            Origin::Stream(stream) => resampler.takes(&stream.frame),
            Origin::Music(music) => resampler.takes_planes(&music.block()),
        });
        if self.resampler.is_some() && (jumps || !fits) {
            self.flush_resampler()?;
            if jumps {
                self.decoded = None;
            }
            self.held = true;
            return Ok(());
        }
        self.held = false;
        let start = self.decoded.or(at).unwrap_or(self.position);
        self.first.get_or_insert(start);
        if self.end.is_none() {
            self.end = self.length.map(|length| start.saturating_add(length));
        }
        let (origin, buffer) = (&self.origin, &mut self.buffer);
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(origin.resampler().map_err(failed)?),
        };
        match origin {
            Origin::Stream(stream) => resampler.convert(&stream.frame, buffer),
            Origin::Music(music) => resampler.convert_planes(&music.block(), buffer),
        }
        .map_err(failed)?;
        self.decoded = Some(start.saturating_add((self.buffer.len() / 2) as i64));
        Ok(())
    }

    /// Puts what the resampler still holds into the (empty) buffer.
    fn flush_resampler(&mut self) -> Result<()> {
        let Some(mut resampler) = self.resampler.take() else { return Ok(()) };
        resampler.flush(&mut self.buffer).map_err(failed)?;
        let held = (self.buffer.len() / 2) as i64;
        self.decoded = self.decoded.map(|decoded| decoded.saturating_add(held));
        // Right away: the place of these sample frames is forgotten after a jump.
        self.align();
        Ok(())
    }

    /// Makes the buffer start at `position`: what lies before it is dropped, a late start is filled with silence.
    fn align(&mut self) {
        let Some(end) = self.decoded else { return };
        let left = ((self.buffer.len() - self.read) / 2) as i64;
        if left == 0 {
            return;
        }
        let start = end - left;
        if let Some(padding) = self.end.map(|sound| end - sound).filter(|&padding| padding > 0) {
            let kept = usize::try_from(left - padding).unwrap_or(0) * 2;
            self.buffer.truncate(self.read + kept);
            self.decoded = Some(end - padding.min(left));
            if kept == 0 {
                return;
            }
        }
        if start < self.position {
            let late = usize::try_from(self.position - start).unwrap_or(usize::MAX).saturating_mul(2);
            self.read = self.read.saturating_add(late).min(self.buffer.len());
        } else {
            // Every cue ends, so a gap of any length costs no memory and no time that the output does not have.
            self.silence = start.abs_diff(self.position);
        }
    }
}

impl Origin {
    fn resampler(&self) -> Result<Resampler, AvError> {
        match self {
            Self::Stream(stream) => Resampler::for_frame(&stream.frame, SAMPLE_RATE),
            Self::Music(music) => Resampler::for_planes(&music.block(), SAMPLE_RATE),
        }
    }
}

impl Stream {
    /// Decodes on, by one packet at most.
    fn next(&mut self, damaged: &mut usize) -> Result<Got> {
        match self.decoder.receive_audio(&mut self.frame) {
            Ok(Received::Frame) => Ok(Got::Sound),
            Ok(Received::NeedsInput) if !self.draining => self.feed(damaged).map(|()| Got::Nothing),
            Ok(_) => Ok(Got::End),
            Err(error) if error.is_invalid_data() => {
                *damaged += 1;
                Ok(Got::Nothing)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn feed(&mut self, damaged: &mut usize) -> Result<()> {
        loop {
            match self.input.read(&mut self.packet) {
                Ok(true) if self.packet.stream() != self.stream => {}
                Ok(true) => match self.decoder.send(&self.packet) {
                    Err(error) if !error.is_invalid_data() => return Err(failed(error)),
                    // A damaged packet is a short silence: the next one's time tells how long.
                    Err(_) => {
                        *damaged += 1;
                        return Ok(());
                    }
                    Ok(()) => return Ok(()),
                },
                // The probe met the same fault, and reported it.
                Err(error) if !self.cut_short || error.is_interrupt() => return Err(failed(error)),
                Ok(false) | Err(_) => {
                    self.draining = true;
                    return self.decoder.send_end().map_err(failed);
                }
            }
        }
    }

    /// The sample frame, from the source's time zero, at which the decoded frame starts.
    fn at(&mut self) -> Option<i64> {
        self.frame.pts().map(|pts| {
            let time = Timestamp::from_pts(pts, self.base);
            let zero = *self.zero.get_or_insert(time);
            Timestamp::from_ticks(time.ticks().saturating_sub(zero.ticks())).to_sample_frames(SAMPLE_RATE)
        })
    }
}

fn failed(error: AvError) -> Error {
    if error.is_interrupt() {
        return Error::new(ErrorKind::Canceled, "the job was cancelled while sound was read");
    }
    Error::new(ErrorKind::SourceUnreadable, "reading its sound failed").caused_by(error)
}
