//! Stops that no program caused: zones, protection, ground that went away, and stops that were meant.

use super::super::Cause as C;
use super::super::Confidence::{High, Medium};
use super::super::rule::{CONTAINER, EVENT, REASON, Rule};
use super::{START, rule};

/// Zones and protection.
pub(super) const BALANCE: &[Rule] = &[
    rule(
        START,
        &[
            &["protect", "deployment blocked"],
            &[
                "scale in",
                "scale-in",
                "scalein",
                "unable to stop",
                "unable to terminate",
                "task protection",
                "protected task",
                "tasks are protected",
                "under protection",
                "deployment blocked",
            ],
        ],
        &[],
        (C::ScaleInProtected, High),
        "task protection holds back the scale-in[: {protected}]",
        "which tasks are protected and until when (GetTaskProtection), and whether the app ends its protection",
    ),
    rule(
        START,
        &[&["stopped az rebalanc", "unable to az rebalanc"]],
        &[],
        (C::AzRebalance, High),
        "ECS has stopped moving tasks between the zones[: {why}]",
        "the other events of the service, which say why: a zone without room, a deployment, protected tasks",
    ),
    rule(
        START,
        &[&["is az balanced"]],
        &[],
        (C::AzRebalance, High),
        "the zones hold the same number of tasks, or one less[: {spread}]",
        "",
    ),
    rule(
        START,
        &[&[
            "az rebalanc",
            "az-rebalanc",
            "availability zone rebalanc",
            "availabilityzonerebalanc",
            "az balanced",
            "az-balanced",
            "az imbalance",
            "balanced across availability",
            "availability zone imbalance",
        ]],
        &[],
        (C::AzRebalance, High),
        "tasks move so that the zones hold the same number[ ({tasks} of them)][ in {zone}][; now {spread}]",
        "nothing, unless it repeats: then zones without capacity or instances",
    ),
];

const MAINTAINED: &str = "AWS maintains the platform under the task and replaces it";
const MAINTAINED_NEXT: &str = "AWS Health for the notice; that the service has more than one task";

/// Who took the ground away.
pub(super) const GROUND: &[Rule] = &[
    rule(
        START,
        &[
            &[
                " spot ",
                "by spot",
                "spot-",
                "spot instance",
                "spot task",
                "spot capacity",
                "spotinterrupt",
                "spot interrupt",
                "=spot",
                "_spot",
            ],
            &["interrupt", "reclaim", "terminat", "rebalance recommendation"],
        ],
        &[],
        (C::SpotInterruption, High),
        "AWS took the Spot capacity back[ (capacity provider {provider})][ on instance {instance}]",
        "whether the service replaced it, and the share of FARGATE_SPOT in the capacity provider strategy",
    ),
    rule(
        START,
        // People maintain networks, databases and racks too.
        &[
            &["maintenance", "retiring"],
            &["ecs ", "fargate", "aws", "amazon", "infrastructure", "platform", "host", "instance", "this task", "the task", "hardware"],
        ],
        &["health check", "cannotpull"],
        (C::PlatformMaintenance, High),
        MAINTAINED,
        MAINTAINED_NEXT,
    ),
    rule(
        START,
        &[&[
            "retire",
            "platform version update",
            "platform update",
            "patching",
            "underlying infrastructure",
            "infrastructure update",
            "software update",
            "security update",
        ]],
        &["health check", "cannotpull"],
        (C::PlatformMaintenance, High),
        MAINTAINED,
        MAINTAINED_NEXT,
    ),
    rule(
        START,
        &[&["draining", "drained", "drain "], &["instance", "daemon"]],
        &["begun draining", "connections on", "target-group"],
        (C::InstanceDraining, High),
        "the container instance[ {instance}] is being drained",
        "who drains it (scaling of the group, a managed update, a person) and that the task runs elsewhere",
    ),
    rule(
        REASON | CONTAINER,
        &[
            &[
                "host ec2",
                "(instance",
                "container instance",
                "ec2 instance",
                "managed instance",
                "the instance",
                "instance i-",
                "the host",
                "host ",
            ],
            &["terminat", "stopped", "deregist", "impaired", "unhealthy", "lost", "status check", "hardware", "shut down", "rebooted"],
        ],
        &["is unhealthy in", "cannotstart", "cannotcreate", "cannotpull", "initializationerror", "oci runtime"],
        (C::HostTerminated, High),
        "the instance[ {instance}] under the task is gone",
        "who ended it: scaling activities of its group, EC2's status checks, CloudTrail TerminateInstances",
    ),
    rule(
        EVENT,
        &[&["container instance", "container-instance"], &["deregistered", "deregistration"]],
        &["unable to place"],
        (C::HostTerminated, Medium),
        "the instance[ {instance}] is gone",
        "who ended it: scaling activities of its group, EC2's status checks",
    ),
    rule(
        EVENT,
        &[&["instance"], &["terminated", "deregistered from the cluster", "has been stopped"]],
        &["is unhealthy in", "unable to place"],
        (C::HostTerminated, Medium),
        "the instance[ {instance}] is gone",
        "who ended it: scaling activities of its group, EC2's status checks",
    ),
    rule(
        REASON,
        &[&["infrastructurehealth", "infrastructure health"]],
        &[],
        (C::HostTerminated, Medium),
        "the host under the task is not healthy",
        "health of the container instance, AWS Health",
    ),
];

/// Stops that somebody or something wanted.
pub(super) const MEANT: &[Rule] = &[
    rule(
        REASON,
        &[&["scaling activity initiated", "scaled in", "scale in", "scale-in", "scaling in", "scaling down", "scale down", "downscal"]],
        &[],
        (C::NormalScaleIn, High),
        "stopped because fewer tasks are wanted: a scale-in, or the old side of a deployment[ ({deployment})]",
        "",
    ),
    rule(
        REASON,
        &[&[
            "replaced by",
            "replaced this task",
            "by a newer",
            "newer deployment",
            "replaced due to deployment",
            "new deployment",
            "deployment replace",
            "stopped by deployment",
            "superseded",
            "previous deployment",
            "initiated by deployment",
            "initiated by (deployment",
        ]],
        &[],
        (C::NormalDeploymentReplace, High),
        "a deployment[ {deployment}] replaced it",
        "",
    ),
    rule(
        REASON,
        &[&[
            "stopped by user",
            "stopped by a user",
            "killed by user",
            "cancelled by user",
            "canceled by user",
            "terminated by user",
            "killed by the user",
            "stopped by the user",
            "user initiated",
            "userinitiated",
            "user-initiated",
            "user request",
            "task stopped by",
            "stopped manually",
            "manually stopped",
            "stoptask",
            "stopped via",
            "stopped from",
            "service was deleted",
            "service deleted",
            "cluster deleted",
        ]],
        &[],
        (C::UserStopped, High),
        "a person or a tool stopped the task",
        "CloudTrail StopTask tells who",
    ),
    rule(
        REASON,
        &[&["^stopped by ", "^task stopped by ", "^terminated by ", "^killed by ", "^cancelled by ", "^canceled by "]],
        &["deployment", "scheduler", "health", "scal", "drain", "signal", "ecs", "service", "kernel"],
        (C::UserStopped, Medium),
        "a person or a tool stopped the task[: {detail}]",
        "CloudTrail StopTask tells who",
    ),
];
