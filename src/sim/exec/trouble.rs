//! Troubles of the data channel by rule, beside the fault rules for calls:
//!
//! ```toml
//! [[channel]]
//! kind = "drop"        # what goes wrong, see below
//! every = 7            # each seventh time that it could; default 1
//! times = 3            # so often in a session and then no more; default for ever
//! ms = 800             # of real time, for `pause` and `discard_input`
//! message = "…"        # for `closed`
//! ```
//!
//! Of the agent's messages: `drop`, `duplicate`, `reorder` (goes out behind the next), `nul_padding`, `bad_digest`. Of the client's:
//! `drop_input`, and `drop_ack` keeps the acknowledgement of one back. After a message of either side: `bye` (close 1000), `cut` (the
//! connection breaks), `silence` (the connection stays and says nothing more, not even to a ping), `pause` (publication stops for `ms`),
//! `rubbish` (texts and messages that mean nothing), `closed` (the service ends the session with `message`). When a channel opens:
//! `discard_input` for `ms`, `deaf_handshake` (the agent does not hear the answer). When it is resumed: `empty_token`.

use serde::Deserialize;
use std::sync::Arc;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message is lost.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes after the next one.
    Reorder,
    /// Its kind is filled up with zeros.
    NulPadding,
    /// Its digest is wrong, and it comes again later.
    BadDigest,
    /// A message of the client is lost.
    DropInput,
    /// An acknowledgement is lost.
    DropAck,
    /// The service closes the connection.
    Bye,
    /// It breaks.
    Cut,
    /// Nothing more is said in it.
    Silence,
    /// Publication stops for a while.
    Pause,
    /// Frames that mean nothing.
    Rubbish,
    /// The service ends the session.
    Closed,
    /// Input is acknowledged and thrown away for longer.
    DiscardInput,
    /// The agent does not hear the answer to its handshake.
    DeafHandshake,
    /// The session cannot be resumed.
    EmptyToken,
}

/// One `[[channel]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub(super) kind: Kind,
    #[serde(default = "one")]
    every: std::num::NonZeroU64,
    times: Option<std::num::NonZeroU64>,
    #[serde(default)]
    pub(super) ms: u64,
    #[serde(default)]
    pub(super) message: String,
}

fn one() -> std::num::NonZeroU64 {
    std::num::NonZeroU64::MIN
}

/// The rules in force, counted for one session.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    rules: Arc<[Rule]>,
    /// How often each could have struck, and has.
    counts: Vec<(u64, u64)>,
}

impl Troubles {
    /// Takes over other rules; counting begins anew.
    pub(super) fn set(&mut self, rules: &Arc<[Rule]>) {
        if !Arc::ptr_eq(&self.rules, rules) {
            self.rules = Arc::clone(rules);
            self.counts = vec![(0, 0); rules.len()];
        }
    }

    /// The rule of a kind that strikes now, if one does.
    pub(super) fn strikes(&mut self, kind: Kind) -> Option<Rule> {
        let mut struck = None;
        for (rule, (seen, done)) in self.rules.iter().zip(&mut self.counts).filter(|(rule, _)| rule.kind == kind) {
            *seen += 1;
            if *seen % rule.every == 0 && rule.times.is_none_or(|times| *done < times.get()) && struck.is_none() {
                *done += 1;
                struck = Some(rule.clone());
            }
        }
        struck
    }
}
