//! Stage `planning`.

use super::Control;
use super::engine::Shared;
use crate::encode::Preset;
use crate::error::{Error, Result, Stage};
use crate::formats;
use crate::plan::{Context, JobInfo, Plan, resolve};
use crate::request::Request;
use crate::units::TimeSpan;

pub(super) fn plan(shared: &Shared, request: &Request, control: &Control) -> Result<Vec<Plan>> {
    control.cancel().check()?;
    control.report(Stage::Planning, 0.0, 0, 0);
    let findings = request.findings(&shared.limits);
    if !findings.is_empty() {
        return Err(Error::from_findings(findings));
    }
    let format = formats::resolve(request);
    let variants = u8::try_from(request.variant_count.unwrap_or(1)).unwrap_or(1);
    let mut plans = Vec::new();
    for variant in 0..variants {
        let (timeline, picks) = formats::timeline(request, format, variant)?;
        let context = Context {
            container_id: match variant {
                0 => request.id.clone(),
                // A request's id has no tilde, so that no variant takes the place of another request.
                n => format!("{}~{}", request.id, u16::from(n) + 1),
            },
            job: JobInfo {
                request_id: request.id.clone(),
                format,
                variant,
                influencer_id: request.influencer_id.clone(),
                social_account_id: request.social_account_id.clone(),
                hook: request.hook.clone().filter(|hook| !hook.trim().is_empty()),
                picks,
                thumbnail_frame: None,
                base_url: request.output.base_url.clone(),
            },
            thumbnail_at: request.output.thumbnail_at.and_then(TimeSpan::from_secs_f64),
            preset: request.output.preset.as_deref().and_then(Preset::from_name).unwrap_or_default(),
            engine: shared.version.clone(),
            fonts: &shared.fonts,
            limits: &shared.limits,
        };
        let plan = resolve(&timeline, context, |asset| Ok(shared.probe(&asset.path, control)?.info.clone()))?;
        tracing::info!(id = plan.container_id(), frames = plan.frames(), chunks = plan.chunks().len(), "planned");
        plans.push(plan);
        control.report(Stage::Planning, f64::from(variant + 1) / f64::from(variants), 0, 0);
    }
    Ok(plans)
}
