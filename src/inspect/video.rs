//! One pass over the pictures: all of them, or a sample.

use super::Method;
use super::expected::Expected;
use super::picture::{Mask, dark_share, difference};
use super::spans::{Runs, Stretch};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, ColorTags, Crop, PixelFormat, Scaler, VideoFrame};
use crate::source::{PacketFacts, PictureWalk, ProbedVideo, Subject, VideoIndex, Wanted, keep};
use crate::units::{TimeBase, TimeSpan, Timestamp};

/// A picture is black if this share of its samples is dark: FFmpeg's `blackdetect`, `picture_black_ratio_th`.
const BLACK_SHARE: f64 = 0.98;
/// A sample is dark up to this share of the range of luma: `blackdetect`, `pixel_black_th`.
const DARK: f64 = 0.10;
/// A picture stands still up to this mean difference, of 1: FFmpeg's `freezedetect`, `noise` (-60 dB).
const STILL: f64 = 0.001;
/// The shortest black or frozen span that is told: both filters' default of two seconds.
pub(super) const SHORTEST: TimeSpan = TimeSpan::from_secs(2);

/// What looking at the pictures found. Times are those from the first picture.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    /// Pictures that were decoded.
    pub(super) decoded: u64,
    pub(super) damaged: u64,
    /// The longest distance between two pictures that were looked at.
    pub(super) resolution: TimeSpan,
    /// Every black stretch, however short.
    pub(super) black: Vec<Stretch>,
    /// Frozen stretches of two seconds or longer.
    pub(super) frozen: Vec<Stretch>,
    pub(super) end: Timestamp,
    /// How long the container says that it is, where much of that is missing.
    pub(super) missing_end: Option<TimeSpan>,
    pub(super) color: ColorTags,
    pub(super) pixel_format: Option<String>,
    pub(super) facts: PacketFacts,
}

/// Looks at the pictures. A file of which no key picture can be decoded is looked at exactly, whatever is asked for.
pub(super) fn look(subject: &Subject<'_>, method: Method, expected: Option<&Expected<'_>>) -> Result<Seen> {
    let Some(video) = &subject.probed.video else {
        let error = Error::new(ErrorKind::SourceEmpty, "it has no video");
        return Err(match &subject.probed.info.unusable_video {
            Some(unusable) => Error::new(unusable.kind, unusable.reason.clone()),
            None => error.suggest("inspect videos such as MP4, MOV, WebM or MKV"),
        });
    };
    if method == Method::Sampled {
        let seen = Pass::open(subject, video, Wanted::Keys, expected)?.sampled()?;
        if seen.decoded > 0 {
            return Ok(seen);
        }
    }
    let seen = Pass::open(subject, video, Wanted::All, expected)?.exact()?;
    if seen.decoded == 0 {
        return Err(Error::new(ErrorKind::SourceEmpty, "no picture of its video stream can be decoded")
            .suggest("the file is damaged: export or upload it again"));
    }
    Ok(seen)
}

/// One picture that was looked at.
#[derive(Debug, Clone, Copy)]
struct Sample {
    pts: i64,
    is_black: bool,
}

struct Pass<'a> {
    walk: PictureWalk,
    clock: Clock,
    index: &'a VideoIndex,
    expected: Option<&'a Expected<'a>>,
    plain: Plain,
    freeze: Freeze,
    first: Option<(ColorTags, Option<String>)>,
    decoded: u64,
}

impl<'a> Pass<'a> {
    fn open(
        subject: &Subject<'_>,
        video: &'a ProbedVideo,
        wanted: Wanted,
        expected: Option<&'a Expected<'a>>,
    ) -> Result<Self> {
        let audio = subject.probed.audio.as_ref();
        let walk = PictureWalk::open(subject.path, video, audio, wanted, subject.limits, subject.interrupt)?;
        let index = &*video.index;
        let clock = Clock { base: index.time_base(), zero: Timestamp::from_pts(index.first_pts(), index.time_base()) };
        let (plain, freeze) = (Plain::default(), Freeze::default());
        Ok(Self { walk, clock, index, expected, plain, freeze, first: None, decoded: 0 })
    }

    /// Every picture.
    fn exact(mut self) -> Result<Seen> {
        let mut frame = VideoFrame::empty().map_err(no_memory)?;
        let (mut black, mut last) = (Runs::default(), None);
        let mut resolution = TimeSpan::ZERO;
        while self.walk.next(&mut frame)? {
            let Some(pts) = frame.pts() else { continue };
            let at = self.clock.time(pts);
            // Time never goes back: readers drop such pictures, too.
            if last.is_some_and(|last| at <= last) {
                continue;
            }
            let is_black = self.look_at(&frame, at, false)?;
            resolution = last.map_or(resolution, |last: Timestamp| resolution.max(at.saturating_since(last)));
            black.push(at, is_black);
            last = Some(at);
        }
        let end = self.end();
        Ok(Seen { black: black.finish(end), resolution, ..self.finish(Method::Exact, Some(end)) })
    }

    /// Key pictures and the last one; where black begins or ends between two of them, the pictures between.
    fn sampled(mut self) -> Result<Seen> {
        let mut frame = VideoFrame::empty().map_err(no_memory)?;
        let mut samples: Vec<Sample> = Vec::new();
        while self.walk.next(&mut frame)? {
            self.sample(&frame, &mut samples)?;
        }
        let last = self.index.pts(usize::MAX);
        let key = samples.last().map(|sample| sample.pts);
        if let Some(key) = key.filter(|&key| key < last)
            && self.walk.picture_at(last, key, &mut frame)?
        {
            self.sample(&frame, &mut samples)?;
        }
        let end = self.end();
        let mut edges = Runs::default();
        let mut resolution = TimeSpan::ZERO;
        for (number, &sample) in samples.iter().enumerate() {
            let before = number.checked_sub(1).and_then(|before| samples.get(before)).copied();
            if let Some(before) = before {
                resolution = resolution.max(self.clock.time(sample.pts).saturating_since(self.clock.time(before.pts)));
            }
            match before {
                Some(before) if before.is_black != sample.is_black => {
                    let edge = self.edge(before, sample, &mut frame)?;
                    edges.push(self.clock.time(edge), sample.is_black);
                }
                _ => edges.push(self.clock.time(sample.pts), sample.is_black),
            }
        }
        let (black, seen) = (edges.finish(end), self.finish(Method::Sampled, None));
        Ok(Seen { black, resolution, ..seen })
    }

    fn sample(&mut self, frame: &VideoFrame, samples: &mut Vec<Sample>) -> Result<()> {
        let Some(pts) = frame.pts() else { return Ok(()) };
        if samples.last().is_some_and(|last| pts <= last.pts) {
            return Ok(());
        }
        let is_black = self.look_at(frame, self.clock.time(pts), true)?;
        samples.push(Sample { pts, is_black });
        Ok(())
    }

    /// The first picture that is like `after`, of those from the last one that is not on: they are decoded from `before` to
    /// `after`, of which one is black and the other is not.
    fn edge(&mut self, before: Sample, after: Sample, frame: &mut VideoFrame) -> Result<i64> {
        self.walk.go_to(before.pts)?;
        let mut edge = None;
        while self.walk.next(frame)? {
            let Some(pts) = frame.pts().filter(|&pts| pts > before.pts) else { continue };
            if pts >= after.pts {
                break;
            }
            self.decoded += 1;
            let is_black = self.is_black(frame, self.clock.time(pts))?;
            edge = if is_black == after.is_black { edge.or(Some(pts)) } else { None };
        }
        Ok(edge.unwrap_or(after.pts))
    }

    /// Whether the picture is black; that it stands still is noted.
    fn look_at(&mut self, frame: &VideoFrame, at: Timestamp, sampled: bool) -> Result<bool> {
        self.decoded += 1;
        if self.first.is_none() {
            self.first = Some((frame.color().or(self.walk.container_color()), frame.format_name()));
        }
        let masks = self.expected.map(|expected| expected.masks(at)).transpose()?.unwrap_or_default();
        let frame = self.plain.of(frame)?;
        self.freeze.push(frame.as_ref(), at, &masks, sampled)?;
        Ok(is_dark(frame.as_ref(), &masks))
    }

    fn is_black(&mut self, frame: &VideoFrame, at: Timestamp) -> Result<bool> {
        let masks = self.expected.map(|expected| expected.masks(at)).transpose()?.unwrap_or_default();
        Ok(is_dark(self.plain.of(frame)?.as_ref(), &masks))
    }

    fn end(&self) -> Timestamp {
        Timestamp::ZERO.saturating_add(self.index.duration())
    }

    /// What both ways have in common. `end`: until when a picture that still stands is frozen; `None` for the last
    /// sample.
    fn finish(self, method: Method, end: Option<Timestamp>) -> Seen {
        let unknown = ColorTags { matrix: 2, primaries: 2, transfer: 2, range: 0 };
        let (color, pixel_format) = self.first.clone().unwrap_or((unknown, None));
        Seen {
            method,
            decoded: self.decoded,
            damaged: self.walk.damaged(),
            resolution: TimeSpan::ZERO,
            black: Vec::new(),
            end: self.end(),
            missing_end: self.walk.missing_end(self.index.duration()),
            frozen: self.freeze.finish(end),
            color,
            pixel_format,
            facts: self.walk.facts().clone(),
        }
    }
}

/// The source's clock: zero is the first picture.
#[derive(Debug, Clone, Copy)]
struct Clock {
    base: TimeBase,
    zero: Timestamp,
}

impl Clock {
    fn time(self, pts: i64) -> Timestamp {
        let at = Timestamp::from_pts(pts, self.base);
        Timestamp::from_ticks(at.ticks().saturating_sub(self.zero.ticks()))
    }
}

/// A picture whose planes can be counted: the decoded one, or one made of it.
enum Countable<'a> {
    Decoded(&'a VideoFrame),
    Made(VideoFrame),
}

impl Countable<'_> {
    fn as_ref(&self) -> &VideoFrame {
        match self {
            Self::Decoded(frame) => frame,
            Self::Made(frame) => frame,
        }
    }
}

/// Makes 8-bit Y'CbCr of what is something else; most is that already.
#[derive(Default)]
struct Plain {
    scaler: Option<Scaler>,
}

impl Plain {
    fn of<'a>(&mut self, frame: &'a VideoFrame) -> Result<Countable<'a>> {
        if frame.planes_of_any_chroma().is_some() {
            return Ok(Countable::Decoded(frame));
        }
        let failed = |error: AvError| {
            Error::new(ErrorKind::SourceUnsupported, "its pixel format cannot be read").caused_by(error)
        };
        let (width, height) = (frame.width(), frame.height());
        let crop = Crop { left: 0, top: 0, width, height };
        let size = ((width & !1).max(2), (height & !1).max(2));
        let scaler = match &mut self.scaler {
            Some(scaler) if scaler.makes(frame, crop, PixelFormat::I420, size) => scaler,
            stale => stale.insert(Scaler::new(frame, crop, PixelFormat::I420, size).map_err(failed)?),
        };
        let mut made = VideoFrame::of_format(PixelFormat::I420, size.0, size.1).map_err(failed)?;
        scaler.scale(frame, &mut made).map_err(failed)?;
        Ok(Countable::Made(made))
    }
}

fn is_dark(frame: &VideoFrame, masks: &[Mask]) -> bool {
    let Some((planes, _)) = frame.planes_of_any_chroma() else { return false };
    let full = frame.color().range == 2 || frame.format_info().is_some_and(|info| info.implies_full_range);
    // Rounded down, as in blackdetect.
    let threshold = if full { 255.0 * DARK } else { 16.0 + (235.0 - 16.0) * DARK } as u8;
    planes.first().is_some_and(|luma| dark_share(*luma, threshold, masks) >= BLACK_SHARE)
}

/// Finds out how long pictures stay what they were, as `freezedetect` does: each is compared with the first of those that
/// were the same.
#[derive(Default)]
struct Freeze {
    reference: Option<(VideoFrame, Timestamp)>,
    /// The last picture that was the same.
    last: Timestamp,
    found: Vec<Stretch>,
}

impl Freeze {
    /// The next picture. Between two samples nobody knows when it changed: then the span ends with the last sample that
    /// was the same.
    fn push(&mut self, frame: &VideoFrame, at: Timestamp, masks: &[Mask], sampled: bool) -> Result<()> {
        let same = self.reference.as_ref().is_some_and(|(reference, _)| is_same(reference, frame, masks));
        if !same {
            let end = if sampled { self.last } else { at };
            self.close(end);
            self.reference = Some((keep(frame)?, at));
        }
        self.last = at;
        Ok(())
    }

    fn close(&mut self, end: Timestamp) {
        if let Some((_, start)) = &self.reference {
            let stretch = Stretch::new(*start, end);
            if stretch.length() >= SHORTEST {
                self.found.push(stretch);
            }
        }
    }

    fn finish(mut self, end: Option<Timestamp>) -> Vec<Stretch> {
        self.close(end.unwrap_or(self.last));
        self.found
    }
}

fn is_same(first: &VideoFrame, second: &VideoFrame, masks: &[Mask]) -> bool {
    let (Some((first, shifts)), Some((second, others))) = (first.planes_of_any_chroma(), second.planes_of_any_chroma())
    else {
        return false;
    };
    shifts == others && difference(&first, &second, shifts, masks) <= STILL
}

fn no_memory(error: AvError) -> Error {
    Error::new(ErrorKind::LimitExceeded, "a picture cannot be allocated").caused_by(error)
}
