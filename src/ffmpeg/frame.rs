//! One decoded picture.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::AvError;
use super::packet::timestamp;
use crate::compose::{I420Mut, I420Ref, PlaneMut, PlaneRef};

/// An owned `AVFrame` of video.
pub(crate) struct VideoFrame(NonNull<ffi::AVFrame>);

// SAFETY: a frame owns its data through atomic reference counts and refers to no thread.
unsafe impl Send for VideoFrame {}

/// A frame's or stream's colour description in ITU-T H.273 code points, as FFmpeg numbers them (2 is unspecified), and
/// its range (0 unspecified, 1 limited, 2 full).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColorTags {
    pub(crate) matrix: i32,
    pub(crate) primaries: i32,
    pub(crate) transfer: i32,
    pub(crate) range: i32,
}

impl VideoFrame {
    /// A frame without a picture.
    pub(crate) fn empty() -> Result<Self, AvError> {
        // SAFETY: av_frame_alloc has no preconditions.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or(AvError::no_memory("av_frame_alloc"))
    }

    /// A frame with an 8-bit 4:2:0 picture of undefined content, tagged BT.709 limited. Both sizes must be even.
    pub(crate) fn i420(width: u32, height: u32) -> Result<Self, AvError> {
        let frame = Self::empty()?;
        // SAFETY: the frame is blank and ours; av_frame_get_buffer allocates planes for the size and format set here.
        unsafe {
            let raw = frame.0.as_ptr();
            (*raw).width = c_int::try_from(width).map_err(|_| AvError::invalid("av_frame_get_buffer"))?;
            (*raw).height = c_int::try_from(height).map_err(|_| AvError::invalid("av_frame_get_buffer"))?;
            (*raw).format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as c_int;
            AvError::check("av_frame_get_buffer", ffi::av_frame_get_buffer(raw, 0))?;
        }
        let mut frame = frame;
        frame.tag_bt709_limited();
        Ok(frame)
    }

    fn tag_bt709_limited(&mut self) {
        // SAFETY: the frame is ours and borrowed mutably.
        let raw = unsafe { self.0.as_mut() };
        raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
        raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
        raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
        raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVFrame {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVFrame {
        // SAFETY: the frame is ours and lives as long as `self`.
        unsafe { self.0.as_ref() }
    }

    /// Width in pixels as coded; 0 for an empty frame.
    pub(crate) fn width(&self) -> u32 {
        u32::try_from(self.get().width).unwrap_or(0)
    }

    /// Height in pixels as coded; 0 for an empty frame.
    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.get().height).unwrap_or(0)
    }

    /// FFmpeg's number of the pixel format.
    pub(crate) fn pixel_format(&self) -> i32 {
        self.get().format
    }

    /// The presentation time in the stream's time base: the packet's, or where it had none the decoder's best guess,
    /// which depends on what was decoded before.
    pub(crate) fn pts(&self) -> Option<i64> {
        let frame = self.get();
        timestamp(frame.pts).or(timestamp(frame.best_effort_timestamp)).or(timestamp(frame.pkt_dts))
    }

    pub(crate) fn set_pts(&mut self, pts: i64) {
        // SAFETY: the frame is ours and borrowed mutably.
        let raw = unsafe { self.0.as_mut() };
        raw.pts = pts;
        // The encoder decides the picture types; a decoded frame still carries its old one, which x264 would obey.
        raw.pict_type = ffi::AVPictureType::AV_PICTURE_TYPE_NONE;
    }

    /// Whether decoding reported a fault in this picture.
    pub(crate) fn is_damaged(&self) -> bool {
        self.get().decode_error_flags != 0 || self.get().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }

    pub(crate) fn color(&self) -> ColorTags {
        let frame = self.get();
        // SAFETY: the fields are C enums, read as the integers that they are: a newer FFmpeg may hold values that the
        // bindings' enums do not name.
        unsafe {
            ColorTags {
                matrix: ptr::addr_of!(frame.colorspace).cast::<i32>().read(),
                primaries: ptr::addr_of!(frame.color_primaries).cast::<i32>().read(),
                transfer: ptr::addr_of!(frame.color_trc).cast::<i32>().read(),
                range: ptr::addr_of!(frame.color_range).cast::<i32>().read(),
            }
        }
    }

    /// Whether the picture is planar 8-bit 4:2:0 without alpha.
    pub(crate) fn is_i420(&self) -> bool {
        let format = self.get().format;
        format == ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as c_int
            || format == ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P as c_int
    }

    /// The picture as three planes; `None` unless it is planar 8-bit 4:2:0 with positive strides.
    pub(crate) fn planes(&self) -> Option<I420Ref<'_>> {
        let [y, u, v] = self.plane_shapes()?;
        // SAFETY: plane_shapes has checked that every pointer is set and every stride covers a row; FFmpeg allocates
        // `stride` bytes for each row, and the last one has at least `width` bytes, which is all that a plane spans.
        unsafe {
            Some(I420Ref {
                y: PlaneRef::new(std::slice::from_raw_parts(y.data, y.span()), y.width, y.height, y.stride)?,
                u: PlaneRef::new(std::slice::from_raw_parts(u.data, u.span()), u.width, u.height, u.stride)?,
                v: PlaneRef::new(std::slice::from_raw_parts(v.data, v.span()), v.width, v.height, v.stride)?,
            })
        }
    }

    /// The picture as three planes to draw on, copied first if somebody else refers to it.
    pub(crate) fn planes_mut(&mut self) -> Result<Option<I420Mut<'_>>, AvError> {
        // SAFETY: the frame is ours.
        AvError::check("av_frame_make_writable", unsafe { ffi::av_frame_make_writable(self.0.as_ptr()) })?;
        let Some([y, u, v]) = self.plane_shapes() else { return Ok(None) };
        // SAFETY: as in `planes`; the buffers are ours alone after make_writable, and the planes do not overlap.
        unsafe {
            let plane = |p: PlaneShape| {
                PlaneMut::new(std::slice::from_raw_parts_mut(p.data, p.span()), p.width, p.height, p.stride)
            };
            Ok(match (plane(y), plane(u), plane(v)) {
                (Some(y), Some(u), Some(v)) => Some(I420Mut { y, u, v }),
                _ => None,
            })
        }
    }

    fn plane_shapes(&self) -> Option<[PlaneShape; 3]> {
        if !self.is_i420() {
            return None;
        }
        let frame = self.get();
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        let shape = |i: usize, width: usize, height: usize| {
            let stride = usize::try_from(frame.linesize[i]).ok()?;
            (!frame.data[i].is_null() && stride >= width && width > 0 && height > 0).then_some(PlaneShape {
                data: frame.data[i],
                width,
                height,
                stride,
            })
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        Some([shape(0, width, height)?, shape(1, half_width, half_height)?, shape(2, half_width, half_height)?])
    }

    /// Makes this frame refer to the same picture as `other`.
    pub(crate) fn share(&mut self, other: &VideoFrame) -> Result<(), AvError> {
        // SAFETY: both frames are ours; av_frame_ref needs a blank destination.
        unsafe {
            ffi::av_frame_unref(self.0.as_ptr());
            AvError::check("av_frame_ref", ffi::av_frame_ref(self.0.as_ptr(), other.as_ptr()))?;
        }
        Ok(())
    }
}

struct PlaneShape {
    data: *mut u8,
    width: usize,
    height: usize,
    stride: usize,
}

impl PlaneShape {
    /// Bytes from the first pixel to the last: the last row counts only its pixels.
    fn span(&self) -> usize {
        self.stride * (self.height - 1) + self.width
    }
}

impl Drop for VideoFrame {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: the frame is ours and not used again.
        unsafe { ffi::av_frame_free(&mut raw) }
    }
}
