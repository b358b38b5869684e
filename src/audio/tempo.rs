//! A source's sound at another speed.

use super::decode::SoundReader;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{AvError, Tempo};
use crate::units::Speed;

/// Sample frames that are read at once.
const BLOCK: usize = 4096;

/// Reads a sound at the speed at which its pictures are seen; its pitch stays.
pub(crate) struct SpeedReader {
    reader: SoundReader,
    /// `None` for the normal speed.
    tempo: Option<Tempo>,
    /// What has come out and is not handed out yet, from `read` on.
    buffer: Vec<f32>,
    read: usize,
    /// Whether the sound has given anything, and whether it is over.
    heard: bool,
    ended: bool,
}

impl SpeedReader {
    pub(crate) fn new(reader: SoundReader, speed: Speed) -> Result<Self> {
        let tempo = match speed {
            Speed::NORMAL => None,
            _ => Some(Tempo::new(speed.as_f64()).map_err(failed)?),
        };
        Ok(Self { reader, tempo, buffer: Vec::new(), read: 0, heard: false, ended: false })
    }

    /// The sound as it is.
    pub(crate) fn inner(&self) -> &SoundReader {
        &self.reader
    }

    /// As [`SoundReader::read`].
    pub(crate) fn read(&mut self, out: &mut [f32]) -> Result<usize> {
        let Some(tempo) = &mut self.tempo else { return self.reader.read(out) };
        let mut written = 0;
        while written < out.len() {
            if self.read < self.buffer.len() {
                let count = (self.buffer.len() - self.read).min(out.len() - written);
                out[written..written + count].copy_from_slice(&self.buffer[self.read..self.read + count]);
                self.read += count;
                written += count;
                continue;
            }
            self.buffer.clear();
            self.read = 0;
            if tempo.receive(&mut self.buffer).map_err(failed)? {
                continue;
            }
            if self.ended {
                break;
            }
            let mut block = vec![0.0; 2 * BLOCK];
            let count = self.reader.read(&mut block)?;
            tempo.send(&block[..2 * count]).map_err(failed)?;
            self.heard |= count > 0;
            if count < BLOCK {
                self.ended = true;
                // Of nothing there is no end either: some versions of the filter abort at it.
                if !self.heard {
                    break;
                }
                tempo.send_end().map_err(failed)?;
            }
        }
        Ok(written / 2)
    }
}

fn failed(error: AvError) -> Error {
    Error::new(ErrorKind::Internal, "the speed of a sound cannot be changed").caused_by(error)
}
