//! Turning and mirroring a picture as its EXIF orientation says.

use image::metadata::Orientation;

use crate::compose::SourceRect;

/// Side of the square that is turned at once, in pixels: its rows and columns stay in the first cache.
const TILE: usize = 32;

/// Whether width and height change places.
pub(super) fn swaps(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// The size in which a picture of `width` x `height` is displayed.
pub(super) fn displayed(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    if swaps(orientation) { (height, width) } else { (width, height) }
}

/// The part of a picture of `width` x `height`, as it is coded, that is displayed at `rect`.
pub(super) fn coded(rect: SourceRect, width: u32, height: u32, orientation: Orientation) -> SourceRect {
    let SourceRect { x, y, width: w, height: h } = rect;
    let (right, bottom) = if swaps(orientation) {
        (width.saturating_sub(y + h), height.saturating_sub(x + w))
    } else {
        (width.saturating_sub(x + w), height.saturating_sub(y + h))
    };
    match orientation {
        Orientation::NoTransforms => rect,
        Orientation::FlipHorizontal => SourceRect { x: right, ..rect },
        Orientation::FlipVertical => SourceRect { y: bottom, ..rect },
        Orientation::Rotate180 => SourceRect { x: right, y: bottom, ..rect },
        Orientation::Rotate90 => SourceRect { x: y, y: bottom, width: h, height: w },
        Orientation::Rotate270 => SourceRect { x: right, y: x, width: h, height: w },
        Orientation::Rotate90FlipH => SourceRect { x: y, y: x, width: h, height: w },
        Orientation::Rotate270FlipH => SourceRect { x: right, y: bottom, width: h, height: w },
    }
}

/// The RGBA picture `rgba` of `width` x `height` in its displayed orientation.
pub(super) fn orient(rgba: Vec<u8>, width: u32, height: u32, orientation: Orientation) -> Vec<u8> {
    let (w, h) = (width as usize, height as usize);
    // Where the displayed corner is in the source, and the steps in the source for one pixel right and one down.
    let (start, right, down) = match orientation {
        Orientation::NoTransforms => return rgba,
        Orientation::FlipHorizontal => (w - 1, -1, w as isize),
        Orientation::Rotate180 => (w * h - 1, -1, -(w as isize)),
        Orientation::FlipVertical => (w * (h - 1), 1, -(w as isize)),
        Orientation::Rotate90FlipH => (0, w as isize, 1),
        Orientation::Rotate90 => (w * (h - 1), -(w as isize), 1),
        Orientation::Rotate270FlipH => (w * h - 1, -(w as isize), -1),
        Orientation::Rotate270 => (w - 1, w as isize, -1),
    };
    let (out_width, out_height) = if swaps(orientation) { (h, w) } else { (w, h) };
    let source = rgba.as_chunks::<4>().0;
    let mut out = vec![0; rgba.len()];
    let target = out.as_chunks_mut::<4>().0;
    for top in (0..out_height).step_by(TILE) {
        for left in (0..out_width).step_by(TILE) {
            let end = out_width.min(left + TILE);
            for y in top..out_height.min(top + TILE) {
                let from = start as isize + y as isize * down;
                for (x, pixel) in (left..end).zip(&mut target[y * out_width + left..y * out_width + end]) {
                    *pixel = source[(from + x as isize * right) as usize];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orientations_are_those_of_the_image_crate() {
        let (width, height) = (37, 70);
        let rgba: Vec<u8> = (0..width * height).flat_map(|i| [i as u8, (i >> 8) as u8, 3, 255]).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).expect("a valid value");
            let picture = image::RgbaImage::from_raw(width, height, rgba.clone()).expect("the size fits");
            let mut expected = image::DynamicImage::ImageRgba8(picture);
            expected.apply_orientation(orientation);
            let size = (expected.width(), expected.height());
            assert_eq!(displayed(width, height, orientation), size);
            assert_eq!(orient(rgba.clone(), width, height, orientation), expected.as_bytes(), "orientation {exif}");
            // A part of the displayed picture is the same part of the coded one, turned.
            let rect = SourceRect { x: 5, y: 11, width: 20, height: 15 };
            let part = coded(rect, width, height, orientation);
            let picture = image::RgbaImage::from_raw(width, height, rgba.clone()).expect("the size fits");
            let cut = image::imageops::crop_imm(&picture, part.x, part.y, part.width, part.height).to_image();
            let turned = orient(cut.into_raw(), part.width, part.height, orientation);
            let meant = expected.crop_imm(rect.x, rect.y, rect.width, rect.height).into_bytes();
            assert_eq!(turned, meant, "orientation {exif}");
        }
    }
}
