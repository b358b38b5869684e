//! Stretches of time: from what single pictures and samples are to spans.

use crate::units::{TimeSpan, Timestamp};

/// A stretch of a clock, from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Stretch {
    pub(super) fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }

    pub(super) fn length(self) -> TimeSpan {
        self.end.saturating_since(self.start)
    }

    pub(super) fn touches(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What is left of it without `others`, which may overlap: in order.
    pub(super) fn without(self, others: &[Self]) -> Vec<Self> {
        let mut left = vec![self];
        for other in others {
            let cut = |part: Self| {
                let before = Self::new(part.start, part.end.min(other.start));
                let after = Self::new(part.start.max(other.end), part.end);
                [before, after].into_iter().filter(|part| part.start < part.end)
            };
            left = left
                .into_iter()
                .flat_map(|part| if part.touches(*other) { cut(part).collect() } else { vec![part] })
                .collect();
        }
        left
    }
}

/// Joins marked instants to stretches: each reaches from the first marked one to the next that is not marked.
#[derive(Debug, Default)]
pub(super) struct Runs {
    open: Option<Timestamp>,
    found: Vec<Stretch>,
}

impl Runs {
    /// The next instant, later than those before, and whether it is marked.
    pub(super) fn push(&mut self, at: Timestamp, marked: bool) {
        match (self.open, marked) {
            (None, true) => self.open = Some(at),
            (Some(start), false) => {
                self.found.push(Stretch::new(start, at));
                self.open = None;
            }
            _ => {}
        }
    }

    /// All stretches; one that is still open reaches to `end`.
    pub(super) fn finish(mut self, end: Timestamp) -> Vec<Stretch> {
        if let Some(start) = self.open {
            self.found.push(Stretch::new(start, end.max(start)));
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ticks: i64) -> Timestamp {
        Timestamp::from_ticks(ticks)
    }

    fn stretch(start: i64, end: i64) -> Stretch {
        Stretch::new(at(start), at(end))
    }

    #[test]
    fn runs_reach_to_what_comes_after_them() {
        let mut runs = Runs::default();
        for (time, marked) in [(0, true), (1, true), (2, false), (3, false), (4, true), (5, false), (6, true)] {
            runs.push(at(time), marked);
        }
        assert_eq!(runs.finish(at(9)), [stretch(0, 2), stretch(4, 5), stretch(6, 9)]);
        assert_eq!(Runs::default().finish(at(9)), []);
    }

    #[test]
    fn what_is_meant_is_cut_out() {
        let whole = stretch(10, 20);
        assert_eq!(whole.without(&[]), [whole]);
        assert_eq!(whole.without(&[stretch(0, 10), stretch(20, 30)]), [whole], "what only touches leaves it whole");
        assert_eq!(whole.without(&[stretch(12, 14), stretch(13, 16)]), [stretch(10, 12), stretch(16, 20)]);
        assert_eq!(whole.without(&[stretch(0, 11), stretch(19, 30)]), [stretch(11, 19)]);
        assert_eq!(whole.without(&[stretch(0, 15), stretch(15, 30)]), []);
    }
}
