//! A set of slides: still pictures in layers, made by a format.

use serde::{Deserialize, Serialize};

use super::{Asset, MusicTrack, Performer, VoiceOver};
use crate::compose::{Direction, Easing, Focus, Mask, SourceRect, TransitionKind};
use crate::text::{Area, Rgba, TextBlock};
use crate::units::{CanvasSize, FrameRate, SourceSize, TimeSpan};

/// A set of slides, before its sources are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slideshow {
    /// The size of every slide, in pixels.
    pub canvas: CanvasSize,
    /// The slides, in order.
    pub slides: Vec<Slide>,
    /// How they become a video; `None` for slides alone.
    pub video: Option<SlideshowVideo>,
}

/// How slides become a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlideshowVideo {
    /// The output's constant frame rate.
    pub rate: FrameRate,
    /// How long each slide is on, its transitions included.
    pub durations: Vec<TimeSpan>,
    /// Whether the durations are only proportions, and all slides together last as long as the music.
    pub fit_to_music: bool,
    /// Between two slides, which overlap for its duration.
    pub transition: Transition,
    /// How far a picture that fills the canvas is zoomed, such as 0.1 for 110 %; `None` for stills.
    pub zoom: Option<f64>,
    /// Music under all of it.
    pub music: Option<MusicTrack>,
    /// A voice over it.
    #[serde(default)]
    pub voice_over: Option<VoiceOver>,
}

/// How one picture gives way to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// What is seen.
    pub kind: TransitionKind,
    /// Where things move.
    pub direction: Direction,
    /// How the movement gains and loses speed.
    pub easing: Easing,
    /// How long it takes; nothing for a cut.
    pub duration: TimeSpan,
}

impl Slideshow {
    /// Every file that it uses, as often as it does.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        let music = self.video.iter().filter_map(|video| video.music.as_ref());
        let voice = self.video.iter().filter_map(|video| video.voice_over.as_ref());
        self.pictures().chain(music.map(|music| &music.asset)).chain(voice.map(|voice| &voice.asset))
    }

    /// Every file that its slides show, as often as they do.
    pub fn pictures(&self) -> impl Iterator<Item = &Asset> {
        self.slides.iter().flat_map(|slide| &slide.layers).filter_map(|layer| match layer {
            SlideLayer::Picture(picture) => Some(&picture.asset),
            _ => None,
        })
    }
}

/// One slide: layers, the lowest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slide {
    /// Its name, unique in the set.
    pub name: String,
    /// Its JSON pointer in the request, for errors; empty for a slide that the planner made.
    pub pointer: String,
    /// What lies on it, the lowest first.
    pub layers: Vec<SlideLayer>,
}

/// A layer of a slide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum SlideLayer {
    /// Two colours, one running into the other from the canvas's top to its bottom.
    Gradient {
        /// At the top.
        top: Rgba,
        /// At the bottom.
        bottom: Rgba,
    },
    /// A picture, or a frame of a clip.
    Picture(SlidePicture),
    /// Darkens what lies below by as much as the white texts above it need, less and less away from them.
    Shade,
    /// A text, by itself or on a button.
    Text {
        /// The text, its style and its place.
        block: TextBlock,
        /// The colour of a rounded box around it; `None` for none.
        button: Option<Rgba>,
        /// Its JSON pointer in the request, for errors; empty for the slide's own text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pointer: String,
    },
}

/// A part of a picture, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// The left edge.
    pub x: f64,
    /// The top edge.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

impl Region {
    /// The pixels of a picture of `size` that it touches.
    pub(crate) fn pixels_of(self, size: SourceSize) -> SourceRect {
        let range = |start: f64, share: f64, whole: u32| {
            let at = |share: f64| (share * f64::from(whole)).clamp(0.0, f64::from(whole));
            let (start, end) = (at(start).floor() as u32, at(start + share).ceil() as u32);
            (start, end.max(start) - start)
        };
        let ((x, width), (y, height)) =
            (range(self.x, self.width, size.width()), range(self.y, self.height, size.height()));
        SourceRect { x, y, width, height }
    }
}

/// Something that is taken out of a slide's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PicturePatch {
    /// Where it is.
    pub part: PicturePart,
    /// What is put in its place. A cover or a blur takes all of the part's bounds.
    pub removal: Removal,
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PicturePart {
    /// All of a region.
    Region(Region),
    /// Cells, in pixels of the picture.
    Mask(Mask),
}

/// What is put in the place of something that is taken out of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// What was behind it: of a clip as far as other pictures show it, else a smooth surface between the colours around it.
    Fill,
    /// The same, so blurred that it cannot be read.
    Blur,
    /// A box of this colour with rounded corners.
    Cover(Rgba),
}

impl Removal {
    /// Its name, as a request has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Blur => "blur",
            Self::Cover(_) => "cover",
        }
    }
}

/// A picture on a slide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlidePicture {
    /// The picture or clip.
    pub asset: Asset,
    /// Which picture of a clip or animation.
    pub moment: Moment,
    /// The part of the canvas that it is fitted to.
    pub area: Area,
    /// How it is fitted to its area.
    pub fit: SlideFit,
    /// What stays in view when it is cut.
    pub focus: Focus,
    /// The radius of its corners in pixels of the canvas; 0 for square ones.
    pub radius: u32,
    /// Whether it throws a soft shadow.
    pub shadow: bool,
    /// The standard deviation in pixels of the canvas by which it is blurred; 0 for sharp.
    pub blur: u32,
    /// The part of the picture that is used, in its pixels; its numbers are even. `None` for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<SourceRect>,
    /// What is taken out of it, before anything else is done with it; later ones lie over earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<PicturePatch>,
    /// Who is put in the place of who is seen, after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Performer>,
}

/// How a picture is fitted to its area, with the meanings of CSS `object-fit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SlideFit {
    /// Scaled evenly until it covers the area; what stands over is cut. Default.
    #[default]
    Cover,
    /// Scaled evenly until it is all in the area; what is left of the area stays as it is.
    Contain,
}

/// Which picture of a clip is shown. A still has one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Moment {
    /// The one at this time.
    At(TimeSpan),
    /// The one in the middle of part `part` (from 0) of `parts` equal parts of the clip.
    Part {
        /// From 0.
        part: u32,
        /// At least 1.
        parts: u32,
    },
}
