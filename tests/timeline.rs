//! Timelines of the caller's own: what is seen and heard, and what is refused.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use image::{GenericImage as _, RgbImage, Rgba, RgbaImage};
use remix_engine::Control;
use remix_engine::plan::Plan;
use remix_engine::request::schema;
use serde_json::{Value, json};
use support::golden::assert_same;
use support::numbered::{numbered, numbers};
use support::{H264, Project, clip, engine, ffmpeg, fixture, moving, sound};

/// A project of these media, each with its file, and a timeline.
fn project(media: &[(&str, &Path)], timeline: Value) -> Project {
    let name = |id: &str, file: &Path| format!("{id}.{}", file.extension().expect("has one").display());
    let rows: Vec<_> = media.iter().map(|(id, file)| json!({ "id": id, "src": name(id, file) })).collect();
    let project = Project::blank(json!({
        "id": "cnt_test", "influencerId": "inf_ada", "media": rows, "timeline": timeline,
        "output": { "preset": "draft" },
    }));
    for (id, file) in media {
        project.put(&name(id, file), file);
    }
    project
}

fn plan(project: &Project) -> Plan {
    engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

fn render(project: &Project) -> PathBuf {
    engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    project.out().join("cnt_test/video.mp4")
}

/// Frames of a video side by side, an eighth as wide and high.
fn strip<const N: usize>(video: &Path, frames: [u64; N]) -> RgbImage {
    let mut strip = RgbImage::new(136 * N as u32, 240);
    for (place, number) in (0..).zip(frames) {
        let take = format!("select=eq(n\\,{number}),scale=136:240:flags=area,format=rgb24");
        let bytes = ffmpeg(video, &format!("-i FILE -an -vf {take} -frames:v 1 -f rawvideo -"));
        let frame = RgbImage::from_raw(136, 240, bytes).expect("a whole frame");
        strip.copy_from(&frame, place * 136, 0).expect("has room");
    }
    strip
}

/// Half a second of a clip of the fixture.
fn part_of(name: &str) -> PathBuf {
    let file = fixture().join("media").join(name);
    clip("mp4", &format!("-ss 1.5 -i {} -t 0.5 {H264} -crf 12 -c:a aac", file.display()))
}

/// A sticker: a red disc with a soft edge.
fn sticker(test: &str) -> PathBuf {
    let disc = RgbaImage::from_fn(200, 200, |x, y| {
        let far = (f64::from(x) - 99.5).hypot(f64::from(y) - 99.5);
        Rgba([230, 30, 50, ((96.0 - far) * 64.0).clamp(0.0, 255.0) as u8])
    });
    let file = support::scratch(&format!("sticker-{test}")).join("sticker.png");
    disc.save(&file).expect("is written");
    file
}

#[test]
fn the_schema_is_that_of_the_types() {
    let file = fixture().join("../request.schema.json");
    let now = serde_json::to_string_pretty(&schema()).expect("is JSON") + "\n";
    let kept = fs::read_to_string(&file).expect("is there");
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "update") {
        fs::write(&file, &now).expect("is written");
    }
    assert!(kept == now, "{} is not that of the types: run this test with GOLDEN=update", file.display());
    // What is refused when it is read is no part of it either.
    for name in ["Request", "TimelineRequest", "LayerRequest", "KeyframeRequest"] {
        let schema = schema();
        let object = if name == "Request" { &schema } else { &schema["$defs"][name] };
        assert_eq!(object["additionalProperties"], json!(false), "{name}");
        for (field, value) in object["properties"].as_object().expect("has fields") {
            let told = value["description"].is_string() || value["$ref"].is_string() || value["anyOf"].is_array();
            assert!(told, "{name} does not say what {field} is");
        }
    }
}

/// Everything at once: areas, corners, borders, a keyed clip, text, an end card, a sticker, a bar.
#[test]
fn timelines_look_as_they_did() {
    let (reaction, demo, sticker) = (part_of("reaction.mp4"), part_of("app-demo.mp4"), sticker("looks"));
    let media: [(&str, &Path); 3] = [("reaction", &reaction), ("demo", &demo), ("sticker", &sticker)];
    let timeline = json!({
        "shots": [
            {
                "background": "#203040", "duration": 0.6,
                "layers": [
                    { "media": "demo", "area": { "x": 60, "y": 200, "width": 700, "height": 1500 }, "radius": 60,
                      "border": { "color": "#ffd84a", "width": 10 }, "shadow": true },
                    { "media": "reaction", "area": { "x": 620, "y": 1100, "width": 400, "height": 400 }, "radius": 200,
                      "opacity": 0.8,
                      "keyframes": [
                          { "at": 0, "x": 500, "rotation": 0 },
                          { "at": 0.3, "x": 0, "rotation": -15, "easing": "ease-out" },
                          { "at": 0.5, "scale": 1.4, "opacity": 1 },
                      ] },
                ],
                "texts": [{ "text": "one text\nof the shot 🎬", "style": "highlight" }],
            },
            {
                "name": "end card", "background": "#ffd84a", "duration": 0.6,
                "transition": { "name": "wipe", "duration": 0.2 },
                "texts": [{ "text": "Try it", "position": "center", "style": "black-box" }],
            },
        ],
        "overlays": [
            { "layer": { "media": "sticker", "position": "top-right", "size": 0.2 }, "start": 0.2, "duration": 0.5 },
            { "bar": { "color": "#e61e32" } },
        ],
    });
    let made = project(&media, timeline);
    let described = plan(&made).describe();
    assert!(
        ["moves: 3 keyframes", "end card", "a bar of 1080x12"].iter().all(|part| described.contains(part)),
        "{described}"
    );
    let zooms = |motion: Value, frames: [u64; 4]| {
        let layer = json!({ "media": "demo", "motion": motion });
        let made = project(&media, json!({ "shots": [{ "duration": 0.5, "layers": [layer] }] }));
        strip(&render(&made), frames)
    };
    assert_same([
        ("timeline/everything", strip(&render(&made), [0, 7, 12, 14, 29])),
        (
            "timeline/zoom-in",
            zooms(json!({ "name": "zoom-in", "amount": 1, "focus": { "x": 1, "y": 0 } }), [0, 5, 10, 14]),
        ),
        ("timeline/zoom-out", zooms(json!({ "name": "zoom-out", "amount": 0.5 }), [0, 5, 10, 14])),
        ("timeline/punch-in", zooms(json!({ "name": "punch-in", "at": 0.2 }), [5, 7, 9, 14])),
    ]);
}

/// Trims and speeds, by the numbers in the pictures.
#[test]
fn clips_are_trimmed_and_run_at_their_speed() {
    let source = numbered("mp4", "30", 90, "", H264);
    let shown = |layer: Value, duration: Value| {
        let mut layer = layer;
        layer["media"] = json!("clip");
        let shot = match duration {
            Value::Null => json!({ "layers": [layer] }),
            duration => json!({ "layers": [layer], "duration": duration }),
        };
        let seen = numbers(&render(&project(&[("clip", &source)], json!({ "shots": [shot] }))));
        seen.into_iter().map(|number| number.expect("has a number")).collect::<Vec<_>>()
    };
    let every = |from: u16, step: f64, count: u16| -> Vec<u16> {
        (0..count).map(|frame| from + (f64::from(frame) * step + 1e-6).floor() as u16).collect()
    };
    let part = json!({ "trim": { "start": 1, "end": 2 } });
    assert_eq!(shown(part.clone(), Value::Null), every(30, 1.0, 30));
    assert_eq!(shown(part, json!(1.2)), [every(30, 1.0, 30), vec![59; 6]].concat(), "its last picture is held");
    let looped = json!({ "trim": { "start": 1, "end": 1.5 }, "loop": true });
    assert_eq!(shown(looped, json!(1)), every(30, 1.0, 15).repeat(2));
    assert_eq!(shown(json!({ "speed": 2 }), Value::Null), every(0, 2.0, 45));
    assert_eq!(shown(json!({ "speed": 0.5, "trim": { "end": 1 } }), Value::Null), every(0, 0.5, 60));
    assert_eq!(shown(json!({ "speed": 4, "trim": { "start": 2 } }), Value::Null), every(60, 4.0, 8));
}

/// A sound at another speed keeps its pitch and its place; what is muted is not heard.
#[test]
fn sounds_keep_their_pitch() {
    // A tone of 500 Hz from the second on.
    let tone = "sine=frequency=500:sample_rate=48000:duration=3,volume=volume=0:enable=lt(t\\,1)";
    let source = clip(
        "mp4",
        &format!("-f lavfi -i color=gray:size=270x480:rate=30:duration=3 -f lavfi -i {tone} {H264} -c:a aac"),
    );
    for (speed, from, to) in [(2.0, 0.5, 1.5), (0.5, 2.0, 6.0), (4.0, 0.25, 0.75), (0.25, 4.0, 12.0)] {
        let layer = json!({ "media": "clip", "speed": speed });
        let made = project(&[("clip", &source)], json!({ "shots": [{ "layers": [layer] }] }))
            .with("/audio", json!({ "loudness": "off" }));
        let samples = sound(&render(&made));
        assert!((samples.len() as f64 / 48_000.0 - to).abs() < 0.05, "{} at {speed}", samples.len());
        let level = |from: f64, to: f64| {
            let part = &samples[(from * 48_000.0) as usize..((to * 48_000.0) as usize).min(samples.len())];
            (part.iter().map(|frame| f64::from(frame[0]).powi(2)).sum::<f64>() / part.len() as f64).sqrt()
        };
        let before = level(0.0, from - 0.05 - 0.05 / speed);
        assert!(before < 0.002, "silence before it at {speed}: {before}");
        let onset = samples.iter().position(|frame| frame[0].abs() > 0.06).expect("is heard") as f64 / 48_000.0;
        // What is looked for is similar within 22 ms of the clip's own time; above double speed twice, the second time in
        // what is half as long.
        assert!(
            (onset - from).abs() < if speed > 2.0 { 0.065 } else { 0.03 } / speed,
            "the tone comes at {onset:.3} s at {speed}"
        );
        let heard = &samples[((from + 0.05) * 48_000.0) as usize..((to - 0.05) * 48_000.0) as usize];
        let rises = heard.windows(2).filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0).count();
        let pitch = rises as f64 / (heard.len() as f64 / 48_000.0);
        assert!((pitch - 500.0).abs() < 5.0, "{pitch} Hz at {speed}");
        let usual = 0.125 / 2f64.sqrt();
        assert!(
            (level(from + 0.05, to - 0.05) / usual - 1.0).abs() < 0.12,
            "{} at {speed}",
            level(from + 0.05, to - 0.05)
        );
    }
    let layer = json!({ "media": "clip", "muted": true });
    let muted = project(&[("clip", &source)], json!({ "shots": [{ "layers": [layer] }] }));
    assert!(sound(&render(&muted)).iter().all(|frame| frame[0].abs() < 1e-4));
}

#[test]
fn one_and_three_threads_give_the_same_bytes() {
    let (first, second, sticker) = (moving(3.0, 0), moving(3.0, 1), sticker("threads"));
    let media: [(&str, &Path); 3] = [("a", &first), ("b", &second), ("s", &sticker)];
    let made = project(
        &media,
        json!({
            "shots": [
                { "layers": [{ "media": "a", "speed": 0.7, "motion": { "name": "zoom-in" } }] },
                { "layers": [{ "media": "b" }], "transition": { "name": "push" } },
            ],
            "overlays": [
                { "layer": { "media": "s", "position": "bottom-left",
                             "keyframes": [{ "at": 0, "rotation": 0 }, { "at": 6, "rotation": 360 }] }, "start": 0.5 },
                { "layer": { "media": "a", "position": "right", "loop": true }, "start": 1.1, "duration": 4 },
                { "bar": {} },
            ],
        }),
    );
    let [one, three] = [1, 3].map(|threads| {
        let out = made.out().join(threads.to_string());
        engine(threads).render(&made.request(), &out).expect("can be rendered");
        fs::read(out.join("cnt_test/video.mp4")).expect("is there")
    });
    assert!(one == three);
    // A plan that was sent is the same plan.
    let sent: Plan = serde_json::from_str(&serde_json::to_string(&plan(&made)).expect("is JSON")).expect("is whole");
    assert_eq!(sent, plan(&made));
}

/// The tone that is heard at a time, in Hz; 0 for silence.
fn tone(samples: &[[f32; 2]], at: f64) -> f64 {
    let part = &samples[(at * 48_000.0) as usize..((at + 0.05) * 48_000.0) as usize];
    if part.iter().all(|frame| frame[0].abs() < 0.01) {
        return 0.0;
    }
    let rises = part.windows(2).filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0).count();
    rises as f64 / 0.05
}

/// What is heard of a clip is what is seen of it, however far in, however often.
#[test]
fn the_sound_of_a_part_is_that_of_its_pictures() {
    // In each second a tone of 0.3 s, 100 Hz higher than the one before.
    let tones = "aevalsrc=0.4*sin(2*PI*(500+100*floor(t))*t)*lt(mod(t\\,1)\\,0.3):s=48000:d=16";
    let make = |ending: &str, codec: &str| {
        clip(
            ending,
            &format!("-f lavfi -i color=gray:size=270x480:rate=30:duration=16 -f lavfi -i {tones} {H264} {codec}"),
        )
    };
    let part = |start: f64, end: f64| json!({ "media": "clip", "trim": { "start": start, "end": end } });
    for (ending, codec) in
        [("mp4", "-c:a aac"), ("mkv", "-c:a libopus"), ("mkv", "-c:a flac"), ("mov", "-c:a pcm_s16le")]
    {
        let source = make(ending, codec);
        let mut looped = part(12.0, 13.0);
        looped["loop"] = json!(true);
        let shots = json!([
            { "layers": [part(2.0, 3.0)] },
            { "layers": [part(14.0, 15.0)] },
            { "layers": [looped], "duration": 2 },
        ]);
        let overlay = json!({ "layer": { "media": "clip", "trim": { "start": 11 }, "position": "top", "volume": -6 },
                              "start": 3.5, "duration": 0.5 });
        let made = project(&[("clip", &source)], json!({ "shots": shots, "overlays": [overlay] }))
            .with("/audio", json!({ "loudness": "off" }));
        assert_eq!(plan(&made).sources().len(), 1, "it is one source");
        let samples = sound(&render(&made));
        for (at, meant) in [(0.1, 700.0), (1.1, 1900.0), (2.1, 1700.0), (3.1, 1700.0), (3.6, 1600.0)] {
            let found = tone(&samples, at);
            assert!((found - meant).abs() < 25.0, "{found} Hz at {at}, not {meant}: {ending} {codec}");
        }
        for at in [0.4, 0.9, 1.4, 1.9, 2.4, 2.9, 3.4] {
            assert_eq!(tone(&samples, at), 0.0, "at {at}: {ending} {codec}");
        }
        let level = |from: f64| {
            samples[(from * 48e3) as usize..].iter().take(4_800).map(|frame| frame[0].abs()).fold(0.0, f32::max)
        };
        assert!((level(3.6) / level(3.1) - 0.501).abs() < 0.05, "{} to {}", level(3.6), level(3.1));
        // Where each begins, to 2 ms (an encoder smears an edge).
        for start in [0.0, 1.0, 2.0, 3.0, 3.5] {
            let from = (start * 48_000.0) as usize;
            let onset = samples[from..].iter().position(|frame| frame[0].abs() > 0.1).expect("is heard");
            // The encoder needs 10 ms for what is there at once.
            let latest = if start == 0.0 { 12 * 48 } else { 5 * 48 + 96 };
            assert!(onset < latest, "{onset} sample frames after {start}: {ending} {codec}");
        }
    }
}

/// A sound that ends before its shot does not click.
#[test]
fn a_sound_that_ends_early_fades() {
    let source = clip(
        "mkv",
        &format!(
            "-f lavfi -i color=gray:size=270x480:rate=30:duration=1 -f lavfi -i sine=frequency=250:sample_rate=48000:duration=1.003 {H264} -c:a pcm_s16le"
        ),
    );
    let made = project(&[("clip", &source)], json!({ "shots": [{ "layers": [{ "media": "clip" }], "duration": 2 }] }))
        .with("/audio", json!({ "loudness": "off" }));
    let samples = sound(&render(&made));
    let steps = samples.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
    let largest = steps.fold(0.0, f32::max);
    // The tone itself takes steps of 0.0041.
    assert!(largest < 0.006, "{largest}");
    assert!(samples[49_000..].iter().all(|frame| frame[0].abs() < 1e-3));
}

/// Cuts stay at the frames that are the nearest to their times.
#[test]
fn what_is_rounded_does_not_add_up() {
    let source = moving(0.5, 0);
    let shot = json!({ "layers": [{ "media": "clip" }], "duration": 0.35 });
    let planned = plan(&project(&[("clip", &source)], json!({ "shots": vec![shot; 40] })));
    assert_eq!(planned.frames(), 420);
    for (number, shot) in planned.shots().iter().enumerate() {
        assert_eq!(shot.frames.start.0, (number as f64 * 10.5).round() as u64, "shot {number}");
    }
    // With transitions too, which may be half of a shot that has an odd number of frames.
    let shot = json!({ "layers": [{ "media": "clip" }], "duration": 0.7, "transition": { "duration": 0.35 } });
    let mut shots = vec![shot; 20];
    shots[0].as_object_mut().expect("is one").remove("transition");
    let planned = plan(&project(&[("clip", &source)], json!({ "shots": shots })));
    assert!(planned.frames().abs_diff(21 * 20 - 10 * 19) <= 1, "{}", planned.frames());
    // What is as long as its clip is all of it, wherever it lies.
    let whole = json!({ "layers": [{ "media": "clip" }] });
    let short = json!({ "duration": 0.01 });
    let planned = plan(&project(&[("clip", &source)], json!({ "shots": [short, whole, short, short, whole] })));
    assert_eq!(planned.shots().iter().map(|shot| shot.frames.len()).collect::<Vec<_>>(), [1, 15, 1, 1, 15]);
}

/// Another place of an overlay renders the chunks alone that it is on in.
#[test]
fn overlays_change_their_own_chunks_alone() {
    let (base, sticker) = (moving(6.0, 0), sticker("chunks"));
    let keys = |overlay: Value| {
        let media: [(&str, &Path); 2] = [("a", &base), ("s", &sticker)];
        let timeline = json!({ "shots": [{ "layers": [{ "media": "a" }] }], "overlays": [overlay] });
        plan(&project(&media, timeline)).chunks().iter().map(|chunk| chunk.key.clone()).collect::<Vec<_>>()
    };
    let at =
        |position: &str| keys(json!({ "layer": { "media": "s", "position": position }, "start": 2.5, "duration": 1 }));
    let differ: Vec<_> = at("top").iter().zip(&at("bottom")).map(|(one, other)| one != other).collect();
    assert_eq!(differ, [false, true, false]);
}

fn told(project: &Project) -> Vec<(String, String)> {
    let error = match project.read() {
        Err(error) => error,
        Ok(request) => engine(1).plan(&request, &Control::new()).expect_err("is refused"),
    };
    let found =
        error.findings().iter().map(|found| (found.pointer.clone(), found.suggestion.clone().unwrap_or_default()));
    match found.collect::<Vec<_>>() {
        found if found.is_empty() => vec![(error.pointer().unwrap_or_default().to_owned(), String::new())],
        found => found,
    }
}

fn pointers(project: &Project) -> Vec<String> {
    told(project).into_iter().map(|(pointer, _)| pointer).collect()
}

#[test]
fn a_wrong_timeline_is_told_whole() {
    let source = moving(0.5, 0);
    let of = |timeline: Value| project(&[("clip", &source)], timeline);
    let wrong = of(json!({
        "shots": [
            { "duration": -1, "transition": { "name": "star" }, "layers": [
                { "media": "clop", "speed": 9, "trim": { "start": 2, "end": 1 }, "area": { "x": 0, "y": 0, "width": 0, "height": 1e9 } },
                { "media": "clip", "position": "top", "size": 7, "fit": "stretch", "opacity": 2, "volume": 99,
                  "motion": { "name": "spin", "at": 1 }, "keyframes": [{ "at": 1 }, { "at": 1, "scale": -1, "easing": "bounce" }] },
            ] },
            { "name": "shot-1", "background": "red" },
            { "duration": 0.5, "transition": { "duration": 0.4 }, "texts": [{ "text": " " }] },
        ],
        "overlays": [{ "start": -1 }, { "bar": { "color": "1" }, "layer": { "media": "clip" } }],
    }))
    .with("/layout", json!("split"));
    let mut found = pointers(&wrong);
    found.sort();
    let mut meant = [
        "/layout",
        "/timeline/overlays/0",
        "/timeline/overlays/0/start",
        "/timeline/overlays/1",
        "/timeline/shots/0/duration",
        "/timeline/shots/0/layers/0/area/height",
        "/timeline/shots/0/layers/0/area/width",
        "/timeline/shots/0/layers/0/media",
        "/timeline/shots/0/layers/0/speed",
        "/timeline/shots/0/layers/0/trim/end",
        "/timeline/shots/0/layers/1/fit",
        "/timeline/shots/0/layers/1/keyframes/1/at",
        "/timeline/shots/0/layers/1/keyframes/1/easing",
        "/timeline/shots/0/layers/1/keyframes/1/scale",
        "/timeline/shots/0/layers/1/motion",
        "/timeline/shots/0/layers/1/motion/at",
        "/timeline/shots/0/layers/1/motion/name",
        "/timeline/shots/0/layers/1/opacity",
        "/timeline/shots/0/layers/1/size",
        "/timeline/shots/0/layers/1/volume",
        "/timeline/shots/0/transition",
        "/timeline/shots/0/transition/name",
        "/timeline/shots/1/background",
        "/timeline/shots/1/duration",
        "/timeline/shots/1/name",
        "/timeline/shots/2/texts/0/text",
        "/timeline/shots/2/transition/duration",
    ];
    meant.sort();
    assert_eq!(found, meant);
    assert!(!wrong.out().exists(), "nothing is rendered");

    // Unknown fields, with the nearest known name, all of them.
    let unknown = of(json!({ "shots": [{ "layer": [], "lenght": 1, "layers": [{ "media": "clip", "spede": 2 }] }] }));
    let found = told(&unknown);
    let near = |pointer: &str, name: &str| {
        found.iter().any(|(at, suggestion)| at == pointer && suggestion.contains(&format!("`{name}`")))
    };
    assert!(near("/timeline/shots/0/layer", "layers"), "{found:?}");
    assert!(near("/timeline/shots/0/layers/0/spede", "speed"), "{found:?}");
    assert!(found.iter().any(|(at, _)| at == "/timeline/shots/0/lenght"), "{found:?}");

    // Too much of anything.
    let layers = vec![json!({ "media": "clip" }); 10_000];
    assert_eq!(pointers(&of(json!({ "shots": [{ "layers": layers }] }))), ["/timeline/shots/0/layers"]);
    let shots = vec![json!({ "duration": 1 }); 10_000];
    assert_eq!(pointers(&of(json!({ "shots": shots }))), ["/timeline/shots"]);
    let overlays = vec![json!({ "bar": {} }); 10_000];
    let shot = json!({ "layers": [{ "media": "clip" }] });
    assert_eq!(pointers(&of(json!({ "shots": [shot], "overlays": overlays }))), ["/timeline/overlays"]);
    let at_once = vec![json!({ "layer": { "media": "clip" } }); 9];
    assert_eq!(pointers(&of(json!({ "shots": [shot], "overlays": at_once }))), ["/timeline/overlays/8"]);
    assert_eq!(pointers(&of(json!({ "shots": [] }))), ["/timeline/shots"]);
}

/// What only the files tell, all of it too.
#[test]
fn what_the_clips_do_not_allow_is_told_with_its_place() {
    let (short, long) = (moving(0.5, 0), moving(2.0, 1));
    let media: [(&str, &Path); 2] = [("short", &short), ("long", &long)];
    let of = |timeline: Value| project(&media, timeline);
    let shot = |layer: Value| json!({ "layers": [layer], "transition": { "duration": 0.3 } });
    let first = json!({ "layers": [{ "media": "long" }] });
    let wrong = of(
        json!({ "shots": [first, shot(json!({ "media": "short" })), shot(json!({ "media": "long", "trim": { "start": 3 } }))] }),
    );
    assert_eq!(pointers(&wrong), ["/timeline/shots/1/transition/duration", "/timeline/shots/2/layers/0/trim/start"]);
    // A duration does not make up for a part that is not there, whichever layer it is of; overlays are told with shots.
    let late = json!({ "media": "long", "trim": { "start": 2 } });
    let layers = json!([{ "media": "long" }, late, { "media": "short", "trim": { "start": 1, "end": 2 } }]);
    let nothing = of(json!({
        "shots": [
            { "layers": layers, "duration": 1 },
            { "layers": [{ "media": "short" }], "transition": { "duration": 0.25 } },
        ],
        "overlays": [{ "layer": late }],
    }));
    let meant = [
        "/timeline/shots/0/layers/1/trim/start",
        "/timeline/shots/0/layers/2/trim/start",
        "/timeline/overlays/0/layer/trim/start",
    ];
    assert_eq!(pointers(&nothing), meant, "the transition to a shot that is fine is not blamed");
    // Texts that no font has room for have their own place.
    let text = json!({ "text": "w".repeat(400), "style": { "fontSize": { "min": 70, "max": 70 } } });
    let large = of(json!({ "shots": [first, { "duration": 1, "name": "a/b", "texts": [{ "text": "ok" }, text] }] }));
    assert_eq!(pointers(&large), ["/timeline/shots/1/texts/1/text"]);
    let late = of(json!({ "shots": [first], "overlays": [{ "bar": {}, "start": 2 }] }));
    assert_eq!(pointers(&late), ["/timeline/overlays/0/start"]);
    // A format that is asked for beside a timeline.
    let both = of(json!({ "shots": [first] })).with("/format", json!("ugc-remix"));
    assert!(pointers(&both).contains(&"/timeline".to_owned()));
    let none = Project::blank(json!({ "id": "x", "influencerId": "i", "format": "timeline" }));
    assert_eq!(pointers(&none), ["/timeline"]);
}
