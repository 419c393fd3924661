//! How tasks end: told to stop, died, or never started. DEACTIVATING while
//! targets drain, STOPPING while containers get their SIGTERM, DEPROVISIONING
//! while the network interface goes, STOPPED for an hour.

use super::STOPPED_KEPT;
use super::queue::Due;
use super::state::{ContainerStatus, Estate, Ms, Stop, TaskId, TaskStatus};

impl Estate {
    /// Tells a task to stop; a task that already stops is left alone.
    pub fn stop_task(&mut self, id: TaskId, stop: Stop) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.stopping() {
            return;
        }
        if task.containers.iter().all(|c| c.started_at.is_none()) {
            return self.end_unstarted(id, stop);
        }
        task.stopping_at = Some(now);
        task.stop = Some(stop);
        task.version += 1;
        let drain = self.deregister(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if drain > 0 {
            task.status = TaskStatus::Deactivating;
            self.step_in(drain, id);
        } else {
            self.terminate(id);
        }
        self.wake_owner(id);
    }

    /// `StopTask`: as [`Estate::stop_task`], and the task's service says what becomes of its targets.
    pub fn stop_task_by_user(&mut self, id: TaskId, reason: &str) {
        let Some(task) = self.tasks.get(&id) else { return };
        let running = task.status == TaskStatus::Running && !task.stopping();
        let (service, deployment) = (task.service, task.deployment);
        let groups: Vec<usize> = task.targets.iter().map(|(group, ..)| *group).collect();
        self.stop_task(id, Stop { code: "UserInitiated", reason: reason.to_owned() });
        if let Some(service) = service.filter(|_| running) {
            self.services[service].steady = false;
            for group in groups {
                self.say_draining(service, group, deployment, 1);
            }
        }
    }

    /// A task whose containers never ran goes straight to its end.
    pub(super) fn end_unstarted(&mut self, id: TaskId, stop: Stop) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let failed = stop.code == "TaskFailedToStart";
        task.stopping_at = Some(now);
        task.execution_stopped_at = Some(now);
        task.stop = Some(stop);
        task.status = TaskStatus::Deprovisioning;
        for container in &mut task.containers {
            container.status = ContainerStatus::Stopped;
        }
        let (service, deployment, proven) = (task.service, task.deployment, task.proven);
        let wait = self.rng.between(4_000, 12_000);
        self.step_in(wait, id);
        if let Some(service) = service.filter(|_| failed) {
            self.count_failure(service, deployment, proven);
        }
        self.wake_owner(id);
    }

    /// An essential container ended, and with it the task.
    pub(super) fn essential_exit(&mut self, id: TaskId, container: usize, code: i32, reason: Option<String>) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let definition = std::sync::Arc::clone(&task.definition);
        task.stopping_at = Some(now);
        task.execution_stopped_at = Some(now);
        task.status = TaskStatus::Deprovisioning;
        task.version += 1;
        task.stop = Some(Stop { code: "EssentialContainerExited", reason: "Essential container in task exited".to_owned() });
        for (index, each) in task.containers.iter_mut().enumerate() {
            each.status = ContainerStatus::Stopped;
            // The others are told to stop and do; what never started has no code, and what had ended keeps its own.
            if each.started_at.is_some() && each.ended_at.is_none() {
                each.ended_at = Some(now);
                each.exit_code = Some(if index == container { code } else { definition.containers[index].stops_with });
            }
        }
        task.containers[container].reason = reason;
        let (service, deployment, proven) = (task.service, task.deployment, task.proven);
        let groups: Vec<usize> = task.targets.iter().map(|(group, ..)| *group).collect();
        self.close_streams(id, Some(container));
        self.deregister(id);
        if let Some(service) = service {
            self.services[service].unregistered.retain(|other| *other != id);
            for group in groups {
                let arn = self.target_group_arn(group);
                self.event(service, &format!("deregistered 1 targets in (target-group {arn})"));
            }
            self.count_failure(service, deployment, proven);
        }
        let wait = self.rng.between(8_000, 15_000);
        self.step_in(wait, id);
        self.wake_owner(id);
    }

    /// A container ended that its task can do without.
    pub(super) fn container_exit(&mut self, id: TaskId, container: usize, code: i32, reason: Option<String>) {
        let now = self.now;
        let Some(each) = self.tasks.get_mut(&id).and_then(|t| t.containers.get_mut(container)) else { return };
        each.status = ContainerStatus::Stopped;
        each.ended_at = Some(now);
        each.exit_code = Some(code);
        each.reason = reason;
        self.close_streams(id, Some(container));
    }

    /// DEACTIVATING, STOPPING and DEPROVISIONING.
    pub(super) fn step_down(&mut self, id: TaskId) {
        let Some(status) = self.tasks.get(&id).map(|t| t.status) else { return };
        match status {
            TaskStatus::Deactivating => self.terminate(id),
            TaskStatus::Stopping => self.containers_ended(id),
            TaskStatus::Deprovisioning => self.stopped(id),
            _ => {}
        }
    }

    /// SIGTERM to all containers.
    fn terminate(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.status = TaskStatus::Stopping;
        let limit = task.definition.containers.iter().map(|c| c.stop_timeout).max().unwrap_or(30);
        // Most programs mind SIGTERM within seconds; some wait for the SIGKILL.
        let stubborn = self.rng.chance(60);
        let wait = if stubborn { Ms::from(limit) * 1000 } else { self.rng.between(800, 6_000) };
        if let Some(task) = self.tasks.get_mut(&id) {
            for (container, of) in task.containers.iter_mut().zip(&task.definition.containers) {
                if container.started_at.is_some() && container.ended_at.is_none() {
                    container.exit_code = Some(if stubborn && of.essential { 137 } else { of.stops_with });
                }
            }
        }
        self.step_in(wait, id);
    }

    fn containers_ended(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.execution_stopped_at = Some(now);
        for container in &mut task.containers {
            container.status = ContainerStatus::Stopped;
            if container.started_at.is_some() {
                container.ended_at = container.ended_at.or(Some(now));
            }
        }
        let own_network = task.eni.is_some();
        task.status = TaskStatus::Deprovisioning;
        self.close_streams(id, None);
        let wait = if own_network { self.rng.between(8_000, 16_000) } else { 500 };
        self.step_in(wait, id);
    }

    fn stopped(&mut self, id: TaskId) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.status = TaskStatus::Stopped;
        task.stopped_at = Some(now);
        let definition = std::sync::Arc::clone(&task.definition);
        let ports: Vec<u16> = task.containers.iter().flat_map(|c| c.bindings.iter().map(|b| b.1)).collect();
        let address = task.eni.as_ref().map(|eni| eni.ip.clone());
        if let Some(ip) = address {
            // The interface is gone; the task keeps saying which address it had.
            self.in_use.remove(&ip);
        }
        let Some(task) = self.tasks.get(&id) else { return };
        if let Some(instance) = task.instance {
            self.vacate(instance, &definition, ports.into_iter());
        }
        self.after(STOPPED_KEPT, Due::Forget(id));
        self.wake_owner(id);
    }
}
