//! Lines that are set at an angle.
//!
//! Letters are looked at as if the picture were sheared until such a line is level; then it is found as others are.

use super::components::{Bounds, Component, Polarity};
use super::group::grouped;
use super::lines::Line;

/// Rows by which lines that are looked for rise or fall with each column, from one try to the next, and how many tries there are
/// to each side: up to 29 degrees in steps of 4. What is between two of them is found in part, which tells its slope.
const STEP: f64 = 0.07;
const STEPS: i32 = 8;
/// What is less than this, 2 degrees, is level; what is more than this, 30 degrees, is left.
const LEAST: f64 = 0.035;
const STEEPEST: f64 = 0.577;
/// The fewest letters of such a line, and how much it must look like text: by chance things lie in a row in many ways.
const LETTERS: usize = 6;
const LIKELY: f64 = 0.5;
/// The fewest letters of a line that is above or below such a one.
const FEW_LETTERS: usize = 2;
/// The most letters of one side of their surroundings that are looked at: the largest. Each is compared with the others, at each
/// slope.
const MOST_LETTERS: usize = 400;
/// The most rows of letters that are looked at again with their own slope, those first that have the most; and the most lines.
const TRIES: usize = 40;
const MOST_LINES: usize = 16;
/// The most letters that tell a slope.
const FEET: usize = 80;
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

/// Where the middle of these bounds is once lines of this slope are level: how far along them, and in which row.
fn middle(bounds: Bounds, slope: f64) -> (f64, f64) {
    let (sin, cos) = slope.atan().sin_cos();
    let Bounds { left, top, right, bottom } = bounds;
    let (x, y) = ((left + right) as f64 / 2.0, (top + bottom) as f64 / 2.0);
    (x * cos + y * sin, y * cos - x * sin)
}

/// In which row the middle of these bounds is once lines of this slope are level.
pub(super) fn row_of(bounds: Bounds, slope: f64) -> f64 {
    middle(bounds, slope).1
}

/// Left, top, right and bottom of letters as they are once lines of this slope are level.
pub(super) fn turned(letters: &[Component], slope: f64) -> [f64; 4] {
    let ends = letters.iter().map(|letter| {
        let (along, row) = middle(letter.bounds, slope);
        let (half, high) = (letter.bounds.width() as f64 / 2.0, height(&letter.bounds, slope) as f64 / 2.0);
        [along - half, row - high, along + half, row + high]
    });
    let both =
        |one: [f64; 4], two: [f64; 4]| [one[0].min(two[0]), one[1].min(two[1]), one[2].max(two[2]), one[3].max(two[3])];
    ends.reduce(both).unwrap_or_default()
}

/// Whether the middle of these bounds lies within what [`turned`] gives for this slope.
pub(super) fn is_among(bounds: Bounds, [left, top, right, bottom]: [f64; 4], slope: f64) -> bool {
    let (along, row) = middle(bounds, slope);
    (left..=right).contains(&along) && (top..=bottom).contains(&row)
}

/// Whether a line is near below another of about its slope, and lies over some of its length.
pub(super) fn is_below(above: &Line, line: &Line) -> bool {
    let slope = above.slope;
    let ((along, row), (its, next)) = (middle(above.bounds, slope), middle(line.bounds, slope));
    let (height, other) = (above.letter_height() as f64, line.letter_height() as f64);
    let length = |line: &Line| line.bounds.width() as f64 * slope.hypot(1.0);
    // Letters reach above and below the usual height.
    let near = (height / 2.0..=(height + other) / 2.0 + 1.8 * height.max(other)).contains(&(next - row));
    is_parallel(line.slope, slope) && near && (its - along).abs() * 2.0 < length(above) + length(line)
}

/// How high a letter of this slope is that has these bounds.
pub(super) fn height(bounds: &Bounds, slope: f64) -> usize {
    let height = bounds.height() as f64;
    (height - TURNED * slope.abs() * bounds.width() as f64).max(height / 2.0).round() as usize
}

/// The lines that letters of one side of their surroundings make at an angle, each of more letters than the level lines `level`
/// make there.
pub(super) fn tilted(parts: &[Component], polarity: Polarity, least: usize, level: &[Line]) -> Vec<Line> {
    let mut letters: Vec<&Component> = parts.iter().filter(|part| part.bounds.height() >= least).collect();
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.area));
    letters.truncate(MOST_LETTERS);
    let slopes = (-STEPS..=STEPS).filter(|step| *step != 0).map(|step| f64::from(step) * STEP);
    let rows = slopes.flat_map(|slope| at_slope(&letters, polarity, least, slope));
    let mut rows: Vec<(f64, Line)> = rows.filter_map(|row| Some((slope_of(&row.letters, least)?, row))).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(large(row, least)));
    let mut found: Vec<Line> = Vec::new();
    let mut tries = 0;
    for (slope, row) in rows {
        let count = large(&row, least);
        let is_known = found.iter().any(|whole| row.is_part(whole) && large(whole, least) >= count);
        if is_known || tries >= TRIES {
            continue;
        }
        // As it is, and all of it.
        tries += 1;
        let own = row.letter_height() as f64;
        let [_, top, _, bottom] = turned(&row.letters, slope);
        let near = among(parts, [f64::MIN, top - own, f64::MAX, bottom + own], slope);
        let whole = at_slope(&near, polarity, least, slope).into_iter().max_by_key(|whole| whole.areas(&row).0);
        found.extend(whole.filter(|whole| large(whole, least) >= LETTERS && whole.likeness >= LIKELY));
    }
    found.sort_by_key(|line| std::cmp::Reverse(large(line, least)));
    let mut kept: Vec<Line> = Vec::new();
    for line in found {
        let has_more = |other: &Line| large(&line, least) * 3 >= large(other, least) * 4;
        let is_new = !kept.iter().any(|other| line.is_part(other));
        if is_new && level.iter().filter(|other| line.is_part(other)).all(has_more) {
            kept.push(line);
        }
    }
    let mut place = 0;
    while let Some(line) = kept.get(place).filter(|_| kept.len() < MOST_LINES) {
        let beside = beside(parts, line, polarity, least);
        let is_new = |line: &Line| !kept.iter().any(|other| line.is_part(other));
        let new: Vec<Line> = beside.into_iter().filter(is_new).collect();
        kept.extend(new);
        place += 1;
    }
    kept
}

/// Those of these whose middles lie there once lines of this slope are level.
fn among(parts: &[Component], there: [f64; 4], slope: f64) -> Vec<&Component> {
    parts.iter().filter(|part| is_among(part.bounds, there, slope)).collect()
}

/// The lines above and below one of this slope, which may be shorter: words of few letters.
fn beside(parts: &[Component], line: &Line, polarity: Polarity, least: usize) -> Vec<Line> {
    let height = line.letter_height() as f64;
    let [left, top, right, bottom] = turned(&line.letters, line.slope);
    let near = among(parts, [left - height, top - 3.0 * height, right + height, bottom + 3.0 * height], line.slope);
    let mut lines = at_slope(&near, polarity, least, line.slope);
    lines.retain(|other| {
        large(other, least) >= FEW_LETTERS
            && other.letters[0].is_like(&line.letters[0])
            && (is_below(line, other) || is_below(other, line))
    });
    lines
}

/// How many of a line's letters are no dots.
fn large(line: &Line, least: usize) -> usize {
    line.letters.iter().filter(|letter| letter.bounds.height() >= least).count()
}

/// The lines that there are if columns are moved up or down by `slope`.
fn at_slope(parts: &[&Component], polarity: Polarity, least: usize, slope: f64) -> Vec<Line> {
    if parts.len() < FEW_LETTERS {
        return Vec::new();
    }
    let right = parts.iter().map(|part| part.bounds.right).max().unwrap_or(0);
    // So that no row is below 0.
    let down = (slope.abs() * right as f64).ceil();
    let sheared = parts.iter().map(|&part| {
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
/// `None` for few letters, and for what is level or too steep.
fn slope_of(letters: &[Component], least: usize) -> Option<f64> {
    let feet: Vec<(f64, f64)> = (letters.iter().map(|letter| letter.bounds))
        .filter(|bounds| bounds.height() >= least)
        .map(|bounds| ((bounds.left + bounds.right) as f64 / 2.0, bounds.bottom as f64))
        .collect();
    if feet.len() < LETTERS {
        return None;
    }
    let feet: Vec<(f64, f64)> = feet.iter().copied().step_by(feet.len().div_ceil(FEET)).collect();
    let across = |at: f64, other: f64| (other - at).abs();
    let ends = feet.iter().map(|(x, _)| *x);
    let whole = across(ends.clone().fold(f64::MAX, f64::min), ends.fold(0.0, f64::max));
    let pairs = feet.iter().enumerate().flat_map(|(number, one)| feet[..number].iter().map(move |other| (one, other)));
    let far = pairs.filter(|(one, other)| across(one.0, other.0) * 3.0 >= whole);
    let mut slopes: Vec<f64> = far.map(|(one, other)| (one.1 - other.1) / (one.0 - other.0)).collect();
    slopes.sort_unstable_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied().filter(|slope| (LEAST..=STEEPEST).contains(&slope.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Gray, components};

    const WIDTH: usize = 400;
    const HEIGHT: usize = 300;
    const LEAST_HEIGHT: usize = 8;

    /// Angles of two strokes, one every 24 columns from column `start` on, whose rows follow the slope around row `row` of the middle.
    fn rows_of_letters(rows: &[(usize, usize, f64, usize)]) -> Vec<Component> {
        let mut picture = Gray { samples: vec![30; WIDTH * HEIGHT], width: WIDTH, height: HEIGHT };
        for &(row, count, slope, start) in rows {
            for left in (0..count).map(|number| start + number * 24) {
                let top = (row as f64 + slope * (left as f64 - 200.0)).round() as usize;
                for y in top..top + 20 {
                    let end = if y + 4 < top + 20 { left + 4 } else { left + 16 };
                    picture.samples[y * WIDTH + left..y * WIDTH + end].fill(220);
                }
            }
        }
        let mask: Vec<u8> = picture.samples.iter().map(|&value| u8::from(value > 128)).collect();
        components(&picture, &mask, Polarity::Light, |_, area| area >= 4)
    }

    fn letters(count: usize, slope: f64) -> Vec<Component> {
        rows_of_letters(&[(150, count, slope, 20)])
    }

    fn found(parts: &[Component]) -> Vec<Line> {
        tilted(parts, Polarity::Light, LEAST_HEIGHT, &grouped(parts.to_vec(), Polarity::Light, LEAST_HEIGHT))
    }

    #[test]
    fn lines_are_found_at_any_slope_of_those_that_people_set() {
        for slope in [-0.56, -0.5, -0.33, -0.18, -0.09, 0.1, 0.14, 0.25, 0.42, 0.53, 0.57] {
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
    fn short_lines_belong_to_long_ones_of_their_slope() {
        // Above and below, of three and two letters; as many elsewhere are none.
        let rows = [(110, 3, 0.2, 140), (150, 14, 0.2, 20), (190, 2, 0.2, 180), (260, 3, 0.2, 180)];
        let lines = found(&rows_of_letters(&rows));
        let mut counts: Vec<(usize, usize)> = lines.iter().map(|line| (line.letters.len(), line.bounds.left)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [(2, 180), (3, 140), (14, 20)]);
        let by_row = |count: usize| lines.iter().find(|line| line.letters.len() == count).expect("is found");
        assert!(is_below(by_row(3), by_row(14)) && is_below(by_row(14), by_row(2)));
        assert!(
            !is_below(by_row(14), by_row(3)) && !is_below(by_row(3), by_row(2)),
            "not above, and not two lines away"
        );
    }

    #[test]
    fn lines_of_other_slopes_are_no_part_of_each_other() {
        // Two that make a roof, and a level word in the empty corner of the upright box around one of them.
        let rows = [(150, 7, -0.5, 10), (150, 7, 0.5, 230), (240, 3, 0.0, 100)];
        let parts = rows_of_letters(&rows);
        let level = grouped(parts.clone(), Polarity::Light, LEAST_HEIGHT);
        let level = level.iter().find(|line| line.letters.len() == 3).expect("is level");
        let lines = found(&parts);
        assert_eq!(lines.len(), 2, "{:?}", lines.iter().map(|line| line.slope).collect::<Vec<_>>());
        for (one, other) in [(&lines[0], &lines[1]), (&lines[0], level), (level, &lines[1])] {
            assert!(!one.is_part(other), "{} and {}", one.slope, other.slope);
            assert!(one.is_part(one));
        }
        assert!(lines.iter().any(|line| line.bounds.contains(&level.bounds)));
        // What is a piece of such a line is a part of it, also if it was taken for level.
        let piece =
            Line { slope: 0.0, ..Line::of(lines[0].letters[..3].to_vec(), Polarity::Light).expect("has letters") };
        assert!(piece.is_part(&lines[0]) && lines[0].is_part(&piece));
        // Parallel ones, whose upright boxes share most of what they have.
        let rows = [(130, 14, 0.5, 20), (165, 14, 0.5, 20)];
        let lines = found(&rows_of_letters(&rows));
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].bounds.shared(&lines[1].bounds) * 3 > lines[0].bounds.area() * 2 && !lines[0].is_part(&lines[1])
        );
    }

    #[test]
    fn what_has_the_most_letters_is_looked_at_first() {
        // Many short rows that fall, a long one that rises.
        let short = (0..60).map(|number| (20 + number / 4 * 34, 6, -0.4, 10 + number % 4 * 160));
        let rows: Vec<(usize, usize, f64, usize)> = short.chain([(1_200, 26, 0.3, 20)]).collect();
        let letter = |left: usize, top: usize| Component {
            bounds: Bounds { left, top, right: left + 16, bottom: top + 20 },
            runs: (top..top + 20).map(|y| crate::burnt::components::Run { y, start: left, end: left + 4 }).collect(),
            area: 130,
            fill: 220,
            chroma: [128; 2],
        };
        let parts: Vec<Component> = rows
            .iter()
            .flat_map(|&(row, count, slope, start)| {
                (0..count).map(move |number| {
                    let left = start + number * 24;
                    letter(left, (row as f64 + 400.0 + slope * (left as f64 - 200.0)) as usize)
                })
            })
            .collect();
        let lines = tilted(&parts, Polarity::Light, LEAST_HEIGHT, &[]);
        assert!(lines.iter().any(|line| line.letters.len() == 26), "{}", lines.len());
        assert!(lines.len() <= TRIES);
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
