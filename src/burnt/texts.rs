//! From lines that were followed to the texts that they make.

use image::imageops::{FilterType, crop_imm, replace, resize};
use image::{GrayImage, Luma};

use super::beside::{Beside, pictures_beside};
use super::components::Bounds;
use super::lines::Line;
use super::masks::{EDGE, mask_of, moves_of, picture_mask};
use super::moves::Pose;
use super::read::{LinePicture, LineReading, TextReader, WordReading};
use super::style::{Surroundings, fill_color, near, surroundings};
use super::tilt::{is_below, is_level, is_parallel, row_of, turned};
use super::track::Track;
use super::turned::{Page, Turned};
use super::{
    FoundBox, FoundChange, FoundChangeKind, FoundLine, FoundOverlay, FoundStroke, FoundStyle, FoundWord, OverlayKind,
};
use crate::compose::{Mask, SourceRect};
use crate::error::{Error, ErrorKind, Result};
use crate::text::{Align, Rgba};

/// The height of letters that a reader gets, and the margin around them, in pixels.
const READ_HEIGHT: f64 = 36.0;
const READ_MARGIN: u32 = 14;
/// What is read with less confidence than this is no text; and a few letters are more often none, if they are no line of a text
/// that is sure. What comes just before or after one, in its place and style, is one with less.
const LEAST_SURE: f64 = 0.7;
const AKIN_SURE: f64 = 0.4;
const SURE_FEW: f64 = 0.88;
const DOUBTFUL_WORD: f64 = 0.5;
/// Letters of marks are lower than this, in parts of the picture's height.
const SMALL: f64 = 0.011;
/// How much of two texts that are there at once must be the same for them to be one, read twice.
const ALIKE: f64 = 0.75;
/// How much of a letter must be there all the time, in parts of what its line's letters are.
const FADED: f32 = 0.6;
/// The most lines that are read.
const MOST_READ: usize = 300;
/// The most pixels of a line that a reader gets.
const MOST_PIXELS: f64 = 2e6;
/// Frames by which the lines of one text may come and go apart.
const TOGETHER: u64 = 4;
/// How much surer a reading of a level line must be than one of the same letters at an angle, at which they were found: short words are
/// read as well if they are a little askew.
const AT_AN_ANGLE: f64 = 1.1;
/// How much less likely a line is text that stands at an angle: of all angles one fits some things that lie in a row by chance.
const LESS_LIKELY: f64 = 0.8;
/// Frames for which a line may be lost.
pub(super) const LOST: u64 = 15;

/// A line that was read.
pub(super) struct ReadLine {
    pub(super) track: Track,
    reading: LineReading,
    words: Vec<FoundWord>,
    pub(super) around: Surroundings,
    /// The colour of its letters, and how far each pixel of its crop is from them.
    pub(super) color: Rgba,
    pub(super) far: Vec<u8>,
    /// Whether it is upside down where it was found.
    is_over: bool,
    /// Whether it is a text by itself.
    is_sure: bool,
    /// Lines that are a part of it: beside it, or the same at another time.
    pub(super) parts: Vec<ReadLine>,
}

/// The texts that these lines make, by time and place, and whether there were more lines than are read; `alive` is called now
/// and then.
///
/// # Errors
/// What `reader` and `alive` report; `INTERNAL` if it gives another number of readings than it got lines.
pub(super) fn texts(
    tracks: Vec<Track>,
    reader: &dyn TextReader,
    place: &Place,
    size: (u32, u32),
    frames: u64,
    alive: &dyn Fn() -> Result<()>,
) -> Result<(Vec<FoundOverlay>, bool)> {
    // Those first that look the most like text.
    let mut tracks = tracks;
    tracks.iter_mut().for_each(|track| track.went.retain(|(frame, _)| *frame < frames));
    tracks.sort_by(|one, other| promise(&other.line).total_cmp(&promise(&one.line)));
    let mut is_cut = false;
    let mut prepared = Vec::new();
    for track in tracks {
        alive()?;
        is_cut = prepared.len() >= MOST_READ;
        if is_cut {
            break;
        }
        let line = prepare(track, place);
        let over = line.as_ref().filter(|line| line.track.turns_over()).map(Prepared::upside_down);
        prepared.extend(line.into_iter().chain(over));
    }
    let mut read: Vec<ReadLine> = Vec::new();
    let pictures: Vec<LinePicture> = prepared.iter_mut().map(|line| std::mem::take(&mut line.picture)).collect();
    let readings = reader.read(&pictures, alive)?;
    if readings.len() != pictures.len() {
        let message = format!("the reader gave {} readings of {} lines", readings.len(), pictures.len());
        return Err(Error::new(ErrorKind::Internal, message).suggest("have it give one for each line"));
    }
    for (line, reading) in prepared.into_iter().zip(readings) {
        read.extend(understood(line, reading, place, size));
    }
    let (sure, doubtful): (Vec<ReadLine>, Vec<ReadLine>) = read.into_iter().partition(|line| line.is_sure);
    let akin: Vec<ReadLine> =
        doubtful.into_iter().filter(|line| sure.iter().any(|other| line.is_akin(other))).collect();
    let mut read = [sure, akin].into_iter().flatten().collect::<Vec<_>>();
    read.sort_by_key(|line| (line.track.first, line.track.line.bounds.top, line.track.line.bounds.left));
    let read = joined(side_by_side(without_doubles(joined(read))));
    let moves = read.iter().any(|line| line.track.stands_out);
    let mut overlays: Vec<FoundOverlay> =
        grouped(read).into_iter().map(|lines| overlay(lines, place, size, frames, moves)).collect();
    overlays.sort_by_key(|overlay| (overlay.first_frame, overlay.region.y, overlay.region.x));
    Ok((overlays, is_cut))
}

/// From where letters are looked for to the source's pixels.
pub(super) struct Place {
    pub(super) scale: usize,
    pub(super) across: f64,
    pub(super) down: f64,
    /// The size of the pictures that were decoded.
    pub(super) pictures: (u32, u32),
}

impl Place {
    /// A length in pixels of the source.
    fn length(&self, pixels: u32) -> u32 {
        (f64::from(pixels) * self.across).round() as u32
    }

    /// What reaches this far beyond `bounds`, both in pixels of the pictures that were decoded.
    pub(super) fn decoded(&self, bounds: Bounds, beyond: u32) -> SourceRect {
        let side = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (x, y) = (side(bounds.left).saturating_sub(beyond), side(bounds.top).saturating_sub(beyond));
        let (width, height) = self.pictures;
        let (right, bottom) = (side(bounds.right).saturating_add(beyond), side(bounds.bottom).saturating_add(beyond));
        SourceRect { x, y, width: right.min(width).saturating_sub(x), height: bottom.min(height).saturating_sub(y) }
    }

    /// A mask of the pictures that were decoded, on those of the source, which may be larger.
    pub(super) fn whole(&self, mask: Mask, size: (u32, u32)) -> Mask {
        let (width, height) = self.pictures;
        match self.pictures == size {
            true => mask,
            false => mask.placed(SourceRect { x: 0, y: 0, width, height }, size).unwrap_or_default(),
        }
    }

    /// A region that reaches this far beyond `bounds`, which are in pixels of the pictures that were decoded.
    pub(super) fn region(&self, bounds: Bounds, beyond: f64, (width, height): (u32, u32)) -> SourceRect {
        let low = |at: usize, by: f64| ((at as f64 - beyond) * by).round().max(0.0) as u32;
        let high = |at: usize, by: f64, most: u32| (((at as f64 + beyond) * by).round() as u32).min(most);
        let x = low(bounds.left, self.across).min(width.saturating_sub(1));
        let y = low(bounds.top, self.down).min(height.saturating_sub(1));
        let (right, bottom) = (high(bounds.right, self.across, width), high(bounds.bottom, self.down, height));
        SourceRect { x, y, width: right.saturating_sub(x).max(1), height: bottom.saturating_sub(y).max(1) }
    }
}

/// Whether two colours differ by no more than coding makes of one.
fn is_alike(one: Rgba, other: Rgba) -> bool {
    [(one.r, other.r), (one.g, other.g), (one.b, other.b)].iter().all(|(one, other)| one.abs_diff(*other) <= 40)
}

/// A line that is ready to be read.
struct Prepared {
    track: Track,
    far: Vec<u8>,
    picture: LinePicture,
    page: Page,
}

impl Prepared {
    /// The same line the other way up.
    fn upside_down(&self) -> Self {
        let Self { track, far, picture: LinePicture { samples, width, height }, page } = self;
        let samples = samples.iter().rev().copied().collect();
        Self {
            track: track.clone(),
            far: far.clone(),
            picture: LinePicture { samples, width: *width, height: *height },
            page: Page { over: Some(*width), ..page.clone() },
        }
    }
}

/// Makes the picture of a line that a reader gets; `None` if there is none.
fn prepare(mut track: Track, place: &Place) -> Option<Prepared> {
    let mut far = track.crop.distances(&track.line, place.scale);
    let levels = track.crop.levels(&track.line, &far);
    let Track { crop, line, .. } = &mut track;
    let is_there: Vec<bool> =
        line.letters.iter().map(|letter| crop.share(letter, line, place.scale, levels) >= FADED).collect();
    if is_there.contains(&false) && is_there.contains(&true) {
        let mut is_there = is_there.into_iter();
        line.letters.retain(|_| is_there.next() == Some(true));
        line.bounds = line.letters.iter().map(|letter| letter.bounds).reduce(Bounds::union)?;
        far = crop.distances(line, place.scale);
    }
    let letters = track.crop.letters(&track.line, &far);
    let whole = GrayImage::from_raw(letters.width as u32, letters.height as u32, letters.samples)?;
    // Without what is there for pictures beside the line.
    let all = track.crop.bounds?;
    let near = near(&track.crop, track.line.place(place.scale), track.height(place));
    let (left, top) = (near.left.saturating_sub(all.left), near.top.saturating_sub(all.top));
    let picture = crop_imm(&whole, left as u32, top as u32, near.width() as u32, near.height() as u32).to_image();
    let mut turned = Turned::new((picture.width(), picture.height()), track.line.slope);
    let picture = match &mut turned {
        Some(turned) => turned.levelled(&picture),
        None => picture,
    };
    let most = (MOST_PIXELS / (f64::from(picture.width()) * f64::from(picture.height()))).sqrt();
    let by = (READ_HEIGHT / track.height(place).max(1.0)).clamp(0.2, 4.0).min(most);
    let side = |side: u32| ((f64::from(side) * by).round() as u32).clamp(1, 8_000);
    let (width, rows) = (side(picture.width()), side(picture.height()));
    let scaled = resize(&picture, width, rows, FilterType::CatmullRom);
    let mut page = GrayImage::from_pixel(width + 2 * READ_MARGIN, rows + 2 * READ_MARGIN, Luma([255]));
    replace(&mut page, &scaled, READ_MARGIN.into(), READ_MARGIN.into());
    let (width, height) = (page.width() as usize, page.height() as usize);
    let picture = LinePicture { samples: page.into_raw(), width, height };
    let page = Page { turned, left, top, by, margin: READ_MARGIN as usize, over: None };
    Some(Prepared { track, far, picture, page })
}

/// A reading without what is at its ends and is hardly read: pictures, such as emoji, and what is beside the line.
fn without_ends(mut reading: LineReading) -> LineReading {
    let is_doubtful = |word: Option<&WordReading>| {
        word.is_some_and(|word| word.confidence < DOUBTFUL_WORD && word.text.chars().count() < 4)
    };
    while is_doubtful(reading.words.last()) {
        reading.words.pop();
    }
    while is_doubtful(reading.words.first()) {
        reading.words.remove(0);
    }
    reading.weigh();
    reading
}

/// A line with what was read in it; `None` if it is no text.
fn understood(line: Prepared, mut reading: LineReading, place: &Place, size: (u32, u32)) -> Option<ReadLine> {
    let Prepared { track, far, page, .. } = line;
    // Somebody else's reader may give anything.
    for word in &mut reading.words {
        word.confidence = if word.confidence.is_finite() { word.confidence.clamp(0.0, 1.0) } else { 0.0 };
    }
    let reading = without_ends(reading);
    let letters = reading.text().chars().filter(|letter| letter.is_alphanumeric()).count();
    if letters == 0 || reading.confidence < AKIN_SURE {
        return None;
    }
    let bounds = track.crop.bounds?;
    let whole = track.line.place(place.scale);
    let color = fill_color(&track.crop, &far, &track.line, 0..bounds.width()).unwrap_or(Rgba::WHITE);
    let words = reading.words.iter().map(|word| {
        let Bounds { left, top, right, bottom } = page.part(&word.columns, track.crop.size());
        let found = fill_color(&track.crop, &far, &track.line, left..right).unwrap_or(color);
        let row = |row: usize| (bounds.top + row).clamp(whole.top, whole.bottom);
        let part = Bounds { left: bounds.left + left, top: row(top), right: bounds.left + right, bottom: row(bottom) };
        FoundWord { text: word.text.clone(), region: place.region(part, 0.0, size), color: found }
    });
    let words = words.collect();
    let around = surroundings(&track.crop, &far, track.height(place), whole);
    // A box at an angle is no part of rows and columns.
    let around = if page.turned.is_some() { Surroundings { backdrop: None, ..around } } else { around };
    // Few letters are found in anything.
    let is_set = around.stroke.is_some() || (letters == 3 && around.backdrop.is_some());
    let lacks_rim = track.needs_rim && around.stroke.is_none();
    let is_common = matches!(reading.script.as_str(), "Latn" | "Hans" | "Hant" | "Jpan" | "Kore");
    if lacks_rim {
        return None;
    }
    let is_few = letters < 2 || (letters < 4 && (reading.confidence < SURE_FEW || !is_set || !is_common));
    let is_sure = reading.confidence >= LEAST_SURE && !is_few;
    let is_over = page.over.is_some();
    Some(ReadLine { track, reading, words, around, color, far, is_over, is_sure, parts: Vec::new() })
}

impl Track {
    /// The height of its letters at full size.
    pub(super) fn height(&self, place: &Place) -> f64 {
        (self.line.letter_height() * place.scale) as f64
    }
}

impl ReadLine {
    /// Frames in which both are there, and those in which each is, wherever.
    fn shared_frames(&self, other: &Self) -> (u64, u64, u64) {
        let ((first, last), (from, to)) = (self.track.span(), other.track.span());
        ((last.min(to) + 1).saturating_sub(first.max(from)), last + 1 - first, to + 1 - from)
    }

    /// Whether it or a part of it never stands still.
    fn is_passing(&self) -> bool {
        self.all().iter().any(|line| line.track.is_passing)
    }

    /// Whether both come and go at the same time, or nearly all of theirs is the same; of what scrolls, whether it was found so.
    fn comes_with(&self, other: &Self) -> bool {
        let near = |one: u64, other: u64| one.abs_diff(other) <= TOGETHER;
        let is_found = self.track.is_passing && other.track.is_passing && self.track.first == other.track.first;
        let ((first, last), (from, to)) = (self.track.span(), other.track.span());
        let (together, frames, others) = self.shared_frames(other);
        is_found || (near(first, from) && near(last, to)) || (frames + others - 2 * together) * 8 <= together
    }

    fn bounds(&self) -> Bounds {
        self.track.line.bounds
    }

    /// Adds the words that stand to its right.
    fn go_on(&mut self, mut next: Self) {
        let (mine, its) = (self.reading.length(), next.reading.length());
        // The script of most is that of all.
        let script = if its > mine {
            std::mem::take(&mut next.reading.script)
        } else {
            std::mem::take(&mut self.reading.script)
        };
        let is_leftwards = matches!(script.as_str(), "Arab" | "Hebr") != self.is_over;
        self.reading.script = script;
        let at = if is_leftwards { 0 } else { self.words.len() };
        self.words.splice(at..at, next.words.drain(..));
        self.reading.words.splice(at..at, next.reading.words.drain(..));
        self.reading.weigh();
        self.track.line.bounds = self.track.line.bounds.union(next.track.line.bounds);
        self.absorb(next);
    }

    /// Takes over when another line of the same text is there, and what is known of its surroundings.
    fn absorb(&mut self, other: Self) {
        // What never stands still has its ways.
        if !self.track.is_passing && !other.track.is_passing {
            self.track.first = self.track.first.min(other.track.first);
            self.track.last = self.track.last.max(other.track.last);
        }
        self.track.stands_out |= other.track.stands_out;
        self.around.stroke = self.around.stroke.or(other.around.stroke);
        self.around.backdrop = self.around.backdrop.or(other.around.backdrop);
        self.parts.push(other);
    }

    /// Whether both are one text. What follows something else may differ from it in a letter, and mean another day.
    fn says_the_same(&self, other: &Self) -> bool {
        let (one, two) = (self.reading.text(), other.reading.text());
        one == two || (self.shared_frames(other).0 > 0 && strsim::normalized_levenshtein(&one, &two) >= ALIKE)
    }

    /// The pictures beside it, where its letters are `em` pixels by the size of their font.
    fn pictures(&self, em: f64, place: &Place) -> Vec<Beside> {
        let own = pictures_beside(&self.track.crop, self.track.line.place(place.scale), em);
        own.into_iter().chain(self.parts.iter().flat_map(|part| part.pictures(em, place))).collect()
    }

    /// Whether it is set as another is.
    fn has_style_of(&self, other: &Self) -> bool {
        let (height, its) = (self.track.line.letter_height(), other.track.line.letter_height());
        height.min(its) * 10 >= height.max(its) * 7
            && is_alike(self.color, other.color)
            && self.around.stroke.is_some() == other.around.stroke.is_some()
            && self.around.backdrop.is_some() == other.around.backdrop.is_some()
    }

    /// Whether it takes another's turn: in its place, just before or after it, as words that are said one by one do.
    fn takes_turn_with(&self, other: &Self) -> bool {
        let (one, two) = (self.bounds(), other.bounds());
        let middle = |bounds: Bounds| bounds.left + bounds.right;
        let gap = if self.track.first > other.track.last {
            self.track.first - other.track.last
        } else {
            other.track.first.saturating_sub(self.track.last)
        };
        (1..=2 * TOGETHER).contains(&gap)
            && one.shared_rows(&two) * 10 >= one.height().min(two.height()) * 6
            && middle(one).abs_diff(middle(two)) <= one.width().max(two.width())
    }

    /// Whether it is the next line of a text of which `above` is one.
    fn is_next_line(&self, above: &Self) -> bool {
        let (upper, lower) = above.track.at_once(&self.track);
        let (one, two) = (upper.bounds, lower.bounds);
        let (height, other) = (upper.letter_height(), lower.letter_height());
        let is_under = if is_level(upper.slope) && is_level(lower.slope) {
            let gap = two.top.saturating_sub(one.bottom);
            let over = one.right.min(two.right) > one.left.max(two.left);
            over && gap * 10 <= height.max(other) * 14 && two.top * 2 > one.top + one.bottom
        } else {
            is_below(&upper, &lower)
        };
        let alike = height.min(other) * 10 >= height.max(other) * 6;
        above.comes_with(self) && is_under && alike && upper.polarity == lower.polarity
    }

    /// Whether it is text if another is, though it would not be by itself: words that are said one by one, and a line of few
    /// letters above or below others.
    fn is_akin(&self, other: &Self) -> bool {
        let is_beside = || self.is_next_line(other) || other.is_next_line(self);
        self.has_style_of(other)
            && (self.takes_turn_with(other) || (self.reading.confidence >= LEAST_SURE && is_beside()))
    }

    /// The line and its parts.
    fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.parts.iter().flat_map(Self::all)).collect()
    }

    /// How it is in the frames in which it comes and goes.
    pub(super) fn ways(&self) -> impl Iterator<Item = (u64, Pose)> {
        self.track.came.iter().chain(&self.track.went).copied()
    }

    /// The degrees by which it is turned where it was found, in tenths.
    pub(super) fn rotation(&self) -> f64 {
        let degrees = self.track.line.slope.atan().to_degrees();
        let whole = match self.is_over {
            true if degrees > 0.0 => degrees - 180.0,
            true => degrees + 180.0,
            false => degrees,
        };
        (whole * 10.0).round() / 10.0
    }

    /// How much is said, and how surely.
    fn weight(&self) -> f64 {
        self.reading.confidence * self.reading.length() as f64
    }
}

/// How much a line looks like text before it is read. Those that do the most choose the scripts.
fn promise(line: &Line) -> f64 {
    line.likeness * if is_level(line.slope) { 1.0 } else { LESS_LIKELY }
}

/// Of lines at the same place and time, the one that says most.
fn without_doubles(lines: Vec<ReadLine>) -> Vec<ReadLine> {
    let mut lines = lines;
    let weight = |line: &ReadLine| line.weight() * if is_level(line.track.line.slope) { 1.0 } else { AT_AN_ANGLE };
    lines.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    let mut kept: Vec<ReadLine> = Vec::new();
    for line in lines {
        let is_double = kept.iter().any(|other| {
            let (shared, own, its) = line.track.areas(&other.track);
            let (together, frames, others) = line.shared_frames(other);
            shared * 2 >= own.min(its) && together * 2 >= frames.min(others)
        });
        if !is_double {
            kept.push(line);
        }
    }
    kept
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
                two.left + height > one.right && (two.left.saturating_sub(one.right)) * 10 <= height.max(other) * 15;
            let are_level = one.shared_rows(&two) * 10 >= one.height().min(two.height()) * 6
                && is_level(before.track.line.slope)
                && is_level(line.track.line.slope);
            let alike = height.min(other) * 10 >= height.max(other) * 6;
            at_once && is_next && are_level && alike && before.track.line.polarity == line.track.line.polarity
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
    let mut lines = lines;
    lines.sort_by_key(|line| (line.track.first, line.bounds().top, line.bounds().left));
    let mut joined: Vec<ReadLine> = Vec::new();
    for mut line in lines {
        let before = joined.iter_mut().rev().find(|before| {
            let (shared, own, its) = before.track.areas(&line.track);
            let ((first, last), (from, to)) = (before.track.span(), line.track.span());
            let is_near = from <= last + LOST && first <= to + LOST;
            let is_there = shared * 10 >= own.max(its) * 6;
            is_near && is_there && before.says_the_same(&line)
        });
        match before {
            Some(before) => {
                if line.weight() > before.weight() {
                    std::mem::swap(before, &mut line);
                }
                before.absorb(line);
            }
            None => joined.push(line),
        }
    }
    joined
}

/// The lines of each text, from the top.
fn grouped(lines: Vec<ReadLine>) -> Vec<Vec<ReadLine>> {
    // Lines of one text by the rows of the longest one that is at an angle: their own slopes differ by a little.
    let mut slopes: Vec<(usize, f64)> =
        lines.iter().map(|line| (line.track.line.letters.len(), line.track.line.slope)).collect();
    slopes.retain(|(_, slope)| !is_level(*slope));
    slopes.sort_by_key(|(letters, _)| std::cmp::Reverse(*letters));
    let usual =
        |slope: f64| slopes.iter().map(|(_, slope)| *slope).find(|other| is_parallel(*other, slope)).unwrap_or(slope);
    let order = |line: &ReadLine| {
        let slope = usual(line.track.line.slope);
        (slope, row_of(line.bounds(), slope))
    };
    let mut lines = lines;
    lines.sort_by(|one, other| {
        let ((slope, row), (its, next)) = (order(one), order(other));
        let (bounds, others) = (one.bounds(), other.bounds());
        let by_row = match is_level(slope) {
            true => (bounds.top, bounds.left).cmp(&(others.top, others.left)),
            false => row.total_cmp(&next),
        };
        slope.total_cmp(&its).then(by_row)
    });
    let mut groups: Vec<Vec<ReadLine>> = Vec::new();
    for line in lines {
        // Those that never stand still may have been found in another order.
        let goes_on = |group: &Vec<ReadLine>| group.last().is_some_and(|above| line.is_next_line(above));
        let comes_before = |group: &Vec<ReadLine>| {
            line.track.is_passing && group.first().is_some_and(|below| below.is_next_line(&line))
        };
        if let Some(group) = groups.iter().position(goes_on) {
            groups[group].push(line);
        } else if let Some(group) = groups.iter().position(comes_before) {
            groups[group].insert(0, line);
        } else {
            groups.push(vec![line]);
        }
    }
    groups.iter_mut().filter(|lines| lines.iter().all(|line| line.is_over)).for_each(|lines| lines.reverse());
    groups
}

/// One text of lines; `is_moving`: whether anything stands still before a scene that moves.
fn overlay(lines: Vec<ReadLine>, place: &Place, size: (u32, u32), frames: u64, is_moving: bool) -> FoundOverlay {
    let bounds = lines.iter().map(|line| line.track.line.place(place.scale)).reduce(Bounds::union);
    let bounds = bounds.unwrap_or(Bounds { left: 0, top: 0, right: 1, bottom: 1 });
    let (stands, ends) =
        (lines.iter().map(|line| line.track.first).min(), lines.iter().map(|line| line.track.last).max());
    let (stands, ends) = (stands.unwrap_or(0), ends.unwrap_or(0));
    let all: Vec<&ReadLine> = lines.iter().flat_map(ReadLine::all).collect();
    let ways = || all.iter().flat_map(|line| line.ways());
    let first = ways().map(|(frame, _)| frame).fold(stands, u64::min);
    let last = ways().map(|(frame, _)| frame).fold(ends, u64::max);
    let stroke = lines.iter().find_map(|line| line.around.stroke);
    let backdrop = lines.iter().find_map(|line| line.around.backdrop);
    let beyond = stroke.map_or(0, |stroke| stroke.width).max(backdrop.map_or(0, |found| found.padding)).into();
    let text = lines.iter().map(|line| line.reading.text()).collect::<Vec<_>>().join("\n");
    let letters: usize = lines.iter().map(|line| line.reading.length()).sum();
    let read = lines.iter().map(ReadLine::weight).sum::<f64>() / (letters as f64).max(1.0);
    let letter = lines.iter().map(|line| line.track.line.letter_height() * place.scale).max().unwrap_or(1) as f64;
    let masks = lines.iter().map(|line| mask_of(line, backdrop, place));
    let mask = masks.fold(Mask::default(), |mask, line| mask.union(&line));
    // On a box they are covered by its mask.
    let em = letter / letter_share(&text);
    let pictures = match backdrop {
        Some(_) => Vec::new(),
        // What is beside a line at an angle is not in its rows.
        None => lines
            .iter()
            .filter(|line| is_level(line.track.line.slope))
            .flat_map(|line| line.pictures(em, place))
            .collect(),
    };
    let mask = pictures.iter().fold(mask, |mask, picture| mask.union(&picture_mask(picture, place)));
    let bounds = pictures.iter().fold(bounds, |bounds, picture| bounds.union(picture.bounds));
    // A box was measured by its own colour.
    let region = match backdrop {
        Some(_) => place.region(inner(mask.bounds()), 0.0, size),
        None => place.region(bounds, beyond, size),
    };
    let moves = moves_of(&all, (backdrop, em), place, (beyond, size));
    // What never stands still neither comes nor goes.
    let is_passing = lines.iter().any(ReadLine::is_passing);
    let is_always = first == 0 && last + 1 >= frames;
    let stands_out = lines.iter().any(|line| line.track.stands_out);
    let is_set = stroke.is_some() || backdrop.is_some();
    let kind = match () {
        () if is_mark(&text, region, letter * place.down, size, is_always && frames > 1) => OverlayKind::Watermark,
        // Where all else moves, what stands still together with what is around it is a thing.
        () if is_moving && is_always && !stands_out && !is_set => OverlayKind::Scene,
        () => OverlayKind::Caption,
    };
    let evidence = if stands_out || !is_always {
        1.0
    } else if is_set {
        0.9
    } else {
        0.7
    };
    // That of the most letters.
    let mut colors: Vec<(Rgba, usize)> = Vec::new();
    for word in lines.iter().flat_map(|line| &line.words) {
        let count = word.text.chars().count();
        match colors.iter_mut().find(|(color, _)| is_alike(*color, word.color)) {
            Some((_, letters)) => *letters += count,
            None => colors.push((word.color, count)),
        }
    }
    let color = colors.into_iter().max_by_key(|(_, letters)| *letters).map_or(Rgba::WHITE, |(color, _)| color);
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
        moves,
        kind,
        lines: found.collect(),
        script: lines.iter().map(|line| line.reading.script.clone()).next().unwrap_or_default(),
        // In thousandths, as people read it and JSON keeps it.
        confidence: ((read * evidence).clamp(0.0, 1.0) * 1e3).round() / 1e3,
        style: FoundStyle {
            font_size: (em * place.down).round(),
            align: align(&lines, size.0, place),
            rotation: lines.first().map_or(0.0, ReadLine::rotation),
            color,
            stroke: stroke.map(|stroke| FoundStroke { width: place.length(stroke.width), ..stroke }),
            backdrop: backdrop.map(|found| FoundBox { padding: place.length(found.padding), ..found }),
            enter: if is_passing { None } else { change(ways().filter(|(frame, _)| *frame < stands), stands - first) },
            exit: if is_passing { None } else { change(ways().filter(|(frame, _)| *frame > ends), last - ends) },
        },
        mask: place.whole(mask, size),
        scripts: lines.iter().flat_map(ReadLine::all).map(|line| line.reading.script.clone()).collect(),
        text,
    }
}

/// How a text comes or goes that takes so many frames to.
fn change(ways: impl Iterator<Item = (u64, Pose)>, frames: u64) -> Option<FoundChange> {
    let mut kind = FoundChangeKind::Fade;
    for (_, pose) in ways {
        kind = match kind {
            _ if pose.is_sized() => FoundChangeKind::Pop,
            FoundChangeKind::Fade if pose.is_moved() => FoundChangeKind::Slide,
            kind => kind,
        };
    }
    (frames > 0).then_some(FoundChange { kind, frames })
}

/// What of the size that a font is set in the letters of a text are high, by the measure of [`super::lines::Line`]: the third
/// of them that are highest are left out. Of Latin, Greek and Cyrillic fonts that apps use, such as Inter, capitals and letters
/// with stems are 0.73 of it, and small ones without 0.55.
fn letter_share(text: &str) -> f64 {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    let is_tall = |letter: &char| {
        letter.is_uppercase() || letter.is_ascii_digit() || "bdfghjklpqtyßþđγζβδθλξφψбруф".contains(*letter)
    };
    let (tall, all) = letters.fold((0, 0), |(tall, all), letter| (tall + usize::from(is_tall(&letter)), all + 1));
    let has_cases = text.chars().any(|letter| letter.is_lowercase());
    match (has_cases, tall * 3 > all) {
        (true, false) => 0.55,
        (true, true) => 0.73,
        // Capitals alone, or a script without cases.
        (false, _) if text.chars().any(char::is_uppercase) => 0.73,
        (false, _) => 0.8,
    }
}

/// What a box's mask covers without the edge that it has besides.
fn inner(SourceRect { x, y, width, height }: SourceRect) -> Bounds {
    let (left, top, edge) = (x as usize, y as usize, EDGE as usize);
    let end = |start: usize, size: u32| (start + size as usize).saturating_sub(edge).max(start + edge + 1);
    Bounds { left: left + edge, top: top + edge, right: end(left, width), bottom: end(top, height) }
}

/// Whether a text is the name of a platform or of an account: at an edge, of one line, and a name, or small and there all the
/// time.
fn is_mark(text: &str, region: SourceRect, height: f64, (width, whole): (u32, u32), is_always: bool) -> bool {
    let is_name = text.starts_with('@') || text.to_lowercase().contains("tiktok");
    let is_small = height < f64::from(whole) * SMALL && is_always;
    let middle = |at: u32, size: u32, whole: u32| f64::from(at + size / 2) / f64::from(whole);
    let (x, y) = (middle(region.x, region.width, width), middle(region.y, region.height, whole));
    let is_aside = !(0.3..=0.7).contains(&x) || !(0.12..=0.88).contains(&y);
    is_aside && (is_name || is_small) && !text.contains('\n')
}

/// How lines lie to each other; one alone, how it lies in the picture.
fn align(lines: &[ReadLine], width: u32, place: &Place) -> Align {
    // Along the lines.
    let slope = lines.first().map_or(0.0, |line| line.track.line.slope);
    let ends = lines.iter().map(|line| match is_level(slope) {
        true => (line.bounds().left as f64, line.bounds().right as f64),
        false => {
            let [start, _, end, _] = turned(&line.track.line.letters, slope);
            (start, end)
        }
    });
    let ends: Vec<(f64, f64)> = ends.collect();
    let spread = |at: fn(&(f64, f64)) -> f64| {
        let places = || ends.iter().map(at);
        places().fold(f64::MIN, f64::max) - places().fold(f64::MAX, f64::min)
    };
    let left = spread(|ends| ends.0 * 2.0);
    let middle = spread(|ends| ends.0 + ends.1);
    let right = spread(|ends| ends.1 * 2.0);
    let (is_center, is_left) = match lines {
        [only] => {
            let bounds = only.bounds();
            let middle = (bounds.left + bounds.right) as f64 * place.scale as f64 * place.across / 2.0;
            let center = middle / f64::from(width);
            ((0.42..=0.58).contains(&center), center < 0.5)
        }
        _ => (middle <= left && middle <= right, left <= right),
    };
    match (is_center, is_left != lines.iter().all(|line| line.is_over)) {
        (true, _) => Align::Center,
        (_, true) => Align::Left,
        _ => Align::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burnt::components::{Component, Polarity, Run};

    #[test]
    fn lines_at_an_angle_are_read_after_level_ones() {
        let letter = |number: usize| {
            let bounds = Bounds { left: number * 14, top: 10, right: number * 14 + 10, bottom: 30 };
            let runs = (10..30).map(|y| Run { y, start: bounds.left, end: bounds.right }).collect();
            Component { bounds, runs, area: 200, fill: 230, chroma: [128; 2] }
        };
        let line = |likeness: f64, slope: f64| {
            let line = Line::of((0..6).map(letter).collect(), Polarity::Light).expect("has letters");
            Line { likeness, slope, ..line }
        };
        assert!(promise(&line(0.8, 0.2)) < promise(&line(0.7, 0.0)), "chance makes many of these");
        assert!(promise(&line(0.9, -0.2)) > promise(&line(0.6, 0.0)));
    }
}
