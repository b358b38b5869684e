//! Stage `generating_visuals`: chunks on worker threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{Shared, elapsed};
use super::estimate::{chunk_cost, workers_of};
use super::queue::RunQueue;
use super::scenes::SceneBrush;
use super::slides::SlidePainter;
use super::texts::TextBrush;
use super::{Control, guarded};
use crate::compose::{PlaneRef, blend_over, fill_black};
use crate::encode::{ChunkEncoder, EncodedChunk};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg::{AvError, Interrupt, VideoFrame, release_free_memory};
use crate::output::StageTime;
use crate::plan::{Plan, PlannedShot};
use crate::source::{Probed, Reading, ShotReader};
use crate::store::ChunkStore;
use crate::units::{FrameIndex, FrameRange};

/// What rendering the chunks of a plan came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Visuals {
    /// Chunks that were rendered.
    pub chunks_rendered: u64,
    /// Chunks that were in the store already.
    pub chunks_reused: u64,
    /// The pictures, by number, of each source, by its place in the plan, that could not be shown as they are coded.
    pub concealed: BTreeMap<usize, BTreeSet<u32>>,
    /// Wall time of the stages so far.
    pub stages: Vec<StageTime>,
}

/// What a worker tells.
enum Event {
    /// A frame is finished.
    Frame,
    /// The chunk of this number is finished, with these damaged pictures: it was in the store, or has been rendered.
    Chunk { index: usize, reused: bool, concealed: BTreeSet<u32> },
}

/// Work that is done once, by the first worker that has no chunk left while others are still busy.
pub(super) type Aside<'a> = &'a (dyn Fn() -> Result<()> + Sync);

pub(super) fn generate(
    shared: &Shared,
    plan: &Plan,
    store: &ChunkStore,
    aside: Aside<'_>,
    control: &Control,
) -> Result<Visuals> {
    let began = Instant::now();
    shared.check_plan(plan)?;
    let mut visuals = Visuals::default();
    if !plan.slides().is_empty() {
        super::slides::generate(shared, plan, store, control, &mut visuals)?;
    }
    if !plan.has_video() {
        visuals.stages.push(elapsed(Stage::GeneratingVisuals, began));
        return Ok(visuals);
    }
    let painter = Painter::new(shared, plan, control)?;
    let workers = workers_of(shared, plan).get().min(plan.chunks().len()).max(1);
    let queue = RunQueue::new(
        // In microseconds.
        plan.chunks().iter().map(|chunk| (chunk_cost(plan, chunk) * 1e3) as u64).collect(),
        workers,
    );
    let stop = AtomicBool::new(false);
    let aside_taken = AtomicBool::new(false);
    let (events, heard) = mpsc::channel();

    let results = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let (painter, queue, stop, aside_taken, events) =
                    (&painter, &queue, &stop, &aside_taken, events.clone());
                scope.spawn(move || {
                    let result = guarded("a worker", || {
                        work(worker, painter, queue, store, stop, &events)?;
                        let first = !stop.load(Ordering::Relaxed) && !aside_taken.swap(true, Ordering::Relaxed);
                        if first { aside() } else { Ok(()) }
                    });
                    if result.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    result
                })
            })
            .collect();
        drop(events);
        let watched = guarded("a progress listener", || watch(&heard, plan, control, &mut visuals));
        if watched.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let joined = handles.into_iter().map(|handle| {
            handle.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a worker thread died")))
        });
        std::iter::once(watched).chain(joined).collect::<Vec<_>>()
    });
    first_cause(results)?;
    // Workers end without an error when they are stopped; only a complete store is a result.
    control.cancel().check()?;
    visuals.stages.push(elapsed(Stage::GeneratingVisuals, began));
    tracing::info!(rendered = visuals.chunks_rendered, reused = visuals.chunks_reused, "visuals are finished");
    Ok(visuals)
}

pub(super) fn render_one(
    shared: &Shared,
    plan: &Plan,
    index: usize,
    store: &ChunkStore,
    control: &Control,
) -> Result<()> {
    if let Some(slide) = index.checked_sub(plan.chunks().len()).and_then(|slide| plan.slides().get(slide)) {
        return SlidePainter::new(shared, plan, control)?.render(slide, store).map(drop);
    }
    let planned = plan.chunks().get(index).ok_or_else(|| {
        let message = format!("the plan has no unit {index}; it has {}", plan.units());
        Error::new(ErrorKind::NotFound, message)
    })?;
    shared.check_plan(plan)?;
    if store.get(&planned.key)?.is_some() {
        return Ok(());
    }
    let painter = Painter::new(shared, plan, control)?;
    let stop = AtomicBool::new(false);
    let chunk = match &painter.slides {
        Some(slides) => SceneBrush::new(slides)?.paint(index, &stop, &mut || ())?,
        None => Brush::new(&painter)?.paint(index, &stop, &mut || ())?,
    };
    store.put(&planned.key, &chunk)
}

/// The error to report: the one that made the others stop.
pub(super) fn first_cause(results: Vec<Result<()>>) -> Result<()> {
    let mut canceled = None;
    for result in results {
        match result {
            Err(error) if error.kind() == ErrorKind::Canceled => canceled = canceled.or(Some(error)),
            other => other?,
        }
    }
    canceled.map_or(Ok(()), Err)
}

/// Listens to the workers until the last one is done, and tells progress.
fn watch(heard: &mpsc::Receiver<Event>, plan: &Plan, control: &Control, visuals: &mut Visuals) -> Result<()> {
    let mut frames = 0;
    control.frames_done(Stage::GeneratingVisuals, 0, plan.frames());
    loop {
        match heard.recv_timeout(Duration::from_millis(100)) {
            Ok(event) => {
                match event {
                    Event::Frame => frames += 1,
                    Event::Chunk { index, reused, concealed } => {
                        let chunk = &plan.chunks()[index];
                        if reused {
                            frames += chunk.frames.len();
                            visuals.chunks_reused += 1;
                        } else {
                            visuals.chunks_rendered += 1;
                        }
                        if let Some(shot) = plan.shots().get(chunk.shot).filter(|_| !concealed.is_empty()) {
                            visuals.concealed.entry(shot.source).or_default().extend(concealed);
                        }
                    }
                }
                control.frames_done(Stage::GeneratingVisuals, frames, plan.frames());
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => control.cancel().check()?,
        }
    }
}

/// What a worker paints with.
enum Hand<'a> {
    Shots(Box<Brush<'a>>),
    Scenes(Box<SceneBrush<'a>>),
}

fn work(
    worker: usize,
    painter: &Painter<'_>,
    queue: &RunQueue,
    store: &ChunkStore,
    stop: &AtomicBool,
    events: &Sender<Event>,
) -> Result<()> {
    let mut brush = match &painter.slides {
        Some(slides) => Hand::Scenes(Box::new(SceneBrush::new(slides)?)),
        None => Hand::Shots(Box::new(Brush::new(painter)?)),
    };
    while let Some(index) = queue.take(worker) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let planned = &painter.plan.chunks()[index];
        // The listener is gone only when the job has ended; then nobody needs to hear.
        if let Some(chunk) = store.get(&planned.key)? {
            let _ = events.send(Event::Chunk { index, reused: true, concealed: chunk.concealed });
            continue;
        }
        let mut on_frame = || {
            let _ = events.send(Event::Frame);
        };
        let chunk = match &mut brush {
            Hand::Shots(brush) => brush.paint(index, stop, &mut on_frame)?,
            Hand::Scenes(brush) => brush.paint(index, stop, &mut on_frame)?,
        };
        store.put(&planned.key, &chunk)?;
        let _ = events.send(Event::Chunk { index, reused: false, concealed: chunk.concealed });
    }
    Ok(())
}

/// What all workers share.
struct Painter<'a> {
    shared: &'a Shared,
    plan: &'a Plan,
    interrupt: Interrupt,
    sources: Vec<Arc<Probed>>,
    /// For a video of slides.
    slides: Option<SlidePainter<'a>>,
}

impl<'a> Painter<'a> {
    fn new(shared: &'a Shared, plan: &'a Plan, control: &'a Control) -> Result<Self> {
        let sources = shared.probe_sources(plan, control)?;
        let slides = match plan.scenes() {
            [] => None,
            _ => Some(SlidePainter::new(shared, plan, control)?),
        };
        Ok(Self { shared, plan, interrupt: control.interrupt(), sources, slides })
    }

    /// Opens the reader of `shot` for the frames from `first` on.
    fn open(&self, shot: &PlannedShot, first: FrameIndex) -> Result<ShotReader> {
        let missing = || Error::new(ErrorKind::Internal, "a shot has no video source");
        let video = self.sources.get(shot.source).and_then(|probed| probed.video.as_ref()).ok_or_else(missing)?;
        let reading = Reading {
            start: shot.start,
            rate: self.plan.rate(),
            frames: FrameRange::new(first.0 - shot.frames.start.0, shot.frames.len()),
            at_end: shot.at_end,
            rect: shot.rect,
            canvas: self.plan.canvas(),
        };
        let path = &self.plan.sources()[shot.source].asset.path;
        ShotReader::open(path, video, reading, &self.shared.limits, &self.interrupt)
    }
}

/// One worker's tools, kept from chunk to chunk.
struct Brush<'a> {
    painter: &'a Painter<'a>,
    /// The open shot, and the output frame that it gives next.
    reader: Option<(usize, ShotReader, FrameIndex)>,
    /// A frame of our own to draw on.
    canvas: VideoFrame,
    /// Refers to a picture while it is encoded.
    shown: VideoFrame,
    texts: TextBrush<'a>,
}

impl<'a> Brush<'a> {
    fn new(painter: &'a Painter<'a>) -> Result<Self> {
        let canvas = painter.plan.canvas();
        Ok(Self {
            painter,
            reader: None,
            canvas: VideoFrame::i420(canvas.width(), canvas.height()).map_err(no_memory)?,
            shown: VideoFrame::empty().map_err(no_memory)?,
            texts: TextBrush::new(painter.shared, painter.plan),
        })
    }

    /// Renders chunk `index`; `on_frame` is called after each of its
    /// frames.
    ///
    /// A chunk is a pure function: its pictures may not depend on where decoding began. They do not as long as no
    /// picture since the beginning was damaged. If one was, what is concealed depends on what was decoded before, and
    /// the chunk is rendered again from its own beginning: the key picture before it.
    fn paint(&mut self, index: usize, stop: &AtomicBool, on_frame: &mut dyn FnMut()) -> Result<EncodedChunk> {
        let planned = &self.painter.plan.chunks()[index];
        let continues = matches!(&self.reader, Some((shot, reader, next))
            if *shot == planned.shot && *next == planned.frames.start && !reader.is_damaged());
        if continues {
            let chunk = self.paint_from_here(index, stop, on_frame)?;
            if self.reader.as_ref().is_some_and(|(_, reader, _)| !reader.is_damaged()) {
                return Ok(chunk);
            }
            self.open(index)?;
            return self.paint_from_here(index, stop, &mut || ());
        }
        self.open(index)?;
        self.paint_from_here(index, stop, on_frame)
    }

    /// Opens the shot of chunk `index` for its first frame.
    fn open(&mut self, index: usize) -> Result<()> {
        let plan = self.painter.plan;
        let planned = &plan.chunks()[index];
        let shot = &plan.shots()[planned.shot];
        let source = &plan.sources()[shot.source].asset;
        // The old decoder goes before the new one comes: they are what takes memory.
        self.reader = None;
        let reader = self
            .painter
            .open(shot, planned.frames.start)
            .map_err(|error| error.for_asset(format!("{} ({})", source.id, source.path.display())))?;
        self.reader = Some((planned.shot, reader, planned.frames.start));
        Ok(())
    }

    /// Renders chunk `index` with the reader that is open for its first frame.
    fn paint_from_here(&mut self, index: usize, stop: &AtomicBool, on_frame: &mut dyn FnMut()) -> Result<EncodedChunk> {
        let Painter { plan, interrupt, .. } = self.painter;
        let planned = &plan.chunks()[index];
        let shot = &plan.shots()[planned.shot];
        let source = &plan.sources()[shot.source].asset;
        let about = |error: Error| error.for_asset(format!("{} ({})", source.id, source.path.display()));
        let _working = interrupt.pulse().enter(&source.path, None);
        let mut encoder = ChunkEncoder::new(plan.video_settings(), plan.canvas(), plan.rate(), interrupt.clone())?;
        let Some((_, reader, next)) = &mut self.reader else {
            return Err(Error::new(ErrorKind::Internal, "the reader of a shot is missing"));
        };
        for frame in planned.frames.start.0..planned.frames.end.0 {
            if interrupt.is_set() || stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
            }
            let picture = reader.frame(frame - shot.frames.start.0).map_err(about)?;
            if self.texts.is_live(FrameIndex(frame)) || !picture.is_i420() {
                // The picture may be shown again and may be the decoder's own: texts go on a copy.
                lay_down(picture, &mut self.canvas)?;
                if let Some(mut planes) = self.canvas.planes_mut().map_err(no_memory)? {
                    self.texts.blend(FrameIndex(frame), &mut planes)?;
                }
                encoder.send(&mut self.canvas)?;
            } else {
                self.shown.share(picture).map_err(no_memory)?;
                encoder.send(&mut self.shown)?;
                // x264 has its own copy by now; a second reference would make the reader copy its picture.
                self.shown.unref();
            }
            *next = FrameIndex(frame + 1);
            interrupt.pulse().beat();
            on_frame();
        }
        // Of this chunk alone: what is kept of it may not depend on the chunks before.
        let concealed = reader.take_concealed();
        let chunk = encoder.finish();
        // An encoder takes more than 100 MB. What the allocator keeps of it would add up over chunks and workers.
        release_free_memory();
        Ok(EncodedChunk { concealed, ..chunk? })
    }
}

/// Puts a working picture on the canvas: copied, or if it has alpha, over black.
fn lay_down(from: &VideoFrame, to: &mut VideoFrame) -> Result<()> {
    let wrong = || Error::new(ErrorKind::Internal, "a picture is not in the working format");
    let source = from.planes().ok_or_else(wrong)?;
    let mut target = to.planes_mut().map_err(no_memory)?.ok_or_else(wrong)?;
    let size = |plane: PlaneRef<'_>| (plane.width(), plane.height());
    if size(source.y) != (target.y.width(), target.y.height()) {
        return Err(wrong());
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

fn no_memory(error: AvError) -> Error {
    Error::new(ErrorKind::LimitExceeded, "a picture cannot be allocated")
        .caused_by(error)
        .suggest("give the job more memory or fewer threads")
}
