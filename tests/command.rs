//! The command `remix`, as a shell or a job runner sees it.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Project, fixture, left_in, moving, run, silent};

const REMIX: &str = env!("CARGO_BIN_EXE_remix");

fn remix() -> Command {
    let mut command = Command::new(REMIX);
    // Nothing is kept: an empty value is no folder, and there is no home.
    command.stdin(Stdio::null()).env_remove("RUST_LOG").env_remove("HOME").env("XDG_CACHE_HOME", "");
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the command runs")
}

/// `remix render` of a project into its output folder.
fn render(project: &Project) -> Command {
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let mut command = remix();
    command.arg("render").arg(project.folder()).arg("--out").arg(project.out());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("prints text")
}

/// Every line as JSON.
fn json_lines(bytes: &[u8]) -> Vec<Value> {
    text(bytes).lines().map(|line| serde_json::from_str(line).expect("every line is an object")).collect()
}

/// Expects success and nothing on standard error, and gives what was printed.
fn printed(command: &mut Command) -> Vec<u8> {
    let output = output(command);
    let errors = text(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{command:?}: {}\n{errors}", output.status);
    output.stdout
}

#[test]
fn render_prints_one_json_object_a_line_and_the_container_last() {
    let project = Project::small().with("/variantCount", json!(2));
    let lines = json_lines(&printed(render(&project).arg("--json")));
    let (progress, containers) = lines.split_at(lines.len() - 2);
    let number = |line: &Value, name: &str| line[name].as_f64().unwrap_or_else(|| unreachable!("{name} in {line}"));
    for line in progress {
        let stage = line["stage"].as_str().expect("a stage");
        assert!(["planning", "generating_visuals", "assembling", "finalizing"].contains(&stage), "{line}");
        assert!(line.get("etaMs").is_some() && number(line, "frames") <= 60.0, "{line}");
    }
    assert!(progress.windows(2).all(|pair| number(&pair[0], "progress") <= number(&pair[1], "progress")));
    assert_eq!(number(progress.last().expect("progress"), "progress"), 1.0);
    for (container, id) in containers.iter().zip(["cnt_test", "cnt_test~2"]) {
        assert_eq!((&container["id"], &container["status"]), (&json!(id), &json!("completed")));
        let file = fs::read(project.out().join(id).join("container.json")).expect("is there");
        assert_eq!(*container, serde_json::from_slice::<Value>(&file).expect("is JSON"));
    }
}

#[test]
fn render_says_in_words_what_it_made() {
    let project = Project::small();
    let said = text(&printed(render(&project).args(["--threads", "1", "--preset", "draft"])));
    for part in ["cnt_test", "video.mp4", "thumbnail.jpg", "1080x1920", "1.000 s", "generating_visuals"] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert_eq!(left_in(&project.out()), [project.out().join("cnt_test")]);
}

#[test]
fn the_preset_and_threads_of_the_command_line_win() {
    let project = Project::small();
    let lines = json_lines(&printed(render(&project).args(["--json", "--preset", "standard", "--threads", "2"])));
    assert_eq!(lines.last().expect("a container")["report"]["video"]["x264Preset"], "superfast");
    let project = Project::small().with("/media/0/src", json!(moving(0.5, 1)));
    assert_eq!(output(&mut render(&project)).status.code(), Some(2), "an absolute path is refused");
    assert_eq!(output(render(&project).arg("--allow-outside")).status.code(), Some(0), "unless it is allowed");
}

/// Runs a command that must fail with `code` and exit code `exit`, and gives its report.
fn failing(command: &mut Command, code: &str, exit: i32) -> String {
    let output = output(command);
    let report = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{command:?}\n{report}");
    let first = report.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("error[{code}]: ")) && first.len() > code.len() + 9, "{report}");
    assert!(report.lines().skip(1).all(|line| line.starts_with("  ")), "{report}");
    assert!(!report.contains("panicked"), "{report}");
    report
}

fn line<'a>(report: &'a str, name: &str) -> &'a str {
    let start = format!("  {name}: ");
    let found = report.lines().find_map(|line| line.strip_prefix(&start));
    found.unwrap_or_else(|| unreachable!("no line `{name}` in:\n{report}"))
}

#[test]
fn a_wrong_request_ends_with_2() {
    let project = Project::small().with("/variantCount", json!(6)).with("/influencerId", Value::Null);
    let report = failing(&mut render(&project), "VALIDATION", 2);
    assert_eq!(line(&report, "stage"), "planning");
    assert_eq!(line(&report, "pointer"), "/variantCount");
    assert!(line(&report, "also").starts_with("INFLUENCER_REQUIRED at /influencerId: "), "{report}");
    assert!(!project.out().exists());

    let report = failing(&mut render(&Project::small().with("/hok", json!("x"))), "VALIDATION", 2);
    assert!(line(&report, "try").starts_with("did you mean `hook`?"), "{report}");
    failing(&mut render(&Project::small().with("/format", json!("carousel"))), "UNSUPPORTED_FORMAT", 2);
    failing(&mut render(&Project::small().with("/mediaId", json!("med_x"))), "NOT_FOUND", 2);
    failing(remix().args(["render", "/nowhere/at/all"]), "NOT_FOUND", 2);
    let nothing = output(&mut remix());
    assert_eq!(nothing.status.code(), Some(2), "no command at all: {}", text(&nothing.stderr));
}

#[test]
fn a_bad_source_ends_with_3_and_is_named() {
    let project = Project::small();
    project.write("demo.mp4", b"");
    let report = failing(&mut render(&project), "SOURCE_EMPTY", 3);
    assert_eq!(line(&report, "stage"), "planning");
    assert!(line(&report, "asset").starts_with("med_demo ("), "{report}");
    assert_eq!(line(&report, "pointer"), "/media/0/src");
    assert!(!line(&report, "try").is_empty());
    fs::remove_file(project.folder().join("demo.mp4")).expect("can be removed");
    let report = failing(&mut render(&project), "SOURCE_UNREADABLE", 3);
    assert!(line(&report, "cause").contains("No such file"), "{report}");
    assert!(!project.out().exists());
}

#[test]
fn an_error_is_the_last_json_line_too() {
    let project = Project::small();
    project.write("demo.mp4", b"Dear reader,");
    let output = output(render(&project).arg("--json"));
    assert_eq!(output.status.code(), Some(3));
    let lines = json_lines(&output.stdout);
    let error = &lines.last().expect("a line")["error"];
    for (name, value) in [
        ("code", json!("SOURCE_UNSUPPORTED")),
        ("stage", json!("planning")),
        ("pointer", json!("/media/0/src")),
        ("retryable", json!(false)),
    ] {
        assert_eq!(error[name], value, "{error}");
    }
    assert!(text(&output.stderr).starts_with("error[SOURCE_UNSUPPORTED]: "));
}

#[test]
fn an_output_folder_that_cannot_be_written_ends_with_4() {
    let project = Project::small();
    fs::write(project.out(), "a file").expect("can be written");
    let report = failing(&mut render(&project), "OUTPUT_FAILED", 4);
    assert!(!line(&report, "try").is_empty() && !line(&report, "cause").is_empty(), "{report}");
}

/// `remix render` in a process whose files may have at most so many KiB: what a full disk does to a write, for
/// anybody who may not mount a small one.
fn render_within(project: &Project, kib: u64) -> Command {
    let render = render(project);
    let mut shell = Command::new("bash");
    shell.args(["-c", r#"ulimit -f "$0" && trap "" XFSZ && exec "$@""#, &kib.to_string()]);
    shell.arg(render.get_program()).args(render.get_args()).stdin(Stdio::null()).env_remove("RUST_LOG");
    shell.env_remove("HOME").env("XDG_CACHE_HOME", "");
    shell
}

#[test]
fn a_full_disk_ends_with_4_and_leaves_nothing() {
    // Several chunks, so that there is a limit that lets every chunk pass and not the video.
    let project = Project::of(&moving(1.5, 0), &moving(2.5, 1));
    printed(&mut render(&project));
    let size = fs::metadata(project.out().join("cnt_test/video.mp4")).expect("is there").len() / 1024;
    fs::remove_dir_all(project.out()).expect("can be removed");
    for kib in [0, 8, size / 2, size - 8] {
        let report = failing(&mut render_within(&project, kib), "OUTPUT_FAILED", 4);
        assert!(!line(&report, "try").is_empty() && !line(&report, "stage").is_empty(), "{report}");
        assert!(left_in(&project.out()).is_empty(), "{kib} KiB of {size}: {:?}", left_in(&project.out()));
    }
    printed(&mut render_within(&project, size + 100));
}

#[test]
fn a_full_disk_keeps_the_result_that_was_there() {
    let project = Project::small();
    printed(&mut render(&project));
    let video = project.out().join("cnt_test/video.mp4");
    let before = fs::read(&video).expect("is there");
    failing(render_within(&project, 8).arg("--replace"), "OUTPUT_FAILED", 4);
    assert!(fs::read(&video).expect("is still there") == before);
    assert_eq!(left_in(&project.out()), [project.out().join("cnt_test")]);
}

/// Reads progress until frames are being made.
fn wait_for_frames(lines: &mut impl BufRead) {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(lines.read_line(&mut line).expect("can be read"), 0, "it ended before it made a frame");
        let progress: Value = serde_json::from_str(&line).expect("is JSON");
        if progress["frames"].as_u64() > Some(10) {
            return;
        }
    }
}

#[test]
fn an_interrupt_or_termination_cancels_cleanly_with_130() {
    for signal in ["-INT", "-TERM"] {
        let out = tempfile::tempdir().expect("a temporary folder");
        let mut command = remix();
        command.arg("render").arg(fixture()).arg("--json").arg("--out").arg(out.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
        let mut lines = BufReader::new(child.stdout.take().expect("is piped"));
        wait_for_frames(&mut lines);
        let sent = Instant::now();
        run("kill", [signal, &child.id().to_string()]);
        let mut rest = String::new();
        lines.read_to_string(&mut rest).expect("can be read");
        let status = child.wait().expect("it ends");
        let took = sent.elapsed();
        let mut report = String::new();
        child.stderr.take().expect("is piped").read_to_string(&mut report).expect("can be read");
        assert_eq!(status.code(), Some(130), "{signal}: {report}");
        assert!(report.starts_with("error[CANCELED]: "), "{report}");
        assert!(rest.lines().last().is_some_and(|line| line.contains("\"CANCELED\"")), "{rest}");
        assert!(took < Duration::from_secs(2), "{signal}: {took:?}");
        assert!(left_in(out.path()).is_empty(), "{:?}", left_in(out.path()));
    }
}

#[test]
fn a_closed_pipe_ends_the_output_and_not_the_job() {
    let project = Project::small();
    let mut command = render(&project);
    let mut child =
        command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(project.out().join("cnt_test/container.json").is_file());
}

#[test]
fn plan_tells_shots_texts_sounds_and_chunks() {
    let project = Project::small().with("/variantCount", json!(2));
    fs::write(project.folder().join("project.json"), project.json()).expect("can be written");
    let said = text(&printed(remix().arg("plan").arg(project.folder().join("project.json"))));
    for part in [
        "cnt_test  ugc-remix  1080x1920",
        "cnt_test~2",
        "shot reaction",
        "shot app-demo",
        "text hook",
        "trk_one",
        "looped",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(said.contains("will take about") && said.contains("MiB of memory"), "{said}");
    let mut plans = json_lines(&printed(remix().arg("plan").arg(project.folder()).arg("--json")));
    let last = plans.pop().expect("a line");
    assert_eq!(last["missing"], json!([[0, 1], [0, 1]]), "nothing is in a store");
    assert!(last["estimate"]["cpuSeconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{last}");
    assert_eq!(plans.len(), 2);
    assert_eq!((&plans[0]["frames"], &plans[1]["containerId"]), (&json!(30), &json!("cnt_test~2")));
    for plan in plans {
        let frames: u64 = plan["frames"].as_u64().expect("a number");
        assert_eq!(plan["chunks"].as_array().and_then(|all| all.last()).expect("chunks")["frames"]["end"], frames);
        serde_json::from_value::<remix_engine::plan::Plan>(plan).expect("is a plan of the library");
    }
    assert!(!project.out().exists(), "nothing is rendered");
}

#[test]
fn probe_tells_what_is_in_a_file() {
    let clip = moving(0.5, 0);
    let said = text(&printed(remix().arg("probe").arg(&clip)));
    for part in ["mov,mp4", "h264 270x480, 30.000 fps, 15 pictures", "aac, 44100 Hz, 1 channels"] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    let found = json_lines(&printed(remix().arg("probe").arg(&clip).arg("--json"))).remove(0);
    assert_eq!(found["bytes"], fs::metadata(&clip).expect("is there").len());
    assert_eq!((&found["video"]["pictures"], &found["video"]["codec"]), (&json!(15), &json!("h264")));
    assert_eq!((&found["audio"]["channels"], &found["audio"]["sampleRate"]), (&json!(1), &json!(44_100)));
    let mute = json_lines(&printed(remix().arg("probe").arg(silent(0.5)).arg("--json"))).remove(0);
    assert_eq!(mute["audio"], Value::Null);
    let report = failing(remix().arg("probe").arg(fixture()), "SOURCE_UNREADABLE", 3);
    assert!(line(&report, "asset").contains("ugc-remix"), "{report}");
}

#[test]
fn check_tells_what_this_machine_has() {
    let said = text(&printed(remix().arg("check")));
    for part in ["remix-engine ", "libx264", "fonts", "threads", "memory"] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    let health = json_lines(&printed(remix().args(["check", "--json"]))).remove(0);
    assert!(health["threads"].as_u64() >= Some(1) && health["fontFaces"].as_u64() >= Some(2), "{health}");
}

#[test]
fn text_draws_the_overlay_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("hook.png");
    let said = text(&printed(remix().args(["text", "wait for it...\nnow 🧠", "--out"]).arg(&file)));
    assert!(said.contains("wait for it...") && said.contains(" px"), "{said}");
    let picture = image::open(&file).expect("is a PNG").into_rgba8();
    assert_eq!(picture.dimensions(), (1080, 1920));
    let inked = picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[3] > 0);
    let inside = |x: u32, y: u32| (180..900).contains(&x) && (250..1460).contains(&y);
    let (mut count, mut coloured) = (0, 0);
    for (x, y, pixel) in inked {
        assert!(inside(x, y), "ink at {x}, {y} is outside the safe area");
        count += 1;
        let [r, g, b, a] = pixel.0;
        coloured += u32::from(a == 255 && r.max(g).max(b) - r.min(g).min(b) > 40);
    }
    assert!(count > 5_000, "{count} pixels of text");
    assert!(coloured > 500, "the emoji is in colour: {coloured} pixels");

    let layout = json_lines(&printed(remix().args(["text", "one\ntwo", "--json", "--out"]).arg(&file))).remove(0);
    let lines: Vec<_> = layout["lines"].as_array().expect("lines").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(lines, [json!("one"), json!("two")]);
    failing(remix().args(["text", "x", "--out", "/nowhere/at/all.png"]), "OUTPUT_FAILED", 4);
}

#[test]
fn text_tells_its_layout_and_what_is_missing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("text.png");
    let set = |args: &[&str]| {
        let mut command = remix();
        command.args(["text", "--json", "--out"]).arg(&file).args(args);
        command
    };
    let layout =
        json_lines(&printed(&mut set(&["fi 🧠\nשלום", "--style", r#"{"fontSize":50,"stroke":null}"#]))).remove(0);
    assert_eq!((&layout["fontSize"], &layout["missing"]), (&json!(50.0), &json!([])));
    let clusters = layout["clusters"].as_array().expect("clusters");
    let field = |name: &str| clusters.iter().map(|cluster| cluster[name].clone()).collect::<Vec<_>>();
    // In visual order: Hebrew from its end.
    assert_eq!(field("text"), ["f", "i", "🧠", "ם", "ו", "ל", "ש"].map(|text| json!(text)));
    assert_eq!(field("line"), [0, 0, 0, 1, 1, 1, 1].map(|line| json!(line)));
    assert_eq!(field("font")[1..4], ["Inter", "Noto Color Emoji", "Noto Sans Hebrew"].map(|font| json!(font)));
    assert!(clusters.iter().all(|cluster| cluster["glyphs"].as_array().is_some_and(|glyphs| glyphs.len() == 1)));

    let lacking = set(&["new \u{1FAE9} face"]).output().expect("runs");
    assert_eq!(lacking.status.code(), Some(2));
    let said = json_lines(&lacking.stdout).remove(0);
    assert_eq!(said["missing"][0]["text"], "\u{1FAE9}");
    assert_eq!(said["error"]["code"], "FONT_MISSING");
    let dropped = json_lines(&printed(&mut set(&["new \u{1FAE9} face", "--missing", "drop"]))).remove(0);
    assert_eq!(dropped["missing"][0]["range"], json!({ "start": 4, "end": 8 }));
    failing(&mut set(&["x", "--style", "{\"strok\":1}"]), "VALIDATION", 2);
    failing(&mut set(&["x", "--missing", "ignore"]), "VALIDATION", 2);
    failing(&mut set(&["x", "--language", "not a tag"]), "VALIDATION", 2);
    failing(&mut set(&["x", "--fonts", "/nowhere"]), "FONT_MISSING", 2);
}

#[test]
fn text_is_drawn_over_a_picture() {
    let red = support::clip("png", "-f lavfi -i color=red:size=540x960 -frames:v 1");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("text.png");
    printed(
        remix()
            .args(["text", "MMM", "--style", r##"{"stroke":null,"fill":"#0000ff"}"##, "--over"])
            .arg(red)
            .arg("--out")
            .arg(&file),
    );
    let picture = image::open(&file).expect("is a PNG").into_rgba8();
    let count = |wanted: [u8; 3]| {
        picture
            .pixels()
            .filter(|pixel| pixel.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 8))
            .count()
    };
    assert!(picture.pixels().all(|pixel| pixel.0[3] == 255), "nothing is transparent");
    assert!(
        count([254, 0, 0]) > 2_000_000 && count([0, 0, 255]) > 2_000,
        "{} {}",
        count([254, 0, 0]),
        count([0, 0, 255])
    );
}

#[test]
fn a_picture_beyond_the_limit_is_not_decoded_just_to_look_at_a_song() {
    // 81 million pixels, 243 MB once decoded, in a few hundred kilobytes.
    let cover = support::clip("png", "-f lavfi -i color=red:size=9000x9000 -frames:v 1 -pix_fmt rgb24");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let song = folder.path().join("song.mp3");
    let options = format!(
        "-f lavfi -i sine=duration=1 -i {} -map 0 -map 1 -c:a libmp3lame -c:v copy -disposition:v attached_pic FILE",
        cover.display()
    );
    support::ffmpeg(&song, &options);
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M"]).arg(REMIX).args(["probe", "--json"]).arg(&song).stdin(Stdio::null());
    let said = timed.output().expect("time is installed");
    assert!(said.status.success(), "{said:?}");
    assert_eq!(json_lines(&said.stdout)[0]["audio"]["codec"], "mp3");
    let kib: u64 = text(&said.stderr).trim().parse().expect("kibibytes");
    assert!(kib < 200 << 10, "{kib} KiB");
}

#[test]
fn inspect_measures_a_file_and_fails_only_when_asked() {
    let video = moving(1.0, 0);
    let said = text(&printed(remix().arg("inspect").arg(&video)));
    for part in
        [video.to_str().expect("a name"), "30, 30.000 fps", "exact", "LUFS", "black      none", "warning COLOR_TAGS"]
    {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    let found = json_lines(&printed(remix().arg("inspect").arg(&video).args(["--json", "--sampled"]))).remove(0);
    assert_eq!((&found["method"], &found["video"]["frames"]), (&json!("sampled"), &json!(30)));
    assert!(found["findings"].as_array().is_some_and(|list| list.iter().any(|item| item["code"] == "COLOR_TAGS")));
    printed(remix().arg("inspect").arg(&video).args(["--fail", "--json"]));

    let folder = tempfile::tempdir().expect("a folder");
    let black = folder.path().join("black.mp4");
    let source = ["-v", "error", "-f", "lavfi", "-i", "color=black:size=108x192:rate=30:duration=1"];
    run("ffmpeg", source.iter().copied().chain([black.to_str().expect("a name")]));
    printed(remix().arg("inspect").arg(&black));
    let output = output(remix().arg("inspect").arg(&black).args(["--fail", "--json"]));
    assert_eq!(output.status.code(), Some(3));
    let lines = json_lines(&output.stdout);
    assert_eq!(lines.len(), 1, "the findings are the error");
    assert_eq!(lines[0]["findings"][0]["code"], "BLACK_VIDEO");
    assert!(text(&output.stderr).starts_with("error[SOURCE_EMPTY]: BLACK_VIDEO: "), "{}", text(&output.stderr));
    failing(remix().arg("inspect").arg(fixture()), "SOURCE_UNREADABLE", 3);
}

#[test]
fn chunks_are_kept_in_the_users_cache_unless_they_are_not_wanted() {
    let project = Project::small();
    let home = tempfile::tempdir().expect("a folder");
    let rendered = |variable: &str, options: &[&str]| {
        let mut command = render(&project);
        command.env_remove("XDG_CACHE_HOME").env(variable, home.path()).args(["--json", "--replace"]).args(options);
        let container = json_lines(&printed(&mut command)).pop().expect("a container");
        container["report"]["chunksRendered"].as_u64().expect("a number")
    };
    assert_eq!(rendered("XDG_CACHE_HOME", &["--no-cache"]), 2);
    assert!(left_in(home.path()).is_empty());
    assert_eq!(rendered("XDG_CACHE_HOME", &[]), 2);
    assert_eq!(rendered("XDG_CACHE_HOME", &[]), 0, "all are there");
    assert_eq!(left_in(home.path()), [home.path().join("remix-engine")]);
    assert_eq!(rendered("HOME", &[]), 2, "without the variable it is .cache in the home");
    assert!(home.path().join(".cache/remix-engine").is_dir());
    // A home that cannot be written keeps nothing and fails nothing.
    let file = home.path().join("file");
    fs::write(&file, "").expect("can be written");
    let mut command = render(&project);
    command.env("XDG_CACHE_HOME", &file).args(["--json", "--replace"]);
    printed(&mut command);
}
