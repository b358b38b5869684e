//! Frames and overlays to one finished frame: pure functions over planes, without FFmpeg.
//!
//! The working picture is planar Y'CbCr 4:2:0, 8 bit, BT.709 limited range, of the canvas size. Overlays are
//! premultiplied, converted to Y'CbCr with alpha once, and blended only inside their rectangle.

mod alpha;
mod backdrop;
mod bar;
mod erase;
mod fit;
mod gamut;
mod inset;
mod keyer;
mod mask;
mod mend;
mod motion;
mod moved;
mod page;
mod picture;
mod pose;
mod recolor;
mod resampled;
mod rgb;
mod rounded;
mod spread;
mod sprite;
mod tone;
mod transition;
mod turn;
mod veil;

pub(crate) use alpha::fill;
pub use alpha::{blend_over, fill_black, premultiply};
pub(crate) use backdrop::Blurred;
pub(crate) use bar::draw_bar;
pub(crate) use erase::take_out;
pub use fit::{Fit, Focus, SourceRect, cover};
pub use gamut::GamutMap;
pub use inset::{Border, Edging, Inset};
pub use keyer::{Keyer, ScreenKey};
pub(crate) use keyer::{is_colored, screen_color};
pub use mask::Mask;
pub(crate) use mask::Posed;
pub(crate) use mend::{Mend, Outline, Shift, View as MendView, movement};
pub(crate) use motion::Scenery;
pub use motion::{Easing, Motion, View};
pub use moved::Moved;
pub(crate) use moved::halved;
pub(crate) use page::{Page, Place};
pub use picture::{I420Mut, I420Ref, I420Ref16, PlaneMut, PlaneRef, PlaneRef16};
pub(crate) use pose::pose_at;
pub use pose::{Keyframe, Pose};
pub use recolor::{Encoding, Recolor};
pub(crate) use rgb::{rgb_of, rgba_of};
pub use sprite::Sprite;
pub(crate) use sprite::code_values;
pub use tone::{Hdr, HdrColor, HdrMatrix, Primaries, ToneMap};
pub(crate) use tone::{hlg_scene_light, pq_eotf};
pub use transition::{Direction, TransitionKind};
pub(crate) use transition::{ZOOM, blend_transition};
pub use turn::{Orientation, turn, turn_plane};
pub(crate) use veil::{blurred_part, covered_part, soften};
