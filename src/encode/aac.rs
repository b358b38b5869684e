//! AAC-LC, 48 kHz stereo, by libxaac. At its bit rate the encoder keeps tones up to 20 kHz.

use super::AUDIO_BIT_RATE;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{XaacEncoder, XaacError};
use crate::plan::SAMPLE_RATE;

/// Sample frames in one packet.
pub(crate) const FRAME_SIZE: usize = XaacEncoder::FRAME_SIZE;

/// Sample frames that the encoder holds back: what goes in at 0 comes out of a decoder at this place (measured with FFmpeg's
/// decoder; 1,024 of it are every AAC encoder's, the rest is how far this one looks ahead for where to change its windows).
const DELAY: usize = 1_600;

/// Packets that have nothing but what was before the sound, and are left out.
const PRIMING: usize = DELAY.div_ceil(FRAME_SIZE);

/// Silence before the sound, so that it begins with a packet.
const PADDING: usize = PRIMING * FRAME_SIZE - DELAY;

/// Encodes a sound from its start to its end.
///
/// The first packet that it gives begins with the sound: the ones that hold only what the encoder needs to get going are
/// left out.
pub(crate) struct AacEncoder {
    encoder: XaacEncoder,
    /// Interleaved, less than a packet.
    pending: Vec<i16>,
    /// Packets that are still to be left out.
    priming: usize,
}

impl AacEncoder {
    /// # Errors
    /// `INTERNAL` if the encoder cannot be opened.
    pub(crate) fn open() -> Result<Self> {
        let encoder = XaacEncoder::open(SAMPLE_RATE, AUDIO_BIT_RATE).map_err(failed)?;
        Ok(Self { encoder, pending: vec![0; 2 * PADDING], priming: PRIMING })
    }

    /// The AudioSpecificConfig (ISO 14496-3, 1.6.2.1).
    pub(crate) fn config(&self) -> &[u8] {
        self.encoder.config()
    }

    /// Encodes interleaved stereo; gives each finished packet to `packets`.
    ///
    /// # Errors
    /// `INTERNAL` if the encoder fails.
    pub(crate) fn encode(&mut self, interleaved: &[f32], packets: &mut Vec<Vec<u8>>) -> Result<()> {
        self.pending.extend(interleaved.iter().map(|&sample| word(sample)));
        let mut frames = self.pending.chunks_exact(2 * FRAME_SIZE);
        for frame in &mut frames {
            let packet = self.encoder.encode(frame).map_err(failed)?;
            match self.priming.checked_sub(1) {
                Some(left) => self.priming = left,
                None => packets.push(packet),
            }
        }
        let rest = frames.remainder().len();
        self.pending.drain(..self.pending.len() - rest);
        Ok(())
    }

    /// Encodes silence until `packets` has `count` packets.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub(crate) fn finish(mut self, count: usize, packets: &mut Vec<Vec<u8>>) -> Result<()> {
        let silence = [0.0; 2 * FRAME_SIZE];
        while packets.len() < count {
            self.encode(&silence, packets)?;
        }
        packets.truncate(count);
        Ok(())
    }
}

/// A sample as the encoder takes it. Not dithered: the coding's own noise is far above a sixteenth bit's.
fn word(sample: f32) -> i16 {
    // `as` saturates at the ends of the range.
    (sample * 32_768.0).round() as i16
}

fn failed(error: XaacError) -> Error {
    Error::new(ErrorKind::Internal, "the AAC encoder failed").caused_by(error)
}
