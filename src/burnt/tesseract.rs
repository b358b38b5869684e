//! Tesseract as the reader.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tesseract::{PageSegMode, Tesseract};

use super::read::{LinePicture, LineReading, TextReader, WordReading};
use crate::error::{Error, ErrorKind, Result};

/// Tesseract's models for scripts, each with its ISO 15924 code; Latin first, since most texts are.
const MODELS: [(&str, &str); 11] = [
    ("Latin", "Latn"),
    ("Cyrillic", "Cyrl"),
    ("Arabic", "Arab"),
    ("Devanagari", "Deva"),
    ("HanS", "Hans"),
    ("HanT", "Hant"),
    ("Japanese", "Jpan"),
    ("Hangul", "Kore"),
    ("Thai", "Thai"),
    ("Hebrew", "Hebr"),
    ("Greek", "Grek"),
];
/// How many lines that the first model does not know are read with all, to find out which scripts they are in.
const PROBED: usize = 6;
/// Of a line that the first model is so sure of, the others are not asked.
const SURE: f64 = 0.85;
/// A line that the best model is less sure of is read with the second best as well.
const DOUBTFUL: f64 = 0.7;

/// Reads with Tesseract's models for scripts, as far as they are installed (on Debian `tesseract-ocr-script-latn` and so
/// on). One source is read at a time.
pub struct TesseractReader {
    /// The models that were loaded; `None` for one that is not installed.
    models: Mutex<Models>,
    /// The models that may be used, by their places in [`MODELS`].
    wanted: Vec<usize>,
}

type Models = BTreeMap<&'static str, Option<Tesseract>>;

impl TesseractReader {
    /// A reader of these scripts, by their ISO 15924 codes; of all that are installed if there are none.
    ///
    /// # Errors
    /// `VALIDATION` for a script that it has no model for; `NOT_FOUND` if no model is installed.
    pub fn new(scripts: &[String]) -> Result<Self> {
        let known = MODELS.map(|(_, script)| script);
        if let Some(unknown) = scripts.iter().find(|script| !known.contains(&script.as_str())) {
            let message = format!("there is no reader of the script `{}`", crate::request::shorten(unknown));
            return Err(Error::new(ErrorKind::Validation, message).suggest(crate::request::nearest(unknown, &known)));
        }
        let is_wanted = |place: &usize| scripts.is_empty() || scripts.iter().any(|script| script == MODELS[*place].1);
        let wanted: Vec<usize> = (0..MODELS.len()).filter(is_wanted).collect();
        let mut models = Models::new();
        if !wanted.iter().any(|&place| opened(&mut models, MODELS[place].0).is_some()) {
            return Err(Error::new(ErrorKind::NotFound, "none of Tesseract's models for scripts is installed")
                .suggest("install tesseract-ocr-script-latn and those of the other scripts, or set TESSDATA_PREFIX"));
        }
        Ok(Self { models: Mutex::new(models), wanted })
    }
}

impl std::fmt::Debug for TesseractReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TesseractReader").finish_non_exhaustive()
    }
}

/// The model of this name, if it is installed.
fn opened<'a>(
    models: &'a mut BTreeMap<&'static str, Option<Tesseract>>,
    name: &'static str,
) -> Option<&'a mut Option<Tesseract>> {
    let open = || {
        let model = Tesseract::new(None, Some(name)).ok()?;
        let mut model =
            model.set_variable("debug_file", "/dev/null").ok()?.set_variable("tessedit_do_invert", "0").ok()?;
        model.set_page_seg_mode(PageSegMode::PsmSingleLine);
        Some(model)
    };
    let model = models.entry(name).or_insert_with(open);
    model.is_some().then_some(model)
}

impl TextReader for TesseractReader {
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        // All of them with the first model; with the others those alone that it does not know, to begin with.
        let first = self.wanted.first().copied().unwrap_or_default();
        let usual: Vec<LineReading> =
            lines.iter().map(|line| alive().map(|()| read_with(&mut models, first, line))).collect::<Result<_>>()?;
        let unsure = |reading: &&usize| usual[**reading].confidence < SURE;
        let all: Vec<usize> = (0..lines.len()).collect();
        let probed: Vec<usize> = all.iter().filter(unsure).copied().take(PROBED).collect();
        let mut readings = vec![usual];
        for &place in self.wanted.iter().skip(1).filter(|_| !probed.is_empty()) {
            let mut found = vec![LineReading::default(); lines.len()];
            for &number in &probed {
                alive()?;
                found[number] = read_with(&mut models, place, &lines[number]);
            }
            readings.push(found);
        }
        let votes = readings.iter().zip(&self.wanted).map(|(readings, &place)| {
            // All models know Latin letters; those of another script say nothing by them.
            let is_own = |reading: &&LineReading| {
                let letters =
                    reading.words.iter().flat_map(|word| word.text.chars()).filter(|letter| letter.is_alphabetic());
                let (own, all) =
                    letters.fold((0, 0), |(own, all), letter| (own + u32::from(!letter.is_ascii()), all + 1));
                place == 0 || own * 2 >= all
            };
            let sure = readings.iter().filter(|reading| reading.confidence >= 0.6).filter(is_own);
            // Most texts are Latin, and letters of others look like its own.
            let usual = if place == 0 { 1.25 } else { 1.0 };
            (usual * sure.map(|reading| reading.confidence.powi(2) * length(reading)).sum::<f64>(), place)
        });
        let mut votes: Vec<(f64, usize)> = votes.collect();
        votes.sort_by(|one, other| other.0.total_cmp(&one.0));
        let best: Vec<usize> = votes.iter().filter(|(vote, _)| *vote > 0.0).map(|(_, place)| *place).take(2).collect();
        let read = |number: usize, line: &LinePicture, models: &mut Models| {
            let mut found = LineReading::default();
            for place in &best {
                let known = self.wanted.iter().position(|wanted| wanted == place).and_then(|row| readings.get(row));
                let known = known.and_then(|row| row.get(number)).filter(|known| !known.words.is_empty());
                let reading = match known {
                    Some(known) => known.clone(),
                    None if *place == first => LineReading::default(),
                    None => read_with(models, *place, line),
                };
                // The second one must be better by far.
                if found.words.is_empty() || reading.confidence > found.confidence + 0.1 {
                    found = reading;
                }
                if found.confidence >= DOUBTFUL {
                    break;
                }
            }
            found
        };
        let read = |(number, line)| alive().map(|()| read(number, line, &mut models));
        lines.iter().enumerate().map(read).collect()
    }
}

fn length(reading: &LineReading) -> f64 {
    reading.words.iter().map(|word| word.text.chars().count()).sum::<usize>() as f64
}

/// What the model at this place of [`MODELS`] reads; nothing if it is not installed or cannot.
fn read_with(models: &mut Models, place: usize, line: &LinePicture) -> LineReading {
    let (name, script) = MODELS[place];
    let Some(model) = opened(models, name) else { return LineReading::default() };
    let Some((back, reading)) = model.take().and_then(|model| recognised(model, line)) else {
        return LineReading::default();
    };
    *model = Some(back);
    LineReading { script: script.to_owned(), ..reading }
}

fn recognised(model: Tesseract, line: &LinePicture) -> Option<(Tesseract, LineReading)> {
    let (width, height) = (i32::try_from(line.width).ok()?, i32::try_from(line.height).ok()?);
    let model = model.set_frame(&line.samples, width, height, 1, width).ok()?;
    let mut model = model.set_source_resolution(300).recognize().ok()?;
    let table = model.get_tsv_text(0).ok()?;
    let words: Vec<WordReading> = table.lines().filter_map(word_of).collect();
    let mut reading = LineReading { words, ..LineReading::default() };
    let sure = reading.words.iter().map(|word| word.confidence * word.text.chars().count() as f64);
    reading.confidence = sure.sum::<f64>() / length(&reading).max(1.0);
    Some((model, reading))
}

/// A word of Tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
fn word_of(row: &str) -> Option<WordReading> {
    let cells: Vec<&str> = row.split('\t').collect();
    let [level, _, _, _, _, _, left, _, width, _, confidence, text] = cells[..] else { return None };
    let (left, width): (usize, usize) = (left.parse().ok()?, width.parse().ok()?);
    let confidence = confidence.parse::<f64>().ok()? / 100.0;
    (level == "5" && !text.trim().is_empty()).then(|| WordReading {
        text: text.trim().to_owned(),
        columns: left..left + width,
        confidence: confidence.clamp(0.0, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_are_words() {
        let row = "5\t1\t1\t1\t1\t2\t120\t10\t80\t40\t96.5\thello";
        let word = word_of(row).expect("is a word");
        assert_eq!((word.text.as_str(), word.columns, word.confidence), ("hello", 120..200, 0.965));
        for other in ["", "4\t1\t1\t1\t1\t0\t0\t0\t80\t40\t-1\t", "5\t1\t1\t1\t1\t2\t1\t1\t8\t4\t95\t ", "level\tpage"]
        {
            assert_eq!(word_of(other), None, "{other:?}");
        }
    }

    #[test]
    fn unknown_scripts_are_refused_with_the_nearest() {
        let error = TesseractReader::new(&["Latin".to_owned()]).expect_err("is refused");
        assert_eq!(error.code(), "VALIDATION");
        assert!(error.suggestion().is_some_and(|text| text.contains("Latn")), "{error}");
    }
}
