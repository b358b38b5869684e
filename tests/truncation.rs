//! Every kind of source, cut short at twenty places: it is used as far as it goes, or refused with a reason, in time.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use remix_engine::{Cancel, Control, Engine, Error};
use serde_json::{Value, json};
use support::{H264, Project, brightness, clip, engine, ffmpeg, left_in};

/// Places that a file is cut at.
const CUTS: usize = 20;
/// No cut of these tiny files takes a second; a render that takes this long hangs.
const DEADLINE: Duration = Duration::from_secs(30);
/// What a source that is cut short may be refused with.
const CODES: [&str; 4] = ["SOURCE_UNREADABLE", "SOURCE_UNSUPPORTED", "SOURCE_EMPTY", "LIMIT_EXCEEDED"];

/// Where a source is used.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Reaction,
    Music,
}

/// A picture that is nowhere black, of 0.3 s.
const PICTURE: &str = "-f lavfi -i testsrc2=size=72x128:rate=30:duration=0.3,lutyuv=y=max(val\\,90)";
const TONE: &str = "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=0.3";
/// One picture; small, but not so small that all cuts are in its header.
const STILL: &str = "-f lavfi -i testsrc2=size=72x128:rate=30:duration=0.04,lutyuv=y=max(val\\,90) -frames:v 1";

/// Every kind of source: what it is, where it is used, its extension, and what ffmpeg makes it of.
fn kinds() -> Vec<(&'static str, Role, PathBuf)> {
    let reaction = |what, extension, options: &str| (what, Role::Reaction, clip(extension, options));
    let music = |what, extension, options: &str| (what, Role::Music, clip(extension, &format!("{TONE} {options}")));
    let both = format!("{PICTURE} {TONE}");
    vec![
        reaction("MP4, index first", "mp4", &format!("{both} {H264} -g 5 -c:a aac -movflags +faststart")),
        reaction("MP4, index last", "mp4", &format!("{both} {H264} -g 5 -c:a aac")),
        reaction(
            "MP4 in fragments",
            "mp4",
            &format!("{both} {H264} -g 3 -c:a aac -movflags +frag_keyframe+empty_moov"),
        ),
        reaction("MOV, ProRes", "mov", &format!("{both} -c:v prores_ks -c:a pcm_s16le -movflags +faststart")),
        reaction(
            "WebM, VP9 and Opus",
            "webm",
            &format!("{both} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 4 -pix_fmt yuv420p -c:a libopus"),
        ),
        reaction("Matroska, H.264", "mkv", &format!("{both} {H264} -g 5 -c:a flac")),
        reaction("GIF", "gif", PICTURE),
        reaction("WebP", "webp", &format!("{STILL} -c:v libwebp")),
        reaction("PNG", "png", STILL),
        reaction("JPEG", "jpg", &format!("{STILL} -pix_fmt yuvj420p -q:v 3")),
        music("MP3", "mp3", "-c:a libmp3lame"),
        music("M4A", "m4a", "-c:a aac"),
        music("WAV", "wav", ""),
        music("FLAC", "flac", ""),
        music("Ogg, Vorbis", "ogg", "-c:a libvorbis"),
        music("Ogg, Opus", "ogg", "-c:a libopus -ac 2"),
    ]
}

/// What stands beside the source.
fn whole_clip() -> PathBuf {
    clip("mp4", &format!("{PICTURE} -frames:v 3 {H264}"))
}

/// A project with `bytes` as its reaction or as its music.
fn project(role: Role, bytes: &[u8]) -> Project {
    let project = Project::of(&whole_clip(), &whole_clip()).with("/hook", Value::Null);
    match role {
        Role::Reaction => {
            project.write("reaction.mp4", bytes);
            project.with("/music", json!([]))
        }
        Role::Music => {
            project.write("music.wav", bytes);
            project
        }
    }
}

/// Renders a project and gives the frames of its first shot; `None` if it did not end in time.
fn in_time(engine: &Engine, project: &Project) -> Option<Result<usize, Error>> {
    let cancel = Cancel::new();
    let control = Control::new().with_cancel(cancel.clone());
    let (engine, request, out) = (engine.clone(), project.request(), project.out());
    let (done, waiting) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let rendered = engine.plan(&request, &control).and_then(|plans| {
            engine.render_with(&request, &out, &control)?;
            Ok(usize::try_from(plans[0].shots()[0].frames.len()).expect("a short clip"))
        });
        // Nobody waits any more after the deadline.
        let _ = done.send(rendered);
    });
    let result = waiting.recv_timeout(DEADLINE);
    if result.is_err() {
        cancel.cancel();
    }
    match result {
        Ok(result) => {
            worker.join().expect("it has ended");
            Some(result)
        }
        Err(mpsc::RecvTimeoutError::Timeout) => None,
        Err(mpsc::RecvTimeoutError::Disconnected) => unreachable!("the render panicked"),
    }
}

/// What is wrong with what became of a source that was cut short.
fn fault(engine: &Engine, role: Role, bytes: &[u8]) -> Result<bool, String> {
    let project = project(role, bytes);
    match in_time(engine, &project) {
        None => Err(format!("not done after {DEADLINE:?}")),
        Some(Err(error)) => {
            let left = left_in(&project.out());
            let named = error
                .asset()
                .is_some_and(|asset| asset.contains(if role == Role::Music { "trk_one" } else { "rt_one" }));
            if !CODES.contains(&error.code()) || !named || !left.is_empty() {
                return Err(format!("{error:?}\nleft {left:?}"));
            }
            Ok(false)
        }
        Some(Ok(frames)) => {
            let video = project.out().join("cnt_test/video.mp4");
            // The helper fails on anything that ffmpeg says.
            ffmpeg(&video, "-i FILE -f null -");
            let shown = brightness(&video);
            if role == Role::Reaction && shown[..frames].iter().all(|&luma| luma < 40) {
                return Err(format!("{frames} black frames"));
            }
            Ok(true)
        }
    }
}

/// Cuts one kind of source at all places.
fn cut(kind: &str) {
    let kinds = kinds();
    let (_, role, file) = kinds.iter().find(|(what, ..)| *what == kind).expect("a kind");
    let bytes = fs::read(file).expect("is there");
    let engine = engine(1);
    // The first bytes, where formats are told apart, then evenly spread places to the last byte but one.
    let spread = CUTS - 4;
    let places = [1, 4, 12, 40].into_iter().chain((1..=spread).map(|at| (bytes.len() - 1) * at / spread));
    let mut faults = Vec::new();
    let mut taken = 0;
    for place in places {
        match fault(&engine, *role, &bytes[..place.min(bytes.len() - 1)]) {
            Ok(used) => taken += usize::from(used),
            Err(fault) => faults.push(format!("{kind} cut at {place} of {} bytes: {fault}", bytes.len())),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    // A file of one byte is nothing, however lenient a reader is.
    assert!(taken < CUTS, "{kind}: all cuts were taken for a whole file");
}

macro_rules! cuts {
    ($($name:ident: $kind:literal,)*) => {
        $(#[test]
        fn $name() {
            cut($kind);
        })*

        #[test]
        fn every_kind_is_cut() {
            let known: Vec<&str> = kinds().iter().map(|(what, ..)| *what).collect();
            assert_eq!(known, [$($kind),*]);
        }
    };
}

cuts! {
    mp4_with_its_index_first: "MP4, index first",
    mp4_with_its_index_last: "MP4, index last",
    mp4_in_fragments: "MP4 in fragments",
    mov_prores: "MOV, ProRes",
    webm_vp9_opus: "WebM, VP9 and Opus",
    matroska_h264: "Matroska, H.264",
    gif: "GIF",
    webp: "WebP",
    png: "PNG",
    jpeg: "JPEG",
    mp3: "MP3",
    m4a: "M4A",
    wav: "WAV",
    flac: "FLAC",
    ogg_vorbis: "Ogg, Vorbis",
    ogg_opus: "Ogg, Opus",
}

/// Otherwise the cuts prove nothing.
#[test]
fn every_kind_is_taken_when_it_is_whole() {
    let engine = engine(1);
    let refused = |(what, role, file): (&str, Role, PathBuf)| {
        let bytes = fs::read(&file).expect("is there");
        match fault(&engine, role, &bytes) {
            Ok(true) => None,
            Ok(false) => Some(format!("{what} is refused: {}", reason(&engine, role, &bytes))),
            Err(fault) => Some(format!("{what}: {fault}")),
        }
    };
    let refused: Vec<String> = kinds().into_iter().filter_map(refused).collect();
    assert!(refused.is_empty(), "\n{}", refused.join("\n"));
}

fn reason(engine: &Engine, role: Role, bytes: &[u8]) -> String {
    let project = project(role, bytes);
    let error = engine.plan(&project.request(), &Control::new()).map(drop);
    error.map_or_else(|error| format!("{} {}", error.code(), error.message()), |()| "while it was rendered".to_owned())
}

/// The measure of blackness notices a black source.
#[test]
fn a_black_reaction_is_noticed() {
    let black = clip("mp4", &format!("-f lavfi -i color=black:size=72x128:rate=30:duration=0.1 {H264}"));
    let bytes = fs::read(Path::new(&black)).expect("is there");
    assert!(fault(&engine(1), Role::Reaction, &bytes).is_err_and(|fault| fault.contains("black")));
}
