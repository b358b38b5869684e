//! `video-remix`: somebody's video with other words: what was burnt in is taken out, and new words stand in its place.

use super::remixed::{self, Post, RemixedText, Taken, on_canvas, placed, stretches};
use super::{Pick, sound};
use crate::compose::Fit;
use crate::error::{ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::request::{Format, Request, SOURCE_ID};
use crate::timeline::{Asset, During, Layer, Patch, Shot, ShotDuration, TextOverlay, Timeline};
use crate::units::{CanvasSize, Decibels, FrameRange, FrameRate};

/// Music beside the source's own sound; under voices it goes down further.
const MUSIC_GAIN: Decibels = Decibels(-6.0);

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
    let given = [
        ("hook", request.hook.is_some()),
        ("mediaId", request.media_id.is_some()),
        ("reactionTemplates", !request.reaction_templates.is_empty()),
        ("reactionTemplateId", request.reaction_template_id.is_some()),
        ("layout", request.layout.is_some()),
        ("layoutOptions", request.layout_options.is_some()),
        ("transition", request.transition.is_some()),
        ("slides", request.slides.is_some()),
        ("slideVideo", request.slide_video.is_some()),
    ];
    found.extend(super::without_meaning(&given, "a video-remix"));
    remixed::check(request, limits, &mut found);
    for (number, _) in request.overlays.iter().enumerate().filter(|(_, change)| change.slide.is_some()) {
        let message = "`slide` has a meaning in a slideshow-remix alone";
        let finding = Finding::new(ErrorKind::Validation, format!("/overlays/{number}/slide"), message);
        found.push(finding.suggest("leave it out"));
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

/// What only a remix reads, or only one of a video, in a request of another format.
pub(crate) fn meant_for_it(request: &Request, format: Format) -> Vec<Finding> {
    let source = request.source.as_ref();
    let of_slides = format == Format::SlideshowRemix;
    let given = [
        ("overlays", !request.overlays.is_empty() && !of_slides),
        ("removal", request.removal.is_some() && !of_slides),
        ("unremovable", request.unremovable.is_some() && !of_slides),
        ("overlayStyle", request.overlay_style.is_some() && !of_slides),
        ("performer", request.performer.is_some() && !of_slides),
        ("audio/source", request.audio.as_ref().is_some_and(|audio| audio.source.is_some())),
        ("source/src", source.is_some_and(|source| source.src.is_some() && !source.slides.is_empty())),
    ];
    super::without_meaning(&given, &format!("a {}", format.name()))
}

/// The timeline of one variant, what was picked for it, and what became of the source's texts.
pub(crate) fn timeline(request: &Request, variant: u8, post: &Post) -> Result<(Timeline, Vec<Pick>, Vec<RemixedText>)> {
    let canvas = CanvasSize::VERTICAL_HD;
    let whole = Layer::covering(canvas, post.asset.clone());
    let (rect, area) = placed(post, whole.area)?;
    let patched = post.texts().filter_map(|(overlay, change)| match change.taken {
        Taken::Patched(removal) => Some((overlay, removal)),
        Taken::Kept | Taken::Cropped => None,
    });
    let patches = patched.flat_map(|(overlay, removal)| {
        stretches(&post.text, overlay).into_iter().map(move |(frames, mask)| Patch { frames, mask, removal })
    });
    let layer = Layer {
        fit: if area == whole.area { Fit::Cover } else { Fit::Blur },
        crop: post.part,
        volume: sound::source_sound(request),
        patches: patches.collect(),
        performer: post.performer.clone(),
        ..whole
    };
    let mut texts = Vec::new();
    for (overlay, change) in post.texts().filter(|(_, change)| change.has_words()) {
        let place = overlay.region_at(overlay.middle());
        texts.push(TextOverlay {
            name: overlay.id.clone(),
            block: remixed::block(request, canvas, (overlay, change), on_canvas(place, rect, area)),
            during: During::Frames(FrameRange::new(overlay.first_frame, overlay.last_frame + 1)),
            motion: remixed::motion(overlay),
            pointer: change.pointer.clone(),
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
    Ok((timeline, picks, post.report(None).collect()))
}
