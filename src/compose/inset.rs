//! A picture on a part of the canvas: with rounded corners, borders and a shadow.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::alpha::{CHROMA_BASE, LUMA_BASE, each_chroma_alpha};
use super::rounded::Rounded;
use super::{I420Mut, I420Ref, PlaneMut, PlaneRef, Sprite};
use crate::text::Area;

/// What is drawn around a picture on the canvas. Default: nothing, and square corners.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Edging {
    /// The radius of the picture's corners in pixels; at most half of its shorter side counts, which makes a circle of a
    /// square.
    pub radius: u32,
    /// Borders outside of the picture, the innermost first.
    pub borders: Vec<Border>,
    /// Whether it throws a soft shadow.
    pub shadow: bool,
}

/// A border of one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Border {
    /// Its width in pixels.
    pub width: u32,
    /// Red, green and blue, sRGB.
    pub color: [u8; 3],
}

/// How far a shadow reaches, how far down it falls, in pixels, and how dark it is at the edge.
const SHADOW: (f32, f32, f32) = (48.0, 14.0, 0.45);

impl Edging {
    /// Whether there is nothing.
    pub fn is_plain(&self) -> bool {
        self.radius == 0 && self.borders.is_empty() && !self.shadow
    }

    /// How far it reaches beyond the picture, in pixels: more than that at no side.
    pub(crate) fn reach(&self) -> u32 {
        let borders: u32 = self.borders.iter().map(|border| border.width).sum();
        borders + if self.shadow { (SHADOW.0 + SHADOW.1) as u32 } else { 0 }
    }
}

/// A place on the canvas for pictures, with all that does not change from frame to frame made once.
pub struct Inset {
    area: Area,
    /// What of the pixels in the left upper corner is inside, 0 to 255; the other corners are its mirrors.
    luma: Corner,
    chroma: Corner,
    /// Borders and shadow, in strips around what the picture covers whole.
    around: Vec<Sprite>,
}

impl Inset {
    /// For pictures of the size of `area`, all of whose numbers are even, on a canvas of an even `canvas`. `is_opaque`:
    /// whether the pictures have no alpha of their own.
    pub fn new(area: Area, edging: &Edging, canvas: (u32, u32), is_opaque: bool) -> Self {
        let radius = edging.radius.min(area.width / 2).min(area.height / 2);
        let luma = Corner::new(radius);
        let chroma = luma.halved();
        Self { area, luma, chroma, around: around(area, radius, edging, canvas, is_opaque) }
    }

    /// Draws `picture`, of the size of the area, with what is around it. With `alpha` it is premultiplied; every sample is
    /// within 1 of the exact value. What lies outside of the canvas is left out. No allocation.
    pub fn draw(&self, target: &mut I420Mut<'_>, picture: I420Ref<'_>, alpha: Option<PlaneRef<'_>>) {
        for sprite in &self.around {
            sprite.blend(target);
        }
        let at = (self.area.x as isize, self.area.y as isize);
        let half = (at.0 / 2, at.1 / 2);
        match alpha {
            None => {
                lay(&mut target.y, at, picture.y, &self.luma);
                lay(&mut target.u, half, picture.u, &self.chroma);
                lay(&mut target.v, half, picture.v, &self.chroma);
            }
            Some(alpha) => {
                let full = |row: usize, columns: Range<usize>, with: &mut Blending<'_>| {
                    with(columns.clone(), &alpha.row(row)[columns]);
                };
                let mean = |row: usize, columns: Range<usize>, with: &mut Blending<'_>| {
                    each_chroma_alpha(alpha, row, columns, with);
                };
                blend(&mut target.y, at, picture.y, &self.luma, LUMA_BASE, full);
                blend(&mut target.u, half, picture.u, &self.chroma, CHROMA_BASE, mean);
                blend(&mut target.v, half, picture.v, &self.chroma, CHROMA_BASE, mean);
            }
        }
    }
}

/// Blends some columns of a row, given with their alpha.
type Blending<'a> = dyn FnMut(Range<usize>, &[u8]) + 'a;

/// How much of each pixel of a rounded corner is inside, row by row from its outer end.
struct Corner {
    side: usize,
    cover: Vec<u8>,
}

impl Corner {
    fn new(radius: u32) -> Self {
        // Even, so that chroma has its half; what is added is inside.
        let side = radius.next_multiple_of(2);
        let shape = Rounded::new((0, 0), (2 * side, 2 * side), radius);
        let inside = |y: u32| (0..side).map(move |x| to_byte(shape.cover(x as f32, y as f32) * 255.0));
        Self { side: side as usize, cover: (0..side).flat_map(inside).collect() }
    }

    /// At half the size: means of two by two pixels.
    fn halved(&self) -> Self {
        let side = self.side / 2;
        let mean = |at: usize| {
            let (x, y) = (2 * (at % side), 2 * (at / side));
            let sum: u16 =
                [(0, 0), (1, 0), (0, 1), (1, 1)].iter().map(|(dx, dy)| u16::from(self.at(x + dx, y + dy))).sum();
            ((sum + 2) / 4) as u8
        };
        Self { side, cover: (0..side * side).map(mean).collect() }
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        self.cover.get(y * self.side + x).copied().unwrap_or(255)
    }

    /// The row of the corner that row `y` of `height` rows crosses; `None` between the corners.
    fn row(&self, y: usize, height: usize) -> Option<&[u8]> {
        let y = y.min(height - 1 - y);
        (y < self.side).then(|| &self.cover[y * self.side..][..self.side])
    }
}

/// Of `length` samples from `start` on, those that are among `size`: from the first one, as many, and to where.
fn visible(start: isize, length: usize, size: usize) -> Option<(usize, usize, usize)> {
    let first = start.min(0).unsigned_abs();
    let to = start.max(0).unsigned_abs();
    let count = length.checked_sub(first)?.min(size.checked_sub(to)?);
    (count > 0).then_some((first, count, to))
}

/// What of a row of a picture is seen.
struct Row<'a> {
    /// Which row it is.
    number: usize,
    /// Its first column that is seen.
    left: usize,
    picture: &'a [u8],
    /// The row of the corner that crosses it; `None` between the corners.
    corner: Option<&'a [u8]>,
    /// How wide all of the picture is.
    width: usize,
}

impl Row<'_> {
    /// How much of its sample `at` is inside.
    fn cover(&self, at: usize) -> u8 {
        let x = self.left + at;
        self.corner.and_then(|corner| corner.get(x.min(self.width - 1 - x))).copied().unwrap_or(255)
    }
}

/// Calls `draw` with what is seen of each row of a plane at a place of the target.
fn each_row<'a>(
    target: &mut PlaneMut<'_>,
    (x, y): (isize, isize),
    from: PlaneRef<'a>,
    corner: &'a Corner,
    draw: impl Fn(&mut [u8], Row<'a>),
) {
    let (width, height) = (from.width(), from.height());
    let Some((left, columns, to)) = visible(x, width, target.width()) else { return };
    let Some((top, rows, down)) = visible(y, height, target.height()) else { return };
    for row in 0..rows {
        let number = top + row;
        let picture = &from.row(number)[left..left + columns];
        let row_of_it = Row { number, left, picture, corner: corner.row(number, height), width };
        draw(&mut target.row_mut(down + row)[to..to + columns], row_of_it);
    }
}

/// Puts an opaque plane on the target.
fn lay(target: &mut PlaneMut<'_>, at: (isize, isize), from: PlaneRef<'_>, corner: &Corner) {
    each_row(target, at, from, corner, |target, row| {
        let columns = target.len();
        // The two ends are mixed, and what is between them is copied.
        let side = row.corner.map_or(0, <[u8]>::len);
        let start = side.saturating_sub(row.left).min(columns);
        let end = (row.width - side).saturating_sub(row.left).clamp(start, columns);
        target[start..end].copy_from_slice(&row.picture[start..end]);
        for at in (0..start).chain(end..columns) {
            target[at] = mixed(target[at], row.picture[at], row.cover(at));
        }
    });
}

/// Blends a premultiplied plane over the target; `alpha` calls what it is given with the alpha of columns of a row.
fn blend(
    target: &mut PlaneMut<'_>,
    at: (isize, isize),
    from: PlaneRef<'_>,
    corner: &Corner,
    base: u8,
    alpha: impl Fn(usize, Range<usize>, &mut Blending<'_>),
) {
    each_row(target, at, from, corner, |target, row| {
        let left = row.left;
        alpha(row.number, left..left + target.len(), &mut |columns, alpha| {
            let part = columns.start - left..columns.end - left;
            let (target, over) = (&mut target[part.clone()], &row.picture[part.clone()]);
            if row.corner.is_none() {
                return super::alpha::blend(target, over, alpha, base);
            }
            for (at, ((target, &over), &alpha)) in part.zip(target.iter_mut().zip(over).zip(alpha)) {
                *target = blended(*target, over, alpha, row.cover(at), base);
            }
        });
    });
}

/// `cover` of 255 parts of `over`.
pub(super) fn mixed(under: u8, over: u8, cover: u8) -> u8 {
    let sum = u32::from(under) * u32::from(255 - cover) + u32::from(over) * u32::from(cover);
    ((sum * 257 + (1 << 15)) >> 16) as u8
}

/// A premultiplied value of which `cover` of 255 parts count, over another, with one rounding.
fn blended(under: u8, over: u8, alpha: u8, cover: u8, base: u8) -> u8 {
    const WHOLE: i32 = 255 * 255;
    let base = i32::from(base);
    let through = WHOLE - i32::from(alpha) * i32::from(cover);
    let sum = (i32::from(over) - base) * i32::from(cover) * 255 + (i32::from(under) - base) * through;
    (base + (sum + WHOLE / 2).div_euclid(WHOLE)).clamp(0, 255) as u8
}

/// Borders and shadow of a picture at `area`.
fn around(area: Area, radius: u32, edging: &Edging, canvas: (u32, u32), is_opaque: bool) -> Vec<Sprite> {
    if edging.borders.is_empty() && !edging.shadow {
        return Vec::new();
    }
    let reach = i64::from(edging.reach().next_multiple_of(2));
    let part = |start: i32, size: u32, whole: u32| {
        let end = (i64::from(start) + i64::from(size) + reach).clamp(0, whole.into());
        ((i64::from(start) - reach).clamp(0, whole.into()) as u32, end as u32)
    };
    let (left, right) = part(area.x, area.width, canvas.0);
    let (top, bottom) = part(area.y, area.height, canvas.1);
    // What the picture covers whole is not drawn. A circle of this radius reaches into its corner to 1 - 1/sqrt(2).
    let inset = if is_opaque { (radius * 3 / 10).next_multiple_of(2) + 2 } else { u32::MAX / 4 };
    let hole = |start: i32, size: u32, from: u32, to: u32| {
        let (start, inset) = (i64::from(start), i64::from(inset));
        let within = |at: i64| at.clamp(from.into(), to.into());
        let (first, end) = (within(start + inset), within(start + i64::from(size) - inset));
        (first as u32, end.max(first) as u32)
    };
    let (hole_left, hole_right) = hole(area.x, area.width, left, right);
    let (hole_top, hole_bottom) = hole(area.y, area.height, top, bottom);
    let strips = if hole_left < hole_right && hole_top < hole_bottom {
        vec![
            (left, top, right, hole_top),
            (left, hole_bottom, right, bottom),
            (left, hole_top, hole_left, hole_bottom),
            (hole_right, hole_top, right, hole_bottom),
        ]
    } else {
        vec![(left, top, right, bottom)]
    };
    let picture = Rounded::new((area.x, area.y), (area.width, area.height), radius);
    let sprite = |(left, top, right, bottom): (u32, u32, u32, u32)| {
        let mut rgba = Vec::with_capacity((right - left) as usize * (bottom - top) as usize * 4);
        for y in top..bottom {
            for x in left..right {
                rgba.extend(edge_at(picture, edging, x as f32, y as f32));
            }
        }
        Sprite::from_premultiplied_rgba(left, top, right - left, bottom - top, &rgba)
    };
    strips.into_iter().filter(|(left, top, right, bottom)| left < right && top < bottom).filter_map(sprite).collect()
}

/// The premultiplied colour of what is around a picture, for the canvas's pixel at `(x, y)`.
pub(super) fn edge_at(picture: Rounded, edging: &Edging, x: f32, y: f32) -> [u8; 4] {
    let widths: f32 = edging.borders.iter().map(|border| border.width as f32).sum();
    let (mut color, mut alpha) = ([0.0f32; 3], 0.0f32);
    if edging.shadow {
        let (reach, fall, dark) = SHADOW;
        let distance = picture.grown(widths).lowered(fall).distance(x + 0.5, y + 0.5);
        let near = (1.0 - distance.max(0.0) / reach).clamp(0.0, 1.0);
        alpha = dark * near * near;
    }
    let mut grown = widths;
    for border in edging.borders.iter().rev() {
        let cover = picture.grown(grown).cover(x, y);
        color.iter_mut().zip(border.color).for_each(|(part, to)| *part += (f32::from(to) - *part) * cover);
        alpha += (1.0 - alpha) * cover;
        grown -= border.width as f32;
    }
    let [r, g, b] = color.map(to_byte);
    [r, g, b, to_byte(alpha * 255.0)]
}

fn to_byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDTH: usize = 40;
    const HEIGHT: usize = 60;
    const UNDER: [u8; 3] = [60, 90, 200];

    /// A picture of one colour.
    struct Flat {
        planes: [Vec<u8>; 3],
        size: (usize, usize),
    }

    impl Flat {
        fn new((width, height): (usize, usize), color: [u8; 3]) -> Self {
            let plane = |value, by: usize| vec![value; (width / by) * (height / by)];
            Self { planes: [plane(color[0], 1), plane(color[1], 2), plane(color[2], 2)], size: (width, height) }
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
    }

    fn drawn(area: Area, edging: &Edging, color: [u8; 3], alpha: Option<u8>) -> Flat {
        drawn_on((WIDTH, HEIGHT), area, edging, color, alpha)
    }

    fn drawn_on(
        (width, height): (usize, usize),
        area: Area,
        edging: &Edging,
        color: [u8; 3],
        alpha: Option<u8>,
    ) -> Flat {
        let mut canvas = Flat::new((width, height), UNDER);
        let size = (area.width as usize, area.height as usize);
        let picture = Flat::new(size, color);
        let mask = vec![alpha.unwrap_or(255); size.0 * size.1];
        let mask = alpha.and(PlaneRef::new(&mask, size.0, size.1, size.0));
        let place = Inset::new(area, edging, (width as u32, height as u32), alpha.is_none());
        place.draw(&mut canvas.view_mut(), picture.view(), mask);
        canvas
    }

    /// How much of a pixel lies in a rectangle with rounded corners, by 16x16 points in it.
    fn covered(area: Area, radius: f64, x: usize, y: usize) -> f64 {
        let inside = |x: f64, y: f64| {
            let (x, y) = (x - f64::from(area.x), y - f64::from(area.y));
            let (width, height) = (f64::from(area.width), f64::from(area.height));
            let past = |at: f64, size: f64| (radius - at).max(at - (size - radius)).max(0.0);
            x > 0.0 && y > 0.0 && x < width && y < height && past(x, width).hypot(past(y, height)) <= radius
        };
        let points = (0..256).filter(|at| {
            let point = |at: usize, part: usize| at as f64 + (part as f64 + 0.5) / 16.0;
            inside(point(x, at % 16), point(y, at / 16))
        });
        points.count() as f64 / 256.0
    }

    proptest! {
        /// Within 1 of the exact value for every opacity of the picture, and everywhere but at round corners, where a pixel's
        /// share of the picture is an estimate to a fifteenth.
        #[test]
        fn a_picture_is_where_it_belongs(
            x in -30i32..30, y in -40i32..40, width in 1u32..30, height in 1u32..30, radius in 0u32..20,
            color in prop::array::uniform3(16u8..=235), alpha in prop::option::of(any::<u8>()),
        ) {
            let area = Area { x: 2 * x, y: 2 * y, width: 2 * width, height: 2 * height };
            // Premultiplied: nothing is further from black than its alpha.
            let share = f64::from(alpha.unwrap_or(255)) / 255.0;
            let premultiplied = [(color[0], 16.0), (color[1], 128.0), (color[2], 128.0)]
                .map(|(value, base)| (base + (f64::from(value) - base) * share).round());
            let edging = Edging { radius, ..Edging::default() };
            let canvas = drawn(area, &edging, premultiplied.map(|value| value as u8), alpha);
            let round = f64::from(radius.min(width).min(height));
            for (at, &found) in canvas.planes[0].iter().enumerate() {
                let cover = covered(area, round, at % WIDTH, at / WIDTH);
                let (over, under) = (premultiplied[0] - 16.0, f64::from(UNDER[0]) - 16.0);
                let exact = 16.0 + over * cover + under * (1.0 - share * cover);
                let apart = (f64::from(found) - exact).abs();
                let (column, row) = (at % WIDTH, at / WIDTH);
                let around = (row.saturating_sub(1)..row + 2)
                    .flat_map(|row| (column.saturating_sub(1)..column + 2).map(move |column| (column, row)));
                // At a corner's edge, which a pixel may touch without a point that is looked at.
                let is_edge = round > 0.0 && around.into_iter().any(|(x, y)| covered(area, round, x, y) != cover);
                let most = if is_edge { 1.0 + 255.0 / 15.0 } else { 1.0 };
                prop_assert!(apart <= most, "{found} for {exact} at {at}, {cover} covered");
            }
        }
    }

    proptest! {
        /// What reaches beyond the canvas is cut off, and changes nothing of what is left.
        #[test]
        fn the_canvas_is_a_part_of_a_larger_one(
            x in -40i32..40, y in -50i32..50, width in 1u32..40, height in 1u32..50, radius in 0u32..30,
            borders in prop::collection::vec(1u32..9, 0..3), shadow: bool, alpha in prop::option::of(any::<u8>()),
        ) {
            const AROUND: usize = 100;
            let borders = borders.into_iter().map(|width| Border { width, color: [250, 20, 90] }).collect();
            let edging = Edging { radius, borders, shadow };
            let area = Area { x: 2 * x, y: 2 * y, width: 2 * width, height: 2 * height };
            let moved = Area { x: area.x + AROUND as i32, y: area.y + AROUND as i32, ..area };
            let color = [40, 100, 150];
            let small = drawn(area, &edging, color, alpha);
            let large = drawn_on((WIDTH + 2 * AROUND, HEIGHT + 2 * AROUND), moved, &edging, color, alpha);
            for (plane, by) in [(0, 1), (1, 2), (2, 2)] {
                let (width, around, stride) = (WIDTH / by, AROUND / by, (WIDTH + 2 * AROUND) / by);
                for (row, small) in small.planes[plane].chunks_exact(width).enumerate() {
                    let large = &large.planes[plane][(around + row) * stride + around..][..width];
                    prop_assert_eq!(small, large, "plane {}, row {}", plane, row);
                }
            }
        }
    }

    #[test]
    fn chroma_lies_below_its_luma() {
        let area = Area { x: 10, y: 20, width: 12, height: 16 };
        let canvas = drawn(area, &Edging::default(), [200, 50, 60], None);
        for (at, &u) in canvas.planes[1].iter().enumerate() {
            let (x, y) = (at % (WIDTH / 2), at / (WIDTH / 2));
            let inside = (5..11).contains(&x) && (10..18).contains(&y);
            assert_eq!(u, if inside { 50 } else { UNDER[1] }, "({x}, {y})");
        }
    }

    #[test]
    fn borders_go_around_and_nothing_is_left_between() {
        let area = Area { x: 10, y: 16, width: 20, height: 24 };
        let borders = vec![Border { width: 2, color: [255; 3] }, Border { width: 4, color: [0; 3] }];
        for radius in [0, 6, 10] {
            let edging = Edging { radius, borders: borders.clone(), shadow: false };
            let canvas = drawn(area, &edging, [100, 128, 128], None);
            let row: Vec<u8> = canvas.planes[0][28 * WIDTH..][..WIDTH].to_vec();
            let expected =
                [vec![60; 4], vec![16; 4], vec![235; 2], vec![100; 20], vec![235; 2], vec![16; 4], vec![60; 4]];
            assert_eq!(row, expected.concat(), "radius {radius}");
            // Where white meets the picture, nothing of what is below shines through.
            let luma = &canvas.planes[0];
            let least = (17..39).flat_map(|y| &luma[y * WIDTH + 11..y * WIDTH + 29]).min();
            assert!(least >= Some(&100), "radius {radius}: {least:?}");
        }
    }

    #[test]
    fn a_shadow_is_darkest_below_and_ends() {
        let area = Area { x: 14, y: 10, width: 12, height: 12 };
        let canvas = drawn(area, &Edging { shadow: true, ..Edging::default() }, [200, 128, 128], None);
        let luma = |x: usize, y: usize| canvas.planes[0][y * WIDTH + x];
        assert_eq!(luma(20, 15), 200, "it does not lie on the picture");
        assert!(luma(20, 23) < luma(20, 8), "{} below, {} above", luma(20, 23), luma(20, 8));
        let down: Vec<u8> = (36..HEIGHT).map(|y| luma(20, y)).collect();
        // Two roundings may go one against the other.
        let rises = down.windows(2).all(|pair| pair[1] + 1 >= pair[0]);
        assert!(rises && down[0] < down[23] && down[23] < UNDER[0], "{down:?}");
        for y in 0..HEIGHT {
            for x in 0..WIDTH / 2 {
                assert_eq!(luma(x, y), luma(WIDTH - 1 - x, y), "it is as wide on both sides");
            }
        }
    }
}
