//! Planning of remixes: which texts their source has, what becomes of them, and how they are taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::engine::Shared;
use super::mender::{Mender, SharedPictures, nearest_looked_at};
use super::{Adaptation, Control, SourcePost, not_working};
use crate::burnt::{FoundOverlay, FoundText, OverlayKind, TextReader, find, looked_at, readable, seam};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::Interrupt;
use crate::formats::remixed::{Change, Post, Taken, cut_off, stretches};
use crate::formats::{self, Residual, slideshow_remix, video_remix};
use crate::plan::PlannedPatch;
use crate::request::{LeftPolicy, RemovalMode, Request, SOURCE_ID};
use crate::source::{AtEnd, Probed, Reading, ShotReader, Subject};
use crate::text::Rgba;
use crate::timeline::{Asset, Performer, Removal};
use crate::units::{FrameRange, FrameRate, SourceSize, TimeSpan};

/// What may be left of a text: a fiftieth of its characters, and an edge that is hardly seen.
const READABLE: f64 = 0.02;
const SEAM: f64 = 6.0;
/// Covers of light and of dark letters.
const DARK: Rgba = Rgba { r: 16, g: 16, b: 20, a: 255 };

/// The part of a picture that `auto` cuts off at most, and the most that is cut off of it at all.
const LITTLE_CUT: f64 = 0.1;
const MOST_CUT: f64 = 0.6;

/// The video of a remix, and what becomes of its texts.
///
/// # Errors
/// `PERFORMER_UNAVAILABLE`; `INVALID_TIKTOK_ID` for a post that is not known; what probing and reading it report, with the asset; `NOT_FOUND` for texts that are
/// not there; what the caller's adapter and resolver report.
pub(super) fn video(shared: &Shared, request: &Request, control: &Control) -> Result<Post> {
    // What is not there is told before anything is looked at.
    let performer = shared.performer(request)?;
    let asset = video_asset(shared, request)?;
    let mut reader = LazyReader::new(shared);
    let looked = Looked::at(shared, &asset, control, &*reader.get()?)?;
    if looked.probed.video.as_ref().is_some_and(|video| video.index.len() == 1) {
        let message = "it is one picture, and a video-remix starts from a video";
        return Err(about(&asset)(Error::new(ErrorKind::SourceUnsupported, message).suggest("use slideshow-remix")));
    }
    let mut posts = remixed((shared, request, control), &mut reader, performer, vec![(None, asset, &looked)])?;
    posts.pop().ok_or_else(not_working)
}

/// The slides of a remix, each with the source's picture that it shows and what becomes of the texts on it.
///
/// # Errors
/// As [`video`]; `NOT_A_SLIDESHOW` for a post that is a video.
pub(super) fn slides(shared: &Shared, request: &Request, control: &Control) -> Result<Vec<Post>> {
    let performer = shared.performer(request)?;
    let assets = slide_assets(shared, request)?;
    let shown = slideshow_remix::shown(request, &assets)?;
    let mut reader = LazyReader::new(shared);
    let mut looked: BTreeMap<(usize, bool), Looked> = BTreeMap::new();
    // All that is wrong with them is told at once.
    let (mut tried, mut faults) = (BTreeSet::new(), Vec::new());
    for (number, &place) in shown.iter().enumerate() {
        let is_read = slideshow_remix::is_looked_at(request, number);
        if !tried.insert((place, is_read)) {
            continue;
        }
        let found = match is_read {
            true => Looked::at(shared, &assets[place], control, &*reader.get()?).map(Looked::first_picture),
            false => Looked::unread(shared, &assets[place], control),
        };
        match found {
            Ok(found) => drop(looked.insert((place, is_read), found)),
            Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
            Err(error) => faults.push(error),
        }
    }
    if let Some(error) = Error::combine(faults) {
        return Err(error);
    }
    let numbered = shown.iter().enumerate().map(|(number, &place)| {
        let looked = looked.get(&(place, slideshow_remix::is_looked_at(request, number)));
        Ok((Some(number), assets[place].clone(), looked.ok_or_else(not_working)?))
    });
    remixed((shared, request, control), &mut reader, performer, numbered.collect::<Result<_>>()?)
}

/// A picture or video of the source, and the texts that were found on it.
struct Looked {
    probed: Arc<Probed>,
    size: SourceSize,
    text: Arc<FoundText>,
}

impl Looked {
    fn at(shared: &Shared, asset: &Asset, control: &Control, reader: &dyn TextReader) -> Result<Self> {
        control.cancel().check()?;
        let looked = Self::unread(shared, asset, control)?;
        let interrupt = control.interrupt();
        let _working = interrupt.pulse().enter(&asset.path, None);
        let text = find(&looked.subject(shared, asset, &interrupt), reader).map_err(about(asset))?;
        Ok(Self { text: Arc::new(text), ..looked })
    }

    /// As a slide shows it: of a clip or an animation the first picture alone.
    fn first_picture(mut self) -> Self {
        let text = Arc::make_mut(&mut self.text);
        text.overlays.retain(|overlay| overlay.first_frame == 0);
        for overlay in &mut text.overlays {
            overlay.last_frame = 0;
            (overlay.region, overlay.mask) = (overlay.region_at(0), overlay.mask_at(0).clone());
            overlay.moves.clear();
            (overlay.style.enter, overlay.style.exit) = (None, None);
        }
        text.frames = 1;
        self
    }

    /// Without its texts.
    fn unread(shared: &Shared, asset: &Asset, control: &Control) -> Result<Self> {
        let probed = shared.probe(&asset.path, control).map_err(about(asset))?;
        let empty = || {
            about(asset)(Error::new(ErrorKind::SourceEmpty, "it has no pictures").suggest("give a video or a picture"))
        };
        if let Some(fault) = &probed.info.unusable_video {
            return Err(about(asset)(Error::new(fault.kind, &fault.reason)));
        }
        let size = probed.info.video.as_ref().ok_or_else(empty)?.size;
        let text = FoundText {
            width: size.width(),
            height: size.height(),
            frames: 1,
            overlays: Vec::new(),
            findings: Vec::new(),
        };
        Ok(Self { probed, size, text: Arc::new(text) })
    }

    fn subject<'a>(&'a self, shared: &'a Shared, asset: &'a Asset, interrupt: &'a Interrupt) -> Subject<'a> {
        Subject { path: &asset.path, probed: &self.probed, limits: &shared.limits, interrupt }
    }
}

fn about(asset: &Asset) -> impl Fn(Error) -> Error {
    move |error| error.for_asset(format!("{} ({})", asset.id, asset.path.display())).at_pointer(asset.pointer.clone())
}

/// What becomes of the texts of these: of slides each with its number.
fn remixed(
    (shared, request, control): (&Shared, &Request, &Control),
    reader: &mut LazyReader,
    performer: Option<Performer>,
    looked: Vec<(Option<usize>, Asset, &Looked)>,
) -> Result<Vec<Post>> {
    let named: Vec<(Option<&str>, &FoundText)> =
        looked.iter().map(|(number, asset, looked)| (number.map(|_| asset.id.as_str()), &*looked.text)).collect();
    let mut changes = formats::remixed::changes(request, &named)?;
    for ((number, asset, looked), changes) in looked.iter().zip(&mut changes) {
        control.interrupt().pulse().beat();
        control.cancel().check()?;
        if let Some(number) = number {
            slideshow_remix::own_words(request, *number, &looked.text, changes);
        }
        adapted(shared, request, number.map(|_| asset.id.clone()), &looked.text, changes)?;
    }
    let unmet = formats::remixed::without_words(request, changes.iter().flatten());
    if !unmet.is_empty() {
        return Err(Error::from_findings(unmet));
    }
    let posts = looked.into_iter().zip(changes).map(|((_, asset, looked), mut changes)| {
        control.cancel().check()?;
        let part = match changes.iter().any(|change| change.new_text.is_some()) {
            true => {
                let interrupt = control.interrupt();
                let _working = interrupt.pulse().enter(&asset.path, None);
                let subject = looked.subject(shared, &asset, &interrupt);
                remove(&subject, looked, request, &mut changes, &*reader.get()?).map_err(about(&asset))?
            }
            false => None,
        };
        Ok(Post {
            asset,
            size: looked.size,
            text: Arc::clone(&looked.text),
            changes,
            part,
            performer: performer.clone(),
        })
    });
    posts.collect()
}

/// Asks the caller's adapter for the words that the request does not have.
fn adapted(
    shared: &Shared,
    request: &Request,
    slide: Option<String>,
    text: &FoundText,
    changes: &mut [Change],
) -> Result<()> {
    let Some(adapter) = shared.adapter.as_ref().filter(|_| !text.overlays.is_empty()) else { return Ok(()) };
    let adaptation = Adaptation {
        brief: request.brief.clone().unwrap_or_default(),
        language: request.text_language(),
        author: request.influencer_id.clone().or_else(|| request.social_account_id.clone()).unwrap_or_default(),
        slide,
    };
    let words = adapter.adapt(&text.overlays, &adaptation)?;
    if words.len() != text.overlays.len() {
        let message = format!("the adapter gave words for {} of {} texts", words.len(), text.overlays.len());
        return Err(Error::new(ErrorKind::Internal, message).suggest("have it give an entry for each"));
    }
    for ((change, words), overlay) in changes.iter_mut().zip(words).zip(&text.overlays) {
        // What belongs to the scene is changed only where the request says so, and what stays is not.
        let is_free = change.new_text.is_none() || change.is_emptied;
        if is_free && overlay.kind == OverlayKind::Caption && change.mode != RemovalMode::Keep {
            change.new_text = words.or(change.new_text.take());
        }
    }
    Ok(())
}

/// What the resolver knows of the post that the request names; `None` if it names none, or there is no resolver.
///
/// # Errors
/// `INVALID_TIKTOK_ID` for what is no id and for a post that there is not; what the resolver reports.
fn resolved(shared: &Shared, request: &Request) -> Result<Option<SourcePost>> {
    let (Some(id), Some(resolver)) = (post_id(request)?, &shared.resolver) else { return Ok(None) };
    match resolver.resolve(id)? {
        Some(post) => Ok(Some(post)),
        None => Err(unknown_post(format!("there is no post {id}"))),
    }
}

/// The id of the post that the request names.
///
/// # Errors
/// `INVALID_TIKTOK_ID` for what is none.
fn post_id(request: &Request) -> Result<Option<&str>> {
    let id = request.source.as_ref().and_then(|source| source.tiktok_video_id.as_deref());
    match id {
        Some(id) if !(1..=32).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(unknown_post("the id of a post is 1 to 32 digits".to_owned()))
        }
        _ => Ok(id),
    }
}

/// Where the request has the id of a post.
const POST_ID: &str = "/source/tiktokVideoId";

fn unknown_post(message: String) -> Error {
    Error::new(ErrorKind::InvalidTiktokId, message)
        .at_pointer(POST_ID)
        .suggest("give the id of a post that is known, or its files as `source.src` or `source.slides`")
}

/// The video that a remix starts from.
fn video_asset(shared: &Shared, request: &Request) -> Result<Asset> {
    match resolved(shared, request)? {
        Some(SourcePost::Video(path)) => Ok(Asset { id: SOURCE_ID.to_owned(), path, pointer: POST_ID.to_owned() }),
        Some(SourcePost::Slides(_)) => Err(Error::new(ErrorKind::Validation, "the post is a slideshow")
            .at_pointer(POST_ID)
            .suggest("use slideshow-remix")),
        None => video_remix::asset(request)?.ok_or_else(|| unknown_post("no file is known of the post".to_owned())),
    }
}

/// The slides that a remix starts from: those that the request names, else those of a resolver, which are called by their numbers.
fn slide_assets(shared: &Shared, request: &Request) -> Result<Vec<Asset>> {
    let given = slideshow_remix::assets(request)?;
    if !given.is_empty() {
        // What is wrong with the id is told all the same.
        return post_id(request).map(|_| given);
    }
    match resolved(shared, request)? {
        Some(SourcePost::Slides(paths)) => {
            let asset = |(number, path)| Asset { id: format!("{number}"), path, pointer: POST_ID.to_owned() };
            Ok((1..).zip(paths).map(asset).collect())
        }
        Some(SourcePost::Video(_)) => Err(Error::new(ErrorKind::NotASlideshow, "the post is a video")
            .at_pointer(POST_ID)
            .suggest("use video-remix")),
        None => Err(unknown_post("no slides are known of the post".to_owned())),
    }
}

/// Decides how each text is taken out that has new words, measures what is left of it, and tells what part of the pictures is
/// shown, if something is cut off.
///
/// # Errors
/// `VALIDATION` for a text that cannot be cut off; `SOURCE_UNSUPPORTED` if too much is left of one and the request wants that to
/// end the job; what measuring reports.
fn remove(
    subject: &Subject<'_>,
    looked: &Looked,
    request: &Request,
    changes: &mut [Change],
    reader: &dyn TextReader,
) -> Result<Option<SourceRect>> {
    let text = &*looked.text;
    let whole = SourceRect { x: 0, y: 0, width: looked.size.width(), height: looked.size.height() };
    let mut part = whole;
    // How much of the picture is lost.
    let lost = |part: SourceRect| {
        1.0 - f64::from(part.width) * f64::from(part.height) / (f64::from(whole.width) * f64::from(whole.height))
    };
    for (change, overlay) in changes.iter_mut().zip(&text.overlays).filter(|(change, _)| change.new_text.is_some()) {
        change.taken = match change.mode {
            RemovalMode::Auto | RemovalMode::Fill => Taken::Patched(Removal::Fill),
            RemovalMode::Blur => Taken::Patched(Removal::Blur),
            RemovalMode::Cover => Taken::Patched(Removal::Cover(cover_of(overlay))),
            RemovalMode::Keep => Taken::Kept,
            RemovalMode::Crop => {
                part =
                    cut_off(part, overlay.whole_region()).filter(|part| lost(*part) <= MOST_CUT).ok_or_else(|| {
                        let what = format!(
                            "the text {} cannot be cut off: too little of the picture would be left",
                            overlay.id
                        );
                        let error = Error::new(ErrorKind::Validation, what);
                        error
                            .suggest("take it out by `fill`, `blur` or `cover`")
                            .at_pointer(change.mode_pointer.clone())
                    })?;
                change.residual = Some(Residual { readable: 0.0, seam: 0.0 });
                Taken::Cropped
            }
        };
    }
    // What lies in what is cut off is gone, however it was to be taken out.
    let is_beyond = |part: SourceRect, region: SourceRect| cut_off(part, region) == Some(part);
    for (change, overlay) in changes.iter_mut().zip(&text.overlays).filter(|(change, _)| change.new_text.is_some()) {
        if part != whole && is_beyond(part, overlay.whole_region()) {
            change.taken = Taken::Cropped;
            change.residual = Some(Residual { readable: 0.0, seam: 0.0 });
        }
    }
    // Each round measures those that are new; of those with a choice the bad ones go on to what hides more.
    let is_patched = |change: &Change| matches!(change.taken, Taken::Patched(_));
    let mut open: Vec<usize> = (0..changes.len()).filter(|&number| is_patched(&changes[number])).collect();
    while !open.is_empty() {
        let measured = residuals(subject, text, changes, &open, reader)?;
        let mut next = Vec::new();
        for (number, residual) in open.into_iter().zip(measured) {
            let (change, overlay) = (&mut changes[number], &text.overlays[number]);
            change.residual = Some(residual);
            if is_gone(change) || change.mode != RemovalMode::Auto {
                continue;
            }
            let rest = cut_off(part, overlay.whole_region()).filter(|rest| *rest == part || lost(*rest) <= LITTLE_CUT);
            change.taken = match (change.taken, rest) {
                (Taken::Patched(Removal::Fill), Some(rest)) => {
                    part = rest;
                    change.residual = Some(Residual { readable: 0.0, seam: 0.0 });
                    Taken::Cropped
                }
                (Taken::Patched(Removal::Fill), None) => Taken::Patched(Removal::Blur),
                (Taken::Patched(Removal::Blur), _) => Taken::Patched(Removal::Cover(cover_of(overlay))),
                _ => continue,
            };
            if is_patched(change) {
                next.push(number);
            }
        }
        open = next;
    }
    let policy = request.unremovable.as_deref().and_then(LeftPolicy::from_name).unwrap_or_default();
    for (change, overlay) in changes.iter_mut().zip(&text.overlays).filter(|(change, _)| is_patched(change)) {
        match policy {
            _ if is_gone(change) => {}
            LeftPolicy::Report => {}
            LeftPolicy::Keep => (change.taken, change.new_text) = (Taken::Kept, None),
            LeftPolicy::Fail => {
                let Residual { readable, seam } = change.residual.unwrap_or(Residual { readable: 1.0, seam: 0.0 });
                let message = format!(
                    "the text {} cannot be taken out by {}: {:.0} % of it can still be read, and its edge stands out by {seam:.0}",
                    overlay.id,
                    change.taken.name(),
                    readable * 100.0,
                );
                let error = Error::new(ErrorKind::SourceUnsupported, message)
                    .suggest("take it out by `cover`, or have `unremovable` be `report` or `keep`");
                return Err(match change.named {
                    Some(number) => error.at_pointer(format!("/overlays/{number}")),
                    None => error.at_pointer(change.mode_pointer.clone()),
                });
            }
        }
    }
    Ok((part != whole).then_some(part))
}

/// Whether so little is left of a text that nobody sees that it was there.
fn is_gone(change: &Change) -> bool {
    let is_even = |seam: f64| seam <= SEAM || change.taken != Taken::Patched(Removal::Fill);
    change.residual.is_some_and(|left| left.readable <= READABLE && is_even(left.seam))
}

/// The colour of a cover: of the box that is there, or one on which the letters are read.
fn cover_of(overlay: &FoundOverlay) -> Rgba {
    let Rgba { r, g, b, .. } = overlay.style.color;
    let is_light = u32::from(r) * 3 + u32::from(g) * 6 + u32::from(b) > 1_280;
    match overlay.style.backdrop {
        Some(backdrop) => backdrop.color,
        None if is_light => DARK,
        None => Rgba::WHITE,
    }
}

/// What is left of the texts `which`, each in the middle of its time.
fn residuals(
    subject: &Subject<'_>,
    text: &FoundText,
    changes: &[Change],
    which: &[usize],
    reader: &dyn TextReader,
) -> Result<Vec<Residual>> {
    let (video, known) =
        subject.probed.video.as_ref().zip(subject.probed.info.video.as_ref()).ok_or_else(not_working)?;
    let rect = SourceRect { x: 0, y: 0, width: known.size.width(), height: known.size.height() };
    // As they were looked at when the texts were found.
    let canvas = looked_at(rect.width, rect.height).ok_or_else(not_working)?;
    let (width, height) = (canvas.width(), canvas.height());
    let scaled = |region: SourceRect| {
        let by = |at: u32, size: u32, whole: u32| (u64::from(at) * u64::from(size) / u64::from(whole)) as u32;
        SourceRect {
            x: by(region.x, width, rect.width),
            y: by(region.y, height, rect.height),
            width: by(region.width, width, rect.width).max(1),
            height: by(region.height, height, rect.height).max(1),
        }
    };
    let patched = text.overlays.iter().zip(changes).filter_map(|(overlay, change)| match change.taken {
        Taken::Patched(removal) => Some((overlay, removal)),
        Taken::Kept | Taken::Cropped => None,
    });
    let patches: Vec<PlannedPatch> = patched
        .flat_map(|(overlay, removal)| {
            let all = stretches(text, overlay).into_iter();
            all.filter_map(move |(frames, mask)| {
                Some(PlannedPatch { frames, mask: mask.placed(rect, (width, height))?, removal })
            })
        })
        .collect();
    let reading = Reading {
        start: TimeSpan::ZERO,
        end: None,
        rate: FrameRate::FPS_30,
        frames: FrameRange::new(0, text.frames),
        at_end: AtEnd::Hold,
        rect,
        canvas,
        second: None,
    };
    let mut pictures: Option<ShotReader> = None;
    // The pictures around one text are those around the next, too: each is decoded once.
    let kept = SharedPictures::default();
    let clip = (subject.path, video);
    let mut mender = Mender::new(&patches, clip, reading, subject.limits, subject.interrupt, Some(&kept))?;
    let alive = || {
        subject.interrupt.pulse().beat();
        match subject.interrupt.is_set() {
            true => Err(Error::new(ErrorKind::Canceled, "the job was cancelled while text was taken out")),
            false => Ok(()),
        }
    };
    let middle = |number: usize| {
        let overlay = &text.overlays[number];
        let middle = overlay.middle();
        // What turns is the easiest to read where it is level.
        let turns = overlay.moves.iter().any(|there| there.rotation != 0.0);
        let is_on = |frame: u64| (overlay.first_frame..=overlay.last_frame).contains(&frame);
        let will_do = |frame: u64| !turns && is_on(frame) && overlay.stands(frame) == overlay.stands(middle);
        nearest_looked_at(middle, will_do)
    };
    let mut order: Vec<usize> = (0..which.len()).collect();
    order.sort_by_key(|&at| middle(which[at]));
    let mut found = vec![Residual { readable: 1.0, seam: 0.0 }; which.len()];
    for at in order {
        alive()?;
        let overlay = &text.overlays[which[at]];
        let frame = middle(which[at]);
        let known = mender.looked_at(frame)?;
        let picture = match (&known, &mut pictures) {
            (Some(picture), _) => picture,
            (None, Some(pictures)) => pictures.frame(frame)?,
            (None, none) => {
                let (path, interrupt) = (subject.path, subject.interrupt);
                none.insert(ShotReader::open(path, video, reading, subject.limits, interrupt)?).frame(frame)?
            }
        };
        let planes = mender.mend(picture, frame)?.planes().ok_or_else(not_working)?;
        found[at] = Residual {
            readable: readable(
                planes,
                scaled(overlay.region_at(frame)),
                (&overlay.text, &overlay.scripts),
                reader,
                &alive,
            )?,
            seam: overlay.mask_at(frame).placed(rect, (width, height)).map_or(0.0, |mask| seam(planes.y, &mask)),
        };
    }
    Ok(found)
}

/// What reads the texts of sources: the caller's reader, or the one that the engine has, which is made once for all pictures of a
/// job and not kept after it: its models take memory.
struct LazyReader(Option<Arc<dyn TextReader>>);

impl LazyReader {
    fn new(shared: &Shared) -> Self {
        Self(shared.reader.clone())
    }

    /// # Errors
    /// `INTERNAL` if there is neither.
    fn get(&mut self) -> Result<Arc<dyn TextReader>> {
        match &self.0 {
            Some(reader) => Ok(Arc::clone(reader)),
            None => Ok(Arc::clone(self.0.insert(usual_reader()?))),
        }
    }
}

#[cfg(feature = "tesseract")]
fn usual_reader() -> Result<Arc<dyn TextReader>> {
    Ok(Arc::new(crate::burnt::TesseractReader::new(&[])?))
}

#[cfg(not(feature = "tesseract"))]
fn usual_reader() -> Result<Arc<dyn TextReader>> {
    Err(Error::new(ErrorKind::Internal, "this build cannot read text")
        .suggest("turn the feature `tesseract` on, or give a reader in the engine's options"))
}
