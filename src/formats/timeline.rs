//! A timeline of the caller's own.

use std::collections::BTreeSet;

use super::overlays::{HookLook, safe_area};
use super::{Pick, layout, transition};
use crate::compose::{Border, Easing, Edging, Fit, Focus, Keyframe, Pose, TransitionKind};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;
use crate::plan::{MAX_CLIPS, MAX_OVERLAYS};
use crate::request::{
    AreaRequest, BarRequest, FocusPoint, KeyframeRequest, LayerRequest, MOTIONS, MotionRequest, OverlayRequest,
    Request, ShotRequest, TextRequest, TimelineRequest, TrimRequest, animation_faults, nearest, shorten,
};
use crate::source::AtEnd;
use crate::text::{Anchor, Area, Rgba, TextStyle};
use crate::timeline::{
    Asset, Drift, During, Layer, Overlaid, Overlay, ProgressBar, Shot, ShotDuration, TextOverlay, Timeline,
};
use crate::units::{CanvasSize, Decibels, FrameRate, Speed, TimeSpan};

const MAX_SHOTS: usize = 100;
const MAX_TEXTS: usize = 20;
const MAX_KEYFRAMES: usize = 200;
/// Pixels that anything may be away from the canvas's corner, and large.
const FAR: f64 = 8_000.0;
/// How long a punch-in takes: four frames, fast enough for a blow and slow enough to be no cut.
const PUNCH: f64 = 0.13;
/// Music beside clips; under voices it goes down further.
const MUSIC_GAIN: Decibels = Decibels(-6.0);

/// What is wrong with a timeline that was asked for, and with what is asked for besides.
pub(crate) fn unmet(request: &Request, timeline: &TimelineRequest, limits: &Limits) -> Vec<Finding> {
    let mut check = Check { request, limits, found: Vec::new() };
    let given = [
        ("mediaId", request.media_id.is_some()),
        ("reactionTemplates", !request.reaction_templates.is_empty()),
        ("reactionTemplateId", request.reaction_template_id.is_some()),
        ("layout", request.layout.is_some()),
        ("layoutOptions", request.layout_options.is_some()),
        ("transition", request.transition.is_some()),
        ("slides", request.slides.is_some()),
        ("slideVideo", request.slide_video.is_some()),
        ("source", request.source.is_some()),
    ];
    check.found.extend(super::without_meaning(&given, "a timeline of your own"));
    check.count("/timeline/shots", timeline.shots.len(), MAX_SHOTS);
    if timeline.shots.is_empty() {
        check.wrong("/timeline/shots".to_owned(), "there is no shot".to_owned(), "give at least one");
    }
    let mut names = BTreeSet::new();
    for (number, shot) in timeline.shots.iter().enumerate().take(MAX_SHOTS) {
        let at = format!("/timeline/shots/{number}");
        if !names.insert(name_of(shot, number)) {
            let message = format!("the name `{}` is used twice", shorten(&name_of(shot, number)));
            check.wrong(format!("{at}/name"), message, "give each shot a name of its own");
        }
        check.shot(shot, number, &at);
    }
    check.count("/timeline/overlays", timeline.overlays.len(), MAX_OVERLAYS);
    for (number, overlay) in timeline.overlays.iter().enumerate().take(MAX_OVERLAYS) {
        check.overlay(overlay, &format!("/timeline/overlays/{number}"));
    }
    check.found
}

fn name_of(shot: &ShotRequest, number: usize) -> String {
    shot.name.clone().unwrap_or_else(|| format!("shot-{}", number + 1))
}

struct Check<'a> {
    request: &'a Request,
    limits: &'a Limits,
    found: Vec<Finding>,
}

impl Check<'_> {
    fn wrong(&mut self, pointer: String, message: String, suggestion: impl Into<String>) {
        self.found.push(Finding::new(ErrorKind::Validation, pointer, message).suggest(suggestion));
    }

    fn count(&mut self, pointer: &str, count: usize, most: usize) {
        if count > most {
            let message = format!("there are {count}; the limit is {most}");
            self.found.push(Finding::new(ErrorKind::LimitExceeded, pointer, message).suggest("use fewer"));
        }
    }

    fn range(&mut self, pointer: String, value: Option<f64>, least: f64, most: f64) {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            let message = format!("it is {value}; it must be {least} to {most}");
            self.wrong(pointer, message, "use a number in that range");
        }
    }

    fn choice(&mut self, pointer: String, value: Option<&str>, known: &[&str]) {
        if let Some(value) = value.filter(|value| !known.contains(value)) {
            self.wrong(pointer, format!("`{}` is not known", shorten(value)), nearest(value, known));
        }
    }

    fn color(&mut self, pointer: String, value: Option<&str>) {
        if value.is_some_and(|value| layout::color(value).is_none()) {
            self.wrong(pointer, "it is not a colour of the form #rrggbb".to_owned(), "write it as `#101418`");
        }
    }

    fn point(&mut self, pointer: String, point: Option<FocusPoint>) {
        if point.is_some_and(|point| !(0.0..=1.0).contains(&point.x) || !(0.0..=1.0).contains(&point.y)) {
            let message = "a point must be 0 to 1 in both directions".to_owned();
            self.wrong(pointer, message, "0.5 and 0.5 is the centre");
        }
    }

    fn seconds(&mut self, pointer: String, value: Option<f64>) {
        let longest = self.limits.output_duration.as_secs_f64();
        if let Some(value) = value.filter(|value| !(*value > 0.0 && *value <= longest)) {
            let message = format!("it is {value}; it must be above 0 and at most {longest} seconds");
            self.wrong(pointer, message, "use a number in that range");
        }
    }

    fn shot(&mut self, shot: &ShotRequest, number: usize, at: &str) {
        self.seconds(format!("{at}/duration"), shot.duration);
        if shot.layers.is_empty() && shot.duration.is_none() {
            let message = "a shot without layers has no duration of its own".to_owned();
            self.wrong(format!("{at}/duration"), message, "give its duration in seconds");
        }
        if shot.name.as_ref().is_some_and(|name| name.is_empty() || name.chars().count() > 128) {
            self.wrong(format!("{at}/name"), "a name has 1 to 128 characters".to_owned(), "leave it out");
        }
        self.color(format!("{at}/background"), shot.background.as_deref());
        if let Some(wanted) = &shot.transition {
            let pointer = format!("{at}/transition");
            self.found.extend(transition::check(wanted, &pointer));
            if number == 0 {
                let message = "there is no shot before the first one".to_owned();
                self.wrong(pointer.clone(), message, "leave it out");
            }
            let made = transition::of(wanted, TransitionKind::Dissolve).duration.as_secs_f64();
            // What the durations of clips allow is known when they have been looked at.
            if shot.duration.is_some_and(|duration| duration > 0.0 && made > duration / 2.0) {
                let message = format!("it takes {made} seconds, more than half of the shot");
                self.wrong(format!("{pointer}/duration"), message, "make it shorter, or the shot longer");
            }
        }
        self.count(&format!("{at}/layers"), shot.layers.len(), MAX_CLIPS);
        for (number, layer) in shot.layers.iter().enumerate().take(MAX_CLIPS) {
            self.layer(layer, &format!("{at}/layers/{number}"));
        }
        self.count(&format!("{at}/texts"), shot.texts.len(), MAX_TEXTS);
        for (number, text) in shot.texts.iter().enumerate().take(MAX_TEXTS) {
            self.text(text, &format!("{at}/texts/{number}"));
        }
    }

    fn text(&mut self, text: &TextRequest, at: &str) {
        let count = text.text.chars().count();
        if text.text.trim().is_empty() || count > self.limits.hook_chars {
            let message = format!("it has {count} characters; it must have 1 to {}", self.limits.hook_chars);
            self.wrong(format!("{at}/text"), message, "give some words");
        }
        if let Some(style) = &text.style {
            self.found.extend(style.faults(&format!("{at}/style"), TextStyle::default()));
        }
        self.choice(format!("{at}/position"), text.position.as_deref(), &Anchor::NAMES);
        if let Some(animation) = &text.animation {
            self.found.extend(animation_faults(animation, &format!("{at}/animation")));
        }
    }

    fn area(&mut self, area: Option<AreaRequest>, at: &str) {
        let Some(AreaRequest { x, y, width, height }) = area else { return };
        for (field, value, least) in [("x", x, -FAR), ("y", y, -FAR), ("width", width, 2.0), ("height", height, 2.0)] {
            self.range(format!("{at}/area/{field}"), Some(value), least, FAR);
        }
    }

    fn layer(&mut self, layer: &LayerRequest, at: &str) {
        let known: Vec<&str> = self.request.media.iter().map(|row| row.id.as_str()).collect();
        if !known.contains(&layer.media.as_str()) {
            let message = format!("`{}` is not in media", shorten(&layer.media));
            let finding = Finding::new(ErrorKind::NotFound, format!("{at}/media"), message);
            self.found.push(finding.suggest(nearest(&layer.media, &known)));
        }
        self.area(layer.area, at);
        if layer.area.is_some() && layer.position.is_some() {
            let message = "it has an area and a position".to_owned();
            self.wrong(format!("{at}/position"), message, "leave one of them out");
        }
        if layer.size.is_some() && layer.position.is_none() {
            let message = "a size belongs to a position".to_owned();
            self.wrong(format!("{at}/size"), message, "give a position, or an area in place of both");
        }
        self.choice(format!("{at}/position"), layer.position.as_deref(), &Anchor::NAMES);
        self.range(format!("{at}/size"), layer.size, 0.02, 1.0);
        self.choice(format!("{at}/fit"), layer.fit.as_deref(), &Fit::NAMES);
        self.point(format!("{at}/focus"), layer.focus);
        if let Some(TrimRequest { start, end }) = layer.trim {
            let longest = self.limits.source_duration.as_secs_f64();
            self.range(format!("{at}/trim/start"), start, 0.0, longest);
            self.range(format!("{at}/trim/end"), end, 0.0, longest);
            if end.is_some_and(|end| end <= start.unwrap_or(0.0)) {
                let message = "it ends before it begins".to_owned();
                self.wrong(format!("{at}/trim/end"), message, "let it end later");
            }
        }
        self.range(format!("{at}/speed"), layer.speed, *Speed::RANGE.start(), *Speed::RANGE.end());
        self.range(format!("{at}/volume"), layer.volume, -60.0, 12.0);
        self.range(format!("{at}/radius"), layer.radius.map(f64::from), 0.0, 960.0);
        if let Some(border) = &layer.border {
            self.color(format!("{at}/border/color"), border.color.as_deref());
            self.range(format!("{at}/border/width"), border.width.map(f64::from), 1.0, 100.0);
        }
        if layer.key.is_some() && layer.fit.as_deref() == Some("blur") {
            let message = "what is behind a clip without its screen would be its own screen".to_owned();
            self.wrong(format!("{at}/fit"), message, "use `contain`");
        }
        if let Some(key) = &layer.key {
            self.found.extend(layout::check_key(key, &format!("{at}/key")));
        }
        self.range(format!("{at}/opacity"), layer.opacity, 0.0, 1.0);
        if let Some(motion) = &layer.motion {
            self.motion(motion, &format!("{at}/motion"));
            if !layer.keyframes.is_empty() {
                let message = "it has keyframes and a motion".to_owned();
                self.wrong(format!("{at}/motion"), message, "leave one of them out");
            }
        }
        self.count(&format!("{at}/keyframes"), layer.keyframes.len(), MAX_KEYFRAMES);
        let mut before = None;
        for (number, keyframe) in layer.keyframes.iter().enumerate().take(MAX_KEYFRAMES) {
            let at = format!("{at}/keyframes/{number}");
            self.keyframe(keyframe, before, &at);
            before = Some(keyframe.at);
        }
    }

    fn motion(&mut self, motion: &MotionRequest, at: &str) {
        self.choice(format!("{at}/name"), Some(&motion.name), &MOTIONS);
        self.range(format!("{at}/amount"), motion.amount, 0.01, 4.0);
        self.point(format!("{at}/focus"), motion.focus);
        self.choice(format!("{at}/easing"), motion.easing.as_deref(), &Easing::NAMES);
        let is_punch = motion.name == MOTIONS[2];
        self.range(format!("{at}/at"), motion.at, 0.0, self.limits.output_duration.as_secs_f64());
        if motion.at.is_some() && !is_punch {
            let message = format!("`{}` takes all of the shot", shorten(&motion.name));
            self.wrong(format!("{at}/at"), message, "leave it out");
        }
    }

    fn keyframe(&mut self, keyframe: &KeyframeRequest, before: Option<f64>, at: &str) {
        self.range(format!("{at}/at"), Some(keyframe.at), 0.0, self.limits.output_duration.as_secs_f64());
        if before.is_some_and(|before| keyframe.at <= before) {
            let message = "it is not after the keyframe before".to_owned();
            self.wrong(format!("{at}/at"), message, "order keyframes by their time");
        }
        self.range(format!("{at}/x"), keyframe.x, -FAR, FAR);
        self.range(format!("{at}/y"), keyframe.y, -FAR, FAR);
        self.range(format!("{at}/scale"), keyframe.scale, 0.0, Pose::LARGEST);
        self.range(format!("{at}/rotation"), keyframe.rotation, -FAR, FAR);
        self.range(format!("{at}/opacity"), keyframe.opacity, 0.0, 1.0);
        self.range(format!("{at}/zoom"), keyframe.zoom, 1.0, Pose::NEAREST);
        self.point(format!("{at}/focus"), keyframe.focus);
        self.choice(format!("{at}/easing"), keyframe.easing.as_deref(), &Easing::NAMES);
    }

    fn overlay(&mut self, overlay: &OverlayRequest, at: &str) {
        self.range(format!("{at}/start"), overlay.start, 0.0, self.limits.output_duration.as_secs_f64());
        self.seconds(format!("{at}/duration"), overlay.duration);
        match (&overlay.layer, &overlay.bar) {
            (Some(layer), None) => self.layer(layer, &format!("{at}/layer")),
            (None, Some(BarRequest { area, color, background })) => {
                let at = format!("{at}/bar");
                self.area(*area, &at);
                self.color(format!("{at}/color"), color.as_deref());
                if background.as_ref().is_some_and(|color| color.parse::<Rgba>().is_err()) {
                    let message = "it is not a colour of the form #rrggbb or #rrggbbaa".to_owned();
                    self.wrong(format!("{at}/background"), message, "write it as `#00000066`");
                }
            }
            _ => {
                let message = "an overlay is either a layer or a bar".to_owned();
                self.wrong(at.to_owned(), message, "give one of `layer` and `bar`");
            }
        }
    }
}

/// The timeline of one variant. The request must have no findings.
pub(super) fn timeline(request: &Request, wanted: &TimelineRequest, variant: u8) -> Result<(Timeline, Vec<Pick>)> {
    let canvas = CanvasSize::VERTICAL_HD;
    let music = super::music(request, variant, MUSIC_GAIN)?;
    let voice_over = super::voice_over(request)?;
    let (hook, motion, captions) = super::overlays::overlays(request)?;
    let (mut shots, mut texts) = (Vec::new(), Vec::new());
    for (number, shot) in wanted.shots.iter().enumerate() {
        let pointer = format!("/timeline/shots/{number}");
        let name = name_of(shot, number);
        let layers = shot.layers.iter().enumerate();
        let layers = layers.map(|(number, layer)| made(request, layer, canvas, &format!("{pointer}/layers/{number}")));
        texts.extend(shot.texts.iter().enumerate().map(|(number, text)| {
            let look = HookLook { style: text.style.clone(), position: text.position.clone(), ..HookLook::of(request) };
            TextOverlay {
                name: format!("{name}/{}", number + 1),
                block: look.block(&text.text),
                during: During::Shot(name.clone()),
                motion: text.animation.as_ref().map(|animation| animation.motion()).unwrap_or_default(),
                pointer: format!("{pointer}/texts/{number}/text"),
            }
        }));
        shots.push(Shot {
            ground: shot.background.as_deref().and_then(layout::color).unwrap_or_default(),
            layers: layers.collect::<Result<_>>()?,
            duration: shot.duration.and_then(TimeSpan::from_secs_f64).map_or(ShotDuration::Media, ShotDuration::For),
            enter: shot.transition.as_ref().map(|wanted| transition::of(wanted, TransitionKind::Dissolve)),
            name,
            pointer,
        });
    }
    if let (Some(block), Some(first)) = (hook, shots.first()) {
        let during = match request.hook_duration.and_then(TimeSpan::from_secs_f64) {
            Some(span) => During::FromStart(span),
            None => During::Shot(first.name.clone()),
        };
        texts.push(TextOverlay { name: "hook".to_owned(), block, during, motion, pointer: "/hook".to_owned() });
    }
    let overlays = wanted.overlays.iter().enumerate();
    let overlays = overlays.map(|(number, overlay)| over(request, overlay, canvas, number)).collect::<Result<_>>()?;
    let mut picks = Vec::new();
    picks.extend(music.iter().map(|track| Pick { role: "music".to_owned(), id: track.asset.id.clone() }));
    picks.extend(voice_over.iter().map(|voice| Pick { role: "voice-over".to_owned(), id: voice.asset.id.clone() }));
    let rate = FrameRate::FPS_30;
    Ok((Timeline { canvas, rate, shots, overlays, texts, captions, music, voice_over }, picks))
}

fn over(request: &Request, overlay: &OverlayRequest, canvas: CanvasSize, number: usize) -> Result<Overlay> {
    let pointer = format!("/timeline/overlays/{number}");
    let what = match (&overlay.layer, &overlay.bar) {
        (Some(layer), _) => Overlaid::Clip(Box::new(made(request, layer, canvas, &format!("{pointer}/layer"))?)),
        (None, bar) => {
            let bar = bar.clone().unwrap_or_default();
            let upper_edge = Area { x: 0, y: 0, width: canvas.width(), height: 12 };
            Overlaid::Bar(ProgressBar {
                area: bar.area.map_or(upper_edge, even),
                color: bar.color.as_deref().and_then(layout::color).unwrap_or([255; 3]),
                ground: Some(bar.background.as_deref().and_then(|color| color.parse().ok()).unwrap_or(Rgba {
                    r: 0,
                    g: 0,
                    b: 0,
                    a: 0x66,
                })),
            })
        }
    };
    Ok(Overlay {
        name: format!("overlay-{}", number + 1),
        start: overlay.start.and_then(TimeSpan::from_secs_f64).unwrap_or_default(),
        duration: overlay.duration.and_then(TimeSpan::from_secs_f64),
        what,
        pointer,
    })
}

/// The nearest area of even numbers.
fn even(area: AreaRequest) -> Area {
    let even = |value: f64| (value / 2.0).round() as i32 * 2;
    let side = |value: f64| even(value).max(2) as u32;
    Area { x: even(area.x), y: even(area.y), width: side(area.width), height: side(area.height) }
}

fn made(request: &Request, layer: &LayerRequest, canvas: CanvasSize, pointer: &str) -> Result<Layer> {
    let row = request.media.iter().find(|row| row.id == layer.media);
    let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("`{}` is not in media", layer.media)))?;
    let asset = Asset { id: row.id.clone(), path: request.resolve(&row.src)?, pointer: pointer.to_owned() };
    let anchor = layer.position.as_deref().and_then(Anchor::from_name);
    let whole = Layer::covering(canvas, asset);
    let (area, fit, focus) = match anchor {
        Some(anchor) => {
            let side = layer.size.unwrap_or(0.25) * f64::from(canvas.width());
            (at_anchor(anchor, side, safe_area(request.safe_area.as_deref())), Fit::Contain, anchored(anchor))
        }
        None => (layer.area.map_or(whole.area, even), Fit::Cover, Focus::default()),
    };
    let edging = Edging {
        radius: layer.radius.unwrap_or(0),
        borders: layer.border.iter().map(border).collect(),
        shadow: layer.shadow.unwrap_or(false),
    };
    let span = |seconds: Option<f64>| seconds.and_then(TimeSpan::from_secs_f64);
    let trim = layer.trim.unwrap_or_default();
    let rest = Pose { opacity: layer.opacity.unwrap_or(1.0), ..Pose::REST };
    let (keyframes, drift) = movement(layer, rest);
    Ok(Layer {
        area,
        fit: layer.fit.as_deref().and_then(Fit::from_name).unwrap_or(fit),
        focus: layer.focus.map_or(focus, point),
        edging,
        key: layer.key.as_ref().map(layout::key),
        volume: (!layer.muted.unwrap_or(false)).then_some(Decibels(layer.volume.unwrap_or(0.0))),
        trim: (span(trim.start).unwrap_or_default(), span(trim.end)),
        speed: layer.speed.and_then(Speed::new).unwrap_or_default(),
        at_end: if layer.looped.unwrap_or(false) { AtEnd::Loop } else { AtEnd::Hold },
        keyframes,
        drift,
        ..whole
    })
}

fn border(border: &crate::request::BorderRequest) -> Border {
    let color = border.color.as_deref().and_then(layout::color).unwrap_or([255; 3]);
    Border { width: border.width.unwrap_or(6), color }
}

fn point(point: FocusPoint) -> Focus {
    Focus { x: point.x, y: point.y }
}

/// Where something stands that does not fill its place: towards the edge that the place is at.
fn anchored(anchor: Anchor) -> Focus {
    let (column, row) = cell(anchor);
    Focus { x: f64::from(column) / 2.0, y: f64::from(row) / 2.0 }
}

/// The column and the row of a place, 0 to 2.
fn cell(anchor: Anchor) -> (u8, u8) {
    match anchor {
        Anchor::TopLeft => (0, 0),
        Anchor::Top => (1, 0),
        Anchor::TopRight => (2, 0),
        Anchor::Left => (0, 1),
        Anchor::Center => (1, 1),
        Anchor::Right => (2, 1),
        Anchor::BottomLeft => (0, 2),
        Anchor::Bottom => (1, 2),
        Anchor::BottomRight => (2, 2),
    }
}

/// A square of this side at a place of `room`.
fn at_anchor(anchor: Anchor, side: f64, room: Area) -> Area {
    let (column, row) = cell(anchor);
    let side = side.min(f64::from(room.width)).min(f64::from(room.height));
    let at = |start: i32, size: u32, cell: u8| f64::from(start) + (f64::from(size) - side) * f64::from(cell) / 2.0;
    even(AreaRequest { x: at(room.x, room.width, column), y: at(room.y, room.height, row), width: side, height: side })
}

/// How a layer moves that stands as `rest` says: by keyframes, or over all of its shot.
fn movement(layer: &LayerRequest, rest: Pose) -> (Vec<Keyframe>, Option<Drift>) {
    let easing = |name: &Option<String>, usual| name.as_deref().and_then(|name| name.parse().ok()).unwrap_or(usual);
    let key = |seconds: f64, pose, easing| Keyframe {
        at: TimeSpan::from_secs_f64(seconds).unwrap_or_default(),
        pose,
        easing,
    };
    if let Some(motion) = &layer.motion {
        let focus = motion.focus.map_or(Focus::default(), point);
        let is_punch = motion.name == MOTIONS[2];
        let near = Pose { zoom: 1.0 + motion.amount.unwrap_or(if is_punch { 0.35 } else { 0.1 }), focus, ..rest };
        let far = Pose { focus, ..rest };
        if is_punch {
            let at = motion.at.unwrap_or(0.5);
            let easing = easing(&motion.easing, Easing::EaseOut);
            return (vec![key(at, far, Easing::Linear), key(at + PUNCH, near, easing)], None);
        }
        let (from, to) = if motion.name == MOTIONS[0] { (far, near) } else { (near, far) };
        // Even speed: a movement that stands still at both ends looks like a fault of the player.
        return (Vec::new(), Some(Drift { from, to, easing: easing(&motion.easing, Easing::Linear) }));
    }
    let mut pose = rest;
    let mut keyframes: Vec<Keyframe> = Vec::new();
    for wanted in &layer.keyframes {
        pose = Pose {
            x: wanted.x.unwrap_or(pose.x),
            y: wanted.y.unwrap_or(pose.y),
            scale: wanted.scale.unwrap_or(pose.scale),
            rotation: wanted.rotation.unwrap_or(pose.rotation),
            opacity: wanted.opacity.unwrap_or(pose.opacity),
            zoom: wanted.zoom.unwrap_or(pose.zoom),
            focus: wanted.focus.map_or(pose.focus, point),
        };
        keyframes.push(key(wanted.at, pose, easing(&wanted.easing, Easing::EaseInOut)));
    }
    if keyframes.is_empty() && rest != Pose::REST {
        keyframes.push(key(0.0, rest, Easing::Linear));
    }
    (keyframes, None)
}
