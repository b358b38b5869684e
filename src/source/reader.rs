//! A shot's pictures, in the order of the output's frames.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::convert::Converter;
use super::index::AtEnd;
use super::nal::{Framing, is_unreferenced};
use super::pictures::PictureReader;
use super::probe::{Origin, ProbedStream};
use super::reel::Reel;
use super::{ProbedVideo, VideoIndex, open_decoder, source_error};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, Decoder, Deinterlacer, Input, Interrupt, Packet, Received, VideoFrame};
use crate::limits::Limits;
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// What is read of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The source's time at the shot's first frame.
    pub(crate) start: TimeSpan,
    /// The source's time at which it ends; `None` for its own end.
    pub(crate) end: Option<TimeSpan>,
    /// The output's rate on the source's clock.
    pub(crate) rate: FrameRate,
    /// The frames that will be asked for, counted from the shot's start.
    pub(crate) frames: FrameRange,
    pub(crate) at_end: AtEnd,
    /// The part of the displayed picture that is scaled to `canvas`.
    pub(crate) rect: SourceRect,
    pub(crate) canvas: CanvasSize,
    /// A part that is also wanted at another size.
    pub(crate) second: Option<(SourceRect, CanvasSize)>,
}

/// Reads one source forward, for the frames of one shot.
pub(crate) struct ShotReader<P = Pictures> {
    pictures: P,
    index: Arc<VideoIndex>,
    /// The picture of each frame from `first` on.
    schedule: Vec<u32>,
    first: u64,
    /// The picture that was asked for last.
    last: u32,
    converter: Shaper,
    second: Option<Shaper>,
    /// The pictures that were asked for and could not be shown as they are coded.
    concealed: BTreeSet<u32>,
    /// Whether decoding stands where it has to go on from: not before a first picture that is not on the reel.
    stands: bool,
    sharing: Sharing,
}

/// What a reader has from others.
#[derive(Default)]
struct Sharing {
    /// Where pictures are that somebody has read already.
    reel: Option<Arc<Reel>>,
    /// The last one that came from there.
    shown: Option<VideoFrame>,
    /// Whether pictures after the last one that was decoded came from there.
    skipped: bool,
}

/// Makes working pictures of decoded ones, each once.
struct Shaper {
    converter: Converter,
    /// The pts of the picture that was converted last.
    converted: Option<i64>,
}

impl Shaper {
    fn shape<'a>(&'a mut self, picture: &'a VideoFrame, pts: i64) -> Result<&'a VideoFrame> {
        if self.converter.passes(picture)? {
            return Ok(picture);
        }
        if self.converted == Some(pts) {
            return self.converter.converted();
        }
        self.converted = Some(pts);
        self.converter.convert(picture)
    }
}

/// A reader that can go from thread to thread: of a video's stream, and not of an animation.
pub(crate) type StreamReader = ShotReader<Box<ForwardDecoder>>;

/// What gives decoded pictures.
pub(crate) trait Decoded {
    /// Has the picture on show be the last one at or before `wanted`, which is not before the one on show.
    fn advance_to(&mut self, wanted: i64) -> Result<()>;

    /// Has it be the one at `wanted`, wherever that is.
    fn return_to(&mut self, wanted: i64) -> Result<()>;

    /// The picture on show and its pts.
    fn current(&self) -> Result<(&VideoFrame, i64)>;

    /// Whether anything that was read since it was opened had faults, shown or not.
    fn is_damaged(&self) -> bool;
}

/// Where the decoded pictures come from.
pub(crate) enum Pictures {
    Stream(Box<ForwardDecoder>),
    Picture(Box<PictureReader>),
}

impl Decoded for Box<ForwardDecoder> {
    fn advance_to(&mut self, wanted: i64) -> Result<()> {
        ForwardDecoder::advance_to(self, wanted)
    }

    fn return_to(&mut self, wanted: i64) -> Result<()> {
        self.start_before(wanted)?;
        ForwardDecoder::advance_to(self, wanted)
    }

    fn current(&self) -> Result<(&VideoFrame, i64)> {
        ForwardDecoder::current(self)
    }

    fn is_damaged(&self) -> bool {
        self.is_damaged
    }
}

impl Decoded for Pictures {
    fn advance_to(&mut self, wanted: i64) -> Result<()> {
        match self {
            Self::Stream(decoder) => decoder.advance_to(wanted),
            Self::Picture(reader) => reader.advance_to(wanted),
        }
    }

    fn return_to(&mut self, wanted: i64) -> Result<()> {
        match self {
            Self::Stream(decoder) => decoder.return_to(wanted),
            Self::Picture(reader) => {
                reader.restart()?;
                reader.advance_to(wanted)
            }
        }
    }

    fn current(&self) -> Result<(&VideoFrame, i64)> {
        match self {
            Self::Stream(decoder) => decoder.current(),
            Self::Picture(reader) => reader.current(),
        }
    }

    fn is_damaged(&self) -> bool {
        match self {
            Self::Stream(decoder) => decoder.is_damaged,
            Self::Picture(reader) => reader.is_damaged(),
        }
    }
}

impl ShotReader {
    /// Opens the source at `path` for what `reading` says.
    pub(crate) fn open(
        path: &Path,
        video: &ProbedVideo,
        reading: Reading,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        Self::open_with(path, video, reading, None, limits, interrupt)
    }

    /// As [`open`](Self::open); has pictures come from `reel` where it has them, and go there. All that it is given to read the same part
    /// of the same source at the same size. Nothing is shared if a second part is wanted, or if pictures cannot be told by their times.
    pub(crate) fn open_with(
        path: &Path,
        video: &ProbedVideo,
        reading: Reading,
        reel: Option<Arc<Reel>>,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let Reading { start, end, rate, frames, at_end, rect, canvas, second } = reading;
        let index = Arc::clone(&video.index);
        let mut schedule = index.schedule((start, end), rate, frames.end.0, at_end);
        let first = frames.start.0;
        schedule.drain(..usize::try_from(first).unwrap_or(usize::MAX).min(schedule.len()));
        let reel = reel.filter(|_| second.is_none() && index.is_complete());
        let stands = reel.is_none();
        let pictures = match &video.origin {
            Origin::Stream(stream) => {
                let mut decoder = ForwardDecoder::new(path, stream, &index, &schedule, limits, interrupt)?;
                if stands {
                    decoder
                        .start_before(schedule.first().map_or(index.first_pts(), |&first| index.pts(first as usize)))?;
                }
                Pictures::Stream(Box::new(decoder))
            }
            Origin::Picture(kind) => {
                Pictures::Picture(Box::new(PictureReader::new(path, *kind, &index, limits, interrupt)))
            }
        };
        let shaper = |(rect, canvas): (SourceRect, CanvasSize)| {
            Converter::new(video.look.clone(), rect, canvas).map(|converter| Shaper { converter, converted: None })
        };
        let (converter, second) = (shaper((rect, canvas))?, second.map(shaper).transpose()?);
        let last = schedule.first().copied().unwrap_or(0);
        let (concealed, sharing) = (BTreeSet::new(), Sharing { reel, ..Sharing::default() });
        Ok(Self { pictures, index, schedule, first, last, converter, second, concealed, stands, sharing })
    }

    /// Whether it has shown a picture that it had from its reel.
    pub(crate) fn has_shared(&self) -> bool {
        self.sharing.shown.is_some()
    }

    /// The same for any thread; `None` for a picture file.
    pub(crate) fn into_stream(self) -> Option<StreamReader> {
        let Self { pictures, index, schedule, first, last, converter, second, concealed, stands, sharing } = self;
        let Pictures::Stream(pictures) = pictures else { return None };
        Some(ShotReader { pictures, index, schedule, first, last, converter, second, concealed, stands, sharing })
    }

    /// As [`Self::frame`], for any frame: moves to the key picture before it and decodes from there.
    pub(crate) fn frame_anywhere(&mut self, frame: u64) -> Result<&VideoFrame> {
        let picture = self.picture_of(frame)?;
        let wanted = self.index.pts(picture as usize);
        if let Pictures::Stream(decoder) = &mut self.pictures {
            decoder.shown = self.index.is_complete().then(|| BTreeSet::from([wanted]));
            decoder.stop_after = Some(wanted);
            decoder.start_before(wanted)?;
            self.last = picture;
        }
        self.frame(frame)
    }
}

impl<P: Decoded> ShotReader<P> {
    /// The working picture of the shot's frame `frame`: of the size that was asked for, 8-bit 4:2:0 BT.709 limited, with
    /// premultiplied alpha if the source has it. Frames must be asked for in ascending order.
    pub(crate) fn frame(&mut self, frame: u64) -> Result<&VideoFrame> {
        let number = self.picture_of(frame)?;
        // What is on show already is asked of nobody.
        if let Some(reel) = self.sharing.reel.as_ref().filter(|_| !self.stands || number != self.last)
            && let Some(known) = reel.get(number)?
        {
            self.sharing.skipped = true;
            return Ok(self.sharing.shown.insert(known));
        }
        let wanted = self.index.pts(number as usize);
        if !self.stands || number < self.last || (self.sharing.skipped && self.has_key_between(self.last, number)) {
            self.pictures.return_to(wanted)?;
        } else {
            self.pictures.advance_to(wanted)?;
        }
        (self.last, self.stands, self.sharing.skipped) = (number, true, false);
        let (picture, pts) = self.pictures.current()?;
        let is_concealed = picture.is_damaged() || (pts != wanted && self.index.is_complete());
        if is_concealed {
            self.concealed.insert(number);
        }
        let shaped = self.converter.shape(picture, pts)?;
        if let Some(reel) = &self.sharing.reel
            && !is_concealed
            && !self.pictures.is_damaged()
        {
            reel.put(number, shaped);
        }
        Ok(shaped)
    }

    /// Whether decoding can begin between picture `last` and one that is further on; also if it has to be of the picture before that.
    fn has_key_between(&self, last: u32, number: u32) -> bool {
        let (last, wanted) = (self.index.pts(last as usize), self.index.before(self.index.pts(number as usize)));
        self.index.keys_before(wanted).next().is_some_and(|key| key > last)
    }

    /// What [`Self::frame`] gave last as the second part that was asked for, and its time, which tells it from others.
    pub(crate) fn second(&mut self) -> Result<(&VideoFrame, i64)> {
        let missing = || Error::new(ErrorKind::Internal, "no second part was asked for");
        let shaper = self.second.as_mut().ok_or_else(missing)?;
        let (picture, pts) = self.pictures.current()?;
        Ok((shaper.shape(picture, pts)?, pts))
    }

    fn picture_of(&self, frame: u64) -> Result<u32> {
        let at = frame.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.schedule.get(at)).copied().ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("frame {frame} is outside of the shot that was opened"))
        })
    }

    /// Whether anything that was read since it was opened had faults, shown or not.
    pub(crate) fn is_damaged(&self) -> bool {
        self.pictures.is_damaged()
    }

    /// The source's pictures, by number, that were asked for since this was asked last, and are damaged or missing: what
    /// was shown of them, or in place of them, is what the decoder could make.
    pub(crate) fn take_concealed(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.concealed)
    }
}

/// A decoder that only goes forward, and decodes no picture that nobody needs.
pub(crate) struct ForwardDecoder {
    path: PathBuf,
    demuxers: &'static str,
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
    /// For pictures of two fields.
    deinterlacer: Option<Deinterlacer>,
    is_interlaced: bool,
    /// Whether the deinterlacer has been told that no picture follows.
    fields_ended: bool,
    /// Nothing after the packet of this pts is needed: the decoder is drained after it, and gives its picture at once
    /// in place of waiting for reordered ones.
    stop_after: Option<i64>,
    /// Whether packets have been read since the last seek.
    started: bool,
    draining: bool,
    ended: bool,
    /// Whether a packet or picture had faults.
    is_damaged: bool,
}

impl ForwardDecoder {
    /// Stands at the file's beginning.
    fn new(
        path: &Path,
        video: &ProbedStream,
        index: &Arc<VideoIndex>,
        schedule: &[u32],
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let failed = |error| source_error(error, "opening it");
        let mut input = Input::open(path, video.demuxers, interrupt.clone()).map_err(failed)?;
        input.keep_only(&[video.stream]);
        let decoder = open_decoder(&video.parameters, video.decoder, &video.codec, limits)?;
        let framing =
            (video.codec == "h264").then(|| Framing::of_extradata(video.parameters.extradata(), &video.codec));
        let pts = |&picture: &u32| index.pts(picture as usize);
        // A deinterlaced picture is made of its neighbours too.
        let countable = index.is_complete() && !video.is_interlaced;
        let shown = countable.then(|| schedule.iter().map(pts).collect());
        Ok(Self {
            path: path.to_owned(),
            demuxers: video.demuxers,
            input,
            decoder,
            interrupt: interrupt.clone(),
            packet: Packet::new().map_err(failed)?,
            stream: video.stream,
            cut_short: video.cut_short,
            latest: i64::MIN,
            index: Arc::clone(index),
            shown,
            framing,
            progressive: video.parameters.is_progressive(),
            current: None,
            next: None,
            spare: Vec::new(),
            deinterlacer: None,
            is_interlaced: video.is_interlaced,
            fields_ended: false,
            stop_after: None,
            started: false,
            draining: false,
            ended: false,
            is_damaged: false,
        })
    }

    /// Moves to the key picture from which the picture at `pts` decodes. Where a file's index lies, an earlier one is
    /// tried, and last the beginning.
    fn start_before(&mut self, pts: i64) -> Result<()> {
        let index = Arc::clone(&self.index);
        // The first picture out of a deinterlacer lacks its predecessor.
        let pts = if self.is_interlaced { index.before(pts) } else { pts };
        let keys: Vec<_> = if index.is_complete() { index.keys_before(pts).collect() } else { Vec::new() };
        // The first key picture is where the file starts anyway.
        let Some((&beginning, later)) = keys.split_last() else {
            // No picture that decoding can start at is known to come before it: the file's beginning is left.
            return if self.started { self.reopen() } else { Ok(()) };
        };
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
            match self.input.seek(self.stream, beginning) {
                Ok(()) => self.restart(),
                // Some files cannot seek and still read forward.
                Err(_) => self.reopen()?,
            }
        }
        Ok(())
    }

    /// Starts over at the file's beginning.
    fn reopen(&mut self) -> Result<()> {
        let interrupt = self.interrupt.clone();
        self.input =
            Input::open(&self.path, self.demuxers, interrupt).map_err(|error| source_error(error, "opening it"))?;
        self.input.keep_only(&[self.stream]);
        self.restart();
        Ok(())
    }

    /// Forgets what was decoded, after a seek.
    fn restart(&mut self) {
        self.decoder.flush();
        self.packet.unref();
        self.spare.extend(self.current.take().into_iter().chain(self.next.take()).map(|(frame, _)| frame));
        self.deinterlacer = None;
        self.fields_ended = false;
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
        let mut frame = match self.spare.pop() {
            Some(frame) => frame,
            None => VideoFrame::empty().map_err(failed)?,
        };
        loop {
            let more = if self.is_interlaced { self.weave(&mut frame)? } else { self.decode(&mut frame)? };
            if !more {
                self.ended = true;
                self.spare.push(frame);
                return Ok(None);
            }
            let last = self.current.as_ref().map(|(_, pts)| *pts);
            let Some(pts) = frame.pts() else { continue };
            // Time never goes back: a picture that claims to be earlier than the one on show is dropped.
            if last.is_some_and(|last| pts <= last) {
                continue;
            }
            return Ok(Some((frame, pts)));
        }
    }

    /// The next picture out of the decoder; `false` at the end.
    fn decode(&mut self, frame: &mut VideoFrame) -> Result<bool> {
        loop {
            if self.interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a source was decoded"));
            }
            match self.decoder.receive_video(frame) {
                Ok(Received::Frame) => {
                    self.is_damaged |= frame.is_damaged();
                    return Ok(true);
                }
                Ok(Received::NeedsInput) if !self.draining => self.feed()?,
                Ok(_) => return Ok(false),
                Err(error) if error.is_invalid_data() => self.is_damaged = true,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// The next picture out of the deinterlacer; `false` at the end. Where the pictures change their size, the last of
    /// the old size is lost.
    fn weave(&mut self, frame: &mut VideoFrame) -> Result<bool> {
        loop {
            if let Some(deinterlacer) = &mut self.deinterlacer
                && deinterlacer.receive(frame).map_err(failed)?
            {
                return Ok(true);
            }
            if self.fields_ended {
                return Ok(false);
            }
            if !self.decode(frame)? {
                self.fields_ended = true;
                if let Some(deinterlacer) = &mut self.deinterlacer {
                    deinterlacer.send_end().map_err(failed)?;
                }
                continue;
            }
            let Some(pts) = frame.pts() else { continue };
            frame.set_pts(pts);
            let deinterlacer = match &mut self.deinterlacer {
                Some(deinterlacer) if deinterlacer.takes(frame) => deinterlacer,
                stale => stale.insert(Deinterlacer::new(frame).map_err(failed)?),
            };
            deinterlacer.send(frame).map_err(failed)?;
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
                        Err(error) if error.is_invalid_data() => self.is_damaged = true,
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

fn failed(error: AvError) -> Error {
    source_error(error, "decoding it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::probe;

    /// The luma of frames `from..to` of a shot of the fixture's reaction, which is 4 s long, from 3.9 s on.
    fn lumas(from: u64, to: u64, at_end: AtEnd) -> Vec<Vec<u8>> {
        lumas_of(Path::new("fixtures/ugc-remix/media/reaction.mp4"), 3.9, (from, to), at_end)
    }

    fn lumas_of(path: &Path, start: f64, frames: (u64, u64), at_end: AtEnd) -> Vec<Vec<u8>> {
        lumas_out_of(&mut reader_of(path, start, frames, at_end, None), frames)
    }

    fn lumas_out_of(reader: &mut ShotReader, (from, to): (u64, u64)) -> Vec<Vec<u8>> {
        (from..to)
            .map(|frame| {
                let picture = reader.frame(frame).expect("can be read");
                picture.planes().expect("working picture").y.rows().flatten().copied().collect()
            })
            .collect()
    }

    fn reader_of(
        path: &Path,
        start: f64,
        (from, to): (u64, u64),
        at_end: AtEnd,
        reel: Option<&Arc<Reel>>,
    ) -> ShotReader {
        let (limits, interrupt) = (Limits::default(), Interrupt::new(Arc::default(), Arc::default(), Arc::default()));
        let probed = probe(path, &limits, &interrupt).expect("can be probed");
        let video = probed.video.expect("has pictures");
        let canvas = CanvasSize::new(108, 192).expect("not zero");
        let size = probed.info.video.expect("has pictures").size;
        let reading = Reading {
            start: TimeSpan::from_secs_f64(start).expect("in range"),
            end: None,
            rate: FrameRate::FPS_30,
            frames: FrameRange::new(from, to),
            at_end,
            rect: SourceRect { x: 0, y: 0, width: size.width(), height: size.height() },
            canvas,
            second: None,
        };
        ShotReader::open_with(path, &video, reading, reel.cloned(), &limits, &interrupt).expect("can be opened")
    }

    /// A clip without any picture that decoding can start at by its bitstream: intra refresh, and the first picture cut
    /// off.
    #[test]
    fn a_clip_without_key_pictures_loops_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let (whole, cut) = (folder.path().join("whole.mkv"), folder.path().join("cut.mkv"));
        let ffmpeg = |words: &[&str]| {
            let status = std::process::Command::new("ffmpeg").args(["-v", "error", "-y"]).args(words).status();
            assert!(status.expect("ffmpeg runs").success());
        };
        let (whole_name, cut_name) = (whole.to_str().expect("a name"), cut.to_str().expect("a name"));
        let source = ["-f", "lavfi", "-i", "testsrc2=size=108x192:rate=30:duration=3", "-pix_fmt", "yuv420p"];
        let coder = ["-c:v", "libx264", "-x264-params", "intra-refresh=1:keyint=10:bframes=0", whole_name];
        ffmpeg(&[&source[..], &coder].concat());
        ffmpeg(&["-i", whole_name, "-c", "copy", "-bsf:v", "noise=drop=lt(n\\,2)", cut_name]);
        let interrupt = Interrupt::new(Arc::default(), Arc::default(), Arc::default());
        let probed = probe(&cut, &Limits::default(), &interrupt).expect("can be probed");
        let index = probed.video.expect("has pictures").index;
        assert_eq!(index.keys_before(i64::MAX).count(), 0, "it has no key picture");
        let pass = index.len();
        let looped = lumas_of(&cut, 0.0, (0, 2 * pass as u64), AtEnd::Loop);
        let moving = looped[pass..].windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(moving > pass / 2, "{moving} of {pass} pictures of the second pass move");
        assert!(looped[pass..] == looped[..pass], "the second pass is the first");
        let middle = pass + pass / 2;
        let later = lumas_of(&cut, 0.0, (middle as u64, 2 * pass as u64), AtEnd::Loop);
        assert!(later == looped[middle..], "whoever begins in the middle gets the same");
    }

    #[test]
    fn a_shot_that_is_longer_than_its_clip_holds_or_loops() {
        let held = lumas(0, 8, AtEnd::Hold);
        assert_ne!(held[1], held[2], "the clip moves");
        assert!(held[3..].iter().all(|picture| *picture == held[2]), "the last picture is held");
        // Three frames to the end of the clip, and then its start: 120 pictures later comes the same again.
        let looped = lumas(0, 126, AtEnd::Loop);
        assert_eq!(looped[..3], held[..3]);
        assert_ne!(looped[3], held[3]);
        assert_eq!(looped[120..], looped[..6]);
        // Whoever begins in the middle gets the same.
        assert_eq!(lumas(118, 126, AtEnd::Loop), looped[118..]);
    }

    /// What others have read is taken from them, and what follows it is what it is without them: before the next key picture, which
    /// is number 57, and after it.
    #[test]
    fn what_is_on_the_reel_is_not_read_again() {
        const PASS: u64 = 90;
        let path = Path::new("fixtures/ugc-remix/media/reaction.mp4");
        let plain = lumas_of(path, 1.0, (0, PASS), AtEnd::Loop);
        for marked in [35..40, 40..70, 100..120] {
            let reel = Arc::new(Reel::new(PASS as usize));
            let mut white = VideoFrame::i420(108, 192).expect("can be allocated");
            let planes = white.planes_mut().expect("is ours").expect("has planes");
            let mut luma = planes.y;
            (0..192).for_each(|y| luma.row_mut(y).fill(235));
            marked.clone().for_each(|number| reel.put(number, &white));
            let mut reader = reader_of(path, 1.0, (0, 2 * PASS), AtEnd::Loop, Some(&reel));
            let both = lumas_out_of(&mut reader, (0, 2 * PASS));
            assert!(reader.has_shared());
            let (first, second) = both.split_at(PASS as usize);
            for (number, (found, plain)) in (30u32..).zip(first.iter().zip(&plain)) {
                let is_white = found.iter().all(|&luma| luma == 235);
                assert!(if marked.contains(&number) { is_white } else { found == plain }, "{marked:?}: {number}");
            }
            assert!(first == second, "{marked:?}: the second time it is what it was");
            // Whoever comes later, and in the middle, decodes nothing at all.
            let mut later = reader_of(path, 1.0, (40, PASS), AtEnd::Loop, Some(&reel));
            assert!(lumas_out_of(&mut later, (40, PASS)) == first[40..]);
            assert!(!later.stands && later.has_shared(), "{marked:?}");
        }
    }

    /// What comes after a fault depends on where decoding began: nobody else is given it.
    #[test]
    fn nothing_is_on_the_reel_after_a_fault() {
        let folder = tempfile::tempdir().expect("a folder");
        let damaged = folder.path().join("damaged.mp4");
        let noise = "noise=amount=if(between(n\\,40\\,42)\\,20\\,0)";
        let words =
            ["-v", "error", "-y", "-i", "fixtures/ugc-remix/media/reaction.mp4", "-an", "-c", "copy", "-bsf:v", noise];
        let status = std::process::Command::new("ffmpeg").args(words).arg(&damaged).status();
        assert!(status.expect("ffmpeg runs").success());
        let reel = Arc::new(Reel::new(120));
        let mut reader = reader_of(&damaged, 0.0, (0, 120), AtEnd::Loop, Some(&reel));
        lumas_out_of(&mut reader, (0, 120));
        assert!(reader.is_damaged());
        let kept: Vec<u32> = (0..120).filter(|&number| reel.get(number).expect("can be kept").is_some()).collect();
        assert!(kept.len() > 30 && kept.iter().copied().eq(0..kept.len() as u32) && kept.len() < 45, "{kept:?}");
        // Who begins behind it sees no fault, and has more to give.
        let mut behind = reader_of(&damaged, 0.0, (60, 120), AtEnd::Loop, Some(&reel));
        lumas_out_of(&mut behind, (60, 120));
        assert!(!behind.is_damaged() && reel.get(119).expect("can be kept").is_some());
    }
}
