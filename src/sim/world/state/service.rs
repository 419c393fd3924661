//! Services, their deployments and revisions. `deployments[]`, service
//! deployments and service revisions are three views of what stands here.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::{Ms, Shift, TaskDefinition, TaskId};
use crate::sim::scenario::Strategy;
use crate::sim::scenario::schema::{ExecAgent, Threshold};

/// REPLICA or DAEMON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// A number of tasks.
    Replica,
    /// One task on each active container instance.
    Daemon,
}

/// Who deploys a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// The ECS scheduler.
    Ecs,
    /// AWS `CodeDeploy`.
    CodeDeploy,
    /// Somebody with task sets.
    External,
}

/// Circuit breaker settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Counts failures and fails deployments.
    pub enable: bool,
    /// Returns to the last good revision.
    pub rollback: bool,
}

/// How the deployments of a service go, beside their percents.
#[derive(Debug, Clone)]
pub struct Plan {
    /// ROLLING, `BLUE_GREEN`, LINEAR or CANARY.
    pub strategy: Strategy,
    /// bakeTimeInMinutes.
    pub bake: i64,
    /// stepPercent or canaryPercent.
    pub percent: f64,
    /// Minutes between steps, or after the canary.
    pub step_bake: i64,
    /// Lifecycle hooks in their order.
    pub hooks: Vec<Hook>,
    /// Names of the alarms that fail a deployment.
    pub alarms: Vec<String>,
    /// Whether the alarms also roll back.
    pub alarm_rollback: bool,
    /// thresholdConfiguration of the circuit breaker.
    pub threshold: Threshold,
    /// resetOnHealthyTask of the circuit breaker.
    pub reset_on_healthy_task: bool,
    /// earlySuccessCriteria, if they are enabled.
    pub early: Option<Early>,
}

/// When a rolling deployment counts as successful before all of it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Early {
    /// healthyPercent of the desired count.
    pub percent: u32,
    /// The old tasks go afterwards (DEFERRED), not before (BLOCKING).
    pub deferred: bool,
}

/// A lifecycle hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// Lambda function; none is a PAUSE.
    pub function: Option<String>,
    /// Role that calls it.
    pub role: Option<String>,
    /// Stages, in AWS's words.
    pub stages: Vec<String>,
    /// How long the function takes, in ms.
    pub takes: Ms,
    /// The function says FAILED.
    pub fails: bool,
    /// timeoutInMinutes.
    pub timeout: i64,
    /// After the timeout the deployment goes on instead of rolling back.
    pub timeout_continues: bool,
}

/// An ECS service.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own, and none excludes another")]
pub struct Service {
    /// Service name.
    pub name: String,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// Desired number of tasks.
    pub desired: u32,
    /// When the service was created.
    pub created_at: Ms,
    /// Role that created it.
    pub created_by: String,
    /// REPLICA or DAEMON.
    pub scheduling: Scheduling,
    /// ECS, `CODE_DEPLOY` or EXTERNAL.
    pub controller: Controller,
    /// minimumHealthyPercent.
    pub minimum: u32,
    /// maximumPercent.
    pub maximum: u32,
    /// Circuit breaker.
    pub breaker: Breaker,
    /// Strategy, hooks and alarms of its deployments.
    pub plan: Plan,
    /// Express: ECS manages what stands around it.
    pub express: bool,
    /// Availability zones that its subnets are in.
    pub zones: usize,
    /// healthCheckGracePeriodSeconds.
    pub grace: u32,
    /// enableExecuteCommand.
    pub exec: bool,
    /// What keeps sessions in its containers from working.
    pub exec_agent: ExecAgent,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// Members that AWS echoes and the world does not act on
    /// (placementStrategy, propagateTags, serviceRegistries …).
    pub echo: serde_json::Map<String, Value>,
    /// Newest first; the first is PRIMARY.
    pub deployments: Vec<Deployment>,
    /// Service revisions, oldest first; never shrinks.
    pub revisions: Vec<ServiceRevision>,
    /// Service deployments, oldest first; never shrinks.
    pub history: Vec<ServiceDeployment>,
    /// Newest first, at most 100.
    pub events: VecDeque<ServiceEvent>,
    /// Its tasks, stopped ones included.
    pub tasks: BTreeSet<TaskId>,
    /// Whether the last word was "has reached a steady state."
    pub steady: bool,
    /// When the scheduler looks at it next.
    pub pass_at: Option<Ms>,
    /// Placement failures in a row, for the back-off.
    pub stalled: u32,
    /// Tasks that run but are not yet registered with their target groups.
    pub unregistered: Vec<TaskId>,
    /// It was deleted: DRAINING while tasks run, INACTIVE afterwards.
    pub deleted: bool,
}

/// A line of `service.events`.
#[derive(Debug, Clone)]
pub struct ServiceEvent {
    /// Printed as a UUID.
    pub id: u128,
    /// When.
    pub at: Ms,
    /// AWS's wording.
    pub message: String,
}

/// What a service revision pins.
#[derive(Debug, Clone)]
pub struct ServiceRevision {
    /// Number in the service revision ARN.
    pub id: u64,
    /// Task definition.
    pub definition: Arc<TaskDefinition>,
    /// Where tasks run.
    pub launch: Launch,
    /// Platform version, Fargate only.
    pub platform_version: String,
    /// `networkConfiguration` as AWS prints it, awsvpc only.
    pub network: Option<Value>,
    /// Target groups with container and port.
    pub load_balancers: Vec<LoadBalancing>,
    /// Digests that the images resolved to when it was deployed, by container; empty for one that was not there.
    pub digests: Vec<String>,
    /// When it was made.
    pub created_at: Ms,
}

/// Where a task runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// launchType FARGATE.
    Fargate,
    /// launchType EC2.
    Ec2,
    /// A capacity provider strategy: (provider, weight, base).
    Providers(Vec<(String, u32, u32)>),
}

/// One entry of `service.loadBalancers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancing {
    /// Index into [`Estate::target_groups`].
    pub target_group: usize,
    /// Container name.
    pub container: String,
    /// Container port.
    pub port: u16,
    /// The other target group of a blue/green pair.
    pub alternate: Option<usize>,
    /// Port of the listener for test traffic.
    pub test_port: Option<u16>,
}

/// State of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// `IN_PROGRESS`.
    InProgress,
    /// COMPLETED.
    Completed,
    /// FAILED.
    Failed,
}

/// One entry of `service.deployments`.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// N of `ecs-svc/N`, which is also `task.startedBy`.
    pub id: u64,
    /// Index into [`Service::revisions`].
    pub revision: usize,
    /// Index into [`Service::history`]; a rollback shares that of the failure.
    pub history: usize,
    /// rolloutState.
    pub rollout: Rollout,
    /// rolloutStateReason.
    pub reason: String,
    /// Consecutive failures; a task that becomes healthy resets it.
    pub failed_tasks: u32,
    /// Failures for the back-off between starts.
    pub backoff: u32,
    /// No task is started before this time.
    pub not_before: Ms,
    /// When it was made.
    pub created_at: Ms,
    /// When it last changed.
    pub updated_at: Ms,
    /// Present when it is a task set.
    pub set: Option<TaskSet>,
}

/// What a task set has that a deployment has not.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSet {
    /// externalId; for `CodeDeploy` the deployment's id.
    pub external_id: String,
    /// startedBy.
    pub started_by: String,
    /// Percent of desiredCount.
    pub scale: f64,
    /// It was deleted and its tasks are going.
    pub leaving: bool,
}

/// Status of a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// `IN_PROGRESS`.
    InProgress,
    /// `ROLLBACK_REQUESTED`: somebody asked, and nothing has come of it yet.
    RollbackRequested,
    /// SUCCESSFUL.
    Successful,
    /// STOPPED: replaced by a newer deployment or failed without rollback.
    Stopped,
    /// `ROLLBACK_IN_PROGRESS`.
    RollbackInProgress,
    /// `ROLLBACK_SUCCESSFUL`.
    RollbackSuccessful,
    /// `ROLLBACK_FAILED`.
    RollbackFailed,
}

/// Status of the circuit breaker within a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStatus {
    /// TRIGGERED.
    Triggered,
    /// MONITORING.
    Monitoring,
    /// `MONITORING_COMPLETE`.
    MonitoringComplete,
    /// DISABLED.
    Disabled,
}

/// A service deployment: the road from some revisions to another.
#[derive(Debug, Clone)]
pub struct ServiceDeployment {
    /// Last part of the service deployment ARN.
    pub id: String,
    /// Indices of the revisions that it replaces.
    pub sources: Vec<usize>,
    /// Index of the revision that it brings.
    pub target: usize,
    /// Where it stands.
    pub status: DeploymentStatus,
    /// statusReason, may be empty.
    pub reason: String,
    /// When it was made.
    pub created_at: Ms,
    /// When work began.
    pub started_at: Ms,
    /// When it ended.
    pub finished_at: Option<Ms>,
    /// When it was stopped or fell.
    pub stopped_at: Option<Ms>,
    /// When it last changed.
    pub updated_at: Ms,
    /// Rollback under way or done.
    pub rollback: Option<Rollback>,
    /// Circuit breaker.
    pub breaker: BreakerStatus,
    /// Failures counted by the breaker.
    pub failures: u32,
    /// Failures at which the breaker falls.
    pub threshold: u32,
    /// Alarms that went off.
    pub alarms_fired: Vec<String>,
    /// Stage, weights and hooks, when traffic shifts.
    pub shift: Option<Shift>,
}

/// The rollback of a service deployment.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// Since when.
    pub started_at: Ms,
    /// Index of the revision that is returned to.
    pub revision: usize,
}
