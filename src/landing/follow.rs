//! Which deployment is followed, and how it is found again when AWS tells of it in another place.

use super::Seen;
use crate::model::{Arn, Deployment, Service, ServiceDeployment, Str, TaskSet, Time};

/// Seconds by which the times of one deployment may differ between the service's own list and ECS's record.
const NEAR_SECONDS: i64 = 60;

/// The names of one deployment, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// ECS's record of it.
    pub record: Option<Arn>,
    /// `CodeDeploy`'s id.
    pub code: Option<Str>,
    /// `ecs-svc/…`, which its tasks carry as `startedBy`.
    pub set: Option<Str>,
    /// Revision that it brings.
    pub revision: Option<Arn>,
    /// Revision that was there before.
    pub before: Option<Arn>,
    /// Start.
    pub began: Option<Time>,
}

impl Followed {
    /// The newest release of a service; nothing for a service that has none that AWS tells of.
    #[must_use]
    pub fn newest(seen: &Seen) -> Option<Followed> {
        let service = seen.service;
        if &*service.controller != "ECS" {
            return newest_set(service).map(|set| of_set(seen, set));
        }
        let record = seen.records.and_then(|records| records.iter().max_by_key(|record| began(record))).map(|record| &**record);
        let primary = primary(service);
        match (record, primary) {
            // The list of records is asked for less often than the service: a deployment that it does not know yet is the newest.
            (Some(record), Some(primary)) if unknown_yet(service, record, primary) => Some(of_entry(seen, primary)),
            (Some(record), _) => Some(of_record(seen, record)),
            (None, Some(primary)) => Some(of_entry(seen, primary)),
            (None, None) => None,
        }
    }

    /// The deployment of `CodeDeploy` with that id.
    #[must_use]
    pub fn of_code(id: &str) -> Followed {
        Followed { code: Some(id.into()), ..Followed::default() }
    }

    /// Whether both are the same deployment.
    #[must_use]
    pub fn is(&self, other: &Followed) -> bool {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> Option<bool> {
            a.zip(b).map(|(a, b)| a == b)
        }
        differ(self.record.as_ref(), other.record.as_ref())
            .or_else(|| differ(self.code.as_ref(), other.code.as_ref()))
            .or_else(|| differ(self.set.as_ref(), other.set.as_ref()))
            .unwrap_or(false)
    }

    /// Takes over what has become known. What was known stays: AWS's lists forget.
    pub fn learn(&mut self, seen: &Seen) {
        let known = match (&self.record, &self.code) {
            (Some(_), _) => self.record_in(seen).map(|record| of_record(seen, record)),
            (None, Some(code)) => {
                let set = seen.service.task_sets.iter().find(|set| set.external_id.as_ref() == Some(code));
                set.map(|set| of_set(seen, set)).or_else(|| {
                    let began = (seen.code)(code).and_then(|code| code.created_at);
                    Some(Followed { began, ..Followed::of_code(code) })
                })
            }
            (None, None) => {
                let entry = seen.service.deployments.iter().find(|entry| Some(&entry.id) == self.set.as_ref());
                let set = || seen.service.task_sets.iter().find(|set| Some(&set.id) == self.set.as_ref()).map(|set| of_set(seen, set));
                entry.map(|entry| of_entry(seen, entry)).or_else(set)
            }
        };
        let Some(known) = known else { return };
        self.record = self.record.take().or(known.record);
        self.code = self.code.take().or(known.code);
        self.set = self.set.take().or(known.set);
        self.revision = self.revision.take().or(known.revision);
        self.before = self.before.take().or(known.before);
        self.began = earlier(self.began, known.began);
    }

    /// ECS's record of it.
    #[must_use]
    pub(super) fn record_in<'a>(&self, seen: &Seen<'a>) -> Option<&'a ServiceDeployment> {
        let arn = self.record.as_ref()?;
        seen.records?.iter().find(|record| record.arn == *arn).map(|record| &**record)
    }

    /// The service's own entry of it.
    pub(super) fn entry_in<'a>(&self, seen: &Seen<'a>) -> Option<&'a Deployment> {
        let id = self.set.as_ref()?;
        seen.service.deployments.iter().find(|entry| entry.id == *id)
    }

    /// Its task set.
    pub(super) fn set_in<'a>(&self, seen: &Seen<'a>) -> Option<&'a TaskSet> {
        let id = self.set.as_ref()?;
        seen.service.task_sets.iter().find(|set| set.id == *id)
    }
}

/// The deployment that a service is to end up with.
pub(super) fn primary(service: &Service) -> Option<&Deployment> {
    service.deployments.iter().find(|entry| &*entry.status == "PRIMARY").or(service.deployments.first())
}

pub(super) fn began(record: &ServiceDeployment) -> Option<Time> {
    record.created_at.or(record.started_at)
}

/// The first of the times that AWS tells in several places for one start: the age of a release never shrinks.
pub(super) fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    a.into_iter().chain(b).min()
}

fn newest_set(service: &Service) -> Option<&TaskSet> {
    service.task_sets.iter().max_by_key(|set| set.created_at)
}

fn near(a: Option<Time>, b: Option<Time>) -> bool {
    a.zip(b).is_some_and(|(a, b)| (a.as_second() - b.as_second()).abs() <= NEAR_SECONDS)
}

fn goes_back(record: &ServiceDeployment) -> bool {
    record.rollback.is_some() || record.status.starts_with("ROLLBACK_") && &*record.status != "ROLLBACK_REQUESTED"
}

/// Whether the primary deployment is younger than ECS's newest record, and no way back of it.
fn unknown_yet(service: &Service, record: &ServiceDeployment, primary: &Deployment) -> bool {
    let of_it = service.current_deployment.as_ref() == Some(&record.arn) || near(primary.created_at, began(record));
    let back_of_it = goes_back(record) && primary.created_at <= record.finished_at.or(Some(Time::MAX));
    !of_it && !back_of_it && primary.created_at > began(record)
}

/// The entry of the service that a record is about. In a rollback the primary entry is already the way back.
fn entry_of<'a>(service: &'a Service, record: &ServiceDeployment) -> Option<&'a Deployment> {
    let apart = |entry: &Deployment| {
        let of = |at: Option<Time>| entry.created_at.zip(at).map(|(a, b)| (a.as_second() - b.as_second()).abs());
        [of(record.created_at), of(record.started_at)].into_iter().flatten().min().filter(|apart| *apart <= NEAR_SECONDS)
    };
    let back = |entry: &Deployment| &*entry.status == "PRIMARY" && goes_back(record);
    let found = service.deployments.iter().filter(|entry| !back(entry)).filter_map(|entry| Some((apart(entry)?, entry)));
    let found = found.min_by_key(|(apart, _)| *apart).map(|(_, entry)| entry);
    found.or_else(|| primary(service).filter(|_| service.current_deployment.as_ref() == Some(&record.arn) && !goes_back(record)))
}

fn of_record(seen: &Seen, record: &ServiceDeployment) -> Followed {
    let entry = entry_of(seen.service, record);
    let definition = |arn: Option<&Arn>| arn.and_then(|arn| (seen.revision)(arn)).map(|revision| revision.task_definition.clone());
    let back = record.rollback.as_ref().and_then(|rollback| definition(rollback.revision.as_ref()));
    let source = record.sources.iter().max_by_key(|source| source.running.max(source.requested));
    let others = seen.service.deployments.iter().filter(|other| entry.is_none_or(|entry| entry.id != other.id));
    let beside = || others.max_by_key(|other| other.running).filter(|_| entry.is_some()).map(|other| other.task_definition.clone());
    Followed {
        record: Some(record.arn.clone()),
        code: None,
        set: entry.map(|entry| entry.id.clone()),
        revision: entry.map(|entry| entry.task_definition.clone()).or_else(|| definition(record.target_revision.as_ref())),
        before: back.or_else(|| definition(source.map(|source| &source.arn))).or_else(beside),
        // As the service's own entry of it dates it: whoever opens a watch late is told the same time.
        began: began(record),
    }
}

fn of_entry(seen: &Seen, entry: &Deployment) -> Followed {
    let others = seen.service.deployments.iter().filter(|other| other.id != entry.id);
    Followed {
        set: Some(entry.id.clone()),
        revision: Some(entry.task_definition.clone()),
        before: others.max_by_key(|other| other.running).map(|other| other.task_definition.clone()),
        began: entry.created_at,
        ..Followed::default()
    }
}

fn of_set(seen: &Seen, set: &TaskSet) -> Followed {
    let others = seen.service.task_sets.iter().filter(|other| other.id != set.id);
    let created = set.external_id.as_ref().and_then(|id| (seen.code)(id)).and_then(|code| code.created_at);
    Followed {
        record: None,
        code: set.external_id.clone().filter(|_| &*seen.service.controller == "CODE_DEPLOY"),
        set: Some(set.id.clone()),
        revision: Some(set.task_definition.clone()),
        before: others.max_by_key(|other| other.running).map(|other| other.task_definition.clone()),
        began: created.or(set.created_at),
    }
}
