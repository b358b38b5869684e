//! JSON to [`Request`]: every wrong type and unknown field at once, each with its JSON pointer.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use deserr::errors::json::{value_description_with_kind_json, value_kinds_description_json};
use deserr::{DeserializeError, Deserr, IntoValue, MergeWithError, ValueKind, ValuePointerRef, take_cf_content};
use serde_json::Value;

use super::{Format, Request};
use crate::error::{Error, ErrorKind, Finding, Result};
use crate::limits::Limits;

/// The findings of reading a JSON document.
#[derive(Debug, Default)]
pub struct Faults {
    pub(super) findings: Vec<Finding>,
    /// Pointers of the values that could not be used.
    unusable: Vec<String>,
}

impl Faults {
    fn add(this: Option<Self>, finding: Finding, unusable: String) -> ControlFlow<Self, Self> {
        let mut this = this.unwrap_or_default();
        this.findings.push(finding);
        this.unusable.push(unusable);
        ControlFlow::Continue(this)
    }
}

impl MergeWithError<Faults> for Faults {
    fn merge(this: Option<Self>, other: Faults, _location: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut this = this.unwrap_or_default();
        this.findings.extend(other.findings);
        this.unusable.extend(other.unusable);
        ControlFlow::Continue(this)
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        this: Option<Self>,
        error: deserr::ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        use deserr::ErrorKind as Fault;
        let at = pointer(location);
        let (message, suggestion, unusable) = match error {
            Fault::UnknownKey { key, accepted } => {
                let field = format!("{at}/{}", escape(key));
                (format!("unknown field `{key}`"), Some(nearest(key, accepted)), field)
            }
            Fault::IncorrectValueKind { actual, accepted } => {
                let found = value_description_with_kind_json(&Value::from(actual));
                (
                    format!("expected {}, found {}", value_kinds_description_json(accepted), shorten(&found)),
                    None,
                    at.clone(),
                )
            }
            Fault::UnknownValue { value, accepted } => {
                (format!("unknown value `{value}`"), Some(nearest(value, accepted)), at.clone())
            }
            Fault::MissingField { field } => (format!("the field `{field}` is missing"), None, at.clone()),
            Fault::BadSequenceLen { actual, expected } => {
                use deserr::Sequence as _;
                (format!("expected {expected} items, found {}", actual.len()), None, at.clone())
            }
            Fault::Unexpected { msg } => (msg, None, at.clone()),
        };
        let pointer = if unusable.len() > at.len() { unusable.clone() } else { at };
        let mut finding = Finding::new(ErrorKind::Validation, pointer, message);
        finding.suggestion = suggestion;
        Self::add(this, finding, unusable)
    }
}

impl Deserr<Faults> for Format {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let deserr::Value::String(name) = value else {
            let error = deserr::ErrorKind::IncorrectValueKind { actual: value, accepted: &[ValueKind::String] };
            return Err(take_cf_content(Faults::error(None, error, location)));
        };
        match name.replace('_', "-").as_str() {
            "auto" => Ok(Self::Auto),
            "ugc-remix" => Ok(Self::UgcRemix),
            "slideshow-builder" => Ok(Self::SlideshowBuilder),
            "slideshow-remix" => Ok(Self::SlideshowRemix),
            "video-remix" => Ok(Self::VideoRemix),
            "timeline" => Ok(Self::Timeline),
            _ => {
                let at = pointer(location);
                let finding = Finding::new(
                    ErrorKind::UnsupportedFormat,
                    at.clone(),
                    format!("the format `{}` is not supported", shorten(&name)),
                )
                .suggest(nearest(&name, &Self::NAMES));
                Err(take_cf_content(Faults::add(None, finding, at)))
            }
        }
    }
}

impl From<Infallible> for Faults {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Request {
    /// Reads a request from JSON. Every `src` is relative to the folder `base`.
    ///
    /// # Errors
    /// `VALIDATION` or `UNSUPPORTED_FORMAT` with all findings: what is wrong with the JSON, and what is wrong with the
    /// request as far as it could be read. `LIMIT_EXCEEDED` for more than 1 MiB.
    pub fn from_json(json: &[u8], base: impl Into<PathBuf>) -> Result<Self> {
        let limits = Limits::default();
        if json.len() as u64 > limits.request_bytes {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the request has {} bytes; the limit is {}", json.len(), limits.request_bytes),
            ));
        }
        let mut value: Value = serde_json::from_slice(json).map_err(|error| {
            let message = format!("the request is not JSON: {error}");
            Error::from_findings(vec![Finding::new(ErrorKind::Validation, "", message)])
        })?;
        let base = base.into();
        let faults = match deserr::deserialize::<Request, _, Faults>(value.clone()) {
            Ok(request) => return Ok(Self { base, ..request }),
            Err(faults) => faults,
        };
        // The rest of the request is checked too, without what could not be used, so that one look shows everything.
        let mut findings = faults.findings;
        for pointer in &faults.unusable {
            remove(&mut value, pointer);
        }
        if let Ok(rest) = deserr::deserialize::<Request, _, Faults>(value) {
            let rest = Self { base, ..rest };
            let known = |pointer: &str| faults.unusable.iter().any(|known| known == pointer);
            findings.extend(rest.findings(&limits).into_iter().filter(|finding| !known(&finding.pointer)));
        }
        Err(Error::from_findings(findings))
    }

    /// Reads a request from a `project.json`, or from the one in a folder. Every `src` is relative to its folder.
    ///
    /// # Errors
    /// As [`Request::from_json`]; `NOT_FOUND` if there is no such file, `VALIDATION` if it cannot be read.
    pub fn from_path(path: &Path) -> Result<Self> {
        let file = if path.is_dir() { path.join("project.json") } else { path.to_owned() };
        let shown = file.display();
        let limit = Limits::default().request_bytes;
        let read = || {
            use std::io::Read as _;
            let mut json = Vec::new();
            std::fs::File::open(&file)?.take(limit + 1).read_to_end(&mut json)?;
            Ok::<_, std::io::Error>(json)
        };
        let json = read().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, format!("there is no project at {shown}")).caused_by(error)
            }
            _ => Error::new(ErrorKind::Validation, format!("the project {shown} cannot be read")).caused_by(error),
        })?;
        let base = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::from_json(&json, base)
    }
}

/// The JSON pointer (RFC 6901) of a location.
fn pointer(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => format!("{}/{}", pointer(*prev), escape(key)),
        ValuePointerRef::Index { index, prev } => format!("{}/{index}", pointer(*prev)),
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Removes the value at `pointer`: a field from its object; an item of an array becomes an empty object, so that the
/// others keep their places.
fn remove(root: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        *root = Value::Object(serde_json::Map::new());
        return;
    };
    match root.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Some(item) = key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                *item = Value::Object(serde_json::Map::new());
            }
        }
        _ => {}
    }
}

/// "did you mean `x`?" where a known name is near, and all known names.
pub(crate) fn nearest(name: &str, known: &[&str]) -> String {
    // Comparing costs the product of the lengths, and both may come from a stranger.
    const LISTED: usize = 20;
    const COMPARED: usize = 64;
    let name: String = name.chars().take(COMPARED).collect();
    let known: Vec<&str> = known.iter().copied().filter(|name| name.chars().count() <= COMPARED).take(LISTED).collect();
    let normal = name.to_lowercase().replace(['-', '_'], "");
    let best = known.iter().max_by(|a, b| {
        let score = |known: &str| strsim::jaro_winkler(&normal, &known.to_lowercase().replace(['-', '_'], ""));
        score(a).total_cmp(&score(b))
    });
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match best {
        Some(best) if strsim::jaro_winkler(&normal, &best.to_lowercase().replace(['-', '_'], "")) > 0.75 => {
            format!("did you mean `{best}`? known: {list}")
        }
        _ => format!("known: {list}"),
    }
}

/// At most 80 characters of a text that somebody else wrote.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(80).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> Error {
        Request::from_json(json.as_bytes(), ".").expect_err("is refused")
    }

    #[test]
    fn unknown_fields_name_the_nearest_known_one() {
        let error = refused(r#"{"id":"a","format":"ugc-remix","influencerId":"i","hok":"x","media":[{"source":"a"}]}"#);
        let found: Vec<_> = error.findings().iter().map(|f| (f.pointer.as_str(), f.suggestion.as_deref())).collect();
        let (pointer, suggestion) = found[0];
        assert_eq!(pointer, "/hok");
        assert!(suggestion.is_some_and(|text| text.starts_with("did you mean `hook`?")), "{suggestion:?}");
        assert!(found.iter().any(|(pointer, _)| *pointer == "/media/0/source"), "{found:?}");
    }

    #[test]
    fn wrong_json_and_wrong_content_are_reported_together() {
        let error = refused(r#"{"format":"carousel","hook":7,"variantCount":6,"extra~/":1,"media":["x"]}"#);
        let codes: Vec<_> = error.findings().iter().map(|f| (f.code.code(), f.pointer.as_str())).collect();
        for expected in [
            ("UNSUPPORTED_FORMAT", "/format"),
            ("VALIDATION", "/hook"),
            ("VALIDATION", "/extra~0~1"),
            ("VALIDATION", "/media/0"),
            ("VALIDATION", "/variantCount"),
            ("INFLUENCER_REQUIRED", "/influencerId"),
            ("VALIDATION", "/id"),
        ] {
            assert!(codes.contains(&expected), "{expected:?} not in {codes:?}");
        }
    }

    #[test]
    fn what_is_not_a_json_object_is_refused() {
        for json in ["", "{", "[]", "7", "\"x\"", "null", "{\"id\":\"\\ud800\"}"] {
            assert_eq!(refused(json).kind(), ErrorKind::Validation, "{json}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(refused(&deep).kind(), ErrorKind::Validation);
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(1 << 20));
        assert_eq!(refused(&long).kind(), ErrorKind::LimitExceeded);
    }
}
