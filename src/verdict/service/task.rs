//! Rules about tasks: no place, no start, no life, no host.

use super::{Found, plain};
use crate::model::{ServiceEvent, Task};
use crate::verdict::cause::{Cause, Confidence};
use crate::verdict::facts::{Facts, ended_at};
use crate::verdict::placement::{self, Short};
use crate::verdict::stops::{self, Stops};
use crate::verdict::{EventKind, Evidence, Health, task};

/// Seconds during which what happened still counts when nothing newer contradicts it.
const COUNTS_SECONDS: i64 = 900;

/// Seconds of a deployment in which nothing running is no news.
const YOUNG_SECONDS: i64 = 120;

/// Seconds that a task may take from its creation to its start; Fargate takes one to two minutes for a large image.
const START_SECONDS: i64 = 300;

/// Deaths of one kind that make a loop of it.
const LOOP: usize = 3;

const TASK_KEYS: &str = "⏎ its tasks · l their last lines · e events";

pub(super) fn cannot_place(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let d = facts.primary();
    let missing = s.running < s.desired
        || d.is_some_and(|d| d.running < d.desired)
        || facts.replacement().is_some_and(|set| set.running < set.desired);
    let (event, _) = facts.newest_telling().filter(|(_, kind)| *kind == EventKind::Unplaceable)?;
    let explained = facts.memo.event(&event.message);
    let of = short_of(explained.cause)?;
    if !missing {
        return None;
    }
    let figures = placement::shortage(facts, of);
    let keeps = match (explained.cause, s.min_percent) {
        (Cause::PlacementPort, Some(min)) if min >= 100 && s.deployments.len() > 1 => {
            format!(", and the deployment must keep {min}% running")
        }
        _ => String::new(),
    };
    let why = match figures {
        Some(figures) => format!("no place for a task: {figures}{keeps}"),
        None => format!("{}{keeps}", explained.says),
    };
    let evidence = vec![Evidence { at: event.at, text: plain(&event.message, &s.name) }];
    let found = Found::new(why).explained(&explained, "e events").since(since_first(facts, event)).evidence(evidence);
    // What runs serves on: a release that finds no place is worth a look, missing tasks are more.
    Some(if s.running < s.desired { found.health(Health::Fail) } else { found })
}

/// What a placement failure is about; nothing for another cause.
fn short_of(cause: Cause) -> Option<Short> {
    Some(match cause {
        Cause::PlacementMemory => Short::Memory,
        Cause::PlacementCpu => Short::Cpu,
        Cause::PlacementPort => Short::Port,
        Cause::PlacementNoInstances | Cause::PlacementAgent => Short::Instances,
        Cause::PlacementAttribute | Cause::CapacityUnavailable | Cause::QuotaReached => Short::Other,
        _ => return None,
    })
}

/// When the scheduler first complained in this run of complaints.
fn since_first(facts: &Facts, newest: &ServiceEvent) -> Option<crate::model::Time> {
    facts.bad_events().filter(|(_, kind)| *kind == EventKind::Unplaceable).map(|(e, _)| e.at).last().unwrap_or(newest.at)
}

pub(super) fn cannot_start(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let (event, _) = facts.newest_telling().filter(|(_, kind)| *kind == EventKind::Unplaceable)?;
    if s.running >= s.desired || event.message.contains("stop or start tasks") {
        return None;
    }
    let explained = facts.memo.event(&event.message);
    let said = Evidence { at: event.at, text: plain(&event.message, &s.name) };
    let since = since_first(facts, event);
    match newest_deaths(facts) {
        Some(group) => Some(of_deaths(facts, &group, &group.sentence(facts)).since(since)).map(|mut found| {
            found.evidence.push(said);
            found
        }),
        None => Some(Found::new(plain(&event.message, &s.name)).explained(&explained, TASK_KEYS).since(since).evidence(vec![said])),
    }
}

/// Deaths that count, whatever the release; those of the ground apart.
fn newest_deaths<'a>(facts: &Facts<'a>) -> Option<Stops<'a>> {
    facts.stops(|_| true).into_iter().find(|group| !group.of_the_ground())
}

fn of_deaths<'a>(facts: &Facts<'a>, group: &Stops<'a>, why: &str) -> Found {
    let mut evidence = Vec::new();
    group.evidence(facts, &mut evidence);
    group.advise(facts, Found::new(why).explained(&group.explained, TASK_KEYS)).evidence(evidence)
}

pub(super) fn nothing_runs(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let young = facts.age(facts.release_began()).is_some_and(|age| age.abs() < YOUNG_SECONDS);
    if s.running > 0 || s.desired == 0 || young {
        return None;
    }
    let head = format!("0 of {} tasks run", s.desired);
    if let Some(group) = newest_deaths(facts) {
        return Some(of_deaths(facts, &group, &format!("{} · {head}", group.sentence(facts))));
    }
    let waits = if s.pending > 0 { format!("{head}, {} pending", s.pending) } else { head };
    let found = Found::new(waits).cause(Cause::Other, Confidence::Low);
    Some(found.next("see why none starts: events, pending and stopped tasks", TASK_KEYS))
}

/// Deaths that still count: lately, and after the newest release, for what died before it was what the release is to mend.
fn recent<'a>(facts: &Facts<'a>) -> Vec<Stops<'a>> {
    let began = facts.release_began();
    facts.stops(|t| facts.within(ended_at(t), COUNTS_SECONDS) && (began.is_none() || ended_at(t) >= began))
}

pub(super) fn die(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let groups = recent(facts);
    let group = groups.iter().find(|group| !group.of_the_ground())?;
    let why = format!("{} · {}/{} up", group.sentence(facts), s.running, s.desired);
    let found = of_deaths(facts, group, &why).since(group.since());
    let bad = s.running < s.desired && group.count() >= LOOP;
    Some(found.health(if bad { Health::Fail } else { Health::Warn }))
}

/// What took hosts away lately, as a sentence.
fn taken<'a>(facts: &Facts<'a>) -> Option<Stops<'a>> {
    recent(facts).into_iter().find(Stops::of_the_ground)
}

pub(super) fn lost(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    if s.running >= s.desired {
        return None;
    }
    let group = taken(facts)?;
    let why = format!("{}, being replaced · {}/{} up", group.sentence(facts), s.running, s.desired);
    let found = of_deaths(facts, &group, &why).since(group.since()).progress(s.running, s.desired);
    Some(found.health(Health::Warn))
}

/// Tasks that lost their host lately and have been replaced: worth a word beside `steady`.
pub(super) fn replaced(facts: &Facts) -> Option<String> {
    // Most services have no stopped task; they are not searched any further.
    let some = facts.tasks.iter().any(|t| t.stopped() && facts.within(ended_at(t), COUNTS_SECONDS));
    some.then(|| taken(facts).map(|group| group.sentence(facts))).flatten()
}

pub(super) fn unhealthy(facts: &Facts) -> Option<Found> {
    let sick = |t: &&crate::model::Task| !t.stopped() && &*t.health == "UNHEALTHY";
    let bad: Vec<&Task> = facts.tasks.iter().map(|t| &**t).filter(sick).collect();
    let first = bad.first()?;
    let container =
        first.containers.iter().find(|c| &*c.health == "UNHEALTHY").map_or(String::new(), |c| format!(" · container {}", c.name));
    let why = format!("{}/{} tasks fail their container health check{container}", bad.len(), facts.service.running.max(1));
    let next = "run the health check's command in the container: is its program there, and does the start period suffice?";
    let line = |t: &&Task| Evidence { at: None, text: format!("task {} is UNHEALTHY", stops::short(t.arn.name())) };
    let found =
        Found::new(why).since(first.started_at).next(next, "⏎ its tasks · l logs").evidence(bad.iter().take(LOOP).map(line).collect());
    Some(found.cause(Cause::ContainerHealthCheck, Confidence::High).health(Health::Warn))
}

fn missing(facts: &Facts) -> Option<String> {
    let s = facts.service;
    (s.running < s.desired).then(|| format!("{}/{} tasks run, {} pending", s.running, s.desired, s.pending))
}

pub(super) fn held_up(facts: &Facts) -> Option<Found> {
    let head = missing(facts)?;
    let waiting = facts.tasks.iter().find(|t| !t.stopped() && task(t, facts.now).health == Health::Warn)?;
    let why = format!("{head} · {} held up: {}", stops::short(waiting.arn.name()), task(waiting, facts.now).why);
    let next = "see how large the image is and whether the subnet reaches its registry";
    Some(Found::new(why).since(waiting.created_at).next(next, "⏎ its tasks · e events"))
}

pub(super) fn too_few(facts: &Facts) -> Option<Found> {
    let s = facts.service;
    let found = Found::new(missing(facts)?).progress(s.running, s.desired);
    // Whoever scales up, a policy or a person, is to be given the time that a task takes.
    let asked = facts.primary().is_some_and(|d| facts.within(d.updated_at, YOUNG_SECONDS));
    let begun = facts.tasks.iter().any(|t| !t.stopped() && t.started_at.is_none() && facts.within(t.created_at, START_SECONDS));
    let health = if asked || begun { Health::Roll } else { Health::Warn };
    Some(found.health(health).next("see whether tasks are being started", "e events · ⏎ its tasks"))
}

pub(super) fn bad_event(facts: &Facts) -> Option<Found> {
    let (event, kind) = facts.newest_telling()?;
    let bad = matches!(kind, EventKind::Unhealthy | EventKind::Throttled | EventKind::Unplaceable);
    if !bad || !facts.within(event.at, COUNTS_SECONDS) {
        return None;
    }
    let explained = facts.memo.event(&event.message);
    let text = plain(&event.message, &facts.service.name);
    let found = Found::new(text.clone()).explained(&explained, "e events · h target health").since(event.at);
    Some(found.health(Health::Warn).evidence(vec![Evidence { at: event.at, text }]))
}
