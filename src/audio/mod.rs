//! The sound of a whole timeline on one sample clock: 48 kHz, stereo, f32.
//!
//! Every cue's place is a number of sample frames from the plan. The mix is made in blocks, so its memory does not
//! depend on the length.
//!
//! | part | what it does |
//! |---|---|
//! | `decode` | one source as a stream of sample frames |
//! | `tempo` | the same at another speed |
//! | `mix` | all cues summed |
//! | `seam` | where a looped track starts over |
//! | `duck`, `speech` | music goes down while somebody speaks |
//! | `loudness`, `peak`, `level`, `limiter` | how loud the mix is, and what makes it as loud as it should be |

mod decode;
mod duck;
mod level;
mod limiter;
mod loudness;
mod mix;
mod peak;
mod seam;
mod speech;
mod tempo;

pub(crate) use decode::SoundReader;
pub(crate) use level::{Leveled, Levels, level};
pub(crate) use loudness::Loudness;
pub(crate) use loudness::Meter;
pub(crate) use mix::Mixer;

/// Numbers from -1 to 1 without any pattern, exact on every machine.
#[cfg(test)]
pub(crate) fn noise(seed: u32) -> impl Iterator<Item = f32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next).map(|state| (state >> 8) as f32 / 8_388_608.0 - 1.0)
}
