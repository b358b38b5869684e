//! What is measured, as plain data.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::sound::Heard;
use super::spans::Stretch;
use super::video::{SHORTEST, Seen};
use super::{InspectionFinding, Severity};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::ColorTags;
use crate::source::{Subject, mp4_layout};
use crate::units::{TimeSpan, Timestamp};

/// How the pictures of a file were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Every picture was decoded. Default.
    #[default]
    Exact,
    /// Those that decoding can start at, and the last one.
    Sampled,
}

/// What a file is, measured, and what is wrong with it. All times are in seconds from the first picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// How the pictures were looked at.
    pub method: Method,
    /// The file.
    pub file: FileInspection,
    /// Its pictures.
    pub video: VideoInspection,
    /// Its sound; `None` without.
    pub audio: Option<AudioInspection>,
    /// What is wrong, or worth knowing: the worst first, then by time.
    pub findings: Vec<InspectionFinding>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileInspection {
    /// Bytes of the file.
    pub bytes: u64,
    /// The container, by FFmpeg's demuxer name.
    pub container: String,
    /// Whether the index comes before the media, so that players can start while they load; `None` where the container
    /// has no such index.
    pub faststart: Option<bool>,
    /// Whether a track has an edit list; `None` where the container has none.
    pub edit_list: Option<bool>,
}

/// A stretch of a file, in seconds from the first picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// When it begins.
    pub start: f64,
    /// When it is over.
    pub end: f64,
    /// Whether it may begin earlier and end later, by up to [`VideoInspection::resolution`] each: it was seen in samples.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
}

/// A colour description in code points of ITU-T H.273, as the bitstream has it, or the container where it does not say;
/// 2 is unspecified, 1 is BT.709.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColorCodes {
    /// The primaries.
    pub primaries: i32,
    /// The transfer function.
    pub transfer: i32,
    /// The matrix of Y'CbCr.
    pub matrix: i32,
    /// Whether samples use the full range; `None` where nothing says.
    pub full_range: Option<bool>,
}

impl From<ColorTags> for ColorCodes {
    fn from(tags: ColorTags) -> Self {
        let full_range = match tags.range {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        };
        Self { primaries: tags.primaries, transfer: tags.transfer, matrix: tags.matrix, full_range }
    }
}

impl ColorCodes {
    /// Whether primaries, transfer function and matrix are all given.
    pub fn is_complete(self) -> bool {
        ![self.primaries, self.transfer, self.matrix].contains(&2)
    }
}

/// The pictures of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoInspection {
    /// The codec, such as `h264`.
    pub codec: String,
    /// Its profile, such as `High`; `None` where it is not known.
    pub profile: Option<String>,
    /// Its level as it is coded: 40 is level 4.0 of H.264; `None` where it is not known.
    pub level: Option<u32>,
    /// The pixel format by FFmpeg's name, such as `yuv420p`.
    pub pixel_format: Option<String>,
    /// Width as it is displayed, in pixels.
    pub width: u32,
    /// Height as it is displayed, in pixels.
    pub height: u32,
    /// The colour.
    pub color: ColorCodes,
    /// Pictures that are shown, by the packets.
    pub frames: u64,
    /// Mean pictures a second.
    pub frame_rate: f64,
    /// Whether they follow each other at one rate, but for what the container rounds and one that is missing here and
    /// there.
    pub constant_rate: bool,
    /// When the first picture is shown, in seconds of the file's own clock. Everything else is counted from there.
    pub start: f64,
    /// From the first picture to the end of the last, in seconds.
    pub duration: f64,
    /// Pictures that decoding can start at.
    pub key_frames: u64,
    /// Whether decoding times grow from packet to packet, and no two pictures have the same time.
    pub monotonic: bool,
    /// Pictures that were decoded and looked at.
    pub looked_at: u64,
    /// The longest distance between two pictures that were looked at, in seconds.
    pub resolution: f64,
    /// Black spans of two seconds or longer: 98 % of the samples are within the darkest tenth of the range (FFmpeg's
    /// `blackdetect` with its defaults). Of a video that the engine made, what lies under its texts is left out.
    pub black: Vec<Span>,
    /// Spans of two seconds or longer in which the picture stands still: the mean difference is at most a thousandth
    /// (FFmpeg's `freezedetect` with its defaults). Texts are left out as with black.
    pub frozen: Vec<Span>,
}

/// The sound of a file, as it is played on two loudspeakers: mono on both, more channels mixed down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioInspection {
    /// The codec, such as `aac`.
    pub codec: String,
    /// Its profile, such as `LC`; `None` where it is not known.
    pub profile: Option<String>,
    /// Sample frames a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// From its first sample to its last, in seconds, as decoded.
    pub duration: f64,
    /// When it starts, in milliseconds after the first picture; negative where it starts before.
    pub offset_ms: f64,
    /// When it ends, in milliseconds after the end of the last picture; negative where it ends before.
    pub end_difference_ms: f64,
    /// Whether decoding times grow from packet to packet.
    pub monotonic: bool,
    /// Integrated loudness in LUFS (EBU R 128), from the first picture on; `None` for silence.
    pub loudness: Option<f64>,
    /// The highest true peak in dBTP; `None` for silence.
    pub true_peak: Option<f64>,
    /// Spans of two seconds or longer in which no sample of either channel is 60 dB below full scale or louder (FFmpeg's
    /// `silencedetect` with its defaults).
    pub silent: Vec<Span>,
}

impl Inspection {
    /// The worst severity among the findings; `None` without any.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// The error for a file with findings of the severity `error`: of the kind of the first one, with all of them in its
    /// message. `None` for a file without. Kinds are `SOURCE_EMPTY` (black, nothing to hear), `SOURCE_UNREADABLE`
    /// (damage, broken times) and `SOURCE_UNSUPPORTED` (anything else).
    pub fn to_error(&self) -> Option<Error> {
        let errors: Vec<_> = self.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let kind = errors.first()?.code.error_kind();
        Some(Error::new(kind, list(&errors)).suggest("export it again, or do not use it"))
    }

    /// The error that ends a job whose video has findings that [end it](InspectionFinding::ends_job): `SOURCE_EMPTY` if
    /// all of them come from what its sources show or sound like, `INTERNAL` if one comes from the engine. `None` without
    /// any.
    pub(crate) fn to_job_error(&self) -> Option<Error> {
        let ending: Vec<_> = self.findings.iter().filter(|finding| finding.ends_job()).collect();
        let is_content = ending.iter().all(|finding| finding.code.is_content());
        let (kind, what) = match ending.is_empty() {
            true => return None,
            false if is_content => (ErrorKind::SourceEmpty, "use other sources, or set output.inspection to `report`"),
            false => (ErrorKind::Internal, "report this with the request that caused it"),
        };
        Some(
            Error::new(kind, format!("the finished video did not pass its inspection: {}", list(&ending)))
                .suggest(what),
        )
    }

    /// The inspection for people, a line for each fact and each finding.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        let Self { file, video, .. } = self;
        let said = |fact: Option<bool>, yes: &str, no: &str| match fact {
            Some(true) => format!(", {yes}"),
            Some(false) => format!(", {no}"),
            None => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  file       {}, {} bytes{}{}",
            file.container,
            file.bytes,
            said(file.faststart, "faststart", "not faststart"),
            said(file.edit_list, "edit list", "no edit list")
        );
        let level = video.level.map_or(String::new(), |level| format!(" level {level}"));
        let _ = writeln!(
            out,
            "  video      {} {}{level}, {}, {}x{}, colour {}/{}/{}{}",
            video.codec,
            video.profile.as_deref().unwrap_or("(no profile)"),
            video.pixel_format.as_deref().unwrap_or("unknown format"),
            video.width,
            video.height,
            video.color.primaries,
            video.color.transfer,
            video.color.matrix,
            said(video.color.full_range, "full range", "limited range")
        );
        let _ = writeln!(
            out,
            "  frames     {}, {:.3} fps {}, {:.3} s from {:.3} s, {} key frames, times {}",
            video.frames,
            video.frame_rate,
            if video.constant_rate { "constant" } else { "variable" },
            video.duration,
            video.start,
            video.key_frames,
            if video.monotonic { "monotonic" } else { "not monotonic" }
        );
        let how = match self.method {
            Method::Exact => "exact".to_owned(),
            Method::Sampled => format!("sampled, at most {:.3} s apart", video.resolution),
        };
        let _ = writeln!(out, "  looked at  {} pictures, {how}", video.looked_at);
        let _ = writeln!(out, "  black      {}\n  frozen     {}", spans(&video.black), spans(&video.frozen));
        match &self.audio {
            None => out += "  audio      none\n",
            Some(audio) => {
                let level = |value: Option<f64>, unit: &str| {
                    value.map_or("silence".to_owned(), |value| format!("{value:.2} {unit}"))
                };
                let _ = writeln!(
                    out,
                    "  audio      {} {}, {} Hz, {} channels, {:.3} s, times {}",
                    audio.codec,
                    audio.profile.as_deref().unwrap_or("(no profile)"),
                    audio.sample_rate,
                    audio.channels,
                    audio.duration,
                    if audio.monotonic { "monotonic" } else { "not monotonic" }
                );
                let _ = writeln!(
                    out,
                    "  sync       starts {:+.1} ms, ends {:+.1} ms after the picture",
                    audio.offset_ms, audio.end_difference_ms
                );
                let _ = writeln!(
                    out,
                    "  loudness   {}, true peak {}\n  silent     {}",
                    level(audio.loudness, "LUFS"),
                    level(audio.true_peak, "dBTP"),
                    spans(&audio.silent)
                );
            }
        }
        for finding in &self.findings {
            let _ = writeln!(out, "  {finding}");
        }
        out
    }
}

fn list(findings: &[&InspectionFinding]) -> String {
    findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>().join("; ")
}

fn spans(spans: &[Span]) -> String {
    if spans.is_empty() {
        return "none".to_owned();
    }
    let one = |span: &Span| {
        let least = if span.at_least { " at least" } else { "" };
        format!("{:.3} .. {:.3} s{least}", span.start, span.end)
    };
    spans.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Seconds to the nearest microsecond: more is noise of the conversion.
fn seconds(at: Timestamp) -> f64 {
    (at.as_secs_f64() * 1e6).round() / 1e6
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

pub(super) fn span(stretch: Stretch, at_least: bool) -> Span {
    Span { start: seconds(stretch.start), end: seconds(stretch.end), at_least }
}

/// The rows of an inspection, without findings.
pub(super) fn describe(subject: &Subject<'_>, seen: &Seen, heard: Option<&Heard>) -> Result<Inspection> {
    let info = &subject.probed.info;
    let (Some(described), Some(video)) = (&info.video, &subject.probed.video) else {
        return Err(Error::new(ErrorKind::SourceEmpty, "it has no video"));
    };
    let index = &video.index;
    let length = |span: TimeSpan| seconds(Timestamp::ZERO.saturating_add(span));
    let layout = if info.container.contains("mp4") { mp4_layout(subject.path) } else { None };
    let parameters = video.parameters();
    let at_least = seen.method == Method::Sampled;
    let long = |stretch: &&Stretch| stretch.length() >= SHORTEST;
    let audio = info.audio.as_ref().zip(heard).map(|(described, heard)| {
        let ms = |from: Timestamp, to: Timestamp| hundredths((to.as_secs_f64() - from.as_secs_f64()) * 1e3);
        AudioInspection {
            codec: described.codec.clone(),
            profile: subject.probed.audio.as_ref().and_then(|audio| audio.parameters.profile()),
            sample_rate: described.sample_rate,
            channels: described.channels,
            duration: length(heard.whole.length()),
            offset_ms: ms(Timestamp::ZERO, heard.whole.start),
            end_difference_ms: ms(seen.end, heard.whole.end),
            monotonic: seen.facts.audio_disorder.is_none(),
            loudness: heard.loudness.map(hundredths),
            true_peak: heard.peak.map(hundredths),
            silent: heard.silent.iter().map(|&stretch| span(stretch, false)).collect(),
        }
    });
    Ok(Inspection {
        method: seen.method,
        file: FileInspection {
            bytes: info.bytes,
            container: info.container.clone(),
            faststart: layout.map(|layout| layout.is_faststart),
            edit_list: layout.map(|layout| layout.has_edit_list),
        },
        video: VideoInspection {
            codec: described.codec.clone(),
            profile: parameters.and_then(|parameters| parameters.profile()),
            level: parameters.and_then(|parameters| parameters.level()),
            pixel_format: seen.pixel_format.clone(),
            width: described.size.width(),
            height: described.size.height(),
            color: seen.color.into(),
            frames: described.pictures,
            frame_rate: described.mean_rate,
            constant_rate: index.rate_span().is_none(),
            start: seconds(Timestamp::from_pts(index.first_pts(), index.time_base())),
            duration: length(index.duration()),
            key_frames: seen.facts.keys.len() as u64,
            monotonic: seen.facts.video_disorder.is_none() && seen.facts.pictures <= described.pictures,
            looked_at: seen.decoded,
            resolution: length(seen.resolution),
            black: seen.black.iter().filter(long).map(|&stretch| span(stretch, false)).collect(),
            frozen: seen.frozen.iter().map(|&stretch| span(stretch, at_least)).collect(),
        },
        audio,
        findings: Vec::new(),
    })
}
