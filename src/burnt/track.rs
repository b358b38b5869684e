//! Lines followed through time.

use std::collections::VecDeque;
use std::ops::Range;

use super::components::{Bounds, Component, Gray, Polarity};
use super::crop::Crop;
use super::lines::{Line, View, lines};
use super::moves::{LONGEST, Pose, Stamp, is_way, until_rest};
use super::whole::whole;
use crate::compose::I420Ref;

/// Lines are looked for in every third frame; whether they are still there in every one.
const EVERY: u64 = 3;
/// At every so many looks, letters that a line lacks are looked for in those that are followed, too.
const AGAIN: u16 = 5;
/// Bytes of frames that are kept to find where a line begins that is noticed late: four seconds of 1080x1920, at half size.
const KEPT: usize = 64 << 20;
/// Looks for which a letter's pixels must have been the same, besides the first one.
const STEADY: u16 = 2;
/// Code values by which a pixel of a steady picture may change: noise, and what coding does at edges.
const NOISE: u8 = 14;
/// The same for a pixel of a letter that is followed.
const SAME: u8 = 24;
/// The most pixels of a line that are compared.
const COMPARED: usize = 1_500;
/// The fewest compared pixels of a letter that is looked for by itself.
const FEWEST: usize = 12;
/// Frames in which a line may be missing between others.
const GAP: u64 = 2;
/// The fewest frames that make a text. It takes seven to nine of them to be noticed, three looks.
const SHORTEST: u64 = 6;
/// At every so many looks, lines that move are looked for: once a second.
const MOVING: u16 = 10;
/// The most lines that move and are followed at once, and how many letters each has at least.
const MOST_MOVING: usize = 8;
const MOVING_LETTERS: usize = 5;
/// The fewest frames that make a text of a line that moves, the most that it is followed for, and after how many it must have
/// moved.
const SHORTEST_WAY: usize = 20;
const LONGEST_WAY: usize = 900;
const BEGUN: usize = 6;
/// How much of a line that moves is seen at least where it was found to be exactly.
const EXACT: f32 = 0.97;
/// Pixels from the picture's edge within which a line is cut off by it.
const EDGE: usize = 3;
/// Pixels by which a line that moves may be off a straight and even way, as pictures are looked at.
const OFF_WAY: f32 = 2.5;
/// The most pixels of all lines that move, in all frames in which they do, in which masks are kept of them.
const MOST_MOVED: usize = 400_000_000;
/// The most lines that go at once and are followed.
const MOST_LEAVING: usize = 16;
/// What comes and goes in another way than at once must look so much like text.
const LIKELY: f64 = 0.45;
/// The most lines that are followed at once.
const MOST_AT_ONCE: usize = 160;
/// The most pixels that are kept of lines, of five bytes each.
const MOST_PIXELS: usize = 32_000_000;

/// A line, and the frames in which it is there.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) line: Line,
    /// The frames in which it stands still.
    pub(super) first: u64,
    pub(super) last: u64,
    /// How it is in the frames in which it comes, from the last one back.
    pub(super) came: Vec<(u64, Pose)>,
    /// How it is in those in which it goes.
    pub(super) went: Vec<(u64, Pose)>,
    /// How it looks at full size.
    pub(super) crop: Crop,
    /// Whether what is around it moves while it does not.
    pub(super) stands_out: bool,
    /// Whether it never stands still: then it has one frame in which it is where it was found.
    pub(super) is_passing: bool,
    /// Whether it is a text only if it has a rim.
    pub(super) needs_rim: bool,
    /// Pixels of its letters with their luma, letter by letter, and pixels beside them.
    inside: Vec<(u32, u8)>,
    /// Where in them each large letter's pixels are.
    letters: Vec<Range<usize>>,
    beside: Vec<u32>,
    fill: u8,
    looks: u32,
    around: Around,
}

/// What a line that is followed is to one that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// Something else, or what looks less like text.
    Apart,
    /// The same line.
    Known,
    /// A part of it.
    Grown,
}

/// How much of what is around a line has changed since it was found.
#[derive(Debug, Clone, Default)]
struct Around {
    pixels: Vec<(u32, u8)>,
    changed: usize,
}

impl Track {
    fn new(line: Line, frame: &Gray, number: u64) -> Self {
        let width = frame.width;
        let step = line.letters.iter().map(|letter| letter.area).sum::<usize>().div_ceil(COMPARED).max(1);
        let (mut inside, mut letters): (Vec<(u32, u8)>, Vec<Range<usize>>) = Default::default();
        let luma = |&pixel: &u32| (pixel, frame.samples[pixel as usize]);
        let size = frame.size();
        let area = line.bounds.grown(6, 6, size);
        let mut covered = vec![false; area.area()];
        let place = |x: usize, y: usize| (y - area.top) * area.width() + x - area.left;
        let height = line.letter_height();
        for letter in &line.letters {
            let pixels = letter.runs.iter().flat_map(|run| (run.start..run.end).map(|x| (run.y * width + x) as u32));
            let before = inside.len();
            inside.extend(pixels.step_by(step).map(|pixel| luma(&pixel)));
            if letter.bounds.height() * 3 >= height * 2 && inside.len() - before >= FEWEST {
                letters.push(before..inside.len());
            }
            for run in &letter.runs {
                covered[place(run.start, run.y)..place(run.start, run.y) + run.end - run.start].fill(true);
            }
        }
        // Three pixels from the letters: beyond their smooth edges, within their rims.
        let beside: Vec<u32> = (line.letters.iter().flat_map(|letter| &letter.runs))
            .flat_map(|run| [(run.start.wrapping_sub(3), run.y), (run.end + 2, run.y)])
            .filter(|&(x, y)| x >= area.left && x < area.right && !covered[place(x, y)])
            .map(|(x, y)| (y * width + x) as u32)
            .collect();
        let thinned = |pixels: Vec<u32>| -> Vec<u32> {
            let step = pixels.len().div_ceil(COMPARED).max(1);
            pixels.into_iter().step_by(step).collect()
        };
        let wide = line.bounds.grown(line.letter_height(), line.letter_height(), size);
        let around =
            (wide.top..wide.bottom).step_by(4).flat_map(|y| (wide.left..wide.right).step_by(4).map(move |x| (x, y)));
        let near = line.bounds.grown(8, 8, size);
        let is_outside =
            |&(x, y): &(usize, usize)| x < near.left || x >= near.right || y < near.top || y >= near.bottom;
        let around: Vec<(u32, u8)> = around.filter(is_outside).map(|(x, y)| luma(&((y * width + x) as u32))).collect();
        let mut fills: Vec<u8> = line.letters.iter().map(|letter| letter.fill).collect();
        fills.sort_unstable();
        let fill = fills[fills.len() / 2];
        Self {
            inside,
            letters,
            beside: thinned(beside),
            crop: Crop::default(),
            first: number,
            last: number,
            came: Vec::new(),
            went: Vec::new(),
            stands_out: false,
            is_passing: false,
            needs_rim: false,
            looks: 0,
            around: Around { pixels: around, changed: 0 },
            fill,
            line,
        }
    }

    /// Whether the line is in `frame`.
    fn is_in(&self, frame: &Gray) -> bool {
        let is_same = |(at, luma): &(u32, u8)| frame.samples[*at as usize].abs_diff(*luma) <= SAME;
        let count = |pixels: &[(u32, u8)]| pixels.iter().filter(|pixel| is_same(pixel)).count();
        // One letter that is another makes another text: `Week 1`, `Week 2`.
        if self.letters.iter().any(|letter| count(&self.inside[letter.clone()]) * 2 < letter.len()) {
            return false;
        }
        let same = count(&self.inside);
        let edge = self.beside.iter().filter(|&&at| frame.samples[at as usize].abs_diff(self.fill) >= 20).count();
        same * 100 >= self.inside.len() * 78 && edge * 2 >= self.beside.len()
    }

    /// What it is to a line that was found in frame `number`.
    fn meets(&self, line: &Line, number: u64) -> Meeting {
        let known = &self.line.bounds;
        let shared = line.bounds.shared(known);
        if self.last != number || shared * 2 < line.bounds.area().min(known.area()) {
            return Meeting::Apart;
        }
        let grows = line.bounds.area() * 4 > known.area() * 5 && shared * 10 >= known.area() * 9;
        let is_same = line.polarity == self.line.polarity && line.letters[0].is_like(&self.line.letters[0]);
        if grows && is_same && line.letters.len() > self.line.letters.len() {
            return Meeting::Grown;
        }
        // Of letters and their rim, or of words of two colours, either may look more like text.
        let by = if is_same { 1.1 } else { 0.6 };
        if shared * 2 >= line.bounds.area() && line.likeness <= self.line.likeness * by {
            return Meeting::Known;
        }
        Meeting::Apart
    }

    /// What it is looked for by in frames in which it comes or goes, as it is in `frame`.
    fn stamp(&self, frame: &Gray) -> Option<Stamp> {
        if self.line.likeness < LIKELY {
            return None;
        }
        let inside: Vec<u32> = self.inside.iter().map(|(at, _)| *at).collect();
        let Bounds { left, top, right, bottom } = self.line.bounds;
        let middle = ((left + right) as f32 / 2.0, (top + bottom) as f32 / 2.0);
        Stamp::new(frame, &inside, &self.letters, &self.beside, middle)
    }

    /// Without ways that are none, and without what it does where a way ends that it goes no further.
    fn without_chance(&mut self) {
        for way in [&mut self.came, &mut self.went].into_iter().filter(|_| !self.is_passing) {
            let poses: Vec<Pose> = way.iter().map(|(_, pose)| *pose).collect();
            way.truncate(if is_way(&poses) { until_rest(&poses) } else { 0 });
        }
    }

    /// Notes how much around it has changed.
    fn look_around(&mut self, frame: &Gray) {
        let pixels = &self.around.pixels;
        let changed = pixels.iter().filter(|(at, luma)| frame.samples[*at as usize].abs_diff(*luma) > SAME).count();
        self.around.changed = self.around.changed.max(changed);
        self.stands_out = self.around.changed * 4 >= pixels.len() && !pixels.is_empty();
    }
}

/// Follows lines through the frames of a video, one after the other.
pub(super) struct Tracker {
    /// How many pixels of the source a pixel of the frames is across.
    scale: usize,
    is_still: bool,
    frames: VecDeque<Gray>,
    next: u64,
    /// What each pixel was when it changed last, and the look at which it did.
    reference: Gray,
    since: Vec<u16>,
    looks: u16,
    live: Vec<Track>,
    /// Lines that stand still no longer, with what each is looked for by.
    leaving: Vec<(Track, Stamp)>,
    /// Lines that never stand still.
    moving: Vec<Moving>,
    ended: Vec<Track>,
    /// Pixels that are kept of all of them, and those of lines that move in all of their frames.
    held: usize,
    moved: usize,
    /// Whether there were more lines than are followed.
    is_cut: bool,
}

impl Tracker {
    pub(super) fn new(scale: usize, is_still: bool) -> Self {
        Self {
            scale,
            is_still,
            frames: VecDeque::new(),
            next: 0,
            reference: Gray::default(),
            since: Vec::new(),
            looks: 0,
            live: Vec::new(),
            leaving: Vec::new(),
            moving: Vec::new(),
            ended: Vec::new(),
            held: 0,
            moved: 0,
            is_cut: false,
        }
    }

    /// Takes the next frame: `frame` as it is looked at, `picture` at full size.
    pub(super) fn push(&mut self, frame: Gray, picture: &I420Ref<'_>) {
        let number = self.next;
        self.next += 1;
        let mut live = Vec::new();
        for mut track in std::mem::take(&mut self.live) {
            if track.is_in(&frame) {
                track.last = number;
            }
            if number - track.last > GAP { self.leave(track, &frame, number) } else { live.push(track) }
        }
        self.live = live;
        for (mut track, stamp) in std::mem::take(&mut self.leaving) {
            let next = follow(&stamp, &frame, &track.went).filter(|_| track.went.len() < LONGEST);
            match next {
                Some(pose) => {
                    track.went.push((number, pose));
                    self.leaving.push((track, stamp));
                }
                None => self.end(track),
            }
        }
        self.follow_moving(&frame, number, picture);
        if number.is_multiple_of(EVERY) || self.is_still {
            self.look(&frame, number, picture);
        }
        if (self.frames.len() + 1) * frame.samples.len() > KEPT {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    /// Looks for lines that are not followed yet.
    fn look(&mut self, frame: &Gray, number: u64, picture: &I420Ref<'_>) {
        self.looks = self.looks.saturating_add(1);
        if self.since.is_empty() {
            self.since = vec![self.looks; frame.samples.len()];
            self.reference = frame.clone();
        }
        let (looks, steady) = (self.looks, if self.is_still { 0 } else { STEADY });
        let old = self.reference.samples.iter_mut().zip(&mut self.since);
        for ((reference, since), &value) in old.zip(&frame.samples) {
            // Without a branch: many pixels at once.
            let has_changed = reference.abs_diff(value) > NOISE;
            *since = if has_changed { looks } else { *since };
            *reference = if has_changed { value } else { *reference };
        }
        let since = &self.since;
        let is_steady = |part: &Component| {
            let steady = |at: usize| since[at].saturating_add(steady) <= looks;
            let count = part.runs.iter().map(|run| {
                let row = run.y * frame.width;
                (row + run.start..row + run.end).filter(|&at| steady(at)).count()
            });
            count.sum::<usize>() * 100 >= part.area * 80
        };
        let view = View { gray: frame, chroma: [picture.u, picture.v], scale: self.scale };
        let is_due = self.is_still || self.looks.is_multiple_of(AGAIN);
        let is_known = |line: &Line| self.live.iter().any(|track| track.meets(line, number) == Meeting::Known);
        let found = lines(&view, is_steady).into_iter().map(|line| match is_due || !is_known(&line) {
            true => whole(line, &view, is_steady),
            false => line,
        });
        let mut found: Vec<Line> = found.collect();
        found.sort_by(|one, other| other.likeness.total_cmp(&one.likeness));
        for line in found {
            self.meet(line, frame, number);
        }
        let scale = self.scale;
        for track in self.live.iter_mut().filter(|track| track.last == number) {
            track.look_around(frame);
            // Early ones, and then ever fewer: what is behind it should change between them.
            if track.looks.is_power_of_two() || track.looks == 0 {
                track.crop.add(picture, track.line.kept(frame.size()), scale);
            }
            track.looks += 1;
        }
        if self.looks.is_multiple_of(MOVING) && !self.is_still {
            self.find_moving(&view, number, picture);
        }
    }

    /// Looks for lines that are not steady, to follow them.
    fn find_moving(&mut self, view: &View<'_>, number: u64, picture: &I420Ref<'_>) {
        let size = view.gray.size();
        for line in lines(view, |_| true) {
            if self.moving.len() >= MOST_MOVING || line.likeness < LIKELY {
                break;
            }
            let is_there = |bounds: &Bounds| bounds.shared(&line.bounds) * 2 >= line.bounds.area().min(bounds.area());
            let is_followed = self.live.iter().any(|track| is_there(&track.line.bounds))
                || self.moving.iter().any(|moving| is_there(&moving.bounds()));
            let area = line.kept(size);
            let pixels = area.area() * self.scale * self.scale;
            // What comes into the picture is found when all of it is in, as far as a word's space from the edge.
            let Bounds { left, top, right, bottom } = line.bounds;
            let space = line.letter_height();
            let is_cut = left < space || top < EDGE || right + space > size.0 || bottom + EDGE > size.1;
            if is_cut || is_followed || line.letters.len() < MOVING_LETTERS || self.held + pixels > MOST_PIXELS {
                continue;
            }
            let mut track = Track::new(line, view.gray, number);
            if let Some(stamp) = track.stamp(view.gray) {
                track.crop.add(picture, area, self.scale);
                self.held += pixels;
                self.moving.push(Moving { track, stamp, size, along: 0, seen: 0, still: 0, beside: 0 });
            }
        }
    }

    /// Goes on with the lines that move, to the frame `number`.
    fn follow_moving(&mut self, frame: &Gray, number: u64, picture: &I420Ref<'_>) {
        for mut moving in std::mem::take(&mut self.moving) {
            let pose = follow(&moving.stamp, frame, &moving.track.went);
            let way = moving.track.went.len();
            match pose.filter(|pose| way < LONGEST_WAY && (way + 1 != BEGUN || pose.is_moved())) {
                Some(pose) => {
                    moving.track.went.push((number, pose));
                    if way + 1 == BEGUN {
                        // The frame in which it was found, and those since, are kept too.
                        let passed = self.frames.iter().rev().skip(BEGUN).zip((0..moving.track.first).rev());
                        for (frame, number) in passed.take(LONGEST_WAY) {
                            let Some(pose) = follow(&moving.stamp, frame, &moving.track.came) else { break };
                            moving.track.came.push((number, pose));
                        }
                    }
                    moving.look_around(frame, pose);
                    let looks = moving.track.went.len();
                    // A pixel off, and thin strokes are lost.
                    let is_exact = pose.strength >= EXACT && !pose.is_sized();
                    // Few: coding changes what moves, and of the darkest of many nothing would be left.
                    if is_exact && matches!(looks, 8 | 24 | 48) {
                        let by = |at: f32| at as isize * self.scale as isize;
                        moving.track.crop.add_moved(picture, (by(pose.x), by(pose.y)));
                    }
                    self.moving.push(moving);
                }
                None => self.end_moving(moving),
            }
        }
    }

    /// Keeps a line that has moved over the scene for long enough.
    fn end_moving(&mut self, moving: Moving) {
        let (track, is_text) = moving.text();
        let frames = track.came.len() + track.went.len();
        let pixels = frames * track.line.kept((usize::MAX, usize::MAX)).area() * self.scale * self.scale;
        let has_room = self.moved + pixels <= MOST_MOVED;
        self.is_cut |= is_text && !has_room;
        if is_text && has_room {
            self.moved += pixels;
            self.ended.push(track);
        } else {
            self.held = self.held.saturating_sub(track.crop.pixels());
        }
    }

    /// Follows a line that was found in frame `number`, unless it is followed already.
    fn meet(&mut self, line: Line, frame: &Gray, number: u64) {
        let mut earliest = number;
        let mut replaced = Vec::new();
        for (place, track) in self.live.iter().enumerate() {
            match track.meets(&line, number) {
                Meeting::Known => return,
                // What looks more like text than what is followed there is followed as well; reading will tell.
                Meeting::Apart => (),
                Meeting::Grown => {
                    replaced.push(place);
                    earliest = earliest.min(track.first);
                }
            }
        }
        let pixels = line.kept(frame.size()).area() * self.scale * self.scale;
        let old: Vec<Track> = replaced.into_iter().rev().map(|place| self.live.remove(place)).collect();
        if !self.makes_room(&line, pixels) {
            self.live.extend(old);
            return;
        }
        let mut track = Track::new(line, frame, number);
        let back = self.frames.iter().rev().take_while(|frame| track.is_in(frame)).count() as u64;
        track.first = number - back;
        if let Some(stamp) = track.stamp(frame).filter(|_| !self.is_still) {
            for (frame, number) in
                self.frames.iter().rev().skip(back as usize).zip((0..track.first).rev()).take(LONGEST)
            {
                let Some(pose) = follow(&stamp, frame, &track.came) else { break };
                track.came.push((number, pose));
            }
        }
        if back == self.frames.len() as u64 {
            track.first = track.first.min(earliest);
            // As the part came that was there before.
            let first = track.first;
            let came = old.iter().find(|old| old.first == first).map(|old| old.came.clone());
            track.came = came.unwrap_or_default();
        }
        self.held += pixels;
        for mut old in old {
            // What was there before more came is a text of its own.
            if track.first >= old.first + SHORTEST {
                old.last = track.first - 1;
                self.end(old);
            } else {
                self.held = self.held.saturating_sub(old.crop.pixels());
            }
        }
        self.live.push(track);
    }

    /// Makes room for a line of so many pixels, in place of those that look the least like text. `false` if it is one of them.
    fn makes_room(&mut self, line: &Line, pixels: usize) -> bool {
        while self.live.len() >= MOST_AT_ONCE || self.held + pixels > MOST_PIXELS {
            self.is_cut = true;
            let is_crowded = self.live.len() >= MOST_AT_ONCE;
            let ended = self.ended.iter().filter(|_| !is_crowded);
            let least = self.live.iter().chain(ended).map(|track| track.line.likeness).min_by(f64::total_cmp);
            let Some(least) = least.filter(|least| *least < line.likeness) else { return false };
            let is_least = |track: &Track| track.line.likeness == least;
            let gone = match self.live.iter().position(is_least) {
                Some(place) => self.live.remove(place),
                None => match self.ended.iter().position(is_least) {
                    Some(place) => self.ended.remove(place),
                    None => return false,
                },
            };
            self.held = self.held.saturating_sub(gone.crop.pixels());
        }
        true
    }

    /// Follows a line that stood still until some frames before `number`, as far as it goes.
    fn leave(&mut self, mut track: Track, frame: &Gray, number: u64) {
        let is_long = track.last + 1 - track.first >= SHORTEST;
        let passed = self.frames.iter().rev().take((number - track.last) as usize).rev();
        let mut frames = passed.chain([frame]);
        let has_room = self.leaving.len() < MOST_LEAVING;
        let stamp = frames.next().filter(|_| is_long && has_room).and_then(|frame| track.stamp(frame));
        let stamp = stamp.filter(|stamp| {
            frames.zip(track.last + 1..).all(|(frame, number)| {
                let next = follow(stamp, frame, &track.went);
                track.went.extend(next.map(|pose| (number, pose)));
                next.is_some()
            })
        });
        match stamp {
            Some(stamp) => self.leaving.push((track, stamp)),
            None => self.end(track),
        }
    }

    /// Keeps a line that is gone, if it was there for long enough.
    fn end(&mut self, track: Track) {
        if track.last + 1 - track.first >= SHORTEST {
            self.ended.push(track);
        } else {
            self.held = self.held.saturating_sub(track.crop.pixels());
        }
    }

    /// All lines that were there for long enough, and whether others were left out.
    pub(super) fn finish(mut self) -> (Vec<Track>, bool) {
        self.ended.append(&mut self.live);
        let leaving = std::mem::take(&mut self.leaving).into_iter();
        self.ended.extend(leaving.map(|(track, _)| track));
        let shortest = if self.is_still { 1 } else { SHORTEST };
        self.ended.iter_mut().for_each(Track::without_chance);
        for moving in std::mem::take(&mut self.moving) {
            self.end_moving(moving);
        }
        self.ended.retain(|track| track.is_passing || track.last + 1 - track.first >= shortest);
        (self.ended, self.is_cut)
    }
}

/// A line that never stands still, by how it is where it was found: its track has that one frame, and its ways have the others.
struct Moving {
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
    /// Where it is now.
    fn bounds(&self) -> Bounds {
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
    fn text(mut self) -> (Track, bool) {
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
        (Track { is_passing: true, needs_rim: is_unsure, ..self.track }, is_text && (is_over || is_unsure))
    }
}

/// How a line is in the next frame of its way.
fn follow(stamp: &Stamp, frame: &Gray, way: &[(u64, Pose)]) -> Option<Pose> {
    let poses: Vec<Pose> = way.iter().rev().take(2).rev().map(|(_, pose)| *pose).collect();
    stamp.follow(frame, &poses)
}

impl Line {
    /// What is kept of it: with what is around it.
    fn kept(&self, size: (usize, usize)) -> Bounds {
        let height = self.letter_height();
        // To the sides as far as an emoji after a space, and the end of a box.
        self.bounds.grown(height * 3 + 4, height * 9 / 10 + 4, size)
    }

    /// Where it is in a picture that is `scale` times as large.
    pub(super) fn place(&self, scale: usize) -> Bounds {
        let Bounds { left, top, right, bottom } = self.bounds;
        Bounds { left: left * scale, top: top * scale, right: right * scale, bottom: bottom * scale }
    }

    pub(super) fn is_light(&self) -> bool {
        self.polarity == Polarity::Light
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::Run;

    const SIZE: (usize, usize) = (300, 200);

    /// A line of letters that are 10 by 20 pixels, 14 apart.
    fn line((left, top): (usize, usize), letters: usize, fill: u8, likeness: f64) -> Line {
        let letter = |number: usize| {
            let bounds = Bounds { left: left + number * 14, top, right: left + number * 14 + 10, bottom: top + 20 };
            let runs = (top..top + 20).map(|y| Run { y, start: bounds.left, end: bounds.right }).collect();
            Component { bounds, runs, area: 200, fill, chroma: [128; 2] }
        };
        let polarity = if fill > 128 { Polarity::Light } else { Polarity::Dark };
        let line = Line::of((0..letters).map(letter).collect(), polarity).expect("has letters");
        Line { likeness, ..line }
    }

    fn meeting(known: Line, found: &Line) -> Meeting {
        let frame = Gray { samples: vec![128; SIZE.0 * SIZE.1], width: SIZE.0, height: SIZE.1 };
        Track::new(known, &frame, 7).meets(found, 7)
    }

    #[test]
    fn a_line_is_known_by_one_of_its_colour_and_grows() {
        let known = || line((40, 50), 6, 230, 0.5);
        assert_eq!(meeting(known(), &line((40, 50), 6, 230, 0.5)), Meeting::Known);
        assert_eq!(meeting(known(), &line((54, 50), 3, 230, 0.3)), Meeting::Known);
        assert_eq!(meeting(known(), &line((12, 50), 10, 230, 0.7)), Meeting::Grown);
        assert_eq!(meeting(known(), &line((40, 90), 6, 230, 0.5)), Meeting::Apart);
        assert_eq!(meeting(known(), &line((40, 50), 6, 230, 0.6)), Meeting::Apart, "it looks more like text");
    }

    #[test]
    fn neither_a_rim_nor_a_speck_nor_words_of_another_colour_keep_a_line_away() {
        // Rims look as much like text as letters do.
        assert_eq!(meeting(line((40, 50), 6, 20, 0.6), &line((40, 50), 6, 230, 0.5)), Meeting::Apart);
        assert_eq!(meeting(line((40, 50), 6, 20, 0.9), &line((40, 50), 6, 230, 0.3)), Meeting::Known);
        assert_eq!(meeting(line((40, 50), 9, 170, 0.55), &line((40, 50), 3, 235, 0.5)), Meeting::Apart);
        // A small one within, in a colour of its own.
        assert_eq!(meeting(line((60, 55), 2, 170, 0.9), &line((40, 50), 9, 235, 0.4)), Meeting::Apart);
    }
}
