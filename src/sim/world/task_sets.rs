//! Task sets: what `CODE_DEPLOY` and EXTERNAL services have in place of rolling deployments. Each set keeps its own
//! count of tasks, a percentage of desiredCount, and none makes room for another.

use std::sync::Arc;

use super::clockwork::listed;
use super::code_deploy::release_id;
use super::lifecycle::NewTask;
use super::state::{Controller, Deployment, Estate, LoadBalancing, Ms, Rollout, Stop, TaskDefinition, TaskId, TaskSet, TaskStatus};

impl Estate {
    /// The set that a service without rolling deployments has had since before the world began.
    pub(super) fn first_set(&self, service: usize, id: u64) -> Option<TaskSet> {
        let (external_id, started_by) = match self.services[service].controller {
            Controller::Ecs => return None,
            Controller::CodeDeploy => (release_id(id), "CODE_DEPLOY"),
            Controller::External => (String::new(), ""),
        };
        Some(TaskSet { external_id, started_by: started_by.to_owned(), scale: 100.0, leaving: false })
    }

    /// Makes a task set with all of desiredCount; its number.
    pub fn create_task_set(
        &mut self,
        service: usize,
        definition: Arc<TaskDefinition>,
        load_balancers: Vec<LoadBalancing>,
        external_id: &str,
        started_by: &str,
    ) -> Option<u64> {
        let now = self.now;
        let mut revision = self.services[service].current_revision()?.clone();
        let id = self.deployment_number();
        revision.id = id;
        revision.digests = self.resolve_images(&definition, now);
        revision.definition = definition;
        revision.load_balancers = load_balancers;
        revision.created_at = now;
        let of = &mut self.services[service];
        of.revisions.push(revision);
        let set = TaskSet { external_id: external_id.to_owned(), started_by: started_by.to_owned(), scale: 100.0, leaving: false };
        of.deployments.push(Deployment {
            id,
            revision: of.revisions.len() - 1,
            history: of.history.len().saturating_sub(1),
            rollout: Rollout::Completed,
            reason: String::new(),
            failed_tasks: 0,
            backoff: 0,
            not_before: now,
            created_at: now,
            updated_at: now,
            set: Some(set),
        });
        of.steady = false;
        self.wake(service, 2_000);
        Some(id)
    }

    /// Sets the part of desiredCount that a task set has, in percent; false if there is none of that number.
    pub fn set_task_set_scale(&mut self, service: usize, id: u64, percent: f64) -> bool {
        let now = self.now;
        let Some(found) = self.services[service].deployments.iter_mut().find(|d| d.id == id) else { return false };
        let Some(set) = &mut found.set else { return false };
        set.scale = percent.clamp(0.0, 100.0);
        found.updated_at = now;
        self.services[service].steady = false;
        self.wake(service, 1_000);
        true
    }

    /// Makes a task set PRIMARY; false if there is none of that number.
    pub fn set_primary_task_set(&mut self, service: usize, id: u64) -> bool {
        let now = self.now;
        let all = &mut self.services[service].deployments;
        let Some(at) = all.iter().position(|d| d.id == id) else { return false };
        let mut primary = all.remove(at);
        primary.updated_at = now;
        all.insert(0, primary);
        self.wake(service, 1_000);
        true
    }

    /// Lets the tasks of a set go; the set leaves the list with the last. The PRIMARY one stays.
    pub fn delete_task_set(&mut self, service: usize, id: u64) -> bool {
        let now = self.now;
        let all = &mut self.services[service].deployments;
        let Some(doomed) = all.iter_mut().skip(1).find(|d| d.id == id) else { return false };
        doomed.updated_at = now;
        if let Some(set) = &mut doomed.set {
            set.scale = 0.0;
            set.leaving = true;
        }
        self.services[service].steady = false;
        self.wake(service, 1_000);
        true
    }

    /// Tasks that a set wants.
    #[must_use]
    pub fn wanted_of_set(&self, service: usize, set: &TaskSet) -> usize {
        let wanted = (f64::from(self.services[service].desired) * set.scale / 100.0).ceil();
        // desiredCount is at most 5,000.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wanted = wanted as usize;
        wanted
    }

    /// Tasks of a set that are well.
    #[must_use]
    pub fn well_of_set(&self, service: usize, id: u64) -> usize {
        let tasks = self.services[service].tasks.iter();
        tasks.filter(|task| self.tasks.get(task).is_some_and(|t| t.deployment == id) && self.is_well(**task)).count()
    }

    /// One look at a service that has task sets.
    pub(super) fn pass_sets(&mut self, service: usize) {
        let mut settled = true;
        let sets: Vec<(u64, TaskSet)> = self.services[service].deployments.iter().filter_map(|d| Some((d.id, d.set.clone()?))).collect();
        for (id, set) in &sets {
            let wanted = self.wanted_of_set(service, set);
            settled &= self.pass_set(service, *id, wanted);
        }
        let alive = |id: u64| {
            let mut tasks = self.services[service].tasks.iter().filter_map(|task| self.tasks.get(task));
            tasks.any(|t| t.deployment == id && t.status != TaskStatus::Stopped)
        };
        let gone: Vec<u64> = sets.iter().filter(|(id, set)| set.leaving && !alive(*id)).map(|(id, _)| *id).collect();
        self.services[service].deployments.retain(|d| !gone.contains(&d.id));
        if settled {
            self.settle(service);
        } else if self.services[service].pass_at.is_none() {
            self.wake(service, 30_000);
        }
    }

    /// Starts and stops tasks of one set; true when it has what it wants.
    pub(super) fn pass_set(&mut self, service: usize, id: u64, wanted: usize) -> bool {
        let tasks: Vec<(TaskId, bool, Ms)> = self.services[service]
            .tasks
            .iter()
            .filter_map(|task| self.tasks.get(task))
            .filter(|t| t.deployment == id && t.status != TaskStatus::Stopped)
            .map(|t| (t.id, t.stopping(), t.created_at))
            .collect();
        let mut standing: Vec<(TaskId, Ms)> = tasks.iter().filter(|(_, stopping, _)| !stopping).map(|(id, _, at)| (*id, *at)).collect();
        if standing.len() < wanted {
            self.start_in_set(service, id, wanted - standing.len());
            return false;
        }
        standing.sort_by_key(|(id, at)| (self.is_well(*id), std::cmp::Reverse(*at), *id));
        let spare = standing.len() - wanted;
        let order: Vec<TaskId> = standing.iter().map(|(id, _)| *id).collect();
        let surplus: Vec<TaskId> = self.unprotected(&order).into_iter().take(spare).collect();
        if surplus.len() < spare {
            self.say_protected(service, spare - surplus.len());
        }
        if !surplus.is_empty() {
            self.stop_in_set(service, id, &surplus);
            return false;
        }
        tasks.len() == standing.len() && standing.iter().all(|(id, _)| self.is_well(*id))
    }

    fn start_in_set(&mut self, service: usize, id: u64, missing: usize) {
        let Some(set) = self.services[service].deployments.iter().find(|d| d.id == id) else { return };
        if self.now < set.not_before {
            let delay = set.not_before - self.now;
            return self.wake(service, delay);
        }
        let mut started = Vec::new();
        for _ in 0..missing.min(10) {
            let Some(new) = self.task_of_set(service, id) else { break };
            match self.start_task(new) {
                Ok(task) => started.push(task),
                Err(words) => {
                    self.event(service, &words);
                    break;
                }
            }
        }
        if !started.is_empty() {
            let name = self.services[service].name.clone();
            let text = format!("(service {name}, taskSet ecs-svc/{id}) has started {} tasks: {}.", started.len(), listed(&started));
            self.raw_event(service, self.now, text);
        }
        self.wake(service, 10_000);
    }

    fn task_of_set(&self, service: usize, id: u64) -> Option<NewTask> {
        let of = &self.services[service];
        let revision = of.revision_of(id)?;
        Some(NewTask {
            cluster: of.cluster,
            service: Some(service),
            deployment: id,
            started_by: None,
            group: format!("service:{}", of.name),
            definition: Arc::clone(&revision.definition),
            launch: revision.launch.clone(),
            platform_version: revision.platform_version.clone(),
            behaviour: Arc::clone(&revision.definition.behaviour),
            exec: of.exec,
            tags: Vec::new(),
            overrides: None,
            on: None,
        })
    }

    fn stop_in_set(&mut self, service: usize, id: u64, tasks: &[TaskId]) {
        let name = self.services[service].name.clone();
        let text = format!("(service {name}, taskSet ecs-svc/{id}) has stopped {} running tasks: {}.", tasks.len(), listed(tasks));
        self.raw_event(service, self.now, text);
        let draining = format!("(service {name}, taskSet ecs-svc/{id}) has begun draining connections on {} tasks.", tasks.len());
        self.raw_event(service, self.now, draining);
        for task in tasks {
            let reason = format!("Scaling activity initiated by (task-set ecs-svc/{id})");
            self.stop_task(*task, Stop { code: "ServiceSchedulerInitiated", reason });
        }
        self.wake(service, 5_000);
    }
}
