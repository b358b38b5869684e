//! What a decoder must know of a stream, apart from the file that it came from.

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
