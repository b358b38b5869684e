//! PNG: every colour type and depth, palettes and `tRNS` expanded; of an animation the default picture.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder as _};

use super::color::{Model, Profile, Samples};
use super::{Header, TRUNCATED, codec_limits, image_error};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<PngDecoder<Cursor<&'a [u8]>>> {
    PngDecoder::with_limits(Cursor::new(bytes), codec_limits(limits)).map_err(|error| image_error("PNG", error))
}

pub(super) fn header(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let mut decoder = open(bytes, limits)?;
    let (width, height) = decoder.dimensions();
    let (model, bits) = samples_of(decoder.color_type());
    let mut notes = Vec::new();
    if decoder.is_apng().unwrap_or(false) {
        notes.push("animated PNG: only its first picture is shown".to_owned());
    }
    if !is_whole(bytes) {
        notes.push(TRUNCATED.to_owned());
    }
    Ok(Header {
        bits,
        has_alpha: matches!(model, Model::GrayAlpha | Model::Rgba),
        orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile().ok().flatten().map_or(Profile::None, Profile::Icc),
        notes,
        ..Header::new(width, height, model)
    })
}

pub(super) fn samples(bytes: &[u8], limits: &Limits) -> Result<Samples> {
    let decoder = open(bytes, limits)?;
    let (model, bits) = samples_of(decoder.color_type());
    let (width, height) = decoder.dimensions();
    // What is missing stays transparent, or grey where there is no alpha, as in a JPEG.
    let blank = if matches!(model, Model::GrayAlpha | Model::Rgba) { 0 } else { 128 };
    let mut samples = vec![blank; width as usize * height as usize * model.channels() * usize::from(bits / 8)];
    let outcome = decoder.read_image(&mut samples);
    // Rows that were read before the fault are there.
    if let Err(error) = outcome {
        if samples.iter().all(|&value| value == blank) {
            return Err(image_error("PNG", error));
        }
        // Only whole pictures are brought into the machine's byte order.
        return Ok(pack(samples, bits, u16::from_be_bytes));
    }
    Ok(pack(samples, bits, u16::from_ne_bytes))
}

fn pack(samples: Vec<u8>, bits: u8, word: impl Fn([u8; 2]) -> u16) -> Samples {
    match bits {
        8 => Samples::Eight(samples),
        _ => Samples::Sixteen(samples.as_chunks::<2>().0.iter().map(|&pair| word(pair)).collect()),
    }
}

/// The model and the bits of a sample.
fn samples_of(color: ColorType) -> (Model, u8) {
    match color {
        ColorType::L8 => (Model::Gray, 8),
        ColorType::La8 => (Model::GrayAlpha, 8),
        ColorType::Rgb8 => (Model::Rgb, 8),
        ColorType::L16 => (Model::Gray, 16),
        ColorType::La16 => (Model::GrayAlpha, 16),
        ColorType::Rgb16 => (Model::Rgb, 16),
        ColorType::Rgba16 => (Model::Rgba, 16),
        _ => (Model::Rgba, 8),
    }
}

/// Whether the end chunk is there.
fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some([a, b, c, d, kind @ ..]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        if kind == b"IEND" {
            return true;
        }
        // Length, kind and checksum take 12 bytes.
        at = at.saturating_add(u32::from_be_bytes([*a, *b, *c, *d]) as usize).saturating_add(12);
    }
    false
}

/// The size that the file `bytes` claims, read before anything is allocated.
pub(super) fn claimed_size(bytes: &[u8]) -> Result<(u32, u32)> {
    let field = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    match (bytes.get(12..16), field(16), field(20)) {
        (Some(b"IHDR"), Some(width), Some(height)) => Ok((width, height)),
        _ => Err(Error::new(ErrorKind::SourceUnreadable, "the PNG has no header").suggest("upload the file again")),
    }
}
