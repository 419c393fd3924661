//! Completes a verdict with what every troubled service is asked: how its release stands, what died and how often, what the scheduler
//! said, and whether all that began before the release.

use super::{plain, short};
use crate::model::{Task, Time};
use crate::verdict::facts::{Facts, ended_at};
use crate::verdict::{Began, EventKind, Evidence, State, Verdict};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Events that evidence shows.
const EVENTS: usize = 3;

/// Seconds by which a failure may precede its deployment and still be its own: AWS's clocks are several.
const SLACK_SECONDS: i64 = 2;

/// Adds what the rule has not brought itself.
pub(super) fn complete(facts: &Facts, verdict: &mut Verdict) {
    if verdict.state != State::Rolling || verdict.health.troubled() {
        deaths(facts, verdict);
        events(facts, verdict);
        // After a rollback the newest deployment is the cure, not the cause.
        verdict.began = if verdict.rule == "rolled_back" { None } else { began(facts) };
    }
    release(facts, verdict);
    if let Some(began) = verdict.began {
        verdict.evidence.push(Evidence { at: facts.release_began(), text: sentence(facts, began) });
    }
}

/// Deaths of another kind than the one that decided, counted.
fn deaths(facts: &Facts, verdict: &mut Verdict) {
    for group in facts.stops(|_| true).iter().filter(|group| Some(group.explained.cause) != verdict.cause) {
        let mut evidence = Vec::new();
        group.evidence(facts, &mut evidence);
        verdict.evidence.extend(evidence.into_iter().take(1));
    }
}

fn events(facts: &Facts, verdict: &mut Verdict) {
    for (event, _) in facts.bad_events().take(EVENTS) {
        let text = plain(&event.message, &facts.service.name);
        if !verdict.evidence.iter().any(|known| known.text == text) {
            verdict.evidence.push(Evidence { at: event.at, text });
        }
    }
}

fn release(facts: &Facts, verdict: &mut Verdict) {
    if let Some(d) = facts.primary() {
        let state = d.rollout_state.as_deref().unwrap_or(&d.status);
        let failed = if d.failed > 0 { format!(", {} failed", d.failed) } else { String::new() };
        let breaker = facts.breaker().map_or(String::new(), |(n, of)| format!(", circuit breaker {n} of {of}"));
        let text = format!(
            "deployment {} of {} is {state}: {}/{} running, {} pending{failed}{breaker}",
            d.id,
            short(d),
            d.running,
            d.desired,
            d.pending
        );
        verdict.evidence.push(Evidence { at: d.created_at, text });
    }
    for set in &facts.service.task_sets {
        let stability = set.stability.as_deref().unwrap_or("");
        let text =
            format!("task set {} of {} {stability}: {}/{} running", set.status, set.task_definition.name(), set.running, set.desired);
        verdict.evidence.push(Evidence { at: set.created_at, text });
    }
}

/// Whether the trouble is older than the newest release. What died of an earlier release that failed went back with it.
fn began(facts: &Facts) -> Option<Began> {
    let release = facts.release_began()?;
    let gone: Vec<&str> = facts.service.events.iter().filter_map(|event| failed_deployment(&event.message)).collect();
    let deployments = &facts.service.deployments;
    let there = |t: &Task| deployments.iter().any(|d| d.task_definition == t.task_definition);
    // AWS keeps a hundred events, so an earlier failure may be forgotten: while two revisions are there, others are no part of it.
    let counts = |t: &&&Task| there(t) || (deployments.len() < 2 && t.started_by.as_deref().is_none_or(|by| !gone.contains(&by)));
    let died = facts.failures().iter().filter(counts).filter_map(|t| ended_at(t)).min();
    let told = facts.bad_events().filter(|(_, kind)| *kind != EventKind::DeploymentFailed).filter_map(|(event, _)| event.at).min();
    let first: Time = [died, told].into_iter().flatten().min()?;
    Some(if first.as_second() + SLACK_SECONDS < release.as_second() { Began::Before } else { Began::After })
}

static FAILED: LazyLock<Finder> = LazyLock::new(|| Finder::new("deployment failed"));

/// The deployment of `(service NAME) (deployment ID) deployment failed: …`.
fn failed_deployment(message: &str) -> Option<&str> {
    FAILED.find(message.as_bytes())?;
    let (id, rest) = message.split_once("(deployment ")?.1.split_once(')')?;
    rest.contains("deployment failed").then_some(id)
}

fn sentence(facts: &Facts, began: Began) -> String {
    let what = match (facts.release(), facts.replacement()) {
        (Some(d), _) => format!("the newest deployment, {}", short(d)),
        (None, Some(set)) => format!("the newest task set, {}", set.task_definition.name()),
        (None, None) => "the newest task set".to_owned(),
    };
    match began {
        Began::Before => format!("the trouble began before {what}"),
        Began::After => format!("the trouble began with or after {what}"),
    }
}
