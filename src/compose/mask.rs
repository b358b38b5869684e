//! Parts of a picture that belong to something.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::SourceRect;

/// Which part of a picture belongs to something: cells of two by two pixels, each of which has one sample of chroma.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Runs", into = "Runs")]
pub struct Mask {
    /// The place of its first cell, in cells.
    column: usize,
    row: usize,
    columns: usize,
    rows: usize,
    /// Row by row.
    cells: Vec<bool>,
}

/// Where something is that was elsewhere, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posed {
    /// What it grows and turns about.
    pub(crate) middle: (f64, f64),
    /// By how much that is moved to the right and down.
    pub(crate) shift: (f64, f64),
    /// How many times as large it is.
    pub(crate) scale: f64,
    /// Radians by which it is turned, clockwise.
    pub(crate) angle: f64,
    /// How far beside it something may still be it, and by how much more with each pixel from the middle on.
    pub(crate) edge: f64,
    pub(crate) unsure: f64,
}

/// A mask as it is written: lengths of runs, row by row, outside and inside in turn.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Runs {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    runs: Vec<u32>,
}

/// The farthest that a mask reaches, in cells: pictures have at most 16,384 pixels a side.
const FARTHEST: usize = 8_192;

/// The most cells of a mask that is read: those of the largest picture that is taken, 4,096 pixels a side.
const MOST_CELLS: u64 = 1 << 22;

impl Mask {
    /// None of the cells that `part` of a picture touches.
    pub fn none_of(part: SourceRect) -> Self {
        let cells = |start: u32, size: u32| {
            let end = (start as usize).saturating_add(size as usize).div_ceil(2).min(FARTHEST);
            let start = (start as usize / 2).min(end);
            (start, end - start)
        };
        let ((column, columns), (row, rows)) = (cells(part.x, part.width), cells(part.y, part.height));
        Self { column, row, columns, rows, cells: vec![false; columns * rows] }
    }

    /// All of the cells that `part` of a picture touches.
    pub fn all_of(part: SourceRect) -> Self {
        let mut mask = Self::none_of(part);
        mask.cells.fill(true);
        mask
    }

    /// Adds the cell of the pixel at `x`, `y`, if it lies within.
    pub fn add(&mut self, x: usize, y: usize) {
        if let Some(at) = self.place(x / 2, y / 2) {
            self.cells[at] = true;
        }
    }

    /// Whether the cell at this place, in cells, belongs to it.
    pub(crate) fn has(&self, column: usize, row: usize) -> bool {
        self.place(column, row).is_some_and(|at| self.cells[at])
    }

    /// The cells of a row that may belong to it, from which column on.
    pub(crate) fn row(&self, row: usize) -> Option<(usize, &[bool])> {
        let row = row.checked_sub(self.row).filter(|row| *row < self.rows)?;
        Some((self.column, &self.cells[row * self.columns..][..self.columns]))
    }

    /// Whether any of these cells belongs to it.
    pub(crate) fn has_any(&self, columns: Range<usize>, rows: Range<usize>) -> bool {
        let within = |range: Range<usize>, first: usize, count: usize| {
            range.start.max(first) - first..range.end.clamp(first, first + count) - first
        };
        let columns = within(columns, self.column, self.columns);
        let mut rows = within(rows, self.row, self.rows);
        !columns.is_empty() && rows.any(|row| self.cells[row * self.columns..][columns.clone()].contains(&true))
    }

    fn place(&self, column: usize, row: usize) -> Option<usize> {
        let (x, y) = (column.checked_sub(self.column)?, row.checked_sub(self.row)?);
        (x < self.columns && y < self.rows).then(|| y * self.columns + x)
    }

    /// The part of a picture that it lies in, in pixels.
    pub fn bounds(&self) -> SourceRect {
        let [x, y, width, height] =
            [self.column, self.row, self.columns, self.rows].map(|cells| u32::try_from(2 * cells).unwrap_or(u32::MAX));
        SourceRect { x, y, width, height }
    }

    /// Whether it has no cell.
    pub fn is_empty(&self) -> bool {
        !self.cells.contains(&true)
    }

    /// The cells of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.cells.is_empty() || other.cells.is_empty() {
            return if self.cells.is_empty() { other.clone() } else { self.clone() };
        }
        let (column, row) = (self.column.min(other.column), self.row.min(other.row));
        let columns = (self.column + self.columns).max(other.column + other.columns) - column;
        let rows = (self.row + self.rows).max(other.row + other.rows) - row;
        let mut all = Self { column, row, columns, rows, cells: vec![false; columns * rows] };
        for mask in [self, other] {
            for (y, cells) in (mask.row - row..).zip(mask.cells.chunks_exact(mask.columns)) {
                let start = y * columns + mask.column - column;
                all.cells[start..start + mask.columns].iter_mut().zip(cells).for_each(|(all, &cell)| *all |= cell);
            }
        }
        all
    }

    /// The same in a picture that shows `part` of the first one as `size` pixels, with every cell that one of its own
    /// touches; `None` if nothing of it is left.
    pub fn placed(&self, part: SourceRect, size: (u32, u32)) -> Option<Self> {
        let (across, down) =
            (f64::from(size.0) / f64::from(part.width.max(1)), f64::from(size.1) / f64::from(part.height.max(1)));
        // In pixels of the new picture, before it is cut.
        let there = |at: usize, start: u32, by: f64| (2.0 * at as f64 - f64::from(start)) * by;
        let cells = |(start, count): (usize, usize), origin: u32, by: f64, size: u32| {
            let low = (there(start, origin, by).max(0.0) / 2.0).floor() as usize;
            let high = (there(start + count, origin, by).min(f64::from(size)) / 2.0).ceil().max(0.0) as usize;
            (low < high).then(|| (low, high - low))
        };
        let (column, columns) = cells((self.column, self.columns), part.x, across, size.0)?;
        let (row, rows) = cells((self.row, self.rows), part.y, down, size.1)?;
        let mut placed = Self { column, row, columns, rows, cells: vec![false; columns * rows] };
        // Each of its own cells marks those that it touches.
        let touched = |at: usize, origin: u32, by: f64, first: usize, count: usize| {
            let within = |cell: f64| cell.clamp(first as f64, (first + count) as f64) as usize - first;
            let low = within((there(at, origin, by) / 2.0 + 1e-9).floor());
            low..within((there(at + 1, origin, by) / 2.0 - 1e-9).ceil()).max(low)
        };
        for (y, cells) in self.cells.chunks_exact(self.columns.max(1)).enumerate() {
            for line in touched(self.row + y, part.y, down, row, rows) {
                for x in (0..self.columns).filter(|&x| cells[x]) {
                    placed.cells[line * columns..][touched(self.column + x, part.x, across, column, columns)]
                        .fill(true);
                }
            }
        }
        (!placed.is_empty()).then_some(placed)
    }

    /// The same cells, in no more room than they need.
    #[must_use]
    pub(crate) fn trimmed(&self) -> Self {
        let rows: Vec<usize> =
            (0..self.rows).filter(|row| self.cells[row * self.columns..][..self.columns].contains(&true)).collect();
        let columns: Vec<usize> =
            (0..self.columns).filter(|column| rows.iter().any(|row| self.cells[row * self.columns + column])).collect();
        let ((Some(&left), Some(&right)), (Some(&top), Some(&bottom))) =
            ((columns.first(), columns.last()), (rows.first(), rows.last()))
        else {
            return Self::default();
        };
        let cells = (top..=bottom).flat_map(|row| &self.cells[row * self.columns + left..=row * self.columns + right]);
        Self {
            column: self.column + left,
            row: self.row + top,
            columns: right + 1 - left,
            rows: bottom + 1 - top,
            cells: cells.copied().collect(),
        }
    }

    /// What it is in another pose, in a picture of `size`, beyond which nothing is.
    pub(crate) fn posed(&self, there: &Posed, size: (u32, u32)) -> Self {
        if there.angle == 0.0 { self.moved(there, size) } else { self.turned(there, size) }
    }

    fn moved(&self, there: &Posed, size: (u32, u32)) -> Self {
        let Posed { middle, shift, scale, edge, unsure, .. } = *there;
        // From pixel to pixel.
        let there = |at: usize, middle: f64, shift: f64| middle + (2.0 * at as f64 - middle) * scale + shift;
        let cells = |start: usize, count: usize, middle: f64, shift: f64, size: u32| {
            let most = f64::from(size);
            let beside = |at: usize| edge + unsure * (2.0 * at as f64 - middle).abs();
            let (end, beyond) = (start + count, beside(start + count));
            let low = ((there(start, middle, shift) - beside(start)).clamp(0.0, most) / 2.0).floor() as usize;
            let high = ((there(end, middle, shift) + beyond).clamp(0.0, most) / 2.0).ceil() as usize;
            low..high.max(low)
        };
        let (across, down) = (
            cells(self.column, self.columns, middle.0, shift.0, size.0),
            cells(self.row, self.rows, middle.1, shift.1, size.1),
        );
        let (columns, rows) = (across.len(), down.len());
        let mut posed =
            Self { column: across.start, row: down.start, columns, rows, cells: vec![false; columns * rows] };
        for (y, row) in self.cells.chunks_exact(self.columns.max(1)).enumerate() {
            let lines = cells(self.row + y, 1, middle.1, shift.1, size.1);
            for x in (0..self.columns).filter(|&x| row[x]) {
                let part = cells(self.column + x, 1, middle.0, shift.0, size.0);
                for line in lines.clone() {
                    let start = (line - down.start) * columns;
                    posed.cells[start + part.start - across.start..start + part.end - across.start].fill(true);
                }
            }
        }
        posed
    }

    fn turned(&self, there: &Posed, size: (u32, u32)) -> Self {
        let Posed { middle, shift, scale, angle, edge, unsure } = *there;
        let (sin, cos) = angle.sin_cos();
        let SourceRect { x, y, width, height } = self.bounds();
        let corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)].map(|(x, y)| {
            let (right, down) = (f64::from(x) - middle.0, f64::from(y) - middle.1);
            let (right, down) = (right * cos - down * sin, right * sin + down * cos);
            (middle.0 + scale * right + shift.0, middle.1 + scale * down + shift.1)
        });
        let far = |(x, y): &(f64, f64)| (x - middle.0 - shift.0).hypot(y - middle.1 - shift.1);
        let beyond = edge + unsure * corners.iter().map(far).fold(0.0, f64::max);
        let cells = |of: fn(&(f64, f64)) -> f64, size: u32| {
            let side = |at: f64| (at.clamp(0.0, f64::from(size)) / 2.0) as usize;
            let low = side(corners.iter().map(of).fold(f64::MAX, f64::min) - beyond);
            let high = side(corners.iter().map(of).fold(f64::MIN, f64::max) + beyond + 2.0);
            low..high.min(size.div_ceil(2) as usize).max(low)
        };
        let (across, down) = (cells(|corner| corner.0, size.0), cells(|corner| corner.1, size.1));
        // What a cell is and is near to where it comes from, upright.
        let least = (sin.abs() + cos.abs() + edge) / scale;
        let near = |at: f64, reach: f64| {
            let side = |at: f64| (at.max(0.0) / 2.0) as usize;
            side(at - reach)..side(at + reach) + 1
        };
        let all = down.clone().flat_map(|row| across.clone().map(move |column| (column, row)));
        let cells = all.map(|(column, row)| {
            let (x, y) = (2.0 * column as f64 + 1.0, 2.0 * row as f64 + 1.0);
            let (right, down) = ((x - middle.0 - shift.0) / scale, (y - middle.1 - shift.1) / scale);
            let (x, y) = (middle.0 + right * cos + down * sin, middle.1 + down * cos - right * sin);
            let reach = least + unsure * right.hypot(down);
            x + reach >= 0.0 && y + reach >= 0.0 && self.has_any(near(x, reach), near(y, reach))
        });
        Self { column: across.start, row: down.start, columns: across.len(), rows: down.len(), cells: cells.collect() }
    }

    /// How many of its cells belong to any of the others, too.
    pub(crate) fn hidden(&self, others: &[&Self]) -> usize {
        let all = (0..self.rows).flat_map(|y| (0..self.columns).map(move |x| (x, y)));
        let own = all.filter(|&(x, y)| self.cells[y * self.columns + x]);
        own.filter(|&(x, y)| others.iter().any(|other| other.has(self.column + x, self.row + y))).count()
    }

    /// How many cells belong to it.
    pub(crate) fn count(&self) -> usize {
        self.cells.iter().filter(|cell| **cell).count()
    }

    /// Whether all of it lies in a picture of this size.
    pub(crate) fn fits(&self, width: u32, height: u32) -> bool {
        self.column + self.columns <= width.div_ceil(2) as usize && self.row + self.rows <= height.div_ceil(2) as usize
    }
}

impl From<Mask> for Runs {
    fn from(mask: Mask) -> Self {
        let SourceRect { x, y, width, height } = mask.bounds();
        let mut runs = Vec::new();
        let mut inside = false;
        let mut length = 0;
        for cell in mask.cells {
            if cell != inside {
                runs.push(length);
                (inside, length) = (cell, 0);
            }
            length += 1;
        }
        runs.push(length);
        Self { x, y, width, height, runs }
    }
}

impl TryFrom<Runs> for Mask {
    type Error = &'static str;

    fn try_from(Runs { x, y, width, height, runs }: Runs) -> Result<Self, Self::Error> {
        let far = |start: u32, size: u32| start.checked_add(size).is_none_or(|end| end as usize > 2 * FARTHEST);
        if [x, y, width, height].iter().any(|number| number % 2 > 0) || far(x, width) || far(y, height) {
            return Err("a mask lies on no cells of a picture");
        }
        if u64::from(width / 2) * u64::from(height / 2) > MOST_CELLS {
            return Err("a mask is larger than a picture");
        }
        let mut mask = Self::none_of(SourceRect { x, y, width, height });
        let count = runs.iter().map(|&run| u64::from(run)).sum::<u64>();
        if count != mask.cells.len() as u64 {
            return Err("the runs of a mask do not fill it");
        }
        let mut at = 0;
        for (number, run) in runs.into_iter().enumerate() {
            mask.cells[at..at + run as usize].fill(number % 2 > 0);
            at += run as usize;
        }
        Ok(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> SourceRect {
        SourceRect { x, y, width, height }
    }

    fn cells(mask: &Mask) -> Vec<(usize, usize)> {
        let all = (0..40).flat_map(|row| (0..40).map(move |column| (column, row)));
        all.filter(|&(column, row)| mask.has(column, row)).collect()
    }

    #[test]
    fn a_mask_comes_back_as_it_was_written() {
        let mut mask = Mask::none_of(rect(3, 4, 9, 5));
        assert_eq!(mask.bounds(), rect(2, 4, 10, 6));
        for (x, y) in [(2, 4), (3, 5), (11, 9), (7, 6), (0, 0), (12, 4)] {
            mask.add(x, y);
        }
        assert_eq!(cells(&mask), [(1, 2), (3, 3), (5, 4)], "what lies outside is left out");
        for mask in [mask, Mask::all_of(rect(0, 0, 6, 2)), Mask::default()] {
            let json = serde_json::to_string(&mask).expect("is written");
            assert_eq!(serde_json::from_str::<Mask>(&json).expect("is read"), mask, "{json}");
        }
        for bad in [
            r#"{"x":0,"y":0,"width":4,"height":2,"runs":[1]}"#,
            r#"{"x":1,"y":0,"width":4,"height":2,"runs":[2]}"#,
            r#"{"x":0,"y":0,"width":16384,"height":16384,"runs":[67108864]}"#,
            r#"{"x":0,"y":0,"width":4294967294,"height":4294967294,"runs":[2]}"#,
            r#"{"x":4294967294,"y":0,"width":4,"height":2,"runs":[2]}"#,
        ] {
            assert!(serde_json::from_str::<Mask>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_of_some_cells_is_told_from_none() {
        let mut mask = Mask::none_of(rect(6, 4, 8, 6));
        [(6, 4), (12, 8), (9, 7)].into_iter().for_each(|(x, y)| mask.add(x, y));
        for (left, right, top, bottom) in (0..9usize).flat_map(|a| (0..9usize).map(move |b| (a, b, 8 - a, 8 - b))) {
            let any = (top..bottom).any(|row| (left..right).any(|column| mask.has(column, row)));
            assert_eq!(mask.has_any(left..right, top..bottom), any, "{left}..{right}, {top}..{bottom}");
        }
        assert!(mask.has_any(0..100, 0..100) && !mask.has_any(7..100, 0..100) && !Mask::default().has_any(0..9, 0..9));
    }

    #[test]
    fn a_mask_is_moved_and_sized() {
        let mut mask = Mask::none_of(rect(8, 8, 8, 4));
        mask.add(8, 8);
        mask.add(14, 10);
        assert_eq!(mask.count(), 2);
        let size = (80, 80);
        let posed = |scale: f64, shift: (f64, f64), edge: f64| {
            mask.posed(&Posed { middle: (12.0, 10.0), shift, scale, angle: 0.0, edge, unsure: 0.0 }, size)
        };
        assert_eq!(cells(&posed(1.0, (0.0, 0.0), 0.0)), cells(&mask));
        assert_eq!(cells(&posed(1.0, (6.0, -4.0), 0.0)), [(7, 2), (10, 3)]);
        // What lies between cells touches both.
        assert_eq!(cells(&posed(1.0, (1.0, 0.0), 0.0)), [(4, 4), (5, 4), (7, 5), (8, 5)]);
        assert_eq!(
            cells(&posed(2.0, (0.0, 0.0), 0.0)),
            [(2, 3), (3, 3), (2, 4), (3, 4), (8, 5), (9, 5), (8, 6), (9, 6)]
        );
        assert_eq!(cells(&posed(0.5, (0.0, 0.0), 0.0)), [(5, 4), (6, 5)]);
        let wide = posed(1.0, (0.0, 0.0), 2.0);
        assert!(wide.count() == 18 && wide.has(3, 3) && wide.has(5, 5) && wide.has(8, 6), "{:?}", cells(&wide));
        // Beyond the edges there is nothing.
        assert_eq!(cells(&posed(1.0, (-12.0, 0.0), 0.0)), [(1, 5)]);
        assert!(posed(1.0, (200.0, 0.0), 2.0).is_empty() && posed(1.0, (0.0, -60.0), 2.0).is_empty());
        assert!(posed(1.0, (66.0, 0.0), 2.0).fits(size.0, size.1));
    }

    #[test]
    fn a_mask_takes_no_more_room_than_it_needs() {
        let mut mask = Mask::none_of(rect(8, 8, 80, 40));
        assert_eq!(mask.trimmed(), Mask::default());
        mask.add(20, 12);
        mask.add(44, 30);
        let trimmed = mask.trimmed();
        assert_eq!((cells(&trimmed), trimmed.bounds()), (cells(&mask), rect(20, 12, 26, 20)));
        assert_eq!(trimmed.trimmed(), trimmed);
    }

    #[test]
    fn a_mask_is_turned() {
        // A bar of 40 by 4 pixels, turned about its middle.
        let bar = Mask::all_of(rect(20, 38, 40, 4));
        let turned = |degrees: f64, scale: f64, shift: (f64, f64), edge: f64| {
            let angle = degrees.to_radians();
            bar.posed(&Posed { middle: (40.0, 40.0), shift, scale, angle, edge, unsure: 0.0 }, (80, 80))
        };
        let upright = turned(90.0, 1.0, (0.0, 0.0), 0.0);
        let SourceRect { x, y, width, height } = upright.bounds();
        assert!(
            x.abs_diff(38) <= 2 && width <= 8 && y.abs_diff(20) <= 2 && height.abs_diff(40) <= 4,
            "{x} {y} {width} {height}"
        );
        // Each place of it is in the turned one, and what is four pixels away from it is not.
        for (degrees, scale, shift) in
            [(12.0f64, 1.0, (0.0, 0.0)), (-33.0, 1.0, (6.5, -3.0)), (75.0, 0.5, (0.0, 9.0)), (170.0, 1.2, (0.0, 0.0))]
        {
            let mask = turned(degrees, scale, shift, 0.0);
            let (sin, cos) = degrees.to_radians().sin_cos();
            let has = |along: f64, across: f64| {
                let (x, y) = (along * cos - across * sin, along * sin + across * cos);
                let (x, y) = (40.0 + scale * x + shift.0, 40.0 + scale * y + shift.1);
                mask.has((x / 2.0) as usize, (y / 2.0) as usize)
            };
            let inside = (-19..=19).flat_map(|along| [-1.5, 0.0, 1.5].map(|across| (f64::from(along), across)));
            assert!(inside.clone().all(|(along, across)| has(along, across)), "{degrees}");
            let far = 2.0 + 5.0 / scale;
            assert!((-19..=19).all(|along| !has(along.into(), far) && !has(along.into(), -far)), "{degrees}");
            assert!(!has(20.0 + 5.0 / scale, 0.0) && !has(-20.0 - 5.0 / scale, 0.0), "{degrees}");
        }
        let has_edge = turned(12.0, 1.0, (0.0, 0.0), 6.0);
        assert!(has_edge.count() > turned(12.0, 1.0, (0.0, 0.0), 0.0).count() * 2);
        // Only its ends are wider.
        let unsure = |angle: f64| {
            bar.posed(
                &Posed { middle: (40.0, 40.0), shift: (0.0, 0.0), scale: 1.0, angle, edge: 0.0, unsure: 0.2 },
                (80, 80),
            )
        };
        for angle in [0.0f64, 0.3] {
            let (mask, (sin, cos)) = (unsure(angle), angle.sin_cos());
            let has = |along: f64, across: f64| {
                let (x, y) = (40.0 + along * cos - across * sin, 40.0 + along * sin + across * cos);
                mask.has((x / 2.0) as usize, (y / 2.0) as usize)
            };
            assert!(has(22.5, 0.0) && has(-22.5, 0.0) && !has(0.0, 7.0), "{angle}");
            assert!(angle == 0.0 || (has(18.0, 4.5) && has(-18.0, -4.5)), "{angle}");
        }
        // Beyond the edges there is nothing.
        assert!(turned(30.0, 1.0, (200.0, 0.0), 2.0).is_empty() && turned(30.0, 1.0, (0.0, -90.0), 2.0).is_empty());
        assert!(turned(45.0, 2.0, (30.0, 30.0), 2.0).fits(80, 80));
        assert!(
            Mask::default()
                .posed(
                    &Posed { middle: (0.0, 0.0), shift: (0.0, 0.0), scale: 1.0, angle: 0.3, edge: 2.0, unsure: 0.0 },
                    (80, 80)
                )
                .is_empty()
        );
    }

    #[test]
    fn two_make_one() {
        let one = Mask::all_of(rect(2, 2, 4, 2));
        let (part, none) = (Mask::all_of(rect(4, 0, 8, 8)), Mask::all_of(rect(6, 2, 8, 8)));
        assert_eq!((one.hidden(&[&one]), one.hidden(&[&part, &part, &none]), one.hidden(&[&none])), (2, 1, 0));
        let both = one.union(&Mask::all_of(rect(8, 4, 2, 2)));
        assert_eq!(cells(&both), [(1, 1), (2, 1), (4, 2)]);
        assert_eq!((one.union(&Mask::default()), Mask::default().union(&one)), (one.clone(), one));
    }

    #[test]
    fn a_part_of_a_picture_is_shown_larger_and_smaller() {
        let mask = Mask::all_of(rect(10, 20, 4, 2));
        let larger = mask.placed(rect(8, 16, 20, 20), (40, 40)).expect("is seen");
        assert_eq!(larger.bounds(), rect(4, 8, 8, 4));
        assert_eq!(cells(&larger).len(), 8);
        let smaller = mask.placed(rect(0, 0, 40, 40), (30, 30)).expect("is seen");
        assert_eq!(cells(&smaller), [(3, 7), (4, 7), (5, 7), (3, 8), (4, 8), (5, 8)], "all that is touched");
        assert_eq!(mask.placed(rect(0, 0, 8, 8), (40, 40)), None);
        let cut = mask.placed(rect(12, 0, 20, 40), (20, 40)).expect("is seen");
        assert_eq!(cells(&cut), [(0, 10)]);
        assert!(cut.fits(20, 40) && !cut.fits(20, 20));
        // Far beyond what is seen, on the right and below.
        let wide = Mask::all_of(rect(4, 4, 200, 100));
        let cut = wide.placed(rect(0, 0, 40, 40), (20, 20)).expect("is seen");
        assert_eq!((cut.bounds(), cells(&cut).len()), (rect(2, 2, 18, 18), 81));
    }
}
