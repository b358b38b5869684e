//! Ends a job in which nothing moves.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Control, guarded};
use crate::error::{Error, ErrorKind, Result};

/// Runs `work` as [`guarded`] does. If nothing beats for `stall`, the work is stopped, and the error is `STALLED` with
/// the source that was waited for and the time that was reached in it.
///
/// A read that blocks is stopped by the operating system's own means only where it can be: this ends what polls the
/// job's interrupt, which FFmpeg's reads and all loops of the engine do.
pub(super) fn watched<T>(
    what: &str,
    stall: Duration,
    control: &Control,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let watcher = thread::Builder::new().name("remix-watchdog".to_owned());
        let watcher = watcher.spawn_scoped(scope, move || watch(&ended, stall, control)).map_err(|error| {
            Error::new(ErrorKind::LimitExceeded, "the system gives no thread")
                .caused_by(error)
                .suggest("raise the limit of threads of this process")
        })?;
        let result = guarded(what, work);
        drop(done);
        match (result, watcher.join()) {
            // What was stopped by us is not what went wrong.
            (Err(error), Ok(Some(stalled))) if error.kind() == ErrorKind::Canceled => Err(stalled),
            (Ok(done), Ok(Some(_))) => {
                control.resume();
                Ok(done)
            }
            (result, _) => result,
        }
    })
}

/// Waits for the end of the work, which hangs up, or for `stall` without a beat: then stops the job and says why.
fn watch(ended: &Receiver<()>, stall: Duration, control: &Control) -> Option<Error> {
    let pulse = control.pulse();
    let pause = (stall / 4).clamp(Duration::from_millis(1), Duration::from_millis(250));
    let mut last = (pulse.count(), Instant::now());
    loop {
        match ended.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return None,
        }
        let count = pulse.count();
        if count != last.0 || pulse.is_writing() {
            last = (count, Instant::now());
        } else if last.1.elapsed() >= stall {
            control.stop();
            return Some(stalled(stall, control));
        }
    }
}

fn stalled(stall: Duration, control: &Control) -> Error {
    let seconds = stall.as_secs_f64();
    match control.pulse().waiting_for() {
        Some(place) => {
            let reached = place.at.map_or_else(|| "from its start".to_owned(), |at| format!("after {at}"));
            let message = format!("nothing was finished for {seconds:.1} s; it was at a source, {reached}");
            Error::new(ErrorKind::Stalled, message)
                .for_asset(place.path.display().to_string())
                .suggest("check the disk or network that the file is on, and run the job again")
        }
        None => Error::new(ErrorKind::Stalled, format!("nothing was finished for {seconds:.1} s"))
            .suggest("run the job again on a less busy machine"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::units::Timestamp;

    const STALL: Duration = Duration::from_millis(80);

    /// Works until it is stopped, as a blocked read does.
    fn blocked(control: &Control) -> Result<()> {
        let interrupt = control.interrupt();
        while !interrupt.is_set() {
            thread::sleep(Duration::from_millis(2));
        }
        Err(Error::new(ErrorKind::Canceled, "stopped"))
    }

    #[test]
    fn a_source_that_does_not_answer_is_named_with_the_time_reached() {
        let control = Control::new();
        let interrupt = control.interrupt();
        let began = Instant::now();
        let error = watched("reading", STALL, &control, || {
            let _working = interrupt.pulse().enter(Path::new("clip.mp4"), Some(Timestamp::from_ticks(705_600_000)));
            blocked(&control)
        })
        .expect_err("stalls");
        assert_eq!(error.code(), "STALLED");
        assert!(error.is_retryable());
        assert_eq!(error.asset(), Some("clip.mp4"));
        assert!(error.message().contains("after 1.000 s"), "{error}");
        assert!(began.elapsed() >= STALL);
    }

    #[test]
    fn work_that_beats_may_take_any_time() {
        let control = Control::new();
        let interrupt = control.interrupt();
        let worked = watched("working", STALL, &control, || {
            for _ in 0..20 {
                thread::sleep(STALL / 8);
                interrupt.pulse().beat();
            }
            Ok(7)
        });
        assert_eq!(worked.expect("does not stall"), 7);
        assert!(!control.interrupt().is_set());
    }

    #[test]
    fn a_slow_disk_is_no_stall() {
        let control = Control::new();
        let interrupt = control.interrupt();
        let written = watched("writing", STALL, &control, || {
            let _writing = interrupt.pulse().write();
            thread::sleep(STALL * 3);
            Ok(())
        });
        written.expect("does not stall");
    }

    #[test]
    fn a_cancelled_job_is_not_a_stalled_one() {
        let control = Control::new();
        let error = watched("reading", Duration::from_secs(60), &control, || {
            control.cancel().cancel();
            blocked(&control)
        })
        .expect_err("is cancelled");
        assert_eq!(error.code(), "CANCELED");
    }
}
