//! The past of a service: every revision that can be gone back to, when it ran, for how long, and how that ended.

use super::plans::Facts;
use crate::model::{Arn, Release, Service, ServiceDeployment, Str, Time};

/// A revision of the service's family with what is known of its deployments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Which.
    pub arn: Arn,
    /// Its number.
    pub revision: u32,
    /// Registration, when its definition has been read.
    pub registered_at: Option<Time>,
    /// `ACTIVE` …, when its definition has been read, or the list of active ones names it.
    pub status: Option<Str>,
    /// Start of its newest deployment.
    pub deployed_at: Option<Time>,
    /// Seconds from there to the next deployment of another revision that went well, or until now; nothing where it never held.
    pub ran: Option<i64>,
    /// How its newest deployment stands or ended.
    pub ended: Ended,
    /// AWS's sentence about that.
    pub reason: Option<Str>,
    /// Container, image as written, and the digest that it ran.
    pub images: Vec<(Str, Str, Option<Str>)>,
    /// Whether the service runs it now, or is on its way there.
    pub current: bool,
    /// The newest one that went well before what runs now.
    pub last_good: bool,
}

/// How a revision's newest deployment stands or ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// It went well.
    Successful,
    /// It is under way.
    Running,
    /// It failed, was stopped or was rolled back: AWS's word.
    Badly(Str),
    /// No deployment of it is known: AWS remembers ninety days.
    #[default]
    Never,
}

/// A deployment of the past, whoever made it.
struct Past {
    /// Task definition.
    to: Arn,
    ended: Ended,
    reason: Option<Str>,
    began: Option<Time>,
    /// Service revision of ECS's own record, which knows the images by digest.
    revision: Option<Arn>,
}

/// The revisions of a service, newest first; nothing while neither the list nor the deployments are known.
#[must_use]
pub fn history(facts: &Facts, service: &Arn) -> Vec<Row> {
    let Some(service) = facts.store.service(facts.ctx, facts.cluster, service) else { return Vec::new() };
    let now = super::plans::serving(service);
    let family: Str = now.name().split(':').next().unwrap_or_default().into();
    let listed = facts.store.revisions(facts.ctx, &family);
    let past = past(facts, service);
    let mut arns: Vec<Arn> = listed.map(|listed| listed.arns.clone()).unwrap_or_default();
    // Where the past may not be read, the answer to an update still names what is being replaced.
    let sets = service.task_sets.iter().map(|set| &set.task_definition);
    let sets = sets.chain(service.deployments.iter().map(|deployment| &deployment.task_definition));
    for arn in past.iter().map(|past| &past.to).chain([now, &service.task_definition]).chain(sets) {
        if !arn.as_str().is_empty() && !arns.contains(arn) {
            arns.push(arn.clone());
        }
    }
    let mut rows: Vec<Row> = arns.iter().map(|arn| row(facts, service, arn, &past)).collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.revision), row.arn.clone()));
    for row in &mut rows {
        let known = listed.is_some_and(|listed| listed.arns.contains(&row.arn));
        row.status = row.status.take().or_else(|| known.then(|| "ACTIVE".into()));
    }
    // While CodeDeploy moves the traffic to another set, what still serves is what went well last.
    let beside = service.task_sets.iter().any(|set| &*set.status == "ACTIVE" && set.task_definition != *now);
    if beside && super::plans::way_out(facts, &service.arn).is_some() {
        for row in rows.iter_mut().filter(|row| row.arn == *now) {
            row.last_good = true;
        }
    } else if let Some(good) = past.iter().find(|past| past.to != *now && past.ended == Ended::Successful)
        && let Some(row) = rows.iter_mut().find(|row| row.arn == good.to)
    {
        row.last_good = true;
    }
    rows
}

/// Past deployments, newest first: ECS's own records, or CodeDeploy's.
fn past(facts: &Facts, service: &Service) -> Vec<Past> {
    if let Some(spec) = facts.store.app_spec(facts.ctx, &service.arn).filter(|_| &*service.controller == "CODE_DEPLOY") {
        let releases = facts.store.releases(facts.ctx, &spec.application, &spec.group).unwrap_or_default();
        return releases.iter().filter_map(of_code_deploy).collect();
    }
    let records = facts.store.service_deployments(facts.ctx, &service.arn).unwrap_or_default();
    records.iter().filter_map(|record| of_ecs(facts, record)).collect()
}

fn of_ecs(facts: &Facts, record: &ServiceDeployment) -> Option<Past> {
    let revision = facts.store.service_revision(facts.ctx, record.target_revision.as_ref()?)?;
    Some(Past {
        to: revision.task_definition.clone(),
        ended: match &*record.status {
            "SUCCESSFUL" => Ended::Successful,
            "PENDING" | "IN_PROGRESS" => Ended::Running,
            word => Ended::Badly(word.into()),
        },
        reason: record.reason.clone(),
        began: record.started_at.or(record.created_at),
        revision: Some(revision.arn.clone()),
    })
}

fn of_code_deploy(release: &Release) -> Option<Past> {
    Some(Past {
        to: release.revision.clone()?,
        ended: match &*release.status {
            "Succeeded" => Ended::Successful,
            "Created" | "Queued" | "InProgress" | "Baking" | "Ready" => Ended::Running,
            word => Ended::Badly(word.into()),
        },
        reason: release.reason.clone(),
        began: release.created_at,
        revision: None,
    })
}

fn row(facts: &Facts, service: &Service, arn: &Arn, past: &[Past]) -> Row {
    let definition = facts.store.definition(facts.ctx, arn);
    let newest = past.iter().find(|past| past.to == *arn);
    let good = past.iter().position(|past| past.to == *arn && past.ended == Ended::Successful);
    let written = || definition.iter().flat_map(|d| &d.containers).map(|c| (c.name.clone(), c.image.clone(), None)).collect();
    // What ran well counts before what was only tried.
    let ran = good.map(|n| &past[n]).or(newest).and_then(|past| facts.store.service_revision(facts.ctx, past.revision.as_ref()?));
    Row {
        arn: arn.clone(),
        revision: arn.name().rsplit(':').next().and_then(|n| n.parse().ok()).unwrap_or(0),
        registered_at: definition.and_then(|definition| definition.registered_at),
        status: definition.map(|definition| definition.status.clone()),
        deployed_at: newest.and_then(|past| past.began),
        ran: good.and_then(|n| held(facts, past, n)),
        ended: newest.map_or(Ended::Never, |past| past.ended.clone()),
        reason: newest.and_then(|past| past.reason.clone()),
        images: ran.map(|ran| ran.images.clone()).filter(|images| !images.is_empty()).unwrap_or_else(written),
        current: super::plans::serving(service) == arn || service.task_definition == *arn,
        last_good: false,
    }
}

/// Seconds from a deployment that went well to the next one of another revision that did, or until now.
fn held(facts: &Facts, past: &[Past], n: usize) -> Option<i64> {
    let next = past[..n].iter().rev().find(|later| later.to != past[n].to && later.ended == Ended::Successful);
    let until = next.and_then(|later| later.began).unwrap_or(facts.now);
    Some((until.as_second() - past[n].began?.as_second()).max(0))
}
