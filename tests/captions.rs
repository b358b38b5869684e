//! Captions and moving hooks in finished videos: when they are on, where, and what changes with them.

mod support;

use std::fs;

use remix_engine::Control;
use remix_engine::plan::Plan;
use serde_json::{Value, json};
use support::{H264, Project, clip, engine, left_in};

/// Five seconds of black after a second of it: every bright pixel is of a text.
fn project(fields: &[(&str, Value)]) -> Project {
    let black =
        |seconds: u32| clip("mp4", &format!("-f lavfi -i color=black:size=270x480:rate=30:duration={seconds} {H264}"));
    let mut project = Project::of(&black(1), &black(5)).with("/hook", Value::Null);
    for (pointer, value) in fields {
        project = project.with(pointer, value.clone());
    }
    project
}

fn plan(project: &Project) -> Plan {
    engine(1).plan(&project.request(), &Control::new()).expect("can be planned").remove(0)
}

/// How many pixels are bright in each frame, above and below `split` (of 1920).
fn bright(project: &Project, split: usize) -> (Value, Vec<[usize; 2]>) {
    engine(2).render(&project.request(), &project.out()).expect("can be rendered");
    let folder = project.out().join("cnt_test");
    let luma = support::ffmpeg(
        &folder.join("video.mp4"),
        "-i FILE -an -vf scale=270:480:flags=area,format=gray -f rawvideo -",
    );
    let count = |rows: &[u8]| rows.iter().filter(|&&value| value > 120).count();
    let split = 270 * split / 4;
    let frames = luma.chunks_exact(270 * 480).map(|frame| [count(&frame[..split]), count(&frame[split..])]).collect();
    let container =
        serde_json::from_slice(&fs::read(folder.join("container.json")).expect("is there")).expect("is JSON");
    (container, frames)
}

const SUBRIP: &str =
    "1\n00:00:00,500 --> 00:00:01,500\nfirst words\n\n2\n00:00:02,000 --> 00:00:03,000\nsecond\nline\n";

#[test]
fn captions_are_on_when_their_file_says() {
    let project =
        project(&[("/captionsSrc", json!("said.srt")), ("/hook", json!("the hook")), ("/hookDuration", json!(4.0))]);
    project.write("said.srt", SUBRIP.as_bytes());
    let (container, frames) = bright(&project, 1000);
    assert_eq!(frames.len(), 180);
    let below: Vec<usize> = (0..180).filter(|&frame| frames[frame][1] > 0).collect();
    let expected: Vec<usize> = (15..45).chain(60..90).collect();
    assert_eq!(below, expected, "half a second in, for a second each");
    let above: Vec<usize> = (0..180).filter(|&frame| frames[frame][0] > 0).collect();
    assert_eq!(above, (0..120).collect::<Vec<_>>(), "the hook stands above them");
    let captions = json!([
        { "text": "first words", "start": 0.5, "end": 1.5 }, { "text": "second\nline", "start": 2.0, "end": 3.0 }
    ]);
    assert_eq!(container["captions"], captions);
}

#[test]
fn hooks_fade_in_and_pop_out() {
    let project = project(&[
        ("/hook", json!("HHHH")),
        ("/hookDuration", json!(1.0)),
        ("/hookAnimation", json!({ "in": "fade", "out": "pop", "duration": 0.3 })),
    ]);
    let (_, frames) = bright(&project, 1000);
    let counts: Vec<usize> = frames.iter().map(|frame| frame[0]).collect();
    assert_eq!(counts[0], 0, "a tenth of its brightness");
    assert!(counts[8] > 0 && counts[9..21].iter().all(|&count| count.abs_diff(counts[15]) < 10), "{counts:?}");
    assert!(counts[22] > counts[15], "the overshoot: {counts:?}");
    assert!(counts[28] < counts[15] && counts[30..].iter().all(|&count| count == 0), "{counts:?}");
}

/// Nine words in three seconds, with a pause in the middle.
fn spoken() -> Value {
    let words: Vec<Value> = "so what I do is, every single morning, run"
        .split(' ')
        .zip([0.2, 0.4, 0.6, 0.8, 1.0, 2.2, 2.4, 2.7, 3.2])
        .map(|(word, at)| json!({ "text": word, "start": at, "end": at + 0.2 }))
        .collect();
    json!([{ "start": 0.2, "end": 3.6, "words": words }])
}

#[test]
fn spoken_words_make_pages_that_end_in_pauses() {
    let plan = plan(&project(&[("/captions", spoken())]));
    let pages: Vec<_> =
        plan.captions().map(|page| (page.block.text.as_str(), page.frames.start.0, page.frames.end.0)).collect();
    // Three tenths of a second stay after the last word, and a second between is empty.
    assert_eq!(pages, [("so what I do is,", 6, 45), ("every single morning, run", 66, 108)]);
    let words: Vec<_> = plan.captions().next().expect("a page").words.iter().map(|word| word.from.0).collect();
    assert_eq!(words, [6, 12, 18, 24, 30]);
    let one = self::plan(&project(&[("/captions", spoken()), ("/captionOptions", json!({ "maxWords": 1 }))]));
    assert_eq!(one.captions().count(), 9);
    assert!(one.captions().all(|page| !page.block.text.contains(' ')));
}

#[test]
fn a_long_sentence_is_cut_into_pages_of_two_lines() {
    let text = "this is a rather long sentence that nobody could read at once, and so it is shown in parts that are \
                about equally long, each of them on at most two lines of the safe area";
    let plan = plan(&project(&[("/captions", json!([{ "text": text, "start": 0.0, "end": 6.0 }]))]));
    let pages: Vec<&str> = plan.captions().map(|page| page.block.text.as_str()).collect();
    assert_eq!(pages.join(" "), text, "nothing is lost");
    assert!((2..=5).contains(&pages.len()), "{pages:?}");
    let lengths: Vec<usize> = pages.iter().map(|page| page.len()).collect();
    assert!(lengths.iter().max() < lengths.iter().min().map(|least| 2 * least).as_ref(), "{pages:?}");
    let times: Vec<_> = plan.captions().map(|page| (page.frames.start.0, page.frames.end.0)).collect();
    assert_eq!((times.first().map(|t| t.0), times.last().map(|t| t.1)), (Some(0), Some(180)));
    assert!(times.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gaps: {times:?}");
    assert!(plan.captions().all(|page| page.words.is_empty()), "nobody said when each word is said");
}

#[test]
fn the_active_word_moves_nothing_and_changes_its_chunk_alone() {
    let spoken = |second: f64| {
        json!([{ "text": "one two", "start": 0.0, "end": 6.0, "words": [
            { "text": "one", "start": 0.0, "end": 0.5 }, { "text": "two", "start": second, "end": 5.9 }] }])
    };
    let keys = |second: f64| -> Vec<String> {
        let plan = plan(&project(&[("/captions", spoken(second))]));
        plan.chunks().iter().map(|chunk| chunk.key.to_string()).collect()
    };
    let (early, late) = (keys(0.5), keys(0.52));
    assert_eq!(early, keys(0.5));
    // 0.5 s is frame 15, and 0.52 s is nearer to 16.
    assert!(early[0] != late[0] && early[1..] == late[1..], "only the first chunk has changed");
    let page = plan(&project(&[("/captions", spoken(0.5))])).captions().next().expect("a page").clone();
    let places = |active: Option<std::ops::Range<usize>>| {
        let block = remix_engine::text::TextBlock { active, ..page.block.clone() };
        let layout = remix_engine::text::lay_out(engine(1).fonts(), &block).expect("can be set");
        let glyphs = layout.lines().iter().flat_map(|line| &line.glyphs);
        glyphs.map(|glyph| (glyph.glyph, glyph.x.to_bits(), glyph.y.to_bits())).collect::<Vec<_>>()
    };
    assert_eq!(places(None), places(Some(0..3)));
    assert_eq!(places(None), places(Some(4..7)));
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let project = project(&[
        ("/captions", spoken()),
        ("/captionOptions", json!({ "activeWord": "scale", "animation": { "in": "pop", "out": "fade" } })),
    ]);
    let bytes = |threads: usize| {
        let out = project.out().join(threads.to_string());
        engine(threads).render(&project.request(), &out).expect("can be rendered");
        fs::read(out.join("cnt_test/video.mp4")).expect("is there")
    };
    assert!(bytes(1) == bytes(3));
}

/// Captions that overlap, begin together, or are shorter than a frame: one page at a time, and nothing is lost unsaid.
#[test]
fn captions_that_are_in_each_others_way_take_turns() {
    let plan_of = |captions: Value| plan(&project(&[("/captions", captions)]));
    let pages = |plan: &Plan| {
        let page =
            |page: &remix_engine::plan::PlannedText| (page.block.text.clone(), page.frames.start.0, page.frames.end.0);
        plan.captions().map(page).collect::<Vec<_>>()
    };
    let of = |text: &str, start: u64, end: u64| (text.to_owned(), start, end);
    let words = json!([{ "text": "one", "start": 0.0, "end": 1.0 }, { "text": "two", "start": 4.0, "end": 5.0 }]);
    let overlapping = plan_of(json!([
        { "text": "one two", "start": 0.0, "end": 5.0, "words": words }, { "text": "hello", "start": 3.0, "end": 4.0 }
    ]));
    // The second word would be said when another caption is on.
    let found = pages(&overlapping);
    assert_eq!(found.last(), Some(&of("hello", 90, 120)));
    assert!(found.windows(2).all(|pair| pair[0].2 <= pair[1].1), "{found:?}");
    let word = |text: &str, start: f64| json!({ "text": text, "start": start, "end": start + 0.2 });
    let together = plan_of(json!([
        { "text": "a b", "start": 1.0, "end": 2.0, "words": [word("a", 1.0), word("b", 1.3)] },
        { "text": "c d", "start": 1.0, "end": 2.5, "words": [word("c", 1.0), word("d", 1.2)] }
    ]));
    assert_eq!(pages(&together), [of("a b\nc d", 30, 75)]);
    assert!(together.captions().all(|page| page.words.is_empty()), "of two speakers no word is the one");
    let short = plan_of(json!([
        { "text": "x", "start": 1.0, "end": 1.005 }, { "text": "y", "start": 1.005, "end": 1.01 },
        { "text": "z", "start": 1.01, "end": 2.0 }
    ]));
    assert_eq!(pages(&short), [of("x", 30, 31), of("z", 31, 60)]);
    assert_eq!(short.job().unseen_captions, ["y"]);
}

#[test]
fn what_is_wrong_with_captions_is_told() {
    let refused = |fields: &[(&str, Value)]| {
        let project = project(fields);
        project.write("broken.srt", b"1\n00:00:01,000 --> soon\nx\n");
        project.write("latin1.srt", b"1\n00:00:01,000 --> 00:00:02,000\n\xE9t\xE9\n");
        let error = engine(1).render(&project.request(), &project.out()).expect_err("is refused");
        assert!(left_in(&project.out()).is_empty());
        (error.code().to_owned(), error.pointer().unwrap_or_default().to_owned(), error.report())
    };
    let src = |name: &str| refused(&[("/captionsSrc", json!(name))]);
    let told = |(code, pointer, _): (String, String, String)| (code, pointer);
    let expected = |code: &str, pointer: &str| (code.to_owned(), pointer.to_owned());
    assert_eq!(told(src("nowhere.srt")), expected("NOT_FOUND", "/captionsSrc"));
    assert_eq!(told(src("../outside.srt")), expected("VALIDATION", "/captionsSrc"));
    assert_eq!(told(src("latin1.srt")), expected("SOURCE_UNSUPPORTED", "/captionsSrc"));
    assert_eq!(told(src("reaction.mp4")), expected("SOURCE_UNSUPPORTED", "/captionsSrc"));
    assert_eq!(told(src(".")), expected("SOURCE_UNREADABLE", "/captionsSrc"));
    let piped = project(&[("/captionsSrc", json!("pipe.srt"))]);
    support::run("mkfifo", [piped.folder().join("pipe.srt")]);
    let error = engine(1).plan(&piped.request(), &Control::new()).expect_err("is refused, and does not wait");
    assert_eq!((error.code(), error.pointer()), ("SOURCE_UNREADABLE", Some("/captionsSrc")));
    let (code, _, report) = src("broken.srt");
    assert!(code == "VALIDATION" && report.contains("line 2"), "{report}");
    let said = |text: &str| json!([{ "text": text, "start": 0.0, "end": 1.0 }]);
    let (code, pointer, report) = refused(&[("/captions", said("a new face \u{1FAE9}"))]);
    assert!(code == "FONT_MISSING" && pointer == "/captions/0" && report.contains("U+1FAE9"), "{report}");
    let late = json!([{ "text": "x", "start": 10.0, "end": 11.0 }]);
    assert_eq!(told(refused(&[("/captions", late)])), expected("VALIDATION", "/captions/0"));
    for (field, value) in [("position", json!("left")), ("activeWord", json!("blink")), ("maxWords", json!(0))] {
        let options = json!({ field: value });
        let pointer = format!("/captionOptions/{field}");
        assert_eq!(
            told(refused(&[("/captions", said("x")), ("/captionOptions", options)])),
            expected("VALIDATION", &pointer)
        );
    }
}

#[test]
fn characters_that_no_font_has_can_be_dropped_or_replaced() {
    let fields = |policy: &str| vec![("/hook", json!("new \u{1FAE9} face")), ("/missingCharacters", json!(policy))];
    let drawn = |policy: &str| {
        let plan = plan(&project(&fields(policy)));
        assert_eq!(plan.job().missing_characters, ["\u{1FAE9}"], "it is reported");
        let layout = remix_engine::text::lay_out(engine(1).fonts(), &plan.texts()[0].block).expect("can be set");
        layout.lines().iter().map(|line| line.text.clone()).collect::<Vec<_>>().join("|")
    };
    assert_eq!(drawn("?"), "new ? face");
    assert!(drawn("drop").split_whitespace().eq(["new", "face"]));
    let error = engine(1).plan(&project(&fields("error")).request(), &Control::new()).expect_err("is refused");
    assert_eq!((error.code(), error.pointer()), ("FONT_MISSING", Some("/hook")));
}

#[test]
fn slides_take_no_captions() {
    let project = Project::blank(json!({
        "id": "cnt_test", "format": "slideshow-builder", "influencerId": "i",
        "app": { "name": "a", "description": "b" }, "slides": [{ "text": "one" }, { "text": "two" }],
        "captions": [{ "text": "x", "start": 0.0, "end": 1.0 }], "captionOptions": {}, "hookAnimation": { "in": "fade" },
    }));
    let error = engine(1).plan(&project.request(), &Control::new()).expect_err("is refused");
    let pointers: Vec<_> = error.findings().iter().map(|finding| finding.pointer.as_str()).collect();
    assert_eq!(pointers, ["/captions", "/captionOptions", "/hookAnimation"]);
}
