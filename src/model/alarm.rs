//! CloudWatch alarms, and the figures that are drawn beside services.

use super::{Str, Time};

/// A metric or composite alarm of `DescribeAlarms`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarm {
    /// Identity.
    pub arn: Str,
    /// Name.
    pub name: Str,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: Str,
    /// AWS's sentence about the state.
    pub reason: Option<Str>,
    /// When it came into the state.
    pub since: Option<Time>,
    /// What it compares, in a line: `CPUUtilization > 60 for 3 × 60s`; a composite alarm's rule.
    pub rule: Str,
    /// Dimensions of the metric, name and value.
    pub dimensions: Vec<(Str, Str)>,
    /// Whether its actions are switched on.
    pub actions_enabled: bool,
    /// Whether it is made of other alarms.
    pub composite: bool,
}

impl Alarm {
    /// The value of a dimension.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
    }
}

/// CPU and memory of a service over the last half hour: percent of what its tasks reserve, a point a minute, oldest first. Empty when
/// CloudWatch has no point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceMetrics {
    /// `CPUUtilization`, average.
    pub cpu: Vec<f64>,
    /// `MemoryUtilization`, average.
    pub memory: Vec<f64>,
}
