//! Where a picture is and how it looks at a moment, and how that changes.

use serde::{Deserialize, Serialize};

use super::{Easing, Focus};
use crate::units::TimeSpan;

/// How a picture stands, seen from its place at rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pose {
    /// How far it is to the right of its place, in pixels of the canvas.
    pub x: f64,
    /// How far it is below its place.
    pub y: f64,
    /// Its size in parts of the one at rest, around its centre.
    pub scale: f64,
    /// By how many degrees it is turned to the right, around its centre.
    pub rotation: f64,
    /// How opaque it is, 0 to 1.
    pub opacity: f64,
    /// How near a camera is that looks at it through its frame: at 1 all of it is seen, at 2 half of its width and height.
    pub zoom: f64,
    /// What the camera looks at.
    pub focus: Focus,
}

impl Pose {
    /// At rest.
    pub const REST: Self =
        Self { x: 0.0, y: 0.0, scale: 1.0, rotation: 0.0, opacity: 1.0, zoom: 1.0, focus: Focus { x: 0.5, y: 0.5 } };
    /// The furthest that it may be from its place.
    pub const FARTHEST: f64 = 16_384.0;
    /// The largest `scale`.
    pub const LARGEST: f64 = 16.0;
    /// The largest `zoom`.
    pub const NEAREST: f64 = 8.0;

    /// Whether all is in range.
    pub fn is_sane(&self) -> bool {
        let near = |value: f64| (-Self::FARTHEST..=Self::FARTHEST).contains(&value);
        let is_part = |value: f64| (0.0..=1.0).contains(&value);
        near(self.x)
            && near(self.y)
            && near(self.rotation)
            && (0.0..=Self::LARGEST).contains(&self.scale)
            && (1.0..=Self::NEAREST).contains(&self.zoom)
            && is_part(self.opacity)
            && is_part(self.focus.x)
            && is_part(self.focus.y)
    }
}

/// A pose at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keyframe {
    /// From the start of the shot.
    pub at: TimeSpan,
    /// How the picture stands then.
    pub pose: Pose,
    /// How the movement from the keyframe before gains and loses speed.
    pub easing: Easing,
}

/// The pose at `seconds`: before the first keyframe the first one's, after the last the last one's.
pub(crate) fn pose_at(keyframes: &[Keyframe], seconds: f64) -> Pose {
    let place = keyframes.partition_point(|keyframe| keyframe.at.as_secs_f64() <= seconds);
    let (before, after) = (place.checked_sub(1).and_then(|at| keyframes.get(at)), keyframes.get(place));
    let (from, to) = match (before, after) {
        (Some(from), Some(to)) => (from, to),
        (Some(only), None) | (None, Some(only)) => return only.pose,
        (None, None) => return Pose::REST,
    };
    let start = from.at.as_secs_f64();
    let part = to.easing.at((seconds - start) / (to.at.as_secs_f64() - start).max(1e-9));
    let mix = |from: f64, to: f64| from + (to - from) * part;
    // Sizes grow by factors, which is what the eye takes for even; from nothing there is no factor.
    let grow =
        |from: f64, to: f64| if from > 0.0 && to > 0.0 { from * libm::pow(to / from, part) } else { mix(from, to) };
    let (a, b) = (from.pose, to.pose);
    Pose {
        x: mix(a.x, b.x),
        y: mix(a.y, b.y),
        scale: grow(a.scale, b.scale),
        rotation: mix(a.rotation, b.rotation),
        opacity: mix(a.opacity, b.opacity),
        zoom: grow(a.zoom, b.zoom),
        focus: Focus { x: mix(a.focus.x, b.focus.x), y: mix(a.focus.y, b.focus.y) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poses_change_between_keyframes_and_stay_outside() {
        let key = |at: u64, pose: Pose, easing| Keyframe { at: TimeSpan::from_secs(at), pose, easing };
        let keyframes = [
            key(1, Pose { x: 100.0, ..Pose::REST }, Easing::EaseIn),
            key(3, Pose { x: 300.0, scale: 4.0, opacity: 0.0, ..Pose::REST }, Easing::Linear),
            key(4, Pose { scale: 0.0, ..Pose::REST }, Easing::EaseInOut),
        ];
        let at = |seconds| pose_at(&keyframes, seconds);
        assert_eq!(at(0.0), keyframes[0].pose);
        assert_eq!(at(9.0), keyframes[2].pose);
        let middle = at(2.0);
        assert!((middle.x - 200.0).abs() < 1e-9 && (middle.scale - 2.0).abs() < 1e-9, "{middle:?}");
        assert!((middle.opacity - 0.5).abs() < 1e-9);
        assert!((at(3.5).scale - 2.0).abs() < 1e-6, "to nothing evenly: {:?}", at(3.5));
        assert_eq!(pose_at(&[], 1.0), Pose::REST);
    }
}
