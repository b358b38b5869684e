//! Timeline and probes to frames, chunks and keys: complete, with nothing left to decide.

mod captions;
mod chunks;
mod key;
mod overlays;
mod resolve;
mod scenes;
mod shots;
mod slides;
mod texts;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub use chunks::PlannedChunk;
pub use key::ChunkKey;
pub(crate) use key::REACH;
pub(crate) use overlays::MAX_OVERLAYS;
pub use overlays::{PlannedOverlaid, PlannedOverlay};
pub(crate) use resolve::{Context, resolve, resolve_slides};
pub use scenes::{PlannedScene, PlannedTransition};
pub(crate) use shots::MAX_CLIPS;
pub use shots::{Backdrop, Movement, PlannedClip, PlannedPatch, PlannedShot};
pub use slides::{PlannedLayer, PlannedPicture, PlannedPicturePatch, PlannedSlide};
pub(crate) use texts::TextLook;
pub use texts::{PlannedChange, PlannedText, PlannedWord};

use crate::compose::SourceRect;
use crate::encode::VideoSettings;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::{Pick, RemixedText};
use crate::request::{Format, InspectionPolicy, is_id};
use crate::source::SourceInfo;
use crate::timeline::{Asset, Performer};
use crate::units::{CanvasSize, FrameIndex, FrameRate, Gain, Speed, TimeSpan};

/// Sample frames a second of the engine's sound.
pub const SAMPLE_RATE: u32 = 48_000;

/// Everything that the later stages need to know, resolved.
///
/// Only planning makes one. It can be sent to other processes and machines as JSON; reading it back checks that it is
/// whole and that its keys are those of its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Content", into = "Content")]
pub struct Plan(Content);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    container_id: String,
    job: JobInfo,
    /// Engine and FFmpeg versions: all that can change a byte and is not in the plan.
    engine: String,
    fonts: String,
    canvas: CanvasSize,
    rate: FrameRate,
    video: VideoSettings,
    sources: Vec<PlannedSource>,
    shots: Vec<PlannedShot>,
    texts: Vec<PlannedText>,
    /// How many of the texts, the last ones, are captions.
    #[serde(default)]
    caption_pages: usize,
    #[serde(default)]
    overlays: Vec<PlannedOverlay>,
    cues: Vec<AudioCue>,
    /// In LUFS; `None` for the levels as they are.
    #[serde(default)]
    loudness: Option<f64>,
    frames: u64,
    chunks: Vec<PlannedChunk>,
    slides: Vec<PlannedSlide>,
    scenes: Vec<PlannedScene>,
}

/// What the result says about the request that it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobInfo {
    /// The request's id.
    pub request_id: String,
    /// The BLAKE3 hash of the request's content.
    #[serde(default)]
    pub request_hash: String,
    /// The BLAKE3 hash of the caption file's content; `None` without one.
    #[serde(default)]
    pub captions_hash: Option<String>,
    /// The format, resolved.
    pub format: Format,
    /// Variant, from 0.
    pub variant: u8,
    /// As in the request.
    pub influencer_id: Option<String>,
    /// As in the request.
    pub social_account_id: Option<String>,
    /// As in the request; `None` if empty.
    pub hook: Option<String>,
    /// What was used for each role.
    pub picks: Vec<Pick>,
    /// What becomes of the texts of a source.
    #[serde(default)]
    pub overlays: Vec<RemixedText>,
    /// Characters that no font has, and that the texts were set without.
    #[serde(default)]
    pub missing_characters: Vec<String>,
    /// Captions that are not seen: too short for a frame of their own.
    #[serde(default)]
    pub unseen_captions: Vec<String>,
    /// The frame for the thumbnail, if the request pins it.
    pub thumbnail_frame: Option<FrameIndex>,
    /// Put before every URL.
    pub base_url: Option<String>,
    /// What is done about faults that the finished video has.
    #[serde(default)]
    pub inspection: InspectionPolicy,
}

/// A source and what the probe found in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSource {
    /// The file.
    pub asset: Asset,
    /// What is in it.
    pub info: SourceInfo,
}

/// A stretch of a source's sound on the output's sample clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioCue {
    /// The source, by its place in the plan.
    pub source: usize,
    /// Whose sound it is.
    pub role: Role,
    /// The output's sample frame at which it starts.
    pub start: u64,
    /// Sample frames that it lasts.
    pub length: u64,
    /// The source's time at its start: from the first picture, or from the first sample without pictures.
    pub source_start: TimeSpan,
    /// How fast it runs, at its own pitch.
    #[serde(default)]
    pub speed: Speed,
    /// Its level.
    pub gain: Gain,
    /// Sample frames of fade at its start.
    pub fade_in: u64,
    /// Sample frames of fade at its end.
    pub fade_out: u64,
    /// How it comes up against what is heard before it, where shots give way to each other.
    #[serde(default)]
    pub enter: Crossing,
    /// How it goes down against what is heard after it.
    #[serde(default)]
    pub leave: Crossing,
    /// Whether it starts over when the source ends.
    pub looped: bool,
    /// How it goes down under speech and the voice-over; `None` for a cue that does not.
    #[serde(default)]
    pub duck: Option<Duck>,
}

/// Whose sound a cue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A clip's own: music goes down under what is said in it.
    Clip,
    /// A voice-over: music goes down under all of it.
    VoiceOver,
    /// Music.
    Music,
}

/// A crossfade that a cue is a part of, whose level goes as a sine: two sounds that have nothing in common are as loud
/// together as each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crossing {
    /// Sample frames that it takes; 0 for none.
    pub length: u64,
    /// How many of them lie outside of the cue: before its start, or after its end.
    pub outside: u64,
}

/// How music goes down under voices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Duck {
    /// Decibels that it goes down by, above 0 and at most 60.
    pub amount: f64,
    /// The level in dBFS (mean square of 10 ms) over which a voice is heard, -80 to 0.
    pub threshold: f64,
    /// Seconds that it takes to go down, before a voice begins; 0.01 to 5.
    pub attack: f64,
    /// Seconds that it stays down after the voice; 0.01 to 5.
    pub hold: f64,
    /// Seconds that it takes to come back; 0.01 to 10.
    pub release: f64,
}

impl Duck {
    /// By `amount` decibels, with times that voices need: down in a fifth of a second, back in half of one, and not
    /// between words.
    pub const fn by(amount: f64) -> Self {
        Self { amount, threshold: -45.0, attack: 0.2, hold: 0.4, release: 0.5 }
    }

    fn is_sane(&self) -> bool {
        let times = [self.attack, self.hold, self.release];
        self.amount > 0.0
            && self.amount <= 60.0
            && (-80.0..=0.0).contains(&self.threshold)
            && times.iter().all(|time| (0.01..=10.0).contains(time))
    }
}

impl Plan {
    /// The id of the container that it makes: the request's, with `~2` and so on for further variants.
    pub fn container_id(&self) -> &str {
        &self.0.container_id
    }

    /// What the result says about the request.
    pub fn job(&self) -> &JobInfo {
        &self.0.job
    }

    /// The output's size.
    pub fn canvas(&self) -> CanvasSize {
        self.0.canvas
    }

    /// The output's frame rate.
    pub fn rate(&self) -> FrameRate {
        self.0.rate
    }

    /// The H.264 encoder's settings.
    pub fn video_settings(&self) -> &VideoSettings {
        &self.0.video
    }

    /// The sources.
    pub fn sources(&self) -> &[PlannedSource] {
        &self.0.sources
    }

    /// The shots, in order, without gaps.
    pub fn shots(&self) -> &[PlannedShot] {
        &self.0.shots
    }

    /// The texts; later ones are on top.
    pub fn texts(&self) -> &[PlannedText] {
        &self.0.texts
    }

    /// What lies over the shots; later ones are on top.
    pub fn overlays(&self) -> &[PlannedOverlay] {
        &self.0.overlays
    }

    /// The overlays that are on in a chunk, with their places.
    pub(crate) fn overlays_of(&self, chunk: &PlannedChunk) -> impl Iterator<Item = (usize, &PlannedOverlay)> {
        let frames = chunk.frames;
        self.0.overlays.iter().enumerate().filter(move |(_, overlay)| !overlay.frames.intersect(frames).is_empty())
    }

    /// The pages of captions among the texts, in order.
    pub fn captions(&self) -> impl Iterator<Item = &PlannedText> {
        self.0.texts.iter().skip(self.0.texts.len().saturating_sub(self.0.caption_pages))
    }

    /// The sounds.
    pub fn cues(&self) -> &[AudioCue] {
        &self.0.cues
    }

    /// The integrated loudness that the mix is made to have, in LUFS; `None` for the levels as they are.
    pub fn loudness(&self) -> Option<f64> {
        self.0.loudness
    }

    /// Frames of the output.
    pub fn frames(&self) -> u64 {
        self.0.frames
    }

    /// Sample frames of the output's sound, at [`SAMPLE_RATE`]: as long as the pictures.
    pub fn samples(&self) -> u64 {
        let end = self.0.rate.time_of(FrameIndex(self.0.frames));
        u64::try_from(end.to_sample_frames(SAMPLE_RATE)).unwrap_or(0)
    }

    /// The chunks, in order, without gaps.
    pub fn chunks(&self) -> &[PlannedChunk] {
        &self.0.chunks
    }

    /// The shots that are on in a chunk: one, or while one gives way to the next, two.
    pub(crate) fn shots_of(&self, chunk: &PlannedChunk) -> impl Iterator<Item = (usize, &PlannedShot)> {
        let shots = self.0.shots.iter().enumerate().skip(chunk.shot).take(2);
        shots.filter(move |(number, shot)| *number == chunk.shot || shot.frames.start <= chunk.frames.start)
    }

    /// The clips that are on in a chunk, in the order of their shots, then those of the overlays.
    pub(crate) fn clips_of(&self, chunk: &PlannedChunk) -> impl Iterator<Item = &PlannedClip> {
        let over = self.overlays_of(chunk).filter_map(|(_, overlay)| overlay.clip());
        self.shots_of(chunk).flat_map(|(_, shot)| &shot.clips).chain(over)
    }

    /// The slides, in order; none for a video.
    pub fn slides(&self) -> &[PlannedSlide] {
        &self.0.slides
    }

    /// When each slide is on, for a video of slides; none for slides alone and for other videos.
    pub fn scenes(&self) -> &[PlannedScene] {
        &self.0.scenes
    }

    /// What progress counts: the video's frames and the slides.
    pub fn steps(&self) -> u64 {
        self.0.frames + self.0.slides.len() as u64
    }

    /// The work units: chunks, then slides.
    pub fn units(&self) -> usize {
        self.0.chunks.len() + self.0.slides.len()
    }

    /// The keys of all work units: what a store must have before the plan can be assembled.
    pub fn keys(&self) -> impl Iterator<Item = &ChunkKey> {
        self.0.chunks.iter().map(|chunk| &chunk.key).chain(self.0.slides.iter().map(|slide| &slide.key))
    }

    /// The hash of everything that is heard.
    pub(crate) fn sound_key(&self) -> ChunkKey {
        key::sound_key(&self.0)
    }

    /// Whether it makes a video.
    pub fn has_video(&self) -> bool {
        self.0.frames > 0
    }

    /// The hash of the fonts that it was planned with.
    pub fn fonts(&self) -> &str {
        &self.0.fonts
    }

    /// The engine and the libraries that it was planned with.
    pub fn engine(&self) -> &str {
        &self.0.engine
    }

    /// The plan for people: every shot with its frames and why it is that long, texts, sounds and chunks.
    pub fn describe(&self) -> String {
        self.describe_with(|_| None)
    }

    /// As [`describe`](Self::describe); `known` tells which work units a store has, `None` without a store.
    pub fn describe_with(&self, known: impl Fn(&ChunkKey) -> Option<bool>) -> String {
        let there = |key: &ChunkKey| match known(key) {
            Some(true) => "  in the store",
            Some(false) => "  to be rendered",
            None => "",
        };
        let mut out = String::new();
        let time = |frame: FrameIndex| self.0.rate.time_of(frame).as_secs_f64();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}  {}  {}  {} fps  {} frames ({:.3} s)",
            self.0.container_id,
            self.0.job.format.name(),
            self.0.canvas,
            self.0.rate,
            self.0.frames,
            time(FrameIndex(self.0.frames))
        );
        for shot in &self.0.shots {
            let _ = writeln!(
                out,
                "  shot {:<12} {:>8.3} .. {:>8.3} s  frames {}..{}",
                shot.name,
                time(shot.frames.start),
                time(shot.frames.end),
                shot.frames.start,
                shot.frames.end,
            );
            if let Some(enter) = shot.enter {
                let both = time(FrameIndex(enter.frames));
                let _ = writeln!(
                    out,
                    "       {:?} over its first {both:.3} s, while the one before is still on",
                    enter.kind
                );
            }
            for clip in &shot.clips {
                shots::describe(clip, &self.0.sources, self.0.canvas, &mut out);
            }
        }
        for overlay in &self.0.overlays {
            let (name, frames) = (&overlay.name, overlay.frames);
            let _ = writeln!(out, "  over {name:<12} {:>8.3} .. {:>8.3} s", time(frames.start), time(frames.end));
            overlays::describe(overlay, &self.0.sources, self.0.canvas, &mut out);
        }
        for text in &self.0.texts {
            let _ = writeln!(
                out,
                "  text {:<12} {:>8.3} .. {:>8.3} s  {:?}",
                text.name,
                time(text.frames.start),
                time(text.frames.end),
                text.block.text
            );
        }
        for cue in &self.0.cues {
            let Some(source) = self.0.sources.get(cue.source) else { continue };
            let seconds = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE);
            let _ = writeln!(
                out,
                "  sound {:<11} {:>8.3} .. {:>8.3} s  gain {:.3}{}",
                source.asset.id,
                seconds(cue.start),
                seconds(cue.start + cue.length),
                cue.gain.0,
                [
                    match (cue.looped, cue.speed) {
                        (true, _) => ", looped".to_owned(),
                        (_, Speed::NORMAL) => String::new(),
                        (_, speed) => format!(", at {} times its speed", speed.as_f64()),
                    },
                    cue.duck.map_or(String::new(), |duck| format!(", {} dB less under voices", duck.amount)),
                ]
                .concat()
            );
        }
        for slide in &self.0.slides {
            let _ = writeln!(out, "  {}  {}{}", slide.name, &slide.key.as_str()[..12], there(&slide.key));
            for layer in &slide.layers {
                let _ = writeln!(out, "       {}", self.describe_layer(layer));
            }
        }
        for scene in &self.0.scenes {
            let name = self.0.slides.get(scene.slide).map_or("", |slide| slide.name.as_str());
            let (start, end) = (time(scene.frames.start), time(scene.frames.end));
            let _ = write!(out, "  scene {name:<11} {start:>8.3} .. {end:>8.3} s");
            if let Some(motion) = scene.motion {
                let _ = write!(out, "  zoom {:.3} to {:.3}", motion.from.zoom, motion.to.zoom);
            }
            if let Some(enter) = scene.enter {
                let both = time(FrameIndex(enter.frames));
                let _ = write!(out, "  {:?} over its first {both:.3} s, while the one before is still on", enter.kind);
            }
            let _ = writeln!(out);
        }
        for chunk in &self.0.chunks {
            let key = &chunk.key.as_str()[..12];
            let (start, end) = (chunk.frames.start, chunk.frames.end);
            let _ = writeln!(out, "  chunk {key}  frames {start}..{end}{}", there(&chunk.key));
        }
        out
    }
}

fn describe_patch(patch: &PlannedPicturePatch) -> String {
    let SourceRect { x, y, width, height } = patch.mask.bounds();
    format!(", without {width}x{height} at ({x}, {y}) by {}", patch.removal.name())
}

impl Plan {
    /// Who is put in the place of who is seen in its clips and pictures, as often as they are.
    pub fn performers(&self) -> impl Iterator<Item = &Performer> {
        let over = self.0.overlays.iter().filter_map(PlannedOverlay::clip);
        let clips = self.0.shots.iter().flat_map(|shot| &shot.clips).chain(over);
        let pictures = self.0.slides.iter().flat_map(|slide| &slide.layers).filter_map(|layer| match layer {
            PlannedLayer::Picture(picture) => Some(picture),
            _ => None,
        });
        let of_clips = clips.filter_map(|clip| clip.performer.as_ref());
        of_clips.chain(pictures.filter_map(|picture| picture.performer.as_ref()))
    }
}

impl Plan {
    fn describe_layer(&self, layer: &PlannedLayer) -> String {
        match layer {
            PlannedLayer::Gradient { top, bottom } => format!("ground {top} to {bottom}"),
            PlannedLayer::Shade { area } => {
                format!("shade for {}x{} at ({}, {})", area.width, area.height, area.x, area.y)
            }
            PlannedLayer::Text { block, .. } => format!("text {:?}", block.text),
            PlannedLayer::Picture(picture) => {
                let asset = self.0.sources.get(picture.source).map_or("", |source| source.asset.id.as_str());
                let PlannedPicture { rect, area, at, .. } = picture;
                let out: String = picture.patches.iter().map(describe_patch).collect();
                format!(
                    "picture {asset} at {at}: its part {}x{} at ({}, {}) as {}x{} at ({}, {}), scaled by {:.3}{out}",
                    rect.width,
                    rect.height,
                    rect.x,
                    rect.y,
                    area.width,
                    area.height,
                    area.x,
                    area.y,
                    f64::from(area.width) / f64::from(rect.width)
                )
            }
        }
    }
}

/// More than a day at 60 fps: only a broken plan has more.
const MAX_FRAMES: u64 = 6_000_000;
const MAX_GOP: u32 = 600;
const MAX_RATE: f64 = 240.0;
const MAX_SIDE: u32 = 8_192;
const MAX_SLIDES: usize = 1_000;
const MAX_TEXTS: usize = 100_000;

impl TryFrom<Content> for Plan {
    type Error = Error;

    fn try_from(content: Content) -> Result<Self> {
        let broken = |what: &str| Err(Error::new(ErrorKind::Validation, format!("the plan is broken: {what}")));
        let id = &content.container_id;
        // The id names a folder, and its shape is that of a request's id with a variant's number.
        let (request, variant) = id.split_once('~').unwrap_or((id, "2"));
        if !is_id(request) || !matches!(variant.parse(), Ok(2..=255)) {
            return broken("its id is not one");
        }
        if content.frames > MAX_FRAMES || !(1..=MAX_GOP).contains(&content.video.gop) {
            return broken("it is too long");
        }
        if !(1.0..=MAX_RATE).contains(&content.rate.as_f64()) {
            return broken("its frame rate is none");
        }
        if ![content.canvas.width(), content.canvas.height()].iter().all(|side| (2..=MAX_SIDE).contains(side)) {
            return broken("its canvas is too large");
        }
        let has_source = |index: usize| index < content.sources.len();
        for shot in &content.shots {
            if let Err(what) = shots::check(shot, &content.sources) {
                return broken(what);
            }
        }
        if let Err(what) = overlays::check(&content) {
            return broken(what);
        }
        if !content.scenes.is_empty() && (!content.shots.is_empty() || !scenes::are_whole(&content)) {
            return broken("its scenes cannot be shown");
        }
        match chunks::follow_each_other(&chunks::on_air(&content)) {
            None => return broken("its shots do not follow each other"),
            Some(end) if end != content.frames || (end == 0 && content.slides.is_empty()) => {
                return broken("its shots do not fill it");
            }
            Some(_) => {}
        }
        if content.slides.len() > MAX_SLIDES || !slides::are_whole(&content) {
            return broken("a slide shows more than its source has");
        }
        if content.slides.iter().any(|slide| slide.key != slides::slide_key(&content, &slide.layers)) {
            return broken("a slide's key is not that of its content");
        }
        let is_whole = |text: &PlannedText| {
            let shot = text.shot.map(|shot| content.shots.get(shot).map(|shot| shot.frames));
            text.is_sane(content.frames) && shot.is_none_or(|frames| frames == Some(text.frames))
        };
        if content.texts.len() > MAX_TEXTS || !content.texts.iter().all(is_whole) {
            return broken("a text is not on while it is");
        }
        if !content.cues.iter().all(|cue| {
            has_source(cue.source)
                && cue.start.checked_add(cue.length).is_some()
                && content.sources[cue.source].info.audio.is_some()
                && (cue.gain.0.is_finite() && (0.0..=1_000.0).contains(&cue.gain.0))
                && cue.duck.is_none_or(|duck| duck.is_sane())
        }) {
            return broken("a sound has no source, or levels that are none");
        }
        if content.loudness.is_some_and(|target| !(-40.0..=0.0).contains(&target)) {
            return broken("its loudness is none");
        }
        // The cheap comparison first.
        if content.chunks.len() as u64 != chunks::count(&content) || content.chunks != chunks::cut(&content) {
            return broken("its chunks or keys are not those of its content");
        }
        Ok(Self(content))
    }
}

impl From<Plan> for Content {
    fn from(plan: Plan) -> Self {
        plan.0
    }
}
