//! From what the store holds to a plan: pure functions, one for each change. A plan that AWS would refuse is made too, with the blocker
//! that says why; only where nothing can be planned at all, one line comes instead.
//!
//! It asks nothing: whoever shows a preview wants the feeds of [`wanted`].

mod capacity;
mod clone;
mod deploy;
mod hook;
mod images;
mod instances;
mod release;
mod roll_back;
mod scale;
mod service;
mod tasks;
mod undo;
mod vault;
mod wants;

pub use clone::request;
pub use deploy::{deploy_image, deploy_image_of};
pub use hook::answer_hook;
pub use images::tag_note;
pub use instances::instances;
pub use release::redeploy;
pub use roll_back::{RollBack, moved_tags, pins, roll_back, way_out};
pub use scale::{RangeChoice, is_as_it_is, range_choices, range_choices_by, scale, scale_by, scaling_range};
pub use service::enable_exec;
pub use tasks::{protect, run_task, stop_tasks};
pub use undo::undo;
pub use wants::{wanted, wanted_of_image, wanted_of_revision};

use super::{Basis, Change, Level, Note, Plan, Step, Verb};
use crate::config::Config;
use crate::feed::Feed;
use crate::model::{Arn, CodeDeployment, Ctx, Fleet, Service, Str, TaskSet, Time};
use crate::store::Store;
use std::fmt::Display;
use std::sync::Arc;

/// What a planner may look at.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// All answers so far.
    pub store: &'a Store,
    /// The contexts.
    pub fleet: &'a Fleet,
    /// The user's configuration.
    pub config: &'a Config,
    /// Where.
    pub ctx: Ctx,
    /// Cluster.
    pub cluster: &'a Arn,
    /// AWS's time.
    pub now: Time,
}

/// Who deploys a service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Controller {
    Ecs,
    CodeDeploy,
    External,
}

impl Controller {
    fn of(service: &Service) -> Controller {
        match &*service.controller {
            "CODE_DEPLOY" => Controller::CodeDeploy,
            "EXTERNAL" => Controller::External,
            _ => Controller::Ecs,
        }
    }
}

impl<'a> Facts<'a> {
    /// A service, or why nothing can be planned for it.
    fn service(&self, arn: &Arn) -> Result<&'a Arc<Service>, String> {
        self.store.service(self.ctx, self.cluster, arn).ok_or_else(|| match self.service_error(arn) {
            Some(error) => format!("{} cannot be read: {}", arn.name(), error.came()),
            None => format!("still reading {}", arn.name()),
        })
    }

    fn service_error(&self, arn: &Arn) -> Option<&'a crate::aws::AwsError> {
        let own = self.store.error(&Feed::Service(self.ctx, arn.clone()));
        own.or_else(|| self.store.error(&Feed::Services(self.ctx, self.cluster.clone())))
    }

    /// The action that the role may not do, where that is why a service is not known.
    fn hidden(&self, arn: &Arn) -> Option<&'a str> {
        let error = self.service_error(arn).filter(|_| self.store.service(self.ctx, self.cluster, arn).is_none())?;
        error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")).then_some(&*error.action)
    }

    /// The beginnings of a plan.
    fn plan(&self, verb: Verb, targets: Vec<Arn>) -> Plan {
        let account = self.store.identity(self.ctx).map(|identity| identity.account.clone());
        Plan {
            verb,
            ctx: self.ctx,
            account: account.unwrap_or_else(|| self.cluster.account().into()),
            region: self.fleet.context(self.ctx).region.clone(),
            profile: self.fleet.context(self.ctx).profile.clone(),
            cluster: self.cluster.clone(),
            targets,
            changes: Vec::new(),
            notes: Vec::new(),
            level: Level::Plain,
            word: None,
            steps: Vec::new(),
            basis: Vec::new(),
            inverse: Err("it cannot be taken back"),
            watch: None,
            undoes: None,
        }
    }

    /// The plan of a change to one service, with what is true of every such change.
    fn plan_for(&self, verb: Verb, service: &Service) -> Plan {
        let mut plan = self.plan(verb, vec![service.arn.clone()]);
        plan.basis.push(Basis::service(service));
        plan.watch = Some(service.arn.clone());
        if &*service.status != "ACTIVE" {
            plan.notes.push(Note::blocker(format!("{} is {}: AWS changes only ACTIVE services", service.name, service.status)));
        }
        plan
    }

    /// What CodeDeploy does to a service now: the deployment's id, and the deployment as far as it is known.
    fn code_under_way(&self, service: &Service) -> Option<(&'a Str, Option<&'a Arc<CodeDeployment>>)> {
        let stored = self.store.service(self.ctx, self.cluster, &service.arn)?;
        let known = |set: &'a TaskSet| {
            let id = set.external_id.as_ref()?;
            let known = self.store.code_deployment(self.ctx, &service.arn, id);
            // Where it may not be read, a replacement beside the set that serves is the sign.
            let runs = known.map_or(&*set.status == "ACTIVE" && stored.task_sets.len() > 1, |known| !known.over());
            runs.then_some((id, known))
        };
        stored.task_sets.iter().filter_map(known).max_by_key(|(_, known)| known.and_then(|known| known.created_at))
    }
}

/// The action that the role may not do, where that is why it is not known what a service runs.
#[must_use]
pub fn may_not_be_read<'a>(facts: &Facts<'a>, service: &Arn) -> Option<&'a str> {
    facts.hidden(service)
}

/// The revision that a service's traffic goes to: what it asks for, or what its serving task set runs.
pub(super) fn serving(service: &Service) -> &Arn {
    let primary = service.task_sets.iter().find(|set| &*set.status == "PRIMARY");
    primary.map(|set| &set.task_definition).filter(|arn| !arn.as_str().is_empty()).unwrap_or(&service.task_definition)
}

/// What ECS itself deploys to a service now, in words; nothing when it is at rest.
fn under_way(service: &Service) -> Option<String> {
    let primary = service.deployments.iter().find(|d| &*d.status == "PRIMARY")?;
    let rolls = primary.rollout_state.as_deref().map_or(service.deployments.len() > 1, |state| state == "IN_PROGRESS");
    let bakes = service.current_deployment.is_some() && shifts(service);
    (rolls || bakes).then(|| {
        format!("a deployment of {} is under way, {} of {} tasks run", primary.task_definition.name(), primary.running, primary.desired)
    })
}

/// Whether ECS moves traffic between two sets of tasks, rather than replacing task by task.
fn shifts(service: &Service) -> bool {
    service.strategy.as_deref().is_some_and(|strategy| strategy != "ROLLING")
}

fn step(call: super::Call, what: impl Into<String>) -> Step {
    Step { call, what: what.into() }
}

fn change(what: &str, before: &dyn Display, after: &dyn Display) -> Change {
    Change { what: what.to_owned(), before: before.to_string(), after: after.to_string() }
}

/// `1 task`, `2 tasks`.
fn tasks_of(n: usize) -> String {
    counted(n, "task")
}

fn counted(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and 3 more`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// An Express service is changed through an operation of its own, which sets back what is changed beside it.
fn express(service: &Service) -> Option<Note> {
    (service.management.as_deref() == Some("ECS"))
        .then(|| Note::warning(format!("{} is an Express service: its next UpdateExpressGatewayService may set this back", service.name)))
}

#[cfg(test)]
mod tests;
