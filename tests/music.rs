//! Where sound lands, to the sample, and what is played of files that are damaged or lie; judged by the ffmpeg command.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use remix_engine::Control;
use remix_engine::output::Container;
use serde_json::{Value, json};
use support::{Project, clip, engine, silent, sound};

const RATE: f64 = 48_000.0;

/// A source of `seconds` of faint noise with chirps of 20 ms from 400 to 8400 Hz, at 2.000 s and every `every` seconds after it.
fn chirps(rate: u32, seconds: f64, every: f64) -> String {
    let t = format!("mod(t-2\\,{every})");
    format!(
        "aevalsrc=if(gte(t\\,2)*lt({t}\\,0.02)\\,0.6*sin(2*PI*(400*{t}+200000*{t}^2))*sin(PI*{t}/0.02)\\,0)\
         +0.001*(random(0)-0.5):s={rate}:d={seconds}"
    )
}

/// Where near `at` seconds a chirp is heard, in sample frames from there (to a fraction), and how much it is like one.
fn heard(sound: &[[f32; 2]], at: f64) -> (f64, f64) {
    let turn = std::f64::consts::TAU;
    let wanted: Vec<f64> = (0..960)
        .map(|n| f64::from(n) / RATE)
        .map(|t| (turn * (400.0 * t + 200_000.0 * t * t)).sin() * (turn / 2.0 * t / 0.02).sin())
        .collect();
    let own: f64 = wanted.iter().map(|value| value * value).sum::<f64>().sqrt();
    let start = (at * RATE).round() as i64;
    let likeness = |lag: i64| {
        let part = |n: usize| {
            let place = usize::try_from(start + lag + n as i64).ok();
            place.and_then(|place| sound.get(place)).map_or(0.0, |frame| f64::from(frame[0]))
        };
        let energy = (0..960).map(|n| part(n) * part(n)).sum::<f64>().sqrt();
        wanted.iter().enumerate().map(|(n, wanted)| part(n) * wanted).sum::<f64>() / (energy * own).max(1e-3)
    };
    let best = (-3_000..=3_000).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b))).expect("lags were tried");
    // The top of the parabola through the best and its neighbours.
    let (before, top, after) = (likeness(best - 1), likeness(best), likeness(best + 1));
    let bend = before - 2.0 * top + after;
    (best as f64 + if bend < 0.0 { 0.5 * (before - after) / bend } else { 0.0 }, top)
}

fn assert_heard(sound: &[[f32; 2]], at: f64, within: f64, what: &str) {
    let (off, likeness) = heard(sound, at);
    assert!(likeness > 0.8, "{what}: no chirp near {at} s: {likeness:.2}");
    assert!(off.abs() <= within, "{what}: the chirp is {off:.2} sample frames off {at} s");
}

fn rendered(project: &Project) -> (Container, PathBuf) {
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    (container, project.out().join("cnt_test/video.mp4"))
}

/// A track under seven seconds of silent pictures, with the levels as they are.
fn as_music(track: &Path, looped: bool) -> (Container, Vec<[f32; 2]>) {
    let options = json!({ "gain": 0, "fadeOut": 0, "duck": false, "loop": looped });
    let project = Project::of(&silent(3.5), &silent(3.5))
        .with("/hook", Value::Null)
        .with("/audio", json!({ "loudness": "off", "music": options }));
    project.put("music.wav", track);
    let (container, video) = rendered(&project);
    (container, sound(&video))
}

/// What the report says of the track.
fn corrections(container: &Container) -> String {
    let source = container.report.sources.iter().find(|source| source.id == "trk_one");
    source.map(|source| source.corrections.join("; ")).unwrap_or_default()
}

#[test]
fn a_click_at_two_seconds_of_music_is_heard_at_two_seconds() {
    for (what, extension, rate, codec, within) in [
        ("WAV", "wav", 44_100, "", 1.0),
        ("WAV of 24 bits at 96 kHz", "wav", 96_000, "-c:a pcm_s24le", 1.0),
        ("FLAC", "flac", 44_100, "", 1.0),
        ("MP3", "mp3", 44_100, "-c:a libmp3lame -b:a 192k", 1.0),
        ("MP3 of variable rate", "mp3", 48_000, "-c:a libmp3lame -q:a 4", 1.0),
        ("Ogg Vorbis", "ogg", 44_100, "-c:a libvorbis", 1.0),
        ("Ogg Opus", "ogg", 48_000, "-c:a libopus", 1.0),
        ("M4A with ALAC", "m4a", 44_100, "-c:a alac", 1.0),
        ("M4A with AAC and an edit list", "m4a", 44_100, "-c:a aac -b:a 192k", 48.0),
        ("AAC in ADTS", "aac", 44_100, "-c:a aac -b:a 192k", 48.0 + 1_024.0 * 48.0 / 44.1),
    ] {
        let track = clip(extension, &format!("-f lavfi -i {} {codec}", chirps(rate, 5.0, 2.5)));
        let (container, sound) = as_music(&track, true);
        assert_heard(&sound, 2.0, within, what);
        assert_heard(&sound, 4.5, within, what);
        assert_eq!(corrections(&container), "", "{what}: nothing is wrong with it");
        if extension != "aac" {
            // It starts over after five seconds, and has its first chirp two seconds later: beyond the end; before it
            // nothing is heard.
            let rest = sound[5 * 48_000..].iter().flatten().fold(0.0f32, |peak, value| peak.max(value.abs()));
            assert!(rest < 0.01, "{what}: {rest}");
        }
    }
}

#[test]
fn a_click_at_two_seconds_of_a_clip_is_heard_two_seconds_into_it() {
    let black = "-f lavfi -i color=black:size=108x192:rate=30:duration=3";
    for (what, extension, codecs, within) in [
        ("MP4 with AAC and an edit list", "mp4", "-c:v libx264 -bf 2 -c:a aac -b:a 192k", 48.0),
        ("MOV with PCM", "mov", "-c:v libx264 -bf 2 -c:a pcm_s16le", 1.0),
        ("Matroska with FLAC", "mkv", "-c:v libx264 -bf 0 -c:a flac", 48.0),
        ("WebM with Opus", "webm", "-c:v libvpx -c:a libopus -ar 48000", 48.0),
        ("WebM with Vorbis", "webm", "-c:v libvpx -c:a libvorbis", 48.0),
    ] {
        let demo =
            clip(extension, &format!("{black} -f lavfi -i {} -pix_fmt yuv420p {codecs}", chirps(44_100, 3.0, 9.0)));
        let project = Project::of(&silent(1.0), &demo).with("/hook", Value::Null).with("/music", json!([]));
        let (_, video) = rendered(&project);
        // FFmpeg writes the pictures beside Opus 7 ms late, and time zero of a clip is its first picture.
        let late = if what.ends_with("Opus") { 0.007 } else { 0.0 };
        assert_heard(&sound(&video), 3.0 - late, within, what);
    }
}

/// The parts of `whole` from byte to byte, one after the other.
fn pieces(extension: &str, parts: &[&[u8]]) -> PathBuf {
    let bytes = parts.concat();
    let name = blake3::hash(&bytes).to_hex();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pieces-{}.{extension}", &name[..16]));
    fs::write(&file, bytes).expect("can be written");
    file
}

#[test]
fn what_is_there_of_damaged_and_lying_music_is_played_and_told() {
    let track = |extension: &str, codec: &str| {
        fs::read(clip(extension, &format!("-f lavfi -i {} {codec}", chirps(44_100, 3.0, 9.0)))).expect("is there")
    };
    let mp3 = track("mp3", "-c:a libmp3lame -b:a 128k");
    let flac = track("flac", "");
    let ogg = track("ogg", "-c:a libvorbis");
    let wav = track("wav", "");
    let garbage: Vec<u8> = (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect();

    // Joined: the second one follows where the first one's frames end.
    let (container, sound) = as_music(&pieces("mp3", &[&mp3, &mp3]), false);
    assert_heard(&sound, 2.0, 1.0, "joined MP3s");
    let (off, likeness) = heard(&sound, 5.03);
    assert!(likeness > 0.8 && off.abs() < 2_500.0, "the second of joined MP3s: {off}, {likeness}");
    assert!(corrections(&container).contains("all of it is used"), "{}", corrections(&container));

    let (container, sound) = as_music(&pieces("mp3", &[&garbage, &mp3]), false);
    assert_heard(&sound, 2.0, 1.0, "garbage before an MP3");
    assert!(corrections(&container).contains("before its first frame"), "{}", corrections(&container));

    for (what, extension, bytes) in [("MP3", "mp3", &mp3), ("FLAC", "flac", &flac), ("WAV", "wav", &wav)] {
        let (container, sound) = as_music(&pieces(extension, &[&bytes[..bytes.len() * 5 / 6]]), false);
        assert_heard(&sound, 2.0, 1.0, what);
        assert!(corrections(&container).contains("cut short"), "{what}: {}", corrections(&container));
    }

    // The number of samples is in the last 36 bits of 8 from byte 18 on of a FLAC.
    let mut lying = flac.clone();
    lying[22..26].copy_from_slice(&1_000u32.to_be_bytes());
    let (container, sound) = as_music(&pieces("flac", &[&lying]), false);
    assert_heard(&sound, 2.0, 1.0, "a FLAC that says that it is short");
    assert!(corrections(&container).contains("all of it is used"), "{}", corrections(&container));

    let (container, sound) = as_music(&pieces("ogg", &[&ogg, &ogg]), false);
    assert_heard(&sound, 2.0, 1.0, "chained Oggs");
    assert_heard(&sound, 5.0, 1.0, "the second of chained Oggs");
    assert!(corrections(&container).contains("chained"), "{}", corrections(&container));

    // Damage in the middle: silence, and what follows keeps its place.
    let mut broken = flac.clone();
    let middle = broken.len() / 3;
    broken[middle..middle + 40].fill(0x55);
    let (container, sound) = as_music(&pieces("flac", &[&broken]), false);
    assert_heard(&sound, 2.0, 1.0, "a damaged FLAC");
    let told = format!("{} {:?}", corrections(&container), container.report.audio);
    assert!(told.contains("damaged"), "{told}");
}

#[test]
fn music_that_is_no_music_ends_in_an_error() {
    let noise: Vec<u8> = (0..60_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 21) as u8).collect();
    for head in [
        &b"fLaC\0\0\0\x22"[..],
        b"OggS\0\x02",
        b"RIFF\xff\xff\0\0WAVEfmt ",
        b"ID3\x04\0\0\0\0\0\x0a",
        b"\xff\xfb\x90\x64",
    ] {
        let file = pieces("bin", &[head, &noise]);
        let project = Project::of(&silent(0.5), &silent(0.5));
        project.put("music.wav", &file);
        match engine(1).render(&project.request(), &project.out()) {
            // FFmpeg finds frames in noise; then there is sound.
            Ok(_) => {}
            Err(error) => assert!(error.code().starts_with("SOURCE_"), "{head:?}: {error}"),
        }
    }
}

/// Ten minutes of 44.1 kHz at the end of which a chirp is still where it was: no drift, whatever the block's size.
#[test]
fn after_ten_minutes_nothing_has_drifted() {
    let track = clip("flac", &format!("-f lavfi -i {}", chirps(44_100, 601.0, 597.5)));
    let info = engine(1).probe(&track, &Control::new()).expect("can be read");
    assert!((info.audio.expect("it has sound").duration.as_secs_f64() - 601.0).abs() < 1e-6);
    let options = json!({ "gain": 0, "fadeOut": 0, "duck": false, "loop": false, "start": 596 });
    let project = Project::of(&silent(3.5), &silent(1.5))
        .with("/hook", Value::Null)
        .with("/audio", json!({ "loudness": "off", "music": options }));
    project.put("music.wav", &track);
    let (_, video) = rendered(&project);
    assert_heard(&sound(&video), 3.5, 1.0, "a chirp at 599.5 s, from 596 s on");
}
