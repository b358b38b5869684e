//! Frames of a video of slides.

use std::sync::atomic::{AtomicBool, Ordering};

use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix, rgb_to_yuv420};

use super::slides::{Art, SlidePainter};
use super::transit::transit;
use super::{no_memory, not_working};
use crate::compose::{I420Mut, Scenery, Sprite, View};
use crate::encode::{ChunkEncoder, EncodedChunk};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::{VideoFrame, release_free_memory};
use crate::plan::PlannedScene;
use crate::units::{CanvasSize, FrameIndex};

/// Renders chunks of scenes. A scene is painted when the first chunk needs it, and kept for the next.
pub(super) struct SceneBrush<'a> {
    painter: &'a SlidePainter<'a>,
    /// The scenes that are on: at most two.
    painted: Vec<(usize, Painted)>,
    old: VideoFrame,
    new: VideoFrame,
    canvas: VideoFrame,
}

/// A scene, ready to be shown.
enum Painted {
    Still(VideoFrame),
    Moving { scenery: Box<Scenery>, over: Option<Sprite> },
}

impl<'a> SceneBrush<'a> {
    pub(super) fn new(painter: &'a SlidePainter<'a>) -> Result<Self> {
        let canvas = painter.plan().canvas();
        let frame = || VideoFrame::i420(canvas.width(), canvas.height()).map_err(no_memory);
        Ok(Self { painter, painted: Vec::new(), old: frame()?, new: frame()?, canvas: frame()? })
    }

    /// Renders chunk `index`; `on_frame` is called after each of its frames.
    pub(super) fn paint(
        &mut self,
        index: usize,
        stop: &AtomicBool,
        on_frame: &mut dyn FnMut(),
    ) -> Result<EncodedChunk> {
        let plan = self.painter.plan();
        let interrupt = self.painter.interrupt().clone();
        let planned = &plan.chunks()[index];
        let number = planned.shot;
        let next = plan.scenes().get(number + 1).filter(|next| next.frames.start <= planned.frames.start);
        self.painted.retain(|(known, _)| *known == number || *known == number + 1);
        self.prepare(number)?;
        if next.is_some() {
            self.prepare(number + 1)?;
        }
        let mut encoder = ChunkEncoder::new(plan.video_settings(), plan.canvas(), plan.rate(), interrupt.clone())?;
        for frame in planned.frames.start.0..planned.frames.end.0 {
            if interrupt.is_set() || stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
            }
            let frame = FrameIndex(frame);
            self.show(number, frame, false)?;
            match next.and_then(|next| Some((next, next.enter?))) {
                Some((next, enter)) => {
                    self.show(number + 1, frame, true)?;
                    let passed = frame.0 - next.frames.start.0;
                    transit(enter, passed, &mut self.old, &self.new, &mut self.canvas)?;
                    encoder.send(&mut self.canvas)?;
                }
                None => encoder.send(&mut self.old)?,
            }
            interrupt.pulse().beat();
            on_frame();
        }
        let chunk = encoder.finish();
        release_free_memory();
        chunk
    }

    /// Paints scene `number` if it is not there.
    fn prepare(&mut self, number: usize) -> Result<()> {
        if self.painted.iter().any(|(known, _)| *known == number) {
            return Ok(());
        }
        let plan = self.painter.plan();
        let broken = || Error::new(ErrorKind::Internal, "a chunk has no scene");
        let scene = plan.scenes().get(number).ok_or_else(broken)?;
        let slide = plan.slides().get(scene.slide).ok_or_else(broken)?;
        let canvas = plan.canvas();
        let painted = match self.painter.art(slide, scene.motion.map(|motion| motion.largest_zoom()))? {
            Art::Page(page) => {
                let planes = i420_of(page.bytes(), canvas)?;
                let mut frame = VideoFrame::i420(canvas.width(), canvas.height()).map_err(no_memory)?;
                let mut target = frame.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
                fill(&planes, canvas, &mut target);
                Painted::Still(frame)
            }
            Art::Camera { ground, size, over } => {
                let planes = i420_of(&ground, size)?;
                let canvas = (canvas.width(), canvas.height());
                let scenery = Scenery::new(planes, (size.width(), size.height()), canvas);
                let over = match over {
                    Some(rgba) => {
                        Some(Sprite::from_premultiplied_rgba(0, 0, canvas.0, canvas.1, &rgba).ok_or_else(not_working)?)
                    }
                    None => None,
                };
                Painted::Moving { scenery: Box::new(scenery), over }
            }
        };
        self.painted.push((number, painted));
        Ok(())
    }

    /// Draws scene `number` as it is at `frame`, on the old or the new picture.
    fn show(&mut self, number: usize, frame: FrameIndex, as_new: bool) -> Result<()> {
        let broken = || Error::new(ErrorKind::Internal, "a scene is not painted");
        let scene = self.painter.plan().scenes().get(number).ok_or_else(broken)?;
        let target = if as_new { &mut self.new } else { &mut self.old };
        let (_, painted) = self.painted.iter_mut().find(|(known, _)| *known == number).ok_or_else(broken)?;
        match painted {
            Painted::Still(picture) => target.share(picture).map_err(no_memory),
            Painted::Moving { scenery, over } => {
                let mut planes = target.planes_mut().map_err(no_memory)?.ok_or_else(not_working)?;
                scenery.draw(view_of(scene, frame), &mut planes)?;
                if let Some(over) = over {
                    over.blend(&mut planes);
                }
                Ok(())
            }
        }
    }
}

/// What the camera of `scene` sees at `frame`.
fn view_of(scene: &PlannedScene, frame: FrameIndex) -> View {
    let whole = View { zoom: 1.0, x: 0.5, y: 0.5 };
    let Some(motion) = scene.motion else { return whole };
    let last = scene.frames.len().saturating_sub(1).max(1);
    motion.at((frame.0 - scene.frames.start.0) as f64 / last as f64)
}

/// RGB rows without padding as planes of the working format.
fn i420_of(rgb: &[u8], size: CanvasSize) -> Result<[Vec<u8>; 3]> {
    let (width, height) = (size.width(), size.height());
    let mut y = vec![0; width as usize * height as usize];
    let (mut u, mut v) = (vec![0; y.len() / 4], vec![0; y.len() / 4]);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(&mut y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(&mut u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(&mut v),
        v_stride: width / 2,
        width,
        height,
    };
    let mode = YuvConversionMode::Balanced;
    rgb_to_yuv420(&mut image, rgb, width * 3, YuvRange::Limited, YuvStandardMatrix::Bt709, mode)
        .map_err(|error| not_working().caused_by(error.to_string()))?;
    Ok([y, u, v])
}

fn fill([y, u, v]: &[Vec<u8>; 3], size: CanvasSize, target: &mut I420Mut<'_>) {
    let width = size.width() as usize;
    for (from, to, width) in [(y, &mut target.y, width), (u, &mut target.u, width / 2), (v, &mut target.v, width / 2)] {
        for (row, from) in from.chunks_exact(width).enumerate() {
            to.row_mut(row).copy_from_slice(from);
        }
    }
}
