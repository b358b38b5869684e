//! Which pictures and sounds lie where: plain data, made by a format.
//!
//! Shots follow each other; a shot shows one clip or several, and is as long as its first clip unless it says otherwise. Texts and music lie over all of
//! them and are placed on the whole timeline's clock.

mod slides;
mod text;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compose::{Easing, Edging, Fit, Focus, Keyframe, Mask, Pose, ScreenKey, SourceRect};
use crate::plan::Duck;
use crate::source::AtEnd;
use crate::text::{Area, Rgba};
use crate::units::{CanvasSize, Decibels, FrameRange, FrameRate, Speed, TimeSpan};

pub use slides::{
    Moment, PicturePart, PicturePatch, Region, Removal, Slide, SlideFit, SlideLayer, SlidePicture, Slideshow,
    SlideshowVideo, Transition,
};
pub use text::{CaptionTrack, Cue, CueWord, During, TextChange, TextChangeKind, TextMotion, TextOverlay};

/// A whole video, before its sources are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The output's size in pixels.
    pub canvas: CanvasSize,
    /// The output's constant frame rate.
    pub rate: FrameRate,
    /// What is shown, in order.
    pub shots: Vec<Shot>,
    /// What lies over the shots and the texts that belong to one, below all other texts; later ones are on top.
    #[serde(default)]
    pub overlays: Vec<Overlay>,
    /// Texts over the pictures; later ones are on top.
    pub texts: Vec<TextOverlay>,
    /// Captions, over the texts.
    #[serde(default)]
    pub captions: Option<CaptionTrack>,
    /// Music under the clips' own sound.
    pub music: Option<MusicTrack>,
    /// A voice over all of it.
    #[serde(default)]
    pub voice_over: Option<VoiceOver>,
}

impl Timeline {
    /// Every file that it uses, as often as it does.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        let music = self.music.iter().map(|music| &music.asset);
        let voice = self.voice_over.iter().map(|voice| &voice.asset);
        self.layers().map(|layer| &layer.asset).chain(music).chain(voice)
    }

    /// Everything that shows a clip: of the shots, and over them.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        let over = self.overlays.iter().filter_map(|overlay| match &overlay.what {
            Overlaid::Clip(layer) => Some(&**layer),
            Overlaid::Bar(_) => None,
        });
        self.shots.iter().flat_map(|shot| &shot.layers).chain(over)
    }
}

/// A file that a timeline uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Its id in the request.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Its JSON pointer in the request, for errors.
    pub pointer: String,
}

/// A stretch of the timeline, with what is seen in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shot {
    /// Its name, unique in the timeline.
    pub name: String,
    /// The colour of what no layer covers: red, green and blue, sRGB.
    pub ground: [u8; 3],
    /// What is seen, the lowest first; none for the ground alone, which has no duration of its own.
    pub layers: Vec<Layer>,
    /// How long it is on, its transitions included.
    pub duration: ShotDuration,
    /// How it comes in, over the end of the shot before, which is on until it is done; `None` for a cut.
    #[serde(default)]
    pub enter: Option<Transition>,
    /// Its JSON pointer in the request, for errors; empty for the request as a whole.
    #[serde(default)]
    pub pointer: String,
}

/// How long a shot is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ShotDuration {
    /// As long as the clip of its first layer, rounded to the nearest frame; a still picture for four seconds.
    Media,
    /// This long, at least a frame. It ends with the frame that is the nearest to where it ends exactly, so that what is
    /// rounded does not add up from shot to shot.
    For(TimeSpan),
}

/// A clip or picture in a shot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The clip.
    pub asset: Asset,
    /// The part of its pictures that is used, in pixels of the clip; its numbers are even. `None` for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<SourceRect>,
    /// The part of the canvas that it is fitted to, whose four numbers are even; it may reach beyond the canvas.
    pub area: Area,
    /// How it is fitted to its area.
    pub fit: Fit,
    /// What stays in view when it is cut, and where it stands in an area that it does not fill.
    pub focus: Focus,
    /// What is around it.
    pub edging: Edging,
    /// How the screen of one colour behind somebody is taken out; `None` for a clip without one.
    #[serde(default)]
    pub key: Option<Key>,
    /// The part of the canvas that the same covers below it, blurred; its numbers are even. With [`Fit::Blur`] and `None`,
    /// it is the layer's area.
    pub backdrop: Option<Area>,
    /// Level of its own sound; `None` if it is not heard.
    pub volume: Option<Decibels>,
    /// The part of the clip that is used: from when, and until when; `None` for its end.
    #[serde(default)]
    pub trim: (TimeSpan, Option<TimeSpan>),
    /// How fast it runs. Its sound keeps its pitch.
    #[serde(default)]
    pub speed: Speed,
    /// What is shown where the shot is on for longer than the clip lasts.
    pub at_end: AtEnd,
    /// How it moves, by time from the shot's start, ascending; empty if it does not.
    #[serde(default)]
    pub keyframes: Vec<Keyframe>,
    /// Instead: a movement over all of the shot.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// What is taken out of its pictures, before anything else is done with them; later ones lie over earlier ones.
    #[serde(default)]
    pub patches: Vec<Patch>,
    /// Who is put in the place of who is seen, after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Performer>,
}

/// Somebody who is put in the place of who is seen in pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Performer {
    /// Who it is, as the request calls them: what the engine's performers are asked for.
    pub author: String,
    /// The [identity](crate::performer::FrameTransform::identity) of the model.
    pub identity: String,
    /// Pictures before a chunk that the model is shown.
    pub lead_in: u64,
}

/// Something that is taken out of a clip's pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// The timeline's frames that show it, counted from the first one of its layer.
    pub frames: FrameRange,
    /// Where it is, in pixels of the clip.
    pub mask: Mask,
    /// What is put in its place. A cover or a blur takes all of the mask's bounds.
    pub removal: Removal,
}

/// A movement from a shot's first frame to its last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// At the first frame.
    pub from: Pose,
    /// At the last one.
    pub to: Pose,
    /// How it gains and loses speed.
    pub easing: Easing,
}

impl Layer {
    /// A clip that covers the canvas, with its own sound.
    pub fn covering(canvas: CanvasSize, asset: Asset) -> Self {
        Self {
            asset,
            crop: None,
            area: Area { x: 0, y: 0, width: canvas.width(), height: canvas.height() },
            fit: Fit::Cover,
            focus: Focus::default(),
            edging: Edging::default(),
            key: None,
            backdrop: None,
            volume: Some(Decibels(0.0)),
            trim: (TimeSpan::ZERO, None),
            speed: Speed::NORMAL,
            at_end: AtEnd::Hold,
            keyframes: Vec::new(),
            drift: None,
            patches: Vec::new(),
            performer: None,
        }
    }
}

/// Something over the shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overlay {
    /// Its name, unique in the timeline.
    pub name: String,
    /// The timeline's time at which it comes.
    pub start: TimeSpan,
    /// How long it is on, at most to the timeline's end; `None` for until then.
    pub duration: Option<TimeSpan>,
    /// What it is.
    pub what: Overlaid,
    /// Its JSON pointer in the request, for errors.
    #[serde(default)]
    pub pointer: String,
}

/// What lies over shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Overlaid {
    /// A picture, an animation or a clip, with its transparency.
    Clip(Box<Layer>),
    /// A bar that fills while it is on.
    Bar(ProgressBar),
}

/// A bar that grows from the left to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressBar {
    /// All of it; its four numbers are even.
    pub area: Area,
    /// What is filled: red, green and blue, sRGB.
    pub color: [u8; 3],
    /// What is not filled yet, and how opaque; `None` for nothing.
    pub ground: Option<Rgba>,
}

/// A chroma key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The screen's colour, sRGB; `None` for the one at the clip's edges, or for the clip's own alpha if it has one.
    pub color: Option<[u8; 3]>,
    /// See [`ScreenKey`], as the others.
    pub tolerance: f64,
    /// Over which part of all mixtures the edge is soft.
    pub softness: f64,
    /// How much of the screen's light is taken out.
    pub spill: f64,
    /// By how many pixels the edge moves inwards.
    pub choke: u32,
}

impl Default for Key {
    fn default() -> Self {
        let ScreenKey { tolerance, softness, spill, choke, .. } = ScreenKey::of([0, 255, 0]);
        Self { color: None, tolerance, softness, spill, choke }
    }
}

/// Music under the whole timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MusicTrack {
    /// The file.
    pub asset: Asset,
    /// Its level.
    pub gain: Decibels,
    /// Where in the track it starts.
    pub start: TimeSpan,
    /// Whether it starts over where it is shorter than the timeline.
    pub looped: bool,
    /// How long the fade at the start takes.
    pub fade_in: TimeSpan,
    /// How long the fade at the end takes.
    pub fade_out: TimeSpan,
    /// How it goes down under speech and the voice-over; `None` if it does not.
    pub duck: Option<Duck>,
}

/// A voice over the timeline, which ends with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoiceOver {
    /// The file; of a clip its sound alone.
    pub asset: Asset,
    /// The timeline's time at which it starts.
    pub start: TimeSpan,
    /// Its level.
    pub gain: Decibels,
}
