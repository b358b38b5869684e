//! From one picture to the next.

use std::str::FromStr;

use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use super::alpha::{CHROMA_BASE, LUMA_BASE};
use super::{I420Mut, I420Ref, PlaneMut, PlaneRef};

/// How one picture gives way to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransitionKind {
    /// Without any.
    Cut,
    /// The next one shines through more and more. Default.
    #[default]
    Dissolve,
    /// The old one fades to black, and the next one from black.
    Fade,
    /// An edge moves over the canvas, behind which the next one is.
    Wipe,
    /// The next one slides over the old one.
    Slide,
    /// The next one pushes the old one out.
    Push,
    /// The old one grows and fades.
    Zoom,
}

impl TransitionKind {
    /// The names as they are written.
    pub const NAMES: [&'static str; 7] = ["cut", "dissolve", "fade", "wipe", "slide", "push", "zoom"];
}

impl FromStr for TransitionKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "cut" => Ok(Self::Cut),
            "dissolve" => Ok(Self::Dissolve),
            "fade" => Ok(Self::Fade),
            "wipe" => Ok(Self::Wipe),
            "slide" => Ok(Self::Slide),
            "push" => Ok(Self::Push),
            "zoom" => Ok(Self::Zoom),
            _ => Err(()),
        }
    }
}

/// Where to things move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    /// Default: as a finger swipes to see the next.
    #[default]
    Left,
    Right,
    Up,
    Down,
}

impl Direction {
    /// The names as they are written.
    pub const NAMES: [&'static str; 4] = ["left", "right", "up", "down"];
}

impl FromStr for Direction {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "left" => Ok(Self::Left),
            "right" => Ok(Self::Right),
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err(()),
        }
    }
}

/// Rows or columns over which the edge of a wipe is soft.
const SOFT_EDGE: f64 = 24.0;

/// How much the old picture has grown at the end of a zoom.
pub(crate) const ZOOM: f64 = 1.35;

/// Draws on `target` what is seen of `old` and `new`, all of the same even size, when the transition is `done` (0 to 1).
/// For a zoom, `old` has grown already.
pub(crate) fn blend_transition(
    kind: TransitionKind,
    direction: Direction,
    done: f64,
    old: I420Ref<'_>,
    new: I420Ref<'_>,
    target: &mut I420Mut<'_>,
) {
    let done = done.clamp(0.0, 1.0);
    let pairs = [(old.y, new.y, 1, LUMA_BASE), (old.u, new.u, 2, CHROMA_BASE), (old.v, new.v, 2, CHROMA_BASE)];
    let targets = [&mut target.y, &mut target.u, &mut target.v];
    // Whole chroma samples: all planes move by the same.
    let size = if matches!(direction, Direction::Left | Direction::Right) { old.y.width() } else { old.y.height() };
    let moved = 2 * (done * size as f64 / 2.0).round() as usize;
    for ((old, new, by, black), target) in pairs.into_iter().zip(targets) {
        match kind {
            TransitionKind::Cut => copy(if done < 0.5 { old } else { new }, target),
            TransitionKind::Dissolve | TransitionKind::Zoom => mix(old, new, (done * 256.0).round() as u32, target),
            TransitionKind::Fade => {
                let (seen, left) = if done < 0.5 { (old, 1.0 - 2.0 * done) } else { (new, 2.0 * done - 1.0) };
                dim(seen, black, (left * 256.0).round() as u16, target);
            }
            TransitionKind::Wipe => wipe(old, new, direction, done, by as f64, target),
            TransitionKind::Slide => shift(old, new, direction, moved / by, false, target),
            TransitionKind::Push => shift(old, new, direction, moved / by, true, target),
        }
    }
}

fn copy(from: PlaneRef<'_>, target: &mut PlaneMut<'_>) {
    for y in 0..from.height() {
        target.row_mut(y).copy_from_slice(from.row(y));
    }
}

/// `weight` of 256 parts of `new`.
fn mix(old: PlaneRef<'_>, new: PlaneRef<'_>, weight: u32, target: &mut PlaneMut<'_>) {
    for y in 0..old.height() {
        mix_row(old.row(y), new.row(y), weight, target.row_mut(y));
    }
}

/// `left` of 256 parts of what is seen, the rest black.
fn dim(seen: PlaneRef<'_>, black: u8, left: u16, target: &mut PlaneMut<'_>) {
    for y in 0..seen.height() {
        dim_row(seen.row(y), black, left, target.row_mut(y));
    }
}

#[multiversion(targets = "simd")]
fn dim_row(seen: &[u8], black: u8, left: u16, target: &mut [u8]) {
    let black = u16::from(black) * (256 - left) + 128;
    for (target, &seen) in target.iter_mut().zip(seen) {
        *target = ((u16::from(seen) * left + black) >> 8) as u8;
    }
}

#[multiversion(targets = "simd")]
fn mix_row(old: &[u8], new: &[u8], weight: u32, target: &mut [u8]) {
    let weight = weight.min(256) as u16;
    for ((target, &old), &new) in target.iter_mut().zip(old).zip(new) {
        *target = ((u16::from(old) * (256 - weight) + u16::from(new) * weight + 128) >> 8) as u8;
    }
}

/// A weight for each sample, of 256 parts.
#[multiversion(targets = "simd")]
fn mix_each(old: &[u8], new: &[u8], weights: &[u16], target: &mut [u8]) {
    for (target, ((&old, &new), &weight)) in target.iter_mut().zip(old.iter().zip(new).zip(weights)) {
        *target = ((u16::from(old) * (256 - weight) + u16::from(new) * weight + 128) >> 8) as u8;
    }
}

fn wipe(old: PlaneRef<'_>, new: PlaneRef<'_>, direction: Direction, done: f64, by: f64, target: &mut PlaneMut<'_>) {
    let soft = SOFT_EDGE / by;
    let size = if matches!(direction, Direction::Left | Direction::Right) { old.width() } else { old.height() };
    // The edge starts and ends outside, with all of its softness.
    let edge = done * (size as f64 + soft) - soft / 2.0;
    let weight = |place: usize| {
        let place = match direction {
            Direction::Right | Direction::Down => place as f64 + 0.5,
            Direction::Left | Direction::Up => size as f64 - place as f64 - 0.5,
        };
        (((edge - place) / soft + 0.5).clamp(0.0, 1.0) * 256.0).round() as u32
    };
    match direction {
        Direction::Up | Direction::Down => {
            for y in 0..old.height() {
                mix_row(old.row(y), new.row(y), weight(y), target.row_mut(y));
            }
        }
        Direction::Left | Direction::Right => {
            let weights: Vec<u16> = (0..old.width()).map(|x| weight(x) as u16).collect();
            for y in 0..old.height() {
                mix_each(old.row(y), new.row(y), &weights, target.row_mut(y));
            }
        }
    }
}

/// `new` comes in by `moved` samples; `old` goes with it if it is `pushed`, and else stays.
fn shift(
    old: PlaneRef<'_>,
    new: PlaneRef<'_>,
    direction: Direction,
    moved: usize,
    pushed: bool,
    target: &mut PlaneMut<'_>,
) {
    let (width, height) = (old.width(), old.height());
    for y in 0..height {
        let row = target.row_mut(y);
        match direction {
            Direction::Left => {
                let moved = moved.min(width);
                let kept = width - moved;
                row[..kept].copy_from_slice(if pushed { &old.row(y)[moved..] } else { &old.row(y)[..kept] });
                row[kept..].copy_from_slice(&new.row(y)[..moved]);
            }
            Direction::Right => {
                let moved = moved.min(width);
                let kept = width - moved;
                row[..moved].copy_from_slice(&new.row(y)[kept..]);
                row[moved..].copy_from_slice(if pushed { &old.row(y)[..kept] } else { &old.row(y)[moved..] });
            }
            Direction::Up => {
                let kept = height - moved.min(height);
                let from = match (y < kept, pushed) {
                    (true, true) => old.row(y + height - kept),
                    (true, false) => old.row(y),
                    (false, _) => new.row(y - kept),
                };
                row.copy_from_slice(from);
            }
            Direction::Down => {
                let moved = moved.min(height);
                let from = match (y < moved, pushed) {
                    (true, _) => new.row(y + height - moved),
                    (false, true) => old.row(y - moved),
                    (false, false) => old.row(y),
                };
                row.copy_from_slice(from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 96;

    /// The luma of a transition from columns of their own number to rows of 100 and their number.
    fn seen(kind: TransitionKind, direction: Direction, done: f64) -> Vec<u8> {
        let old: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| (at % WIDTH) as u8).collect();
        let new: Vec<u8> = (0..WIDTH * HEIGHT).map(|at| 100 + (at % WIDTH) as u8).collect();
        let (c, d) = (vec![60; WIDTH * HEIGHT / 4], vec![200; WIDTH * HEIGHT / 4]);
        let view = |y, c| {
            let plane = |data, by: usize| PlaneRef::new(data, WIDTH / by, HEIGHT / by, WIDTH / by).expect("fits");
            I420Ref { y: plane(y, 1), u: plane(c, 2), v: plane(c, 2) }
        };
        let (mut y, mut u, mut v) = (vec![0; WIDTH * HEIGHT], c.clone(), c.clone());
        let mut target = I420Mut {
            y: PlaneMut::new(&mut y, WIDTH, HEIGHT, WIDTH).expect("fits"),
            u: PlaneMut::new(&mut u, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
            v: PlaneMut::new(&mut v, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
        };
        blend_transition(kind, direction, done, view(&old, &c), view(&new, &d), &mut target);
        y
    }

    #[test]
    fn all_begin_with_the_old_and_end_with_the_new_one() {
        use TransitionKind::{Cut, Dissolve, Fade, Push, Slide, Wipe, Zoom};
        for kind in [Cut, Dissolve, Fade, Wipe, Slide, Push, Zoom] {
            for direction in [Direction::Left, Direction::Right, Direction::Up, Direction::Down] {
                let (first, last) = (seen(kind, direction, 0.0), seen(kind, direction, 1.0));
                assert!(first.iter().enumerate().all(|(at, &value)| usize::from(value) == at % WIDTH), "{kind:?}");
                assert!(last.iter().enumerate().all(|(at, &value)| usize::from(value) == 100 + at % WIDTH), "{kind:?}");
            }
        }
    }

    #[test]
    fn halfway_each_is_what_its_name_says() {
        use Direction::{Down, Left, Right, Up};
        use TransitionKind::{Dissolve, Fade, Push, Slide, Wipe};
        let at = |picture: &[u8], x: usize, y: usize| picture[y * WIDTH + x];
        assert_eq!(at(&seen(Dissolve, Left, 0.5), 10, 5), 60);
        assert_eq!(at(&seen(Fade, Left, 0.5), 10, 5), 16, "black in the middle");
        assert_eq!(at(&seen(Fade, Left, 0.25), 48, 5), 32, "half of the old one");
        assert_eq!(at(&seen(Fade, Left, 0.75), 48, 5), 82, "half of the new one");
        let push = seen(Push, Left, 0.5);
        assert_eq!((at(&push, 0, 9), at(&push, 31, 9), at(&push, 32, 9), at(&push, 63, 9)), (32, 63, 100, 131));
        let push = seen(Push, Right, 0.5);
        assert_eq!((at(&push, 0, 9), at(&push, 31, 9), at(&push, 32, 9), at(&push, 63, 9)), (132, 163, 0, 31));
        let slide = seen(Slide, Left, 0.5);
        assert_eq!((at(&slide, 0, 9), at(&slide, 31, 9), at(&slide, 32, 9)), (0, 31, 100));
        let (up, down) = (seen(Slide, Up, 0.25), seen(Slide, Down, 0.25));
        assert_eq!((at(&up, 7, 71), at(&up, 7, 72)), (7, 107));
        assert_eq!((at(&down, 7, 23), at(&down, 7, 24)), (107, 7));
        let wipe = seen(Wipe, Right, 0.5);
        assert_eq!((at(&wipe, 2, 3), at(&wipe, 61, 3)), (102, 61), "behind the edge and before it");
        let wipe = seen(Wipe, Up, 0.5);
        assert_eq!((at(&wipe, 5, 90), at(&wipe, 5, 5)), (105, 5));
    }
}
