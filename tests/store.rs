//! A store that lasts: only what has changed is rendered, killed jobs go on, and nothing of it changes a byte.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use remix_engine::output::Container;
use remix_engine::plan::ChunkKey;
use remix_engine::store::ChunkStore;
use remix_engine::{Control, Engine, EngineOptions};
use serde_json::json;
use support::{Project, engine, moving};

fn project() -> Project {
    Project::of(&moving(2.5, 0), &moving(5.0, 1))
}

fn with_store(store: &ChunkStore) -> Engine {
    Engine::new(EngineOptions { store: Some(store.clone()), ..EngineOptions::default() }).expect("an engine")
}

fn render(engine: &Engine, project: &Project, name: &str) -> (Container, Vec<u8>) {
    let out = project.out().join(name);
    let container = engine.render(&project.request(), &out).expect("can be rendered").remove(0);
    let video = fs::read(out.join(&container.id).join("video.mp4")).expect("is there");
    (container, video)
}

#[test]
fn a_new_hook_renders_its_own_chunks_alone_and_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let engine = with_store(&store);
    let (first, old) = render(&engine, &project(), "first");
    let (chunks, reused) = (first.report.chunks_rendered, first.report.chunks_reused);
    assert!(chunks >= 5 && reused == 0);
    let other = project().with("/hook", json!("another hook"));
    let (second, new) = render(&engine, &other, "second");
    // The hook is over the reaction: 2.5 s, two chunks.
    assert_eq!((second.report.chunks_rendered, second.report.chunks_reused), (2, chunks - 2));
    let (_, cold) = render(&support::engine(2), &other, "cold");
    assert!(new == cold, "the same bytes as without a store");
    assert!(new != old);
    let (third, again) = render(&engine, &other, "third");
    assert_eq!((third.report.chunks_rendered, third.report.chunks_reused), (0, chunks));
    assert!(again == cold);
}

#[test]
fn a_killed_render_goes_on_where_it_stopped() {
    let project = project().with("/output/preset", json!("high"));
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let cache = project.out().join("cache");
    let start = |out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remix"));
        command.arg("render").arg(project.folder()).arg("--out").arg(out).arg("--cache").arg(&cache).arg("--json");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
    };
    let out = project.out().join("killed");
    let finished = || {
        let entries = fs::read_dir(&cache).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "chunk")).count()
    };
    let mut killed = 0;
    for chunks in 1..=3 {
        let mut child = start(&out);
        while finished() < chunks && child.try_wait().expect("can be asked").is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        killed += u32::from(child.try_wait().expect("can be asked").is_none());
        child.kill().expect("can be killed");
        child.wait().expect("ends");
    }
    assert!(killed > 0, "at least one was killed on its way");
    let store = ChunkStore::open(&cache).expect("a store");
    let kept = finished() as u64;
    let (resumed, video) = render(&with_store(&store), &project, "resumed");
    assert!(resumed.report.chunks_reused >= kept.min(1), "{kept} kept, {} reused", resumed.report.chunks_reused);
    let (_, cold) = render(&engine(1), &project, "cold");
    assert!(video == cold, "the same bytes as in one go");
}

/// Keys of nothing, and an entry of about `bytes` for each.
fn entry(store: &ChunkStore, number: u8, bytes: usize) -> ChunkKey {
    let key: ChunkKey = serde_json::from_value(json!(format!("{number:02x}").repeat(32))).expect("a key");
    store.put_slide(&key, &vec![number; bytes]).expect("can be kept");
    key
}

#[test]
fn a_bounded_store_drops_what_was_used_least_recently_but_nothing_that_is_leased() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open_bounded(folder.path(), 1_000_000).expect("a store");
    let pause = || std::thread::sleep(Duration::from_millis(15));
    let keys: Vec<ChunkKey> = (0..8)
        .map(|number| {
            pause();
            entry(&store, number, 100_000)
        })
        .collect();
    assert!(keys.iter().all(|key| store.contains(key)));
    let lease = store.lease([&keys[0]]).expect("can be leased");
    pause();
    // The second is used again, and so is younger than the third.
    assert!(store.get_slide(&keys[1]).expect("is read").is_some());
    for number in 8..12 {
        pause();
        entry(&store, number, 100_000);
    }
    let there: Vec<bool> = keys.iter().map(|key| store.contains(key)).collect();
    assert_eq!(there[..4], [true, true, false, false], "{there:?}");
    let total: u64 =
        fs::read_dir(folder.path()).expect("is read").map(|e| e.expect("is").metadata().expect("is").len()).sum();
    assert!(total <= 1_010_000, "{total}");
    drop(lease);
    for number in 12..30 {
        pause();
        entry(&store, number, 100_000);
    }
    assert!(!store.contains(&keys[0]), "without its lease it is the oldest");
}

#[test]
fn a_lease_of_a_process_that_died_holds_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open_bounded(folder.path(), 300_000).expect("a store");
    let old = entry(&store, 1, 100_000);
    fs::write(folder.path().join("job-dead.lease"), format!("{old}\n")).expect("can be written");
    for number in 2..8 {
        std::thread::sleep(Duration::from_millis(15));
        entry(&store, number, 100_000);
    }
    assert!(!store.contains(&old));
    assert!(!folder.path().join("job-dead.lease").exists());
}

#[test]
fn what_is_not_the_stores_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(100 * 24 * 3600);
    let put = |name: &str| {
        let file = fs::File::create(folder.path().join(name)).expect("is made");
        file.set_len(400_000).expect("has a size");
        file.set_modified(long_ago).expect("has a time");
    };
    let others = [".bashrc", "notes.chunk", "photo.slide", "mine.lease", "job.lease", ".lease-x", "sub.txt"];
    others.iter().for_each(|name| put(name));
    put(".remix-store-abc");
    let store = ChunkStore::open_bounded(folder.path(), 300_000).expect("a store");
    (1..8).for_each(|number| drop(entry(&store, number, 100_000)));
    for name in others {
        assert!(folder.path().join(name).exists(), "{name} is not the store's to remove");
    }
    assert!(!folder.path().join(".remix-store-abc").exists(), "what a writer left that died goes");
}

#[test]
fn a_plan_says_what_is_in_the_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let engine = with_store(&store);
    let project = Project::small();
    let plan = engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    engine.render_chunk(&plan, 0, &store, &Control::new()).expect("can be rendered");
    let said = plan.describe_with(|key| Some(store.contains(key)));
    assert_eq!((said.matches("in the store").count(), said.matches("to be rendered").count()), (1, plan.units() - 1));
}
