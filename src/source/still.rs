//! One picture of a source, at the size in which a slide shows it.

use std::path::Path;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::index::AtEnd;
use super::picture::decode_scaled;
use super::probe::Origin;
use super::reader::Reading;
use super::{ProbedVideo, ShotReader};
use crate::compose::{SourceRect, rgba_of};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// The part `rect` of the picture that the source at `path` shows at `at`, scaled to `size`: premultiplied sRGB, 8 bit,
/// rows without padding. An animated picture shows its first frame. Both numbers of `size` are even.
///
/// # Errors
/// What reading the source reports.
pub(crate) fn still(
    path: &Path,
    video: &ProbedVideo,
    at: TimeSpan,
    rect: SourceRect,
    size: CanvasSize,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<Vec<u8>> {
    match &video.origin {
        Origin::Picture(kind) => decode_scaled(path, *kind, rect, size, limits, interrupt),
        Origin::Stream(_) => {
            let reading = Reading {
                start: at,
                end: None,
                rate: FrameRate::FPS_30,
                frames: FrameRange::new(0, 1),
                at_end: AtEnd::Hold,
                rect,
                canvas: size,
                second: None,
            };
            let mut reader = ShotReader::open(path, video, reading, limits, interrupt)?;
            premultiplied(reader.frame_anywhere(0)?)
        }
    }
}

/// A working picture as premultiplied sRGB.
fn premultiplied(picture: &VideoFrame) -> Result<Vec<u8>> {
    let wrong = || Error::new(ErrorKind::Internal, "a picture is not in the working format");
    let mut rgba = rgba_of(picture.planes().ok_or_else(wrong)?)?;
    if let Some(alpha) = picture.alpha() {
        // Its colours are premultiplied around black already.
        for ([r, g, b, a], &alpha) in rgba.as_chunks_mut::<4>().0.iter_mut().zip(alpha.rows().flatten()) {
            (*r, *g, *b, *a) = ((*r).min(alpha), (*g).min(alpha), (*b).min(alpha), alpha);
        }
    }
    Ok(rgba)
}

/// `pixels` of `size`, blurred with the standard deviation `sigma` in pixels.
pub(crate) fn blurred(pixels: Vec<u8>, size: CanvasSize, sigma: u32) -> Result<Vec<u8>> {
    /// A blur hides what is finer than this.
    const STEP: u32 = 8;
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Internal, "a picture cannot be blurred").caused_by(error.to_string())
    };
    let (width, height) = (size.width(), size.height());
    let source = Image::from_vec_u8(width, height, pixels, PixelType::U8x4);
    let source = source.map_err(|error| failed(&error))?;
    let mut small = Image::new(width.div_ceil(STEP), height.div_ceil(STEP), PixelType::U8x4);
    let scale = |filter| ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    let mut resizer = Resizer::new();
    resizer.resize(&source, &mut small, &scale(FilterType::Box)).map_err(|error| failed(&error))?;
    let (w, h) = (small.width(), small.height());
    let picture = image::RgbaImage::from_raw(w, h, small.into_vec()).ok_or_else(|| failed(&"its size"))?;
    let picture = image::imageops::fast_blur(&picture, sigma as f32 / STEP as f32);
    let small = Image::from_vec_u8(w, h, picture.into_raw(), PixelType::U8x4).map_err(|error| failed(&error))?;
    let mut target = Image::new(width, height, PixelType::U8x4);
    resizer.resize(&small, &mut target, &scale(FilterType::CatmullRom)).map_err(|error| failed(&error))?;
    Ok(target.into_vec())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::probe;

    /// Peak signal to noise of `left` against `right`, in dB.
    fn psnr(left: &[u8], right: &[u8]) -> f64 {
        assert_eq!(left.len(), right.len());
        let error: f64 = left.iter().zip(right).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        10.0 * (255.0f64.powi(2) * left.len() as f64 / error).log10()
    }

    /// Against libswscale's exact Lanczos, of a picture with detail at all sizes: rings of growing frequency, and edges.
    #[test]
    fn scaling_is_as_good_as_a_careful_one() {
        let picture = image::RgbImage::from_fn(1620, 2880, |x, y| {
            let (dx, dy) = (f64::from(x) - 810.0, f64::from(y) - 1440.0);
            let ring = (dx.hypot(dy).powi(2) / 7000.0).sin() * 0.5 + 0.5;
            let edge = if (x / 135 + y / 135) % 2 == 0 { 30.0 } else { 0.0 };
            let value = (40.0 + 160.0 * ring + edge) as u8;
            image::Rgb([value, value / 2 + 60, 220 - value / 2])
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rings.png");
        picture.save(&file).expect("can be written");
        let (limits, interrupt) = (Limits::default(), Interrupt::new(Arc::default(), Arc::default(), Arc::default()));
        let probed = probe(&file, &limits, &interrupt).expect("can be probed").video.expect("a picture");
        for (width, height) in [(1080, 1920), (540, 960), (1800, 3200)] {
            let size = CanvasSize::new(width, height).expect("not zero");
            let rect = SourceRect { x: 0, y: 0, width: 1620, height: 2880 };
            let found = still(&file, &probed, TimeSpan::ZERO, rect, size, &limits, &interrupt).expect("is scaled");
            let found: Vec<u8> = found.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
            let filter = format!("scale={width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int");
            let reference = std::process::Command::new("ffmpeg")
                .args(["-v", "error", "-i"])
                .arg(&file)
                .args(["-vf", &filter, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
                .output()
                .expect("ffmpeg runs");
            let psnr = psnr(&found, &reference.stdout);
            assert!(psnr > 45.0, "{width}x{height}: {psnr:.1} dB");
        }
    }

    #[test]
    fn a_blur_keeps_the_mean_and_takes_the_detail() {
        let size = CanvasSize::new(160, 160).expect("not zero");
        let stripes: Vec<u8> = (0..160 * 160)
            .flat_map(|at| if at % 160 / 4 % 2 == 0 { [200, 100, 0, 255] } else { [0, 100, 200, 255] })
            .collect();
        let soft = blurred(stripes, size, 24).expect("is blurred");
        let soft = soft.as_chunks::<4>().0;
        assert!(
            soft.iter().all(|&[r, g, b, a]| (90..=110).contains(&r) && g == 100 && (90..=110).contains(&b) && a == 255)
        );
    }
}
