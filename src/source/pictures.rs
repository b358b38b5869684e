//! Picture files on a clock of milliseconds, read as a decoder's pictures are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::picture::{AnimationReader, Picture, PictureInfo, PictureKind, decode_still};
use super::{VideoIndex, source_error};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::units::TimeBase;

/// How long a still is on where nothing else is said, in milliseconds: long enough to read a screenshot.
const STILL: i64 = 4_000;

/// When each picture of a file is on. Pictures are told apart by their millisecond, so none is shorter than one.
pub(super) fn index_of(info: &PictureInfo) -> Result<VideoIndex> {
    let mut pts = Vec::new();
    let mut end = 0i64;
    for &delay in &info.delays_ms {
        pts.push(end);
        end = end.saturating_add(i64::from(delay.max(1)));
    }
    let last = match info.delays_ms.len() {
        0 | 1 => {
            pts = vec![0];
            STILL
        }
        count => i64::from(info.delays_ms[count - 1].max(1)),
    };
    let empty = || Error::new(ErrorKind::SourceEmpty, "it has no picture");
    let base = TimeBase::new(1, 1_000).ok_or_else(empty)?;
    VideoIndex::new(base, pts, last, vec![0], true).ok_or_else(empty)
}

/// Gives the pictures of a file one after the other; holds one of them.
pub(super) struct PictureReader {
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
    pub(super) fn open(
        path: &Path,
        kind: PictureKind,
        index: &Arc<VideoIndex>,
        limits: &Limits,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let (index, limits, interrupt) = (Arc::clone(index), limits.clone(), interrupt.clone());
        let path = path.to_owned();
        Ok(Self { path, kind, index, limits, interrupt, animation: None, current: None, taken: 0 })
    }

    /// Has the picture on show be the last one at or before `wanted`. What an animation has less than its headers said
    /// is held.
    pub(super) fn advance_to(&mut self, wanted: i64) -> Result<()> {
        while self.taken < self.index.len() && (self.current.is_none() || self.index.pts(self.taken) <= wanted) {
            let pts = self.index.pts(self.taken);
            let Some(picture) = self.take()? else { break };
            self.taken += 1;
            let frame = VideoFrame::from_rgba(&picture.rgba, picture.width, picture.height)
                .map_err(|error| source_error(error, "keeping a picture"))?;
            self.current = Some((frame, pts));
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Option<Picture>> {
        let Self { path, kind, limits, interrupt, .. } = self;
        let _working = interrupt.pulse().enter(path, None);
        if self.index.len() == 1 {
            return decode_still(path, *kind, limits, interrupt).map(Some);
        }
        let animation = match &mut self.animation {
            Some(animation) => animation,
            none => none.insert(AnimationReader::open(path, *kind, limits, interrupt)?),
        };
        animation.next_frame()
    }

    /// Starts over.
    pub(super) fn restart(&mut self) {
        self.animation = None;
        self.taken = 0;
        // A still stays what it is.
        if self.index.len() > 1 {
            self.current = None;
        } else if self.current.is_some() {
            self.taken = 1;
        }
    }

    /// The picture on show and its pts.
    pub(super) fn current(&self) -> Result<(&VideoFrame, i64)> {
        match &self.current {
            Some((frame, pts)) => Ok((frame, *pts)),
            None => Err(Error::new(ErrorKind::SourceEmpty, "it has no picture that can be decoded")),
        }
    }
}
