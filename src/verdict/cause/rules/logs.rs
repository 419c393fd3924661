//! Environment files and logs: what a task needs from S3 and from its log driver before it starts.

use super::super::Cause as C;
use super::super::Confidence::{High, Low, Medium};
use super::super::fragments::{ABSENT, ENV_FILE, LOGS, REFUSED, UNREACHED};
use super::super::rule::Rule;
use super::{START, rule};

const LOG_DENIED: &str = "the log driver may not write[ to {loggroup}][: {action} is denied][ for role {role}]";
const LOG_DENIED_NEXT: &str =
    "logs:CreateLogStream and logs:PutLogEvents of the execution role (logs:CreateLogGroup with awslogs-create-group)";
const LOG_ABSENT: &str = "log group[ {loggroup}] does not exist";
const LOG_ABSENT_NEXT: &str = "awslogs-group and awslogs-region of the task definition; create the group or set awslogs-create-group";

/// Environment files.
pub(super) const ENV_FILES: &[Rule] = &[rule(
    START,
    &[ENV_FILE],
    &[],
    (C::EnvFileUnavailable, High),
    "the environment file[ {file}][ in bucket {bucket}] could not be read[: {action} is denied][ for role {role}]",
    "that the object is there, s3:GetObject and s3:GetBucketLocation of the execution role, and the route to S3",
)];

/// Log drivers and log groups.
pub(super) const LOGGING: &[Rule] = &[
    // FireLens needs things of its own before it takes a log: its configuration from S3, the address of its router.
    rule(
        START,
        &[&["firelens"], &["s3 config"]],
        &[],
        (C::Other, High),
        "FireLens' configuration[ {file}][ in bucket {bucket}] could not be read[: {action} is denied][ for role {role}]",
        "that the object is there (config-file-value), s3:GetObject and s3:GetBucketLocation of the execution role, and the route to S3",
    ),
    rule(
        START,
        &[&["firelens"], &["bridge ip", "pause container", "container ip"]],
        &[],
        (C::ContainerStartFailed, High),
        "the container could not be created, for its log router has no address[: {detail}]",
        "the log router's container: that it starts, its network mode, the agent's log",
    ),
    rule(START, &[LOGS, REFUSED], &["connection issue"], (C::LogDriverDenied, High), LOG_DENIED, LOG_DENIED_NEXT),
    rule(
        START,
        &[
            LOGS,
            &[
                "resourcenotfound",
                "group does not exist",
                "group doesn't exist",
                "group was not found",
                "no such log group",
                "find log group",
            ],
        ],
        &[],
        (C::LogGroupMissing, High),
        LOG_ABSENT,
        LOG_ABSENT_NEXT,
    ),
    rule(
        START,
        &[LOGS, UNREACHED],
        &[],
        (C::LogNetwork, High),
        "the service that takes the logs cannot be reached[ at {host}][; log group {loggroup}]",
        "a route to CloudWatch Logs (endpoint logs, NAT or a public address) or to the log server, security groups, DNS",
    ),
    rule(
        START,
        &[LOGS, ABSENT],
        &["no log driver named", "unknown log opt", "unknown log driver", "oci runtime", "firelens"],
        (C::LogGroupMissing, Medium),
        LOG_ABSENT,
        LOG_ABSENT_NEXT,
    ),
    rule(
        START,
        &[&["=resourceinitializationerror: failed to initialize logging driver", "daemon: failed to initialize logging driver."]],
        &[],
        (C::LogGroupMissing, Low),
        LOG_ABSENT,
        LOG_ABSENT_NEXT,
    ),
    rule(
        START,
        &[LOGS, &["permission", "credential", "denied"]],
        &["oci runtime"],
        (C::LogDriverDenied, Medium),
        LOG_DENIED,
        LOG_DENIED_NEXT,
    ),
    rule(
        START,
        &[&["failed to validate logger arg"]],
        &["is required", "unknown log opt", "limitexceeded"],
        (C::LogNetwork, Low),
        "the log driver could not be made ready[: {detail}]",
        "a route to CloudWatch Logs (endpoint logs, NAT or a public address), awslogs-group and awslogs-region, rights of the execution role",
    ),
];
