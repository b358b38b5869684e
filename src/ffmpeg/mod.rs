//! The only folder with `unsafe`: small owning wrappers over FFmpeg's libraries, over libxaac, and over what is set of OpenMP.
//!
//! The objects of `ffmpeg-next` are not used where they would hide an error, panic on data or lack an option (its
//! packet iterator ends on any fault, its scaler cannot be told a colour matrix, its enums panic on unknown values);
//! these wrappers call the same bindings. Each owns one FFmpeg object and frees it on drop, names the FFmpeg call in
//! its errors, and stays on the thread that uses it.

mod audio;
mod av;
mod decoder;
mod deinterlace;
mod encoder;
mod frame;
mod graph;
mod input;
mod interrupt;
mod muxer;
#[cfg(feature = "tesseract")]
mod openmp;
mod packet;
mod parameters;
mod scaler;
mod tempo;
mod xaac;

pub(crate) use audio::{AudioFrame, Resampler, SoundPlanes};
pub(crate) use av::{AvError, give_pictures_pages_of_their_own, quiet, release_free_memory, versions};
pub(crate) use decoder::{Decoder, Received};
pub(crate) use deinterlace::Deinterlacer;
pub(crate) use encoder::{H264Encoder, encoder_available, filter_available};
pub(crate) use frame::{ColorTags, FormatInfo, PixelFormat, VideoFrame};
pub(crate) use input::{DolbyVision, Input, StreamInfo, StreamKind};
pub(crate) use interrupt::{Interrupt, Pulse};
pub(crate) use muxer::{AudioTrack, Mp4Writer, VideoTrack};
#[cfg(feature = "tesseract")]
pub(crate) use openmp::on_one_thread;
pub(crate) use packet::Packet;
pub(crate) use parameters::CodecParameters;
pub(crate) use scaler::{Crop, Scaler};
pub(crate) use tempo::Tempo;
pub(crate) use xaac::{XaacEncoder, XaacError};
