//! Targets: reason codes and descriptions of `DescribeTargetHealth`.

use super::super::Cause as C;
use super::super::Confidence::{High, Medium};
use super::super::rule::{Rule, TARGET};
use super::rule;

/// Codes and descriptions, alone or together.
pub(super) const ALL: &[Rule] = &[
    rule(
        TARGET,
        &[&["elb.internalerror", "due to an internal error"]],
        &[],
        (C::ElbHealthCheck, Medium),
        "the health check failed by an error of the load balancer itself",
        "AWS Health; it passes by itself",
    ),
    rule(
        TARGET,
        &[&["responsecodemismatch", "with these codes"]],
        &[],
        (C::ElbHealthCheck, High),
        "the health check gets the wrong answer[: code {codes}]",
        "path and expected codes of the health check, redirects, authentication, the Host header; the app's log",
    ),
    rule(
        TARGET,
        &[&["target.timeout", "timed out", "timeout"]],
        &[],
        (C::ElbHealthCheck, High),
        "the health check gets no answer in time",
        "that the app listens on the port of the target group, the security group, and the time it takes to answer",
    ),
    rule(
        TARGET,
        &[&[
            "failedhealthchecks",
            "health checks failed",
            "failed the health check",
            "unhealthythreshold",
            "failed health check",
            "connection refused",
            "ssl handshake",
            "tls handshake",
            "malformed http",
            "connection to the target",
        ]],
        &["internal error"],
        (C::ElbHealthCheck, High),
        "the health check fails: no connection, or an answer that is none",
        "port and protocol of the health check, security group, and that the app runs",
    ),
    rule(
        TARGET,
        &[&["deregistration", "draining", "deregistered"]],
        &[],
        (C::TargetDraining, High),
        "the target leaves and finishes its connections",
        "",
    ),
    rule(
        TARGET,
        &[&[
            "registrationinprogress",
            "registration is in progress",
            "registration is still in progress",
            "initialhealthchecking",
            "initial health check",
        ]],
        &[],
        (C::TargetRegistered, High),
        "the target is being registered and checked for the first time",
        "",
    ),
    rule(
        TARGET,
        &[&[
            "invalidstate",
            "stopped state",
            "terminated state",
            "the terminated",
            "is in the stopped",
            "is stopped",
            "is terminated",
            "shutting-down",
            "stopping state",
        ]],
        &[],
        (C::HostTerminated, High),
        "the instance behind the target is stopped or terminated[: {instance}]",
        "the instance in EC2 and its Auto Scaling group",
    ),
    rule(
        TARGET,
        &[&["target.notinuse", "not configured to receive traffic", "not used by"]],
        &["availability zone"],
        (C::TargetRegistered, Medium),
        "the target is registered, but no listener sends its group traffic: so looks the idle side of a blue/green pair",
        "the listener's rules, if this group is meant to have traffic",
    ),
];
