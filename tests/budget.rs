//! What a job will take is known before, and limits refuse it in place of dying on the way.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use remix_engine::limits::Limits;
use remix_engine::source::AtEnd;
use remix_engine::store::ChunkStore;
use remix_engine::{Control, Engine, EngineOptions, Estimate, Existing, Stage};
use serde_json::json;
use support::{Project, clip, engine, fixture, left_in, moving};

fn two_seconds() -> Project {
    Project::of(&moving(2.5, 0), &moving(5.0, 1))
}

fn limited(limits: Limits) -> Engine {
    Engine::new(EngineOptions { limits, existing: Existing::Replace, ..EngineOptions::default() }).expect("an engine")
}

fn estimate(engine: &Engine, project: &Project, store: Option<&ChunkStore>) -> Estimate {
    let plans = engine.plan(&project.request(), &Control::new()).expect("can be planned");
    engine.estimate(&plans, store).expect("the store answers")
}

#[test]
fn what_is_in_the_store_or_shared_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = ChunkStore::open(folder.path()).expect("a store");
    let engine = engine(2);
    let project = two_seconds();
    let cold = estimate(&engine, &project, Some(&store));
    assert_eq!(cold.units, 5);
    assert!(cold.cpu_seconds > 0.1 && cold.wall_seconds > cold.cpu_seconds / 4.0, "{cold:?}");
    let plan = engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    engine.render_chunk(&plan, 0, &store, &Control::new()).expect("can be rendered");
    let warm = estimate(&engine, &project, Some(&store));
    assert_eq!(warm.units, 4);
    assert!(warm.cpu_seconds < cold.cpu_seconds);
    // The app demo's chunks are shared by both.
    let two = two_seconds().with("/variantCount", json!(2));
    assert!(estimate(&engine, &two, None).units <= 7);
}

#[test]
fn dearer_work_is_estimated_dearer() {
    let engine = engine(2);
    let preset = |name: &str| estimate(&engine, &two_seconds().with("/output/preset", json!(name)), None);
    let (draft, standard, high) = (preset("draft"), preset("standard"), preset("high"));
    for (less, more) in [(draft, standard), (standard, high)] {
        assert!(less.cpu_seconds < more.cpu_seconds && less.memory_bytes < more.memory_bytes, "{less:?} {more:?}");
    }
    let one = Engine::new(EngineOptions { threads: std::num::NonZeroUsize::new(1), ..EngineOptions::default() });
    let alone = estimate(&one.expect("an engine"), &two_seconds(), None);
    assert!(alone.memory_bytes < draft.memory_bytes && alone.wall_seconds > draft.wall_seconds);
}

/// The pictures of a picture in a picture that starts over are kept, and counted; where there is no room they are not. Those of half of
/// the canvas are too many.
#[test]
fn pictures_of_what_starts_over_are_kept_where_they_are_small() {
    let memory = |seconds: f64, layout: &str, limit: Option<u64>| {
        let project = Project::of(&moving(seconds, 0), &moving(5.0, 1)).with("/layout", json!(layout));
        let plans = engine(1).plan(&project.request(), &Control::new()).expect("can be planned");
        let clip = &plans[0].shots()[0].clips[1];
        assert_eq!(clip.at_end, AtEnd::Loop, "{layout}");
        let pixels = u64::from(clip.area.width) * u64::from(clip.area.height);
        let engine = limited(Limits { memory: limit, ..Limits::default() });
        (engine.estimate(&plans, None).expect("the store answers").memory_bytes, 39 * pixels * 3 / 2)
    };
    let (often, pictures) = memory(1.3, "picture-in-picture", None);
    let (once, _) = memory(6.0, "picture-in-picture", None);
    let kept = often - once;
    assert!(kept > pictures && kept < pictures * 4 / 3, "{kept} for {pictures}");
    assert_eq!(memory(1.3, "picture-in-picture", Some(once + pictures / 2)).0, once);
    assert_eq!(memory(4.0, "split", None).0, memory(6.0, "split", None).0);
}

#[test]
fn pictures_that_are_decoded_whole_take_more_memory() {
    // Of 12 megapixels each, as phones make them.
    let picture = |extension: &str| {
        let file = clip(extension, "-f lavfi -i testsrc2=size=3000x4000 -frames:v 1");
        let project = Project::blank(json!({
            "id": "cnt_test", "format": "slideshow-builder", "influencerId": "inf_ada",
            "app": { "name": "Habits", "description": "Small steps." },
            "media": [{ "id": "one", "src": "one" }],
            "slides": [{ "media": "one", "text": "One" }, { "media": "one", "text": "Two" }],
        }));
        project.put("one", &file);
        estimate(&engine(1), &project, None).memory_bytes
    };
    let (jpeg, png) = (picture("jpg"), picture("png"));
    assert!(png > jpeg + (12_000_000 * 8), "{png} and {jpeg} bytes");
}

#[test]
fn a_job_over_a_limit_is_refused_before_anything_is_decoded() {
    let project = two_seconds();
    let limits = Limits::default;
    for (limits, named) in [
        (Limits { cpu: Some(Duration::from_millis(10)), ..limits() }, "CPU time"),
        (Limits { wall: Some(Duration::from_millis(10)), ..limits() }, "s of time"),
        (Limits { memory: Some(64 << 20), ..limits() }, "memory"),
        (Limits { disk: Some(1000), ..limits() }, "disk"),
    ] {
        let error = limited(limits).render(&project.request(), &project.out()).expect_err("is refused");
        assert_eq!((error.code(), error.stage()), ("LIMIT_EXCEEDED", Some(Stage::Planning)), "{named}");
        assert!(error.message().contains(named) && error.message().contains("about"), "{error}");
        assert!(error.suggestion().is_some());
        assert!(left_in(&project.out()).is_empty(), "{named}");
    }
}

/// `remix render` of a project with at most `kib` KiB of data, as `ulimit -d` sets; and its peak in KiB.
fn with_memory(kib: u64, project: &Project, out: &str) -> (Output, u64) {
    let (out, peak) = (project.folder().join(out), project.folder().join("peak"));
    let script =
        "ulimit -d $1; exec /usr/bin/time -f %M -o \"$2\" \"$3\" render \"$4\" --out \"$5\" --no-cache --threads 3";
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash", &kib.to_string()]).arg(&peak).arg(env!("CARGO_BIN_EXE_remix"));
    let output = command.arg(project.folder()).arg(out).output().expect("runs");
    let peak = fs::read_to_string(peak).expect("is there");
    (output, peak.split_whitespace().last().and_then(|kib| kib.parse().ok()).expect("a number"))
}

#[test]
fn under_a_hard_limit_of_memory_there_are_fewer_workers_and_the_same_bytes() {
    let project = two_seconds().with("/output/preset", json!("high"));
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let (free, unlimited) = with_memory(4 << 20, &project, "free");
    assert!(free.status.success(), "{free:?}");
    let limit = unlimited * 2 / 3;
    let (tight, peak) = with_memory(limit, &project, "tight");
    assert!(tight.status.success(), "{unlimited} KiB, of which there were {limit}: {tight:?}");
    assert!(peak < limit, "{peak} of {limit} KiB");
    let video = |out: &str| fs::read(project.folder().join(out).join("cnt_test/video.mp4")).expect("is there");
    assert!(video("free") == video("tight"));
    let (refused, _) = with_memory(120 << 10, &project, "refused");
    assert_eq!(refused.status.code(), Some(4));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("error[LIMIT_EXCEEDED]") && errors.contains("MiB of memory"), "{errors}");
    assert!(!project.folder().join("refused").exists());
}

/// The peak of `remix render` of a fixture, against what was predicted.
fn memory_of(fixture: &Path, preset: &str, threads: &str) -> f64 {
    let out = tempfile::tempdir().expect("a folder");
    let remix = env!("CARGO_BIN_EXE_remix");
    let options = ["--no-cache", "--preset", preset, "--threads", threads];
    let planned = Command::new(remix).arg("plan").arg(fixture).arg("--json").args(options).output().expect("runs");
    let said = String::from_utf8(planned.stdout).expect("is text");
    let last: serde_json::Value = serde_json::from_str(said.lines().last().expect("a line")).expect("is JSON");
    let predicted = last["estimate"]["memoryBytes"].as_f64().expect("a number") / 1024.0;
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%M"]).arg(remix).arg("render").arg(fixture).arg("--out").arg(out.path()).args(options);
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("is text");
    let measured: f64 = said.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number");

    predicted / measured
}

#[test]
fn the_fixtures_memory_is_predicted() {
    for (preset, threads) in [("draft", "1"), ("draft", "2"), ("standard", "2")] {
        let ratio = memory_of(&fixture(), preset, threads);
        assert!((0.85..1.3).contains(&ratio), "{preset}, {threads}: {ratio:.2}");
    }
}

#[cfg(feature = "tesseract")]
#[test]
fn what_planning_a_remix_took_is_given_back_before_chunks_are_rendered() {
    let ratio = memory_of(&fixture().with_file_name("video-remix"), "standard", "2");
    assert!((0.9..1.3).contains(&ratio), "{ratio:.2}");
}
