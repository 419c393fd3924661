//! Judges a service. The rules stand in one list, the first that applies decides; each looks at the model alone.

use super::{EventKind, Health, Verdict, event, newest_failure, stop_sentence, task};
use crate::model::{Deployment, Service, ServiceEvent, Target, TargetState, Task, Time};
use std::sync::Arc;

/// Seconds during which a bad event still counts when nothing newer contradicts it.
const EVENT_COUNTS_SECONDS: i64 = 900;

/// Seconds during which a deployment that was rolled back stays on the list of problems, though the service is steady again.
const ROLLBACK_COUNTS_SECONDS: i64 = 1800;

/// Longest grace period that excuses an unhealthy target. A longer one only keeps ECS from replacing it; no program takes so long to start.
const GRACE_EXCUSES_SECONDS: i64 = 600;

/// What a rule may look at.
struct Case<'a> {
    service: &'a Service,
    tasks: &'a [Arc<Task>],
    targets: &'a [(&'a str, &'a [Target])],
    now: Time,
}

/// The rules, worst and most telling first.
const RULES: &[fn(&Case) -> Option<Verdict>] = &[
    not_active,
    nothing_wanted,
    deployment_fails,
    cannot_place,
    nothing_runs,
    all_targets_unhealthy,
    rolled_back,
    rolling,
    some_targets_unhealthy,
    unhealthy_tasks,
    too_few,
    bad_event,
];

/// How a service is. `tasks` are its own, running and stopped; `targets` the known groups with their targets, by name.
#[must_use]
pub fn service(service: &Service, tasks: &[Arc<Task>], targets: &[(&str, &[Target])], now: Time) -> Verdict {
    let case = Case { service, tasks, targets, now };
    RULES.iter().find_map(|rule| rule(&case)).unwrap_or_else(|| {
        let since = service.deployments.first().and_then(|d| d.updated_at.or(d.created_at));
        Verdict::new(Health::Ok, format!("steady on {}", service.task_definition.name())).since(since)
    })
}

fn not_active(case: &Case) -> Option<Verdict> {
    let status = &*case.service.status;
    (status != "ACTIVE").then(|| Verdict::new(Health::Idle, format!("service is {status}")))
}

fn nothing_wanted(case: &Case) -> Option<Verdict> {
    let s = case.service;
    (s.desired == 0 && s.running == 0 && s.pending == 0).then(|| Verdict::new(Health::Idle, "0 tasks wanted"))
}

fn deployment_fails(case: &Case) -> Option<Verdict> {
    let d = primary(case)?;
    let failed = d.rollout_state.as_deref() == Some("FAILED");
    let older = case.service.deployments.iter().find(|d| d.rollout_state.as_deref() == Some("FAILED"));
    if !failed && older.is_none() && (d.failed == 0 || d.rollout_state.as_deref() != Some("IN_PROGRESS")) {
        return None;
    }
    let shown = older.unwrap_or(d);
    let back = shown.id != d.id;
    let reason = newest_failure(case.tasks).map(|t| stop_sentence(t));
    let head = if back {
        format!("{} failed, rolling back to {} · {}/{} up", short(shown), short(d), d.running, d.desired)
    } else if failed {
        format!("deployment of {} failed", short(d))
    } else {
        format!("deploy {} · {} failed · {}/{} up", short(d), tasks_word(d.failed), d.running, d.desired)
    };
    let why = reason.map_or(head.clone(), |reason| format!("{head} · {reason}"));
    Some(Verdict::new(Health::Fail, why).since(shown.created_at).next("⏎ its stopped tasks · l their last lines · e events"))
}

fn cannot_place(case: &Case) -> Option<Verdict> {
    let s = case.service;
    let event = newest_telling(s).filter(|(_, kind)| *kind == EventKind::Unplaceable && s.running < s.desired)?.0;
    Some(Verdict::new(Health::Fail, plain(&event.message, &s.name)).since(event.at).next("e events"))
}

fn nothing_runs(case: &Case) -> Option<Verdict> {
    let s = case.service;
    if s.running > 0 || s.desired == 0 || young(case) {
        return None;
    }
    let reason = newest_failure(case.tasks).map(|t| stop_sentence(t)).unwrap_or_default();
    let why = if reason.is_empty() { format!("0 of {} tasks run", s.desired) } else { format!("0 of {} tasks run · {reason}", s.desired) };
    Some(Verdict::new(Health::Fail, why).next("⏎ its tasks · e events"))
}

/// Unhealthy targets count once the task behind them is past its grace; without the task, at once.
fn unhealthy<'a>(case: &Case<'a>) -> Vec<(&'a str, &'a Target)> {
    let in_grace = |target: &Target| {
        let behind = case.tasks.iter().find(|t| t.ip.as_deref() == Some(&*target.id) && !t.stopped());
        excused_until(case.service, behind.map(|t| &**t), case.now).is_some()
    };
    let all = case.targets.iter().flat_map(|(group, targets)| targets.iter().map(move |t| (*group, t)));
    all.filter(|(_, t)| t.state == TargetState::Unhealthy && !in_grace(t)).collect()
}

/// Until when an unhealthy target of this task is no failure, while that lasts.
#[must_use]
pub fn excused_until(service: &Service, task: Option<&Task>, now: Time) -> Option<Time> {
    let seconds = i64::from(service.grace_seconds).min(GRACE_EXCUSES_SECONDS);
    let until = task?.started_at?.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    (until > now).then_some(until)
}

fn registered(case: &Case) -> usize {
    let counts = |t: &&Target| matches!(t.state, TargetState::Healthy | TargetState::Unhealthy | TargetState::Initial);
    case.targets.iter().map(|(_, targets)| targets.iter().filter(counts).count()).sum()
}

fn targets_sentence(case: &Case, bad: &[(&str, &Target)]) -> String {
    let (_, first) = bad[0];
    let reason = first.reason.as_deref().unwrap_or("unhealthy");
    let told = first.description.as_deref().map_or(String::new(), |d| format!(" · {d}"));
    format!("{}/{} targets unhealthy · {reason}{told} · {}:{}", bad.len(), registered(case), first.id, first.port)
}

/// When ECS last said that a target is unhealthy; ELB itself does not tell since when.
fn told_unhealthy(case: &Case) -> Option<Time> {
    case.service.events.iter().find(|e| event(&e.message) == EventKind::Unhealthy)?.at
}

fn all_targets_unhealthy(case: &Case) -> Option<Verdict> {
    let bad = unhealthy(case);
    let all = !bad.is_empty() && bad.len() == registered(case);
    all.then(|| Verdict::new(Health::Fail, targets_sentence(case, &bad)).since(told_unhealthy(case)).next("h target health · l logs"))
}

fn some_targets_unhealthy(case: &Case) -> Option<Verdict> {
    let bad = unhealthy(case);
    (!bad.is_empty())
        .then(|| Verdict::new(Health::Warn, targets_sentence(case, &bad)).since(told_unhealthy(case)).next("h target health · l logs"))
}

/// "Steady" after a rollback is not success: the release is not out.
fn rolled_back(case: &Case) -> Option<Verdict> {
    let since_bad = |e: &&ServiceEvent| {
        event(&e.message) == EventKind::DeploymentFailed
            && e.at.is_some_and(|at| case.now.as_second() - at.as_second() < ROLLBACK_COUNTS_SECONDS)
    };
    let bad = case.service.events.iter().find(since_bad)?;
    let d = primary(case)?;
    let released_after = d.created_at > bad.at;
    if released_after || d.rollout_state.as_deref() == Some("FAILED") {
        return None;
    }
    let reason =
        newest_failure(case.tasks).map(|t| stop_sentence(t)).filter(|r| !r.is_empty()).map_or(String::new(), |r| format!(" · {r}"));
    let head = if d.rollout_state.as_deref() == Some("IN_PROGRESS") { "going back to" } else { "rolled back to" };
    let why = format!("last release failed, {head} {} · {}/{} up{reason}", short(d), d.running, d.desired);
    Some(Verdict::new(Health::Fail, why).since(bad.at).next("⏎ its stopped tasks · e events"))
}

fn rolling(case: &Case) -> Option<Verdict> {
    let s = case.service;
    let d = primary(case)?;
    let moving = s.deployments.len() > 1 || d.rollout_state.as_deref() == Some("IN_PROGRESS");
    moving.then(|| Verdict::new(Health::Roll, format!("rolling to {} · {}/{} up", short(d), d.running, d.desired)).since(d.created_at))
}

fn unhealthy_tasks(case: &Case) -> Option<Verdict> {
    let bad: Vec<_> = case.tasks.iter().filter(|t| !t.stopped() && &*t.health == "UNHEALTHY").collect();
    let first = bad.first()?;
    let why = format!("{}/{} tasks fail their container health check", bad.len(), case.service.running);
    Some(Verdict::new(Health::Warn, why).since(first.started_at).next("⏎ its tasks · l logs"))
}

fn too_few(case: &Case) -> Option<Verdict> {
    let s = case.service;
    if s.running >= s.desired {
        return None;
    }
    let held_up = case.tasks.iter().find(|t| !t.stopped() && task(t, case.now).health == Health::Warn);
    let failure = newest_failure(case.tasks);
    let head = format!("{}/{} tasks run, {} pending", s.running, s.desired, s.pending);
    Some(match (held_up, failure) {
        (Some(t), _) => {
            Verdict::new(Health::Warn, format!("{head} · {} held up: {}", t.arn.name().get(..8).unwrap_or("a task"), task(t, case.now).why))
                .since(t.created_at)
        }
        (None, Some(t)) => {
            Verdict::new(Health::Warn, format!("{head} · {}", stop_sentence(t))).since(t.stopped_at).next("⏎ its stopped tasks")
        }
        (None, None) => Verdict::new(Health::Warn, head),
    })
}

fn bad_event(case: &Case) -> Option<Verdict> {
    let (event, kind) = newest_telling(case.service)?;
    let fresh = event.at.is_some_and(|at| case.now.as_second() - at.as_second() < EVENT_COUNTS_SECONDS);
    let bad = matches!(kind, EventKind::Unhealthy | EventKind::Throttled | EventKind::Unplaceable) && fresh;
    bad.then(|| Verdict::new(Health::Warn, plain(&event.message, &case.service.name)).since(event.at).next("e events · h target health"))
}

fn primary<'a>(case: &Case<'a>) -> Option<&'a Deployment> {
    case.service.deployments.iter().find(|d| &*d.status == "PRIMARY")
}

/// Whether the newest deployment began so lately that nothing running is no news.
fn young(case: &Case) -> bool {
    let started = primary(case).and_then(|d| d.created_at);
    started.is_some_and(|at| case.now.as_second() - at.as_second() < 120)
}

/// The newest event that says more than that tasks move.
fn newest_telling(service: &Service) -> Option<(&ServiceEvent, EventKind)> {
    service.events.iter().map(|e| (e, event(&e.message))).find(|(_, kind)| !matches!(kind, EventKind::Moving | EventKind::Other))
}

fn short(deployment: &Deployment) -> &str {
    deployment.task_definition.name()
}

fn tasks_word(n: u32) -> String {
    if n == 1 { "1 task".to_owned() } else { format!("{n} tasks") }
}

/// AWS's sentence without the `(service NAME)` that every row says already.
fn plain(message: &str, name: &str) -> String {
    message.strip_prefix(&format!("(service {name}) ")).unwrap_or(message).trim_end_matches('.').to_owned()
}
