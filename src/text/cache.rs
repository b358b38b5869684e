//! Drawn glyphs, kept from text to text: captions show the same letters at the same size again and again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::book::FaceId;
use super::emoji::ColourGlyph;
use super::stamp::Stamp;

/// The most bytes that are kept: a few thousand letters of a hook's size.
const MAX_BYTES: usize = 16 << 20;

/// About what a glyph takes besides its pixels.
const ENTRY_BYTES: usize = 256;

/// A glyph as it is drawn: everything that its pixels depend on. Numbers are compared by their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct GlyphKey {
    face: FaceId,
    glyph: u16,
    size: u32,
    /// How far its stroke reaches; `None` without one.
    reach: Option<u32>,
    /// Its place between whole px, of a letter.
    part: (i32, i32),
}

impl GlyphKey {
    pub(super) fn new(face: FaceId, glyph: u16, size: f32, reach: Option<f32>, part: (i32, i32)) -> Self {
        Self { face, glyph, size: size.to_bits(), reach: reach.map(f32::to_bits), part }
    }
}

/// A letter, filled and stroked; both empty for a glyph without an outline.
#[derive(Debug, Default)]
pub(super) struct Letter {
    pub(super) fill: Stamp,
    pub(super) stroke: Option<Stamp>,
}

/// An emoji at its size, and what its stroke covers; `None` for what is no colour glyph.
pub(super) type Emoji = Option<(ColourGlyph, Option<Stamp>)>;

/// The drawn glyphs of a font book.
#[derive(Default)]
pub(super) struct GlyphCache {
    letters: Shelf<Letter>,
    emoji: Shelf<Emoji>,
}

impl GlyphCache {
    /// The letter of a key, drawn by `draw` if it is not there.
    ///
    /// # Errors
    /// What `draw` reports.
    pub(super) fn letter<E>(&self, key: GlyphKey, draw: impl FnOnce() -> Result<Letter, E>) -> Result<Arc<Letter>, E> {
        let size = |letter: &Letter| {
            letter.fill.coverage.len() + letter.stroke.as_ref().map_or(0, |stroke| stroke.coverage.len())
        };
        self.letters.get(key, draw, size)
    }

    /// The emoji of a key, drawn by `draw` if it is not there.
    ///
    /// # Errors
    /// What `draw` reports.
    pub(super) fn emoji<E>(&self, key: GlyphKey, draw: impl FnOnce() -> Result<Emoji, E>) -> Result<Arc<Emoji>, E> {
        let size = |emoji: &Emoji| {
            emoji.as_ref().map_or(0, |(emoji, outline)| {
                emoji.pixels.len() + outline.as_ref().map_or(0, |outline| outline.coverage.len())
            })
        };
        self.emoji.get(key, draw, size)
    }
}

/// Glyphs of one kind, and their bytes.
struct Shelf<T>(Mutex<(HashMap<GlyphKey, Arc<T>>, usize)>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shelf<T> {
    fn get<E>(
        &self,
        key: GlyphKey,
        draw: impl FnOnce() -> Result<T, E>,
        size: impl Fn(&T) -> usize,
    ) -> Result<Arc<T>, E> {
        if let Some(found) = self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(&key) {
            return Ok(Arc::clone(found));
        }
        // Not under the lock: others draw meanwhile, at worst the same.
        let drawn = Arc::new(draw()?);
        let bytes = size(&drawn) + ENTRY_BYTES;
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (glyphs, total) = &mut *shelf;
        if *total + bytes > MAX_BYTES / 2 {
            // What is in use stays alive; the rest is drawn again. Full shelves are too rare for a finer order.
            glyphs.clear();
            *total = 0;
        }
        if glyphs.insert(key, Arc::clone(&drawn)).is_none() {
            *total += bytes;
        }
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(glyph: u16) -> GlyphKey {
        GlyphKey::new(FaceId(0), glyph, 40.0, None, (0, 0))
    }

    fn letter(bytes: usize) -> Letter {
        Letter { fill: Stamp { coverage: vec![0; bytes], ..Stamp::default() }, stroke: None }
    }

    #[test]
    fn a_glyph_is_drawn_once_and_a_full_shelf_is_emptied() {
        let cache = GlyphCache::default();
        let drawn = std::cell::Cell::new(0);
        let draw = |glyph: u16, bytes: usize| {
            let drawing = || {
                drawn.set(drawn.get() + 1);
                Ok::<_, ()>(letter(bytes))
            };
            cache.letter(key(glyph), drawing).expect("is drawn");
        };
        draw(1, 10);
        draw(1, 10);
        assert_eq!(drawn.get(), 1);
        draw(2, MAX_BYTES / 2 - ENTRY_BYTES);
        draw(1, 10);
        assert_eq!(drawn.get(), 3, "it had to go");
        assert!(cache.letter(key(3), || Err::<Letter, _>("no")).is_err());
    }
}
