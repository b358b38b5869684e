//! WebP: lossy, lossless, with alpha. Frames of an animation are decoded as pictures of their own and composed here.
//!
//! `image-webp` composes too, but restores the background only when a colour is set, and then clears the wrong pixels
//! below frames without alpha (version 0.2.4).

use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder};

use super::color::{Model, Profile, Samples};
use super::{Header, TRUNCATED, check_frames, check_pixels, damaged, image_error, unreadable};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

fn open(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>> {
    WebPDecoder::new(Cursor::new(bytes)).map_err(|error| image_error("WebP", error))
}

pub(super) fn header(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let mut decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height, limits)?;
    let animated = decoder.has_animation();
    let has_alpha = decoder.color_type() == ColorType::Rgba8;
    let model = if has_alpha || animated { Model::Rgba } else { Model::Rgb };
    let mut header = Header {
        // Frames may leave parts of the canvas uncovered, whatever the header says.
        has_alpha: has_alpha || animated,
        orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile().ok().flatten().map_or(Profile::None, Profile::Icc),
        ..Header::new(width, height, model)
    };
    if animated {
        // One more than the limit shows that it is exceeded.
        let most = limits.picture_frames.saturating_add(1);
        header.delays = WebpFrame::all(bytes, most).iter().map(|frame| frame.delay).collect();
        check_frames(header.delays.len(), width, height, limits)?;
    }
    // The size in the RIFF header counts from behind itself.
    let claimed = bytes.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |&size| u32::from_le_bytes(size));
    if bytes.len() < 8 + claimed as usize {
        header.notes.push(TRUNCATED.to_owned());
    }
    Ok(header)
}

/// The first picture.
pub(super) fn samples(bytes: &[u8], model: Model) -> Result<Samples> {
    let decoder = open(bytes)?;
    if decoder.has_animation() {
        let frames = WebpFrame::all(bytes, 1);
        let first = frames.first().ok_or_else(|| Error::new(ErrorKind::SourceEmpty, "the WebP has no frames"))?;
        let (width, height) = decoder.dimensions();
        let mut canvas = Canvas::new(width, height);
        canvas.show(first, first.payload(bytes))?;
        return Ok(Samples::Eight(canvas.rgba));
    }
    let (width, height) = decoder.dimensions();
    let mut samples = vec![0; width as usize * height as usize * model.channels()];
    decoder.read_image(&mut samples).map_err(|error| image_error("WebP", error))?;
    Ok(Samples::Eight(samples))
}

/// One frame's header (chunk `ANMF` of the WebP container specification).
#[derive(Debug, Clone, Copy)]
struct WebpFrame {
    /// Where its chunks are in the file.
    start: usize,
    length: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// Milliseconds.
    delay: u32,
    blend: bool,
    /// Whether its rectangle is transparent again for the next frame.
    dispose: bool,
}

impl WebpFrame {
    /// The frames of the file that starts with `bytes`, at most `most`; the last one may reach beyond the end.
    fn all(bytes: &[u8], most: usize) -> Vec<Self> {
        let mut frames = Vec::new();
        let mut at = 12;
        while frames.len() < most
            && let Some(&[a, b, c, d, s0, s1, s2, s3]) = bytes.get(at..).and_then(|rest| rest.first_chunk())
        {
            let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
            if [a, b, c, d] == *b"ANMF"
                && let Some(body) = bytes.get(at + 8..).and_then(|rest| rest.first_chunk())
            {
                frames.extend(Self::read(body, at + 24, size));
            }
            // Chunks are padded to even sizes.
            at = at.saturating_add(8).saturating_add(size).saturating_add(size & 1);
        }
        frames
    }

    fn read(body: &[u8; 16], start: usize, size: usize) -> Option<Self> {
        let field = |at: usize| u32::from_le_bytes([body[at], body[at + 1], body[at + 2], 0]);
        Some(Self {
            start,
            length: size.checked_sub(16)?,
            left: field(0) as usize * 2,
            top: field(3) as usize * 2,
            width: field(6) as usize + 1,
            height: field(9) as usize + 1,
            delay: field(12),
            blend: body[15] & 2 == 0,
            dispose: body[15] & 1 != 0,
        })
    }

    fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = self.start.min(bytes.len());
        &bytes[start..self.start.saturating_add(self.length).min(bytes.len())]
    }
}

/// What the frames so far have left.
struct Canvas {
    width: usize,
    height: usize,
    /// Straight alpha.
    rgba: Vec<u8>,
    /// The rectangle that is cleared before the next frame: left, top, width, height.
    clear: Option<(usize, usize, usize, usize)>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, rgba: vec![0; width * height * 4], clear: None }
    }

    /// Puts `frame` with the chunks `payload` on the canvas.
    ///
    /// # Errors
    /// `SOURCE_UNREADABLE`; then the canvas is as before.
    fn show(&mut self, frame: &WebpFrame, payload: &[u8]) -> Result<()> {
        if frame.left + frame.width > self.width || frame.top + frame.height > self.height {
            return Err(Error::new(ErrorKind::SourceUnreadable, "a frame of the WebP is outside of its canvas"));
        }
        let picture = decode_frame(frame, payload)?;
        if let Some((left, top, width, height)) = self.clear.take() {
            for y in top..top + height {
                let at = (y * self.width + left) * 4;
                self.rgba[at..at + width * 4].fill(0);
            }
        }
        for (y, row) in picture.chunks_exact(frame.width * 4).enumerate() {
            let at = ((frame.top + y) * self.width + frame.left) * 4;
            let target = &mut self.rgba[at..at + row.len()];
            if frame.blend {
                let pixels = target.as_chunks_mut::<4>().0.iter_mut().zip(row.as_chunks::<4>().0);
                pixels.for_each(|(below, above)| *below = over(*above, *below));
            } else {
                target.copy_from_slice(row);
            }
        }
        self.clear = frame.dispose.then_some((frame.left, frame.top, frame.width, frame.height));
        Ok(())
    }
}

/// Source-over of straight colours, rounded.
fn over(above: [u8; 4], below: [u8; 4]) -> [u8; 4] {
    let (a, b) = (u32::from(above[3]), u32::from(below[3]));
    match (a, b) {
        (255, _) | (_, 0) => return above,
        (0, _) => return below,
        _ => {}
    }
    // In units of 1 / (255 * 255).
    let rest = b * (255 - a);
    let alpha = a * 255 + rest;
    let mix = |i: usize| ((u32::from(above[i]) * a * 255 + u32::from(below[i]) * rest + alpha / 2) / alpha) as u8;
    [mix(0), mix(1), mix(2), ((alpha + 127) / 255) as u8]
}

/// The RGBA picture of one frame: its chunks are a WebP file without a head.
fn decode_frame(frame: &WebpFrame, payload: &[u8]) -> Result<Vec<u8>> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    if payload.starts_with(b"ALPH") {
        file.extend(b"VP8X\x0a\0\0\0\x10\0\0\0");
        file.extend(&(frame.width as u32 - 1).to_le_bytes()[..3]);
        file.extend(&(frame.height as u32 - 1).to_le_bytes()[..3]);
    }
    file.extend(payload);
    let size = u32::try_from(file.len() - 8).unwrap_or(u32::MAX);
    file[4..8].copy_from_slice(&size.to_le_bytes());
    let decoder = open(&file)?;
    if decoder.has_animation() || decoder.dimensions() != (frame.width as u32, frame.height as u32) {
        return Err(Error::new(ErrorKind::SourceUnreadable, "a frame of the WebP is not what its header says"));
    }
    let has_alpha = decoder.color_type() == ColorType::Rgba8;
    let mut samples = vec![0; frame.width * frame.height * if has_alpha { 4 } else { 3 }];
    decoder.read_image(&mut samples).map_err(|error| image_error("WebP", error))?;
    if has_alpha {
        return Ok(samples);
    }
    Ok(samples.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect())
}

/// Reads an animation forward: holds the file, the canvas, and one frame while it is composed.
pub(super) struct WebpFrames {
    file: File,
    frames: Vec<WebpFrame>,
    next: usize,
    canvas: Canvas,
}

impl WebpFrames {
    /// Opens the file at `path`, whose content is `bytes`, for at most `most` frames.
    pub(super) fn open(path: &Path, bytes: &[u8], (width, height): (u32, u32), most: usize) -> Result<Self> {
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        Ok(Self { file, frames: WebpFrame::all(bytes, most), next: 0, canvas: Canvas::new(width, height) })
    }

    /// The next composed canvas, RGBA. `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>> {
        let Some(&frame) = self.frames.get(self.next) else { return Ok(None) };
        let mut payload = Vec::new();
        let mut read = || {
            self.file.seek(SeekFrom::Start(frame.start as u64))?;
            (&self.file).take(frame.length as u64).read_to_end(&mut payload)
        };
        read().map_err(|error| damaged("WebP", error))?;
        self.canvas.show(&frame, &payload)?;
        self.next += 1;
        Ok(Some(&self.canvas.rgba))
    }

    /// Starts again at the first frame.
    pub(super) fn restart(&mut self) {
        self.next = 0;
        self.canvas.rgba.fill(0);
        self.canvas.clear = None;
    }
}
