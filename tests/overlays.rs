//! Text that is burnt into a source: found where it is, when it is there, and read. It is drawn by FFmpeg, not by the engine.
#![cfg(feature = "tesseract")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use remix_engine::burnt::{
    FoundChangeKind, FoundOverlay, FoundText, LinePicture, LineReading, OverlayKind, TesseractReader, TextReader,
    WordReading,
};
use remix_engine::compose::SourceRect;
use remix_engine::limits::Limits;
use remix_engine::text::{Align, Rgba};
use remix_engine::units::TimeSpan;
use remix_engine::{Control, Engine, EngineOptions, Error, ErrorKind};
use support::{H264, Project, clip, engine, ffmpeg, written};

/// A scene that moves, of 540x960.
const MOVING: &str = "-f lavfi -i mandelbrot=size=540x960:rate=30:end_scale=0.02:maxiter=300";

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
fn ink(filters: &str) -> SourceRect {
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
    SourceRect { x, y, width: most(&|at| at.0) - x, height: most(&|at| at.1) - y }
}

/// What two regions share, of what both take.
fn overlap(one: SourceRect, other: SourceRect) -> f64 {
    let across = (one.x + one.width).min(other.x + other.width).saturating_sub(one.x.max(other.x));
    let down = (one.y + one.height).min(other.y + other.height).saturating_sub(one.y.max(other.y));
    let shared = f64::from(across * down);
    shared / (f64::from(one.width * one.height + other.width * other.height) - shared)
}

fn near(color: Rgba, meant: [u8; 3]) -> bool {
    [color.r, color.g, color.b].iter().zip(meant).all(|(one, other)| one.abs_diff(other) <= 30)
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
        assert_eq!(overlay.style.align, Align::Center);
        assert!(overlay.confidence > 0.7, "{}", overlay.confidence);
    }
    let styles: Vec<_> = overlays.iter().map(|overlay| &overlay.style).collect();
    assert!(near(styles[0].color, [255; 3]) && near(styles[1].color, [255, 230, 0]), "{styles:#?}");
    assert!(near(styles[2].color, [0; 3]), "{styles:#?}");
    let stroke = styles[0].stroke.expect("has a rim");
    assert!(near(stroke.color, [0; 3]) && stroke.width.abs_diff(3) <= 2, "{stroke:?}");
    assert!(styles[2].stroke.is_none() && near(styles[2].backdrop.expect("has a box").color, [255; 3]));
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
    let colors: Vec<_> = overlay.lines[0].words.iter().map(|word| word.color).collect();
    assert!(near(colors[0], [255; 3]) && near(colors[1], [0, 229, 255]) && near(colors[2], [255; 3]), "{colors:?}");
}

#[test]
fn words_far_apart_are_one_line_and_what_was_between_them_once_is_no_letter() {
    // Beyond the comma the next word is further away than words are: its letters are all small.
    let overlays = found(&filmed(60, &drawn("more, sooner", 400, (0, 59), OUTLINED)));
    let texts: Vec<&str> = overlays.iter().map(|overlay| overlay.text.as_str()).collect();
    assert!(matches!(texts[..], ["more, sooner" | "more sooner"]), "{texts:?}");

    // A white thing of the scene, where a hyphen would be, which gets dark before the text goes.
    let word = |text: &str, x: u32| format!("drawtext=font=Inter\\\\:bold:text={text}:x={x}:y=500-ascent:{OUTLINED}");
    let thing = "drawbox=x=186:y=482:w=7:h=6:t=fill:color";
    let filters = [
        format!("{thing}=0x808080"),
        format!("{thing}=white:enable=lt(n\\,20)"),
        word("Best", 96),
        word("minute", 197),
    ];
    let overlays = found(&filmed(62, &filters.join(",")));
    let texts: Vec<&str> = overlays.iter().map(|overlay| overlay.text.as_str()).collect();
    assert_eq!(texts, ["Best minute"]);
}

/// Text that comes and goes as these options of FFmpeg's say.
fn animated(text: &str, options: &str) -> String {
    format!("drawtext=font=Inter\\\\:bold:textfile={}:fontcolor=white:borderw=3:{options}", written(text))
}

#[test]
fn what_comes_and_goes_slowly_is_found_from_its_first_frame_to_its_last() {
    let fades = "fontsize=44:x=(w-tw)/2:y=400:alpha=clip(min((n-9)/10\\,(71-n)/10)\\,0\\,1)";
    let slides = "fontsize=44:x=(w-tw)/2-4*pow(max(22-n\\,0)\\,2):y=400:enable=gte(n\\,16)";
    let sized = "scale=w=540*min(1\\,0.6+0.05*(n-10)):h=-2:eval=frame";
    let layer = format!("[1:v]{},{sized}[t]", animated("wait for it", "fontsize=44:x=(w-tw)/2:y=(h-th)/2"));
    let pops = clip(
        "mp4",
        &format!(
            "{MOVING} -f lavfi -i color=black@0:size=540x160:rate=30,format=rgba -frames:v 80 -filter_complex \
             {layer};[0:v][t]overlay=x=(W-w)/2:y=422-h/2:enable=gte(n\\,10) {H264} -crf 20"
        ),
    );
    let drawn = |options: &str| filmed(80, &animated("wait for it", options));
    for (file, kind, (first, last), settled) in [
        (drawn(fades), FoundChangeKind::Fade, (10, 70), 19),
        (drawn(slides), FoundChangeKind::Slide, (16, 79), 22),
        (pops, FoundChangeKind::Pop, (10, 79), 18),
    ] {
        let overlays = found(&file);
        let [overlay] = &overlays[..] else { unreachable!("{kind:?}: {overlays:#?}") };
        assert_eq!(overlay.text, "wait for it");
        let (start, end) = (overlay.first_frame, overlay.last_frame);
        assert!(start.abs_diff(first) <= 2 && end.abs_diff(last) <= 2, "{kind:?}: {start} to {end}");
        let enter = overlay.style.enter.expect("comes slowly");
        assert_eq!(enter.kind, kind, "{overlay:#?}");
        assert!((start + enter.frames).abs_diff(settled) <= 3, "{kind:?}: {enter:?}");
        assert_eq!(overlay.style.exit.is_some(), last < 79, "{kind:?}: {:?}", overlay.style.exit);
        // Where it is on its way.
        assert_eq!(overlay.moves.is_empty(), kind == FoundChangeKind::Fade, "{overlay:#?}");
        let right = |region: SourceRect| i64::from(region.x + region.width);
        for there in &overlay.moves {
            assert!((start..settled + 2).contains(&there.frame), "{there:?}");
            let passed = settled.saturating_sub(there.frame) as i64;
            let meant = match kind {
                FoundChangeKind::Slide => right(overlay.region) - 4 * passed.pow(2),
                _ => right(overlay.region) - i64::from(overlay.region.width) * 5 * passed / 200,
            };
            assert!((right(there.region) - meant.max(0)).abs() <= 6, "{there:?} does not end at {meant}");
        }
    }
}

#[test]
fn a_line_that_stands_is_a_part_of_what_still_comes() {
    let stands = animated("wait for it", "fontsize=44:x=(w-tw)/2:y=400:enable=gte(n\\,19)");
    let slides = animated("right here", "fontsize=44:x=(w-tw)/2-4*pow(max(22-n\\,0)\\,2):y=454:enable=gte(n\\,16)");
    let overlays = found(&filmed(80, &format!("{stands},{slides}")));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!(overlay.text, "wait for it\nright here");
    let upper = overlay.lines[0].region;
    for there in overlay.moves.iter().filter(|there| there.frame >= 20) {
        let (right, lower) = (there.region.x + there.region.width, there.region.y + there.region.height);
        assert!(there.region.x <= upper.x + 2 && there.region.y <= upper.y + 2, "{there:?}");
        assert!(right + 2 >= upper.x + upper.width && lower > upper.y + upper.height, "{there:?}");
    }
    assert!(overlay.moves.iter().any(|there| there.frame >= 20), "{:?}", overlay.moves);
}

#[test]
fn what_goes_to_another_place_and_stays_is_there_once_at_a_time() {
    let goes = "fontsize=44:x=(w-tw)/2:y=600-20*clip(n-40\\,0\\,10)";
    let overlays = found(&filmed(90, &animated("wait for it", goes)));
    let [first, second] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert!(first.first_frame == 0 && (39..=51).contains(&first.last_frame), "{first:#?}");
    assert!((39..=51).contains(&second.first_frame) && second.last_frame == 89, "{second:#?}");
}

#[test]
fn a_word_of_two_letters_is_one_where_it_takes_its_turn() {
    let word = |text: &str, frames: (u64, u64)| drawn(text, 500, frames, "fontsize=60:fontcolor=white");
    let filmed = |texts: &str| {
        clip("mp4", &format!("-f lavfi -i color=0x305070:size=540x960:rate=30 -frames:v 60 -vf {texts} {H264} -crf 20"))
    };
    // These letters differ from capitals in size alone.
    let said = |file: &Path| found(file).into_iter().map(|overlay| overlay.text.to_lowercase()).collect::<Vec<_>>();
    assert!(said(&filmed(&word("so", (0, 59)))).is_empty(), "alone it could be anything");
    let turns = filmed(&format!("{},{}", word("honestly", (0, 29)), word("so", (30, 59))));
    assert_eq!(said(&turns), ["honestly", "so"]);
    let apart = filmed(&format!("{},{}", word("honestly", (0, 29)), word("so", (45, 59))));
    assert_eq!(said(&apart), ["honestly"]);
}

#[test]
fn what_scrolls_over_the_scene_is_found_and_what_moves_with_it_is_not() {
    let scrolls = "fontsize=44:x=(w-tw)/2:y=860-7*n";
    let overlays = found(&filmed(110, &animated("the end of it", scrolls)));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    // A space by a narrow letter may be lost: it is read from few pictures.
    assert_eq!((overlay.text.replace(' ', "").as_str(), overlay.kind), ("theendofit", OverlayKind::Caption));
    assert!(overlay.first_frame <= 2 && overlay.last_frame >= 100, "{overlay:#?}");
    assert!(overlay.moves.len() >= 90);
    for there in &overlay.moves {
        let meant = ink(&animated("the end of it", &scrolls.replace("7*n", &format!("7*{}", there.frame))));
        assert!(overlap(there.region, meant) > 0.6, "{there:?} is not {meant:?}");
    }

    // The same words on a scene that goes past.
    let sign = animated("the end of it", "fontsize=44:x=(w-tw)/2:y=1100");
    let scene = "-f lavfi -i mandelbrot=size=540x1900:rate=30:start_scale=0.3:end_scale=0.29:maxiter=300 -frames:v 1";
    let still = clip("png", &format!("{scene} -vf {sign}"));
    let pan = "crop=540:960:x=0:y=240+7*n:exact=1";
    let past =
        clip("mp4", &format!("-loop 1 -framerate 30 -i {} -frames:v 90 -vf {pan} {H264} -crf 20", still.display()));
    assert_eq!(found(&past), []);
}

#[test]
fn what_turns_over_the_scene_is_found_and_what_turns_with_it_is_not() {
    let turned = |text: &str, angle: &str, size: &str| {
        let text = written(text);
        let drawn = format!(
            "color=black@0:size=520x520:rate=30,format=rgba,drawtext=font=Inter\\\\:bold:textfile={text}:\
             x=(w-tw)/2:y=(h-th)/2:line_spacing=10:{OUTLINED},rotate={angle}:c=black@0"
        );
        let over = format!(
            "[1]scale=w=520*({size}):h=-2:eval=frame[t];[0][t]overlay=x=(W-w)/2:y=(H-h)/2:shortest=1:eval=frame,format=yuv420p"
        );
        clip("mp4", &format!("{MOVING} -f lavfi -i {drawn} -filter_complex {over} -frames:v 100 {H264} -crf 20"))
    };
    // It is read from few pictures: spaces and signs may be lost.
    let said = |overlay: &FoundOverlay| {
        let kept = overlay.text.chars().filter(|letter| letter.is_alphanumeric() || *letter == '\n');
        kept.collect::<String>().to_lowercase()
    };
    // Swings, as fast as once a second: what is looked for once a second would always be found where it is the most askew.
    let overlays = found(&turned("watch it swing\nall day long", "0.1*sin(n*2*PI/30)", "1"));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!((said(overlay).as_str(), overlay.kind), ("watchitswing\nalldaylong", OverlayKind::Caption));
    assert_eq!((overlay.first_frame, overlay.last_frame), (0, 99));
    assert!(overlay.moves.len() >= 80 && overlay.style.stroke.is_some(), "{overlay:#?}");
    for there in &overlay.moves {
        let meant = (0.1 * (there.frame as f64 * std::f64::consts::TAU / 30.0).sin()).to_degrees();
        let angle = overlay.style.rotation + there.rotation;
        assert!((angle - meant).abs() <= 1.2, "frame {}: {angle} is not {meant}", there.frame);
    }

    // Turns around, and is read the right way up.
    let overlays = found(&turned("round and round", "n*PI/50+2", "1"));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!((overlay.first_frame, overlay.last_frame), (0, 99));
    assert_eq!(said(overlay), "roundandround");
    for there in &overlay.moves {
        let meant = (there.frame as f64 * 3.6 + 2f64.to_degrees()).rem_euclid(360.0);
        let off = (overlay.style.rotation + there.rotation - meant + 180.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() <= 1.2, "frame {}: {off} from {meant}", there.frame);
    }

    // Beats.
    let overlays = found(&turned("beat after beat", "0", "1+0.08*sin(n*2*PI/24)"));
    let [overlay] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!(said(overlay), "beatafterbeat");
    let wide = overlay.moves.iter().map(|there| there.region.width).max().unwrap_or(0);
    let narrow = overlay.moves.iter().map(|there| there.region.width).min().unwrap_or(0);
    assert!((1.1..1.25).contains(&(f64::from(wide) / f64::from(narrow))), "{narrow} to {wide}");
    assert!(
        (overlay.first_frame, overlay.last_frame) == (0, 99) && overlay.moves.iter().all(|there| there.rotation == 0.0)
    );

    // A scene that turns with its signs, and stands still for a moment where it turns back.
    let sign = animated("the shop next door", "fontsize=44:x=(w-tw)/2:y=450");
    let scene = "-f lavfi -i mandelbrot=size=540x960:rate=30:start_scale=0.3:end_scale=0.29:maxiter=300 -frames:v 1";
    let still = clip("png", &format!("{scene} -vf {sign}"));
    let roll = "rotate=0.08*sin(n*2*PI/40),crop=440:784,scale=540:960";
    let rolls =
        clip("mp4", &format!("-loop 1 -framerate 30 -i {} -frames:v 100 -vf {roll} {H264} -crf 20", still.display()));
    assert_eq!(found(&rolls), []);
}

/// A clip of 75 frames with text at an angle from frame `first` on, and what `more` draws.
fn filmed_at_an_angle(text: &str, degrees: f64, first: u64, more: &str) -> PathBuf {
    let text = written(text);
    let drawn = format!(
        "color=black@0:size=540x960:rate=30,format=rgba,drawtext=font=Inter\\\\:bold:textfile={text}:\
         x=(w-tw)/2:y=(h-th)/2:line_spacing=6:{OUTLINED},rotate={degrees}*PI/180:c=black@0"
    );
    let over = format!("[0][1]overlay=shortest=1:enable=gte(n\\,{first}),{more}format=yuv420p");
    clip("mp4", &format!("{MOVING} -f lavfi -i {drawn} -filter_complex {over} -frames:v 75 {H264} -crf 20"))
}

#[test]
fn lines_at_an_angle_are_one_text() {
    for (text, degrees, first) in [
        ("this one changed\nhow I plan my week", -17.0f64, 0),
        ("this one changed\nhow I plan my week", 9.0, 0),
        // One that is much longer than the one above it, and one that is too short to be found by itself.
        ("watch this\nand nobody will tell you", -22.0, 20),
        ("once you are older\nnow", 13.0, 33),
    ] {
        let overlays = found(&filmed_at_an_angle(text, degrees, first, ""));
        let [overlay] = &overlays[..] else { unreachable!("{degrees}: {overlays:#?}") };
        assert_eq!(overlay.text, text, "{degrees}");
        assert!((overlay.style.rotation - degrees).abs() <= 1.5, "{degrees}: {:?}", overlay.style);
        assert!((overlay.style.font_size - 44.0).abs() <= 5.0, "{degrees}: {:?}", overlay.style);
        assert_eq!(overlay.style.align, Align::Left, "{degrees}");
        assert!((overlay.first_frame, overlay.last_frame) == (first, 74), "{degrees}: {overlay:#?}");
        assert!(overlay.style.stroke.is_some(), "{overlay:#?}");
        // Its words follow each other along the line.
        for line in overlay.lines.iter().filter(|line| line.words.len() > 1) {
            let middle = |at: u32, size: u32| f64::from(at) + f64::from(size) / 2.0;
            let way = |one: SourceRect, next: SourceRect| {
                let right = middle(next.x, next.width) - middle(one.x, one.width);
                let down = middle(next.y, next.height) - middle(one.y, one.height);
                (right, down)
            };
            let steps = line.words.windows(2).map(|pair| way(pair[0].region, pair[1].region));
            for (right, down) in steps {
                assert!(right > 0.0 && down * degrees > 0.0, "{line:#?}");
            }
            let (right, down) = way(line.words[0].region, line.words[line.words.len() - 1].region);
            assert!((down / right - degrees.to_radians().tan()).abs() < 0.06, "{line:#?}");
        }
    }
}

#[test]
fn a_level_text_beside_one_at_an_angle_is_a_text_of_its_own() {
    // In the corner of the upright box around it.
    let level = written("part two");
    let level =
        format!("drawtext=font=Inter\\\\:bold:textfile={level}:x=310:y=430:fontsize=30:fontcolor=white:borderw=3,");
    let overlays = found(&filmed_at_an_angle("how I plan my week", 20.0, 0, &level));
    let mut said: Vec<(&str, bool)> =
        overlays.iter().map(|overlay| (overlay.text.as_str(), overlay.style.rotation == 0.0)).collect();
    said.sort_unstable();
    assert_eq!(said, [("how I plan my week", false), ("part two", true)], "{overlays:#?}");
    let region = |level: bool| {
        let overlay = overlays.iter().find(|overlay| (overlay.style.rotation == 0.0) == level);
        overlay.map(|overlay| overlay.region).expect("is found")
    };
    let (inner, outer) = (region(true), region(false));
    assert!(inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width, "{inner:?} {outer:?}");
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
    for line in &lines {
        assert_eq!(line.samples.len(), line.width * line.height);
        // Dark letters on white, with nothing at the edges.
        assert!(line.samples[..line.width * 8].iter().all(|&value| value == 255));
    }
    let dark =
        |line: &LinePicture| line.samples.iter().filter(|&&value| value < 128).count() * 100 / line.samples.len();
    assert!(lines.iter().any(|line| (4..40).contains(&dark(line))), "{:?}", lines.iter().map(dark).collect::<Vec<_>>());
    let error = engine(1).find_overlays(&file, &Scripted(Mutex::default(), None), &Control::new());
    assert_eq!(error.expect_err("its fault is told").code(), "INTERNAL");
}

/// A reader that is a function.
struct Answers<F>(F);

impl<F: Fn(&LinePicture) -> Result<LineReading, Error> + Send + Sync> TextReader for Answers<F> {
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<(), Error>) -> Result<Vec<LineReading>, Error> {
        // What has no words and no script is left out.
        let all = lines.iter().map(|line| {
            alive()?;
            (self.0)(line)
        });
        let all: Result<Vec<_>, Error> = all.collect();
        Ok(all?.into_iter().filter(|reading| reading.script != "none").collect())
    }
}

#[test]
fn a_reader_of_the_callers_own_may_give_anything() {
    let file = filmed(63, &drawn("wait for it", 140, (0, 89), OUTLINED));
    let word = |text: &str, columns, confidence| WordReading { text: text.to_owned(), columns, confidence };
    let read = |words: Vec<WordReading>, script: &str, confidence| LineReading {
        words,
        script: script.to_owned(),
        confidence,
    };
    let look = |answer: LineReading| {
        let reader = Answers(move |_: &LinePicture| Ok(answer.clone()));
        engine(1).find_overlays(&file, &reader, &Control::new())
    };
    // Fewer readings than lines.
    let error = look(read(Vec::new(), "none", 0.0)).expect_err("its fault is told");
    assert!(error.code() == "INTERNAL" && error.to_string().contains("0 readings"), "{error}");
    // No numbers, and columns far outside.
    let nonsense = read(vec![word("nonsense", 5..9, f64::NAN)], "Latn", f64::NAN);
    assert_eq!(look(nonsense).expect("is looked at").overlays, []);
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
    let far = vec![word("far", usize::MAX - 1..usize::MAX, 7.0), word("away", 900..3, 1.0)];
    let seen = look(read(far, "Latn", 1.0)).expect("is looked at");
    let text = seen.overlays.iter().find(|overlay| overlay.text == "far away").expect("is taken as it is");
    for word in &text.lines[0].words {
        assert!(word.region.width > 0 && word.region.x + word.region.width <= 540, "{word:?}");
    }
    assert!(text.confidence <= 1.0);
    // A job that is cancelled while lines are read.
    let control = Control::new();
    let cancel = control.cancel();
    let reader = Answers(move |_: &LinePicture| {
        cancel.cancel();
        Ok(LineReading { script: "Latn".to_owned(), ..LineReading::default() })
    });
    let file =
        filmed(65, &format!("{},{}", drawn("one text", 140, (0, 89), OUTLINED), drawn("two", 700, (0, 89), BOXED)));
    let error = engine(1).find_overlays(&file, &reader, &control).expect_err("is cancelled");
    assert_eq!(error.code(), "CANCELED");
}

#[test]
fn sizes_are_those_of_the_source() {
    let picture = |style: &str| {
        let text = drawn("Save this post", 900, (0, 0), style);
        let scene = "-f lavfi -i mandelbrot=size=1080x1920:rate=30:end_scale=0.02:maxiter=300";
        let file = clip("png", &format!("{scene} -frames:v 1 -vf scale=2160:3840,{text}"));
        let seen = find(&file).expect("can be looked at");
        assert_eq!((seen.width, seen.height), (2_160, 3_840));
        let overlay = seen.overlays.iter().find(|overlay| overlay.text == "Save this post");
        overlay.expect("is found").clone()
    };
    let outlined = picture("fontsize=180:fontcolor=white:borderw=14:bordercolor=black");
    let stroke = outlined.style.stroke.expect("has a rim");
    assert!(stroke.width.abs_diff(14) <= 5, "{stroke:?}");
    assert!((outlined.style.font_size / 180.0 - 1.0).abs() < 0.35, "{}", outlined.style.font_size);
    let boxed = picture("fontsize=200:fontcolor=black:box=1:boxcolor=white:boxborderw=56");
    let backdrop = boxed.style.backdrop.expect("has a box");
    assert!(near(backdrop.color, [255; 3]) && backdrop.padding.abs_diff(56) <= 12, "{backdrop:?}");
    let letters = boxed.lines[0].region;
    assert!(boxed.region.y + 40 < letters.y && boxed.region.height > letters.height + 80, "{boxed:#?}");
}

#[test]
fn a_video_of_one_picture_is_a_still() {
    let text = drawn("Save this post", 300, (0, 0), OUTLINED);
    let file = clip("mp4", &format!("{MOVING} -frames:v 1 -vf {text} {H264} -crf 16"));
    let seen = find(&file).expect("can be looked at");
    let said: Vec<_> = seen.overlays.iter().map(|overlay| overlay.text.as_str()).collect();
    assert_eq!((seen.frames, said), (1, vec!["Save this post"]));
}

#[test]
fn what_follows_in_the_same_place_is_a_text_of_its_own() {
    let weeks = [drawn("Week 1", 300, (0, 29), OUTLINED), drawn("Week 2", 300, (30, 64), OUTLINED)].join(",");
    let name = drawn("@someone", 920, (0, 89), "fontsize=24:fontcolor=white:borderw=2:bordercolor=black");
    let name = name.replace("x=(w-tw)/2", "x=12");
    let overlays = found(&filmed(66, &format!("{weeks},{name}")));
    let said = |kind: OverlayKind| {
        let those = overlays.iter().filter(|overlay| overlay.kind == kind);
        those.map(|overlay| (overlay.text.as_str(), overlay.first_frame, overlay.last_frame)).collect::<Vec<_>>()
    };
    let captions = said(OverlayKind::Caption);
    let [("Week 1", 0, first), ("Week 2", second, 64..=65)] = captions[..] else { unreachable!("{overlays:#?}") };
    assert!(first.abs_diff(29) <= 2 && second.abs_diff(30) <= 2, "{captions:?}");
    assert!(matches!(said(OverlayKind::Watermark)[..], [("@someone", 0, 65)]), "{overlays:#?}");
}

#[test]
fn what_cannot_be_looked_at_is_told() {
    let code = |file: &Path| find(file).expect_err("is refused").code();
    let sound = clip("mp3", "-f lavfi -i sine=duration=1 -c:a libmp3lame");
    assert_eq!(code(&sound), "SOURCE_EMPTY");
    assert_eq!(code(Path::new("nowhere.mp4")), "SOURCE_UNREADABLE");
    let file = filmed(64, "null");
    let limits = Limits { read_duration: TimeSpan::from_secs(1), ..Limits::default() };
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
    let mut found = find(&file).expect("can be looked at");
    // What is not in the JSON.
    for overlay in &mut found.overlays {
        assert!(!std::mem::take(&mut overlay.mask).is_empty());
        assert_eq!(std::mem::take(&mut overlay.scripts).into_iter().collect::<Vec<_>>(), ["Latn"]);
    }
    assert_eq!((code, read), (Some(0), found));
    let (code, text) = run(&["--script", "Latn"]);
    assert!(code == Some(0) && text.contains("wait for it") && text.contains("caption, Latn"), "{text}");
    let (code, text) = run(&["--script", "Latin", "--json"]);
    assert!(code == Some(2) && text.contains("VALIDATION"), "{text}");
}

#[test]
fn what_the_engine_set_is_found() {
    let scene = filmed(45, "null");
    let project = Project::of(&scene, &scene).with("/hook", "Nobody told me\nabout this one".into());
    engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    let overlays = found(&project.out().join("cnt_test/video.mp4"));
    let [hook] = &overlays[..] else { unreachable!("{overlays:#?}") };
    assert_eq!((hook.text.as_str(), hook.kind), ("Nobody told me\nabout this one", OverlayKind::Caption));
    // From the first frame on, as long as the reaction lasts.
    assert!(hook.first_frame == 0 && hook.last_frame.abs_diff(44) <= 2, "{hook:#?}");
}
