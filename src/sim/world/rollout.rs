//! Deployments of a service: begun, completed, failed, rolled back. The views
//! `deployments[]`, service deployments and service revisions all read what is
//! kept here, so that they cannot disagree.

use super::STEADY_AGAIN;
use super::queue::Due;
use super::state::{
    BreakerStatus, Controller, Deployment, DeploymentStatus, Estate, Ms, Rollback, Rollout, Service, ServiceDeployment, ServiceRevision,
    Stage, TaskStatus,
};
use crate::sim::scenario::schema::{Threshold, ThresholdKind};

/// Why a rollback begins.
///
/// Of the texts below, those of the breaker, of alarms (the event) and of hooks stand so in logs that people have published; where
/// nothing could be found it is said beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// A lifecycle hook failed, or nobody answered it: its stage, and what became of it.
    Hook(&'static str, String),
    /// The circuit breaker fell.
    Breaker,
    /// `StopServiceDeployment`.
    Request,
    /// An alarm of the deployment went off.
    Alarm,
}

impl Cause {
    /// statusReason of a service deployment that is rolled back.
    fn reason(&self) -> String {
        match self {
            Self::Breaker => "Service deployment rolled back because the circuit breaker threshold was exceeded.".to_owned(),
            // Not seen: the words of this and the next are ours.
            Self::Request => "Service deployment rolled back because of a user request.".to_owned(),
            Self::Alarm => "Service deployment rolled back because an alarm was detected.".to_owned(),
            Self::Hook(stage, what) => format!("Service deployment rolled back because {stage} lifecycle hook(s) failed. {what}"),
        }
    }
}

impl Service {
    /// The revision that the PRIMARY deployment brings.
    #[must_use]
    pub fn current_revision(&self) -> Option<&ServiceRevision> {
        self.deployments.first().and_then(|d| self.revisions.get(d.revision))
    }

    /// The revision of a deployment by its number; a finished deployment is found by its revision.
    #[must_use]
    pub fn revision_of(&self, deployment: u64) -> Option<&ServiceRevision> {
        let listed = self.deployments.iter().find(|d| d.id == deployment);
        let index = listed.map(|d| d.revision);
        let index = index.or_else(|| self.revisions.iter().position(|r| r.id == deployment));
        self.revisions.get(index?)
    }

    /// The service deployment that is under way, if one is.
    #[must_use]
    pub fn under_way(&self) -> Option<&ServiceDeployment> {
        let primary = self.deployments.first()?;
        (primary.rollout == Rollout::InProgress).then(|| self.history.get(primary.history)).flatten()
    }

    /// Failures at which the breaker falls: by default half of the desired tasks, but 3 to 200.
    #[must_use]
    pub fn threshold(&self) -> u32 {
        let Threshold { kind, value } = self.plan.threshold;
        let share = (self.desired * value).div_ceil(100);
        match kind {
            ThresholdKind::Count => value,
            ThresholdKind::BoundedPercent => share.clamp(3, 200),
            ThresholdKind::UnboundedPercent => share.max(1),
        }
    }
}

impl Estate {
    /// Begins the deployment of a revision; its number.
    pub fn deploy(&mut self, service: usize, mut revision: ServiceRevision) -> u64 {
        let now = self.now;
        let id = self.deployment_number();
        if self.shifts(service) {
            revision.load_balancers = self.other_side(service, &revision.load_balancers);
        }
        revision.digests = self.resolve_images(&revision.definition, now);
        revision.id = id;
        revision.created_at = now;
        let history_id = self.service_deployment_id();
        let of = &mut self.services[service];
        let sources: Vec<usize> = of.deployments.iter().map(|d| d.revision).collect();
        of.revisions.push(revision);
        let target = of.revisions.len() - 1;
        if let Some(primary) = of.deployments.first()
            && primary.rollout == Rollout::InProgress
        {
            let superseded = &mut of.history[primary.history];
            superseded.status = DeploymentStatus::Stopped;
            "Service deployment was superseded by a new service deployment.".clone_into(&mut superseded.reason);
            superseded.stopped_at = Some(now);
            superseded.finished_at = Some(now);
            superseded.updated_at = now;
        }
        let breaker = if of.breaker.enable { BreakerStatus::Monitoring } else { BreakerStatus::Disabled };
        let threshold = of.threshold();
        of.history.push(ServiceDeployment {
            id: history_id,
            sources,
            target,
            status: DeploymentStatus::InProgress,
            reason: String::new(),
            created_at: now,
            started_at: now + 60,
            finished_at: None,
            stopped_at: None,
            updated_at: now,
            rollback: None,
            breaker,
            failures: 0,
            threshold,
            alarms_fired: Vec::new(),
            shift: None,
        });
        let history = of.history.len() - 1;
        of.deployments.insert(
            0,
            Deployment {
                id,
                revision: target,
                history,
                rollout: Rollout::InProgress,
                reason: format!("ECS deployment ecs-svc/{id} in progress."),
                failed_tasks: 0,
                backoff: 0,
                not_before: now,
                created_at: now,
                updated_at: now,
                set: None,
            },
        );
        of.steady = false;
        if self.shifts(service) {
            self.begin_shift(service, history);
        }
        let delay = self.rng.between(1_000, 4_000);
        self.wake(service, delay);
        id
    }

    /// Nineteen digits, as AWS numbers deployments.
    pub(super) fn deployment_number(&mut self) -> u64 {
        1_000_000_000_000_000_000 + self.rng.below(8_000_000_000_000_000_000)
    }

    /// 21 characters, as AWS names service deployments.
    pub(super) fn service_deployment_id(&mut self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let mut id = String::new();
        for _ in 0..21 {
            let index = usize::try_from(self.rng.below(64)).unwrap_or(0);
            id.push(char::from(LETTERS[index]));
        }
        id
    }

    /// A task of a deployment failed before it was ever well.
    pub(super) fn count_failure(&mut self, service: usize, deployment: u64, proven: bool) {
        let now = self.now;
        let of = &mut self.services[service];
        let enabled = of.breaker.enable;
        let Some(index) = of.deployments.iter().position(|d| d.id == deployment) else { return };
        let failed = &mut of.deployments[index];
        if proven || failed.rollout == Rollout::Failed {
            return;
        }
        failed.backoff += 1;
        failed.updated_at = now;
        failed.not_before = now + back_off(failed.backoff);
        let slow = failed.backoff >= 5 && failed.backoff.is_multiple_of(5);
        if failed.rollout == Rollout::InProgress {
            failed.failed_tasks += 1;
            let history = &mut of.history[failed.history];
            history.updated_at = now;
            if enabled && history.rollback.is_none() {
                history.failures += 1;
            }
            let reached = failed.failed_tasks >= history.threshold;
            if enabled && reached && index == 0 {
                return self.fail(service, &Cause::Breaker);
            }
        }
        if slow {
            self.event(service, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.");
        }
    }

    /// A task of a deployment came to be well: failures are forgotten.
    pub(super) fn forgive(&mut self, service: usize, deployment: u64) {
        let of = &mut self.services[service];
        let Some(well) = of.deployments.iter_mut().find(|d| d.id == deployment) else { return };
        well.backoff = 0;
        if well.rollout == Rollout::InProgress && of.plan.reset_on_healthy_task {
            well.failed_tasks = 0;
            let history = &mut of.history[well.history];
            if history.rollback.is_none() {
                history.failures = 0;
            }
        }
    }

    /// Fails the PRIMARY deployment and, when it may, rolls back.
    pub(super) fn fail(&mut self, service: usize, cause: &Cause) {
        let now = self.now;
        let of = &mut self.services[service];
        let rollback = match cause {
            Cause::Breaker => of.breaker.rollback,
            Cause::Request | Cause::Hook(..) => true,
            Cause::Alarm => of.plan.alarm_rollback,
        };
        let Some(primary) = of.deployments.first_mut() else { return };
        let id = primary.id;
        let history_index = primary.history;
        primary.rollout = Rollout::Failed;
        primary.updated_at = now;
        primary.reason = match cause {
            Cause::Breaker => "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
            // Not seen: the words of this and of the next two are ours, after those of the breaker.
            Cause::Request => format!("ECS deployment ecs-svc/{id} was stopped: a rollback was requested."),
            Cause::Alarm => "ECS deployment failed: alarm detected.".to_owned(),
            Cause::Hook(..) => "ECS deployment failed: lifecycle hook(s) failed.".to_owned(),
        };
        let history = &mut of.history[history_index];
        history.updated_at = now;
        history.stopped_at = Some(now);
        let again = history.rollback.is_some();
        if *cause == Cause::Breaker {
            history.breaker = BreakerStatus::Triggered;
        }
        if again || !rollback {
            history.status = if again { DeploymentStatus::RollbackFailed } else { DeploymentStatus::Stopped };
            let why = match cause {
                // Not seen: after the words that a rollback has.
                Cause::Alarm => "Service deployment failed because an alarm was detected.",
                _ => "Service deployment failed because the circuit breaker threshold was exceeded.",
            };
            why.clone_into(&mut history.reason);
            history.finished_at = Some(now);
        }
        match cause {
            Cause::Breaker => self.event(service, &format!("(deployment ecs-svc/{id}) deployment failed: tasks failed to start.")),
            Cause::Alarm => self.event(service, &format!("(deployment ecs-svc/{id}) deployment failed: alarm detected.")),
            Cause::Hook(..) => self.event(service, &format!("(deployment ecs-svc/{id}) deployment failed: {}", cause.reason())),
            Cause::Request => {}
        }
        if rollback && !again {
            self.roll_back(service, history_index, cause);
        }
        self.wake(service, 1_000);
    }

    /// Makes the last good deployment PRIMARY again; its tasks stay as they are.
    fn roll_back(&mut self, service: usize, history_index: usize, cause: &Cause) {
        let now = self.now;
        let fresh = self.deployment_number();
        let of = &mut self.services[service];
        let listed = of.deployments.iter().position(|d| d.rollout == Rollout::Completed);
        let deployment = if let Some(index) = listed {
            of.deployments.remove(index)
        } else {
            let good = |h: &&ServiceDeployment| matches!(h.status, DeploymentStatus::Successful | DeploymentStatus::RollbackSuccessful);
            let last = of.history.iter().rev().find(good);
            let Some(revision) = last.map(|h| h.rollback.as_ref().map_or(h.target, |r| r.revision)) else {
                let history = &mut of.history[history_index];
                history.status = DeploymentStatus::RollbackFailed;
                "No rollback candidate was found to run the rollback.".clone_into(&mut history.reason);
                history.finished_at = Some(now);
                return;
            };
            Deployment {
                id: fresh,
                revision,
                history: history_index,
                rollout: Rollout::InProgress,
                reason: String::new(),
                failed_tasks: 0,
                backoff: 0,
                not_before: now,
                created_at: now,
                updated_at: now,
                set: None,
            }
        };
        let (id, revision) = (deployment.id, deployment.revision);
        let history = &mut of.history[history_index];
        let reason = cause.reason();
        history.status = DeploymentStatus::RollbackInProgress;
        if let Some(shift) = &mut history.shift {
            // The tasks that served before stand still, or start again; then the traffic goes back.
            (shift.stage, shift.since) = (Stage::ScaleUp, now);
        }
        history.reason.clone_from(&reason);
        history.rollback = Some(Rollback { reason, started_at: now, revision });
        let why = if *cause == Cause::Breaker { "ECS deployment circuit breaker: rolling" } else { "ECS deployment: rolling" };
        of.deployments.insert(
            0,
            Deployment {
                history: history_index,
                rollout: Rollout::InProgress,
                reason: format!("{why} back to deploymentId ecs-svc/{id}."),
                failed_tasks: 0,
                backoff: 0,
                not_before: now,
                updated_at: now,
                ..deployment
            },
        );
        of.steady = false;
        self.event(service, &format!("rolling back to deployment ecs-svc/{id}."));
    }

    /// Asks for the deployment under way to be rolled back, which then begins within seconds; false when none is under way. A
    /// rollback that is under way goes on.
    pub fn request_rollback(&mut self, service: usize) -> bool {
        let now = self.now;
        let Some(at) = self.services[service].deployments.first().filter(|d| d.rollout == Rollout::InProgress).map(|d| d.history) else {
            return false;
        };
        let history = &mut self.services[service].history[at];
        if history.rollback.is_none() {
            history.status = DeploymentStatus::RollbackRequested;
            history.updated_at = now;
            self.wake(service, 1_500);
        }
        true
    }

    /// Does what was asked for.
    pub(super) fn heed_request(&mut self, service: usize) {
        let asked = self.services[service].under_way().is_some_and(|h| h.status == DeploymentStatus::RollbackRequested);
        if asked {
            self.fail(service, &Cause::Request);
        }
    }

    /// An alarm went off: deployments under way by then that are wired to it fail, and roll back if they are told to.
    pub fn fail_by_alarm(&mut self, alarm: &str, since: Ms) {
        for service in 0..self.services.len() {
            let of = &self.services[service];
            let wired = of.plan.alarms.iter().any(|name| name == alarm) && of.controller == Controller::Ecs;
            let Some(at) =
                of.deployments.first().filter(|d| wired && d.rollout == Rollout::InProgress && d.created_at <= since).map(|d| d.history)
            else {
                continue;
            };
            if of.history[at].rollback.is_none() {
                self.services[service].history[at].alarms_fired.push(alarm.to_owned());
                self.fail(service, &Cause::Alarm);
            }
        }
    }

    /// Completes the PRIMARY deployment.
    pub(super) fn complete(&mut self, service: usize) {
        let now = self.now;
        let of = &mut self.services[service];
        let Some(primary) = of.deployments.first_mut() else { return };
        let id = primary.id;
        primary.rollout = Rollout::Completed;
        primary.reason = format!("ECS deployment ecs-svc/{id} completed.");
        primary.updated_at = now;
        primary.failed_tasks = 0;
        let history = &mut of.history[primary.history];
        history.finished_at = Some(now);
        history.updated_at = now;
        if history.rollback.is_some() {
            history.status = DeploymentStatus::RollbackSuccessful;
        } else {
            history.status = DeploymentStatus::Successful;
            if history.breaker == BreakerStatus::Monitoring {
                history.breaker = BreakerStatus::MonitoringComplete;
            }
        }
        self.event(service, &format!("(deployment ecs-svc/{id}) deployment completed."));
    }

    /// A service that has all that it wants says so, once.
    pub(super) fn settle(&mut self, service: usize) {
        if !std::mem::replace(&mut self.services[service].steady, true) {
            self.event(service, "has reached a steady state.");
        }
    }

    /// Deployments that are not PRIMARY leave the list with their last task.
    pub(super) fn drop_empty_deployments(&mut self, service: usize) {
        let of = &self.services[service];
        let alive = |id: u64| {
            let tasks = of.tasks.iter().filter_map(|task| self.tasks.get(task));
            tasks.into_iter().any(|t| t.deployment == id && t.status != TaskStatus::Stopped)
        };
        let keep: Vec<bool> = of.deployments.iter().enumerate().map(|(i, d)| i == 0 || alive(d.id)).collect();
        let mut keep = keep.into_iter();
        self.services[service].deployments.retain(|_| keep.next().unwrap_or(true));
    }

    /// Lets a steady service repeat itself, at a moment of its own within the six hours.
    pub(super) fn repeat_steady(&mut self, service: usize) {
        let delay = self.rng.between(60_000, STEADY_AGAIN);
        self.after(delay, Due::StillSteady(service));
    }
}

/// Pause after so many failures in a row: none at first, then doubling to AWS's 27 minutes.
fn back_off(failures: u32) -> Ms {
    match failures {
        0..=3 => 0,
        n => (10_000_i64 << (n - 3).min(8)).min(27 * 60_000),
    }
}
