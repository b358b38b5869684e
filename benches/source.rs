//! What a picture costs on its way from the decoder to the canvas, on one thread.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use remix_engine::compose::{
    Encoding, GamutMap, Hdr, HdrColor, I420Mut, I420Ref, I420Ref16, Orientation, PlaneMut, PlaneRef, PlaneRef16,
    Primaries, Recolor, ToneMap, blend_over, premultiply, turn,
};
use remix_engine::source::ColorInfo;
use remix_engine::source::measure::Conversion;

const WIDTH: usize = 1080;
const HEIGHT: usize = 1920;

struct Picture([Vec<u8>; 3], usize, usize);

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        // Every sample is another one, as in a noisy picture.
        let plane = |count: usize| (0..count as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        Self([plane(width * height), plane(width * height / 4), plane(width * height / 4)], width, height)
    }

    fn view(&self) -> I420Ref<'_> {
        let Self([y, u, v], width, height) = self;
        let plane = |data, by: usize| PlaneRef::new(data, width / by, height / by, width / by).expect("fits");
        I420Ref { y: plane(y, 1), u: plane(u, 2), v: plane(v, 2) }
    }

    fn view_mut(&mut self) -> I420Mut<'_> {
        let Self([y, u, v], width, height) = self;
        let (width, height) = (*width, *height);
        I420Mut {
            y: PlaneMut::new(y, width, height, width).expect("fits"),
            u: PlaneMut::new(u, width / 2, height / 2, width / 2).expect("fits"),
            v: PlaneMut::new(v, width / 2, height / 2, width / 2).expect("fits"),
        }
    }
}

/// A smooth picture with some grain in 10 bits, as cameras make them.
fn deep(width: usize, height: usize, base: u16) -> Vec<u16> {
    let grain = |n: usize| ((n as u32).wrapping_mul(2_654_435_761) >> 29) as u16;
    (0..width * height).map(|n| base + (n % width * 500 / width) as u16 + grain(n)).collect()
}

fn conversions(criterion: &mut Criterion) {
    let lying = Picture::new(HEIGHT, WIDTH);
    let mut upright = Picture::new(WIDTH, HEIGHT);
    for (name, orientation) in [("90", Orientation::Rotate90), ("180", Orientation::Rotate180)] {
        let source = if orientation.swaps_sides() { &lying } else { &Picture::new(WIDTH, HEIGHT) };
        criterion.bench_function(&format!("turn a 1080x1920 frame by {name}"), |bencher| {
            bencher.iter(|| turn(black_box(source.view()), &mut upright.view_mut(), orientation));
        });
    }
    let planes = [deep(WIDTH, HEIGHT, 200), deep(WIDTH / 2, HEIGHT / 2, 300), deep(WIDTH / 2, HEIGHT / 2, 300)];
    let plane = |n: usize, by: usize| PlaneRef16::new(&planes[n], WIDTH / by, HEIGHT / by, WIDTH / by).expect("fits");
    let source = I420Ref16 { y: plane(0, 1), u: plane(1, 2), v: plane(2, 2) };
    for (name, hdr) in [("HLG", Hdr::Hlg), ("PQ", Hdr::Pq)] {
        let map = ToneMap::new(HdrColor::new(hdr));
        criterion.bench_function(&format!("{name} to SDR, 1080x1920"), |bencher| {
            bencher.iter(|| assert!(map.apply(black_box(source), &mut upright.view_mut())));
        });
    }
    criterion.bench_function("make a tone map", |bencher| {
        bencher.iter(|| ToneMap::new(black_box(HdrColor::new(Hdr::Hlg))));
    });
    let bt601 = Encoding::of_matrix(6, true).and_then(Recolor::to_bt709).expect("a change");
    criterion.bench_function("BT.601 full range to BT.709 limited, 1080x1920", |bencher| {
        bencher.iter(|| bt601.apply(black_box(&mut upright.view_mut())));
    });
    let (over, alpha) = (Picture::new(WIDTH, HEIGHT), vec![128u8; WIDTH * HEIGHT]);
    let alpha = PlaneRef::new(&alpha, WIDTH, HEIGHT, WIDTH).expect("fits");
    criterion.bench_function("blend a 1080x1920 frame with alpha over another", |bencher| {
        bencher.iter(|| blend_over(&mut upright.view_mut(), black_box(over.view()), alpha));
    });
    criterion.bench_function("premultiply a 1080x1920 frame", |bencher| {
        bencher.iter(|| premultiply(black_box(&mut upright.view_mut()), alpha));
    });
    let bt709 = Encoding::of_matrix(1, false).expect("a matrix");
    let p3 = GamutMap::new(bt709, Primaries::DisplayP3);
    criterion.bench_function("Display P3 to BT.709, 1080x1920", |bencher| {
        bencher.iter(|| p3.apply(black_box(source), &mut upright.view_mut()));
    });
    let bt709 = ColorInfo { matrix: 1, full_range: false, primaries: 1, transfer: 1 };
    let hlg = ColorInfo { matrix: 9, full_range: false, primaries: 9, transfer: 18 };
    let cases = [
        ("1080x1920, 8 bit, untouched", (1080, 1920), false, bt709),
        ("1080x1920, 8 bit, from full range", (1080, 1920), false, ColorInfo { full_range: true, ..bt709 }),
        ("1080x1920, 10 bit", (1080, 1920), true, bt709),
        ("1170x2532, 8 bit", (1170, 2532), false, bt709),
        ("2160x3840, 8 bit", (2160, 3840), false, bt709),
        ("2160x3840, HLG", (2160, 3840), true, hlg),
    ];
    for (name, size, deep, color) in cases {
        let mut conversion = Conversion::new(size, deep, color).expect("can be made");
        let untouched = conversion.run().expect("can be converted");
        assert_eq!(untouched, name.ends_with("untouched"), "{name}");
        criterion.bench_function(&format!("from {name}"), |bencher| {
            bencher.iter(|| conversion.run().expect("can be converted"));
        });
    }
}

criterion_group!(benches, conversions);
criterion_main!(benches);
