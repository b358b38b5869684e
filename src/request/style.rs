//! How a text looks, as the caller gives it: the name of a preset, or what differs from one.

use deserr::{Deserr, IntoValue, ValuePointerRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parse::{Faults, nearest, shorten};
use crate::error::{ErrorKind, Finding};
use crate::text::TextStyle;
use crate::timeline::{TextChange, TextChangeKind, TextMotion};
use crate::units::TimeSpan;

/// The name of a preset, or an object: `preset` (a name; default: the text's own) and any field of [`TextStyle`], which is
/// laid over the preset as a JSON merge patch (RFC 7396), `null` meaning none. `fontSize` may be a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StyleRequest(pub Value);

impl From<&str> for StyleRequest {
    /// A preset of this name.
    fn from(name: &str) -> Self {
        Self(Value::String(name.to_owned()))
    }
}

impl Deserr<Faults> for StyleRequest {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        <Value as Deserr<Faults>>::deserialize_from_value(value, location).map(Self)
    }
}

impl StyleRequest {
    /// The style that it makes of `base`.
    pub(crate) fn over(&self, base: TextStyle) -> Result<TextStyle, StyleFault> {
        let fields = match &self.0 {
            Value::String(name) => return preset(name, &base),
            Value::Object(fields) => fields,
            other => {
                let message = format!("it is `{}`; it must be a name or an object", shorten(&other.to_string()));
                return Err(StyleFault::new("", message));
            }
        };
        let mut fields = fields.clone();
        let base = match fields.remove("preset") {
            None => base,
            Some(Value::String(name)) => preset(&name, &base).map_err(|fault| fault.at("/preset"))?,
            Some(_) => return Err(StyleFault::new("/preset", "it must be a name".to_owned())),
        };
        if let Some(size) = fields.get_mut("fontSize")
            && size.is_number()
        {
            *size = serde_json::json!({ "min": size, "max": size });
        }
        let mut merged = serde_json::to_value(&base)
            .map_err(|error| StyleFault::new("", format!("the preset cannot be written: {error}")))?;
        merge(&mut merged, Value::Object(fields));
        serde_path_to_error::deserialize(merged).map_err(|error| {
            let place = match error.path().to_string().as_str() {
                "." => String::new(),
                path => format!("/{}", path.replace('.', "/")),
            };
            let message = error.inner().to_string();
            let suggestion = unknown_field(&message);
            StyleFault { suggestion, ..StyleFault::new(&place, message) }
        })
    }

    /// What is wrong with it, laid over `base`; `pointer` is its place.
    pub(crate) fn faults(&self, pointer: &str, base: TextStyle) -> Option<Finding> {
        let fault = match self.over(base) {
            Ok(style) => {
                let error = style.check().err()?;
                StyleFault::new(error.pointer().unwrap_or_default(), error.message().to_owned())
            }
            Err(fault) => fault,
        };
        let mut finding = Finding::new(ErrorKind::Validation, format!("{pointer}{}", fault.place), fault.message);
        finding.suggestion = fault.suggestion;
        Some(finding)
    }
}

/// Why a style cannot be made.
#[derive(Debug)]
pub(crate) struct StyleFault {
    /// A pointer inside the style.
    place: String,
    message: String,
    suggestion: Option<String>,
}

impl StyleFault {
    fn new(place: &str, message: String) -> Self {
        Self { place: place.to_owned(), message, suggestion: None }
    }

    fn at(self, place: &str) -> Self {
        Self { place: place.to_owned(), ..self }
    }
}

/// The preset of this name, as large, heavy and aligned as `base`, on as many lines.
fn preset(name: &str, base: &TextStyle) -> Result<TextStyle, StyleFault> {
    let preset = TextStyle::preset(name).ok_or_else(|| StyleFault {
        suggestion: Some(nearest(name, &TextStyle::PRESETS)),
        ..StyleFault::new("", format!("unknown style `{}`", shorten(name)))
    })?;
    let TextStyle { font_size, max_lines, weight, align, .. } = *base;
    Ok(TextStyle { font_size, max_lines, weight, align, ..preset })
}

/// The nearest known name, of serde's message about an unknown field: it has all names in backticks, the wrong one first.
fn unknown_field(message: &str) -> Option<String> {
    let mut names = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let given = names.next()?;
    Some(nearest(given, &names.collect::<Vec<_>>()))
}

/// Lays `patch` over `target`, except that `null` stays: a style's default of a stroke is to have one.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// How a text comes and goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct AnimationRequest {
    /// `fade`, `pop` or `none`. Default: `none`.
    #[serde(rename = "in")]
    #[deserr(rename = "in", default)]
    pub enter: Option<String>,
    /// `fade`, `pop` or `none`. Default: `none`.
    #[serde(rename = "out")]
    #[deserr(rename = "out", default)]
    pub exit: Option<String>,
    /// How long each takes in seconds, 0.03 to 3, at most half of the text's time. Default: 0.25.
    #[deserr(default)]
    pub duration: Option<f64>,
}

impl AnimationRequest {
    /// As the timeline has it. It must have no faults.
    pub(crate) fn motion(&self) -> TextMotion {
        let duration = TimeSpan::from_secs_f64(self.duration.unwrap_or(0.25)).unwrap_or_default();
        let change = |name: &Option<String>| {
            let kind = name.as_deref().and_then(TextChangeKind::from_name)?;
            Some(TextChange { kind, duration })
        };
        TextMotion { enter: change(&self.enter), exit: change(&self.exit) }
    }
}

/// What is wrong with an animation; `pointer` is its place.
pub(crate) fn animation_faults(animation: &AnimationRequest, pointer: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (field, name) in [("in", &animation.enter), ("out", &animation.exit)] {
        if let Some(name) = name.as_deref().filter(|name| *name != "none" && !TextChangeKind::NAMES.contains(name)) {
            let message = format!("unknown animation `{}`", shorten(name));
            let known = ["fade", "pop", "none"];
            found.push(
                Finding::new(ErrorKind::Validation, format!("{pointer}/{field}"), message)
                    .suggest(nearest(name, &known)),
            );
        }
    }
    if let Some(seconds) = animation.duration.filter(|seconds| !(0.03..=3.0).contains(seconds)) {
        let message = format!("it is {seconds}; it must be 0.03 to 3 seconds");
        found.push(Finding::new(ErrorKind::Validation, format!("{pointer}/duration"), message));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn style(value: Value) -> TextStyle {
        StyleRequest(value).over(TextStyle::default()).expect("is a style")
    }

    fn fault(value: Value) -> (String, String) {
        let finding = StyleRequest(value).faults("/hookStyle", TextStyle::default()).expect("is refused");
        (finding.pointer, finding.message)
    }

    #[test]
    fn a_name_or_what_differs_from_one() {
        assert_eq!(style(json!("white-box")), TextStyle::preset("white-box").expect("is known"));
        let changed =
            style(json!({ "preset": "white-box", "fill": "#ff0000", "box": { "radius": 0.0 }, "fontSize": 40 }));
        assert_eq!(changed.fill.to_string(), "#ff0000");
        assert_eq!(changed.font_size.min, 40.0);
        let (new, old) = (changed.backdrop.expect("a box"), TextStyle::preset("white-box").and_then(|s| s.backdrop));
        assert_eq!((new.radius, Some(new.padding)), (0.0, old.map(|old| old.padding)));
    }

    #[test]
    fn null_takes_away_and_parts_have_defaults() {
        assert_eq!(style(json!({ "stroke": null })).stroke, None);
        assert_eq!(style(json!({ "preset": "white-box", "box": null })).backdrop, None);
        assert!(style(json!({ "shadow": {} })).shadow.is_some());
        let stroke = style(json!({ "preset": "white-box", "stroke": { "width": 0.05 } })).stroke.expect("a stroke");
        assert_eq!((stroke.width, stroke.colour.a), (0.05, 255));
    }

    #[test]
    fn faults_have_their_place() {
        assert_eq!(fault(json!("wite-box")).0, "/hookStyle");
        assert_eq!(fault(json!({ "preset": "x" })).0, "/hookStyle/preset");
        assert_eq!(fault(json!({ "stroke": { "width": "thick" } })).0, "/hookStyle/stroke/width");
        let (pointer, message) = fault(json!({ "stroke": { "colr": "#fff000" } }));
        assert!(
            pointer.starts_with("/hookStyle/stroke") && message.contains("unknown field `colr`"),
            "{pointer} {message}"
        );
        assert!(fault(json!({ "fill": "red" })).1.contains("#rrggbb"));
        assert!(fault(json!({ "lineHeight": 9 })).1.contains("lineHeight is 9"));
        assert_eq!(fault(json!({ "box": { "padding": 9 } })).0, "/hookStyle/box/padding");
        assert_eq!(fault(json!({ "active": { "box": { "radius": -1 } } })).0, "/hookStyle/active/box/radius");
        let finding = StyleRequest(json!({ "stroek": {} })).faults("/hookStyle", TextStyle::default());
        let suggestion = finding.and_then(|finding| finding.suggestion).expect("names the nearest");
        assert!(suggestion.starts_with("did you mean `stroke`?"), "{suggestion}");
        assert!(fault(json!(7)).1.contains("a name or an object"));
    }
}
