//! Jobs that are sent again, and variants of which one fails.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use remix_engine::output::{Container, Status};
use remix_engine::store::ChunkStore;
use remix_engine::{Control, Engine, EngineOptions, ErrorKind, Existing, Stage};
use serde_json::json;
use support::{Project, left_in, moving};

/// An engine as callers get it by default.
fn engine() -> Engine {
    Engine::new(EngineOptions::default()).expect("this machine has what the engine needs")
}

fn written(file: &Path) -> SystemTime {
    fs::metadata(file).and_then(|metadata| metadata.modified()).expect("is there")
}

#[test]
fn the_same_request_gives_the_result_that_is_there() {
    let project = Project::small().with("/variantCount", json!(2));
    let first = engine().render(&project.request(), &project.out()).expect("can be rendered");
    let video = project.out().join("cnt_test/video.mp4");
    let made = written(&video);
    let again = engine().render(&project.request(), &project.out()).expect("is there");
    assert_eq!(again, first, "to the last word, with its times");
    assert_eq!(written(&video), made, "nothing was written");
    // Who sends it again may have cleared up.
    for name in ["reaction.mp4", "demo.mp4", "music.wav"] {
        fs::remove_file(project.folder().join(name)).expect("can be removed");
    }
    assert_eq!(engine().render(&project.request(), &project.out()).expect("is there"), first);
}

#[test]
fn the_same_id_with_other_content_is_a_conflict_and_changes_nothing() {
    let project = Project::small();
    let engine = engine();
    engine.render(&project.request(), &project.out()).expect("can be rendered");
    let made = written(&project.out().join("cnt_test/video.mp4"));
    let conflicts = |project: &Project, name: &str| {
        let error = engine.render(&project.request(), &project.out()).expect_err("is refused");
        assert_eq!((error.code(), error.stage()), ("IDEMPOTENCY_CONFLICT", Some(Stage::Planning)), "{name}");
        assert!(error.message().contains(name), "{error}");
        assert!(error.suggestion().is_some_and(|what| what.contains("--replace")));
        assert!(!error.is_retryable());
        assert_eq!(written(&project.out().join("cnt_test/video.mp4")), made, "{name}");
        assert_eq!(left_in(&project.out()), [project.out().join("cnt_test")], "{name}");
    };
    // Another file under the same name.
    project.put("demo.mp4", &moving(0.5, 4));
    conflicts(&project, "med_demo");
    project.put("demo.mp4", &moving(0.5, 1));
    assert!(engine.render(&project.request(), &project.out()).is_ok(), "it is the same again");
    let other = project.with("/hook", json!("other words"));
    conflicts(&other, "cnt_test");
    // The stages by hand come to the same.
    let control = Control::new();
    let plan = engine.plan(&other.request(), &control).expect("can be planned").remove(0);
    let store = ChunkStore::open(other.folder().join("chunks")).expect("a store");
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let file = other.folder().join("assembled.mp4");
    let assembly = engine.assemble(&plan, &store, &file, &control).expect("can be assembled");
    let error = engine.finalize(&plan, &visuals, &assembly, &file, &other.out(), &control).expect_err("is refused");
    assert_eq!((error.code(), error.stage()), ("IDEMPOTENCY_CONFLICT", Some(Stage::Finalizing)));
    assert!(file.is_file(), "what was assembled is kept");
    // Unless it is asked for.
    let replacing = EngineOptions { existing: Existing::Replace, ..EngineOptions::default() };
    let engine = Engine::new(replacing).expect("an engine");
    engine.render(&other.request(), &other.out()).expect("is replaced");
    assert_ne!(written(&other.out().join("cnt_test/video.mp4")), made);
}

#[test]
fn a_result_that_is_not_whole_is_made_again() {
    let project = Project::small();
    engine().render(&project.request(), &project.out()).expect("can be rendered");
    let video = project.out().join("cnt_test/video.mp4");
    let bytes = fs::read(&video).expect("is there");
    let flipped: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 5_000)).collect();
    for damage in [&bytes[..100], &[], &flipped] {
        fs::write(&video, damage).expect("can be written");
        engine().render(&project.request(), &project.out()).expect("can be rendered");
        assert!(fs::read(&video).expect("is there") == bytes);
    }
    let description = project.out().join("cnt_test/container.json");
    let whole = fs::read_to_string(&description).expect("is there");
    let mut without: serde_json::Value = serde_json::from_str(&whole).expect("is JSON");
    without["assets"] = json!([]);
    for broken in ["{".to_owned(), without.to_string(), whole.replace("cnt_test", "cnt_other")] {
        fs::write(&description, broken).expect("can be written");
        fs::write(&video, "gone").expect("can be written");
        engine().render(&project.request(), &project.out()).expect("can be rendered");
        assert!(fs::read(&video).expect("is there") == bytes);
    }
}

#[test]
fn captions_in_a_file_are_content() {
    let project = Project::small().with("/captionsSrc", json!("said.srt"));
    project.write("said.srt", b"1\n00:00:00,000 --> 00:00:00,500\nfirst words\n");
    engine().render(&project.request(), &project.out()).expect("can be rendered");
    assert!(engine().render(&project.request(), &project.out()).is_ok());
    project.write("said.srt", b"1\n00:00:00,000 --> 00:00:00,500\nother words\n");
    let error = engine().render(&project.request(), &project.out()).expect_err("is refused");
    assert_eq!(error.code(), "IDEMPOTENCY_CONFLICT");
    assert!(error.message().contains("captionsSrc"), "{error}");
    fs::remove_file(project.folder().join("said.srt")).expect("can be removed");
    engine().render(&project.request(), &project.out()).expect("who sends it again may have cleared up");
}

fn statuses(containers: &[Container]) -> Vec<Status> {
    containers.iter().map(|container| container.status).collect()
}

/// A project with three variants, one of which gets a reaction that cannot be decoded.
fn with_a_bad_reaction() -> Project {
    let project = Project::small();
    for seed in 0..2 {
        project.put(&format!("r{seed}.mp4"), &moving(0.5, seed + 2));
    }
    project.write("bad.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom and then nothing of use");
    let row = |name: &str| json!({ "id": name, "src": format!("{name}.mp4") });
    project.with("/reactionTemplates", json!([row("r0"), row("bad"), row("r1")])).with("/variantCount", json!(3))
}

#[test]
fn a_variant_that_fails_does_not_fail_the_others() {
    let project = with_a_bad_reaction();
    let containers = engine().render(&project.request(), &project.out()).expect("two can be rendered");
    assert_eq!(containers.len(), 3);
    let (failed, made): (Vec<&Container>, Vec<_>) =
        containers.iter().partition(|container| container.status == Status::Failed);
    assert_eq!((failed.len(), made.len()), (1, 2));
    let failure = failed[0].last_error.as_ref().expect("says why");
    assert_eq!((failure.code, failure.stage), (ErrorKind::SourceUnsupported, Some(Stage::Planning)));
    assert!(failure.asset.as_deref().is_some_and(|asset| asset.contains("bad")), "{failure:?}");
    assert!(failed[0].assets.is_empty());
    let mut there: Vec<_> = made.iter().map(|container| project.out().join(&container.id)).collect();
    there.sort();
    assert_eq!(left_in(&project.out()), there, "the failed one left nothing");
    for container in made {
        assert!(container.last_error.is_none() && project.out().join(&container.id).join("video.mp4").is_file());
    }
    let times = || there.iter().map(|folder| written(&folder.join("video.mp4"))).collect::<Vec<_>>();
    let made_then = times();
    // Sent again it fails again, and what is out is left alone.
    let again = engine().render(&project.request(), &project.out()).expect("two are there");
    assert_eq!(statuses(&again), statuses(&containers));
    assert_eq!(times(), made_then);
    // Once its source is good, it alone is made.
    project.put("bad.mp4", &moving(0.5, 5));
    let again = engine().render(&project.request(), &project.out()).expect("can be rendered");
    assert!(again.iter().all(|container| container.status == Status::Completed));
    assert_eq!(left_in(&project.out()).len(), 3);
    assert_eq!(times(), made_then, "the others were not made again");
}

#[test]
fn the_command_tells_of_a_failed_variant_and_ends_with_its_code() {
    let project = with_a_bad_reaction();
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_remix"));
    command.env("XDG_CACHE_HOME", "").env_remove("HOME");
    let output = command.arg("render").arg(project.folder()).arg("--out").arg(project.out()).output().expect("runs");
    assert_eq!(output.status.code(), Some(3));
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(out.matches("video.mp4").count(), 2, "{out}");
    assert!(!out.contains("already"), "{out}");
    assert!(errors.contains("error[SOURCE_UNSUPPORTED]") && errors.contains("bad"), "{errors}");
}

#[test]
fn what_stands_in_one_variants_place_fails_that_one_alone() {
    let project = Project::small().with("/variantCount", json!(2));
    let second = project.out().join("cnt_test~2");
    fs::create_dir_all(&second).expect("can be made");
    fs::write(second.join("holiday.jpg"), "a picture").expect("can be written");
    let containers = engine().render(&project.request(), &project.out()).expect("the first can be rendered");
    assert_eq!(
        containers.iter().map(|container| container.status).collect::<Vec<_>>(),
        [Status::Completed, Status::Failed]
    );
    assert_eq!(containers[1].last_error.as_ref().map(|failure| failure.code), Some(ErrorKind::OutputFailed));
    assert_eq!(left_in(&second), [second.join("holiday.jpg")]);
    assert_eq!(left_in(&project.out()), [project.out().join("cnt_test"), second]);
}

#[test]
fn where_every_variant_fails_the_error_is_the_first() {
    let project = with_a_bad_reaction().with("/reactionTemplateId", json!("bad"));
    let error = engine().render(&project.request(), &project.out()).expect_err("none can be rendered");
    assert_eq!((error.code(), error.stage()), ("SOURCE_UNSUPPORTED", Some(Stage::Planning)));
    assert!(!project.out().exists());
}

#[test]
fn the_command_says_that_a_result_was_there() {
    let project = Project::small();
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let render = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remix"));
        command.env("XDG_CACHE_HOME", "").env_remove("HOME");
        command.arg("render").arg(project.folder()).arg("--out").arg(project.out());
        String::from_utf8(command.output().expect("runs").stdout).expect("is text")
    };
    assert!(!render().contains("was there already"));
    assert!(render().contains("was there already"));
}

#[test]
fn what_another_job_publishes_in_the_meantime_is_not_replaced() {
    let (project, other) = (Project::small(), Project::small().with("/hook", json!("somebody else's")));
    let request = other.request();
    let out = project.out();
    let place = out.clone();
    let once = std::sync::Once::new();
    // When this one is all but finished, another process publishes a result of the same id.
    let control = Control::new().with_progress(move |progress| {
        if progress.stage == Stage::Finalizing {
            once.call_once(|| drop(engine().render(&request, &place).expect("can be rendered")));
        }
    });
    let error = engine().render_with(&project.request(), &out, &control).expect_err("the other was first");
    assert_eq!((error.code(), error.stage()), ("IDEMPOTENCY_CONFLICT", Some(Stage::Finalizing)));
    let theirs = engine().render(&other.request(), &out).expect("is there");
    assert_eq!(theirs[0].hook.as_deref(), Some("somebody else's"));
    assert_eq!(left_in(&out), [out.join("cnt_test")]);
}
