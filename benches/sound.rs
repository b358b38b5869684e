//! The sound of a timeline of 60 s by itself: an MP3 at 44.1 kHz under two clips with AAC, ducked, mixed, measured,
//! limited and encoded; the chunks of its pictures are in the store.

#![allow(clippy::print_stdout, reason = "criterion has no place for CPU time and memory")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use remix_engine::request::Request;
use remix_engine::store::ChunkStore;
use remix_engine::{Control, Engine, EngineOptions};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let folder = tempfile::tempdir().expect("a temporary folder");
    make_sources(folder.path());
    let engine = Engine::new(EngineOptions::default()).expect("FFmpeg is complete");
    let request = Request::from_json(REQUEST.as_bytes(), folder.path()).expect("is a request");
    let control = Control::new();
    let plan = engine.plan(&request, &control).expect("can be planned").remove(0);
    let store = ChunkStore::open(folder.path().join("chunks")).expect("a store");
    engine.generate_visuals(&plan, &store, &control).expect("can be rendered");
    let file = folder.path().join("video.mp4");
    let assemble = || engine.assemble(&plan, &store, &file, &control).expect("can be assembled");
    // The store keeps the sound as well.
    let forget = || {
        for entry in std::fs::read_dir(folder.path().join("chunks")).expect("is there").filter_map(Result::ok) {
            if entry.path().extension().is_some_and(|ending| ending == "sound") {
                std::fs::remove_file(entry.path()).expect("can be removed");
            }
        }
    };
    // What the limits are on: this process alone, on one thread; memory above what was there before.
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux resets the peak");
    let (before, base) = (cpu_seconds(), memory("VmRSS:"));
    let made = assemble();
    println!("CPU of one pass: {:.3} s; {:?}", cpu_seconds() - before, made.sound);
    println!("memory of one pass: {} KiB", memory("VmHWM:") - base);
    criterion.bench_function("sound/60s", |bench| {
        bench.iter_batched(forget, |()| assemble(), BatchSize::PerIteration);
    });
    criterion.final_summary();
}

const REQUEST: &str = r#"{
    "id": "cnt_sound", "format": "ugc-remix", "influencerId": "inf",
    "media": [{ "id": "demo", "mediaRole": "app-demo", "src": "two.mp4" }],
    "reactionTemplates": [{ "id": "one", "src": "one.mp4" }],
    "music": [{ "id": "track", "src": "track.mp3" }],
    "output": { "preset": "draft" }
}"#;

/// Small pictures with a sound that comes and goes as syllables do, and a track of several tones over noise.
fn make_sources(folder: &Path) {
    let syllables = "aevalsrc=0.3*(0.5+0.5*sin(2*PI*3*t))*(sin(2*PI*(140*t+2*sin(2*PI*t)))+0.6*sin(2*PI*(420*t+6*sin(2*PI*t)))\
                     +0.4*sin(2*PI*(1260*t+18*sin(2*PI*t))))*lt(mod(t\\,6)\\,3):s=48000:d=30";
    let picture = "color=gray:size=108x192:rate=30:duration=30";
    let track = "aevalsrc=0.2*sin(2*PI*220*t)*(1+sin(2*PI*2*t))+0.1*sin(2*PI*2217*t)*lt(mod(t\\,0.5)\\,0.2)+0.05*(random(0)-0.5)\
                 |0.2*sin(2*PI*330*t)+0.1*sin(2*PI*2793*t)*lt(mod(t\\,0.25)\\,0.1)+0.05*(random(1)-0.5):s=44100:d=65";
    for clip in ["one.mp4", "two.mp4"] {
        let options = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
        ffmpeg(
            &[&["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", syllables], &options[..]].concat(),
            folder.join(clip),
        );
    }
    ffmpeg(&["-f", "lavfi", "-i", track, "-c:a", "libmp3lame", "-b:a", "192k"], folder.join("track.mp3"));
}

fn ffmpeg(options: &[&str], file: PathBuf) {
    let status = Command::new("ffmpeg").args(["-v", "error", "-y", "-nostdin"]).args(options).arg(file).status();
    assert!(status.expect("ffmpeg runs").success(), "ffmpeg makes the sources");
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("is Linux");
    // After the name, which may have spaces: the 14th and 15th field, in hundredths (proc(5)).
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// A line of this process's status, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
