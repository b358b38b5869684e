//! A clip is shown upright, in its true shape, without what its file says to leave out, whatever its coded picture.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::boxes::Mp4;
use support::numbered::bare;
use support::{H264, clip, engine, ffmpeg, ffprobe};

/// The size that pictures are looked at in: a ninth of the canvas in both directions, less a rest.
const WIDTH: usize = 108;
const HEIGHT: usize = 192;

/// A frame of a rendered video, 108x192 RGB.
struct Look(Vec<u8>);

impl Look {
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * WIDTH + x);
        [self.0[at], self.0[at + 1], self.0[at + 2]]
    }

    /// The names of the colours in the four corners: top left, top right, bottom left, bottom right.
    fn corners(&self) -> [&'static str; 4] {
        let (right, bottom) = (WIDTH - 8, HEIGHT - 8);
        [(7, 7), (right, 7), (7, bottom), (right, bottom)].map(|(x, y)| name(self.at(x, y)))
    }

    /// The same at the very edge.
    fn outermost_corners(&self) -> [&'static str; 4] {
        let (right, bottom) = (WIDTH - 1, HEIGHT - 1);
        [(0, 0), (right, 0), (0, bottom), (right, bottom)].map(|(x, y)| name(self.at(x, y)))
    }

    /// How many pixels have a colour.
    fn count(&self, color: &str) -> usize {
        self.0.chunks_exact(3).filter(|pixel| name([pixel[0], pixel[1], pixel[2]]) == color).count()
    }
}

/// The colour that is meant: each channel is low, in the middle or high.
fn name([r, g, b]: [u8; 3]) -> &'static str {
    let level = |value: u8| match value {
        0..=79 => 0,
        80..=175 => 1,
        _ => 2,
    };
    match [level(r), level(g), level(b)] {
        [2, 0, 0] => "red",
        [0, 2, 0] => "green",
        [0, 0, 2] => "blue",
        [2, 2, 0] => "yellow",
        [2, 0, 2] => "magenta",
        [2, 2, 2] => "white",
        [1, 1, 1] => "gray",
        [0, 0, 0] => "black",
        _ => "another",
    }
}

/// Frame `frame` of a file after `filters`, in the size of a [`Look`].
fn look(file: &Path, frame: u64, filters: &str) -> Look {
    let take = format!("select=eq(n\\,{frame}),{filters}scale={WIDTH}:{HEIGHT}:flags=area,format=rgb24");
    let bytes = ffmpeg(file, &format!("-i FILE -an -vf {take} -frames:v 1 -f rawvideo -"));
    assert_eq!(bytes.len(), 3 * WIDTH * HEIGHT, "{} has a frame {frame}", file.display());
    Look(bytes)
}

/// Renders the clips two by two and gives the first and the last frame of each.
fn rendered(clips: &[(String, PathBuf)]) -> Vec<(String, Result<[Look; 2], String>)> {
    let mut looks = Vec::new();
    for pair in clips.chunks(2) {
        let (one, two) = (&pair[0], pair.last().unwrap_or(&pair[0]));
        let project = bare(&one.1, &two.1);
        let request = project.request();
        let done = engine(2)
            .plan(&request, &remix_engine::Control::new())
            .and_then(|plans| engine(2).render(&request, &project.out()).map(|_| plans));
        for (at, (what, _)) in pair.iter().enumerate() {
            let looked = done.as_ref().map_err(|error| format!("{what}: {error:?}")).map(|plans| {
                let frames = plans[0].shots()[at].frames;
                let video = project.out().join("cnt_test/video.mp4");
                [frames.start.0, frames.end.0 - 1].map(|frame| look(&video, frame, ""))
            });
            looks.push((what.clone(), looked));
        }
    }
    looks
}

/// Renders the clips and says at once what `fault` finds in any of their first and last frames.
fn assert_looks(clips: &[(String, PathBuf)], fault: impl Fn(usize, &Look) -> Option<String>) {
    let mut faults = Vec::new();
    for (at, (what, looks)) in rendered(clips).into_iter().enumerate() {
        match looks {
            Ok(looks) => {
                faults.extend(looks.iter().find_map(|look| fault(at, look)).map(|fault| format!("{what}: {fault}")))
            }
            Err(error) => faults.push(error),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The corners of the test picture: top left, top right, bottom left, bottom right.
const CORNERS: [&str; 4] = ["red", "green", "blue", "yellow"];

/// Filters that draw a gray picture with four corners of different colours, and a white mark left above its centre,
/// inside a border of `border` pixels of magenta at the left, top, right and bottom.
fn picture((width, height): (u32, u32), border: [u32; 4]) -> String {
    let [left, top, right, bottom] = border;
    let (w, h) = (width / 4, height / 4);
    let corner = |x: u32, y: u32, color: &str| format!("drawbox=x={x}:y={y}:w={w}:h={h}:c={color}:t=fill");
    format!(
        "color=0x808080:size={width}x{height}:rate=30:duration=0.1,format=rgb24,{},{},{},{},{},\
         pad={}:{}:{left}:{top}:0xFF00FF",
        corner(0, 0, "0xFF0000"),
        corner(width - w, 0, "0x00FF00"),
        corner(0, height - h, "0x0000FF"),
        corner(width - w, height - h, "0xFFFF00"),
        format_args!(
            "drawbox=x={}:y={}:w={}:h={}:c=white:t=fill",
            width * 3 / 8,
            height * 3 / 8,
            width / 8,
            height / 8
        ),
        width + left + right,
        height + top + bottom,
    )
}

fn drawn(extension: &str, size: (u32, u32), border: [u32; 4], options: &str) -> PathBuf {
    // Converted with the matrix that small untagged pictures have.
    clip(extension, &format!("-f lavfi -i {} {options}", picture(size, border)))
}

/// The corners of a picture that is shown through the matrix `(a, b, c, d)`: a corner at (x, y) of the coded picture,
/// counted from its centre, is shown at (a x + c y, b x + d y).
fn turned([a, b, c, d]: [i32; 4]) -> [&'static str; 4] {
    let place = |x: i32, y: i32| usize::from(x > 0) + 2 * usize::from(y > 0);
    let mut shown = [""; 4];
    for (x, y) in [(-1, -1), (1, -1), (-1, 1), (1, 1)] {
        shown[place(a * x + c * y, b * x + d * y)] = CORNERS[place(x, y)];
    }
    shown
}

/// The product of two matrices: the first is applied first.
fn then([a, b, c, d]: [i32; 4], [e, f, g, h]: [i32; 4]) -> [i32; 4] {
    [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]
}

/// The upper left of the shown picture at its place: what a matrix of a well-made file moves the picture by.
fn shift([a, b, c, d]: [i32; 4], (width, height): (i32, i32)) -> (i32, i32) {
    (-(0.min(a * width) + 0.min(c * height)), -(0.min(b * width) + 0.min(d * height)))
}

const UPRIGHT: [i32; 4] = [1, 0, 0, 1];
const QUARTER: [i32; 4] = [0, 1, -1, 0];
const HALF: [i32; 4] = [-1, 0, 0, -1];
const THREE_QUARTERS: [i32; 4] = [0, -1, 1, 0];
const ORIENTATIONS: [(&str, [i32; 4]); 8] = [
    ("upright", UPRIGHT),
    ("a quarter turn", QUARTER),
    ("half a turn", HALF),
    ("three quarter turns", THREE_QUARTERS),
    ("mirrored", [-1, 0, 0, 1]),
    ("upside down and mirrored", [1, 0, 0, -1]),
    ("mirrored along the main diagonal", [0, 1, 1, 0]),
    ("mirrored along the other diagonal", [0, -1, -1, 0]),
];

/// The test picture with matrices in its movie header and its track header, so coded that it is shown as 144x256.
fn oriented(name: &str, movie: [i32; 4], track: [i32; 4]) -> PathBuf {
    let size = if then(track, movie)[0] == 0 { (256, 144) } else { (144, 256) };
    let mut file = Mp4::open(&drawn("mp4", size, [0; 4], H264));
    let signed = (size.0 as i32, size.1 as i32);
    file.set_matrix("moov/mvhd", movie, if movie == UPRIGHT { (0, 0) } else { shift(movie, signed) });
    file.set_matrix("moov/trak/tkhd", track, shift(track, signed));
    file.save(&format!("oriented-{}", name.replace(' ', "-")))
}

#[test]
fn all_eight_orientations() {
    let clips = ORIENTATIONS.map(|(what, matrix)| (what.to_owned(), oriented(what, UPRIGHT, matrix)));
    for ((what, clip), (_, matrix)) in clips.iter().zip(ORIENTATIONS) {
        // The ffmpeg command turns pictures by itself.
        assert_eq!(look(clip, 0, "").corners(), turned(matrix), "ffmpeg's own idea of {what}");
    }
    let mut all: Vec<_> = ORIENTATIONS.iter().map(|(_, matrix)| turned(*matrix)).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8, "every orientation is told from every other");
    assert_looks(&clips, |at, look| {
        let matrix = ORIENTATIONS[at].1;
        let (seen, meant) = (look.corners(), turned(matrix));
        // The whole picture is there: a corner is a quarter of it in both directions.
        let corner = look.count("red") as f64 / (WIDTH * HEIGHT) as f64;
        // The mark's centre is a sixteenth of the size left and above the centre.
        let [a, b, c, d] = matrix;
        let place = |size: usize, to: i32| (size as i32 / 2 - to * size as i32 / 16) as usize;
        let (x, y) = (place(WIDTH, a + c), place(HEIGHT, b + d));
        let mark = name(look.at(x, y));
        let right = seen == meant && (0.055..0.07).contains(&corner) && mark == "white";
        (!right).then(|| format!("{seen:?}, not {meant:?}; red is {corner:.3} of it; {mark} at {x}, {y}"))
    });
}

#[test]
fn a_matrix_in_the_movie_header_counts_too() {
    let cases = [("movie quarter", QUARTER, UPRIGHT), ("movie half, track quarter", HALF, QUARTER)];
    let clips = cases.map(|(what, movie, track)| (what.to_owned(), oriented(what, movie, track)));
    for ((what, clip), (_, movie, track)) in clips.iter().zip(cases) {
        assert_eq!(look(clip, 0, "").corners(), turned(then(track, movie)), "ffmpeg's own idea of {what}");
    }
    assert_looks(&clips, |at, look| {
        let (seen, meant) = (look.corners(), turned(then(cases[at].2, cases[at].1)));
        (seen != meant).then(|| format!("{seen:?}, not {meant:?}"))
    });
}

/// A white disc on black in a picture of `size` whose pixels are `sar` as wide as high.
fn disc(extension: &str, (width, height): (u32, u32), sar: &str, options: &str) -> PathBuf {
    let (w, h) = (width / 2, height / 2);
    let inside = format!("geq=lum=if(lt(hypot((X-{w})*{sar}\\,Y-{h})\\,50)\\,235\\,16):cb=128:cr=128");
    clip(extension, &format!("-f lavfi -i color=black:size={width}x{height}:rate=30:duration=0.1,{inside} {options}"))
}

/// Width and height of what is white in a frame, in pixels of the look.
fn white_size(look: &Look) -> (usize, usize) {
    let white = |x: usize, y: usize| look.at(x, y)[0] > 128;
    let columns = (0..WIDTH).filter(|&x| (0..HEIGHT).any(|y| white(x, y))).count();
    let rows = (0..HEIGHT).filter(|&y| (0..WIDTH).any(|x| white(x, y))).count();
    (columns, rows)
}

#[test]
fn a_circle_stays_round_whatever_the_shape_of_the_pixels() {
    let both = |size, sar: &str| disc("mp4", size, sar, &format!("-vf setsar={sar} {H264}"));
    let square = disc("mp4", (216, 256), "2/3", H264);
    let container = clip("mp4", &format!("-i {} -c copy -aspect 9:16", square.display()));
    // Without any shape, so that the container has none either.
    let unknown = disc("mp4", (216, 256), "2/3", &format!("-vf setsar=0 {H264}"));
    let bitstream =
        clip("mp4", &format!("-i {} -c copy -bsf:v h264_metadata=sample_aspect_ratio=2/3", unknown.display()));
    let pasp = fs::read(&bitstream).expect("is there").windows(4).any(|window| window == b"pasp");
    assert!(!pasp, "the container says nothing of the shape");
    let in_matroska = disc("mkv", (216, 256), "2/3", &format!("-vf setsar=2/3 {H264}"));
    let in_webm = disc("webm", (216, 256), "2/3", "-vf setsar=2/3 -c:v libvpx-vp9 -deadline realtime -cpu-used 8");
    let rotated = {
        // A picture of 170.7x96 square pixels before the quarter turn.
        let coded = disc("mp4", (256, 96), "2/3", &format!("-vf setsar=2/3 {H264}"));
        let mut file = Mp4::open(&coded);
        file.set_matrix("moov/trak/tkhd", QUARTER, (96, 0));
        file.save("disc-turned")
    };
    let clips = [
        ("2:3", both((216, 256), "2/3")),
        ("64:45", both((90, 228), "64/45")),
        ("2:3 in the container only", container),
        ("2:3 in the bitstream only", bitstream),
        ("2:3 in Matroska", in_matroska),
        ("2:3 in WebM", in_webm),
        ("3:2 after a turn", rotated),
        ("square", disc("mp4", (144, 256), "1", H264)),
    ]
    .map(|(what, clip)| (what.to_owned(), clip));
    let of = |clip: &Path| ffprobe(clip, "-show_entries stream=sample_aspect_ratio")["streams"][0].clone();
    for (what, clip) in &clips[..7] {
        assert_ne!(of(clip)["sample_aspect_ratio"], "1:1", "{what} has no square pixels");
    }
    assert_looks(&clips, |_, look| {
        let (width, height) = white_size(look);
        let round = height > 40 && height < HEIGHT && (width as f64 / height as f64 - 1.0).abs() < 0.04;
        (!round).then(|| format!("a disc of {width}x{height}"))
    });
    // The measure notices the shape that was coded.
    let (width, height) = white_size(&look(&square, 0, ""));
    assert!(width.abs_diff(height) <= 4, "ffmpeg stretches 216x256 to the canvas: {width}x{height}");
    let (width, height) = white_size(&look(&square, 0, "crop=144:256,"));
    assert!(width > height + 20, "without its shape the disc is {width}x{height}");
}

#[test]
fn odd_sizes_and_sizes_that_are_coded_larger() {
    let vp9 = "-pix_fmt yuv420p -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 10 -b:v 0";
    let full = "-c:v libx264 -preset ultrafast -pix_fmt yuv444p";
    let halves = |extension: &str, size: &str, options: &str| {
        let options = format!(
            "-f lavfi -i color=0xFF0000:size={size}:rate=30:duration=0.1,format=rgb24,\
             drawbox=y=ih/2:h=ih:c=0x0000FF:t=fill {options}"
        );
        clip(extension, &options)
    };
    let clips = [
        ("161x121 VP9", halves("webm", "161x121", vp9)),
        ("271x481 VP9", halves("webm", "271x481", vp9)),
        ("161x121 H.264 4:4:4", halves("mp4", "161x121", full)),
        ("271x481 H.264 4:4:4", halves("mp4", "271x481", full)),
        ("1080x1920, coded 1088 wide", halves("mp4", "1080x1920", H264)),
        ("1920x1080, coded 1088 high", halves("mp4", "1920x1080", H264)),
        ("146x258", halves("mp4", "146x258", H264)),
        ("17x31 VP9", halves("webm", "17x31", vp9)),
    ]
    .map(|(what, clip)| (what.to_owned(), clip));
    assert_looks(&clips, |_, look| {
        let (edge, meant) = (look.outermost_corners(), ["red", "red", "blue", "blue"]);
        let (red, blue) = (look.count("red"), look.count("blue"));
        // A few rows are between the two.
        let filled = red + blue + 10 * WIDTH > WIDTH * HEIGHT && red.abs_diff(blue) < 10 * WIDTH;
        (edge != meant || !filled).then(|| format!("{edge:?}, {red} red and {blue} blue of {}", WIDTH * HEIGHT))
    });
}

/// What is wrong with a frame that must show the test picture and nothing of its border.
fn border_fault(look: &Look) -> Option<String> {
    let (magenta, corners, edge) = (look.count("magenta"), look.corners(), look.outermost_corners());
    let ok = magenta == 0 && corners == CORNERS && edge == CORNERS;
    (!ok).then(|| format!("{magenta} magenta pixels, corners {corners:?}, {edge:?} at the edge"))
}

#[test]
fn what_the_bitstream_crops_is_not_shown() {
    let border = drawn("mp4", (144, 256), [16, 32, 16, 32], H264);
    assert!(look(&border, 0, "").count("magenta") > 1000, "the border is seen if nothing is cut");
    let cropped = |extension: &str, file: &Path, crop: &str| {
        clip(extension, &format!("-i {} -c copy -bsf:v h264_metadata={crop}", file.display()))
    };
    let all = "crop_left=16:crop_right=16:crop_top=32:crop_bottom=32";
    let uneven = drawn("mp4", (144, 256), [0, 0, 16, 32], H264);
    let clips = [
        ("all sides in Matroska", cropped("mkv", &border, all)),
        ("all sides in MP4", cropped("mp4", &border, all)),
        ("right and bottom in MP4", cropped("mp4", &uneven, "crop_right=16:crop_bottom=32")),
    ]
    .map(|(what, clip)| (what.to_owned(), clip));
    for (what, clip) in &clips {
        // By default FFmpeg cuts less at the left than it was told, for the sake of alignment.
        let scale = format!("scale={WIDTH}:{HEIGHT}:flags=area,format=rgb24");
        let cut = ffmpeg(clip, &format!("-flags unaligned -i FILE -vf {scale} -frames:v 1 -f rawvideo -"));
        assert_eq!(border_fault(&Look(cut)), None, "ffmpeg's own idea of {what}");
    }
    assert_looks(&clips, |_, look| border_fault(look));
}

/// The test picture in a border, with a clean aperture that leaves the border out: ISO/IEC 14496-12, 12.1.4.
fn with_clean_aperture(name: &str, border: [u32; 4], matrix: [i32; 4]) -> PathBuf {
    let size = if matrix[0] == 0 { (256, 144) } else { (144, 256) };
    let [left, top, right, bottom] = border;
    let mut file = Mp4::open(&drawn("mp4", size, border, H264));
    // The offsets are those of the aperture's centre from the picture's, in halves.
    let across = i64::from(left) - i64::from(right);
    let down = i64::from(top) - i64::from(bottom);
    let fields = [i64::from(size.0), 1, i64::from(size.1), 1, across, 2, down, 2];
    let payload: Vec<u8> = fields.into_iter().flat_map(|field| (field as i32).to_be_bytes()).collect();
    file.add("moov/trak/mdia/minf/stbl/stsd/avc1", "clap", &payload);
    let coded = ((size.0 + left + right) as i32, (size.1 + top + bottom) as i32);
    file.set_matrix("moov/trak/tkhd", matrix, shift(matrix, coded));
    file.save(name)
}

#[test]
fn what_lies_outside_of_the_clean_aperture_is_not_shown() {
    let clips = [
        ("a border all around", [16, 16, 16, 16], UPRIGHT),
        ("a border at the right and the bottom", [0, 0, 16, 32], UPRIGHT),
        ("a border at the left and the top", [16, 32, 0, 0], UPRIGHT),
        ("a border of a picture that is turned", [32, 0, 0, 16], HALF),
    ]
    .map(|(what, border, matrix)| {
        (what.to_owned(), with_clean_aperture(&format!("clap-{}", what.replace(' ', "-")), border, matrix))
    });
    for (what, clip) in &clips {
        assert!(look(clip, 0, "").count("magenta") > 500, "{what} is there, and can be decoded");
    }
    for ((what, clip), (left, top)) in clips.iter().zip([(16, 16), (0, 0), (16, 32)]) {
        assert_eq!(border_fault(&look(clip, 0, &format!("crop=144:256:{left}:{top},"))), None, "{what}, cut by ffmpeg");
    }
    assert_looks(&clips, |at, look| {
        if at < 3 {
            return border_fault(look);
        }
        let (magenta, corners) = (look.count("magenta"), look.corners());
        (magenta > 0 || corners != turned(HALF)).then(|| format!("{magenta} magenta pixels, corners {corners:?}"))
    });
}

/// Two parts of different sizes in one stream, as a screen recorder writes when the window changes.
#[test]
fn a_stream_that_changes_its_size_fills_the_canvas_all_the_way() {
    let part = |size: (u32, u32)| drawn("h264", size, [0; 4], &format!("{H264} -bf 0"));
    let joined = |extension: &str, first: (u32, u32), second: (u32, u32)| {
        let bytes = [first, second].map(|size| fs::read(part(size)).expect("is there")).concat();
        let name = format!("joined-{}.h264", &blake3::hash(&bytes).to_hex()[..16]);
        let stream = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&stream, bytes).expect("can be written");
        clip(
            extension,
            &format!(
                "-fflags +genpts -framerate 30 -f h264 -i {} -c copy -bsf:v setts=pts=N*40000:dts=N*40000",
                stream.display()
            ),
        )
    };
    let clips = [
        ("144x256, then 288x512, in Matroska", joined("mkv", (144, 256), (288, 512))),
        ("288x512, then 144x256, in MP4", joined("mp4", (288, 512), (144, 256))),
        ("144x256, then 180x320, in MP4", joined("mp4", (144, 256), (180, 320))),
        ("270x480, then 144x256, in Matroska", joined("mkv", (270, 480), (144, 256))),
    ]
    .map(|(what, clip)| (what.to_owned(), clip));
    for (what, clip) in &clips {
        let found = ffprobe(clip, "-select_streams v:0 -show_entries frame=width");
        let widths: Vec<_> =
            found["frames"].as_array().expect("a list").iter().map(|frame| frame["width"].clone()).collect();
        assert!(widths.len() == 6 && widths[0] != widths[5], "{what}: {widths:?}");
        let scale = format!("scale={WIDTH}:{HEIGHT}:flags=area,format=rgb24");
        let pictures = ffmpeg(clip, &format!("-i FILE -an -vf {scale} -f rawvideo -"));
        let whole = |picture: &[u8]| border_fault(&Look(picture.to_vec())).is_none();
        assert!(pictures.chunks(3 * WIDTH * HEIGHT).all(whole), "{what}: ffmpeg shows both parts alike");
    }
    assert_looks(&clips, |_, look| border_fault(look));
}

#[test]
fn colours_are_told_apart() {
    let clip = drawn("mp4", (144, 256), [0; 4], H264);
    let look = look(&clip, 0, "");
    assert_eq!((look.corners(), look.outermost_corners()), (CORNERS, CORNERS));
    assert_eq!(name(look.at(WIDTH * 7 / 16, HEIGHT * 7 / 16)), "white");
    assert!(border_fault(&look).is_none());
    let outside =
        ffmpeg(&clip, "-i FILE -frames:v 1 -vf pad=160:272:8:8:0xFF00FF,scale=108:192,format=rgb24 -f rawvideo -");
    assert!(border_fault(&Look(outside)).is_some(), "a border is noticed");
}
