//! Decoded sound, and its conversion to the engine's 48 kHz stereo f32.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::AvError;
use super::packet::timestamp;

/// An owned `AVFrame` of sound.
pub(crate) struct AudioFrame(NonNull<ffi::AVFrame>);

// SAFETY: a frame owns its data through atomic reference counts and refers to no thread.
unsafe impl Send for AudioFrame {}

impl AudioFrame {
    pub(crate) fn empty() -> Result<Self, AvError> {
        // SAFETY: av_frame_alloc has no preconditions.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or(AvError::no_memory("av_frame_alloc"))
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    pub(super) fn get(&self) -> &ffi::AVFrame {
        // SAFETY: the frame is ours and lives as long as `self`.
        unsafe { self.0.as_ref() }
    }

    /// Presentation time of the first sample frame, in the stream's time base.
    pub(crate) fn pts(&self) -> Option<i64> {
        let frame = self.get();
        timestamp(frame.best_effort_timestamp).or(timestamp(frame.pts))
    }
}

impl Drop for AudioFrame {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: the frame is ours and not used again.
        unsafe { ffi::av_frame_free(&mut raw) }
    }
}

/// Converts frames of one format to interleaved stereo f32 at `rate`.
///
/// One channel goes to both sides at full level (libswresample alone would lower it by 3 dB); more than two are mixed
/// down with libswresample's ITU matrix, normalised so that full scale in every channel stays within full scale.
pub(crate) struct Resampler {
    context: NonNull<ffi::SwrContext>,
    input: InputFormat,
    output_channels: usize,
    scratch: Vec<f32>,
}

// SAFETY: a resampler context is tied to no thread.
unsafe impl Send for Resampler {}

#[derive(Clone, Copy, PartialEq, Eq)]
struct InputFormat {
    sample_format: i32,
    sample_rate: i32,
    channels: i32,
}

impl InputFormat {
    fn of(frame: &AudioFrame) -> Self {
        let raw = frame.get();
        Self { sample_format: raw.format, sample_rate: raw.sample_rate, channels: raw.ch_layout.nb_channels }
    }
}

impl Resampler {
    /// A converter for frames like `frame`.
    pub(crate) fn for_frame(frame: &AudioFrame, rate: u32) -> Result<Self, AvError> {
        let input = InputFormat::of(frame);
        let sample_format = sample_format(input.sample_format).ok_or(AvError::invalid("swr_alloc_set_opts2"))?;
        let rate = c_int::try_from(rate).map_err(|_| AvError::invalid("swr_alloc_set_opts2"))?;
        let output_channels = if input.channels == 1 { 1 } else { 2 };
        // SAFETY: the layouts are initialised here and live across the call, which copies them; the context is freed
        // by swr_free on failure and by `drop` later.
        unsafe {
            let mut layout_in: ffi::AVChannelLayout = std::mem::zeroed();
            let frame_layout = &frame.get().ch_layout;
            if ptr::addr_of!(frame_layout.order).cast::<i32>().read()
                == ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE as i32
            {
                let code = ffi::av_channel_layout_copy(&mut layout_in, frame_layout);
                AvError::check("av_channel_layout_copy", code)?;
            } else {
                ffi::av_channel_layout_default(&mut layout_in, input.channels);
            }
            let mut layout_out: ffi::AVChannelLayout = std::mem::zeroed();
            ffi::av_channel_layout_default(&mut layout_out, output_channels);
            let mut raw = ptr::null_mut();
            let code = ffi::swr_alloc_set_opts2(
                &mut raw,
                &mut layout_out,
                ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT,
                rate,
                &mut layout_in,
                sample_format,
                input.sample_rate,
                0,
                ptr::null_mut(),
            );
            ffi::av_channel_layout_uninit(&mut layout_in);
            ffi::av_channel_layout_uninit(&mut layout_out);
            AvError::check("swr_alloc_set_opts2", code)?;
            let context = NonNull::new(raw).ok_or(AvError::no_memory("swr_alloc_set_opts2"))?;
            let resampler = Self { context, input, output_channels: output_channels as usize, scratch: Vec::new() };
            // Without it a float down-mix is not normalised and six loud channels clip.
            let code = ffi::av_opt_set_double(raw.cast(), c"rematrix_maxval".as_ptr(), 1.0, 0);
            AvError::check("av_opt_set_double(rematrix_maxval)", code)?;
            AvError::check("swr_init", ffi::swr_init(raw))?;
            Ok(resampler)
        }
    }

    /// Whether it takes frames like `frame`; a stream may change its format on the way.
    pub(crate) fn takes(&self, frame: &AudioFrame) -> bool {
        self.input == InputFormat::of(frame)
    }

    /// Converts `frame` and appends the sample frames to `out`, interleaved.
    pub(crate) fn convert(&mut self, frame: &AudioFrame, out: &mut Vec<f32>) -> Result<(), AvError> {
        let raw = frame.get();
        // SAFETY: `takes` is the caller's duty and checked here; a decoded frame's extended_data has its channels.
        if !self.takes(frame) {
            return Err(AvError::invalid("swr_convert"));
        }
        self.run(raw.extended_data.cast_const().cast(), raw.nb_samples, out)
    }

    /// Appends what the filter still holds.
    pub(crate) fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), AvError> {
        self.run(ptr::null(), 0, out)
    }

    fn run(&mut self, input: *const *const u8, samples: c_int, out: &mut Vec<f32>) -> Result<(), AvError> {
        // SAFETY: the scratch buffer holds `capacity` sample frames of `output_channels`; `input` is null or has the
        // planes of a frame of this converter's format with `samples` sample frames.
        let written = unsafe {
            let capacity = ffi::swr_get_out_samples(self.context.as_ptr(), samples);
            let capacity = AvError::check("swr_get_out_samples", capacity)?;
            self.scratch.resize(capacity as usize * self.output_channels, 0.0);
            let mut plane: *mut u8 = self.scratch.as_mut_ptr().cast();
            // The bindings differ in the constness of the pointers between FFmpeg versions.
            let code = ffi::swr_convert(
                self.context.as_ptr(),
                (&raw mut plane).cast(),
                capacity,
                input.cast_mut().cast(),
                samples,
            );
            AvError::check("swr_convert", code)? as usize
        };
        let samples = self.scratch.get(..written * self.output_channels).unwrap_or(&[]);
        if self.output_channels == 1 {
            out.extend(samples.iter().flat_map(|&sample| [sample, sample]));
        } else {
            out.extend_from_slice(samples);
        }
        Ok(())
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        let mut raw = self.context.as_ptr();
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::swr_free(&mut raw) }
    }
}

fn sample_format(raw: i32) -> Option<ffi::AVSampleFormat> {
    use ffi::AVSampleFormat::*;
    [
        AV_SAMPLE_FMT_U8,
        AV_SAMPLE_FMT_S16,
        AV_SAMPLE_FMT_S32,
        AV_SAMPLE_FMT_FLT,
        AV_SAMPLE_FMT_DBL,
        AV_SAMPLE_FMT_U8P,
        AV_SAMPLE_FMT_S16P,
        AV_SAMPLE_FMT_S32P,
        AV_SAMPLE_FMT_FLTP,
        AV_SAMPLE_FMT_DBLP,
        AV_SAMPLE_FMT_S64,
        AV_SAMPLE_FMT_S64P,
    ]
    .into_iter()
    .find(|&format| format as i32 == raw)
}
