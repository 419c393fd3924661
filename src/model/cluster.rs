//! Clusters and the EC2 instances registered in them.

use super::{Arn, Str, Time};

/// A cluster with its counts, as `DescribeClusters` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Identity.
    pub arn: Arn,
    /// Short name.
    pub name: Str,
    /// `ACTIVE`, `PROVISIONING`, `INACTIVE`, …
    pub status: Str,
    /// Services that are not `INACTIVE`.
    pub services: u32,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// Registered EC2 or external instances.
    pub instances: u32,
    /// Names of the capacity providers.
    pub capacity_providers: Vec<Str>,
    /// Settings such as `containerInsights`, name and value.
    pub settings: Vec<(Str, Str)>,
    /// How sessions of ECS Exec are encrypted and recorded.
    pub exec: ExecConfiguration,
    /// Tags, key and value.
    pub tags: Vec<(Str, Str)>,
}

/// What a cluster says of sessions of ECS Exec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecConfiguration {
    /// Key of KMS, by id or ARN, that encrypts sessions beside TLS.
    pub key: Option<Str>,
    /// `NONE`, `DEFAULT` or `OVERRIDE`; nothing where the cluster has no such configuration, which AWS takes for `DEFAULT`.
    pub logging: Option<Str>,
    /// Log group of `OVERRIDE`, and whether it must be encrypted.
    pub log_group: Option<(Str, bool)>,
    /// Bucket of `OVERRIDE`, with its prefix, and whether it must be encrypted.
    pub bucket: Option<(Str, bool)>,
}

/// An EC2 or external instance that runs tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerInstance {
    /// Identity.
    pub arn: Arn,
    /// EC2 instance id; targets of type `instance` name it.
    pub ec2_instance: Option<Str>,
    /// `ACTIVE`, `DRAINING`, …
    pub status: Str,
    /// Whether the ECS agent is in contact; without it nothing is placed.
    pub agent_connected: bool,
    /// Tasks in `RUNNING`.
    pub running: u32,
    /// Tasks in `PENDING`.
    pub pending: u32,
    /// Units of CPU left of those registered.
    pub cpu: (u32, u32),
    /// MiB of memory left of those registered.
    pub memory: (u32, u32),
    /// When it joined.
    pub registered_at: Option<Time>,
    /// Host ports that are taken, by the agent and by tasks; every other one is free.
    pub ports: Vec<u16>,
    /// Version of the ECS agent.
    pub agent_version: Option<Str>,
    /// Version of Docker.
    pub docker_version: Option<Str>,
    /// `m6i.large` and the like.
    pub instance_type: Option<Str>,
    /// Availability zone.
    pub zone: Option<Str>,
    /// Capacity provider that it belongs to.
    pub capacity_provider: Option<Str>,
    /// AWS's sentence about the status, as for a registration that failed.
    pub status_reason: Option<Str>,
    /// `OK`, `IMPAIRED`, `INSUFFICIENT_DATA` or `INITIALIZING`, when told.
    pub health: Option<Str>,
}
