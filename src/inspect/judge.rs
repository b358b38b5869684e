//! From what was measured to findings.

use super::expected::Expected;
use super::report::span;
use super::sound::Heard;
use super::spans::Stretch;
use super::video::{SHORTEST, Seen};
use super::{
    ColorCodes, InspectOptions, Inspection, InspectionCode as Code, InspectionFinding, Method, Severity, Span, sound,
};
use crate::source::Subject;
use crate::units::{TimeBase, TimeSpan, Timestamp};

/// From this length on a picture that stands still, and silence, are warnings: a phone's screen or a pause may well stand
/// still for some seconds, but people are gone by then.
const LONG: TimeSpan = TimeSpan::from_secs(10);
/// How far loudness may be from what it should be, in LU.
const LOUDNESS_TOLERANCE: f64 = 1.0;
/// The highest true peak, in dBTP: what EBU R 128 allows.
const HIGHEST_PEAK: f64 = -1.0;
/// The share of a video that is black from which on all of it counts as black.
const BLACK_VIDEO: f64 = 0.98;

struct Judge<'a> {
    inspection: &'a Inspection,
    seen: &'a Seen,
    expected: Option<&'a Expected<'a>>,
    /// How bad it is that a file differs from what the engine makes: in the engine's own it is a fault of the engine.
    promised: Severity,
    whole: Stretch,
    found: Vec<InspectionFinding>,
}

/// All findings, the worst first, then by time.
pub(super) fn judge(
    subject: &Subject<'_>,
    inspection: &Inspection,
    (seen, heard): (&Seen, Option<&Heard>),
    options: InspectOptions,
    expected: Option<&Expected<'_>>,
) -> Vec<InspectionFinding> {
    let promised = if expected.is_some() { Severity::Error } else { Severity::Warning };
    let whole = Stretch::new(Timestamp::ZERO, seen.end);
    let mut judge = Judge { inspection, seen, expected, promised, whole, found: Vec::new() };
    judge.plan();
    judge.damage(subject, heard);
    judge.times();
    judge.black();
    judge.frozen();
    judge.sound(subject, heard, expected.map_or(options.loudness, Expected::loudness));
    judge.file();
    let mut found = judge.found;
    let start = |finding: &InspectionFinding| finding.span.map_or(f64::NEG_INFINITY, |span| span.start);
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then(start(a).total_cmp(&start(b))));
    found
}

impl Judge<'_> {
    fn add(&mut self, code: Code, severity: Severity, message: String, span: impl Into<Option<Span>>) {
        self.found.push(InspectionFinding { code, severity, message, span: span.into() });
    }

    /// Where in the plan a stretch is, for the end of a message.
    fn place(&self, stretch: Stretch) -> String {
        match self.expected.map(|expected| expected.shown_in(stretch)) {
            Some(shown) if !shown.is_empty() => format!(", in {shown}"),
            _ => String::new(),
        }
    }

    fn plan(&mut self) {
        let Some(plan) = self.expected.map(Expected::plan) else { return };
        let inspection = self.inspection;
        let video = &inspection.video;
        let mut differs = |what: &str, found: String, wanted: String| {
            if found != wanted {
                let message = format!("its {what} is {found}, and the plan has {wanted}");
                let span = None;
                self.found.push(InspectionFinding {
                    code: Code::PlanMismatch,
                    severity: Severity::Error,
                    message,
                    span,
                });
            }
        };
        differs("number of frames", video.frames.to_string(), plan.frames().to_string());
        let size = format!("{}x{}", video.width, video.height);
        differs("size", size, format!("{}x{}", plan.canvas().width(), plan.canvas().height()));
        differs("frame rate", format!("{:.3}", video.frame_rate), format!("{:.3}", plan.rate().as_f64()));
    }

    fn damage(&mut self, subject: &Subject<'_>, heard: Option<&Heard>) {
        let info = &subject.probed.info;
        if let Some(fault) = &info.damage {
            let message = format!("the file cannot be read to its end ({fault}): upload or export it again");
            self.add(Code::CutShort, Severity::Error, message, None);
        } else if let Some(told) = self.seen.missing_end.filter(|told| self.is_more_than_a_frame(*told)) {
            let found = self.whole.length();
            let message = format!("its header promises {told} and {found} are there: upload or export it again");
            self.add(Code::CutShort, Severity::Error, message, None);
        }
        let (inspection, decoded) = (self.inspection, self.seen.decoded);
        let video = &inspection.video;
        let missing = match self.seen.method {
            Method::Exact => video.frames.saturating_sub(decoded),
            Method::Sampled => 0,
        };
        if self.seen.damaged > 0 || missing > 0 {
            let message = format!(
                "{} faults were met while {decoded} pictures were decoded, and {missing} of {} are missing: export it again",
                self.seen.damaged, video.frames
            );
            self.add(Code::DamagedPictures, Severity::Error, message, None);
        }
        if let Some(damaged) = heard.map(|heard| heard.damaged).filter(|&damaged| damaged > 0) {
            let message = format!("{damaged} packets of its sound are damaged and are silence: export it again");
            self.add(Code::DamagedSound, Severity::Error, message, None);
        }
    }

    /// Whether a length is longer than the video by more than a frame: headers round slow pictures.
    fn is_more_than_a_frame(&self, told: TimeSpan) -> bool {
        let missing = told.as_secs_f64() - self.whole.length().as_secs_f64();
        missing * self.inspection.video.frame_rate > 1.0
    }

    fn times(&mut self) {
        let inspection = self.inspection;
        let video = &inspection.video;
        let repeated = self.seen.facts.pictures.saturating_sub(video.frames);
        if !video.monotonic {
            let message = match repeated {
                0 => "the decoding times of its pictures do not grow from packet to packet: export it again".to_owned(),
                n => format!("{n} of its pictures have the time of another one, and are not shown: export it again"),
            };
            self.add(Code::Timestamps, Severity::Error, message, None);
        }
        if self.seen.facts.audio_disorder.is_some() {
            let message = "the decoding times of its sound do not grow from packet to packet: export it again";
            self.add(Code::Timestamps, Severity::Error, message.to_owned(), None);
        }
        if !video.constant_rate {
            let severity = if self.expected.is_some() { Severity::Error } else { Severity::Info };
            let message = format!(
                "its pictures do not follow each other at one rate (mean {:.3} a second): platforms make it constant",
                video.frame_rate
            );
            self.add(Code::VariableRate, severity, message, None);
        }
    }

    fn black(&mut self) {
        let meant = self.expected.map(Expected::grounds).unwrap_or_default();
        let black: Vec<Stretch> = self.seen.black.iter().flat_map(|stretch| stretch.without(&meant)).collect();
        let sum: u64 = black.iter().map(|stretch| stretch.length().ticks()).sum();
        let all = self.whole.length().ticks();
        if all > 0 && sum as f64 >= BLACK_VIDEO * all as f64 {
            let message = format!("all of it is black{}: look at its sources", self.place(self.whole));
            self.add(Code::BlackVideo, Severity::Error, message, span(self.whole, false));
            return;
        }
        let mut told: Vec<Stretch> = Vec::new();
        for stretch in black.iter().copied().filter(|stretch| stretch.length() >= SHORTEST) {
            let message = format!(
                "black for {} from {} on{}: cut it out, or use another clip",
                stretch.length(),
                stretch.start,
                self.place(stretch)
            );
            self.add(Code::BlackSpan, Severity::Warning, message, span(stretch, false));
            told.push(stretch);
        }
        let (first, last) = (black.first().copied(), black.last().copied());
        if let Some(first) = first.filter(|first| first.start == Timestamp::ZERO && !told.contains(first)) {
            let message =
                format!("the first frame is black{}: it is what stands there before it plays", self.place(first));
            self.add(Code::BlackFirstFrame, Severity::Warning, message, span(first, false));
        }
        if let Some(last) = last.filter(|last| last.end >= self.whole.end && !told.contains(last)) {
            let message = format!("the last frame is black{}: often a fade, and meant", self.place(last));
            self.add(Code::BlackLastFrame, Severity::Info, message, span(last, false));
        }
    }

    fn frozen(&mut self) {
        // A black picture stands still, too, and is told as black.
        let mut meant = self.expected.map(Expected::still).unwrap_or_default();
        meant.extend(self.seen.black.iter().copied());
        let at_least = self.seen.method == Method::Sampled;
        let parts = self.seen.frozen.iter().flat_map(|stretch| stretch.without(&meant));
        for stretch in parts.filter(|stretch| stretch.length() >= SHORTEST).collect::<Vec<_>>() {
            let severity = if stretch.length() >= LONG { Severity::Warning } else { Severity::Info };
            let least = if at_least { "at least " } else { "" };
            let message = format!(
                "the picture stands still for {least}{} from {} on{}: a still screen may be meant, a clip that hangs is not",
                stretch.length(),
                stretch.start,
                self.place(stretch)
            );
            self.add(Code::FrozenSpan, severity, message, span(stretch, at_least));
        }
    }

    fn sound(&mut self, subject: &Subject<'_>, heard: Option<&Heard>, target: Option<f64>) {
        let inspection = self.inspection;
        let (Some(heard), Some(audio)) = (heard, &inspection.audio) else {
            let message = "it has no sound: platforms may show it as muted, and some refuse it".to_owned();
            return self.add(Code::NoSound, self.promised, message, None);
        };
        self.silence(heard);
        self.sync(subject, heard);
        if let Some((found, wanted)) = audio.loudness.zip(target)
            // Gating takes some blocks to mean anything, and the engine leaves what is shorter alone.
            && heard.whole.length() >= sound::SHORTEST
            && (found - wanted).abs() > LOUDNESS_TOLERANCE
        {
            let message =
                format!("its loudness is {found:.1} LUFS, and should be {wanted:.1}: it stands out in a feed");
            self.add(Code::Loudness, Severity::Warning, message, None);
        }
        if let Some((found, mixed)) = audio.loudness.zip(self.expected.and_then(|expected| expected.mixed))
            && (found - mixed).abs() > LOUDNESS_TOLERANCE
        {
            let message = format!("its loudness is {found:.1} LUFS, and {mixed:.1} LUFS were mixed and encoded");
            self.add(Code::Loudness, Severity::Error, message, None);
        }
        if let Some(peak) = audio.true_peak.filter(|&peak| peak > HIGHEST_PEAK) {
            let message =
                format!("its true peak is {peak:.1} dBTP, over {HIGHEST_PEAK:.1}: players may clip it, turn it down");
            self.add(Code::TruePeak, Severity::Warning, message, None);
        }
    }

    fn silence(&mut self, heard: &Heard) {
        let expected = self.expected;
        let has_music = |stretch| expected.is_none_or(|expected| expected.has_music(stretch));
        if heard.is_silent {
            let severity = if has_music(self.whole) { Severity::Warning } else { Severity::Info };
            // A plan without any sound has what it asked for.
            if self.expected.is_none_or(|expected| !expected.plan().cues().is_empty()) {
                let message = "there is nothing to hear in all of it: is that meant?".to_owned();
                self.add(Code::SilentSound, severity, message, span(self.whole, false));
            }
            return;
        }
        let meant = self.expected.map(|expected| expected.without_sound(self.whole)).unwrap_or_default();
        let parts = heard.silent.iter().flat_map(|stretch| stretch.without(&meant));
        for stretch in parts.filter(|stretch| stretch.length() >= sound::SHORTEST).collect::<Vec<_>>() {
            let is_long = stretch.length() >= LONG && has_music(stretch);
            let severity = if is_long { Severity::Warning } else { Severity::Info };
            let message = format!("silent for {} from {} on{}", stretch.length(), stretch.start, self.place(stretch));
            self.add(Code::SilentSpan, severity, message, span(stretch, false));
        }
    }

    fn sync(&mut self, subject: &Subject<'_>, heard: &Heard) {
        let inspection = self.inspection;
        let video = &inspection.video;
        let frame = if video.frame_rate > 0.0 { 1_000.0 / video.frame_rate } else { 0.0 };
        let ms = |from: Timestamp, to: Timestamp| (to.as_secs_f64() - from.as_secs_f64()) * 1e3;
        let offset = ms(Timestamp::ZERO, heard.whole.start);
        // A frame of 30 fps in milliseconds is not a whole number.
        if offset.abs() > frame + 0.01 {
            let when = if offset > 0.0 { "after" } else { "before" };
            let message = format!(
                "its sound starts {:.1} ms {when} its picture, more than a frame ({frame:.1} ms): some players ignore that, \
                 and then it is not in sync",
                offset.abs()
            );
            self.add(Code::SoundOffset, self.promised, message, None);
        }
        let end = ms(self.whole.end, heard.whole.end);
        // Encoders fill their last packet up.
        let base = subject.probed.audio.as_ref().map(|audio| audio.time_base);
        let packet = base.map_or(0.0, |base| packet_ms(self.seen.facts.audio_packet, base));
        if end < -frame - 0.01 || end > frame + packet + 0.01 {
            let when = if end > 0.0 { "after" } else { "before" };
            let message =
                format!("its sound ends {:.1} ms {when} its picture, more than a frame ({frame:.1} ms)", end.abs());
            self.add(Code::SoundEnd, self.promised, message, None);
        }
    }

    fn file(&mut self) {
        let color = self.inspection.video.color;
        let bt709 = ColorCodes { primaries: 1, transfer: 1, matrix: 1, full_range: Some(false) };
        let told = format!("{}/{}/{}", color.primaries, color.transfer, color.matrix);
        if self.expected.is_some() && color != bt709 {
            let message =
                format!("its colour is tagged {told} (primaries, transfer, matrix), and should be 1/1/1, limited");
            self.add(Code::ColorTags, Severity::Error, message, None);
        } else if !color.is_complete() {
            let message = format!(
                "its colour is not described in full ({told}, 2 is unknown): players guess, and may show other colours"
            );
            self.add(Code::ColorTags, Severity::Warning, message, None);
        }
        if self.inspection.file.faststart == Some(false) {
            let message = "its index (moov) comes after its media: players must load all of it first".to_owned();
            self.add(Code::NotFaststart, self.promised, message, None);
        }
        if self.inspection.file.edit_list == Some(true) {
            let severity = if self.expected.is_some() { Severity::Error } else { Severity::Info };
            let message = "it has an edit list: Instagram and YouTube ask for files without".to_owned();
            self.add(Code::EditList, severity, message, None);
        }
    }
}

fn packet_ms(duration: i64, base: TimeBase) -> f64 {
    Timestamp::from_pts(duration.max(0), base).as_secs_f64() * 1e3
}
