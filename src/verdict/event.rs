//! Reads the sentences of the ECS service scheduler.

use super::cause::{self, Cause};
use super::{Health, State, Verdict};
use crate::model::Arn;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// What a service event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Everything runs as wanted.
    Steady,
    /// Tasks start, stop, drain; targets come and go.
    Moving,
    /// A deployment ended well.
    Completed,
    /// A deployment failed or goes back.
    DeploymentFailed,
    /// A task or target failed a health check.
    Unhealthy,
    /// Tasks cannot be placed or started.
    Unplaceable,
    /// AWS slows the service down.
    Throttled,
    /// None of these.
    Other,
}

impl EventKind {
    /// How the event is painted.
    #[must_use]
    pub fn health(self) -> Health {
        match self {
            EventKind::Steady | EventKind::Completed => Health::Ok,
            EventKind::Moving => Health::Roll,
            EventKind::DeploymentFailed | EventKind::Unplaceable => Health::Fail,
            EventKind::Unhealthy | EventKind::Throttled => Health::Warn,
            EventKind::Other => Health::Idle,
        }
    }
}

/// Fragments of AWS's sentences, first match wins. Source: the service event messages of the ECS developer guide.
const FRAGMENTS: &[(&str, EventKind)] = &[
    ("has reached a steady state", EventKind::Steady),
    ("deployment completed", EventKind::Completed),
    ("deployment failed", EventKind::DeploymentFailed),
    ("rolling back to", EventKind::DeploymentFailed),
    ("unable to consistently start tasks", EventKind::Unplaceable),
    ("was unable to place a task", EventKind::Unplaceable),
    ("was unable to stop or start tasks", EventKind::Unplaceable),
    ("unable to assume", EventKind::Unplaceable),
    ("is unhealthy in", EventKind::Unhealthy),
    ("failed container health checks", EventKind::Unhealthy),
    ("operations are being throttled", EventKind::Throttled),
    ("has started", EventKind::Moving),
    ("has stopped", EventKind::Moving),
    ("has begun draining", EventKind::Moving),
    ("registered", EventKind::Moving),
];

/// All of them at once: a poll brings a hundred sentences a service.
static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(FRAGMENTS.iter().map(|(fragment, _)| fragment)).expect("a few short fragments are no size for an automaton")
});

/// What a sentence of the scheduler is about. Most are told by a fragment, which is cheap; the rest is asked of the rules of causes.
#[must_use]
pub fn event(message: &str) -> EventKind {
    // The newest word on nearly every service, each time that it is judged.
    if message.ends_with(" has reached a steady state.") {
        return EventKind::Steady;
    }
    let found = AUTOMATON.find_overlapping_iter(message).map(|found| found.pattern().as_usize()).min();
    found.map_or_else(|| of_cause(cause::of_event(message)), |first| FRAGMENTS[first].1)
}

/// How an event sounds that stands alone, without the service that it is about.
#[must_use]
pub fn lone_event(message: &str) -> Verdict {
    let explained = cause::event(message);
    let kind = match of_cause(explained.cause) {
        EventKind::Other => event(message),
        kind => kind,
    };
    let mut verdict = Verdict::new(kind.health(), explained.says.clone());
    if kind == EventKind::Other {
        verdict.health = Health::Unknown;
        verdict.state = State::Unknown;
    } else if kind == EventKind::Unplaceable {
        verdict.state = State::Stuck;
    }
    verdict.explain(&explained);
    verdict
}

/// The message without the service's name, which stands beside it; target groups by name, tasks and instances by the beginning of their ids.
#[must_use]
pub fn brief(message: &str) -> String {
    let own = message.strip_prefix("(service ").and_then(|rest| rest.split_once(") ")).map_or(message, |(_, rest)| rest);
    // AWS ends its complaints with where its manual is.
    let own = own.split_once(" For more information").map_or(own, |(own, _)| own);
    let word = |word: &str| {
        let bare = word.trim_matches(['(', ')', '.', ',', ';']);
        let short = if bare.starts_with("arn:") && bare.contains(":targetgroup/") {
            Arn::from(bare).target_group_name().to_owned()
        } else if bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            bare.get(..8).unwrap_or(bare).to_owned()
        } else {
            return word.to_owned();
        };
        word.replacen(bare, &short, 1)
    };
    own.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn of_cause(cause: Cause) -> EventKind {
    match cause {
        Cause::SteadyState => EventKind::Steady,
        Cause::DeploymentCompleted => EventKind::Completed,
        Cause::CircuitBreaker | Cause::RollingBack => EventKind::DeploymentFailed,
        Cause::ElbHealthCheck | Cause::ContainerHealthCheck => EventKind::Unhealthy,
        Cause::Throttled => EventKind::Throttled,
        Cause::Other => EventKind::Other,
        Cause::ScaleInProtected | Cause::SpotInterruption | Cause::InstanceDraining => EventKind::Moving,
        cause if cause.normal() => EventKind::Moving,
        _ => EventKind::Unplaceable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheduler_s_sentences_are_told_apart() {
        for (message, kind) in [
            ("(service checkout) has reached a steady state.", EventKind::Steady),
            ("(service checkout) (deployment ecs-svc/1) deployment completed.", EventKind::Completed),
            ("(service checkout) (deployment ecs-svc/1) deployment failed: tasks failed to start.", EventKind::DeploymentFailed),
            ("(service checkout) rolling back to deployment ecs-svc/1.", EventKind::DeploymentFailed),
            ("(service a) (port 80) is unhealthy in (target-group x) due to (reason Request timed out)", EventKind::Unhealthy),
            ("(service a) has started 2 tasks: (task 1) (task 2).", EventKind::Moving),
            ("(service a) deregistered 1 targets in (target-group x)", EventKind::Moving),
            ("(service a) was unable to place a task because no container instance met all of its requirements.", EventKind::Unplaceable),
            ("something AWS will say tomorrow", EventKind::Other),
        ] {
            assert_eq!(event(message), kind, "{message}");
        }
    }
}
