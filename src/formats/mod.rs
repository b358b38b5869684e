//! Request to timeline: one file per format.

mod overlays;
pub(crate) mod slideshow_builder;
pub(crate) mod slideshow_remix;
pub(crate) mod ugc_remix;

pub use overlays::HookLook;
use overlays::SAFE_AREA;
pub(crate) use overlays::safe_area_names;
use ugc_remix::chosen_music;

use crate::error::{Error, ErrorKind, Finding, Result};
use crate::plan::Duck;
use crate::request::{Format, Request};
use crate::timeline::{MusicTrack, SlideLayer, Slideshow, Timeline};
use crate::units::{Decibels, TimeSpan};

/// The format that a request asks for, with `auto` resolved to the one whose preconditions hold. The request must have no
/// findings.
pub(crate) fn resolve(request: &Request) -> Format {
    match request.format {
        // Reactions have no place in slides; an app or slides have none in a remix.
        Format::Auto
            if request.reaction_templates.is_empty() && (request.app.is_some() || request.slides.is_some()) =>
        {
            Format::SlideshowBuilder
        }
        Format::Auto if request.source.is_some() => Format::SlideshowRemix,
        Format::Auto | Format::UgcRemix => Format::UgcRemix,
        Format::SlideshowRemix => Format::SlideshowRemix,
        Format::SlideshowBuilder => Format::SlideshowBuilder,
    }
}

/// What a format makes of a request.
pub(crate) enum Made {
    Video(Timeline),
    Slides(Slideshow),
}

/// The content of variant `variant` (from 0) of a request, and what was picked for it.
pub(crate) fn make(request: &Request, format: Format, variant: u8) -> Result<(Made, Vec<Pick>)> {
    let (mut slides, picks) = match format {
        Format::UgcRemix => {
            return ugc_remix::timeline(request, variant).map(|(made, picks)| (Made::Video(made), picks));
        }
        Format::SlideshowBuilder => slideshow_builder::slideshow(request, variant)?,
        Format::SlideshowRemix => slideshow_remix::slideshow(request, variant)?,
        Format::Auto => return Err(Error::new(ErrorKind::Internal, "the format was not resolved")),
    };
    let (language, missing) = (request.text_language(), request.missing_policy().unwrap_or_default());
    for layer in slides.slides.iter_mut().flat_map(|slide| &mut slide.layers) {
        if let SlideLayer::Text { block, .. } = layer {
            block.language.clone_from(&language);
            block.missing = missing;
        }
    }
    Ok((Made::Slides(slides), picks))
}

/// What the request has that slides cannot have.
pub(crate) fn unmet_by_slides(request: &Request) -> Vec<Finding> {
    overlays::unmet_by_slides(request)
}

/// Music that goes down under voices by default, in decibels.
const DUCK: f64 = 12.0;

/// The music of a variant as its options have it, at `gain` where they say nothing.
pub(crate) fn music(request: &Request, variant: u8, gain: Decibels) -> Result<Option<MusicTrack>> {
    let options = request.music_options.clone().unwrap_or_default();
    let span = |seconds: Option<f64>, default: f64| TimeSpan::from_secs_f64(seconds.unwrap_or(default));
    let duck = options.duck.unwrap_or(DUCK);
    Ok(chosen_music(request, variant)?.map(|asset| MusicTrack {
        asset,
        gain: options.gain.map_or(gain, Decibels),
        start: span(options.start, 0.0).unwrap_or_default(),
        looped: options.looped.unwrap_or(true),
        fade_in: span(options.fade_in, 0.0).unwrap_or_default(),
        fade_out: span(options.fade_out, 1.0).unwrap_or_default(),
        duck: (duck > 0.0).then(|| Duck::by(duck)),
    }))
}

/// What is wrong with the sound's options.
pub(crate) fn check_sound(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut check = |pointer: &str, value: Option<f64>, range: std::ops::RangeInclusive<f64>, unit: &str| {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            let message = format!("it is {value}; it must be {} to {} {unit}", range.start(), range.end());
            found.push(Finding::new(ErrorKind::Validation, pointer, message));
        }
    };
    if let Some(options) = &request.music_options {
        check("/musicOptions/gain", options.gain, -60.0..=12.0, "dB");
        check("/musicOptions/start", options.start, 0.0..=3_600.0, "seconds");
        check("/musicOptions/fadeIn", options.fade_in, 0.0..=30.0, "seconds");
        check("/musicOptions/fadeOut", options.fade_out, 0.0..=30.0, "seconds");
        check("/musicOptions/duck", options.duck, 0.0..=60.0, "dB");
    }
    check("/output/loudness", request.output.loudness, -30.0..=-9.0, "LUFS");
    if request.output.loudness.is_some() && request.output.keep_levels == Some(true) {
        let message = "a loudness is asked for, and that levels are kept";
        found.push(Finding::new(ErrorKind::Validation, "/output/keepLevels", message).suggest("leave one of them out"));
    }
    found
}

/// What the engine used for one role of the content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pick {
    /// The role, such as `reaction`.
    pub role: String,
    /// The id of the item.
    pub id: String,
}
