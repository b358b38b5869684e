//! Captions to pages: what is on at once, from when to when, and which word is the active one.

use std::ops::Range;

use super::texts::{PlannedText, PlannedWord, Unseen};
use crate::error::{Error, ErrorKind, Result};
use crate::text::{FontBook, MAX_CHARACTERS, TextBlock, break_lines, break_opportunities, lay_out};
use crate::timeline::{CaptionTrack, Cue};
use crate::units::{FrameIndex, FrameRange, FrameRate, TICKS_PER_SECOND, TimeSpan};

/// Lines of a page unless its style says otherwise: what subtitle guides agree on.
const LINES: u32 = 2;

/// A pause between words that ends a page, and for how long the page stays on in it.
const PAUSE: u64 = ticks(0.6);
const HOLD: u64 = ticks(0.3);

/// A sentence that is said faster than this shares its page with the next one: a page must be read.
const SHORTEST_SENTENCE: u64 = ticks(1.0);

/// Failures after which the rest is not tried.
const ENOUGH: usize = 20;

const fn ticks(seconds: f64) -> u64 {
    (seconds * TICKS_PER_SECOND as f64) as u64
}

/// The pages of `track` in an output of `frames` frames. What begins after its end is left out. `alive` is called for
/// each cue.
///
/// # Errors
/// As [`lay_out`], with the cues that cannot be set; `VALIDATION` if none is on, or too much is said at once; what `alive`
/// reports.
pub(super) fn pages(
    track: &CaptionTrack,
    fonts: &FontBook,
    rate: FrameRate,
    frames: u64,
    unseen: &mut Unseen,
    alive: &dyn Fn() -> Result<()>,
) -> Result<Vec<PlannedText>> {
    let pager = Pager { track, fonts, rate, frames };
    let (mut pages, mut failures) = (Vec::new(), Vec::new());
    for cue in &in_turn(&track.cues)? {
        alive()?;
        if rate.frames_in(cue.start) >= frames {
            continue;
        }
        if let Err(error) = pager.add_pages_of(cue, &mut pages, unseen) {
            failures.push(about(cue, error));
        }
        if failures.len() == ENOUGH {
            break;
        }
    }
    if pages.is_empty() && failures.is_empty() {
        let end = rate.time_of(FrameIndex(frames)).as_secs_f64();
        let message = format!("no caption is on in the video, which ends at {end:.3} s");
        let pointer = track.cues.first().map_or("/captions", |cue| cue.pointer.as_str());
        return Err(Error::new(ErrorKind::Validation, message)
            .at_pointer(pointer.to_owned())
            .suggest("times are seconds from the start of the video"));
    }
    Error::combine(failures).map_or(Ok(pages), Err)
}

fn about(cue: &Cue, error: Error) -> Error {
    error.for_asset(format!("caption {}", cue.number)).at_pointer(cue.pointer.clone())
}

/// The cues by time, one at a time: those that begin together are one with a line for each, and one that is still on
/// when the next begins ends there, with its words.
fn in_turn(cues: &[Cue]) -> Result<Vec<Cue>> {
    let mut sorted: Vec<&Cue> = cues.iter().collect();
    sorted.sort_by_key(|cue| cue.start);
    let mut turns: Vec<Cue> = Vec::with_capacity(sorted.len());
    // Of the text of the last turn.
    let mut chars = 0;
    for cue in sorted {
        let more = cue.text.chars().count();
        match turns.last_mut() {
            Some(last) if last.start == cue.start => {
                chars += 1 + more;
                if chars > MAX_CHARACTERS {
                    let message =
                        format!("the captions that begin together have more than {MAX_CHARACTERS} characters");
                    return Err(about(cue, Error::new(ErrorKind::Validation, message).suggest("shorten them")));
                }
                last.text.push('\n');
                last.text.push_str(&cue.text);
                last.end = last.end.max(cue.end);
                // Two that speak at once have no one word that is being said.
                last.words.clear();
            }
            last => {
                if let Some(last) = last {
                    last.end = last.end.min(cue.start);
                    let end = last.end;
                    last.words.retain(|word| word.start < end);
                    last.words.iter_mut().for_each(|word| word.end = word.end.min(end));
                }
                chars = more;
                turns.push(cue.clone());
            }
        }
    }
    Ok(turns)
}

/// What may not be broken: text between two places where a line may start.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    /// Its bytes in the cue's text, spaces at the end left out.
    range: Range<usize>,
    start: u64,
    end: u64,
}

struct Pager<'a> {
    track: &'a CaptionTrack,
    fonts: &'a FontBook,
    rate: FrameRate,
    frames: u64,
}

impl Pager<'_> {
    /// Adds the pages of a cue after those that came before: none begins before the last one is gone, or is on after its
    /// cue. Of a cue with more pages than frames the last ones are not seen.
    fn add_pages_of(&self, cue: &Cue, pages: &mut Vec<PlannedText>, unseen: &mut Unseen) -> Result<()> {
        let language = self.track.look.language.as_deref();
        let tokens = tokens(cue, &break_opportunities(&cue.text, language)?);
        let mut parts: Vec<&[Token]> = Vec::new();
        for sentence in sentences(&tokens, &cue.text, !cue.words.is_empty()) {
            self.split(cue, sentence, &mut parts)?;
        }
        let frame = |ticks: u64| self.rate.frames_in(TimeSpan::from_ticks(ticks));
        let cue_end = frame(cue.end.ticks()).max(frame(cue.start.ticks()) + 1).min(self.frames);
        for (number, part) in parts.iter().enumerate() {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let next = parts.get(number + 1).and_then(|part| part.first()).map(|token| token.start);
            // Whoever times whole cues says how long they are on.
            let start = if number == 0 && cue.words.is_empty() { cue.start.ticks() } else { first.start };
            let end = match next {
                Some(next) if next.saturating_sub(last.end) < PAUSE => next,
                Some(next) => (last.end + HOLD).min(next),
                None => cue.end.ticks(),
            };
            let start = pages.last().map_or(0, |page| page.frames.end.0).max(frame(start));
            let frames = FrameRange::new(start, frame(end).max(start + 1).min(cue_end));
            let range = first.range.start..last.range.end;
            let text = cue.text.get(range.clone()).unwrap_or_default();
            if frames.is_empty() {
                // What comes after the video's end is left out; what is too short for a frame is told.
                if start < self.frames {
                    unseen.add_caption(text);
                }
                continue;
            }
            let block = self.block(text);
            unseen.add(&lay_out(self.fonts, &block)?);
            let name = format!("caption {}", pages.len() + 1);
            let mut page = PlannedText::new(name, block, frames, self.track.motion, self.rate);
            if self.track.look.style.active.is_some() {
                page.words = self.words(cue, &range, frames);
            }
            pages.push(page);
        }
        Ok(())
    }

    fn block(&self, text: &str) -> TextBlock {
        let mut block = TextBlock { text: text.to_owned(), ..self.track.look.clone() };
        block.style.max_lines.get_or_insert(LINES);
        block
    }

    /// Cuts a sentence into as few parts as fit a page each, about equally long.
    fn split<'t>(&self, cue: &Cue, sentence: &'t [Token], parts: &mut Vec<&'t [Token]>) -> Result<()> {
        let (Some(first), Some(last)) = (sentence.first(), sentence.last()) else { return Ok(()) };
        let text = cue.text.get(first.range.start..last.range.end).unwrap_or_default();
        let lines = break_lines(self.fonts, &self.block(text))?;
        let most_lines = self.track.look.style.max_lines.unwrap_or(LINES).max(1) as usize;
        let most_words = self.track.max_words.map_or(usize::MAX, |most| most.max(1) as usize);
        let words = count_words(sentence, cue);
        let least = lines.len().div_ceil(most_lines).max(words.div_ceil(most_words)).max(1);
        // Cutting evenly may need one more than filling does.
        for count in least..=(least + 2).min(sentence.len()) {
            let cut = cut_evenly(sentence, &cue.text, count);
            let mut fits = true;
            for part in &cut {
                fits = fits && count_words(part, cue) <= most_words && self.line_count(cue, part)? <= most_lines;
            }
            if fits {
                parts.extend(cut);
                return Ok(());
            }
        }
        // What is left are words that are longer than lines, and the like: filled, each page smaller if need be.
        let mut rest = sentence;
        while !rest.is_empty() {
            let mut taken = 1;
            while taken < rest.len()
                && count_words(&rest[..=taken], cue) <= most_words
                && self.line_count(cue, &rest[..=taken])? <= most_lines
            {
                taken += 1;
            }
            parts.push(&rest[..taken]);
            rest = &rest[taken..];
        }
        Ok(())
    }

    fn line_count(&self, cue: &Cue, part: &[Token]) -> Result<usize> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok(0) };
        let text = cue.text.get(first.range.start..last.range.end).unwrap_or_default();
        Ok(break_lines(self.fonts, &self.block(text))?.len())
    }

    /// The words of a page that is the bytes `range` of its cue, each from the frame on at which it is said.
    fn words(&self, cue: &Cue, range: &Range<usize>, frames: FrameRange) -> Vec<PlannedWord> {
        let mut words: Vec<PlannedWord> = Vec::new();
        for word in cue.words.iter().filter(|word| word.at >= range.start && word.to <= range.end) {
            let from = self.rate.frames_in(word.start).clamp(frames.start.0, frames.end.0 - 1);
            let range = word.at - range.start..word.to - range.start;
            // Of words in one frame the last is seen.
            while words.last().is_some_and(|last| last.from.0 >= from) {
                words.pop();
            }
            words.push(PlannedWord { from: FrameIndex(from), range });
        }
        words
    }
}

/// The tokens of a cue with their times: those of its words, or shares of the cue's by their characters.
fn tokens(cue: &Cue, breaks: &[usize]) -> Vec<Token> {
    let text = &cue.text;
    let (start, end) = (cue.start.ticks(), cue.end.ticks());
    let whole = text.chars().count().max(1) as u128;
    // Words and tokens both go forward: of the words, those that begin before the end of what has been cut so far.
    let mut words = cue.words.iter().peekable();
    let (mut from, mut passed, mut last) = (0, 0u128, start);
    let mut said: Option<(u64, u64)> = None;
    let mut reach = 0;
    let mut tokens = Vec::new();
    for cut in breaks.iter().copied().chain([text.len()]) {
        while let Some(word) = words.next_if(|word| word.at < cut) {
            let begun = said.map_or(word.start.ticks(), |(begun, _)| begun);
            said = Some((begun, word.end.ticks()));
            reach = word.to;
        }
        // No word that has a time is cut.
        if reach > cut {
            continue;
        }
        let piece = text.get(from..cut).unwrap_or_default();
        let begun = passed;
        passed += piece.chars().count() as u128;
        let range = from + (piece.len() - piece.trim_start().len())..from + piece.trim_end().len();
        from = cut;
        if range.is_empty() {
            continue;
        }
        let share = |chars: u128| start + (u128::from(end - start) * chars / whole) as u64;
        let (start, end) = match (said.take(), cue.words.is_empty()) {
            (Some(said), _) => said,
            // A dash, or a word without a time.
            (None, false) => (last, last),
            (None, true) => (share(begun), share(passed)),
        };
        last = end.max(last);
        tokens.push(Token { range, start: start.min(last), end: last });
    }
    tokens
}

/// The tokens in sentences: cut where one ends, and where the speaker pauses.
fn sentences<'t>(tokens: &'t [Token], text: &str, timed: bool) -> Vec<&'t [Token]> {
    let mut sentences = Vec::new();
    let mut from = 0;
    for (number, pair) in tokens.windows(2).enumerate() {
        let pauses = timed && pair[1].start.saturating_sub(pair[0].end) >= PAUSE;
        let is_long = pair[0].end.saturating_sub(tokens[from].start) >= SHORTEST_SENTENCE;
        if pauses || (is_long && ends_sentence(text.get(pair[0].range.clone()).unwrap_or_default())) {
            sentences.push(&tokens[from..=number]);
            from = number + 1;
        }
    }
    sentences.push(&tokens[from..]);
    sentences
}

/// Whether a sentence ends with this token: by its last mark, quotes and brackets left aside.
fn ends_sentence(token: &str) -> bool {
    let bare = token.trim_end_matches(['"', '\'', '”', '’', '»', ')', ']', '」', '』', '）']);
    bare.ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '۔', '।', '։', '።'])
}

/// How many words there are: those of the cue, or what spaces part.
fn count_words(tokens: &[Token], cue: &Cue) -> usize {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return 0 };
    let range = first.range.start..last.range.end;
    match cue.words.as_slice() {
        // Where no spaces part words, what may not be broken is one.
        [] if !cue.text.contains(char::is_whitespace) => tokens.len(),
        [] => cue.text.get(range).unwrap_or_default().split_whitespace().count(),
        words => words.iter().filter(|word| word.at >= range.start && word.to <= range.end).count(),
    }
}

/// `tokens` in `count` parts that are about equally long, at least one token each. A part rather ends at a comma than a
/// little nearer to the middle.
fn cut_evenly<'t>(tokens: &'t [Token], text: &str, count: usize) -> Vec<&'t [Token]> {
    let length = |token: &Token| text.get(token.range.clone()).unwrap_or_default().chars().count() + 1;
    let mut parts = Vec::with_capacity(count);
    let mut rest = tokens;
    for left in (2..=count).rev() {
        let target = rest.iter().map(length).sum::<usize>() as f64 / left as f64;
        let mut reached = 0;
        let mut best = (f64::INFINITY, 1);
        for (number, token) in rest.iter().take(rest.len() + 1 - left).enumerate() {
            reached += length(token);
            let text = text.get(token.range.clone()).unwrap_or_default();
            let bonus =
                if text.ends_with([',', ';', ':', '、', '，', '،', '–', '—']) { 0.2 * target } else { 0.0 };
            let distance = (reached as f64 - target).abs() - bonus;
            if distance < best.0 {
                best = (distance, number + 1);
            }
        }
        let (part, after) = rest.split_at(best.1.min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}
