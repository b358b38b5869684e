//! The pictures of a file one after the other, all of them or the key pictures alone, and what its packets say: for
//! inspection, which wants them as they are coded.

use std::path::{Path, PathBuf};

use super::access::check_pixels;
use super::nal::{Framing, is_random_access, is_unreferenced};
use super::probe::{Origin, missing_end};
use super::{ProbedAudio, ProbedVideo, open_decoder, source_error};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, ColorTags, Decoder, Input, Interrupt, Packet, Received, StreamInfo, VideoFrame};
use crate::limits::Limits;
use crate::units::TimeSpan;

/// Which pictures a walk decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Every one.
    All,
    /// Those that decoding can start at: one packet each, and no other is decoded for it.
    Keys,
}

/// What the packets of a walk said. The probe keeps what readers need; this is what only a check asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct PacketFacts {
    /// Video packets whose picture is shown, those of a repeated pts too.
    pub(crate) pictures: u64,
    /// Presentation times of the pictures that decoding can start at, in the file's order.
    pub(crate) keys: Vec<i64>,
    /// The first dts of the video stream that is not above the one before it, in the stream's time base.
    pub(crate) video_disorder: Option<i64>,
    /// The same of the audio stream.
    pub(crate) audio_disorder: Option<i64>,
    /// The longest audio packet, in the audio stream's time base.
    pub(crate) audio_packet: i64,
}

/// A walk through the pictures of one stream, in display order.
pub(crate) struct PictureWalk {
    path: PathBuf,
    demuxers: &'static str,
    input: Input,
    decoder: Decoder,
    packet: Packet,
    interrupt: Interrupt,
    limits: Limits,
    stream: usize,
    audio: Option<usize>,
    codec: String,
    framing: Framing,
    progressive: bool,
    cut_short: bool,
    wanted: Wanted,
    /// Of pictures that nobody refers to, only the one of this pts is decoded.
    only: Option<i64>,
    /// What the container says of the stream.
    described: Option<StreamInfo>,
    last_dts: [Option<i64>; 2],
    /// Until the file is read for a second time.
    counting: bool,
    facts: PacketFacts,
    damaged: u64,
    /// Whether the decoder has been told that no packet follows.
    draining: bool,
    /// Whether the file has been read to its end.
    ended: bool,
}

impl PictureWalk {
    /// Opens the video stream `video` of the file at `path`; the packets of `audio` are looked at, too.
    ///
    /// # Errors
    /// `SOURCE_UNSUPPORTED` for a picture file, `SOURCE_UNREADABLE`, `CANCELED`.
    pub(crate) fn open(
        path: &Path,
        video: &ProbedVideo,
        audio: Option<&ProbedAudio>,
        wanted: Wanted,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let Origin::Stream(stream) = &video.origin else {
            return Err(Error::new(ErrorKind::SourceUnsupported, "it is a picture file, not a video")
                .suggest("inspect videos such as MP4, MOV, WebM or MKV"));
        };
        let input = Input::open(path, stream.demuxers, interrupt.clone()).map_err(reading)?;
        let described = input.streams().into_iter().find(|info| info.index == stream.stream);
        let mut walk = Self {
            path: path.to_owned(),
            demuxers: stream.demuxers,
            input,
            decoder: open_decoder(&stream.parameters, stream.decoder, &stream.codec, limits)?,
            packet: Packet::new().map_err(reading)?,
            interrupt: interrupt.clone(),
            limits: limits.clone(),
            stream: stream.stream,
            audio: audio.map(|audio| audio.stream),
            codec: stream.codec.clone(),
            framing: Framing::of_extradata(stream.parameters.extradata(), &stream.codec),
            progressive: stream.parameters.is_progressive(),
            cut_short: stream.cut_short,
            wanted,
            only: None,
            described,
            last_dts: [None; 2],
            counting: true,
            facts: PacketFacts::default(),
            damaged: 0,
            draining: false,
            ended: false,
        };
        walk.keep_streams();
        Ok(walk)
    }

    fn keep_streams(&mut self) {
        let keep: Vec<usize> = [Some(self.stream), self.audio].into_iter().flatten().collect();
        self.input.keep_only(&keep);
    }

    /// What the container says of the colour, which may differ from what the bitstream says.
    pub(crate) fn container_color(&self) -> ColorTags {
        let unknown = ColorTags { matrix: 2, primaries: 2, transfer: 2, range: 0 };
        self.described.as_ref().map_or(unknown, |info| info.color)
    }

    /// How long the container says that the pictures last, if much of that is not among the `found`.
    pub(crate) fn missing_end(&self, found: TimeSpan) -> Option<TimeSpan> {
        missing_end(self.described.as_ref()?, found)
    }

    /// What the packets said, once the file has been read to its end.
    pub(crate) fn facts(&self) -> &PacketFacts {
        &self.facts
    }

    /// Packets and pictures that were damaged so far.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Goes on with all pictures from the key picture at or before `key` on, which should be one of the
    /// [`facts`](Self::facts).
    pub(crate) fn go_to(&mut self, key: i64) -> Result<()> {
        self.counting = false;
        (self.wanted, self.only) = (Wanted::All, None);
        if self.input.seek(self.stream, key).is_err() {
            // Some files cannot seek and still read forward.
            self.input = Input::open(&self.path, self.demuxers, self.interrupt.clone()).map_err(reading)?;
        }
        self.audio = None;
        self.keep_streams();
        self.decoder.flush();
        (self.draining, self.ended) = (false, false);
        Ok(())
    }

    /// Decodes the picture at `pts` alone into `frame`, from the key picture at `key` on, without the pictures on the way
    /// that it does not need. `false` if there is none.
    pub(crate) fn picture_at(&mut self, pts: i64, key: i64, frame: &mut VideoFrame) -> Result<bool> {
        self.go_to(key)?;
        self.only = Some(pts);
        while self.next(frame)? {
            if frame.pts().is_some_and(|found| found >= pts) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next picture; `false` at the end of the file.
    pub(crate) fn next(&mut self, frame: &mut VideoFrame) -> Result<bool> {
        loop {
            if self.interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a file was inspected"));
            }
            match self.decoder.receive_video(frame) {
                Ok(Received::Frame) => {
                    self.interrupt.pulse().beat();
                    check_pixels(frame.width(), frame.height(), &self.limits)?;
                    self.damaged += u64::from(frame.is_damaged());
                    return Ok(true);
                }
                Ok(Received::NeedsInput) if !self.draining => self.feed()?,
                Ok(_) if self.wanted == Wanted::Keys && !self.ended => {
                    self.decoder.flush();
                    self.draining = false;
                    self.feed()?;
                }
                Ok(_) => return Ok(false),
                Err(error) if error.is_invalid_data() => self.damaged += 1,
                Err(error) => return Err(source_error(error, "decoding it")),
            }
        }
    }

    /// Gives the decoder the next packet of those that are wanted, or the end.
    fn feed(&mut self) -> Result<()> {
        loop {
            match self.input.read(&mut self.packet) {
                Ok(true) => {}
                Err(error) if error.is_interrupt() || !self.cut_short => return Err(reading(error)),
                // What the probe met, too, and reported.
                Ok(false) | Err(_) => {
                    (self.ended, self.draining) = (true, true);
                    return self.decoder.send_end().map_err(|error| source_error(error, "decoding it"));
                }
            }
            let is_key = self.packet.is_key()
                && self.packet.stream() == self.stream
                && is_random_access(&self.codec, self.packet.data(), self.framing);
            if self.counting {
                self.count(is_key);
            }
            if self.packet.stream() != self.stream || (self.wanted == Wanted::Keys && !is_key) || self.is_superfluous()
            {
                continue;
            }
            match self.decoder.send(&self.packet) {
                Ok(()) => {}
                Err(error) if error.is_invalid_data() => self.damaged += 1,
                Err(error) => return Err(source_error(error, "decoding it")),
            }
            if self.wanted == Wanted::Keys {
                // It is given at once then, in place of waiting for reordered ones.
                self.draining = true;
                self.decoder.send_end().map_err(|error| source_error(error, "decoding it"))?;
            }
            return Ok(());
        }
    }

    fn is_superfluous(&self) -> bool {
        let Some(only) = self.only else { return false };
        self.codec == "h264"
            && self.progressive
            && self.packet.pts() != Some(only)
            && is_unreferenced(self.packet.data(), self.framing)
    }

    fn count(&mut self, is_key: bool) {
        let is_video = self.packet.stream() == self.stream;
        if !is_video && Some(self.packet.stream()) != self.audio {
            return;
        }
        let [video, audio] = &mut self.last_dts;
        let (last, disorder) = match is_video {
            true => (video, &mut self.facts.video_disorder),
            false => (audio, &mut self.facts.audio_disorder),
        };
        if is_video && !is_shown(&self.codec, self.packet.data()) {
            return;
        }
        if let Some(dts) = self.packet.dts() {
            if disorder.is_none() && last.is_some_and(|last| dts <= last) {
                *disorder = Some(dts);
            }
            *last = Some(dts);
        }
        if !is_video {
            self.facts.audio_packet = self.facts.audio_packet.max(self.packet.duration());
            return;
        }
        // A packet before an edit list's start is decoded and not shown.
        self.facts.pictures += u64::from(!self.packet.is_discard());
        if let (true, Some(pts)) = (is_key, self.packet.pts()) {
            self.facts.keys.push(pts);
        }
    }
}

/// Whether a packet has a picture that is shown. VP8 has some that others are only predicted from, in packets of their
/// own with the time of the next one (RFC 6386, 9.1: bit 4 of the frame tag); other codecs pack them with one that is shown.
fn is_shown(codec: &str, packet: &[u8]) -> bool {
    codec != "vp8" || packet.first().is_none_or(|tag| tag & 0x10 != 0)
}

fn reading(error: AvError) -> Error {
    source_error(error, "reading it")
}
