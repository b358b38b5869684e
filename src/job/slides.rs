//! Slides: one picture a work unit, several at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::engine::Shared;
use super::performing::{Transforms, perform_still, transform_of};
use super::{Control, Visuals, guarded};
use crate::compose::{Page, Place, SourceRect, take_out};
use crate::encode::encode_jpeg;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg::{Interrupt, release_free_memory};
use crate::plan::{Plan, PlannedLayer, PlannedPicture, PlannedPicturePatch, PlannedSlide};
use crate::source::{Probed, blurred, still};
use crate::store::ChunkStore;
use crate::text::{Area, Rgba, TextBlock, lay_out, rasterise};
use crate::units::CanvasSize;

/// The JPEG quality to begin with: no loss that anyone sees at arm's length.
const QUALITY: u8 = 90;
/// Where a slide is larger than [`MOST_BYTES`], which noise can be.
const LOWER_QUALITIES: [u8; 3] = [80, 65, 45];
/// What the strictest platform takes.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Renders every slide of `plan` that is not in `store`.
pub(super) fn generate(
    shared: &Shared,
    plan: &Plan,
    store: &ChunkStore,
    control: &Control,
    visuals: &mut Visuals,
) -> Result<()> {
    let painter = SlidePainter::new(shared, plan, control)?;
    let total = plan.slides().len() as u64;
    let (done, rendered, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    control.frames_done(Stage::GeneratingVisuals, 0, total);
    let failed = |error: rayon::ThreadPoolBuildError| {
        Error::new(ErrorKind::LimitExceeded, "no threads can be started").caused_by(error)
    };
    // A pool of its own: a job has as many threads as its engine allows, whatever the host uses rayon for.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(super::estimate::workers_of(shared, plan).get())
        .build()
        .map_err(failed)?;
    let results: Vec<Result<()>> = pool.install(|| {
        plan.slides()
            .par_iter()
            .with_max_len(1)
            .map(|slide| {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let result = guarded("a worker", || {
                    if painter.render(slide, store)? {
                        rendered.fetch_add(1, Ordering::Relaxed);
                    }
                    control.frames_done(Stage::GeneratingVisuals, done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok(())
                });
                if result.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
                result
            })
            .collect()
    });
    super::visuals::first_cause(results)?;
    control.cancel().check()?;
    let rendered = rendered.into_inner();
    visuals.chunks_rendered += rendered;
    visuals.chunks_reused += total - rendered;
    Ok(())
}

/// A slide as a video shows it.
pub(super) enum Art {
    /// As a whole.
    Page(Page),
    /// In two parts.
    Camera {
        /// What the camera moves over, in RGB.
        ground: Vec<u8>,
        /// Its size: the canvas's, times the largest zoom.
        size: CanvasSize,
        /// What stands still over it, of the canvas's size, in premultiplied RGBA.
        over: Option<Vec<u8>>,
    },
}

/// What all slides of a plan share.
pub(super) struct SlidePainter<'a> {
    shared: &'a Shared,
    plan: &'a Plan,
    sources: Vec<Arc<Probed>>,
    transforms: Transforms,
    interrupt: Interrupt,
}

impl<'a> SlidePainter<'a> {
    pub(super) fn new(shared: &'a Shared, plan: &'a Plan, control: &Control) -> Result<Self> {
        shared.check_plan(plan)?;
        let sources = shared.probe_sources(plan, control)?;
        let transforms = shared.transforms(plan)?;
        Ok(Self { shared, plan, sources, transforms, interrupt: control.interrupt() })
    }

    /// Renders `slide` if it is not in `store`; whether it had to be.
    pub(super) fn render(&self, slide: &PlannedSlide, store: &ChunkStore) -> Result<bool> {
        if store.get_slide(&slide.key)?.is_some() {
            return Ok(false);
        }
        let jpeg = self
            .paint(slide)
            .map_err(|error| if error.asset().is_some() { error } else { error.for_asset(slide.name.clone()) })?;
        store.put_slide(&slide.key, &jpeg)?;
        // A slide took some forty megabytes; what the allocator keeps of it would add up over threads.
        release_free_memory();
        Ok(true)
    }

    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The finished slide.
    fn page(&self, slide: &PlannedSlide) -> Result<Page> {
        let canvas = self.plan.canvas();
        let blank = || Page::new(canvas.width(), canvas.height());
        let (mut page, rest) = match slide.layers.split_first() {
            // Decoding is what takes memory: the page comes after it.
            Some((PlannedLayer::Picture(picture), rest)) => {
                let pixels = self.pixels(picture)?;
                let mut page = blank();
                lay(picture, &pixels, &mut page);
                (page, rest)
            }
            _ => (blank(), slide.layers.as_slice()),
        };
        for layer in rest {
            self.check_canceled()?;
            self.draw(layer, &mut page)?;
            self.interrupt.pulse().beat();
        }
        Ok(page)
    }

    fn check_canceled(&self) -> Result<()> {
        if self.interrupt.is_set() {
            return Err(Error::new(ErrorKind::Canceled, "the job was cancelled"));
        }
        Ok(())
    }

    fn draw(&self, layer: &PlannedLayer, page: &mut Page) -> Result<()> {
        match layer {
            PlannedLayer::Gradient { top, bottom } => {
                page.gradient([top.r, top.g, top.b], [bottom.r, bottom.g, bottom.b]);
            }
            PlannedLayer::Picture(picture) => self.picture(picture, page)?,
            PlannedLayer::Shade { area } => page.shade(place(*area)),
            PlannedLayer::Text { block, button } => self.text(block, *button, page)?,
        }
        Ok(())
    }

    /// The slide for a video: its ground apart from the rest where a camera moves over it, up to the zoom `zoom`.
    pub(super) fn art(&self, slide: &PlannedSlide, zoom: Option<f64>) -> Result<Art> {
        let named = |error: Error| if error.asset().is_some() { error } else { error.for_asset(slide.name.clone()) };
        let (Some(zoom), Some((PlannedLayer::Picture(picture), rest))) = (zoom, slide.layers.split_first()) else {
            return self.page(slide).map(Art::Page).map_err(named);
        };
        let canvas = self.plan.canvas();
        let blank = || Page::new(canvas.width(), canvas.height());
        // Three pages: the slide at rest, whose brightness decides, and what lies over its ground on black and on white.
        let (mut page, mut black, mut white) = (blank(), blank(), blank());
        white.gradient([255; 3], [255; 3]);
        self.picture(picture, &mut page).map_err(named)?;
        for layer in rest {
            self.check_canceled()?;
            if let PlannedLayer::Shade { area } = layer {
                if let Some(shade) = page.shade_for(place(*area)) {
                    [&mut page, &mut black, &mut white].into_iter().for_each(|page| page.darken(&shade));
                }
            } else {
                self.draw(layer, &mut black).map_err(named)?;
                self.draw(layer, &mut white).map_err(named)?;
            }
        }
        let even = |value: u32| ((f64::from(value) * zoom / 2.0).round() as u32 * 2).max(2);
        let missing = || Error::new(ErrorKind::Internal, "a slide has no size");
        let size = CanvasSize::new(even(canvas.width()), even(canvas.height())).ok_or_else(missing)?;
        let mut ground = Page::new(size.width(), size.height());
        let whole = Area { x: 0, y: 0, width: size.width(), height: size.height() };
        let shown = SourceRect { x: 0, y: 0, width: picture.area.width, height: picture.area.height };
        let larger = |patch: &PlannedPicturePatch| {
            let mask = patch.mask.placed(shown, (whole.width, whole.height))?;
            Some(PlannedPicturePatch { mask, removal: patch.removal })
        };
        let patches = picture.patches.iter().filter_map(larger).collect();
        self.picture(&PlannedPicture { area: whole, patches, ..picture.clone() }, &mut ground).map_err(named)?;
        let over = (!rest.is_empty()).then(|| black.difference(&white));
        Ok(Art::Camera { ground: ground.bytes().to_vec(), size, over })
    }

    fn paint(&self, slide: &PlannedSlide) -> Result<Vec<u8>> {
        let canvas = self.plan.canvas();
        let page = self.page(slide)?;
        for quality in std::iter::once(QUALITY).chain(LOWER_QUALITIES) {
            let jpeg = encode_jpeg(page.bytes(), canvas.width(), canvas.height(), quality)?;
            if jpeg.len() <= MOST_BYTES {
                return Ok(jpeg);
            }
        }
        Err(Error::new(ErrorKind::LimitExceeded, "it is larger than 8 MB whatever its quality"))
    }

    fn picture(&self, picture: &PlannedPicture, page: &mut Page) -> Result<()> {
        lay(picture, &self.pixels(picture)?, page);
        Ok(())
    }

    /// What of its source a picture shows, at its size on the canvas: premultiplied RGBA.
    fn pixels(&self, picture: &PlannedPicture) -> Result<Vec<u8>> {
        let source = &self.plan.sources()[picture.source].asset;
        let about = |error: Error| {
            error.for_asset(format!("{} ({})", source.id, source.path.display())).at_pointer(source.pointer.clone())
        };
        let missing = || Error::new(ErrorKind::Internal, "a slide's picture was not probed");
        let video = self.sources.get(picture.source).and_then(|probed| probed.video.as_ref()).ok_or_else(missing)?;
        let size = CanvasSize::new(picture.area.width, picture.area.height).ok_or_else(missing)?;
        let _working = self.interrupt.pulse().enter(&source.path, None);
        let limits = &self.shared.limits;
        let mut pixels =
            still(&source.path, video, picture.at, picture.rect, size, limits, &self.interrupt).map_err(about)?;
        for PlannedPicturePatch { mask, removal } in &picture.patches {
            take_out(&mut pixels, size.width() as usize, mask, *removal);
            self.check_canceled()?;
        }
        if let Some(performer) = &picture.performer {
            perform_still(transform_of(&self.transforms, performer)?, &mut pixels, size).map_err(about)?;
        }
        if picture.blur > 0 { blurred(pixels, size, picture.blur) } else { Ok(pixels) }
    }

    fn text(&self, block: &TextBlock, button: Option<Rgba>, page: &mut Page) -> Result<()> {
        let fonts = &self.shared.fonts;
        let layout = lay_out(fonts, block)?;
        if let Some(Rgba { r, g, b, a }) = button {
            let extent = layout.extent();
            // As a button of the web: padding of half the letters' size above and below, and of one at the sides.
            let pad = layout.font_size() * 0.55;
            let (left, top) = ((extent.left - 1.8 * pad).floor(), (extent.top - pad).floor());
            let (right, bottom) = ((extent.right + 1.8 * pad).ceil(), (extent.bottom + pad).ceil());
            let place = Place {
                x: left as i32,
                y: top as i32,
                width: (right - left).max(1.0) as u32,
                height: (bottom - top).max(1.0) as u32,
            };
            let one_line = layout.lines().len() == 1;
            let radius = if one_line { place.height / 2 } else { layout.font_size() as u32 };
            page.fill(place, [r, g, b, a], radius);
        }
        if let Some(sprite) = rasterise(fonts, &layout)? {
            let place = Place { x: sprite.x, y: sprite.y, width: sprite.width, height: sprite.height };
            page.draw(place, sprite.pixels.as_chunks::<4>().0, 0);
        }
        Ok(())
    }
}

fn lay(picture: &PlannedPicture, pixels: &[u8], page: &mut Page) {
    let place = place(picture.area);
    if picture.shadow {
        page.shadow(place, picture.radius);
    }
    page.draw(place, pixels.as_chunks::<4>().0, picture.radius);
}

fn place(area: Area) -> Place {
    Place { x: area.x, y: area.y, width: area.width, height: area.height }
}
