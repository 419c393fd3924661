//! One side of a release: what it wants, what it has, and each of its tasks with its steps.

use super::track::Observed;
use super::{Followed, Seen};
use crate::duration;
use crate::model::{Arn, CodeDeployment, ServiceDeployment, Str, Target, TargetState, Task, TaskStatus, Time};
use crate::verdict::{self, Health};

/// The new side or the old one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// Task definition; of several on the old side, that of most tasks.
    pub revision: Option<Arn>,
    /// Tasks wanted.
    pub wanted: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks that run and get traffic, or that run where nothing checks them.
    pub healthy: u32,
    /// Tasks that run and fail a check.
    pub unhealthy: u32,
    /// Tasks on their way, those included whose target is not checked yet.
    pub starting: u32,
    /// Tasks on their way out.
    pub leaving: u32,
    /// Tasks that ended and were not meant to.
    pub failed: u32,
    /// Percent of the production traffic, where it is shifted.
    pub weight: Option<f64>,
    /// Percent of the test traffic.
    pub test_weight: Option<f64>,
    /// Targets that are healthy, and all, of its tasks.
    pub targets: Option<(u32, u32)>,
    /// Its tasks: trouble first, then by age.
    pub tasks: Vec<Line>,
}

/// A task in a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which.
    pub arn: Arn,
    /// What it went through.
    pub steps: Vec<Step>,
    /// Where it is now, or what it died of.
    pub now: String,
    /// How it is.
    pub health: Health,
    /// Whether it is over.
    pub over: bool,
}

/// A step of a task with the seconds that it took, or has lasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `PEND`, `RUN`, `LB healthy` …
    pub word: &'static str,
    /// Seconds, where they are known.
    pub seconds: Option<i64>,
}

impl Side {
    /// `2/6 healthy · 1 unhealthy · 1 starting · 3 failed`.
    #[must_use]
    pub fn counts(&self) -> String {
        // None of none is nothing to count.
        let none = self.wanted == 0 && self.healthy == 0;
        let mut parts = vec![if none { "0 tasks desired".to_owned() } else { format!("{}/{} healthy", self.healthy, self.wanted) }];
        let more = [(self.unhealthy, "unhealthy"), (self.starting, "starting"), (self.leaving, "leaving"), (self.failed, "failed")];
        parts.extend(more.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
        parts.join(" · ")
    }

    /// Tasks that are still there.
    #[must_use]
    pub fn left(&self) -> u32 {
        (self.healthy + self.unhealthy + self.starting + self.leaving).max(self.running)
    }
}

impl Line {
    /// `PROV 8s▸PEND 21s▸RUN 52s▸STOP`.
    #[must_use]
    pub fn way(&self) -> String {
        let step = |step: &Step| match step.seconds {
            Some(seconds) => format!("{} {}", step.word, duration::short(seconds)),
            None => step.word.to_owned(),
        };
        self.steps.iter().map(step).collect::<Vec<_>>().join("▸")
    }

    /// Enough of its id to be told from others.
    #[must_use]
    pub fn short(&self) -> &str {
        let id = self.arn.name();
        id.get(..8).unwrap_or(id)
    }
}

/// Both sides.
pub(super) fn sides(
    seen: &Seen,
    followed: &Followed,
    record: Option<&ServiceDeployment>,
    code: Option<&CodeDeployment>,
    observed: &Observed,
) -> (Side, Side) {
    let (mut new, mut old) = (Side::default(), Side::default());
    counted(seen, followed, record, &mut new, &mut old);
    for task in seen.tasks.unwrap_or_default() {
        let fresh = is_new(task, followed);
        // What ended before the release is no part of it; clocks of AWS may disagree by a moment.
        let ended = task.stopped_at.or(task.stopping_at);
        if task.stopped() && !fresh && ended < followed.began {
            continue;
        }
        (if fresh { &mut new } else { &mut old }).add(task, seen, observed);
    }
    if seen.tasks.is_none() {
        (new.healthy, old.healthy) = (new.running, old.running);
    }
    new.revision.clone_from(&followed.revision);
    old.revision.clone_from(&followed.before);
    weigh(seen, followed, record, code, &mut new, &mut old);
    for side in [&mut new, &mut old] {
        side.tasks.sort_by(|a, b| (a.over, a.health, &a.arn).cmp(&(b.over, b.health, &b.arn)));
    }
    (new, old)
}

/// Whether a task is of the release.
pub(super) fn is_new(task: &Task, followed: &Followed) -> bool {
    if let Some(set) = &followed.set {
        return task.started_by.as_ref() == Some(set);
    }
    // Of a release that has left the service's list only the revision and the start are known.
    let early = |began: Time| task.created_at.is_some_and(|at| at.as_second() + 5 < began.as_second());
    Some(&task.task_definition) == followed.revision.as_ref() && !followed.began.is_some_and(early)
}

/// What AWS counts by itself: known where the tasks are not.
fn counted(seen: &Seen, followed: &Followed, record: Option<&ServiceDeployment>, new: &mut Side, old: &mut Side) {
    let service = seen.service;
    if let Some(entry) = followed.entry_in(seen) {
        (new.wanted, new.running, new.failed) = (entry.desired, entry.running, entry.failed);
    } else if let Some(set) = followed.set_in(seen) {
        (new.wanted, new.running) = (set.desired, set.running);
    } else if let Some(target) = record.and_then(|record| record.target.as_ref()) {
        (new.wanted, new.running) = (target.requested, target.running);
    }
    let is_new = |id: &Str| followed.set.as_ref() == Some(id);
    for entry in service.deployments.iter().filter(|entry| !is_new(&entry.id)) {
        old.wanted += entry.desired;
        old.running += entry.running;
    }
    for set in service.task_sets.iter().filter(|set| !is_new(&set.id)) {
        old.wanted += set.desired;
        old.running += set.running;
    }
    // ECS takes its wish back while it waits before the next try.
    new.wanted =
        if old.wanted == 0 && record.is_none_or(|record| record.rollback.is_none()) { new.wanted.max(service.desired) } else { new.wanted };
    if seen.tasks.is_some() {
        new.failed = 0;
    }
}

fn weigh(
    seen: &Seen,
    followed: &Followed,
    record: Option<&ServiceDeployment>,
    code: Option<&CodeDeployment>,
    new: &mut Side,
    old: &mut Side,
) {
    if let Some(code) = code {
        new.weight = followed.set.as_ref().and_then(|set| code.weight(set)).or_else(|| label(code, "Green"));
        let others = seen.service.task_sets.iter().filter(|set| Some(&set.id) != followed.set.as_ref());
        old.weight = others.filter_map(|set| code.weight(&set.id)).reduce(|a, b| a + b).or_else(|| label(code, "Blue"));
    } else if let Some(record) = record.filter(|_| seen.service.strategy.as_deref().is_some_and(|strategy| strategy != "ROLLING")) {
        let target = record.target.as_ref();
        (new.weight, new.test_weight) = (target.and_then(|t| t.production_weight), target.and_then(|t| t.test_weight));
        old.weight = record.sources.iter().filter_map(|source| source.production_weight).reduce(|a, b| a + b);
    }
}

fn label(code: &CodeDeployment, label: &str) -> Option<f64> {
    code.task_sets.iter().find(|share| share.label.as_deref() == Some(label)).map(|share| share.weight)
}

impl Side {
    fn add(&mut self, task: &Task, seen: &Seen, observed: &Observed) {
        let target = target_of(task, seen);
        let failed = task.stopped() && !verdict::stopped_normally(task);
        let checked = !seen.groups.is_empty();
        match &task.status {
            TaskStatus::Stopped => self.failed += u32::from(failed),
            TaskStatus::Deactivating | TaskStatus::Stopping | TaskStatus::Deprovisioning => self.leaving += 1,
            TaskStatus::Running if &*task.health == "UNHEALTHY" => self.unhealthy += 1,
            TaskStatus::Running => match target.map(|target| &target.state) {
                Some(TargetState::Unhealthy) => self.unhealthy += 1,
                Some(TargetState::Draining | TargetState::UnhealthyDraining) => self.leaving += 1,
                Some(TargetState::Initial) => self.starting += 1,
                None if checked && &*task.desired == "STOPPED" => self.leaving += 1,
                // Not registered yet.
                None if checked => self.starting += 1,
                _ => self.healthy += 1,
            },
            _ => self.starting += 1,
        }
        if let Some(target) = target.filter(|_| !task.stopped()) {
            let (healthy, all) = self.targets.unwrap_or_default();
            self.targets = Some((healthy + u32::from(target.state == TargetState::Healthy), all + 1));
        }
        self.tasks.push(line(task, target, seen, observed));
    }
}

/// The target that a task is, the one in trouble first.
pub(super) fn target_of<'a>(task: &Task, seen: &Seen<'a>) -> Option<&'a Target> {
    let all = seen.groups.iter().flat_map(|group| group.targets);
    let own = all.filter(|target| verdict::is_behind(task, target, seen.instances));
    own.min_by_key(|target| match target.state {
        TargetState::Unhealthy => 0,
        TargetState::Initial => 1,
        TargetState::Healthy => 2,
        _ => 3,
    })
}

fn line(task: &Task, target: Option<&Target>, seen: &Seen, observed: &Observed) -> Line {
    let failed = (task.stopped() || task.stop_code.is_some()) && !verdict::stopped_normally(task);
    let grace = verdict::excused_until(seen.service, Some(task), seen.now);
    let own = verdict::task(task, seen.now);
    let judged = target.filter(|_| task.status == TaskStatus::Running).map(|target| verdict::target(target, grace));
    let health = match &judged {
        Some(judged) if judged.health != Health::Ok => own.health.min(judged.health),
        _ => own.health,
    };
    let now = match (&task.status, target) {
        _ if failed => died(task),
        (TaskStatus::Running, Some(target)) => match (&target.state, grace) {
            (TargetState::Unhealthy, Some(_)) => "unhealthy, in grace".to_owned(),
            (TargetState::Unhealthy, None) => target.reason.as_deref().unwrap_or("unhealthy").trim_start_matches("Target.").to_owned(),
            (state, _) => state.as_str().to_owned(),
        },
        (TaskStatus::Running, None) => own.why.clone(),
        (TaskStatus::Stopped, _) => "stopped".to_owned(),
        (TaskStatus::Deactivating, Some(target)) => format!("DEACTIVATING, {}", target.state.as_str()),
        (status, _) => status.as_str().to_owned(),
    };
    Line { arn: task.arn.clone(), steps: steps(task, target, seen.now, observed), now, health, over: task.stopped() }
}

/// What killed it, as short as a column is: `OutOfMemory 137`, `exit 1`, a stop code.
fn died(task: &Task) -> String {
    let culprit = verdict::culprit(task, None);
    let memory = culprit.and_then(|c| c.reason.as_deref()).is_some_and(|reason| reason.contains("OutOfMemory"));
    match culprit.and_then(|c| c.exit_code) {
        Some(code) if memory => format!("OutOfMemory {code}"),
        Some(code) if code != 0 && !matches!(code, 137 | 143) => format!("exit {code}"),
        _ => match task.stopped_reason.as_deref().unwrap_or("") {
            "" => verdict::stop_sentence(task),
            // The rest is the target group's ARN, and stands in the timeline.
            told => told.split(" in (").next().unwrap_or(told).to_owned(),
        },
    }
}

fn short(status: &TaskStatus) -> &'static str {
    match status {
        TaskStatus::Provisioning => "PROV",
        TaskStatus::Pending => "PEND",
        TaskStatus::Activating => "ACTI",
        TaskStatus::Running => "RUN",
        TaskStatus::Deactivating => "DRAIN",
        TaskStatus::Stopping => "STOPPING",
        TaskStatus::Deprovisioning => "DEPROV",
        TaskStatus::Stopped => "STOP",
        TaskStatus::Other(_) => "?",
    }
}

/// The steps of a task. AWS tells creation, start and end; what lies between is known only of tasks that were watched.
fn steps(task: &Task, target: Option<&Target>, now: Time, observed: &Observed) -> Vec<Step> {
    let between = |from: Option<Time>, to: Option<Time>| from.zip(to).map(|(from, to)| (to.as_second() - from.as_second()).max(0));
    let mut steps = Vec::new();
    let early = observed.steps_of(&task.arn).iter().filter(|(status, _)| *status < TaskStatus::Running);
    let early: Vec<(&TaskStatus, Time)> = early.map(|(status, at)| (status, *at)).collect();
    let started = task.started_at;
    let ended = task.stopping_at.or(task.stopped_at);
    for (n, (status, at)) in early.iter().enumerate() {
        let from = if n == 0 { task.created_at.or(Some(*at)) } else { Some(*at) };
        let to = early.get(n + 1).map(|(_, at)| *at).or(started).or(ended);
        steps.push(Step { word: short(status), seconds: between(from, to.or(Some(now))) });
    }
    if early.is_empty() {
        match started {
            Some(_) => steps.push(Step { word: "START", seconds: between(task.created_at, started) }),
            None if task.stopped() => steps.push(Step { word: "never ran", seconds: between(task.created_at, ended) }),
            None => steps.push(Step { word: short(&task.status), seconds: between(task.created_at, ended.or(Some(now))) }),
        }
    }
    if started.is_some() {
        steps.push(Step { word: "RUN", seconds: between(started, ended.or(Some(now))) });
    }
    if let Some(target) = target.filter(|_| !task.stopped()) {
        let word = match target.state {
            TargetState::Initial => "LB initial",
            TargetState::Healthy => "LB healthy",
            TargetState::Unhealthy => "LB unhealthy",
            TargetState::Draining | TargetState::UnhealthyDraining => "LB draining",
            _ => "LB",
        };
        let since = observed.health_since(&task.arn, &target.state);
        let seconds = match target.state {
            // How long it took, not for how long it has been so.
            TargetState::Healthy => between(started, since),
            _ => between(since, Some(now)),
        };
        steps.push(Step { word, seconds });
    }
    if task.status > TaskStatus::Running && started.is_some() {
        steps.push(Step { word: short(&task.status), seconds: between(task.stopping_at, task.stopped_at.or(Some(now))) });
    } else if task.stopped() {
        steps.push(Step { word: "STOP", seconds: None });
    }
    steps
}
