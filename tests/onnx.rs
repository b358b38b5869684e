//! Other faces by ONNX models: small graphs that the tests write themselves.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod graphs;

use std::fs;
use std::path::PathBuf;

use graphs::Graph;
use remix_engine::Error;
use remix_engine::performer::{FrameTransform, OnnxPerformer, Replacement, RgbFrame, ShotTransform};

const W: usize = 400;
const H: usize = 300;
/// ArcFace's landmarks in 112 pixels.
const TEMPLATE: [[f64; 2]; 5] =
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]];

/// Where a face of the template lies in the picture: scale, turn in degrees, and place of the square's middle.
#[derive(Clone, Copy)]
struct Place {
    scale: f64,
    degrees: f64,
    middle: [f64; 2],
}

impl Place {
    fn of(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (x, y) = ((x - 55.5) * self.scale, (y - 55.5) * self.scale);
        [cos * x - sin * y + self.middle[0], sin * x + cos * y + self.middle[1]]
    }

    /// Place of the picture in the square.
    fn back(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (x, y) = (x - self.middle[0], y - self.middle[1]);
        [(cos * x + sin * y) / self.scale + 55.5, (cos * y - sin * x) / self.scale + 55.5]
    }

    fn row(&self, score: f32) -> Vec<f32> {
        let points = TEMPLATE.map(|point| self.of(point));
        let side = 112.0 * self.scale;
        let mut row: Vec<f64> = vec![self.middle[0] - side / 2.0, self.middle[1] - side / 2.0, side, side];
        row.extend(points.as_flattened());
        row.iter().map(|value| *value as f32).chain([score]).collect()
    }
}

const PLACES: [Place; 4] = [
    Place { scale: 1.0, degrees: 0.0, middle: [200.0, 150.0] },
    Place { scale: 1.7, degrees: 25.0, middle: [190.0, 140.5] },
    Place { scale: 0.6, degrees: -80.0, middle: [90.3, 200.0] },
    Place { scale: 2.0, degrees: 175.0, middle: [210.0, 155.0] },
];

/// Frames as they lie in these tests.
trait Frames {
    fn frame(&mut self, rgb: &[u8], width: u32, height: u32) -> Result<Vec<Replacement>, Error>;
}

impl Frames for Box<dyn ShotTransform> {
    fn frame(&mut self, rgb: &[u8], width: u32, height: u32) -> Result<Vec<Replacement>, Error> {
        self.next(RgbFrame { width, height, rgb })
    }
}

/// A folder of its own for a test, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("performer-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> &Self {
        fs::write(self.0.join(name), bytes).unwrap();
        self
    }

    fn load(&self, json: &str) -> Result<OnnxPerformer, Error> {
        self.put("performer.json", json.as_bytes());
        OnnxPerformer::load(&self.0.join("performer.json"))
    }

    /// Detector and swapper alone, with a square of 112.
    fn simple(&self, detector: &[u8], swapper: &[u8]) -> Result<OnnxPerformer, Error> {
        self.put("d.onnx", detector).put("s.onnx", swapper).load(SIMPLE)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SIMPLE: &str = r#"{"detector": {"file": "d.onnx", "width": 400, "height": 300, "outputs": "decoded"},
    "swapper": {"file": "s.onnx", "size": 112}}"#;

fn fixed(rows: &[Vec<f32>]) -> Vec<u8> {
    let dims = [1, rows.len() as i64, 15];
    Graph::default()
        .input("input", &[1, 3, H as i64, W as i64])
        .constant("input", "faces", &dims, &rows.concat())
        .output("faces", &dims)
        .model()
}

const SQUARE: [i64; 4] = [1, 3, 112, 112];

fn swapper() -> Graph {
    Graph::default().input("target", &SQUARE).output("output", &SQUARE)
}

fn same() -> Vec<u8> {
    swapper().floats("none", &[], &[0.0]).node("Add", &["target", "none"], "output").model()
}

fn inverting() -> Vec<u8> {
    swapper().floats("one", &[], &[1.0]).node("Sub", &["one", "target"], "output").model()
}

/// Paints white discs of radius 2.5 onto black, where the template has its landmarks.
fn marking() -> Vec<u8> {
    let mut plane = vec![0.0; 112 * 112];
    for (index, value) in plane.iter_mut().enumerate() {
        let (x, y) = ((index % 112) as f64, (index / 112) as f64);
        if TEMPLATE.iter().any(|[u, v]| (x - u).hypot(y - v) <= 2.5) {
            *value = 1.0;
        }
    }
    swapper().constant("target", "output", &SQUARE, &[plane.clone(), plane.clone(), plane].concat()).model()
}

/// Finds the middle of what is brighter than 200 and tells a face of 112 around it.
fn following() -> Vec<u8> {
    let grid = |value: fn(usize) -> usize| (0..W * H).map(|index| value(index) as f32).collect::<Vec<_>>();
    let dims = [1, 1, H as i64, W as i64];
    let row = Place { scale: 1.0, degrees: 0.0, middle: [0.0, 0.0] }.row(0.9);
    let pairs: Vec<f32> = [0, 1]
        .iter()
        .flat_map(|axis| {
            (0..15).map(move |i| {
                f32::from(u8::from(match i {
                    0 | 1 => i == *axis,
                    4..=13 => i % 2 == *axis,
                    _ => false,
                }))
            })
        })
        .collect();
    Graph::default()
        .input("input", &[1, 3, H as i64, W as i64])
        .output("faces", &[1, 15])
        .floats("x", &dims, &grid(|index| index % W))
        .floats("y", &dims, &grid(|index| index / W))
        .floats("limit", &[], &[200.0])
        .floats("little", &[], &[1e-3])
        .floats("pairs", &[2, 15], &pairs)
        .floats("row", &[1, 15], &row)
        .integers("two", &[1, 1])
        .node_with("ReduceMean", &["input"], "grey", &[("axes", &[1]), ("keepdims", &[1])])
        .node("Sub", &["grey", "limit"], "above")
        .node("Relu", &["above"], "bright")
        .node_with("ReduceMean", &["bright"], "sum0", &[("keepdims", &[0])])
        .node("Add", &["sum0", "little"], "sum")
        .node("Mul", &["bright", "x"], "bx")
        .node("Mul", &["bright", "y"], "by")
        .node_with("ReduceMean", &["bx"], "sx", &[("keepdims", &[0])])
        .node_with("ReduceMean", &["by"], "sy", &[("keepdims", &[0])])
        .node("Div", &["sx", "sum"], "cx0")
        .node("Div", &["sy", "sum"], "cy0")
        .node("Reshape", &["cx0", "two"], "cx")
        .node("Reshape", &["cy0", "two"], "cy")
        .node_with("Concat", &["cx", "cy"], "centre", &[("axis", &[1])])
        .node("MatMul", &["centre", "pairs"], "shift")
        .node("Add", &["shift", "row"], "faces")
        .model()
}

/// A smooth picture: a share of a colour wave in each channel, none of it flat.
fn waves() -> Vec<u8> {
    let wave = |x: f64, y: f64, k: f64| (127.5 + 100.0 * ((x * k).sin() * (y * k * 0.7).cos())).round() as u8;
    (0..W * H)
        .flat_map(|index| {
            let (x, y) = ((index % W) as f64, (index / W) as f64);
            [wave(x, y, 0.05), wave(y, x, 0.07), wave(x + y, y, 0.04)]
        })
        .collect()
}

/// Puts replacements onto a picture as a caller does.
fn composite(rgb: &[u8], replacements: &[Replacement]) -> Vec<u8> {
    let mut out = rgb.to_vec();
    for part in replacements {
        assert!(part.x as usize + part.width as usize <= W && part.y as usize + part.height as usize <= H);
        assert_eq!(part.rgb.len(), part.mask.len() * 3);
        assert_eq!(part.mask.len(), (part.width * part.height) as usize);
        for (index, (new, mask)) in part.rgb.chunks_exact(3).zip(&part.mask).enumerate() {
            let x = part.x as usize + index % part.width as usize;
            let y = part.y as usize + index / part.width as usize;
            for (channel, new) in new.iter().enumerate() {
                let old = &mut out[(y * W + x) * 3 + channel];
                let share = f64::from(*mask) / 255.0;
                *old = (f64::from(*old) + (f64::from(*new) - f64::from(*old)) * share).round() as u8;
            }
        }
    }
    out
}

fn run(performer: &OnnxPerformer, rgb: &[u8]) -> Vec<Replacement> {
    performer.begin().unwrap().frame(rgb, W as u32, H as u32).unwrap()
}

#[test]
fn face_is_replaced_where_it_is_and_nowhere_else() {
    let folder = Folder::new("where");
    let before = waves();
    for (index, place) in PLACES.iter().enumerate() {
        let performer = folder.simple(&fixed(&[place.row(0.9)]), &inverting()).unwrap();
        let after = composite(&before, &run(&performer, &before));
        if let (0 | 1, Ok(path)) = (index, std::env::var("PERFORMER_PICTURES")) {
            let both = [before.clone(), after.clone()].concat();
            image::save_buffer(
                format!("{path}/inverted-{index}.png"),
                &both,
                W as u32,
                2 * H as u32,
                image::ColorType::Rgb8,
            )
            .unwrap();
        }
        let (mut inside, mut outside) = (0, 0);
        for index in 0..W * H {
            let [u, v] = place.back([(index % W) as f64, (index / W) as f64]);
            let from_middle = (u - 55.5).abs().max((v - 55.5).abs());
            let pixel = index * 3..index * 3 + 3;
            if from_middle > 56.0 {
                outside += 1;
                assert_eq!(before[pixel.clone()], after[pixel], "pixel {index}");
            } else if from_middle < 30.0 {
                inside += 1;
                for (old, new) in before[pixel.clone()].iter().zip(&after[pixel]) {
                    assert!((255 - i16::from(*old) - i16::from(*new)).abs() <= 3, "pixel {index}: {old} {new}");
                }
            }
        }
        assert!(inside > 1000 && outside > 10_000);
    }
}

#[test]
fn landmarks_of_the_square_land_on_those_of_the_face() {
    let folder = Folder::new("landmarks");
    for place in PLACES {
        let performer = folder.simple(&fixed(&[place.row(0.9)]), &marking()).unwrap();
        // As painted, without the mask: the mask's rise would weigh the picture into the marks of the mouth.
        let mut parts = run(&performer, &waves());
        parts[0].mask.iter_mut().filter(|mask| **mask > 0).for_each(|mask| *mask = 255);
        let after = composite(&waves(), &parts);
        for landmark in TEMPLATE {
            let [x, y] = place.of(landmark);
            let reach = (5.0 * place.scale) as i64 + 1;
            let (mut sum, mut sx, mut sy) = (0.0, 0.0, 0.0);
            for py in y as i64 - reach..=y as i64 + reach {
                for px in x as i64 - reach..=x as i64 + reach {
                    let value = f64::from(after[(py as usize * W + px as usize) * 3]);
                    sum += value;
                    sx += value * px as f64;
                    sy += value * py as f64;
                }
            }
            assert!(sum > 500.0, "no mark near {x}, {y}");
            let error = (sx / sum - x).hypot(sy / sum - y);
            assert!(error < 0.7 * place.scale.max(1.0), "mark is {error} from {x}, {y} at scale {}", place.scale);
        }
    }
}

#[test]
fn unchanged_face_gives_the_picture_back() {
    let folder = Folder::new("same");
    let before = waves();
    for place in PLACES {
        let performer = folder.simple(&fixed(&[place.row(0.9)]), &same()).unwrap();
        let (mut sum, mut count) = (0.0, 0.0);
        for part in run(&performer, &before) {
            for (index, (new, mask)) in part.rgb.chunks_exact(3).zip(&part.mask).enumerate() {
                if *mask > 0 {
                    let x = part.x as usize + index % part.width as usize;
                    let y = part.y as usize + index / part.width as usize;
                    for (new, old) in new.iter().zip(&before[(y * W + x) * 3..]) {
                        sum += (f64::from(*new) - f64::from(*old)).powi(2);
                        count += 1.0;
                    }
                }
            }
        }
        assert!(count > 3000.0);
        let psnr = 10.0 * (255.0_f64.powi(2) * count / sum).log10();
        assert!(psnr > 35.0, "{psnr} dB at scale {}", place.scale);
    }
}

#[test]
fn mask_has_no_hard_edge() {
    let folder = Folder::new("edge");
    let performer = folder.simple(&fixed(&[PLACES[1].row(0.9)]), &inverting()).unwrap();
    let parts = run(&performer, &waves());
    let part = &parts[0];
    let (width, height) = (part.width as usize, part.height as usize);
    let at = |x: usize, y: usize| i16::from(part.mask[y * width + x]);
    for y in 0..height {
        for x in 0..width {
            if x == 0 || y == 0 || x == width - 1 || y == height - 1 {
                assert!(at(x, y) <= 14, "the region's edge at {x}, {y} has {}", at(x, y));
            }
            if x > 0 && y > 0 {
                // 112 * 1.7 * 0.14 is a rise over 26 pixels; its steepest step is 1.5 * 255 / 26.
                assert!((at(x, y) - at(x - 1, y)).abs() <= 16 && (at(x, y) - at(x, y - 1)).abs() <= 16);
            }
        }
    }
    assert_eq!(*part.mask.iter().max().unwrap(), 255);
}

#[test]
fn models_mask_is_kept() {
    let folder = Folder::new("mask");
    let mask: Vec<f32> = (0..112 * 112).map(|index| if index % 112 < 56 { 0.0 } else { 1.0 }).collect();
    let swapper = swapper()
        .floats("one", &[], &[1.0])
        .node("Sub", &["one", "target"], "output")
        .constant("target", "mask", &[1, 1, 112, 112], &mask)
        .output("mask", &[1, 1, 112, 112])
        .model();
    let performer = folder.simple(&fixed(&[PLACES[0].row(0.9)]), &swapper).unwrap();
    let before = waves();
    let after = composite(&before, &run(&performer, &before));
    let pixel = |rgb: &[u8], x: usize| rgb[(150 * W + x) * 3];
    assert_eq!(pixel(&after, 180), pixel(&before, 180));
    assert_ne!(pixel(&after, 220), pixel(&before, 220));
}

#[test]
fn small_faces_and_unsure_ones_are_left() {
    let folder = Folder::new("small");
    let small = Place { scale: 0.2, ..PLACES[0] };
    let performer = folder.simple(&fixed(&[small.row(0.9), PLACES[2].row(0.5)]), &inverting()).unwrap();
    assert_eq!(run(&performer, &waves()), []);
    let broken = vec![f32::NAN; 15];
    let mut far = PLACES[0].row(0.95);
    far[4..14].fill(f32::INFINITY);
    let performer = folder.simple(&fixed(&[broken, far, PLACES[2].row(0.8)]), &inverting()).unwrap();
    assert_eq!(run(&performer, &waves()).len(), 1);
}

#[test]
fn face_over_the_edge_of_the_picture_stays_in_it() {
    let folder = Folder::new("over");
    let place = Place { middle: [5.0, 290.0], ..PLACES[1] };
    let performer = folder.simple(&fixed(&[place.row(0.9)]), &inverting()).unwrap();
    let parts = run(&performer, &waves());
    assert_eq!(parts[0].x, 0);
    assert_eq!(parts[0].y + parts[0].height, H as u32);
    composite(&waves(), &parts);
}

#[test]
fn yunets_grids_are_decoded() {
    let folder = Folder::new("yunet");
    // A face in cell (4, 3) of the grid of 16 in an input of 128x128: middle (4 + 0.5) * 16, (3 + 0.25) * 16, side e^1.5 * 16.
    let (w, h) = (128_usize, 128_usize);
    let heads = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
    let points: Vec<f32> = TEMPLATE
        .iter()
        .flat_map(|[x, y]| {
            [(((x - 55.5) * 0.6 + 72.0) / 16.0 - 4.0) as f32, (((y - 55.5) * 0.6 + 52.0) / 16.0 - 3.0) as f32]
        })
        .collect();
    let build = |score: f32, wrong: bool| {
        let mut graph = Graph::default().input("input", &[1, 3, h as i64, w as i64]);
        for (head, width) in heads {
            for stride in [8_usize, 16, 32] {
                let cells = (w / stride) * (h / stride);
                let mut values = vec![0.0; cells * width];
                if stride == 16 {
                    let cell = 3 * (w / stride) + 4;
                    let held = match head {
                        "cls" => vec![score],
                        "obj" => vec![1.3],
                        "bbox" => vec![0.5, 0.25, 1.5, 1.5],
                        _ => points.clone(),
                    };
                    values[cell * width..(cell + 1) * width].copy_from_slice(&held);
                }
                let cells = if wrong && head == "kps" { cells + 1 } else { cells };
                values.resize(cells * width, 0.0);
                let (name, dims) = (format!("{head}_{stride}"), [1, cells as i64, width as i64]);
                graph = graph.constant("input", &name, &dims, &values).output(&name, &dims);
            }
        }
        graph.model()
    };
    let json = r#"{"detector": {"file": "d.onnx", "width": 128, "height": 128},
        "swapper": {"file": "s.onnx", "size": 112}}"#;
    folder.put("d.onnx", &build(0.64, false)).put("s.onnx", &marking());
    // 256x256 into 128x128: twice as far in the picture, with centres of pixels as whole numbers.
    let rgb = vec![90; 256 * 256 * 3];
    let parts = folder.load(json).unwrap().begin().unwrap().frame(&rgb, 256, 256).unwrap();
    let part = &parts[0];
    let [x, y] = TEMPLATE[2].map(|value| (value - 55.5) * 0.6).map(|value| value * 2.0);
    let (x, y) = (x + 144.5 - f64::from(part.x), y + 104.5 - f64::from(part.y));
    let at = |x: f64, y: f64| part.rgb[(y.round() as usize * part.width as usize + x.round() as usize) * 3];
    assert!(at(x, y) > 200, "the nose is {}", at(x, y));
    assert!(at(x + 6.0, y) < 50 && at(x, y - 6.0) < 50);
    // The square root of 0.35 * 1 is 0.59: below 0.6.
    let parts =
        folder.put("d.onnx", &build(0.35, false)).load(json).unwrap().begin().unwrap().frame(&rgb, 256, 256).unwrap();
    assert_eq!(parts, []);
    let error = folder.put("d.onnx", &build(0.64, true)).load(json).unwrap_err();
    assert!(error.message().contains("kps_8") && error.message().contains("[1, 256, 10]"), "{error}");
}

/// target * 0 + source as colours: three numbers of length 1.
fn tinting(sides: i64) -> Graph {
    Graph::default()
        .input("source", &[1, sides])
        .input("target", &SQUARE)
        .output("output", &SQUARE)
        .floats("zero", &[], &[0.0])
        .integers("shape", &[1, 3, 1, 1])
        .node("Reshape", &["source", "shape"], "colour")
        .node("Mul", &["target", "zero"], "black")
        .node("Add", &["black", "colour"], "output")
}

fn averaging() -> Vec<u8> {
    Graph::default()
        .input("input", &[1, 3, 112, 112])
        .output("means", &[1, 3])
        .node_with("ReduceMean", &["input"], "means", &[("axes", &[2, 3]), ("keepdims", &[0])])
        .model()
}

const WHOLE: &str = r#"{"detector": {"file": "d.onnx", "width": 400, "height": 300, "outputs": "decoded"},
    "swapper": {"file": "s.onnx", "size": 112}, "face": "f.png",
    "embedder": {"file": "e.onnx", "mean": 0, "std": 255}}"#;

fn with_face(folder: &Folder, swapper: &[u8]) -> Result<OnnxPerformer, Error> {
    let mut png = std::io::Cursor::new(Vec::new());
    let face: Vec<u8> = [30, 40, 120].repeat(W * H);
    image::write_buffer_with_format(
        &mut png,
        &face,
        W as u32,
        H as u32,
        image::ColorType::Rgb8,
        image::ImageFormat::Png,
    )
    .unwrap();
    folder.put("f.png", png.get_ref()).put("e.onnx", &averaging()).put("s.onnx", swapper);
    folder.put("d.onnx", &fixed(&[PLACES[0].row(0.9)])).load(WHOLE)
}

#[test]
fn source_is_the_faces_embedding_of_length_one() {
    let folder = Folder::new("source");
    let performer = with_face(&folder, &tinting(3).model()).unwrap();
    let after = composite(&waves(), &run(&performer, &waves()));
    // (30, 40, 120) over its length of 130.
    let expected = [30, 40, 120].map(|value| f64::from(value) / 130.0 * 255.0);
    for (value, expected) in after[(150 * W + 200) * 3..][..3].iter().zip(expected) {
        assert!((f64::from(*value) - expected).abs() < 1.0, "{value} {expected}");
    }
}

#[test]
fn embedding_is_projected_by_the_last_initializer() {
    let folder = Folder::new("projected");
    let turn = [0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0];
    let swapper = tinting(3).floats("emap", &[3, 3], &turn).node("Identity", &["emap"], "unused").model();
    folder.put("s.onnx", &swapper);
    with_face(&folder, &swapper).unwrap();
    let performer =
        folder.load(&WHOLE.replace(r#""size": 112}"#, r#""size": 112, "projection": "lastInitializer"}"#)).unwrap();
    let after = composite(&waves(), &run(&performer, &waves()));
    // (30, 40, 120) times the matrix is (120, 30, 80), of length 147.3.
    let expected = [120.0, 30.0, 80.0].map(|value: f64| value / 21_700_f64.sqrt() * 255.0);
    for (value, expected) in after[(150 * W + 200) * 3..][..3].iter().zip(expected) {
        assert!((f64::from(*value) - expected).abs() < 1.0, "{value} {expected}");
    }
}

#[test]
fn wrong_shapes_are_told() {
    let folder = Folder::new("shapes");
    let face = fixed(&[PLACES[0].row(0.9)]);
    let tell = |result: Result<OnnxPerformer, Error>, words: &[&str]| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "PERFORMER_UNAVAILABLE", "{error}");
        assert!(error.suggestion().is_some());
        words.iter().for_each(|word| assert!(error.message().contains(word), "{error}"));
    };
    tell(with_face(&folder, &tinting(4).model()), &["s.onnx", "source", "[1, 4]", "[1, 3]"]);
    tell(with_face(&folder, &same()), &["s.onnx", "1 inputs", "2 are"]);
    tell(folder.simple(&face, &tinting(3).model()), &["s.onnx", "2 inputs", "1 are"]);
    let wide = Graph::default().input("target", &[1, 3, 64, 64]).output("output", &[1, 3, 64, 64]);
    tell(folder.simple(&face, &wide.node("Relu", &["target"], "output").model()), &["s.onnx", "[1, 3, 64, 64]", "112"]);
    let flat = Graph::default().input("target", &SQUARE).output("output", &[1, 3]);
    let flat = flat.node_with("ReduceMean", &["target"], "output", &[("axes", &[2, 3]), ("keepdims", &[0])]);
    tell(folder.simple(&face, &flat.model()), &["s.onnx", "output", "[1, 3]", "[1, 3, 112, 112]"]);
    tell(folder.simple(&same(), &same()), &["d.onnx", "[1, 3, 112, 112]", "300, 400"]);
    let rows = Graph::default().input("i", &[1, 3, 300, 400]).constant("i", "o", &[1, 2, 14], &[0.0; 28]);
    tell(folder.simple(&rows.output("o", &[1, 2, 14]).model(), &same()), &["d.onnx", "[1, 2, 14]", "[N, 15]"]);
    let nan = swapper().floats("nan", &[], &[f32::NAN]).node("Add", &["target", "nan"], "output").model();
    tell(folder.simple(&face, &nan), &["s.onnx", "no numbers"]);
}

#[test]
fn bad_files_are_told() {
    let folder = Folder::new("bad");
    let (face, good) = (fixed(&[PLACES[0].row(0.9)]), same());
    folder.put("d.onnx", &face);
    assert_eq!(folder.load(SIMPLE).unwrap_err().code(), "PERFORMER_UNAVAILABLE");
    assert_eq!(folder.load("[]").unwrap_err().code(), "PERFORMER_UNAVAILABLE");
    assert_eq!(folder.load(&" ".repeat(70_000)).unwrap_err().code(), "PERFORMER_UNAVAILABLE");
    let missing = OnnxPerformer::load(&folder.0.join("nothing.json")).unwrap_err();
    assert_eq!(missing.code(), "PERFORMER_UNAVAILABLE");
    for bytes in [&b""[..], b"garbage", &[0; 64], &[0xff; 4096]] {
        assert_eq!(folder.simple(&face, bytes).unwrap_err().code(), "PERFORMER_UNAVAILABLE");
    }
    // Cut anywhere, it is an error or, after the graph, the same model; never a panic.
    let detector = Graph::default().input("i", &[1, 3, 32, 32]);
    folder.put("d.onnx", &detector.constant("i", "o", &[1, 15], &[0.0; 15]).output("o", &[1, 15]).model());
    let json = SIMPLE.replace("400", "32").replace("300", "32");
    let mut errors = 0;
    for length in 0..good.len() {
        errors += u32::from(folder.put("s.onnx", &good[..length]).load(&json).is_err());
    }
    assert!(errors as usize + 20 > good.len(), "{errors} of {}", good.len());
    // One bit wrong anywhere: any result, but never a panic.
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = folder.put("s.onnx", &bytes).load(&json);
    }
}

#[test]
fn shapes_that_would_take_all_memory_are_refused() {
    let folder = Folder::new("huge");
    let face = fixed(&[PLACES[0].row(0.9)]);
    let huge = swapper().integers("shape", &[1 << 20, 1 << 20]).node("ConstantOfShape", &["shape"], "zeros").node(
        "Add",
        &["target", "zeros"],
        "output",
    );
    let error = folder.simple(&face, &huge.model()).unwrap_err();
    assert!(error.message().contains("ConstantOfShape"), "{error}");
    let padded = swapper().floats("k", &[3, 3, 1, 1], &[0.0; 9]);
    let padded = padded.node_with("Conv", &["target", "k"], "output", &[("pads", &[1 << 40, 0, 0, 0])]);
    assert!(folder.simple(&face, &padded.model()).unwrap_err().message().contains("pads"));
    let hollow = swapper().floats("k", &[i64::MAX, i64::MAX], &[0.0]).node("Add", &["target", "k"], "output");
    assert!(folder.simple(&face, &hollow.model()).is_err());
    let unknown = swapper().node("Frobnicate", &["target"], "output");
    let error = folder.simple(&face, &unknown.model()).unwrap_err();
    assert!(error.message().contains("s.onnx"), "{error}");
}

#[test]
fn wrong_pictures_are_told() {
    let folder = Folder::new("pictures");
    let mut track = folder.simple(&fixed(&[PLACES[0].row(0.9)]), &same()).unwrap().begin().unwrap();
    for (length, width, height) in [(10, 400, 300), (0, 0, 0), (3, 1, 0), (0, u32::MAX, u32::MAX), (15_000, 5000, 1)] {
        let error = track.frame(&vec![0; length], width, height).unwrap_err();
        assert_eq!(error.code(), "PERFORMER_UNAVAILABLE");
    }
    assert!(track.frame(&[1, 2, 3], 1, 1).is_ok());
}

/// A bright disc on a dim ground; its middle trembles and drifts with the frame's number.
fn frame(index: u32) -> Vec<u8> {
    let noise = |salt: u32| f64::from((index * 31 + salt).wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5;
    let (cx, cy) = (150.0 + 0.8 * f64::from(index % 50) + 1.5 * noise(1), 140.0 + 1.5 * noise(2));
    let mut rgb = waves();
    for (index, pixel) in rgb.chunks_exact_mut(3).enumerate() {
        let distance = ((index % W) as f64 - cx).hypot((index / W) as f64 - cy);
        let light = (20.5 - distance).clamp(0.0, 1.0);
        pixel.iter_mut().for_each(|value| *value = (f64::from(*value) * 0.5 * (1.0 - light) + 255.0 * light) as u8);
    }
    rgb
}

#[test]
fn track_forgets_after_its_lead_in_and_is_the_same_on_every_thread() {
    let folder = Folder::new("memory");
    let performer = folder.simple(&following(), &inverting()).unwrap();
    assert_eq!(performer.lead_in(), 12);
    let from = |start: u32| {
        let mut track = performer.begin().unwrap();
        (start..44).map(|index| track.frame(&frame(index), W as u32, H as u32).unwrap()).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let long = scope.spawn(|| from(0));
        let short = scope.spawn(|| from(28));
        let (long, short) = (long.join().unwrap(), short.join().unwrap());
        assert!(long.iter().all(|parts| parts.len() == 1));
        assert_eq!(long[40..], short[12..]);
        // The first frame of the short one knows nothing yet: the test would see a difference.
        assert_ne!(long[28..29], short[..1]);
        assert_eq!(long, from(0));
    });
}

#[test]
fn track_follows_and_drops() {
    let folder = Folder::new("follow");
    let performer = folder.simple(&following(), &inverting()).unwrap();
    let mut track = performer.begin().unwrap();
    for index in 0..6 {
        let parts = track.frame(&frame(index), W as u32, H as u32).unwrap();
        let middle = f64::from(parts[0].x) + f64::from(parts[0].width) / 2.0;
        assert!((middle - 150.0 - 0.8 * f64::from(index)).abs() < 3.0, "{middle}");
    }
}

#[test]
fn identity_tells_files_apart() {
    let folder = Folder::new("identity");
    let face = fixed(&[PLACES[0].row(0.9)]);
    let first = folder.simple(&face, &same()).unwrap().identity().to_owned();
    assert_eq!(first.len(), 64);
    assert_eq!(first, folder.simple(&face, &same()).unwrap().identity());
    assert_ne!(first, folder.simple(&face, &inverting()).unwrap().identity());
    assert_ne!(first, folder.load(&SIMPLE.replace("300,", "300, \"minScore\": 0.5,")).unwrap().identity());
}

#[test]
fn tracks_are_sent_to_threads() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Send + Sync>() {}
    sent::<Box<dyn ShotTransform>>();
    shared::<OnnxPerformer>();
}
