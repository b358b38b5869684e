//! Baseline JPEG in sRGB.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::error::{Error, ErrorKind, Result};

/// Encodes RGB8 rows without padding as a baseline JPEG without metadata. `quality` is 1 to 100. Chroma is kept at full
/// size: coloured letters stay sharp.
pub(crate) fn encode_jpeg(rgb: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>> {
    let too_large = || Error::new(ErrorKind::LimitExceeded, format!("a JPEG of {width}x{height} pixels is too large"));
    let (width, height) = (u16::try_from(width).ok(), u16::try_from(height).ok());
    let (width, height) = width.zip(height).ok_or_else(too_large)?;
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder
        .encode(rgb, width, height, ColorType::Rgb)
        .map_err(|error| Error::new(ErrorKind::Internal, "encoding a JPEG failed").caused_by(error))?;
    Ok(jpeg)
}
