//! The presentation times of a video stream, and which picture each output frame shows.

use serde::{Deserialize, Serialize};

use crate::units::{FrameIndex, FrameRate, TICKS_PER_SECOND, TimeBase, TimeSpan, Timestamp};

/// What a shot shows that is longer than its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// The last picture. Default.
    #[default]
    Hold,
    /// The source from its start again.
    Loop,
}

/// All pictures of a video stream that the container shows, from one pass over its packets.
#[derive(Debug, Clone)]
pub(crate) struct VideoIndex {
    time_base: TimeBase,
    /// Presentation times, ascending, without repeats; never empty.
    pts: Vec<i64>,
    /// When the last picture ends.
    end: i64,
    /// Presentation times of the pictures that decoding can start at, ascending.
    keys: Vec<i64>,
    /// Whether every packet had a pts, so that packets and pictures can be matched before decoding.
    complete: bool,
    /// Of a constant rate whose times were rounded: the rate, and how many of its periods after the first one each picture
    /// starts.
    steady: Option<(TimeBase, Vec<i64>)>,
}

/// The rates that times are rounded of, the usual ones first.
const RATES: [(u32, u32); 12] = [
    (30, 1),
    (25, 1),
    (60, 1),
    (50, 1),
    (24, 1),
    (30_000, 1001),
    (60_000, 1001),
    (24_000, 1001),
    (15, 1),
    (48, 1),
    (20, 1),
    (12, 1),
];
/// Units of a second that are fine enough: a tenth of a millisecond.
const FINE: u32 = 10_000;

/// The constant rate that these ascending times are of, if their unit is so long that rounding to it would be seen: of 30
/// pictures a second in WebM, whose unit is a millisecond, every third would be skipped. Each time must be less than a unit
/// from its place, since the first one was rounded too; pictures may be missing.
fn steady(base: TimeBase, pts: &[i64]) -> Option<(TimeBase, Vec<i64>)> {
    let first = *pts.first()?;
    if pts.len() < 3 || base.den() / base.num() >= FINE {
        return None;
    }
    let places = |(num, den): (u32, u32)| {
        // Units of time in `scale` parts, of which a period is a whole number.
        let scale = i128::from(base.num()) * i128::from(num);
        let period = i128::from(base.den()) * i128::from(den);
        let place = |&pts: &i64| {
            let at = (i128::from(pts) - i128::from(first)) * scale;
            let place = (at + period / 2).div_euclid(period);
            // A period of a unit or less is no rounding.
            let is_near = (at - place * period).abs() < scale && 2 * scale < period;
            is_near.then(|| i64::try_from(place).ok()).flatten()
        };
        let places: Vec<i64> = pts.iter().map(place).collect::<Option<_>>()?;
        let off = pts.iter().zip(&places);
        let off: i128 = off
            .map(|(pts, place)| ((i128::from(*pts) - i128::from(first)) * scale - i128::from(*place) * period).abs())
            .sum();
        let ascend = places.windows(2).all(|pair| pair[0] < pair[1]);
        ascend.then(|| (off as f64 / scale as f64, TimeBase::new(den, num), places))
    };
    // Short clips may be of two rates: the one that they are nearer to.
    let fits = RATES.into_iter().filter_map(places);
    let (_, base, places) = fits.min_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
    Some((base?, places))
}

impl VideoIndex {
    /// An index from the presentation times in any order. `None` without a picture.
    ///
    /// `last_duration` is that of the picture shown last; where the container gives none (0), the mean distance of
    /// the pictures stands in.
    pub(super) fn new(
        time_base: TimeBase,
        mut pts: Vec<i64>,
        last_duration: i64,
        mut keys: Vec<i64>,
        complete: bool,
    ) -> Option<Self> {
        pts.sort_unstable();
        pts.dedup();
        let (&first, &last) = (pts.first()?, pts.last()?);
        let mean = match pts.len() {
            1 => 0,
            n => last.saturating_sub(first) / (n as i64 - 1),
        };
        let duration = if last_duration > 0 { last_duration } else { mean.max(1) };
        keys.sort_unstable();
        let steady = steady(time_base, &pts);
        Some(Self { time_base, end: last.saturating_add(duration), pts, keys, complete, steady })
    }

    pub(crate) fn len(&self) -> usize {
        self.pts.len()
    }

    pub(crate) fn time_base(&self) -> TimeBase {
        self.time_base
    }

    /// The first picture's pts: the source's time zero.
    pub(crate) fn first_pts(&self) -> i64 {
        self.pts.first().copied().unwrap_or(0)
    }

    /// The pts of picture `index`, the last one's for an index beyond.
    pub(crate) fn pts(&self, index: usize) -> i64 {
        self.pts.get(index).or(self.pts.last()).copied().unwrap_or(0)
    }

    /// From the first picture to the end of the last.
    pub(crate) fn duration(&self) -> TimeSpan {
        let start = Timestamp::from_pts(self.first_pts(), self.time_base);
        Timestamp::from_pts(self.end, self.time_base).saturating_since(start)
    }

    /// The picture shown before the one at `pts`; that one itself if it is the first.
    pub(crate) fn before(&self, pts: i64) -> i64 {
        let place = self.pts.partition_point(|&known| known < pts);
        self.pts.get(place.saturating_sub(1)).copied().unwrap_or(pts)
    }

    /// The lowest and the highest rate between neighbouring pictures, in pictures a second; `None` where they are the
    /// same but for the rounding of the time base, or one is missing here and there.
    pub(crate) fn rate_span(&self) -> Option<(f64, f64)> {
        let steps = || self.pts.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let (least, most) = (steps().min()?, steps().max()?);
        let mean = self.pts.last()?.saturating_sub(*self.pts.first()?) as f64 / (self.pts.len() - 1) as f64;
        let strange = steps().filter(|&step| (step as f64 - mean).abs() > (mean * 0.1).max(1.0)).count();
        // Constant streams that lost a picture are not variable ones.
        if strange * 50 <= self.pts.len() {
            return None;
        }
        let rate = |step: i64| f64::from(self.time_base.den()) / (step as f64 * f64::from(self.time_base.num()));
        Some((rate(most), rate(least)))
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The key pictures at or before `pts`, the nearest first.
    pub(crate) fn keys_before(&self, pts: i64) -> impl Iterator<Item = i64> + '_ {
        let count = self.keys.partition_point(|&key| key <= pts);
        self.keys[..count].iter().rev().copied()
    }

    /// When picture `index` starts, from `first`, the first one's pts on; `None` beyond the last one.
    fn starts(&self, index: usize, first: i64) -> Option<(TimeBase, i64)> {
        match &self.steady {
            Some((base, places)) => places.get(index).map(|&place| (*base, place)),
            None => self.pts.get(index).map(|&pts| (self.time_base, pts.saturating_sub(first))),
        }
    }

    /// For each of `frames` output frames at `rate` the picture that is on at its time: the last one that has started
    /// by then. The shot's first frame shows source time `start` (from the first picture). Before the first picture
    /// the first is shown; from `end`, or the source's own end on, the last before it, or all from `start` on again.
    pub(crate) fn schedule(
        &self,
        (start, end): (TimeSpan, Option<TimeSpan>),
        rate: FrameRate,
        frames: u64,
        at_end: AtEnd,
    ) -> Vec<u32> {
        let first = self.first_pts();
        // A millisecond before it: what starts at the end is not shown, even if its time was rounded. Nothing starts at its
        // own end.
        let early = if end.is_some_and(|end| end < self.duration()) { TICKS_PER_SECOND / 1000 } else { 0 };
        let end = end.map_or(self.duration(), |end| end.min(self.duration()));
        let length = i64::try_from(end.ticks().saturating_sub(start.ticks())).unwrap_or(i64::MAX);
        let mut current = 0usize;
        let mut last = Timestamp::ZERO;
        (0..frames)
            .map(|frame| {
                let passed = rate.time_of(FrameIndex(frame)).ticks();
                let passed = match at_end {
                    AtEnd::Loop if length > 0 => passed % length,
                    AtEnd::Loop => 0,
                    AtEnd::Hold => passed.min(length.saturating_sub(early)).max(0),
                };
                let time = Timestamp::from_ticks(passed).saturating_add(start);
                if time < last {
                    current = 0;
                }
                last = time;
                while self.starts(current + 1, first).is_some_and(|(base, at)| base.cmp_pts(at, time).is_le()) {
                    current += 1;
                }
                u32::try_from(current).unwrap_or(u32::MAX)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(den: u32, pts: &[i64]) -> VideoIndex {
        let base = TimeBase::new(1, den).expect("not zero");
        VideoIndex::new(base, pts.to_vec(), 0, Vec::new(), true).expect("not empty")
    }

    fn at_30(index: &VideoIndex, frames: u64) -> Vec<u32> {
        index.schedule((TimeSpan::ZERO, None), FrameRate::FPS_30, frames, AtEnd::Hold)
    }

    #[test]
    fn sixty_to_thirty_takes_every_second_picture() {
        let source = index(15_360, &(0..60).map(|n| n * 256).collect::<Vec<_>>());
        assert_eq!(at_30(&source, 30), (0..30).map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(source.duration(), TimeSpan::from_secs(1));
    }

    #[test]
    fn twenty_four_to_thirty_repeats_every_fourth() {
        let source = index(12_288, &(0..24).map(|n| n * 512).collect::<Vec<_>>());
        assert_eq!(at_30(&source, 10), [0, 0, 1, 2, 3, 4, 4, 5, 6, 7]);
    }

    #[test]
    fn sparse_and_late_and_reordered_pictures() {
        let source = index(1000, &[5_500, 5_000, 5_033, 5_033]);
        assert_eq!(source.len(), 3, "a repeated pts is one picture");
        // Frame 1 is at 33.3 ms, after the picture at 33 ms; the next comes at 500 ms, which is frame 15.
        assert_eq!(at_30(&source, 17), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
        let trimmed = source.schedule((TimeSpan::from_secs(1), None), FrameRate::FPS_30, 2, AtEnd::Hold);
        assert_eq!(trimmed, [2, 2], "beyond the end the last picture is held");
    }

    /// What Matroska and WebM make of 30 and 60 pictures a second.
    #[test]
    fn rounded_times_skip_no_picture() {
        for offset in 0..40 {
            let rounded =
                |rate: i64, count: i64| (0..count).map(|n| ((n + offset) * 2000 / rate + 1) / 2).collect::<Vec<_>>();
            assert_eq!(at_30(&index(1000, &rounded(30, 60)), 60), (0..60).collect::<Vec<_>>(), "offset {offset}");
            let every_second: Vec<_> = (0..60).map(|n| n * 2).collect();
            assert_eq!(at_30(&index(1000, &rounded(60, 120)), 60), every_second, "offset {offset}");
        }
        // 29.97 a second: each picture a little later than the output's frame, and none twice but the first.
        let ntsc = index(1000, &(0..60).map(|n| (n * 2002 / 30 + 1) / 2).collect::<Vec<_>>());
        assert_eq!(at_30(&ntsc, 60), (0..60u32).map(|n| n.saturating_sub(1)).collect::<Vec<_>>());
        // Pictures that are missing leave their places; times of no rate are as they are.
        assert_eq!(at_30(&index(1000, &[0, 33, 100, 133, 200]), 7), [0, 1, 1, 2, 3, 3, 4]);
        assert_eq!(at_30(&index(1000, &[0, 34, 81, 133]), 5), [0, 0, 1, 2, 3]);
        // A unit that is a period is exact.
        assert_eq!(at_30(&index(25, &[0, 1, 2, 3]), 4), [0, 0, 1, 2]);
    }

    #[test]
    fn a_looped_source_starts_again_on_its_own_clock() {
        // Three pictures of 40 ms: 120 ms, which is no whole number of output frames.
        let source = index(25, &[7, 8, 9]);
        let shown = source.schedule((TimeSpan::ZERO, None), FrameRate::FPS_30, 9, AtEnd::Loop);
        // Frames at 0, 33, 67, 100, 133 (13), 167 (47), 200 (80), 233 (113), 267 (27) ms.
        assert_eq!(shown, [0, 0, 1, 2, 0, 1, 2, 2, 0]);
    }

    #[test]
    fn a_last_picture_of_no_length_is_held() {
        let base = TimeBase::new(1, 90_000).expect("not zero");
        let source = VideoIndex::new(base, vec![0, 45_000, 180_000], 1, Vec::new(), true).expect("not empty");
        assert_eq!(at_30(&source, 70)[59..], [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn a_part_is_held_or_starts_again_at_its_own_ends() {
        let source = index(30, &(0..30).collect::<Vec<_>>());
        let part = (
            TimeSpan::from_ticks(3 * TICKS_PER_SECOND as u64 / 10),
            Some(TimeSpan::from_ticks(4 * TICKS_PER_SECOND as u64 / 10)),
        );
        let shown = |at_end| source.schedule(part, FrameRate::FPS_30, 6, at_end);
        assert_eq!(shown(AtEnd::Hold), [9, 10, 11, 11, 11, 11]);
        assert_eq!(shown(AtEnd::Loop), [9, 10, 11, 9, 10, 11]);
        // Twice as fast: of the clip's clock there are 15 frames a second.
        let fast = crate::units::Speed::new(2.0).expect("in range").rate(FrameRate::FPS_30);
        assert_eq!(source.schedule((TimeSpan::ZERO, None), fast, 4, AtEnd::Hold), [0, 2, 4, 6]);
    }

    #[test]
    fn variable_rates_are_seen_and_rounded_ones_are_not() {
        assert_eq!(index(1000, &[0, 33, 67, 100, 133, 167]).rate_span(), None, "milliseconds of 30 a second");
        let (slowest, fastest) = index(1000, &[0, 20, 40, 240, 260]).rate_span().expect("is variable");
        assert_eq!((slowest, fastest), (5.0, 50.0));
        assert_eq!(index(1000, &[5]).rate_span(), None);
        assert_eq!(index(1000, &[0, 20, 40]).before(20), 0);
        assert_eq!(index(1000, &[0, 20, 40]).before(0), 0);
    }

    #[test]
    fn decoding_starts_at_the_nearest_key_before() {
        let base = TimeBase::new(1, 30).expect("not zero");
        let index = VideoIndex::new(base, (0..90).collect(), 1, vec![60, 0, 30], true).expect("pictures");
        assert_eq!(index.keys_before(59).collect::<Vec<_>>(), [30, 0]);
        assert_eq!(index.keys_before(-1).count(), 0);
    }
}
