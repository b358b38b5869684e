//! Stage `finalizing`: checking, inspecting, describing, publishing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use super::assemble::{VIDEO, slide_name};
use super::engine::{Shared, elapsed};
use super::{Assembly, Control, Visuals, guarded};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::ffmpeg::Interrupt;
use crate::inspect::{Expected, InspectOptions, Inspection, Method, inspect};
use crate::output::{
    AssetKind, AudioReport, Container, OutputAsset, PerformerReport, Preview, Report, ShownCaption, SourceReport,
    Staging, Status, make_thumbnail, write_file,
};
use crate::plan::{Plan, PlannedText};
use crate::request::{CAPTIONS_ID, InspectionPolicy};
use crate::source::{Probed, SourceInfo, Subject, probe};
use crate::units::{CanvasSize, FrameIndex};

const THUMBNAIL: &str = "thumbnail.jpg";
const DESCRIPTION: &str = "container.json";

pub(super) fn finalize(
    shared: &Shared,
    plan: &Plan,
    visuals: &Visuals,
    assembly: &Assembly,
    file: &Path,
    staging: &Staging,
    control: &Control,
) -> Result<Container> {
    let began = Instant::now();
    control.frames_done(Stage::Finalizing, 0, plan.steps());
    let id = plan.container_id();
    let folder = staging.results().join(id);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, error))?;
    let interrupt = control.interrupt();
    let mut assets = slides(plan, file, &folder, &interrupt)?;
    let video = if assets.is_empty() { file.to_owned() } else { file.join(VIDEO) };
    let first = assets.first().cloned();
    let mut inspection = None;
    if plan.has_video() {
        let sound = assembly.sound.as_ref();
        let (made, found) = finished_video(shared, plan, &video, &folder, first.is_none(), sound, &interrupt)?;
        assets.extend(made);
        inspection = found;
    }
    // The first slide is what people see first.
    if let Some(first) = first {
        let thumbnail = OutputAsset {
            asset_id: "thumbnail".to_owned(),
            kind: AssetKind::Thumbnail,
            url: THUMBNAIL.to_owned(),
            ..first.clone()
        };
        take_over(&folder.join(&first.url), &folder.join(THUMBNAIL))?;
        assets.push(thumbnail);
    }
    let _writing = interrupt.pulse().write();
    let url = |name: &str| match &plan.job().base_url {
        Some(base) => format!("{}/{id}/{name}", base.trim_end_matches('/')),
        None => name.to_owned(),
    };
    let image_urls: Vec<String> =
        assets.iter().filter(|asset| asset.kind == AssetKind::Slide).map(|asset| url(&asset.url)).collect();
    let is_slideshow = !plan.slides().is_empty();
    let preview = Preview {
        kind: if is_slideshow { "slideshow" } else { "video" }.to_owned(),
        primary_url: if is_slideshow { image_urls.first().cloned().unwrap_or_default() } else { url(VIDEO) },
        thumbnail_url: url(THUMBNAIL),
        image_urls,
        aspect_ratio: aspect_ratio(plan).to_owned(),
    };
    for asset in &mut assets {
        asset.asset_id = format!("{id}_{}", asset.asset_id);
        asset.url = url(&asset.url);
    }
    let mut stages = visuals.stages.clone();
    stages.push(assembly.time.clone());
    stages.push(elapsed(Stage::Finalizing, began));
    let now = jiff::Timestamp::now();
    let spent: u64 = stages.iter().map(|stage| stage.ms).sum();
    let started = now - jiff::SignedDuration::from_millis(i64::try_from(spent).unwrap_or(0));
    let captions_file = plan.job().captions_hash.iter().map(|hash| SourceReport {
        id: CAPTIONS_ID.to_owned(),
        blake3: hash.clone(),
        corrections: Vec::new(),
    });
    let container = Container {
        id: id.to_owned(),
        status: Status::Completed,
        format: plan.job().format,
        influencer_id: plan.job().influencer_id.clone(),
        social_account_id: plan.job().social_account_id.clone(),
        hook: plan.job().hook.clone(),
        preview,
        assets,
        captions: captions(plan),
        last_error: None,
        created_at: started.to_string(),
        updated_at: now.to_string(),
        report: Report {
            engine: shared.version.clone(),
            request: plan.job().request_hash.clone(),
            picks: plan.job().picks.clone(),
            overlays: plan.job().overlays.clone(),
            performer: plan.performers().next().map(|performer| PerformerReport {
                author: performer.author.clone(),
                identity: performer.identity.clone(),
                frames: (!plan.shots().is_empty()).then_some(visuals.performed),
            }),
            missing_characters: plan.job().missing_characters.clone(),
            unseen_captions: plan.job().unseen_captions.clone(),
            sources: plan
                .sources()
                .iter()
                .enumerate()
                .map(|(place, source)| SourceReport {
                    id: source.asset.id.clone(),
                    blake3: source.info.hash.clone(),
                    corrections: corrections(&source.info, visuals.concealed.get(&place)),
                })
                .chain(captions_file)
                .collect(),
            stages,
            chunks_rendered: visuals.chunks_rendered,
            chunks_reused: visuals.chunks_reused,
            damaged_pictures: visuals.concealed.values().map(|pictures| pictures.len() as u64).sum(),
            video: plan.has_video().then(|| plan.video_settings().clone()),
            audio: assembly.sound.clone(),
            inspection,
        },
    };
    let json = serde_json::to_vec_pretty(&container).map_err(|error| {
        Error::new(ErrorKind::Internal, "the description cannot be written as JSON").caused_by(error)
    })?;
    write_file(&folder.join(DESCRIPTION), &json)?;
    // The last chance: after this it is published.
    control.cancel().check()?;
    Ok(container)
}

/// The pages of captions, with their times.
fn captions(plan: &Plan) -> Vec<ShownCaption> {
    let time = |frame| plan.rate().time_of(frame).as_secs_f64();
    let shown = |text: &PlannedText| ShownCaption {
        text: text.block.text.clone(),
        start: time(text.frames.start),
        end: time(text.frames.end),
    };
    plan.captions().map(shown).collect()
}

/// Puts the slides of `plan` from the folder `from` into `folder`, and describes them; their URLs are names.
fn slides(plan: &Plan, from: &Path, folder: &Path, interrupt: &Interrupt) -> Result<Vec<OutputAsset>> {
    let _writing = interrupt.pulse().write();
    let slide = |number: usize| {
        let name = slide_name(number);
        let file = from.join(&name);
        let jpeg = fs::read(&file).map_err(|error| {
            Error::new(ErrorKind::NotFound, format!("the assembled slide {} cannot be read", file.display()))
                .caused_by(error)
                .suggest("assemble the plan again")
        })?;
        write_file(&folder.join(&name), &jpeg)?;
        Ok(OutputAsset {
            asset_id: name.trim_end_matches(".jpg").to_owned(),
            kind: AssetKind::Slide,
            url: name,
            width: plan.canvas().width(),
            height: plan.canvas().height(),
            bytes: jpeg.len() as u64,
            blake3: blake3::hash(&jpeg).to_hex().to_string(),
            duration: None,
            frames: None,
            frame_rate: None,
        })
    };
    (0..plan.slides().len()).map(slide).collect()
}

/// Inspects the finished `video` as the plan's policy says.
///
/// # Errors
/// `SOURCE_EMPTY` or `INTERNAL` if the policy is to fail and there are findings that end the job; `INTERNAL` if the video
/// cannot be decoded; `CANCELED`.
fn inspected(
    shared: &Shared,
    plan: &Plan,
    video: &Path,
    probed: &Probed,
    sound: Option<&AudioReport>,
    interrupt: &Interrupt,
) -> Result<Option<Inspection>> {
    let policy = plan.job().inspection;
    if policy == InspectionPolicy::Off {
        return Ok(None);
    }
    let subject = Subject { path: video, probed, limits: &shared.limits, interrupt };
    let left_alone = sound.is_none_or(|sound| sound.gain == 1.0 && !sound.limited);
    let expected = Expected::new(plan, &shared.fonts, sound.and_then(|sound| sound.loudness), left_alone);
    let options = InspectOptions { method: Method::Sampled, ..InspectOptions::default() };
    let inspection =
        inspect(&subject, options, Some(&expected), shared.threads).map_err(|error| match error.kind() {
            ErrorKind::Canceled => error,
            _ => Error::new(ErrorKind::Internal, "the finished file cannot be inspected").caused_by(error),
        })?;
    for finding in &inspection.findings {
        tracing::info!(code = finding.code.name(), severity = finding.severity.name(), "{}", finding.message);
    }
    match inspection.to_job_error().filter(|_| policy == InspectionPolicy::Fail) {
        Some(error) => Err(error),
        None => Ok(Some(inspection)),
    }
}

/// Puts the video `file` and its thumbnail into `folder`, checked and inspected, and describes both.
fn finished_video(
    shared: &Shared,
    plan: &Plan,
    file: &Path,
    folder: &Path,
    with_thumbnail: bool,
    sound: Option<&AudioReport>,
    interrupt: &Interrupt,
) -> Result<(Vec<OutputAsset>, Option<Inspection>)> {
    let video = folder.join(VIDEO);
    let writing = interrupt.pulse().write();
    take_over(file, &video)?;
    drop(writing);
    let (probed, thumbnail, inspection) = std::thread::scope(|scope| {
        // The disk works while the file is read.
        let synced = scope.spawn(|| fs::File::open(&video)?.sync_all());
        let probed = probe(&video, &shared.limits, interrupt)?;
        check(plan, &probed)?;
        let thumbnail = || match with_thumbnail {
            true => make_thumbnail(plan, &video, &probed, &shared.limits, shared.threads, interrupt).map(Some),
            false => Ok(None),
        };
        let inspection = || inspected(shared, plan, &video, &probed, sound, interrupt);
        // Side by side, neither leaves a core idle while the other ends with what cannot be shared out.
        let (thumbnail, inspection) = match shared.threads.get() {
            1 => (thumbnail()?, inspection()?),
            _ => std::thread::scope(|scope| {
                let chosen = scope.spawn(|| guarded("the maker of thumbnails", thumbnail));
                let inspection = inspection();
                let died = || Error::new(ErrorKind::Internal, "a thread died while it made the thumbnail");
                Ok((chosen.join().unwrap_or_else(|_| Err(died()))?, inspection?))
            })?,
        };
        let _writing = interrupt.pulse().write();
        let synced = synced.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread died")));
        synced.map_err(|error| unwritable(&video, error))?;
        Ok((probed, thumbnail, inspection))
    })?;
    let _writing = interrupt.pulse().write();
    let (width, height) = (plan.canvas().width(), plan.canvas().height());
    let mut assets = vec![OutputAsset {
        asset_id: "video".to_owned(),
        kind: AssetKind::Video,
        url: VIDEO.to_owned(),
        width,
        height,
        bytes: probed.info.bytes,
        blake3: probed.info.hash.clone(),
        duration: Some(plan.rate().time_of(FrameIndex(plan.frames())).as_secs_f64()),
        frames: Some(plan.frames()),
        frame_rate: Some(plan.rate().to_string()),
    }];
    if let Some((jpeg, frame)) = thumbnail {
        write_file(&folder.join(THUMBNAIL), &jpeg)?;
        tracing::debug!(frame = frame.0, "thumbnail made");
        assets.push(OutputAsset {
            asset_id: "thumbnail".to_owned(),
            kind: AssetKind::Thumbnail,
            url: THUMBNAIL.to_owned(),
            width,
            height,
            bytes: jpeg.len() as u64,
            blake3: blake3::hash(&jpeg).to_hex().to_string(),
            duration: None,
            frames: None,
            frame_rate: None,
        });
    }
    Ok((assets, inspection))
}

/// The canvas's shape as platforms write it.
fn aspect_ratio(plan: &Plan) -> &'static str {
    if plan.canvas() == CanvasSize::FEED { "4:5" } else { "9:16" }
}

/// Gives `file` the further name `to`, or copies it to another file system.
fn take_over(file: &Path, to: &Path) -> Result<()> {
    fs::hard_link(file, to).or_else(|_| fs::copy(file, to).map(drop)).map_err(|error| unwritable(to, error))
}

/// All that was corrected in a source, with what only rendering showed.
fn corrections(info: &SourceInfo, concealed: Option<&BTreeSet<u32>>) -> Vec<String> {
    let concealed = concealed.map(|pictures| format!("{} damaged frames concealed", pictures.len()));
    info.all_corrections().into_iter().chain(concealed).collect()
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::OutputFailed, format!("{} cannot be written", path.display()))
        .caused_by(error)
        .suggest("free space on the disk or choose another folder")
}

/// The finished file must be what the plan says, as an independent reading of it sees it.
fn check(plan: &Plan, probed: &Probed) -> Result<()> {
    let wrong = |what: String| Err(Error::new(ErrorKind::Internal, format!("the finished file is wrong: {what}")));
    let Some(video) = &probed.info.video else { return wrong("it has no video".to_owned()) };
    if video.pictures != plan.frames() {
        return wrong(format!("it has {} frames for {}", video.pictures, plan.frames()));
    }
    if (video.size.width(), video.size.height()) != (plan.canvas().width(), plan.canvas().height()) {
        return wrong(format!("its size is {}", video.size));
    }
    if probed.info.audio.is_none() {
        return wrong("it has no sound".to_owned());
    }
    match &probed.info.damage {
        None => Ok(()),
        Some(fault) => wrong(fault.clone()),
    }
}
