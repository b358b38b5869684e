//! The pixels of a text, in each frame that shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::FoundMove;
use super::beside::{Beside, pictures_beside};
use super::components::Bounds;
use super::moves::{Point, Pose};
use super::style::{FoundBox, Surroundings, box_around, box_tolerance, near};
use super::texts::{LOST, Place, ReadLine};
use crate::compose::{Mask, Posed, code_values};
use crate::text::Rgba;

/// Pixels by which smooth edges, and what coding makes of them, reach beyond letters and boxes.
pub(super) const EDGE: u32 = 3;
/// By how much a line may be larger, as a part of it, or turned further, in radians, than it was found.
const UNSURE: f64 = 0.005;
/// Code values, of luma and both colour differences together, within which a pixel beside letters has their colour; and by
/// which it may change.
const ALIKE_CODES: u32 = 36;
const STEADY: u8 = 32;

/// The pixels of a line: its letters with their rim and their smooth edges, or its box; and what else of these colours stands
/// still beside them, such as a dot that was not found. In pixels of the pictures that were decoded.
pub(super) fn mask_of(line: &ReadLine, backdrop: Option<FoundBox>, place: &Place) -> Mask {
    let parts = line.parts.iter().map(|part| mask_of(part, backdrop, place));
    parts.fold(own_mask(line, backdrop, place), |mask, part| mask.union(&part))
}

fn own_mask(line: &ReadLine, backdrop: Option<FoundBox>, place: &Place) -> Mask {
    let Surroundings { stroke, .. } = line.around;
    let (track, far) = (&line.track, &line.far);
    let Some(bounds) = track.crop.bounds else { return Mask::default() };
    let height = track.height(place);
    let code = |Rgba { r, g, b, .. }: Rgba| code_values([r, g, b]);
    let apart = |at: usize, meant: [u8; 3]| {
        let parts = track.crop.color(at).into_iter().zip(meant);
        parts.map(|(one, other)| u32::from(one.abs_diff(other))).sum::<u32>()
    };
    if let Some(backdrop) = backdrop {
        let letters = line.track.line.place(place.scale);
        // As far as an emoji in it.
        let near = near(&track.crop, letters, height * 2.0);
        let color = code(backdrop.color);
        let tolerance = box_tolerance(&track.crop, far, color.map(f64::from));
        let whole = box_around(&track.crop, near, letters, |at| f64::from(apart(at, color)) <= tolerance);
        return Mask::all_of(place.decoded(whole, EDGE));
    }
    // A rim that was not told is seldom wider than a tenth.
    let rim = stroke.map_or((height * 0.1) as u32, |stroke| stroke.width) + EDGE;
    let colors: Vec<[u8; 3]> = std::iter::once(line.color).chain(stroke.map(|stroke| stroke.color)).map(code).collect();
    // Where all else moves, what stands still is a part of it: what begins as near as a letter that was not found, as far as
    // that goes.
    let (reach, most) = if track.stands_out { (height * 1.2, height * 2.4) } else { (height * 0.5, height * 0.5) };
    let (reach, most) = ((reach as u32).min(250), (most as u32).min(250));
    let mut mask = Mask::none_of(place.decoded(bounds, 2));
    let width = bounds.width().max(1);
    let is_like = |at: usize| {
        let far = u32::from(far[at]);
        far > rim
            && far <= most
            && track.crop.range(at) <= STEADY
            && colors.iter().any(|&color| apart(at, color) <= ALIKE_CODES)
    };
    let alike: Vec<bool> = (0..far.len()).map(is_like).collect();
    let near = alike.iter().zip(far).map(|(alike, far)| *alike && u32::from(*far) <= reach).collect();
    let belongs = connected(near, &alike, width);
    for (at, &far) in far.iter().enumerate() {
        let (x, y) = (bounds.left + at % width, bounds.top + at / width);
        if u32::from(far) <= rim {
            mask.add(x, y);
        } else if belongs[at] {
            // With its smooth edge.
            for (dy, dx) in (0..5).flat_map(|dy| (0..5).map(move |dx| (dy, dx))) {
                mask.add((x + dx).saturating_sub(2), (y + dy).saturating_sub(2));
            }
        }
    }
    mask
}

/// The pixels of `inside`, and those of `alike` that are connected with them, in rows of `width`.
fn connected(mut inside: Vec<bool>, alike: &[bool], width: usize) -> Vec<bool> {
    let mut open: Vec<usize> = (0..inside.len()).filter(|&at| inside[at]).collect();
    while let Some(at) = open.pop() {
        let beside = [
            (at % width > 0).then(|| at - 1),
            ((at + 1) % width > 0).then_some(at + 1),
            at.checked_sub(width),
            Some(at + width),
        ];
        for next in beside.into_iter().flatten().filter(|&next| alike.get(next) == Some(&true)) {
            if !std::mem::replace(&mut inside[next], true) {
                open.push(next);
            }
        }
    }
    inside
}

/// The pixels of a picture beside a line, with its smooth edge.
pub(super) fn picture_mask(picture: &Beside, place: &Place) -> Mask {
    let mut mask = Mask::none_of(place.decoded(picture.bounds, EDGE));
    let edge = EDGE as usize;
    for (y, columns) in &picture.rows {
        for y in y.saturating_sub(edge)..=y + edge {
            (columns.start.saturating_sub(edge)..columns.end + edge).for_each(|x| mask.add(x, y));
        }
    }
    mask
}

/// Where lines are in the frames in which any of them is not where it stands; `em`: the size of their font, in pixels of the
/// pictures that were decoded, by which pictures beside them are told.
pub(super) fn moves_of(
    lines: &[&ReadLine],
    (backdrop, em): (Option<FoundBox>, f64),
    place: &Place,
    (beyond, size): (f64, (u32, u32)),
) -> Vec<FoundMove> {
    let mut moves: BTreeMap<u64, (Mask, Bounds, f64)> = BTreeMap::new();
    // What turns is never quite as it was found.
    let moved = lines.iter().flat_map(|line| line.ways().filter(|(_, pose)| pose.is_moved() || line.track.is_passing));
    let frames: BTreeSet<u64> = moved.map(|(frame, _)| frame).collect();
    let first = lines.first().map_or(0.0, |line| line.rotation());
    for line in lines.iter().filter(|_| !frames.is_empty()) {
        let mask = own_mask(line, backdrop, place);
        let pictures = match backdrop {
            Some(_) => Vec::new(),
            None => pictures_beside(&line.track.crop, line.track.line.place(place.scale), em),
        };
        let mask = pictures.iter().fold(mask, |mask, picture| mask.union(&picture_mask(picture, place))).trimmed();
        let own = line.track.line.place(place.scale);
        // It may be read at another angle than the first one.
        let apart = line.rotation() - first;
        let ways: BTreeMap<u64, Pose> = line.ways().collect();
        for &frame in &frames {
            let stands = (line.track.first..=line.track.last).contains(&frame);
            let (its, there, angle) = match ways.get(&frame).filter(|_| !stands) {
                Some(pose) if pose.is_moved() || line.track.is_passing => {
                    let (mask, there) = posed((&mask, own), line.track.middle, *pose, place);
                    (mask, there, if pose.is_turned() { f64::from(pose.angle).to_degrees() } else { 0.0 })
                }
                // A line that stands while another one moves, or only fades.
                None if !stands && !ways.contains_key(&frame) => continue,
                _ => (mask.clone(), own, 0.0),
            };
            let joined = moves.entry(frame).and_modify(|(mask, bounds, _)| {
                (*mask, *bounds) = (mask.union(&its), bounds.union(there));
            });
            joined.or_insert((its, there, apart + angle));
        }
    }
    if lines.iter().any(|line| line.track.is_passing) {
        let is_there = |line: &&ReadLine, frame: u64| (line.track.first..=line.track.last).contains(&frame);
        fill_gaps(&mut moves, |frame| lines.iter().any(|line| is_there(line, frame)));
    }
    // In tenths.
    let degrees = |angle: f64| (((angle + 180.0).rem_euclid(360.0) - 180.0) * 10.0).round() / 10.0;
    let found = moves.into_iter().map(|(frame, (mask, bounds, angle))| FoundMove {
        frame,
        region: place.region(bounds, beyond, size),
        rotation: degrees(angle),
        mask: place.whole(mask, size),
    });
    found.filter(|found| !found.mask.is_empty()).collect()
}

/// Where lines are that never stand still in the few frames in which they were lost: where they are before and after. `stands`:
/// whether any of them stands in a frame.
fn fill_gaps(moves: &mut BTreeMap<u64, (Mask, Bounds, f64)>, stands: impl Fn(u64) -> bool) {
    let known: Vec<u64> = moves.keys().copied().collect();
    for (before, after) in known.iter().zip(known.iter().skip(1)).filter(|(before, after)| *after - *before <= LOST) {
        for frame in (before + 1..*after).filter(|frame| !stands(*frame)) {
            let ((one, there, angle), (two, next, _)) = (&moves[before], &moves[after]);
            let both = (one.union(two), there.union(*next), *angle);
            moves.insert(frame, both);
        }
    }
}

/// The mask and the bounds of a line in another pose, in pixels of the pictures that were decoded.
fn posed((mask, own): (&Mask, Bounds), middle: Point, pose: Pose, place: &Place) -> (Mask, Bounds) {
    let scale = place.scale as f64;
    let middle = (f64::from(middle.0) * scale, f64::from(middle.1) * scale);
    let there = Posed {
        middle,
        shift: (f64::from(pose.x) * scale, f64::from(pose.y) * scale),
        scale: f64::from(pose.scale),
        angle: f64::from(pose.angle),
        // It was looked for in steps of one of the pixels in which letters are, and in some of its size and of its angle.
        edge: scale,
        unsure: if pose.is_sized() || pose.is_turned() { UNSURE } else { 0.0 },
    };
    let size = (place.pictures.0 as usize, place.pictures.1 as usize);
    let about = (middle.0 as f32, middle.1 as f32);
    (mask.posed(&there, place.pictures), pose.bounds(own, about, place.scale, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::SourceRect;

    #[test]
    fn what_is_lost_for_a_moment_is_where_it_was_and_will_be() {
        let there = |left: usize| {
            let bounds = Bounds { left, top: 10, right: left + 20, bottom: 20 };
            let rect = SourceRect { x: left as u32, y: 10, width: 20, height: 10 };
            (Mask::all_of(rect), bounds, left as f64)
        };
        let mut moves = BTreeMap::from([(4, there(0)), (5, there(10)), (8, there(40)), (9 + LOST, there(80))]);
        fill_gaps(&mut moves, |frame| frame == 6);
        assert_eq!(
            moves.keys().copied().collect::<Vec<_>>(),
            [4, 5, 7, 8, 9 + LOST],
            "it stands in 6, and is gone for long"
        );
        let (mask, bounds, angle) = &moves[&7];
        assert_eq!((*bounds, *angle), (there(10).1.union(there(40).1), 10.0));
        assert!(mask.has(5, 5) && mask.has(29, 5) && !mask.has(17, 5), "both, and not what is between them");
    }

    #[test]
    fn what_is_connected_goes_on_over_sides_within_its_rows() {
        let rows = ["##..#", "#...#", "..#.#", "###.."];
        let alike: Vec<bool> = rows.iter().flat_map(|row| row.bytes()).map(|byte| byte == b'#').collect();
        let from = |at: usize| (0..alike.len()).map(|other| other == at).collect();
        let all = |at: usize| -> Vec<usize> {
            let found = connected(from(at), &alike, 5);
            (0..found.len()).filter(|&at| found[at]).collect()
        };
        assert_eq!(all(0), [0, 1, 5]);
        assert_eq!(all(4), [4, 9, 14], "the next row is not beside it");
        assert_eq!(all(15), [12, 15, 16, 17]);
        assert_eq!(all(3), [3, 4, 9, 14], "what is near belongs to it, and what it touches");
    }
}
