//! Results that are there already: a request that is sent again is not rendered again.

use std::fs;
use std::path::Path;

use super::Control;
use super::engine::{Existing, Shared};
use super::planning::container_id;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{Container, Status};
use crate::plan::Plan;
use crate::request::Request;
use crate::source::hash_file;

/// The containers of `request` in `out`, if all of them are there, whole, and made of the same.
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
) -> Result<Option<Vec<Container>>> {
    let findings = request.findings(&shared.limits);
    if !findings.is_empty() {
        return Err(Error::from_findings(findings));
    }
    let variants = u8::try_from(request.variant_count.unwrap_or(1)).unwrap_or(1);
    let mut containers = Vec::new();
    for variant in 0..variants {
        let id = container_id(request, variant);
        let folder = out.join(&id);
        let Some(container) = read(&folder) else { continue };
        if let Some(other) = difference(request, &container, control)? {
            return Err(conflict(&folder, &other));
        }
        if is_whole(&folder, &container) {
            containers.push(container);
        }
    }
    Ok((containers.len() == usize::from(variants)).then_some(containers))
}

/// Whether the result of a plan may be published as `folder`.
///
/// # Errors
/// `IDEMPOTENCY_CONFLICT` if the result of another request is there and [`Existing::Return`](super::Existing) holds.
pub(super) fn check(shared: &Shared, plan: &Plan, folder: &Path) -> Result<()> {
    let other = || read(folder).filter(|there| there.report.request != plan.job().request_hash);
    match shared.existing {
        Existing::Return if other().is_some() => Err(conflict(folder, &other_content(plan.container_id()))),
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

/// The description in the folder of a result.
fn read(folder: &Path) -> Option<Container> {
    let json = fs::read(folder.join("container.json")).ok()?;
    let container: Container = serde_json::from_slice(&json).ok()?;
    (container.status == Status::Completed).then_some(container)
}

/// What it was made of that the request does not have.
fn difference(request: &Request, container: &Container, control: &Control) -> Result<Option<String>> {
    if container.report.request != request.hash()? {
        return Ok(Some(other_content(&container.id)));
    }
    let interrupt = control.interrupt();
    for source in &container.report.sources {
        let paths = request.sources_of(&source.id).filter_map(|src| request.resolve(src).ok());
        // A pipe would be waited for; it is no source either.
        let there: Vec<_> = paths.filter(|path| path.is_file()).collect();
        let mut same = there.is_empty();
        for path in there {
            same = same || hash_file(&path, &interrupt)? == source.blake3;
        }
        if !same {
            return Ok(Some(format!("another file as {}", source.id)));
        }
    }
    Ok(None)
}

/// Whether all files of a result are there in their length.
fn is_whole(folder: &Path, container: &Container) -> bool {
    container.assets.iter().all(|asset| {
        // The name is what follows the base URL.
        let name = asset.url.rsplit('/').next().unwrap_or_default();
        fs::metadata(folder.join(name)).is_ok_and(|metadata| metadata.is_file() && metadata.len() == asset.bytes)
    })
}
