//! Texts on the output's frame clock, and how each looks at a frame.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::{TextBlock, TextLayout};
use crate::timeline::{TextChange, TextChangeKind, TextMotion};
use crate::units::{FrameIndex, FrameRange, FrameRate};

/// The size that a popping text starts and ends at.
const POP_FROM: f64 = 0.7;

/// How far an overshooting ease goes beyond its end, about a tenth of its way: Penner's constant of `easeOutBack`.
const OVERSHOOT: f64 = 1.701_58;

/// A text on the output's frame clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedText {
    /// Its name.
    pub name: String,
    /// The text, its style and its place.
    pub block: TextBlock,
    /// The output's frames that it is on.
    pub frames: FrameRange,
    /// The shot that it belongs to, and comes and goes with; `None` for what lies over all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shot: Option<usize>,
    /// Its words by the time they become the active one; empty for a text without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<PlannedWord>,
    /// How it comes; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enter: Option<PlannedChange>,
    /// How it goes; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<PlannedChange>,
}

/// A word of a caption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedWord {
    /// The output's frame from which it is the active one.
    pub from: FrameIndex,
    /// Its bytes in the block's text.
    pub range: Range<usize>,
}

/// How a text comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// What it looks like.
    pub kind: TextChangeKind,
    /// Frames that it takes.
    pub frames: u64,
}

/// How a text looks at one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct TextLook {
    /// The number of the active word.
    pub(crate) word: Option<usize>,
    /// 0 to 255.
    pub(crate) opacity: u8,
    /// In thousandths of its size.
    pub(crate) scale: u16,
}

impl TextLook {
    const PLAIN: Self = Self { word: None, opacity: 255, scale: 1_000 };
}

impl PlannedText {
    /// A text that is on during `frames`; each of its changes takes at most half of them.
    pub(super) fn new(name: String, block: TextBlock, frames: FrameRange, motion: TextMotion, rate: FrameRate) -> Self {
        let planned = |change: TextChange| {
            let takes = rate.frames_in(change.duration).min(frames.len() / 2);
            (takes > 0).then_some(PlannedChange { kind: change.kind, frames: takes })
        };
        let enter = motion.enter.and_then(planned);
        let exit = motion.exit.and_then(planned);
        Self { name, block, frames, shot: None, words: Vec::new(), enter, exit }
    }

    /// How it looks at `frame`, which is one of its own.
    pub(crate) fn look(&self, frame: FrameIndex) -> TextLook {
        let passed = frame.0.saturating_sub(self.frames.start.0);
        let left = self.frames.end.0.saturating_sub(frame.0 + 1);
        let mut look = TextLook { word: self.word_at(frame), ..TextLook::PLAIN };
        for (change, since) in [(self.enter, passed), (self.exit, left)] {
            let Some(change) = change.filter(|change| since < change.frames) else { continue };
            // Neither the first nor the last frame is without any change.
            let done = (since + 1) as f64 / (change.frames + 1) as f64;
            let (opacity, scale) = match change.kind {
                TextChangeKind::Fade => (done, 1.0),
                TextChangeKind::Pop => ((3.0 * done).min(1.0), POP_FROM + (1.0 - POP_FROM) * ease_out_back(done)),
            };
            look.opacity = (f64::from(look.opacity) * opacity + 0.5) as u8;
            look.scale = (f64::from(look.scale) * scale + 0.5) as u16;
        }
        look
    }

    fn word_at(&self, frame: FrameIndex) -> Option<usize> {
        self.words.partition_point(|word| word.from <= frame).checked_sub(1)
    }

    /// The stretches of `frames` in which it looks the same, and how.
    pub(super) fn looks(&self, frames: FrameRange) -> Vec<(FrameRange, TextLook)> {
        let live = self.frames.intersect(frames);
        let mut looks: Vec<(FrameRange, TextLook)> = Vec::new();
        for frame in live.start.0..live.end.0 {
            let look = self.look(FrameIndex(frame));
            match looks.last_mut().filter(|(_, last)| *last == look) {
                Some((stretch, _)) => stretch.end = FrameIndex(frame + 1),
                None => looks.push((FrameRange::new(frame, frame + 1), look)),
            }
        }
        looks
    }

    /// Whether a plan of `frames` frames can have it.
    pub(super) fn is_sane(&self, frames: u64) -> bool {
        let changes = self.enter.iter().chain(&self.exit);
        let is_word = |word: &PlannedWord| {
            !word.range.is_empty()
                && self.block.text.get(word.range.clone()).is_some()
                && self.frames.contains(word.from)
        };
        self.frames.end.0 <= frames
            && !self.frames.is_empty()
            && changes.map(|change| change.frames).all(|takes| (1..=self.frames.len()).contains(&takes))
            && self.words.iter().all(is_word)
            && self.words.windows(2).all(|pair| pair[0].from < pair[1].from)
    }
}

/// What of the texts is not seen as it was asked for, for the report.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// The characters that no font has, and that texts were set without: each once.
    pub(super) characters: Vec<String>,
    /// The captions that have no frame of their own.
    pub(super) captions: Vec<String>,
}

impl Unseen {
    /// More of either than a report needs.
    const MOST: usize = 100;

    pub(super) fn add(&mut self, layout: &TextLayout) {
        for cluster in layout.missing() {
            if self.characters.len() < Self::MOST && !self.characters.contains(&cluster.text) {
                self.characters.push(cluster.text.clone());
            }
        }
    }

    pub(super) fn add_caption(&mut self, text: &str) {
        if self.captions.len() < Self::MOST {
            self.captions.push(text.to_owned());
        }
    }
}

/// Fast at first, a tenth too far, and back. Only sums and products: the same on every machine.
fn ease_out_back(done: f64) -> f64 {
    let left = done - 1.0;
    1.0 + (OVERSHOOT + 1.0) * left * left * left + OVERSHOOT * left * left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Area;
    use crate::units::TimeSpan;

    fn text(motion: TextMotion) -> PlannedText {
        let area = Area { x: 0, y: 0, width: 100, height: 100 };
        let frames = FrameRange::new(10, 40);
        PlannedText::new("hook".to_owned(), TextBlock::new("one two", area), frames, motion, FrameRate::FPS_30)
    }

    fn change(kind: TextChangeKind, seconds: f64) -> Option<TextChange> {
        Some(TextChange { kind, duration: TimeSpan::from_secs_f64(seconds).expect("in range") })
    }

    #[test]
    fn a_fade_rises_evenly_and_falls_the_same_way() {
        let fading =
            text(TextMotion { enter: change(TextChangeKind::Fade, 0.1), exit: change(TextChangeKind::Fade, 0.1) });
        let opacity = |frame| fading.look(FrameIndex(frame)).opacity;
        assert_eq!([10, 11, 12, 13, 36, 37, 38, 39].map(opacity), [64, 128, 191, 255, 255, 191, 128, 64]);
        assert!((10..40).all(|frame| fading.look(FrameIndex(frame)).scale == 1_000));
    }

    #[test]
    fn a_pop_overshoots_a_little_and_settles() {
        let popping = text(TextMotion { enter: change(TextChangeKind::Pop, 0.3), exit: None });
        let scales: Vec<u16> = (10..40).map(|frame| popping.look(FrameIndex(frame)).scale).collect();
        let most = scales.iter().max().copied().unwrap_or_default();
        assert!((1_010..=1_030).contains(&most), "{scales:?}");
        assert!(scales[0] < 900 && scales[9..].iter().all(|scale| *scale == 1_000), "{scales:?}");
    }

    #[test]
    fn changes_take_at_most_half_of_the_time_each() {
        let long =
            text(TextMotion { enter: change(TextChangeKind::Fade, 9.0), exit: change(TextChangeKind::Pop, 9.0) });
        assert_eq!((long.enter.map(|c| c.frames), long.exit.map(|c| c.frames)), (Some(15), Some(15)));
        assert!(long.is_sane(40) && !long.is_sane(39));
    }

    #[test]
    fn equal_looks_are_one_stretch() {
        let mut caption = text(TextMotion::default());
        caption.words =
            vec![PlannedWord { from: FrameIndex(12), range: 0..3 }, PlannedWord { from: FrameIndex(20), range: 4..7 }];
        let looks = caption.looks(FrameRange::new(0, 30));
        let found: Vec<_> = looks.iter().map(|(frames, look)| (frames.start.0, frames.end.0, look.word)).collect();
        assert_eq!(found, [(10, 12, None), (12, 20, Some(0)), (20, 30, Some(1))]);
        caption.words[1].range = 4..8;
        assert!(!caption.is_sane(40), "beyond the text");
    }
}
