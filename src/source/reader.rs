//! The pictures of one shot, in order, as working pictures.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::nal::{Framing, is_unreferenced};
use super::probe::{ColorInfo, ProbedVideo, open_decoder};
use super::{VideoIndex, source_error};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, Crop, Decoder, Input, Interrupt, Packet, Received, Scaler, VideoFrame};
use crate::limits::Limits;
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// Decodes a shot forward and gives the working picture of each of its output frames.
///
/// It holds one file, one single-threaded decoder, at most two decoded pictures and one scaled one, whatever the
/// length of the source.
pub(crate) struct ShotReader {
    decode: ForwardDecoder,
    /// For each frame of the shot from `first`, the picture that it shows.
    schedule: Vec<u32>,
    first: u64,
    color: ColorInfo,
    crop: Crop,
    canvas: CanvasSize,
    scaler: Option<Scaler>,
    scaled: Option<VideoFrame>,
    /// The pts of the picture in `scaled`.
    scaled_pts: Option<i64>,
}

impl ShotReader {
    /// Opens the source at `path` for the frames `frames` of a shot (counted from the shot's start) that begins at
    /// source time `start`. The part `rect` is scaled to `canvas`.
    #[expect(clippy::too_many_arguments, reason = "each is one independent fact of the plan")]
    pub(crate) fn open(
        path: &Path,
        video: &ProbedVideo,
        color: ColorInfo,
        start: TimeSpan,
        rate: FrameRate,
        frames: FrameRange,
        rect: SourceRect,
        canvas: CanvasSize,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut schedule = video.index.schedule(start, rate, frames.end.0);
        let first = frames.start.0;
        schedule.drain(..usize::try_from(first).unwrap_or(usize::MAX).min(schedule.len()));
        let decode = ForwardDecoder::open(path, video, &schedule, limits, interrupt)?;
        let crop = Crop { left: rect.x, top: rect.y, width: rect.width, height: rect.height };
        Ok(Self { decode, schedule, first, color, crop, canvas, scaler: None, scaled: None, scaled_pts: None })
    }

    /// The working picture of the shot's frame `frame`: canvas size, 4:2:0 8 bit, BT.709 limited. Frames must be asked
    /// for in ascending order.
    pub(crate) fn frame(&mut self, frame: u64) -> Result<&VideoFrame> {
        let at = frame.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        let picture = at.and_then(|at| self.schedule.get(at)).copied().ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("frame {frame} is outside of the shot that was opened"))
        })?;
        let wanted = self.decode.index.pts(picture as usize);
        self.decode.advance_to(wanted)?;
        let (picture, pts) = self.decode.current()?;
        if self.is_working_picture(picture) {
            return Ok(picture);
        }
        if self.scaled_pts != Some(pts) {
            let ColorInfo { matrix, full_range } = self.color;
            let (matrix, crop) = (i32::from(matrix), self.crop);
            let failed = |error| source_error(error, "scaling a picture");
            let fits =
                |crop: &Crop| crop.left + crop.width <= picture.width() && crop.top + crop.height <= picture.height();
            if !fits(&crop) {
                return Err(Error::new(
                    ErrorKind::SourceUnsupported,
                    format!("its picture size changes to {}x{} on the way", picture.width(), picture.height()),
                )
                .suggest("export the clip with one size"));
            }
            let scaler = match &mut self.scaler {
                Some(scaler) if scaler.takes(picture, matrix, full_range, crop) => scaler,
                stale => {
                    let size = (self.canvas.width(), self.canvas.height());
                    stale.insert(Scaler::new(picture, matrix, full_range, crop, size).map_err(failed)?)
                }
            };
            let target = match &mut self.scaled {
                Some(target) => target,
                none => none.insert(VideoFrame::i420(self.canvas.width(), self.canvas.height()).map_err(failed)?),
            };
            scaler.scale(picture, target).map_err(failed)?;
            self.scaled_pts = Some(pts);
        }
        self.scaled.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "the scaled picture is missing"))
    }

    /// As [`Self::frame`], for any frame: moves to the key picture before it and decodes from there.
    pub(crate) fn frame_anywhere(&mut self, frame: u64) -> Result<&VideoFrame> {
        let at = frame.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(&picture) = at.and_then(|at| self.schedule.get(at)) {
            let wanted = self.decode.index.pts(picture as usize);
            self.decode.shown = self.decode.index.is_complete().then(|| BTreeSet::from([wanted]));
            self.decode.stop_after = Some(wanted);
            self.decode.start_before(wanted)?;
        }
        self.frame(frame)
    }

    /// Whether a decoded picture needs no conversion and is used without a copy.
    fn is_working_picture(&self, picture: &VideoFrame) -> bool {
        picture.is_i420()
            && (picture.width(), picture.height()) == (self.canvas.width(), self.canvas.height())
            && (self.crop.width, self.crop.height) == (self.canvas.width(), self.canvas.height())
            && self.color == (ColorInfo { matrix: 1, full_range: false })
    }

    /// Pictures that decoded with faults so far.
    pub(crate) fn damaged(&self) -> u64 {
        self.decode.damaged
    }
}

/// A decoder that only goes forward, and decodes no picture that nobody needs.
struct ForwardDecoder {
    input: Input,
    decoder: Decoder,
    interrupt: Interrupt,
    packet: Packet,
    stream: usize,
    /// Whether the probe met a fault before the file's end.
    cut_short: bool,
    /// The latest pts that was read since the file was opened.
    latest: i64,
    index: Arc<VideoIndex>,
    /// The pts of all pictures that will be shown; `None` where packets cannot be matched with pictures.
    shown: Option<BTreeSet<i64>>,
    framing: Option<Framing>,
    progressive: bool,
    /// The picture on show, and the one after it if it had to be decoded to know.
    current: Option<(VideoFrame, i64)>,
    next: Option<(VideoFrame, i64)>,
    spare: Vec<VideoFrame>,
    /// Nothing after the packet of this pts is needed: the decoder is drained after it, and gives its picture at once
    /// in place of waiting for reordered ones.
    stop_after: Option<i64>,
    /// Whether packets have been read since the last seek.
    started: bool,
    draining: bool,
    ended: bool,
    /// Pictures with faults.
    damaged: u64,
}

impl ForwardDecoder {
    fn open(
        path: &Path,
        video: &ProbedVideo,
        schedule: &[u32],
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let failed = |error| source_error(error, "opening it");
        let mut input = Input::open(path, interrupt.clone()).map_err(failed)?;
        input.keep_only(&[video.stream]);
        let decoder = open_decoder(&video.parameters, &video.codec, limits)?;
        let framing =
            (video.codec == "h264").then(|| Framing::of_extradata(video.parameters.extradata(), &video.codec));
        let index = Arc::clone(&video.index);
        let pts = |&picture: &u32| index.pts(picture as usize);
        let shown = index.is_complete().then(|| schedule.iter().map(pts).collect());
        let first = schedule.first().map_or(index.first_pts(), pts);
        let mut this = Self {
            input,
            decoder,
            interrupt: interrupt.clone(),
            packet: Packet::new().map_err(failed)?,
            stream: video.stream,
            cut_short: video.cut_short,
            latest: i64::MIN,
            index: Arc::clone(&index),
            shown,
            framing,
            progressive: video.parameters.is_progressive(),
            current: None,
            next: None,
            spare: Vec::new(),
            stop_after: None,
            started: false,
            draining: false,
            ended: false,
            damaged: 0,
        };
        this.start_before(first)?;
        Ok(this)
    }

    /// Moves to the key picture from which the picture at `pts` decodes. Where a file's index lies, an earlier one is
    /// tried, and last the beginning.
    fn start_before(&mut self, pts: i64) -> Result<()> {
        let index = Arc::clone(&self.index);
        let keys: Vec<_> = if index.is_complete() { index.keys_before(pts).collect() } else { Vec::new() };
        // The first key picture is where the file starts anyway.
        let Some((&beginning, later)) = keys.split_last() else { return Ok(()) };
        for &key in later {
            // Demuxers take the time of a seek for a pts and map it to their own index.
            if self.input.seek(self.stream, key).is_err() {
                continue;
            }
            self.restart();
            self.advance_to(pts)?;
            if self.current.as_ref().is_some_and(|(_, found)| *found <= pts) {
                return Ok(());
            }
        }
        if !later.is_empty() || self.started {
            self.input.seek(self.stream, beginning).map_err(|error| source_error(error, "seeking in it"))?;
            self.restart();
        }
        Ok(())
    }

    /// Forgets what was decoded, after a seek.
    fn restart(&mut self) {
        self.decoder.flush();
        self.packet.unref();
        self.spare.extend(self.current.take().into_iter().chain(self.next.take()).map(|(frame, _)| frame));
        self.draining = false;
        self.ended = false;
        self.started = false;
    }

    /// The picture on show and its pts.
    fn current(&self) -> Result<(&VideoFrame, i64)> {
        match &self.current {
            Some((frame, pts)) => Ok((frame, *pts)),
            None => Err(Error::new(ErrorKind::SourceEmpty, "no picture of its video stream can be decoded")
                .suggest("the file is damaged: export or upload it again")),
        }
    }

    /// Decodes until the picture on show is the last one at or before `wanted`. Before any such picture the first one
    /// is shown, after the end the last.
    fn advance_to(&mut self, wanted: i64) -> Result<()> {
        loop {
            if self.current.as_ref().is_some_and(|(_, pts)| *pts >= wanted) {
                return Ok(());
            }
            if self.next.is_none() && !self.ended {
                self.next = self.decode_one()?;
            }
            match &self.next {
                None => return Ok(()),
                Some((_, pts)) if *pts > wanted && self.current.is_some() => return Ok(()),
                Some(_) => {
                    let old = std::mem::replace(&mut self.current, self.next.take());
                    self.spare.extend(old.map(|(frame, _)| frame));
                }
            }
        }
    }

    /// The next picture in display order, or `None` at the end.
    fn decode_one(&mut self) -> Result<Option<(VideoFrame, i64)>> {
        let failed = |error: AvError| source_error(error, "decoding it");
        let mut frame = match self.spare.pop() {
            Some(frame) => frame,
            None => VideoFrame::empty().map_err(failed)?,
        };
        loop {
            if self.interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a source was decoded"));
            }
            match self.decoder.receive_video(&mut frame) {
                Ok(Received::Frame) => {
                    if frame.is_damaged() {
                        self.damaged += 1;
                    }
                    let last = self.current.as_ref().map(|(_, pts)| *pts);
                    let Some(pts) = frame.pts() else { continue };
                    // Time never goes back: a picture that claims to be earlier than the one on show is dropped.
                    if last.is_some_and(|last| pts <= last) {
                        continue;
                    }
                    return Ok(Some((frame, pts)));
                }
                Ok(Received::NeedsInput) if !self.draining => self.feed()?,
                Ok(_) => {
                    self.ended = true;
                    self.spare.push(frame);
                    return Ok(None);
                }
                Err(error) if error.is_invalid_data() => self.damaged += 1,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Gives the decoder the next packet that it needs, or the end.
    fn feed(&mut self) -> Result<()> {
        self.started = true;
        if self.stop_after.is_some() && self.packet.pts() == self.stop_after {
            self.draining = true;
            return self.decoder.send_end().map_err(|error| source_error(error, "decoding it"));
        }
        loop {
            match self.input.read(&mut self.packet) {
                Ok(true) if self.packet.stream() != self.stream => {}
                Ok(true) if self.is_superfluous() => {
                    self.latest = self.latest.max(self.packet.pts().unwrap_or(i64::MIN));
                }
                Ok(true) => {
                    self.latest = self.latest.max(self.packet.pts().unwrap_or(i64::MIN));
                    match self.decoder.send(&self.packet) {
                        Ok(()) => {}
                        Err(error) if error.is_invalid_data() => self.damaged += 1,
                        Err(error) => return Err(source_error(error, "decoding it")),
                    }
                    return Ok(());
                }
                // The probe met the same fault, and reported it: the last picture is held.
                Err(error) if !self.cut_short || error.is_interrupt() => return Err(source_error(error, "reading it")),
                Ok(false) if self.ends_early() => {
                    return Err(Error::new(ErrorKind::SourceUnreadable, "it ends earlier than when it was probed")
                        .suggest("do not change files while they are rendered"));
                }
                Ok(false) | Err(_) => {
                    self.draining = true;
                    return self.decoder.send_end().map_err(|error| source_error(error, "decoding it"));
                }
            }
        }
    }

    /// Whether the end of the file was met before its last picture, which the probe saw. Pictures that were left out
    /// count as read.
    fn ends_early(&self) -> bool {
        self.index.is_complete() && !self.cut_short && self.latest < self.index.pts(usize::MAX)
    }

    /// Whether the packet's picture is neither shown nor referred to, so that leaving it out changes nothing.
    fn is_superfluous(&self) -> bool {
        let (Some(shown), Some(pts)) = (&self.shown, self.packet.pts()) else { return false };
        if shown.contains(&pts) || self.packet.is_key() {
            return false;
        }
        match self.framing {
            // Two fields may come in two packets of one pts, and both make the picture.
            Some(framing) => self.progressive && is_unreferenced(self.packet.data(), framing),
            None => self.packet.is_disposable(),
        }
    }
}
