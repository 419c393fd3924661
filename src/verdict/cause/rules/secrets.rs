//! Secrets and parameters: denied, absent, out of reach.

use super::super::Cause as C;
use super::super::Confidence::{High, Medium};
use super::super::fragments::{ABSENT, NO_SECRET, REFUSED, SECRET, UNREACHED};
use super::super::rule::Rule;
use super::{START, rule};

const SECRET_DENIED: &str = "a secret may not be read[: parameter {parameter}][: secret {secret}][, {action} is denied][ for role {role}]";
const SECRET_DENIED_NEXT: &str =
    "ssm:GetParameters or secretsmanager:GetSecretValue, and kms:Decrypt of its key, in the execution role; policies of secret and key";
const SECRET_ABSENT: &str = "a secret is not there[: parameter {parameter}][: secret {secret}][, version {stage}][, JSON key {key}]";
const SECRET_ABSENT_NEXT: &str =
    "that it exists in this account and region under this name, key and version; valueFrom of the task definition";

/// Keys first, for a denied key is told as a denied secret.
pub(super) const ALL: &[Rule] = &[
    rule(
        START,
        &[SECRET, &["kms", "ciphertext", "decrypt"], &["denied", "not allowed", "not authorized", "does not exist", "disabled", "invalid"]],
        NO_SECRET,
        (C::SecretDenied, High),
        "the KMS key of a secret may not be used[: parameter {parameter}][: secret {secret}][, {action} is denied][ for role {role}]",
        "kms:Decrypt in the execution role, the key's policy, and that the key is enabled",
    ),
    rule(START, &[SECRET, REFUSED], NO_SECRET, (C::SecretDenied, High), SECRET_DENIED, SECRET_DENIED_NEXT),
    rule(
        START,
        &[
            SECRET,
            &[
                "resourcenotfound",
                "parameternotfound",
                "invalid parameters",
                "invalid ssm parameters",
                "invalid parameter name",
                "invalidparameters",
                "missing secret",
                "can't find the specified",
                "cannot find the specified",
                "did not contain json key",
                "marked for deletion",
                "was deleted",
                "marked deleted",
                "staging label",
                "versionid",
                "invalid arn",
                "invalid name",
                "validationexception",
                "unexpected arn",
                "invalid format",
                "invalid schema",
                "malformed",
                "empty secrets value",
                "does not contain",
                "invalid character",
                "cannot unmarshal",
            ],
        ],
        NO_SECRET,
        (C::SecretMissing, High),
        SECRET_ABSENT,
        SECRET_ABSENT_NEXT,
    ),
    rule(
        START,
        &[SECRET, UNREACHED],
        NO_SECRET,
        (C::SecretNetwork, High),
        "the service that holds the secrets cannot be reached[ at {host}][: parameter {parameter}][: secret {secret}]",
        "a route out: NAT or assignPublicIp, or endpoints for secretsmanager, ssm, kms (and ecr); security groups; DNS",
    ),
    rule(
        START,
        &[SECRET, ABSENT],
        &["oci runtime", "executable file not found", "containererror: ", "security group", "no container instance", "target group"],
        (C::SecretMissing, Medium),
        SECRET_ABSENT,
        SECRET_ABSENT_NEXT,
    ),
    rule(
        START,
        &[SECRET, &["permission", "denied", "decrypt", "kms"]],
        NO_SECRET,
        (C::SecretDenied, Medium),
        SECRET_DENIED,
        SECRET_DENIED_NEXT,
    ),
];
