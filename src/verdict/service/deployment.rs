//! Rules about releases: on their way, failing, going back, waiting.

use super::{Found, plain, short};
use crate::model::{Deployment, ServiceEvent, Task, Time};
use crate::verdict::cause::{Cause, Confidence};
use crate::verdict::facts::{Facts, ended_at};
use crate::verdict::stops::Stops;
use crate::verdict::{EventKind, Evidence, Health, event};

/// Seconds during which a release that was rolled back stays on the list of problems, though the service is steady again.
const ROLLBACK_COUNTS_SECONDS: i64 = 1800;

/// Seconds that a deployment is given before standing still means anything: images are large and draining takes five minutes by default.
const PATIENCE_SECONDS: i64 = 900;

/// Seconds without any sign of movement after which it stands still.
const STILL_SECONDS: i64 = 600;

const KEYS: &str = "⏎ its stopped tasks · l their last lines · e events";

fn in_progress(deployment: &Deployment) -> bool {
    deployment.rollout_state.as_deref() == Some("IN_PROGRESS")
}

/// `1/2 up`, with the breaker's count where AWS tells it.
fn standing(facts: &Facts, d: &Deployment) -> String {
    match facts.breaker().filter(|(failures, _)| *failures > 0) {
        Some((failures, threshold)) => format!("{}/{} up · {failures} of {threshold} failures", d.running, d.desired),
        None => format!("{}/{} up", d.running, d.desired),
    }
}

/// What the tasks of a release died of: its own, else whatever died last.
fn deaths<'a>(facts: &Facts<'a>, release: &Deployment) -> Option<Stops<'a>> {
    let own = facts.stops(|t| Facts::is_of(t, release) || t.task_definition == release.task_definition);
    let groups = if own.is_empty() { facts.stops(|_| true) } else { own };
    groups.into_iter().find(|group| !group.of_the_ground())
}

/// A failure of a release with what its tasks died of, in front where that is the news and behind where the release's fate is.
fn told<'a>(facts: &Facts<'a>, head: &str, deaths: Option<&Stops<'a>>, fallback: Cause) -> Found {
    let Some(group) = deaths else {
        return Found::new(head)
            .cause(fallback, Confidence::High)
            .next("look at the events for what stopped it, and at the targets", "e events · h target health");
    };
    let mut evidence = Vec::new();
    group.evidence(facts, &mut evidence);
    let found = Found::new(format!("{head} · {}", group.sentence(facts))).explained(&group.explained, KEYS);
    group.advise(facts, found).evidence(evidence)
}

pub(super) fn goes_back(facts: &Facts) -> Option<Found> {
    let d = facts.primary()?;
    let back = facts.current().is_some_and(|d| matches!(&*d.status, "ROLLBACK_IN_PROGRESS" | "ROLLBACK_REQUESTED"));
    let failed = facts.failed_beside();
    if failed.is_none() && !(back && in_progress(d)) {
        return None;
    }
    let deaths = failed.map_or_else(|| facts.stops(|_| true).into_iter().next(), |f| deaths(facts, f));
    let release = failed.map(short).or(deaths.as_ref().map(|group| group.newest().task_definition.name()));
    let release = release.filter(|release| *release != short(d)).unwrap_or("the last release");
    let head = format!("{release} failed, rolling back to {} · {}", short(d), standing(facts, d));
    let since = failed.and_then(|f| f.created_at).or(d.created_at);
    Some(alarmed(facts, told(facts, &head, deaths.as_ref(), Cause::RollingBack).since(since).progress(d.running, d.desired)))
}

/// Alarms that went off are why a deployment fails, whatever else happened.
fn alarmed(facts: &Facts, mut found: Found) -> Found {
    let off = facts.current().map_or(&[][..], |current| &current.alarms.1);
    if !off.is_empty() {
        found.why = format!("alarm {} went off · {}", off.join(", "), found.why);
        found.evidence.insert(0, Evidence { at: None, text: format!("alarms of the deployment that went off: {}", off.join(", ")) });
        "look at the alarm and its metric since the deployment began".clone_into(&mut found.next);
        found.cause = Some((Cause::CircuitBreaker, Confidence::High));
    }
    found
}

pub(super) fn failed(facts: &Facts) -> Option<Found> {
    let d = facts.primary()?;
    let status = facts.current().map_or("", |current| &*current.status);
    let by_service = matches!(status, "ROLLBACK_FAILED" | "FAILED") && facts.current()?.created_at >= d.created_at;
    if d.rollout_state.as_deref() != Some("FAILED") && !by_service {
        return None;
    }
    let head = format!("deployment of {} failed · {}", short(d), standing(facts, d));
    let mut found = told(facts, &head, deaths(facts, d).as_ref(), Cause::CircuitBreaker).since(d.created_at);
    let reason = d.rollout_reason.as_ref().or(facts.current().and_then(|current| current.reason.as_ref()));
    found.evidence.extend(reason.map(|reason| Evidence { at: d.updated_at, text: reason.to_string() }));
    Some(alarmed(facts, found))
}

/// CodeDeploy's own end of a release: failed, stopped, or gone back.
pub(super) fn code_failed(facts: &Facts) -> Option<Found> {
    let code = facts.code?;
    let lately = code.completed_at.is_none() || facts.within(code.completed_at, ROLLBACK_COUNTS_SECONDS);
    let gave_up = matches!(&*code.status, "Failed" | "Stopped");
    if !lately || !(gave_up || code.rollback.is_some()) {
        return None;
    }
    let told = code.error.as_deref().or(code.rollback.as_deref()).or(code.messages.first().map(|message| &**message));
    let told = told.map_or(String::new(), |told| format!(": {told}"));
    let serves = facts.service.task_sets.iter().find(|set| &*set.status == "PRIMARY");
    let serves =
        serves.map_or(String::new(), |set| format!(" · {} serves, {}/{} up", set.task_definition.name(), set.running, set.desired));
    let cause = if code.rollback.is_some() || &*code.status == "Stopped" { Cause::RollingBack } else { Cause::CircuitBreaker };
    let failed = code.events.iter().filter(|event| &*event.status == "Failed");
    let step = |event: &crate::model::LifecycleEvent| {
        let why = event.message.as_deref().map_or(String::new(), |message| format!(": {message}"));
        Evidence { at: event.ended_at, text: format!("{} failed{why}", event.name) }
    };
    let mut evidence: Vec<Evidence> = failed.map(step).collect();
    evidence.push(Evidence { at: code.completed_at.or(code.started_at), text: format!("CodeDeploy {} is {}{told}", code.id, code.status) });
    let why = format!("CodeDeploy {} {}{told}{serves}", code.id, code.status.to_lowercase());
    let next = "see the failed step of the deployment and the targets of the new side";
    let since = code.completed_at.or(code.started_at).or(code.created_at);
    Some(Found::new(why).cause(cause, Confidence::High).since(since).next(next, "h target health · e events").evidence(evidence))
}

/// A native blue/green deployment stops at its hooks until somebody answers.
pub(super) fn hook_waits(facts: &Facts) -> Option<Found> {
    let current = facts.current()?;
    let hook = current.hooks.iter().find(|hook| &*hook.status == "AWAITING_ACTION")?;
    let stage = current.lifecycle_stage.as_deref().map_or(String::new(), |stage| format!(" at {stage}"));
    let then = hook.on_timeout.as_deref().unwrap_or("ROLLBACK");
    let why = format!("deployment waits{stage} for an answer to its {} hook, else {then}{}", hook.kind, weight(facts));
    let evidence = vec![Evidence { at: hook.expires_at, text: format!("hook {} is AWAITING_ACTION; then AWS decides: {then}", hook.id) }];
    let next = "try the new revision, then answer the hook: ContinueServiceDeployment with CONTINUE or ROLLBACK";
    Some(Found::new(why).cause(Cause::Other, Confidence::High).since(current.updated_at).next(next, "e events").evidence(evidence))
}

/// What the new revision gets of the traffic, where AWS tells it.
fn weight(facts: &Facts) -> String {
    let of_code = || facts.replacement().and_then(|set| facts.code.and_then(|code| code.weight(&set.id)));
    let shifts = facts.service.strategy.as_deref().is_none_or(|strategy| strategy != "ROLLING");
    // Of a rolling deployment AWS tells all the traffic for a side that has not a task yet.
    let native = facts.current().filter(|_| shifts).and_then(|current| current.target.as_ref()).and_then(|target| target.production_weight);
    native.or_else(of_code).map_or(String::new(), |percent| format!(" · {percent}% of traffic"))
}

/// Somebody asked for the stop; what follows is told by the rollback.
pub(super) fn stopped(facts: &Facts) -> Option<Found> {
    let current = facts.current().filter(|d| &*d.status == "STOP_REQUESTED")?;
    let why = "the deployment is being stopped on request";
    Some(Found::new(why).since(current.started_at).next("see who asked for the stop in CloudTrail: StopServiceDeployment", "e events"))
}

pub(super) fn tasks_fail(facts: &Facts) -> Option<Found> {
    let d = facts.primary().filter(|d| in_progress(d))?;
    let own = facts.stops(|t| Facts::is_of(t, d) && ended_at(t) >= d.created_at);
    let group = own.into_iter().find(|group| !group.of_the_ground());
    // ECS counts failures in a row and forgets them when a task gets healthy. Where it counts none, tasks that died count while others miss.
    if d.failed == 0 && (group.is_none() || d.running >= d.desired) {
        return None;
    }
    let group = group.or_else(|| deaths(facts, d));
    let since = d.created_at;
    let Some(group) = group else {
        let tasks = if d.failed == 1 { "1 task".to_owned() } else { format!("{} tasks", d.failed) };
        let why = format!("{tasks} of {} failed · {}", short(d), standing(facts, d));
        return Some(Found::new(why).cause(Cause::Other, Confidence::Low).since(since).next("look at its stopped tasks and events", KEYS));
    };
    let mut evidence = Vec::new();
    group.evidence(facts, &mut evidence);
    let why = format!("{} · {} {}", group.sentence(facts), short(d), standing(facts, d));
    let found = group.advise(facts, Found::new(why).explained(&group.explained, KEYS));
    Some(found.evidence(evidence).since(since).progress(d.running, d.desired))
}

pub(super) fn blocked(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let (event, _) =
        facts.newest_telling().filter(|(e, kind)| *kind == EventKind::Unplaceable && e.message.contains("stop or start tasks"))?;
    if s.deployments.len() < 2 && s.running >= s.desired {
        return None;
    }
    let explained = facts.memo.event(&event.message);
    let percent = match (s.min_percent, s.max_percent) {
        (Some(min), Some(max)) => format!("min {min}% and max {max}% of {} leave no room to stop or start a task", s.desired),
        _ => plain(&event.message, &s.name),
    };
    Some(Found::new(format!("deployment cannot move: {percent}")).explained(&explained, "e events · d its settings").since(event.at))
}

/// The last word on a release that went back, while it counts: from the service deployments, else from the events.
fn went_back(facts: &Facts) -> Option<(Option<Time>, Option<String>)> {
    let lately = |at: Option<Time>| facts.within(at, ROLLBACK_COUNTS_SECONDS);
    if let Some(d) = facts.current().filter(|d| &*d.status == "ROLLBACK_SUCCESSFUL" && lately(d.finished_at)) {
        return Some((d.finished_at, d.reason.as_ref().map(ToString::to_string)));
    }
    let recent = facts.service.events.iter().take_while(|e| e.at.is_none() || lately(e.at));
    let bad = recent.filter(|e| e.at.is_some()).find(|e: &&ServiceEvent| event(&e.message) == EventKind::DeploymentFailed)?;
    Some((bad.at, Some(plain(&bad.message, &facts.service.name))))
}

/// "Steady" after a rollback is not success: the release is not out.
pub(super) fn rolled_back(facts: &Facts) -> Option<Found> {
    let (at, told_by) = went_back(facts)?;
    let d = facts.primary()?;
    // A release after the failed one is another story.
    if d.created_at > at || d.rollout_state.as_deref() == Some("FAILED") {
        return None;
    }
    let own = facts.stops(|t| t.task_definition != d.task_definition);
    let groups = if own.is_empty() { facts.stops(|_| true) } else { own };
    let deaths = groups.into_iter().find(|group| !group.of_the_ground());
    let release = deaths.as_ref().map(|group| group.newest().task_definition.name()).filter(|release| *release != short(d));
    let release = release.unwrap_or("last release");
    let way = if in_progress(d) { "going back to" } else { "rolled back to" };
    let head = format!("{release} failed, {way} {} · {}/{} up", short(d), d.running, d.desired);
    let mut found = told(facts, &head, deaths.as_ref(), Cause::RollingBack).since(at);
    found.evidence.extend(told_by.map(|text| Evidence { at, text }));
    Some(found)
}

/// The newest sign of life of a deployment: a task that was made, started or stopped, or an event.
fn last_moved(facts: &Facts, d: &Deployment) -> Option<Time> {
    let moments = |t: &Task| [t.created_at, t.started_at, t.stopping_at, t.stopped_at].into_iter().flatten().max();
    let tasks = facts.tasks.iter().filter_map(|t| moments(t)).max();
    let told = facts.service.events.first().and_then(|e| e.at);
    [tasks, told, d.created_at].into_iter().flatten().max()
}

pub(super) fn stands_still(facts: &Facts) -> Option<Found> {
    let d = facts.primary().filter(|d| in_progress(d))?;
    let moved = last_moved(facts, d);
    let draining = facts.groups.iter().flat_map(|g| g.targets).any(|t| t.state.as_str().ends_with("draining"));
    let patient = facts.within(d.created_at, PATIENCE_SECONDS) || facts.within(moved, STILL_SECONDS);
    if patient || draining || moved.is_none() || facts.current().is_some_and(|c| c.lifecycle_stage.is_some()) {
        return None;
    }
    let minutes = facts.age(moved).unwrap_or(0) / 60;
    let why = format!("deployment of {} stands still for {minutes} min · {}", short(d), standing(facts, d));
    let next = "see whether new tasks are made and get healthy: events, targets, pending tasks";
    Some(Found::new(why).since(moved).next(next, "e events · ⏎ its tasks").progress(d.running, d.desired))
}

pub(super) fn rolls(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let d = facts.primary()?;
    if s.deployments.len() < 2 && !in_progress(d) {
        return None;
    }
    let left: u32 = s.deployments.iter().filter(|other| other.id != d.id).map(|other| other.running).sum();
    let left = if left > 0 { format!(" · {left} old left") } else { String::new() };
    let stage = facts.current().and_then(|c| c.lifecycle_stage.as_deref()).map_or(String::new(), |stage| format!(" · {stage}"));
    let why = format!("rolling to {} · {}{left}{stage}{}", short(d), standing(facts, d), weight(facts));
    Some(Found::new(why).since(d.created_at).progress(d.running, d.desired))
}

pub(super) fn replacement_rolls(facts: &Facts) -> Option<Found> {
    let set = facts.replacement()?;
    let by = if &*facts.service.controller == "CODE_DEPLOY" { "CodeDeploy" } else { "its controller" };
    let id = set.external_id.as_deref().map_or(String::new(), |id| format!(" {id}"));
    let primary = facts.service.task_sets.iter().find(|set| &*set.status == "PRIMARY");
    let beside = primary.map_or(String::new(), |blue| format!(" beside {}", blue.task_definition.name()));
    let until = facts.code.and_then(crate::model::CodeDeployment::bakes_until);
    let bakes = if until.is_some() { ", in bake" } else { "" };
    let why =
        format!("{by}{id} brings {} · {}/{} up{beside}{}{bakes}", set.task_definition.name(), set.running, set.desired, weight(facts));
    let health =
        (set.stability.as_deref() == Some("STABILIZING") && set.running < set.desired && !facts.within(set.created_at, PATIENCE_SECONDS))
            .then_some(Health::Warn);
    let found = Found::new(why).since(set.created_at).progress(set.running, set.desired);
    let found = found.evidence(until.map(|at| bake_left(at, facts.now)).into_iter().collect());
    Some(match health {
        Some(health) => {
            found.health(health).next("the new task set does not get stable: see its tasks and targets", "⏎ its tasks · h target health")
        }
        None => found,
    })
}

/// What is still to come has no time among what was seen.
fn bake_left(until: Time, now: Time) -> Evidence {
    let minutes = (until.as_second() - now.as_second()).max(0) / 60;
    let text = if minutes == 0 { "the bake is over within a minute".to_owned() } else { format!("the bake lasts {minutes} min more") };
    Evidence { at: None, text: format!("{text}, then all traffic moves") }
}
