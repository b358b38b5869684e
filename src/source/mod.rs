//! One input, told truthfully: what is in the file, and its pictures on the output's clock.
//!
//! Above this room only the displayed size, the output's frame numbers and the working colour exist.
//!
//! | part | what it does |
//! |---|---|
//! | `access`, `sniff` | the file itself, and what it is by its first bytes |
//! | `probe` | one pass over the packets and one decoded picture: streams, times, limits |
//! | `known` | what is known of a file from before: its hash and its packets' times |
//! | `look`, `color`, `boxes` | how the pictures want to be shown, with every default resolved |
//! | `index` | which picture each output frame shows |
//! | `reader`, `pictures` | decoding forward: streams by FFmpeg, picture files by the decoders in `picture` |
//! | `geometry`, `convert` | decoded pictures to the working format |
//! | `still` | one picture at the size in which a slide shows it |
//! | `music` | music files by symphonia: gapless, and as long as they are |
//! | `finished` | frames of the engine's own results, for thumbnails |
//! | `walk` | pictures as they are coded, and what the packets say, for inspection |

mod access;
mod boxes;
mod color;
mod convert;
mod finished;
mod geometry;
mod index;
mod known;
mod look;
#[doc(hidden)]
pub mod measure;
mod music;
mod nal;
mod picture;
mod pictures;
mod probe;
mod reader;
mod reel;
mod sniff;
mod still;
mod walk;

pub(crate) use access::{check_file, hash_file};
pub(crate) use boxes::mp4_layout;
pub use color::ColorInfo;
pub(crate) use finished::{keep, open_finished};
pub use index::AtEnd;
pub(crate) use index::VideoIndex;
pub(crate) use known::{FileStamp, KnownSources};
pub(crate) use music::MusicReader;
pub(crate) use picture::heif_version;
pub use probe::{AudioInfo, SourceInfo, Unusable, VideoInfo, VideoKind};
pub(crate) use probe::{Probed, ProbedAudio, ProbedVideo, open_decoder, probe, probe_known};
pub(crate) use reader::{Reading, ShotReader, StreamReader};
pub(crate) use reel::Reel;
pub(crate) use still::{blurred, still};
pub(crate) use walk::{PacketFacts, PictureWalk, Wanted};

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::ffmpeg::{AvError, Interrupt};
use crate::limits::Limits;

/// Where a file is, what is known of it, and what reading it needs.
pub(crate) struct Subject<'a> {
    pub(crate) path: &'a Path,
    pub(crate) probed: &'a Probed,
    pub(crate) limits: &'a Limits,
    pub(crate) interrupt: &'a Interrupt,
}

/// The engine's error for a failed FFmpeg call on a source.
fn source_error(error: AvError, doing: &str) -> Error {
    if error.is_interrupt() {
        return Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read");
    }
    let kind = if error.is_invalid_data() || error.is_refused_format() {
        ErrorKind::SourceUnsupported
    } else {
        ErrorKind::SourceUnreadable
    };
    Error::new(kind, format!("{doing} failed")).caused_by(error)
}
