//! Sound faster or slower, at the pitch that it has.

use std::ptr;

use ffmpeg_next::ffi;

use super::graph::Chain;
use super::{AudioFrame, AvError};

/// Changes the speed of interleaved stereo f32 at 48 kHz with FFmpeg's `atempo`, which overlaps similar stretches (WSOLA).
pub(crate) struct Tempo {
    chain: Chain,
    frame: AudioFrame,
    /// Sample frames that were sent.
    sent: i64,
}

impl Tempo {
    /// For sound `times` as fast, 0.25 to 4.
    pub(crate) fn new(times: f64) -> Result<Self, AvError> {
        // One filter alone slows down to a half at most, and leaves stretches out above double speed.
        let steps = if (0.5..=2.0).contains(&times) { 1 } else { 2 };
        let each = format!("{:.9}", if steps == 1 { times } else { libm::sqrt(times) });
        let mut filters =
            vec![(c"abuffer", "sample_rate=48000:sample_fmt=flt:channel_layout=stereo:time_base=1/48000")];
        filters.extend(std::iter::repeat_n((c"atempo", each.as_str()), steps));
        filters.push((c"aformat", "sample_fmts=flt:sample_rates=48000:channel_layouts=stereo"));
        filters.push((c"abuffersink", ""));
        Ok(Self { chain: Chain::new(&filters)?, frame: AudioFrame::empty()?, sent: 0 })
    }

    /// Gives it the next sample frames, interleaved.
    pub(crate) fn send(&mut self, samples: &[f32]) -> Result<(), AvError> {
        let count = i32::try_from(samples.len() / 2).map_err(|_| AvError::invalid("av_frame_get_buffer"))?;
        if count == 0 {
            return Ok(());
        }
        let raw = self.frame.as_mut_ptr();
        // SAFETY: the frame is ours and made blank; its one plane has room for `count` sample frames of eight bytes, which
        // is what is copied.
        unsafe {
            ffi::av_frame_unref(raw);
            (*raw).nb_samples = count;
            (*raw).format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT as i32;
            (*raw).sample_rate = 48_000;
            (*raw).pts = self.sent;
            ffi::av_channel_layout_default(&mut (*raw).ch_layout, 2);
            AvError::check("av_frame_get_buffer", ffi::av_frame_get_buffer(raw, 0))?;
            ptr::copy_nonoverlapping(samples.as_ptr().cast::<u8>(), (*raw).data[0], count as usize * 8);
            self.chain.send(raw)?;
        }
        self.sent += i64::from(count);
        Ok(())
    }

    /// Tells it that nothing follows.
    pub(crate) fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: a null frame is the end.
        unsafe { self.chain.send(ptr::null_mut()) }
    }

    /// Appends what is finished to `out`, and gives whether there was any.
    pub(crate) fn receive(&mut self, out: &mut Vec<f32>) -> Result<bool, AvError> {
        let raw = self.frame.as_mut_ptr();
        // SAFETY: the frame is ours and made blank; what comes out is packed f32 of two channels, by the chain's format.
        unsafe {
            ffi::av_frame_unref(raw);
            if !self.chain.receive(raw)? {
                return Ok(false);
            }
            let count = usize::try_from((*raw).nb_samples).unwrap_or(0) * 2;
            if count > 0 {
                out.extend_from_slice(std::slice::from_raw_parts((*raw).data[0].cast::<f32>(), count));
            }
        }
        Ok(true)
    }
}
