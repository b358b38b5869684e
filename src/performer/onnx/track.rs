//! Faces over time: follows them from frame to frame and steadies their landmarks.
//!
//! All that a track knows is what it found in the last [`WINDOW`] frames. So a track that is started somewhere in a shot
//! gives, after [`WINDOW`] frames, the bytes of one that was there from the beginning. A recursive filter, as One Euro
//! (Casiez, Roussel, Vogel, CHI 2012), never forgets entirely; its idea is kept: steady while slow, prompt while fast.

use std::collections::VecDeque;
use std::sync::Arc;

use super::align::Landmarks;
use super::detect::Face;
use super::model::Runner;
use super::picture::Picture;
use super::{Models, perform};
use crate::error::Error;
use crate::performer::{Replacement, RgbFrame, ShotTransform};

/// Frames that a track looks back at most.
pub(super) const WINDOW: usize = 12;
/// Overlap from which faces of two frames in a row are the same.
const SAME: f64 = 0.3;
/// What a frame counts against the one after it.
const DECAY: f64 = 0.85;
/// Movement, as a share of the face's side, at which a former frame counts a quarter. Detectors tremble by about 1 %.
const TREMBLE: f64 = 0.02;
/// Cells along a side of the small picture that tells jumps.
const GRID: u32 = 16;
/// Mean difference of the small pictures' luma from which two frames are not of one shot, 0..=255.
const JUMP: f64 = 40.0;

/// The state of one shot. It takes frames in order.
///
/// A track runs its models on one thread of its own. Tracks of the same performer run side by side and share its weights.
pub(super) struct Track {
    models: Arc<Models>,
    runner: Runner,
    history: History,
}

impl Track {
    pub(super) fn new(models: Arc<Models>) -> Self {
        Self { models, runner: Runner::new(), history: History::default() }
    }
}

impl ShotTransform for Track {
    /// The faces of the next frame, the surest first. Each is painted from the frame as it came in. Faces below 24 pixels and all
    /// beyond eight are left as they are.
    fn next(&mut self, frame: RgbFrame<'_>) -> Result<Vec<Replacement>, Error> {
        let picture = Picture::new(frame.rgb, frame.width, frame.height)?;
        let faces = self.models.detect(&self.runner, &picture)?;
        self.history.push(Small::of(&picture), faces);
        let mut replacements = Vec::new();
        for landmarks in self.history.steadied() {
            replacements.extend(perform(&self.models, &self.runner, &picture, &landmarks)?);
        }
        Ok(replacements)
    }
}

/// What was found in the last frames of a shot, the newest in front.
#[derive(Default)]
struct History {
    frames: VecDeque<Vec<Face>>,
    last: Option<Small>,
}

impl History {
    fn push(&mut self, small: Small, faces: Vec<Face>) {
        if self.last.as_ref().is_some_and(|last| last.jumps_to(&small)) {
            self.frames.clear();
        }
        self.last = Some(small);
        self.frames.push_front(faces);
        self.frames.truncate(WINDOW + 1);
    }

    /// The landmarks of the newest frame's faces, each a weighted mean with those of the same face before. Everything is
    /// reckoned anew from the frames, in their order: no sum is carried on.
    fn steadied(&self) -> Vec<Landmarks> {
        let Some(newest) = self.frames.front() else { return Vec::new() };
        // Where each face of the newest frame is in the frame that is looked at.
        let mut places: Vec<Option<usize>> = (0..newest.len()).map(Some).collect();
        let mut means: Vec<Mean> = newest.iter().map(Mean::new).collect();
        let mut recency = 1.0;
        for (later, earlier) in self.frames.iter().zip(self.frames.iter().skip(1)) {
            let before = matches(later, earlier);
            recency *= DECAY;
            for (place, mean) in places.iter_mut().zip(&mut means) {
                *place = place.and_then(|index| before.get(index).copied().flatten());
                if let Some(face) = place.and_then(|index| earlier.get(index)) {
                    mean.add(face, recency);
                }
            }
        }
        means.iter().map(Mean::landmarks).collect()
    }
}

/// For each face of `later` the same face of `earlier`. The greatest overlap is taken first; equal ones keep their order.
fn matches(later: &[Face], earlier: &[Face]) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (index, face) in later.iter().enumerate() {
        for (other, candidate) in earlier.iter().enumerate() {
            let overlap = face.overlap(candidate);
            if overlap >= SAME {
                pairs.push((overlap, index, other));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut found: Vec<Option<usize>> = vec![None; later.len()];
    for (_, index, other) in pairs {
        if !found.contains(&Some(other))
            && let Some(slot @ None) = found.get_mut(index)
        {
            *slot = Some(other);
        }
    }
    found
}

/// A weighted mean about the newest landmarks.
struct Mean {
    newest: Landmarks,
    /// Side of the face in pixels.
    side: f64,
    /// Sum of the weighted differences to the newest landmarks.
    sum: Landmarks,
    weight: f64,
}

impl Mean {
    fn new(face: &Face) -> Self {
        let [.., width, height] = face.frame;
        Self { newest: face.landmarks, side: (width * height).sqrt(), sum: [[0.0; 2]; 5], weight: 1.0 }
    }

    /// Adds a former frame. Its weight falls with the square of one plus the squared movement, so that a face which moves is
    /// not drawn back to where it was.
    fn add(&mut self, face: &Face, recency: f64) {
        let differences: Landmarks = std::array::from_fn(|index| {
            let (new, old) = (self.newest.get(index), face.landmarks.get(index));
            match (new, old) {
                (Some([x, y]), Some([u, v])) => [u - x, v - y],
                _ => [0.0; 2],
            }
        });
        let moved = differences.iter().map(|[x, y]| (x * x + y * y).sqrt()).sum::<f64>() / 5.0;
        let relative = moved / (self.side * TREMBLE);
        let falling = 1.0 + relative * relative;
        let weight = recency / (falling * falling);
        for (sum, difference) in self.sum.iter_mut().flatten().zip(differences.iter().flatten()) {
            *sum += weight * difference;
        }
        self.weight += weight;
    }

    fn landmarks(&self) -> Landmarks {
        let mut landmarks = self.newest;
        for (value, sum) in landmarks.iter_mut().flatten().zip(self.sum.iter().flatten()) {
            *value += sum / self.weight;
        }
        landmarks
    }
}

/// A picture as 16 x 16 means of luma, 0..=255, and its size.
#[derive(Clone)]
struct Small {
    size: [u32; 2],
    cells: Vec<f64>,
}

impl Small {
    /// Luma with the weights of ITU-R BT.709. Eight by eight pixels of a cell are enough to tell shots apart.
    fn of(picture: &Picture<'_>) -> Self {
        const SAMPLES: u32 = 8;
        let at = |cell: u32, sample: u32, side: u32| {
            let place = u64::from(cell * SAMPLES + sample) * u64::from(side) / u64::from(GRID * SAMPLES);
            i64::try_from(place).unwrap_or(0)
        };
        let mut cells = Vec::with_capacity(GRID as usize * GRID as usize);
        for row in 0..GRID {
            for column in 0..GRID {
                let mut sum = 0.0;
                for down in 0..SAMPLES {
                    for across in 0..SAMPLES {
                        let y = at(row, down, picture.height());
                        let [r, g, b] = picture.pixel(at(column, across, picture.width()), y).map(f64::from);
                        sum += 0.2126 * r + 0.7152 * g + 0.0722 * b;
                    }
                }
                cells.push(sum / f64::from(SAMPLES * SAMPLES));
            }
        }
        Self { size: [picture.width(), picture.height()], cells }
    }

    fn jumps_to(&self, next: &Self) -> bool {
        let sum: f64 = self.cells.iter().zip(&next.cells).map(|(a, b)| (a - b).abs()).sum();
        self.size != next.size || sum / f64::from(GRID * GRID) > JUMP
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn face(x: f64) -> Face {
        let landmarks = [[x + 30.0, 40.0], [x + 70.0, 40.0], [x + 50.0, 60.0], [x + 35.0, 80.0], [x + 65.0, 80.0]];
        Face { frame: [x, 0.0, 100.0, 100.0], landmarks, score: 0.9 }
    }

    fn small(luma: f64) -> Small {
        Small { size: [640, 360], cells: vec![luma; 256] }
    }

    /// A tremble of up to one pixel, the same in every run.
    fn tremble(index: u32) -> f64 {
        f64::from(index.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 * 2.0 - 1.0
    }

    fn eyes(history: &History) -> Vec<f64> {
        history.steadied().iter().map(|landmarks| landmarks[0][0]).collect()
    }

    #[test]
    fn trembling_face_is_steadied() {
        let mut history = History::default();
        let (mut raw, mut steady) = (0.0, 0.0);
        for index in 0..200 {
            history.push(small(100.0), vec![face(10.0 + tremble(index))]);
            raw += tremble(index).powi(2);
            steady += (eyes(&history)[0] - 40.0).powi(2);
        }
        assert!(steady < raw / 4.0, "{steady} of {raw}");
    }

    #[test]
    fn moving_face_is_not_drawn_back() {
        let mut history = History::default();
        for index in 0..30 {
            history.push(small(100.0), vec![face(f64::from(index) * 8.0)]);
        }
        // 8 % of the face in each frame: the lag stays below a pixel.
        let lag = 29.0 * 8.0 + 30.0 - eyes(&history)[0];
        assert!((0.0..1.0).contains(&lag), "{lag}");
    }

    #[test]
    fn memory_ends_after_the_window() {
        let raw = |index: u32| vec![face(10.0 + tremble(index)), face(300.0 + 2.0 * tremble(index + 77))];
        let run = |start: u32| {
            let mut history = History::default();
            (start..70)
                .map(|index| {
                    history.push(small(100.0), raw(index));
                    (index, history.steadied())
                })
                .filter(|(index, _)| *index >= 60)
                .collect::<Vec<_>>()
        };
        assert_eq!(run(60 - 40), run(60 - 12));
        // The window is used to its end: one frame less makes a difference.
        assert_ne!(run(60 - 40), run(60 - 11));
    }

    #[test]
    fn jump_forgets() {
        let mut history = History::default();
        history.push(small(20.0), vec![face(10.0)]);
        history.push(small(200.0), vec![face(11.0)]);
        assert_eq!(eyes(&history), [41.0]);
        history.push(small(201.0), vec![face(10.0)]);
        assert_ne!(eyes(&history), [40.0]);
    }

    #[test]
    fn gone_face_is_dropped_and_others_stay_apart() {
        let mut history = History::default();
        history.push(small(0.0), vec![face(10.0), face(300.0)]);
        history.push(small(0.0), vec![face(301.0)]);
        assert_eq!(history.steadied().len(), 1);
        assert!((eyes(&history)[0] - 331.0).abs() < 1.0);
        history.push(small(0.0), vec![]);
        assert!(history.steadied().is_empty());
        // Nothing is carried over a frame without the face.
        history.push(small(0.0), vec![face(300.0)]);
        assert_eq!(eyes(&history), [330.0]);
    }

    #[test]
    fn two_faces_that_swap_their_order_keep_their_places() {
        let mut history = History::default();
        history.push(small(0.0), vec![face(10.0), face(80.0)]);
        history.push(small(0.0), vec![face(80.0), face(10.0)]);
        assert_eq!(eyes(&history), [110.0, 40.0]);
    }
}
