//! What a decoder must know of a stream, apart from the file that it came from.

use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;

use ffmpeg_next::ffi;

use super::AvError;

/// Owned `AVCodecParameters` with the stream's time base.
#[derive(Debug)]
pub(crate) struct CodecParameters {
    parameters: NonNull<ffi::AVCodecParameters>,
    time_base: ffi::AVRational,
}

// SAFETY: the parameters are plain data that is never changed after `copy`.
unsafe impl Send for CodecParameters {}
// SAFETY: as above; shared references only read.
unsafe impl Sync for CodecParameters {}

impl CodecParameters {
    /// A copy of `parameters`, which must be those of an open context's stream.
    pub(super) fn copy(parameters: *const ffi::AVCodecParameters, time_base: ffi::AVRational) -> Result<Self, AvError> {
        // SAFETY: the allocation is owned here; the source is valid by the caller's promise, and only read.
        unsafe {
            let copy =
                NonNull::new(ffi::avcodec_parameters_alloc()).ok_or(AvError::no_memory("avcodec_parameters_alloc"))?;
            let copy = Self { parameters: copy, time_base };
            let code = ffi::avcodec_parameters_copy(copy.parameters.as_ptr(), parameters);
            AvError::check("avcodec_parameters_copy", code)?;
            Ok(copy)
        }
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVCodecParameters {
        self.parameters.as_ptr()
    }

    pub(super) fn time_base(&self) -> ffi::AVRational {
        self.time_base
    }

    /// Whether the pictures are known to be coded as whole frames, not as fields.
    pub(crate) fn is_progressive(&self) -> bool {
        // SAFETY: the parameters are ours; the C enum is read as the integer that it is.
        let order = unsafe { std::ptr::addr_of!((*self.parameters.as_ptr()).field_order).cast::<i32>().read() };
        order == ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE as i32
    }

    /// The codec's profile by FFmpeg's name, such as `High`; `None` where it is not known.
    pub(crate) fn profile(&self) -> Option<String> {
        // SAFETY: the parameters are ours; the C enum is read as the integer that it is. The function's type is changed in
        // one argument alone, from a C enum to the integer that it is passed as, so that no Rust enum ever holds a number
        // that it does not name. The name is static; an unknown profile gives null.
        unsafe {
            let raw = self.parameters.as_ptr();
            let codec = std::ptr::addr_of!((*raw).codec_id).cast::<c_int>().read();
            let name: unsafe extern "C" fn(c_int, c_int) -> *const c_char =
                std::mem::transmute(ffi::avcodec_profile_name as *const ());
            let name = name(codec, (*raw).profile);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
        }
    }

    /// The codec's level as it is coded: of H.264 ten times the level's number. `None` where it is not known.
    pub(crate) fn level(&self) -> Option<u32> {
        // SAFETY: the parameters are ours.
        let level = unsafe { self.parameters.as_ref().level };
        u32::try_from(level).ok().filter(|&level| level > 0)
    }

    /// The codec's set-up data, such as an `avcC` record; empty where there is none.
    pub(crate) fn extradata(&self) -> &[u8] {
        // SAFETY: the parameters are ours, and their extradata is valid for its size.
        unsafe {
            let parameters = self.parameters.as_ref();
            if parameters.extradata.is_null() || parameters.extradata_size <= 0 {
                return &[];
            }
            std::slice::from_raw_parts(parameters.extradata, parameters.extradata_size as usize)
        }
    }
}

impl Drop for CodecParameters {
    fn drop(&mut self) {
        let mut raw = self.parameters.as_ptr();
        // SAFETY: the parameters are ours and not used again.
        unsafe { ffi::avcodec_parameters_free(&mut raw) }
    }
}
