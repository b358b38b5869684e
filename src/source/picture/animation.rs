//! The pictures of an animation, forward, one composed canvas at a time.

use std::path::{Path, PathBuf};

use image::Frames;

use super::color::{Conversion, Samples};
use super::webp::WebpFrames;
use super::{Header, Picture, PictureInfo, PictureKind, check_canceled, gif, guarded, header, image_error, load};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;

/// Reads an animation forward. It holds the open file, at most two canvases and one frame, whatever the length.
///
/// It stays on the thread that made it.
pub(crate) struct AnimationReader {
    path: PathBuf,
    limits: Limits,
    interrupt: Interrupt,
    info: PictureInfo,
    header: Header,
    conversion: Conversion,
    source: Source,
    /// Frames given so far.
    given: usize,
    current: Option<Picture>,
    /// Whether no more frames can be decoded: the last good one stands for the others.
    broken: bool,
}

enum Source {
    Gif(Frames<'static>),
    Webp(WebpFrames),
}

impl AnimationReader {
    /// Opens the animation at `path`. The file's headers are read whole, as [`super::probe_picture`] does.
    ///
    /// # Errors
    /// As [`super::probe_picture`]; `SOURCE_UNSUPPORTED` for a kind that has no animations.
    pub(crate) fn open(path: &Path, kind: PictureKind, limits: &Limits, interrupt: &Interrupt) -> Result<Self> {
        let mut bytes = load(path, limits, interrupt)?;
        let header = guarded(|| header(&mut bytes, kind, limits))?;
        let (info, conversion) = guarded(|| header.describe(limits))?;
        let source = match kind {
            PictureKind::Gif => Source::Gif(guarded(|| gif::frames(path, limits))?),
            PictureKind::Webp if info.is_animated() => {
                Source::Webp(WebpFrames::open(path, &bytes, (header.width, header.height), limits.picture_frames)?)
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::SourceUnsupported,
                    format!("{} is not an animation", path.display()),
                ));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            limits: limits.clone(),
            interrupt: interrupt.clone(),
            info,
            header,
            conversion,
            source,
            given: 0,
            current: None,
            broken: false,
        })
    }

    /// Whether frames were missing or damaged so far; the last good one is shown in their place.
    pub(crate) fn is_damaged(&self) -> bool {
        self.broken
    }

    /// The next frame as it is shown: the whole canvas, oriented, sRGB. `None` after the last one.
    ///
    /// # Errors
    /// `SOURCE_UNREADABLE` when not even the first frame can be decoded; `LIMIT_EXCEEDED`, `CANCELED`.
    pub(crate) fn next_frame(&mut self) -> Result<Option<&Picture>> {
        check_canceled(&self.interrupt)?;
        if self.given >= self.info.frames.len() {
            return Ok(None);
        }
        if !self.broken {
            match guarded(|| self.decode()) {
                Ok(Some(picture)) => self.current = Some(picture),
                Err(error) if self.current.is_none() => return Err(error),
                Ok(None) | Err(_) => self.broken = true,
            }
        }
        self.given += 1;
        match &self.current {
            Some(picture) => Ok(Some(picture)),
            None => Err(Error::new(ErrorKind::SourceEmpty, "the animation has no pictures")),
        }
    }

    /// Starts again at the first frame.
    ///
    /// # Errors
    /// `SOURCE_UNREADABLE` when the file is gone.
    pub(crate) fn restart(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Gif(frames) => *frames = guarded(|| gif::frames(&self.path, &self.limits))?,
            Source::Webp(frames) => frames.restart(),
        }
        (self.given, self.current, self.broken) = (0, None, false);
        Ok(())
    }

    fn decode(&mut self) -> Result<Option<Picture>> {
        let rgba = match &mut self.source {
            Source::Gif(frames) => {
                let Some(frame) = frames.next() else { return Ok(None) };
                frame.map_err(|error| image_error("GIF", error))?.into_buffer().into_raw()
            }
            Source::Webp(frames) => {
                let Some(rgba) = frames.next()? else { return Ok(None) };
                rgba.to_vec()
            }
        };
        self.header.finish(&self.conversion, Samples::Eight(rgba)).map(Some)
    }
}
