//! Task definitions: what a revision runs. Immutable in AWS, so cached for ever.

use super::{Arn, Str, Time};

/// One revision of a task definition. Secrets are named, their values are never fetched.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// `task` or `host` where containers share their processes.
    pub pid_mode: Option<Str>,
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

/// The newest revisions of a family that can be deployed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Revisions {
    /// `ACTIVE` ones, newest first.
    pub arns: Vec<Arn>,
    /// Whether there are more than were read.
    pub cut: bool,
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
    /// Whether nothing can be written to its root file system.
    pub readonly_root: bool,
    /// Whether a process 1 of its own collects what others leave behind.
    pub init_process: bool,
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

    /// What one task asks of an instance: the task's own sizes, else the sum of its containers; a soft limit counts before a hard one, as
    /// ECS reserves it.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let cpu = self.cpu.as_deref().and_then(|text| sized(text, "vcpu"));
        let memory = self.memory.as_deref().and_then(|text| sized(text, "gb"));
        let host = self.network_mode.as_deref() == Some("host");
        let awsvpc = self.network_mode.as_deref() == Some("awsvpc");
        let fixed = |port: u16, own: u16| if host { Some(own.max(port)) } else { Some(port) };
        let mut ports: Vec<u16> = self.containers.iter().flat_map(|c| &c.ports).filter_map(|p| fixed(p.host, p.container)).collect();
        // With awsvpc a host port is the task's own, and 0 is a dynamic one.
        ports.retain(|port| *port != 0 && !awsvpc);
        ports.dedup();
        Needs {
            cpu: cpu.unwrap_or_else(|| self.containers.iter().map(|c| c.cpu).sum()),
            memory: memory.unwrap_or_else(|| self.containers.iter().filter_map(|c| c.memory_reservation.or(c.memory)).sum()),
            ports,
        }
    }
}

/// What one task asks of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Units of CPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// Ports of the host that are fixed.
    pub ports: Vec<u16>,
}

/// `512`, `0.5 vCPU` or `2GB`, in units of 1/1024.
fn sized(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    match text.strip_suffix(unit) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of a task, far below either limit")]
        Some(number) => number.trim().parse::<f64>().ok().filter(|n| (0.0..1e5).contains(n)).map(|n| (n * 1024.0).round() as u32),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(cpu: Option<&str>, memory: Option<&str>) -> TaskDefinition {
        let port = |host| PortMapping { container: 80, host, protocol: "tcp".into() };
        let container = |memory, soft, host| ContainerDefinition {
            cpu: 64,
            memory: Some(memory),
            memory_reservation: soft,
            ports: vec![port(host)],
            ..ContainerDefinition::default()
        };
        TaskDefinition {
            arn: Arn::from("arn:aws:ecs:eu-west-1:123456789012:task-definition/api:8"),
            family: "api".into(),
            revision: 8,
            status: "ACTIVE".into(),
            cpu: cpu.map(Into::into),
            memory: memory.map(Into::into),
            network_mode: Some("bridge".into()),
            pid_mode: None,
            task_role: None,
            execution_role: None,
            platform: None,
            registered_at: None,
            registered_by: None,
            containers: vec![container(256, Some(128), 80), container(128, None, 0)],
            volumes: Vec::new(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn a_task_needs_its_own_size_or_the_sum_of_its_containers_reservations() {
        assert_eq!(definition(None, None).needs(), Needs { cpu: 128, memory: 256, ports: vec![80] });
        let own = definition(Some("0.5 vCPU"), Some("2GB")).needs();
        assert_eq!((own.cpu, own.memory), (512, 2048));
        assert_eq!(definition(Some("256"), Some("a lot")).needs().memory, 256);
    }

    #[test]
    fn a_port_of_awsvpc_is_no_port_of_the_host_and_host_mode_takes_the_container_s() {
        let mut awsvpc = definition(None, None);
        awsvpc.network_mode = Some("awsvpc".into());
        assert_eq!(awsvpc.needs().ports, Vec::<u16>::new());
        awsvpc.network_mode = Some("host".into());
        assert_eq!(awsvpc.needs().ports, [80]);
    }
}
