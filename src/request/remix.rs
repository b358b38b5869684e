//! What a request says about the texts of somebody's post.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parse::Faults;
use super::schema::one_of;
use super::style::StyleRequest;

/// The names of removals: the least intrusive that is good enough, what was behind it, blurred, covered with a colour, and
/// not at all.
pub(crate) const REMOVALS: [&str; 5] = ["auto", "fill", "blur", "cover", "keep"];

/// What becomes of a text that is burnt into a source. It is named by its id, or by what it says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct OverlayChange {
    /// Its id, as `remix overlays` gives it.
    #[deserr(default)]
    pub id: Option<String>,
    /// What it says now; upper case, spaces and marks do not count.
    #[deserr(default)]
    pub text: Option<String>,
    /// What stands in its place, at most 2 000 characters; empty for nothing. Default: the text stays.
    #[deserr(default)]
    pub new_text: Option<String>,
    /// How it is taken out: `auto`, `fill`, `blur`, `cover` or `keep`. Default: the request's.
    #[schemars(extend("enum" = one_of(&REMOVALS)))]
    #[deserr(default)]
    pub removal: Option<String>,
    /// What differs from the old text's style, or a preset in its place. Default: the request's `overlayStyle`.
    #[deserr(default)]
    pub style: Option<StyleRequest>,
}
