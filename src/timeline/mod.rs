//! Which pictures and sounds lie where: plain data, made by a format.
//!
//! Shots follow each other; a shot is as long as its clip unless it says otherwise. Texts and music lie over all of
//! them and are placed on the whole timeline's clock.

mod slides;
mod text;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compose::{Fit, Focus};
use crate::plan::Duck;
use crate::source::AtEnd;
use crate::units::{CanvasSize, Decibels, FrameRate, TimeSpan};

pub use slides::{
    Moment, Region, Removal, Slide, SlideFit, SlideLayer, SlidePicture, Slideshow, SlideshowVideo, Transition,
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
        self.shots.iter().map(|shot| &shot.asset).chain(music).chain(voice)
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

/// One clip for a stretch of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shot {
    /// Its name, unique in the timeline.
    pub name: String,
    /// The clip.
    pub asset: Asset,
    /// How it is fitted to the canvas.
    pub fit: Fit,
    /// What stays in view when it is cut.
    pub focus: Focus,
    /// Level of its own sound.
    pub volume: Decibels,
    /// How long it is on.
    pub duration: ShotDuration,
    /// What is shown where it is on for longer than its clip lasts.
    pub at_end: AtEnd,
}

/// How long a shot is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ShotDuration {
    /// As long as its clip, rounded to the nearest frame; a still picture for four seconds.
    Media,
    /// This long, rounded to the nearest frame, at least one.
    For(TimeSpan),
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
