//! Containers that do not start, and programs that ended.

use super::super::Cause as C;
use super::super::Confidence::{High, Low, Medium};
use super::super::rule::{CONTAINER, REASON, Rule};
use super::{START, rule};

/// What the runtime says.
pub(super) const STARTS: &[Rule] = &[
    rule(
        START,
        &[&[
            "address already in use",
            "port is already allocated",
            "port is already in use",
            "ports are not available",
            "failed to bind",
            "only one usage of each socket",
        ]],
        &[],
        (C::ContainerStartFailed, High),
        "the container could not start: port[ {port}] is in use",
        "what else uses the port on this host or in this task",
    ),
    rule(
        START,
        &[&[
            "cannotstartcontainer",
            "cannotcreatecontainer",
            "cannot start container",
            "cannot create container",
            "oci runtime",
            "runc create",
            "shim task",
            "failed to create task",
            "failed to create new container runtime task",
            "executable file not found",
            "starting container process",
            "is already in use by container",
            "could not select device driver",
            "unable to find user",
            "hcsshim",
            "hcs::",
            "createcomputesystem",
            "createprocess",
            "container runtime",
            "containerruntime",
            "failed to start container",
            "failed to create container",
            "could not transition to created",
            "could not transition to running",
            "could not transition to started",
            "could not transition to creating",
            "could not transition to inspecting",
            "dockertimeouterror",
            "cannotinspectcontainer",
            "cannotdescribecontainer",
            "no log driver named",
            "unknown log opt",
            "unknown log driver",
            "failed to initialize logging driver",
            "log opt",
            "permission denied: unknown",
            "minimum memory limit",
            "containervanished",
            "error response from daemon",
            "container init",
            "exec user process",
            "credentialspec",
            "credential spec",
            "gmsa",
            "containerd",
        ]],
        &["could not transition to stopped"],
        (C::ContainerStartFailed, High),
        "the container could not be created or started[, command {command}][: {detail}]",
        "command, entryPoint, user, mounts and devices of the container against its image; the agent's log on EC2",
    ),
    rule(
        REASON,
        &[&["failed to start"]],
        &[],
        (C::ContainerStartFailed, Low),
        "the task failed to start, and the text does not say why",
        "the reasons of its containers",
    ),
];

/// What a program's end says in words.
pub(super) const ENDS: &[Rule] = &[
    rule(
        REASON | CONTAINER,
        &[&["segmentation fault", "sigsegv", "access violation"]],
        &[],
        (C::Segfault, High),
        "the program crashed with a segmentation fault",
        "the last log lines, native libraries of the image, and a core dump",
    ),
    rule(
        START,
        &[&["essential container", "container exited", "exited with code", "exited with exit code", "exit code", "exit status"]],
        &[],
        (C::AppExit, Medium),
        "a container that the task cannot live without ended",
        "its exit code and the last log lines",
    ),
];
