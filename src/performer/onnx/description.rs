//! The file that says which models a performer consists of, and what their numbers mean.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::fault::unavailable;
use crate::error::Error;

/// Largest description in bytes.
const MAX_DESCRIPTION: u64 = 64 << 10;
/// Largest model file in bytes: the format's own limit, since a protobuf message ends at 2 GiB.
pub(super) const MAX_MODEL: u64 = 2 << 30;
/// Largest picture file of a face in bytes.
pub(super) const MAX_FACE: u64 = 64 << 20;
/// The coarsest grid of YuNet: the sides of its input are multiples of it.
const YUNET_STEP: u32 = 32;

/// The order of a model's three colour planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Channels {
    Rgb,
    Bgr,
}

/// How a detector tells its faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum DetectorOutputs {
    /// The twelve grids of OpenCV's YuNet.
    Yunet,
    /// Rows of box, five landmarks and score, in the detector's pixels.
    Decoded,
}

/// Where the five landmarks lie in an aligned square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Template {
    Arcface,
    Ffhq,
}

/// What turns an embedding into the swapper's `source`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Projection {
    /// Nothing.
    #[default]
    None,
    /// A multiplication by the last initializer of the swapper's graph, then a division by the length.
    /// This is how insightface's `inswapper` is fed (`model_zoo/inswapper.py`, `emap`).
    LastInitializer,
}

/// The numbers that a model takes: (pixel 0..=255 - mean) / std, in the order `channels`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) channels: Channels,
    pub(super) mean: f32,
    pub(super) std: f32,
}

/// Finds faces. Defaults are those of OpenCV's `face_detection_yunet_2023mar`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Detector {
    pub(super) file: String,
    /// Width of the input in pixels. Default: 640.
    #[serde(default = "detector_side")]
    pub(super) width: u32,
    /// Height of the input in pixels. Default: 640.
    #[serde(default = "detector_side")]
    pub(super) height: u32,
    /// Default: `bgr`.
    #[serde(default = "bgr")]
    channels: Channels,
    /// Default: 0.
    #[serde(default)]
    mean: f32,
    /// Default: 1.
    #[serde(default = "one")]
    std: f32,
    /// Default: `yunet`.
    #[serde(default = "yunet")]
    pub(super) outputs: DetectorOutputs,
    /// Least score of a face, above 0 and up to 1. Default: 0.6.
    #[serde(default = "min_score")]
    pub(super) min_score: f32,
}

/// Paints the new face. Defaults are those of insightface's `inswapper_128`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Swapper {
    pub(super) file: String,
    /// Side of the aligned square in pixels. Default: 128.
    #[serde(default = "swapper_size")]
    pub(super) size: u32,
    /// Default: `rgb`.
    #[serde(default = "rgb")]
    channels: Channels,
    /// Default: 0.
    #[serde(default)]
    mean: f32,
    /// Default: 255.
    #[serde(default = "full")]
    std: f32,
    /// A pixel 0..=255 is output * outputStd + outputMean. Default: 0.
    #[serde(default)]
    pub(super) output_mean: f32,
    /// Default: 255.
    #[serde(default = "full")]
    pub(super) output_std: f32,
    /// Default: `arcface`.
    #[serde(default = "arcface")]
    pub(super) template: Template,
    /// Default: `none`.
    #[serde(default)]
    pub(super) projection: Projection,
}

/// Turns a face into numbers. Defaults are those of ArcFace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Embedder {
    pub(super) file: String,
    /// Side of the aligned square in pixels. Default: 112.
    #[serde(default = "embedder_size")]
    pub(super) size: u32,
    /// Default: `rgb`.
    #[serde(default = "rgb")]
    channels: Channels,
    /// Default: 127.5.
    #[serde(default = "half")]
    mean: f32,
    /// Default: 127.5.
    #[serde(default = "half")]
    std: f32,
}

/// The whole description, checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Description {
    pub(super) detector: Detector,
    pub(super) swapper: Swapper,
    pub(super) embedder: Option<Embedder>,
    /// A PNG with the face that is put in place. Needed with an embedder, refused without.
    pub(super) face: Option<String>,
}

impl Detector {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers { channels: self.channels, mean: self.mean, std: self.std }
    }
}

impl Swapper {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers { channels: self.channels, mean: self.mean, std: self.std }
    }
}

impl Embedder {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers { channels: self.channels, mean: self.mean, std: self.std }
    }
}

impl Description {
    /// Reads and checks the description `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let description: Self = serde_json::from_slice(bytes).map_err(|error| {
            unavailable(format!("the performer's description is not valid: {error}"))
                .suggest("compare its fields with the documentation of the description")
        })?;
        description.check()?;
        Ok(description)
    }

    fn check(&self) -> Result<(), Error> {
        let detector = &self.detector;
        within("detector.width", detector.width, 32..=2048)?;
        within("detector.height", detector.height, 32..=2048)?;
        if detector.outputs == DetectorOutputs::Yunet {
            for (field, side) in [("width", detector.width), ("height", detector.height)] {
                if !side.is_multiple_of(YUNET_STEP) {
                    return Err(unavailable(format!(
                        "detector.{field} is {side}, but YuNet takes multiples of {YUNET_STEP}"
                    ))
                    .suggest("give 640, which is what the model of OpenCV's zoo has"));
                }
            }
        }
        if !(detector.min_score > 0.0 && detector.min_score <= 1.0) {
            return Err(unavailable(format!(
                "detector.minScore is {}, but it lies above 0 and up to 1",
                detector.min_score
            ))
            .suggest("give 0.6"));
        }
        range("detector", detector.mean, detector.std)?;
        within("swapper.size", self.swapper.size, 16..=1024)?;
        range("swapper", self.swapper.mean, self.swapper.std)?;
        range("swapper's output", self.swapper.output_mean, self.swapper.output_std)?;
        if let Some(embedder) = &self.embedder {
            within("embedder.size", embedder.size, 16..=1024)?;
            range("embedder", embedder.mean, embedder.std)?;
        }
        match (&self.embedder, &self.face) {
            (Some(_), None) => Err(unavailable("there is an embedder, but no face")
                .suggest("give in `face` a PNG with the face that is put in place")),
            (None, Some(_)) => Err(unavailable("there is a face, but no embedder that would read it")
                .suggest("give an embedder or leave `face` out")),
            (None, None) if self.swapper.projection != Projection::None => {
                Err(unavailable("swapper.projection needs an embedder, and there is none")
                    .suggest("leave `projection` out"))
            }
            _ => Ok(()),
        }
    }
}

/// Reads the description itself.
pub(super) fn read_description(path: &Path) -> Result<Vec<u8>, Error> {
    read(path, &path.display().to_string(), MAX_DESCRIPTION)
}

/// Reads a file that the description names, of at most `limit` bytes. Names stay within `folder`: a description that comes
/// from elsewhere must not reach into the machine's other files.
pub(super) fn read_part(folder: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let relative = PathBuf::from(name);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if name.is_empty() || !inside {
        return Err(unavailable(format!("\"{name}\" is not a path within the description's folder"))
            .suggest("put the file beside the description and give its name"));
    }
    read(&folder.join(relative), name, limit)
}

fn read(path: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let unreadable = |error: std::io::Error| {
        unavailable(format!("\"{name}\" cannot be read: {error}")).suggest("check the path and the rights of the file")
    };
    let too_large = |size: u64| {
        unavailable(format!("\"{name}\" has {size} bytes or more; at most {limit} are taken"))
            .suggest("give a smaller file")
    };
    // A pipe or a device would block or never end.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unavailable(format!("\"{name}\" is not a file")).suggest("give a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    match bytes.len() as u64 {
        size if size > limit => Err(too_large(size)),
        _ => Ok(bytes),
    }
}

fn within(field: &str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(unavailable(format!("{field} is {value}, but it lies from {} to {}", range.start(), range.end()))
        .suggest("give the size that the model was made for"))
}

fn range(part: &str, mean: f32, std: f32) -> Result<(), Error> {
    if mean.is_finite() && std.is_finite() && std != 0.0 {
        return Ok(());
    }
    Err(unavailable(format!("the {part} has mean {mean} and std {std}; both are finite, std is not 0"))
        .suggest("give the numbers that the model was made with"))
}

fn detector_side() -> u32 {
    640
}
fn swapper_size() -> u32 {
    128
}
fn embedder_size() -> u32 {
    112
}
fn bgr() -> Channels {
    Channels::Bgr
}
fn rgb() -> Channels {
    Channels::Rgb
}
fn one() -> f32 {
    1.0
}
fn half() -> f32 {
    127.5
}
fn full() -> f32 {
    255.0
}
fn min_score() -> f32 {
    0.6
}
fn yunet() -> DetectorOutputs {
    DetectorOutputs::Yunet
}
fn arcface() -> Template {
    Template::Arcface
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn message(json: &str) -> String {
        match Description::parse(json.as_bytes()) {
            Ok(_) => String::new(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn short_description_has_the_defaults_of_yunet_and_inswapper() {
        let json = r#"{"detector":{"file":"d"},"swapper":{"file":"s"}}"#;
        let description = Description::parse(json.as_bytes()).expect("valid");
        assert_eq!((description.detector.width, description.detector.height), (640, 640));
        assert_eq!(description.detector.numbers(), Numbers { channels: Channels::Bgr, mean: 0.0, std: 1.0 });
        assert_eq!(description.detector.outputs, DetectorOutputs::Yunet);
        assert_eq!(description.swapper.size, 128);
        assert_eq!(description.swapper.numbers(), Numbers { channels: Channels::Rgb, mean: 0.0, std: 255.0 });
    }

    #[test]
    fn faults_are_named() {
        assert!(message(r#"{"detector":{"file":"d","colour":1},"swapper":{"file":"s"}}"#).contains("colour"));
        assert!(message(r#"{"detector":{"file":"d","width":100},"swapper":{"file":"s"}}"#).contains("detector.width"));
        assert!(message(r#"{"detector":{"file":"d","std":0},"swapper":{"file":"s"}}"#).contains("std"));
        assert!(message(r#"{"detector":{"file":"d","minScore":0},"swapper":{"file":"s"}}"#).contains("minScore"));
        assert!(message(r#"{"detector":{"file":"d"},"swapper":{"file":"s"},"face":"f"}"#).contains("no embedder"));
        assert!(
            message(r#"{"detector":{"file":"d"},"swapper":{"file":"s"},"embedder":{"file":"e"}}"#).contains("no face")
        );
        assert!(message("{").contains("not valid"));
    }

    #[test]
    fn names_stay_in_the_folder() {
        for name in ["/etc/passwd", "../x", "", "a/../../b"] {
            let error = read_part(Path::new("/tmp"), name, 10).expect_err("refused");
            assert!(error.message().contains("within"), "{error}");
        }
    }
}
