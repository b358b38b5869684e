//! Clips whose every picture carries its own number, and what a video at 30 fps must show of them.
//!
//! A number is sixteen black or white blocks, four by four over the whole picture: twelve bits and a check of four, so
//! that lossy coding and scaling to cover leave it readable, and black, white, blended and torn pictures have none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Project, clip, engine, ffmpeg, ffprobe};

/// Numbers count up to here.
const NUMBERS: u16 = 4096;

fn check(number: u16) -> u16 {
    ((number & 15) + 3 * (number >> 4 & 15) + 7 * (number >> 8) + 5) & 15
}

/// The blocks of a number, row by row.
fn blocks(number: u16) -> [u8; 16] {
    let word = number | check(number) << 12;
    std::array::from_fn(|bit| if word >> bit & 1 == 1 { 255 } else { 0 })
}

/// The number in a picture's blocks; `None` if they are not black and white, or do not agree with each other.
fn number(blocks: &[u8]) -> Option<u16> {
    let bit = |(at, block): (usize, &u8)| match block {
        0..=70 => Some(0),
        185..=255 => Some(1 << at),
        _ => None,
    };
    let word = blocks.iter().enumerate().map(bit).sum::<Option<u16>>()?;
    let number = word & 0x0fff;
    (word >> 12 == check(number)).then_some(number)
}

/// A clip of `count` numbered pictures of 144x256, which come at `rate` before `filters` (none if empty), encoded and
/// written as `options` say.
pub(crate) fn numbered(extension: &str, rate: &str, count: u32, filters: &str, options: &str) -> PathBuf {
    let bytes: Vec<u8> = (0..NUMBERS).flat_map(blocks).collect();
    // Named by its content, as the clips made from it are by its name.
    let raw = format!("numbers-{}.gray", &blake3::hash(&bytes).to_hex()[..16]);
    let raw = Path::new(env!("CARGO_TARGET_TMPDIR")).join(raw);
    // Tests run side by side: only a whole file gets the name.
    if fs::read(&raw).ok().as_ref() != Some(&bytes) {
        let part = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary file");
        fs::write(part.path(), &bytes).expect("can be written");
        part.persist(&raw).expect("can be renamed");
    }
    let comma = if filters.is_empty() { "" } else { "," };
    clip(
        extension,
        &format!(
            "-f rawvideo -pixel_format gray -video_size 4x4 -framerate {rate} -i {} -frames:v {count} \
             -vf scale=144:256:flags=neighbor{comma}{filters} -pix_fmt yuv420p -fps_mode passthrough {options}",
            raw.display()
        ),
    )
}

/// The number of each picture of a file, as the `ffmpeg` command shows it.
pub(crate) fn numbers(file: &Path) -> Vec<Option<u16>> {
    // A clock of its own: pictures that are close together must not be one to the muxer.
    let pictures = "-fps_mode passthrough -enc_time_base 1:90000";
    let filters = "scale=4:4:flags=area,format=gray,settb=1/90000,setpts=N";
    let blocks = ffmpeg(file, &format!("-i FILE -an {pictures} -vf {filters} -f rawvideo -"));
    blocks.chunks_exact(16).map(number).collect()
}

/// What a clip shows and when, as ffprobe and ffmpeg tell it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Presentation time and number of each picture, ascending.
    pub(crate) pictures: Vec<(i64, u16)>,
    /// When the last one ends, where the container says so.
    pub(crate) end: Option<i64>,
    /// The unit of both, as a fraction of a second.
    pub(crate) base: (i64, i64),
}

impl Shown {
    pub(crate) fn of(file: &Path) -> Self {
        let entries = "-select_streams v:0 -show_entries frame=pts,pkt_duration:stream=time_base";
        let found = ffprobe(file, entries);
        let base = found["streams"][0]["time_base"].as_str().and_then(|base| base.split_once('/')).expect("a fraction");
        let whole = |text: &str| text.parse().expect("a number");
        let frames = found["frames"].as_array().expect("a list");
        let pts: Vec<i64> = frames.iter().map(|frame| frame["pts"].as_i64().expect("has a time")).collect();
        let numbers: Vec<u16> = numbers(file).into_iter().map(|number| number.expect("has a number")).collect();
        assert_eq!(pts.len(), numbers.len(), "ffmpeg and ffprobe see the same pictures of {}", file.display());
        assert!(pts.windows(2).all(|pair| pair[0] < pair[1]), "{pts:?}");
        let duration = frames.last().and_then(|frame| frame["pkt_duration"].as_i64()).filter(|&span| span > 0);
        let end = pts.last().zip(duration).map(|(last, span)| last + span);
        let shown =
            Self { pictures: pts.into_iter().zip(numbers).collect(), end, base: (whole(base.0), whole(base.1)) };
        if shown.base == (1, 1000) { shown.unrounded() } else { shown }
    }

    /// Of times that were rounded to milliseconds, what they were: places of a constant rate, if all of them are.
    fn unrounded(self) -> Self {
        let first = self.pictures[0].0;
        // Of a clock that starts late, not where it starts.
        let late = i64::from(first > 0);
        for (num, den) in [(30, 1), (60, 1), (25, 1), (30_000, 1001), (60_000, 1001)] {
            let place = |pts: i64| ((pts - first) as f64 * num as f64 / den as f64 / 1000.0).round();
            let off = |pts: i64| ((pts - first) as f64 - place(pts) * 1000.0 * den as f64 / num as f64).abs();
            if self.pictures.iter().all(|(pts, _)| off(*pts) < 0.99) {
                let pictures = self.pictures.iter().map(|(pts, number)| (late + place(*pts) as i64, *number)).collect();
                return Self { pictures, end: self.end.map(|end| late + place(end) as i64), base: (den, num) };
            }
        }
        self
    }

    /// The number that must be seen `frame` thirtieths of a second after the first picture: that of the last picture
    /// that has started by then. Exact: both times are multiplied by 30 and by the time base's denominator.
    pub(crate) fn at(&self, frame: usize) -> u16 {
        let first = self.pictures[0].0;
        let started = |pts: i64| {
            i128::from(pts - first) * i128::from(self.base.0) * 30 <= frame as i128 * i128::from(self.base.1)
        };
        let found = self.pictures.iter().rev().find(|(pts, _)| started(*pts));
        found.map_or(self.pictures[0].1, |(_, number)| *number)
    }

    /// Whether `frames` thirtieths of a second are as long as the clip, to the nearest frame. Where the container does
    /// not say how long the last picture is, it is on for any time up to a second.
    pub(crate) fn lasts(&self, frames: usize) -> bool {
        let (first, last) = (self.pictures[0].0, self.pictures[self.pictures.len() - 1].0);
        let den = i128::from(self.base.1);
        let scaled = |pts: i64| i128::from(pts - first) * i128::from(self.base.0) * 30;
        let shown = frames as i128 * den;
        match self.end {
            Some(end) => 2 * (shown - scaled(end)).abs() <= den || (scaled(end) < den && frames == 1),
            None => (scaled(last)..=scaled(last) + 30 * den).contains(&shown),
        }
    }
}

/// A numbered clip, and what must be seen of it.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) clip: PathBuf,
    pub(crate) shown: Shown,
}

impl Case {
    /// What ffmpeg and ffprobe tell of the clip is the truth.
    pub(crate) fn new(what: impl Into<String>, clip: PathBuf) -> Self {
        let shown = Shown::of(&clip);
        Self { what: what.into(), clip, shown }
    }
}

/// The numbers that a render of two clips shows, for each clip its own. Frames without a number are `None`.
pub(crate) fn rendered(project: &Project, threads: usize) -> [Vec<Option<u16>>; 2] {
    let engine = engine(threads);
    let plans = engine.plan(&project.request(), &remix_engine::Control::new()).expect("can be planned");
    let seam = usize::try_from(plans[0].shots()[1].frames.start.0).expect("a short clip");
    engine.render(&project.request(), &project.out()).expect("can be rendered");
    let mut first = numbers(&project.out().join("cnt_test/video.mp4"));
    let second = first.split_off(seam);
    [first, second]
}

/// A project that shows nothing but two clips.
pub(crate) fn bare(reaction: &Path, demo: &Path) -> Project {
    Project::of(reaction, demo).with("/music", json!([])).with("/hook", Value::Null)
}

/// What is wrong with the frames that were seen of a clip.
pub(crate) fn fault(case: &Case, seen: &[Option<u16>]) -> Option<String> {
    let Case { what, shown, .. } = case;
    if !shown.lasts(seen.len()) {
        return Some(format!("{what}: {} frames of {:?} to {:?}", seen.len(), shown.base, shown.end));
    }
    let wrong = |(at, seen): (usize, &Option<u16>)| {
        let meant = shown.at(at);
        (*seen != Some(meant)).then(|| format!("{what}: frame {at} shows {seen:?}, not {meant}"))
    };
    let faults: Vec<_> = seen.iter().enumerate().filter_map(wrong).collect();
    let first = faults.first()?;
    Some(format!("{first} ({} of {} frames are wrong)", faults.len(), seen.len()))
}

/// Renders the cases two by two and checks every frame of all of them; all that is wrong is said at once.
pub(crate) fn assert_shown(cases: &[Case]) {
    let mut faults = Vec::new();
    for pair in cases.chunks(2) {
        let (one, two) = (&pair[0], pair.last().unwrap_or(&pair[0]));
        let [first, second] = rendered(&bare(&one.clip, &two.clip), 2);
        faults.extend(fault(one, &first));
        if pair.len() == 2 {
            faults.extend(fault(two, &second));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
