//! Another face in pictures, by ONNX models that the caller brings.
//!
//! An [`OnnxPerformer`] holds the models and is shared; a `Track` holds the state of one shot. For each frame the detector finds faces and five landmarks
//! (`detect`), the track steadies them (`track`), a similarity brings each face into an upright square (`align`), the swapper
//! paints the square anew, and it goes back through a soft mask (`blend`). `model` is the only file that knows the runtime,
//! `graph` looks at a file before the runtime does.
//!
//! No weights are shipped.

mod align;
mod blend;
mod description;
mod detect;
mod fault;
mod graph;
mod model;
mod picture;
mod track;

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::ImageDecoder;

use self::align::{Landmarks, Similarity, align, pixels, planes, template};
use self::description::{
    Description, Embedder, MAX_FACE, MAX_MODEL, Numbers, Projection, Template, read_description, read_part,
};
use self::detect::{Face, detect};
use self::fault::{internal, unavailable};
use self::graph::Matrix;
use self::model::{Model, Port, Runner, Tensor};
use self::picture::{MAX_SIDE, Picture, Square};
use self::track::Track;
use super::{FrameTransform, Replacement, ShotTransform};
use crate::error::Error;

/// Raised whenever the same files give other bytes.
const VERSION: u32 = 1;

/// Models that replace faces, loaded once and shared by all shots. Cheap to clone.
#[derive(Clone)]
pub struct OnnxPerformer {
    models: Arc<Models>,
    identity: String,
}

impl OnnxPerformer {
    /// Loads a description (JSON) and the files it names, which lie in its folder, and runs each model once, so that wrong
    /// shapes show here and not in the first frame.
    ///
    /// # Errors
    /// `PERFORMER_UNAVAILABLE` for files that are missing, broken or too large, for operators that are not there and for
    /// contradictions, with the file, what was expected and what was found; `INTERNAL` if the runtime fails.
    pub fn load(description: &Path) -> Result<Self, Error> {
        let folder = description.parent().unwrap_or_else(|| Path::new(""));
        let bytes = read_description(description)?;
        let mut identity = Identity::new();
        identity.add("description", &bytes);
        let description = Description::parse(&bytes)?;

        let mut file = |role: &str, name: &str, limit: u64| -> Result<Vec<u8>, Error> {
            let bytes = read_part(folder, name, limit)?;
            identity.add(role, &bytes);
            Ok(bytes)
        };
        let detector =
            Model::load(&description.detector.file, file("detector", &description.detector.file, MAX_MODEL)?)?;
        let swapper = file("swapper", &description.swapper.file, MAX_MODEL)?;
        let projection = match description.swapper.projection {
            Projection::None => None,
            Projection::LastInitializer => Some(graph::last_initializer(&description.swapper.file, &swapper)?),
        };
        let swapper = Model::load(&description.swapper.file, swapper)?;
        let runner = Runner::new();
        let mut models = Models { detector, swapper, source: None, description };
        if let (Some(embedder), Some(face)) = (&models.description.embedder, &models.description.face) {
            let model = Model::load(&embedder.file, file("embedder", &embedder.file, MAX_MODEL)?)?;
            let png = file("face", face, MAX_FACE)?;
            let embedding = models.embed(&model, embedder, &runner, face, &png)?;
            models.source = Some(match projection {
                Some(matrix) => project(&models.description.swapper.file, &matrix, &embedding)?,
                None => embedding,
            });
        }
        models.try_out(&runner)?;
        Ok(Self { models: Arc::new(models), identity: identity.finish() })
    }
}

impl FrameTransform for OnnxPerformer {
    /// BLAKE3, in 64 hexadecimal digits, of the description, all files, the version of this implementation, and the kind of CPU: the
    /// runtime has kernels for each, whose sums may differ in the last bit. So all machines that render a plan have to be of a kind.
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn lead_in(&self) -> u64 {
        track::WINDOW as u64
    }

    fn begin(&self) -> Result<Box<dyn ShotTransform>, Error> {
        Ok(Box::new(Track::new(Arc::clone(&self.models))))
    }
}

impl std::fmt::Debug for OnnxPerformer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxPerformer").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// The kind of CPU, as far as the runtime's kernels differ by it.
fn cpu() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    match (std::is_x86_feature_detected!("avx512f"), std::is_x86_feature_detected!("avx2")) {
        (true, _) => return "x86_64 avx512",
        (false, true) => return "x86_64 avx2",
        (false, false) => {}
    }
    std::env::consts::ARCH
}

/// A hash of files in which neither order nor borders can be confused.
struct Identity(blake3::Hasher);

impl Identity {
    fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"performer ").update(&VERSION.to_le_bytes()).update(cpu().as_bytes());
        Self(hasher)
    }

    fn add(&mut self, role: &str, bytes: &[u8]) {
        self.0.update(role.as_bytes()).update(&[0]).update(blake3::hash(bytes).as_bytes());
    }

    fn finish(self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The loaded models and what never changes between frames.
struct Models {
    description: Description,
    detector: Model,
    swapper: Model,
    /// The face that is put in place, as the swapper's `source`.
    source: Option<Vec<f32>>,
}

impl Models {
    fn detect(&self, runner: &Runner, picture: &Picture<'_>) -> Result<Vec<Face>, Error> {
        detect(&self.detector, &self.description.detector, runner, picture)
    }

    /// Runs detector and swapper on black, for their shapes.
    fn try_out(&self, runner: &Runner) -> Result<(), Error> {
        let black = vec![0; 64 * 64 * 3];
        self.detect(runner, &Picture::new(&black, 64, 64)?)?;
        let size = self.description.swapper.size;
        self.swap(runner, &Square { size, pixels: vec![[0.0; 3]; size as usize * size as usize] }).map(|_| ())
    }

    /// The numbers of the largest face in a PNG, of length 1.
    fn embed(
        &self,
        model: &Model,
        embedder: &Embedder,
        runner: &Runner,
        name: &str,
        png: &[u8],
    ) -> Result<Vec<f32>, Error> {
        let (rgb, width, height) = read_png(name, png)?;
        let picture = Picture::new(&rgb, width, height)?;
        let faces = self.detect(runner, &picture)?;
        let area = |face: &Face| face.frame[2] * face.frame[3];
        let largest = faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)));
        let target = template(Template::Arcface, embedder.size);
        let Some(similarity) = largest.and_then(|face| Similarity::between(&face.landmarks, &target)) else {
            return Err(unavailable(format!("no face was found in \"{name}\""))
                .suggest("give a picture in which one face looks into the camera, at least 100 pixels wide"));
        };
        let square = align(&picture, &similarity, embedder.size);
        let shape = square_shape(3, embedder.size);
        let ([input], [output, ..]) = (model.inputs(), model.outputs()) else {
            return Err(unavailable(format!(
                "\"{}\" has {} inputs and {} outputs; an embedder has one of each",
                model.file(),
                model.inputs().len(),
                model.outputs().len()
            ))
            .suggest("use a face recognition model, such as ArcFace"));
        };
        model.check_input(input, &shape)?;
        let values = planes(&square.pixels, embedder.numbers());
        let found = model.run(runner, vec![(input, Tensor { shape, values })], &[output])?;
        let Some(tensor) = found.into_iter().next() else {
            return Err(internal(format!("\"{}\" gave nothing", model.file())));
        };
        if !matches!(tensor.shape.as_slice(), [1, n] if *n > 0) {
            return Err(model.output_error(output, "[1, D]", &tensor.shape));
        }
        unit(tensor.values).ok_or_else(|| {
            unavailable(format!("\"{}\" made no finite numbers of \"{name}\"", model.file()))
                .suggest("check the embedder's mean and std")
        })
    }

    /// Paints a square anew: the picture and, if the model has one, its mask of 0..=1, row by row.
    fn swap(&self, runner: &Runner, square: &Square) -> Result<(Square, Option<Vec<f32>>), Error> {
        let (model, swapper) = (&self.swapper, &self.description.swapper);
        let inputs = self.swapper_inputs(square)?;
        let Some(picture_port) = Model::find(model.outputs(), "output", 0) else {
            return Err(
                unavailable(format!("\"{}\" has no output", model.file())).suggest("use a model that paints faces")
            );
        };
        let others: Vec<&Port> = model.outputs().iter().filter(|port| !std::ptr::eq(*port, picture_port)).collect();
        let mask_port = others.iter().find(|port| port.name == "mask").or(others.first()).copied();
        let ports: Vec<&Port> = std::iter::once(picture_port).chain(mask_port).collect();
        let mut found = model.run(runner, inputs, &ports)?.into_iter();
        let not_finite = || {
            unavailable(format!("\"{}\" gave values that are no numbers", model.file()))
                .suggest("check the swapper's mean and std, and whether its weights are complete")
        };

        let painted = found.next().unwrap_or(Tensor { shape: Vec::new(), values: Vec::new() });
        let shape = square_shape(3, swapper.size);
        if painted.shape != shape {
            return Err(model.output_error(picture_port, &format!("{shape:?}"), &painted.shape));
        }
        let numbers =
            Numbers { channels: swapper.numbers().channels, mean: swapper.output_mean, std: swapper.output_std };
        let pixels = pixels(&painted.values, swapper.size, numbers).ok_or_else(not_finite)?;
        let painted = Square { size: swapper.size, pixels };

        let (Some(port), Some(mask)) = (mask_port, found.next()) else { return Ok((painted, None)) };
        let shape = square_shape(1, swapper.size);
        if mask.shape != shape {
            return Err(model.output_error(port, &format!("a mask of {shape:?}"), &mask.shape));
        }
        if mask.values.iter().any(|value| !value.is_finite()) {
            return Err(not_finite());
        }
        Ok((painted, Some(mask.values)))
    }

    fn swapper_inputs(&self, square: &Square) -> Result<Vec<(&Port, Tensor)>, Error> {
        let (model, swapper) = (&self.swapper, &self.description.swapper);
        let expected = if self.source.is_some() { 2 } else { 1 };
        let target = Model::find(model.inputs(), "target", 0);
        let (Some(target), true) = (target, model.inputs().len() == expected) else {
            return Err(unavailable(format!(
                "\"{}\" has {} inputs; {expected} are expected",
                model.file(),
                model.inputs().len()
            ))
            .suggest("A swapper with the inputs target and source needs an embedder, one with target alone has none"));
        };
        let shape = square_shape(3, swapper.size);
        model.check_input(target, &shape)?;
        let values = planes(&square.pixels, swapper.numbers());
        let mut inputs = vec![(target, Tensor { shape, values })];
        let other = model.inputs().iter().find(|port| !std::ptr::eq(*port, target));
        if let (Some(port), Some(source)) = (other, &self.source) {
            let shape = vec![1, source.len()];
            model.check_input(port, &shape)?;
            inputs.push((port, Tensor { shape, values: source.clone() }));
        }
        Ok(inputs)
    }
}

/// Replaces one face. `None` when its landmarks are no face or it lies outside of the picture.
fn perform(
    models: &Models,
    runner: &Runner,
    picture: &Picture<'_>,
    landmarks: &Landmarks,
) -> Result<Option<Replacement>, Error> {
    let swapper = &models.description.swapper;
    let Some(to_square) = Similarity::between(landmarks, &template(swapper.template, swapper.size)) else {
        return Ok(None);
    };
    let square = align(picture, &to_square, swapper.size);
    let (painted, mask) = models.swap(runner, &square)?;
    Ok(blend::put_back(picture, &painted, mask.as_deref(), &to_square))
}

fn square_shape(channels: usize, size: u32) -> Vec<usize> {
    vec![1, channels, size as usize, size as usize]
}

/// The values over their Euclidean length. `None` when that is 0 or not finite.
fn unit(mut values: Vec<f32>) -> Option<Vec<f32>> {
    let length = values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if !length.is_finite() || length <= 0.0 {
        return None;
    }
    for value in &mut values {
        *value = (f64::from(*value) / length) as f32;
    }
    Some(values)
}

/// An embedding as a row, times a matrix, of length 1.
fn project(file: &str, matrix: &Matrix, embedding: &[f32]) -> Result<Vec<f32>, Error> {
    let fault = |what: String| {
        unavailable(format!("the last initializer of \"{file}\" {what}"))
            .suggest("use the embedder that the swapper was made with")
    };
    if matrix.rows != embedding.len() {
        return Err(fault(format!("has {} rows; {} are expected", matrix.rows, embedding.len())));
    }
    let mut sums = vec![0.0_f64; matrix.columns];
    for (value, row) in embedding.iter().zip(matrix.values.chunks_exact(matrix.columns)) {
        for (sum, factor) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value) * f64::from(*factor);
        }
    }
    unit(sums.into_iter().map(|sum| sum as f32).collect()).ok_or_else(|| fault("gives no finite numbers".to_owned()))
}

/// The pixels of a PNG as R, G, B of 0..=255, its width and its height.
fn read_png(name: &str, png: &[u8]) -> Result<(Vec<u8>, u32, u32), Error> {
    let broken = |error: image::ImageError| {
        unavailable(format!("\"{name}\" is not a PNG that can be read: {error}"))
            .suggest("save the picture as PNG again")
    };
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    let mut decoder = image::codecs::png::PngDecoder::with_limits(Cursor::new(png), limits.clone()).map_err(broken)?;
    decoder.set_limits(limits).map_err(broken)?;
    let picture = image::DynamicImage::from_decoder(decoder).map_err(broken)?.to_rgb8();
    let (width, height) = picture.dimensions();
    Ok((picture.into_raw(), width, height))
}
