//! Lines that never stand still: what scrolls over the scene.

use super::components::{Bounds, Gray};
use super::moves::{Pose, Stamp};
use super::track::{SAME, Track};
use crate::compose::I420Ref;

/// The fewest frames that make a text of a line that moves, the most that it is followed for, and after how many it must have
/// moved.
const SHORTEST_WAY: usize = 20;
const LONGEST_WAY: usize = 900;
const BEGUN: usize = 6;
/// How much of a line that moves is seen at least where it was found to be exactly.
const EXACT: f32 = 0.97;
/// Pixels by which a line that moves may be off a straight and even way, as pictures are looked at.
const OFF_WAY: f32 = 2.5;

/// A line that never stands still, by how it is where it was found: its track has that one frame, and its ways have the others.
pub(super) struct Moving {
    track: Track,
    stamp: Stamp,
    /// The size of the pictures.
    size: (usize, usize),
    /// How many of the pixels around it moved along with it, of how many that were looked at; and how many stayed as they were
    /// beside its way.
    along: usize,
    seen: usize,
    still: usize,
    beside: usize,
}

impl Moving {
    pub(super) fn new(track: Track, stamp: Stamp, size: (usize, usize)) -> Self {
        Self { track, stamp, size, along: 0, seen: 0, still: 0, beside: 0 }
    }

    /// Goes on to the frame `number`, which is `picture` at full size, `scale` times as large; `false` if it is not there, or has
    /// not moved by then. `passed`: the frames before, from the last one back.
    pub(super) fn goes_on<'f>(
        &mut self,
        (frame, number): (&Gray, u64),
        passed: impl Iterator<Item = &'f Gray>,
        (picture, scale): (&I420Ref<'_>, usize),
    ) -> bool {
        let Self { track, stamp, .. } = self;
        let looks = track.went.len() + 1;
        let pose = stamp.next(frame, &track.went).filter(|_| looks <= LONGEST_WAY);
        let Some(pose) = pose.filter(|pose| looks != BEGUN || pose.is_moved()) else { return false };
        track.went.push((number, pose));
        if looks == BEGUN {
            // The frame in which it was found, and those since, have passed too.
            for (frame, number) in passed.skip(BEGUN).zip((0..track.first).rev()).take(LONGEST_WAY) {
                let Some(pose) = stamp.next(frame, &track.came) else { break };
                track.came.push((number, pose));
            }
        }
        // A pixel off, and thin strokes are lost. Few: coding changes what moves, and of the darkest of many nothing would be left.
        if pose.strength >= EXACT && !pose.is_sized() && matches!(looks, 8 | 24 | 48) {
            let by = |at: f32| at as isize * scale as isize;
            track.crop.add_moved(picture, (by(pose.x), by(pose.y)));
        }
        self.look_around(frame, pose);
        true
    }

    /// Where it is now.
    pub(super) fn bounds(&self) -> Bounds {
        let (width, height) = self.size;
        let (x, y) = self.track.went.last().map_or((0.0, 0.0), |(_, pose)| (pose.x, pose.y));
        let side = |at: usize, by: f32, most: usize| (at as f32 + by).clamp(0.0, most as f32) as usize;
        let Bounds { left, top, right, bottom } = self.track.line.bounds;
        let across = [left, right].map(|at| side(at, x, width));
        let down = [top, bottom].map(|at| side(at, y, height));
        Bounds { left: across[0], top: down[0], right: across[1], bottom: down[1] }
    }

    /// Notes how much of what is around it moves along, and how much stays.
    fn look_around(&mut self, frame: &Gray, pose: Pose) {
        // What has hardly moved tells nothing.
        if pose.x.abs().max(pose.y.abs()) < 4.0 {
            return;
        }
        let (x, y) = (pose.x as isize, pose.y as isize);
        let own = self.track.line.bounds;
        let is_beside = |left: usize, top: usize| match pose.x.abs() > pose.y.abs() {
            true => top < own.top || top >= own.bottom,
            false => left < own.left || left >= own.right,
        };
        for &(at, luma) in &self.track.around.pixels {
            let (left, top) = (at as usize % frame.width, at as usize / frame.width);
            if let (Some(x), Some(y)) = (left.checked_add_signed(x), top.checked_add_signed(y))
                && x < frame.width
                && y < frame.height
            {
                self.seen += 1;
                self.along += usize::from(frame.row(y)[x].abs_diff(luma) <= SAME);
            }
            if is_beside(left, top) {
                self.beside += 1;
                self.still += usize::from(frame.row(top)[left].abs_diff(luma) <= SAME);
            }
        }
    }

    /// The pixels right and down by which it moves in most frames, in the middle of all.
    fn speed(&self) -> Option<(f32, f32)> {
        let Track { first, came, went, .. } = &self.track;
        let slopes = |side: fn(&Pose) -> f32| {
            let way = came.iter().chain(went);
            let mut slopes: Vec<f32> = way.map(|(frame, pose)| side(pose) / (*frame as f32 - *first as f32)).collect();
            slopes.sort_unstable_by(f32::total_cmp);
            slopes.get(slopes.len() / 2).copied()
        };
        slopes(|pose| pose.x).zip(slopes(|pose| pose.y))
    }

    /// Its track, and whether it moves evenly over what is around it, for long enough. A sign in the scene moves along with that, and so
    /// does the text of a page; and what somebody holds moves unevenly.
    pub(super) fn text(mut self) -> (Track, bool) {
        let first = self.track.first;
        let Some(speed) = self.speed() else { return (self.track, false) };
        // Where it should be, by the frame.
        let meant = |frame: u64| {
            let passed = frame as f32 - first as f32;
            Pose { x: speed.0 * passed, y: speed.1 * passed, scale: 1.0, strength: 1.0 }
        };
        let is_even = |(frame, pose): &(u64, Pose)| {
            let Pose { x, y, .. } = meant(*frame);
            (x - pose.x).abs().max((y - pose.y).abs()) <= OFF_WAY
        };
        let (own, (width, height)) = (self.track.line.bounds, self.size);
        let Track { came, went, .. } = &mut self.track;
        let (all, even) = {
            let way = || came.iter().chain(went.iter());
            (way().count(), way().filter(|there| is_even(there)).count())
        };
        // Before some things one letter looks as if it were elsewhere.
        let is_text = all >= SHORTEST_WAY && self.seen > 0 && even * 10 >= all * 8;
        came.iter_mut().chain(went.iter_mut()).for_each(|(frame, pose)| *pose = meant(*frame));
        // As far as it is in the picture, also where too little of it is to be found.
        let is_in = |pose: &Pose| {
            let inside = |start: usize, end: usize, by: f32, most: usize| {
                start as f32 + by < most as f32 && end as f32 + by > 0.0
            };
            inside(own.left, own.right, pose.x, width) && inside(own.top, own.bottom, pose.y, height)
        };
        let earliest = came.last().map_or(first, |(frame, _)| *frame);
        let latest = went.last().map_or(first, |(frame, _)| *frame);
        let way = |frames: &mut dyn Iterator<Item = u64>| -> Vec<(u64, Pose)> {
            frames.map(|frame| (frame, meant(frame))).take_while(|(_, pose)| is_in(pose)).take(LONGEST_WAY).collect()
        };
        came.extend(way(&mut (0..earliest).rev()));
        went.extend(way(&mut (latest + 1..)));
        let share = |count: usize, all: usize| count as f64 / all.max(1) as f64;
        let (along, still) = (share(self.along, self.seen), share(self.still, self.beside));
        // What is around it goes its own way, or stays.
        let is_over = along <= 0.6 || still >= along + 0.1;
        // Before an even ground both look the same; what stands out from it by a rim may be over it.
        let is_unsure = !is_over && still >= along.max(0.9);
        (self.track.is_passing, self.track.needs_rim) = (true, is_unsure);
        (self.track, is_text && (is_over || is_unsure))
    }
}
