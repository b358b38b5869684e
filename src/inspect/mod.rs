//! What a finished file is, measured, and what is wrong with it: the self-inspection of finalizing, and
//! [`Engine::inspect`](crate::Engine::inspect) for any video.
//!
//! There are two ways to look. *Exact* decodes every picture. *Sampled* reads every packet and decodes all sound, but of
//! the pictures only those that decoding can start at, and the last one: the engine's own videos have one at least every
//! two seconds, at every cut, and looking at them costs some hundredths of a render.
//!
//! | what | exact | sampled |
//! |---|---|---|
//! | frames, times, rates, durations, container | every packet | every packet |
//! | loudness, true peak, silence | every sample | every sample |
//! | black spans | to the frame | to the frame if a sample is in them: the pictures around the edges are decoded then. Every span that is longer than [`VideoInspection::resolution`] has one |
//! | frozen spans | to the frame | from the first to the last sample that is the same, so at least that long; what happens between two of them is not seen |
//!
//! | part | what it does |
//! |---|---|
//! | `report` | what is measured, as plain data |
//! | `finding` | what is wrong, with its code and severity |
//! | `picture` | how black a picture is, and how different two are |
//! | `spans` | stretches of time, from single pictures to spans |
//! | `video`, `sound` | one pass over the pictures, one over the sound |
//! | `expected` | what a plan meant |
//! | `judge` | from what was measured to findings |

mod expected;
mod finding;
mod judge;
mod picture;
mod report;
mod sound;
mod spans;
mod video;

use std::num::NonZeroUsize;

pub(crate) use expected::Expected;
pub use finding::{InspectionCode, InspectionFinding, Severity};
pub use report::{AudioInspection, ColorCodes, FileInspection, Inspection, Method, Span, VideoInspection};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::source::Subject;

/// Options of an inspection.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InspectOptions {
    /// How the pictures are looked at. Default: exact.
    pub method: Method,
    /// The integrated loudness that the sound should have, in LUFS; further away than 1 LU is a finding. Default: `None`,
    /// any.
    pub loudness: Option<f64>,
}

/// Inspects a video that was probed. With more than one of `threads`, sound and pictures are looked at side by side.
///
/// # Errors
/// `SOURCE_EMPTY` without pictures, `SOURCE_UNSUPPORTED` for a picture file, `CANCELED`; what reading and decoding report
/// that cannot go on.
pub(crate) fn inspect(
    subject: &Subject<'_>,
    options: InspectOptions,
    expected: Option<&Expected<'_>>,
    threads: NonZeroUsize,
) -> Result<Inspection> {
    let heard = || match &subject.probed.audio {
        Some(audio) => sound::hear(subject, audio).map(Some),
        None => Ok(None),
    };
    let (seen, heard) = if threads.get() > 1 {
        std::thread::scope(|scope| {
            let hearing = scope.spawn(heard);
            let seen = video::look(subject, options.method, expected);
            let died = || Error::new(ErrorKind::Internal, "a thread died while it measured sound");
            (seen, hearing.join().unwrap_or_else(|_| Err(died())))
        })
    } else {
        (video::look(subject, options.method, expected), heard())
    };
    let (seen, heard) = (seen?, heard?);
    let mut inspection = report::describe(subject, &seen, heard.as_ref())?;
    inspection.findings = judge::judge(subject, &inspection, (&seen, heard.as_ref()), options, expected);
    Ok(inspection)
}
