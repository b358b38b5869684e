//! The engine: what all jobs share, and the stages as methods.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::watchdog::watched;
use super::{Assembly, Control, Estimate, PostResolver, RgbPicture, TextAdapter, Visuals, guarded};
use crate::burnt::{FoundText, TextReader, find};
use crate::encode::x264_build;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg;
use crate::inspect::{InspectOptions, Inspection, inspect};
use crate::limits::{Limits, available_threads};
use crate::output::{Container, StageTime, Staging};
use crate::performer::Performers;
use crate::plan::Plan;
use crate::request::Request;
use crate::source::{FileStamp, KnownSources, Probed, SourceInfo, Subject, heif_version, probe_known};
use crate::store::ChunkStore;
use crate::text::FontBook;
use crate::units::{CanvasSize, TimeSpan};

/// Options of an [`Engine`].
#[derive(Clone, Default)]
pub struct EngineOptions {
    /// Worker threads of a job. Default: as many as the machine and its cgroup allow.
    pub threads: Option<NonZeroUsize>,
    /// The fonts. Default: [`FontBook::installed`].
    pub fonts: Option<FontBook>,
    /// The limits. Default: [`Limits::default`].
    pub limits: Limits,
    /// Where [`Engine::render`] keeps chunks from job to job, so that only what has changed is rendered, and a job that was
    /// killed goes on where it stopped. Beside a local store the engine also remembers the hashes of source files, so that
    /// a large file is read whole once: see the README. Default: `None`, each render has a store of its own that goes with
    /// it.
    pub store: Option<ChunkStore>,
    /// What is done where the results of a request's id are there already. Default: [`Existing::Return`].
    pub existing: Existing,
    /// Reads the texts of the sources of remixes. Default: Tesseract, with the feature of that name.
    pub reader: Option<Arc<dyn TextReader>>,
    /// Finds the posts that remixes start from. Default: they are the files that the request names.
    pub resolver: Option<Arc<dyn PostResolver>>,
    /// Writes new words for the texts of posts. Default: they are the request's.
    pub adapter: Option<Arc<dyn TextAdapter>>,
    /// Puts influencers in the place of who is seen in remixes. Default: nobody can be, and requests say `performer`: `none`.
    pub performers: Option<Arc<dyn Performers>>,
}

impl std::fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineOptions")
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .field("store", &self.store)
            .field("existing", &self.existing)
            .field("reader", &self.reader.is_some())
            .field("resolver", &self.resolver.is_some())
            .field("adapter", &self.adapter.is_some())
            .field("performers", &self.performers.is_some())
            .finish_non_exhaustive()
    }
}

/// What is done where the results of a request's id are in the output folder already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Of the same request with the same sources they are the result, and nothing is rendered: a job may be sent again.
    /// Of another request they are an error, `IDEMPOTENCY_CONFLICT`. Default.
    #[default]
    Return,
    /// They are replaced.
    Replace,
}

/// Makes content. Cheap to clone and shared by any number of jobs and threads.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) threads: NonZeroUsize,
    pub(super) fonts: FontBook,
    pub(super) limits: Limits,
    pub(super) store: Option<ChunkStore>,
    pub(super) existing: Existing,
    pub(super) reader: Option<Arc<dyn TextReader>>,
    pub(super) resolver: Option<Arc<dyn PostResolver>>,
    pub(super) adapter: Option<Arc<dyn TextAdapter>>,
    pub(super) performers: Option<Arc<dyn Performers>>,
    /// The engine and the libraries under it: all that can change a byte for the same plan.
    pub(super) version: String,
    /// How slow this machine is, once it was measured.
    pub(super) slowness: OnceLock<f64>,
    /// What planning found in files that are still the same, for the stages after it. The newest last.
    probes: Mutex<VecDeque<(FileStamp, Arc<Probed>)>>,
    /// The same for other processes and later ones, beside a local store.
    known: Option<KnownSources>,
}

/// Raised with every change of this crate that changes a rendered byte.
const RENDERING: u32 = 17;

/// Files whose probes are remembered: those of a few jobs.
const REMEMBERED_PROBES: usize = 64;

/// The folder in that of a local store for what is known of sources.
const KNOWN_SOURCES: &str = "sources";

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("threads", &self.0.threads).finish_non_exhaustive()
    }
}

/// The filters of FFmpeg that are used: for interlaced pictures, and for speeds of sound.
const FILTERS: [&str; 7] = ["buffer", "bwdif", "buffersink", "abuffer", "atempo", "aformat", "abuffersink"];

impl Engine {
    /// An engine with these options. It sets FFmpeg's log to silence, and the threshold from which the C library's
    /// allocator maps blocks (`M_MMAP_THRESHOLD`) to 512 KiB, for the whole process.
    ///
    /// # Errors
    /// `FONT_MISSING` if the default fonts are not installed; `INTERNAL` if FFmpeg lacks libx264 or one of the filters that
    /// are used: `bwdif`, `atempo`, `aformat` and the ends of chains.
    pub fn new(options: EngineOptions) -> Result<Self> {
        ffmpeg::quiet();
        ffmpeg::give_pictures_pages_of_their_own();
        if !ffmpeg::encoder_available("libx264") {
            return Err(Error::new(ErrorKind::Internal, "FFmpeg has no encoder libx264")
                .suggest("install an FFmpeg built with libx264"));
        }
        if let Some(missing) = FILTERS.into_iter().find(|name| !ffmpeg::filter_available(name)) {
            return Err(Error::new(ErrorKind::Internal, format!("FFmpeg has no filter {missing}"))
                .suggest("install an FFmpeg built with it"));
        }
        let fonts = match options.fonts {
            Some(fonts) => fonts,
            None => FontBook::installed()?,
        };
        let version = format!(
            "remix-engine {} rendering {RENDERING} with {}, libheif {}, x264 {}",
            env!("CARGO_PKG_VERSION"),
            ffmpeg::versions(),
            heif_version(),
            x264_build()?
        );
        let folder = options.store.as_ref().and_then(ChunkStore::folder);
        let known = folder.map(|folder| KnownSources::new(folder.join(KNOWN_SOURCES), &version));
        Ok(Self(Arc::new(Shared {
            threads: options.threads.unwrap_or_else(available_threads),
            fonts,
            limits: options.limits,
            store: options.store,
            existing: options.existing,
            reader: options.reader,
            resolver: options.resolver,
            adapter: options.adapter,
            performers: options.performers,
            version,
            known,
            slowness: OnceLock::new(),
            probes: Mutex::default(),
        })))
    }

    /// The versions of the engine, of FFmpeg's libraries, of libheif and of x264: all that can change a byte for the same plan.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Worker threads of a job.
    pub fn threads(&self) -> NonZeroUsize {
        self.0.threads
    }

    /// The fonts.
    pub fn fonts(&self) -> &FontBook {
        &self.0.fonts
    }

    /// What the engine sees in the file at `path`.
    ///
    /// # Errors
    /// `SOURCE_UNREADABLE`, `SOURCE_UNSUPPORTED`, `SOURCE_EMPTY`, `LIMIT_EXCEEDED`, `CANCELED`.
    pub fn probe(&self, path: &Path, control: &Control) -> Result<SourceInfo> {
        self.watched("probing", control, || Ok(self.0.probe(path, control)?.info.clone()))
            .map_err(|error| error.for_asset(path.display().to_string()))
    }

    /// What the video file at `path` is, measured, and what is wrong with it: whoever made it.
    ///
    /// # Errors
    /// As [`Engine::probe`]; `SOURCE_EMPTY` for a file without pictures, `SOURCE_UNSUPPORTED` for a picture file. Faults
    /// that leave something to look at are findings, not errors.
    pub fn inspect(&self, path: &Path, options: &InspectOptions, control: &Control) -> Result<Inspection> {
        self.watched("inspecting", control, || {
            let probed = self.0.probe(path, control)?;
            let interrupt = control.interrupt();
            let subject = Subject { path, probed: &probed, limits: &self.0.limits, interrupt: &interrupt };
            inspect(&subject, *options, None, self.0.threads)
        })
        .map_err(|error| error.for_asset(path.display().to_string()))
    }

    /// The text that is burnt into the video or picture at `path`, read by `reader`.
    ///
    /// # Errors
    /// As [`Engine::probe`]; `SOURCE_EMPTY` for a file without pictures; `LIMIT_EXCEEDED` for one that is longer than
    /// [`Limits::read_duration`]; what `reader` reports.
    pub fn find_overlays(&self, path: &Path, reader: &dyn TextReader, control: &Control) -> Result<FoundText> {
        self.watched("looking for text", control, || {
            let probed = self.0.probe(path, control)?;
            let interrupt = control.interrupt();
            find(&Subject { path, probed: &probed, limits: &self.0.limits, interrupt: &interrupt }, reader)
        })
        .map_err(|error| error.for_asset(path.display().to_string()))
    }

    /// A contact sheet of `result`: the slides in a result's folder, or `frames` frames (1 to 100) of its video at even
    /// times, or those of a video file.
    ///
    /// # Errors
    /// `NOT_FOUND` for a folder without both; what reading the file reports; `VALIDATION`, `CANCELED`.
    pub fn sheet(&self, result: &Path, frames: usize, control: &Control) -> Result<RgbPicture> {
        self.watched("making a sheet", control, || super::sheet::sheet(&self.0, result, frames, control))
    }

    /// The picture in `file` at time `at`, upright and in sRGB, as it covers `canvas`: what a text will stand on.
    ///
    /// # Errors
    /// What reading the file reports; `SOURCE_EMPTY` without pictures, `CANCELED`.
    pub fn picture(&self, file: &Path, at: TimeSpan, canvas: CanvasSize, control: &Control) -> Result<RgbPicture> {
        self.watched("reading a picture", control, || super::sheet::picture(&self.0, file, at, canvas, control))
            .map_err(|error| error.for_asset(file.display().to_string()))
    }

    /// Stage `planning`: checks the request, probes its sources, and makes one plan for each variant.
    ///
    /// # Errors
    /// All findings of the request at once, or all faults of its sources; `CANCELED`.
    pub fn plan(&self, request: &Request, control: &Control) -> Result<Vec<Plan>> {
        self.plan_variants(request, control)?.into_iter().collect()
    }

    /// As [`Engine::plan`], with each variant's own error: one whose sources are bad does not keep the others from being
    /// made.
    ///
    /// # Errors
    /// All findings of the request at once; `CANCELED`.
    pub fn plan_variants(&self, request: &Request, control: &Control) -> Result<Vec<Result<Plan>>> {
        let _span = tracing::info_span!("planning", id = %request.id).entered();
        let at_stage = |error: Error| error.at_stage(Stage::Planning);
        let plans =
            self.watched("planning", control, || super::planning::plan(&self.0, request, control)).map_err(at_stage)?;
        Ok(plans.into_iter().map(|plan| plan.map_err(at_stage)).collect())
    }

    /// What making `plans`, the variants of one request, will take; what `store` has, or an earlier plan makes, is not
    /// counted. Nothing is decoded. The first call times a small piece of work, for some 0.2 s.
    ///
    /// # Errors
    /// `OUTPUT_FAILED` if the store cannot be looked into.
    pub fn estimate(&self, plans: &[Plan], store: Option<&ChunkStore>) -> Result<Estimate> {
        super::estimate::estimate(&self.0, &plans.iter().collect::<Vec<_>>(), store)
    }

    /// Stage `generating_visuals`: renders every chunk of `plan` that is not in `store`, on all worker threads.
    ///
    /// # Errors
    /// What reading a source reports, `SOURCE_UNREADABLE` if one is gone or has changed since planning,
    /// `OUTPUT_FAILED` if the store cannot be written, `STALLED`, `CANCELED`, `INTERNAL`.
    pub fn generate_visuals(&self, plan: &Plan, store: &ChunkStore, control: &Control) -> Result<Visuals> {
        let _span = tracing::info_span!("generating_visuals", id = plan.container_id()).entered();
        self.watched("rendering", control, || super::visuals::generate(&self.0, plan, store, &|| Ok(()), control))
            .map_err(|error| error.at_stage(Stage::GeneratingVisuals))
    }

    /// Renders the unit `index` of `plan` alone, if it is not in `store`, on any machine that has the sources and the
    /// store. Chunks come first, then slides: there are [`Plan::units`].
    ///
    /// # Errors
    /// As [`Engine::generate_visuals`]; `NOT_FOUND` if the plan has no such chunk.
    pub fn render_chunk(&self, plan: &Plan, index: usize, store: &ChunkStore, control: &Control) -> Result<()> {
        let _span = tracing::info_span!("render_chunk", id = plan.container_id(), index).entered();
        self.watched("rendering", control, || super::visuals::render_one(&self.0, plan, index, store, control))
            .map_err(|error| error.at_stage(Stage::GeneratingVisuals))
    }

    /// Stage `assembling`: stitches the chunks in `store` by stream copy, mixes and encodes the sound, and writes the
    /// MP4 to `file`. Of a plan with slides `file` becomes a folder that has them.
    ///
    /// # Errors
    /// `NOT_FOUND`, with the missing units and their keys, if not all are in the store, which is found out first;
    /// `OUTPUT_FAILED`, what decoding the sound reports, `CANCELED`. After an error `file` may be there in part: the caller
    /// owns it.
    pub fn assemble(&self, plan: &Plan, store: &ChunkStore, file: &Path, control: &Control) -> Result<Assembly> {
        let _span = tracing::info_span!("assembling", id = plan.container_id()).entered();
        let work = || {
            super::assemble::check_units(plan, store, control)?;
            super::assemble::assemble(&self.0, plan, store, file, control)
        };
        self.watched("assembling", control, work).map_err(|error| error.at_stage(Stage::Assembling))
    }

    /// Stage `finalizing`: checks and inspects the assembled `file`, makes the thumbnail and the description, and publishes all as
    /// the folder `out/<container id>` in one rename. The file is moved; after an error it is still there.
    ///
    /// # Errors
    /// `OUTPUT_FAILED`, `CANCELED`, `INTERNAL` if the file is not what the plan says; `IDEMPOTENCY_CONFLICT` if the result of
    /// another request with the same id is there, unless [`EngineOptions::existing`] says that it is replaced. If
    /// the plan's inspection policy is to fail: `SOURCE_EMPTY` for findings that come from its sources, such as a black clip,
    /// `INTERNAL` for others.
    pub fn finalize(
        &self,
        plan: &Plan,
        visuals: &Visuals,
        assembly: &Assembly,
        file: &Path,
        out: &Path,
        control: &Control,
    ) -> Result<Container> {
        let staging = Staging::create(out).map_err(|error| error.at_stage(Stage::Finalizing))?;
        let container = self.prepare(plan, visuals, assembly, file, &staging, control)?;
        super::existing::check(&self.0, plan, out).map_err(|error| error.at_stage(Stage::Finalizing))?;
        staging.publish(plan.container_id()).map_err(|error| error.at_stage(Stage::Finalizing))?;
        // Only now: until then the stage can be run again. If it cannot be removed, it is merely left over.
        let _ = if file.is_dir() { std::fs::remove_dir_all(file) } else { std::fs::remove_file(file) };
        let _ = guarded("a progress listener", || {
            control.frames_done(Stage::Finalizing, plan.steps(), plan.steps());
            Ok(())
        });
        Ok(container)
    }

    /// Makes everything that is published, in the hidden folder.
    pub(super) fn prepare(
        &self,
        plan: &Plan,
        visuals: &Visuals,
        assembly: &Assembly,
        file: &Path,
        staging: &Staging,
        control: &Control,
    ) -> Result<Container> {
        let _span = tracing::info_span!("finalizing", id = plan.container_id()).entered();
        self.watched("finalizing", control, || {
            super::finalize::finalize(&self.0, plan, visuals, assembly, file, staging, control)
        })
        .map_err(|error| error.at_stage(Stage::Finalizing))
    }

    pub(super) fn watched<T>(&self, what: &str, control: &Control, work: impl FnOnce() -> Result<T>) -> Result<T> {
        watched(what, self.0.limits.stall, control, work)
    }

    /// All four stages: makes the request's containers, each published as `out/<container id>`, in the order of the
    /// variants, when all are finished. A variant that fails leaves nothing, and its container says why
    /// ([`Status::Failed`](crate::output::Status)); the others are published. What is there already is handled as
    /// [`EngineOptions::existing`] says.
    ///
    /// # Errors
    /// As the stages, if the request is wrong or every variant fails; `IDEMPOTENCY_CONFLICT`; `CANCELED`. Nothing is left
    /// behind then.
    pub fn render(&self, request: &Request, out: &Path) -> Result<Vec<Container>> {
        self.render_with(request, out, &Control::new())
    }

    /// As [`Engine::render`], with progress and cancelling.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub fn render_with(&self, request: &Request, out: &Path, control: &Control) -> Result<Vec<Container>> {
        super::render::render(self, request, out, control)
    }

    /// Stage `generating_visuals`, with the sound made and put into the store by the first worker that runs out of chunks.
    pub(super) fn visuals_with_sound(&self, plan: &Plan, store: &ChunkStore, control: &Control) -> Result<Visuals> {
        let _span = tracing::info_span!("generating_visuals", id = plan.container_id()).entered();
        let make_sound = || {
            if !plan.has_video() {
                return Ok(());
            }
            let made = super::assemble::make_sound(&self.0, plan, store, control);
            made.map(drop).map_err(|error| error.at_stage(Stage::Assembling))
        };
        self.watched("rendering", control, || super::visuals::generate(&self.0, plan, store, &make_sound, control))
            .map_err(|error| error.at_stage(Stage::GeneratingVisuals))
    }
}

impl Shared {
    /// # Errors
    /// `VALIDATION` if the plan was made with another engine, other libraries or other fonts: its chunks would not be
    /// those that its keys promise.
    pub(super) fn check_plan(&self, plan: &Plan) -> Result<()> {
        if plan.engine() == self.version && plan.fonts() == self.fonts.hash().to_string() {
            return Ok(());
        }
        let message = format!("the plan was made with other software or fonts: {}", plan.engine());
        Err(Error::new(ErrorKind::Validation, message).suggest("plan it again here, or use the same image everywhere"))
    }

    /// The probe of the file at `path`, made anew only if the file has changed.
    pub(super) fn probe(&self, path: &Path, control: &Control) -> Result<Arc<Probed>> {
        let stamp = FileStamp::of(path);
        if let Some(stamp) = &stamp {
            let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, probed)) = probes.iter().find(|(known, _)| known == stamp) {
                return Ok(Arc::clone(probed));
            }
        }
        let interrupt = control.interrupt();
        let _working = interrupt.pulse().enter(path, None);
        let probed = Arc::new(probe_known(path, &self.limits, &interrupt, self.known.as_ref())?);
        if let Some(stamp) = stamp {
            let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
            if probes.len() == REMEMBERED_PROBES {
                probes.pop_front();
            }
            probes.push_back((stamp, Arc::clone(&probed)));
        }
        Ok(probed)
    }

    /// The probes of a plan's sources, in its order.
    ///
    /// # Errors
    /// `SOURCE_UNREADABLE` if a file is gone or is not the one that was planned with.
    pub(super) fn probe_sources(&self, plan: &Plan, control: &Control) -> Result<Vec<Arc<Probed>>> {
        plan.sources()
            .iter()
            .map(|source| {
                let about =
                    |error: Error| error.for_asset(format!("{} ({})", source.asset.id, source.asset.path.display()));
                let probed = self.probe(&source.asset.path, control).map_err(about)?;
                if probed.info.hash != source.info.hash {
                    let message = format!("{} has changed since planning", source.asset.path.display());
                    return Err(about(Error::new(ErrorKind::SourceUnreadable, message).suggest("plan the job again")));
                }
                // What is drawn relies on it, and a plan comes from another machine.
                let seen = |info: &SourceInfo| {
                    info.video
                        .as_ref()
                        .map(|video| (video.stream, video.size, video.kind, video.color, video.has_alpha))
                };
                if seen(&probed.info) != seen(&source.info) {
                    let message = format!("the plan says of {} what it is not", source.asset.path.display());
                    return Err(about(Error::new(ErrorKind::Validation, message).suggest("plan the job again")));
                }
                Ok(probed)
            })
            .collect()
    }
}

pub(super) fn elapsed(stage: Stage, since: Instant) -> StageTime {
    StageTime { stage, ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX) }
}
