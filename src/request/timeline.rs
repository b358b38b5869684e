//! A timeline of the caller's own, in place of a format.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layout::KeyOptions;
use super::parse::Faults;
use super::schema::one_of;
use super::{AnimationRequest, FocusPoint, StyleRequest, TransitionRequest};
use crate::compose::{Easing, Fit};
use crate::text::Anchor;

/// The movements that have names.
pub(crate) const MOTIONS: [&str; 3] = ["zoom-in", "zoom-out", "punch-in"];

/// Shots that follow each other, and what lies over them. All places are in pixels of a canvas of 1080x1920, from its left
/// upper corner, `y` down; all times in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct TimelineRequest {
    /// The shots, in order, 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    #[deserr(default)]
    pub shots: Vec<ShotRequest>,
    /// What lies over the shots and their texts, below captions and a hook with a `hookDuration`: stickers, a logo, a progress
    /// bar; at most 64, of which 8 clips at once. Later ones are on top.
    #[schemars(length(max = 64))]
    #[deserr(default)]
    pub overlays: Vec<OverlayRequest>,
}

/// A stretch of the timeline, with what is seen in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct ShotRequest {
    /// Its name, unique in the timeline. Default: `shot-1` and so on.
    #[deserr(default)]
    pub name: Option<String>,
    /// How long it is on, its transitions included: above 0 and at most 600. Default: as long as the used part of its first
    /// layer, at its speed; four seconds for a still picture. A shot without layers needs one.
    #[deserr(default)]
    pub duration: Option<f64>,
    /// The colour of what no layer covers, `#rrggbb`. Default: `#000000`.
    #[deserr(default)]
    pub background: Option<String>,
    /// What is seen, the lowest first; at most 8.
    #[schemars(length(max = 8))]
    #[deserr(default)]
    pub layers: Vec<LayerRequest>,
    /// Texts over it, at most 20.
    #[schemars(length(max = 20))]
    #[deserr(default)]
    pub texts: Vec<TextRequest>,
    /// How it comes in over the end of the shot before. Both are on while it lasts; at most half of either. Default: a cut.
    #[deserr(default)]
    pub transition: Option<TransitionRequest>,
}

/// A clip or picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct LayerRequest {
    /// The id of a row of `media`.
    #[deserr(default)]
    pub media: String,
    /// The part of the canvas that it is fitted to. Default: all of it; see also `position`.
    #[deserr(default)]
    pub area: Option<AreaRequest>,
    /// Instead of `area`: a place in the safe area, `top-left`, `top`, `top-right`, `left`, `center`, `right`, `bottom-left`,
    /// `bottom` or `bottom-right`.
    #[schemars(extend("enum" = one_of(&Anchor::NAMES)))]
    #[deserr(default)]
    pub position: Option<String>,
    /// With `position`: its longer side in parts of the canvas's width, 0.02 to 1, but not more than the safe area has.
    /// Default: 0.25.
    #[schemars(range(min = 0.02, max = 1.0))]
    #[deserr(default)]
    pub size: Option<f64>,
    /// How it is fitted, as CSS `object-fit` means it: `cover`, `contain`, `fill` or `none`; or `blur` (contained, over itself
    /// blurred). Default: `cover`, and `contain` with `position`.
    #[schemars(extend("enum" = one_of(&Fit::NAMES)))]
    #[deserr(default)]
    pub fit: Option<String>,
    /// What stays in view when it is cut, and where it stands in an area that it does not fill. Default: the
    /// centre; with `position` the side that the place is at.
    #[deserr(default)]
    pub focus: Option<FocusPoint>,
    /// The part of the clip that is used. Default: all of it.
    #[deserr(default)]
    pub trim: Option<TrimRequest>,
    /// How fast it runs, 0.25 to 4, in thousandths; its sound keeps its pitch. Default: 1.
    #[schemars(range(min = 0.25, max = 4.0))]
    #[deserr(default)]
    pub speed: Option<f64>,
    /// Whether it starts over where the shot is on for longer than it lasts. Default: no, its last picture is held.
    #[serde(rename = "loop")]
    #[deserr(rename = "loop", default)]
    pub looped: Option<bool>,
    /// The level of its sound in dB, -60 to 12. Default: 0.
    #[schemars(range(min = -60.0, max = 12.0))]
    #[deserr(default)]
    pub volume: Option<f64>,
    /// Whether its sound is left out. Default: no.
    #[deserr(default)]
    pub muted: Option<bool>,
    /// The radius of its corners in pixels, 0 to 960; as large as half of its shorter side makes a circle of a square.
    /// Default: 0.
    #[schemars(range(min = 0, max = 960))]
    #[deserr(default)]
    pub radius: Option<u32>,
    /// A border around it. Default: none.
    #[deserr(default)]
    pub border: Option<BorderRequest>,
    /// Whether it throws a soft shadow. Default: no.
    #[deserr(default)]
    pub shadow: Option<bool>,
    /// Takes out a screen of one colour. Default: none is taken out.
    #[deserr(default)]
    pub key: Option<KeyOptions>,
    /// How opaque it is, 0 to 1. Default: 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[deserr(default)]
    pub opacity: Option<f64>,
    /// A movement by its name; not together with `keyframes`. Default: none.
    #[deserr(default)]
    pub motion: Option<MotionRequest>,
    /// How it moves, by time; at most 200. Default: it rests.
    #[schemars(length(max = 200))]
    #[deserr(default)]
    pub keyframes: Vec<KeyframeRequest>,
}

/// A part of the canvas, in pixels; each number is rounded to an even one. It may reach beyond the canvas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AreaRequest {
    /// The left edge, -8000 to 8000.
    #[schemars(range(min = -8000.0, max = 8000.0))]
    pub x: f64,
    /// The top edge, -8000 to 8000.
    #[schemars(range(min = -8000.0, max = 8000.0))]
    pub y: f64,
    /// The width, 2 to 8000.
    #[schemars(range(min = 2.0, max = 8000.0))]
    pub width: f64,
    /// The height, 2 to 8000.
    #[schemars(range(min = 2.0, max = 8000.0))]
    pub height: f64,
}

/// The part of a clip that is used, in seconds of the clip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct TrimRequest {
    /// Where it begins, in seconds of the clip from 0 on. Default: 0.
    #[schemars(range(min = 0.0))]
    #[deserr(default)]
    pub start: Option<f64>,
    /// Where it ends, in seconds of the clip, after `start`. Default: the clip's end.
    #[schemars(range(min = 0.0))]
    #[deserr(default)]
    pub end: Option<f64>,
}

/// A border.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct BorderRequest {
    /// Its colour, `#rrggbb`. Default: `#ffffff`.
    #[deserr(default)]
    pub color: Option<String>,
    /// Its width in pixels, 1 to 100. Default: 6.
    #[schemars(range(min = 1, max = 100))]
    #[deserr(default)]
    pub width: Option<u32>,
}

/// A movement by its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct MotionRequest {
    /// `zoom-in` or `zoom-out` (slowly, over all of the shot: Ken Burns), or `punch-in` (at once, and it stays).
    #[schemars(extend("enum" = MOTIONS))]
    #[deserr(default)]
    pub name: String,
    /// How much nearer it comes, 0.01 to 4. Default: 0.1, that is to 110 %; 0.35 for `punch-in`.
    #[schemars(range(min = 0.01, max = 4.0))]
    #[deserr(default)]
    pub amount: Option<f64>,
    /// The point that it comes nearer to. Default: the centre.
    #[deserr(default)]
    pub focus: Option<FocusPoint>,
    /// `linear`, `ease-in`, `ease-out` or `ease-in-out`. Default: `linear`; `ease-out` for `punch-in`.
    #[schemars(extend("enum" = one_of(&Easing::NAMES)))]
    #[deserr(default)]
    pub easing: Option<String>,
    /// `punch-in`: when it comes, from the shot's start. Default: 0.5.
    #[deserr(default)]
    pub at: Option<f64>,
}

/// How something stands at a time. What is left out is as in the keyframe before; in the first one, as at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct KeyframeRequest {
    /// When, from the start of its shot, or of the overlay; after the keyframe before.
    #[schemars(range(min = 0.0, max = 600.0))]
    #[deserr(default)]
    pub at: f64,
    /// How far it is to the right of its place, in pixels, -8000 to 8000. At rest: 0.
    #[schemars(range(min = -8000.0, max = 8000.0))]
    #[deserr(default)]
    pub x: Option<f64>,
    /// How far it is below its place. At rest: 0.
    #[schemars(range(min = -8000.0, max = 8000.0))]
    #[deserr(default)]
    pub y: Option<f64>,
    /// Its size around its centre, 0 to 16. At rest: 1.
    #[schemars(range(min = 0.0, max = 16.0))]
    #[deserr(default)]
    pub scale: Option<f64>,
    /// By how many degrees it is turned to the right around its centre, -8000 to 8000. At rest: 0.
    #[schemars(range(min = -8000.0, max = 8000.0))]
    #[deserr(default)]
    pub rotation: Option<f64>,
    /// How opaque it is, 0 to 1. At rest: the layer's `opacity`.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[deserr(default)]
    pub opacity: Option<f64>,
    /// How near a camera is that looks at it through its area, 1 to 8. At rest: 1.
    #[schemars(range(min = 1.0, max = 8.0))]
    #[deserr(default)]
    pub zoom: Option<f64>,
    /// What the camera looks at. At rest: the centre.
    #[deserr(default)]
    pub focus: Option<FocusPoint>,
    /// How the movement to here gains and loses speed: `linear`, `ease-in`, `ease-out` or `ease-in-out`. Default:
    /// `ease-in-out`.
    #[schemars(extend("enum" = one_of(&Easing::NAMES)))]
    #[deserr(default)]
    pub easing: Option<String>,
}

/// A text over a shot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct TextRequest {
    /// The text, line breaks kept.
    #[deserr(default)]
    pub text: String,
    /// As `hookStyle`.
    #[deserr(default)]
    pub style: Option<StyleRequest>,
    /// As `hookPosition`.
    #[schemars(extend("enum" = one_of(&Anchor::NAMES)))]
    #[deserr(default)]
    pub position: Option<String>,
    /// As `hookAnimation`.
    #[deserr(default)]
    pub animation: Option<AnimationRequest>,
}

/// Something over the shots: a layer or a bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct OverlayRequest {
    /// The video's time at which it comes. Default: 0.
    #[deserr(default)]
    pub start: Option<f64>,
    /// How long it is on. Default: to the video's end.
    #[deserr(default)]
    pub duration: Option<f64>,
    /// A picture, an animation or a clip, with its transparency.
    #[deserr(default)]
    pub layer: Option<LayerRequest>,
    /// A bar that fills from the left to the right while it is on.
    #[deserr(default)]
    pub bar: Option<BarRequest>,
}

/// A progress bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct BarRequest {
    /// All of it. Default: the canvas's upper edge, 12 pixels high.
    #[deserr(default)]
    pub area: Option<AreaRequest>,
    /// The colour of what is filled, `#rrggbb`. Default: `#ffffff`.
    #[deserr(default)]
    pub color: Option<String>,
    /// The colour of what is not, `#rrggbb` or `#rrggbbaa`. Default: `#00000066`.
    #[deserr(default)]
    pub background: Option<String>,
}
