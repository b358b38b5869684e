//! Making the plan: probing, and resolving every default.

use super::chunks::overlap;
use super::texts::Unseen;
use super::{
    AudioCue, Content, FadeCurve, JobInfo, Plan, PlannedOverlaid, PlannedOverlay, PlannedShot, PlannedSlide,
    PlannedSource, PlannedText, PlannedTransition, Role, SAMPLE_RATE, captions, chunks, overlays, scenes, shots,
    slides,
};
use crate::compose::TransitionKind;
use crate::encode::Preset;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::source::{AtEnd, SourceInfo, VideoInfo};
use crate::text::{FontBook, lay_out};
use crate::timeline::{
    Asset, During, Layer, MusicTrack, Overlaid, Overlay, Shot, ShotDuration, Slideshow, Timeline, VoiceOver,
};
use crate::units::{FrameIndex, FrameRange, FrameRate, Speed, TimeSpan, Timestamp};

/// Frames between two IDR pictures: two seconds at 30 fps.
const GOP_SECONDS: u64 = 2;
/// Linear fade at each end of a clip's sound, in sample frames: 5 ms, too short to hear, long enough not to click.
const DECLICK: u64 = SAMPLE_RATE as u64 / 200;

/// A clip that is shorter than this and starts over is heard once: its sound would be a rattle.
const SHORTEST_HEARD_AGAIN: TimeSpan = TimeSpan::from_secs(1);

/// What planning needs besides the timeline.
pub(crate) struct Context<'a> {
    pub(crate) container_id: String,
    pub(crate) job: JobInfo,
    pub(crate) thumbnail_at: Option<TimeSpan>,
    pub(crate) preset: Preset,
    /// In LUFS.
    pub(crate) loudness: Option<f64>,
    pub(crate) engine: String,
    pub(crate) fonts: &'a FontBook,
    pub(crate) limits: &'a Limits,
    /// Called now and then: whether the job is still wanted.
    pub(crate) alive: &'a dyn Fn() -> Result<()>,
}

/// Resolves `timeline` into a plan; `probe` tells what is in a file, and `screen` the colour of the screen in a clip.
///
/// # Errors
/// What `probe` reports, with the asset; `SOURCE_EMPTY` for a clip without video or music without sound;
/// `LIMIT_EXCEEDED` for an output that is too long; `FONT_MISSING` or `VALIDATION` for a text that cannot be set.
pub(crate) fn resolve(
    timeline: &Timeline,
    context: Context<'_>,
    mut probe: impl FnMut(&Asset) -> Result<SourceInfo>,
    mut screen: impl FnMut(&Asset) -> Result<Option<[u8; 3]>>,
) -> Result<Plan> {
    let Context { container_id, mut job, thumbnail_at, preset, loudness, engine, fonts, limits, alive } = context;
    let (canvas, rate) = (timeline.canvas, timeline.rate);
    let mut sources = Sources::default();
    let mut failures: Vec<Error> = Vec::new();
    let clips = timeline.layers().map(|layer| (&layer.asset, Need::Video));
    let music = timeline.music.iter().map(|music| (&music.asset, Need::Audio));
    let voice = timeline.voice_over.iter().map(|voice| (&voice.asset, Need::Audio));
    for (asset, need) in clips.chain(music).chain(voice) {
        if let Err(error) = sources.add(asset, need, &mut probe) {
            if error.kind() == ErrorKind::Canceled {
                return Err(error);
            }
            failures.push(error);
        }
    }
    let mut unseen = Unseen::default();
    for text in &timeline.texts {
        match lay_out(fonts, &text.block) {
            Ok(layout) => unseen.add(&layout),
            Err(error) => failures.push(error.at_pointer(format!("/{}", text.name))),
        }
    }
    if !failures.is_empty() {
        // How long the video would be is not known then; what cannot be set is told all the same.
        let longest = rate.frames_in(limits.output_duration);
        let set = |track| captions::pages(track, fonts, rate, longest, &mut unseen, alive);
        failures.extend(timeline.captions.as_ref().map(set).and_then(Result::err));
    }
    if let Some(error) = Error::combine(std::mem::take(&mut failures)) {
        return Err(error);
    }

    let mut shots: Vec<PlannedShot> = Vec::new();
    let mut cues = Vec::new();
    for shot in &timeline.shots {
        let (end, leave) = shots.last().map_or((0, 0), |last| (last.frames.end.0, last.frames.len() / 2));
        let planned = match sources.shot(shot, end, timeline, &mut screen) {
            Err(error) if error.kind() != ErrorKind::Canceled => {
                failures.push(error);
                continue;
            }
            planned => planned?,
        };
        if overlap(planned.enter) > leave.min(planned.frames.len() / 2) {
            let message = format!("the transition to {} takes more than half of a shot that it is in", planned.name);
            failures.push(
                Error::new(ErrorKind::Validation, message)
                    .at_pointer(format!("{}/transition/duration", shot.pointer))
                    .suggest("make it shorter, or use longer clips"),
            );
        }
        shots.push(planned);
    }
    if let Some(error) = Error::combine(failures) {
        return Err(error);
    }
    for (number, (shot, planned)) in timeline.shots.iter().zip(&shots).enumerate() {
        let leave = shots.get(number + 1).map_or(0, |next| overlap(next.enter));
        cues.extend(sources.sounds(shot, planned, leave, rate)?);
    }
    let frames = shots.last().map_or(0, |last| last.frames.end.0);
    let longest = rate.frames_in(limits.output_duration);
    if frames == 0 || frames > longest {
        let message = format!("the output would have {frames} frames; it must have 1 to {longest}");
        return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("use shorter clips"));
    }
    if let Some(music) = &timeline.music {
        cues.push(sources.music(music, samples_at(timeline.rate, FrameIndex(frames)))?);
    }
    if let Some(voice) = &timeline.voice_over {
        cues.push(sources.voice_over(voice, samples_at(timeline.rate, FrameIndex(frames)))?);
    }
    let overlays = sources.overlays(timeline, frames, &mut screen)?;
    for overlay in &overlays {
        if let (PlannedOverlaid::Clip(_), Some(Overlay { what: Overlaid::Clip(layer), .. })) =
            (&overlay.what, timeline.overlays.iter().find(|wanted| wanted.name == overlay.name))
        {
            cues.extend(sources.sound(layer, sources.index(&layer.asset)?, (overlay.frames, None), 0, rate));
        }
    }
    let mut texts = timeline
        .texts
        .iter()
        .filter_map(|text| {
            let (frames, shot) = match &text.during {
                During::Shot(name) => {
                    let number = shots.iter().position(|shot| shot.name == *name)?;
                    (shots[number].frames, Some(number))
                }
                During::FromStart(span) => (FrameRange::new(0, rate.frames_in(*span).clamp(1, frames)), None),
            };
            let planned = PlannedText::new(text.name.clone(), text.block.clone(), frames, text.motion, rate);
            Some(PlannedText { shot, ..planned })
        })
        .collect::<Vec<_>>();
    let pages = match &timeline.captions {
        Some(track) => captions::pages(track, fonts, rate, frames, &mut unseen, alive)?,
        None => Vec::new(),
    };
    let caption_pages = pages.len();
    texts.extend(pages);
    job.missing_characters = unseen.characters;
    job.unseen_captions = unseen.captions;
    // A time beyond the end pins the last frame.
    job.thumbnail_frame = thumbnail_at.map(|at| FrameIndex(rate.frames_in(at).min(frames - 1)));
    let gop = rate.frames_in(TimeSpan::from_secs(GOP_SECONDS)).clamp(1, 600);
    let mut content = Content {
        container_id,
        job,
        engine,
        fonts: fonts.hash().to_string(),
        canvas,
        rate,
        video: preset.settings(u32::try_from(gop).unwrap_or(60)),
        sources: sources.0,
        shots,
        texts,
        caption_pages,
        overlays,
        cues,
        loudness,
        frames,
        chunks: Vec::new(),
        slides: Vec::new(),
        scenes: Vec::new(),
    };
    content.chunks = chunks::cut(&content);
    Plan::try_from(content)
}

/// Resolves a set of slides into a plan; `probe` tells what is in a file.
///
/// # Errors
/// What `probe` reports, with the asset; `SOURCE_EMPTY` for a source without pictures; `FONT_MISSING` or `VALIDATION`
/// for a text that cannot be set, with the slide.
pub(crate) fn resolve_slides(
    slideshow: &Slideshow,
    context: Context<'_>,
    mut probe: impl FnMut(&Asset) -> Result<SourceInfo>,
) -> Result<Plan> {
    let Context { container_id, mut job, preset, loudness, engine, fonts, limits, .. } = context;
    let mut sources = Sources::default();
    let mut failures = Vec::new();
    let mut tried: Vec<&Asset> = Vec::new();
    let music = slideshow.video.as_ref().and_then(|video| video.music.as_ref());
    let voice = slideshow.video.as_ref().and_then(|video| video.voice_over.as_ref());
    let pictures = slideshow.pictures().map(|asset| (asset, Need::Video));
    let sounds = music.iter().map(|music| &music.asset).chain(voice.iter().map(|voice| &voice.asset));
    for (asset, need) in pictures.chain(sounds.map(|asset| (asset, Need::Audio))) {
        // A picture of several slides is told once.
        if tried.contains(&asset) {
            continue;
        }
        tried.push(asset);
        if let Err(error) = sources.add(asset, need, &mut probe) {
            if error.kind() == ErrorKind::Canceled {
                return Err(error);
            }
            failures.push(error);
        }
    }
    let mut unseen = Unseen::default();
    for (number, slide) in slideshow.slides.iter().enumerate() {
        failures.extend(slides::check_texts(slide, number, fonts, &mut unseen));
    }
    if let Some(error) = Error::combine(failures) {
        return Err(error);
    }
    job.missing_characters = unseen.characters;
    job.unseen_captions = unseen.captions;
    let mut content = Content {
        container_id,
        job,
        engine,
        fonts: fonts.hash().to_string(),
        canvas: slideshow.canvas,
        rate: FrameRate::FPS_30,
        video: preset.settings(60),
        sources: Vec::new(),
        shots: Vec::new(),
        texts: Vec::new(),
        caption_pages: 0,
        overlays: Vec::new(),
        cues: Vec::new(),
        loudness,
        frames: 0,
        chunks: Vec::new(),
        slides: Vec::new(),
        scenes: Vec::new(),
    };
    let resolved =
        slideshow.slides.iter().map(|slide| slides::layers(slide, &sources.0, fonts, |asset| sources.index(asset)));
    let resolved = resolved.collect::<Result<Vec<_>>>()?;
    content.sources = sources.0.clone();
    for (slide, layers) in slideshow.slides.iter().zip(resolved) {
        let key = slides::slide_key(&content, &layers);
        content.slides.push(PlannedSlide { name: slide.name.clone(), layers, key });
    }
    if let Some(video) = &slideshow.video {
        let length = match music.filter(|_| video.fit_to_music) {
            Some(music) => {
                let info = &content.sources[sources.index(&music.asset)?].info;
                info.audio.as_ref().map(|audio| video.rate.frames_in(audio.duration))
            }
            None => None,
        };
        content.rate = video.rate;
        content.scenes = scenes::scenes(video, &content.slides, content.canvas, length)?;
        content.video.slow_motion = content.scenes.iter().any(|scene| scene.motion.is_some());
        content.frames = content.scenes.last().map_or(0, |last| last.frames.end.0);
        let longest = video.rate.frames_in(limits.output_duration);
        if content.frames > longest {
            let message = format!("the video would have {} frames; the limit is {longest}", content.frames);
            return Err(Error::new(ErrorKind::LimitExceeded, message).suggest("use shorter durations"));
        }
        if let Some(music) = music {
            content.cues.push(sources.music(music, samples_at(video.rate, FrameIndex(content.frames)))?);
        }
        if let Some(voice) = voice {
            content.cues.push(sources.voice_over(voice, samples_at(video.rate, FrameIndex(content.frames)))?);
        }
        content.chunks = chunks::cut(&content);
    }
    Plan::try_from(content)
}

/// What a timeline needs of an asset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Video,
    Audio,
}

/// The sources so far; each file once.
#[derive(Default)]
struct Sources(Vec<PlannedSource>);

impl Sources {
    fn add(&mut self, asset: &Asset, need: Need, probe: &mut impl FnMut(&Asset) -> Result<SourceInfo>) -> Result<()> {
        let about = |error: Error| {
            error.for_asset(format!("{} ({})", asset.id, asset.path.display())).at_pointer(asset.pointer.clone())
        };
        let known = self.0.iter().position(|source| source.asset == *asset);
        let index = match known {
            Some(index) => index,
            None => {
                let info = probe(asset).map_err(about)?;
                self.0.push(PlannedSource { asset: asset.clone(), info });
                self.0.len() - 1
            }
        };
        let info = &self.0[index].info;
        match need {
            Need::Video if info.unusable_video.is_some() => {
                let fault = info.unusable_video.as_ref();
                let (kind, reason) = fault.map_or((ErrorKind::Internal, ""), |fault| (fault.kind, &fault.reason));
                Err(about(Error::new(kind, reason).suggest("export it as H.264 video in MP4")))
            }
            Need::Video if info.video.is_none() => Err(about(
                Error::new(ErrorKind::SourceEmpty, format!("{} has no video stream", asset.path.display()))
                    .suggest("give a clip with pictures"),
            )),
            Need::Audio if info.audio.is_none() => Err(about(
                Error::new(ErrorKind::SourceEmpty, format!("{} has no audio stream", asset.path.display()))
                    .suggest("give a track with sound, or leave the music out"),
            )),
            _ => Ok(()),
        }
    }

    fn index(&self, asset: &Asset) -> Result<usize> {
        let found = self.0.iter().position(|source| source.asset == *asset);
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "an asset was not probed"))
    }

    /// Music under the first `length` sample frames.
    fn music(&self, music: &MusicTrack, length: u64) -> Result<AudioCue> {
        let source = self.index(&music.asset)?;
        let lasts = self.0[source].info.audio.as_ref().map_or(TimeSpan::ZERO, |audio| audio.duration);
        if music.start >= lasts {
            let message = format!("the music starts at {} of {lasts}", music.start);
            return Err(Error::new(ErrorKind::Validation, message)
                .at_pointer("/audio/music/start")
                .suggest("start earlier, or use a longer track"));
        }
        // What is not looped fades out at its own end.
        let left = samples_in(TimeSpan::from_ticks(lasts.ticks() - music.start.ticks()));
        let length = if music.looped { length } else { length.min(left) };
        Ok(AudioCue {
            source,
            role: Role::Music,
            curve: FadeCurve::Linear,
            start: 0,
            length,
            source_start: music.start,
            speed: Speed::NORMAL,
            gain: music.gain.to_gain(),
            fade_in: samples_in(music.fade_in).max(DECLICK).min(length),
            fade_out: samples_in(music.fade_out).max(DECLICK).min(length),
            looped: music.looped,
            duck: music.duck,
        })
    }

    /// A voice over an output of `length` sample frames: as long as both last.
    fn voice_over(&self, voice: &VoiceOver, length: u64) -> Result<AudioCue> {
        let source = self.index(&voice.asset)?;
        let lasts = self.0[source].info.audio.as_ref().map_or(TimeSpan::ZERO, |audio| audio.duration);
        let start = samples_in(voice.start);
        if start >= length {
            let message = format!("the voice-over starts at {}, after the end of the video", voice.start);
            return Err(Error::new(ErrorKind::Validation, message)
                .at_pointer("/audio/voiceOver/start")
                .suggest("start it earlier"));
        }
        let length = samples_in(lasts).min(length - start);
        Ok(AudioCue {
            source,
            role: Role::VoiceOver,
            curve: FadeCurve::Linear,
            start,
            length,
            source_start: TimeSpan::ZERO,
            speed: Speed::NORMAL,
            gain: voice.gain.to_gain(),
            fade_in: DECLICK.min(length),
            fade_out: DECLICK.min(length),
            looped: false,
            duck: None,
        })
    }

    /// A shot after one that ends with frame `end`.
    fn shot(
        &self,
        shot: &Shot,
        end: u64,
        timeline: &Timeline,
        screen: &mut dyn FnMut(&Asset) -> Result<Option<[u8; 3]>>,
    ) -> Result<PlannedShot> {
        let video = |layer: &Layer| {
            let source = self.index(&layer.asset)?;
            let video = self.0[source].info.video.as_ref();
            let video = video.ok_or_else(|| Error::new(ErrorKind::Internal, "a clip without video was planned"))?;
            Ok((source, video))
        };
        let duration = match (shot.duration, shot.layers.first()) {
            (ShotDuration::For(span), _) => span,
            (ShotDuration::Media, Some(first)) => media_duration(first, video(first)?.1)?,
            (ShotDuration::Media, None) => return Err(Error::new(ErrorKind::Internal, "a shot shows nothing")),
        };
        let length = timeline.rate.frames_in(duration).max(1);
        let enter =
            shot.enter.filter(|enter| end > 0 && enter.kind != TransitionKind::Cut).map(|enter| PlannedTransition {
                kind: enter.kind,
                direction: enter.direction,
                easing: enter.easing,
                frames: timeline.rate.frames_in(enter.duration).max(1),
            });
        let start = end.saturating_sub(overlap(enter));
        let frames = FrameRange::new(start, start.saturating_add(length));
        let lasts = lasts_of(timeline.rate, frames);
        let clip = |layer| video(layer).and_then(|(source, video)| shots::clip(layer, source, video, lasts, screen));
        let clips = shot.layers.iter().map(clip).collect::<Result<_>>()?;
        Ok(shots::shot(shot, (frames, enter), clips, &self.0, timeline.canvas))
    }

    /// What is heard of a shot's clips, those that are not seen too; `leave`: for how many frames the next one is on with it.
    fn sounds(&self, shot: &Shot, planned: &PlannedShot, leave: u64, rate: FrameRate) -> Result<Vec<AudioCue>> {
        let mut cues = Vec::new();
        for layer in &shot.layers {
            cues.extend(self.sound(layer, self.index(&layer.asset)?, (planned.frames, planned.enter), leave, rate));
        }
        Ok(cues)
    }

    /// What lies over an output of `frames` frames.
    fn overlays(
        &self,
        timeline: &Timeline,
        frames: u64,
        screen: &mut dyn FnMut(&Asset) -> Result<Option<[u8; 3]>>,
    ) -> Result<Vec<PlannedOverlay>> {
        let mut planned = Vec::new();
        for overlay in &timeline.overlays {
            let start = timeline.rate.frames_in(overlay.start);
            let length = overlay.duration.map_or(u64::MAX, |span| timeline.rate.frames_in(span).max(1));
            let live = FrameRange::new(start, start.saturating_add(length).min(frames).max(start));
            if live.is_empty() {
                let message = format!("{} comes at {}, when the video is over", overlay.name, overlay.start);
                return Err(Error::new(ErrorKind::Validation, message)
                    .at_pointer(format!("{}/start", overlay.pointer))
                    .suggest("let it come earlier"));
            }
            let what = match &overlay.what {
                Overlaid::Bar(bar) => PlannedOverlaid::Bar(*bar),
                Overlaid::Clip(layer) => {
                    let source = self.index(&layer.asset)?;
                    let video = self.0[source].info.video.as_ref();
                    let video =
                        video.ok_or_else(|| Error::new(ErrorKind::Internal, "a clip without video was planned"))?;
                    media_duration(layer, video)?;
                    PlannedOverlaid::Clip(Box::new(shots::clip(
                        layer,
                        source,
                        video,
                        lasts_of(timeline.rate, live),
                        screen,
                    )?))
                }
            };
            planned.push(PlannedOverlay { name: overlay.name.clone(), frames: live, what });
            if !overlays::has_room(&planned) {
                return Err(Error::new(ErrorKind::LimitExceeded, "too many overlays are on at once")
                    .at_pointer(overlay.pointer.clone())
                    .suggest("show at most eight at once, and 64 in all"));
            }
        }
        Ok(planned)
    }

    /// A clip's own sound; none if it has none. A clip that loops starts its sound with each pass if it lasts
    /// for [`SHORTEST_HEARD_AGAIN`]. Where shots give way to
    /// each other, sounds do so as well, together as loud as each by itself.
    fn sound(
        &self,
        layer: &Layer,
        source: usize,
        (frames, enter): (FrameRange, Option<PlannedTransition>),
        leave: u64,
        rate: FrameRate,
    ) -> Vec<AudioCue> {
        let info = &self.0[source].info;
        let (Some(video), Some(_), Some(volume)) = (&info.video, &info.audio, layer.volume) else { return Vec::new() };
        let at = |frame: u64| samples_at(rate, FrameIndex(frame));
        let (first, last) = (frames.start.0, frames.end.0);
        let (start, end) = (at(first), at(last));
        let comes = at(first + overlap(enter)) - start;
        let goes = end - at(last.saturating_sub(leave));
        let used = media_duration(layer, video).unwrap_or(video.duration);
        let pass = samples_in(used).max(1);
        let (pass, again) = match layer.at_end {
            AtEnd::Loop if used < SHORTEST_HEARD_AGAIN => (pass, 1),
            AtEnd::Loop => (pass, usize::MAX),
            // Its sound may be longer than its pictures, unless it was said where it ends.
            AtEnd::Hold if layer.trim.1.is_some() => (pass.min(end - start).max(1), 1),
            AtEnd::Hold => (end - start, 1),
        };
        let starts = (start..end).step_by(usize::try_from(pass).unwrap_or(usize::MAX).max(1)).take(again);
        let cue = |from: u64| {
            let length = pass.min(end - from);
            // Each pass has of the fades what lies in it.
            let fade_in = if from == start { comes } else { 0 };
            let fade_out = if from + length == end { goes } else { 0 };
            AudioCue {
                source,
                role: Role::Clip,
                curve: if comes.max(goes) > 0 { FadeCurve::EqualPower } else { FadeCurve::Linear },
                start: from,
                length,
                source_start: layer.trim.0,
                speed: layer.speed,
                gain: volume.to_gain(),
                fade_in: fade_in.max(DECLICK).min(length),
                fade_out: fade_out.max(DECLICK).min(length),
                looped: false,
                duck: None,
            }
        };
        starts.map(cue).collect()
    }
}

/// From the first to the last of these frames.
fn lasts_of(rate: FrameRate, frames: FrameRange) -> TimeSpan {
    rate.time_of(FrameIndex(frames.len().saturating_sub(1))).saturating_since(Timestamp::ZERO)
}

/// How long the used part of a clip is on at its speed.
fn media_duration(layer: &Layer, video: &VideoInfo) -> Result<TimeSpan> {
    let (start, end) = layer.trim;
    let end = end.map_or(video.duration, |end| end.min(video.duration));
    if start >= end {
        let message =
            format!("the part from {start} to {end} of {} is empty: it lasts {}", layer.asset.id, video.duration);
        return Err(Error::new(ErrorKind::Validation, message)
            .at_pointer(format!("{}/trim/start", layer.asset.pointer))
            .suggest("start earlier"));
    }
    Ok(layer.speed.stretched(TimeSpan::from_ticks(end.ticks() - start.ticks())))
}

/// The sample frames in a span, to the nearest.
fn samples_in(span: TimeSpan) -> u64 {
    u64::try_from(Timestamp::ZERO.saturating_add(span).to_sample_frames(SAMPLE_RATE)).unwrap_or(0)
}

/// The sample frame at which an output frame starts.
fn samples_at(rate: FrameRate, frame: FrameIndex) -> u64 {
    u64::try_from(rate.time_of(frame).to_sample_frames(SAMPLE_RATE)).unwrap_or(0)
}
