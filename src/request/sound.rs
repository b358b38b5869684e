//! What a request says about its sound.

use deserr::{DeserializeError as _, Deserr, IntoValue, ValueKind, ValuePointerRef, take_cf_content};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse::Faults;

/// How the sound is mixed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AudioOptions {
    /// The integrated loudness of the sound in LUFS, -30 to -9; or `"off"`, which keeps the levels of the mix: only what
    /// would clip is turned down. Default: -14, what the platforms play at.
    #[deserr(default)]
    pub loudness: Option<LoudnessTarget>,
    /// How the music is mixed; or `false` for none, whatever the pool has. Default: as [`MusicOptions`].
    #[deserr(default)]
    pub music: Option<Switch<MusicOptions>>,
    /// A voice over all of it. Default: none.
    #[deserr(default)]
    pub voice_over: Option<VoiceOverOptions>,
    /// `video-remix`: the source's own sound; or `false` for none. Default: as it is.
    #[deserr(default)]
    pub source: Option<Switch<SourceSoundOptions>>,
}

/// How the sound of a source is mixed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct SourceSoundOptions {
    /// Its level in dB, -60 to 12. Default: 0.
    #[deserr(default)]
    pub gain: Option<f64>,
}

/// How loud the sound is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoudnessTarget {
    /// In LUFS.
    Lufs(f64),
    /// The levels of the mix.
    Off,
}

/// Something that has options, and that can be left out with `false`.
#[derive(Debug, Clone, PartialEq)]
pub enum Switch<T> {
    /// With these options.
    On(T),
    /// `false`.
    Off,
}

/// How the music is mixed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct MusicOptions {
    /// Its level in dB, -60 to 12. Default: -6 beside clips, 0 under slides.
    #[deserr(default)]
    pub gain: Option<f64>,
    /// The track's time in seconds at which it starts. Default: 0.
    #[deserr(default)]
    pub start: Option<f64>,
    /// Whether it starts over where it is shorter than the video. Default: yes.
    #[serde(rename = "loop")]
    #[deserr(rename = "loop", default)]
    pub looped: Option<bool>,
    /// Seconds of fade at the start, 0 to 30. Default: 0.
    #[deserr(default)]
    pub fade_in: Option<f64>,
    /// Seconds of fade at the end, 0 to 30. Default: 1.
    #[deserr(default)]
    pub fade_out: Option<f64>,
    /// How it goes down under speech; or `false` for not at all. Default: as [`DuckOptions`].
    #[deserr(default)]
    pub duck: Option<Switch<DuckOptions>>,
}

/// How music goes down under the speech of clips and under the voice-over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct DuckOptions {
    /// Decibels that it goes down by, above 0 and at most 60. Default: 12.
    #[deserr(default)]
    pub amount: Option<f64>,
    /// Seconds that it takes to go down, before the voice begins; 0.01 to 5. Default: 0.2.
    #[deserr(default)]
    pub attack: Option<f64>,
    /// Seconds that it stays down after the voice, 0.01 to 5. Default: 0.4.
    #[deserr(default)]
    pub hold: Option<f64>,
    /// Seconds that it takes to come back, 0.01 to 10. Default: 0.5.
    #[deserr(default)]
    pub release: Option<f64>,
}

/// A voice over the whole video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct VoiceOverOptions {
    /// The row of `media` that it is.
    #[deserr(default)]
    pub media_id: String,
    /// The video's time in seconds at which it starts. Default: 0.
    #[deserr(default)]
    pub start: Option<f64>,
    /// Its level in dB, -60 to 12. Default: 0.
    #[deserr(default)]
    pub gain: Option<f64>,
}

impl<T: Deserr<Faults>> Deserr<Faults> for Switch<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        match value {
            deserr::Value::Boolean(false) => Ok(Self::Off),
            value => T::deserialize_from_value(value, location).map(Self::On),
        }
    }
}

impl<T: Serialize> Serialize for Switch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::On(options) => options.serialize(serializer),
            Self::Off => serializer.serialize_bool(false),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Flag(bool),
            Options(T),
        }
        match Either::deserialize(deserializer)? {
            Either::Flag(false) => Ok(Self::Off),
            Either::Flag(true) => Err(serde::de::Error::custom("expected options or false")),
            Either::Options(options) => Ok(Self::On(options)),
        }
    }
}

impl Deserr<Faults> for LoudnessTarget {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        match value {
            deserr::Value::String(name) if name == "off" => Ok(Self::Off),
            deserr::Value::String(name) => {
                let error = deserr::ErrorKind::UnknownValue { value: &name, accepted: &["off"] };
                Err(take_cf_content(Faults::error::<V>(None, error, location)))
            }
            deserr::Value::Float(lufs) => Ok(Self::Lufs(lufs)),
            deserr::Value::Integer(lufs) => Ok(Self::Lufs(lufs as f64)),
            deserr::Value::NegativeInteger(lufs) => Ok(Self::Lufs(lufs as f64)),
            actual => {
                let accepted = &[ValueKind::Float, ValueKind::String];
                let error = deserr::ErrorKind::IncorrectValueKind { actual, accepted };
                Err(take_cf_content(Faults::error(None, error, location)))
            }
        }
    }
}

impl Serialize for LoudnessTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Lufs(lufs) => serializer.serialize_f64(*lufs),
            Self::Off => serializer.serialize_str("off"),
        }
    }
}

impl<'de> Deserialize<'de> for LoudnessTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Lufs(f64),
            Name(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Lufs(lufs) => Ok(Self::Lufs(lufs)),
            Either::Name(name) if name == "off" => Ok(Self::Off),
            Either::Name(_) => Err(serde::de::Error::custom("expected a number or \"off\"")),
        }
    }
}
