//! Why a task finds no place: what it needs against what each instance has left. AWS names one instance and no figures.

use super::facts::Facts;
use super::stops::listed;
use crate::model::{ContainerInstance, TaskDefinition};

/// Instances that a sentence names.
const NAMED: usize = 3;

/// What one task asks of an instance.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Needs {
    /// Units of CPU.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// Ports of the host that are fixed.
    pub ports: Vec<u16>,
}

/// The task's own sizes, else the sum of its containers; a soft limit counts before a hard one, as ECS reserves it.
pub(super) fn needs(definition: &TaskDefinition) -> Needs {
    let containers = &definition.containers;
    let cpu = definition.cpu.as_deref().and_then(|text| sized(text, "vcpu"));
    let memory = definition.memory.as_deref().and_then(|text| sized(text, "gb"));
    let host = definition.network_mode.as_deref() == Some("host");
    let awsvpc = definition.network_mode.as_deref() == Some("awsvpc");
    let fixed = |port: u16, own: u16| if host { Some(own.max(port)) } else { Some(port) };
    let mut ports: Vec<u16> = containers.iter().flat_map(|c| &c.ports).filter_map(|p| fixed(p.host, p.container)).collect();
    // With awsvpc a host port is the task's own, and 0 is a dynamic one.
    ports.retain(|port| *port != 0 && !awsvpc);
    ports.dedup();
    Needs {
        cpu: cpu.unwrap_or_else(|| containers.iter().map(|c| c.cpu).sum()),
        memory: memory.unwrap_or_else(|| containers.iter().filter_map(|c| c.memory_reservation.or(c.memory)).sum()),
        ports,
    }
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

/// What is short.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    Cpu,
    Memory,
    Port,
    /// No instance at all, or none that takes tasks.
    Instances,
    /// What no instance counts: a constraint, AWS's own capacity, a limit of the account.
    Other,
}

/// What is short, by how much and where, as a sentence; nothing where the figures are not known or show no lack.
pub(super) fn shortage(facts: &Facts, of: Short) -> Option<String> {
    let definition = facts.primary().map_or(&facts.service.task_definition, |d| &d.task_definition);
    let needs = needs((facts.definition)(definition)?);
    let open: Vec<&ContainerInstance> =
        facts.instances.iter().map(|i| &**i).filter(|i| &*i.status == "ACTIVE" && i.agent_connected).collect();
    let shut = facts.instances.len() - open.len();
    if facts.instances.is_empty() || of == Short::Other {
        return None;
    }
    if open.is_empty() {
        return Some(format!("none of {} instances takes tasks: {}", facts.instances.len(), closed(facts.instances)));
    }
    let closed = if shut > 0 { format!("; {shut} more take none: {}", closed(facts.instances)) } else { String::new() };
    match of {
        Short::Memory => lack(&open, needs.memory, "MiB of memory", |i| i.memory.0).map(|says| says + &closed),
        Short::Cpu => lack(&open, needs.cpu, "CPU units", |i| i.cpu.0).map(|says| says + &closed),
        Short::Port if !needs.ports.is_empty() => {
            // Where AWS tells the ports that are taken, a free one means that the lack is another.
            let taken = |i: &&ContainerInstance| needs.ports.iter().any(|port| i.ports.contains(port));
            if open.iter().any(|i| !i.ports.is_empty()) && !open.iter().all(taken) {
                return None;
            }
            let ports: Vec<String> = needs.ports.iter().map(u16::to_string).collect();
            let names: Vec<&str> = ports.iter().map(String::as_str).collect();
            let word = if names.len() == 1 { "port" } else { "ports" };
            let many = if open.len() == 1 { "1 instance is".to_owned() } else { format!("all {} instances are", open.len()) };
            Some(format!("host {word} {} fixed, so one task per instance, and {many} taken{closed}", is(&names)))
        }
        Short::Port | Short::Instances | Short::Other => None,
    }
}

fn is(names: &[&str]) -> String {
    format!("{} {}", listed(names), if names.len() == 1 { "is" } else { "are" })
}

/// The instances that are nearest to having enough, with how much each lacks; nothing when one has it, for then the lack is another.
fn lack(open: &[&ContainerInstance], need: u32, unit: &str, left: fn(&ContainerInstance) -> u32) -> Option<String> {
    if need == 0 || open.iter().any(|i| left(i) >= need) {
        return None;
    }
    let mut nearest: Vec<&&ContainerInstance> = open.iter().collect();
    nearest.sort_by_key(|i| std::cmp::Reverse(left(i)));
    let each = nearest.iter().take(NAMED).map(|i| format!("{} has {} left, {} short", name(i), left(i), need - left(i)));
    let rest = nearest.len().saturating_sub(NAMED);
    let rest = if rest > 0 { format!(", {rest} more have less") } else { String::new() };
    Some(format!("a task needs {need} {unit}: {}{rest}", each.collect::<Vec<_>>().join(", ")))
}

/// Why instances take no tasks.
fn closed(instances: &[std::sync::Arc<ContainerInstance>]) -> String {
    let why = |i: &ContainerInstance| match &*i.status {
        "ACTIVE" if i.agent_connected => None,
        "ACTIVE" => Some(format!("the agent of {} is not connected", name(i))),
        status => Some(format!("{} is {status}", name(i))),
    };
    instances.iter().filter_map(|i| why(i)).take(NAMED).collect::<Vec<_>>().join(", ")
}

/// The EC2 instance's id, else the start of the container instance's.
pub(super) fn name(instance: &ContainerInstance) -> &str {
    instance.ec2_instance.as_deref().unwrap_or_else(|| instance.arn.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arn, ContainerDefinition, PortMapping};

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
        assert_eq!(needs(&definition(None, None)), Needs { cpu: 128, memory: 256, ports: vec![80] });
        let own = needs(&definition(Some("0.5 vCPU"), Some("2GB")));
        assert_eq!((own.cpu, own.memory), (512, 2048));
        assert_eq!(needs(&definition(Some("256"), Some("a lot"))).memory, 256);
    }

    #[test]
    fn a_port_of_awsvpc_is_no_port_of_the_host_and_host_mode_takes_the_container_s() {
        let mut awsvpc = definition(None, None);
        awsvpc.network_mode = Some("awsvpc".into());
        assert_eq!(needs(&awsvpc).ports, Vec::<u16>::new());
        awsvpc.network_mode = Some("host".into());
        assert_eq!(needs(&awsvpc).ports, [80]);
    }
}
