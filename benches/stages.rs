//! Each stage of a job by itself, on the fixture: probe, plan, one chunk of each shot, assemble, finalize.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use remix_engine::plan::Plan;
use remix_engine::request::Request;
use remix_engine::store::ChunkStore;
use remix_engine::text::FontBook;
use remix_engine::{Control, Engine, EngineOptions};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let fixture = Fixture::new();
    probe(&mut criterion, &fixture);
    plan(&mut criterion, &fixture);
    render_chunk(&mut criterion, &fixture);
    assemble_and_finalize(&mut criterion, &fixture);
    criterion.final_summary();
}

struct Fixture {
    folder: PathBuf,
    request: Request,
    fonts: FontBook,
    control: Control,
}

impl Fixture {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ugc-remix");
        let mut request = Request::from_path(&folder).expect("the fixture is a project");
        request.output.preset = Some("standard".to_owned());
        let fonts = FontBook::installed().expect("the fonts are installed");
        Self { folder, request, fonts, control: Control::new() }
    }

    /// An engine that has probed nothing, with fonts that are loaded already.
    fn engine(&self) -> Engine {
        let options = EngineOptions { fonts: Some(self.fonts.clone()), ..EngineOptions::default() };
        Engine::new(options).expect("FFmpeg is complete")
    }

    fn plan(&self, engine: &Engine) -> Plan {
        engine.plan(&self.request, &self.control).expect("can be planned").remove(0)
    }
}

fn probe(criterion: &mut Criterion, fixture: &Fixture) {
    let file = fixture.folder.join("media/app-demo.mp4");
    criterion.bench_function("probe/app-demo.mp4", |bench| {
        bench.iter_batched(
            || fixture.engine(),
            |engine| engine.probe(&file, &fixture.control).expect("is a video"),
            BatchSize::PerIteration,
        );
    });
}

fn plan(criterion: &mut Criterion, fixture: &Fixture) {
    criterion.bench_function("plan/nothing probed", |bench| {
        bench.iter_batched(|| fixture.engine(), |engine| fixture.plan(&engine), BatchSize::PerIteration);
    });
    let engine = fixture.engine();
    criterion.bench_function("plan/all sources probed", |bench| bench.iter(|| fixture.plan(&engine)));
}

/// One chunk on one thread: opening and seeking the source, the texts drawn, decoding, compositing, encoding.
fn render_chunk(criterion: &mut Criterion, fixture: &Fixture) {
    let engine = fixture.engine();
    let plan = fixture.plan(&engine);
    for (index, what) in [(0, "reaction with hook"), (last_chunk(&plan), "app-demo")] {
        let frames = plan.chunks()[index].frames.len();
        criterion.bench_function(&format!("render_chunk/{what}, {frames} frames, standard"), |bench| {
            bench.iter_batched(
                store,
                |(folder, store)| {
                    engine.render_chunk(&plan, index, &store, &fixture.control).expect("renders");
                    folder
                },
                BatchSize::PerIteration,
            );
        });
    }
}

fn assemble_and_finalize(criterion: &mut Criterion, fixture: &Fixture) {
    let engine = fixture.engine();
    let plan = fixture.plan(&engine);
    let (folder, store) = store();
    let visuals = engine.generate_visuals(&plan, &store, &fixture.control).expect("renders");
    let file = folder.path().join("assembled.mp4");
    let seconds = plan.rate().time_of(remix_engine::units::FrameIndex(plan.frames())).as_secs_f64();

    criterion.bench_function(&format!("assemble/{seconds:.0} s, sound included"), |bench| {
        bench.iter(|| engine.assemble(&plan, &store, &file, &fixture.control).expect("is assembled"));
    });

    let assembly = engine.assemble(&plan, &store, &file, &fixture.control).expect("is assembled");
    let (moved, out) = (folder.path().join("moved.mp4"), folder.path().join("out"));
    criterion.bench_function(&format!("finalize/{seconds:.0} s, checked and published"), |bench| {
        bench.iter_batched(
            // Finalizing takes the file over.
            || fs::copy(&file, &moved).expect("can be copied"),
            |_| engine.finalize(&plan, &visuals, &assembly, &moved, &out, &fixture.control).expect("is published"),
            BatchSize::PerIteration,
        );
    });
}

fn last_chunk(plan: &Plan) -> usize {
    plan.chunks().len() - 1
}

/// An empty store in a folder that is removed with it.
fn store() -> (tempfile::TempDir, ChunkStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = ChunkStore::open(folder.path().join("chunks")).expect("can be made");
    (folder, store)
}
