//! A contact sheet: the slides of a result, or frames of a video at even times, with their times.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Control;
use super::assemble::{VIDEO, slide_name};
use super::engine::Shared;
use crate::compose::{Focus, Page, Place, SourceRect, cover};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{Probed, VideoKind, still};
use crate::text::{Area, FontSize, MissingPolicy, Rgba, TextBlock, TextStyle, lay_out, rasterise};
use crate::units::{CanvasSize, SourceSize, TICKS_PER_SECOND, TimeSpan};

/// A picture: sRGB, 8 bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbPicture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// RGB, rows without padding.
    pub rgb: Vec<u8>,
}

/// The frames of a video that a sheet may show.
pub const SHEET_FRAMES: std::ops::RangeInclusive<usize> = 1..=100;

const COLUMNS: u32 = 5;
/// A picture is fitted into this square, in pixels.
const CELL: u32 = 320;
const GAP: u32 = 16;
const LABEL: u32 = 40;
const GROUND: [u8; 3] = [24, 24, 27];

/// One picture of a sheet.
struct Cell {
    file: PathBuf,
    probed: Arc<Probed>,
    at: TimeSpan,
    label: String,
}

pub(super) fn sheet(shared: &Shared, result: &Path, frames: usize, control: &Control) -> Result<RgbPicture> {
    if !SHEET_FRAMES.contains(&frames) {
        let message = format!("a sheet of {frames} frames was asked for; it must be 1 to {}", SHEET_FRAMES.end());
        return Err(Error::new(ErrorKind::Validation, message));
    }
    let cells = cells(shared, result, frames, control)?;
    let size = |cell: &Cell| cell.probed.info.video.as_ref().map(|video| video.size);
    let first = cells.first().and_then(size).ok_or_else(nothing_to_show)?;
    let shape = fitted(first);
    let columns = COLUMNS.min(u32::try_from(cells.len()).unwrap_or(COLUMNS)).max(1);
    let rows = u32::try_from(cells.len()).unwrap_or(1).div_ceil(columns);
    let (across, down) = (shape.width() + GAP, shape.height() + LABEL + GAP);
    let mut page = Page::new(columns * across + GAP, rows * down + GAP);
    let (width, height) = (columns * across + GAP, rows * down + GAP);
    page.gradient(GROUND, GROUND);
    for (number, cell) in (0u32..).zip(&cells) {
        let (left, top) = (GAP + number % columns * across, GAP + number / columns * down);
        let Some(size) = size(cell) else { continue };
        let own = fitted(size);
        let video = cell.probed.video.as_ref().ok_or_else(nothing_to_show)?;
        let rect = SourceRect { x: 0, y: 0, width: size.width(), height: size.height() };
        let interrupt = control.interrupt();
        let _working = interrupt.pulse().enter(&cell.file, None);
        let pixels = still(&cell.file, video, cell.at, rect, own, &shared.limits, &interrupt)
            .map_err(|error| error.for_asset(cell.file.display().to_string()))?;
        let place = Place { x: left as i32, y: top as i32, width: own.width(), height: own.height() };
        page.draw(place, pixels.as_chunks::<4>().0, 0);
        label(shared, &cell.label, (left, top + shape.height()), shape.width(), &mut page)?;
    }
    Ok(RgbPicture { width, height, rgb: page.bytes().to_vec() })
}

/// The picture of `file` at time `at`, upright, covering `canvas`.
pub(super) fn picture(
    shared: &Shared,
    file: &Path,
    at: TimeSpan,
    canvas: CanvasSize,
    control: &Control,
) -> Result<RgbPicture> {
    let probed = shared.probe(file, control)?;
    if let Some(fault) = &probed.info.unusable_video {
        return Err(Error::new(fault.kind, &fault.reason));
    }
    let (info, video) = probed.info.video.as_ref().zip(probed.video.as_ref()).ok_or_else(nothing_to_show)?;
    let rect = cover(info.size, canvas, Focus::default());
    let interrupt = control.interrupt();
    let _working = interrupt.pulse().enter(file, None);
    let pixels = still(file, video, at, rect, canvas, &shared.limits, &interrupt)?;
    let mut page = Page::new(canvas.width(), canvas.height());
    page.gradient([0; 3], [0; 3]);
    let place = Place { x: 0, y: 0, width: canvas.width(), height: canvas.height() };
    page.draw(place, pixels.as_chunks::<4>().0, 0);
    Ok(RgbPicture { width: canvas.width(), height: canvas.height(), rgb: page.bytes().to_vec() })
}

fn nothing_to_show() -> Error {
    Error::new(ErrorKind::SourceEmpty, "there is no picture to show")
        .suggest("give a video, a picture or a result's folder")
}

/// What a sheet of `result` shows.
fn cells(shared: &Shared, result: &Path, frames: usize, control: &Control) -> Result<Vec<Cell>> {
    let probe = |file: &Path| shared.probe(file, control).map_err(|error| error.for_asset(file.display().to_string()));
    if !result.is_dir() {
        return of_video(result.to_owned(), probe(result)?, frames);
    }
    let slides: Vec<PathBuf> =
        (0..).map(|number| result.join(slide_name(number))).take_while(|file| file.exists()).collect();
    if !slides.is_empty() {
        let cell = |(number, file): (usize, PathBuf)| {
            let probed = probe(&file)?;
            Ok(Cell { file, probed, at: TimeSpan::ZERO, label: format!("{}", number + 1) })
        };
        return slides.into_iter().enumerate().map(cell).collect();
    }
    let video = result.join(VIDEO);
    if fs::metadata(&video).is_err() {
        let message = format!("{} has neither slides nor a video", result.display());
        return Err(Error::new(ErrorKind::NotFound, message).suggest("give the folder that a render made"));
    }
    let probed = probe(&video)?;
    of_video(video, probed, frames)
}

/// Frames of a video in the middles of equal parts; a still alone.
fn of_video(file: PathBuf, probed: Arc<Probed>, frames: usize) -> Result<Vec<Cell>> {
    let video = probed.info.video.as_ref().ok_or_else(nothing_to_show)?;
    if video.kind != VideoKind::Clip {
        return Ok(vec![Cell { file, probed, at: TimeSpan::ZERO, label: String::new() }]);
    }
    let ticks = video.duration.ticks();
    let at = |number: usize| {
        let ticks = u128::from(ticks) * (2 * number as u128 + 1) / (2 * frames as u128);
        TimeSpan::from_ticks(u64::try_from(ticks).unwrap_or(u64::MAX))
    };
    let cell = |number: usize| {
        let time = at(number);
        Cell { file: file.clone(), probed: Arc::clone(&probed), at: time, label: timecode(time) }
    };
    Ok((0..frames).map(cell).collect())
}

/// Minutes, seconds and hundredths.
fn timecode(time: TimeSpan) -> String {
    let hundredths = u128::from(time.ticks()) * 100 / u128::from(TICKS_PER_SECOND.unsigned_abs());
    format!("{}:{:02}.{:02}", hundredths / 6_000, hundredths / 100 % 60, hundredths % 100)
}

/// The largest even size of this shape in a cell.
fn fitted(size: SourceSize) -> CanvasSize {
    let scale = f64::from(CELL) / f64::from(size.width().max(size.height()));
    let even = |value: u32| (((f64::from(value) * scale / 2.0).round() * 2.0) as u32).clamp(2, CELL);
    CanvasSize::new(even(size.width()), even(size.height())).unwrap_or(CanvasSize::VERTICAL_HD)
}

fn label(shared: &Shared, text: &str, (x, y): (u32, u32), width: u32, page: &mut Page) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let area = Area { x: x as i32, y: y as i32, width, height: LABEL };
    let block = TextBlock {
        style: TextStyle {
            weight: 500,
            font_size: FontSize { min: 10.0, max: 22.0 },
            fill: Rgba { r: 228, g: 228, b: 231, a: 255 },
            stroke: None,
            ..TextStyle::default()
        },
        // A name with letters that no font has is no reason to show nothing.
        missing: MissingPolicy::Drop,
        ..TextBlock::new(text, area)
    };
    if let Some(sprite) = rasterise(&shared.fonts, &lay_out(&shared.fonts, &block)?)? {
        let place = Place { x: sprite.x, y: sprite.y, width: sprite.width, height: sprite.height };
        page.draw(place, sprite.pixels.as_chunks::<4>().0, 0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timecodes_are_rounded_down() {
        let code = |seconds: f64| timecode(TimeSpan::from_secs_f64(seconds).expect("in range"));
        assert_eq!(
            [code(0.0), code(3.999), code(9.2), code(61.5), code(600.0)],
            ["0:00.00", "0:03.99", "0:09.20", "1:01.50", "10:00.00"]
        );
    }
}
