//! `dependsOn`: which containers wait for which, and for how long.

use crate::sim::scenario::schema::Condition;
use crate::sim::world::state::{Ms, TaskDefinition};

impl TaskDefinition {
    /// Whether a container starts only after another is healthy or has ended.
    pub(super) fn waits(&self, container: usize) -> bool {
        // A chain is no longer than the list; a circle would be refused by AWS.
        let mut next = vec![container];
        for _ in 0..self.containers.len() {
            let Some(at) = next.pop() else { return false };
            for (before, condition) in &self.containers[at].depends_on {
                if *condition != Condition::Start {
                    return true;
                }
                next.push(*before);
            }
        }
        false
    }

    /// Whether others wait until a container is healthy or has ended.
    pub(super) fn is_awaited(&self, container: usize) -> bool {
        self.containers.iter().flat_map(|c| &c.depends_on).any(|(at, condition)| *at == container && *condition != Condition::Start)
    }

    /// Whether others wait for a container's end.
    pub(super) fn ends_first(&self, container: usize) -> bool {
        let all = self.containers.iter().flat_map(|c| &c.depends_on);
        all.into_iter().any(|(at, condition)| *at == container && matches!(condition, Condition::Complete | Condition::Success))
    }

    /// How long the containers that wait do so, in ms: until the first health check, or until short work is done.
    pub(super) fn waiting_time(&self) -> Ms {
        let awaited = (0..self.containers.len()).filter(|&at| self.is_awaited(at));
        let one = |at: usize| match &self.containers[at].health_check {
            Some(check) if !self.ends_first(at) => Ms::from(check.interval.max(1)) * 1000,
            _ => 6_000,
        };
        awaited.map(one).max().unwrap_or(0)
    }
}
