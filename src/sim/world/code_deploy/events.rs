//! The lifecycle events of a release: what each one does, how long it waits, and when it is done.

use super::{Estate, INSTALL_LIMIT, LOOK, LoadBalancing, Ms, ReleaseStatus, SetSeen, Traffic, app_spec};
use crate::sim::world::metrics::MINUTE;
use crate::sim::world::state::EventStatus;

impl Estate {
    pub(super) fn begin_event(&mut self, index: usize, at: usize) {
        let now = self.now;
        let release = &self.code_deploy.releases[index];
        let group = &self.code_deploy.groups[release.group];
        let (name, back) = (release.events[at].name, release.rolls_back.is_some());
        let own = app_spec::read(&release.spec).map(|spec| spec.hooks).unwrap_or_default();
        // A rollback calls nobody: what it goes back to was proven when it came.
        let mut hooks = own.iter().chain(&group.hooks).filter(|_| !back);
        let hooked = hooks.find(|(hook, _)| hook == name).map(|(_, function)| function.clone());
        if name == "BeforeAllowTraffic" && !back && self.waits_to_be_continued(index) {
            return;
        }
        // A function takes its seconds, an event without one passes at once.
        let wait = if hooked.is_some() { 12_000 } else { 800 };
        let release = &mut self.code_deploy.releases[index];
        release.events[at].status = EventStatus::InProgress;
        release.events[at].started_at = Some(now);
        release.events[at].function = hooked;
        release.due_at = now + wait;
        match name {
            "Install" if !back => self.install(index),
            "AllowTestTraffic" => self.show_to_testers(index),
            // Stopped before anything was made: there is nothing to shift.
            "AllowTraffic" if back && self.code_deploy.releases[index].green.id == 0 => {}
            "AllowTraffic" if back => self.shift(index, 100),
            "AllowTraffic" => {
                let percent = self.code_deploy.releases[index].traffic.percent;
                self.shift(index, percent);
            }
            _ => {}
        }
    }

    /// The wait of `ContinueDeployment`; true while it lasts.
    fn waits_to_be_continued(&mut self, index: usize) -> bool {
        let now = self.now;
        let release = &self.code_deploy.releases[index];
        let Some(wait) = self.code_deploy.groups[release.group].ready_wait else { return false };
        let release = &mut self.code_deploy.releases[index];
        if release.status == ReleaseStatus::InProgress && !release.go_on {
            release.status = ReleaseStatus::Ready;
            release.due_at = now + wait;
            return true;
        }
        if release.status == ReleaseStatus::Ready && !release.go_on {
            let words = "The deployment timed out while waiting for the user's notification to reroute traffic.".to_owned();
            self.stop_release(index, Some(("TIMEOUT", words)), "DEPLOYMENT_FAILURE");
            return true;
        }
        release.status = ReleaseStatus::InProgress;
        release.go_on = false;
        false
    }

    /// Makes the replacement task set.
    fn install(&mut self, index: usize) {
        let release = &self.code_deploy.releases[index];
        let group = &self.code_deploy.groups[release.group];
        let (service, pair) = (group.service, group.target_groups);
        let (Some(definition), id) = (release.definition.clone(), release.id.clone()) else { return };
        let of = &self.services[service];
        let Some(primary) = of.deployments.first().map(|d| d.id) else { return };
        let Some(balancing) = of.current_revision().and_then(|r| r.load_balancers.first()).cloned() else { return };
        let old = balancing.target_group;
        let new = if pair[0] == old { pair[1] } else { pair[0] };
        // What an earlier release has left behind goes first.
        let leftovers: Vec<u64> = of.deployments.iter().skip(1).map(|d| d.id).collect();
        for set in leftovers {
            self.delete_task_set(service, set);
        }
        let read = app_spec::read(&self.code_deploy.releases[index].spec).ok().and_then(|spec| spec.container);
        let (container, port) = read.unwrap_or((balancing.container, balancing.port));
        if !definition.containers.iter().any(|c| c.name == container) {
            let words = format!(
                "The ECS service cannot be updated due to an unexpected error: The container {container} does not exist in the task \
                 definition. (Service: AmazonECS; Status Code: 400; Error Code: InvalidParameterException). Check your ECS service status."
            );
            return self.fail_release(index, "ECS_UPDATE_ERROR", words);
        }
        let places = vec![LoadBalancing { target_group: new, container, port, alternate: None, test_port: None }];
        let made = self.create_task_set(service, definition, places, &id, "CODE_DEPLOY").unwrap_or_default();
        let release = &mut self.code_deploy.releases[index];
        release.blue = SetSeen { id: primary, target_group: old, weight: 100, ..SetSeen::default() };
        release.green = SetSeen { id: made, target_group: new, ..SetSeen::default() };
        release.due_at = self.now + LOOK;
    }

    fn show_to_testers(&mut self, index: usize) {
        let release = &self.code_deploy.releases[index];
        let group = &self.code_deploy.groups[release.group];
        let (balancer, green) = (group.listener.0, release.green.target_group);
        if let Some(listener) = group.test_listener {
            self.load_balancers[balancer].listeners[listener].default = vec![(green, 1)];
        }
    }

    /// Gives the replacement so many percent of the traffic; of a rollback the old set.
    fn shift(&mut self, index: usize, percent: u32) {
        let release = &mut self.code_deploy.releases[index];
        release.green.weight = percent;
        release.blue.weight = 100 - percent;
        let (blue, green) = ((release.blue.target_group, 100 - percent), (release.green.target_group, percent));
        let minutes = if percent < 100 { release.traffic.minutes } else { 0 };
        release.due_at = self.now + (Ms::from(minutes) * MINUTE).max(1_000);
        let group = &self.code_deploy.groups[release.group];
        let (service, (balancer, at)) = (group.service, group.listener);
        let listener = &mut self.load_balancers[balancer].listeners[at];
        let ours = |group: usize| group == blue.0 || group == green.0;
        for rule in listener.rules.iter_mut().filter(|rule| rule.forward.iter().any(|(group, _)| ours(*group))) {
            rule.forward = vec![blue, green];
        }
        // A network load balancer knows no weights: it changes over with the last shift.
        if listener.default.iter().any(|(to, _)| ours(*to)) && percent == 100 {
            listener.default = vec![(green.0, 1)];
        }
        if percent == 100 {
            let id = self.code_deploy.releases[index].green.id;
            self.set_primary_task_set(service, id);
        }
    }

    /// Whether the event under way is done; it may fail the release.
    pub(super) fn event_is_done(&mut self, index: usize, at: usize) -> bool {
        let release = &self.code_deploy.releases[index];
        let service = self.code_deploy.groups[release.group].service;
        let back = release.rolls_back.is_some();
        match release.events[at].name {
            "Install" if !back => {
                let wanted = self.services[service].desired as usize;
                let begun = release.events[at].started_at.unwrap_or(self.now);
                if self.well_of_set(service, release.green.id) >= wanted {
                    return true;
                }
                if self.now - begun >= INSTALL_LIMIT {
                    let words = "The deployment timed out while waiting for the replacement task set to become healthy. This time out \
                                 period is 60 minutes.";
                    self.fail_release(index, "TIMEOUT", words.to_owned());
                }
                false
            }
            "AllowTraffic" if release.green.weight < 100 && release.green.id != 0 => {
                let Traffic { percent, linear, .. } = release.traffic;
                let next = if linear { (release.green.weight + percent).min(100) } else { 100 };
                self.shift(index, next);
                false
            }
            _ => self.function_agrees(index, at),
        }
    }

    /// Whether the function of an event lets the release go on; if it does not, the release fails.
    fn function_agrees(&mut self, index: usize, at: usize) -> bool {
        let function = self.code_deploy.releases[index].events[at].function.clone();
        // An ARN ends in the name.
        let fails = function.as_deref().and_then(|f| f.rsplit(':').next()).is_some_and(|name| self.failing.contains(name));
        if fails {
            let words = "The deployment failed because one or more of the lifecycle event validation functions failed.";
            self.fail_release(index, "HOOK_EXECUTION_FAILURE", words.to_owned());
        }
        !fails
    }

    /// All events are done: the old set is kept for a while, and then goes.
    pub(super) fn end_old_set(&mut self, index: usize) {
        let now = self.now;
        let release = &self.code_deploy.releases[index];
        let group = &self.code_deploy.groups[release.group];
        let (service, wait) = (group.service, group.termination_wait);
        let (old, back) = (release.blue.id, release.rolls_back.is_some());
        let release = &mut self.code_deploy.releases[index];
        if !release.terminating && !back {
            release.terminating = true;
            release.go_on = false;
            release.due_at = now + wait;
            return;
        }
        self.delete_task_set(service, old);
        self.see_sets(index);
        let release = &mut self.code_deploy.releases[index];
        release.terminating = true;
        release.status = ReleaseStatus::Succeeded;
        release.completed_at = Some(now);
    }
}
