//! Everything that the feeds have brought, by feed. One owner, no lock: the loop applies updates, the panes read.
//!
//! A failed poll keeps the old value and puts the error and the age beside it; nothing is ever forgotten because a call failed.

mod images;

use crate::aws::{AwsError, ErrorKind};
use crate::change::journal::{self, Record};
use crate::exec::forwards::Forwards;
use crate::feed::{Feed, Learnt, Outcome, Update, Value};
use crate::kept::Kept;
use crate::logs::Buffer;
use crate::model::{
    Alarm, AppSpec, Arn, Cluster, CodeDeployment, ContainerInstance, Ctx, Held, Identity, Image, ImageIndex, Protected, Release,
    RepositoryImages, Revisions, Route, ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction, Service, ServiceDeployment,
    ServiceMetrics, ServiceRevision, Str, Target, TargetGroup, Task, TaskDefinition, Time,
};
use crate::view::Notice;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// Log tails kept beside the visible one, so that going back shows them at once.
const TAILS_KEPT: usize = 4;

/// Messages kept for the messages pane.
const MESSAGES_KEPT: usize = 500;

/// What is known of one feed.
#[derive(Debug, Default)]
pub struct Slot {
    /// The last good answer.
    pub value: Option<Value>,
    /// When the last good answer came, by AWS's clock like all times that panes see.
    pub at: Option<Time>,
    /// Why the newest poll brought nothing, until one does.
    pub error: Option<Arc<AwsError>>,
    /// A request is under way.
    pub busy: bool,
    /// Rows that a list still loading will have.
    pub expected: Option<usize>,
    /// Counts the changes of `value`.
    pub revision: u64,
}

/// What an answer of AWS told about one action of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When it was told.
    pub at: Time,
    /// What AWS said when it refused; nothing when it answered.
    pub denied: Option<Str>,
}

/// Names come from AWS, where nobody chooses them to collide, and a verdict looks up ten of them.
type Slots = HashMap<Feed, Slot, RandomState>;
type Groups = HashMap<Str, Group, RandomState>;

/// All slots.
#[derive(Default)]
pub struct Store {
    slots: Slots,
    tails: HashMap<Feed, Buffer>,
    tail_order: Vec<Feed>,
    tasks_by_service: HashMap<(Ctx, Arn), Groups, RandomState>,
    zones: HashMap<(Ctx, Arn), Vec<Str>>,
    messages: VecDeque<(Time, Notice)>,
    locked_out: HashMap<Ctx, Arc<AwsError>>,
    access: HashMap<Ctx, BTreeMap<Str, Access>>,
    tail_bytes: Option<usize>,
    clock: u64,
    aside: u64,
    evidence: u64,
    kept: Kept,
    journal: VecDeque<Record>,
    forwards: Forwards,
}

/// The tasks of one service, with the time of the store's clock at which they last changed.
#[derive(Default)]
struct Group {
    tasks: Vec<Arc<Task>>,
    revision: u64,
}

impl Store {
    /// Takes in what a poll says. Returns the feeds whose value or standing is different now.
    pub fn apply(&mut self, update: Update) -> Vec<Feed> {
        let Update { feed, at, outcome, .. } = update;
        self.watch_login(&feed, &outcome);
        match outcome {
            Outcome::Busy => {
                let slot = self.slots.entry(feed.clone()).or_default();
                // Only a first request is news: it turns "nothing yet" into "loading".
                let news = !slot.busy && slot.value.is_none() && slot.error.is_none();
                slot.busy = true;
                if news { vec![feed] } else { Vec::new() }
            }
            Outcome::Same => {
                let slot = self.slots.entry(feed.clone()).or_default();
                let news = slot.error.take().is_some() || slot.expected.take().is_some();
                slot.busy = false;
                slot.at = Some(at);
                if news { vec![feed] } else { Vec::new() }
            }
            Outcome::Failed(error) => {
                let slot = self.slots.entry(feed.clone()).or_default();
                slot.busy = false;
                let news = slot.error.as_ref() != Some(&error);
                slot.error = Some(error);
                if news { vec![feed] } else { Vec::new() }
            }
            Outcome::Part(value, expected) => {
                let merged = self.merge(&feed, value);
                self.put(feed, merged, at, Some(expected))
            }
            // The store forgets nothing, so what comes back is known already, unless the feed was never heard of.
            Outcome::Recalled(_) if self.value(&feed).is_some() => Vec::new(),
            Outcome::Whole(value) | Outcome::Recalled(value) => self.put(feed, value, at, None),
            Outcome::Lines(lines, state) => {
                let slot = self.slots.entry(feed.clone()).or_default();
                slot.busy = false;
                slot.at = Some(at);
                slot.error = None;
                self.tail_mut(&feed).push(lines, state);
                self.aside += 1;
                vec![feed]
            }
            Outcome::Learnt(learnt) => {
                self.learn(feed.ctx(), learnt, at);
                vec![feed]
            }
        }
    }

    /// Takes records of the journal in, oldest first.
    pub fn record(&mut self, records: Vec<Record>) {
        self.journal.extend(records);
        let more = self.journal.len().saturating_sub(journal::SHOWN);
        self.journal.drain(..more);
    }

    /// The journal, oldest first.
    #[must_use]
    pub fn journal(&self) -> &VecDeque<Record> {
        &self.journal
    }

    /// The port forwards of this run.
    #[must_use]
    pub fn forwards(&self) -> &Forwards {
        &self.forwards
    }

    /// The same, for whoever opens and hears of them.
    pub fn forwards_mut(&mut self) -> &mut Forwards {
        &mut self.forwards
    }

    fn learn(&mut self, ctx: Ctx, learnt: Vec<Learnt>, at: Time) {
        let known = self.access.entry(ctx).or_default();
        known.extend(learnt.into_iter().map(|learnt| (learnt.action, Access { at, denied: learnt.denied })));
    }

    /// What answers have told about the rights of a context's role, by IAM's action.
    pub fn access(&self, ctx: Ctx) -> impl Iterator<Item = (&Str, &Access)> {
        self.access.get(&ctx).into_iter().flatten()
    }

    /// Credentials belong to a context, not to a call: any answer shows that they work, any refusal of them that they do not.
    fn watch_login(&mut self, feed: &Feed, outcome: &Outcome) {
        let ctx = feed.ctx();
        match outcome {
            Outcome::Failed(error) if matches!(error.kind, ErrorKind::Expired | ErrorKind::NoCredentials) => {
                // What the next login may do is not known yet.
                if !self.locked_out.contains_key(&ctx) {
                    self.access.remove(&ctx);
                    self.locked_out.insert(ctx, error.clone());
                }
            }
            Outcome::Failed(_) | Outcome::Busy | Outcome::Recalled(_) | Outcome::Learnt(_) => {}
            // Who logged in again may be somebody else.
            _ => {
                if self.locked_out.remove(&ctx).is_some() && !matches!(feed, Feed::Identity(_)) {
                    self.slots.remove(&Feed::Identity(ctx));
                }
            }
        }
    }

    /// Why a context's credentials do not work, while they do not.
    #[must_use]
    pub fn locked_out(&self, ctx: Ctx) -> Option<&AwsError> {
        self.locked_out.get(&ctx).map(|error| &**error)
    }

    /// Bytes that one log tail may keep, for tails opened from now on.
    pub fn set_tail_bytes(&mut self, bytes: usize) {
        self.tail_bytes = Some(bytes);
    }

    fn put(&mut self, feed: Feed, value: Value, at: Time, expected: Option<usize>) -> Vec<Feed> {
        let mut changed = vec![feed.clone()];
        self.evidence += u64::from(matches!(feed, Feed::Targets(..) | Feed::ServiceDeployments(..)));
        self.aside += u64::from(matches!(feed, Feed::Instances(..) | Feed::TaskDefinition(..) | Feed::CodeDeployment(..)));
        if let (Feed::Service(ctx, _), Value::Services(rows)) = (&feed, &value) {
            for row in rows {
                changed.extend(self.patch_service(*ctx, row));
            }
        }
        if let (Feed::Tasks(ctx, cluster) | Feed::Stopped(ctx, cluster), Value::Tasks(tasks)) = (&feed, &value) {
            // Part of a list says nothing about what is not in it.
            if expected.is_none() {
                let old = match self.slots.get(&feed).and_then(|slot| slot.value.as_ref()) {
                    Some(Value::Tasks(old)) => old.as_slice(),
                    _ => &[],
                };
                self.kept.saw(old, tasks, at);
            }
            let key = (*ctx, cluster.clone());
            let old = self.tasks_by_service.remove(&key).unwrap_or_default();
            let groups = if matches!(feed, Feed::Tasks(..)) {
                self.zones.insert(key.clone(), zones(tasks));
                group_by_service(tasks, old, self.clock + 1)
            } else {
                // What stopped says nothing about what runs: that stays as it was last known.
                let known = self.tasks(*ctx, cluster).unwrap_or_default();
                group_by_service(&upsert(known, tasks.clone(), |task| &task.arn), old, self.clock + 1)
            };
            self.tasks_by_service.insert(key, groups);
        }
        self.clock += 1;
        let slot = self.slots.entry(feed).or_default();
        slot.revision = self.clock;
        *slot = Slot { value: Some(value), at: Some(at), error: None, busy: expected.is_some(), expected, revision: self.clock };
        changed
    }

    /// A service that was asked for alone is newer than its row in the cluster's list.
    fn patch_service(&mut self, ctx: Ctx, service: &Arc<Service>) -> Option<Feed> {
        let list = [service.cluster.clone(), Arn::from(service.cluster.name())]
            .into_iter()
            .map(|cluster| Feed::Services(ctx, cluster))
            .find(|feed| self.slots.contains_key(feed))?;
        self.clock += 1;
        let slot = self.slots.get_mut(&list)?;
        let Some(Value::Services(rows)) = &mut slot.value else { return None };
        let row = rows.iter_mut().find(|row| row.arn == service.arn)?;
        if **row == **service {
            return None;
        }
        *row = service.clone();
        slot.revision = self.clock;
        Some(list)
    }

    /// Rows of a list that is still loading: known ones are replaced, new ones added.
    fn merge(&self, feed: &Feed, value: Value) -> Value {
        let old = self.slots.get(feed).and_then(|slot| slot.value.as_ref());
        match (old, value) {
            (Some(Value::Services(old)), Value::Services(new)) => Value::Services(upsert(old, new, |row| &row.arn)),
            (Some(Value::Tasks(old)), Value::Tasks(new)) => Value::Tasks(upsert(old, new, |row| &row.arn)),
            (Some(Value::Clusters(old)), Value::Clusters(new)) => Value::Clusters(upsert(old, new, |row| &row.arn)),
            (Some(Value::Instances(old)), Value::Instances(new)) => Value::Instances(upsert(old, new, |row| &row.arn)),
            (_, value) => value,
        }
    }

    fn tail_mut(&mut self, feed: &Feed) -> &mut Buffer {
        self.tail_order.retain(|kept| kept != feed);
        self.tail_order.push(feed.clone());
        while self.tail_order.len() > TAILS_KEPT {
            self.tails.remove(&self.tail_order.remove(0));
        }
        let bytes = self.tail_bytes;
        self.tails.entry(feed.clone()).or_insert_with(|| bytes.map_or_else(Buffer::default, Buffer::new))
    }

    /// The whole slot of a feed.
    #[must_use]
    pub fn slot(&self, feed: &Feed) -> Option<&Slot> {
        self.slots.get(feed)
    }

    /// Why a feed's newest poll failed.
    #[must_use]
    pub fn error(&self, feed: &Feed) -> Option<&AwsError> {
        self.slots.get(feed)?.error.as_deref()
    }

    /// All slots of a context.
    pub fn slots_of(&self, ctx: Ctx) -> impl Iterator<Item = (&Feed, &Slot)> {
        self.slots.iter().filter(move |(feed, _)| feed.ctx() == ctx)
    }

    /// Changes whenever the feed's value does.
    #[must_use]
    pub fn revision(&self, feed: &Feed) -> u64 {
        self.slots.get(feed).map_or(0, |slot| slot.revision)
    }

    /// Changes whenever the targets of any group do, or the deployments of any service.
    #[must_use]
    pub fn evidence(&self) -> u64 {
        self.evidence
    }

    /// Changes whenever anything does that completes an explanation, of whatever service: lines, definitions, instances.
    #[must_use]
    pub fn aside(&self) -> u64 {
        self.aside
    }

    fn value(&self, feed: &Feed) -> Option<&Value> {
        self.slots.get(feed)?.value.as_ref()
    }

    /// Who the caller is in a context.
    #[must_use]
    pub fn identity(&self, ctx: Ctx) -> Option<&Arc<Identity>> {
        match self.value(&Feed::Identity(ctx))? {
            Value::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    /// Clusters of a context.
    #[must_use]
    pub fn clusters(&self, ctx: Ctx) -> Option<&[Arc<Cluster>]> {
        match self.value(&Feed::Clusters(ctx))? {
            Value::Clusters(rows) => Some(rows),
            _ => None,
        }
    }

    /// Services of a cluster.
    #[must_use]
    pub fn services(&self, ctx: Ctx, cluster: &Arn) -> Option<&[Arc<Service>]> {
        match self.value(&Feed::Services(ctx, cluster.clone()))? {
            Value::Services(rows) => Some(rows),
            _ => None,
        }
    }

    /// One service, wherever it was seen last.
    #[must_use]
    pub fn service(&self, ctx: Ctx, cluster: &Arn, service: &Arn) -> Option<&Arc<Service>> {
        let listed = self.services(ctx, cluster).and_then(|rows| rows.iter().find(|row| row.arn == *service));
        listed.or_else(|| match self.value(&Feed::Service(ctx, service.clone()))? {
            Value::Services(rows) => rows.first(),
            _ => None,
        })
    }

    /// Tasks of a cluster, running and stopped.
    #[must_use]
    pub fn tasks(&self, ctx: Ctx, cluster: &Arn) -> Option<&[Arc<Task>]> {
        match self.value(&Feed::Tasks(ctx, cluster.clone()))? {
            Value::Tasks(rows) => Some(rows),
            _ => None,
        }
    }

    /// Tasks of one service, running and stopped; empty while they are not known.
    #[must_use]
    pub fn tasks_of(&self, ctx: Ctx, cluster: &Arn, service: &str) -> &[Arc<Task>] {
        self.group(ctx, cluster, service).map_or(&[], |group| &group.tasks)
    }

    /// Availability zones in which tasks of a cluster run, sorted; empty while its tasks are not known.
    #[must_use]
    pub fn zones(&self, ctx: Ctx, cluster: &Arn) -> &[Str] {
        self.zones.get(&(ctx, cluster.clone())).map_or(&[], Vec::as_slice)
    }

    /// Of each service of a cluster a number that changes whenever any task of it does.
    pub fn tasks_revisions(&self, ctx: Ctx, cluster: &Arn) -> impl Fn(&str) -> u64 {
        let groups = self.tasks_by_service.get(&(ctx, cluster.clone()));
        move |service| groups.and_then(|groups| groups.get(service)).map_or(0, |group| group.revision)
    }

    fn group(&self, ctx: Ctx, cluster: &Arn, service: &str) -> Option<&Group> {
        self.tasks_by_service.get(&(ctx, cluster.clone()))?.get(service)
    }

    /// Keeps a message for the messages pane.
    pub fn say(&mut self, at: Time, notice: Notice) {
        if self.messages.len() == MESSAGES_KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back((at, notice));
    }

    /// What was said so far, oldest first.
    #[must_use]
    pub fn messages(&self) -> &VecDeque<(Time, Notice)> {
        &self.messages
    }

    /// One task, also one that AWS has forgotten.
    #[must_use]
    pub fn task(&self, ctx: Ctx, cluster: &Arn, task: &Arn) -> Option<&Arc<Task>> {
        let listed = self.tasks(ctx, cluster)?.iter().find(|row| row.arn == *task);
        listed.or_else(|| self.kept(cluster).find(|row| row.arn == *task))
    }

    /// Stopped tasks of a cluster that AWS has forgotten, oldest first.
    pub fn kept<'a>(&'a self, cluster: &Arn) -> impl Iterator<Item = &'a Arc<Task>> + use<'a> {
        self.kept.of(cluster)
    }

    /// Takes back what an earlier run of the program had seen.
    pub fn recall(&mut self, tasks: Vec<Task>, now: Time) {
        self.kept.recall(tasks, now);
    }

    /// Tasks that were seen to be stopped since the last call.
    pub fn take_stopped(&mut self) -> Vec<Arc<Task>> {
        self.kept.take_fresh()
    }

    /// A task definition.
    #[must_use]
    pub fn definition(&self, ctx: Ctx, arn: &Arn) -> Option<&Arc<TaskDefinition>> {
        match self.value(&Feed::TaskDefinition(ctx, arn.clone()))? {
            Value::TaskDefinition(definition) => Some(definition),
            _ => None,
        }
    }

    /// A revision with its tags in AWS's own JSON, nothing masked or cleaned.
    #[must_use]
    pub fn raw_definition(&self, ctx: Ctx, arn: &Arn) -> Option<&Arc<serde_json::Value>> {
        match self.value(&Feed::RawDefinition(ctx, arn.clone()))? {
            Value::RawDefinition(json) => Some(json),
            _ => None,
        }
    }

    /// The newest revisions of a family.
    #[must_use]
    pub fn revisions(&self, ctx: Ctx, family: &Str) -> Option<&Arc<Revisions>> {
        match self.value(&Feed::Revisions(ctx, family.clone()))? {
            Value::Revisions(revisions) => Some(revisions),
            _ => None,
        }
    }

    /// Where `CodeDeploy` deploys a service, and with what.
    #[must_use]
    pub fn app_spec(&self, ctx: Ctx, service: &Arn) -> Option<&Arc<AppSpec>> {
        match self.value(&Feed::AppSpec(ctx, service.clone()))? {
            Value::AppSpec(spec) => Some(spec),
            _ => None,
        }
    }

    /// The newest deployments of a `CodeDeploy` deployment group, newest first.
    #[must_use]
    pub fn releases(&self, ctx: Ctx, application: &Str, group: &Str) -> Option<&[Release]> {
        match self.value(&Feed::CodeDeployments(ctx, application.clone(), group.clone()))? {
            Value::CodeDeployments(releases) => Some(releases),
            _ => None,
        }
    }

    /// Service deployments, newest first.
    #[must_use]
    pub fn service_deployments(&self, ctx: Ctx, service: &Arn) -> Option<&[Arc<ServiceDeployment>]> {
        match self.value(&Feed::ServiceDeployments(ctx, service.clone()))? {
            Value::ServiceDeployments(rows) => Some(rows),
            _ => None,
        }
    }

    /// Container instances of a cluster.
    #[must_use]
    pub fn instances(&self, ctx: Ctx, cluster: &Arn) -> Option<&[Arc<ContainerInstance>]> {
        match self.value(&Feed::Instances(ctx, cluster.clone()))? {
            Value::Instances(rows) => Some(rows),
            _ => None,
        }
    }

    /// Settings of a target group.
    #[must_use]
    pub fn target_group(&self, ctx: Ctx, arn: &Arn) -> Option<&Arc<TargetGroup>> {
        match self.value(&Feed::TargetGroup(ctx, arn.clone()))? {
            Value::TargetGroup(group) => Some(group),
            _ => None,
        }
    }

    /// Health of a group's targets.
    #[must_use]
    pub fn targets(&self, ctx: Ctx, group: &Arn) -> Option<&[Target]> {
        match self.value(&Feed::Targets(ctx, group.clone()))? {
            Value::Targets(rows) => Some(rows),
            _ => None,
        }
    }

    /// What ECR knows of an image reference.
    #[must_use]
    pub fn image(&self, ctx: Ctx, uri: &Str) -> Option<&Arc<Image>> {
        match self.value(&Feed::Image(ctx, uri.clone()))? {
            Value::Image(image) => Some(image),
            _ => None,
        }
    }

    /// The platforms of an index.
    #[must_use]
    pub fn image_index(&self, ctx: Ctx, uri: &Str) -> Option<&Arc<ImageIndex>> {
        match self.value(&Feed::ImageIndex(ctx, uri.clone()))? {
            Value::ImageIndex(index) => Some(index),
            _ => None,
        }
    }

    /// The newest images of a repository, by `registry/repository`.
    #[must_use]
    pub fn repository_images(&self, ctx: Ctx, repository: &Str) -> Option<&Arc<RepositoryImages>> {
        match self.value(&Feed::RepositoryImages(ctx, repository.clone()))? {
            Value::RepositoryImages(images) => Some(images),
            _ => None,
        }
    }

    /// Whether parameters and secrets are there, in the order of the question.
    #[must_use]
    pub fn vault(&self, ctx: Ctx, from: &Arc<[Str]>) -> Option<&[Held]> {
        match self.value(&Feed::Vault(ctx, from.clone()))? {
            Value::Vault(held) => Some(held),
            _ => None,
        }
    }

    /// The protected ones of some tasks.
    #[must_use]
    pub fn protection(&self, ctx: Ctx, cluster: &Arn, tasks: &Arc<[Arn]>) -> Option<&[Protected]> {
        match self.value(&Feed::Protection(ctx, cluster.clone(), tasks.clone()))? {
            Value::Protection(protected) => Some(protected),
            _ => None,
        }
    }

    /// A service revision.
    #[must_use]
    pub fn service_revision(&self, ctx: Ctx, arn: &Arn) -> Option<&Arc<ServiceRevision>> {
        match self.value(&Feed::ServiceRevision(ctx, arn.clone()))? {
            Value::ServiceRevision(revision) => Some(revision),
            _ => None,
        }
    }

    /// What CodeDeploy does to a service under a deployment's id.
    #[must_use]
    pub fn code_deployment(&self, ctx: Ctx, service: &Arn, id: &Str) -> Option<&Arc<CodeDeployment>> {
        match self.value(&Feed::CodeDeployment(ctx, service.clone(), id.clone()))? {
            Value::CodeDeployment(deployment) => Some(deployment),
            _ => None,
        }
    }

    /// The rules of a load balancer.
    #[must_use]
    pub fn routes(&self, ctx: Ctx, load_balancer: &Arn) -> Option<&[Route]> {
        match self.value(&Feed::Routes(ctx, load_balancer.clone()))? {
            Value::Routes(routes) => Some(routes),
            _ => None,
        }
    }

    /// The scaling ranges of a context, by resource.
    #[must_use]
    pub fn scalable_targets(&self, ctx: Ctx) -> Option<&[ScalableTarget]> {
        match self.value(&Feed::ScalableTargets(ctx))? {
            Value::ScalableTargets(rows) => Some(rows),
            _ => None,
        }
    }

    /// The scaling policies of a context, by resource and name.
    #[must_use]
    pub fn scaling_policies(&self, ctx: Ctx) -> Option<&[ScalingPolicy]> {
        match self.value(&Feed::ScalingPolicies(ctx))? {
            Value::ScalingPolicies(rows) => Some(rows),
            _ => None,
        }
    }

    /// The scheduled scaling of a context, by resource and name.
    #[must_use]
    pub fn scheduled_actions(&self, ctx: Ctx) -> Option<&[ScheduledAction]> {
        match self.value(&Feed::ScheduledActions(ctx))? {
            Value::ScheduledActions(rows) => Some(rows),
            _ => None,
        }
    }

    /// The newest scaling activities of a resource, or of all, newest first.
    #[must_use]
    pub fn scaling_activities(&self, ctx: Ctx, resource: Option<&Str>) -> Option<&[ScalingActivity]> {
        match self.value(&Feed::ScalingActivities(ctx, resource.cloned()))? {
            Value::ScalingActivities(rows) => Some(rows),
            _ => None,
        }
    }

    /// The alarms of these names, or all, by name.
    #[must_use]
    pub fn alarms(&self, ctx: Ctx, names: &Arc<[Str]>) -> Option<&[Alarm]> {
        match self.value(&Feed::Alarms(ctx, names.clone()))? {
            Value::Alarms(rows) => Some(rows),
            _ => None,
        }
    }

    /// CPU and memory of a service.
    #[must_use]
    pub fn metrics(&self, ctx: Ctx, service: &Arn) -> Option<&Arc<ServiceMetrics>> {
        match self.value(&Feed::Metrics(ctx, service.clone()))? {
            Value::Metrics(metrics) => Some(metrics),
            _ => None,
        }
    }

    /// AWS's own reply as JSON.
    #[must_use]
    pub fn raw(&self, feed: &Feed) -> Option<&Arc<str>> {
        match self.value(feed)? {
            Value::Raw(json) => Some(json),
            _ => None,
        }
    }

    /// The lines of a tail.
    #[must_use]
    pub fn tail(&self, feed: &Feed) -> Option<&Buffer> {
        self.tails.get(feed)
    }
}

/// Groups tasks by service. A group whose tasks are the very same keeps its revision.
fn group_by_service(tasks: &[Arc<Task>], mut old: Groups, revision: u64) -> Groups {
    let mut groups = Groups::with_capacity_and_hasher(old.len(), RandomState::default());
    for task in tasks {
        if let Some(service) = task.service() {
            match groups.get_mut(service) {
                Some(group) => group.tasks.push(task.clone()),
                None => drop(groups.insert(service.into(), Group { tasks: vec![task.clone()], revision })),
            }
        }
    }
    for (service, group) in &mut groups {
        if let Some(before) = old.remove(service)
            && before.tasks.len() == group.tasks.len()
            && before.tasks.iter().zip(&group.tasks).all(|(a, b)| Arc::ptr_eq(a, b))
        {
            group.revision = before.revision;
        }
    }
    groups
}

fn zones(tasks: &[Arc<Task>]) -> Vec<Str> {
    let running = tasks.iter().filter(|task| !task.stopped());
    running.filter_map(|task| task.zone.as_ref()).collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn upsert<R>(old: &[Arc<R>], new: Vec<Arc<R>>, arn: fn(&R) -> &Arn) -> Vec<Arc<R>> {
    let mut rows = old.to_vec();
    let mut places: HashMap<Arn, usize> = rows.iter().enumerate().map(|(place, row)| (arn(row).clone(), place)).collect();
    for row in new {
        if let Some(place) = places.get(arn(&row)) {
            rows[*place] = row;
        } else {
            places.insert(arn(&row).clone(), rows.len());
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests;
