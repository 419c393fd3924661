//! All verdicts at once: judged when the store changes, read by every pane, so that two panes never disagree.

use super::cause::Memo;
use super::{Group, Health, Known, Verdict, service};
use crate::feed::Feed;
use crate::model::{self, Arn, CodeDeployment, Ctx, Fleet, LogScope, Service, Task, TaskSet, Time};
use crate::store::Store;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
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
    /// Revisions of what the verdict was judged from.
    evidence: Revisions,
    /// What completed its explanation, and when it was judged.
    aside: u64,
    at: Time,
}

/// Seconds for which a verdict that changes by time alone stands while nothing is heard that it rests on.
const STANDS_SECONDS: i64 = 3;

/// Seconds for which any verdict stands. The words of one that is well may rest on time too, as on a stop that counts for a while, and on what
/// completes an explanation.
const ANY_STANDS_SECONDS: i64 = 60;

/// Target groups of a context whose health is asked for to judge the whole fleet. ELB answers one group a call and its budget is 2.5
/// calls a second, so that this many are a round of half a minute.
const GROUPS: usize = 60;

/// The services of a cluster, and how far the store was when they were judged: its tasks, and all targets and deployments.
#[derive(Default)]
struct Cluster {
    rows: Vec<Arc<Judged>>,
    seen: (u64, u64, u64),
}

/// All services that the store knows, judged, cluster by cluster.
#[derive(Default)]
pub struct Board {
    clusters: HashMap<(Ctx, Arn), Cluster>,
    /// The clusters that count: one that was named and is listed as well counts once.
    counted: Vec<(Ctx, Arn)>,
    memo: Memo,
    totals: Totals,
    /// Clusters whose tasks were asked for and have not been told yet: whether their troubled services are so is not known either.
    unheard: HashMap<(Ctx, Arn), bool>,
}

/// What the header and the fleet say of everything, counted once per change.
#[derive(Default)]
struct Totals {
    health: HashMap<Health, usize>,
    services: usize,
    running: u32,
    /// Services whose targets are asked for, trouble first; found out when somebody asks.
    checked: OnceCell<Vec<Arc<Judged>>>,
    /// Services behind a load balancer, by context.
    behind: HashMap<Ctx, usize>,
}

impl Board {
    /// Judges anew what changed. Returns whether any verdict or row is different.
    pub fn refresh(&mut self, store: &Store, fleet: &Fleet, now: Time) -> bool {
        let counted: Vec<(Ctx, Arn)> = fleet.all().flat_map(|ctx| listed(store, ctx)).collect();
        let named = fleet.all().flat_map(|ctx| named(store, ctx));
        let judged: HashSet<(Ctx, Arn)> = counted.iter().cloned().chain(named).collect();
        let before = self.clusters.len();
        self.clusters.retain(|key, _| judged.contains(key));
        let mut changed = before != self.clusters.len() || self.counted != counted;
        for (ctx, cluster) in &judged {
            changed |= self.refresh_cluster(store, *ctx, cluster, now);
        }
        self.counted = counted;
        if changed {
            self.totals = self.count_all();
        }
        changed
    }

    fn count_all(&self) -> Totals {
        let mut totals = Totals::default();
        for row in self.all() {
            *totals.health.entry(row.verdict.health).or_default() += 1;
            totals.services += 1;
            totals.running += row.service.running;
            if target_groups(&row.service).next().is_some() {
                *totals.behind.entry(row.ctx).or_default() += 1;
            }
        }
        totals
    }

    fn find_checked(&self) -> Vec<Arc<Judged>> {
        let mut behind: Vec<&Arc<Judged>> = self.all().filter(|row| target_groups(&row.service).next().is_some()).collect();
        // Trouble first, then by name, so that the same ones are asked again.
        behind.sort_by(|a, b| (!a.verdict.health.troubled(), &a.service.arn).cmp(&(!b.verdict.health.troubled(), &b.service.arn)));
        let mut left: HashMap<Ctx, usize> = HashMap::new();
        behind.retain(|row| {
            let (left, groups) = (left.entry(row.ctx).or_insert(GROUPS), target_groups(&row.service).count());
            let fits = *left >= groups;
            *left = left.saturating_sub(groups);
            fits
        });
        behind.into_iter().cloned().collect()
    }

    /// The services whose targets are asked for to judge the fleet, and how many have targets at all; of one context, or of all.
    pub fn checked(&self, ctx: Option<Ctx>) -> (impl Iterator<Item = &Arc<Judged>>, usize) {
        let of = move |other: Ctx| ctx.is_none_or(|ctx| ctx == other);
        let behind = self.totals.behind.iter().filter(|(ctx, _)| of(**ctx)).map(|(_, n)| n).sum();
        (self.totals.checked.get_or_init(|| self.find_checked()).iter().filter(move |row| of(row.ctx)), behind)
    }

    /// Services and running tasks of everything.
    #[must_use]
    pub fn size(&self) -> (usize, u32) {
        (self.totals.services, self.totals.running)
    }

    fn refresh_cluster(&mut self, store: &Store, ctx: Ctx, cluster: &Arn, now: Time) -> bool {
        let Some(services) = store.services(ctx, cluster) else { return false };
        let Cluster { rows, seen } = self.clusters.entry((ctx, cluster.clone())).or_default();
        let revision = |feed: fn(Ctx, Arn) -> Feed| store.revision(&feed(ctx, cluster.clone()));
        let now_seen = (revision(Feed::Tasks), revision(Feed::Stopped), store.evidence());
        // Looked up for a thousand services, their evidence would take longer than everything else here.
        let unmoved = std::mem::replace(seen, now_seen) == now_seen;
        let mut changed = rows.len() != services.len();
        let old = std::mem::take(rows);
        rows.reserve(services.len());
        let mut before = old.into_iter();
        let (tasks_of, aside) = (store.tasks_revisions(ctx, cluster), store.aside());
        for service in services {
            // Lists keep their order between polls, so the same place is nearly always the same service.
            let row = before.next();
            let evidence = match row.as_ref().filter(|row| unmoved && Arc::ptr_eq(&row.service, service)) {
                Some(row) => row.evidence,
                None => revisions(store, ctx, service, tasks_of(&service.name)),
            };
            match row {
                Some(row) if Arc::ptr_eq(&row.service, service) && row.evidence == evidence && stands(&row, aside, now) => rows.push(row),
                row => {
                    let verdict = judge_with(store, &self.memo, ctx, cluster, service, now);
                    changed |= row.is_none_or(|row| !Arc::ptr_eq(&row.service, service) || row.verdict != verdict);
                    rows.push(Arc::new(Judged {
                        ctx,
                        cluster: cluster.clone(),
                        service: service.clone(),
                        verdict,
                        evidence,
                        aside,
                        at: now,
                    }));
                }
            }
        }
        changed
    }

    /// The services of a cluster; nothing while they are not known.
    #[must_use]
    pub fn of(&self, ctx: Ctx, cluster: &Arn) -> &[Arc<Judged>] {
        self.clusters.get(&(ctx, cluster.clone())).map_or(&[], |cluster| cluster.rows.as_slice())
    }

    /// One service's verdict.
    #[must_use]
    pub fn verdict(&self, ctx: Ctx, cluster: &Arn, service: &Arn) -> Option<&Verdict> {
        self.of(ctx, cluster).iter().find(|row| row.service.arn == *service).map(|row| &row.verdict)
    }

    /// All services of all clusters, each once.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Judged>> {
        self.counted.iter().filter_map(|key| self.clusters.get(key)).flat_map(|cluster| &cluster.rows)
    }

    /// How many services are in this health; those whose tasks are still awaited are in none.
    #[must_use]
    pub fn count(&self, health: Health) -> usize {
        let judged = self.totals.health.get(&health).copied().unwrap_or(0);
        if self.unheard.is_empty() {
            return judged;
        }
        judged - self.all().filter(|row| row.verdict.health == health && self.undecided(row)).count()
    }

    /// Names the clusters whose tasks are awaited, and whether those that stopped are known of them. Returns whether that makes a difference.
    pub fn wait_for_tasks(&mut self, unheard: HashMap<(Ctx, Arn), bool>) -> bool {
        let differs = self.unheard != unheard;
        self.unheard = unheard;
        differs
    }

    /// Whether a verdict of trouble was drawn before the first word of the tasks that it is about. It may be gone when they come, as that of
    /// a service in its grace, so nobody is to read it.
    #[must_use]
    pub fn undecided(&self, row: &Judged) -> bool {
        if self.unheard.is_empty() || !row.verdict.health.troubled() {
            return false;
        }
        self.unheard.get(&(row.ctx, row.cluster.clone())).is_some_and(|stops| !stops || self.may_be_excused(row))
    }

    /// Whether the trouble is with targets that may still be in their grace, which the tasks that run behind them tell.
    #[must_use]
    pub fn may_be_excused(&self, row: &Judged) -> bool {
        row.service.grace_seconds > 0 && row.verdict.rule.ends_with("unhealthy")
    }
}

/// The clusters that a context lists; while it lists none, those that were named.
fn listed(store: &Store, ctx: Ctx) -> Vec<(Ctx, Arn)> {
    match store.clusters(ctx) {
        // A cluster that has emptied is not asked again, so what was known of its services is no longer so.
        Some(clusters) => clusters.iter().filter(|c: &&Arc<model::Cluster>| c.services > 0).map(|c| (ctx, c.arn.clone())).collect(),
        None => named(store, ctx),
    }
}

/// The clusters whose services were asked for, by ARN or by name.
fn named(store: &Store, ctx: Ctx) -> Vec<(Ctx, Arn)> {
    let of = |feed: &Feed| if let Feed::Services(_, cluster) = feed { Some((ctx, cluster.clone())) } else { None };
    store.slots_of(ctx).filter_map(|(feed, _)| of(feed)).collect()
}

fn target_groups(service: &Service) -> impl Iterator<Item = &Arn> {
    service.load_balancers.iter().filter_map(|lb| lb.target_group.as_ref())
}

/// Revisions of a service's tasks, of its targets, and of what is asked for only where there is trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Revisions {
    tasks: u64,
    targets: u64,
    deployments: u64,
}

fn revisions(store: &Store, ctx: Ctx, service: &Service, tasks: u64) -> Revisions {
    let targets = service.target_groups().into_iter().map(|group| store.revision(&Feed::Targets(ctx, group.clone()))).sum();
    let deployments = store.revision(&Feed::ServiceDeployments(ctx, service.arn.clone()));
    Revisions { tasks, targets, deployments }
}

/// Whether a verdict that nothing new was heard of still holds.
fn stands(row: &Judged, aside: u64, now: Time) -> bool {
    let age = now.as_second() - row.at.as_second();
    let fresh = |seconds| (0..seconds).contains(&age);
    if depends_on_time(row) { row.aside == aside && fresh(STANDS_SECONDS) } else { fresh(ANY_STANDS_SECONDS) }
}

/// A service that is well stays well until something is heard; trouble can end, or begin to count, by time alone, and so can the grace of
/// a target.
fn depends_on_time(row: &Judged) -> bool {
    !matches!(row.verdict.health, Health::Ok | Health::Idle) || row.verdict.grace_until.is_some()
}

/// Judges one service by all that the store holds of it.
#[must_use]
pub fn judge(store: &Store, ctx: Ctx, cluster: &Arn, row: &Arc<Service>, now: Time) -> Verdict {
    judge_with(store, &Memo::default(), ctx, cluster, row, now)
}

fn judge_with(store: &Store, memo: &Memo, ctx: Ctx, cluster: &Arn, row: &Arc<Service>, now: Time) -> Verdict {
    let mut known: Vec<Group> = Vec::new();
    for arn in row.target_groups() {
        if let Some(targets) = store.targets(ctx, arn) {
            known.push(Group { arn, targets });
        }
    }
    service(&Known {
        service: row,
        tasks: store.tasks_of(ctx, cluster, &row.name),
        groups: &known,
        instances: store.instances(ctx, cluster).unwrap_or_default(),
        deployments: store.service_deployments(ctx, &row.arn).unwrap_or_default(),
        code: code_deployment(store, ctx, row),
        definition: &|arn| store.definition(ctx, arn).map(|definition| &**definition),
        lines: &|task, container| lines(store, ctx, row, task, container),
        memo,
        now,
    })
}

/// What CodeDeploy does to a service: the deployment that made its newest task set, as far as it is known.
fn code_deployment<'a>(store: &'a Store, ctx: Ctx, service: &Service) -> Option<&'a CodeDeployment> {
    let mut sets: Vec<&TaskSet> = service.task_sets.iter().collect();
    sets.sort_by_key(|set| std::cmp::Reverse(set.created_at));
    let ids = sets.into_iter().filter_map(|set| set.external_id.as_ref());
    ids.into_iter().find_map(|id| store.code_deployment(ctx, &service.arn, id)).map(|code| &**code)
}

/// Lines that are looked at for what a dead container said. One that answers requests says a lot after what it was killed for.
const LINES: usize = 240;

/// The last lines of a container, from whichever tail has read them; oldest first.
fn lines<'a>(store: &'a Store, ctx: Ctx, service: &Service, task: &Task, container: &str) -> Vec<&'a str> {
    let of = |scope| store.tail(&Feed::Logs(ctx, scope));
    let tail = of(LogScope::Container(task.arn.clone(), container.into()))
        .or_else(|| of(LogScope::Task(task.arn.clone())))
        .or_else(|| of(LogScope::Service(service.arn.clone())));
    let Some(tail) = tail else { return Vec::new() };
    let own = |line: &&crate::logs::Line| line.log.source.task == task.arn && *line.log.source.container == *container;
    let heads = tail.heads().iter().rev().filter(|key| tail.get(key.id).as_ref().is_some_and(own)).take(LINES);
    let heads: Vec<u64> = heads.map(|key| key.id).collect();
    // What follows a line, as the trace below an error, may be what tells; and one event may hold several lines.
    heads.into_iter().rev().flat_map(|head| tail.group(head)).flat_map(|line| line.log.text.lines()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Outcome, Update, Value};
    use crate::model::sample::{ago, group, service, target, task};
    use crate::model::{Context, TargetState};

    const CTX: Ctx = Ctx(0);

    struct Scene {
        store: Store,
        fleet: Fleet,
        board: Board,
    }

    impl Scene {
        /// A service behind a load balancer, with a grace of two minutes, and one without.
        fn new() -> Self {
            let api = Service { grace_seconds: 120, running: 1, desired: 1, ..service("api") };
            let web = Service { load_balancers: Vec::new(), ..service("web") };
            let context = Context { name: "acme".into(), region: "eu-west-1".into(), profile: None, production: None };
            let mut scene = Scene { store: Store::default(), fleet: Fleet(vec![context]), board: Board::default() };
            let cluster = api.cluster.clone();
            scene.hear(Feed::Services(CTX, cluster.clone()), Value::Services(vec![Arc::new(api), Arc::new(web)]));
            let young = Task { started_at: Some(ago(60)), ip: Some("10.0.0.1".into()), ..task("a", "RUNNING") };
            scene.hear(Feed::Tasks(CTX, cluster), Value::Tasks(vec![Arc::new(young)]));
            scene
        }

        fn hear(&mut self, feed: Feed, value: Value) {
            self.store.apply(Update { feed, epoch: 0, at: ago(0), outcome: Outcome::Whole(value) });
        }

        fn targets(&mut self, state: TargetState) {
            let feed = Feed::Targets(CTX, group());
            self.hear(feed, Value::Targets(Arc::new(vec![target("10.0.0.1", state, None)])));
        }

        /// How the first service is in so many seconds, and whether that is news.
        fn judged(&mut self, seconds: i64) -> (Health, bool) {
            let news = self.board.refresh(&self.store, &self.fleet, ago(-seconds));
            let cluster = service("api").cluster;
            (self.board.of(CTX, &cluster)[0].verdict.health, news)
        }
    }

    #[test]
    fn a_change_of_targets_alone_is_judged_and_a_grace_ends_by_itself() {
        let mut scene = Scene::new();
        scene.targets(TargetState::Healthy);
        assert_eq!(scene.judged(0), (Health::Ok, true));
        assert_eq!(scene.judged(1), (Health::Ok, false));
        scene.targets(TargetState::Unhealthy);
        assert_eq!(scene.judged(2), (Health::Ok, true), "excused, which the verdict tells");
        assert_eq!(scene.judged(3), (Health::Ok, false));
        assert_eq!(scene.judged(59).0, Health::Ok);
        assert_eq!(scene.judged(70), (Health::Fail, true), "nothing was heard since");
        scene.targets(TargetState::Healthy);
        assert_eq!(scene.judged(71), (Health::Ok, true));
    }

    #[test]
    fn what_is_well_is_judged_again_after_a_minute_and_not_before() {
        let mut scene = Scene::new();
        scene.targets(TargetState::Healthy);
        scene.judged(0);
        let cluster = service("api").cluster;
        let first = scene.board.of(CTX, &cluster)[1].clone();
        scene.targets(TargetState::Healthy);
        scene.judged(59);
        assert!(Arc::ptr_eq(&first, &scene.board.of(CTX, &cluster)[1]), "what was heard is of the other one");
        scene.judged(60);
        assert!(!Arc::ptr_eq(&first, &scene.board.of(CTX, &cluster)[1]));
    }
}
