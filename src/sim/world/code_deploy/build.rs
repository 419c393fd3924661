//! Deployment groups of a scenario, with the second target group of each, and the deployment that brought what runs.

use std::sync::Arc;

use super::{Estate, LoadBalancing, Ms, ReleaseGroup, ReleaseStatus, SetSeen, Traffic, all_at_once, app_spec, config};
use crate::sim::rng::{hash, mix};
use crate::sim::scenario::schema as file;
use crate::sim::world::past;
use crate::sim::world::state::{EventStatus, Listener};

impl Estate {
    /// A deployment group of a scenario, over a service that was built, with the deployment that brought what runs.
    pub(in crate::sim::world) fn build_code_deploy(&mut self, file: &file::CodeDeploy, opened: Ms) {
        let (cluster, name) = (file.cluster.get_ref(), file.service.get_ref());
        let service = self.service_named(cluster, name);
        let Some(balancing) = self.services[service].current_revision().and_then(|r| r.load_balancers.first()).cloned() else { return };
        let blue = balancing.target_group;
        let green = self.second_group(blue);
        let Some(listener) = self.listener_of(blue) else { return };
        let test_listener = file.test_port.map(|port| self.test_listener(listener.0, port, blue));
        let mut traffic = config(&file.config).unwrap_or_else(|| all_at_once(&file.config));
        if let (Some(percent), Some(interval)) = (file.percent, file.interval) {
            traffic = Traffic { name: file.config.clone(), percent, minutes: interval.as_seconds() / 60, linear: file.linear };
        }
        let hooks: Vec<(String, String)> = file.hooks.iter().map(|(hook, function)| (hook.clone(), function.clone())).collect();
        self.code_deploy.groups.push(ReleaseGroup {
            application: file.application.clone().unwrap_or_else(|| format!("AppECS-{cluster}-{name}")),
            name: file.group.clone().unwrap_or_else(|| format!("DgpECS-{cluster}-{name}")),
            service,
            traffic: traffic.clone(),
            termination_wait: file.termination_wait.0,
            ready_wait: file.ready_wait.map(|wait| wait.0),
            rollback: file.rollback.clone(),
            alarms: file.alarms.clone(),
            hooks: hooks.clone(),
            target_groups: [blue, green],
            listener,
            test_listener,
            created_at: opened - 300 * past::DAY,
        });
        let group = self.code_deploy.groups.len() - 1;
        self.first_release(group, &balancing, traffic, &hooks);
    }

    /// The release that brought what runs when the world begins.
    fn first_release(&mut self, group: usize, balancing: &LoadBalancing, traffic: Traffic, hooks: &[(String, String)]) {
        let of = &self.services[self.code_deploy.groups[group].service];
        let (Some(primary), Some(revision)) = (of.deployments.first(), of.current_revision()) else { return };
        let definition = Arc::clone(&revision.definition);
        let (at, done) = (primary.created_at, primary.updated_at);
        let id = primary.set.as_ref().map_or_else(String::new, |set| set.external_id.clone());
        let blue = SetSeen { id: mix(primary.id), target_group: self.code_deploy.groups[group].target_groups[1], ..SetSeen::default() };
        let green = SetSeen { id: primary.id, target_group: balancing.target_group, weight: 100, ..SetSeen::default() };
        let spec = app_spec::write(&self.definition_arn(&definition), &balancing.container, balancing.port, hooks);
        let mut release = self.blank_release(group, id, spec, Some(definition), traffic);
        for (n, event) in (0..).zip(&mut release.events) {
            event.status = EventStatus::Succeeded;
            event.started_at = Some(at + n * 40_000);
            event.ended_at = Some(at + n * 40_000 + 30_000);
        }
        release.created_at = at;
        release.started_at = Some(at + 1_200);
        release.completed_at = Some(done);
        release.status = ReleaseStatus::Succeeded;
        release.terminating = true;
        (release.blue, release.green) = (blue, green);
        self.code_deploy.releases.push(release);
    }

    /// The other target group of the pair, alike and empty, on the same load balancer.
    fn second_group(&mut self, blue: usize) -> usize {
        let mut green = self.target_groups[blue].clone();
        let stem: String = green.name.chars().take(26).collect();
        green.name = format!("{}-green", stem.trim_end_matches('-'));
        green.id = format!("{:016x}", mix(hash(&self.target_groups[blue].id)));
        green.targets = Vec::new();
        self.target_groups.push(green);
        let index = self.target_groups.len() - 1;
        for listener in self.load_balancers.iter_mut().flat_map(|lb| &mut lb.listeners) {
            for rule in listener.rules.iter_mut().filter(|rule| rule.forward.iter().any(|(group, _)| *group == blue)) {
                rule.forward = vec![(blue, 100), (index, 0)];
            }
        }
        index
    }

    fn listener_of(&self, group: usize) -> Option<(usize, usize)> {
        self.load_balancers.iter().enumerate().find_map(|(lb, balancer)| {
            let leads = |l: &Listener| {
                l.default.iter().any(|(to, _)| *to == group) || l.rules.iter().any(|rule| rule.forward.iter().any(|(to, _)| *to == group))
            };
            balancer.listeners.iter().position(leads).map(|at| (lb, at))
        })
    }

    fn test_listener(&mut self, balancer: usize, port: u16, group: usize) -> usize {
        let listeners = &mut self.load_balancers[balancer].listeners;
        if let Some(known) = listeners.iter().position(|l| l.port == port) {
            return known;
        }
        let mut listener = listeners[0].clone();
        listener.id = format!("{:016x}", mix(hash(&format!("{} {port}", listener.id))));
        listener.port = port;
        listener.default = vec![(group, 1)];
        listener.rules = Vec::new();
        listeners.push(listener);
        listeners.len() - 1
    }
}
