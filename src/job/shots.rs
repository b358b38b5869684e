//! Frames of shots: one clip as it is, or several, laid out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::engine::Shared;
use super::slides::SlidePainter;
use super::texts::TextBrush;
use super::transit::transit;
use super::{Control, no_memory, not_working};
use crate::compose::{Blurred, I420Mut, Inset, Keyer, PlaneRef, blend_over, code_values, fill, fill_black};
use crate::encode::{ChunkEncoder, EncodedChunk};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{Interrupt, VideoFrame, release_free_memory};
use crate::plan::{Plan, PlannedChunk, PlannedClip, PlannedShot};
use crate::source::{Probed, ProbedVideo, Reading, ShotReader};
use crate::units::{CanvasSize, FrameIndex, FrameRange};

/// What all workers share.
pub(super) struct Painter<'a> {
    shared: &'a Shared,
    pub(super) plan: &'a Plan,
    interrupt: Interrupt,
    sources: Vec<Arc<Probed>>,
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
        Ok(Self { shared, plan, interrupt: control.interrupt(), sources, slides })
    }

    fn video(&self, clip: &PlannedClip) -> Result<&ProbedVideo> {
        let missing = || Error::new(ErrorKind::Internal, "a shot has no video source");
        self.sources.get(clip.source).and_then(|probed| probed.video.as_ref()).ok_or_else(missing)
    }

    /// Opens the reader of `clip` in `shot` for the frames from `first` on.
    fn open(&self, shot: &PlannedShot, clip: &PlannedClip, first: FrameIndex) -> Result<ShotReader> {
        let nowhere = || Error::new(ErrorKind::Internal, "a clip stands nowhere");
        let second = match clip.backdrop {
            Some(backdrop) => {
                let (width, height) = Blurred::reduced(backdrop.area);
                Some((backdrop.rect, CanvasSize::new(width, height).ok_or_else(nowhere)?))
            }
            None => None,
        };
        let reading = Reading {
            start: clip.start,
            rate: self.plan.rate(),
            frames: FrameRange::new(first.0 - shot.frames.start.0, shot.frames.len()),
            at_end: clip.at_end,
            rect: clip.rect,
            canvas: CanvasSize::new(clip.area.width, clip.area.height).ok_or_else(nowhere)?,
            second,
        };
        let path = &self.plan.sources()[clip.source].asset.path;
        ShotReader::open(path, self.video(clip)?, reading, &self.shared.limits, &self.interrupt)
            .map_err(|error| self.about(clip, error))
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
    open: Vec<OpenShot>,
    /// A frame of our own to draw on.
    canvas: VideoFrame,
    /// Refers to a picture while it is encoded.
    shown: VideoFrame,
    /// Two shots while one gives way to the other.
    both: Option<[VideoFrame; 2]>,
    texts: TextBrush<'a>,
}

/// A shot whose clips are read.
struct OpenShot {
    /// Its place in the plan.
    number: usize,
    /// The output frame that its readers give next.
    next: FrameIndex,
    clips: Vec<OpenClip>,
}

struct OpenClip {
    reader: ShotReader,
    keyer: Option<Keyer>,
    place: Inset,
    backdrop: Option<Blurred>,
}

impl OpenShot {
    fn is_damaged(&self) -> bool {
        self.clips.iter().any(|clip| clip.reader.is_damaged())
    }
}

impl<'a> Brush<'a> {
    pub(super) fn new(painter: &'a Painter<'a>) -> Result<Self> {
        Ok(Self {
            painter,
            open: Vec::new(),
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
    /// the chunk is rendered again from its own beginning: the key pictures before it.
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
        self.open
            .retain(|open| numbers.contains(&open.number) && open.next == planned.frames.start && !open.is_damaged());
        let continues = !self.open.is_empty();
        self.open(planned)?;
        let chunk = self.paint_from_here(planned, stop, on_frame)?;
        if !continues || !self.open.iter().any(OpenShot::is_damaged) {
            return Ok(chunk);
        }
        self.open.clear();
        self.open(planned)?;
        self.paint_from_here(planned, stop, &mut || ())
    }

    /// Opens the shots of a chunk that are not, for its first frame.
    fn open(&mut self, planned: &PlannedChunk) -> Result<()> {
        let painter = self.painter;
        let canvas = painter.plan.canvas();
        let canvas = (canvas.width(), canvas.height());
        for (number, shot) in painter.plan.shots_of(planned) {
            if self.open.iter().any(|open| open.number == number) {
                continue;
            }
            let open = |clip: &PlannedClip| {
                let reader = painter.open(shot, clip, planned.frames.start)?;
                let video = painter.plan.sources()[clip.source].info.video.as_ref();
                let is_opaque = video.is_some_and(|video| clip.is_opaque(video));
                let size = (clip.area.width as usize, clip.area.height as usize);
                Ok(OpenClip {
                    reader,
                    keyer: clip.key.map(|key| Keyer::new(key, size.0, size.1)),
                    place: Inset::new(clip.area, &clip.edging, canvas, is_opaque),
                    backdrop: clip.backdrop.map(|backdrop| Blurred::new(backdrop.area, canvas)),
                })
            };
            let clips = shot.clips.iter().map(open).collect::<Result<_>>()?;
            self.open.push(OpenShot { number, next: planned.frames.start, clips });
        }
        self.open.sort_by_key(|open| open.number);
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
        let shots: Vec<&PlannedShot> = plan.shots_of(planned).map(|(_, shot)| shot).collect();
        for frame in planned.frames.start.0..planned.frames.end.0 {
            if interrupt.is_set() || stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
            }
            let frame = FrameIndex(frame);
            match shots[..] {
                [shot] => match shot.only_clip(plan.canvas()) {
                    Some(clip) => self.show(shot, clip, frame, &mut encoder)?,
                    None => self.show_all(shot, frame, &mut encoder)?,
                },
                [old, new] => self.show_both(old, new, frame, &mut encoder)?,
                _ => return Err(not_open()),
            }
            for open in &mut self.open {
                open.next = FrameIndex(frame.0 + 1);
            }
            interrupt.pulse().beat();
            on_frame();
        }
        // Of this chunk alone: what is kept of it may not depend on the chunks before.
        let clips = (0u32..).zip(self.open.iter_mut().flat_map(|open| &mut open.clips));
        let concealed: BTreeSet<(u32, u32)> = clips
            .flat_map(|(number, clip)| clip.reader.take_concealed().into_iter().map(move |picture| (number, picture)))
            .collect();
        let chunk = encoder.finish();
        // An encoder takes more than 100 MB. What the allocator keeps of it would add up over chunks and workers.
        release_free_memory();
        Ok(EncodedChunk { concealed, ..chunk? })
    }

    /// Encodes a frame of a shot whose only clip fills the canvas: its own picture, where nothing is drawn on it.
    fn show(
        &mut self,
        shot: &PlannedShot,
        clip: &PlannedClip,
        frame: FrameIndex,
        encoder: &mut ChunkEncoder,
    ) -> Result<()> {
        let open = self.open.first_mut().and_then(|open| open.clips.first_mut()).ok_or_else(not_open)?;
        let source = &self.painter.plan.sources()[clip.source].asset;
        let _working = self.painter.interrupt.pulse().enter(&source.path, None);
        let picture =
            open.reader.frame(frame.0 - shot.frames.start.0).map_err(|error| self.painter.about(clip, error))?;
        if self.texts.is_live(frame) || !picture.is_i420() {
            // The picture may be shown again and may be the decoder's own: texts go on a copy.
            lay_down(picture, &mut self.canvas)?;
            return self.finish(frame, encoder);
        }
        self.shown.share(picture).map_err(no_memory)?;
        encoder.send(&mut self.shown)?;
        // x264 has its own copy by now; a second reference would make the reader copy its picture.
        self.shown.unref();
        Ok(())
    }

    /// Encodes a frame of a shot of several clips.
    fn show_all(&mut self, shot: &PlannedShot, frame: FrameIndex, encoder: &mut ChunkEncoder) -> Result<()> {
        let open = self.open.first_mut().ok_or_else(not_open)?;
        lay_out(self.painter, shot, open, frame, &mut self.canvas)?;
        self.finish(frame, encoder)
    }

    /// Encodes a frame in which `old` gives way to `new`.
    fn show_both(
        &mut self,
        old: &PlannedShot,
        new: &PlannedShot,
        frame: FrameIndex,
        encoder: &mut ChunkEncoder,
    ) -> Result<()> {
        let canvas = self.painter.plan.canvas();
        let (Some(enter), [open_old, open_new]) = (new.enter, &mut self.open[..]) else { return Err(not_open()) };
        let pictures = match &mut self.both {
            Some(pictures) => pictures,
            none => none.insert([blank(canvas)?, blank(canvas)?]),
        };
        let [before, after] = pictures;
        lay_out(self.painter, old, open_old, frame, before)?;
        lay_out(self.painter, new, open_new, frame, after)?;
        transit(enter, frame.0 - new.frames.start.0, before, after, &mut self.canvas)?;
        self.finish(frame, encoder)
    }

    /// Draws the texts on the canvas, and encodes it.
    fn finish(&mut self, frame: FrameIndex, encoder: &mut ChunkEncoder) -> Result<()> {
        if let Some(mut planes) = self.canvas.planes_mut().map_err(no_memory)? {
            self.texts.blend(frame, &mut planes)?;
        }
        encoder.send(&mut self.canvas)
    }
}

/// Draws all of a shot but the texts on `canvas`.
fn lay_out(
    painter: &Painter<'_>,
    shot: &PlannedShot,
    open: &mut OpenShot,
    frame: FrameIndex,
    canvas: &mut VideoFrame,
) -> Result<()> {
    let mut target = canvas.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
    fill(&mut target, code_values(shot.ground));
    for (clip, open) in shot.clips.iter().zip(&mut open.clips) {
        let source = &painter.plan.sources()[clip.source].asset;
        let _working = painter.interrupt.pulse().enter(&source.path, None);
        open.draw(frame.0 - shot.frames.start.0, &mut target).map_err(|error| painter.about(clip, error))?;
    }
    Ok(())
}

fn blank(canvas: CanvasSize) -> Result<VideoFrame> {
    VideoFrame::i420(canvas.width(), canvas.height()).map_err(no_memory)
}

impl OpenClip {
    /// Draws the clip as it is at its shot's frame `frame`.
    fn draw(&mut self, frame: u64, target: &mut I420Mut<'_>) -> Result<()> {
        let Self { reader, keyer, place, backdrop } = self;
        if let Some(backdrop) = backdrop {
            reader.frame(frame)?;
            let (small, time) = reader.second()?;
            backdrop.draw(small.planes().ok_or_else(not_working)?, time, target)?;
        }
        let picture = reader.frame(frame)?;
        let planes = picture.planes().ok_or_else(not_working)?;
        match keyer {
            Some(keyer) => {
                let (left, alpha) = keyer.key(planes).ok_or_else(not_working)?;
                place.draw(target, left, Some(alpha));
            }
            None => place.draw(target, planes, picture.alpha()),
        }
        Ok(())
    }
}

/// Puts a working picture on the canvas: copied, or if it has alpha, over black.
fn lay_down(from: &VideoFrame, to: &mut VideoFrame) -> Result<()> {
    let source = from.planes().ok_or_else(not_working)?;
    let mut target = to.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
    let size = |plane: PlaneRef<'_>| (plane.width(), plane.height());
    if size(source.y) != (target.y.width(), target.y.height()) {
        return Err(not_working());
    }
    match from.alpha() {
        Some(alpha) => {
            fill_black(&mut target);
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
