//! Cancelling a job and hearing how far it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg::{Interrupt, Pulse};

/// Cancels a job: shared by everybody who may, and looked at on every frame and packet.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels. It cannot be taken back.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_canceled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// `CANCELED` if it was cancelled.
    pub fn check(&self) -> Result<()> {
        if self.is_canceled() { Err(Error::new(ErrorKind::Canceled, "the job was cancelled")) } else { Ok(()) }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The stage that is running.
    pub stage: Stage,
    /// The part of the whole job that is done, 0 to 1. Never goes back.
    pub progress: f64,
    /// Frames that are finished.
    pub frames: u64,
    /// Frames of all videos of the job; 0 until they are planned.
    pub total_frames: u64,
    /// Milliseconds to the end at the speed so far; `None` until that can be said.
    pub eta_ms: Option<u64>,
}

impl Progress {
    /// The state of a job that has not begun.
    pub const START: Self = Self { stage: Stage::Planning, progress: 0.0, frames: 0, total_frames: 0, eta_ms: None };
}

type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// How a caller steers and watches one job. Each job needs its own; a [`Cancel`] may be shared by several.
#[derive(Clone, Default)]
pub struct Control {
    cancel: Cancel,
    /// Ends this job alone, where the token may be shared by several.
    stop: Arc<AtomicBool>,
    pulse: Arc<Pulse>,
    tracker: Option<Arc<Tracker>>,
    part: Part,
}

/// Which of the frames of a whole job one plan makes.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Frames of the plans before it.
    before: u64,
    /// Frames of all plans; 0 for a plan that is run by itself.
    total: u64,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl Control {
    /// Without a listener, not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this token.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// With a listener for progress. It is called from one thread at a time and should return quickly.
    #[must_use]
    pub fn with_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.tracker = Some(Arc::new(Tracker::new(Arc::new(listener))));
        self
    }

    /// The token.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// What every loop of the job looks at.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt::new(Arc::clone(&self.cancel.0), Arc::clone(&self.stop), Arc::clone(&self.pulse))
    }

    /// The sign of life of this job.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Ends this job, without touching the caller's token.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Takes a stop back: what was stopped had ended well by then.
    pub(super) fn resume(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    /// The control of one plan of a job of `total` frames, which follows plans of `before` frames.
    pub(super) fn part(&self, before: u64, total: u64) -> Self {
        Self { part: Part { before, total }, ..self.clone() }
    }

    /// Tells the listener that `stage` has done `done` of the plan's `frames`.
    pub(super) fn frames_done(&self, stage: Stage, done: u64, frames: u64) {
        let Part { before, total } = self.part;
        let (done, total) = if total == 0 { (done, frames) } else { (before + done, total) };
        // All frames are finished once the visuals are.
        let finished = if stage == Stage::GeneratingVisuals { done } else { total };
        self.report(stage, done as f64 / total.max(1) as f64, finished, total);
    }

    /// Tells the listener that `stage` has done the part `fraction` of its work, with these frames finished.
    pub(super) fn report(&self, stage: Stage, fraction: f64, frames: u64, total_frames: u64) {
        if let Some(tracker) = &self.tracker {
            tracker.report(stage, fraction, frames, total_frames);
        }
    }
}

/// Turns the progress of stages into that of the job.
struct Tracker {
    listener: Listener,
    state: Mutex<State>,
}

struct State {
    /// When rendering began; planning says nothing about the speed.
    began: Option<(Instant, f64)>,
    last: Progress,
}

impl Tracker {
    fn new(listener: Listener) -> Self {
        Self { listener, state: Mutex::new(State { began: None, last: Progress::START }) }
    }

    fn report(&self, stage: Stage, fraction: f64, frames: u64, total_frames: u64) {
        // The listener is called under the lock, so that what it hears is in order.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, to) = share(stage);
        let progress = (from + (to - from) * fraction.clamp(0.0, 1.0)).max(state.last.progress);
        let stage = stage.max(state.last.stage);
        let frames = frames.max(state.last.frames);
        if stage == Stage::GeneratingVisuals && state.began.is_none() {
            state.began = Some((Instant::now(), progress));
        }
        let eta_ms = state.began.and_then(|(began, at)| {
            let done = progress - at;
            // Under a fiftieth the speed is a guess.
            (done > 0.02).then(|| (began.elapsed().as_millis() as f64 / done * (1.0 - progress)) as u64)
        });
        let next = Progress { stage, progress, frames, total_frames, eta_ms };
        if next != state.last || progress == 0.0 {
            state.last = next;
            (self.listener)(next);
        }
    }
}

/// The part of the job's time that a stage takes, as measured on the fixture.
const fn share(stage: Stage) -> (f64, f64) {
    match stage {
        Stage::Planning => (0.0, 0.02),
        Stage::GeneratingVisuals => (0.02, 0.94),
        Stage::Assembling => (0.94, 0.98),
        Stage::Finalizing => (0.98, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let control = Control::new().with_progress(move |progress| sink.lock().expect("not poisoned").push(progress));
        for (stage, fraction, frames) in [
            (Stage::Planning, 0.0, 0),
            (Stage::Planning, 1.0, 0),
            (Stage::GeneratingVisuals, 0.5, 50),
            (Stage::GeneratingVisuals, 0.4, 40),
            (Stage::Planning, 0.1, 0),
            (Stage::Assembling, 1.0, 100),
            (Stage::Finalizing, 1.0, 100),
        ] {
            control.report(stage, fraction, frames, 100);
        }
        let heard = heard.lock().expect("not poisoned");
        assert!(heard.windows(2).all(|pair| {
            pair[0].progress <= pair[1].progress && pair[0].stage <= pair[1].stage && pair[0].frames <= pair[1].frames
        }));
        assert_eq!(heard.last().map(|last| last.progress), Some(1.0));
    }
}
