//! Caption files: SubRip, WebVTT and JSON to cues.
//!
//! Sources: W3C "WebVTT: The Web Video Text Tracks Format" (2019), sections 4 and 6; SubRip has no standard, and is read
//! as players do. Read as tolerantly as both allow: what is no cue is passed over, and a cue without a readable time is an
//! error with its line.

use serde_json::Value;

use super::captions::{CaptionCue, CaptionWord};
use crate::error::{Error, ErrorKind, Result};

/// The most bytes of one caption with its tags: a letter and a tag with a time for each of 2,000 characters.
const MAX_CUE_BYTES: usize = 64 << 10;

/// The most bytes of a tag, of an override, and of what is in angle brackets.
const MAX_TAG_BYTES: usize = 256;

/// The cues of a caption file; which kind it is, its content says.
///
/// # Errors
/// `SOURCE_UNSUPPORTED` for what is neither UTF-8 nor UTF-16 with a byte order mark; `VALIDATION` for a time or a JSON
/// document that cannot be read, with the line; `SOURCE_EMPTY` without any cue.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<CaptionCue>> {
    let text = decode(bytes)?;
    let text = text.trim_start_matches('\u{FEFF}');
    let cues = if text.trim_start().starts_with(['{', '[']) {
        of_json(text)?
    } else {
        let is_web = text.starts_with("WEBVTT");
        of_blocks(text, is_web)?
    };
    if cues.is_empty() {
        return Err(Error::new(ErrorKind::SourceEmpty, "it has no captions")
            .suggest("give SubRip, WebVTT, or JSON with captions or segments"));
    }
    Ok(cues)
}

fn decode(bytes: &[u8]) -> Result<String> {
    let unreadable = || {
        Error::new(ErrorKind::SourceUnsupported, "it is not text in UTF-8")
            .suggest("save it as UTF-8 (many editors call it Unicode)")
    };
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).map_err(|_| unreadable())
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| unreadable()),
    }
}

/// SubRip and WebVTT: the line with an arrow has the times, what follows is the text. In WebVTT a blank line ends it; in
/// SubRip, whose texts have blank lines too, the next cue does.
fn of_blocks(text: &str, is_web: bool) -> Result<Vec<CaptionCue>> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut cues = Vec::new();
    let mut lines = text.split('\n').zip(1..).peekable();
    // Texts have arrows too: only what begins as a time does is one of times.
    let has_times = |line: &str| line.contains("-->") && line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    while let Some((line, number)) = lines.next() {
        let Some((start, rest)) = line.split_once("-->").filter(|_| has_times(line)) else {
            // A note or style sheet of WebVTT goes on to the next blank line, whatever is in it.
            if is_web && (line.starts_with("NOTE") || line.trim_end() == "STYLE" || line.trim_end() == "REGION") {
                while lines.next_if(|(line, _)| !line.trim().is_empty()).is_some() {}
            }
            continue;
        };
        // Settings, or SubRip's coordinates, follow the end.
        let end = rest.split_whitespace().next().unwrap_or_default();
        let time = |text: &str| {
            time(text.trim()).ok_or_else(|| {
                let message = format!("line {number}: `{}` is not a time", super::parse::shorten(text.trim()));
                Error::new(ErrorKind::Validation, message).suggest("write times as 00:01:02,345 --> 00:01:04,000")
            })
        };
        let (start, end) = (time(start)?, time(end)?);
        let mut body: Vec<&str> = Vec::new();
        let mut bytes = 0;
        let ends = |line: &str| has_times(line) || (is_web && line.trim().is_empty());
        while let Some((line, number)) = lines.next_if(|(line, _)| !ends(line)) {
            bytes += line.len();
            if bytes > MAX_CUE_BYTES {
                let message = format!("line {number}: the caption has more than {MAX_CUE_BYTES} bytes");
                return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("cut it into shorter ones"));
            }
            body.push(line.trim_end());
        }
        // The next cue's number is no text of this one.
        let is_number = |line: &&str| !line.is_empty() && line.trim().bytes().all(|c| c.is_ascii_digit());
        if lines.peek().is_some() && !is_web && body.len() > 1 && body.last().is_some_and(is_number) {
            body.pop();
        }
        body.retain(|line| !line.is_empty());
        if let Some(cue) = cue_of(&body.join("\n"), start, end, is_web) {
            cues.push(cue);
        }
    }
    Ok(cues)
}

/// `[[h:]m:]s[.,]mmm` in seconds; at most 100 hours.
fn time(text: &str) -> Option<f64> {
    let (clock, fraction) = match text.split_once([',', '.']) {
        Some((clock, fraction)) => (clock, fraction.trim()),
        None => (text, "0"),
    };
    let is_number = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = clock.split(':').map(str::trim).collect();
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(|part| is_number(part)) || !is_number(fraction) {
        return None;
    }
    let mut seconds = 0.0;
    for part in parts {
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    seconds += format!("0.{fraction}").parse::<f64>().ok()?;
    (seconds <= 360_000.0).then_some(seconds)
}

/// A cue of what stands under its times; `None` if nothing does. Tags are left out, but those that are a time begin a
/// word.
fn cue_of(body: &str, start: f64, end: f64, is_web: bool) -> Option<CaptionCue> {
    let mut text = String::new();
    let mut marks: Vec<(usize, f64)> = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(['<', '{', '&']) {
        text.push_str(&rest[..at]);
        let from = &rest[at..];
        let (taken, stands_for) = match from.as_bytes() {
            [b'<', ..] => match close(from, b'>') {
                Some(close) if is_tag(&from[1..close], is_web) => {
                    if let Some(at) = time(&from[1..close]).filter(|_| is_web) {
                        marks.push((text.len(), at));
                    }
                    (close + 1, None)
                }
                _ => (1, Some("<")),
            },
            // SubStation's overrides, which players know in SubRip too, such as {\an8}.
            [b'{', b'\\', ..] => match close(from, b'}') {
                Some(close) => (close + 1, None),
                None => (1, Some("{")),
            },
            [b'&', ..] if is_web => match ENTITIES.iter().find(|(name, _)| from.starts_with(name)) {
                Some((name, stands_for)) => (name.len(), Some(*stands_for)),
                None => (1, Some("&")),
            },
            [first, ..] => (1, Some(if *first == b'{' { "{" } else { "&" })),
            [] => break,
        };
        text.push_str(stands_for.unwrap_or_default());
        rest = &from[taken..];
    }
    text.push_str(rest);
    let lines: Vec<&str> = text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect();
    let words = if marks.is_empty() { Vec::new() } else { words_between(&text, &marks, start, end) };
    (!lines.is_empty()).then(|| CaptionCue { text: Some(lines.join("\n")), start, end, words })
}

/// Where a tag at the start of `text` closes; `None` if it does not soon.
fn close(text: &str, mark: u8) -> Option<usize> {
    text.bytes().take(MAX_TAG_BYTES).position(|byte| byte == mark)
}

const ENTITIES: [(&str, &str); 7] = [
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", "\u{A0}"),
    ("&lrm;", "\u{200E}"),
    ("&rlm;", "\u{200F}"),
    ("&quot;", "\""),
];

/// Whether what stands in angle brackets is a tag: `a < b > c` is not.
fn is_tag(inside: &str, is_web: bool) -> bool {
    let name = inside.strip_prefix('/').unwrap_or(inside);
    let name = name.split(|c: char| c.is_whitespace() || c == '.' || c == '=').next().unwrap_or_default();
    let known = ["b", "i", "u", "s", "font", "c", "v", "lang", "ruby", "rt"];
    known.contains(&name.to_ascii_lowercase().as_str()) || (is_web && (time(inside).is_some() || inside == "/"))
}

/// The words of a text in which times stand at some places: what is between two of them is said evenly.
fn words_between(text: &str, marks: &[(usize, f64)], start: f64, end: f64) -> Vec<CaptionWord> {
    let mut stops: Vec<(usize, f64)> = vec![(0, start)];
    for &(at, time) in marks {
        // Times must rise (WebVTT, 4.2.2); what does not is passed over.
        if stops.last().is_some_and(|(_, last)| *last <= time) && time <= end {
            stops.push((at, time));
        }
    }
    stops.push((text.len(), end));
    let mut words = Vec::new();
    for pair in stops.windows(2) {
        let ((from, start), (to, end)) = (pair[0], pair[1]);
        let piece = text.get(from..to).unwrap_or_default();
        let said: Vec<&str> = piece.split_whitespace().collect();
        let whole = said.iter().map(|word| word.chars().count()).sum::<usize>().max(1) as f64;
        let mut passed = 0.0;
        for word in said {
            let begun = passed;
            passed += word.chars().count() as f64;
            let at = |part: f64| start + (end - start) * part / whole;
            words.push(CaptionWord { text: word.to_owned(), start: at(begun), end: at(passed) });
        }
    }
    words
}

/// A list of cues, or an object that has one as `captions` or `segments` (what speech recognisers write, Whisper first).
/// Fields that are not known are passed over: other programs wrote them.
fn of_json(text: &str) -> Result<Vec<CaptionCue>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Validation, format!("it looks like JSON, and is not: {error}"))
            .suggest("give SubRip, WebVTT or JSON")
    })?;
    let list = match &value {
        Value::Array(list) => list,
        object => match object.get("captions").or_else(|| object.get("segments")) {
            Some(Value::Array(list)) => list,
            _ => {
                return Err(Error::new(ErrorKind::Validation, "it has no list `captions` or `segments`")
                    .suggest("give a list of objects with text, start and end"));
            }
        },
    };
    list.iter().enumerate().map(|(number, cue)| of_object(cue, number)).filter_map(Result::transpose).collect()
}

fn of_object(cue: &Value, number: usize) -> Result<Option<CaptionCue>> {
    let wrong = |what: &str| {
        let message = format!("caption {} has no {what}", number + 1);
        Error::new(ErrorKind::Validation, message).suggest("times are numbers, in seconds")
    };
    let number = |value: &Value, field: &str| value.get(field).and_then(Value::as_f64);
    let words = match cue.get("words") {
        Some(Value::Array(words)) => words.as_slice(),
        _ => &[],
    };
    // A recogniser leaves out the times of what it did not hear well, such as numerals: then none of the words is used.
    let timed = words.iter().map(|word| {
        let text = word.get("text").or_else(|| word.get("word")).and_then(Value::as_str)?.trim();
        Some(CaptionWord { text: text.to_owned(), start: number(word, "start")?, end: number(word, "end")? })
    });
    let timed: Vec<CaptionWord> = timed.collect::<Option<_>>().unwrap_or_default();
    let timed: Vec<CaptionWord> = timed.into_iter().filter(|word| !word.text.is_empty()).collect();
    let text = cue.get("text").and_then(Value::as_str).map(|text| text.trim().to_owned());
    if text.is_none() && words.is_empty() {
        return Err(wrong("text"));
    }
    if text.as_ref().is_some_and(String::is_empty) {
        return Ok(None);
    }
    Ok(Some(CaptionCue {
        text,
        start: number(cue, "start").ok_or_else(|| wrong("start"))?,
        end: number(cue, "end").ok_or_else(|| wrong("end"))?,
        words: timed,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(text: &str) -> Vec<(String, f64, f64)> {
        let cues = parse(text.as_bytes()).expect("is read");
        cues.into_iter().map(|cue| (cue.text.unwrap_or_default(), cue.start, cue.end)).collect()
    }

    #[test]
    fn subrip_is_read_as_players_do() {
        let text = "\u{FEFF}1\r\n00:00:01,500 --> 00:00:02,750 X1:10 X2:20\r\n<i>Hello</i>\r\n{\\an8}there & <3\r\n\r\n\
                    2\n0:03.5-->01:00:04,25\n  two  \n3\n00:00:05,000 --> 00:00:06,000\n2024\n\n\n";
        assert_eq!(
            cues(text),
            [
                ("Hello\nthere & <3".to_owned(), 1.5, 2.75),
                ("two".to_owned(), 3.5, 3_604.25),
                ("2024".to_owned(), 5.0, 6.0)
            ]
        );
    }

    #[test]
    fn subrip_keeps_blank_lines_and_arrows_of_its_texts() {
        let text = "1\n00:01,0 --> 00:02,0\nfirst\n\nsecond --> third\n\n2\n00:03,0 --> 00:04,0\n42\n\n7\n";
        assert_eq!(cues(text), [("first\nsecond --> third".to_owned(), 1.0, 2.0), ("42\n7".to_owned(), 3.0, 4.0)]);
    }

    #[test]
    fn tags_that_never_close_are_letters_and_cost_little() {
        let text = format!("00:01,0 --> 00:02,0\n{}", "<{\\".repeat(15_000));
        assert_eq!(cues(&text)[0].0.len(), 45_000);
        let error = parse(format!("00:01,0 --> 00:02,0\n{}", "x".repeat(70_000)).as_bytes()).expect_err("is refused");
        assert_eq!(error.code(), "LIMIT_EXCEEDED");
    }

    #[test]
    fn webvtt_has_notes_settings_entities_and_words() {
        let text = "WEBVTT - a file\nKind: captions\n\nNOTE\n00:00 --> not a cue\n\nSTYLE\n::cue { color: red }\n\n\
                    intro\n00:01.000 --> 00:04.000 align:start position:0%\n<v Ada>Fish &amp; <00:02.000><c.yellow>chips</c> \
                    <00:03.000>now\n";
        let found = parse(text.as_bytes()).expect("is read");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text.as_deref(), Some("Fish & chips now"));
        let words: Vec<_> = found[0].words.iter().map(|word| (word.text.as_str(), word.start, word.end)).collect();
        assert_eq!(words, [("Fish", 1.0, 1.8), ("&", 1.8, 2.0), ("chips", 2.0, 3.0), ("now", 3.0, 4.0)]);
    }

    #[test]
    fn json_of_our_own_and_of_recognisers_is_read() {
        let own = r#"[{"text":"one two","start":0,"end":1,"words":[{"text":"one","start":0,"end":0.4},{"text":"two","start":0.5,"end":1}]}]"#;
        assert_eq!(parse(own.as_bytes()).expect("is read")[0].words.len(), 2);
        let whisper = r#"{"language":"en","segments":[{"id":0,"start":0.0,"end":1.5,"text":" Hi there.","words":[{"word":" Hi","start":0.1,"end":0.3,"probability":0.9},{"word":" there.","start":0.4,"end":0.9}]},{"text":" ","start":2,"end":3}]}"#;
        let found = parse(whisper.as_bytes()).expect("is read");
        assert_eq!((found.len(), found[0].text.as_deref(), found[0].words.len()), (1, Some("Hi there."), 2));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let refused = |bytes: &[u8]| parse(bytes).expect_err("is refused");
        let error = refused(b"1\n00:00:01,000 --> 00:00:0x,000\nx\n");
        assert_eq!((error.code(), error.message()), ("VALIDATION", "line 2: `00:00:0x,000` is not a time"));
        assert_eq!(refused(b"").code(), "SOURCE_EMPTY");
        assert_eq!(refused(b"no captions at all").code(), "SOURCE_EMPTY");
        assert_eq!(refused(b"\xE9t\xE9").code(), "SOURCE_UNSUPPORTED");
        assert_eq!(refused(b"{\"x\":1}").code(), "VALIDATION");
        assert_eq!(refused(b"[{\"text\":\"x\",\"start\":\"1\"}]").code(), "VALIDATION");
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("00:01 --> 00:02\né".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(parse(&wide).expect("is read")[0].text.as_deref(), Some("é"));
    }

    proptest::proptest! {
        /// Whatever is in a file, it is read or refused.
        #[test]
        fn no_file_panics(text in "[0-9:.,\\-> \n\r<>&{}/a-zé\u{FEFF}]{0,200}", web in proptest::bool::ANY) {
            let text = if web { format!("WEBVTT\n\n{text}") } else { text };
            if let Ok(cues) = parse(text.as_bytes()) {
                proptest::prop_assert!(cues.iter().all(|cue| cue.text.as_ref().is_some_and(|text| !text.is_empty())));
            }
        }
    }
}
