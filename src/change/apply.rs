//! Carries out what the operator confirmed: compare with a fresh reading, write the intent into the journal, send, write what came of it.
//!
//! Runs beside the loop, one task for each order, and is never aborted: what was begun is seen to its end.

mod found;

use super::compare::{moved, rest_on};
use super::gate::Standing;
use super::journal::{self, Phase, Record};
use super::trace::{Found, Trace};
use super::{Basis, Moved, Note, Plan, Step, Verb, Weight};
use crate::aws::{AwsError, Clients, ErrorKind, Sent};
use crate::config::Places;
use crate::feed::Feed;
use crate::model::{Arn, Ctx, Fleet, Service, Str, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What the operator confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Names it in what is told of it.
    pub id: u64,
    /// One plan, or several of one kind, each on its own target.
    pub plans: Vec<Plan>,
    /// Whether the operator has seen what moved and wants it all the same. It is compared again: what moved since is told again.
    pub compared: bool,
}

/// How an order stands. The last word is [`Progress::Moved`], [`Progress::Refused`], [`Progress::Rehearsed`] or [`Progress::Done`].
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// What the plans rest on is being read again.
    Checking,
    /// Something moved meanwhile: nothing was sent. The plans rest on what was read now, and can be confirmed again.
    Moved(Vec<Moved>, Vec<Plan>),
    /// A call is under way.
    Sending {
        /// Which plan, from zero.
        plan: usize,
        /// Which of its steps, from zero.
        step: usize,
    },
    /// A call was answered.
    Sent {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// AWS's request id.
        request_id: Option<Str>,
    },
    /// A call was refused. The plan ends there, unless its steps are for tasks or instances one by one; the next plan goes on.
    Failed {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// Why.
        error: Arc<AwsError>,
    },
    /// No answer came: the call may have been done all the same. The plan ends or goes on as when a call is refused.
    Unanswered {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// What reading told: whether it applies, or that it is not known.
        found: String,
        /// Whether it applies, where that is known.
        applies: Option<bool>,
    },
    /// Nothing was sent, and why.
    Refused(String),
    /// A dry run: nothing was to be sent, and the journal has what would have been.
    Rehearsed(String),
    /// Over.
    Done,
}

/// What is told while an order is carried out.
#[derive(Clone, Debug)]
pub enum Told {
    /// How it stands.
    Progress(Progress),
    /// A record is in the journal.
    Record(Box<Record>),
    /// A sentence for the operator.
    Said(String),
    /// A service as AWS's answer to a change shows it.
    Service(Ctx, Box<Service>),
    /// What is to be asked again now.
    Poke(Vec<Feed>),
}

/// Where orders are carried out, with all that they need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The doors to AWS.
    pub clients: Clients,
    /// Where the journal is; without a memory it is only told of.
    pub places: Places,
    /// Who is logged in at this machine.
    pub user: Str,
    /// The contexts, for their names.
    pub fleet: Fleet,
    /// The commands that equal a plan.
    pub cli: fn(&Plan) -> Vec<String>,
}

/// Time after which it is looked once more for what a call without an answer did.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// How a step ended.
enum End {
    Sent(Box<Sent>),
    Failed,
    /// The journal cannot be written: nothing more is sent.
    Unwritten,
}

impl Desk {
    /// Carries out an order and tells of it.
    pub async fn carry_out(&self, order: Order, tell: impl Fn(Told) + Send + Sync) {
        let last = self.work(order, &tell).await;
        tell(Told::Progress(last));
    }

    async fn work(&self, order: Order, tell: &(impl Fn(Told) + Send + Sync)) -> Progress {
        let rules = self.clients.gate().rules().0;
        for plan in &order.plans {
            let now = self.clients.api(plan.ctx).now();
            if let Standing::Locked { why } = rules.standing(plan.ctx, Some(&plan.cluster), now) {
                return Progress::Refused(format!("read-only: {} · nothing was sent", why.words()));
            }
            if let Some(Note { text, .. }) = plan.notes.iter().find(|note| note.weight == Weight::Blocker) {
                return Progress::Refused(format!("{text} · nothing was sent"));
            }
        }
        tell(Told::Progress(Progress::Checking));
        let fresh = match self.read_again(&order.plans, tell).await {
            Ok(fresh) => fresh,
            Err(error) => return Progress::Refused(format!("{} · nothing was sent", error.what)),
        };
        let found: Vec<Moved> = order.plans.iter().zip(&fresh).flat_map(|(plan, now)| moved(&plan.basis, now)).collect();
        if !found.is_empty() {
            // What shows the plans makes them anew from what was read now.
            let own = |plan: &Plan| plan.basis.iter().flat_map(|basis| basis.feeds(plan.ctx, &plan.cluster)).collect::<Vec<Feed>>();
            tell(Told::Poke(order.plans.iter().flat_map(|plan| own(plan).into_iter().chain(touched(plan))).collect()));
            let plans = order.plans.into_iter().zip(&fresh).map(|(plan, now)| rest_on(plan, now)).collect();
            return Progress::Moved(found, plans);
        }
        if rules.dry_run() {
            return self.only_write(&order, tell).await;
        }
        for n in 0..order.plans.len() {
            let on = self.carry_out_plan(&order, n, tell).await;
            tell(Told::Poke(touched(&order.plans[n])));
            if !on {
                break;
            }
        }
        Progress::Done
    }

    /// What every plan rests on, as it is now. Where reading is denied what was known stands.
    async fn read_again(&self, plans: &[Plan], tell: &(impl Fn(Told) + Send + Sync)) -> Result<Vec<Vec<Basis>>, AwsError> {
        // One reading for all plans of a context: a bulk of services is a few calls.
        let mut wanted: HashMap<Ctx, Vec<Basis>> = HashMap::new();
        for plan in plans {
            let of = wanted.entry(plan.ctx).or_default();
            for basis in &plan.basis {
                if !of.iter().any(|known| known.same(basis)) {
                    of.push(basis.clone());
                }
            }
        }
        let read = wanted.into_iter().map(async |(ctx, basis)| {
            let read = self.clients.api(ctx).read_again(&basis).await;
            (ctx, basis, read)
        });
        let mut now: HashMap<Ctx, Vec<Basis>> = HashMap::new();
        let mut denied: Vec<Str> = Vec::new();
        for (ctx, was, read) in futures_util::future::join_all(read).await {
            for service in read.services {
                tell(Told::Service(ctx, Box::new(service)));
            }
            for (was, read) in was.iter().zip(read.basis) {
                match read {
                    Ok(basis) => now.entry(ctx).or_default().push(basis),
                    Err(error) if error.kind == ErrorKind::Denied || was.can_be_missed() => {
                        if !denied.contains(&error.what) {
                            denied.push(error.what);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        for what in denied {
            tell(Told::Said(format!("{what} · not compared with what it is now")));
        }
        let of = |plan: &Plan| {
            let fresh = now.get(&plan.ctx).map_or(&[][..], Vec::as_slice);
            plan.basis.iter().filter_map(|basis| fresh.iter().find(|fresh| fresh.same(basis)).cloned()).collect()
        };
        Ok(plans.iter().map(of).collect())
    }

    async fn only_write(&self, order: &Order, tell: &(impl Fn(Told) + Send + Sync)) -> Progress {
        let mut calls = 0;
        for (n, plan) in order.plans.iter().enumerate() {
            for (m, step) in plan.steps.iter().enumerate() {
                let record = self.record(order, (n, m), step, Phase::DryRun);
                if let Err(why) = self.write(&record, tell).await {
                    return Progress::Refused(format!("{why} · nothing was sent"));
                }
                calls += 1;
            }
        }
        let calls = if calls == 1 { "the call is".to_owned() } else { format!("{calls} calls are") };
        Progress::Rehearsed(format!("dry run: {calls} in the journal, nothing was sent"))
    }

    /// Sends the steps of a plan. Returns whether the next plan may go on.
    async fn carry_out_plan(&self, order: &Order, n: usize, tell: &(impl Fn(Told) + Send + Sync)) -> bool {
        let plan = &order.plans[n];
        // Tasks and instances do not wait for each other.
        let alone = matches!(plan.verb, Verb::StopTasks | Verb::Drain | Verb::Activate | Verb::Protect | Verb::Unprotect);
        let mut registered: Option<Arn> = None;
        for m in 0..plan.steps.len() {
            match self.carry_out_step(order, (n, m), registered.as_ref(), tell).await {
                End::Sent(sent) => {
                    registered = sent.registered.or(registered);
                    if let Some(service) = sent.service {
                        tell(Told::Service(plan.ctx, service));
                    }
                }
                End::Failed if alone => {}
                End::Failed => break,
                End::Unwritten => return false,
            }
        }
        true
    }

    async fn carry_out_step(
        &self,
        order: &Order,
        (n, m): (usize, usize),
        registered: Option<&Arn>,
        tell: &(impl Fn(Told) + Send + Sync),
    ) -> End {
        let (plan, step) = (&order.plans[n], &order.plans[n].steps[m]);
        let api = self.clients.api(plan.ctx);
        let trace = Trace::of(&step.call, &plan.basis, registered, api.now());
        let intent = self.record(order, (n, m), step, Phase::Intent { trace: trace.clone() });
        if let Err(why) = self.write(&intent, tell).await {
            let what = format!("Cannot {}: {why}: nothing was sent", step.what).into();
            let hint = "Make room for the journal, or mend the rights of its directory".into();
            let error = AwsError { kind: ErrorKind::Locked, action: step.call.action().into(), what, hint, code: None, request_id: None };
            tell(Told::Progress(Progress::Failed { plan: n, step: m, error: Arc::new(error) }));
            return End::Unwritten;
        }
        tell(Told::Progress(Progress::Sending { plan: n, step: m }));
        let (phase, progress, end) = match api.send(&step.call, registered).await {
            Ok(sent) => {
                let phase = Phase::Done { request_id: sent.request_id.clone(), made: made(&sent) };
                (phase, Progress::Sent { plan: n, step: m, request_id: sent.request_id.clone() }, End::Sent(Box::new(sent)))
            }
            Err(error) if error.may_apply() => {
                let (found, applies) = self.find_out(plan.ctx, &trace).await;
                let phase = Phase::Unanswered { error: error.what.clone(), found: found.as_str().into(), known: applies.is_some() };
                (phase, Progress::Unanswered { plan: n, step: m, found, applies }, End::Failed)
            }
            Err(error) => {
                let phase = Phase::Failed { request_id: error.request_id.clone(), error: error.what.clone() };
                (phase, Progress::Failed { plan: n, step: m, error: Arc::new(error) }, End::Failed)
            }
        };
        if let Err(why) = self.write(&intent.outcome(api.now(), phase), tell).await {
            tell(Told::Said(format!("the outcome of \"{}\" is not in the journal: {why}", step.what)));
        }
        tell(Told::Progress(progress));
        end
    }

    /// Whether a call without an answer was done, in words, and as a fact where that is known.
    async fn find_out(&self, ctx: Ctx, trace: &Trace) -> (String, Option<bool>) {
        let api = self.clients.api(ctx);
        let mut found = api.look(trace).await;
        if matches!(found, Ok(Found::Absent(_))) {
            // The request may be on its way still.
            tokio::time::sleep(SECOND_LOOK).await;
            found = api.look(trace).await;
        }
        match found {
            Ok(Found::Applies(text)) => (format!("it applies: {text}"), Some(true)),
            Ok(Found::Absent(text)) => (format!("it does not apply so far: {text}"), Some(false)),
            Err(error) => (format!("whether it applies is not known: {}", error.what), None),
        }
    }

    fn record(&self, order: &Order, (n, m): (usize, usize), step: &Step, phase: Phase) -> Record {
        let plan = &order.plans[n];
        let now = self.clients.api(plan.ctx).now();
        let rules = self.clients.gate().rules().0;
        let identity = rules.identity(plan.ctx);
        let context = self.fleet.0.get(usize::from(plan.ctx.0));
        let lines = |read: fn(&super::Change) -> &str| plan.changes.iter().map(|c| format!("{} {}", c.what, read(c)).into()).collect();
        Record {
            id: format!("{}-{}-{}.{n}.{m}", Time::now().as_microsecond(), std::process::id(), order.id).into(),
            time: now,
            process: std::process::id(),
            user: self.user.clone(),
            caller: identity.map_or_else(Str::default, |identity| identity.arn.clone()),
            account: plan.account.clone(),
            region: plan.region.clone(),
            context: context.map_or_else(Str::default, |context| context.name.clone()),
            cluster: plan.cluster.clone(),
            verb: plan.verb.word().into(),
            action: step.call.action().into(),
            what: step.what.as_str().into(),
            targets: plan.targets.clone(),
            before: lines(|change| &change.before),
            after: lines(|change| &change.after),
            cli: (self.cli)(plan).into_iter().map(Str::from).collect(),
            compared: order.compared,
            undoes: plan.undoes.clone(),
            phase,
        }
    }

    /// Puts a record on the disk, and tells of it once it is there.
    async fn write(&self, record: &Record, tell: &(impl Fn(Told) + Send + Sync)) -> Result<(), String> {
        if self.places.remembers() {
            let (places, line) = (self.places.clone(), journal::line(record));
            let written = tokio::task::spawn_blocking(move || places.append_synced(journal::FILE, &line)).await;
            written.map_err(|error| format!("the journal cannot be written: {error}"))??;
        }
        tell(Told::Record(Box::new(record.clone())));
        Ok(())
    }
}

fn made(sent: &Sent) -> Option<Str> {
    sent.registered.as_ref().map(|arn| Str::clone(&arn.0)).or_else(|| sent.made.clone())
}

/// The feeds that a plan changes.
fn touched(plan: &Plan) -> Vec<Feed> {
    let (ctx, cluster) = (plan.ctx, &plan.cluster);
    let mut feeds = vec![
        Feed::Services(ctx, cluster.clone()),
        Feed::Tasks(ctx, cluster.clone()),
        Feed::Stopped(ctx, cluster.clone()),
        Feed::Instances(ctx, cluster.clone()),
        Feed::ScalableTargets(ctx),
    ];
    for service in plan.targets.iter().chain(&plan.watch) {
        feeds.push(Feed::Service(ctx, service.clone()));
        feeds.push(Feed::ServiceDeployments(ctx, service.clone()));
    }
    feeds
}
