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
        for (y, at) in (bounds.top..bounds.bottom).zip((0..).step_by(bounds.width().max(1))) {
            let row = &picture.y.row(y)[bounds.left..bounds.right];
            for (at, &luma) in (at..).zip(row) {
                self.least[at] = self.least[at].min(luma);
                self.most[at] = self.most[at].max(luma);
                self.luma[at] = self.luma[at].saturating_add(luma.into());
            }
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
        let relax = |far: &mut [u8], at: usize, from: &[Option<usize>]| {
            let nearest = from.iter().flatten().map(|&from| far[from]).min().unwrap_or(255);
            far[at] = far[at].min(nearest.saturating_add(1));
        };
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                let left = (x > 0).then(|| at - 1);
                let above = (y > 0).then(|| at - width);
                let corner = above.filter(|_| x > 0).map(|above| above - 1);
                let other = above.filter(|_| x + 1 < width).map(|above| above + 1);
                relax(&mut far, at, &[left, above, corner, other]);
            }
        }
        for y in (0..height).rev() {
            for x in (0..width).rev() {
                let at = y * width + x;
                let right = (x + 1 < width).then(|| at + 1);
                let below = (y + 1 < height).then(|| at + width);
                let corner = below.filter(|_| x + 1 < width).map(|below| below + 1);
                let other = below.filter(|_| x > 0).map(|below| below - 1);
                relax(&mut far, at, &[right, below, corner, other]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Polarity, Run};
    use crate::compose::PlaneRef;

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
