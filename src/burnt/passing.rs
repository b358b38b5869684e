//! Lines that never stand still: what scrolls over the scene, and what turns or changes its size all the time.

use super::components::Gray;
use super::lines::Line;
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
/// After how many frames at least other pictures of it are added.
const ADDED: [usize; 3] = [8, 24, 48];
/// Pixels by which a line that moves may be off a straight and even way, as pictures are looked at.
const OFF_WAY: f32 = 2.5;
/// By how much a line turns, in radians, or changes its size, as a part of it, that does not move evenly; and by how much it may be
/// off the middle between some frames before and after.
const TURNS: f32 = 0.05;
const SWELLS: f32 = 0.05;
const UNEVEN: f32 = 0.03;
const SOME: usize = 3;
/// By how much what rests turns, or changes its size, in twice as many frames.
const RESTS: f32 = 0.01;
/// What share of the pixels around a line that turns moves along if it is a part of the scene, and rather so than the other way.
const RIGID: f64 = 0.85;
const RATHER: f64 = 0.1;
/// Pixels beyond a line that its rim and its smooth edges may take.
const BESIDE: f32 = 8.0;
/// Pixels by which a place around a line moves at least that tells whether it goes along.
const TELLING: f32 = 4.0;

/// What a line is that never stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    Text,
    /// A part of the scene, which turns with it.
    Scene,
    /// Either, or what is there by chance.
    Nothing,
}

/// A line that never stands still, by how it is where it was found: its track has that one frame, and its ways have the others.
pub(super) struct Moving {
    track: Track,
    stamp: Stamp,
    /// The size of the pictures.
    size: (usize, usize),
    /// How many pictures were added to the one in which it was found.
    added: usize,
    /// How many of the pixels around it moved along with it, how many look as if they had moved the other way, of how many that
    /// were looked at; and how many stayed as they were beside its way.
    along: usize,
    against: usize,
    seen: usize,
    still: usize,
    beside: usize,
}

impl Moving {
    pub(super) fn new(track: Track, stamp: Stamp, size: (usize, usize)) -> Self {
        Self { track, stamp, size, added: 0, along: 0, against: 0, seen: 0, still: 0, beside: 0 }
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
        let is_exact = pose.strength >= EXACT && !pose.is_sized() && !pose.is_turned();
        if is_exact && ADDED.get(self.added).is_some_and(|least| looks >= *least) {
            let by = |at: f32| at as isize * scale as isize;
            self.added += usize::from(track.crop.add_moved(picture, (by(pose.x), by(pose.y))));
        }
        self.look_around(frame, pose);
        true
    }

    /// Where it is now, without its pixels.
    pub(super) fn line(&self) -> Line {
        self.track.posed(self.track.went.last().map_or(Pose::STILL, |(_, pose)| *pose))
    }

    /// Notes how much of what is around it moves along, and how much stays.
    fn look_around(&mut self, frame: &Gray, pose: Pose) {
        let (own, middle) = (self.track.line.bounds, self.track.middle);
        let half = (own.width() as f32 / 2.0, own.height() as f32 / 2.0);
        let back = pose.back();
        let is_straight = !pose.is_turned() && !pose.is_sized();
        // What it has not been over since.
        let is_beside = |left: usize, top: usize| match is_straight {
            true if pose.x.abs() > pose.y.abs() => top < own.top || top >= own.bottom,
            true => left < own.left || left >= own.right,
            false => {
                let (x, y) = pose.origin((left as f32, top as f32), middle);
                (x - middle.0).abs() > half.0 + BESIDE || (y - middle.1).abs() > half.1 + BESIDE
            }
        };
        for &(at, luma) in &self.track.around.pixels {
            let (left, top) = (at as usize % frame.width, at as usize / frame.width);
            let (x, y) = pose.place((left as f32, top as f32), middle);
            // What has hardly moved tells nothing.
            if (x - left as f32).abs().max((y - top as f32).abs()) < TELLING {
                continue;
            }
            let is_at = |(x, y): (f32, f32)| {
                let (x, y) = (x.round(), y.round());
                let is_in = x >= 0.0 && y >= 0.0 && (x as usize) < frame.width && (y as usize) < frame.height;
                is_in.then(|| frame.row(y as usize)[x as usize].abs_diff(luma) <= SAME)
            };
            if let Some((along, against)) = is_at((x, y)).zip(is_at(back.place((left as f32, top as f32), middle))) {
                self.seen += 1;
                self.along += usize::from(along);
                self.against += usize::from(against);
            }
            if is_beside(left, top) {
                self.beside += 1;
                self.still += usize::from(frame.row(top)[left].abs_diff(luma) <= SAME);
            }
        }
    }

    /// Whether it turns or changes its size for most of its time, smoothly, as what somebody draws does and what is there by chance
    /// does not. What comes in that way and then stands is no such line.
    fn turns(&self) -> bool {
        let Track { came, went, .. } = &self.track;
        let poses = |way: &[(u64, Pose)]| way.iter().map(|(_, pose)| *pose).collect::<Vec<_>>();
        let mut way = poses(came);
        way.reverse();
        way.push(Pose::STILL);
        way.extend(poses(went));
        let rests = way.windows(2 * SOME + 1).filter(|part| {
            let (one, other) = (part[0], part[2 * SOME]);
            (one.angle - other.angle).abs() < RESTS
                && (one.scale - other.scale).abs() < RESTS
                && (one.x - other.x).abs().max((one.y - other.y).abs()) <= 1.0
        });
        if rests.count() * 2 >= way.len() {
            return false;
        }
        // A short line seems to change by more.
        let apart = 2.0 * OFF_WAY / (self.track.line.bounds.width().max(2) as f32 / 2.0);
        let changes = |of: fn(&Pose) -> f32, least: f32| {
            let values: Vec<f32> = way.iter().map(of).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f32::total_cmp);
            // Without those few that are off.
            let spread = sorted[sorted.len() * 19 / 20] - sorted[sorted.len() / 20];
            let smooth = values
                .windows(2 * SOME + 1)
                .filter(|part| (part[SOME] - (part[0] + part[2 * SOME]) / 2.0).abs() <= UNEVEN);
            spread >= least.max(apart) && smooth.count() * 20 >= values.len().saturating_sub(2 * SOME) * 17
        };
        changes(|pose| pose.angle, TURNS) || changes(|pose| pose.scale, SWELLS)
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

    /// Its track, and what it is. A text moves evenly over what is around it, or turns there, for long enough; a sign in the scene
    /// moves along with that, and so does the text of a page; and what somebody holds moves unevenly.
    pub(super) fn text(mut self) -> (Track, Passing) {
        let first = self.track.first;
        let share = |count: usize, all: usize| count as f64 / all.max(1) as f64;
        let (along, still) = (share(self.along, self.seen), share(self.still, self.beside));
        // What is around it goes its own way, or stays.
        let is_over = along <= 0.6 || still >= along + 0.1;
        // Before an even ground both look the same; what stands out from it by a rim may be over it.
        let is_unsure = !is_over && still >= along.max(0.9);
        self.track.is_passing = true;
        if self.turns() {
            let all = self.track.came.len() + self.track.went.len();
            self.track.needs_rim = true;
            // By turns what is around it moves by few pixels, and much of it looks as before.
            let is_over = is_over || along < RIGID || along <= share(self.against, self.seen) + RATHER;
            let passing = match all >= SHORTEST_WAY && self.seen > 0 {
                true if is_over => Passing::Text,
                true => Passing::Scene,
                false => Passing::Nothing,
            };
            return (self.track, passing);
        }
        let Some(speed) = self.speed() else { return (self.track, Passing::Nothing) };
        // Where it should be, by the frame.
        let meant = |frame: u64| {
            let passed = frame as f32 - first as f32;
            Pose { x: speed.0 * passed, y: speed.1 * passed, ..Pose::STILL }
        };
        let is_even = |(frame, pose): &(u64, Pose)| {
            let Pose { x, y, .. } = meant(*frame);
            (x - pose.x).abs().max((y - pose.y).abs()) <= OFF_WAY
        };
        let (own, (width, height)) = (self.track.line.bounds, self.size);
        let Track { came, went, .. } = &mut self.track;
        let way = || came.iter().chain(went.iter());
        let (all, even) = (way().count(), way().filter(|there| is_even(there)).count());
        let has_moved = way().any(|(_, pose)| pose.x.abs().max(pose.y.abs()) >= TELLING);
        // Before some things one letter looks as if it were elsewhere.
        let is_text = all >= SHORTEST_WAY && self.seen > 0 && has_moved && even * 10 >= all * 8;
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
        self.track.needs_rim = is_unsure;
        (self.track, if is_text && (is_over || is_unsure) { Passing::Text } else { Passing::Nothing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Bounds, Component, Polarity, Run};

    const SIZE: (usize, usize) = (400, 200);

    /// A line of ten letters that was found in frame 100, with how it is in the frames after that; of all that is around it so much
    /// goes along, and looks as if it went the other way.
    fn moving(poses: impl IntoIterator<Item = Pose>, (along, against): (usize, usize)) -> Moving {
        let mut frame = Gray { samples: vec![100; SIZE.0 * SIZE.1], width: SIZE.0, height: SIZE.1 };
        let letter = |number: usize| {
            let bounds = Bounds { left: 100 + number * 20, top: 90, right: 112 + number * 20, bottom: 110 };
            let runs = (bounds.top..bounds.bottom).map(|y| Run { y, start: bounds.left, end: bounds.right }).collect();
            Component { bounds, runs, area: 240, fill: 230, chroma: [128; 2] }
        };
        let line = Line::of((0..10).map(letter).collect(), Polarity::Light).expect("has letters");
        for run in line.letters.iter().flat_map(|letter| &letter.runs) {
            frame.samples[run.y * SIZE.0 + run.start..run.y * SIZE.0 + run.end].fill(230);
        }
        let mut track = Track::new(Line { likeness: 0.8, ..line }, &frame, 100);
        let stamp = track.stamp(&frame).expect("has letters").turning();
        track.went = (101..).zip(poses).collect();
        Moving { along, against, seen: 100, still: 40, beside: 100, ..Moving::new(track, stamp, SIZE) }
    }

    fn what(poses: impl IntoIterator<Item = Pose>, around: (usize, usize)) -> Passing {
        moving(poses, around).text().1
    }

    fn swing(frame: usize) -> Pose {
        Pose { angle: 0.1 * (frame as f32 * 0.2).sin(), ..Pose::STILL }
    }

    #[test]
    fn what_turns_is_a_text_if_the_scene_does_not() {
        let swings = || (1..60).map(swing);
        assert_eq!(what(swings(), (50, 20)), Passing::Text, "the scene goes its own way");
        assert_eq!(what(swings(), (98, 94)), Passing::Text, "it looks the same wherever it is");
        assert_eq!(what(swings(), (80, 60)), Passing::Text, "other lines of the text go along");
        assert_eq!(what(swings(), (97, 70)), Passing::Scene);
        assert!(moving(swings(), (50, 20)).text().0.needs_rim);
        // Around, and in size.
        assert_eq!(
            what((1..60).map(|frame| Pose { angle: 0.1 * frame as f32, ..Pose::STILL }), (50, 20)),
            Passing::Text
        );
        let beats = (1..60).map(|frame| Pose { scale: 1.0 + swing(frame).angle, ..Pose::STILL });
        assert_eq!(what(beats, (50, 20)), Passing::Text);
        // Too short, too little, and by chance.
        assert_eq!(what((1..15).map(swing), (50, 20)), Passing::Nothing);
        let little = (1..60).map(|frame| Pose { angle: 0.2 * swing(frame).angle, ..Pose::STILL });
        assert_eq!(what(little, (50, 20)), Passing::Nothing);
        let anyhow = (1..60).map(|frame: usize| Pose { angle: (frame * 7 % 11) as f32 * 0.02 - 0.1, ..Pose::STILL });
        assert_eq!(what(anyhow, (50, 20)), Passing::Nothing);
    }

    #[test]
    fn what_comes_and_then_stands_does_not_turn() {
        let pops = (1..=60).map(|frame| Pose { scale: 1.0 + 0.04 * frame.min(9) as f32, ..Pose::STILL });
        assert_eq!(what(pops, (50, 20)), Passing::Nothing);
        let swings = (1..=80).map(|frame| if frame <= 16 { swing(frame) } else { Pose::STILL });
        assert_eq!(what(swings, (50, 20)), Passing::Nothing);
        // It rests now and then.
        let rests = (1..=80).map(|frame| if frame % 30 < 21 { swing(frame % 30) } else { Pose::STILL });
        assert_eq!(what(rests, (50, 20)), Passing::Text);
    }

    #[test]
    fn what_scrolls_evenly_is_a_text_that_needs_no_rim() {
        let scrolls = || (1..40).map(|frame| Pose { y: -3.0 * frame as f32, ..Pose::STILL });
        let (track, passing) = moving(scrolls(), (50, 20)).text();
        assert_eq!((passing, track.needs_rim), (Passing::Text, false));
        assert_eq!(track.span().0, 64, "as far as any of it is in the picture: 36 frames of three pixels before");
        assert_eq!(what(scrolls(), (97, 70)), Passing::Nothing, "so does the scene");
        // Before an even ground both are true of it: it is one if it has a rim.
        let (track, passing) = Moving { still: 98, ..moving(scrolls(), (97, 70)) }.text();
        assert_eq!((passing, track.needs_rim), (Passing::Text, true));
        let holds = (1..40).map(|frame: usize| Pose { y: (frame * frame % 17) as f32, ..Pose::STILL });
        assert_eq!(what(holds, (50, 20)), Passing::Nothing);
    }
}
