//! From a layout to pixels: all strokes in one plane, then all fills, then emoji.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use ab_glyph::{Font as _, FontRef, Outline};
use fast_image_resize::Resizer;

use super::backdrop;
use super::book::{FaceId, FontBook};
use super::cache::{Emoji, GlyphKey, Letter};
use super::emoji::ColourGlyph;
use super::glyph;
use super::layout::{PixelBox, PlacedGlyph, TextLayout};
use super::stamp::{Plane, Stamp, Subpixel};
use super::style::Rgba;
use crate::error::{Error, ErrorKind, Result};

/// Transparent px around the ink, before the rectangle is made even.
const MARGIN: f32 = 2.0;

/// A picture with its place on the canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSprite {
    /// Left edge on the canvas, px, even; may be negative.
    pub x: i32,
    /// Top edge on the canvas, px, y down, even; may be negative.
    pub y: i32,
    /// Width in px, even.
    pub width: u32,
    /// Height in px, even.
    pub height: u32,
    /// RGBA, 8 bit, sRGB, alpha multiplied in; rows from top to bottom without padding. At least the outermost px on
    /// each side are fully transparent.
    pub pixels: Vec<u8>,
}

/// Draws `layout`, which must have been set with the same `book`. `None` if it has no ink.
///
/// Boxes and shadows are drawn first; then all strokes, so that none covers its neighbour's letter; then letters; then
/// emoji.
///
/// # Errors
///
/// `SOURCE_UNSUPPORTED` if a font's glyph is damaged, `INTERNAL` if the layout is of another book.
pub fn rasterise(book: &FontBook, layout: &TextLayout) -> Result<Option<TextSprite>> {
    let Some(ink) = layout.ink() else { return Ok(None) };
    let mut sprite = TextSprite::around(ink);
    let mut drawing = Drawing::new(book, layout, &sprite);
    for glyph in layout.lines().iter().flat_map(|line| &line.glyphs) {
        drawing.draw(glyph)?;
    }
    drawing.finish(&mut sprite);
    let has_active_box = layout.active.as_ref().is_some_and(|active| active.backdrop.is_some());
    if layout.shadow.is_some() || layout.backdrop.is_some() || has_active_box {
        backdrop::draw_below(layout, &mut sprite);
    }
    if layout.opacity < 1.0 {
        // Colours are multiplied by alpha, so that all four become less alike.
        let opacity = (layout.opacity * 255.0 + 0.5) as u8;
        sprite.pixels.iter_mut().for_each(|value| *value = times(*value, opacity));
    }
    Ok(Some(sprite))
}

impl TextSprite {
    /// A transparent sprite around `ink`.
    fn around(ink: PixelBox) -> Self {
        // Even places and sizes: chroma is shared by two px in both directions.
        let floor = |edge: f32| (((edge - MARGIN) / 2.0).floor() * 2.0) as i32;
        let ceil = |edge: f32| (((edge + MARGIN) / 2.0).ceil() * 2.0) as i32;
        let (x, y) = (floor(ink.left), floor(ink.top));
        let (width, height) = (x.abs_diff(ceil(ink.right)), y.abs_diff(ceil(ink.bottom)));
        Self { x, y, width, height, pixels: vec![0; width as usize * height as usize * 4] }
    }
}

struct Drawing<'b> {
    book: &'b FontBook,
    size: f32,
    fill_colour: Rgba,
    /// How much larger active glyphs are, and their colour.
    active_style: Option<(f32, Rgba)>,
    stroke_style: Option<(f32, Rgba)>,
    /// Upper left corner of the sprite on the canvas.
    corner: (i32, i32),
    strokes: Plane,
    fills: Plane,
    active_fills: Option<Plane>,
    /// Emoji in drawing order, left and top in the sprite.
    emoji: Vec<(Arc<Emoji>, i32, i32)>,
    open: HashMap<FaceId, FontRef<'b>>,
    outlines: HashMap<(FaceId, u16), Option<Outline>>,
    resizer: Resizer,
}

impl<'b> Drawing<'b> {
    fn new(book: &'b FontBook, layout: &TextLayout, sprite: &TextSprite) -> Self {
        let (width, height) = (sprite.width as usize, sprite.height as usize);
        Self {
            book,
            size: layout.font_size(),
            fill_colour: layout.fill,
            active_style: layout.active.as_ref().map(|active| (active.scale, active.fill)),
            stroke_style: layout.stroke,
            corner: (sprite.x, sprite.y),
            strokes: Plane::new(width, height),
            fills: Plane::new(width, height),
            active_fills: layout.active.as_ref().map(|_| Plane::new(width, height)),
            emoji: Vec::new(),
            open: HashMap::new(),
            outlines: HashMap::new(),
            resizer: Resizer::new(),
        }
    }

    fn draw(&mut self, placed: &PlacedGlyph) -> Result<()> {
        let PlacedGlyph { face, glyph, x, y, active, .. } = *placed;
        let grown = self.active_style.filter(|_| active).map_or(1.0, |(scale, _)| scale);
        let size = self.size * grown;
        let reach = self.stroke_style.map(|(reach, _)| reach * grown);
        let source = self
            .book
            .face(face)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a layout names a face that the font book does not have"))?;
        let (x, y) = (x - self.corner.0 as f32, y - self.corner.1 as f32);
        if source.colour {
            return self.draw_emoji((face, glyph), (size, reach), x, y);
        }
        let (x, y) = (Subpixel::nearest(x), Subpixel::nearest(y));
        let key = GlyphKey::new(face, glyph, size, reach, (x.part, y.part));
        let letter = self.book.glyphs().letter(key, || -> Result<Letter> {
            let font = open(&mut self.open, self.book, face)?;
            let scale = size / font.units_per_em().unwrap_or(1000.0);
            let outline = self.outlines.entry((face, glyph)).or_insert_with(|| glyph::outline(font, glyph));
            let Some(outline) = outline else { return Ok(Letter::default()) };
            let stroke = reach.and_then(|reach| Stamp::stroke(outline, (scale, size), x, y, reach));
            Ok(Letter { fill: Stamp::fill(outline, scale, x, y), stroke })
        })?;
        if let Some(stroke) = &letter.stroke {
            self.strokes.unite(stroke, x.whole, y.whole);
        }
        match self.active_fills.as_mut().filter(|_| active) {
            Some(fills) => fills.add(&letter.fill, x.whole, y.whole),
            None => self.fills.add(&letter.fill, x.whole, y.whole),
        }
        Ok(())
    }

    fn draw_emoji(
        &mut self,
        (face, glyph): (FaceId, u16),
        (size, reach): (f32, Option<f32>),
        x: f32,
        y: f32,
    ) -> Result<()> {
        let key = GlyphKey::new(face, glyph, size, reach, (0, 0));
        let emoji = self.book.glyphs().emoji(key, || -> Result<Emoji> {
            let font = open(&mut self.open, self.book, face)?;
            let scaled = ColourGlyph::new(font, glyph, size, &mut self.resizer)?;
            Ok(scaled.map(|scaled| {
                let outline = reach.map(|reach| scaled.outline(reach));
                (scaled, outline)
            }))
        })?;
        let Some((scaled, outline)) = emoji.as_ref() else { return Ok(()) };
        // Whole px: a bitmap moved by a part of one would blur.
        let (left, top) = ((x + scaled.left).round() as i32, (y + scaled.top).round() as i32);
        if let Some(outline) = outline {
            self.strokes.unite(outline, left, top);
        }
        self.emoji.push((emoji, left, top));
        Ok(())
    }

    fn finish(&self, sprite: &mut TextSprite) {
        let strokes = self.stroke_style.map_or([[0; 4]; 256], |(_, colour)| coverage_table(colour));
        let fills = coverage_table(self.fill_colour);
        // Most px are outside of everything: four at once are passed over. A plane's size is a multiple of four.
        const STEP: usize = 4;
        let planes = self.strokes.coverage.as_chunks::<STEP>().0.iter().zip(self.fills.coverage.as_chunks::<STEP>().0);
        for (pixels, (stroked, filled)) in sprite.pixels.as_chunks_mut::<{ 4 * STEP }>().0.iter_mut().zip(planes) {
            if *stroked == [0; STEP] && *filled == [0; STEP] {
                continue;
            }
            for ((px, &stroked), &filled) in pixels.as_chunks_mut::<4>().0.iter_mut().zip(stroked).zip(filled) {
                let fill = fills[usize::from(filled)];
                if fill[3] == 255 {
                    *px = fill;
                } else {
                    *px = strokes[usize::from(stroked)];
                    over(px, fill);
                }
            }
        }
        if let Some((plane, (_, colour))) = self.active_fills.as_ref().zip(self.active_style) {
            let fills = coverage_table(colour);
            for (px, &filled) in sprite.pixels.as_chunks_mut::<4>().0.iter_mut().zip(&plane.coverage) {
                over(px, fills[usize::from(filled)]);
            }
        }
        let (width, height) = (sprite.width as usize, sprite.height as usize);
        for (emoji, left, top) in &self.emoji {
            let Some((emoji, _)) = emoji.as_ref() else { continue };
            let (left, top) = (*left, *top);
            for (row, source) in emoji.pixels.chunks_exact(emoji.width * 4).enumerate() {
                let Ok(y) = usize::try_from(top + row as i32) else { continue };
                for (column, colour) in source.chunks_exact(4).enumerate() {
                    let Ok(x) = usize::try_from(left + column as i32) else { continue };
                    if x < width && y < height {
                        let start = (y * width + x) * 4;
                        over(&mut sprite.pixels[start..start + 4], [colour[0], colour[1], colour[2], colour[3]]);
                    }
                }
            }
        }
    }
}

/// The font of a face, opened once.
fn open<'o, 'b>(
    fonts: &'o mut HashMap<FaceId, FontRef<'b>>,
    book: &'b FontBook,
    face: FaceId,
) -> Result<&'o FontRef<'b>> {
    let source = book
        .face(face)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the font book does not have a layout's face"))?;
    Ok(match fonts.entry(face) {
        Entry::Occupied(font) => font.into_mut(),
        Entry::Vacant(slot) => slot.insert(source.open()?),
    })
}

/// `colour` at every coverage, alpha multiplied in.
fn coverage_table(colour: Rgba) -> [[u8; 4]; 256] {
    let mut table = [[0; 4]; 256];
    for (entry, coverage) in table.iter_mut().zip(0..=255) {
        *entry = premultiplied(colour, coverage);
    }
    table
}

/// `colour` at `coverage`, alpha multiplied in.
pub(super) fn premultiplied(colour: Rgba, coverage: u8) -> [u8; 4] {
    let alpha = times(colour.a, coverage);
    [times(colour.r, alpha), times(colour.g, alpha), times(colour.b, alpha), alpha]
}

/// Source-over of premultiplied colours (Porter and Duff, 1984), on coded sRGB values as CSS and every editor do.
pub(super) fn over(below: &mut [u8], above: [u8; 4]) {
    if above[3] == 0 {
        return;
    }
    let through = 255 - above[3];
    for (below, above) in below.iter_mut().zip(above) {
        *below = above.saturating_add(times(*below, through));
    }
}

/// `a * b / 255`, to the nearest.
fn times(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_over_keeps_colour_below_alpha() {
        for alpha in [0u8, 1, 127, 254, 255] {
            let mut px = premultiplied(Rgba { r: 255, g: 128, b: 3, a: 200 }, 255);
            over(&mut px, premultiplied(Rgba::WHITE, alpha));
            assert!(px[..3].iter().all(|&c| c <= px[3]), "{px:?}");
        }
        let mut px = premultiplied(Rgba::BLACK, 255);
        over(&mut px, premultiplied(Rgba::WHITE, 128));
        assert_eq!(px, [128, 128, 128, 255]);
    }

    #[test]
    fn a_sprite_is_even_and_has_a_margin() {
        let sprite = TextSprite::around(PixelBox { left: -3.2, top: 4.0, right: 9.9, bottom: 11.0 });
        assert_eq!((sprite.x, sprite.y, sprite.width, sprite.height), (-6, 2, 18, 12));
    }
}
