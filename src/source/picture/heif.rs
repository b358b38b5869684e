//! AVIF and HEIC through libheif, which applies crop, rotation and mirroring (`clap`, `irot`, `imir`) itself.

use libheif_rs::{ColorPrimaries, ColorProfileNCLX, TransferCharacteristics};
use libheif_rs::{
    ColorProfile as _, ColorSpace, HeifContext, HeifError, HeifErrorCode, ImageHandle, LibHeif, RgbChroma,
};

use super::color::{Model, Profile, Samples};
use super::{Header, check_pixels, damaged};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// Bits of a sample that libheif is asked for; it converts 10 and 12 bit.
const OUT_BITS: u8 = 8;

pub(super) fn header(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let (_library, context) = open(bytes)?;
    let handle = primary(&context, limits)?;
    let mut notes = Vec::new();
    if context.number_of_top_level_images() > 1 || is_sequence(bytes) {
        notes.push("several pictures: only the primary one is shown".to_owned());
    }
    let bits = handle.luma_bits_per_pixel();
    if bits > OUT_BITS && bits != u8::MAX {
        notes.push(format!("{bits} bit -> 8 bit"));
    }
    Ok(Header {
        has_alpha: handle.has_alpha_channel(),
        profile: profile(&handle),
        notes,
        ..Header::new(handle.width(), handle.height(), Model::Rgba)
    })
}

pub(super) fn samples(bytes: &[u8], limits: &Limits) -> Result<Samples> {
    let (library, context) = open(bytes)?;
    let handle = primary(&context, limits)?;
    // Without options: version 0.20 of the wrapper frees them before libheif reads them.
    let image = library.decode(&handle, ColorSpace::Rgb(RgbChroma::Rgba), None).map_err(failed)?;
    let plane = image.planes().interleaved;
    let plane = plane.ok_or_else(|| Error::new(ErrorKind::SourceUnreadable, "its decoder gives no picture"))?;
    let (width, height) = (handle.width() as usize, handle.height() as usize);
    if (plane.width as usize, plane.height as usize) != (width, height) || plane.bits_per_pixel != OUT_BITS {
        return Err(Error::new(
            ErrorKind::SourceUnreadable,
            format!("its picture is {}x{}, and its header says {width}x{height}", plane.width, plane.height),
        )
        .suggest("export it again"));
    }
    let rows = plane.data.chunks(plane.stride.max(1)).take(height);
    let mut rgba: Vec<u8> = Vec::with_capacity(width * height * 4);
    rows.for_each(|row| rgba.extend(&row[..row.len().min(width * 4)]));
    rgba.resize(width * height * 4, 0);
    if handle.is_premultiplied_alpha() {
        rgba.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| *pixel = straight(*pixel));
    }
    Ok(Samples::Eight(rgba))
}

fn open(bytes: &[u8]) -> Result<(LibHeif, HeifContext<'_>)> {
    // First, so that its plugins are there; it counts its users.
    let library = LibHeif::new_checked().map_err(failed)?;
    let context = HeifContext::read_from_bytes(bytes).map_err(failed)?;
    Ok((library, context))
}

/// The primary picture, whose size is within the limits before and after cropping.
fn primary(context: &HeifContext<'_>, limits: &Limits) -> Result<ImageHandle> {
    let handle = context.primary_image_handle().map_err(failed)?;
    let coded = |side: i32| u32::try_from(side).unwrap_or(u32::MAX);
    check_pixels(handle.width(), handle.height(), limits)?;
    check_pixels(coded(handle.ispe_width()), coded(handle.ispe_height()), limits)?;
    Ok(handle)
}

/// Whether it also has a track of pictures (ISO/IEC 23008-12, clause 7).
fn is_sequence(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&[a, b, c, d, kind @ ..]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        match u32::from_be_bytes([a, b, c, d]) as usize {
            _ if kind == *b"moov" => return true,
            // 0 means to the end of the file, and 1 a size of 64 bits, which no box before it needs.
            size if size < 8 => return false,
            size => at = at.saturating_add(size),
        }
    }
    false
}

/// Its ICC profile, or else its code points.
fn profile(handle: &ImageHandle) -> Profile {
    if let Some(raw) = handle.color_profile_raw()
        && matches!(&raw.profile_type().0, b"prof" | b"rICC")
    {
        return Profile::Icc(raw.data);
    }
    handle.color_profile_nclx().map_or(Profile::None, |nclx| code_points(&nclx))
}

fn code_points(nclx: &ColorProfileNCLX) -> Profile {
    let primaries = match nclx.color_primaries() {
        ColorPrimaries::Unknown => 2,
        primaries => primaries as u8,
    };
    let transfer = match nclx.transfer_characteristics() {
        TransferCharacteristics::Unknown => 2,
        transfer => transfer as u8,
    };
    Profile::Cicp { primaries, transfer }
}

/// Straight colour of a premultiplied one.
fn straight([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let divide = |value: u8| {
        let rounded = (u32::from(value) * 255 + u32::from(a) / 2).checked_div(u32::from(a));
        rounded.unwrap_or(0).min(255) as u8
    };
    [divide(r), divide(g), divide(b), a]
}

fn failed(error: HeifError) -> Error {
    match error.code {
        HeifErrorCode::UnsupportedFileType | HeifErrorCode::UnsupportedFeature => {
            Error::new(ErrorKind::SourceUnsupported, "the picture uses a feature of HEIF that is not supported")
                .caused_by(error)
                .suggest("export it as JPEG or PNG")
        }
        HeifErrorCode::MemoryAllocationError => {
            Error::new(ErrorKind::LimitExceeded, "the picture is beyond libheif's limits")
                .caused_by(error)
                .suggest("export it as JPEG or PNG")
        }
        _ => damaged("HEIF", error),
    }
}
