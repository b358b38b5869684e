//! How loud a video is, and what music does under voices; judged by ffmpeg's `ebur128`.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use remix_engine::output::{AudioReport, Container};
use serde_json::{Value, json};
use support::{Project, clip, engine, left_in, silent, sound};

/// Integrated loudness in LUFS and true peak in dBTP of a file.
fn measured(video: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-i"])
        .arg(video)
        .args(["-vn", "-af", "ebur128=peak=true", "-f", "null", "-"])
        .output()
        .expect("ffmpeg runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = text.split("Summary:").nth(1).unwrap_or_default().to_owned();
    let number = |name: &str| {
        let line = summary.lines().find(|line| line.trim_start().starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    let found = number("I:").zip(number("Peak:"));
    found.unwrap_or_else(|| unreachable!("no figures in {text}"))
}

/// A clip of `seconds` with this sound: an expression of ffmpeg's `aevalsrc`, or another source.
fn sounding(sound: &str, seconds: f64) -> PathBuf {
    let source = if sound.starts_with("anoisesrc") {
        format!("{sound}:r=48000:d={seconds}")
    } else {
        format!("aevalsrc={sound}:s=48000:d={seconds}")
    };
    clip(
        "mov",
        &format!(
            "-f lavfi -i color=gray:size=108x192:rate=30:duration={seconds} -f lavfi -i {source} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le"
        ),
    )
}

fn render(project: &Project) -> (Container, PathBuf) {
    let container = engine(2).render(&project.request(), &project.out()).expect("can be rendered").remove(0);
    (container, project.out().join("cnt_test/video.mp4"))
}

fn audio(container: &Container) -> AudioReport {
    container.report.audio.clone().expect("there is sound")
}

const QUIET: &str = "0.01*sin(2*PI*300*t)";
const LOUD: &str = "0.95*sin(2*PI*220*t)";
const BURSTS: &str = "0.9*sin(2*PI*440*t)*lt(mod(t\\,1)\\,0.08)+0.02*sin(2*PI*180*t)";
const CLICKS: &str = "0.99*lt(mod(t\\,0.5)\\,0.001)+0.05*sin(2*PI*500*t)";
/// Pink, as music and rooms are: of white noise AAC leaves out the highest tenth, which is most of its loudness.
const NOISE: &str = "anoisesrc=c=pink:a=0.5:seed=7";
const VOICE: &str = "0.3*sin(2*PI*200*t)*(0.5+0.5*sin(2*PI*3*t))";

#[test]
fn ten_mixes_are_as_loud_as_asked_and_peak_below_minus_one() {
    let mixes: [(&str, &str, &str, Option<f64>); 10] = [
        ("quiet", QUIET, QUIET, None),
        ("loud", LOUD, LOUD, None),
        ("bursts", BURSTS, BURSTS, None),
        ("clicks", CLICKS, CLICKS, None),
        ("noise", NOISE, NOISE, None),
        ("a voice", VOICE, VOICE, None),
        ("quiet, then loud", QUIET, LOUD, None),
        ("a voice, then noise", VOICE, NOISE, None),
        ("louder than usual", BURSTS, NOISE, Some(-10.0)),
        ("quieter than usual", LOUD, VOICE, Some(-23.0)),
    ];
    let mut faults = Vec::new();
    for (what, one, two, target) in mixes {
        let project = Project::of(&sounding(one, 3.0), &sounding(two, 3.0)).with("/hook", Value::Null);
        project.put(
            "music.wav",
            &clip("wav", "-f lavfi -i aevalsrc=0.2*sin(2*PI*330*t)*(0.6+0.4*sin(2*PI*2*t)):s=48000:d=4"),
        );
        let project = match target {
            Some(target) => project.with("/output/loudness", target.into()),
            None => project,
        };
        let (container, video) = render(&project);
        let (loudness, peak) = measured(&video);
        let report = audio(&container);
        let target = target.unwrap_or(-14.0);
        if (loudness - target).abs() > 0.5 || peak > -1.0 {
            faults.push(format!("{what}: {loudness} LUFS, {peak} dBTP; {report:?}"));
        }
        if (report.loudness.unwrap_or(0.0) - loudness).abs() > 0.4 {
            faults.push(format!("{what}: the report says {:?}, the file has {loudness}", report.loudness));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn silence_and_short_clips_and_kept_levels_are_left_alone() {
    let quiet = sounding(QUIET, 2.0);
    let silence = Project::of(&silent(1.5), &silent(1.5)).with("/hook", Value::Null).with("/music", json!([]));
    let report = audio(&render(&silence).0);
    assert_eq!((report.gain, report.limited, report.loudness), (1.0, false, None));
    let short =
        Project::of(&sounding(QUIET, 0.5), &sounding(QUIET, 0.5)).with("/hook", Value::Null).with("/music", json!([]));
    assert_eq!(audio(&render(&short).0).gain, 1.0);
    let kept = Project::of(&quiet, &quiet).with("/hook", Value::Null).with("/music", json!([]));
    let kept = kept.with("/output/keepLevels", true.into());
    let (container, video) = render(&kept);
    assert_eq!(audio(&container).gain, 1.0);
    let peak = sound(&video).iter().flatten().fold(0.0f32, |peak, value| peak.max(value.abs()));
    assert!((0.009..0.012).contains(&peak), "{peak}");
}

/// The level of a tone in a stretch of sound, in dB.
fn tone(sound: &[[f32; 2]], hertz: f64, from: f64, to: f64) -> f64 {
    let part = &sound[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
    let (mut re, mut im) = (0.0, 0.0);
    for (n, frame) in part.iter().enumerate() {
        let angle = std::f64::consts::TAU * hertz * n as f64 / 48_000.0;
        re += f64::from(frame[0]) * angle.cos();
        im += f64::from(frame[0]) * angle.sin();
    }
    20.0 * (2.0 * re.hypot(im) / part.len() as f64).log10()
}

/// A voice from second 2 to 4 of a clip of 6 seconds, over music of one tone.
fn spoken(duck: Value) -> Vec<[f32; 2]> {
    let voice = sounding("0.4*sin(2*PI*300*t)*between(t\\,2\\,4)", 6.0);
    let project = Project::of(&voice, &silent(2.0))
        .with("/hook", Value::Null)
        .with("/output/keepLevels", true.into())
        .with("/musicOptions", json!({ "gain": -6, "duck": duck, "fadeOut": 0 }));
    project.put("music.wav", &clip("wav", "-f lavfi -i aevalsrc=0.4*sin(2*PI*1000*t):s=48000:d=9"));
    sound(&render(&project).1)
}

#[test]
fn music_goes_down_under_a_voice_by_as_much_as_asked() {
    let plain = spoken(json!(0));
    let ducked = spoken(json!(15));
    let level = |sound: &[[f32; 2]], from: f64, to: f64| tone(sound, 1000.0, from, to);
    assert!((level(&plain, 2.2, 3.8) - level(&plain, 0.5, 1.5)).abs() < 0.3, "without ducking nothing happens");
    let down = level(&ducked, 0.5, 1.5) - level(&ducked, 2.2, 3.8);
    assert!((down - 15.0).abs() < 1.0, "{down:.1} dB down");
    for (from, to) in [(0.1, 1.7), (5.0, 6.5)] {
        let off = level(&ducked, from, to) - level(&plain, from, to);
        assert!(off.abs() < 0.1, "untouched from {from} to {to} s: {off:.2} dB");
    }
    // Down before the voice begins, and up in half a second after it has been still for a while.
    assert!(level(&ducked, 1.97, 2.0) < level(&ducked, 0.5, 1.5) - 10.0);
    let steps: Vec<f64> =
        (0..24).map(|step| 4.2 + f64::from(step) * 0.04).map(|at| level(&ducked, at, at + 0.02)).collect();
    assert!(steps.windows(2).all(|pair| pair[1] - pair[0] < 3.0), "no jump on the way back: {steps:.1?}");
}

#[test]
fn music_can_start_late_in_its_track_and_end_with_it() {
    // A tone that tells the time: 400 Hz in the first second, 800 in the second, 1200 in the third.
    let track = clip("wav", "-f lavfi -i aevalsrc=0.3*sin(2*PI*400*(1+floor(t))*t):s=48000:d=3");
    let make = |options: Value| {
        let project = Project::of(&silent(2.0), &silent(2.0))
            .with("/hook", Value::Null)
            .with("/output/keepLevels", true.into())
            .with("/musicOptions", options);
        project.put("music.wav", &track);
        sound(&render(&project).1)
    };
    let late = make(json!({ "gain": 0, "start": 1, "loop": false, "fadeOut": 0.2, "fadeIn": 0.5 }));
    let level = |hertz: f64, from: f64, to: f64| tone(&late, hertz, from, to);
    assert!(level(800.0, 0.6, 0.9) > -12.0 && level(400.0, 0.6, 0.9) < -50.0, "it begins with its second second");
    assert!(level(1200.0, 1.1, 1.7) > -12.0);
    assert!(level(800.0, 0.05, 0.15) < level(800.0, 0.6, 0.9) - 8.0, "it fades in");
    let rest = late[2 * 48_000 + 4_800..].iter().flatten().fold(0.0f32, |peak, value| peak.max(value.abs()));
    assert!(rest < 0.001, "and ends with the track: {rest}");
    let looped = make(json!({ "gain": 0, "start": 1 }));
    assert!(tone(&looped, 800.0, 2.1, 2.9) > -12.0, "looped, it starts over where it started");
}

#[test]
fn wrong_options_of_sound_are_told() {
    let project = Project::small()
        .with("/musicOptions", json!({ "gain": 40, "start": -1, "fadeIn": 99, "fadeOut": -2, "duck": 100 }))
        .with("/output/loudness", 3.into())
        .with("/output/keepLevels", true.into());
    let error = engine(1).render(&project.request(), &project.out()).expect_err("is refused");
    let pointers: Vec<_> = error.findings().iter().map(|finding| finding.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/musicOptions/gain",
            "/musicOptions/start",
            "/musicOptions/fadeIn",
            "/musicOptions/fadeOut",
            "/musicOptions/duck",
            "/output/loudness",
            "/output/keepLevels"
        ]
    );
    let beyond = Project::small().with("/musicOptions", json!({ "start": 60 }));
    let error = engine(1).render(&beyond.request(), &beyond.out()).expect_err("the track is a second long");
    assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some("/musicOptions/start")));
    assert!(left_in(&beyond.out()).is_empty());
}
