//! The async front: a job on a thread of its own, watched and awaited from async code.

use std::path::PathBuf;

use tokio::sync::{oneshot, watch};

use super::{Cancel, Control, Engine, Progress, guarded};
use crate::error::{Error, ErrorKind, Result};
use crate::output::Container;
use crate::request::Request;

/// A job that was submitted. Dropping it does not end the job: [`Job::cancel`] does.
#[derive(Debug)]
pub struct Job {
    cancel: Cancel,
    progress: watch::Receiver<Progress>,
    result: oneshot::Receiver<Result<Vec<Container>>>,
}

impl Job {
    /// How far the job is: the newest state, and a way to wait for the next.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Cancels the job. It ends with `CANCELED` within a quarter of a second and leaves nothing behind; a job that is
    /// publishing already is finished.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// A token that cancels the job, to be kept elsewhere.
    pub fn cancel_token(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Waits for the end of the job.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub async fn result(self) -> Result<Vec<Container>> {
        self.result.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the job's thread died")))
    }
}

impl Engine {
    /// Starts [`Engine::render`] on a thread of its own and returns at once. Works in any async runtime, and without
    /// one.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if the system gives no thread.
    pub fn submit(&self, request: Request, out: impl Into<PathBuf>) -> Result<Job> {
        let out = out.into();
        let cancel = Cancel::new();
        let (told, progress) = watch::channel(Progress::START);
        let (finished, result) = oneshot::channel();
        let control = Control::new().with_cancel(cancel.clone()).with_progress(move |progress| {
            told.send_replace(progress);
        });
        let engine = self.clone();
        let span = tracing::Span::current();
        let run = move || {
            let _entered = span.entered();
            let containers = guarded("the job", || engine.render_with(&request, &out, &control));
            // Nobody waits for a job whose handle was dropped.
            let _ = finished.send(containers);
        };
        std::thread::Builder::new().name("remix-job".to_owned()).spawn(run).map_err(|error| {
            Error::new(ErrorKind::LimitExceeded, "the system gives no thread for the job").caused_by(error)
        })?;
        Ok(Job { cancel, progress, result })
    }
}
