//! `slideshow-remix`: the pictures of somebody's slides, with the old words taken out and new ones in their place.

use super::remixed::{self, Change, Post, RemixedText, Taken, on_canvas, placed};
use super::slideshow_builder::{Design, POSITIONS, SLIDES, check_video, short, video_of};
use super::{Pick, without_meaning};
use crate::burnt::{FoundText, OverlayKind};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::request::{PoolItem, RegionRequest, RemovalMode, Request, SlideRequest, nearest};
use crate::text::Rgba;
use crate::timeline::{Asset, PicturePart, PicturePatch, Region, Removal, Slide, SlideLayer, Slideshow};

/// What covers old words whose look is not known: near black, through which nothing shines.
const COVER: Rgba = Rgba { r: 16, g: 16, b: 20, a: 255 };
/// How far the ground around a picture that does not fill the canvas is blurred, in pixels.
const BLUR: u32 = 40;

fn source(request: &Request) -> &[PoolItem] {
    request.source.as_ref().map_or(&[], |source| &source.slides)
}

/// What the request lacks for this format, and what is wrong in the fields that only it reads.
pub(crate) fn unmet(request: &Request, limits: &Limits) -> Vec<Finding> {
    let mut found = Vec::new();
    let source = source(request);
    let given = request.source.clone().unwrap_or_default();
    // The slides of a post with an id may be known to the engine.
    let is_known = !source.is_empty();
    if !is_known && given.src.is_some() {
        let message = "the source is a video, and a slideshow-remix starts from slides";
        found.push(
            Finding::new(ErrorKind::NotASlideshow, "/source", message)
                .suggest("give `source.slides`, or use video-remix"),
        );
    } else if !is_known && given.tiktok_video_id.is_none() {
        found.push(
            Finding::new(ErrorKind::Validation, "/source/slides", "there is no slide to start from")
                .suggest("give the pictures of the source's slides in `source.slides`"),
        );
    }
    check_video(request, &mut found);
    remixed::check(request, limits, &mut found);
    let count = request.slides.as_ref().map_or(source.len(), Vec::len);
    if (request.slides.is_some() || is_known) && !SLIDES.contains(&count) {
        let pointer = if request.slides.is_some() { "/slides" } else { "/source/slides" };
        let message = format!("there are {count} slides; there must be {} to {}", 2, 35);
        found.push(Finding::new(ErrorKind::LimitExceeded, pointer, message));
    }
    if let Some(count) = request.variant_count.filter(|&count| count > 1) {
        let message = format!("variantCount is {count}, and the slides are given: all variants would be the same");
        found.push(Finding::new(ErrorKind::Validation, "/variantCount", message).suggest("leave variantCount out"));
    }
    let ids: Vec<&str> = source.iter().map(|item| item.id.as_str()).collect();
    for (number, slide) in request.slides.iter().flatten().enumerate().take(*SLIDES.end()) {
        if is_known {
            found.extend(place_of(&ids, number, Some(slide)).err());
        }
        check_slide(request, number, slide, &mut found);
    }
    for (number, change) in request.overlays.iter().enumerate() {
        let at = |field: &str| format!("/overlays/{number}/{field}");
        match &change.slide {
            None if change.id.is_some() => {
                let message = "each slide has texts of its own, and it is not said which is meant";
                let finding = Finding::new(ErrorKind::Validation, at("slide"), message);
                found.push(finding.suggest("give the id of the source's slide as `slide`"));
            }
            Some(id) if is_known && !ids.contains(&id.as_str()) => {
                let message = format!("`{}` is not in source.slides", short(id));
                found.push(Finding::new(ErrorKind::NotFound, at("slide"), message).suggest(nearest(id, &ids)));
            }
            _ => {}
        }
    }
    found
}

fn check_slide(request: &Request, number: usize, slide: &SlideRequest, found: &mut Vec<Finding>) {
    let given = [
        ("media", slide.media.is_some()),
        ("fit", slide.fit.is_some()),
        ("focus", slide.focus.is_some()),
        ("at", slide.at.is_some()),
    ];
    for finding in without_meaning(&given, "a slideshow-remix") {
        found.push(Finding { pointer: format!("/slides/{number}{}", finding.pointer), ..finding });
    }
    let mut wrong = |field: &str, message: String| {
        let pointer = format!("/slides/{number}{field}");
        found.push(Finding::new(ErrorKind::Validation, pointer, format!("slide {}: {message}", number + 1)));
    };
    if let Some(chars) = slide.text.as_ref().map(|text| text.chars().count()).filter(|&chars| chars > 2_000) {
        wrong("/text", format!("its text has {chars} characters; the limit is 2000"));
    }
    if let Some(name) = slide.position.as_deref().filter(|name| !POSITIONS.contains(name)) {
        wrong("/position", format!("unknown position `{}`; known: {}", short(name), POSITIONS.join(", ")));
    }
    if let Some(name) = slide.removal.as_deref().filter(|name| RemovalMode::from_name(name).is_none()) {
        wrong("/removal", format!("unknown removal `{}`; known: {}", short(name), RemovalMode::NAMES.join(", ")));
    }
    let Some(region) = slide.region else { return };
    if matches!(mode_of(request, Some(slide)), RemovalMode::Crop | RemovalMode::Keep) {
        let message = "what is in a region is filled, blurred or covered; it is neither kept nor cut off".to_owned();
        wrong(if slide.removal.is_some() { "/removal" } else { "/region" }, message);
    }
    let inside = |start: f64, size: f64| (0.0..=1.0).contains(&start) && size > 0.0 && start + size <= 1.000_001;
    if !inside(region.x, region.width) || !inside(region.y, region.height) {
        wrong("/region", "it must lie in the picture: fractions of 0 to 1 of its width and height".to_owned());
    }
}

/// How old text is taken out of a slide.
fn mode_of(request: &Request, slide: Option<&SlideRequest>) -> RemovalMode {
    let own = slide.and_then(|slide| slide.removal.as_deref());
    own.or(request.removal.as_deref()).and_then(RemovalMode::from_name).unwrap_or_default()
}

/// The slide `number`, as the request has it.
fn entry(request: &Request, number: usize) -> Option<&SlideRequest> {
    request.slides.as_ref().and_then(|slides| slides.get(number))
}

/// The place among the source's slides, of which these are the ids, of the one whose picture slide `number` shows.
fn place_of(ids: &[&str], number: usize, slide: Option<&SlideRequest>) -> std::result::Result<usize, Finding> {
    match slide.and_then(|slide| slide.source_slide.as_deref()) {
        Some(id) => ids.iter().position(|known| *known == id).ok_or_else(|| {
            let message = format!("slide {}: `{}` is not in source.slides", number + 1, short(id));
            Finding::new(ErrorKind::NotFound, format!("/slides/{number}/sourceSlide"), message)
                .suggest(nearest(id, ids))
        }),
        None if number < ids.len() => Ok(number),
        None => {
            let message = format!("slide {}: the source has only {} slides", number + 1, ids.len());
            let finding = Finding::new(ErrorKind::NotFound, format!("/slides/{number}"), message);
            Err(finding.suggest("name the one to show with `sourceSlide`"))
        }
    }
}

/// The source's slides, as the request gives them.
pub(crate) fn assets(request: &Request) -> Result<Vec<Asset>> {
    let asset = |(place, item): (usize, &PoolItem)| {
        let pointer = format!("/source/slides/{place}/src");
        let path = request.resolve(&item.src).map_err(|error| error.at_pointer(pointer.clone()))?;
        Ok(Asset { id: item.id.clone(), path, pointer })
    };
    source(request).iter().enumerate().map(asset).collect()
}

/// Of each slide of the result the place of the source's slide whose picture it shows.
///
/// # Errors
/// `NOT_FOUND` for slides that the source does not have, `LIMIT_EXCEEDED` if there are too few or too many.
pub(crate) fn shown(request: &Request, assets: &[Asset]) -> Result<Vec<usize>> {
    let ids: Vec<&str> = assets.iter().map(|asset| asset.id.as_str()).collect();
    let count = request.slides.as_ref().map_or(assets.len(), Vec::len);
    if !SLIDES.contains(&count) {
        let message = format!("the source has {count} slides; there must be {} to {}", 2, 35);
        return Err(Error::new(ErrorKind::LimitExceeded, message).at_pointer("/source"));
    }
    let (mut places, mut faults) = (Vec::new(), Vec::new());
    for number in 0..count {
        match place_of(&ids, number, entry(request, number)) {
            Ok(place) => places.push(place),
            Err(finding) => faults.push(finding),
        }
    }
    if faults.is_empty() { Ok(places) } else { Err(Error::from_findings(faults)) }
}

/// Whether text is looked for in slide `number`: not if it is said where it is, nor if it stays anyway.
pub(crate) fn is_looked_at(request: &Request, number: usize) -> bool {
    let slide = entry(request, number);
    let stays = mode_of(request, slide) == RemovalMode::Keep && request.overlays.is_empty();
    slide.is_none_or(|slide| slide.region.is_none()) && !stays
}

fn own_text(slide: &SlideRequest) -> Option<&str> {
    slide.text.as_deref().filter(|text| !text.trim().is_empty())
}

fn region_of(RegionRequest { x, y, width, height }: RegionRequest) -> Region {
    Region { x, y, width, height }
}

/// Where the own text of a slide stands in the request.
fn own_pointer(number: usize) -> String {
    format!("/slides/{number}/text")
}

/// Has the own text of slide `number` stand in the place of the largest caption that was found on it, and takes out the others.
/// Those that the request names keep what it says of them.
pub(crate) fn own_words(request: &Request, number: usize, text: &FoundText, changes: &mut [Change]) {
    let Some(slide) = entry(request, number) else { return };
    let mode = mode_of(request, Some(slide));
    let mode_pointer = match (&slide.removal, &request.removal) {
        (Some(_), _) => format!("/slides/{number}/removal"),
        (None, Some(_)) => "/removal".to_owned(),
        (None, None) => own_pointer(number),
    };
    let words = own_text(slide);
    let is_free = |place: &usize| changes[*place].named.is_none();
    let free: Vec<usize> = (0..changes.len()).filter(is_free).collect();
    for &place in &free {
        changes[place] = Change { mode, mode_pointer: mode_pointer.clone(), ..Change::default() };
    }
    if (words.is_none() && slide.removal.is_none()) || mode == RemovalMode::Keep {
        return;
    }
    let is_caption = |place: &usize| text.overlays[*place].kind == OverlayKind::Caption;
    let captions: Vec<usize> = free.into_iter().filter(is_caption).collect();
    let size = |place: usize| {
        let region = text.overlays[place].region;
        u64::from(region.width) * u64::from(region.height)
    };
    // Of equal ones the first. A position of its own leaves the old place empty.
    let main = captions.iter().copied().rev().max_by_key(|&place| size(place)).filter(|_| slide.position.is_none());
    for place in captions {
        let own = words.filter(|_| main == Some(place));
        let change = &mut changes[place];
        change.new_text = Some(own.unwrap_or_default().to_owned());
        change.pointer = own.map_or_else(String::new, |_| own_pointer(number));
        change.is_emptied = words.is_none();
    }
}

/// The slides of a request without findings, what was picked for them, and what became of their texts; `posts` has the picture
/// of each.
pub(crate) fn slideshow(
    request: &Request,
    variant: u8,
    posts: &[Post],
) -> Result<(Slideshow, Vec<Pick>, Vec<RemixedText>)> {
    let design = Design::of(request);
    let mut picks: Vec<Pick> = Vec::new();
    let mut slides = Vec::new();
    for (number, post) in posts.iter().enumerate() {
        let slide = entry(request, number);
        let pick = Pick { role: "source-slide".to_owned(), id: post.asset.id.clone() };
        if !picks.contains(&pick) {
            picks.push(pick);
        }
        let region = slide.and_then(|slide| slide.region);
        let of_region = region.map(|region| PicturePatch {
            part: PicturePart::Region(region_of(region)),
            removal: match mode_of(request, slide) {
                RemovalMode::Cover => Removal::Cover(COVER),
                RemovalMode::Blur => Removal::Blur,
                _ => Removal::Fill,
            },
        });
        let of_texts = post.texts().filter_map(|(overlay, change)| match change.taken {
            Taken::Patched(removal) => Some(PicturePatch { part: PicturePart::Mask(overlay.mask.clone()), removal }),
            Taken::Kept | Taken::Cropped => None,
        });
        let patches: Vec<PicturePatch> = of_region.into_iter().chain(of_texts).collect();
        let (rect, area) = placed(post, design.whole())?;
        let is_whole = area == design.whole();
        let mut layers = Vec::new();
        if !is_whole {
            layers.push(design.remixed(post, patches.clone(), BLUR, true));
        }
        layers.push(design.remixed(post, patches, 0, is_whole));
        for (overlay, change) in post.texts().filter(|(_, change)| change.has_words()) {
            let old = on_canvas(overlay.region, rect, area);
            let block = remixed::block(request, design.canvas, (overlay, change), old);
            layers.push(SlideLayer::Text { block, button: None, pointer: change.pointer.clone() });
        }
        let own = own_pointer(number);
        if let Some(slide) = slide
            && let Some(text) = own_text(slide)
            && !post.changes.iter().any(|change| change.pointer == own)
        {
            let middle = region.map(|region| {
                let (place, _) = on_canvas(region_of(region).pixels_of(post.size), rect, area);
                (f64::from(place.y) + f64::from(place.height) / 2.0) / f64::from(design.canvas.height())
            });
            layers.extend(design.over_picture(text, slide.position.as_deref(), middle));
        }
        let pointer = slide.map_or_else(String::new, |_| format!("/slides/{number}"));
        slides.push(Slide { name: format!("slide-{:02}", number + 1), pointer, layers });
    }
    let video =
        request.slide_video.as_ref().map(|video| video_of(request, video, slides.len(), variant)).transpose()?;
    if let Some(music) = video.as_ref().and_then(|video| video.music.as_ref()) {
        picks.push(Pick { role: "music".to_owned(), id: music.asset.id.clone() });
    }
    if let Some(voice) = video.as_ref().and_then(|video| video.voice_over.as_ref()) {
        picks.push(Pick { role: "voice-over".to_owned(), id: voice.asset.id.clone() });
    }
    let report = posts.iter().enumerate().flat_map(|(number, post)| post.report(Some(number + 1))).collect();
    Ok((Slideshow { canvas: design.canvas, slides, video }, picks, report))
}
