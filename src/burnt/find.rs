//! From a source to its texts.

use std::path::Path;

use super::FoundText;
use super::components::shrunk;
use super::read::TextReader;
use super::texts::{Place, texts};
use super::track::Tracker;
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;
use crate::source::{AtEnd, Probed, Reading, ShotReader, VideoKind};
use crate::units::{CanvasSize, FrameIndex, FrameRange, FrameRate, TimeSpan};

/// Pictures are looked at in at most this size.
const LARGEST: (u32, u32) = (1_920, 1_920);
/// Above this many pixels, letters are looked for at half of the size.
const SMALL: u32 = 800_000;
/// A source, what is known of it, and what reading it needs.
pub(crate) struct Subject<'a> {
    pub(crate) path: &'a Path,
    pub(crate) probed: &'a Probed,
    pub(crate) limits: &'a Limits,
    pub(crate) interrupt: &'a Interrupt,
}

/// Finds the texts of a source.
///
/// # Errors
/// `SOURCE_EMPTY` without pictures; `LIMIT_EXCEEDED` for a source that is longer than an output may be; what decoding and
/// `reader` report; `CANCELED`.
pub(crate) fn find(subject: &Subject<'_>, reader: &dyn TextReader) -> Result<FoundText> {
    let info = &subject.probed.info;
    let empty = || Error::new(ErrorKind::SourceEmpty, "it has no pictures").suggest("give a video or a picture");
    let (video, known) = subject.probed.video.as_ref().zip(info.video.as_ref()).ok_or_else(empty)?;
    let rate = FrameRate::FPS_30;
    let is_still = known.kind == VideoKind::Still;
    let frames = if is_still { 1 } else { rate.frames_in(known.duration).max(1) };
    if known.duration > subject.limits.output_duration && !is_still {
        let message = format!("it lasts {}; the limit is {}", known.duration, subject.limits.output_duration);
        return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("give a shorter one"));
    }
    let (width, height) = (known.size.width(), known.size.height());
    let by = (f64::from(LARGEST.0) / f64::from(width)).min(f64::from(LARGEST.1) / f64::from(height)).min(1.0);
    let even = |side: u32| ((f64::from(side) * by) as u32).max(2) & !1;
    let canvas = CanvasSize::new(even(width), even(height)).ok_or_else(empty)?;
    let scale = if canvas.width() * canvas.height() > SMALL { 2 } else { 1 };
    let reading = Reading {
        start: TimeSpan::ZERO,
        end: None,
        rate,
        frames: FrameRange::new(0, frames),
        at_end: AtEnd::Hold,
        rect: SourceRect { x: 0, y: 0, width, height },
        canvas,
        second: None,
    };
    let mut pictures = ShotReader::open(subject.path, video, reading, subject.limits, subject.interrupt)?;
    let mut tracker = Tracker::new(scale, is_still);
    for frame in 0..frames {
        if subject.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while text was looked for"));
        }
        let picture = pictures.frame(frame)?;
        let planes = picture.planes().ok_or_else(|| Error::new(ErrorKind::Internal, "a picture is not planar"))?;
        tracker.push(shrunk(planes.y, scale), &planes);
        subject.interrupt.pulse().beat();
    }
    let (tracks, is_cut) = tracker.finish();
    let place = Place {
        scale,
        across: f64::from(width) / f64::from(canvas.width()),
        down: f64::from(height) / f64::from(canvas.height()),
    };
    let alive = || {
        subject.interrupt.pulse().beat();
        if subject.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while text was read"));
        }
        Ok(())
    };
    let mut overlays = texts(tracks, reader, &place, (width, height), frames, &alive)?;
    for (number, overlay) in overlays.iter_mut().enumerate() {
        overlay.id = format!("o{}", number + 1);
        let time = |frame: u64| rate.time_of(FrameIndex(frame)).as_secs_f64();
        (overlay.start, overlay.end) = (time(overlay.first_frame), time(overlay.last_frame + 1));
    }
    let findings = is_cut.then(|| "there is more text than is followed: what came last is left out".to_owned());
    Ok(FoundText { width, height, frames, overlays, findings: findings.into_iter().collect() })
}
