//! Lines that are set at an angle.
//!
//! Letters are looked at as if the picture were sheared until such a line is level; then it is found as others are.

use super::components::{Bounds, Component, Polarity};
use super::group::grouped;
use super::lines::Line;

/// Rows by which a line rises or falls with each column, at most and from one try to the next: those of 28 and of 4 degrees. What
/// is between two of them is found in part, which tells its slope.
const MOST: f64 = 0.53;
const STEP: f64 = 0.07;
/// What is less than this, 2 degrees, is level; what is more than this, 30 degrees, is not looked for.
const LEAST: f64 = 0.035;
const STEEPEST: f64 = 0.577;
/// The fewest letters of such a line, and how much it must look like text: by chance things lie in a row in many ways.
const LETTERS: usize = 6;
const LIKELY: f64 = 0.5;
/// The most lines of a picture that are looked at again, with their own slope.
const TRIES: usize = 40;
/// What a slope adds to the height of a letter's bounds, in parts of its width: all of it if the letter fills them as `H` does, and
/// next to nothing if it is round.
const TURNED: f64 = 0.3;

/// Rows by which the slopes of two lines of one text differ at most in a column.
const APART: f64 = 0.05;

pub(super) fn is_level(slope: f64) -> bool {
    slope == 0.0
}

/// Whether lines of these slopes may belong to one text.
pub(super) fn is_parallel(slope: f64, other: f64) -> bool {
    (slope - other).abs() <= APART
}

/// Left, top, right and bottom of letters as they are once lines of this slope are level.
pub(super) fn turned(letters: &[Component], slope: f64) -> [f64; 4] {
    let (sin, cos) = slope.atan().sin_cos();
    let ends = letters.iter().map(|letter| {
        let Bounds { left, top, right, bottom } = letter.bounds;
        let (x, y) = ((left + right) as f64 / 2.0, (top + bottom) as f64 / 2.0);
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        let (half, high) = (letter.bounds.width() as f64 / 2.0, height(&letter.bounds, slope) as f64 / 2.0);
        [along - half, across - high, along + half, across + high]
    });
    let both =
        |one: [f64; 4], two: [f64; 4]| [one[0].min(two[0]), one[1].min(two[1]), one[2].max(two[2]), one[3].max(two[3])];
    ends.reduce(both).unwrap_or_default()
}

/// How high a letter of this slope is that has these bounds.
pub(super) fn height(bounds: &Bounds, slope: f64) -> usize {
    let height = bounds.height() as f64;
    (height - TURNED * slope.abs() * bounds.width() as f64).max(height / 2.0).round() as usize
}

/// The lines that letters of one side of their surroundings make at an angle, each of more letters than the level lines `level`
/// make there.
pub(super) fn tilted(parts: &[Component], polarity: Polarity, least: usize, level: &[Line]) -> Vec<Line> {
    // What is too small or too large for a letter tells no slope.
    if parts.iter().filter(|part| part.bounds.height() >= least).count() < LETTERS {
        return Vec::new();
    }
    let steps = (MOST / STEP) as i32;
    let mut found: Vec<Line> = Vec::new();
    let mut tries = 0;
    for slope in (-steps..=steps).filter(|step| *step != 0).map(|step| f64::from(step) * STEP) {
        for line in at_slope(parts, polarity, least, slope) {
            let count = large(&line, least);
            let is_known = found.iter().any(|whole| is_part(&line, whole) && large(whole, least) >= count);
            let exact = slope_of(&line.letters, least).filter(|_| !is_known && tries < TRIES);
            let Some(exact) = exact.filter(|exact| (LEAST..=STEEPEST).contains(&exact.abs())) else { continue };
            // As it is, and all of it.
            tries += 1;
            let whole = at_slope(parts, polarity, least, exact);
            let whole = whole.into_iter().max_by_key(|whole| whole.areas(&line).0);
            found.extend(whole.filter(|whole| large(whole, least) >= LETTERS && whole.likeness >= LIKELY));
        }
    }
    found.sort_by_key(|line| std::cmp::Reverse(large(line, least)));
    let mut kept: Vec<Line> = Vec::new();
    for line in found {
        let is_there = |other: &Line| is_part(&line, other);
        let has_more = |other: &Line| large(&line, least) * 3 >= large(other, least) * 4;
        if !kept.iter().any(is_there) && level.iter().filter(|other| is_there(other)).all(has_more) {
            kept.push(line);
        }
    }
    kept
}

/// Whether one of these is there as a part of the other, by more than half.
fn is_part(line: &Line, other: &Line) -> bool {
    let (shared, own, its) = line.areas(other);
    shared * 2 >= own.min(its)
}

/// How many of a line's letters are no dots.
fn large(line: &Line, least: usize) -> usize {
    line.letters.iter().filter(|letter| letter.bounds.height() >= least).count()
}

/// The lines that there are if columns are moved up or down by `slope`.
fn at_slope(parts: &[Component], polarity: Polarity, least: usize, slope: f64) -> Vec<Line> {
    let right = parts.iter().map(|part| part.bounds.right).max().unwrap_or(0);
    // So that no row is below 0.
    let down = (slope.abs() * right as f64).ceil();
    let sheared = parts.iter().map(|part| {
        let Bounds { left, top, right, bottom } = part.bounds;
        let middle = (top + bottom) as f64 / 2.0 - slope * (left + right) as f64 / 2.0 + down;
        let height = height(&part.bounds, slope);
        let top = (middle - height as f64 / 2.0).round().max(0.0) as usize;
        Component { bounds: Bounds { left, top, right, bottom: top + height.max(1) }, ..part.clone() }
    });
    let lines = grouped(sheared.collect(), polarity, least).into_iter();
    lines
        .filter_map(|line| {
            let mut letters = line.letters;
            letters.iter_mut().for_each(Component::find_bounds);
            Some(Line { likeness: line.likeness, slope, ..Line::of(letters, polarity)? })
        })
        .collect()
}

/// The usual slope between two letters that are far from each other, by their feet, which most have on the line (Theil and Sen);
/// `None` for few letters.
fn slope_of(letters: &[Component], least: usize) -> Option<f64> {
    let feet: Vec<(f64, f64)> = (letters.iter().map(|letter| letter.bounds))
        .filter(|bounds| bounds.height() >= least)
        .map(|bounds| ((bounds.left + bounds.right) as f64 / 2.0, bounds.bottom as f64))
        .collect();
    if feet.len() < LETTERS {
        return None;
    }
    let across = |at: f64, other: f64| (other - at).abs();
    let ends = feet.iter().map(|(x, _)| *x);
    let whole = across(ends.clone().fold(f64::MAX, f64::min), ends.fold(0.0, f64::max));
    let pairs = feet.iter().enumerate().flat_map(|(number, one)| feet[..number].iter().map(move |other| (one, other)));
    let far = pairs.filter(|(one, other)| across(one.0, other.0) * 3.0 >= whole);
    let mut slopes: Vec<f64> = far.map(|(one, other)| (one.1 - other.1) / (one.0 - other.0)).collect();
    slopes.sort_unstable_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Gray, components};

    const WIDTH: usize = 400;
    const HEIGHT: usize = 300;
    const LEAST: usize = 8;

    /// Angles of two strokes, one every 24 columns, whose rows follow the slope.
    fn letters(count: usize, slope: f64) -> Vec<Component> {
        let mut picture = Gray { samples: vec![30; WIDTH * HEIGHT], width: WIDTH, height: HEIGHT };
        for left in (0..count).map(|number| 20 + number * 24) {
            let top = (150.0 + slope * (left as f64 - 200.0)).round() as usize;
            for y in top..top + 20 {
                let end = if y + 4 < top + 20 { left + 4 } else { left + 16 };
                picture.samples[y * WIDTH + left..y * WIDTH + end].fill(220);
            }
        }
        let mask: Vec<u8> = picture.samples.iter().map(|&value| u8::from(value > 128)).collect();
        components(&picture, &mask, Polarity::Light, |_, area| area >= 4)
    }

    fn found(parts: &[Component]) -> Vec<Line> {
        tilted(parts, Polarity::Light, LEAST, &grouped(parts.to_vec(), Polarity::Light, LEAST))
    }

    #[test]
    fn lines_are_found_at_any_slope_of_those_that_people_set() {
        for slope in [-0.5, -0.33, -0.18, -0.09, 0.1, 0.14, 0.25, 0.42, 0.53] {
            let parts = letters(14, slope);
            let lines = found(&parts);
            assert_eq!(lines.len(), 1, "{slope}");
            assert!((lines[0].slope - slope).abs() < 0.01, "{} is not {slope}", lines[0].slope);
            assert_eq!(lines[0].letters.len(), 14, "{slope}");
            let all = parts.iter().map(|part| part.bounds).reduce(Bounds::union);
            assert_eq!(Some(lines[0].bounds), all, "as it is in the picture: {slope}");
        }
    }

    #[test]
    fn level_lines_and_a_few_things_in_a_row_are_none() {
        for (count, slope) in [(14, 0.0), (14, 0.02), (5, 0.3)] {
            assert!(found(&letters(count, slope)).is_empty(), "{count} at {slope}");
        }
        // What stands anywhere.
        let mut parts = letters(14, 0.0);
        for (number, part) in parts.iter_mut().enumerate() {
            let down = number * 37 % 97;
            part.bounds = Bounds { top: part.bounds.top + down, bottom: part.bounds.bottom + down, ..part.bounds };
            part.runs.iter_mut().for_each(|run| run.y += down);
        }
        assert!(found(&parts).is_empty());
    }

    #[test]
    fn a_letter_is_as_high_as_its_level_one() {
        // `H`, 40 wide and 60 high, turned by 20 degrees, and `o`, which is as round as before.
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let turned = Bounds {
            left: 0,
            top: 0,
            right: (40.0 * cos + 60.0 * sin) as usize,
            bottom: (60.0 * cos + 40.0 * sin) as usize,
        };
        let round = Bounds { left: 0, top: 0, right: 44, bottom: 44 };
        let tan = sin / cos;
        assert!(height(&turned, tan).abs_diff(60) <= 4 && height(&round, -tan).abs_diff(44) <= 8);
        assert_eq!(height(&round, 0.0), 44);
    }
}
