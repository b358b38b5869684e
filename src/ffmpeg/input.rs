//! Opening and reading a local media file, with allow-lists and limits.

use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ffmpeg_next::ffi;

use super::av::Options;
use super::frame::{ColorTags, Light};
use super::packet::timestamp;
use super::{AvError, CodecParameters, Interrupt, Packet};
use crate::units::{TimeBase, Timestamp};

/// Decoders that may run on an upload. FFmpeg has about 500; a decoder that nobody needs is only a way in.
const DECODERS: &str = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,libdav1d,prores,mjpeg,mpeg4,png,qtrle,aac,mp3,mp3float,\
                        opus,libopus,vorbis,flac,alac,pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,\
                        pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ms";

/// Whether decoder `name` may run.
pub(super) fn decoder_allowed(name: &str) -> bool {
    DECODERS.split(',').any(|allowed| allowed == name)
}

/// What kind of data a stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Video,
    /// A still that is attached to the file, such as an album cover.
    Cover,
    Audio,
    Other,
}

/// How a stream uses Dolby Vision (ETSI TS 103 572).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DolbyVision {
    pub(crate) profile: u8,
    /// What the base layer can be shown as without Dolby Vision; 0 is nothing.
    pub(crate) compatibility: u8,
}

/// What the container says about one stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamInfo {
    pub(crate) index: usize,
    pub(crate) kind: StreamKind,
    pub(crate) codec: String,
    pub(crate) time_base: TimeBase,
    /// How long the container says that it is (with edit lists applied), in its time base.
    pub(crate) duration: Option<i64>,
    pub(crate) is_default: bool,
    /// The number that the container gives it; in MP4 the track's id.
    pub(crate) id: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// How much wider than high a pixel is, by the container; `None` where it does not say.
    pub(crate) sample_aspect: Option<(u32, u32)>,
    /// How the container wants the pictures turned: a 3x3 matrix of 16.16 and 2.30 fixed-point numbers, row by row
    /// (ISO/IEC 14496-12, 8.5.2.2 and 6.2.2).
    pub(crate) display_matrix: Option<[i32; 9]>,
    pub(crate) dolby_vision: Option<DolbyVision>,
    /// Whether the container says that there is a second layer with the alpha (Matroska's AlphaMode).
    pub(crate) has_alpha_layer: bool,
    /// Whether the pictures are coded as fields, as far as is known before decoding.
    pub(crate) is_interlaced: bool,
    pub(crate) color: ColorTags,
    pub(crate) light: Light,
    pub(crate) sample_rate: u32,
    pub(crate) channels: u32,
}

/// An open file.
pub(crate) struct Input {
    context: NonNull<ffi::AVFormatContext>,
    /// Kept alive for the callback, which has a pointer to it.
    interrupt: Arc<Interrupt>,
    path: PathBuf,
    /// The latest time that was read.
    reached: Option<Timestamp>,
}

// SAFETY: a format context is tied to no thread; its interrupt flag is atomic and shared by reference count.
unsafe impl Send for Input {}

unsafe extern "C" fn interrupted(interrupt: *mut c_void) -> c_int {
    // SAFETY: it is what the Input's reference count keeps, which outlives the format context.
    c_int::from(unsafe { &*interrupt.cast::<Interrupt>() }.is_set())
}

impl Input {
    /// Decodes enough of the file to know its streams; no picture of more than `max_pixels`. What the headers say of
    /// their sizes should be checked before.
    pub(crate) fn find_streams(&mut self, max_pixels: u64) -> Result<(), AvError> {
        let _working = self.interrupt.pulse().enter(&self.path, self.reached);
        let limit = max_pixels.to_string();
        let mut options = Vec::new();
        for _ in self.raw_streams() {
            options.push(Options::new([("max_pixels", limit.as_str())])?);
        }
        // FFmpeg takes an array of dictionaries, one for each stream that there is now, and may replace them.
        let mut raw: Vec<*mut ffi::AVDictionary> = options.iter_mut().map(Options::take).collect();
        // SAFETY: the context is open; `raw` has a dictionary of ours for each of its streams.
        let code = unsafe { ffi::avformat_find_stream_info(self.context.as_ptr(), raw.as_mut_ptr()) };
        // Back to where they are freed.
        options.iter_mut().zip(raw).for_each(|(options, raw)| options.put(raw));
        AvError::check("avformat_find_stream_info", code).map(drop)
    }

    /// Opens `path`, which must be a regular file, with one of `demuxers` (FFmpeg's names, separated by commas), and
    /// reads its headers only: enough where its [`CodecParameters`] are known from before, since finding them out
    /// decodes up to twenty pictures.
    pub(crate) fn open(path: &Path, demuxers: &str, interrupt: Interrupt) -> Result<Self, AvError> {
        // The prefix keeps a name with a colon from being taken for a protocol.
        let mut url = b"file:".to_vec();
        url.extend_from_slice(path.as_os_str().as_bytes());
        let url = CString::new(url).map_err(|_| AvError::invalid("avformat_open_input"))?;
        let interrupt = Arc::new(interrupt);
        let _working = interrupt.pulse().enter(path, None);
        let mut options = Options::new([
            ("format_whitelist", demuxers),
            ("codec_whitelist", DECODERS),
            ("protocol_whitelist", "file"),
            ("max_streams", "32"),
            ("probesize", "5000000"),
            ("analyzeduration", "5000000"),
            ("max_probe_packets", "2500"),
        ])?;
        // SAFETY: the context is allocated here and given to avformat_open_input, which frees it on failure; the flag
        // outlives it because `Input` drops its fields only after its own `drop` has closed the context.
        let context = unsafe {
            let mut raw = ffi::avformat_alloc_context();
            if raw.is_null() {
                return Err(AvError::no_memory("avformat_alloc_context"));
            }
            (*raw).interrupt_callback =
                ffi::AVIOInterruptCB { callback: Some(interrupted), opaque: Arc::as_ptr(&interrupt).cast_mut().cast() };
            let code = ffi::avformat_open_input(&mut raw, url.as_ptr(), ptr::null(), options.as_mut_ptr());
            AvError::check("avformat_open_input", code)?;
            NonNull::new(raw).ok_or(AvError::invalid("avformat_open_input"))?
        };
        let input = Self { context, interrupt, path: path.to_owned(), reached: None };
        if let Some(name) = options.leftover() {
            tracing::error!(option = name, "FFmpeg did not take an option of the allow-list");
            return Err(AvError::invalid("avformat_open_input (an option was not consumed)"));
        }
        Ok(input)
    }

    /// The demuxer's name, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub(crate) fn format_name(&self) -> String {
        // SAFETY: an open context has an input format with a static name.
        unsafe { CStr::from_ptr((*(*self.context.as_ptr()).iformat).name).to_string_lossy().into_owned() }
    }

    fn raw_streams(&self) -> &[*mut ffi::AVStream] {
        // SAFETY: FFmpeg keeps `streams` valid for `nb_streams` pointers until the context changes, which needs `&mut`.
        unsafe {
            let context = self.context.as_ref();
            if context.streams.is_null() {
                return &[];
            }
            std::slice::from_raw_parts(context.streams.cast_const(), context.nb_streams as usize)
        }
    }

    /// A copy of what is known of a stream's codec.
    pub(crate) fn codec_parameters(&self, stream: usize) -> Result<CodecParameters, AvError> {
        let raw = self.raw_streams().get(stream).ok_or(AvError::invalid("avcodec_parameters_copy"))?;
        // SAFETY: the streams of an open context are valid and have parameters.
        let (parameters, base) = unsafe { ((**raw).codecpar, (**raw).time_base) };
        CodecParameters::copy(parameters, base)
    }

    /// The streams, in the file's order. A stream whose time base is broken is left out.
    pub(crate) fn streams(&self) -> Vec<StreamInfo> {
        self.raw_streams().iter().enumerate().filter_map(|(index, &raw)| Self::describe(index, raw)).collect()
    }

    fn describe(index: usize, raw: *mut ffi::AVStream) -> Option<StreamInfo> {
        // SAFETY: the stream and its parameters are valid as long as the context is open; enums are read as integers.
        unsafe {
            let parameters = (*raw).codecpar;
            let codec_type = ptr::addr_of!((*parameters).codec_type).cast::<i32>().read();
            let kind = if codec_type == ffi::AVMediaType::AVMEDIA_TYPE_VIDEO as i32 {
                const STILLS: c_int =
                    ffi::AV_DISPOSITION_ATTACHED_PIC as c_int | ffi::AV_DISPOSITION_TIMED_THUMBNAILS as c_int;
                if (*raw).disposition & STILLS != 0 { StreamKind::Cover } else { StreamKind::Video }
            } else if codec_type == ffi::AVMediaType::AVMEDIA_TYPE_AUDIO as i32 {
                StreamKind::Audio
            } else {
                StreamKind::Other
            };
            let base = (*raw).time_base;
            Some(StreamInfo {
                index,
                kind,
                codec: CStr::from_ptr(ffi::avcodec_get_name((*parameters).codec_id)).to_string_lossy().into_owned(),
                time_base: TimeBase::new(u32::try_from(base.num).ok()?, u32::try_from(base.den).ok()?)?,
                duration: timestamp((*raw).duration).filter(|&duration| duration > 0),
                is_default: (*raw).disposition & ffi::AV_DISPOSITION_DEFAULT as c_int != 0,
                id: (*raw).id,
                sample_aspect: aspect((*raw).sample_aspect_ratio).or(aspect((*parameters).sample_aspect_ratio)),
                display_matrix: side_data(raw, ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX).and_then(matrix),
                dolby_vision: side_data(raw, ffi::AVPacketSideDataType::AV_PKT_DATA_DOVI_CONF).and_then(dolby_vision),
                has_alpha_layer: tag((*raw).metadata, c"alpha_mode").is_some_and(|mode| mode == "1"),
                is_interlaced: is_interlaced(ptr::addr_of!((*parameters).field_order).cast::<i32>().read()),
                width: u32::try_from((*parameters).width).unwrap_or(0),
                height: u32::try_from((*parameters).height).unwrap_or(0),
                color: ColorTags {
                    matrix: ptr::addr_of!((*parameters).color_space).cast::<i32>().read(),
                    primaries: ptr::addr_of!((*parameters).color_primaries).cast::<i32>().read(),
                    transfer: ptr::addr_of!((*parameters).color_trc).cast::<i32>().read(),
                    range: ptr::addr_of!((*parameters).color_range).cast::<i32>().read(),
                },
                light: Light::new(
                    side_data(raw, ffi::AVPacketSideDataType::AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
                    side_data(raw, ffi::AVPacketSideDataType::AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
                ),
                sample_rate: u32::try_from((*parameters).sample_rate).unwrap_or(0),
                channels: u32::try_from((*parameters).ch_layout.nb_channels).unwrap_or(0),
            })
        }
    }

    /// Has the demuxer drop the packets of every stream but `keep`.
    pub(crate) fn keep_only(&mut self, keep: &[usize]) {
        for (index, &raw) in self.raw_streams().iter().enumerate() {
            let discard =
                if keep.contains(&index) { ffi::AVDiscard::AVDISCARD_DEFAULT } else { ffi::AVDiscard::AVDISCARD_ALL };
            // SAFETY: the stream is valid, and `&mut self` makes this the only access.
            unsafe { (*raw).discard = discard }
        }
    }

    /// Reads the next packet into `packet`; `false` at the end of the file.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<bool, AvError> {
        packet.unref();
        let _working = self.interrupt.pulse().enter(&self.path, self.reached);
        // SAFETY: the context is open and the packet is blank.
        let code = unsafe { ffi::av_read_frame(self.context.as_ptr(), packet.as_mut_ptr()) };
        if code == ffi::AVERROR_EOF {
            return Ok(false);
        }
        AvError::check("av_read_frame", code)?;
        self.reached = self.time_of(packet).or(self.reached);
        Ok(true)
    }

    fn time_of(&self, packet: &Packet) -> Option<Timestamp> {
        // SAFETY: the streams of an open context are valid.
        let base = self.raw_streams().get(packet.stream()).map(|&stream| unsafe { (*stream).time_base })?;
        let base = TimeBase::new(u32::try_from(base.num).ok()?, u32::try_from(base.den).ok()?)?;
        Some(Timestamp::from_pts(packet.pts().or(packet.dts())?, base))
    }

    /// Moves to the last key packet of `stream` at or before `pts` (in its time base).
    pub(crate) fn seek(&mut self, stream: usize, pts: i64) -> Result<(), AvError> {
        let stream = c_int::try_from(stream).map_err(|_| AvError::invalid("av_seek_frame"))?;
        let _working = self.interrupt.pulse().enter(&self.path, self.reached);
        // SAFETY: the context is open; an unknown stream index is refused by FFmpeg.
        let code = unsafe { ffi::av_seek_frame(self.context.as_ptr(), stream, pts, ffi::AVSEEK_FLAG_BACKWARD) };
        AvError::check("av_seek_frame", code)?;
        Ok(())
    }
}

/// A ratio with positive parts.
pub(super) fn aspect(ratio: ffi::AVRational) -> Option<(u32, u32)> {
    let (num, den) = (u32::try_from(ratio.num).ok()?, u32::try_from(ratio.den).ok()?);
    (num > 0 && den > 0).then_some((num, den))
}

fn is_interlaced(field_order: i32) -> bool {
    use ffi::AVFieldOrder::*;
    [AV_FIELD_TT, AV_FIELD_BB, AV_FIELD_TB, AV_FIELD_BT].into_iter().any(|order| order as i32 == field_order)
}

/// The nine numbers of a display matrix.
pub(super) fn matrix(data: &[u8]) -> Option<[i32; 9]> {
    let mut numbers = data.chunks_exact(4).map(|bytes| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let mut matrix = [0; 9];
    for number in &mut matrix {
        *number = numbers.next()?;
    }
    Some(matrix)
}

/// Reads an `AVDOVIDecoderConfigurationRecord`, which the bindings lack: eight bytes, of which the third is the profile
/// and the last the compatibility of the base layer (libavutil/dovi_meta.h).
fn dolby_vision(data: &[u8]) -> Option<DolbyVision> {
    Some(DolbyVision { profile: *data.get(2)?, compatibility: *data.get(7)? })
}

/// The side data of a kind that the container has for a stream.
///
/// # Safety
/// `stream` must be a stream of an open context, and the slice must not outlive it.
unsafe fn side_data<'a>(stream: *mut ffi::AVStream, kind: ffi::AVPacketSideDataType) -> Option<&'a [u8]> {
    // SAFETY: by the caller's promise; FFmpeg keeps the array valid for its count and each entry for its size. The
    // kind is read as the integer that it is.
    unsafe {
        #[cfg(ffmpeg_8_0)]
        let (list, count) =
            ((*(*stream).codecpar).coded_side_data, usize::try_from((*(*stream).codecpar).nb_coded_side_data).ok()?);
        #[cfg(not(ffmpeg_8_0))]
        let (list, count) = ((*stream).side_data, usize::try_from((*stream).nb_side_data).ok()?);
        if list.is_null() {
            return None;
        }
        let list = std::slice::from_raw_parts(list.cast_const(), count);
        let found = list.iter().find(|entry| ptr::addr_of!(entry.type_).cast::<i32>().read() == kind as i32)?;
        (!found.data.is_null()).then(|| std::slice::from_raw_parts(found.data.cast_const(), found.size))
    }
}

/// The value of a metadata tag.
///
/// # Safety
/// `dictionary` must be null or a dictionary of an open context.
unsafe fn tag(dictionary: *mut ffi::AVDictionary, key: &CStr) -> Option<String> {
    // SAFETY: by the caller's promise; av_dict_get accepts null, and an entry's value is a C string.
    unsafe {
        let entry = ffi::av_dict_get(dictionary, key.as_ptr(), ptr::null(), 0);
        (!entry.is_null()).then(|| CStr::from_ptr((*entry).value).to_string_lossy().into_owned())
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let mut raw = self.context.as_ptr();
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::avformat_close_input(&mut raw) }
    }
}
