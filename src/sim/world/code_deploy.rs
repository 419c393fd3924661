//! `CodeDeploy`'s blue/green deployments of ECS services, here called releases: a replacement task set beside the old
//! one, lifecycle events one after another, traffic that shifts by listener weights, the wait before the old set ends,
//! and the ways back. Which words a client gets is another matter.

mod back;
mod build;
mod events;

use std::sync::Arc;

use super::app_spec;
use super::metrics::MINUTE;
use super::queue::Due;
use super::state::{
    AlarmState, Estate, EventStatus, Lifecycle, LoadBalancing, Ms, Release, ReleaseGroup, ReleaseStatus, SetSeen, TaskDefinition, Traffic,
};
use crate::sim::rng::mix;

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

    /// `ContinueDeployment`: ends the wait that a release is in.
    pub fn continue_release(&mut self, index: usize) {
        let now = self.now;
        let release = &mut self.code_deploy.releases[index];
        release.go_on = true;
        release.due_at = now;
        self.after(0, Due::Release(index));
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
