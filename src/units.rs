//! Time, size and level as types that do not mix.
//!
//! Time is integer. The engine's tick is the *flick*, 1/705 600 000 s, chosen by its authors so that a frame of every
//! usual rate (24000/1001 to 120) and a sample of every usual rate (8 to 192 kHz) is a whole number of ticks.
//! Frame `k`'s time is computed from `k`, never accumulated.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Ticks in a second.
pub const TICKS_PER_SECOND: i64 = 705_600_000;

/// An instant on the output's clock or a source's clock, in ticks; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of time, in ticks; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeSpan(u64);

impl Timestamp {
    /// The start of a clock.
    pub const ZERO: Self = Self(0);

    /// The instant `ticks` after the start.
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// The instant in ticks.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// The instant of presentation time `pts` in `base`, rounded to the nearest tick, saturating at the range's ends.
    pub fn from_pts(pts: i64, base: TimeBase) -> Self {
        let ticks = i128::from(pts) * i128::from(base.num.get()) * i128::from(TICKS_PER_SECOND);
        Self(saturate(div_round(ticks, i128::from(base.den.get()))))
    }

    /// The last pts in `base` at or before this instant.
    pub fn to_pts_floor(self, base: TimeBase) -> i64 {
        let scaled = i128::from(self.0) * i128::from(base.den.get());
        saturate(scaled.div_euclid(i128::from(base.num.get()) * i128::from(TICKS_PER_SECOND)))
    }

    /// The instant `span` later, saturating.
    #[must_use]
    pub fn saturating_add(self, span: TimeSpan) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }

    /// The time from `earlier` to this instant; zero where `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> TimeSpan {
        TimeSpan(u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0))
    }

    /// The index of the sample frame nearest to this instant at `rate` sample frames a second.
    pub fn to_sample_frames(self, rate: u32) -> i64 {
        saturate(div_round(i128::from(self.0) * i128::from(rate), i128::from(TICKS_PER_SECOND)))
    }

    /// Seconds, for display only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }
}

impl TimeSpan {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// A span of `ticks`.
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks)
    }

    /// The span in ticks.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// A span of whole seconds, saturating.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(TICKS_PER_SECOND as u64))
    }

    /// A span from decimal seconds, rounded to the nearest tick; `None` unless finite, not negative and in range.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let ticks = (secs * TICKS_PER_SECOND as f64).round();
        // 2^63: beyond it ticks would not fit the signed clock.
        (0.0..9_223_372_036_854_775_808.0).contains(&ticks).then_some(Self(ticks as u64))
    }

    /// Seconds, for display only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

/// The unit of a stream's presentation times: `num / den` seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeBase {
    num: NonZeroU32,
    den: NonZeroU32,
}

impl TimeBase {
    /// `num / den` seconds; `None` if either is zero.
    pub const fn new(num: u32, den: u32) -> Option<Self> {
        match (NonZeroU32::new(num), NonZeroU32::new(den)) {
            (Some(num), Some(den)) => Some(Self { num, den }),
            _ => None,
        }
    }

    /// The numerator.
    pub const fn num(self) -> u32 {
        self.num.get()
    }

    /// The denominator.
    pub const fn den(self) -> u32 {
        self.den.get()
    }

    /// Compares pts `pts` of this base with `time`, exactly.
    pub fn cmp_pts(self, pts: i64, time: Timestamp) -> Ordering {
        let pts = i128::from(pts) * i128::from(self.num.get()) * i128::from(TICKS_PER_SECOND);
        pts.cmp(&(i128::from(time.0) * i128::from(self.den.get())))
    }
}

/// How fast a clip runs: 1 is as it was recorded. In thousandths, from a quarter to four times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Speed(u32);

impl Speed {
    /// As it was recorded.
    pub const NORMAL: Self = Self(1000);
    /// The least and the most.
    pub const RANGE: std::ops::RangeInclusive<f64> = 0.25..=4.0;

    /// The nearest thousandth to `times` as fast; `None` outside of [`Speed::RANGE`].
    pub fn new(times: f64) -> Option<Self> {
        Self::RANGE.contains(&times).then(|| Self((times * 1000.0).round() as u32))
    }

    /// How many times as fast.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// The output's frames, seen from the clip: at twice the speed, of 30 a second there are 15 for each second of the clip.
    pub(crate) fn rate(self, output: FrameRate) -> FrameRate {
        let (num, den) = (output.num.saturating_mul(THOUSAND), output.den.get().saturating_mul(self.0));
        FrameRate { num, den: NonZeroU32::new(den).unwrap_or(output.den) }
    }

    /// How long so much of the clip is on.
    pub(crate) fn stretched(self, span: TimeSpan) -> TimeSpan {
        TimeSpan::from_ticks((u128::from(span.ticks()) * 1000 / u128::from(self.0)).min(u64::MAX.into()) as u64)
    }
}

const THOUSAND: NonZeroU32 = NonZeroU32::new(1000).expect("1000 > 0");

impl Default for Speed {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl TryFrom<u32> for Speed {
    type Error = &'static str;

    fn try_from(thousandths: u32) -> Result<Self, Self::Error> {
        if (250..=4000).contains(&thousandths) {
            Ok(Self(thousandths))
        } else {
            Err("a speed is 250 to 4000 thousandths")
        }
    }
}

impl From<Speed> for u32 {
    fn from(speed: Speed) -> Self {
        speed.0
    }
}

/// Frames a second as an exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameRate {
    num: NonZeroU32,
    den: NonZeroU32,
}

impl FrameRate {
    /// Thirty frames a second, the default of every short-video platform.
    pub const FPS_30: Self = Self { num: NonZeroU32::new(30).expect("30 > 0"), den: NonZeroU32::MIN };

    /// `num / den` frames a second; `None` if either is zero.
    pub const fn new(num: u32, den: u32) -> Option<Self> {
        match (NonZeroU32::new(num), NonZeroU32::new(den)) {
            (Some(num), Some(den)) => Some(Self { num, den }),
            _ => None,
        }
    }

    /// The numerator.
    pub const fn num(self) -> u32 {
        self.num.get()
    }

    /// The denominator.
    pub const fn den(self) -> u32 {
        self.den.get()
    }

    /// When frame `index` starts: exact for the usual rates, else the nearest tick.
    pub fn time_of(self, index: FrameIndex) -> Timestamp {
        let ticks = i128::from(index.0) * i128::from(self.den.get()) * i128::from(TICKS_PER_SECOND);
        Timestamp(saturate(div_round(ticks, i128::from(self.num.get()))))
    }

    /// The whole number of frames nearest to `span`.
    pub fn frames_in(self, span: TimeSpan) -> u64 {
        let scaled = i128::from(span.0) * i128::from(self.num.get());
        let frames = div_round(scaled, i128::from(self.den.get()) * i128::from(TICKS_PER_SECOND));
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// The duration of one frame as a time base: `den / num` seconds.
    pub const fn time_base(self) -> TimeBase {
        TimeBase { num: self.den, den: self.num }
    }

    /// Frames a second, for display only.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num.get()) / f64::from(self.den.get())
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den.get() == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}

/// The number of a frame on the output's clock, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameIndex(pub u64);

impl fmt::Display for FrameIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A half-open run of frames, `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameRange {
    /// The first frame.
    pub start: FrameIndex,
    /// The frame after the last one; at least `start`.
    pub end: FrameIndex,
}

impl FrameRange {
    /// The frames `start..end`; empty if `end` is not after `start`.
    pub fn new(start: u64, end: u64) -> Self {
        Self { start: FrameIndex(start), end: FrameIndex(end.max(start)) }
    }

    /// How many frames it has.
    pub const fn len(self) -> u64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether `index` is in it.
    pub fn contains(self, index: FrameIndex) -> bool {
        self.start <= index && index < self.end
    }

    /// The frames that are in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self::new(self.start.0.max(other.start.0), self.end.0.min(other.end.0))
    }
}

/// Marks a size in pixels of a source as it is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InSource {}
/// Marks a size in pixels of the output's canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnCanvas {}

/// A width and height in pixels of the space `S`; neither is zero.
pub struct PixelSize<S> {
    width: NonZeroU32,
    height: NonZeroU32,
    space: PhantomData<fn() -> S>,
}

/// The displayed size of a source.
pub type SourceSize = PixelSize<InSource>;
/// The size of the output.
pub type CanvasSize = PixelSize<OnCanvas>;

impl<S> PixelSize<S> {
    /// `width` by `height` pixels; `None` if either is zero.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        match (NonZeroU32::new(width), NonZeroU32::new(height)) {
            (Some(width), Some(height)) => Some(Self { width, height, space: PhantomData }),
            _ => None,
        }
    }

    /// The width in pixels, at least 1.
    pub const fn width(self) -> u32 {
        self.width.get()
    }

    /// The height in pixels, at least 1.
    pub const fn height(self) -> u32 {
        self.height.get()
    }

    /// The number of pixels.
    pub const fn pixels(self) -> u64 {
        self.width.get() as u64 * self.height.get() as u64
    }
}

impl CanvasSize {
    /// 1080x1920, the upright 9:16 of all platforms.
    pub const VERTICAL_HD: Self = Self {
        width: NonZeroU32::new(1080).expect("1080 > 0"),
        height: NonZeroU32::new(1920).expect("1920 > 0"),
        space: PhantomData,
    };
    /// 1080x1350, the upright 4:5 of picture feeds.
    pub const FEED: Self = Self {
        width: NonZeroU32::new(1080).expect("1080 > 0"),
        height: NonZeroU32::new(1350).expect("1350 > 0"),
        space: PhantomData,
    };
}

// Derives would ask the marker for each of these.
impl<S> Clone for PixelSize<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for PixelSize<S> {}
impl<S> PartialEq for PixelSize<S> {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height)
    }
}
impl<S> Eq for PixelSize<S> {}
impl<S> fmt::Debug for PixelSize<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<S> fmt::Display for PixelSize<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}
impl<S> Serialize for PixelSize<S> {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        (self.width, self.height).serialize(serializer)
    }
}
impl<'de, S> Deserialize<'de> for PixelSize<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (width, height) = <(NonZeroU32, NonZeroU32)>::deserialize(deserializer)?;
        Ok(Self { width, height, space: PhantomData })
    }
}

/// A level in decibels.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decibels(pub f64);

impl Decibels {
    /// The linear factor for amplitudes, `10^(dB/20)`.
    pub fn to_gain(self) -> Gain {
        Gain(10f64.powf(self.0 / 20.0) as f32)
    }
}

/// A linear factor for amplitudes.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gain(pub f32);

impl Gain {
    /// No change.
    pub const UNITY: Self = Self(1.0);
}

/// Division to the nearest integer, halves away from zero; `den` must be positive.
fn div_round(num: i128, den: i128) -> i128 {
    let half = den / 2;
    if num >= 0 { (num + half) / den } else { (num - half) / den }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL_RATES: [(u32, u32); 9] =
        [(24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1), (120, 1)];

    #[test]
    fn speeds_change_the_clock_exactly() {
        let twice = Speed::new(2.0).expect("in range");
        assert_eq!(twice.rate(FrameRate::FPS_30).time_of(FrameIndex(15)), FrameRate::FPS_30.time_of(FrameIndex(30)));
        assert_eq!(twice.stretched(TimeSpan::from_secs(3)), TimeSpan::from_ticks(3 * TICKS_PER_SECOND as u64 / 2));
        assert_eq!(Speed::NORMAL.stretched(TimeSpan::from_secs(3)), TimeSpan::from_secs(3));
        assert_eq!([0.2, 4.1, f64::NAN].map(Speed::new), [None; 3]);
        assert!(serde_json::from_str::<Speed>("0").is_err() && serde_json::from_str::<Speed>("250").is_ok());
    }

    #[test]
    fn a_frame_of_every_usual_rate_is_whole_ticks() {
        for (num, den) in USUAL_RATES {
            let ticks = i128::from(TICKS_PER_SECOND) * i128::from(den);
            assert_eq!(ticks % i128::from(num), 0, "{num}/{den}");
        }
    }

    #[test]
    fn seconds_round_trip_to_the_millisecond() {
        for ms in [0u64, 1, 33, 1000, 12_345, 600_000] {
            let span = TimeSpan::from_secs_f64(ms as f64 / 1000.0).expect("in range");
            assert_eq!(span.ticks(), ms * (TICKS_PER_SECOND as u64 / 1000));
        }
        for bad in [-0.001, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(TimeSpan::from_secs_f64(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn frame_times_keep_order_and_round_trip(index in 0u64..10_000_000, rate in 0usize..USUAL_RATES.len()) {
            let rate = FrameRate::new(USUAL_RATES[rate].0, USUAL_RATES[rate].1).expect("not zero");
            let time = rate.time_of(FrameIndex(index));
            prop_assert!(time < rate.time_of(FrameIndex(index + 1)));
            prop_assert_eq!(rate.frames_in(time.saturating_since(Timestamp::ZERO)), index);
            prop_assert_eq!(time.to_pts_floor(rate.time_base()), index as i64);
        }

        #[test]
        fn comparing_pts_is_exact(pts in -1_000_000_000i64..1_000_000_000, den in 1u32..200_000) {
            let base = TimeBase::new(1, den).expect("not zero");
            let floor = Timestamp::from_pts(pts, base);
            // The rounded instant is within half a tick, so a whole tick either side must compare strictly.
            prop_assert_eq!(base.cmp_pts(pts, Timestamp::from_ticks(floor.ticks() + 1)), Ordering::Less);
            prop_assert_eq!(base.cmp_pts(pts, Timestamp::from_ticks(floor.ticks() - 1)), Ordering::Greater);
        }

        #[test]
        fn no_time_arithmetic_overflows(ticks: i64, pts: i64, num in 1u32.., den in 1u32.., span: u64) {
            let base = TimeBase::new(num, den).expect("not zero");
            let _ = Timestamp::from_pts(pts, base);
            let _ = Timestamp::from_ticks(ticks).to_pts_floor(base);
            let _ = Timestamp::from_ticks(ticks).saturating_add(TimeSpan::from_ticks(span));
            let _ = Timestamp::from_ticks(ticks).to_sample_frames(192_000);
            let _ = FrameRate::new(num, den).expect("not zero").frames_in(TimeSpan::from_ticks(span));
            let _ = FrameRate::new(num, den).expect("not zero").time_of(FrameIndex(span));
        }
    }
}
