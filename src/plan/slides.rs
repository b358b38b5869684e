//! Slides, resolved: what each shows, and its key.

use serde::{Deserialize, Serialize};

use super::key::{ChunkKey, hash_of};
use super::shots::{MAX_PATCHES, is_sane_performer};
use super::texts::Unseen;
use super::{Content, PlannedSource};
use crate::compose::{Focus, Mask, SourceRect, cover};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{ColorInfo, VideoInfo, VideoKind};
use crate::text::{Area, FontBook, Rgba, TextBlock, lay_out};
use crate::timeline::{
    Asset, Moment, Performer, PicturePart, PicturePatch, Removal, Slide, SlideFit, SlideLayer, SlidePicture,
};
use crate::units::{CanvasSize, SourceSize, TimeSpan};

/// A slide: a work unit of a slideshow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSlide {
    /// Its name, such as `slide-01`.
    pub name: String,
    /// What lies on it, the lowest first.
    pub layers: Vec<PlannedLayer>,
    /// The hash of everything that it shows.
    pub key: ChunkKey,
}

/// A layer of a slide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum PlannedLayer {
    /// Two colours, one running into the other from the canvas's top to its bottom.
    Gradient {
        /// At the top.
        top: Rgba,
        /// At the bottom.
        bottom: Rgba,
    },
    /// A picture, or a frame of a clip.
    Picture(PlannedPicture),
    /// Darkens what lies below as far as white text needs.
    Shade {
        /// Where the letters of the texts above it are.
        area: Area,
    },
    /// A text, by itself or on a button.
    Text {
        /// The text, its style and its place.
        block: TextBlock,
        /// The colour of a rounded box around it; `None` for none.
        button: Option<Rgba>,
    },
}

/// A picture on a slide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPicture {
    /// The source, by its place in the plan.
    pub source: usize,
    /// The source's time, from its first picture.
    pub at: TimeSpan,
    /// The part of the source that is shown.
    pub rect: SourceRect,
    /// Where on the canvas; all four numbers are even.
    pub area: Area,
    /// The radius of its corners in pixels of the canvas.
    pub radius: u32,
    /// Whether it throws a soft shadow.
    pub shadow: bool,
    /// The standard deviation in pixels of the canvas by which it is blurred.
    pub blur: u32,
    /// What is taken out of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<PlannedPicturePatch>,
    /// Who is put in the place of who is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Performer>,
}

/// Something that is taken out of a slide's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPicturePatch {
    /// Where it is, in pixels of the picture as it is shown, whose size is that of its area.
    pub mask: Mask,
    /// What is put in its place.
    pub removal: Removal,
}

/// Checks that every text can be set where it stands.
pub(super) fn check_texts(slide: &Slide, number: usize, fonts: &FontBook, unseen: &mut Unseen) -> Vec<Error> {
    let texts = slide.layers.iter().filter_map(|layer| match layer {
        SlideLayer::Text { block, pointer, .. } => Some((block, pointer)),
        _ => None,
    });
    texts
        .filter_map(|(block, pointer)| {
            let error = lay_out(fonts, block).map(|layout| unseen.add(&layout)).err()?;
            let error = error.for_asset(format!("slide {}", number + 1));
            Some(match (pointer.is_empty(), slide.pointer.is_empty()) {
                (false, _) => error.at_pointer(pointer.clone()),
                (true, false) => error.at_pointer(format!("{}/text", slide.pointer)),
                (true, true) => error,
            })
        })
        .collect()
}

/// Resolves the layers of `slide`; `index` tells the place of an asset's source.
pub(super) fn layers(
    slide: &Slide,
    sources: &[PlannedSource],
    fonts: &FontBook,
    index: impl Fn(&Asset) -> Result<usize>,
) -> Result<Vec<PlannedLayer>> {
    let layer = |(number, layer): (usize, &SlideLayer)| {
        Ok(match layer {
            SlideLayer::Gradient { top, bottom } => PlannedLayer::Gradient { top: *top, bottom: *bottom },
            SlideLayer::Shade => PlannedLayer::Shade { area: texts_area(&slide.layers[number..], fonts)? },
            SlideLayer::Text { block, button, .. } => PlannedLayer::Text { block: block.clone(), button: *button },
            SlideLayer::Picture(picture) => {
                let source = index(&picture.asset)?;
                let video = sources.get(source).and_then(|source| source.info.video.as_ref());
                let video = video.ok_or_else(|| Error::new(ErrorKind::Internal, "a slide's picture was not probed"))?;
                PlannedLayer::Picture(place(picture, source, video, &slide.pointer)?)
            }
        })
    };
    slide.layers.iter().enumerate().map(layer).collect()
}

/// Where the texts of `layers` have their letters.
fn texts_area(layers: &[SlideLayer], fonts: &FontBook) -> Result<Area> {
    let mut area: Option<(f32, f32, f32, f32)> = None;
    for layer in layers {
        let SlideLayer::Text { block, button: None, .. } = layer else { continue };
        let extent = lay_out(fonts, block)?.extent();
        let (left, top, right, bottom) = area.unwrap_or((extent.left, extent.top, extent.right, extent.bottom));
        area = Some((left.min(extent.left), top.min(extent.top), right.max(extent.right), bottom.max(extent.bottom)));
    }
    let (left, top, right, bottom) = area.unwrap_or_default();
    Ok(Area {
        x: left.floor() as i32,
        y: top.floor() as i32,
        width: (right.ceil() - left.floor()).max(1.0) as u32,
        height: (bottom.ceil() - top.floor()).max(1.0) as u32,
    })
}

fn place(picture: &SlidePicture, source: usize, video: &VideoInfo, pointer: &str) -> Result<PlannedPicture> {
    let even = |value: u32| (value & !1).max(2);
    let outer = Area { x: picture.area.x & !1, y: picture.area.y & !1, ..picture.area };
    let outer = Area { width: even(outer.width), height: even(outer.height), ..outer };
    let whole = SourceRect { x: 0, y: 0, width: video.size.width(), height: video.size.height() };
    if !picture.performer.iter().all(is_sane_performer) {
        let message = "a performer's model has no name, or too much of a lead-in";
        return Err(Error::new(ErrorKind::Validation, message).at_pointer(pointer));
    }
    let part = picture.crop.unwrap_or(whole);
    if !is_inside(part, video.size) || !(part.x | part.y).is_multiple_of(2) {
        let message = "the part of a picture that is used does not lie in it, on even numbers";
        return Err(Error::new(ErrorKind::Validation, message).at_pointer(pointer));
    }
    let no_size = || Error::new(ErrorKind::Internal, "a picture's place has no size");
    let size = SourceSize::new(part.width, part.height).ok_or_else(no_size)?;
    let (rect, area) = match picture.fit {
        SlideFit::Cover => {
            let rect = cover(size, CanvasSize::new(outer.width, outer.height).ok_or_else(no_size)?, picture.focus);
            (SourceRect { x: part.x + rect.x, y: part.y + rect.y, ..rect }, outer)
        }
        SlideFit::Contain => (part, contain(size, outer, Focus::default())),
    };
    let patches = patches(picture, video.size, rect, (area.width, area.height), pointer)?;
    let at = match picture.moment {
        // An animation is shown as its first picture.
        _ if video.kind != VideoKind::Clip => TimeSpan::ZERO,
        Moment::At(at) => at.min(video.duration),
        Moment::Part { part, parts } => {
            let (part, parts) = (u128::from(part), u128::from(parts.max(1)));
            let ticks = u128::from(video.duration.ticks()) * (2 * part + 1) / (2 * parts);
            TimeSpan::from_ticks(u64::try_from(ticks).unwrap_or(u64::MAX)).min(video.duration)
        }
    };
    let SlidePicture { radius, shadow, blur, .. } = *picture;
    let performer = picture.performer.clone();
    Ok(PlannedPicture { source, at, rect, area, radius, shadow, blur, patches, performer })
}

/// What is taken out of a picture of `size`, of which `rect` is shown in this many pixels.
///
/// # Errors
/// `VALIDATION` for a region that is not seen.
fn patches(
    picture: &SlidePicture,
    size: SourceSize,
    rect: SourceRect,
    shown: (u32, u32),
    pointer: &str,
) -> Result<Vec<PlannedPicturePatch>> {
    let mut placed = Vec::new();
    for PicturePatch { part, removal } in &picture.patches {
        let mask = match part {
            PicturePart::Mask(mask) => mask.placed(rect, shown),
            PicturePart::Region(region) => {
                let mask = Mask::all_of(region.pixels_of(size)).placed(rect, shown);
                Some(mask.ok_or_else(|| {
                    Error::new(ErrorKind::Validation, "its region lies outside of what is seen of the picture")
                        .at_pointer(format!("{pointer}/region"))
                        .suggest("give a region that is on the slide")
                })?)
            }
        };
        placed.extend(mask.map(|mask| PlannedPicturePatch { mask, removal: *removal }));
    }
    Ok(placed)
}

/// Whether a part lies in a picture of `size`.
fn is_inside(part: SourceRect, size: SourceSize) -> bool {
    let inside =
        |start: u32, size: u32, whole: u32| size > 0 && start.checked_add(size).is_some_and(|end| end <= whole);
    inside(part.x, part.width, size.width()) && inside(part.y, part.height, size.height())
}

/// The largest rectangle of the shape of `size` in `area`, in its middle, on even pixels.
fn contain(size: SourceSize, area: Area, focus: Focus) -> Area {
    let (sw, sh) = (f64::from(size.width()), f64::from(size.height()));
    let scale = (f64::from(area.width) / sw).min(f64::from(area.height) / sh);
    let even = |value: f64, most: u32| (((value / 2.0).round() * 2.0) as u32).clamp(2, most);
    let (width, height) = (even(sw * scale, area.width), even(sh * scale, area.height));
    let free = |outer: u32, inner: u32, share: f64| ((f64::from(outer - inner) * share) as i32) & !1;
    Area { x: area.x + free(area.width, width, focus.x), y: area.y + free(area.height, height, focus.y), width, height }
}

/// What is hashed; names, ids and paths change no pixel.
#[derive(Serialize)]
struct Visible<'a> {
    engine: &'a str,
    canvas: CanvasSize,
    fonts: &'a str,
    layers: Vec<(&'a PlannedLayer, Option<VisibleSource<'a>>)>,
}

#[derive(Serialize)]
struct VisibleSource<'a> {
    hash: &'a str,
    stream: usize,
    color: ColorInfo,
}

/// The key of a slide of `layers`.
pub(super) fn slide_key(content: &Content, layers: &[PlannedLayer]) -> ChunkKey {
    let source = |layer: &PlannedLayer| match layer {
        PlannedLayer::Picture(picture) => {
            let info = &content.sources.get(picture.source)?.info;
            let video = info.video.as_ref()?;
            Some(VisibleSource { hash: &info.hash, stream: video.stream, color: video.color })
        }
        _ => None,
    };
    // The place of a source in the plan is no matter of its own, and does no harm: another one is another key.
    let nameless: Vec<PlannedLayer> = layers.iter().map(nameless).collect();
    let layers = nameless.iter().map(|layer| (layer, source(layer))).collect();
    let Content { engine, canvas, fonts, .. } = content;
    hash_of("remix-engine 2026 slide", &Visible { engine, canvas: *canvas, fonts, layers })
}

/// A layer without what a performer is called, which changes no pixel.
fn nameless(layer: &PlannedLayer) -> PlannedLayer {
    let mut layer = layer.clone();
    if let PlannedLayer::Picture(PlannedPicture { performer: Some(performer), .. }) = &mut layer {
        performer.author.clear();
    }
    layer
}

/// Whether every picture lies in its source.
pub(super) fn are_whole(content: &Content) -> bool {
    content.slides.iter().flat_map(|slide| &slide.layers).all(|layer| {
        let PlannedLayer::Picture(picture) = layer else { return true };
        let video = content.sources.get(picture.source).and_then(|source| source.info.video.as_ref());
        video.is_some_and(|video| is_inside(picture.rect, video.size))
            && picture.performer.iter().all(is_sane_performer)
            && picture.patches.len() <= MAX_PATCHES
            && picture.patches.iter().all(|patch| patch.mask.fits(picture.area.width, picture.area.height))
            && (2..=4096).contains(&picture.area.width)
            && (2..=4096).contains(&picture.area.height)
    })
}
