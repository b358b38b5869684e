//! The mix as AAC packets.

use crate::audio::{Leveled, Levels};
use crate::encode::AUDIO_BIT_RATE;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AacEncoder, AvError, Packet};
use crate::plan::SAMPLE_RATE;

/// The whole sound of a video, encoded: 24 kB a second, so 15 MB for the longest output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedSound {
    /// AudioSpecificConfig.
    pub(crate) extradata: Vec<u8>,
    /// Sample frames in a packet.
    pub(crate) frame_size: usize,
    pub(crate) packets: Vec<SoundPacket>,
    /// What was done to the mix before.
    pub(crate) levels: Levels,
}

/// One AAC packet; times in sample frames of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SoundPacket {
    pub(crate) pts: i64,
    pub(crate) duration: i64,
    pub(crate) data: Vec<u8>,
}

/// Encodes all of `mix`.
///
/// The encoder's first packet holds only its priming. It is left out, so that the first packet in the file starts at 0
/// without an edit list: players that honour edit lists and those that do not hear the same. The last packet, which the
/// encoder fills up, is as long as the sound.
pub(crate) fn encode_sound((mut mix, levels): (Leveled<'_>, Levels)) -> Result<EncodedSound> {
    let mut encoder = AacEncoder::open(SAMPLE_RATE, AUDIO_BIT_RATE)
        .map_err(|error| Error::new(ErrorKind::Internal, "the AAC encoder cannot be opened").caused_by(error))?;
    let mut packet = Packet::new().map_err(failed)?;
    let frame_size = encoder.frame_size();
    let mut block = vec![0.0; frame_size * 2];
    let mut raw: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut mixed = 0;
    loop {
        let count = mix.read(&mut block)?;
        if count == 0 {
            encoder.send_end().map_err(failed)?;
        } else {
            mixed += count as i64;
            encoder.send(&block[..count * 2]).map_err(failed)?;
        }
        while encoder.receive(&mut packet).map_err(failed)? {
            if let Some(pts) = packet.pts() {
                raw.push((pts, packet.data().to_vec()));
            }
        }
        if count == 0 {
            break;
        }
    }
    let packets = raw
        .into_iter()
        .map(|(pts, data)| SoundPacket { pts, duration: (frame_size as i64).min(mixed - pts), data })
        .filter(|packet| packet.pts >= 0 && packet.duration > 0)
        .collect();
    Ok(EncodedSound { extradata: encoder.extradata(), frame_size, packets, levels })
}

fn failed(error: AvError) -> Error {
    Error::new(ErrorKind::Internal, "encoding the sound failed").caused_by(error)
}
