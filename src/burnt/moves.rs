//! How a line comes and goes: the frames in which it fades, or is somewhere else, or of another size, than where it stands; and how
//! one is turned that never stands still.
//!
//! Its letters are looked for by the difference in luma between pixels in them and pixels just beside them, which lie among
//! each other: what else is there makes nearly none.

use std::ops::Range;

use super::components::{Bounds, Gray};

/// The most frames that a line takes to come, or to go.
pub(super) const LONGEST: usize = 45;
/// The fewest letters that are told from what is there by chance.
const FEWEST_LETTERS: usize = 4;
/// The points of each kind by which a line is looked for, and those by which it is known.
const SEARCHED: usize = 150;
const KNOWN: usize = 600;
/// Pixels by which a line that stood still is looked for, and at least one that moves.
const FIRST_REACH: i32 = 24;
const REACH: i32 = 6;
/// The weakest that a fading line is seen; and one that also moves, if what is behind it makes its letters uneven.
const FAINT: f32 = 0.07;
const WEAK: f32 = 0.15;
/// Of what it was in the frame beside, a line that fades has at least so much left, and one that begins to move.
const LEFT: f32 = 0.3;
const LEFT_UNKNOWN: f32 = 0.6;
/// By how much less a letter may be seen, for what is behind it.
const UNEVEN: f32 = 0.1;
/// A line that fades without moving for some frames is seen by at least so much less in the end.
const FADED: f32 = 0.2;
/// By how much stronger it is where it has another size than it should have.
const RATHER: f32 = 1.02;
/// By how much less or more it is seen for that while, at most.
const STAYS: f32 = 0.03;
/// Pixels that a line moves by at its ends where its size changes by all of it: half the length of a short one.
const SIZED: f32 = 100.0;
/// Pixels by which it may be found beside where it is.
const UNSURE: f32 = 1.5;
/// How much of a line is seen that neither comes nor goes, and in how many frames.
const WHOLE: f32 = 0.9;
const AT_REST: usize = 3;
/// Sizes, as parts of what it is, in which a line that stood still is looked for.
const SIZES: [f32; 7] = [1.0, 0.97, 0.94, 0.9, 1.03, 1.06, 1.1];
/// The smallest and the largest.
const SMALLEST: f32 = 0.25;
const LARGEST: f32 = 2.0;
/// Angles, in radians, by which a line that turns may have turned in the first frame, up to a whole turn in a second; and by which
/// it may be off the way that it takes then, from the widest steps to the smallest.
const ANGLES: [f32; 5] = [0.03, 0.06, 0.1, 0.15, 0.21];
const ANGLES_OFF: [f32; 3] = [0.02, 0.04, 0.06];
const ANGLES_EXACT: [f32; 2] = [0.01, 0.005];
/// Pixels by which a line is moved that has turned by then, about a middle that is not its own.
const TURNING_REACH: i32 = 12;
/// How much of a line is seen at least where it was before, as a part of the most, so that it has not moved; and of one that is
/// followed wherever it goes.
const STANDS: f32 = 0.85;
const STANDS_EXACT: f32 = 0.97;

/// How a line is in a frame, by how it is where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    /// Pixels by which its middle is further right and down, as pictures are looked at.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Its size as a part of what it is.
    pub(super) scale: f32,
    /// Radians by which it is turned further, clockwise.
    pub(super) angle: f32,
    /// How much of it is seen, 0 to 1.
    pub(super) strength: f32,
}

impl Pose {
    pub(super) const STILL: Self = Self { x: 0.0, y: 0.0, scale: 1.0, angle: 0.0, strength: 1.0 };

    /// Whether it is elsewhere, of another size or turned.
    pub(super) fn is_moved(&self) -> bool {
        self.x.abs().max(self.y.abs()) > 1.0 || self.is_sized() || self.is_turned()
    }

    /// Whether it is turned: by two pixels at the end of a long line.
    pub(super) fn is_turned(&self) -> bool {
        self.angle.abs() > 0.007
    }

    /// By how much more than the middle of the line a point of it is further right and down, which is this far from that middle where
    /// it stands.
    fn turned(&self, (x, y): Point) -> Point {
        let (sin, cos) = self.angle.sin_cos();
        (self.scale * (x * cos - y * sin), self.scale * (x * sin + y * cos))
    }

    /// As far the other way.
    pub(super) fn back(&self) -> Self {
        Self { x: -self.x, y: -self.y, scale: 1.0 / self.scale, angle: -self.angle, ..*self }
    }

    /// Where a point is that is at `point` where the line stands, whose middle is `middle`.
    pub(super) fn place(&self, (x, y): Point, middle: Point) -> Point {
        let (right, down) = self.turned((x - middle.0, y - middle.1));
        (middle.0 + right + self.x, middle.1 + down + self.y)
    }

    /// What is around the corners of `own` in this pose, in pictures that are `by` times as large as those that are looked at and have
    /// this size; `own` and the `middle` that the line turns about in pixels of theirs.
    pub(super) fn bounds(&self, own: Bounds, middle: Point, by: usize, (width, height): (usize, usize)) -> Bounds {
        let Bounds { left, top, right, bottom } = own;
        let scaled = Self { x: self.x * by as f32, y: self.y * by as f32, ..*self };
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
        let corners = corners.map(|(x, y)| scaled.place((x as f32, y as f32), middle));
        let side = |of: fn(&Point) -> f32, start: f32, pick: fn(f32, f32) -> f32, most: usize| {
            corners.iter().map(of).fold(start, pick).round().clamp(0.0, most as f32) as usize
        };
        Bounds {
            left: side(|corner| corner.0, f32::MAX, f32::min, width),
            top: side(|corner| corner.1, f32::MAX, f32::min, height),
            right: side(|corner| corner.0, f32::MIN, f32::max, width),
            bottom: side(|corner| corner.1, f32::MIN, f32::max, height),
        }
    }

    /// Where a point is where the line stands that is at `point` in this pose.
    pub(super) fn origin(&self, (x, y): Point, middle: Point) -> Point {
        let (right, down) = (x - middle.0 - self.x, y - middle.1 - self.y);
        let (sin, cos) = self.angle.sin_cos();
        let by = 1.0 / self.scale;
        (middle.0 + by * (right * cos + down * sin), middle.1 + by * (down * cos - right * sin))
    }

    /// Whether it is of another size.
    pub(super) fn is_sized(&self) -> bool {
        (self.scale - 1.0).abs() > 0.015
    }
}

/// Whether these poses, from where a line stands on, are those of one that comes or goes: what is there by chance is as strong
/// in all frames, and another line that differs by a letter is seen whole.
pub(super) fn is_way(way: &[Pose]) -> bool {
    let is_whole = |pose: &&Pose| !pose.is_moved() && pose.strength >= WHOLE;
    if way.iter().filter(is_whole).count() >= AT_REST {
        return false;
    }
    let moved = way.iter().filter(|pose| pose.is_moved()).count();
    let ends = way.first().zip(way.last()).map_or(0.0, |(first, last)| first.strength - last.strength);
    if moved > 0 && moved * 2 >= way.len() && !leads_away(way, ends) {
        return false;
    }
    way.len() < 3 || moved * 2 >= way.len() || ends >= FADED
}

/// Whether a line that moves in these poses goes somewhere: what is there by chance is now here, now there. What goes a little beyond
/// its place and back ends at least half of its whole way from where it began. `ends`: by how much less it is seen in the end.
fn leads_away(way: &[Pose], ends: f32) -> bool {
    let apart =
        |one: &Pose, other: &Pose| (one.x - other.x).hypot(one.y - other.y) + SIZED * (one.scale - other.scale).abs();
    let steps = std::iter::once(&Pose::STILL).chain(way).zip(way).map(|(one, other)| apart(one, other));
    // What fades is found now a pixel more to the left, now to the right.
    let whole: f32 = steps.filter(|step| *step > UNSURE).sum();
    let away = way.last().map_or(0.0, |last| apart(&Pose::STILL, last));
    2.0 * away >= whole && (away >= 2.0 * UNSURE || ends >= FADED)
}

/// How many of these poses change: a line that comes or goes does so all the time, and what stays as much like it for a while is
/// something else in its place, such as another word.
pub(super) fn until_stay(way: &[Pose]) -> usize {
    let stays = |poses: &[Pose]| {
        let [first, ..] = poses else { return false };
        poses.iter().all(|pose| {
            (pose.x, pose.y, pose.scale) == (first.x, first.y, first.scale)
                && (pose.strength - first.strength).abs() <= STAYS
        })
    };
    way.windows(2 * AT_REST).position(stays).unwrap_or(way.len())
}

/// How many of these poses lead to where the line stands next, if it does.
pub(super) fn until_rest(way: &[Pose]) -> usize {
    let Some(last) = way.last().filter(|last| last.is_moved()) else { return way.len() };
    let is_there = |pose: &&Pose| {
        let off = (pose.x - last.x).abs().max((pose.y - last.y).abs());
        off <= 1.0 && (pose.scale - last.scale).abs() <= 0.015 && pose.strength >= WHOLE
    };
    let rests = way.iter().rev().take_while(is_there).count();
    if rests >= 2 * AT_REST { way.len() - rests } else { way.len() }
}

/// A point by which a line is known, from its middle.
pub(super) type Point = (f32, f32);

/// What a line is looked for by.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    middle: Point,
    inside: Vec<Point>,
    /// Where in them each large letter's points are, and by how much its luma is above what is beside the line.
    letters: Vec<(Range<usize>, f32)>,
    beside: Vec<Point>,
    /// The difference in luma where all of it is seen.
    full: f32,
    /// Whether it is looked for at other angles, too, and exactly.
    turns: bool,
}

impl Stamp {
    /// Of a line as it is in `frame`: places of pixels in it, those of each of its letters, and of pixels beside it. `None` if
    /// there is too little to know it by.
    pub(super) fn new(
        frame: &Gray,
        inside: &[u32],
        letters: &[Range<usize>],
        beside: &[u32],
        middle: Point,
    ) -> Option<Self> {
        if letters.len() < FEWEST_LETTERS || beside.is_empty() {
            return None;
        }
        let mean = |places: &[u32]| {
            let sum = places.iter().map(|&at| f32::from(frame.samples[at as usize])).sum::<f32>();
            sum / places.len().max(1) as f32
        };
        let point = |at: &u32| {
            let at = *at as usize;
            ((at % frame.width) as f32 - middle.0, (at / frame.width) as f32 - middle.1)
        };
        let around = mean(beside);
        // Every so many points of each letter.
        let step = inside.len().div_ceil(KNOWN).max(1);
        let (mut points, mut parts) = (Vec::new(), Vec::new());
        for letter in letters {
            let own = &inside[letter.clone()];
            let first = points.len();
            points.extend(own.iter().step_by(step).map(point));
            parts.push((first..points.len(), mean(own) - around));
        }
        let all: Vec<u32> = letters.iter().flat_map(|letter| &inside[letter.clone()]).copied().collect();
        let full = mean(&all) - around;
        let step = beside.len().div_ceil(KNOWN).max(1);
        let beside = beside.iter().step_by(step).map(point).collect();
        (full.abs() >= 20.0).then_some(Self { middle, inside: points, letters: parts, beside, full, turns: false })
    }

    /// The same for a line that may turn.
    pub(super) fn turning(self) -> Self {
        Self { turns: true, ..self }
    }

    /// As [`Stamp::follow`], for a way with the frames' numbers.
    pub(super) fn next(&self, frame: &Gray, way: &[(u64, Pose)]) -> Option<Pose> {
        let last: Vec<Pose> = way[way.len().saturating_sub(2)..].iter().map(|(_, pose)| *pose).collect();
        self.follow(frame, &last)
    }

    /// How the line is in the frame that is next on its way, which leads away from where it stands; `None` if it is not seen.
    fn follow(&self, frame: &Gray, way: &[Pose]) -> Option<Pose> {
        let last = way.last().copied().unwrap_or(Pose::STILL);
        let before = way.len().checked_sub(2).map_or(Pose::STILL, |at| way[at]);
        let (speed_x, speed_y, growth, spin) = match way.is_empty() {
            true => (0.0, 0.0, 0.0, 0.0),
            false => (last.x - before.x, last.y - before.y, last.scale - before.scale, last.angle - before.angle),
        };
        let reach = match way.is_empty() {
            true => FIRST_REACH,
            false => (REACH + (0.75 * speed_x.abs().max(speed_y.abs())) as i32).min(FIRST_REACH),
        };
        let guess = Pose {
            x: last.x + speed_x,
            y: last.y + speed_y,
            // What shrinks to nothing is not seen any more.
            scale: (last.scale + growth).clamp(SMALLEST, LARGEST),
            angle: last.angle + spin,
            ..last
        };
        let sizes: Vec<f32> = match way {
            [] => SIZES.to_vec(),
            _ => [0.0, -0.02, 0.02, -0.04, 0.04, -0.06, 0.06].map(|by| guess.scale + by).to_vec(),
        };
        let mut best = Pose { strength: 0.0, ..last };
        for &scale in sizes.iter().filter(|scale| (SMALLEST..=LARGEST).contains(*scale)) {
            // Of another size it is still near.
            let reach = if scale == sizes[0] { reach } else { reach.min(REACH) };
            let found = self.search(frame, Pose { scale, ..guess }, (reach, 2, SEARCHED));
            if found.strength > best.strength * if scale == sizes[0] { 1.0 } else { RATHER } {
                best = found;
            }
        }
        if self.turns {
            let (angles, reach) = if way.is_empty() { (&ANGLES[..], TURNING_REACH) } else { (&ANGLES_OFF[..], REACH) };
            for angle in angles.iter().flat_map(|by| [guess.angle - by, guess.angle + by]) {
                let found = self.search(frame, Pose { angle, ..guess }, (reach, 2, SEARCHED));
                if found.strength > best.strength * RATHER {
                    best = found;
                }
            }
        }
        let by_size = best;
        best.strength = 0.0;
        for by in [0.0, -0.01, 0.01] {
            let found = self.search(frame, Pose { scale: by_size.scale + by, ..by_size }, (1, 1, KNOWN));
            if found.strength > best.strength * if by == 0.0 { 1.0 } else { RATHER } {
                best = found;
            }
        }
        for by in ANGLES_EXACT.into_iter().filter(|_| self.turns) {
            for angle in [best.angle - by, best.angle + by] {
                let found = self.search(frame, Pose { angle, ..best }, (1, 1, KNOWN));
                if found.strength > best.strength {
                    best = found;
                }
            }
        }
        // What only fades stays where it is.
        let still = self.search(frame, last, (0, 1, KNOWN));
        if still.strength >= best.strength * if self.turns { STANDS_EXACT } else { STANDS } {
            best = still;
        }
        let has_moved = (best.x, best.y, best.scale, best.angle) != (last.x, last.y, last.scale, last.angle);
        // On its way it is looked for in few places.
        let is_begun = way.len() >= 2;
        let left = if has_moved && !is_begun { LEFT_UNKNOWN } else { LEFT };
        let is_known = !has_moved || (is_begun && best.strength >= WEAK);
        let is_likely = best.strength >= FAINT.max(left * last.strength) && best.strength <= 0.1 + 1.5 * last.strength;
        let found = Pose { strength: best.strength.min(1.0), ..best };
        (is_likely && self.is_whole(frame, found, is_known)).then_some(found)
    }

    /// The strongest at most `reach` pixels from `guess`.
    fn search(&self, frame: &Gray, guess: Pose, (reach, step, points): (i32, i32, usize)) -> Pose {
        let mut best = Pose { strength: 0.0, ..guess };
        let offsets = |all: &[Point]| -> Vec<(i32, i32)> {
            let skipped = all.len().div_ceil(points).max(1);
            let place = |&point: &Point| {
                let (right, down) = guess.turned(point);
                ((self.middle.0 + right).round() as i32, (self.middle.1 + down).round() as i32)
            };
            all.iter().step_by(skipped).map(place).collect()
        };
        let (inside, beside) = (offsets(&self.inside), offsets(&self.beside));
        let (x, y) = (guess.x.round() as i32, guess.y.round() as i32);
        for down in (-reach..=reach).step_by(step as usize) {
            for across in (-reach..=reach).step_by(step as usize) {
                let shift = (x + across, y + down);
                let means = mean(frame, &inside, shift).zip(mean(frame, &beside, shift));
                let strength = means.map_or(0.0, |(inside, beside)| (inside - beside) / self.full);
                if strength > best.strength {
                    best = Pose { x: shift.0 as f32, y: shift.1 as f32, strength, ..guess };
                }
            }
        }
        best
    }

    /// Whether each of its letters is seen as the others are; `is_known`: whether it was looked for in few places.
    fn is_whole(&self, frame: &Gray, pose: Pose, is_known: bool) -> bool {
        let least = 0.5 * pose.strength - if is_known { UNEVEN } else { 0.0 };
        let place = |&point: &Point| {
            let (right, down) = pose.turned(point);
            ((self.middle.0 + right + pose.x).round() as i32, (self.middle.1 + down + pose.y).round() as i32)
        };
        let beside: Vec<(i32, i32)> = self.beside.iter().map(place).collect();
        let Some(around) = mean(frame, &beside, (0, 0)) else { return false };
        let (mut seen, mut even) = (0, 0);
        for (points, full) in &self.letters {
            let points: Vec<(i32, i32)> = self.inside[points.clone()].iter().map(place).collect();
            // Those beyond the picture's edge are not seen.
            if let Some(luma) = mean(frame, &points, (0, 0)) {
                seen += 1;
                even += usize::from((luma - around) / full >= least);
            }
        }
        seen >= FEWEST_LETTERS.min(self.letters.len()) && even * 20 >= seen * 17
    }
}

/// The mean luma of these points, moved; `None` if most of them lie beyond the frame's edge.
fn mean(frame: &Gray, points: &[(i32, i32)], (x, y): (i32, i32)) -> Option<f32> {
    let (width, height) = (frame.width as i32, frame.height as i32);
    let (mut sum, mut count) = (0u32, 0usize);
    for &(left, top) in points {
        let (x, y) = (left + x, top + y);
        if (0..width).contains(&x) && (0..height).contains(&y) {
            sum += u32::from(frame.samples[y as usize * frame.width + x as usize]);
            count += 1;
        }
    }
    (count > 0 && count * 3 >= points.len()).then(|| sum as f32 / count as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 160);
    /// Strokes of letters, as their rows and columns in parts of a letter of 12 by 18 pixels.
    const LETTERS: [&[(usize, usize, usize, usize)]; 4] = [
        &[(0, 18, 0, 4), (14, 18, 0, 12)],
        &[(0, 4, 0, 12), (0, 18, 4, 8)],
        &[(0, 18, 0, 4), (0, 18, 8, 12), (7, 11, 0, 12)],
        &[(0, 4, 0, 12), (14, 18, 0, 12), (0, 18, 0, 4)],
    ];

    /// Where the word of these letters has its pixels; and those two to three pixels beside them.
    fn word(letters: &[usize]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let mut inside = Vec::new();
        for (number, &letter) in letters.iter().enumerate() {
            let mut pixels: Vec<u32> = Vec::new();
            for &(top, bottom, left, right) in LETTERS[letter] {
                for (y, x) in (top..bottom).flat_map(|y| (left..right).map(move |x| (y, x))) {
                    pixels.push(((70 + y) * SIZE.0 + 100 + 18 * number + x) as u32);
                }
            }
            pixels.sort_unstable();
            pixels.dedup();
            inside.push(pixels);
        }
        let all: Vec<u32> = inside.concat();
        let beside = all.iter().flat_map(|&at| [at - 3, at + 3]).filter(|at| !all.contains(at)).collect();
        (inside, beside)
    }

    /// A smooth scene with the word in luma 235, moved, of another size, and seen so much.
    fn frame(letters: &[usize], pose: Pose) -> Gray {
        let mut samples: Vec<u8> =
            (0..SIZE.0 * SIZE.1).map(|at| 70 + (at % SIZE.0 / 8 + at / SIZE.0 / 5) as u8 % 40).collect();
        let middle = middle(letters);
        let inside = word(letters).0.concat();
        for (at, sample) in samples.iter_mut().enumerate() {
            let (x, y) = pose.origin(((at % SIZE.0) as f32, (at / SIZE.0) as f32), middle);
            let (x, y) = (x.round() as u32, y.round() as u32);
            if inside.contains(&(y * SIZE.0 as u32 + x)) {
                *sample = (f32::from(*sample) + (235.0 - f32::from(*sample)) * pose.strength) as u8;
            }
        }
        Gray { samples, width: SIZE.0, height: SIZE.1 }
    }

    fn middle(letters: &[usize]) -> (f32, f32) {
        (100.0 + (18 * letters.len() - 6) as f32 / 2.0, 79.0)
    }

    fn stamp(letters: &[usize]) -> Stamp {
        let (parts, beside) = word(letters);
        let mut ranges = Vec::new();
        let mut start = 0;
        for part in &parts {
            ranges.push(start..start + part.len());
            start += part.len();
        }
        let whole = frame(letters, Pose::STILL);
        Stamp::new(&whole, &parts.concat(), &ranges, &beside, middle(letters)).expect("has letters")
    }

    const WORD: [usize; 6] = [0, 1, 2, 3, 0, 2];

    #[test]
    fn a_line_is_followed_where_it_goes() {
        let stamp = stamp(&WORD);
        let seen = |pose: Pose, way: &[Pose]| stamp.follow(&frame(&WORD, pose), way);
        let near = |found: Option<Pose>, meant: Pose| {
            let found = found.expect("is seen");
            let off = (found.x - meant.x).abs().max((found.y - meant.y).abs());
            assert!(off <= 1.0 && (found.scale - meant.scale).abs() <= 0.021, "{found:?} is not {meant:?}");
            assert!((found.strength - meant.strength).abs() < 0.15, "{found:?} is not {meant:?}");
        };
        // It fades where it is.
        let faded = |strength: f32| Pose { strength, ..Pose::STILL };
        near(seen(faded(0.6), &[]), faded(0.6));
        near(seen(faded(0.2), &[faded(0.6)]), faded(0.2));
        assert_eq!(seen(faded(0.0), &[faded(0.2)]), None);
        // It slides, ever faster.
        let slid = |x: f32, y: f32| Pose { x, y, ..Pose::STILL };
        near(seen(slid(-20.0, 6.0), &[]), slid(-20.0, 6.0));
        near(seen(slid(-60.0, 20.0), &[slid(-20.0, 6.0)]), slid(-60.0, 20.0));
        assert_eq!(seen(slid(-60.0, 20.0), &[]), None, "it is too far from where it stands");
        // It grows, and comes into the picture.
        let sized = |scale: f32| Pose { scale, ..Pose::STILL };
        near(seen(sized(0.9), &[]), sized(0.9));
        near(seen(sized(0.8), &[sized(0.9)]), sized(0.8));
        near(seen(slid(0.0, -74.0), &[slid(0.0, -44.0), slid(0.0, -59.0)]), slid(0.0, -74.0));
        // It fades while it slides: by as much as a picture of ten a second does from one to the next, once its way is known.
        let both = |x: f32, strength: f32| Pose { x, strength, ..Pose::STILL };
        near(seen(both(-30.0, 0.35), &[both(-14.0, 0.8), both(-22.0, 0.7)]), both(-30.0, 0.35));
        assert_eq!(seen(both(-14.0, 0.35), &[]), None);
    }

    #[test]
    fn a_line_that_turns_is_followed_around() {
        let turning = stamp(&WORD).turning();
        let mut way: Vec<Pose> = Vec::new();
        for step in 1..=40 {
            // Faster and faster, all around, while it drifts away.
            let meant = Pose { x: step as f32, angle: 0.004 * (step * step) as f32, ..Pose::STILL };
            let found = turning.follow(&frame(&WORD, meant), &way).expect("is seen");
            assert!((found.angle - meant.angle).abs() <= 0.02, "{found:?} is not {meant:?}");
            assert!((found.x - meant.x).abs().max((found.y - meant.y).abs()) <= 1.0, "{found:?} is not {meant:?}");
            way.push(found);
        }
        // By a large angle at once, and as what only slides or fades.
        let turned = Pose { angle: -0.15, ..Pose::STILL };
        let found = turning.follow(&frame(&WORD, turned), &[]).expect("is seen");
        assert!((found.angle - turned.angle).abs() <= 0.02, "{found:?}");
        assert!(stamp(&WORD).follow(&frame(&WORD, turned), &[]).is_none_or(|found| found.angle == 0.0));
        let slid = Pose { x: 9.0, ..Pose::STILL };
        let found = turning.follow(&frame(&WORD, slid), &[]).expect("is seen");
        assert_eq!((found.x, found.angle), (9.0, 0.0));
    }

    #[test]
    fn places_in_a_pose_lead_back() {
        let pose = Pose { x: 7.0, y: -3.0, scale: 1.3, angle: 0.7, strength: 1.0 };
        let middle = (50.0, 20.0);
        let (x, y) = pose.place((80.0, 20.0), middle);
        let (sin, cos) = 0.7f32.sin_cos();
        assert!((x - (57.0 + 39.0 * cos)).abs() < 1e-3 && (y - (17.0 + 39.0 * sin)).abs() < 1e-3, "clockwise: {x} {y}");
        let (x, y) = pose.origin((x, y), middle);
        assert!((x - 80.0).abs() < 1e-3 && (y - 20.0).abs() < 1e-3);
        // What stands still and turns the other way is as far on the other side.
        let turned = Pose { angle: 0.4, ..Pose::STILL };
        let (there, back) = (turned.place((80.0, 20.0), middle), turned.back().place((80.0, 20.0), middle));
        assert!((there.0 - back.0).abs() < 1e-3 && (there.1 - 20.0 + back.1 - 20.0).abs() < 1e-3);
        // Around a line of 60 by 10 that is upright now, at twice the size and within the picture.
        let own = Bounds { left: 40, top: 30, right: 160, bottom: 50 };
        let upright = Pose { angle: std::f32::consts::FRAC_PI_2, ..Pose::STILL };
        let middle = (100.0, 40.0);
        assert_eq!(upright.bounds(own, middle, 2, (400, 400)), Bounds { left: 90, top: 0, right: 110, bottom: 100 });
        assert_eq!(
            Pose { x: 10.0, ..upright }.bounds(own, middle, 2, (120, 400)),
            Bounds { left: 110, top: 0, right: 120, bottom: 100 }
        );
    }

    #[test]
    fn what_is_as_strong_in_all_frames_is_no_way() {
        let way = |strengths: &[f32]| {
            is_way(&strengths.iter().map(|&strength| Pose { strength, ..Pose::STILL }).collect::<Vec<_>>())
        };
        assert!(way(&[]) && way(&[0.5]) && way(&[0.7, 0.3]) && way(&[0.8, 0.6, 0.4, 0.2]));
        assert!(!way(&[0.4, 0.35, 0.4, 0.38, 0.36]));
        // `Day 1`, which fades in, before `Day 2`.
        assert!(!way(&[0.97, 0.96, 0.98, 0.97, 0.8, 0.5, 0.2]));
        let moved = |x: f32| Pose { x, ..Pose::STILL };
        assert!(is_way(&[moved(3.0), moved(9.0), moved(20.0)]));
        // Beyond where it stands, and back; and what is now here, now there.
        assert!(is_way(&[3.0, 5.0, 2.0, -10.0, -40.0].map(moved)) && !is_way(&[6.0, -4.0, 8.0, -2.0, 5.0].map(moved)));
        // A pixel beside its way, on a way of eight.
        assert!(is_way(&[2.0, 3.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0, 4.0, 5.0, 6.0, 7.0, 6.0, 7.0, 8.0].map(moved)));
        // A pixel beside its place all the time: only if it fades.
        let beside = |frame: usize, strength: f32| Pose { strength, ..moved(1.0 + (frame % 2) as f32) };
        assert!(!is_way(&(0..9).map(|frame| beside(frame, 0.9)).collect::<Vec<_>>()));
        assert!(is_way(&(0..9).map(|frame| beside(frame, 0.9 - 0.05 * frame as f32)).collect::<Vec<_>>()));
        let sized = |scale: f32| Pose { scale, ..Pose::STILL };
        assert!(is_way(&[1.04, 1.06, 0.9, 0.6, 0.3].map(sized)) && !is_way(&[0.94, 1.05, 0.97, 1.06].map(sized)));
    }

    #[test]
    fn what_stays_for_a_while_is_something_else() {
        let way = |strengths: &[f32]| {
            until_stay(&strengths.iter().map(|&strength| Pose { strength, ..Pose::STILL }).collect::<Vec<_>>())
        };
        // Another word in its place; one that fades before it; a fade of ten pictures a second, and a slow one.
        assert_eq!(way(&[0.72; 9]), 0);
        assert_eq!(way(&[0.9, 0.6, 0.3, 0.41, 0.4, 0.42, 0.4, 0.4, 0.41]), 3);
        assert_eq!(way(&[0.8, 0.8, 0.8, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2]), 9);
        assert_eq!(way(&(0..40).map(|frame| 0.9 - 0.02 * frame as f32).collect::<Vec<_>>()), 40);
        assert_eq!(until_stay(&(0..9).map(|x| Pose { x: x as f32, ..Pose::STILL }).collect::<Vec<_>>()), 9);
        assert_eq!(way(&[]), 0);
    }

    #[test]
    fn a_way_ends_where_the_line_stands_next() {
        let moved = |x: f32| Pose { x, ..Pose::STILL };
        let way = [&[moved(10.0), moved(20.0), moved(28.0)], &[moved(30.0); 7][..]].concat();
        assert_eq!(until_rest(&way), 3);
        assert_eq!(until_rest(&way[..6]), 6, "it may go on");
        assert_eq!(until_rest(&[Pose { strength: 0.2, ..Pose::STILL }; 9]), 9);
    }

    #[test]
    fn what_is_there_by_chance_is_not_taken_for_it() {
        let stamp = stamp(&WORD);
        assert_eq!(stamp.follow(&frame(&[3, 2, 1, 0, 3, 1], Pose::STILL), &[]), None, "another word");
        let noise = |seed: usize| Gray {
            samples: (0..SIZE.0 * SIZE.1).map(|at| ((at * 7_919 + seed * 104_729) % 251) as u8).collect(),
            width: SIZE.0,
            height: SIZE.1,
        };
        assert!((0..8).all(|seed| stamp.follow(&noise(seed), &[]).is_none()));
        // Two letters could be anything.
        let (parts, beside) = word(&[0, 1]);
        let ranges = [0..parts[0].len(), parts[0].len()..parts[0].len() + parts[1].len()];
        assert!(Stamp::new(&frame(&[0, 1], Pose::STILL), &parts.concat(), &ranges, &beside, (118.0, 79.0)).is_none());
    }
}
