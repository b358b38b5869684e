//! What lies over the shots, on the output's frame clock.

use serde::{Deserialize, Serialize};

use super::shots::{self, PlannedClip};
use super::{Content, PlannedSource};
use crate::timeline::ProgressBar;
use crate::units::{CanvasSize, FrameIndex, FrameRange};

/// Something over the shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedOverlay {
    /// Its name.
    pub name: String,
    /// The output's frames that it is on.
    pub frames: FrameRange,
    /// What it is.
    pub what: PlannedOverlaid,
}

/// What lies over shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlannedOverlaid {
    /// A clip or picture.
    Clip(Box<PlannedClip>),
    /// A bar that fills while it is on.
    Bar(ProgressBar),
}

impl PlannedOverlay {
    /// Its clip, if it is one.
    pub(crate) fn clip(&self) -> Option<&PlannedClip> {
        match &self.what {
            PlannedOverlaid::Clip(clip) => Some(clip),
            PlannedOverlaid::Bar(_) => None,
        }
    }

    /// How much of a bar is filled at `frame`: at its last one all of it.
    pub(crate) fn filled(&self, frame: FrameIndex) -> f64 {
        let passed = frame.0.saturating_sub(self.frames.start.0) + 1;
        (passed as f64 / self.frames.len().max(1) as f64).clamp(0.0, 1.0)
    }
}

/// The most of them: each that is on at once has a decoder of its own.
pub(crate) const MAX_OVERLAYS: usize = 64;
/// The most clips that are on at once over a shot.
const MAX_AT_ONCE: usize = 8;

/// Whether the overlays of a plan that was read can be shown; else what is wrong.
pub(super) fn check(content: &Content) -> Result<(), &'static str> {
    if content.overlays.len() > MAX_OVERLAYS || (!content.overlays.is_empty() && content.shots.is_empty()) {
        return Err("it has too many overlays, or nothing below them");
    }
    for overlay in &content.overlays {
        let frames = overlay.frames;
        if frames.is_empty() || frames.end.0 > content.frames {
            return Err("an overlay is not on while it is");
        }
        match &overlay.what {
            PlannedOverlaid::Clip(clip) => shots::check_clip(clip, &content.sources)?,
            PlannedOverlaid::Bar(bar) if !shots::is_sane(bar.area) => return Err("a bar stands nowhere"),
            PlannedOverlaid::Bar(_) => {}
        }
    }
    match most_at_once(&content.overlays) > MAX_AT_ONCE {
        true => Err("too many overlays are on at once"),
        false => Ok(()),
    }
}

/// How many clips are on at once, at most.
pub(super) fn most_at_once(overlays: &[PlannedOverlay]) -> usize {
    let clips = || overlays.iter().filter(|overlay| overlay.clip().is_some());
    let at = |frame: FrameIndex| clips().filter(|overlay| overlay.frames.contains(frame)).count();
    clips().map(|overlay| at(overlay.frames.start)).max().unwrap_or(0)
}

/// Whether another clip may come at once with those that are there.
pub(super) fn has_room(overlays: &[PlannedOverlay]) -> bool {
    overlays.len() <= MAX_OVERLAYS && most_at_once(overlays) <= MAX_AT_ONCE
}

/// An overlay for people.
pub(super) fn describe(overlay: &PlannedOverlay, sources: &[PlannedSource], canvas: CanvasSize, out: &mut String) {
    match &overlay.what {
        PlannedOverlaid::Clip(clip) => shots::describe(clip, sources, canvas, out),
        PlannedOverlaid::Bar(ProgressBar { area, .. }) => {
            out.push_str(&format!("       a bar of {}x{} at ({}, {})\n", area.width, area.height, area.x, area.y));
        }
    }
}
