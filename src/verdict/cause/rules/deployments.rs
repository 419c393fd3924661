//! What the scheduler says of a deployment: blocked, failed, going back, done; and that a service keeps failing or is steady.

use super::super::Cause as C;
use super::super::Confidence::{High, Medium};
use super::super::rule::{EVENT, Rule};
use super::{SCHEDULER, rule};

/// A failure that the text names counts before the going back that follows it.
pub(super) const ALL: &[Rule] = &[
    rule(
        SCHEDULER,
        &[&[
            "minimumhealthypercent",
            "maximumpercent",
            "because of the service deployment configuration",
            "minimum healthy percent",
            "maximum percent",
        ]],
        &[],
        (C::DeploymentBlockedByPercent, High),
        "minimumHealthyPercent and maximumPercent leave the deployment no room to stop or start a task",
        "both percentages and the desired count: at least one task must fit between them",
    ),
    // CodeDeploy's words for what it waits for.
    rule(
        EVENT,
        &[&["deployment"], &["lifecycle event", "replacement task set"], &["failed", "timed out"]],
        &["alarm", "circuit breaker", "rolled back"],
        (C::Other, High),
        "CodeDeploy ended the deployment[: {detail}]",
        "the deployment in CodeDeploy: log of the hook's function, or tasks and targets of the replacement task set",
    ),
    rule(
        SCHEDULER,
        &[&["rolled back", "rollback "], &["alarm", "circuit breaker"]],
        &[],
        (C::CircuitBreaker, High),
        "the deployment[ {deployment}] failed by its circuit breaker or alarms[: alarm {alarm}]",
        "the stopped tasks of that deployment, or the alarm: their reasons are the cause",
    ),
    rule(
        SCHEDULER,
        &[&["rolled back because", "lifecycle hook"]],
        &["circuit breaker", "alarm", "unable to assume"],
        (C::RollingBack, High),
        "the deployment went back[: {detail}]",
        "what the reason names: listener rules and target groups, the hook's function and log, rights of the infrastructure role",
    ),
    rule(
        SCHEDULER,
        &[&["rolling back", "rollback in progress", "rollback started", "rollback initiated", "is being rolled back"]],
        &[],
        (C::RollingBack, High),
        "the deployment goes back[ to {backto}]",
        "why the newer revision failed: its stopped tasks, or the alarm",
    ),
    rule(
        SCHEDULER,
        &[&[
            "circuit breaker",
            "deployment failed",
            "alarm detected",
            "alarms detected",
            "tasks failed to start",
            "deployment alarm",
            "tasks failing to start",
            "alarm threshold",
            "alarms have been activated",
            "alarm has been activated",
        ]],
        &[],
        (C::CircuitBreaker, High),
        "the deployment[ {deployment}] failed by its circuit breaker or alarms[: alarm {alarm}]",
        "the stopped tasks of that deployment, or the alarm: their reasons are the cause",
    ),
    rule(
        SCHEDULER,
        &[&["deployment"], &["alarm"], &["failed", "was stopped", "been stopped"]],
        &[],
        (C::CircuitBreaker, Medium),
        "the deployment[ {deployment}] failed by its circuit breaker or alarms[: alarm {alarm}]",
        "the stopped tasks of that deployment, or the alarm: their reasons are the cause",
    ),
    rule(
        SCHEDULER,
        &[&["rolled back", "rollback"]],
        &[],
        (C::RollingBack, Medium),
        "the deployment went back[ to {backto}]",
        "why the newer revision failed: its stopped tasks, or the alarm",
    ),
    rule(
        SCHEDULER,
        &[&["consistently start", "start tasks successfully", "task start impaired"]],
        &[],
        (C::StartBackoff, High),
        "tasks keep failing to start, and ECS waits longer before each new try",
        "reasons of the newest stopped tasks; a new deployment resets the waiting",
    ),
    rule(
        EVENT,
        &[&["deployment"], &["completed", "succeeded", "successful"]],
        &["unable", "fail", "not "],
        (C::DeploymentCompleted, High),
        "the deployment[ {deployment}] completed",
        "",
    ),
    rule(
        EVENT,
        &[&["steady state"]],
        &["unable", "not reach", "failed to reach", "did not"],
        (C::SteadyState, High),
        "everything runs as wanted",
        "",
    ),
];
