//! What is wrong with a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Span;
use crate::error::ErrorKind;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, and often meant.
    Info,
    /// Somebody should look at it.
    Warning,
    /// The file is broken or worthless, or not what was promised.
    Error,
}

impl Severity {
    /// The name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of fault a finding is. The names are stable; a removed or renamed one is a breaking change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum InspectionCode {
    /// It has more or fewer frames than the plan, or another size or rate.
    PlanMismatch,
    /// The file cannot be read to its end, or its header promises more than is there.
    CutShort,
    /// Pictures have faults or cannot be decoded.
    DamagedPictures,
    /// Packets of sound cannot be decoded.
    DamagedSound,
    /// Decoding times that do not grow, or pictures of the same time.
    Timestamps,
    /// Pictures that do not follow each other at one rate.
    VariableRate,
    /// All of it is black, or all but a moment.
    BlackVideo,
    /// Black for two seconds or longer.
    BlackSpan,
    /// The first frame is black.
    BlackFirstFrame,
    /// The last frame is black.
    BlackLastFrame,
    /// The picture stands still for two seconds or longer.
    FrozenSpan,
    /// There is no sound.
    NoSound,
    /// There is sound, and nothing to hear.
    SilentSound,
    /// Silent for two seconds or longer.
    SilentSpan,
    /// Sound and picture do not start together.
    SoundOffset,
    /// Sound and picture do not end together.
    SoundEnd,
    /// The loudness is not what it should be.
    Loudness,
    /// Peaks that players and encoders may clip.
    TruePeak,
    /// The colour is not described, or wrongly.
    ColorTags,
    /// The index comes after the media.
    NotFaststart,
    /// A track has an edit list.
    EditList,
}

impl InspectionCode {
    /// Every code.
    pub const ALL: [Self; 21] = [
        Self::PlanMismatch,
        Self::CutShort,
        Self::DamagedPictures,
        Self::DamagedSound,
        Self::Timestamps,
        Self::VariableRate,
        Self::BlackVideo,
        Self::BlackSpan,
        Self::BlackFirstFrame,
        Self::BlackLastFrame,
        Self::FrozenSpan,
        Self::NoSound,
        Self::SilentSound,
        Self::SilentSpan,
        Self::SoundOffset,
        Self::SoundEnd,
        Self::Loudness,
        Self::TruePeak,
        Self::ColorTags,
        Self::NotFaststart,
        Self::EditList,
    ];

    /// The stable name, such as `BLACK_SPAN`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlanMismatch => "PLAN_MISMATCH",
            Self::CutShort => "CUT_SHORT",
            Self::DamagedPictures => "DAMAGED_PICTURES",
            Self::DamagedSound => "DAMAGED_SOUND",
            Self::Timestamps => "TIMESTAMPS",
            Self::VariableRate => "VARIABLE_RATE",
            Self::BlackVideo => "BLACK_VIDEO",
            Self::BlackSpan => "BLACK_SPAN",
            Self::BlackFirstFrame => "BLACK_FIRST_FRAME",
            Self::BlackLastFrame => "BLACK_LAST_FRAME",
            Self::FrozenSpan => "FROZEN_SPAN",
            Self::NoSound => "NO_SOUND",
            Self::SilentSound => "SILENT_SOUND",
            Self::SilentSpan => "SILENT_SPAN",
            Self::SoundOffset => "SOUND_OFFSET",
            Self::SoundEnd => "SOUND_END",
            Self::Loudness => "LOUDNESS",
            Self::TruePeak => "TRUE_PEAK",
            Self::ColorTags => "COLOR_TAGS",
            Self::NotFaststart => "NOT_FASTSTART",
            Self::EditList => "EDIT_LIST",
        }
    }

    /// Whether it comes from what the sources show or sound like, and not from how the file was made.
    pub(crate) const fn is_content(self) -> bool {
        matches!(
            self,
            Self::BlackVideo
                | Self::BlackSpan
                | Self::BlackFirstFrame
                | Self::BlackLastFrame
                | Self::FrozenSpan
                | Self::SilentSound
                | Self::SilentSpan
        )
    }

    /// The kind of the error that a finding of this code ends the inspection of somebody's file in.
    pub const fn error_kind(self) -> ErrorKind {
        match self {
            Self::BlackVideo | Self::BlackSpan | Self::NoSound | Self::SilentSound => ErrorKind::SourceEmpty,
            Self::CutShort | Self::DamagedPictures | Self::DamagedSound | Self::Timestamps => {
                ErrorKind::SourceUnreadable
            }
            _ => ErrorKind::SourceUnsupported,
        }
    }
}

impl fmt::Display for InspectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong with a file, or worth knowing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectionFinding {
    /// What kind of fault it is.
    pub code: InspectionCode,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, where, with the values involved, and what to do.
    pub message: String,
    /// When, in seconds from the first picture; `None` for the file as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl InspectionFinding {
    /// Whether it ends a job whose `output.inspection` is `fail`: every error, and of the warnings black spans
    /// (`BLACK_SPAN`) and a sound in which music or a voice-over should be heard and nothing is (`SILENT_SOUND`).
    pub fn ends_job(&self) -> bool {
        let is_listed = matches!(self.code, InspectionCode::BlackSpan | InspectionCode::SilentSound);
        self.severity == Severity::Error || (self.severity == Severity::Warning && is_listed)
    }
}

impl fmt::Display for InspectionFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.code, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_stable_name() {
        let mut names = Vec::new();
        for code in InspectionCode::ALL {
            let json = serde_json::to_string(&code).expect("a unit variant serialises");
            assert_eq!(json, format!("\"{}\"", code.name()), "the JSON form is the name");
            names.push(code.name());
        }
        assert_eq!(names.len(), 21);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 21);
    }

    #[test]
    fn errors_and_listed_warnings_end_a_job() {
        let ends = |code, severity| InspectionFinding { code, severity, message: String::new(), span: None }.ends_job();
        assert!(InspectionCode::ALL.into_iter().all(|code| ends(code, Severity::Error)));
        assert!(!InspectionCode::ALL.into_iter().any(|code| ends(code, Severity::Info)));
        let warnings: Vec<_> = InspectionCode::ALL.into_iter().filter(|&code| ends(code, Severity::Warning)).collect();
        assert_eq!(warnings, [InspectionCode::BlackSpan, InspectionCode::SilentSound]);
    }
}
