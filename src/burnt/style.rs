//! What a line looks like: its colours, its rim, its box.

use serde::{Deserialize, Serialize};

use super::components::Bounds;
use super::crop::Crop;
use super::lines::Line;
use crate::compose::Encoding;
use crate::text::{Align, Rgba};

/// How a found text looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundStyle {
    /// The size of its font in pixels of the source, by the height of its letters.
    pub font_size: f64,
    /// How its lines lie to each other, or to the picture if there is one line.
    pub align: Align,
    /// Degrees by which its lines are turned clockwise where it is read, -30 to 30; 0 for level ones. What turns around may be read upside
    /// down: then -180 to 180.
    #[serde(default)]
    pub rotation: f64,
    /// The colour of the most letters.
    pub color: Rgba,
    /// The rim of its letters.
    pub stroke: Option<FoundStroke>,
    /// What is behind it.
    #[serde(rename = "box")]
    pub backdrop: Option<FoundBox>,
    /// How it comes; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enter: Option<FoundChange>,
    /// How it goes; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<FoundChange>,
}

/// How a text comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundChange {
    /// What it looks like.
    pub kind: FoundChangeKind,
    /// How many frames of the output's clock it takes.
    pub frames: u64,
}

/// What a text's coming or going looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundChangeKind {
    /// It stands where it is read, and is seen through.
    Fade,
    /// Its size changes.
    Pop,
    /// It moves to where it is read, or away from it.
    Slide,
}

/// The rim of letters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundStroke {
    /// Its colour.
    pub color: Rgba,
    /// Its width in pixels of the source.
    pub width: u32,
}

/// A box behind a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundBox {
    /// Its colour.
    pub color: Rgba,
    /// How far it reaches beyond the letters, in pixels of the source.
    pub padding: u32,
}

/// What surrounds the letters of a line, from the nearest out.
#[derive(Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) stroke: Option<FoundStroke>,
    pub(super) backdrop: Option<FoundBox>,
}

/// Code values, of luma and both colour differences together, within which a pixel has a box's colour at most, and at least.
const BOX: f64 = 24.0;
const EVEN: f64 = 4.0;

/// The mean of pixels of a kind, and how far they are from it.
struct Ring {
    color: [f64; 3],
    spread: f64,
}

impl Ring {
    /// The pixels of a crop that are `at` pixels from the letters; `None` if there are few of them.
    fn of(crop: &Crop, far: &[u8], at: u8) -> Option<Self> {
        let pixels: Vec<usize> = far.iter().enumerate().filter(|(_, far)| **far == at).map(|(at, _)| at).collect();
        if pixels.len() < 12 {
            return None;
        }
        let mean =
            |plane: usize| pixels.iter().map(|&at| f64::from(crop.color(at)[plane])).sum::<f64>() / pixels.len() as f64;
        let color = [mean(0), mean(1), mean(2)];
        // In space and in time.
        let spread =
            pixels.iter().map(|&at| (f64::from(crop.color(at)[0]) - color[0]).abs() + f64::from(crop.range(at)) / 2.0);
        Some(Self { color, spread: spread.sum::<f64>() / pixels.len() as f64 })
    }

    fn differs(&self, other: [f64; 3]) -> bool {
        self.apart(other) > 40.0
    }

    fn apart(&self, other: [f64; 3]) -> f64 {
        self.color.iter().zip(other).map(|(one, other)| (one - other).abs()).sum()
    }
}

/// Looks at what is around the letters of a line, which take `letters` and are `height` pixels high.
pub(super) fn surroundings(crop: &Crop, far: &[u8], height: f64, letters: Bounds) -> Surroundings {
    // The mean of a smooth edge lies between: a flat ring begins where it is over.
    let first =
        (2..=5).filter_map(|at| Ring::of(crop, far, at)).min_by(|one, other| one.spread.total_cmp(&other.spread));
    let nothing = Surroundings { stroke: None, backdrop: None };
    let Some(first) = first.filter(|ring| ring.spread < 30.0) else { return nothing };
    let reach = (height * 0.6).clamp(6.0, 90.0) as u8;
    let end = (3..=reach)
        .find(|&at| Ring::of(crop, far, at).is_none_or(|ring| ring.spread >= 36.0 || ring.differs(first.color)));
    // A rim is a fraction of a letter's height; what goes on is a box, if it has ends: else it is a ground that is even.
    let width = end.map_or(reach, |end| end - 1).into();
    let color = rgb_of(first.color);
    if f64::from(width) >= height * 0.32 {
        let tolerance = box_tolerance(crop, far, first.color);
        let is_box = |at: usize| first.apart(crop.color(at).map(f64::from)) <= tolerance;
        let near = near(crop, letters, height);
        let padding = padding(near, letters, box_around(crop, near, letters, is_box));
        return Surroundings { stroke: None, backdrop: padding.map(|padding| FoundBox { color, padding }) };
    }
    Surroundings { stroke: Some(FoundStroke { color, width }), backdrop: None }
}

/// Within how many code values of `color` the pixels of a box are, by those around the letters: it is evener than a wall of nearly
/// the same colour beside it.
pub(super) fn box_tolerance(crop: &Crop, far: &[u8], color: [f64; 3]) -> f64 {
    let apart =
        |at: usize| color.iter().zip(crop.color(at)).map(|(one, other)| (one - f64::from(other)).abs()).sum::<f64>();
    let around = far.iter().enumerate().filter(|(_, far)| (3..=6).contains(*far)).map(|(at, _)| apart(at));
    let (sum, count) =
        around.filter(|apart| *apart <= BOX).fold((0.0, 0.0), |(sum, count), apart| (sum + apart, count + 1.0));
    if count < 12.0 { BOX } else { (3.0 * sum / count + 3.0).clamp(EVEN, BOX) }
}

/// The part of a crop that is near to letters `height` pixels high: as far to the sides as the end of a box, or a letter that was
/// not found.
pub(super) fn near(crop: &Crop, letters: Bounds, height: f64) -> Bounds {
    let all = crop.bounds.unwrap_or(letters);
    let (across, down) = ((height * 1.2) as usize + 8, (height * 0.7) as usize + 8);
    Bounds {
        left: letters.left.saturating_sub(across).max(all.left),
        right: (letters.right + across).min(all.right),
        top: letters.top.saturating_sub(down).max(all.top),
        bottom: (letters.bottom + down).min(all.bottom),
    }
}

/// The box behind a line, whose pixels `is_box` tells: as far as much of each row and column beside the letters is of it, within
/// the part `all` of its crop.
pub(super) fn box_around(crop: &Crop, all: Bounds, letters: Bounds, is_box: impl Fn(usize) -> bool) -> Bounds {
    let Some(whole) = crop.bounds else { return letters };
    let inside = |x: usize, y: usize| is_box((y - whole.top) * whole.width() + x - whole.left);
    let much = |count: usize, all: usize| count * 10 >= all * 3;
    let mut whole = Bounds {
        left: letters.left.max(all.left),
        top: letters.top.max(all.top),
        right: letters.right.min(all.right),
        bottom: letters.bottom.min(all.bottom),
    };
    let across = whole.left..whole.right;
    let row = |y: usize| much(across.clone().filter(|&x| inside(x, y)).count(), across.len());
    while whole.top > all.top && row(whole.top - 1) {
        whole.top -= 1;
    }
    while whole.bottom < all.bottom && row(whole.bottom) {
        whole.bottom += 1;
    }
    let down = whole.top..whole.bottom;
    // Of a picture in the box only what is above and below it has the box's colour.
    // Nearer to its edges coding mixes it with what is around it.
    let strips = || (down.start + 4..down.start + 7).chain(down.end.saturating_sub(7)..down.end.saturating_sub(4));
    let column = |x: usize| {
        much(down.clone().filter(|&y| inside(x, y)).count(), down.len())
            || (down.len() > 24 && strips().all(|y| inside(x, y)))
    };
    while whole.left > all.left && column(whole.left - 1) {
        whole.left -= 1;
    }
    while whole.right < all.right && column(whole.right) {
        whole.right += 1;
    }
    whole
}

/// How far a box reaches beyond the letters, at least; `None` if it has no end on three sides.
fn padding(all: Bounds, letters: Bounds, whole: Bounds) -> Option<u32> {
    let ends = [whole.left > all.left, whole.right < all.right, whole.top > all.top, whole.bottom < all.bottom];
    let beyond = [
        letters.left.saturating_sub(whole.left),
        whole.right.saturating_sub(letters.right),
        letters.top.saturating_sub(whole.top),
        whole.bottom.saturating_sub(letters.bottom),
    ];
    let least = beyond.into_iter().min().filter(|&least| least >= 4)?;
    (ends.into_iter().filter(|end| *end).count() >= 3).then(|| u32::try_from(least).unwrap_or(u32::MAX))
}

/// The colour of the letters in these columns of a crop.
pub(super) fn fill_color(crop: &Crop, far: &[u8], line: &Line, columns: std::ops::Range<usize>) -> Option<Rgba> {
    let (width, _) = crop.size();
    let mut found: [Vec<u8>; 3] = Default::default();
    for (at, _) in far.iter().enumerate().filter(|(at, far)| **far == 0 && columns.contains(&(at % width.max(1)))) {
        let color = crop.color(at);
        found.iter_mut().zip(color).for_each(|(found, value)| found.push(value));
    }
    if found[0].is_empty() {
        return None;
    }
    // The half whose luma is furthest from the surroundings is the inside of strokes.
    let mut order: Vec<usize> = (0..found[0].len()).collect();
    order.sort_unstable_by_key(|&at| found[0][at]);
    let inner = if line.is_light() { &order[order.len() / 2..] } else { &order[..order.len().div_ceil(2)] };
    let middle = |plane: usize| {
        let mut values: Vec<u8> = inner.iter().map(|&at| found[plane][at]).collect();
        values.sort_unstable();
        f64::from(values[values.len() / 2])
    };
    Some(rgb_of([middle(0), middle(1), middle(2)]))
}

/// The colour of code values.
fn rgb_of(code: [f64; 3]) -> Rgba {
    let [r, g, b] = Encoding::BT709.decode(code).map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8);
    Rgba { r, g, b, a: 255 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{I420Ref, PlaneRef};

    const WIDTH: usize = 400;
    const HEIGHT: usize = 120;
    const LETTERS: Bounds = Bounds { left: 100, top: 46, right: 240, bottom: 74 };

    /// A crop of a picture of this luma, and how far its pixels are from strokes between the letters' bounds.
    fn crop(luma: impl Fn(usize, usize) -> u8) -> (Crop, Vec<u8>) {
        let is_stroke = |x: usize, y: usize| {
            (LETTERS.left..LETTERS.right).contains(&x) && (LETTERS.top..LETTERS.bottom).contains(&y) && x % 20 < 6
        };
        let places = || (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
        let y: Vec<u8> = places().map(|(x, y)| if is_stroke(x, y) { 20 } else { luma(x, y) }).collect();
        let chroma = vec![128; WIDTH / 2 * (HEIGHT / 2)];
        let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
        let mut crop = Crop::default();
        let picture = I420Ref {
            y: plane(&y, WIDTH, HEIGHT),
            u: plane(&chroma, WIDTH / 2, HEIGHT / 2),
            v: plane(&chroma, WIDTH / 2, HEIGHT / 2),
        };
        crop.add(&picture, Bounds { left: 0, top: 0, right: WIDTH, bottom: HEIGHT }, 1);
        let strokes: Vec<(usize, usize)> = places().filter(|&(x, y)| is_stroke(x, y)).collect();
        let far = |(x, y): (usize, usize)| {
            let all = strokes.iter().map(|&(a, b)| a.abs_diff(x).max(b.abs_diff(y)));
            all.min().unwrap_or(255).min(255) as u8
        };
        (crop, places().map(far).collect())
    }

    fn is_in(x: usize, y: usize, right: usize) -> bool {
        (80..right).contains(&x) && (30..90).contains(&y)
    }

    #[test]
    fn a_white_box_ends_before_a_wall_that_is_nearly_white() {
        // The wall is to the left and above; what is to the right is darker.
        let (crop, far) = crop(|x, y| match is_in(x, y, 260) {
            true => 235,
            false if x < 200 => 228,
            false => 120,
        });
        let found = surroundings(&crop, &far, 28.0, LETTERS).backdrop.expect("is a box");
        assert!(found.color.r > 250 && (14..=18).contains(&found.padding), "{found:?}");
        // A box that is as uneven as the wall is differs from it by too little.
        let noise = |x: usize, y: usize| (x * 7 + y * 13) as u8 % 9;
        let (crop, far) = self::crop(|x, y| match is_in(x, y, 260) {
            true => 226 + noise(x, y),
            false if x < 200 => 220 + noise(x, y),
            false => 120,
        });
        assert_eq!(surroundings(&crop, &far, 28.0, LETTERS).backdrop, None);
    }

    #[test]
    fn a_box_goes_on_around_a_picture_in_it() {
        // A disc that leaves ten pixels of the box above and below it.
        let luma = |x: usize, y: usize| match (x as f64 - 270.0).hypot(y as f64 - 60.0) < 20.0 {
            true => 150,
            false if is_in(x, y, 310) => 235,
            false => 60,
        };
        let (crop, _) = crop(luma);
        let all = near(&crop, LETTERS, 60.0);
        let whole = box_around(&crop, all, LETTERS, |at| crop.color(at)[0].abs_diff(235) < 4);
        assert_eq!(whole, Bounds { left: 80, top: 30, right: 310, bottom: 90 });
    }

    #[test]
    fn colors_come_back() {
        for color in [[255, 255, 255], [0, 0, 0], [255, 216, 74], [230, 30, 50], [10, 120, 240]] {
            let Rgba { r, g, b, a } = rgb_of(crate::compose::code_values(color).map(f64::from));
            assert!([r, g, b].iter().zip(color).all(|(one, other)| one.abs_diff(other) <= 2), "{color:?}: {r} {g} {b}");
            assert_eq!(a, 255);
        }
    }
}
