//! x
#![deny(unsafe_code)]

pub mod audio;
pub mod compose;
pub mod encode;
pub mod error;
#[allow(unsafe_code, reason = "the one folder that calls FFmpeg; see its documentation")]
mod ffmpeg;
pub mod formats;
pub mod job;
pub mod limits;
pub mod output;
pub mod plan;
pub mod request;
pub mod source;
pub mod store;
pub mod text;
pub mod timeline;
pub mod units;

pub use error::{Error, ErrorKind, Failure, Finding, Result, Stage};
pub use job::{Cancel, Control, Engine, EngineOptions, Job, Progress};
