//! Task definitions: the document for clients, and the few facts the
//! clockwork and the logs need.

use std::sync::Arc;

use super::Ms;
use crate::sim::scenario::schema::Condition;
use crate::sim::scenario::{Behaviour, HealthCheck, Voice};

/// One revision of a task definition.
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    /// Family.
    pub family: String,
    /// Revision, from 1.
    pub revision: u32,
    /// The `taskDefinition` of `DescribeTaskDefinition` as compact JSON.
    pub document: Box<str>,
    /// Key and value; they travel beside the document.
    pub tags: Vec<(String, String)>,
    /// When it was registered.
    pub registered_at: Ms,
    /// ACTIVE, or INACTIVE.
    pub active: bool,
    /// Network mode.
    pub network: NetworkMode,
    /// Task-level CPU units; the sum of the containers' when the task sets none.
    pub cpu: u32,
    /// Task-level memory in MiB.
    pub memory: u32,
    /// Whether the document sets CPU and memory at task level.
    pub task_size: bool,
    /// Containers in document order.
    pub containers: Vec<ContainerDefinition>,
    /// How tasks of this revision fare.
    pub behaviour: Arc<Behaviour>,
}

/// Network mode of a task definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkMode {
    /// Own network interface.
    Awsvpc,
    /// Docker bridge with mapped ports.
    Bridge,
    /// Ports of the host.
    Host,
    /// No network.
    None,
}

/// What the clockwork and the logs need to know of a container.
#[derive(Debug, Clone)]
pub struct ContainerDefinition {
    /// Container name.
    pub name: String,
    /// Image as written in the document.
    pub image: String,
    /// Whether its end ends the task.
    pub essential: bool,
    /// CPU units.
    pub cpu: u32,
    /// Hard memory limit in MiB, 0 when unset.
    pub memory: u32,
    /// Soft memory limit in MiB, 0 when unset.
    pub memory_reservation: u32,
    /// (container port, host port or 0, protocol).
    pub ports: Vec<(u16, u16, String)>,
    /// Container health check timings, when the document has one.
    pub health_check: Option<HealthCheck>,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout: u32,
    /// Containers that come before, by their index.
    pub depends_on: Vec<(usize, Condition)>,
    /// (environment variable, ARN or name) of each secret and parameter.
    pub secrets: Vec<(String, String)>,
    /// ARNs of environment files.
    pub environment_files: Vec<String>,
    /// Exit code when it is told to stop.
    pub stops_with: i32,
    /// Present when the log driver is awslogs.
    pub log: Option<AwsLogs>,
    /// What its log lines look like.
    pub voice: Voice,
    /// Log lines per second on average.
    pub rate: f64,
}

/// awslogs options of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsLogs {
    /// `awslogs-group`.
    pub group: String,
    /// `awslogs-region`.
    pub region: String,
    /// `awslogs-stream-prefix`; without it (EC2 only) the stream is the runtime id.
    pub prefix: Option<String>,
}
