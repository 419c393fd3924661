//! What is asked for so that a verdict can say why: of services with trouble alone, and of a few at a time.
//!
//! The judge never asks. Whoever shows verdicts wants these feeds, and the next verdict has what they brought.

use crate::feed::{Feed, Wanted};
use crate::logs::{Whereabouts, whereabouts};
use crate::model::{LogScope, LogSources, Service, Task};
use crate::verdict::cause::Cause;
use crate::verdict::{self, Judged};
use crate::view::Cx;
use std::sync::Arc;

/// Services with trouble of which more than tasks is asked for, worst first.
pub(in crate::panes) const TROUBLED: usize = 8;

/// Dead containers whose last lines are read at once. The store keeps four tails, and one may be on screen.
pub(in crate::panes) const TAILS: usize = 2;

/// Seconds before its end from which a dead container's lines are read.
const LAST_SECONDS: i64 = 600;

/// When what completes an explanation is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::panes) enum Hurry {
    /// The operator looks at this service.
    Now,
    /// It is one of many: its first line stands without it.
    CanWait,
}

/// Wants what explains a service. `tails` is how many logs may still be read.
pub(in crate::panes) fn want(row: &Judged, cx: &Cx, tails: &mut usize, hurry: Hurry, out: &mut Vec<Wanted>) {
    let (ctx, service) = (row.ctx, &row.service);
    let mut completes = |feed: Feed| {
        out.push(match hurry {
            Hurry::Now => Wanted::Poll { feed, focus: false },
            Hurry::CanWait => Wanted::Trickle { feed },
        });
    };
    if releases(service) {
        completes(Feed::ServiceDeployments(ctx, service.arn.clone()));
    }
    if let Some(id) = service.task_sets.iter().filter(|set| &*set.status == "ACTIVE").find_map(|set| set.external_id.as_ref()) {
        completes(Feed::CodeDeployment(ctx, service.arn.clone(), id.clone()));
    }
    if matches!(row.verdict.cause, Some(Cause::PlacementMemory | Cause::PlacementCpu | Cause::PlacementPort | Cause::PlacementAgent)) {
        completes(Feed::Instances(ctx, row.cluster.clone()));
        completes(Feed::TaskDefinition(ctx, service.task_definition.clone()));
    }
    let tasks = cx.store.tasks_of(ctx, &row.cluster, &service.name);
    let Some(dead) = verdict::newest_failure(tasks).filter(|_| row.verdict.health.troubled()) else { return };
    // A definition never changes: it is asked for once.
    out.push(Wanted::Poll { feed: Feed::TaskDefinition(ctx, dead.task_definition.clone()), focus: false });
    if *tails > 0
        && matches!(row.verdict.cause, Some(Cause::AppExit | Cause::Segfault))
        && let Some(logs) = last_lines(row, dead, cx)
    {
        *tails -= 1;
        out.push(logs);
    }
}

/// Whether ECS deploys it now, or told lately that it failed to: then its service deployment has the breaker's count.
fn releases(service: &Service) -> bool {
    let moving = service.deployments.len() > 1 || service.deployments.iter().any(|d| d.rollout_state.as_deref() != Some("COMPLETED"));
    &*service.controller == "ECS" && moving
}

/// The tail of the container that ended a task.
fn last_lines(row: &Judged, task: &Arc<Task>, cx: &Cx) -> Option<Wanted> {
    let definition = cx.store.definition(row.ctx, &task.task_definition)?;
    let container = verdict::culprit(task, Some(definition))?;
    let scope = LogScope::Container(task.arn.clone(), container.name.clone());
    let stream = whereabouts(task, definition, &scope).into_iter().find_map(|place| match place {
        Whereabouts::Stream(stream) => Some(stream),
        Whereabouts::NotYet(_) | Whereabouts::Elsewhere(_) => None,
    })?;
    let ended = task.stopped_at.or(task.stopping_at)?;
    let since = ended.checked_sub(jiff::SignedDuration::from_secs(LAST_SECONDS)).ok()?;
    let sources = LogSources { ctx: row.ctx, streams: vec![stream], since, live: false, glance: true };
    Some(Wanted::Logs { feed: Feed::Logs(row.ctx, scope), sources: Arc::new(sources) })
}
