//! What the caller asks for: a text, how it looks, and where on the canvas it may stand.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A text with its style and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextBlock {
    /// The text. Line breaks in it are kept; other control characters are dropped.
    pub text: String,
    /// How it looks.
    #[serde(default)]
    pub style: TextStyle,
    /// Where on the canvas it may stand; nothing of it, its stroke included, leaves this rectangle.
    pub area: Area,
    /// Which place in the area it keeps to. Default: the centre.
    #[serde(default)]
    pub anchor: Anchor,
    /// The language, a BCP 47 tag such as `ja` or `zh-Hant`: it chooses the form of Han characters, Nastaliq for Urdu, and
    /// where lines may break. Default: told from the letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What is done about characters and emoji that no font has. Default: an error that names them.
    #[serde(default)]
    pub missing: MissingPolicy,
    /// The bytes of the text that look as [`TextStyle::active`] says. It changes no letter's place but those of the
    /// active ones, which grow around their middle. Default: `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Range<usize>>,
}

/// What is done about characters and emoji that no font has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingPolicy {
    /// The text is refused with an error that names them.
    #[default]
    Error,
    /// They are left out.
    Drop,
    /// Each is shown as this character.
    Replace(char),
}

impl MissingPolicy {
    /// The policy of a name: `error`, `drop`, or the one character that stands for each.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut chars = name.chars();
        match (name, chars.next(), chars.next()) {
            ("error", ..) => Some(Self::Error),
            ("drop", ..) => Some(Self::Drop),
            (_, Some(with), None) if !with.is_control() && !with.is_whitespace() => Some(Self::Replace(with)),
            _ => None,
        }
    }
}

impl TextBlock {
    /// A text in an area, with defaults for everything else.
    pub fn new(text: impl Into<String>, area: Area) -> Self {
        Self {
            text: text.into(),
            style: TextStyle::default(),
            area,
            anchor: Anchor::default(),
            language: None,
            missing: MissingPolicy::default(),
            active: None,
        }
    }
}

/// How text looks. Lengths are pixels of the canvas, or factors of the font size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TextStyle {
    /// A font family of the book, compared without case. Default: `Inter`.
    pub family: String,
    /// The face's weight, 1 to 1000; the book must have that very weight of the family. Default: 700.
    pub weight: u16,
    /// The range that the font size is fitted in. Default: 16 to 72 px.
    pub font_size: FontSize,
    /// Distance of baselines as a factor of the font size, 0.5 to 4. Default: 1.2.
    pub line_height: f32,
    /// The most lines, at least 1; `None` for as many as the area holds. Default: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<u32>,
    /// How lines stand to each other. Default: centred.
    pub align: Align,
    /// The colour of the letters; emoji keep their own. Default: white.
    pub fill: Rgba,
    /// The outline around letters and emoji, under all fills. Default: near black, 0.09 of the font size.
    pub stroke: Option<Stroke>,
    /// A soft copy of letters, strokes and emoji below them. Default: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// What the letters stand on. Default: `None`.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub backdrop: Option<Backdrop>,
    /// The opacity of all of it together, above 0 to 1. Default: 1.
    pub opacity: f32,
    /// How the word looks that is being said. Room for it is kept around every word, so that the layout is the same
    /// whichever is active. Default: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveStyle>,
}

/// How the active word of a caption looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ActiveStyle {
    /// The colour of its letters. Default: as all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<Rgba>,
    /// A box under it. Default: `None`.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub backdrop: Option<Backdrop>,
    /// By how much it is larger, 1 to 1.5. Default: 1.
    pub scale: f32,
}

impl Default for ActiveStyle {
    fn default() -> Self {
        Self { fill: None, backdrop: None, scale: 1.0 }
    }
}

/// A soft copy of a text below it. Lengths are factors of the font size. The default is that of the preset `shadow`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Shadow {
    /// Its colour.
    #[serde(rename = "color")]
    pub colour: Rgba,
    /// How far to the right it falls, -1 to 1.
    pub x: f32,
    /// How far down it falls, -1 to 1.
    pub y: f32,
    /// The standard deviation by which it is blurred, 0 to 0.5.
    pub blur: f32,
}

impl Shadow {
    /// How far it reaches to the farther side at a font size, px: three standard deviations.
    pub(super) fn reach(&self, size: f32) -> f32 {
        3.0 * self.blur * size + self.x.abs() * size + 1.0
    }
}

/// A box under letters. Lengths are factors of the font size. The default is that of the preset `white-box`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Backdrop {
    /// Its colour.
    #[serde(rename = "color")]
    pub colour: Rgba,
    /// How far it reaches beyond the ends of a line, 0 to 2; above and below half of that.
    pub padding: f32,
    /// The radius of its corners, where lines meet too, 0 to 2.
    pub radius: f32,
    /// One for each line, joined where they touch, or one for all.
    pub shape: BackdropShape,
}

/// What a box is around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BackdropShape {
    /// Each line; lines that touch are one shape.
    #[default]
    Line,
    /// All lines together.
    Block,
}

/// The range of font sizes to fit in, in px per em on the canvas, 4 to 1000.
///
/// The default lets 2,000 characters fit a box of 720x1210 px: English prose comes out at about 26 px, 2,000 emoji in a
/// row at 16.5 px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FontSize {
    /// The smallest size. Default: 16.
    pub min: f32,
    /// The largest size, at least `min`. Default: 72.
    pub max: f32,
}

/// An outline. The default is that of the preset `outline`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Stroke {
    /// How far it reaches outside the letter, as a factor of the font size, above 0 and at most 0.5.
    pub width: f32,
    /// Its colour.
    #[serde(rename = "color")]
    pub colour: Rgba,
}

/// A colour: sRGB, 8 bit, alpha not multiplied in. Written `#rrggbb` or `#rrggbbaa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rgba {
    /// Red, 0 to 255.
    pub r: u8,
    /// Green, 0 to 255.
    pub g: u8,
    /// Blue, 0 to 255.
    pub b: u8,
    /// Opacity, 0 to 255.
    pub a: u8,
}

/// How lines stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Align {
    /// Left edges in line.
    Left,
    /// Centres in line.
    #[default]
    Center,
    /// Right edges in line.
    Right,
}

/// One of nine places in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Anchor {
    TopLeft,
    Top,
    TopRight,
    Left,
    #[default]
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

/// A rectangle on the canvas, in pixels, y down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Area {
    /// The left edge.
    pub x: i32,
    /// The top edge.
    pub y: i32,
    /// The width, 1 to 4096.
    pub width: u32,
    /// The height, 1 to 4096.
    pub height: u32,
}

/// Near black, for outlines, shadows and letters on light boxes.
const DARK: Rgba = Rgba { r: 12, g: 12, b: 14, a: 255 };

impl Default for Stroke {
    fn default() -> Self {
        Self { width: 0.09, colour: DARK }
    }
}

impl Default for Shadow {
    fn default() -> Self {
        Self { colour: Rgba { a: 190, ..DARK }, x: 0.0, y: 0.05, blur: 0.1 }
    }
}

impl Default for Backdrop {
    fn default() -> Self {
        Self { colour: Rgba::WHITE, padding: 0.36, radius: 0.28, shape: BackdropShape::Line }
    }
}

impl Default for TextStyle {
    fn default() -> Self {
        Self {
            family: "Inter".to_owned(),
            weight: 700,
            font_size: FontSize::default(),
            line_height: 1.2,
            max_lines: None,
            align: Align::Center,
            fill: Rgba::WHITE,
            stroke: Some(Stroke::default()),
            shadow: None,
            backdrop: None,
            opacity: 1.0,
            active: None,
        }
    }
}

impl TextStyle {
    /// The names of [`TextStyle::preset`].
    pub const PRESETS: [&'static str; 5] = ["outline", "white-box", "black-box", "highlight", "shadow"];

    /// A style that people know from the apps: `outline` (white with a dark outline, the default), `white-box` and
    /// `black-box` (a rounded box under each line), `highlight` (black on a marker's yellow), `shadow` (white over a soft
    /// shadow).
    pub fn preset(name: &str) -> Option<Self> {
        let plain = Self { stroke: None, ..Self::default() };
        let on = |colour: Rgba, fill: Rgba, radius: f32| Self {
            fill,
            line_height: 1.32,
            backdrop: Some(Backdrop { colour, radius, ..Backdrop::default() }),
            ..plain.clone()
        };
        match name {
            "outline" => Some(Self::default()),
            "white-box" => Some(on(Rgba::WHITE, DARK, 0.28)),
            "black-box" => Some(on(Rgba { a: 230, ..DARK }, Rgba::WHITE, 0.28)),
            "highlight" => Some(on(Rgba { r: 255, g: 226, b: 52, a: 255 }, DARK, 0.06)),
            "shadow" => Some(Self { shadow: Some(Shadow::default()), ..plain }),
            _ => None,
        }
    }
}

impl Default for FontSize {
    fn default() -> Self {
        Self { min: 16.0, max: 72.0 }
    }
}

impl Anchor {
    /// The names of [`Anchor::from_name`].
    pub const NAMES: [&'static str; 9] =
        ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];

    /// The place of a name, such as `bottom-left`.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::TopLeft,
            Self::Top,
            Self::TopRight,
            Self::Left,
            Self::Center,
            Self::Right,
            Self::BottomLeft,
            Self::Bottom,
            Self::BottomRight,
        ];
        Self::NAMES.iter().position(|known| *known == name).map(|place| all[place])
    }

    /// How lines stand to each other at this place: at its side.
    pub fn align(self) -> Align {
        match self {
            Self::TopLeft | Self::Left | Self::BottomLeft => Align::Left,
            Self::Top | Self::Center | Self::Bottom => Align::Center,
            Self::TopRight | Self::Right | Self::BottomRight => Align::Right,
        }
    }

    /// The share of the free width and height that lies left of and above the text: 0, 1/2 or 1.
    pub(super) fn shares(self) -> (f32, f32) {
        match self {
            Self::TopLeft => (0.0, 0.0),
            Self::Top => (0.5, 0.0),
            Self::TopRight => (1.0, 0.0),
            Self::Left => (0.0, 0.5),
            Self::Center => (0.5, 0.5),
            Self::Right => (1.0, 0.5),
            Self::BottomLeft => (0.0, 1.0),
            Self::Bottom => (0.5, 1.0),
            Self::BottomRight => (1.0, 1.0),
        }
    }
}

impl Align {
    /// The share of a line's free width that lies left of it.
    pub(super) fn share(self) -> f32 {
        match self {
            Self::Left => 0.0,
            Self::Center => 0.5,
            Self::Right => 1.0,
        }
    }
}

impl Rgba {
    /// Opaque white.
    pub const WHITE: Self = Self { r: 255, g: 255, b: 255, a: 255 };
    /// Opaque black.
    pub const BLACK: Self = Self { r: 0, g: 0, b: 0, a: 255 };
}

impl fmt::Display for Rgba {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)?;
        if self.a == 255 { Ok(()) } else { write!(f, "{:02x}", self.a) }
    }
}

impl FromStr for Rgba {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad =
            || Error::new(ErrorKind::Validation, format!("{text:?} is not a colour of the form #rrggbb or #rrggbbaa"));
        let digits = text.strip_prefix('#').ok_or_else(bad)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) || !matches!(digits.len(), 6 | 8) {
            return Err(bad());
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| bad())?;
        let [r, g, b, a] = if digits.len() == 8 { value } else { value << 8 | 0xff }.to_be_bytes();
        Ok(Self { r, g, b, a })
    }
}

impl TryFrom<String> for Rgba {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Rgba> for String {
    fn from(colour: Rgba) -> Self {
        colour.to_string()
    }
}

impl TextStyle {
    /// Checks that every number is in its range.
    ///
    /// # Errors
    ///
    /// `VALIDATION`, with the field.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |field: &str, what: String| {
            let message = format!("{}{what}", field.replace('/', "."));
            Err(Error::new(ErrorKind::Validation, message).at_pointer(format!("/{field}")))
        };
        let outside = |value: f32, range: &std::ops::RangeInclusive<f32>, unit: &str| {
            (!range.contains(&value))
                .then(|| format!(" is {value}; expected {} to {}{unit}", range.start(), range.end()))
        };
        let Self { font_size, line_height, .. } = self;
        let mut ranges: Vec<(&str, f32, std::ops::RangeInclusive<f32>, &str)> = vec![
            ("fontSize/min", font_size.min, 4.0..=1000.0, " px"),
            ("fontSize/max", font_size.max, 4.0..=1000.0, " px"),
            ("lineHeight", *line_height, 0.5..=4.0, ""),
        ];
        if let Some(Shadow { x, y, blur, .. }) = self.shadow {
            ranges.extend([
                ("shadow/x", x, -1.0..=1.0, " of the font size"),
                ("shadow/y", y, -1.0..=1.0, " of the font size"),
                ("shadow/blur", blur, 0.0..=0.5, " of the font size"),
            ]);
        }
        if let Some(Backdrop { padding, radius, .. }) = self.backdrop {
            ranges.extend([
                ("box/padding", padding, 0.0..=2.0, " of the font size"),
                ("box/radius", radius, 0.0..=2.0, " of the font size"),
            ]);
        }
        if let Some(ActiveStyle { scale, backdrop, .. }) = self.active {
            ranges.push(("active/scale", scale, 1.0..=1.5, ""));
            if let Some(Backdrop { padding, radius, .. }) = backdrop {
                ranges.extend([
                    ("active/box/padding", padding, 0.0..=2.0, " of the font size"),
                    ("active/box/radius", radius, 0.0..=2.0, " of the font size"),
                ]);
            }
        }
        for (field, value, range, unit) in ranges {
            if let Some(what) = outside(value, &range, unit) {
                return refuse(field, what);
            }
        }
        if font_size.min > font_size.max {
            let (min, max) = (font_size.min, font_size.max);
            return refuse("fontSize/min", format!(" is {min}, above fontSize.max, which is {max}"));
        }
        if self.max_lines == Some(0) {
            return refuse("maxLines", " is 0; expected at least 1".to_owned());
        }
        if let Some(stroke) = self.stroke
            && !(stroke.width > 0.0 && stroke.width <= 0.5)
        {
            let what = format!(" is {}; expected above 0, at most 0.5 of the font size", stroke.width);
            return refuse("stroke/width", what);
        }
        if !(1..=1000).contains(&self.weight) {
            return refuse("weight", format!(" is {}; expected 1 to 1000", self.weight));
        }
        if !(self.opacity > 0.0 && self.opacity <= 1.0) {
            return refuse("opacity", format!(" is {}; expected above 0, at most 1", self.opacity));
        }
        Ok(())
    }
}

impl TextBlock {
    /// Checks that every number is in its range.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Validation, what));
        self.style.check()?;
        if let Some(active) = &self.active
            && self.text.get(active.clone()).is_none()
        {
            let (start, end) = (active.start, active.end);
            return refuse(format!("the active word is at {start}..{end}, which is no part of the text"));
        }
        let Area { x, y, width, height } = self.area;
        for (name, size) in [("width", width), ("height", height)] {
            if !(1..=4096).contains(&size) {
                return refuse(format!("the text area's {name} is {size}; expected 1 to 4096 px"));
            }
        }
        for (name, place) in [("x", x), ("y", y)] {
            if !(-32768..=32768).contains(&place) {
                return refuse(format!("the text area's {name} is {place}; expected -32768 to 32768"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_round_trip() {
        for text in ["#ffffff", "#0c0c0e", "#11223344"] {
            assert_eq!(text.parse::<Rgba>().expect("valid").to_string(), text);
        }
        for bad in ["", "#", "fff", "#fff", "#ggffff", "#+12345", "#1234567", "#é0000"] {
            assert_eq!(bad.parse::<Rgba>().map_err(|e| e.code()), Err("VALIDATION"), "{bad}");
        }
    }

    #[test]
    fn a_style_has_defaults_and_refuses_unknown_fields() {
        let style: TextStyle = serde_json::from_str("{}").expect("all fields have defaults");
        assert_eq!(style, TextStyle::default());
        let json = serde_json::to_string(&style).expect("serialises");
        assert_eq!(serde_json::from_str::<TextStyle>(&json).expect("own output"), style);
        assert!(serde_json::from_str::<TextStyle>(r#"{"fontsize":3}"#).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let good = TextBlock::new("", Area { x: 0, y: 0, width: 100, height: 100 });
        assert!(good.check().is_ok());
        let with = |change: fn(&mut TextBlock)| {
            let mut block = good.clone();
            change(&mut block);
            block.check().map_err(|error| error.message().to_owned()).expect_err("refused")
        };
        assert!(with(|b| b.style.font_size.min = f32::NAN).contains("fontSize.min is NaN"));
        assert!(with(|b| b.style.font_size.max = 10.0).contains("above fontSize.max"));
        assert!(with(|b| b.style.line_height = f32::INFINITY).contains("lineHeight is inf"));
        assert!(with(|b| b.style.max_lines = Some(0)).contains("maxLines is 0"));
        assert!(
            with(|b| b.style.stroke = Some(Stroke { width: -1.0, colour: Rgba::BLACK })).contains("stroke.width is -1")
        );
        assert!(with(|b| b.area.width = 0).contains("width is 0"));
        assert!(with(|b| b.area.x = i32::MIN).contains("area's x"));
    }
}
