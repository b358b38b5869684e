//! All four stages in one call, for every variant of a request.

use std::path::Path;
use std::time::Instant;

use super::engine::{Existing, elapsed};
use super::planning::container_id;
use super::{Assembly, Control, Engine, Visuals, estimate, existing, guarded};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::formats;
use crate::output::{Container, EncodedSound, Staging};
use crate::plan::Plan;
use crate::request::Request;
use crate::store::ChunkStore;

/// What a variant has come to so far.
struct Variant<T> {
    plan: Plan,
    made: T,
}

pub(super) fn render(engine: &Engine, request: &Request, out: &Path, control: &Control) -> Result<Vec<Container>> {
    let shared = &engine.0;
    let at_stage = |stage| move |error: Error| error.at_stage(stage);
    if shared.existing == Existing::Return {
        let found = engine.watched("looking for results", control, || existing::find(shared, request, out, control));
        if let Some(containers) = found.map_err(at_stage(Stage::Planning))? {
            control.report(Stage::Finalizing, 1.0, 0, 0);
            return Ok(containers);
        }
    }
    let planned = Instant::now();
    let plans = engine.plan_variants(request, control)?;
    let planning = elapsed(Stage::Planning, planned);
    // Where no variant can be made, nothing is touched.
    if plans.iter().all(Result::is_err) {
        return finished(engine, request, plans.into_iter().map(|plan| plan.map(drop)), Vec::new());
    }
    let staging = Staging::create(out).map_err(at_stage(Stage::GeneratingVisuals))?;
    let planned = || plans.iter().flatten();
    // A lease until the results are out: others may share the store.
    let (store, _lease) = match &shared.store {
        Some(store) => {
            let lease = store.lease(planned().flat_map(Plan::keys)).map_err(at_stage(Stage::GeneratingVisuals))?;
            (store.clone(), Some(lease))
        }
        None => {
            let store = ChunkStore::open(staging.work().join("chunks"));
            (store.map_err(at_stage(Stage::GeneratingVisuals))?, None)
        }
    };
    let all: Vec<&Plan> = planned().collect();
    // What the chunks are kept in may be another disk, with a bound of its own.
    estimate::check(shared, &all, Some(&store), free_bytes(out)).map_err(at_stage(Stage::Planning))?;
    let total: u64 = planned().map(Plan::steps).sum();

    let plans = plans.into_iter().map(|plan| plan.map(|plan| Variant { plan, made: () })).collect();
    let drawn = each(plans, total, control, |plan, (), part| -> Result<(Visuals, Option<EncodedSound>)> {
        let (mut visuals, sound) = engine.visuals_with_sound(plan, &store, part)?;
        visuals.stages.insert(0, planning.clone());
        Ok((visuals, sound))
    })?;
    let assembled = each(drawn, total, control, |plan, (visuals, sound), part| -> Result<(Visuals, Assembly)> {
        let _span = tracing::info_span!("assembling", id = plan.container_id()).entered();
        let file = staging.work().join(format!("{}.mp4", plan.container_id()));
        let assembly = engine
            .watched("assembling", part, || super::assemble::assemble(shared, plan, &store, &file, sound, part))
            .map_err(at_stage(Stage::Assembling))?;
        Ok((visuals, assembly))
    })?;
    let described = each(assembled, total, control, |plan, (visuals, assembly), part| -> Result<Container> {
        let file = staging.work().join(format!("{}.mp4", plan.container_id()));
        let container = engine.prepare(plan, &visuals, &assembly, &file, &staging, part)?;
        staging.check_place(plan.container_id()).map_err(at_stage(Stage::Finalizing))?;
        Ok(container)
    })?;
    let mut published = Vec::new();
    let results: Vec<_> = described
        .into_iter()
        .map(|variant| {
            let Variant { plan, made } = variant?;
            staging.publish(plan.container_id()).map_err(at_stage(Stage::Finalizing))?;
            published.push(made);
            Ok(())
        })
        .collect();
    let containers = finished(engine, request, results.into_iter(), published)?;
    // The results are out: a listener that panics now does not undo them.
    let _ = guarded("a progress listener", || {
        control.report(Stage::Finalizing, 1.0, total, total);
        Ok(())
    });
    Ok(containers)
}

/// Bytes that may still be written to the disk that `folder` is on, as far as the system says.
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_frsize.checked_mul(disk.f_bavail)
}

/// Does one stage for every variant that has not failed. A variant that fails does not end the others; a cancel ends all.
///
/// # Errors
/// `CANCELED`.
fn each<T, U>(
    variants: Vec<Result<Variant<T>>>,
    total: u64,
    control: &Control,
    mut stage: impl FnMut(&Plan, T, &Control) -> Result<U>,
) -> Result<Vec<Result<Variant<U>>>> {
    let mut before = 0;
    let mut done = Vec::new();
    for variant in variants {
        done.push(match variant {
            Err(error) => Err(error),
            Ok(Variant { plan, made }) => {
                let steps = plan.steps();
                let made = stage(&plan, made, &control.part(before, total));
                before += steps;
                match made {
                    Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
                    Err(error) => {
                        // What stalled was stopped; the next variant is not.
                        control.resume();
                        tracing::warn!(id = plan.container_id(), %error, "a variant failed");
                        Err(error)
                    }
                    Ok(made) => Ok(Variant { plan, made }),
                }
            }
        });
    }
    Ok(done)
}

/// The containers of all variants, `published` those of the ones that succeeded, in order.
///
/// # Errors
/// The first variant's, if all failed.
fn finished(
    engine: &Engine,
    request: &Request,
    results: impl Iterator<Item = Result<()>>,
    published: Vec<Container>,
) -> Result<Vec<Container>> {
    let nothing = published.is_empty();
    let mut published = published.into_iter();
    let mut containers = Vec::new();
    for (variant, result) in (0u8..).zip(results) {
        match result {
            Ok(()) => containers.extend(published.next()),
            // One error says it, where there is nothing else to say.
            Err(error) if nothing => return Err(error),
            Err(error) => containers.push(Container::failed(
                container_id(request, variant),
                formats::resolve(request),
                request,
                engine.version(),
                error.to_failure(),
            )),
        }
    }
    Ok(containers)
}
