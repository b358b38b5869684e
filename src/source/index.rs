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
        Some(Self { time_base, end: last.saturating_add(duration), pts, keys, complete })
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

    /// For each of `frames` output frames at `rate` the picture that is on at its time: the last one that has started
    /// by then, but for the rounding of its time. The shot's first frame shows source time `start` (from the first picture). Before the first picture
    /// the first is shown; from `end`, or the source's own end on, the last before it, or all from `start` on again.
    pub(crate) fn schedule(
        &self,
        (start, end): (TimeSpan, Option<TimeSpan>),
        rate: FrameRate,
        frames: u64,
        at_end: AtEnd,
    ) -> Vec<u32> {
        let first = self.first_pts();
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
                    // A millisecond before it: what starts at the end is not shown, even if its time was rounded.
                    AtEnd::Hold => passed.min(length.saturating_sub(TICKS_PER_SECOND / 1000)).max(0),
                };
                let time = Timestamp::from_ticks(passed).saturating_add(start);
                if time < last {
                    current = 0;
                }
                last = time;
                while let Some(&next) = self.pts.get(current + 1) {
                    if !self.time_base.has_started(next.saturating_sub(first), time) {
                        break;
                    }
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
        // Where the unit is long, a millisecond is.
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
