//! From lines that were followed to the texts that they make.

use image::imageops::{FilterType, replace, resize};
use image::{GrayImage, Luma};

use super::components::Bounds;
use super::read::{LinePicture, LineReading, TextReader, WordReading};
use super::style::{Surroundings, fill_color, surroundings};
use super::track::Track;
use super::{FoundColor, FoundLine, FoundOverlay, FoundStyle, FoundWord, OverlayKind, Region};
use crate::error::Result;

/// The height of letters that a reader gets, and the margin around them, in pixels.
const READ_HEIGHT: f64 = 36.0;
const READ_MARGIN: u32 = 14;
/// What is read with less confidence than this is no text; and a few letters are more often none.
const LEAST_SURE: f64 = 0.7;
const SURE_FEW: f64 = 0.88;
const DOUBTFUL_WORD: f64 = 0.5;
/// How much of two texts must be the same for them to be one.
const ALIKE: f64 = 0.75;
/// The most lines that are read.
const MOST_READ: usize = 200;
/// Frames by which the lines of one text may come and go apart.
const TOGETHER: u64 = 4;
/// Frames for which a line may be lost.
const LOST: u64 = 15;

/// A line that was read.
struct ReadLine {
    track: Track,
    reading: LineReading,
    words: Vec<FoundWord>,
    color: FoundColor,
    around: Surroundings,
}

/// The texts that these lines make, by time and place; `alive` is called now and then.
///
/// # Errors
/// What `reader` and `alive` report.
pub(super) fn texts(
    tracks: Vec<Track>,
    reader: &dyn TextReader,
    place: &Place,
    size: (u32, u32),
    frames: u64,
    alive: &dyn Fn() -> Result<()>,
) -> Result<Vec<FoundOverlay>> {
    // Those first that look the most like text.
    let mut tracks = tracks;
    tracks.sort_by(|one, other| other.line.likeness.total_cmp(&one.line.likeness));
    let mut prepared = Vec::new();
    for track in tracks.into_iter().take(MOST_READ) {
        alive()?;
        prepared.extend(prepare(track, place));
    }
    let mut read = Vec::new();
    let pictures: Vec<LinePicture> = prepared.iter_mut().map(|line| std::mem::take(&mut line.picture)).collect();
    let readings = reader.read(&pictures, alive)?;
    for (line, reading) in prepared.into_iter().zip(readings) {
        read.extend(understood(line, reading, place));
    }
    read.sort_by_key(|line| (line.track.first, line.track.line.bounds.top, line.track.line.bounds.left));
    let read = joined(side_by_side(without_doubles(joined(read))));
    let moves = read.iter().any(|line| line.track.stands_out);
    let mut overlays: Vec<FoundOverlay> =
        grouped(read).into_iter().map(|lines| overlay(lines, place, size, frames, moves)).collect();
    overlays.sort_by_key(|overlay| (overlay.first_frame, overlay.region.y, overlay.region.x));
    Ok(overlays)
}

/// From where letters are looked for to the source's pixels.
pub(super) struct Place {
    pub(super) scale: usize,
    pub(super) across: f64,
    pub(super) down: f64,
}

impl Place {
    /// A region that reaches this far beyond `bounds`, which are in pixels of the pictures that were decoded.
    fn region(&self, bounds: Bounds, beyond: f64, (width, height): (u32, u32)) -> Region {
        let low = |at: usize, by: f64| ((at as f64 - beyond) * by).round().max(0.0) as u32;
        let high = |at: usize, by: f64, most: u32| (((at as f64 + beyond) * by).round() as u32).min(most);
        let (x, y) = (low(bounds.left, self.across), low(bounds.top, self.down));
        let (right, bottom) = (high(bounds.right, self.across, width), high(bounds.bottom, self.down, height));
        Region { x, y, width: right.saturating_sub(x).max(1), height: bottom.saturating_sub(y).max(1) }
    }
}

/// A line that is ready to be read.
struct Prepared {
    track: Track,
    far: Vec<u8>,
    picture: LinePicture,
    /// Pixels of the picture for one of the line.
    by: f64,
}

/// Makes the picture of a line that a reader gets; `None` if there is none.
fn prepare(track: Track, place: &Place) -> Option<Prepared> {
    let far = track.crop.distances(&track.line, place.scale);
    let letters = track.crop.letters(&track.line, &far);
    let picture = GrayImage::from_raw(letters.width as u32, letters.height as u32, letters.samples)?;
    let by = (READ_HEIGHT / track.height(place).max(1.0)).clamp(0.2, 4.0);
    let side = |side: u32| ((f64::from(side) * by).round() as u32).clamp(1, 8_000);
    let (width, rows) = (side(picture.width()), side(picture.height()));
    let scaled = resize(&picture, width, rows, FilterType::CatmullRom);
    let mut page = GrayImage::from_pixel(width + 2 * READ_MARGIN, rows + 2 * READ_MARGIN, Luma([255]));
    replace(&mut page, &scaled, READ_MARGIN.into(), READ_MARGIN.into());
    let (width, height) = (page.width() as usize, page.height() as usize);
    Some(Prepared { track, far, picture: LinePicture { samples: page.into_raw(), width, height }, by })
}

/// A reading without what is at its ends and is hardly read: pictures, such as emoji, and what is beside the line.
fn without_ends(mut reading: LineReading) -> LineReading {
    let is_doubtful = |word: Option<&WordReading>| word.is_some_and(|word| word.confidence < DOUBTFUL_WORD);
    while is_doubtful(reading.words.last()) {
        reading.words.pop();
    }
    while is_doubtful(reading.words.first()) {
        reading.words.remove(0);
    }
    let letters = |word: &WordReading| word.text.chars().count() as f64;
    let all: f64 = reading.words.iter().map(letters).sum();
    reading.confidence = reading.words.iter().map(|word| word.confidence * letters(word)).sum::<f64>() / all.max(1.0);
    reading
}

/// A line with what was read in it; `None` if it is no text.
fn understood(line: Prepared, reading: LineReading, place: &Place) -> Option<ReadLine> {
    let Prepared { track, far, by, .. } = line;
    let reading = without_ends(reading);
    let letters = reading.text().chars().filter(|letter| letter.is_alphanumeric()).count();
    if letters == 0 || reading.confidence < LEAST_SURE {
        return None;
    }
    let bounds = track.crop.bounds?;
    let column = |at: usize| ((at.saturating_sub(READ_MARGIN as usize)) as f64 / by) as usize;
    let whole = track.line.place(place.scale);
    let color = fill_color(&track.crop, &far, &track.line, 0..bounds.width()).unwrap_or(FoundColor([255; 3]));
    let words = reading.words.iter().map(|word| {
        let columns = column(word.columns.start)..column(word.columns.end).min(bounds.width());
        let found = fill_color(&track.crop, &far, &track.line, columns.clone()).unwrap_or(color);
        let (left, right) = (bounds.left + columns.start, bounds.left + columns.end.max(columns.start + 1));
        FoundWord {
            text: word.text.clone(),
            region: place.region(Bounds { left, right, ..whole }, 0.0, (u32::MAX, u32::MAX)),
            color: found,
        }
    });
    let words = words.collect();
    let around = surroundings(&track.crop, &far, track.height(place));
    // Few letters are found in anything.
    let is_set = around.stroke.is_some() || (letters == 3 && around.backdrop.is_some());
    let is_common = matches!(reading.script.as_str(), "Latn" | "Hans" | "Hant" | "Jpan" | "Kore");
    if letters < 2 || (letters < 4 && (reading.confidence < SURE_FEW || !is_set || !is_common)) {
        return None;
    }
    Some(ReadLine { track, reading, words, color, around })
}

impl Track {
    /// The height of its letters at full size.
    fn height(&self, place: &Place) -> f64 {
        (self.line.letter_height() * place.scale) as f64
    }
}

impl ReadLine {
    fn frames(&self) -> u64 {
        self.track.last + 1 - self.track.first
    }

    /// Frames in which both are there.
    fn together(&self, other: &Self) -> u64 {
        (self.track.last.min(other.track.last) + 1).saturating_sub(self.track.first.max(other.track.first))
    }

    /// Whether both come and go at the same time, or nearly all of theirs is the same.
    fn comes_with(&self, other: &Self) -> bool {
        let near = |one: u64, other: u64| one.abs_diff(other) <= TOGETHER;
        let apart = self.frames() + other.frames() - 2 * self.together(other);
        (near(self.track.first, other.track.first) && near(self.track.last, other.track.last))
            || apart * 8 <= self.together(other)
    }

    fn bounds(&self) -> Bounds {
        self.track.line.bounds
    }

    /// Adds the words that stand to its right.
    fn go_on(&mut self, next: Self) {
        let length = |line: &Self| line.words.iter().map(|word| word.text.chars().count()).sum::<usize>() as f64;
        let (mine, its) = (length(self), length(&next));
        self.reading.confidence =
            (self.reading.confidence * mine + next.reading.confidence * its) / (mine + its).max(1.0);
        // The script of most is that of all.
        let script = if its > mine { next.reading.script } else { std::mem::take(&mut self.reading.script) };
        let is_leftwards = matches!(script.as_str(), "Arab" | "Hebr");
        self.reading.script = script;
        let at = if is_leftwards { 0 } else { self.words.len() };
        self.words.splice(at..at, next.words);
        self.reading.words.splice(at..at, next.reading.words);
        if its > mine {
            self.color = next.color;
        }
        self.around.stroke = self.around.stroke.or(next.around.stroke);
        self.around.backdrop = self.around.backdrop.or(next.around.backdrop);
        self.track.stands_out |= next.track.stands_out;
        self.track.line.bounds = self.track.line.bounds.union(next.track.line.bounds);
    }

    /// How much is said, and how surely.
    fn weight(&self) -> f64 {
        self.reading.confidence * self.reading.words.iter().map(|word| word.text.chars().count()).sum::<usize>() as f64
    }
}

/// Of lines at the same place and time, the one that says most.
fn without_doubles(lines: Vec<ReadLine>) -> Vec<ReadLine> {
    let is_double = |number: usize, line: &ReadLine| {
        lines.iter().enumerate().any(|(other_number, other)| {
            let (one, two) = (line.bounds(), other.bounds());
            let same = other_number != number
                && one.shared(&two) * 2 >= one.area().min(two.area())
                && line.together(other) * 2 >= line.frames().min(other.frames());
            same && (other.weight(), other_number) > (line.weight(), number)
        })
    };
    let kept: Vec<bool> = lines.iter().enumerate().map(|(number, line)| !is_double(number, line)).collect();
    lines.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line).collect()
}

/// Joins words that stand on one line at the same time and differ in colour.
fn side_by_side(lines: Vec<ReadLine>) -> Vec<ReadLine> {
    let mut lines = lines;
    lines.sort_by_key(|line| line.bounds().left);
    let mut whole: Vec<ReadLine> = Vec::new();
    for line in lines {
        let before = whole.iter_mut().find(|before| {
            let (one, two) = (before.bounds(), line.bounds());
            let (height, other) = (before.track.line.letter_height(), line.track.line.letter_height());
            let at_once = before.comes_with(&line);
            let is_next =
                two.left + height > one.right && (two.left.saturating_sub(one.right)) * 10 <= height.max(other) * 12;
            let is_level = one.shared_rows(&two) * 10 >= one.height().min(two.height()) * 6;
            let alike = height.min(other) * 10 >= height.max(other) * 6;
            at_once && is_next && is_level && alike && before.track.line.polarity == line.track.line.polarity
        });
        match before {
            Some(before) => before.go_on(line),
            None => whole.push(line),
        }
    }
    whole
}

/// Joins what says the same at the same place, at the same time or one after the other: a text whose words change their
/// colour, or that was lost for a while.
fn joined(lines: Vec<ReadLine>) -> Vec<ReadLine> {
    let mut joined: Vec<ReadLine> = Vec::new();
    for line in lines {
        let before = joined.iter_mut().rev().find(|before| {
            let (one, two) = (before.bounds(), line.bounds());
            let is_near = line.track.first <= before.track.last + LOST && before.track.first <= line.track.last + LOST;
            let is_there = one.shared(&two) * 10 >= one.area().max(two.area()) * 6;
            let same = strsim::normalized_levenshtein(&before.reading.text(), &line.reading.text());
            is_near && is_there && same >= ALIKE
        });
        match before {
            Some(before) => {
                let (first, last) = (before.track.first.min(line.track.first), before.track.last.max(line.track.last));
                if line.weight() > before.weight() {
                    *before = line;
                }
                (before.track.first, before.track.last) = (first, last);
            }
            None => joined.push(line),
        }
    }
    joined
}

/// The lines of each text, from the top.
fn grouped(lines: Vec<ReadLine>) -> Vec<Vec<ReadLine>> {
    let mut lines = lines;
    lines.sort_by_key(|line| (line.bounds().top, line.bounds().left));
    let mut groups: Vec<Vec<ReadLine>> = Vec::new();
    let belongs = |above: &ReadLine, line: &ReadLine| {
        let (one, two) = (above.bounds(), line.bounds());
        let (height, other) = (above.track.line.letter_height(), line.track.line.letter_height());
        let at_once = above.comes_with(line);
        let near =
            two.top.saturating_sub(one.bottom) * 10 <= height.max(other) * 14 && two.top * 2 > one.top + one.bottom;
        let over = one.right.min(two.right) > one.left.max(two.left);
        let alike = height.min(other) * 10 >= height.max(other) * 6;
        at_once && near && over && alike && above.track.line.polarity == line.track.line.polarity
    };
    for line in lines {
        let group = groups.iter_mut().find(|group| group.last().is_some_and(|above| belongs(above, &line)));
        match group {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}

/// One text of lines; `moves`: whether anything stands still before a scene that moves.
fn overlay(lines: Vec<ReadLine>, place: &Place, size: (u32, u32), frames: u64, moves: bool) -> FoundOverlay {
    let bounds = lines.iter().map(|line| line.track.line.place(place.scale)).reduce(Bounds::union);
    let bounds = bounds.unwrap_or(Bounds { left: 0, top: 0, right: 1, bottom: 1 });
    let first = lines.iter().map(|line| line.track.first).min().unwrap_or(0);
    let last = lines.iter().map(|line| line.track.last).max().unwrap_or(0);
    let stroke = lines.iter().find_map(|line| line.around.stroke);
    let backdrop = lines.iter().find_map(|line| line.around.backdrop);
    let beyond = stroke
        .map_or(0.0, |stroke| f64::from(stroke.width))
        .max(backdrop.map_or(0.0, |found| f64::from(found.padding)));
    let text = lines.iter().map(|line| line.reading.text()).collect::<Vec<_>>().join("\n");
    let letters: f64 = lines.iter().map(|line| line.reading.text().chars().count() as f64).sum();
    let read = lines.iter().map(ReadLine::weight).sum::<f64>() / letters.max(1.0);
    let height = lines.iter().map(|line| line.track.line.letter_height() * place.scale).max().unwrap_or(1) as f64;
    let region = place.region(bounds, beyond, size);
    let is_always = first == 0 && last + 1 >= frames;
    let stands_out = lines.iter().any(|line| line.track.stands_out);
    let is_set = stroke.is_some() || backdrop.is_some();
    let kind = match () {
        () if is_mark(&text, region, height * place.down, size, is_always && frames > 1) => OverlayKind::Watermark,
        // Where all else moves, what stands still together with what is around it is a thing.
        () if moves && is_always && !stands_out && !is_set => OverlayKind::Scene,
        () => OverlayKind::Caption,
    };
    let evidence = if stands_out || !is_always {
        1.0
    } else if is_set {
        0.9
    } else {
        0.7
    };
    let mut colors: Vec<FoundColor> = lines.iter().map(|line| line.color).collect();
    let color = colors.swap_remove(colors.len() / 2);
    let found = lines.iter().map(|line| FoundLine {
        text: line.reading.text(),
        region: place.region(line.track.line.place(place.scale), 0.0, size),
        words: line.words.clone(),
    });
    FoundOverlay {
        id: String::new(),
        first_frame: first,
        last_frame: last,
        start: 0.0,
        end: 0.0,
        region,
        kind,
        lines: found.collect(),
        script: lines.iter().map(|line| line.reading.script.clone()).next().unwrap_or_default(),
        confidence: (read * evidence).clamp(0.0, 1.0),
        style: FoundStyle {
            // Letters are about 0.7 of the size that a font is set in: between capitals and small letters with stems.
            font_size: (height * place.down / 0.7).round(),
            align: align(&lines, size.0, place).to_owned(),
            color,
            stroke,
            backdrop,
        },
        text,
    }
}

/// Whether a text is the name of a platform or of an account: small, at an edge, all the time.
fn is_mark(text: &str, region: Region, height: f64, (width, whole): (u32, u32), is_always: bool) -> bool {
    let is_name = text.starts_with('@') || text.to_lowercase().contains("tiktok");
    let is_small = height < f64::from(whole) * 0.02;
    let (x, y) = (
        f64::from(region.x + region.width / 2) / f64::from(width),
        f64::from(region.y + region.height / 2) / f64::from(whole),
    );
    let is_aside = !(0.3..=0.7).contains(&x) || !(0.12..=0.88).contains(&y);
    is_always && is_aside && (is_name || is_small) && !text.contains('\n')
}

/// How lines lie to each other: what the most of them share.
fn align(lines: &[ReadLine], width: u32, place: &Place) -> &'static str {
    let spread = |at: &dyn Fn(Bounds) -> usize| {
        let places = lines.iter().map(|line| at(line.bounds()));
        places.clone().max().unwrap_or(0) - places.min().unwrap_or(0)
    };
    let (left, middle, right) = (
        spread(&|bounds| bounds.left * 2),
        spread(&|bounds| bounds.left + bounds.right),
        spread(&|bounds| bounds.right * 2),
    );
    if lines.len() > 1 {
        return if middle <= left && middle <= right {
            "center"
        } else if left <= right {
            "left"
        } else {
            "right"
        };
    }
    let Some(bounds) = lines.first().map(ReadLine::bounds) else { return "center" };
    let center = (bounds.left + bounds.right) as f64 * place.scale as f64 * place.across / 2.0 / f64::from(width);
    if (0.42..=0.58).contains(&center) {
        "center"
    } else if center < 0.5 {
        "left"
    } else {
        "right"
    }
}
