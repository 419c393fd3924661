//! A release on its way: one deployment of one service, whichever controller brings it, with old and new side by side, how far it is, and
//! how it ended.
//!
//! Pure: facts of AWS and the time come in, words and counts go out. Knows no feed's pace, no screen and no key. The end is told by the
//! deployment's own record and by nothing else: a service that is steady again after a rollback has not released anything.

mod aim;
mod end;
mod follow;
mod gather;
mod moments;
mod news;
mod pace;
mod side;
mod stage;
mod track;

pub use aim::Aim;
pub use end::End;
pub use follow::Followed;
pub use gather::Whole;
pub use moments::{Moment, What};
pub use news::{Kind, News};
pub use pace::{Pace, Past};
pub use side::{Line, Side, Step};
pub use stage::{Bake, Stage};
pub use track::{Landings, Observed, Track};

use crate::model::{Alarm, Arn, CodeDeployment, ContainerInstance, Release, Service, ServiceDeployment, ServiceRevision, Str, Task, Time};
use crate::verdict::{Group, Health, Verdict};
use std::sync::Arc;

/// What is known of a service when it is looked at.
pub struct Seen<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its tasks, running and stopped; nothing while they are not known.
    pub tasks: Option<&'a [Arc<Task>]>,
    /// Its target groups whose targets are known.
    pub groups: &'a [Group<'a>],
    /// Instances of its cluster, where they are known.
    pub instances: &'a [Arc<ContainerInstance>],
    /// ECS's records of its deployments, newest first; nothing while they are not known, or may not be read.
    pub records: Option<&'a [Arc<ServiceDeployment>]>,
    /// Service revisions that are known.
    pub revision: &'a dyn Fn(&Arn) -> Option<&'a ServiceRevision>,
    /// What `CodeDeploy` says of a deployment, by its id.
    pub code: &'a dyn Fn(&Str) -> Option<&'a CodeDeployment>,
    /// Deployments of a group of `CodeDeploy` that are known, newest first, by application and group.
    pub releases: &'a dyn Fn(&Str, &Str) -> &'a [Release],
    /// Alarms that are wired to deployments of the service, as far as they are known.
    pub alarms: &'a [Alarm],
    /// The judge's word on the service.
    pub verdict: &'a Verdict,
    /// The time.
    pub now: Time,
}

/// Where a release stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On its way.
    UnderWay,
    /// It failed, and the service goes back.
    GoingBack(String),
    /// Over.
    Over(End),
}

/// How many tasks may run while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Lower bound: percent and tasks.
    pub min: (u32, u32),
    /// Upper bound: percent and tasks.
    pub max: (u32, u32),
    /// Tasks that run.
    pub now: u32,
    /// Tasks that the service wants.
    pub desired: u32,
}

/// An alarm that can fail the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wired {
    /// Name.
    pub name: Str,
    /// CloudWatch's word, where it is known.
    pub state: Option<Str>,
    /// Whether ECS says that it went off in this deployment.
    pub triggered: bool,
}

/// A release as it stands at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Landing {
    /// Service's name.
    pub service: Str,
    /// Which deployment.
    pub followed: Followed,
    /// AWS's word for its status.
    pub status: Str,
    /// `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`, `CODE_DEPLOY` with its config, `EXTERNAL`.
    pub strategy: String,
    /// Where it stands.
    pub standing: Standing,
    /// What it brings.
    pub new: Side,
    /// What was there before.
    pub old: Side,
    /// Stage, hooks and bake, where traffic is shifted.
    pub stage: Stage,
    /// Failures and threshold as ECS counts them; never computed here.
    pub failures: Option<(u32, u32)>,
    /// The breaker's own word, where it is told.
    pub breaker: Option<Str>,
    /// Alarms that can fail it.
    pub alarms: Vec<Wired>,
    /// Bounds, for what ECS deploys itself.
    pub capacity: Option<Capacity>,
    /// Elapsed, past, estimate, standstill.
    pub pace: Pace,
    /// Events, stops, stages: newest first.
    pub moments: Vec<Moment>,
    /// One line: how it is and why.
    pub why: String,
    /// How bad that is.
    pub health: Health,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What to do next; empty where nothing needs a hand.
    pub next: String,
}

impl Landing {
    /// The release that is followed, as the facts tell it now; `observed` is what was seen of it before.
    #[must_use]
    pub fn of(seen: &Seen, followed: &Followed, observed: &Observed) -> Landing {
        let record = followed.record_in(seen);
        let code = followed.code.as_ref().and_then(|id| (seen.code)(id));
        let (new, old) = side::sides(seen, followed, record, code, observed);
        let stage = stage::of(seen, record, code, observed);
        let standing = end::standing(seen, followed, record, code);
        let status = end::status(seen, followed, record, code);
        let capacity = capacity(seen);
        let pace = pace::of(seen, followed, record, code, &standing, (&new, &old, &stage), observed);
        let moments = moments::of(seen, followed, record, code, observed);
        let breaker = record.and_then(|record| record.breaker.clone());
        let failures = record.and_then(|record| record.failures).filter(|(_, threshold)| *threshold > 0);
        let mut landing = Landing {
            service: seen.service.name.clone(),
            followed: followed.clone(),
            status,
            strategy: strategy(seen, code),
            standing,
            new,
            old,
            stage,
            failures,
            breaker,
            alarms: alarms(seen, record),
            capacity,
            pace,
            moments,
            why: String::new(),
            health: Health::Roll,
            evidence: Vec::new(),
            next: String::new(),
        };
        end::judge(&mut landing, seen);
        landing
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match &self.standing {
            Standing::Over(end) => Some(end),
            Standing::UnderWay | Standing::GoingBack(_) => None,
        }
    }

    /// What it brings, `checkout:412`.
    #[must_use]
    pub fn brings(&self) -> &str {
        self.new.revision.as_ref().map_or("the new revision", Arn::name)
    }

    /// What was there before, `checkout:411`; the same words where they are the same revision.
    #[must_use]
    pub fn replaces(&self) -> &str {
        self.old.revision.as_ref().map_or("the old revision", Arn::name)
    }

    /// The deployment's id as short as it can be found by in AWS's texts.
    #[must_use]
    pub fn id(&self) -> &str {
        let id = self.followed.record.as_ref().map(Arn::as_str).or(self.followed.code.as_deref()).or(self.followed.set.as_deref());
        id.and_then(|id| id.rsplit('/').next()).unwrap_or("?")
    }

    /// How far it is, in one line: `2/6 healthy · 1 starting · 3 failed · old 3 left · traffic 10%`.
    #[must_use]
    pub fn progress(&self) -> String {
        let mut parts = vec![self.new.counts()];
        if let Some((failures, threshold)) = self.failures.filter(|(failures, _)| *failures > 0) {
            parts.push(format!("{failures} of {threshold} failures"));
        }
        let left = self.old.left();
        if left > 0 {
            parts.push(format!("old {left} left"));
        }
        if let Some(weight) = self.new.weight {
            parts.push(format!("{weight}% of the traffic"));
        }
        parts.extend(self.stage.name.as_ref().map(ToString::to_string));
        parts.join(" · ")
    }

    /// For the title of a terminal and for the status line: `◌ checkout 2/6`.
    #[must_use]
    pub fn tag(&self) -> String {
        let word = match &self.standing {
            Standing::UnderWay => format!("{}/{}", self.new.healthy, self.new.wanted),
            Standing::GoingBack(_) => "going back".to_owned(),
            Standing::Over(end) => end.word().to_owned(),
        };
        format!("{} {} {word}", self.health.glyph(), self.service)
    }
}

fn capacity(seen: &Seen) -> Option<Capacity> {
    let service = seen.service;
    let (min, max) = service.min_percent.zip(service.max_percent).filter(|_| &*service.controller == "ECS")?;
    // ECS rounds the lower bound up and the upper one down.
    let of = |percent: u32| u64::from(service.desired) * u64::from(percent);
    let tasks = |tasks: u64| u32::try_from(tasks).unwrap_or(u32::MAX);
    Some(Capacity {
        min: (min, tasks(of(min).div_ceil(100))),
        max: (max, tasks(of(max) / 100)),
        now: service.running,
        desired: service.desired,
    })
}

fn strategy(seen: &Seen, code: Option<&CodeDeployment>) -> String {
    match (&*seen.service.controller, code) {
        ("CODE_DEPLOY", Some(code)) if !code.config.is_empty() => {
            format!("CODE_DEPLOY {}", code.config.trim_start_matches("CodeDeployDefault."))
        }
        ("ECS", _) => seen.service.strategy.as_deref().unwrap_or("ROLLING").to_owned(),
        (controller, _) => controller.to_owned(),
    }
}

fn alarms(seen: &Seen, record: Option<&ServiceDeployment>) -> Vec<Wired> {
    let (names, triggered) = record.map_or((&seen.service.alarms[..], &[][..]), |record| (&record.alarms.0[..], &record.alarms.1[..]));
    let wired = |name: &Str| Wired {
        name: name.clone(),
        state: seen.alarms.iter().find(|alarm| alarm.name == *name).map(|alarm| alarm.state.clone()),
        triggered: triggered.contains(name),
    };
    names.iter().map(wired).collect()
}

#[cfg(test)]
mod tests;
