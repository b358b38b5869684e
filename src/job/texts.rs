//! Texts on frames: drawn when they are first on, kept while they are, at the look that each frame wants.

use super::engine::Shared;
use crate::compose::{I420Mut, Sprite};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Plan, PlannedText, TextLook};
use crate::text::{TextBlock, TextSprite, lay_out, rasterise};
use crate::units::{CanvasSize, FrameIndex};

/// Draws the texts of a plan. Each worker has one of its own; its memory is that of the texts that are on at once.
pub(super) struct TextBrush<'a> {
    shared: &'a Shared,
    plan: &'a Plan,
    drawn: Vec<Drawn>,
}

/// A text with one of its words active.
struct Drawn {
    /// Its place in the plan.
    text: usize,
    word: Option<usize>,
    /// As it was rasterised; `None` if it has no ink.
    picture: Option<TextSprite>,
    /// Its size in thousandths, and the picture at it; `None` if there is nothing on the canvas.
    shown: Option<(u16, Option<Sprite>)>,
}

impl<'a> TextBrush<'a> {
    pub(super) fn new(shared: &'a Shared, plan: &'a Plan) -> Self {
        Self { shared, plan, drawn: Vec::new() }
    }

    /// Whether any text is on at `frame`.
    pub(super) fn is_live(&self, frame: FrameIndex) -> bool {
        self.plan.texts().iter().any(|text| text.frames.contains(frame))
    }

    /// Blends the texts of `shot`, or with `None` those that lie over all shots, that are on at `frame`; later ones are on top.
    pub(super) fn blend(&mut self, frame: FrameIndex, shot: Option<usize>, target: &mut I420Mut<'_>) -> Result<()> {
        let texts = self.plan.texts();
        // Chunks are painted forwards in a worker; after a jump back, what is needed is drawn again.
        self.drawn.retain(|drawn| texts.get(drawn.text).is_some_and(|text| text.frames.contains(frame)));
        let of_shot = |text: &PlannedText| text.shot == shot && text.frames.contains(frame);
        for (number, text) in texts.iter().enumerate().filter(|(_, text)| of_shot(text)) {
            let look = text.look(frame);
            let at = match self.drawn.iter().position(|drawn| drawn.text == number && drawn.word == look.word) {
                Some(at) => at,
                None => {
                    // A word that has been said does not come back.
                    self.drawn.retain(|drawn| drawn.text != number);
                    self.drawn.push(draw(self.shared, number, text, look)?);
                    self.drawn.len() - 1
                }
            };
            let Some(drawn) = self.drawn.get_mut(at) else { continue };
            if let Some(sprite) = drawn.at_scale(look.scale, self.plan.canvas())? {
                sprite.blend_faded(target, look.opacity);
            }
        }
        Ok(())
    }
}

fn draw(shared: &Shared, number: usize, text: &PlannedText, look: TextLook) -> Result<Drawn> {
    let active = look.word.and_then(|word| text.words.get(word)).map(|word| word.range.clone());
    let block = TextBlock { active, ..text.block.clone() };
    let layout = lay_out(&shared.fonts, &block)?;
    let picture = rasterise(&shared.fonts, &layout)?;
    Ok(Drawn { text: number, word: look.word, picture, shown: None })
}

impl Drawn {
    /// The picture at a size; `None` if nothing of it is on the canvas.
    fn at_scale(&mut self, scale: u16, canvas: CanvasSize) -> Result<Option<&Sprite>> {
        if self.shown.as_ref().is_none_or(|(shown, _)| *shown != scale) {
            let sprite = match &self.picture {
                None => None,
                Some(picture) if scale == 1_000 => on_canvas(picture, canvas)?,
                Some(picture) => on_canvas(&picture.scaled(scale)?, canvas)?,
            };
            self.shown = Some((scale, sprite));
        }
        Ok(self.shown.as_ref().and_then(|(_, sprite)| sprite.as_ref()))
    }
}

fn on_canvas(picture: &TextSprite, canvas: CanvasSize) -> Result<Option<Sprite>> {
    let Some(part) = picture.on_canvas(canvas.width(), canvas.height()) else { return Ok(None) };
    let broken = || Error::new(ErrorKind::Internal, "a text's picture is not even");
    let (x, y) = (u32::try_from(part.x).map_err(|_| broken())?, u32::try_from(part.y).map_err(|_| broken())?);
    Sprite::from_premultiplied_rgba(x, y, part.width, part.height, &part.pixels).map(Some).ok_or_else(broken)
}
