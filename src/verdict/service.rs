//! Judges a service. The rules stand in one table, the first that applies decides; each looks at the facts alone.
//!
//! To add one: a function that answers `None` where it has nothing to say, a row at the place where it should win, and a case in the
//! tests, which hold that every row decides something.

mod deployment;
mod proof;
mod target;
mod task;

use super::cause::{Cause, Confidence, Explanation};
use super::facts::{Facts, Known};
use super::{Evidence, Health, State, Verdict};
use crate::model::Deployment;

/// One row of the table.
pub struct Rule {
    /// Its name, which the verdict carries.
    pub name: &'static str,
    /// What the service is doing when it applies.
    pub state: State,
    /// What it looks for.
    pub about: &'static str,
    judge: fn(&Facts) -> Option<Found>,
}

/// What a rule found.
pub(super) struct Found {
    why: String,
    /// How bad it is, where that is not the state's own.
    health: Option<Health>,
    since: Option<crate::model::Time>,
    next: String,
    keys: &'static str,
    cause: Option<(Cause, Confidence)>,
    evidence: Vec<Evidence>,
    progress: Option<(u32, u32)>,
}

const fn rule(name: &'static str, state: State, about: &'static str, judge: fn(&Facts) -> Option<Found>) -> Rule {
    Rule { name, state, about, judge }
}

use State::{Failing, Idle, Rolling, Steady, Stuck, Unknown};

/// The rules, worst and most telling first.
pub const RULES: &[Rule] = &[
    rule("not_told", Unknown, "AWS told no state, or one of tomorrow", not_told),
    rule("not_active", Idle, "the service is being deleted, or is", not_active),
    rule("nothing_wanted", Idle, "no task is desired and none is there", nothing_wanted),
    rule("goes_back", Failing, "a release failed and its rollback is under way", deployment::goes_back),
    rule("deployment_failed", Failing, "the newest deployment failed for good", deployment::failed),
    rule("code_deploy_failed", Failing, "CodeDeploy gave up a release, or takes it back", deployment::code_failed),
    rule("hook_waits", Stuck, "a deployment waits for somebody's answer", deployment::hook_waits),
    rule("being_stopped", Stuck, "somebody asked to stop the deployment", deployment::stopped),
    rule("release_fails", Failing, "tasks of the deployment under way die", deployment::tasks_fail),
    rule("cannot_place", Stuck, "no instance has room, or AWS none to give", task::cannot_place),
    rule("cannot_start", Failing, "ECS says that it cannot start tasks", task::cannot_start),
    rule("blocked_by_percent", Stuck, "minimum and maximum percent leave no room", deployment::blocked),
    rule("nothing_runs", Failing, "tasks are desired and none runs", task::nothing_runs),
    rule("replacement_unhealthy", Failing, "targets of the new side of a pair fail", target::replacement),
    rule("all_targets_unhealthy", Failing, "no target takes traffic", target::all),
    rule("rolled_back", Failing, "the last release went back a while ago", deployment::rolled_back),
    rule("tasks_die", Failing, "tasks died lately with no deployment to blame", task::die),
    rule("ground_gone", Rolling, "tasks lost their host and are being replaced", task::lost),
    rule("some_targets_unhealthy", Failing, "some targets fail their checks", target::some),
    rule("tasks_unhealthy", Failing, "running tasks fail their own check", task::unhealthy),
    rule("no_progress", Stuck, "a deployment that moves nothing any more", deployment::stands_still),
    rule("rolls", Rolling, "a deployment that gets on", deployment::rolls),
    rule("replacement_rolls", Rolling, "a task set beside the one that serves", deployment::replacement_rolls),
    rule("task_held_up", Stuck, "tasks are missing and one waits for too long", task::held_up),
    rule("too_few", Rolling, "tasks are missing and none is known to fail", task::too_few),
    rule("bad_event", Failing, "the scheduler complained lately", task::bad_event),
    rule("steady", Steady, "it has what it wants", |facts| Some(steady(facts))),
];

/// How a service is.
///
/// # Panics
/// Never: the last rule applies to every service.
#[must_use]
pub fn service<'a>(known: &'a Known<'a>) -> Verdict {
    let facts = &Facts::of(known);
    let (rule, found) =
        RULES.iter().find_map(|rule| (rule.judge)(facts).map(|found| (rule, found))).expect("the last rule applies to every service");
    let health = found.health.unwrap_or(rule.state.health());
    let mut verdict = Verdict {
        health,
        state: rule.state,
        why: found.why,
        since: found.since,
        next: found.next,
        keys: found.keys,
        cause: found.cause.map(|(cause, _)| cause),
        confidence: found.cause.map(|(_, confidence)| confidence),
        evidence: found.evidence,
        began: None,
        progress: found.progress,
        grace_until: facts.grace_until(),
        rule: rule.name,
    };
    if !matches!(rule.state, State::Steady | State::Idle) {
        proof::complete(facts, &mut verdict);
    }
    verdict
}

impl Found {
    fn new(why: impl Into<String>) -> Self {
        let why = why.into();
        Found { why, health: None, since: None, next: String::new(), keys: "", cause: None, evidence: Vec::new(), progress: None }
    }

    fn health(mut self, health: Health) -> Self {
        self.health = Some(health);
        self
    }

    fn since(mut self, since: Option<crate::model::Time>) -> Self {
        self.since = since;
        self
    }

    pub(super) fn next(mut self, next: impl Into<String>, keys: &'static str) -> Self {
        (self.next, self.keys) = (next.into(), keys);
        self
    }

    fn cause(mut self, cause: Cause, confidence: Confidence) -> Self {
        self.cause = Some((cause, confidence));
        self
    }

    /// Cause and next check as the texts were explained.
    fn explained(mut self, explained: &Explanation, keys: &'static str) -> Self {
        self.cause = Some((explained.cause, explained.confidence));
        self.next(explained.next_check.clone(), keys)
    }

    fn evidence(mut self, evidence: Vec<Evidence>) -> Self {
        self.evidence = evidence;
        self
    }

    fn progress(mut self, up: u32, wanted: u32) -> Self {
        self.progress = Some((up, wanted));
        self
    }
}

fn not_told(facts: &Facts) -> Option<Found> {
    match &*facts.service.status {
        "ACTIVE" | "DRAINING" | "INACTIVE" => None,
        "" => Some(Found::new("AWS told neither its state nor its tasks").next("ask for the service again: describe-services", "")),
        word => Some(Found::new(format!("service is {word}"))),
    }
}

fn not_active(facts: &Facts) -> Option<Found> {
    let status = &*facts.service.status;
    (status != "ACTIVE").then(|| Found::new(format!("service is {status}")))
}

fn nothing_wanted(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let daemon = &*s.scheduling == "DAEMON";
    let why = if daemon { "no instance to run on: a daemon has one task on each" } else { "0 tasks desired" };
    (s.desired == 0 && s.running == 0 && s.pending == 0).then(|| Found::new(why))
}

fn steady(facts: &Facts) -> Found {
    let s = facts.service;
    let mut why = match (&*s.scheduling, s.task_definition.name()) {
        ("DAEMON", revision) => format!("steady on {revision}, on {} of {} instances", s.running, s.desired),
        // A service without a task definition of its own runs task sets.
        (_, "") => s.task_sets.first().map_or_else(|| "steady".to_owned(), |set| format!("steady on {}", set.task_definition.name())),
        (_, revision) => format!("steady on {revision}"),
    };
    if let Some(lost) = task::replaced(facts) {
        why = format!("{why} · {lost}, replaced");
    }
    if facts.current().is_some_and(|d| &*d.status == "ROLLBACK_SUCCESSFUL") {
        why.push_str(" · the last release was rolled back");
    }
    let since = s.deployments.first().and_then(|d| d.updated_at.or(d.created_at));
    Found::new(why).since(since)
}

fn short(deployment: &Deployment) -> &str {
    deployment.task_definition.name()
}

/// AWS's sentence without the `(service NAME)` that every row says already.
fn plain(message: &str, name: &str) -> String {
    message.strip_prefix(&format!("(service {name}) ")).unwrap_or(message).trim_end_matches('.').to_owned()
}
