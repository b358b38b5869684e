//! What a plan will take, before anything is decoded: CPU time, wall time, memory and disk.
//!
//! The model is a sum over frames: decoding by pixels and bits, scaling by pixels, encoding by pixels and by how much
//! moves, which the source's own bit rate tells. Its constants are those of one core of an Intel Xeon at 2.1 GHz with
//! AVX-512; a small piece of the same work, timed once for each engine, tells how fast this machine is against it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::engine::Shared;
use super::guarded;
use crate::encode::{AUDIO_BIT_RATE, VideoSettings, reference_work};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{available_memory, available_threads, free_disk};
use crate::plan::{Plan, PlannedChunk, PlannedClip, PlannedLayer, PlannedSlide};
use crate::source::{AtEnd, VideoInfo, VideoKind};
use crate::store::ChunkStore;
use crate::units::{CanvasSize, FrameIndex, FrameRange, TimeSpan};

/// What making a plan's result will take. What the model of a [performer](crate::performer) takes is not known, and not counted.
/// Nor is planning, which is over by then: of a remix it decodes the source and reads its texts, about 610 MB for a post of 1080x1920, 190
/// of them for models of all scripts, and more for larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Work units that are rendered; those in the store are not.
    pub units: usize,
    /// Seconds of CPU time, of all threads together.
    pub cpu_seconds: f64,
    /// Seconds from the plan to the finished folder, on a machine that does nothing else.
    pub wall_seconds: f64,
    /// Bytes of memory at the peak, with what the process itself takes.
    pub memory_bytes: u64,
    /// Bytes on the disk at the peak: chunks, and the result.
    pub disk_bytes: u64,
    /// Threads that render at once: fewer than the engine has where the memory is not enough for all.
    pub workers: NonZeroUsize,
}

/// The process itself, with its libraries, fonts and the emoji that are drawn.
const BASE_BYTES: u64 = 55 << 20;
/// One pass of the sound.
const SOUND_BYTES: u64 = 32 << 20;
/// Pictures that a decoder holds of what phones and encoders make: those referred to, those not in order yet, and ours.
const DECODED_PICTURES: u64 = 7;

/// Bytes a pixel of a still picture while it is decoded, as [`crate::source`] does it for all but most JPEGs.
const STILL_BYTES: u64 = 16;

/// Milliseconds of one frame at 1080x1920, encoded by preset `veryfast`, of a picture that stands still.
const ENCODE_STILL_MS: f64 = 11.0;
/// The same for each square root of a thousand bits that the source spends on what the frame shows.
const ENCODE_MOVING_MS: f64 = 2.6;
/// Milliseconds to decode a million pixels of H.264.
const DECODE_MS: f64 = 2.2;
/// Milliseconds to read a million pixels for scaling, and to write them.
const SCALE_MS: (f64, f64) = (0.34, 0.9);
/// Milliseconds to lay a frame's texts on it: a copy, and what they cover.
const TEXT_MS: f64 = 0.8;
/// Milliseconds to lay a frame's clips out on a ground.
const LAY_OUT_MS: f64 = 1.5;
/// Milliseconds to take something out of a frame, and for a million pixels of it, with the pictures that are looked at.
const MEND_MS: (f64, f64) = (5.0, 70.0);
/// Pictures that are kept for that.
const MEND_PICTURES: u64 = 44;
/// The most bytes of pictures of clips that loop, which are kept for all workers.
const LOOP_BYTES: u64 = 64 << 20;
/// Milliseconds to blur a picture for all of the canvas.
const BLUR_MS: f64 = 4.0;
/// To take the screen out of a million pixels.
const KEY_MS: f64 = 1.5;
/// To draw a million pixels of a picture that moves.
const MOVE_MS: f64 = 8.0;
/// Milliseconds to compose a frame of a video of slides.
const SCENE_MS: f64 = 18.0;
/// Milliseconds for a slide, and for a million pixels of its pictures.
const SLIDE_MS: (f64, f64) = (45.0, 6.0);
/// Milliseconds for a second of sound.
const SOUND_MS: f64 = 14.0;
/// Milliseconds to begin and end a job, and for a second of video to stitch it, check it and find its thumbnail.
const JOB_MS: (f64, f64) = (220.0, 12.0);
/// What the reference work takes on the machine that the constants are from. It is encoded as `standard` is: who changes
/// that preset measures this again.
const REFERENCE_SECONDS: f64 = 0.050;

/// Threads that are enough to see how much cores slow each other down.
const TIMED_THREADS: usize = 4;

/// How long this machine takes for what the reference machine takes a second for.
fn slowness(shared: &Shared) -> f64 {
    *shared.slowness.get_or_init(|| match reference_seconds(shared.threads.min(available_threads())) {
        Ok(seconds) => (seconds / REFERENCE_SECONDS).clamp(0.1, 20.0),
        Err(error) => {
            tracing::warn!(%error, "the speed of this machine could not be measured");
            1.0
        }
    })
}

/// CPU seconds of the reference work while `threads`, or [`TIMED_THREADS`], are at it, as in a render: cores that share their caches, or
/// are two halves of one, are slower than one alone.
fn reference_seconds(threads: NonZeroUsize) -> Result<f64> {
    let threads = threads.get().min(TIMED_THREADS);
    // What disturbs it makes it longer: the shortest of several is what the machine can do.
    let shortest = || (0..5).map(|_| reference_work()).try_fold(f64::MAX, |least, time| Ok(least.min(time?)));
    let times: Result<Vec<f64>> = std::thread::scope(|scope| {
        let timed: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| guarded("the timing of this machine", shortest))).collect();
        let died = || Error::new(ErrorKind::Internal, "a thread died while it timed this machine");
        timed.into_iter().map(|time| time.join().unwrap_or_else(|_| Err(died()))).collect()
    });
    Ok(times?.into_iter().sum::<f64>() / threads as f64)
}

/// What chunk `chunk` costs, in milliseconds of the reference machine.
pub(super) fn chunk_cost(plan: &Plan, chunk: &PlannedChunk) -> f64 {
    let frames = chunk.frames.len() as f64;
    let preset = preset_factor(plan.video_settings());
    let scale = megapixels(plan.canvas().pixels()) / megapixels(CanvasSize::VERTICAL_HD.pixels());
    let shots: Vec<_> = plan.shots_of(chunk).map(|(_, shot)| shot).collect();
    if shots.is_empty() {
        // Slow zooms are encoded with every block looked at.
        return frames * scale * (SCENE_MS + 1.5 * preset * ENCODE_STILL_MS);
    }
    let clips: Vec<ClipCost> = plan.clips_of(chunk).filter_map(|clip| clip_cost(plan, clip)).collect();
    // What a clip says of its movement counts for its part of the canvas.
    let moving: f64 = clips.iter().map(|clip| clip.kilobits).sum();
    let encode = preset * scale * (ENCODE_STILL_MS + ENCODE_MOVING_MS * moving.clamp(0.0, 4_000.0).sqrt());
    let drawn: f64 = clips.iter().map(|clip| clip.milliseconds).sum();
    let lay_out = match shots[..] {
        [shot] if shot.only_clip(plan.canvas()).is_some() && plan.overlays_of(chunk).next().is_none() => 0.0,
        // One for each, and one for both.
        ref shots => (2 * shots.len() - 1) as f64 * LAY_OUT_MS * scale,
    };
    let mended: f64 = plan
        .shots_of(chunk)
        .flat_map(|(_, shot)| shot.clips.iter().map(move |clip| (shot.frames, clip)))
        .flat_map(|(on, clip)| clip.patches.iter().map(move |patch| (on, patch)))
        .map(|(on, patch)| {
            let at = |frame: FrameIndex| on.start.0.saturating_add(frame.0);
            let live = FrameRange::new(at(patch.frames.start), at(patch.frames.end)).intersect(chunk.frames).len();
            let bounds = patch.mask.bounds();
            let size = megapixels(u64::from(bounds.width) * u64::from(bounds.height));
            live as f64 * (MEND_MS.0 + MEND_MS.1 * size)
        })
        .sum();
    let with_text = plan.texts().iter().any(|text| !text.frames.intersect(chunk.frames).is_empty());
    frames * (encode + drawn + lay_out + if with_text { TEXT_MS * scale } else { 0.0 }) + mended
}

/// What a clip costs for each frame.
struct ClipCost {
    /// To decode and scale it.
    milliseconds: f64,
    /// A thousand bits that its source spends on what of it is shown.
    kilobits: f64,
}

fn clip_cost(plan: &Plan, clip: &PlannedClip) -> Option<ClipCost> {
    let source = plan.sources().get(clip.source)?;
    let video = source.info.video.as_ref()?;
    let area = megapixels(u64::from(clip.area.width) * u64::from(clip.area.height));
    let rate = plan.rate().as_f64();
    let moving = video.pictures > 1;
    let shown = f64::from(clip.rect.width) * f64::from(clip.rect.height) / video.size.pixels() as f64;
    let seconds = video.duration.as_secs_f64().max(0.04);
    let bits = efficiency(&video.codec) * source.info.bytes as f64 * 8e-3 / seconds / rate * shown;
    let pictures = if moving { (video.mean_rate / rate).clamp(0.02, 8.0) } else { 0.0 };
    // Pictures that nothing refers to and nobody sees are not decoded.
    let decoded = if pictures > 1.0 { 1.0 + (pictures - 1.0) / 2.0 } else { pictures };
    let size = megapixels(video.size.pixels());
    let decode = decoded * size * DECODE_MS * efficiency(&video.codec);
    let is_scaled = (clip.rect.width, clip.rect.height) != (clip.area.width, clip.area.height);
    let convert = if is_scaled { size * shown * SCALE_MS.0 + area * SCALE_MS.1 } else { 0.0 };
    let blur = clip.backdrop.map_or(0.0, |_| size * SCALE_MS.0 + BLUR_MS);
    // Also where the picture before is shown again.
    let key = clip.key.map_or(0.0, |_| area * KEY_MS);
    let moved = clip.movement.as_ref().map_or(0.0, |_| area * MOVE_MS);
    Some(ClipCost {
        milliseconds: decode + pictures.min(1.0) * (convert + blur) + key + moved,
        // A picture that is made smaller has less to say.
        kilobits: if moving { bits * (area / (size * shown)).min(1.0) } else { 0.0 },
    })
}

fn megapixels(pixels: u64) -> f64 {
    pixels as f64 / 1e6
}

/// The encoder's time against `veryfast` (x264 r3095, measured over six clips).
fn preset_factor(settings: &VideoSettings) -> f64 {
    match settings.x264_preset.as_str() {
        "ultrafast" => 0.27,
        "superfast" => 0.54,
        "faster" => 1.7,
        "fast" => 1.9,
        "medium" => 2.6,
        _ => 1.0,
    }
}

/// How much more a codec says with a bit than H.264, and takes to read it.
fn efficiency(codec: &str) -> f64 {
    match codec {
        "hevc" | "vp9" => 1.5,
        "av1" => 2.0,
        _ => 1.0,
    }
}

/// What slide `slide` costs, in milliseconds of the reference machine.
fn slide_cost(plan: &Plan, slide: &PlannedSlide) -> f64 {
    SLIDE_MS.0 + slide_sources(plan, slide).map(|(_, video)| megapixels(video.size.pixels())).sum::<f64>() * SLIDE_MS.1
}

/// The container and the pictures of each source of a slide.
fn slide_sources<'a>(plan: &'a Plan, slide: &'a PlannedSlide) -> impl Iterator<Item = (&'a str, &'a VideoInfo)> {
    slide.layers.iter().filter_map(|layer| match layer {
        PlannedLayer::Picture(picture) => {
            let info = &plan.sources().get(picture.source)?.info;
            Some((info.container.as_str(), info.video.as_ref()?))
        }
        _ => None,
    })
}

/// Bytes that one worker takes for the plan's dearest unit.
fn worker_bytes(plan: &Plan) -> u64 {
    let canvas = plan.canvas().pixels();
    let slides = plan.slides().iter().map(|slide| slide_source_bytes(plan, slide)).max().unwrap_or(0);
    let chunks = plan.chunks().iter().map(|chunk| {
        let drawn = match plan.shots_of(chunk).count() {
            shots @ 1.. => {
                let clips = plan.clips_of(chunk).map(|clip| clip_bytes(plan, clip));
                clips.fold(2 * shots as u64 * canvas * 3 / 2, u64::saturating_add)
            }
            // Both pages of a transition, larger than the canvas for the zoom, and what is drawn of them.
            0 => slides.saturating_add(14 * canvas),
        };
        drawn.saturating_add(encoder_bytes(plan.video_settings(), plan.canvas()))
    });
    // A slide in four bytes a pixel, three times, and its dearest source.
    let slide = if plan.slides().is_empty() { 0 } else { slides.saturating_add(12 * canvas) };
    chunks.chain([slide]).max().unwrap_or(0)
}

/// Bytes that a clip takes while it is shown: its decoder, its picture at the size that it is shown at, and what is around
/// it or blurred below.
fn clip_bytes(plan: &Plan, clip: &PlannedClip) -> u64 {
    let decoder =
        plan.sources().get(clip.source).and_then(|source| source.info.video.as_ref()).map_or(0, decoder_bytes);
    let area = match &clip.movement {
        Some(movement) => movement.picture.pixels(),
        None => u64::from(clip.area.width) * u64::from(clip.area.height),
    };
    let around = if clip.edging.is_plain() { 0 } else { area.saturating_mul(4) };
    let blurred =
        clip.backdrop.map_or(0, |backdrop| u64::from(backdrop.area.width) * u64::from(backdrop.area.height) * 3 / 2);
    let keyed = clip.key.map_or(0, |_| area * 7 / 2);
    let mended = match clip.patches.is_empty() {
        true => 0,
        false => decoder.saturating_add((area * 3 / 2).saturating_mul(MEND_PICTURES)),
    };
    [area * 3 / 2, around, blurred, keyed, mended].into_iter().fold(decoder, u64::saturating_add)
}

/// The clips of `plan` that are shown more than once over and whose pictures are kept: those that all together are small. With how many
/// pictures each has at most.
pub(super) fn looping<'a>(shared: &Shared, plan: &'a Plan) -> Vec<(&'a PlannedClip, usize)> {
    // Nothing needs them: they are no reason for fewer workers.
    let Taken { bytes, available, .. } = workers(shared, plan);
    let mut left = LOOP_BYTES.min(available.saturating_sub(bytes));
    let of_shots = plan.shots().iter().flat_map(|shot| shot.clips.iter().map(|clip| (shot.frames, clip)));
    let over = plan.overlays().iter().filter_map(|overlay| Some((overlay.frames, overlay.clip()?)));
    let mut kept = Vec::new();
    for (on, clip) in of_shots.chain(over) {
        if let Some(pictures) = looped_pictures(plan, clip, on.len())
            && let Some(rest) =
                picture_bytes(plan, clip).checked_mul(pictures).and_then(|bytes| left.checked_sub(bytes))
            && let Ok(pictures) = usize::try_from(pictures)
        {
            left = rest;
            kept.push((clip, pictures));
        }
    }
    kept
}

/// Pictures of a clip in `frames` frames of the output, if it is shown more than once in them; `None` if not, and if it is wanted at
/// two sizes.
fn looped_pictures(plan: &Plan, clip: &PlannedClip, frames: u64) -> Option<u64> {
    let video = plan.sources().get(clip.source)?.info.video.as_ref()?;
    if clip.at_end != AtEnd::Loop || clip.backdrop.is_some() || video.pictures < 2 {
        return None;
    }
    let end = clip.end.map_or(video.duration, |end| end.min(video.duration));
    let seconds = TimeSpan::from_ticks(end.ticks().saturating_sub(clip.start.ticks())).as_secs_f64();
    let pass = (seconds * clip.speed.rate(plan.rate()).as_f64()).ceil();
    // Both ends may be seen in part.
    let pictures = ((seconds * video.mean_rate).ceil() as u64).saturating_add(2).min(video.pictures);
    // For less than a quarter of them it is not worth the memory.
    (frames as f64 >= pass * 1.25).then_some(pictures.min((pass as u64).saturating_add(1)))
}

/// Bytes of one picture of a clip at the size that it is shown at, as FFmpeg allocates it: rows of whole vectors, in whole blocks.
fn picture_bytes(plan: &Plan, clip: &PlannedClip) -> u64 {
    let (width, height) = match &clip.movement {
        Some(movement) => (movement.picture.width(), movement.picture.height()),
        None => (clip.area.width, clip.area.height),
    };
    let (row, half) = (u64::from(width).next_multiple_of(64), u64::from(width).div_ceil(2).next_multiple_of(64));
    let video = plan.sources().get(clip.source).and_then(|source| source.info.video.as_ref());
    let full = if video.is_some_and(|video| video.has_alpha) { 2 } else { 1 };
    u64::from(height).next_multiple_of(32).saturating_mul(full * row + half).saturating_add(1024)
}

/// Bytes that the decoder of a clip holds. What a plan says of sizes may be anything: it comes as JSON too.
fn decoder_bytes(video: &VideoInfo) -> u64 {
    let deep = if video.color.hdr().is_some() { 2 } else { 1 };
    let alpha = if video.has_alpha { 2 } else { 1 };
    (video.size.pixels() / 2).saturating_mul(3 * deep * alpha * DECODED_PICTURES)
}

/// Bytes that the dearest picture of a slide takes while it is decoded.
fn slide_source_bytes(plan: &Plan, slide: &PlannedSlide) -> u64 {
    let bytes = slide_sources(plan, slide).map(|(container, video)| match (video.kind, container) {
        (VideoKind::Clip, _) => decoder_bytes(video),
        // Planes, reduced in the transform where they are large.
        (_, "jpeg") => video.size.pixels().saturating_mul(3) / 2,
        // The samples as they are coded, up to 16 bits, and copies of them in RGBA.
        _ => video.size.pixels().saturating_mul(STILL_BYTES),
    });
    bytes.max().unwrap_or(0)
}

/// What x264 holds: each frame that it looks ahead to with its smaller copies and costs, each that it refers to at four
/// positions between pixels.
fn encoder_bytes(settings: &VideoSettings, canvas: CanvasSize) -> u64 {
    let padded = u64::from(canvas.width() + 64) * u64::from(canvas.height() + 64);
    let ahead = match (settings.lookahead, settings.x264_preset.as_str()) {
        (Some(frames), _) => frames,
        (None, "ultrafast" | "superfast") => 0,
        (None, "veryfast") => 10,
        (None, "faster") => 20,
        (None, "fast") => 30,
        (None, _) => 40,
    };
    if settings.x264_preset == "ultrafast" {
        // It looks for movements of whole pixels, and not ahead.
        return padded * 8;
    }
    let ahead = u64::from(ahead.max(settings.bframes) + settings.bframes + 2);
    let referred = if settings.pyramid && settings.bframes > 1 { 5 } else { 3 };
    padded * 31 / 10 * ahead + padded * 47 / 10 * referred
}

/// Workers, the peak of the memory with them, and how much there is.
struct Taken {
    workers: NonZeroUsize,
    bytes: u64,
    available: u64,
}

/// Without the pictures of what [loops](looping).
fn workers(shared: &Shared, plan: &Plan) -> Taken {
    let sound = if plan.has_video() { SOUND_BYTES } else { 0 };
    let (fixed, each) = (BASE_BYTES + sound, worker_bytes(plan).max(1));
    let units = NonZeroUsize::new(plan.units()).unwrap_or(NonZeroUsize::MIN);
    let wanted = shared.threads.min(units);
    let available = shared.limits.memory.or_else(available_memory).unwrap_or(u64::MAX);
    let fitting = usize::try_from(available.saturating_sub(fixed) / each).unwrap_or(usize::MAX);
    let workers = NonZeroUsize::new(fitting).unwrap_or(NonZeroUsize::MIN).min(wanted);
    Taken { workers, bytes: each.saturating_mul(workers.get() as u64).saturating_add(fixed), available }
}

/// How many threads render `plan` at once: as many as the memory is enough for.
pub(super) fn workers_of(shared: &Shared, plan: &Plan) -> NonZeroUsize {
    workers(shared, plan).workers
}

/// What making `plans`, of one request, will take; units that `store` has, or that an earlier plan makes, are not counted.
///
/// # Errors
/// What the store reports.
pub(super) fn estimate(shared: &Shared, plans: &[&Plan], store: Option<&ChunkStore>) -> Result<Estimate> {
    let mut known = BTreeSet::new();
    let mut total = Estimate {
        units: 0,
        cpu_seconds: 0.0,
        wall_seconds: 0.0,
        memory_bytes: 0,
        disk_bytes: 0,
        workers: NonZeroUsize::MIN,
    };
    let slowness = slowness(shared);
    for plan in plans {
        let Taken { workers, bytes: memory, .. } = workers(shared, plan);
        let looped =
            looping(shared, plan).into_iter().map(|(clip, pictures)| picture_bytes(plan, clip) * pictures as u64);
        let memory = memory.saturating_add(looped.sum());
        let missing = store.map_or_else(|| Ok((0..plan.units()).collect()), |store| store.missing(plan))?;
        let keys: Vec<_> = plan.keys().collect();
        let fresh: Vec<usize> = missing.into_iter().filter(|&unit| known.insert(keys[unit])).collect();
        let cost = |unit: usize| match plan.chunks().get(unit) {
            Some(chunk) => chunk_cost(plan, chunk),
            None => plan.slides().get(unit - plan.chunks().len()).map_or(0.0, |slide| slide_cost(plan, slide)),
        };
        let costs: Vec<f64> = fresh.into_iter().map(cost).collect();
        let seconds = seconds_of(plan);
        let has_sound = !plan.has_video() || store.map_or(Ok(false), |store| store.has_sound(&plan.sound_key()))?;
        let sound = if has_sound { 0.0 } else { SOUND_MS * seconds };
        let alone = JOB_MS.0 + JOB_MS.1 * seconds;
        let drawn: f64 = costs.iter().sum();
        // More workers than cores take turns. The last unit of one is waited for by the others, who make the sound meanwhile:
        // a quarter of a unit, as measured with two.
        let longest = costs.iter().copied().fold(0.0, f64::max);
        let cores = workers.min(available_threads()).get();
        let side_by_side = (drawn + sound) / cores as f64;
        let tail = if cores > 1 { longest / 4.0 } else { 0.0 };
        total.units += costs.len();
        total.cpu_seconds += (drawn + sound + alone) / 1e3 * slowness;
        total.wall_seconds += (side_by_side + tail + alone) / 1e3 * slowness;
        let memory = if costs.is_empty() { BASE_BYTES + SOUND_BYTES } else { memory };
        total.memory_bytes = total.memory_bytes.max(memory);
        total.disk_bytes += 2 * result_bytes(plan);
        total.workers = total.workers.max(workers);
    }
    Ok(total)
}

fn seconds_of(plan: &Plan) -> f64 {
    plan.rate().time_of(FrameIndex(plan.frames())).as_secs_f64()
}

/// Bytes of the finished files; the chunks that they are made of take as much again.
fn result_bytes(plan: &Plan) -> u64 {
    // At the quality of `standard` a phone's recording takes about 0.05 bits a pixel; `high` nearly twice as much.
    let bits = match plan.video_settings().x264_preset.as_str() {
        "superfast" => 0.055,
        _ => 0.10,
    };
    let video = plan.canvas().pixels() as f64 * plan.frames() as f64 * bits / 8.0;
    let sound = seconds_of(plan) * f64::from(AUDIO_BIT_RATE) / 8.0;
    let slides = plan.slides().len() as f64 * 1.5e6;
    (video + sound + slides) as u64
}

/// Whether `plans` may be rendered into `out`, with `store`.
///
/// # Errors
/// `LIMIT_EXCEEDED` with what it will take, if that is more than a limit of the engine, or than what is free on the disk;
/// what the store reports.
pub(super) fn check(shared: &Shared, plans: &[&Plan], store: &ChunkStore, out: &Path) -> Result<()> {
    let limits = &shared.limits;
    let times = limits.cpu.is_some() || limits.wall.is_some();
    let exceeded =
        |what: String, suggestion: &'static str| Err(Error::new(ErrorKind::LimitExceeded, what).suggest(suggestion));
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    for plan in plans {
        let memory = workers(shared, plan).bytes;
        if let Some(limit) = limits.memory.or_else(available_memory).filter(|limit| memory > *limit) {
            let what = format!(
                "{} takes about {} MiB of memory with one worker; there are {} MiB",
                plan.container_id(),
                mib(memory),
                mib(limit)
            );
            return exceeded(what, "give the job more memory, or sources with smaller pictures");
        }
    }
    // Chunks on the disk of the results take its space too.
    let device = |folder: &Path| std::fs::metadata(folder).ok().map(|metadata| metadata.dev());
    let copies = match store.folder() {
        Some(folder) if device(folder) == device(out) => 2,
        _ => 1,
    };
    let disk: u64 = plans.iter().map(|plan| copies * result_bytes(plan)).sum();
    if let Some(limit) = limits.disk.or_else(|| free_disk(out)).filter(|limit| disk > *limit) {
        let what = format!("the job takes about {} MiB on the disk; there are {} MiB", mib(disk), mib(limit));
        return exceeded(what, "free space on the disk or choose another output folder");
    }
    if !times {
        return Ok(());
    }
    let Estimate { cpu_seconds, wall_seconds, .. } = estimate(shared, plans, Some(store))?;
    for (name, found, limit) in [("CPU time", cpu_seconds, limits.cpu), ("time", wall_seconds, limits.wall)] {
        if let Some(limit) = limit.map(|limit| limit.as_secs_f64()).filter(|limit| found > *limit) {
            let what = format!("the job takes about {found:.1} s of {name}; the limit is {limit:.1} s");
            return exceeded(what, "shorten it, choose a faster preset, or raise the limit");
        }
    }
    Ok(())
}
