//! Writing the MP4 file.

use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;

use super::av::Options;
use super::{AvError, Packet};
use crate::units::FrameRate;

/// What the container must know of the H.264 track.
pub(crate) struct VideoTrack<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rate: FrameRate,
    /// SPS and PPS in Annex B form.
    pub(crate) extradata: &'a [u8],
    /// Frames of reordering.
    pub(crate) reorder_depth: u32,
}

/// What the container must know of the AAC track.
pub(crate) struct AudioTrack<'a> {
    pub(crate) sample_rate: u32,
    pub(crate) bit_rate: u32,
    pub(crate) frame_size: usize,
    /// AudioSpecificConfig.
    pub(crate) extradata: &'a [u8],
}

/// An MP4 file being written: `moov` first, no edit list, first picture and first sound at 0 in every player.
///
/// Reordered pictures start at 0 through signed composition offsets (`ctts` version 1) in place of an edit list, which
/// Instagram and YouTube refuse.
pub(crate) struct Mp4Writer {
    context: NonNull<ffi::AVFormatContext>,
    video_base: ffi::AVRational,
    audio_base: ffi::AVRational,
    has_audio: bool,
}

impl Mp4Writer {
    pub(crate) fn create(path: &Path, video: &VideoTrack<'_>, audio: Option<&AudioTrack<'_>>) -> Result<Self, AvError> {
        let mut url = b"file:".to_vec();
        url.extend_from_slice(path.as_os_str().as_bytes());
        let url = CString::new(url).map_err(|_| AvError::invalid("avio_open"))?;
        let int = |value: u32| c_int::try_from(value).map_err(|_| AvError::invalid("avformat_new_stream"));
        let video_base = ffi::AVRational { num: int(video.rate.den())?, den: int(video.rate.num())? };
        let audio_base = ffi::AVRational { num: 1, den: int(audio.map_or(48_000, |audio| audio.sample_rate))? };
        // SAFETY: the context is allocated here and freed by drop; streams belong to it; every buffer handed over is
        // allocated with FFmpeg's allocator and its padding.
        unsafe {
            let mut raw = ptr::null_mut();
            let code = ffi::avformat_alloc_output_context2(&mut raw, ptr::null(), c"mp4".as_ptr(), url.as_ptr());
            AvError::check("avformat_alloc_output_context2", code)?;
            let context = NonNull::new(raw).ok_or(AvError::no_memory("avformat_alloc_output_context2"))?;
            let writer = Self { context, video_base, audio_base, has_audio: audio.is_some() };
            (*raw).flags |= ffi::AVFMT_FLAG_BITEXACT;

            let stream = new_stream(raw)?;
            let parameters = (*stream).codecpar;
            (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            (*parameters).codec_id = ffi::AVCodecID::AV_CODEC_ID_H264;
            (*parameters).format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as c_int;
            (*parameters).width = int(video.width)?;
            (*parameters).height = int(video.height)?;
            (*parameters).color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
            (*parameters).color_space = ffi::AVColorSpace::AVCOL_SPC_BT709;
            (*parameters).color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
            (*parameters).color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
            (*parameters).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            (*parameters).video_delay = int(video.reorder_depth)?;
            set_extradata(parameters, video.extradata)?;
            (*stream).time_base = video_base;
            (*stream).avg_frame_rate = ffi::AVRational { num: video_base.den, den: video_base.num };

            if let Some(audio) = audio {
                let stream = new_stream(raw)?;
                let parameters = (*stream).codecpar;
                (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
                (*parameters).codec_id = ffi::AVCodecID::AV_CODEC_ID_AAC;
                (*parameters).format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as c_int;
                (*parameters).sample_rate = int(audio.sample_rate)?;
                (*parameters).bit_rate = i64::from(audio.bit_rate);
                (*parameters).frame_size = c_int::try_from(audio.frame_size).unwrap_or(1024);
                // AAC-LC; the muxer reads the rest from the AudioSpecificConfig.
                (*parameters).profile = 1;
                ffi::av_channel_layout_default(&mut (*parameters).ch_layout, 2);
                set_extradata(parameters, audio.extradata)?;
                (*stream).time_base = audio_base;
            }

            let code = ffi::avio_open(&mut (*raw).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE as c_int);
            AvError::check("avio_open", code)?;
            let mut options = Options::new([
                ("movflags", "+faststart+negative_cts_offsets"),
                ("use_editlist", "0"),
                // The reordering delay stays negative decode time, which the signed offsets absorb; a shift of both
                // tracks would delay the sound by it.
                ("avoid_negative_ts", "disabled"),
            ])?;
            let code = ffi::avformat_write_header(raw, options.as_mut_ptr());
            AvError::check("avformat_write_header", code)?;
            match options.leftover() {
                None => Ok(writer),
                Some(name) => {
                    tracing::error!(option = name, "the muxer did not take an option");
                    Err(AvError::invalid("avformat_write_header (an option was not consumed)"))
                }
            }
        }
    }

    /// Writes a picture; `pts` and `dts` in frames.
    pub(crate) fn write_video(&mut self, data: &[u8], pts: i64, dts: i64, key: bool) -> Result<(), AvError> {
        let mut packet = Packet::with_data(data)?;
        packet.set(0, pts, dts, 1, key);
        self.write(packet, self.video_base)
    }

    /// Writes an AAC packet; `pts` and `duration` in sample frames.
    pub(crate) fn write_audio(&mut self, data: &[u8], pts: i64, duration: i64) -> Result<(), AvError> {
        if !self.has_audio {
            return Err(AvError::invalid("av_interleaved_write_frame"));
        }
        let mut packet = Packet::with_data(data)?;
        packet.set(1, pts, pts, duration, true);
        self.write(packet, self.audio_base)
    }

    fn write(&mut self, mut packet: Packet, base: ffi::AVRational) -> Result<(), AvError> {
        // SAFETY: the header is written, so the streams have the muxer's time bases; the packet is ours and its
        // reference is taken over.
        unsafe {
            let raw = self.context.as_ptr();
            let index = (*packet.as_ptr()).stream_index as usize;
            let stream = *(*raw).streams.add(index);
            ffi::av_packet_rescale_ts(packet.as_mut_ptr(), base, (*stream).time_base);
            let code = ffi::av_interleaved_write_frame(raw, packet.as_mut_ptr());
            AvError::check("av_interleaved_write_frame", code).map(drop)
        }
    }

    /// Writes what is left, moves the index to the front and closes the file.
    pub(crate) fn finish(mut self) -> Result<(), AvError> {
        // SAFETY: the header is written; write_trailer is called once because `self` is consumed.
        unsafe {
            let raw = self.context.as_mut();
            AvError::check("av_write_trailer", ffi::av_write_trailer(raw))?;
            // A full disk may show only here: buffered writes fail late.
            let late = if raw.pb.is_null() { 0 } else { (*raw.pb).error };
            AvError::check("avio_write", late)?;
            AvError::check("avio_close", ffi::avio_closep(&mut raw.pb))?;
        }
        Ok(())
    }
}

unsafe fn new_stream(context: *mut ffi::AVFormatContext) -> Result<*mut ffi::AVStream, AvError> {
    // SAFETY: the caller passes a live output context, which owns the stream.
    let stream = unsafe { ffi::avformat_new_stream(context, ptr::null()) };
    if stream.is_null() { Err(AvError::no_memory("avformat_new_stream")) } else { Ok(stream) }
}

unsafe fn set_extradata(parameters: *mut ffi::AVCodecParameters, data: &[u8]) -> Result<(), AvError> {
    let size = c_int::try_from(data.len()).map_err(|_| AvError::invalid("extradata"))?;
    // SAFETY: the caller passes live parameters without extradata; the zeroed buffer has room for the data and the
    // padding that readers may touch, and is freed with the parameters.
    unsafe {
        let buffer = ffi::av_mallocz(data.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
        if buffer.is_null() {
            return Err(AvError::no_memory("av_mallocz"));
        }
        ptr::copy_nonoverlapping(data.as_ptr(), buffer, data.len());
        (*parameters).extradata = buffer;
        (*parameters).extradata_size = size;
    }
    Ok(())
}

impl Drop for Mp4Writer {
    fn drop(&mut self) {
        // SAFETY: the context is ours and not used again; an unfinished file is closed without a trailer.
        unsafe {
            let raw = self.context.as_ptr();
            if !(*raw).pb.is_null() {
                ffi::avio_closep(&mut (*raw).pb);
            }
            ffi::avformat_free_context(raw);
        }
    }
}
