//! Decoding packets to frames, one thread per decoder.

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::audio::AudioFrame;
use super::input::decoder_allowed;
use super::{AvError, CodecParameters, Packet, VideoFrame};

/// What a decoder answered when it was asked for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// A frame was written.
    Frame,
    /// It needs another packet first.
    NeedsInput,
    /// It has given everything.
    End,
}

/// An open decoder of one stream. Single-threaded: parallelism is over chunks.
pub(crate) struct Decoder(NonNull<ffi::AVCodecContext>);

// SAFETY: a codec context with one thread is tied to no thread.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Opens the decoder of a stream, the one of the name `wanted` if it is given. `Ok(None)` if FFmpeg has none or the
    /// allow-list refuses it.
    pub(crate) fn open(
        parameters: &CodecParameters,
        wanted: Option<&CStr>,
        max_pixels: u64,
    ) -> Result<Option<Self>, AvError> {
        // SAFETY: `parameters` outlive these calls, which copy them; the context is freed by `Decoder`'s drop, also
        // when opening fails.
        unsafe {
            let codec = match wanted {
                Some(name) => ffi::avcodec_find_decoder_by_name(name.as_ptr()),
                None => ffi::avcodec_find_decoder((*parameters.as_ptr()).codec_id),
            };
            if codec.is_null() || !decoder_allowed(&CStr::from_ptr((*codec).name).to_string_lossy()) {
                return Ok(None);
            }
            let context =
                NonNull::new(ffi::avcodec_alloc_context3(codec)).ok_or(AvError::no_memory("avcodec_alloc_context3"))?;
            let decoder = Self(context);
            let raw = context.as_ptr();
            let code = ffi::avcodec_parameters_to_context(raw, parameters.as_ptr());
            AvError::check("avcodec_parameters_to_context", code)?;
            (*raw).thread_count = 1;
            // Else what the bitstream crops on the left is rounded down to what vector units like.
            (*raw).flags |= ffi::AV_CODEC_FLAG_UNALIGNED as c_int;
            (*raw).max_pixels = i64::try_from(max_pixels).unwrap_or(i64::MAX);
            (*raw).pkt_timebase = parameters.time_base();
            AvError::check("avcodec_open2", ffi::avcodec_open2(raw, codec, ptr::null_mut()))?;
            Ok(Some(decoder))
        }
    }

    /// A decoder of JPEG files, which gives their samples as they are coded, reduced by 2 to the power of `reduced` (0 to
    /// 3) in the transform.
    pub(crate) fn of_jpegs(reduced: u8, max_pixels: u64) -> Result<Self, AvError> {
        let missing = AvError { call: "avcodec_find_decoder_by_name", code: ffi::AVERROR_DECODER_NOT_FOUND as c_int };
        // SAFETY: the context is freed by `Decoder`'s drop, also when opening fails.
        unsafe {
            let codec = ffi::avcodec_find_decoder_by_name(c"mjpeg".as_ptr());
            if codec.is_null() {
                return Err(missing);
            }
            let context =
                NonNull::new(ffi::avcodec_alloc_context3(codec)).ok_or(AvError::no_memory("avcodec_alloc_context3"))?;
            let decoder = Self(context);
            let raw = context.as_ptr();
            (*raw).thread_count = 1;
            (*raw).lowres = reduced.min(3).into();
            (*raw).max_pixels = i64::try_from(max_pixels).unwrap_or(i64::MAX);
            // What is damaged is read by a decoder that shows as much as there is.
            (*raw).err_recognition = ffi::AV_EF_EXPLODE as c_int;
            AvError::check("avcodec_open2", ffi::avcodec_open2(raw, codec, ptr::null_mut()))?;
            Ok(decoder)
        }
    }

    /// Gives the decoder a packet. It must have been asked for frames until it needed input.
    pub(crate) fn send(&mut self, packet: &Packet) -> Result<(), AvError> {
        // SAFETY: the decoder is open; the packet is valid and only read.
        let code = unsafe { ffi::avcodec_send_packet(self.0.as_ptr(), packet.as_ptr()) };
        AvError::check("avcodec_send_packet", code).map(drop)
    }

    /// Tells the decoder that no packet follows.
    pub(crate) fn send_end(&mut self) -> Result<(), AvError> {
        // SAFETY: the decoder is open; a null packet starts draining.
        let code = unsafe { ffi::avcodec_send_packet(self.0.as_ptr(), ptr::null()) };
        if code == ffi::AVERROR_EOF {
            return Ok(());
        }
        AvError::check("avcodec_send_packet", code).map(drop)
    }

    pub(crate) fn receive_video(&mut self, frame: &mut VideoFrame) -> Result<Received, AvError> {
        self.receive(frame.as_mut_ptr())
    }

    pub(crate) fn receive_audio(&mut self, frame: &mut AudioFrame) -> Result<Received, AvError> {
        self.receive(frame.as_mut_ptr())
    }

    fn receive(&mut self, frame: *mut ffi::AVFrame) -> Result<Received, AvError> {
        // SAFETY: the decoder is open; the frame is valid and is unreferenced by the call before it is written.
        let code = unsafe { ffi::avcodec_receive_frame(self.0.as_ptr(), frame) };
        if code == ffi::AVERROR_EOF {
            return Ok(Received::End);
        }
        if code == ffi::AVERROR(ffi::EAGAIN) {
            return Ok(Received::NeedsInput);
        }
        AvError::check("avcodec_receive_frame", code).map(|_| Received::Frame)
    }

    /// Forgets everything sent so far: after a seek.
    pub(crate) fn flush(&mut self) {
        // SAFETY: the decoder is open.
        unsafe { ffi::avcodec_flush_buffers(self.0.as_ptr()) }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::avcodec_free_context(&mut raw) }
    }
}
