//! Why a task finds no place: what it needs against what each instance has left. AWS names one instance and no figures.

use super::facts::Facts;
use super::stops::listed;
use crate::model::ContainerInstance;

/// Instances that a sentence names.
const NAMED: usize = 3;

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
    let needs = (facts.definition)(definition)?.needs();
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
