//! A line at full size, over the frames in which it was looked at: the first ones, and then ever fewer.

use super::components::{Bounds, Component, Gray, median};
use super::lines::Line;
use crate::compose::I420Ref;

/// The least, the largest and the mean values of each pixel around a line.
#[derive(Debug, Clone, Default)]
pub(super) struct Crop {
    /// Where it lies in the source, in pixels.
    pub(super) bounds: Option<Bounds>,
    least: Vec<u8>,
    most: Vec<u8>,
    /// Sums of luma and, of two by two pixels, of the colour differences; a value of 16 bits has room for 257 looks, which are
    /// at most 17.
    luma: Vec<u16>,
    chroma: [Vec<u16>; 2],
    count: u32,
}

impl Crop {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds what is at `area` of a picture that is as large as `picture` in parts of `scale` pixels.
    pub(super) fn add(&mut self, picture: &I420Ref<'_>, area: Bounds, scale: usize) {
        let full = |at: usize, most: usize| (at * scale).min(most);
        let (width, height) = (picture.y.width(), picture.y.height());
        let bounds = *self.bounds.get_or_insert(Bounds {
            // Even, so that colour differences stay with their luma.
            left: full(area.left, width) & !1,
            top: full(area.top, height) & !1,
            right: full(area.right, width),
            bottom: full(area.bottom, height),
        });
        let across = bounds.width().div_ceil(2);
        if self.is_empty() {
            self.least = vec![255; bounds.area()];
            self.most = vec![0; bounds.area()];
            self.luma = vec![0; bounds.area()];
            self.chroma = [0; 2].map(|_| vec![0; across * bounds.height().div_ceil(2)]);
        }
        self.count_in(picture, bounds);
    }

    /// Adds what is this many pixels further right and down, if that is all in the picture, and even numbers of them, so that
    /// colour differences stay with their luma; `false` if it is not.
    pub(super) fn add_moved(&mut self, picture: &I420Ref<'_>, (right, down): (isize, isize)) -> bool {
        let Some(Bounds { left, top, right: end, bottom }) = self.bounds.filter(|_| right % 2 == 0 && down % 2 == 0)
        else {
            return false;
        };
        let sides = [left.checked_add_signed(right), top.checked_add_signed(down)];
        let ends = [end.checked_add_signed(right), bottom.checked_add_signed(down)];
        if let ([Some(left), Some(top)], [Some(right), Some(bottom)]) = (sides, ends)
            && right <= picture.y.width()
            && bottom <= picture.y.height()
        {
            self.count_in(picture, Bounds { left, top, right, bottom });
            return true;
        }
        false
    }

    /// Adds what is at `bounds`, which are as large as its own.
    fn count_in(&mut self, picture: &I420Ref<'_>, bounds: Bounds) {
        let across = bounds.width().div_ceil(2);
        for (y, at) in (bounds.top..bounds.bottom).zip((0..).step_by(bounds.width().max(1))) {
            let row = &picture.y.row(y)[bounds.left..bounds.right];
            let part = at..at + row.len();
            self.least[part.clone()].iter_mut().zip(row).for_each(|(least, &luma)| *least = luma.min(*least));
            self.most[part.clone()].iter_mut().zip(row).for_each(|(most, &luma)| *most = luma.max(*most));
            let sums = self.luma[part].iter_mut().zip(row);
            sums.for_each(|(sum, &luma)| *sum = sum.saturating_add(luma.into()));
        }
        for (sums, plane) in self.chroma.iter_mut().zip([picture.u, picture.v]) {
            for (y, at) in (bounds.top / 2..).zip((0..sums.len()).step_by(across.max(1))) {
                let row = plane.row(y.min(plane.height() - 1));
                for (sum, &value) in sums[at..at + across].iter_mut().zip(&row[bounds.left / 2..]) {
                    *sum = sum.saturating_add(value.into());
                }
            }
        }
        self.count += 1;
    }

    /// How many pixels it has.
    pub(super) fn pixels(&self) -> usize {
        self.least.len()
    }

    /// The size in pixels.
    pub(super) fn size(&self) -> (usize, usize) {
        self.bounds.map_or((0, 0), |bounds| (bounds.width(), bounds.height()))
    }

    /// The mean colour of a pixel: luma, blue and red difference.
    pub(super) fn color(&self, at: usize) -> [u8; 3] {
        let width = self.size().0.max(1);
        let pair = at / width / 2 * width.div_ceil(2) + at % width / 2;
        let mean = |sum: u16| ((u32::from(sum) + self.count / 2) / self.count.max(1)) as u8;
        [mean(self.luma[at]), mean(self.chroma[0][pair]), mean(self.chroma[1][pair])]
    }

    /// By how much a pixel's luma has changed.
    pub(super) fn range(&self, at: usize) -> u8 {
        self.most[at] - self.least[at].min(self.most[at])
    }

    /// For each pixel how many pixels it is from the nearest of the line's letters, 0 in them, 255 at most.
    pub(super) fn distances(&self, line: &Line, scale: usize) -> Vec<u8> {
        let Some(bounds) = self.bounds else { return Vec::new() };
        let (width, height) = self.size();
        let mut far = vec![255u8; width * height];
        for run in line.letters.iter().flat_map(|letter| &letter.runs) {
            for y in run.y * scale..(run.y + 1) * scale {
                let (from, to) = ((run.start * scale).max(bounds.left), (run.end * scale).min(bounds.right));
                if y < bounds.top || y >= bounds.bottom || from >= to {
                    continue;
                }
                let row = (y - bounds.top) * width;
                far[row + from - bounds.left..row + to - bounds.left].fill(0);
            }
        }
        // Over sides and corners alike, there and back.
        for y in 0..height {
            let (before, row) = far.split_at_mut(y * width);
            let row = &mut row[..width];
            if y > 0 {
                reached(row, &before[(y - 1) * width..]);
            }
            let mut near = 255u8;
            for far in row {
                near = near.saturating_add(1).min(*far);
                *far = near;
            }
        }
        for y in (0..height).rev() {
            let (row, below) = far[y * width..].split_at_mut(width);
            if y + 1 < height {
                reached(row, &below[..width]);
            }
            let mut near = 255u8;
            for far in row.iter_mut().rev() {
                near = near.saturating_add(1).min(*far);
                *far = near;
            }
        }
        far
    }

    /// How much of a part of a line is there all the time, 0 to 1, by the quarter of its pixels that are there the most: what lies
    /// behind it and looked like one of its letters once is not.
    pub(super) fn share(&self, part: &Component, line: &Line, scale: usize, (fill, behind): (f32, f32)) -> f32 {
        let Some(bounds) = self.bounds else { return 0.0 };
        let width = bounds.width();
        let values = if line.is_light() { &self.least } else { &self.most };
        let mut shares = Vec::new();
        for run in &part.runs {
            let y = run.y * scale;
            for x in (run.start * scale..run.end * scale).step_by(scale) {
                if (bounds.left..bounds.right).contains(&x) && (bounds.top..bounds.bottom).contains(&y) {
                    let value = f32::from(values[(y - bounds.top) * width + x - bounds.left]);
                    shares.push(((value - behind) / (fill - behind)).clamp(0.0, 1.0));
                }
            }
        }
        // Of thin strokes most is edge.
        shares.sort_unstable_by(f32::total_cmp);
        shares.get(shares.len() * 3 / 4).copied().unwrap_or(0.0)
    }

    /// The line's letters as a reader wants them: dark on white, without what is behind them.
    ///
    /// What is behind a light text is at least once darker than it, and what is behind a dark one lighter, where it moves.
    pub(super) fn letters(&self, line: &Line, far: &[u8]) -> Gray {
        let (width, height) = self.size();
        let values = if line.is_light() { &self.least } else { &self.most };
        let (fill, behind) = self.levels(line, far);
        let samples = far.iter().zip(values).map(|(&far, &value)| {
            // Letters' edges are smooth; further away nothing is theirs.
            let share = if far <= 3 { ((f32::from(value) - behind) / (fill - behind)).clamp(0.0, 1.0) } else { 0.0 };
            (255.0 * (1.0 - share) + 0.5) as u8
        });
        Gray { samples: samples.collect(), width, height }
    }

    /// The luma of the line's letters, and of what is behind them, at least a little apart.
    pub(super) fn levels(&self, line: &Line, far: &[u8]) -> (f32, f32) {
        let values = if line.is_light() { &self.least } else { &self.most };
        let level = |wanted: &dyn Fn(u8) -> bool| {
            let mut counts = [0usize; 256];
            far.iter()
                .zip(values)
                .filter(|(far, _)| wanted(**far))
                .for_each(|(_, &value)| counts[usize::from(value)] += 1);
            f32::from(median(&counts))
        };
        let (fill, behind) = (level(&|far| far == 0), level(&|far| (3..=6).contains(&far)));
        let apart = if line.is_light() { (fill - behind).max(24.0) } else { (fill - behind).min(-24.0) };
        (fill, fill - apart)
    }
}

/// Makes the pixels of a row no further than one from those of the row beside it, over sides and corners.
fn reached(row: &mut [u8], beside: &[u8]) {
    let further = |row: &mut [u8], beside: &[u8]| {
        row.iter_mut().zip(beside).for_each(|(far, &near)| *far = near.saturating_add(1).min(*far));
    };
    further(row, beside);
    further(row, beside.get(1..).unwrap_or_default());
    further(row.get_mut(1..).unwrap_or_default(), beside);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Polarity, Run};
    use crate::compose::PlaneRef;

    #[test]
    fn distances_go_over_sides_and_corners() {
        let part = |bounds: Bounds| Component {
            runs: (bounds.top..bounds.bottom).map(|y| Run { y, start: bounds.left, end: bounds.right }).collect(),
            area: bounds.area(),
            fill: 230,
            chroma: [128; 2],
            bounds,
        };
        let letters =
            [Bounds { left: 7, top: 5, right: 9, bottom: 8 }, Bounds { left: 20, top: 3, right: 21, bottom: 4 }];
        let line = Line::of(letters.map(part).to_vec(), Polarity::Light).expect("has letters");
        for (width, height) in [(64, 24), (42, 2), (2, 24)] {
            let bounds = Bounds { left: 0, top: 6, right: width, bottom: 6 + height };
            let crop = Crop { bounds: Some(bounds), ..Crop::default() };
            let far = crop.distances(&line, 2);
            let meant = |at: usize| {
                let (x, y) = (at % width, at / width + 6);
                let off = |at: usize, start: usize, end: usize| {
                    (2 * start).saturating_sub(at).max((at + 1).saturating_sub(2 * end))
                };
                // Of letters that the crop has.
                let is_in =
                    |letter: &&Bounds| 2 * letter.left < width && 2 * letter.bottom > 6 && 2 * letter.top < 6 + height;
                let seen = letters.iter().filter(is_in);
                let all = seen.map(|letter| {
                    off(x, letter.left, letter.right.min(width / 2)).max(off(
                        y,
                        letter.top.max(3),
                        letter.bottom.min(3 + height / 2),
                    ))
                });
                all.min().map_or(255, |far| far.min(255)) as u8
            };
            let all: Vec<u8> = (0..width * height).map(meant).collect();
            assert_eq!(far, all, "{width}x{height}");
        }
    }

    #[test]
    fn what_was_behind_a_line_once_is_none_of_its_letters() {
        let part = |left: usize| Component {
            bounds: Bounds { left, top: 10, right: left + 4, bottom: 20 },
            runs: (10..20).map(|y| Run { y, start: left, end: left + 4 }).collect(),
            area: 40,
            fill: 230,
            chroma: [128; 2],
        };
        let line = Line::of(vec![part(10), part(20), part(30)], Polarity::Light).expect("has letters");
        let mut crop = Crop::default();
        // The third one is a thing of the scene, which goes.
        for places in [[10, 20, 30], [10, 20, 40]] {
            let at =
                |x: usize, y: usize| places.iter().any(|&left| (left..left + 4).contains(&x) && (10..20).contains(&y));
            let luma: Vec<u8> = (0..60 * 30).map(|pixel| if at(pixel % 60, pixel / 60) { 230 } else { 50 }).collect();
            let chroma = vec![128; 30 * 15];
            let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
            let picture = I420Ref { y: plane(&luma, 60, 30), u: plane(&chroma, 30, 15), v: plane(&chroma, 30, 15) };
            crop.add(&picture, Bounds { left: 0, top: 0, right: 60, bottom: 30 }, 1);
        }
        let far = crop.distances(&line, 1);
        let levels = crop.levels(&line, &far);
        assert_eq!(levels, (230.0, 50.0));
        let shares: Vec<f32> = line.letters.iter().map(|letter| crop.share(letter, &line, 1, levels)).collect();
        assert_eq!(shares, [1.0, 1.0, 0.0]);
    }
}
