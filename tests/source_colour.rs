//! A colour of a source is the same colour in the output, whatever way it was coded.
//!
//! Sources are planes of samples that are computed here from known R'G'B', by the definitions of ITU-R BT.601, BT.709,
//! BT.2020 and Display P3, and so are the samples that must come out: no converter of FFmpeg has a part in it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::numbered::bare;
use support::{clip, engine, ffmpeg, ffprobe};

type Rgb = [f64; 3];

/// The patches: R'G'B' on BT.709's primaries, in 1/255.
const PATCHES: [(&str, [u8; 3]); 8] = [
    ("red", [255, 0, 0]),
    ("green", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("grey", [128, 128, 128]),
    ("skin", [224, 172, 140]),
    ("white", [255, 255, 255]),
    ("black", [0, 0, 0]),
    ("teal", [30, 110, 120]),
];

fn rgb(code: [u8; 3]) -> Rgb {
    code.map(|value| f64::from(value) / 255.0)
}

/// Red's and blue's part of luma.
type Matrix = (f64, f64);
const BT601: Matrix = (0.299, 0.114);
const BT709: Matrix = (0.2126, 0.0722);
const BT2020: Matrix = (0.2627, 0.0593);

/// Y' from 0 to 1, Cb and Cr from -0.5 to 0.5.
fn to_ycc([r, g, b]: Rgb, (kr, kb): Matrix) -> [f64; 3] {
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    [y, (b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr))]
}

fn to_rgb([y, cb, cr]: [f64; 3], (kr, kb): Matrix) -> Rgb {
    let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
    [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
}

/// How Y'CbCr becomes samples.
#[derive(Debug, Clone, Copy)]
struct Coding {
    bits: u32,
    full: bool,
}

const EIGHT: Coding = Coding { bits: 8, full: false };

impl Coding {
    /// Black, the span from black to white, and the span of chroma.
    fn scale(self) -> (f64, f64, f64) {
        let step = f64::from(1u32 << (self.bits - 8));
        let most = f64::from((1u32 << self.bits) - 1);
        if self.full { (0.0, most, most) } else { (16.0 * step, 219.0 * step, 224.0 * step) }
    }

    fn middle(self) -> f64 {
        f64::from(1u32 << (self.bits - 1))
    }

    fn code(self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let (black, luma, chroma) = self.scale();
        [black + luma * y, self.middle() + chroma * cb, self.middle() + chroma * cr]
    }

    fn decode(self, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
        let (black, luma, chroma) = self.scale();
        [(y - black) / luma, (cb - self.middle()) / chroma, (cr - self.middle()) / chroma]
    }

    /// The samples that a source has.
    fn samples(self, ycc: [f64; 3]) -> [u16; 3] {
        self.code(ycc).map(|value| value.round().clamp(0.0, f64::from((1u32 << self.bits) - 1)) as u16)
    }
}

/// The opto-electronic transfer function that BT.601, BT.709 and BT.2020 share, and its inverse.
fn oetf(light: f64) -> f64 {
    if light < 0.018_053_97 { 4.5 * light } else { 1.099_296_83 * light.powf(0.45) - 0.099_296_83 }
}

fn inverse_oetf(signal: f64) -> f64 {
    if signal < 0.081_242_86 { signal / 4.5 } else { ((signal + 0.099_296_83) / 1.099_296_83).powf(1.0 / 0.45) }
}

fn times(matrix: [[f64; 3]; 3], [a, b, c]: Rgb) -> Rgb {
    matrix.map(|row| row[0] * a + row[1] * b + row[2] * c)
}

/// ITU-R BT.2087-0: linear light on BT.709's primaries to BT.2020's.
const TO_BT2020: [[f64; 3]; 3] = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]];
/// ITU-R BT.2407-0, 2: the way back.
const FROM_BT2020: [[f64; 3]; 3] = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]];

/// SMPTE EG 432-1: linear light on BT.709's primaries to Display P3's, and the way back.
const TO_P3: [[f64; 3]; 3] = [[0.8225, 0.1775, 0.0], [0.0332, 0.9668, 0.0], [0.0171, 0.0724, 0.9105]];
const FROM_P3: [[f64; 3]; 3] = [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]];

/// Primaries other than BT.709's: from BT.709, and back.
type Primaries = ([[f64; 3]; 3], [[f64; 3]; 3]);
const WIDE: Option<Primaries> = Some((TO_BT2020, FROM_BT2020));
const P3: Option<Primaries> = Some((TO_P3, FROM_P3));

/// R'G'B' on other primaries.
fn on_primaries(color: Rgb, matrix: [[f64; 3]; 3]) -> Rgb {
    times(matrix, color.map(inverse_oetf)).map(|light| oetf(light.clamp(0.0, 1.0)))
}

/// The shape of a source's chroma.
#[derive(Debug, Clone, Copy)]
enum Planes {
    Yuv420,
    Yuv422,
    Yuv444,
}

/// A source of patches: how it is coded, how it says so, and how it must be understood.
struct Source {
    what: &'static str,
    size: (usize, usize),
    matrix: Matrix,
    primaries: Option<Primaries>,
    coding: Coding,
    planes: Planes,
    extension: &'static str,
    options: &'static str,
}

impl Source {
    fn samples(&self, patch: usize) -> [u16; 3] {
        let color = rgb(PATCHES[patch].1);
        let color = self.primaries.map_or(color, |(there, _)| on_primaries(color, there));
        self.coding.samples(to_ycc(color, self.matrix))
    }

    /// The 8-bit limited BT.709 samples that its samples mean.
    fn meant(&self, patch: usize) -> [f64; 3] {
        let samples = self.samples(patch).map(f64::from);
        let color = to_rgb(self.coding.decode(samples), self.matrix).map(|value| value.clamp(0.0, 1.0));
        let color = self.primaries.map_or(color, |(_, back)| on_primaries(color, back));
        EIGHT.code(to_ycc(color, BT709))
    }

    fn pixel_format(&self) -> String {
        let planes = match self.planes {
            Planes::Yuv420 => "yuv420p",
            Planes::Yuv422 => "yuv422p",
            Planes::Yuv444 => "yuv444p",
        };
        if self.coding.bits > 8 { format!("{planes}{}le", self.coding.bits) } else { planes.to_owned() }
    }

    /// The picture as FFmpeg's raw video has it: two patches beside each other, four below each other.
    fn picture(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let (across, down) = match self.planes {
            Planes::Yuv420 => (2, 2),
            Planes::Yuv422 => (2, 1),
            Planes::Yuv444 => (1, 1),
        };
        let colors: Vec<_> = (0..8).map(|patch| self.samples(patch)).collect();
        let plane = |plane: usize, width: usize, height: usize| {
            let at = move |x: usize, y: usize| 2 * (y * 4 / height) + x * 2 / width;
            (0..width * height).map(move |place| at(place % width, place / width)).map(move |patch| (patch, plane))
        };
        let chroma = (width / across, height / down);
        [plane(0, width, height), plane(1, chroma.0, chroma.1), plane(2, chroma.0, chroma.1)]
            .into_iter()
            .flatten()
            .flat_map(|(patch, plane)| {
                let bytes = colors[patch][plane].to_le_bytes();
                bytes.into_iter().take(if self.coding.bits > 8 { 2 } else { 1 })
            })
            .collect()
    }

    fn clip(&self) -> PathBuf {
        let (width, height) = self.size;
        let input = raw(&self.picture(), &self.pixel_format(), (width, height));
        let clip = clip(self.extension, &format!("{input} {}", self.options));
        // The encoder kept the samples.
        for (patch, found) in patches(&clip, 0, &self.pixel_format(), self.size, self.coding.bits).iter().enumerate() {
            let meant = self.samples(patch).map(f64::from);
            let off = (0..3).map(|plane| (found[plane] - meant[plane]).abs()).fold(0.0, f64::max);
            let most = f64::from(1u32 << (self.coding.bits - 8));
            assert!(off <= most, "{}, {}: {found:?} in the source, not {meant:?}", self.what, PATCHES[patch].0);
        }
        clip
    }
}

/// Options that read three pictures which are all the same; the file is named by its content.
fn raw(picture: &[u8], pixel_format: &str, (width, height): (usize, usize)) -> String {
    let bytes = picture.repeat(3);
    let name = format!("raw-{}.yuv", &blake3::hash(&bytes).to_hex()[..16]);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let part = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary file");
    fs::write(part.path(), &bytes).expect("can be written");
    part.persist(&file).expect("can be renamed");
    format!("-f rawvideo -pixel_format {pixel_format} -video_size {width}x{height} -framerate 30 -i {}", file.display())
}

/// The planes of frame `frame` of a file, in its own pixel format, as samples.
fn planes(file: &Path, frame: u64, (width, height): (usize, usize), bits: u32) -> [Vec<u16>; 3] {
    let take = format!("-i FILE -an -vf select=eq(n\\,{frame}) -frames:v 1 -f rawvideo -");
    // Without a pixel format, since one would convert full range to limited.
    let bytes = ffmpeg(file, &take);
    let samples: Vec<u16> = if bits > 8 {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    } else {
        bytes.into_iter().map(u16::from).collect()
    };
    let chroma = (samples.len() - width * height) / 2;
    let (luma, rest) = samples.split_at(width * height);
    [luma.to_vec(), rest[..chroma].to_vec(), rest[chroma..].to_vec()]
}

/// The mean of a part of a plane around a point; all as fractions of its size.
fn mean(plane: &[u16], width: usize, (x, y): (f64, f64), (w, h): (f64, f64)) -> f64 {
    let height = plane.len() / width;
    let range = |size: usize, at: f64, part: f64| {
        let (from, to) = ((at - part / 2.0) * size as f64, (at + part / 2.0) * size as f64);
        from.round() as usize..(to.round() as usize).max(from.round() as usize + 1)
    };
    let values: Vec<f64> = range(height, y, h)
        .flat_map(|y| range(width, x, w).map(move |x| y * width + x))
        .map(|at| f64::from(plane[at]))
        .collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// The samples in the middle of each patch of a frame.
fn patches(file: &Path, frame: u64, pixel_format: &str, size: (usize, usize), bits: u32) -> [[f64; 3]; 8] {
    let planes = planes(file, frame, size, bits);
    let chroma_width = if pixel_format.starts_with("yuv444") { size.0 } else { size.0 / 2 };
    std::array::from_fn(|patch| {
        let at = ((patch % 2) as f64 / 2.0 + 0.25, (patch / 2) as f64 / 4.0 + 0.125);
        let around = |plane: usize, width| mean(&planes[plane], width, at, (0.2, 0.1));
        [around(0, size.0), around(1, chroma_width), around(2, chroma_width)]
    })
}

const CANVAS: (usize, usize) = (1080, 1920);

/// Renders two clips with the best settings and gives the video, and the second frame of each.
fn rendered(one: &Path, two: &Path) -> Result<(support::Project, [u64; 2]), String> {
    let project = bare(one, two).with("/output/preset", "high".into());
    let request = project.request();
    let engine = engine(2);
    let plans = engine.plan(&request, &remix_engine::Control::new()).map_err(|error| format!("{error:?}"))?;
    engine.render(&request, &project.out()).map_err(|error| format!("{error:?}"))?;
    let frames = [0, 1].map(|shot: usize| plans[0].shots()[shot].frames.start.0 + 1);
    Ok((project, frames))
}

fn video(project: &support::Project) -> PathBuf {
    project.out().join("cnt_test/video.mp4")
}

/// Adds which patches of a frame are another colour than they were in the source.
fn check(source: &Source, video: &Path, frame: u64, faults: &mut Vec<String>) {
    for (patch, found) in patches(video, frame, "yuv420p", CANVAS, 8).iter().enumerate() {
        let meant = source.meant(patch);
        let off = (0..3).map(|plane| (found[plane] - meant[plane]).abs()).fold(0.0, f64::max);
        if off > 2.0 {
            faults.push(format!("{}: {} is {found:.1?}, not {meant:.1?}", source.what, PATCHES[patch].0));
        }
    }
}

/// Renders the sources two by two and says at once which patches of which are another colour than they were.
fn assert_kept(sources: &[Source]) {
    let mut faults = Vec::new();
    for pair in sources.chunks(2) {
        let (one, two) = (&pair[0], pair.last().unwrap_or(&pair[0]));
        let (project, frames) = match rendered(&one.clip(), &two.clip()) {
            Ok(rendered) => rendered,
            Err(error) => {
                faults.push(format!("{} and {}: {error}", one.what, two.what));
                continue;
            }
        };
        for (source, frame) in pair.iter().zip(frames) {
            check(source, &video(&project), frame, &mut faults);
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// An 8-bit 4:2:0 limited source of the small size.
fn plain(what: &'static str, matrix: Matrix, options: &'static str) -> Source {
    Source {
        what,
        size: (144, 256),
        matrix,
        primaries: None,
        coding: EIGHT,
        planes: Planes::Yuv420,
        extension: "mp4",
        options,
    }
}

const FULL: Coding = Coding { bits: 8, full: true };
const TEN: Coding = Coding { bits: 10, full: false };
const TEN_FULL: Coding = Coding { bits: 10, full: true };

#[test]
fn the_measure_of_colours_is_right() {
    // ITU-R BT.709-6, 100 % colour bars; and what a wrong matrix would make of red.
    let code = |color: [u8; 3], matrix| EIGHT.samples(to_ycc(rgb(color), matrix));
    assert_eq!(code([255, 0, 0], BT709), [63, 102, 240]);
    assert_eq!(code([0, 255, 0], BT709), [173, 42, 26]);
    assert_eq!(code([0, 0, 255], BT709), [32, 240, 118]);
    assert_eq!(code([255, 0, 0], BT601), [81, 90, 240]);
    assert_eq!(code([255, 255, 255], BT2020), [235, 128, 128]);
    for signal in [0.0, 0.05, 0.3, 1.0] {
        assert!((oetf(inverse_oetf(signal)) - signal).abs() < 1e-6);
    }
    let there = on_primaries([1.0, 0.0, 0.0], TO_BT2020);
    assert!(there[0] > 0.79 && there[0] < 0.81 && there[1] > 0.2, "BT.709's red is a duller one of BT.2020: {there:?}");
    let back = on_primaries(there, FROM_BT2020);
    assert!(back[0] > 0.99 && back[1] < 0.01, "{back:?}");
}

#[test]
fn eight_bit_h264_of_every_matrix_and_range() {
    let lossless = |what, matrix, coding, options| Source { coding, ..plain(what, matrix, options) };
    assert_kept(&[
        lossless(
            "BT.709 limited",
            BT709,
            EIGHT,
            "-c:v libx264 -qp 0 -x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709",
        ),
        lossless(
            "BT.709 full",
            BT709,
            FULL,
            "-c:v libx264 -qp 0 -color_range pc \
             -x264-params fullrange=on:colorprim=bt709:transfer=bt709:colormatrix=bt709",
        ),
        // With BT.709's primaries, so that only the matrix differs.
        lossless(
            "BT.601 limited",
            BT601,
            EIGHT,
            "-c:v libx264 -qp 0 -x264-params colorprim=bt709:transfer=smpte170m:colormatrix=smpte170m",
        ),
        lossless(
            "BT.601 full",
            BT601,
            FULL,
            "-c:v libx264 -qp 0 -color_range pc \
             -x264-params fullrange=on:colorprim=bt709:transfer=smpte170m:colormatrix=smpte170m",
        ),
        lossless(
            "BT.470BG limited",
            BT601,
            EIGHT,
            "-c:v libx264 -qp 0 -x264-params colorprim=bt709:transfer=bt709:colormatrix=bt470bg",
        ),
        Source {
            planes: Planes::Yuv444,
            ..lossless(
                "4:4:4, BT.709 full",
                BT709,
                FULL,
                "-c:v libx264 -qp 0 -color_range pc \
                 -x264-params fullrange=on:colorprim=bt709:transfer=bt709:colormatrix=bt709",
            )
        },
    ]);
}

#[test]
fn a_source_without_tags_is_taken_for_what_its_size_suggests() {
    let hd = Source { size: (720, 1280), ..plain("HD", BT709, "-c:v libx264 -qp 0 -preset ultrafast") };
    let sd = plain("SD", BT601, "-c:v libx264 -qp 0");
    for source in [&hd, &sd] {
        let tags = ffprobe(&source.clip(), "-show_entries stream=color_space,color_range")["streams"][0].clone();
        assert!(tags.get("color_space").is_none(), "{}: {tags}", source.what);
    }
    assert_kept(&[hd, sd]);
}

#[test]
fn ten_bit_h264_and_hevc() {
    let ten = |what, matrix, coding, options| Source { coding, ..plain(what, matrix, options) };
    assert_kept(&[
        ten(
            "10-bit H.264, BT.709 limited",
            BT709,
            TEN,
            "-c:v libx264 -qp 0 -x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709",
        ),
        ten(
            "10-bit HEVC, BT.709 limited",
            BT709,
            TEN,
            "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params \
             log-level=none:lossless=1:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=limited",
        ),
        ten(
            "10-bit HEVC, BT.709 full",
            BT709,
            TEN_FULL,
            "-c:v libx265 -preset ultrafast -tag:v hvc1 -color_range pc -x265-params \
             log-level=none:lossless=1:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=full",
        ),
        ten(
            "10-bit HEVC, BT.601 full",
            BT601,
            TEN_FULL,
            "-c:v libx265 -preset ultrafast -tag:v hvc1 -color_range pc -x265-params \
             log-level=none:lossless=1:colorprim=bt709:transfer=smpte170m:colormatrix=smpte170m:range=full",
        ),
    ]);
}

#[test]
fn bt2020_in_standard_dynamic_range() {
    let wide = |what, coding, options| Source { coding, primaries: WIDE, ..plain(what, BT2020, options) };
    assert_kept(&[
        wide(
            "10-bit HEVC, BT.2020 limited",
            TEN,
            "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params \
             log-level=none:lossless=1:colorprim=bt2020:transfer=bt2020-10:colormatrix=bt2020nc:range=limited",
        ),
        wide(
            "8-bit H.264, BT.2020 limited",
            EIGHT,
            "-c:v libx264 -qp 0 -x264-params colorprim=bt2020:transfer=bt709:colormatrix=bt2020nc",
        ),
    ]);
}

/// What screen recorders of phones and computers with wide displays write.
#[test]
fn display_p3() {
    let p3 = |what, coding, options| Source { coding, primaries: P3, ..plain(what, BT709, options) };
    assert_kept(&[
        p3(
            "8-bit H.264, Display P3",
            EIGHT,
            "-c:v libx264 -qp 0 -x264-params colorprim=smpte432:transfer=bt709:colormatrix=bt709",
        ),
        p3(
            "10-bit HEVC, Display P3",
            TEN,
            "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params \
             log-level=none:lossless=1:colorprim=smpte432:transfer=bt709:colormatrix=bt709:range=limited",
        ),
    ]);
}

#[test]
fn a_stream_may_change_its_colour_on_the_way() {
    let one = Source {
        extension: "h264",
        ..plain("first", BT709, "-c:v libx264 -qp 0 -x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709")
    };
    let full = "-c:v libx264 -qp 0 -color_range pc \
                -x264-params colorprim=bt709:transfer=bt709:colormatrix=smpte170m:fullrange=on";
    let two = Source { extension: "h264", coding: FULL, ..plain("second", BT601, full) };
    let joined = [one.clip(), two.clip()].map(|clip| fs::read(clip).expect("can be read")).concat();
    let name = format!("joined-{}.h264", &blake3::hash(&joined).to_hex()[..16]);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, joined).expect("can be written");
    let joined = clip("mkv", &format!("-f h264 -framerate 30 -i {} -c copy", file.display()));
    let (project, frames) = rendered(&joined, &joined).expect("can be rendered");
    let mut faults = Vec::new();
    check(&one, &video(&project), frames[0], &mut faults);
    check(&two, &video(&project), frames[0] + 3, &mut faults);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn prores() {
    let prores = |what, coding, options| Source {
        planes: Planes::Yuv422,
        extension: "mov",
        ..Source { coding, ..plain(what, BT709, options) }
    };
    let tagged = "-vf setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709 \
                  -c:v prores_ks -profile:v hq -q:v 1";
    let as_601 = "-vf setparams=color_primaries=bt709:color_trc=bt709:colorspace=smpte170m \
                  -c:v prores_ks -profile:v hq -q:v 1";
    // FFmpeg's encoder writes 0 into its frames where it was not told, and 0 is RGB in H.273.
    let by_container = "-c:v prores_ks -profile:v hq -q:v 1 \
                        -color_primaries bt709 -color_trc bt709 -colorspace bt709";
    assert_kept(&[
        prores("ProRes 422 HQ", TEN, tagged),
        Source { matrix: BT601, ..prores("ProRes 422 HQ, BT.601", TEN, as_601) },
        prores("ProRes 422 HQ, tagged in the container only", TEN, by_container),
    ]);
}

#[test]
fn what_the_container_says_of_colour_counts_where_the_bitstream_says_nothing() {
    let options = "-c:v libx264 -qp 0";
    let untagged = plain("", BT601, options);
    let source = plain("small, BT.709 by its container", BT709, options);
    let tags = "-color_primaries bt709 -color_trc bt709 -colorspace bt709";
    let copied = clip("mp4", &format!("-i {} -c copy {tags}", source.clip().display()));
    let found = ffprobe(&copied, "-show_entries stream=color_space");
    assert_eq!(found["streams"][0]["color_space"], "bt709");
    let (project, frames) = rendered(&copied, &untagged.clip()).expect("can be rendered");
    let mut faults = Vec::new();
    check(&source, &video(&project), frames[0], &mut faults);
    check(&untagged, &video(&project), frames[1], &mut faults);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A grey has no chroma, so that no matrix has a say in it.
#[test]
fn greys_are_the_same_in_every_matrix() {
    let grey = |tags: &str| {
        let level = |at: usize| 16 + (219.0 * (at / 144 / 16) as f64 / 15.0).round() as u8;
        let mut bytes: Vec<u8> = (0..144 * 256).map(level).collect();
        bytes.extend([128; 2 * 72 * 128]);
        let input = raw(&bytes, "yuv420p", (144, 256));
        clip("mp4", &format!("{input} -c:v libx264 -qp 0 -x264-params {tags}"))
    };
    let clips = [
        ("BT.601", "colorprim=bt709:transfer=bt709:colormatrix=smpte170m"),
        ("BT.2020", "colorprim=bt709:transfer=bt709:colormatrix=bt2020nc"),
        ("BT.709", "colorprim=bt709:transfer=bt709:colormatrix=bt709"),
        ("FCC", "colorprim=bt709:transfer=bt709:colormatrix=fcc"),
    ]
    .map(|(what, tags)| (what, grey(tags)));
    let mut faults = Vec::new();
    for pair in clips.chunks(2) {
        let (project, frames) = rendered(&pair[0].1, &pair[1].1).expect("can be rendered");
        for ((what, _), frame) in pair.iter().zip(frames) {
            let [y, u, v] = planes(&video(&project), frame, CANVAS, 8);
            for step in 0..16 {
                let at = |plane: &[u16], width| mean(plane, width, (0.5, (step as f64 + 0.5) / 16.0), (0.6, 0.03));
                let meant = (16.0 + 219.0 * step as f64 / 15.0).round();
                let found = [at(&y, 1080), at(&u, 540), at(&v, 540)];
                let off = (0..3).map(|plane| (found[plane] - [meant, 128.0, 128.0][plane]).abs()).fold(0.0, f64::max);
                if off > 1.0 {
                    faults.push(format!("{what}: grey {meant} is {found:.1?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

// Transparency.

/// A picture of four fields with alpha: invisible white beside opaque black, and half-visible red beside opaque green.
fn transparent(bits: u32, planes: Planes) -> Vec<u8> {
    let source = Source {
        what: "alpha",
        size: (144, 256),
        matrix: BT709,
        primaries: None,
        coding: Coding { bits, full: false },
        planes,
        extension: "",
        options: "",
    };
    let most = f64::from((1u32 << bits) - 1);
    let fields: [([u8; 3], f64); 4] =
        [([255, 255, 255], 0.0), ([0, 0, 0], 1.0), ([255, 0, 0], 0.5), ([0, 255, 0], 1.0)];
    let samples = fields.map(|(color, alpha)| {
        let [y, cb, cr] = source.coding.samples(to_ycc(rgb(color), BT709));
        [y, cb, cr, (alpha * most).round() as u16]
    });
    let chroma = match planes {
        Planes::Yuv420 => (72, 128),
        Planes::Yuv422 => (72, 256),
        Planes::Yuv444 => (144, 256),
    };
    let mut bytes = Vec::new();
    for (plane, (width, height)) in [(144, 256), chroma, chroma, (144, 256)].into_iter().enumerate() {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let value = samples[2 * (2 * y / height) + 2 * x / width][plane].to_le_bytes();
            bytes.extend_from_slice(&value[..if bits > 8 { 2 } else { 1 }]);
        }
    }
    bytes
}

#[test]
fn what_is_transparent_lies_over_black() {
    let vp9 = {
        let input = raw(&transparent(8, Planes::Yuv420), "yuva420p", (144, 256));
        let tags = "-colorspace bt709 -color_primaries bt709 -color_trc bt709";
        clip("webm", &format!("{input} -c:v libvpx-vp9 -lossless 1 -auto-alt-ref 0 -pix_fmt yuva420p {tags}"))
    };
    let prores = {
        let input = raw(&transparent(10, Planes::Yuv444), "yuva444p10le", (144, 256));
        let tags = "-vf setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";
        clip(
            "mov",
            &format!("{input} -c:v prores_ks -profile:v 4444 -alpha_bits 16 -q:v 1 -pix_fmt yuva444p10le {tags}"),
        )
    };
    let (project, frames) = rendered(&vp9, &prores).expect("can be rendered");
    let mut faults = Vec::new();
    for (what, frame) in ["VP9", "ProRes 4444"].into_iter().zip(frames) {
        let [y, u, v] = planes(&video(&project), frame, CANVAS, 8);
        let mut expect = |field: &str, at: (f64, f64), color: Rgb| {
            let meant = EIGHT.code(to_ycc(color, BT709));
            let around = |plane: &[u16], width| mean(plane, width, at, (0.3, 0.3));
            let found = [around(&y, 1080), around(&u, 540), around(&v, 540)];
            let off = (0..3).map(|plane| (found[plane] - meant[plane]).abs()).fold(0.0, f64::max);
            if off > 2.0 {
                faults.push(format!("{what}: {field} is {found:.1?}, not {meant:.1?}"));
            }
        };
        expect("invisible white", (0.25, 0.25), [0.0; 3]);
        expect("opaque black", (0.75, 0.25), [0.0; 3]);
        expect("half-visible red", (0.25, 0.75), [0.5, 0.0, 0.0]);
        expect("opaque green", (0.75, 0.75), [0.0, 1.0, 0.0]);
        // Between two blacks there is nothing else, whatever colour one of them hides.
        let edge = (200..800).flat_map(|row| y[row * 1080 + 480..row * 1080 + 600].iter()).copied().max();
        if edge > Some(24) {
            faults.push(format!("{what}: a bright fringe of {edge:?} between black and invisible white"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Wide primaries and alpha at once: colours first, then what shines through.
#[test]
fn transparent_pictures_of_wide_colour() {
    let source =
        |primaries, matrix| Source { coding: TEN, planes: Planes::Yuv444, primaries, ..plain("alpha", matrix, "") };
    let clip_of = |source: &Source, tags: &str| {
        let mut bytes = source.picture();
        let opaque = 1023u16.to_le_bytes().repeat(144 * 128);
        let half = 512u16.to_le_bytes().repeat(144 * 128);
        bytes.extend(opaque.into_iter().chain(half));
        let input = raw(&bytes, "yuva444p10le", (144, 256));
        let coder = "-c:v prores_ks -profile:v 4444 -alpha_bits 16 -q:v 1 -pix_fmt yuva444p10le";
        clip("mov", &format!("{input} -vf setparams={tags}:range=tv {coder}"))
    };
    let sources = [source(WIDE, BT2020), source(P3, BT709)];
    let tags = [
        "color_primaries=bt2020:color_trc=bt709:colorspace=bt2020nc",
        "color_primaries=smpte432:color_trc=bt709:colorspace=bt709",
    ];
    let clips = [0, 1].map(|at: usize| clip_of(&sources[at], tags[at]));
    let (project, frames) = rendered(&clips[0], &clips[1]).expect("can be rendered");
    let mut faults = Vec::new();
    for ((source, frame), tags) in sources.iter().zip(frames).zip(tags) {
        for (patch, found) in patches(&video(&project), frame, "yuv420p", CANVAS, 8).iter().enumerate() {
            let shown = if patch < 4 { 1.0 } else { 512.0 / 1023.0 };
            let [y, cb, cr] = source.meant(patch);
            let meant = [16.0 + (y - 16.0) * shown, 128.0 + (cb - 128.0) * shown, 128.0 + (cr - 128.0) * shown];
            let off = (0..3).map(|plane| (found[plane] - meant[plane]).abs()).fold(0.0, f64::max);
            if off > 2.0 {
                faults.push(format!("{tags}: {} is {found:.1?}, not {meant:.1?}", PATCHES[patch].0));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

// High dynamic range.

/// A ramp of sixteen greys, from black to the top of the signal, one above the other.
fn ramp(transfer: &'static str) -> PathBuf {
    ramp_with(transfer, "")
}

fn ramp_with(transfer: &'static str, more: &str) -> PathBuf {
    let mut bytes = Vec::new();
    for at in 0..144 * 256 {
        let signal = f64::from(at / 144 / 16) / 15.0;
        bytes.extend_from_slice(&((64.0 + 876.0 * signal).round() as u16).to_le_bytes());
    }
    bytes.extend(512u16.to_le_bytes().repeat(2 * 72 * 128));
    let input = raw(&bytes, "yuv420p10le", (144, 256));
    clip(
        "mp4",
        &format!(
            "{input} -c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params \
             log-level=none:lossless=1:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:range=limited{more}"
        ),
    )
}

/// What is told of the brightest sample decides how much room the highlights get.
#[test]
fn the_peak_of_pq_is_obeyed() {
    let cll = ramp_with("smpte2084", ":max-cll=300,100");
    let mastered =
        ramp_with("smpte2084", ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,1)");
    let untold = ramp("smpte2084");
    let top = |project: &support::Project, frame: u64| {
        let [y, ..] = planes(&video(project), frame, CANVAS, 8);
        // The ninth of sixteen greys is a signal of 60 %: 244 cd/m2.
        mean(&y, 1080, (0.5, 9.5 / 16.0), (0.6, 0.03))
    };
    let (project, frames) = rendered(&cll, &mastered).expect("can be rendered");
    let (dim, bright) = (top(&project, frames[0]), top(&project, frames[1]));
    let (project, frames) = rendered(&untold, &cll).expect("can be rendered");
    let middle = top(&project, frames[0]);
    // By BT.2390's curve from 300, 1000 and 4000 cd/m2: 0.98, 0.93 and 0.90 of the way to white, or near.
    assert!(
        dim > middle + 2.0 && middle > bright + 2.0,
        "{dim:.1} for 300, {middle:.1} for 1000, {bright:.1} for 4000"
    );
}

#[test]
fn greys_of_high_dynamic_range_become_greys() {
    let clips = ["arib-std-b67", "smpte2084"].map(ramp);
    let (project, frames) = rendered(&clips[0], &clips[1]).expect("can be rendered");
    let mut faults = Vec::new();
    // The signal of a medium grey (26 cd/m²) and of white paper (203 cd/m²): ITU-R BT.2408-7, table 1.
    for ((what, frame), (grey, white)) in ["HLG", "PQ"].into_iter().zip(frames).zip([(0.38, 0.75), (0.38, 0.58)]) {
        let [y, u, v] = planes(&video(&project), frame, CANVAS, 8);
        let step =
            |plane: &[u16], width, step: usize| mean(plane, width, (0.5, (step as f64 + 0.5) / 16.0), (0.6, 0.03));
        let ramp: Vec<f64> = (0..16).map(|at| step(&y, 1080, at)).collect();
        let at = |signal: f64| {
            let place = signal * 15.0;
            let (below, part) = (place.floor() as usize, place.fract());
            ramp[below] * (1.0 - part) + ramp[below + 1] * part
        };
        if !ramp.windows(2).all(|pair| pair[0] <= pair[1] + 0.5) {
            faults.push(format!("{what}: the ramp goes back: {ramp:.0?}"));
        }
        let tint = (0..16).flat_map(|at| [step(&u, 540, at), step(&v, 540, at)]).map(|value| (value - 128.0).abs());
        let tint = tint.fold(0.0, f64::max);
        if tint > 2.0 {
            faults.push(format!("{what}: a grey is tinted by {tint:.1}"));
        }
        let ends = ((ramp[0] - 16.0).abs() < 3.0) && (215.0..=236.0).contains(&ramp[15]);
        let (grey, white) = (at(grey), at(white));
        if !ends || !(85.0..=140.0).contains(&grey) || !(185.0..=236.0).contains(&white) {
            faults.push(format!("{what}: grey {grey:.0}, white {white:.0}, ramp {ramp:.0?}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

// Interlace.

/// A white field that moves 6 pixels to the right with every field, in interlaced pictures of 540x960.
fn interlaced(top_first: bool) -> PathBuf {
    let (mode, order) = if top_first { ("interleave_top", "tff") } else { ("interleave_bottom", "bff") };
    clip(
        "mp4",
        &format!(
            "-f lavfi -i color=black:size=540x960:rate=60:duration=0.4,\
            geq=lum=if(lt(X\\,100+6*N)\\,235\\,16):cb=128:cr=128,\
             tinterlace={mode} -c:v libx264 -preset ultrafast -crf 12 -flags +ilme+ildct -x264-params {order}=1 \
             -pix_fmt yuv420p"
        ),
    )
}

/// Where each row of a frame that is twice as large as its source goes from white to black, in the source's pixels:
/// of even and of odd rows of the source, the mean.
fn edges(luma: &[u16]) -> (f64, f64) {
    let edge = |row: usize| luma[row * 1080..][..1080].iter().filter(|&&value| value > 126).count() as f64 / 2.0;
    let rows = |odd: usize| (40..440).map(move |row| 2 * (2 * row + odd)).map(edge).sum::<f64>() / 400.0;
    (rows(0), rows(1))
}

#[test]
fn interlaced_pictures_are_not_torn() {
    let clips = [interlaced(true), interlaced(false)];
    let orders = clips
        .each_ref()
        .map(|clip| ffprobe(clip, "-show_entries stream=field_order")["streams"][0]["field_order"].clone());
    assert!(orders.iter().all(|order| order != "progressive") && orders[0] != orders[1], "{orders:?}");
    let [source, ..] = planes(&clips[0], 5, (540, 960), 8);
    let rows = |odd: usize| source[(400 + odd) * 540..][..540].iter().filter(|&&value| value > 126).count();
    assert_eq!(rows(0).abs_diff(rows(1)), 6, "the source's fields are six pixels apart");

    let (project, frames) = rendered(&clips[0], &clips[1]).expect("can be rendered");
    let mut faults = Vec::new();
    for (what, start) in ["top field first", "bottom field first"].into_iter().zip(frames) {
        let mut last = 0.0;
        for frame in start..start + 10 {
            let [luma, ..] = planes(&video(&project), frame, CANVAS, 8);
            let (even, odd) = edges(&luma);
            if (even - odd).abs() > 1.0 {
                faults.push(format!(
                    "{what}, frame {frame}: the edge is at {even:.1} in even rows and {odd:.1} in odd ones"
                ));
            }
            if even <= last {
                faults.push(format!("{what}, frame {frame}: it does not move on: {even:.1} after {last:.1}"));
            }
            last = even;
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
