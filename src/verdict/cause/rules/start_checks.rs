//! What to check where a container did not start and the text tells why: its command, its log driver, the instance under it.
//!
//! As in `checks`: rows never change a cause, and the closest come first.

use super::super::Cause as C;
use super::super::rule::Check;
use super::checks::check;

const START: &[C] = &[C::ContainerStartFailed];

/// All rows.
pub(super) const ALL: &[Check] = &[
    check(
        START,
        &[&["logger arg", "log driver", "log opt", "logging driver", "awslogs driver"]],
        &["bridge ip", "pause container", "container ip"],
        "logConfiguration of the container: the driver, and the option that the text names; on an instance ECS_AVAILABLE_LOGGING_DRIVERS too",
    ),
    check(
        START,
        &[&["could not transition to", "dockertimeouterror"]],
        &[],
        "docker on the instance, which did not answer in time: its log, the disk (burst balance of the volume), and how many containers start at once",
    ),
    check(
        START,
        &[&["cgroup"], &["no space left"]],
        &[],
        "the instance's kernel, which has no control groups left (df shows space enough): restart or replace it, and what leaves so many",
    ),
    check(
        START,
        &[&["device information", "custom device", "device cgroup"]],
        &[],
        "linuxParameters.devices of the task definition: that this instance has the device",
    ),
    check(
        START,
        &[&["nvidia", "nvidia-container", "nvml", "libcuda"]],
        &[],
        "the GPU: the driver on the instance against the image's CUDA (after an update, restart the instance), and that the device is there (nvidia-smi)",
    ),
    check(
        START,
        &[&["rlimit"]],
        &[],
        "ulimits of the container: none may exceed what docker has on this host (default-ulimits, LimitNOFILE)",
    ),
    check(
        START,
        &[&["kerberos", "credentialspec", "credential spec", "gmsa", "domain-joined"]],
        &[],
        "gMSA: the credential spec and where it lies, the domain that the host has joined (or the domainless user's secret), credentials-fetcher and its log",
    ),
    check(
        START,
        &[&["hostconfigerror", "dockerclientconfigerror", "host config"]],
        &[],
        "the container's settings in the task definition that the text names: docker does not understand one of them",
    ),
    check(
        START,
        &[&["taskdependencyerror", "task dependencies"]],
        &[],
        "dependsOn, links and volumesFrom of the task definition: a container that is not there, or that waits for itself",
    ),
];
