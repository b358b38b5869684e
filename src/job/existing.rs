//! Results that are there already: a request that is sent again is not rendered again.

use std::fs;
use std::path::Path;

use super::Control;
use super::engine::{Existing, Shared};
use super::planning::container_id;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{Container, Status};
use crate::plan::Plan;
use crate::request::{CAPTIONS_ID, Request};
use crate::source::hash_file;

/// The containers of `request` in `out`, one for each variant: those that are there, whole, and made of the same.
///
/// A source that is gone by now is no difference: who sends a job again may have cleared up what it was made of.
///
/// # Errors
/// `IDEMPOTENCY_CONFLICT` if one is there and was made of another request or of other sources; `CANCELED`. The findings of
/// a request that is wrong.
pub(super) fn find(
    shared: &Shared,
    request: &Request,
    out: &Path,
    control: &Control,
) -> Result<Vec<Option<Container>>> {
    let findings = request.findings(&shared.limits);
    if !findings.is_empty() {
        return Err(Error::from_findings(findings));
    }
    let variants = u8::try_from(request.variant_count.unwrap_or(1)).unwrap_or(1);
    let mut containers = Vec::new();
    for variant in 0..variants {
        let id = container_id(request, variant);
        let folder = out.join(&id);
        let Some(container) = read(&folder, &id) else {
            containers.push(None);
            continue;
        };
        if let Some(other) = difference(shared, request, &container, control)? {
            return Err(conflict(&folder, &other));
        }
        containers.push(is_whole(&folder, &container, control)?.then_some(container));
    }
    Ok(containers)
}

/// Whether the result of a plan may be published in `out`.
///
/// # Errors
/// `IDEMPOTENCY_CONFLICT` if the result of another request is there and [`Existing::Return`](super::Existing) holds.
pub(super) fn check(shared: &Shared, plan: &Plan, out: &Path) -> Result<()> {
    let (id, folder) = (plan.container_id(), out.join(plan.container_id()));
    let other = || read(&folder, id).filter(|there| there.report.request != plan.job().request_hash);
    match shared.existing {
        Existing::Return if other().is_some() => Err(conflict(&folder, &other_content(id))),
        _ => Ok(()),
    }
}

fn conflict(folder: &Path, what: &str) -> Error {
    Error::new(ErrorKind::IdempotencyConflict, format!("{} holds a result with {what}", folder.display()))
        .suggest("use another id or another output folder, or have results replaced (`--replace`, `Existing::Replace`)")
}

fn other_content(id: &str) -> String {
    format!("the same id, {id}, and other content")
}

/// More than any description has: captions and findings of the longest video are far below it.
const MOST_BYTES: u64 = 64 << 20;

/// The description in the folder of the result `id`. One that does not say what it was made of cannot be compared, and is
/// replaced as anything that is not whole.
fn read(folder: &Path, id: &str) -> Option<Container> {
    let file = folder.join("container.json");
    // Asked before it is opened: opening a pipe would wait for whoever writes to it.
    fs::metadata(&file).ok().filter(|metadata| metadata.is_file() && metadata.len() <= MOST_BYTES)?;
    let container: Container = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let is_one = container.status == Status::Completed && container.id == id && !container.report.request.is_empty();
    is_one.then_some(container)
}

/// What it was made of that the request does not have. Sources are probed as planning does it: within the limits, and
/// what is known of a large file is not found out again.
fn difference(shared: &Shared, request: &Request, container: &Container, control: &Control) -> Result<Option<String>> {
    if container.report.request != request.hash()? {
        return Ok(Some(other_content(&container.id)));
    }
    for source in &container.report.sources {
        if source.id == CAPTIONS_ID {
            match request.captions_hash() {
                Ok(hash) if hash.as_ref() == Some(&source.blake3) => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Ok(_) => return Ok(Some(format!("another file as {CAPTIONS_ID}"))),
                Err(error) => return Err(error),
            }
        }
        let paths = request.sources_of(&source.id).filter_map(|src| request.resolve(src).ok());
        // A pipe would be waited for; it is no source either.
        let there: Vec<_> = paths.filter(|path| path.is_file()).collect();
        let mut same = there.is_empty();
        for path in there {
            same = same
                || match shared.probe(&path, control) {
                    Ok(probed) => probed.info.hash == source.blake3,
                    Err(error) if matches!(error.kind(), ErrorKind::Canceled | ErrorKind::SourceUnreadable) => {
                        return Err(error.for_asset(source.id.clone()));
                    }
                    // The one that it was made of could be taken.
                    Err(_) => false,
                };
        }
        if !same {
            return Ok(Some(format!("another file as {}", source.id)));
        }
    }
    Ok(None)
}

/// Whether a result has files, and all are there as they were made.
fn is_whole(folder: &Path, container: &Container, control: &Control) -> Result<bool> {
    let interrupt = control.interrupt();
    for asset in &container.assets {
        // The name is what follows the base URL.
        let file = folder.join(asset.url.rsplit('/').next().unwrap_or_default());
        let has_length = fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() == asset.bytes);
        let is_same = has_length
            && match hash_file(&file, &interrupt) {
                Ok(hash) => hash == asset.blake3,
                Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
                // What cannot be read is made again.
                Err(_) => false,
            };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(!container.assets.is_empty())
}
