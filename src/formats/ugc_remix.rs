//! `ugc-remix`: a reaction clip under the hook, then the app demo, with music.

use super::Pick;
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{Request, pick};
use crate::timeline::{Asset, During, TextOverlay, Timeline};
use crate::units::{CanvasSize, Decibels, FrameRate, TimeSpan};

/// The role of the media row that is remixed.
const APP_DEMO: &str = "app-demo";

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

    let (hook, motion, captions) = super::overlays::overlays(request)?;
    let shots = super::layout::shots(request, CanvasSize::VERTICAL_HD, reaction, demo);
    let first = shots.first().map_or_else(String::new, |shot| shot.name.clone());
    let during = match request.hook_duration.and_then(TimeSpan::from_secs_f64) {
        Some(span) => During::FromStart(span),
        None => During::Shot(first),
    };
    let pointer = "/hook".to_owned();
    let texts = hook.map(|block| TextOverlay { name: "hook".to_owned(), block, during, motion, pointer });
    let timeline = Timeline {
        overlays: Vec::new(),
        canvas: CanvasSize::VERTICAL_HD,
        rate: FrameRate::FPS_30,
        shots,
        texts: texts.into_iter().collect(),
        captions,
        music,
        voice_over,
    };
    Ok((timeline, picks))
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
