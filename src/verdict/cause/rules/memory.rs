//! Memory and disk, whose words are never wrong whatever stands beside them.

use super::super::Cause as C;
use super::super::Confidence::High;
use super::super::rule::Rule;
use super::{START, rule};

/// Memory, then disk.
pub(super) const ALL: &[Rule] = &[
    rule(
        START,
        &[&[
            "outofmemory",
            "due to memory usage",
            "oom-kill",
            "oomkill",
            "oom kill",
            "out of memory",
            "cannot allocate memory",
            "memory limit too low",
            "memory limit exceeded",
            "exceeded memory limit",
            "exceeded its memory",
            "memory exceeded",
            "paging file is too small",
        ]],
        &[],
        (C::OutOfMemory, High),
        "killed for memory[: container {container}]",
        "the memory limit of the container and of the task against the memory metric",
    ),
    rule(
        START,
        &[&[
            "no space left",
            "not enough space on the disk",
            "insufficient disk space",
            "disk quota exceeded",
            "data blocks which is less than minimum",
            "disk is full",
            "low disk space",
        ]],
        // The kernel says the same where it has no more control groups or file watches.
        &["cgroup", "inotify"],
        (C::DiskFull, High),
        "the disk is full[: no space left for {path}][ while handling {image}]",
        "ephemeralStorage of the task on Fargate; the instance's volume and its old images and logs on EC2",
    ),
];
