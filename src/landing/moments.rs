//! What happened while a release was on its way, in one list: what the scheduler said, tasks that ended, steps, what was seen to change.

use super::track::Observed;
use super::{Followed, Seen, side};
use crate::model::{Arn, CodeDeployment, ServiceDeployment, Str, Time};
use crate::verdict::{self, Health};

/// Moments that are kept; a service that cannot place a task says so for ever.
const KEPT: usize = 200;

/// Seconds before the start that still belong to it: the clocks of AWS's services disagree a little.
const EARLY_SECONDS: i64 = 5;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The scheduler said something.
    Event,
    /// A task ended.
    Stop,
    /// The deployment itself: its start, its stages, its end.
    Deployment,
    /// A task or its target was seen to change.
    Task,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// What kind.
    pub what: What,
    /// How bad.
    pub health: Health,
    /// What.
    pub text: Str,
    /// The task that it is about.
    pub task: Option<Arn>,
}

impl Moment {
    pub(super) fn new(at: Time, what: What, health: Health, text: impl Into<Str>) -> Moment {
        Moment { at, what, health, text: text.into(), task: None }
    }
}

pub(super) fn of(
    seen: &Seen,
    followed: &Followed,
    record: Option<&ServiceDeployment>,
    code: Option<&CodeDeployment>,
    observed: &Observed,
) -> Vec<Moment> {
    let since = followed.began.map_or(i64::MIN, |at| at.as_second() - EARLY_SECONDS);
    let mut out: Vec<Moment> = observed.moments().to_vec();
    let revision = followed.revision.as_ref().map_or("?", Arn::name);
    let before = followed.before.as_ref().map_or(String::new(), |before| format!("{} → ", before.name()));
    out.extend(followed.began.map(|at| Moment::new(at, What::Deployment, Health::Roll, format!("deployment began: {before}{revision}"))));
    // AWS tells events newest first, and everything else here is told in its order.
    let mut events: Vec<Moment> = events(seen).collect();
    events.reverse();
    out.append(&mut events);
    out.extend(stops(seen, followed));
    if let Some(record) = record {
        of_record(record, &mut out);
    }
    if let Some(code) = code {
        of_code(code, &mut out);
    }
    out.retain(|moment| moment.at.as_second() >= since);
    // Of one second what came last stands first as well.
    out.reverse();
    out.sort_by_key(|moment| std::cmp::Reverse(moment.at));
    out.truncate(KEPT);
    out
}

fn events<'a>(seen: &'a Seen) -> impl Iterator<Item = Moment> + use<'a> {
    seen.service.events.iter().filter_map(|event| {
        let text = verdict::brief(&event.message);
        Some(Moment::new(event.at?, What::Event, verdict::event(&event.message).health(), text))
    })
}

/// Tasks that ended; those of the release that failed are counted as they come, the first one first.
fn stops(seen: &Seen, followed: &Followed) -> Vec<Moment> {
    let mut ended: Vec<_> = seen.tasks.unwrap_or_default().iter().filter(|task| task.stopped()).collect();
    ended.sort_by_key(|task| task.stopped_at);
    let moment = |task: &std::sync::Arc<crate::model::Task>| {
        let id = task.arn.name();
        let fresh = side::is_new(task, followed);
        let normal = verdict::stopped_normally(task);
        let health = if normal { Health::Idle } else { Health::Fail };
        let side = if fresh { "new" } else { "old" };
        let text = format!("{side} task {} ended: {}", id.get(..8).unwrap_or(id), verdict::brief(&verdict::stop_sentence(task)));
        Some(Moment { task: Some(task.arn.clone()), ..Moment::new(task.stopped_at?, What::Stop, health, text) })
    };
    ended.into_iter().filter_map(moment).collect()
}

fn of_record(record: &ServiceDeployment, out: &mut Vec<Moment>) {
    let mut put = |at: Option<Time>, health, text: String| out.extend(at.map(|at| Moment::new(at, What::Deployment, health, text)));
    if let Some(rollback) = &record.rollback {
        let why = rollback.reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
        put(rollback.started_at, Health::Fail, format!("rollback began{why}"));
    }
    let health = match &*record.status {
        "SUCCESSFUL" => Health::Ok,
        "STOPPED" => Health::Warn,
        _ => Health::Fail,
    };
    put(record.finished_at.or(record.stopped_at), health, format!("deployment ended: {}", record.status));
}

fn of_code(code: &CodeDeployment, out: &mut Vec<Moment>) {
    for event in &code.events {
        let told = event.message.as_deref().map_or(String::new(), |message| format!(": {message}"));
        let health = if &*event.status == "Failed" { Health::Fail } else { Health::Roll };
        out.extend(event.started_at.map(|at| Moment::new(at, What::Deployment, Health::Roll, format!("{} began", event.name))));
        let ended = |at| Moment::new(at, What::Deployment, health, format!("{} {}{told}", event.name, event.status));
        out.extend(event.ended_at.map(ended));
    }
    let health = if &*code.status == "Succeeded" { Health::Ok } else { Health::Fail };
    let told = code.error.as_deref().map_or(String::new(), |error| format!(": {error}"));
    out.extend(code.completed_at.map(|at| Moment::new(at, What::Deployment, health, format!("CodeDeploy says {}{told}", code.status))));
}
