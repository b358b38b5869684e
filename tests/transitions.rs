//! How one shot of a remix gives way to the next: what is seen, what is heard, and what is rendered anew.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use image::{GenericImage as _, RgbImage};
use remix_engine::Control;
use remix_engine::plan::{Plan, Role};
use serde_json::{Value, json};
use support::golden::assert_same;
use support::{H264, Project, clip, engine, ffmpeg, fixture, moving, sound};

/// A second from the middle of a clip of the fixture.
fn part_of(name: &str) -> PathBuf {
    let file = fixture().join("media").join(name);
    clip("mp4", &format!("-ss 1.5 -i {} -t 1 {H264} -crf 12 -c:a aac", file.display()))
}

fn with(project: Project, transition: Value) -> Project {
    project.with("/hook", Value::Null).with("/transition", transition)
}

fn plan(project: &Project) -> Plan {
    engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

/// A frame of a video, an eighth as wide and high.
fn frame(video: &Path, number: u64) -> RgbImage {
    let take = format!("select=eq(n\\,{number}),scale=136:240:flags=area,format=rgb24");
    let bytes = ffmpeg(video, &format!("-i FILE -an -vf {take} -frames:v 1 -f rawvideo -"));
    RgbImage::from_raw(136, 240, bytes).expect("a whole frame")
}

/// Start, middle and end of each: the first, the seventh and the last of its twelve frames, and those beside them.
#[test]
fn transitions_look_as_they_did() {
    let (reaction, demo) = (part_of("reaction.mp4"), part_of("app-demo.mp4"));
    let cases = [
        ("transitions/dissolve", json!({})),
        ("transitions/fade", json!({ "name": "fade" })),
        ("transitions/wipe", json!({ "name": "wipe", "direction": "right", "easing": "linear" })),
        ("transitions/slide", json!({ "name": "slide", "direction": "up" })),
        ("transitions/push", json!({ "name": "push", "easing": "ease-in" })),
        ("transitions/zoom", json!({ "name": "zoom" })),
    ];
    assert_same(cases.map(|(name, transition)| {
        let project = with(Project::of(&reaction, &demo), transition);
        engine(2).render(&project.request(), &project.out()).expect("can be rendered");
        let video = project.out().join("cnt_test/video.mp4");
        let mut strip = RgbImage::new(5 * 136, 240);
        for (place, number) in (0..).zip([17, 18, 24, 29, 30]) {
            strip.copy_from(&frame(&video, number), place * 136, 0).expect("has room");
        }
        (name, strip)
    }));
}

/// Both are on while it lasts: the video is shorter by it, and so is the sound.
#[test]
fn shots_overlap_while_one_gives_way_to_the_other() {
    let project = with(Project::of(&moving(2.0, 0), &moving(3.0, 1)), json!({ "name": "push", "duration": 0.5 }));
    let plan = plan(&project);
    assert_eq!(plan.frames(), 135);
    let shots: Vec<_> = plan.shots().iter().map(|shot| (shot.frames.start.0, shot.frames.end.0)).collect();
    assert_eq!(shots, [(0, 60), (45, 135)]);
    let chunks: Vec<_> = plan.chunks().iter().map(|chunk| (chunk.frames.start.0, chunk.frames.end.0)).collect();
    assert_eq!(chunks, [(0, 45), (45, 60), (60, 97), (97, 135)]);
    assert!(plan.describe().contains("over its first 0.500 s"), "{}", plan.describe());
    let heard: Vec<_> = plan.cues().iter().filter(|cue| cue.role == Role::Clip).collect();
    let [first, second] = heard[..] else { unreachable!("each is heard once") };
    assert_eq!((first.start, first.length, first.enter.length, first.leave.length), (0, 96_000, 0, 24_000));
    assert_eq!((second.start, second.length, second.enter.length, second.leave.length), (72_000, 144_000, 24_000, 0));
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    assert_eq!(container.assets[0].frames, Some(135));
}

/// Two sounds that have nothing to do with each other are together as loud as each by itself.
#[test]
fn sounds_cross_at_equal_power() {
    let noise = |seed: u32| {
        clip(
            "mp4",
            &format!(
                "-f lavfi -i color=gray:size=270x480:rate=30:duration=3 \
                 -f lavfi -i anoisesrc=color=white:seed={seed}:amplitude=0.3:sample_rate=48000:duration=3 {H264} -c:a aac -b:a 256k"
            ),
        )
    };
    let (one, other) = (noise(1), noise(2));
    let shown = with(Project::of(&one, &other), json!({ "duration": 1.2 }));
    // A part that ends between two frames, and one that starts over within the transition.
    let second = json!({ "layers": [{ "media": "other" }], "transition": { "duration": 1.2 } });
    let timeline = |layer: Value, duration: Option<f64>| {
        let first = json!({ "layers": [layer], "duration": duration });
        let project = Project::blank(json!({
            "id": "cnt_test", "influencerId": "inf_ada", "timeline": { "shots": [first, second] },
            "media": [{ "id": "one", "src": "one.mp4" }, { "id": "other", "src": "other.mp4" }],
        }));
        project.put("one.mp4", &one);
        project.put("other.mp4", &other);
        project
    };
    let trimmed = timeline(json!({ "media": "one", "trim": { "end": 2.85 } }), None);
    let looped = timeline(json!({ "media": "one", "trim": { "end": 1.3 }, "loop": true }), Some(3.1));
    for (what, project, steps) in [("shown", shown, 24), ("trimmed", trimmed, 23), ("looped", looped, 24)] {
        let project = project.with("/music", json!([])).with("/audio", json!({ "loudness": "off" }));
        let project = project.with("/output", json!({ "preset": "draft" }));
        engine(2).render(&project.request(), &project.out()).expect("can be rendered");
        let samples = sound(&project.out().join("cnt_test/video.mp4"));
        // Steps of 0.2 s, of which 9 to 14 are in the middle of the transition.
        let levels: Vec<f64> = samples
            .chunks_exact(9_600)
            .map(|step| {
                let power: f64 = step.iter().map(|frame| f64::from(frame[0]).powi(2)).sum();
                10.0 * (power / step.len() as f64).log10()
            })
            .collect();
        let usual = levels[2..6].iter().sum::<f64>() / 4.0;
        assert_eq!(levels.len(), steps, "{what}");
        for (step, level) in levels.iter().enumerate().skip(1).take(steps - 2) {
            let off = (level - usual).abs();
            assert!(off < 0.5, "{what}: {level:.2} dB in step {step}, {usual:.2} before: {levels:.2?}");
        }
    }
}

/// What is not in the transition does not depend on it.
#[test]
fn another_transition_renders_its_own_frames_alone() {
    let (reaction, demo) = (moving(2.0, 0), moving(2.0, 1));
    let keys = |transition| {
        let plan = plan(&with(Project::of(&reaction, &demo), transition));
        plan.chunks().iter().map(|chunk| chunk.key.clone()).collect::<Vec<_>>()
    };
    let (push, wipe) = (keys(json!({ "name": "push" })), keys(json!({ "name": "wipe" })));
    let differ: Vec<_> = push.iter().zip(&wipe).map(|(one, other)| one != other).collect();
    assert_eq!(differ, [false, true, false]);
    let up = keys(json!({ "name": "push", "direction": "up" }));
    assert_ne!(up[1], push[1]);
    assert_eq!(keys(json!({ "name": "cut" })).len(), 2, "a cut takes no time");
}

#[test]
fn one_and_three_threads_give_the_same_bytes() {
    let project = with(Project::of(&moving(3.0, 0), &moving(3.0, 1)), json!({ "name": "zoom", "duration": 1.5 }));
    let project = project.with("/hook", json!("over both")).with("/hookDuration", json!(6));
    let [one, three] = [1, 3].map(|threads| {
        let out = project.out().join(threads.to_string());
        engine(threads).render(&project.request(), &out).expect("can be rendered");
        fs::read(out.join("cnt_test/video.mp4")).expect("is there")
    });
    assert!(one == three);
}

#[test]
fn what_cannot_be_is_refused() {
    let told = |project: &Project| {
        let error = engine(1).plan(&project.request(), &Control::new()).expect_err("is refused");
        let found = error.findings().iter().map(|found| found.pointer.as_str());
        found.chain(error.pointer().filter(|_| error.findings().is_empty())).map(str::to_owned).collect::<Vec<_>>()
    };
    let long = with(Project::of(&moving(2.0, 0), &moving(0.5, 1)), json!({ "duration": 0.3 }));
    assert_eq!(told(&long), ["/transition/duration"], "more than half of the demo");
    let wrong = json!({ "name": "star", "direction": "north", "easing": "bounce", "duration": 9 });
    assert_eq!(
        told(&with(Project::small(), wrong)),
        ["/transition/name", "/transition/direction", "/transition/easing", "/transition/duration"]
    );
    for layout in ["split", "picture-in-picture", "green-screen"] {
        let one = with(Project::small(), json!({})).with("/layout", json!(layout));
        assert_eq!(told(&one), ["/transition"], "{layout}");
    }
}
