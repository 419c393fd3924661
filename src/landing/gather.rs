//! What a release is told from: the feeds that it needs, and what of the store belongs to one service.

use super::{Followed, Seen};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Service, Str, Time};
use crate::store::Store;
use crate::verdict::{self, Group};
use std::sync::Arc;

/// Target groups of a service that are asked for as often as the rest; those of more are asked half as often.
const GROUPS: usize = 2;

/// A service in the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Context.
    pub ctx: Ctx,
    /// Cluster, as its feeds name it.
    pub cluster: Arn,
    /// Service.
    pub service: Arn,
}

impl Whole {
    /// Hands everything that the store holds of the service to `look`; nothing while the service is not known.
    pub fn look<R>(&self, store: &Store, now: Time, look: impl FnOnce(&Seen) -> R) -> Option<R> {
        let (ctx, cluster) = (self.ctx, &self.cluster);
        let service = store.service(ctx, cluster, &self.service)?;
        let known = |arn| store.targets(ctx, arn).map(|targets| Group { arn, targets });
        let groups: Vec<Group> = service.target_groups().into_iter().filter_map(known).collect();
        let tasks = store.tasks(ctx, cluster).map(|_| store.tasks_of(ctx, cluster, &service.name));
        let verdict = verdict::judge(store, ctx, cluster, service, now);
        Some(look(&Seen {
            service,
            tasks,
            groups: &groups,
            instances: store.instances(ctx, cluster).unwrap_or_default(),
            records: store.service_deployments(ctx, &service.arn),
            revision: &|arn| store.service_revision(ctx, arn).map(|revision| &**revision),
            code: &|id| store.code_deployment(ctx, &service.arn, id).map(|code| &**code),
            releases: &|application, group| store.releases(ctx, application, group).unwrap_or_default(),
            alarms: alarm_names(service).and_then(|names| store.alarms(ctx, &names)).unwrap_or_default(),
            verdict: &verdict,
            now,
        }))
    }

    /// Whether AWS has answered that there is no such service.
    #[must_use]
    pub fn gone(&self, store: &Store) -> bool {
        let slot = store.slot(&Feed::Service(self.ctx, self.service.clone()));
        slot.is_some_and(|slot| slot.error.is_none() && matches!(&slot.value, Some(crate::feed::Value::Services(rows)) if rows.is_empty()))
    }

    /// Names the feeds that tell of the release. `looked_at` is whether somebody reads it now, rather than waits for its end.
    pub fn want(&self, store: &Store, followed: Option<&Followed>, looked_at: bool, out: &mut Vec<Wanted>) {
        let (ctx, arn) = (self.ctx, &self.service);
        let poll = |feed: Feed, focus: bool| Wanted::Poll { feed, focus };
        out.push(poll(Feed::Service(ctx, arn.clone()), looked_at));
        out.push(Wanted::Gently { feed: Feed::Tasks(ctx, self.cluster.clone()) });
        let service = store.service(ctx, &self.cluster, arn);
        if service.is_none_or(|service| &*service.controller == "ECS") {
            out.push(poll(Feed::ServiceDeployments(ctx, arn.clone()), looked_at));
        }
        if let Some(code) = followed.and_then(|followed| followed.code.as_ref()) {
            out.push(poll(Feed::CodeDeployment(ctx, arn.clone(), code.clone()), looked_at));
            // How long the group's deployments took before.
            if let Some(code) = store.code_deployment(ctx, arn, code).filter(|_| looked_at) {
                out.push(poll(Feed::CodeDeployments(ctx, code.application.clone(), code.group.clone()), false));
            }
        }
        let Some(service) = service else { return };
        for set in service.task_sets.iter().filter(|_| &*service.controller == "CODE_DEPLOY") {
            // The newest set's is what is followed, and until it has answered nobody knows.
            let newest = service.task_sets.iter().all(|other| other.created_at <= set.created_at);
            let id = set.external_id.as_ref().filter(|_| newest && followed.is_none_or(|followed| followed.code.is_none()));
            out.extend(id.map(|id| poll(Feed::CodeDeployment(ctx, arn.clone(), id.clone()), looked_at)));
        }
        let groups = service.target_groups();
        let often = groups.len() <= GROUPS;
        for group in groups {
            let feed = Feed::Targets(ctx, group.clone());
            out.push(if often { poll(feed, false) } else { Wanted::Gently { feed } });
        }
        // Targets of an instance are told from tasks by the ports of its containers.
        let by_instance = service
            .target_groups()
            .into_iter()
            .filter_map(|group| store.targets(ctx, group))
            .flatten()
            .any(|target| target.id.starts_with("i-"));
        if by_instance {
            out.push(Wanted::Gently { feed: Feed::Instances(ctx, self.cluster.clone()) });
        }
        out.extend(alarm_names(service).map(|names| poll(Feed::Alarms(ctx, names), false)));
        let record = followed.and_then(|followed| followed.record.as_ref());
        let record = store.service_deployments(ctx, arn).and_then(|records| records.iter().find(|of| Some(&of.arn) == record));
        if let Some(record) = record {
            let back = record.rollback.as_ref().and_then(|rollback| rollback.revision.as_ref());
            let sides = record.target_revision.iter().chain(record.sources.iter().map(|source| &source.arn)).chain(back);
            out.extend(sides.map(|revision| poll(Feed::ServiceRevision(ctx, revision.clone()), false)));
        }
        let tasks = store.tasks_of(ctx, &self.cluster, &service.name);
        // A definition tells which container's end was the task's.
        let dead = verdict::newest_failure(tasks).map(|task| Feed::TaskDefinition(ctx, task.task_definition.clone()));
        out.extend(dead.map(|feed| poll(feed, false)));
    }
}

fn alarm_names(service: &Service) -> Option<Arc<[Str]>> {
    (!service.alarms.is_empty()).then(|| service.alarms.clone().into())
}
