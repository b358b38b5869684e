//! All four stages in one call, for every variant of a request.

use std::path::Path;
use std::time::Instant;

use super::engine::{Existing, elapsed};
use super::planning::container_id;
use super::{Assembly, Control, Engine, Visuals, estimate, existing, guarded};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::formats;
use crate::output::{Container, Staging};
use crate::plan::{ChunkKey, Plan};
use crate::request::Request;
use crate::store::ChunkStore;

/// What a variant has come to so far.
enum Variant<T> {
    /// Its result was there already, or is out.
    There(Box<Container>),
    /// It is being made.
    Underway(Box<Plan>, T),
    Failed(Error),
}

pub(super) fn render(engine: &Engine, request: &Request, out: &Path, control: &Control) -> Result<Vec<Container>> {
    let shared = &engine.0;
    let at_stage = |stage| move |error: Error| error.at_stage(stage);
    let found = match shared.existing {
        Existing::Return => engine
            .watched("looking for results", control, || existing::find(shared, request, out, control))
            .map_err(at_stage(Stage::Planning))?,
        Existing::Replace => Vec::new(),
    };
    if !found.is_empty() && found.iter().all(Option::is_some) {
        control.report(Stage::Finalizing, 1.0, 0, 0);
        return Ok(found.into_iter().flatten().collect());
    }
    let planned = Instant::now();
    let plans = engine.plan_variants(request, control)?;
    let planning = elapsed(Stage::Planning, planned);
    // Those that are there need no plan, and it does not matter whether they could be planned once more.
    let found = found.into_iter().chain(std::iter::repeat(None));
    let planned: Vec<Variant<()>> = plans
        .into_iter()
        .zip(found)
        .map(|variant| match variant {
            (_, Some(container)) => Variant::There(Box::new(container)),
            (Ok(plan), None) => Variant::Underway(Box::new(plan), ()),
            (Err(error), None) => Variant::Failed(error),
        })
        .collect();
    let all: Vec<&Plan> = planned.iter().filter_map(Variant::plan).collect();
    // Where no variant can be made, nothing is touched.
    if all.is_empty() {
        return finished(engine, request, planned);
    }
    let total: u64 = all.iter().map(|plan| plan.steps()).sum();
    let staging = Staging::create(out).map_err(at_stage(Stage::GeneratingVisuals))?;
    // A lease until the results are out: others may share the store.
    let (store, _lease) = match &shared.store {
        Some(store) => {
            let sounds: Vec<ChunkKey> = all.iter().map(|plan| plan.sound_key()).collect();
            let keys = all.iter().flat_map(|plan| plan.keys()).chain(&sounds);
            let lease = store.lease(keys).map_err(at_stage(Stage::GeneratingVisuals))?;
            (store.clone(), Some(lease))
        }
        None => {
            let store = ChunkStore::open(staging.work().join("chunks"));
            (store.map_err(at_stage(Stage::GeneratingVisuals))?, None)
        }
    };
    engine
        .watched("estimating", control, || {
            // One request for each unit of a bucket, which together may take long and are no stall.
            let interrupt = control.interrupt();
            let _asking = interrupt.pulse().write();
            estimate::check(shared, &all, &store, out)
        })
        .map_err(at_stage(Stage::Planning))?;

    let drawn = each(planned, total, control, |plan, (), part| {
        let mut visuals = engine.visuals_with_sound(plan, &store, part)?;
        visuals.stages.insert(0, planning.clone());
        Ok(visuals)
    })?;
    let file = |plan: &Plan| staging.work().join(format!("{}.mp4", plan.container_id()));
    let assembled = each(drawn, total, control, |plan, visuals, part| -> Result<(Visuals, Assembly)> {
        let _span = tracing::info_span!("assembling", id = plan.container_id()).entered();
        let assembly = engine
            .watched("assembling", part, || super::assemble::assemble(shared, plan, &store, &file(plan), part))
            .map_err(at_stage(Stage::Assembling))?;
        Ok((visuals, assembly))
    })?;
    let described = each(assembled, total, control, |plan, (visuals, assembly), part| {
        let container = engine.prepare(plan, &visuals, &assembly, &file(plan), &staging, part)?;
        staging.check_place(plan.container_id()).map_err(at_stage(Stage::Finalizing))?;
        Ok(container)
    })?;
    let published = described.into_iter().map(|variant| match variant {
        Variant::Underway(plan, container) => {
            // Another job may have published its own in the meantime.
            let id = plan.container_id();
            let published = existing::check(shared, &plan, out).and_then(|()| staging.publish(id));
            match published.map_err(at_stage(Stage::Finalizing)) {
                Ok(_) => Variant::There(Box::new(container)),
                Err(error) => Variant::Failed(error),
            }
        }
        other => other,
    });
    let containers = finished(engine, request, published.collect())?;
    // The results are out: a listener that panics now does not undo them.
    let _ = guarded("a progress listener", || {
        control.report(Stage::Finalizing, 1.0, total, total);
        Ok(())
    });
    Ok(containers)
}

impl<T> Variant<T> {
    fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Underway(plan, _) => Some(plan),
            Self::There(_) | Self::Failed(_) => None,
        }
    }
}

/// Does one stage for every variant that is underway. One that fails does not end the others; a cancel ends all.
///
/// # Errors
/// `CANCELED`.
fn each<T, U>(
    variants: Vec<Variant<T>>,
    total: u64,
    control: &Control,
    mut stage: impl FnMut(&Plan, T, &Control) -> Result<U>,
) -> Result<Vec<Variant<U>>> {
    let mut before = 0;
    let mut done = Vec::new();
    for variant in variants {
        done.push(match variant {
            Variant::There(container) => Variant::There(container),
            Variant::Failed(error) => Variant::Failed(error),
            Variant::Underway(plan, made) => {
                let made = stage(&plan, made, &control.part(before, total));
                before += plan.steps();
                match made {
                    Ok(made) => Variant::Underway(plan, made),
                    Err(error) if error.kind() == ErrorKind::Canceled => return Err(error),
                    Err(error) => {
                        // What stalled was stopped; the next variant is not.
                        control.resume();
                        tracing::warn!(id = plan.container_id(), %error, "a variant failed");
                        Variant::Failed(error)
                    }
                }
            }
        });
    }
    Ok(done)
}

/// The containers of all variants, when nothing is left to be done.
///
/// # Errors
/// The first variant's, if all failed: one error says it, where there is nothing else to say.
fn finished<T>(engine: &Engine, request: &Request, variants: Vec<Variant<T>>) -> Result<Vec<Container>> {
    let nothing = !variants.iter().any(|variant| matches!(variant, Variant::There(_)));
    let mut containers = Vec::new();
    for (number, variant) in (0u8..).zip(variants) {
        match variant {
            Variant::There(container) => containers.push(*container),
            Variant::Failed(error) if nothing => return Err(error),
            Variant::Failed(error) => containers.push(Container::failed(
                container_id(request, number),
                formats::resolve(request),
                request,
                engine.version(),
                error.to_failure(),
            )),
            Variant::Underway(..) => return Err(Error::new(ErrorKind::Internal, "a variant was not finished")),
        }
    }
    Ok(containers)
}
