//! Picture files on a clock, read as a decoder's pictures are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::picture::{AnimationReader, Picture, PictureInfo, PictureKind, decode_still};
use super::{VideoIndex, source_error};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::units::{TICKS_PER_SECOND, TimeBase, TimeSpan};

/// How long a still is on where nothing else is said, in seconds: long enough to read a screenshot.
const STILL: u64 = 4;

/// When each picture of a file is on, in ticks.
pub(super) fn index_of(info: &PictureInfo) -> Result<VideoIndex> {
    let ticks = |span: TimeSpan| i64::try_from(span.ticks()).unwrap_or(i64::MAX);
    let (pts, last) = match info.frames.last() {
        Some(last) => (info.frames.iter().map(|frame| ticks(frame.start)).collect(), last.duration),
        None => (vec![0], TimeSpan::from_secs(STILL)),
    };
    let empty = || Error::new(ErrorKind::SourceEmpty, "it has no picture");
    let base = u32::try_from(TICKS_PER_SECOND).ok().and_then(|den| TimeBase::new(1, den)).ok_or_else(empty)?;
    VideoIndex::new(base, pts, ticks(last), vec![0], true).ok_or_else(empty)
}

/// Gives the pictures of a file one after the other; holds one of them.
pub(crate) struct PictureReader {
    path: PathBuf,
    kind: PictureKind,
    index: Arc<VideoIndex>,
    limits: Limits,
    interrupt: Interrupt,
    animation: Option<AnimationReader>,
    current: Option<(VideoFrame, i64)>,
    /// How many pictures were taken from the file.
    taken: usize,
}

impl PictureReader {
    pub(super) fn new(
        path: &Path,
        kind: PictureKind,
        index: &Arc<VideoIndex>,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            index: Arc::clone(index),
            limits: limits.clone(),
            interrupt: interrupt.clone(),
            animation: None,
            current: None,
            taken: 0,
        }
    }

    /// Has the picture on show be the last one at or before `wanted`. What an animation has less than its headers said
    /// is held.
    pub(super) fn advance_to(&mut self, wanted: i64) -> Result<()> {
        while self.taken < self.index.len() && (self.current.is_none() || self.index.pts(self.taken) <= wanted) {
            let pts = self.index.pts(self.taken);
            let Some(frame) = self.take()? else { break };
            self.taken += 1;
            self.current = Some((frame, pts));
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Option<VideoFrame>> {
        let Self { path, kind, limits, interrupt, .. } = self;
        let _working = interrupt.pulse().enter(path, None);
        if self.index.len() == 1 {
            return frame_of(&decode_still(path, *kind, limits, interrupt)?).map(Some);
        }
        let animation = match &mut self.animation {
            Some(animation) => animation,
            none => none.insert(AnimationReader::open(path, *kind, limits, interrupt)?),
        };
        animation.next_frame()?.map(frame_of).transpose()
    }

    /// Starts over.
    pub(super) fn restart(&mut self) -> Result<()> {
        // A still stays what it is.
        if self.index.len() > 1 {
            self.taken = 0;
            self.current = None;
            if let Some(animation) = &mut self.animation {
                animation.restart()?;
            }
        }
        Ok(())
    }

    /// The picture on show and its pts.
    pub(super) fn current(&self) -> Result<(&VideoFrame, i64)> {
        match &self.current {
            Some((frame, pts)) => Ok((frame, *pts)),
            None => Err(Error::new(ErrorKind::SourceEmpty, "it has no picture that can be decoded")),
        }
    }

    /// Whether pictures were missing or damaged so far.
    pub(super) fn is_damaged(&self) -> bool {
        self.animation.as_ref().is_some_and(AnimationReader::is_damaged)
    }
}

fn frame_of(picture: &Picture) -> Result<VideoFrame> {
    VideoFrame::from_rgba(&picture.rgba, picture.width, picture.height)
        .map_err(|error| source_error(error, "keeping a picture"))
}
