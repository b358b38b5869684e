//! What the caller asked for, in the partner API's words: read, checked, and every finding reported at once.

mod captions;
mod layout;
mod parse;
mod pick;
mod remix;
mod schema;
mod sound;
mod style;
mod subtitles;
mod timeline;
mod validate;

use std::path::PathBuf;

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::compose::{Direction, Easing, TransitionKind};
use crate::error::{Error, ErrorKind, Result};
use schema::one_of;

pub(crate) use captions::caption_style;
pub use captions::{CaptionCue, CaptionOptions, CaptionWord};
pub(crate) use layout::LAYOUTS;
pub use layout::{KeyOptions, LayoutOptions};
use parse::Faults;
pub(crate) use parse::{nearest, shorten};
pub(crate) use pick::pick;
pub use remix::OverlayChange;
pub(crate) use remix::{LeftPolicy, PERFORMERS, RemovalMode};
pub use schema::schema;
pub use sound::{
    AudioOptions, DuckOptions, LoudnessTarget, MusicOptions, SourceSoundOptions, Switch, VoiceOverOptions,
};
pub(crate) use style::animation_faults;
pub use style::{AnimationRequest, StyleRequest};
pub(crate) use timeline::MOTIONS;
pub use timeline::{
    AreaRequest, BarRequest, BorderRequest, KeyframeRequest, LayerRequest, MotionRequest, OverlayRequest, ShotRequest,
    TextRequest, TimelineRequest, TrimRequest,
};
pub(crate) use validate::is_id;

/// A request to make content: the content of a `project.json`.
///
/// Made by [`Request::from_json`] or [`Request::from_path`], or in code, starting from `Request::default()`. It may be
/// wrong in any way; planning checks it and reports all findings at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Request {
    /// The content's id: 1 to 64 letters, digits, `.`, `_` or `-`, not starting with a dot. Names the result's folder
    /// and seeds every random pick.
    #[deserr(default)]
    pub id: String,
    /// What to make; in JSON with `-` or `_`.
    #[deserr(default)]
    pub format: Format,
    /// The text over the start; empty or missing for none. At most 2 000 characters, line breaks kept.
    #[deserr(default)]
    pub hook: Option<String>,
    /// How long the hook stays, in seconds from the start. Default: the whole first shot.
    #[deserr(default)]
    pub hook_duration: Option<f64>,
    /// How the hook looks: `outline`, `white-box`, `black-box`, `highlight` or `shadow`, or an object with what differs
    /// from one of them. Default: `outline`.
    #[deserr(default)]
    pub hook_style: Option<StyleRequest>,
    /// How the hook comes and goes. Default: at once.
    #[deserr(default)]
    pub hook_animation: Option<AnimationRequest>,
    /// Where in the safe area the hook stands: `top`, `center`, `bottom-left` and so on. Default: `top`.
    #[deserr(default)]
    pub hook_position: Option<String>,
    /// Whose bars and buttons the hook keeps clear of: `organic`, `tiktok`, `reels`, `shorts` or `all`. Default:
    /// `organic`.
    #[deserr(default)]
    pub safe_area: Option<String>,
    /// The row of `media` to use as app demo. Default: the first with the role `app-demo`.
    #[deserr(default)]
    pub media_id: Option<String>,
    /// Whose content it is; this or `socialAccountId` is required.
    #[deserr(default)]
    pub influencer_id: Option<String>,
    /// The account that it is for; this or `influencerId` is required.
    #[deserr(default)]
    pub social_account_id: Option<String>,
    /// How many containers to make, 1 to 5. Default: 1.
    #[deserr(default)]
    pub variant_count: Option<u64>,
    /// The media library.
    #[deserr(default)]
    pub media: Vec<Media>,
    /// The pool of reaction clips.
    #[deserr(default)]
    pub reaction_templates: Vec<PoolItem>,
    /// The reaction to use. Default: one of the pool, seeded by `id` and the variant.
    #[deserr(default)]
    pub reaction_template_id: Option<String>,
    /// The pool of music tracks; empty for no music.
    #[deserr(default)]
    pub music: Vec<PoolItem>,
    /// The track to use. Default: one of the pool, seeded by `id` and the variant.
    #[deserr(default)]
    pub music_track_id: Option<String>,
    /// How the sound is mixed.
    #[deserr(default)]
    pub audio: Option<AudioOptions>,
    /// How the clips lie: `sequence` (the reaction, then the app demo), `split` (one above the other), `picture-in-picture`
    /// (the reaction in a corner of the app demo), `green-screen` (the reaction without its screen over the app demo), or
    /// `phone-frame` (the reaction, then the app demo on the screen of a phone). Default: `sequence`.
    #[schemars(extend("enum" = one_of(&LAYOUTS.map(|(name, _)| name))))]
    #[deserr(default)]
    pub layout: Option<String>,
    /// How they lie in detail.
    #[deserr(default)]
    pub layout_options: Option<LayoutOptions>,
    /// How the reaction gives way to the app demo, where they follow each other. Default: a cut.
    #[deserr(default)]
    pub transition: Option<TransitionRequest>,
    /// A timeline of one's own, in place of a format.
    #[deserr(default)]
    pub timeline: Option<TimelineRequest>,
    /// The app that the content is about; `slideshow-builder` needs its name and description.
    #[deserr(default)]
    pub app: Option<App>,
    /// What the content shall say.
    #[deserr(default)]
    pub brief: Option<Brief>,
    /// The slides of a slideshow, 2 to 35. Default: composed from hook, brief and media.
    #[deserr(default)]
    pub slides: Option<Vec<SlideRequest>>,
    /// Makes a video of the slides too. Default: slides alone.
    #[deserr(default)]
    pub slide_video: Option<SlideVideo>,
    /// What a remix starts from.
    #[deserr(default)]
    pub source: Option<Source>,
    /// Of remixes: what becomes of the texts that are burnt into the source. Those that are not named stay, unless their slide
    /// has a text of its own.
    #[deserr(default)]
    pub overlays: Vec<OverlayChange>,
    /// Of remixes: how texts are taken out: `fill` (what was behind them), `crop` (the part of the picture that they are in is
    /// not shown), `blur`, `cover` (with a colour), `keep` (not at all), or `auto`: the first that leaves nothing of them of
    /// `fill`, `crop` where it takes less than a tenth of the picture, `blur` and `cover`. Default: `auto`.
    #[schemars(extend("enum" = one_of(&RemovalMode::NAMES)))]
    #[deserr(default)]
    pub removal: Option<String>,
    /// Of remixes: what becomes of a text that was found, of which more than a fiftieth can still be read, or an edge is seen where it was
    /// rebuilt: `report` (it is as it is, and the report says so), `keep` (the old text stays, without new words), or `fail`
    /// (the job ends). Default: `report`.
    #[schemars(extend("enum" = one_of(&LeftPolicy::NAMES)))]
    #[deserr(default)]
    pub unremovable: Option<String>,
    /// Of remixes: what differs from the old texts' style, or a preset in its place. Default: as the old texts.
    #[deserr(default)]
    pub overlay_style: Option<StyleRequest>,
    /// Of remixes: who is seen: `influencer`, put in the place of who was, or `none` for who was. Default: `influencer`, for
    /// which the engine needs a model.
    #[schemars(extend("enum" = one_of(&PERFORMERS)))]
    #[deserr(default)]
    pub performer: Option<String>,
    /// What is said, for captions over the video.
    #[deserr(default)]
    pub captions: Vec<CaptionCue>,
    /// A caption file instead: SubRip, WebVTT (with times of words too), or JSON with cues as in `captions` or with a
    /// speech recogniser's `segments`. Relative to the project's folder.
    #[deserr(default)]
    pub captions_src: Option<String>,
    /// How captions look.
    #[deserr(default)]
    pub caption_options: Option<CaptionOptions>,
    /// The language of the texts, a BCP 47 tag such as `ja` or `zh-Hant`: it chooses the form of Han characters, and where
    /// lines may break. Default: that of the brief; else told from the letters.
    #[deserr(default)]
    pub language: Option<String>,
    /// What is done about characters and emoji that no font has: `error`, `drop`, or the one character that stands for
    /// each. Default: `error`.
    #[deserr(default)]
    pub missing_characters: Option<String>,
    /// How the result is made.
    #[deserr(default)]
    pub output: OutputOptions,
    /// The folder that every `src` is relative to and must stay in. Not part of the JSON.
    #[serde(skip)]
    #[deserr(skip)]
    pub base: PathBuf,
    /// Whether a `src` may be absolute or leave [`base`](Self::base). Not part of the JSON. Default: no.
    #[serde(skip)]
    #[deserr(skip)]
    pub allow_outside: bool,
}

/// What the source's video, which has no id of its own, is called in reports.
pub(crate) const SOURCE_ID: &str = "source";
/// What the caption file, which has no id of its own, is called in reports.
pub(crate) const CAPTIONS_ID: &str = "captionsSrc";

impl Request {
    /// The BLAKE3 hash of what is asked for, 64 hexadecimal digits: of all fields of its JSON that say something, however it
    /// is written, so that versions with more fields give the same hash. Where the files are does not count, nor what is in
    /// them: what was made of it says that of each.
    ///
    /// # Errors
    /// `INTERNAL` if it cannot be written as JSON.
    pub fn hash(&self) -> Result<String> {
        let json = serde_json::to_value(self)
            .map_err(|error| Error::new(ErrorKind::Internal, "a request cannot be written as JSON").caused_by(error))?;
        let mut hasher = blake3::Hasher::new_derive_key("remix-engine 2026 request");
        add_to_hash(&json, &mut hasher);
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// The hash of the caption file's content; `None` without one.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SOURCE_UNREADABLE` or `LIMIT_EXCEEDED` if it cannot be read.
    pub(crate) fn captions_hash(&self) -> Result<Option<String>> {
        let hash = |src: &String| Ok(blake3::hash(&self.captions_file(src)?).to_hex().to_string());
        self.captions_src.as_ref().map(hash).transpose()
    }

    /// The `src` of every file that goes by `id`: ids are unique in each list alone. The caption file's is
    /// [`CAPTIONS_ID`].
    pub(crate) fn sources_of(&self, id: &str) -> impl Iterator<Item = &str> {
        let pools = self.reaction_templates.iter().chain(&self.music);
        let pools = pools.chain(self.source.iter().flat_map(|source| &source.slides));
        let media = self.media.iter().map(|item| (item.id.as_str(), item.src.as_str()));
        let captions = self.captions_src.iter().map(|src| (CAPTIONS_ID, src.as_str()));
        let post = self.source.iter().filter_map(|source| source.src.as_deref()).map(|src| (SOURCE_ID, src));
        media
            .chain(pools.map(|item| (item.id.as_str(), item.src.as_str())))
            .chain(captions)
            .chain(post)
            .filter(move |(known, _)| *known == id)
            .map(|(_, src)| src)
    }
}

/// Hashes a value so that no two have the same bytes, names in order; `null` and what is empty are as if they were missing.
fn add_to_hash(value: &Value, hasher: &mut blake3::Hasher) {
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    let mut add = |kind: u8, text: &str| {
        hasher.update(&[kind]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    match value {
        Value::Null => {}
        Value::Bool(value) => add(b'b', if *value { "true" } else { "false" }),
        Value::Number(number) => add(b'n', &number.to_string()),
        Value::String(text) => add(b's', text),
        Value::Array(items) => {
            add(b'[', &items.len().to_string());
            items.iter().for_each(|item| add_to_hash(item, hasher));
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !says_nothing(value)).collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            add(b'{', &fields.len().to_string());
            for (name, value) in fields {
                hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
                add_to_hash(value, hasher);
            }
        }
    }
}

/// A row of the media library.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Media {
    /// Its id, unique in the library.
    #[deserr(default)]
    pub id: String,
    /// What it is for, such as `app-demo`.
    #[deserr(default)]
    pub media_role: String,
    /// The file, relative to the project's folder.
    #[deserr(default)]
    pub src: String,
}

/// A clip or track of a pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct PoolItem {
    /// Its id, unique in the pool.
    #[deserr(default)]
    pub id: String,
    /// The file, relative to the project's folder.
    #[deserr(default)]
    pub src: String,
}

/// The app that the content is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct App {
    /// Its name, at most 100 characters.
    #[deserr(default)]
    pub name: String,
    /// What it does, at most 2 000 characters.
    #[deserr(default)]
    pub description: String,
    /// Its colours, `#rrggbb`, the main one first; at most 8. Default: those of the pictures.
    #[deserr(default)]
    pub colors: Vec<String>,
}

/// What the content shall say. All texts have at most 300 characters each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Brief {
    /// What it is about. Shown as the first slide's text where there is no hook.
    #[deserr(default)]
    pub topic: Option<String>,
    /// From which side the topic is looked at. Shown under the hook.
    #[deserr(default)]
    pub angle: Option<String>,
    /// What the viewer shall do. The last slide's text.
    #[deserr(default)]
    pub cta: Option<String>,
    /// What speaks for the app, one slide each.
    #[deserr(default)]
    pub value_propositions: Vec<String>,
    /// The language of the texts, a BCP 47 tag such as `en` or `pt-BR`.
    #[deserr(default)]
    pub language: Option<String>,
}

/// What a remix starts from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Source {
    /// The post's id, 1 to 32 digits. Its files are what the engine's resolver gives, or `src` or `slides`.
    #[deserr(default)]
    pub tiktok_video_id: Option<String>,
    /// The video, relative to the project's folder.
    #[deserr(default)]
    pub src: Option<String>,
    /// The slides of a slideshow, in order.
    #[deserr(default)]
    pub slides: Vec<PoolItem>,
}

/// A part of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct RegionRequest {
    /// The left edge, 0 to 1 of the picture's width.
    pub x: f64,
    /// The top edge, 0 to 1 of its height.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// A slide that the caller composed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct SlideRequest {
    /// The id of a row of `media`. Default: none, the slide is of one colour.
    #[deserr(default)]
    pub media: Option<String>,
    /// Its text. Default: none.
    #[deserr(default)]
    pub text: Option<String>,
    /// How the picture is fitted: `cover`, `contain`, `blur` (contained, over itself covered and blurred), or `card`
    /// (contained below the text, with rounded corners). Default: `card` for screenshots and app demos with a text,
    /// else `cover`.
    #[deserr(default)]
    pub fit: Option<String>,
    /// The point of the picture that stays in view when it is cut. Default: its centre.
    #[deserr(default)]
    pub focus: Option<FocusPoint>,
    /// The time in seconds of the frame of a clip. Default: spread over the clip.
    #[deserr(default)]
    pub at: Option<f64>,
    /// Where the text stands: `top`, `center` or `bottom`. Default: `center`, `top` on a card.
    #[deserr(default)]
    pub position: Option<String>,
    /// `slideshow-remix`: the id of the source's slide whose picture it shows. Default: the one of the same number.
    #[deserr(default)]
    pub source_slide: Option<String>,
    /// `slideshow-remix`: where the old text stands in that picture, which is taken out; the new text stands there. Default:
    /// where text is found.
    #[deserr(default)]
    pub region: Option<RegionRequest>,
    /// `slideshow-remix`: how old text is taken out of the slide, as the request's `removal`; of a region `fill`, `blur` or
    /// `cover`. All that is found goes, unless it is `keep`, even where the slide has no text of its own. Default: the request's,
    /// for slides with a text; of a region `fill`.
    #[schemars(extend("enum" = one_of(&RemovalMode::NAMES)))]
    #[deserr(default)]
    pub removal: Option<String>,
    /// How long it is on in the video, in seconds, 0.5 to 30, its transitions included. Default: as all slides.
    #[deserr(default)]
    pub duration: Option<f64>,
}

/// How slides become a video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct SlideVideo {
    /// How long each slide is on, in seconds, 0.5 to 30, its transitions included. Default: 3.
    #[deserr(default)]
    pub slide_duration: Option<f64>,
    /// Has all slides together last as long as the music, in proportion to their durations. Default: no.
    #[deserr(default)]
    pub fit_to_music: Option<bool>,
    /// How pictures that fill the canvas move: `ken-burns` (a slow zoom, in and out in turn) or `none`. Default:
    /// `ken-burns`.
    #[deserr(default)]
    pub motion: Option<String>,
    /// How far the zoom goes, 0.01 to 0.5. Default: 0.1, that is to 110 %.
    #[deserr(default)]
    pub motion_amount: Option<f64>,
    /// How one slide gives way to the next. Default: a push to the left of 0.4 seconds.
    #[deserr(default)]
    pub transition: Option<TransitionRequest>,
}

/// How one shot or slide gives way to the next. Both are on while it lasts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct TransitionRequest {
    /// `cut`, `dissolve`, `fade` (through black), `wipe`, `slide`, `push` or `zoom`. Default: `push` between slides, `dissolve`
    /// between clips.
    #[schemars(extend("enum" = one_of(&TransitionKind::NAMES)))]
    #[deserr(default)]
    pub name: Option<String>,
    /// In seconds, 0.1 to 3, at most half of the shorter slide or clip. Default: 0.4.
    #[schemars(range(min = 0.1, max = 3.0))]
    #[deserr(default)]
    pub duration: Option<f64>,
    /// Where things move: `left`, `right`, `up` or `down`. Default: `left`.
    #[schemars(extend("enum" = one_of(&Direction::NAMES)))]
    #[deserr(default)]
    pub direction: Option<String>,
    /// `linear`, `ease-in`, `ease-out` or `ease-in-out`. Default: `ease-in-out`.
    #[schemars(extend("enum" = one_of(&Easing::NAMES)))]
    #[deserr(default)]
    pub easing: Option<String>,
}

/// A point of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct FocusPoint {
    /// 0 is the left edge, 1 the right.
    pub x: f64,
    /// 0 is the top edge, 1 the bottom.
    pub y: f64,
}

/// How the result is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct OutputOptions {
    /// `draft`, `standard` or `high`. Default: `standard`.
    #[deserr(default)]
    pub preset: Option<String>,
    /// The thumbnail's time in seconds. Default: the engine chooses a good frame.
    #[deserr(default)]
    pub thumbnail_at: Option<f64>,
    /// The size of slides: `1080x1920`, or `1080x1350` (4:5), since some platforms take no taller stills. Default:
    /// `1080x1920`.
    #[deserr(default)]
    pub slide_size: Option<String>,
    /// What is done about faults that the finished video has: `off` (it is not inspected), `report` (they stand in the
    /// result's report) or `fail` (they stand there, and bad ones end the job before anything is published). Default:
    /// `report`.
    #[deserr(default)]
    pub inspection: Option<String>,
    /// Put before every URL of the result. Default: URLs are relative to the result's folder.
    #[deserr(default)]
    pub base_url: Option<String>,
}

/// What is done about faults that the finished video has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InspectionPolicy {
    /// It is not inspected, beyond what the engine checks anyway: frames, size, sound, damage.
    Off,
    /// Findings stand in the result's report. Default.
    #[default]
    Report,
    /// As `Report`, and findings that [end a job](crate::inspect::InspectionFinding::ends_job) end it in an error before
    /// anything is published.
    Fail,
}

impl InspectionPolicy {
    /// The policies' names.
    pub const NAMES: [&'static str; 3] = ["off", "report", "fail"];

    /// The policy of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "report" => Some(Self::Report),
            "fail" => Some(Self::Fail),
            _ => None,
        }
    }
}

/// The kinds of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// The one format whose preconditions hold.
    #[default]
    Auto,
    /// A reaction clip with a hook, then the app demo, with music.
    UgcRemix,
    /// A set of slides about an app.
    SlideshowBuilder,
    /// Somebody's set of slides with other words.
    SlideshowRemix,
    /// Somebody's video with other words.
    VideoRemix,
    /// A timeline of the caller's own.
    Timeline,
}

impl Format {
    /// The formats' names as they are written.
    pub const NAMES: [&'static str; 6] =
        ["auto", "ugc-remix", "slideshow-builder", "slideshow-remix", "video-remix", "timeline"];

    /// The name with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::UgcRemix => "ugc-remix",
            Self::SlideshowBuilder => "slideshow-builder",
            Self::SlideshowRemix => "slideshow-remix",
            Self::VideoRemix => "video-remix",
            Self::Timeline => "timeline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requests_hash_is_of_what_it_says() {
        let hash = |json: &str| Request::from_json(json.as_bytes(), "here").expect("parses").hash().expect("is hashed");
        let one = hash(
            r#"{"id":"a","format":"ugc-remix","hook":"x","media":[{"id":"m","mediaRole":"app-demo","src":"m.mp4"}]}"#,
        );
        let same = r#"{"media":[{"src":"m.mp4","mediaRole":"app-demo","id":"m"}],"music":[],"hook":"x","format":"ugc_remix","id":"a","output":{}}"#;
        assert_eq!(hash(same), one);
        // A job that was finished by an older version is found again by a newer one: this never changes.
        assert_eq!(one, "46b8e3bfe0739aa808d34e83ea964da01d6c47cf53616f395318d886669a65c4");
        for other in [r#"{"id":"a"}"#, r#"{"id":"ab"}"#, r#"{"id":"a","hook":"x"}"#, r#"{"id":"a","variantCount":2}"#] {
            assert_ne!(hash(other), one);
        }
        assert_ne!(hash(r#"{"id":"a","hook":"b"}"#), hash(r#"{"id":"a","hook":"c"}"#));
    }

    #[test]
    fn both_spellings_of_a_format_are_read() {
        for name in ["ugc-remix", "ugc_remix"] {
            let json = format!(r#"{{"id":"a","format":"{name}"}}"#);
            let request = Request::from_json(json.as_bytes(), PathBuf::new()).expect("parses");
            assert_eq!(request.format, Format::UgcRemix);
        }
        for name in ["image", "carousel", "short_form_video", ""] {
            let json = format!(r#"{{"id":"a","format":"{name}"}}"#);
            let error = Request::from_json(json.as_bytes(), PathBuf::new()).expect_err("is refused");
            assert_eq!(error.kind(), ErrorKind::UnsupportedFormat, "{name}");
            assert_eq!(error.pointer(), Some("/format"));
        }
    }
}
