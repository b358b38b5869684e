//! `container.json`: what was made, in the partner API's words, with a report of how.

use serde::{Deserialize, Serialize};

use crate::audio::Levels;
use crate::encode::{AUDIO_BIT_RATE, VideoSettings};
use crate::error::{ErrorKind, Failure, Stage};
use crate::formats::{Pick, RemixedText};
use crate::inspect::Inspection;
use crate::request::{Format, Request};

/// A finished piece of content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The request's id, with `~2` and so on for further variants.
    pub id: String,
    /// Where the job stands.
    pub status: Status,
    /// The format, resolved.
    pub format: Format,
    /// As in the request.
    pub influencer_id: Option<String>,
    /// As in the request.
    pub social_account_id: Option<String>,
    /// The text over the start.
    pub hook: Option<String>,
    /// What to show of it.
    pub preview: Preview,
    /// All files.
    pub assets: Vec<OutputAsset>,
    /// Timed captions that were drawn.
    pub captions: Vec<ShownCaption>,
    /// Why it failed.
    pub last_error: Option<Failure>,
    /// When the job started, RFC 3339.
    pub created_at: String,
    /// When this was written, RFC 3339.
    pub updated_at: String,
    /// How it was made.
    pub report: Report,
}

impl Container {
    /// The container of a variant of `request` that failed: it has no files.
    pub(crate) fn failed(id: String, format: Format, request: &Request, engine: &str, error: Failure) -> Self {
        let now = jiff::Timestamp::now().to_string();
        let is_video = matches!(format, Format::UgcRemix | Format::VideoRemix | Format::Timeline);
        let kind = if is_video { "video" } else { "slideshow" };
        Self {
            id,
            status: if error.code == ErrorKind::Canceled { Status::Canceled } else { Status::Failed },
            format,
            influencer_id: request.influencer_id.clone(),
            social_account_id: request.social_account_id.clone(),
            hook: request.hook.clone().filter(|hook| !hook.trim().is_empty()),
            preview: Preview { kind: kind.to_owned(), ..Preview::default() },
            assets: Vec::new(),
            captions: Vec::new(),
            last_error: Some(error),
            created_at: now.clone(),
            updated_at: now,
            report: Report { engine: engine.to_owned(), ..Report::default() },
        }
    }
}

/// A page of captions as it was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownCaption {
    /// What stands there.
    pub text: String,
    /// When it is first seen, in seconds.
    pub start: f64,
    /// When it is gone, in seconds.
    pub end: f64,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted.
    Queued,
    /// Being made.
    Processing,
    /// Done.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by the caller.
    Canceled,
}

/// What to show of a piece of content. Of one that failed all is empty but the kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// `video` or `slideshow`.
    pub kind: String,
    /// The main file.
    pub primary_url: String,
    /// The thumbnail.
    pub thumbnail_url: String,
    /// The slides of a slideshow, in order.
    pub image_urls: Vec<String>,
    /// `9:16` or `4:5`.
    pub aspect_ratio: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AssetKind {
    /// MP4, H.264 and AAC.
    Video,
    /// JPEG.
    Thumbnail,
    /// JPEG, one of a set.
    Slide,
}

/// One finished file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputAsset {
    /// Its id.
    pub asset_id: String,
    /// What it is.
    pub kind: AssetKind,
    /// Where it is: relative to the result's folder, or under the request's base URL.
    pub url: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of its content, 64 hexadecimal digits.
    pub blake3: String,
    /// Length in seconds, of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Frames, of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// Frames a second, of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<String>,
}

/// How a piece of content was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Engine and libraries.
    pub engine: String,
    /// BLAKE3 of the request: the same id with another request is a conflict.
    #[serde(default)]
    pub request: String,
    /// What was used for each role.
    pub picks: Vec<Pick>,
    /// What became of the texts of a source, of a remix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<RemixedText>,
    /// Who was put in the place of who was seen in the source of a remix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<PerformerReport>,
    /// Characters that no font has: left out or replaced, as the request says.
    pub missing_characters: Vec<String>,
    /// Captions that are not seen: too short for a frame of their own.
    pub unseen_captions: Vec<String>,
    /// The sources, and what was corrected in them.
    pub sources: Vec<SourceReport>,
    /// Wall time of each stage.
    pub stages: Vec<StageTime>,
    /// Chunks that were rendered.
    pub chunks_rendered: u64,
    /// Chunks that were finished already.
    pub chunks_reused: u64,
    /// Source pictures that were damaged and are shown as well as they could be decoded.
    pub damaged_pictures: u64,
    /// Settings of the H.264 encoder, where a video was made.
    pub video: Option<VideoSettings>,
    /// The sound, where a video was made.
    pub audio: Option<AudioReport>,
    /// The inspection of the finished video, where one was made and the request does not switch it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection: Option<Inspection>,
}

/// Who was put in the place of who was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PerformerReport {
    /// As in the request.
    pub author: String,
    /// Which model it was.
    pub identity: String,
    /// Of a clip in how many frames there was somebody to replace; of slides it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
}

/// What a source was and what was corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// Its id in the request.
    pub id: String,
    /// BLAKE3 of its content.
    pub blake3: String,
    /// What was corrected.
    pub corrections: Vec<String>,
}

/// Wall time of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Milliseconds.
    pub ms: u64,
}

/// The sound of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioReport {
    /// Bits a second of the AAC track.
    pub bit_rate: u32,
    /// One linear gain on the whole mix; 1 where its levels were kept.
    pub gain: f32,
    /// Whether single peaks were turned down after that.
    pub limited: bool,
    /// Integrated loudness of the result in LUFS (EBU R 128), before AAC; `None` for silence.
    pub loudness: Option<f64>,
    /// Its highest true peak in dBTP; `None` for silence.
    pub true_peak: Option<f64>,
    /// What is worth telling: damage that was heard as silence, sound that one loudspeaker loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl AudioReport {
    pub(crate) fn new(levels: &Levels) -> Self {
        // Hundredths are more than anyone hears, and JSON has no infinity.
        let shown = |value: f64| value.is_finite().then(|| (value * 100.0).round() / 100.0);
        Self {
            bit_rate: AUDIO_BIT_RATE,
            gain: levels.gain.0,
            limited: levels.limited,
            loudness: shown(levels.result.integrated),
            true_peak: shown(20.0 * libm::log10(levels.result.peak)),
            notes: levels.notes.clone(),
        }
    }
}
