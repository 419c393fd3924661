//! How a release stands, how it ended, and what to say about it. A rollback that succeeded is a release that failed.

use super::{Followed, Landing, Seen, Standing, follow};
use crate::duration;
use crate::model::{Arn, CodeDeployment, ServiceDeployment, Str};
use crate::verdict::{EventKind, Health, event};

/// Seconds within which `CodeDeploy` tells of the rollback of a deployment that failed.
const ROLLBACK_TOLD_SECONDS: i64 = 15;

/// How a release ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is out.
    Released,
    /// It is not, and what was there before may not be either.
    Failed(String),
    /// It is not; what was there before serves again.
    RolledBack(String),
    /// A newer deployment took its place before it ended.
    Superseded,
    /// No release: the tasks that were asked for run.
    Steady,
}

impl End {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            End::Released => "released",
            End::Failed(_) => "failed",
            End::RolledBack(_) => "rolled back",
            End::Superseded => "superseded",
            End::Steady => "steady",
        }
    }

    /// How bad that is.
    #[must_use]
    pub fn health(&self) -> Health {
        match self {
            End::Released | End::Steady => Health::Ok,
            End::Superseded => Health::Warn,
            End::Failed(_) | End::RolledBack(_) => Health::Fail,
        }
    }

    /// AWS's reason, where it gave one.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            End::Released | End::Superseded | End::Steady => "",
            End::Failed(reason) | End::RolledBack(reason) => reason,
        }
    }
}

/// AWS's word for the status.
pub(super) fn status(seen: &Seen, followed: &Followed, record: Option<&ServiceDeployment>, code: Option<&CodeDeployment>) -> Str {
    if let Some(word) = code.map(|code| &code.status).or(record.map(|record| &record.status)) {
        return word.clone();
    }
    let entry = followed.entry_in(seen).and_then(|entry| entry.rollout_state.clone());
    entry.or_else(|| followed.set_in(seen).and_then(|set| set.stability.clone())).unwrap_or_default()
}

pub(super) fn standing(seen: &Seen, followed: &Followed, record: Option<&ServiceDeployment>, code: Option<&CodeDeployment>) -> Standing {
    match (code, record) {
        (Some(code), _) => of_code(seen, followed, code),
        (None, Some(record)) => of_record(seen, record),
        (None, None) if &*seen.service.controller == "ECS" => of_service(seen, followed),
        (None, None) => of_set(seen, followed),
    }
}

/// What ECS's record says, which is the last word.
fn of_record(seen: &Seen, record: &ServiceDeployment) -> Standing {
    let rolled = record.rollback.as_ref().and_then(|rollback| rollback.reason.as_ref());
    let reason = || rolled.or(record.reason.as_ref()).map_or(String::new(), ToString::to_string);
    let newer = || seen.records.unwrap_or_default().iter().any(|other| follow::began(other) > follow::began(record));
    Standing::Over(match &*record.status {
        "SUCCESSFUL" => End::Released,
        "ROLLBACK_SUCCESSFUL" => End::RolledBack(reason()),
        "ROLLBACK_FAILED" => End::Failed(format!("the rollback failed too: {}", reason())),
        "STOPPED" if record.rollback.is_some() => End::RolledBack(reason()),
        "STOPPED" if newer() => End::Superseded,
        "STOPPED" => End::Failed(if reason().is_empty() { "it was stopped".to_owned() } else { reason() }),
        "FAILED" => End::Failed(reason()),
        "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" => return Standing::GoingBack(reason()),
        _ if newer() => End::Superseded,
        _ => return Standing::UnderWay,
    })
}

/// What the service itself says, where ECS's records are not to be had.
fn of_service(seen: &Seen, followed: &Followed) -> Standing {
    let Some(primary) = follow::primary(seen.service) else {
        return Standing::Over(End::Failed("the service has no deployment any more".to_owned()));
    };
    let entry = followed.entry_in(seen);
    let state = entry.and_then(|entry| entry.rollout_state.as_deref());
    let reason = || {
        let own = entry.and_then(|entry| entry.rollout_reason.as_ref()).map(ToString::to_string);
        own.or_else(|| failed_by_event(seen, followed)).unwrap_or_default()
    };
    let is_primary = followed.set.as_ref() == Some(&primary.id);
    let failed = state == Some("FAILED") || !is_primary && failed_by_event(seen, followed).is_some();
    match (is_primary, failed, state) {
        (true, true, _) => Standing::Over(End::Failed(reason())),
        (true, false, Some("COMPLETED")) => Standing::Over(End::Released),
        (true, false, _) => Standing::UnderWay,
        (false, true, _) if primary.rollout_state.as_deref() == Some("COMPLETED") => Standing::Over(End::RolledBack(reason())),
        (false, true, _) => Standing::GoingBack(reason()),
        (false, false, _) => Standing::Over(End::Superseded),
    }
}

/// What the scheduler said of the failure of this very deployment.
fn failed_by_event(seen: &Seen, followed: &Followed) -> Option<String> {
    let id = followed.set.as_deref()?;
    // The next digit would make it another deployment's.
    let named = format!("(deployment {id})");
    let failed = |message: &str| message.contains(&named) && event(message) == EventKind::DeploymentFailed;
    let told = seen.service.events.iter().find(|event| failed(&event.message))?;
    Some(told.message.split_once(&named).map_or(&*told.message, |(_, words)| words.trim()).to_owned())
}

fn of_code(seen: &Seen, followed: &Followed, code: &CodeDeployment) -> Standing {
    let told = || code.error.as_ref().or(code.rollback.as_ref()).or(code.messages.first()).map_or(String::new(), ToString::to_string);
    match &*code.status {
        "Succeeded" => Standing::Over(End::Released),
        "Failed" | "Stopped" if code.rollback.is_some() => {
            // The rollback is a deployment of its own; it is done when the new task set no longer gets any traffic.
            let set = followed.set_in(seen);
            let serves = set.is_some_and(|set| &*set.status == "PRIMARY")
                || set.is_some() && followed.set.as_ref().is_some_and(|id| code.weight(id) > Some(0.0));
            let brought_back = set.is_none_or(|set| &*set.status == "DRAINING") || !serves;
            if brought_back { Standing::Over(End::RolledBack(told())) } else { Standing::GoingBack(told()) }
        }
        // Whether it is rolled back is told a moment after that it failed.
        "Failed" | "Stopped" if code.completed_at.is_none_or(|at| seen.now.as_second() - at.as_second() < ROLLBACK_TOLD_SECONDS) => {
            Standing::UnderWay
        }
        "Failed" | "Stopped" => {
            Standing::Over(End::Failed(if told().is_empty() { format!("CodeDeploy says {}", code.status) } else { told() }))
        }
        _ => Standing::UnderWay,
    }
}

/// A task set of a controller that tells nothing but its task sets.
fn of_set(seen: &Seen, followed: &Followed) -> Standing {
    let newer = seen.service.task_sets.iter().any(|set| set.created_at > followed.began && Some(&set.id) != followed.set.as_ref());
    match followed.set_in(seen) {
        // What CodeDeploy does is its own to tell: until it has answered nothing is known.
        _ if followed.code.is_some() => Standing::UnderWay,
        Some(set) if &*set.status == "PRIMARY" && set.stability.as_deref() == Some("STEADY_STATE") => Standing::Over(End::Released),
        Some(set) if &*set.status == "DRAINING" => {
            Standing::Over(if newer { End::Superseded } else { End::Failed("its task set drains".to_owned()) })
        }
        Some(_) => Standing::UnderWay,
        None if newer => Standing::Over(End::Superseded),
        None => Standing::Over(End::Failed("its task set is gone".to_owned())),
    }
}

/// Says how it is, what that rests on, and what to do next.
pub(super) fn judge(landing: &mut Landing, seen: &Seen) {
    let verdict = seen.verdict;
    let (new, old) = (landing.brings().to_owned(), landing.replaces().to_owned());
    let and = |reason: &str| if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let evidence = || verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect::<Vec<_>>();
    let wanted = seen.service.desired;
    match &landing.standing {
        Standing::Over(End::Released) => {
            let took = landing.pace.took.map_or(String::new(), |took| format!(" after {}", duration::short(took)));
            let left = landing.old.left();
            let still = if left > 0 { format!(" · {left} old tasks are still there") } else { String::new() };
            landing.why = match wanted {
                0 => format!("{new} is the service's revision{took}, but it wants no task: nothing runs"),
                _ => format!("{new} is released{took}{still}"),
            };
            landing.health = Health::Ok;
            // Released is not well: a service without a breaker goes on to fail.
            if verdict.health.troubled() {
                landing.why = format!("{} · and now: {}", landing.why, verdict.why);
                landing.health = verdict.health;
                landing.evidence = evidence();
                landing.next = verdict.next_line();
            }
        }
        Standing::Over(End::RolledBack(reason)) => {
            landing.why = format!("{new} is NOT released: rolled back to {old}{}", and(reason));
            landing.health = Health::Fail;
            landing.evidence = evidence();
            landing.next = after_failure(verdict.next_line());
        }
        Standing::Over(End::Failed(reason)) => {
            landing.why = format!("{new} is NOT released: the deployment failed{}", and(reason));
            landing.health = Health::Fail;
            landing.evidence = evidence();
            landing.next = after_failure(verdict.next_line());
        }
        Standing::Over(End::Superseded) => {
            let by = super::follow::Followed::newest(seen).and_then(|newest| newest.revision);
            let by = by.as_ref().map_or("a newer deployment", Arn::name);
            landing.why = format!("{new} did not end: {by} took its place");
            landing.health = Health::Warn;
        }
        // An aim says it itself.
        Standing::Over(End::Steady) => {}
        Standing::GoingBack(reason) => {
            landing.why = format!("{new} failed, going back to {old}{}", and(reason));
            landing.health = Health::Fail;
            landing.evidence = evidence();
            landing.next = verdict.next_line();
        }
        Standing::UnderWay => under_way(landing, seen),
    }
}

fn after_failure(next: String) -> String {
    if next.is_empty() { "see why its tasks stopped before the next try".to_owned() } else { next }
}

fn under_way(landing: &mut Landing, seen: &Seen) {
    let verdict = seen.verdict;
    if let Some(hook) = landing.stage.waits() {
        landing.why = format!(
            "a {} hook waits for an answer{}",
            hook.kind,
            landing.stage.name.as_deref().map_or(String::new(), |stage| format!(" at {stage}"))
        );
        landing.health = Health::Warn;
        let then = hook.on_timeout.as_deref().map_or(String::new(), |action| format!("; unanswered it ends in {action}"));
        landing.next = format!("continue it or roll it back{then}");
        return;
    }
    let off: Vec<&str> = landing.alarms.iter().filter(|alarm| alarm.triggered).map(|alarm| &*alarm.name).collect();
    if verdict.health.troubled() {
        landing.why.clone_from(&verdict.why);
        landing.health = verdict.health;
        landing.evidence = verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect();
        landing.next = verdict.next_line();
    } else if let Some(still) = landing.pace.stuck() {
        landing.why = format!("no progress for {} · {}", duration::short(still), landing.progress());
        landing.health = Health::Warn;
        "see whether new tasks are made and get healthy: events, targets, pending tasks".clone_into(&mut landing.next);
    } else {
        landing.why = match &landing.stage.bake {
            Some(bake) => format!("bakes, then {}", bake.then),
            None => landing.progress(),
        };
        landing.health = Health::Roll;
    }
    if !off.is_empty() {
        landing.why = format!("alarm {} went off · {}", off.join(", "), landing.why);
        landing.health = Health::Fail;
    }
    if let Some((failures, threshold)) = landing.failures.filter(|(failures, _)| *failures > 0) {
        let back = seen.service.circuit_breaker.is_some_and(|breaker| breaker.enabled && breaker.rollback);
        let then =
            if back { format!("ECS goes back to {} at {threshold}", landing.replaces()) } else { format!("ECS gives up at {threshold}") };
        landing.evidence.insert(0, format!("{failures} of {threshold} failures: {then}"));
    }
}
