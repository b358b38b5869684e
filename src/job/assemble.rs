//! Stage `assembling`: stitching and sound.

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Control;
use super::engine::{Shared, elapsed};
use crate::audio::{Mixer, level};
use crate::encode::AacEncoder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::output::{AudioReport, EncodedSound, StageTime, encode_sound, write_file, write_mp4};
use crate::plan::Plan;
use crate::store::ChunkStore;

/// What assembling came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assembly {
    /// Frames in the file.
    pub frames: u64,
    /// The sound; `None` without a video.
    pub sound: Option<AudioReport>,
    /// Wall time.
    pub time: StageTime,
}

/// Mixes and encodes the plan's sound, unless `store` has it: what assembling does first, unless a worker without chunks
/// has done it already.
pub(super) fn make_sound(shared: &Shared, plan: &Plan, store: &ChunkStore, control: &Control) -> Result<EncodedSound> {
    shared.check_plan(plan)?;
    let key = plan.sound_key();
    if let Some(sound) = store.get_sound(&key)? {
        return Ok(sound);
    }
    let interrupt = control.interrupt();
    let sources = shared.probe_sources(plan, control)?;
    let mixer = || Mixer::new(plan, &sources, &shared.limits, &interrupt);
    // Before there is anything else: it takes much memory while it is opened, and little afterwards.
    let encoder = AacEncoder::open()?;
    let measured = mixer().measure()?;
    let sound = encode_sound(encoder, level(&measured, plan.loudness(), mixer)?)?;
    store.put_sound(&key, &sound)?;
    Ok(sound)
}

/// The name of the video in the folder of a result.
pub(super) const VIDEO: &str = "video.mp4";

/// The name of slide `number` (from 0) in its folder.
pub(super) fn slide_name(number: usize) -> String {
    format!("slide-{:02}.jpg", number + 1)
}

/// Makes `folder` and puts the slides of `plan` there.
fn collect_slides(plan: &Plan, store: &ChunkStore, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::new(ErrorKind::OutputFailed, format!("the folder {} cannot be made", folder.display()))
            .caused_by(error)
            .suggest("check the path, its permissions and the space on the disk")
    })?;
    for (number, slide) in plan.slides().iter().enumerate() {
        let jpeg = store.get_slide(&slide.key)?.ok_or_else(|| {
            let message = format!("slide {} ({}) is not in {}", number + 1, slide.key, store.describe());
            Error::new(ErrorKind::NotFound, message).suggest("render it, and assemble the plan again")
        })?;
        write_file(&folder.join(slide_name(number)), &jpeg)?;
    }
    Ok(())
}

/// Units that an error names one by one.
const NAMED_UNITS: usize = 5;

/// Whether all units of `plan` are in `store`: found out before the work begins.
///
/// # Errors
/// `NOT_FOUND` with the units that are missing; what the store reports.
pub(super) fn check_units(plan: &Plan, store: &ChunkStore, control: &Control) -> Result<()> {
    let interrupt = control.interrupt();
    // One request for each unit of a bucket, which together may take long and are no stall.
    let _asking = interrupt.pulse().write();
    let missing = store.missing(plan)?;
    if missing.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = plan.keys().collect();
    let mut named: Vec<String> = Vec::new();
    for &unit in missing.iter().take(NAMED_UNITS) {
        named.push(format!("{unit} ({})", keys[unit]));
    }
    if missing.len() > NAMED_UNITS {
        named.push(format!("and {} more", missing.len() - NAMED_UNITS));
    }
    let message =
        format!("{} of {} units are not in {}: {}", missing.len(), keys.len(), store.describe(), named.join(", "));
    Err(Error::new(ErrorKind::NotFound, message).suggest("render the missing units, and assemble the plan again"))
}

pub(super) fn assemble(
    shared: &Shared,
    plan: &Plan,
    store: &ChunkStore,
    file: &Path,
    control: &Control,
) -> Result<Assembly> {
    let began = Instant::now();
    control.frames_done(Stage::Assembling, 0, plan.steps());
    if !plan.slides().is_empty() {
        let interrupt = control.interrupt();
        let _writing = interrupt.pulse().write();
        collect_slides(plan, store, file)?;
    }
    if !plan.has_video() {
        control.frames_done(Stage::Assembling, plan.steps(), plan.steps());
        return Ok(Assembly { frames: 0, sound: None, time: elapsed(Stage::Assembling, began) });
    }
    let sound = make_sound(shared, plan, store, control)?;
    let video = if plan.slides().is_empty() { file.to_owned() } else { file.join(VIDEO) };
    write_mp4(plan, store, &sound, &video, &control.interrupt(), |frames| {
        control.frames_done(Stage::Assembling, frames, plan.frames());
    })?;
    let report = AudioReport::new(&sound.levels);
    Ok(Assembly { frames: plan.frames(), sound: Some(report), time: elapsed(Stage::Assembling, began) })
}
