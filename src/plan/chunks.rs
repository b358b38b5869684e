//! Cutting the output's clock into chunks.

use serde::{Deserialize, Serialize};

use super::key::chunk_key;
use super::{ChunkKey, Content, PlannedTransition};
use crate::units::FrameRange;

/// A closed GOP of the output: a work unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChunk {
    /// Its frames.
    pub frames: FrameRange,
    /// The shot or scene that it shows, by its place in the plan; of two that are on, the first.
    pub shot: usize,
    /// The hash of everything that it shows.
    pub key: ChunkKey,
}

/// Something that is on for some frames and comes in over the first of them, while what was before is still on.
pub(super) type OnAir = (FrameRange, Option<PlannedTransition>);

/// The shots or scenes of a plan.
pub(super) fn on_air(content: &Content) -> Vec<OnAir> {
    match &content.scenes[..] {
        [] => content.shots.iter().map(|shot| (shot.frames, shot.enter)).collect(),
        scenes => scenes.iter().map(|scene| (scene.frames, scene.enter)).collect(),
    }
}

/// Frames of a transition; none for a cut.
pub(super) fn overlap(enter: Option<PlannedTransition>) -> u64 {
    enter.map_or(0, |enter| enter.frames)
}

/// Whether they follow each other, and no more than two are on at once; else what is wrong. Gives where the last one ends.
pub(super) fn follow_each_other(on_air: &[OnAir]) -> Option<u64> {
    let mut end = 0;
    for (number, (frames, enter)) in on_air.iter().enumerate() {
        let before = overlap(*enter);
        let after = on_air.get(number + 1).map_or(0, |(_, enter)| overlap(*enter));
        let follows = frames.start.0.checked_add(before) == Some(end) && (number > 0 || before == 0);
        let long_enough = before.checked_add(after).is_some_and(|both| frames.len() >= both.max(1));
        if !follows || !long_enough {
            return None;
        }
        end = frames.end.0;
    }
    Some(end)
}

/// Stretches in which the same are on: which is on first, and when.
fn stretches(on_air: &[OnAir]) -> impl Iterator<Item = (usize, FrameRange)> {
    on_air.iter().enumerate().flat_map(|(number, (frames, enter))| {
        let own = frames.start.0 + overlap(*enter);
        let next = on_air.get(number + 1).map_or(frames.end.0, |(next, _)| next.start.0.min(frames.end.0));
        [(number, FrameRange::new(own, next.max(own))), (number, FrameRange::new(next, frames.end.0))]
    })
}

/// How many chunks a plan has.
pub(super) fn count(content: &Content) -> u64 {
    let gop = u64::from(content.video.gop.max(1));
    stretches(&on_air(content)).map(|(_, frames)| frames.len().div_ceil(gop)).sum()
}

/// The chunks of a plan: cut at every shot boundary, where a transition begins and ends, and between into equal parts of at
/// most `gop` frames, so that no short rest costs a picture of its own.
pub(super) fn cut(content: &Content) -> Vec<PlannedChunk> {
    let gop = u64::from(content.video.gop.max(1));
    let key = |number: usize, frames: FrameRange| match content.scenes.is_empty() {
        true => chunk_key(content, number, frames),
        false => super::scenes::key(content, number, frames),
    };
    let mut chunks = Vec::new();
    for (number, stretch) in stretches(&on_air(content)) {
        let parts = stretch.len().div_ceil(gop);
        for part in 0..parts {
            let at = |part: u64| stretch.start.0 + stretch.len() * part / parts;
            let frames = FrameRange::new(at(part), at(part + 1));
            chunks.push(PlannedChunk { frames, shot: number, key: key(number, frames) });
        }
    }
    chunks
}
