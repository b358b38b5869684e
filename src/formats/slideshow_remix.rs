//! `slideshow-remix`: the pictures of somebody's slides, with the old words taken out and new ones in their place.

use super::Pick;
use super::slideshow_builder::{Design, POSITIONS, SLIDES, check_video, short, video_of};
use crate::compose::Focus;
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{PoolItem, Request, SlideRequest};
use crate::text::Rgba;
use crate::timeline::{Asset, Moment, Region, Removal, Slide, SlideLayer, Slideshow};
use crate::units::TimeSpan;

/// The names of a slide's `removal`.
const REMOVALS: [&str; 2] = ["fill", "cover"];
/// What covers old words: near black, through which nothing shines.
const COVER: Rgba = Rgba { r: 16, g: 16, b: 20, a: 255 };

fn source(request: &Request) -> &[PoolItem] {
    request.source.as_ref().map_or(&[], |source| &source.slides)
}

/// What the request lacks for this format, and what is wrong in the fields that only it reads.
pub(crate) fn unmet(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let source = source(request);
    let given = request.source.clone().unwrap_or_default();
    if source.is_empty() && given.src.is_none() && given.tiktok_video_id.is_some() {
        let message = "no slides are known of the post";
        found.push(
            Finding::new(ErrorKind::InvalidTiktokId, "/source/tiktokVideoId", message)
                .suggest("give its slides in `source.slides`"),
        );
    } else if source.is_empty() && given.src.is_some() {
        let message = "the source is a video, and a slideshow-remix starts from slides";
        found.push(
            Finding::new(ErrorKind::NotASlideshow, "/source", message)
                .suggest("give `source.slides`, or use video-remix"),
        );
    } else if source.is_empty() {
        found.push(
            Finding::new(ErrorKind::Validation, "/source/slides", "there is no slide to start from")
                .suggest("give the pictures of the source's slides in `source.slides`"),
        );
    }
    check_video(request, &mut found);
    let slides = request.slides.as_deref().unwrap_or_default();
    if !SLIDES.contains(&slides.len()) {
        let message = format!("there are {} slides; there must be {} to {}", slides.len(), 2, 35);
        found.push(Finding::new(ErrorKind::LimitExceeded, "/slides", message));
    }
    if let Some(count) = request.variant_count.filter(|&count| count > 1) {
        let message = format!("variantCount is {count}, and the slides are given: all variants would be the same");
        found.push(Finding::new(ErrorKind::Validation, "/variantCount", message).suggest("leave variantCount out"));
    }
    for (number, slide) in slides.iter().enumerate().take(*SLIDES.end()) {
        check_slide(source, number, slide, &mut found);
    }
    found
}

fn check_slide(source: &[PoolItem], number: usize, slide: &SlideRequest, found: &mut Vec<Finding>) {
    let at = |field: &str| format!("/slides/{number}{field}");
    if let (Some(id), None) = (&slide.source_slide, picture_of(source, number, slide)) {
        let message = format!("slide {}: `{}` is not in source.slides", number + 1, short(id));
        found.push(Finding::new(ErrorKind::NotFound, at("/sourceSlide"), message));
    } else if picture_of(source, number, slide).is_none() {
        let message = format!("slide {}: the source has only {} slides", number + 1, source.len());
        found.push(
            Finding::new(ErrorKind::NotFound, at(""), message).suggest("name the one to show with `sourceSlide`"),
        );
    }
    let mut wrong = |field: &str, message: String| {
        found.push(Finding::new(ErrorKind::Validation, at(field), format!("slide {}: {message}", number + 1)));
    };
    for (field, given) in [
        ("/media", slide.media.is_some()),
        ("/fit", slide.fit.is_some()),
        ("/focus", slide.focus.is_some()),
        ("/at", slide.at.is_some()),
    ] {
        if given {
            wrong(field, format!("`{}` has no meaning in a slideshow-remix", &field[1..]));
        }
    }
    if let Some(chars) = slide.text.as_ref().map(|text| text.chars().count()).filter(|&chars| chars > 2_000) {
        wrong("/text", format!("its text has {chars} characters; the limit is 2000"));
    }
    if let Some(name) = slide.position.as_deref().filter(|name| !POSITIONS.contains(name)) {
        wrong("/position", format!("unknown position `{}`; known: {}", short(name), POSITIONS.join(", ")));
    }
    if let Some(name) = slide.removal.as_deref().filter(|name| !REMOVALS.contains(name)) {
        wrong("/removal", format!("unknown removal `{}`; known: {}", short(name), REMOVALS.join(", ")));
    }
    if slide.removal.is_some() && slide.region.is_none() {
        wrong("/removal", "there is no region to take anything out of".to_owned());
    }
    if let Some(region) = slide.region {
        let inside = |start: f64, size: f64| (0.0..=1.0).contains(&start) && size > 0.0 && start + size <= 1.000_001;
        if !inside(region.x, region.width) || !inside(region.y, region.height) {
            wrong("/region", "it must lie in the picture: fractions of 0 to 1 of its width and height".to_owned());
        }
    }
}

/// The place of the source's slide whose picture a slide shows.
fn picture_of(source: &[PoolItem], number: usize, slide: &SlideRequest) -> Option<usize> {
    match &slide.source_slide {
        Some(id) => source.iter().position(|item| item.id == *id),
        None => (number < source.len()).then_some(number),
    }
}

/// The slides of a request without findings, and what was picked for them.
pub(super) fn slideshow(request: &Request, variant: u8) -> Result<(Slideshow, Vec<Pick>)> {
    let design = Design::of(request);
    let source = source(request);
    let mut picks: Vec<Pick> = Vec::new();
    let mut slides = Vec::new();
    for (number, slide) in request.slides.iter().flatten().enumerate() {
        let missing = || Error::new(ErrorKind::NotFound, "a slide has no picture");
        let place = picture_of(source, number, slide).ok_or_else(missing)?;
        let item = &source[place];
        let pick = Pick { role: "source-slide".to_owned(), id: item.id.clone() };
        if !picks.contains(&pick) {
            picks.push(pick);
        }
        let pointer = format!("/source/slides/{place}/src");
        let path = request.resolve(&item.src).map_err(|error| error.at_pointer(pointer.clone()))?;
        let asset = Asset { id: item.id.clone(), path, pointer };
        let mut layers = vec![design.full(&asset, Moment::At(TimeSpan::ZERO), Focus::default(), 0)];
        let text = slide.text.as_deref().filter(|text| !text.trim().is_empty());
        if let Some(region) = slide.region {
            let covered = slide.removal.as_deref() == Some(REMOVALS[1]);
            layers.push(SlideLayer::Patch {
                region: Region { x: region.x, y: region.y, width: region.width, height: region.height },
                removal: if covered { Removal::Cover(COVER) } else { Removal::Fill },
            });
        }
        if let Some(text) = text {
            layers.extend(design.over_picture(
                text,
                slide.position.as_deref(),
                slide.region.map(|region| region.y + region.height / 2.0),
            ));
        }
        slides.push(Slide { name: format!("slide-{:02}", number + 1), pointer: format!("/slides/{number}"), layers });
    }
    let video =
        request.slide_video.as_ref().map(|video| video_of(request, video, slides.len(), variant)).transpose()?;
    if let Some(music) = video.as_ref().and_then(|video| video.music.as_ref()) {
        picks.push(Pick { role: "music".to_owned(), id: music.asset.id.clone() });
    }
    if let Some(voice) = video.as_ref().and_then(|video| video.voice_over.as_ref()) {
        picks.push(Pick { role: "voice-over".to_owned(), id: voice.asset.id.clone() });
    }
    Ok((Slideshow { canvas: design.canvas, slides, video }, picks))
}
