//! What a service is judged from: plain values that the store holds, and the questions that several rules put to them.
//!
//! A rule asks here and nowhere else. What is not known is empty, and a rule that needs it stays silent.

use super::cause::Memo;
use super::stops::{self, Stops};
use super::{EventKind, event, stopped_normally};
use crate::model::{
    Arn, CodeDeployment, ContainerInstance, Deployment, Service, ServiceDeployment, ServiceEvent, Target, TargetState, Task,
    TaskDefinition, TaskSet, Time,
};
use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::Arc;

/// Longest grace period that excuses an unhealthy target, in seconds. A longer one only keeps ECS from replacing it; no program takes so
/// long to start.
const GRACE_EXCUSES_SECONDS: i64 = 600;

/// Seconds by which two clocks of AWS may disagree and still be believed.
const CLOCKS_DISAGREE_SECONDS: i64 = 60;

/// A target group of a service with its targets.
#[derive(Clone, Copy)]
pub struct Group<'a> {
    /// Which.
    pub arn: &'a Arn,
    /// Its targets, as far as they are known.
    pub targets: &'a [Target],
}

/// Everything that is known of a service.
pub struct Known<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its tasks, running and stopped.
    pub tasks: &'a [Arc<Task>],
    /// Its target groups whose targets are known, those of its task sets included.
    pub groups: &'a [Group<'a>],
    /// Instances of its cluster; empty where there are none, or they are not known.
    pub instances: &'a [Arc<ContainerInstance>],
    /// Its service deployments, newest first.
    pub deployments: &'a [Arc<ServiceDeployment>],
    /// What CodeDeploy does to it, where CodeDeploy does.
    pub code: Option<&'a CodeDeployment>,
    /// Task definitions that are known.
    pub definition: &'a dyn Fn(&Arn) -> Option<&'a TaskDefinition>,
    /// The last lines that a task's container wrote, oldest first.
    pub lines: &'a dyn Fn(&Task, &str) -> Vec<&'a str>,
    /// Explanations made before.
    pub memo: &'a Memo,
    /// The time.
    pub now: Time,
}

/// What is known, with what several rules work out of it.
pub(super) struct Facts<'a> {
    known: &'a Known<'a>,
    failures: OnceCell<Vec<&'a Task>>,
    stops: OnceCell<Vec<Stops<'a>>>,
    telling: OnceCell<Option<(&'a ServiceEvent, EventKind)>>,
}

impl<'a> Deref for Facts<'a> {
    type Target = Known<'a>;

    fn deref(&self) -> &Known<'a> {
        self.known
    }
}

impl<'a> Facts<'a> {
    pub(super) fn of(known: &'a Known<'a>) -> Self {
        Facts { known, failures: OnceCell::new(), stops: OnceCell::new(), telling: OnceCell::new() }
    }

    /// The deployment that the service is to end up with.
    pub(super) fn primary(&self) -> Option<&'a Deployment> {
        self.service.deployments.iter().find(|d| &*d.status == "PRIMARY").or(self.service.deployments.first())
    }

    /// A deployment that failed while another took its place.
    pub(super) fn failed_beside(&self) -> Option<&'a Deployment> {
        let primary = self.primary()?;
        self.service.deployments.iter().find(|d| d.id != primary.id && d.rollout_state.as_deref() == Some("FAILED"))
    }

    /// The newest release: what failed while the service goes back, else what it goes to.
    pub(super) fn release(&self) -> Option<&'a Deployment> {
        self.failed_beside().or_else(|| self.primary())
    }

    /// When the newest release began, whichever controller brought it.
    pub(super) fn release_began(&self) -> Option<Time> {
        self.release().and_then(|d| d.created_at).or_else(|| self.service.task_sets.iter().filter_map(|set| set.created_at).max())
    }

    /// The replacement beside the task set that serves, of a service that ECS does not deploy itself.
    pub(super) fn replacement(&self) -> Option<&'a TaskSet> {
        self.service.task_sets.iter().filter(|set| &*set.status == "ACTIVE").max_by_key(|set| set.created_at)
    }

    /// Seconds since a moment; negative for one that a clock puts into the future.
    pub(super) fn age(&self, at: Option<Time>) -> Option<i64> {
        at.map(|at| self.now.as_second() - at.as_second())
    }

    /// Whether a moment lies within so many seconds, clocks that disagree included.
    pub(super) fn within(&self, at: Option<Time>, seconds: i64) -> bool {
        self.age(at).is_some_and(|age| age < seconds)
    }

    /// The service deployment that runs now, else the newest one.
    pub(super) fn current(&self) -> Option<&'a ServiceDeployment> {
        let named = self.service.current_deployment.as_ref();
        self.deployments.iter().find(|d| Some(&d.arn) == named).or(self.deployments.first()).map(|d| &**d)
    }

    /// Failures and threshold as the circuit breaker counts them. Read, never computed: AWS changed the formula more than once.
    pub(super) fn breaker(&self) -> Option<(u32, u32)> {
        self.current()?.failures.filter(|(_, threshold)| *threshold > 0)
    }

    /// Ended tasks whose end was not meant, newest first.
    pub(super) fn failures(&self) -> &[&'a Task] {
        self.failures.get_or_init(|| {
            let ended = |t: &Task| t.stopped() || t.stop_code.is_some();
            let mut failed: Vec<&Task> = self.tasks.iter().map(|t| &**t).filter(|t| ended(t) && !stopped_normally(t)).collect();
            failed.sort_by_key(|t| std::cmp::Reverse(ended_at(t)));
            failed
        })
    }

    /// The failures that count for a question, grouped by what they died of; the group with the newest death first.
    pub(super) fn stops(&self, counts: impl Fn(&Task) -> bool) -> Vec<Stops<'a>> {
        let groups = self.stops.get_or_init(|| stops::grouped(self, self.failures()));
        let mut kept: Vec<Stops> = groups.iter().filter_map(|group| group.only(&counts)).collect();
        kept.sort_by_key(|group| std::cmp::Reverse(ended_at(group.newest())));
        kept
    }

    /// Whether a task belongs to a deployment.
    pub(super) fn is_of(task: &Task, deployment: &Deployment) -> bool {
        task.started_by.as_deref() == Some(&*deployment.id)
    }

    /// Whether a target is this task.
    pub(super) fn is_behind(&self, task: &Task, target: &Target) -> bool {
        is_behind(task, target, self.instances)
    }

    fn grace_of(&self, target: &Target) -> Option<Time> {
        let behind = self.tasks.iter().find(|t| !t.stopped() && self.is_behind(t, target));
        excused_until(self.service, behind.map(|t| &**t), self.now)
    }

    /// Unhealthy targets that count, with their groups: past the grace of the task behind them; without a task, at once.
    pub(super) fn unhealthy(&self) -> Vec<(Group<'a>, &'a Target)> {
        let all = self.groups.iter().flat_map(|group| group.targets.iter().map(move |target| (*group, target)));
        all.filter(|(_, target)| target.state == TargetState::Unhealthy && self.grace_of(target).is_none()).collect()
    }

    /// Until when unhealthy targets are excused, while some are.
    pub(super) fn grace_until(&self) -> Option<Time> {
        if self.service.grace_seconds == 0 {
            return None;
        }
        let sick = self.groups.iter().flat_map(|group| group.targets).filter(|target| target.state == TargetState::Unhealthy);
        sick.filter_map(|target| self.grace_of(target)).max()
    }

    /// Targets that take part: an idle side of a pair and what is leaving do not.
    pub(super) fn registered(&self) -> usize {
        let counts = |t: &&Target| matches!(t.state, TargetState::Healthy | TargetState::Unhealthy | TargetState::Initial);
        self.groups.iter().map(|group| group.targets.iter().filter(counts).count()).sum()
    }

    /// The newest event that says more than that tasks move.
    pub(super) fn newest_telling(&self) -> Option<(&'a ServiceEvent, EventKind)> {
        *self.telling.get_or_init(|| {
            let mut told = self.service.events.iter().map(|e| (e, event(&e.message)));
            told.find(|(_, kind)| !matches!(kind, EventKind::Moving | EventKind::Other))
        })
    }

    /// Bad events since the service was last well, newest first.
    pub(super) fn bad_events(&self) -> impl Iterator<Item = (&'a ServiceEvent, EventKind)> {
        let told = self.service.events.iter().map(|e| (e, event(&e.message)));
        told.take_while(|(_, kind)| !matches!(kind, EventKind::Steady | EventKind::Completed)).filter(|(_, kind)| kind.health().troubled())
    }
}

/// Whether a target is this task: by its address in awsvpc, else by its instance and one of its host ports.
#[must_use]
pub fn is_behind(task: &Task, target: &Target, instances: &[Arc<ContainerInstance>]) -> bool {
    if task.ip.as_ref() == Some(&target.id) {
        return true;
    }
    let Some(instance) = &task.instance else { return false };
    let on_it = || instances.iter().any(|i| i.arn == *instance && i.ec2_instance.as_ref() == Some(&target.id));
    task.containers.iter().flat_map(|c| &c.bindings).any(|(_, host)| *host == target.port) && on_it()
}

/// When a task ended, or began to.
pub(super) fn ended_at(task: &Task) -> Option<Time> {
    task.stopped_at.or(task.stopping_at)
}

/// Until when an unhealthy target of this task is no failure, while that lasts.
#[must_use]
pub fn excused_until(service: &Service, task: Option<&Task>, now: Time) -> Option<Time> {
    let seconds = i64::from(service.grace_seconds).min(GRACE_EXCUSES_SECONDS);
    let started = task?.started_at?;
    // A start that lies ahead is a clock's mistake, and no excuse for ever.
    if started.as_second() - now.as_second() > CLOCKS_DISAGREE_SECONDS {
        return None;
    }
    let until = started.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    (until > now).then_some(until)
}
