//! Another image: the running revision is cloned with it, registered, and deployed, as one plan.

use super::{Facts, RollBack, capacity, change, clone, express, images, release, serving, step, under_way, vault};
use crate::change::{Basis, Call, Inverse, Level, Note, Plan, Register, Revision, Verb};
use crate::feed::Feed;
use crate::model::{Arn, ImageUri, Service, Str};
use serde_json::Value;
use std::sync::Arc;

/// Longest image reference that ECS takes.
const LONGEST: usize = 255;

/// Other images in a clone of the revision that serves.
///
/// # Errors
/// One line: what is not known yet, or that nothing is to be deployed.
pub fn deploy_image(facts: &Facts, service: &Arn, images: &[(Str, Str)]) -> Result<Plan, String> {
    deploy_image_of(facts, service, None, images)
}

/// The same with a base that the operator names, by the ARN of a revision or of a family, which means its newest: for a role that
/// may update the service but not read it.
///
/// # Errors
/// One line: what is not known yet, or that nothing is to be deployed.
pub fn deploy_image_of(facts: &Facts, service: &Arn, base: Option<&Arn>, images: &[(Str, Str)]) -> Result<Plan, String> {
    if images.is_empty() {
        return Err("no image is chosen".to_owned());
    }
    let Some(action) = facts.hidden(service) else {
        let known = facts.service(service)?;
        let mut plan = facts.plan_for(Verb::DeployImage, known);
        let base = base.unwrap_or_else(|| serving(known)).clone();
        register(facts, &mut plan, &base, images)?;
        release::deploy_step(facts, &mut plan, known, Revision::Registered, "the new revision")?;
        plan.inverse = Ok(Box::new(Inverse::Revision { service: service.clone(), revision: serving(known).clone() }));
        plan.notes.extend(
            express(known).map(|_| {
                Note::blocker(format!("{} is an Express service: its image is changed by UpdateExpressGatewayService", known.name))
            }),
        );
        release::busy(facts, &mut plan, known);
        secrets(facts, &mut plan, &base, known);
        capacity::tell(facts, &mut plan, known, &base);
        return Ok(plan);
    };
    let base =
        base.ok_or_else(|| format!("what {} runs may not be read ({action}): name the revision or the family to clone", service.name()))?;
    let mut plan = blind(facts, Verb::DeployImage, service, action);
    register(facts, &mut plan, base, images)?;
    plan.steps.push(release::update(facts.cluster, service, Revision::Registered, "the new revision"));
    Ok(plan)
}

/// A clone reads what its base does.
fn secrets(facts: &Facts, plan: &mut Plan, base: &Arn, service: &Service) {
    let of = |arn: &Arn| facts.store.definition(facts.ctx, arn).map(|definition| &**definition);
    if let Some(base) = of(base) {
        plan.notes.extend(vault::notes(facts, base, of(serving(service))));
        plan.basis.extend(vault::basis(facts, base));
    }
}

/// The beginnings of a plan for a service that may be updated and not read.
pub(super) fn blind(facts: &Facts, verb: Verb, service: &Arn, action: &str) -> Plan {
    let mut plan = facts.plan(verb, vec![service.clone()]);
    plan.watch = Some(service.clone());
    plan.inverse = Err("what ran before may not be read");
    plan.notes.push(Note::warning(format!(
        "{} may not be read ({action}): what runs now is not known, and nothing is checked against it",
        service.name()
    )));
    plan
}

/// Puts the registration of a clone first, with the checks of its images.
pub(super) fn register(facts: &Facts, plan: &mut Plan, base: &Arn, images: &[(Str, Str)]) -> Result<(), String> {
    let Some(reply) = facts.store.raw_definition(facts.ctx, base) else {
        return Err(match facts.store.error(&Feed::RawDefinition(facts.ctx, base.clone())) {
            Some(error) => error.what.to_string(),
            None => format!("still reading {}", base.name()),
        });
    };
    // A family was named, or an alias of the same: what is cloned is what the reply is about.
    let base = reply["taskDefinition"]["taskDefinitionArn"].as_str().map_or_else(|| base.clone(), |arn| Arn(crate::text::clean(arn)));
    let request = clone::request(reply, images)?;
    let mut differs = false;
    for (container, image) in images {
        let before = image_of(&reply["taskDefinition"], container);
        differs |= before != **image;
        plan.changes.push(change(&format!("image {container}"), &before, &image));
        plan.notes.extend(image_note(facts, container, image));
        plan.basis.extend(images::basis(facts, image));
    }
    if !differs {
        plan.notes.push(Note::blocker(format!("{} says so already: to start the same image anew, redeploy", base.name())));
    }
    let family = crate::text::clean(request["family"].as_str().unwrap_or_default());
    plan.changes.push(change("revision", &base.name(), &format!("a new one of {family}")));
    let roles = clone::roles(&request);
    if !roles.is_empty() {
        let names: Vec<&str> = roles.iter().map(String::as_str).collect();
        plan.notes.push(Note::info(format!("registering needs iam:PassRole on {}", super::listed(&names))));
    }
    let register = Register { base: base.clone(), images: images.to_vec(), request: Arc::new(request) };
    plan.steps.insert(0, step(Call::RegisterTaskDefinition(Box::new(register)), format!("register a revision of {family}")));
    plan.basis.push(Basis::Revision { arn: base, active: true });
    Ok(())
}

fn image_note(facts: &Facts, container: &str, image: &Str) -> Option<Note> {
    let odd = image.is_empty() || image.len() > LONGEST || image.chars().any(|c| c.is_whitespace() || c.is_control());
    let uri = ImageUri::parse(image);
    if odd || uri.repository.is_empty() || image.ends_with([':', '@']) {
        return Some(Note::blocker(format!("{container}: \"{image}\" is no image reference")));
    }
    images::tag_note(facts, container, image)
}

fn image_of(definition: &Value, container: &str) -> String {
    let containers = definition["containerDefinitions"].as_array().into_iter().flatten();
    let own = containers.filter(|own| own["name"].as_str().is_some_and(|name| *crate::text::clean(name) == *container));
    own.filter_map(|own| own["image"].as_str()).map(|image| crate::text::clean(image).to_string()).next().unwrap_or_default()
}

/// A clone of an earlier revision with images by digest, as one plan with its deployment.
pub(super) fn pinned(facts: &Facts, service: &Arn, revision: &Arn, images: &[(Str, Str)]) -> Result<Plan, String> {
    if images.is_empty() {
        return super::roll_back(facts, service, &RollBack::Revision(revision.clone()));
    }
    let mut plan = if let Some(action) = facts.hidden(service) {
        let mut plan = blind(facts, Verb::RollBack, service, action);
        register(facts, &mut plan, revision, images)?;
        plan.steps.push(release::update(facts.cluster, service, Revision::Registered, "the pinned revision"));
        plan
    } else {
        let known = facts.service(service)?;
        let mut plan = facts.plan_for(Verb::RollBack, known);
        register(facts, &mut plan, revision, images)?;
        release::deploy_step(facts, &mut plan, known, Revision::Registered, &format!("{} with pinned images", revision.name()))?;
        plan.changes.insert(0, change("runs", &serving(known).name(), &format!("a clone of {}, pinned", revision.name())));
        plan.inverse = Ok(Box::new(Inverse::Revision { service: service.clone(), revision: serving(known).clone() }));
        if under_way(known).is_none() || super::Controller::of(known) != super::Controller::Ecs {
            release::busy(facts, &mut plan, known);
        }
        secrets(facts, &mut plan, revision, known);
        capacity::tell(facts, &mut plan, known, revision);
        plan
    };
    plan.level = Level::Grave;
    Ok(plan)
}
