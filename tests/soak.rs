//! Long runs, of minutes: not part of the suite. `cargo test --release --test soak -- --ignored --nocapture`

#![allow(clippy::print_stdout, reason = "who runs it by hand wants the figures")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use remix_engine::store::ChunkStore;
use remix_engine::{Cancel, Control, Engine, EngineOptions, Existing};
use serde_json::{Value, json};
use support::{Project, left_in, moving};

/// What a process must not lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    files: usize,
}

fn held() -> Held {
    let count = |folder: &str| fs::read_dir(folder).expect("is Linux").count();
    Held { threads: count("/proc/self/task"), files: count("/proc/self/fd") }
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("is there");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// One job of the soak: most succeed, some are cancelled on their way, some have a source that is none.
fn job(number: u32, engine: &Engine, good: &Project, bad: &Project) -> &'static str {
    let project = if number % 5 == 2 { bad } else { good };
    let mut request = project.request();
    request.id = format!("cnt_{}", number % 10);
    request.hook = Some(format!("take {number}"));
    let cancel = Cancel::new();
    let token = cancel.clone();
    let canceled = number % 7 == 3;
    let control = Control::new().with_cancel(cancel).with_progress(move |progress| {
        if canceled && progress.frames > 5 {
            token.cancel();
        }
    });
    match engine.render_with(&request, &project.out(), &control) {
        Ok(_) => "made",
        Err(error) => error.code(),
    }
}

#[test]
#[ignore = "takes minutes"]
fn three_hundred_jobs_leave_nothing_behind() {
    let good = Project::small();
    let bad = Project::small();
    bad.write("demo.mp4", b"not a video at all");
    let cache = tempfile::tempdir().expect("a folder");
    let store = ChunkStore::open_bounded(cache.path(), 4 << 20).expect("a store");
    let options = EngineOptions { store: Some(store), existing: Existing::Replace, ..EngineOptions::default() };
    let engine = Engine::new(options).expect("an engine");
    let mut ends = std::collections::BTreeMap::new();
    let mut run = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            *ends.entry(job(number, &engine, &good, &bad)).or_insert(0) += 1;
        }
    };
    // What is made once (fonts, tables, arenas of the allocator) is there after some jobs.
    run(0..60);
    let (before, memory) = (held(), resident_kib());
    run(60..360);
    let (after, grown) = (held(), resident_kib());
    println!("{ends:?}; {before:?} to {after:?}; {memory} to {grown} KiB");
    assert!(
        ["made", "CANCELED", "SOURCE_UNSUPPORTED"].iter().all(|end| ends.get(end).is_some_and(|&count| count > 20))
    );
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert_eq!(after, before);
    assert!(grown as f64 <= memory as f64 * 1.05, "{memory} to {grown} KiB");
    let hidden = left_in(&good.out()).into_iter().chain(left_in(&bad.out()));
    assert!(
        hidden.into_iter().all(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
    );
    let known = |path: &std::path::PathBuf| {
        let is_entry = path.extension().is_some_and(|end| end == "chunk" || end == "sound");
        is_entry || path.ends_with("sweep.lock") || path.ends_with("sources")
    };
    let others: Vec<_> = left_in(cache.path()).into_iter().filter(|path| !known(path)).collect();
    assert!(others.is_empty(), "no lease and no half-written file is left: {others:?}");
}

fn start(project: &Path, out: &Path, cache: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remix"));
    command.env("XDG_CACHE_HOME", "").env_remove("HOME");
    command.arg("render").arg(project).arg("--out").arg(out).arg("--cache").arg(cache);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs")
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_change_no_byte() {
    let project = Project::of(&moving(2.5, 0), &moving(5.0, 1)).with("/hook", json!("wait for it"));
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let root = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let cold = root.path().join("cold");
    assert!(start(&project.folder(), &cold, &root.path().join("cold-cache")).wait().expect("ends").success());
    let whole = began.elapsed();
    let reference = fs::read(cold.join("cnt_test/video.mp4")).expect("is there");
    // Times spread over the whole render by the golden ratio, so that no two kills are at the same.
    let (mut on_the_way, mut resumed) = (0, 0);
    for number in 0..200u32 {
        let (out, cache) = (root.path().join(format!("out-{number}")), root.path().join(format!("cache-{number}")));
        let part = (f64::from(number) * 0.618_033_988_75).fract();
        let mut child = start(&project.folder(), &out, &cache);
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * part));
        on_the_way += u32::from(child.try_wait().expect("can be asked").is_none());
        child.kill().expect("can be killed");
        child.wait().expect("ends");
        let kept = left_in(&cache).iter().filter(|path| path.extension().is_some_and(|end| end == "chunk")).count();
        let was_out = out.join("cnt_test").exists();
        assert!(start(&project.folder(), &out, &cache).wait().expect("ends").success(), "kill {number}");
        let video = fs::read(out.join("cnt_test/video.mp4")).expect("is there");
        assert!(video == reference, "kill {number} after {part:.3} of {whole:?}");
        if !was_out {
            let container = fs::read(out.join("cnt_test/container.json")).expect("is there");
            let container: Value = serde_json::from_slice(&container).expect("is JSON");
            assert_eq!(container["report"]["chunksReused"], kept, "kill {number}: all that was finished is used");
            resumed += u32::from(kept > 0);
        }
        fs::remove_dir_all(&out).and_then(|()| fs::remove_dir_all(&cache)).expect("can be removed");
    }
    println!(
        "{on_the_way} of 200 were killed on their way, {resumed} of them went on with chunks; a render takes {whole:?}"
    );
    assert!(on_the_way > 150 && resumed > 50, "{on_the_way}, {resumed}");
}
