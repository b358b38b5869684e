//! What the fuzz targets in `tests/fuzz` call: every way of bytes from outside into the engine, without encoding.
//!
//! Behind the feature `fuzzing`, and no part of the API. Each function reads one input the way that a job does, within
//! limits that keep a run to milliseconds. Errors are results like any other; what a target looks for is a panic, an
//! abort, a run that does not end, or memory that grows.

use std::path::Path;

use crate::audio::SoundReader;
use crate::compose::{Focus, cover};
use crate::error::{Error, ErrorKind, Result};
use crate::job::Control;
use crate::limits::Limits;
use crate::plan::SAMPLE_RATE;
use crate::request::Request;
use crate::source::{AtEnd, Probed, Reading, ShotReader, VideoKind, probe};
use crate::units::{CanvasSize, FrameRange, FrameRate, TimeSpan};

/// Frames of the output that are read of a source.
const FRAMES: u64 = 24;

/// Sample frames that are read of a source: ten seconds.
const SAMPLES: usize = 10 * SAMPLE_RATE as usize;

/// Small enough for thousands of runs a minute.
fn limits() -> Limits {
    Limits {
        source_bytes: 1 << 20,
        source_pixels: 1 << 20,
        picture_bytes: 1 << 20,
        picture_frames: 50,
        animation_pixels: 1 << 22,
        source_duration: TimeSpan::from_secs(60),
        source_packets: 2_000,
        ..Limits::default()
    }
}

/// Probes the file at `path` and reads its pictures as a shot does: from the start on, beyond the end, and once more
/// from a place in the middle. Gives the number of frames.
///
/// # Errors
/// As [`Engine::probe`](crate::Engine::probe); what decoding reports.
pub fn video(path: &Path) -> Result<u64> {
    crate::ffmpeg::quiet();
    let probed = probe(path, &limits(), &Control::new().interrupt())?;
    pictures(path, &probed)
}

/// As [`video`], for picture files: others are refused once they are probed.
///
/// # Errors
/// As [`video`].
pub fn still(path: &Path) -> Result<u64> {
    crate::ffmpeg::quiet();
    let probed = probe(path, &limits(), &Control::new().interrupt())?;
    if probed.info.video.as_ref().is_some_and(|video| video.kind == VideoKind::Clip) {
        return Err(Error::new(ErrorKind::SourceUnsupported, "it is not a picture"));
    }
    pictures(path, &probed)
}

/// Probes the file at `path` and reads its sound to the end, ten seconds at most; once from the start and once from a
/// second later. Gives the number of sample frames.
///
/// # Errors
/// As [`Engine::probe`](crate::Engine::probe); what decoding reports.
pub fn audio(path: &Path) -> Result<u64> {
    crate::ffmpeg::quiet();
    let (limits, interrupt) = (limits(), Control::new().interrupt());
    let probed = probe(path, &limits, &interrupt)?;
    let Some(sound) = &probed.audio else { return Ok(0) };
    let mut block = vec![0.0f32; 2 * 4096];
    let mut total = 0;
    for start in [TimeSpan::ZERO, TimeSpan::from_secs(1)] {
        let mut reader = SoundReader::open(path, sound, start, &limits, &interrupt)?;
        let mut read = 0;
        while read < SAMPLES {
            let count = reader.read(&mut block)?;
            read += count;
            if count < block.len() / 2 {
                break;
            }
        }
        total += read as u64;
    }
    Ok(total)
}

/// Reads a request and lists everything that is wrong with it.
///
/// # Errors
/// As [`Request::from_json`].
pub fn request(json: &[u8]) -> Result<usize> {
    Ok(Request::from_json(json, ".")?.findings(&Limits::default()).len())
}

fn pictures(path: &Path, probed: &Probed) -> Result<u64> {
    let (Some(info), Some(video)) = (&probed.info.video, &probed.video) else { return Ok(0) };
    let no_canvas = || Error::new(ErrorKind::Internal, "the canvas has no size");
    let canvas = CanvasSize::new(72, 128).ok_or_else(no_canvas)?;
    let (limits, interrupt) = (limits(), Control::new().interrupt());
    let middle = TimeSpan::from_ticks(info.duration.ticks() / 2);
    let mut count = 0;
    for (start, at_end) in [(TimeSpan::ZERO, AtEnd::Hold), (middle, AtEnd::Loop)] {
        let reading = Reading {
            start,
            end: None,
            rate: FrameRate::FPS_30,
            frames: FrameRange::new(0, FRAMES),
            at_end,
            rect: cover(info.size, canvas, Focus::default()),
            canvas,
            second: None,
        };
        let mut reader = ShotReader::open(path, video, reading, &limits, &interrupt)?;
        for frame in 0..FRAMES {
            reader.frame(frame)?;
            count += 1;
        }
    }
    Ok(count)
}
