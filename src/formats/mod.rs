//! Request to timeline: one file per format.

pub(crate) mod ugc_remix;

pub use ugc_remix::hook_block;

use crate::error::{Error, ErrorKind, Result};
use crate::request::{Format, Request};
use crate::timeline::Timeline;

/// The format that a request asks for, with `auto` resolved to the one whose preconditions hold. The request must have no
/// findings.
pub(crate) fn resolve(request: &Request) -> Format {
    match request.format {
        Format::Auto | Format::UgcRemix => Format::UgcRemix,
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
