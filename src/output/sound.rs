//! The mix as AAC packets.

use crate::audio::{Leveled, Levels};
use crate::encode::{AacEncoder, FRAME_SIZE};
use crate::error::Result;

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

/// Encodes all of `mix` with an `encoder` that has encoded nothing.
///
/// What the encoder needs to get going is left out, so that the first packet in the file starts at 0 without an edit list:
/// players that honour edit lists and those that do not hear the same. The last packet, which the encoder fills up, is as
/// long as the sound.
pub(crate) fn encode_sound(mut encoder: AacEncoder, (mut mix, levels): (Leveled<'_>, Levels)) -> Result<EncodedSound> {
    let extradata = encoder.config().to_vec();
    let mut block = vec![0.0; FRAME_SIZE * 2];
    let (mut packets, mut mixed) = (Vec::new(), 0);
    loop {
        let count = mix.read(&mut block)?;
        if count == 0 {
            break;
        }
        mixed += count;
        encoder.encode(&block[..count * 2], &mut packets)?;
    }
    encoder.finish(mixed.div_ceil(FRAME_SIZE), &mut packets)?;
    let packet = |(number, data): (usize, Vec<u8>)| {
        let start = number * FRAME_SIZE;
        SoundPacket { pts: start as i64, duration: FRAME_SIZE.min(mixed - start) as i64, data }
    };
    let packets = packets.into_iter().enumerate().map(packet).collect();
    Ok(EncodedSound { extradata, frame_size: FRAME_SIZE, packets, levels })
}
