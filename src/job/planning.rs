//! Stage `planning`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::engine::Shared;
use super::{Control, guarded, not_working, remix};
use crate::compose::{SourceRect, screen_color};
use crate::encode::Preset;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg::release_free_memory;
use crate::formats::remixed::Post;
use crate::formats::{self, Made};
use crate::plan::{Context, JobInfo, Plan, resolve, resolve_slides};
use crate::request::{Format, InspectionPolicy, Request};
use crate::source::{AtEnd, Probed, Reading, ShotReader};
use crate::timeline::{Asset, Layer};
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// Plans every variant by itself: one whose sources are bad does not keep the others from being made.
///
/// # Errors
/// What is wrong with the request as a whole, and `CANCELED`.
pub(super) fn plan(shared: &Shared, request: &Request, control: &Control) -> Result<Vec<Result<Plan>>> {
    control.cancel().check()?;
    control.report(Stage::Planning, 0.0, 0, 0);
    let findings = request.findings(&shared.limits);
    if !findings.is_empty() {
        return Err(Error::from_findings(findings));
    }
    let variants = u8::try_from(request.variant_count.unwrap_or(1)).unwrap_or(1);
    let mut plans = Vec::new();
    let mut posts = None;
    for variant in 0..variants {
        let plan = plan_variant(shared, request, variant, &mut posts, control);
        // Cancelled, or stopped for having stalled: not this variant alone.
        if plan.as_ref().is_err_and(|error| error.kind() == ErrorKind::Canceled) {
            return plan.map(|_| Vec::new());
        }
        plans.push(plan);
        control.report(Stage::Planning, f64::from(variant + 1) / f64::from(variants), 0, 0);
    }
    Ok(plans)
}

/// The id of the container of a variant, counted from 0.
pub(super) fn container_id(request: &Request, variant: u8) -> String {
    match variant {
        0 => request.id.clone(),
        // A request's id has no tilde, so that no variant takes the place of another request.
        n => format!("{}~{}", request.id, u16::from(n) + 1),
    }
}

/// What was found in the source of a remix, by `find` if it was not looked at yet.
fn found(posts: &mut Option<Vec<Post>>, find: impl FnOnce() -> Result<Vec<Post>>) -> Result<&[Post]> {
    if posts.is_none() {
        let looked = find();
        // Readers of several languages, and pictures of all sizes: 200 MB that the allocator would keep while chunks are rendered.
        release_free_memory();
        *posts = Some(looked?);
    }
    Ok(posts.as_deref().unwrap_or_default())
}

/// Plans a variant; `posts` keeps what was found in the source of a remix, which is the same for all.
fn plan_variant(
    shared: &Shared,
    request: &Request,
    variant: u8,
    posts: &mut Option<Vec<Post>>,
    control: &Control,
) -> Result<Plan> {
    let format = formats::resolve(request);
    let (made, picks, overlays) = match format {
        Format::VideoRemix => {
            let posts = found(posts, || Ok(vec![remix::video(shared, request, control)?]))?;
            let post = posts.first().ok_or_else(not_working)?;
            let (timeline, picks, overlays) = formats::video_remix::timeline(request, variant, post)?;
            (Made::Video(Box::new(timeline)), picks, overlays)
        }
        Format::SlideshowRemix => {
            let posts = found(posts, || remix::slides(shared, request, control))?;
            let (slides, picks, overlays) = formats::slideshow_remix::slideshow(request, variant, posts)?;
            (formats::slides_of(request, slides), picks, overlays)
        }
        _ => formats::make(request, format, variant).map(|(made, picks)| (made, picks, Vec::new()))?,
    };
    let mut probed = probe_all(shared, &made, control)?;
    let context = Context {
        container_id: container_id(request, variant),
        job: JobInfo {
            request_id: request.id.clone(),
            request_hash: request.hash()?,
            captions_hash: request.captions_hash()?,
            format,
            variant,
            influencer_id: request.influencer_id.clone(),
            social_account_id: request.social_account_id.clone(),
            hook: request.hook.clone().filter(|hook| !hook.trim().is_empty()),
            picks,
            overlays,
            missing_characters: Vec::new(),
            unseen_captions: Vec::new(),
            thumbnail_frame: None,
            base_url: request.output.base_url.clone(),
            inspection: request.output.inspection.as_deref().and_then(InspectionPolicy::from_name).unwrap_or_default(),
        },
        thumbnail_at: request.output.thumbnail_at.and_then(TimeSpan::from_secs_f64),
        preset: request.output.preset.as_deref().and_then(Preset::from_name).unwrap_or_default(),
        loudness: formats::loudness(request),
        engine: shared.version.clone(),
        fonts: &shared.fonts,
        limits: &shared.limits,
        alive: &|| {
            control.interrupt().pulse().beat();
            control.cancel().check()
        },
    };
    let probe = |asset: &Asset| {
        let found = probed.remove(&asset.path).unwrap_or_else(|| shared.probe(&asset.path, control));
        Ok(found?.info.clone())
    };
    let plan = match &made {
        Made::Video(timeline) => resolve(timeline, context, probe, |layer| screen_of(shared, layer, control))?,
        Made::Slides(slideshow) => resolve_slides(slideshow, context, probe)?,
    };
    tracing::info!(id = plan.container_id(), frames = plan.frames(), chunks = plan.chunks().len(), "planned");
    Ok(plan)
}

/// The colour of the screen in the part of a clip that is used: in its middle, or if there is none, in its first picture.
fn screen_of(shared: &Shared, layer: &Layer, control: &Control) -> Result<Option<[u8; 3]>> {
    let asset = &layer.asset;
    /// Wide enough to tell a screen from what stands before it.
    const WIDTH: u32 = 320;
    let about = |error: Error| error.for_asset(format!("{} ({})", asset.id, asset.path.display()));
    let probed = shared.probe(&asset.path, control)?;
    let missing = || Error::new(ErrorKind::Internal, "a clip with a screen has no video");
    let (video, info) = probed.video.as_ref().zip(probed.info.video.as_ref()).ok_or_else(missing)?;
    let (width, height) = (info.size.width(), info.size.height());
    let scaled = (u64::from(height) * u64::from(WIDTH) / u64::from(width)).clamp(2, 4 * u64::from(WIDTH)) as u32;
    let canvas = CanvasSize::new(WIDTH, scaled & !1).ok_or_else(missing)?;
    let interrupt = control.interrupt();
    let (first, end) = (layer.trim.0, layer.trim.1.map_or(info.duration, |end| end.min(info.duration)));
    for start in [TimeSpan::from_ticks((first.ticks() + end.ticks()) / 2), first] {
        let reading = Reading {
            start,
            end: None,
            rate: FrameRate::FPS_30,
            frames: FrameRange::new(0, 1),
            at_end: AtEnd::Hold,
            rect: SourceRect { x: 0, y: 0, width, height },
            canvas,
            second: None,
        };
        let mut reader = ShotReader::open(&asset.path, video, reading, &shared.limits, &interrupt).map_err(about)?;
        let picture = reader.frame(0).map_err(about)?;
        if let Some(color) = picture.planes().and_then(screen_color) {
            return Ok(Some(color));
        }
    }
    Ok(None)
}

type Probes = BTreeMap<PathBuf, Result<Arc<Probed>>>;

/// Probes every file of a video or of slides, several at once: each file is read from end to end.
fn probe_all(shared: &Shared, made: &Made, control: &Control) -> Result<Probes> {
    let paths: BTreeSet<&Path> = match made {
        Made::Video(timeline) => timeline.assets().map(|asset| asset.path.as_path()).collect(),
        Made::Slides(slideshow) => slideshow.assets().map(|asset| asset.path.as_path()).collect(),
    };
    let threads = shared.threads.get().min(paths.len());
    let (waiting, found) = (Mutex::new(paths.into_iter()), Mutex::new(Probes::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(path) = next() {
                    let probed = guarded("probing", || shared.probe(path, control));
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), probed);
                }
            });
        }
    });
    control.cancel().check()?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}
