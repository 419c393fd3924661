//! The past of a service: every revision that can be gone back to, when it ran, for how long, and how that ended.

use super::plans::Facts;
use crate::model::{Arn, Service, ServiceDeployment, Str, Time};
use std::sync::Arc;

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

/// The revisions of a service, newest first; nothing while neither the list nor the deployments are known.
#[must_use]
pub fn history(facts: &Facts, service: &Arn) -> Vec<Row> {
    let Some(service) = facts.store.service(facts.ctx, facts.cluster, service) else { return Vec::new() };
    let now = super::plans::serving(service);
    let family: Str = now.name().split(':').next().unwrap_or_default().into();
    let listed = facts.store.revisions(facts.ctx, &family);
    let past = past(facts, service);
    let mut arns: Vec<Arn> = listed.map(|listed| listed.arns.clone()).unwrap_or_default();
    let sets = service.task_sets.iter().map(|set| &set.task_definition);
    for arn in past.iter().map(|(_, arn)| arn).chain([now, &service.task_definition]).chain(sets) {
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
    if let Some(good) = past.iter().find(|(record, arn)| arn != now && &*record.status == "SUCCESSFUL").map(|(_, arn)| arn)
        && let Some(row) = rows.iter_mut().find(|row| row.arn == *good)
    {
        row.last_good = true;
    }
    rows
}

/// Past deployments with the task definition that each went to, newest first.
fn past(facts: &Facts, service: &Service) -> Vec<(Arc<ServiceDeployment>, Arn)> {
    let records = facts.store.service_deployments(facts.ctx, &service.arn).unwrap_or_default();
    let to = |record: &Arc<ServiceDeployment>| {
        let revision = facts.store.service_revision(facts.ctx, record.target_revision.as_ref()?)?;
        Some((record.clone(), revision.task_definition.clone()))
    };
    records.iter().filter_map(to).collect()
}

fn began(record: &ServiceDeployment) -> Option<Time> {
    record.started_at.or(record.created_at)
}

fn row(facts: &Facts, service: &Service, arn: &Arn, past: &[(Arc<ServiceDeployment>, Arn)]) -> Row {
    let definition = facts.store.definition(facts.ctx, arn);
    let newest = past.iter().position(|(_, own)| own == arn);
    let good = past.iter().position(|(record, own)| own == arn && &*record.status == "SUCCESSFUL");
    let record = newest.map(|n| &past[n].0);
    let written = || definition.iter().flat_map(|d| &d.containers).map(|c| (c.name.clone(), c.image.clone(), None)).collect();
    // What ran well counts before what was only tried.
    let ran = good.or(newest).and_then(|n| facts.store.service_revision(facts.ctx, past[n].0.target_revision.as_ref()?));
    let current = super::plans::serving(service) == arn || service.task_definition == *arn;
    Row {
        arn: arn.clone(),
        revision: arn.name().rsplit(':').next().and_then(|n| n.parse().ok()).unwrap_or(0),
        registered_at: definition.and_then(|definition| definition.registered_at),
        status: definition.map(|definition| definition.status.clone()),
        deployed_at: record.and_then(|record| began(record)),
        ran: good.and_then(|n| held(facts, past, n)),
        ended: record.map_or(Ended::Never, |record| match &*record.status {
            "SUCCESSFUL" => Ended::Successful,
            "PENDING" | "IN_PROGRESS" => Ended::Running,
            word => Ended::Badly(word.into()),
        }),
        reason: record.and_then(|record| record.reason.clone()),
        images: ran.map(|ran| ran.images.clone()).filter(|images| !images.is_empty()).unwrap_or_else(written),
        current,
        last_good: false,
    }
}

/// Seconds from a deployment that went well to the next one of another revision that did, or until now.
fn held(facts: &Facts, past: &[(Arc<ServiceDeployment>, Arn)], n: usize) -> Option<i64> {
    let (record, arn) = &past[n];
    let next = past[..n].iter().rev().find(|(later, own)| own != arn && &*later.status == "SUCCESSFUL");
    let until = next.and_then(|(later, _)| began(later)).unwrap_or(facts.now);
    Some((until.as_second() - began(record)?.as_second()).max(0))
}
