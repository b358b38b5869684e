//! Letters in one picture, and the lines that they make.

use super::components::{Bounds, Component, Polarity};
use super::lines::{Line, usual_height};

/// The most letters of a picture, of each side of their surroundings, and the most dots.
const MOST_LETTERS: usize = 1_500;
const MOST_DOTS: usize = 10_000;
/// How much a line must look like text.
const LIKELY: f64 = 0.25;
/// The most letters of a line that others are joined with.
const MOST_OF_LINE: usize = 250;

/// Whether a component may be a letter, or letters that touch.
fn is_letter(part: &Component, least: usize) -> bool {
    let (width, height) = (part.bounds.width(), part.bounds.height());
    let density = part.area as f64 / part.bounds.area() as f64;
    // A box behind a text, or a bar.
    let is_box = width > 3 * height && density > 0.62;
    height >= least && width <= 14 * height && density >= 0.1 && !is_box && !(density > 0.97 && width > height / 2)
}

/// The lines that letters of one side of their surroundings make; `least` is the least height of a letter.
pub(super) fn grouped(parts: Vec<Component>, polarity: Polarity, least: usize) -> Vec<Line> {
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
    let lines = merged(lines, polarity, least);
    // Dots of large letters are as high as small letters are.
    let is_dot = |line: &Vec<Component>| line.len() == 1 && line[0].bounds.height() <= 2 * least;
    let (dots, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_dot);
    let lines = lines.into_iter().map(without_outliers);
    let mut lines: Vec<Line> = lines.filter_map(|letters| Line::of(letters, polarity)).collect();
    lines.retain(|line| likeness(&line.letters, least) > 0.0);
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
    lines.iter_mut().for_each(|line| line.likeness = likeness(&line.letters, least));
    lines.retain(|line| line.likeness >= LIKELY);
    lines
}

/// Lines with those of their colour that go on beside them, or lie within their rows: signs of some scripts are of parts that
/// stand above each other, and are as high as letters are.
fn merged(groups: Vec<Vec<Component>>, polarity: Polarity, least: usize) -> Vec<Vec<Component>> {
    let mut groups: Vec<Group> = groups.into_iter().filter_map(|letters| Group::of(letters, polarity, least)).collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.line.letters.len().min(3), group.line.bounds.area())));
    let mut place = 0;
    while let Some(group) = groups.get(place) {
        let count = group.line.letters.len();
        let next = (2..MOST_OF_LINE).contains(&count).then(|| {
            groups.iter().enumerate().find(|&(other, part)| {
                // The larger one has others, wherever it comes.
                other != place && part.line.letters.len() <= count && group.has(part, least)
            })
        });
        match next.flatten().map(|(other, _)| other) {
            Some(other) => {
                let part = groups.remove(other);
                place -= usize::from(other < place);
                let Line { mut letters, .. } = groups.remove(place).line;
                letters.extend(part.line.letters);
                letters.sort_by_key(|letter| letter.bounds.left);
                if let Some(group) = Group::of(letters, polarity, least) {
                    groups.insert(place, group);
                }
            }
            None => place += 1,
        }
    }
    groups.into_iter().map(|group| group.line.letters).collect()
}

/// A line that others may belong to.
struct Group {
    line: Line,
    /// The height of its highest letter.
    highest: usize,
    /// The median luma of its letters.
    fill: u8,
}

impl Group {
    fn of(letters: Vec<Component>, polarity: Polarity, least: usize) -> Option<Self> {
        let highest = letters.iter().map(|letter| letter.bounds.height()).max()?;
        let mut fills: Vec<u8> = letters.iter().map(|letter| letter.fill).collect();
        fills.sort_unstable();
        let fill = fills[fills.len() / 2];
        let likeness = likeness(&letters, least);
        Some(Self { line: Line { likeness, ..Line::of(letters, polarity)? }, highest, fill })
    }

    /// Whether another is a part of it.
    fn has(&self, part: &Self, least: usize) -> bool {
        let (one, two) = (&self.line.bounds, &part.line.bounds);
        let gap = two.left.saturating_sub(one.right).max(one.left.saturating_sub(two.right));
        if gap > self.highest || self.fill.abs_diff(part.fill) > 24 {
            return false;
        }
        let rows = one.union(*two).height();
        // Beneath or above its letters, and no higher than they are.
        let is_within = rows * 10 <= self.highest * 12 && gap * 2 <= self.highest && part.highest * 4 >= self.highest;
        let (low, high) = (self.highest.min(part.highest), self.highest.max(part.highest));
        let is_level = one.shared_rows(two) * 10 >= one.height().min(two.height()) * 6;
        // One letter alone, such as a number before a point, is as high as they are.
        let is_like_them =
            part.line.letters.len() >= 2 || (low * 10 >= high * 7 && one.shared_rows(two) * 10 >= two.height() * 9);
        let goes_on = is_like_them && is_level && low * 2 >= high;
        if !(is_within || goes_on) || !self.line.letters[0].is_like(&part.line.letters[0]) {
            return false;
        }
        is_within || {
            let both = self.line.letters.iter().chain(&part.line.letters);
            likeness(both, least) >= self.line.likeness.max(part.line.likeness)
        }
    }
}

/// Letters without what is far higher than most of them, and reaches beyond all of them: it only stands beside them.
fn without_outliers(mut letters: Vec<Component>) -> Vec<Component> {
    // Too few to tell.
    if letters.len() < 6 {
        return letters;
    }
    let mut heights: Vec<usize> = letters.iter().map(|letter| letter.bounds.height()).collect();
    heights.sort_unstable();
    let usual = heights[heights.len() / 2];
    // A small letter with a stem and a tail is 1.8 times as high as one without.
    let is_usual = |letter: &Component| letter.bounds.height() * 10 <= usual * 19;
    let rest = letters.iter().filter(|letter| is_usual(letter)).map(|letter| letter.bounds).reduce(Bounds::union);
    if let Some(rest) = rest {
        let reach = usual / 2;
        let is_beyond = |bounds: &Bounds| bounds.top + reach < rest.top || bounds.bottom > rest.bottom + reach;
        letters.retain(|letter| is_usual(letter) || !is_beyond(&letter.bounds));
    }
    letters
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
fn likeness<'a>(letters: impl IntoIterator<Item = &'a Component>, least: usize) -> f64 {
    let all: Vec<&Component> = letters.into_iter().collect();
    let height = usual_height(all.iter().map(|letter| letter.bounds.height()));
    let letters: Vec<&Component> = all.into_iter().filter(|letter| letter.bounds.height() >= least).collect();
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
    let are_level = |head: usize, foot: usize| {
        share(&|letter| letter.bounds.bottom.abs_diff(foot) <= near || letter.bounds.top.abs_diff(head) <= near)
    };
    // Of some scripts, letters and their parts reach the head or the foot of the line, and few have them in common.
    let ends = letters.iter().map(|letter| letter.bounds).reduce(Bounds::union).filter(|_| letters.len() >= 5);
    let level = ends.map_or(0.0, |ends| 0.9 * are_level(ends.top, ends.bottom)).max(are_level(head, foot));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Gray, components};

    const WIDTH: usize = 400;
    const HEIGHT: usize = 100;

    /// What these rectangles (left, top, width, height) of one luma make.
    fn found(parts: &[(usize, usize, usize, usize)]) -> Vec<Line> {
        let mut picture = Gray { samples: vec![30; WIDTH * HEIGHT], width: WIDTH, height: HEIGHT };
        for &(left, top, width, height) in parts {
            for y in top..top + height {
                picture.samples[y * WIDTH + left..y * WIDTH + left + width].fill(220);
            }
        }
        let mask: Vec<u8> = picture.samples.iter().map(|&value| u8::from(value > 128)).collect();
        grouped(components(&picture, &mask, Polarity::Light, |_, area| area >= 4), Polarity::Light, 8)
    }

    /// An angle of two strokes, which is about what a letter is: this wide and high.
    fn letter(left: usize, top: usize, width: usize, height: usize) -> [(usize, usize, usize, usize); 2] {
        [(left, top, 4, height), (left, top + height - 4, width, 4)]
    }

    #[test]
    fn signs_of_parts_above_each_other_make_one_line() {
        // Each sign has an upper and a lower part; some have a stroke of the whole height beside them.
        let mut parts = Vec::new();
        for sign in 0..6 {
            let left = 20 + sign * 30;
            parts.extend(letter(left, 30, 18, 14));
            parts.extend(letter(left, 46, 18, 14));
            if sign % 2 == 0 {
                parts.push((left + 22, 30, 4, 30));
            }
        }
        let lines = found(&parts);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].bounds, Bounds { left: 20, top: 30, right: 20 + 5 * 30 + 18, bottom: 60 });
        assert_eq!(lines[0].letters.len(), 15);
        // Without such a stroke they are two lines: that is what letters below each other are.
        let parts: Vec<_> = (0..6).flat_map(|sign| [30, 46].map(|top| letter(20 + sign * 30, top, 18, 14))).collect();
        assert_eq!(found(&parts.concat()).len(), 2);
    }

    #[test]
    fn what_only_stands_beside_letters_is_none() {
        let mut parts: Vec<_> = (0..7).flat_map(|number| letter(20 + number * 24, 40, 16, 20)).collect();
        parts.push((20 + 7 * 24, 20, 6, 66));
        let lines = found(&parts);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].letters.len(), lines[0].bounds.top, lines[0].bounds.bottom), (7, 40, 60));
        // One that stays within their rows is.
        parts.pop();
        parts.push((20 + 7 * 24, 34, 6, 30));
        assert_eq!(found(&parts)[0].letters.len(), 8);
    }

    #[test]
    fn a_number_before_a_point_goes_on_the_line_and_a_smaller_thing_does_not() {
        let word: Vec<_> = (0..6).flat_map(|number| letter(60 + number * 24, 40, 16, 20)).collect();
        // Nearly a letter's height away, with a point between, which is no letter.
        let with = |left: usize, top: usize, height: usize| {
            let parts = [&word[..], &[(50, 56, 4, 4)], &letter(left, top, 9, height)].concat();
            found(&parts).iter().map(|line| line.bounds.left).min()
        };
        assert_eq!(with(32, 40, 20), Some(32));
        assert_eq!(with(32, 46, 10), Some(50), "it is half as high");
        assert_eq!(with(32, 30, 20), Some(50), "it stands higher");
        assert_eq!(with(28, 40, 20), Some(50), "it is further away");
    }
}
