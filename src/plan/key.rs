//! The key of a chunk: a hash of everything that can change a byte of it.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{
    AudioCue, Content, PlannedClip, PlannedOverlaid, PlannedOverlay, PlannedPatch, PlannedShot, PlannedText,
    PlannedTransition,
};
use crate::source::ColorInfo;
use crate::text::TextBlock;
use crate::timeline::{Performer, ProgressBar};
use crate::units::{CanvasSize, FrameRange, FrameRate};

/// How far from a frame pictures are looked at for what is behind a patch, in frames: more than four seconds.
pub(crate) const REACH: u64 = 128;

/// A BLAKE3 hash, written as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChunkKey(String);

impl ChunkKey {
    /// The key as 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ChunkKey> for String {
    fn from(key: ChunkKey) -> Self {
        key.0
    }
}

impl TryFrom<String> for ChunkKey {
    type Error = &'static str;

    /// Takes 64 lower-case hexadecimal digits alone, since a key names a file.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(is_digit) { Ok(Self(text)) } else { Err("not a chunk key") }
    }
}

/// What is hashed. Names, ids and paths are left out: they change no pixel. Frames are counted from the chunk's start,
/// so that the same pictures at another place of another timeline have the same key.
#[derive(Serialize)]
struct Visible<'a> {
    engine: &'a str,
    canvas: CanvasSize,
    rate: FrameRate,
    video: &'a crate::encode::VideoSettings,
    frames: u64,
    shot: VisibleShot<'a>,
    /// The shot that comes in, and how.
    next: Option<(VisibleShot<'a>, PlannedTransition)>,
    overlays: Vec<VisibleOverlay<'a>>,
    texts: Vec<VisibleText<'a>>,
}

#[derive(Serialize)]
struct VisibleShot<'a> {
    /// The shot's frame that is the chunk's first.
    first: u64,
    ground: [u8; 3],
    clips: Vec<VisibleClip<'a>>,
}

/// What lies over the shots.
#[derive(Serialize)]
struct VisibleOverlay<'a> {
    /// When it is on in the chunk, and its own frame then.
    frames: FrameRange,
    first: u64,
    clip: Option<VisibleClip<'a>>,
    /// A bar, and how many frames it takes to fill.
    bar: Option<(ProgressBar, u64)>,
}

/// A clip with the content and the stream that it shows; its source's place in the plan does not count.
#[derive(Serialize)]
struct VisibleClip<'a> {
    clip: PlannedClip,
    source: &'a str,
    stream: Option<usize>,
    color: Option<ColorInfo>,
    /// What is below a clip without it is not drawn.
    has_alpha: Option<bool>,
    /// What is taken out, and how many frames the clip is on: those are looked at for what is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    patched: Option<(Vec<&'a PlannedPatch>, u64)>,
}

#[derive(Serialize)]
struct VisibleText<'a> {
    fonts: &'a str,
    /// Whether it belongs to the shot that goes, or to the one that comes; `None` for what lies over both.
    comes: Option<bool>,
    block: &'a TextBlock,
    /// Each stretch in which it looks the same: its frames, its active word's bytes, its opacity, its scale.
    looks: Vec<(FrameRange, Option<&'a Range<usize>>, u8, u16)>,
}

/// The key of the chunk `frames`, in which shot `number` is on first.
pub(super) fn chunk_key<'c>(content: &'c Content, number: usize, frames: FrameRange) -> ChunkKey {
    let visible_clip = |clip, on| visible_clip(content, clip, on, frames);
    let visible_shot = |shot: &'c PlannedShot| VisibleShot {
        first: frames.start.0 - shot.frames.start.0,
        ground: shot.ground,
        clips: shot.clips.iter().map(|clip| visible_clip(clip, shot.frames)).collect(),
    };
    let visible_overlay = |overlay: &'c PlannedOverlay| {
        let live = overlay.frames.intersect(frames);
        let (clip, bar) = match &overlay.what {
            PlannedOverlaid::Clip(clip) => (Some(visible_clip(clip, overlay.frames)), None),
            PlannedOverlaid::Bar(bar) => (None, Some((*bar, overlay.frames.len()))),
        };
        (!live.is_empty()).then(|| VisibleOverlay {
            frames: FrameRange::new(live.start.0 - frames.start.0, live.end.0 - frames.start.0),
            first: live.start.0 - overlay.frames.start.0,
            clip,
            bar,
        })
    };
    let nothing = VisibleShot { first: 0, ground: [0; 3], clips: Vec::new() };
    let next = content.shots.get(number + 1).filter(|next| next.frames.start <= frames.start);
    let visible = Visible {
        engine: &content.engine,
        canvas: content.canvas,
        rate: content.rate,
        video: &content.video,
        frames: frames.len(),
        shot: content.shots.get(number).map_or(nothing, visible_shot),
        next: next.and_then(|next| Some((visible_shot(next), next.enter?))),
        overlays: content.overlays.iter().filter_map(visible_overlay).collect(),
        texts: content
            .texts
            .iter()
            .filter(|text| !text.frames.intersect(frames).is_empty())
            .map(|text| VisibleText {
                fonts: &content.fonts,
                comes: text.shot.map(|shot| shot > number),
                block: &text.block,
                looks: looks_of(text, frames),
            })
            .collect(),
    };
    hash_of("remix-engine 2026 chunk", &visible)
}

/// What of `clip`, which is on for the frames `on`, is seen in the chunk `frames`.
fn visible_clip<'c>(
    content: &'c Content,
    clip: &'c PlannedClip,
    on: FrameRange,
    frames: FrameRange,
) -> VisibleClip<'c> {
    let info = content.sources.get(clip.source).map(|source| &source.info);
    let video = info.and_then(|info| info.video.as_ref());
    let live = on.intersect(frames);
    // With what a performer's model is shown from before.
    let lead_in = clip.performer.as_ref().map_or(0, |performer| performer.lead_in);
    let live = FrameRange::new((live.start.0 - on.start.0).saturating_sub(lead_in), live.end.0 - on.start.0);
    let performer = clip.performer.clone().map(|performer| Performer { author: String::new(), ..performer });
    let near = |part: FrameRange, other: FrameRange| {
        let wide = FrameRange::new(part.start.0.saturating_sub(REACH), part.end.0.saturating_add(REACH));
        !wide.intersect(other).is_empty()
    };
    let seen: Vec<&PlannedPatch> =
        clip.patches.iter().filter(|patch| !patch.frames.intersect(live).is_empty()).collect();
    // Those too that hide what is behind them in pictures that are looked at.
    let counts =
        |patch: &&PlannedPatch| near(live, patch.frames) || seen.iter().any(|seen| near(seen.frames, patch.frames));
    let patched = (!seen.is_empty()).then(|| (clip.patches.iter().filter(counts).collect(), on.len()));
    VisibleClip {
        clip: PlannedClip { source: 0, patches: Vec::new(), performer, ..clip.clone() },
        source: info.map_or("", |info| info.hash.as_str()),
        stream: video.map(|video| video.stream),
        color: video.map(|video| video.color),
        has_alpha: video.map(|video| video.has_alpha),
        patched,
    }
}

/// How a text looks in `frames`, counted from their start.
fn looks_of(text: &PlannedText, frames: FrameRange) -> Vec<(FrameRange, Option<&Range<usize>>, u8, u16)> {
    let origin = frames.start.0;
    let relative = |live: FrameRange| FrameRange::new(live.start.0 - origin, live.end.0 - origin);
    let word = |number: usize| text.words.get(number).map(|word| &word.range);
    let looks = text.looks(frames).into_iter();
    looks.map(|(live, look)| (relative(live), look.word.and_then(word), look.opacity, look.scale)).collect()
}

/// What is heard, hashed as what is seen is.
#[derive(Serialize)]
struct Audible<'a> {
    engine: &'a str,
    /// The length in sample frames follows from these two.
    frames: u64,
    rate: FrameRate,
    loudness: Option<f64>,
    /// Each cue with the content and the stream that it plays; its source's place in the plan does not count.
    /// The pictures of a clip are its time's zero.
    cues: Vec<(AudioCue, &'a str, Option<usize>, Option<usize>)>,
}

/// The key of the whole sound.
pub(super) fn sound_key(content: &Content) -> ChunkKey {
    let cues = content.cues.iter().filter_map(|cue| {
        let info = &content.sources.get(cue.source)?.info;
        let sound = info.audio.as_ref().map(|audio| audio.stream);
        let pictures = info.video.as_ref().map(|video| video.stream);
        Some((AudioCue { source: 0, ..cue.clone() }, info.hash.as_str(), sound, pictures))
    });
    let audible = Audible {
        engine: &content.engine,
        frames: content.frames,
        rate: content.rate,
        loudness: content.loudness,
        cues: cues.collect(),
    };
    hash_of("remix-engine 2026 sound", &audible)
}

/// The key of something `visible`; `context` tells the kinds of keys apart.
pub(super) fn hash_of(context: &str, visible: &impl Serialize) -> ChunkKey {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    // Only strings, numbers and lists of them: this cannot fail; if it did, the key would still be one of its own.
    match serde_json::to_vec(visible) {
        Ok(json) => hasher.update(&json),
        Err(error) => hasher.update(error.to_string().as_bytes()),
    };
    ChunkKey(hasher.finalize().to_hex().to_string())
}
