//! `video-remix`: somebody's video with other words: what was burnt in is taken out, and new words stand in its place.

use serde::{Deserialize, Serialize};

use super::overlays::SAFE_AREA;
use super::{Pick, sound};
use crate::burnt::{FoundOverlay, FoundText, OverlayKind};
use crate::compose::{Fit, Focus, SourceRect};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::request::{Format, OverlayChange, REMOVALS, Request, SOURCE_ID, nearest, shorten};
use crate::text::{Align, Anchor, Area, Backdrop, BackdropShape, FontSize, Shadow, Stroke, TextBlock, TextStyle};
use crate::timeline::{Asset, During, Layer, Patch, Removal, Shot, ShotDuration, TextMotion, TextOverlay, Timeline};
use crate::units::{CanvasSize, Decibels, FrameRange, FrameRate, SourceSize};

/// Music beside the source's own sound; under voices it goes down further.
const MUSIC_GAIN: Decibels = Decibels(-6.0);
/// The most texts that a request names.
const MAX_CHANGES: usize = 500;
/// How much of its picture a source may lose by being cut to the canvas's shape. Of others all is shown, over itself blurred.
const CUT: f64 = 0.12;
/// Frames before and after a text in which it may be there, too: its ends are found to within two.
const AROUND: u64 = 2;
/// The space to the canvas's sides that a text keeps, in pixels.
const MARGIN: u32 = 40;

/// What became of a text of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemixedText {
    /// Its name in the source.
    pub id: String,
    /// What it said.
    pub text: String,
    /// What stands in its place; `None` if it stays as it is, empty for nothing.
    pub new_text: Option<String>,
    /// Whose it is.
    pub kind: OverlayKind,
    /// The output's frames that show it.
    pub frames: FrameRange,
    /// Where it is in the source.
    pub region: SourceRect,
    /// How sure it was that it is text, and read right, 0 to 1.
    pub confidence: f64,
    /// How it was taken out: `fill`, `blur`, `cover`, or `keep`.
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

/// What is known of the source of a remix.
pub(crate) struct Post {
    pub(crate) asset: Asset,
    /// The size of its pictures.
    pub(crate) size: SourceSize,
    pub(crate) text: FoundText,
    /// What becomes of each of its texts.
    pub(crate) changes: Vec<Change>,
}

/// What becomes of a text of the source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Change {
    /// Its place among those that the request names.
    pub(crate) named: Option<usize>,
    /// `None` for what stays.
    pub(crate) new_text: Option<String>,
    /// How it is taken out; `None` for not at all.
    pub(crate) removal: Option<Removal>,
    pub(crate) residual: Option<Residual>,
}

/// What the request lacks for this format, and what is wrong in the fields that only it reads.
pub(crate) fn unmet(request: &Request, limits: &Limits) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut wrong = |kind, pointer: String, message: String, suggestion: String| {
        found.push(Finding::new(kind, pointer, message).suggest(suggestion));
    };
    let source = request.source.clone().unwrap_or_default();
    if !source.slides.is_empty() {
        let message = "the source has slides, and a video-remix starts from a video".to_owned();
        wrong(ErrorKind::Validation, "/source/slides".to_owned(), message, "use slideshow-remix".to_owned());
    }
    if source.src.is_none() && source.tiktok_video_id.is_none() {
        let message = "there is no video to start from".to_owned();
        let suggestion = "give `source.src`, or `source.tiktokVideoId` of a post that is known".to_owned();
        wrong(ErrorKind::Validation, "/source".to_owned(), message, suggestion);
    }
    for (field, given) in [
        ("hook", request.hook.is_some()),
        ("mediaId", request.media_id.is_some()),
        ("reactionTemplates", !request.reaction_templates.is_empty()),
        ("reactionTemplateId", request.reaction_template_id.is_some()),
        ("layout", request.layout.is_some()),
        ("layoutOptions", request.layout_options.is_some()),
        ("transition", request.transition.is_some()),
        ("slides", request.slides.is_some()),
        ("slideVideo", request.slide_video.is_some()),
    ] {
        if given {
            let message = format!("`{field}` has no meaning in a video-remix");
            wrong(ErrorKind::Validation, format!("/{field}"), message, "leave it out".to_owned());
        }
    }
    match request.performer.as_deref() {
        Some("none") => {}
        None => {
            let message = "no model is there that puts the influencer in the place of who is seen".to_owned();
            let suggestion = "keep who is seen with `performer`: `none`".to_owned();
            wrong(ErrorKind::PerformerUnavailable, "/performer".to_owned(), message, suggestion);
        }
        Some(other) => {
            let message = format!("unknown performer `{}`", shorten(other));
            wrong(ErrorKind::Validation, "/performer".to_owned(), message, "use `none`, or leave it out".to_owned());
        }
    }
    if request.overlays.len() > MAX_CHANGES {
        let message = format!("{} texts are named; the limit is {MAX_CHANGES}", request.overlays.len());
        wrong(ErrorKind::LimitExceeded, "/overlays".to_owned(), message, "name fewer".to_owned());
    }
    let mut removal = |pointer: String, name: Option<&str>| {
        if let Some(name) = name.filter(|name| !REMOVALS.contains(name)) {
            let message = format!("unknown removal `{}`", shorten(name));
            wrong(ErrorKind::Validation, pointer, message, nearest(name, &REMOVALS));
        }
    };
    removal("/removal".to_owned(), request.removal.as_deref());
    for (number, change) in request.overlays.iter().enumerate().take(MAX_CHANGES) {
        removal(format!("/overlays/{number}/removal"), change.removal.as_deref());
    }
    for (number, change) in request.overlays.iter().enumerate().take(MAX_CHANGES) {
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
    let styles = request.overlays.iter().enumerate().take(MAX_CHANGES);
    let styles = styles.map(|(number, change)| (format!("/overlays/{number}/style"), change.style.as_ref()));
    for (pointer, style) in styles.chain([("/overlayStyle".to_owned(), request.overlay_style.as_ref())]) {
        found.extend(style.and_then(|style| style.faults(&pointer, TextStyle::default())));
    }
    found
}

/// The file of the source, as the request gives it; `None` if it gives none.
pub(crate) fn asset(request: &Request) -> Result<Option<Asset>> {
    let pointer = "/source/src".to_owned();
    let src = request.source.as_ref().and_then(|source| source.src.as_ref());
    let asset = |src: &String| {
        let path = request.resolve(src).map_err(|error| error.at_pointer(pointer.clone()))?;
        Ok(Asset { id: SOURCE_ID.to_owned(), path, pointer: pointer.clone() })
    };
    src.map(asset).transpose()
}

/// What becomes of each text that was found, by what the request says; how those are taken out that have a choice is left to
/// `auto`.
///
/// # Errors
/// `NOT_FOUND` with all texts that the request names and that are not there.
pub(crate) fn changes(request: &Request, text: &FoundText) -> Result<Vec<Change>> {
    let mut changes = vec![Change::default(); text.overlays.len()];
    let mut missing = Vec::new();
    for (number, wanted) in request.overlays.iter().enumerate() {
        let places: Vec<usize> =
            (0..text.overlays.len()).filter(|&place| is_named(wanted, &text.overlays[place])).collect();
        if places.is_empty() {
            let named = wanted.id.as_deref().or(wanted.text.as_deref()).unwrap_or_default();
            let message = format!("no text `{}` was found in the source", shorten(named));
            let field = if wanted.id.is_some() { "id" } else { "text" };
            let known: Vec<&str> = text
                .overlays
                .iter()
                .map(|overlay| if wanted.id.is_some() { overlay.id.as_str() } else { overlay.text.as_str() })
                .collect();
            let finding = Finding::new(ErrorKind::NotFound, format!("/overlays/{number}/{field}"), message);
            missing.push(match known.is_empty() {
                true => finding.suggest("the source has no text that could be found"),
                false => finding.suggest(nearest(named, &known)),
            });
        }
        for place in places {
            if let Some(other) = changes[place].named {
                let message = format!("entries {other} and {number} name the same text, {}", text.overlays[place].id);
                let finding = Finding::new(ErrorKind::Validation, format!("/overlays/{number}"), message);
                missing.push(finding.suggest("leave one of them out"));
            }
            changes[place] = Change { named: Some(number), new_text: wanted.new_text.clone(), ..Change::default() };
        }
    }
    if missing.is_empty() { Ok(changes) } else { Err(Error::from_findings(missing)) }
}

/// The entries that say how a text is taken out or looks, and for which there are no new words.
pub(crate) fn without_words(request: &Request, changes: &[Change]) -> Vec<Finding> {
    let named = changes.iter().filter(|change| change.new_text.is_none()).filter_map(|change| change.named);
    let says = |number: &usize| {
        let wanted = &request.overlays[*number];
        wanted.style.is_some() || wanted.removal.as_deref().is_some_and(|name| name != REMOVALS[4])
    };
    let finding = |number: usize| {
        Finding::new(ErrorKind::Validation, format!("/overlays/{number}"), "it has no new words, and the text stays")
            .suggest("give `newText`; an empty one takes the text out")
    };
    named.filter(says).map(finding).collect()
}

/// What only a video-remix reads, in a request of another format.
pub(crate) fn meant_for_it(request: &Request, format: Format) -> Vec<Finding> {
    let source = request.source.as_ref();
    let of_slides = format == Format::SlideshowRemix;
    let given = [
        ("overlays", !request.overlays.is_empty()),
        ("removal", request.removal.is_some()),
        ("overlayStyle", request.overlay_style.is_some()),
        // Slides may say so as well.
        ("performer", request.performer.is_some() && !(of_slides && request.performer.as_deref() == Some("none"))),
        ("audio/source", request.audio.as_ref().is_some_and(|audio| audio.source.is_some())),
        ("source/src", source.is_some_and(|source| source.src.is_some() && !source.slides.is_empty())),
    ];
    let refused = |field: &str| {
        let message = format!("`{}` has a meaning in a video-remix alone", field.replace('/', "."));
        Finding::new(ErrorKind::Validation, format!("/{field}"), message).suggest("leave it out")
    };
    given.iter().filter(|(_, given)| *given).map(|(field, _)| refused(field)).collect()
}

/// Whether an entry of the request means this text.
fn is_named(wanted: &OverlayChange, overlay: &FoundOverlay) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    wanted.id.as_ref().is_some_and(|id| *id == overlay.id)
        || wanted.text.as_ref().is_some_and(|text| plain(text) == plain(&overlay.text))
}

/// The name of the removal that the request wants for a text.
pub(crate) fn removal_name<'a>(request: &'a Request, change: &Change) -> &'a str {
    let named = change.named.and_then(|number| request.overlays.get(number));
    named.and_then(|named| named.removal.as_deref()).or(request.removal.as_deref()).unwrap_or(REMOVALS[0])
}

/// The frames in which a text is taken out: with those around, in which it may be there too.
pub(crate) fn frames_of(overlay: &FoundOverlay, frames: u64) -> FrameRange {
    let end = (overlay.last_frame + 1).saturating_add(AROUND).min(frames);
    FrameRange::new(overlay.first_frame.saturating_sub(AROUND), end)
}

/// The timeline of one variant, what was picked for it, and what became of the source's texts.
pub(crate) fn timeline(request: &Request, variant: u8, post: &Post) -> Result<(Timeline, Vec<Pick>, Vec<RemixedText>)> {
    let canvas = CanvasSize::VERTICAL_HD;
    let frames = post.text.frames;
    let whole = Layer::covering(canvas, post.asset.clone());
    let (rect, area) = placed(post.size, whole.area)?;
    let patches = post.text.overlays.iter().zip(&post.changes).filter_map(|(overlay, change)| {
        let removal = change.removal?;
        Some(Patch { frames: frames_of(overlay, frames), mask: overlay.mask.clone(), removal })
    });
    let layer = Layer {
        fit: if area == whole.area { Fit::Cover } else { Fit::Blur },
        volume: sound::source_sound(request),
        patches: patches.collect(),
        ..whole
    };
    let mut texts = Vec::new();
    for (overlay, change) in post.text.overlays.iter().zip(&post.changes) {
        let Some(words) = change.new_text.as_deref().filter(|words| !words.trim().is_empty()) else { continue };
        let named = change.named.and_then(|number| request.overlays.get(number));
        let block = block(request, named, overlay, words, |region| on_canvas(region, rect, area))?;
        texts.push(TextOverlay {
            name: overlay.id.clone(),
            block,
            during: During::Frames(FrameRange::new(overlay.first_frame, overlay.last_frame + 1)),
            motion: TextMotion::default(),
            pointer: change.named.map_or_else(String::new, |number| format!("/overlays/{number}/newText")),
        });
    }
    let mut picks = vec![Pick { role: "source".to_owned(), id: post.asset.id.clone() }];
    let music = super::music(request, variant, MUSIC_GAIN)?;
    picks.extend(music.iter().map(|track| Pick { role: "music".to_owned(), id: track.asset.id.clone() }));
    let voice_over = super::voice_over(request)?;
    picks.extend(voice_over.iter().map(|voice| Pick { role: "voice-over".to_owned(), id: voice.asset.id.clone() }));
    let (_, _, captions) = super::overlays::overlays(request)?;
    let timeline = Timeline {
        canvas,
        rate: FrameRate::FPS_30,
        shots: vec![Shot {
            name: "source".to_owned(),
            ground: [0; 3],
            layers: vec![layer],
            duration: ShotDuration::Media,
            enter: None,
            pointer: "/source".to_owned(),
        }],
        overlays: Vec::new(),
        texts,
        captions,
        music,
        voice_over,
    };
    let remixed = post.text.overlays.iter().zip(&post.changes).map(|(overlay, change)| RemixedText {
        id: overlay.id.clone(),
        text: overlay.text.clone(),
        new_text: change.new_text.clone(),
        kind: overlay.kind,
        frames: FrameRange::new(overlay.first_frame, overlay.last_frame + 1),
        region: overlay.region,
        confidence: overlay.confidence,
        removal: match change.removal {
            None => "keep",
            Some(Removal::Fill) => "fill",
            Some(Removal::Blur) => "blur",
            Some(Removal::Cover(_)) => "cover",
        }
        .to_owned(),
        residual: change.residual,
    });
    Ok((timeline, picks, remixed.collect()))
}

/// What of the source is shown where: all of the canvas if little is cut off by that.
fn placed(size: SourceSize, canvas: Area) -> Result<(SourceRect, Area)> {
    let no_room = || Error::new(ErrorKind::Internal, "a source has no place on the canvas");
    let (rect, area) = Fit::Cover.place(size, canvas, Focus::default()).ok_or_else(no_room)?;
    let cut = 1.0 - f64::from(rect.width) * f64::from(rect.height) / size.pixels() as f64;
    if cut <= CUT {
        return Ok((rect, area));
    }
    Fit::Blur.place(size, canvas, Focus::default()).ok_or_else(no_room)
}

/// A region of the source on the canvas, and by how much it is larger there.
fn on_canvas(region: SourceRect, rect: SourceRect, area: Area) -> (Area, f64) {
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

/// New words in the place and the style of old ones.
fn block(
    request: &Request,
    named: Option<&OverlayChange>,
    overlay: &FoundOverlay,
    words: &str,
    on_canvas: impl Fn(SourceRect) -> (Area, f64),
) -> Result<TextBlock> {
    let (old, by) = on_canvas(overlay.region);
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
    let (width, height) = (CanvasSize::VERTICAL_HD.width(), CanvasSize::VERTICAL_HD.height());
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
    Ok(TextBlock {
        style,
        anchor,
        language: request.text_language(),
        missing: request.missing_policy().unwrap_or_default(),
        ..TextBlock::new(words, area)
    })
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
