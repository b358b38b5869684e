//! Blending a hook on one frame of 1080x1920.

use std::time::Duration;

use criterion::Criterion;
use remix_engine::compose::{I420Mut, PlaneMut, Sprite};
use remix_engine::formats::HookLook;
use remix_engine::text::{FontBook, lay_out, rasterise};

const WIDTH: usize = 1080;
const HEIGHT: usize = 1920;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    blend(&mut criterion);
    criterion.final_summary();
}

fn blend(criterion: &mut Criterion) {
    let book = FontBook::installed().expect("the fonts are installed");
    let hook = "wait for it...\nthis simple habit changed everything about my mindset 🧠";
    let layout = lay_out(&book, &HookLook::default().block(hook)).expect("fits");
    let drawn = rasterise(&book, &layout).expect("can be drawn").expect("has ink");
    let place = |edge: i32| u32::try_from(edge).expect("on the canvas");
    let (x, y, width, height) = (place(drawn.x), place(drawn.y), drawn.width, drawn.height);

    let convert = || Sprite::from_premultiplied_rgba(x, y, width, height, &drawn.pixels).expect("is even");
    criterion.bench_function(&format!("sprite/convert {width}x{height}"), |bench| bench.iter(convert));

    let sprite = convert();
    let mut luma = vec![120; WIDTH * HEIGHT];
    let (mut u, mut v) = (vec![128; WIDTH * HEIGHT / 4], vec![128; WIDTH * HEIGHT / 4]);
    criterion.bench_function(&format!("sprite/blend {width}x{height} on {WIDTH}x{HEIGHT}"), |bench| {
        bench.iter(|| {
            let mut frame = I420Mut {
                y: PlaneMut::new(&mut luma, WIDTH, HEIGHT, WIDTH).expect("fits"),
                u: PlaneMut::new(&mut u, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
                v: PlaneMut::new(&mut v, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
            };
            sprite.blend(&mut frame);
        });
    });
}
