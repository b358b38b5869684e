//! The texts over a video: where on the canvas the hook and the captions stand, and how they look.

use crate::error::{Error, Finding, Result};
use crate::request::{Request, StyleRequest, caption_style};
use crate::text::{ActiveStyle, Anchor, Area, Backdrop, BackdropShape, MissingPolicy, Rgba, TextBlock, TextStyle};
use crate::timeline::{CaptionTrack, TextMotion};

/// What the apps leave free of a 1080x1920 canvas, by name; first the default. On both sides as much is left out as on
/// the wider one, so that text stays centred.
///
/// The figures of November 2026. TikTok, Shorts and what is common for organic posts are practitioners' figures, Reels
/// Meta's guidance for ads; `all` is free on every one of them. The apps change their bars by device and region.
pub(crate) const SAFE_AREAS: [(&str, Area); 5] = [
    ("organic", SAFE_AREA),
    ("tiktok", Area { x: 180, y: 250, width: 720, height: 1210 }),
    ("reels", Area { x: 65, y: 269, width: 950, height: 979 }),
    ("shorts", Area { x: 192, y: 288, width: 696, height: 960 }),
    ("all", Area { x: 192, y: 288, width: 696, height: 960 }),
];

/// 250 px above and 460 px below for the apps' bars, and on both sides the 180 px of the right button column.
pub(super) const SAFE_AREA: Area = Area { x: 180, y: 250, width: 720, height: 1210 };

/// Between the captions' part of the safe area and the hook's, px.
const APART: u32 = 24;

/// What marks the active word: yellow on dark, red on light.
const ON_DARK: Rgba = Rgba { r: 255, g: 226, b: 52, a: 255 };
const ON_LIGHT: Rgba = Rgba { r: 228, g: 30, b: 63, a: 255 };

/// The names of the safe areas.
pub(crate) fn safe_area_names() -> Vec<&'static str> {
    SAFE_AREAS.iter().map(|(name, _)| *name).collect()
}

pub(super) fn safe_area(name: Option<&str>) -> Area {
    SAFE_AREAS.iter().find(|(known, _)| name == Some(*known)).map_or(SAFE_AREA, |(_, area)| *area)
}

/// How a hook looks and where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HookLook {
    /// Its style. Default: `outline`.
    pub style: Option<StyleRequest>,
    /// A name of [`Anchor::NAMES`]; else `top`, where it leaves the face free.
    pub position: Option<String>,
    /// A name of a safe area; else `organic`.
    pub safe_area: Option<String>,
    /// The text's language, a BCP 47 tag.
    pub language: Option<String>,
    /// What is done about characters that no font has.
    pub missing: MissingPolicy,
}

impl HookLook {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            style: request.hook_style.clone(),
            position: request.hook_position.clone(),
            safe_area: request.safe_area.clone(),
            language: request.text_language(),
            missing: request.missing_policy().unwrap_or_default(),
        }
    }

    /// Checks that every name is known and every number in its range.
    ///
    /// # Errors
    /// `VALIDATION` with all findings, their pointers those of a request.
    pub fn check(&self) -> Result<()> {
        let request = Request {
            hook_style: self.style.clone(),
            hook_position: self.position.clone(),
            safe_area: self.safe_area.clone(),
            language: self.language.clone(),
            ..Request::default()
        };
        match request.text_findings() {
            findings if findings.is_empty() => Ok(()),
            findings => Err(Error::from_findings(findings)),
        }
    }

    /// A hook as it is set in the whole safe area. The look must pass [`check`](Self::check); what does not is as by
    /// default.
    pub fn block(&self, hook: &str) -> TextBlock {
        let anchor = self.position.as_deref().and_then(Anchor::from_name).unwrap_or(Anchor::Top);
        // An alignment that the style does not ask for is the place's.
        let base = TextStyle { align: anchor.align(), ..TextStyle::default() };
        let style = self.style.as_ref().map(|style| style.over(base.clone()));
        TextBlock {
            style: style.and_then(|style| style.ok()).unwrap_or(base),
            anchor,
            language: self.language.clone(),
            missing: self.missing,
            ..TextBlock::new(hook, safe_area(self.safe_area.as_deref()))
        }
    }
}

/// The hook and the captions of a request over a video. Neither ever stands on the other: the captions have a part of
/// the safe area to themselves.
///
/// # Errors
/// As reading the captions' file.
pub(super) fn overlays(request: &Request) -> Result<(Option<TextBlock>, TextMotion, Option<CaptionTrack>)> {
    let hook = request.hook.as_deref().filter(|hook| !hook.trim().is_empty());
    let mut hook = hook.map(|hook| HookLook::of(request).block(hook));
    let motion = request.hook_animation.as_ref().map(|animation| animation.motion()).unwrap_or_default();
    if !request.has_captions() {
        return Ok((hook, motion, None));
    }
    let track = caption_track(request)?;
    if let Some(hook) = &mut hook {
        hook.area = beside(hook.area, hook.anchor, &track.look);
    }
    Ok((hook, motion, Some(track)))
}

fn caption_track(request: &Request) -> Result<CaptionTrack> {
    let options = request.caption_options.clone().unwrap_or_default();
    let asked = options.style.as_ref().map(|style| style.over(caption_style()));
    let mut style = asked.and_then(|style| style.ok()).unwrap_or_else(caption_style);
    // What is asked for by name wins; a style that says `null` has none.
    let says_none = options.style.as_ref().is_some_and(|style| style.0.get("active").is_some_and(|it| it.is_null()));
    match options.active_word.as_deref() {
        Some(name) => style.active = active(name, &style),
        None if style.active.is_none() && !says_none => style.active = active("color", &style),
        None => {}
    }
    let anchor = options.position.as_deref().and_then(Anchor::from_name).unwrap_or(Anchor::Bottom);
    let look = TextBlock {
        area: band(safe_area(request.safe_area.as_deref()), anchor, &style),
        anchor,
        style,
        language: request.text_language(),
        missing: request.missing_policy().unwrap_or_default(),
        ..TextBlock::new("", SAFE_AREA)
    };
    Ok(CaptionTrack {
        cues: request.cues()?,
        look,
        max_words: options.max_words.and_then(|words| u32::try_from(words).ok()),
        motion: options.animation.as_ref().map(|animation| animation.motion()).unwrap_or_default(),
    })
}

/// How a style marks the active word.
fn active(name: &str, style: &TextStyle) -> Option<ActiveStyle> {
    let is_light = |color: Rgba| u32::from(color.r) + u32::from(color.g) + u32::from(color.b) > 3 * 128;
    let on_light = style.backdrop.is_some_and(|under| under.colour.a > 127 && is_light(under.colour));
    let accent = if on_light || !is_light(style.fill) { ON_LIGHT } else { ON_DARK };
    match name {
        "color" => Some(ActiveStyle { fill: Some(accent), ..ActiveStyle::default() }),
        "scale" => Some(ActiveStyle { fill: Some(accent), scale: 1.1, ..ActiveStyle::default() }),
        "box" => Some(ActiveStyle {
            fill: Some(Rgba::WHITE),
            backdrop: Some(Backdrop { colour: ON_LIGHT, padding: 0.16, radius: 0.2, shape: BackdropShape::Line }),
            ..ActiveStyle::default()
        }),
        _ => None,
    }
}

/// The part of `safe` for captions of this style: as high as its lines at its largest size, with what reaches around
/// them.
fn band(safe: Area, anchor: Anchor, style: &TextStyle) -> Area {
    let size = style.font_size.max;
    let lines = style.max_lines.unwrap_or(2) as f32;
    let under = style.backdrop.iter().chain(style.active.iter().filter_map(|active| active.backdrop.as_ref()));
    let padding = under.map(|under| under.padding / 2.0).fold(0.0, f32::max);
    let stroke = style.stroke.map_or(0.0, |stroke| stroke.width);
    let shadow = style.shadow.map_or(0.0, |shadow| 3.0 * shadow.blur + shadow.y.abs());
    let grown = style.active.map_or(0.0, |active| active.scale - 1.0);
    // Half an em more for accents on capitals and for scripts that stand taller.
    let around = 0.25 + stroke.max(padding).max(shadow) + grown;
    let height = (size * (lines * style.line_height + 2.0 * around)).ceil() as u32;
    let height = height.min(safe.height * 2 / 3);
    let free = safe.height - height;
    let above = match anchor {
        Anchor::TopLeft | Anchor::Top | Anchor::TopRight => 0,
        Anchor::Left | Anchor::Center | Anchor::Right => free / 2,
        Anchor::BottomLeft | Anchor::Bottom | Anchor::BottomRight => free,
    };
    Area { y: safe.y.saturating_add_unsigned(above), height, ..safe }
}

/// The part of `safe` above or below the captions that a hook at `anchor` has: the one at its place, else the larger.
fn beside(safe: Area, anchor: Anchor, captions: &TextBlock) -> Area {
    let end = |area: Area| area.y.saturating_add_unsigned(area.height);
    let above = Area { height: captions.area.y.abs_diff(safe.y).saturating_sub(APART), ..safe };
    let top = end(captions.area).saturating_add_unsigned(APART);
    let below = Area { y: top, height: u32::try_from(end(safe) - top).unwrap_or(0), ..safe };
    let wants_above = match anchor {
        Anchor::TopLeft | Anchor::Top | Anchor::TopRight => true,
        Anchor::Left | Anchor::Center | Anchor::Right => above.height >= below.height,
        Anchor::BottomLeft | Anchor::Bottom | Anchor::BottomRight => false,
    };
    // A part that is left over beside captions at the very top or bottom is no place.
    const LEAST: u32 = 200;
    if (wants_above && above.height >= LEAST) || below.height < LEAST { above } else { below }
}

/// What slides cannot have of a request.
pub(super) fn unmet_by_slides(request: &Request) -> Vec<Finding> {
    let given = [
        ("captions", !request.captions.is_empty()),
        ("captionsSrc", request.captions_src.is_some()),
        ("captionOptions", request.caption_options.is_some()),
        ("hookAnimation", request.hook_animation.is_some()),
        ("layout", request.layout.is_some()),
        ("layoutOptions", request.layout_options.is_some()),
        ("transition", request.transition.is_some()),
        ("timeline", request.timeline.is_some()),
    ];
    super::without_meaning(&given, "slides")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Align;
    use serde_json::json;

    fn request(fields: serde_json::Value) -> Request {
        let mut all =
            json!({ "id": "x", "hook": "a hook", "captions": [{ "text": "said", "start": 0.0, "end": 1.0 }] });
        if let (Some(all), Some(fields)) = (all.as_object_mut(), fields.as_object()) {
            all.extend(fields.clone());
        }
        serde_json::from_value(all).expect("is a request")
    }

    #[test]
    fn hook_and_captions_never_stand_on_each_other() {
        for safe in safe_area_names() {
            for hook in Anchor::NAMES {
                for captions in ["top", "center", "bottom"] {
                    let request = request(json!({ "hookPosition": hook, "safeArea": safe,
                        "captionOptions": { "position": captions, "activeWord": "box" } }));
                    let (hook_block, _, track) = overlays(&request).expect("no file is read");
                    let hook_area = hook_block.expect("a hook").area;
                    let band = track.expect("captions").look.area;
                    let end = |area: Area| area.y + area.height as i32;
                    assert!(end(hook_area) <= band.y || end(band) <= hook_area.y, "{safe} {hook} {captions}");
                    assert!(hook_area.height >= 200, "{safe} {hook} {captions}: {hook_area:?}");
                    let safe = safe_area(Some(safe));
                    assert!(band.y >= safe.y && end(band) <= end(safe) && end(hook_area) <= end(safe));
                }
            }
        }
    }

    #[test]
    fn a_style_keeps_its_own_alignment_or_takes_the_places() {
        let look = |style: serde_json::Value| HookLook {
            style: Some(StyleRequest(style)),
            position: Some("left".to_owned()),
            ..HookLook::default()
        };
        assert_eq!(look(json!({ "fill": "#000000" })).block("x").style.align, Align::Left);
        assert_eq!(look(json!({ "align": "right" })).block("x").style.align, Align::Right);
        assert_eq!(look(json!("white-box")).block("x").style.align, Align::Left);
    }
}
