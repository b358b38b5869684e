//! `slideshow-builder`: a hook, what speaks for the app, and a call to action, one slide each.

use std::ops::RangeInclusive;

use super::Pick;
use super::remixed::Post;
use crate::compose::{Focus, TransitionKind};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{Media, Request, SlideRequest, SlideVideo};
use crate::text::{Anchor, Area, FontSize, Rgba, TextBlock, TextStyle};
use crate::timeline::{
    Asset, Moment, PicturePatch, Slide, SlideFit, SlideLayer, SlidePicture, Slideshow, SlideshowVideo,
};
use crate::units::{CanvasSize, Decibels, FrameRate, TimeSpan};

/// The fewest and most slides of a set: TikTok takes up to 35 pictures, and one is no slideshow.
pub(crate) const SLIDES: RangeInclusive<usize> = 2..=35;

/// The names of `output.slideSize`.
pub(crate) const SIZES: [&str; 2] = ["1080x1920", "1080x1350"];
/// The names of a slide's `fit`.
pub(crate) const FITS: [&str; 4] = ["cover", "contain", "blur", "card"];
/// The names of a slide's `position`.
pub(crate) const POSITIONS: [&str; 3] = ["top", "center", "bottom"];

/// Media of these roles are screens of an app: they are shown whole, on a card.
const SCREENS: [&str; 4] = ["screenshot", "app-screenshot", "app-demo", "screen-recording"];

const APP_NAME_CHARS: usize = 100;
const APP_DESCRIPTION_CHARS: usize = 2_000;
const BRIEF_CHARS: usize = 300;
const APP_COLORS: usize = 8;

/// Where no colour and no picture is given.
const SLATE: Rgba = Rgba { r: 0x24, g: 0x2f, b: 0x46, a: 255 };
const NEAR_BLACK: Rgba = Rgba { r: 16, g: 16, b: 20, a: 255 };

/// What the request lacks for this format, and what is wrong in the fields that only it reads.
pub(crate) fn unmet(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let app = request.app.as_ref();
    if app.is_none_or(|app| app.name.trim().is_empty()) {
        found.push(
            Finding::new(ErrorKind::MissingAppName, "/app/name", "the app has no name").suggest("give `app.name`"),
        );
    }
    if app.is_none_or(|app| app.description.trim().is_empty()) {
        found.push(
            Finding::new(ErrorKind::MissingAppDescription, "/app/description", "the app has no description")
                .suggest("give `app.description`: one sentence about what it does"),
        );
    }
    check_video(request, &mut found);
    if let Some(slides) = &request.slides {
        if !SLIDES.contains(&slides.len()) {
            let message = format!("there are {} slides; there must be {} to {}", slides.len(), 2, 35);
            found.push(Finding::new(ErrorKind::LimitExceeded, "/slides", message));
        }
        if let Some(count) = request.variant_count.filter(|&count| count > 1) {
            let message = format!("variantCount is {count}, and the slides are given: all variants would be the same");
            found.push(
                Finding::new(ErrorKind::Validation, "/variantCount", message)
                    .suggest("leave variantCount out, or let the slides be composed"),
            );
        }
        for (number, slide) in slides.iter().enumerate().take(*SLIDES.end()) {
            check_slide(request, number, slide, &mut found);
        }
    } else if let Some(count) = composed_count(request).filter(|count| !SLIDES.contains(count)) {
        let message = format!("its value propositions make {count} slides; there can be {} to {}", 2, 35);
        found.push(Finding::new(ErrorKind::LimitExceeded, "/brief/valuePropositions", message));
    }
    found
}

fn check_slide(request: &Request, number: usize, slide: &SlideRequest, found: &mut Vec<Finding>) {
    let at = |field: &str| format!("/slides/{number}{field}");
    let mut wrong = |field: &str, message: String| {
        found.push(Finding::new(ErrorKind::Validation, at(field), format!("slide {}: {message}", number + 1)));
    };
    let has_text = slide.text.as_ref().is_some_and(|text| !text.trim().is_empty());
    if !has_text && slide.media.is_none() {
        wrong("", "it has neither a text nor a picture".to_owned());
    }
    if let Some(chars) = slide.text.as_ref().map(|text| text.chars().count()).filter(|&chars| chars > 2_000) {
        wrong("/text", format!("its text has {chars} characters; the limit is 2000"));
    }
    for (field, given) in [
        ("/sourceSlide", slide.source_slide.is_some()),
        ("/region", slide.region.is_some()),
        ("/removal", slide.removal.is_some()),
    ] {
        if given {
            wrong(field, format!("`{}` has a meaning in a slideshow-remix alone", &field[1..]));
        }
    }
    if let Some(fit) = slide.fit.as_deref().filter(|fit| !FITS.contains(fit)) {
        wrong("/fit", format!("unknown fit `{}`; known: {}", short(fit), FITS.join(", ")));
    }
    if let Some(name) = slide.position.as_deref().filter(|name| !POSITIONS.contains(name)) {
        wrong("/position", format!("unknown position `{}`; known: {}", short(name), POSITIONS.join(", ")));
    }
    if let Some(focus) = slide.focus.filter(|f| !(0.0..=1.0).contains(&f.x) || !(0.0..=1.0).contains(&f.y)) {
        wrong("/focus", format!("its focus is ({}, {}); both must be 0 to 1", focus.x, focus.y));
    }
    if let Some(seconds) = slide.at.filter(|seconds| !(0.0..=86_400.0).contains(seconds)) {
        wrong("/at", format!("its time is {seconds}; it must be 0 to 86400 seconds"));
    }
    if let Some(id) = &slide.media
        && !request.media.iter().any(|row| row.id == *id)
    {
        let message = format!("slide {}: `{}` is not in media", number + 1, short(id));
        found.push(Finding::new(ErrorKind::NotFound, at("/media"), message));
    }
}

/// What is wrong in `app` and `brief`, whatever the format.
pub(crate) fn check_words(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut check = |pointer: String, text: &str, most: usize| {
        let chars = text.chars().count();
        if chars > most {
            let message = format!("it has {chars} characters; the limit is {most}");
            found.push(Finding::new(ErrorKind::Validation, pointer, message).suggest("shorten it"));
        }
    };
    if let Some(app) = &request.app {
        check("/app/name".to_owned(), &app.name, APP_NAME_CHARS);
        check("/app/description".to_owned(), &app.description, APP_DESCRIPTION_CHARS);
    }
    if let Some(brief) = &request.brief {
        for (name, text) in [("topic", &brief.topic), ("angle", &brief.angle), ("cta", &brief.cta)] {
            check(format!("/brief/{name}"), text.as_deref().unwrap_or_default(), BRIEF_CHARS);
        }
        for (number, text) in brief.value_propositions.iter().enumerate() {
            check(format!("/brief/valuePropositions/{number}"), text, BRIEF_CHARS);
        }
    }
    let colors = request.app.iter().flat_map(|app| &app.colors).enumerate();
    for (number, color) in colors {
        let pointer = format!("/app/colors/{number}");
        if number >= APP_COLORS {
            let message = format!("an app has at most {APP_COLORS} colours");
            found.push(Finding::new(ErrorKind::Validation, pointer, message));
            break;
        }
        if let Err(error) = color.parse::<Rgba>() {
            found.push(Finding::new(ErrorKind::Validation, pointer, error.message()));
        }
    }
    if let Some(size) = request.output.slide_size.as_deref().filter(|size| !SIZES.contains(size)) {
        let message = format!("unknown size `{}`; known: {}", short(size), SIZES.join(", "));
        found.push(Finding::new(ErrorKind::Validation, "/output/slideSize", message));
    }
    found
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// How many slides are composed of a request without slides; `None` where they are given.
fn composed_count(request: &Request) -> Option<usize> {
    request.slides.is_none().then(|| points(request).len() + 2)
}

/// What speaks for the app: the brief's value propositions, or else the sentences of its description, at most four.
fn points(request: &Request) -> Vec<String> {
    let given = request.brief.iter().flat_map(|brief| &brief.value_propositions);
    let given: Vec<String> =
        given.map(|point| point.trim()).filter(|point| !point.is_empty()).map(str::to_owned).collect();
    if !given.is_empty() {
        return given;
    }
    let description = request.app.as_ref().map_or("", |app| app.description.trim());
    unicode_segmentation::UnicodeSegmentation::unicode_sentences(description)
        .map(|sentence| sentence.trim().to_owned())
        .filter(|sentence| !sentence.is_empty())
        .take(4)
        .collect()
}

/// The slides of variant `variant` (from 0) of a request without findings, and what was picked for them.
pub(super) fn slideshow(request: &Request, variant: u8) -> Result<(Slideshow, Vec<Pick>)> {
    let design = Design::of(request);
    let (slides, used) = match &request.slides {
        Some(slides) => given(request, slides, &design)?,
        None => composed(request, variant, &design)?,
    };
    let mut picks: Vec<Pick> = Vec::new();
    for row in used {
        let pick =
            Pick { role: if row.media_role.is_empty() { "media" } else { &row.media_role }.to_owned(), id: row.id };
        if !picks.contains(&pick) {
            picks.push(pick);
        }
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

/// Seconds that a slide is on.
const SLIDE_SECONDS: f64 = 3.0;
/// Music without voices over it.
const MUSIC_GAIN: Decibels = Decibels(0.0);

pub(super) fn video_of(request: &Request, video: &SlideVideo, slides: usize, variant: u8) -> Result<SlideshowVideo> {
    let all = video.slide_duration.unwrap_or(SLIDE_SECONDS);
    let seconds = |number: usize| {
        let own = request.slides.as_ref().and_then(|slides| slides.get(number)).and_then(|slide| slide.duration);
        TimeSpan::from_secs_f64(own.unwrap_or(all)).unwrap_or_default()
    };
    // As a finger does it; fading would lay texts over each other.
    let transition = super::transition::of(&video.transition.clone().unwrap_or_default(), TransitionKind::Push);
    let music = super::music(request, variant, MUSIC_GAIN)?;
    Ok(SlideshowVideo {
        rate: FrameRate::FPS_30,
        durations: (0..slides).map(seconds).collect(),
        fit_to_music: video.fit_to_music.unwrap_or(false),
        transition,
        zoom: (video.motion.as_deref() != Some(MOTIONS[1])).then(|| video.motion_amount.unwrap_or(0.1)),
        music,
        voice_over: super::voice_over(request)?,
    })
}

/// The names of `slideVideo.motion`.
const MOTIONS: [&str; 2] = ["ken-burns", "none"];
/// Seconds that a slide may be on.
const SLIDE_RANGE: RangeInclusive<f64> = 0.5..=30.0;

/// What is wrong with how slides become a video.
pub(super) fn check_video(request: &Request, found: &mut Vec<Finding>) {
    let durations = request.slides.iter().flatten().map(|slide| slide.duration).enumerate();
    for (number, seconds) in durations.filter_map(|(number, duration)| Some((number, duration?))) {
        if request.slide_video.is_none() {
            let message = format!("slide {}: it has a duration, and no video is asked for", number + 1);
            found.push(
                Finding::new(ErrorKind::Validation, format!("/slides/{number}/duration"), message)
                    .suggest("give `slideVideo`, `{}` for its defaults"),
            );
        } else if !SLIDE_RANGE.contains(&seconds) {
            let message = format!("slide {}: its duration is {seconds}; it must be 0.5 to 30 seconds", number + 1);
            found.push(Finding::new(ErrorKind::Validation, format!("/slides/{number}/duration"), message));
        }
    }
    let Some(video) = &request.slide_video else { return };
    let mut wrong = |field: &str, message: String| {
        found.push(Finding::new(ErrorKind::Validation, format!("/slideVideo{field}"), message));
    };
    if request.output.slide_size.as_deref() == Some(SIZES[1]) {
        wrong("", "a video is made of slides of 1080x1920 alone".to_owned());
    }
    if let Some(seconds) = video.slide_duration.filter(|seconds| !SLIDE_RANGE.contains(seconds)) {
        wrong("/slideDuration", format!("it is {seconds}; it must be 0.5 to 30 seconds"));
    }
    if video.fit_to_music == Some(true) && !super::has_music(request) {
        wrong("/fitToMusic", "there is no music to fit to".to_owned());
    }
    if let Some(name) = video.motion.as_deref().filter(|name| !MOTIONS.contains(name)) {
        wrong("/motion", format!("unknown motion `{}`; known: {}", short(name), MOTIONS.join(", ")));
    }
    if let Some(amount) = video.motion_amount.filter(|amount| !(0.01..=0.5).contains(amount)) {
        wrong("/motionAmount", format!("it is {amount}; it must be 0.01 to 0.5"));
    }
    let Some(transition) = &video.transition else { return };
    let all = video.slide_duration.unwrap_or(SLIDE_SECONDS);
    let own = request.slides.iter().flatten().filter_map(|slide| slide.duration);
    let shortest = own.fold(all, f64::min);
    let duration = transition.duration.unwrap_or(super::transition::SECONDS);
    if transition.name.as_deref() != Some("cut") && duration > shortest / 2.0 {
        wrong(
            "/transition/duration",
            format!("it is {duration} seconds, more than half of the shortest slide's {shortest}"),
        );
    }
    found.extend(super::transition::check(transition, "/slideVideo/transition"));
}

type Made = (Vec<Slide>, Vec<Media>);

/// The slides that the caller composed.
fn given(request: &Request, slides: &[SlideRequest], design: &Design) -> Result<Made> {
    let mut made = Vec::new();
    let mut used = Vec::new();
    for (number, slide) in slides.iter().enumerate() {
        let text = slide.text.as_deref().filter(|text| !text.trim().is_empty());
        let pointer = format!("/slides/{number}");
        let layers = match &slide.media {
            None => {
                let mut layers = vec![design.ground()];
                layers.extend(text.map(|text| design.plain_text(text, slide.position.as_deref())));
                layers
            }
            Some(id) => {
                let place = request.media.iter().position(|row| row.id == *id);
                let place = place.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("`{id}` is not in media")))?;
                let row = &request.media[place];
                used.push(row.clone());
                let uses = slides.iter().filter(|other| other.media.as_ref() == Some(id)).count();
                let before = slides[..number].iter().filter(|other| other.media.as_ref() == Some(id)).count();
                let moment = match slide.at.and_then(TimeSpan::from_secs_f64) {
                    Some(at) => Moment::At(at),
                    None => part_of(before, uses),
                };
                let focus = slide.focus.map(|point| Focus { x: point.x, y: point.y }).unwrap_or_default();
                let fit = slide.fit.as_deref().unwrap_or(match text {
                    Some(_) if is_screen(row) => "card",
                    _ => "cover",
                });
                let picture = Shown { asset: asset(request, place)?, moment, focus };
                design.pictured(picture, fit, text, slide.position.as_deref())
            }
        };
        made.push(Slide { name: format!("slide-{:02}", number + 1), pointer, layers });
    }
    Ok((made, used))
}

/// Slides from hook, brief and media: the hook first, then each point over the next picture, then what to do.
fn composed(request: &Request, variant: u8, design: &Design) -> Result<Made> {
    let brief = request.brief.clone().unwrap_or_default();
    let app = request.app.clone().unwrap_or_default();
    let present = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let opening = present(&request.hook).or(present(&brief.topic)).unwrap_or_else(|| app.name.clone());
    let points = points(request);
    let count = request.media.len();
    // A picture that fills the canvas opens better than a screen does. Each variant opens with another one.
    let mut order: Vec<usize> = (0..count).collect();
    order.rotate_left(usize::from(variant) % count.max(1));
    if let Some(first) = order.iter().position(|&place| !is_screen(&request.media[place])) {
        order[..=first].rotate_right(1);
    }
    let total = points.len() + 2;
    let place_of = |number: usize| order.get(number % count.max(1)).copied();
    let mut used = Vec::new();
    let mut picture = |number: usize| -> Result<Option<Shown>> {
        let Some(place) = place_of(number) else { return Ok(None) };
        used.push(request.media[place].clone());
        let uses = (0..total).filter(|&other| place_of(other) == Some(place)).count();
        let before = (0..number).filter(|&other| place_of(other) == Some(place)).count();
        Ok(Some(Shown { asset: asset(request, place)?, moment: part_of(before, uses), focus: Focus::default() }))
    };
    let mut slides = Vec::new();
    let mut add = |layers| {
        slides.push(Slide { name: format!("slide-{:02}", slides.len() + 1), pointer: String::new(), layers });
    };

    let text = match present(&brief.angle) {
        Some(angle) => vec![design.title(&opening), design.subtitle(&angle)],
        None => vec![design.headline(&opening)],
    };
    let mut layers = match picture(0)? {
        Some(shown) => vec![design.full(&shown.asset, shown.moment, shown.focus, 0), SlideLayer::Shade],
        None => vec![design.ground()],
    };
    layers.extend(text.into_iter().map(|block| design.text_over(block, count > 0)));
    add(layers);

    for (number, point) in points.iter().enumerate() {
        add(match picture(number + 1)? {
            Some(shown) => {
                let screen = place_of(number + 1).is_some_and(|place| is_screen(&request.media[place]));
                design.pictured(shown, if screen { "card" } else { "cover" }, Some(point), None)
            }
            None => vec![design.ground(), design.plain_text(point, None)],
        });
    }

    let mut layers = match (design.brand, picture(total - 1)?) {
        (None, Some(shown)) => vec![design.full(&shown.asset, shown.moment, shown.focus, 40), SlideLayer::Shade],
        _ => vec![design.ground()],
    };
    let over_picture = layers.len() > 1;
    layers.push(design.text_over(design.title(&app.name), over_picture));
    if let Some(cta) = present(&brief.cta) {
        let (fill, letters) = if over_picture {
            (Rgba::WHITE, NEAR_BLACK)
        } else {
            let letters = design.letters();
            (letters, if letters == Rgba::WHITE { NEAR_BLACK } else { Rgba::WHITE })
        };
        let mut block = design.subtitle(&cta);
        block.style.fill = letters;
        block.style.weight = 700;
        block.area.y += 24;
        layers.push(SlideLayer::Text { block, button: Some(fill), pointer: String::new() });
    }
    add(layers);
    Ok((slides, used))
}

fn part_of(before: usize, uses: usize) -> Moment {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Moment::Part { part: number(before), parts: number(uses).max(1) }
}

fn is_screen(row: &Media) -> bool {
    SCREENS.contains(&row.media_role.as_str())
}

fn asset(request: &Request, place: usize) -> Result<Asset> {
    let row = &request.media[place];
    let pointer = format!("/media/{place}/src");
    let path = request.resolve(&row.src).map_err(|error| error.at_pointer(pointer.clone()))?;
    Ok(Asset { id: row.id.clone(), path, pointer })
}

/// What is shown of which file.
struct Shown {
    asset: Asset,
    moment: Moment,
    focus: Focus,
}

/// The measures and colours that all slides of a set share.
pub(super) struct Design {
    pub(super) canvas: CanvasSize,
    /// Where text may stand: what the apps leave free, and margins.
    free: Area,
    brand: Option<Rgba>,
}

impl Design {
    pub(super) fn of(request: &Request) -> Self {
        let tall = request.output.slide_size.as_deref() != Some(SIZES[1]);
        let canvas = if tall { CanvasSize::VERTICAL_HD } else { CanvasSize::FEED };
        let free = if tall {
            super::SAFE_AREA
        } else {
            // The feed lays nothing over a picture: margins of a twelfth of the width.
            Area { x: 90, y: 90, width: 900, height: 1170 }
        };
        let brand = request.app.as_ref().and_then(|app| app.colors.first()).and_then(|color| color.parse().ok());
        Self { canvas, free, brand }
    }

    pub(super) fn whole(&self) -> Area {
        Area { x: 0, y: 0, width: self.canvas.width(), height: self.canvas.height() }
    }

    /// A part of the free area, from `from` to `to` of its height.
    fn band(&self, from: f64, to: f64) -> Area {
        let height = f64::from(self.free.height);
        let (top, bottom) = ((height * from).round(), (height * to).round());
        Area { y: self.free.y + top as i32, height: (bottom - top).max(1.0) as u32, ..self.free }
    }

    fn middle(&self) -> Area {
        self.band(0.2, 0.8)
    }

    /// A slide's ground of the brand's colour, which darkens towards the bottom.
    fn ground(&self) -> SlideLayer {
        let top = self.brand.unwrap_or(SLATE);
        let darker = |value: u8| (u16::from(value) * 62 / 100) as u8;
        SlideLayer::Gradient { top, bottom: Rgba { r: darker(top.r), g: darker(top.g), b: darker(top.b), a: 255 } }
    }

    /// White or near black, whichever is easier to read on the brand's colour.
    fn letters(&self) -> Rgba {
        if luminance(self.brand.unwrap_or(SLATE)) > 0.36 { NEAR_BLACK } else { Rgba::WHITE }
    }

    /// Filling the canvas; blurred by `blur` pixels.
    pub(super) fn full(&self, asset: &Asset, moment: Moment, focus: Focus, blur: u32) -> SlideLayer {
        SlideLayer::Picture(SlidePicture {
            asset: asset.clone(),
            moment,
            area: self.whole(),
            fit: SlideFit::Cover,
            focus,
            radius: 0,
            shadow: false,
            blur,
            crop: None,
            patches: Vec::new(),
            performer: None,
        })
    }

    /// The picture of a source's slide without what is taken out of it: blurred by `blur` pixels over all of the canvas, or as
    /// it is, as far as it fits.
    pub(super) fn remixed(&self, post: &Post, patches: Vec<PicturePatch>, blur: u32, is_whole: bool) -> SlideLayer {
        SlideLayer::Picture(SlidePicture {
            asset: post.asset.clone(),
            moment: Moment::At(TimeSpan::ZERO),
            area: self.whole(),
            fit: if is_whole { SlideFit::Cover } else { SlideFit::Contain },
            focus: Focus::default(),
            radius: 0,
            shadow: false,
            blur,
            crop: post.part,
            patches,
            // What is blurred is a ground.
            performer: post.performer.clone().filter(|_| blur == 0),
        })
    }

    /// A picture with its text.
    fn pictured(&self, shown: Shown, fit: &str, text: Option<&str>, position: Option<&str>) -> Vec<SlideLayer> {
        let contained = |area: Area, radius: u32| {
            SlideLayer::Picture(SlidePicture {
                asset: shown.asset.clone(),
                moment: shown.moment,
                area,
                fit: SlideFit::Contain,
                focus: shown.focus,
                radius,
                shadow: radius > 0,
                blur: 0,
                crop: None,
                patches: Vec::new(),
                performer: None,
            })
        };
        if fit == "card" {
            let ground = match self.brand {
                Some(_) => vec![self.ground()],
                None => vec![self.full(&shown.asset, shown.moment, shown.focus, 40), SlideLayer::Shade],
            };
            let over_picture = ground.len() > 1;
            let head = self.band(0.0, 0.24);
            let top = head.y + head.height as i32 + 40;
            let height = u32::try_from(self.canvas.height() as i32 - top - 90).unwrap_or(1);
            let card = Area { x: 110, y: top, width: self.canvas.width() - 220, height };
            let mut layers = ground;
            layers.push(contained(if text.is_some() { card } else { self.free }, 44));
            layers.extend(text.map(|text| {
                let anchor = if position == Some("bottom") { Anchor::Bottom } else { Anchor::Center };
                let block = block(text, head, anchor, (30.0, 76.0), 700);
                self.text_over(block, over_picture)
            }));
            return layers;
        }
        let mut layers = match fit {
            "contain" => vec![self.ground(), contained(self.whole(), 0)],
            "blur" => vec![self.full(&shown.asset, shown.moment, shown.focus, 40), contained(self.whole(), 0)],
            _ => vec![self.full(&shown.asset, shown.moment, shown.focus, 0)],
        };
        layers.extend(text.into_iter().flat_map(|text| self.over_picture(text, position, None)));
        layers
    }

    /// A text over a picture, with its shade: at a named position, else around `height` (0 is the canvas's top, 1 its
    /// bottom), else in the middle.
    pub(super) fn over_picture(&self, text: &str, position: Option<&str>, height: Option<f64>) -> [SlideLayer; 2] {
        let (area, anchor) = match (position, height) {
            (None, Some(height)) => {
                let free = (f64::from(self.free.y), f64::from(self.free.height));
                let middle = ((height * f64::from(self.canvas.height()) - free.0) / free.1).clamp(0.2, 0.8);
                (self.band(middle - 0.2, middle + 0.2), Anchor::Center)
            }
            _ => self.place(position),
        };
        [SlideLayer::Shade, self.text_over(block(text, area, anchor, (30.0, 84.0), 700), true)]
    }

    fn place(&self, position: Option<&str>) -> (Area, Anchor) {
        match position {
            Some("top") => (self.band(0.0, 0.4), Anchor::Top),
            Some("bottom") => (self.band(0.6, 1.0), Anchor::Bottom),
            _ => (self.middle(), Anchor::Center),
        }
    }

    fn plain_text(&self, text: &str, position: Option<&str>) -> SlideLayer {
        let (area, anchor) = self.place(position);
        self.text_over(block(text, area, anchor, (30.0, 96.0), 700), false)
    }

    /// The one text of an opening slide.
    fn headline(&self, text: &str) -> TextBlock {
        block(text, self.middle(), Anchor::Center, (34.0, 112.0), 900)
    }

    /// The larger of two texts.
    fn title(&self, text: &str) -> TextBlock {
        block(text, self.band(0.15, 0.56), Anchor::Bottom, (34.0, 112.0), 900)
    }

    /// The smaller of two texts, below a title.
    fn subtitle(&self, text: &str) -> TextBlock {
        block(text, self.band(0.59, 0.85), Anchor::Top, (28.0, 52.0), 500)
    }

    /// In the colour that can be read on a shaded picture, or on the brand's ground.
    fn text_over(&self, mut block: TextBlock, over_picture: bool) -> SlideLayer {
        block.style.fill = if over_picture { Rgba::WHITE } else { self.letters() };
        SlideLayer::Text { block, button: None, pointer: String::new() }
    }
}

fn block(text: &str, area: Area, anchor: Anchor, (min, max): (f32, f32), weight: u16) -> TextBlock {
    let style =
        TextStyle { weight, font_size: FontSize { min, max }, line_height: 1.16, stroke: None, ..TextStyle::default() };
    TextBlock { style, anchor, ..TextBlock::new(text.trim(), area) }
}

/// The relative luminance of a colour, 0 to 1: WCAG 2.2.
fn luminance(color: Rgba) -> f64 {
    let light = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
    };
    0.2126 * light(color.r) + 0.7152 * light(color.g) + 0.0722 * light(color.b)
}
