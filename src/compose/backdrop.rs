//! A blurred picture below a sharp one.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::{Edging, I420Mut, I420Ref, Inset, PlaneRef};
use crate::error::{Error, ErrorKind, Result};
use crate::text::Area;

/// A picture is blurred at this part of its size, where it costs next to nothing.
const REDUCED: u32 = 12;
/// Reaches of the box filters: three of them come close to a Gaussian of a standard deviation of 29 pixels of the canvas.
const LUMA_REACH: usize = 2;
const CHROMA_REACH: usize = 1;

/// Blurs the pictures of one clip for a part of the canvas.
pub(crate) struct Blurred {
    place: Inset,
    /// At the size of the part.
    planes: [Image<'static>; 3],
    resizer: Resizer,
    /// Which picture is there.
    shown: Option<i64>,
}

impl Blurred {
    /// For `area`, whose numbers are even, of a canvas of an even size.
    pub(crate) fn new(area: Area, canvas: (u32, u32)) -> Self {
        let image = |by: u32| Image::new(area.width / by, area.height / by, PixelType::U8);
        Self {
            place: Inset::new(area, &Edging::default(), canvas, true),
            planes: [image(1), image(2), image(2)],
            resizer: Resizer::new(),
            shown: None,
        }
    }

    /// The size of the pictures that it blurs, for an area of this size.
    pub(crate) fn reduced(area: Area) -> (u32, u32) {
        let part = |side: u32| (side / REDUCED).next_multiple_of(2).max(8);
        (part(area.width), part(area.height))
    }

    /// Draws `small`, a picture of the [reduced](Self::reduced) size, blurred; `time` tells it from others.
    ///
    /// # Errors
    /// `INTERNAL` if it cannot be scaled.
    pub(crate) fn draw(&mut self, small: I420Ref<'_>, time: i64, target: &mut I420Mut<'_>) -> Result<()> {
        if self.shown != Some(time) {
            let planes = [(small.y, LUMA_REACH), (small.u, CHROMA_REACH), (small.v, CHROMA_REACH)];
            for ((plane, reach), large) in planes.into_iter().zip(&mut self.planes) {
                let failed = |error: &dyn std::fmt::Display| {
                    Error::new(ErrorKind::Internal, "a picture cannot be scaled").caused_by(error.to_string())
                };
                let (width, height) = (plane.width() as u32, plane.height() as u32);
                let smooth = blurred(plane, reach);
                let source = ImageRef::new(width, height, &smooth, PixelType::U8).map_err(|error| failed(&error))?;
                let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
                self.resizer.resize(&source, large, &options).map_err(|error| failed(&error))?;
            }
            self.shown = Some(time);
        }
        let [y, u, v] = &self.planes;
        let plane = |image: &'_ Image<'static>| (image.width() as usize, image.height() as usize);
        let view = |image| {
            let (width, height) = plane(image);
            PlaneRef::new(image.buffer(), width, height, width)
        };
        if let (Some(y), Some(u), Some(v)) = (view(y), view(u), view(v)) {
            self.place.draw(target, I420Ref { y, u, v }, None);
        }
        Ok(())
    }
}

/// `plane` after three box filters in each direction; beyond its edges it goes on as they are.
fn blurred(plane: PlaneRef<'_>, reach: usize) -> Vec<u8> {
    let (width, height) = (plane.width(), plane.height());
    // Six more bits, so that six roundings are not seen.
    let mut samples: Vec<u32> = plane.rows().flatten().map(|&value| u32::from(value) << 6).collect();
    let mut line = Vec::new();
    for _ in 0..3 {
        for row in samples.chunks_exact_mut(width) {
            line.clear();
            line.extend_from_slice(row);
            for (at, value) in row.iter_mut().enumerate() {
                *value = mean_around(&line, at, reach);
            }
        }
        for x in 0..width {
            line.clear();
            line.extend(samples.iter().skip(x).step_by(width));
            for y in 0..height {
                samples[y * width + x] = mean_around(&line, y, reach);
            }
        }
    }
    samples.into_iter().map(|value| ((value + 32) >> 6).min(255) as u8).collect()
}

/// The mean of the values up to `reach` away from `at`.
fn mean_around(line: &[u32], at: usize, reach: usize) -> u32 {
    let count = 2 * reach + 1;
    let last = line.len() - 1;
    let sum: u32 = (0..count).map(|step| line[(at + step).saturating_sub(reach).min(last)]).sum();
    (sum + count as u32 / 2) / count as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::PlaneMut;

    /// The luma of a part of 240x480 of a canvas of the same size, of a reduced picture.
    fn drawn(small: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let area = Area { x: 0, y: 0, width: 240, height: 480 };
        let (width, height) = Blurred::reduced(area);
        assert_eq!((width, height), (20, 40));
        let luma: Vec<u8> = (0..800).map(|at| small(at % 20, at / 20)).collect();
        let chroma = vec![90; 200];
        let plane = |data, width, height| PlaneRef::new(data, width, height, width).expect("fits");
        let small = I420Ref { y: plane(&luma, 20, 40), u: plane(&chroma, 10, 20), v: plane(&chroma, 10, 20) };
        let (mut y, mut u, mut v) = (vec![0; 240 * 480], vec![0; 120 * 240], vec![0; 120 * 240]);
        let mut target = I420Mut {
            y: PlaneMut::new(&mut y, 240, 480, 240).expect("fits"),
            u: PlaneMut::new(&mut u, 120, 240, 120).expect("fits"),
            v: PlaneMut::new(&mut v, 120, 240, 120).expect("fits"),
        };
        let mut blurred = Blurred::new(area, (240, 480));
        blurred.draw(small, 0, &mut target).expect("is drawn");
        assert!(u.iter().chain(&v).all(|&value| value == 90));
        y
    }

    #[test]
    fn one_colour_stays_what_it_is() {
        assert!(drawn(|_, _| 77).iter().all(|&value| value == 77));
    }

    #[test]
    fn an_edge_becomes_a_slope_in_its_place() {
        let luma = drawn(|x, _| if x < 10 { 16 } else { 235 });
        let row = &luma[200 * 240..][..240];
        assert!(row.is_sorted(), "{row:?}");
        assert!(row[119] < 126 && row[120] > 125, "its middle stays: {} {}", row[119], row[120]);
        // A Gaussian of 29 pixels: one standard deviation from the edge are 16 and 84 %.
        let share = |value: u8| (f64::from(value) - 16.0) / 219.0;
        assert!((share(row[91]) - 0.16).abs() < 0.03, "{}", share(row[91]));
        assert!((share(row[149]) - 0.84).abs() < 0.03, "{}", share(row[149]));
        let steps = row.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(steps <= Some(5), "no step is seen: {steps:?}");
    }
}
