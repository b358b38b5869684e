//! Frames of shots: one clip as it is, or several, laid out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::engine::Shared;
use super::estimate::looping;
use super::mender::{Mender, SharedPictures};
use super::performing::{Performing, Transforms, first_shown, transform_of};
use super::slides::SlidePainter;
use super::texts::TextBrush;
use super::transit::transit;
use super::{Control, no_memory, not_working};
use crate::compose::{
    Blurred, I420Mut, Inset, Keyer, Keyframe, Moved, PlaneRef, blend_over, code_values, draw_bar, fill, pose_at,
};
use crate::encode::{ChunkEncoder, EncodedChunk};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame, release_free_memory};
use crate::plan::{Plan, PlannedChunk, PlannedClip, PlannedOverlaid, PlannedOverlay, PlannedShot};
use crate::source::{Probed, ProbedVideo, Reading, Reel, ShotReader};
use crate::timeline::ProgressBar;
use crate::units::{CanvasSize, FrameIndex, FrameRange, FrameRate};

/// What all workers share.
pub(super) struct Painter<'a> {
    shared: &'a Shared,
    pub(super) plan: &'a Plan,
    interrupt: Interrupt,
    sources: Vec<Arc<Probed>>,
    /// Of each clip out of which things are taken, what was read for that.
    others: Vec<(&'a PlannedClip, SharedPictures)>,
    /// Of each clip that loops and is small, its pictures.
    reels: Vec<(&'a PlannedClip, Arc<Reel>)>,
    /// What puts somebody else into clips.
    transforms: Transforms,
    /// For a video of slides.
    pub(super) slides: Option<SlidePainter<'a>>,
}

impl<'a> Painter<'a> {
    pub(super) fn new(shared: &'a Shared, plan: &'a Plan, control: &'a Control) -> Result<Self> {
        let sources = shared.probe_sources(plan, control)?;
        let slides = match plan.scenes() {
            [] => None,
            _ => Some(SlidePainter::new(shared, plan, control)?),
        };
        let over = plan.overlays().iter().filter_map(PlannedOverlay::clip);
        let clips = plan.shots().iter().flat_map(|shot| &shot.clips).chain(over);
        let patched = clips.filter(|clip| !clip.patches.is_empty());
        let others = patched.map(|clip| (clip, SharedPictures::default())).collect();
        let reels =
            looping(shared, plan).into_iter().map(|(clip, pictures)| (clip, Arc::new(Reel::new(pictures)))).collect();
        let transforms = shared.transforms(plan)?;
        Ok(Self { shared, plan, interrupt: control.interrupt(), sources, others, reels, transforms, slides })
    }

    fn video(&self, clip: &PlannedClip) -> Result<&ProbedVideo> {
        let missing = || Error::new(ErrorKind::Internal, "a shot has no video source");
        self.sources.get(clip.source).and_then(|probed| probed.video.as_ref()).ok_or_else(missing)
    }

    /// Opens `clip`, which is on for `frames`, for those from `first` on.
    ///
    /// `alone`: with nothing that other workers have read of it.
    fn open(&self, frames: FrameRange, clip: &'a PlannedClip, first: FrameIndex, alone: bool) -> Result<OpenClip<'_>> {
        let nowhere = || Error::new(ErrorKind::Internal, "a clip stands nowhere");
        let second = match clip.backdrop {
            Some(backdrop) => {
                let (width, height) = Blurred::reduced(backdrop.area);
                Some((backdrop.rect, CanvasSize::new(width, height).ok_or_else(nowhere)?))
            }
            None => None,
        };
        let size = match &clip.movement {
            Some(movement) => movement.picture,
            None => CanvasSize::new(clip.area.width, clip.area.height).ok_or_else(nowhere)?,
        };
        let first = first.0 - frames.start.0;
        let performing = match &clip.performer {
            Some(performer) => Some(Performing::new(transform_of(&self.transforms, performer)?, performer, first)?),
            None => None,
        };
        let shown = clip.performer.as_ref().map_or(first, |performer| first_shown(performer, first));
        let reading = Reading {
            start: clip.start,
            end: clip.end,
            rate: clip.speed.rate(self.plan.rate()),
            frames: FrameRange::new(shown, frames.len()),
            at_end: clip.at_end,
            rect: clip.rect,
            canvas: size,
            second,
        };
        let path = &self.plan.sources()[clip.source].asset.path;
        let reel = self.reels.iter().find(|(known, _)| !alone && std::ptr::eq(*known, clip));
        let reel = reel.map(|(_, reel)| Arc::clone(reel));
        let reader =
            ShotReader::open_with(path, self.video(clip)?, reading, reel, &self.shared.limits, &self.interrupt)
                .map_err(|error| self.about(clip, error))?;
        let canvas = (self.plan.canvas().width(), self.plan.canvas().height());
        let video = self.plan.sources()[clip.source].info.video.as_ref();
        let is_opaque = video.is_some_and(|video| clip.is_opaque(video));
        let place = match &clip.movement {
            Some(movement) => Place::Moving(Moved::new(clip.area, &clip.edging), movement.keyframes.clone()),
            None => Place::Still(Inset::new(clip.area, &clip.edging, canvas, is_opaque)),
        };
        let mender = match clip.patches.is_empty() {
            true => None,
            false => {
                let reading = Reading { frames: FrameRange::new(0, frames.len()), second: None, ..reading };
                let clip_file = (path.as_path(), self.video(clip)?);
                let others = self
                    .others
                    .iter()
                    .find(|(known, _)| !alone && std::ptr::eq(*known, clip))
                    .map(|(_, others)| others);
                Some(Mender::new(&clip.patches, clip_file, reading, &self.shared.limits, &self.interrupt, others)?)
            }
        };
        Ok(OpenClip {
            reader,
            mender,
            performing,
            interrupt: &self.interrupt,
            rate: self.plan.rate(),
            keyer: clip.key.map(|key| Keyer::new(key, size.width() as usize, size.height() as usize)),
            place,
            backdrop: clip.backdrop.map(|backdrop| Blurred::new(backdrop.area, canvas)),
        })
    }

    /// Draws `clip` as it is at its frame `frame`.
    fn draw(&self, clip: &PlannedClip, open: &mut OpenClip<'_>, frame: u64, target: &mut I420Mut<'_>) -> Result<()> {
        let source = &self.plan.sources()[clip.source].asset;
        let _working = self.interrupt.pulse().enter(&source.path, None);
        open.draw(frame, target).map_err(|error| self.about(clip, error))
    }

    /// `error` with the source that it is about.
    fn about(&self, clip: &PlannedClip, error: Error) -> Error {
        let source = &self.plan.sources()[clip.source].asset;
        error.for_asset(format!("{} ({})", source.id, source.path.display()))
    }
}

/// One worker's tools, kept from chunk to chunk.
pub(super) struct Brush<'a> {
    painter: &'a Painter<'a>,
    /// The shots that are open: those of the last chunk.
    open: Vec<OpenShot<'a>>,
    /// What lies over them.
    over: Vec<OpenOverlay<'a>>,
    /// A frame of our own to draw on.
    canvas: VideoFrame,
    /// Refers to a picture while it is encoded.
    shown: VideoFrame,
    /// Two shots while one gives way to the other.
    both: Option<[VideoFrame; 2]>,
    texts: TextBrush<'a>,
}

/// A shot whose clips are read.
struct OpenShot<'a> {
    /// Its place in the plan.
    number: usize,
    /// The output frame that its readers give next.
    next: FrameIndex,
    clips: Vec<OpenClip<'a>>,
}

/// A clip that lies over the shots, while it is read.
struct OpenOverlay<'a> {
    number: usize,
    next: FrameIndex,
    clip: OpenClip<'a>,
}

struct OpenClip<'a> {
    reader: ShotReader,
    /// Takes things out of its pictures.
    mender: Option<Mender<'a>>,
    /// Puts somebody else into them.
    performing: Option<Performing>,
    interrupt: &'a Interrupt,
    rate: FrameRate,
    keyer: Option<Keyer>,
    place: Place,
    backdrop: Option<Blurred>,
}

/// Where a clip is drawn.
enum Place {
    Still(Inset),
    Moving(Moved, Vec<Keyframe>),
}

impl OpenShot<'_> {
    fn is_damaged(&self) -> bool {
        self.clips.iter().any(OpenClip::is_damaged)
    }

    /// Whether it can go on with the next chunk: what a performer's model knows of depends on the chunk alone.
    fn goes_on(&self) -> bool {
        self.clips.iter().all(|clip| clip.performing.is_none())
    }
}

impl<'a> Brush<'a> {
    pub(super) fn new(painter: &'a Painter<'a>) -> Result<Self> {
        Ok(Self {
            painter,
            open: Vec::new(),
            over: Vec::new(),
            canvas: blank(painter.plan.canvas())?,
            shown: VideoFrame::empty().map_err(no_memory)?,
            both: None,
            texts: TextBrush::new(painter.shared, painter.plan),
        })
    }

    /// Renders chunk `index`; `on_frame` is called after each of its frames.
    ///
    /// A chunk is a pure function: its pictures may not depend on where decoding began. They do not as long as no
    /// picture since the beginning was damaged. If one was, what is concealed depends on what was decoded before, and
    /// the chunk is rendered again from its own beginning: the key pictures before it, and with nothing that others have read.
    pub(super) fn paint(
        &mut self,
        index: usize,
        stop: &AtomicBool,
        on_frame: &mut dyn FnMut(),
    ) -> Result<EncodedChunk> {
        let planned = &self.painter.plan.chunks()[index];
        // Decoders that go go before new ones come: they are what takes memory.
        let plan = self.painter.plan;
        let numbers: Vec<usize> = plan.shots_of(planned).map(|(number, _)| number).collect();
        self.open.retain(|open| {
            numbers.contains(&open.number) && open.next == planned.frames.start && open.goes_on() && !open.is_damaged()
        });
        self.over.retain(|open| {
            open.next == planned.frames.start
                && plan.overlays_of(planned).any(|(number, _)| number == open.number)
                && open.clip.performing.is_none()
                && !open.clip.is_damaged()
        });
        let continues = !self.open.is_empty() || !self.over.is_empty();
        self.open(planned, false)?;
        let chunk = self.paint_from_here(planned, stop, on_frame)?;
        let is_damaged =
            self.open.iter().any(OpenShot::is_damaged) || self.over.iter().any(|open| open.clip.is_damaged());
        let clips = self.open.iter().flat_map(|open| &open.clips).chain(self.over.iter().map(|open| &open.clip));
        let has_shared = clips.into_iter().any(OpenClip::has_shared);
        if !is_damaged || !(continues || has_shared) {
            return Ok(chunk);
        }
        self.open.clear();
        self.over.clear();
        self.open(planned, true)?;
        self.paint_from_here(planned, stop, &mut || ())
    }

    /// Opens the shots of a chunk that are not, for its first frame.
    fn open(&mut self, planned: &PlannedChunk, alone: bool) -> Result<()> {
        let painter = self.painter;
        for (number, shot) in painter.plan.shots_of(planned) {
            if self.open.iter().any(|open| open.number == number) {
                continue;
            }
            let open = |clip| painter.open(shot.frames, clip, planned.frames.start, alone);
            let clips = shot.clips.iter().map(open).collect::<Result<_>>()?;
            self.open.push(OpenShot { number, next: planned.frames.start, clips });
        }
        self.open.sort_by_key(|open| open.number);
        for (number, overlay) in painter.plan.overlays_of(planned) {
            let Some(clip) = overlay.clip() else { continue };
            if self.over.iter().any(|open| open.number == number) {
                continue;
            }
            let next = overlay.frames.start.max(planned.frames.start);
            self.over.push(OpenOverlay { number, next, clip: painter.open(overlay.frames, clip, next, alone)? });
        }
        self.over.sort_by_key(|open| open.number);
        Ok(())
    }

    /// Renders a chunk with the readers that are open for its first frame.
    fn paint_from_here(
        &mut self,
        planned: &PlannedChunk,
        stop: &AtomicBool,
        on_frame: &mut dyn FnMut(),
    ) -> Result<EncodedChunk> {
        let Painter { plan, interrupt, .. } = self.painter;
        let mut encoder = ChunkEncoder::new(plan.video_settings(), plan.canvas(), plan.rate(), interrupt.clone())?;
        let shots: Vec<(usize, &PlannedShot)> = plan.shots_of(planned).collect();
        for frame in planned.frames.start.0..planned.frames.end.0 {
            if interrupt.is_set() || stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
            }
            let frame = FrameIndex(frame);
            match shots[..] {
                [(number, shot)] => {
                    let is_drawn = match shot.only_clip(plan.canvas()) {
                        Some(clip) => self.show(shot, clip, frame, &mut encoder)?,
                        None => {
                            let open = self.open.first_mut().ok_or_else(not_open)?;
                            lay_out(self.painter, shot, open, frame, &mut self.canvas)?;
                            true
                        }
                    };
                    if is_drawn {
                        let mut target = self.canvas.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
                        self.texts.blend(frame, Some(number), &mut target)?;
                        self.finish(frame, &mut encoder)?;
                    }
                }
                [old, new] => {
                    self.show_both(old, new, frame)?;
                    self.finish(frame, &mut encoder)?;
                }
                _ => return Err(not_open()),
            }
            let next = FrameIndex(frame.0 + 1);
            self.open.iter_mut().for_each(|open| open.next = next);
            self.over.iter_mut().for_each(|open| open.next = open.next.max(next));
            interrupt.pulse().beat();
            on_frame();
        }
        // Of this chunk alone: what is kept of it may not depend on the chunks before.
        let over = self.over.iter_mut().map(|open| &mut open.clip);
        let clips = (0u32..).zip(self.open.iter_mut().flat_map(|open| &mut open.clips).chain(over));
        let concealed: BTreeSet<(u32, u32)> = clips
            .flat_map(|(number, clip)| clip.reader.take_concealed().into_iter().map(move |picture| (number, picture)))
            .collect();
        let clips = self.open.iter().flat_map(|open| &open.clips).chain(self.over.iter().map(|open| &open.clip));
        let performed = clips.filter_map(|clip| clip.performing.as_ref()).map(Performing::changed).max().unwrap_or(0);
        let chunk = encoder.finish();
        // An encoder takes more than 100 MB. What the allocator keeps of it would add up over chunks and workers.
        release_free_memory();
        Ok(EncodedChunk { concealed, performed, ..chunk? })
    }

    /// Shows a frame of a shot whose only clip fills the canvas. Where nothing is drawn on it, its own picture is encoded; else
    /// it is put on the canvas, and `true` is given.
    fn show(
        &mut self,
        shot: &PlannedShot,
        clip: &PlannedClip,
        frame: FrameIndex,
        encoder: &mut ChunkEncoder,
    ) -> Result<bool> {
        let open = self.open.first_mut().and_then(|open| open.clips.first_mut()).ok_or_else(not_open)?;
        let source = &self.painter.plan.sources()[clip.source].asset;
        let _working = self.painter.interrupt.pulse().enter(&source.path, None);
        let picture = open.picture(frame.0 - shot.frames.start.0).map_err(|error| self.painter.about(clip, error))?;
        let is_covered = self.painter.plan.overlays().iter().any(|overlay| overlay.frames.contains(frame));
        if is_covered || self.texts.is_live(frame) || !picture.is_i420() {
            // The picture may be shown again and may be the decoder's own: what lies over it goes on a copy.
            lay_down(picture, shot.ground, &mut self.canvas)?;
            return Ok(true);
        }
        self.shown.share(picture).map_err(no_memory)?;
        encoder.send(&mut self.shown)?;
        // x264 has its own copy by now; a second reference would make the reader copy its picture.
        self.shown.unref();
        Ok(false)
    }

    /// Draws a frame in which `old` gives way to `new`.
    fn show_both(&mut self, old: (usize, &PlannedShot), new: (usize, &PlannedShot), frame: FrameIndex) -> Result<()> {
        let canvas = self.painter.plan.canvas();
        let enter = new.1.enter.ok_or_else(not_open)?;
        let pictures = match &mut self.both {
            Some(pictures) => pictures,
            none => none.insert([blank(canvas)?, blank(canvas)?]),
        };
        for (((number, shot), open), picture) in [old, new].into_iter().zip(&mut self.open).zip(pictures.iter_mut()) {
            lay_out(self.painter, shot, open, frame, picture)?;
            let mut target = picture.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
            self.texts.blend(frame, Some(number), &mut target)?;
        }
        let [before, after] = pictures;
        transit(enter, frame.0 - new.1.frames.start.0, before, after, &mut self.canvas)
    }

    /// Draws what lies over the shots on the canvas, and encodes it.
    fn finish(&mut self, frame: FrameIndex, encoder: &mut ChunkEncoder) -> Result<()> {
        let painter = self.painter;
        let mut target = self.canvas.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
        let overlays = painter.plan.overlays().iter().enumerate();
        for (number, overlay) in overlays.filter(|(_, overlay)| overlay.frames.contains(frame)) {
            match &overlay.what {
                PlannedOverlaid::Bar(ProgressBar { area, color, ground }) => {
                    draw_bar(&mut target, *area, overlay.filled(frame), *color, *ground);
                }
                PlannedOverlaid::Clip(clip) => {
                    let open = self.over.iter_mut().find(|open| open.number == number).ok_or_else(not_open)?;
                    painter.draw(clip, &mut open.clip, frame.0 - overlay.frames.start.0, &mut target)?;
                }
            }
        }
        self.texts.blend(frame, None, &mut target)?;
        encoder.send(&mut self.canvas)
    }
}

/// Draws all of a shot but the texts on `canvas`.
fn lay_out(
    painter: &Painter<'_>,
    shot: &PlannedShot,
    open: &mut OpenShot<'_>,
    frame: FrameIndex,
    canvas: &mut VideoFrame,
) -> Result<()> {
    let mut target = canvas.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
    if !shot.is_covered(painter.plan.canvas(), painter.plan.sources()) {
        fill(&mut target, code_values(shot.ground));
    }
    for (clip, open) in shot.clips.iter().zip(&mut open.clips) {
        painter.draw(clip, open, frame.0 - shot.frames.start.0, &mut target)?;
    }
    Ok(())
}

fn blank(canvas: CanvasSize) -> Result<VideoFrame> {
    VideoFrame::i420(canvas.width(), canvas.height()).map_err(no_memory)
}

impl OpenClip<'_> {
    /// The clip's picture at its shot's frame `frame`.
    fn picture(&mut self, frame: u64) -> Result<&VideoFrame> {
        let Self { reader, mender, performing, interrupt, .. } = self;
        own_picture((reader, mender, performing), frame, interrupt)
    }

    /// Whether anything that was read of it had faults.
    fn is_damaged(&self) -> bool {
        self.reader.is_damaged() || self.mender.as_ref().is_some_and(Mender::is_damaged)
    }

    /// Whether any of it was not read by its own readers since they were opened.
    fn has_shared(&self) -> bool {
        self.reader.has_shared() || self.mender.as_ref().is_some_and(Mender::has_shared)
    }

    /// Draws the clip as it is at its shot's frame `frame`.
    fn draw(&mut self, frame: u64, target: &mut I420Mut<'_>) -> Result<()> {
        let Self { reader, mender, performing, interrupt, rate, keyer, place, backdrop } = self;
        if performing.is_some() {
            // It is shown those before, too, which the reader is not to have left behind.
            own_picture((reader, mender, performing), frame, interrupt)?;
        }
        if let Some(backdrop) = backdrop {
            reader.frame(frame)?;
            let (small, time) = reader.second()?;
            backdrop.draw(small.planes().ok_or_else(not_working)?, time, target)?;
        }
        let picture = own_picture((reader, mender, performing), frame, interrupt)?;
        let planes = picture.planes().ok_or_else(not_working)?;
        let (planes, alpha) = match keyer {
            Some(keyer) => {
                let (left, alpha) = keyer.key(planes).ok_or_else(not_working)?;
                (left, Some(alpha))
            }
            None => (planes, picture.alpha()),
        };
        match place {
            Place::Still(place) => place.draw(target, planes, alpha),
            Place::Moving(place, keyframes) => {
                let pose = pose_at(keyframes, rate.time_of(FrameIndex(frame)).as_secs_f64());
                place.draw(target, planes, alpha, pose);
            }
        }
        Ok(())
    }
}

/// A clip's picture at its shot's frame `frame`, with what is taken out of it and who is put into it.
fn own_picture<'p>(
    (reader, mender, performing): (&'p mut ShotReader, &'p mut Option<Mender<'_>>, &'p mut Option<Performing>),
    frame: u64,
    interrupt: &Interrupt,
) -> Result<&'p VideoFrame> {
    let Some(performing) = performing else { return mended(reader, mender, frame) };
    while let Some(wanted) = performing.wants(frame) {
        interrupt.pulse().beat();
        if interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
        }
        performing.show(mended(reader, mender, wanted)?)?;
    }
    Ok(performing.picture())
}

/// A clip's picture at its shot's frame `frame`, with what is taken out of it.
fn mended<'p>(reader: &'p mut ShotReader, mender: &'p mut Option<Mender<'_>>, frame: u64) -> Result<&'p VideoFrame> {
    let picture = reader.frame(frame)?;
    match mender {
        Some(mender) if mender.is_live(frame) => mender.mend(picture, frame),
        _ => Ok(picture),
    }
}

/// Puts a working picture on the canvas: copied, or if it has alpha, over the colour `ground`.
fn lay_down(from: &VideoFrame, ground: [u8; 3], to: &mut VideoFrame) -> Result<()> {
    let source = from.planes().ok_or_else(not_working)?;
    let mut target = to.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
    let size = |plane: PlaneRef<'_>| (plane.width(), plane.height());
    if size(source.y) != (target.y.width(), target.y.height()) {
        return Err(not_working());
    }
    match from.alpha() {
        Some(alpha) => {
            fill(&mut target, code_values(ground));
            blend_over(&mut target, source, alpha);
        }
        None => {
            for (from, to) in [(source.y, &mut target.y), (source.u, &mut target.u), (source.v, &mut target.v)] {
                for (y, row) in from.rows().enumerate() {
                    to.row_mut(y).copy_from_slice(row);
                }
            }
        }
    }
    Ok(())
}

fn not_open() -> Error {
    Error::new(ErrorKind::Internal, "the reader of a shot is missing")
}
