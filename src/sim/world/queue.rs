//! What is due, ordered by virtual time. Ties run in the order in which they
//! were set, so that the same history always plays the same way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::state::{Ms, TaskId};

/// Something that happens at a certain time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A task enters its next status.
    Step(TaskId),
    /// A task's containers meet the fate that their revision holds for them.
    Fate(TaskId),
    /// A target's health checks have made up their mind: (task, target group, healthy).
    Checked(TaskId, usize, bool),
    /// A target is registered and its first checks run: (task, target group).
    Registered(TaskId, usize),
    /// A target has drained: (task, target group).
    Drained(TaskId, usize),
    /// The container health checks have made up their mind.
    Probed(TaskId, bool),
    /// `DescribeTasks` forgets a stopped task.
    Forget(TaskId),
    /// The service scheduler looks at a service.
    Pass(usize),
    /// A steady service says so again.
    StillSteady(usize),
    /// An actor of the scenario acts.
    Act(usize),
    /// A release of `CodeDeploy` looks whether it can go on.
    Release(usize),
    /// A minute is over: metrics, alarms, scaling.
    Minute,
}

/// A queue of what is due.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<(Ms, u64, Due)>>,
    order: u64,
}

impl Queue {
    /// Sets something for a time.
    pub fn set(&mut self, at: Ms, due: Due) {
        self.order += 1;
        self.heap.push(Reverse((at, self.order, due)));
    }

    /// The next thing that is due by `until`.
    pub fn pop(&mut self, until: Ms) -> Option<(Ms, Due)> {
        if self.heap.peek()?.0.0 > until {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Ms> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }
}
