//! Request to timeline: one file per format.

pub(crate) mod ugc_remix;

pub use ugc_remix::hook_block;

use crate::error::{Error, ErrorKind, Finding, Result};
use crate::request::{Format, Request};
use crate::timeline::Timeline;

/// The format that a request asks for, with `auto` resolved to the one whose preconditions hold.
///
/// # Errors
/// `VALIDATION` if it is `auto` and none fits; the findings say what each format lacks.
pub(crate) fn resolve(request: &Request) -> Result<Format> {
    match request.format {
        Format::Auto => {
            let unmet = ugc_remix::unmet(request);
            if unmet.is_empty() {
                return Ok(Format::UgcRemix);
            }
            let lacks = unmet.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
            let finding = Finding::new(
                ErrorKind::Validation,
                "/format",
                format!("no format fits the request: ugc-remix: {lacks}"),
            )
            .suggest("give what a format needs, or name the format");
            Err(Error::from_findings(std::iter::once(finding).chain(unmet).collect()))
        }
        format => Ok(format),
    }
}

/// The timeline of variant `variant` (from 0) of a request, and what was picked for it.
pub(crate) fn timeline(request: &Request, format: Format, variant: u8) -> Result<(Timeline, Vec<Pick>)> {
    match format {
        Format::UgcRemix => ugc_remix::timeline(request, variant),
        Format::Auto => Err(Error::new(ErrorKind::Internal, "the format was not resolved")),
    }
}

/// What the engine used for one role of the content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pick {
    /// The role, such as `reaction`.
    pub role: String,
    /// The id of the item.
    pub id: String,
}
