//! One decoded picture.

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::AvError;
use super::input::{aspect, matrix};
use super::packet::timestamp;
use crate::compose::{I420Mut, I420Ref, I420Ref16, PlaneMut, PlaneRef, PlaneRef16};

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

impl ColorTags {
    /// With what is not said taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        // A matrix of 0 is RGB, which some encoders of Y'CbCr write for not knowing.
        let pick = |a: i32, b: i32| if matches!(a, 0 | 2 | 3) { b } else { a };
        Self {
            matrix: pick(self.matrix, other.matrix),
            primaries: pick(self.primaries, other.primaries),
            transfer: pick(self.transfer, other.transfer),
            range: if self.range == 0 { other.range } else { self.range },
        }
    }
}

/// How bright a source of high dynamic range is, in cd/m2, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Light {
    /// The brightest sample of all (MaxCLL of CTA-861.3).
    content: Option<u32>,
    /// The brightest that the display could show on which it was graded (SMPTE ST 2086).
    mastering: Option<u32>,
}

impl Light {
    /// From the bytes of an `AVMasteringDisplayMetadata` and of an `AVContentLightMetadata`, which the bindings lack: the
    /// first has ten rationals, of which the last is the maximum, and whether chromaticities and luminances are given; the
    /// second begins with MaxCLL (libavutil/mastering_display_metadata.h).
    pub(super) fn new(mastering: Option<&[u8]>, content: Option<&[u8]>) -> Self {
        let number = |bytes: &[u8], at: usize| {
            let bytes: [u8; 4] = bytes.get(4 * at..4 * at + 4)?.try_into().ok()?;
            u32::try_from(i32::from_ne_bytes(bytes)).ok().filter(|&number| number > 0)
        };
        let mastering = mastering.and_then(|bytes| {
            number(bytes, 21)?;
            number(bytes, 18)?.checked_div(number(bytes, 19)?)
        });
        Self { content: content.and_then(|bytes| number(bytes, 0)), mastering }
    }

    /// With what is not said taken from `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { content: self.content.or(other.content), mastering: self.mastering.or(other.mastering) }
    }

    /// The brightest that is to be expected: no sample is brighter than the brightest, and none than its display.
    pub(crate) fn peak(self) -> Option<u32> {
        match (self.content, self.mastering) {
            (Some(content), Some(mastering)) => Some(content.min(mastering)),
            (content, mastering) => content.or(mastering),
        }
    }
}

/// The pixel formats that the engine makes pictures of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelFormat {
    /// Planar 4:2:0, 8 bit.
    I420,
    /// Planar 4:2:0, 8 bit, with an alpha plane.
    I420Alpha,
    /// Planar 4:2:0, 10 bit in 16-bit words.
    I420Deep,
    /// Packed RGBA, 8 bit, straight alpha.
    Rgba,
}

impl PixelFormat {
    pub(super) fn raw(self) -> c_int {
        use ffi::AVPixelFormat::*;
        (match self {
            Self::I420 => AV_PIX_FMT_YUV420P,
            Self::I420Alpha => AV_PIX_FMT_YUVA420P,
            Self::I420Deep => AV_PIX_FMT_YUV420P10LE,
            Self::Rgba => AV_PIX_FMT_RGBA,
        }) as c_int
    }
}

/// What a pixel format is, as far as conversions ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormatInfo {
    /// Bits of the first component.
    pub(crate) depth: u32,
    pub(crate) is_rgb: bool,
    pub(crate) has_alpha: bool,
    /// The old full-range twins of the planar 8-bit formats.
    pub(crate) implies_full_range: bool,
}

impl VideoFrame {
    /// A frame without a picture.
    pub(crate) fn empty() -> Result<Self, AvError> {
        // SAFETY: av_frame_alloc has no preconditions.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or(AvError::no_memory("av_frame_alloc"))
    }

    /// A frame with an 8-bit 4:2:0 picture of undefined content, tagged BT.709 limited. Both sizes must be even.
    pub(crate) fn i420(width: u32, height: u32) -> Result<Self, AvError> {
        Self::of_format(PixelFormat::I420, width, height)
    }

    /// A frame with a picture of undefined content, tagged BT.709 limited.
    pub(crate) fn of_format(format: PixelFormat, width: u32, height: u32) -> Result<Self, AvError> {
        let mut frame = Self::empty()?;
        // SAFETY: the frame is blank and ours; av_frame_get_buffer allocates planes for the size and format set here.
        unsafe {
            let raw = frame.0.as_ptr();
            (*raw).width = c_int::try_from(width).map_err(|_| AvError::invalid("av_frame_get_buffer"))?;
            (*raw).height = c_int::try_from(height).map_err(|_| AvError::invalid("av_frame_get_buffer"))?;
            (*raw).format = format.raw();
            AvError::check("av_frame_get_buffer", ffi::av_frame_get_buffer(raw, 0))?;
        }
        frame.tag_bt709_limited();
        Ok(frame)
    }

    /// A frame with a copy of `rgba`: 8-bit RGBA, row by row without padding.
    pub(crate) fn from_rgba(rgba: &[u8], width: u32, height: u32) -> Result<Self, AvError> {
        let row = width as usize * 4;
        if row == 0 || rgba.len() != row * height as usize {
            return Err(AvError::invalid("av_frame_get_buffer"));
        }
        let frame = Self::of_format(PixelFormat::Rgba, width, height)?;
        // SAFETY: the frame is ours alone; its one plane has `height` rows of at least `row` bytes, `linesize` apart.
        unsafe {
            let raw = frame.0.as_ptr();
            for (y, from) in rgba.chunks_exact(row).enumerate() {
                let to = (*raw).data[0].offset(y as isize * (*raw).linesize[0] as isize);
                ptr::copy_nonoverlapping(from.as_ptr(), to, row);
            }
        }
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

    /// FFmpeg's name of the pixel format, such as `yuv420p`; `None` for a frame without a picture.
    pub(crate) fn format_name(&self) -> Option<String> {
        let name = descriptor(self.pixel_format())?.name;
        // SAFETY: a descriptor's name is a static C string.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
    }

    pub(crate) fn set_pts(&mut self, pts: i64) {
        // SAFETY: the frame is ours and borrowed mutably.
        let raw = unsafe { self.0.as_mut() };
        raw.pts = pts;
        // The encoder decides the picture types; a decoded frame still carries its old one, which x264 would obey.
        raw.pict_type = ffi::AVPictureType::AV_PICTURE_TYPE_NONE;
    }

    /// What its pixel format is; `None` for a frame without a picture, and for formats that are no pixels in memory.
    pub(crate) fn format_info(&self) -> Option<FormatInfo> {
        let format = self.pixel_format();
        let descriptor = descriptor(format)?;
        let has = |flag: u32| descriptor.flags & u64::from(flag) != 0;
        if has(ffi::AV_PIX_FMT_FLAG_HWACCEL as u32) || descriptor.nb_components == 0 {
            return None;
        }
        use ffi::AVPixelFormat::*;
        let full =
            [AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ411P];
        Some(FormatInfo {
            depth: u32::try_from(descriptor.comp[0].depth).ok()?,
            is_rgb: has(ffi::AV_PIX_FMT_FLAG_RGB as u32) || has(ffi::AV_PIX_FMT_FLAG_PAL as u32),
            has_alpha: has(ffi::AV_PIX_FMT_FLAG_ALPHA as u32) || has(ffi::AV_PIX_FMT_FLAG_PAL as u32),
            implies_full_range: full.into_iter().any(|known| known as c_int == format),
        })
    }

    /// How much wider than high a pixel is, by the bitstream.
    pub(crate) fn sample_aspect(&self) -> Option<(u32, u32)> {
        aspect(self.get().sample_aspect_ratio)
    }

    /// How the bitstream wants the picture turned (H.264 and HEVC: the display orientation SEI).
    pub(crate) fn display_matrix(&self) -> Option<[i32; 9]> {
        self.side_data(ffi::AVFrameSideDataType::AV_FRAME_DATA_DISPLAYMATRIX).and_then(matrix)
    }

    /// How bright the bitstream says that it is.
    pub(crate) fn light(&self) -> Light {
        use ffi::AVFrameSideDataType::{AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA};
        Light::new(
            self.side_data(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
            self.side_data(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL),
        )
    }

    fn side_data(&self, kind: ffi::AVFrameSideDataType) -> Option<&[u8]> {
        // SAFETY: the frame is ours; its side data is valid for its size as long as the frame is borrowed.
        unsafe {
            let found = ffi::av_frame_get_side_data(self.as_ptr(), kind).as_ref()?;
            (!found.data.is_null()).then(|| std::slice::from_raw_parts(found.data.cast_const(), found.size))
        }
    }

    /// Whether the picture consists of two fields of different times.
    pub(crate) fn is_interlaced(&self) -> bool {
        #[cfg(ffmpeg_6_1)]
        return self.get().flags & ffi::AV_FRAME_FLAG_INTERLACED as c_int != 0;
        #[cfg(not(ffmpeg_6_1))]
        return self.get().interlaced_frame != 0;
    }

    /// Halves its time: filters that can double the rate count in halves of the time base.
    pub(super) fn halve_pts(&mut self) {
        let pts = self.pts().map(|pts| pts.div_euclid(2));
        // SAFETY: the frame is ours and borrowed mutably.
        let raw = unsafe { self.0.as_mut() };
        raw.pts = pts.unwrap_or(ffi::AV_NOPTS_VALUE);
        raw.best_effort_timestamp = raw.pts;
    }

    /// Makes it blank.
    pub(crate) fn unref(&mut self) {
        // SAFETY: the frame is ours.
        unsafe { ffi::av_frame_unref(self.0.as_ptr()) }
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
        format == PixelFormat::I420.raw() || format == ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P as c_int
    }

    /// Whether the picture is of this format.
    pub(crate) fn is(&self, format: PixelFormat) -> bool {
        self.get().format == format.raw()
    }

    /// The picture as three planes; `None` unless it is planar 8-bit 4:2:0 with positive strides. Alpha is left out.
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

    /// The planes of a picture of 8-bit Y'CbCr of any subsampling, or of its luma alone, and the powers of 2 by which its
    /// chroma is reduced in width and height; `None` for every other format.
    pub(crate) fn planes_of_any_chroma(&self) -> Option<(Vec<PlaneRef<'_>>, [u32; 2])> {
        let frame = self.get();
        let descriptor = descriptor(frame.format)?;
        let has = |flag: u32| descriptor.flags & u64::from(flag) != 0;
        let eight =
            descriptor.comp.iter().take(descriptor.nb_components.into()).all(|part| part.depth == 8 && part.step == 1);
        let plain = !has(ffi::AV_PIX_FMT_FLAG_RGB as u32) && !has(ffi::AV_PIX_FMT_FLAG_PAL as u32);
        let planar = descriptor.nb_components == 1 || has(ffi::AV_PIX_FMT_FLAG_PLANAR as u32);
        if !eight || !plain || !planar || !matches!(descriptor.nb_components, 1 | 3) {
            return None;
        }
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        let shifts = [u32::from(descriptor.log2_chroma_w), u32::from(descriptor.log2_chroma_h)];
        let plane = |number: usize| {
            let [w, h] = if number == 0 { [0, 0] } else { shifts };
            let shape = self.plane_shape(number, width.div_ceil(1 << w), height.div_ceil(1 << h))?;
            // SAFETY: as in `planes`.
            let bytes = unsafe { std::slice::from_raw_parts(shape.data, shape.span()) };
            PlaneRef::new(bytes, shape.width, shape.height, shape.stride)
        };
        let planes = (0..usize::from(descriptor.nb_components)).map(plane).collect::<Option<Vec<_>>>()?;
        Some((planes, shifts))
    }

    /// The picture as three planes of 16-bit words; `None` unless it is planar 10-bit 4:2:0 with positive strides.
    pub(crate) fn deep_planes(&self) -> Option<I420Ref16<'_>> {
        if !self.is(PixelFormat::I420Deep) {
            return None;
        }
        let frame = self.get();
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        let plane = |number: usize, width: usize, height: usize| {
            let shape = self.plane_shape(number, width, height)?;
            let data = shape.data.cast_const().cast::<u16>();
            if shape.stride % 2 != 0 || shape.stride / 2 < width || !data.is_aligned() {
                return None;
            }
            let words = shape.stride / 2 * (height - 1) + width;
            // SAFETY: as in `planes`: FFmpeg allocates `stride` bytes for each row and at least the samples of the last
            // one; the pointer is aligned for words.
            PlaneRef16::new(unsafe { std::slice::from_raw_parts(data, words) }, width, height, shape.stride / 2)
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        Some(I420Ref16 {
            y: plane(0, width, height)?,
            u: plane(1, half_width, half_height)?,
            v: plane(2, half_width, half_height)?,
        })
    }

    /// The alpha plane; `None` unless it is planar 8-bit 4:2:0 with alpha.
    pub(crate) fn alpha(&self) -> Option<PlaneRef<'_>> {
        let shape = self.alpha_shape()?;
        // SAFETY: as in `planes`.
        let bytes = unsafe { std::slice::from_raw_parts(shape.data, shape.span()) };
        PlaneRef::new(bytes, shape.width, shape.height, shape.stride)
    }

    /// The planes to draw on, and the alpha plane with them.
    pub(crate) fn planes_and_alpha_mut(&mut self) -> Result<Option<(I420Mut<'_>, PlaneMut<'_>)>, AvError> {
        let Some(shape) = self.alpha_shape() else { return Ok(None) };
        // SAFETY: the frame is ours.
        AvError::check("av_frame_make_writable", unsafe { ffi::av_frame_make_writable(self.0.as_ptr()) })?;
        let shape = self.alpha_shape().unwrap_or(shape);
        // SAFETY: as in `planes_mut`; the alpha plane does not overlap with the others, and making the frame writable
        // once more moves nothing, since it is already.
        let bytes = unsafe { std::slice::from_raw_parts_mut(shape.data, shape.span()) };
        let alpha = PlaneMut::new(bytes, shape.width, shape.height, shape.stride);
        Ok(self.planes_mut()?.zip(alpha))
    }

    fn alpha_shape(&self) -> Option<PlaneShape> {
        let frame = self.get();
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        if !self.is(PixelFormat::I420Alpha) {
            return None;
        }
        self.plane_shape(3, width, height)
    }

    fn plane_shape(&self, plane: usize, width: usize, height: usize) -> Option<PlaneShape> {
        let frame = self.get();
        let stride = usize::try_from(frame.linesize[plane]).ok()?;
        (!frame.data[plane].is_null() && stride >= width && width > 0 && height > 0).then_some(PlaneShape {
            data: frame.data[plane],
            width,
            height,
            stride,
        })
    }

    fn plane_shapes(&self) -> Option<[PlaneShape; 3]> {
        if !self.is_i420() && !self.is(PixelFormat::I420Alpha) {
            return None;
        }
        let frame = self.get();
        let (width, height) = (usize::try_from(frame.width).ok()?, usize::try_from(frame.height).ok()?);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        Some([
            self.plane_shape(0, width, height)?,
            self.plane_shape(1, half_width, half_height)?,
            self.plane_shape(2, half_width, half_height)?,
        ])
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

/// What FFmpeg says about a pixel format; `None` for a number that is none.
fn descriptor(format: c_int) -> Option<&'static ffi::AVPixFmtDescriptor> {
    // SAFETY: the function's type is changed in one argument alone, from a C enum to the integer that it is passed as, so
    // that no Rust enum ever holds a number that it does not name. The descriptor is static; an unknown number gives null.
    unsafe {
        let get: unsafe extern "C" fn(c_int) -> *const ffi::AVPixFmtDescriptor =
            std::mem::transmute(ffi::av_pix_fmt_desc_get as *const ());
        get(format).as_ref()
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
