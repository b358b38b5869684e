//! What a line looks like: its colours, its rim, its box.

use serde::{Deserialize, Serialize};

use super::crop::Crop;
use super::lines::Line;

/// How a found text looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundStyle {
    /// The size of its font in pixels of the source, by the height of its letters.
    pub font_size: f64,
    /// `left`, `center` or `right`: how its lines lie to each other, or to the picture if there is one line.
    pub align: String,
    /// Most of its words' colour.
    pub color: FoundColor,
    /// The rim of its letters.
    pub stroke: Option<FoundStroke>,
    /// What is behind it.
    #[serde(rename = "box")]
    pub backdrop: Option<FoundBox>,
}

/// A colour, written as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FoundColor(pub [u8; 3]);

impl From<FoundColor> for String {
    fn from(FoundColor([r, g, b]): FoundColor) -> Self {
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

impl TryFrom<String> for FoundColor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let value =
            digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or("not a colour like #rrggbb")?;
        let [_, r, g, b] = value.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

/// The rim of letters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundStroke {
    /// Its colour.
    pub color: FoundColor,
    /// Its width in pixels of the source.
    pub width: u32,
}

/// A box behind a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundBox {
    /// Its colour.
    pub color: FoundColor,
    /// How far it reaches beyond the letters, in pixels of the source.
    pub padding: u32,
}

/// What surrounds the letters of a line, from the nearest out.
pub(super) struct Surroundings {
    pub(super) stroke: Option<FoundStroke>,
    pub(super) backdrop: Option<FoundBox>,
}

/// The mean of pixels of a kind, and how far they are from it.
struct Ring {
    color: [f64; 3],
    spread: f64,
}

impl Ring {
    /// The pixels of a crop that are `at` pixels from the letters; `None` if there are few of them.
    fn of(crop: &Crop, far: &[u8], at: u8) -> Option<Self> {
        let pixels: Vec<usize> = far.iter().enumerate().filter(|(_, far)| **far == at).map(|(at, _)| at).collect();
        if pixels.len() < 12 {
            return None;
        }
        let mean =
            |plane: usize| pixels.iter().map(|&at| f64::from(crop.color(at)[plane])).sum::<f64>() / pixels.len() as f64;
        let color = [mean(0), mean(1), mean(2)];
        // In space and in time.
        let spread =
            pixels.iter().map(|&at| (f64::from(crop.color(at)[0]) - color[0]).abs() + f64::from(crop.range(at)) / 2.0);
        Some(Self { color, spread: spread.sum::<f64>() / pixels.len() as f64 })
    }

    fn differs(&self, other: [f64; 3]) -> bool {
        let apart: f64 = self.color.iter().zip(other).map(|(one, other)| (one - other).abs()).sum();
        apart > 40.0
    }
}

/// Looks at what is around the letters of a line whose height is `height` pixels.
pub(super) fn surroundings(crop: &Crop, far: &[u8], height: f64) -> Surroundings {
    // The mean of a smooth edge lies between: a flat ring begins where it is over.
    let first =
        (2..=5).filter_map(|at| Ring::of(crop, far, at)).min_by(|one, other| one.spread.total_cmp(&other.spread));
    let nothing = Surroundings { stroke: None, backdrop: None };
    let Some(first) = first.filter(|ring| ring.spread < 30.0) else { return nothing };
    let reach = (height * 0.45).clamp(6.0, 60.0) as u8;
    let mut width = 2;
    for at in 3..=reach {
        match Ring::of(crop, far, at) {
            Some(ring) if ring.spread < 36.0 && !ring.differs(first.color) => width = at,
            _ => break,
        }
    }
    let color = FoundColor(rgb_of(first.color));
    // A rim is a fraction of a letter's height; what goes on is a box, or a ground that is even.
    if f64::from(width) >= height * 0.32 || width >= reach {
        return Surroundings { stroke: None, backdrop: Some(FoundBox { color, padding: width.into() }) };
    }
    Surroundings { stroke: Some(FoundStroke { color, width: width.into() }), backdrop: None }
}

/// The colour of the letters in these columns of a crop.
pub(super) fn fill_color(crop: &Crop, far: &[u8], line: &Line, columns: std::ops::Range<usize>) -> Option<FoundColor> {
    let (width, _) = crop.size();
    let mut found: [Vec<u8>; 3] = Default::default();
    for (at, _) in far.iter().enumerate().filter(|(at, far)| **far == 0 && columns.contains(&(at % width.max(1)))) {
        let color = crop.color(at);
        found.iter_mut().zip(color).for_each(|(found, value)| found.push(value));
    }
    if found[0].is_empty() {
        return None;
    }
    // The half whose luma is furthest from the surroundings is the inside of strokes.
    let mut order: Vec<usize> = (0..found[0].len()).collect();
    order.sort_unstable_by_key(|&at| found[0][at]);
    let inner = if line.is_light() { &order[order.len() / 2..] } else { &order[..order.len().div_ceil(2)] };
    let middle = |plane: usize| {
        let mut values: Vec<u8> = inner.iter().map(|&at| found[plane][at]).collect();
        values.sort_unstable();
        f64::from(values[values.len() / 2])
    };
    Some(FoundColor(rgb_of([middle(0), middle(1), middle(2)])))
}

/// sRGB of a BT.709 colour in limited range (ITU-R BT.709-6, section 3).
fn rgb_of([y, u, v]: [f64; 3]) -> [u8; 3] {
    let luma = (y - 16.0) / 219.0;
    let (blue, red) = ((u - 128.0) / 224.0, (v - 128.0) / 224.0);
    let green = luma - (0.0722 * 1.8556 * blue + 0.2126 * 1.5748 * red) / 0.7152;
    [luma + 1.5748 * red, green, luma + 1.8556 * blue].map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_come_back() {
        for color in [[255, 255, 255], [0, 0, 0], [255, 216, 74], [230, 30, 50], [10, 120, 240]] {
            let back = rgb_of(crate::compose::code_values(color).map(f64::from));
            assert!(back.iter().zip(color).all(|(one, other)| one.abs_diff(other) <= 2), "{color:?}: {back:?}");
            let text = String::from(FoundColor(color));
            assert_eq!(FoundColor::try_from(text), Ok(FoundColor(color)));
        }
        for wrong in ["", "#12345", "123456", "#12345g", "#1234567", "#+12345"] {
            assert!(FoundColor::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
