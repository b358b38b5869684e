//! What the targets share: the fuzzer's bytes as a file, and which panics count.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// One file in memory that has no name, so that a crash leaves nothing behind; written anew for every run.
static FILE: Mutex<Option<File>> = Mutex::new(None);

/// Runs `read` on a file with this content.
pub fn with_file(content: &[u8], read: impl FnOnce(&Path)) {
    let mut slot = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match &mut *slot {
        Some(file) => file,
        none => none.insert(tempfile::tempfile_in("/dev/shm").expect("memory for a file")),
    };
    file.set_len(0).expect("can be emptied");
    file.rewind().expect("can be rewound");
    file.write_all(content).expect("can be written");
    read(&PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())));
}

/// Has only those panics end the process that the engine does not catch: it lets the decoders of pictures, which are
/// other people's crates, give up, and reports that as an error. A panic of the engine's own lines is always a finding.
pub fn forgive_decoders() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Debug information names crates of the registry by their folder there.
        let foreign = panic.location().is_some_and(|at| at.file().contains("/registry/src/"));
        if !foreign {
            fatal(panic);
        }
    }));
}
