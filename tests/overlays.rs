//! Text that is burnt into a source: found where it is, when it is there, and read. It is drawn by FFmpeg, not by the engine.
#![cfg(feature = "tesseract")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use remix_engine::burnt::{
    FoundOverlay, FoundText, LinePicture, LineReading, OverlayKind, Region, TesseractReader, TextReader, WordReading,
};
use remix_engine::limits::Limits;
use remix_engine::units::TimeSpan;
use remix_engine::{Control, Engine, EngineOptions, Error, ErrorKind};
use support::{H264, clip, engine, ffmpeg};

/// A scene that moves, of 540x960.
const MOVING: &str = "-f lavfi -i mandelbrot=size=540x960:rate=30:end_scale=0.02:maxiter=300";

/// A file with a text, since spaces in options part them.
fn written(text: &str) -> String {
    let name: String = text.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("text-{name}.txt"));
    std::fs::write(&file, text).expect("is written");
    file.display().to_string()
}

/// Text as FFmpeg draws it: where, when, how.
fn drawn(text: &str, y: u32, (first, last): (u64, u64), style: &str) -> String {
    let text = written(text);
    format!(
        "drawtext=font=Inter\\\\:bold:textfile={text}:x=(w-tw)/2:y={y}:{style}:enable=between(n\\,{first}\\,{last})"
    )
}

const OUTLINED: &str = "fontsize=44:fontcolor=white:borderw=3:bordercolor=black";
const BOXED: &str = "fontsize=34:fontcolor=black:box=1:boxcolor=white:boxborderw=12";
const YELLOW: &str = "fontsize=48:fontcolor=0xffe600:borderw=4:bordercolor=black";

fn filmed(frames: u64, filters: &str) -> PathBuf {
    clip("mp4", &format!("{MOVING} -frames:v {frames} -vf {filters} {H264} -crf 20"))
}

fn find(file: &Path) -> Result<FoundText, Error> {
    let reader = TesseractReader::new(&["Latn".to_owned()]).expect("is installed");
    engine(1).find_overlays(file, &reader, &Control::new())
}

fn found(file: &Path) -> Vec<FoundOverlay> {
    find(file).expect("can be looked at").overlays
}

/// Where the ink of a text is, by drawing it alone.
fn ink(filters: &str) -> Region {
    let filters = filters.split(":enable=").next().expect("is not empty");
    let bytes = ffmpeg(
        Path::new("-"),
        &format!("-f lavfi -i color=0x808080:size=540x960 -vf {filters} -frames:v 1 -pix_fmt gray -f rawvideo -"),
    );
    let ground = bytes[0];
    let inked = |at: &usize| bytes[*at].abs_diff(ground) > 20;
    let all: Vec<(u32, u32)> =
        (0..bytes.len()).filter(inked).map(|at| ((at % 540) as u32, (at / 540) as u32)).collect();
    let least = |side: &dyn Fn(&(u32, u32)) -> u32| all.iter().map(side).min().expect("has ink");
    let most = |side: &dyn Fn(&(u32, u32)) -> u32| all.iter().map(side).max().expect("has ink") + 1;
    let (x, y) = (least(&|at| at.0), least(&|at| at.1));
    Region { x, y, width: most(&|at| at.0) - x, height: most(&|at| at.1) - y }
}

/// What two regions share, of what both take.
fn overlap(one: Region, other: Region) -> f64 {
    let across = (one.x + one.width).min(other.x + other.width).saturating_sub(one.x.max(other.x));
    let down = (one.y + one.height).min(other.y + other.height).saturating_sub(one.y.max(other.y));
    let shared = f64::from(across * down);
    shared / (f64::from(one.width * one.height + other.width * other.height) - shared)
}

fn near(color: [u8; 3], meant: [u8; 3]) -> bool {
    color.iter().zip(meant).all(|(one, other)| one.abs_diff(other) <= 30)
}

#[test]
fn captions_are_found_where_and_when_they_are() {
    let always = drawn("wait for it", 140, (0, 89), OUTLINED);
    let first = drawn("Nobody told me", 700, (12, 40), YELLOW);
    let second = drawn("try this one", 700, (47, 80), BOXED);
    let file = filmed(90, &format!("{always},{first},{second}"));
    let overlays = found(&file);
    let said: Vec<_> = overlays.iter().map(|overlay| overlay.text.as_str()).collect();
    assert_eq!(said, ["wait for it", "Nobody told me", "try this one"], "{overlays:#?}");
    for (overlay, (text, (first, last))) in
        overlays.iter().zip([(&always, (0, 89)), (&first, (12, 40)), (&second, (47, 80))])
    {
        assert!(overlay.first_frame.abs_diff(first) <= 2 && overlay.last_frame.abs_diff(last) <= 2, "{overlay:#?}");
        assert_eq!((overlay.kind, overlay.script.as_str()), (OverlayKind::Caption, "Latn"));
        let meant = ink(text);
        assert!(overlap(overlay.region, meant) > 0.75, "{:?} is not {meant:?}: {}", overlay.region, overlay.text);
        assert!((overlay.start - overlay.first_frame as f64 / 30.0).abs() < 1e-9);
        assert_eq!(overlay.style.align, "center");
        assert!(overlay.confidence > 0.7, "{}", overlay.confidence);
    }
    let styles: Vec<_> = overlays.iter().map(|overlay| &overlay.style).collect();
    assert!(near(styles[0].color.0, [255; 3]) && near(styles[1].color.0, [255, 230, 0]), "{styles:#?}");
    assert!(near(styles[2].color.0, [0; 3]), "{styles:#?}");
    let stroke = styles[0].stroke.expect("has a rim");
    assert!(near(stroke.color.0, [0; 3]) && stroke.width.abs_diff(3) <= 2, "{stroke:?}");
    assert!(styles[2].stroke.is_none() && near(styles[2].backdrop.expect("has a box").color.0, [255; 3]));
    // Sizes of fonts, roughly.
    for (style, meant) in styles.iter().zip([44.0, 48.0, 34.0]) {
        assert!((style.font_size / meant - 1.0).abs() < 0.35, "{} is not {meant}", style.font_size);
    }
}

#[test]
fn lines_of_one_text_belong_together_and_words_have_their_colours() {
    let upper = drawn("three things", 400, (0, 59), OUTLINED);
    let lower = drawn("about rent", 456, (0, 59), OUTLINED);
    let overlays = found(&filmed(60, &format!("{upper},{lower}")));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!(overlay.text, "three things\nabout rent");
    assert_eq!(overlay.lines.len(), 2);
    assert_eq!(overlay.lines[0].words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["three", "things"]);

    // One word of another colour, beside the others.
    let style = |x: u32, color: &str| {
        format!("fontsize=44:fontcolor={color}:borderw=3:bordercolor=black")
            .replace("fontsize", &format!("x={x}:fontsize"))
    };
    let word = |text: &str, x: u32, color: &str| {
        format!("drawtext=font=Inter\\\\:bold:text={text}:y=500-ascent:{}", style(x, color))
    };
    let filters = [word("pay", 60, "white"), word("FULL", 160, "0x00e5ff"), word("price", 276, "white")].join(",");
    let overlays = found(&filmed(61, &filters));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!(overlay.text, "pay FULL price");
    let colors: Vec<_> = overlay.lines[0].words.iter().map(|word| word.color.0).collect();
    assert!(near(colors[0], [255; 3]) && near(colors[1], [0, 229, 255]) && near(colors[2], [255; 3]), "{colors:?}");
}

#[test]
fn a_clip_without_text_has_none_and_a_still_is_looked_at() {
    assert_eq!(found(&filmed(62, "null")), []);
    let text = drawn("Save this post", 300, (0, 0), OUTLINED);
    let still = clip("png", &format!("{MOVING} -frames:v 1 -vf {text}"));
    let seen = find(&still).expect("can be looked at");
    assert_eq!((seen.width, seen.height, seen.frames), (540, 960, 1));
    let [overlay] = &seen.overlays[..] else { unreachable!("{seen:#?}") };
    assert_eq!((overlay.text.as_str(), overlay.first_frame, overlay.last_frame), ("Save this post", 0, 0));
}

/// Answers with what it is told to, and remembers what it was asked.
struct Scripted(Mutex<Vec<LinePicture>>, Option<&'static str>);

impl TextReader for Scripted {
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<(), Error>) -> Result<Vec<LineReading>, Error> {
        alive()?;
        let text = self.1.ok_or_else(|| Error::new(ErrorKind::Internal, "the reader is out of order"))?;
        self.0.lock().expect("no reader panics").extend_from_slice(lines);
        let word = |line: &LinePicture| WordReading { text: text.to_owned(), columns: 0..line.width, confidence: 1.0 };
        let read = |line| LineReading { words: vec![word(line)], script: "Zyyy".to_owned(), confidence: 1.0 };
        Ok(lines.iter().map(read).collect())
    }
}

#[test]
fn a_reader_of_the_callers_own_is_asked() {
    let file = filmed(63, &drawn("wait for it", 140, (0, 89), OUTLINED));
    let reader = Scripted(Mutex::default(), Some("something"));
    let seen = engine(1).find_overlays(&file, &reader, &Control::new()).expect("can be looked at");
    assert!(seen.overlays.iter().any(|overlay| overlay.text == "something" && overlay.script == "Zyyy"), "{seen:#?}");
    let lines = reader.0.into_inner().expect("no reader panics");
    let first = &lines[0];
    assert_eq!(first.samples.len(), first.width * first.height);
    // Dark letters on white, with nothing at the edges.
    assert!(first.samples[..first.width * 8].iter().all(|&value| value == 255));
    let dark = first.samples.iter().filter(|&&value| value < 64).count() as f64 / first.samples.len() as f64;
    assert!((0.05..0.4).contains(&dark), "{dark}");
    let error = engine(1).find_overlays(&file, &Scripted(Mutex::default(), None), &Control::new());
    assert_eq!(error.expect_err("its fault is told").code(), "INTERNAL");
}

#[test]
fn what_cannot_be_looked_at_is_told() {
    let code = |file: &Path| find(file).expect_err("is refused").code();
    let sound = clip("mp3", "-f lavfi -i sine=duration=1 -c:a libmp3lame");
    assert_eq!(code(&sound), "SOURCE_EMPTY");
    assert_eq!(code(Path::new("nowhere.mp4")), "SOURCE_UNREADABLE");
    let file = filmed(64, "null");
    let limits = Limits { output_duration: TimeSpan::from_secs(1), ..Limits::default() };
    let short = Engine::new(EngineOptions { limits, ..EngineOptions::default() }).expect("can be made");
    let reader = TesseractReader::new(&[]).expect("is installed");
    let error = short.find_overlays(&file, &reader, &Control::new()).expect_err("is too long");
    assert_eq!(error.code(), "LIMIT_EXCEEDED");
    let control = Control::new();
    control.cancel().cancel();
    let error = engine(1).find_overlays(&file, &reader, &control).expect_err("is cancelled");
    assert_eq!(error.code(), "CANCELED");
}

#[test]
fn the_command_prints_them() {
    let file = filmed(63, &drawn("wait for it", 140, (0, 89), OUTLINED));
    let run = |words: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_remix")).arg("overlays").arg(&file).args(words).output();
        let done = done.expect("runs");
        (done.status.code(), String::from_utf8(done.stdout).expect("is text"))
    };
    let (code, text) = run(&["--script", "Latn", "--json"]);
    let read: FoundText = serde_json::from_str(&text).expect("is what the library gives");
    assert_eq!((code, read), (Some(0), find(&file).expect("can be looked at")));
    let (code, text) = run(&["--script", "Latn"]);
    assert!(code == Some(0) && text.contains("wait for it") && text.contains("caption, Latn"), "{text}");
    let (code, text) = run(&["--script", "Latin", "--json"]);
    assert!(code == Some(2) && text.contains("VALIDATION"), "{text}");
}
