//! A still page in RGB: grounds, pictures, shades and sprites, one over the other.

use super::rounded::Rounded;

/// A picture in sRGB, 8 bit, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    width: usize,
    height: usize,
    rgb: Vec<[u8; 3]>,
}

/// A rectangle on a page; parts outside of the page are not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Place {
    fn rounded(self, radius: u32) -> Rounded {
        Rounded::new((self.x, self.y), (self.width, self.height), radius)
    }
}

/// The relative luminance on which white letters have a contrast of 4.5 to 1, the least that WCAG 2.2 (1.4.3) asks for:
/// `1.05 / 4.5 - 0.05`.
const DARK_ENOUGH: f64 = 0.183;
/// The share of pixels below a text that may stay brighter than that.
const BRIGHT_REST: f64 = 0.05;
/// No shade takes away more light than this: the picture stays a picture.
const DARKEST: f64 = 0.82;
/// Rows over which a shade ends: half a canvas, over which nobody sees it end.
const SOFT: f64 = 960.0;

/// How far a shadow reaches, how far down it falls, in pixels, and how dark it is at the edge.
const SHADOW: (f32, f32, f32) = (56.0, 18.0, 0.42);

impl Page {
    /// A black page.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, rgb: vec![[0; 3]; width * height] }
    }

    /// RGB, row by row.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.rgb.as_flattened()
    }

    /// Fills it with colours from `top` to `bottom`, in steps too small to see.
    pub(crate) fn gradient(&mut self, top: [u8; 3], bottom: [u8; 3]) {
        let last = self.height.saturating_sub(1).max(1) as u32;
        for (y, row) in self.rgb.chunks_exact_mut(self.width.max(1)).enumerate() {
            let mix = |from: u8, to: u8| (u32::from(from) * (last - y as u32) + u32::from(to) * y as u32) * 256 / last;
            let color: [u32; 3] = std::array::from_fn(|part| mix(top[part], bottom[part]));
            for (x, pixel) in row.iter_mut().enumerate() {
                // Between two values pixels take turns, or the steps would show as bands.
                let threshold = u32::from(BAYER[y % 8][x % 8]) * 4 + 2;
                *pixel = color.map(|value| ((value + threshold) >> 8).min(255) as u8);
            }
        }
    }

    /// Draws `rgba`, premultiplied, of the size of `place`, with corners of the radius `radius`.
    pub(crate) fn draw(&mut self, place: Place, rgba: &[[u8; 4]], radius: u32) {
        let Some(rows) = self.rows(place) else { return };
        let shape = place.rounded(radius);
        for y in rows {
            let row = y * self.width;
            let inner = (y as i64 - i64::from(place.y)) as usize;
            let source = &rgba[inner * place.width as usize..][..place.width as usize];
            for (dx, &[r, g, b, a]) in source.iter().enumerate() {
                let x = i64::from(place.x) + dx as i64;
                let Some(pixel) = usize::try_from(x).ok().filter(|&x| x < self.width) else { continue };
                let cover = if radius == 0 { 255 } else { to_byte(shape.cover(x as f32, y as f32)) };
                if cover == 255 && a == 255 {
                    self.rgb[row + pixel] = [r, g, b];
                } else {
                    let a = scale(a, cover);
                    over(&mut self.rgb[row + pixel], [scale(r, cover), scale(g, cover), scale(b, cover)], a);
                }
            }
        }
    }

    /// Fills `place` with `color`, with corners of the radius `radius`.
    pub(crate) fn fill(&mut self, place: Place, [r, g, b, a]: [u8; 4], radius: u32) {
        let Some(rows) = self.rows(place) else { return };
        let shape = place.rounded(radius);
        for y in rows {
            for dx in 0..place.width {
                let x = i64::from(place.x) + i64::from(dx);
                let Some(x) = usize::try_from(x).ok().filter(|&x| x < self.width) else { continue };
                let cover = if radius == 0 { 255 } else { to_byte(shape.cover(x as f32, y as f32)) };
                let a = scale(a, cover);
                over(&mut self.rgb[y * self.width + x], [scale(r, a), scale(g, a), scale(b, a)], a);
            }
        }
    }

    /// The soft shadow of a card at `place` with corners of the radius `radius`.
    pub(crate) fn shadow(&mut self, place: Place, radius: u32) {
        let (reach, fall, dark) = SHADOW;
        let card = place.rounded(radius).lowered(fall);
        for (y, row) in self.rgb.chunks_exact_mut(self.width.max(1)).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let distance = card.distance(x as f32 + 0.5, y as f32 + 0.5);
                let near = (1.0 - distance.max(0.0) / reach).clamp(0.0, 1.0);
                let a = to_byte(dark * near * near);
                if a > 0 {
                    over(pixel, [0; 3], a);
                }
            }
        }
    }

    /// Darkens the page as far as white letters at `place` need it, less and less away from its rows.
    pub(crate) fn shade(&mut self, place: Place) {
        if let Some(shade) = self.shade_for(place) {
            self.darken(&shade);
        }
    }

    /// What [`Self::shade`] would do to each row: how much of it is kept, in 256 parts. `None` if nothing.
    pub(crate) fn shade_for(&self, place: Place) -> Option<Vec<u16>> {
        let rows = self.rows(place)?;
        let bright = self.brightness(place)?;
        if bright <= DARK_ENOUGH {
            return None;
        }
        // Light goes about with the power 2.2 of the signal, which is what a shade scales.
        let kept = libm::pow(DARK_ENOUGH / bright, 1.0 / 2.2).max(1.0 - DARKEST);
        let (first, last) = (rows.start as f64, rows.end as f64);
        let factor = |y: usize| {
            let y = y as f64 + 0.5;
            let away = ((first - y).max(y - last).max(0.0) / SOFT).min(1.0);
            // The cubic that begins and ends level.
            let soft = (1.0 - away) * (1.0 - away) * (1.0 + 2.0 * away);
            ((1.0 - (1.0 - kept) * soft) * 256.0).round() as u16
        };
        Some((0..self.height).map(factor).collect())
    }

    /// Keeps of each row as many of 256 parts as `shade` says.
    pub(crate) fn darken(&mut self, shade: &[u16]) {
        for (row, &factor) in self.rgb.chunks_exact_mut(self.width.max(1)).zip(shade) {
            for value in row.as_flattened_mut() {
                *value = ((u32::from(*value) * u32::from(factor) + 128) >> 8) as u8;
            }
        }
    }

    /// What was drawn on both pages, of which one was black and the other `white`, as premultiplied RGBA.
    pub(crate) fn difference(&self, white: &Self) -> Vec<u8> {
        let alpha = |black: u8, white: u8| 255 - white.saturating_sub(black);
        let pixel = |(black, white): (&[u8; 3], &[u8; 3])| {
            let a = alpha(black[0], white[0]).max(alpha(black[1], white[1])).max(alpha(black[2], white[2]));
            [black[0].min(a), black[1].min(a), black[2].min(a), a]
        };
        self.rgb.iter().zip(&white.rgb).flat_map(pixel).collect()
    }

    /// The relative luminance (WCAG 2.2), 0 to 1, that all but the brightest pixels of `place` stay under.
    fn brightness(&self, place: Place) -> Option<f64> {
        let rows = self.rows(place)?;
        let left = usize::try_from(place.x).unwrap_or(0).min(self.width);
        let right = usize::try_from(i64::from(place.x) + i64::from(place.width)).unwrap_or(0).min(self.width);
        let light: Vec<f64> = (0..=255).map(|value| light_of(value as u8)).collect();
        let mut counts = [0u32; 256];
        let mut total = 0u32;
        for y in rows.step_by(4) {
            for &[r, g, b] in self.rgb[y * self.width + left..y * self.width + right].iter().step_by(4) {
                let luminance =
                    0.2126 * light[usize::from(r)] + 0.7152 * light[usize::from(g)] + 0.0722 * light[usize::from(b)];
                counts[(luminance * 255.0).round() as usize & 255] += 1;
                total += 1;
            }
        }
        let rest = (f64::from(total) * BRIGHT_REST) as u32;
        let mut above = 0;
        let level = (0..256).rev().find(|&level| {
            above += counts[level];
            above > rest
        })?;
        Some(level as f64 / 255.0)
    }

    /// The rows of the page that `place` covers; `None` if there are none.
    fn rows(&self, place: Place) -> Option<std::ops::Range<usize>> {
        let clamp = |value: i64| usize::try_from(value.max(0)).unwrap_or(0).min(self.height);
        let rows = clamp(place.y.into())..clamp(i64::from(place.y) + i64::from(place.height));
        (!rows.is_empty()).then_some(rows)
    }
}

/// Light of a signal, both 0 to 1 in 255 steps: IEC 61966-2-1.
fn light_of(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
}

/// A threshold matrix after Bayer (1973): 0 to 63, each once.
const BAYER: [[u8; 8]; 8] = {
    let mut matrix = [[0; 8]; 8];
    let mut y = 0;
    while y < 8 {
        let mut x = 0;
        while x < 8 {
            let mut value = 0;
            let mut bit = 0;
            while bit < 3 {
                let (a, b) = ((x >> bit) & 1, (y >> bit) & 1);
                value |= ((a ^ b) << (5 - 2 * bit)) | (b << (4 - 2 * bit));
                bit += 1;
            }
            matrix[y][x] = value as u8;
            x += 1;
        }
        y += 1;
    }
    matrix
};

/// A share as a byte.
fn to_byte(share: f32) -> u8 {
    (share * 255.0 + 0.5) as u8
}

/// `value * by / 255`, to the nearest (Blinn, "Three Wrongs Make a Right", 1995).
fn scale(value: u8, by: u8) -> u8 {
    let product = u16::from(value) * u16::from(by) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Puts a premultiplied colour over a pixel.
fn over(pixel: &mut [u8; 3], color: [u8; 3], alpha: u8) {
    for (below, above) in pixel.iter_mut().zip(color) {
        *below = above.saturating_add(scale(*below, 255 - alpha));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(page: &Page, x: usize, y: usize) -> [u8; 3] {
        page.rgb[y * page.width + x]
    }

    #[test]
    fn every_threshold_comes_once() {
        let mut all: Vec<u8> = BAYER.as_flattened().to_vec();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<u8>>());
    }

    #[test]
    fn a_gradient_goes_from_one_colour_to_the_other_without_bands() {
        let mut page = Page::new(64, 1000);
        page.gradient([40, 80, 120], [20, 40, 60]);
        assert_eq!((pixel(&page, 3, 0), pixel(&page, 3, 999)), ([40, 80, 120], [20, 40, 60]));
        let mean = |y: usize| page.rgb[y * 64..(y + 8) * 64].iter().map(|p| f64::from(p[0])).sum::<f64>() / 512.0;
        for y in (0..990).step_by(8) {
            let exact = 40.0 - 20.0 * (y as f64 + 3.5) / 999.0;
            assert!((mean(y) - exact).abs() < 0.12, "row {y}: {} for {exact}", mean(y));
        }
    }

    #[test]
    fn pictures_are_cut_at_corners_and_edges() {
        let mut page = Page::new(20, 20);
        let place = Place { x: -4, y: 2, width: 12, height: 12 };
        page.draw(place, &[[200, 100, 50, 255]; 144], 0);
        assert_eq!((pixel(&page, 0, 2), pixel(&page, 7, 13)), ([200, 100, 50], [200, 100, 50]));
        assert_eq!((pixel(&page, 8, 2), pixel(&page, 0, 1)), ([0; 3], [0; 3]));
        let mut page = Page::new(20, 20);
        page.draw(Place { x: 0, y: 0, width: 20, height: 20 }, &[[255; 4]; 400], 8);
        assert_eq!(pixel(&page, 0, 0), [0; 3], "the corner is round");
        assert_eq!(pixel(&page, 10, 0), [255; 3]);
        let edge = page.rgb.iter().filter(|pixel| !matches!(pixel[0], 0 | 255)).count();
        assert!((12..80).contains(&edge), "{edge} pixels of a smooth edge");
        page.draw(Place { x: 30, y: 30, width: 2, height: 2 }, &[[255; 4]; 4], 0);
        page.fill(Place { x: 5, y: 25, width: 2, height: 2 }, [255; 4], 1);
    }

    #[test]
    fn premultiplied_colours_are_laid_over() {
        let mut page = Page::new(2, 1);
        page.fill(Place { x: 0, y: 0, width: 2, height: 1 }, [100, 100, 100, 255], 0);
        page.draw(Place { x: 0, y: 0, width: 1, height: 1 }, &[[128, 0, 0, 128]], 0);
        page.fill(Place { x: 1, y: 0, width: 1, height: 1 }, [255, 0, 0, 128], 0);
        assert_eq!((pixel(&page, 0, 0), pixel(&page, 1, 0)), ([178, 50, 50], [178, 50, 50]));
    }

    #[test]
    fn a_shade_is_as_dark_as_white_letters_need_and_no_darker() {
        let place = Place { x: 0, y: 1000, width: 100, height: 200 };
        let mut white = Page::new(100, 2200);
        white.gradient([255; 3], [255; 3]);
        white.shade(place);
        let contrast = |page: &Page, y: usize| 1.05 / (light_of(pixel(page, 50, y)[0]) + 0.05);
        assert!((4.4..5.2).contains(&contrast(&white, 1100)), "{}", contrast(&white, 1100));
        assert_eq!((pixel(&white, 50, 0), pixel(&white, 50, 2199)), ([255; 3], [255; 3]), "far away nothing changes");
        assert!(
            white
                .rgb
                .chunks_exact(100)
                .map(|row| row[0][0])
                .collect::<Vec<_>>()
                .windows(2)
                .all(|pair| { pair[0].abs_diff(pair[1]) <= 3 })
        );
        let mut dark = Page::new(100, 2200);
        dark.gradient([60; 3], [60; 3]);
        let before = dark.clone();
        dark.shade(place);
        assert_eq!(dark, before, "dark enough already");
    }

    #[test]
    fn a_shadow_fades_from_the_card_outwards() {
        let mut page = Page::new(400, 400);
        page.gradient([200; 3], [200; 3]);
        page.shadow(Place { x: 100, y: 100, width: 200, height: 200 }, 20);
        let (near, far, away) = (pixel(&page, 310, 200)[0], pixel(&page, 340, 200)[0], pixel(&page, 380, 200)[0]);
        assert!(near < far && far < 200 && away == 200, "{near} {far} {away}");
    }
}
