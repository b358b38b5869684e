//! What the tests share: projects of small generated clips, and other people's tools that judge the results.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod boxes;
pub(crate) mod golden;
pub(crate) mod numbered;

use std::ffi::OsStr;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use remix_engine::output::Container;
use remix_engine::request::Request;
use remix_engine::store::ChunkStore;
use remix_engine::{Engine, EngineOptions, Existing};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The folder of the fixture project.
pub(crate) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ugc-remix")
}

/// An empty folder under the target folder, for what one test file shares between its tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            unreachable!("{} cannot be emptied: {error}", folder.display())
        }
        _ => fs::create_dir_all(&folder).expect("the folder can be made"),
    }
    folder
}

pub(crate) fn engine(threads: usize) -> Engine {
    let threads = NonZeroUsize::new(threads);
    // What was rendered before is rendered again: tests compare.
    let options = EngineOptions { threads, existing: Existing::Replace, ..EngineOptions::default() };
    Engine::new(options).expect("this machine has what the engine needs")
}

/// Renders the one container of a project into `name` in its output folder, and gives it with the video's bytes.
pub(crate) fn render_as(engine: &Engine, project: &Project, name: &str) -> (Container, Vec<u8>) {
    let out = project.out().join(name);
    let container = engine.render(&project.request(), &out).expect("can be rendered").remove(0);
    let video = fs::read(out.join(&container.id).join("video.mp4")).expect("is there");
    (container, video)
}

/// An engine that keeps its chunks in `store`, and renders again what was rendered.
pub(crate) fn engine_with(store: &ChunkStore) -> Engine {
    let store = Some(store.clone());
    Engine::new(EngineOptions { store, existing: Existing::Replace, ..EngineOptions::default() })
        .expect("this machine has what the engine needs")
}

/// Runs a tool and gives its standard output. It must succeed and say nothing on standard error.
pub(crate) fn run<S: AsRef<OsStr>>(tool: &str, args: impl IntoIterator<Item = S>) -> Vec<u8> {
    let mut command = Command::new(tool);
    command.args(args).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| unreachable!("{tool} cannot be run: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{command:?}: {}\n{errors}", output.status);
    output.stdout
}

/// Runs `ffmpeg -v error` with the words of `options`, with `FILE` standing for `file`, and gives its standard output.
pub(crate) fn ffmpeg(file: &Path, options: &str) -> Vec<u8> {
    let words = options.split_whitespace().map(|word| if word == "FILE" { file.as_os_str() } else { OsStr::new(word) });
    run("ffmpeg", ["-v", "error", "-nostdin", "-y"].iter().map(OsStr::new).chain(words))
}

/// What ffprobe says about `file`, as JSON.
pub(crate) fn ffprobe(file: &Path, options: &str) -> Value {
    let words = options.split_whitespace().map(OsStr::new).chain([file.as_os_str()]);
    let json = run("ffprobe", ["-v", "error", "-of", "json"].iter().map(OsStr::new).chain(words));
    serde_json::from_slice(&json).expect("ffprobe prints JSON")
}

/// The structural similarity of the frames of two files, picture by picture, each after the filters given for it.
pub(crate) fn ssim(left: (&Path, &str), right: (&Path, &str)) -> Vec<f64> {
    let same =
        |label: &str, filters: &str, name: &str| format!("[{label}]{filters},settb=1/30,setpts=N,setsar=1[{name}]");
    let graph = format!("{};{};[l][r]ssim=stats_file=-", same("0:v", left.1, "l"), same("1:v", right.1, "r"));
    let mut args: Vec<&OsStr> = ["-v", "error", "-nostdin", "-i"].iter().map(OsStr::new).collect();
    args.extend([left.0.as_os_str(), OsStr::new("-i"), right.0.as_os_str()]);
    args.extend(["-lavfi", &graph, "-f", "null", "-"].into_iter().map(OsStr::new));
    let lines = String::from_utf8(run("ffmpeg", args)).expect("text");
    let all = |line: &str| line.split("All:").nth(1)?.split(' ').next()?.parse().ok();
    lines.lines().map(|line| all(line).expect("every line has a figure")).collect()
}

/// The sound of a file at 48 kHz stereo, as sample frames of the range -1 to 1.
pub(crate) fn sound(file: &Path) -> Vec<[f32; 2]> {
    let bytes = ffmpeg(file, "-i FILE -vn -f f32le -ar 48000 -ac 2 -");
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
    bytes.chunks_exact(8).map(|frame| [value(&frame[..4]), value(&frame[4..])]).collect()
}

/// The mean luma of every frame of a file.
pub(crate) fn brightness(file: &Path) -> Vec<u8> {
    ffmpeg(file, "-i FILE -an -vf scale=1:1:flags=area,format=gray -f rawvideo -")
}

/// The files and folders in `folder`, hidden ones too; nothing if it is not there.
pub(crate) fn left_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries.map(|entry| entry.expect("can be listed").path()).collect();
    found.sort();
    found
}

/// A generated media file: what ffmpeg makes of `options`. It is kept from test to test and from run to run.
pub(crate) fn clip(extension: &str, options: &str) -> PathBuf {
    let name = blake3::hash(options.as_bytes()).to_hex();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = root.join(format!("clip-{}.{extension}", &name[..16]));
    if !file.exists() {
        let suffix = format!(".{extension}");
        let part = tempfile::Builder::new().suffix(&suffix).tempfile_in(root).expect("a temporary file");
        ffmpeg(part.path(), &format!("{options} FILE"));
        part.persist(&file).expect("can be renamed");
    }
    file
}

/// A file with a text, since spaces in options part them.
pub(crate) fn written(text: &str) -> String {
    let name: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("text-{name}.txt"));
    // Whole at once: another test may be reading it.
    let part = tempfile::NamedTempFile::new_in(folder).expect("can be made");
    fs::write(part.path(), text).expect("is written");
    part.persist(&file).expect("is put in place");
    file.display().to_string()
}

/// Options of a small H.264 file in MP4.
pub(crate) const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// A small moving picture of `seconds` with a tone; `seed` makes different ones.
pub(crate) fn moving(seconds: f64, seed: u32) -> PathBuf {
    let hue = seed * 70;
    let tone = 220 * (seed + 1);
    clip(
        "mp4",
        &format!(
            "-f lavfi -i testsrc2=size=270x480:rate=30:duration={seconds},hue=h={hue} \
             -f lavfi -i sine=frequency={tone}:sample_rate=44100:duration={seconds} {H264} -c:a aac"
        ),
    )
}

/// The same without sound.
pub(crate) fn silent(seconds: f64) -> PathBuf {
    clip("mp4", &format!("-f lavfi -i testsrc2=size=270x480:rate=30:duration={seconds} {H264}"))
}

/// A tone of `seconds` without a picture.
pub(crate) fn track(seconds: f64) -> PathBuf {
    clip("wav", &format!("-f lavfi -i sine=frequency=660:sample_rate=44100:duration={seconds} -ac 2"))
}

/// A project in a folder of its own, beside the folder for its results; both go when it is dropped.
pub(crate) struct Project {
    root: TempDir,
    json: Value,
}

impl Project {
    /// A reaction, an app demo of half a second each, and a track, rendered as a draft.
    pub(crate) fn small() -> Self {
        Self::of(&moving(0.5, 0), &moving(0.5, 1))
    }

    /// An empty folder and this request.
    pub(crate) fn blank(json: Value) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("project")).expect("can be made");
        Self { root, json }
    }

    /// The same with these clips.
    pub(crate) fn of(reaction: &Path, demo: &Path) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("project")).expect("can be made");
        let project = Self {
            root,
            json: json!({
                "id": "cnt_test", "format": "ugc-remix", "hook": "wait for it...", "influencerId": "inf_ada",
                "media": [{ "id": "med_demo", "mediaRole": "app-demo", "src": "demo.mp4" }],
                "reactionTemplates": [{ "id": "rt_one", "src": "reaction.mp4" }],
                "music": [{ "id": "trk_one", "src": "music.wav" }],
                "output": { "preset": "draft" },
            }),
        };
        project.put("reaction.mp4", reaction);
        project.put("demo.mp4", demo);
        project.put("music.wav", &track(1.0));
        project
    }

    /// The folder of the project.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The folder beside it, for results.
    pub(crate) fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// Copies a file into the project.
    pub(crate) fn put(&self, name: &str, from: &Path) {
        fs::copy(from, self.folder().join(name)).expect("can be copied");
    }

    /// Writes a file into the project.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.folder().join(name), content).expect("can be written");
    }

    /// With the value at a JSON pointer changed; `null` removes a field.
    pub(crate) fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = self.json.pointer_mut(parent).expect("its parent is there");
        match (parent, value) {
            (Value::Object(fields), Value::Null) => drop(fields.remove(key)),
            (Value::Object(fields), value) => drop(fields.insert(key.to_owned(), value)),
            (parent, value) => parent[key.parse::<usize>().expect("an index")] = value,
        }
        self
    }

    /// The content of its `project.json`.
    pub(crate) fn json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(&self.json).expect("is JSON")
    }

    pub(crate) fn read(&self) -> remix_engine::Result<Request> {
        Request::from_json(&self.json(), self.folder())
    }

    /// The request, which must be readable.
    pub(crate) fn request(&self) -> Request {
        self.read().expect("the request can be read")
    }
}
