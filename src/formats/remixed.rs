//! What becomes of the texts of somebody's pictures: which a request means, how they are taken out, and how new words are set.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::overlays::SAFE_AREA;
use crate::burnt::{FoundOverlay, FoundText, OverlayKind};
use crate::compose::{Fit, Focus, SourceRect};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::request::{LeftPolicy, OverlayChange, PERFORMERS, RemovalMode, Request, nearest, shorten};
use crate::text::{Align, Anchor, Area, Backdrop, BackdropShape, FontSize, Shadow, Stroke, TextBlock, TextStyle};
use crate::timeline::{Asset, Performer, Removal};
use crate::units::{CanvasSize, FrameRange, SourceSize};

/// The most texts that a request names.
const MAX_CHANGES: usize = 500;
/// Frames before and after a text in which it may be there, too: its ends are found to within two.
const AROUND: u64 = 2;
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

/// The frames in which a text is taken out: with those around, in which it may be there too.
pub(crate) fn frames_of(overlay: &FoundOverlay, frames: u64) -> FrameRange {
    let end = (overlay.last_frame + 1).saturating_add(AROUND).min(frames);
    FrameRange::new(overlay.first_frame.saturating_sub(AROUND), end)
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
