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
struct Found {
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

/// The rules, worst and most telling first.
pub const RULES: &[Rule] = &[
    Rule { name: "not_told", state: State::Unknown, about: "AWS told no state, or one of tomorrow", judge: not_told },
    Rule { name: "not_active", state: State::Idle, about: "the service is being deleted, or is", judge: not_active },
    Rule { name: "nothing_wanted", state: State::Idle, about: "no task is wanted and none is there", judge: nothing_wanted },
    Rule {
        name: "goes_back",
        state: State::Failing,
        about: "a release failed and its rollback is under way",
        judge: deployment::goes_back,
    },
    Rule { name: "deployment_failed", state: State::Failing, about: "the newest deployment failed for good", judge: deployment::failed },
    Rule {
        name: "code_deploy_failed",
        state: State::Failing,
        about: "CodeDeploy gave up a release, or takes it back",
        judge: deployment::code_failed,
    },
    Rule { name: "hook_waits", state: State::Stuck, about: "a deployment waits for somebody's answer", judge: deployment::hook_waits },
    Rule { name: "being_stopped", state: State::Stuck, about: "somebody asked to stop the deployment", judge: deployment::stopped },
    Rule { name: "release_fails", state: State::Failing, about: "tasks of the deployment under way die", judge: deployment::tasks_fail },
    Rule { name: "cannot_place", state: State::Stuck, about: "no instance has room, or AWS none to give", judge: task::cannot_place },
    Rule { name: "cannot_start", state: State::Failing, about: "ECS says that it cannot start tasks", judge: task::cannot_start },
    Rule {
        name: "blocked_by_percent",
        state: State::Stuck,
        about: "minimum and maximum percent leave no room",
        judge: deployment::blocked,
    },
    Rule { name: "nothing_runs", state: State::Failing, about: "tasks are wanted and none runs", judge: task::nothing_runs },
    Rule {
        name: "replacement_unhealthy",
        state: State::Failing,
        about: "targets of the new side of a pair fail",
        judge: target::replacement,
    },
    Rule { name: "all_targets_unhealthy", state: State::Failing, about: "no target takes traffic", judge: target::all },
    Rule { name: "rolled_back", state: State::Failing, about: "the last release went back a while ago", judge: deployment::rolled_back },
    Rule { name: "tasks_die", state: State::Failing, about: "tasks died lately with no deployment to blame", judge: task::die },
    Rule { name: "ground_gone", state: State::Rolling, about: "tasks lost their host and are being replaced", judge: task::lost },
    Rule { name: "some_targets_unhealthy", state: State::Failing, about: "some targets fail their checks", judge: target::some },
    Rule { name: "tasks_unhealthy", state: State::Failing, about: "running tasks fail their own check", judge: task::unhealthy },
    Rule { name: "no_progress", state: State::Stuck, about: "a deployment that moves nothing any more", judge: deployment::stands_still },
    Rule { name: "rolls", state: State::Rolling, about: "a deployment that gets on", judge: deployment::rolls },
    Rule {
        name: "replacement_rolls",
        state: State::Rolling,
        about: "a task set beside the one that serves",
        judge: deployment::replacement_rolls,
    },
    Rule { name: "task_held_up", state: State::Stuck, about: "tasks are missing and one waits for too long", judge: task::held_up },
    Rule { name: "too_few", state: State::Rolling, about: "tasks are missing and none is known to fail", judge: task::too_few },
    Rule { name: "bad_event", state: State::Failing, about: "the scheduler complained lately", judge: task::bad_event },
    Rule { name: "steady", state: State::Steady, about: "it has what it wants", judge: |facts| Some(steady(facts)) },
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

    fn next(mut self, next: impl Into<String>, keys: &'static str) -> Self {
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
    let why = if daemon { "no instance to run on: a daemon has one task on each" } else { "0 tasks wanted" };
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
