//! The job: the four stages as functions of [`Engine`], all of them in one call, and the async front.

mod assemble;
mod callbacks;
mod control;
mod engine;
mod estimate;
mod existing;
mod finalize;
mod mender;
mod performing;
mod planning;
mod queue;
mod remix;
mod render;
mod scenes;
mod sheet;
mod shots;
mod slides;
mod submit;
mod texts;
mod transit;
mod visuals;
mod watchdog;

pub use assemble::Assembly;
pub use callbacks::{Adaptation, PostResolver, SourcePost, TextAdapter};
pub use control::{Cancel, Control, Progress};
pub use engine::{Engine, EngineOptions, Existing};
pub use estimate::Estimate;
pub use sheet::{RgbPicture, SHEET_FRAMES};
pub use submit::Job;
pub use visuals::Visuals;

use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::AvError;

/// Runs `work`; a panic in it becomes an `INTERNAL` error, so that a fault of the engine does not take its host along.
fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "without a message".to_owned());
        tracing::error!(what, panic = %text, "a panic was caught");
        Err(Error::new(ErrorKind::Internal, format!("{what} panicked: {text}"))
            .suggest("report this with the request that caused it"))
    })
}

fn not_working() -> Error {
    Error::new(ErrorKind::Internal, "a picture is not in the working format")
}

fn no_memory(error: AvError) -> Error {
    Error::new(ErrorKind::LimitExceeded, "a picture cannot be allocated")
        .caused_by(error)
        .suggest("give the job more memory or fewer threads")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::panic, reason = "the point of the test")]
    fn a_panic_is_an_internal_error() {
        let error = guarded("a worker", || -> Result<()> { panic!("frame {} is odd", 7) }).expect_err("is an error");
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(error.message(), "a worker panicked: frame 7 is odd");
        assert_eq!(guarded("a worker", || Ok(1)).expect("no panic"), 1);
    }
}
