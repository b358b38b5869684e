//! `ugc-remix`: a reaction clip under the hook, then the app demo, with music.

use super::Pick;
use crate::compose::{Fit, Focus};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{Request, pick};
use crate::source::AtEnd;
use crate::text::{Anchor, Area, TextBlock, TextStyle};
use crate::timeline::{Asset, During, Shot, ShotDuration, TextOverlay, Timeline};
use crate::units::{CanvasSize, Decibels, FrameRate, TimeSpan};

/// The role of the media row that is remixed.
const APP_DEMO: &str = "app-demo";
const REACTION_SHOT: &str = "reaction";

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

/// Music beside clips; under voices it goes down further.
const MUSIC_GAIN: Decibels = Decibels(-6.0);

/// What the request lacks for this format.
pub(crate) fn unmet(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    if request.media_id.is_none() && !request.media.iter().any(|row| row.media_role == APP_DEMO) {
        found.push(
            Finding::new(ErrorKind::MissingAppDemo, "/media", "no media has the role app-demo")
                .suggest("add a row with mediaRole `app-demo`, or pin one with mediaId"),
        );
    }
    if request.reaction_templates.is_empty() {
        let message = "there is no reaction template to start with";
        found.push(
            Finding::new(ErrorKind::Validation, "/reactionTemplates", message)
                .suggest("add at least one reaction clip"),
        );
    }
    found
}

/// The timeline of one variant. The request must have no findings.
pub(super) fn timeline(request: &Request, variant: u8) -> Result<(Timeline, Vec<Pick>)> {
    let demo = request
        .media
        .iter()
        .position(|row| match &request.media_id {
            Some(id) => row.id == *id,
            None => row.media_role == APP_DEMO,
        })
        .ok_or_else(|| Error::new(ErrorKind::MissingAppDemo, "no media has the role app-demo"))?;
    let demo = asset(request, "media", demo, &request.media[demo].id, &request.media[demo].src)?;

    let reactions: Vec<_> = request.reaction_templates.iter().map(|item| (&item.id, &item.src)).collect();
    let reaction = chosen(request, "reactionTemplates", &reactions, request.reaction_template_id.as_deref(), variant)?
        .ok_or_else(|| Error::new(ErrorKind::Validation, "there is no reaction template to start with"))?;
    let music = super::music(request, variant, MUSIC_GAIN)?;
    let voice_over = super::voice_over(request)?;

    let mut picks = vec![
        Pick { role: APP_DEMO.to_owned(), id: demo.id.clone() },
        Pick { role: "reaction".to_owned(), id: reaction.id.clone() },
    ];
    picks.extend(music.iter().map(|track| Pick { role: "music".to_owned(), id: track.asset.id.clone() }));
    picks.extend(voice_over.iter().map(|voice| Pick { role: "voice-over".to_owned(), id: voice.asset.id.clone() }));

    let hook = request.hook.as_deref().filter(|hook| !hook.trim().is_empty());
    let during = match request.hook_duration.and_then(TimeSpan::from_secs_f64) {
        Some(span) => During::FromStart(span),
        None => During::Shot(REACTION_SHOT.to_owned()),
    };
    let texts = hook.map(|hook| TextOverlay {
        name: "hook".to_owned(),
        block: hook_block(hook, &HookLook::of(request)),
        during,
    });
    let shot = |name: &str, asset| Shot {
        name: name.to_owned(),
        asset,
        fit: Fit::Cover,
        focus: Focus::default(),
        volume: Decibels(0.0),
        duration: ShotDuration::Media,
        at_end: AtEnd::Hold,
    };
    let timeline = Timeline {
        canvas: CanvasSize::VERTICAL_HD,
        rate: FrameRate::FPS_30,
        shots: vec![shot(REACTION_SHOT, reaction), shot(APP_DEMO, demo)],
        texts: texts.into_iter().collect(),
        music,
        voice_over,
    };
    Ok((timeline, picks))
}

/// How a hook looks and where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HookLook {
    /// A name of [`TextStyle::PRESETS`]; else the first.
    pub style: Option<String>,
    /// A name of [`Anchor::NAMES`]; else `top`, where it leaves the face free.
    pub position: Option<String>,
    /// A name of a safe area; else `organic`.
    pub safe_area: Option<String>,
}

impl HookLook {
    fn of(request: &Request) -> Self {
        Self {
            style: request.hook_style.clone(),
            position: request.hook_position.clone(),
            safe_area: request.safe_area.clone(),
        }
    }

    /// What is unknown in it, with the field, what was given and what is known.
    pub fn unknown(&self) -> Vec<(&'static str, String, Vec<&'static str>)> {
        let safe_areas = SAFE_AREAS.map(|(name, _)| name);
        let fields: [(&'static str, &Option<String>, &[&'static str]); 3] = [
            ("hookStyle", &self.style, &TextStyle::PRESETS),
            ("hookPosition", &self.position, &Anchor::NAMES),
            ("safeArea", &self.safe_area, &safe_areas),
        ];
        let wrong = |(field, given, known): (&'static str, &Option<String>, &[&'static str])| {
            let given = given.clone().filter(|given| !known.contains(&given.as_str()))?;
            Some((field, given, known.to_vec()))
        };
        fields.into_iter().filter_map(wrong).collect()
    }
}

/// A hook as it is set.
pub fn hook_block(hook: &str, look: &HookLook) -> TextBlock {
    let anchor = look.position.as_deref().and_then(Anchor::from_name).unwrap_or(Anchor::Top);
    let style = look.style.as_deref().and_then(TextStyle::preset).unwrap_or_default();
    let named = |(name, _): &&(&str, Area)| look.safe_area.as_deref() == Some(name);
    let area = SAFE_AREAS.iter().find(named).map_or(SAFE_AREA, |(_, area)| *area);
    TextBlock { style: TextStyle { align: anchor.align(), ..style }, anchor, ..TextBlock::new(hook, area) }
}

/// The music track of a variant, if the request has any.
pub(super) fn chosen_music(request: &Request, variant: u8) -> Result<Option<Asset>> {
    let tracks: Vec<_> = request.music.iter().map(|item| (&item.id, &item.src)).collect();
    chosen(request, "music", &tracks, request.music_track_id.as_deref(), variant)
}

/// The pinned item of a pool, or the one picked for the variant.
fn chosen(
    request: &Request,
    pool: &str,
    items: &[(&String, &String)],
    pinned: Option<&str>,
    variant: u8,
) -> Result<Option<Asset>> {
    let index = match pinned {
        Some(id) => items.iter().position(|(item, _)| item.as_str() == id),
        None => pick(&request.id, pool, items.len(), variant),
    };
    index.map(|index| asset(request, pool, index, items[index].0, items[index].1)).transpose()
}

fn asset(request: &Request, pool: &str, index: usize, id: &str, src: &str) -> Result<Asset> {
    let pointer = format!("/{pool}/{index}/src");
    let path = request.resolve(src).map_err(|error| error.at_pointer(pointer.clone()))?;
    Ok(Asset { id: id.to_owned(), path, pointer })
}
