//! The one place that judges health: from what the store holds to a word, a glyph, a sentence, the evidence and the next check.
//!
//! Pure functions over model values and the time. They know no colour (a role is all they say) and ask AWS nothing. What a service
//! can be is one table of rules, [`service::RULES`]; what a text of AWS means is another, in [`cause`].

mod board;
pub mod cause;
mod event;
mod facts;
mod placement;
mod service;
mod stops;
mod task;
#[cfg(test)]
mod tests;

pub use board::{Board, Judged, judge};
pub use event::{EventKind, brief, event, lone_event};
pub use facts::{Group, Known, excused_until, is_behind};
pub use service::{RULES, Rule, service};
pub use task::{culprit, exit_codes, lone_task, newest_failure, stop_sentence, stopped_normally, target, task};

use crate::model::Time;
use crate::theme::Role;
use cause::{Cause, Confidence};

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

/// What a service is doing. [`Health`] says how bad that is, and is what lists are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It has what it wants.
    Steady,
    /// It changes, and gets on.
    Rolling,
    /// It should change and does not.
    Stuck,
    /// Tasks die, targets fail, or a release went back.
    Failing,
    /// Nothing is wanted of it.
    Idle,
    /// What AWS told does not say.
    Unknown,
}

impl State {
    /// The word, as `explain` prints it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Steady => "Steady",
            State::Rolling => "Rolling",
            State::Stuck => "Stuck",
            State::Failing => "Failing",
            State::Idle => "Idle",
            State::Unknown => "Unknown",
        }
    }

    /// How bad it is unless a rule knows better.
    #[must_use]
    pub fn health(self) -> Health {
        match self {
            State::Steady => Health::Ok,
            State::Rolling => Health::Roll,
            State::Stuck => Health::Warn,
            State::Failing => Health::Fail,
            State::Idle => Health::Idle,
            State::Unknown => Health::Unknown,
        }
    }
}

/// Whether the trouble is older than the newest deployment: the first question of whoever thinks of a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Began {
    /// It was there before; going back will not mend it.
    Before,
    /// It came with the deployment or after it.
    After,
}

/// Something that a verdict rests on, in words, with its time where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// When it happened.
    pub at: Option<Time>,
    /// What; AWS's own words where there are some.
    pub text: String,
}

/// A judgement with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How bad it is.
    pub health: Health,
    /// What it is doing.
    pub state: State,
    /// One line of reason, in AWS's words where they help.
    pub why: String,
    /// Since when, as far as the evidence goes.
    pub since: Option<Time>,
    /// What to check next; empty when nothing needs a look.
    pub next: String,
    /// Where in the program that is seen, by key; empty where no pane helps.
    pub keys: &'static str,
    /// The cause in one word; absent where there is no trouble to have one.
    pub cause: Option<Cause>,
    /// How sure the cause is.
    pub confidence: Option<Confidence>,
    /// What it rests on, the most telling first.
    pub evidence: Vec<Evidence>,
    /// Whether the trouble is older than the newest deployment, where that can be told.
    pub began: Option<Began>,
    /// Tasks up of tasks wanted, while something moves.
    pub progress: Option<(u32, u32)>,
    /// Until when unhealthy targets do not count, while there are some that do not.
    pub grace_until: Option<Time>,
    /// The rule that decided, by name.
    pub rule: &'static str,
}

impl Verdict {
    /// A verdict on a single thing: a task or a target.
    fn new(health: Health, why: impl Into<String>) -> Self {
        let state = match health {
            Health::Fail | Health::Warn => State::Failing,
            Health::Roll => State::Rolling,
            Health::Unknown => State::Unknown,
            Health::Ok => State::Steady,
            Health::Idle => State::Idle,
        };
        Verdict {
            health,
            state,
            why: why.into(),
            since: None,
            next: String::new(),
            keys: "",
            cause: None,
            confidence: None,
            evidence: Vec::new(),
            began: None,
            progress: None,
            grace_until: None,
            rule: "",
        }
    }

    fn since(mut self, since: Option<Time>) -> Self {
        self.since = since;
        self
    }

    fn next(mut self, next: impl Into<String>, keys: &'static str) -> Self {
        (self.next, self.keys) = (next.into(), keys);
        self
    }

    /// Takes over cause, next check and evidence of texts that were explained.
    pub fn explain(&mut self, explained: &cause::Explanation) {
        (self.cause, self.confidence) = (Some(explained.cause), Some(explained.confidence));
        self.next.clone_from(&explained.next_check);
        self.evidence = explained.evidence.iter().map(|text| Evidence { at: None, text: text.clone() }).collect();
    }

    /// What to check next and the keys that show it, in one line.
    #[must_use]
    pub fn next_line(&self) -> String {
        match (self.next.is_empty(), self.keys.is_empty()) {
            (true, _) => self.keys.to_owned(),
            (_, true) => self.next.clone(),
            _ => format!("{} · {}", self.next, self.keys),
        }
    }
}
