//! What a plan rests on, made from plain values, and what of it is different when it is read again. Pure.

use super::{Basis, Call, Inverse, Moved, Note, Plan};
use crate::feed::Feed;
use crate::model::{
    Arn, CodeDeployment, ContainerInstance, Ctx, Held, Image, ImageUri, Kept, ScalableTarget, Service, ServiceDeployment, Str, Task,
    TaskDefinition,
};
use std::sync::Arc;

/// Said of what AWS no longer names.
pub const MISSING: &str = "MISSING";

impl Basis {
    /// What a plan about a service rests on.
    #[must_use]
    pub fn service(of: &Service) -> Basis {
        let primary = of.deployments.iter().find(|deployment| &*deployment.status == "PRIMARY").or(of.deployments.first());
        let newest = of.task_sets.iter().max_by_key(|set| (set.created_at, &*set.status == "PRIMARY"));
        let (deployment, state) = match (primary, newest) {
            (Some(primary), _) => (primary.id.clone(), primary.rollout_state.clone().unwrap_or_default()),
            (None, Some(set)) => (set.id.clone(), set.status.clone()),
            (None, None) => Default::default(),
        };
        Basis::Service {
            arn: of.arn.clone(),
            status: of.status.clone(),
            desired: of.desired,
            revision: of.task_definition.clone(),
            deployment,
            state,
        }
    }

    /// How few and how many tasks run during a deployment.
    #[must_use]
    pub fn bounds(of: &Service) -> Basis {
        Basis::Bounds { arn: of.arn.clone(), min: of.min_percent, max: of.max_percent }
    }

    /// What a reference names; nothing when ECR has no such image.
    #[must_use]
    pub fn image(reference: &Str, of: Option<&Image>) -> Basis {
        Basis::Image { reference: reference.clone(), digest: of.map(|image| image.digest.clone()) }
    }

    /// Parameters and secrets that new tasks read. What nobody may tell is not there to be compared.
    #[must_use]
    pub fn vault(from: &Arc<[Str]>, held: &[Held]) -> Basis {
        Basis::Vault { from: from.clone(), held: held.to_vec() }
    }

    /// A task: whether it is still to run.
    #[must_use]
    pub fn task(of: &Task) -> Basis {
        Basis::Task { arn: of.arn.clone(), alive: &*of.desired != "STOPPED" && !of.stopped() }
    }

    /// The range of a service's scaling, as listed; nothing when it is not registered.
    #[must_use]
    pub fn range(resource: &Str, of: Option<&ScalableTarget>) -> Basis {
        let suspended = of.map(|target| target.suspended).unwrap_or_default();
        Basis::Range { resource: resource.clone(), range: of.map(|target| (target.min, target.max)), suspended }
    }

    /// A container instance.
    #[must_use]
    pub fn instance(of: &ContainerInstance) -> Basis {
        Basis::Instance { arn: of.arn.clone(), status: of.status.clone() }
    }

    /// A service deployment.
    #[must_use]
    pub fn deployment(of: &ServiceDeployment) -> Basis {
        Basis::Deployment { arn: of.arn.clone(), status: of.status.clone() }
    }

    /// A deployment of CodeDeploy.
    #[must_use]
    pub fn code(of: &CodeDeployment) -> Basis {
        Basis::Code { id: of.id.clone(), status: of.status.clone() }
    }

    /// A revision of a task definition.
    #[must_use]
    pub fn revision(of: &TaskDefinition) -> Basis {
        Basis::Revision { arn: of.arn.clone(), active: &*of.status == "ACTIVE" }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Basis::Service { arn, .. }
            | Basis::Task { arn, .. }
            | Basis::Instance { arn, .. }
            | Basis::Deployment { arn, .. }
            | Basis::Bounds { arn, .. }
            | Basis::Revision { arn, .. } => arn.name(),
            Basis::Image { reference, .. } => reference.rsplit('/').next().unwrap_or(reference),
            Basis::Vault { .. } => "secrets",
            Basis::Range { resource, .. } => resource.rsplit('/').next().unwrap_or(resource),
            Basis::Code { id, .. } => id,
        }
    }

    /// Whether both are about the same thing.
    #[must_use]
    pub fn same(&self, other: &Basis) -> bool {
        match (self, other) {
            (Basis::Range { resource: a, .. }, Basis::Range { resource: b, .. })
            | (Basis::Image { reference: a, .. }, Basis::Image { reference: b, .. })
            | (Basis::Code { id: a, .. }, Basis::Code { id: b, .. }) => a == b,
            (Basis::Vault { from: a, .. }, Basis::Vault { from: b, .. }) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && self.arn() == other.arn(),
        }
    }

    fn arn(&self) -> Option<&Arn> {
        match self {
            Basis::Service { arn, .. }
            | Basis::Task { arn, .. }
            | Basis::Instance { arn, .. }
            | Basis::Deployment { arn, .. }
            | Basis::Bounds { arn, .. }
            | Basis::Revision { arn, .. } => Some(arn),
            Basis::Range { .. } | Basis::Code { .. } | Basis::Image { .. } | Basis::Vault { .. } => None,
        }
    }

    /// Whether the change goes on though it cannot be read again: a registry or a vault that does not answer must not stand between the
    /// operator and a rollback.
    #[must_use]
    pub fn can_be_missed(&self) -> bool {
        matches!(self, Basis::Image { .. } | Basis::Vault { .. })
    }

    /// The feeds that tell of it, in a cluster.
    #[must_use]
    pub fn feeds(&self, ctx: Ctx, cluster: &Arn) -> Vec<Feed> {
        let cluster = || cluster.clone();
        match self {
            Basis::Service { arn, .. } | Basis::Bounds { arn, .. } => vec![Feed::Service(ctx, arn.clone()), Feed::Services(ctx, cluster())],
            Basis::Task { .. } => vec![Feed::Tasks(ctx, cluster()), Feed::Stopped(ctx, cluster())],
            Basis::Range { .. } => vec![Feed::ScalableTargets(ctx)],
            Basis::Instance { .. } => vec![Feed::Instances(ctx, cluster())],
            // Its service is told of beside it.
            Basis::Deployment { .. } | Basis::Code { .. } => Vec::new(),
            Basis::Revision { arn, .. } => vec![Feed::TaskDefinition(ctx, arn.clone())],
            Basis::Image { reference, .. } => vec![Feed::Image(ctx, reference.clone())],
            Basis::Vault { from, .. } => vec![Feed::Vault(ctx, from.clone())],
        }
    }
}

/// What is different in `now`, in the order of `was`. What could not be read again does not count as moved.
#[must_use]
pub fn moved(was: &[Basis], now: &[Basis]) -> Vec<Moved> {
    let pairs = was.iter().filter_map(|was| Some((was, now.iter().find(|now| was.same(now))?)));
    let mut found = Vec::new();
    for (was, now) in pairs {
        let mut note = |what: &'static str, before: String, after: String| {
            if before != after {
                found.push(Moved { target: was.name().to_owned(), what, was: before, now: after });
            }
        };
        match (was, now) {
            (
                Basis::Service { status, desired, revision, deployment, state, .. },
                Basis::Service { status: status_now, desired: count, revision: runs, deployment: newest, state: rollout, .. },
            ) => {
                note("status", status.to_string(), status_now.to_string());
                // What is gone has nothing else to tell.
                if &**status_now != MISSING {
                    note("desired", desired.to_string(), count.to_string());
                    note("task definition", revision.name().to_owned(), runs.name().to_owned());
                    note("deployment", deployment.to_string(), newest.to_string());
                    note("rollout", state.to_string(), rollout.to_string());
                }
            }
            (Basis::Bounds { min, max, .. }, Basis::Bounds { min: least, max: most, .. }) => {
                note("minimumHealthyPercent", percent(*min), percent(*least));
                note("maximumPercent", percent(*max), percent(*most));
            }
            (Basis::Image { digest, .. }, Basis::Image { digest: now, .. }) => note("digest", cut(digest.as_ref()), cut(now.as_ref())),
            (Basis::Vault { from, held }, Basis::Vault { held: now, .. }) => {
                for ((from, was), now) in from.iter().zip(held).zip(now) {
                    if let (Some(was), Some(now)) = (kept(was), kept(now))
                        && was != now
                    {
                        found.push(Moved { target: Kept::parse(from).name().to_owned(), what: "secret", was, now });
                    }
                }
            }
            (Basis::Task { alive, .. }, Basis::Task { alive: now, .. }) => note("task", life(*alive), life(*now)),
            (Basis::Range { range, suspended, .. }, Basis::Range { range: r, suspended: s, .. }) => {
                note("scaling range", shown(*range), shown(*r));
                let words = |suspended: crate::model::Suspended| suspended.words().unwrap_or("nothing").to_owned();
                note("suspended", words(*suspended), words(*s));
            }
            (Basis::Instance { status, .. }, Basis::Instance { status: now, .. })
            | (Basis::Deployment { status, .. }, Basis::Deployment { status: now, .. })
            | (Basis::Code { status, .. }, Basis::Code { status: now, .. }) => note("status", status.to_string(), now.to_string()),
            (Basis::Revision { active, .. }, Basis::Revision { active: now, .. }) => note("status", activity(*active), activity(*now)),
            _ => {}
        }
    }
    found
}

fn percent(percent: Option<u32>) -> String {
    percent.map_or_else(|| "the default".to_owned(), |percent| format!("{percent} %"))
}

/// Twelve digits of a digest, as everybody writes it.
fn cut(digest: Option<&Str>) -> String {
    let Some(digest) = digest else { return "gone".to_owned() };
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex).to_owned()
}

/// Whether something is kept in a vault, in words; nothing where nobody may tell.
fn kept(held: &Held) -> Option<String> {
    match held {
        Held::There => Some("there".to_owned()),
        Held::Gone(why) => Some(why.to_string()),
        Held::Untold(_) => None,
    }
}

fn life(alive: bool) -> String {
    if alive { "runs" } else { "stopped" }.to_owned()
}

fn activity(active: bool) -> String {
    if active { "ACTIVE" } else { "INACTIVE" }.to_owned()
}

fn shown(range: Option<(u32, u32)>) -> String {
    range.map_or_else(|| "none".to_owned(), |(min, max)| format!("{min} to {max}"))
}

/// The plan resting on what was read now: its way back is the way back from there, tasks that have ended are left out, and what makes
/// it senseless blocks it.
#[must_use]
pub fn rest_on(mut plan: Plan, now: &[Basis]) -> Plan {
    for known in &mut plan.basis {
        let Some(fresh) = now.iter().find(|fresh| known.same(fresh)) else { continue };
        if let Ok(inverse) = &mut plan.inverse {
            turn(inverse, fresh);
        }
        let name = fresh.name().to_owned();
        match fresh {
            Basis::Service { status, .. } if &**status == MISSING => {
                plan.notes.insert(0, Note::blocker(format!("service {name} has been deleted")));
            }
            Basis::Service { status, .. } if &**status != "ACTIVE" => {
                plan.notes.insert(0, Note::blocker(format!("service {name} is {status}")));
            }
            Basis::Revision { active: false, .. } => {
                plan.notes.insert(0, Note::blocker(format!("{name} has been deregistered")));
            }
            Basis::Image { reference, digest: None } => {
                let uri = ImageUri::parse(reference);
                plan.notes
                    .insert(0, Note::blocker(format!("ECR has no {}:{} any more: no task could pull it", uri.repository, uri.short())));
            }
            Basis::Vault { from, held } => {
                for (from, why) in from.iter().zip(held).filter_map(|(from, held)| match held {
                    Held::Gone(why) => Some((from, why)),
                    _ => None,
                }) {
                    plan.notes.insert(0, Note::blocker(format!("{}: {why}: no new task could start", Kept::parse(from).name())));
                }
            }
            Basis::Task { arn, alive: false } if leave_out(&mut plan.steps, arn) => {
                plan.targets.retain(|target| target != arn);
                plan.notes.push(Note::warning(format!("task {name} has stopped meanwhile and is left out")));
            }
            Basis::Instance { status, .. } if &**status == MISSING => {
                plan.notes.insert(0, Note::blocker(format!("container instance {name} has left the cluster")));
            }
            _ => {}
        }
        *known = fresh.clone();
    }
    if plan.steps.is_empty() {
        plan.notes.insert(0, Note::blocker("nothing is left to do"));
    }
    for change in &mut plan.changes {
        if let Some(fresh) = moved_to(&change.what, now, &plan.targets) {
            change.before = fresh;
        }
    }
    plan
}

/// The value that a line of the plan names, as it is now.
fn moved_to(what: &str, now: &[Basis], targets: &[Arn]) -> Option<String> {
    now.iter().find_map(|basis| match (what, basis) {
        ("desired", Basis::Service { arn, desired, .. }) if targets.contains(arn) => Some(desired.to_string()),
        ("range", Basis::Range { range: Some((min, max)), .. }) => Some(format!("{min}-{max}")),
        _ => None,
    })
}

fn turn(inverse: &mut Inverse, now: &Basis) {
    match (inverse, now) {
        (Inverse::Scale { service, desired }, Basis::Service { arn, desired: now, .. }) if service == arn => *desired = *now,
        (Inverse::Revision { service, revision }, Basis::Service { arn, revision: now, .. }) if service == arn => *revision = now.clone(),
        (Inverse::Range { resource, range, suspended }, Basis::Range { resource: of, range: Some(now), suspended: off })
            if resource == of =>
        {
            *range = *now;
            *suspended = *off;
        }
        (Inverse::Several(all), now) => all.iter_mut().for_each(|one| turn(one, now)),
        _ => {}
    }
}

/// Takes a task out of the calls; says whether any named it.
fn leave_out(steps: &mut Vec<super::Step>, task: &Arn) -> bool {
    let before = steps.len();
    let mut named = false;
    steps.retain_mut(|step| match &mut step.call {
        Call::StopTask { task: of, .. } => of != task,
        Call::UpdateTaskProtection { tasks, .. } => {
            let all = tasks.len();
            tasks.retain(|of| of != task);
            named |= tasks.len() < all;
            !tasks.is_empty()
        }
        _ => true,
    });
    named || steps.len() < before
}

#[cfg(test)]
mod tests;
