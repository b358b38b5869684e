//! Stage `generating_visuals`: chunks on worker threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{Shared, elapsed};
use super::estimate::{chunk_cost, workers_of};
use super::queue::RunQueue;
use super::scenes::SceneBrush;
use super::shots::{Brush, Painter};
use super::slides::SlidePainter;
use super::{Control, guarded};
use crate::encode::EncodedChunk;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::output::StageTime;
use crate::plan::Plan;
use crate::store::ChunkStore;

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
    /// Frames in which somebody else was put in the place of who is seen.
    #[serde(default)]
    pub performed: u64,
    /// Wall time of the stages so far.
    pub stages: Vec<StageTime>,
}

/// What a worker tells.
enum Event {
    /// A frame is finished.
    Frame,
    /// The chunk of this number is finished, with these damaged pictures and as many with another performer: it was in the
    /// store, or has been rendered.
    Chunk { index: usize, reused: bool, concealed: BTreeSet<(u32, u32)>, performed: u32 },
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
                    Event::Chunk { index, reused, concealed, performed } => {
                        visuals.performed += u64::from(performed);
                        let chunk = &plan.chunks()[index];
                        if reused {
                            frames += chunk.frames.len();
                            visuals.chunks_reused += 1;
                        } else {
                            visuals.chunks_rendered += 1;
                        }
                        for (clip, picture) in concealed {
                            if let Some(clip) = plan.clips_of(chunk).nth(clip as usize) {
                                visuals.concealed.entry(clip.source).or_default().insert(picture);
                            }
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
            let EncodedChunk { concealed, performed, .. } = chunk;
            let _ = events.send(Event::Chunk { index, reused: true, concealed, performed });
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
        let EncodedChunk { concealed, performed, .. } = chunk;
        let _ = events.send(Event::Chunk { index, reused: false, concealed, performed });
    }
    Ok(())
}
