//! Rectangles with round corners.

/// A rectangle with round corners, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounded {
    center: (f32, f32),
    half: (f32, f32),
    radius: f32,
}

impl Rounded {
    /// Of the radius `radius`, of which at most half of the shorter side counts.
    pub(super) fn new((x, y): (i32, i32), (width, height): (u32, u32), radius: u32) -> Self {
        let half = (width as f32 / 2.0, height as f32 / 2.0);
        let center = (x as f32 + half.0, y as f32 + half.1);
        Self { center, half, radius: (radius as f32).min(half.0).min(half.1) }
    }

    /// The radius of its corners.
    pub(super) fn radius(self) -> f32 {
        self.radius
    }

    /// Larger by `by` at every side; square corners stay square.
    pub(super) fn grown(self, by: f32) -> Self {
        let half = (self.half.0 + by, self.half.1 + by);
        Self { half, radius: if self.radius > 0.0 { self.radius + by } else { 0.0 }, ..self }
    }

    /// The same, `by` further down.
    pub(super) fn lowered(self, by: f32) -> Self {
        Self { center: (self.center.0, self.center.1 + by), ..self }
    }

    /// How far the point is outside; less than 0 inside (Quilez, "2D distance functions", rounded box).
    pub(super) fn distance(self, x: f32, y: f32) -> f32 {
        let past = |at: f32, center: f32, half: f32| (at - center).abs() - half + self.radius;
        let (x, y) = (past(x, self.center.0, self.half.0), past(y, self.center.1, self.half.1));
        let (right, down) = (x.max(0.0), y.max(0.0));
        // Not `hypot`, which each C library rounds in its own way.
        (right * right + down * down).sqrt() + x.max(y).min(0.0) - self.radius
    }

    /// How much of the pixel whose left upper corner is at the point lies inside, 0 to 1: by the distance of its centre.
    pub(super) fn cover(self, x: f32, y: f32) -> f32 {
        (0.5 - self.distance(x + 0.5, y + 0.5)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_ruler() {
        let card = Rounded::new((10, 20), (40, 30), 5);
        for ((x, y), distance) in [
            ((30.0, 10.0), 10.0),
            ((60.0, 35.0), 10.0),
            ((30.0, 20.0), 0.0),
            ((30.0, 26.0), -6.0),
            // Beyond a corner: from its centre at (15, 25), less the radius.
            ((12.0, 21.0), 0.0),
            ((9.0, 17.0), 5.0),
        ] {
            assert!((card.distance(x, y) - distance).abs() < 1e-4, "({x}, {y}): {}", card.distance(x, y));
        }
        assert!((card.grown(3.0).distance(30.0, 10.0) - 7.0).abs() < 1e-4);
        assert!((card.lowered(4.0).distance(30.0, 10.0) - 14.0).abs() < 1e-4);
        // A square corner stays one when it grows.
        let square = Rounded::new((0, 0), (10, 10), 0).grown(2.0);
        assert!((square.distance(12.0, 12.0)).abs() < 1e-4);
        // No rounder than a circle.
        let circle = Rounded::new((0, 0), (10, 10), 99);
        assert!((circle.distance(5.0, 12.0) - 2.0).abs() < 1e-4);
    }

    #[test]
    fn whole_pixels_inside_are_covered_whole() {
        let card = Rounded::new((0, 0), (20, 10), 4);
        assert!((card.cover(4.0, 0.0) - 1.0).abs() < 1e-6 && (card.cover(0.0, 5.0) - 1.0).abs() < 1e-6);
        assert!(card.cover(0.0, 0.0) < 0.2 && card.cover(-1.0, 5.0) < 1e-6);
    }
}
