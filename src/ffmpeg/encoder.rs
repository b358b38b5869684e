//! The H.264 encoder.

use std::ffi::{CString, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::av::Options;
use super::{AvError, Packet, VideoFrame};
use crate::units::FrameRate;

/// Whether FFmpeg has an encoder of this name.
pub(crate) fn encoder_available(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the name lives across the call.
    !unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()) }.is_null()
}

/// Whether FFmpeg has a filter of this name.
pub(crate) fn filter_available(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the name lives across the call.
    !unsafe { ffi::avfilter_get_by_name(name.as_ptr()) }.is_null()
}

/// An owned, open encoder context.
struct Encoder(NonNull<ffi::AVCodecContext>);

impl Encoder {
    /// Allocates the context of encoder `name`; `configure` sets its fields before it is opened with `options`.
    fn open<'a>(
        name: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
        configure: impl FnOnce(&mut ffi::AVCodecContext),
    ) -> Result<Self, AvError> {
        let name = CString::new(name).map_err(|_| AvError::invalid("avcodec_find_encoder_by_name"))?;
        let mut options = Options::new(options)?;
        // SAFETY: the codec is static; the context is freed by drop, also when opening fails.
        let encoder = unsafe {
            let codec = ffi::avcodec_find_encoder_by_name(name.as_ptr());
            if codec.is_null() {
                return Err(AvError { call: "avcodec_find_encoder_by_name", code: ffi::AVERROR_ENCODER_NOT_FOUND });
            }
            let context =
                NonNull::new(ffi::avcodec_alloc_context3(codec)).ok_or(AvError::no_memory("avcodec_alloc_context3"))?;
            let mut encoder = Self(context);
            configure(encoder.0.as_mut());
            AvError::check("avcodec_open2", ffi::avcodec_open2(context.as_ptr(), codec, options.as_mut_ptr()))?;
            encoder
        };
        match options.leftover() {
            None => Ok(encoder),
            Some(name) => {
                tracing::error!(option = name, "the encoder did not take an option");
                Err(AvError::invalid("avcodec_open2 (an option was not consumed)"))
            }
        }
    }

    fn get(&self) -> &ffi::AVCodecContext {
        // SAFETY: the context is ours and lives as long as `self`.
        unsafe { self.0.as_ref() }
    }

    fn extradata(&self) -> Vec<u8> {
        let context = self.get();
        if context.extradata.is_null() || context.extradata_size <= 0 {
            return Vec::new();
        }
        // SAFETY: an open encoder's extradata is valid for its size.
        unsafe { std::slice::from_raw_parts(context.extradata, context.extradata_size as usize).to_vec() }
    }

    /// Sends a frame, or with null the end.
    fn send(&mut self, frame: *const ffi::AVFrame) -> Result<(), AvError> {
        // SAFETY: the encoder is open; the frame is null or valid, and only read.
        let code = unsafe { ffi::avcodec_send_frame(self.0.as_ptr(), frame) };
        AvError::check("avcodec_send_frame", code).map(drop)
    }

    /// The next packet, if there is one yet.
    fn receive(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        packet.unref();
        // SAFETY: the encoder is open and the packet blank.
        let code = unsafe { ffi::avcodec_receive_packet(self.0.as_ptr(), packet.as_mut_ptr()) };
        if code == ffi::AVERROR_EOF || code == ffi::AVERROR(ffi::EAGAIN) {
            return Ok(false);
        }
        AvError::check("avcodec_receive_packet", code).map(|_| true)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}

// SAFETY: an encoder context with one thread is tied to no thread.
unsafe impl Send for Encoder {}

/// x264 with one thread, whose pictures are 8-bit 4:2:0 BT.709 limited.
pub(crate) struct H264Encoder(Encoder);

impl H264Encoder {
    /// Opens the encoder. `options` are libx264's options by FFmpeg's names; none may be unknown.
    pub(crate) fn open<'a>(
        (width, height): (u32, u32),
        rate: FrameRate,
        gop: u32,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, AvError> {
        let int = |value: u32| c_int::try_from(value).map_err(|_| AvError::invalid("avcodec_open2"));
        let (width, height, gop) = (int(width)?, int(height)?, int(gop)?);
        let (num, den) = (int(rate.num())?, int(rate.den())?);
        Encoder::open("libx264", options, |context| {
            context.width = width;
            context.height = height;
            context.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
            context.time_base = ffi::AVRational { num: den, den: num };
            context.framerate = ffi::AVRational { num, den };
            context.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            context.gop_size = gop;
            context.thread_count = 1;
            context.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
            context.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
            context.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
            context.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
            context.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
            context.flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_BITEXACT) as c_int;
        })
        .map(Self)
    }

    /// The SPS and PPS, in Annex B form.
    pub(crate) fn extradata(&self) -> Vec<u8> {
        self.0.extradata()
    }

    /// How many frames a picture may be moved by reordering: the same for every chunk of the same settings.
    pub(crate) fn reorder_depth(&self) -> u32 {
        u32::try_from(self.0.get().has_b_frames).unwrap_or(0)
    }

    /// Encodes `frame`, whose pts must be set.
    pub(crate) fn send(&mut self, frame: &VideoFrame) -> Result<(), AvError> {
        self.0.send(frame.as_ptr())
    }

    pub(crate) fn send_end(&mut self) -> Result<(), AvError> {
        self.0.send(ptr::null())
    }

    /// The next packet, if there is one yet.
    pub(crate) fn receive(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        self.0.receive(packet)
    }
}
