//! Letters of a line that touch what is beside them.

use super::components::{Bounds, Component, Gray, Polarity, components};
use super::group::grouped;
use super::lines::{Line, View};
use super::tilt::is_level;

/// Letters beside a line, in parts of its highest letter's height, that are looked for by its colour.
const BESIDE: usize = 6;
/// Code values of luma, and of both colour differences together, by which pixels of a line's colour may differ from it.
const OWN_LUMA: u8 = 40;
const OWN_CHROMA: u32 = 36;

/// A line with the letters that only its colour tells from what they touch, as far as they are `is_stable`.
pub(super) fn whole(line: Line, view: &View<'_>, is_stable: impl Fn(&Component) -> bool) -> Line {
    let &View { gray: picture, chroma, scale } = view;
    let least = view.heights().0;
    let large: Vec<&Component> = line.letters.iter().filter(|letter| letter.bounds.height() >= least).collect();
    // Of what is set at an angle, nothing goes on in its rows.
    if large.len() < 2 || !is_level(line.slope) {
        return line;
    }
    let highest = large.iter().map(|letter| letter.bounds.height()).max().unwrap_or(least);
    let middle = |of: &dyn Fn(&Component) -> u8| {
        let mut values: Vec<u8> = large.iter().map(|letter| of(letter)).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    let (fill, own) = (middle(&|letter| letter.fill), [0, 1].map(|plane| middle(&|letter| letter.chroma[plane])));
    let area = line.bounds.grown(highest * BESIDE, highest / 2, picture.size());
    let mut mask = vec![0; area.area()];
    let mut samples = Vec::with_capacity(area.area());
    for (y, mask) in (area.top..area.bottom).zip(mask.chunks_exact_mut(area.width())) {
        let luma = &picture.row(y)[area.left..area.right];
        samples.extend_from_slice(luma);
        let [blue, red] = chroma.map(|plane| plane.row((y * scale / 2).min(plane.height() - 1)));
        for ((x, mask), &luma) in (area.left..).zip(mask).zip(luma) {
            let at = (x * scale / 2).min(blue.len() - 1);
            let apart = u32::from(blue[at].abs_diff(own[0])) + u32::from(red[at].abs_diff(own[1]));
            *mask = u8::from(luma.abs_diff(fill) <= OWN_LUMA && apart <= OWN_CHROMA);
        }
    }
    let part = Gray { samples, width: area.width(), height: area.height() };
    // What goes on above and below is no letter.
    let fits = |bounds: &Bounds, count: usize| {
        count >= 4 && bounds.height() * 10 <= highest * 16 && bounds.top > 0 && bounds.bottom < part.height
    };
    let mut parts = components(&part, &mask, Polarity::Light, fits);
    for part in &mut parts {
        part.moved(area.left, area.top);
        part.find_color(chroma, scale);
    }
    parts.retain(is_stable);
    let found = grouped(parts, line.polarity, least).into_iter().max_by_key(|found| found.bounds.shared(&line.bounds));
    let count = |line: &Line| line.letters.iter().filter(|letter| letter.bounds.height() >= least).count();
    let is_whole = |found: &Line| {
        found.bounds.shared(&line.bounds) * 10 >= line.bounds.area() * 9
            && count(found) > count(&line)
            && found.likeness >= line.likeness
            // Letters go on to the sides, and not over other rows.
            && found.bounds.height() * 10 <= highest * 16
    };
    found.filter(is_whole).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::lines::lines;
    use crate::compose::PlaneRef;

    const WIDTH: usize = 500;
    const HEIGHT: usize = 480;

    /// The bounds of the lines in white letters, of which the third touches a leaf of this luma; as they are found, and whole.
    fn bounds(leaf: u8) -> [Vec<Bounds>; 2] {
        let mut samples = vec![60; WIDTH * HEIGHT];
        let mut fill = |left: usize, top: usize, width: usize, height: usize, luma: u8| {
            (top..top + height).for_each(|y| samples[y * WIDTH + left..y * WIDTH + left + width].fill(luma));
        };
        fill(146, 120, 16, 150, leaf);
        for letter in 0..8 {
            let left = 100 + letter * 26;
            fill(left, 200, 4, 24, 240);
            fill(left, 220, 18, 4, 240);
        }
        let gray = Gray { samples, width: WIDTH, height: HEIGHT };
        let plane = vec![128; WIDTH / 2 * (HEIGHT / 2)];
        let chroma = PlaneRef::new(&plane, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits");
        let view = View { gray: &gray, chroma: [chroma; 2], scale: 1 };
        let found = lines(&view, false, |_| true);
        let whole: Vec<Line> = found.iter().map(|line| whole(line.clone(), &view, |_| true)).collect();
        [found, whole].map(|lines| lines.iter().map(|line| line.bounds).collect())
    }

    #[test]
    fn letters_that_touch_something_are_found_by_their_colour() {
        let all = Bounds { left: 100, top: 200, right: 100 + 7 * 26 + 18, bottom: 224 };
        let [found, whole] = bounds(150);
        assert!(!found.contains(&all), "{found:?}");
        assert!(whole.contains(&all), "{whole:?}");
        // What touches it has its colour: nothing tells them apart.
        let [found, whole] = bounds(238);
        assert_eq!(found, whole);
    }
}
