//! Shots on the output's frame clock: which part of which clip stands where.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{PlannedSource, PlannedTransition};
use crate::compose::{Easing, Edging, Fit, Keyframe, Mask, ScreenKey, SourceRect};
use crate::error::{Error, ErrorKind, Result};
use crate::performer::MAX_LEAD_IN;
use crate::source::{AtEnd, VideoInfo, VideoKind};
use crate::text::Area;
use crate::timeline::{Drift, Key, Layer, Performer, Removal, Shot};
use crate::units::{CanvasSize, FrameRange, Speed, TimeSpan};

/// A shot on the output's frame clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedShot {
    /// Its name.
    pub name: String,
    /// The output's frames that show it, transitions included: those of neighbours overlap.
    pub frames: FrameRange,
    /// How it comes in; `None` for a cut.
    #[serde(default)]
    pub enter: Option<PlannedTransition>,
    /// The colour of what no clip covers: red, green and blue, sRGB.
    pub ground: [u8; 3],
    /// What is seen, the lowest first; what others hide whole is left out.
    pub clips: Vec<PlannedClip>,
}

/// A clip or picture in a shot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedClip {
    /// The source, by its place in the plan.
    pub source: usize,
    /// The source's time at the shot's first frame, from the source's first picture.
    pub start: TimeSpan,
    /// The source's time from which on it is over; `None` for its own end.
    #[serde(default)]
    pub end: Option<TimeSpan>,
    /// How fast it runs.
    #[serde(default)]
    pub speed: Speed,
    /// What is shown after the source's end.
    pub at_end: AtEnd,
    /// The part of the source that is shown.
    pub rect: SourceRect,
    /// Where on the canvas, which it may reach beyond; all four numbers are even.
    pub area: Area,
    /// What is around it.
    pub edging: Edging,
    /// The screen that is taken out.
    #[serde(default)]
    pub key: Option<ScreenKey>,
    /// The same, blurred, below it.
    pub backdrop: Option<Backdrop>,
    /// How it moves.
    #[serde(default)]
    pub movement: Option<Movement>,
    /// What is taken out of its pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<PlannedPatch>,
    /// Who is put in the place of who is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<Performer>,
}

/// Something that is taken out of a clip's pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPatch {
    /// The frames that show it, counted from the first one of the shot or overlay that the clip is in.
    pub frames: FrameRange,
    /// Where it is, in pixels of the clip's picture as it is read: of the size of its area, or of its movement's picture.
    pub mask: Mask,
    /// What is put in its place.
    pub removal: Removal,
}

/// How a clip moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Movement {
    /// Poses by time from the shot's start, ascending.
    pub keyframes: Vec<Keyframe>,
    /// The size at which it is read: larger than its area where the movement comes nearer and the source has more.
    pub picture: CanvasSize,
}

/// A blurred picture of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backdrop {
    /// The part of the source that is shown.
    pub rect: SourceRect,
    /// Where on the canvas; all four numbers are even.
    pub area: Area,
}

impl PlannedClip {
    /// Whether nothing but its own pictures is seen, and all of them.
    fn is_plain(&self) -> bool {
        self.edging.is_plain() && self.backdrop.is_none() && self.key.is_none() && self.movement.is_none()
    }

    /// The width and height at which its pictures are read.
    pub(crate) fn picture_size(&self) -> (u32, u32) {
        match &self.movement {
            Some(movement) => (movement.picture.width(), movement.picture.height()),
            None => (self.area.width, self.area.height),
        }
    }

    /// Whether nothing shines through its pictures, of which `video` tells.
    pub(crate) fn is_opaque(&self, video: &VideoInfo) -> bool {
        !video.has_alpha && self.key.is_none()
    }
}

impl PlannedShot {
    /// Whether its lowest clip hides all of the ground.
    pub(crate) fn is_covered(&self, canvas: CanvasSize, sources: &[PlannedSource]) -> bool {
        let all = Bounds::of(whole(canvas), 0);
        self.clips.first().is_some_and(|clip| hides(clip, sources, all))
    }

    /// The only clip, if it fills the canvas and nothing is around it.
    pub(crate) fn only_clip(&self, canvas: CanvasSize) -> Option<&PlannedClip> {
        match &self.clips[..] {
            [clip] if clip.is_plain() && clip.area == whole(canvas) => Some(clip),
            _ => None,
        }
    }
}

/// All of the canvas.
fn whole(canvas: CanvasSize) -> Area {
    Area { x: 0, y: 0, width: canvas.width(), height: canvas.height() }
}

/// The most clips that a shot shows at once: each has a decoder of its own.
pub(crate) const MAX_CLIPS: usize = 8;
/// The most patches of a clip.
pub(crate) const MAX_PATCHES: usize = 5_000;
/// Frames within which a patch ends: more than any output has.
const LONGEST: u64 = 1 << 40;
/// The most keyframes of a clip.
const MAX_KEYFRAMES: usize = 1_000;
/// How far an area may reach, in pixels from the canvas's corner, and the most of its sides.
const FARTHEST: i32 = 16_384;
const LARGEST: u32 = 8_192;

/// Places `layer`, whose clip is `source` with the video `video`, for as long as it `lasts` on; `screen` finds the colour of its screen.
///
/// # Errors
/// `VALIDATION` for an area that is none, and for a clip without a screen; what `screen` reports.
pub(super) fn clip(
    layer: &Layer,
    source: usize,
    video: &VideoInfo,
    lasts: TimeSpan,
    screen: &mut dyn FnMut(&Layer) -> Result<Option<[u8; 3]>>,
) -> Result<PlannedClip> {
    let no_room = || {
        Error::new(ErrorKind::Validation, "the part of the canvas for a clip has no pixels")
            .suggest("give each layer at least two by two pixels")
    };
    let whole = SourceRect { x: 0, y: 0, width: video.size.width(), height: video.size.height() };
    let part = layer.crop.unwrap_or(whole);
    if !is_inside(part, video) || !(part.x | part.y).is_multiple_of(2) {
        let message = "the part of a clip that is used does not lie in it, on even numbers";
        return Err(Error::new(ErrorKind::Validation, message).at_pointer(layer.asset.pointer.clone()));
    }
    if !layer.performer.iter().all(is_sane_performer) {
        let message = "a performer's model has no name, or too much of a lead-in";
        return Err(Error::new(ErrorKind::Validation, message).at_pointer(layer.asset.pointer.clone()));
    }
    let (rect, area) = layer.fit.place_part(part, layer.area, layer.focus).ok_or_else(no_room)?;
    let around = layer.backdrop.or((layer.fit == Fit::Blur).then_some(layer.area)).filter(|around| *around != area);
    let covered = around.and_then(|around| Fit::Cover.place_part(part, around, layer.focus));
    let key = match &layer.key {
        None => None,
        Some(Key { color: None, .. }) if video.has_alpha => None,
        Some(key) => {
            let color = match key.color {
                Some(color) => Some(color),
                None => screen(layer)?,
            };
            let wrong = |message: &str| {
                Error::new(ErrorKind::Validation, message)
                    .for_asset(format!("{} ({})", layer.asset.id, layer.asset.path.display()))
                    .at_pointer(layer.asset.pointer.clone())
            };
            if video.has_alpha {
                return Err(wrong("the clip has transparency of its own").suggest("leave the colour of its screen out"));
            }
            let no_screen = || {
                wrong("most of the clip's edges is not one colour that could be taken out")
                    .suggest("give the colour of its screen, or a clip with a screen or with transparency")
            };
            let Key { tolerance, softness, spill, choke, .. } = *key;
            Some(ScreenKey { color: color.ok_or_else(no_screen)?, tolerance, softness, spill, choke })
        }
    };
    let movement = movement(layer, lasts, rect, area);
    let mut planned = PlannedClip {
        patches: Vec::new(),
        performer: layer.performer.clone(),
        source,
        start: layer.trim.0,
        end: layer.trim.1,
        speed: layer.speed,
        movement,
        at_end: layer.at_end,
        rect,
        area,
        edging: layer.edging.clone(),
        key,
        backdrop: covered.map(|(rect, area)| Backdrop { rect, area }),
    };
    let size = planned.picture_size();
    let patches = layer.patches.iter().filter_map(|patch| {
        let mask = patch.mask.placed(rect, size)?;
        Some(PlannedPatch { frames: patch.frames, mask, removal: patch.removal })
    });
    planned.patches = patches.collect();
    Ok(planned)
}

/// The movement of a layer of which `rect` is shown at `area`.
fn movement(layer: &Layer, lasts: TimeSpan, rect: SourceRect, area: Area) -> Option<Movement> {
    let keyframes = match layer.drift {
        Some(Drift { from, to, easing }) => vec![
            Keyframe { at: TimeSpan::ZERO, pose: from, easing: Easing::Linear },
            Keyframe { at: lasts, pose: to, easing },
        ],
        None => layer.keyframes.clone(),
    };
    if keyframes.is_empty() {
        return None;
    }
    let near = keyframes.iter().map(|keyframe| keyframe.pose.zoom * keyframe.pose.scale).fold(1.0, f64::max);
    // As much as is seen of it, and not more than there is.
    let side = |part: u32, whole: u32| {
        let most = f64::from(part).max(f64::from(whole)).min(f64::from(LARGEST));
        (f64::from(whole) * near).min(most).max(2.0) as u32 & !1
    };
    let picture = CanvasSize::new(side(rect.width, area.width), side(rect.height, area.height))?;
    Some(Movement { keyframes, picture })
}

/// The shot `shot` with these clips, without those that are not seen.
pub(super) fn shot(
    shot: &Shot,
    (frames, enter): (FrameRange, Option<PlannedTransition>),
    clips: Vec<PlannedClip>,
    sources: &[PlannedSource],
    canvas: CanvasSize,
) -> PlannedShot {
    let is_seen = |(number, clip): (usize, &PlannedClip)| {
        let seen = bounds(clip, canvas);
        !seen.is_empty() && !clips[number + 1..].iter().any(|above| hides(above, sources, seen))
    };
    let seen: Vec<bool> = clips.iter().enumerate().map(is_seen).collect();
    let mut clips: Vec<_> = clips.into_iter().zip(seen).filter(|(_, seen)| *seen).map(|(clip, _)| clip).collect();
    clips.shrink_to_fit();
    PlannedShot { name: shot.name.clone(), frames, enter, ground: shot.ground, clips }
}

/// Edges of a part of the canvas: left, top, right, bottom.
#[derive(Clone, Copy)]
struct Bounds([i64; 4]);

impl Bounds {
    fn of(area: Area, reach: u32) -> Self {
        let (x, y, reach) = (i64::from(area.x), i64::from(area.y), i64::from(reach));
        Self([x - reach, y - reach, x + i64::from(area.width) + reach, y + i64::from(area.height) + reach])
    }

    fn is_empty(self) -> bool {
        self.0[0] >= self.0[2] || self.0[1] >= self.0[3]
    }

    fn within(self, canvas: CanvasSize) -> Self {
        let [left, top, right, bottom] = self.0;
        let (width, height) = (canvas.width().into(), canvas.height().into());
        Self([left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height)])
    }

    fn contains(self, other: Self) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        a <= e && b <= f && c >= g && d >= h
    }
}

/// What of the canvas a clip changes, at most.
fn bounds(clip: &PlannedClip, canvas: CanvasSize) -> Bounds {
    if clip.movement.is_some() {
        return Bounds([0, 0, canvas.width().into(), canvas.height().into()]);
    }
    let area = clip.backdrop.map_or(clip.area, |backdrop| backdrop.area);
    Bounds::of(area, clip.edging.reach()).within(canvas)
}

/// Whether nothing below `clip` is seen in `part`.
fn hides(clip: &PlannedClip, sources: &[PlannedSource], part: Bounds) -> bool {
    let video = sources.get(clip.source).and_then(|source| source.info.video.as_ref());
    let is_opaque = video.is_some_and(|video| clip.is_opaque(video));
    let area = match clip.backdrop {
        Some(backdrop) => backdrop.area,
        None if clip.edging.radius == 0 && clip.movement.is_none() => clip.area,
        None => return false,
    };
    is_opaque && Bounds::of(area, 0).contains(part)
}

/// Whether what a plan that was read says of a performer can be.
pub(super) fn is_sane_performer(performer: &Performer) -> bool {
    (1..=256).contains(&performer.identity.len()) && performer.lead_in <= MAX_LEAD_IN
}

/// Whether a shot of a plan that was read can be shown; else what is wrong.
pub(super) fn check(shot: &PlannedShot, sources: &[PlannedSource]) -> std::result::Result<(), &'static str> {
    if shot.clips.len() > MAX_CLIPS {
        return Err("a shot shows too many clips");
    }
    shot.clips.iter().try_for_each(|clip| check_clip(clip, sources))
}

/// Whether a clip of a plan that was read can be shown; else what is wrong.
pub(super) fn check_clip(clip: &PlannedClip, sources: &[PlannedSource]) -> std::result::Result<(), &'static str> {
    {
        let video = sources.get(clip.source).and_then(|source| source.info.video.as_ref());
        let video = video.ok_or("a shot has no video source")?;
        let backdrop = clip.backdrop.iter().map(|backdrop| (backdrop.rect, backdrop.area));
        for (rect, area) in backdrop.chain([(clip.rect, clip.area)]) {
            if !is_inside(rect, video) {
                return Err("a shot shows more than its source has");
            }
            if !is_sane(area) {
                return Err("a clip stands nowhere");
            }
        }
        if !clip.performer.iter().all(is_sane_performer) {
            return Err("a performer's model has no name, or too much of a lead-in");
        }
        let widest = clip.edging.borders.iter().map(|border| border.width).max().unwrap_or(0);
        if clip.edging.borders.len() > 4 || widest > 256 || clip.edging.radius > LARGEST {
            return Err("a clip's borders are too wide");
        }
        if clip.key.is_some_and(|key| !key.is_sane()) {
            return Err("a clip's key is out of range");
        }
        if let Some(movement) = &clip.movement {
            let is_sane = |side: u32| side.is_multiple_of(2) && side <= LARGEST;
            let ascend = movement.keyframes.windows(2).all(|pair| pair[0].at <= pair[1].at);
            let poses = movement.keyframes.iter().all(|keyframe| keyframe.pose.is_sane());
            let (width, height) = (movement.picture.width(), movement.picture.height());
            if movement.keyframes.len() > MAX_KEYFRAMES || !ascend || !poses || !is_sane(width) || !is_sane(height) {
                return Err("a clip moves in a way that it cannot");
            }
        }
        let size = clip.picture_size();
        let is_inside = |patch: &PlannedPatch| {
            let SourceRect { width, height, .. } = patch.mask.bounds();
            let frames = patch.frames;
            let is_there = !frames.is_empty() && frames.end.0 <= LONGEST && width > 0 && height > 0;
            is_there && patch.mask.fits(size.0, size.1)
        };
        if clip.patches.len() > MAX_PATCHES {
            return Err("too much is taken out of a clip");
        }
        if !clip.patches.iter().all(is_inside) {
            return Err("what is taken out of a clip is not in it");
        }
    }
    Ok(())
}

/// Whether an area's numbers are even, and none is out of proportion.
pub(super) fn is_sane(Area { x, y, width, height }: Area) -> bool {
    let near = |at: i32| at % 2 == 0 && (-FARTHEST..=FARTHEST).contains(&at);
    let long = |side: u32| side.is_multiple_of(2) && (2..=LARGEST).contains(&side);
    near(x) && near(y) && long(width) && long(height)
}

fn is_inside(rect: SourceRect, video: &VideoInfo) -> bool {
    let inside =
        |start: u32, size: u32, whole: u32| size > 0 && start.checked_add(size).is_some_and(|end| end <= whole);
    inside(rect.x, rect.width, video.size.width()) && inside(rect.y, rect.height, video.size.height())
}

/// A clip for people, in lines of their own.
pub(super) fn describe(clip: &PlannedClip, sources: &[PlannedSource], canvas: CanvasSize, out: &mut String) {
    let Some(source) = sources.get(clip.source) else { return };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "       {} ({})", source.asset.id, source.asset.path.display());
    if let Some(video) = &source.info.video {
        let (rect, area) = (clip.rect, clip.area);
        let cut = 1.0 - f64::from(rect.width) * f64::from(rect.height) / video.size.pixels() as f64;
        let part = match cut {
            cut if cut > 0.0 => {
                format!(
                    "the part {}x{} at ({}, {}), {:.0} % cut off,",
                    rect.width,
                    rect.height,
                    rect.x,
                    rect.y,
                    cut * 100.0
                )
            }
            _ => "all of it".to_owned(),
        };
        let place = match area == whole(canvas) {
            true => "the canvas".to_owned(),
            false => format!("{}x{} at ({}, {})", area.width, area.height, area.x, area.y),
        };
        let (across, down) =
            (f64::from(area.width) / f64::from(rect.width), f64::from(area.height) / f64::from(rect.height));
        let scale = match (across / down - 1.0).abs() < 0.01 {
            true => format!("{across:.3}"),
            false => format!("{across:.3} and {down:.3}"),
        };
        let _ = writeln!(
            out,
            "       {} {} {}; {part} covers {place}, scaled by {scale}",
            video.codec,
            video.size,
            match video.kind {
                VideoKind::Still => "still".to_owned(),
                _ => format!("{:.2} fps, {} long", video.mean_rate, video.duration),
            },
        );
    }
    if clip.start > TimeSpan::ZERO || clip.end.is_some() {
        let end = clip.end.map_or("its end".to_owned(), |end| end.to_string());
        let _ = writeln!(out, "       from {} to {end}", clip.start);
    }
    if clip.speed != Speed::NORMAL {
        let _ = writeln!(out, "       at {} times its speed", clip.speed.as_f64());
    }
    if let Some(movement) = &clip.movement {
        let _ = writeln!(out, "       moves: {} keyframes, read at {}", movement.keyframes.len(), movement.picture);
    }
    if let Some(ScreenKey { color: [r, g, b], .. }) = clip.key {
        let _ = writeln!(out, "       without its screen, #{r:02x}{g:02x}{b:02x}");
    }
    if !clip.patches.is_empty() {
        let _ = writeln!(out, "       {} things are taken out of it", clip.patches.len());
    }
    for correction in source.info.all_corrections() {
        let _ = writeln!(out, "       corrected: {correction}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compose::Border;
    use crate::timeline::{Asset, ShotDuration};
    use crate::units::SourceSize;

    /// An opaque clip and one with alpha, both of 300x400.
    fn sources() -> Vec<PlannedSource> {
        let source = |has_alpha: bool| {
            let info = json!({
                "bytes": 1, "hash": "", "container": "mov", "audio": null, "corrections": [], "damage": null,
                "unusableVideo": null,
                "video": {
                    "stream": 0, "codec": "h264", "size": SourceSize::new(300, 400), "kind": "clip", "pictures": 30,
                    "duration": TimeSpan::from_secs(1), "meanRate": 30.0, "color": { "matrix": 1, "fullRange": false, "primaries": 1, "transfer": 1 }, "hasAlpha": has_alpha,
                },
            });
            PlannedSource { asset: asset(), info: serde_json::from_value(info).expect("is one") }
        };
        vec![source(false), source(true)]
    }

    fn asset() -> Asset {
        Asset { id: "a".to_owned(), path: "a.mp4".into(), pointer: String::new() }
    }

    fn layer(x: i32, y: i32, width: u32, height: u32) -> Layer {
        Layer { area: Area { x, y, width, height }, ..Layer::covering(CanvasSize::VERTICAL_HD, asset()) }
    }

    /// The places of the layers, each with its source, that are left of a shot.
    fn seen(layers: &[(usize, Layer)]) -> Vec<Area> {
        let (sources, canvas) = (sources(), CanvasSize::VERTICAL_HD);
        let planned = |(source, layer): &(usize, Layer)| {
            clip(layer, *source, sources[*source].info.video.as_ref().expect("pictures"), TimeSpan::ZERO, &mut |_| {
                Ok(None)
            })
            .expect("has room")
        };
        let clips = layers.iter().map(planned).collect();
        let layers = layers.iter().map(|(_, layer)| layer.clone()).collect();
        let made = Shot {
            name: "s".to_owned(),
            ground: [0; 3],
            layers,
            duration: ShotDuration::Media,
            enter: None,
            pointer: String::new(),
        };
        let made = shot(&made, (FrameRange::new(0, 30), None), clips, &sources, canvas);
        assert_eq!(check(&made, &sources), Ok(()));
        made.clips.iter().map(|clip| clip.area).collect()
    }

    #[test]
    fn what_is_not_seen_is_not_read() {
        let (whole, part) = (layer(0, 0, 1080, 1920), layer(100, 200, 400, 600));
        assert_eq!(seen(&[(0, part.clone()), (0, whole.clone())]), [whole.area], "it is below");
        assert_eq!(seen(&[(0, whole.clone()), (0, part.clone())]), [whole.area, part.area], "it is above");
        assert_eq!(seen(&[(0, part.clone()), (1, whole.clone())]).len(), 2, "what covers it is transparent");
        assert_eq!(seen(&[(0, whole.clone()), (0, layer(1080, 0, 400, 600))]), [whole.area], "it is beside the canvas");
        assert_eq!(seen(&[(0, whole.clone()), (0, layer(1078, 0, 400, 600))]).len(), 2, "two columns of it are seen");
        // What covers most of it leaves its border, its shadow or its corners.
        let border = Edging { borders: vec![Border { width: 4, color: [255; 3] }], ..Edging::default() };
        let bordered = Layer { edging: border, ..part.clone() };
        assert_eq!(seen(&[(0, bordered.clone()), (0, part.clone())]).len(), 2);
        assert_eq!(seen(&[(0, bordered), (0, layer(96, 196, 408, 608))]).len(), 1);
        let round = Layer { edging: Edging { radius: 20, ..Edging::default() }, ..part.clone() };
        assert_eq!(seen(&[(0, part.clone()), (0, round)]).len(), 2);
        // What is below somebody before a screen is seen.
        let keyed = Layer { key: Some(Key { color: Some([0, 255, 0]), ..Key::default() }), ..whole.clone() };
        assert_eq!(seen(&[(0, part.clone()), (0, keyed)]).len(), 2);
        // A contained picture leaves a part of its area, and fills it with a backdrop.
        let contained = Layer { fit: Fit::Contain, ..whole.clone() };
        assert_eq!(seen(&[(0, whole.clone()), (0, contained.clone())]).len(), 2);
        assert_eq!(seen(&[(0, whole), (0, Layer { fit: Fit::Blur, ..contained })]).len(), 1);
    }

    #[test]
    fn a_plan_that_was_read_is_looked_at() {
        let sources = sources();
        let fine = clip(
            &layer(0, 0, 400, 600),
            0,
            sources[0].info.video.as_ref().expect("pictures"),
            TimeSpan::ZERO,
            &mut |_| Ok(None),
        )
        .expect("has room");
        let with = |change: &dyn Fn(&mut PlannedClip)| {
            let mut clip = fine.clone();
            change(&mut clip);
            let clips = vec![clip];
            check(
                &PlannedShot { name: String::new(), frames: FrameRange::new(0, 1), enter: None, ground: [0; 3], clips },
                &sources,
            )
        };
        assert_eq!(with(&|_| ()), Ok(()));
        let patched = |clip: &mut PlannedClip, x: u32, frames: (u64, u64)| {
            let mask = Mask::all_of(SourceRect { x, y: 0, width: 20, height: 20 });
            clip.patches =
                vec![PlannedPatch { frames: FrameRange::new(frames.0, frames.1), mask, removal: Removal::Fill }];
        };
        assert_eq!(with(&|clip| patched(clip, 380, (0, 9))), Ok(()));
        let bad: [&dyn Fn(&mut PlannedClip); 15] = [
            &|clip| patched(clip, 382, (0, 9)),
            &|clip| patched(clip, 0, (9, 9)),
            &|clip| patched(clip, 0, (0, u64::MAX)),
            &|clip| {
                patched(clip, 0, (0, 9));
                clip.patches[0].mask = Mask::default();
            },
            &|clip| clip.key = Some(ScreenKey { tolerance: 2.0, ..ScreenKey::of([0, 255, 0]) }),
            &|clip| clip.key = Some(ScreenKey::of([120; 3])),
            &|clip| clip.source = 2,
            &|clip| clip.rect.width = 301,
            &|clip| clip.rect.x = u32::MAX,
            &|clip| clip.area.x = 1,
            &|clip| clip.area.y = i32::MIN,
            &|clip| clip.area.width = 0,
            &|clip| clip.area.height = 100_000,
            &|clip| clip.edging.borders = vec![Border { width: 1 << 30, color: [0; 3] }],
            &|clip| clip.backdrop = Some(Backdrop { rect: clip.rect, area: Area { x: 0, y: 0, width: 3, height: 2 } }),
        ];
        for (number, change) in bad.iter().enumerate() {
            assert!(with(*change).is_err(), "{number}");
        }
    }
}
