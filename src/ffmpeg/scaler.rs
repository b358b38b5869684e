//! Scaling and pixel-format conversion, always with an explicit matrix and range.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use ffmpeg_next::ffi;

use super::{AvError, VideoFrame};

/// A part of a source picture, in its coded pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crop {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// One reused conversion from a part of pictures of one size, format and colour to 4:2:0 8-bit BT.709 limited.
pub(crate) struct Scaler {
    context: NonNull<ffi::SwsContext>,
    from: From,
    cropped: VideoFrame,
}

// SAFETY: a scaler context without slice threads is tied to no thread.
unsafe impl Send for Scaler {}

#[derive(Clone, Copy, PartialEq, Eq)]
struct From {
    width: u32,
    height: u32,
    pixel_format: i32,
    /// `SWS_CS_*` number of the matrix.
    matrix: c_int,
    full_range: bool,
    crop: Crop,
}

impl Scaler {
    /// A scaler for pictures like `frame`: the part `crop` becomes `width` by `height`.
    ///
    /// `matrix` is the H.273 code point (1 BT.709, 5 and 6 BT.601, 9 BT.2020) and must be resolved.
    pub(crate) fn new(
        frame: &VideoFrame,
        matrix: i32,
        full_range: bool,
        crop: Crop,
        (width, height): (u32, u32),
    ) -> Result<Self, AvError> {
        let from = From {
            width: frame.width(),
            height: frame.height(),
            pixel_format: frame.pixel_format(),
            matrix: sws_matrix(matrix),
            full_range,
            crop,
        };
        // Accurate rounding and bit-exactness make the bytes independent of the CPU's vector units.
        let flags = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_BITEXACT | ffi::SWS_FULL_CHR_H_INP;
        let settings: [(&CStr, i64); 8] = [
            (c"srcw", i64::from(crop.width)),
            (c"srch", i64::from(crop.height)),
            (c"src_format", i64::from(from.pixel_format)),
            (c"dstw", i64::from(width)),
            (c"dsth", i64::from(height)),
            (c"dst_format", ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i64),
            (c"sws_flags", i64::from(flags)),
            (c"threads", 1),
        ];
        let cropped = VideoFrame::empty()?;
        // SAFETY: the context is allocated here and freed by `Scaler`'s drop; the coefficient tables are static.
        unsafe {
            let context = NonNull::new(ffi::sws_alloc_context()).ok_or(AvError::no_memory("sws_alloc_context"))?;
            let scaler = Self { context, from, cropped };
            let raw = context.as_ptr();
            for (name, value) in settings {
                AvError::check("av_opt_set_int(scaler)", ffi::av_opt_set_int(raw.cast(), name.as_ptr(), value, 0))?;
            }
            AvError::check("sws_init_context", ffi::sws_init_context(raw, std::ptr::null_mut(), std::ptr::null_mut()))?;
            let code = ffi::sws_setColorspaceDetails(
                raw,
                ffi::sws_getCoefficients(from.matrix),
                c_int::from(full_range),
                ffi::sws_getCoefficients(ffi::SWS_CS_ITU709),
                0,
                0,
                1 << 16,
                1 << 16,
            );
            AvError::check("sws_setColorspaceDetails", code)?;
            Ok(scaler)
        }
    }

    /// Whether it takes pictures like `frame`; a stream may change its size or format on the way.
    pub(crate) fn takes(&self, frame: &VideoFrame, matrix: i32, full_range: bool, crop: Crop) -> bool {
        self.from
            == From {
                width: frame.width(),
                height: frame.height(),
                pixel_format: frame.pixel_format(),
                matrix: sws_matrix(matrix),
                full_range,
                crop,
            }
    }

    /// Scales the part of `frame` into `target`, which must have the target size and be writable.
    pub(crate) fn scale(&mut self, frame: &VideoFrame, target: &mut VideoFrame) -> Result<(), AvError> {
        let crop = self.from.crop;
        if frame.width() != self.from.width
            || frame.height() != self.from.height
            || frame.pixel_format() != self.from.pixel_format
        {
            return Err(AvError::invalid("sws_scale"));
        }
        self.cropped.share(frame)?;
        // SAFETY: `cropped` refers to a picture of the size and format that the context was made for; cropping only
        // moves its plane pointers inside it (and checks the bounds); `target` is made writable and its size is that
        // of the context, which sws_scale fills.
        unsafe {
            let part = self.cropped.as_mut_ptr();
            (*part).crop_left = crop.left as usize;
            (*part).crop_top = crop.top as usize;
            (*part).crop_right = (self.from.width - crop.left - crop.width) as usize;
            (*part).crop_bottom = (self.from.height - crop.top - crop.height) as usize;
            let code = ffi::av_frame_apply_cropping(part, ffi::AV_FRAME_CROP_UNALIGNED as c_int);
            AvError::check("av_frame_apply_cropping", code)?;
            let out = target.as_mut_ptr();
            AvError::check("av_frame_make_writable", ffi::av_frame_make_writable(out))?;
            let code = ffi::sws_scale(
                self.context.as_ptr(),
                (*part).data.as_ptr().cast(),
                (*part).linesize.as_ptr(),
                0,
                (*part).height,
                (*out).data.as_ptr().cast(),
                (*out).linesize.as_ptr(),
            );
            AvError::check("sws_scale", code)?;
        }
        Ok(())
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) }
    }
}

/// The `SWS_CS_*` number of an H.273 matrix code point.
fn sws_matrix(code_point: i32) -> c_int {
    match code_point {
        4 => ffi::SWS_CS_FCC,
        5 | 6 => ffi::SWS_CS_ITU601,
        7 => ffi::SWS_CS_SMPTE240M,
        9 | 10 => ffi::SWS_CS_BT2020,
        _ => ffi::SWS_CS_ITU709,
    }
}
