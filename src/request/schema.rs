//! The JSON Schema of a request, from its types.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::sound::{LoudnessTarget, Switch};
use super::style::StyleRequest;
use super::{Format, Request};

/// The JSON Schema (2020-12) of a `project.json`. What depends on more than one field, or on the files, is found by planning
/// alone.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Request);
    schema.insert("title".to_owned(), Value::String("remix request".to_owned()));
    schema.to_value()
}

/// Names that a field may have, or that it is left out.
pub(super) fn one_of(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| Value::from(*name)).chain([Value::Null]).collect()
}

impl JsonSchema for Format {
    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let with_hyphens = Self::NAMES.iter().map(|name| (*name).to_owned());
        let with_underscores = Self::NAMES.iter().filter(|name| name.contains('-')).map(|name| name.replace('-', "_"));
        let names: Vec<String> = with_hyphens.chain(with_underscores).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

impl JsonSchema for StyleRequest {
    fn schema_name() -> Cow<'static, str> {
        "StyleRequest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a preset, or an object: `preset`, and any field of a style, laid over the preset.",
            "type": ["string", "object"],
        })
    }
}

impl JsonSchema for LoudnessTarget {
    fn schema_name() -> Cow<'static, str> {
        "LoudnessTarget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number", "minimum": -30, "maximum": -9 }, { "const": "off" }] })
    }
}

impl<T: JsonSchema> JsonSchema for Switch<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrFalse", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let options = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [options, { "const": false }] })
    }
}
