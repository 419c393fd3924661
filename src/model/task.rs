//! Tasks and their containers.

use super::{Arn, Str, Time};
use serde::{Deserialize, Serialize};

/// A task as `DescribeTasks` gives it, running or stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identity.
    pub arn: Arn,
    /// The cluster's ARN.
    pub cluster: Arn,
    /// `service:NAME` or `family:NAME`.
    pub group: Str,
    /// Deployment id `ecs-svc/…`, or whoever ran it.
    pub started_by: Option<Str>,
    /// Where it is.
    pub status: TaskStatus,
    /// Where it should be: `RUNNING` or `STOPPED`.
    pub desired: Str,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    pub health: Str,
    /// Revision that it runs.
    pub task_definition: Arn,
    /// `EC2`, `FARGATE`, …
    pub launch_type: Option<Str>,
    /// Capacity provider that placed it.
    pub capacity_provider: Option<Str>,
    /// Availability zone.
    pub zone: Option<Str>,
    /// EC2 instance that runs it, as a container instance's ARN.
    pub instance: Option<Arn>,
    /// Private address of its network interface.
    pub ip: Option<Str>,
    /// CPU units, as written.
    pub cpu: Option<Str>,
    /// MiB, as written.
    pub memory: Option<Str>,
    /// Whether it was started with ECS Exec.
    pub exec_enabled: bool,
    /// Version of Fargate's platform, `1.4.0`.
    #[serde(default)]
    pub platform_version: Option<Str>,
    /// Role that this task acts as instead of its definition's.
    #[serde(default)]
    pub role: Option<Str>,
    /// Subnet of its network interface.
    #[serde(default)]
    pub subnet: Option<Str>,
    /// Creation.
    pub created_at: Option<Time>,
    /// All containers started.
    pub started_at: Option<Time>,
    /// Stop began.
    pub stopping_at: Option<Time>,
    /// Stopped.
    pub stopped_at: Option<Time>,
    /// `EssentialContainerExited`, …
    pub stop_code: Option<Str>,
    /// AWS's sentence.
    pub stopped_reason: Option<Str>,
    /// In AWS's order.
    pub containers: Vec<Container>,
    /// Tags, key and value.
    pub tags: Vec<(Str, Str)>,
}

impl Task {
    /// The service's name, for a task that a service started.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.group.strip_prefix("service:")
    }

    /// Whether it has stopped for good.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.status == TaskStatus::Stopped
    }
}

/// States of a task in the order that it goes through them; a state of tomorrow is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Str", into = "String")]
pub enum TaskStatus {
    /// Its network interface is being made.
    Provisioning,
    /// Waits for a place, or for its images.
    Pending,
    /// Being registered in target groups.
    Activating,
    /// Runs.
    Running,
    /// Being taken out of its target groups.
    Deactivating,
    /// Told to stop.
    Stopping,
    /// Its network interface is being taken away.
    Deprovisioning,
    /// Over.
    Stopped,
    /// A word that this program does not know.
    Other(Str),
}

impl TaskStatus {
    /// Reads AWS's word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "PROVISIONING" => Self::Provisioning,
            "PENDING" => Self::Pending,
            "ACTIVATING" => Self::Activating,
            "RUNNING" => Self::Running,
            "DEACTIVATING" => Self::Deactivating,
            "STOPPING" => Self::Stopping,
            "DEPROVISIONING" => Self::Deprovisioning,
            "STOPPED" => Self::Stopped,
            other => Self::Other(other.into()),
        }
    }

    /// AWS's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
            Self::Other(word) => word,
        }
    }
}

impl From<Str> for TaskStatus {
    fn from(word: Str) -> Self {
        Self::parse(&word)
    }
}

impl From<TaskStatus> for String {
    fn from(status: TaskStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Name.
    pub name: Str,
    /// Image reference as written.
    pub image: Str,
    /// Digest that runs.
    pub digest: Option<Str>,
    /// `PENDING`, `RUNNING`, `STOPPED`, …
    pub status: Str,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    pub health: Str,
    /// Absent when it never started, or still runs.
    pub exit_code: Option<i32>,
    /// AWS's sentence, as in `OutOfMemoryError: …`.
    pub reason: Option<Str>,
    /// Docker's container id on EC2, Fargate's own elsewhere.
    pub runtime_id: Option<Str>,
    /// Container port and host port pairs, on EC2.
    pub bindings: Vec<(u16, u16)>,
    /// State of the ECS Exec agent, when there is one.
    pub exec_agent: Option<Str>,
    /// AWS's sentence about that agent, as why it stopped.
    #[serde(default)]
    pub exec_reason: Option<Str>,
    /// When that agent was last started.
    #[serde(default)]
    pub exec_started_at: Option<Time>,
}

/// A task that scaling in and deployments may not stop now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// Which.
    pub task: Arn,
    /// When the protection ends by itself.
    pub until: Option<Time>,
}
