//! What a request says about the texts of somebody's post.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parse::Faults;
use super::schema::one_of;
use super::style::StyleRequest;

/// How an old text is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RemovalMode {
    /// The first of the others, from the least that is seen to the most, that leaves nothing of it.
    #[default]
    Auto,
    /// What was behind it is rebuilt.
    Fill,
    /// The part of the picture that it is in is not shown.
    Crop,
    /// It is blurred.
    Blur,
    /// A colour lies over it.
    Cover,
    /// Not at all.
    Keep,
}

impl RemovalMode {
    pub(crate) const NAMES: [&'static str; 6] = ["auto", "fill", "crop", "blur", "cover", "keep"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "fill" => Self::Fill,
            "crop" => Self::Crop,
            "blur" => Self::Blur,
            "cover" => Self::Cover,
            "keep" => Self::Keep,
            _ => return None,
        })
    }
}

/// What becomes of a text of which too much is left however it is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LeftPolicy {
    /// It is taken out as well as can be, and the report says how much is left.
    #[default]
    Report,
    /// It stays, without new words.
    Keep,
    /// The job ends.
    Fail,
}

impl LeftPolicy {
    pub(crate) const NAMES: [&'static str; 3] = ["report", "keep", "fail"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "report" => Self::Report,
            "keep" => Self::Keep,
            "fail" => Self::Fail,
            _ => return None,
        })
    }
}

/// The names of `performer`: the influencer is put in the place of who is seen, or nobody.
pub(crate) const PERFORMERS: [&str; 2] = ["influencer", "none"];

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
    /// `slideshow-remix`: the id of the source's slide that it is on; required with an id. Default: any that has the text.
    #[deserr(default)]
    pub slide: Option<String>,
    /// What stands in its place, at most 2 000 characters; empty for nothing. Default: the text stays.
    #[deserr(default)]
    pub new_text: Option<String>,
    /// How it is taken out: `auto`, `fill`, `crop`, `blur`, `cover` or `keep`. Default: the request's.
    #[schemars(extend("enum" = one_of(&RemovalMode::NAMES)))]
    #[deserr(default)]
    pub removal: Option<String>,
    /// What differs from the old text's style, or a preset in its place. Default: the request's `overlayStyle`.
    #[deserr(default)]
    pub style: Option<StyleRequest>,
}
