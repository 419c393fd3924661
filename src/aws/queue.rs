//! Where calls wait for their turn: one gate for each bucket, with a queue for what the operator looks at and one for the rest.

use crate::budget::{Bucket, Counter, Priority, Throttle};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One bucket with its two queues. Tokio's mutex is fair, so each queue is first come, first served.
#[derive(Debug)]
struct Gate {
    throttle: Throttle,
    state: Mutex<(Bucket, usize)>,
    focus: tokio::sync::Mutex<()>,
    sweep: tokio::sync::Mutex<()>,
}

/// The buckets of one context. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Budget {
    gates: Arc<[Gate]>,
    counter: Counter,
}

impl Budget {
    /// Full buckets that count into `counter`.
    #[must_use]
    pub fn new(counter: Counter) -> Self {
        let gate = |throttle| Gate {
            throttle,
            state: Mutex::new((Bucket::new(throttle), 0)),
            focus: tokio::sync::Mutex::new(()),
            sweep: tokio::sync::Mutex::new(()),
        };
        Budget { gates: Throttle::all().map(gate).collect(), counter }
    }

    /// Waits for the turn of one call. Dropping the future leaves the queue.
    pub async fn wait(&self, throttle: Throttle, priority: Priority) {
        let gate = self.gate(throttle);
        let _waiting = Waiting::new(self, gate, priority);
        let queue = match priority {
            Priority::Focus => &gate.focus,
            Priority::Sweep => &gate.sweep,
        };
        let _turn = queue.lock().await;
        loop {
            let now = self.counter.now();
            let wait = {
                let mut state = gate.state.lock().unwrap_or_else(PoisonError::into_inner);
                let (bucket, focused) = &mut *state;
                if priority == Priority::Sweep && *focused > 0 {
                    Err(Duration::from_secs_f64(1.0 / bucket.rates().0))
                } else {
                    bucket.take(now, priority)
                }
            };
            match wait {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        self.counter.called();
    }

    /// AWS throttled a call of this bucket.
    pub fn throttled(&self, throttle: Throttle) {
        let now = self.counter.now();
        self.gate(throttle).state.lock().unwrap_or_else(PoisonError::into_inner).0.throttled(now);
        self.counter.throttled();
    }

    /// Calls per second that the bucket allows now, and when nothing was throttled.
    #[must_use]
    pub fn rate(&self, throttle: Throttle) -> (f64, f64) {
        let now = self.counter.now();
        let mut state = self.gate(throttle).state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.advance(now);
        state.0.rates()
    }

    fn gate(&self, throttle: Throttle) -> &Gate {
        self.gates.iter().find(|gate| gate.throttle == throttle).expect("every throttle has its gate")
    }
}

/// Counts a call as waiting until it is dropped.
struct Waiting<'a> {
    budget: &'a Budget,
    gate: &'a Gate,
    priority: Priority,
}

impl<'a> Waiting<'a> {
    fn new(budget: &'a Budget, gate: &'a Gate, priority: Priority) -> Self {
        let waiting = Waiting { budget, gate, priority };
        waiting.count(1);
        waiting
    }

    fn count(&self, step: isize) {
        self.budget.counter.waiting(step);
        if self.priority == Priority::Focus {
            let mut state = self.gate.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.1 = state.1.saturating_add_signed(step);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_is_given_up_leaves_the_queue() {
        let budget = Budget::new(Counter::default());
        for _ in 0..5 {
            budget.wait(Throttle::LogEvents, Priority::Focus).await;
        }
        {
            let wait = budget.wait(Throttle::LogEvents, Priority::Focus);
            tokio::pin!(wait);
            let pending = std::future::poll_fn(|cx| std::task::Poll::Ready(wait.as_mut().poll(cx).is_pending())).await;
            assert!(pending);
            assert_eq!(budget.counter.meter().waiting, 1);
        }
        assert_eq!((budget.counter.meter().waiting, budget.counter.meter().calls), (0, 5));
        assert_eq!(budget.gate(Throttle::LogEvents).state.lock().unwrap().1, 0);
    }
}
