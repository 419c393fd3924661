//! Fixed sentences of health checks: the load balancer's and the container's own.

use super::super::Cause as C;
use super::super::Confidence::{High, Medium};
use super::super::rule::Rule;
use super::{SCHEDULER, START, rule};

/// Events and reasons alike.
pub(super) const ALL: &[Rule] = &[
    rule(
        START,
        &[&[
            "failed elb health check",
            "load balancing health check",
            "failed load balancer health check",
            "is unhealthy in (target-group",
            "is not healthy in",
            "is unhealthy in (elb",
            "is unhealthy in target",
            "is unhealthy in (load",
            "failed vpc lattice",
            "vpc lattice target unhealthy",
            "(vpc-lattice",
            "(vpc lattice",
            "failed target group health",
            "failed alb health",
            "failed nlb health",
        ]],
        &[],
        (C::ElbHealthCheck, High),
        "the load balancer's health check fails[ on port {port}][ in target group {group}][ of {balancer}][: {why}]",
        "path, port and expected codes of the health check, security group, the app's log at that time, and the grace period",
    ),
    rule(
        START,
        &[&[
            "failed container health check",
            "container health check",
            "container is unhealthy",
            "containers are unhealthy",
            "due to an unhealthy status",
            "discovery instance unhealthy",
            "unhealthy in service discovery",
            "health check failed for container",
            "healthcheck failed",
        ]],
        &[],
        (C::ContainerHealthCheck, High),
        "the container's own health check fails[ in task {task}]",
        "healthCheck of the task definition: that its command exists in the image, its startPeriod and retries; then the app's log",
    ),
    // The same in other words.
    rule(
        SCHEDULER,
        &[&["target group", "target-group", "load balancer", " elb ", " alb ", " nlb "], &["unhealthy", "not healthy", "health check"]],
        &["circuit breaker", "deployment failed", "protect"],
        (C::ElbHealthCheck, Medium),
        "the load balancer's health check fails[ on port {port}][ in target group {group}][ of {balancer}][: {why}]",
        "path, port and expected codes of the health check, security group, the app's log at that time, and the grace period",
    ),
    rule(
        START,
        &[&["container", "task"], &["unhealthy", "not healthy", "failed health check", "failed healthcheck", "failing health check"]],
        &["instance", "circuit breaker", "deployment failed", "protect", "target", "connect", "appnet", "envoy"],
        (C::ContainerHealthCheck, Medium),
        "the container's own health check fails[ in task {task}]",
        "healthCheck of the task definition: that its command exists in the image, its startPeriod and retries; then the app's log",
    ),
];
