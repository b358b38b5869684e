//! A store that lasts: only what has changed is rendered, killed jobs go on, and nothing of it changes a byte.

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remix_engine::plan::ChunkKey;
use remix_engine::store::{ChunkStore, StoreBackend};
use remix_engine::{Control, Result};
use serde_json::json;
use support::{Project, engine, engine_with, left_in, moving, render_as as render};

fn project() -> Project {
    Project::of(&moving(2.5, 0), &moving(5.0, 1))
}

#[test]
fn a_new_hook_renders_its_own_chunks_alone_and_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let engine = engine_with(&store);
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
    let sounds = || {
        let entries = fs::read_dir(folder.path()).expect("is there").map(|entry| entry.expect("is there").path());
        entries.filter(|path| path.extension().is_some_and(|end| end == "sound")).collect::<Vec<_>>()
    };
    assert_eq!(sounds().len(), 1, "both hooks have the same sound");
    fs::write(&sounds()[0], "damaged").expect("can be written");
    let (third, again) = render(&engine, &other, "third");
    assert_eq!((third.report.chunks_rendered, third.report.chunks_reused), (0, chunks));
    assert!(again == cold, "a damaged sound is made again");
    let quieter = other.with("/audio", json!({ "loudness": -20 }));
    let (fourth, quiet) = render(&engine, &quieter, "fourth");
    assert_eq!(fourth.report.chunks_rendered, 0);
    assert!(quiet != cold && sounds().len() == 2);
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
    let (resumed, video) = render(&engine_with(&store), &project, "resumed");
    assert!(kept > 0);
    assert_eq!(resumed.report.chunks_reused, kept, "all that was finished is used");
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
    assert!(keys.iter().all(|key| store.contains(key).expect("can be asked")));
    let lease = store.lease([&keys[0]]).expect("can be leased");
    pause();
    // The second is used again, and so is younger than the third.
    assert!(store.get_slide(&keys[1]).expect("is read").is_some());
    for number in 8..12 {
        pause();
        entry(&store, number, 100_000);
    }
    let there: Vec<bool> = keys.iter().map(|key| store.contains(key).expect("can be asked")).collect();
    assert_eq!(there[..4], [true, true, false, false], "{there:?}");
    let total: u64 =
        fs::read_dir(folder.path()).expect("is read").map(|e| e.expect("is").metadata().expect("is").len()).sum();
    assert!(total <= 1_010_000, "{total}");
    drop(lease);
    for number in 12..30 {
        pause();
        entry(&store, number, 100_000);
    }
    assert!(!store.contains(&keys[0]).expect("can be asked"), "without its lease it is the oldest");
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
    assert!(!store.contains(&old).expect("can be asked"));
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
    let engine = engine_with(&store);
    let project = Project::small();
    let plan = engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    engine.render_chunk(&plan, 0, &store, &Control::new()).expect("can be rendered");
    let said = plan.describe_with(|key| store.contains(key).ok());
    assert_eq!((said.matches("in the store").count(), said.matches("to be rendered").count()), (1, plan.units() - 1));
}

#[test]
fn a_store_in_memory_gives_the_same_bytes() {
    let project = Project::small();
    let (_, cold) = render(&engine(2), &project, "cold");
    let engine = engine_with(&ChunkStore::in_memory());
    let (first, video) = render(&engine, &project, "memory");
    assert!(first.report.chunks_reused == 0 && video == cold);
    let (second, again) = render(&engine, &project, "again");
    assert_eq!((second.report.chunks_rendered, second.report.chunks_reused), (0, first.report.chunks_rendered));
    assert!(again == cold);
}

#[test]
fn a_damaged_chunk_is_rendered_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let project = Project::small();
    let (first, whole) = render(&engine_with(&store), &project, "first");
    let chunks = || left_in(folder.path()).into_iter().filter(|path| path.extension().is_some_and(|e| e == "chunk"));
    let file = chunks().next().expect("a chunk");
    let bytes = fs::read(&file).expect("is there");
    let flipped: Vec<u8> =
        bytes.iter().enumerate().map(|(at, &b)| if at == bytes.len() / 2 { b ^ 4 } else { b }).collect();
    for damaged in [&flipped[..], &bytes[..bytes.len() - 1]] {
        fs::write(&file, damaged).expect("can be written");
        let (again, video) = render(&engine_with(&store), &project, "again");
        let figures = (again.report.chunks_rendered, again.report.chunks_reused);
        assert_eq!(figures, (1, first.report.chunks_rendered - 1));
        assert!(video == whole && fs::read(&file).expect("is there") == bytes);
    }
}

/// A place of somebody else's, which loses an entry after it has said that it is there.
#[derive(Debug, Default)]
struct Forgetful {
    entries: Mutex<HashMap<String, Vec<u8>>>,
    lost: Mutex<Option<String>>,
}

impl StoreBackend for Forgetful {
    fn describe(&self) -> String {
        "the attic".to_owned()
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let is_lost = self.lost.lock().expect("no panic").as_deref() == Some(name);
        Ok(self.entries.lock().expect("no panic").get(name).filter(|_| !is_lost).cloned())
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        self.entries.lock().expect("no panic").insert(name.to_owned(), bytes);
        Ok(())
    }

    fn contains(&self, name: &str) -> Result<bool> {
        Ok(self.entries.lock().expect("no panic").contains_key(name))
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.entries.lock().expect("no panic").remove(name);
        Ok(())
    }
}

#[test]
fn a_chunk_that_vanishes_before_assembling_is_named() {
    let project = Project::small();
    let attic = Arc::new(Forgetful::default());
    let (engine, store, control) = (engine(2), ChunkStore::with_backend(attic.clone()), Control::new());
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let key = plan.keys().last().expect("has chunks");
    *attic.lost.lock().expect("no panic") = Some(format!("{key}.chunk"));
    let file = project.folder().join("assembled.mp4");
    let error = engine.assemble(&plan, &store, &file, &control).expect_err("one is gone");
    assert_eq!(error.code(), "NOT_FOUND");
    assert_eq!(error.message(), format!("chunk {} ({key}) is not in the attic", plan.units() - 1));
    *attic.lost.lock().expect("no panic") = None;
    engine.assemble(&plan, &store, &file, &control).expect("is there again");
}

/// Lines of the log that say `what` of `file`.
fn said(log: &str, what: &str, file: &str) -> usize {
    log.lines().filter(|line| line.contains(what) && line.contains(file)).count()
}

/// Plans with a cache as the command does; gives the plan and the log.
fn plan_with_cache(project: &Project, cache: &Path) -> (Vec<u8>, String) {
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_remix"));
    command.arg("plan").arg(project.folder()).arg("--json").arg("--cache").arg(cache);
    let output = command.env("RUST_LOG", "remix_engine::source=debug").stdin(Stdio::null()).output().expect("runs");
    let log = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{log}");
    // The estimate, the last line, depends on how fast the machine is just now.
    let plan = output.stdout.split_inclusive(|&byte| byte == b'\n').next().expect("a line");
    (plan.to_vec(), log)
}

/// What was changed just now may be changed once more without a trace, and is not remembered.
fn settle() {
    std::thread::sleep(Duration::from_millis(2_200));
}

#[test]
fn a_source_is_read_whole_once() {
    let project = project();
    let cache = project.out().join("cache");
    settle();
    let (first, log) = plan_with_cache(&project, &cache);
    for file in ["reaction.mp4", "demo.mp4", "music.wav"] {
        assert_eq!((said(&log, "hashed", file), said(&log, "scanned", file)), (1, 1), "{file}: {log}");
    }
    let (second, log) = plan_with_cache(&project, &cache);
    assert!(second == first);
    assert_eq!(said(&log, "hashed", ""), 0, "{log}");
    assert_eq!((said(&log, "scanned", "reaction.mp4"), said(&log, "scanned", "demo.mp4")), (0, 0), "{log}");

    // What is remembered changes no byte.
    let (_, video) = render(&engine_with(&ChunkStore::open(&cache).expect("a store")), &project, "known");
    let (_, cold) = render(&engine(2), &project, "cold");
    assert!(video == cold);

    // Another content of the same size and time.
    let music = project.folder().join("music.wav");
    let modified = fs::metadata(&music).expect("is there").modified().expect("has a time");
    let mut bytes = fs::read(&music).expect("is there");
    *bytes.last_mut().expect("has samples") ^= 1;
    fs::write(&music, bytes).expect("can be written");
    fs::File::options().append(true).open(&music).and_then(|file| file.set_modified(modified)).expect("can be set");
    let (third, log) = plan_with_cache(&project, &cache);
    assert_eq!((said(&log, "hashed", ""), said(&log, "hashed", "music.wav")), (1, 1), "{log}");
    assert!(third != first);

    // Damage to what is remembered is not believed.
    for entry in left_in(&cache.join("sources")) {
        let length = fs::metadata(&entry).expect("is there").len();
        fs::File::options().write(true).open(&entry).and_then(|file| file.set_len(length - 1)).expect("can be cut");
    }
    let (fourth, log) = plan_with_cache(&project, &cache);
    assert_eq!((said(&log, "hashed", "reaction.mp4"), said(&log, "hashed", "demo.mp4")), (1, 1), "{log}");
    assert!(fourth == third);
}

#[test]
fn a_source_that_changed_after_planning_is_noticed_though_it_is_known() {
    let project = Project::small();
    let store = ChunkStore::open(project.out().join("cache")).expect("a store");
    let control = Control::new();
    settle();
    let plan = engine_with(&store).plan(&project.request(), &control).expect("can be planned").remove(0);
    let music = project.folder().join("music.wav");
    let mut bytes = fs::read(&music).expect("is there");
    *bytes.last_mut().expect("has samples") ^= 1;
    fs::write(&music, bytes).expect("can be written");
    let error = engine_with(&store).generate_visuals(&plan, &store, &control).expect_err("is another file");
    assert_eq!(error.code(), "SOURCE_UNREADABLE");
    assert!(error.message().ends_with("has changed since planning"), "{error}");
}
