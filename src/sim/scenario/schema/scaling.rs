//! `[[load]]`, `[[scaling]]` and `[[alarm]]` of a scenario file: what is asked of services, what adds and removes
//! their tasks, and who is told.

use serde::Deserialize;
use toml::Spanned;

use crate::sim::scenario::Span;

/// `[[load]]`: what the world outside asks of a service. A service without one has a quiet load of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Cluster of the service.
    pub cluster: Spanned<String>,
    /// Service.
    pub service: Spanned<String>,
    /// Average CPU in percent when `desired` tasks of the scenario run.
    #[serde(default = "default_cpu")]
    pub cpu: f64,
    /// Average memory in percent; more tasks do not lower it.
    #[serde(default = "default_memory")]
    pub memory: f64,
    /// Requests a minute to all targets together.
    #[serde(default = "default_requests")]
    pub requests: f64,
    /// Average answer in milliseconds while CPU is not short.
    #[serde(default = "default_latency")]
    pub latency: f64,
    /// Answers with 5xx in a thousand from targets that are well.
    #[serde(default)]
    pub errors: f64,
    /// How far CPU, requests and arrivals swing around their average, as a part of it.
    #[serde(default = "default_swing")]
    pub swing: f64,
    /// Period of the swing.
    #[serde(default = "default_period")]
    pub period: Span,
    /// Queue that the service works off.
    pub queue: Option<Queue>,
    /// Times of more, or less, load.
    #[serde(default)]
    pub peak: Vec<Peak>,
}

/// `queue = { … }` of a load: a queue of SQS in front of a worker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// `QueueName`.
    pub name: String,
    /// Messages that come in a minute.
    pub arriving: f64,
    /// Messages that one task works off in a minute.
    pub worked: f64,
    /// Messages that wait when the played past begins.
    #[serde(default)]
    pub waiting: f64,
}

/// `[[load.peak]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// First time after the scenario opens; with `every`, times before are counted back from it.
    pub first: Span,
    /// Period; default once.
    pub every: Option<Span>,
    /// How long.
    pub lasts: Span,
    /// CPU, requests and arrivals are so many times what they are otherwise.
    pub times: f64,
}

/// What a policy follows or an alarm watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// AWS/ECS `CPUUtilization`, average, percent.
    Cpu,
    /// AWS/ECS `MemoryUtilization`, average, percent.
    Memory,
    /// AWS/ApplicationELB `RequestCountPerTarget`, sum.
    Requests,
    /// AWS/ApplicationELB `TargetResponseTime`, average, seconds.
    Latency,
    /// AWS/ApplicationELB `TargetResponseTime`, p95, seconds.
    LatencyP95,
    /// AWS/ApplicationELB `HTTPCode_Target_5XX_Count`, sum.
    Errors,
    /// AWS/ApplicationELB `UnHealthyHostCount`, maximum.
    UnhealthyHosts,
    /// AWS/ApplicationELB `HealthyHostCount`, minimum.
    HealthyHosts,
    /// AWS/SQS `ApproximateNumberOfMessagesVisible`, average; needs a queue in the load.
    Queue,
}

/// `[[scaling]]`: a scalable target of Application Auto Scaling, with what moves it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Cluster of the service.
    pub cluster: Spanned<String>,
    /// Service.
    pub service: Spanned<String>,
    /// `MinCapacity`.
    pub min: u32,
    /// `MaxCapacity`.
    pub max: u32,
    /// Age of the registration.
    #[serde(default = "default_age")]
    pub age: Span,
    /// Any of `in`, `out` and `scheduled`.
    #[serde(default)]
    pub suspended: Vec<Suspension>,
    /// Policies.
    #[serde(default)]
    pub policy: Vec<Policy>,
    /// Scheduled actions.
    #[serde(default)]
    pub schedule: Vec<Schedule>,
}

/// What of scaling is suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suspension {
    /// `DynamicScalingInSuspended`.
    In,
    /// `DynamicScalingOutSuspended`.
    Out,
    /// `ScheduledScalingSuspended`.
    Scheduled,
}

/// `[[scaling.policy]]`: target tracking, or with `step` step scaling.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Name; default made of service and metric.
    pub name: Option<String>,
    /// What it follows.
    pub metric: Metric,
    /// Value that target tracking keeps, or threshold of the alarm of step scaling.
    pub target: f64,
    /// Pause after tasks were added.
    #[serde(default = "default_cooldown")]
    pub scale_out_cooldown: Span,
    /// Pause before tasks are removed.
    #[serde(default = "default_cooldown")]
    pub scale_in_cooldown: Span,
    /// Target tracking never removes tasks.
    #[serde(default)]
    pub disable_scale_in: bool,
    /// Steps above the threshold, ascending; they make it a step scaling policy.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// `step = [{ … }]` of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From so far above the threshold; until the next step.
    #[serde(default)]
    pub above: f64,
    /// Tasks to add.
    pub add: u32,
}

/// `[[scaling.schedule]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Name.
    pub name: String,
    /// `cron(…)`, `rate(…)` or `at(…)` in AWS's spelling; minutes, hours and weekdays of a cron are obeyed.
    pub at: String,
    /// IANA time zone; default UTC.
    pub timezone: Option<String>,
    /// New `MinCapacity`.
    pub min: Option<u32>,
    /// New `MaxCapacity`.
    pub max: Option<u32>,
}

/// `[[alarm]]`: a metric alarm over a service, or with `rule` a composite one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Name.
    pub name: String,
    /// Context whose account and region hold it.
    pub context: Spanned<String>,
    /// `AlarmDescription`.
    #[serde(default)]
    pub about: String,
    /// Cluster of the service.
    pub cluster: Option<Spanned<String>>,
    /// Service that it watches.
    pub service: Option<Spanned<String>>,
    /// What it watches.
    pub metric: Option<Metric>,
    /// Threshold.
    #[serde(default)]
    pub threshold: f64,
    /// In alarm below the threshold instead of above.
    #[serde(default)]
    pub below: bool,
    /// Minutes that are looked at.
    #[serde(default = "three")]
    pub periods: u32,
    /// Minutes of those that must breach; default all.
    pub datapoints: Option<u32>,
    /// `TreatMissingData`: `missing`, `notBreaching`, `breaching` or `ignore`.
    #[serde(default = "default_missing")]
    pub missing: String,
    /// Topics that are told, by name.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Whether anybody is told.
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    /// `ALARM("a") OR ALARM("b")`; makes it a composite alarm.
    pub rule: Option<String>,
}

fn default_cpu() -> f64 {
    35.0
}

fn default_memory() -> f64 {
    55.0
}

fn default_requests() -> f64 {
    900.0
}

fn default_latency() -> f64 {
    120.0
}

fn default_swing() -> f64 {
    0.2
}

fn default_period() -> Span {
    Span::minutes(24 * 60)
}

fn default_age() -> Span {
    Span::minutes(200 * 24 * 60)
}

fn default_cooldown() -> Span {
    Span::minutes(5)
}

fn default_missing() -> String {
    "missing".to_owned()
}

fn three() -> u32 {
    3
}

fn yes() -> bool {
    true
}
