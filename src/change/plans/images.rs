//! Whether a reference still names what runs, and whether it can be pulled at all. Tags move and expire; digests do neither.

use super::{Facts, listed};
use crate::change::{Basis, Note};
use crate::feed::Feed;
use crate::model::{Arn, Holds, Image, ImageUri, Service, Str, TaskDefinition, index_of};

/// What a reference names now, held against digests that are known.
pub(super) enum Now {
    /// One of them, or nothing is known to hold it against.
    Same(Str),
    /// Something else: its digest.
    Moved(Str),
    /// It can be pulled; there is nothing to hold it against.
    There(Str),
    /// It names a digest itself, which ECR has.
    Pinned,
    /// It cannot be pulled, and why.
    Gone(String),
    /// ECR cannot be asked about it: the registry's name.
    Elsewhere(String),
    /// ECR refuses to tell.
    Unknown(String),
    /// ECR has not answered yet.
    Asking,
}

/// Twelve digits of a digest, as everybody writes it.
pub(super) fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

/// What a plan rests on of an image that new tasks pull: what it names now, where ECR has told.
pub(super) fn basis(facts: &Facts, reference: &Str) -> Option<Basis> {
    ImageUri::parse(reference).ecr()?;
    facts.store.image(facts.ctx, reference).map(|image| Basis::image(reference, Some(image)))
}

/// The same of all containers of a definition.
pub(super) fn bases(facts: &Facts, definition: &TaskDefinition) -> Vec<Basis> {
    let mut all: Vec<Basis> = definition.containers.iter().filter_map(|container| basis(facts, &container.image)).collect();
    all.dedup();
    all
}

/// What a reference names now.
pub(super) fn now(facts: &Facts, reference: &Str, known: &[Str]) -> Now {
    let uri = ImageUri::parse(reference);
    if uri.ecr().is_none() {
        return Now::Elsewhere(uri.registry_name().to_owned());
    }
    let Some(image) = facts.store.image(facts.ctx, reference) else {
        let Some(error) = facts.store.error(&Feed::Image(facts.ctx, reference.clone())) else { return Now::Asking };
        return match error.code.as_deref() {
            Some("ImageNotFoundException") => {
                Now::Gone(format!("ECR has no {}:{} (any more): no task could pull it", uri.repository, uri.short()))
            }
            Some("RepositoryNotFoundException") => Now::Gone(format!("ECR has no repository {}", uri.repository)),
            // A malformed tag is one that cannot exist.
            Some("InvalidParameterException") => Now::Gone(format!("ECR does not take {} as a tag: {}", uri.short(), error.came())),
            _ => Now::Unknown(error.came().to_owned()),
        };
    };
    if image.status.as_deref() == Some("ARCHIVED") {
        return Now::Gone(format!("{}:{} is archived: it cannot be pulled", uri.repository, uri.short()));
    }
    if uri.digest.is_some() {
        return Now::Pinned;
    }
    if known.is_empty() {
        return Now::There(image.digest.clone());
    }
    held_against(facts, &uri, image, known)
}

fn held_against(facts: &Facts, uri: &ImageUri, image: &Image, known: &[Str]) -> Now {
    let found: Vec<Holds> = known.iter().map(|digest| facts.store.holds(facts.ctx, &uri.name(), image, digest)).collect();
    if found.iter().any(|holds| matches!(holds, Holds::Itself | Holds::Platform(_))) {
        return Now::Same(image.digest.clone());
    }
    if !found.contains(&Holds::Unread) {
        return Now::Moved(image.digest.clone());
    }
    let error = index_of(&uri.name(), image).and_then(|index| facts.store.error(&Feed::ImageIndex(facts.ctx, index)));
    error.map_or(Now::Asking, |error| Now::Unknown(format!("it names an index whose platforms are not known: {}", error.came())))
}

/// Digests that a container of the service runs now under a reference: by its tasks, else by its newest service revision.
pub(super) fn running(facts: &Facts, service: &Service, container: &str, reference: &str) -> Vec<Str> {
    let mut found: Vec<Str> = Vec::new();
    let tasks = facts.store.tasks_of(facts.ctx, facts.cluster, &service.name);
    let runs = tasks.iter().filter(|task| !task.stopped() && &*task.desired == "RUNNING").flat_map(|task| &task.containers);
    for digest in runs.filter(|c| &*c.name == container && &*c.image == reference).filter_map(|c| c.digest.as_ref()) {
        if !found.contains(digest) {
            found.push(digest.clone());
        }
    }
    if found.is_empty() {
        let told = service.revisions.iter().filter_map(|share| facts.store.service_revision(facts.ctx, &share.arn)).flat_map(|r| &r.images);
        found.extend(told.filter(|(name, image, _)| &**name == container && &**image == reference).find_map(|(.., digest)| digest.clone()));
    }
    found
}

/// The digest that a container ran under a reference when a revision was last deployed, by the service revisions of past deployments.
pub(super) fn once(facts: &Facts, service: &Arn, revision: &Arn, container: &str, reference: &str) -> Option<Str> {
    let past = facts.store.service_deployments(facts.ctx, service).unwrap_or_default();
    let of = |good: bool| {
        let mut ran = past.iter().filter(|d| (&*d.status == "SUCCESSFUL") == good).filter_map(|d| d.target_revision.as_ref());
        ran.find_map(|arn| {
            let ran = facts.store.service_revision(facts.ctx, arn).filter(|ran| ran.task_definition == *revision)?;
            ran.images.iter().find(|(name, image, _)| &**name == container && &**image == reference)?.2.clone()
        })
    };
    let stopped = || {
        let tasks = facts.store.tasks(facts.ctx, facts.cluster).unwrap_or_default().iter().chain(facts.store.kept(facts.cluster));
        let mut ours = tasks.filter(|task| task.task_definition == *revision && task.service() == Some(service.name()));
        ours.find_map(|task| task.containers.iter().find(|c| &*c.name == container && &*c.image == reference)?.digest.clone())
    };
    of(true).or_else(|| of(false)).or_else(stopped)
}

/// What a new deployment of a definition would start, container by container, held against what runs.
pub(super) fn redeploy_notes(facts: &Facts, service: &Service, definition: &TaskDefinition) -> Vec<Note> {
    let note = |container: &crate::model::ContainerDefinition| {
        let runs = running(facts, service, &container.name, &container.image);
        let uri = ImageUri::parse(&container.image);
        let what = format!("{}:{}", uri.repository, uri.short());
        match now(facts, &container.image, &runs) {
            Now::Same(digest) => Some(Note::info(format!("{}: {what} is what runs, {}", container.name, short(&digest)))),
            Now::Moved(digest) => {
                let runs: Vec<&str> = runs.iter().map(|digest| short(digest)).collect();
                let pushed = facts.store.image(facts.ctx, &container.image).and_then(|image| image.pushed_at);
                let pushed = pushed
                    .map_or(String::new(), |at| format!(", pushed {} ago", crate::duration::short(facts.now.as_second() - at.as_second())));
                Some(Note::warning(format!(
                    "{}: the tag {what} has moved: {} runs, a new deployment starts {}{pushed}",
                    container.name,
                    listed(&runs),
                    short(&digest)
                )))
            }
            other => tag_words(&container.name, &what, other),
        }
    };
    definition.containers.iter().filter_map(note).collect()
}

/// What is said of a reference where there is nothing to hold it against.
pub(super) fn tag_words(container: &str, what: &str, now: Now) -> Option<Note> {
    match now {
        Now::Gone(why) => Some(Note::blocker(format!("{container}: {why}"))),
        Now::Elsewhere(registry) => {
            Some(Note::info(format!("{container}: {what} is not in ECR ({registry}): whether it is still there is not checked")))
        }
        Now::Unknown(why) => Some(Note::warning(format!("{container}: whether {what} is still there cannot be told: {why}"))),
        Now::Asking => Some(Note::warning(format!("{container}: ECR has not answered yet whether {what} is there"))),
        Now::Same(digest) | Now::There(digest) => Some(Note::info(format!("{container}: {what} is in ECR, {}", short(&digest)))),
        Now::Pinned => Some(Note::info(format!("{container}: {what} is in ECR, pinned by its digest"))),
        Now::Moved(_) => None,
    }
}

/// What is known of an image that somebody wants to deploy in a container: there, gone, or not told.
#[must_use]
pub fn tag_note(facts: &Facts, container: &str, reference: &Str) -> Option<Note> {
    let uri = ImageUri::parse(reference);
    tag_words(container, &format!("{}:{}", uri.repository, uri.short()), now(facts, reference, &[]))
}
