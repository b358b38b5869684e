//! An encoded sound as bytes: the length of a JSON head, the head, and the packets' data.

use serde::{Deserialize, Serialize};

use crate::audio::{Levels, Loudness};
use crate::output::{EncodedSound, SoundPacket};
use crate::units::Gain;

/// The form's name and version.
const MAGIC: [u8; 8] = *b"RXSOUND1";

/// All but the data. Levels are bits, so that they come back as they were, infinities too.
#[derive(Serialize, Deserialize)]
struct Head {
    extradata: Vec<u8>,
    frame_size: usize,
    /// The time, duration and bytes of each packet.
    packets: Vec<(i64, i64, usize)>,
    gain: u32,
    limited: bool,
    integrated: u64,
    peak: u64,
    frames: u64,
    notes: Vec<String>,
}

/// The sound as bytes.
pub(super) fn write(sound: &EncodedSound) -> Vec<u8> {
    let Levels { gain, limited, result, notes } = &sound.levels;
    let head = Head {
        extradata: sound.extradata.clone(),
        frame_size: sound.frame_size,
        packets: sound.packets.iter().map(|packet| (packet.pts, packet.duration, packet.data.len())).collect(),
        gain: gain.0.to_bits(),
        limited: *limited,
        integrated: result.integrated.to_bits(),
        peak: result.peak.to_bits(),
        frames: result.frames,
        notes: notes.clone(),
    };
    // Numbers, lists and texts alone: this cannot fail. If it did, what is read is none, and is made again.
    let head = serde_json::to_vec(&head).unwrap_or_default();
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&head);
    for packet in &sound.packets {
        bytes.extend_from_slice(&packet.data);
    }
    bytes
}

/// The sound in `bytes`; `None` if they are none, or of another version.
pub(super) fn read(bytes: &[u8]) -> Option<EncodedSound> {
    let (length, rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk::<8>()?;
    let (head, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let head: Head = serde_json::from_slice(head).ok()?;
    let mut packets = Vec::new();
    for (pts, duration, length) in head.packets {
        let (data, tail) = rest.split_at_checked(length)?;
        packets.push(SoundPacket { pts, duration, data: data.to_vec() });
        rest = tail;
    }
    let levels = Levels {
        gain: Gain(f32::from_bits(head.gain)),
        limited: head.limited,
        result: Loudness {
            integrated: f64::from_bits(head.integrated),
            peak: f64::from_bits(head.peak),
            frames: head.frames,
        },
        notes: head.notes,
    };
    let whole = EncodedSound { extradata: head.extradata, frame_size: head.frame_size, packets, levels };
    rest.is_empty().then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_comes_back_as_it_was_or_not_at_all() {
        let packet = |pts, data: &[u8]| SoundPacket { pts, duration: 1024, data: data.to_vec() };
        let sound = EncodedSound {
            extradata: vec![0x11, 0x90],
            frame_size: 1024,
            packets: vec![packet(0, b"one"), packet(1024, b""), packet(2048, b"three")],
            levels: Levels {
                gain: Gain(0.1),
                limited: true,
                result: Loudness { integrated: f64::NEG_INFINITY, peak: 0.1 + 0.2, frames: 3072 },
                notes: vec!["a \"note\"\n".to_owned()],
            },
        };
        let bytes = write(&sound);
        assert_eq!(read(&bytes), Some(sound));
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), None);
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None);
    }
}
