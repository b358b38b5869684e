//! One picture of a video, for thumbnails.

use std::path::Path;

use super::probe::ColorInfo;
use super::{Probed, ShotReader};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// Frame `frame` of the finished video at `path`, which must be of `canvas` size and `rate`.
pub(crate) fn grab_frame(
    path: &Path,
    probed: &Probed,
    frame: u64,
    rate: FrameRate,
    canvas: CanvasSize,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<VideoFrame> {
    let (Some(info), Some(video)) = (&probed.info.video, &probed.video) else {
        return Err(Error::new(ErrorKind::Internal, "the finished file has no video"));
    };
    let rect = SourceRect { x: 0, y: 0, width: info.size.width(), height: info.size.height() };
    let color = ColorInfo { matrix: 1, full_range: false };
    let range = FrameRange::new(frame, frame + 1);
    let mut reader = ShotReader::open(
        path,
        video,
        &info.codec,
        color,
        TimeSpan::ZERO,
        rate,
        range,
        rect,
        canvas,
        limits,
        interrupt,
    )?;
    let mut copy =
        VideoFrame::empty().map_err(|error| Error::new(ErrorKind::Internal, "no memory").caused_by(error))?;
    copy.share(reader.frame(frame)?).map_err(|error| Error::new(ErrorKind::Internal, "no memory").caused_by(error))?;
    Ok(copy)
}
