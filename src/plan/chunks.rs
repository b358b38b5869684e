//! Cutting the output's clock into chunks.

use serde::{Deserialize, Serialize};

use super::key::chunk_key;
use super::{ChunkKey, Content};
use crate::units::FrameRange;

/// A closed GOP of the output: a work unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChunk {
    /// Its frames.
    pub frames: FrameRange,
    /// The shot that it shows, or the scene that is on first, by its place in the plan.
    pub shot: usize,
    /// The hash of everything that it shows.
    pub key: ChunkKey,
}

/// The chunks of a plan: cut at every shot boundary, and inside a shot into equal parts of at most `gop` frames, so
/// that no short rest costs a picture of its own.
pub(super) fn cut(content: &Content) -> Vec<PlannedChunk> {
    if !content.scenes.is_empty() {
        return super::scenes::cut(content);
    }
    let gop = u64::from(content.video.gop.max(1));
    let mut chunks = Vec::new();
    for (index, shot) in content.shots.iter().enumerate() {
        let frames = shot.frames.len();
        let parts = frames.div_ceil(gop);
        for part in 0..parts {
            let at = |part: u64| shot.frames.start.0 + frames * part / parts;
            let frames = FrameRange::new(at(part), at(part + 1));
            chunks.push(PlannedChunk { frames, shot: index, key: chunk_key(content, shot, frames) });
        }
    }
    chunks
}
