//! What the colours of a source are.

use serde::{Deserialize, Serialize};

use crate::compose::{Hdr, Primaries};
use crate::ffmpeg::{ColorTags, FormatInfo};

/// The colour of a source, with every default resolved. Numbers are ITU-T H.273 code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColorInfo {
    /// Matrix coefficients: 1 is BT.709 (and what RGB is converted to), 5 and 6 are BT.601, 9 is BT.2020.
    pub matrix: u8,
    /// Whether samples use the full range, 0 to 255 in 8 bit.
    pub full_range: bool,
    /// Colour primaries: 1 is BT.709, 9 BT.2020, 12 Display P3; others are taken for BT.709's.
    pub primaries: u8,
    /// Transfer characteristics: 1 is BT.709, 16 is PQ, 18 HLG.
    pub transfer: u8,
}

/// H.273: not said.
const UNSPECIFIED: i32 = 2;
const RESERVED: i32 = 3;

impl ColorInfo {
    /// Pictures: RGB, whose conversion to BT.709 is part of scaling.
    pub(super) const SRGB: Self = Self { matrix: 1, full_range: false, primaries: 1, transfer: 13 };

    /// The high dynamic range, if it is one.
    pub(crate) fn hdr(self) -> Option<Hdr> {
        match self.transfer {
            16 => Some(Hdr::Pq),
            18 => Some(Hdr::Hlg),
            _ => None,
        }
    }

    /// The primaries that are converted from.
    pub(super) fn color_primaries(self) -> Primaries {
        match self.primaries {
            9 => Primaries::Bt2020,
            12 => Primaries::DisplayP3,
            _ => Primaries::Bt709,
        }
    }

    /// Whether the primaries are wider than BT.709's.
    pub(super) fn is_wide(self) -> bool {
        self.color_primaries() != Primaries::Bt709
    }

    /// Fills in what neither the bitstream nor the container says, and tells what was filled in and what will change.
    ///
    /// Guesses: HDR and BT.2020 tags lead to the BT.2020 matrix; else pictures whose shorter side has 720 rows or more
    /// are BT.709, smaller ones BT.601, as players do.
    pub(super) fn resolve(
        picture: ColorTags,
        container: ColorTags,
        shorter_side: u32,
        format: FormatInfo,
        corrections: &mut Vec<String>,
    ) -> Self {
        // 0 is reserved, but as a matrix it is RGB; some encoders of Y'CbCr write it for not knowing.
        let known = |value: i32| ![0, UNSPECIFIED, RESERVED].contains(&value) && (0..=255).contains(&value);
        let first = |a: i32, b: i32| if known(a) { a } else { b };
        let transfer = first(picture.transfer, container.transfer);
        let primaries = first(picture.primaries, container.primaries);
        let matrix = first(picture.matrix, container.matrix);
        let wide = primaries == 9 || matches!(transfer, 16 | 18);
        let matrix = if format.is_rgb {
            0
        } else if known(matrix) {
            matrix as u8
        } else {
            let (guess, name) = match (wide, shorter_side >= 720) {
                (true, _) => (9, "BT.2020"),
                (false, true) => (1, "BT.709"),
                (false, false) => (6, "BT.601"),
            };
            corrections.push(format!("no colour matrix given, {name} assumed from its size and tags"));
            guess
        };
        let primaries = match known(primaries) {
            true => primaries as u8,
            false if matches!(transfer, 16 | 18) || matches!(matrix, 9 | 10) => 9,
            false => 1,
        };
        let transfer = if known(transfer) { transfer as u8 } else { 1 };
        let range = if picture.range == 0 { container.range } else { picture.range };
        if format.is_rgb {
            corrections.push("rgb -> bt.709".to_owned());
            // Converted as RGB by the scaler, whatever the tags say of matrix and range.
            return Self { matrix: 1, full_range: false, primaries: 1, transfer };
        }
        let info =
            Self { matrix, full_range: range == 2 || (range == 0 && format.implies_full_range), primaries, transfer };
        info.note(corrections);
        info
    }

    fn note(self, corrections: &mut Vec<String>) {
        match self.hdr() {
            Some(Hdr::Pq) => corrections.push("hdr pq -> sdr".to_owned()),
            Some(Hdr::Hlg) => corrections.push("hdr hlg -> sdr".to_owned()),
            _ if self.primaries == 9 => corrections.push("bt.2020 -> bt.709".to_owned()),
            _ if self.is_wide() => corrections.push("display p3 -> bt.709".to_owned()),
            _ => match self.matrix {
                1 => {}
                4 => corrections.push("fcc -> bt.709".to_owned()),
                5 | 6 => corrections.push("bt.601 -> bt.709".to_owned()),
                7 => corrections.push("smpte 240m -> bt.709".to_owned()),
                9 | 10 => corrections.push("bt.2020 matrix -> bt.709".to_owned()),
                _ => {}
            },
        }
        if self.full_range {
            corrections.push("full range -> limited".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: ColorTags = ColorTags { matrix: 2, primaries: 2, transfer: 2, range: 0 };

    fn resolved(picture: ColorTags, container: ColorTags, side: u32) -> (ColorInfo, String) {
        let mut corrections = Vec::new();
        let format = FormatInfo { depth: 8, is_rgb: false, has_alpha: false, implies_full_range: false };
        let info = ColorInfo::resolve(picture, container, side, format, &mut corrections);
        (info, corrections.join("; "))
    }

    #[test]
    fn what_is_not_said_is_guessed_and_told() {
        let (info, told) = resolved(NOTHING, NOTHING, 1080);
        assert_eq!((info.matrix, info.primaries, info.transfer, info.full_range), (1, 1, 1, false));
        assert_eq!(told, "no colour matrix given, BT.709 assumed from its size and tags");
        let (info, told) = resolved(NOTHING, NOTHING, 480);
        assert_eq!(info.matrix, 6);
        assert_eq!(told, "no colour matrix given, BT.601 assumed from its size and tags; bt.601 -> bt.709");
        let (info, _) = resolved(NOTHING, ColorTags { transfer: 18, ..NOTHING }, 480);
        assert_eq!((info.matrix, info.primaries, info.hdr()), (9, 9, Some(Hdr::Hlg)));
    }

    #[test]
    fn the_bitstream_comes_before_the_container() {
        let picture = ColorTags { matrix: 1, primaries: 1, transfer: 1, range: 0 };
        let container = ColorTags { matrix: 6, primaries: 6, transfer: 6, range: 2 };
        let (info, told) = resolved(picture, container, 480);
        assert_eq!((info.matrix, info.full_range), (1, true));
        assert_eq!(told, "full range -> limited");
        let (info, _) = resolved(ColorTags { matrix: 0, ..NOTHING }, ColorTags { matrix: 1, ..NOTHING }, 480);
        assert_eq!(info.matrix, 1, "no RGB in Y'CbCr");
    }
}
