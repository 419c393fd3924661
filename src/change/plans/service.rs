//! Settings of a service that touch no task that runs.

use super::{Controller, Facts, change, express, serving, step};
use crate::change::{Call, Inverse, Note, Plan, ServiceChange, Verb};
use crate::feed::Feed;
use crate::model::Arn;

/// Lets new tasks have the agent of ECS Exec.
///
/// # Errors
/// One line: what is not known yet.
pub fn enable_exec(facts: &Facts, service: &Arn) -> Result<Plan, String> {
    set_exec(facts, service, true)
}

pub(super) fn set_exec(facts: &Facts, service: &Arn, enabled: bool) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let mut plan = facts.plan_for(Verb::EnableExec, known);
    plan.changes.push(change("exec for new tasks", &on(known.exec_enabled), &on(enabled)));
    plan.inverse = Ok(Box::new(Inverse::Exec { service: service.clone(), enabled: known.exec_enabled }));
    if known.exec_enabled == enabled {
        plan.notes.push(Note::blocker(format!("exec is {} for {} already", on(enabled), known.name)));
    }
    if Controller::of(known) != Controller::Ecs {
        plan.notes.push(Note::blocker(format!("AWS takes this setting only for services that ECS deploys, not with {}", known.controller)));
    }
    plan.notes.extend(express(known));
    if enabled {
        let revision = serving(known);
        match facts.store.definition(facts.ctx, revision) {
            Some(definition) if definition.task_role.is_none() => {
                plan.notes
                    .push(Note::blocker(format!("{} has no task role: AWS refuses, for the agent acts as that role", definition.short())));
            }
            Some(_) => plan
                .notes
                .push(Note::info("the task role needs the four ssmmessages actions; only IAM can tell whether it has them".to_owned())),
            None => {
                let why = facts.store.error(&Feed::TaskDefinition(facts.ctx, revision.clone()));
                let why = why.map_or("still reading its task definition".to_owned(), |error| error.what.to_string());
                plan.notes.push(Note::warning(format!("whether it has a task role is not checked: {why}")));
            }
        }
        plan.notes.push(Note::warning("tasks that run now do not get it: redeploy afterwards to have it in all".to_owned()));
    }
    let set = ServiceChange { exec: Some(enabled), ..ServiceChange::default() };
    let call = Call::UpdateService { cluster: known.cluster.clone(), service: known.arn.clone(), set };
    plan.steps.push(step(call, format!("switch exec {} for {}", on(enabled), known.name)));
    Ok(plan)
}

fn on(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}
