//! The table of rules: what AWS writes, what it means, what to say and what to check.
//!
//! The first row that fits decides, so the order is: memory and disk, whose words are never wrong; AWS's own fixed sentences; then one
//! part for each thing that can fail at a start, in which an error code counts before a hint ("cannot find the log group. There is a
//! connection issue" means the connection); last what is only said in general. To add a text, add it to `tests/causes` and see which row
//! answers; then widen a list of fragments or add a row above the one that is wrong.

use super::Cause as C;
use super::Confidence::{self, High, Low, Medium};
use super::rule::{CONTAINER, EVENT, Field, REASON, Rule, TARGET};

/// A start can fail in words of the task, of the container and of the scheduler.
const START: Field = REASON | CONTAINER | EVENT;
/// What the scheduler says stands in a task's reason or in an event.
const SCHEDULER: Field = REASON | EVENT;

type Groups = &'static [&'static [&'static str]];

const fn rule(
    on: Field,
    all: Groups,
    none: &'static [&'static str],
    (cause, sure): (C, Confidence),
    says: &'static str,
    next: &'static str,
) -> Rule {
    Rule { on, all, none, cause, sure, says, next }
}

/// Nobody answered. Texts are cut at 255 characters or so, hence the halves of words.
const UNREACHED: &[&str] = &[
    "i/o timeo",
    "dial tcp",
    "dial udp",
    "no such host",
    "context deadl",
    "deadline exceeded",
    "request canceled",
    "requestcanceled",
    "context canceled",
    "connection refused",
    "connection reset",
    "connection timed out",
    "connection issue",
    "connection aborted",
    "connection error",
    "connectivity",
    "network configuration",
    "network is unreachable",
    "no route to host",
    "client.timeout",
    "tls handshake",
    "x509:",
    "request send failed",
    "send request failed",
    "failed to do request",
    "signal: killed",
    "could not connect",
    "cannot connect",
    "can't connect",
    "unable to connect",
    "failed to connect",
    "unable to reach",
    "cannot reach",
    "can't reach",
    "could not reach",
    "server misbehaving",
    "name resolution",
    "could not resolve host",
    "statuscode: 0",
    "timed out",
    "timeout",
    "unexpected eof",
    ": eof",
    "bad gateway",
    "service unavailable",
    "gateway time",
    "500 internal server error",
];

/// Somebody said no.
const REFUSED: &[&str] = &[
    "accessdenied",
    "access denied",
    "access is denied",
    "not authorized",
    "unauthorized",
    "is not allowed",
    "no basic auth",
    "403 forbidden",
    "code 403",
    "code: 403",
    "status: 403",
    "error (403)",
    "forbidden",
    "code: 401",
    "authentication required",
    "authorization failed",
    "insufficient_scope",
    "invalid username or password",
    "incorrect username or password",
    "authorization token has expired",
    "explicit deny",
    "unrecognizedclient",
    "invalidclienttoken",
    "invalidsignature",
    "security token included in the request",
    "expiredtoken",
    "nocredentialproviders",
    "no valid providers in chain",
    "credentialsendpointerror",
    "no ec2 imds role found",
    "failed to retrieve credentials",
    "failed to refresh cached credentials",
];

/// Somebody said that there is no such thing.
const ABSENT: &[&str] = &[
    "notfound",
    "not found",
    "does not exist",
    "doesn't exist",
    "do not exist",
    "can't find",
    "cannot find",
    "could not find",
    "couldn't find",
    "was not found",
    "no such",
    "nosuch",
    "status code: 404",
    "status code 404",
    "error (404)",
    "unknown",
];

/// The text is about fetching an image, or the right to.
const PULL: &[&str] = &[
    "cannotpull",
    "pull the image",
    "pull image",
    "pull container image",
    "pulling image",
    "pulling from host",
    "image pull",
    "failed to pull",
    "ref pull",
    "pull access denied",
    "resolve ref",
    "ecr registry auth",
    "registry auth from ecr",
    "registry auth from amazon ecr",
    "registry authentication from amazon ecr",
    "/manifests/",
    "/blobs/",
    "manifest unknown",
    "manifest for ",
    "api.ecr",
    ".dkr.ecr",
    " ecr:",
    "ecr:batch",
    "ecr:get",
    "registry-1.docker.io",
    "docker hub",
    "no basic auth",
    "get ecr",
    "ecr authorization",
    "unable to pull",
];

/// The words that a start of secrets or registry login begins with say nothing about which of the two it is.
const ENV_FILE: &[&str] = &["env file", "environment file", "envfile", "environmentfile", "download env"];

const LOGS: &[&str] = &[
    "logger arg",
    "log group",
    "log-group",
    "loggroup",
    "log stream",
    "log-stream",
    "logstream",
    "log driver",
    "logging driver",
    "log router",
    "awslogs",
    "cloudwatch log",
    "logs:create",
    "logs:put",
    "firelens",
    "fluentd",
    "splunk",
];

const VOLUME: &[&str] = &[
    "efs ",
    "efs:",
    "elasticfilesystem",
    "mount.nfs",
    "fsx",
    "ebs ",
    "ebs-",
    "createvolume",
    "attachvolume",
    "volume",
    "s3files",
    "s3 files",
    "file system",
    "filesystem",
    "error mounting",
    "failed to mount",
    "cannot mount",
    "invalid mount",
    "mount config",
    "bind source path",
    "bind mount",
    "mount target",
    "duplicate mount point",
    "fs-0",
];

/// Words of a runtime that starts a container; what its command is called may hold any word.
const RUNTIME: &[&str] = &["oci runtime", "executable file not found", "exec format", "createcontainererror: ", "startcontainererror: "];

const SECRET: &[&str] = &[
    "secret",
    "ssm",
    "parameter",
    " asm",
    "asm ",
    "kms",
    "ciphertext",
    "systems manager",
    "getparameters",
    "registry auth",
    "registry credentials",
    "resource retrieval failed",
];

const INTERFACE: &[&str] = &[
    "network interface",
    "networkinterface",
    "network namespace",
    "containernetworking",
    "cni plugin",
    "cni setup",
    " eni ",
    "eni:",
    ":eni",
    "eni-",
    "elastic network",
    "private ip address",
    "free addresses",
    "free ip addresses",
    "invalidsubnet",
    "invalidgroup",
    "pause container",
];
