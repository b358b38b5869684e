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
