//! Tesseract as the reader.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use tesseract_plumbing::TessBaseApi;

use super::read::{LinePicture, LineReading, TextReader, WordReading};
use crate::error::{Error, ErrorKind, Result};
use crate::ffmpeg::on_one_thread;

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
/// How often a job looks whether it is its turn.
const WAIT: Duration = Duration::from_millis(20);
/// How many lines that the first model does not know are read with all, to find out which scripts they are in.
const PROBED: usize = 6;
/// Of a line that the first model is so sure of, the others are not asked.
const SURE: f64 = 0.85;
/// A line that the best model is less sure of is read with the second best as well.
const DOUBTFUL: f64 = 0.7;

/// Reads with Tesseract's models for scripts, as far as they are installed (on Debian `tesseract-ocr-script-latn` and so
/// on). One source is read at a time, and others wait.
pub struct TesseractReader {
    /// The models that were loaded; `None` for one that is not installed.
    models: Mutex<Models>,
    /// The models that may be used, by their places in [`MODELS`].
    wanted: Vec<usize>,
}

type Models = BTreeMap<usize, Option<TessBaseApi>>;

impl TesseractReader {
    /// A reader of these scripts, by their ISO 15924 codes; of all that are installed if there are none.
    ///
    /// # Errors
    /// `VALIDATION` for a script that it has no model for; `INTERNAL` if no model is installed.
    pub fn new(scripts: &[String]) -> Result<Self> {
        let known = MODELS.map(|(_, script)| script);
        if let Some(unknown) = scripts.iter().find(|script| !known.contains(&script.as_str())) {
            let message = format!("there is no reader of the script `{}`", crate::request::shorten(unknown));
            return Err(Error::new(ErrorKind::Validation, message).suggest(crate::request::nearest(unknown, &known)));
        }
        let is_wanted = |place: &usize| scripts.is_empty() || scripts.iter().any(|script| script == MODELS[*place].1);
        let wanted: Vec<usize> = (0..MODELS.len()).filter(is_wanted).collect();
        let mut models = Models::new();
        if !wanted.iter().any(|&place| opened(&mut models, place).is_some()) {
            return Err(Error::new(ErrorKind::Internal, "none of Tesseract's models for scripts is installed")
                .suggest("install tesseract-ocr-script-latn and those of the other scripts, or set TESSDATA_PREFIX"));
        }
        Ok(Self { models: Mutex::new(models), wanted })
    }

    /// Its models, when it is this job's turn.
    fn models(&self, alive: &dyn Fn() -> Result<()>) -> Result<MutexGuard<'_, Models>> {
        loop {
            match self.models.try_lock() {
                Ok(models) => return Ok(models),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                // Another job reads, for as long as it takes: this one is neither stalled nor beyond cancelling.
                Err(TryLockError::WouldBlock) => {
                    alive()?;
                    std::thread::sleep(WAIT);
                }
            }
        }
    }
}

impl std::fmt::Debug for TesseractReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TesseractReader").finish_non_exhaustive()
    }
}

/// The model at this place of [`MODELS`], if it is installed.
fn opened(models: &mut Models, place: usize) -> Option<&mut TessBaseApi> {
    models.entry(place).or_insert_with(|| open(MODELS[place].0)).as_mut()
}

fn open(name: &str) -> Option<TessBaseApi> {
    let mut model = TessBaseApi::create();
    // Before it is opened: what it says of a model that is missing goes to the standard error output else.
    set(&mut model, "debug_file", "/dev/null")?;
    model.init_2(None, Some(&CString::new(name).ok()?)).ok()?;
    // What follows would be forgotten when it is opened. One line, and nothing else.
    set(&mut model, "tessedit_pageseg_mode", "7")?;
    // Light letters on dark are not looked for: they are dark by then.
    set(&mut model, "tessedit_do_invert", "0")?;
    Some(model)
}

fn set(model: &mut TessBaseApi, name: &str, value: &str) -> Option<()> {
    model.set_variable(&CString::new(name).ok()?, &CString::new(value).ok()?).ok()
}

impl TextReader for TesseractReader {
    fn read(&self, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
        let mut models = self.models(alive)?;
        let mut ask = |place: usize, line: &LinePicture| alive().map(|()| read_with(&mut models, place, line));
        // What each model read of each line, as far as it was asked.
        let mut known: BTreeMap<usize, Vec<Option<LineReading>>> = BTreeMap::new();
        let mut probed: Vec<bool> = vec![true; lines.len()];
        for (number, &place) in self.wanted.iter().enumerate() {
            let asked = lines.iter().zip(&probed).map(|(line, asked)| asked.then(|| ask(place, line)).transpose());
            let readings = known.entry(place).or_insert(asked.collect::<Result<_>>()?);
            if number == 0 {
                // The others are asked for those alone that the first one does not know, and for a few of them.
                let mut left = PROBED;
                for (asked, reading) in probed.iter_mut().zip(readings) {
                    *asked = left > 0 && reading.as_ref().is_some_and(|reading| reading.confidence < SURE);
                    left -= usize::from(*asked);
                }
            }
        }
        // The one that was asked for every line.
        let first = self.wanted.first().copied();
        let votes = votes(&known, &probed, first);
        let best: Vec<usize> = votes.iter().filter(|(vote, _)| *vote > 0.0).map(|(_, place)| *place).take(2).collect();
        let mut read = |(number, line): (usize, &LinePicture)| {
            let mut found = LineReading::default();
            for &place in &best {
                let reading = match known.get(&place).and_then(|readings| readings.get(number)?.clone()) {
                    Some(reading) => reading,
                    None => ask(place, line)?,
                };
                let reading = judged(reading, first.and_then(|first| known.get(&first)?.get(number)?.as_ref()));
                // The second one must be better by far.
                if found.words.is_empty() || reading.confidence > found.confidence + 0.1 {
                    found = reading;
                }
                if found.confidence >= DOUBTFUL {
                    break;
                }
            }
            Ok(found)
        };
        lines.iter().enumerate().map(&mut read).collect()
    }

    fn read_in(&self, script: &str, lines: &[LinePicture], alive: &dyn Fn() -> Result<()>) -> Result<Vec<LineReading>> {
        let wanted = self.wanted.iter().copied().find(|&place| MODELS[place].1 == script);
        if let Some(place) = wanted {
            let mut models = self.models(alive)?;
            if opened(&mut models, place).is_some() {
                return lines.iter().map(|line| alive().map(|()| read_with(&mut models, place, line))).collect();
            }
        }
        self.read(lines, alive)
    }
}

/// How much speaks for each model, by its place in [`MODELS`], the most first: each line that all were asked for is a vote for the
/// one that read it best, and each that `first` alone was asked for is a vote for it where it is sure.
fn votes(
    known: &BTreeMap<usize, Vec<Option<LineReading>>>,
    probed: &[bool],
    first: Option<usize>,
) -> Vec<(f64, usize)> {
    let mut votes: BTreeMap<usize, f64> = BTreeMap::new();
    for (line, &is_probed) in probed.iter().enumerate() {
        let readings = known.iter().filter_map(|(&place, readings)| Some((place, readings.get(line)?.as_ref()?)));
        let weighed = readings.map(|(place, reading)| (weight(reading, Some(place) == first), place));
        let best = weighed.max_by(|one, other| one.0.total_cmp(&other.0));
        let is_sure = |place: usize| {
            let reading = known.get(&place).and_then(|readings| readings.get(line)?.as_ref());
            reading.is_some_and(|reading| reading.confidence >= SURE)
        };
        if let Some((weight, place)) = best.filter(|&(_, place)| is_probed || is_sure(place)) {
            *votes.entry(place).or_default() += weight;
        }
    }
    let mut votes: Vec<(f64, usize)> = votes.into_iter().map(|(place, vote)| (vote, place)).collect();
    votes.sort_by(|one, other| other.0.total_cmp(&one.0));
    votes
}

/// A reading, or that of the `usual` model where it is of letters that all models know: of what is no text, some model is often
/// sure.
fn judged(reading: LineReading, usual: Option<&LineReading>) -> LineReading {
    match usual.filter(|_| own_share(&reading) < 0.5) {
        Some(usual) => usual.clone(),
        None => reading,
    }
}

/// The share of a reading's letters that are not those of English, 1 without letters.
fn own_share(reading: &LineReading) -> f64 {
    let letters = reading.words.iter().flat_map(|word| word.text.chars()).filter(|letter| letter.is_alphabetic());
    let (own, all) = letters.fold((0.0, 0.0), |(own, all), letter| (own + f64::from(!letter.is_ascii()), all + 1.0));
    if all > 0.0 { own / all } else { 1.0 }
}

/// How much a reading speaks for its model; `usual`: the first one.
fn weight(reading: &LineReading, usual: bool) -> f64 {
    // All models know Latin letters; those of another script say nothing by them.
    if reading.confidence < 0.6 || !(usual || own_share(reading) >= 0.5) {
        return 0.0;
    }
    // Most texts are Latin, and letters of others look like its own.
    let by = if usual { 1.25 } else { 1.0 };
    by * reading.confidence.powi(2) * reading.length() as f64
}

/// What the model at this place of [`MODELS`] reads; nothing if it is not installed or cannot.
fn read_with(models: &mut Models, place: usize, line: &LinePicture) -> LineReading {
    let read = |model: &mut TessBaseApi| {
        let (width, height) = (i32::try_from(line.width).ok()?, i32::try_from(line.height).ok()?);
        model.set_image(&line.samples, width, height, 1, width).ok()?;
        model.set_source_resolution(300);
        model.recognize().ok()?;
        let table = model.get_tsv_text(0).ok()?;
        Some(table.as_ref().to_string_lossy().lines().filter_map(word_of).collect::<Vec<_>>())
    };
    let words = opened(models, place).and_then(|model| on_one_thread(|| read(model)));
    let Some(words) = words else { return LineReading::default() };
    let mut reading = LineReading { words, script: MODELS[place].1.to_owned(), confidence: 0.0 };
    reading.weigh();
    reading
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
    fn each_line_votes_for_the_model_that_reads_it_best() {
        let reading = |text: &str, confidence: f64| {
            let word = WordReading { text: text.to_owned(), columns: 0..100, confidence };
            Some(LineReading { words: vec![word], script: String::new(), confidence })
        };
        // Latin, which was asked for all, is unsure of a Chinese line and of two that are no text.
        let latin = vec![reading("SREE", 0.76), reading("KEZ", 0.72), reading("Wf", 0.8)];
        let chinese = vec![reading("今天也要", 0.96), reading("K", 0.3), None];
        let known = BTreeMap::from([(0, latin), (4, chinese)]);
        assert_eq!(votes(&known, &[true, true, false], Some(0))[0].1, 4);
        // Of lines that the first one alone was asked for, those that it is sure of are votes for it.
        let latin = vec![reading("SREE", 0.76), reading("Good morning", 0.96)];
        let known = BTreeMap::from([(0, latin), (4, vec![reading("今天也要", 0.96), None])]);
        let order: Vec<usize> = votes(&known, &[true, false], Some(0)).into_iter().map(|vote| vote.1).collect();
        assert_eq!(order, [0, 4]);
        // Letters of every alphabet are Latin to all models.
        let known = BTreeMap::from([(0, vec![reading("hello", 0.7)]), (4, vec![reading("hello", 0.9)])]);
        assert_eq!(votes(&known, &[true], Some(0))[0].1, 0);
    }

    #[test]
    fn of_latin_letters_the_first_model_is_the_judge() {
        let reading = |text: &str, script: &str, confidence: f64| {
            let word = WordReading { text: text.to_owned(), columns: 0..100, confidence };
            LineReading { words: vec![word], script: script.to_owned(), confidence }
        };
        let usual = reading("Oy mn", "Latn", 0.4);
        assert_eq!(judged(reading("Qy mm", "Kore", 0.72), Some(&usual)), usual);
        for own in [reading("오늘 OK", "Kore", 0.9), reading("10:30", "Kore", 0.9)] {
            assert_eq!(judged(own.clone(), Some(&usual)), own);
        }
        // It was not asked for.
        let other = reading("hello", "Cyrl", 0.9);
        assert_eq!(judged(other.clone(), None), other);
    }

    #[test]
    fn dark_letters_are_read_and_light_ones_are_not() {
        let book = crate::text::FontBook::installed().expect("the font packages are installed");
        let area = crate::text::Area { x: 20, y: 20, width: 680, height: 80 };
        let layout = crate::text::lay_out(&book, &crate::text::TextBlock::new("Good morning everyone", area));
        let sprite = crate::text::rasterise(&book, &layout.expect("is set")).expect("is drawn").expect("has ink");
        let (width, height) = (sprite.width as usize, sprite.height as usize);
        let light: Vec<u8> = sprite.pixels.chunks_exact(4).map(|pixel| pixel[0]).collect();
        let dark = light.iter().map(|value| 255 - value).collect();
        let lines = [dark, light].map(|samples| LinePicture { samples, width, height });
        let reader = TesseractReader::new(&["Latn".to_owned()]).expect("is installed");
        let readings = reader.read(&lines, &|| Ok(())).expect("are read");
        assert_eq!(readings[0].text(), "Good morning everyone");
        // They are no letters: a second look at what no model knows would double the time of reading.
        assert_ne!(readings[1].text(), "Good morning everyone");
        // Where it is known what script it would be, the others are not asked, however little that one makes of it.
        let reader = TesseractReader::new(&["Latn".to_owned(), "Grek".to_owned()]).expect("are installed");
        for script in ["Latn", "Grek"] {
            let readings = reader.read_in(script, &lines, &|| Ok(())).expect("are read");
            assert!(readings.iter().all(|reading| reading.script == script), "{readings:?}");
            assert_eq!(readings[0].text() == "Good morning everyone", script == "Latn", "{readings:?}");
        }
        let other = reader.read_in("Thai", &lines, &|| Ok(())).expect("are read");
        assert_eq!(other[0].text(), "Good morning everyone", "it has no model for that");
    }

    #[test]
    fn unknown_scripts_are_refused_with_the_nearest() {
        let error = TesseractReader::new(&["Latin".to_owned()]).expect_err("is refused");
        assert_eq!(error.code(), "VALIDATION");
        assert!(error.suggestion().is_some_and(|text| text.contains("Latn")), "{error}");
    }
}
