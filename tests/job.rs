//! A job from outside: its stages, progress, cancelling, variants and picks.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use remix_engine::limits::Limits;
use remix_engine::output::Container;
use remix_engine::request::{Format, Request};
use remix_engine::store::ChunkStore;
use remix_engine::{Cancel, Control, Engine, EngineOptions, ErrorKind, Progress, Stage};
use serde_json::{Value, json};
use support::{H264, Project, clip, engine, fixture, left_in, moving, silent, ssim};

/// The promise is 250 ms; an unoptimised engine on a machine that also runs other tests gets twice that.
const CANCEL_WITHIN: Duration = Duration::from_millis(500);

/// A control that keeps all it hears.
fn listening() -> (Control, Arc<Mutex<Vec<Progress>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let control = Control::new().with_progress(move |progress| sink.lock().expect("not poisoned").push(progress));
    (control, heard)
}

fn assert_monotonic(heard: &[Progress]) {
    for pair in heard.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert!(
            before.stage <= after.stage && before.progress <= after.progress && before.frames <= after.frames,
            "{before:?} was followed by {after:?}"
        );
    }
    assert!(heard.iter().all(|progress| (0.0..=1.0).contains(&progress.progress)));
}

fn fixture_request() -> Request {
    Request::from_path(&fixture()).expect("the fixture can be read")
}

#[test]
fn progress_only_grows_visits_every_stage_and_ends_at_one() {
    let project = Project::small().with("/variantCount", json!(2));
    let (control, heard) = listening();
    engine(2).render_with(&project.request(), &project.out(), &control).expect("can be rendered");
    let heard = heard.lock().expect("not poisoned");
    assert_monotonic(&heard);
    let stages: BTreeSet<Stage> = heard.iter().map(|progress| progress.stage).collect();
    assert_eq!(stages.len(), 4, "{stages:?}");
    assert_eq!(heard.first().map(|first| (first.stage, first.progress)), Some((Stage::Planning, 0.0)));
    let last = heard.last().expect("something was heard");
    assert_eq!((last.stage, last.progress, last.frames, last.total_frames), (Stage::Finalizing, 1.0, 60, 60));
    assert_eq!(heard.iter().filter(|progress| progress.progress == 1.0).count(), 1, "it ends once");
    let frames: BTreeSet<u64> = heard.iter().map(|progress| progress.frames).collect();
    assert!(frames.len() > 20, "progress is told frame by frame: {frames:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submitted_job_is_watched_and_gives_its_containers() {
    let project = Project::small();
    let job = engine(2).submit(project.request(), project.out()).expect("starts");
    let mut watch = job.progress();
    let watched = tokio::spawn(async move {
        let mut heard = vec![*watch.borrow_and_update()];
        while watch.changed().await.is_ok() {
            heard.push(*watch.borrow_and_update());
        }
        heard
    });
    let containers = job.result().await.expect("can be rendered");
    assert_eq!(containers.len(), 1);
    assert!(project.out().join("cnt_test/video.mp4").is_file());
    let heard = watched.await.expect("the watcher ends with the job");
    assert_monotonic(&heard);
    assert_eq!(heard.last().map(|last| (last.stage, last.progress)), Some((Stage::Finalizing, 1.0)));
}

#[tokio::test]
async fn a_job_that_is_canceled_while_it_renders_ends_at_once_and_leaves_nothing() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let job = engine(2).submit(fixture_request(), out.path()).expect("starts");
    let mut watch = job.progress();
    watch.wait_for(|progress| progress.frames > 10).await.expect("the job runs");
    assert!(!left_in(out.path()).is_empty(), "it works in the output folder");
    let canceled = Instant::now();
    job.cancel();
    let error = job.result().await.expect_err("it was cancelled");
    let took = canceled.elapsed();
    assert_eq!(error.code(), "CANCELED");
    assert_eq!(error.stage(), Some(Stage::GeneratingVisuals));
    assert!(took < CANCEL_WITHIN, "{took:?}");
    assert_eq!(left_in(out.path()), Vec::<std::path::PathBuf>::new());
    assert!(watch.borrow().progress < 1.0);
}

#[tokio::test]
async fn a_failing_job_tells_its_error_and_one_that_nobody_awaits_is_finished() {
    let project = Project::small().with("/variantCount", json!(9));
    let job = engine(1).submit(project.request(), project.out()).expect("starts");
    assert_eq!(job.result().await.expect_err("is refused").code(), "VALIDATION");

    let project = Project::small();
    let job = engine(2).submit(project.request(), project.out()).expect("starts");
    let mut watch = job.progress();
    drop(job);
    while watch.changed().await.is_ok() {}
    assert!(project.out().join("cnt_test/container.json").is_file());
}

#[test]
fn a_job_that_was_canceled_before_it_started_does_nothing() {
    let project = Project::small();
    let cancel = Cancel::new();
    cancel.cancel();
    let (control, heard) = listening();
    let control = control.with_cancel(cancel);
    let error = engine(1).render_with(&project.request(), &project.out(), &control).expect_err("it was cancelled");
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Canceled, Some(Stage::Planning)));
    assert!(!project.out().exists());
    assert!(heard.lock().expect("not poisoned").iter().all(|progress| progress.progress == 0.0));

    // Each stage by itself looks too.
    let (engine, fresh) = (engine(1), Control::new());
    let plan = engine.plan(&project.request(), &fresh).expect("can be planned").remove(0);
    let store = ChunkStore::open(project.out()).expect("can be opened");
    let error = engine.generate_visuals(&plan, &store, &control).expect_err("it was cancelled");
    assert_eq!(error.code(), "CANCELED");
    assert_eq!(engine.render_chunk(&plan, 0, &store, &control).expect_err("it was cancelled").code(), "CANCELED");
    engine.generate_visuals(&plan, &store, &fresh).expect("can be rendered");
    let file = project.out().join("video.mp4");
    assert_eq!(engine.assemble(&plan, &store, &file, &control).expect_err("it was cancelled").code(), "CANCELED");
}

#[test]
fn canceling_in_any_stage_leaves_nothing() {
    for stage in [Stage::Planning, Stage::GeneratingVisuals, Stage::Assembling, Stage::Finalizing] {
        let project = Project::small();
        let cancel = Cancel::new();
        let token = cancel.clone();
        let control = Control::new().with_cancel(cancel).with_progress(move |progress| {
            if progress.stage == stage {
                token.cancel();
            }
        });
        let error = engine(2).render_with(&project.request(), &project.out(), &control).expect_err("it was cancelled");
        assert_eq!(error.code(), "CANCELED", "in {stage}");
        assert!(left_in(&project.out()).is_empty(), "in {stage}: {:?}", left_in(&project.out()));
    }
}

#[test]
#[expect(clippy::panic, reason = "the point of the test")]
fn a_panic_of_the_listener_is_an_error_and_leaves_nothing() {
    for stage in [Stage::Planning, Stage::GeneratingVisuals, Stage::Assembling, Stage::Finalizing] {
        let project = Project::small();
        let control = Control::new().with_progress(move |progress| {
            if progress.stage == stage && progress.progress < 1.0 {
                panic!("the listener does not like {}", progress.stage);
            }
        });
        let error = engine(2).render_with(&project.request(), &project.out(), &control).expect_err("it panicked");
        assert_eq!((error.code(), error.stage()), ("INTERNAL", Some(stage)));
        assert!(error.message().contains("the listener does not like"), "{error:?}");
        assert!(left_in(&project.out()).is_empty(), "in {stage}: {:?}", left_in(&project.out()));
    }
}

#[test]
#[expect(clippy::panic, reason = "the point of the test")]
fn a_panic_of_the_listener_stops_the_workers() {
    let out = tempfile::tempdir().expect("a temporary folder");
    let (told, panicked) = std::sync::mpsc::channel();
    let control = Control::new().with_progress(move |progress| {
        if progress.frames > 10 {
            let _ = told.send(Instant::now());
            panic!("enough");
        }
    });
    let error = engine(2).render_with(&fixture_request(), out.path(), &control).expect_err("it panicked");
    let took = panicked.recv().expect("it panicked").elapsed();
    assert_eq!(error.code(), "INTERNAL");
    // The rest of the fixture would take many seconds.
    assert!(took < Duration::from_secs(2), "the workers went on for {took:?}");
}

#[test]
fn a_panic_at_the_very_end_does_not_fail_a_job_that_is_published() {
    let project = Project::small();
    let control = Control::new().with_progress(|progress| assert!(progress.progress < 1.0, "the listener is picky"));
    let result = engine(2).render_with(&project.request(), &project.out(), &control);
    let published = project.out().join("cnt_test").exists();
    assert_eq!(result.is_ok(), published, "an error leaves nothing, and what is published is a success: {result:?}");
}

/// A container without what differs from run to run.
fn timeless(container: &Container) -> Container {
    let mut container = container.clone();
    container.created_at.clear();
    container.updated_at.clear();
    container.report.stages.clear();
    container
}

#[test]
fn the_stages_one_by_one_make_what_render_makes() {
    let project = Project::small();
    let (engine, control) = (engine(2), Control::new());
    let rendered = engine.render(&project.request(), &project.out()).expect("can be rendered");
    assert_eq!(
        rendered[0].report.stages.iter().map(|time| time.stage).collect::<Vec<_>>(),
        [Stage::Planning, Stage::GeneratingVisuals, Stage::Assembling, Stage::Finalizing]
    );

    let work = tempfile::tempdir().expect("a temporary folder");
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    let store = ChunkStore::open(work.path().join("chunks")).expect("can be opened");
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let file = work.path().join("assembled.mp4");
    let assembly = engine.assemble(&plan, &store, &file, &control).expect("can be assembled");
    let out = work.path().join("out");
    let container = engine.finalize(&plan, &visuals, &assembly, &file, &out, &control).expect("can be finalised");
    assert!(!file.exists(), "the file was moved");
    assert_eq!(timeless(&container), timeless(&rendered[0]));
    for name in ["video.mp4", "thumbnail.jpg"] {
        let read = |out: &Path| fs::read(out.join("cnt_test").join(name)).expect("is there");
        assert!(read(&out) == read(&project.out()), "{name} differs");
    }
    assert_eq!(left_in(&out), [out.join("cnt_test")]);
}

#[test]
fn a_file_that_is_not_the_plans_is_not_published() {
    let project = Project::small();
    let (engine, control) = (engine(2), Control::new());
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    let store = ChunkStore::open(project.folder().join("chunks")).expect("can be opened");
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let file = project.folder().join("assembled.mp4");
    let assembly = engine.assemble(&plan, &store, &file, &control).expect("can be assembled");
    fs::copy(project.folder().join("demo.mp4"), &file).expect("can be copied");
    let error = engine.finalize(&plan, &visuals, &assembly, &file, &project.out(), &control).expect_err("is checked");
    assert_eq!((error.code(), error.stage()), ("INTERNAL", Some(Stage::Finalizing)));
    assert!(left_in(&project.out()).is_empty());
}

#[test]
fn a_second_render_replaces_the_first_and_two_jobs_do_not_disturb_each_other() {
    let (project, other) = (Project::small(), Project::small().with("/id", json!("cnt_other")));
    let engine = engine(2);
    let out = project.out();
    std::thread::scope(|scope| {
        for request in [project.request(), other.request()] {
            let (engine, out) = (engine.clone(), &out);
            scope.spawn(move || engine.render(&request, out).expect("can be rendered"));
        }
    });
    let video = |id: &str| fs::read(out.join(id).join("video.mp4")).expect("is there");
    assert!(video("cnt_test") == video("cnt_other"), "the same pictures and sounds");
    let again = Project::small().with("/hook", Value::Null);
    let before = video("cnt_test");
    engine.render(&again.request(), &out).expect("can be rendered");
    assert!(video("cnt_test") != before, "the new result is there");
    assert_eq!(left_in(&out), [out.join("cnt_other"), out.join("cnt_test")]);
}

/// A project with a pool of three reactions.
fn pool() -> Project {
    let project = Project::small();
    for seed in 0..3 {
        project.put(&format!("r{seed}.mp4"), &moving(0.5, seed + 2));
    }
    let row = |seed: u32| json!({ "id": format!("rt_{seed}"), "src": format!("r{seed}.mp4") });
    project.with("/reactionTemplates", json!([row(0), row(1), row(2)]))
}

fn picked<'a>(containers: &'a [Container], role: &str) -> Vec<&'a str> {
    let of = |container: &'a Container| container.report.picks.iter().find(|pick| pick.role == role);
    containers.iter().map(|container| of(container).expect("is picked").id.as_str()).collect()
}

#[test]
fn three_variants_have_ids_and_picks_of_their_own_and_share_the_app_demo() {
    let project = pool().with("/variantCount", json!(3));
    let containers = engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    let ids: Vec<&str> = containers.iter().map(|container| container.id.as_str()).collect();
    assert_eq!(ids, ["cnt_test", "cnt_test~2", "cnt_test~3"]);
    let reactions = picked(&containers, "reaction");
    assert_eq!(reactions.iter().collect::<BTreeSet<_>>().len(), 3, "{reactions:?}");
    assert_eq!(picked(&containers, "app-demo"), ["med_demo"; 3]);
    assert_eq!(picked(&containers, "music"), ["trk_one"; 3], "a small pool starts over");
    let reused: Vec<u64> = containers.iter().map(|container| container.report.chunks_reused).collect();
    assert_eq!(reused, [0, 1, 1], "the app demo is rendered once");
    for id in ids {
        assert!(project.out().join(id).join("video.mp4").is_file(), "{id}");
    }
    let hashes: BTreeSet<&str> = containers.iter().map(|container| container.assets[0].blake3.as_str()).collect();
    assert_eq!(hashes.len(), 3, "three different videos");
}

/// The reactions that planning picks for each variant.
fn plans(engine: &Engine, project: &Project) -> Vec<String> {
    let plans = engine.plan(&project.request(), &Control::new()).expect("can be planned");
    plans.iter().map(|plan| plan.job().picks[1].id.clone()).collect()
}

#[test]
fn a_retry_picks_the_same_and_a_pin_is_kept() {
    let five = pool().with("/variantCount", json!(5));
    let first = plans(&engine(1), &five);
    assert_eq!(first.len(), 5);
    assert_eq!(first[..3].iter().collect::<BTreeSet<_>>().len(), 3, "{first:?}");
    assert_eq!(plans(&engine(2), &five), first, "on another engine");
    assert_eq!(plans(&engine(1), &pool()), first[..1], "a variant does not depend on how many there are");
    let others: BTreeSet<Vec<String>> = (0..12)
        .map(|number| {
            plans(&engine(1), &pool().with("/id", json!(format!("cnt_{number}"))).with("/variantCount", json!(2)))
        })
        .collect();
    assert!(others.len() > 1, "other content gets other picks");
    assert_eq!(plans(&engine(1), &five.with("/reactionTemplateId", json!("rt_2"))), ["rt_2"; 5]);
}

#[test]
fn the_first_app_demo_is_taken_unless_another_is_pinned() {
    let project = Project::small().with(
        "/media",
        json!([
            { "id": "med_logo", "mediaRole": "logo", "src": "nothing.png" },
            { "id": "med_demo", "mediaRole": "app-demo", "src": "demo.mp4" },
            { "id": "med_second", "mediaRole": "app-demo", "src": "reaction.mp4" },
        ]),
    );
    let demo = |project: &Project| {
        engine(1).plan(&project.request(), &Control::new()).expect("can be planned")[0].job().picks[0].id.clone()
    };
    assert_eq!(demo(&project), "med_demo");
    assert_eq!(demo(&project.with("/mediaId", json!("med_second"))), "med_second");
}

#[test]
fn both_spellings_of_the_format_and_auto_come_to_the_same() {
    let resolved = |format: Value| {
        let plans = engine(1).plan(&Project::small().with("/format", format).request(), &Control::new());
        let plan = plans.expect("can be planned").remove(0);
        (plan.job().format, plan.chunks().to_vec())
    };
    let named = resolved(json!("ugc-remix"));
    assert_eq!(named.0, Format::UgcRemix);
    for other in [json!("ugc_remix"), json!("auto"), Value::Null] {
        assert_eq!(resolved(other.clone()), named, "{other}");
    }
}

#[test]
fn the_thumbnail_can_be_pinned() {
    let project = Project::of(&silent(1.0), &silent(0.5));
    // A JPEG is full range with the luma of BT.601.
    let luma = "scale=540:960:in_color_matrix=bt709:out_color_matrix=bt601:out_range=full,format=yuvj444p";
    for (seconds, frame, next) in [(0.5, 15, 16), (0.0, 0, 1), (99.0, 44, 43)] {
        let output = json!({ "preset": "draft", "thumbnailAt": seconds });
        let request = Request { output: serde_json::from_value(output).expect("options"), ..project.request() };
        engine(2).render(&request, &project.out()).expect("can be rendered");
        let folder = project.out().join("cnt_test");
        let like = |frame: u64| {
            let shown = format!("trim=start_frame={frame}:end_frame={},{luma},extractplanes=y", frame + 1);
            let thumbnail = "scale=540:960,format=yuvj444p,extractplanes=y";
            ssim((&folder.join("video.mp4"), &shown), (&folder.join("thumbnail.jpg"), thumbnail))[0]
        };
        let (right, wrong) = (like(frame), like(next));
        assert!(right > 0.98 && right > wrong + 0.02, "at {seconds} s: {right}, the next frame {wrong}");
    }
}

#[test]
fn urls_start_with_the_base_that_was_given() {
    let output = json!({ "preset": "draft", "baseUrl": "https://cdn.example/content/" });
    let project = Project::small().with("/output", output);
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    assert_eq!(container.preview.primary_url, "https://cdn.example/content/cnt_test/video.mp4");
    assert!(container.assets.iter().all(|asset| asset.url.starts_with("https://cdn.example/content/cnt_test/")));
}

/// An engine that takes any pause for a stall: opening a clip takes longer.
fn impatient() -> Engine {
    let limits = Limits { stall: Duration::from_millis(1), ..Limits::default() };
    Engine::new(EngineOptions { limits, ..EngineOptions::default() }).expect("this machine has what the engine needs")
}

#[test]
fn a_stall_names_the_stage_and_the_source_and_leaves_nothing() {
    // Finding the streams of its app demo alone takes tens of milliseconds.
    let (project, mut request) = (Project::small(), fixture_request());
    request.output.preset = Some("draft".to_owned());
    let store = ChunkStore::open(project.out().join("chunks")).expect("a store");
    let plans = engine(2).plan(&request, &Control::new()).expect("can be planned");
    let stalled = |error: remix_engine::Error, stage: Stage| {
        assert_eq!((error.code(), error.stage()), ("STALLED", Some(stage)), "{error}");
        assert!(error.is_retryable() && error.suggestion().is_some());
        assert!(error.message().contains("nothing was finished"), "{error}");
        error.asset().is_some()
    };
    // Anything may be slow enough for so impatient an engine; mostly it is a source.
    let named =
        (0..10).any(|_| stalled(impatient().plan(&request, &Control::new()).expect_err("stalls"), Stage::Planning));
    assert!(named, "the source is named");
    let error = impatient().generate_visuals(&plans[0], &store, &Control::new()).expect_err("stalls");
    stalled(error, Stage::GeneratingVisuals);
    engine(2).generate_visuals(&plans[0], &store, &Control::new()).expect("can be rendered");
    let file = project.out().join("assembled.mp4");
    let error = impatient().assemble(&plans[0], &store, &file, &Control::new()).expect_err("stalls");
    stalled(error, Stage::Assembling);
    let out = project.out().join("results");
    let error = impatient().render(&request, &out).expect_err("stalls");
    stalled(error, Stage::Planning);
    assert!(left_in(&out).is_empty());
}

#[test]
fn what_a_source_says_of_people_and_places_stays_in_it() {
    let secret = "secret-place";
    let source = clip(
        "mov",
        &format!(
            "-f lavfi -i testsrc2=size=270x480:rate=30:duration=0.3 -f lavfi -i sine=duration=0.3 {H264} -c:a aac \
             -movflags use_metadata_tags -metadata title={secret} -metadata location=+48.1173+011.5167/ \
             -metadata com.apple.quicktime.location.ISO6709=+48.1173+011.5167/ -metadata:s:v handler_name={secret} \
             -metadata artist={secret} -metadata creation_time=2001-02-03T04:05:06Z"
        ),
    );
    assert!(holds(&source, secret) && holds(&source, "48.1173"), "the source says it");
    let project = Project::of(&source, &source);
    project.put("music.wav", &clip("wav", &format!("-f lavfi -i sine=duration=1 -metadata title={secret}")));
    engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    for file in ["video.mp4", "thumbnail.jpg", "container.json"] {
        let file = project.out().join("cnt_test").join(file);
        assert!(!holds(&file, secret) && !holds(&file, "48.1173") && !holds(&file, "2001-02-03"), "{}", file.display());
    }
}

/// Whether a text is in a file.
fn holds(file: &Path, text: &str) -> bool {
    fs::read(file).expect("can be read").windows(text.len()).any(|bytes| bytes == text.as_bytes())
}
