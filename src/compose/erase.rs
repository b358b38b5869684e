//! Taking things out of a still picture in RGBA.

use super::rounded::Rounded;
use super::spread::spread;
use super::{Mask, SourceRect, soften};
use crate::timeline::Removal;

/// Pixels around a mask from which what is behind it is told.
const AROUND: usize = 12;

/// Takes what lies in `mask` out of a picture of rows of `width` pixels, premultiplied RGBA.
pub(crate) fn take_out(rgba: &mut [u8], width: usize, mask: &Mask, removal: Removal) {
    let pixels = rgba.as_chunks_mut::<4>().0;
    let height = pixels.len() / width.max(1);
    let reach = if removal == Removal::Fill { AROUND } else { 0 };
    let SourceRect { x, y, width: across, height: down } = mask.bounds();
    let range = |start: u32, size: u32, whole: usize| {
        let end = ((start + size) as usize + reach).min(whole);
        (start as usize).saturating_sub(reach).min(end)..end
    };
    let (columns, rows) = (range(x, across, width), range(y, down, height));
    if columns.is_empty() || rows.is_empty() {
        return;
    }
    match removal {
        Removal::Cover(color) => {
            let radius = (across.min(down) / 5).min(36);
            let shape = Rounded::new((columns.start as i32, rows.start as i32), (across, down), radius);
            for y in rows {
                for x in columns.clone() {
                    let cover = f32::from(color.a) / 255.0 * shape.cover(x as f32, y as f32);
                    let new = [color.r, color.g, color.b, 255];
                    for (value, new) in pixels[y * width + x].iter_mut().zip(new) {
                        *value = (f32::from(*value) + (f32::from(new) - f32::from(*value)) * cover).round() as u8;
                    }
                }
            }
        }
        Removal::Blur => {
            // So far that letters as high as it cannot be read.
            let radius = rows.len().min(height / 10).max(8) / 3;
            for part in 0..4 {
                let mut samples = samples(pixels, width, (&columns, &rows), part);
                soften(&mut samples, columns.len(), radius);
                let mut blurred = samples.into_iter();
                for y in rows.clone() {
                    let row = &mut pixels[y * width..][columns.clone()];
                    row.iter_mut().zip(blurred.by_ref()).for_each(|(pixel, value)| pixel[part] = value);
                }
            }
        }
        Removal::Fill => {
            let places = || rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
            let known: Vec<bool> = places().map(|(x, y)| !mask.has(x / 2, y / 2)).collect();
            for part in 0..4 {
                let mut values: Vec<f32> =
                    samples(pixels, width, (&columns, &rows), part).into_iter().map(f32::from).collect();
                if known.contains(&true) {
                    spread(&mut values, &known, columns.len());
                } else {
                    // Of a picture that is taken out as a whole its mean colour is left.
                    let mean = values.iter().sum::<f32>() / values.len() as f32;
                    values.fill(mean);
                }
                for (((x, y), value), _) in places().zip(values).zip(&known).filter(|(_, known)| !**known) {
                    pixels[y * width + x][part] = (value + 0.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
}

type Range = std::ops::Range<usize>;

/// One value of each pixel of a part, row by row.
fn samples(pixels: &[[u8; 4]], width: usize, (columns, rows): (&Range, &Range), part: usize) -> Vec<u8> {
    rows.clone().flat_map(|y| pixels[y * width..][columns.clone()].iter().map(move |pixel| pixel[part])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Rgba;

    const WIDTH: usize = 90;
    const HEIGHT: usize = 60;

    fn slope() -> Vec<u8> {
        let pixel = |at: usize| [(at % WIDTH * 2) as u8, (at / WIDTH * 3) as u8, 90, 255];
        (0..WIDTH * HEIGHT).flat_map(pixel).collect()
    }

    fn bar() -> Mask {
        Mask::all_of(SourceRect { x: 20, y: 20, width: 40, height: 16 })
    }

    fn is_inside(at: usize) -> bool {
        (20..60).contains(&(at % WIDTH)) && (20..36).contains(&(at / WIDTH))
    }

    /// The slope with stripes in the bar, after they were taken out.
    fn without(removal: Removal) -> Vec<u8> {
        let mut picture = slope();
        for (at, pixel) in picture.as_chunks_mut::<4>().0.iter_mut().enumerate().filter(|(at, _)| is_inside(*at)) {
            *pixel = if at % 6 < 3 { [255; 4] } else { [0, 0, 0, 255] };
        }
        take_out(&mut picture, WIDTH, &bar(), removal);
        let slope = slope();
        let same = picture.as_chunks::<4>().0.iter().zip(slope.as_chunks::<4>().0).enumerate();
        assert!(same.filter(|(at, _)| !is_inside(*at)).all(|(_, (one, other))| one == other), "the rest is as it was");
        picture
    }

    #[test]
    fn what_was_behind_is_spread_from_the_edges() {
        let worst = without(Removal::Fill).iter().zip(slope()).map(|(one, other)| one.abs_diff(other)).max();
        assert!(worst <= Some(6), "{worst:?}");
    }

    #[test]
    fn what_is_blurred_has_no_stripes() {
        let picture = without(Removal::Blur);
        let middle: Vec<u8> = (30..50).map(|x| picture[(28 * WIDTH + x) * 4]).collect();
        let apart = middle.iter().max().zip(middle.iter().min()).map(|(most, least)| most - least);
        assert!(apart < Some(60), "{middle:?}");
    }

    #[test]
    fn a_cover_has_round_corners() {
        let picture = without(Removal::Cover(Rgba { r: 10, g: 20, b: 30, a: 255 }));
        let at = |x: usize, y: usize| &picture[(y * WIDTH + x) * 4..][..4];
        assert_eq!(at(40, 28), [10, 20, 30, 255]);
        assert_ne!(at(20, 20), [10, 20, 30, 255]);
        // All of it.
        let mut picture = slope();
        let whole = Mask::all_of(SourceRect { x: 0, y: 0, width: WIDTH as u32, height: HEIGHT as u32 });
        take_out(&mut picture, WIDTH, &whole, Removal::Fill);
        assert!(picture.as_chunks::<4>().0.iter().all(|pixel| *pixel == [89, 89, 90, 255]), "{:?}", &picture[..4]);
        // Beyond the picture's edge.
        let mut picture = slope();
        let beyond = Mask::all_of(SourceRect { x: 80, y: 50, width: 40, height: 40 });
        for removal in [Removal::Fill, Removal::Blur, Removal::Cover(Rgba::WHITE)] {
            take_out(&mut picture, WIDTH, &beyond, removal);
        }
        assert_eq!(picture[(55 * WIDTH + 89) * 4..][..4], [255; 4]);
    }
}
