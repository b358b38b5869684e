//! Frames in which one picture gives way to the next.

use super::{no_memory, not_working};
use crate::compose::{I420Ref, PlaneRef, Scenery, TransitionKind, View, ZOOM, blend_transition};
use crate::error::Result;
use crate::ffmpeg::VideoFrame;
use crate::plan::PlannedTransition;

/// Draws on `canvas` what is seen of `old` and `new` when `passed` frames of a transition have been shown. For a zoom, `old`
/// is drawn anew.
pub(super) fn transit(
    enter: PlannedTransition,
    passed: u64,
    old: &mut VideoFrame,
    new: &VideoFrame,
    canvas: &mut VideoFrame,
) -> Result<()> {
    // In the middle of the frame's time, so that neither the first nor the last one is without any change.
    let done = enter.easing.at((passed as f64 + 0.5) / enter.frames.max(1) as f64);
    if enter.kind == TransitionKind::Zoom {
        let planes = old.planes().ok_or_else(not_working)?;
        let size = (old.width(), old.height());
        let mut scenery = Scenery::new(packed(planes), size, size);
        let view = View { zoom: libm::pow(ZOOM, done), x: 0.5, y: 0.5 };
        let mut grown = VideoFrame::i420(size.0, size.1).map_err(no_memory)?;
        scenery.draw(view, &mut grown.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?)?;
        *old = grown;
    }
    let old = old.planes().ok_or_else(not_working)?;
    let new = new.planes().ok_or_else(not_working)?;
    let mut target = canvas.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
    blend_transition(enter.kind, enter.direction, done, old, new, &mut target);
    Ok(())
}

fn packed(planes: I420Ref<'_>) -> [Vec<u8>; 3] {
    let pack = |plane: PlaneRef<'_>| plane.rows().flatten().copied().collect();
    [pack(planes.y), pack(planes.u), pack(planes.v)]
}
