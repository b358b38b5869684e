//! Files that once made the engine panic, hang or grow, in `tests/bad`: each gives a video or a typed error, in time.
//! `tests/fuzz` finds them.

mod support;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use remix_engine::{Cancel, Control, Error};
use serde_json::{Value, json};
use support::{Project, engine, left_in, silent};

/// The slowest of them takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

fn bad_files() -> Vec<PathBuf> {
    left_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad"))
}

/// What comes of the work on a file; `None` if it does not end in time.
fn in_time<T: Send + 'static>(
    work: impl FnOnce(&Control) -> Result<T, Error> + Send + 'static,
) -> Option<Result<T, Error>> {
    let cancel = Cancel::new();
    let control = Control::new().with_cancel(cancel.clone());
    let (done, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody waits any more after the deadline.
        let _ = done.send(work(&control));
    });
    match waiting.recv_timeout(DEADLINE) {
        Ok(result) => Some(result),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            cancel.cancel();
            None
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => unreachable!("the worker panicked"),
    }
}

/// What is wrong with how the engine takes `file` as the source `name` of a project.
fn fault(file: &Path, name: &str) -> Option<String> {
    let whole = silent(0.1);
    let project = Project::of(&whole, &whole).with("/hook", Value::Null);
    project.put(name, file);
    let project = if name == "music.wav" { project } else { project.with("/music", json!([])) };
    let (request, out) = (project.request(), project.out());
    let to = out.clone();
    match in_time(move |control| engine(1).render_with(&request, &to, control)) {
        None => Some(format!("not done after {DEADLINE:?}")),
        // Also what a caught panic gives.
        Some(Err(error)) if matches!(error.code(), "INTERNAL" | "STALLED") => Some(format!("{error:?}")),
        Some(Err(_)) => {
            let left = left_in(&out);
            (!left.is_empty()).then(|| format!("left {left:?}"))
        }
        Some(Ok(_)) => None,
    }
}

#[test]
fn bad_files_give_a_video_or_a_typed_error() {
    let files = bad_files();
    assert!(!files.is_empty(), "there are none");
    let faults: Vec<String> = files
        .into_iter()
        .flat_map(|file| ["reaction.mp4", "music.wav"].map(|name| (file.clone(), name)))
        .filter_map(|(file, name)| fault(&file, name).map(|fault| format!("{} as {name}: {fault}", file.display())))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
