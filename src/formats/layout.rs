//! How the two clips of a remix lie.

use super::overlays::safe_area;
use crate::compose::{Border, Edging, Fit, Focus, ScreenKey, TransitionKind, is_colored};
use crate::error::{ErrorKind, Finding};
use crate::request::{KeyOptions, LAYOUTS, LayoutOptions, Request, nearest, shorten};
use crate::source::AtEnd;
use crate::text::{Area, Rgba};
use crate::timeline::{Asset, Key, Layer, Shot, ShotDuration};
use crate::units::CanvasSize;

const HALVES: [&str; 2] = ["top", "bottom"];
const CORNERS: [&str; 4] = ["bottom-left", "bottom-right", "top-left", "top-right"];
const STANDS: [&str; 3] = ["center", "left", "right"];
const SHAPES: [&str; 3] = ["rounded", "circle", "square"];

/// The least, the usual and the largest share of the height that the reaction has in a split.
const SPLIT: (f64, f64, f64) = (0.2, 0.5, 0.8);
/// The same of the width that it has in a picture in a picture.
const INSET: (f64, f64, f64) = (0.15, 0.36, 0.6);

/// The same of the height that it has without its screen.
const STANDING: (f64, f64, f64) = (0.2, 0.6, 1.0);

/// A phone: the part of the canvas that its screen is fitted to, the corners of its screen, and its edge from within.
const SCREEN: Area = Area { x: 130, y: 210, width: 820, height: 1500 };
const SCREEN_RADIUS: u32 = 60;
const PHONE: [Border; 2] = [Border { width: 16, color: [12, 12, 14] }, Border { width: 4, color: [92, 92, 98] }];

/// What is wrong with the layout that a request asks for.
pub(crate) fn check(request: &Request) -> Vec<Finding> {
    let mut found = Vec::new();
    let names = LAYOUTS.map(|(name, _)| name);
    let layout = request.layout.as_deref().unwrap_or(names[0]);
    let Some((_, allowed)) = LAYOUTS.iter().find(|(name, _)| *name == layout) else {
        let message = format!("unknown layout `{}`", shorten(layout));
        return vec![Finding::new(ErrorKind::Validation, "/layout", message).suggest(nearest(layout, &names))];
    };
    if let Some(transition) = &request.transition {
        found.extend(super::transition::check(transition, "/transition"));
        if matches!(layout, "split" | "picture-in-picture" | "green-screen") {
            let message = format!("the layout `{layout}` has one shot alone, and nothing between shots");
            found.push(Finding::new(ErrorKind::Validation, "/transition", message).suggest("leave it out"));
        }
    }
    let Some(options) = &request.layout_options else { return found };
    let given = [
        ("position", options.position.is_some()),
        ("size", options.size.is_some()),
        ("shape", options.shape.is_some()),
        ("border", options.border.is_some()),
        ("shadow", options.shadow.is_some()),
        ("background", options.background.is_some()),
        ("key", options.key.is_some()),
    ];
    let pointer = |field: &str| format!("/layoutOptions/{field}");
    for (field, _) in given.iter().filter(|(field, given)| *given && !allowed.contains(field)) {
        let message = format!("the layout `{layout}` has no option `{field}`");
        let others: Vec<_> = LAYOUTS.iter().filter(|(_, has)| has.contains(field)).map(|(name, _)| *name).collect();
        let suggestion = format!("leave it out, or use the layout {}", others.join(" or "));
        found.push(Finding::new(ErrorKind::Validation, pointer(field), message).suggest(suggestion));
    }
    let positions: &[&str] = match layout {
        "split" => &HALVES,
        "green-screen" => &STANDS,
        _ => &CORNERS,
    };
    let choices = [
        ("position", &options.position, positions),
        ("shape", &options.shape, &SHAPES[..]),
        ("fit", &options.fit, &Fit::NAMES[..]),
    ];
    for (field, value, known) in choices {
        if let Some(value) = value.as_deref().filter(|value| !known.contains(value) && is_for(allowed, field)) {
            let message = format!("unknown {field} `{}`", shorten(value));
            found.push(Finding::new(ErrorKind::Validation, pointer(field), message).suggest(nearest(value, known)));
        }
    }
    if layout == "phone-frame" && options.fit.as_deref() == Some("blur") {
        let message = "the screen of a phone is not filled with a blurred picture";
        let suggestion = "use `contain`; what is behind the phone is blurred by `background`";
        found.push(Finding::new(ErrorKind::Validation, pointer("fit"), message).suggest(suggestion));
    }
    let (least, _, most) = match layout {
        "split" => SPLIT,
        "green-screen" => STANDING,
        _ => INSET,
    };
    if let Some(size) = options.size.filter(|size| is_for(allowed, "size") && !(least..=most).contains(size)) {
        let message = format!("the size is {size}; it must be {least} to {most}");
        found.push(Finding::new(ErrorKind::Validation, pointer("size"), message));
    }
    let is_blur = options.background.as_deref() == Some("blur");
    for (field, value) in [("border", &options.border), ("background", &options.background)] {
        let value = value.as_deref().filter(|_| is_for(allowed, field) && !(field == "background" && is_blur));
        if value.is_some_and(|value| color(value).is_none()) {
            let message = format!("{field} is not a colour of the form #rrggbb");
            found.push(Finding::new(ErrorKind::Validation, pointer(field), message).suggest("write it as `#101418`"));
        }
    }
    if let Some(key) = options.key.as_ref().filter(|_| is_for(allowed, "key")) {
        found.extend(check_key(key, &pointer("key")));
    }
    if options.focus.is_some_and(|focus| !(0.0..=1.0).contains(&focus.x) || !(0.0..=1.0).contains(&focus.y)) {
        let message = "the focus must be 0 to 1 in both directions";
        found.push(Finding::new(ErrorKind::Validation, pointer("focus"), message));
    }
    found
}

/// What is wrong with a key.
pub(super) fn check_key(key: &KeyOptions, pointer: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut wrong = |field: &str, message: String| {
        found.push(Finding::new(ErrorKind::Validation, format!("{pointer}/{field}"), message));
    };
    let ranges = [
        ("tolerance", key.tolerance, ScreenKey::TOLERANCE),
        ("softness", key.softness, ScreenKey::SOFTNESS),
        ("spill", key.spill, ScreenKey::SPILL),
        ("choke", key.choke.map(f64::from), ScreenKey::CHOKE),
    ];
    for (field, value, range) in ranges {
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            wrong(field, format!("it is {value}; it must be {} to {}", range.start(), range.end()));
        }
    }
    match key.color.as_deref().map(color) {
        Some(None) => wrong("color", "it is not a colour of the form #rrggbb".to_owned()),
        Some(Some(screen)) if !is_colored(screen) => {
            wrong(
                "color",
                "a screen that is grey, white or black cannot be told from what stands before it".to_owned(),
            );
        }
        _ => {}
    }
    found
}

fn is_for(allowed: &[&str], field: &str) -> bool {
    matches!(field, "fit" | "focus") || allowed.contains(&field)
}

/// An opaque colour.
pub(super) fn color(text: &str) -> Option<[u8; 3]> {
    text.parse::<Rgba>().ok().filter(|color| color.a == 255).map(|color| [color.r, color.g, color.b])
}

/// The shots of a remix of `reaction` and `demo` on `canvas`. The request must have no findings.
pub(super) fn shots(request: &Request, canvas: CanvasSize, reaction: Asset, demo: Asset) -> Vec<Shot> {
    let options = request.layout_options.clone().unwrap_or_default();
    let demo = Layer {
        fit: options.fit.as_deref().and_then(Fit::from_name).unwrap_or_default(),
        focus: options.focus.map_or(Focus::default(), |focus| Focus { x: focus.x, y: focus.y }),
        ..Layer::covering(canvas, demo)
    };
    let reaction = Layer::covering(canvas, reaction);
    let enter = request.transition.as_ref().map(|wanted| super::transition::of(wanted, TransitionKind::Dissolve));
    let second = |shot: Shot| Shot { enter, ..shot };
    match request.layout.as_deref() {
        Some("split") => vec![split(&options, canvas, reaction, demo)],
        Some("picture-in-picture") => {
            let room = safe_area(request.safe_area.as_deref());
            vec![picture_in_picture(&options, room, reaction, demo)]
        }
        Some("green-screen") => vec![green_screen(&options, canvas, reaction, demo)],
        Some("phone-frame") => vec![shot("reaction", reaction), second(phone_frame(&options, canvas, demo))],
        _ => vec![shot("reaction", reaction), second(shot("app-demo", demo))],
    }
}

fn shot(name: &str, layer: Layer) -> Shot {
    Shot {
        name: name.to_owned(),
        ground: [0; 3],
        layers: vec![layer],
        duration: ShotDuration::Media,
        enter: None,
        pointer: String::new(),
    }
}

/// Both at once, as long as the app demo, which is first; the reaction starts over until then.
fn both(name: &str, demo: Layer, reaction: Layer) -> Shot {
    let reaction = Layer { at_end: AtEnd::Loop, ..reaction };
    let mut both = shot(name, demo);
    both.layers.push(reaction);
    both
}

/// The reaction above or below the demo.
fn split(options: &LayoutOptions, canvas: CanvasSize, reaction: Layer, demo: Layer) -> Shot {
    let share = options.size.unwrap_or(SPLIT.1);
    let height = (f64::from(canvas.height()) * share / 2.0).round() as u32 * 2;
    let rest = canvas.height() - height;
    let area = |y: u32, height: u32| Area { x: 0, y: y as i32, width: canvas.width(), height };
    let (of_reaction, of_demo) = match options.position.as_deref() {
        Some("bottom") => (area(rest, height), area(0, rest)),
        _ => (area(0, height), area(height, rest)),
    };
    both("split", Layer { area: of_demo, ..demo }, Layer { area: of_reaction, ..reaction })
}

/// The reaction in a corner of the safe area `room`, over the demo.
fn picture_in_picture(options: &LayoutOptions, room: Area, reaction: Layer, demo: Layer) -> Shot {
    let even = |value: f64| (value / 2.0).round() as u32 * 2;
    let borders: Vec<_> =
        options.border.as_deref().and_then(color).map(|color| Border { width: 6, color }).into_iter().collect();
    let edge: u32 = borders.iter().map(|border| border.width).sum();
    let shape = options.shape.as_deref().unwrap_or(SHAPES[0]);
    // A share of the canvas, and not more than there is room for.
    let canvas = f64::from(demo.area.width);
    let width = even(canvas * options.size.unwrap_or(INSET.1)).min((room.width - 2 * edge) & !1);
    let height = if shape == "circle" { width } else { even(f64::from(width) * 4.0 / 3.0) };
    let height = height.min((room.height - 2 * edge) & !1);
    let radius = match shape {
        "circle" => width / 2,
        "square" => 0,
        _ => width / 9,
    };
    let corner = options.position.as_deref().unwrap_or(CORNERS[0]);
    let x = match corner {
        "bottom-right" | "top-right" => room.x + (room.width - width - edge) as i32,
        _ => room.x + edge as i32,
    };
    let y = match corner {
        "top-left" | "top-right" => room.y + edge as i32,
        _ => room.y + (room.height - height - edge) as i32,
    };
    let edging = Edging { radius, borders, shadow: options.shadow.unwrap_or(true) };
    let area = Area { x: x & !1, y: y & !1, width, height };
    both("picture-in-picture", demo, Layer { area, edging, ..reaction })
}

/// The reaction without its screen, before the demo; it stands on the canvas's lower edge.
fn green_screen(options: &LayoutOptions, canvas: CanvasSize, reaction: Layer, demo: Layer) -> Shot {
    let share = options.size.unwrap_or(STANDING.1);
    let height = (f64::from(canvas.height()) * share / 2.0).round() as u32 * 2;
    let area = Area { x: 0, y: (canvas.height() - height) as i32, width: canvas.width(), height };
    let x = match options.position.as_deref() {
        Some("left") => 0.0,
        Some("right") => 1.0,
        _ => 0.5,
    };
    let key = key(&options.key.clone().unwrap_or_default());
    let reaction = Layer { area, fit: Fit::Contain, focus: Focus { x, y: 1.0 }, key: Some(key), ..reaction };
    both("green-screen", demo, reaction)
}

/// The key of these options, which must have no findings.
pub(super) fn key(options: &KeyOptions) -> Key {
    let usual = Key::default();
    Key {
        color: options.color.as_deref().and_then(color),
        tolerance: options.tolerance.unwrap_or(usual.tolerance),
        softness: options.softness.unwrap_or(usual.softness),
        spill: options.spill.unwrap_or(usual.spill),
        choke: options.choke.unwrap_or(usual.choke),
    }
}

/// The demo on the screen of a phone, over itself blurred or a colour.
fn phone_frame(options: &LayoutOptions, canvas: CanvasSize, demo: Layer) -> Shot {
    let ground = options.background.as_deref().and_then(color);
    let fit = options.fit.as_deref().and_then(Fit::from_name).unwrap_or(Fit::Contain);
    let layer = Layer {
        area: SCREEN,
        fit,
        edging: Edging { radius: SCREEN_RADIUS, borders: PHONE.to_vec(), shadow: true },
        backdrop: ground.is_none().then_some(Area { x: 0, y: 0, width: canvas.width(), height: canvas.height() }),
        ..demo
    };
    Shot { ground: ground.unwrap_or_default(), ..shot("app-demo", layer) }
}
