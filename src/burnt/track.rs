//! Lines followed through time.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::f32::consts::FRAC_PI_2;
use std::ops::Range;

use super::components::{Bounds, Component, Gray, Polarity};
use super::crop::Crop;
use super::lines::{Line, View, lines};
use super::moves::{LONGEST, Point, Pose, Stamp, is_way, until_rest, until_stay};
use super::passing::{Moving, Passing};
use super::tilt::{is_level, is_parallel};
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
pub(super) const SAME: u8 = 24;
/// The most pixels of a line that are compared.
const COMPARED: usize = 1_500;
/// The fewest compared pixels of a letter that is looked for by itself.
const FEWEST: usize = 12;
/// Frames in which a line may be missing between others.
const GAP: u64 = 2;
/// The fewest frames that make a text. It takes seven to nine of them to be noticed, three looks.
const SHORTEST: u64 = 6;
/// At every so many looks, lines that move are looked for: at 0.7 s, since what swings does so once or twice a second, and would be
/// found where it is as much askew each time.
const MOVING: u16 = 7;
/// At every so many looks, from the first one on at which anything is known to be steady, lines that are set at an angle are looked for:
/// twice a second.
const TILTED: u16 = 5;
/// The most lines that move and are followed at once, and how many letters each has at least.
const MOST_MOVING: usize = 8;
const MOVING_LETTERS: usize = 5;
/// Frames for which at most a scene stands still where it turns back.
const TURNS_BACK: u64 = 30;
/// The most lines of a scene that turns that are kept, without their pictures.
const MOST_TURNING: usize = 64;
/// Pixels beyond a letter that its rim takes at most.
const RIM: usize = 6;
/// Pixels from the picture's edge within which a line is cut off by it.
const EDGE: usize = 3;
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
    /// What it grows and turns about, as pictures are looked at.
    pub(super) middle: Point,
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
    pub(super) around: Around,
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
pub(super) struct Around {
    pub(super) pixels: Vec<(u32, u8)>,
    changed: usize,
}

impl Track {
    pub(super) fn new(line: Line, frame: &Gray, number: u64) -> Self {
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
        let Bounds { left, top, right, bottom } = line.bounds;
        Self {
            middle: ((left + right) as f32 / 2.0, (top + bottom) as f32 / 2.0),
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

    /// The first and the last frame in which it is there: of one that never stands still those of its way.
    pub(super) fn span(&self) -> (u64, u64) {
        let way = self.came.iter().chain(&self.went).filter(|_| self.is_passing).map(|(frame, _)| *frame);
        way.fold((self.first, self.last), |(first, last), frame| (first.min(frame), last.max(frame)))
    }

    /// Whether it turns so far that it may have been upside down when it was found.
    pub(super) fn turns_over(&self) -> bool {
        let angles = || self.came.iter().chain(&self.went).map(|(_, pose)| pose.angle);
        angles().fold(0.0, f32::max) - angles().fold(0.0, f32::min) > FRAC_PI_2
    }

    /// How it is in `frame`, one of its [`span`](Self::span).
    fn pose(&self, frame: u64) -> Pose {
        let way = || self.came.iter().chain(&self.went).filter(|_| self.is_passing);
        way().find(|(at, _)| *at == frame).map_or(Pose::STILL, |(_, pose)| *pose)
    }

    /// As [`Line::areas`], in a frame in which both are there; nothing is shared if there is none.
    pub(super) fn areas(&self, other: &Self) -> (usize, usize, usize) {
        if !self.is_passing && !other.is_passing {
            return self.line.areas(&other.line);
        }
        let ((first, last), (from, to)) = (self.span(), other.span());
        let (one, two) = self.at_once(other);
        let (shared, own, its) = one.areas(&two);
        (if first.max(from) <= last.min(to) { shared } else { 0 }, own, its)
    }

    /// Both in the middle of the frames that both are in.
    pub(super) fn at_once<'l>(&'l self, other: &'l Self) -> (Cow<'l, Line>, Cow<'l, Line>) {
        let ((first, last), (from, to)) = (self.span(), other.span());
        let frame = (first.max(from) + last.min(to)) / 2;
        let line = |track: &'l Self| match track.is_passing {
            true => Cow::Owned(track.posed(track.pose(frame))),
            false => Cow::Borrowed(&track.line),
        };
        (line(self), line(other))
    }

    /// Where its letters are in a pose, without their pixels.
    pub(super) fn posed(&self, pose: Pose) -> Line {
        let Line { letters, bounds, slope, .. } = &self.line;
        let letters = letters.iter().map(|letter| {
            let Bounds { left, top, right, bottom } = letter.bounds;
            let (x, y) = pose.place(((left + right) as f32 / 2.0, (top + bottom) as f32 / 2.0), self.middle);
            let half = ((right - left) as f32 * pose.scale / 2.0, (bottom - top) as f32 * pose.scale / 2.0);
            let side = |at: f32| at.round().max(0.0) as usize;
            let bounds = Bounds {
                left: side(x - half.0),
                top: side(y - half.1),
                right: side(x + half.0),
                bottom: side(y + half.1),
            };
            Component { bounds, runs: Vec::new(), ..*letter }
        });
        let letters: Vec<Component> = letters.collect();
        let bounds = letters.iter().map(|letter| letter.bounds).reduce(Bounds::union).unwrap_or(*bounds);
        let slope = if pose.is_turned() { (slope.atan() + f64::from(pose.angle)).tan() } else { *slope };
        Line { bounds, letters, slope, ..self.line }
    }

    /// Whether it is there while another one is, and a part of it.
    fn is_within(&self, other: &Self) -> bool {
        let ((first, last), (from, to)) = (self.span(), other.span());
        let is_part = || {
            let (shared, own, its) = self.areas(other);
            own <= its && shared * 2 >= own
        };
        from <= first && last <= to && is_part()
    }

    /// What it is to a line that was found in frame `number`.
    fn meets(&self, line: &Line, number: u64) -> Meeting {
        let (shared, area, known) = line.areas(&self.line);
        // Of lines at an angle and level ones reading will tell which are some.
        let is_other = is_level(line.slope) != is_level(self.line.slope);
        if self.last != number || is_other || shared * 2 < area.min(known) {
            return Meeting::Apart;
        }
        let grows = area * 4 > known * 5 && shared * 10 >= known * 9;
        let is_same = line.polarity == self.line.polarity && line.letters[0].is_like(&self.line.letters[0]);
        if grows && is_same && line.letters.len() > self.line.letters.len() {
            return Meeting::Grown;
        }
        // Of letters and their rim, or of words of two colours, either may look more like text.
        let by = if is_same { 1.1 } else { 0.6 };
        if shared * 2 >= area && line.likeness <= self.line.likeness * by {
            return Meeting::Known;
        }
        Meeting::Apart
    }

    /// What it is looked for by in frames in which it comes or goes, as it is in `frame`.
    pub(super) fn stamp(&self, frame: &Gray) -> Option<Stamp> {
        if self.line.likeness < LIKELY {
            return None;
        }
        let inside: Vec<u32> = self.inside.iter().map(|(at, _)| *at).collect();
        Stamp::new(frame, &inside, &self.letters, &self.beside, self.middle)
    }

    /// Without ways that are none, and without what it does where a way ends that it goes no further.
    fn without_chance(&mut self) {
        for way in [&mut self.came, &mut self.went].into_iter().filter(|_| !self.is_passing) {
            let mut poses: Vec<Pose> = way.iter().map(|(_, pose)| *pose).collect();
            poses.truncate(until_stay(&poses));
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
    /// Lines that turn with the scene.
    turning: Vec<Track>,
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
            turning: Vec::new(),
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
            let next = stamp.next(&frame, &track.went).filter(|_| track.went.len() < LONGEST);
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
        let has_tilted = self.is_still || self.looks % TILTED == STEADY + 1;
        let found = lines(&view, has_tilted, is_steady).into_iter().map(|line| match is_due || !is_known(&line) {
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
        let found: Vec<Line> = lines(view, true, |_| true).into_iter().filter(|line| line.likeness >= LIKELY).collect();
        // Of a line at an angle pieces are level.
        let is_piece = |line: &Line| {
            found
                .iter()
                .any(|whole| !is_level(whole.slope) && line.letters.len() < whole.letters.len() && line.is_part(whole))
        };
        for line in found.iter().filter(|line| !is_piece(line)) {
            if self.moving.len() >= MOST_MOVING {
                break;
            }
            let area = line.kept(size);
            let pixels = area.area() * self.scale * self.scale;
            // What comes into the picture is found when all of it is in, as far as a word's space from the edge.
            let Bounds { left, top, right, bottom } = line.bounds;
            let space = line.letter_height();
            let is_cut = left < space || top < EDGE || right + space > size.0 || bottom + EDGE > size.1;
            if is_cut || line.letters.len() < MOVING_LETTERS || self.held + pixels > MOST_PIXELS {
                continue;
            }
            // Where a part of it is followed, it may be all of a line that turns.
            let is_known = |known: &Line| line.is_part(known) && line.letters.len() * 3 <= known.letters.len() * 4;
            let is_followed = self.live.iter().any(|track| is_known(&track.line))
                || self.moving.iter().any(|moving| is_known(&moving.line()));
            if is_followed {
                continue;
            }
            let mut track = Track::new(line.clone(), view.gray, number);
            let Some(stamp) = track.stamp(view.gray) else { continue };
            // Other lines of one text go along with it.
            let is_beside = |other: &&Line| {
                other.polarity == line.polarity
                    && is_parallel(other.slope, line.slope)
                    && other.letters[0].is_like(&line.letters[0])
                    && !line.is_part(other)
            };
            let beside = found.iter().filter(is_beside).flat_map(|other| &other.letters);
            let beside: Vec<Bounds> = beside.map(|letter| letter.bounds.grown(RIM, RIM, size)).collect();
            let is_in = |at: usize, bounds: &Bounds| bounds.has(at % size.0, at / size.0);
            track.around.pixels.retain(|(at, _)| !beside.iter().any(|bounds| is_in(*at as usize, bounds)));
            track.crop.add(picture, area, self.scale);
            self.held += pixels;
            self.moving.push(Moving::new(track, stamp.turning(), size));
        }
    }

    /// Goes on with the lines that move, to the frame `number`.
    fn follow_moving(&mut self, frame: &Gray, number: u64, picture: &I420Ref<'_>) {
        for mut moving in std::mem::take(&mut self.moving) {
            if moving.goes_on((frame, number), self.frames.iter().rev(), (picture, self.scale)) {
                self.moving.push(moving);
            } else {
                self.end_moving(moving);
            }
        }
    }

    /// Keeps a line that has moved over the scene for long enough.
    fn end_moving(&mut self, moving: Moving) {
        let (track, passing) = moving.text();
        if passing == Passing::Scene && self.turning.len() < MOST_TURNING {
            self.held = self.held.saturating_sub(track.crop.pixels());
            self.turning.push(Track { crop: Crop::default(), ..track });
            return;
        }
        let is_text = passing == Passing::Text;
        // Of what turns the upright box in each frame.
        let size = self.reference.size();
        let kept = track.line.bounds.grown(RIM, track.line.letter_height() / 2, size);
        let ways = track.came.iter().chain(&track.went);
        let areas = ways.map(|(_, pose)| pose.bounds(kept, track.middle, 1, size));
        let pixels = areas.map(|bounds| bounds.area() * self.scale * self.scale).fold(0, usize::saturating_add);
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
                let Some(pose) = stamp.next(frame, &track.came) else { break };
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
                let next = stamp.next(frame, &track.went);
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
        // What stands still for a moment where the scene turns back is a part of it too.
        let turning = std::mem::take(&mut self.turning);
        let stays = |track: &Track| track.is_passing || track.stands_out || track.last - track.first >= TURNS_BACK;
        self.ended.retain(|track| stays(track) || !turning.iter().any(|line| track.is_within(line)));
        (self.ended, self.is_cut)
    }
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
    fn lines_that_turn_are_compared_where_both_are() {
        let frame = Gray { samples: vec![128; SIZE.0 * SIZE.1], width: SIZE.0, height: SIZE.1 };
        let at = |line: Line, first: u64, last: u64| Track { last, ..Track::new(line, &frame, first) };
        // Found in frame 20, and turned by a little with each frame, from 10 to 40.
        let mut turns = at(line((40, 90), 10, 230, 0.6), 20, 20);
        let pose = |frame: u64| Pose { angle: 0.05 * (frame as f32 - 20.0), ..Pose::STILL };
        turns.came = (10..20).rev().map(|frame| (frame, pose(frame))).collect();
        turns.went = (21..=40).map(|frame| (frame, pose(frame))).collect();
        turns.is_passing = true;
        assert_eq!((turns.span(), turns.turns_over()), ((10, 40), false));
        // What stands there in the frames around 30 is a part of it where it has turned by half a radian, and not where it was found.
        let turned = turns.posed(pose(30));
        assert!((turned.slope - 0.5f64.tan()).abs() < 1e-6 && turned.bounds.height() > 60, "{:?}", turned.bounds);
        let piece = |of: &Line| Line {
            slope: 0.0,
            ..Line::of(of.letters[6..9].to_vec(), Polarity::Light).expect("has letters")
        };
        let (there, elsewhere) = (at(piece(&turned), 28, 32), at(piece(&turns.line), 28, 32));
        assert!(there.is_within(&turns) && !elsewhere.is_within(&turns));
        assert!(at(piece(&turns.line), 18, 22).is_within(&turns));
        // Not all of it is there while the other one is, nor is it larger.
        assert!(!at(piece(&turned), 28, 42).is_within(&turns) && !turns.is_within(&there));
        let (shared, own, its) = at(piece(&turned), 50, 60).areas(&turns);
        assert!(shared == 0 && own > 0 && its > 0);
        turns.went.last_mut().expect("goes").1.angle = 1.6;
        assert!(turns.turns_over());
    }

    #[test]
    fn what_stands_for_a_moment_where_the_scene_turns_is_a_part_of_it() {
        let frame = Gray { samples: vec![128; SIZE.0 * SIZE.1], width: SIZE.0, height: SIZE.1 };
        let at = |line: Line, first: u64, last: u64| Track { last, ..Track::new(line, &frame, first) };
        let mut tracker = Tracker::new(1, false);
        tracker.turning.push(at(line((40, 90), 10, 230, 0.6), 10, 90));
        let piece = || line((68, 90), 4, 230, 0.6);
        let marked = Track { stands_out: true, ..at(piece(), 30, 50) };
        // A moment; long enough; something else's place; while it is not there; and what stands out from the scene.
        tracker.ended = vec![
            at(piece(), 20, 20 + TURNS_BACK - 1),
            at(piece(), 20, 20 + TURNS_BACK),
            at(line((68, 20), 4, 230, 0.6), 21, 45),
            at(piece(), 80, 100),
            marked,
        ];
        let (kept, _) = tracker.finish();
        assert_eq!(kept.iter().map(|track| track.first).collect::<Vec<_>>(), [20, 21, 80, 30]);
        assert_eq!(kept[0].last, 20 + TURNS_BACK);
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
    fn what_is_level_and_what_is_not_are_followed_both() {
        // A line at an angle, and a piece of it that was taken for level.
        let mut tilted = line((40, 50), 9, 230, 0.6);
        for (number, letter) in tilted.letters.iter_mut().enumerate() {
            letter.moved(0, number * 5);
        }
        let tilted = Line {
            slope: 5.0 / 14.0,
            likeness: 0.6,
            ..Line::of(tilted.letters, Polarity::Light).expect("has letters")
        };
        let piece =
            Line { likeness: 0.4, ..Line::of(tilted.letters[2..5].to_vec(), Polarity::Light).expect("has letters") };
        assert_eq!(meeting(piece.clone(), &tilted), Meeting::Apart);
        assert_eq!(meeting(tilted.clone(), &piece), Meeting::Apart);
        assert_eq!(meeting(tilted.clone(), &tilted), Meeting::Known);
        // The next line below it, in its upright box.
        let mut next = tilted.clone();
        next.letters.iter_mut().for_each(|letter| letter.moved(0, 26));
        let next = Line {
            slope: tilted.slope,
            likeness: 0.6,
            ..Line::of(next.letters, Polarity::Light).expect("has letters")
        };
        assert!(next.bounds.shared(&tilted.bounds) * 2 > next.bounds.area());
        assert_eq!(meeting(tilted, &next), Meeting::Apart);
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
