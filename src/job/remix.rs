//! Planning of a video-remix: which texts its source has, what becomes of them, and how they are taken out.

use std::sync::Arc;

use super::engine::Shared;
use super::mender::Mender;
use super::{Adaptation, Control, SourcePost, not_working};
use crate::burnt::{FoundOverlay, FoundText, OverlayKind, TextReader, find, looked_at, readable, seam};
use crate::compose::SourceRect;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::Residual;
use crate::formats::video_remix::{self, Change, Post, frames_of, removal_name};
use crate::plan::PlannedPatch;
use crate::request::{REMOVALS, Request, SOURCE_ID};
use crate::source::{AtEnd, Reading, ShotReader, Subject};
use crate::text::Rgba;
use crate::timeline::{Asset, Removal};
use crate::units::{FrameRange, FrameRate, TimeSpan};

/// What may be left of a text: a fiftieth of its characters, and an edge that is hardly seen.
const READABLE: f64 = 0.02;
const SEAM: f64 = 6.0;
/// Covers of light and of dark letters.
const DARK: Rgba = Rgba { r: 16, g: 16, b: 20, a: 255 };

/// What the source of a remix is, and what becomes of its texts.
///
/// # Errors
/// `INVALID_TIKTOK_ID` for a post that is not known; what probing and reading it report, with the asset; `NOT_FOUND` for texts that are
/// not there; what the caller's adapter and resolver report.
pub(super) fn post(shared: &Shared, request: &Request, control: &Control) -> Result<Post> {
    let asset = source(shared, request)?;
    let about = |error: Error| {
        error.for_asset(format!("{} ({})", asset.id, asset.path.display())).at_pointer(asset.pointer.clone())
    };
    let probed = shared.probe(&asset.path, control).map_err(about)?;
    if probed.video.as_ref().is_some_and(|video| video.index.len() == 1) {
        let message = "it is one picture, and a video-remix starts from a video";
        return Err(about(Error::new(ErrorKind::SourceUnsupported, message).suggest("use slideshow-remix")));
    }
    let reader = shared.text_reader()?;
    let interrupt = control.interrupt();
    let subject = Subject { path: &asset.path, probed: &probed, limits: &shared.limits, interrupt: &interrupt };
    let text = find(&subject, &*reader).map_err(about)?;
    let known = probed.info.video.as_ref().ok_or_else(not_working)?;
    let mut changes = video_remix::changes(request, &text)?;
    if let Some(adapter) = &shared.adapter {
        let adaptation = Adaptation {
            brief: request.brief.clone().unwrap_or_default(),
            language: request.text_language(),
            author: request.influencer_id.clone().or_else(|| request.social_account_id.clone()).unwrap_or_default(),
        };
        let words = adapter.adapt(&text.overlays, &adaptation)?;
        if words.len() != text.overlays.len() {
            let message = format!("the adapter gave words for {} of {} texts", words.len(), text.overlays.len());
            return Err(Error::new(ErrorKind::Internal, message).suggest("have it give an entry for each"));
        }
        for ((change, words), overlay) in changes.iter_mut().zip(words).zip(&text.overlays) {
            // What belongs to the scene is changed only where the request says so.
            if change.new_text.is_none() && overlay.kind == OverlayKind::Caption {
                change.new_text = words;
            }
        }
    }
    let unmet = video_remix::without_words(request, &changes);
    if !unmet.is_empty() {
        return Err(Error::from_findings(unmet));
    }
    control.cancel().check()?;
    remove(&subject, request, &text, &mut changes, &*reader).map_err(about)?;
    let size = known.size;
    Ok(Post { asset, size, text, changes })
}

/// The file that a remix starts from.
fn source(shared: &Shared, request: &Request) -> Result<Asset> {
    let pointer = "/source/tiktokVideoId";
    let id = request.source.as_ref().and_then(|source| source.tiktok_video_id.as_deref());
    if let Some(id) = id {
        let unknown = |message: String| {
            Err(Error::new(ErrorKind::InvalidTiktokId, message)
                .at_pointer(pointer)
                .suggest("give the id of a post that is known, or its file as `source.src`"))
        };
        if !(1..=32).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return unknown("the id of a post is 1 to 32 digits".to_owned());
        }
        let found = shared.resolver.as_ref().map(|resolver| resolver.resolve(id)).transpose()?;
        match found.flatten() {
            Some(SourcePost::Video(path)) => {
                return Ok(Asset { id: SOURCE_ID.to_owned(), path, pointer: pointer.to_owned() });
            }
            Some(SourcePost::Slides(_)) => {
                return Err(Error::new(ErrorKind::Validation, format!("the post {id} is a slideshow"))
                    .at_pointer(pointer)
                    .suggest("use slideshow-remix"));
            }
            None if shared.resolver.is_some() => return unknown(format!("there is no post {id}")),
            None => {}
        }
    }
    video_remix::asset(request)?.ok_or_else(|| {
        Error::new(ErrorKind::InvalidTiktokId, "no file is known of the post")
            .at_pointer(pointer)
            .suggest("give its file as `source.src`, or an engine that can find it")
    })
}

/// Decides how each text is taken out that has new words, and measures what is left of it.
fn remove(
    subject: &Subject<'_>,
    request: &Request,
    text: &FoundText,
    changes: &mut [Change],
    reader: &dyn TextReader,
) -> Result<()> {
    let is_changed: Vec<bool> = changes.iter().map(|change| change.new_text.is_some()).collect();
    for (change, _) in changes.iter_mut().zip(&is_changed).filter(|(_, changed)| **changed) {
        change.removal = match removal_name(request, change) {
            name if name == REMOVALS[2] => Some(Removal::Blur),
            name if name == REMOVALS[3] => None,
            name if name == REMOVALS[4] => continue,
            _ => Some(Removal::Fill),
        };
    }
    for (number, change) in changes.iter_mut().enumerate().filter(|(number, _)| is_changed[*number]) {
        if removal_name(request, change) == REMOVALS[3] {
            change.removal = Some(Removal::Cover(cover_of(&text.overlays[number])));
        }
    }
    // Each round measures those that are new; of those with a choice the bad ones go on to what hides more.
    let mut open: Vec<usize> = (0..changes.len()).filter(|&number| changes[number].removal.is_some()).collect();
    while !open.is_empty() {
        let measured = residuals(subject, text, changes, &open, reader)?;
        let mut next = Vec::new();
        for (number, residual) in open.into_iter().zip(measured) {
            let change = &mut changes[number];
            change.residual = Some(residual);
            let is_good = residual.readable <= READABLE
                && (residual.seam <= SEAM || !matches!(change.removal, Some(Removal::Fill)));
            if is_good || removal_name(request, change) != REMOVALS[0] {
                continue;
            }
            change.removal = match change.removal {
                Some(Removal::Fill) => Some(Removal::Blur),
                Some(Removal::Blur) => Some(Removal::Cover(cover_of(&text.overlays[number]))),
                _ => continue,
            };
            next.push(number);
        }
        open = next;
    }
    Ok(())
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
    let patches: Vec<PlannedPatch> = text
        .overlays
        .iter()
        .zip(changes)
        .filter_map(|(overlay, change)| {
            let mask = overlay.mask.placed(rect, (width, height))?;
            Some(PlannedPatch { frames: frames_of(overlay, text.frames), mask, removal: change.removal? })
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
    let mut pictures = ShotReader::open(subject.path, video, reading, subject.limits, subject.interrupt)?;
    let mut mender = Mender::new(&patches, (subject.path, video), reading, subject.limits, subject.interrupt, None)?;
    let alive = || {
        subject.interrupt.pulse().beat();
        match subject.interrupt.is_set() {
            true => Err(Error::new(ErrorKind::Canceled, "the job was cancelled while text was taken out")),
            false => Ok(()),
        }
    };
    let middle = |number: usize| (text.overlays[number].first_frame + text.overlays[number].last_frame) / 2;
    let mut order: Vec<usize> = (0..which.len()).collect();
    order.sort_by_key(|&at| middle(which[at]));
    let mut found = vec![Residual { readable: 1.0, seam: 0.0 }; which.len()];
    for at in order {
        alive()?;
        let overlay = &text.overlays[which[at]];
        let frame = middle(which[at]);
        let picture = pictures.frame(frame)?;
        let planes = mender.mend(picture, frame)?.planes().ok_or_else(not_working)?;
        found[at] = Residual {
            readable: readable(planes, scaled(overlay.region), &overlay.text, reader, &alive)?,
            seam: overlay.mask.placed(rect, (width, height)).map_or(0.0, |mask| seam(planes.y, &mask)),
        };
    }
    Ok(found)
}

impl Shared {
    /// Reads the texts of sources: the caller's reader, or the one that the engine has.
    ///
    /// # Errors
    /// `INTERNAL` if there is neither.
    fn text_reader(&self) -> Result<Arc<dyn TextReader>> {
        match &self.reader {
            Some(reader) => Ok(Arc::clone(reader)),
            None => usual_reader(),
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
