//! Text: loading the fonts, and laying out and drawing a hook with warm fonts.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use remix_engine::formats::HookLook;
use remix_engine::text::{FontBook, lay_out, rasterise};

/// 60 user-perceived characters, 3 of them emoji.
const SHORT: &str = "this simple habit changed everything about my mindset: 🧠 ✨ 🔥";

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    fonts(&mut criterion);
    overlays(&mut criterion);
    criterion.final_summary();
}

fn fonts(criterion: &mut Criterion) {
    let faces = FontBook::installed().expect("the fonts are installed").face_count();
    criterion.bench_function(&format!("fonts/load the default book, {faces} faces"), |bench| {
        bench.iter(|| FontBook::installed().expect("the fonts are installed"));
    });
}

/// The fonts are open, and no letter of them has been drawn.
fn fresh() -> FontBook {
    let book = FontBook::installed().expect("the fonts are installed");
    lay_out(&book, &HookLook::default().block(SHORT)).expect("fits");
    book
}

fn overlays(criterion: &mut Criterion) {
    criterion.bench_function("text/lay out and rasterise, 60 characters, 3 emoji, nothing drawn before", |bench| {
        let block = HookLook::default().block(SHORT);
        let draw = |book: FontBook| {
            let layout = lay_out(&book, black_box(&block)).expect("fits");
            rasterise(&book, &layout).expect("can be drawn")
        };
        bench.iter_batched(fresh, draw, BatchSize::PerIteration);
    });
    let book = FontBook::installed().expect("the fonts are installed");
    let long: String =
        "It took me years to see how much one small habit can do. ".chars().cycle().take(2_000).collect();
    for (name, text) in [("60 characters, 3 emoji", SHORT), ("2000 characters", long.as_str())] {
        let block = HookLook::default().block(text);
        criterion.bench_function(&format!("text/lay out and rasterise, {name}"), |bench| {
            bench.iter(|| {
                let layout = lay_out(&book, black_box(&block)).expect("fits");
                rasterise(&book, &layout).expect("can be drawn")
            });
        });
        criterion.bench_function(&format!("text/lay out alone, {name}"), |bench| {
            bench.iter(|| lay_out(&book, black_box(&block)).expect("fits"));
        });
    }
}
