//! A picture that moves: at any place between pixels, at any size, turned, and as opaque as wanted.

use std::borrow::Cow;
use std::ops::Range;

use multiversion::multiversion;

use super::alpha::{CHROMA_BASE, LUMA_BASE};
use super::inset::{Edging, edge_at};
use super::rounded::Rounded;
use super::{I420Mut, I420Ref, PlaneMut, PlaneRef, Pose};
use crate::text::Area;

/// Draws the pictures of a place that moves.
pub struct Moved {
    area: Area,
    /// From the left upper corner of the area.
    shape: Rounded,
    edging: Edging,
}

/// From a point of the canvas to one of the area.
#[derive(Clone, Copy)]
struct Back {
    /// The canvas's point that is the area's centre.
    center: (f32, f32),
    half: (f32, f32),
    /// The first row of the turn back, divided by the scale; the second one follows from it.
    turn: (f32, f32),
    scale: f32,
}

impl Back {
    fn at(self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.center.0, y - self.center.1);
        let (cos, sin) = self.turn;
        (dx * cos + dy * sin + self.half.0, dy * cos - dx * sin + self.half.1)
    }
}

/// From a point of the area to one of the picture.
#[derive(Clone, Copy)]
struct Camera {
    offset: (f32, f32),
    factor: (f32, f32),
}

impl Camera {
    fn at(self, u: f32, v: f32) -> (f32, f32) {
        (self.offset.0 + u * self.factor.0, self.offset.1 + v * self.factor.1)
    }
}

impl Moved {
    /// For pictures at `area` when they rest.
    pub fn new(area: Area, edging: &Edging) -> Self {
        let radius = edging.radius.min(area.width / 2).min(area.height / 2);
        Self { area, shape: Rounded::new((0, 0), (area.width, area.height), radius), edging: edging.clone() }
    }

    /// Draws `picture`, which is the area's content at any even size, as `pose` says. With `alpha` it is premultiplied.
    pub fn draw(&self, target: &mut I420Mut<'_>, picture: I420Ref<'_>, alpha: Option<PlaneRef<'_>>, pose: Pose) {
        if pose.scale <= 0.0 || pose.opacity <= 0.0 {
            return;
        }
        let (width, height) = (f64::from(self.area.width), f64::from(self.area.height));
        let (cos, sin) = (libm::cos(pose.rotation.to_radians()), libm::sin(pose.rotation.to_radians()));
        let center = (f64::from(self.area.x) + width / 2.0 + pose.x, f64::from(self.area.y) + height / 2.0 + pose.y);
        let back = Back {
            center: (center.0 as f32, center.1 as f32),
            half: ((width / 2.0) as f32, (height / 2.0) as f32),
            turn: ((cos / pose.scale) as f32, (sin / pose.scale) as f32),
            scale: pose.scale as f32,
        };
        // Only where it is, with what is around it.
        let reach = f64::from(self.edging.reach()) + 2.0;
        let corner = ((width / 2.0 + reach) * pose.scale, (height / 2.0 + reach) * pose.scale);
        let extent = ((corner.0 * cos).abs() + (corner.1 * sin).abs(), (corner.0 * sin).abs() + (corner.1 * cos).abs());
        let part = |center: f64, extent: f64, size: usize| {
            let at = |place: f64| (place.floor().clamp(0.0, size as f64) as usize) & !1;
            (at(center - extent), at(center + extent + 2.0).min(size))
        };
        let columns = part(center.0, extent.0, target.y.width());
        let rows = part(center.1, extent.1, target.y.height());

        let shrunk = pose.scale * pose.zoom.max(1.0) * width / picture.y.width() as f64;
        let picture = Smaller::of(picture, alpha, shrunk);
        let zoom = pose.zoom.max(1.0);
        let (across, down) = (picture.exact.0 / width, picture.exact.1 / height);
        let window = |focus: f64, size: f64| (focus * size).clamp(size / zoom / 2.0, size - size / zoom / 2.0);
        let offset = |focus: f64, size: f64, by: f64| ((window(focus, size) - size / zoom / 2.0) * by) as f32;
        let camera = Camera {
            offset: (offset(pose.focus.x, width, across), offset(pose.focus.y, height, down)),
            factor: ((across / zoom) as f32, (down / zoom) as f32),
        };
        let opacity = pose.opacity as f32;
        let [y, u, v] = &picture.planes;
        for (plane, samples, by, part) in
            [(&mut target.y, y, 1, Part::Luma), (&mut target.u, u, 2, Part::Blue), (&mut target.v, v, 2, Part::Red)]
        {
            let size = (picture.width / by, picture.height / by);
            let samples = Samples { samples: &samples.0, stride: samples.1, width: size.0, height: size.1 };
            let alpha = picture.alpha.as_ref().map(|(samples, stride)| Samples {
                samples,
                stride: *stride,
                width: picture.width,
                height: picture.height,
            });
            let task = Task { back, camera, opacity, samples, alpha, by: by as f32, part };
            self.draw_plane(plane, (columns.0 / by, columns.1 / by), (rows.0 / by, rows.1 / by), &task);
        }
    }

    fn draw_plane(&self, target: &mut PlaneMut<'_>, columns: (usize, usize), rows: (usize, usize), task: &Task<'_>) {
        let tables = (task.back.turn.1 == 0.0).then(|| Tables::new(columns, task));
        let (half, radius) = (task.back.half, self.shape.radius());
        let margin = task.by / task.back.scale;
        let reach = self.edging.reach() as f32 + margin;
        let has_edge = !self.edging.borders.is_empty() || self.edging.shadow;
        let mut scratch = [Vec::new(), Vec::new()];
        for y in rows.0..rows.1 {
            let row = target.row_mut(y);
            let start = task.back.at(0.5 * task.by, (y as f32 + 0.5) * task.by);
            let (du, dv) = (task.back.turn.0 * task.by, -task.back.turn.1 * task.by);
            // The columns where it and what is around it can be, and those with no corner, border or smooth edge.
            let within = |across: f32, down: f32| {
                let u = between(start.0 - half.0, du, across, columns);
                let v = between(start.1 - half.1, dv, down, columns);
                let first = u.start.max(v.start);
                first..u.end.min(v.end).max(first)
            };
            let outer = within(half.0 + reach, half.1 + reach);
            let inner = match has_edge && task.alpha.is_some() {
                true => outer.start..outer.start,
                false => within(half.0 - radius - margin, half.1 - margin),
            };
            let inner = inner.start.clamp(outer.start, outer.end)..inner.end.clamp(outer.start, outer.end);
            for x in (outer.start..inner.start).chain(inner.end..outer.end) {
                row[x] = self.pixel(row[x], x, y, has_edge, task);
            }
            let flat = &mut row[inner.clone()];
            match &tables {
                Some(tables) => tables.draw(flat, inner.start - columns.0, start.1, task, &mut scratch),
                None => draw_turned(
                    flat,
                    (start.0 + inner.start as f32 * du, start.1 + inner.start as f32 * dv),
                    (du, dv),
                    task,
                ),
            }
        }
    }

    /// What becomes of the sample `value` at `(x, y)`.
    fn pixel(&self, value: u8, x: usize, y: usize, has_edge: bool, task: &Task<'_>) -> u8 {
        let Task { back, camera, opacity, samples, alpha, by, part } = *task;
        let base = part.base();
        let (u, v) = back.at((x as f32 + 0.5) * by, (y as f32 + 0.5) * by);
        let distance = self.shape.distance(u, v) * back.scale / by;
        let cover = (0.5 - distance).clamp(0.0, 1.0);
        let mut under = f32::from(value);
        if has_edge && (cover < 1.0 || alpha.is_some()) {
            let (edge, share) = part.edge(edge_at(self.shape, &self.edging, u - 0.5, v - 0.5));
            under = under + edge * opacity - (under - base) * share * opacity;
        }
        if cover > 0.0 {
            let at = camera.at(u, v);
            let seen = samples.at(at.0 / by, at.1 / by) - base;
            let share = cover * opacity;
            let opaque = alpha.map_or(1.0, |alpha| alpha.at(at.0, at.1) / 255.0);
            under = under + seen * share - (under - base) * opaque * share;
        }
        (under + 0.5) as u8
    }
}

/// The columns of `columns` in which `start`, which grows by `step` from column to column, is at most `far` from zero.
fn between(start: f32, step: f32, far: f32, columns: (usize, usize)) -> Range<usize> {
    if far.is_nan() || far < 0.0 {
        return columns.0..columns.0;
    }
    let (first, end) = (columns.0 as f32, columns.1 as f32);
    let (from, to) = match step == 0.0 {
        true if start.abs() <= far => (first, end),
        true => (first, first),
        false => {
            let (one, other) = ((-far - start) / step, (far - start) / step);
            (one.min(other).ceil().clamp(first, end), (one.max(other).floor() + 1.0).clamp(first, end))
        }
    };
    from as usize..(to as usize).max(from as usize)
}

/// Draws samples that are covered whole, of a picture that is turned; the first one is at the point `at` of the area, and
/// each is `step` further.
fn draw_turned(target: &mut [u8], at: (f32, f32), step: (f32, f32), task: &Task<'_>) {
    let Task { camera, opacity, samples, alpha, by, part, .. } = *task;
    let seen = Line::new(camera, at, step, by, samples);
    let base = part.base();
    let Some(alpha) = alpha else {
        for (number, target) in target.iter_mut().enumerate() {
            let over = seen.at(number);
            *target = match opacity >= 1.0 {
                true => ((over + (1 << 15)) >> 16) as u8,
                false => {
                    let under = f32::from(*target);
                    (under + (over as f32 / 65_536.0 - under) * opacity + 0.5) as u8
                }
            };
        }
        return;
    };
    let opaque = Line::new(camera, at, step, 1.0, alpha);
    for (number, target) in target.iter_mut().enumerate() {
        let share = opaque.at(number) as f32 * (opacity / (255.0 * 65_536.0));
        if share > 0.0 {
            let under = f32::from(*target) - base;
            let over = seen.at(number) as f32 / 65_536.0 - base;
            *target = (base + under + over * opacity - under * share + 0.5) as u8;
        }
    }
}

/// Points along a line over a plane, in 65,536 parts of a sample.
struct Line<'a> {
    start: (i32, i32),
    step: (i32, i32),
    samples: Samples<'a>,
}

impl<'a> Line<'a> {
    fn new(camera: Camera, at: (f32, f32), step: (f32, f32), by: f32, samples: Samples<'a>) -> Self {
        let fixed = |value: f32| (value * 65_536.0) as i32;
        let (x, y) = camera.at(at.0, at.1);
        let (dx, dy) = (step.0 * camera.factor.0, step.1 * camera.factor.1);
        Self { start: (fixed(x / by - 0.5), fixed(y / by - 0.5)), step: (fixed(dx / by), fixed(dy / by)), samples }
    }

    /// The value at point `number`, in 65,536 parts, to 256 parts between samples.
    fn at(&self, number: usize) -> u32 {
        let Samples { samples, stride, width, height } = self.samples;
        let along = |start: i32, step: i32, size: usize| {
            let at = start.wrapping_add(step.wrapping_mul(number as i32)).clamp(0, (size as i32 - 1) << 16) as u32;
            ((at >> 16) as usize, (at >> 8) & 255)
        };
        let (x, across) = along(self.start.0, self.step.0, width);
        let (y, down) = along(self.start.1, self.step.1, height);
        let right = usize::from(x + 1 < width);
        let first = y * stride + x;
        let second = if y + 1 < height { first + stride } else { first };
        let value = |at: usize| samples.get(at).map_or(0, |&value| u32::from(value));
        let upper = value(first) * (256 - across) + value(first + right) * across;
        let lower = value(second) * (256 - across) + value(second + right) * across;
        upper * (256 - down) + lower * down
    }
}

/// Where the columns of a plane are in the picture, for one that is not turned.
struct Tables {
    samples: Vec<Between>,
    alpha: Vec<Between>,
}

/// A point between two neighbouring samples.
#[derive(Clone, Copy)]
struct Between {
    first: u32,
    second: u32,
    /// How much of the second one, in 256 parts.
    weight: u32,
}

impl Between {
    /// The point `at` of `size` samples, whose centres are at halves; beyond the ends it is the last one.
    fn new(at: f32, size: usize) -> Self {
        let at = (at - 0.5).clamp(0.0, (size - 1) as f32);
        let first = at as u32;
        let weight = ((at - first as f32) * 256.0 + 0.5) as u32;
        Self { first, second: (first + 1).min(size as u32 - 1), weight }
    }
}

impl Tables {
    fn new(columns: (usize, usize), task: &Task<'_>) -> Self {
        let at = |x: usize| {
            let (u, v) = task.back.at((x as f32 + 0.5) * task.by, task.back.center.1);
            task.camera.at(u, v).0
        };
        let samples = (columns.0..columns.1).map(|x| Between::new(at(x) / task.by, task.samples.width)).collect();
        let alpha = match task.alpha {
            Some(alpha) => (columns.0..columns.1).map(|x| Between::new(at(x), alpha.width)).collect(),
            None => Vec::new(),
        };
        Self { samples, alpha }
    }

    /// Draws samples that are covered whole, the first one that of column `first`; `v` is their row in the area.
    fn draw(&self, target: &mut [u8], first: usize, v: f32, task: &Task<'_>, scratch: &mut [Vec<u16>; 2]) {
        let Task { back, camera, opacity, samples, alpha, by, part } = *task;
        let down = camera.at(back.half.0, v).1;
        let [row, alpha_row] = scratch;
        samples.row_between(Between::new(down / by, samples.height), row);
        let seen = |at: &Between| {
            let (one, other) = (u32::from(row[at.first as usize]), u32::from(row[at.second as usize]));
            (one * (256 - at.weight) + other * at.weight) >> 8
        };
        let places = &self.samples[first..first + target.len()];
        let Some(alpha) = alpha else {
            if opacity >= 1.0 {
                for (target, at) in target.iter_mut().zip(places) {
                    *target = ((seen(at) + 128) >> 8) as u8;
                }
            } else {
                for (target, at) in target.iter_mut().zip(places) {
                    let (under, over) = (f32::from(*target), seen(at) as f32 / 256.0);
                    *target = (under + (over - under) * opacity + 0.5) as u8;
                }
            }
            return;
        };
        alpha.row_between(Between::new(down, alpha.height), alpha_row);
        let opaque = |at: &Between| {
            let (one, other) = (u32::from(alpha_row[at.first as usize]), u32::from(alpha_row[at.second as usize]));
            (one * (256 - at.weight) + other * at.weight) as f32
        };
        let base = part.base();
        let places = places.iter().zip(&self.alpha[first..first + target.len()]);
        for (target, (at, alpha_at)) in target.iter_mut().zip(places) {
            let opaque = opaque(alpha_at);
            if opaque == 0.0 {
                continue;
            }
            let share = opaque * (opacity / (255.0 * 65_536.0));
            let under = f32::from(*target) - base;
            let over = seen(at) as f32 / 256.0 - base;
            *target = (base + under + over * opacity - under * share + 0.5) as u8;
        }
    }
}

/// What is drawn on one plane.
struct Task<'a> {
    back: Back,
    camera: Camera,
    opacity: f32,
    samples: Samples<'a>,
    alpha: Option<Samples<'a>>,
    /// Pixels of the canvas that a sample is wide and high.
    by: f32,
    part: Part,
}

/// Which of Y', Cb and Cr.
#[derive(Clone, Copy)]
enum Part {
    Luma,
    Blue,
    Red,
}

impl Part {
    fn base(self) -> f32 {
        f32::from(if matches!(self, Self::Luma) { LUMA_BASE } else { CHROMA_BASE })
    }

    /// A premultiplied colour's distance from black or grey in code values, and its alpha (ITU-R BT.709-6, limited range).
    fn edge(self, [r, g, b, a]: [u8; 4]) -> (f32, f32) {
        let [r, g, b] = [r, g, b].map(f32::from);
        let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let value = match self {
            Self::Luma => luma * (219.0 / 255.0),
            Self::Blue => (b - luma) / 1.8556 * (224.0 / 255.0),
            Self::Red => (r - luma) / 1.5748 * (224.0 / 255.0),
        };
        (value, f32::from(a) / 255.0)
    }
}

/// A plane whose rows are `stride` samples apart.
#[derive(Clone, Copy)]
struct Samples<'a> {
    samples: &'a [u8],
    stride: usize,
    width: usize,
    height: usize,
}

impl Samples<'_> {
    /// The values between two rows, in 256 parts.
    fn row_between(&self, at: Between, out: &mut Vec<u16>) {
        let row = |y: u32| &self.samples[y as usize * self.stride..][..self.width];
        out.resize(self.width, 0);
        mix_rows(row(at.first), row(at.second), at.weight as u16, out);
    }

    /// The value at a point, between the nearest four samples; beyond the edges it goes on as they are.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = ((x - 0.5).clamp(0.0, (self.width - 1) as f32), (y - 0.5).clamp(0.0, (self.height - 1) as f32));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let value = |x: usize, y: usize| f32::from(self.samples[y * self.stride + x]);
        let upper = value(left, top) + (value(right, top) - value(left, top)) * dx;
        let lower = value(left, bottom) + (value(right, bottom) - value(left, bottom)) * dx;
        upper + (lower - upper) * dy
    }
}

/// `weight` of 256 parts of `other`, and the rest of `one`, in 256 parts.
#[multiversion(targets = "simd")]
fn mix_rows(one: &[u8], other: &[u8], weight: u16, out: &mut [u16]) {
    for (out, (&one, &other)) in out.iter_mut().zip(one.iter().zip(other)) {
        *out = u16::from(one) * (256 - weight) + u16::from(other) * weight;
    }
}

/// Samples, and how far apart their rows are.
type Rows<'a> = (Cow<'a, [u8]>, usize);

/// A picture at a size from which it is not made smaller by more than half.
struct Smaller<'a> {
    planes: [Rows<'a>; 3],
    alpha: Option<Rows<'a>>,
    width: usize,
    height: usize,
    /// The whole picture's size in these pixels: what does not make a pixel of its own is left out, and the rest is not
    /// stretched.
    exact: (f64, f64),
}

impl<'a> Smaller<'a> {
    /// `scale`: what a pixel of `picture` is on the canvas.
    fn of(picture: I420Ref<'a>, alpha: Option<PlaneRef<'a>>, mut scale: f64) -> Self {
        let (mut width, mut height) = (picture.y.width(), picture.y.height());
        let mut exact = (width as f64, height as f64);
        let rows = |plane: PlaneRef<'a>| -> Rows<'a> {
            let (samples, stride) = plane.samples();
            (Cow::Borrowed(samples), stride)
        };
        let mut planes = [picture.y, picture.u, picture.v].map(rows);
        let mut alpha = alpha.map(rows);
        while scale < 0.5 && width >= 8 && height >= 8 {
            // Chroma keeps a whole half.
            let (half_width, half_height) = ((width / 2) & !1, (height / 2) & !1);
            let half = |(plane, stride): &Rows<'a>, by: usize| -> Rows<'a> {
                (Cow::Owned(halved(plane, *stride, half_width / by, half_height / by)), half_width / by)
            };
            planes = [half(&planes[0], 1), half(&planes[1], 2), half(&planes[2], 2)];
            alpha = alpha.map(|alpha| half(&alpha, 1));
            (width, height, scale) = (half_width, half_height, scale * 2.0);
            exact = (exact.0 / 2.0, exact.1 / 2.0);
        }
        Self { planes, alpha, width, height, exact }
    }
}

/// The means of two by two samples: `width` by `height` of them, of a plane whose rows are `stride` samples apart.
pub(crate) fn halved(plane: &[u8], stride: usize, width: usize, height: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom) = (&plane[2 * y * stride..][..2 * width], &plane[(2 * y + 1) * stride..][..2 * width]);
        // A pair is one number of 16 bits, so that many are added at once.
        let sum = |pair: &[u8; 2]| {
            let pair = u16::from_le_bytes(*pair);
            (pair & 255) + (pair >> 8)
        };
        let pairs = top.as_chunks::<2>().0.iter().zip(bottom.as_chunks::<2>().0);
        out.extend(pairs.map(|(top, bottom)| ((sum(top) + sum(bottom) + 2) / 4) as u8));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compose::Focus;

    const WIDTH: usize = 48;
    const HEIGHT: usize = 64;

    struct Picture {
        planes: [Vec<u8>; 3],
        size: (usize, usize),
    }

    impl Picture {
        /// With the luma that `luma` gives, and chroma of one colour.
        fn new(size: (usize, usize), luma: impl Fn(usize, usize) -> u8, chroma: [u8; 2]) -> Self {
            let samples = size.0 * size.1;
            let y = (0..samples).map(|at| luma(at % size.0, at / size.0)).collect();
            Self { planes: [y, vec![chroma[0]; samples / 4], vec![chroma[1]; samples / 4]], size }
        }

        fn view(&self) -> I420Ref<'_> {
            let (width, height) = self.size;
            let plane = |data, by: usize| PlaneRef::new(data, width / by, height / by, width / by).expect("fits");
            I420Ref { y: plane(&self.planes[0], 1), u: plane(&self.planes[1], 2), v: plane(&self.planes[2], 2) }
        }

        fn view_mut(&mut self) -> I420Mut<'_> {
            let (width, height) = self.size;
            let [y, u, v] = &mut self.planes;
            I420Mut {
                y: PlaneMut::new(y, width, height, width).expect("fits"),
                u: PlaneMut::new(u, width / 2, height / 2, width / 2).expect("fits"),
                v: PlaneMut::new(v, width / 2, height / 2, width / 2).expect("fits"),
            }
        }

        fn luma(&self, x: usize, y: usize) -> u8 {
            self.planes[0][y * self.size.0 + x]
        }
    }

    fn gray() -> Picture {
        Picture::new((WIDTH, HEIGHT), |_, _| 60, [100, 180])
    }

    fn drawn(area: Area, edging: &Edging, picture: &Picture, pose: Pose) -> Picture {
        let mut canvas = gray();
        Moved::new(area, edging).draw(&mut canvas.view_mut(), picture.view(), None, pose);
        canvas
    }

    const AREA: Area = Area { x: 8, y: 12, width: 24, height: 32 };

    /// Columns and rows that are told apart.
    fn pattern() -> Picture {
        Picture::new((24, 32), |x, y| (20 + 5 * x + 3 * y) as u8, [140, 90])
    }

    #[test]
    fn at_rest_it_is_the_picture_at_its_place() {
        let canvas = drawn(AREA, &Edging::default(), &pattern(), Pose::REST);
        for (y, x) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (y, x))) {
            let inside = (8..32).contains(&x) && (12..44).contains(&y);
            let meant = if inside { pattern().luma(x - 8, y - 12) } else { 60 };
            assert_eq!(canvas.luma(x, y), meant, "({x}, {y})");
        }
        assert_eq!((canvas.planes[1][0], canvas.planes[1][10 * WIDTH / 2 + 10]), (100, 140));
    }

    proptest! {
        /// Between pixels and for every opacity within 1 of the exact value: a slope moved by any distance is the slope there.
        #[test]
        fn it_is_exact_between_pixels(
            x in -6.0f64..6.0, y in -6.0f64..6.0, opacity in 0.0f64..=1.0, zoom in 1.0f64..3.0, scale in 0.6f64..2.0,
        ) {
            let pose = Pose { x, y, opacity, zoom, scale, ..Pose::REST };
            let canvas = drawn(AREA, &Edging::default(), &pattern(), pose);
            for (row, column) in (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (row, column))) {
                let at = |place: usize, start: i32, size: u32, moved: f64| {
                    (place as f64 + 0.5 - f64::from(start) - f64::from(size) / 2.0 - moved) / scale
                };
                let (dx, dy) = (at(column, AREA.x, AREA.width, x), at(row, AREA.y, AREA.height, y));
                let within = |distance: f64, size: u32, by: f64| distance.abs() < f64::from(size) / 2.0 - by / scale;
                let exact = if within(dx, AREA.width, 1.0) && within(dy, AREA.height, 1.0) {
                    // Samples are at the centres of pixels; what lies beyond the outermost goes on as they are.
                    let (across, down) = (dx / zoom + 11.5, dy / zoom + 15.5);
                    let seen = 20.0 + 5.0 * across.clamp(0.0, 23.0) + 3.0 * down.clamp(0.0, 31.0);
                    seen * opacity + 60.0 * (1.0 - opacity)
                } else if !within(dx, AREA.width, -1.0) || !within(dy, AREA.height, -1.0) {
                    60.0
                } else {
                    continue;
                };
                let found = f64::from(canvas.luma(column, row));
                prop_assert!((found - exact).abs() <= 1.0, "{found} for {exact} at ({column}, {row})");
            }
        }
    }

    #[test]
    fn a_quarter_turn_is_exact() {
        let canvas = drawn(AREA, &Edging::default(), &pattern(), Pose { rotation: 90.0, ..Pose::REST });
        // Around (20, 28): what was above is on the right.
        for (x, y) in [(5, 17), (20, 28), (35, 39), (10, 30)] {
            let (inner_x, inner_y) = (y + 12 - 28, 20 + 16 - x - 1);
            assert!(canvas.luma(x, y).abs_diff(pattern().luma(inner_x, inner_y)) <= 1, "({x}, {y})");
        }
        assert_eq!((canvas.luma(20, 14), canvas.luma(20, 42), canvas.luma(3, 28)), (60, 60, 60));
    }

    #[test]
    fn what_is_around_it_moves_along_and_nothing_is_drawn_of_nothing() {
        let borders = vec![crate::compose::Border { width: 4, color: [255; 3] }];
        let edging = Edging { radius: 6, borders, shadow: false };
        let flat = Picture::new((24, 32), |_, _| 120, [128, 128]);
        let canvas = drawn(AREA, &edging, &flat, Pose { x: 3.0, y: 2.0, ..Pose::REST });
        let row: Vec<u8> = (0..WIDTH).map(|x| canvas.luma(x, 30)).collect();
        let expected = [vec![60; 7], vec![235; 4], vec![120; 24], vec![235; 4], vec![60; 9]].concat();
        assert_eq!(row, expected);
        for pose in [Pose { scale: 0.0, ..Pose::REST }, Pose { opacity: 0.0, ..Pose::REST }] {
            assert_eq!(drawn(AREA, &edging, &flat, pose).planes, gray().planes);
        }
    }

    #[test]
    fn the_camera_looks_at_its_focus() {
        let corner = Pose { zoom: 2.0, focus: Focus { x: 0.0, y: 1.0 }, ..Pose::REST };
        let canvas = drawn(AREA, &Edging::default(), &pattern(), corner);
        // The left lower quarter fills the area.
        assert!(canvas.luma(9, 42).abs_diff(pattern().luma(0, 31)) <= 3);
        assert!(canvas.luma(30, 13).abs_diff(pattern().luma(11, 16)) <= 4);
    }

    #[test]
    fn a_small_one_is_a_mean_and_not_a_choice() {
        // Lines of one pixel: made four times smaller they are grey.
        let lines = Picture::new((24, 32), |x, _| if x % 2 == 0 { 16 } else { 216 }, [128, 128]);
        let canvas = drawn(AREA, &Edging::default(), &lines, Pose { scale: 0.25, ..Pose::REST });
        assert!(canvas.luma(20, 28).abs_diff(116) <= 2, "{}", canvas.luma(20, 28));
    }
}
