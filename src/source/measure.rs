//! What the benches call: the way of one decoded picture to the working format. Not API.

use std::sync::Arc;

use super::color::ColorInfo;
use super::convert::{Converter, Look};
use super::look::UNKNOWN_PEAK;
use super::source_error;
use crate::compose::{Focus, Orientation, cover};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, PixelFormat, VideoFrame};
use crate::units::{CanvasSize, SourceSize};

/// A source's picture and all that makes a picture of 1080x1920 of it.
pub struct Conversion {
    converter: Converter,
    picture: VideoFrame,
}

impl Conversion {
    /// Of pictures of `width` x `height`, both even: 8 bit in 4:2:0 if not `deep`, else 10 bit.
    ///
    /// # Errors
    /// `INTERNAL` for a size that is none.
    pub fn new((width, height): (u32, u32), deep: bool, color: ColorInfo) -> Result<Self> {
        let failed = |error: AvError| source_error(error, "making a picture");
        let wrong = || Error::new(ErrorKind::Internal, "not a size");
        let format = if deep { PixelFormat::I420Deep } else { PixelFormat::I420 };
        let mut picture = VideoFrame::of_format(format, width, height).map_err(failed)?;
        if let Some(planes) = picture.planes_mut().map_err(failed)? {
            for plane in [planes.y, planes.u, planes.v] {
                fill(plane);
            }
        }
        let size = SourceSize::new(width, height).ok_or_else(wrong)?;
        let canvas = CanvasSize::VERTICAL_HD;
        let look = Look {
            color,
            coding: None,
            peak_nits: UNKNOWN_PEAK,
            has_alpha: false,
            aperture: None,
            coded: (width, height),
            aspect: None,
            orientation: Orientation::Upright,
            size,
            tone: Arc::default(),
        };
        let converter = Converter::new(look, cover(size, canvas, Focus::default()), canvas)?;
        Ok(Self { converter, picture })
    }

    /// One picture, as a shot converts it; whether it could be used as it is.
    ///
    /// # Errors
    /// As reading a source.
    pub fn run(&mut self) -> Result<bool> {
        if self.converter.passes(&self.picture)? {
            return Ok(true);
        }
        self.converter.convert(&self.picture).map(|_| false)
    }
}

/// A slope with some grain, as cameras make them.
fn fill(mut plane: crate::compose::PlaneMut<'_>) {
    let width = plane.width();
    for y in 0..plane.height() {
        for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
            let grain = ((y * width + x) as u32).wrapping_mul(2_654_435_761) >> 29;
            *sample = 60 + (x * 100 / width) as u8 + grain as u8;
        }
    }
}
