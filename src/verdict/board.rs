//! All verdicts at once: judged when the store changes, read by every pane, so that two panes never disagree.

use super::{Health, Verdict, service};
use crate::feed::Feed;
use crate::model::{Arn, Cluster, Ctx, Fleet, Service, Target, Time};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::Arc;

/// A service with its verdict.
#[derive(Debug)]
pub struct Judged {
    /// Context.
    pub ctx: Ctx,
    /// The cluster as the fleet lists it.
    pub cluster: Arn,
    /// The service.
    pub service: Arc<Service>,
    /// Its verdict.
    pub verdict: Verdict,
    /// Revisions of its tasks and targets that the verdict was judged from.
    evidence: (u64, u64),
}

/// All services that the store knows, judged, cluster by cluster.
#[derive(Default)]
pub struct Board {
    clusters: HashMap<(Ctx, Arn), Vec<Arc<Judged>>>,
    revision: u64,
}

impl Board {
    /// Judges anew what changed. Returns whether any verdict or row is different.
    pub fn refresh(&mut self, store: &Store, fleet: &Fleet, now: Time) -> bool {
        let mut changed = false;
        for ctx in fleet.all() {
            for cluster in clusters(store, ctx) {
                changed |= self.refresh_cluster(store, ctx, &cluster, now);
            }
        }
        self.revision += u64::from(changed);
        changed
    }

    fn refresh_cluster(&mut self, store: &Store, ctx: Ctx, cluster: &Arn, now: Time) -> bool {
        let Some(services) = store.services(ctx, cluster) else { return false };
        let rows = self.clusters.entry((ctx, cluster.clone())).or_default();
        let mut changed = rows.len() != services.len();
        let old = std::mem::take(rows);
        rows.reserve(services.len());
        let mut before = old.into_iter();
        for service in services {
            let evidence = evidence(store, ctx, cluster, service);
            // Lists keep their order between polls, so the same place is nearly always the same service.
            let row = before.next();
            match row {
                Some(row) if Arc::ptr_eq(&row.service, service) && row.evidence == evidence && !depends_on_time(&row) => rows.push(row),
                row => {
                    let verdict = judge(store, ctx, cluster, service, now);
                    changed |= row.is_none_or(|row| !Arc::ptr_eq(&row.service, service) || row.verdict != verdict);
                    rows.push(Arc::new(Judged { ctx, cluster: cluster.clone(), service: service.clone(), verdict, evidence }));
                }
            }
        }
        changed
    }

    /// Counts the changes.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The services of a cluster; nothing while they are not known.
    #[must_use]
    pub fn of(&self, ctx: Ctx, cluster: &Arn) -> &[Arc<Judged>] {
        self.clusters.get(&(ctx, cluster.clone())).map_or(&[], Vec::as_slice)
    }

    /// One service's verdict.
    #[must_use]
    pub fn verdict(&self, ctx: Ctx, cluster: &Arn, service: &Arn) -> Option<&Verdict> {
        self.of(ctx, cluster).iter().find(|row| row.service.arn == *service).map(|row| &row.verdict)
    }

    /// All services of all clusters.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Judged>> {
        self.clusters.values().flatten()
    }

    /// How many services are in this health.
    #[must_use]
    pub fn count(&self, health: Health) -> usize {
        self.all().filter(|row| row.verdict.health == health).count()
    }
}

/// The clusters of a context that services are known of: those that it lists, and one that was only named.
fn clusters(store: &Store, ctx: Ctx) -> Vec<Arn> {
    let mut arns: Vec<Arn> = store.clusters(ctx).unwrap_or_default().iter().map(|c: &Arc<Cluster>| c.arn.clone()).collect();
    for (feed, _) in store.slots_of(ctx) {
        if let Feed::Services(_, cluster) = feed
            && !arns.contains(cluster)
        {
            arns.push(cluster.clone());
        }
    }
    arns
}

fn target_groups(service: &Service) -> impl Iterator<Item = &Arn> {
    service.load_balancers.iter().filter_map(|lb| lb.target_group.as_ref())
}

fn evidence(store: &Store, ctx: Ctx, cluster: &Arn, service: &Service) -> (u64, u64) {
    let targets = target_groups(service).map(|group| store.revision(&Feed::Targets(ctx, group.clone()))).sum();
    (store.tasks_revision(ctx, cluster, &service.name), targets)
}

/// A service that is well stays well until something is heard; trouble can end, or begin to count, by time alone.
fn depends_on_time(row: &Judged) -> bool {
    !matches!(row.verdict.health, Health::Ok | Health::Idle)
}

fn judge(store: &Store, ctx: Ctx, cluster: &Arn, row: &Arc<Service>, now: Time) -> Verdict {
    let targets: Vec<(&str, &[Target])> =
        target_groups(row).filter_map(|group| store.targets(ctx, group).map(|targets| (group.target_group_name(), targets))).collect();
    service(row, store.tasks_of(ctx, cluster, &row.name), &targets, now)
}
