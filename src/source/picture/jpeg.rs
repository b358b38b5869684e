//! JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK, whole or cut short.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv444_to_rgb};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::color::{Model, Profile, Samples};
use super::{Header, TRUNCATED, damaged};
use crate::compose::{PlaneRef, SourceRect};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Decoder, Packet, Received, VideoFrame};

/// Scans of a progressive picture. Encoders write about ten; each costs a pass over all coefficients.
const MAX_SCANS: usize = 100;

/// The header of the JPEG file `bytes`, which is mended in place where the decoder would misread it.
pub(super) fn header(bytes: &mut Vec<u8>) -> Result<Header> {
    let survey = Survey::of(bytes);
    survey.mend(bytes);
    let mut decoder = decoder(bytes, ColorSpace::RGBA);
    decoder.decode_headers().map_err(failed)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let profile = decoder.icc_profile().map_or(Profile::None, Profile::Icc);
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    if survey.entropy_bytes == 0 {
        return Err(Error::new(ErrorKind::SourceEmpty, "the JPEG ends before its first pixels")
            .suggest("upload the file again"));
    }
    Ok(Header {
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        profile,
        notes: if survey.complete { Vec::new() } else { vec![TRUNCATED.to_owned()] },
        ..Header::new(width as u32, height as u32, survey.coding().model())
    })
}

/// The samples of the JPEG file `bytes` after [`header`], in the header's model.
pub(super) fn samples(bytes: &[u8], model: Model) -> Result<Samples> {
    // RGB is mended away in the file.
    let coding = if model == Model::Rgb { Coding::Rgb } else { Survey::of(bytes).coding() };
    let mut decoder = decoder(bytes, ColorSpace::RGBA);
    decoder.decode_headers().map_err(failed)?;
    let options = *decoder.options();
    decoder.set_options(options.jpeg_set_out_colorspace(match coding {
        Coding::Gray => ColorSpace::Luma,
        Coding::Ycbcr => ColorSpace::RGBA,
        // The decoder takes them for YCbCr, and copies samples in the colour space that they have.
        Coding::Rgb => ColorSpace::YCbCr,
        Coding::Cmyk => ColorSpace::CMYK,
        Coding::Ycck => ColorSpace::YCCK,
    }));
    let size = decoder.output_buffer_size().unwrap_or_default();
    let mut samples = vec![128; size];
    decoder.decode_into(&mut samples).map_err(failed)?;
    match coding {
        // Where the data ends, the decoder fills all channels with grey.
        Coding::Ycbcr => samples.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 255),
        // Adobe's way, and with it everybody's: 255 is no ink.
        Coding::Cmyk => samples.iter_mut().for_each(|ink| *ink = 255 - *ink),
        Coding::Ycck => samples.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| *pixel = ycck_to_cmyk(*pixel)),
        Coding::Gray | Coding::Rgb => {}
    }
    Ok(Samples::Eight(samples))
}

/// The part `rect` of the JPEG file `bytes` of `width` x `height`, scaled to `size`, as RGB samples; `None` where it is not
/// Y'CbCr in 8 bit, or damaged in any way: then [`samples`] shows what there is.
///
/// Planes are scaled before they become RGB, at the reduction of the transform that is still large enough: 18 MB for 12
/// megapixels, where RGB has 36, and a third of the time.
pub(super) fn scaled(
    bytes: Vec<u8>,
    (width, height): (u32, u32),
    rect: SourceRect,
    size: (u32, u32),
    max_pixels: u64,
) -> Result<Option<Vec<u8>>> {
    let survey = Survey::of(&bytes);
    if survey.coding() != Coding::Ycbcr || !survey.complete || survey.adobe.is_some_and(|(_, transform)| transform != 1)
    {
        return Ok(None);
    }
    // Twice the size is kept for the filter to work on.
    let reduced = (1..=3u8)
        .rev()
        .find(|&power| rect.width >> power >= 2 * size.0 && rect.height >> power >= 2 * size.1)
        .unwrap_or(0);
    let Some(frame) = decoded(bytes, reduced, max_pixels) else { return Ok(None) };
    let Some((planes, shifts)) = frame.planes_of_any_chroma() else { return Ok(None) };
    let whole = |value: u32| value.div_ceil(1 << reduced);
    if planes.len() != 3 || (frame.width(), frame.height()) != (whole(width), whole(height)) {
        return Ok(None);
    }
    let mut resizer = Resizer::new();
    let mut scaled = Vec::new();
    for (number, plane) in planes.iter().enumerate() {
        let [w, h] = if number == 0 { [0, 0] } else { shifts };
        let (across, down) = (f64::from(1u32 << (u32::from(reduced) + w)), f64::from(1u32 << (u32::from(reduced) + h)));
        let part = Part {
            left: f64::from(rect.x) / across,
            top: f64::from(rect.y) / down,
            width: f64::from(rect.width) / across,
            height: f64::from(rect.height) / down,
        };
        scaled.push(part.of(plane, size, &mut resizer)?);
    }
    drop(planes);
    drop(frame);
    let [y, u, v] = &scaled[..] else { return Ok(None) };
    let image = YuvPlanarImage {
        y_plane: y,
        y_stride: size.0,
        u_plane: u,
        u_stride: size.0,
        v_plane: v,
        v_stride: size.0,
        width: size.0,
        height: size.1,
    };
    let mut rgb = vec![0; size.0 as usize * size.1 as usize * 3];
    // JFIF: full range, BT.601.
    yuv444_to_rgb(&image, &mut rgb, size.0 * 3, YuvRange::Full, YuvStandardMatrix::Bt601).map_err(|error| {
        Error::new(ErrorKind::Internal, "the samples of a JPEG cannot be converted").caused_by(error.to_string())
    })?;
    Ok(Some(rgb))
}

/// The picture by FFmpeg; `None` if it finds any fault.
fn decoded(bytes: Vec<u8>, reduced: u8, max_pixels: u64) -> Option<VideoFrame> {
    let mut decoder = Decoder::of_jpegs(reduced, max_pixels).ok()?;
    let mut frame = VideoFrame::empty().ok()?;
    let packet = Packet::with_data(&bytes).ok()?;
    // FFmpeg has its copy.
    drop(bytes);
    decoder.send(&packet).ok()?;
    drop(packet);
    decoder.send_end().ok()?;
    match decoder.receive_video(&mut frame) {
        Ok(Received::Frame) if !frame.is_damaged() => Some(frame),
        _ => None,
    }
}

/// A part of a plane, in its samples.
struct Part {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Part {
    /// Scaled to `size`.
    fn of(&self, plane: &PlaneRef<'_>, size: (u32, u32), resizer: &mut Resizer) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, "a picture cannot be scaled").caused_by(error.to_string())
        };
        // Whole samples around it are taken out, so that the filter never sees what FFmpeg pads rows with.
        let (left, top) = (self.left.floor(), self.top.floor());
        let right = (self.left + self.width).ceil().min(plane.width() as f64);
        let bottom = (self.top + self.height).ceil().min(plane.height() as f64);
        let (columns, rows) = (left as usize..right as usize, top as usize..bottom as usize);
        let (width, height) = (columns.len() as u32, rows.len() as u32);
        let mut packed = Vec::with_capacity(columns.len() * rows.len());
        for row in rows {
            packed.extend_from_slice(plane.row(row).get(columns.clone()).unwrap_or_default());
        }
        let source = ImageRef::new(width, height, &packed, PixelType::U8).map_err(|error| failed(&error))?;
        let mut target = Image::new(size.0, size.1, PixelType::U8);
        let inner = (self.left - left, self.top - top);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).crop(
            inner.0,
            inner.1,
            self.width.min(f64::from(width) - inner.0),
            self.height.min(f64::from(height) - inner.1),
        );
        resizer.resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
        Ok(target.into_vec())
    }
}

fn decoder(bytes: &[u8], color: ColorSpace) -> JpegDecoder<ZCursor<&[u8]>> {
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_max_width(side)
        .set_max_height(side)
        .set_strict_mode(false)
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(color);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

fn failed(error: DecodeErrors) -> Error {
    if let DecodeErrors::Unsupported(_) = error {
        return Error::new(ErrorKind::SourceUnsupported, "the JPEG is of a kind that is not supported")
            .caused_by(error)
            .suggest("export it as a baseline JPEG of 8 bit");
    }
    damaged("JPEG", error)
}

/// Inks, 0 for none, from YCbCr of the complement and inverted black (Adobe's technical note 5116). BT.601, full range.
fn ycck_to_cmyk([y, cb, cr, k]: [u8; 4]) -> [u8; 4] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    let cyan = byte(y + 1.402 * cr);
    let magenta = byte(y - 0.344_136 * cb - 0.714_136 * cr);
    let yellow = byte(y + 1.772 * cb);
    [cyan, magenta, yellow, 255 - k]
}

/// What the three or four components of a JPEG are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gray,
    Ycbcr,
    Rgb,
    Cmyk,
    Ycck,
}

impl Coding {
    const fn model(self) -> Model {
        match self {
            Self::Gray => Model::Gray,
            Self::Ycbcr => Model::Rgba,
            Self::Rgb => Model::Rgb,
            Self::Cmyk | Self::Ycck => Model::Cmyk,
        }
    }
}

/// A walk over the markers of a JPEG up to its end.
#[derive(Default)]
struct Survey {
    /// Identifiers of the frame's components.
    components: Vec<u8>,
    /// Where the transform byte of an Adobe marker is, and its value.
    adobe: Option<(usize, u8)>,
    jfif: bool,
    /// Bytes of compressed samples.
    entropy_bytes: usize,
    /// Whether the end marker is there.
    complete: bool,
}

impl Survey {
    fn of(bytes: &[u8]) -> Self {
        let mut survey = Self::default();
        let mut at = 2;
        while let Some((marker, body)) = next_marker(bytes, at) {
            at = body;
            match marker {
                0xd9 => {
                    survey.complete = true;
                    break;
                }
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let Some(&length) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) else { break };
            let end = at + usize::from(u16::from_be_bytes(length)).max(2);
            let Some(segment) = bytes.get(at + 2..end) else { break };
            survey.note(marker, at + 2, segment);
            at = end;
            if marker == 0xda {
                at = end_of_entropy(bytes, end);
                survey.entropy_bytes += at - end;
            }
        }
        survey
    }

    fn note(&mut self, marker: u8, at: usize, segment: &[u8]) {
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                self.components =
                    segment.get(6..).unwrap_or_default().as_chunks::<3>().0.iter().map(|c| c[0]).collect();
            }
            0xe0 if segment.starts_with(b"JFIF") => self.jfif = true,
            0xee if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).map(|&value| (at + 11, value)),
            _ => {}
        }
    }

    /// The same rules as libjpeg's (`default_decompress_parms`).
    fn coding(&self) -> Coding {
        match (self.components.as_slice(), self.adobe) {
            ([_], _) => Coding::Gray,
            ([_, _, _, _], Some((_, 2))) => Coding::Ycck,
            ([_, _, _, _], _) => Coding::Cmyk,
            _ if self.jfif => Coding::Ycbcr,
            (_, Some((_, 0))) | ([b'R', b'G', b'B'], None) => Coding::Rgb,
            _ => Coding::Ycbcr,
        }
    }

    /// Gives the file what the decoder needs: an end marker, as libjpeg does, so that the scan it breaks off in is
    /// shown; and an Adobe marker that fits the components (it takes 0 for CMYK, whatever their number, and refuses
    /// unknown values).
    fn mend(&self, bytes: &mut Vec<u8>) {
        if let Some((at, value)) = self.adobe
            && let Some(transform) = bytes.get_mut(at)
        {
            *transform = match (self.components.len(), value) {
                (4, 2) => 2,
                (4, _) => 0,
                _ => 1,
            };
        }
        if !self.complete {
            bytes.extend([0xff, 0xd9]);
        }
    }
}

/// The next marker from `at` on and where its body starts. Bytes between are skipped.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match bytes.get(at + 1)? {
            0x00 | 0xff => at += 1,
            &marker => return Some((marker, at + 2)),
        }
    }
}

/// Where the compressed samples end that start at `at`.
fn end_of_entropy(bytes: &[u8], mut at: usize) -> usize {
    while let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0xff)) {
        at += skip;
        match bytes.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return at,
            None => return bytes.len(),
        }
    }
    bytes.len()
}
