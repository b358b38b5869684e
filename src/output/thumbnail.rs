//! The thumbnail: a good frame of the finished video.

use std::num::NonZeroUsize;
use std::path::Path;

use crate::compose::{I420Ref, rgb_of};
use crate::encode::encode_jpeg;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::plan::Plan;
use crate::source::{Probed, ShotReader, keep, open_finished};
use crate::units::FrameIndex;

/// Chunk starts that are looked at, at most: each is an IDR picture, so one picture is decoded for each.
const CANDIDATES: usize = 12;
const QUALITY: u8 = 90;

/// The thumbnail of the finished video at `path` as JPEG, and its frame: the pinned one, or the best of the chunk
/// starts.
pub(crate) fn make_thumbnail(
    plan: &Plan,
    path: &Path,
    probed: &Probed,
    limits: &Limits,
    threads: NonZeroUsize,
    interrupt: &Interrupt,
) -> Result<(Vec<u8>, FrameIndex)> {
    let open = || open_finished(plan, path, probed, limits, interrupt);
    if let Some(frame) = plan.job().thumbnail_frame {
        return Ok((jpeg(open()?.frame_anywhere(frame.0)?)?, frame));
    }
    let starts: Vec<FrameIndex> = plan.chunks().iter().map(|chunk| chunk.frames.start).collect();
    let step = starts.len().div_ceil(CANDIDATES).max(1);
    let candidates: Vec<FrameIndex> = starts.into_iter().step_by(step).collect();
    let share = candidates.len().div_ceil(threads.get()).max(1);
    let found: Vec<Result<Option<Candidate>>> = std::thread::scope(|scope| {
        let look = |frames| scope.spawn(move || best_of(plan, frames, open()?));
        let workers: Vec<_> = candidates.chunks(share).map(look).collect();
        let died = || Error::new(ErrorKind::Internal, "a thread died while it chose the thumbnail");
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(died()))).collect()
    });
    let mut best: Option<Candidate> = None;
    for candidate in found {
        best = better(best, candidate?);
    }
    let best =
        best.ok_or_else(|| Error::new(ErrorKind::Internal, "the finished video has no picture for a thumbnail"))?;
    Ok((jpeg(&best.picture)?, best.frame))
}

struct Candidate {
    score: f64,
    picture: VideoFrame,
    frame: FrameIndex,
}

/// The better of two, the earlier one of equals.
fn better(first: Option<Candidate>, second: Option<Candidate>) -> Option<Candidate> {
    match (first, second) {
        (Some(first), Some(second)) if second.score > first.score => Some(second),
        (first, second) => first.or(second),
    }
}

fn best_of(plan: &Plan, frames: &[FrameIndex], mut video: ShotReader) -> Result<Option<Candidate>> {
    let mut best = None;
    for &frame in frames {
        let picture = video.frame_anywhere(frame.0)?;
        let Some(planes) = picture.planes() else { continue };
        // The hook is what makes people stop: a frame that shows it is worth more.
        let has_text = plan.texts().iter().any(|text| text.frames.contains(frame));
        let score = worth(planes) * if has_text { 1.5 } else { 1.0 };
        best = better(best, Some(Candidate { score, picture: keep(picture)?, frame }));
    }
    Ok(best)
}

/// How good a picture is as a thumbnail, from 0 (one flat colour): its contrast and sharpness, less where it is nearly
/// black or white. Measured on every fourth sample of the luma plane.
fn worth(planes: I420Ref<'_>) -> f64 {
    const STEP: usize = 4;
    let (mut count, mut sum, mut squares, mut edges) = (0u64, 0u64, 0u64, 0u64);
    for row in planes.y.rows().step_by(STEP) {
        for pair in row.windows(2).step_by(STEP) {
            let value = u64::from(pair[0]);
            count += 1;
            sum += value;
            squares += value * value;
            edges += u64::from(pair[0].abs_diff(pair[1]));
        }
    }
    let count = count.max(1) as f64;
    let mean = sum as f64 / count;
    let deviation = (squares as f64 / count - mean * mean).max(0.0).sqrt();
    let sharpness = edges as f64 / count;
    // 16 to 235 is the range of luma; both ends are bad, the middle two thirds equally good.
    let exposure = ((mean - 16.0) / 40.0).min((235.0 - mean) / 40.0).clamp(0.0, 1.0);
    deviation * (1.0 + sharpness).ln() * exposure
}

fn jpeg(picture: &VideoFrame) -> Result<Vec<u8>> {
    let failed = || Error::new(ErrorKind::Internal, "a finished frame is not in the working format");
    let planes = picture.planes().ok_or_else(failed)?;
    let (width, height) = (picture.width(), picture.height());
    let rgb = rgb_of(planes)?;
    encode_jpeg(&rgb, width, height, QUALITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::PlaneRef;

    fn worth_of(luma: &[u8], width: usize) -> f64 {
        let height = luma.len() / width;
        let chroma = vec![128; width.div_ceil(2) * height.div_ceil(2)];
        let plane = |data, width, height| PlaneRef::new(data, width, height, width).expect("fits");
        worth(I420Ref {
            y: plane(luma, width, height),
            u: plane(&chroma, width.div_ceil(2), height.div_ceil(2)),
            v: plane(&chroma, width.div_ceil(2), height.div_ceil(2)),
        })
    }

    #[test]
    fn a_picture_beats_black_white_and_flat() {
        let picture: Vec<u8> = (0..64 * 64).map(|n| (60 + (n * 37) % 120) as u8).collect();
        let black = vec![16u8; 64 * 64];
        let grey = vec![120u8; 64 * 64];
        let mostly_black: Vec<u8> = (0..64 * 64).map(|n| if n % 97 == 0 { 200 } else { 16 }).collect();
        let best = worth_of(&picture, 64);
        for other in [&black, &grey, &mostly_black] {
            assert!(worth_of(other, 64) < best / 4.0);
        }
    }
}
