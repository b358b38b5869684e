//! `video-remix`: what is burnt into a post is taken out, and new words stand in its place.
#![cfg(feature = "tesseract")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use remix_engine::burnt::{FoundOverlay, TesseractReader};
use remix_engine::compose::SourceRect;
use remix_engine::output::Container;
use remix_engine::plan::Plan;
use remix_engine::store::ChunkStore;
use remix_engine::timeline::TextChangeKind;
use remix_engine::{
    Adaptation, Control, Engine, EngineOptions, Error, Existing, PostResolver, SourcePost, TextAdapter,
};
use serde_json::{Value, json};
use support::{Project, clip, engine, engine_with, ffmpeg, ffprobe, written};

/// A drawn scene that is larger than a frame.
fn scene() -> PathBuf {
    clip(
        "png",
        "-f lavfi -i mandelbrot=size=900x700:rate=30:start_scale=0.3:end_scale=0.29 -frames:v 1 -vf scale=1400:-2",
    )
}

/// 80 frames of 540x960 that pan over the scene by two pixels a frame, with these texts: what, where, when.
fn post(texts: &[(&str, u32, (u64, u64), &str)]) -> PathBuf {
    let draw = |(text, y, (first, last), style): &(&str, u32, (u64, u64), &str)| {
        let text = written(text);
        format!(
            ",drawtext=font=Inter\\\\:bold:textfile={text}:x=(w-tw)/2:y={y}:{style}:enable=between(n\\,{first}\\,{last})"
        )
    };
    filmed(&texts.iter().map(draw).collect::<String>())
}

/// 80 frames that pan over the scene, with what these filters draw.
fn filmed(texts: &str) -> PathBuf {
    let options = format!(
        "-loop 1 -framerate 30 -i {} -f lavfi -i sine=frequency=440:sample_rate=48000 -frames:v 80 -t 2.667 \
         -vf scale=1700:-2,crop=540:960:x=200+2*n:y=100{texts},format=yuv420p -c:v libx264 -preset veryfast -crf 14 -c:a aac",
        scene().display()
    );
    clip("mp4", &options)
}

const OUTLINED: &str = "fontsize=44:fontcolor=white:borderw=3:bordercolor=black";
const BOXED: &str = "fontsize=36:fontcolor=black:box=1:boxcolor=white:boxborderw=12";

/// Two texts: one all the time, one for a while.
fn with_texts() -> PathBuf {
    post(&[("wait for it", 140, (0, 79), OUTLINED), ("nobody knows", 700, (25, 55), BOXED)])
}

fn project(post: &Path, overlays: Value) -> Project {
    let project = Project::blank(json!({
        "id": "cnt_test", "format": "video-remix", "influencerId": "inf_ada", "performer": "none",
        "source": { "src": "post.mp4" }, "overlays": overlays, "removal": "fill", "output": { "preset": "draft" },
    }));
    project.put("post.mp4", post);
    project
}

fn render(project: &Project, threads: usize) -> (Container, PathBuf) {
    let container = engine(threads).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    (container, project.out().join("cnt_test/video.mp4"))
}

fn plan(project: &Project) -> Plan {
    engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

fn found(video: &Path) -> Vec<FoundOverlay> {
    let reader = TesseractReader::new(&["Latn".to_owned()]).expect("is installed");
    engine(2).find_overlays(video, &reader, &Control::new()).expect("can be looked at").overlays
}

/// The peak signal-to-noise ratio of a region of some frames, in dB.
fn psnr(one: &Path, other: &Path, region: SourceRect, (first, last): (u64, u64)) -> f64 {
    let SourceRect { x, y, width, height } = region;
    let part = format!("select=between(n\\,{first}\\,{last}),crop={width}:{height}:{x}:{y},format=gray");
    let read = |file: &Path| ffmpeg(file, &format!("-i FILE -an -vf {part} -fps_mode passthrough -f rawvideo -"));
    let (one, other) = (read(one), read(other));
    assert_eq!(one.len(), other.len());
    let squares: f64 = one.iter().zip(&other).map(|(one, other)| f64::from(one.abs_diff(*other)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.len() as f64 / squares.max(1.0)).log10()
}

#[test]
fn words_are_taken_out_and_new_ones_stand_there() {
    let change = json!([
        { "text": "Wait for it!", "newText": "" }, { "text": "nobody knows", "newText": "", "removal": "fill" },
    ]);
    let emptied = project(&with_texts(), change);
    let (container, video) = render(&emptied, 2);
    let report = &container.report.overlays;
    let texts: Vec<_> = report.iter().map(|text| (text.text.as_str(), text.removal.as_str())).collect();
    assert_eq!(texts, [("wait for it", "fill"), ("nobody knows", "fill")]);
    for text in report {
        let residual = text.residual.expect("was measured");
        assert!(residual.readable < 0.2 && residual.seam < 6.0, "{text:?}");
    }
    // As if they had never been there.
    let clean = project(&post(&[]), json!([]));
    let (_, clean_video) = render(&clean, 2);
    let twice = |region: SourceRect| SourceRect {
        x: region.x * 2,
        y: region.y * 2,
        width: region.width * 2,
        height: region.height * 2,
    };
    for text in report {
        let frames = (text.frames.start.0, text.frames.end.0 - 1);
        let psnr = psnr(&video, &clean_video, twice(text.region), frames);
        assert!(psnr >= 32.0, "{psnr}: {text:?}");
    }
    assert_eq!(found(&video), []);

    // New words at the old place, at the same time.
    let change = json!([{ "text": "nobody knows", "newText": "everybody does" }]);
    let changed = project(&with_texts(), change);
    let (container, video) = render(&changed, 2);
    assert_eq!(container.report.overlays[0].removal, "keep", "it was not named");
    let overlays = found(&video);
    let said: Vec<_> = overlays.iter().map(|overlay| overlay.text.as_str()).collect();
    assert_eq!(said, ["wait for it", "everybody does"], "{overlays:#?}");
    let (old, new) = (&report[1], &overlays[1]);
    assert!(new.first_frame.abs_diff(old.frames.start.0) <= 1 && new.last_frame.abs_diff(old.frames.end.0 - 1) <= 1);
    let middle = |region: SourceRect| (region.x + region.width / 2, region.y + region.height / 2);
    let ((x, y), (old_x, old_y)) = (middle(new.region), middle(twice(old.region)));
    assert!(x.abs_diff(old_x) <= 12 && y.abs_diff(old_y) <= 16, "{:?} {:?}", new.region, old.region);
    // On a white box, in black, about as large.
    assert!(new.style.backdrop.is_some_and(|backdrop| backdrop.color.r > 230) && new.style.color.r < 40);
    assert!((new.style.font_size / 72.0 - 1.0).abs() < 0.35, "{}", new.style.font_size);
}

#[test]
fn what_comes_and_goes_slowly_is_gone_from_its_first_frame_to_its_last() {
    let text = |text: &str, options: &str| {
        let file = written(text);
        format!(",drawtext=font=Inter\\\\:bold:textfile={file}:fontcolor=white:borderw=3:fontsize=44:{options}")
    };
    let fades = text("not yet", "x=(w-tw)/2:y=140:alpha=clip(min((n-9)/10\\,(61-n)/10)\\,0\\,1)");
    let slides = text("over here", "x=(w-tw)/2-4*pow(max(30-n\\,0)\\,2):y=700:enable=gte(n\\,24)");
    let change = json!([{ "text": "not yet", "newText": "" }, { "text": "over here", "newText": "" }]);
    let (with, without) = (project(&filmed(&format!("{fades}{slides}")), change), project(&filmed(""), json!([])));
    let ((container, video), (_, clean)) = (render(&with, 2), render(&without, 2));
    let frames: Vec<_> =
        container.report.overlays.iter().map(|text| (text.frames.start.0, text.frames.end.0 - 1)).collect();
    let [(fade, faded), (slide, slid)] = frames[..] else { unreachable!("{:#?}", container.report.overlays) };
    assert!(fade.abs_diff(10) <= 2 && faded.abs_diff(60) <= 2, "{frames:?}");
    assert!(slide.abs_diff(24) <= 2 && slid == 79, "{frames:?}");
    let row = |y: u32| SourceRect { x: 0, y, width: 1080, height: 120 };
    for (y, stretch) in [(266, (8, 20)), (266, (20, 52)), (266, (52, 63)), (1386, (22, 31)), (1386, (31, 79))] {
        let psnr = psnr(&video, &clean, row(y), stretch);
        assert!(psnr >= 32.0, "{psnr} in frames {stretch:?} at {y}");
    }
    assert_eq!(found(&video), []);

    // New words come and go as the old ones do.
    let change = json!([{ "text": "not yet", "newText": "by now" }]);
    let planned = plan(&project(&filmed(&fades), change));
    let [text] = planned.texts() else { unreachable!("one text") };
    assert!(text.frames.start.0.abs_diff(10) <= 2 && text.frames.end.0.abs_diff(61) <= 2, "{:?}", text.frames);
    for change in [text.enter, text.exit] {
        let change = change.expect("is slow");
        assert!(change.kind == TextChangeKind::Fade && change.frames.abs_diff(9) <= 3, "{change:?}");
    }
}

#[test]
fn what_a_slow_scene_shows_late_stands_behind_a_text() {
    // A box of about 130 pixels, before a scene that moves by 80 in 40 frames.
    let with = project(&post(&[("we go", 700, (0, 79), BOXED)]), json!([{ "text": "we go", "newText": "" }]));
    let without = project(&filmed(""), json!([]));
    let ((container, video), (_, clean)) = (render(&with, 2), render(&without, 2));
    let [text] = &container.report.overlays[..] else { unreachable!("{:#?}", container.report.overlays) };
    let SourceRect { x, y, width, height } = text.region;
    let region = SourceRect { x: 2 * x, y: 2 * y, width: 2 * width, height: 2 * height };
    assert!((110..=156).contains(&width), "{:?}", text.region);
    for stretch in [(0, 4), (75, 79)] {
        let psnr = psnr(&video, &clean, region, stretch);
        assert!(psnr >= 32.0, "{psnr} in frames {stretch:?}");
    }
}

#[test]
fn the_fixture_gets_its_new_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/video-remix");
    let json: Value =
        serde_json::from_slice(&fs::read(folder.join("project.json")).expect("is there")).expect("is JSON");
    let with = |json: &Value| {
        let project = Project::blank(json.clone()).with("/source/src", "post.mp4".into());
        project.put("post.mp4", &folder.join("media/post.mp4"));
        project.with("/output", json!({ "preset": "draft" }))
    };
    let whole = with(&json);
    let container = engine(2).render(&whole.request(), &whole.out()).expect("can be rendered").remove(0);
    let wanted: Vec<_> = json["overlays"].as_array().into_iter().flatten().collect();
    assert_eq!(container.report.overlays.len(), 3);
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (text, wanted) in container.report.overlays.iter().zip(wanted) {
        assert_eq!(plain(&text.text), wanted["text"].as_str().expect("has one"));
        assert_eq!((text.removal.as_str(), text.new_text.as_deref()), ("fill", wanted["newText"].as_str()));
    }
    let said: Vec<_> =
        found(&whole.out().join("cnt_remix/video.mp4")).into_iter().map(|overlay| overlay.text).collect();
    assert!(said[0].starts_with("the three things\nI do before coffee"), "{said:?}");
    assert_eq!(said[1..], ["one glass of water", "two minutes in Mindful"]);

    // Without any words it is the clip that they were burnt into.
    let mut bare = with(&json);
    for number in 0..3 {
        bare = bare.with(&format!("/overlays/{number}/newText"), "".into());
    }
    let container = engine(2).render(&bare.request(), &bare.out()).expect("can be rendered").remove(0);
    let clean = bare.out().join("clean.mp4");
    let made = Command::new("sh").arg(folder.join("make/make.sh")).arg("clean").arg(&clean).status();
    assert!(made.expect("runs").success());
    for text in &container.report.overlays {
        let frames = (text.frames.start.0, text.frames.end.0 - 1);
        let psnr = psnr(&bare.out().join("cnt_remix/video.mp4"), &clean, text.region, frames);
        assert!(psnr >= 32.0, "{psnr}: {text:?}");
    }
}

#[test]
fn covered_and_blurred_texts_cannot_be_read() {
    for removal in ["cover", "blur"] {
        let change = json!([{ "text": "nobody knows", "newText": "", "removal": removal }]);
        let project = project(&with_texts(), change);
        let (container, video) = render(&project, 2);
        let text = &container.report.overlays[1];
        assert_eq!((text.text.as_str(), text.removal.as_str()), ("nobody knows", removal));
        assert!(text.residual.is_some_and(|residual| residual.readable < 0.1), "{text:?}");
        let said: Vec<_> = found(&video).into_iter().map(|overlay| overlay.text).collect();
        assert_eq!(said, ["wait for it"], "{removal}");
    }
}

#[test]
fn only_what_a_text_touches_is_rendered_anew() {
    let keys = |overlays: Value| {
        let plan = plan(&project(&with_texts(), overlays));
        plan.chunks().iter().map(|chunk| (chunk.frames, chunk.key.clone())).collect::<Vec<_>>()
    };
    let (plain, changed) = (keys(json!([])), keys(json!([{ "text": "nobody knows", "newText": "x" }])));
    // Frames 0 to 39 and 40 to 79; the text is on in both. A shorter one is on in the first alone.
    assert!(plain.len() == 2 && plain.iter().zip(&changed).all(|(one, other)| one.1 != other.1));
    let early = post(&[("nobody knows", 700, (5, 30), BOXED)]);
    let keys = |overlays: Value| {
        let plan = plan(&project(&early, overlays));
        plan.chunks().iter().map(|chunk| chunk.key.clone()).collect::<Vec<_>>()
    };
    let (plain, changed) = (keys(json!([])), keys(json!([{ "id": "o1", "newText": "x" }])));
    assert!(plain[0] != changed[0] && plain[1] == changed[1]);
}

#[test]
fn the_same_bytes_with_one_and_three_threads_and_unit_by_unit() {
    let project = project(
        &with_texts(),
        json!([
            { "text": "wait for it", "newText": "other words" }, { "text": "nobody knows", "newText": "" },
        ]),
    );
    let (_, one) = render(&project, 1);
    let one = fs::read(one).expect("is there");
    let (_, three) = render(&project, 3);
    assert!(one == fs::read(three).expect("is there"));
    // The last chunk first.
    let store = ChunkStore::in_memory();
    let engine = engine_with(&store);
    let plan = engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    for number in (0..plan.chunks().len()).rev() {
        engine.render_chunk(&plan, number, &store, &Control::new()).expect("can be rendered");
    }
    engine.render(&project.request(), &project.out()).expect("can be rendered");
    assert!(one == fs::read(project.out().join("cnt_test/video.mp4")).expect("is there"));
}

/// Says other words for what is there.
struct Louder;

impl TextAdapter for Louder {
    fn adapt(&self, overlays: &[FoundOverlay], about: &Adaptation) -> Result<Vec<Option<String>>, Error> {
        assert_eq!((about.author.as_str(), about.brief.topic.as_deref()), ("inf_ada", Some("rent")));
        Ok(overlays.iter().map(|overlay| Some(overlay.text.to_uppercase())).collect())
    }
}

/// Knows one post.
struct OnePost(PathBuf);

impl PostResolver for OnePost {
    fn resolve(&self, id: &str) -> Result<Option<SourcePost>, Error> {
        Ok((id == "7301234567890123456").then(|| SourcePost::Video(self.0.clone())))
    }
}

#[test]
fn callers_bring_posts_and_words_of_their_own() {
    let options = EngineOptions {
        resolver: Some(Arc::new(OnePost(with_texts()))),
        adapter: Some(Arc::new(Louder)),
        existing: Existing::Replace,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).expect("can be made");
    let project = project(&post(&[]), json!([{ "id": "o2", "newText": "mine" }]))
        .with("/source", json!({ "tiktokVideoId": "7301234567890123456" }))
        .with("/brief", json!({ "topic": "rent" }));
    let plan = engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    let words: Vec<_> = plan.job().overlays.iter().map(|text| text.new_text.as_deref().unwrap_or("-")).collect();
    assert_eq!(words, ["WAIT FOR IT", "mine"], "the request's come first");
    let unknown = project.with("/source/tiktokVideoId", "99".into());
    let error = engine.plan(&unknown.request(), &Control::new()).expect_err("is not known");
    assert_eq!((error.code(), error.pointer()), ("INVALID_TIKTOK_ID", Some("/source/tiktokVideoId")));
}

#[test]
fn a_post_without_text_is_kept() {
    let project = project(&post(&[]), json!([]));
    let (container, video) = render(&project, 2);
    assert_eq!(container.report.overlays, []);
    let streams = ffprobe(&video, "-show_streams");
    let count = streams["streams"].as_array().map_or(0, Vec::len);
    assert_eq!(count, 2, "with its sound");
    // Or without it.
    let silent = project.with("/audio", json!({ "source": false, "loudness": "off" }));
    let plan = plan(&silent);
    assert!(plan.cues().is_empty());
}

/// A video of one picture.
fn one_picture() -> PathBuf {
    clip("mp4", "-f lavfi -i testsrc2=size=270x480:rate=30 -frames:v 1 -c:v libx264 -pix_fmt yuv420p")
}

#[test]
fn what_cannot_be_remixed_is_told() {
    let code = |project: &Project| {
        let error = engine(1).plan(&project.request(), &Control::new()).expect_err("is refused");
        let first = error.findings().first();
        let suggestion = first.and_then(|first| first.suggestion.clone()).or(error.suggestion().map(str::to_owned));
        let pointer = first.map(|first| first.pointer.clone()).or(error.pointer().map(str::to_owned));
        (error.code(), pointer.unwrap_or_default(), suggestion.unwrap_or_default())
    };
    let plain = || project(&with_texts(), json!([]));
    let told = |project: Project, expected: (&str, &str, &str)| {
        let (code, pointer, suggestion) = code(&project);
        assert!(suggestion.contains(expected.2), "{suggestion}");
        assert_eq!((code, pointer.as_str()), (expected.0, expected.1));
    };
    told(plain().with("/performer", Value::Null), ("PERFORMER_UNAVAILABLE", "/performer", "none"));
    told(plain().with("/performer", "swap".into()), ("VALIDATION", "/performer", "none"));
    told(plain().with("/source", json!({})), ("VALIDATION", "/source", "source.src"));
    told(
        plain().with("/source", json!({ "tiktokVideoId": "12" })),
        ("INVALID_TIKTOK_ID", "/source/tiktokVideoId", "src"),
    );
    told(plain().with("/source/tiktokVideoId", "x1".into()), ("INVALID_TIKTOK_ID", "/source/tiktokVideoId", "src"));
    told(plain().with("/removal", "fil".into()), ("VALIDATION", "/removal", "fill"));
    told(plain().with("/hook", "x".into()), ("VALIDATION", "/hook", "leave"));
    told(plain().with("/influencerId", Value::Null), ("INFLUENCER_REQUIRED", "/influencerId", "one of the two"));
    let named = |change: Value| plain().with("/overlays", json!([change]));
    told(named(json!({ "text": "wait four it", "newText": "x" })), ("NOT_FOUND", "/overlays/0/text", "wait for it"));
    told(named(json!({ "id": "o3", "newText": "x" })), ("NOT_FOUND", "/overlays/0/id", "o"));
    told(named(json!({ "newText": "x" })), ("VALIDATION", "/overlays/0", "id"));
    told(named(json!({ "id": "o1", "removal": "burn" })), ("VALIDATION", "/overlays/0/removal", "blur"));
    told(named(json!({ "id": "o1", "style": "nice" })), ("VALIDATION", "/overlays/0/style", ""));
    let slides = plain().with("/format", "slideshow-remix".into()).with("/overlays", json!([]));
    let slides = slides.with("/slides", json!([{ "text": "a" }, { "text": "b" }])).with("/removal", Value::Null);
    told(slides, ("NOT_A_SLIDESHOW", "/source", "video-remix"));
    let still = one_picture();
    told(project(&still, json!([])), ("SOURCE_UNSUPPORTED", "/source/src", "slideshow-remix"));
    let twice = json!([{ "id": "o1", "newText": "x" }, { "text": "wait for it", "newText": "y" }]);
    told(plain().with("/overlays", twice), ("VALIDATION", "/overlays/1", "leave one"));
    told(named(json!({ "id": "o1", "removal": "blur" })), ("VALIDATION", "/overlays/0", "newText"));
    let other = Project::small().with("/removal", "fill".into());
    told(other, ("VALIDATION", "/removal", "leave it out"));
    let other = Project::small().with("/audio", json!({ "source": false }));
    told(other, ("VALIDATION", "/audio/source", "leave it out"));
    // A sound has no pictures.
    let still = project(&clip("mp3", "-f lavfi -i sine=duration=1 -c:a libmp3lame"), json!([]));
    told(still, ("SOURCE_EMPTY", "/source/src", "video"));
}

#[test]
fn what_a_text_stands_on_can_be_cut_off() {
    let change = json!([{ "text": "wait for it", "newText": "still here", "removal": "crop" }]);
    let project = project(&post(&[("wait for it", 40, (0, 79), OUTLINED)]), change);
    let (container, video) = render(&project, 2);
    let text = &container.report.overlays[0];
    assert_eq!(text.removal, "crop");
    let said: Vec<_> = found(&video).into_iter().map(|overlay| overlay.text).collect();
    assert_eq!(said, ["still here"]);
    // What is left of the source's 960 rows is shown as large as can be.
    let layer = plan(&project).shots()[0].clips[0].clone();
    let bottom = text.region.y + text.region.height;
    assert!(layer.rect.y >= bottom && layer.rect.y + layer.rect.height <= 960, "{:?} {bottom}", layer.rect);
    assert!(layer.patches.is_empty());
    // Two fifths of the picture are the least that may be left: below a text in its middle there are.
    let change = |removal: &str| json!([{ "text": "nobody knows", "newText": "", "removal": removal }]);
    let middle = self::project(&post(&[("nobody knows", 460, (0, 79), BOXED)]), change("crop"));
    let rect = plan(&middle).shots()[0].clips[0].rect;
    assert!(rect.height > 400 && rect.height < 480, "{rect:?}");
    let both = post(&[("nobody knows", 300, (0, 79), BOXED), ("wait for it", 620, (0, 79), OUTLINED)]);
    let changes = json!([
        { "text": "nobody knows", "newText": "", "removal": "crop" }, { "text": "wait for it", "newText": "", "removal": "crop" },
    ]);
    let error = engine(1).plan(&self::project(&both, changes).request(), &Control::new()).expect_err("is refused");
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/overlays/1/removal")));
    // What lies in what is cut off is gone, whatever was to be done with it.
    let both = post(&[("nobody knows", 30, (0, 79), BOXED), ("wait for it", 110, (0, 79), OUTLINED)]);
    let changes = json!([
        { "text": "wait for it", "newText": "", "removal": "crop" }, { "text": "nobody knows", "newText": "", "removal": "blur" },
    ]);
    let plan = plan(&self::project(&both, changes));
    let removals: Vec<_> = plan.job().overlays.iter().map(|text| text.removal.as_str()).collect();
    assert_eq!(removals, ["crop", "crop"]);
    assert!(plan.shots()[0].clips[0].patches.is_empty());
}
