//! Slides: what is on them, that they are what platforms take, and what is refused.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageEncoder as _, RgbImage, Rgba, RgbaImage};
use remix_engine::output::Container;
use remix_engine::request::Request;
use remix_engine::{Control, Error, Stage};
use serde_json::{Value, json};
use support::{Project, engine, ffmpeg, ffprobe, left_in};

/// A project with these slides and media files of the same names.
fn project(slides: Value, media: &[(&str, &[u8])]) -> Project {
    let rows: Vec<_> = media.iter().map(|(name, _)| json!({ "id": name, "mediaRole": "image", "src": name })).collect();
    let project = Project::blank(json!({
        "id": "cnt_slides", "format": "slideshow-builder", "influencerId": "inf_ada",
        "app": { "name": "Mindful", "description": "A habit tracker." },
        "media": rows, "slides": slides,
    }));
    media.iter().for_each(|(name, bytes)| project.write(name, bytes));
    project
}

fn render(project: &Project) -> Container {
    let made = engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    made.into_iter().next().expect("one container")
}

fn slide(project: &Project, number: usize) -> RgbImage {
    let file = project.out().join(format!("cnt_slides/slide-{number:02}.jpg"));
    image::load_from_memory(&ffmpeg(&file, "-i FILE -f image2pipe -c:v png -pix_fmt rgb24 -")).expect("a PNG").to_rgb8()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("can be encoded");
    bytes.into_inner()
}

/// The mean colour around a point.
fn colour(picture: &RgbImage, x: u32, y: u32) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for dy in 0..9 {
        for dx in 0..9 {
            let pixel = picture.get_pixel(x + dx - 4, y + dy - 4);
            sum.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += f64::from(value) / 81.0);
        }
    }
    sum
}

fn near(found: [f64; 3], meant: [u8; 3], by: f64) -> bool {
    found.iter().zip(meant).all(|(found, meant)| (found - f64::from(meant)).abs() <= by)
}

fn refused(project: &Project) -> Error {
    let error = match project.read() {
        Ok(request) => engine(2).render(&request, &project.out()).expect_err("is refused"),
        Err(error) => error,
    };
    let left = left_in(&project.out());
    assert!(left.is_empty(), "{error:?}\nleft {left:?}");
    error
}

/// Two slides of one colour each, to have a set with one slide more.
fn with_another(slide: Value) -> Value {
    json!([slide, { "text": "another" }])
}

// The fixture.

/// The fixture without its video.
fn fixture() -> Request {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slideshow-builder");
    let request = Request::from_path(&folder).expect("can be read");
    Request { slide_video: None, ..request }
}

#[test]
fn the_fixture_makes_slides_that_platforms_take() {
    let out = tempfile::tempdir().expect("a folder");
    let made = engine(2).render(&fixture(), out.path()).expect("can be rendered");
    let container = &made[0];
    let folder = out.path().join("cnt_slides");
    let names: Vec<String> = (1..=6).map(|number| format!("slide-{number:02}.jpg")).collect();
    assert_eq!(container.preview.kind, "slideshow");
    assert_eq!(container.preview.image_urls, names);
    assert_eq!(
        (container.preview.primary_url.as_str(), container.preview.aspect_ratio.as_str()),
        (names[0].as_str(), "9:16")
    );
    assert_eq!(container.preview.thumbnail_url, "thumbnail.jpg");
    assert_eq!(fs::read(folder.join("thumbnail.jpg")).ok(), fs::read(folder.join(&names[0])).ok());
    let roles: Vec<_> = container.report.picks.iter().map(|pick| pick.id.as_str()).collect();
    assert_eq!(roles, ["med_morning", "med_today", "med_progress", "med_checkin", "med_evening"]);
    assert!(!folder.join("video.mp4").exists());
    for name in &names {
        let file = folder.join(name);
        let stream =
            ffprobe(&file, "-show_entries stream=codec_name,profile,width,height,pix_fmt,color_space:stream_side_data")
                ["streams"][0]
                .clone();
        assert_eq!(
            (&stream["profile"], &stream["width"], &stream["height"]),
            (&json!("Baseline"), &json!(1080), &json!(1920))
        );
        assert!(stream.get("side_data_list").is_none(), "no orientation: {stream}");
        let bytes = fs::read(&file).expect("is there");
        assert!(bytes.len() < 8 << 20);
        let has = |tag: &[u8]| bytes.windows(tag.len()).any(|window| window == tag);
        assert!(!has(b"Exif") && !has(b"ICC_PROFILE") && !has(b"http://ns.adobe.com"), "no metadata");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes_with_one_and_two_threads() {
    let render = |threads: usize| {
        let out = tempfile::tempdir().expect("a folder");
        engine(threads).render(&fixture(), out.path()).expect("can be rendered");
        let read =
            |number: usize| fs::read(out.path().join(format!("cnt_slides/slide-{number:02}.jpg"))).expect("is there");
        (1..=6).map(read).collect::<Vec<_>>()
    };
    let one = render(1);
    assert!(one == render(2) && one == render(1));
}

#[test]
fn the_stages_can_be_driven_one_by_one() {
    let (engine, control, folder) = (engine(2), Control::new(), tempfile::tempdir().expect("a folder"));
    let plan = engine.plan(&fixture(), &control).expect("can be planned").remove(0);
    let json = serde_json::to_vec(&plan).expect("is JSON");
    let plan: remix_engine::plan::Plan = serde_json::from_slice(&json).expect("is the same plan");
    assert_eq!((plan.units(), plan.slides().len(), plan.frames()), (6, 6, 0));
    let store = remix_engine::store::ChunkStore::open(folder.path().join("store")).expect("can be made");
    let assembled = folder.path().join("assembled");
    let error = engine.assemble(&plan, &store, &assembled, &control).expect_err("nothing is rendered");
    assert_eq!((error.code(), error.stage()), ("NOT_FOUND", Some(Stage::Assembling)));
    for unit in 0..3 {
        engine.render_chunk(&plan, unit, &store, &control).expect("can be rendered");
    }
    assert_eq!(engine.render_chunk(&plan, 6, &store, &control).expect_err("there are six").code(), "NOT_FOUND");
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("the rest can be rendered");
    assert_eq!((visuals.chunks_rendered, visuals.chunks_reused), (3, 3));
    // A damaged slide is noticed and rendered again.
    let slide = left_in(store.folder().expect("a local store")).remove(0);
    let mut bytes = fs::read(&slide).expect("is there");
    bytes[1000] ^= 1;
    fs::write(&slide, bytes).expect("can be written");
    let visuals = engine.generate_visuals(&plan, &store, &control).expect("one is rendered again");
    assert_eq!((visuals.chunks_rendered, visuals.chunks_reused), (1, 5));
    let assembly = engine.assemble(&plan, &store, &assembled, &control).expect("can be assembled");
    let out = folder.path().join("out");
    let made = engine.finalize(&plan, &visuals, &assembly, &assembled, &out, &control).expect("can be finished");
    assert_eq!(made.assets.len(), 7);
    assert!(!assembled.exists(), "it was taken over");
    assert_eq!(left_in(&out.join("cnt_slides")).len(), 8);
}

#[test]
fn variants_open_with_other_pictures() {
    let mut request = fixture();
    request.variant_count = Some(3);
    let plans = engine(2).plan(&request, &Control::new()).expect("can be planned");
    let keys: Vec<_> = plans.iter().map(|plan| plan.slides()[0].key.clone()).collect();
    assert_eq!(plans.len(), 3);
    assert!(keys[0] != keys[1], "{keys:?}");
}

// What is on a slide.

/// Four fields: red, green, blue, and white.
fn fields(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => [200, 40, 40],
            (false, true) => [40, 160, 60],
            (true, false) => [50, 60, 200],
            (false, false) => [240, 240, 240],
        })
    })
}

#[test]
fn pictures_are_fitted_as_asked() {
    let wide = png(&fields(1600, 900).into());
    let slides = json!([
        { "media": "wide.png", "fit": "cover", "focus": { "x": 0.0, "y": 0.5 } },
        { "media": "wide.png", "fit": "contain" },
        { "media": "wide.png", "fit": "blur" },
        { "media": "wide.png", "fit": "card", "text": "Four colours" },
    ]);
    let project = project(slides, &[("wide.png", &wide)]);
    render(&project);
    let cover = slide(&project, 1);
    assert!(near(colour(&cover, 40, 100), [200, 40, 40], 3.0) && near(colour(&cover, 1040, 100), [200, 40, 40], 3.0));
    assert!(near(colour(&cover, 40, 1800), [50, 60, 200], 3.0), "focus at the left edge");
    // 1080 x 608 in the middle: rows 656 to 1264.
    let contain = slide(&project, 2);
    assert!(
        near(colour(&contain, 100, 700), [200, 40, 40], 3.0) && near(colour(&contain, 980, 1200), [240, 240, 240], 3.0)
    );
    let ground = colour(&contain, 100, 640);
    assert!(!near(ground, [200, 40, 40], 60.0), "above it is the ground: {ground:?}");
    let blur = slide(&project, 3);
    assert!(near(colour(&blur, 100, 700), [200, 40, 40], 3.0));
    let above = colour(&blur, 100, 500);
    assert!(above[0] > above[1] + 40.0, "above it is its own blurred red: {above:?}");
    let middle: Vec<f64> = (0..60).map(|step| colour(&blur, 240 + step * 10, 300)[0]).collect();
    assert!(middle.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 16.0), "no edge is left: {middle:?}");
    let card = slide(&project, 4);
    let rows: Vec<u32> =
        (0..1920).filter(|&y| near(card.get_pixel(300, y).0.map(f64::from), [200, 40, 40], 6.0)).collect();
    assert!(rows.len() > 150 && rows[0] > 500, "the card stands below its text: {:?}", rows.first());
}

#[test]
fn orientation_and_profile_of_a_picture_are_honoured() {
    let mut sideways = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut sideways, 95);
    // Orientation 6: shown turned by 90 degrees clockwise, so that its left bottom field comes to the left top.
    let exif = b"II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00";
    encoder.add_exif_metadata(exif).expect("is taken");
    encoder.encode(&fields(1920, 1080), 1920, 1080, jpeg_encoder::ColorType::Rgb).expect("can be encoded");
    let profile = moxcms::ColorProfile::new_display_p3();
    let mut wide = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut wide);
    encoder.set_icc_profile(profile.encode().expect("can be encoded")).expect("is taken");
    let pixels = RgbImage::from_pixel(1080, 1920, image::Rgb([200, 100, 50]));
    encoder.write_image(&pixels, 1080, 1920, image::ExtendedColorType::Rgb8).expect("can be encoded");
    let slides = json!([{ "media": "sideways.jpg" }, { "media": "wide.png" }]);
    let project = project(slides, &[("sideways.jpg", &sideways), ("wide.png", &wide)]);
    let container = render(&project);
    let turned = slide(&project, 1);
    assert!(near(colour(&turned, 100, 100), [50, 60, 200], 4.0), "{:?}", colour(&turned, 100, 100));
    assert!(
        near(colour(&turned, 980, 100), [200, 40, 40], 4.0) && near(colour(&turned, 100, 1800), [240, 240, 240], 4.0)
    );
    // Display P3 (200, 100, 50) is sRGB (215, 93, 31): SMPTE EG 432-1 and IEC 61966-2-1.
    let found = colour(&slide(&project, 2), 500, 900);
    assert!(near(found, [215, 93, 31], 2.0), "{found:?}");
    let told: Vec<_> = container.report.sources.iter().flat_map(|source| &source.corrections).collect();
    assert!(told.iter().any(|told| told.contains("orientation 6")), "{told:?}");
}

#[test]
fn transparent_pictures_show_the_ground_and_leave_no_fringe() {
    let picture =
        RgbaImage::from_fn(1080, 1920, |x, _| if x < 540 { Rgba([255, 255, 255, 0]) } else { Rgba([10, 10, 10, 255]) });
    let slides = json!([{ "media": "half.png", "fit": "contain" }, { "text": "another" }]);
    let project = project(slides, &[("half.png", &png(&picture.into()))]);
    render(&project);
    let (half, plain) = (slide(&project, 1), slide(&project, 2));
    let (seen, ground) = (colour(&half, 100, 200), colour(&plain, 100, 200));
    assert!(seen.iter().zip(ground).all(|(a, b)| (a - b).abs() < 2.0), "{seen:?} {ground:?}");
    let brightest = (520..560).map(|x| half.get_pixel(x, 1700).0[0]).max();
    let around = half.get_pixel(500, 1700).0[0];
    assert!(brightest <= Some(around + 12), "{brightest:?} beside {around}");
}

/// The share of pixels of a band that are nearly white.
fn white(picture: &RgbImage, rows: std::ops::Range<u32>) -> f64 {
    let count = rows.len() as f64 * f64::from(picture.width());
    rows.flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
        .filter(|&(x, y)| picture.get_pixel(x, y).0.iter().all(|&value| value > 235))
        .count() as f64
        / count
}

#[test]
fn letters_can_be_read_on_every_picture() {
    let bright = png(&RgbImage::from_pixel(1080, 1920, image::Rgb([250, 250, 250])).into());
    let dark = png(&RgbImage::from_pixel(1080, 1920, image::Rgb([20, 20, 30])).into());
    let slides = json!([
        { "media": "bright.png", "text": "White on white is not read by anyone" },
        { "media": "dark.png", "text": "White on white is not read by anyone" },
        { "media": "bright.png", "text": "At the bottom", "position": "bottom" },
    ]);
    let project = project(slides, &[("bright.png", &bright), ("dark.png", &dark)]);
    render(&project);
    for (number, rows) in [(1, 700..1000), (2, 700..1000)] {
        let share = white(&slide(&project, number), rows);
        assert!((0.02..0.3).contains(&share), "slide {number}: {share} of the text's band is white");
    }
    let shaded = colour(&slide(&project, 1), 60, 900);
    let light = |value: f64| ((value / 255.0 + 0.055) / 1.055).powf(2.4);
    assert!(1.05 / (light(shaded[0]) + 0.05) > 4.4, "the ground has a contrast of 4.5 to white: {shaded:?}");
    assert!(near(colour(&slide(&project, 2), 60, 900), [20, 20, 30], 2.0), "what is dark stays as it is");
    assert!(colour(&slide(&project, 3), 60, 60)[0] > 200.0, "far from the text it stays bright");
}

#[test]
fn a_bright_brand_gets_dark_letters() {
    let slides = json!([{ "text": "Sunny" }, { "text": "Sunny too" }]);
    let project = project(slides, &[]).with("/app/colors", json!(["#ffd23f"]));
    render(&project);
    let picture = slide(&project, 1);
    let dark = picture.pixels().filter(|pixel| pixel.0.iter().all(|&value| value < 40)).count();
    assert!(dark > 2_000, "{dark} dark pixels");
    assert!(near(colour(&picture, 40, 8), [255, 210, 63], 3.0));
}

#[test]
fn slides_for_feeds_are_4_to_5() {
    let slides = json!([{ "text": "One" }, { "text": "Two" }]);
    let project = project(slides, &[]).with("/output", json!({ "slideSize": "1080x1350" }));
    let container = render(&project);
    assert_eq!(container.preview.aspect_ratio, "4:5");
    assert_eq!(slide(&project, 1).dimensions(), (1080, 1350));
}

#[test]
fn frames_of_clips_are_slides_too() {
    let clip = support::clip(
        "mp4",
        "-f lavfi -i color=black:size=270x480:rate=30:duration=4,geq=lum=16+50*floor(T):cb=128:cr=128 \
         -c:v libx264 -preset ultrafast -crf 8 -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709",
    );
    let clip = fs::read(clip).expect("can be read");
    let slides = json!([{ "media": "clip.mp4", "at": 2.5 }, { "media": "clip.mp4" }, { "media": "clip.mp4" }, { "media": "clip.mp4", "at": 99 }]);
    let project = project(slides, &[("clip.mp4", &clip)]);
    render(&project);
    let grey = |number: usize| colour(&slide(&project, number), 500, 900)[0];
    // Limited range: (50 n) * 255 / 219.
    let level = |second: f64| 50.0 * second * 255.0 / 219.0;
    // Of four uses the second and third show the middles of the second and third quarter.
    for (number, second) in [(1, 2.0), (2, 1.0), (3, 2.0), (4, 3.0)] {
        assert!((grey(number) - level(second)).abs() < 3.0, "slide {number}: {} for {}", grey(number), level(second));
    }
}

// slideshow-remix.

/// A project of source slides with other words.
fn remix(slides: Value, source: &[(&str, &[u8])]) -> Project {
    let rows: Vec<_> = source.iter().map(|(name, _)| json!({ "id": name, "src": name })).collect();
    let project = Project::blank(json!({
        "id": "cnt_slides", "format": "slideshow_remix", "influencerId": "inf_ada", "performer": "none",
        "source": { "slides": rows }, "slides": slides,
    }));
    source.iter().for_each(|(name, bytes)| project.write(name, bytes));
    project
}

/// A slope of colours with old words, which are bars, in the upper third.
fn with_old_words(old: bool) -> RgbImage {
    RgbImage::from_fn(540, 960, |x, y| {
        let is_word = old && (100..440).contains(&x) && (200..300).contains(&y) && y / 20 % 2 == 0;
        let slope = |from: u32, to: u32, at: u32, whole: u32| (from * (whole - at) / whole + to * at / whole) as u8;
        image::Rgb(if is_word {
            [255; 3]
        } else {
            [slope(90, 40, y, 960), slope(60, 110, x, 540), slope(60, 120, y, 960)]
        })
    })
}

#[test]
fn old_words_are_taken_out_and_new_ones_stand_in_their_place() {
    let (old, clean) = (png(&with_old_words(true).into()), png(&with_old_words(false).into()));
    let region = json!({ "x": 0.15, "y": 0.19, "width": 0.7, "height": 0.14 });
    let slides = json!([
        { "sourceSlide": "old.png", "region": region },
        { "sourceSlide": "clean.png" },
        { "sourceSlide": "old.png", "region": region, "removal": "cover", "text": "New words" },
        { "sourceSlide": "old.png", "region": region, "text": "New words" },
    ]);
    let project = remix(slides, &[("old.png", &old), ("clean.png", &clean)]);
    let container = render(&project);
    assert_eq!(container.preview.kind, "slideshow");
    let (filled, clean) = (slide(&project, 1), slide(&project, 2));
    let worst = filled.pixels().zip(clean.pixels()).flat_map(|(a, b)| (0..3).map(|c| a.0[c].abs_diff(b.0[c]))).max();
    assert!(worst <= Some(14), "no trace of the old words: off by {worst:?}");
    let covered = slide(&project, 3);
    assert!(near(colour(&covered, 200, 420), [16, 16, 20], 4.0), "a box: {:?}", colour(&covered, 200, 420));
    for number in [3, 4] {
        // The region's middle is at 499 of 1920.
        let picture = slide(&project, number);
        assert!(white(&picture, 430..570) > 0.02, "slide {number}: new words stand there");
        assert!(white(&picture, 900..1900) < 0.001, "slide {number}: and nowhere else");
    }
}

#[test]
fn a_remix_says_what_it_lacks() {
    let picture = png(&fields(100, 100).into());
    let slides = json!([
        { "text": "fine" },
        { "text": "the source has one slide only" },
        { "sourceSlide": "nowhere", "text": "x" },
        { "sourceSlide": "a.png", "region": { "x": 0.9, "y": 0, "width": 0.2, "height": 1 }, "removal": "magic" },
        { "sourceSlide": "a.png", "removal": "fill", "fit": "cover" },
        { "sourceSlide": "a.png", "region": { "x": 0, "y": 0, "width": 0.2, "height": 1 }, "removal": "crop" },
    ]);
    let error = refused(&remix(slides, &[("a.png", &picture)]));
    let expected = [
        ("NOT_FOUND", "/slides/1"),
        ("NOT_FOUND", "/slides/2/sourceSlide"),
        ("VALIDATION", "/slides/3/removal"),
        ("VALIDATION", "/slides/3/region"),
        ("VALIDATION", "/slides/4/fit"),
        ("VALIDATION", "/slides/5/removal"),
    ];
    assert_eq!(codes(&error), expected);
    let nothing = refused(&remix(json!([]), &[]));
    assert_eq!(codes(&nothing), [("VALIDATION", "/source/slides"), ("LIMIT_EXCEEDED", "/slides")]);
    let builder =
        project(json!([{ "text": "x", "region": { "x": 0, "y": 0, "width": 1, "height": 1 } }, { "text": "y" }]), &[]);
    assert_eq!(codes(&refused(&builder)), [("VALIDATION", "/slides/0/region")]);
}

// The contact sheet.

#[test]
fn a_contact_sheet_shows_slides_and_frames() {
    let project = project(json!([{ "text": "One" }, { "text": "Two" }, { "text": "Three" }]), &[]);
    render(&project);
    let (engine, control) = (engine(1), Control::new());
    let folder = project.out().join("cnt_slides");
    let sheet = engine.sheet(&folder, 15, &control).expect("can be made");
    // Three cells of 180x320 with their numbers below.
    assert_eq!((sheet.width, sheet.height), (3 * 196 + 16, 320 + 40 + 16 + 16));
    assert_eq!(sheet.rgb.len(), sheet.width as usize * sheet.height as usize * 3);
    let clip = support::moving(1.0, 3);
    let sheet = engine.sheet(&clip, 7, &control).expect("can be made");
    let picture = RgbImage::from_raw(sheet.width, sheet.height, sheet.rgb).expect("its size");
    let cell = |number: u32| {
        let (across, down) = ((sheet.width - 16) / 5, (sheet.height - 16) / 2);
        let (x, y) = (16 + number % 5 * across, 16 + number / 5 * down);
        image::imageops::crop_imm(&picture, x, y, across - 16, down - 16).to_image()
    };
    assert!(cell(0) != cell(6), "frames of different times");
    assert!(cell(0).pixels().any(|pixel| pixel.0.iter().all(|&value| value > 200)), "with a label");
    let error = engine.sheet(&project.folder(), 15, &control).expect_err("no result");
    assert_eq!(error.code(), "NOT_FOUND");
    assert_eq!(engine.sheet(&clip, 0, &control).expect_err("no frames").code(), "VALIDATION");
}

// What is refused.

fn codes(error: &Error) -> Vec<(&'static str, &str)> {
    error.findings().iter().map(|finding| (finding.code.code(), finding.pointer.as_str())).collect()
}

#[test]
fn an_app_without_name_and_description() {
    let nothing = project(json!([{ "text": "One" }, { "text": "Two" }]), &[]).with("/app", Value::Null);
    let expected = [("MISSING_APP_NAME", "/app/name"), ("MISSING_APP_DESCRIPTION", "/app/description")];
    assert_eq!(codes(&refused(&nothing)), expected);
    let blank = project(json!([{ "text": "One" }, { "text": "Two" }]), &[]).with("/app", json!({ "name": " " }));
    assert_eq!(codes(&refused(&blank)), expected);
}

#[test]
fn too_few_and_too_many_slides() {
    for count in [0, 1, 36] {
        let slides: Vec<_> = (0..count).map(|number| json!({ "text": format!("{number}") })).collect();
        let error = refused(&project(json!(slides), &[]));
        assert_eq!(codes(&error), [("LIMIT_EXCEEDED", "/slides")], "{count}");
    }
    let points: Vec<_> = (0..34).map(|number| format!("{number}")).collect();
    let many =
        project(Value::Null, &[]).with("/slides", Value::Null).with("/brief", json!({ "valuePropositions": points }));
    assert_eq!(codes(&refused(&many)), [("LIMIT_EXCEEDED", "/brief/valuePropositions")]);
    let most: Vec<_> = (0..35).map(|number| json!({ "text": format!("{number}") })).collect();
    assert_eq!(render(&project(json!(most), &[])).preview.image_urls.len(), 35);
}

#[test]
fn every_finding_names_its_slide() {
    let slides = json!([
        { "text": "fine" },
        {},
        { "text": "  " },
        { "text": "x", "fit": "stretch", "position": "left" },
        { "media": "nowhere" },
        { "text": "x", "at": -1, "focus": { "x": 2, "y": 0 } },
    ]);
    let error = refused(&project(slides, &[]));
    let expected = [
        ("VALIDATION", "/slides/1"),
        ("VALIDATION", "/slides/2"),
        ("VALIDATION", "/slides/3/fit"),
        ("VALIDATION", "/slides/3/position"),
        ("NOT_FOUND", "/slides/4/media"),
        ("VALIDATION", "/slides/5/focus"),
        ("VALIDATION", "/slides/5/at"),
    ];
    assert_eq!(codes(&error), expected);
    assert!(error.findings().iter().all(|finding| finding.message.starts_with("slide ")), "{error:?}");
    let unknown = refused(&project(json!([{ "txt": "x", "text": "y" }, { "text": "z" }]), &[]));
    assert_eq!(codes(&unknown), [("VALIDATION", "/slides/0/txt")]);
    assert!(unknown.findings()[0].suggestion.as_deref().is_some_and(|words| words.contains("`text`")), "{unknown:?}");
}

#[test]
fn a_text_that_does_not_fit_names_its_slide() {
    let long = "incomprehensibilities ".repeat(80);
    let error = refused(&project(json!([{ "text": "fine" }, { "text": long }]), &[]));
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/slides/1/text")));
    assert!(error.report().contains("slide 2"), "{}", error.report());
}

#[test]
fn variants_of_given_slides_would_be_all_the_same() {
    let two = project(json!([{ "text": "One" }, { "text": "Two" }]), &[]).with("/variantCount", json!(2));
    assert_eq!(codes(&refused(&two)), [("VALIDATION", "/variantCount")]);
}

/// A PNG whose header alone is there.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes().into_iter().chain(height.to_be_bytes()));
    bytes.extend([8, 2, 0, 0, 0]);
    let crc = bytes[12..].iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    bytes.extend((!crc).to_be_bytes());
    bytes
}

#[test]
fn damaged_pictures_and_bombs() {
    let whole = png(&fields(400, 400).into());
    let gif = [
        b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0".as_slice(),
        &[2, 2, 0x4c, 1, 0, 0x3b],
    ];
    let cases: [(&str, Vec<u8>, &[&str]); 6] = [
        ("text.png", b"this is no picture".to_vec(), &["SOURCE_UNSUPPORTED"]),
        ("empty.png", Vec::new(), &["SOURCE_EMPTY"]),
        ("cut.png", whole[..60].to_vec(), &["SOURCE_UNREADABLE", "SOURCE_EMPTY"]),
        ("bomb.png", png_of(65_536, 65_536), &["LIMIT_EXCEEDED"]),
        ("large.png", png_of(17_000, 17_000), &["LIMIT_EXCEEDED"]),
        ("bomb.gif", gif.concat(), &["LIMIT_EXCEEDED"]),
    ];
    for (name, bytes, expected) in cases {
        let error = refused(&project(with_another(json!({ "media": name })), &[(name, &bytes)]));
        assert!(expected.contains(&error.code()), "{name}: {error:?}");
        assert_eq!(error.pointer(), Some("/media/0/src"), "{name}");
        assert!(error.asset().is_some_and(|asset| asset.contains(name)), "{name}: {error:?}");
    }
}

#[test]
fn an_animation_is_shown_as_its_first_picture() {
    let gif = support::clip(
        "gif",
        "-f lavfi -i color=red:size=108x192:rate=10:duration=0.3 -f lavfi -i color=blue:size=108x192:rate=10:duration=2 \
         -filter_complex concat=n=2",
    );
    let gif = fs::read(gif).expect("can be read");
    let slides = json!([{ "media": "two.gif" }, { "media": "two.gif" }]);
    let project = project(slides, &[("two.gif", &gif)]);
    render(&project);
    for number in [1, 2] {
        let found = colour(&slide(&project, number), 500, 900);
        assert!(found[0] > 200.0 && found[2] < 60.0, "{found:?}");
    }
}

#[test]
fn a_picture_that_goes_away_is_told_with_its_slide() {
    let whole = png(&fields(400, 400).into());
    let project = project(with_another(json!({ "media": "gone.png" })), &[("gone.png", &whole)]);
    let (engine, control, folder) = (engine(2), Control::new(), tempfile::tempdir().expect("a folder"));
    let plan = engine.plan(&project.request(), &control).expect("can be planned").remove(0);
    fs::remove_file(project.folder().join("gone.png")).expect("can be removed");
    let store = remix_engine::store::ChunkStore::open(folder.path().join("store")).expect("can be made");
    let error = engine.generate_visuals(&plan, &store, &control).expect_err("it is gone");
    assert_eq!((error.code(), error.stage()), ("SOURCE_UNREADABLE", Some(Stage::GeneratingVisuals)));
}

#[test]
fn a_cancelled_job_leaves_nothing() {
    let control = Control::new();
    control.cancel().cancel();
    let out: PathBuf = tempfile::tempdir().expect("a folder").path().join("out");
    let error = engine(2).render_with(&fixture(), &out, &control).expect_err("is cancelled");
    assert_eq!(error.code(), "CANCELED");
    assert!(left_in(&out).is_empty());
}
