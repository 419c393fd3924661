//! How long it takes: so far, by this service's own past, and since it last got on.

use super::track::Observed;
use super::{Followed, Seen, Side, Stage, Standing};
use crate::model::{CodeDeployment, Release, ServiceDeployment, TargetState, TaskStatus, Time};
use crate::verdict;
use std::sync::Arc;

/// Seconds without progress after which a release is stuck. A task of Fargate takes up to two minutes to start, and target groups
/// up to two and a half to call it healthy by their defaults.
const STUCK_SECONDS: i64 = 300;

/// Past deployments that the estimate rests on at most: what was long ago says little.
const PAST: usize = 20;

/// Elapsed, past, estimate, standstill.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Seconds since it began, to its end or to now.
    pub elapsed: Option<i64>,
    /// Seconds that it took, once it is over.
    pub took: Option<i64>,
    /// This service's own past deployments that succeeded; nothing where AWS knows of none.
    pub past: Option<Past>,
    /// Seconds that are left by that past.
    pub left: Option<i64>,
    /// Seconds since it last got on, where it should.
    pub still: Option<i64>,
}

/// How long the deployments before took that succeeded, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Half of them were quicker.
    pub p50: i64,
    /// Nineteen of twenty were quicker.
    pub p95: i64,
    /// How many.
    pub count: usize,
}

impl Pace {
    /// Seconds without progress, when they are too many.
    #[must_use]
    pub fn stuck(&self) -> Option<i64> {
        self.still.filter(|still| *still >= STUCK_SECONDS)
    }
}

pub(super) fn of(
    seen: &Seen,
    followed: &Followed,
    record: Option<&ServiceDeployment>,
    code: Option<&CodeDeployment>,
    standing: &Standing,
    (new, old, stage): (&Side, &Side, &Stage),
    observed: &Observed,
) -> Pace {
    let over = matches!(standing, Standing::Over(_));
    let ended = code.and_then(|code| code.completed_at).or(record.and_then(|record| record.finished_at.or(record.stopped_at)));
    let ended = ended.or(observed.ended_at());
    let until = if over { ended } else { Some(seen.now) };
    let seconds = |from: Option<Time>, to: Option<Time>| from.zip(to).map(|(from, to)| (to.as_second() - from.as_second()).max(0));
    // AWS's clock is known to the second only: what was told is never taken back. What it took in the end AWS dates itself.
    let elapsed = seconds(followed.began, until).map(|elapsed| if over { elapsed } else { elapsed.max(observed.elapsed()) });
    let past = match code {
        Some(code) => usual(of_code_deploy((seen.releases)(&code.application, &code.group), code)),
        None => usual(of_ecs(seen.records.unwrap_or_default(), record)),
    };
    let moved = [progress(seen, followed, code), observed.progress_at()].into_iter().flatten().max();
    let still = seconds(moved, Some(seen.now)).filter(|_| !over && !stage.rests() && !drains(seen, new, old));
    let on_its_way = matches!(standing, Standing::UnderWay) && still.is_none_or(|still| still < STUCK_SECONDS);
    let left = past.zip(elapsed).filter(|_| on_its_way).and_then(|(past, elapsed)| {
        // Beyond the usual the slowest ones are what is left to hope for; beyond those nothing is.
        [past.p50, past.p95].into_iter().find(|usual| *usual > elapsed).map(|usual| usual - elapsed)
    });
    Pace { elapsed, took: elapsed.filter(|_| over), past, left, still }
}

/// The newest sign that it got on: a new task that runs and stays, an old one that ended, a step of `CodeDeploy`.
fn progress(seen: &Seen, followed: &Followed, code: Option<&CodeDeployment>) -> Option<Time> {
    let tasks = seen.tasks.unwrap_or_default().iter();
    let of_task = |task: &crate::model::Task| match (super::side::is_new(task, followed), &task.status) {
        (true, status) if *status <= TaskStatus::Running => task.started_at,
        (false, TaskStatus::Stopped) if verdict::stopped_normally(task) => task.stopped_at,
        _ => None,
    };
    let steps = code.into_iter().flat_map(|code| &code.events).flat_map(|event| [event.started_at, event.ended_at]);
    tasks.filter_map(|task| of_task(task)).chain(steps.flatten()).chain(followed.began).max()
}

/// Targets that drain keep it for as long as their group says, five minutes by default.
fn drains(seen: &Seen, new: &Side, old: &Side) -> bool {
    let draining = |state: &TargetState| matches!(state, TargetState::Draining | TargetState::UnhealthyDraining);
    let targets = seen.groups.iter().flat_map(|group| group.targets).any(|target| draining(&target.state));
    targets || (old.leaving > 0 && new.healthy >= new.wanted)
}

/// Seconds that ECS's own deployments took which went well, newest first.
fn of_ecs(records: &[Arc<ServiceDeployment>], own: Option<&ServiceDeployment>) -> impl Iterator<Item = i64> {
    let took = |record: &ServiceDeployment| {
        let ends = record.started_at.or(record.created_at).zip(record.finished_at).filter(|_| &*record.status == "SUCCESSFUL");
        ends.map(|(from, to)| to.as_second() - from.as_second())
    };
    records.iter().filter(move |record| own.is_none_or(|own| own.arn != record.arn)).filter_map(move |record| took(record))
}

/// The same of a group of `CodeDeploy`, whose deployments end when the old tasks have gone.
fn of_code_deploy(releases: &[Release], own: &CodeDeployment) -> impl Iterator<Item = i64> {
    let others = releases.iter().filter(|release| release.id != own.id && &*release.status == "Succeeded");
    others.filter_map(|release| Some(release.completed_at?.as_second() - release.created_at?.as_second()))
}

fn usual(took: impl Iterator<Item = i64>) -> Option<Past> {
    let mut took: Vec<i64> = took.take(PAST).collect();
    took.sort_unstable();
    let rank = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(Past { p50: rank(50)?, p95: rank(95)?, count: took.len() })
}
