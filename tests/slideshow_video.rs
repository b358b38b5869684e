//! Videos of slides: lengths, movement, transitions, music.

mod support;

use std::fs;
use std::path::PathBuf;

use image::{DynamicImage, RgbImage};
use remix_engine::Control;
use remix_engine::plan::Plan;
use remix_engine::store::ChunkStore;
use serde_json::{Value, json};
use support::{Project, engine, ffmpeg, ffprobe, left_in, sound};

fn png(picture: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let picture = RgbImage::from_fn(1080, 1920, |x, y| image::Rgb(picture(x, y)));
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, image::ImageFormat::Png).expect("can be encoded");
    bytes.into_inner()
}

/// A project of pictures without text, with these options for its video.
fn project(media: &[&[u8]], video: Value) -> Project {
    let name = |number: usize| format!("p{number}.png");
    let rows: Vec<_> =
        (0..media.len()).map(|at| json!({ "id": name(at), "mediaRole": "image", "src": name(at) })).collect();
    let slides: Vec<_> = (0..media.len()).map(|at| json!({ "media": name(at) })).collect();
    let project = Project::blank(json!({
        "id": "cnt_slides", "format": "slideshow-builder", "influencerId": "inf_ada",
        "app": { "name": "Mindful", "description": "A habit tracker." },
        "media": rows, "slides": slides, "slideVideo": video, "output": { "preset": "high" },
    }));
    media.iter().enumerate().for_each(|(at, bytes)| project.write(&name(at), bytes));
    project
}

fn plan(project: &Project) -> Plan {
    engine(2).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

fn render(project: &Project) -> PathBuf {
    engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    project.out().join("cnt_slides/video.mp4")
}

/// The luma of all frames at a fifth of the size.
fn lumas(video: &std::path::Path) -> Vec<Vec<u8>> {
    let bytes = ffmpeg(video, "-i FILE -an -vf scale=216:384:flags=area,format=gray -f rawvideo -");
    bytes.chunks_exact(216 * 384).map(<[u8]>::to_vec).collect()
}

const DARK: [u8; 3] = [40, 40, 40];
const LIGHT: [u8; 3] = [200, 200, 200];

fn two(video: Value) -> Project {
    project(&[&png(|_, _| DARK), &png(|_, _| LIGHT)], video)
}

#[test]
fn slides_overlap_while_one_gives_way_to_the_other() {
    let project = two(json!({ "slideDuration": 2, "transition": { "name": "dissolve", "duration": 0.5 } }));
    let plan = plan(&project);
    let frames: Vec<_> = plan.scenes().iter().map(|scene| (scene.frames.start.0, scene.frames.end.0)).collect();
    assert_eq!(frames, [(0, 60), (45, 105)]);
    let chunks: Vec<_> = plan.chunks().iter().map(|chunk| (chunk.frames.start.0, chunk.frames.end.0)).collect();
    assert_eq!(chunks, [(0, 45), (45, 60), (60, 105)], "cut where the transition begins and ends");
    assert!(plan.describe().contains("while the one before is still on"), "{}", plan.describe());
    let video = render(&project);
    let found = ffprobe(&video, "-count_frames -show_entries stream=nb_read_frames,width,height,duration,codec_name");
    assert_eq!(found["streams"][0]["nb_read_frames"], "105");
    assert_eq!((&found["streams"][0]["width"], &found["streams"][0]["height"]), (&json!(1080), &json!(1920)));
    let samples = sound(&video);
    // AAC comes in frames of 1024 samples.
    assert!((105 * 1600..105 * 1600 + 1024).contains(&samples.len()), "{} samples", samples.len());
    assert!(samples.iter().all(|frame| frame[0].abs() < 1e-4), "silence");
    let lumas: Vec<u8> = lumas(&video).iter().map(|luma| luma[384 * 108]).collect();
    assert!(lumas[..45].iter().all(|&luma| luma.abs_diff(lumas[0]) <= 1), "{lumas:?}");
    assert!(lumas[60..].iter().all(|&luma| luma.abs_diff(lumas[104]) <= 1), "{lumas:?}");
    assert!(lumas[44..61].windows(2).all(|pair| pair[1] > pair[0]), "it fades without a stop: {lumas:?}");
}

#[test]
fn every_transition_is_what_its_name_says() {
    // Where the new picture is in the middle of the transition: left, right, upper, lower quarter and middle.
    type Seen = [bool; 4];
    let cases: [(&str, &str, Seen); 7] = [
        ("wipe", "right", [true, false, false, true]),
        ("wipe", "up", [false, false, false, true]),
        ("slide", "left", [false, true, false, true]),
        ("slide", "down", [true, true, true, false]),
        ("push", "right", [true, false, true, false]),
        ("push", "up", [false, false, false, true]),
        ("cut", "left", [false, false, false, false]),
    ];
    for (name, direction, _) in cases {
        let easing = "linear";
        let transition = json!({ "name": name, "direction": direction, "easing": easing, "duration": 1.0 });
        let project = two(json!({ "slideDuration": 2, "transition": transition, "motion": "none" }));
        let lumas = lumas(&render(&project));
        if name == "cut" {
            assert_eq!(lumas.len(), 120);
            assert!(lumas[59][100] < 60 && lumas[60][100] > 180);
            continue;
        }
        assert_eq!(lumas.len(), 90);
        // Frame 45 is half a frame past the middle.
        let at = |frame: usize, x: usize, y: usize| lumas[frame][y * 216 + x] > 120;
        let seen = |frame: usize| [at(frame, 40, 192), at(frame, 176, 192), at(frame, 108, 60), at(frame, 108, 324)];
        let meant = match direction {
            "left" => [false, true, at(45, 108, 60), at(45, 108, 324)],
            "right" => [true, false, at(45, 108, 60), at(45, 108, 324)],
            "up" => [at(45, 40, 192), at(45, 176, 192), false, true],
            _ => [at(45, 40, 192), at(45, 176, 192), true, false],
        };
        assert_eq!(seen(45), meant, "{name} {direction}");
        assert_eq!((seen(29), seen(60)), ([false; 4], [true; 4]), "{name} {direction}: before and after");
    }
    let zoom = two(json!({ "slideDuration": 2, "transition": { "name": "zoom", "duration": 1.0 }, "motion": "none" }));
    let lumas: Vec<u8> = lumas(&render(&zoom)).iter().map(|luma| luma[384 * 108]).collect();
    assert!(lumas[29] < 60 && lumas[60] > 180 && (100..150).contains(&lumas[45]), "{lumas:?}");
}

/// Where a soft dot is in each frame, in pixels.
fn centers(video: &std::path::Path, frames: usize) -> Vec<(f64, f64)> {
    let bytes = ffmpeg(video, "-i FILE -an -vf crop=400:400:340:300,format=gray -f rawvideo -");
    let centers: Vec<_> = bytes
        .chunks_exact(400 * 400)
        .map(|luma| {
            let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
            for (at, &value) in luma.iter().enumerate() {
                let weight = f64::from(value.saturating_sub(70));
                sum += weight;
                x += weight * (at % 400) as f64;
                y += weight * (at / 400) as f64;
            }
            (x / sum, y / sum)
        })
        .collect();
    assert_eq!(centers.len(), frames);
    centers
}

#[test]
fn a_slow_zoom_moves_without_jitter() {
    let dot = png(|x, y| {
        let (dx, dy) = (f64::from(x) - 540.0, f64::from(y) - 500.0);
        let value = 50.0 + 190.0 * (-(dx * dx + dy * dy) / 150.0).exp();
        [value as u8; 3]
    });
    let project = project(&[&dot, &dot], json!({ "slideDuration": 4, "transition": { "name": "cut" } }));
    let centers = centers(&render(&project), 240);
    for (what, part) in [("in", &centers[..120]), ("out", &centers[120..])] {
        for axis in [|point: &(f64, f64)| point.0, |point: &(f64, f64)| point.1] {
            let steps: Vec<f64> = part.windows(2).map(|pair| axis(&pair[1]) - axis(&pair[0])).collect();
            let worst = steps.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
            assert!(worst < 0.1, "zooming {what}: the speed jumps by {worst:.3} pixels a frame");
        }
        let way = (part[0].1 - part[119].1).abs();
        assert!(way > 5.0, "zooming {what}: it moves by {way:.1} pixels");
    }
}

#[test]
fn slides_are_the_same_in_the_video() {
    let out = tempfile::tempdir().expect("a folder");
    let mut request = remix_engine::request::Request::from_path(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slideshow-builder"),
    )
    .expect("can be read");
    request.slide_video = Some(remix_engine::request::SlideVideo {
        motion: Some("ken-burns".to_owned()),
        ..remix_engine::request::SlideVideo::default()
    });
    let container = engine(2).render(&request, out.path()).expect("can be rendered").remove(0);
    assert_eq!(container.preview.kind, "slideshow");
    assert_eq!(container.preview.image_urls.len(), 6);
    let folder = out.path().join("cnt_slides");
    assert_eq!(fs::read(folder.join("thumbnail.jpg")).ok(), fs::read(folder.join("slide-01.jpg")).ok());
    let video = container.assets.iter().find(|asset| asset.url == "video.mp4").expect("is there");
    assert_eq!((video.frames, video.duration), (Some(480), Some(16.0)));
    // In the first frame the camera sees all of the picture; the fourth slide stands still.
    for (frame, slide) in [(0, 1), (270, 4)] {
        let left = format!("select=eq(n\\,{frame}),format=yuv420p");
        let right = "format=rgb24,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";
        let ssim =
            support::ssim((&folder.join("video.mp4"), &left), (&folder.join(format!("slide-{slide:02}.jpg")), right));
        assert!(ssim[0] > 0.97, "frame {frame} and slide {slide}: {ssim:?}");
    }
    let levels = sound(&folder.join("video.mp4"));
    assert!(levels[48_000..96_000].iter().any(|frame| frame[0].abs() > 0.05), "the music plays");
}

#[test]
fn the_same_bytes_with_one_and_two_threads_and_unit_by_unit() {
    let picture = png(|x, y| [(x / 5) as u8, (y / 8) as u8, 90]);
    let make =
        || project(&[&picture, &picture, &picture], json!({ "slideDuration": 1, "transition": { "duration": 0.3 } }));
    let (one, two) = (make(), make());
    for (project, threads) in [(&one, 1), (&two, 2)] {
        engine(threads).render(&project.request(), &project.out()).expect("can be rendered");
    }
    let read = |project: &Project| fs::read(project.out().join("cnt_slides/video.mp4")).expect("is there");
    assert!(read(&one) == read(&two));

    let (engine, control, folder) = (engine(2), Control::new(), tempfile::tempdir().expect("a folder"));
    let plan = plan(&one);
    let json = serde_json::to_vec(&plan).expect("is JSON");
    assert!(serde_json::from_slice::<Plan>(&json).expect("can be read back") == plan);
    let store = ChunkStore::open(folder.path().join("store")).expect("can be made");
    for unit in (0..plan.units()).rev() {
        engine.render_chunk(&plan, unit, &store, &control).expect("can be rendered");
    }
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("nothing is left to do");
    assert_eq!((visuals.chunks_rendered, visuals.chunks_reused), (0, plan.units() as u64));
    let assembled = folder.path().join("assembled");
    let assembly = engine.assemble(&plan, &store, &assembled, &control).expect("can be assembled");
    let out = folder.path().join("out");
    engine.finalize(&plan, &visuals, &assembly, &assembled, &out, &control).expect("can be finished");
    assert!(fs::read(out.join("cnt_slides/video.mp4")).expect("is there") == read(&one));
    assert!(!assembled.exists());
}

#[test]
fn a_slide_that_stands_still_costs_almost_nothing() {
    let noisy = png(|x, y| {
        let noise = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 26;
        [(60 + noise) as u8, (90 + noise) as u8, (120 + noise) as u8]
    });
    let size = |motion: &str| {
        let project = project(
            &[&noisy, &noisy],
            json!({ "slideDuration": 6, "motion": motion, "transition": { "name": "cut" } }),
        )
        .with("/output/preset", "draft".into());
        fs::metadata(render(&project)).expect("is there").len()
    };
    let (still, moving) = (size("none"), size("ken-burns"));
    assert!(still * 5 < moving, "{still} bytes for standing still, {moving} for moving");
}

#[test]
fn slides_can_be_fitted_to_the_music() {
    let base = || {
        let project = two(json!({ "fitToMusic": true, "transition": { "name": "dissolve", "duration": 0.4 } }))
            .with("/music", json!([{ "id": "trk", "src": "m.wav" }]));
        project.put("m.wav", &support::track(7.0));
        project
    };
    let plan_of = |project: &Project| plan(project);
    let plan = plan_of(&base());
    assert_eq!(plan.frames(), 210);
    let lengths: Vec<u64> = plan.scenes().iter().map(|scene| scene.frames.len()).collect();
    assert_eq!(lengths, [111, 111], "and the overlap of twelve frames is counted twice");
    // Durations of their own are proportions.
    let plan = plan_of(&base().with("/slides/0/duration", json!(1)).with("/slides/1/duration", json!(2)));
    let lengths: Vec<u64> = plan.scenes().iter().map(|scene| scene.frames.len()).collect();
    assert_eq!((plan.frames(), lengths), (210, vec![74, 148]));
    let short = base();
    short.put("m.wav", &support::track(0.8));
    let error = engine(1).plan(&short.request(), &Control::new()).expect_err("too short");
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/slideVideo/fitToMusic")));
}

#[test]
fn wrong_options_are_told_all_at_once() {
    let project = two(json!({
        "slideDuration": 60, "fitToMusic": true, "motion": "shake", "motionAmount": 2,
        "transition": { "name": "star", "direction": "north", "easing": "bounce", "duration": 9 },
    }))
    .with("/slides/1/duration", json!(0))
    .with("/output/slideSize", json!("1080x1350"));
    let error = engine(1).render(&project.request(), &project.out()).expect_err("is refused");
    let pointers: Vec<_> = error.findings().iter().map(|finding| finding.pointer.as_str()).collect();
    for expected in [
        "/slideVideo",
        "/slideVideo/slideDuration",
        "/slideVideo/fitToMusic",
        "/slideVideo/motion",
        "/slideVideo/motionAmount",
        "/slideVideo/transition/name",
        "/slideVideo/transition/direction",
        "/slideVideo/transition/easing",
        "/slideVideo/transition/duration",
        "/slides/1/duration",
    ] {
        assert!(pointers.contains(&expected), "{expected} in {pointers:?}");
    }
    assert!(left_in(&project.out()).is_empty());
    let long = two(json!({ "slideDuration": 1, "transition": { "duration": 0.8 } }));
    let error = engine(1).render(&long.request(), &long.out()).expect_err("longer than half of a slide");
    assert_eq!(error.findings()[0].pointer, "/slideVideo/transition/duration");
}
