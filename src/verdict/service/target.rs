//! Rules about targets. The idle side of a pair is `unused` and what leaves drains: neither counts.

use super::Found;
use crate::model::{Target, Time};
use crate::verdict::cause::{self, Explanation};
use crate::verdict::facts::{Facts, Group};
use crate::verdict::{EventKind, Evidence, Health};

/// Targets that evidence lists.
const LISTED: usize = 4;

const KEYS: &str = "h target health · l logs";

/// When ECS last said that a target is unhealthy; ELB itself does not tell since when.
fn told_unhealthy(facts: &Facts) -> Option<Time> {
    facts.bad_events().find(|(_, kind)| *kind == EventKind::Unhealthy)?.0.at
}

fn words(target: &Target) -> String {
    let reason = target.reason.as_deref().unwrap_or("unhealthy");
    target.description.as_deref().map_or_else(|| reason.to_owned(), |told| format!("{reason} · {told}"))
}

fn explain(target: &Target) -> Explanation {
    let both = [target.reason.as_deref(), target.description.as_deref()];
    cause::target(&both.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

fn found(facts: &Facts, head: &str, bad: &[(Group, &Target)]) -> Found {
    let (_, first) = bad[0];
    let explained = explain(first);
    let line = |(group, t): &(Group, &Target)| {
        let of = group.arn.target_group_name();
        Evidence { at: None, text: format!("target {}:{} of {of} is unhealthy: {}", t.id, t.port, words(t)) }
    };
    let why = format!("{head} · {} · {}:{}", words(first), first.id, first.port);
    Found::new(why).explained(&explained, KEYS).since(told_unhealthy(facts)).evidence(bad.iter().take(LISTED).map(line).collect())
}

/// The new side of a blue/green pair: the old one still serves, but the release is on its way to fail.
pub(super) fn replacement(facts: &Facts) -> Option<Found> {
    let set = facts.replacement()?;
    let own = |group: &Group| set.load_balancers.iter().any(|lb| lb.target_group.as_ref() == Some(group.arn));
    let bad: Vec<(Group, &Target)> = facts.unhealthy().into_iter().filter(|(group, _)| own(group)).collect();
    let (group, _) = bad.first()?;
    let name = group.arn.target_group_name();
    let head = format!("{} is unhealthy in {name}, {}/{} targets", set.task_definition.name(), bad.len(), group.targets.len());
    Some(found(facts, &head, &bad))
}

pub(super) fn all(facts: &Facts) -> Option<Found> {
    let bad = facts.unhealthy();
    let all = !bad.is_empty() && bad.len() == facts.registered();
    all.then(|| found(facts, &format!("{}/{} targets unhealthy", bad.len(), bad.len()), &bad))
}

pub(super) fn some(facts: &Facts) -> Option<Found> {
    let bad = facts.unhealthy();
    let head = || format!("{}/{} targets unhealthy", bad.len(), facts.registered());
    (!bad.is_empty()).then(|| found(facts, &head(), &bad).health(Health::Warn))
}
