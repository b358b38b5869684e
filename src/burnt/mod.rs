//! Text that is burnt into somebody's pictures: where, when, what, and in which style.
//!
//! Letters are looked for by their shape, ten times a second, in large pictures at half of their size; what moves with the
//! scene is none. A line that is found is then looked for in every frame, before and after, by the pixels of its letters:
//! so its ends are exact, unless it was noticed more than some seconds after it came. It is read from the darkest
//! (or, of dark letters, the lightest) that each pixel was whenever it was looked at: where the scene moves, nothing is left of it.
//!
//! | part | what it does |
//! |---|---|
//! | `components` | connected pixels that are lighter or darker than their surroundings |
//! | `lines`, `group` | letters, and the lines that they make |
//! | `whole` | letters that touch what is beside them |
//! | `tilt` | lines that are set at an angle |
//! | `track` | lines through time |
//! | `moves` | how a line comes and goes |
//! | `passing` | lines that never stand still |
//! | `crop` | a line at full size, over all frames |
//! | `read`, `tesseract` | what it says |
//! | `beside` | pictures beside it, such as emoji |
//! | `style` | its colours, its rim, its box |
//! | `turned` | lines at an angle as readers want them |
//! | `texts` | what belongs together |
//! | `masks` | which pixels are it, in each frame |
//! | `residual` | what is left of a text that was taken out |
//! | `find` | all of it, from the file on |

mod beside;
mod components;
mod crop;
mod find;
mod group;
mod lines;
mod masks;
mod moves;
mod passing;
mod read;
mod residual;
mod style;
#[cfg(feature = "tesseract")]
mod tesseract;
mod texts;
mod tilt;
mod track;
mod turned;
mod whole;

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::compose::{Mask, SourceRect};
use crate::text::Rgba;

pub(crate) use find::{find, looked_at};
pub use read::{LinePicture, LineReading, TextReader, WordReading};
pub(crate) use residual::{readable, seam};
pub use style::{FoundBox, FoundChange, FoundChangeKind, FoundStroke, FoundStyle};
#[cfg(feature = "tesseract")]
pub use tesseract::TesseractReader;

/// The text that was found in a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundText {
    /// The width of the source's pictures in pixels, upright.
    pub width: u32,
    /// Their height in pixels.
    pub height: u32,
    /// How many frames of the output's clock the source lasts; 1 for a still.
    pub frames: u64,
    /// The texts, by the time at which they come.
    pub overlays: Vec<FoundOverlay>,
    /// What could not be looked at, for people.
    pub findings: Vec<String>,
}

/// A text that lies over the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundOverlay {
    /// Its name: `o1`, `o2` and so on, by time and place.
    pub id: String,
    /// The first frame of the output's clock (30 a second) that shows it, however faint.
    pub first_frame: u64,
    /// The last one.
    pub last_frame: u64,
    /// When it comes, in seconds.
    pub start: f64,
    /// When it is gone, in seconds.
    pub end: f64,
    /// Where it is, with its rim or its box.
    pub region: SourceRect,
    /// The frames in which it is elsewhere, of another size or turned: while it comes or goes, or all but one if it never stands
    /// still; in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<FoundMove>,
    /// Whose it is.
    pub kind: OverlayKind,
    /// What it says, its lines parted by line breaks.
    pub text: String,
    /// Its lines, from the top.
    pub lines: Vec<FoundLine>,
    /// The ISO 15924 code of its script, such as `Latn`; that of the first line, if they are in several.
    pub script: String,
    /// How sure it is that this is text, burnt in, and read right: 0 to 1.
    pub confidence: f64,
    /// How it looks.
    pub style: FoundStyle,
    /// The pixels of the source that are it, with its rim or its box. Not part of the JSON.
    #[serde(skip)]
    pub mask: Mask,
    /// The codes of the scripts of all lines, each once. Not part of the JSON.
    #[serde(skip)]
    pub scripts: BTreeSet<String>,
}

/// Where a text is in a frame in which it does not stand where it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundMove {
    /// The frame of the output's clock.
    pub frame: u64,
    /// Where it is in it, as far as it is in the picture.
    pub region: SourceRect,
    /// By how many degrees it is turned further than where it is read, clockwise: -180 to 180, in tenths.
    #[serde(default, skip_serializing_if = "is_unturned")]
    pub rotation: f64,
    /// The pixels of the source that are it. Not part of the JSON.
    #[serde(skip)]
    pub mask: Mask,
}

fn is_unturned(rotation: &f64) -> bool {
    *rotation == 0.0
}

/// Whose a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverlayKind {
    /// Somebody set it over the pictures for viewers to read.
    Caption,
    /// It is in the scene: a shop's sign, a page on a screen.
    Scene,
    /// The name of a platform or of an account.
    Watermark,
}

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundLine {
    /// What it says.
    pub text: String,
    /// Where its letters are.
    pub region: SourceRect,
    /// Its words, in reading order.
    pub words: Vec<FoundWord>,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundWord {
    /// What it says.
    pub text: String,
    /// Where it is.
    pub region: SourceRect,
    /// The colour of its letters.
    pub color: Rgba,
}

impl FoundOverlay {
    /// Where it is in `frame`, if that is not where it stands.
    fn moved(&self, frame: u64) -> Option<&FoundMove> {
        self.moves.binary_search_by_key(&frame, |there| there.frame).ok().map(|at| &self.moves[at])
    }

    /// Where it is in `frame`.
    pub(crate) fn region_at(&self, frame: u64) -> SourceRect {
        self.moved(frame).map_or(self.region, |there| there.region)
    }

    /// The pixels that are it in `frame`.
    pub(crate) fn mask_at(&self, frame: u64) -> &Mask {
        self.moved(frame).map_or(&self.mask, |there| &there.mask)
    }

    /// All that it takes in any frame.
    pub(crate) fn whole_region(&self) -> SourceRect {
        self.moves.iter().fold(self.region, |all, there| {
            let SourceRect { x, y, width, height } = there.region;
            let (right, bottom) = ((x + width).max(all.x + all.width), (y + height).max(all.y + all.height));
            let (x, y) = (x.min(all.x), y.min(all.y));
            SourceRect { x, y, width: right - x, height: bottom - y }
        })
    }

    /// The frame in the middle of its time; of a text that stands still for a while one in which it does, and of one that turns the one
    /// in which it is the most level.
    pub(crate) fn middle(&self) -> u64 {
        let middle = (self.first_frame + self.last_frame) / 2;
        let stands = (self.first_frame..=self.last_frame).filter(|frame| self.stands(*frame));
        let is_passing = self.moves.len() as u64 + 1 >= self.last_frame + 1 - self.first_frame;
        if self.moves.iter().any(|there| there.rotation != 0.0) {
            let angle = |frame: u64| self.style.rotation + self.moved(frame).map_or(0.0, |there| there.rotation);
            let askew = |frame: u64| ((angle(frame) + 180.0).rem_euclid(360.0) - 180.0).abs();
            let nearest = (self.first_frame..=self.last_frame).min_by(|one, other| {
                askew(*one).total_cmp(&askew(*other)).then(one.abs_diff(middle).cmp(&other.abs_diff(middle)))
            });
            return nearest.unwrap_or(middle);
        }
        stands.min_by_key(|frame| frame.abs_diff(middle)).filter(|_| !is_passing).unwrap_or(middle)
    }

    /// Whether it stands where it is read in `frame`, one of its own.
    pub(crate) fn stands(&self, frame: u64) -> bool {
        self.moved(frame).is_none()
    }
}

impl FoundText {
    /// For people: a line for each text.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for overlay in &self.overlays {
            let SourceRect { x, y, width, height } = overlay.region;
            let moving = if overlay.moves.is_empty() { "" } else { ", moving" };
            let kind = match overlay.kind {
                OverlayKind::Caption => "caption",
                OverlayKind::Scene => "scene",
                OverlayKind::Watermark => "watermark",
            };
            out += &format!(
                "{:>4}  {:>7.2} to {:>6.2} s  {width}x{height} at ({x}, {y})  {kind}{moving}, {}, {:.0} % sure\n",
                overlay.id,
                overlay.start,
                overlay.end,
                overlay.script,
                overlay.confidence * 100.0
            );
            out.extend(overlay.lines.iter().map(|line| format!("        {}\n", line.text)));
        }
        if self.overlays.is_empty() {
            out += "no text was found\n";
        }
        out.extend(self.findings.iter().map(|finding| format!("note: {finding}\n")));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of the frames 10 to 40, which is at these places in others than the one where it stands.
    fn text(moves: &[(u64, u32, u32)]) -> FoundOverlay {
        let region = |x: u32, y: u32| SourceRect { x, y, width: 60, height: 20 };
        let json = serde_json::json!({
            "id": "o1", "firstFrame": 10, "lastFrame": 40, "start": 0.0, "end": 0.0, "region": region(100, 50),
            "kind": "caption", "text": "", "lines": [], "script": "Latn", "confidence": 1.0,
            "style": { "fontSize": 20.0, "align": "center", "color": "#ffffff", "stroke": null, "box": null },
        });
        let moves = moves.iter().map(|&(frame, x, y)| FoundMove {
            frame,
            region: region(x, y),
            rotation: 0.0,
            mask: Mask::all_of(region(x, y)),
        });
        FoundOverlay { moves: moves.collect(), ..serde_json::from_value(json).expect("is a text") }
    }

    #[test]
    fn a_text_that_moves_is_measured_where_it_is() {
        let still = text(&[]);
        assert_eq!((still.middle(), still.whole_region()), (25, still.region));
        // It comes until frame 29, from the left and from below.
        let comes = text(&(10..30).map(|frame| (frame, 4 * (frame as u32 - 10), 90)).collect::<Vec<_>>());
        assert_eq!(comes.middle(), 30, "where it stands");
        assert_eq!(comes.whole_region(), SourceRect { x: 0, y: 50, width: 160, height: 60 });
        assert_eq!((comes.region_at(12).x, comes.region_at(30).x), (8, 100));
        assert!(comes.mask_at(12).has(4, 45) && comes.mask_at(30).is_empty());
        // It never stands but in the frame in which it was found.
        let passes = text(&(10..=40).filter(|frame| *frame != 17).map(|frame| (frame, 0, 90)).collect::<Vec<_>>());
        assert_eq!((passes.middle(), passes.region_at(25).y), (25, 90));
        // One that turns may be upside down in the middle of its time, and where it is read.
        let mut turns = passes;
        turns.moves.iter_mut().for_each(|there| there.rotation = 180.0);
        assert_eq!((turns.middle(), turns.region_at(turns.middle())), (17, turns.region));
        turns.style.rotation = 170.0;
        turns.moves[20].rotation = -169.0;
        assert_eq!(turns.middle(), turns.moves[20].frame);
    }
}
