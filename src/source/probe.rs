//! What is in a file: one pass over its packets and one decoded picture.

use std::ffi::CStr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::access::{check_pixels, read_head};
use super::boxes::promised_samples;
use super::color::ColorInfo;
use super::convert::Look;
use super::known::{Known, KnownSources};
use super::look::{UNKNOWN_PEAK, clean_aperture, look_of};
use super::music::{Expected, Music, MusicKind, probe_music};
use super::nal::{Framing, is_random_access};
use super::picture::{PictureKind, probe_picture};
use super::pictures::index_of;
use super::sniff::{Kind, sniff};
use super::{VideoIndex, check_file, hash_file, source_error};
use crate::compose::Orientation;
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{CodecParameters, Decoder, Input, Interrupt, Packet, Received, StreamInfo, StreamKind, VideoFrame};
use crate::limits::Limits;
use crate::units::{SourceSize, TimeBase, TimeSpan, Timestamp};

/// What the engine sees in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceInfo {
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of the file's content, 64 hexadecimal digits.
    pub hash: String,
    /// The container, by FFmpeg's demuxer name.
    pub container: String,
    /// The video stream that is used.
    pub video: Option<VideoInfo>,
    /// The audio stream that is used.
    pub audio: Option<AudioInfo>,
    /// What differs from what the file says or from the working format, and is corrected.
    pub corrections: Vec<String>,
    /// Why the file cannot be read to its end; what comes before is used.
    pub damage: Option<String>,
    /// Why its video stream cannot be used; its sound can.
    pub unusable_video: Option<Unusable>,
}

/// Why a part of a source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unusable {
    /// The kind of the error that using it gives.
    pub kind: ErrorKind,
    /// What is wrong.
    pub reason: String,
}

impl SourceInfo {
    /// All that is worth telling: the corrections, and where the file breaks off.
    pub fn all_corrections(&self) -> Vec<String> {
        let damage =
            self.damage.iter().map(|fault| format!("damaged or cut short ({fault}): what can be read is used"));
        let unusable = self.unusable_video.iter().map(|fault| format!("its video is not used: {}", fault.reason));
        self.corrections.iter().cloned().chain(unusable).chain(damage).collect()
    }
}

/// The video stream of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoInfo {
    /// Its number in the file.
    pub stream: usize,
    /// Its codec, such as `h264`.
    pub codec: String,
    /// Its size as it is displayed, in pixels.
    pub size: SourceSize,
    /// How it was made.
    pub kind: VideoKind,
    /// Pictures in it.
    pub pictures: u64,
    /// From the first picture to the end of the last, in ticks.
    pub duration: TimeSpan,
    /// Mean pictures a second.
    pub mean_rate: f64,
    /// Its colour, resolved.
    pub color: ColorInfo,
    /// Whether its pictures are transparent in places.
    pub has_alpha: bool,
}

/// What kind of pictures a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VideoKind {
    /// A video stream.
    Clip,
    /// One picture, such as a JPEG; a shot of it lasts four seconds unless it says otherwise.
    Still,
    /// A moving picture without sound, such as a GIF.
    Animation,
}

/// The audio stream of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioInfo {
    /// Its number in the file.
    pub stream: usize,
    /// Its codec, such as `aac`.
    pub codec: String,
    /// Sample frames a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// From the first sample to the end of the last packet, in ticks.
    pub duration: TimeSpan,
}

/// The outcome of a probe: the description, and what a reader needs.
#[derive(Debug, Clone)]
pub(crate) struct Probed {
    pub(crate) info: SourceInfo,
    pub(crate) video: Option<ProbedVideo>,
    pub(crate) audio: Option<ProbedAudio>,
}

/// What a reader of the pictures needs.
#[derive(Debug, Clone)]
pub(crate) struct ProbedVideo {
    pub(crate) index: Arc<VideoIndex>,
    pub(super) look: Look,
    pub(super) origin: Origin,
}

impl ProbedVideo {
    /// What is known of the stream's codec; `None` for picture files.
    pub(crate) fn parameters(&self) -> Option<&CodecParameters> {
        match &self.origin {
            Origin::Stream(stream) => Some(&stream.parameters),
            Origin::Picture(_) => None,
        }
    }
}

/// Where pictures come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A stream that FFmpeg decodes.
    Stream(ProbedStream),
    /// A picture file.
    Picture(PictureKind),
}

/// What a decoder of a video stream needs.
#[derive(Debug, Clone)]
pub(super) struct ProbedStream {
    pub(super) demuxers: &'static str,
    pub(super) stream: usize,
    pub(super) codec: String,
    /// The decoder, where it is not the usual one of the codec.
    pub(super) decoder: Option<&'static CStr>,
    pub(super) parameters: Arc<CodecParameters>,
    /// Whether the pictures are made of two fields each.
    pub(super) is_interlaced: bool,
    /// Whether the file cannot be read to its end.
    pub(super) cut_short: bool,
}

/// What a reader of the audio stream needs.
#[derive(Debug, Clone)]
pub(crate) struct ProbedAudio {
    pub(crate) demuxers: &'static str,
    pub(crate) stream: usize,
    pub(crate) codec: String,
    pub(crate) parameters: Arc<CodecParameters>,
    pub(crate) time_base: TimeBase,
    /// The source's time zero: its first picture. `None` without pictures: then it is the first decoded sample.
    pub(crate) zero: Option<Timestamp>,
    /// How long the container says that it is; what the last packet has beyond that is padding of its encoder.
    pub(crate) length: Option<TimeSpan>,
    /// Whether the file cannot be read to its end.
    pub(crate) cut_short: bool,
    /// What symphonia needs to decode it; `None` where FFmpeg does.
    pub(crate) music: Option<Music>,
}

/// Reads the file at `path` from end to end without decoding it, then decodes its first picture.
///
/// # Errors
/// `SOURCE_UNREADABLE`, `SOURCE_UNSUPPORTED`, `SOURCE_EMPTY` (no stream, or no picture can be decoded),
/// `LIMIT_EXCEEDED`, `CANCELED`.
pub(crate) fn probe(path: &Path, limits: &Limits, interrupt: &Interrupt) -> Result<Probed> {
    probe_known(path, limits, interrupt, None)
}

/// As [`probe`], but what `known` has of the file is not read again: neither its hash nor, in MP4 and MOV, its packets. In
/// other containers the packets are read each time, since reading them may change what the demuxer says of the streams.
pub(crate) fn probe_known(
    path: &Path,
    limits: &Limits,
    interrupt: &Interrupt,
    known: Option<&KnownSources>,
) -> Result<Probed> {
    let bytes = check_file(path, limits)?;
    let looked_up = known.and_then(|known| known.look_up(path));
    let before = looked_up.as_ref().and_then(|looked_up| looked_up.before.clone());
    let (hash, mut scan) = match before {
        Some(known) => (known.hash, known.scan),
        None => (hash_file(path, interrupt)?, None),
    };
    let file = FileFacts { bytes, hash: hash.clone() };
    let probed = match sniff(&read_head(path)?) {
        Some(Kind::Picture(kind)) => probe_picture_file(path, kind, file, limits, interrupt),
        Some(Kind::Media(demuxers)) => probe_media(path, demuxers, file, limits, interrupt, &mut scan),
        None => {
            Err(Error::new(ErrorKind::SourceUnsupported, "it is neither video, sound nor a picture by its content")
                .suggest(KNOWN))
        }
    }?;
    if let Some(looked_up) = looked_up {
        looked_up.keep(Known { hash, scan });
    }
    Ok(probed)
}

const KNOWN: &str = "upload an MP4, MOV, WebM, MKV, MP3, M4A, WAV, FLAC, OGG, JPEG, PNG, WebP, GIF, AVIF or HEIC file";

struct FileFacts {
    bytes: u64,
    hash: String,
}

/// A picture file as a source: its pictures on a clock of milliseconds.
fn probe_picture_file(
    path: &Path,
    kind: PictureKind,
    file: FileFacts,
    limits: &Limits,
    interrupt: &Interrupt,
) -> Result<Probed> {
    let found = probe_picture(path, kind, limits, interrupt)?;
    let index = index_of(&found)?;
    check_duration(index.duration(), limits)?;
    let kind_of_video = if found.is_animated() { VideoKind::Animation } else { VideoKind::Still };
    let size = found.size;
    let look = Look {
        color: ColorInfo::SRGB,
        coding: None,
        peak_nits: UNKNOWN_PEAK,
        has_alpha: found.has_alpha,
        aperture: None,
        coded: (found.size.width(), found.size.height()),
        aspect: None,
        orientation: Orientation::Upright,
        size,
        tone: Arc::default(),
    };
    let mut corrections = found.corrections.clone();
    if found.has_alpha {
        corrections.push("transparent parts show what lies below".to_owned());
    }
    Ok(Probed {
        info: SourceInfo {
            bytes: file.bytes,
            hash: file.hash,
            container: kind.name().to_owned(),
            video: Some(VideoInfo {
                stream: 0,
                codec: kind.name().to_owned(),
                size,
                kind: kind_of_video,
                pictures: index.len() as u64,
                duration: index.duration(),
                mean_rate: mean_rate(&index),
                color: look.color,
                has_alpha: found.has_alpha,
            }),
            audio: None,
            corrections,
            damage: None,
            unusable_video: None,
        },
        video: Some(ProbedVideo { index: Arc::new(index), look, origin: Origin::Picture(kind) }),
        audio: None,
    })
}

/// `known`: the packets of the file where they are known already; what is found of them.
fn probe_media(
    path: &Path,
    demuxers: &'static str,
    file: FileFacts,
    limits: &Limits,
    interrupt: &Interrupt,
    known: &mut Option<Scan>,
) -> Result<Probed> {
    let opening = |error| source_error(error, "opening it as media").suggest(KNOWN);
    if demuxers == "mov" {
        check_samples(path, file.bytes, interrupt)?;
    }
    let mut input = Input::open(path, demuxers, interrupt.clone()).map_err(opening)?;
    // Before anything is decoded. Headers may lie: every picture is checked again.
    let headers = input.streams();
    for stream in &headers {
        check_pixels(stream.width, stream.height, limits)?;
    }
    input.find_streams(limits.source_pixels).map_err(opening)?;
    let mut streams = input.streams();
    for stream in &mut streams {
        // Finding the streams writes what the decoder says over what the container says.
        if let Some(header) = headers.iter().find(|header| header.index == stream.index) {
            stream.color = stream.color.or(header.color);
        }
    }
    let mut corrections = Vec::new();
    let video = choose_video(&input, &streams, limits)?;
    let audio = choose_audio(&input, &streams, limits)?;
    if let Some(audio) = audio {
        check_sound(audio)?;
    }
    if video.is_none() && audio.is_none() {
        return Err(Error::new(ErrorKind::SourceEmpty, "it has neither a video nor an audio stream"));
    }
    let scan = match known.take().filter(|scan| scan.is_of(video, audio, limits)) {
        Some(scan) => scan,
        None => {
            let scan = Scan::run(&mut input, video, audio, limits)?;
            tracing::debug!(path = %path.display(), pictures = scan.pts.len(), "scanned");
            scan
        }
    };
    // A fault may be the disk's, and gone next time.
    if demuxers == "mov" && scan.fault.is_none() {
        *known = Some(scan.clone());
    }
    let container = input.format_name();
    let facts = Facts { path, demuxers, limits, interrupt, scan: &scan };

    let mut unusable_video = None;
    let (video_info, probed_video) = match video.map(|stream| facts.video(&mut input, stream)) {
        None => (None, None),
        Some(Ok((info, probed, corrected))) => {
            corrections = corrected;
            (Some(info), Some(probed))
        }
        // A song with a cover that nobody can decode is still a song.
        Some(Err(error)) if scan.audio.is_some() && error.kind() != ErrorKind::Canceled => {
            unusable_video = Some(Unusable { kind: error.kind(), reason: error.message().to_owned() });
            (None, None)
        }
        Some(Err(error)) => return Err(error),
    };
    let zero = probed_video.as_ref().map(|video| Timestamp::from_pts(video.index.first_pts(), video.index.time_base()));
    let (mut audio_info, mut probed_audio) =
        match audio.map(|stream| facts.audio(&input, stream, zero)).transpose()?.flatten() {
            None => (None, None),
            Some((info, probed)) => (Some(info), Some(probed)),
        };
    let tracks = streams.iter().filter(|stream| stream.kind == StreamKind::Audio).count();
    if let (Some(info), Some(probed), None, 1) = (&mut audio_info, &mut probed_audio, video, tracks) {
        corrections.extend(facts.music(&container, info, probed)?);
    }
    if video_info.is_none() && audio_info.is_none() {
        return Err(Error::new(ErrorKind::SourceEmpty, "it has no sound"));
    }
    if interrupt.is_set() {
        // An interrupted read may look like the end of the file.
        return Err(Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read"));
    }
    Ok(Probed {
        info: SourceInfo {
            bytes: file.bytes,
            hash: file.hash,
            container,
            video: video_info,
            audio: audio_info,
            corrections,
            damage: scan.fault.clone(),
            unusable_video,
        },
        video: probed_video,
        audio: probed_audio,
    })
}

/// What the description of a file's streams starts from.
struct Facts<'a> {
    path: &'a Path,
    demuxers: &'static str,
    limits: &'a Limits,
    interrupt: &'a Interrupt,
    scan: &'a Scan,
}

impl Facts<'_> {
    /// The description, what a reader needs, and what is corrected.
    fn video(&self, input: &mut Input, stream: &StreamInfo) -> Result<(VideoInfo, ProbedVideo, Vec<String>)> {
        let mut corrections = Vec::new();
        let failed = |error| source_error(error, "reading it");
        let limits = self.limits;
        let index = self
            .scan
            .video_index(stream.time_base)
            .ok_or_else(|| Error::new(ErrorKind::SourceEmpty, "its video stream has no pictures"))?;
        check_duration(index.duration(), limits)?;
        check_rate(mean_rate(&index), limits)?;
        note_missing_end(stream, index.duration(), &mut corrections);
        if let Some((slowest, fastest)) = index.rate_span() {
            corrections.push(format!("vfr {slowest:.1}..{fastest:.1} -> constant"));
        }
        let mut probed = ProbedStream {
            demuxers: self.demuxers,
            stream: stream.index,
            codec: stream.codec.clone(),
            decoder: decoder_of(stream),
            parameters: Arc::new(input.codec_parameters(stream.index).map_err(failed)?),
            is_interlaced: stream.is_interlaced,
            cut_short: self.scan.fault.is_some(),
        };
        let first = first_picture(input, &probed, index.first_pts(), (self.path, self.interrupt), limits)?;
        probed.is_interlaced |= first.is_interlaced();
        let aperture = if self.demuxers == "mov" { clean_aperture(self.path, stream.id, &first) } else { None };
        let look = look_of(stream, &first, aperture, &probed, &mut corrections)?;
        let info = VideoInfo {
            stream: stream.index,
            codec: stream.codec.clone(),
            size: look.size,
            kind: VideoKind::Clip,
            pictures: index.len() as u64,
            duration: index.duration(),
            mean_rate: mean_rate(&index),
            color: look.color,
            has_alpha: look.has_alpha,
        };
        Ok((info, ProbedVideo { index: Arc::new(index), look, origin: Origin::Stream(probed) }, corrections))
    }

    /// `zero`: when the source's first picture is shown.
    fn audio(
        &self,
        input: &Input,
        stream: &StreamInfo,
        zero: Option<Timestamp>,
    ) -> Result<Option<(AudioInfo, ProbedAudio)>> {
        let Some((start, end)) = self.scan.audio else { return Ok(None) };
        let duration = end.saturating_since(start);
        check_duration(duration, self.limits)?;
        let parameters =
            Arc::new(input.codec_parameters(stream.index).map_err(|error| source_error(error, "reading it"))?);
        // Better refused now than after all pictures are rendered.
        open_decoder(&parameters, None, &stream.codec, self.limits)?;
        let probed = ProbedAudio {
            demuxers: self.demuxers,
            stream: stream.index,
            codec: stream.codec.clone(),
            parameters,
            time_base: stream.time_base,
            zero,
            length: told_length(stream).filter(|length| {
                // A header that is off by more than padding is not believed.
                let padding = TimeSpan::from_secs_f64(0.2).unwrap_or_default();
                *length < duration && duration.ticks() - length.ticks() < padding.ticks()
            }),
            cut_short: self.scan.fault.is_some(),
            music: None,
        };
        let info = AudioInfo {
            stream: stream.index,
            codec: stream.codec.clone(),
            sample_rate: stream.sample_rate,
            channels: stream.channels,
            duration,
        };
        Ok(Some((info, probed)))
    }
}

impl Facts<'_> {
    /// Has symphonia decode the sound of a file without pictures, if it can and finds as much of it as FFmpeg; gives
    /// what is strange in the file.
    fn music(&self, container: &str, info: &mut AudioInfo, probed: &mut ProbedAudio) -> Result<Vec<String>> {
        let Some(kind) = MusicKind::of(container, &info.codec) else { return Ok(Vec::new()) };
        let frames = |span: TimeSpan| {
            let frames = Timestamp::ZERO.saturating_add(span).to_sample_frames(info.sample_rate);
            u64::try_from(frames).unwrap_or(0)
        };
        // FFmpeg gives what is before an edit list's start negative times.
        let before = self.scan.audio.map_or(TimeSpan::ZERO, |(start, _)| Timestamp::ZERO.saturating_since(start));
        let edit = probed.length.map(|length| (frames(before), frames(length)));
        let expected = Expected { rate: info.sample_rate, channels: info.channels, edit };
        let Some((music, notes)) = probe_music(self.path, kind, expected, self.interrupt)? else {
            return Ok(Vec::new());
        };
        // Where FFmpeg finds more sound, or an edit list is not the usual one, it knows better.
        let (found, other) = (music.length, frames(info.duration));
        let tolerance = u64::from(info.sample_rate) / 5;
        if other > found + tolerance || (kind == MusicKind::M4a && found.abs_diff(other) > tolerance) {
            return Ok(Vec::new());
        }
        let length = TimeBase::new(1, music.rate).map(|base| {
            Timestamp::from_pts(i64::try_from(music.length).unwrap_or(i64::MAX), base).saturating_since(Timestamp::ZERO)
        });
        info.duration = length.unwrap_or(info.duration);
        check_duration(info.duration, self.limits)?;
        (probed.music, probed.length) = (Some(music), None);
        Ok(notes)
    }
}

fn mean_rate(index: &VideoIndex) -> f64 {
    let seconds = index.duration().as_secs_f64();
    if seconds > 0.0 { index.len() as f64 / seconds } else { 0.0 }
}

/// The decoder that a stream needs, where FFmpeg's own would lose something: it drops the alpha of VP8 and VP9.
fn decoder_of(stream: &StreamInfo) -> Option<&'static CStr> {
    match stream.codec.as_str() {
        "vp8" if stream.has_alpha_layer => Some(c"libvpx"),
        "vp9" if stream.has_alpha_layer => Some(c"libvpx-vp9"),
        _ => None,
    }
}

/// The main video stream among those that can be decoded; if none can, the main one, whose error tells why.
fn choose_video<'a>(input: &Input, streams: &'a [StreamInfo], limits: &Limits) -> Result<Option<&'a StreamInfo>> {
    let mut usable = Vec::new();
    for info in streams.iter().filter(|info| info.kind == StreamKind::Video) {
        let parameters = input.codec_parameters(info.index).map_err(|error| source_error(error, "reading it"))?;
        if open_decoder(&parameters, decoder_of(info), &info.codec, limits).is_ok() {
            usable.push(info.clone());
        }
    }
    let best = choose(if usable.is_empty() { streams } else { &usable }, StreamKind::Video).map(|info| info.index);
    Ok(streams.iter().find(|info| Some(info.index) == best))
}

/// The main audio stream among those that can be decoded; if none can, the main one, whose error tells why.
fn choose_audio<'a>(input: &Input, streams: &'a [StreamInfo], limits: &Limits) -> Result<Option<&'a StreamInfo>> {
    let sound = |info: &&StreamInfo| info.kind == StreamKind::Audio && info.sample_rate > 0 && info.channels > 0;
    let mut usable = Vec::new();
    for info in streams.iter().filter(sound) {
        let parameters = input.codec_parameters(info.index).map_err(|error| source_error(error, "reading it"))?;
        if open_decoder(&parameters, None, &info.codec, limits).is_ok() {
            usable.push(info.clone());
        }
    }
    let best = choose(if usable.is_empty() { streams } else { &usable }, StreamKind::Audio).map(|info| info.index);
    Ok(streams.iter().filter(sound).find(|info| Some(info.index) == best))
}

/// The main stream of a kind: the one marked as default, then the one with most pixels, then the first.
fn choose(streams: &[StreamInfo], kind: StreamKind) -> Option<&StreamInfo> {
    streams.iter().filter(|info| info.kind == kind).max_by_key(|info| {
        (info.is_default, u64::from(info.width) * u64::from(info.height), std::cmp::Reverse(info.index))
    })
}

/// How long the container says that a stream is.
fn told_length(stream: &StreamInfo) -> Option<TimeSpan> {
    let end = Timestamp::from_pts(stream.duration?, stream.time_base);
    Some(end.saturating_since(Timestamp::ZERO))
}

/// An upload that broke off looks whole to a demuxer, whose header still has the full length.
fn note_missing_end(stream: &StreamInfo, found: TimeSpan, corrections: &mut Vec<String>) {
    if let Some(told) = missing_end(stream, found) {
        corrections.push(format!("cut short: {found} of {told} are there"));
    }
}

/// How long the container says that a stream is, if much of that is not among the `found`.
pub(super) fn missing_end(stream: &StreamInfo, found: TimeSpan) -> Option<TimeSpan> {
    // A quarter of a second is more than any container rounds.
    let rounded = TimeSpan::from_secs(1).ticks() / 4;
    told_length(stream).filter(|told| told.ticks().saturating_sub(found.ticks()) > rounded)
}

/// Rates and channels that sound has; others cost memory and mean nothing.
fn check_sound(info: &StreamInfo) -> Result<()> {
    if !(4_000..=384_000).contains(&info.sample_rate) || info.channels > 8 {
        return Err(Error::new(
            ErrorKind::SourceUnsupported,
            format!("its sound has {} Hz and {} channels", info.sample_rate, info.channels),
        )
        .suggest("export it with 8 to 192 kHz and at most 8 channels"));
    }
    Ok(())
}

/// Samples that a file may promise whatever its size: 48 MB of FFmpeg's table, and 43 s of PCM.
const FEW_SAMPLES: u64 = 2 << 20;

/// Refuses a file of `bytes` whose index promises more samples than it has bytes: the tables for them would take all
/// memory before anything is read.
fn check_samples(path: &Path, bytes: u64, interrupt: &Interrupt) -> Result<()> {
    let promised = promised_samples(path, interrupt).map_err(|error| {
        if interrupt.is_set() {
            return Error::new(ErrorKind::Canceled, "the job was cancelled while a source was read");
        }
        Error::new(ErrorKind::SourceUnreadable, format!("{} cannot be read", path.display())).caused_by(error)
    })?;
    if promised > bytes.max(FEW_SAMPLES) {
        let message = format!("its index promises {promised} samples, and it has {bytes} bytes");
        return Err(Error::new(ErrorKind::SourceUnreadable, message).suggest("export or upload it again"));
    }
    Ok(())
}

fn check_rate(rate: f64, limits: &Limits) -> Result<()> {
    if rate > f64::from(limits.source_frame_rate) {
        let message = format!("it has {rate:.0} pictures a second; the limit is {}", limits.source_frame_rate);
        return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("export it with at most 60"));
    }
    Ok(())
}

fn check_duration(duration: TimeSpan, limits: &Limits) -> Result<()> {
    if duration > limits.source_duration {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("it lasts {duration}; the limit is {}", limits.source_duration),
        )
        .suggest("cut the clip"));
    }
    Ok(())
}

/// What one pass over the packets finds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scan {
    /// The streams whose packets they are.
    video: Option<usize>,
    sound: Option<usize>,
    pts: Vec<i64>,
    last: (i64, i64),
    keys: Vec<i64>,
    without_pts: usize,
    audio: Option<(Timestamp, Timestamp)>,
    fault: Option<String>,
}

impl Scan {
    fn run(input: &mut Input, video: Option<&StreamInfo>, audio: Option<&StreamInfo>, limits: &Limits) -> Result<Self> {
        let failed = |error| source_error(error, "reading it");
        let keep: Vec<usize> = [video, audio].into_iter().flatten().map(|info| info.index).collect();
        input.keep_only(&keep);
        let mut scan = Self {
            video: video.map(|info| info.index),
            sound: audio.map(|info| info.index),
            last: (i64::MIN, 0),
            ..Self::default()
        };
        let mut packet = Packet::new().map_err(failed)?;
        let framing = match video {
            Some(info) => {
                Framing::of_extradata(input.codec_parameters(info.index).map_err(failed)?.extradata(), &info.codec)
            }
            None => Framing::StartCode,
        };
        loop {
            match input.read(&mut packet) {
                Ok(true) => {}
                Ok(false) => return Ok(scan),
                Err(error) if error.is_interrupt() => return Err(failed(error)),
                Err(error) => {
                    scan.fault = Some(error.to_string());
                    return Ok(scan);
                }
            }
            if let Some(info) = video.filter(|info| info.index == packet.stream()) {
                scan.picture(&packet, is_random_access(&info.codec, packet.data(), framing));
                if scan.pts.len() + scan.without_pts > limits.source_packets {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format!("it has more than {} pictures", limits.source_packets),
                    )
                    .suggest("cut the clip"));
                }
            } else if let Some(info) = audio.filter(|info| info.index == packet.stream()) {
                scan.sound(&packet, info.time_base);
            }
        }
    }

    /// Whether it is what [`Self::run`] would find.
    fn is_of(&self, video: Option<&StreamInfo>, audio: Option<&StreamInfo>, limits: &Limits) -> bool {
        (self.video, self.sound) == (video.map(|info| info.index), audio.map(|info| info.index))
            && self.pts.len() + self.without_pts <= limits.source_packets
    }

    /// `can_start`: whether decoding can start at it, by what the bitstream says; a file's own flags may lie.
    fn picture(&mut self, packet: &Packet, can_start: bool) {
        let is_key = packet.is_key() && can_start;
        if packet.is_discard() {
            // Decoded but never shown; a key picture may still be where decoding starts.
            if let (true, Some(pts)) = (is_key, packet.pts()) {
                self.keys.push(pts);
            }
            return;
        }
        let Some(pts) = packet.pts() else {
            self.without_pts += 1;
            if let Some(dts) = packet.dts() {
                self.pts.push(dts);
            }
            return;
        };
        self.pts.push(pts);
        if pts > self.last.0 {
            self.last = (pts, packet.duration());
        }
        if is_key {
            self.keys.push(pts);
        }
    }

    fn sound(&mut self, packet: &Packet, base: TimeBase) {
        let Some(pts) = packet.pts() else { return };
        let start = Timestamp::from_pts(pts, base);
        let end = Timestamp::from_pts(pts.saturating_add(packet.duration().max(0)), base);
        let (first, last) = self.audio.get_or_insert((start, end));
        *first = (*first).min(start);
        *last = (*last).max(end);
    }

    fn video_index(&self, base: TimeBase) -> Option<VideoIndex> {
        VideoIndex::new(base, self.pts.clone(), self.last.1, self.keys.clone(), self.without_pts == 0)
    }
}

/// Decodes the first picture that can be decoded; `start` is the first pts.
fn first_picture(
    input: &mut Input,
    probed: &ProbedStream,
    start: i64,
    (path, interrupt): (&Path, &Interrupt),
    limits: &Limits,
) -> Result<VideoFrame> {
    let failed = |error| source_error(error, "decoding its first picture");
    input.keep_only(&[probed.stream]);
    if input.seek(probed.stream, start).is_err() {
        // Some files cannot seek and still read forward.
        *input = Input::open(path, probed.demuxers, interrupt.clone()).map_err(failed)?;
        input.keep_only(&[probed.stream]);
    }
    let mut decoder = open_decoder(&probed.parameters, probed.decoder, &probed.codec, limits)?;
    let mut packet = Packet::new().map_err(failed)?;
    let mut frame = VideoFrame::empty().map_err(failed)?;
    // A stream may start with pictures that refer to what was cut off; more than this many is no video.
    for _ in 0..500 {
        let more = match input.read(&mut packet) {
            Ok(more) => more,
            Err(error) if error.is_interrupt() => return Err(failed(error)),
            Err(_) => false,
        };
        // Damaged packets are skipped: the next key picture may be whole.
        let _ = if more { decoder.send(&packet) } else { decoder.send_end() };
        match decoder.receive_video(&mut frame) {
            Ok(Received::Frame) => {
                check_pixels(frame.width(), frame.height(), limits)?;
                return Ok(frame);
            }
            Ok(Received::NeedsInput) if more => {}
            Err(error) if error.is_interrupt() => return Err(failed(error)),
            Err(_) if more => {}
            _ => break,
        }
    }
    Err(Error::new(ErrorKind::SourceEmpty, "no picture of its video stream can be decoded")
        .suggest("the file is damaged: export or upload it again"))
}

/// Opens the decoder of a stream of codec `codec`, the one named `wanted` if it is given.
pub(crate) fn open_decoder(
    parameters: &CodecParameters,
    wanted: Option<&CStr>,
    codec: &str,
    limits: &Limits,
) -> Result<Decoder> {
    Decoder::open(parameters, wanted, limits.source_pixels)
        .map_err(|error| source_error(error, "opening its decoder"))?
        .ok_or_else(|| {
            Error::new(ErrorKind::SourceUnsupported, format!("its codec {codec} is not supported"))
                .suggest("export it as H.264 or HEVC video with AAC sound in MP4")
        })
}
