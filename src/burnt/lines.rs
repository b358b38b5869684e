//! Lines of text in one picture, by the shape of their letters.

use super::components::{Bounds, Component, Gray, Polarity, components, contrast};
use super::group::grouped;
use super::tilt::{height, is_among, is_level, is_parallel, tilted, turned};
use crate::compose::PlaneRef;

/// The least and the largest height of a letter, in parts of the picture's height: 15 to 250 pixels of 1,920.
const HEIGHTS: (f64, f64) = (0.008, 0.13);

/// A line of text that may be one.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) bounds: Bounds,
    /// Its letters, from left to right, and then their dots and accents.
    pub(super) letters: Vec<Component>,
    pub(super) polarity: Polarity,
    /// How much it looks like text, 0 to 1.
    pub(super) likeness: f64,
    /// Rows by which it falls with each column; 0 for a level one.
    pub(super) slope: f64,
}

/// A picture in which lines are looked for.
pub(super) struct View<'a> {
    pub(super) gray: &'a Gray,
    /// The colour differences of the picture that it was made of, which is `scale` times as large.
    pub(super) chroma: [PlaneRef<'a>; 2],
    pub(super) scale: usize,
}

impl View<'_> {
    /// The least height of a letter, and the largest.
    pub(super) fn heights(&self) -> (usize, usize) {
        let height = self.gray.height as f64;
        ((height * HEIGHTS.0).max(4.0) as usize, (height * HEIGHTS.1) as usize)
    }
}

impl Line {
    pub(super) fn of(letters: Vec<Component>, polarity: Polarity) -> Option<Self> {
        let bounds = letters.iter().map(|letter| letter.bounds).reduce(Bounds::union)?;
        Some(Self { bounds, letters, polarity, likeness: 0.0, slope: 0.0 })
    }

    /// Whether it is there as a part of another, or that as a part of it, by more than half.
    pub(super) fn is_part(&self, other: &Self) -> bool {
        let (shared, own, its) = self.areas(other);
        shared * 2 >= own.min(its)
    }

    /// The area that it and another have in common, and that of each. Upright boxes around lines at an angle are empty for the most part:
    /// two of the same angle are compared by their own rows, and of two others those letters of the smaller one count that lie among
    /// the other's.
    pub(super) fn areas(&self, other: &Self) -> (usize, usize, usize) {
        if is_level(self.slope) && is_level(other.slope) {
            return (self.bounds.shared(&other.bounds), self.bounds.area(), other.bounds.area());
        }
        if !is_parallel(self.slope, other.slope) {
            let area = |line: &Self| line.letters.iter().map(|letter| letter.bounds.area()).sum::<usize>();
            let (own, its) = (area(self), area(other));
            let (smaller, larger) = if own <= its { (self, other) } else { (other, self) };
            let rows = turned(&larger.letters, larger.slope);
            let among = smaller.letters.iter().filter(|letter| is_among(letter.bounds, rows, larger.slope));
            return (among.map(|letter| letter.bounds.area()).sum(), own, its);
        }
        let [one, two] = [self, other].map(|line| turned(&line.letters, self.slope));
        let side = |start: f64, end: f64| (end - start).max(0.0);
        let area = |[left, top, right, bottom]: [f64; 4]| (side(left, right) * side(top, bottom)) as usize;
        let both = [one[0].max(two[0]), one[1].max(two[1]), one[2].min(two[2]), one[3].min(two[3])];
        (area(both), area(one), area(two))
    }

    /// The usual height of its letters, without dots and accents.
    pub(super) fn letter_height(&self) -> usize {
        usual_height(self.letters.iter().map(|letter| height(&letter.bounds, self.slope)))
    }
}

/// The usual one of these heights of letters, without those of dots and accents.
pub(super) fn usual_height(heights: impl Iterator<Item = usize>) -> usize {
    let mut heights: Vec<_> = heights.collect();
    heights.sort_unstable();
    let highest = heights.last().copied().unwrap_or(1);
    heights.retain(|height| height * 3 >= highest);
    heights.get(heights.len() * 2 / 3).copied().unwrap_or(1)
}

/// The lines in a picture, those first that look the most like text; `is_stable` tells whether a component has stood still
/// for long enough, and `has_tilted` whether lines at an angle are looked for, too.
pub(super) fn lines(view: &View<'_>, has_tilted: bool, is_stable: impl Fn(&Component) -> bool) -> Vec<Line> {
    let mask = contrast(view.gray);
    let (least, most) = view.heights();
    let mut found = Vec::new();
    for polarity in [Polarity::Light, Polarity::Dark] {
        let parts = components(view.gray, &mask, polarity, |bounds, area| {
            area >= 4 && bounds.height() <= most && bounds.width() <= most * 8
        });
        let mut parts: Vec<Component> =
            parts.into_iter().filter(|part| is_flat(part, view.gray) && is_stable(part)).collect();
        parts.iter_mut().for_each(|part| part.find_color(view.chroma, view.scale));
        let all = has_tilted.then(|| parts.clone());
        let level = grouped(parts, polarity, least);
        found.extend(all.map(|all| tilted(&all, polarity, least, &level)).unwrap_or_default());
        found.extend(level);
    }
    let mut found = without_rims(found);
    found.sort_by(|one, other| other.likeness.total_cmp(&one.likeness));
    found
}

/// Whether most of a component has nearly its median luma: what is drawn has, and what is filmed seldom.
fn is_flat(part: &Component, picture: &Gray) -> bool {
    // Dots and commas are all edge.
    if part.area < 40 {
        return true;
    }
    let mut near = 0;
    for run in &part.runs {
        near += picture.row(run.y)[run.start..run.end].iter().filter(|value| value.abs_diff(part.fill) <= 26).count();
    }
    // Thin strokes are half edge: a pixel of each run is.
    let inner = part.area.saturating_sub(part.runs.len());
    near * 10 >= inner * 6 && near * 10 >= part.area * 4
}

/// Leaves out rims of letters, the holes in them, and what surrounds them.
fn without_rims(lines: Vec<Line>) -> Vec<Line> {
    let is_rim = |line: &Line| {
        let height = line.letter_height() * 100;
        // What is surrounded by this line: what share of it, and how many letters.
        let (mut covered, mut letters) = (0.0, 0);
        // What has another angle is no rim: among many things some lie in a row by chance, and over whole lines.
        let near = lines.iter().filter(|other| is_parallel(other.slope, line.slope));
        for other in near.filter(|other| other.polarity != line.polarity) {
            let (shared, own, its) = line.areas(other);
            if shared * 2 < own.min(its) {
                continue;
            }
            if own < its {
                // The holes in letters, and what is between them. What looks more like text than they do is none.
                if height < other.letter_height() * 42 && line.likeness < other.likeness {
                    return true;
                }
            } else if other.letter_height() * 100 >= line.letter_height() * 60 {
                covered += shared as f64 / own.max(1) as f64;
                letters += other.letters.len();
            }
        }
        // Rims of letters touch. Where it is not clear, reading will tell.
        covered >= 0.5 && letters >= line.letters.len()
    };
    let rims: Vec<bool> = lines.iter().map(is_rim).collect();
    // What has a rim was drawn by somebody.
    let has_rim = |line: &Line| {
        let rims = lines.iter().zip(&rims).filter(|(_, is_rim)| **is_rim).map(|(rim, _)| rim);
        let mut around = rims.filter(|rim| rim.polarity != line.polarity);
        around.any(|rim| {
            let (shared, own, _) = line.areas(rim);
            shared * 10 >= own * 8
        })
    };
    let rimmed: Vec<bool> = lines.iter().map(has_rim).collect();
    let kept = lines.into_iter().zip(rims).zip(rimmed).filter(|((_, is_rim), _)| !is_rim);
    kept.map(|((line, _), rimmed)| {
        let likeness = if rimmed { (line.likeness * 1.5).min(1.0) } else { line.likeness };
        Line { likeness, ..line }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of so many letters in these bounds.
    fn line(bounds: Bounds, letters: usize, polarity: Polarity) -> Line {
        let letter = Component { bounds, runs: Vec::new(), area: 1, fill: 0, chroma: [128; 2] };
        Line { likeness: 0.6, ..Line::of(vec![letter; letters], polarity).expect("has letters") }
    }

    #[test]
    fn a_rim_is_what_words_are_in() {
        let rim = |letters: usize| line(Bounds { left: 0, top: 0, right: 320, bottom: 50 }, letters, Polarity::Dark);
        let word = |left: usize, right: usize| line(Bounds { left, top: 8, right, bottom: 43 }, 5, Polarity::Light);
        let words = || vec![word(5, 95), word(105, 195), word(205, 315)];
        let left = |lines: Vec<Line>| {
            let left = without_rims(lines);
            left.iter().map(|line| (line.polarity, line.likeness > 0.6)).collect::<Vec<_>>()
        };
        // They have a rim: that is more like text.
        assert_eq!(left([words(), vec![rim(9)]].concat()), [(Polarity::Light, true); 3]);
        // Each of them by itself is a small part of it.
        let [first, ..] = &words()[..] else { unreachable!() };
        assert_eq!(left(vec![first.clone(), rim(9)]), [(Polarity::Light, false), (Polarity::Dark, false)]);
        // Level words beside and among the letters of a large line at an angle are in no rim of it.
        let letter = |x: usize, y: usize, side: usize| Component {
            bounds: Bounds { left: x, top: y, right: x + side, bottom: y + side },
            runs: Vec::new(),
            area: 1,
            fill: 0,
            chroma: [128; 2],
        };
        let large = Line::of((0..8).map(|number| letter(40 * number, 15 * number, 30)).collect(), Polarity::Dark);
        let large = Line { slope: 0.375, likeness: 0.9, ..large.expect("has letters") };
        let small = |left: usize, top: usize| {
            let line = Line::of((0..6).map(|number| letter(left + 12 * number, top, 9)).collect(), Polarity::Light);
            Line { likeness: 0.5, ..line.expect("has letters") }
        };
        assert_eq!(without_rims(vec![large.clone(), small(5, 120)]).len(), 2);
        assert_eq!(without_rims(vec![large.clone(), small(90, 48)]).len(), 2);
        let small = Line { slope: 0.375, ..small(90, 48) };
        assert_eq!(without_rims(vec![large, small]).len(), 1, "what is between its letters is none");
        // Rims of letters touch: what has more letters than is in it is none.
        assert_eq!(left([words(), vec![rim(30)]].concat()).len(), 4);
    }
}
