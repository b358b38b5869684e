//! Two fields to one progressive picture.

use std::ptr;

use super::graph::Chain;
use super::{AvError, VideoFrame};

/// Makes one progressive picture of each interlaced one, with `bwdif`; progressive ones pass untouched. It is made anew
/// when the pictures change.
///
/// A picture depends on the ones before and after it, so it comes out one later than it goes in, and the first one after
/// [`Deinterlacer::new`] is made without its predecessor.
pub(crate) struct Deinterlacer {
    chain: Chain,
    takes: (u32, u32, i32),
}

impl Deinterlacer {
    /// A deinterlacer for pictures like `frame`.
    pub(crate) fn new(frame: &VideoFrame) -> Result<Self, AvError> {
        let takes = (frame.width(), frame.height(), frame.pixel_format());
        // Times pass through unchanged in a time base of our own; bwdif gives them in halves of it.
        let buffer =
            format!("video_size={}x{}:pix_fmt={}:time_base=1/1000:pixel_aspect=1/1", takes.0, takes.1, takes.2);
        let chain = Chain::new(&[
            (c"buffer", &buffer),
            // One picture for each frame, field order from the frame, and only frames that are marked.
            (c"bwdif", "mode=send_frame:parity=auto:deint=interlaced"),
            (c"buffersink", ""),
        ])?;
        Ok(Self { chain, takes })
    }

    /// Whether it takes pictures like `frame`.
    pub(crate) fn takes(&self, frame: &VideoFrame) -> bool {
        self.takes == (frame.width(), frame.height(), frame.pixel_format())
    }

    /// Gives it the next picture, which it refers to from then on; `frame` is blank afterwards.
    pub(crate) fn send(&mut self, frame: &mut VideoFrame) -> Result<(), AvError> {
        // SAFETY: the frame is ours, and its reference moves.
        unsafe { self.chain.send(frame.as_mut_ptr()) }
    }

    /// Tells it that no picture follows.
    pub(crate) fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: a null frame is the end.
        unsafe { self.chain.send(ptr::null_mut()) }
    }

    /// The next finished picture, if there is one yet.
    pub(crate) fn receive(&mut self, frame: &mut VideoFrame) -> Result<bool, AvError> {
        frame.unref();
        // SAFETY: the frame is blank.
        let is_there = unsafe { self.chain.receive(frame.as_mut_ptr()) }?;
        if is_there {
            frame.halve_pts();
        }
        Ok(is_there)
    }
}
