//! Chunks and sound to one MP4 file, by stream copy.

use std::path::Path;

use super::EncodedSound;
use crate::encode::{AUDIO_BIT_RATE, EncodedChunk};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AudioTrack, AvError, Interrupt, Mp4Writer, VideoTrack};
use crate::plan::{Plan, SAMPLE_RATE};
use crate::store::ChunkStore;
use crate::units::FrameIndex;

/// Writes the chunks of `plan`, which must all be in `store`, and its `sound` to `path`.
///
/// Pictures get exact times: frame `n` of the output is at `n`, and decoding order counts up by one from minus the
/// reordering depth, across all seams. Memory: two chunks.
///
/// # Errors
/// `NOT_FOUND` if a chunk is missing, `OUTPUT_FAILED` if the file cannot be written, `CANCELED`.
pub(crate) fn write_mp4(
    plan: &Plan,
    store: &ChunkStore,
    sound: &EncodedSound,
    path: &Path,
    interrupt: &Interrupt,
    mut on_frames: impl FnMut(u64),
) -> Result<()> {
    let mut chunks = plan.chunks().iter();
    let load = |index: usize| -> Result<EncodedChunk> {
        let key = &plan.chunks()[index].key;
        store.get(key)?.ok_or_else(|| {
            let message = format!("chunk {index} ({key}) is not in {}", store.describe());
            Error::new(ErrorKind::NotFound, message).suggest("render it, and assemble the plan again")
        })
    };
    let first = load(0)?;
    let (width, height) = (plan.canvas().width(), plan.canvas().height());
    let video = VideoTrack {
        width,
        height,
        rate: plan.rate(),
        extradata: &first.extradata,
        reorder_depth: first.reorder_depth,
    };
    let audio = AudioTrack {
        sample_rate: SAMPLE_RATE,
        bit_rate: AUDIO_BIT_RATE,
        frame_size: sound.frame_size,
        extradata: &sound.extradata,
    };
    let mut writer = Mp4Writer::create(path, &video, Some(&audio)).map_err(|error| failed(path, error))?;

    let mut sounds = sound.packets.iter().peekable();
    let mut write_sound = |until: i64, writer: &mut Mp4Writer| -> Result<()> {
        while let Some(packet) = sounds.next_if(|packet| packet.pts < until) {
            writer.write_audio(&packet.data, packet.pts, packet.duration).map_err(|error| failed(path, error))?;
        }
        Ok(())
    };
    let mut decoded = 0i64;
    let mut loaded = Some(first.clone());
    for (index, planned) in chunks.by_ref().enumerate() {
        let chunk = match loaded.take() {
            Some(chunk) => chunk,
            None => load(index)?,
        };
        check(&chunk, &first, planned.frames.len(), index)?;
        for picture in &chunk.pictures {
            if interrupt.is_set() {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while the video was assembled"));
            }
            interrupt.pulse().beat();
            let pts = planned.frames.start.0 as i64 + i64::from(picture.frame);
            let dts = decoded - i64::from(first.reorder_depth);
            let until = plan.rate().time_of(FrameIndex(decoded as u64)).to_sample_frames(SAMPLE_RATE);
            write_sound(until, &mut writer)?;
            writer.write_video(&picture.data, pts, dts, picture.is_key).map_err(|error| failed(path, error))?;
            decoded += 1;
        }
        on_frames(decoded as u64);
    }
    write_sound(i64::MAX, &mut writer)?;
    // Moves the index to the front, which rewrites the file.
    let _writing = interrupt.pulse().write();
    writer.finish().map_err(|error| failed(path, error))
}

/// A chunk must fit to the first one: the same headers, and a picture for each of its frames.
fn check(chunk: &EncodedChunk, first: &EncodedChunk, frames: u64, index: usize) -> Result<()> {
    let fits = chunk.extradata == first.extradata
        && chunk.reorder_depth == first.reorder_depth
        && chunk.pictures.len() as u64 == frames;
    if fits {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Internal, format!("chunk {index} does not fit to the others")))
    }
}

fn failed(path: &Path, error: AvError) -> Error {
    Error::new(ErrorKind::OutputFailed, format!("writing {} failed", path.display()))
        .caused_by(error)
        .suggest("free space on the disk or choose another folder")
}
