//! Slides as a video: when each is on, how it moves, and how it gives way to the next.

use serde::{Deserialize, Serialize};

use super::key::{ChunkKey, hash_of};
use super::{Content, PlannedLayer, PlannedSlide};
use crate::compose::{Direction, Easing, Motion, TransitionKind, View};
use crate::error::{Error, ErrorKind, Result};
use crate::timeline::SlideshowVideo;
use crate::units::{CanvasSize, FrameRange, FrameRate};

/// A slide on the output's frame clock.
///
/// Two slides that follow each other are both on while one gives way to the other: a scene's frames include its
/// transitions, and those of neighbours overlap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedScene {
    /// The slide, by its place in the plan.
    pub slide: usize,
    /// The output's frames that show it, transitions included.
    pub frames: FrameRange,
    /// How its ground moves while it is on.
    pub motion: Option<Motion>,
    /// How it comes in; `None` for a cut.
    pub enter: Option<PlannedTransition>,
}

/// How a scene comes in, over its first frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTransition {
    /// What is seen.
    pub kind: TransitionKind,
    /// Where things move.
    pub direction: Direction,
    /// How the movement gains and loses speed.
    pub easing: Easing,
    /// How many frames it takes, which the scene before is still on for.
    pub frames: u64,
}

/// The scenes of `slides`; `length` is that of the music in frames, where they are fitted to it.
pub(super) fn scenes(
    video: &SlideshowVideo,
    slides: &[PlannedSlide],
    canvas: CanvasSize,
    length: Option<u64>,
) -> Result<Vec<PlannedScene>> {
    let overlap = video.rate.frames_in(video.transition.duration);
    let durations = durations(video, slides.len(), overlap, length)?;
    let mut scenes: Vec<PlannedScene> = Vec::new();
    for (number, (slide, frames)) in slides.iter().zip(durations).enumerate() {
        let start = scenes.last().map_or(0, |last| last.frames.end.0 - overlap);
        let comes_in = number > 0 && overlap > 0;
        let enter = comes_in.then_some(PlannedTransition {
            kind: video.transition.kind,
            direction: video.transition.direction,
            easing: video.transition.easing,
            frames: overlap,
        });
        let motion = video.zoom.filter(|_| is_movable(slide, canvas)).map(|amount| ken_burns(number, amount));
        scenes.push(PlannedScene { slide: number, frames: FrameRange::new(start, start + frames), motion, enter });
    }
    Ok(scenes)
}

/// The frames of each slide.
fn durations(video: &SlideshowVideo, slides: usize, overlap: u64, length: Option<u64>) -> Result<Vec<u64>> {
    let given = |number: usize| video.durations.get(number).map_or(1, |span| video.rate.frames_in(*span)).max(1);
    let Some(length) = length else { return Ok((0..slides).map(given).collect()) };
    // Overlaps are counted twice, and the durations are shares of what is left.
    let total = length + overlap * (slides as u64).saturating_sub(1);
    let weight: u64 = (0..slides).map(given).sum::<u64>().max(1);
    let until = |number: usize| {
        let before: u64 = (0..number).map(given).sum();
        u64::try_from(u128::from(total) * u128::from(before) / u128::from(weight)).unwrap_or(u64::MAX)
    };
    let durations: Vec<u64> = (0..slides).map(|number| until(number + 1) - until(number)).collect();
    if durations
        .iter()
        .any(|&frames| frames < (2 * overlap).max(video.rate.frames_in(crate::units::TimeSpan::from_secs(1)) / 2))
    {
        let message = format!("the music is too short for {slides} slides and their transitions");
        return Err(Error::new(ErrorKind::Validation, message)
            .at_pointer("/slideVideo/fitToMusic")
            .suggest("use a longer track, fewer slides or shorter transitions, or leave fitToMusic out"));
    }
    Ok(durations)
}

/// Whether the slide's ground is a sharp picture that fills the canvas, with nothing but texts over it.
fn is_movable(slide: &PlannedSlide, canvas: CanvasSize) -> bool {
    let mut pictures = slide.layers.iter().filter(|layer| matches!(layer, PlannedLayer::Picture(_)));
    match (slide.layers.first(), pictures.next(), pictures.next()) {
        (Some(PlannedLayer::Picture(picture)), Some(_), None) => {
            let area = picture.area;
            (area.x, area.y, area.width, area.height) == (0, 0, canvas.width(), canvas.height())
                && picture.blur == 0
                && picture.radius == 0
        }
        _ => false,
    }
}

/// A slow zoom, in and out in turn, with a drift to one side and the other.
fn ken_burns(number: usize, amount: f64) -> Motion {
    let side = if (number / 2).is_multiple_of(2) { 1.0 } else { -1.0 };
    let whole = View { zoom: 1.0, x: 0.5, y: 0.5 };
    // Half as far as the zoom leaves room for.
    let near = View { zoom: 1.0 + amount, x: 0.5 + side * amount / 4.0, y: 0.5 - amount / 4.0 };
    let (from, to) = if number.is_multiple_of(2) { (whole, near) } else { (near, whole) };
    // Even speed: a movement that stands still at both ends looks like a fault of the player.
    Motion { from, to, easing: Easing::Linear }
}

/// What is hashed of a scene.
#[derive(Serialize)]
struct Visible<'a> {
    slide: &'a str,
    motion: Option<Motion>,
    /// Where in the movement the chunk begins, and how long all of it is; a scene that stands still is the same
    /// everywhere.
    place: Option<(u64, u64)>,
}

#[derive(Serialize)]
struct VisibleChunk<'a> {
    engine: &'a str,
    canvas: CanvasSize,
    rate: FrameRate,
    video: &'a crate::encode::VideoSettings,
    frames: u64,
    scene: Visible<'a>,
    /// The scene that comes in, how, and where in the transition the chunk begins.
    next: Option<(Visible<'a>, PlannedTransition, u64)>,
}

/// The key of the chunk `frames`, in which scene `number` is on first.
pub(super) fn key(content: &Content, number: usize, frames: FrameRange) -> ChunkKey {
    let visible = |scene: &PlannedScene| {
        let slide = content.slides.get(scene.slide).map_or("", |slide| slide.key.as_str());
        let place = scene.motion.map(|_| (frames.start.0 - scene.frames.start.0, scene.frames.len()));
        Some(Visible { slide, motion: scene.motion, place })
    };
    let next = content.scenes.get(number + 1).filter(|next| next.frames.start <= frames.start);
    let visible_chunk = VisibleChunk {
        engine: &content.engine,
        canvas: content.canvas,
        rate: content.rate,
        video: &content.video,
        frames: frames.len(),
        scene: content.scenes.get(number).and_then(visible).unwrap_or(Visible { slide: "", motion: None, place: None }),
        next: next.and_then(|next| Some((visible(next)?, next.enter?, frames.start.0 - next.frames.start.0))),
    };
    hash_of("remix-engine 2026 scene", &visible_chunk)
}

/// Whether the scenes can be shown.
pub(super) fn are_whole(content: &Content) -> bool {
    let good_view =
        |view: View| (1.0..=4.0).contains(&view.zoom) && (0.0..=1.0).contains(&view.x) && (0.0..=1.0).contains(&view.y);
    let is_good = |scene: &PlannedScene| {
        let slide = content.slides.get(scene.slide);
        slide.is_some_and(|slide| {
            scene.motion.is_none_or(|motion| {
                is_movable(slide, content.canvas) && good_view(motion.from) && good_view(motion.to)
            })
        })
    };
    content.scenes.iter().all(is_good)
}
