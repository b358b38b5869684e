//! How one shot or slide gives way to the next, as a request has it.

use crate::compose::{Direction, Easing, TransitionKind};
use crate::error::{ErrorKind, Finding};
use crate::request::{TransitionRequest, nearest, shorten};
use crate::timeline::Transition;
use crate::units::TimeSpan;

/// Seconds of a transition that does not say how long it is.
pub(super) const SECONDS: f64 = 0.4;

/// What is wrong with the transition at `pointer` by itself.
pub(super) fn check(wanted: &TransitionRequest, pointer: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let names = [
        ("name", &wanted.name, &TransitionKind::NAMES[..]),
        ("direction", &wanted.direction, &Direction::NAMES[..]),
        ("easing", &wanted.easing, &Easing::NAMES[..]),
    ];
    for (field, given, known) in names {
        if let Some(name) = given.as_deref().filter(|name| !known.contains(name)) {
            let message = format!("unknown {field} `{}`; known: {}", shorten(name), known.join(", "));
            let finding = Finding::new(ErrorKind::Validation, format!("{pointer}/{field}"), message);
            found.push(finding.suggest(nearest(name, known)));
        }
    }
    if let Some(seconds) = wanted.duration.filter(|seconds| !(0.1..=3.0).contains(seconds)) {
        let message = format!("it is {seconds}; it must be 0.1 to 3 seconds");
        found.push(Finding::new(ErrorKind::Validation, format!("{pointer}/duration"), message));
    }
    found
}

/// The transition, by default of the kind `usual`.
pub(super) fn of(wanted: &TransitionRequest, usual: TransitionKind) -> Transition {
    let kind = wanted.name.as_deref().and_then(|name| name.parse().ok()).unwrap_or(usual);
    let duration = match kind {
        TransitionKind::Cut => TimeSpan::ZERO,
        _ => TimeSpan::from_secs_f64(wanted.duration.unwrap_or(SECONDS)).unwrap_or_default(),
    };
    Transition {
        kind,
        direction: wanted.direction.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default(),
        easing: wanted.easing.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default(),
        duration,
    }
}
