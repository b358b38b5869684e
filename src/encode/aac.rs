//! AAC-LC, 48 kHz stereo, by libxaac, which at this bit rate keeps all up to 20 kHz.

use multiversion::multiversion;

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
        append_words(interleaved, &mut self.pending);
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

#[multiversion(targets = "simd")]
fn append_words(samples: &[f32], to: &mut Vec<i16>) {
    to.extend(samples.iter().map(|&sample| word(sample)));
}

/// A sample as the encoder takes it, rounded to the nearest. Not dithered: the coding's own noise is far above a sixteenth
/// bit's.
#[inline]
fn word(sample: f32) -> i16 {
    // What is no number becomes silence.
    let number = if sample.is_nan() { 0.0 } else { sample };
    let scaled = (number * 32_768.0).clamp(-32_768.0, 32_767.0);
    // Next to 1.5 * 2^23 a float has no fraction, and its lowest bits are an integer: additions round, ties to the even one.
    // `round` and `as` would be many more instructions, one sample after another.
    const WHOLE: f32 = 12_582_912.0;
    (scaled + WHOLE).to_bits() as i16
}

fn failed(error: XaacError) -> Error {
    Error::new(ErrorKind::Internal, "the AAC encoder failed").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::noise;

    /// The packets of `sound`, which is given in parts of `part` sample frames.
    fn encoded(sound: &[f32], part: usize) -> Vec<Vec<u8>> {
        let (mut encoder, mut packets) = (AacEncoder::open().expect("can be opened"), Vec::new());
        assert_eq!(encoder.config(), [0x11, 0x90], "AAC-LC, 48 kHz, two channels, 1,024 samples in a packet");
        for part in sound.chunks(2 * part) {
            encoder.encode(part, &mut packets).expect("can be encoded");
        }
        encoder.finish((sound.len() / 2).div_ceil(FRAME_SIZE), &mut packets).expect("can be encoded");
        packets
    }

    /// What the ffmpeg command makes of them.
    fn decoded(packets: &[Vec<u8>]) -> Vec<f32> {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("sound.aac");
        // ADTS (ISO 14496-3, 1.A.2.2): AAC-LC, 48 kHz, two channels; its packets have 13 bits for their length.
        let frames = packets.iter().flat_map(|packet| {
            let length = packet.len() + 7;
            let head =
                [0xff, 0xf1, 0x4c, 0x80 | (length >> 11) as u8, (length >> 3) as u8, (length << 5) as u8 | 0x1f, 0xfc];
            head.into_iter().chain(packet.iter().copied())
        });
        std::fs::write(&file, frames.collect::<Vec<u8>>()).expect("can be written");
        let output = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "aac", "-i"])
            .arg(&file)
            .args(["-f", "f32le", "-"])
            .output()
            .expect("ffmpeg runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("are four"))).collect()
    }

    #[test]
    fn samples_are_rounded_to_the_nearest_and_kept_in_their_range() {
        let step = 1.0 / 32_768.0;
        let cases = [
            (0.0, 0),
            (0.4 * step, 0),
            (0.6 * step, 1),
            (-0.6 * step, -1),
            (-1.4 * step, -1),
            (1_000.7 * step, 1_001),
            (32_766.4 * step, 32_766),
            // Ties go to the even one.
            (0.5 * step, 0),
            (1.5 * step, 2),
            (2.5 * step, 2),
            (-0.5 * step, 0),
            (-1.5 * step, -2),
            (32_767.5 * step, 32_767),
            (1.0, 32_767),
            (-1.0, -32_768),
            (1e30, 32_767),
            (f32::NEG_INFINITY, -32_768),
            (f32::NAN, 0),
        ];
        for (sample, expected) in cases {
            assert_eq!(word(sample), expected, "{sample}");
        }
        let samples: Vec<f32> = noise(8).take(1_003).collect();
        let mut words = Vec::new();
        append_words(&samples, &mut words);
        let exact =
            samples.iter().map(|sample| (sample * 32_768.0).round_ties_even().clamp(-32_768.0, 32_767.0) as i16);
        assert!(words.into_iter().eq(exact));
    }

    #[test]
    fn a_sound_of_any_length_is_there_to_its_last_packet() {
        for frames in [1, 447, 448, 449, 576, 1_023, 1_024, 1_025, 2_048, 2_049, 48_000] {
            let sound: Vec<f32> = noise(frames).take(2 * frames as usize).collect();
            let packets = encoded(&sound, 1_000);
            assert_eq!(packets.len(), (frames as usize).div_ceil(FRAME_SIZE), "{frames}");
            assert_eq!(decoded(&packets).len(), 2 * FRAME_SIZE * packets.len(), "{frames}");
        }
        assert!(encoded(&[], 1).is_empty());
    }

    #[test]
    fn samples_keep_their_place_whatever_the_blocks() {
        // Each channel its own low noise: the mean of sixteen numbers, which is near its wave after coding.
        let channel = |seed| {
            let samples: Vec<f32> = noise(seed).take(30_000).collect();
            samples.windows(16).map(|part| part.iter().sum::<f32>() / 16.0).collect::<Vec<f32>>()
        };
        let (left, right) = (channel(1), channel(2));
        let sound: Vec<f32> = left.iter().zip(&right).flat_map(|(&left, &right)| [left, right]).collect();
        let packets = encoded(&sound, FRAME_SIZE);
        for part in [1, 999, 30_000] {
            assert!(encoded(&sound, part) == packets, "in parts of {part}");
        }
        let decoded = decoded(&packets);
        // The first packet begins with what the one before it would have had to end with.
        let parts = 2 * FRAME_SIZE..sound.len();
        let power: f32 = sound[parts.clone()].iter().map(|value| value * value).sum();
        let apart: f32 = parts.map(|n| (sound[n] - decoded[n]).powi(2)).sum();
        // It is 18 dB; one sample off, it would be 9.
        assert!(apart < power / 30.0, "{:.1} dB", 10.0 * (power / apart).log10());
    }

    #[test]
    fn the_worst_sounds_are_encoded() {
        let count = 2 * 96_000;
        let square =
            |period: usize| (0..count).map(move |n| if (n / 2 / period).is_multiple_of(2) { 1.0 } else { -1.0 });
        let bursts = noise(5).zip(0..count).map(|(value, n)| if n / 5_000 % 3 == 0 { value.signum() } else { 0.0 });
        let sounds: [(&str, Vec<f32>); 8] = [
            ("silence", vec![0.0; count]),
            ("full noise", noise(3).take(count).collect()),
            ("noise of one bit", noise(4).take(count).map(f32::signum).collect()),
            ("a square", square(109).collect()),
            ("the highest tone", square(1).collect()),
            ("bursts", bursts.collect()),
            (
                "sides that cancel",
                square(50).zip(0..count).map(|(value, n)| if n % 2 == 0 { value } else { -value }).collect(),
            ),
            (
                "beyond the range",
                noise(6).take(count).map(|value| value * 1e9).chain([f32::NAN, f32::INFINITY]).collect(),
            ),
        ];
        for (what, sound) in sounds {
            let packets = encoded(&sound, FRAME_SIZE);
            assert_eq!(decoded(&packets).len(), 2 * FRAME_SIZE * packets.len(), "{what}");
            let bits = packets.iter().map(Vec::len).sum::<usize>() * 8;
            let seconds = (packets.len() * FRAME_SIZE) as f64 / f64::from(SAMPLE_RATE);
            let rate = bits as f64 / seconds / f64::from(AUDIO_BIT_RATE);
            assert!((0.95..1.05).contains(&rate), "{what}: {rate:.3} of the bit rate");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_bytes_are_the_same_on_every_machine() {
        // FNV-1a over packets with long and short windows; a change of the encoder changes finished videos, and their keys must.
        let sound: Vec<f32> =
            noise(7).zip(0..2 * 96_000).map(|(value, n)| value / (1 + n % 9_000 / 300) as f32).collect();
        let bytes = encoded(&sound, FRAME_SIZE).concat();
        let hash = bytes
            .iter()
            .fold(0xCBF2_9CE4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
        assert_eq!((bytes.len(), hash), (48_259, 11_678_233_102_458_287_860));
    }
}
