//! Ending what blocks, and seeing what it is that blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::units::Timestamp;

/// Stops blocking reads of an [`Input`](super::Input), and every loop that looks at it, when one of its flags is set:
/// the caller's cancel token, or the job's own stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    cancel: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    pulse: Arc<Pulse>,
}

impl Interrupt {
    pub(crate) fn new(cancel: Arc<AtomicBool>, stop: Arc<AtomicBool>, pulse: Arc<Pulse>) -> Self {
        Self { cancel, stop, pulse }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.stop.load(Ordering::Relaxed)
    }

    /// The sign of life of the job.
    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }
}

/// A job's sign of life: beats with everything that it finishes, and knows which sources are being worked on.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    beats: AtomicU64,
    next: AtomicU64,
    /// Calls that wait for the disk to write.
    writing: AtomicU64,
    /// What is being worked on, by when it began: the oldest first.
    open: Mutex<BTreeMap<u64, Place>>,
}

/// Where in a source the work is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The latest time that was read from it.
    pub(crate) at: Option<Timestamp>,
}

impl Pulse {
    /// Something was finished.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that changes with every beat.
    pub(crate) fn count(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Until the guard is dropped the job waits for a disk to write, which may take any time and is no stall.
    pub(crate) fn write(&self) -> Writing<'_> {
        self.writing.fetch_add(1, Ordering::Relaxed);
        Writing(self)
    }

    /// Whether the job waits for a disk to write.
    pub(crate) fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Relaxed) > 0
    }

    /// The source that has been worked on for the longest, with the latest time that is known of it.
    pub(crate) fn waiting_for(&self) -> Option<Place> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let path = &open.values().next()?.path;
        let at = open.values().filter(|place| place.path == *path).filter_map(|place| place.at).max();
        Some(Place { path: path.clone(), at })
    }

    /// Work on the source at `path` begins, at `at` as far as is known; it ends, with a beat, when the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>, path: &Path, at: Option<Timestamp>) -> Working {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = Place { path: path.to_owned(), at };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, place);
        Working { pulse: Arc::clone(self), number }
    }
}

/// One call that waits for the disk.
pub(crate) struct Writing<'a>(&'a Pulse);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.beat();
        self.0.writing.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One call that may take long.
pub(crate) struct Working {
    pulse: Arc<Pulse>,
    number: u64,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.pulse.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        self.pulse.beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_work_is_what_is_waited_for() {
        let pulse = Arc::new(Pulse::default());
        assert_eq!(pulse.waiting_for(), None);
        let first = pulse.enter(Path::new("a"), Some(Timestamp::from_ticks(7)));
        let second = pulse.enter(Path::new("b"), None);
        let within = pulse.enter(Path::new("b"), Some(Timestamp::from_ticks(9)));
        drop(pulse.enter(Path::new("c"), None));
        assert_eq!(pulse.count(), 1, "only what has ended counts");
        assert_eq!(pulse.waiting_for(), Some(Place { path: "a".into(), at: Some(Timestamp::from_ticks(7)) }));
        drop(first);
        assert_eq!(pulse.waiting_for(), Some(Place { path: "b".into(), at: Some(Timestamp::from_ticks(9)) }));
        drop((second, within));
        assert_eq!((pulse.count(), pulse.waiting_for()), (4, None));
    }
}
