//! One input, told truthfully: what is in the file, and its pictures on the output's clock.
//!
//! Above this room only the displayed size, the output's frame numbers and the working colour exist.

mod access;
mod index;
mod nal;
mod probe;
mod reader;
mod still;

pub(crate) use access::{check_file, hash_file};
pub(crate) use index::VideoIndex;
pub use probe::{AudioInfo, ColorInfo, SourceInfo, VideoInfo};
pub(crate) use probe::{Probed, ProbedAudio, open_decoder, probe};
pub(crate) use reader::ShotReader;
pub(crate) use still::{keep, open_finished};

use crate::error::{Error, ErrorKind};
use crate::ffmpeg::AvError;

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
