//! Task definitions: what a revision runs. Immutable in AWS, so cached for ever.

use super::{Arn, Str, Time};

/// One revision of a task definition. Secrets are named, their values are never fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskDefinition {
    /// Identity, revision included.
    pub arn: Arn,
    /// Family.
    pub family: Str,
    /// Revision number.
    pub revision: u32,
    /// `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`.
    pub status: Str,
    /// Task-level CPU units, when given.
    pub cpu: Option<Str>,
    /// Task-level MiB, when given.
    pub memory: Option<Str>,
    /// `awsvpc`, `bridge`, `host` or `none`.
    pub network_mode: Option<Str>,
    /// Role that the containers act as.
    pub task_role: Option<Str>,
    /// Role that pulls images, reads secrets and writes logs.
    pub execution_role: Option<Str>,
    /// `LINUX/X86_64` and the like, when given.
    pub platform: Option<Str>,
    /// Registration time.
    pub registered_at: Option<Time>,
    /// ARN of who registered it.
    pub registered_by: Option<Str>,
    /// In the order of the definition.
    pub containers: Vec<ContainerDefinition>,
    /// Names of the volumes.
    pub volumes: Vec<Str>,
    /// Tags, key and value.
    pub tags: Vec<(Str, Str)>,
}

/// One container of a task definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerDefinition {
    /// Name, unique in the task definition.
    pub name: Str,
    /// Image reference as written.
    pub image: Str,
    /// Whether its end ends the task.
    pub essential: bool,
    /// CPU units, 0 when not given.
    pub cpu: u32,
    /// Hard limit in MiB.
    pub memory: Option<u32>,
    /// Soft limit in MiB.
    pub memory_reservation: Option<u32>,
    /// Ports.
    pub ports: Vec<PortMapping>,
    /// Plain environment, name and value.
    pub environment: Vec<(Str, Str)>,
    /// Environment files, S3 ARNs.
    pub environment_files: Vec<Str>,
    /// Secrets, name and the ARN or parameter they come from; never a value.
    pub secrets: Vec<(Str, Str)>,
    /// Command, when overridden.
    pub command: Vec<Str>,
    /// Entry point, when overridden.
    pub entry_point: Vec<Str>,
    /// Health check command, when defined.
    pub health_check: Option<Str>,
    /// Log driver and options.
    pub logs: Option<LogConfiguration>,
    /// Containers it waits for, with the condition.
    pub depends_on: Vec<(Str, Str)>,
}

/// A container port and where it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct PortMapping {
    /// Port inside the container; 0 for a range.
    pub container: u16,
    /// Port on the host; 0 for a dynamic one.
    pub host: u16,
    /// `tcp` or `udp`.
    pub protocol: Str,
}

/// Where a container's output goes.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfiguration {
    /// `awslogs`, `awsfirelens`, …
    pub driver: Str,
    /// Options, name and value; secret options are not among them.
    pub options: Vec<(Str, Str)>,
}

impl LogConfiguration {
    /// An option's value.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&Str> {
        self.options.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }
}

impl TaskDefinition {
    /// `family:revision`.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}:{}", self.family, self.revision)
    }
}
