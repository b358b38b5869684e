//! Drawing on one frame of 1080x1920: a hook, whole layers, a chroma key, and a picture that moves.

use std::time::Duration;

use criterion::Criterion;
use remix_engine::compose::{
    Edging, I420Mut, I420Ref, Inset, Keyer, Moved, PlaneMut, PlaneRef, Pose, ScreenKey, Sprite,
};
use remix_engine::formats::HookLook;
use remix_engine::text::{Area, FontBook, lay_out, rasterise};

const WIDTH: usize = 1080;
const HEIGHT: usize = 1920;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    blend(&mut criterion);
    layers(&mut criterion);
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

/// Planes of a frame.
struct Frame([Vec<u8>; 3]);

impl Frame {
    /// With the luma and chroma of `color`, and noise on the luma.
    fn new(color: [u8; 3]) -> Self {
        let noise = |at: usize| (at.wrapping_mul(2_654_435_761) >> 13) as u8 % 16;
        let luma = (0..WIDTH * HEIGHT).map(|at| color[0].saturating_add(noise(at))).collect();
        Self([luma, vec![color[1]; WIDTH * HEIGHT / 4], vec![color[2]; WIDTH * HEIGHT / 4]])
    }

    fn view(&self) -> I420Ref<'_> {
        let plane = |data, by: usize| PlaneRef::new(data, WIDTH / by, HEIGHT / by, WIDTH / by).expect("fits");
        I420Ref { y: plane(&self.0[0], 1), u: plane(&self.0[1], 2), v: plane(&self.0[2], 2) }
    }

    fn view_mut(&mut self) -> I420Mut<'_> {
        let [y, u, v] = &mut self.0;
        I420Mut {
            y: PlaneMut::new(y, WIDTH, HEIGHT, WIDTH).expect("fits"),
            u: PlaneMut::new(u, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
            v: PlaneMut::new(v, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
        }
    }
}

fn layers(criterion: &mut Criterion) {
    let whole = Area { x: 0, y: 0, width: WIDTH as u32, height: HEIGHT as u32 };
    let (over, mut under) = (Frame::new([140, 110, 150]), Frame::new([60, 140, 120]));
    let alpha: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at / WIDTH * 255 / HEIGHT) as u8).collect();
    let alpha = PlaneRef::new(&alpha, WIDTH, HEIGHT, WIDTH).expect("fits");
    let canvas = (WIDTH as u32, HEIGHT as u32);
    let place = Inset::new(whole, &Edging::default(), canvas, false);
    criterion.bench_function("layers/blend with alpha", |bench| {
        bench.iter(|| place.draw(&mut under.view_mut(), over.view(), Some(alpha)));
    });
    criterion.bench_function("layers/lay opaque", |bench| {
        bench.iter(|| place.draw(&mut under.view_mut(), over.view(), None));
    });

    // Somebody in the middle before a green screen: all columns but the middle third are screen.
    let mut screen = Frame::new([150, 90, 60]);
    let person = Frame::new([120, 110, 150]);
    for (plane, by) in [(0, 1), (1, 2), (2, 2)] {
        let width = WIDTH / by;
        for (row, from) in screen.0[plane].chunks_exact_mut(width).zip(person.0[plane].chunks_exact(width)) {
            row[width / 3..2 * width / 3].copy_from_slice(&from[width / 3..2 * width / 3]);
        }
    }
    let mut keyer = Keyer::new(ScreenKey::of([40, 200, 70]), WIDTH, HEIGHT);
    criterion.bench_function("layers/key", |bench| {
        bench.iter(|| keyer.key(screen.view()).expect("is of its size").1.height());
    });

    let moved = Moved::new(whole, &Edging::default());
    let pose = Pose { zoom: 1.1, x: 0.3, ..Pose::REST };
    criterion.bench_function("layers/move, zoomed", |bench| {
        bench.iter(|| moved.draw(&mut under.view_mut(), over.view(), None, pose));
    });
    let turned = Pose { rotation: 7.0, opacity: 0.8, ..pose };
    criterion.bench_function("layers/move, turned", |bench| {
        bench.iter(|| moved.draw(&mut under.view_mut(), over.view(), None, turned));
    });
}
