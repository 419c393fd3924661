//! What is new of a release from one look to the next.

use super::{Landing, Standing, What};
use crate::model::Time;
use crate::verdict::Health;

/// What kind of news it is; the word is that of the JSON lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is followed from now on.
    Began,
    /// Counts of tasks, weights.
    Progress,
    /// A task of the release failed.
    Stop,
    /// The scheduler said something bad.
    Event,
    /// Another status, another stage.
    Stage,
    /// A hook waits for an answer.
    Hook,
    /// An alarm went off.
    Alarm,
    /// It does not get on.
    Stuck,
    /// It failed, and the service goes back.
    Back,
    /// It is over.
    End,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Began => "began",
            Kind::Progress => "progress",
            Kind::Stop => "stop",
            Kind::Event => "event",
            Kind::Stage => "stage",
            Kind::Hook => "hook",
            Kind::Alarm => "alarm",
            Kind::Stuck => "stuck",
            Kind::Back => "rollback",
            Kind::End => "end",
        }
    }
}

/// One thing that is different since the last look.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// When it happened, or was seen.
    pub at: Time,
    /// What kind.
    pub kind: Kind,
    /// How bad.
    pub health: Health,
    /// One line.
    pub text: String,
}

/// What is different between two looks, the end apart.
pub(super) fn differences(before: Option<&Landing>, after: &Landing, now: Time, news: &mut Vec<News>) {
    let mut tell = |at: Time, kind, health, text: String| news.push(News { at, kind, health, text });
    let Some(before) = before else {
        let began = after.followed.began.unwrap_or(now);
        let text = format!("{} {} → {} · {} · {}", after.service, after.replaces(), after.brings(), after.strategy, after.status);
        tell(began, Kind::Began, Health::Roll, text);
        if after.end().is_none() {
            tell(now, Kind::Progress, after.health, after.progress());
        }
        return;
    };
    // Oldest first, as they happened.
    for moment in after.moments.iter().rev().filter(|moment| moment.health.troubled() && !before.moments.contains(moment)) {
        let kind = match moment.what {
            What::Stop => Kind::Stop,
            What::Event => Kind::Event,
            What::Deployment | What::Task => continue,
        };
        tell(moment.at, kind, moment.health, moment.text.to_string());
    }
    let counts = |landing: &Landing| {
        let new = &landing.new;
        let weight = new.weight.map(f64::to_bits);
        (new.healthy, new.unhealthy, new.starting, new.failed, new.wanted, landing.old.left(), landing.failures, weight)
    };
    if before.status != after.status || before.stage.name != after.stage.name {
        let stage = after.stage.name.as_deref().map_or(String::new(), |stage| format!(" · {stage}"));
        let until = after.stage.bake.as_ref().map_or(String::new(), |bake| format!(" · {} min, then {}", bake.minutes, bake.then));
        tell(now, Kind::Stage, after.health, format!("{}{stage}{until}", after.status));
    }
    if counts(before) != counts(after) {
        tell(now, Kind::Progress, after.health, after.progress());
    }
    if let Some(hook) = after.stage.waits().filter(|hook| before.stage.waits().is_none_or(|other| other.id != hook.id)) {
        tell(now, Kind::Hook, Health::Warn, format!("a {} hook waits for an answer", hook.kind));
    }
    for alarm in after.alarms.iter().filter(|alarm| alarm.triggered && !before.alarms.contains(alarm)) {
        tell(now, Kind::Alarm, Health::Fail, format!("alarm {} went off", alarm.name));
    }
    if let (Some(still), None) = (after.pace.stuck(), before.pace.stuck()) {
        tell(now, Kind::Stuck, Health::Warn, format!("stuck: no progress for {}", crate::duration::short(still)));
    }
    if matches!(after.standing, Standing::GoingBack(_)) && !matches!(before.standing, Standing::GoingBack(_)) {
        tell(now, Kind::Back, Health::Fail, after.why.clone());
    }
}
