//! How the two clips of a remix lie: what is seen where, for how long, and what is heard.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use remix_engine::Control;
use remix_engine::plan::{Plan, Role};
use remix_engine::request::Request;
use serde_json::{Value, json};
use support::golden::{assert_same, difference};
use support::{H264, Project, clip, engine, ffmpeg, fixture, moving};

/// Half a second from the middle of a clip of the fixture.
fn part_of(name: &str) -> PathBuf {
    let file = fixture().join("media").join(name);
    clip("mp4", &format!("-ss 1.5 -i {} -t 0.5 {H264} -crf 12 -c:a aac", file.display()))
}

/// The fixture's clips, without a hook.
fn project(layout: &str, options: &Value) -> Project {
    let project = Project::of(&part_of("reaction.mp4"), &part_of("app-demo.mp4")).with("/hook", Value::Null);
    project.with("/layout", json!(layout)).with("/layoutOptions", options.clone())
}

fn plan(project: &Project) -> Plan {
    engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

/// A frame of a video, a quarter as wide and high.
fn frame(video: &Path, number: u64) -> RgbImage {
    let take = format!("select=eq(n\\,{number}),scale=270:480:flags=area,format=rgb24");
    let bytes = ffmpeg(video, &format!("-i FILE -an -vf {take} -frames:v 1 -f rawvideo -"));
    RgbImage::from_raw(270, 480, bytes).expect("a whole frame")
}

/// The last frame of what a project makes, which shows the app demo in every layout.
fn last_frame(project: &Project) -> RgbImage {
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    let frames = container.assets[0].frames.expect("a video");
    frame(&project.out().join("cnt_test/video.mp4"), frames - 1)
}

#[test]
fn layouts_look_as_they_did() {
    let cases = [
        ("layouts/split", "split", json!({})),
        ("layouts/split-blur", "split", json!({ "position": "bottom", "size": 0.4, "fit": "blur" })),
        ("layouts/split-focus", "split", json!({ "size": 0.3, "focus": { "x": 0.5, "y": 0.0 } })),
        ("layouts/inset", "picture-in-picture", json!({})),
        (
            "layouts/inset-circle",
            "picture-in-picture",
            json!({ "shape": "circle", "border": "#ffffff", "position": "top-right", "size": 0.5 }),
        ),
        (
            "layouts/inset-square",
            "picture-in-picture",
            json!({ "shape": "square", "position": "bottom-right", "size": 0.2, "shadow": false, "border": "#ffd84a" }),
        ),
        ("layouts/phone", "phone-frame", json!({})),
        ("layouts/phone-color", "phone-frame", json!({ "background": "#ffd84a" })),
        ("layouts/phone-cover", "phone-frame", json!({ "background": "#101418", "fit": "cover" })),
        ("layouts/sequence-blur", "sequence", json!({ "fit": "blur" })),
        ("layouts/sequence-contain", "sequence", json!({ "fit": "contain", "focus": { "x": 0.0, "y": 0.5 } })),
        ("layouts/sequence-fill", "sequence", json!({ "fit": "fill" })),
        ("layouts/sequence-none", "sequence", json!({ "fit": "none", "focus": { "x": 0.5, "y": 1.0 } })),
    ];
    assert_same(cases.map(|(name, layout, options)| (name, last_frame(&project(layout, &options)))));
}

/// A recording that lies: the phone lies too.
#[test]
fn a_phone_has_the_shape_of_its_recording() {
    let lying = part_of("app-demo.mp4");
    let lying = clip("mp4", &format!("-i {} -vf transpose=1 {H264} -crf 12 -an", lying.display()));
    let project = project("phone-frame", &json!({}));
    project.put("demo.mp4", &lying);
    let area = plan(&project).shots()[1].clips[0].area;
    assert_eq!((area.width, area.height), (820, 378), "all of 2532x1170");
    assert_same([("layouts/phone-lying", last_frame(&project))]);
}

/// Half a second of the reaction in brown, which has no green, cut out along a soft ellipse; `rest` is done with it.
fn cut_out(extension: &str, rest: &str) -> PathBuf {
    let sepia = "colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131";
    let ellipse = "255*clip((1-hypot((X-270)/210\\,(Y-560)/480))*20\\,0\\,1)";
    clip(
        extension,
        &format!(
            "-i {} -filter_complex [0:v]scale=540:960,{sepia},format=yuva444p,\
             geq=lum=lum(X\\,Y):cb=cb(X\\,Y):cr=cr(X\\,Y):a={ellipse}[out];{rest}",
            part_of("reaction.mp4").display()
        ),
    )
}

/// The reaction before a green screen with a shadow at its edges and noise, and the same with transparency.
fn on_screen_and_transparent() -> (PathBuf, PathBuf) {
    let screen = cut_out(
        "mp4",
        &format!(
            "color=0x28c846:size=540x960:rate=30:duration=0.5,vignette=a=0.3,noise=alls=6:all_seed=1[screen];\
             [screen][out]overlay=format=yuv444:shortest=1[o] -map [o] {H264} -crf 10"
        ),
    );
    let transparent = cut_out("webm", "[out]format=yuva420p[o] -map [o] -c:v libvpx-vp9 -crf 8 -b:v 0");
    (screen, transparent)
}

/// A screen that is taken out leaves what a clip with transparency shows.
#[test]
fn a_screen_is_taken_out() {
    let (screen, transparent) = on_screen_and_transparent();
    let base = project("green-screen", &json!({}));
    base.put("reaction.mp4", &screen);
    let made = plan(&base);
    let key = made.shots()[0].clips[1].key.expect("is keyed");
    let apart: Vec<u8> = key.color.iter().zip([0x28, 0xc8, 0x46]).map(|(found, is)| found.abs_diff(is)).collect();
    assert!(apart.iter().all(|&apart| apart < 40), "{:?}", key.color);
    assert!(made.describe().contains("without its screen, #"), "{}", made.describe());
    let keyed = last_frame(&base);
    let clear = project("green-screen", &json!({})).with("/reactionTemplates/0/src", json!("reaction.webm"));
    clear.put("reaction.webm", &transparent);
    assert_eq!(plan(&clear).shots()[0].clips[1].key, None, "it has transparency of its own");
    let clear_frame = last_frame(&clear);
    let (mean, most) = difference(&keyed, &clear_frame);
    // The edge is sharper, and two pixels of it are gone.
    assert!(mean < 0.003 && most < 0.35, "keyed and transparent differ: mean {mean:.4}, most {most:.3}");
    let options =
        json!({ "position": "left", "size": 0.4, "key": { "color": "#28c846", "softness": 0.3, "choke": 4 } });
    let left = project("green-screen", &options);
    left.put("reaction.mp4", &screen);
    assert_same([
        ("layouts/green-screen", keyed),
        ("layouts/green-screen-alpha", clear_frame),
        ("layouts/green-screen-left", last_frame(&left)),
    ]);

    // A clip without a screen, and a screen for a clip that has none.
    let refused = |project: &Project| {
        let error = engine(1).plan(&project.request(), &Control::new()).expect_err("is refused");
        (error.code(), error.pointer().unwrap_or_default().to_owned())
    };
    assert_eq!(refused(&project("green-screen", &json!({}))), ("VALIDATION", "/reactionTemplates/0/src".to_owned()));
    let both = clear.with("/layoutOptions", json!({ "key": { "color": "#00ff00" } }));
    assert_eq!(refused(&both), ("VALIDATION", "/reactionTemplates/0/src".to_owned()));
}

/// The app demo says how long both are on, and the reaction starts over, with its sound.
#[test]
fn both_at_once_last_as_long_as_the_app_demo() {
    for layout in ["split", "picture-in-picture"] {
        let project = Project::of(&moving(1.0, 0), &moving(2.5, 1)).with("/layout", json!(layout));
        let plan = plan(&project);
        assert_eq!(plan.frames(), 75, "{layout}");
        let [shot] = plan.shots() else { unreachable!("{layout} has one shot") };
        assert_eq!(shot.clips.len(), 2, "{layout}");
        let heard = plan.cues().iter().filter(|cue| cue.role == Role::Clip);
        let heard: Vec<_> =
            heard.map(|cue| (plan.sources()[cue.source].asset.id.as_str(), cue.start, cue.length)).collect();
        let whole = 120_000;
        assert_eq!(
            heard,
            [("med_demo", 0, whole), ("rt_one", 0, 48_000), ("rt_one", 48_000, 48_000), ("rt_one", 96_000, 24_000)],
            "{layout}"
        );
        assert_eq!(plan.texts()[0].frames, shot.frames, "the hook is on with the first shot");
        let text = plan.describe();
        assert!(text.contains("% cut off") || layout != "split", "{text}");
    }
}

/// What would be millions of cues of a few milliseconds is a single one.
#[test]
fn a_reaction_too_short_to_start_over_is_heard_once() {
    let project = Project::of(&moving(0.1, 0), &moving(3.0, 1)).with("/layout", json!("split"));
    let plan = plan(&project);
    let heard: Vec<_> = plan.cues().iter().filter(|cue| cue.role == Role::Clip).map(|cue| cue.length).collect();
    assert_eq!(heard, [144_000, 4_800]);
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    assert_eq!(container.assets[0].frames, Some(90));
}

/// Of two clips that are on at once one is damaged: it is told of that one, the same for every number of threads.
#[test]
fn damage_is_told_of_the_clip_that_has_it() {
    let whole = moving(5.0, 0);
    let noise = "-bsf:v noise=amount=if(between(n\\,17\\,19)\\,20\\,0)";
    let damaged = clip("mp4", &format!("-i {} -c copy {noise}", moving(5.0, 1).display()));
    let project = Project::of(&damaged, &whole).with("/layout", json!("picture-in-picture"));
    let reports = [1, 3].map(|threads| {
        let out = project.out().join(threads.to_string());
        let container = engine(threads).render(&project.request(), &out).expect("can be rendered").remove(0);
        let json = fs::read(out.join("cnt_test/container.json")).expect("is there");
        let json: Value = serde_json::from_slice(&json).expect("is JSON");
        let told = |id: &str| {
            let sources = json["report"]["sources"].as_array().expect("a list");
            let source = sources.iter().find(|source| source["id"] == id).expect("is told of");
            source["corrections"].to_string()
        };
        (container.report.damaged_pictures, told("rt_one"), told("med_demo"))
    });
    let (count, of_reaction, of_demo) = &reports[0];
    assert!(*count > 0 && of_reaction.contains(&format!("{count} damaged frames concealed")), "{count}: {of_reaction}");
    assert!(!of_demo.contains("damaged"), "{of_demo}");
    assert_eq!(reports[0], reports[1]);
}

#[test]
fn one_and_three_threads_give_the_same_bytes() {
    for (layout, options) in
        [("picture-in-picture", json!({ "border": "#ffffff" })), ("split", json!({ "fit": "blur" }))]
    {
        // The reaction starts over three times; once it has a fault each time, after its second key picture of four.
        let keys = "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p";
        let reaction = clip("mp4", &format!("-i {} {keys}", moving(1.3, 0).display()));
        let noise = "-bsf:v noise=amount=if(between(n\\,15\\,17)\\,20\\,0)";
        let damaged = clip("mp4", &format!("-i {} -c copy {noise}", reaction.display()));
        for reaction in [&reaction, &damaged] {
            let project = Project::of(reaction, &moving(5.0, 1)).with("/layout", json!(layout));
            let project = project.with("/layoutOptions", options.clone());
            let [one, three] = [1, 3].map(|threads| {
                let out = project.out().join(threads.to_string());
                let container = engine(threads).render(&project.request(), &out).expect("can be rendered").remove(0);
                (fs::read(out.join("cnt_test/video.mp4")).expect("is there"), container.report.damaged_pictures)
            });
            assert_eq!((one.1, one.1 > 0), (three.1, *reaction == damaged), "{layout}");
            assert!(one.0 == three.0, "{layout}, {}", reaction.display());
        }
    }
}

/// The small projects that the README names.
#[test]
fn every_layout_has_a_fixture() {
    for name in ["project", "split", "picture-in-picture", "green-screen", "phone-frame", "timeline"] {
        let request = Request::from_path(&fixture().join(format!("{name}.json"))).expect("can be read");
        let plan = engine(1).plan(&request, &Control::new()).expect("can be planned").remove(0);
        let shown: Vec<&str> = plan.shots().iter().map(|shot| shot.name.as_str()).collect();
        let meant: &[&str] = match name {
            "split" | "picture-in-picture" | "green-screen" => &[name],
            "timeline" => &["hook", "app", "end card"],
            _ => &["reaction", "app-demo"],
        };
        assert_eq!(shown, meant, "{name}");
    }
}

/// What is told of a request: pointers and suggestions.
fn findings(layout: &str, options: &Value) -> Vec<(String, String)> {
    let project = Project::small().with("/layout", json!(layout)).with("/layoutOptions", options.clone());
    let error = engine(1).plan(&project.request(), &Control::new()).expect_err("is refused");
    error.findings().iter().map(|found| (found.pointer.clone(), found.suggestion.clone().unwrap_or_default())).collect()
}

#[test]
fn what_a_layout_does_not_have_is_refused() {
    let told = |layout, options| findings(layout, &options);
    let [(pointer, suggestion)] = &told("spilt", Value::Null)[..] else { unreachable!("one finding") };
    assert!(pointer == "/layout" && suggestion.contains("`split`"), "{pointer}: {suggestion}");
    let pointers = |layout, options| told(layout, options).into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>();
    assert_eq!(
        pointers("sequence", json!({ "position": "top", "size": 0.5, "fit": "cover" })),
        ["/layoutOptions/position", "/layoutOptions/size"]
    );
    assert_eq!(
        pointers(
            "split",
            json!({ "position": "left", "size": 0.9, "fit": "stretch", "focus": { "x": 2.0, "y": 0.0 } })
        ),
        ["/layoutOptions/position", "/layoutOptions/fit", "/layoutOptions/size", "/layoutOptions/focus"]
    );
    assert_eq!(
        pointers(
            "picture-in-picture",
            json!({ "shape": "star", "border": "white", "size": 0.1, "background": "blur" })
        ),
        ["/layoutOptions/background", "/layoutOptions/shape", "/layoutOptions/size", "/layoutOptions/border"]
    );
    assert_eq!(
        pointers("phone-frame", json!({ "background": "#12345678", "fit": "blur" })),
        ["/layoutOptions/fit", "/layoutOptions/background"]
    );
    let key = json!({ "color": "#808080", "tolerance": 1, "softness": 0, "spill": -0.1, "choke": 17 });
    assert_eq!(
        pointers("green-screen", json!({ "position": "top", "size": 0.1, "shape": "circle", "key": key })),
        ["shape", "position", "size", "key/tolerance", "key/softness", "key/spill", "key/choke", "key/color"]
            .map(|field| format!("/layoutOptions/{field}"))
    );
    assert_eq!(pointers("split", json!({ "key": {} })), ["/layoutOptions/key"]);
    let slides = Project::blank(json!({
        "id": "cnt_test", "format": "slideshow-builder", "influencerId": "inf_ada", "layout": "split",
        "app": { "name": "Glow", "description": "Habits" }, "slides": [{ "text": "one" }, { "text": "two" }],
    }));
    let error = engine(1).plan(&slides.request(), &Control::new()).expect_err("slides have no layout");
    assert_eq!(error.findings()[0].pointer, "/layout");
}
