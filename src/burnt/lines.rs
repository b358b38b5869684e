//! Lines of text in one picture, by the shape of their letters.

use super::components::{Bounds, Component, Gray, Polarity, components, contrast};
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
}

impl Line {
    fn of(letters: Vec<Component>, polarity: Polarity) -> Option<Self> {
        let bounds = letters.iter().map(|letter| letter.bounds).reduce(Bounds::union)?;
        Some(Self { bounds, letters, polarity, likeness: 0.0 })
    }

    /// The usual height of its letters, without dots and accents.
    pub(super) fn letter_height(&self) -> usize {
        let mut heights: Vec<_> = self.letters.iter().map(|letter| letter.bounds.height()).collect();
        heights.sort_unstable();
        let highest = heights.last().copied().unwrap_or(1);
        heights.retain(|height| height * 3 >= highest);
        heights[heights.len() * 2 / 3]
    }
}

/// The most letters of a picture, of each side of their surroundings, and the most dots.
const MOST_LETTERS: usize = 1_500;
const MOST_DOTS: usize = 10_000;
/// How much a line must look like text.
const LIKELY: f64 = 0.25;

/// The lines in `picture`, those first that look the most like text; `is_stable` tells whether a component has stood still
/// for long enough. `chroma` are the planes of a picture that is `scale` times as large.
pub(super) fn lines(
    picture: &Gray,
    chroma: [PlaneRef<'_>; 2],
    scale: usize,
    is_stable: impl Fn(&Component) -> bool,
) -> Vec<Line> {
    let mask = contrast(picture);
    let height = picture.height as f64;
    let (least, most) = ((height * HEIGHTS.0).max(4.0) as usize, (height * HEIGHTS.1) as usize);
    let mut found = Vec::new();
    for polarity in [Polarity::Light, Polarity::Dark] {
        let parts = components(picture, &mask, polarity, |bounds, area| {
            area >= 4 && bounds.height() <= most && bounds.width() <= most * 8
        });
        let mut parts: Vec<Component> =
            parts.into_iter().filter(|part| is_flat(part, picture) && is_stable(part)).collect();
        parts.iter_mut().for_each(|part| part.find_color(chroma, scale));
        found.extend(grouped(parts, polarity, least));
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

/// Whether a component may be a letter, or letters that touch.
fn is_letter(part: &Component, least: usize) -> bool {
    let (width, height) = (part.bounds.width(), part.bounds.height());
    let density = part.area as f64 / part.bounds.area() as f64;
    // A box behind a text, or a bar.
    let is_box = width > 3 * height && density > 0.62;
    height >= least && width <= 14 * height && density >= 0.1 && !is_box && !(density > 0.97 && width > height / 2)
}

fn grouped(parts: Vec<Component>, polarity: Polarity, least: usize) -> Vec<Line> {
    let (mut letters, mut rest): (Vec<Component>, Vec<Component>) =
        parts.into_iter().partition(|part| is_letter(part, least));
    // The largest, where there are too many: each is compared with the others.
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.area));
    letters.truncate(MOST_LETTERS);
    letters.sort_by_key(|letter| letter.bounds.left);
    let grounds: Vec<bool> = (0..letters.len()).map(|number| is_ground(&letters, number, polarity)).collect();
    let mut grounds = grounds.into_iter();
    letters.retain(|_| grounds.next() != Some(true));
    // Each letter joins the line whose last letters it continues.
    let mut lines: Vec<Vec<Component>> = Vec::new();
    for letter in letters {
        let fits = |line: &Vec<Component>| {
            let bounds = line.iter().map(|other| other.bounds).fold(letter.bounds, Bounds::union);
            let heights = line.iter().map(|other| other.bounds.height());
            let highest = heights.clone().fold(letter.bounds.height(), usize::max);
            let lowest = heights.fold(letter.bounds.height(), usize::min);
            // Stems above and below a small letter are half as high again. What is larger by far does not tie lines together.
            bounds.height() * 10 <= highest * 15
                && highest * 10 <= lowest * 34
                && line.iter().rev().take(3).any(|other| continues(other, &letter))
        };
        let near = |line: &Vec<Component>| {
            line.iter().rev().take(3).map(|other| letter.bounds.left.saturating_sub(other.bounds.right)).min()
        };
        let best = (0..lines.len()).filter(|&line| fits(&lines[line])).min_by_key(|&line| near(&lines[line]));
        match best {
            Some(line) => lines[line].push(letter),
            None => lines.push(vec![letter]),
        }
    }
    // Dots of large letters are as high as small letters are.
    let is_dot = |line: &Vec<Component>| line.len() == 1 && line[0].bounds.height() <= 2 * least;
    let (dots, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_dot);
    let mut lines: Vec<Line> = lines.into_iter().filter_map(|letters| Line::of(letters, polarity)).collect();
    lines.retain(|line| likeness(line, least) > 0.0);
    // The largest first: dots and accents belong to it.
    lines.sort_by_key(|line| std::cmp::Reverse(line.bounds.area()));
    rest.truncate(MOST_DOTS);
    let mut dots = Dots::new(dots.into_iter().flatten());
    let mut rest = Dots::new(rest);
    for line in &mut lines {
        let height = line.letter_height();
        dots.join(line, height / 3, height);
        // Twice, since signs of some scripts are of parts that lie apart.
        rest.join(line, height * 9 / 10, height);
        rest.join(line, height * 9 / 10, height);
    }
    lines.iter_mut().for_each(|line| line.likeness = likeness(line, least));
    lines.retain(|line| line.likeness >= LIKELY);
    lines
}

/// What is no letter by itself, by its left edge; each until a line has it.
struct Dots(Vec<Option<Component>>);

impl Dots {
    fn new(parts: impl IntoIterator<Item = Component>) -> Self {
        let mut parts: Vec<Component> = parts.into_iter().collect();
        parts.sort_by_key(|part| part.bounds.left);
        Self(parts.into_iter().map(Some).collect())
    }

    /// Gives a line, whose letters are `height` high, those of its colour that are within it or `across` beside it.
    fn join(&mut self, line: &mut Line, across: usize, height: usize) {
        let reach = line.bounds.grown(across, height / 3, (usize::MAX, usize::MAX));
        // Those that are gone have no place: the search looks for the next one that has.
        let left = |part: &Option<Component>| part.as_ref().map(|part| part.bounds.left);
        let first = self.0.iter().position(|part| left(part) >= Some(reach.left)).unwrap_or(self.0.len());
        for part in &mut self.0[first..] {
            if left(part) >= Some(reach.right) {
                break;
            }
            let belongs = |part: &Component| {
                reach.contains(&part.bounds)
                    && part.bounds.height() * 10 <= height * 11
                    && line.letters.iter().any(|letter| letter.is_like(part))
            };
            if part.as_ref().is_some_and(belongs)
                && let Some(part) = part.take()
            {
                line.bounds = line.bounds.union(part.bounds);
                line.letters.push(part);
            }
        }
    }
}

/// How much a line looks like letters, 0 to 1: they stand on a line, are as bright as each other, and are drawn with strokes.
fn likeness(line: &Line, least: usize) -> f64 {
    let letters: Vec<&Component> = line.letters.iter().filter(|letter| letter.bounds.height() >= least).collect();
    let height = line.letter_height();
    let density = |letter: &Component| letter.area as f64 / letter.bounds.area() as f64;
    match letters[..] {
        [] => return 0.0,
        // A word whose letters touch.
        [only] => {
            let is_word =
                only.bounds.width() * 10 >= 13 * only.bounds.height() && (0.12..=0.6).contains(&density(only));
            return if is_word { 0.3 } else { 0.0 };
        }
        _ => (),
    }
    let share = |is: &dyn Fn(&Component) -> bool| {
        letters.iter().filter(|letter| is(letter)).count() as f64 / letters.len() as f64
    };
    let middle = |at: &dyn Fn(&Component) -> usize| {
        let mut places: Vec<usize> = letters.iter().map(|letter| at(letter)).collect();
        places.sort_unstable();
        places[places.len() / 2]
    };
    let near = (height / 6).max(2);
    let (foot, head) = (middle(&|letter| letter.bounds.bottom), middle(&|letter| letter.bounds.top));
    let level =
        share(&|letter| letter.bounds.bottom.abs_diff(foot) <= near || letter.bounds.top.abs_diff(head) <= near);
    let fill = middle(&|letter| usize::from(letter.fill));
    let even = share(&|letter| usize::from(letter.fill).abs_diff(fill) <= 30);
    // Windows and bars are filled whole; so are few letters.
    let drawn = share(&|letter| density(letter) <= 0.82);
    if level < 0.6 || even < 0.6 || drawn < 0.4 {
        return 0.0;
    }
    level * even * drawn.sqrt() * letters.len() as f64 / (letters.len() + 3) as f64
}

/// Whether a component is what is between the letters of others: they lie within its bounds, and differ more from what is
/// around all of it.
fn is_ground(letters: &[Component], number: usize, polarity: Polarity) -> bool {
    let ground = &letters[number];
    let reached = letters.iter().take_while(|other| other.bounds.left < ground.bounds.right);
    let within = reached.filter(|other| {
        let (nearer, further) = match polarity {
            Polarity::Light => (ground.fill, other.fill),
            Polarity::Dark => (other.fill, ground.fill),
        };
        ground.bounds.shared(&other.bounds) * 2 >= other.bounds.area() && further > nearer.saturating_add(15)
    });
    within.count() >= 2
}

/// Whether `letter` stands on the line of `before`, and near it.
fn continues(before: &Component, letter: &Component) -> bool {
    let (one, other) = (&before.bounds, &letter.bounds);
    let (low, high) = (one.height().min(other.height()), one.height().max(other.height()));
    // A word space, and a little more.
    let gap = other.left.saturating_sub(one.right);
    let is_near = gap * 10 <= high * 9;
    let is_level = one.shared_rows(other) * 10 >= low * 6;
    is_near && is_level && low * 22 >= high * 10 && before.is_like(letter)
}

/// Leaves out rims of letters, the holes in them, and what surrounds them.
fn without_rims(lines: Vec<Line>) -> Vec<Line> {
    let is_rim = |line: &Line| {
        lines.iter().filter(|other| other.polarity != line.polarity).any(|other| {
            let shared = line.bounds.shared(&other.bounds) as f64;
            if shared < 0.5 * line.bounds.area().min(other.bounds.area()) as f64 {
                return false;
            }
            let (inner, outer) = if line.bounds.area() >= other.bounds.area() { (other, line) } else { (line, other) };
            let (height, around) = (inner.letter_height() * 100, outer.letter_height());
            if std::ptr::eq(inner, line) {
                // The holes in letters, and what is between them. What looks more like text than they do is none.
                return height < around * 42 && line.likeness < other.likeness;
            }
            // Rims of letters touch. Where it is not clear, reading will tell.
            let all = shared * 10.0 >= outer.bounds.area() as f64 * 6.0;
            all && height >= around * 60 && inner.letters.len() >= outer.letters.len()
        })
    };
    let rims: Vec<bool> = lines.iter().map(is_rim).collect();
    // What has a rim was drawn by somebody.
    let has_rim = |line: &Line| {
        let rims = lines.iter().zip(&rims).filter(|(_, is_rim)| **is_rim).map(|(rim, _)| rim);
        let mut around = rims.filter(|rim| rim.polarity != line.polarity);
        around.any(|rim| rim.bounds.shared(&line.bounds) * 10 >= line.bounds.area() * 8)
    };
    let rimmed: Vec<bool> = lines.iter().map(has_rim).collect();
    let kept = lines.into_iter().zip(rims).zip(rimmed).filter(|((_, is_rim), _)| !is_rim);
    kept.map(|((line, _), rimmed)| {
        let likeness = if rimmed { (line.likeness * 1.5).min(1.0) } else { line.likeness };
        Line { likeness, ..line }
    })
    .collect()
}
