//! What lies under letters: boxes with rounded joined corners, and shadows.

use tiny_skia::{FillRule, Mask, Path, PathBuilder, Transform};

use super::layout::{PixelBox, TextLayout};
use super::raster::{TextSprite, over, premultiplied};

/// Draws the boxes and the shadow of `layout` below what is on `sprite`.
pub(super) fn draw_below(layout: &TextLayout, sprite: &mut TextSprite) {
    let (width, height) = (sprite.width as usize, sprite.height as usize);
    let text = std::mem::replace(&mut sprite.pixels, vec![0; width * height * 4]);
    if let Some(backdrop) = layout.backdrop {
        let corner = (sprite.x as f32, sprite.y as f32);
        let radius = backdrop.radius * layout.font_size();
        if let Some(coverage) = covered(&layout.boxes, radius, corner, (sprite.width, sprite.height)) {
            for (px, coverage) in sprite.pixels.as_chunks_mut::<4>().0.iter_mut().zip(coverage) {
                over(px, premultiplied(backdrop.colour, coverage));
            }
        }
    }
    if let Some((active, under)) = layout.active.as_ref().and_then(|active| Some((active, active.backdrop?))) {
        let corner = (sprite.x as f32, sprite.y as f32);
        let radius = under.radius * layout.font_size() * active.scale;
        for one in &active.boxes {
            if let Some(coverage) = covered(&[*one], radius, corner, (sprite.width, sprite.height)) {
                for (px, coverage) in sprite.pixels.as_chunks_mut::<4>().0.iter_mut().zip(coverage) {
                    over(px, premultiplied(under.colour, coverage));
                }
            }
        }
    }
    if let Some(shadow) = layout.shadow {
        let size = layout.font_size();
        let (dx, dy) = ((shadow.x * size).round() as i64, (shadow.y * size).round() as i64);
        let alpha = |x: i64, y: i64| {
            let place = usize::try_from(x).ok().filter(|&x| x < width).zip(usize::try_from(y).ok());
            place.and_then(|(x, y)| text.get((y * width + x) * 4 + 3)).copied().unwrap_or(0)
        };
        let moved = (0..height as i64).flat_map(|y| (0..width as i64).map(move |x| alpha(x - dx, y - dy)));
        let moved: Vec<u8> = moved.collect();
        let sigma = shadow.blur * size;
        let soft = match image::GrayImage::from_raw(sprite.width, sprite.height, moved) {
            // Less is not seen, and the blur's boxes, at least 3 px wide each, would reach beyond the sprite.
            Some(plane) if sigma >= 0.5 => image::imageops::fast_blur(&plane, sigma).into_raw(),
            Some(plane) => plane.into_raw(),
            None => Vec::new(),
        };
        for (px, coverage) in sprite.pixels.as_chunks_mut::<4>().0.iter_mut().zip(soft) {
            over(px, premultiplied(shadow.colour, coverage));
        }
    }
    for (px, above) in sprite.pixels.as_chunks_mut::<4>().0.iter_mut().zip(text.as_chunks::<4>().0) {
        over(px, *above);
    }
}

/// Coverage of `boxes` as one shape with rounded corners, on a sprite of `size` whose upper left is at `corner`.
fn covered(boxes: &[PixelBox], radius: f32, corner: (f32, f32), size: (u32, u32)) -> Option<Vec<u8>> {
    let mut mask = Mask::new(size.0, size.1)?;
    // Lines that do not touch, as with a blank one between, are shapes of their own.
    let mut groups: Vec<Vec<PixelBox>> = Vec::new();
    for &under in boxes {
        let touches = |group: &&mut Vec<PixelBox>| group.last().is_some_and(|last| last.bottom >= under.top);
        match groups.last_mut().filter(touches) {
            Some(group) => group.push(under),
            None => groups.push(vec![under]),
        }
    }
    let mut coverage = vec![0u8; size.0 as usize * size.1 as usize];
    for group in groups {
        let path = rounded(&corners(&evened(group, radius)), radius, corner)?;
        mask.clear();
        mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
        // The higher of two: where shapes overlap, nothing is darker.
        for (all, &one) in coverage.iter_mut().zip(mask.data()) {
            *all = (*all).max(one);
        }
    }
    Some(coverage)
}

/// Neighbours whose ends differ by less than two corners are made equally wide: there is no room for two curves.
fn evened(mut group: Vec<PixelBox>, radius: f32) -> Vec<PixelBox> {
    // Each round may bring the next neighbour near; there are no more rounds than lines.
    for _ in 0..group.len() {
        for at in 1..group.len() {
            let (above, below) = (group[at - 1], group[at]);
            if (above.left - below.left).abs() < 2.0 * radius {
                let left = above.left.min(below.left);
                (group[at - 1].left, group[at].left) = (left, left);
            }
            if (above.right - below.right).abs() < 2.0 * radius {
                let right = above.right.max(below.right);
                (group[at - 1].right, group[at].right) = (right, right);
            }
        }
    }
    group
}

/// The corners of the outline around boxes that touch, clockwise from the upper right.
fn corners(group: &[PixelBox]) -> Vec<(f32, f32)> {
    // Where one line ends and the next begins, at an end: the wider one keeps its height.
    let between = |above: &PixelBox, below: &PixelBox, below_is_wider: bool| {
        if below_is_wider { below.top } else { above.bottom.max(below.top) }
    };
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return Vec::new() };
    let mut right = vec![(first.right, first.top)];
    let mut left = vec![(first.left, first.top)];
    for pair in group.windows(2) {
        let (above, below) = (&pair[0], &pair[1]);
        if above.right != below.right {
            let y = between(above, below, below.right > above.right);
            right.extend([(above.right, y), (below.right, y)]);
        }
        if above.left != below.left {
            let y = between(above, below, below.left < above.left);
            left.extend([(above.left, y), (below.left, y)]);
        }
    }
    right.push((last.right, last.bottom));
    left.push((last.left, last.bottom));
    right.into_iter().chain(left.into_iter().rev()).collect()
}

/// The closed outline through `corners`, each rounded by `radius` or half of its shorter side.
fn rounded(corners: &[(f32, f32)], radius: f32, (x, y): (f32, f32)) -> Option<Path> {
    /// How far the handles of a cubic that is nearly a quarter circle reach: 4/3 (sqrt(2) - 1).
    const HANDLE: f32 = 0.552_284_8;
    let count = corners.len();
    let mut path = PathBuilder::new();
    for (number, &(cx, cy)) in corners.iter().enumerate() {
        let before = corners[(number + count - 1) % count];
        let after = corners[(number + 1) % count];
        let toward = |(px, py): (f32, f32)| {
            let (dx, dy) = (px - cx, py - cy);
            let length = dx.hypot(dy).max(1e-6);
            (dx / length, dy / length, length)
        };
        let (from, to) = (toward(before), toward(after));
        let r = radius.min(from.2 / 2.0).min(to.2 / 2.0);
        let at = |(dx, dy, _): (f32, f32, f32), by: f32| (cx + dx * by - x, cy + dy * by - y);
        let (start, end) = (at(from, r), at(to, r));
        if number == 0 {
            path.move_to(start.0, start.1)
        } else {
            path.line_to(start.0, start.1)
        }
        let (a, b) = (at(from, r * (1.0 - HANDLE)), at(to, r * (1.0 - HANDLE)));
        path.cubic_to(a.0, a.1, b.0, b.1, end.0, end.1);
    }
    path.close();
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(left: f32, top: f32, right: f32, bottom: f32) -> PixelBox {
        PixelBox { left, top, right, bottom }
    }

    fn shape(boxes: &[PixelBox], radius: f32) -> Vec<Vec<u8>> {
        let coverage = covered(boxes, radius, (0.0, 0.0), (120, 100)).expect("a shape");
        coverage.chunks(120).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn lines_that_touch_are_one_shape_with_round_corners() {
        let shape = shape(&[line(30.0, 10.0, 90.0, 42.0), line(10.0, 38.0, 110.0, 70.0)], 8.0);
        assert_eq!((shape[26][60], shape[54][60], shape[40][60]), (255, 255, 255));
        assert_eq!((shape[10][30], shape[10][60]), (0, 255), "the upper left corner is round");
        assert_eq!(shape[38][10], 0, "so is that of the wider line");
        // Where the narrow line stands on the wide one the corner is filled.
        assert!(shape[36][28] > 100, "a curve into the wider line: {}", shape[36][28]);
        assert_eq!(shape[20][28], 0);
        let area: u64 = shape.iter().flatten().map(|&value| u64::from(value)).sum::<u64>() / 255;
        // 60 x 28 and 100 x 32, less six corners of 8 px and more by two: (1 - pi/4) * 64 each.
        assert!((4_815..4_835).contains(&area), "{area}");
    }

    #[test]
    fn lines_of_nearly_one_width_become_equally_wide() {
        let shape = shape(&[line(20.0, 10.0, 100.0, 42.0), line(26.0, 40.0, 94.0, 70.0)], 8.0);
        assert_eq!((shape[60][21], shape[60][98]), (255, 255));
    }

    #[test]
    fn lines_apart_are_shapes_of_their_own() {
        let shape = shape(&[line(10.0, 5.0, 100.0, 30.0), line(10.0, 60.0, 100.0, 90.0)], 6.0);
        assert_eq!((shape[20][50], shape[45][50], shape[75][50]), (255, 0, 255));
    }
}
