//! Pictures beside a line, such as emoji, which are a part of its text and none of its letters.

use super::components::Bounds;
use super::crop::Crop;

/// The sides of a picture, and how far it is from what is before it, in parts of the size that the font is set in: emoji are
/// 1.0 to 1.3 wide and high, and a space before them is a quarter.
const LEAST: f64 = 0.7;
const MOST: f64 = 1.5;
const GAP: f64 = 0.6;
/// How far its middle may be above or below that of the letters.
const OFF: f64 = 0.35;
/// By how many code values, of luma and both colour differences together, it differs from what is behind it; and its parts from
/// each other.
const APART: u32 = 44;
const VARIED: u32 = 36;
/// The share of its pixels that differ from most of them: a thing in the scene is more often of one colour.
const VARIETY: f64 = 0.14;
/// How much of its bounds it fills.
const FILLED: f64 = 0.42;
/// By how much a pixel of it may change.
const STEADY: u8 = 32;
/// The most pictures at an end.
const MOST_PICTURES: usize = 3;

/// A picture: its bounds, and of each of its rows the columns from its first pixel to its last, in pixels of the crop's picture.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) bounds: Bounds,
    pub(super) rows: Vec<(usize, std::ops::Range<usize>)>,
}

/// The pictures at both ends of a line whose letters are at `letters`, set in the size `em` in pixels.
pub(super) fn pictures_beside(crop: &Crop, letters: Bounds, em: f64) -> Vec<Beside> {
    let mut all = Vec::new();
    for to_right in [true, false] {
        let mut edge = if to_right { letters.right } else { letters.left };
        for _ in 0..MOST_PICTURES {
            let Some(found) = next(crop, letters, em, edge, to_right) else { break };
            edge = if to_right { found.bounds.right } else { found.bounds.left };
            all.push(found);
        }
    }
    all
}

/// The picture next to `edge`.
fn next(crop: &Crop, letters: Bounds, em: f64, edge: usize, to_right: bool) -> Option<Beside> {
    let all = crop.bounds?;
    let part = |share: f64| (share * em).round() as usize;
    let middle = (letters.top + letters.bottom) / 2;
    let (left, right) = if to_right {
        (edge, edge.saturating_add(part(GAP + MOST)).min(all.right))
    } else {
        (edge.saturating_sub(part(GAP + MOST)).max(all.left), edge)
    };
    let window = Bounds {
        left: left.max(all.left),
        right: right.min(all.right),
        top: middle.saturating_sub(part(OFF + MOST / 2.0)).max(all.top),
        bottom: middle.saturating_add(part(OFF + MOST / 2.0)).min(all.bottom),
    };
    if window.right <= window.left + part(LEAST) || window.bottom <= window.top + part(LEAST) {
        return None;
    }
    let at = |x: usize, y: usize| (y - all.top) * all.width() + x - all.left;
    let columns = window.left..window.right;
    let ground = ground(crop, columns.clone().flat_map(|x| [at(x, window.top), at(x, window.bottom - 1)]));
    let is_own = |x: usize, y: usize| {
        let at = at(x, y);
        crop.range(at) <= STEADY && apart(crop.color(at), ground) > APART
    };
    let width = window.width();
    let mut mine: Vec<bool> = (window.top..window.bottom)
        .flat_map(|y| columns.clone().map(move |x| (x, y)))
        .map(|(x, y)| is_own(x, y))
        .collect();
    let mut largest: Vec<usize> = Vec::new();
    for start in 0..mine.len() {
        if !mine[start] {
            continue;
        }
        let (mut waiting, mut found) = (vec![start], Vec::new());
        mine[start] = false;
        while let Some(place) = waiting.pop() {
            found.push(place);
            let (x, y) = (place % width, place / width);
            for (dx, dy) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dx, dy))) {
                let (Some(x), Some(y)) = ((x + dx).checked_sub(1), (y + dy).checked_sub(1)) else { continue };
                if x < width && mine.get(y * width + x) == Some(&true) {
                    mine[y * width + x] = false;
                    waiting.push(y * width + x);
                }
            }
        }
        if found.len() > largest.len() {
            largest = found;
        }
    }
    let bounds =
        largest.iter().map(|place| (place % width, place / width)).fold(None, |bounds: Option<Bounds>, (x, y)| {
            let one = Bounds { left: x, top: y, right: x + 1, bottom: y + 1 };
            Some(bounds.map_or(one, |bounds| bounds.union(one)))
        })?;
    let gap = if to_right { bounds.left } else { width - bounds.right };
    let is_sized = |side: usize| (LEAST..=MOST).contains(&(side as f64 / em));
    let off = (window.top + (bounds.top + bounds.bottom) / 2).abs_diff(middle) as f64;
    // What goes on beyond the window, or begins at its edges, is the scene's.
    let far = if to_right { bounds.right < width } else { bounds.left > 0 };
    let is_free = bounds.top > 0 && bounds.bottom < window.height() && far;
    let fills = largest.len() as f64 / bounds.area() as f64;
    if !is_sized(bounds.width()) || !is_sized(bounds.height()) || !is_free || gap as f64 > GAP * em || gap < 2 {
        return None;
    }
    if off > OFF * em || fills < FILLED {
        return None;
    }
    let rows = (bounds.top..bounds.bottom).filter_map(|row| {
        let columns = || largest.iter().filter(|place| *place / width == row).map(|place| place % width);
        let (first, last) = columns().min().zip(columns().max())?;
        Some((window.top + row, window.left + first..window.left + last + 1))
    });
    let rows: Vec<_> = rows.collect();
    // With what has the colour of the ground.
    if variety(crop, rows.iter().flat_map(|(y, columns)| columns.clone().map(|x| at(x, *y)))) < VARIETY {
        return None;
    }
    let placed = Bounds {
        left: window.left + bounds.left,
        right: window.left + bounds.right,
        top: window.top + bounds.top,
        bottom: window.top + bounds.bottom,
    };
    Some(Beside { bounds: placed, rows })
}

fn apart(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.into_iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other))).sum()
}

/// The median colour of pixels.
fn ground(crop: &Crop, pixels: impl Iterator<Item = usize>) -> [u8; 3] {
    let colors: Vec<[u8; 3]> = pixels.map(|at| crop.color(at)).collect();
    std::array::from_fn(|part| {
        let mut values: Vec<u8> = colors.iter().map(|color| color[part]).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(128)
    })
}

/// The share of pixels that differ from the median of them.
fn variety(crop: &Crop, pixels: impl Iterator<Item = usize> + Clone) -> f64 {
    let middle = ground(crop, pixels.clone());
    let (all, other) = pixels
        .fold((0u32, 0u32), |(all, other), at| (all + 1, other + u32::from(apart(crop.color(at), middle) > VARIED)));
    f64::from(other) / f64::from(all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{I420Ref, PlaneRef};

    const WIDTH: usize = 400;
    const HEIGHT: usize = 160;
    /// Letters of a font of 60 pixels.
    const LETTERS: Bounds = Bounds { left: 60, top: 58, right: 200, bottom: 102 };

    /// A crop of pictures in which each pixel has this luma.
    fn crop(pictures: &[&dyn Fn(usize, usize) -> u8]) -> Crop {
        let mut crop = Crop::default();
        for luma in pictures {
            let y: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| luma(at % WIDTH, at / WIDTH)).collect();
            let chroma = vec![128; WIDTH / 2 * (HEIGHT / 2)];
            let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
            let picture = I420Ref {
                y: plane(&y, WIDTH, HEIGHT),
                u: plane(&chroma, WIDTH / 2, HEIGHT / 2),
                v: plane(&chroma, WIDTH / 2, HEIGHT / 2),
            };
            crop.add(&picture, Bounds { left: 0, top: 0, right: WIDTH, bottom: HEIGHT }, 1);
        }
        crop
    }

    /// A disc of 66 pixels with a darker mouth.
    fn face(x: usize, y: usize, middle: usize) -> Option<u8> {
        let (dx, dy) = (x as f64 - middle as f64, y as f64 - 80.0);
        match dx.hypot(dy) {
            far if far > 33.0 => None,
            _ if dy > 0.0 && dy < 20.0 && dx.abs() < 20.0 => Some(90),
            _ => Some(210),
        }
    }

    fn found(pictures: &[&dyn Fn(usize, usize) -> u8]) -> Vec<(usize, usize)> {
        let all = pictures_beside(&crop(pictures), LETTERS, 60.0);
        all.iter().map(|one| (one.bounds.left, one.bounds.right)).collect()
    }

    #[test]
    fn an_emoji_after_a_line_is_a_part_of_it() {
        let even = |x: usize, y: usize| face(x, y, 250).unwrap_or(40);
        assert_eq!(found(&[&even]), [(217, 284)]);
        // Two, and one before.
        let three = |x: usize, y: usize| face(x, y, 250).or(face(x, y, 325)).unwrap_or(40);
        assert_eq!(found(&[&three]), [(217, 284), (292, 359)]);
        let rows = pictures_beside(&crop(&[&even]), LETTERS, 60.0).remove(0).rows;
        assert_eq!(rows.len(), 67);
        assert!(rows.iter().any(|(y, columns)| *y == 80 && *columns == (217..284)));
        // Over a scene that moves.
        let busy = |phase: usize| {
            move |x: usize, y: usize| {
                face(x, y, 250).unwrap_or(if ((x + phase) / 24).is_multiple_of(2) { 30 } else { 150 })
            }
        };
        assert_eq!(found(&[&busy(0), &busy(9), &busy(20), &busy(31)]), [(217, 284)]);
    }

    #[test]
    fn what_is_in_the_scene_is_none() {
        let plain = |x: usize, y: usize| if face(x, y, 250).is_some() { 210 } else { 40 };
        assert_eq!(found(&[&plain]), [], "of one colour");
        let far = |x: usize, y: usize| face(x, y, 320).unwrap_or(40);
        assert_eq!(found(&[&far]), [], "too far away");
        let goes_on = |x: usize, y: usize| face(x, y, 250).unwrap_or(if x > 240 && y > 70 { 210 } else { 40 });
        assert_eq!(found(&[&goes_on]), [], "it goes on beyond");
        let shaken = |x: usize, y: usize| face(x + 30, y, 250).unwrap_or(40);
        let still = |x: usize, y: usize| face(x, y, 250).unwrap_or(40);
        assert_eq!(found(&[&still, &shaken]), [], "it moves");
        assert_eq!(found(&[&|_, _| 40]), []);
    }
}
