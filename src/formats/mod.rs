//! Request to timeline: one file per format.

mod layout;
mod overlays;
pub(crate) mod remixed;
pub(crate) mod slideshow_builder;
pub(crate) mod slideshow_remix;
mod sound;
pub(crate) mod timeline;
mod transition;
pub(crate) mod ugc_remix;
pub(crate) mod video_remix;

pub(crate) use layout::check as check_layout;
pub use overlays::HookLook;
use overlays::SAFE_AREA;
pub(crate) use overlays::safe_area_names;
pub use remixed::{RemixedText, Residual};
pub(crate) use sound::{check_sound, has_music, loudness};
use sound::{music, voice_over};

use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{Format, Request};
use crate::timeline::{SlideLayer, Slideshow, Timeline};

/// The format that a request asks for, with `auto` resolved to the one whose preconditions hold. The request must have no
/// findings.
pub(crate) fn resolve(request: &Request) -> Format {
    match request.format {
        Format::Auto | Format::Timeline if request.timeline.is_some() => Format::Timeline,
        // Reactions have no place in slides; an app or slides have none in a remix.
        Format::Auto
            if request.reaction_templates.is_empty() && (request.app.is_some() || request.slides.is_some()) =>
        {
            Format::SlideshowBuilder
        }
        Format::Auto if request.source.as_ref().is_some_and(|source| source.slides.is_empty()) => Format::VideoRemix,
        Format::Auto if request.source.is_some() => Format::SlideshowRemix,
        Format::Timeline => Format::Timeline,
        Format::Auto | Format::UgcRemix => Format::UgcRemix,
        Format::SlideshowRemix => Format::SlideshowRemix,
        Format::VideoRemix => Format::VideoRemix,
        Format::SlideshowBuilder => Format::SlideshowBuilder,
    }
}

/// What a format makes of a request.
pub(crate) enum Made {
    Video(Box<Timeline>),
    Slides(Box<Slideshow>),
}

/// The content of variant `variant` (from 0) of a request, and what was picked for it.
pub(crate) fn make(request: &Request, format: Format, variant: u8) -> Result<(Made, Vec<Pick>)> {
    let (slides, picks) = match format {
        Format::UgcRemix => {
            return ugc_remix::timeline(request, variant).map(|(made, picks)| (Made::Video(Box::new(made)), picks));
        }
        Format::Timeline => {
            let wanted = request.timeline.clone().unwrap_or_default();
            return timeline::timeline(request, &wanted, variant)
                .map(|(made, picks)| (Made::Video(Box::new(made)), picks));
        }
        Format::SlideshowBuilder => slideshow_builder::slideshow(request, variant)?,
        // Remixes are made of what was found in their source.
        Format::SlideshowRemix | Format::VideoRemix | Format::Auto => {
            return Err(Error::new(ErrorKind::Internal, "the format was not resolved"));
        }
    };
    Ok((slides_of(request, slides), picks))
}

/// Slides whose texts have the request's language.
pub(crate) fn slides_of(request: &Request, mut slides: Slideshow) -> Made {
    let (language, missing) = (request.text_language(), request.missing_policy().unwrap_or_default());
    for layer in slides.slides.iter_mut().flat_map(|slide| &mut slide.layers) {
        if let SlideLayer::Text { block, .. } = layer {
            block.language.clone_from(&language);
            block.missing = missing;
        }
    }
    Made::Slides(Box::new(slides))
}

/// Findings for those of `fields` that are given and mean nothing in `place`, such as `a ugc-remix`: each by its path in the
/// request.
fn without_meaning(fields: &[(&str, bool)], place: &str) -> Vec<Finding> {
    let refused = |field: &str| {
        let message = format!("`{}` has no meaning in {place}", field.replace('/', "."));
        Finding::new(ErrorKind::Validation, format!("/{field}"), message).suggest("leave it out")
    };
    fields.iter().filter(|(_, given)| *given).map(|(field, _)| refused(field)).collect()
}

/// What the request has that slides cannot have.
pub(crate) fn unmet_by_slides(request: &Request) -> Vec<Finding> {
    overlays::unmet_by_slides(request)
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
