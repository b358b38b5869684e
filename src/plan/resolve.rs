//! Making the plan: probing, and resolving every default.

use std::collections::BTreeSet;
use std::path::Path;

use super::chunks::overlap;
use super::texts::Unseen;
use super::{
    AudioCue, Content, Crossing, JobInfo, Plan, PlannedClip, PlannedOverlaid, PlannedOverlay, PlannedShot,
    PlannedSlide, PlannedSource, PlannedText, PlannedTransition, Role, SAMPLE_RATE, captions, chunks, overlays, scenes,
    shots, slides,
};
use crate::compose::TransitionKind;
use crate::encode::Preset;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::source::{AtEnd, SourceInfo, VideoInfo, VideoKind};
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
    mut screen: impl FnMut(&Layer) -> Result<Option<[u8; 3]>>,
) -> Result<Plan> {
    let Context { container_id, mut job, thumbnail_at, preset, loudness, engine, fonts, limits, alive } = context;
    let (canvas, rate) = (timeline.canvas, timeline.rate);
    let mut sources = Sources::default();
    let mut failures: Vec<Error> = Vec::new();
    let clips = timeline.layers().map(|layer| (&layer.asset, Need::Video));
    let music = timeline.music.iter().map(|music| (&music.asset, Need::Audio));
    let voice = timeline.voice_over.iter().map(|voice| (&voice.asset, Need::Audio));
    let mut tried: BTreeSet<(&str, &Path, Need)> = BTreeSet::new();
    for (asset, need) in clips.chain(music).chain(voice) {
        // A file of several layers is told once.
        if !tried.insert((&asset.id, &asset.path, need)) {
            continue;
        }
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
            Err(error) => failures.push(error.at_pointer(text.pointer.clone())),
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
    let mut clock = Clock::default();
    for shot in &timeline.shots {
        match sources.shot(shot, &mut clock, timeline, &mut screen) {
            Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
            Err(error) => failures.push(error),
            Ok(planned) => shots.push(planned),
        }
    }
    let all_shots = failures.is_empty();
    let end = shots.last().map_or(0, |last| last.frames.end.0);
    let (overlays, unmet) = sources.overlays(timeline, all_shots.then_some(end), &mut screen)?;
    failures.extend(unmet);
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
    for overlay in &overlays {
        if let (PlannedOverlaid::Clip(_), Some(Overlay { what: Overlaid::Clip(layer), .. })) =
            (&overlay.what, timeline.overlays.iter().find(|wanted| wanted.name == overlay.name))
        {
            cues.extend(sources.sound(layer, (overlay.frames, None), 0, rate)?);
        }
    }
    let mut texts = timeline
        .texts
        .iter()
        .filter_map(|text| {
            let (frames_of, shot) = match &text.during {
                During::Shot(name) => {
                    let number = shots.iter().position(|shot| shot.name == *name)?;
                    (shots[number].frames, Some(number))
                }
                During::FromStart(span) => (FrameRange::new(0, rate.frames_in(*span).clamp(1, frames)), None),
                During::Frames(live) => (live.intersect(FrameRange::new(0, frames)), None),
            };
            if frames_of.is_empty() {
                return None;
            }
            let planned = PlannedText::new(text.name.clone(), text.block.clone(), frames_of, text.motion, rate);
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
    let is_slow = |clip: &PlannedClip| {
        let video = content.sources.get(clip.source).and_then(|source| source.info.video.as_ref());
        clip.movement.is_some() && video.is_some_and(|video| video.kind == VideoKind::Still)
    };
    let over = content.overlays.iter().filter_map(PlannedOverlay::clip);
    content.video.slow_motion = content.shots.iter().flat_map(|shot| &shot.clips).chain(over).any(is_slow);
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        let index = match self.index(asset) {
            Ok(index) => index,
            Err(_) => {
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
        // Where it is used does not count.
        let found = self.0.iter().position(|source| source.asset.id == asset.id && source.asset.path == asset.path);
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
            enter: Crossing::default(),
            leave: Crossing::default(),
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
            enter: Crossing::default(),
            leave: Crossing::default(),
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

    /// The shot that is on after those that `clock` has counted.
    fn shot(
        &self,
        shot: &Shot,
        clock: &mut Clock,
        timeline: &Timeline,
        screen: &mut dyn FnMut(&Layer) -> Result<Option<[u8; 3]>>,
    ) -> Result<PlannedShot> {
        let mut failures = Vec::new();
        let mut lasts = Vec::new();
        for layer in &shot.layers {
            match self.video(layer).and_then(|(_, video)| media_duration(layer, video)) {
                Ok(span) => lasts.push(span),
                Err(error) => failures.push(error),
            }
        }
        if let Some(error) = Error::combine(failures) {
            // The next one has nothing that it could give way to.
            clock.before = None;
            return Err(error);
        }
        let duration = match (shot.duration, lasts.first()) {
            (ShotDuration::For(span), _) => span,
            (ShotDuration::Media, Some(first)) => *first,
            (ShotDuration::Media, None) => return Err(Error::new(ErrorKind::Internal, "a shot shows nothing")),
        };
        let (frames, enter) = clock.shot(shot, duration, timeline.rate)?;
        let lasts = lasts_of(timeline.rate, frames);
        let clip =
            |layer| self.video(layer).and_then(|(source, video)| shots::clip(layer, source, video, lasts, screen));
        let clips = shot.layers.iter().map(clip).collect::<Result<_>>()?;
        Ok(shots::shot(shot, (frames, enter), clips, &self.0, timeline.canvas))
    }

    /// The source of a layer, and what is known of its pictures.
    fn video(&self, layer: &Layer) -> Result<(usize, &VideoInfo)> {
        let source = self.index(&layer.asset)?;
        let video = self.0[source].info.video.as_ref();
        let video = video.ok_or_else(|| Error::new(ErrorKind::Internal, "a clip without video was planned"))?;
        Ok((source, video))
    }

    /// What is heard of a shot's clips, those that are not seen too; `leave`: for how many frames the next one is on with it.
    fn sounds(&self, shot: &Shot, planned: &PlannedShot, leave: u64, rate: FrameRate) -> Result<Vec<AudioCue>> {
        let mut cues = Vec::new();
        for layer in &shot.layers {
            cues.extend(self.sound(layer, (planned.frames, planned.enter), leave, rate)?);
        }
        Ok(cues)
    }

    /// What lies over an output of `frames` frames, `None` if that is not known, and what is wrong with it.
    fn overlays(
        &self,
        timeline: &Timeline,
        frames: Option<u64>,
        screen: &mut dyn FnMut(&Layer) -> Result<Option<[u8; 3]>>,
    ) -> Result<(Vec<PlannedOverlay>, Vec<Error>)> {
        let (mut planned, mut failures) = (Vec::new(), Vec::new());
        for overlay in &timeline.overlays {
            match self.overlay(overlay, frames.unwrap_or(u64::MAX), timeline.rate, screen) {
                Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
                Err(error) => failures.push(error),
                Ok(overlay) => planned.push(overlay),
            }
            if failures.is_empty() && !overlays::has_room(&planned) {
                failures.push(
                    Error::new(ErrorKind::LimitExceeded, "too many overlays are on at once")
                        .at_pointer(overlay.pointer.clone())
                        .suggest("show at most eight at once, and 64 in all"),
                );
            }
        }
        Ok((planned, failures))
    }

    fn overlay(
        &self,
        overlay: &Overlay,
        frames: u64,
        rate: FrameRate,
        screen: &mut dyn FnMut(&Layer) -> Result<Option<[u8; 3]>>,
    ) -> Result<PlannedOverlay> {
        let start = rate.frames_in(overlay.start);
        let length = overlay.duration.map_or(u64::MAX, |span| rate.frames_in(span).max(1));
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
                let (source, video) = self.video(layer)?;
                media_duration(layer, video)?;
                let clip = shots::clip(layer, source, video, lasts_of(rate, live), screen)?;
                PlannedOverlaid::Clip(Box::new(clip))
            }
        };
        Ok(PlannedOverlay { name: overlay.name.clone(), frames: live, what })
    }

    /// A clip's own sound; none if it has none. A clip that loops starts its sound with each pass if it lasts
    /// for [`SHORTEST_HEARD_AGAIN`]. Where shots give way to
    /// each other, sounds do so as well, together as loud as each by itself.
    fn sound(
        &self,
        layer: &Layer,
        (frames, enter): (FrameRange, Option<PlannedTransition>),
        leave: u64,
        rate: FrameRate,
    ) -> Result<Vec<AudioCue>> {
        let source = self.index(&layer.asset)?;
        let info = &self.0[source].info;
        let (Some(video), Some(_), Some(volume)) = (&info.video, &info.audio, layer.volume) else {
            return Ok(Vec::new());
        };
        let at = |frame: u64| samples_at(rate, FrameIndex(frame));
        let (first, last) = (frames.start.0, frames.end.0);
        let (start, end) = (at(first), at(last));
        let comes = at(first + overlap(enter)) - start;
        let goes = end - at(last.saturating_sub(leave));
        let used = media_duration(layer, video)?;
        let cue = |from: u64, to: u64| {
            let length = to - from;
            AudioCue {
                source,
                role: Role::Clip,
                start: from,
                length,
                source_start: layer.trim.0,
                speed: layer.speed,
                gain: volume.to_gain(),
                fade_in: DECLICK.min(length),
                fade_out: DECLICK.min(length),
                enter: Crossing { length: comes, outside: from - start },
                leave: Crossing { length: goes, outside: end - to },
                looped: false,
                duck: None,
            }
        };
        // Each pass from its own place, so that what is rounded does not add up.
        let pass = |number: u64| {
            start.saturating_add(samples_in(TimeSpan::from_ticks(used.ticks().saturating_mul(number)))).min(end)
        };
        Ok(match layer.at_end {
            AtEnd::Loop if used >= SHORTEST_HEARD_AGAIN => {
                let passes = (0..).map(|number| (pass(number), pass(number + 1)));
                passes.take_while(|(from, to)| from < to).map(|(from, to)| cue(from, to)).collect()
            }
            AtEnd::Hold if layer.trim.1.is_none() => vec![cue(start, end)],
            // What is heard of it once may be longer than its pictures, unless it was said where it ends.
            AtEnd::Loop | AtEnd::Hold => vec![cue(start, pass(1).max(start + 1).min(end))],
        })
    }
}

/// How far the shots have come.
#[derive(Default)]
struct Clock {
    /// When the last one ends: exactly, and in frames. What durations have beyond whole frames does not add up.
    exact: TimeSpan,
    end: u64,
    /// The shot before: its frames and how long it was meant to be.
    before: Option<(u64, TimeSpan)>,
}

impl Clock {
    /// Puts a shot of this `duration` behind the others, over which it comes in.
    ///
    /// # Errors
    /// `VALIDATION` for a transition that takes more than half of a shot.
    fn shot(
        &mut self,
        shot: &Shot,
        duration: TimeSpan,
        rate: FrameRate,
    ) -> Result<(FrameRange, Option<PlannedTransition>)> {
        let time_of = |frame: u64| rate.time_of(FrameIndex(frame)).saturating_since(Timestamp::ZERO);
        let enter = shot.enter.filter(|enter| self.end > 0 && enter.kind != TransitionKind::Cut);
        let mut crossing = enter.map_or(0, |enter| rate.frames_in(enter.duration).max(1));
        let (frames, exact) = loop {
            let start = self.end.saturating_sub(crossing);
            let begins = self.exact.ticks().saturating_sub(time_of(crossing).ticks());
            let exact = TimeSpan::from_ticks(begins.saturating_add(duration.ticks()));
            let meant = match shot.duration {
                ShotDuration::For(_) => rate.frames_in(exact).saturating_sub(start),
                // All of the clip, wherever it lies.
                ShotDuration::Media => rate.frames_in(duration),
            };
            let frames = FrameRange::new(start, start.saturating_add(meant.max(1)));
            let half = self.before.map_or(u64::MAX, |(before, _)| before / 2).min(frames.len() / 2);
            if crossing <= half {
                let is_exact = matches!(shot.duration, ShotDuration::For(_)) && meant > 0;
                break (frames, if is_exact { exact } else { time_of(frames.end.0) });
            }
            // Half of an odd number of frames.
            let shortest = self.before.map_or(duration, |(_, before)| before.min(duration));
            if enter.is_some_and(|enter| enter.duration.ticks().saturating_mul(2) > shortest.ticks()) {
                (self.end, self.before) = (frames.end.0, Some((frames.len(), duration)));
                let message = format!("the transition to {} takes more than half of a shot that it is in", shot.name);
                return Err(Error::new(ErrorKind::Validation, message)
                    .at_pointer(format!("{}/transition/duration", shot.pointer))
                    .suggest("make it shorter, or use longer clips"));
            }
            crossing -= 1;
        };
        (self.exact, self.end, self.before) = (exact, frames.end.0, Some((frames.len(), duration)));
        let enter = enter.filter(|_| crossing > 0).map(|enter| PlannedTransition {
            kind: enter.kind,
            direction: enter.direction,
            easing: enter.easing,
            frames: crossing,
        });
        Ok((frames, enter))
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
