//! How fast the program may ask AWS: one token bucket per AWS throttle bucket and context, at a quarter of the published rate.
//!
//! The other three quarters belong to the team's pipelines and consoles, which share the same throttle.
//! Pure but for the counter's clock: the arithmetic takes time as an argument, and the waiting is `aws`'s affair.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An AWS throttle bucket: operations that AWS counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Throttle {
    /// `ListClusters`, `DescribeClusters`.
    ClusterRead,
    /// `ListServices`, `DescribeServices`.
    ServiceRead,
    /// Tasks and container instances, listed and described.
    ClusterResourceRead,
    /// `DescribeTaskDefinition` and its kin.
    TaskDefinitionRead,
    /// `ListServiceDeployments`, `DescribeServiceDeployments`.
    ServiceDeployment,
    /// All of ELBv2's `Describe…` together.
    LoadBalancing,
    /// `FilterLogEvents`.
    LogEvents,
    /// `DescribeLogGroups`.
    LogGroups,
    /// `StartLiveTail`.
    LiveTail,
    /// ECR's reads.
    Images,
    /// `DescribeServiceRevisions`.
    ServiceRevision,
    /// Application Auto Scaling, read and changed.
    Scaling,
    /// CodeDeploy, read and changed.
    CodeDeploy,
    /// `GetMetricData`.
    Metrics,
    /// `DescribeAlarms`.
    Alarms,
    /// `GetCallerIdentity`.
    Identity,
    /// `UpdateService`, and the stopping and continuing of deployments, for which AWS publishes nothing.
    ServiceModify,
    /// `StopTask`, `RunTask`, `UpdateContainerInstancesState`.
    ClusterResourceModify,
    /// `RegisterTaskDefinition`.
    TaskDefinitionModify,
    /// Task protection, read and changed.
    TaskProtection,
    /// `ExecuteCommand`, and Session Manager's and KMS's calls around a session.
    Session,
    /// Parameter Store's `GetParameters`.
    Parameters,
    /// Secrets Manager's `DescribeSecret`.
    Secrets,
    /// IAM's reads and its policy simulator.
    Rights,
    /// EC2's `Describe…` calls.
    Network,
}

/// Burst and calls per second that AWS publishes: ECS's service-quota table and ELB's API throttling page. AWS publishes
/// none for CloudWatch Logs' live tail, ECR, STS, IAM, Application Auto Scaling, CodeDeploy and sessions, and regional ones for `FilterLogEvents`
/// and CloudWatch; those rows are cautious guesses.
const PUBLISHED: [(Throttle, f64, f64); 25] = [
    (Throttle::ClusterRead, 50.0, 20.0),
    (Throttle::ServiceRead, 100.0, 20.0),
    (Throttle::ClusterResourceRead, 100.0, 20.0),
    (Throttle::TaskDefinitionRead, 50.0, 20.0),
    (Throttle::ServiceDeployment, 50.0, 20.0),
    (Throttle::LoadBalancing, 40.0, 10.0),
    (Throttle::LogEvents, 20.0, 5.0),
    (Throttle::LogGroups, 20.0, 10.0),
    (Throttle::LiveTail, 16.0, 4.0),
    (Throttle::Images, 20.0, 10.0),
    (Throttle::ServiceRevision, 50.0, 20.0),
    (Throttle::Scaling, 24.0, 2.0),
    (Throttle::CodeDeploy, 24.0, 2.0),
    (Throttle::Metrics, 40.0, 20.0),
    (Throttle::Alarms, 36.0, 9.0),
    (Throttle::Identity, 20.0, 10.0),
    (Throttle::ServiceModify, 50.0, 5.0),
    (Throttle::ClusterResourceModify, 100.0, 40.0),
    (Throttle::TaskDefinitionModify, 20.0, 1.0),
    (Throttle::TaskProtection, 200.0, 80.0),
    (Throttle::Session, 40.0, 20.0),
    (Throttle::Parameters, 40.0, 40.0),
    (Throttle::Secrets, 40.0, 40.0),
    (Throttle::Rights, 40.0, 10.0),
    (Throttle::Network, 50.0, 20.0),
];

impl Throttle {
    /// All buckets.
    pub(crate) fn all() -> impl Iterator<Item = Throttle> {
        PUBLISHED.into_iter().map(|row| row.0)
    }
}

/// What the program takes of a published rate.
const SHARE: f64 = 0.25;

/// The slowest that throttles can make a bucket, as a part of its own rate.
const FLOOR: f64 = 1.0 / 16.0;

/// Time in which a bucket comes back from nothing to its full rate.
const RECOVERY: Duration = Duration::from_mins(2);

/// Whether somebody looks at what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// The operator looks at it.
    Focus,
    /// Part of a sweep: waits while a focused call waits, and leaves it a reserve.
    Sweep,
}

/// The token arithmetic of one bucket. Times are measured from any fixed instant.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    burst: f64,
    full_rate: f64,
    rate: f64,
    tokens: f64,
    at: Duration,
    throttled_at: Option<Duration>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(throttle: Throttle) -> Self {
        let (_, burst, rate) = PUBLISHED.into_iter().find(|row| row.0 == throttle).expect("every throttle has its row");
        let (burst, rate) = (burst * SHARE, rate * SHARE);
        Bucket { burst, full_rate: rate, rate, tokens: burst, at: Duration::ZERO, throttled_at: None }
    }

    /// Tokens that a sweep leaves alone, so that what the operator looks at need not wait behind it.
    fn reserve(&self, priority: Priority) -> f64 {
        match priority {
            Priority::Focus => 0.0,
            Priority::Sweep => (self.burst / 5.0).min(2.0),
        }
    }

    /// Brings tokens and rate up to now.
    pub(crate) fn advance(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.rate = (self.rate + passed * self.full_rate / RECOVERY.as_secs_f64()).min(self.full_rate);
    }

    /// Calls per second that it allows now, and when nothing was throttled.
    pub(crate) fn rates(&self) -> (f64, f64) {
        (self.rate, self.full_rate)
    }

    /// Takes a token, or tells how long to wait before asking again.
    pub(crate) fn take(&mut self, now: Duration, priority: Priority) -> Result<(), Duration> {
        self.advance(now);
        let need = 1.0 + self.reserve(priority);
        if self.tokens >= need {
            self.tokens -= 1.0;
            return Ok(());
        }
        // A microsecond more than the exact time, so that rounding cannot leave the token a hair short.
        Err(Duration::from_secs_f64((need - self.tokens) / self.rate) + Duration::from_micros(1))
    }

    /// AWS said that it is too much: half the rate, and nothing saved up. Calls in flight together count once.
    pub(crate) fn throttled(&mut self, now: Duration) {
        self.advance(now);
        self.tokens = 0.0;
        if self.throttled_at.is_none_or(|at| now.saturating_sub(at) >= Duration::from_secs(1)) {
            self.rate = (self.rate / 2.0).max(self.full_rate * FLOOR);
            self.throttled_at = Some(now);
        }
    }
}

/// What the header says about the program's appetite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Calls per second over the last five seconds, in the whole program.
    pub calls_per_second: f32,
    /// Throttles within the last minute.
    pub throttled_recently: u32,
    /// Calls that wait for their turn now.
    pub waiting: usize,
    /// Calls since the start.
    pub calls: u64,
}

/// Calls and throttles by second, for the last minute.
#[derive(Debug)]
struct Tally {
    /// Second and what happened in it; a slot is reused every minute.
    slots: [(u64, u32, u32); 60],
    calls: u64,
    waiting: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { slots: [(0, 0, 0); 60], calls: 0, waiting: 0 }
    }
}

impl Tally {
    fn slot(&mut self, now: Duration) -> &mut (u64, u32, u32) {
        let second = now.as_secs();
        let slot = &mut self.slots[usize::try_from(second % 60).expect("below sixty")];
        if slot.0 != second {
            *slot = (second, 0, 0);
        }
        slot
    }

    fn called(&mut self, now: Duration) {
        self.calls += 1;
        self.slot(now).1 += 1;
    }

    fn meter(&self, now: Duration) -> Meter {
        let second = now.as_secs();
        let within = |seconds: u64| self.slots.iter().filter(move |slot| slot.0 + seconds > second && slot.0 <= second);
        let calls: u32 = within(5).map(|slot| slot.1).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few hundred calls at most")]
        let calls_per_second = calls as f32 / 5.0;
        Meter { calls_per_second, throttled_recently: within(60).map(|slot| slot.2).sum(), waiting: self.waiting, calls: self.calls }
    }
}

/// Counts the calls of the whole program; shared by the budgets of all contexts.
#[derive(Clone, Debug)]
pub struct Counter {
    start: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl Default for Counter {
    fn default() -> Self {
        Counter { start: Instant::now(), tally: Arc::default() }
    }
}

impl Counter {
    /// The figures now.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.with(|tally, now| tally.meter(now))
    }

    /// Time since the counter was made: the time of all buckets.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// A call goes out.
    pub(crate) fn called(&self) {
        self.with(Tally::called);
    }

    /// AWS throttled a call.
    pub(crate) fn throttled(&self) {
        self.with(|tally, now| tally.slot(now).2 += 1);
    }

    /// So many more, or fewer, calls wait for their turn.
    pub(crate) fn waiting(&self, step: isize) {
        self.with(|tally, _| tally.waiting = tally.waiting.saturating_add_signed(step));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Tally, Duration) -> T) -> T {
        let now = self.now();
        work(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the figures are exact in binary")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn drain(bucket: &mut Bucket, now: Duration, priority: Priority) -> usize {
        (0..1000).take_while(|_| bucket.take(now, priority).is_ok()).count()
    }

    #[test]
    fn a_bucket_gives_a_quarter_of_the_published_burst_and_rate() {
        let mut bucket = Bucket::new(Throttle::ServiceRead);
        assert_eq!(drain(&mut bucket, Duration::ZERO, Priority::Focus), 25);
        assert_eq!(drain(&mut bucket, SECOND, Priority::Focus), 5);
        assert_eq!(drain(&mut bucket, 100 * SECOND, Priority::Focus), 25, "nothing is saved up beyond the burst");
    }

    #[test]
    fn the_wait_that_is_told_is_long_enough() {
        let mut bucket = Bucket::new(Throttle::LoadBalancing);
        drain(&mut bucket, Duration::ZERO, Priority::Focus);
        let wait = bucket.take(Duration::ZERO, Priority::Focus).unwrap_err();
        assert!(wait <= Duration::from_millis(401), "{wait:?}");
        assert_eq!(bucket.take(wait, Priority::Focus), Ok(()));
    }

    #[test]
    fn a_sweep_leaves_a_reserve_for_the_focus() {
        let mut bucket = Bucket::new(Throttle::LoadBalancing);
        assert_eq!(drain(&mut bucket, Duration::ZERO, Priority::Sweep), 8);
        assert_eq!(drain(&mut bucket, Duration::ZERO, Priority::Focus), 2);
    }

    #[test]
    fn a_throttle_halves_the_rate_once_a_second_and_it_recovers_slowly() {
        let mut bucket = Bucket::new(Throttle::ServiceRead);
        bucket.throttled(SECOND);
        bucket.throttled(SECOND);
        assert_eq!(bucket.rate, 2.5);
        assert!(bucket.take(SECOND, Priority::Focus).is_err(), "what was saved up is gone");
        bucket.advance(31 * SECOND);
        assert_eq!(bucket.rate, 3.75);
        bucket.advance(200 * SECOND);
        assert_eq!(bucket.rate, 5.0);
    }

    #[test]
    fn throttles_without_end_leave_a_trickle() {
        let mut bucket = Bucket::new(Throttle::ServiceRead);
        (0..100).for_each(|n| bucket.throttled(n * SECOND));
        assert!(bucket.rate >= 5.0 / 16.0);
    }

    #[test]
    fn the_meter_forgets() {
        let mut tally = Tally::default();
        (0..10).for_each(|_| tally.called(10 * SECOND));
        tally.slot(10 * SECOND).2 += 1;
        let soon = tally.meter(12 * SECOND);
        assert_eq!((soon.calls_per_second, soon.throttled_recently), (2.0, 1));
        let later = tally.meter(71 * SECOND);
        assert_eq!((later.calls_per_second, later.throttled_recently, later.calls), (0.0, 0, 10));
    }
}
