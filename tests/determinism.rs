//! The same request gives the same bytes, however the work is split, and a plan is refused when it is not whole.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use remix_engine::Control;
use remix_engine::plan::Plan;
use remix_engine::store::ChunkStore;
use serde_json::{Value, json};
use support::{Project, engine, left_in, moving};

/// Two shots of several chunks each: 2.5 s and 5 s.
fn project() -> Project {
    Project::of(&moving(2.5, 0), &moving(5.0, 1))
}

fn plan(project: &Project) -> Plan {
    let mut plans = engine(1).plan(&project.request(), &Control::new()).expect("can be planned");
    assert_eq!(plans.len(), 1);
    plans.remove(0)
}

/// The bytes of the video and the thumbnail, rendered on `threads` threads.
fn rendered(project: &Project, threads: usize) -> [Vec<u8>; 2] {
    let out = project.out().join(threads.to_string());
    engine(threads).render(&project.request(), &out).expect("can be rendered");
    ["video.mp4", "thumbnail.jpg"].map(|name| fs::read(out.join("cnt_test").join(name)).expect("is there"))
}

/// Two byte strings of a megabyte are not for printing.
fn assert_same(left: &[u8], right: &[u8], what: &str) {
    let differs = left.iter().zip(right).position(|(left, right)| left != right);
    assert!(left == right, "{what}: {} and {} bytes, first difference at {differs:?}", left.len(), right.len());
}

#[test]
fn one_two_and_five_threads_give_the_same_bytes() {
    let project = project();
    assert!(plan(&project).chunks().len() >= 5, "every one of five workers has something to do");
    let [video, thumbnail] = rendered(&project, 1);
    for threads in [2, 5] {
        let [other_video, other_thumbnail] = rendered(&project, threads);
        assert_same(&video, &other_video, &format!("video.mp4 on 1 and {threads} threads"));
        assert_same(&thumbnail, &other_thumbnail, &format!("thumbnail.jpg on 1 and {threads} threads"));
    }
}

#[test]
fn the_default_settings_with_their_b_frames_repeat_too() {
    let project = Project::of(&moving(2.5, 0), &moving(0.5, 1)).with("/output", json!({}));
    assert!(plan(&project).video_settings().bframes > 0);
    let [first, _] = rendered(&project, 1);
    let [second, _] = rendered(&project, 2);
    assert_same(&first, &second, "video.mp4");
}

#[test]
fn chunks_made_in_any_order_on_other_engines_from_a_sent_plan_give_the_same_bytes() {
    let project = project();
    let plan = plan(&project);
    let sent = serde_json::to_string(&plan).expect("a plan is JSON");
    let folder = project.out().join("store");
    // Every chunk as another machine would make it: from the JSON, on an engine of its own, into the shared store.
    let last = plan.chunks().len() - 1;
    let mut order: Vec<usize> = (0..=last).rev().collect();
    order.swap(0, last / 2);
    for index in order {
        let plan: Plan = serde_json::from_str(&sent).expect("can be read back");
        let store = ChunkStore::open(&folder).expect("can be opened");
        engine(2).render_chunk(&plan, index, &store, &Control::new()).expect("can be rendered");
    }
    let store = ChunkStore::open(&folder).expect("can be opened");
    assert!(plan.chunks().iter().all(|chunk| store.contains(&chunk.key).expect("can be asked")));
    let file = project.out().join("assembled.mp4");
    let received: Plan = serde_json::from_str(&sent).expect("can be read back");
    assert_eq!(received, plan);
    let assembly = engine(2).assemble(&received, &store, &file, &Control::new()).expect("can be assembled");
    assert_eq!(assembly.frames, plan.frames());
    let [video, _] = rendered(&project, 2);
    assert_same(&fs::read(&file).expect("is there"), &video, "assembled by hand and rendered");

    // What is in the store is not made again.
    let visuals = engine(2).generate_visuals(&received, &store, &Control::new()).expect("all is there");
    assert_eq!((visuals.chunks_rendered, visuals.chunks_reused), (0, plan.chunks().len() as u64));
    let missing = engine(1).render_chunk(&plan, last + 1, &store, &Control::new()).expect_err("there is no such chunk");
    assert_eq!(missing.code(), "NOT_FOUND");
}

#[test]
fn a_damaged_or_missing_chunk_is_noticed() {
    let project = Project::small();
    let plan = plan(&project);
    let store = ChunkStore::open(project.out()).expect("can be opened");
    let file = project.out().join("video.mp4");
    let error = engine(1).assemble(&plan, &store, &file, &Control::new()).expect_err("nothing is rendered");
    assert_eq!(error.code(), "NOT_FOUND");

    engine(1).generate_visuals(&plan, &store, &Control::new()).expect("can be rendered");
    engine(1).assemble(&plan, &store, &file, &Control::new()).expect("can be assembled");
    let whole = fs::read(&file).expect("is there");
    let chunk = left_in(&project.out()).into_iter().find(|path| path.extension().is_some_and(|end| end == "chunk"));
    let chunk = chunk.expect("a chunk is a file");
    let mut bytes = fs::read(&chunk).expect("is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&chunk, &bytes).expect("can be written");
    let visuals = engine(1).generate_visuals(&plan, &store, &Control::new()).expect("it is made again");
    assert_eq!(visuals.chunks_rendered, 1);
    engine(1).assemble(&plan, &store, &file, &Control::new()).expect("can be assembled");
    assert_same(&fs::read(&file).expect("is there"), &whole, "after a chunk was damaged");
}

#[test]
fn chunks_tile_the_frames_and_are_cut_at_shots_and_every_two_seconds() {
    let plan = plan(&project());
    assert_eq!(plan.frames(), 75 + 150);
    let shots: Vec<_> = plan.shots().iter().map(|shot| (shot.frames.start.0, shot.frames.end.0)).collect();
    assert_eq!(shots, [(0, 75), (75, 225)]);
    let mut end = 0;
    for chunk in plan.chunks() {
        assert_eq!(chunk.frames.start.0, end, "no gap and no overlap");
        assert!((1..=60).contains(&chunk.frames.len()), "{:?}", chunk.frames);
        end = chunk.frames.end.0;
    }
    assert_eq!(end, plan.frames());
    let starts: BTreeSet<u64> = plan.chunks().iter().map(|chunk| chunk.frames.start.0).collect();
    assert!(shots.iter().all(|(start, _)| starts.contains(start)), "every shot starts a chunk: {starts:?}");
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.chunks().iter().map(|chunk| chunk.key.to_string()).collect()
}

#[test]
fn another_hook_changes_the_keys_of_the_chunks_that_it_touches_and_no_others() {
    let first = plan(&project());
    for changed in [
        project().with("/hook", json!("another hook")),
        // In another folder, under other names: none of that is in a picture.
        project().with("/hook", json!("another hook")).with("/id", json!("cnt_other")),
        project().with("/hook", Value::Null),
    ] {
        let second = plan(&changed);
        for (index, (one, other)) in keys(&first).iter().zip(&keys(&second)).enumerate() {
            let touched = first.chunks()[index].frames.start.0 < 75;
            assert_eq!(one != other, touched, "chunk {index}");
        }
    }
    // A hook for one second leaves the second chunk of the reaction alone.
    let short = |hook: &str| plan(&project().with("/hook", json!(hook)).with("/hookDuration", json!(1.0)));
    let differs: Vec<bool> =
        keys(&short("one")).iter().zip(&keys(&short("two"))).map(|(one, other)| one != other).collect();
    assert_eq!((differs[0], differs[1..].contains(&true)), (true, false), "{differs:?}");
}

#[test]
fn music_changes_no_picture_and_settings_change_all() {
    let first = keys(&plan(&project()));
    assert_eq!(keys(&plan(&project().with("/music", json!([])))), first);
    let high = keys(&plan(&project().with("/output/preset", json!("high"))));
    assert!(first.iter().zip(&high).all(|(one, other)| one != other));
    let distinct: BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "chunks that show different pictures have different keys");
}

#[test]
fn a_source_that_changed_after_planning_is_not_rendered() {
    let project = Project::small();
    let plan = plan(&project);
    project.put("demo.mp4", &moving(0.5, 3));
    let store = ChunkStore::open(project.out()).expect("can be opened");
    for engine in [engine(1), engine(2)] {
        let error = engine.generate_visuals(&plan, &store, &Control::new()).expect_err("it has changed");
        assert_eq!(error.code(), "SOURCE_UNREADABLE");
        assert!(error.asset().is_some_and(|asset| asset.starts_with("med_demo")), "{error:?}");
    }
    assert!(left_in(&project.out()).is_empty());
}

#[test]
fn a_broken_plan_is_refused() {
    let whole = serde_json::to_value(plan(&Project::small())).expect("a plan is JSON");
    assert!(serde_json::from_value::<Plan>(whole.clone()).is_ok());
    let other_key = json!("0".repeat(64));
    for (pointer, value) in [
        ("/chunks/0/key", other_key),
        ("/chunks/0/key", json!("../../etc/passwd")),
        ("/chunks/0/frames/end", json!(14)),
        ("/chunks/1/shot", json!(0)),
        ("/chunks", json!([])),
        ("/frames", json!(29)),
        ("/frames", json!(u64::MAX)),
        ("/shots/0/frames/end", json!(16)),
        ("/shots/0/frames/end", json!(u64::MAX)),
        ("/shots/1/clips/0/source", json!(9)),
        ("/shots/0/clips/0/rect/width", json!(100_000)),
        ("/shots/0/clips/0/rect/x", json!(u32::MAX)),
        ("/shots/0/clips/0/area/x", json!(2)),
        ("/shots/0/clips/0/area/width", json!(u32::MAX)),
        ("/shots/0/clips", json!([])),
        ("/shots/0/ground", json!([1, 2, 3])),
        ("/shots", json!([])),
        ("/cues/0/source", json!(9)),
        ("/cues/0/start", json!(u64::MAX)),
        ("/texts/0/block/text", json!("something else")),
        ("/sources/0/info/hash", json!("f".repeat(64))),
        ("/sources/0/info/video/hasAlpha", json!(true)),
        ("/video/crf", json!(51)),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).unwrap_or_else(|| unreachable!("the plan has no {pointer}")) = value.clone();
        assert!(serde_json::from_value::<Plan>(broken).is_err(), "{pointer} = {value} is taken");
    }
    // Refused for themselves, not for the keys that depend on them.
    for (field, value, told) in [
        ("rate", json!({ "num": 1, "den": u32::MAX }), "frame rate"),
        ("rate", json!({ "num": 1_000_000, "den": 1 }), "frame rate"),
        ("canvas", json!([u32::MAX, 2]), "canvas"),
    ] {
        let mut broken = whole.clone();
        broken[field] = value.clone();
        let error = serde_json::from_value::<Plan>(broken).expect_err("is refused").to_string();
        assert!(error.contains(told), "{field} = {value}: {error}");
    }
}

#[test]
fn assembling_twice_into_the_same_file_repeats_it() {
    let project = Project::small();
    let (plan, engine) = (plan(&project), engine(2));
    let store = ChunkStore::open(project.out()).expect("can be opened");
    engine.generate_visuals(&plan, &store, &Control::new()).expect("can be rendered");
    let assembled = |file: &Path| {
        engine.assemble(&plan, &store, file, &Control::new()).expect("can be assembled");
        fs::read(file).expect("is there")
    };
    let file = project.out().join("a.mp4");
    let (first, second) = (assembled(&file), assembled(&file));
    assert_same(&first, &second, "the same file");
}
