//! What lies before the played past: older revisions and deployments, old
//! events, and tasks that have been running for days.

use std::sync::Arc;

use super::STEADY_AGAIN;
use super::actors::moved_tag;
use super::clockwork::listed;
use super::lifecycle::NewTask;
use super::queue::Due;
use super::register::{Flavour, Trait};
use super::state::{
    BreakerStatus, ContainerStatus, Deployment, DeploymentStatus, Estate, Health, Ms, Rollout, ServiceDeployment, TargetState,
    TaskDefinition, TaskId, TaskStatus,
};
use crate::sim::scenario::schema as file;
use crate::sim::scenario::{Error, Fate};

/// A day in ms.
pub(super) const DAY: Ms = 86_400_000;
/// Revisions before the current one that are still registered.
const EARLIER: u32 = 3;
/// Lines of "has reached a steady state." that the past leaves at most.
const OLD_STEADY: i64 = 12;

/// The past of one service.
pub(super) struct Past<'a> {
    /// Age of the current deployment in ms.
    pub deployed: Ms,
    /// Age of the service in ms.
    pub age: Ms,
    /// Its revisions, oldest first, the current one last.
    pub definitions: &'a [Arc<TaskDefinition>],
}

impl Estate {
    /// The current revision of a service's family and those before it, with their images.
    pub(super) fn build_definitions(&mut self, service: &file::Service) -> Vec<Arc<TaskDefinition>> {
        let family = service.family.as_ref().unwrap_or(&service.name);
        if let Some(known) = self.families.get(family) {
            return known.clone();
        }
        let earlier = EARLIER.min(service.revision - 1);
        let mut at = self.now - service.deployed.0 - 90_000;
        let mut stages = vec![(service.revision, at, self.tags_before(service, 0))];
        for back in 1..=earlier {
            at -= self.rng.between(DAY / 3, 6 * DAY);
            stages.push((service.revision - back, at, self.tags_before(service, i64::from(back))));
        }
        stages.reverse();
        stages.into_iter().map(|(revision, at, tags)| self.build_definition(service, revision, at, &tags)).collect()
    }

    fn tags_before(&mut self, service: &file::Service, back: i64) -> Vec<String> {
        let rng = &mut self.rng;
        let before = |c: &file::Container| {
            // Only what the team builds itself moves; the sidecar's tag stays.
            let own = c.is_own() && !c.moving && back > 0;
            own.then(|| moved_tag(&c.tag, -back, rng)).flatten().unwrap_or_else(|| c.tag.clone())
        };
        service.container.iter().map(before).collect()
    }

    pub(super) fn build_definition(&mut self, service: &file::Service, revision: u32, at: Ms, tags: &[String]) -> Arc<TaskDefinition> {
        for (container, tag) in service.container.iter().zip(tags) {
            if container.is_own() {
                if container.moving {
                    self.let_move(&container.image, tag, at - 240_000);
                }
                self.seed_image(&container.image, tag, revision, at - 240_000);
            }
        }
        let input = self.registration(service, tags);
        let current = revision == service.revision;
        let by = format!("arn:aws:sts::{}:assumed-role/ci-deploy/ci-bot", self.account);
        let flavour = Flavour {
            traits: service.container.iter().map(Trait::of).collect(),
            behaviour: Arc::new(if current { service.behaviour.clone() } else { file::Behaviour::default() }),
            revision: Some(revision),
            ..Flavour::plain(&by, at)
        };
        let definition = self.register(&input, flavour);
        for group in definition.containers.iter().filter_map(|c| c.log.as_ref()) {
            if let (Some(days), Some(kept)) = (service.log_retention, self.log_groups.get_mut(&group.group)) {
                kept.retention_days = Some(days);
            }
        }
        definition
    }
}

impl Past<'_> {
    /// Lays the past down under a service that has none yet.
    pub(super) fn lay_down(&self, estate: &mut Estate, service: usize) -> Result<(), Error> {
        let template = estate.services[service].revisions.remove(0);
        let created = estate.now - self.age;
        for (index, definition) in self.definitions.iter().enumerate() {
            let current = index + 1 == self.definitions.len();
            let at = if current { estate.now - self.deployed } else { definition.registered_at + 60_000 };
            let at = at.max(created);
            let id = estate.deployment_number();
            let mut revision = template.clone();
            revision.id = id;
            revision.definition = Arc::clone(definition);
            revision.digests = estate.resolve_images(definition, at);
            revision.created_at = at;
            let of = &mut estate.services[service];
            of.revisions.push(revision);
            let finished = at + estate.rng.between(170_000, 420_000);
            let past = past_deployment(estate, service, index, at, finished);
            let set = estate.first_set(service, id);
            let of = &mut estate.services[service];
            of.history.push(past);
            if current {
                of.deployments.push(Deployment {
                    id,
                    revision: index,
                    history: index,
                    rollout: Rollout::Completed,
                    reason: format!("ECS deployment ecs-svc/{id} completed."),
                    failed_tasks: 0,
                    backoff: 0,
                    not_before: 0,
                    created_at: at,
                    updated_at: finished,
                    set,
                });
            }
        }
        let tasks = self.seat_all(estate, service)?;
        self.old_events(estate, service, &tasks);
        estate.repeat_steady(service);
        Ok(())
    }

    fn seat_all(&self, estate: &mut Estate, service: usize) -> Result<Vec<TaskId>, Error> {
        let begun = (estate.now - self.deployed).max(estate.now - self.age);
        let wanted = estate.wanted(service);
        let mut seated = Vec::with_capacity(wanted);
        for index in 0..wanted {
            let daemon = estate.services[service].scheduling == super::Scheduling::Daemon;
            let on = daemon.then(|| {
                let cluster = estate.services[service].cluster;
                let mut hosts = (0..estate.instances.len()).filter(|&i| estate.instances[i].cluster == cluster);
                hosts.nth(index)
            });
            // One in eight was replaced since, for reasons of AWS's own.
            let replaced = estate.rng.chance(125) && self.deployed > DAY / 4;
            let latest = if replaced { self.deployed - DAY / 8 } else { 90_000.min(self.deployed) };
            let started = begun + estate.rng.between(35_000.min(latest), latest);
            let new = estate.task_of(service, on.flatten());
            let id =
                estate.seat_task(new, started).map_err(|words| Error(format!("service `{}` {words}", estate.services[service].name)))?;
            seated.push(id);
        }
        Ok(seated)
    }

    fn old_events(&self, estate: &mut Estate, service: usize, tasks: &[TaskId]) {
        let start = estate.now - self.deployed;
        let name = estate.services[service].name.clone();
        let deployment = estate.services[service].deployments[0].id;
        let done = estate.services[service].deployments[0].updated_at;
        let mut say = |at: Ms, text: String| estate.raw_event(service, at.min(done), format!("(service {name}) {text}"));
        if !tasks.is_empty() {
            let batch = &tasks[..tasks.len().min(10)];
            say(start + 9_000, format!("has started {} tasks: {}.", batch.len(), listed(batch)));
        }
        say(done, format!("(deployment ecs-svc/{deployment}) deployment completed."));
        say(done, "has reached a steady state.".to_owned());
        let repeats = ((estate.now - done) / STEADY_AGAIN).clamp(0, OLD_STEADY);
        let offset = if repeats > 0 { (estate.now - done) % STEADY_AGAIN } else { 0 };
        for back in (0..repeats).rev() {
            let at = estate.now - offset - back * STEADY_AGAIN;
            estate.raw_event(service, at, format!("(service {name}) has reached a steady state."));
        }
    }
}

fn past_deployment(estate: &mut Estate, service: usize, index: usize, at: Ms, finished: Ms) -> ServiceDeployment {
    let of = &estate.services[service];
    let threshold = of.threshold();
    let breaker = if of.breaker.enable { BreakerStatus::MonitoringComplete } else { BreakerStatus::Disabled };
    ServiceDeployment {
        id: estate.service_deployment_id(),
        sources: index.checked_sub(1).into_iter().collect(),
        target: index,
        status: DeploymentStatus::Successful,
        reason: String::new(),
        created_at: at,
        started_at: at + 60,
        finished_at: Some(finished),
        stopped_at: None,
        updated_at: finished,
        rollback: None,
        breaker,
        failures: 0,
        threshold,
        alarms_fired: Vec::new(),
        shift: None,
    }
}

impl Estate {
    /// A task that has been running, and well, since a time in the past.
    pub(super) fn seat_task(&mut self, new: NewTask, started: Ms) -> Result<TaskId, String> {
        let now = self.now;
        let id = self.start_task(new)?;
        let places = match self.tasks.get(&id) {
            Some(task) => task.service.map_or_else(Vec::new, |s| self.target_places(s, task)),
            None => return Ok(id),
        };
        for (group, target, port) in &places {
            self.add_target(id, (*group, target, *port), TargetState::Healthy, started + 50_000);
        }
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(id) };
        task.due_at = 0;
        task.status = TaskStatus::Running;
        task.proven = true;
        task.version = 4;
        task.created_at = started - 38_000;
        task.connectivity_at = Some(started - 29_000);
        task.pull_started_at = Some(started - 28_500);
        task.pull_stopped_at = Some(started - 4_000);
        task.started_at = Some(started);
        let definition = Arc::clone(&task.definition);
        for (container, of) in task.containers.iter_mut().zip(&definition.containers) {
            container.status = ContainerStatus::Running;
            container.started_at = Some(started - 3_000);
            if of.health_check.is_some() {
                container.health = Health::Healthy;
            }
        }
        if definition.containers.iter().any(|c| c.essential && c.health_check.is_some()) {
            task.health = Health::Healthy;
        }
        let turns = task.sick && task.behaviour.fate == Fate::Unhealthy;
        let delay = task.fate_delay();
        task.targets = places;
        let groups: Vec<usize> = task.targets.iter().map(|(group, ..)| *group).collect();
        self.open_streams(id);
        // Its fate begins to count when the played past begins.
        self.set_fate(id, now);
        for group in groups.into_iter().filter(|_| turns) {
            self.queue.set(now + delay, Due::Checked(id, group, false));
        }
        Ok(id)
    }
}
