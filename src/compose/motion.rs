//! A slow camera over a still picture, exact between pixels.

use std::str::FromStr;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

use super::{I420Mut, PlaneMut};
use crate::error::{Error, ErrorKind, Result};

/// How a movement gains and loses speed, by the names of CSS (CSS Easing Functions Level 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Easing {
    /// At the same speed all the time.
    Linear,
    /// `cubic-bezier(0.42, 0, 1, 1)`.
    EaseIn,
    /// `cubic-bezier(0, 0, 0.58, 1)`.
    EaseOut,
    /// `cubic-bezier(0.42, 0, 0.58, 1)`. Default.
    #[default]
    EaseInOut,
}

impl Easing {
    /// The names as they are written.
    pub const NAMES: [&'static str; 4] = ["linear", "ease-in", "ease-out", "ease-in-out"];

    /// How far the movement is, 0 to 1, when the part `time` (0 to 1) of its time has passed.
    pub fn at(self, time: f64) -> f64 {
        let time = time.clamp(0.0, 1.0);
        let (x1, x2) = match self {
            Self::Linear => return time,
            Self::EaseIn => (0.42, 1.0),
            Self::EaseOut => (0.0, 0.58),
            Self::EaseInOut => (0.42, 0.58),
        };
        let curve = |a: f64, b: f64, t: f64| {
            let rest = 1.0 - t;
            3.0 * rest * rest * t * a + 3.0 * rest * t * t * b + t * t * t
        };
        // The curve's x grows with its parameter: halving finds it, to 2^-50, in the same steps everywhere.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if curve(x1, x2, middle) < time { low = middle } else { high = middle }
        }
        curve(0.0, 1.0, (low + high) / 2.0)
    }
}

impl FromStr for Easing {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "linear" => Ok(Self::Linear),
            "ease-in" => Ok(Self::EaseIn),
            "ease-out" => Ok(Self::EaseOut),
            "ease-in-out" => Ok(Self::EaseInOut),
            _ => Err(()),
        }
    }
}

/// What a camera sees of a picture that fits the canvas: at `zoom` 1 all of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// At least 1.
    pub zoom: f64,
    /// Where the middle of the view is, as fractions of the picture; kept inside of it.
    pub x: f64,
    /// As `x`, from the top.
    pub y: f64,
}

/// A movement of the camera from one view to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Motion {
    /// At the start.
    pub from: View,
    /// At the end.
    pub to: View,
    /// How it gains and loses speed.
    pub easing: Easing,
}

impl Motion {
    /// The largest zoom of the movement.
    pub fn largest_zoom(&self) -> f64 {
        self.from.zoom.max(self.to.zoom)
    }

    /// The view when the part `time` (0 to 1) of the movement's time has passed. Zooms grow by factors, which is what
    /// the eye takes for even.
    pub fn at(&self, time: f64) -> View {
        let part = self.easing.at(time);
        let mix = |from: f64, to: f64| from + (to - from) * part;
        View {
            zoom: self.from.zoom * libm::pow(self.to.zoom / self.from.zoom, part),
            x: mix(self.from.x, self.to.x),
            y: mix(self.from.y, self.to.y),
        }
    }
}

/// A picture that a camera moves over: planar 4:2:0, larger than the canvas by the largest zoom.
pub(crate) struct Scenery {
    planes: [Vec<u8>; 3],
    width: u32,
    height: u32,
    resizer: Resizer,
    taken: [Image<'static>; 3],
}

impl Scenery {
    /// From planes without padding of an even `width` x `height`, for a canvas of an even size.
    pub(crate) fn new(planes: [Vec<u8>; 3], (width, height): (u32, u32), canvas: (u32, u32)) -> Self {
        let image = |by: u32| Image::new(canvas.0 / by, canvas.1 / by, PixelType::U8);
        Self { planes, width, height, resizer: Resizer::new(), taken: [image(1), image(2), image(2)] }
    }

    /// Draws what `view` shows on `target`, which has the canvas's size.
    pub(crate) fn draw(&mut self, view: View, target: &mut I420Mut<'_>) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, "a picture cannot be scaled").caused_by(error.to_string())
        };
        let zoom = view.zoom.max(1.0);
        let targets: [&mut PlaneMut<'_>; 3] = [&mut target.y, &mut target.u, &mut target.v];
        for (number, (plane, target)) in self.planes.iter().zip(targets).enumerate() {
            let by = if number == 0 { 1 } else { 2 };
            let (width, height) = (self.width / by, self.height / by);
            let (w, h) = (f64::from(width) / zoom, f64::from(height) / zoom);
            let left = (view.x * f64::from(width) - w / 2.0).clamp(0.0, f64::from(width) - w);
            let top = (view.y * f64::from(height) - h / 2.0).clamp(0.0, f64::from(height) - h);
            let source = ImageRef::new(width, height, plane, PixelType::U8).map_err(|error| failed(&error))?;
            let options =
                ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).crop(left, top, w, h);
            let taken = &mut self.taken[number];
            self.resizer.resize(&source, taken, &options).map_err(|error| failed(&error))?;
            let row = taken.width() as usize;
            for (y, from) in taken.buffer().chunks_exact(row).enumerate() {
                target.row_mut(y).copy_from_slice(from);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easings_are_those_of_css() {
        for easing in [Easing::Linear, Easing::EaseIn, Easing::EaseOut, Easing::EaseInOut] {
            assert!(easing.at(0.0).abs() < 1e-9 && (easing.at(1.0) - 1.0).abs() < 1e-9, "{easing:?}");
            let steps: Vec<f64> = (0..=100).map(|step| easing.at(f64::from(step) / 100.0)).collect();
            assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "{easing:?}");
        }
        // Values of browsers: cubic-bezier(0.42, 0, 1, 1) and its mirror at one half, and the symmetric one.
        assert!((Easing::EaseIn.at(0.5) - 0.315_357).abs() < 1e-5, "{}", Easing::EaseIn.at(0.5));
        assert!((Easing::EaseOut.at(0.5) - 0.684_643).abs() < 1e-5);
        assert!((Easing::EaseInOut.at(0.5) - 0.5).abs() < 1e-9);
        assert!((Easing::EaseInOut.at(0.25) - 0.129_162).abs() < 1e-4, "{}", Easing::EaseInOut.at(0.25));
    }

    /// A soft dot moves by nearly the same part of a pixel with every frame; rounding to 8 bit moves its middle by a few
    /// hundredths.
    #[test]
    fn movements_are_smooth_to_a_twentieth_of_a_pixel() {
        let (width, height) = (240u32, 400u32);
        let at = |x: u32, y: u32| {
            let (dx, dy) = (f64::from(x) - 119.5, f64::from(y) - 119.5);
            (20.0 + 200.0 * (-(dx * dx + dy * dy) / 200.0).exp()).round() as u8
        };
        let luma: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| at(x, y))).collect();
        let chroma = vec![128; 120 * 200];
        let mut scenery = Scenery::new([luma, chroma.clone(), chroma], (width, height), (200, 332));
        let motion = Motion {
            from: View { zoom: 1.0, x: 0.5, y: 0.5 },
            to: View { zoom: 1.2, x: 0.5, y: 0.45 },
            easing: Easing::Linear,
        };
        let centers: Vec<(f64, f64)> = (0..60)
            .map(|frame| {
                let (mut y, mut u, mut v) = (vec![0; 200 * 332], vec![0; 100 * 166], vec![0; 100 * 166]);
                let mut target = I420Mut {
                    y: PlaneMut::new(&mut y, 200, 332, 200).expect("fits"),
                    u: PlaneMut::new(&mut u, 100, 166, 100).expect("fits"),
                    v: PlaneMut::new(&mut v, 100, 166, 100).expect("fits"),
                };
                scenery.draw(motion.at(f64::from(frame) / 59.0), &mut target).expect("is drawn");
                let (mut sum, mut cx, mut cy) = (0.0, 0.0, 0.0);
                for (at, &value) in y.iter().enumerate() {
                    let weight = f64::from(value.saturating_sub(24));
                    sum += weight;
                    cx += weight * (at % 200) as f64;
                    cy += weight * (at / 200) as f64;
                }
                (cx / sum, cy / sum)
            })
            .collect();
        let steps: Vec<f64> = centers.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        let changes: Vec<f64> = steps.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        let worst = changes.iter().copied().fold(0.0, f64::max);
        assert!(worst < 0.05, "the speed jumps by {worst:.4} pixels: {steps:.3?}");
        assert!((centers[59].1 - centers[0].1).abs() > 5.0, "it moves: {centers:.2?}");
        let sideways = centers.iter().map(|(x, _)| (x - centers[0].0).abs()).fold(0.0, f64::max);
        assert!(sideways < 0.05, "and not to the side: {sideways}");
    }
}
