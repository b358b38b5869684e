//! From a source to its texts.

use super::FoundText;
use super::components::shrunk;
use super::read::TextReader;
use super::texts::{Place, texts};
use super::track::Tracker;
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::source::{AtEnd, Reading, ShotReader, Subject, VideoKind};
use crate::units::{CanvasSize, FrameIndex, FrameRange, FrameRate, TimeSpan};

/// Pictures are looked at in at most this size.
const LARGEST: (u32, u32) = (1_920, 1_920);
/// Above this many pixels, letters are looked for at half of the size.
const SMALL: u32 = 800_000;

/// The size in which pictures of this size are looked at.
pub(crate) fn looked_at(width: u32, height: u32) -> Option<CanvasSize> {
    let by = (f64::from(LARGEST.0) / f64::from(width)).min(f64::from(LARGEST.1) / f64::from(height)).min(1.0);
    let even = |side: u32| ((f64::from(side) * by) as u32).max(2) & !1;
    CanvasSize::new(even(width), even(height))
}

/// How many pixels across one is, of pictures of this size, where letters are looked for.
pub(super) fn search_scale(width: u32, height: u32) -> usize {
    if width * height > SMALL { 2 } else { 1 }
}

/// Of pictures that are looked at in their own size.
pub(super) fn whole_place(scale: usize, width: u32, height: u32) -> Place {
    Place { scale, across: 1.0, down: 1.0, pictures: (width, height) }
}

/// Finds the texts of a source.
///
/// # Errors
/// `SOURCE_EMPTY` without pictures, and why its video cannot be used; `LIMIT_EXCEEDED` for a source that is longer than
/// [`Limits::read_duration`](crate::limits::Limits::read_duration); what decoding and `reader` report; `CANCELED`.
pub(crate) fn find(subject: &Subject<'_>, reader: &dyn TextReader) -> Result<FoundText> {
    let info = &subject.probed.info;
    let empty = || Error::new(ErrorKind::SourceEmpty, "it has no pictures").suggest("give a video or a picture");
    if let Some(fault) = &info.unusable_video {
        return Err(Error::new(fault.kind, &fault.reason));
    }
    let (video, known) = subject.probed.video.as_ref().zip(info.video.as_ref()).ok_or_else(empty)?;
    let rate = FrameRate::FPS_30;
    // A video of one picture is one, too.
    let is_still = known.kind == VideoKind::Still || video.index.len() == 1;
    let frames = if is_still { 1 } else { rate.frames_in(known.duration).max(1) };
    let longest = subject.limits.read_duration;
    if known.duration > longest && !is_still {
        let message = format!("it lasts {}; text is looked for in at most {longest}", known.duration);
        return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("give a shorter one"));
    }
    let (width, height) = (known.size.width(), known.size.height());
    let canvas = looked_at(width, height).ok_or_else(empty)?;
    let scale = search_scale(canvas.width(), canvas.height());
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
        pictures: (canvas.width(), canvas.height()),
    };
    let alive = || {
        subject.interrupt.pulse().beat();
        if subject.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while text was read"));
        }
        Ok(())
    };
    let (mut overlays, is_unread) = texts(tracks, reader, &place, (width, height), frames, &alive)?;
    for (number, overlay) in overlays.iter_mut().enumerate() {
        overlay.id = format!("o{}", number + 1);
        let time = |frame: u64| rate.time_of(FrameIndex(frame)).as_secs_f64();
        (overlay.start, overlay.end) = (time(overlay.first_frame), time(overlay.last_frame + 1));
    }
    let crowded = (is_cut || is_unread)
        .then(|| "there are more lines than are followed: those that look the least like text are left out".to_owned());
    let damaged = pictures.take_concealed().len();
    let concealed = (damaged > 0).then(|| format!("{damaged} damaged pictures were looked at as far as they go"));
    let damage = info.damage.iter().map(|fault| format!("it is damaged or cut short: {fault}"));
    let findings = crowded.into_iter().chain(concealed).chain(damage).collect();
    Ok(FoundText { width, height, frames, overlays, findings })
}
