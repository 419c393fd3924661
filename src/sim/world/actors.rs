//! Actors: what people and robots outside do to an estate, by the scenario's
//! timetable. They act through the same doors as API calls do.

use std::sync::Arc;

use serde_json::Value;

use super::lifecycle::NewTask;
use super::queue::Due;
use super::register::Flavour;
use super::state::{Actor, Estate, Stop, Task, TaskDefinition, TaskStatus};
use crate::sim::rng::Rng;
use crate::sim::scenario::{Act, Fate};

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
        self.after(actor.every, Due::Act(index));
        match actor.act {
            Act::Deploy => self.release(&actor),
            Act::Redeploy => {
                if let Some(revision) = self.services[actor.service].current_revision().cloned() {
                    self.deploy(actor.service, revision);
                }
            }
            Act::Scale => {
                let turn = actor.round as usize % actor.desired.len().max(1);
                if let Some(desired) = actor.desired.get(turn) {
                    self.scale(actor.service, *desired);
                }
            }
            Act::Run => self.run_job(&actor),
            Act::Interrupt => self.interrupt(actor.service),
        }
    }

    /// Sets desiredCount; no deployment comes of it.
    pub fn scale(&mut self, service: usize, desired: u32) {
        let of = &mut self.services[service];
        if of.desired != desired {
            of.desired = desired;
            of.steady = false;
            of.deployments[0].updated_at = self.now;
        }
        self.wake(service, 2_000);
    }

    /// A new image, a new revision of the task definition, a new deployment.
    fn release(&mut self, actor: &Actor) {
        let Some(mut revision) = self.services[actor.service].current_revision().cloned() else { return };
        let base = Arc::clone(&revision.definition);
        let pushed = actor.behaviour.fate != Fate::PullFails;
        let Some(input) = self.next_input(&base, pushed) else { return };
        let by = format!("arn:aws:sts::{}:assumed-role/ci-deploy/{}", self.account, actor.name);
        let mut flavour = self.inherited_flavour(&input, &by);
        flavour.behaviour = Arc::new(actor.behaviour.clone());
        revision.definition = self.register(&input, flavour);
        self.deploy(actor.service, revision);
    }

    /// The base revision with the next tag on its first image.
    fn next_input(&mut self, base: &TaskDefinition, pushed: bool) -> Option<Value> {
        let mut input = registration_of(base)?;
        let image = input.pointer_mut("/containerDefinitions/0/image")?;
        let (name, tag) = image.as_str()?.rsplit_once(':')?;
        let (name, tag) = (name.to_owned(), tag.to_owned());
        let own = name.strip_prefix(&format!("{}/", self.registry())).map(str::to_owned);
        let moves = own.as_ref().is_some_and(|repository| self.tag_moves(repository, &tag));
        let tag = if moves { tag } else { later_tag(&tag, base.revision, &mut self.rng) };
        *image = Value::String(format!("{name}:{tag}"));
        if let Some(repository) = own.filter(|_| pushed) {
            self.push_image(&repository, &tag, base.revision + 1, self.now - 45_000);
        }
        Some(input)
    }

    /// Fargate Spot wants a task's place back: the first that runs there, else the first of all.
    fn interrupt(&mut self, service: usize) {
        let running = |t: &&Task| t.status == TaskStatus::Running && !t.stopping();
        let tasks = || self.services[service].tasks.iter().filter_map(|id| self.tasks.get(id)).filter(running);
        let on_spot = tasks().find(|t| t.capacity_provider.as_deref() == Some("FARGATE_SPOT"));
        let Some(id) = on_spot.or_else(|| tasks().next()).map(|t| t.id) else { return };
        self.services[service].steady = false;
        self.stop_task(id, Stop { code: "SpotInterruption", reason: "Your Spot Task was interrupted.".to_owned() });
    }

    fn run_job(&mut self, actor: &Actor) {
        let service = &self.services[actor.service];
        let Some(revision) = service.current_revision() else { return };
        let definition = Arc::clone(&revision.definition);
        let new = NewTask {
            cluster: service.cluster,
            service: None,
            deployment: 0,
            started_by: Some(actor.name.clone()),
            group: format!("family:{}", definition.family),
            definition,
            launch: revision.launch.clone(),
            platform_version: revision.platform_version.clone(),
            behaviour: Arc::new(actor.behaviour.clone()),
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
    let members = input.as_object_mut()?;
    for key in OUTPUT_ONLY {
        members.remove(key);
    }
    Some(input)
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
    Some(format!("{}{moved}{}", &tag[..start], &tag[end..]))
}

impl Flavour {
    /// Of a first registration by somebody.
    #[must_use]
    pub fn plain(by: &str, at: super::Ms) -> Self {
        Self { voices: Vec::new(), behaviour: Arc::default(), revision: None, at, by: by.to_owned() }
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
        let commit = moved_tag("9b02d77", 1, &mut rng).unwrap_or_default();
        assert_eq!(commit.len(), 7);
        assert_ne!(commit, "9b02d77");
    }
}
