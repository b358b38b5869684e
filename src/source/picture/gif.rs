//! GIF: the frames' times from their headers; the pictures through the `image` crate, which composes them as browsers
//! do (the background colour is ignored).

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder as _, Frames, ImageDecoder as _};

use super::color::{Model, Profile, Samples};
use super::{Header, TRUNCATED, check_frames, check_pixels, check_work, codec_limits, damaged, image_error};
use crate::error::Result;
use crate::limits::Limits;

pub(super) fn header(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(|error| damaged("GIF", error))?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_pixels(width, height, limits)?;
    let mut header = Header::new(width, height, Model::Rgba);
    let size = (decoder.width(), decoder.height());
    let mut unpacked = 0u64;
    loop {
        match decoder.next_frame_info() {
            Ok(Some(frame)) => {
                // A frame may be larger than the canvas.
                check_pixels(u32::from(frame.width), u32::from(frame.height), limits)?;
                // What a first frame that covers the canvas has filled stays filled, unless a frame is cleared after it.
                let covers = frame.left == 0 && frame.top == 0 && (frame.width, frame.height) == size;
                let fills = covers && frame.transparent.is_none();
                header.has_alpha |=
                    (header.delays.is_empty() && !fills) || frame.dispose == gif::DisposalMethod::Background;
                header.delays.push(u32::from(frame.delay) * 10);
                check_frames(header.delays.len(), width, height, limits)?;
                // All of a frame is unpacked, also what lies outside of the canvas.
                unpacked = unpacked.saturating_add(u64::from(frame.width) * u64::from(frame.height));
                check_work(unpacked, limits)?;
            }
            Ok(None) => break,
            Err(error) if header.delays.is_empty() => return Err(damaged("GIF", error)),
            Err(_) => {
                header.notes.push(TRUNCATED.to_owned());
                break;
            }
        }
    }
    header.profile = decoder.icc_profile().map_or(Profile::None, |icc| Profile::Icc(icc.to_vec()));
    Ok(header)
}

/// The first picture.
pub(super) fn samples(bytes: &[u8], limits: &Limits) -> Result<Samples> {
    let failed = |error| image_error("GIF", error);
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    decoder.set_limits(codec_limits(limits)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    let mut rgba = vec![0; width as usize * height as usize * 4];
    decoder.read_image(&mut rgba).map_err(failed)?;
    Ok(Samples::Eight(rgba))
}

/// All pictures, composed, one after the other.
pub(super) fn frames(path: &Path, limits: &Limits) -> Result<Frames<'static>> {
    let failed = |error| image_error("GIF", error);
    let file = File::open(path).map_err(|error| super::unreadable(path, error))?;
    let mut decoder = GifDecoder::new(BufReader::new(file)).map_err(failed)?;
    decoder.set_limits(codec_limits(limits)).map_err(failed)?;
    Ok(decoder.into_frames())
}
