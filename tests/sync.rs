//! Sound and picture of generated clips that tell their time: a white frame and a chirp at the same instant.

mod support;

use std::path::{Path, PathBuf};

use remix_engine::output::Container;
use serde_json::{Value, json};
use support::{Project, brightness, clip, engine, silent, sound};

const RATE: f64 = 48_000.0;
/// Closer than this nobody can tell, and no encoder delay is as short: AAC's is 21 ms, MP3's 25 ms.
const TOLERANCE: f64 = 0.001;

/// A chirp of 30 ms from 500 to 5900 Hz that starts at `at` seconds: unlike a click, AAC keeps its place and shape.
fn chirp(at: f64, seconds: f64) -> String {
    format!(
        "aevalsrc=if(between(t\\,{at}\\,{at}+0.03)\\,0.6*sin(2*PI*(500*(t-{at})+90000*(t-{at})^2))\\,0)\
         :s=44100:d={seconds}"
    )
}

/// Black pictures at `rate` with white ones from picture `first` to `last`.
fn flash(rate: &str, first: u32, last: u32, seconds: f64) -> String {
    format!(
        "color=black:size=270x480:rate={rate}:duration={seconds},\
         drawbox=color=white:t=fill:enable=between(n\\,{first}\\,{last})"
    )
}

/// A clip of one second with a flash and a chirp half a second after its first picture.
fn flashing(extension: &str, rate: &str, white: (u32, u32), codecs: &str) -> PathBuf {
    let (picture, tone) = (flash(rate, white.0, white.1, 1.0), chirp(0.5, 1.0));
    clip(extension, &format!("-f lavfi -i {picture} -f lavfi -i {tone} -pix_fmt yuv420p {codecs}"))
}

/// How far from `at` seconds the chirp is heard, in seconds, and how much it is like the one that was made (0 to 1).
fn heard_off(sound: &[[f32; 2]], at: f64) -> (f64, f64) {
    let wanted: Vec<f64> = (0..1440)
        .map(|n| f64::from(n) / RATE)
        .map(|t| (std::f64::consts::TAU * (500.0 * t + 90_000.0 * t * t)).sin())
        .collect();
    let start = (at * RATE).round() as i64;
    let energy = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let likeness = |lag: i64| {
        let from = start + lag;
        let part: Vec<f64> = (from..from + wanted.len() as i64)
            .map(|n| usize::try_from(n).ok().and_then(|n| sound.get(n)).map_or(0.0, |frame| f64::from(frame[0])))
            .collect();
        let product: f64 = part.iter().zip(&wanted).map(|(part, wanted)| part * wanted).sum();
        product / (energy(&part) * energy(&wanted)).max(1e-3)
    };
    let lags = -2400..=2400;
    let best = lags.map(|lag| (lag, likeness(lag))).max_by(|(_, a), (_, b)| a.total_cmp(b)).expect("lags were tried");
    (best.0 as f64 / RATE, best.1)
}

fn assert_heard(sound: &[[f32; 2]], at: f64, what: &str) {
    let (off, likeness) = heard_off(sound, at);
    assert!(likeness > 0.8, "{what}: no chirp near {at} s: {likeness}");
    assert!(off.abs() <= TOLERANCE, "{what}: the chirp is {:.2} ms off {at} s", off * 1000.0);
}

fn white_frames(video: &Path) -> Vec<usize> {
    brightness(video).iter().enumerate().filter(|(_, luma)| **luma > 128).map(|(frame, _)| frame).collect()
}

/// Renders a project and gives its container and the video.
fn rendered(project: &Project) -> (Container, PathBuf) {
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    (container, project.out().join("cnt_test/video.mp4"))
}

#[test]
fn flash_and_chirp_stay_together_in_every_container_and_at_every_rate() {
    let h264 = "-c:v libx264 -preset veryfast -bf 3";
    let plain = flashing("mp4", "30", (15, 15), &format!("{h264} -c:a aac"));
    // Opus in Matroska is left out: ffmpeg itself writes its picture 7 ms late.
    for (what, demo, frames) in [
        ("30 fps MP4", plain.clone(), 30),
        ("60 fps MP4", flashing("mp4", "60", (30, 31), &format!("{h264} -c:a aac")), 30),
        ("25 fps MOV with PCM", flashing("mov", "25", (12, 12), &format!("{h264} -c:a pcm_s16le")), 30),
        ("29.97 fps Matroska with FLAC", flashing("mkv", "30000/1001", (15, 15), &format!("{h264} -c:a flac")), 30),
        ("VP8 and Vorbis in WebM", flashing("webm", "30", (15, 15), "-c:v libvpx -b:v 500k -c:a libvorbis"), 30),
    ] {
        let project = Project::of(&plain, &demo).with("/music", json!([])).with("/hook", Value::Null);
        let (container, video) = rendered(&project);
        assert_eq!(container.assets[0].frames, Some(30 + frames), "{what}");
        // At 25 fps picture 12 comes at 0.48 s: output frame 14 is at 0.467 s, 15 at 0.5 s, 16 at 0.533 s.
        // At 29.97 fps picture 15 comes at 0.5005 s, just after output frame 15, which is at 0.5 s.
        let expected = if what.starts_with("29.97") { [15, 30 + 16] } else { [15, 30 + 15] };
        assert_eq!(white_frames(&video), expected, "{what}");
        let sound = sound(&video);
        assert_heard(&sound, 0.5, what);
        assert_heard(&sound, 1.5, what);
    }
}

/// Renders a clip behind half a second of another one; its flash and its chirp must both be half a second into it.
fn assert_together(what: &str, demo: &Path) {
    let project = Project::of(&silent(0.5), demo).with("/music", json!([])).with("/hook", Value::Null);
    let (container, video) = rendered(&project);
    assert_eq!(container.assets[0].frames, Some(45), "{what}");
    let white: Vec<usize> = white_frames(&video).into_iter().filter(|&frame| frame >= 15).collect();
    assert_eq!(white, [15 + 15], "{what}");
    assert_heard(&sound(&video), 1.0, what);
}

#[test]
fn sound_that_starts_later_than_the_picture_is_late() {
    for (delay, extension, codec) in [
        (0.2, "mov", "pcm_s16le"),
        (0.2, "mkv", "aac"),
        (0.2, "mp4", "aac"),
        (0.2, "mp4", "libmp3lame"),
        (0.04, "mov", "pcm_s16le"),
    ] {
        let (picture, tone) = (flash("30", 15, 15, 1.0), chirp(0.5 - delay, 0.8 - delay));
        let options = format!(
            "-f lavfi -i {picture} -itsoffset {delay} -f lavfi -i {tone} -c:v libx264 -preset veryfast -bf 3 \
             -pix_fmt yuv420p -c:a {codec}"
        );
        assert_together(&format!("{codec} {delay} s late in {extension}"), &clip(extension, &options));
    }
}

#[test]
fn sound_that_starts_before_the_picture_loses_its_start() {
    for (lead, extension, codec) in
        [(0.2, "mov", "pcm_s16le"), (0.2, "mkv", "aac"), (0.2, "mp4", "aac"), (0.033_333, "mov", "pcm_s16le")]
    {
        let (picture, tone) = (flash("30", 15, 15, 1.0), chirp(0.5 + lead, 0.8 + lead));
        let options = format!(
            "-itsoffset {lead} -f lavfi -i {picture} -f lavfi -i {tone} -fps_mode passthrough -c:v libx264 -bf 3 \
             -pix_fmt yuv420p -c:a {codec}"
        );
        assert_together(&format!("picture {lead} s after {codec} in {extension}"), &clip(extension, &options));
    }
}

/// A stretch of sound is missing in the middle: packets that were lost, or a recorder that paused.
#[test]
fn a_gap_in_the_sound_is_silence_and_moves_nothing() {
    let (picture, tone) = (flash("30", 15, 15, 1.0), chirp(0.5, 1.0));
    let whole = format!("-f lavfi -i {picture} -f lavfi -i {tone} -c:v libx264 -preset veryfast -pix_fmt yuv420p");
    let holed = clip("mkv", &format!("{whole} -c:a pcm_s16le -bsf:a noise=drop=between(n\\,6\\,12)"));
    assert_together("a gap of 0.16 s", &holed);
}

/// A track of one second with a chirp a quarter of a second after its start, rendered under 2.5 s of picture.
fn with_music(extension: &str, codec: &str) -> Vec<[f32; 2]> {
    let track = clip(extension, &format!("-f lavfi -i {} {codec}", chirp(0.25, 1.0)));
    let project = Project::of(&silent(1.0), &silent(1.5)).with("/hook", Value::Null);
    project.put("music.wav", &track);
    sound(&rendered(&project).1)
}

#[test]
fn music_starts_with_the_picture_and_starts_over_without_a_gap() {
    for (what, extension, codec) in
        [("WAV", "wav", ""), ("MP3", "mp3", "-c:a libmp3lame"), ("FLAC", "flac", ""), ("Opus", "ogg", "-c:a libopus")]
    {
        let sound = with_music(extension, codec);
        for at in [0.25, 1.25, 2.25] {
            assert_heard(&sound, at, what);
        }
        // The last second fades out to nothing.
        let level = |at: f64| sound[(at * RATE) as usize..][..1440].iter().map(|frame| frame[0].abs()).sum::<f32>();
        assert!((level(0.25) / level(1.25) - 1.0).abs() < 0.1, "{what}: as loud the second time");
        assert!(level(2.25) < 0.4 * level(1.25), "{what}: three quarters into the fade");
    }
}

/// AAC comes in packets of 1024 sample frames: the padding of the last one is not music.
#[test]
fn music_in_m4a_starts_over_where_its_edit_list_ends() {
    let sound = with_music("m4a", "-c:a aac");
    for at in [0.25, 1.25, 2.25] {
        assert_heard(&sound, at, "AAC in M4A");
    }
}

#[test]
fn loud_clips_and_music_together_do_not_clip() {
    let loud = |tone: u32| {
        clip(
            "mp4",
            &format!(
                "-f lavfi -i color=gray:size=270x480:rate=30:duration=1 -f lavfi -i \
                 aevalsrc=0.99*sin(2*PI*{tone}*t):s=48000:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
            ),
        )
    };
    let project = Project::of(&loud(300), &loud(500)).with("/hook", Value::Null);
    let project = project.with("/audio", json!({ "loudness": "off" }));
    project.put("music.wav", &clip("wav", "-f lavfi -i aevalsrc=0.99*sin(2*PI*300*t):s=48000:d=1"));
    let (container, video) = rendered(&project);
    let audio = container.report.audio.expect("there is sound");
    assert!(audio.gain < 1.0, "the mix was turned down: {audio:?}");
    let peak = sound(&video).iter().flatten().fold(0.0f32, |peak, value| peak.max(value.abs()));
    assert!((0.7..1.0).contains(&peak), "peak {peak}");
}
