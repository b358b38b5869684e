//! The command: thin, over the library's public API only.

#![expect(clippy::print_stderr, reason = "a command prints its errors")]

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use remix_engine::encode::Preset;
use remix_engine::formats::{HookLook, hook_block};
use remix_engine::limits::{Limits, available_memory, available_threads};
use remix_engine::output::Container;
use remix_engine::request::Request;
use remix_engine::text::{lay_out, rasterise};
use remix_engine::units::CanvasSize;
use remix_engine::{Cancel, Control, Engine, EngineOptions, Error, ErrorKind, Progress, Result};
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
    /// Draw the overlay of a text alone, as a hook is burnt in, on transparency.
    Text(TextArgs),
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

#[derive(Args)]
struct TextArgs {
    /// The text; line breaks are kept.
    text: String,
    /// The PNG file to write, of the canvas's size.
    #[arg(long)]
    out: PathBuf,
    /// The hook's style: outline, white-box, black-box, highlight or shadow.
    #[arg(long)]
    style: Option<String>,
    /// Where it stands, such as top, center or bottom-left.
    #[arg(long)]
    position: Option<String>,
    /// What it keeps clear of: organic, tiktok, reels, shorts or all.
    #[arg(long)]
    safe_area: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
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
        | Command::Text(TextArgs { json, .. })
        | Command::Sheet(SheetArgs { json, .. })
        | Command::Check(CheckArgs { json }) => *json,
    };
    let result = match cli.command {
        Command::Render(args) => render(args),
        Command::Plan(args) => plan(args),
        Command::Probe(args) => probe(args),
        Command::Text(args) => text(args),
        Command::Sheet(args) => sheet(args),
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

fn render(args: RenderArgs) -> Result<()> {
    let request = request(&args.project, &args.shared)?;
    let engine = engine(&args.shared)?;
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
    for container in result? {
        if json { print_json(&container) } else { summarise(&container, &args.out) }
    }
    Ok(())
}

fn plan(args: PlanArgs) -> Result<()> {
    let request = request(&args.project, &args.shared)?;
    let engine = engine(&args.shared)?;
    let control = Control::new().with_cancel(cancel_on_signal()?);
    for plan in engine.plan(&request, &control)? {
        if args.shared.json {
            print_json(&plan);
        } else {
            print_text(&plan.describe());
        }
    }
    Ok(())
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

fn text(args: TextArgs) -> Result<()> {
    let engine = Engine::new(EngineOptions::default())?;
    let look = HookLook { style: args.style, position: args.position, safe_area: args.safe_area };
    if let Some((field, given, known)) = look.unknown().into_iter().next() {
        return Err(Error::new(ErrorKind::Validation, format!("unknown {field} `{given}`"))
            .suggest(format!("known: {}", known.join(", "))));
    }
    let block = hook_block(&args.text, &look);
    let layout = lay_out(engine.fonts(), &block)?;
    let canvas = CanvasSize::VERTICAL_HD;
    let mut picture = image::RgbaImage::new(canvas.width(), canvas.height());
    if let Some(sprite) = rasterise(engine.fonts(), &layout)? {
        for (at, pixel) in sprite.pixels.chunks_exact(4).enumerate() {
            let (dx, dy) = (at as u32 % sprite.width, at as u32 / sprite.width);
            let place = (sprite.x.checked_add_unsigned(dx), sprite.y.checked_add_unsigned(dy));
            let place = (place.0.and_then(|x| u32::try_from(x).ok()), place.1.and_then(|y| u32::try_from(y).ok()));
            if let (Some(x), Some(y)) = place
                && let Some(target) = picture.get_pixel_mut_checked(x, y)
            {
                *target = straight([pixel[0], pixel[1], pixel[2], pixel[3]]);
            }
        }
    }
    picture.save_with_format(&args.out, image::ImageFormat::Png).map_err(|error| {
        Error::new(ErrorKind::OutputFailed, format!("{} cannot be written", args.out.display())).caused_by(error)
    })?;
    if args.json {
        print_json(&layout);
    } else {
        let lines: Vec<_> = layout.lines().iter().map(|line| format!("  {}\n", line.text)).collect();
        print_text(&format!("{}\n  {} px\n{}", args.out.display(), layout.font_size(), lines.concat()));
    }
    Ok(())
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
    source_pixels: u64,
    source_seconds: f64,
    output_seconds: f64,
}

fn check(args: CheckArgs) -> Result<()> {
    let engine = Engine::new(EngineOptions::default())?;
    let limits = Limits::default();
    let health = Health {
        engine: engine.version().to_owned(),
        threads: available_threads().get(),
        memory_bytes: available_memory(),
        font_faces: engine.fonts().face_count(),
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
        "{}\n  encoders   libx264, aac: there\n  fonts      {} faces: all mandatory ones are there\n  threads    {}\n  \
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

fn engine(args: &SharedArgs) -> Result<Engine> {
    Engine::new(EngineOptions { threads: args.threads, ..EngineOptions::default() })
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

fn summarise(container: &Container, out: &Path) {
    let mut text = format!("{}\n", out.join(&container.id).display());
    for asset in &container.assets {
        let length = asset.duration.map_or(String::new(), |seconds| format!(", {seconds:.3} s"));
        text += &format!("  {:<14} {}x{}{length}, {} bytes\n", asset.url, asset.width, asset.height, asset.bytes);
    }
    let total: u64 = container.report.stages.iter().map(|stage| stage.ms).sum();
    let stages: Vec<_> =
        container.report.stages.iter().map(|stage| format!("{} {} ms", stage.stage, stage.ms)).collect();
    text += &format!("  {total} ms: {}\n", stages.join(", "));
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
