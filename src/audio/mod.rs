//! The sound of a whole timeline on one sample clock: 48 kHz, stereo, f32.
//!
//! Every cue's place is a number of sample frames from the plan. The mix is made in blocks, so its memory does not
//! depend on the length.

mod decode;
mod mix;

#[cfg(feature = "fuzzing")]
pub(crate) use decode::SoundReader;
pub(crate) use mix::{Mix, Mixer};
