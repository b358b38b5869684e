//! The units of one plan on several processes with one store, one of which dies.

mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remix_engine::Control;
use remix_engine::job::Visuals;
use remix_engine::plan::{ChunkKey, Plan};
use remix_engine::store::ChunkStore;
use serde::{Deserialize, Serialize};
use serde_json::json;
use support::{Project, engine, moving};

/// What a worker process is told.
#[derive(Serialize, Deserialize)]
enum Task {
    /// These units of the plan in a file.
    Render { plan: PathBuf, units: Vec<usize> },
    /// The slide of this key, again and again.
    Write { key: ChunkKey, bytes: usize, times: usize },
}

const TASK: &str = "REMIX_TEST_TASK";
const STORE: &str = "REMIX_TEST_STORE";

/// Starts this program once more, as a worker.
fn start(task: &Task, store: &Path) -> Child {
    let mut command = Command::new(env::current_exe().expect("has a path"));
    command.args(["--exact", "worker", "--ignored"]);
    command.env(TASK, serde_json::to_string(task).expect("is JSON")).env(STORE, store);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("runs")
}

fn succeeds(mut child: Child) {
    assert!(child.wait().expect("ends").success());
}

#[test]
#[ignore = "the worker process that the other tests start"]
fn worker() {
    let Ok(task) = env::var(TASK) else { return };
    let store = ChunkStore::open(env::var_os(STORE).expect("is told")).expect("a store");
    match serde_json::from_str(&task).expect("is JSON") {
        Task::Render { plan, units } => {
            let plan: Plan = serde_json::from_slice(&fs::read(plan).expect("is there")).expect("is a plan");
            let engine = engine(1);
            for unit in units {
                engine.render_chunk(&plan, unit, &store, &Control::new()).expect("can be rendered");
            }
        }
        Task::Write { key, bytes, times } => {
            (0..times).for_each(|_| store.put_slide(&key, &vec![7; bytes]).expect("can be kept"));
        }
    }
}

#[test]
fn a_plan_on_three_processes_of_which_one_is_killed_gives_the_same_bytes() {
    let project = Project::of(&moving(6.0, 0), &moving(12.0, 1));
    let (engine, control) = (engine(1), Control::new());
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    assert_eq!(plan.units(), 9);
    let file = project.folder().join("plan.json");
    fs::write(&file, serde_json::to_vec(&plan).expect("serialises")).expect("can be written");
    let folder = project.out().join("store");
    let store = ChunkStore::open(&folder).expect("a store");
    let _lease = store.lease(plan.keys()).expect("can be leased");
    let render = |units: &[usize]| start(&Task::Render { plan: file.clone(), units: units.to_vec() }, &folder);

    // Two have the same first unit and begin at once.
    let (mut killed, others) = (render(&[1, 4, 7]), [render(&[0, 3, 6]), render(&[0, 2, 5, 8])]);
    let first = plan.keys().nth(1).expect("a unit");
    while !store.contains(first).expect("can be asked") {
        assert!(killed.try_wait().expect("can be asked").is_none(), "it works");
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().expect("is sent SIGKILL");
    assert!(!killed.wait().expect("ends").success());
    others.into_iter().for_each(succeeds);

    let missing = store.missing(&plan).expect("can be asked");
    assert!(missing.contains(&7) && missing.iter().all(|unit| [4, 7].contains(unit)), "{missing:?}");
    let assembled = project.folder().join("assembled.mp4");
    let error = engine.assemble(&plan, &store, &assembled, &control).expect_err("not all are there");
    assert_eq!(error.code(), "NOT_FOUND");
    let key = plan.keys().nth(7).expect("a unit");
    let named = format!("7 ({key})");
    assert!(error.message().contains("of 9 units") && error.message().contains(&named), "{error}");
    assert!(!assembled.exists());

    // Another takes over what is left.
    succeeds(render(&missing));
    assert!(store.missing(&plan).expect("can be asked").is_empty());
    let assembly = engine.assemble(&plan, &store, &assembled, &control).expect("all are there");
    let visuals = Visuals::default();
    let out = project.out().join("distributed");
    let container = engine.finalize(&plan, &visuals, &assembly, &assembled, &out, &control).expect("is published");
    let plain = engine.render(&project.request(), &project.out().join("plain")).expect("can be rendered").remove(0);
    let bytes = |name: &str, file: &str| fs::read(project.out().join(name).join(&container.id).join(file)).expect("is");
    assert_eq!(container.id, plain.id);
    for file in ["video.mp4", "thumbnail.jpg"] {
        assert!(bytes("distributed", file) == bytes("plain", file), "{file}");
    }
}

#[test]
fn two_processes_may_write_the_same_key_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let key: ChunkKey = serde_json::from_value(json!("ab".repeat(32))).expect("a key");
    let task = Task::Write { key: key.clone(), bytes: 1 << 20, times: 100 };
    let mut writers = [start(&task, folder.path()), start(&task, folder.path())];
    let (mut seen, mut running) = (0, true);
    while running {
        running = writers.iter_mut().any(|writer| writer.try_wait().expect("can be asked").is_none());
        match store.get_slide(&key).expect("can be read") {
            Some(bytes) => {
                assert!(bytes == vec![7; 1 << 20]);
                seen += 1;
            }
            // A damaged one would be dropped.
            None => assert_eq!(seen, 0, "once it is there, it is there whole"),
        }
    }
    writers.into_iter().for_each(succeeds);
    assert!(seen > 1);
    let left: Vec<_> = support::left_in(folder.path());
    assert_eq!(left, [folder.path().join(format!("{key}.slide"))]);
}
