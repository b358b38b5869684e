//! Finds faces in a picture: scales it for the detector, decodes what comes out, and drops doubles.

use super::align::{Landmarks, planes};
use super::description::{Detector, DetectorOutputs};
use super::fault::unavailable;
use super::model::{Model, Port, Runner, Tensor};
use super::picture::Picture;
use crate::error::Error;

/// Shortest side of a face's box in pixels of the picture.
pub(super) const MIN_FACE: f64 = 24.0;
/// Most faces in one picture.
pub(super) const MAX_FACES: usize = 8;
/// Boxes that overlap more than this are one face: the default of OpenCV's `FaceDetectorYN`.
const MAX_OVERLAP: f64 = 0.3;
/// Candidates that are compared with each other, the best first: OpenCV's `top_k`.
const MAX_CANDIDATES: usize = 5000;
/// Most rows of a decoded output.
const MAX_ROWS: usize = 1 << 20;
/// The cells of YuNet's three grids in pixels.
const STRIDES: [u32; 3] = [8, 16, 32];
/// YuNet's outputs for each grid, and the values of each in a cell.
const HEADS: [(&str, usize); 4] = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];

/// A face in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Face {
    /// Left, top, width, height.
    pub(super) frame: [f64; 4],
    pub(super) landmarks: Landmarks,
    /// 0..=1.
    pub(super) score: f32,
}

impl Face {
    /// Intersection over union of the boxes, 0..=1.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let ([ax, ay, aw, ah], [bx, by, bw, bh]) = (self.frame, other.frame);
        let width = ((ax + aw).min(bx + bw) - ax.max(bx)).max(0.0);
        let height = ((ay + ah).min(by + bh) - ay.max(by)).max(0.0);
        let common = width * height;
        let union = aw * ah + bw * bh - common;
        if union > 0.0 { common / union } else { 0.0 }
    }
}

/// Finds the faces of a picture, the surest first.
///
/// # Errors
/// `Invalid` when the model's shapes are not those of the description, and what [`Model::run`] gives.
pub(super) fn detect(
    model: &Model,
    detector: &Detector,
    runner: &Runner,
    picture: &Picture<'_>,
) -> Result<Vec<Face>, Error> {
    let letterbox = Letterbox::new(picture, detector.width, detector.height);
    let shape = [1, 3, detector.height as usize, detector.width as usize];
    let [input] = model.inputs() else {
        return Err(unavailable(format!(
            "\"{}\" has {} inputs; a detector has one",
            model.file(),
            model.inputs().len()
        ))
        .suggest("use a detector of the kind that the description names"));
    };
    model.check_input(input, &shape)?;
    let values = planes(&letterbox.draw(picture), detector.numbers());
    let input = vec![(input, Tensor { shape: shape.to_vec(), values })];
    let faces = match detector.outputs {
        DetectorOutputs::Yunet => yunet(model, detector, runner, input)?,
        DetectorOutputs::Decoded => decoded(model, detector, runner, input)?,
    };
    let faces = faces.into_iter().map(|face| letterbox.back(face));
    let large = faces.filter(|face| plausible(face, picture));
    Ok(suppress(large.collect()))
}

/// Sides of at least [`MIN_FACE`], nothing that is not finite or far outside of the picture.
fn plausible(face: &Face, picture: &Picture<'_>) -> bool {
    let reach = 4.0 * f64::from(picture.width().max(picture.height()));
    let near = |value: &f64| value.is_finite() && value.abs() <= reach;
    let [.., width, height] = face.frame;
    face.frame.iter().chain(face.landmarks.iter().flatten()).all(near) && width.min(height) >= MIN_FACE
}

/// Non-maximum suppression: the surest face stays and takes all away that overlap it. Equal scores keep the model's order.
fn suppress(mut faces: Vec<Face>) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces.truncate(MAX_CANDIDATES);
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.len() == MAX_FACES {
            break;
        }
        if kept.iter().all(|other| face.overlap(other) <= MAX_OVERLAP) {
            kept.push(face);
        }
    }
    kept
}

fn decoded(
    model: &Model,
    detector: &Detector,
    runner: &Runner,
    input: Vec<(&Port, Tensor)>,
) -> Result<Vec<Face>, Error> {
    let Some(output) = model.outputs().first() else { return Err(too_few_outputs(model, 1)) };
    let found = model.run(runner, input, &[output])?;
    let Some(tensor) = found.first() else { return Err(too_few_outputs(model, 1)) };
    match tensor.shape.as_slice() {
        [rows, 15] | [1, rows, 15] if *rows <= MAX_ROWS => {}
        shape => return Err(model.output_error(output, "[N, 15] or [1, N, 15]", shape)),
    }
    let mut faces = Vec::new();
    for row in tensor.values.chunks_exact(15) {
        if let Some((score, values)) = row.split_last()
            && *score >= detector.min_score
            && score.is_finite()
        {
            faces.extend(face(values, *score));
        }
    }
    Ok(faces)
}

/// A face from left, top, width, height and five landmarks in pixels.
fn face(values: &[f32], score: f32) -> Option<Face> {
    let (frame, points) = values.split_first_chunk::<4>()?;
    let mut landmarks = [[0.0; 2]; 5];
    for (landmark, point) in landmarks.iter_mut().zip(points.chunks_exact(2)) {
        *landmark = [f64::from(*point.first()?), f64::from(*point.last()?)];
    }
    Some(Face { frame: frame.map(f64::from), landmarks, score: score.min(1.0) })
}

/// OpenCV 4, `modules/objdetect/src/face_detect.cpp`, `FaceDetectorYNImpl::postProcess`.
fn yunet(model: &Model, detector: &Detector, runner: &Runner, input: Vec<(&Port, Tensor)>) -> Result<Vec<Face>, Error> {
    let mut ports = Vec::with_capacity(HEADS.len() * STRIDES.len());
    for (head, _) in HEADS {
        for stride in STRIDES {
            let port = Model::find(model.outputs(), &format!("{head}_{stride}"), ports.len());
            ports.push(port.ok_or_else(|| too_few_outputs(model, HEADS.len() * STRIDES.len()))?);
        }
    }
    let found = model.run(runner, input, &ports)?;
    let mut faces = Vec::new();
    for (grid, stride) in STRIDES.into_iter().enumerate() {
        let (columns, rows) = (detector.width / stride, detector.height / stride);
        let cells = columns as usize * rows as usize;
        let mut heads = [&[] as &[f32]; 4];
        for (index, (values, (_, width))) in heads.iter_mut().zip(HEADS).enumerate() {
            let place = index * STRIDES.len() + grid;
            let (Some(tensor), Some(port)) = (found.get(place), ports.get(place)) else { continue };
            if !matches!(tensor.shape.as_slice(), [1, n, w] | [n, w] if *n == cells && *w == width) {
                return Err(model.output_error(port, &format!("[1, {cells}, {width}]"), &tensor.shape));
            }
            *values = &tensor.values;
        }
        let [classes, objects, boxes, points] = heads;
        let scores = classes.iter().zip(objects);
        let places = boxes.chunks_exact(4).zip(points.chunks_exact(10));
        for (cell, ((class, object), (frame, points))) in (0_u32..).zip(scores.zip(places)) {
            let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            // Written so that a score that is no number is left out.
            if score >= detector.min_score {
                faces.extend(cell_face(frame, points, [cell % columns, cell / columns], stride, score));
            }
        }
    }
    Ok(faces)
}

fn cell_face(frame: &[f32], points: &[f32], [column, row]: [u32; 2], stride: u32, score: f32) -> Option<Face> {
    let &[x, y, width, height] = frame else { return None };
    let [column, row, stride] = [column, row, stride].map(|value| value as f32);
    let (width, height) = (libm::expf(width) * stride, libm::expf(height) * stride);
    let (x, y) = ((column + x) * stride - width / 2.0, (row + y) * stride - height / 2.0);
    let mut values = vec![x, y, width, height];
    for point in points.chunks_exact(2) {
        let &[x, y] = point else { return None };
        values.extend([(x + column) * stride, (y + row) * stride]);
    }
    face(&values, score)
}

fn too_few_outputs(model: &Model, expected: usize) -> Error {
    unavailable(format!(
        "\"{}\" has {} outputs; a detector of this kind has {expected}",
        model.file(),
        model.outputs().len()
    ))
    .suggest("give in `outputs` the kind of detector that the file is")
}

/// The whole picture in the detector's input, at the top left, black to the right and below: as OpenCV pads.
struct Letterbox {
    input: [u32; 2],
    scaled: [u32; 2],
    /// Pixels of the picture for each pixel of the input.
    step: [f64; 2],
}

impl Letterbox {
    fn new(picture: &Picture<'_>, width: u32, height: u32) -> Self {
        let sides = [picture.width(), picture.height()].map(f64::from);
        let [across, down] = sides;
        let scale = (f64::from(width) / across).min(f64::from(height) / down);
        // Whole pixels, so each direction has a scale of its own.
        let fit = |side: f64, limit: u32| ((side * scale).round() as u32).clamp(1, limit);
        let scaled = [fit(across, width), fit(down, height)];
        Self { input: [width, height], scaled, step: [across / f64::from(scaled[0]), down / f64::from(scaled[1])] }
    }

    /// A place in the picture. Centres of pixels are whole numbers in both.
    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [(x + 0.5) * self.step[0] - 0.5, (y + 0.5) * self.step[1] - 0.5]
    }

    fn back(&self, face: Face) -> Face {
        let [x, y, width, height] = face.frame;
        let [x, y] = self.place([x, y]);
        Face {
            frame: [x, y, width * self.step[0], height * self.step[1]],
            landmarks: face.landmarks.map(|point| self.place(point)),
            score: face.score,
        }
    }

    /// The input's pixels, rows from the top, R, G, B of 0..=255. A triangle filter that widens as the picture shrinks, first
    /// along the rows, then along the columns: samples alone would skip pixels, and small faces with them.
    fn draw(&self, picture: &Picture<'_>) -> Vec<[f32; 3]> {
        let ([width, height], [scaled_width, scaled_height]) = (self.input, self.scaled);
        let across = weights(picture.width(), scaled_width);
        let down = weights(picture.height(), scaled_height);
        let mut narrow: Vec<Vec<[f32; 3]>> = Vec::with_capacity(picture.height() as usize);
        for row in picture.rows() {
            let (pixels, _) = row.as_chunks::<3>();
            narrow
                .push(across.iter().map(|taps| blend(taps, pixels.iter().map(|pixel| pixel.map(f32::from)))).collect());
        }
        let mut input = vec![[0.0; 3]; width as usize * height as usize];
        for (row, taps) in input.chunks_exact_mut(width as usize).zip(&down) {
            for (index, pixel) in row.iter_mut().take(scaled_width as usize).enumerate() {
                *pixel = blend(taps, narrow.iter().map(|row| row.get(index).copied().unwrap_or_default()));
            }
        }
        input
    }
}

/// The pixels that make up one: the first and the share of each.
struct Taps {
    first: usize,
    shares: Vec<f32>,
}

fn weights(from: u32, to: u32) -> Vec<Taps> {
    let step = f64::from(from) / f64::from(to);
    let reach = step.max(1.0);
    (0..to)
        .map(|index| {
            let centre = (f64::from(index) + 0.5) * step - 0.5;
            let first = (centre - reach).ceil().max(0.0) as u32;
            let last = ((centre + reach).floor() as u32).min(from - 1);
            let shares = (first..=last).map(|pixel| (1.0 - (f64::from(pixel) - centre).abs() / reach).max(0.0));
            let shares: Vec<f64> = shares.collect();
            let sum: f64 = shares.iter().sum();
            Taps { first: first as usize, shares: shares.iter().map(|share| (share / sum) as f32).collect() }
        })
        .collect()
}

fn blend(taps: &Taps, pixels: impl Iterator<Item = [f32; 3]>) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for (share, pixel) in taps.shares.iter().zip(pixels.skip(taps.first)) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += share * value;
        }
    }
    sum
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn face_at(x: f64, score: f32) -> Face {
        Face { frame: [x, 0.0, 40.0, 40.0], landmarks: [[x, 0.0]; 5], score }
    }

    #[test]
    fn overlapping_faces_are_one() {
        let kept = suppress(vec![face_at(0.0, 0.7), face_at(5.0, 0.9), face_at(100.0, 0.8)]);
        assert_eq!(kept, vec![face_at(5.0, 0.9), face_at(100.0, 0.8)]);
    }

    #[test]
    fn overlap_of_three_tenths_is_kept() {
        // Shift d of 40: (40 - d) / (40 + d); 21.6 gives 0.299, 21.5 gives 0.301.
        assert_eq!(suppress(vec![face_at(0.0, 0.9), face_at(21.6, 0.8)]).len(), 2);
        assert_eq!(suppress(vec![face_at(0.0, 0.9), face_at(21.5, 0.8)]).len(), 1);
    }

    #[test]
    fn at_most_eight_faces() {
        assert_eq!(suppress((0..20).map(|i| face_at(f64::from(i) * 50.0, 0.9)).collect()).len(), MAX_FACES);
    }

    #[test]
    fn letterbox_keeps_means_and_places() {
        // Left half black, right half white, 200x100 into 64x64: 64x32 with the edge at 32, black below.
        let rgb: Vec<u8> = (0..100 * 200).flat_map(|i| [if i % 200 < 100 { 0 } else { 255 }; 3]).collect();
        let picture = Picture::new(&rgb, 200, 100).expect("picture");
        let letterbox = Letterbox::new(&picture, 64, 64);
        let input = letterbox.draw(&picture);
        let at = |x: usize, y: usize| input[y * 64 + x][0];
        assert!(at(29, 16) < 1.0 && at(34, 16) > 254.0, "{} {}", at(29, 16), at(34, 16));
        assert!(at(34, 31) > 254.0);
        assert_eq!(at(34, 32), 0.0);
        let [x, y] = letterbox.place([31.5, 15.5]);
        assert!((x - 99.5).abs() < 1e-9 && (y - 49.5).abs() < 1e-9);
    }
}
