//! Samples of a plane that is moved by parts of a sample.

use std::ops::Range;

use multiversion::multiversion;

use super::PlaneRef;
use super::mend::Shift;

/// Samples of a plane that is moved: sharper than what is linear between two (Catmull-Rom), but for the plane's edges.
pub(super) struct Resampled {
    /// The sample before the place that the first one comes from.
    x: i32,
    y: i32,
    /// The parts of a sample beyond it, and the weights of four samples for that.
    fx: f32,
    fy: f32,
    across: [f32; 4],
    down: [f32; 4],
}

impl Resampled {
    /// By so many parts of a sample.
    pub(super) fn new(shift: Shift, parts: i32) -> Self {
        let weights = |part: f32| {
            let (a, b, c) = (part, part * part, part * part * part);
            [(2.0 * b - a - c) / 2.0, (3.0 * c - 5.0 * b + 2.0) / 2.0, (a + 4.0 * b - 3.0 * c) / 2.0, (c - b) / 2.0]
        };
        let part = |shift: i32| shift.rem_euclid(parts) as f32 / parts as f32;
        let (fx, fy) = (part(shift.x), part(shift.y));
        let (x, y) = (shift.x.div_euclid(parts), shift.y.div_euclid(parts));
        Self { x, y, fx, fy, across: weights(fx), down: weights(fy) }
    }

    /// What is at this place of the plane when it is moved; `None` outside.
    pub(super) fn sample(&self, plane: PlaneRef<'_>, column: usize, row: usize) -> Option<f32> {
        let column = usize::try_from(column as i32 + self.x).ok()?;
        let row = usize::try_from(row as i32 + self.y).ok()?;
        if self.fx == 0.0 && self.fy == 0.0 {
            return plane.row(row).get(column).map(|&value| value.into());
        }
        let (Some(left), Some(above)) = (column.checked_sub(1), row.checked_sub(1)) else {
            return self.linear(plane, column, row);
        };
        if column + 2 >= plane.width() || row + 2 >= plane.height() {
            return self.linear(plane, column, row);
        }
        let mut sum = 0.0;
        for (row, down) in (above..).zip(self.down) {
            let four = &plane.row(row)[left..left + 4];
            sum += down * four.iter().zip(self.across).map(|(&value, weight)| f32::from(value) * weight).sum::<f32>();
        }
        Some(sum)
    }

    /// The columns and the rows at which nothing is needed from beyond the plane's edges.
    pub(super) fn inside(&self, plane: PlaneRef<'_>) -> (Range<usize>, Range<usize>) {
        let (before, after) = if self.fx == 0.0 && self.fy == 0.0 { (0, 0) } else { (1, 2) };
        let range = |shift: i32, size: usize| {
            let side = |at: i64| usize::try_from(at - i64::from(shift)).unwrap_or(0);
            side(before)..side(size as i64 - after)
        };
        (range(self.x, plane.width()), range(self.y, plane.height()))
    }

    /// As [`sample`](Self::sample), for samples that follow each other in a row and are [`inside`](Self::inside).
    pub(super) fn row(&self, plane: PlaneRef<'_>, (column, row): (usize, usize), into: &mut [f32]) {
        let [column, row] = [(column, self.x), (row, self.y)].map(|(at, shift)| (at as i32 + shift).max(0) as usize);
        if self.fx == 0.0 && self.fy == 0.0 {
            let samples = plane.row(row).get(column..).unwrap_or_default();
            into.iter_mut().zip(samples).for_each(|(into, &value)| *into = value.into());
            return;
        }
        into.fill(0.0);
        for (row, down) in (row.saturating_sub(1)..).zip(self.down) {
            let samples = plane.row(row).get(column.saturating_sub(1)..).unwrap_or_default();
            add_weighted(samples, self.across, down, into);
        }
    }

    fn linear(&self, plane: PlaneRef<'_>, column: usize, row: usize) -> Option<f32> {
        let along = |row: usize| {
            let row = plane.row(row);
            let left = f32::from(*row.get(column)?);
            Some(if self.fx == 0.0 { left } else { left + (f32::from(*row.get(column + 1)?) - left) * self.fx })
        };
        let top = along(row)?;
        Some(if self.fy == 0.0 { top } else { top + (along(row + 1)? - top) * self.fy })
    }
}

/// Adds `part` of the sum of each four samples by their weights.
#[multiversion(targets = "simd")]
fn add_weighted(samples: &[u8], [a, b, c, d]: [f32; 4], part: f32, into: &mut [f32]) {
    let four = samples.iter().zip(samples.iter().skip(1)).zip(samples.iter().skip(2)).zip(samples.iter().skip(3));
    for (sum, (((&one, &two), &three), &four)) in into.iter_mut().zip(four) {
        let [one, two, three, four] = [one, two, three, four].map(f32::from);
        *sum += part * (one * a + two * b + three * c + four * d);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_its_samples_are() {
        let (width, height) = (160, 120);
        let samples: Vec<u8> = (0..width * height).map(|at| (at * 7_919 % 251) as u8).collect();
        let plane = PlaneRef::new(&samples, width, height, width).expect("fits");
        for (x, y, parts) in [(0, 0, 4), (5, -3, 4), (-8, 12, 4), (3, 0, 8), (0, -7, 8), (-401, 2, 4), (2, 99_999, 4)] {
            let moved = Resampled::new(Shift { x, y }, parts);
            let (across, down) = moved.inside(plane);
            for row in down.clone() {
                let mut found = vec![0.0; across.len()];
                moved.row(plane, (across.start, row), &mut found);
                let each: Vec<f32> = across.clone().filter_map(|column| moved.sample(plane, column, row)).collect();
                assert_eq!(found, each, "{x}, {y}, {parts}: {row}");
            }
            // All but the samples at the edges, and those that move out before the first column or row.
            let most = |size: usize, shift: i32| size.saturating_sub(shift.max(0) as usize);
            assert!(
                across.len() <= most(width, moved.x) && across.len() + 3 >= most(width, moved.x),
                "{x}: {across:?}"
            );
            assert!(down.len() <= most(height, moved.y) && down.len() + 3 >= most(height, moved.y), "{y}: {down:?}");
        }
    }
}
