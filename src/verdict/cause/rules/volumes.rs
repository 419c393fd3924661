//! Volumes of any kind: EFS, EBS, `FSx`, S3 files, bind mounts.

use super::super::Cause as C;
use super::super::Confidence::High;
use super::super::fragments::VOLUME;
use super::super::rule::Rule;
use super::{START, rule};

/// The runtime's own disk, then a thing that is a volume, and a word of failure.
pub(super) const ALL: &[Rule] = &[
    rule(
        START,
        &[&["daemon: mkdir", "daemon: open", "daemon: write", "daemon: error creating"], &["read-only file system"]],
        &[],
        (C::ContainerStartFailed, High),
        "the container could not be created: the disk of docker is read-only[: {path}]",
        "the instance's disk, which the kernel makes read-only after errors (dmesg): replace the instance",
    ),
    rule(
        START,
        &[
            VOLUME,
            &[
                "fail",
                "error",
                "unable",
                "cannot",
                "could not",
                "timed out",
                "deadline exceeded",
                "canceled",
                "timeout",
                "denied",
                "not authorized",
                "invalid",
                "not found",
                "does not exist",
                "duplicate",
                "exceeded",
                "not available",
                "not supported",
                "limit",
                "does not match",
                "unsuccessful",
                "refused",
                "reset by peer",
                "no such",
                "not permitted",
                "only supported",
                "unexpected",
                "unsupported",
            ],
        ],
        // What the runtime mounts for itself is no volume.
        &[
            "toomanyrequests",
            "cannotpull",
            "volumecapacity",
            "mounting \"cgroup",
            "mounting \"proc\"",
            "mounting \"sysfs",
            "mounting \"devpts",
            "mounting \"mqueue",
        ],
        (C::VolumeMount, High),
        "a volume could not be made or mounted[: {detail}]",
        "EFS: mount target in the task's zone, port 2049, IAM; EBS: infrastructure role, quota, key, snapshot; bind: that the path is on the host",
    ),
];
