//! One whole cold render of the fixture: from the request to the published folder, with nothing probed before and no
//! chunk in a store.

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use remix_engine::limits::available_threads;
use remix_engine::request::Request;
use remix_engine::text::FontBook;
use remix_engine::{Engine, EngineOptions};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    whole_render(&mut criterion);
    criterion.final_summary();
}

fn whole_render(criterion: &mut Criterion) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ugc-remix");
    let mut request = Request::from_path(&project).expect("the fixture is a project");
    request.output.preset = Some("standard".to_owned());
    let fonts = FontBook::installed().expect("the fonts are installed");
    let name = format!("render/cold ugc-remix, standard, {} threads", available_threads());
    criterion.bench_function(&name, |bench| {
        bench.iter_batched(
            || {
                // A new engine has probed nothing.
                let options = EngineOptions { fonts: Some(fonts.clone()), ..EngineOptions::default() };
                (Engine::new(options).expect("FFmpeg is complete"), tempfile::tempdir().expect("a folder"))
            },
            |(engine, out)| {
                engine.render(&request, out.path()).expect("renders");
                // Removing it is not part of the render.
                out
            },
            BatchSize::PerIteration,
        );
    });
}
