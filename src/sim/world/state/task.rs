//! Tasks and their containers.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Ms, TaskDefinition};
use crate::sim::scenario::Behaviour;

/// The 128 bits of a task id; prints as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u128);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// lastStatus of a task, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStatus {
    /// Waits for its network interface.
    Provisioning,
    /// Waits for images and container starts.
    Pending,
    /// Runs, but is being registered with load balancers.
    Activating,
    /// Runs.
    Running,
    /// Is being taken out of load balancers.
    Deactivating,
    /// Was told to stop.
    Stopping,
    /// Gives back its network interface.
    Deprovisioning,
    /// Gone, but described for an hour.
    Stopped,
}

/// healthStatus of a task or container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No verdict, or no health check.
    Unknown,
    /// Passed.
    Healthy,
    /// Failed `retries` times in a row.
    Unhealthy,
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Identity.
    pub id: TaskId,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// Index into [`Estate::services`]; none for `RunTask`.
    pub service: Option<usize>,
    /// N of `ecs-svc/N`, 0 for `RunTask`.
    pub deployment: u64,
    /// startedBy of a `RunTask`.
    pub started_by: Option<String>,
    /// `service:NAME` or `family:NAME` or what `RunTask` said.
    pub group: String,
    /// Task definition.
    pub definition: Arc<TaskDefinition>,
    /// No scale-in and no deployment stops it before this time.
    pub protected_until: Option<Ms>,
    /// capacityProviderName.
    pub capacity_provider: Option<String>,
    /// Fargate platform version.
    pub platform_version: String,
    /// lastStatus.
    pub status: TaskStatus,
    /// Availability zone.
    pub zone: String,
    /// Network interface, awsvpc only.
    pub eni: Option<Eni>,
    /// Index into [`Estate::instances`], EC2 only.
    pub instance: Option<usize>,
    /// Digests of the images, by container; empty for one that cannot be resolved.
    pub digests: Vec<String>,
    /// Containers in document order.
    pub containers: Vec<Container>,
    /// The task's health by its container health checks.
    pub health: Health,
    /// Why it stopped, or will.
    pub stop: Option<Stop>,
    /// enableExecuteCommand at launch.
    pub exec: bool,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// `overrides` as sent to `RunTask`.
    pub overrides: Option<Value>,
    /// Targets are (or were) registered: (index of target group, target id, port).
    pub targets: Vec<(usize, String, u16)>,
    /// How its kind fares; mostly that of the task definition.
    pub behaviour: Arc<Behaviour>,
    /// Counts changes, as AWS does.
    pub version: u32,
    /// When it takes its next step; other steps in the queue are void.
    pub due_at: Ms,
    /// Whether this one suffers its revision's behaviour; the others are well.
    pub sick: bool,
    /// Whether it was ever counted as healthy.
    pub proven: bool,
    /// When it was made.
    pub created_at: Ms,
    /// When its network interface was attached.
    pub connectivity_at: Option<Ms>,
    /// When the image pull began.
    pub pull_started_at: Option<Ms>,
    /// When the image pull ended.
    pub pull_stopped_at: Option<Ms>,
    /// When it reached RUNNING.
    pub started_at: Option<Ms>,
    /// When it was told to stop.
    pub stopping_at: Option<Ms>,
    /// When its essential containers ended.
    pub execution_stopped_at: Option<Ms>,
    /// When it reached STOPPED.
    pub stopped_at: Option<Ms>,
}

/// An elastic network interface of a task.
#[derive(Debug, Clone)]
pub struct Eni {
    /// UUID of the attachment.
    pub attachment: u128,
    /// `eni-…`.
    pub id: String,
    /// `subnet-…`.
    pub subnet: String,
    /// Private IPv4 address.
    pub ip: String,
    /// MAC address.
    pub mac: String,
}

/// stopCode and stoppedReason.
#[derive(Debug, Clone)]
pub struct Stop {
    /// stopCode.
    pub code: &'static str,
    /// stoppedReason.
    pub reason: String,
}

/// lastStatus of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerStatus {
    /// Not started.
    Pending,
    /// Runs.
    Running,
    /// Ended, or never started.
    Stopped,
}

/// A container of a task.
#[derive(Debug, Clone)]
pub struct Container {
    /// lastStatus.
    pub status: ContainerStatus,
    /// Absent when the container never started.
    pub exit_code: Option<i32>,
    /// Docker's or the agent's word.
    pub reason: Option<String>,
    /// healthStatus.
    pub health: Health,
    /// (container port, host port, protocol), bridge and host only.
    pub bindings: Vec<(u16, u16, String)>,
    /// When it started.
    pub started_at: Option<Ms>,
    /// When it ended.
    pub ended_at: Option<Ms>,
}
