//! What planners know, as the program would come to know it: the feeds that a preview wants are asked through the real SDK, round by
//! round, until nothing new is wanted.
#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use midwatch::aws::{Clients, ContextSpec, Poll, connect};
use midwatch::budget::Priority;
use midwatch::change::gate::Rules;
use midwatch::change::plans::{self, Facts};
use midwatch::change::{Call, Plan, Verb, Weight};
use midwatch::config::Config;
use midwatch::feed::{Feed, Outcome, Update, Wanted};
use midwatch::model::{Arn, Context, Ctx, Fleet, Service, Str, Time};
use midwatch::sim::{Options, Received, Sim};
use midwatch::store::Store;
use std::collections::HashSet;
use std::time::Duration;
use tokio::runtime::Runtime;

pub struct World {
    pub sim: Sim,
    pub store: Store,
    pub fleet: Fleet,
    pub config: Config,
    pub cluster: Arn,
    clients: Clients,
    runtime: Runtime,
}

impl World {
    /// One context of a scenario at a standstill, and a cluster in it.
    pub fn open(scenario: &str, context: &str, cluster: &str) -> World {
        let sim = Sim::start(Options { scenario: scenario.to_owned(), speed: 0.0, ..Options::default() }).unwrap();
        World::at(sim, context, cluster)
    }

    pub fn at(sim: Sim, context: &str, cluster: &str) -> World {
        let info = sim.contexts().iter().find(|info| info.name == context).unwrap();
        let cluster = Arn(format!("arn:aws:ecs:{}:{}:cluster/{cluster}", info.region, info.account).into());
        let spec = ContextSpec {
            name: info.name.clone(),
            region: Some(info.region.clone()),
            endpoint_url: Some(sim.endpoint()),
            keys: Some((info.access_key.clone(), info.secret_key.clone())),
            clusters: info.clusters.clone(),
            ..ContextSpec::default()
        };
        let own = Context { name: info.name.as_str().into(), region: info.region.as_str().into(), profile: None, production: None };
        let fleet = Fleet(vec![own.clone()]);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clients = runtime.block_on(connect(vec![spec])).unwrap();
        // Whether it is production is the gate's to ask, and nothing that is planned here.
        let open = Fleet(vec![Context { production: Some(false), ..own }]);
        clients.gate().set(Rules::new(&Config::default(), &open, &[]));
        let mut world = World { sim, store: Store::default(), fleet, config: Config::default(), cluster, clients, runtime };
        world.ask(Feed::Services(Ctx(0), world.cluster.clone()));
        world
    }

    pub fn now(&self) -> Time {
        Time::from_millisecond(self.sim.now()).unwrap()
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts { store: &self.store, fleet: &self.fleet, config: &self.config, ctx: Ctx(0), cluster: &self.cluster, now: self.now() }
    }

    /// Asks AWS once and takes in what it says.
    pub fn ask(&mut self, feed: Feed) {
        let mut poll = Poll::new(self.clients.api(feed.ctx()).clone(), feed.clone());
        let outcome = self.runtime.block_on(poll.ask(Priority::Focus, &mut |_, _| {}));
        let outcome = outcome.unwrap_or_else(|error| Outcome::Failed(error.into()));
        let at = self.now();
        self.store.apply(Update { feed, epoch: 0, at, outcome });
    }

    /// Sends a call as the program does, and returns what AWS received.
    pub fn send(&mut self, call: &Call, registered: Option<&Arn>) -> Vec<Received> {
        drop(self.sim.take_requests());
        // What AWS says to it is not asked here.
        let _ = self.runtime.block_on(self.clients.api(Ctx(0)).send(call, registered));
        self.sim.take_requests()
    }

    /// Waits for somebody else's work.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Asks for whatever is wanted, and for what the answers make wanted.
    pub fn know(&mut self, wants: impl Fn(&Facts, &mut Vec<Wanted>)) {
        let mut asked: HashSet<Feed> = HashSet::new();
        loop {
            let mut wanted = Vec::new();
            wants(&self.facts(), &mut wanted);
            let now = self.now();
            // Time stands still, so what was answered at this moment would be answered the same again.
            let fresh = |feed: &Feed| self.store.slot(feed).is_some_and(|slot| slot.at == Some(now));
            let new: Vec<Feed> =
                wanted.iter().map(|wanted| wanted.feed().clone()).filter(|feed| !asked.contains(feed) && !fresh(feed)).collect();
            if new.is_empty() {
                return;
            }
            for feed in new {
                asked.insert(feed.clone());
                self.ask(feed);
            }
        }
    }

    /// What a preview of a change to a service wants.
    pub fn preview(&mut self, verb: Verb, targets: &[Arn]) {
        self.know(|facts, out| plans::wanted(verb, facts, targets, out));
    }

    /// The same of a roll back, with the revision that the operator looks at.
    pub fn preview_revision(&mut self, service: &Arn, revision: &Arn) {
        self.know(|facts, out| {
            plans::wanted(Verb::RollBack, facts, std::slice::from_ref(service), out);
            plans::wanted_of_revision(facts, service, revision, out);
        });
    }

    /// Lets AWS's time pass, and asks for the cluster's services and tasks again.
    pub fn step(&mut self, seconds: u64) {
        self.sim.step(Duration::from_secs(seconds));
        self.ask(Feed::Services(Ctx(0), self.cluster.clone()));
        self.ask(Feed::Tasks(Ctx(0), self.cluster.clone()));
    }

    pub fn drill(&mut self, name: &str, seconds: u64) {
        self.sim.start_drill(name).unwrap();
        self.step(seconds);
    }

    pub fn service(&self, name: &str) -> Service {
        let services = self
            .store
            .services(Ctx(0), &self.cluster)
            .unwrap_or_else(|| panic!("{:?}", self.store.error(&Feed::Services(Ctx(0), self.cluster.clone()))));
        Service::clone(services.iter().find(|service| &*service.name == name).unwrap_or_else(|| panic!("no service {name}")))
    }

    pub fn arn(&self, name: &str) -> Arn {
        Arn(format!("{}/{name}", self.cluster.as_str().replace(":cluster/", ":service/")).into())
    }

    pub fn revision(&self, short: &str) -> Arn {
        let head = self.cluster.as_str().split(":cluster/").next().unwrap();
        Arn(format!("{head}:task-definition/{short}").into())
    }
}

/// All notes of a weight.
pub fn notes(plan: &Plan, weight: Weight) -> Vec<&str> {
    plan.notes.iter().filter(|note| note.weight == weight).map(|note| note.text.as_str()).collect()
}

/// Fails unless one note of that weight says all of that.
#[track_caller]
pub fn says(plan: &Plan, weight: Weight, words: &[&str]) {
    let notes = notes(plan, weight);
    assert!(notes.iter().any(|note| words.iter().all(|word| note.contains(word))), "no {weight:?} says {words:?}:\n{:#?}", plan.notes);
}

#[track_caller]
pub fn unblocked(plan: &Plan) {
    assert!(!plan.blocked(), "{:#?}", notes(plan, Weight::Blocker));
}

pub fn text(text: &str) -> Str {
    text.into()
}
