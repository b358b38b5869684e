//! One chunk: a closed GOP encoded by an encoder of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::annexb::without_sei;
use super::preset::{Preset, VideoSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, H264Encoder, Interrupt, Packet, VideoFrame};
use crate::units::{CanvasSize, FrameRate};

/// A finished chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedChunk {
    /// SPS and PPS in Annex B form: the same in every chunk of a plan.
    pub extradata: Vec<u8>,
    /// How many frames the decoder must hold back for reordering: the same in every chunk of a plan.
    pub reorder_depth: u32,
    /// Its pictures in decoding order; the first is an IDR picture.
    pub pictures: Vec<EncodedPicture>,
    /// The pictures that it could not show as they are coded: which of the clips that are on, in the order of
    /// their shots, and the picture's number in it.
    pub concealed: BTreeSet<(u32, u32)>,
    /// In how many of them somebody else was put in the place of who is seen.
    pub performed: u32,
}

/// One encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPicture {
    /// The frame of the chunk that it shows, from 0.
    pub frame: u32,
    /// Whether decoding can start here.
    pub is_key: bool,
    /// NAL units in Annex B form.
    pub data: Vec<u8>,
}

/// Encodes the frames of one chunk.
pub(crate) struct ChunkEncoder {
    encoder: H264Encoder,
    interrupt: Interrupt,
    packet: Packet,
    sent: u32,
    pictures: Vec<EncodedPicture>,
}

impl ChunkEncoder {
    pub(crate) fn new(
        settings: &VideoSettings,
        canvas: CanvasSize,
        rate: FrameRate,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let options = settings.options();
        let options = options.iter().map(|(name, value)| (*name, value.as_str()));
        let encoder =
            H264Encoder::open((canvas.width(), canvas.height()), rate, settings.gop, options).map_err(|error| {
                Error::new(ErrorKind::Internal, "the H.264 encoder cannot be opened")
                    .caused_by(error)
                    .suggest("use an FFmpeg with libx264; `remix check` tells what is there")
            })?;
        Ok(Self { encoder, interrupt, packet: Packet::new().map_err(failed)?, sent: 0, pictures: Vec::new() })
    }

    /// Encodes the next frame: canvas size, 4:2:0 8 bit, BT.709 limited.
    pub(crate) fn send(&mut self, frame: &mut VideoFrame) -> Result<()> {
        frame.set_pts(i64::from(self.sent));
        self.sent += 1;
        self.encoder.send(frame).map_err(failed)?;
        self.collect()
    }

    fn collect(&mut self) -> Result<()> {
        while self.encoder.receive(&mut self.packet).map_err(failed)? {
            // At the end of a chunk all frames of the lookahead come out, which may take seconds.
            if self.interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a chunk was encoded"));
            }
            self.interrupt.pulse().beat();
            let frame = self.packet.pts().and_then(|pts| u32::try_from(pts).ok());
            let frame =
                frame.ok_or_else(|| Error::new(ErrorKind::Internal, "the encoder gave a picture without time"))?;
            self.pictures.push(EncodedPicture {
                frame,
                is_key: self.packet.is_key(),
                data: without_sei(self.packet.data()),
            });
        }
        Ok(())
    }

    /// Encodes what is left and gives the chunk.
    pub(crate) fn finish(mut self) -> Result<EncodedChunk> {
        self.encoder.send_end().map_err(failed)?;
        self.collect()?;
        if self.pictures.len() != self.sent as usize || !self.pictures.first().is_some_and(|picture| picture.is_key) {
            let message = format!("the encoder gave {} pictures for {} frames", self.pictures.len(), self.sent);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok(EncodedChunk {
            extradata: without_sei(&self.encoder.extradata()),
            reorder_depth: self.encoder.reorder_depth(),
            pictures: self.pictures,
            concealed: BTreeSet::new(),
            performed: 0,
        })
    }
}

fn failed(error: AvError) -> Error {
    Error::new(ErrorKind::Internal, "encoding a picture failed").caused_by(error)
}

/// The x264 build that FFmpeg runs, such as `core 164 r3095 baee400`: its bytes differ from build to build, and only
/// its own SEI tells which one it is.
pub(crate) fn x264_build() -> Result<String> {
    let said = x264_says([("preset", "ultrafast")])?;
    Ok(said.split(" - ").next().unwrap_or_default().chars().take(64).collect())
}

/// What x264 writes of itself and of its settings into its first picture, with these options of FFmpeg's wrapper.
fn x264_says<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String> {
    let unknown = || Error::new(ErrorKind::Internal, "x264 does not tell its version");
    let mut encoder = H264Encoder::open((64, 64), FrameRate::FPS_30, 1, options).map_err(failed)?;
    let mut frame = VideoFrame::i420(64, 64).map_err(failed)?;
    if let Some(mut planes) = frame.planes_mut().map_err(failed)? {
        for plane in [&mut planes.y, &mut planes.u, &mut planes.v] {
            (0..plane.height()).for_each(|y| plane.row_mut(y).fill(128));
        }
    }
    frame.set_pts(0);
    encoder.send(&frame).map_err(failed)?;
    encoder.send_end().map_err(failed)?;
    let mut packet = Packet::new().map_err(failed)?;
    encoder.receive(&mut packet).map_err(failed)?;
    let text = String::from_utf8_lossy(packet.data());
    let start = text.find("x264 - ").ok_or_else(unknown)? + "x264 - ".len();
    Ok(text[start..].chars().take_while(|c| c.is_ascii_graphic() || *c == ' ').collect())
}

/// Encodes a small moving picture as chunks are encoded, and gives the CPU time that this thread took for it, in seconds:
/// how fast this machine is at what takes most of a render.
///
/// # Errors
/// `INTERNAL` if the encoder fails.
pub(crate) fn reference_work() -> Result<f64> {
    use rustix::time::{ClockId, clock_gettime};
    const FRAMES: u32 = 8;
    let size = CanvasSize::new(360, 640).unwrap_or(CanvasSize::VERTICAL_HD);
    let mut frame = VideoFrame::i420(size.width(), size.height()).map_err(failed)?;
    let settings = Preset::Standard.settings(FRAMES);
    let interrupt = Interrupt::new(Arc::default(), Arc::default(), Arc::default());
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let began = now();
    let mut encoder = ChunkEncoder::new(&settings, size, FrameRate::FPS_30, interrupt)?;
    for number in 0..FRAMES {
        let Some(mut planes) = frame.planes_mut().map_err(failed)? else { break };
        for plane in [&mut planes.y, &mut planes.u, &mut planes.v] {
            for y in 0..plane.height() {
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    // A texture that moves by some pixels a frame, and a slope that does not.
                    let (x, y) = (x as u32 + 3 * number, y as u32 + 2 * number);
                    *sample = (64 + (x * x / 97 + y * 5) % 61 + y / 16) as u8;
                }
            }
        }
        encoder.send(&mut frame)?;
    }
    encoder.finish()?;
    Ok(now() - began)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the wrapper does not know, or x264 takes back, would be told of by a warning alone.
    #[test]
    fn x264_does_what_the_presets_say() {
        let always = ["cabac=1", "8x8dct=1", "threads=1", "stitchable=1", "keyint=60"];
        let presets = [
            (Preset::Draft, vec!["rc=crf", "crf=23.0", "bframes=0", "aq=0", "mbtree=0"]),
            (
                Preset::Standard,
                vec![
                    "crf=20.0",
                    "bframes=2",
                    "b_pyramid=0",
                    "b_adapt=0",
                    "weightb=0",
                    "weightp=0",
                    "aq=2:1.00",
                    "open_gop=0",
                    "mbtree=1",
                    "rc_lookahead=6",
                ],
            ),
            (
                Preset::High,
                vec![
                    "crf=18.0",
                    "bframes=3",
                    "b_pyramid=2",
                    "b_adapt=1",
                    "weightp=1",
                    "aq=1:1.00",
                    "rc_lookahead=10",
                    "open_gop=0",
                ],
            ),
        ];
        for (preset, own) in presets {
            let options = preset.settings(60).options();
            let said = x264_says(options.iter().map(|(name, value)| (*name, value.as_str()))).expect("tells");
            for expected in always.iter().chain(&own) {
                assert!(said.split(' ').any(|setting| setting == *expected), "{}: {expected} in {said}", preset.name());
            }
        }
        let build = x264_build().expect("tells");
        assert!(build.starts_with("core ") && !build.contains(" - "), "{build}");
    }
}
