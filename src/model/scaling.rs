//! Application Auto Scaling: between which counts a service may move, what moves it, and what moved it last.

use super::{Str, Time};

/// The range that a service's desired count may take, as `DescribeScalableTargets` gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScalableTarget {
    /// `service/CLUSTER/SERVICE`.
    pub resource: Str,
    /// Fewest tasks.
    pub min: u32,
    /// Most tasks.
    pub max: u32,
    /// What is switched off.
    pub suspended: Suspended,
}

/// Which kinds of scaling are switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    /// By policies, downwards.
    pub scale_in: bool,
    /// By policies, upwards.
    pub scale_out: bool,
    /// By schedule.
    pub scheduled: bool,
}

impl Suspended {
    /// What is switched off in AWS's words; nothing when nothing is.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        match (self.scale_in, self.scale_out, self.scheduled) {
            (false, false, false) => None,
            (true, true, true) => Some("all scaling"),
            (true, true, false) => Some("scale-in and scale-out"),
            (true, false, false) => Some("scale-in"),
            (false, true, false) => Some("scale-out"),
            (false, false, true) => Some("scheduled scaling"),
            (true, false, true) => Some("scale-in and scheduled scaling"),
            (false, true, true) => Some("scale-out and scheduled scaling"),
        }
    }
}

/// A policy of `DescribeScalingPolicies`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScalingPolicy {
    /// Identity.
    pub arn: Str,
    /// Name.
    pub name: Str,
    /// `service/CLUSTER/SERVICE`.
    pub resource: Str,
    /// `TargetTrackingScaling`, `StepScaling` or `PredictiveScaling`.
    pub kind: Str,
    /// What it looks at: a predefined metric's name as AWS spells it, or a customized metric's.
    pub metric: Option<Str>,
    /// The value that target tracking keeps.
    pub target: Option<f64>,
    /// Whether it never takes tasks away.
    pub never_in: bool,
    /// Seconds after scaling out and in before it acts again.
    pub cooldowns: (Option<u32>, Option<u32>),
    /// What a step policy does, step by step: `+2`, `+4 from +20`, `-10%`, `to 3`.
    pub steps: Vec<Str>,
    /// Names of the alarms that set it off.
    pub alarms: Vec<Str>,
}

impl ScalingPolicy {
    /// What drives it, in so few cells as can be read: `CPU 60`, `p95 1`, `QueueDepth 500`, `step`.
    #[must_use]
    pub fn driver(&self) -> String {
        let metric = match self.metric.as_deref() {
            Some("ECSServiceAverageCPUUtilization") => "CPU",
            Some("ECSServiceAverageMemoryUtilization") => "MEM",
            Some("ALBRequestCountPerTarget") => "requests",
            Some(other) => other,
            None if &*self.kind == "StepScaling" && !self.steps.is_empty() => return format!("step {}", self.steps.join(", ")),
            None if &*self.kind == "StepScaling" => "step",
            None if &*self.kind == "PredictiveScaling" => "predictive",
            None => &self.name,
        };
        self.target.map_or_else(|| metric.to_owned(), |target| format!("{metric} {target}"))
    }
}

/// One entry of `DescribeScalingActivities`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScalingActivity {
    /// Identity.
    pub id: Str,
    /// `service/CLUSTER/SERVICE`.
    pub resource: Str,
    /// What was done: `Setting desired count to 6.`
    pub description: Str,
    /// Why: `monitor alarm … in state ALARM triggered policy …`.
    pub cause: Str,
    /// `Successful`, `InProgress`, `Failed`, `NotScaled`, …
    pub status: Str,
    /// AWS's sentence about the status.
    pub message: Option<Str>,
    /// Why nothing was done, for an activity that scaled nothing: code with the counts that it names.
    pub not_scaled: Vec<Str>,
    /// Start.
    pub started_at: Option<Time>,
    /// End.
    pub ended_at: Option<Time>,
}

/// A schedule of `DescribeScheduledActions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduledAction {
    /// Identity.
    pub arn: Str,
    /// Name.
    pub name: Str,
    /// `service/CLUSTER/SERVICE`.
    pub resource: Str,
    /// `cron(…)`, `rate(…)` or `at(…)`.
    pub schedule: Str,
    /// Time zone of the schedule; UTC when not told.
    pub zone: Option<Str>,
    /// Range that it sets.
    pub min: Option<u32>,
    /// Range that it sets.
    pub max: Option<u32>,
}

/// The resource id under which Application Auto Scaling knows a service.
#[must_use]
pub fn scaling_resource(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_what_drives_it_in_few_words() {
        let policy = |metric: Option<&str>, target| ScalingPolicy { metric: metric.map(Into::into), target, ..ScalingPolicy::default() };
        assert_eq!(policy(Some("ECSServiceAverageCPUUtilization"), Some(60.0)).driver(), "CPU 60");
        assert_eq!(policy(Some("ApproximateNumberOfMessagesVisible"), Some(500.0)).driver(), "ApproximateNumberOfMessagesVisible 500");
        let step = ScalingPolicy { kind: "StepScaling".into(), ..policy(None, None) };
        assert_eq!(step.driver(), "step");
        assert_eq!(ScalingPolicy { steps: vec!["+2".into(), "+4 from +20".into()], ..step }.driver(), "step +2, +4 from +20");
    }
}
