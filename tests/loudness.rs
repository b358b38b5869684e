//! How loud a video is, and what music does under voices; judged by ffmpeg's `ebur128`.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use remix_engine::output::{AudioReport, Container};
use serde_json::{Value, json};
use support::{Project, clip, engine, ffprobe, left_in, run, silent, sound};

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
            Some(target) => project.with("/audio", json!({ "loudness": target })),
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
    let kept = kept.with("/audio", json!({ "loudness": "off" }));
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

/// Somebody says a sentence, by espeak-ng; from second 2 on of a clip of 7 seconds, with its end.
fn speaking() -> (PathBuf, f64) {
    let voice = spoken_words();
    let seconds = ffprobe(&voice, "-show_format")["format"]["duration"].as_str().and_then(|text| text.parse().ok());
    let picture = "-f lavfi -i color=gray:size=108x192:rate=30:duration=7";
    let sound = format!(
        "-i {} -af volume=0.5,lowpass=3000,lowpass=3000,lowpass=3000,adelay=2000:all=1,apad=whole_dur=7",
        voice.display()
    );
    let codecs = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le -ar 48000 -t 7";
    (clip("mov", &format!("{picture} {sound} {codecs}")), 2.0 + seconds.unwrap_or(0.0))
}

fn spoken_words() -> PathBuf {
    const WORDS: &str = "This simple habit changed everything about my mindset.";
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spoken.wav");
    if !file.exists() {
        let part = file.with_extension(format!("{}.wav", std::process::id()));
        run("espeak-ng", ["-v", "en-us", "-s", "150", "-w", &part.display().to_string(), WORDS]);
        std::fs::rename(part, &file).expect("can be renamed");
    }
    file
}

/// What an app sounds like, from second 1 on: taps, pops, a bell.
const TAPS: &str = "0.7*(random(0)*2-1)*exp(-mod(t\\,0.35)*150)*between(t\\,1\\,3)\
                    +0.5*sin(2*PI*(400*mod(t\\,0.3)+4000*mod(t\\,0.3)^2))*lt(mod(t\\,0.3)\\,0.06)*between(t\\,3\\,5)\
                    +0.4*sin(2*PI*880*t)*exp(-mod(t\\,1)*6)*gt(t\\,5)";

/// A clip of seven seconds with its own sound, and music of one tone that goes down by `duck`.
fn under(demo: &Path, audio: Value) -> Vec<[f32; 2]> {
    let project = Project::of(demo, &silent(1.0)).with("/hook", Value::Null).with("/audio", audio);
    project.put("music.wav", &clip("wav", "-f lavfi -i aevalsrc=0.4*sin(2*PI*9000*t):s=48000:d=10"));
    sound(&render(&project).1)
}

#[test]
fn music_goes_down_under_speech_by_as_much_as_asked_and_is_untouched_elsewhere() {
    let options = |duck: Value| json!({ "loudness": "off", "music": { "gain": -6, "duck": duck, "fadeOut": 0 } });
    let (demo, end) = speaking();
    let plain = under(&demo, options(json!(false)));
    let ducked = under(&demo, options(json!({ "amount": 15 })));
    let level = |sound: &[[f32; 2]], from: f64, to: f64| tone(sound, 9_000.0, from, to);
    // While words are said, which have nothing at 9 kHz.
    let mut at = 2.1;
    while at + 0.2 < end {
        let down = level(&plain, 0.5, 1.5) - level(&ducked, at, at + 0.1);
        assert!((down - 15.0).abs() < 1.0, "{down:.1} dB down at {at:.1} s");
        at += 0.1;
    }
    for (from, to) in [(0.1, 1.6), (end + 1.1, 7.5)] {
        let off = level(&ducked, from, to) - level(&plain, from, to);
        assert!(off.abs() < 0.1, "untouched from {from} to {to} s: {off:.2} dB");
    }
    // The envelope is even: down in 0.2 s and up in 0.5 s, and no faster.
    let steps: Vec<f64> =
        (30..350).map(|step| level(&ducked, f64::from(step) * 0.02, f64::from(step + 1) * 0.02)).collect();
    for (step, pair) in steps.windows(2).enumerate() {
        let change = pair[1] - pair[0];
        assert!((-2.2..1.3).contains(&change), "{change:.2} dB in 20 ms at {:.2} s", 0.6 + step as f64 * 0.02);
    }
}

#[test]
fn taps_and_bells_of_an_app_leave_the_music_alone() {
    let demo = sounding(TAPS, 7.0);
    let options = |duck: Value| json!({ "loudness": "off", "music": { "gain": -6, "duck": duck } });
    let (plain, ducked) = (under(&demo, options(json!(false))), under(&demo, options(json!({ "amount": 15 }))));
    assert!(plain == ducked, "the same to the last bit");
}

#[test]
fn a_voice_over_is_where_it_was_put_and_music_goes_down_under_it() {
    let voice = clip("wav", "-f lavfi -i aevalsrc=0.3*sin(2*PI*700*t):s=48000:d=1.5");
    let audio = json!({
        "loudness": "off",
        "music": { "gain": 0, "fadeOut": 0, "duck": { "amount": 9, "attack": 0.1, "hold": 0.1, "release": 0.3 } },
        "voiceOver": { "mediaId": "med_voice", "start": 1.25, "gain": -6 }
    });
    let project = Project::of(&silent(3.0), &silent(2.0)).with("/hook", Value::Null).with("/audio", audio);
    let demo = json!({ "id": "med_demo", "mediaRole": "app-demo", "src": "demo.mp4" });
    let row = json!({ "id": "med_voice", "mediaRole": "voice-over", "src": "voice.wav" });
    let project = project.with("/media", json!([demo, row]));
    project.put("music.wav", &clip("wav", "-f lavfi -i aevalsrc=0.4*sin(2*PI*5000*t):s=48000:d=10"));
    project.put("voice.wav", &voice);
    let (container, video) = render(&project);
    assert!(container.report.picks.iter().any(|pick| pick.role == "voice-over" && pick.id == "med_voice"));
    let heard = sound(&video);
    assert!((tone(&heard, 700.0, 1.3, 2.7) - 20.0 * 0.15f64.log10()).abs() < 0.3, "its level");
    assert!(tone(&heard, 700.0, 0.5, 1.2) < -70.0 && tone(&heard, 700.0, 2.8, 3.5) < -70.0, "its place");
    let down = tone(&heard, 5_000.0, 0.3, 1.0) - tone(&heard, 5_000.0, 1.3, 2.7);
    assert!((down - 9.0).abs() < 0.5, "{down:.2} dB");
    assert!((tone(&heard, 5_000.0, 0.3, 1.0) - tone(&heard, 5_000.0, 3.3, 4.5)).abs() < 0.1);
}

#[test]
fn a_request_can_have_tracks_and_no_music() {
    let project = Project::of(&silent(1.0), &silent(1.0)).with("/audio", json!({ "music": false }));
    let (container, video) = render(&project);
    assert!(!container.report.picks.iter().any(|pick| pick.role == "music"));
    assert!(sound(&video).iter().flatten().all(|sample| sample.abs() < 1e-4));
}

#[test]
fn a_clip_whose_sides_cancel_is_told() {
    let opposite = clip(
        "mov",
        "-f lavfi -i color=gray:size=108x192:rate=30:duration=3 -f lavfi -i \
         aevalsrc=0.3*sin(2*PI*300*t)|-0.3*sin(2*PI*300*t):s=48000:d=3 -c:v libx264 -preset ultrafast \
         -pix_fmt yuv420p -c:a pcm_s16le",
    );
    let project = Project::of(&opposite, &silent(0.5)).with("/hook", Value::Null).with("/music", json!([]));
    let (container, video) = render(&project);
    let report = audio(&container);
    assert!(report.notes.iter().any(|note| note.contains("out of phase")), "{report:?}");
    assert!(tone(&sound(&video), 300.0, 0.5, 2.5) > -30.0, "and it is there");
    let fine = Project::of(&sounding(VOICE, 3.0), &silent(0.5)).with("/hook", Value::Null);
    assert!(audio(&render(&fine).0).notes.is_empty());
}

#[test]
fn music_can_start_late_in_its_track_and_end_with_it() {
    // A tone that tells the time: 400 Hz in the first second, 800 in the second, 1200 in the third.
    let track = clip("wav", "-f lavfi -i aevalsrc=0.3*sin(2*PI*400*(1+floor(t))*t):s=48000:d=3");
    let make = |options: Value| {
        let project = Project::of(&silent(2.0), &silent(2.0))
            .with("/hook", Value::Null)
            .with("/audio", json!({ "loudness": "off", "music": options }));
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
    let project = Project::small().with(
        "/audio",
        json!({
            "loudness": 3,
            "music": {
                "gain": 40, "start": -1, "fadeIn": 99, "fadeOut": -2,
                "duck": { "amount": 100, "attack": 0, "hold": 9, "release": 11 }
            },
            "voiceOver": { "mediaId": "med_dmo", "start": -1, "gain": 13 }
        }),
    );
    let error = engine(1).render(&project.request(), &project.out()).expect_err("is refused");
    let mut pointers: Vec<_> = error.findings().iter().map(|finding| finding.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/audio/loudness",
            "/audio/music/duck/amount",
            "/audio/music/duck/attack",
            "/audio/music/duck/hold",
            "/audio/music/duck/release",
            "/audio/music/fadeIn",
            "/audio/music/fadeOut",
            "/audio/music/gain",
            "/audio/music/start",
            "/audio/voiceOver/gain",
            "/audio/voiceOver/mediaId",
            "/audio/voiceOver/start",
        ]
    );
    for (audio, pointer) in [
        (json!({ "music": { "start": 60 } }), "/audio/music/start"),
        (json!({ "voiceOver": { "mediaId": "med_demo", "start": 60 } }), "/audio/voiceOver/start"),
    ] {
        let beyond = Project::small().with("/audio", audio);
        let error = engine(1).render(&beyond.request(), &beyond.out()).expect_err("the files are a second long");
        assert_eq!((error.code(), error.pointer()), ("VALIDATION", Some(pointer)));
        assert!(left_in(&beyond.out()).is_empty());
    }
    for (field, value) in [
        ("/audio", json!({ "loudness": "quiet" })),
        ("/audio", json!({ "loudness": true })),
        ("/audio", json!({ "music": true })),
        ("/audio", json!({ "music": { "duck": 12 } })),
        ("/audio", json!({ "musik": {} })),
        ("/musicOptions", json!({})),
        ("/output/keepLevels", json!(true)),
    ] {
        let error = Project::small().with(field, value.clone()).read().expect_err("is refused");
        assert_eq!(error.code(), "VALIDATION", "{field} {value}");
    }
}
