//! The whole fixture, rendered once with default settings, as ffprobe, ffmpeg and a reading of its boxes see it.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use remix_engine::formats::HookLook;
use remix_engine::output::{AssetKind, Container};
use remix_engine::plan::Plan;
use remix_engine::request::Request;
use remix_engine::text::{lay_out, rasterise};
use remix_engine::{Control, Engine};
use serde_json::{Value, json};
use support::{engine, ffmpeg, ffprobe, fixture, scratch, sound, ssim};

const FRAMES: u64 = 480;
/// The first frame of the app demo.
const SEAM: u64 = 120;

struct Rendered {
    engine: Engine,
    plan: Plan,
    container: Container,
    folder: PathBuf,
}

impl Rendered {
    fn video(&self) -> PathBuf {
        self.folder.join("video.mp4")
    }
}

fn rendered() -> &'static Rendered {
    static RENDERED: OnceLock<Rendered> = OnceLock::new();
    RENDERED.get_or_init(|| {
        let engine = engine(2);
        let request = Request::from_path(&fixture()).expect("the fixture can be read");
        let mut plans = engine.plan(&request, &Control::new()).expect("the fixture can be planned");
        let out = scratch("render");
        let mut containers = engine.render(&request, &out).expect("the fixture can be rendered");
        assert_eq!((plans.len(), containers.len()), (1, 1));
        let folder = out.join("cnt_demo");
        Rendered { engine, plan: plans.remove(0), container: containers.remove(0), folder }
    })
}

/// The video packets in decoding order, as ffprobe reads them.
fn packets() -> &'static [Value] {
    static PACKETS: OnceLock<Vec<Value>> = OnceLock::new();
    PACKETS.get_or_init(|| {
        let found = ffprobe(&rendered().video(), "-select_streams v:0 -show_packets");
        found["packets"].as_array().expect("a list").clone()
    })
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| unreachable!("{value} is no number"))
}

#[test]
fn ffprobe_sees_what_was_promised() {
    let found = ffprobe(&rendered().video(), "-count_frames -show_streams -show_format");
    assert_eq!(found["format"]["nb_streams"], 2);
    assert_eq!(found["format"]["duration"], "16.000000");
    let expect = |stream: &Value, fields: Value| {
        for (name, value) in fields.as_object().expect("an object") {
            assert_eq!(&stream[name], value, "{name}");
        }
    };
    expect(
        &found["streams"][0],
        json!({
            "codec_name": "h264", "profile": "High", "pix_fmt": "yuv420p", "width": 1080, "height": 1920,
            "sample_aspect_ratio": "1:1", "display_aspect_ratio": "9:16", "field_order": "progressive",
            "r_frame_rate": "30/1", "avg_frame_rate": "30/1", "nb_read_frames": "480", "nb_frames": "480",
            "duration": "16.000000", "start_pts": 0, "start_time": "0.000000",
            "color_range": "tv", "color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709",
        }),
    );
    expect(
        &found["streams"][1],
        json!({
            "codec_name": "aac", "profile": "LC", "sample_rate": "48000", "channels": 2, "channel_layout": "stereo",
            "duration": "16.000000", "start_pts": 0, "start_time": "0.000000",
        }),
    );
    let video = &rendered().container.assets[0];
    assert_eq!((video.frames, video.duration), (Some(FRAMES), Some(16.0)));
    assert_eq!(video.frame_rate.as_deref(), Some("30"));
}

#[test]
fn a_full_decode_has_no_error() {
    // The helper fails on anything that ffmpeg says.
    ffmpeg(&rendered().video(), "-i FILE -f null -");
}

#[test]
fn nothing_of_the_sources_or_the_tools_is_in_the_file() {
    let found = ffprobe(&rendered().video(), "-show_entries format_tags:stream_tags");
    let known = ["major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id"];
    for part in [&found["format"], &found["streams"][0], &found["streams"][1]] {
        let tags = part["tags"].as_object().expect("brands and handlers are tags");
        assert!(tags.keys().all(|tag| known.contains(&tag.as_str())), "{tags:?}");
    }
    let bytes = fs::read(rendered().video()).expect("is there");
    for trace in ["Lavf", "Lavc", "x264", "Small Habits"] {
        assert!(!bytes.windows(trace.len()).any(|window| window == trace.as_bytes()), "{trace} is in the file");
    }
}

/// The boxes of an MP4 file in their order, each by its path, such as `moov/trak/mdia`.
fn boxes(bytes: &[u8], parent: &str, found: &mut Vec<String>) {
    let mut rest = bytes;
    while rest.len() >= 8 {
        let size = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize;
        let kind = String::from_utf8_lossy(&rest[4..8]).into_owned();
        assert!((8..=rest.len()).contains(&size), "the box {parent}/{kind} has {size} bytes of {}", rest.len());
        let (this, next) = rest.split_at(size);
        // What lies before the first box inside: ISO/IEC 14496-12, 8.5.2 and 12.1.3 and 12.2.3.
        let head = match kind.as_str() {
            "moov" | "trak" | "edts" | "mdia" | "minf" | "dinf" | "stbl" | "udta" => Some(8),
            "stsd" => Some(16),
            "avc1" => Some(8 + 78),
            "mp4a" => Some(8 + 28),
            _ => None,
        };
        let path = if parent.is_empty() { kind } else { format!("{parent}/{kind}") };
        found.push(path.clone());
        if let Some(head) = head {
            boxes(&this[head..], &path, found);
        }
        rest = next;
    }
    assert!(rest.is_empty(), "{} bytes after the last box of {parent}", rest.len());
}

#[test]
fn the_boxes_are_those_of_a_file_for_streaming() {
    let bytes = fs::read(rendered().video()).expect("is there");
    let mut found = Vec::new();
    boxes(&bytes, "", &mut found);
    let place = |path: &str| found.iter().position(|found| found == path);
    assert_eq!(found[0], "ftyp");
    assert!(place("moov").expect("a moov") < place("mdat").expect("an mdat"), "moov comes first");
    assert_eq!(found.iter().filter(|path| *path == "moov/trak").count(), 2);
    assert!(place("moov/trak/mdia/minf/stbl/stsd/avc1/colr").is_some(), "colours are tagged in the container");
    assert!(place("moov/trak/mdia/minf/stbl/stsd/avc1/avcC").is_some(), "headers are out of band");
    assert!(!found.iter().any(|path| path.contains("edts")), "both tracks start at 0 without an edit list");
    assert!(!found.iter().any(|path| path.contains("moof")), "not fragmented");
}

#[test]
fn pictures_come_at_a_constant_rate() {
    let base = ffprobe(&rendered().video(), "-select_streams v:0 -show_entries stream=time_base");
    let base = base["streams"][0]["time_base"].as_str().expect("a fraction").to_owned();
    let den: i64 = base.strip_prefix("1/").expect("one part of a second").parse().expect("a number");
    assert_eq!(den % 30, 0, "frames are whole steps of 1/{den} s");
    let step = den / 30;

    let dts: Vec<i64> = packets().iter().map(|packet| number(&packet["dts"])).collect();
    assert!(dts.windows(2).all(|pair| pair[1] == pair[0] + step), "decoding times count up by one frame");
    let pts: Vec<i64> = packets().iter().map(|packet| number(&packet["pts"])).collect();
    assert!(pts.iter().zip(&dts).all(|(pts, dts)| pts >= dts));
    assert_ne!(pts, dts, "the fixture's default settings have B-frames");
    let sorted: Vec<i64> = pts.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(sorted, (0..FRAMES as i64).map(|frame| frame * step).collect::<Vec<_>>());
}

#[test]
fn every_chunk_starts_with_an_idr_picture_and_stands_alone() {
    let bytes = fs::read(rendered().video()).expect("is there");
    let pts: Vec<i64> = packets().iter().map(|packet| number(&packet["pts"])).collect();
    let step = number(&packets()[0]["duration"]);
    let starts: Vec<i64> = rendered().plan.chunks().iter().map(|chunk| chunk.frames.start.0 as i64).collect();
    assert!(starts.contains(&0) && starts.contains(&(SEAM as i64)), "{starts:?}");
    for (index, &start) in starts.iter().enumerate() {
        let at = start as usize;
        assert_eq!(pts[at], start * step, "decoding of chunk {index} starts with its first picture");
        assert!(packets()[at]["flags"].as_str().expect("flags").starts_with('K'), "a key picture at {start}");
        let (from, size) = (number(&packets()[at]["pos"]) as usize, number(&packets()[at]["size"]) as usize);
        assert!(nal_types(&bytes[from..from + size]).contains(&5), "an IDR picture at {start}");
        let end = starts.get(index + 1).copied().unwrap_or(FRAMES as i64);
        let mut own: Vec<i64> = pts[at..end as usize].to_vec();
        own.sort_unstable();
        assert_eq!(own, (start..end).map(|frame| frame * step).collect::<Vec<_>>(), "chunk {index} has its own frames");
    }
}

/// The types of the NAL units in an MP4 sample with four-byte lengths.
fn nal_types(mut sample: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let Some((length, rest)) = sample.split_first_chunk::<4>() {
        let (unit, next) = rest.split_at(u32::from_be_bytes(*length) as usize);
        types.push(unit[0] & 0x1f);
        sample = next;
    }
    types
}

#[test]
fn the_description_is_that_of_the_files() {
    let rendered = rendered();
    let mut names: Vec<_> = support::left_in(&rendered.folder);
    names.iter_mut().for_each(|path| *path = path.file_name().expect("a name").into());
    assert_eq!(names, ["container.json", "thumbnail.jpg", "video.mp4"].map(PathBuf::from));
    assert_eq!(support::left_in(rendered.folder.parent().expect("the output folder")), [&*rendered.folder]);

    let json = fs::read(rendered.folder.join("container.json")).expect("is there");
    let read: Container = serde_json::from_slice(&json).expect("can be read back");
    assert_eq!(read, rendered.container);
    let json: Value = serde_json::from_slice(&json).expect("is JSON");
    for (pointer, expected) in [
        ("/id", json!("cnt_demo")),
        ("/status", json!("completed")),
        ("/format", json!("ugc-remix")),
        ("/influencerId", json!("inf_ada")),
        ("/lastError", Value::Null),
        ("/preview/kind", json!("video")),
        ("/preview/primaryUrl", json!("video.mp4")),
        ("/preview/thumbnailUrl", json!("thumbnail.jpg")),
        ("/preview/aspectRatio", json!("9:16")),
        ("/report/picks/1", json!({ "role": "reaction", "id": "rt_surprised" })),
        ("/report/chunksReused", json!(0)),
        ("/report/damagedPictures", json!(0)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(json["hook"].as_str().expect("a hook").ends_with("mindset 🧠"));
    assert_eq!(rendered.container.report.chunks_rendered, rendered.plan.chunks().len() as u64);

    for asset in &rendered.container.assets {
        let bytes = fs::read(rendered.folder.join(&asset.url)).expect("is there");
        assert_eq!(asset.bytes, bytes.len() as u64, "{}", asset.url);
        assert_eq!(asset.blake3, blake3::hash(&bytes).to_hex().as_str(), "{}", asset.url);
        assert_eq!((asset.width, asset.height), (1080, 1920));
    }
    let source = blake3::hash(&fs::read(fixture().join("media/reaction.mp4")).expect("is there"));
    assert_eq!(rendered.container.report.sources[0].blake3, source.to_hex().as_str());
}

#[test]
fn the_thumbnail_is_a_picture_and_not_a_black_one() {
    let thumbnail = rendered().folder.join("thumbnail.jpg");
    let asset = &rendered().container.assets[1];
    assert_eq!(asset.kind, AssetKind::Thumbnail);
    let found = ffprobe(&thumbnail, "-show_streams");
    assert_eq!(found["streams"][0]["codec_name"], "mjpeg");
    assert_eq!((&found["streams"][0]["width"], &found["streams"][0]["height"]), (&json!(1080), &json!(1920)));
    let luma = ffmpeg(&thumbnail, "-i FILE -vf format=gray -f rawvideo -");
    assert_eq!(luma.len(), 1080 * 1920);
    let mean = luma.iter().map(|&value| f64::from(value)).sum::<f64>() / luma.len() as f64;
    let spread = luma.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / luma.len() as f64;
    assert!((40.0..220.0).contains(&mean), "mean {mean}");
    assert!(spread.sqrt() > 20.0, "deviation {}", spread.sqrt());
}

#[test]
fn the_reaction_shows_its_frames_with_the_hook_on_all_of_them() {
    let rendered = rendered();
    let hook = rendered.container.hook.as_deref().expect("a hook");
    let layout = lay_out(rendered.engine.fonts(), &HookLook::default().block(hook)).expect("can be set");
    let drawn = rasterise(rendered.engine.fonts(), &layout).expect("can be drawn").expect("has ink");
    let source = fixture().join("media/reaction.mp4");
    let shot = format!("trim=end_frame={SEAM}");
    let compare = |crop: String| {
        ssim((&rendered.video(), &format!("{shot},crop={crop}")), (&source, &format!("{shot},crop={crop}")))
    };

    let text = compare(format!("{}:{}:{}:{}", drawn.width & !1, drawn.height & !1, drawn.x & !1, drawn.y & !1));
    assert_eq!(text.len() as u64, SEAM);
    let (frame, most) = extreme(&text, f64::max);
    assert!(most < 0.8, "the hook covers a part of every frame, but frame {frame} is {most} like its source there");

    let below = drawn.y.cast_unsigned().next_multiple_of(2) + drawn.height.next_multiple_of(2);
    let rest = compare(format!("1080:{}:0:{below}", 1920 - below));
    let (frame, least) = extreme(&rest, f64::min);
    assert!(least >= 0.97, "below the hook, frame {frame} is only {least} like its source");
}

#[test]
fn the_app_demo_shows_every_second_frame_of_its_clip_cropped_to_cover() {
    let source = fixture().join("media/app-demo.mp4");
    // Every `step`th frame of the output in `shown`, against every second as many of the clip from `meant` on.
    let compare = |shown: Range<u64>, meant: u64, step: u64| {
        let end = meant + 2 * (shown.end - shown.start);
        let output = format!("trim=start_frame={}:end_frame={},select=not(mod(n\\,{step}))", shown.start, shown.end);
        let clip = format!("trim=start_frame={meant}:end_frame={end},select=not(mod(n\\,{}))", 2 * step);
        let cover = "crop=1170:2080:0:226,scale=1080:1920:flags=bicubic";
        ssim((&rendered().video(), &output), (&source, &format!("{clip},{cover}")))
    };
    let right = compare(SEAM..FRAMES, 0, 4);
    assert_eq!(right.len(), 90);
    let (at, least) = extreme(&right, f64::min);
    assert!(least >= 0.97, "frame {} is only {least} like its source", SEAM as usize + 4 * at);
    let last = compare(FRAMES - 3..FRAMES, 714, 1);
    assert_eq!(last.len(), 3);
    assert!(extreme(&last, f64::min).1 >= 0.97, "the last frames: {last:?}");

    // The first five seconds tell the right frame from its neighbours.
    let half = SEAM + 150;
    let later = compare(SEAM..half, 4, 4);
    let earlier = compare(SEAM + 4..half, 4, 4);
    assert_eq!((later.len(), earlier.len()), (38, 37));
    for (name, right, wrong) in [("later", &right[..38], &later), ("earlier", &right[1..38], &earlier)] {
        let pairs: Vec<_> = right.iter().zip(wrong.iter()).collect();
        assert!(pairs.iter().all(|(right, wrong)| *right > &(*wrong - 0.002)), "a frame four {name} fits better");
        let moving = pairs.iter().filter(|(right, wrong)| *right > &(*wrong + 0.005)).count();
        assert!(moving >= 10, "where things move the right frame is told from one four {name}: {moving} times");
    }
}

/// The place and value of the smallest or largest figure.
fn extreme(values: &[f64], pick: fn(f64, f64) -> f64) -> (usize, f64) {
    let value = values.iter().copied().reduce(pick).expect("frames were compared");
    (values.iter().position(|&other| other == value).unwrap_or(0), value)
}

#[test]
fn the_sound_is_as_long_as_the_picture_and_never_silent_or_clipped() {
    let heard = sound(&rendered().video());
    let expected = 16 * 48_000;
    assert!(heard.len().abs_diff(expected) <= 1600, "{} sample frames for {expected}", heard.len());
    for (second, part) in heard.chunks(48_000).enumerate() {
        let power = part.iter().map(|[left, right]| left * left + right * right).sum::<f32>() / (2 * part.len()) as f32;
        // The last second fades out.
        let least = if second < 15 { 0.003 } else { 0.0005 };
        assert!(power.sqrt() > least, "second {second} has the level {}", power.sqrt());
    }
    let peak = heard.iter().flatten().fold(0.0f32, |peak, value| peak.max(value.abs()));
    assert!(peak < 1.0, "peak {peak}");
    let end = &heard[expected - 480..expected.min(heard.len())];
    assert!(end.iter().flatten().all(|value| value.abs() < 0.05), "it ends faded out");
}
