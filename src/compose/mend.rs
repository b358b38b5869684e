//! Rebuilding what was behind something that is taken out of a picture.
//!
//! What other pictures of the same scene show there is taken from them, moved by as much as the scene has moved, and made to
//! fit what is around it: the differences at the edge are spread over the inside (a membrane, as in Pérez, Gangnet and Blake,
//! "Poisson Image Editing", 2003). What no picture shows is spread from its edges.

use std::ops::Range;

use super::resampled::Resampled;
use super::spread::spread;
use super::{I420Mut, I420Ref, Mask, PlaneMut, PlaneRef, SourceRect};

/// Cells around a mask that are looked at.
const AROUND: usize = 5;
/// Cells around holes in which a candidate is compared with what is there.
const EDGE: usize = 3;
/// Cells across a square of which the difference at edges is told.
const SQUARE: usize = 2;
/// Cells around a mask by which movement is told.
const NEAR: usize = 28;
/// The most points by which movement is told, and at a quarter of the size.
const POINTS: usize = 1_200;
const FEW_POINTS: usize = 500;
/// What differs by more than this moves by itself.
const MOST_APART: i32 = 40;

/// By how much a scene has moved, in quarters of a pixel: what is at `p` in one picture is at `p + shift` in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shift {
    pub(crate) x: i32,
    pub(crate) y: i32,
}

impl Shift {
    pub(crate) const NONE: Self = Self { x: 0, y: 0 };

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self { x: self.x - other.x, y: self.y - other.y }
    }

    /// `part` of `whole` of it.
    pub(crate) fn part(self, part: i64, whole: i64) -> Self {
        let of = |value: i32| i32::try_from(i64::from(value) * part / whole.max(1)).unwrap_or(value);
        Self { x: of(self.x), y: of(self.y) }
    }
}

/// A picture, and what hides the scene in it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) picture: I420Ref<'a>,
    pub(crate) holes: &'a [&'a Mask],
}

impl View<'_> {
    fn is_hidden(&self, column: usize, row: usize) -> bool {
        self.holes.iter().any(|hole| hole.has(column, row))
    }

    /// Width and height in cells.
    fn cells(&self) -> (usize, usize) {
        (self.picture.u.width(), self.picture.u.height())
    }
}

/// A part of a picture, in cells.
#[derive(Clone, Copy)]
struct Part {
    column: usize,
    row: usize,
    columns: usize,
    rows: usize,
}

impl Part {
    /// What is at most `reach` cells from a mask, within a picture of this many cells.
    fn around(mask: &Mask, reach: usize, (width, height): (usize, usize)) -> Self {
        let SourceRect { x, y, width: across, height: down } = mask.bounds();
        let range = |start: u32, size: u32, whole: usize| {
            let (start, end) = (start as usize / 2, (start + size) as usize / 2 + reach);
            let start = start.saturating_sub(reach).min(whole);
            (start, end.min(whole).max(start) - start)
        };
        let ((column, columns), (row, rows)) = (range(x, across, width), range(y, down, height));
        Self { column, row, columns, rows }
    }

    fn places(self) -> impl Iterator<Item = (usize, usize)> {
        (self.row..self.row + self.rows)
            .flat_map(move |row| (self.column..self.column + self.columns).map(move |column| (column, row)))
    }
}

/// Which cells of a part, when it is moved by `shift`, are not all seen in `view`: hidden or outside.
fn unseen(part: Part, view: View<'_>, shift: Shift) -> Vec<bool> {
    // Samples that are mixed reach into the cells beside: one before, two after. Shifts are eighths of a cell.
    let beside = usize::from(shift.x % 8 != 0 || shift.y % 8 != 0);
    let (columns, rows) = (part.columns + 3 * beside, part.rows + 3 * beside);
    let first = |first: usize, shift: i32| first as i64 + i64::from(shift.div_euclid(8)) - beside as i64;
    let (left, top) = (first(part.column, shift.x), first(part.row, shift.y));
    let (width, height) = view.cells();
    // The cells of the picture from `at` on that lie in a row of so many from `first` on.
    let range = |first: i64, count: usize, at: usize, size: usize| {
        let place = |at: usize| (at as i64 - first).clamp(0, count as i64) as usize;
        place(at)..place(at + size)
    };
    let mut unseen = vec![true; columns * rows];
    for y in range(top, rows, 0, height) {
        let row = &mut unseen[y * columns..][..columns];
        row[range(left, columns, 0, width)].fill(false);
        let in_picture = usize::try_from(top + y as i64).unwrap_or(0);
        for (column, cells) in view.holes.iter().filter_map(|hole| hole.row(in_picture)) {
            let own = range(left, columns, column, cells.len());
            let skipped = usize::try_from(left + own.start as i64).unwrap_or(0).saturating_sub(column);
            row[own].iter_mut().zip(cells.iter().skip(skipped)).for_each(|(unseen, hidden)| *unseen |= hidden);
        }
    }
    if beside == 0 {
        return unseen;
    }
    // Each with what its samples reach into: down, then across.
    let (all, mut down) = (unseen, vec![false; columns * part.rows]);
    for (y, row) in down.chunks_exact_mut(columns.max(1)).enumerate() {
        for reached in all[y * columns..][..4 * columns].chunks_exact(columns.max(1)) {
            row.iter_mut().zip(reached).for_each(|(unseen, reached)| *unseen |= reached);
        }
    }
    let mut both = vec![false; part.columns * part.rows];
    let rows = both.chunks_exact_mut(part.columns.max(1)).zip(down.chunks_exact(columns.max(1)));
    for (row, down) in rows {
        for by in 0..4 {
            row.iter_mut().zip(&down[by..]).for_each(|(unseen, reached)| *unseen |= reached);
        }
    }
    both
}

/// By how much what is around `mask` has moved from one picture to another, looked for at most `reach` pixels from `guess`,
/// and by how many code values the two then differ in the mean. `None` where there is nothing to tell it by.
pub(crate) fn movement(from: View<'_>, mask: &Mask, to: View<'_>, guess: Shift, reach: i32) -> Option<(Shift, f32)> {
    let part = Part::around(mask, NEAR, from.cells());
    // A lattice whose rows are not in line.
    let step = (((part.columns * part.rows) as f64 / (2 * POINTS) as f64).sqrt() as usize).max(1);
    let seen: Vec<(usize, usize)> = (part.row..part.row + part.rows)
        .step_by(step)
        .flat_map(|row| {
            (part.column + row * 7 / step % step..part.column + part.columns)
                .step_by(step)
                .map(move |column| (column, row))
        })
        .filter(|&(column, row)| !from.is_hidden(column, row))
        .collect();
    if seen.len() < 64 {
        return None;
    }
    let whole = Shift { x: guess.x.div_euclid(4), y: guess.y.div_euclid(4) };
    // In cells first, if it is far.
    let near = if reach > 4 {
        let few: Vec<(i32, i32, i32)> = thinned(&seen, FEW_POINTS)
            .map(|(column, row)| (column as i32, row as i32, cell_luma(from.picture.y, column, row)))
            .collect();
        let (columns, rows) = to.cells();
        let cost = |shift: Shift, most: i32| {
            mean_cost(&few, most, |&(column, row, luma)| {
                let (column, row) = (usize::try_from(column + shift.x).ok()?, usize::try_from(row + shift.y).ok()?);
                let is_seen = column < columns && row < rows && !to.is_hidden(column, row);
                is_seen.then(|| (luma - cell_luma(to.picture.y, column, row)).abs())
            })
        };
        let middle = Shift { x: whole.x.div_euclid(2), y: whole.y.div_euclid(2) };
        let best = spiral(middle, reach / 2, 2, &cost);
        let best = spiral(best, 1, 1, &cost);
        Shift { x: best.x * 2, y: best.y * 2 }
    } else {
        whole
    };
    let points: Vec<(i32, i32, i32)> = thinned(&seen, POINTS)
        .filter_map(|(column, row)| {
            let (x, y) = (column * 2, row * 2);
            Some((x as i32, y as i32, i32::from(*from.picture.y.row(y).get(x)?)))
        })
        .collect();
    let exact = |shift: Shift, most: i32| {
        mean_cost(&points, most, |&(x, y, luma)| {
            let (x, y) = (usize::try_from(x + shift.x).ok()?, usize::try_from(y + shift.y).ok()?);
            let value = to.picture.y.row(y).get(x)?;
            (!to.is_hidden(x / 2, y / 2)).then(|| (luma - i32::from(*value)).abs())
        })
    };
    let near = descent(near, reach.max(4), &exact);
    // What `to` shows of a point, in sixteenths of a code value.
    let shown = |(x, y): (i32, i32), between: &Quarters| {
        let (x, y) = (usize::try_from(x + between.x).ok()?, usize::try_from(y + between.y).ok()?);
        (!to.is_hidden(x / 2, y / 2)).then(|| between.sixteenths(to.picture.y, x, y)).flatten()
    };
    let quarters = |shift: Shift, most: i32| {
        let between = Quarters::new(shift);
        mean_cost(&points, most, |&(x, y, luma)| Some((luma - ((shown((x, y), &between)? + 8) >> 4)).abs()))
    };
    let fine = spiral(Shift { x: near.x * 4, y: near.y * 4 }, 2, 2, &quarters);
    let fine = spiral(fine, 1, 1, &quarters);
    // Light may change; that does not tell one scene from another.
    let between = Quarters::new(fine);
    let differences: Vec<f32> =
        points.iter().filter_map(|&(x, y, luma)| Some((16 * luma - shown((x, y), &between)?) as f32 / 16.0)).collect();
    if differences.len() * 3 < points.len() {
        return None;
    }
    let mean = differences.iter().sum::<f32>() / differences.len() as f32;
    let apart = differences.iter().map(|difference| (difference - mean).abs().min(MOST_APART as f32)).sum::<f32>();
    Some((fine, apart / differences.len() as f32))
}

fn thinned(all: &[(usize, usize)], most: usize) -> impl Iterator<Item = (usize, usize)> {
    // A step that shares no factor with the width of a part does not keep to columns.
    let step = all.len().div_ceil(most).max(1) | 1;
    all.iter().copied().step_by(step)
}

/// The mean of what is seen, in parts of 256, or the most there can be if little is; of what is over `most` anything that is over
/// it, too.
fn mean_cost<P>(points: &[P], most: i32, difference: impl Fn(&P) -> Option<i32>) -> i32 {
    let (mut sum, mut count) = (0, 0);
    for some in points.chunks(64) {
        let differences = some.iter().filter_map(&difference);
        (sum, count) = differences.fold((sum, count), |(sum, count), value| (sum + value.min(MOST_APART), count + 1));
        // However little the others differ.
        if sum * 256 / points.len() as i32 > most {
            return i32::MAX;
        }
    }
    if count < 40 { MOST_APART * 256 } else { sum * 256 / count }
}

/// What a shift costs, if that is at most so much.
type Cost<'a> = dyn Fn(Shift, i32) -> i32 + 'a;

/// The shift of the least cost at most `reach` from `middle`, in steps; of equal ones the nearest.
fn spiral(middle: Shift, reach: i32, step: usize, cost: &Cost<'_>) -> Shift {
    let steps = || (-reach..=reach).step_by(step);
    let mut all: Vec<(i32, i32)> = steps().flat_map(|y| steps().map(move |x| (x, y))).collect();
    // The likely ones first: most of the others are soon over the best.
    all.sort_by_key(|&(x, y)| (x.abs() + y.abs(), y, x));
    let mut best = (i32::MAX, middle);
    for (x, y) in all {
        let shift = Shift { x: middle.x + x, y: middle.y + y };
        // Where all is even, nothing has moved.
        let away = x.abs().max(y.abs());
        let cost = cost(shift, best.0.saturating_sub(away)).saturating_add(away);
        if cost < best.0 {
            best = (cost, shift);
        }
    }
    best.1
}

/// As [`spiral`], by going on from neighbour to neighbour.
fn descent(start: Shift, reach: i32, cost: &Cost<'_>) -> Shift {
    // What was over the best of one step is over that of the next.
    let known = std::cell::RefCell::new(Vec::<(Shift, i32)>::new());
    let once = |shift: Shift, most: i32| {
        let before = known.borrow().iter().find(|(other, _)| *other == shift).map(|(_, cost)| *cost);
        before.unwrap_or_else(|| {
            let cost = cost(shift, most);
            known.borrow_mut().push((shift, cost));
            cost
        })
    };
    let mut at = start;
    for _ in 0..reach {
        let next = spiral(at, 1, 1, &once);
        if next == at {
            break;
        }
        at = next;
    }
    at
}

/// The mean luma of a cell.
fn cell_luma(plane: PlaneRef<'_>, column: usize, row: usize) -> i32 {
    let sum = |y: usize| {
        plane.row(y).get(2 * column..2 * column + 2).map_or(0, |pair| i32::from(pair[0]) + i32::from(pair[1]))
    };
    (sum(2 * row) + sum(2 * row + 1)) / 4
}

/// The place between four samples of luma that a shift leads to.
struct Quarters {
    /// The first of them, from where one starts.
    x: i32,
    y: i32,
    /// Quarters of a sample beyond it.
    across: i32,
    down: i32,
}

impl Quarters {
    fn new(shift: Shift) -> Self {
        let Shift { x, y } = shift;
        Self { x: x.div_euclid(4), y: y.div_euclid(4), across: x.rem_euclid(4), down: y.rem_euclid(4) }
    }

    /// What a plane has there, if this is the first sample; `None` outside.
    fn sixteenths(&self, plane: PlaneRef<'_>, x: usize, y: usize) -> Option<i32> {
        let along = |row: usize| {
            let row = plane.row(row);
            let left = i32::from(*row.get(x)?);
            Some(match self.across {
                0 => 4 * left,
                across => (4 - across) * left + across * i32::from(*row.get(x + 1)?),
            })
        };
        let top = along(y)?;
        Some(match self.down {
            0 => 4 * top,
            down => (4 - down) * top + down * along(y + 1)?,
        })
    }
}

/// One plane of the part that is mended.
struct Layer {
    /// Samples for a cell, in each direction.
    scale: usize,
    width: usize,
    height: usize,
    /// What is there.
    values: Vec<f32>,
    /// What other pictures show there; empty before one was looked at.
    found: Vec<f32>,
}

/// Which cells around a mask are hidden, and which lie at their edges: the same for all frames in which the same hides them.
pub(crate) struct Outline {
    part: Part,
    kinds: Vec<Kind>,
    /// The cells that are to be looked for, with their places.
    wanted: Vec<(u32, u32)>,
    /// The cells at the edges, those that are hidden, and those of the mask.
    edges: Vec<usize>,
    holes: Vec<Stretch>,
    own: Vec<Stretch>,
}

/// Cells of a part that follow each other in a row.
struct Stretch {
    row: usize,
    columns: Range<usize>,
}

/// The cells of a part for which `is_one` holds, by their numbers.
fn stretches(part: Part, is_one: impl Fn(usize) -> bool) -> Vec<Stretch> {
    let mut all = Vec::new();
    for row in 0..part.rows {
        let mut column = 0;
        let is_one = |column: &usize| is_one(row * part.columns + column);
        while let Some(start) = (column..part.columns).find(is_one) {
            column = (start..part.columns).find(|column| !is_one(column)).unwrap_or(part.columns);
            all.push(Stretch { row, columns: start..column });
        }
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Away,
    Edge,
    Hole,
}

impl Outline {
    /// Of `mask`, one of the holes of `view`.
    pub(crate) fn new(view: View<'_>, mask: &Mask) -> Self {
        let part = Part::around(mask, AROUND, view.cells());
        let mut kinds: Vec<Kind> = part
            .places()
            .map(|(column, row)| if view.is_hidden(column, row) { Kind::Hole } else { Kind::Away })
            .collect();
        let holes: Vec<usize> = (0..kinds.len()).filter(|&at| kinds[at] == Kind::Hole).collect();
        for &at in &holes {
            let (x, y) = (at % part.columns, at / part.columns);
            for row in y.saturating_sub(EDGE)..(y + EDGE + 1).min(part.rows) {
                for column in x.saturating_sub(EDGE)..(x + EDGE + 1).min(part.columns) {
                    let kind = &mut kinds[row * part.columns + column];
                    if *kind == Kind::Away {
                        *kind = Kind::Edge;
                    }
                }
            }
        }
        let cells = kinds.iter().enumerate().filter(|(_, kind)| **kind != Kind::Away);
        let wanted = cells.map(|(at, _)| ((at % part.columns) as u32, (at / part.columns) as u32)).collect();
        let edges = (0..kinds.len()).filter(|&at| kinds[at] == Kind::Edge).collect();
        let holes = stretches(part, |at| kinds[at] == Kind::Hole);
        let own = stretches(part, |at| mask.has(part.column + at % part.columns, part.row + at / part.columns));
        Self { part, wanted, edges, holes, own, kinds }
    }
}

/// A part of a picture while it is rebuilt.
pub(crate) struct Mend<'a> {
    outline: &'a Outline,
    /// The cells that no picture has been found for, and how many of them are hidden.
    wanted: Vec<(u32, u32)>,
    left: usize,
    /// Whether a picture has been found that shows a cell.
    shown: Vec<bool>,
    layers: [Layer; 3],
}

impl<'a> Mend<'a> {
    /// Rebuilds the mask of `outline`, which is that of `view`.
    pub(crate) fn new(view: View<'_>, outline: &'a Outline) -> Self {
        let part = outline.part;
        let layers = [(view.picture.y, 2), (view.picture.u, 1), (view.picture.v, 1)].map(|(plane, scale)| {
            let (left, top) = (part.column * scale, part.row * scale);
            let width = (part.columns * scale).min(plane.width().saturating_sub(left));
            let height = (part.rows * scale).min(plane.height().saturating_sub(top));
            let mut values = Vec::with_capacity(width * height);
            for y in top..top + height {
                let row = plane.row(y).get(left..left + width).unwrap_or_default();
                values.extend(row.iter().map(|&value| f32::from(value)));
            }
            Layer { scale, width, height, found: Vec::new(), values }
        });
        let shown = vec![false; outline.kinds.len()];
        let left = outline.holes.iter().map(|hole| hole.columns.len()).sum();
        Self { outline, wanted: outline.wanted.clone(), left, shown, layers }
    }

    /// Whether every cell has been found in another picture.
    pub(crate) fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// Takes from `other`, in which the scene has moved by `shift`, what was not found yet.
    pub(crate) fn take(&mut self, other: View<'_>, shift: Shift) {
        let Self { outline: Outline { part, kinds, .. }, wanted, left, shown, layers, .. } = self;
        layers.iter_mut().for_each(|layer| layer.found.resize(layer.values.len(), 0.0));
        let unseen = unseen(*part, other, shift);
        let moved = [(other.picture.y, Resampled::new(shift, 4)), (other.picture.u, Resampled::new(shift, 8))];
        let [luma, blue] = &moved;
        let planes = [(luma.0, &luma.1), (blue.0, &blue.1), (other.picture.v, &blue.1)];
        // Cells of which all samples are found in the same way; those that follow each other are taken at once.
        let mut inside = (0..usize::MAX, 0..usize::MAX);
        for (layer, (plane, moved)) in layers.iter().zip(planes) {
            let (across, down) = moved.inside(plane);
            let cells = |known: &Range<usize>, own: &Range<usize>, first: usize, size: usize| {
                let end = (own.end / layer.scale).min(first + size / layer.scale).min(known.end);
                own.start.div_ceil(layer.scale).max(known.start)..end
            };
            inside.0 = cells(&inside.0, &across, part.column, layer.width);
            inside.1 = cells(&inside.1, &down, part.row, layer.height);
        }
        let mut taken: Vec<(usize, usize, usize)> = Vec::new();
        wanted.retain(|&(local_x, local_y)| {
            let (local_x, local_y) = (local_x as usize, local_y as usize);
            let (column, row) = (part.column + local_x, part.row + local_y);
            let at = local_y * part.columns + local_x;
            if unseen[at] {
                return true;
            }
            if inside.0.contains(&column) && inside.1.contains(&row) {
                match taken.last_mut().filter(|(x, y, count)| (*x + *count, *y) == (local_x, local_y)) {
                    Some((.., count)) => *count += 1,
                    None => taken.push((local_x, local_y, 1)),
                }
                shown[at] = true;
                *left -= usize::from(kinds[at] == Kind::Hole);
                return false;
            }
            let mut all = true;
            for (layer, (plane, moved)) in layers.iter_mut().zip(planes) {
                let scale = layer.scale;
                for (dy, dx) in (0..scale).flat_map(|dy| (0..scale).map(move |dx| (dy, dx))) {
                    let (px, py) = (local_x * scale + dx, local_y * scale + dy);
                    if px >= layer.width || py >= layer.height {
                        continue;
                    }
                    match moved.sample(plane, part.column * scale + px, part.row * scale + py) {
                        Some(value) => layer.found[py * layer.width + px] = value,
                        None => all = false,
                    }
                }
            }
            shown[at] = all;
            *left -= usize::from(all && kinds[at] == Kind::Hole);
            !all
        });
        for (local_x, local_y, count) in taken {
            for (layer, (plane, moved)) in layers.iter_mut().zip(planes) {
                let scale = layer.scale;
                for y in local_y * scale..(local_y + 1) * scale {
                    let x = local_x * scale;
                    let into = &mut layer.found[y * layer.width + x..][..count * scale];
                    moved.row(plane, (part.column * scale + x, part.row * scale + y), into);
                }
            }
        }
    }

    /// What the mask's part of the picture looks like without it.
    pub(crate) fn finish(self) -> Mended<'a> {
        let Self { outline, shown, mut layers, .. } = self;
        let Outline { part, kinds, .. } = outline;
        let known: Vec<bool> = kinds.iter().zip(&shown).map(|(kind, shown)| *kind != Kind::Hole || *shown).collect();
        for layer in &mut layers {
            if shown.contains(&true) {
                layer.fit(outline, &shown);
            }
            if known.contains(&false) {
                let mut samples = vec![false; layer.values.len()];
                for (y, row) in samples.chunks_exact_mut(layer.width.max(1)).enumerate() {
                    let cells = &known[y / layer.scale * part.columns..];
                    row.chunks_mut(layer.scale).zip(cells).for_each(|(samples, &known)| samples.fill(known));
                }
                spread(&mut layer.values, &samples, layer.width);
            }
        }
        Mended { outline, layers }
    }
}

impl Layer {
    /// Takes over what was found, made to fit what is around it. In cells that no picture shows it is anything: they are filled after
    /// that.
    fn fit(&mut self, outline: &Outline, shown: &[bool]) {
        let Outline { part, edges, holes, .. } = outline;
        let (scale, columns) = (self.scale, part.columns);
        let samples = |cell: usize| {
            let (x, y) = (cell % columns * scale, cell / columns * scale);
            let across = x..(x + scale).min(self.width);
            (y..(y + scale).min(self.height)).flat_map(move |y| across.clone().map(move |x| (x, y)))
        };
        // By how much it differs at the edges: of squares of cells, since light changes little from one to the next.
        let (across, down) = (columns.div_ceil(SQUARE), part.rows.div_ceil(SQUARE));
        let square = |cell: usize| cell / columns / SQUARE * across + cell % columns / SQUARE;
        let mut apart = vec![0.0f32; across * down];
        let mut counts = vec![0.0f32; across * down];
        for &cell in edges.iter().filter(|&&cell| shown[cell]) {
            let all = samples(cell).map(|(x, y)| self.values[y * self.width + x] - self.found[y * self.width + x]);
            let (sum, count) = all.fold((0.0, 0.0), |(sum, count), apart| (sum + apart, count + 1.0));
            apart[square(cell)] += sum;
            counts[square(cell)] += count;
        }
        let is_edge: Vec<bool> = counts.iter().map(|&count| count > 0.0).collect();
        apart.iter_mut().zip(counts).for_each(|(apart, count)| *apart /= f32::max(count, 1.0));
        if is_edge.contains(&true) {
            spread(&mut apart, &is_edge, across);
        }
        // Between the middles of four squares.
        let sides = |samples: usize, count: usize| -> Vec<(usize, usize, f32)> {
            let side = |at: usize| {
                let place = ((at as f32 + 0.5) / (SQUARE * scale) as f32 - 0.5).max(0.0);
                let low = (place as usize).min(count - 1);
                (low, (low + 1).min(count - 1), (place - low as f32).min(1.0))
            };
            (0..samples).map(side).collect()
        };
        let (columns_between, rows_between) = (sides(self.width, across), sides(self.height, down));
        for Stretch { row, columns: hole } in holes {
            for (y, &(top, bottom, fy)) in (row * scale..).zip(rows_between.iter().skip(row * scale).take(scale)) {
                let (top, bottom) = (&apart[top * across..], &apart[bottom * across..]);
                let across = hole.start * scale..(hole.end * scale).min(self.width);
                let (values, found) = (&mut self.values[y * self.width..], &self.found[y * self.width..]);
                let samples = values[across.clone()].iter_mut().zip(&found[across.clone()]);
                for ((value, found), &(left, right, fx)) in samples.zip(&columns_between[across]) {
                    let line = |row: &[f32]| row[left] + (row[right] - row[left]) * fx;
                    let (one, other) = (line(top), line(bottom));
                    *value = found + (one + (other - one) * fy);
                }
            }
        }
    }
}

/// A part of a picture that was rebuilt.
pub(crate) struct Mended<'a> {
    outline: &'a Outline,
    layers: [Layer; 3],
}

impl Mended<'_> {
    /// Puts it into the picture that it was made for.
    pub(crate) fn draw(&self, target: &mut I420Mut<'_>) {
        let [luma, blue, red] = &self.layers;
        for (layer, plane) in [(luma, &mut target.y), (blue, &mut target.u), (red, &mut target.v)] {
            self.draw_plane(layer, plane);
        }
    }

    fn draw_plane(&self, layer: &Layer, plane: &mut PlaneMut<'_>) {
        let Outline { part, own, .. } = self.outline;
        let (scale, height) = (layer.scale, layer.values.len() / layer.width.max(1));
        for Stretch { row, columns } in own {
            let (start, end) = (columns.start * scale, (columns.end * scale).min(layer.width));
            for y in (row * scale..(row + 1) * scale).take_while(|y| *y < height) {
                let samples = plane.row_mut(part.row * scale + y).get_mut(part.column * scale + start..);
                let values = &layer.values[y * layer.width..][start..end];
                for (sample, value) in samples.unwrap_or_default().iter_mut().zip(values) {
                    *sample = (value + 0.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of a smooth scene with fine texture, seen from `(x, y)` in pixels.
    fn scene(x: f64, y: f64) -> Planes {
        let (width, height) = (160, 120);
        let value = |at_x: f64, at_y: f64, scale: f64| {
            let (px, py) = (at_x * scale + x, at_y * scale + y);
            let texture = 18.0 * (px * 0.31).sin() * (py * 0.27).cos() + 9.0 * (px * 0.11 + py * 0.17).sin();
            (110.0 + px * 0.2 + texture).round().clamp(0.0, 255.0) as u8
        };
        let plane = |scale: usize| {
            let columns = width / scale;
            let samples = columns * (height / scale);
            (0..samples).map(|at| value((at % columns) as f64, (at / columns) as f64, scale as f64)).collect()
        };
        Planes { y: plane(1), u: plane(2), v: plane(2), width }
    }

    struct Planes {
        y: Vec<u8>,
        u: Vec<u8>,
        v: Vec<u8>,
        width: usize,
    }

    impl Planes {
        fn shown(&self) -> I420Ref<'_> {
            let (width, height) = (self.width, self.y.len() / self.width);
            let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
            I420Ref {
                y: plane(&self.y, width, height),
                u: plane(&self.u, width / 2, height / 2),
                v: plane(&self.v, width / 2, height / 2),
            }
        }

        fn drawn(&mut self) -> I420Mut<'_> {
            let (width, height) = (self.width, self.y.len() / self.width);
            I420Mut {
                y: PlaneMut::new(&mut self.y, width, height, width).expect("fits"),
                u: PlaneMut::new(&mut self.u, width / 2, height / 2, width / 2).expect("fits"),
                v: PlaneMut::new(&mut self.v, width / 2, height / 2, width / 2).expect("fits"),
            }
        }

        /// With a black bar in the mask.
        fn hidden(mut self, mask: &Mask) -> Self {
            for (at, value) in self.y.iter_mut().enumerate() {
                if mask.has(at % self.width / 2, at / self.width / 2) {
                    *value = 16;
                }
            }
            self
        }

        fn psnr(&self, other: &Self, mask: &Mask) -> f64 {
            let all = self.y.iter().zip(&other.y).enumerate();
            let within = all.filter(|(at, _)| mask.has(at % self.width / 2, at / self.width / 2));
            let (sum, count) = within.fold((0.0, 0.0), |(sum, count), (_, (one, other))| {
                (sum + f64::from(one.abs_diff(*other)).powi(2), count + 1.0)
            });
            10.0 * (255.0 * 255.0 * count / f64::max(sum, 1e-9)).log10()
        }
    }

    #[test]
    fn what_is_not_all_seen_is_hidden_or_outside() {
        let picture = scene(0.0, 0.0);
        let dots = [(30, 20), (32, 20), (90, 70), (158, 118), (0, 0)].into_iter();
        let whole = SourceRect { x: 0, y: 0, width: 160, height: 120 };
        let dots = dots.fold(Mask::none_of(whole), |mut mask, (x, y)| {
            mask.add(x, y);
            mask
        });
        let (bar, beyond) = (bar(), Mask::all_of(SourceRect { x: 140, y: 100, width: 60, height: 60 }));
        let holes = [&bar, &dots, &beyond];
        let view = View { picture: picture.shown(), holes: &holes };
        for part in [(0, 0, 80, 60), (20, 17, 40, 20), (70, 50, 10, 10)] {
            let (column, row, columns, rows) = part;
            let part = Part { column, row, columns, rows };
            for (x, y) in [(0, 0), (8, -16), (5, 0), (0, -3), (-200, 90), (333, 200), (-9_000, 0), (0, 9_000)] {
                let found = unseen(part, view, Shift { x, y });
                let beside = i32::from(x % 8 != 0 || y % 8 != 0);
                let seen = part.places().map(|(column, row)| {
                    let cells = |at: i32, whole: usize| {
                        let first = usize::try_from(at.div_euclid(8) - beside).ok()?;
                        let last = usize::try_from(at.div_euclid(8) + 2 * beside).ok()?;
                        (last < whole).then_some(first..last + 1)
                    };
                    let down = cells(8 * row as i32 + y, 60)?;
                    let across = cells(8 * column as i32 + x, 80)?;
                    (!holes.iter().any(|hole| hole.has_any(across.clone(), down.clone()))).then_some(())
                });
                assert_eq!(found, seen.map(|seen| seen.is_none()).collect::<Vec<_>>(), "{column}, {row} by {x}, {y}");
            }
        }
    }

    fn bar() -> Mask {
        Mask::all_of(SourceRect { x: 50, y: 44, width: 60, height: 20 })
    }

    #[test]
    fn movement_is_told_by_what_is_around() {
        let mask = bar();
        let from = scene(10.0, 6.0).hidden(&mask);
        for (x, y) in [(10.0, 6.0), (14.0, 6.0), (3.25, 9.5), (10.5, 1.0)] {
            let to = scene(x, y).hidden(&mask);
            let holes = [&mask];
            let view = |planes| View { picture: planes, holes: &holes };
            let (shift, error) =
                movement(view(from.shown()), &mask, view(to.shown()), Shift::NONE, 16).expect("can be told");
            // What is at p here is at p + (10 - x, 6 - y) there.
            let meant = ((10.0 - x) * 4.0, (6.0 - y) * 4.0);
            assert!((f64::from(shift.x) - meant.0).abs() <= 1.0, "{shift:?} is not {meant:?}");
            assert!((f64::from(shift.y) - meant.1).abs() <= 1.0, "{shift:?} is not {meant:?}");
            assert!(error < 2.0, "{error}");
        }
        // Another scene.
        let mut other = scene(0.0, 0.0);
        other.y.iter_mut().enumerate().for_each(|(at, value)| *value = (at * 7919 % 251) as u8);
        let (_, error) = movement(
            View { picture: from.shown(), holes: &[&mask] },
            &mask,
            View { picture: other.shown(), holes: &[] },
            Shift::NONE,
            16,
        )
        .expect("can be told");
        assert!(error > 15.0, "{error}");
    }

    #[test]
    fn what_costs_too_much_is_left_without_a_change() {
        let points: Vec<i32> = (0..1_000).map(|at| at * 7919 % 61).collect();
        let of =
            |some: &[i32], most: i32, least: i32| mean_cost(some, most, |&value| (value >= least).then_some(value));
        for (some, least) in [(&points[..], 0), (&points[..], 30), (&points[..100], 0), (&points[..90], 50)] {
            let cost = of(some, i32::MAX, least);
            for most in (0..MOST_APART * 256).step_by(97).chain([cost - 1, cost, cost + 1]) {
                let found = of(some, most, least);
                assert!(if cost <= most { found == cost } else { found > most }, "{found} for {cost}, at most {most}");
            }
        }
        // A hollow with another beside it: what is left out on the way leads to neither.
        let cost = |shift: Shift, most: i32| {
            let away = |x: i32, y: i32| (shift.x - x).pow(2) + (shift.y - y).pow(2);
            let cost = (10 * away(7, -4)).min(10 * away(-20, 3) + 25);
            if cost <= most { cost } else { i32::MAX }
        };
        assert_eq!(spiral(Shift { x: 3, y: 1 }, 24, 1, &cost), Shift { x: 7, y: -4 });
        assert_eq!(descent(Shift { x: 1, y: 1 }, 24, &cost), Shift { x: 7, y: -4 });
        assert_eq!(descent(Shift { x: -15, y: 1 }, 24, &cost), Shift { x: -20, y: 3 });
        assert_eq!(descent(Shift { x: -15, y: 1 }, 2, &cost), Shift { x: -17, y: 3 }, "no further than it may");
        assert_eq!(spiral(Shift { x: 3, y: 1 }, 2, 1, &|_, _| 500), Shift { x: 3, y: 1 }, "of equal ones the nearest");
    }

    #[test]
    fn what_another_picture_shows_is_taken_from_it() {
        let mask = bar();
        let (clean, mut picture) = (scene(10.0, 6.0), scene(10.0, 6.0).hidden(&mask));
        let seen = Planes { ..scene(10.0, 6.0).hidden(&mask) };
        let holes = [&mask];
        let view = View { picture: seen.shown(), holes: &holes };
        // Without the bar, brighter, and moved.
        let mut other = scene(12.5, 6.0);
        other.y.iter_mut().for_each(|value| *value += 9);
        let outline = Outline::new(view, &mask);
        let mut mend = Mend::new(view, &outline);
        assert!(!mend.is_whole());
        mend.take(View { picture: other.shown(), holes: &[] }, Shift { x: -10, y: 0 });
        assert!(mend.is_whole());
        mend.finish().draw(&mut picture.drawn());
        assert!(picture.psnr(&clean, &mask) > 38.0, "{}", picture.psnr(&clean, &mask));
        // With a bar of its own that hides half of it: the rest is spread from the edges.
        let outline = Outline::new(view, &mask);
        let mut mend = Mend::new(view, &outline);
        let other = scene(40.0, 6.0).hidden(&mask);
        mend.take(View { picture: other.shown(), holes: &holes }, Shift { x: -120, y: 0 });
        assert!(!mend.is_whole());
        let mut half = scene(10.0, 6.0).hidden(&mask);
        mend.finish().draw(&mut half.drawn());
        let alone = {
            let mut alone = scene(10.0, 6.0).hidden(&mask);
            Mend::new(view, &Outline::new(view, &mask)).finish().draw(&mut alone.drawn());
            alone
        };
        let (some, none) = (half.psnr(&clean, &mask), alone.psnr(&clean, &mask));
        assert!(some > none + 1.0 && none > 20.0, "{some} {none}");
    }

    #[test]
    fn odd_sizes_and_masks_beyond_edges_are_mended() {
        for (width, height) in [(161u32, 121u32), (3, 2), (1, 1)] {
            let (columns, rows) = (width as usize, height as usize);
            let (across, down) = (columns.div_ceil(2), rows.div_ceil(2));
            let luma: Vec<u8> = (0..columns * rows).map(|at| (at * 31 % 200) as u8).collect();
            let chroma: Vec<u8> = (0..across * down).map(|at| (at * 7 % 240) as u8).collect();
            let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
            let picture = I420Ref {
                y: plane(&luma, columns, rows),
                u: plane(&chroma, across, down),
                v: plane(&chroma, across, down),
            };
            let rect = |x: u32, y: u32, width: u32, height: u32| Mask::all_of(SourceRect { x, y, width, height });
            let to_the_end = rect(width / 2, height / 2, width, 2 * height);
            let (right, below) = (rect(width + 40, 0, 20, height), rect(0, height + 40, width, 20));
            for mask in [rect(0, 0, width, height), to_the_end, right, below] {
                let holes = [&mask];
                let (hidden, clear) = (View { picture, holes: &holes }, View { picture, holes: &[] });
                let outline = Outline::new(hidden, &mask);
                for (x, y) in [(0, 0), (3, -5), (-8, 16)] {
                    let mut mend = Mend::new(hidden, &outline);
                    mend.take(clear, Shift { x, y });
                    let [mut own, mut blue, mut red] = [luma.clone(), chroma.clone(), chroma.clone()];
                    let mut target = I420Mut {
                        y: PlaneMut::new(&mut own, columns, rows, columns).expect("fits"),
                        u: PlaneMut::new(&mut blue, across, down, across).expect("fits"),
                        v: PlaneMut::new(&mut red, across, down, across).expect("fits"),
                    };
                    mend.finish().draw(&mut target);
                    let is_kept = |at: &usize| own[*at] == luma[*at];
                    let is_own = |at: usize| mask.has(at % columns / 2, at / columns / 2);
                    assert!((0..own.len()).all(|at| is_kept(&at) || is_own(at)), "{width}x{height}: {x}, {y}");
                    assert!((x, y) != (0, 0) || (own == luma && blue == chroma && red == chroma), "{width}x{height}");
                }
            }
        }
    }

    #[test]
    fn what_is_outside_stays_as_it_is() {
        let mask = bar();
        let mut picture = scene(0.0, 0.0).hidden(&mask);
        let before = scene(0.0, 0.0).hidden(&mask);
        let holes = [&mask];
        let view = View { picture: before.shown(), holes: &holes };
        Mend::new(view, &Outline::new(view, &mask)).finish().draw(&mut picture.drawn());
        let changed = |at: &usize| picture.y[*at] != before.y[*at];
        assert!((0..before.y.len()).filter(changed).all(|at| mask.has(at % 160 / 2, at / 160 / 2)));
        // All of a picture hidden: nothing to take it from, and nothing breaks.
        let all = Mask::all_of(SourceRect { x: 0, y: 0, width: 160, height: 120 });
        let holes = [&all];
        let view = View { picture: before.shown(), holes: &holes };
        assert_eq!(movement(view, &all, view, Shift::NONE, 16), None);
        Mend::new(view, &Outline::new(view, &all)).finish().draw(&mut picture.drawn());
    }
}
