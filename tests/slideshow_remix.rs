//! `slideshow-remix`: the texts of somebody's slides are found and taken out, and new words stand in their place.
#![cfg(feature = "tesseract")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use image::RgbImage;
use remix_engine::burnt::{FoundOverlay, TesseractReader};
use remix_engine::compose::SourceRect;
use remix_engine::output::Container;
use remix_engine::{Adaptation, Control, Engine, EngineOptions, Error, PostResolver, Result, SourcePost, TextAdapter};
use serde_json::{Value, json};
use support::{Project, clip, engine, ffmpeg, written};

/// A slide of this size with texts over a drawn scene: what, where, how.
fn slide(size: &str, texts: &[(&str, u32, &str)]) -> PathBuf {
    let draw = |(text, y, style): &(&str, u32, &str)| {
        format!(",drawtext=font=Inter\\\\:bold:textfile={}:x=(w-tw)/2:y={y}:{style}", written(text))
    };
    let texts: String = texts.iter().map(draw).collect();
    let scene = format!(
        "-f lavfi -i gradients=size={size}:c0=0x304060:c1=0x907050:c2=0x405040:n=3:seed=3 -frames:v 1 -vf noise=alls=8{texts}"
    );
    clip("png", &scene)
}

const OUTLINED: &str = "fontsize=64:fontcolor=white:borderw=5:bordercolor=black";
const SMALL: &str = "fontsize=44:fontcolor=0xffe600:borderw=4:bordercolor=black";
const SIZE: &str = "1080x1920";

/// Two slides: one with a title and a line below, one with one text.
fn project(fields: Value) -> Project {
    let mut json = json!({
        "id": "cnt_slides", "format": "slideshow-remix", "influencerId": "inf_ada", "performer": "none",
        "source": { "slides": [{ "id": "one", "src": "one.png" }, { "id": "two", "src": "two.png" }] },
    });
    json.as_object_mut().expect("is one").extend(fields.as_object().expect("is one").clone());
    let project = Project::blank(json);
    project.put("one.png", &slide(SIZE, &[("nobody told me", 400, OUTLINED), ("about this trick", 1300, SMALL)]));
    project.put("two.png", &slide(SIZE, &[("wait for it", 800, OUTLINED)]));
    project
}

fn render(project: &Project) -> Container {
    engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0)
}

fn picture(project: &Project, number: usize) -> PathBuf {
    project.out().join(format!("cnt_slides/slide-{number:02}.jpg"))
}

fn found(file: &Path) -> Vec<FoundOverlay> {
    let reader = TesseractReader::new(&["Latn".to_owned()]).expect("is installed");
    engine(1).find_overlays(file, &reader, &Control::new()).expect("can be looked at").overlays
}

fn said(file: &Path) -> Vec<String> {
    found(file).into_iter().map(|overlay| overlay.text).collect()
}

fn refused(project: &Project) -> Error {
    engine(1).plan(&project.request(), &Control::new()).expect_err("is refused")
}

fn told(error: &Error) -> (String, String) {
    let first = error.findings().first();
    let pointer = first.map_or(error.pointer().unwrap_or_default(), |first| first.pointer.as_str());
    (error.code().to_owned(), pointer.to_owned())
}

/// The peak signal-to-noise ratio of a region, in dB.
fn psnr(one: &RgbImage, other: &RgbImage, region: SourceRect) -> f64 {
    let part = |picture: &RgbImage| {
        image::imageops::crop_imm(picture, region.x, region.y, region.width, region.height).to_image().into_raw()
    };
    let (one, other) = (part(one), part(other));
    let squares: f64 = one.iter().zip(&other).map(|(one, other)| f64::from(one.abs_diff(*other)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.len() as f64 / squares.max(1.0)).log10()
}

fn open(file: &Path) -> RgbImage {
    let rgb = ffmpeg(file, "-i FILE -f rawvideo -pix_fmt rgb24 -");
    RgbImage::from_raw(1080, 1920, rgb).expect("has this size")
}

#[test]
fn a_slides_own_text_stands_in_the_place_of_its_largest() {
    let project = project(json!({ "slides": [{ "text": "somebody told you" }, {}] }));
    let container = render(&project);
    let first = said(&picture(&project, 1));
    assert_eq!(first, ["somebody told you"], "the line below is gone, too");
    assert_eq!(said(&picture(&project, 2)), ["wait for it"], "nothing was asked of it");
    let report: Vec<_> = container
        .report
        .overlays
        .iter()
        .map(|text| (text.slide, text.text.as_str(), text.new_text.as_deref(), text.removal != "keep"))
        .collect();
    assert_eq!(
        report,
        [
            (Some(1), "nobody told me", Some("somebody told you"), true),
            (Some(1), "about this trick", Some(""), true),
            (Some(2), "wait for it", None, false),
        ]
    );
    let new = found(&picture(&project, 1)).remove(0);
    let old = &container.report.overlays[0];
    let middle = |region: SourceRect| (region.x + region.width / 2, region.y + region.height / 2);
    let ((x, y), (old_x, old_y)) = (middle(new.region), middle(old.region));
    assert!(x.abs_diff(old_x) <= 12 && y.abs_diff(old_y) <= 16, "{:?} {:?}", new.region, old.region);
    assert!(new.style.stroke.is_some() && (new.style.font_size / 64.0 - 1.0).abs() < 0.3, "{:?}", new.style);
}

#[test]
fn texts_are_named_by_their_slide_or_by_what_they_say() {
    let changes = json!([
        { "slide": "one", "id": "o2", "newText": "about that trick" }, { "text": "Wait for it!", "newText": "", "removal": "cover" },
    ]);
    // Without `slides` all of the source's are shown.
    let project = project(json!({ "overlays": changes }));
    let container = render(&project);
    assert_eq!(said(&picture(&project, 1)), ["nobody told me", "about that trick"]);
    assert_eq!(said(&picture(&project, 2)), Vec::<String>::new());
    let removals: Vec<_> = container.report.overlays.iter().map(|text| text.removal.as_str()).collect();
    assert!(removals[0] == "keep" && removals[1] != "keep" && removals[2] == "cover", "{removals:?}");
}

#[test]
fn what_a_slide_says_of_its_texts_is_done() {
    let slides = json!([
        { "removal": "blur" },
        { "text": "new words", "position": "top" },
        { "sourceSlide": "one", "removal": "keep", "text": "above all", "position": "bottom" },
    ]);
    let project = project(json!({ "slides": slides }));
    let container = render(&project);
    assert_eq!(said(&picture(&project, 1)), Vec::<String>::new());
    assert_eq!(said(&picture(&project, 2)), ["new words"]);
    let new = found(&picture(&project, 2)).remove(0);
    assert!(new.region.y < 600, "{:?}", new.region);
    assert_eq!(said(&picture(&project, 3)), ["nobody told me", "about this trick", "above all"]);
    let removals: Vec<_> = container.report.overlays.iter().map(|text| (text.slide, text.removal.as_str())).collect();
    assert_eq!(removals[..2], [(Some(1), "blur"), (Some(1), "blur")]);
    assert_eq!(removals.len(), 3, "a slide whose texts stay is not looked at: {removals:?}");
}

#[test]
fn slides_of_another_shape_are_shown_whole_without_their_texts() {
    let project = project(json!({ "slides": [{ "removal": "fill" }, { "text": "still here" }] }));
    project.put("one.png", &slide("1080x1080", &[("nobody told me", 100, OUTLINED)]));
    project.put("two.png", &slide("1080x1080", &[("wait for it", 900, OUTLINED)]));
    render(&project);
    assert_eq!(said(&picture(&project, 1)), Vec::<String>::new());
    let new = found(&picture(&project, 2)).remove(0);
    // The square is in the middle of the canvas: 900 of it is 1320 there.
    assert_eq!(new.text, "still here");
    let middle = new.region.y + new.region.height / 2;
    assert!(middle.abs_diff(1320 + 30) < 24, "{:?}", new.region);
}

/// A text of which another one, in other colours, begins where it ends: what is read there is what it said.
fn doubled() -> PathBuf {
    let echo = "fontsize=64:fontcolor=0x802020:borderw=5:bordercolor=0xffe080";
    slide(SIZE, &[("wait for it", 800, OUTLINED), ("wait for it", 848, echo)])
}

#[test]
fn what_cannot_be_taken_out_is_reported_kept_or_refused() {
    let remix = |policy: Option<&str>, removal: &str| {
        // The lower one: the upper one stays, since nobody says what becomes of it.
        let change = json!({ "slide": "one", "id": "o2", "newText": "something else", "removal": removal });
        let project = project(json!({ "overlays": [change], "unremovable": policy }));
        project.put("one.png", &doubled());
        project
    };
    let lower = |project: &Project| {
        let plan = engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
        plan.job().overlays.iter().find(|text| text.id == "o2").expect("is found").clone()
    };
    let reported = lower(&remix(None, "fill"));
    assert_eq!((reported.removal.as_str(), reported.new_text.as_deref()), ("fill", Some("something else")));
    assert!(reported.residual.is_some_and(|left| left.readable > 0.5), "{reported:?}");
    let kept = lower(&remix(Some("keep"), "fill"));
    assert_eq!((kept.removal.as_str(), kept.new_text), ("keep", None));
    let error = refused(&remix(Some("fail"), "fill"));
    assert_eq!(told(&error), ("SOURCE_UNSUPPORTED".to_owned(), "/overlays/0".to_owned()));
    // Left to itself it goes on to what hides more.
    let auto = lower(&remix(Some("fail"), "auto"));
    assert!(auto.removal == "blur" || auto.removal == "cover", "{auto:?}");
    assert!(auto.residual.is_some_and(|left| left.readable <= 0.02), "{auto:?}");
    // Where nothing is left, the policy has no say.
    let fine = project(json!({ "slides": [{ "text": "new" }, { "text": "newer" }], "unremovable": "fail" }));
    assert!(first_removals(&fine).iter().all(|removal| removal == "fill"));
}

fn first_removals(project: &Project) -> Vec<String> {
    let plan = engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0);
    plan.job().overlays.iter().map(|text| text.removal.clone()).collect()
}

#[test]
fn of_an_animation_only_the_texts_of_its_first_picture_count() {
    let project = project(json!({ "slides": [{ "removal": "fill" }, {}] }));
    let late = written("nobody told me");
    let options = format!(
        "-f lavfi -i gradients=size=540x960:c0=0x304060:c1=0x907050:n=2:seed=3:speed=0.00001 -frames:v 60 \
         -vf drawtext=font=Inter\\\\:bold:textfile={late}:x=(w-tw)/2:y=400:{OUTLINED}:enable=gte(n\\,20) -pix_fmt yuv420p"
    );
    project.put("one.png", &clip("mp4", &options));
    let texts =
        engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0).job().overlays.clone();
    assert!(texts.iter().all(|text| text.slide == Some(2)), "{texts:#?}");
}

/// Knows one post with the slides of a folder.
struct Known(Vec<PathBuf>);

impl PostResolver for Known {
    fn resolve(&self, id: &str) -> Result<Option<SourcePost>> {
        Ok(match id {
            "7" => Some(SourcePost::Slides(self.0.clone())),
            "8" => Some(SourcePost::Video(self.0[0].clone())),
            _ => None,
        })
    }
}

/// Says of each text on which slide it is.
struct Telling;

impl TextAdapter for Telling {
    fn adapt(&self, overlays: &[FoundOverlay], about: &Adaptation) -> Result<Vec<Option<String>>> {
        let slide = about.slide.clone().expect("is a slide");
        Ok(overlays.iter().map(|_| Some(format!("slide number {slide}"))).collect())
    }
}

#[test]
fn a_post_is_found_by_its_id_and_its_words_are_adapted() {
    let project = project(json!({ "source": { "tiktokVideoId": "7" } }));
    let folder = project.folder();
    let known = Known(vec![folder.join("two.png"), folder.join("one.png")]);
    let options =
        EngineOptions { resolver: Some(Arc::new(known)), adapter: Some(Arc::new(Telling)), ..EngineOptions::default() };
    let engine = Engine::new(options).expect("can be made");
    let container = engine.render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    let picks: Vec<_> = container.report.picks.iter().map(|pick| pick.id.as_str()).collect();
    assert_eq!(picks, ["1", "2"]);
    assert_eq!(said(&picture(&project, 1)), ["slide number 1"]);
    assert_eq!(said(&picture(&project, 2)), ["slide number 2", "slide number 2"]);
    let error = |id: &str| {
        let project = project_with_id(id);
        told(&engine.plan(&project.request(), &Control::new()).expect_err("is refused"))
    };
    let at = "/source/tiktokVideoId".to_owned();
    assert_eq!(error("8"), ("NOT_A_SLIDESHOW".to_owned(), at.clone()));
    assert_eq!(error("9"), ("INVALID_TIKTOK_ID".to_owned(), at.clone()));
    assert_eq!(error("x"), ("INVALID_TIKTOK_ID".to_owned(), at.clone()));
    // What a slide says of its texts leaves the adapter what goes, and not what stays.
    let slides = json!([{ "removal": "fill" }, { "removal": "keep" }]);
    let said_so = self::project(json!({ "source": { "tiktokVideoId": "7" }, "slides": slides,
        "overlays": [{ "slide": "1", "text": "wait for it", "newText": "mine" }] }));
    let container = engine.render(&said_so.request(), &said_so.out()).expect("can be rendered").remove(0);
    let words: Vec<_> = container.report.overlays.iter().map(|text| text.new_text.as_deref()).collect();
    assert_eq!(words, [Some("mine"), None, None]);
    let slides = json!([{ "removal": "fill" }, {}]);
    let emptied = self::project(json!({ "source": { "tiktokVideoId": "7" }, "slides": slides }));
    engine.render(&emptied.request(), &emptied.out()).expect("can be rendered");
    assert_eq!(said(&picture(&emptied, 1)), ["slide number 1"]);
    // What the request names is the post's.
    let both = json!({ "tiktokVideoId": "7", "slides": [{ "id": "one", "src": "one.png" }, { "id": "two", "src": "two.png" }] });
    let both = project_of(both);
    let container = engine.render(&both.request(), &both.out()).expect("can be rendered").remove(0);
    let picks: Vec<_> = container.report.picks.iter().map(|pick| pick.id.as_str()).collect();
    assert_eq!(picks, ["one", "two"]);
    // Without a resolver.
    assert_eq!(told(&refused(&project_with_id("7"))), ("INVALID_TIKTOK_ID".to_owned(), at));
}

fn project_of(source: Value) -> Project {
    project(json!({ "source": source }))
}

fn project_with_id(id: &str) -> Project {
    project_of(json!({ "tiktokVideoId": id }))
}

#[test]
fn what_cannot_be_remixed_is_told() {
    let wrong = |fields: Value, code: &str, pointer: &str| {
        assert_eq!(told(&refused(&project(fields))), (code.to_owned(), pointer.to_owned()));
    };
    let overlays = |change: Value| json!({ "overlays": [change] });
    wrong(overlays(json!({ "id": "o1", "newText": "x" })), "VALIDATION", "/overlays/0/slide");
    wrong(overlays(json!({ "id": "o1", "slide": "three", "newText": "x" })), "NOT_FOUND", "/overlays/0/slide");
    wrong(overlays(json!({ "id": "o9", "slide": "one", "newText": "x" })), "NOT_FOUND", "/overlays/0/id");
    wrong(overlays(json!({ "text": "wait for it", "slide": "one", "newText": "x" })), "NOT_FOUND", "/overlays/0/text");
    wrong(json!({ "slides": [{ "removal": "burn" }, {}] }), "VALIDATION", "/slides/0/removal");
    wrong(json!({ "unremovable": "cry" }), "VALIDATION", "/unremovable");
    wrong(json!({ "source": { "slides": [{ "id": "one", "src": "one.png" }] } }), "LIMIT_EXCEEDED", "/source/slides");
    // A slide that is damaged: nothing is made.
    let broken = project(json!({ "slides": [{ "text": "x" }, { "text": "y" }] }));
    broken.write("two.png", b"not a picture");
    let error = engine(2).render(&broken.request(), &broken.out()).expect_err("is refused");
    assert_eq!(told(&error), ("SOURCE_UNSUPPORTED".to_owned(), "/source/slides/1/src".to_owned()));
    assert!(!broken.out().join("cnt_slides").exists());
    // Two of them: both are told.
    broken.write("one.png", b"no picture either");
    let pointers: Vec<_> = refused(&broken).findings().iter().map(|finding| finding.pointer.clone()).collect();
    assert_eq!(pointers, ["/source/slides/0/src", "/source/slides/1/src"]);
}

#[test]
fn the_fixture_gets_its_new_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slideshow-remix");
    let json: Value =
        serde_json::from_slice(&fs::read(folder.join("project.json")).expect("is there")).expect("is JSON");
    let with = |json: Value| {
        let project = Project::blank(json);
        for number in 1..=3 {
            let name = format!("slide-{number}.jpg");
            project.put(&name, &folder.join("media").join(&name));
        }
        let src = |number: usize| Value::from(format!("slide-{number}.jpg"));
        (1..=3).fold(project.with("/id", "cnt_slides".into()), |project, number| {
            project.with(&format!("/source/slides/{}/src", number - 1), src(number))
        })
    };
    let whole = with(json.clone());
    let container = render(&whole);
    assert!(container.report.overlays.iter().all(|text| text.removal == "fill"), "{:?}", container.report.overlays);
    assert!(said(&picture(&whole, 1))[0].starts_with("3 tiny habits that\nkept me calm this year"));
    assert_eq!(said(&picture(&whole, 2)), ["1. breathe\nbefore bed"]);
    assert_eq!(said(&picture(&whole, 3)), ["get Mindful today"]);
    // Without any words they are the pictures that the old ones were set on.
    let bare = with(json).with("/slides", json!([{ "removal": "fill" }, { "removal": "fill" }, { "removal": "fill" }]));
    let bare = bare.with("/overlays", json!([]));
    let container = render(&bare);
    let clean = bare.out().join("clean");
    let made = Command::new("sh").arg(folder.join("make/make.sh")).arg("clean").arg(&clean).status();
    assert!(made.expect("runs").success());
    for text in &container.report.overlays {
        let number = text.slide.expect("is on one");
        let psnr = psnr(&open(&picture(&bare, number)), &open(&clean.join(format!("slide-{number}.jpg"))), text.region);
        // Letters hide little. What is behind a box over the mountains, no picture shows: a smooth surface stands there.
        let least = if text.text.starts_with("follow") { 22.0 } else { 32.0 };
        assert!(psnr >= least, "{psnr}: {text:?}");
    }
    assert_eq!(container.report.overlays.len(), 4);
}
