//! The one place that judges health: from what the store holds to a word, a glyph and a sentence.
//!
//! Pure functions over model values and the time. They know no colour (a role is all they say) and ask AWS nothing.

mod board;
mod event;
mod service;
mod task;
#[cfg(test)]
mod tests;

pub use board::{Board, Judged};
pub use event::{EventKind, event};
pub use service::{excused_until, service};
pub use task::{culprit, exit_codes, newest_failure, stop_sentence, stopped_normally, target, task};

use crate::theme::Role;

/// How well something is. Ordered worst first, which is the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Broken.
    Fail,
    /// Worth a look.
    Warn,
    /// Changing as it should.
    Roll,
    /// Cannot be told: no answer, no right, or no word for it.
    Unknown,
    /// As it should be.
    Ok,
    /// Nothing is wanted of it.
    Idle,
}

impl Health {
    /// The sign that stands for it, one cell wide; tells health apart without colour.
    #[must_use]
    pub fn glyph(self) -> &'static str {
        match self {
            Health::Fail => "✖",
            Health::Warn => "▲",
            Health::Roll => "◌",
            Health::Unknown => "?",
            Health::Ok => "●",
            Health::Idle => "○",
        }
    }

    /// The word beside the sign.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Health::Fail => "FAIL",
            Health::Warn => "WARN",
            Health::Roll => "ROLL",
            Health::Unknown => "UNKNOWN",
            Health::Ok => "OK",
            Health::Idle => "IDLE",
        }
    }

    /// How it is painted.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Health::Fail => Role::Fail,
            Health::Warn => Role::Warn,
            Health::Roll => Role::Busy,
            Health::Unknown => Role::Stale,
            Health::Ok => Role::Ok,
            Health::Idle => Role::Idle,
        }
    }

    /// Whether it belongs on the list of problems.
    #[must_use]
    pub fn troubled(self) -> bool {
        matches!(self, Health::Fail | Health::Warn)
    }
}

/// A judgement with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub health: Health,
    /// One line of reason, in AWS's words where they help.
    pub why: String,
    /// Since when, as far as the evidence goes.
    pub since: Option<crate::model::Time>,
    /// What to look at next; empty when nothing needs a look.
    pub next: String,
}

impl Verdict {
    fn new(health: Health, why: impl Into<String>) -> Self {
        Verdict { health, why: why.into(), since: None, next: String::new() }
    }

    fn since(mut self, since: Option<crate::model::Time>) -> Self {
        self.since = since;
        self
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}
