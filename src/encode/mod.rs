//! Pictures to H.264 chunks, pictures to JPEG, and sound to AAC.

mod aac;
mod annexb;
mod chunk;
mod jpeg;
mod preset;

pub(crate) use aac::{AacEncoder, FRAME_SIZE};
pub(crate) use chunk::{ChunkEncoder, reference_work, x264_build};
pub use chunk::{EncodedChunk, EncodedPicture};
pub(crate) use jpeg::encode_jpeg;
pub use preset::{Preset, VideoSettings};

/// Bits a second of the AAC track: the most that Instagram's published figure allows for.
pub const AUDIO_BIT_RATE: u32 = 192_000;
