//! Load balancers, target groups and targets.

use super::{Ms, TaskId};

/// An `ELBv2` load balancer.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// Name.
    pub name: String,
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// Number in its DNS name; none for one that follows from the id.
    pub dns_number: Option<u32>,
    /// `application` or `network`.
    pub kind: &'static str,
    /// `internet-facing` or `internal`.
    pub scheme: &'static str,
    /// When it was made.
    pub created_at: Ms,
    /// Listeners.
    pub listeners: Vec<Listener>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone)]
pub struct Listener {
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// Port.
    pub port: u16,
    /// HTTP, HTTPS, TCP or TLS.
    pub protocol: &'static str,
    /// (index of target group, weight) of the default action; none answers 404 by fixed response.
    pub default: Vec<(usize, u32)>,
    /// Rules before the default one, by priority.
    pub rules: Vec<Rule>,
}

/// A rule of a listener.
#[derive(Debug, Clone)]
pub struct Rule {
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// Priority, from 1.
    pub priority: u32,
    /// Host headers that it matches, may be none.
    pub hosts: Vec<String>,
    /// Path patterns that it matches, may be none.
    pub paths: Vec<String>,
    /// (index of target group, weight).
    pub forward: Vec<(usize, u32)>,
}

/// An `ELBv2` target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// Name.
    pub name: String,
    /// 16 hex digits at the end of the ARN.
    pub id: String,
    /// HTTP or TCP.
    pub protocol: &'static str,
    /// Default port.
    pub port: u16,
    /// `ip` or `instance`.
    pub target_type: &'static str,
    /// Health check settings.
    pub check: Check,
    /// `deregistration_delay.timeout_seconds`.
    pub drain: u32,
    /// Index into [`Estate::load_balancers`].
    pub load_balancer: Option<usize>,
    /// Registered and draining targets, in order of registration.
    pub targets: Vec<Target>,
}

/// Health check of a target group.
#[derive(Debug, Clone)]
pub struct Check {
    /// Path, HTTP only.
    pub path: String,
    /// `HealthCheckIntervalSeconds`.
    pub interval: u32,
    /// `HealthCheckTimeoutSeconds`.
    pub timeout: u32,
    /// `HealthyThresholdCount`.
    pub healthy: u32,
    /// `UnhealthyThresholdCount`.
    pub unhealthy: u32,
    /// Matcher, for instance `200-299`.
    pub matcher: String,
}

/// State of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// Not checked often enough.
    Initial,
    /// Takes requests.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Deregistered, finishing requests.
    Draining,
}

/// A registered target.
#[derive(Debug, Clone)]
pub struct Target {
    /// IPv4 address or instance id.
    pub id: String,
    /// Port.
    pub port: u16,
    /// Availability zone.
    pub zone: String,
    /// Its task; none for a stray registration.
    pub task: Option<TaskId>,
    /// State.
    pub state: TargetState,
    /// Reason code, for instance `Target.Timeout`; empty when healthy.
    pub reason: String,
    /// Description; empty when healthy.
    pub description: String,
    /// Since when it is in this state.
    pub since: Ms,
}
