//! Pictures of a clip without what is taken out of them.
//!
//! What is behind a text is looked for in every eighth picture of the clip: the last one before it comes and the first one after
//! it is gone, those nearby, in which the scene may have moved from behind it, and some of those within four seconds. Which ones
//! these are depends on the frame and on the patches alone, so that each frame is a function of the clip.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::not_working;
use crate::compose::{Mask, Mend, MendView as View, Outline, Shift, blurred_part, covered_part, movement};
use crate::error::Result;
use crate::ffmpeg::{Interrupt, VideoFrame};
use crate::limits::Limits;
use crate::plan::{PlannedPatch, REACH};
use crate::source::{ProbedVideo, Reading, ShotReader, StreamReader, keep};
use crate::timeline::Removal;
use crate::units::{FrameIndex, FrameRange, FrameRate};

/// Frames between two pictures that are looked at.
const STEP: u64 = 8;
/// Frames away from which only every so many of these pictures are: a scene that moves slowly shows more in them.
const NEAR: u64 = 40;
const FAR_STEP: u64 = 4;
/// The most frames of a patch for which no far ones are looked at.
const BRIEF: u64 = 16;
/// Code values by which what is around a text may differ, at most, from another picture that shows the same scene.
const SAME: f32 = 9.0;
/// Quarters of a pixel by which a scene must have moved to show more.
const MOVED: i32 = 8;
const FAR_MOVED: i32 = 48;
/// Pixels by which movement is looked for: in pictures without the text, between two that are a step apart, and near
/// to where it should be.
const FAR: i32 = 24;
const STRIDE: i32 = 64;
const FINE: i32 = 3;

/// By how much a scene moves from one picture that is looked at to the next, and by how many code values the two differ then.
type Step = (Shift, f32);

/// Takes patches out of the pictures of a clip.
pub(super) struct Mender<'a> {
    others: Others<'a>,
    /// Outlines of patches, each with those that are on at once.
    outlines: BTreeMap<usize, (Vec<usize>, Outline)>,
    picture: VideoFrame,
}

/// Where else a clip shows what is behind a patch.
struct Others<'a> {
    patches: &'a [PlannedPatch],
    path: &'a Path,
    video: &'a ProbedVideo,
    reading: Reading,
    limits: &'a Limits,
    interrupt: &'a Interrupt,
    /// What the other workers have read of the clip.
    shared: Option<&'a SharedPictures>,
    /// The frame that something is taken out of.
    frame: u64,
    /// Reads every [`STEP`]th picture, and which of them it gives next.
    reader: Option<(ShotReader, u64)>,
    /// Some of them, by number.
    near: BTreeMap<u64, VideoFrame>,
    /// Those that show the most of what is behind a patch.
    clean: BTreeMap<u64, VideoFrame>,
    /// By how much the scene moves around a patch from a picture that is looked at to the next.
    steps: BTreeMap<(usize, u64), Option<Step>>,
    /// Which pictures show the most of what is behind it, before and after it.
    ends: BTreeMap<usize, (Option<u64>, Option<u64>)>,
    is_damaged: bool,
    /// Whether anything came from the other workers.
    has_shared: bool,
}

/// Every [`STEP`]th picture of a clip, for all workers: each is decoded once as long as they are near each other.
#[derive(Default)]
pub(super) struct SharedPictures(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    reader: Option<(StreamReader, u64)>,
    /// Whether nothing more is read for all: something had faults, or it is no stream.
    is_over: bool,
    pictures: BTreeMap<u64, VideoFrame>,
    /// Those that are wanted for as long as a patch is on.
    clean: BTreeMap<u64, VideoFrame>,
}

/// Pictures that a reader goes over to one that is wanted, rather than being opened again: near ones, and as many as lie between.
const MOST_PASSED: u64 = 12;
/// Pictures that are kept for the others: those that one worker looks at, and those around eight patches.
const MOST_KEPT: usize = 34;
const MOST_CLEAN: usize = 16;

impl SharedPictures {
    /// Picture `number`, read with `open` from `first` if none near it was; `None` if it was let go of, if it would be the only
    /// one (without a `first`), or if anything had faults: what is shown then depends on where decoding began.
    fn get(
        &self,
        number: u64,
        first: Option<u64>,
        open: impl FnOnce(u64) -> Result<ShotReader>,
    ) -> Result<Option<VideoFrame>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { reader, is_over, pictures, clean } = &mut *kept;
        if *is_over {
            return Ok(None);
        }
        let own = if let Some(known) = pictures.get(&number).or_else(|| clean.get(&number)) {
            keep(known)?
        } else {
            let next = reader.as_ref().map(|(_, next)| *next);
            // What is far ahead of the frames that are rendered, or behind them, is read by itself.
            let is_near = next.is_some_and(|next| {
                (next..=next + MOST_KEPT as u64 / 2).contains(&number)
                    || (number >= next && first.is_some_and(|first| first <= next))
            });
            if !is_near {
                let Some(first) = first.filter(|_| next.is_none_or(|next| number > next)) else { return Ok(None) };
                *reader = open(first)?.into_stream().map(|reader| (reader, first));
            }
            // An animation is read by each worker.
            *is_over = reader.is_none();
            let Some((reader, next)) = reader else { return Ok(None) };
            for passed in *next..=number {
                let picture = keep(reader.frame(passed)?)?;
                *next = passed + 1;
                if reader.is_damaged() {
                    *is_over = true;
                    return Ok(None);
                }
                pictures.insert(passed, picture);
                while pictures.len() > MOST_KEPT {
                    pictures.pop_first();
                }
            }
            // The last one, and so the newest of them.
            keep(pictures.get(&number).ok_or_else(not_working)?)?
        };
        drop(kept);
        if first.is_none() {
            self.keep(number, &own)?;
        }
        Ok(Some(own))
    }

    /// Keeps a picture without a patch for the others.
    fn keep(&self, number: u64, picture: &VideoFrame) -> Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.clean.contains_key(&number) {
            while kept.clean.len() >= MOST_CLEAN {
                kept.clean.pop_first();
            }
            kept.clean.insert(number, keep(picture)?);
        }
        Ok(())
    }
}

impl<'a> Mender<'a> {
    /// For a clip that is read as `reading` says, whose `frames` are all that its shot shows.
    pub(super) fn new(
        patches: &'a [PlannedPatch],
        (path, video): (&'a Path, &'a ProbedVideo),
        reading: Reading,
        limits: &'a Limits,
        interrupt: &'a Interrupt,
        shared: Option<&'a SharedPictures>,
    ) -> Result<Self> {
        let (near, clean) = (BTreeMap::new(), BTreeMap::new());
        let others = Others {
            patches,
            path,
            video,
            reading,
            limits,
            interrupt,
            shared,
            frame: 0,
            reader: None,
            near,
            clean,
            steps: BTreeMap::new(),
            ends: BTreeMap::new(),
            is_damaged: false,
            has_shared: false,
        };
        let picture = VideoFrame::empty().map_err(super::no_memory)?;
        Ok(Self { others, outlines: BTreeMap::new(), picture })
    }

    /// Whether anything is taken out of a frame.
    pub(super) fn is_live(&self, frame: u64) -> bool {
        self.others.patches.iter().any(|patch| patch.frames.contains(FrameIndex(frame)))
    }

    /// Whether it has taken pictures that others read.
    pub(super) fn has_shared(&self) -> bool {
        self.others.has_shared
    }

    /// Whether anything that was read besides the clip's own pictures had faults.
    pub(super) fn is_damaged(&self) -> bool {
        self.others.is_damaged || self.others.reader.as_ref().is_some_and(|(reader, _)| reader.is_damaged())
    }

    /// The clip's frame `frame`, if that is one of those that are looked at for others.
    pub(super) fn looked_at(&mut self, frame: u64) -> Result<Option<VideoFrame>> {
        if !frame.is_multiple_of(STEP) {
            return Ok(None);
        }
        self.others.forget(frame);
        keep(self.others.near(frame / STEP)?).map(Some)
    }

    /// The clip's frame `frame`, which is `picture`, without its patches.
    pub(super) fn mend(&mut self, picture: &VideoFrame, frame: u64) -> Result<&VideoFrame> {
        let Self { others, outlines, picture: own } = self;
        let patches = others.patches;
        let live: Vec<usize> =
            (0..patches.len()).filter(|&number| patches[number].frames.contains(FrameIndex(frame))).collect();
        others.forget(frame);
        let holes = holes_at(patches, frame);
        let view = View { picture: picture.planes().ok_or_else(not_working)?, holes: &holes };
        copy(picture, own)?;
        outlines.retain(|number, (on, _)| live.contains(number) && *on == live);
        for &number in &live {
            let patch = &patches[number];
            let mended = match patch.removal {
                Removal::Fill => {
                    let new = || (live.clone(), Outline::new(view, &patch.mask));
                    let (_, outline) = outlines.entry(number).or_insert_with(new);
                    Some(fill(others, view, (number, outline), frame)?)
                }
                Removal::Blur | Removal::Cover(_) => None,
            };
            let mut target = own.planes_mut().map_err(super::no_memory)?.ok_or_else(not_working)?;
            match (mended, patch.removal) {
                (Some(mended), _) => mended.finish().draw(&mut target),
                (None, Removal::Cover(color)) => covered_part(&mut target, patch.mask.bounds(), color),
                (None, _) => blurred_part(&mut target, patch.mask.bounds()),
            }
        }
        Ok(own)
    }
}

/// Copies a picture into a frame that is used again and again: a new one each time would cost more than what is done with it.
pub(super) fn copy(from: &VideoFrame, to: &mut VideoFrame) -> Result<()> {
    if from.alpha().is_some() {
        return to.share(from).map_err(super::no_memory);
    }
    if (to.width(), to.height()) != (from.width(), from.height()) || to.alpha().is_some() {
        *to = VideoFrame::i420(from.width(), from.height()).map_err(super::no_memory)?;
    }
    let source = from.planes().ok_or_else(not_working)?;
    let target = to.planes_mut().map_err(super::no_memory)?.ok_or_else(not_working)?;
    for (from, mut to) in [(source.y, target.y), (source.u, target.u), (source.v, target.v)] {
        for (y, row) in from.rows().enumerate() {
            to.row_mut(y).copy_from_slice(row);
        }
    }
    Ok(())
}

/// The nearest frame to `frame` that is looked at for others, if it will do as well; `frame` itself else.
pub(super) fn nearest_looked_at(frame: u64, will_do: impl Fn(u64) -> bool) -> u64 {
    let before = frame / STEP * STEP;
    let near = [before, before + STEP].into_iter().filter(|other| will_do(*other));
    near.min_by_key(|other| other.abs_diff(frame)).unwrap_or(frame)
}

/// What hides the scene in a frame.
fn holes_at(patches: &[PlannedPatch], frame: u64) -> Vec<&Mask> {
    let live = patches.iter().filter(|patch| patch.frames.contains(FrameIndex(frame)));
    live.map(|patch| &patch.mask).collect()
}

/// Rebuilds what is behind patch `number` in frame `frame`.
fn fill<'a: 'p, 'p>(
    others: &mut Others<'a>,
    view: View<'_>,
    (number, outline): (usize, &'p Outline),
    frame: u64,
) -> Result<Mend<'p>> {
    let patches = others.patches;
    let patch = &patches[number];
    let mut mend = Mend::new(view, outline);
    let total = others.reading.frames.end.0;
    // From picture to picture, away from this one, as far as the scene is the same.
    let last = (total - 1) / STEP;
    let (earlier, later) = (frame / STEP, frame / STEP + 1);
    let passed = i64::try_from(frame - earlier * STEP).unwrap_or(0);
    // After the last one it goes on as before.
    let between = match (later <= last, earlier.checked_sub(1)) {
        (true, _) => others.step(number, earlier)?,
        (false, Some(before)) => others.step(number, before)?,
        (false, None) => None,
    };
    let step = between.map_or(Shift::NONE, |(step, _)| step);
    let closest = if between.is_some() { FINE } else { FAR };
    let back = Shift::NONE.minus(step.part(passed, STEP as i64));
    // Two near ones tell by how much those differ that show the same: where all is smooth, what has moved elsewhere differs
    // by little, too.
    let limit = between.map_or(SAME, |(_, apart)| SAME.min(apart * 2.0 + 1.5));
    let (before, after) = *others.ends.entry(number).or_insert_with(|| ends_of(patches, number, total));
    // The nearer one first.
    let mut clean: Vec<u64> = before.into_iter().chain(after).collect();
    clean.sort_by_key(|other| (other * STEP).abs_diff(frame));
    for other in clean {
        if mend.is_whole() {
            return Ok(mend);
        }
        let holes = holes_at(patches, other * STEP);
        let picture = if is_near(other, frame) { others.near(other)? } else { others.clean(other)? };
        let there = View { picture: picture.planes().ok_or_else(not_working)?, holes: &holes };
        // As if it had gone on as it does now, or not at all.
        let far = (other * STEP) as i64 - frame as i64;
        for guess in [step.part(far, STEP as i64), Shift::NONE] {
            if let Some((shift, _)) =
                movement(view, &patch.mask, there, guess, FAR).filter(|(_, apart)| *apart <= limit)
            {
                mend.take(there, shift);
                break;
            }
        }
    }
    if mend.is_whole() {
        return Ok(mend);
    }
    let start = [Some((earlier, back)), Some((later, back.plus(step))).filter(|_| later <= last)];
    // First those in which it has moved by as much as letters' strokes are wide; then the others.
    for (reach, moved) in [(NEAR, FAR_MOVED..i32::MAX), (REACH, FAR_MOVED..i32::MAX), (NEAR, MOVED..FAR_MOVED)] {
        // What is there for a moment is seen from nearby, before and after.
        if mend.is_whole() || (reach > NEAR && is_brief(patch)) {
            continue;
        }
        let least = frame.saturating_sub(reach).div_ceil(STEP);
        let most = ((frame + reach) / STEP).min(last);
        let mut guesses = start.map(|guess| guess.filter(|(other, _)| (least..=most).contains(other)));
        if reach > NEAR {
            others.steps_between(frame, (least, most))?;
        }
        while guesses.iter().any(Option::is_some) && !mend.is_whole() {
            for is_later in [false, true] {
                let Some((other, guess)) = guesses[usize::from(is_later)] else { continue };
                let holes = holes_at(patches, other * STEP);
                let is_first = other == earlier || other == later;
                // Where the same hides it, a scene that has not moved shows no more.
                let has_moved = match holes.iter().any(|hole| **hole == patch.mask) {
                    true => guess.x.abs().max(guess.y.abs()),
                    false => i32::MAX - 1,
                };
                // Far ones come after the near ones.
                let is_new = reach == NEAR || !is_near(other, frame);
                let mut reached = Some(guess);
                if is_new && (moved.contains(&has_moved) || (between.is_none() && is_first)) {
                    let picture = others.near(other)?;
                    let there = View { picture: picture.planes().ok_or_else(not_working)?, holes: &holes };
                    let found = movement(view, &patch.mask, there, guess, if is_first { closest } else { FINE })
                        .filter(|(_, apart)| *apart <= limit);
                    if let Some((shift, _)) = found {
                        mend.take(there, shift);
                    }
                    reached = found.map(|(shift, _)| shift);
                }
                guesses[usize::from(is_later)] = match reached {
                    Some(shift) => others.next(number, (frame, is_later), (other, shift), least..=most)?,
                    None => None,
                };
            }
        }
    }
    Ok(mend)
}

/// The pictures before and after patch `number` of a clip of `total` frames that show what is behind it: the nearest in which
/// others, such as the same text while it comes, hide next to nothing of its place, else those in which they hide the least. For
/// what is there for a moment the latter are few: text that turns is many of these, and each would have others.
fn ends_of(patches: &[PlannedPatch], number: usize, total: u64) -> (Option<u64>, Option<u64>) {
    let PlannedPatch { frames, mask, .. } = &patches[number];
    let (whole, is_brief) = (mask.count(), is_brief(&patches[number]));
    let hidden = |other: u64| mask.hidden(&holes_at(patches, other * STEP));
    let best = |others: &mut dyn Iterator<Item = u64>| {
        let mut least: Option<(usize, u64)> = None;
        for other in others {
            let hidden = hidden(other);
            let is_clean = hidden * 10 <= whole;
            let counts = is_clean || !is_brief || is_looked_at(other, frames.start.0);
            if counts && least.is_none_or(|(least, _)| hidden < least) {
                least = Some((hidden, other));
            }
            if is_clean {
                break;
            }
        }
        least.filter(|(hidden, _)| *hidden < whole).map(|(_, other)| other)
    };
    let (start, end) = (frames.start.0, frames.end.0);
    let first = start.saturating_sub(REACH).div_ceil(STEP);
    let last = end.saturating_add(REACH - 1).min(total.saturating_sub(1)) / STEP;
    (best(&mut (first..start.div_ceil(STEP)).rev()), best(&mut (end.div_ceil(STEP)..=last)))
}

/// Whether a patch is there for a moment.
fn is_brief(patch: &PlannedPatch) -> bool {
    patch.frames.len() <= BRIEF
}

/// Whether a picture is one of those of which none is left out from `frame`.
fn is_near(number: u64, frame: u64) -> bool {
    (number * STEP).abs_diff(frame) <= NEAR
}

/// Whether a picture is one of those that are looked at from `frame`.
fn is_looked_at(number: u64, frame: u64) -> bool {
    is_near(number, frame) || number.is_multiple_of(FAR_STEP)
}

impl Others<'_> {
    /// By how much the scene around a patch moves from picture `from` of those that are looked at to the next.
    fn step(&mut self, number: usize, from: u64) -> Result<Option<Step>> {
        if let Some(step) = self.steps.get(&(number, from)) {
            return Ok(*step);
        }
        self.near(from)?;
        self.near(from + 1)?;
        let mut holes = [from, from + 1].map(|at| holes_at(self.patches, at * STEP));
        // Its own place, whether it is there or not: so that the step is that of the scene.
        let mask = &self.patches[number].mask;
        holes.iter_mut().for_each(|holes| holes.push(mask));
        let planes = |at: u64| self.near.get(&at).and_then(VideoFrame::planes).ok_or_else(not_working);
        let [here, there] =
            [View { picture: planes(from)?, holes: &holes[0] }, View { picture: planes(from + 1)?, holes: &holes[1] }];
        let found = movement(here, mask, there, Shift::NONE, STRIDE);
        let step = found.filter(|(_, apart)| *apart <= SAME);
        self.steps.insert((number, from), step);
        Ok(step)
    }

    /// The next picture that is looked at after `other`, in which the scene has moved by `shift`, and by how much it should have
    /// in that one; `None` outside of `among`, or where the scene is another.
    fn next(
        &mut self,
        number: usize,
        (frame, is_later): (u64, bool),
        (other, shift): (u64, Shift),
        among: RangeInclusive<u64>,
    ) -> Result<Option<(u64, Shift)>> {
        let (mut other, mut shift) = (other, shift);
        loop {
            let Some(next) = (if is_later { other.checked_add(1) } else { other.checked_sub(1) }) else {
                return Ok(None);
            };
            if !among.contains(&next) {
                return Ok(None);
            }
            let Some((step, _)) = self.step(number, other.min(next))? else { return Ok(None) };
            shift = if is_later { shift.plus(step) } else { shift.minus(step) };
            other = next;
            if is_looked_at(other, frame) {
                return Ok(Some((other, shift)));
            }
        }
    }

    /// Finds how the scene moves around the patches of `frame` for which far pictures are looked at, between the pictures `least` to
    /// `most`, in their order: they are decoded once, and most of them are not kept.
    fn steps_between(&mut self, frame: u64, (least, most): (u64, u64)) -> Result<()> {
        let is_filled = |patch: &PlannedPatch| {
            patch.removal == Removal::Fill && !is_brief(patch) && patch.frames.contains(FrameIndex(frame))
        };
        for from in least..most {
            for number in (0..self.patches.len()).filter(|&number| is_filled(&self.patches[number])) {
                self.step(number, from)?;
            }
            // Those ahead are near soon.
            if from * STEP < frame && !is_looked_at(from, frame) {
                self.near.remove(&from);
            }
        }
        Ok(())
    }

    /// A picture of those that are looked at.
    fn near(&mut self, number: u64) -> Result<&VideoFrame> {
        if !self.near.contains_key(&number) {
            let picture = match self.clean.get(&number) {
                Some(known) => keep(known)?,
                None => self.read(number, false)?,
            };
            self.near.insert(number, picture);
        }
        self.near.get(&number).ok_or_else(not_working)
    }

    /// One of them that is without a patch, wherever it is.
    fn clean(&mut self, number: u64) -> Result<&VideoFrame> {
        if !self.clean.contains_key(&number) {
            while self.clean.len() >= MOST_CLEAN {
                self.clean.pop_first();
            }
            let picture = match self.near.get(&number) {
                Some(known) => keep(known)?,
                None => self.read(number, true)?,
            };
            self.clean.insert(number, picture);
        }
        self.clean.get(&number).ok_or_else(not_working)
    }

    fn read(&mut self, number: u64, is_clean: bool) -> Result<VideoFrame> {
        let Reading { frames, rate, .. } = self.reading;
        let rate = FrameRate::new(rate.num(), rate.den().saturating_mul(STEP as u32)).ok_or_else(not_working)?;
        let reading =
            |first: u64| Reading { frames: FrameRange::new(first, frames.end.0.div_ceil(STEP)), rate, ..self.reading };
        // Near ones are wanted from the nearest to the furthest, on both sides: those before it are read first, as far as they are
        // not known.
        let is_unread = |other: &u64| is_near(*other, self.frame) && !self.near.contains_key(other);
        let first = match is_near(number, self.frame) {
            true => (0..number).rev().take_while(is_unread).last().unwrap_or(number),
            false => number,
        };
        if let Some(shared) = self.shared
            && let Some(picture) =
                shared.get(number, (!is_clean).then_some(first), |first| self.open(reading(first)))?
        {
            self.has_shared = true;
            return Ok(picture);
        }
        if is_clean {
            // By itself: the reader goes on from where it is.
            let mut reader = self.open(reading(number))?;
            let picture = keep(reader.frame(number)?)?;
            match (reader.is_damaged(), self.shared) {
                (false, Some(shared)) => shared.keep(number, &picture)?,
                (is_damaged, _) => self.is_damaged |= is_damaged,
            }
            return Ok(picture);
        }
        let is_ahead = self.reader.as_ref().is_some_and(|(_, next)| (*next..=*next + MOST_PASSED).contains(&number));
        if !is_ahead {
            self.is_damaged |= self.reader.as_ref().is_some_and(|(reader, _)| reader.is_damaged());
            self.reader = Some((self.open(reading(first))?, first));
        }
        let (reader, next) = self.reader.as_mut().ok_or_else(not_working)?;
        for passed in *next..number {
            let picture = reader.frame(passed)?;
            if is_near(passed, self.frame) && !self.near.contains_key(&passed) {
                self.near.insert(passed, keep(picture)?);
            }
        }
        *next = number + 1;
        keep(reader.frame(number)?)
    }

    fn open(&self, reading: Reading) -> Result<ShotReader> {
        ShotReader::open(self.path, self.video, reading, self.limits, self.interrupt)
    }

    /// Lets go of what lies too far behind, or between.
    fn forget(&mut self, frame: u64) {
        self.frame = frame;
        let least = frame.saturating_sub(REACH).div_ceil(STEP).saturating_sub(1);
        self.near = self.near.split_off(&least);
        let newest = self.near.last_key_value().map(|(number, _)| *number);
        // Those ahead are near soon.
        let soon = frame..=frame + REACH + STEP;
        let is_kept =
            |number: u64| is_looked_at(number, frame) || soon.contains(&(number * STEP)) || Some(number) == newest;
        self.near.retain(|&number, _| is_kept(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::SourceRect;

    fn patch((start, end): (u64, u64), x: u32, width: u32) -> PlannedPatch {
        let mask = Mask::all_of(SourceRect { x, y: 0, width, height: 20 });
        PlannedPatch { frames: FrameRange::new(start, end), mask, removal: Removal::Fill }
    }

    #[test]
    fn what_is_behind_a_patch_is_looked_for_where_the_least_hides_it() {
        let ends = |patches: &[PlannedPatch], total: u64| ends_of(patches, 0, total);
        let text = || patch((200, 260), 0, 100);
        assert_eq!(ends(&[text()], 400), (Some(24), Some(33)), "the nearest ones: 192 and 264");
        assert_eq!(ends(&[text()], 264), (Some(24), None), "the clip is over by then");
        assert_eq!(ends(&[patch((0, 60), 0, 100)], 400), (None, Some(8)));
        // The same text on its way, in part of its place until frame 170, and all of it after that.
        let comes = [patch((160, 171), 40, 100), patch((171, 200), 0, 100)];
        let [first, second] = comes;
        assert_eq!(ends(&[text(), first.clone(), second.clone()], 400).0, Some(19), "152");
        // What hides next to nothing does not send it further away.
        assert_eq!(ends(&[text(), patch((190, 200), 94, 100)], 400).0, Some(24));
        // All of it hidden, as far as is looked; and by halves together.
        assert_eq!(ends(&[text(), patch((0, 200), 0, 100)], 400).0, None);
        assert_eq!(ends(&[text(), patch((0, 200), 0, 50), patch((0, 200), 50, 50)], 400).0, None);
        // Two over one half leave the other.
        assert_eq!(ends(&[text(), patch((0, 200), 0, 50), patch((0, 200), 0, 50)], 400).0, Some(24));
        // For a moment: what is partly hidden is nearby or one of few, what is not may be any. Some of it until frame 200, and
        // nearly all from 204 to 300.
        let turned = [patch((200, 204), 0, 100), patch((0, 200), 0, 40), patch((204, 300), 0, 90)];
        assert_eq!(ends(&turned, 400), (Some(24), Some(38)), "192, and 304");
        let [brief, _, all] = turned;
        assert_eq!(ends(&[brief.clone(), patch((144, 200), 0, 100), all.clone()], 400).0, Some(17), "136");
        assert_eq!(
            ends(&[brief.clone(), patch((144, 200), 0, 100), patch((0, 144), 0, 40), all.clone()], 400).0,
            Some(16)
        );
        let longer = PlannedPatch { frames: FrameRange::new(200, 230), ..brief };
        assert_eq!(ends(&[longer, patch((144, 200), 0, 100), patch((0, 144), 0, 40), all], 400).0, Some(17));
        // No further than the keys of chunks reach: pictures 9 to 24, and to frame 260 + 127 = 387, picture 48.
        assert_eq!(ends(&[text(), patch((72, 200), 0, 100)], 400).0, None);
        assert_eq!(ends(&[text(), patch((73, 200), 0, 100)], 400).0, Some(9));
        assert_eq!(ends(&[text(), patch((260, 384), 0, 100)], 900).1, Some(48));
        assert_eq!(ends(&[text(), patch((260, 385), 0, 100)], 900).1, None);
    }

    #[test]
    fn the_nearest_picture_that_is_looked_at_is_one_that_will_do() {
        let nearest =
            |frame: u64, frames: RangeInclusive<u64>| nearest_looked_at(frame, |other| frames.contains(&other));
        assert_eq!([163, 165, 160].map(|frame| nearest(frame, 0..=400)), [160, 168, 160]);
        assert_eq!((nearest(165, 150..=167), nearest(163, 161..=170)), (160, 168));
        assert_eq!(nearest(163, 161..=165), 163);
    }

    #[test]
    fn far_pictures_are_few_and_the_same_for_all_frames_around() {
        let looked_at = |frame: u64| -> Vec<u64> { (0..40).filter(|&number| is_looked_at(number, frame)).collect() };
        assert_eq!(looked_at(160), [0, 4, 8, 12, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 32, 36]);
        assert_eq!(looked_at(161)[..5], [0, 4, 8, 12, 16]);
    }
}
