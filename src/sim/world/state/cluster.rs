//! Clusters and what they run on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ms, TaskId};
use crate::sim::scenario::schema::Exec;

/// An ECS cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Cluster name.
    pub name: String,
    /// Capacity provider names.
    pub capacity_providers: Vec<String>,
    /// `disabled`, `enabled` or `enhanced`.
    pub container_insights: String,
    /// Key and value.
    pub tags: Vec<(String, String)>,
    /// executeCommandConfiguration.
    pub exec: Exec,
    /// Indices into [`Estate::services`] by service name.
    pub services: BTreeMap<String, usize>,
    /// Tasks of this cluster, stopped ones included.
    pub tasks: BTreeSet<TaskId>,
}

/// A capacity provider over an Auto Scaling group.
#[derive(Debug, Clone)]
pub struct CapacityProvider {
    /// Name.
    pub name: String,
    /// Name of the Auto Scaling group.
    pub auto_scaling_group: String,
}

/// ACTIVE or DRAINING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceStatus {
    /// Takes tasks.
    Active,
    /// Takes no tasks and is being emptied.
    Draining,
}

/// An EC2 host with an ECS agent.
#[derive(Debug, Clone)]
pub struct ContainerInstance {
    /// 32 hex digits in the ARN.
    pub id: u128,
    /// Index into [`Estate::clusters`].
    pub cluster: usize,
    /// `i-…`.
    pub ec2_instance_id: String,
    /// For instance `m6i.large`.
    pub instance_type: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Availability zone.
    pub zone: String,
    /// Private IPv4 address.
    pub ip: String,
    /// CPU units, 1024 to the core.
    pub cpu: u32,
    /// Memory in MiB left to tasks by the agent.
    pub memory: u32,
    /// CPU units not reserved by tasks.
    pub cpu_left: u32,
    /// Memory in MiB not reserved by tasks.
    pub memory_left: u32,
    /// Host ports in use.
    pub ports: BTreeSet<u16>,
    /// Whether it takes tasks.
    pub status: InstanceStatus,
    /// The agent's connection to ECS.
    pub agent_connected: bool,
    /// Capacity provider name.
    pub capacity_provider: Option<String>,
    /// The EC2 instance is terminated; kept so that tasks may still name it.
    pub gone: bool,
    /// When the agent registered.
    pub registered_at: Ms,
}
