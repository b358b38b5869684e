//! Connected stretches of pixels that are lighter or darker than what is around them.

use crate::compose::{PlaneRef, halved};

/// Half the side of the square over which a pixel's surroundings are averaged: wider than the widest stroke of a letter.
const AROUND: usize = 24;
/// How far a pixel must be from the mean of its surroundings, in code values.
const CONTRAST: u8 = 18;

/// Pixels of a row, from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) y: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A rectangle of pixels; right and bottom are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

impl Bounds {
    pub(super) fn width(&self) -> usize {
        self.right - self.left
    }

    pub(super) fn height(&self) -> usize {
        self.bottom - self.top
    }

    pub(super) fn area(&self) -> usize {
        self.width() * self.height()
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// The pixels that both have.
    pub(super) fn shared(&self, other: &Self) -> usize {
        let across = self.right.min(other.right).saturating_sub(self.left.max(other.left));
        let down = self.bottom.min(other.bottom).saturating_sub(self.top.max(other.top));
        across * down
    }

    /// Rows that both have.
    pub(super) fn shared_rows(&self, other: &Self) -> usize {
        self.bottom.min(other.bottom).saturating_sub(self.top.max(other.top))
    }

    /// Whether all of `other` is inside.
    pub(super) fn contains(&self, other: &Self) -> bool {
        self.shared(other) == other.area()
    }

    pub(super) fn has(&self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }

    /// Wider and higher by these at each side, within a picture.
    pub(super) fn grown(&self, across: usize, down: usize, (width, height): (usize, usize)) -> Self {
        Self {
            left: self.left.saturating_sub(across),
            top: self.top.saturating_sub(down),
            right: (self.right + across).min(width),
            bottom: (self.bottom + down).min(height),
        }
    }
}

/// Connected pixels.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) bounds: Bounds,
    pub(super) runs: Vec<Run>,
    pub(super) area: usize,
    /// Their median luma.
    pub(super) fill: u8,
    /// Their mean blue and red difference.
    pub(super) chroma: [u8; 2],
}

/// A picture of one plane whose rows follow each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Gray {
    pub(super) samples: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Gray {
    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * self.width..(y + 1) * self.width]
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
}

/// A luma plane as letters are looked for in it: as it is, or the means of two by two pixels.
pub(super) fn shrunk(plane: PlaneRef<'_>, scale: usize) -> Gray {
    let (width, height) = (plane.width() / scale, plane.height() / scale);
    let samples = match scale {
        1 => (0..height).flat_map(|y| plane.row(y)).copied().collect(),
        _ => {
            let (samples, stride) = plane.samples();
            halved(samples, stride, width, height)
        }
    };
    Gray { samples, width, height }
}

/// Which side of its surroundings a text is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Light,
    Dark,
}

/// For each pixel, 1 if it is lighter than its surroundings, 2 if it is darker, 0 if it is neither.
pub(super) fn contrast(picture: &Gray) -> Vec<u8> {
    let (width, height) = picture.size();
    // Sums over columns of rows that come and go, and over them along each row.
    let mut columns = vec![0u32; width];
    let mut sums = vec![0u32; width + 1];
    let mut out = vec![0u8; width * height];
    let add = |columns: &mut [u32], y: usize| {
        columns.iter_mut().zip(picture.row(y)).for_each(|(sum, &value)| *sum += u32::from(value));
    };
    for y in 0..height.min(AROUND) {
        add(&mut columns, y);
    }
    for y in 0..height {
        if y + AROUND < height {
            add(&mut columns, y + AROUND);
        }
        if y > AROUND {
            let gone = picture.row(y - AROUND - 1);
            columns.iter_mut().zip(gone).for_each(|(sum, &value)| *sum -= u32::from(value));
        }
        let rows = (y + AROUND + 1).min(height) - y.saturating_sub(AROUND);
        for (x, &column) in columns.iter().enumerate() {
            sums[x + 1] = sums[x] + column;
        }
        let (target, row) = (&mut out[y * width..(y + 1) * width], picture.row(y));
        let side = |value: u8, sum: u32, count: u32| {
            let (value, apart) = (u32::from(value) * count, u32::from(CONTRAST) * count);
            u8::from(value > sum + apart) + 2 * u8::from(value + apart < sum)
        };
        // Most squares are whole: they have as many pixels as each other.
        let (first, last) = (AROUND.min(width), width.saturating_sub(AROUND).max(AROUND.min(width)));
        let count = (rows * (2 * AROUND + 1)) as u32;
        let ends = sums.get(2 * AROUND + 1..).unwrap_or_default().iter().zip(&sums);
        for ((target, &value), (end, start)) in target[first..last].iter_mut().zip(&row[first..last]).zip(ends) {
            *target = side(value, end - start, count);
        }
        for x in (0..first).chain(last..width) {
            let (from, to) = (x.saturating_sub(AROUND), (x + AROUND + 1).min(width));
            target[x] = side(row[x], sums[to] - sums[from], (rows * (to - from)) as u32);
        }
    }
    out
}

/// The connected parts (over corners too) of the pixels of `mask` that are `wanted`, whose bounds `fits` takes.
pub(super) fn components(
    picture: &Gray,
    mask: &[u8],
    wanted: Polarity,
    fits: impl Fn(&Bounds, usize) -> bool,
) -> Vec<Component> {
    let wanted = match wanted {
        Polarity::Light => 1,
        Polarity::Dark => 2,
    };
    let (width, height) = picture.size();
    let (mut runs, mut parents): (Vec<Run>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut above = 0..0;
    for y in 0..height {
        let row = &mask[y * width..(y + 1) * width];
        let first = runs.len();
        let mut over = above.start;
        let mut x = 0;
        while x < width {
            let Some(start) = row[x..].iter().position(|&value| value == wanted).map(|skipped| x + skipped) else {
                break;
            };
            let end = row[start..].iter().position(|&value| value != wanted).map_or(width, |length| start + length);
            let number = runs.len() as u32;
            runs.push(Run { y, start, end });
            parents.push(number);
            // Runs above that end before this one starts are done with.
            while over < above.end && runs[over].end < start {
                over += 1;
            }
            let mut touching = over;
            while touching < above.end && runs[touching].start <= end {
                join(&mut parents, touching as u32, number);
                touching += 1;
            }
            x = end;
        }
        above = first..runs.len();
    }
    let roots: Vec<u32> = (0..parents.len() as u32).map(|number| root(&mut parents, number)).collect();
    let nothing = Bounds { left: usize::MAX, top: usize::MAX, right: 0, bottom: 0 };
    let mut found: Vec<(Bounds, usize)> = vec![(nothing, 0); runs.len()];
    for (run, &root) in runs.iter().zip(&roots) {
        let (bounds, area) = &mut found[root as usize];
        *bounds = bounds.union(Bounds { left: run.start, top: run.y, right: run.end, bottom: run.y + 1 });
        *area += run.end - run.start;
    }
    let mut places = vec![usize::MAX; runs.len()];
    let mut components: Vec<Component> = Vec::new();
    for (number, (bounds, area)) in found.into_iter().enumerate() {
        if area > 0 && fits(&bounds, area) {
            places[number] = components.len();
            components.push(Component { bounds, runs: Vec::new(), area, fill: 0, chroma: [128; 2] });
        }
    }
    for (run, &root) in runs.iter().zip(&roots) {
        if let Some(component) = components.get_mut(places[root as usize]) {
            component.runs.push(*run);
        }
    }
    for component in &mut components {
        let mut counts = [0usize; 256];
        for run in &component.runs {
            picture.row(run.y)[run.start..run.end].iter().for_each(|&value| counts[usize::from(value)] += 1);
        }
        component.fill = median(&counts);
    }
    components
}

impl Component {
    /// Makes its bounds those of its pixels.
    pub(super) fn find_bounds(&mut self) {
        let bounds =
            self.runs.iter().map(|run| Bounds { left: run.start, top: run.y, right: run.end, bottom: run.y + 1 });
        self.bounds = bounds.reduce(Bounds::union).unwrap_or(self.bounds);
    }

    /// Moves it right and down.
    pub(super) fn moved(&mut self, right: usize, down: usize) {
        let Bounds { left, top, right: end, bottom } = self.bounds;
        self.bounds = Bounds { left: left + right, top: top + down, right: end + right, bottom: bottom + down };
        for run in &mut self.runs {
            *run = Run { y: run.y + down, start: run.start + right, end: run.end + right };
        }
    }

    /// Looks up its colour in the planes of a picture that is `scale` times as large.
    pub(super) fn find_color(&mut self, planes: [PlaneRef<'_>; 2], scale: usize) {
        self.chroma = planes.map(|plane| {
            let (mut sum, mut count) = (0u32, 0u32);
            for run in &self.runs {
                let row = plane.row((run.y * scale / 2).min(plane.height() - 1));
                for x in (run.start..run.end).step_by(2) {
                    if let Some(&value) = row.get(x * scale / 2) {
                        sum += u32::from(value);
                        count += 1;
                    }
                }
            }
            ((sum + count / 2) / count.max(1)) as u8
        });
    }

    /// Whether two are of one colour, but for what coding does to it.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let [blue, red] = [0, 1].map(|plane| u32::from(self.chroma[plane].abs_diff(other.chroma[plane])));
        // Of thin strokes the colour is mixed with what is beside them.
        let height = self.bounds.height().min(other.bounds.height()).max(1) as u32;
        self.fill.abs_diff(other.fill) <= 38 && blue + red <= (960 / height).clamp(40, 100)
    }
}

/// The value that half of what was counted is at most.
pub(super) fn median(counts: &[usize; 256]) -> u8 {
    let half = counts.iter().sum::<usize>().div_ceil(2);
    let mut passed = 0;
    let place = counts.iter().position(|&count| {
        passed += count;
        passed >= half
    });
    place.unwrap_or(0) as u8
}

fn root(parents: &mut [u32], mut number: u32) -> u32 {
    while parents[number as usize] != number {
        let above = parents[parents[number as usize] as usize];
        parents[number as usize] = above;
        number = above;
    }
    number
}

fn join(parents: &mut [u32], one: u32, other: u32) {
    let (one, other) = (root(parents, one), root(parents, other));
    parents[one.max(other) as usize] = one.min(other);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> Gray {
        let samples = rows.iter().flat_map(|row| row.bytes()).map(|byte| if byte == b'#' { 200 } else { 20 }).collect();
        Gray { samples, width: rows[0].len(), height: rows.len() }
    }

    #[test]
    fn parts_that_touch_are_one() {
        let picture = picture(&["##..#..#", "...#....", "#..#..##", "##.....#"]);
        let mask: Vec<u8> = picture.samples.iter().map(|&value| u8::from(value > 100)).collect();
        let found = components(&picture, &mask, Polarity::Light, |_, _| true);
        let mut areas: Vec<_> = found.iter().map(|part| (part.bounds.left, part.bounds.top, part.area)).collect();
        areas.sort_unstable();
        assert_eq!(areas, [(0, 0, 2), (0, 2, 3), (3, 0, 3), (6, 2, 3), (7, 0, 1)]);
        assert!(found.iter().all(|part| part.fill == 200));
        assert_eq!(components(&picture, &mask, Polarity::Light, |_, area| area > 2).len(), 3);
        assert!(components(&picture, &mask, Polarity::Dark, |_, _| true).is_empty());
    }

    /// Against the mean as it is defined.
    #[test]
    fn what_is_lighter_or_darker_than_its_surroundings() {
        let (width, height) = (70, 61);
        let samples: Vec<u8> = (0..width * height).map(|at| ((at * at / 7 + at * 13) % 251) as u8).collect();
        let picture = Gray { samples, width, height };
        let found = contrast(&picture);
        for (x, y) in [(0, 0), (69, 60), (35, 30), (3, 50), (24, 24), (25, 25), (69, 0)] {
            let (columns, rows) = (
                x.max(AROUND) - AROUND..(x + AROUND + 1).min(width),
                y.max(AROUND) - AROUND..(y + AROUND + 1).min(height),
            );
            let values: Vec<f64> = rows
                .flat_map(|y| columns.clone().map(move |x| (x, y)))
                .map(|(x, y)| f64::from(picture.row(y)[x]))
                .collect();
            let apart = f64::from(picture.row(y)[x]) - values.iter().sum::<f64>() / values.len() as f64;
            let meant = if apart > 18.0 {
                1
            } else if apart < -18.0 {
                2
            } else {
                0
            };
            assert_eq!(found[y * width + x], meant, "({x}, {y}): {apart}");
        }
    }
}
