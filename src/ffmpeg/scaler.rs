//! Scaling and pixel-format conversion, always with an explicit matrix and range.

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use ffmpeg_next::ffi;

use super::{AvError, PixelFormat, VideoFrame};

/// A part of a source picture, in its coded pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crop {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// One reused conversion from a part of pictures of one size and format to pictures of another.
///
/// Y'CbCr keeps its matrix and range: swscale would change them by way of 8-bit RGB. RGB becomes BT.709 limited.
pub(crate) struct Scaler {
    context: NonNull<ffi::SwsContext>,
    from: From,
    format: PixelFormat,
    size: (u32, u32),
    cropped: VideoFrame,
}

// SAFETY: a scaler context without slice threads is tied to no thread.
unsafe impl Send for Scaler {}

#[derive(Clone, Copy, PartialEq, Eq)]
struct From {
    width: u32,
    height: u32,
    pixel_format: i32,
    crop: Crop,
}

impl From {
    fn of(frame: &VideoFrame, crop: Crop) -> Self {
        Self { width: frame.width(), height: frame.height(), pixel_format: frame.pixel_format(), crop }
    }
}

impl Scaler {
    /// A scaler for pictures like `frame`: the part `crop` becomes `width` by `height` of `format`.
    pub(crate) fn new(
        frame: &VideoFrame,
        crop: Crop,
        format: PixelFormat,
        (width, height): (u32, u32),
    ) -> Result<Self, AvError> {
        let from = From::of(frame, crop);
        // Luma is bicubic, chroma, which has half the detail, bilinear. Accurate rounding and bit-exactness make the
        // bytes independent of the CPU's vector units.
        let flags = ffi::SWS_BICUBLIN | ffi::SWS_ACCURATE_RND | ffi::SWS_BITEXACT | ffi::SWS_FULL_CHR_H_INP;
        let settings: [(&CStr, i64); 8] = [
            (c"srcw", i64::from(crop.width)),
            (c"srch", i64::from(crop.height)),
            (c"src_format", i64::from(without_range(from.pixel_format))),
            (c"dstw", i64::from(width)),
            (c"dsth", i64::from(height)),
            (c"dst_format", i64::from(format.raw())),
            (c"sws_flags", i64::from(flags)),
            (c"threads", 1),
        ];
        let cropped = VideoFrame::empty()?;
        let full_range = frame.format_info().is_some_and(|info| info.is_rgb);
        // SAFETY: the context is allocated here and freed by `Scaler`'s drop; the coefficient tables are static.
        unsafe {
            let context = NonNull::new(ffi::sws_alloc_context()).ok_or(AvError::no_memory("sws_alloc_context"))?;
            let scaler = Self { context, from, format, size: (width, height), cropped };
            let raw = context.as_ptr();
            for (name, value) in settings {
                AvError::check("av_opt_set_int(scaler)", ffi::av_opt_set_int(raw.cast(), name.as_ptr(), value, 0))?;
            }
            AvError::check("sws_init_context", ffi::sws_init_context(raw, std::ptr::null_mut(), std::ptr::null_mut()))?;
            let matrix = ffi::sws_getCoefficients(ffi::SWS_CS_ITU709);
            let range = c_int::from(full_range);
            let code = ffi::sws_setColorspaceDetails(raw, matrix, range, matrix, 0, 0, 1 << 16, 1 << 16);
            AvError::check("sws_setColorspaceDetails", code)?;
            Ok(scaler)
        }
    }

    /// Whether it makes such pictures of the part `crop` of pictures like `frame`; a stream may change its size or format
    /// on the way.
    pub(crate) fn makes(&self, frame: &VideoFrame, crop: Crop, format: PixelFormat, size: (u32, u32)) -> bool {
        (self.from, self.format, self.size) == (From::of(frame, crop), format, size)
    }

    /// Scales the part of `frame` into `target`, which must have the target's format and size.
    pub(crate) fn scale(&mut self, frame: &VideoFrame, target: &mut VideoFrame) -> Result<(), AvError> {
        let crop = self.from.crop;
        if frame.width() != self.from.width
            || frame.height() != self.from.height
            || frame.pixel_format() != self.from.pixel_format
            || !target.is(self.format)
            || (target.width(), target.height()) != self.size
        {
            return Err(AvError::invalid("sws_scale"));
        }
        self.cropped.share(frame)?;
        // SAFETY: `cropped` refers to a picture of the size and format that the context was made for; cropping only
        // moves its plane pointers inside it (and checks the bounds); `target` is made writable, and its format and
        // size, checked above, are those of the context, which sws_scale fills.
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
        // A second reference would make whoever writes to the source next copy it.
        self.cropped.unref();
        Ok(())
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) }
    }
}

/// The plain twin of a pixel format that implies the full range: swscale would convert the range.
fn without_range(format: c_int) -> c_int {
    use ffi::AVPixelFormat::*;
    let twins = [
        (AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P),
        (AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P),
        (AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P),
        (AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P),
        (AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P),
    ];
    twins.into_iter().find(|&(full, _)| full as c_int == format).map_or(format, |(_, plain)| plain as c_int)
}
