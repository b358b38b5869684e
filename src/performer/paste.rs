//! Replaced parts, put into pictures.

use super::Replacement;
use crate::compose::{I420Mut, PlaneMut, code_values};

/// Puts a replaced part into a working picture.
pub(crate) fn paste(target: &mut I420Mut<'_>, part: &Replacement) {
    let (left, top) = (part.x as usize, part.y as usize);
    let width = (part.width as usize).min(target.y.width().saturating_sub(left));
    let height = (part.height as usize).min(target.y.height().saturating_sub(top));
    if width == 0 || height == 0 {
        return;
    }
    let pixels = part.rgb.as_chunks::<3>().0;
    let at = |x: usize, y: usize| y * part.width as usize + x;
    for y in 0..height {
        let row = &mut target.y.row_mut(top + y)[left..left + width];
        for (x, sample) in row.iter_mut().enumerate() {
            let share = part.mask[at(x, y)];
            if share > 0 {
                *sample = mixed(*sample, code_values(pixels[at(x, y)])[0].into(), share.into(), 255);
            }
        }
    }
    // A sample of chroma belongs to four pixels, of which the part may have fewer.
    let cells = |start: usize, size: usize| start / 2..(start + size).div_ceil(2);
    for row in cells(top, height) {
        for column in cells(left, width) {
            let (mut share, mut sums) = (0u32, [0u32; 2]);
            for (y, x) in (2 * row..2 * row + 2).flat_map(|y| (2 * column..2 * column + 2).map(move |x| (y, x))) {
                let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else { continue };
                if x < width && y < height {
                    let own = u32::from(part.mask[at(x, y)]);
                    let [_, u, v] = code_values(pixels[at(x, y)]);
                    share += own;
                    sums = [sums[0] + own * u32::from(u), sums[1] + own * u32::from(v)];
                }
            }
            if share == 0 {
                continue;
            }
            let put = |plane: &mut PlaneMut<'_>, sum: u32| {
                if row < plane.height()
                    && let Some(sample) = plane.row_mut(row).get_mut(column)
                {
                    *sample = mixed(*sample, sum as f32 / share as f32, share, 4 * 255);
                }
            };
            put(&mut target.u, sums[0]);
            put(&mut target.v, sums[1]);
        }
    }
}

/// `share` of `whole` of a new value, the rest of the old one.
fn mixed(old: u8, new: f32, share: u32, whole: u32) -> u8 {
    let old = f32::from(old);
    (old + (new - old) * share as f32 / whole as f32).round() as u8
}

/// The same into a picture of rows of `width` pixels, premultiplied RGBA. What shines through stays as it does.
pub(crate) fn paste_rgba(rgba: &mut [u8], width: usize, part: &Replacement) {
    let pixels = rgba.as_chunks_mut::<4>().0;
    let (left, top) = (part.x as usize, part.y as usize);
    let height = (pixels.len() / width.max(1)).saturating_sub(top).min(part.height as usize);
    let across = width.saturating_sub(left).min(part.width as usize);
    if across == 0 {
        return;
    }
    let rows = part.rgb.as_chunks::<3>().0.chunks_exact(part.width.max(1) as usize);
    let masks = part.mask.chunks_exact(part.width.max(1) as usize);
    for (y, (row, mask)) in (top..top + height).zip(rows.zip(masks)) {
        let target = &mut pixels[y * width + left..][..across];
        for ((pixel, new), &share) in target.iter_mut().zip(row).zip(mask) {
            let alpha = f32::from(pixel[3]) / 255.0;
            for (value, &new) in pixel.iter_mut().zip(new) {
                *value = mixed(*value, f32::from(new) * alpha, share.into(), 255);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [255, 0, 0];

    fn part(x: u32, y: u32, width: u32, height: u32, share: u8) -> Replacement {
        let pixels = (width * height) as usize;
        Replacement { x, y, width, height, rgb: RED.repeat(pixels), mask: vec![share; pixels] }
    }

    fn pasted(part: &Replacement) -> [Vec<u8>; 3] {
        let mut planes = [vec![100u8; 12 * 8], vec![128; 6 * 4], vec![128; 6 * 4]];
        let [y, u, v] = &mut planes;
        paste(
            &mut I420Mut {
                y: PlaneMut::new(y, 12, 8, 12).expect("fits"),
                u: PlaneMut::new(u, 6, 4, 6).expect("fits"),
                v: PlaneMut::new(v, 6, 4, 6).expect("fits"),
            },
            part,
        );
        planes
    }

    #[test]
    fn a_part_takes_its_pixels_and_no_others() {
        let [luma, u, v] = code_values(RED);
        let planes = pasted(&part(2, 2, 4, 2, 255));
        let changed = |plane: &[u8], old: u8| (0..plane.len()).filter(|&at| plane[at] != old).collect::<Vec<_>>();
        assert_eq!(changed(&planes[0], 100), [26, 27, 28, 29, 38, 39, 40, 41]);
        assert_eq!((changed(&planes[1], 128), changed(&planes[2], 128)), (vec![7, 8], vec![7, 8]));
        assert_eq!((planes[0][26], planes[1][7], planes[2][7]), (luma, u, v));
        // Half of it, and a quarter of a sample of chroma.
        let planes = pasted(&part(3, 3, 1, 1, 128));
        assert!(planes[0][39].abs_diff(((u16::from(luma) + 100) / 2) as u8) <= 1);
        assert!(planes[2][7].abs_diff((128.0 + (f32::from(v) - 128.0) / 8.0) as u8) <= 1);
        // Beyond the edges, and all of it beyond.
        assert_eq!(changed(&pasted(&part(10, 6, 40, 40, 255))[0], 100), [82, 83, 94, 95]);
        assert!(changed(&pasted(&part(40, 2, 4, 4, 255))[0], 100).is_empty());
    }

    #[test]
    fn a_still_keeps_its_transparency() {
        let mut rgba = [[10u8, 20, 30, 255], [5, 10, 15, 128]].concat().repeat(2);
        paste_rgba(&mut rgba, 2, &part(0, 1, 2, 1, 255));
        assert_eq!(rgba[..8], [10, 20, 30, 255, 5, 10, 15, 128]);
        assert_eq!(rgba[8..], [255, 0, 0, 255, 128, 0, 0, 128]);
        for (x, y) in [(9, 1), (0, 9), (2, 0), (9, 9)] {
            paste_rgba(&mut rgba, 2, &part(x, y, 2, 1, 255));
        }
        paste_rgba(&mut rgba, 2, &part(1, 0, 9, 9, 0));
        assert_eq!(rgba[..8], [10, 20, 30, 255, 5, 10, 15, 128]);
    }
}
