//! What is left of a text that was taken out of a picture.

use std::collections::BTreeSet;

use super::components::shrunk;
use super::find::{search_scale, whole_place};
use super::read::{InScript, TextReader};
use super::texts::texts;
use super::track::Tracker;
use crate::compose::{I420Ref, Mask, PlaneRef, SourceRect};
use crate::error::Result;

/// The part of the characters of `text`, 0 to 1, which is in these scripts, that `reader` still finds at `region` of a picture.
///
/// # Errors
/// What `reader` and `alive` report.
pub(crate) fn readable(
    picture: I420Ref<'_>,
    region: SourceRect,
    (text, scripts): (&str, &BTreeSet<String>),
    reader: &dyn TextReader,
    alive: &dyn Fn() -> Result<()>,
) -> Result<f64> {
    let (width, height) = (picture.y.width() as u32, picture.y.height() as u32);
    let scale = search_scale(width, height);
    let mut tracker = Tracker::new(scale, true);
    tracker.push(shrunk(picture.y, scale), &picture);
    let (mut tracks, _) = tracker.finish();
    tracks.retain(|track| {
        let there = track.line.place(scale);
        let overlap =
            |start: usize, end: usize, other: u32, size: u32| start < (other + size) as usize && end > other as usize;
        overlap(there.left, there.right, region.x, region.width)
            && overlap(there.top, there.bottom, region.y, region.height)
    });
    let place = whole_place(scale, width, height);
    let scripts: Vec<&String> = scripts.iter().collect();
    let size = (width, height);
    let (found, _) = match scripts[..] {
        [script] => texts(tracks, &InScript { reader, script }, &place, size, 1, alive)?,
        // Which line is in which is not known.
        _ => texts(tracks, reader, &place, size, 1, alive)?,
    };
    let plain = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<Vec<_>>();
    let (old, left) = (plain(text), found.iter().flat_map(|overlay| plain(&overlay.text)).collect::<Vec<_>>());
    Ok(common(&old, &left) as f64 / old.len().max(1) as f64)
}

/// How many characters two texts have in common in the same order.
fn common(one: &[char], other: &[char]) -> usize {
    let mut before = vec![0; other.len() + 1];
    for letter in one {
        let mut corner = 0;
        for (place, same) in other.iter().enumerate() {
            let above = before[place + 1];
            before[place + 1] = if letter == same { corner + 1 } else { above.max(before[place]) };
            corner = above;
        }
    }
    before.last().copied().unwrap_or(0)
}

/// By how many code values of luma cells on both sides of a mask's edge differ, beyond what neighbours outside of it do.
pub(crate) fn seam(luma: PlaneRef<'_>, mask: &Mask) -> f64 {
    let SourceRect { x, y, width, height } = mask.bounds();
    let (columns, rows) = (luma.width() / 2, luma.height() / 2);
    let range = |start: u32, size: u32, whole: usize| {
        (start as usize / 2).saturating_sub(6)..((start + size) as usize / 2 + 6).min(whole.saturating_sub(1))
    };
    let value = |column: usize, row: usize| {
        let pair =
            |y: usize| luma.row(y)[2 * column..2 * column + 2].iter().map(|&value| f64::from(value)).sum::<f64>();
        (pair(2 * row) + pair(2 * row + 1)) / 4.0
    };
    let (mut across, mut beside) = ((0.0, 0u32), (0.0, 0u32));
    for row in range(y, height, rows) {
        for column in range(x, width, columns) {
            for (other_column, other_row) in [(column + 1, row), (column, row + 1)] {
                let apart = (value(column, row) - value(other_column, other_row)).abs();
                match (mask.has(column, row), mask.has(other_column, other_row)) {
                    (true, true) => {}
                    (false, false) => beside = (beside.0 + apart, beside.1 + 1),
                    _ => across = (across.0 + apart, across.1 + 1),
                }
            }
        }
    }
    let mean = |(sum, count): (f64, u32)| sum / f64::from(count.max(1));
    (mean(across) - mean(beside)).max(0.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::burnt::read::{LinePicture, LineReading, WordReading};

    #[test]
    fn letters_in_common_are_counted_in_order() {
        let count =
            |one: &str, other: &str| common(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>());
        assert_eq!(
            (count("waitforit", "wait"), count("waitforit", "tiaw"), count("", "a"), count("abc", "")),
            (4, 2, 0, 0)
        );
        assert_eq!(count("waitforit", "xwaxitfxorit"), 9);
    }

    /// Reads the same from every line, and notes in which script it was asked to read how many.
    #[derive(Default)]
    struct Asked(Mutex<Vec<(String, usize)>>);

    impl TextReader for Asked {
        fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
            self.read_in("any", lines, alive)
        }

        fn read_in(&self, script: &str, lines: &[LinePicture], _: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
            self.0.lock().expect("is whole").push((script.to_owned(), lines.len()));
            let word = |line: &LinePicture| WordReading {
                text: "Good morning".to_owned(),
                columns: 0..line.width,
                confidence: 0.95,
            };
            let reading = |line| LineReading { words: vec![word(line)], script: "Latn".to_owned(), confidence: 0.95 };
            Ok(lines.iter().map(reading).collect())
        }
    }

    /// One that does not know of scripts.
    struct Plain<'a>(&'a Asked);

    impl TextReader for Plain<'_> {
        fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
            self.0.read(lines, alive)
        }
    }

    #[test]
    fn what_is_left_is_read_in_its_script_or_in_any_of_several() {
        let book = crate::text::FontBook::installed().expect("the font packages are installed");
        let area = crate::text::Area { x: 40, y: 300, width: 640, height: 100 };
        let layout = crate::text::lay_out(&book, &crate::text::TextBlock::new("Good morning", area)).expect("is set");
        let sprite = crate::text::rasterise(&book, &layout).expect("is drawn").expect("has ink");
        let (width, height) = (720, 1280);
        let mut luma = vec![90u8; width * height];
        for (y, row) in sprite.pixels.chunks_exact(4 * sprite.width as usize).enumerate() {
            for (value, pixel) in luma[(300 + y) * width + 40..].iter_mut().zip(row.chunks_exact(4)) {
                *value += (u32::from(pixel[0]) * 145 / 255) as u8;
            }
        }
        let chroma = vec![128u8; width * height / 4];
        let plane = |samples, width, height| PlaneRef::new(samples, width, height, width).expect("fits");
        let picture = I420Ref {
            y: plane(&luma, width, height),
            u: plane(&chroma, width / 2, height / 2),
            v: plane(&chroma, width / 2, height / 2),
        };
        let region = SourceRect { x: 40, y: 300, width: sprite.width, height: sprite.height };
        let asked = Asked::default();
        let left = |reader: &dyn TextReader, scripts: &[&str]| {
            let scripts = scripts.iter().map(|script| (*script).to_owned()).collect();
            let left = readable(picture, region, ("Good day", &scripts), reader, &|| Ok(())).expect("reads");
            assert!((left - 4.0 / 7.0).abs() < 1e-9, "good, of gooday: {left}");
            std::mem::take(&mut *asked.0.lock().expect("is whole"))
        };
        let once = |script: &str| vec![(script.to_owned(), 1)];
        assert_eq!(left(&asked, &["Latn"]), once("Latn"));
        assert_eq!(left(&asked, &["Kore", "Latn"]), once("any"), "which line is in which is not known");
        assert_eq!((left(&asked, &[]), left(&Plain(&asked), &["Latn"])), (once("any"), once("any")));
    }

    #[test]
    fn a_seam_is_what_stands_out_at_the_edge() {
        let picture =
            |value: &dyn Fn(usize, usize) -> u8| (0..80 * 60).map(|at| value(at % 80, at / 80)).collect::<Vec<u8>>();
        let mask = Mask::all_of(SourceRect { x: 20, y: 20, width: 30, height: 20 });
        let is_in = |x: usize, y: usize| mask.has(x / 2, y / 2);
        let of = |samples: &[u8]| seam(PlaneRef::new(samples, 80, 60, 80).expect("fits"), &mask);
        assert_eq!(of(&picture(&|_, _| 90)), 0.0);
        assert!(of(&picture(&|x, y| if is_in(x, y) { 130 } else { 90 })) > 35.0);
        // Where all is busy, an edge is not seen.
        let busy = picture(&|x, y| if (x / 2 + y / 2) % 2 == 0 { 60 } else { 120 });
        assert!(of(&busy) < 5.0, "{}", of(&busy));
    }
}
