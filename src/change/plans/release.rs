//! A new deployment by whoever deploys the service: ECS by `UpdateService`, CodeDeploy by a deployment of its own, an external
//! controller not at all.

use super::{Controller, Facts, capacity, change, express, images, serving, shifts, step, under_way, vault};
use crate::change::{Basis, Call, Note, Plan, Revision, ServiceChange, Verb};
use crate::feed::Feed;
use crate::model::{Arn, Service};

/// The same revision anew: new tasks for old, and what moving tags name by now.
///
/// # Errors
/// One line: what is not known yet.
pub fn redeploy(facts: &Facts, service: &Arn) -> Result<Plan, String> {
    let service = facts.service(service)?;
    let mut plan = facts.plan_for(Verb::Redeploy, service);
    let revision = serving(service).clone();
    plan.inverse = Err("a redeploy starts the same revision: there is nothing to go back to");
    plan.changes.push(change("tasks", &running(service, &revision), &format!("{} new of {}", service.desired, revision.name())));
    match Controller::of(service) {
        Controller::Ecs => {
            let set = ServiceChange { force: true, ..ServiceChange::default() };
            let call = Call::UpdateService { cluster: service.cluster.clone(), service: service.arn.clone(), set };
            plan.steps.push(step(call, format!("start a new deployment of {}", revision.name())));
        }
        Controller::CodeDeploy => release(facts, &mut plan, service, Revision::Known(revision.clone()), revision.name())?,
        Controller::External => external(&mut plan, service, "starts a new task set for it"),
    }
    busy(facts, &mut plan, service);
    plan.notes.extend(express(service));
    capacity::tell(facts, &mut plan, service, &revision);
    image_notes(facts, &mut plan, service, &revision);
    Ok(plan)
}

/// What runs now, by revision: in the middle of a release that is not what the service asks for.
fn running(service: &Service, revision: &Arn) -> String {
    let sets = service.task_sets.iter().map(|set| (&set.task_definition, set.running));
    let told = service.deployments.iter().map(|deployment| (&deployment.task_definition, deployment.running)).chain(sets);
    let mut counts: Vec<(&Arn, u32)> = Vec::new();
    for (arn, running) in told.filter(|(arn, _)| !arn.as_str().is_empty()) {
        match counts.iter_mut().find(|(known, _)| *known == arn) {
            Some((_, count)) => *count += running,
            None => counts.push((arn, running)),
        }
    }
    counts.retain(|(_, running)| *running > 0);
    if counts.iter().map(|(_, running)| running).sum::<u32>() == 0 && service.running > 0 {
        // Without the breakdown the service's own count is all there is.
        return format!("{} of {}", service.running, revision.name());
    }
    let words: Vec<String> = counts.iter().map(|(arn, running)| format!("{running} of {}", arn.name())).collect();
    if words.is_empty() { format!("0 of {}", revision.name()) } else { words.join(", ") }
}

/// What moving tags do to a deployment of a revision that runs.
fn image_notes(facts: &Facts, plan: &mut Plan, service: &Service, revision: &Arn) {
    if let Some(definition) = facts.store.definition(facts.ctx, revision) {
        plan.notes.extend(images::redeploy_notes(facts, service, definition));
        // Tasks that run have read theirs long ago; new ones read them again.
        plan.notes.extend(vault::notes(facts, definition, Some(definition)));
        plan.basis.extend(images::bases(facts, definition));
        plan.basis.extend(vault::basis(facts, definition));
        return;
    }
    let why = facts.store.error(&Feed::TaskDefinition(facts.ctx, revision.clone()));
    let why = why.map_or("still reading its task definition".to_owned(), |error| error.what.to_string());
    plan.notes.push(Note::warning(format!("whether its tags have moved is not checked: {why}")));
}

/// The step by which a revision gets onto a service of ECS or CodeDeploy; of an external controller, the words that it does not.
pub(super) fn deploy_step(facts: &Facts, plan: &mut Plan, service: &Service, revision: Revision, name: &str) -> Result<(), String> {
    match Controller::of(service) {
        Controller::Ecs => {
            plan.steps.push(update(&service.cluster, &service.arn, revision, name));
            Ok(())
        }
        Controller::CodeDeploy => release(facts, plan, service, revision, name),
        Controller::External => {
            external(plan, service, "starts a task set of the new revision");
            Ok(())
        }
    }
}

/// `UpdateService` with a revision and nothing else.
pub(super) fn update(cluster: &Arn, service: &Arn, revision: Revision, name: &str) -> crate::change::Step {
    let set = ServiceChange { revision: Some(revision), ..ServiceChange::default() };
    let call = Call::UpdateService { cluster: cluster.clone(), service: service.clone(), set };
    step(call, format!("update {} to {name}", service.name()))
}

/// A deployment of CodeDeploy, by the `AppSpec` that brought what serves now.
fn release(facts: &Facts, plan: &mut Plan, service: &Service, revision: Revision, name: &str) -> Result<(), String> {
    let Some(spec) = facts.store.app_spec(facts.ctx, &service.arn) else {
        return Err(match facts.store.error(&Feed::AppSpec(facts.ctx, service.arn.clone())) {
            Some(error) => format!("the AppSpec of {} cannot be read: {}", service.name, error.came()),
            None => format!("still reading the AppSpec of {}", service.name),
        });
    };
    if let Err(why) = crate::change::app_spec::with_task_definition(&spec.content, "") {
        plan.notes.push(Note::blocker(format!("{why}: it cannot be sent again with another one")));
    }
    plan.notes
        .push(Note::info(format!("the AppSpec of {} is sent again with only the task definition changed: its hooks run", spec.deployment)));
    let call = Call::CreateDeployment {
        application: spec.application.clone(),
        group: spec.group.clone(),
        app_spec: spec.content.clone(),
        revision,
        description: format!("{} {name} with Midwatch", plan.verb.word()),
    };
    plan.steps.push(step(call, format!("create a CodeDeploy deployment of {name}")));
    Ok(())
}

pub(super) fn external(plan: &mut Plan, service: &Service, does: &str) {
    let who = service.task_sets.iter().find_map(|set| set.external_id.as_deref()).map_or(String::new(), |id| format!(" ({id})"));
    plan.notes.push(Note::blocker(format!(
        "{} is deployed by an EXTERNAL controller{who}: only that {does}, AWS refuses it to UpdateService",
        service.name
    )));
}

/// What a deployment under way means for a new one.
pub(super) fn busy(facts: &Facts, plan: &mut Plan, service: &Service) {
    match Controller::of(service) {
        Controller::CodeDeploy => {
            if let Some((id, known)) = facts.code_under_way(service) {
                let status = known.map_or("under way", |code| &*code.status);
                plan.notes.push(Note::blocker(format!(
                    "CodeDeploy deployment {id} is {status}: AWS takes one at a time. Roll it back, or wait for its end"
                )));
                plan.basis.extend(known.map(|code| Basis::Code { id: id.clone(), status: code.status.clone() }));
            }
        }
        Controller::Ecs => {
            let Some(words) = under_way(service) else { return };
            let then = if shifts(service) { "a new one makes ECS give it up" } else { "a new one takes its place" };
            plan.notes.push(Note::warning(format!("{words}: {then}")));
        }
        Controller::External => {}
    }
}
