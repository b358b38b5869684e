//! Somebody else in the place of who is seen.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use remix_engine::performer::{FrameTransform, Performers, Replacement, RgbFrame, ShotTransform};
use remix_engine::plan::Plan;
use remix_engine::store::ChunkStore;
use remix_engine::{Control, Engine, EngineOptions, Error, Result};
use serde_json::{Value, json};
use support::{Project, clip, ffmpeg, moving};

const SIDE: u32 = 200;
/// Pictures that the stamp looks back at.
const MEMORY: usize = 6;

/// A transform that knows of the last pictures: where a face would be it paints a square as light as they were in the mean, in the
/// colour that it has for them.
#[derive(Clone)]
struct Stamp {
    name: &'static str,
    /// Whether it remembers more than it says.
    is_liar: bool,
    shown: Arc<AtomicU64>,
}

fn stamp(name: &'static str) -> Stamp {
    Stamp { name, is_liar: false, shown: Arc::default() }
}

impl FrameTransform for Stamp {
    fn identity(&self) -> String {
        self.name.to_owned()
    }

    fn lead_in(&self) -> u64 {
        MEMORY as u64
    }

    fn begin(&self) -> Result<Box<dyn ShotTransform>> {
        Ok(Box::new(Stamping { lights: Vec::new(), of: self.clone() }))
    }
}

struct Stamping {
    lights: Vec<u64>,
    of: Stamp,
}

impl ShotTransform for Stamping {
    fn next(&mut self, picture: RgbFrame<'_>) -> Result<Vec<Replacement>> {
        self.of.shown.fetch_add(1, Ordering::Relaxed);
        assert_eq!(picture.rgb.len(), (picture.width * picture.height * 3) as usize);
        let light = picture.rgb.iter().map(|&value| u64::from(value)).sum::<u64>() / picture.rgb.len() as u64;
        self.lights.push(light);
        let memory = if self.of.is_liar { usize::MAX } else { MEMORY + 1 };
        let known = &self.lights[self.lights.len().saturating_sub(memory)..];
        // Ten times as strong, so that a picture more or less is seen.
        let light = (known.iter().sum::<u64>() * 10 / known.len() as u64 % 200 + 40) as u8;
        let color = if self.of.name == "ada" { [light, 0, 0] } else { [0, 0, light] };
        let pixels = (SIDE * SIDE) as usize;
        let (width, height) = (SIDE, SIDE);
        Ok(vec![Replacement { x: 101, y: 301, width, height, rgb: color.repeat(pixels), mask: vec![255; pixels] }])
    }
}

fn engine_of(stamp: &Stamp, threads: usize) -> Engine {
    let options = EngineOptions {
        threads: std::num::NonZeroUsize::new(threads),
        performers: Some(Arc::new(stamp.clone())),
        ..EngineOptions::default()
    };
    Engine::new(options).expect("can be made")
}

/// A remix without words of four seconds.
fn project() -> Project {
    let project = Project::blank(json!({
        "id": "cnt_test", "format": "video-remix", "influencerId": "inf_ada", "removal": "keep",
        "source": { "src": "post.mp4" }, "output": { "preset": "draft" },
    }));
    project.put("post.mp4", &moving(4.0, 5));
    project
}

fn plan(engine: &Engine, project: &Project) -> Plan {
    engine.plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

/// The mean colour of a part of a frame.
fn color(file: &std::path::Path, frame: u32, part: &str) -> [f64; 3] {
    let bytes =
        ffmpeg(file, &format!("-i FILE -vf select=eq(n\\,{frame}),crop={part},format=rgb24 -frames:v 1 -f rawvideo -"));
    let pixels = bytes.as_chunks::<3>().0;
    std::array::from_fn(|at| pixels.iter().map(|pixel| f64::from(pixel[at])).sum::<f64>() / pixels.len() as f64)
}

#[test]
fn each_chunk_is_the_same_by_itself() {
    let project = project();
    let ada = stamp("ada");
    let (one, three) = (engine_of(&ada, 1), engine_of(&ada, 3));
    let plan = plan(&one, &project);
    assert!(plan.chunks().len() >= 2);
    let stores = [ChunkStore::in_memory(), ChunkStore::in_memory(), ChunkStore::in_memory()];
    let visuals = one.generate_visuals(&plan, &stores[0], &Control::new()).expect("can be rendered");
    assert_eq!(visuals.performed, plan.frames());
    three.generate_visuals(&plan, &stores[1], &Control::new()).expect("can be rendered");
    for index in (0..plan.chunks().len()).rev() {
        one.render_chunk(&plan, index, &stores[2], &Control::new()).expect("can be rendered");
    }
    for chunk in plan.chunks() {
        let [one, three, alone] =
            stores.each_ref().map(|store| store.get(&chunk.key).expect("is read").expect("is there"));
        assert!(one == three && one == alone, "frames {:?}", chunk.frames);
        assert_eq!(u64::from(one.performed), chunk.frames.len());
    }
    // The lead-in of each chunk but the first is shown as well.
    let lead_ins = (plan.chunks().len() - 1) * MEMORY;
    assert_eq!(ada.shown.load(Ordering::Relaxed), 3 * (plan.frames() + lead_ins as u64));
    // One that remembers more than it says is kept from it: its chunks do not depend on those before either.
    let liar = Stamp { is_liar: true, ..stamp("ada") };
    let (one, three) = (engine_of(&liar, 1), engine_of(&liar, 3));
    let stores = [ChunkStore::in_memory(), ChunkStore::in_memory()];
    one.generate_visuals(&plan, &stores[0], &Control::new()).expect("can be rendered");
    three.generate_visuals(&plan, &stores[1], &Control::new()).expect("can be rendered");
    for chunk in plan.chunks() {
        let [one, three] = stores.each_ref().map(|store| store.get(&chunk.key).expect("is read").expect("is there"));
        assert!(one == three);
    }
}

#[test]
fn a_video_shows_who_was_put_into_it_and_says_so() {
    let project = project();
    let engine = engine_of(&stamp("ada"), 2);
    let container = engine.render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    let report = container.report.performer.expect("is told");
    assert_eq!((report.author.as_str(), report.identity.as_str()), ("inf_ada", "ada"));
    assert_eq!(report.frames, Some(120));
    let video = project.out().join("cnt_test/video.mp4");
    for frame in [0, 70] {
        let [r, g, b] = color(&video, frame, "180:180:110:310");
        assert!(r > 30.0 && g < 12.0 && b < 12.0, "{frame}: {r} {g} {b}");
    }
    // Beside it the picture is what it is without.
    let without = project.with("/performer", "none".into()).with("/id", "cnt_none".into());
    let container = engine.render(&without.request(), &without.out()).expect("can be rendered").remove(0);
    assert_eq!(container.report.performer, None);
    let plain = without.out().join("cnt_none/video.mp4");
    let apart = |part: &str| {
        let (one, other) = (color(&video, 70, part), color(&plain, 70, part));
        one.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max)
    };
    assert!(apart("180:180:110:310") > 10.0);
    assert!(apart("600:600:400:800") < 1.0 && apart("90:200:2:301") < 1.0, "{}", apart("90:200:2:301"));
}

#[test]
fn keys_have_the_model_and_not_what_the_author_is_called() {
    let keys = |stamp: &Stamp, project: &Project| {
        let plan = plan(&engine_of(stamp, 1), project);
        plan.chunks().iter().map(|chunk| chunk.key.clone()).collect::<Vec<_>>()
    };
    let ada = keys(&stamp("ada"), &project());
    assert_eq!(keys(&stamp("ada"), &project().with("/influencerId", "inf_other".into())), ada);
    assert!(keys(&stamp("bob"), &project()).iter().zip(&ada).all(|(one, other)| one != other));
    let none = keys(&stamp("ada"), &project().with("/performer", "none".into()));
    assert!(none.iter().zip(&ada).all(|(one, other)| one != other));
}

#[cfg(feature = "tesseract")]
#[test]
fn what_is_taken_out_of_a_lead_in_is_in_the_key() {
    // On in frames 15 to 36, and out of 13 to 38: before the second chunk, which begins at 40, and in its lead-in.
    let text = support::written("wait for it");
    let options = format!(
        "-f lavfi -i testsrc2=size=540x960:rate=30 -frames:v 80 -vf drawbox=color=0x405060:t=fill:y=80:h=200,\
         drawtext=font=Inter\\\\:bold:textfile={text}:x=(w-tw)/2:y=140:fontsize=52:fontcolor=white:borderw=4:enable=between(n\\,15\\,36) \
         -pix_fmt yuv420p -c:v libx264 -crf 16"
    );
    let project = |removal: &str, performer: &str| {
        let project =
            project().with("/overlays", json!([{ "text": "wait for it", "newText": "", "removal": removal }]));
        project.put("post.mp4", &clip("mp4", &options));
        project.with("/performer", performer.into())
    };
    let keys = |removal: &str, performer: &str| {
        let plan = plan(&engine_of(&stamp("ada"), 1), &project(removal, performer));
        plan.chunks().iter().map(|chunk| (chunk.frames.start.0, chunk.key.clone())).collect::<Vec<_>>()
    };
    let differ = |performer: &str| {
        let (one, other) = (keys("blur", performer), keys("cover", performer));
        assert_eq!(one.iter().map(|(start, _)| *start).collect::<Vec<_>>(), [0, 40]);
        one.iter().zip(&other).map(|(one, other)| one != other).collect::<Vec<_>>()
    };
    assert_eq!((differ("none"), differ("influencer")), (vec![true, false], vec![true, true]));
}

/// Knows nobody but Ada, and a model that breaks.
struct Few;

struct Broken;

impl FrameTransform for Broken {
    fn identity(&self) -> String {
        "broken".to_owned()
    }

    fn lead_in(&self) -> u64 {
        0
    }

    fn begin(&self) -> Result<Box<dyn ShotTransform>> {
        Ok(Box::new(Self))
    }
}

impl ShotTransform for Broken {
    fn next(&mut self, _: RgbFrame<'_>) -> Result<Vec<Replacement>> {
        Ok(vec![Replacement { x: 0, y: 0, width: 10, height: 10, rgb: vec![0; 3], mask: vec![0; 100] }])
    }
}

/// A model that nobody could ever wait for.
struct Endless;

impl FrameTransform for Endless {
    fn identity(&self) -> String {
        "endless".to_owned()
    }

    fn lead_in(&self) -> u64 {
        1 << 40
    }

    fn begin(&self) -> Result<Box<dyn ShotTransform>> {
        Ok(Box::new(Broken))
    }
}

impl Performers for Few {
    fn performer(&self, author: &str) -> Result<Option<Arc<dyn FrameTransform>>> {
        Ok(match author {
            "inf_ada" => Some(Arc::new(stamp("ada"))),
            "inf_broken" => Some(Arc::new(Broken)),
            "inf_endless" => Some(Arc::new(Endless)),
            _ => None,
        })
    }
}

#[test]
fn what_keeps_somebody_from_being_put_there_is_told() {
    let few = Engine::new(EngineOptions { performers: Some(Arc::new(Few)), ..EngineOptions::default() })
        .expect("can be made");
    let told = |error: &Error| (error.code(), error.pointer().unwrap_or_default().to_owned());
    let refused = |author: &str| {
        let project = project().with("/influencerId", author.into());
        few.render(&project.request(), &project.out()).map(drop).expect_err("is refused")
    };
    assert_eq!(told(&refused("inf_nobody")), ("PERFORMER_UNAVAILABLE", "/performer".to_owned()));
    assert_eq!(told(&refused("inf_endless")), ("PERFORMER_UNAVAILABLE", "/performer".to_owned()));
    let error = refused("inf_broken");
    assert!(error.code() == "INTERNAL" && error.message().contains("bytes"), "{error}");
    // A plan made with another model.
    let project = project();
    let made = plan(&engine_of(&stamp("ada"), 1), &project);
    let store = ChunkStore::in_memory();
    let error = engine_of(&stamp("bob"), 1).generate_visuals(&made, &store, &Control::new()).expect_err("is refused");
    assert_eq!(error.code(), "PERFORMER_UNAVAILABLE");
    let none = support::engine(1).generate_visuals(&made, &store, &Control::new()).expect_err("is refused");
    assert_eq!(none.code(), "PERFORMER_UNAVAILABLE");
    // One that asks for a second of lead-in for each of two million frames.
    let json = serde_json::to_string(&made).expect("is written").replace("\"leadIn\":6", "\"leadIn\":600");
    assert!(serde_json::from_str::<Plan>(&json).is_err());
}

#[test]
fn slides_show_who_was_put_into_them() {
    let picture = clip("png", "-f lavfi -i color=0x406080:size=1080x1920 -frames:v 1");
    let project = Project::blank(json!({
        "id": "cnt_slides", "format": "slideshow-remix", "influencerId": "inf_ada", "removal": "keep",
        "source": { "slides": [{ "id": "a", "src": "a.png" }, { "id": "b", "src": "b.png" }] },
    }));
    project.put("a.png", &picture);
    project.put("b.png", &picture);
    let container =
        engine_of(&stamp("ada"), 2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    assert_eq!(
        container.report.performer.map(|report| (report.identity, report.frames)),
        Some(("ada".to_owned(), None))
    );
    for slide in ["slide-01.jpg", "slide-02.jpg"] {
        let file = project.out().join("cnt_slides").join(slide);
        let [r, g, b] = color(&file, 0, "180:180:110:310");
        assert!(r > 30.0 && g < 12.0 && b < 12.0, "{r} {g} {b}");
        let [r, g, b] = color(&file, 0, "100:100:600:600");
        assert!((r - 64.0).abs() < 4.0 && (g - 96.0).abs() < 4.0 && (b - 128.0).abs() < 4.0, "{r} {g} {b}");
    }
    let error = support::engine(1).render(&project.request(), &project.out()).expect_err("is refused");
    assert_eq!(error.code(), "PERFORMER_UNAVAILABLE");
    let none = project.with("/performer", Value::from("none")).with("/id", "cnt_none".into());
    support::engine(1).render(&none.request(), &none.out()).expect("can be rendered");
}
