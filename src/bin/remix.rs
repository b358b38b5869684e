//! The command: thin, over the library's public API only.

#![expect(clippy::print_stderr, reason = "a command prints its errors")]

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
#[cfg(feature = "tesseract")]
use remix_engine::burnt::TesseractReader;
use remix_engine::encode::Preset;
use remix_engine::formats::HookLook;
use remix_engine::inspect::{InspectOptions, Method};
use remix_engine::limits::{Limits, available_memory, available_threads, free_disk};
use remix_engine::output::Container;
use remix_engine::plan::Plan;
use remix_engine::request::{Request, StyleRequest, schema};
use remix_engine::store::ChunkStore;
use remix_engine::text::{FontBook, MissingPolicy, find_missing, lay_out, rasterise};
use remix_engine::units::{CanvasSize, TimeSpan};
use remix_engine::{Cancel, Control, Engine, EngineOptions, Error, ErrorKind, Existing, Failure, Progress, Result};
use serde::Serialize;

/// Turns a content request into finished 9:16 videos.
#[derive(Parser)]
#[command(name = "remix", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render a project: a project.json, or a folder that has one.
    Render(RenderArgs),
    /// Show what would be rendered: shots, texts, sounds and chunks.
    Plan(PlanArgs),
    /// Show what the engine sees in a media file, and what it will correct.
    Probe(ProbeArgs),
    /// Measure a finished video, whoever made it, and tell what is wrong with it.
    Inspect(InspectArgs),
    /// Draw the overlay of a text alone, as a hook is burnt in, on transparency.
    Text(TextArgs),
    /// Find the text that is burnt into a video or picture: where, when, what, in which style.
    #[cfg(feature = "tesseract")]
    Overlays(OverlaysArgs),
    /// Print the JSON Schema of a project.json.
    Schema,
    /// Make a contact sheet: the slides of a result, or frames of a video with their times.
    Sheet(SheetArgs),
    /// Show FFmpeg's version, encoders, fonts and the limits of this machine.
    Check(CheckArgs),
}

#[derive(Args)]
struct RenderArgs {
    /// A project.json or a folder that has one.
    project: PathBuf,
    /// Where to put the results: each becomes a folder named by its id.
    #[arg(long, default_value = "out")]
    out: PathBuf,
    /// Replace results that are there already, whatever they were made of.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Args)]
struct PlanArgs {
    /// A project.json or a folder that has one.
    project: PathBuf,
    #[command(flatten)]
    shared: SharedArgs,
}

#[derive(Args)]
struct ProbeArgs {
    /// A media file.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[cfg(feature = "tesseract")]
#[derive(Args)]
struct OverlaysArgs {
    /// A video or a picture.
    file: PathBuf,
    /// A script that its texts are in, as an ISO 15924 code such as Latn or Cyrl; again for another. Default: all whose models
    /// are installed.
    #[arg(long, value_name = "CODE")]
    script: Vec<String>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct InspectArgs {
    /// A video file.
    file: PathBuf,
    /// Decode key pictures only, not every one: fast, and spans of standing pictures are told in part.
    #[arg(long)]
    sampled: bool,
    /// The loudness that it should have, in LUFS.
    #[arg(long, value_name = "LUFS", allow_negative_numbers = true)]
    loudness: Option<f64>,
    /// End with an error if there are findings of the severity error.
    #[arg(long)]
    fail: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TextArgs {
    /// The text; line breaks are kept.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The PNG file to write, of the canvas's size.
    #[arg(long)]
    out: PathBuf,
    /// A picture or clip to draw it over. Default: transparency.
    #[arg(long)]
    over: Option<PathBuf>,
    /// The hook's style: outline, white-box, black-box, highlight or shadow, or a JSON object as in a project.
    #[arg(long)]
    style: Option<String>,
    /// Where it stands, such as top, center or bottom-left.
    #[arg(long)]
    position: Option<String>,
    /// What it keeps clear of: organic, tiktok, reels, shorts or all.
    #[arg(long)]
    safe_area: Option<String>,
    /// The text's language, a BCP 47 tag such as ja or zh-Hant.
    #[arg(long)]
    language: Option<String>,
    /// What is done about characters that no font has: error, drop, or the one character that stands for each.
    #[arg(long, default_value = "error")]
    missing: String,
    #[command(flatten)]
    fonts: FontArgs,
    /// Print one JSON object: fontSize, lines, clusters, missing.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct FontArgs {
    /// A further font file, or a folder of them; can be given several times. Styles can name its families.
    #[arg(long = "fonts", value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Args)]
struct SheetArgs {
    /// The folder of a result, a video, or a picture.
    result: PathBuf,
    /// The PNG file to write.
    #[arg(long)]
    out: PathBuf,
    /// How many frames of a video are shown, 1 to 100.
    #[arg(long, default_value_t = 15)]
    frames: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct CheckArgs {
    #[command(flatten)]
    fonts: FontArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct SharedArgs {
    /// Worker threads. Default: what the machine and its cgroup allow.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Speed against quality. Default: what the project says, else standard.
    #[arg(long)]
    preset: Option<PresetName>,
    /// A folder where chunks are kept from render to render: only what has changed is rendered again. Default:
    /// remix-engine in the user's cache folder, if that can be written.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Keep nothing and look nothing up.
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// The most bytes of the cache; what was used least recently goes first.
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    cache_size: u64,
    /// The description (JSON) of the ONNX models that put the influencer in the place of who is seen in a remix.
    #[cfg(feature = "onnx")]
    #[arg(long, value_name = "FILE")]
    performer: Option<PathBuf>,
    #[command(flatten)]
    fonts: FontArgs,
    /// Let media be anywhere, not only in the project's folder.
    #[arg(long)]
    allow_outside: bool,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PresetName {
    Draft,
    Standard,
    High,
}

fn main() -> ExitCode {
    // Without RUST_LOG nothing is logged; every error is printed in full anyway.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let json = match &cli.command {
        Command::Render(RenderArgs { shared, .. }) | Command::Plan(PlanArgs { shared, .. }) => shared.json,
        Command::Probe(ProbeArgs { json, .. })
        | Command::Inspect(InspectArgs { json, .. })
        | Command::Text(TextArgs { json, .. })
        | Command::Sheet(SheetArgs { json, .. })
        | Command::Check(CheckArgs { json, .. }) => *json,
        #[cfg(feature = "tesseract")]
        Command::Overlays(OverlaysArgs { json, .. }) => *json,
        Command::Schema => false,
    };
    let result = match cli.command {
        Command::Render(args) => match render(args) {
            Ok(None) => Ok(()),
            // It was told with the others.
            Ok(Some(failure)) => return ExitCode::from(failure.code.exit_code()),
            Err(error) => Err(error),
        },
        Command::Plan(args) => plan(args),
        Command::Probe(args) => probe(args),
        Command::Inspect(args) => match inspect(args) {
            Ok(None) => Ok(()),
            Ok(Some(told)) => return told_already(&told),
            Err(error) => Err(error),
        },
        Command::Text(args) => match text(args) {
            Ok(None) => Ok(()),
            Ok(Some(told)) => return told_already(&told),
            Err(error) => Err(error),
        },
        Command::Sheet(args) => sheet(args),
        #[cfg(feature = "tesseract")]
        Command::Overlays(args) => overlays(args),
        Command::Schema => {
            print_text(&format!("{:#}\n", schema()));
            Ok(())
        }
        Command::Check(args) => check(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if json {
                print_json(&serde_json::json!({ "error": error.to_failure() }));
            }
            eprintln!("{}", error.report());
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// The end of a command whose JSON has the error in it.
fn told_already(error: &Error) -> ExitCode {
    eprintln!("{}", error.report());
    ExitCode::from(error.kind().exit_code())
}

/// Renders a project, and gives what the first variant failed with, if others did not.
fn render(args: RenderArgs) -> Result<Option<Failure>> {
    let request = request(&args.project, &args.shared)?;
    let began = std::time::SystemTime::now();
    let existing = if args.replace { Existing::Replace } else { Existing::Return };
    let engine = engine(&args.shared, existing, cache(&args.shared)?)?;
    let cancel = cancel_on_signal()?;
    let json = args.shared.json;
    let bar = (!json).then(progress_bar);
    let shown = bar.clone();
    let control = Control::new().with_cancel(cancel).with_progress(move |progress| match &shown {
        Some(bar) => show(bar, progress),
        None => print_json(&progress),
    });
    let result = engine.render_with(&request, &args.out, &control);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let mut failed = None;
    for container in result? {
        if json {
            print_json(&container)
        } else {
            summarise(&container, &args.out, began)
        }
        failed = failed.or(container.last_error);
    }
    Ok(failed)
}

fn plan(args: PlanArgs) -> Result<()> {
    let request = request(&args.project, &args.shared)?;
    let store = cache(&args.shared)?;
    let engine = engine(&args.shared, Existing::Replace, store.clone())?;
    let control = Control::new().with_cancel(cancel_on_signal()?);
    let (mut plans, mut failure) = (Vec::new(), None);
    for plan in engine.plan_variants(&request, &control)? {
        match plan {
            Ok(plan) => plans.push(plan),
            // The others would be made.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    for plan in &plans {
        if args.shared.json {
            print_json(plan);
        } else {
            print_text(&plan.describe_with(|key| store.as_ref()?.contains(key).ok()));
        }
    }
    let estimate = engine.estimate(&plans, store.as_ref())?;
    if args.shared.json {
        let missing =
            |plan: &Plan| store.as_ref().map_or_else(|| Ok((0..plan.units()).collect()), |store| store.missing(plan));
        let missing = plans.iter().map(missing).collect::<Result<Vec<Vec<usize>>>>()?;
        print_json(&serde_json::json!({ "estimate": estimate, "missing": missing }));
    } else {
        print_text(&format!(
            "will take about {:.1} s with {} workers: {:.1} s of CPU, {} MiB of memory, {} MiB on the disk; {} units\n",
            estimate.wall_seconds,
            estimate.workers,
            estimate.cpu_seconds,
            estimate.memory_bytes.div_ceil(1 << 20),
            estimate.disk_bytes.div_ceil(1 << 20),
            estimate.units
        ));
    }
    failure.map_or(Ok(()), Err)
}

fn probe(args: ProbeArgs) -> Result<()> {
    let engine = Engine::new(EngineOptions::default())?;
    let info = engine.probe(&args.file, &Control::new().with_cancel(cancel_on_signal()?))?;
    if args.json {
        print_json(&info);
        return Ok(());
    }
    let mut text = format!("{}\n  container  {}, {} bytes\n", args.file.display(), info.container, info.bytes);
    match &info.video {
        Some(video) => {
            text += &format!(
                "  video      {} {}, {:.3} fps, {} pictures, {}, matrix {}, transfer {}, {} range{}\n",
                video.codec,
                video.size,
                video.mean_rate,
                video.pictures,
                video.duration,
                video.color.matrix,
                video.color.transfer,
                if video.color.full_range { "full" } else { "limited" },
                if video.has_alpha { ", with alpha" } else { "" }
            );
        }
        None => text += "  video      none\n",
    }
    match &info.audio {
        Some(audio) => {
            text += &format!(
                "  audio      {}, {} Hz, {} channels, {}\n",
                audio.codec, audio.sample_rate, audio.channels, audio.duration
            );
        }
        None => text += "  audio      none\n",
    }
    for correction in info.all_corrections() {
        text += &format!("  corrected  {correction}\n");
    }
    print_text(&text);
    Ok(())
}

/// Inspects a file. An error that it gives back as a value is among the findings already.
fn inspect(args: InspectArgs) -> Result<Option<Error>> {
    let engine = Engine::new(EngineOptions::default())?;
    let method = if args.sampled { Method::Sampled } else { Method::Exact };
    let options = InspectOptions { method, loudness: args.loudness };
    let control = Control::new().with_cancel(cancel_on_signal()?);
    let inspection = engine.inspect(&args.file, &options, &control)?;
    if args.json {
        print_json(&inspection);
    } else {
        print_text(&format!("{}\n{}", args.file.display(), inspection.describe()));
    }
    let error = inspection.to_error().filter(|_| args.fail);
    Ok(error.map(|error| error.for_asset(args.file.display().to_string())))
}

/// Finds the text in a file.
#[cfg(feature = "tesseract")]
fn overlays(args: OverlaysArgs) -> Result<()> {
    let reader = TesseractReader::new(&args.script)?;
    let engine = Engine::new(EngineOptions::default())?;
    let control = Control::new().with_cancel(cancel_on_signal()?);
    let found = engine.find_overlays(&args.file, &reader, &control)?;
    if args.json {
        print_json(&found);
    } else {
        print_text(&found.describe());
    }
    Ok(())
}

/// Draws a text. An error that it gives back as a value is in the JSON already.
fn text(args: TextArgs) -> Result<Option<Error>> {
    let engine = engine_with(&args.fonts)?;
    let style = match &args.style {
        Some(json) if json.trim_start().starts_with('{') => Some(StyleRequest(
            serde_json::from_str(json)
                .map_err(|error| Error::new(ErrorKind::Validation, format!("the style is not JSON: {error}")))?,
        )),
        name => name.as_deref().map(StyleRequest::from),
    };
    let missing = MissingPolicy::from_name(&args.missing).ok_or_else(|| {
        let message = format!("--missing is `{}`, which is neither error nor drop nor one character", args.missing);
        Error::new(ErrorKind::Validation, message)
    })?;
    let look = HookLook { style, position: args.position, safe_area: args.safe_area, language: args.language, missing };
    look.check()?;
    let block = look.block(&args.text);
    let layout = match lay_out(engine.fonts(), &block) {
        Err(error) if args.json && error.kind() == ErrorKind::FontMissing => {
            // Who asks by JSON is told what is missing as a list, not in a sentence alone.
            let missing = find_missing(engine.fonts(), &block)?;
            print_json(&serde_json::json!({ "missing": missing, "error": error.to_failure() }));
            return Ok(Some(error));
        }
        other => other?,
    };
    let canvas = CanvasSize::VERTICAL_HD;
    let mut picture = image::RgbaImage::new(canvas.width(), canvas.height());
    if let Some(over) = &args.over {
        let control = Control::new().with_cancel(cancel_on_signal()?);
        let below = engine.picture(over, TimeSpan::ZERO, canvas, &control)?;
        for (target, below) in picture.pixels_mut().zip(below.rgb.as_chunks::<3>().0) {
            *target = image::Rgba([below[0], below[1], below[2], 255]);
        }
    }
    if let Some(sprite) = rasterise(engine.fonts(), &layout)?
        && let Some(sprite) = sprite.on_canvas(canvas.width(), canvas.height())
    {
        let place = (sprite.x.unsigned_abs(), sprite.y.unsigned_abs());
        for (at, pixel) in (0u32..).zip(sprite.pixels.as_chunks::<4>().0) {
            let target = picture.get_pixel_mut(place.0 + at % sprite.width, place.1 + at / sprite.width);
            *target = if target[3] == 255 { over(*target, *pixel) } else { straight(*pixel) };
        }
    }
    picture.save_with_format(&args.out, image::ImageFormat::Png).map_err(|error| {
        Error::new(ErrorKind::OutputFailed, format!("{} cannot be written", args.out.display()))
            .caused_by(error)
            .suggest("check the path, its permissions and the space on the disk")
    })?;
    let described = layout.describe(engine.fonts(), &args.text);
    if args.json {
        print_json(&described);
        return Ok(None);
    }
    let lines: Vec<_> = described.lines.iter().map(|line| format!("  {}\n", line.text)).collect();
    let missing: Vec<_> = described.missing.iter().map(|missing| format!(" {}", missing.text)).collect();
    let missing = if missing.is_empty() { String::new() } else { format!("  missing:{}\n", missing.concat()) };
    print_text(&format!("{}\n  {} px\n{}{missing}", args.out.display(), described.font_size, lines.concat()));
    Ok(None)
}

fn sheet(args: SheetArgs) -> Result<()> {
    let engine = Engine::new(EngineOptions::default())?;
    let control = Control::new().with_cancel(cancel_on_signal()?);
    let sheet = engine.sheet(&args.result, args.frames, &control)?;
    let (width, height) = (sheet.width, sheet.height);
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::OutputFailed, format!("{} cannot be written", args.out.display()))
            .caused_by(error.to_string())
            .suggest("check the path, its permissions and the space on the disk")
    };
    let picture = image::RgbImage::from_raw(width, height, sheet.rgb).ok_or_else(|| failed(&"its size is wrong"))?;
    picture.save_with_format(&args.out, image::ImageFormat::Png).map_err(|error| failed(&error))?;
    if args.json {
        print_json(&serde_json::json!({ "file": args.out, "width": width, "height": height }));
    } else {
        print_text(&format!("{}\n  {width}x{height}\n", args.out.display()));
    }
    Ok(())
}

/// A premultiplied pixel over an opaque one.
fn over(below: image::Rgba<u8>, above: [u8; 4]) -> image::Rgba<u8> {
    let through = 255 - u32::from(above[3]);
    let mix = |below: u8, above: u8| ((u32::from(below) * through + 127) / 255 + u32::from(above)).min(255) as u8;
    image::Rgba([mix(below[0], above[0]), mix(below[1], above[1]), mix(below[2], above[2]), 255])
}

/// PNG holds colours that are not multiplied by alpha.
fn straight([r, g, b, a]: [u8; 4]) -> image::Rgba<u8> {
    let divide = |value: u8| match a {
        0 => 0,
        a => (u32::from(value) * 255 + u32::from(a) / 2).div_euclid(u32::from(a)).min(255) as u8,
    };
    image::Rgba([divide(r), divide(g), divide(b), a])
}

/// What `remix check` finds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    engine: String,
    threads: usize,
    memory_bytes: Option<u64>,
    font_faces: usize,
    /// Each font file with the BLAKE3 hash of its content.
    fonts: Vec<FontHealth>,
    source_pixels: u64,
    source_seconds: f64,
    output_seconds: f64,
}

#[derive(Serialize)]
struct FontHealth {
    path: PathBuf,
    blake3: String,
}

fn check(args: CheckArgs) -> Result<()> {
    let engine = engine_with(&args.fonts)?;
    let limits = Limits::default();
    let health = Health {
        engine: engine.version().to_owned(),
        threads: available_threads().get(),
        memory_bytes: available_memory(),
        font_faces: engine.fonts().face_count(),
        fonts: engine
            .fonts()
            .files()
            .map(|(path, hash)| FontHealth { path: path.to_owned(), blake3: hash.to_string() })
            .collect(),
        source_pixels: limits.source_pixels,
        source_seconds: limits.source_duration.as_secs_f64(),
        output_seconds: limits.output_duration.as_secs_f64(),
    };
    if args.json {
        print_json(&health);
        return Ok(());
    }
    let memory = health.memory_bytes.map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    print_text(&format!(
        "{}\n  encoders   libx264: there\n  fonts      {} faces: all mandatory ones are there\n  threads    {}\n  \
         memory     {memory}\n  sources    at most {} pixels a picture, {} s\n  output     at most {} s\n",
        health.engine,
        health.font_faces,
        health.threads,
        health.source_pixels,
        health.source_seconds,
        health.output_seconds
    ));
    Ok(())
}

fn request(project: &Path, args: &SharedArgs) -> Result<Request> {
    let mut request = Request::from_path(project)?;
    request.allow_outside = args.allow_outside;
    if let Some(preset) = args.preset {
        let preset = match preset {
            PresetName::Draft => Preset::Draft,
            PresetName::Standard => Preset::Standard,
            PresetName::High => Preset::High,
        };
        request.output.preset = Some(preset.name().to_owned());
    }
    Ok(request)
}

fn engine(args: &SharedArgs, existing: Existing, store: Option<ChunkStore>) -> Result<Engine> {
    let fonts = FontBook::installed_and(&args.fonts.paths)?;
    Engine::new(EngineOptions {
        threads: args.threads,
        fonts: Some(fonts),
        store,
        existing,
        #[cfg(feature = "onnx")]
        performers: performers(args)?,
        ..EngineOptions::default()
    })
}

#[cfg(feature = "onnx")]
fn performers(args: &SharedArgs) -> Result<Option<std::sync::Arc<dyn remix_engine::performer::Performers>>> {
    use remix_engine::performer::OnnxPerformer;
    let loaded = args
        .performer
        .as_ref()
        .map(|file| OnnxPerformer::load(file).map_err(|error| error.for_asset(file.display().to_string())));
    Ok(match loaded.transpose()? {
        Some(performer) => Some(std::sync::Arc::new(performer)),
        None => None,
    })
}

fn engine_with(fonts: &FontArgs) -> Result<Engine> {
    let fonts = FontBook::installed_and(&fonts.paths)?;
    Engine::new(EngineOptions { fonts: Some(fonts), ..EngineOptions::default() })
}

fn cache(args: &SharedArgs) -> Result<Option<ChunkStore>> {
    if let Some(folder) = &args.cache {
        return ChunkStore::open_bounded(folder, args.cache_size).map(Some);
    }
    // Nobody asked for this one: a home that cannot be written, or has no room for it, is no fault of the render's.
    let folder = if args.no_cache { None } else { user_cache() };
    let store = folder.and_then(|folder| ChunkStore::open_bounded(folder.join("remix-engine"), args.cache_size).ok());
    let has_room = |store: &ChunkStore| {
        let Some(folder) = store.folder() else { return false };
        let lengths =
            std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok());
        let present: u64 = lengths.map(|metadata| metadata.len()).sum();
        free_disk(folder).is_none_or(|free| free.saturating_add(present) > args.cache_size)
    };
    Ok(store.filter(has_room))
}

/// The user's cache folder, by the XDG base directory specification.
fn user_cache() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

/// A token that the first Ctrl-C or termination signal cancels.
fn cancel_on_signal() -> Result<Cancel> {
    let cancel = Cancel::new();
    let token = cancel.clone();
    ctrlc::set_handler(move || token.cancel())
        .map_err(|error| Error::new(ErrorKind::Internal, "signals cannot be caught").caused_by(error))?;
    Ok(cancel)
}

fn progress_bar() -> ProgressBar {
    // Ten times a second is smooth enough; without a terminal nothing is drawn.
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{msg:<18} {bar:32} {percent:>3}%  {prefix}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_position((progress.progress * 1000.0) as u64);
    bar.set_message(progress.stage.name());
    if progress.total_frames > 0 {
        let speed = progress.frames as f64 / bar.elapsed().as_secs_f64().max(0.001);
        let left = progress.eta_ms.map_or(String::new(), |ms| format!(", {} s left", ms.div_ceil(1000)));
        bar.set_prefix(format!("{}/{} frames, {speed:.0} fps{left}", progress.frames, progress.total_frames));
    }
}

fn summarise(container: &Container, out: &Path, began: std::time::SystemTime) {
    if let Some(failure) = &container.last_error {
        eprintln!("{}: {}", container.id, failure.report());
        return;
    }
    let mut text = format!("{}\n", out.join(&container.id).display());
    for asset in &container.assets {
        let length = asset.duration.map_or(String::new(), |seconds| format!(", {seconds:.3} s"));
        text += &format!("  {:<14} {}x{}{length}, {} bytes\n", asset.url, asset.width, asset.height, asset.bytes);
    }
    let total: u64 = container.report.stages.iter().map(|stage| stage.ms).sum();
    let stages: Vec<_> =
        container.report.stages.iter().map(|stage| format!("{} {} ms", stage.stage, stage.ms)).collect();
    let made: Option<jiff::Timestamp> = container.updated_at.parse().ok();
    let is_new = made.is_none_or(|made| made >= jiff::Timestamp::try_from(began).unwrap_or(jiff::Timestamp::MIN));
    let when = if is_new { "" } else { "was there already; it took " };
    text += &format!("  {when}{total} ms: {}\n", stages.join(", "));
    for source in &container.report.sources {
        for correction in &source.corrections {
            text += &format!("  corrected {}: {correction}\n", source.id);
        }
    }
    print_text(&text);
}

/// Prints one JSON object on one line. A closed pipe ends the output, not the job.
fn print_json(value: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        print_text(&format!("{line}\n"));
    }
}

fn print_text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !out.is_terminal() {
        let _ = out.flush();
    }
}
