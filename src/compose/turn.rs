//! The eight ways in which a camera can have been held.

use serde::{Deserialize, Serialize};

use super::{I420Mut, I420Ref, PlaneMut, PlaneRef, SourceRect};

/// How a coded picture is turned to be displayed: the symmetries of a rectangle. Turns are clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// As coded. Default.
    #[default]
    Upright,
    /// A quarter turn clockwise: the coded left edge is on top.
    Rotate90,
    /// Upside down.
    Rotate180,
    /// A quarter turn counter-clockwise: the coded right edge is on top.
    Rotate270,
    /// Left and right exchanged.
    MirrorHorizontal,
    /// Top and bottom exchanged.
    MirrorVertical,
    /// Rows and columns exchanged: mirrored at the line from the top left to the bottom right.
    Transpose,
    /// Mirrored at the line from the top right to the bottom left.
    Transverse,
}

impl Orientation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::Rotate90,
        Self::Rotate180,
        Self::Rotate270,
        Self::MirrorHorizontal,
        Self::MirrorVertical,
        Self::Transpose,
        Self::Transverse,
    ];

    /// Whether rows become columns, then whether the result is mirrored from left to right and from top to bottom.
    const fn steps(self) -> (bool, bool, bool) {
        match self {
            Self::Upright => (false, false, false),
            Self::Rotate90 => (true, true, false),
            Self::Rotate180 => (false, true, true),
            Self::Rotate270 => (true, false, true),
            Self::MirrorHorizontal => (false, true, false),
            Self::MirrorVertical => (false, false, true),
            Self::Transpose => (true, false, false),
            Self::Transverse => (true, true, true),
        }
    }

    /// Whether width and height are exchanged.
    pub const fn swaps_sides(self) -> bool {
        self.steps().0
    }

    /// What is done, for people: `rotated 90`, `mirrored`.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Upright => "not turned",
            Self::Rotate90 => "rotated 90",
            Self::Rotate180 => "rotated 180",
            Self::Rotate270 => "rotated 270",
            Self::MirrorHorizontal => "mirrored left to right",
            Self::MirrorVertical => "mirrored top to bottom",
            Self::Transpose => "rotated 90 and mirrored left to right",
            Self::Transverse => "rotated 90 and mirrored top to bottom",
        }
    }

    /// The part of a coded picture of `width` by `height` pixels that is seen as `rect` once it is turned. A `rect` that
    /// is not inside is cut.
    pub fn coded_rect(self, rect: SourceRect, (width, height): (u32, u32)) -> SourceRect {
        let (swaps, mirrors_x, mirrors_y) = self.steps();
        let (shown_width, shown_height) = if swaps { (height, width) } else { (width, height) };
        let (x, y) = (rect.x.min(shown_width), rect.y.min(shown_height));
        let (wide, high) = (rect.width.min(shown_width - x), rect.height.min(shown_height - y));
        let x = if mirrors_x { shown_width - x - wide } else { x };
        let y = if mirrors_y { shown_height - y - high } else { y };
        let upright = SourceRect { x, y, width: wide, height: high };
        if swaps { SourceRect { x: y, y: x, width: high, height: wide } } else { upright }
    }
}

/// Turns a picture. Bit-exact; no allocation. What `to` has more than the turned picture is left alone.
pub fn turn(from: I420Ref<'_>, to: &mut I420Mut<'_>, orientation: Orientation) {
    turn_plane(from.y, &mut to.y, orientation);
    turn_plane(from.u, &mut to.u, orientation);
    turn_plane(from.v, &mut to.v, orientation);
}

/// As [`turn`], for one plane.
pub fn turn_plane(from: PlaneRef<'_>, to: &mut PlaneMut<'_>, orientation: Orientation) {
    let (swaps, mirrors_x, mirrors_y) = orientation.steps();
    if swaps {
        return transpose(from, to, mirrors_x, mirrors_y);
    }
    for y in 0..from.height() {
        let source = from.row(y);
        let target = to.row_mut(if mirrors_y { from.height() - 1 - y } else { y });
        if mirrors_x {
            target.iter_mut().zip(source.iter().rev()).for_each(|(target, &source)| *target = source);
        } else {
            target.iter_mut().zip(source).for_each(|(target, &source)| *target = source);
        }
    }
}

/// Samples in the side of a block that is turned in registers.
const BLOCK: usize = 16;
/// Samples in the side of a tile whose rows, read and written, stay in the first cache.
const TILE: usize = 64;

fn transpose(from: PlaneRef<'_>, to: &mut PlaneMut<'_>, mirrors_x: bool, mirrors_y: bool) {
    let (width, height) = (from.width(), from.height());
    if (to.width(), to.height()) != (height, width) {
        return;
    }
    let (whole_width, whole_height) = (width / BLOCK * BLOCK, height / BLOCK * BLOCK);
    for top in (0..whole_height).step_by(TILE) {
        for left in (0..whole_width).step_by(TILE) {
            for y in (top..(top + TILE).min(whole_height)).step_by(BLOCK) {
                let columns = left..(left + TILE).min(whole_width);
                transpose_blocks(from, to, y, columns, (mirrors_x, mirrors_y));
            }
        }
    }
    // What is left at the right and at the bottom.
    for y in 0..height {
        let start = if y < whole_height { whole_width } else { 0 };
        let target_x = if mirrors_x { height - 1 - y } else { y };
        for (x, &sample) in from.row(y).iter().enumerate().skip(start) {
            let target_y = if mirrors_y { width - 1 - x } else { x };
            if let Some([target]) = to.run_mut(target_x, target_y) {
                *target = sample;
            }
        }
    }
}

/// Transposes the blocks of the sixteen rows from `y` on in these columns.
fn transpose_blocks(
    from: PlaneRef<'_>,
    to: &mut PlaneMut<'_>,
    y: usize,
    columns: std::ops::Range<usize>,
    (mirrors_x, mirrors_y): (bool, bool),
) {
    let (width, height) = (from.width(), from.height());
    // Rows taken from the last to the first come out mirrored.
    let rows: [&[u8]; BLOCK] = std::array::from_fn(|i| from.row(if mirrors_x { y + BLOCK - 1 - i } else { y + i }));
    let target_x = if mirrors_x { height - BLOCK - y } else { y };
    for x in columns.step_by(BLOCK) {
        let load = |i: usize| -> [u64; 2] {
            let bytes: Option<&[u8; BLOCK]> = rows[i].get(x..).and_then(|rest| rest.first_chunk());
            let bytes = bytes.map_or(0, |bytes| u128::from_le_bytes(*bytes));
            [bytes as u64, (bytes >> 64) as u64]
        };
        let upper = transposed(std::array::from_fn(load));
        let lower = transposed(std::array::from_fn(|i| load(i + BLOCK / 2)));
        for i in 0..BLOCK {
            let (row, half) = (i % 8, i / 8);
            let target_y = if mirrors_y { width - 1 - (x + i) } else { x + i };
            if let Some(target) = to.run_mut(target_x, target_y) {
                let samples: u128 = u128::from(upper[row][half]) | u128::from(lower[row][half]) << 64;
                *target = samples.to_le_bytes();
            }
        }
    }
}

/// Eight rows of two times eight bytes to columns, in each half: blocks of 4, 2 and 1 are exchanged across the diagonal
/// (Warren, "Hacker's Delight", 7-3). Two words at once, which compile to vectors.
#[inline(always)]
fn transposed(mut rows: [[u64; 2]; 8]) -> [[u64; 2]; 8] {
    const STEPS: [(usize, u64); 3] =
        [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)];
    for (distance, mask) in STEPS {
        let bits = 8 * distance as u32;
        for i in 0..8 {
            if i & distance == 0 {
                let (upper, lower) = (rows[i], rows[i + distance]);
                for half in 0..2 {
                    rows[i][half] = (upper[half] & mask) | ((lower[half] & mask) << bits);
                    rows[i + distance][half] = ((upper[half] >> bits) & mask) | (lower[half] & !mask);
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where a coded point is displayed, straight from the meaning of each orientation.
    fn displayed(orientation: Orientation, (x, y): (usize, usize), (w, h): (usize, usize)) -> (usize, usize) {
        match orientation {
            Orientation::Upright => (x, y),
            Orientation::Rotate90 => (h - 1 - y, x),
            Orientation::Rotate180 => (w - 1 - x, h - 1 - y),
            Orientation::Rotate270 => (y, w - 1 - x),
            Orientation::MirrorHorizontal => (w - 1 - x, y),
            Orientation::MirrorVertical => (x, h - 1 - y),
            Orientation::Transpose => (y, x),
            Orientation::Transverse => (h - 1 - y, w - 1 - x),
        }
    }

    fn turned(samples: &[u8], width: usize, height: usize, orientation: Orientation) -> Vec<u8> {
        let (to_width, to_height) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
        let mut to = vec![0; samples.len()];
        let from = PlaneRef::new(samples, width, height, width).expect("fits");
        let mut plane = PlaneMut::new(&mut to, to_width, to_height, to_width).expect("fits");
        turn_plane(from, &mut plane, orientation);
        to
    }

    proptest! {
        #[test]
        fn every_sample_lands_where_it_belongs(width in 1usize..150, height in 1usize..150, which in 0usize..8) {
            let orientation = Orientation::ALL[which];
            let samples: Vec<u8> = (0..width * height).map(|n| (n * 31 % 251) as u8).collect();
            let to = turned(&samples, width, height, orientation);
            let stride = if orientation.swaps_sides() { height } else { width };
            for y in 0..height {
                for x in 0..width {
                    let (to_x, to_y) = displayed(orientation, (x, y), (width, height));
                    prop_assert_eq!(to[to_y * stride + to_x], samples[y * width + x], "{:?} {} {}", orientation, x, y);
                }
            }
        }

        #[test]
        fn a_part_of_what_is_displayed_is_found_in_what_is_coded(
            x in 0u32..40, y in 0u32..40, width in 1u32..20, height in 1u32..20, which in 0usize..8,
        ) {
            let orientation = Orientation::ALL[which];
            let (coded_width, coded_height) = (60u32, 70u32);
            let part = orientation.coded_rect(SourceRect { x, y, width, height }, (coded_width, coded_height));
            let corners = [(part.x, part.y), (part.x + part.width - 1, part.y + part.height - 1)];
            let size = (coded_width as usize, coded_height as usize);
            let [a, b] = corners.map(|(x, y)| displayed(orientation, (x as usize, y as usize), size));
            prop_assert_eq!((a.0.min(b.0) as u32, a.1.min(b.1) as u32), (x, y));
            prop_assert_eq!((a.0.max(b.0) as u32 + 1, a.1.max(b.1) as u32 + 1), (x + width, y + height));
        }
    }
}
