//! What becomes of the texts of somebody's pictures: which a request means, how they are taken out, and how new words are set.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::overlays::SAFE_AREA;
use crate::burnt::{FoundChange, FoundChangeKind, FoundMove, FoundOverlay, FoundText, OverlayKind};
use crate::compose::{Fit, Focus, Mask, Posed, SourceRect};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::request::{LeftPolicy, OverlayChange, PERFORMERS, RemovalMode, Request, nearest, shorten};
use crate::text::{Align, Anchor, Area, Backdrop, BackdropShape, FontSize, Shadow, Stroke, TextBlock, TextStyle};
use crate::timeline::{Asset, Performer, Removal, TextChange, TextChangeKind, TextMotion};
use crate::units::{CanvasSize, FrameIndex, FrameRange, FrameRate, SourceSize, Timestamp};

/// The most texts that a request names.
const MAX_CHANGES: usize = 500;
/// Frames before and after a text in which it may be there, too: its ends are found to within two.
const AROUND: u64 = 2;
/// The most frames that share a mask in which a text moves.
const SHARED: u64 = 6;
/// Pixels by which it may be elsewhere than where it should be by then.
const EDGE: f64 = 4.0;
/// The space to the canvas's sides that a text keeps, in pixels.
const MARGIN: u32 = 40;
/// How much of its picture a source may lose by being cut to the canvas's shape. Of others all is shown, over itself blurred.
const CUT: f64 = 0.12;
/// Pixels around a text that is cut off.
const CUT_OFF: u32 = 4;

/// What became of a text of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemixedText {
    /// Its name in the source.
    pub id: String,
    /// Of slides the number of the one that it is on in the result, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slide: Option<usize>,
    /// What it said.
    pub text: String,
    /// What stands in its place; `None` if it stays as it is, empty for nothing.
    pub new_text: Option<String>,
    /// Whose it is.
    pub kind: OverlayKind,
    /// The output's frames that show it; of a slide its one picture.
    pub frames: FrameRange,
    /// Where it is in the source.
    pub region: SourceRect,
    /// How sure it was that it is text, and read right, 0 to 1.
    pub confidence: f64,
    /// How it was taken out: `fill`, `crop`, `blur`, `cover`, or `keep`.
    pub removal: String,
    /// What was left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<Residual>,
}

/// What is left of a text that was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Residual {
    /// The part of its characters that a reader still finds, 0 to 1.
    pub readable: f64,
    /// By how many code values of luma its place differs at its edges from what is around it, beyond what neighbours there
    /// differ by anyway.
    pub seam: f64,
}

/// A picture or video of the source of a remix, and what becomes of its texts.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) asset: Asset,
    /// The size of its pictures.
    pub(crate) size: SourceSize,
    pub(crate) text: Arc<FoundText>,
    /// What becomes of each of its texts.
    pub(crate) changes: Vec<Change>,
    /// The part of its pictures that is shown, if something is cut off.
    pub(crate) part: Option<SourceRect>,
    /// Who is put in the place of who is seen.
    pub(crate) performer: Option<Performer>,
}

/// What becomes of a text of the source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Change {
    /// Its place among those that the request names.
    pub(crate) named: Option<usize>,
    /// `None` for what stays.
    pub(crate) new_text: Option<String>,
    /// The new words' JSON pointer in the request; empty for those of an adapter.
    pub(crate) pointer: String,
    /// How it shall be taken out, and where the request says so.
    pub(crate) mode: RemovalMode,
    pub(crate) mode_pointer: String,
    /// Whether it goes since its slide says so of all, so that others may have words for it.
    pub(crate) is_emptied: bool,
    /// How it is.
    pub(crate) taken: Taken,
    pub(crate) residual: Option<Residual>,
}

/// How a text is taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Taken {
    /// It is not.
    #[default]
    Kept,
    /// Out of the pictures.
    Patched(Removal),
    /// The part of the pictures that it is in is not shown.
    Cropped,
}

impl Change {
    /// Whether new words stand in its place.
    pub(super) fn has_words(&self) -> bool {
        self.new_text.as_ref().is_some_and(|words| !words.trim().is_empty())
    }
}

impl Taken {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kept => "keep",
            Self::Patched(removal) => removal.name(),
            Self::Cropped => "crop",
        }
    }
}

impl Post {
    /// Its texts, each with what becomes of it.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&FoundOverlay, &Change)> {
        self.text.overlays.iter().zip(&self.changes)
    }

    /// The same for the report; `slide`: the number of the slide that it is on, from 1.
    pub(crate) fn report(&self, slide: Option<usize>) -> impl Iterator<Item = RemixedText> {
        self.texts().map(move |(overlay, change)| RemixedText {
            id: overlay.id.clone(),
            slide,
            text: overlay.text.clone(),
            new_text: change.new_text.clone(),
            kind: overlay.kind,
            frames: FrameRange::new(overlay.first_frame, overlay.last_frame + 1),
            region: overlay.region,
            confidence: overlay.confidence,
            removal: change.taken.name().to_owned(),
            residual: change.residual,
        })
    }
}

/// What is wrong in the fields that say what becomes of texts.
pub(crate) fn check(request: &Request, limits: &Limits, found: &mut Vec<Finding>) {
    let mut wrong = |kind, pointer: String, message: String, suggestion: String| {
        found.push(Finding::new(kind, pointer, message).suggest(suggestion));
    };
    if request.overlays.len() > MAX_CHANGES {
        let message = format!("{} texts are named; the limit is {MAX_CHANGES}", request.overlays.len());
        wrong(ErrorKind::LimitExceeded, "/overlays".to_owned(), message, "name fewer".to_owned());
    }
    let overlays = || request.overlays.iter().enumerate().take(MAX_CHANGES);
    let removals =
        overlays().map(|(number, change)| (format!("/overlays/{number}/removal"), change.removal.as_deref()));
    for (pointer, name) in removals.chain([("/removal".to_owned(), request.removal.as_deref())]) {
        if let Some(name) = name.filter(|name| RemovalMode::from_name(name).is_none()) {
            let message = format!("unknown removal `{}`", shorten(name));
            wrong(ErrorKind::Validation, pointer, message, nearest(name, &RemovalMode::NAMES));
        }
    }
    if let Some(name) = request.unremovable.as_deref().filter(|name| LeftPolicy::from_name(name).is_none()) {
        let message = format!("unknown policy `{}`", shorten(name));
        wrong(ErrorKind::Validation, "/unremovable".to_owned(), message, nearest(name, &LeftPolicy::NAMES));
    }
    // That there is one is found out with the engine's own.
    if let Some(name) = request.performer.as_deref().filter(|name| !PERFORMERS.contains(name)) {
        let message = format!("unknown performer `{}`", shorten(name));
        wrong(ErrorKind::Validation, "/performer".to_owned(), message, nearest(name, &PERFORMERS));
    }
    for (number, change) in overlays() {
        let at = format!("/overlays/{number}");
        if change.id.is_none() == change.text.is_none() {
            let message = "a text is named either by its id or by what it says".to_owned();
            wrong(ErrorKind::Validation, at.clone(), message, "give `id` or `text`".to_owned());
        }
        let chars = change.new_text.as_ref().map_or(0, |text| text.chars().count());
        if chars > limits.hook_chars {
            let message = format!("it has {chars} characters; the limit is {}", limits.hook_chars);
            wrong(ErrorKind::Validation, format!("{at}/newText"), message, "shorten it".to_owned());
        }
    }
    let styles = overlays().map(|(number, change)| (format!("/overlays/{number}/style"), change.style.as_ref()));
    for (pointer, style) in styles.chain([("/overlayStyle".to_owned(), request.overlay_style.as_ref())]) {
        found.extend(style.and_then(|style| style.faults(&pointer, TextStyle::default())));
    }
}

/// What becomes of the texts of each of `pictures` by what the request's `overlays` say; of slides each has its source's id.
///
/// # Errors
/// `NOT_FOUND` with all texts that the request names and that are not there.
pub(crate) fn changes(request: &Request, pictures: &[(Option<&str>, &FoundText)]) -> Result<Vec<Vec<Change>>> {
    let usual = Change { mode: mode_of(request, None), mode_pointer: mode_pointer(request, None), ..Change::default() };
    let mut changes: Vec<_> = pictures.iter().map(|(_, text)| vec![usual.clone(); text.overlays.len()]).collect();
    let mut faults = Vec::new();
    for (number, wanted) in request.overlays.iter().enumerate() {
        let is_on = |slide: &Option<&str>| wanted.slide.is_none() || wanted.slide.as_deref() == *slide;
        let mut is_there = false;
        for ((slide, text), changes) in pictures.iter().zip(&mut changes).filter(|((slide, _), _)| is_on(slide)) {
            for (overlay, change) in text.overlays.iter().zip(changes).filter(|(overlay, _)| is_named(wanted, overlay))
            {
                is_there = true;
                if let Some(other) = change.named {
                    let on = slide.map_or_else(String::new, |slide| format!(" of slide `{}`", shorten(slide)));
                    let message = format!("entries {other} and {number} name the same text, {}{on}", overlay.id);
                    let finding = Finding::new(ErrorKind::Validation, format!("/overlays/{number}"), message);
                    faults.push(finding.suggest("leave one of them out"));
                }
                *change = Change {
                    named: Some(number),
                    new_text: wanted.new_text.clone(),
                    pointer: format!("/overlays/{number}/newText"),
                    mode: mode_of(request, Some(wanted)),
                    mode_pointer: mode_pointer(request, Some((number, wanted))),
                    ..Change::default()
                };
            }
        }
        let is_shown = pictures.iter().any(|(slide, _)| is_on(slide));
        if !is_shown {
            let slide = wanted.slide.as_deref().unwrap_or_default();
            let known: Vec<&str> = pictures.iter().filter_map(|(slide, _)| *slide).collect();
            let message = format!("no slide of the result shows `{}`", shorten(slide));
            let finding = Finding::new(ErrorKind::NotFound, format!("/overlays/{number}/slide"), message);
            faults.push(finding.suggest(nearest(slide, &known)));
        } else if !is_there {
            let named = wanted.id.as_deref().or(wanted.text.as_deref()).unwrap_or_default();
            let message = format!("no text `{}` was found in the source", shorten(named));
            let field = if wanted.id.is_some() { "id" } else { "text" };
            let known: Vec<&str> = pictures
                .iter()
                .filter(|(slide, _)| is_on(slide))
                .flat_map(|(_, text)| &text.overlays)
                .map(|overlay| if wanted.id.is_some() { overlay.id.as_str() } else { overlay.text.as_str() })
                .collect();
            let finding = Finding::new(ErrorKind::NotFound, format!("/overlays/{number}/{field}"), message);
            faults.push(match known.is_empty() {
                true => finding.suggest("there is no text that could be found"),
                false => finding.suggest(nearest(named, &known)),
            });
        }
    }
    if faults.is_empty() { Ok(changes) } else { Err(Error::from_findings(faults)) }
}

/// Where the request says how a text is to be taken out.
fn mode_pointer(request: &Request, wanted: Option<(usize, &OverlayChange)>) -> String {
    match wanted {
        Some((number, wanted)) if wanted.removal.is_some() => format!("/overlays/{number}/removal"),
        _ if request.removal.is_some() => "/removal".to_owned(),
        Some((number, _)) => format!("/overlays/{number}"),
        None => "/overlays".to_owned(),
    }
}

/// How a text is to be taken out, by its entry and the request.
fn mode_of(request: &Request, wanted: Option<&OverlayChange>) -> RemovalMode {
    let own = wanted.and_then(|wanted| wanted.removal.as_deref());
    own.or(request.removal.as_deref()).and_then(RemovalMode::from_name).unwrap_or_default()
}

/// The entries that say how a text is taken out or looks, and for which there are no new words.
pub(crate) fn without_words<'a>(request: &Request, changes: impl Iterator<Item = &'a Change>) -> Vec<Finding> {
    let mut silent: Vec<usize> =
        changes.filter(|change| change.new_text.is_none()).filter_map(|change| change.named).collect();
    silent.sort_unstable();
    silent.dedup();
    let says = |number: &usize| {
        let wanted = &request.overlays[*number];
        let mode = wanted.removal.as_deref().and_then(RemovalMode::from_name);
        wanted.style.is_some() || mode.is_some_and(|mode| mode != RemovalMode::Keep)
    };
    let finding = |number: usize| {
        Finding::new(ErrorKind::Validation, format!("/overlays/{number}"), "it has no new words, and the text stays")
            .suggest("give `newText`; an empty one takes the text out")
    };
    silent.into_iter().filter(says).map(finding).collect()
}

/// What is left of a picture if `region` is cut off on the side where the least is lost, in even numbers; `None` if nothing is.
pub(crate) fn cut_off(rest: SourceRect, region: SourceRect) -> Option<SourceRect> {
    let (right, bottom) = (rest.x + rest.width, rest.y + rest.height);
    let (left, top) = (region.x.saturating_sub(CUT_OFF), region.y.saturating_sub(CUT_OFF));
    let (end, below) = (region.x + region.width + CUT_OFF, region.y + region.height + CUT_OFF);
    if left >= right || end <= rest.x || top >= bottom || below <= rest.y {
        return Some(rest);
    }
    let between = |(x, y): (u32, u32), (end, below): (u32, u32)| {
        let (x, y) = (x.next_multiple_of(2), y.next_multiple_of(2));
        let (width, height) = (end.saturating_sub(x) & !1, below.saturating_sub(y) & !1);
        (width > 0 && height > 0).then_some(SourceRect { x, y, width, height })
    };
    let corner = (rest.x, rest.y);
    let sides = [
        between((corner.0, below), (right, bottom)),
        between(corner, (right, top)),
        between((end, corner.1), (right, bottom)),
        between(corner, (left, bottom)),
    ];
    sides.into_iter().flatten().max_by_key(|rest| u64::from(rest.width) * u64::from(rest.height))
}

/// Whether an entry of the request means this text.
fn is_named(wanted: &OverlayChange, overlay: &FoundOverlay) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    wanted.id.as_ref().is_some_and(|id| *id == overlay.id)
        || wanted.text.as_ref().is_some_and(|text| plain(text) == plain(&overlay.text))
}

/// What is taken out of a source's pictures with one of its texts: where it stands, with the frames around, in which it may be
/// there too; and where it is while it comes and goes.
pub(crate) fn stretches(text: &FoundText, overlay: &FoundOverlay) -> Vec<(FrameRange, Mask)> {
    let FoundOverlay { first_frame: first, last_frame: last, moves, .. } = overlay;
    let end = (last + 1).saturating_add(AROUND).min(text.frames);
    let mut stretches: Vec<(FrameRange, Mask)> = Vec::new();
    let stands = (*first..=*last).find(|frame| overlay.stands(*frame));
    let leaves = (*first..=*last).rev().find(|frame| overlay.stands(*frame));
    if let Some((stands, leaves)) = stands.zip(leaves) {
        let start = if stands == *first { first.saturating_sub(AROUND) } else { stands };
        stretches.push((FrameRange::new(start, if leaves == *last { end } else { leaves + 1 }), overlay.mask.clone()));
    }
    // Before the first one and after the last one it may be as much further on as it moves there.
    let size = (text.width, text.height);
    let early = (first.saturating_sub(AROUND)..*first).map(|frame| (frame, beyond(moves.iter(), first - frame, size)));
    let late = (last + 1..end).map(|frame| (frame, beyond(moves.iter().rev(), frame - last, size)));
    let early = early.filter(|_| moves.first().is_some_and(|there| there.frame == *first));
    let late = late.filter(|_| moves.last().is_some_and(|there| there.frame == *last));
    let known = moves.iter().map(|there| (there.frame, there.mask.clone()));
    // Of a few frames that follow each other one mask, as long as it is not much larger than each: of what swings one for all of
    // them would hide for good what it shows now and then.
    let mut part: Option<(FrameRange, Mask, usize)> = None;
    for (frame, mask) in early.chain(known).chain(late).filter(|(_, mask)| !mask.is_empty()) {
        let count = mask.count();
        let next = part.as_ref().filter(|(before, ..)| before.end.0 == frame).and_then(|(before, known, least)| {
            let (both, least) = (known.union(&mask), count.min(*least));
            let is_alike = 2 * both.count() <= 3 * least && frame - before.start.0 < SHARED;
            is_alike.then(|| (FrameRange::new(before.start.0, frame + 1), both, least))
        });
        if next.is_none() {
            stretches.extend(part.take().map(|(frames, mask, _)| (frames, mask)));
        }
        part = next.or_else(|| Some((FrameRange::new(frame, frame + 1), mask, count)));
    }
    stretches.extend(part.map(|(frames, mask, _)| (frames, mask)));
    stretches
}

/// The pixels that a text takes `passed` frames beyond the first of `moves`, if it goes on as it does there, in pictures of
/// `size`.
fn beyond<'m>(mut moves: impl Iterator<Item = &'m FoundMove>, passed: u64, size: (u32, u32)) -> Mask {
    let Some(edge) = moves.next() else { return Mask::default() };
    let step = |one: &FoundMove, other: &FoundMove| {
        let frames = one.frame.abs_diff(other.frame).max(1) as f64;
        let (one, other) = (one.region, other.region);
        // Where it is cut by the picture's edge the other side tells.
        let is_cut = (one.x == 0 || other.x == 0, one.y == 0 || other.y == 0);
        let side = |start: u32, length: u32, is_cut: bool| f64::from(if is_cut { start + length } else { start });
        let corner =
            |region: SourceRect| (side(region.x, region.width, is_cut.0), side(region.y, region.height, is_cut.1));
        let (one, other) = (corner(one), corner(other));
        ((one.0 - other.0) / frames, (one.1 - other.1) / frames)
    };
    let (next, third) = (moves.next(), moves.next());
    let speed = next.map_or((0.0, 0.0), |next| step(edge, next));
    let before = next.zip(third).map_or(speed, |(next, third)| step(next, third));
    let far = |speed: f64, before: f64| {
        let passed = passed as f64;
        speed * passed + (speed - before) * passed * (passed + 1.0) / 2.0
    };
    let shift = (far(speed.0, before.0), far(speed.1, before.1));
    edge.mask.posed(&Posed { middle: (0.0, 0.0), shift, scale: 1.0, angle: 0.0, edge: EDGE, unsure: 0.0 }, size)
}

/// What of the source is shown where: all of the canvas if little is cut off by that.
pub(super) fn placed(post: &Post, canvas: Area) -> Result<(SourceRect, Area)> {
    let no_room = || Error::new(ErrorKind::Internal, "a source has no place on the canvas");
    let whole = SourceRect { x: 0, y: 0, width: post.size.width(), height: post.size.height() };
    let part = post.part.unwrap_or(whole);
    let (rect, area) = Fit::Cover.place_part(part, canvas, Focus::default()).ok_or_else(no_room)?;
    let pixels = |rect: SourceRect| f64::from(rect.width) * f64::from(rect.height);
    let cut = 1.0 - pixels(rect) / pixels(part);
    if cut <= CUT {
        return Ok((rect, area));
    }
    Fit::Blur.place_part(part, canvas, Focus::default()).ok_or_else(no_room)
}

/// A region of the source on the canvas, and by how much it is larger there.
pub(super) fn on_canvas(region: SourceRect, rect: SourceRect, area: Area) -> (Area, f64) {
    let (across, down) =
        (f64::from(area.width) / f64::from(rect.width), f64::from(area.height) / f64::from(rect.height));
    let place =
        |at: u32, origin: u32, by: f64, start: i32| ((f64::from(at) - f64::from(origin)) * by).round() as i32 + start;
    let size = |size: u32, by: f64| ((f64::from(size) * by).round() as u32).max(1);
    let placed = Area {
        x: place(region.x, rect.x, across, area.x),
        y: place(region.y, rect.y, down, area.y),
        width: size(region.width, across),
        height: size(region.height, down),
    };
    (placed, (across + down) / 2.0)
}

/// New words in the place and the style of old ones, which are at `old` on the canvas, `by` times as large as in the source.
pub(super) fn block(
    request: &Request,
    canvas: CanvasSize,
    (overlay, change): (&FoundOverlay, &Change),
    (old, by): (Area, f64),
) -> TextBlock {
    let words = change.new_text.as_deref().unwrap_or_default();
    let named = change.named.and_then(|number| request.overlays.get(number));
    let old_style = style_of(overlay, by);
    let wanted = named.and_then(|named| named.style.as_ref()).or(request.overlay_style.as_ref());
    let style = match wanted {
        Some(wanted) => wanted.over(old_style.clone()).unwrap_or(old_style),
        None => old_style,
    };
    // Who breaks lines wants them so: rather smaller than broken once more.
    let lines = u32::try_from(words.trim().lines().count()).unwrap_or(1);
    let max_lines = style.max_lines.or((lines > 1).then_some(lines));
    let style = TextStyle { max_lines, ..style };
    let (width, height) = (canvas.width(), canvas.height());
    // As wide as the old one, or as text in the middle of the canvas may be; and with room for a line more.
    let wide = old.width.max(SAFE_AREA.width).min(width - 2 * MARGIN);
    let line = (style.font_size.max * style.line_height).ceil() as u32;
    let high = (old.height + 2 * line).min(height - 2 * MARGIN);
    let middle = |start: i32, size: u32| i64::from(start) + i64::from(size) / 2;
    let inside = |at: i64, size: u32, whole: u32| {
        let most = i64::from(whole - MARGIN - size);
        i32::try_from(at.clamp(i64::from(MARGIN), most)).unwrap_or(0)
    };
    let x = match style.align {
        Align::Left => i64::from(old.x),
        Align::Center => middle(old.x, old.width) - i64::from(wide / 2),
        Align::Right => i64::from(old.x) + i64::from(old.width) - i64::from(wide),
    };
    let y = middle(old.y, old.height) - i64::from(high / 2);
    let area = Area { x: inside(x, wide, width), y: inside(y, high, height), width: wide, height: high };
    let anchor = match style.align {
        Align::Left => Anchor::Left,
        Align::Center => Anchor::Center,
        Align::Right => Anchor::Right,
    };
    TextBlock {
        style,
        anchor,
        language: request.text_language(),
        missing: request.missing_policy().unwrap_or_default(),
        ..TextBlock::new(words, area)
    }
}

/// How new words come and go: as the old ones do, but that what slid fades.
pub(super) fn motion(overlay: &FoundOverlay) -> TextMotion {
    let change = |found: FoundChange| TextChange {
        kind: match found.kind {
            FoundChangeKind::Pop => TextChangeKind::Pop,
            FoundChangeKind::Fade | FoundChangeKind::Slide => TextChangeKind::Fade,
        },
        duration: FrameRate::FPS_30.time_of(FrameIndex(found.frames)).saturating_since(Timestamp::ZERO),
    };
    TextMotion { enter: overlay.style.enter.map(change), exit: overlay.style.exit.map(change) }
}

/// The style of a text that was found, on a canvas on which it is `by` times as large.
fn style_of(overlay: &FoundOverlay, by: f64) -> TextStyle {
    let found = &overlay.style;
    let usual = TextStyle::default();
    let size = (found.font_size * by).clamp(16.0, 220.0) as f32;
    let part = |pixels: u32| (f64::from(pixels) * by) as f32 / size;
    let stroke = found.stroke.map(|stroke| Stroke { width: part(stroke.width).clamp(0.02, 0.2), colour: stroke.color });
    let backdrop = found.backdrop.map(|backdrop| Backdrop {
        colour: backdrop.color,
        padding: part(backdrop.padding).clamp(0.1, 0.6),
        radius: 0.2,
        shape: BackdropShape::Line,
    });
    // Letters with neither are read by a shadow that was not told.
    let shadow = (stroke.is_none() && backdrop.is_none()).then(Shadow::default);
    TextStyle {
        font_size: FontSize { min: usual.font_size.min.min(size), max: size },
        align: found.align,
        fill: found.color,
        stroke,
        backdrop,
        shadow,
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32) -> SourceRect {
        SourceRect { x, y: 40, width: 60, height: 20 }
    }

    /// A text that stands at 100 in the frames 10 to 40, and comes from the left, at this place in each frame before.
    fn text(comes: &[u32]) -> FoundText {
        let first = 10 - comes.len() as u64;
        let json = serde_json::json!({
            "width": 200, "height": 100, "frames": 42, "findings": [],
            "overlays": [{
                "id": "o1", "firstFrame": first, "lastFrame": 40, "start": 0.0, "end": 0.0, "region": rect(100),
                "kind": "caption", "text": "", "lines": [], "script": "Latn", "confidence": 1.0,
                "style": { "fontSize": 20.0, "align": "center", "color": "#ffffff", "stroke": null, "box": null },
            }],
        });
        let mut text: FoundText = serde_json::from_value(json).expect("is a text");
        let overlay = &mut text.overlays[0];
        overlay.mask = Mask::all_of(rect(100));
        let there = |(number, &x): (usize, &u32)| FoundMove {
            rotation: 0.0,
            frame: first + number as u64,
            region: rect(x),
            mask: Mask::all_of(rect(x)),
        };
        overlay.moves = comes.iter().enumerate().map(there).collect();
        text
    }

    /// The first and last column, in pixels, that is taken out in a frame.
    fn taken(stretches: &[(FrameRange, Mask)], frame: u64) -> Option<(usize, usize)> {
        let live = || stretches.iter().filter(|(frames, _)| frames.contains(FrameIndex(frame)));
        let columns: Vec<usize> = (0..100).filter(|&x| live().any(|(_, mask)| mask.has(x, 25))).collect();
        Some((2 * columns.first()?, 2 * columns.last()? + 2))
    }

    #[test]
    fn a_text_that_stands_is_taken_out_with_the_frames_around() {
        let text = text(&[]);
        let stretches = stretches(&text, &text.overlays[0]);
        assert_eq!(stretches.len(), 1);
        assert_eq!(stretches[0].0, FrameRange::new(8, 42));
    }

    #[test]
    fn a_text_that_comes_is_taken_out_on_its_way_and_before() {
        let text = text(&[20, 46, 68, 86]);
        let stretches = stretches(&text, &text.overlays[0]);
        assert_eq!(stretches[0].0, FrameRange::new(10, 42), "where it stands");
        for (frame, x) in [(6, 20), (7, 46), (8, 68), (9, 86), (10, 100)] {
            let (from, to) = taken(&stretches, frame).expect("is taken out");
            assert!(from <= x && to >= x + 60, "frame {frame}: {from} to {to}");
            assert!(to - from <= 90, "frame {frame}: {from} to {to}");
        }
        // It was faster before: 30 and 34 pixels a frame.
        let (from, to) = taken(&stretches, 5).expect("may be there");
        assert!(from == 0 && (50..60).contains(&to), "{from} to {to}");
        let (from, to) = taken(&stretches, 4).expect("may be there");
        assert!(from == 0 && (16..26).contains(&to), "{from} to {to}");
        assert_eq!(taken(&stretches, 3), None);
    }

    #[test]
    fn what_moves_by_little_shares_a_mask_for_a_few_frames() {
        // To and fro by one cell, for eight frames before it stands.
        let text = text(&(0..8).map(|number| 100 + 2 * (number % 2)).collect::<Vec<u32>>());
        let stretches = stretches(&text, &text.overlays[0]);
        let shared: Vec<u64> = stretches[1..].iter().map(|(frames, _)| frames.end.0 - frames.start.0).collect();
        assert_eq!(shared, [2, 6, 2], "two before it, where it may be further on, and six at most");
        assert!(stretches[1..].windows(2).all(|pair| pair[0].0.end == pair[1].0.start));
        assert!((2..10).all(|frame| taken(&stretches, frame).is_some_and(|(from, to)| from <= 100 && to >= 160)));
    }
}
