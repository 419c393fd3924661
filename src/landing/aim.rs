//! What a change that begins no deployment is to end in: another count of tasks, or others in place of those that were stopped. It is
//! followed on the picture of the newest deployment, whose tasks they are.
//!
//! The end is told by the service's counts and its tasks alone; that its deployment was released long ago is no end of this.

use super::{End, Landing, Pace, Seen, Standing};
use crate::model::{Arn, Time};
use crate::verdict::Health;

/// Seconds after which a count that is another one than what was asked for is somebody else's: an answer that was on its way when the
/// change was made still tells the former one.
const OLD_ANSWERS_SECONDS: i64 = 15;

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// In words: `scale to 3`.
    pub what: String,
    /// Tasks wanted, where that was changed.
    pub desired: Option<u32>,
    /// Tasks that were stopped.
    pub gone: Vec<Arn>,
    /// Since when.
    pub since: Time,
}

impl Aim {
    /// Puts how far it is in the place of what the picture says of the deployment.
    pub(super) fn judge(&self, landing: &mut Landing, seen: &Seen) {
        let service = seen.service;
        let elapsed = (seen.now.as_second() - self.since.as_second()).max(0);
        let leaving = self.leaving(seen);
        let healthy = landing.new.healthy + landing.old.healthy;
        let other = self.desired.filter(|desired| *desired != service.desired && elapsed >= OLD_ANSWERS_SECONDS);
        let asked = self.desired.is_none_or(|desired| desired == service.desired);
        let steady = asked && leaving == 0 && service.running == service.desired && service.pending == 0 && healthy >= service.desired;
        landing.followed.began = Some(self.since);
        landing.status = self.what.as_str().into();
        landing.pace = Pace { elapsed: Some(elapsed), ..Pace::default() };
        landing.capacity = None;
        landing.failures = None;
        landing.breaker = None;
        landing.evidence.clear();
        landing.next.clear();
        let counts = self.counts(seen, leaving);
        (landing.standing, landing.health, landing.why) = if let Some(desired) = other {
            let why = format!("it wants {} tasks by now, not {desired}: somebody or its scaling has changed the count", service.desired);
            (Standing::Over(End::Superseded), Health::Warn, why)
        } else if steady {
            landing.pace.took = Some(elapsed);
            (Standing::Over(End::Steady), Health::Ok, format!("{}: {counts}, after {}", self.what, crate::duration::short(elapsed)))
        } else if seen.verdict.health.troubled() {
            landing.evidence = seen.verdict.evidence.iter().map(|evidence| evidence.text.clone()).collect();
            landing.next = seen.verdict.next_line();
            (Standing::UnderWay, seen.verdict.health, format!("{counts} · {}", seen.verdict.why))
        } else {
            (Standing::UnderWay, Health::Roll, counts)
        };
    }

    /// What came before is another story.
    pub(super) fn cut(&self, landing: &mut Landing) {
        landing.moments.retain(|moment| moment.at >= self.since);
    }

    /// Stopped tasks that are still there.
    fn leaving(&self, seen: &Seen) -> usize {
        let tasks = seen.tasks.unwrap_or_default();
        let there = |arn: &&Arn| tasks.iter().any(|task| task.arn == **arn && !task.stopped());
        self.gone.iter().filter(there).count()
    }

    /// `2 of 3 tasks run, 1 pending`.
    fn counts(&self, seen: &Seen, leaving: usize) -> String {
        let service = seen.service;
        let wanted = self.desired.unwrap_or(service.desired);
        let mut words = match (service.running, wanted) {
            (0, 0) => "no task runs".to_owned(),
            (running, wanted) if running > wanted => format!("{running} tasks run, {wanted} are wanted"),
            (running, wanted) => format!("{running} of {wanted} task{} run", if wanted == 1 { "" } else { "s" }),
        };
        if service.pending > 0 {
            words = format!("{words}, {} pending", service.pending);
        }
        if leaving > 0 {
            words = format!("{words}, {leaving} stopped {} leaving", if leaving == 1 { "one is" } else { "ones are" });
        }
        words
    }
}
