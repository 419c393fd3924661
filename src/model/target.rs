//! Target groups and the health of what is registered in them.

use super::{Arn, Str};

/// A target group's settings that explain its health checks.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroup {
    /// Identity.
    pub arn: Arn,
    /// Name.
    pub name: Str,
    /// `ip`, `instance`, `lambda` or `alb`.
    pub target_type: Str,
    /// `HTTP`, `HTTPS`, `TCP`, …
    pub protocol: Option<Str>,
    /// Default port.
    pub port: Option<u16>,
    /// Path of the health check, for HTTP.
    pub check_path: Option<Str>,
    /// Port of the health check, `traffic-port` or a number.
    pub check_port: Option<Str>,
    /// Accepted codes, as in `200-399`.
    pub matcher: Option<Str>,
    /// Seconds between two checks.
    pub interval_seconds: u32,
    /// Seconds until a check counts as failed.
    pub timeout_seconds: u32,
    /// Checks in a row until healthy.
    pub healthy_threshold: u32,
    /// Checks in a row until unhealthy.
    pub unhealthy_threshold: u32,
    /// Load balancers that use the group; none means that nothing is checked.
    pub load_balancers: Vec<Arn>,
}

/// One registered target with its health.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// IP address or EC2 instance id.
    pub id: Str,
    /// Port.
    pub port: u16,
    /// Availability zone, when told.
    pub zone: Option<Str>,
    /// Health.
    pub state: TargetState,
    /// AWS's word for the reason, as in `Target.Timeout`.
    pub reason: Option<Str>,
    /// AWS's sentence about it.
    pub description: Option<Str>,
}

/// Health of a target in AWS's words; a word of tomorrow is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Not enough checks yet.
    Initial,
    /// Gets traffic.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Not in use.
    Unused,
    /// Leaving, connections running out.
    Draining,
    /// Unhealthy and leaving.
    UnhealthyDraining,
    /// Cannot be told.
    Unavailable,
    /// A word that this program does not know.
    Other(Str),
}

impl TargetState {
    /// AWS's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            TargetState::Initial => "initial",
            TargetState::Healthy => "healthy",
            TargetState::Unhealthy => "unhealthy",
            TargetState::Unused => "unused",
            TargetState::Draining => "draining",
            TargetState::UnhealthyDraining => "unhealthy.draining",
            TargetState::Unavailable => "unavailable",
            TargetState::Other(word) => word,
        }
    }
}
