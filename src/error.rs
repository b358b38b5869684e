//! One error for the whole engine: what went wrong, where, and what to do about it.
//!
//! [`Error::code`] is a stable string that callers may match on and show; the message may change. Codes that the
//! partner API has are the API's own. [`ErrorKind::ALL`] lists every one of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The four stages of a job, in their guaranteed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The request is checked, its sources are probed, and the plan is made.
    Planning,
    /// The chunks are decoded, composited and encoded.
    GeneratingVisuals,
    /// The chunks are stitched and the sound is mixed.
    Assembling,
    /// Thumbnails and the description are made, and everything is published.
    Finalizing,
}

impl Stage {
    /// The stage's name in the partner API, such as `generating_visuals`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::GeneratingVisuals => "generating_visuals",
            Self::Assembling => "assembling",
            Self::Finalizing => "finalizing",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Shorthand for the engine's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong, grouped by who can act on it.
///
/// The text of each variant is its general meaning; an [`Error`]'s message says what happened this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a rule; the findings say which ones.
    #[error("the request is not valid")]
    Validation,
    /// The format needs an app demo and the media has none.
    #[error("no media has the role app-demo")]
    MissingAppDemo,
    /// The format needs the name of the app.
    #[error("the app has no name")]
    MissingAppName,
    /// The format needs the description of the app.
    #[error("the app has no description")]
    MissingAppDescription,
    /// Neither `influencerId` nor `socialAccountId` is given.
    #[error("an influencer or a social account is required")]
    InfluencerRequired,
    /// The format is not one that this engine renders.
    #[error("the format is not supported")]
    UnsupportedFormat,
    /// An id in the request names nothing.
    #[error("the id names nothing in the project")]
    NotFound,
    /// The source post's id is not known.
    #[error("the id is not a known post")]
    InvalidTiktokId,
    /// A slideshow was asked for and the source is a video.
    #[error("the source post is not a slideshow")]
    NotASlideshow,
    /// The id was used before for another request.
    #[error("the id was used before with other content")]
    IdempotencyConflict,
    /// No font has what a text needs.
    #[error("a font, letter or emoji is missing")]
    FontMissing,
    /// A source cannot be opened or read.
    #[error("the source cannot be read")]
    SourceUnreadable,
    /// A source is in a form that the engine does not take.
    #[error("the source is of an unsupported kind")]
    SourceUnsupported,
    /// A source has nothing to show.
    #[error("the source has no usable content")]
    SourceEmpty,
    /// A size, count, duration or resource is over its limit.
    #[error("a limit is exceeded")]
    LimitExceeded,
    /// The performer model cannot be used.
    #[error("no performer model is available")]
    PerformerUnavailable,
    /// The result cannot be written.
    #[error("the output cannot be written")]
    OutputFailed,
    /// Nothing moved for too long.
    #[error("the job made no progress for too long")]
    Stalled,
    /// The caller cancelled the job.
    #[error("the job was cancelled")]
    Canceled,
    /// A fault of the engine itself.
    #[error("internal fault of the engine")]
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [ErrorKind; 20] = [
        Self::Validation,
        Self::MissingAppDemo,
        Self::MissingAppName,
        Self::MissingAppDescription,
        Self::InfluencerRequired,
        Self::UnsupportedFormat,
        Self::NotFound,
        Self::InvalidTiktokId,
        Self::NotASlideshow,
        Self::IdempotencyConflict,
        Self::FontMissing,
        Self::SourceUnreadable,
        Self::SourceUnsupported,
        Self::SourceEmpty,
        Self::LimitExceeded,
        Self::PerformerUnavailable,
        Self::OutputFailed,
        Self::Stalled,
        Self::Canceled,
        Self::Internal,
    ];

    /// The stable code, such as `SOURCE_UNREADABLE`. Renaming one is a breaking change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION",
            Self::MissingAppDemo => "MISSING_APP_DEMO",
            Self::MissingAppName => "MISSING_APP_NAME",
            Self::MissingAppDescription => "MISSING_APP_DESCRIPTION",
            Self::InfluencerRequired => "INFLUENCER_REQUIRED",
            Self::UnsupportedFormat => "UNSUPPORTED_FORMAT",
            Self::NotFound => "NOT_FOUND",
            Self::InvalidTiktokId => "INVALID_TIKTOK_ID",
            Self::NotASlideshow => "NOT_A_SLIDESHOW",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::FontMissing => "FONT_MISSING",
            Self::SourceUnreadable => "SOURCE_UNREADABLE",
            Self::SourceUnsupported => "SOURCE_UNSUPPORTED",
            Self::SourceEmpty => "SOURCE_EMPTY",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::PerformerUnavailable => "PERFORMER_UNAVAILABLE",
            Self::OutputFailed => "OUTPUT_FAILED",
            Self::Stalled => "STALLED",
            Self::Canceled => "CANCELED",
            Self::Internal => "INTERNAL",
        }
    }

    /// The exit code of the command for this kind: 2 the request is wrong, 3 a source is bad or unsupported,
    /// 4 a limit or resource, 5 internal, 130 cancelled.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Validation
            | Self::MissingAppDemo
            | Self::MissingAppName
            | Self::MissingAppDescription
            | Self::InfluencerRequired
            | Self::UnsupportedFormat
            | Self::NotFound
            | Self::InvalidTiktokId
            | Self::NotASlideshow
            | Self::IdempotencyConflict
            | Self::FontMissing => 2,
            Self::SourceUnreadable | Self::SourceUnsupported | Self::SourceEmpty => 3,
            Self::LimitExceeded | Self::PerformerUnavailable | Self::OutputFailed | Self::Stalled => 4,
            Self::Internal => 5,
            Self::Canceled => 130,
        }
    }
}

/// One thing that is wrong with a request, with the place it is wrong at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its kind, whose code is stable.
    pub code: ErrorKind,
    /// JSON pointer (RFC 6901) into the request; empty for the request as a whole.
    pub pointer: String,
    /// What is wrong, with the value found and the one expected.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Finding {
    /// A finding of `code` at `pointer`.
    pub fn new(code: ErrorKind, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), message: message.into(), suggestion: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{} at {pointer}: {}", self.code.code(), self.message)
    }
}

/// The engine's error: a kind with its stable code, a message, and the context it happened in.
///
/// `Display` prints the message alone; [`Error::report`] prints everything, one item a line, as the command does.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    stage: Option<Stage>,
    asset: Option<String>,
    pointer: Option<String>,
    suggestion: Option<String>,
    findings: Vec<Finding>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            stage: None,
            asset: None,
            pointer: None,
            suggestion: None,
            findings: Vec::new(),
            cause: None,
        }))
    }

    /// The error for a list of findings: of the kind of the first one, with all of them attached.
    ///
    /// With an empty list it is an [`ErrorKind::Internal`] error, since nothing was wrong.
    pub fn from_findings(findings: Vec<Finding>) -> Self {
        let Some(first) = findings.first() else {
            return Self::new(ErrorKind::Internal, "a request was refused without a finding");
        };
        let more = match findings.len() - 1 {
            0 => String::new(),
            1 => " (and 1 more finding)".to_owned(),
            n => format!(" (and {n} more findings)"),
        };
        let mut error = Self::new(first.code, format!("{}{more}", first.message));
        error.0.pointer = Some(first.pointer.clone());
        error.0.suggestion.clone_from(&first.suggestion);
        error.0.findings = findings;
        error
    }

    /// One error for several that happened side by side: the first, with all of them as findings. `None` without any.
    pub(crate) fn combine(errors: Vec<Error>) -> Option<Self> {
        let told = |error: &Error| match error.findings() {
            [] => vec![Finding {
                code: error.kind(),
                pointer: error.pointer().unwrap_or_default().to_owned(),
                message: error.message().to_owned(),
                suggestion: error.suggestion().map(str::to_owned),
            }],
            several => several.to_vec(),
        };
        let findings: Vec<Finding> = errors.iter().flat_map(told).collect();
        let mut first = errors.into_iter().next()?;
        if findings.len() > 1 {
            first.0.findings = findings;
        }
        Some(first)
    }

    /// Adds the stage it happened in, unless an inner stage is known already.
    #[must_use]
    pub fn at_stage(mut self, stage: Stage) -> Self {
        self.0.stage.get_or_insert(stage);
        self
    }

    /// Adds the asset (id and file) it is about, unless one is known already.
    #[must_use]
    pub fn for_asset(mut self, asset: impl Into<String>) -> Self {
        self.0.asset.get_or_insert_with(|| asset.into());
        self
    }

    /// Adds the JSON pointer into the request, unless one is known already.
    #[must_use]
    pub fn at_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer.get_or_insert_with(|| pointer.into());
        self
    }

    /// Adds what to do about it, unless something better is known already.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.0.suggestion.get_or_insert_with(|| suggestion.into());
        self
    }

    /// Adds the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of the kind.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The message: what happened, with the values involved.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The stage it happened in, where known.
    pub fn stage(&self) -> Option<Stage> {
        self.0.stage
    }

    /// The asset it is about, where known.
    pub fn asset(&self) -> Option<&str> {
        self.0.asset.as_deref()
    }

    /// The JSON pointer into the request, where known.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// What to do about it, where known.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// All findings of a refused request; empty for other errors.
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// Whether the same job may succeed when it is run again unchanged: true for what depends on the machine at that
    /// moment (the disk, a stall), false for what depends on the request, its files and the limits.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::OutputFailed | ErrorKind::Stalled)
    }

    /// The full report for people: `error[CODE]: message`, then stage, asset, pointer, further findings, causes and the
    /// suggestion, each on its line.
    pub fn report(&self) -> String {
        self.to_failure().report()
    }

    /// The error as data: what `container.json` has as `lastError` and the command prints under `--json`.
    pub fn to_failure(&self) -> Failure {
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Failure {
            code: self.0.kind,
            message: self.0.message.clone(),
            stage: self.0.stage,
            asset: self.0.asset.clone(),
            pointer: self.0.pointer.clone(),
            suggestion: self.0.suggestion.clone(),
            retryable: self.is_retryable(),
            findings: self.0.findings.clone(),
            causes,
        }
    }
}

/// An [`Error`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind, printed as its code.
    pub code: ErrorKind,
    /// What happened.
    pub message: String,
    /// The stage it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The asset it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// JSON pointer into the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether running the same job again may succeed.
    pub retryable: bool,
    /// All findings of a refused request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The chain of causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Failure {
    /// The full report for people, as [`Error::report`] gives it.
    pub fn report(&self) -> String {
        let mut lines = vec![format!("error[{}]: {}", self.code.code(), self.message)];
        let mut tell = |name: &str, value: Option<&str>| lines.extend(value.map(|value| format!("  {name}: {value}")));
        tell("stage", self.stage.map(Stage::name));
        tell("asset", self.asset.as_deref());
        tell("pointer", self.pointer.as_deref().map(|pointer| if pointer.is_empty() { "/" } else { pointer }));
        for finding in self.findings.iter().skip(1) {
            tell("also", Some(&finding.to_string()));
        }
        for cause in &self.causes {
            tell("cause", Some(cause));
        }
        tell("try", self.suggestion.as_deref());
        lines.join("\n")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_stable_code() {
        let codes: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(
            codes,
            [
                "VALIDATION",
                "MISSING_APP_DEMO",
                "MISSING_APP_NAME",
                "MISSING_APP_DESCRIPTION",
                "INFLUENCER_REQUIRED",
                "UNSUPPORTED_FORMAT",
                "NOT_FOUND",
                "INVALID_TIKTOK_ID",
                "NOT_A_SLIDESHOW",
                "IDEMPOTENCY_CONFLICT",
                "FONT_MISSING",
                "SOURCE_UNREADABLE",
                "SOURCE_UNSUPPORTED",
                "SOURCE_EMPTY",
                "LIMIT_EXCEEDED",
                "PERFORMER_UNAVAILABLE",
                "OUTPUT_FAILED",
                "STALLED",
                "CANCELED",
                "INTERNAL",
            ]
        );
        for kind in ErrorKind::ALL {
            let json = serde_json::to_string(&kind).expect("a unit variant serialises");
            assert_eq!(json, format!("\"{}\"", kind.code()), "the JSON form is the code");
        }
    }

    #[test]
    fn the_report_says_what_where_and_what_to_do() {
        let error = Error::new(ErrorKind::SourceUnreadable, "media/a.mp4 cannot be opened")
            .at_stage(Stage::Planning)
            .for_asset("med_1 (media/a.mp4)")
            .at_pointer("/media/0/src")
            .caused_by(std::io::Error::from(std::io::ErrorKind::NotFound))
            .suggest("check the path");
        assert_eq!(
            error.report(),
            "error[SOURCE_UNREADABLE]: media/a.mp4 cannot be opened\n  stage: planning\n  asset: med_1 (media/a.mp4)\n  \
             pointer: /media/0/src\n  cause: entity not found\n  try: check the path"
        );
    }

    #[test]
    fn findings_are_all_reported() {
        let error = Error::from_findings(vec![
            Finding::new(ErrorKind::Validation, "/hook", "too long").suggest("shorten it"),
            Finding::new(ErrorKind::NotFound, "/mediaId", "names nothing"),
        ]);
        assert_eq!(error.code(), "VALIDATION");
        assert!(error.report().contains("also: NOT_FOUND at /mediaId: names nothing"));
        assert_eq!(error.to_failure().findings.len(), 2);
    }
}
