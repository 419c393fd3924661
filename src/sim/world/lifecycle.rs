//! A task from its first status to RUNNING, and what befalls it there.
//! How it ends is told in `stopping`.

mod fate;
mod order;

use std::sync::Arc;

use serde_json::Value;

use super::queue::Due;
use super::state::{
    Container, ContainerStatus, Estate, Health, Launch, LogStream, Ms, NetworkMode, Task, TaskDefinition, TaskId, TaskStatus,
};
use crate::sim::scenario::{Behaviour, Fate};

/// A task to be started.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// Index of the cluster.
    pub cluster: usize,
    /// Index of the service, if one starts it.
    pub service: Option<usize>,
    /// N of `ecs-svc/N`, 0 for `RunTask`.
    pub deployment: u64,
    /// startedBy of `RunTask`.
    pub started_by: Option<String>,
    /// Group.
    pub group: String,
    /// Task definition.
    pub definition: Arc<TaskDefinition>,
    /// Where it may run.
    pub launch: Launch,
    /// Platform version on Fargate.
    pub platform_version: String,
    /// How its kind fares.
    pub behaviour: Arc<Behaviour>,
    /// enableExecuteCommand.
    pub exec: bool,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// `overrides` of `RunTask`.
    pub overrides: Option<Value>,
    /// The container instance that it must run on.
    pub on: Option<usize>,
}

impl Estate {
    /// Makes a task in its first status; its life then runs by itself.
    ///
    /// # Errors
    /// AWS's words for why no place was found.
    pub fn start_task(&mut self, new: NewTask) -> Result<TaskId, String> {
        let place = self.place(&new)?;
        let definition = Arc::clone(&new.definition);
        let count = definition.containers.len();
        let bindings = place.instance.map_or_else(|| vec![Vec::new(); count], |i| self.occupy(i, &definition));
        let own_network = place.fargate || definition.network == NetworkMode::Awsvpc;
        let reachable = new.service.is_none_or(|service| self.services[service].exec_agent.reachable);
        let eni = own_network.then(|| self.attach_eni(&place.zone, reachable));
        let of = new.service.and_then(|s| self.services[s].revision_of(new.deployment));
        let digests = of.map_or_else(|| self.resolve_images(&definition, self.now), |revision| revision.digests.clone());
        let id = TaskId(self.rng.wide());
        let sick = self.falls_sick(new.service, &new.behaviour);
        let containers = bindings.into_iter().map(|bindings| Container {
            status: ContainerStatus::Pending,
            exit_code: None,
            reason: None,
            health: Health::Unknown,
            bindings,
            started_at: None,
            ended_at: None,
        });
        let task = Task {
            id,
            cluster: new.cluster,
            service: new.service,
            deployment: new.deployment,
            started_by: new.started_by,
            group: new.group,
            definition,
            protected_until: None,
            capacity_provider: place.capacity_provider,
            platform_version: if place.fargate { new.platform_version } else { String::new() },
            status: if own_network { TaskStatus::Provisioning } else { TaskStatus::Pending },
            zone: place.zone,
            eni,
            instance: place.instance,
            digests,
            containers: containers.collect(),
            health: Health::Unknown,
            stop: None,
            exec: new.exec,
            tags: new.tags,
            overrides: new.overrides,
            targets: Vec::new(),
            behaviour: new.behaviour,
            version: 1,
            due_at: 0,
            sick,
            proven: false,
            created_at: self.now,
            connectivity_at: None,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
        };
        self.clusters[task.cluster].tasks.insert(id);
        if let Some(service) = task.service {
            self.services[service].tasks.insert(id);
        }
        self.tasks.insert(id, task);
        let first = if own_network { self.rng.between(6_000, 13_000) } else { self.rng.between(3_000, 9_000) };
        self.step_in(first, id);
        Ok(id)
    }

    /// Whether a new task of a service is one of those that the behaviour strikes.
    pub(super) fn falls_sick(&self, service: Option<usize>, behaviour: &Arc<Behaviour>) -> bool {
        let Some(most) = behaviour.at_most else { return behaviour.fate != Fate::Healthy };
        let sick = service.map_or(0, |s| {
            let tasks = self.services[s].tasks.iter().filter_map(|id| self.tasks.get(id));
            tasks.filter(|t| t.sick && !t.stopping() && *t.behaviour == **behaviour).count()
        });
        behaviour.fate != Fate::Healthy && u32::try_from(sick).is_ok_and(|sick| sick < most)
    }

    /// Moves a task on to its next status.
    pub(super) fn step_task(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id).filter(|t| t.due_at == self.now) else { return };
        task.version += 1;
        match task.status {
            TaskStatus::Provisioning => {
                task.status = TaskStatus::Pending;
                task.connectivity_at = Some(self.now);
                task.pull_started_at = Some(self.now + 400);
                if let Some(stop) = self.lacks_resources(id) {
                    return self.end_unstarted(id, stop);
                }
                let pull = self.pull_time(id);
                self.step_in(pull, id);
            }
            TaskStatus::Pending => self.start_containers(id),
            TaskStatus::Activating => {
                task.status = TaskStatus::Running;
                task.started_at = Some(self.now);
                self.entered_running(id);
            }
            TaskStatus::Running => {}
            _ => self.step_down(id),
        }
    }

    /// Sets the next step of a task; a step set before is void.
    pub(super) fn step_in(&mut self, delay: Ms, id: TaskId) {
        let at = self.now + delay.max(0);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.due_at = at;
            self.queue.set(at, Due::Step(id));
        }
    }

    /// An image that the host pulled before starts sooner; Fargate never has one.
    fn pull_time(&mut self, id: TaskId) -> Ms {
        let fargate = self.tasks.get(&id).is_some_and(Task::on_fargate);
        if fargate { self.rng.between(9_000, 24_000) } else { self.rng.between(2_000, 6_000) }
    }

    /// The images are there: what waits for nothing starts, then what waited for it.
    fn start_containers(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.pull_stopped_at.is_some() {
            return self.start_waiting(id);
        }
        if task.pull_started_at.is_none() {
            task.pull_started_at = Some(now - 1_500);
            task.connectivity_at = Some(task.created_at);
        }
        let own_network = task.eni.is_some();
        let lacks = if own_network { None } else { self.lacks_resources(id) };
        if let Some(stop) = lacks.or_else(|| self.fails_to_start(id)) {
            return self.end_unstarted(id, stop);
        }
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let definition = Arc::clone(&task.definition);
        let digests = task.digests.clone();
        task.pull_stopped_at = Some(now - 900);
        let waiting: Vec<bool> = (0..definition.containers.len()).map(|at| definition.waits(at)).collect();
        for (container, waits) in task.containers.iter_mut().zip(&waiting) {
            if !waits {
                container.status = ContainerStatus::Running;
                container.started_at = Some(now);
            }
        }
        for (of, digest) in definition.containers.iter().zip(&digests) {
            self.note_pull(&of.image, digest);
        }
        if waiting.contains(&true) {
            self.open_streams(id);
            self.set_fate(id, now);
            // What ends before it is ready lets nobody else begin.
            if !self.is_stuck_at_start(id) {
                let wait = definition.waiting_time();
                self.step_in(wait, id);
            }
            return;
        }
        self.activate(id);
        self.set_fate(id, now);
    }

    /// Containers that waited for others start, and those that were waited for until their end have ended.
    fn start_waiting(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let definition = Arc::clone(&task.definition);
        for (at, container) in task.containers.iter_mut().enumerate() {
            if container.started_at.is_none() {
                container.status = ContainerStatus::Running;
                container.started_at = Some(now);
            } else if definition.ends_first(at) {
                container.status = ContainerStatus::Stopped;
                container.ended_at = Some(now);
                container.exit_code = Some(0);
            }
        }
        self.activate(id);
        self.close_streams(id, None);
    }

    fn activate(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.status = TaskStatus::Activating;
        }
        let balanced = self.tasks.get(&id).is_some_and(|t| self.is_balanced(t));
        self.open_streams(id);
        let wait = if balanced { self.rng.between(1_500, 4_000) } else { 0 };
        self.step_in(wait, id);
    }

    fn is_stuck_at_start(&self, id: TaskId) -> bool {
        let Some(task) = self.tasks.get(&id) else { return false };
        let culprit = task.definition.culprit(&task.behaviour);
        task.sick && matches!(task.behaviour.fate, Fate::Exits | Fate::Oom) && task.definition.is_awaited(culprit)
    }

    /// Reaches RUNNING: the service hears of it.
    fn entered_running(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        let checked = task.definition.containers.iter().any(|c| c.health_check.is_some());
        if let Some(service) = task.service {
            if self.is_balanced(task) {
                self.services[service].unregistered.push(id);
            } else if !checked || task.health == Health::Healthy {
                self.prove(id);
            }
            let delay = self.rng.between(3_000, 9_000);
            self.wake(service, delay);
        }
    }

    pub(super) fn wake_owner(&mut self, id: TaskId) {
        if let Some(service) = self.tasks.get(&id).and_then(|t| t.service) {
            let delay = self.rng.between(2_000, 6_000);
            self.wake(service, delay);
        }
    }

    /// Log streams begin when their containers start.
    pub(super) fn open_streams(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        let mut streams = Vec::new();
        for (index, of) in task.definition.containers.iter().enumerate() {
            let Some(log) = &of.log else { continue };
            let Some(started_at) = task.containers[index].started_at else { continue };
            streams.push((
                log.group.clone(),
                stream_name(task, index),
                LogStream {
                    task: id,
                    container: index,
                    definition: Arc::clone(&task.definition),
                    behaviour: Arc::clone(&task.behaviour),
                    started_at,
                    ended_at: None,
                    last_words: false,
                    sick: task.sick,
                },
            ));
        }
        for (group, name, stream) in streams {
            let at = stream.started_at;
            self.log_group(&group, at).streams.entry(name).or_insert(stream);
        }
    }

    /// Log streams end with their containers.
    pub(super) fn close_streams(&mut self, id: TaskId, last_words_of: Option<usize>) {
        let Some(task) = self.tasks.get(&id) else { return };
        for (index, of) in task.definition.containers.iter().enumerate() {
            let Some(log) = &of.log else { continue };
            let group = self.log_groups.get_mut(&log.group);
            if let Some(stream) = group.and_then(|g| g.streams.get_mut(&stream_name(task, index))) {
                stream.ended_at = task.containers[index].ended_at;
                stream.last_words = last_words_of == Some(index);
            }
        }
    }
}

impl Task {
    /// Whether `desiredStatus` is STOPPED rather than RUNNING.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether it runs on Fargate rather than on a container instance.
    #[must_use]
    pub fn on_fargate(&self) -> bool {
        self.instance.is_none()
    }

    /// How long after the start of its containers a sick task meets its fate, in ms.
    pub(super) fn fate_delay(&self) -> Ms {
        self.behaviour.after.map_or(40_000, |span| span.0)
    }

    /// `runtimeId` of a container: the Docker id on EC2, task id and a number on Fargate.
    #[must_use]
    pub fn runtime_id(&self, container: usize) -> String {
        let hash = crate::sim::rng::hash(&format!("{}/{container}", self.id));
        if self.on_fargate() {
            format!("{}-{:010}", self.id, hash % 10_000_000_000)
        } else {
            let wide = |n: u64| crate::sim::rng::mix(hash.wrapping_add(n));
            format!("{:016x}{:016x}{:016x}{:016x}", wide(1), wide(2), wide(3), wide(4))
        }
    }
}

/// `PREFIX/CONTAINER/TASK`, or the Docker id when no prefix is set.
fn stream_name(task: &Task, container: usize) -> String {
    let of = &task.definition.containers[container];
    match of.log.as_ref().and_then(|log| log.prefix.as_deref()) {
        Some(prefix) => format!("{prefix}/{}/{}", of.name, task.id),
        None => task.runtime_id(container),
    }
}
