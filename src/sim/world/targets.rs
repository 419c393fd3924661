//! Targets of a service's tasks: registration, the verdict of the health
//! checks, draining. Checks are not played one by one: the time at which they
//! change their mind is known when the task starts, and only that is set.

use super::queue::Due;
use super::state::{Estate, Ms, Service, Target, TargetState, Task, TaskId, TaskStatus};
use crate::sim::scenario::Fate;

impl Service {
    /// Whether its tasks stand behind a load balancer.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.current_revision().is_some_and(|r| !r.load_balancers.is_empty())
    }
}

impl Estate {
    /// Whether a task's own revision stands behind a load balancer.
    pub(super) fn is_balanced(&self, task: &Task) -> bool {
        let revision = task.service.and_then(|s| self.services[s].revision_of(task.deployment));
        revision.is_some_and(|r| !r.load_balancers.is_empty())
    }

    /// Whether a listener or a rule forwards to a target group; targets of others are `unused`.
    #[must_use]
    pub fn is_in_use(&self, group: usize) -> bool {
        let names = |forward: &[(usize, u32)]| forward.iter().any(|(at, _)| *at == group);
        let mut listeners = self.load_balancers.iter().flat_map(|lb| &lb.listeners);
        listeners.any(|l| names(&l.default) || l.rules.iter().any(|r| names(&r.forward)))
    }

    /// Registers the tasks of a service that have come to run since the last look.
    pub(super) fn register_targets(&mut self, service: usize) {
        let waiting = std::mem::take(&mut self.services[service].unregistered);
        let mut counts: Vec<(usize, u32)> = Vec::new();
        for id in waiting {
            for group in self.register_task(service, id) {
                match counts.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((group, 1)),
                }
            }
        }
        for (group, count) in counts {
            let arn = self.target_group_arn(group);
            self.event(service, &format!("registered {count} targets in (target-group {arn})"));
        }
    }

    /// Registers one running task; the target groups that it went into.
    fn register_task(&mut self, service: usize, id: TaskId) -> Vec<usize> {
        let Some(task) = self.tasks.get(&id) else { return Vec::new() };
        if task.status != TaskStatus::Running || task.stopping() {
            return Vec::new();
        }
        let places = self.target_places(service, task);
        for (group, target, port) in &places {
            self.add_target(id, (*group, target, *port), TargetState::Initial, self.now);
            self.set_checks(id, *group);
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.targets.clone_from(&places);
        }
        places.into_iter().map(|(group, ..)| group).collect()
    }

    /// (target group, target id, port) of each load balancer of the task's revision.
    pub(super) fn target_places(&self, service: usize, task: &Task) -> Vec<(usize, String, u16)> {
        let service = &self.services[service];
        let Some(revision) = service.revision_of(task.deployment) else { return Vec::new() };
        let place = |lb: &super::state::LoadBalancing| {
            if let Some(eni) = &task.eni {
                return Some((lb.target_group, eni.ip.clone(), lb.port));
            }
            let container = task.definition.containers.iter().position(|c| c.name == lb.container)?;
            let binding = task.containers[container].bindings.iter().find(|b| b.0 == lb.port)?;
            let host = &self.instances[task.instance?];
            Some((lb.target_group, host.ec2_instance_id.clone(), binding.1))
        };
        revision.load_balancers.iter().filter_map(place).collect()
    }

    pub(super) fn add_target(&mut self, task: TaskId, (group, id, port): (usize, &str, u16), state: TargetState, since: Ms) {
        let zone = self.tasks.get(&task).map_or_else(String::new, |t| t.zone.clone());
        let (reason, description) = match state {
            TargetState::Initial => ("Elb.RegistrationInProgress", "Target registration is in progress"),
            _ => ("", ""),
        };
        self.target_groups[group].targets.push(Target {
            id: id.to_owned(),
            port,
            zone,
            task: Some(task),
            state,
            reason: reason.to_owned(),
            description: description.to_owned(),
            since,
        });
    }

    /// Sets the times at which the checks of a fresh target change their mind.
    fn set_checks(&mut self, id: TaskId, group: usize) {
        let check = &self.target_groups[group].check;
        let interval = Ms::from(check.interval.max(1)) * 1000;
        let (up, down) = (Ms::from(check.healthy.max(1)) * interval, Ms::from(check.unhealthy.max(1)) * interval);
        // The first check comes at some moment within the first interval.
        let first = self.rng.between(0, interval - 1);
        let Some(task) = self.tasks.get(&id) else { return };
        let started = task.containers.first().and_then(|c| c.started_at).unwrap_or(self.now);
        let turns = started + task.fate_delay();
        let (good, bad) = (self.now + first + up - interval, self.now + first + down - interval);
        match task.behaviour.fate {
            Fate::Unhealthy if task.sick && turns <= good => self.queue.set(bad, Due::Checked(id, group, false)),
            Fate::Unhealthy if task.sick => {
                self.queue.set(good, Due::Checked(id, group, true));
                self.queue.set(turns + down, Due::Checked(id, group, false));
            }
            Fate::SlowStart if task.sick && turns > self.now => {
                if bad < turns {
                    self.queue.set(bad, Due::Checked(id, group, false));
                }
                self.queue.set(turns + up, Due::Checked(id, group, true));
            }
            _ => self.queue.set(good, Due::Checked(id, group, true)),
        }
        self.queue.set(self.now + 1_500, Due::Registered(id, group));
    }

    /// Registration is through; the first checks run.
    pub(super) fn target_is_in(&mut self, id: TaskId, group: usize) {
        let targets = &mut self.target_groups[group].targets;
        if let Some(target) = targets.iter_mut().find(|t| t.task == Some(id) && t.state == TargetState::Initial) {
            "Elb.InitialHealthChecking".clone_into(&mut target.reason);
            "Initial health checks in progress".clone_into(&mut target.description);
        }
    }

    /// The health checks have changed their mind about a target.
    pub(super) fn check_target(&mut self, id: TaskId, group: usize, healthy: bool) {
        let now = self.now;
        let Some(task) = self.tasks.get(&id) else { return };
        if task.stopping() {
            return;
        }
        let (reason, description) = if healthy { (String::new(), String::new()) } else { verdict(task) };
        let targets = &mut self.target_groups[group].targets;
        let Some(target) = targets.iter_mut().find(|t| t.task == Some(id) && t.state != TargetState::Draining) else {
            return;
        };
        target.state = if healthy { TargetState::Healthy } else { TargetState::Unhealthy };
        target.reason = reason;
        target.description = description;
        target.since = now;
        if healthy {
            self.prove(id);
        }
        self.wake_owner(id);
    }

    /// Every target of a task is healthy.
    pub(super) fn targets_are_healthy(&self, task: &Task) -> bool {
        task.targets.iter().all(|(group, ..)| {
            let targets = &self.target_groups[*group].targets;
            targets.iter().any(|t| t.task == Some(task.id) && t.state == TargetState::Healthy)
        })
    }

    /// The target group in which a target of a task is unhealthy, with its reason.
    pub(super) fn unhealthy_in(&self, task: &Task) -> Option<(usize, u16, String)> {
        task.targets.iter().find_map(|(group, ..)| {
            let targets = &self.target_groups[*group].targets;
            let bad = targets.iter().find(|t| t.task == Some(task.id) && t.state == TargetState::Unhealthy)?;
            Some((*group, bad.port, bad.description.clone()))
        })
    }

    /// Takes a task out of its target groups; the longest draining time in ms, 0 when it was in none.
    pub(super) fn deregister(&mut self, id: TaskId) -> Ms {
        let now = self.now;
        let Some(task) = self.tasks.get(&id) else { return 0 };
        let mut longest = 0;
        for (group, ..) in task.targets.clone() {
            let drain = Ms::from(self.target_groups[group].drain) * 1000;
            let targets = &mut self.target_groups[group].targets;
            let Some(target) = targets.iter_mut().find(|t| t.task == Some(id)) else { continue };
            target.state = TargetState::Draining;
            "Target.DeregistrationInProgress".clone_into(&mut target.reason);
            "Target deregistration is in progress".clone_into(&mut target.description);
            target.since = now;
            longest = longest.max(drain);
            self.after(drain, Due::Drained(id, group));
        }
        longest
    }

    /// A target has drained.
    pub(super) fn drop_target(&mut self, id: TaskId, group: usize) {
        self.target_groups[group].targets.retain(|t| t.task != Some(id));
    }
}

/// Reason code and description of an unhealthy target, in ELB's words.
fn verdict(task: &Task) -> (String, String) {
    let slow = task.behaviour.fate == Fate::SlowStart;
    let default = if slow { "Target.FailedHealthChecks" } else { "Target.ResponseCodeMismatch" };
    let reason = task.behaviour.reason.as_deref().unwrap_or(default);
    let description = match reason {
        "Target.ResponseCodeMismatch" => {
            format!("Health checks failed with these codes: [{}]", task.behaviour.status.unwrap_or(503))
        }
        "Target.Timeout" => "Request timed out".to_owned(),
        "Elb.InternalError" => "Health checks failed due to an internal error on the load balancer".to_owned(),
        _ => "Health checks failed".to_owned(),
    };
    (reason.to_owned(), description)
}
