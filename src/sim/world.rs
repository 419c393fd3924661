//! The world of the embedded AWS: a deterministic clockwork of clusters,
//! services, tasks and targets on virtual time. It knows no wire format, no
//! thread and no real clock; `advance_to` is the only way in which time passes.

mod actors;
mod alarms;
pub mod app_spec;
mod arn;
mod build;
mod clockwork;
pub mod code_deploy;
mod fates;
mod fleet;
mod images;
mod instances;
mod lifecycle;
mod metrics;
mod past;
mod placement;
mod protection;
pub mod queue;
mod register;
mod rollout;
mod scaling;
mod scheduler;
mod secrets;
mod shifting;
pub mod state;
mod stopping;
mod targets;
mod task_sets;
#[cfg(test)]
mod tests;
mod timetable;

pub use build::PLATFORM;
pub use lifecycle::NewTask;
pub use metrics::MINUTE;
pub use register::{Flavour, Trait, tags};
pub use state::*;

use super::rng::{Rng, hash};
use super::scenario::schema::Drill;
use super::scenario::{Error, Scenario, nearest};
use queue::Queue;

/// How long `DescribeTasks` knows a stopped task.
const STOPPED_KEPT: Ms = 3_600_000;
/// `service.events` holds at most so many.
const EVENTS_KEPT: usize = 100;
/// A steady service says so every six hours.
const STEADY_AGAIN: Ms = 6 * 3_600_000;

/// The whole world: the contexts and one estate for each account and region.
#[derive(Debug)]
pub struct World {
    /// Seed that all chance comes from.
    pub seed: u64,
    /// When the scenario opened (after its past was played).
    pub opened: Ms,
    /// Profiles.
    pub contexts: Vec<Context>,
    /// One for each account and region.
    pub estates: Vec<Estate>,
    /// Troubles that wait for somebody to start them.
    pub drills: Vec<Drill>,
    now: Ms,
}

impl World {
    /// Builds a scenario and plays its past, so that it stands as it should at `now`.
    ///
    /// # Errors
    /// One line when the scenario asks for what AWS would not accept.
    pub fn open(scenario: &Scenario, seed: u64, now: Ms) -> Result<Self, Error> {
        let begin = now - scenario.past.0;
        let mut world = Self {
            seed,
            opened: now,
            contexts: scenario.context.iter().map(|c| build::context(c, now)).collect(),
            estates: Vec::new(),
            drills: scenario.drill.clone(),
            now: begin,
        };
        build::build(&mut world, scenario)?;
        world.advance_to(now);
        Ok(world)
    }

    /// Plays all estates up to `now`; never back.
    pub fn advance_to(&mut self, now: Ms) {
        self.now = self.now.max(now);
        for estate in &mut self.estates {
            estate.advance_to(self.now);
        }
    }

    /// Starts a drill by its name, without regard to case.
    ///
    /// # Errors
    /// One line if there is no such drill.
    pub fn start_drill(&mut self, name: &str) -> Result<(), String> {
        let Some(drill) = self.drills.iter().find(|d| d.name.eq_ignore_ascii_case(name)).cloned() else {
            let known: Vec<&str> = self.drills.iter().map(|d| d.name.as_str()).collect();
            return Err(match nearest(name, known.iter().copied()) {
                Some(near) => format!("no drill `{name}`; did you mean `{near}`?"),
                None if known.is_empty() => format!("no drill `{name}`; this scenario has none"),
                None => format!("no drill `{name}`; there are {}", known.join(", ")),
            });
        };
        for step in &drill.step {
            let holds = |e: &&mut Estate| e.clusters.iter().any(|c| c.name == *step.cluster.get_ref());
            if let Some(estate) = self.estates.iter_mut().find(holds) {
                estate.enlist(step, self.now + step.first.unwrap_or_default().0);
            }
        }
        self.advance_to(self.now);
        Ok(())
    }

    /// Virtual time up to which the world has been played.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.now
    }

    /// When the next thing happens by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Ms> {
        self.estates.iter().filter_map(|e| e.queue.next_at()).min()
    }

    /// What an account holds in a region, if anything.
    #[must_use]
    pub fn estate(&self, account: &str, region: &str) -> Option<&Estate> {
        self.estates.iter().find(|e| e.account == account && e.region == region)
    }

    /// What an account holds in a region; nothing, the first time a region is named.
    pub fn estate_mut(&mut self, account: &str, region: &str) -> &mut Estate {
        let known = self.estates.iter().position(|e| e.account == account && e.region == region);
        let index = known.unwrap_or_else(|| {
            self.estates.push(Estate::new(account, region, self.seed, self.now));
            self.estates.len() - 1
        });
        &mut self.estates[index]
    }
}

impl Estate {
    /// An estate that holds nothing.
    #[must_use]
    pub fn new(account: &str, region: &str, seed: u64, now: Ms) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            now,
            clusters: Vec::new(),
            services: Vec::new(),
            tasks: std::collections::BTreeMap::new(),
            instances: Vec::new(),
            capacity_providers: Vec::new(),
            families: std::collections::BTreeMap::new(),
            load_balancers: Vec::new(),
            target_groups: Vec::new(),
            log_groups: std::collections::BTreeMap::new(),
            repositories: std::collections::BTreeMap::new(),
            queue: Queue::default(),
            rng: Rng::new(seed, &format!("{account}/{region}/{}", hash(region))),
            actors: Vec::new(),
            addresses: 0,
            code_deploy: CodeDeploy::default(),
            watch: Watch { seed, ..Watch::default() },
            in_use: std::collections::BTreeSet::new(),
            absent: std::collections::BTreeSet::new(),
            denied: std::collections::BTreeSet::new(),
            failing: std::collections::BTreeSet::new(),
            tokens: std::collections::BTreeMap::new(),
        }
    }
}
