//! What a plan meant: what is news in its video, and what is not.

use super::picture::Mask;
use super::spans::Stretch;
use crate::error::Result;
use crate::plan::{Plan, PlannedClip, PlannedLayer, PlannedScene, PlannedShot, Role, SAMPLE_RATE};
use crate::source::{AtEnd, VideoKind};
use crate::text::{FontBook, lay_out};
use crate::units::{FrameIndex, FrameRange, TimeBase, TimeSpan, Timestamp};

/// Pixels around a text's ink that are left out with it: edges that coding smears.
const MARGIN: f32 = 8.0;

/// A plan as the measure of its video.
pub(crate) struct Expected<'a> {
    plan: &'a Plan,
    fonts: &'a FontBook,
    /// What the mixer gave to the encoder, in LUFS; `None` for silence.
    pub(super) mixed: Option<f64>,
    /// Whether the mixer left the levels alone.
    pub(super) left_alone: bool,
}

impl<'a> Expected<'a> {
    pub(crate) fn new(plan: &'a Plan, fonts: &'a FontBook, mixed: Option<f64>, left_alone: bool) -> Self {
        Self { plan, fonts, mixed, left_alone }
    }

    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The loudness that the video should have, in LUFS.
    pub(super) fn loudness(&self) -> Option<f64> {
        self.plan.loudness().filter(|_| !self.left_alone)
    }

    /// Where texts stand at a time. What is below them is looked at around them: a black picture with a hook on it is
    /// still black, and one that stands still under captions still stands still.
    pub(super) fn masks(&self, at: Timestamp) -> Result<Vec<Mask>> {
        let frame = FrameIndex(self.plan.rate().frames_in(at.saturating_since(Timestamp::ZERO)));
        let mut masks = Vec::new();
        for text in self.plan.texts().iter().filter(|text| text.frames.contains(frame)) {
            let Some(ink) = lay_out(self.fonts, &text.block)?.ink() else { continue };
            let part =
                |start: f32, end: f32| (start - MARGIN).max(0.0) as usize..(end + MARGIN).max(0.0).ceil() as usize;
            masks.push(Mask { x: part(ink.left, ink.right), y: part(ink.top, ink.bottom) });
        }
        Ok(masks)
    }

    fn stretch(&self, frames: FrameRange) -> Stretch {
        let time = |frame| self.plan.rate().time_of(frame);
        Stretch::new(time(frames.start), time(frames.end))
    }

    /// Where the plan shows a picture that stands still: stills, the last picture of a clip that is held, and slides that
    /// do not move.
    pub(super) fn still(&self) -> Vec<Stretch> {
        let mut still = Vec::new();
        for shot in self.plan.shots() {
            let whole = self.stretch(shot.frames);
            // From when on every clip of the shot stands still.
            let still_from = |clip: &PlannedClip| {
                let video = self.plan.sources().get(clip.source).and_then(|source| source.info.video.as_ref());
                match video {
                    Some(video) if video.kind == VideoKind::Still => whole.start,
                    Some(video) if clip.at_end == AtEnd::Hold => {
                        let end = clip.end.map_or(video.duration, |end| end.min(video.duration));
                        let left = TimeSpan::from_ticks(end.ticks().saturating_sub(clip.start.ticks()));
                        whole.start.saturating_add(clip.speed.stretched(left))
                    }
                    _ => whole.end,
                }
            };
            let from = shot.clips.iter().map(still_from).max().unwrap_or(whole.start);
            if from < whole.end {
                still.push(Stretch::new(from, whole.end));
            }
        }
        let scenes = self.plan.scenes().iter().filter(|scene| scene.motion.is_none());
        still.extend(scenes.map(|scene| self.stretch(scene.frames)));
        still
    }

    /// Where the plan shows no picture of anybody's: grounds of slides and of end cards, whose colour somebody chose.
    pub(super) fn grounds(&self) -> Vec<Stretch> {
        let is_ground = |scene: &&PlannedScene| {
            let slide = self.plan.slides().get(scene.slide);
            slide.is_some_and(|slide| !slide.layers.iter().any(|layer| matches!(layer, PlannedLayer::Picture(_))))
        };
        let slides = self.plan.scenes().iter().filter(is_ground).map(|scene| scene.frames);
        let cards = self.plan.shots().iter().filter(|shot| shot.clips.is_empty()).map(|shot| shot.frames);
        slides.chain(cards).map(|frames| self.stretch(frames)).collect()
    }

    /// Where no sound lies.
    pub(super) fn without_sound(&self, whole: Stretch) -> Vec<Stretch> {
        let sounds: Vec<Stretch> = self.plan.cues().iter().map(|cue| cue_stretch(cue.start, cue.length)).collect();
        whole.without(&sounds)
    }

    /// Whether music or a voice-over should be heard somewhere in a stretch.
    pub(super) fn has_music(&self, stretch: Stretch) -> bool {
        let heard = self.plan.cues().iter().filter(|cue| cue.role != Role::Clip && cue.gain.0 > 0.0);
        heard.map(|cue| cue_stretch(cue.start, cue.length)).any(|cue| cue.touches(stretch))
    }

    /// What the plan shows in a stretch, for people: shots with their assets, or slides.
    pub(super) fn shown_in(&self, stretch: Stretch) -> String {
        let shots = self.plan.shots().iter().filter(|shot| self.stretch(shot.frames).touches(stretch));
        let name = |source: usize| self.plan.sources().get(source).map_or("", |source| source.asset.id.as_str());
        let names = |shot: &PlannedShot| shot.clips.iter().map(|clip| name(clip.source)).collect::<Vec<_>>().join(", ");
        let shots = shots.map(|shot| format!("shot {} ({})", shot.name, names(shot)));
        let scenes = self.plan.scenes().iter().filter(|scene| self.stretch(scene.frames).touches(stretch));
        let slides = scenes.filter_map(|scene| self.plan.slides().get(scene.slide)).map(|slide| slide.name.clone());
        shots.chain(slides).collect::<Vec<_>>().join(", ")
    }
}

fn cue_stretch(start: u64, length: u64) -> Stretch {
    let time = |frame: u64| {
        let pts = i64::try_from(frame).unwrap_or(i64::MAX);
        TimeBase::new(1, SAMPLE_RATE).map_or(Timestamp::ZERO, |base| Timestamp::from_pts(pts, base))
    };
    Stretch::new(time(start), time(start.saturating_add(length)))
}
