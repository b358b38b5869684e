//! Decoded sound, and its conversion to the engine's 48 kHz stereo f32.

use std::ffi::{CStr, c_int};
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

/// Options of libswresample's filter by FFmpeg's names: a sinc of 96 taps under a Kaiser window (beta 9.5, its side
/// lobes below -95 dB). From 44.1 to 48 kHz it is flat to 20.7 kHz, and images are down by 80 dB from 23.4 kHz on; the cutoff
/// is only looked at where the rate goes down, or up by less than a twentieth. Its own 32 taps lose 0.5 dB at 18 kHz and
/// mirror what is above at -60 dB; 128 taps with lobes below -110 dB are a third more work, and AAC's noise is far above both.
/// With exact rates no phase is interpolated.
const FILTER: [(&CStr, &CStr); 5] = [
    (c"filter_size", c"96"),
    (c"filter_type", c"kaiser"),
    (c"kaiser_beta", c"9.5"),
    (c"cutoff", c"0.955"),
    (c"exact_rational", c"1"),
];

/// Converts sound of one format to interleaved stereo f32 at `rate`.
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
    /// Speaker positions as FFmpeg's bit mask; 0 for the usual ones of so many channels.
    mask: u64,
}

impl InputFormat {
    fn of(frame: &AudioFrame) -> Self {
        let raw = frame.get();
        let layout = &raw.ch_layout;
        // SAFETY: the order is read as the integer that it is; in the native order the union has the mask.
        let mask = unsafe {
            let order = ptr::addr_of!(layout.order).cast::<i32>().read();
            if order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE as i32 { layout.u.mask } else { 0 }
        };
        Self { sample_format: raw.format, sample_rate: raw.sample_rate, channels: layout.nb_channels, mask }
    }

    fn of_planes(planes: &SoundPlanes<'_>) -> Option<Self> {
        Some(Self {
            sample_format: ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32,
            sample_rate: i32::try_from(planes.rate).ok()?,
            channels: i32::try_from(planes.channels.len()).ok()?,
            mask: if planes.mask.count_ones() as usize == planes.channels.len() { planes.mask } else { 0 },
        })
    }
}

/// Decoded sound that did not come from FFmpeg: one slice for each channel, all of the same length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoundPlanes<'a> {
    /// Sample frames a second.
    pub(crate) rate: u32,
    /// Speaker positions, one bit each in the order of the channels, as WAVEFORMATEXTENSIBLE has them; 0 if unknown.
    pub(crate) mask: u64,
    pub(crate) channels: &'a [Vec<f32>],
}

impl Resampler {
    /// A converter for frames like `frame`.
    pub(crate) fn for_frame(frame: &AudioFrame, rate: u32) -> Result<Self, AvError> {
        Self::new(InputFormat::of(frame), rate)
    }

    /// A converter for sound like `planes`.
    pub(crate) fn for_planes(planes: &SoundPlanes<'_>, rate: u32) -> Result<Self, AvError> {
        Self::new(InputFormat::of_planes(planes).ok_or(AvError::invalid("swr_alloc_set_opts2"))?, rate)
    }

    fn new(input: InputFormat, rate: u32) -> Result<Self, AvError> {
        let sample_format = sample_format(input.sample_format).ok_or(AvError::invalid("swr_alloc_set_opts2"))?;
        let rate = c_int::try_from(rate).map_err(|_| AvError::invalid("swr_alloc_set_opts2"))?;
        if input.channels < 1 {
            return Err(AvError::invalid("swr_alloc_set_opts2"));
        }
        let output_channels = if input.channels == 1 { 1 } else { 2 };
        // SAFETY: the layouts are initialised here and live across the call, which copies them; the context is freed
        // by swr_free on failure and by `drop` later.
        unsafe {
            let mut layout_in: ffi::AVChannelLayout = std::mem::zeroed();
            if input.mask == 0 || ffi::av_channel_layout_from_mask(&mut layout_in, input.mask) < 0 {
                ffi::av_channel_layout_default(&mut layout_in, input.channels);
            }
            let mut layout_out: ffi::AVChannelLayout = std::mem::zeroed();
            // A lone channel is itself, whichever speaker it names.
            if output_channels == 1 {
                let code = ffi::av_channel_layout_copy(&mut layout_out, &layout_in);
                AvError::check("av_channel_layout_copy", code)?;
            } else {
                ffi::av_channel_layout_default(&mut layout_out, output_channels);
            }
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
            for (name, value) in FILTER {
                AvError::check("av_opt_set(resampler)", ffi::av_opt_set(raw.cast(), name.as_ptr(), value.as_ptr(), 0))?;
            }
            AvError::check("swr_init", ffi::swr_init(raw))?;
            Ok(resampler)
        }
    }

    /// Whether it takes frames like `frame`; a stream may change its format on the way.
    pub(crate) fn takes(&self, frame: &AudioFrame) -> bool {
        self.input == InputFormat::of(frame)
    }

    /// As [`Self::takes`].
    pub(crate) fn takes_planes(&self, planes: &SoundPlanes<'_>) -> bool {
        InputFormat::of_planes(planes) == Some(self.input)
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

    /// Converts `planes` and appends the sample frames to `out`, interleaved.
    pub(crate) fn convert_planes(&mut self, planes: &SoundPlanes<'_>, out: &mut Vec<f32>) -> Result<(), AvError> {
        let samples = planes.channels.iter().map(Vec::len).min().unwrap_or(0);
        let count = c_int::try_from(samples).map_err(|_| AvError::invalid("swr_convert"))?;
        if !self.takes_planes(planes) {
            return Err(AvError::invalid("swr_convert"));
        }
        let pointers: Vec<*const u8> = planes.channels.iter().map(|plane| plane.as_ptr().cast()).collect();
        self.run(pointers.as_ptr(), count, out)
    }

    /// Appends what the filter still holds.
    pub(crate) fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), AvError> {
        self.run(ptr::null(), 0, out)
    }

    fn run(&mut self, input: *const *const u8, samples: c_int, out: &mut Vec<f32>) -> Result<(), AvError> {
        // SAFETY: the scratch buffer holds `capacity` sample frames of `output_channels`; `input` is null or has the
        // planes of this converter's format with `samples` sample frames each.
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

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: f64 = 48_000.0;

    /// `seconds` of `wave` (of time in seconds) at `rate`, resampled in blocks of `block`: the left channel.
    fn resampled(rate: u32, seconds: f64, block: usize, wave: impl Fn(f64) -> f64) -> Vec<f64> {
        let count = (f64::from(rate) * seconds) as usize;
        let samples: Vec<f32> = (0..count).map(|n| wave(n as f64 / f64::from(rate)) as f32).collect();
        let mut out = Vec::new();
        let mut resampler = None;
        for part in samples.chunks(block) {
            let channels = [part.to_vec()];
            let planes = SoundPlanes { rate, mask: 0, channels: &channels };
            let resampler =
                resampler.get_or_insert_with(|| Resampler::for_planes(&planes, 48_000).expect("a resampler"));
            resampler.convert_planes(&planes, &mut out).expect("is converted");
        }
        resampler.expect("there were samples").flush(&mut out).expect("is flushed");
        out.chunks_exact(2).map(|frame| f64::from(frame[0])).collect()
    }

    /// Amplitude of the tone of `hertz` in `part`, whose first sample has the number `first`, with a Blackman-Harris
    /// window; and all else in dB of it.
    fn tone(part: &[f64], hertz: f64) -> (f64, f64) {
        let turn = std::f64::consts::TAU;
        // Least squares of sine, cosine: exact for whole periods.
        let (mut re, mut im) = (0.0, 0.0);
        for (n, value) in part.iter().enumerate() {
            let angle = turn * hertz * n as f64 / OUT;
            re += value * angle.cos();
            im += value * angle.sin();
        }
        let (re, im) = (2.0 * re / part.len() as f64, 2.0 * im / part.len() as f64);
        let rest: f64 = part
            .iter()
            .enumerate()
            .map(|(n, value)| {
                let angle = turn * hertz * n as f64 / OUT;
                (value - re * angle.cos() - im * angle.sin()).powi(2)
            })
            .sum();
        let amplitude = re.hypot(im);
        let rest = (2.0 * rest / part.len() as f64).sqrt() / amplitude;
        (amplitude, 20.0 * rest.log10())
    }

    #[test]
    fn a_tone_of_1_khz_has_no_distortion_and_no_aliases_above_minus_90_db() {
        for rate in [44_100, 32_000, 22_050, 96_000, 11_025] {
            let out = resampled(rate, 2.0, 1_000, |t| 0.9 * (std::f64::consts::TAU * 1_000.0 * t).sin());
            let (amplitude, rest) = tone(&out[24_000..72_000], 1_000.0);
            assert!((amplitude - 0.9).abs() < 0.001, "{rate} Hz: {amplitude}");
            assert!(rest < -100.0, "{rate} Hz: {rest} dB of all else");
        }
    }

    #[test]
    fn all_tones_to_20_khz_keep_their_level_and_make_no_images() {
        for hertz in (100..=18_000).step_by(850).chain([17_000, 17_500, 18_000, 19_000, 20_000]) {
            let hertz = f64::from(hertz);
            let out = resampled(44_100, 2.0, 4_096, |t| 0.5 * (std::f64::consts::TAU * hertz * t).sin());
            let (amplitude, rest) = tone(&out[24_000..72_000], hertz);
            let off = 20.0 * (amplitude / 0.5).log10();
            assert!(off.abs() < 0.1, "{hertz} Hz: {off} dB");
            assert!(rest < -90.0, "{hertz} Hz: {rest} dB of images");
        }
    }

    #[test]
    fn what_is_above_the_output_s_range_is_gone() {
        for hertz in [25_500.0, 30_000.0, 40_000.0] {
            let out = resampled(96_000, 2.0, 4_096, |t| 0.5 * (std::f64::consts::TAU * hertz * t).sin());
            let peak = out[24_000..72_000].iter().fold(0.0f64, |peak, value| peak.max(value.abs()));
            assert!(20.0 * (peak / 0.5).log10() < -90.0, "{hertz} Hz: {peak}");
        }
    }

    #[test]
    fn an_impulse_keeps_its_place_whatever_the_blocks() {
        let click = |t: f64| if (t - 1.0).abs() < 1e-9 { 1.0 } else { 0.0 };
        let out = resampled(44_100, 2.0, 1_152, click);
        assert_eq!(out.len(), 96_000);
        let highest = out.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(place, _)| place);
        assert_eq!(highest, Some(48_000));
        assert!(out == resampled(44_100, 2.0, 77, click));
    }

    #[test]
    fn mono_keeps_its_level_and_six_loud_channels_do_not_clip() {
        let run = |channels: &[Vec<f32>], mask| {
            let planes = SoundPlanes { rate: 48_000, mask, channels };
            let mut out = Vec::new();
            let mut resampler = Resampler::for_planes(&planes, 48_000).expect("a resampler");
            resampler.convert_planes(&planes, &mut out).expect("is converted");
            resampler.flush(&mut out).expect("is flushed");
            out
        };
        assert!(run(&[vec![0.5; 100]], 4).iter().all(|&sample| sample == 0.5), "mono on both sides");
        let loud = run(&vec![vec![1.0; 100]; 6], 0x3f);
        assert!(loud.iter().all(|&sample| sample > 0.9 && sample <= 1.0), "{:?}", &loud[..2]);
        let center = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0].map(|value| vec![value; 100]);
        let center = run(&center, 0x3f);
        assert!(center.iter().all(|&sample| (0.25..0.4).contains(&sample)), "voices stay: {:?}", &center[..2]);
    }
}
