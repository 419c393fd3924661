//! `CodeDeploy`'s blue/green deployments of ECS services, here called releases: a replacement task set beside the old
//! one, lifecycle events one after another, traffic that shifts by listener weights, the wait before the old set ends,
//! and the ways back. Which words a client gets is another matter.

use std::sync::Arc;

use super::app_spec;
use super::metrics::MINUTE;
use super::queue::Due;
use super::state::{
    AlarmState, Estate, EventStatus, Lifecycle, LoadBalancing, Ms, Release, ReleaseGroup, ReleaseStatus, SetSeen, TaskDefinition, Traffic,
};
use crate::sim::rng::{hash, mix};
use crate::sim::scenario::schema as file;

/// How often a release looks whether it can go on.
const LOOK: Ms = 5_000;
/// A replacement task set has so long to become healthy.
const INSTALL_LIMIT: Ms = 60 * MINUTE;
/// Events of a deployment to ECS, in their order.
const EVENTS: [&str; 6] = ["BeforeInstall", "Install", "AfterInstall", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"];
/// Two more for a group with a listener for test traffic, before the fourth.
const TEST_EVENTS: [&str; 2] = ["AllowTestTraffic", "AfterAllowTestTraffic"];

/// Why a deployment cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The group has one under way, with this id.
    Busy(String),
    /// The `AppSpec` cannot be used.
    Spec(String),
}

impl Estate {
    /// A deployment group of a scenario, over a service that was built, with the deployment that brought what runs.
    pub(super) fn build_code_deploy(&mut self, file: &file::CodeDeploy, opened: Ms) {
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
            created_at: opened - 300 * super::past::DAY,
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
            let leads = |l: &super::state::Listener| {
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

    fn blank_release(&self, group: usize, id: String, spec: String, definition: Option<Arc<TaskDefinition>>, traffic: Traffic) -> Release {
        let of = &self.code_deploy.groups[group];
        let mut names = EVENTS.to_vec();
        if of.test_listener.is_some() {
            names.splice(3..3, TEST_EVENTS);
        }
        let event = |name| Lifecycle { name, status: EventStatus::Pending, function: None, started_at: None, ended_at: None };
        let previous = self.code_deploy.releases.iter().rev().find(|r| r.group == group && r.status == ReleaseStatus::Succeeded);
        Release {
            id,
            group,
            spec,
            previous: previous.map(|r| r.spec.clone()),
            definition,
            traffic,
            description: String::new(),
            creator: "user",
            rollback: of.rollback.clone(),
            status: ReleaseStatus::Created,
            created_at: self.now,
            started_at: None,
            completed_at: None,
            error: None,
            rolls_back: None,
            rolled_back_by: None,
            events: names.into_iter().map(event).collect(),
            blue: SetSeen::default(),
            green: SetSeen::default(),
            due_at: self.now,
            terminating: false,
            go_on: false,
        }
    }

    /// Whether a deployment of `CodeDeploy` is under way for a service.
    #[must_use]
    pub fn is_releasing(&self, service: usize) -> bool {
        let of = |r: &Release| self.code_deploy.groups[r.group].service == service;
        self.code_deploy.releases.iter().rev().any(|r| !r.ended() && of(r))
    }

    /// Makes a deployment; its index.
    ///
    /// # Errors
    /// If another one is under way, or the `AppSpec` cannot be used.
    pub fn create_release(&mut self, group: usize, spec: &str, traffic: Option<Traffic>) -> Result<usize, Refused> {
        let read = app_spec::read(spec).map_err(Refused::Spec)?;
        if let Some(busy) = self.code_deploy.releases.iter().find(|r| r.group == group && !r.ended()) {
            return Err(Refused::Busy(busy.id.clone()));
        }
        let name = read.definition.rsplit('/').next().unwrap_or_default();
        let (family, revision) = name.rsplit_once(':').unwrap_or((name, ""));
        let definition = match revision.parse() {
            Ok(revision) => self.definition(family, revision).cloned(),
            Err(_) => self.newest(family).cloned(),
        };
        let id = release_id(self.rng.next());
        let traffic = traffic.unwrap_or_else(|| self.code_deploy.groups[group].traffic.clone());
        let mut release = self.blank_release(group, id, spec.to_owned(), definition, traffic);
        release.due_at = self.now + 1_500;
        Ok(self.push_release(release))
    }

    fn push_release(&mut self, release: Release) -> usize {
        self.code_deploy.releases.push(release);
        let index = self.code_deploy.releases.len() - 1;
        self.after(1_500, Due::Release(index));
        index
    }

    /// A release as an actor of the scenario makes it: the last `AppSpec` with another task definition.
    pub(super) fn release_by_spec(&mut self, service: usize, definition: &TaskDefinition) {
        let Some(group) = self.code_deploy.groups.iter().position(|g| g.service == service) else { return };
        let last = self.code_deploy.releases.iter().rev().find(|r| r.group == group && r.status == ReleaseStatus::Succeeded);
        let Some(read) = last.and_then(|r| app_spec::read(&r.spec).ok()) else { return };
        let (container, port) = read.container.unwrap_or_default();
        let spec = app_spec::write(&self.definition_arn(definition), &container, port, &read.hooks);
        // A bot whose turn comes while another release is under way misses it, as in AWS.
        let _ = self.create_release(group, &spec, None);
    }

    /// Looks whether a release can go on, and does.
    pub(super) fn step_release(&mut self, index: usize) {
        if self.code_deploy.releases[index].ended() {
            return;
        }
        // An alarm cuts every pause short.
        if let Some(alarm) = self.ringing(index) {
            let words = format!(
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected \
                 deployments have been stopped. Activated alarms: <{alarm}>"
            );
            self.stop_release(index, Some(("ALARM_ACTIVE", words)), "DEPLOYMENT_STOP_ON_ALARM");
        } else if self.now >= self.code_deploy.releases[index].due_at {
            self.advance_release(index);
        }
        self.see_sets(index);
        let release = &self.code_deploy.releases[index];
        if !release.ended() {
            let wait = (release.due_at - self.now).clamp(1_000, LOOK);
            self.after(wait, Due::Release(index));
        }
    }

    fn advance_release(&mut self, index: usize) {
        let now = self.now;
        let release = &mut self.code_deploy.releases[index];
        if release.status == ReleaseStatus::Created {
            release.status = ReleaseStatus::InProgress;
            release.started_at = Some(now);
            let lacks = match &release.definition {
                None => Some("TaskDefinition not found."),
                Some(definition) if !definition.active => Some("TaskDefinition is inactive"),
                Some(_) => None,
            };
            if let Some(lacks) = lacks.filter(|_| release.rolls_back.is_none()) {
                // The frame of ECS_UPDATE_ERROR stands so in people's logs, with a request id that nobody needs.
                let words = format!(
                    "The ECS service cannot be updated due to an unexpected error: {lacks} (Service: AmazonECS; Status Code: 400; Error \
                     Code: ClientException). Check your ECS service status."
                );
                return self.fail_release(index, "ECS_UPDATE_ERROR", words);
            }
        }
        let release = &self.code_deploy.releases[index];
        let Some(at) = release.events.iter().position(|event| event.status != EventStatus::Succeeded) else {
            return self.end_old_set(index);
        };
        if release.events[at].status == EventStatus::Pending {
            self.begin_event(index, at);
        } else if self.event_is_done(index, at) && !self.code_deploy.releases[index].ended() {
            let event = &mut self.code_deploy.releases[index].events[at];
            event.status = EventStatus::Succeeded;
            event.ended_at = Some(now);
        }
    }

    /// The alarm that stops a release, if one rings.
    fn ringing(&self, index: usize) -> Option<String> {
        let release = &self.code_deploy.releases[index];
        let watched = release.rolls_back.is_none() && !release.terminating;
        let alarms = &self.code_deploy.groups[release.group].alarms;
        alarms.iter().find(|name| watched && self.alarm_state(name) == Some(AlarmState::Alarm)).cloned()
    }

    fn begin_event(&mut self, index: usize, at: usize) {
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
    fn event_is_done(&mut self, index: usize, at: usize) -> bool {
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
    fn end_old_set(&mut self, index: usize) {
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

    /// Keeps what the task sets look like while a release can see them.
    fn see_sets(&mut self, index: usize) {
        let service = self.code_deploy.groups[self.code_deploy.releases[index].group].service;
        let seen = |seen: &SetSeen| {
            let at = self.services[service].deployments.iter().position(|d| d.id == seen.id)?;
            let set = self.services[service].deployments[at].set.as_ref()?;
            let counts = self.counts_of_set(service, seen.id);
            let status = if set.leaving {
                "DRAINING"
            } else if at == 0 {
                "PRIMARY"
            } else {
                "ACTIVE"
            };
            Some((status, (self.wanted_of_set(service, set), counts.0, counts.1)))
        };
        let release = &self.code_deploy.releases[index];
        let (blue, green) = (seen(&release.blue), seen(&release.green));
        let release = &mut self.code_deploy.releases[index];
        for (of, now) in [(&mut release.blue, blue), (&mut release.green, green)] {
            (of.status, of.counts) = now.unwrap_or_default();
        }
    }

    fn fail_release(&mut self, index: usize, code: &'static str, words: String) {
        self.end_release(index, ReleaseStatus::Failed, Some((code, words)), "DEPLOYMENT_FAILURE", false);
    }

    fn stop_release(&mut self, index: usize, error: Option<(&'static str, String)>, event: &str) {
        self.end_release(index, ReleaseStatus::Stopped, error, event, false);
    }

    /// `StopDeployment`: true if it rolls back. Without a word about it the group's configuration decides.
    pub fn stop_by_user(&mut self, index: usize, roll_back: Option<bool>) -> bool {
        if roll_back == Some(false) {
            self.code_deploy.releases[index].rollback.retain(|event| event != "DEPLOYMENT_STOP_ON_REQUEST");
        }
        self.end_release(index, ReleaseStatus::Stopped, None, "DEPLOYMENT_STOP_ON_REQUEST", roll_back == Some(true));
        self.code_deploy.releases[index].rolled_back_by.is_some()
    }

    /// `ContinueDeployment`: ends the wait that a release is in.
    pub fn continue_release(&mut self, index: usize) {
        let now = self.now;
        let release = &mut self.code_deploy.releases[index];
        release.go_on = true;
        release.due_at = now;
        self.after(0, Due::Release(index));
    }

    fn end_release(&mut self, index: usize, status: ReleaseStatus, error: Option<(&'static str, String)>, event: &str, force: bool) {
        let now = self.now;
        self.see_sets(index);
        let release = &mut self.code_deploy.releases[index];
        release.status = status;
        release.error = error;
        release.completed_at = Some(now);
        for each in &mut release.events {
            match each.status {
                EventStatus::InProgress => {
                    each.status = if status == ReleaseStatus::Failed { EventStatus::Failed } else { EventStatus::Skipped };
                    each.ended_at = Some(now);
                }
                EventStatus::Pending => each.status = EventStatus::Skipped,
                _ => {}
            }
        }
        let wanted = force || release.rollback.iter().any(|known| known == event);
        if wanted && release.rolls_back.is_none() {
            self.roll_release_back(index, event);
        }
    }

    /// A release of its own that gives the traffic back to the old set and lets the new one go.
    fn roll_release_back(&mut self, index: usize, event: &str) {
        let failed = &self.code_deploy.releases[index];
        let (group, id, green, blue) = (failed.group, failed.id.clone(), failed.green.clone(), failed.blue.clone());
        let Some(spec) = failed.previous.clone() else { return };
        let service = self.code_deploy.groups[group].service;
        if green.id != 0 && !self.services[service].deployments.iter().any(|d| d.id == blue.id) {
            // Nothing is left to go back to: what runs stays as it is.
            return;
        }
        let definition = self.services[service].revision_of(blue.id).map(|r| Arc::clone(&r.definition));
        let name = release_id(self.rng.next());
        let mut release = self.blank_release(group, name.clone(), spec, definition, all_at_once("CodeDeployDefault.ECSAllAtOnce"));
        release.creator = "codeDeployRollback";
        release.description = format!("AWS CodeDeploy rollback of deployment {id}");
        release.rolls_back = Some(id);
        // For the rollback the failed set is the original, and the old one replaces it.
        release.blue = green;
        release.green = blue;
        release.due_at = self.now + 1_500;
        self.push_release(release);
        let why = match event {
            "DEPLOYMENT_STOP_ON_ALARM" => "an alarm was activated",
            "DEPLOYMENT_STOP_ON_REQUEST" => "the deployment was stopped",
            _ => "the deployment failed",
        };
        let message = format!("Deployment {name} was created to roll back because {why}.");
        self.code_deploy.releases[index].rolled_back_by = Some((name, message));
    }

    /// Tasks of a set on their way to RUNNING, and there.
    #[must_use]
    pub fn counts_of_set(&self, service: usize, id: u64) -> (usize, usize) {
        use super::state::TaskStatus as S;
        let tasks = || self.services[service].tasks.iter().filter_map(|task| self.tasks.get(task)).filter(|t| t.deployment == id);
        let pending = tasks().filter(|t| matches!(t.status, S::Provisioning | S::Pending | S::Activating)).count();
        (pending, tasks().filter(|t| t.status == S::Running).count())
    }
}

impl Release {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.status, ReleaseStatus::Succeeded | ReleaseStatus::Failed | ReleaseStatus::Stopped)
    }
}

/// A deployment configuration of AWS's own, by its name.
#[must_use]
pub fn config(name: &str) -> Option<Traffic> {
    CONFIGS.iter().find(|(own, ..)| *own == name).map(|(name, percent, minutes, linear)| Traffic {
        name: (*name).to_owned(),
        percent: *percent,
        minutes: *minutes,
        linear: *linear,
    })
}

/// Those for ECS: percent of the first shift, minutes until the next, and whether it goes on in equal steps.
pub const CONFIGS: [(&str, u32, u32, bool); 5] = [
    ("CodeDeployDefault.ECSAllAtOnce", 100, 0, false),
    ("CodeDeployDefault.ECSCanary10Percent5Minutes", 10, 5, false),
    ("CodeDeployDefault.ECSCanary10Percent15Minutes", 10, 15, false),
    ("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 10, 1, true),
    ("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", 10, 3, true),
];

fn all_at_once(name: &str) -> Traffic {
    Traffic { name: name.to_owned(), percent: 100, minutes: 0, linear: false }
}

/// `d-` and nine letters and digits.
pub(super) fn release_id(number: u64) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut left = mix(number);
    let mut id = "d-".to_owned();
    for _ in 0..9 {
        id.push(char::from(LETTERS[usize::try_from(left % 36).unwrap_or_default()]));
        left /= 36;
    }
    id
}
