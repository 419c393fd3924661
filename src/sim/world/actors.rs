//! Actors: what people and robots outside do to an estate, by the scenario's
//! timetable. They act through the same doors as API calls do.

use std::sync::Arc;

use serde_json::Value;

use super::lifecycle::NewTask;
use super::queue::Due;
use super::register::Flavour;
use super::state::{
    Actor, ActorScript, Controller, Estate, InstanceStatus, ServiceRevision, Stop, Target, TargetState, Task, TaskDefinition, TaskId,
    TaskStatus,
};
use crate::sim::rng::Rng;
use crate::sim::scenario::{Act, Behaviour, Fate};

/// Members of a described task definition that `RegisterTaskDefinition` does not take.
const OUTPUT_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

impl Estate {
    pub(super) fn act(&mut self, index: usize) {
        let actor = self.actors[index].clone();
        self.actors[index].round += 1;
        let script = &actor.script;
        if let Some(every) = script.every {
            self.after(every.0, Due::Act(index));
        }
        match actor.service {
            Some(service) => self.act_on_service(service, &actor),
            None => self.act_on_cluster(&actor),
        }
    }

    fn act_on_service(&mut self, service: usize, actor: &Actor) {
        let script = &actor.script;
        match script.act {
            Act::Deploy => self.release(service, script),
            Act::Redeploy => {
                if let Some(revision) = self.services[service].current_revision().cloned() {
                    self.bring(service, revision);
                }
            }
            Act::Scale => {
                let turn = actor.round as usize % script.desired.len().max(1);
                if let Some(desired) = script.desired.get(turn) {
                    self.scale(service, *desired);
                }
            }
            Act::Run => self.run_job(service, script),
            Act::Interrupt => self.interrupt(service),
            Act::Befall => self.befall(service, &script.behaviour),
            Act::Stop => {
                let first = self.running_tasks(service).next().map(|t| t.id);
                if let Some(id) = first {
                    self.stop_task_by_user(id, script.reason.as_deref().unwrap_or("Task stopped by user"));
                }
            }
            Act::Rollback => {
                // Nothing under way is nothing to roll back.
                let _ = self.request_rollback(service);
            }
            Act::Delete => self.delete_service(service),
            Act::StrayTarget => self.register_stray(service, script.address.as_deref()),
            Act::Protect => {
                let ids: Vec<TaskId> = self.running_tasks(service).map(|t| t.id).collect();
                for id in ids {
                    self.protect(id, Some(self.now + 2 * 3_600_000));
                }
            }
            Act::Deregister => {
                if let Some(definition) = self.services[service].current_revision().map(|r| Arc::clone(&r.definition)) {
                    self.deregister_definition(&definition);
                }
            }
            _ => self.act_on_cluster(actor),
        }
    }

    fn act_on_cluster(&mut self, actor: &Actor) {
        let script = &actor.script;
        let parameter = script.parameter.as_deref().unwrap_or_default().trim_start_matches('/').to_owned();
        match script.act {
            Act::DeleteParameter => {
                self.absent.insert(parameter);
            }
            Act::DenyParameter => {
                self.denied.insert(parameter);
            }
            Act::RestoreParameter => {
                self.absent.remove(&parameter);
                self.denied.remove(&parameter);
            }
            Act::FailFunction => {
                self.failing.insert(script.function.clone().unwrap_or_default());
            }
            Act::MendFunction => {
                self.failing.remove(script.function.as_deref().unwrap_or_default());
            }
            Act::ExpireImage => self.expire_image(script.image.as_deref().unwrap_or_default()),
            Act::Alarm => self.set_off(script.alarm.as_deref().unwrap_or_default()),
            Act::Fill => {
                for host in self.hosts(actor) {
                    self.fill(host, script);
                }
            }
            Act::AgentDisconnect | Act::AgentConnect => {
                for host in self.hosts(actor) {
                    self.connect_agent(host, script.act == Act::AgentConnect);
                }
            }
            Act::Drain => {
                for host in self.hosts(actor) {
                    self.set_instance_status(host, InstanceStatus::Draining);
                }
            }
            Act::Terminate => {
                for host in self.hosts(actor) {
                    self.terminate_instance(host);
                }
            }
            _ => {}
        }
    }

    /// The container instances that an actor means.
    fn hosts(&self, actor: &Actor) -> Vec<usize> {
        let here = (0..self.instances.len()).filter(|&i| self.instances[i].cluster == actor.cluster && !self.instances[i].gone);
        match actor.script.instance {
            Some(nth) => here.skip(nth).take(1).collect(),
            None => here.collect(),
        }
    }

    fn running_tasks(&self, service: usize) -> impl Iterator<Item = &Task> {
        let tasks = self.services[service].tasks.iter().filter_map(|id| self.tasks.get(id));
        tasks.filter(|t| t.status == TaskStatus::Running && !t.stopping())
    }

    /// Sets desiredCount; no deployment comes of it.
    pub fn scale(&mut self, service: usize, desired: u32) {
        let of = &mut self.services[service];
        if of.deleted {
            return;
        }
        if of.desired != desired {
            of.desired = desired;
            of.steady = false;
            if let Some(primary) = of.deployments.first_mut() {
                primary.updated_at = self.now;
            }
        }
        self.wake(service, 2_000);
    }

    /// `DeleteService`: its tasks go, and it is INACTIVE afterwards.
    pub fn delete_service(&mut self, service: usize) {
        self.scale(service, 0);
        self.services[service].deleted = true;
        self.watch.scaling.retain(|target| target.service != service);
    }

    /// A new image, a new revision of the task definition, a new deployment.
    fn release(&mut self, service: usize, script: &ActorScript) {
        let Some(mut revision) = self.services[service].current_revision().cloned() else { return };
        let base = Arc::clone(&revision.definition);
        let pushed = script.behaviour.fate != Fate::PullFails;
        let Some(input) = self.next_input(&base, script.tag.as_deref(), pushed) else { return };
        let by = format!("arn:aws:sts::{}:assumed-role/ci-deploy/{}", self.account, script.name);
        let mut flavour = self.inherited_flavour(&input, &by);
        flavour.behaviour = Arc::new(script.behaviour.clone());
        revision.definition = self.register(&input, flavour);
        self.bring(service, revision);
    }

    /// A new deployment by whoever deploys the service.
    fn bring(&mut self, service: usize, revision: ServiceRevision) {
        if self.services[service].controller == Controller::Ecs {
            self.deploy(service, revision);
        } else {
            self.release_by_spec(service, &revision.definition);
        }
    }

    /// The base revision with the next tag on its first image, or with new images under the same moving tags.
    fn next_input(&mut self, base: &TaskDefinition, wanted: Option<&str>, pushed: bool) -> Option<Value> {
        let mut input = registration_of(base)?;
        let at = self.now - 45_000;
        let registry = format!("{}/", self.registry());
        // A build pushes all of its images; those under tags of their own time stay as they are.
        for container in base.containers.iter().skip(1).filter(|_| pushed) {
            let name = container.image.strip_prefix(&registry).and_then(|rest| rest.rsplit_once(':'));
            if let Some((repository, tag)) = name.filter(|(repository, tag)| self.tag_moves(repository, tag)) {
                self.push_image(repository, tag, base.revision + 1, at);
            }
        }
        let image = input.pointer_mut("/containerDefinitions/0/image")?;
        let text = image.as_str()?;
        let text = text.split_once('@').map_or(text, |(tagged, _)| tagged);
        let (name, tag) = text.rsplit_once(':')?;
        let (name, tag) = (name.to_owned(), tag.to_owned());
        let moves = name.strip_prefix(&registry).is_some_and(|repository| self.tag_moves(repository, &tag));
        let tag = match wanted {
            Some(wanted) => wanted.to_owned(),
            None if moves => tag,
            None => later_tag(&tag, base.revision, &mut self.rng),
        };
        *image = Value::String(format!("{name}:{tag}"));
        if let Some(repository) = name.strip_prefix(&registry).filter(|_| pushed) {
            self.push_image(repository, &tag, base.revision + 1, at);
        }
        Some(input)
    }

    /// Fargate Spot wants a task's place back: the first that runs there, else the first of all.
    fn interrupt(&mut self, service: usize) {
        let on_spot = self.running_tasks(service).find(|t| t.capacity_provider.as_deref() == Some("FARGATE_SPOT"));
        let Some(id) = on_spot.or_else(|| self.running_tasks(service).next()).map(|t| t.id) else { return };
        self.services[service].steady = false;
        self.stop_task(id, Stop { code: "SpotInterruption", reason: "Your Spot Task was interrupted.".to_owned() });
    }

    /// The newest revision's tasks fare in another way from now on.
    fn befall(&mut self, service: usize, behaviour: &Behaviour) {
        let of = &self.services[service];
        // Of task sets the newest one, which a release under way has brought; otherwise the PRIMARY deployment.
        let sets = of.deployments.iter().filter(|d| d.set.as_ref().is_some_and(|set| !set.leaving));
        let newest = sets.max_by_key(|d| d.created_at).or(of.deployments.first());
        let Some(revision) = newest.and_then(|d| of.revisions.get(d.revision)) else { return };
        let old = Arc::clone(&revision.definition);
        let fate = Arc::new(behaviour.clone());
        let new = Arc::new(TaskDefinition { behaviour: Arc::clone(&fate), ..TaskDefinition::clone(&old) });
        for revision in self.services.iter_mut().flat_map(|s| s.revisions.iter_mut()).filter(|r| Arc::ptr_eq(&r.definition, &old)) {
            revision.definition = Arc::clone(&new);
        }
        for known in self.families.get_mut(&old.family).into_iter().flatten().filter(|d| Arc::ptr_eq(d, &old)) {
            *known = Arc::clone(&new);
        }
        let ids: Vec<TaskId> = self.running_tasks(service).filter(|t| Arc::ptr_eq(&t.definition, &old)).map(|t| t.id).collect();
        for id in ids {
            let sick = self.falls_sick(Some(service), &fate);
            if let Some(task) = self.tasks.get_mut(&id) {
                task.definition = Arc::clone(&new);
                task.behaviour = Arc::clone(&fate);
                task.sick = sick;
            }
            self.strike(id, sick);
        }
    }

    /// A running task's checks and streams hear of its new fate.
    fn strike(&mut self, id: TaskId, sick: bool) {
        self.set_fate(id, self.now);
        let Some(task) = self.tasks.get(&id) else { return };
        let (fate, delay) = (Arc::clone(&task.behaviour), task.fate_delay());
        let groups: Vec<usize> = task.targets.iter().map(|(group, ..)| *group).collect();
        for group in groups {
            let check = &self.target_groups[group].check;
            let rounds = if sick { check.unhealthy } else { check.healthy };
            let down = super::Ms::from(rounds.max(1) * check.interval.max(1)) * 1000;
            let healthy = !(sick && fate.fate == Fate::Unhealthy);
            self.after(down + if sick { delay } else { 0 }, Due::Checked(id, group, healthy));
        }
        for stream in self.log_groups.values_mut().flat_map(|g| g.streams.values_mut()).filter(|s| s.task == id) {
            stream.behaviour = Arc::clone(&fate);
            stream.sick = sick;
        }
    }

    /// Somebody registers an address that is no task's.
    fn register_stray(&mut self, service: usize, address: Option<&str>) {
        let revision = self.services[service].current_revision();
        let Some((group, port)) = revision.and_then(|r| r.load_balancers.first()).map(|lb| (lb.target_group, lb.port)) else { return };
        let zone = self.zones()[0].clone();
        self.target_groups[group].targets.push(Target {
            id: address.unwrap_or("10.20.255.17").to_owned(),
            port,
            zone,
            task: None,
            state: TargetState::Unhealthy,
            reason: "Target.Timeout".to_owned(),
            description: "Request timed out".to_owned(),
            since: self.now,
        });
    }

    fn run_job(&mut self, service: usize, script: &ActorScript) {
        let service = &self.services[service];
        let Some(revision) = service.current_revision() else { return };
        let definition = Arc::clone(&revision.definition);
        let new = NewTask {
            cluster: service.cluster,
            service: None,
            deployment: 0,
            started_by: Some(script.name.clone()),
            group: format!("family:{}", definition.family),
            definition,
            launch: revision.launch.clone(),
            platform_version: revision.platform_version.clone(),
            behaviour: Arc::new(script.behaviour.clone()),
            exec: false,
            tags: Vec::new(),
            overrides: None,
            on: None,
        };
        // A schedule that finds no room simply misses its turn, as in AWS.
        let _ = self.start_task(new);
    }
}

/// What would register a revision again.
#[must_use]
pub fn registration_of(definition: &TaskDefinition) -> Option<Value> {
    let mut input: Value = serde_json::from_str(&definition.document).ok()?;
    drop_output(&mut input);
    Some(input)
}

/// Leaves out what `RegisterTaskDefinition` has no parameter for.
pub(super) fn drop_output(input: &mut Value) {
    if let Some(members) = input.as_object_mut() {
        members.retain(|key, _| !OUTPUT_ONLY.contains(&key.as_str()));
    }
}

/// The tag after this one: another commit for a commit, the next number otherwise.
pub(super) fn later_tag(tag: &str, revision: u32, rng: &mut Rng) -> String {
    moved_tag(tag, 1, rng).unwrap_or_else(|| format!("{tag}-{}", revision + 1))
}

/// The tag `by` releases away, when the tag shows a commit or a number.
pub(super) fn moved_tag(tag: &str, by: i64, rng: &mut Rng) -> Option<String> {
    let hex = tag.len() >= 7 && tag.bytes().all(|b| b.is_ascii_hexdigit());
    if hex && tag.bytes().any(|b| b.is_ascii_alphabetic()) {
        return Some(rng.hex(tag.len()));
    }
    let end = tag.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = tag[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |i| i + 1);
    let number: i64 = tag.get(start..end)?.parse().ok()?;
    let moved = number.checked_add(by).filter(|n| *n >= 0)?;
    // `2025_09` goes on as `2025_10`, and back as `2025_08`.
    let width = if tag[start..].starts_with('0') { end - start } else { 0 };
    Some(format!("{}{moved:0width$}{}", &tag[..start], &tag[end..]))
}

impl Flavour {
    /// Of a first registration by somebody.
    #[must_use]
    pub fn plain(by: &str, at: super::Ms) -> Self {
        Self { traits: Vec::new(), behaviour: Arc::default(), revision: None, at, by: by.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_move_as_their_kind_does() {
        let mut rng = Rng::new(1, "tags");
        assert_eq!(moved_tag("v2.8.1", 1, &mut rng).as_deref(), Some("v2.8.2"));
        assert_eq!(moved_tag("20261121-2", -1, &mut rng).as_deref(), Some("20261121-1"));
        assert_eq!(moved_tag("r903", -3, &mut rng).as_deref(), Some("r900"));
        assert_eq!(moved_tag("v1.0.0", -1, &mut rng), None);
        assert_eq!(moved_tag("2025_05", -1, &mut rng).as_deref(), Some("2025_04"));
        let commit = moved_tag("9b02d77", 1, &mut rng).unwrap_or_default();
        assert_eq!(commit.len(), 7);
        assert_ne!(commit, "9b02d77");
    }
}
