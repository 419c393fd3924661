//! How long a poll rests. Pure.

use super::Care;
use crate::aws::ErrorKind;
use crate::feed::Feed;
use crate::retry::{back_off, jitter};
use std::time::Duration;

/// Whether anybody looks at the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// The terminal has the focus, or does not tell.
    #[default]
    Normal,
    /// The terminal lost the focus: what moves on screen is seen from the corner of an eye, if at all.
    Unfocused,
}

/// How fast everything goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tempo {
    pub(super) pace: Pace,
    pub(super) factor: f64,
}

impl Default for Tempo {
    fn default() -> Self {
        Tempo { pace: Pace::Normal, factor: 1.0 }
    }
}

/// Why a poll rests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    /// It was answered with so many rows.
    Answered { rows: usize },
    /// It had so many rows when it was dropped, and comes back with them.
    Recalled { rows: usize },
    /// It failed, for so many times in a row.
    Failed { kind: ErrorKind, failures: u32 },
}

/// Time between two looks at login files, environment and metadata services while the credentials do not work.
const LOGIN: Duration = Duration::from_secs(10);

/// Time after which a denied call is tried again: policies change seldom, and every try is an entry in somebody's audit log.
const DENIED: Duration = Duration::from_mins(5);

/// Time to rest; `None` when nothing will be different.
pub(super) fn interval(feed: &Feed, rest: Rest, care: Care, tempo: Tempo) -> Option<Duration> {
    let (kind, failures) = match rest {
        Rest::Answered { rows } | Rest::Recalled { rows } => {
            let stretch = match tempo.pace {
                Pace::Normal => 1.0,
                Pace::Unfocused => 6.0,
            };
            return seconds(feed, rows, care)
                .map(|seconds| Duration::from_secs_f64(f64::from(seconds) * stretch * tempo.factor.clamp(0.2, 100.0)));
        }
        Rest::Failed { kind, failures } => (kind, failures),
    };
    Some(match kind {
        ErrorKind::Denied => DENIED,
        ErrorKind::Expired | ErrorKind::NoCredentials => LOGIN,
        // The spread is the caller's.
        _ => back_off(failures, 0.5),
    })
}

/// What is left of a time to rest when the last question was asked `ago`, or that long ago was answered and comes back.
///
/// What the operator looks at is asked by the clock: from question to question, without a spread, so that news is never older than the
/// interval and one answer. The rest is spread by a fifth, and an answer or refusal that was long in coming earns its rest all the same.
pub(super) fn left(time: Duration, rest: Rest, care: Care, ago: Duration, chance: f64) -> Duration {
    match (rest, care) {
        // An answer that takes as long as the interval must not make the next question follow at once.
        (Rest::Answered { .. }, Care::Focus) => time.saturating_sub(ago).max(time / 2),
        (Rest::Recalled { .. }, _) => jitter(time, chance).saturating_sub(ago),
        _ => jitter(time, chance),
    }
}

/// Seconds that a feed that can wait rests at least.
const TRICKLE: u32 = 40;

/// Seconds from a question, or from its answer where nobody looks at it, to the next question. See [`left`].
fn seconds(feed: &Feed, rows: usize, care: Care) -> Option<u32> {
    let looked_at = |then: u32, otherwise: u32| if care == Care::Focus { then } else { otherwise };
    if feed.lasts() {
        return None;
    }
    let seconds = match feed {
        // What cannot change is asked once.
        Feed::Raw(..)
        | Feed::Look(..)
        | Feed::Logs(..)
        | Feed::Identity(_)
        | Feed::TaskDefinition(..)
        | Feed::RawDefinition(..)
        | Feed::ImageIndex(..)
        | Feed::ServiceRevision(..) => return None,
        Feed::Service(..) => looked_at(3, 10),
        Feed::Targets(..) => looked_at(4, 15),
        Feed::Services(..) if rows > 50 => 10,
        Feed::Tasks(..) if rows > 200 => 15,
        Feed::Services(..) | Feed::Tasks(..) | Feed::Stopped(..) => 5,
        Feed::ServiceDeployments(..) | Feed::CodeDeployment(..) => 10,
        Feed::Clusters(_) | Feed::Instances(..) => 15,
        // Weights move while a deployment shifts traffic, alarms by the minute.
        Feed::Routes(..) | Feed::Alarms(..) => looked_at(20, 60),
        Feed::ScalingActivities(..) | Feed::Protection(..) => 30,
        // A revision comes with a release, and an `AppSpec` with the next deployment.
        Feed::Revisions(..) | Feed::AppSpec(..) | Feed::CodeDeployments(..) => looked_at(30, 60),
        // There is one point a minute.
        Feed::TargetGroup(..) | Feed::Metrics(..) => 60,
        // A tag moves when somebody pushes, a range when somebody thinks again: nobody does so by the second.
        Feed::Image(..)
        | Feed::RepositoryImages(..)
        | Feed::Vault(..)
        | Feed::ScalableTargets(_)
        | Feed::ScalingPolicies(_)
        | Feed::ScheduledActions(_) => 120,
    };
    Some(match care {
        Care::Trickle => seconds.max(TRICKLE),
        Care::Gentle => seconds * 2,
        Care::Beside | Care::Focus => seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arn, Ctx};

    fn rest(feed: &Feed, rows: usize, care: Care) -> Option<u64> {
        interval(feed, Rest::Answered { rows }, care, Tempo::default()).map(|time| time.as_secs())
    }

    #[test]
    fn what_is_looked_at_is_asked_more_often_and_long_lists_less() {
        let arn = Arn::from("arn:aws:ecs:eu-west-1:1:service/payments/checkout");
        let (services, service) = (Feed::Services(Ctx(0), arn.clone()), Feed::Service(Ctx(0), arn.clone()));
        assert_eq!((rest(&services, 50, Care::Focus), rest(&services, 51, Care::Focus)), (Some(5), Some(10)));
        assert_eq!((rest(&service, 1, Care::Focus), rest(&service, 1, Care::Beside)), (Some(3), Some(10)));
        assert_eq!(rest(&Feed::Targets(Ctx(0), arn.clone()), 1, Care::Trickle), Some(40));
        assert_eq!([Care::Focus, Care::Beside].map(|care| rest(&Feed::Targets(Ctx(0), arn.clone()), 1, care)), [Some(4), Some(15)]);
        assert_eq!(rest(&Feed::TaskDefinition(Ctx(0), arn), 1, Care::Focus), None);
    }

    #[test]
    fn nobody_looking_and_the_users_factor_stretch_the_rest() {
        let feed = Feed::Clusters(Ctx(0));
        let slow =
            |pace, factor| interval(&feed, Rest::Answered { rows: 1 }, Care::Beside, Tempo { pace, factor }).map(|time| time.as_secs());
        assert_eq!((slow(Pace::Unfocused, 1.0), slow(Pace::Normal, 2.0)), (Some(90), Some(30)));
    }

    #[test]
    fn what_is_looked_at_is_asked_by_the_clock_and_the_rest_is_spread() {
        let (three, answered) = (Duration::from_secs(3), Rest::Answered { rows: 1 });
        for chance in [0.0, 0.5, 1.0] {
            let left = |took| left(three, answered, Care::Focus, Duration::from_millis(took), chance).as_millis() + u128::from(took);
            assert_eq!((left(20), left(400), left(1500)), (3000, 3000, 3000), "from question to question");
            assert_eq!(left(9000), 10_500, "AWS is slow: it is not asked without a rest");
        }
        let beside = |chance| left(three, answered, Care::Beside, Duration::from_millis(400), chance).as_millis();
        assert_eq!((beside(0.0), beside(1.0)), (2400, 3600));
        let recalled = |ago| left(three, Rest::Recalled { rows: 1 }, Care::Focus, Duration::from_secs(ago), 0.5).as_secs();
        assert_eq!((recalled(1), recalled(60)), (2, 0), "what has become old is asked at once");
        let failed = Rest::Failed { kind: ErrorKind::Timeout, failures: 1 };
        assert_eq!(left(three, failed, Care::Focus, Duration::from_secs(10), 0.5), three, "after a timeout it rests");
    }

    #[test]
    fn each_failure_has_its_own_rest_and_none_is_the_last() {
        let failed = |kind, failures| {
            interval(&Feed::Identity(Ctx(0)), Rest::Failed { kind, failures }, Care::Focus, Tempo::default()).map(|time| time.as_secs())
        };
        assert_eq!(failed(ErrorKind::Denied, 1), Some(300));
        assert_eq!(failed(ErrorKind::Expired, 9), Some(10));
        assert_eq!((failed(ErrorKind::Timeout, 1), failed(ErrorKind::Network, 1000)), (Some(1), Some(15)));
    }
}
