//! A small picture with alpha, ready to be blended on frames.

use multiversion::multiversion;

use super::{I420Mut, PlaneMut};

/// A premultiplied picture in Y'CbCr 4:2:0 (BT.709 limited) with alpha, at a fixed place on the canvas.
///
/// Made once from RGBA, blended on every frame where it is live. The place and size are even, so that its chroma
/// lines up with the frame's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sprite {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    /// Luma times alpha, and alpha, at full size.
    luma: Vec<u8>,
    alpha: Vec<u8>,
    /// Chroma times alpha, and mean alpha, at half size.
    u: Vec<u8>,
    v: Vec<u8>,
    chroma_alpha: Vec<u8>,
}

impl Sprite {
    /// A sprite from premultiplied sRGB RGBA8, row by row without padding, with its top left pixel at `(x, y)` of the
    /// canvas. `None` unless all four numbers are even, neither size is zero, and `rgba` has exactly
    /// `width * height * 4` bytes.
    ///
    /// Formulas: ITU-R BT.709-6, item 3.2 to 3.5, on the premultiplied values; offsets are scaled by alpha too.
    pub fn from_premultiplied_rgba(x: u32, y: u32, width: u32, height: u32, rgba: &[u8]) -> Option<Self> {
        let (x, y, width, height) = (x as usize, y as usize, width as usize, height as usize);
        let even = [x, y, width, height].iter().all(|value| value % 2 == 0);
        if !even || width == 0 || height == 0 || width.checked_mul(height)?.checked_mul(4)? != rgba.len() {
            return None;
        }
        let mut luma = Vec::with_capacity(width * height);
        let mut alpha = Vec::with_capacity(width * height);
        for pixel in rgba.chunks_exact(4) {
            let [r, g, b, a] = [pixel[0], pixel[1], pixel[2], pixel[3]].map(f32::from);
            luma.push(to_byte(16.0 * a / 255.0 + luma_of(r, g, b) * (219.0 / 255.0)));
            alpha.push(pixel[3]);
        }
        let half = width / 2 * (height / 2);
        let (mut u, mut v) = (Vec::with_capacity(half), Vec::with_capacity(half));
        let mut chroma_alpha = Vec::with_capacity(half);
        for top in (0..height).step_by(2) {
            for left in (0..width).step_by(2) {
                let mut sum = [0.0f32; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let at = ((top + dy) * width + left + dx) * 4;
                    for (total, &value) in sum.iter_mut().zip(&rgba[at..at + 4]) {
                        *total += f32::from(value) / 4.0;
                    }
                }
                let [r, g, b, a] = sum;
                let y = luma_of(r, g, b);
                u.push(to_byte(128.0 * a / 255.0 + (b - y) / 1.8556 * (224.0 / 255.0)));
                v.push(to_byte(128.0 * a / 255.0 + (r - y) / 1.5748 * (224.0 / 255.0)));
                chroma_alpha.push(to_byte(a));
            }
        }
        Some(Self { x, y, width, height, luma, alpha, u, v, chroma_alpha })
    }

    /// Blends the sprite over `frame` (source-over); what lies outside the frame is left out.
    ///
    /// Every sample is within 1 of the exact value. No allocation.
    pub fn blend(&self, frame: &mut I420Mut<'_>) {
        let half = (self.x / 2, self.y / 2, self.width / 2);
        blend_plane(&mut frame.y, (self.x, self.y, self.width), &self.luma, &self.alpha);
        blend_plane(&mut frame.u, half, &self.u, &self.chroma_alpha);
        blend_plane(&mut frame.v, half, &self.v, &self.chroma_alpha);
    }

    /// As [`blend`](Self::blend), with the sprite's opacity multiplied by `opacity`, 0 to 255.
    pub fn blend_faded(&self, frame: &mut I420Mut<'_>, opacity: u8) {
        match opacity {
            0 => {}
            255 => self.blend(frame),
            _ => {
                let half = (self.x / 2, self.y / 2, self.width / 2);
                blend_faded(&mut frame.y, (self.x, self.y, self.width), &self.luma, &self.alpha, opacity);
                blend_faded(&mut frame.u, half, &self.u, &self.chroma_alpha, opacity);
                blend_faded(&mut frame.v, half, &self.v, &self.chroma_alpha, opacity);
            }
        }
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.luma.len() + self.alpha.len() + self.u.len() + self.v.len() + self.chroma_alpha.len()
    }
}

/// The code values of a colour in sRGB: ITU-R BT.709-6, item 3.2 to 3.5, limited range.
pub(crate) fn code_values(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(f32::from);
    let y = luma_of(r, g, b);
    let chroma = |difference: f32, range: f32| to_byte(128.0 + difference / range * (224.0 / 255.0));
    [to_byte(16.0 + y * (219.0 / 255.0)), chroma(b - y, 1.8556), chroma(r - y, 1.5748)]
}

fn luma_of(r: f32, g: f32, b: f32) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn to_byte(value: f32) -> u8 {
    // `as` saturates at the ends of the range.
    (value + 0.5) as u8
}

fn blend_plane(target: &mut PlaneMut<'_>, (x, y, width): (usize, usize, usize), color: &[u8], alpha: &[u8]) {
    for (dy, (color, alpha)) in color.chunks_exact(width).zip(alpha.chunks_exact(width)).enumerate() {
        if let Some(row) = target.row_mut(y + dy).get_mut(x..) {
            blend_row(row, color, alpha);
        }
    }
}

#[multiversion(targets = "simd")]
fn blend_row(target: &mut [u8], color: &[u8], alpha: &[u8]) {
    for ((target, &color), &alpha) in target.iter_mut().zip(color).zip(alpha) {
        // Division by 255 to the nearest, for products up to 255 * 255 (Blinn, "Three Wrongs Make a Right", 1995).
        let t = u16::from(255 - alpha) * u16::from(*target) + 128;
        *target = color.saturating_add(((t + (t >> 8)) >> 8) as u8);
    }
}

fn blend_faded(
    target: &mut PlaneMut<'_>,
    (x, y, width): (usize, usize, usize),
    color: &[u8],
    alpha: &[u8],
    opacity: u8,
) {
    for (dy, (color, alpha)) in color.chunks_exact(width).zip(alpha.chunks_exact(width)).enumerate() {
        if let Some(row) = target.row_mut(y + dy).get_mut(x..) {
            blend_faded_row(row, color, alpha, opacity);
        }
    }
}

/// One rounding for the whole sum, so that a fade does not darken by rounding twice.
#[multiversion(targets = "simd")]
fn blend_faded_row(target: &mut [u8], color: &[u8], alpha: &[u8], opacity: u8) {
    const WHOLE: u32 = 255 * 255;
    let opacity = u32::from(opacity);
    for ((target, &color), &alpha) in target.iter_mut().zip(color).zip(alpha) {
        let through = WHOLE - u32::from(alpha) * opacity;
        let sum = u32::from(color) * opacity * 255 + u32::from(*target) * through;
        *target = ((sum + WHOLE / 2) / WHOLE).min(255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of one colour.
    fn frame(width: usize, height: usize, yuv: [u8; 3]) -> [Vec<u8>; 3] {
        [vec![yuv[0]; width * height], vec![yuv[1]; width * height / 4], vec![yuv[2]; width * height / 4]]
    }

    fn view<'a>(planes: &'a mut [Vec<u8>; 3], width: usize, height: usize) -> I420Mut<'a> {
        let [y, u, v] = planes;
        I420Mut {
            y: PlaneMut::new(y, width, height, width).expect("fits"),
            u: PlaneMut::new(u, width / 2, height / 2, width / 2).expect("fits"),
            v: PlaneMut::new(v, width / 2, height / 2, width / 2).expect("fits"),
        }
    }

    #[test]
    fn blending_is_within_one_of_the_exact_value() {
        for alpha in 0..=255u8 {
            for value in [0u8, 1, 17, 128, 200, 255] {
                let premultiplied = (f64::from(value) * f64::from(alpha) / 255.0).round() as u8;
                let pixel = [premultiplied, premultiplied, premultiplied, alpha];
                let sprite = Sprite::from_premultiplied_rgba(2, 2, 2, 2, &pixel.repeat(4)).expect("even");
                let mut planes = frame(6, 6, [180, 90, 200]);
                sprite.blend(&mut view(&mut planes, 6, 6));
                let a = f64::from(alpha) / 255.0;
                let grey = f64::from(premultiplied) / 255.0;
                let exact = [
                    16.0 * a + 219.0 * grey + (1.0 - a) * 180.0,
                    128.0 * a + (1.0 - a) * 90.0,
                    128.0 * a + (1.0 - a) * 200.0,
                ];
                for (found, exact) in [planes[0][2 * 6 + 2], planes[1][3 + 1], planes[2][3 + 1]].iter().zip(exact) {
                    assert!((f64::from(*found) - exact).abs() <= 1.0, "alpha {alpha} value {value}: {found} {exact}");
                }
                assert_eq!(planes[0][0], 180, "outside the rectangle nothing changes");
                assert_eq!(planes[1][0], 90);
            }
        }
    }

    #[test]
    fn a_faded_sprite_is_within_one_of_the_exact_value() {
        for (alpha, opacity) in [(255u8, 128u8), (255, 1), (200, 77), (13, 254), (255, 0), (90, 255)] {
            let sprite = Sprite::from_premultiplied_rgba(0, 0, 2, 2, &[alpha; 4].repeat(4)).expect("even");
            let mut planes = frame(4, 4, [100, 90, 200]);
            sprite.blend_faded(&mut view(&mut planes, 4, 4), opacity);
            let a = f64::from(alpha) / 255.0 * f64::from(opacity) / 255.0;
            let exact = [235.0 * a + (1.0 - a) * 100.0, 128.0 * a + (1.0 - a) * 90.0, 128.0 * a + (1.0 - a) * 200.0];
            for (found, exact) in [planes[0][0], planes[1][0], planes[2][0]].iter().zip(exact) {
                assert!((f64::from(*found) - exact).abs() <= 1.0, "{alpha} {opacity}: {found} {exact}");
            }
        }
    }

    #[test]
    fn colours_are_bt709_limited() {
        // R, G, B, white, black and their code values by BT.709-6.
        let cases = [
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
            ([255, 255, 255], [235, 128, 128]),
            ([0, 0, 0], [16, 128, 128]),
        ];
        for (rgb, yuv) in cases {
            let pixel = [rgb[0], rgb[1], rgb[2], 255];
            let sprite = Sprite::from_premultiplied_rgba(0, 0, 2, 2, &pixel.repeat(4)).expect("even");
            let mut planes = frame(2, 2, [77, 77, 77]);
            sprite.blend(&mut view(&mut planes, 2, 2));
            assert_eq!([planes[0][0], planes[1][0], planes[2][0]], yuv, "{rgb:?}");
        }
    }

    #[test]
    fn a_sprite_over_the_edge_is_cut_and_a_wrong_one_refused() {
        let sprite = Sprite::from_premultiplied_rgba(4, 4, 4, 4, &[255; 64]).expect("even");
        let mut planes = frame(6, 6, [16, 128, 128]);
        sprite.blend(&mut view(&mut planes, 6, 6));
        assert_eq!(planes[0].iter().filter(|&&y| y == 235).count(), 4);
        for (x, y, w, h, bytes) in [(1, 0, 2, 2, 16), (0, 0, 3, 2, 24), (0, 0, 2, 2, 15), (0, 0, 0, 2, 0)] {
            assert_eq!(Sprite::from_premultiplied_rgba(x, y, w, h, &vec![0; bytes]), None);
        }
    }
}
