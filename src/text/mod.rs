//! Text as a positioned picture: fonts, shaping, emoji, fitting, strokes, rasterising.
//!
//! A [`TextBlock`] (text, [`TextStyle`], [`Area`] on the canvas) goes in; a [`TextSprite`] (premultiplied RGBA with its
//! place on the canvas) comes out. In between stands the [`TextLayout`], which says without drawing where lines break
//! and which size was chosen. Fonts come only from a [`FontBook`], never from whatever the host has.
//!
//! ```
//! use remix_engine::text::{Area, FontBook, TextBlock, lay_out, rasterise};
//!
//! let book = FontBook::installed()?;
//! let area = Area { x: 180, y: 250, width: 720, height: 1210 };
//! let block = TextBlock::new("wait for it...\nthis changed everything 🧠", area);
//! let layout = lay_out(&book, &block)?;
//! assert_eq!(layout.lines()[0].text, "wait for it...");
//! let sprite = rasterise(&book, &layout)?.expect("the text has ink");
//! assert_eq!(sprite.pixels.len(), sprite.width as usize * sprite.height as usize * 4);
//! # Ok::<(), remix_engine::Error>(())
//! ```
//!
//! The way through the room, one file a step:
//!
//! | file | what it does |
//! |---|---|
//! | `style` | what the caller asks for, and its limits |
//! | `book`, `installed` | the fonts, their hash, and the engine's default list |
//! | `cluster` | which characters are emoji, invisible, or line breaks |
//! | `itemise` | text → paragraphs → runs of one face; finds what no font has |
//! | `breaks` | where lines may break, by Unicode's rules and a language's |
//! | `shape` | runs → glyphs (cosmic-text), and wrapping at a size and width |
//! | `fit` | the largest size that fits, balanced lines, their place in the area |
//! | `layout` | the public result of all that |
//! | `glyph` | what one glyph looks like: outline or colour bitmap, and its ink box |
//! | `stamp` | coverage of one glyph, filled or stroked |
//! | `cache` | drawn glyphs, kept from text to text |
//! | `emoji` | one colour glyph at its final size, and its outline |
//! | `backdrop` | boxes under lines, and shadows |
//! | `raster` | everything composited into the sprite |
//! | `scale` | the sprite at another size, while a text grows |

mod backdrop;
mod book;
mod breaks;
mod cache;
mod cluster;
mod emoji;
mod fit;
mod glyph;
mod installed;
mod itemise;
mod layout;
mod raster;
mod scale;
mod shape;
mod stamp;
mod style;
#[cfg(test)]
mod tests;

pub use book::{FaceId, FontBook};
pub use itemise::MissingCluster;
pub use layout::{
    LineDescription, PixelBox, PlacedGlyph, TextCluster, TextDescription, TextLayout, TextLine, find_missing, lay_out,
};
pub(crate) use layout::{break_lines, break_opportunities, check_language};
pub use raster::{TextSprite, rasterise};
pub use style::{
    ActiveStyle, Align, Anchor, Area, Backdrop, BackdropShape, FontSize, MissingPolicy, Rgba, Shadow, Stroke,
    TextBlock, TextStyle,
};

/// The most user-perceived characters (grapheme clusters) that one block may have.
pub const MAX_CHARACTERS: usize = 2_000;

/// The most Unicode scalar values in one user-perceived character. UAX #15 calls text with at most 30 combining marks in
/// a row stream-safe; the longest emoji sequences and Indic conjuncts stay below that too.
pub const MAX_CLUSTER_SCALARS: usize = 64;
