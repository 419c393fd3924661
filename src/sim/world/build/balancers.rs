//! Load balancers, listeners, rules and target groups of a scenario's services.

use crate::sim::scenario::LaunchType;
use crate::sim::scenario::schema as file;
use crate::sim::world::past;
use crate::sim::world::state::{Check, Estate, Listener, LoadBalancer, LoadBalancing, Rule, TargetGroup};

impl Estate {
    /// The target group of a service, hung on its load balancer, and the other one of a pair.
    pub(in crate::sim::world) fn build_balancing(&mut self, service: &file::Service, file: &file::LoadBalancer) -> LoadBalancing {
        let balancer = self.balancer(file);
        let name = file.target_group.clone().unwrap_or_else(|| format!("{}-{}", service.cluster.get_ref(), service.name));
        let group = self.build_target_group(&name, balancer, service, file);
        let invented = &self.target_groups[group].id;
        self.target_groups[group].id = file.target_group_id.clone().unwrap_or_else(|| invented.clone());
        let alternate = (file.pair && service.controller != file::Controller::CodeDeploy).then(|| {
            // Room for the ending within the 32 characters.
            let name: String = name.chars().take(30).collect();
            self.build_target_group(&format!("{}-b", name.trim_end_matches('-')), balancer, service, file)
        });
        // ECS keeps both groups of a pair in its rule; CodeDeploy takes the idle one out.
        let native = file.pair && service.controller == file::Controller::Ecs;
        let mut forward = vec![(group, if native { 100 } else { 1 })];
        forward.extend(alternate.filter(|_| native).map(|other| (other, 0)));
        let rule_id = self.rng.hex(16);
        let listener = &mut self.load_balancers[balancer].listeners[0];
        let routed = file.host.is_some() || !file.hosts.is_empty() || !file.paths.is_empty();
        if file.network || file.default {
            listener.default.clone_from(&forward);
        }
        if !file.network && (routed || !file.default) {
            let priority = u32::try_from(listener.rules.len()).unwrap_or(0) * 10 + 10;
            let hosts = file.host.iter().chain(&file.hosts).cloned().collect();
            let paths = if routed { file.paths.clone() } else { vec![format!("/{}/*", service.name)] };
            listener.rules.push(Rule { id: rule_id, priority, hosts, paths, forward });
        }
        if let (Some(port), Some(other)) = (file.test_port, alternate) {
            self.build_test_listener(balancer, port, if native { vec![(group, 100), (other, 0)] } else { vec![(group, 1)] });
        }
        let first = || service.container[0].name.clone();
        let container = file.container.as_ref().map_or_else(first, |name| name.get_ref().clone());
        LoadBalancing { target_group: group, container, port: file.port, alternate, test_port: file.test_port }
    }

    fn build_target_group(&mut self, name: &str, balancer: usize, service: &file::Service, file: &file::LoadBalancer) -> usize {
        let instance = service.launch == LaunchType::Ec2 && service.network != file::Network::Awsvpc;
        self.target_groups.push(TargetGroup {
            name: shortened(name),
            id: self.rng.hex(16),
            protocol: if file.network { "TCP" } else { "HTTP" },
            port: file.port,
            target_type: if instance { "instance" } else { "ip" },
            check: Check {
                path: file.path.clone(),
                interval: file.interval.as_seconds(),
                timeout: file.timeout.as_seconds(),
                healthy: file.healthy,
                unhealthy: file.unhealthy,
                matcher: file.matcher.clone(),
            },
            drain: file.drain.as_seconds(),
            load_balancer: Some(balancer),
            targets: Vec::new(),
        });
        self.target_groups.len() - 1
    }

    fn build_test_listener(&mut self, balancer: usize, port: u16, forward: Vec<(usize, u32)>) {
        let id = self.rng.hex(16);
        let of = &mut self.load_balancers[balancer];
        let protocol = of.listeners[0].protocol;
        match of.listeners.iter_mut().find(|l| l.port == port) {
            Some(known) => known.default = forward,
            None => of.listeners.push(Listener { id, port, protocol, default: forward, rules: Vec::new() }),
        }
    }

    fn balancer(&mut self, file: &file::LoadBalancer) -> usize {
        if let Some(known) = self.load_balancers.iter().position(|lb| lb.name == file.name) {
            return known;
        }
        let (port, protocol) = match (file.network, file.internal) {
            (true, _) => (443, "TCP"),
            (false, true) => (80, "HTTP"),
            (false, false) => (443, "HTTPS"),
        };
        let listener = Listener { id: self.rng.hex(16), port, protocol, default: Vec::new(), rules: Vec::new() };
        self.load_balancers.push(LoadBalancer {
            name: file.name.clone(),
            id: self.rng.hex(16),
            dns_number: file.dns_number,
            kind: if file.network { "network" } else { "application" },
            scheme: if file.internal { "internal" } else { "internet-facing" },
            created_at: self.now - 700 * past::DAY,
            listeners: vec![listener],
        });
        self.load_balancers.len() - 1
    }
}

/// Target group names have at most 32 characters and do not end in a hyphen.
fn shortened(name: &str) -> String {
    name.chars().take(32).collect::<String>().trim_end_matches('-').to_owned()
}
