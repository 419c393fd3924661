//! What watches services and moves their desired counts: loads, samples, alarms, scalable targets.

use std::collections::{BTreeMap, VecDeque};

use super::Ms;

/// All of it, of one estate.
#[derive(Debug, Default)]
pub struct Watch {
    /// Of the noise in every metric.
    pub seed: u64,
    /// Declared loads by index of the service.
    pub loads: BTreeMap<usize, Load>,
    /// One for each minute, oldest first, by index of the service.
    pub services: Vec<VecDeque<ServiceSample>>,
    /// One for each minute, oldest first, by index of the target group.
    pub groups: Vec<VecDeque<GroupSample>>,
    /// Alarms; indices are stable.
    pub alarms: Vec<Alarm>,
    /// Scalable targets; indices are stable.
    pub scaling: Vec<ScalableTarget>,
    /// Scaling activities, oldest first.
    pub activities: Vec<Activity>,
}

/// What is asked of a service.
#[derive(Debug, Clone)]
pub struct Load {
    /// Average CPU in percent when `tasks` run.
    pub cpu: f64,
    /// Average memory in percent.
    pub memory: f64,
    /// Requests a minute to all targets together.
    pub requests: f64,
    /// Average answer in milliseconds.
    pub latency: f64,
    /// Answers with 5xx in a thousand.
    pub errors: f64,
    /// Swing as a part of the average, and its period.
    pub swing: (f64, Ms),
    /// Tasks at which `cpu` holds.
    pub tasks: f64,
    /// Queue in front.
    pub queue: Option<WorkQueue>,
    /// Times of more load.
    pub peaks: Vec<Peak>,
}

/// A queue in front of a worker.
#[derive(Debug, Clone)]
pub struct WorkQueue {
    /// `QueueName`.
    pub name: String,
    /// Messages that come in a minute.
    pub arriving: f64,
    /// Messages that one task works off in a minute.
    pub worked: f64,
    /// Messages that wait now.
    pub waiting: f64,
}

/// A time of more load.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// When it begins, once.
    pub at: Ms,
    /// And every so long, before and after.
    pub every: Option<Ms>,
    /// How long it lasts.
    pub lasts: Ms,
    /// The factor.
    pub times: f64,
}

/// A service at the end of a minute.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceSample {
    /// Begin of the minute.
    pub at: Ms,
    /// RUNNING tasks.
    pub running: u32,
    /// Tasks on their way there.
    pub pending: u32,
    /// Tasks that are wanted.
    pub desired: u32,
    /// RUNNING tasks that are about to be killed for their memory.
    pub swollen: u32,
    /// Messages that wait in its queue.
    pub waiting: f64,
}

/// A target group at the end of a minute.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupSample {
    /// Begin of the minute.
    pub at: Ms,
    /// Healthy targets.
    pub healthy: u32,
    /// Unhealthy targets.
    pub unhealthy: u32,
    /// Part of its listener's traffic, 0 to 1.
    pub share: f64,
}

/// A metric by name and dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricId {
    /// `AWS/ECS`.
    pub namespace: String,
    /// `CPUUtilization`.
    pub name: String,
    /// In the order of their names.
    pub dimensions: Vec<(String, String)>,
}

/// State of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// OK.
    Ok,
    /// ALARM.
    Alarm,
    /// `INSUFFICIENT_DATA`.
    Insufficient,
}

/// How an alarm compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `GreaterThanThreshold`.
    Greater,
    /// `LessThanThreshold`.
    Less,
}

/// What an alarm looks at.
#[derive(Debug, Clone)]
pub enum Watched {
    /// A metric.
    Metric {
        /// Which.
        id: MetricId,
        /// `Average`, or `p95`.
        stat: String,
        /// Against what.
        threshold: f64,
        /// How.
        comparison: Comparison,
        /// Minutes that are looked at.
        periods: u32,
        /// Minutes of those that must breach.
        datapoints: u32,
        /// `TreatMissingData`.
        missing: String,
    },
    /// Other alarms, by an `AlarmRule`.
    Rule(String),
}

/// A `CloudWatch` alarm.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// Name.
    pub name: String,
    /// `AlarmDescription`.
    pub about: String,
    /// What it looks at.
    pub watched: Watched,
    /// ARNs that are told.
    pub actions: Vec<String>,
    /// Whether they are.
    pub actions_enabled: bool,
    /// When it was made or changed.
    pub updated_at: Ms,
    /// State.
    pub state: AlarmState,
    /// Why.
    pub reason: String,
    /// Since when the state or its reason stands.
    pub state_at: Ms,
    /// Since when it is in this state.
    pub transitioned_at: Ms,
}

/// A scalable target of Application Auto Scaling.
#[derive(Debug, Clone)]
pub struct ScalableTarget {
    /// Index into [`super::Estate::services`].
    pub service: usize,
    /// `MinCapacity`.
    pub min: u32,
    /// `MaxCapacity`.
    pub max: u32,
    /// `DynamicScalingInSuspended`.
    pub no_in: bool,
    /// `DynamicScalingOutSuspended`.
    pub no_out: bool,
    /// `ScheduledScalingSuspended`.
    pub no_schedule: bool,
    /// When it was registered.
    pub created_at: Ms,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Scheduled actions.
    pub schedules: Vec<Schedule>,
    /// When tasks were last added, and removed.
    pub last_out: Ms,
    /// When tasks were last removed.
    pub last_in: Ms,
}

/// What a policy does.
#[derive(Debug, Clone)]
pub enum PolicyKind {
    /// `TargetTrackingScaling`.
    Tracking {
        /// `TargetValue`.
        target: f64,
        /// `PredefinedMetricType`; without one the metric is a customized one.
        predefined: Option<&'static str>,
        /// `ResourceLabel`.
        label: Option<String>,
        /// `DisableScaleIn`.
        disable_in: bool,
    },
    /// `StepScaling`: (from so far above the threshold, tasks to add).
    Step(Vec<(f64, u32)>),
}

/// A scaling policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name.
    pub name: String,
    /// UUID in its ARN.
    pub id: String,
    /// Target tracking or steps.
    pub kind: PolicyKind,
    /// What it follows.
    pub metric: MetricId,
    /// Statistic of that.
    pub stat: String,
    /// Indices into [`Watch::alarms`]: the one that adds, and for target tracking the one that removes.
    pub alarms: Vec<usize>,
    /// Pause after tasks were added.
    pub cooldown_out: Ms,
    /// Pause before tasks are removed.
    pub cooldown_in: Ms,
    /// When it was made.
    pub created_at: Ms,
}

/// A scheduled action.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Name.
    pub name: String,
    /// UUID in its ARN.
    pub id: String,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub at: String,
    /// IANA time zone.
    pub timezone: Option<String>,
    /// New `MinCapacity`.
    pub min: Option<u32>,
    /// New `MaxCapacity`.
    pub max: Option<u32>,
    /// When it was made.
    pub created_at: Ms,
}

/// How a scaling activity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityStatus {
    /// The service is on its way to the new count.
    InProgress,
    /// It got there.
    Successful,
    /// Somebody set another count before it did.
    Overridden,
    /// Nothing was done.
    NotScaled,
}

/// A scaling activity.
#[derive(Debug, Clone)]
pub struct Activity {
    /// UUID.
    pub id: String,
    /// Index into [`super::Estate::services`].
    pub service: usize,
    /// `Setting desired count to 5.`
    pub description: String,
    /// What set it off.
    pub cause: String,
    /// When it began.
    pub started_at: Ms,
    /// When it ended.
    pub ended_at: Option<Ms>,
    /// How it stands.
    pub status: ActivityStatus,
    /// In words.
    pub message: String,
    /// desiredCount that it set.
    pub desired: Option<u32>,
    /// Why nothing was done: code, `MaxCapacity`, `MinCapacity`, `CurrentCapacity`.
    pub not_scaled: Option<(&'static str, u32, u32, u32)>,
}
