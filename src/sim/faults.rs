//! Faults by rule: which calls go wrong, when, and how.
//!
//! A rule is one `[[fault]]` table, in a scenario file or handed to a running simulator:
//!
//! ```toml
//! [[fault]]
//! operation = "ecs:Describe*"  # an IAM-like pattern; default "*"
//! context = "acme-prod"        # default: every context
//! every = 5                    # each fifth call that matches; default 1
//! from = 30.0                  # seconds of virtual time since the start; default 0
//! until = 90.0                 # default: for ever
//! probability = 0.5            # of those calls, drawn from the seed; default 1
//! times = 2                    # strikes so often and then no more; default for ever
//! kind = "latency"             # latency hang throttle deny reset malformed expired_token error lost_reply cut_reply
//! ms = 800                     # latency only: real milliseconds
//! # kind = "error" takes code, and may take message and status (default 400)
//! ```
//!
//! Delays of several rules add up; otherwise the first rule that strikes decides. `hang` and `reset` keep a call from being done;
//! `lost_reply` and `cut_reply` do it and then say nothing, or break the connection. `deny` may also name an action that other calls
//! need beside their own, such as `iam:PassRole`. What goes wrong inside a session's data channel has tables of its own, `[[channel]]` of
//! `exec::trouble`. This file only judges: `wire` acts.

use super::{iam, rng, wire};
use serde::Deserialize;
use std::time::Duration;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is answered, but later.
    Latency(Duration),
    /// It is never answered; the connection stays open.
    Hang,
    /// "Rate exceeded".
    Throttle,
    /// Access denied, whatever the allow-list says.
    Deny,
    /// The connection is reset without an answer.
    Reset,
    /// It is done, but never answered; the connection stays open.
    LostReply,
    /// It is done, and the connection is reset instead of an answer.
    CutReply,
    /// Status 200 and a body that is cut off in the middle.
    Malformed,
    /// The session token has expired.
    ExpiredToken,
    /// Any other error of the service.
    Error {
        /// As the service names it, `ServerException`.
        code: String,
        /// For people.
        message: String,
        /// HTTP status.
        status: u16,
    },
}

/// One `[[fault]]` table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Rule {
    operation: String,
    context: Option<String>,
    every: u64,
    from: f64,
    until: f64,
    probability: f64,
    times: Option<u64>,
    kind: Kind,
}

/// A file that holds nothing but faults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) fault: Vec<Rule>,
    /// Troubles of data channels, see `exec::trouble`.
    #[serde(default)]
    pub(super) channel: Vec<super::exec::trouble::Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default = "any")]
    operation: String,
    context: Option<String>,
    #[serde(default = "one")]
    every: u64,
    #[serde(default)]
    from: f64,
    until: Option<f64>,
    #[serde(default = "certain")]
    probability: f64,
    times: Option<u64>,
    kind: Name,
    ms: Option<u64>,
    code: Option<String>,
    message: Option<String>,
    status: Option<u16>,
}

#[derive(Deserialize, PartialEq, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Name {
    Latency,
    Hang,
    Throttle,
    Deny,
    Reset,
    Malformed,
    ExpiredToken,
    Error,
    LostReply,
    CutReply,
}

fn any() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

fn certain() -> f64 {
    1.0
}

impl TryFrom<Table> for Rule {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let beside = table.kind == Name::Deny && iam::BESIDE.iter().any(|action| iam::matches(&table.operation, action));
        if !beside && !wire::actions().any(|action| iam::matches(&table.operation, &action)) {
            return Err(format!("no operation is called `{}`, write it like `ecs:DescribeServices`, `logs:*` or `*`", table.operation));
        }
        if table.every == 0 {
            return Err("`every` counts from 1".to_owned());
        }
        if !(0.0..=1.0).contains(&table.probability) {
            return Err("`probability` lies between 0 and 1".to_owned());
        }
        if table.times == Some(0) {
            return Err("`times` counts from 1".to_owned());
        }
        let until = table.until.unwrap_or(f64::INFINITY);
        if until <= table.from || table.from < 0.0 {
            return Err("`until` must come after `from`, both in seconds since the start".to_owned());
        }
        if table.ms.is_some() != (table.kind == Name::Latency) {
            return Err("`ms` belongs to kind `latency`, which needs it".to_owned());
        }
        if table.code.is_some() != (table.kind == Name::Error) {
            return Err("`code` belongs to kind `error`, which needs it".to_owned());
        }
        if table.kind != Name::Error && (table.message.is_some() || table.status.is_some()) {
            return Err("`message` and `status` belong to kind `error`".to_owned());
        }
        if table.status.is_some_and(|status| !(400..600).contains(&status)) {
            return Err("`status` is an HTTP status from 400 to 599".to_owned());
        }
        let kind = match table.kind {
            Name::Latency => Kind::Latency(Duration::from_millis(table.ms.unwrap_or_default())),
            Name::Hang => Kind::Hang,
            Name::Throttle => Kind::Throttle,
            Name::Deny => Kind::Deny,
            Name::Reset => Kind::Reset,
            Name::Malformed => Kind::Malformed,
            Name::LostReply => Kind::LostReply,
            Name::CutReply => Kind::CutReply,
            Name::ExpiredToken => Kind::ExpiredToken,
            Name::Error => Kind::Error {
                code: table.code.unwrap_or_default(),
                message: table.message.unwrap_or_else(|| "The service met an error that a fault rule asked for.".to_owned()),
                status: table.status.unwrap_or(400),
            },
        };
        let Table { operation, context, every, from, probability, times, .. } = table;
        Ok(Self { operation, context, every, from, until, probability, times, kind })
    }
}

impl Rule {
    /// The context that the rule is for, to be held against those that exist.
    pub(super) fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    fn is_for(&self, context: &str, action: &str, since_start: f64) -> bool {
        self.context.as_deref().is_none_or(|wanted| wanted == context)
            && iam::matches(&self.operation, action)
            && (self.from..self.until).contains(&since_start)
    }
}

/// What the rules say of one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) delay: Duration,
    /// Never [`Kind::Latency`].
    pub(super) strike: Option<Kind>,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rules: Vec<Counted>,
    seed: u64,
}

/// A rule, and how often it has matched and struck.
#[derive(Debug)]
struct Counted {
    rule: Rule,
    matched: u64,
    struck: u64,
}

impl Faults {
    pub(super) fn new(rules: Vec<Rule>, seed: u64) -> Self {
        Self { rules: rules.into_iter().map(|rule| Counted { rule, matched: 0, struck: 0 }).collect(), seed }
    }

    /// Judges one call and counts it. `since_start` is in seconds of virtual time.
    pub(super) fn judge(&mut self, context: &str, action: &str, since_start: f64) -> Verdict {
        let mut verdict = Verdict::default();
        for (at, Counted { rule, matched, struck }) in self.rules.iter_mut().enumerate() {
            if !rule.is_for(context, action, since_start) || rule.times.is_some_and(|times| *struck >= times) {
                continue;
            }
            *matched += 1;
            if !matched.is_multiple_of(rule.every) || unit(self.seed, at, *matched) >= rule.probability {
                continue;
            }
            *struck += 1;
            match &rule.kind {
                Kind::Latency(delay) => verdict.delay += *delay,
                kind if verdict.strike.is_none() => verdict.strike = Some(kind.clone()),
                _ => {}
            }
        }
        verdict
    }

    /// Whether an action that a call needs beside its own is to be denied.
    pub(super) fn denies(&mut self, context: &str, action: &str, since_start: f64) -> bool {
        let of = |counted: &&mut Counted| {
            let Counted { rule, struck, .. } = counted;
            rule.kind == Kind::Deny && rule.is_for(context, action, since_start) && rule.times.is_none_or(|times| *struck < times)
        };
        self.rules.iter_mut().find(of).map(|counted| counted.struck += 1).is_some()
    }
}

/// A number from 0 up to but not 1, always the same for the same call.
fn unit(seed: u64, rule: usize, call: u64) -> f64 {
    let bits = rng::mix(rng::mix(seed ^ rng::mix(rule as u64)) ^ call) >> 32;
    f64::from(u32::try_from(bits).expect("half of the bits are left")) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    fn faults(text: &str) -> Faults {
        Faults::new(toml::from_str::<File>(text).unwrap().fault, 7)
    }

    fn refusal(text: &str) -> String {
        toml::from_str::<File>(text).unwrap_err().to_string()
    }

    #[test]
    fn every_nth_call_of_a_context_in_a_window_is_struck() {
        let mut faults =
            faults("[[fault]]\noperation = 'ecs:Describe*'\ncontext = 'a'\nevery = 3\nfrom = 10\nuntil = 20\nkind = 'throttle'\n");
        let mut struck = |context: &str, action: &str, at: f64| faults.judge(context, action, at).strike.is_some();
        assert!(!(0..9).any(|_| struck("a", "ecs:DescribeTasks", 9.9)));
        assert!(!(0..9).any(|_| struck("b", "ecs:DescribeTasks", 15.0)));
        assert!(!(0..9).any(|_| struck("a", "ecs:ListTasks", 15.0)));
        let calls: Vec<bool> = (0..6).map(|_| struck("a", "ecs:DescribeTasks", 15.0)).collect();
        assert_eq!(calls, [false, false, true, false, false, true]);
        assert!(!(0..9).any(|_| struck("a", "ecs:DescribeTasks", 20.0)));
    }

    #[test]
    fn delays_add_up_and_the_first_strike_wins() {
        let mut faults = faults(
            "[[fault]]\nkind = 'latency'\nms = 200\n[[fault]]\nkind = 'hang'\n[[fault]]\nkind = 'reset'\n[[fault]]\nkind = 'latency'\nms = 50\n",
        );
        let verdict = faults.judge("a", "logs:FilterLogEvents", 0.0);
        assert_eq!(verdict, Verdict { delay: Duration::from_millis(250), strike: Some(Kind::Hang) });
    }

    #[test]
    fn a_probability_is_drawn_from_the_seed() {
        let rule = "[[fault]]\nprobability = 0.25\nkind = 'malformed'\n";
        let draw = |mut faults: Faults| (0..400).map(|_| faults.judge("a", "sts:AssumeRole", 0.0).strike.is_some()).collect::<Vec<_>>();
        let first = draw(faults(rule));
        assert_eq!(first, draw(faults(rule)));
        let struck = first.iter().filter(|hit| **hit).count();
        assert!((60..140).contains(&struck), "{struck} of 400");
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_may_and_then_no_more() {
        let mut faults = faults("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 2\nkind = 'throttle'\n");
        let struck: Vec<bool> = (0..4).map(|_| faults.judge("a", "ecs:UpdateService", 0.0).strike.is_some()).collect();
        assert_eq!(struck, [true, true, false, false]);
    }

    #[test]
    fn an_action_that_calls_need_beside_their_own_can_be_denied() {
        let mut faults = faults("[[fault]]\noperation = 'iam:PassRole'\ncontext = 'a'\ntimes = 1\nkind = 'deny'\n");
        assert!(!faults.denies("b", "iam:PassRole", 0.0));
        assert!(faults.denies("a", "iam:PassRole", 0.0));
        assert!(!faults.denies("a", "iam:PassRole", 0.0), "once was all that was asked for");
        assert!(refusal("[[fault]]\noperation = 'iam:PassRole'\nkind = 'throttle'\n").contains("no operation is called"));
    }

    #[test]
    fn a_rule_that_could_never_work_is_refused_with_its_place() {
        let text = refusal("[[fault]]\nkind = 'latency'\n");
        assert!(text.contains("needs it") && text.contains("line 1, column 1"), "{text}");
        let text = refusal("[[fault]]\nkind = 'hang'\noperaton = '*'\n");
        assert!(text.contains("line 3, column 1") && text.contains("expected one of `operation`"), "{text}");
        assert!(refusal("[[fault]]\nkind = 'hang'\noperation = 'ecs:DescribeServises'\n").contains("no operation is called"));
        assert!(refusal("[[fault]]\nkind = 'hung'\n").contains("unknown variant `hung`"));
        assert!(refusal("[[fault]]\nkind = 'error'\n").contains("`code`"));
        assert!(refusal("[[fault]]\nkind = 'hang'\nevery = 0\n").contains("from 1"));
        assert!(refusal("[[fault]]\nkind = 'hang'\ntimes = 0\n").contains("from 1"));
        assert!(refusal("[[fault]]\nkind = 'hang'\nstatus = 500\n").contains("belong to kind `error`"));
    }
}
