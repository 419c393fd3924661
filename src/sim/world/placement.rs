//! Where a task goes: a subnet and an address on Fargate, a container instance
//! with room on EC2.

use super::lifecycle::NewTask;
use super::state::{ContainerInstance, Eni, Estate, InstanceStatus, Launch, NetworkMode, TaskDefinition};

/// A place for a task.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub fargate: bool,
    pub capacity_provider: Option<String>,
    pub zone: String,
    pub instance: Option<usize>,
}

impl Estate {
    /// Finds a place, or says in AWS's words why there is none.
    pub(super) fn place(&mut self, new: &NewTask) -> Result<Place, String> {
        let provider = match &new.launch {
            Launch::Fargate => return Ok(self.fargate(None, new.service)),
            Launch::Ec2 => None,
            Launch::Providers(all) => {
                let chosen = self.choose_provider(all, new);
                if chosen.as_deref().is_none_or(|name| name.starts_with("FARGATE")) {
                    return Ok(self.fargate(chosen, new.service));
                }
                chosen
            }
        };
        let candidates: Vec<usize> = (0..self.instances.len())
            .filter(|&i| new.on.is_none_or(|wanted| wanted == i))
            .filter(|&i| self.instances[i].cluster == new.cluster && !self.instances[i].gone)
            .filter(|&i| provider.is_none() || self.instances[i].capacity_provider == provider)
            .collect();
        let definition = &*new.definition;
        let fits = |i: &usize| lacking(&self.instances[*i], definition).is_none();
        // The default strategy spreads: most memory left first.
        let best = candidates
            .iter()
            .copied()
            .filter(fits)
            .max_by_key(|&i| (self.instances[i].memory_left, self.instances[i].cpu_left, usize::MAX - i));
        if let Some(instance) = best {
            let host = &self.instances[instance];
            let zone = host.zone.clone();
            return Ok(Place { fargate: false, capacity_provider: provider, zone, instance: Some(instance) });
        }
        Err(refusal(&self.instances, &candidates, definition))
    }

    fn fargate(&mut self, capacity_provider: Option<String>, service: Option<usize>) -> Place {
        let among = u32::try_from(service.map_or(3, |s| self.services[s].zones.clamp(1, 3))).unwrap_or(3);
        let zone = usize::try_from(self.addresses % among).unwrap_or(0);
        let zones = self.zones();
        Place { fargate: true, capacity_provider, zone: zones[zone].clone(), instance: None }
    }

    /// The base first, then whoever is furthest behind its share of the rest.
    fn choose_provider(&self, all: &[(String, u32, u32)], new: &NewTask) -> Option<String> {
        let tasks = self.clusters[new.cluster].tasks.iter().filter_map(|id| self.tasks.get(id));
        let mates = tasks.filter(|t| !t.stopping() && t.deployment == new.deployment && t.service == new.service && t.group == new.group);
        let mut counts = vec![0_u32; all.len()];
        for task in mates {
            if let Some(at) = all.iter().position(|(name, ..)| Some(name) == task.capacity_provider.as_ref()) {
                counts[at] += 1;
            }
        }
        let unmet = all.iter().zip(&counts).find(|((_, _, base), count)| count < &base);
        if let Some(((name, ..), _)) = unmet {
            return Some(name.clone());
        }
        let weighted = all.iter().zip(&counts).filter(|((_, weight, _), _)| *weight > 0);
        // Tasks beyond the base for each unit of weight, compared crosswise to stay with whole numbers.
        let least = weighted.min_by(|((_, w1, b1), c1), ((_, w2, b2), c2)| ((*c1 - b1) * w2).cmp(&((*c2 - b2) * w1)));
        least.map(|((name, ..), _)| name.clone()).or_else(|| all.first().map(|(name, ..)| name.clone()))
    }

    /// A network interface in a zone, in a subnet with a way out or in one without.
    pub(super) fn attach_eni(&mut self, zone: &str, reachable: bool) -> Eni {
        let zones = self.zones();
        let index = zones.iter().position(|z| z == zone).unwrap_or(0);
        // Each zone has a /16; the first addresses of a subnet are AWS's own. What is in use is not given out again.
        let address = |number: u32| format!("10.{}.{}.{}", 20 + index, number / 256, number % 256);
        let first = self.addresses / 3;
        let ip = (first..first + 65_000).map(|at| address(10 + at % 65_000)).find(|ip| !self.in_use.contains(ip));
        let ip = ip.unwrap_or_else(|| address(first % 65_000));
        self.in_use.insert(ip.clone());
        self.addresses += 1;
        let mac = self.rng.next().to_be_bytes();
        let mac: Vec<String> = mac[..5].iter().map(|b| format!("{b:02x}")).collect();
        Eni {
            attachment: self.rng.wide(),
            id: format!("eni-0{}", self.rng.hex(16)),
            subnet: self.subnets_of(reachable)[index].clone(),
            ip,
            mac: format!("0a:{}", mac.join(":")),
        }
    }

    /// Takes CPU, memory and ports from a container instance; the bindings of each container.
    pub(super) fn occupy(&mut self, instance: usize, definition: &TaskDefinition) -> Vec<Vec<(u16, u16, String)>> {
        let host = &mut self.instances[instance];
        host.cpu_left = host.cpu_left.saturating_sub(definition.cpu);
        host.memory_left = host.memory_left.saturating_sub(definition.memory);
        if definition.network == NetworkMode::Awsvpc {
            return vec![Vec::new(); definition.containers.len()];
        }
        // Docker hands out the ephemeral range upwards.
        let mut free = 32_768..=u16::MAX;
        let bind = |(port, wanted, protocol): &(u16, u16, String)| {
            let dynamic = *wanted == 0 && definition.network == NetworkMode::Bridge;
            let chosen = if dynamic { free.find(|p| !host.ports.contains(p)) } else { Some((*wanted).max(*port)) };
            let chosen = chosen.unwrap_or(0);
            host.ports.insert(chosen);
            (*port, chosen, protocol.clone())
        };
        let mut bind = bind;
        definition.containers.iter().map(|c| c.ports.iter().map(&mut bind).collect()).collect()
    }

    /// Gives back what [`Estate::occupy`] took.
    pub(super) fn vacate(&mut self, instance: usize, definition: &TaskDefinition, ports: impl Iterator<Item = u16>) {
        let host = &mut self.instances[instance];
        host.cpu_left = (host.cpu_left + definition.cpu).min(host.cpu);
        host.memory_left = (host.memory_left + definition.memory).min(host.memory);
        for port in ports {
            host.ports.remove(&port);
        }
    }
}

/// What a container instance lacks for a task.
struct Lack {
    /// In AWS's words.
    words: &'static str,
    /// Checks that it had passed before.
    passed: usize,
}

fn lacking(host: &ContainerInstance, definition: &TaskDefinition) -> Option<Lack> {
    let fixed = |port: &(u16, u16, String)| match definition.network {
        NetworkMode::Host => Some(port.0),
        NetworkMode::Bridge if port.1 > 0 => Some(port.1),
        _ => None,
    };
    let mut ports = definition.containers.iter().flat_map(|c| c.ports.iter()).filter_map(fixed);
    let arm = definition.document.contains("\"cpuArchitecture\":\"ARM64\"");
    let checks = [
        (host.status == InstanceStatus::Draining, "is not in an ACTIVE state"),
        (!host.agent_connected, "encountered error \"AGENT\""),
        (arm != (host.architecture == "arm64"), "is missing an attribute required by your task"),
        (ports.any(|port| host.ports.contains(&port)), "is already using a port required by your task"),
        (host.cpu_left < definition.cpu, "has insufficient CPU units available"),
        (host.memory_left < definition.memory, "has insufficient memory available"),
    ];
    let passed = checks.iter().position(|(lacks, _)| *lacks)?;
    Some(Lack { words: checks[passed].1, passed })
}

fn refusal(hosts: &[ContainerInstance], candidates: &[usize], definition: &TaskDefinition) -> String {
    let guide = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    // The closest is the one that passes most of the checks, then the one with most memory left.
    let closest =
        candidates.iter().max_by_key(|&&i| (lacking(&hosts[i], definition).map_or(usize::MAX, |lack| lack.passed), hosts[i].memory_left));
    let why = match closest.map(|&i| &hosts[i]) {
        Some(host) => {
            let lack = lacking(host, definition).map_or("is missing an attribute required by your task", |lack| lack.words);
            format!("The closest matching (container-instance {:032x}) {lack}.", host.id)
        }
        None => "Reason: No Container Instances were found in your cluster.".to_owned(),
    };
    format!("was unable to place a task because no container instance met all of its requirements. {why} {guide}")
}
