//! Single pictures of a finished video, for thumbnails.

use std::path::Path;

use super::index::AtEnd;
use super::reader::Reading;
use super::{Probed, ShotReader};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::plan::Plan;
use crate::units::{FrameRange, TimeSpan};

/// Opens the finished video of `plan` at `path`; its frames are taken with [`ShotReader::frame_anywhere`].
pub(crate) fn open_finished(
    plan: &Plan,
    path: &Path,
    probed: &Probed,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<ShotReader> {
    let (Some(info), Some(video)) = (&probed.info.video, &probed.video) else {
        return Err(Error::new(ErrorKind::Internal, "the finished file has no video"));
    };
    let rect = SourceRect { x: 0, y: 0, width: info.size.width(), height: info.size.height() };
    let reading = Reading {
        start: TimeSpan::ZERO,
        end: None,
        rate: plan.rate(),
        frames: FrameRange::new(0, plan.frames()),
        at_end: AtEnd::Hold,
        rect,
        canvas: plan.canvas(),
        second: None,
    };
    ShotReader::open(path, video, reading, limits, interrupt)
}

/// A new reference to the same picture.
pub(crate) fn keep(picture: &VideoFrame) -> Result<VideoFrame> {
    let share = || {
        let mut kept = VideoFrame::empty()?;
        kept.share(picture)?;
        Ok(kept)
    };
    share().map_err(|error: crate::ffmpeg::AvError| {
        Error::new(ErrorKind::LimitExceeded, "a picture cannot be allocated").caused_by(error)
    })
}
