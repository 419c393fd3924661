//! Where a release is that shifts traffic: its stage, the hooks that it waits for, and how long it bakes.

use super::Seen;
use super::track::Observed;
use crate::model::{CodeDeployment, LifecycleHook, ServiceDeployment, Str, Time};

/// Stage, hooks and bake.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// `SCALE_UP`, `BAKE_TIME`; a lifecycle event of `CodeDeploy`, as `AllowTraffic`.
    pub name: Option<Str>,
    /// `CodeDeploy`'s events with their status, in their order.
    pub events: Vec<(Str, Str)>,
    /// Hooks that are under way or wait for somebody.
    pub hooks: Vec<LifecycleHook>,
    /// What it waits for by the clock.
    pub bake: Option<Bake>,
    /// Why part of it is not known, in AWS's words.
    pub missing: Option<Str>,
}

/// A wait that ends by the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Bake {
    /// What happens then.
    pub then: String,
    /// When; nothing where AWS does not tell when it began.
    pub until: Option<Time>,
    /// Minutes that it takes in all.
    pub minutes: u32,
}

impl Stage {
    /// The hook that waits for an answer.
    #[must_use]
    pub fn waits(&self) -> Option<&LifecycleHook> {
        self.hooks.iter().find(|hook| &*hook.status == "AWAITING_ACTION")
    }

    /// Whether standing still is what it is meant to do.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.bake.is_some() || !self.hooks.is_empty()
    }
}

pub(super) fn of(seen: &Seen, record: Option<&ServiceDeployment>, code: Option<&CodeDeployment>, observed: &Observed) -> Stage {
    match (code, record) {
        (Some(code), _) => of_code(code, seen.now),
        (None, Some(record)) if shifts(seen) => of_record(record, observed),
        _ => Stage::default(),
    }
}

/// A rolling deployment has a stage too, which says nothing.
fn shifts(seen: &Seen) -> bool {
    seen.service.strategy.as_deref().is_some_and(|strategy| strategy != "ROLLING")
}

fn of_record(record: &ServiceDeployment, observed: &Observed) -> Stage {
    let name = record.lifecycle_stage.clone().filter(|_| record.finished_at.is_none());
    let bakes = name.as_deref() == Some("BAKE_TIME");
    let minutes = record.bake_minutes.unwrap_or(0);
    // AWS tells when the record changed last, which is when the stage began unless a hook has answered since.
    let since = name.as_ref().and_then(|name| observed.stage_since(name)).or(record.updated_at);
    let bake = (bakes && minutes > 0).then(|| Bake {
        then: "the old tasks end".to_owned(),
        until: since.and_then(|since| since.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok()),
        minutes,
    });
    let open = |hook: &&LifecycleHook| matches!(&*hook.status, "AWAITING_ACTION" | "IN_PROGRESS");
    let hooks = record.hooks.iter().filter(|_| record.finished_at.is_none()).filter(open).cloned().collect();
    Stage { name, events: Vec::new(), hooks, bake, missing: None }
}

fn of_code(code: &CodeDeployment, now: Time) -> Stage {
    let events = code.events.iter().map(|event| (event.name.clone(), event.status.clone())).collect();
    let name = code.current_event().filter(|_| !code.over()).map(|event| event.name.clone());
    Stage { name, events, hooks: Vec::new(), bake: bake_of(code, now), missing: code.target_missing.clone() }
}

fn bake_of(code: &CodeDeployment, now: Time) -> Option<Bake> {
    if code.over() {
        return None;
    }
    let event = |name: &str| code.events.iter().find(|event| &*event.name == name);
    let minutes = |at: Option<Time>, minutes: u32| at?.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok();
    if let Some(shifting) = event("AllowTraffic").filter(|event| &*event.status == "InProgress") {
        let shift = code.shift?;
        if !shift.linear {
            let then = "all traffic moves".to_owned();
            return Some(Bake { then, until: code.bakes_until(), minutes: shift.minutes });
        }
        let passed = shifting.started_at.map_or(0, |at| (now.as_second() - at.as_second()).max(0) / 60);
        let steps = u32::try_from(passed).unwrap_or(0).checked_div(shift.minutes)? + 1;
        let then = format!("{}% more moves", shift.percent);
        return Some(Bake { then, until: minutes(shifting.started_at, steps * shift.minutes), minutes: shift.minutes });
    }
    // All events are done, and the old tasks are kept for a while so that one can go back at once.
    let last = code.events.last().filter(|event| &*event.status == "Succeeded")?;
    let stay = code.waits.0.filter(|minutes| *minutes > 0)?;
    Some(Bake { then: "the old tasks end".to_owned(), until: minutes(last.ended_at, stay), minutes: stay })
}
