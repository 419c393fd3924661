//! Normal events of a service, in their general words.

use super::super::Cause as C;
use super::super::Confidence::{High, Low};
use super::super::rule::{EVENT, Rule};
use super::rule;

/// Read last: each of these words stands in texts of trouble too.
pub(super) const ALL: &[Rule] = &[
    rule(
        EVENT,
        &[&["successfully set desired count"]],
        &[],
        (C::Other, High),
        "Application Auto Scaling set the service's desired count[ to {desired}]",
        "nothing: so the service's scaling policy or schedule wants it",
    ),
    rule(
        EVENT,
        &[&["successfully set min capacity", "successfully set max capacity"]],
        &[],
        (C::Other, High),
        "Application Auto Scaling set the bounds of the service's desired count[: {detail}]",
        "nothing: so a scheduled action wants it",
    ),
    rule(
        EVENT,
        &[&["updated computeddesiredcount"]],
        &[],
        (C::Other, High),
        "the task set is to hold[ {desired}] tasks: its share of the service's desired count",
        "nothing: so a deployment by task sets moves",
    ),
    rule(
        EVENT,
        &[&["has begun draining", "begun draining connections", "deregistered", "deregistering", "draining"]],
        &[],
        (C::TargetDraining, High),
        "targets leave the load balancer and finish their connections[ ({tasks} of them)][ in {group}]",
        "",
    ),
    rule(
        EVENT,
        &[&["registered", "registering"], &["target", " in (elb"]],
        &["failed", "unable", "error"],
        (C::TargetRegistered, High),
        "targets were registered[ in {group}][: {targets}]",
        "",
    ),
    rule(
        EVENT,
        &[&["has started", "started "], &["task"]],
        &["unable", "failed"],
        (C::TasksStarted, High),
        "tasks were started[: {tasks}]",
        "",
    ),
    rule(
        EVENT,
        &[&["has stopped", "stopped "], &["running task", "pending task", " tasks"]],
        &["unable", "failed"],
        (C::NormalScaleIn, Low),
        "tasks were stopped[ ({tasks} of them)]: a scale-in, or the old side of a deployment",
        "the reason of the stopped tasks, if nobody wanted fewer",
    ),
];
