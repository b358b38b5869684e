//! Baseline JPEG in sRGB.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use crate::error::{Error, ErrorKind, Result};

/// Encodes RGB8 rows without padding as a baseline JPEG without metadata. `quality` is 1 to 100.
pub(crate) fn encode_jpeg(rgb: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::new(ErrorKind::Internal, "encoding a JPEG failed").caused_by(error))?;
    Ok(jpeg)
}
