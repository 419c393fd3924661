//! Back: out of a deployment under way, to an earlier revision, or to a clone of it with the images that it ran then.

use super::images::{self, Now, short};
use super::{Controller, Facts, capacity, change, deploy, express, release, serving, step, under_way, vault};
use crate::change::{Basis, Call, Inverse, Level, Note, Plan, Revision, Verb};
use crate::feed::Feed;
use crate::model::{Arn, ImageUri, Service, ServiceDeployment, Str, TaskDefinition};
use std::sync::Arc;

/// Ways back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollBack {
    /// Stop the deployment under way; whoever deploys goes back by itself. The quickest.
    StopDeployment,
    /// Deploy an earlier revision.
    Revision(Arn),
    /// Register a clone of an earlier revision with these images of containers, and deploy that.
    Pinned(Arn, Vec<(Str, Str)>),
}

/// A way back.
///
/// # Errors
/// One line: what is not known yet, or that nothing is under way.
pub fn roll_back(facts: &Facts, service: &Arn, how: &RollBack) -> Result<Plan, String> {
    match how {
        RollBack::StopDeployment => stop(facts, service),
        RollBack::Revision(revision) => to_revision(facts, service, revision),
        RollBack::Pinned(revision, images) => deploy::pinned(facts, service, revision, images),
    }
}

/// What a rollback of the deployment under way would stop, in words: offered first where there is one.
#[must_use]
pub fn way_out(facts: &Facts, service: &Arn) -> Option<String> {
    let known = facts.service(service).ok()?;
    match Controller::of(known) {
        Controller::Ecs => stoppable(facts, known).map(|_| under_way(known).unwrap_or_else(|| "a deployment is under way".to_owned())),
        Controller::CodeDeploy => facts.code_under_way(known).map(|(id, _)| format!("CodeDeploy deployment {id} is under way")),
        Controller::External => None,
    }
}

/// The record of the service deployment under way, or its ARN alone where records may not be read.
fn stoppable<'a>(facts: &Facts<'a>, service: &'a Service) -> Option<(&'a Arn, Option<&'a Arc<ServiceDeployment>>)> {
    let records = facts.store.service_deployments(facts.ctx, &service.arn).unwrap_or_default();
    if let Some(arn) = &service.current_deployment {
        return Some((arn, records.iter().find(|record| record.arn == *arn)));
    }
    let open = records.iter().find(|record| {
        matches!(&*record.status, "PENDING" | "IN_PROGRESS" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" | "STOP_REQUESTED")
    })?;
    Some((&open.arn, Some(open)))
}

fn stop(facts: &Facts, service: &Arn) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let mut plan = facts.plan_for(Verb::RollBack, known);
    plan.inverse = Err("a deployment that was stopped cannot be taken up again: deploy its revision anew");
    match Controller::of(known) {
        Controller::Ecs => {
            let (arn, record) = stoppable(facts, known).ok_or_else(|| format!("no deployment of {} is under way", known.name))?;
            stop_of_ecs(facts, &mut plan, known, arn, record.map(|record| &**record));
        }
        Controller::CodeDeploy => {
            let (id, known_code) = facts.code_under_way(known).ok_or_else(|| format!("no deployment of {} is under way", known.name))?;
            let (new, old) = (newest(known), serving(known));
            plan.changes.push(change("runs", &new.name(), &old.name()));
            plan.notes.push(Note::info("CodeDeploy moves all traffic back to the old task set and ends the new one".to_owned()));
            if old == new {
                plan.notes.push(Note::warning(
                    "the traffic has moved: what is left of this deployment is the wait before the old tasks end".to_owned(),
                ));
            }
            plan.basis.extend(known_code.map(|code| Basis::Code { id: id.clone(), status: code.status.clone() }));
            plan.steps.push(step(Call::StopDeployment { id: id.clone() }, format!("stop CodeDeploy deployment {id} and roll it back")));
        }
        Controller::External => release::external(&mut plan, known, "can give up a task set"),
    }
    Ok(plan)
}

fn newest(service: &Service) -> &Arn {
    let replacement = service.task_sets.iter().filter(|set| &*set.status == "ACTIVE").max_by_key(|set| set.created_at);
    replacement.map_or(&service.task_definition, |set| &set.task_definition)
}

fn stop_of_ecs(facts: &Facts, plan: &mut Plan, service: &Service, arn: &Arn, record: Option<&ServiceDeployment>) {
    let revision = |arn: &Arn| facts.store.service_revision(facts.ctx, arn).map(|revision| revision.task_definition.name().to_owned());
    let from = record
        .and_then(|record| record.target_revision.as_ref())
        .and_then(revision)
        .unwrap_or_else(|| service.task_definition.name().to_owned());
    let source = record.and_then(|record| record.sources.first()).and_then(|share| revision(&share.arn));
    let old = service.deployments.iter().find(|d| &*d.status != "PRIMARY").map(|d| d.task_definition.name().to_owned());
    let to = source.or(old).unwrap_or_else(|| "what ran before".to_owned());
    plan.changes.push(change("runs", &from, &to));
    if let Some(record) = record {
        match &*record.status {
            "PENDING" | "IN_PROGRESS" => {}
            status => plan.notes.push(Note::blocker(format!("the deployment is {status}: there is nothing left to stop"))),
        }
        if record.sources.is_empty() && record.target.is_some() {
            plan.notes.push(Note::blocker("it is the first deployment of the service: there is nothing to go back to".to_owned()));
        }
        plan.basis.push(Basis::Deployment { arn: record.arn.clone(), status: record.status.clone() });
    }
    plan.notes.push(Note::info(
        "ECS goes back to the service revision before it: task definition, network, load balancers and images by digest".to_owned(),
    ));
    plan.steps.push(step(
        Call::StopServiceDeployment { deployment: arn.clone() },
        format!("stop the deployment of {} and roll it back", service.name),
    ));
}

fn to_revision(facts: &Facts, service: &Arn, revision: &Arn) -> Result<Plan, String> {
    if let Some(action) = facts.hidden(service) {
        let mut plan = deploy::blind(facts, Verb::RollBack, service, action);
        plan.changes.push(change("runs", &"not known", &revision.name()));
        plan.steps.push(release::update(facts.cluster, service, Revision::Known(revision.clone()), revision.name()));
        preflight(facts, &mut plan, None, service, revision);
        plan.level = Level::Grave;
        return Ok(plan);
    }
    let known = facts.service(service)?;
    let mut plan = facts.plan_for(Verb::RollBack, known);
    plan.level = Level::Grave;
    let runs = serving(known);
    plan.changes.push(change("runs", &runs.name(), &revision.name()));
    plan.inverse = Ok(Box::new(Inverse::Revision { service: service.clone(), revision: runs.clone() }));
    if runs == revision && newest(known) == revision {
        plan.notes.push(Note::blocker(format!("{} runs {} now: to start it anew, redeploy", known.name, revision.name())));
    }
    if Controller::of(known) == Controller::External {
        primary_set(&mut plan, known, revision);
    } else {
        release::deploy_step(facts, &mut plan, known, Revision::Known(revision.clone()), revision.name())?;
    }
    match under_way(known).filter(|_| Controller::of(known) == Controller::Ecs) {
        Some(words) => plan.notes.push(Note::warning(format!("{words}: to stop it and roll it back is quicker"))),
        None => release::busy(facts, &mut plan, known),
    }
    plan.notes.extend(express(known));
    preflight(facts, &mut plan, Some(known), service, revision);
    capacity::tell(facts, &mut plan, known, revision);
    plan.notes
        .push(Note::info("only the task definition goes back: network, load balancers and platform version stay as they are".to_owned()));
    Ok(plan)
}

/// An external controller's way back: its old task set serves again, if it is still there.
fn primary_set(plan: &mut Plan, service: &Service, revision: &Arn) {
    match service.task_sets.iter().find(|set| set.task_definition == *revision && &*set.status == "ACTIVE") {
        Some(set) => {
            let call = Call::UpdateServicePrimaryTaskSet {
                cluster: service.cluster.clone(),
                service: service.arn.clone(),
                task_set: set.id.clone(),
            };
            plan.steps.push(step(call, format!("make the task set of {} the primary one", revision.name())));
            plan.notes.push(Note::info(format!("the task set runs {} of {} tasks", set.running, set.desired)));
            plan.notes.push(Note::warning("the service's controller is EXTERNAL and may do otherwise".to_owned()));
        }
        None => release::external(plan, service, &format!("can start a task set of {} again", revision.name())),
    }
}

/// Whether an earlier revision can run, and whether it would be what it was.
fn preflight(facts: &Facts, plan: &mut Plan, known: Option<&Service>, service: &Arn, revision: &Arn) {
    plan.basis.push(Basis::Revision { arn: revision.clone(), active: true });
    let Some(definition) = facts.store.definition(facts.ctx, revision) else {
        let why = facts.store.error(&Feed::TaskDefinition(facts.ctx, revision.clone()));
        plan.notes.push(match why {
            Some(error) if error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) => {
                Note::warning(format!("{} may not be read ({}): its images are not checked", revision.name(), error.action))
            }
            Some(error) => Note::blocker(error.what.to_string()),
            None => Note::warning(format!("still reading {}: it is not checked yet", revision.name())),
        });
        return;
    };
    if &*definition.status == "ACTIVE" {
        plan.notes.push(Note::info(format!("{} is ACTIVE", definition.short())));
    } else {
        plan.notes.push(Note::blocker(format!("{} is {}: AWS deploys only ACTIVE revisions", definition.short(), definition.status)));
    }
    for container in &definition.containers {
        plan.notes.extend(image_notes(facts, known, service, definition, container));
    }
    let running = known.and_then(|known| facts.store.definition(facts.ctx, serving(known)));
    plan.notes.extend(vault::notes(facts, definition, running.map(|running| &**running)));
    plan.basis.extend(images::bases(facts, definition));
    plan.basis.extend(vault::basis(facts, definition));
}

fn image_notes(
    facts: &Facts,
    known: Option<&Service>,
    service: &Arn,
    definition: &TaskDefinition,
    container: &crate::model::ContainerDefinition,
) -> Vec<Note> {
    let uri = ImageUri::parse(&container.image);
    let what = format!("{}:{}", uri.repository, uri.short());
    let then = images::once(facts, service, &definition.arn, &container.name, &container.image);
    let held: Vec<Str> = then.iter().cloned().collect();
    match images::now(facts, &container.image, &held) {
        Now::Moved(digest) => {
            let then = held.first().map_or("another image", |digest| short(digest));
            let runs = known.is_some_and(|known| images::running(facts, known, &container.name, &container.image).contains(&digest));
            let same = if runs { ", the very image that runs now" } else { "" };
            vec![Note::warning(format!(
                "{}: the tag {what} has moved since: {} ran {then}, and would start {}{same}. Pin it to {then} instead",
                container.name,
                definition.short(),
                short(&digest)
            ))]
        }
        Now::There(digest) if shares_tag(facts, known, container) => vec![Note::warning(format!(
            "{}: the running revision says {what} too, so both would start {}; what {} once ran is not known",
            container.name,
            short(&digest),
            definition.short()
        ))],
        Now::Same(digest) => {
            vec![Note::info(format!("{}: {what} is still what {} ran, {}", container.name, definition.short(), short(&digest)))]
        }
        other => images::tag_words(&container.name, &what, other).into_iter().collect(),
    }
}

/// What was found of tags of a revision that name another image now than the one that it ran, or the very one that runs now: the words
/// that stand first, because going back by such a tag brings something else back.
#[must_use]
pub fn moved_tags(facts: &Facts, service: &Arn, revision: &Arn) -> Vec<Note> {
    let Some(definition) = facts.store.definition(facts.ctx, revision) else { return Vec::new() };
    let known = facts.store.service(facts.ctx, facts.cluster, service).map(|known| &**known);
    let moved = |container: &&crate::model::ContainerDefinition| {
        let then = images::once(facts, service, revision, &container.name, &container.image);
        let held: Vec<Str> = then.into_iter().collect();
        match images::now(facts, &container.image, &held) {
            Now::Moved(_) => true,
            Now::There(_) => shares_tag(facts, known, container),
            _ => false,
        }
    };
    let containers = definition.containers.iter().filter(moved);
    containers.flat_map(|container| image_notes(facts, known, service, definition, container)).collect()
}

/// Whether what runs names the same image by the same tag: then going back may bring nothing back.
fn shares_tag(facts: &Facts, known: Option<&Service>, container: &crate::model::ContainerDefinition) -> bool {
    let running = known.and_then(|known| facts.store.definition(facts.ctx, serving(known)));
    running.is_some_and(|running| running.containers.iter().any(|own| own.name == container.name && own.image == container.image))
}

/// The images to pin an earlier revision to, by container: what its last good deployment ran under a tag that has moved since; where that is
/// not known, the newest `TAG-…` image that was pushed before the tag moved. Empty when no tag has moved.
#[must_use]
pub fn pins(facts: &Facts, service: &Arn, revision: &Arn) -> Vec<(Str, Str)> {
    let Some(definition) = facts.store.definition(facts.ctx, revision) else { return Vec::new() };
    let known = facts.store.service(facts.ctx, facts.cluster, service).map(|known| &**known);
    let pin = |container: &crate::model::ContainerDefinition| {
        let uri = ImageUri::parse(&container.image);
        let then = images::once(facts, service, revision, &container.name, &container.image);
        let held: Vec<Str> = then.iter().cloned().collect();
        let reference = match (images::now(facts, &container.image, &held), then) {
            (Now::Moved(_), Some(digest)) => Some(format!("{}@{digest}", uri.name())),
            (Now::There(digest), None) if shares_tag(facts, known, container) => build(facts, &uri, &digest),
            _ => None,
        };
        reference.map(|reference| (container.name.clone(), reference.into()))
    };
    definition.containers.iter().filter_map(pin).collect()
}

/// The newest build under a tag of its own, `production-41` beside `production`, from before the one that the tag names now.
fn build(facts: &Facts, uri: &ImageUri, digest: &str) -> Option<String> {
    let tag = uri.tag.as_deref()?;
    let images = &facts.store.repository_images(facts.ctx, &uri.name().into())?.images;
    let moved = images.iter().find(|image| &*image.digest == digest)?.pushed_at;
    let builds = |tags: &[Str]| tags.iter().find(|own| own.strip_prefix(tag).is_some_and(|rest| rest.starts_with('-'))).cloned();
    let before =
        images.iter().filter(|image| &*image.digest != digest && image.pushed_at < moved && image.status.as_deref() != Some("ARCHIVED"));
    before.filter_map(|image| Some((image.pushed_at, builds(&image.tags)?))).max().map(|(_, own)| format!("{}:{own}", uri.name()))
}
