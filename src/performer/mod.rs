//! Putting somebody else in the place of who is seen.
//!
//! A [`FrameTransform`] looks at the pictures of a shot in order and says what of them is replaced. It may keep state from
//! picture to picture, such as where a face was, but what it says may depend on no more than the last
//! [`lead_in`](FrameTransform::lead_in) of them: so each chunk of a video can be rendered by itself, on any machine, by showing it
//! that many pictures from before the chunk. Its [`identity`](FrameTransform::identity) is a part of the chunks' keys.
//!
//! The engine ships no model. With the feature `onnx`, `OnnxPerformer` loads a face detector and a swap model from files.

#[cfg(feature = "onnx")]
mod onnx;
mod paste;

use std::sync::Arc;

use crate::error::Result;

#[cfg(feature = "onnx")]
pub use onnx::OnnxPerformer;
pub(crate) use paste::{paste, paste_rgba};

/// The most pictures that a transform may want from before a chunk: more than two seconds.
pub const MAX_LEAD_IN: u64 = 75;

/// Changes the pictures of shots.
pub trait FrameTransform: Send + Sync {
    /// Names what it makes of pictures, such as a hash of its models and of whom it shows, at most 256 bytes: two with the same
    /// identity make the same of the same pictures. Machines that share a store have to agree on it: who cannot promise that for
    /// different CPUs puts their kind into the identity.
    fn identity(&self) -> String;

    /// How many pictures before one can have a say in what it makes of it, at most [`MAX_LEAD_IN`]; 0 if it looks at each by
    /// itself.
    fn lead_in(&self) -> u64;

    /// Begins a shot, or a part of one: what it is shown next is the first picture that it knows of.
    ///
    /// # Errors
    /// What keeps it from working, as the job's error.
    fn begin(&self) -> Result<Box<dyn ShotTransform>>;
}

/// Changes the pictures of one shot, in order.
pub trait ShotTransform: Send {
    /// What of the next picture is replaced: nothing, or one part or several; later ones lie over earlier ones. Of a slide there
    /// is one picture.
    ///
    /// # Errors
    /// What keeps it from working, as the job's error.
    fn next(&mut self, picture: RgbFrame<'_>) -> Result<Vec<Replacement>>;
}

/// A picture in sRGB, or of a video in BT.709, 8 bit, without alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RgbFrame<'a> {
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, row by row: `width * height * 3` bytes.
    pub rgb: &'a [u8],
}

/// A part of a picture that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Its left edge in pixels of the picture; what reaches beyond the picture is cut off.
    pub x: u32,
    /// Its top edge.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// What stands there, as in [`RgbFrame::rgb`].
    pub rgb: Vec<u8>,
    /// How much of it, 0 to 255 for each pixel: `width * height` bytes.
    pub mask: Vec<u8>,
}

impl Replacement {
    /// Whether its bytes are as many as its size says.
    pub(crate) fn is_whole(&self) -> bool {
        let pixels = u64::from(self.width) * u64::from(self.height);
        self.mask.len() as u64 == pixels && self.rgb.len() as u64 == 3 * pixels
    }
}

/// Who can be put in the place of who is seen.
pub trait Performers: Send + Sync {
    /// The transform that puts `author`, the influencer or account of a request, into pictures; `None` if there is no model of
    /// them, which is `PERFORMER_UNAVAILABLE`. It is asked for while a job is planned, and again for each call that renders chunks:
    /// who loads models keeps them.
    ///
    /// # Errors
    /// What keeps it from being loaded, as the job's error.
    fn performer(&self, author: &str) -> Result<Option<Arc<dyn FrameTransform>>>;
}

/// The same for every author.
impl<T: FrameTransform + Clone + 'static> Performers for T {
    fn performer(&self, _: &str) -> Result<Option<Arc<dyn FrameTransform>>> {
        Ok(Some(Arc::new(self.clone())))
    }
}
