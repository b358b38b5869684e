//! What a request says about the layout of its clips.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FocusPoint;
use super::parse::Faults;

/// The layouts, the default first, each with the options that it has besides `fit` and `focus`.
pub(crate) const LAYOUTS: [(&str, &[&str]); 5] = [
    ("sequence", &[]),
    ("split", &["position", "size"]),
    ("picture-in-picture", &["position", "size", "shape", "border", "shadow"]),
    ("green-screen", &["position", "size", "key"]),
    ("phone-frame", &["background"]),
];

/// How the clips of a layout lie. Options that the layout does not have are refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct LayoutOptions {
    /// How the app demo is fitted to its part of the canvas: `cover`, `contain`, `fill`, `none` or `blur` (contained, over
    /// itself blurred; not on a phone). Default: `cover`, and `contain` on a phone.
    #[deserr(default)]
    pub fit: Option<String>,
    /// The point of the app demo that stays in view when it is cut. Default: its centre.
    #[deserr(default)]
    pub focus: Option<FocusPoint>,
    /// Where the reaction is: `top` or `bottom` in a split (default `top`); `left`, `center` or `right` of the lower edge
    /// without its screen (default `center`); `bottom-left`, `bottom-right`, `top-left` or
    /// `top-right` of the safe area for a picture in a picture (default `bottom-left`).
    #[deserr(default)]
    pub position: Option<String>,
    /// The reaction's share of the canvas: of its height in a split, 0.2 to 0.8 (default 0.5), and without its screen, 0.2 to
    /// 1 (default 0.6); of its width for a picture in
    /// a picture, 0.15 to 0.6 (default 0.36).
    #[deserr(default)]
    pub size: Option<f64>,
    /// Picture in a picture: `rounded` (3:4 with round corners), `circle` or `square` (3:4 with square corners). Default:
    /// `rounded`.
    #[deserr(default)]
    pub shape: Option<String>,
    /// Picture in a picture: the colour of a border, `#rrggbb`. Default: none.
    #[deserr(default)]
    pub border: Option<String>,
    /// Picture in a picture: whether it throws a soft shadow. Default: yes.
    #[deserr(default)]
    pub shadow: Option<bool>,
    /// Phone: what is behind it, `blur` (the app demo, blurred) or a colour, `#rrggbb`. Default: `blur`.
    #[deserr(default)]
    pub background: Option<String>,
    /// Green screen: how the reaction's screen is taken out. A reaction with transparency of its own needs none.
    #[deserr(default)]
    pub key: Option<KeyOptions>,
}

/// How a screen of one colour is taken out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct KeyOptions {
    /// Its colour, `#rrggbb`. Default: what most of the reaction's edges is.
    #[deserr(default)]
    pub color: Option<String>,
    /// How much weaker than its colour the screen may be, 0 to 0.9. Default: 0.4.
    #[deserr(default)]
    pub tolerance: Option<f64>,
    /// How soft the edge is, 0.02 to 1: much keeps hair, little hides an uneven screen. Default: 0.5.
    #[deserr(default)]
    pub softness: Option<f64>,
    /// How much of the screen's light on the reaction is taken out, 0 to 1. Default: 1.
    #[deserr(default)]
    pub spill: Option<f64>,
    /// By how many pixels the edge moves inwards, 0 to 16. Default: 2.
    #[deserr(default)]
    pub choke: Option<u32>,
}
