//! Pictures that strangers upload, still and animated, as sRGB.
//!
//! Everything here reads a file whose kind [`sniff`] has told. Sizes are read from headers and checked before anything
//! large is allocated; what a file says about orientation and colour is applied, and told as *corrections*. Without
//! FFmpeg: its still-picture decoders know neither profiles nor most orientations.
//!
//! Browsers are the measure where formats leave a choice: samples without a profile are sRGB, delays that are too short
//! count 100 ms, the background colours of animations are ignored.

mod animation;
mod color;
mod gif;
mod heif;
mod jpeg;
mod orient;
mod png;
mod sniff;
mod webp;

use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::ImageError;
use image::metadata::Orientation;

pub(crate) use self::animation::AnimationReader;
use self::color::{Conversion, Model, Profile, Samples};
pub(crate) use self::sniff::sniff;
use super::access::{check_file, check_pixels};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::limits::Limits;
use crate::units::{CanvasSize, SourceSize, TimeSpan};

/// The correction for a file that breaks off.
const TRUNCATED: &str = "truncated: what could be read is shown";

/// A delay of this many milliseconds or less counts [`DEFAULT_DELAY`], as in all browsers.
const SHORT_DELAY: u32 = 10;

/// Milliseconds.
const DEFAULT_DELAY: u32 = 100;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureKind {
    Jpeg,
    Png,
    Webp,
    Gif,
    Avif,
    Heic,
}

impl PictureKind {
    /// Its name as FFmpeg and MIME types have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
            Self::Heic => "heic",
        }
    }
}

/// A decoded picture in its displayed orientation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    /// sRGB, 8 bit, straight alpha, rows without padding.
    pub(crate) rgba: Vec<u8>,
    /// Whether any pixel is not opaque.
    pub(crate) has_alpha: bool,
}

/// What a picture file is, by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PictureInfo {
    /// As it is displayed.
    pub(crate) size: SourceSize,
    /// Whether it may have pixels that are not opaque.
    pub(crate) has_alpha: bool,
    /// The frames of an animation; empty for a still, also for an animation of one frame.
    pub(crate) frames: Vec<PictureFrame>,
    /// What is changed on the way to sRGB in display orientation, for people.
    pub(crate) corrections: Vec<String>,
}

impl PictureInfo {
    /// Whether [`AnimationReader`] is for it.
    pub(crate) fn is_animated(&self) -> bool {
        !self.frames.is_empty()
    }

    /// From the first frame's start to the last one's end; zero for a still.
    pub(crate) fn duration(&self) -> TimeSpan {
        self.frames.last().map_or(TimeSpan::ZERO, |last| {
            TimeSpan::from_ticks(last.start.ticks().saturating_add(last.duration.ticks()))
        })
    }
}

/// When a frame of an animation is shown, exact to the millisecond that the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureFrame {
    /// From the start of the animation.
    pub(crate) start: TimeSpan,
    pub(crate) duration: TimeSpan,
}

/// The version of libheif, which decodes AVIF and HEIC.
pub(crate) fn heif_version() -> String {
    let [major, minor, patch] = libheif_rs::LibHeif::new().version();
    format!("{major}.{minor}.{patch}")
}

/// Reads the headers of the picture of `kind` at `path`; decodes nothing.
///
/// # Errors
/// `SOURCE_UNREADABLE` (cannot be read, or is damaged), `SOURCE_UNSUPPORTED`, `SOURCE_EMPTY` (has no pixels),
/// `LIMIT_EXCEEDED` (bytes, pixels, frames, duration, or pixels of all frames), `CANCELED`.
pub(crate) fn probe_picture(
    path: &Path,
    kind: PictureKind,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<PictureInfo> {
    let mut bytes = load(path, limits, interrupt)?;
    let header = guarded(|| header(&mut bytes, kind, limits))?;
    Ok(guarded(|| header.describe(limits))?.0)
}

/// Decodes the picture of `kind` at `path`; of an animation its first frame.
///
/// It holds the file, the decoded samples and at most two copies in RGBA: with 16 bit samples 16 bytes a pixel.
///
/// # Errors
/// As [`probe_picture`]. What a damaged file gives is a picture where the decoder can tell what it has read (JPEG and
/// PNG), and else `SOURCE_UNREADABLE`.
pub(crate) fn decode_still(path: &Path, kind: PictureKind, limits: &Limits, interrupt: &Interrupt) -> Result<Picture> {
    let mut bytes = load(path, limits, interrupt)?;
    let header = guarded(|| header(&mut bytes, kind, limits))?;
    let (_, conversion) = guarded(|| header.describe(limits))?;
    check_canceled(interrupt)?;
    let samples = guarded(|| match kind {
        PictureKind::Jpeg => jpeg::samples(&bytes, header.model),
        PictureKind::Png => png::samples(&bytes, limits),
        PictureKind::Webp => webp::samples(&bytes, header.model),
        PictureKind::Gif => gif::samples(&bytes, limits),
        PictureKind::Avif | PictureKind::Heic => heif::samples(&bytes, limits),
    })?;
    drop(bytes);
    check_canceled(interrupt)?;
    guarded(|| header.finish(&conversion, samples))
}

/// Decodes the part `rect` of the displayed picture of `kind` at `path`, scaled to `size`: premultiplied sRGB, 8 bit, rows
/// without padding.
///
/// # Errors
/// As [`decode_still`]; `SOURCE_UNREADABLE` if the picture is smaller than `rect` says.
pub(crate) fn decode_scaled(
    path: &Path,
    kind: PictureKind,
    rect: SourceRect,
    size: CanvasSize,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<Vec<u8>> {
    let mut bytes = load(path, limits, interrupt)?;
    let header = guarded(|| header(&mut bytes, kind, limits))?;
    let (info, _) = guarded(|| header.describe(limits))?;
    let inside = rect.x.checked_add(rect.width).is_some_and(|end| end <= info.size.width())
        && rect.y.checked_add(rect.height).is_some_and(|end| end <= info.size.height());
    if !inside {
        return Err(Error::new(ErrorKind::SourceUnreadable, "it is smaller than when it was probed")
            .suggest("do not change files while they are rendered"));
    }
    check_canceled(interrupt)?;
    let (width, height) = (size.width(), size.height());
    if kind == PictureKind::Jpeg {
        let swapped = orient::swaps(header.orientation);
        let coded_size = if swapped { (height, width) } else { (width, height) };
        let part = orient::coded(rect, header.width, header.height, header.orientation);
        let whole = (header.width, header.height);
        if let Some(rgb) = guarded(|| jpeg::scaled(bytes, whole, part, coded_size, limits.source_pixels))? {
            let conversion = Conversion::new(Model::Rgb, 8, &header.profile, &mut Vec::new());
            let rgba = guarded(|| conversion.to_srgb(Samples::Eight(rgb)))?;
            return Ok(orient::orient(rgba, coded_size.0, coded_size.1, header.orientation));
        }
    }
    scale(decode_still(path, kind, limits, interrupt)?, rect, size)
}

/// The part `rect` of a picture, scaled to `size` and premultiplied.
fn scale(picture: Picture, rect: SourceRect, size: CanvasSize) -> Result<Vec<u8>> {
    let Picture { width, height, mut rgba, has_alpha } = picture;
    if has_alpha {
        // Premultiplied before it is scaled, so that what is transparent colours no edge.
        for [r, g, b, a] in rgba.as_chunks_mut::<4>().0 {
            [*r, *g, *b] = [*r, *g, *b].map(|value| color::mul(value, *a));
        }
    }
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Internal, "a picture cannot be scaled").caused_by(error.to_string())
    };
    let source = Image::from_vec_u8(width, height, rgba, PixelType::U8x4).map_err(|error| failed(&error))?;
    let mut target = Image::new(size.width(), size.height(), PixelType::U8x4);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(rect.x.into(), rect.y.into(), rect.width.into(), rect.height.into())
        .use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    drop(source);
    let mut pixels = target.into_vec();
    if has_alpha {
        // Overshoot of the filter must not shine.
        for [r, g, b, a] in pixels.as_chunks_mut::<4>().0 {
            (*r, *g, *b) = ((*r).min(*a), (*g).min(*a), (*b).min(*a));
        }
    }
    Ok(pixels)
}

/// What a file's headers say.
struct Header {
    /// As it is coded, before `orientation`.
    width: u32,
    height: u32,
    model: Model,
    /// Bits of a decoded sample: 8 or 16.
    bits: u8,
    has_alpha: bool,
    orientation: Orientation,
    profile: Profile,
    /// Milliseconds of each frame, as the file has them; empty for a still.
    delays: Vec<u32>,
    notes: Vec<String>,
}

impl Header {
    /// A still of 8 bit sRGB as it is.
    fn new(width: u32, height: u32, model: Model) -> Self {
        Self {
            width,
            height,
            model,
            bits: 8,
            has_alpha: false,
            orientation: Orientation::NoTransforms,
            profile: Profile::None,
            delays: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The description for callers, checked against the limits, and the conversion to sRGB.
    fn describe(&self, limits: &Limits) -> Result<(PictureInfo, Conversion)> {
        check_pixels(self.width, self.height, limits)?;
        check_frames(self.delays.len(), self.width, self.height, limits)?;
        let (width, height) = orient::displayed(self.width, self.height, self.orientation);
        let size = SourceSize::new(width, height)
            .ok_or_else(|| Error::new(ErrorKind::SourceEmpty, "its pictures have no size"))?;
        let mut corrections = Vec::new();
        if self.orientation != Orientation::NoTransforms {
            corrections.push(format!("orientation {} applied", self.orientation.to_exif()));
        }
        let conversion = Conversion::new(self.model, self.bits, &self.profile, &mut corrections);
        corrections.extend(self.notes.iter().cloned());
        let frames = if self.delays.len() > 1 { times(&self.delays) } else { Vec::new() };
        let info = PictureInfo { size, has_alpha: self.has_alpha, frames, corrections };
        if info.duration() > limits.source_duration {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("it is {} long; the limit is {}", info.duration(), limits.source_duration),
            )
            .suggest("shorten it, or raise Limits::source_duration"));
        }
        Ok((info, conversion))
    }

    /// The picture of decoded `samples`.
    fn finish(&self, conversion: &Conversion, samples: Samples) -> Result<Picture> {
        let rgba = conversion.to_srgb(samples)?;
        if rgba.len() as u64 != u64::from(self.width) * u64::from(self.height) * 4 {
            return Err(Error::new(ErrorKind::Internal, "a decoded picture is not of its header's size"));
        }
        let has_alpha = self.has_alpha && rgba.as_chunks::<4>().0.iter().any(|pixel| pixel[3] != 255);
        let rgba = orient::orient(rgba, self.width, self.height, self.orientation);
        let (width, height) = orient::displayed(self.width, self.height, self.orientation);
        Ok(Picture { width, height, rgba, has_alpha })
    }
}

fn header(bytes: &mut Vec<u8>, kind: PictureKind, limits: &Limits) -> Result<Header> {
    match kind {
        PictureKind::Jpeg => jpeg::header(bytes),
        PictureKind::Png => {
            let (width, height) = png::claimed_size(bytes)?;
            check_pixels(width, height, limits)?;
            png::header(bytes, limits)
        }
        PictureKind::Webp => webp::header(bytes, limits),
        PictureKind::Gif => gif::header(bytes, limits),
        PictureKind::Avif | PictureKind::Heic => heif::header(bytes, limits),
    }
}

/// Start and duration of each frame from the delays in milliseconds.
fn times(delays: &[u32]) -> Vec<PictureFrame> {
    let millisecond = TimeSpan::from_secs(1).ticks() / 1_000;
    let mut start = 0;
    delays
        .iter()
        .map(|&delay| {
            let delay = if delay <= SHORT_DELAY { DEFAULT_DELAY } else { delay };
            let duration = u64::from(delay) * millisecond;
            let frame = PictureFrame { start: TimeSpan::from_ticks(start), duration: TimeSpan::from_ticks(duration) };
            start += duration;
            frame
        })
        .collect()
}

/// The whole file. Decoders seek in it, and it is small beside its pixels.
fn load(path: &Path, limits: &Limits, interrupt: &Interrupt) -> Result<Vec<u8>> {
    check_canceled(interrupt)?;
    let size = check_file(path, limits)?;
    let too_large = |size: u64| {
        Error::new(
            ErrorKind::LimitExceeded,
            format!("{} has {size} bytes; the limit of a picture is {}", path.display(), limits.picture_bytes),
        )
        .suggest("re-encode it, or raise Limits::picture_bytes")
    };
    if size > limits.picture_bytes {
        return Err(too_large(size));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    // The file may grow meanwhile.
    file.take(limits.picture_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, error))?;
    if bytes.len() as u64 > limits.picture_bytes {
        return Err(too_large(bytes.len() as u64));
    }
    check_canceled(interrupt)?;
    Ok(bytes)
}

/// Runs a decoder on a stranger's file: should it panic, the file is at fault, and the worker goes on.
fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::SourceUnsupported, "its decoder gave up on the picture")
            .suggest("export it again, as JPEG or PNG"))
    })
}

fn check_canceled(interrupt: &Interrupt) -> Result<()> {
    if interrupt.is_set() {
        return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read"));
    }
    Ok(())
}

/// Checks the number of frames, and the work of decoding them all.
fn check_frames(frames: usize, width: u32, height: u32, limits: &Limits) -> Result<()> {
    if frames > limits.picture_frames {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("it has more than {} frames, the limit of an animation", limits.picture_frames),
        )
        .suggest("upload it as a video, or raise Limits::picture_frames"));
    }
    if frames > 1 {
        check_work((frames as u64).saturating_mul(u64::from(width) * u64::from(height)), limits)
    } else {
        Ok(())
    }
}

/// Checks the pixels of all frames together: the work of decoding them.
fn check_work(pixels: u64, limits: &Limits) -> Result<()> {
    if pixels > limits.animation_pixels {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("its frames have more than {} pixels together, the limit of an animation", limits.animation_pixels),
        )
        .suggest("upload it as a video, or raise Limits::animation_pixels"));
    }
    Ok(())
}

/// The last line of defence inside of the codecs, for what headers do not tell.
fn codec_limits(limits: &Limits) -> image::Limits {
    let mut codec = image::Limits::no_limits();
    // 16 bit RGBA takes 8 bytes a pixel; the rest is for tables, profiles and small files.
    codec.max_alloc = Some(limits.source_pixels.saturating_mul(16).saturating_add(64 << 20));
    codec
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::SourceUnreadable, format!("{} cannot be read", path.display())).caused_by(error)
}

fn damaged(format: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::SourceUnreadable, format!("the {format} is damaged or cut short"))
        .caused_by(error)
        .suggest("upload the file again, or export it as JPEG or PNG")
}

fn image_error(format: &str, error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(error) => {
            Error::new(ErrorKind::SourceUnsupported, format!("the {format} is of a kind that is not supported"))
                .caused_by(error)
                .suggest("export it as JPEG or PNG")
        }
        ImageError::Limits(error) => {
            Error::new(ErrorKind::LimitExceeded, format!("the {format} needs more memory than a picture may"))
                .caused_by(error)
                .suggest("export it smaller, or raise Limits::source_pixels")
        }
        error => damaged(format, error),
    }
}

#[cfg(test)]
mod tests;
