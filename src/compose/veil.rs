//! Hiding a part of a picture: under a colour, or by blurring it.

use super::{I420Mut, PlaneMut, SourceRect, code_values};
use crate::text::Rgba;

/// Samples of luma over which a blurred part goes over into what is around it.
const SOFT: usize = 16;
/// Passes of a box, which together are nearly a Gaussian.
const PASSES: usize = 3;

/// Lays a colour over a part of a picture, whose numbers are even.
pub(crate) fn covered_part(target: &mut I420Mut<'_>, part: SourceRect, color: Rgba) {
    let [y, u, v] = code_values([color.r, color.g, color.b]);
    let alpha = u32::from(color.a);
    for (plane, code, scale) in [(&mut target.y, y, 1), (&mut target.u, u, 2), (&mut target.v, v, 2)] {
        let (columns, rows) = within(part, plane, scale);
        for line in rows {
            for sample in &mut plane.row_mut(line)[columns.clone()] {
                *sample = ((u32::from(code) * alpha + u32::from(*sample) * (255 - alpha) + 127) / 255) as u8;
            }
        }
    }
}

/// Blurs a part of a picture, whose numbers are even, so far that letters as high as it cannot be read.
pub(crate) fn blurred_part(target: &mut I420Mut<'_>, part: SourceRect) {
    // As far as a third of a line; of many lines no further than of one of a tenth of the picture.
    let height = (part.height as usize).min(target.y.height() / 10).max(8);
    for (plane, scale) in [(&mut target.y, 1), (&mut target.u, 2), (&mut target.v, 2)] {
        blur(plane, part, scale, (height / 3 / scale).max(1));
    }
}

/// The columns and rows of a plane that a part takes; `scale`: pixels of a sample.
fn within(part: SourceRect, plane: &PlaneMut<'_>, scale: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let range = |start: u32, size: u32, whole: usize| {
        let end = ((start as usize + size as usize) / scale).min(whole);
        (start as usize / scale).min(end)..end
    };
    (range(part.x, part.width, plane.width()), range(part.y, part.height, plane.height()))
}

fn blur(plane: &mut PlaneMut<'_>, part: SourceRect, scale: usize, radius: usize) {
    let (columns, rows) = within(part, plane, scale);
    let (width, height) = (columns.len(), rows.len());
    if width == 0 || height == 0 {
        return;
    }
    let mut samples: Vec<u8> = rows.clone().flat_map(|y| plane.row_mut(y)[columns.clone()].to_vec()).collect();
    soften(&mut samples, width, radius);
    let soft = (SOFT / scale).max(1);
    for (y, blurred) in rows.clone().zip(samples.chunks_exact(width)) {
        let row = &mut plane.row_mut(y)[columns.clone()];
        let down = (y - rows.start + 1).min(rows.end - y);
        for (x, (sample, &blurred)) in row.iter_mut().zip(blurred).enumerate() {
            let share = down.min(x + 1).min(width - x).min(soft) as u32;
            let rest = soft as u32 - share;
            *sample = ((u32::from(blurred) * share + u32::from(*sample) * rest + soft as u32 / 2) / soft as u32) as u8;
        }
    }
}

/// Blurs a picture of rows of `width` samples, which go on beyond its edges.
pub(crate) fn soften(samples: &mut [u8], width: usize, radius: usize) {
    let height = samples.len() / width.max(1);
    let mut line = vec![0; width.max(height)];
    for _ in 0..PASSES {
        for y in 0..height {
            mean(samples, y * width, 1, width, radius, &mut line);
        }
        for x in 0..width {
            mean(samples, x, width, height, radius, &mut line);
        }
    }
}

/// The mean of `radius` samples on either side of each, of `count` that are `step` apart; beyond the ends the last ones go on.
fn mean(samples: &mut [u8], first: usize, step: usize, count: usize, radius: usize, line: &mut [u8]) {
    let at = |place: i64| first + step * place.clamp(0, count as i64 - 1) as usize;
    let (radius, across) = (radius as i64, 2 * radius as u32 + 1);
    let mut sum: u32 = (-radius..=radius).map(|place| u32::from(samples[at(place)])).sum();
    for (place, out) in (0..count as i64).zip(line.iter_mut()) {
        *out = ((sum + across / 2) / across) as u8;
        sum = sum + u32::from(samples[at(place + radius + 1)]) - u32::from(samples[at(place - radius)]);
    }
    for (place, &value) in (0..count).zip(line.iter()) {
        samples[first + step * place] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 96;
    const HEIGHT: usize = 64;

    /// Stripes like letters on an even ground.
    fn stripes() -> [Vec<u8>; 3] {
        let luma = (0..WIDTH * HEIGHT).map(|at| if (at % WIDTH / 3).is_multiple_of(2) { 40 } else { 200 }).collect();
        [luma, vec![90; WIDTH * HEIGHT / 4], vec![160; WIDTH * HEIGHT / 4]]
    }

    fn picture(planes: &mut [Vec<u8>; 3]) -> I420Mut<'_> {
        let [y, u, v] = planes;
        I420Mut {
            y: PlaneMut::new(y, WIDTH, HEIGHT, WIDTH).expect("fits"),
            u: PlaneMut::new(u, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
            v: PlaneMut::new(v, WIDTH / 2, HEIGHT / 2, WIDTH / 2).expect("fits"),
        }
    }

    const PART: SourceRect = SourceRect { x: 8, y: 10, width: 80, height: 40 };

    fn is_inside(at: usize) -> bool {
        (8..88).contains(&(at % WIDTH)) && (10..50).contains(&(at / WIDTH))
    }

    #[test]
    fn a_blurred_part_is_even_and_the_rest_as_it_was() {
        let (before, mut after) = (stripes(), stripes());
        blurred_part(&mut picture(&mut after), PART);
        let outside = (0..WIDTH * HEIGHT).filter(|&at| !is_inside(at));
        assert!(outside.into_iter().all(|at| before[0][at] == after[0][at]));
        // In its middle, no stripe is left.
        let middle = (30 * WIDTH + 30..30 * WIDTH + 66).map(|at| after[0][at]);
        let (least, most) = (middle.clone().min().expect("some"), middle.max().expect("some"));
        assert!(most - least < 30 && (100..140).contains(&least), "{least} {most}");
        assert_eq!(before[1..], after[1..], "an even colour stays");
    }

    #[test]
    fn a_covered_part_has_the_colour() {
        let mut after = stripes();
        covered_part(&mut picture(&mut after), PART, Rgba { r: 255, g: 0, b: 0, a: 255 });
        let [y, u, v] = code_values([255, 0, 0]);
        let before = stripes();
        for at in 0..WIDTH * HEIGHT {
            assert_eq!(after[0][at], if is_inside(at) { y } else { before[0][at] }, "{at}");
        }
        let at = (20 / 2) * WIDTH / 2 + 20;
        assert_eq!((after[1][at], after[2][at]), (u, v));
        // Half of it, and beyond the picture.
        let half = SourceRect { x: 90, y: 60, width: 40, height: 40 };
        covered_part(&mut picture(&mut after), half, Rgba { r: 0, g: 0, b: 0, a: 128 });
        assert_eq!(after[0][61 * WIDTH + 95], ((16 * 128 + 200 * 127 + 127) / 255) as u8);
        blurred_part(&mut picture(&mut after), half);
    }
}
