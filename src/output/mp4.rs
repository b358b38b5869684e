//! Chunks and sound to one MP4 file, by stream copy.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::Ordering;

use crate::audio::Mixer;
use crate::encode::{AUDIO_BIT_RATE, EncodedChunk};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AacEncoder, AudioTrack, AvError, Interrupt, Mp4Writer, Packet, VideoTrack};
use crate::plan::{Plan, SAMPLE_RATE};
use crate::store::ChunkStore;
use crate::units::FrameIndex;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mp4Summary {
    pub(crate) frames: u64,
}

/// Writes the chunks of `plan`, which must all be in `store`, and the sound of `mixer` to `path`.
///
/// Pictures get exact times: frame `n` of the output is at `n`, and decoding order counts up by one from minus the
/// reordering depth, across all seams. Memory: one chunk.
///
/// # Errors
/// `NOT_FOUND` if a chunk is missing, `OUTPUT_FAILED` if the file cannot be written, `CANCELED`, and what decoding the
/// sound reports.
pub(crate) fn write_mp4(
    plan: &Plan,
    store: &ChunkStore,
    mixer: Mixer<'_>,
    path: &Path,
    interrupt: &Interrupt,
    mut on_frames: impl FnMut(u64),
) -> Result<Mp4Summary> {
    let mut chunks = plan.chunks().iter();
    let load = |index: usize| -> Result<EncodedChunk> {
        let key = &plan.chunks()[index].key;
        store.get(key)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("chunk {index} ({key}) has not been rendered"))
                .suggest("run generate_visuals first")
        })
    };
    let first = load(0)?;
    let mut sound = SoundTrack::new(mixer)?;
    let (width, height) = (plan.canvas().width(), plan.canvas().height());
    let video = VideoTrack {
        width,
        height,
        rate: plan.rate(),
        extradata: &first.extradata,
        reorder_depth: first.reorder_depth,
    };
    let aac = sound.encoder.extradata();
    let audio = AudioTrack {
        sample_rate: SAMPLE_RATE,
        bit_rate: AUDIO_BIT_RATE,
        frame_size: sound.encoder.frame_size(),
        extradata: &aac,
    };
    let mut writer = Mp4Writer::create(path, &video, Some(&audio)).map_err(|error| failed(path, error))?;

    let mut decoded = 0i64;
    let mut loaded = Some(first.clone());
    for (index, planned) in chunks.by_ref().enumerate() {
        let chunk = match loaded.take() {
            Some(chunk) => chunk,
            None => load(index)?,
        };
        check(&chunk, &first, planned.frames.len(), index)?;
        for picture in &chunk.pictures {
            if interrupt.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while the video was assembled"));
            }
            let pts = planned.frames.start.0 as i64 + i64::from(picture.frame);
            let dts = decoded - i64::from(first.reorder_depth);
            let until = plan.rate().time_of(FrameIndex(decoded as u64)).to_sample_frames(SAMPLE_RATE);
            sound.write_until(until, &mut writer, path)?;
            writer.write_video(&picture.data, pts, dts, picture.is_key).map_err(|error| failed(path, error))?;
            decoded += 1;
        }
        on_frames(decoded as u64);
    }
    sound.write_until(i64::MAX, &mut writer, path)?;
    writer.finish().map_err(|error| failed(path, error))?;
    Ok(Mp4Summary { frames: decoded as u64 })
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

/// The mix as AAC packets.
///
/// The encoder's first packet holds only its priming. It is left out, so that the first packet in the file starts at 0
/// without an edit list: players that honour edit lists and those that do not hear the same.
struct SoundTrack<'a> {
    encoder: AacEncoder,
    mixer: Mixer<'a>,
    packet: Packet,
    ready: VecDeque<(i64, Vec<u8>)>,
    block: Vec<f32>,
    mixed: i64,
    ended: bool,
}

impl<'a> SoundTrack<'a> {
    fn new(mixer: Mixer<'a>) -> Result<Self> {
        let encoder = AacEncoder::open(SAMPLE_RATE, AUDIO_BIT_RATE)
            .map_err(|error| Error::new(ErrorKind::Internal, "the AAC encoder cannot be opened").caused_by(error))?;
        let block = vec![0.0; encoder.frame_size() * 2];
        let packet = Packet::new().map_err(encoding)?;
        Ok(Self { encoder, mixer, packet, ready: VecDeque::new(), block, mixed: 0, ended: false })
    }

    /// Writes all packets that start before sample frame `until`.
    fn write_until(&mut self, until: i64, writer: &mut Mp4Writer, path: &Path) -> Result<()> {
        loop {
            while let Some((pts, data)) = self.ready.front() {
                if *pts >= until {
                    return Ok(());
                }
                // The last packet is filled up by the encoder; in the file it is as long as the sound.
                let frame_size = self.encoder.frame_size() as i64;
                let duration = if self.ended { frame_size.min(self.mixed - pts) } else { frame_size };
                if *pts >= 0 && duration > 0 {
                    writer.write_audio(data, *pts, duration).map_err(|error| failed(path, error))?;
                }
                self.ready.pop_front();
            }
            if self.ended {
                return Ok(());
            }
            self.encode_block()?;
        }
    }

    fn encode_block(&mut self) -> Result<()> {
        let count = self.mixer.read(&mut self.block)?;
        if count == 0 {
            self.ended = true;
            self.encoder.send_end().map_err(encoding)?;
        } else {
            self.mixed += count as i64;
            self.encoder.send(&self.block[..count * 2]).map_err(encoding)?;
        }
        while self.encoder.receive(&mut self.packet).map_err(encoding)? {
            if let Some(pts) = self.packet.pts() {
                self.ready.push_back((pts, self.packet.data().to_vec()));
            }
        }
        Ok(())
    }
}

fn encoding(error: AvError) -> Error {
    Error::new(ErrorKind::Internal, "encoding the sound failed").caused_by(error)
}
