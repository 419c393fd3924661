//! Where a task goes: a subnet and an address on Fargate, a container instance
//! with room on EC2.

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
    pub(super) fn place(
        &mut self,
        cluster: usize,
        definition: &TaskDefinition,
        launch: &Launch,
        on: Option<usize>,
    ) -> Result<Place, String> {
        let provider = match launch {
            Launch::Fargate => return Ok(self.fargate(None)),
            Launch::Ec2 => None,
            Launch::Providers(all) => {
                let chosen = self.choose_provider(all);
                if chosen.as_deref().is_none_or(|name| name.starts_with("FARGATE")) {
                    return Ok(self.fargate(chosen));
                }
                chosen
            }
        };
        let candidates: Vec<usize> = (0..self.instances.len())
            .filter(|&i| on.is_none_or(|wanted| wanted == i))
            .filter(|&i| self.instances[i].cluster == cluster)
            .filter(|&i| provider.is_none() || self.instances[i].capacity_provider == provider)
            .collect();
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

    fn fargate(&mut self, capacity_provider: Option<String>) -> Place {
        let zone = usize::try_from(self.addresses % 3).unwrap_or(0);
        let zones = self.zones();
        Place { fargate: true, capacity_provider, zone: zones[zone].clone(), instance: None }
    }

    fn choose_provider(&mut self, all: &[(String, u32, u32)]) -> Option<String> {
        let total: u32 = all.iter().map(|(_, weight, _)| weight).sum();
        let mut left = self.rng.below(u64::from(total.max(1)));
        for (name, weight, _) in all {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return Some(name.clone()),
            }
        }
        all.first().map(|(name, ..)| name.clone())
    }

    /// A network interface in a zone.
    pub(super) fn attach_eni(&mut self, zone: &str) -> Eni {
        let zones = self.zones();
        let index = zones.iter().position(|z| z == zone).unwrap_or(0);
        // Each zone has a /16; the first addresses of a subnet are AWS's own.
        let host = 10 + (self.addresses / 3) % 65_000;
        self.addresses += 1;
        let mac = self.rng.next().to_be_bytes();
        let mac: Vec<String> = mac[..5].iter().map(|b| format!("{b:02x}")).collect();
        Eni {
            attachment: self.rng.wide(),
            id: format!("eni-0{}", self.rng.hex(16)),
            subnet: self.subnets()[index].clone(),
            ip: format!("10.{}.{}.{}", 20 + index, host / 256, host % 256),
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

/// What a container instance lacks for a task, in AWS's words.
fn lacking(host: &ContainerInstance, definition: &TaskDefinition) -> Option<&'static str> {
    let fixed = |port: &(u16, u16, String)| match definition.network {
        NetworkMode::Host => Some(port.0),
        NetworkMode::Bridge if port.1 > 0 => Some(port.1),
        _ => None,
    };
    let mut ports = definition.containers.iter().flat_map(|c| c.ports.iter()).filter_map(fixed);
    if host.status == InstanceStatus::Draining {
        Some("is not in an ACTIVE state")
    } else if !host.agent_connected {
        Some("encountered error \"AGENT\"")
    } else if host.cpu_left < definition.cpu {
        Some("has insufficient CPU units available")
    } else if host.memory_left < definition.memory {
        Some("has insufficient memory available")
    } else if ports.any(|port| host.ports.contains(&port)) {
        Some("is already using a port required by your task")
    } else {
        None
    }
}

fn refusal(hosts: &[ContainerInstance], candidates: &[usize], definition: &TaskDefinition) -> String {
    let guide = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    let closest = candidates.iter().max_by_key(|&&i| hosts[i].memory_left);
    let why = match closest.map(|&i| &hosts[i]) {
        Some(host) => {
            let lack = lacking(host, definition).unwrap_or("is missing an attribute required by your task");
            format!("The closest matching (container-instance {:032x}) {lack}.", host.id)
        }
        None => "Reason: No Container Instances were found in your cluster.".to_owned(),
    };
    format!("was unable to place a task because no container instance met all of its requirements. {why} {guide}")
}
