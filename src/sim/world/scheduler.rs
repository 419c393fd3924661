//! The service scheduler: starts and stops tasks until a service has what it
//! wants, within minimumHealthyPercent and maximumPercent. It works in passes,
//! seconds apart, as AWS's does, so that events count tasks in batches.

use std::sync::Arc;

use super::clockwork::listed;
use super::lifecycle::NewTask;
use super::state::{Controller, Estate, Health, InstanceStatus, Ms, Rollout, Scheduling, Stop, TaskId, TaskStatus};

/// ECS starts tasks of a service in batches of about this size.
const BATCH: usize = 10;

/// The tasks of a service, as the scheduler sees them.
struct Roll {
    /// Of the PRIMARY deployment and not told to stop.
    new: Vec<TaskId>,
    /// Of other deployments and not told to stop.
    old: Vec<TaskId>,
    /// Anything that is not STOPPED yet.
    alive: usize,
    /// Not STOPPED yet and not of the PRIMARY deployment.
    old_alive: usize,
}

impl Estate {
    /// One look at a service.
    pub(super) fn pass(&mut self, service: usize) {
        if self.services[service].pass_at != Some(self.now) {
            return;
        }
        self.services[service].pass_at = None;
        if self.services[service].deployments.is_empty() {
            return;
        }
        self.register_targets(service);
        self.replace_unhealthy(service);
        self.heed_request(service);
        if self.services[service].deployments[0].set.is_some() {
            return self.pass_sets(service);
        }
        if self.shifts(service) {
            return self.pass_shift(service);
        }
        let wanted = self.wanted(service);
        self.start_missing(service, wanted);
        self.stop_surplus(service, wanted);
        self.drop_empty_deployments(service);
        self.finish(service, wanted);
    }

    /// desiredCount, or one for each instance that takes tasks.
    #[must_use]
    pub fn wanted(&self, service: usize) -> usize {
        let of = &self.services[service];
        match of.scheduling {
            Scheduling::Replica => of.desired as usize,
            Scheduling::Daemon => self.daemon_hosts(service).count(),
        }
    }

    fn daemon_hosts(&self, service: usize) -> impl Iterator<Item = usize> {
        let cluster = self.services[service].cluster;
        let hosts = self.instances.iter().enumerate();
        hosts.filter(move |(_, i)| i.cluster == cluster && i.status == InstanceStatus::Active && i.agent_connected).map(|(index, _)| index)
    }

    fn roll(&self, service: usize) -> Roll {
        let of = &self.services[service];
        let primary = of.deployments[0].id;
        let mut roll = Roll { new: Vec::new(), old: Vec::new(), alive: 0, old_alive: 0 };
        for task in of.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            if task.status == TaskStatus::Stopped {
                continue;
            }
            roll.alive += 1;
            // What sits on a draining host is replaced like a task of an older deployment.
            let new = task.deployment == primary && !self.is_draining(task);
            roll.old_alive += usize::from(!new);
            match (task.stopping(), new) {
                (true, _) => {}
                (false, true) => roll.new.push(task.id),
                (false, false) => roll.old.push(task.id),
            }
        }
        roll
    }

    fn well(&self, tasks: &[TaskId]) -> usize {
        tasks.iter().filter(|id| self.is_well(**id)).count()
    }

    /// Fewest well and most living tasks that the service may have.
    fn limits(&self, service: usize, wanted: usize) -> (usize, usize) {
        let of = &self.services[service];
        let (minimum, maximum) = (of.minimum as usize, of.maximum as usize);
        let least = (wanted * minimum).div_ceil(100);
        match of.scheduling {
            Scheduling::Replica => (least, (wanted * maximum / 100).max(wanted.min(1))),
            // A daemon never has two tasks on one host.
            Scheduling::Daemon => (least, wanted),
        }
    }

    fn start_missing(&mut self, service: usize, wanted: usize) {
        let roll = self.roll(service);
        let primary = &self.services[service].deployments[0];
        let missing = wanted.saturating_sub(roll.new.len());
        if primary.rollout == Rollout::Failed || missing == 0 {
            return;
        }
        if self.now < primary.not_before {
            let delay = primary.not_before - self.now;
            return self.wake(service, delay);
        }
        let (_, most) = self.limits(service, wanted);
        let room = most.saturating_sub(roll.new.len() + roll.old.len());
        let hosts = self.free_hosts(service);
        let count = missing.min(room).min(BATCH);
        let mut started = Vec::new();
        let mut stalled = false;
        for index in 0..count {
            let on = match &hosts {
                None => None,
                Some(free) => match free.get(index) {
                    Some(host) => Some(*host),
                    None => break,
                },
            };
            match self.start_task(self.task_of(service, on)) {
                Ok(id) => started.push(id),
                Err(words) => {
                    self.stall(service, &words);
                    stalled = true;
                    break;
                }
            }
        }
        if !started.is_empty() {
            self.services[service].stalled = 0;
            self.services[service].steady = false;
            let text = format!("has started {} tasks: {}.", started.len(), listed(&started));
            self.event(service, &text);
        }
        if started.len() < missing && !stalled {
            let delay = self.rng.between(8_000, 12_000);
            self.wake(service, delay);
        }
    }

    /// Hosts without a task of a daemon that still lives there; none for a replica service.
    fn free_hosts(&self, service: usize) -> Option<Vec<usize>> {
        let of = &self.services[service];
        if of.scheduling == Scheduling::Replica {
            return None;
        }
        let living = of.tasks.iter().filter_map(|id| self.tasks.get(id)).filter(|t| t.status != TaskStatus::Stopped);
        let taken: Vec<Option<usize>> = living.map(|t| t.instance).collect();
        Some(self.daemon_hosts(service).filter(|host| !taken.contains(&Some(*host))).collect())
    }

    /// A task as the PRIMARY deployment of a service wants it.
    pub(super) fn task_of(&self, service: usize, on: Option<usize>) -> NewTask {
        let of = &self.services[service];
        let deployment = &of.deployments[0];
        let revision = &of.revisions[deployment.revision];
        NewTask {
            cluster: of.cluster,
            service: Some(service),
            deployment: deployment.id,
            started_by: None,
            group: format!("service:{}", of.name),
            definition: Arc::clone(&revision.definition),
            launch: revision.launch.clone(),
            platform_version: revision.platform_version.clone(),
            behaviour: Arc::clone(&revision.definition.behaviour),
            exec: of.exec,
            tags: Vec::new(),
            overrides: None,
            on,
        }
    }

    /// No place was found: said once, and again ever more seldom.
    fn stall(&mut self, service: usize, words: &str) {
        self.services[service].stalled += 1;
        let times = self.services[service].stalled;
        if times.is_power_of_two() {
            self.event(service, words);
        }
        self.wake(service, (10_000_i64 << times.min(4)).min(120_000));
    }

    fn stop_surplus(&mut self, service: usize, wanted: usize) {
        let roll = self.roll(service);
        let (least, most) = self.limits(service, wanted);
        let (well_new, well_old) = (self.well(&roll.new), self.well(&roll.old));
        let failed = self.services[service].deployments[0].rollout == Rollout::Failed;
        let mut spare = (well_new + well_old).saturating_sub(least);
        let mut stop = Vec::new();
        // Too many of the new: those that are not well first, then the youngest.
        let surplus = roll.new.len().saturating_sub(wanted);
        let free = self.unprotected(&self.dispensable(&roll.new));
        let mut held = surplus.saturating_sub(free.len());
        stop.extend(free.into_iter().take(surplus));
        // Old ones that are not well are of no use to anybody, unless nothing replaces them.
        let mut due = if failed { 0 } else { replaceable(&roll, well_new, wanted, most) };
        for id in self.dispensable(&roll.old) {
            let well = self.is_well(id);
            if failed || well && (due == 0 || spare == 0) {
                continue;
            }
            if self.protection(id).is_some() {
                held += 1;
                continue;
            }
            if well {
                due -= 1;
                spare -= 1;
            }
            stop.push(id);
        }
        self.stop_batch(service, &stop);
        if held > 0 {
            self.say_protected(service, held);
        }
        let moving = roll.alive > roll.new.len() + roll.old.len();
        let room = most.saturating_sub(roll.new.len() + roll.old.len());
        let still = roll.new.iter().all(|id| self.is_well(*id));
        if stop.is_empty() && !moving && !failed && still && roll.new.len() < wanted && room == 0 && well_old == roll.old.len() {
            // Neither way is open: every task is needed, and no further one is allowed. A task that is on its way would open one.
            self.stall(
                service,
                "was unable to stop or start tasks during a deployment because of the service deployment configuration. \
                 Update the minimumHealthyPercent or maximumPercent value and try again.",
            );
        }
    }

    /// Tasks in the order in which they can be spared.
    fn dispensable(&self, tasks: &[TaskId]) -> Vec<TaskId> {
        let mut order = tasks.to_vec();
        order.sort_by_key(|id| {
            let created = self.tasks.get(id).map_or(0, |t| t.created_at);
            (self.is_well(*id), std::cmp::Reverse(created), *id)
        });
        order
    }

    fn stop_batch(&mut self, service: usize, tasks: &[TaskId]) {
        if tasks.is_empty() {
            return;
        }
        self.services[service].steady = false;
        let text = format!("has stopped {} running tasks: {}.", tasks.len(), listed(tasks));
        self.event(service, &text);
        let mut draining: Vec<(usize, u64, u32)> = Vec::new();
        for id in tasks {
            let Some(task) = self.tasks.get(id) else { continue };
            let deployment = task.deployment;
            let groups: Vec<usize> = task.targets.iter().map(|(group, ..)| *group).collect();
            let reason = format!("Scaling activity initiated by (deployment ecs-svc/{deployment})");
            self.stop_task(*id, Stop { code: "ServiceSchedulerInitiated", reason });
            for group in groups {
                match draining.iter_mut().find(|(g, d, _)| *g == group && *d == deployment) {
                    Some((.., count)) => *count += 1,
                    None => draining.push((group, deployment, 1)),
                }
            }
        }
        for (group, deployment, count) in draining {
            self.say_draining(service, group, deployment, count);
        }
    }

    pub(super) fn say_draining(&mut self, service: usize, group: usize, deployment: u64, count: u32) {
        let arn = self.target_group_arn(group);
        self.event(service, &format!("deregistered {count} targets in (target-group {arn})"));
        let name = &self.services[service].name;
        let text = format!("(service {name}, taskSet ecs-svc/{deployment}) has begun draining connections on {count} tasks.");
        self.raw_event(service, self.now, text);
    }

    /// Tasks that fail their health checks after the grace period are stopped; the next lines replace them.
    fn replace_unhealthy(&mut self, service: usize) {
        let grace = Ms::from(self.services[service].grace) * 1000;
        let tasks: Vec<TaskId> = self.services[service].tasks.iter().copied().collect();
        for id in tasks {
            let Some(task) = self.tasks.get(&id) else { continue };
            if task.status != TaskStatus::Running || task.stopping() {
                continue;
            }
            let bad_target = self.unhealthy_in(task);
            if bad_target.is_none() && task.health != Health::Unhealthy {
                continue;
            }
            let left = task.started_at.unwrap_or(self.now) + grace - self.now;
            if left > 0 {
                self.wake(service, left);
                continue;
            }
            let (deployment, proven) = (task.deployment, task.proven);
            let reason = if let Some((group, port, why)) = bad_target {
                let arn = self.target_group_arn(group);
                let text = format!("(task {id}) (port {port}) is unhealthy in (target-group {arn}) due to (reason {why}).");
                self.event(service, &text);
                format!("Task failed ELB health checks in (target-group {arn})")
            } else {
                self.event(service, &format!("(task {id}) failed container health checks."));
                "Task failed container health checks".to_owned()
            };
            let groups: Vec<usize> = task_groups(self, id);
            self.services[service].steady = false;
            self.event(service, &format!("has stopped 1 running tasks: (task {id})."));
            self.stop_task(id, Stop { code: "ServiceSchedulerInitiated", reason });
            for group in groups {
                self.say_draining(service, group, deployment, 1);
            }
            self.count_failure(service, deployment, proven);
        }
    }

    /// Completes the deployment, or reports a steady state, once there is nothing left to do.
    fn finish(&mut self, service: usize, wanted: usize) {
        let roll = self.roll(service);
        let running = |id: &TaskId| self.tasks.get(id).is_some_and(|t| t.status == TaskStatus::Running && t.proven);
        let ready = roll.new.len() == wanted && roll.new.iter().all(running);
        self.succeed_early(service, &roll, wanted);
        let of = &self.services[service];
        let rollout = of.deployments[0].rollout;
        if !ready || roll.old_alive > 0 || rollout == Rollout::Failed {
            // Whatever is under way wakes the service when it ends; this is the safety net.
            if of.pass_at.is_none() && (roll.alive > 0 || rollout != Rollout::Failed) && !of.steady {
                self.wake(service, 30_000);
            }
            return;
        }
        if rollout == Rollout::InProgress {
            if of.controller == Controller::Ecs {
                self.complete(service);
            } else {
                self.services[service].deployments[0].rollout = Rollout::Completed;
            }
        }
        self.settle(service);
    }
}

impl Estate {
    /// earlySuccessCriteria: enough of the new tasks are well, and the old ones are gone or may go later.
    fn succeed_early(&mut self, service: usize, roll: &Roll, wanted: usize) {
        let of = &self.services[service];
        let primary = &of.deployments[0];
        let rolls = primary.rollout == Rollout::InProgress && of.controller == Controller::Ecs;
        let Some(early) = of.plan.early.filter(|_| rolls && of.history[primary.history].rollback.is_none()) else { return };
        let enough = (wanted * early.percent as usize).div_ceil(100);
        if self.well(&roll.new) >= enough && (early.deferred || roll.old_alive == 0) {
            self.complete(service);
        }
    }
}

/// How many old tasks may go: those that well new ones replace, and those whose room new ones need.
fn replaceable(roll: &Roll, well_new: usize, wanted: usize, most: usize) -> usize {
    let replaced = (roll.old.len() + well_new).saturating_sub(wanted);
    let missing = wanted.saturating_sub(roll.new.len());
    let room = most.saturating_sub(roll.new.len() + roll.old.len());
    replaced.max(missing.saturating_sub(room)).min(roll.old.len())
}

fn task_groups(estate: &Estate, id: TaskId) -> Vec<usize> {
    estate.tasks.get(&id).map_or_else(Vec::new, |t| t.targets.iter().map(|(group, ..)| *group).collect())
}
