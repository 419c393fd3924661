//! `CodeDeploy`: groups, and the deployments that they have seen. Called releases here, for ECS has deployments of its own.

use std::sync::Arc;

use super::{Ms, TaskDefinition};

/// All of it, of one estate.
#[derive(Debug, Default)]
pub struct CodeDeploy {
    /// Deployment groups; indices are stable.
    pub groups: Vec<ReleaseGroup>,
    /// Deployments, oldest first; indices are stable.
    pub releases: Vec<Release>,
}

/// How traffic shifts: a deployment configuration for ECS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// `CodeDeployDefault.ECSCanary10Percent5Minutes`.
    pub name: String,
    /// Percent of the first shift, and with `linear` of each; 100 is all at once.
    pub percent: u32,
    /// Minutes until the next shift.
    pub minutes: u32,
    /// Shifts evenly instead of once and then the rest.
    pub linear: bool,
}

/// A deployment group over one ECS service.
#[derive(Debug, Clone)]
pub struct ReleaseGroup {
    /// Application.
    pub application: String,
    /// Group.
    pub name: String,
    /// Index into [`super::Estate::services`].
    pub service: usize,
    /// Configuration, unless a deployment brings its own.
    pub traffic: Traffic,
    /// How long the old task set is kept after the shift.
    pub termination_wait: Ms,
    /// How long it waits for `ContinueDeployment` before traffic shifts.
    pub ready_wait: Option<Ms>,
    /// Events that roll back; empty switches it off.
    pub rollback: Vec<String>,
    /// Names of alarms that stop a deployment.
    pub alarms: Vec<String>,
    /// Lifecycle hook and name of its function.
    pub hooks: Vec<(String, String)>,
    /// The pair of target groups.
    pub target_groups: [usize; 2],
    /// Load balancer and listener of production traffic.
    pub listener: (usize, usize),
    /// Index of the listener for test traffic.
    pub test_listener: Option<usize>,
    /// When it was made.
    pub created_at: Ms,
}

/// Status of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// Created.
    Created,
    /// `InProgress`.
    InProgress,
    /// Waits for `ContinueDeployment`.
    Ready,
    /// Succeeded.
    Succeeded,
    /// Failed.
    Failed,
    /// Stopped.
    Stopped,
}

/// Status of a lifecycle event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Succeeded,
    /// Failed.
    Failed,
    /// The deployment ended before.
    Skipped,
}

/// A lifecycle event of a deployment.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// `BeforeInstall` and so on.
    pub name: &'static str,
    /// Where it stands.
    pub status: EventStatus,
    /// The Lambda function that it calls, by name or ARN.
    pub function: Option<String>,
    /// When it began.
    pub started_at: Option<Ms>,
    /// When it ended.
    pub ended_at: Option<Ms>,
}

/// A task set as a deployment last saw it.
#[derive(Debug, Clone, Default)]
pub struct SetSeen {
    /// N of `ecs-svc/N`; 0 before it was made.
    pub id: u64,
    /// Index of its target group.
    pub target_group: usize,
    /// Percent of the traffic.
    pub weight: u32,
    /// PRIMARY, ACTIVE or DRAINING; empty once it is gone.
    pub status: &'static str,
    /// desired, pending, running.
    pub counts: (usize, usize, usize),
}

/// A deployment of `CodeDeploy`.
#[derive(Debug, Clone)]
pub struct Release {
    /// `d-` and nine letters and digits.
    pub id: String,
    /// Index of its group.
    pub group: usize,
    /// `AppSpec` as it was sent.
    pub spec: String,
    /// `AppSpec` of the one before.
    pub previous: Option<String>,
    /// Task definition that it brings; none if the `AppSpec` names one that is not there.
    pub definition: Option<Arc<TaskDefinition>>,
    /// How traffic shifts.
    pub traffic: Traffic,
    /// Description.
    pub description: String,
    /// `user` or `codeDeployRollback`.
    pub creator: &'static str,
    /// Events that roll back.
    pub rollback: Vec<String>,
    /// Where it stands.
    pub status: ReleaseStatus,
    /// When it was made.
    pub created_at: Ms,
    /// When work began.
    pub started_at: Option<Ms>,
    /// When it ended.
    pub completed_at: Option<Ms>,
    /// Code and message.
    pub error: Option<(&'static str, String)>,
    /// The deployment that this one rolls back.
    pub rolls_back: Option<String>,
    /// The deployment that rolls this one back, and why.
    pub rolled_back_by: Option<(String, String)>,
    /// Lifecycle events in their order.
    pub events: Vec<Lifecycle>,
    /// Original task set.
    pub blue: SetSeen,
    /// Replacement task set.
    pub green: SetSeen,
    /// The event under way goes on then at the earliest.
    pub due_at: Ms,
    /// The wait before the old task set ends has begun.
    pub terminating: bool,
    /// `ContinueDeployment` was called.
    pub go_on: bool,
}
