//! What befalls a task that runs: its fate, its container health checks, and when it counts as good.

use std::sync::Arc;

use crate::sim::scenario::Fate;
use crate::sim::world::queue::Due;
use crate::sim::world::state::{Estate, Health, Ms, TaskId, TaskStatus};

impl Estate {
    /// Sets the time at which a sick task meets its fate, and when the container health checks speak.
    pub(in crate::sim::world) fn set_fate(&mut self, id: TaskId, clock_starts: Ms) {
        let Some(task) = self.tasks.get(&id) else { return };
        let sick = task.sick;
        let (fate, after) = (task.behaviour.fate, task.fate_delay());
        let check = task.definition.containers.iter().find_map(|c| c.health_check.clone());
        if sick && matches!(fate, Fate::Exits | Fate::Oom | Fate::Ends) {
            // A tenth either way: siblings do not die in the same second.
            let jitter = self.rng.between(-after / 10, after / 10);
            self.queue.set(clock_starts + after + jitter, Due::Fate(id));
        }
        let Some(check) = check else { return };
        let interval = Ms::from(check.interval.max(1)) * 1000;
        let fails_at = clock_starts + Ms::from(check.start_period) * 1000 + Ms::from(check.retries.max(1)) * interval;
        let fails = sick && fate == Fate::ContainerUnhealthy;
        if fails {
            self.queue.set(fails_at.max(clock_starts + after), Due::Probed(id, false));
        }
        if !fails || after > interval {
            self.queue.set(clock_starts + interval, Due::Probed(id, true));
        }
    }

    /// The containers of a sick task end.
    pub(in crate::sim::world) fn meet_fate(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        if task.stopping() || task.status > TaskStatus::Running {
            return;
        }
        let culprit = task.definition.culprit(&task.behaviour);
        let essential = task.definition.containers[culprit].essential;
        let (code, reason) = match task.behaviour.fate {
            Fate::Oom => (137, Some("OutOfMemoryError: Container killed due to memory usage".to_owned())),
            Fate::Exits => (task.behaviour.code.unwrap_or(1), None),
            _ => (0, None),
        };
        if essential {
            self.essential_exit(id, culprit, code, reason);
        } else {
            self.container_exit(id, culprit, code, reason);
        }
    }

    /// The container health checks have spoken.
    pub(in crate::sim::world) fn probe_containers(&mut self, id: TaskId, healthy: bool) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.status > TaskStatus::Running || task.stopping() {
            return;
        }
        let health = if healthy { Health::Healthy } else { Health::Unhealthy };
        let definition = Arc::clone(&task.definition);
        for (container, of) in task.containers.iter_mut().zip(&definition.containers) {
            if of.health_check.is_some() {
                container.health = health;
            }
        }
        // Only essential containers count for the task.
        let counts = definition.containers.iter().any(|c| c.essential && c.health_check.is_some());
        if counts {
            task.health = health;
        }
        task.version += 1;
        if healthy {
            self.prove(id);
        }
        self.wake_owner(id);
    }

    /// Counts a task as good once all its checks pass: failures are forgotten.
    pub(in crate::sim::world) fn prove(&mut self, id: TaskId) {
        if !self.is_well(id) {
            return;
        }
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if std::mem::replace(&mut task.proven, true) {
            return;
        }
        let (service, deployment) = (task.service, task.deployment);
        if let Some(service) = service {
            self.forgive(service, deployment);
        }
    }

    /// RUNNING, and every check that it has passes.
    #[must_use]
    pub fn is_well(&self, id: TaskId) -> bool {
        let Some(task) = self.tasks.get(&id) else { return false };
        let running = task.status == TaskStatus::Running && !task.stopping();
        let balanced = self.is_balanced(task);
        let checked = task.definition.containers.iter().any(|c| c.essential && c.health_check.is_some());
        running && (!checked || task.health == Health::Healthy) && (!balanced || !task.targets.is_empty() && self.targets_are_healthy(task))
    }
}
