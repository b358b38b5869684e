//! Stage `finalizing`: checking, describing, publishing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use super::engine::{Shared, elapsed};
use super::{Assembly, Control, Visuals};
use crate::encode::AUDIO_BIT_RATE;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::output::{
    AssetKind, AudioReport, Container, OutputAsset, Preview, Report, SourceReport, Staging, Status, make_thumbnail,
    write_file,
};
use crate::plan::Plan;
use crate::source::{Probed, SourceInfo, probe};
use crate::units::FrameIndex;

const VIDEO: &str = "video.mp4";
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
    control.frames_done(Stage::Finalizing, 0, plan.frames());
    let id = plan.container_id();
    let folder = staging.results().join(id);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, error))?;
    let video = folder.join(VIDEO);
    let interrupt = control.interrupt();
    let writing = interrupt.pulse().write();
    take_over(file, &video)?;
    drop(writing);
    let (probed, jpeg, frame) = std::thread::scope(|scope| {
        // The disk works while the file is read.
        let synced = scope.spawn(|| fs::File::open(&video)?.sync_all());
        let probed = probe(&video, &shared.limits, &interrupt)?;
        check(plan, &probed)?;
        let (jpeg, frame) = make_thumbnail(plan, &video, &probed, &shared.limits, shared.threads, &interrupt)?;
        let _writing = interrupt.pulse().write();
        let synced = synced.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread died")));
        synced.map_err(|error| unwritable(&video, error))?;
        Ok((probed, jpeg, frame))
    })?;
    let _writing = interrupt.pulse().write();
    write_file(&folder.join(THUMBNAIL), &jpeg)?;
    tracing::debug!(frame = frame.0, "thumbnail made");

    let url = |name: &str| match &plan.job().base_url {
        Some(base) => format!("{}/{id}/{name}", base.trim_end_matches('/')),
        None => name.to_owned(),
    };
    let (width, height) = (plan.canvas().width(), plan.canvas().height());
    let seconds = plan.rate().time_of(FrameIndex(plan.frames())).as_secs_f64();
    let assets = vec![
        OutputAsset {
            asset_id: format!("{id}_video"),
            kind: AssetKind::Video,
            url: url(VIDEO),
            width,
            height,
            bytes: probed.info.bytes,
            blake3: probed.info.hash.clone(),
            duration: Some(seconds),
            frames: Some(plan.frames()),
            frame_rate: Some(plan.rate().to_string()),
        },
        OutputAsset {
            asset_id: format!("{id}_thumbnail"),
            kind: AssetKind::Thumbnail,
            url: url(THUMBNAIL),
            width,
            height,
            bytes: jpeg.len() as u64,
            blake3: blake3::hash(&jpeg).to_hex().to_string(),
            duration: None,
            frames: None,
            frame_rate: None,
        },
    ];
    let mut stages = visuals.stages.clone();
    stages.push(assembly.time.clone());
    stages.push(elapsed(Stage::Finalizing, began));
    let now = jiff::Timestamp::now();
    let spent: u64 = stages.iter().map(|stage| stage.ms).sum();
    let started = now - jiff::SignedDuration::from_millis(i64::try_from(spent).unwrap_or(0));
    let container = Container {
        id: id.to_owned(),
        status: Status::Completed,
        format: plan.job().format,
        influencer_id: plan.job().influencer_id.clone(),
        social_account_id: plan.job().social_account_id.clone(),
        hook: plan.job().hook.clone(),
        preview: Preview {
            kind: "video".to_owned(),
            primary_url: url(VIDEO),
            thumbnail_url: url(THUMBNAIL),
            image_urls: Vec::new(),
            aspect_ratio: "9:16".to_owned(),
        },
        assets,
        captions: Vec::new(),
        last_error: None,
        created_at: started.to_string(),
        updated_at: now.to_string(),
        report: Report {
            engine: shared.version.clone(),
            picks: plan.job().picks.clone(),
            sources: plan
                .sources()
                .iter()
                .enumerate()
                .map(|(place, source)| SourceReport {
                    id: source.asset.id.clone(),
                    blake3: source.info.hash.clone(),
                    corrections: corrections(&source.info, visuals.concealed.get(&place)),
                })
                .collect(),
            stages,
            chunks_rendered: visuals.chunks_rendered,
            chunks_reused: visuals.chunks_reused,
            damaged_pictures: visuals.concealed.values().map(|pictures| pictures.len() as u64).sum(),
            video: plan.video_settings().clone(),
            audio: AudioReport { bit_rate: AUDIO_BIT_RATE, gain: assembly.gain },
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
