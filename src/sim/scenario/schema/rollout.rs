//! How the deployments of a service go: `[service.rollout]` for blue/green, linear and canary, hooks, alarms and thresholds.

use serde::Deserialize;

use crate::sim::scenario::Span;

/// `[service.rollout]`: how ECS itself shifts the traffic. It needs a `[service.load_balancer]` with `pair = true`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// Strategy.
    #[serde(default)]
    pub strategy: Strategy,
    /// bakeTimeInMinutes: how long both revisions stay after all traffic has shifted.
    #[serde(default)]
    pub bake: Span,
    /// LINEAR stepPercent or CANARY canaryPercent; default 10 or 5.
    pub percent: Option<f64>,
    /// Pause between LINEAR steps, default 6 minutes, or after the canary, default 10.
    pub step_bake: Option<Span>,
    /// Lifecycle hooks, in their order.
    #[serde(default)]
    pub hook: Vec<Hook>,
    /// Names of the alarms that fail a deployment.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Whether the alarms also roll it back.
    #[serde(default = "yes")]
    pub alarm_rollback: bool,
    /// thresholdConfiguration of the circuit breaker; default 50 percent, bounded by 3 and 200.
    pub threshold: Option<Threshold>,
    /// resetOnHealthyTask of the circuit breaker, true by default.
    pub reset_on_healthy_task: Option<bool>,
    /// earlySuccessCriteria of a rolling deployment; default none.
    pub early: Option<Early>,
}

/// `early` of a rolling deployment.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Early {
    /// healthyPercent.
    pub percent: u32,
    /// sourceServiceRevisionCleanup DEFERRED instead of BLOCKING.
    #[serde(default)]
    pub deferred: bool,
}

/// Who moves how much traffic when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// Task by task.
    #[default]
    Rolling,
    /// All traffic at once, after the new tasks stand.
    BlueGreen,
    /// In equal steps.
    Linear,
    /// A little first, then the rest.
    Canary,
}

impl Strategy {
    /// AWS's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rolling => "ROLLING",
            Self::BlueGreen => "BLUE_GREEN",
            Self::Linear => "LINEAR",
            Self::Canary => "CANARY",
        }
    }
}

/// `[[service.rollout.hook]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Lifecycle stages, for instance `POST_TEST_TRAFFIC_SHIFT`.
    pub stages: Vec<String>,
    /// Lambda function; without one the hook is a PAUSE that waits for `ContinueServiceDeployment`.
    pub function: Option<String>,
    /// How long the function takes; default 20 seconds.
    pub takes: Option<Span>,
    /// The function says FAILED.
    #[serde(default)]
    pub fails: bool,
    /// timeoutInMinutes; default a day.
    pub timeout: Option<Span>,
    /// After the timeout the deployment goes on instead of rolling back.
    #[serde(default)]
    pub timeout_continues: bool,
}

/// `threshold` of the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// How `value` counts.
    pub kind: ThresholdKind,
    /// Failures, or percent of the desired count.
    pub value: u32,
}

/// How a threshold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ThresholdKind {
    /// So many failures.
    Count,
    /// Percent of the desired count, at least 3 and at most 200.
    BoundedPercent,
    /// Percent of the desired count.
    UnboundedPercent,
}

/// One entry of `capacity`: a capacity provider strategy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// `FARGATE`, `FARGATE_SPOT` or a capacity provider of the cluster.
    pub provider: String,
    /// The first so many tasks go there.
    #[serde(default)]
    pub base: u32,
    /// Share of the others.
    #[serde(default)]
    pub weight: u32,
}

fn yes() -> bool {
    true
}
