//! What a preview has to know: the feeds that its planner reads.

use super::{Controller, Facts, serving};
use crate::change::Verb;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, ImageUri, Service, Str};

/// Past deployments whose revisions are read: they come twenty together.
const PAST: usize = 40;

fn want(out: &mut Vec<Wanted>, feed: Feed) {
    if !out.iter().any(|wanted| *wanted.feed() == feed) {
        out.push(Wanted::Poll { feed, focus: true });
    }
}

/// The feeds that a preview of this change needs; `targets` are services, tasks or instances, as the verb takes them.
pub fn wanted(verb: Verb, facts: &Facts, targets: &[Arn], out: &mut Vec<Wanted>) {
    want(out, Feed::Identity(facts.ctx));
    match verb {
        Verb::StopTasks | Verb::Protect | Verb::Unprotect => {
            want(out, Feed::Tasks(facts.ctx, facts.cluster.clone()));
            want(out, Feed::Services(facts.ctx, facts.cluster.clone()));
            want(out, Feed::Protection(facts.ctx, facts.cluster.clone(), targets.into()));
        }
        Verb::Drain | Verb::Activate => {
            want(out, Feed::Instances(facts.ctx, facts.cluster.clone()));
            want(out, Feed::Tasks(facts.ctx, facts.cluster.clone()));
        }
        _ => targets.iter().for_each(|service| of_service(verb, facts, service, out)),
    }
}

fn of_service(verb: Verb, facts: &Facts, arn: &Arn, out: &mut Vec<Wanted>) {
    let ctx = facts.ctx;
    want(out, Feed::Service(ctx, arn.clone()));
    let Ok(service) = facts.service(arn) else { return };
    if matches!(verb, Verb::Scale | Verb::ScalingRange) {
        want(out, Feed::ScalableTargets(ctx));
        want(out, Feed::ScalingPolicies(ctx));
    }
    let deploys = matches!(verb, Verb::Redeploy | Verb::RollBack | Verb::DeployImage);
    match Controller::of(service) {
        Controller::Ecs if deploys || verb == Verb::Continue => want(out, Feed::ServiceDeployments(ctx, arn.clone())),
        Controller::CodeDeploy => {
            for id in service.task_sets.iter().filter_map(|set| set.external_id.as_ref()) {
                want(out, Feed::CodeDeployment(ctx, arn.clone(), id.clone()));
            }
            if deploys {
                want(out, Feed::AppSpec(ctx, arn.clone()));
            }
        }
        _ => {}
    }
    if matches!(verb, Verb::Continue | Verb::ScalingRange) {
        return;
    }
    want(out, Feed::TaskDefinition(ctx, serving(service).clone()));
    if service.launch_type.as_deref() == Some("EC2") || !service.capacity_providers.is_empty() {
        want(out, Feed::Instances(ctx, facts.cluster.clone()));
    }
    if deploys {
        want(out, Feed::Tasks(ctx, facts.cluster.clone()));
        for share in &service.revisions {
            want(out, Feed::ServiceRevision(ctx, share.arn.clone()));
        }
        images(facts, serving(service), out);
        secrets(facts, serving(service), out);
    }
    match verb {
        Verb::DeployImage => {
            want(out, Feed::RawDefinition(ctx, serving(service).clone()));
            repositories(facts, serving(service), out);
        }
        Verb::RollBack => past(facts, service, out),
        Verb::RunTask => {
            images(facts, serving(service), out);
            secrets(facts, serving(service), out);
        }
        _ => {}
    }
}

/// What the history of a service is made of.
fn past(facts: &Facts, service: &Service, out: &mut Vec<Wanted>) {
    if let Some(spec) = facts.store.app_spec(facts.ctx, &service.arn) {
        want(out, Feed::CodeDeployments(facts.ctx, spec.application.clone(), spec.group.clone()));
    }
    let family = serving(service).name().split(':').next().unwrap_or_default();
    want(out, Feed::Revisions(facts.ctx, family.into()));
    for record in facts.store.service_deployments(facts.ctx, &service.arn).unwrap_or_default().iter().take(PAST) {
        let sources = record.sources.iter().map(|share| &share.arn);
        for revision in record.target_revision.iter().chain(sources) {
            want(out, Feed::ServiceRevision(facts.ctx, revision.clone()));
        }
    }
}

/// What a roll back to a revision, pinned or not, and its diff need beside [`wanted`].
pub fn wanted_of_revision(facts: &Facts, service: &Arn, revision: &Arn, out: &mut Vec<Wanted>) {
    want(out, Feed::TaskDefinition(facts.ctx, revision.clone()));
    want(out, Feed::RawDefinition(facts.ctx, revision.clone()));
    if let Ok(known) = facts.service(service) {
        want(out, Feed::RawDefinition(facts.ctx, serving(known).clone()));
    }
    images(facts, revision, out);
    secrets(facts, revision, out);
    repositories(facts, revision, out);
    // What it would be pinned to must be there as well.
    for (_, pin) in super::pins(facts, service, revision) {
        wanted_of_image(facts, &pin, out);
    }
}

/// What a preview of an image needs beside [`wanted`].
pub fn wanted_of_image(facts: &Facts, reference: &Str, out: &mut Vec<Wanted>) {
    if ImageUri::parse(reference).ecr().is_none() {
        return;
    }
    want(out, Feed::Image(facts.ctx, reference.clone()));
    // Only the platforms of an index tell whether it is what runs.
    if let Some(image) = facts.store.image(facts.ctx, reference).filter(|image| image.is_index()) {
        let index = format!("{}@{}", ImageUri::parse(reference).name(), image.digest);
        want(out, Feed::ImageIndex(facts.ctx, index.into()));
    }
}

fn images(facts: &Facts, revision: &Arn, out: &mut Vec<Wanted>) {
    let Some(definition) = facts.store.definition(facts.ctx, revision) else { return };
    for container in &definition.containers {
        wanted_of_image(facts, &container.image, out);
    }
}

fn secrets(facts: &Facts, revision: &Arn, out: &mut Vec<Wanted>) {
    let definition = facts.store.definition(facts.ctx, revision);
    if let Some(from) = definition.and_then(|definition| super::vault::sources(definition)) {
        want(out, Feed::Vault(facts.ctx, from));
    }
}

fn repositories(facts: &Facts, revision: &Arn, out: &mut Vec<Wanted>) {
    let Some(definition) = facts.store.definition(facts.ctx, revision) else { return };
    for uri in definition.containers.iter().map(|container| ImageUri::parse(&container.image)).filter(|uri| uri.ecr().is_some()) {
        want(out, Feed::RepositoryImages(facts.ctx, uri.name().into()));
    }
}
