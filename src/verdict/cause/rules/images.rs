//! Images: refused for rate, made for another platform, absent, denied, out of reach.
//!
//! An error code counts before a hint: "pull access denied" with a `not found` behind it is a missing image.

use super::super::Cause as C;
use super::super::Confidence::{High, Low, Medium};
use super::super::fragments::{ABSENT, FAILS_ITSELF, PULL, REFUSED, UNREACHED};
use super::super::rule::Rule;
use super::{START, rule};

const IMAGE_ABSENT: &str = "the image[ {image}][ tag {tag}] does not exist";
const IMAGE_ABSENT_NEXT: &str = "that the tag is in the repository (lifecycle rules expire tags), and how the name is spelled";

const DENIED: &str = "the image[ {image}] may not be pulled[: {action} is denied][ for role {role}]";
const DENIED_NEXT: &str =
    "the execution role's ecr rights (AmazonECSTaskExecutionRolePolicy), the repository's policy across accounts, or the registry login";

/// Words of unpacking what was pulled: what these do not find is a file, not the image.
const UNPACKED: &[&str] = &["register layer", "extract layer", "unpack image", "system cannot find"];

/// Rate and platform, which a text names beside whatever else failed.
pub(super) const LIMITED: &[Rule] = &[
    rule(
        START,
        &[&["toomanyrequests", "too many requests", "pull rate limit"], &["docker.io", "docker.com", "docker hub", "dockerhub"]],
        &["toomanyrequestsexception"],
        (C::ImagePullRateLimit, High),
        "Docker Hub's limit on pulls is reached[: it refuses to give {image} for now]",
        "log in to Docker Hub (repositoryCredentials), or pull through ECR's cache or from a copy of the image",
    ),
    rule(
        START,
        &[
            &["toomanyrequests", "too many requests", "pull rate limit", "rate limit", " 429 "],
            &["pull", "docker", "registry", "image", "manifest", "ecr", "toomanyrequests"],
        ],
        &["toomanyrequestsexception"],
        (C::ImagePullRateLimit, High),
        "the registry refuses to give the image[ {image}] for now: too many pulls",
        "log in to the registry (repositoryCredentials), or pull through ECR's cache or from a copy of the image",
    ),
    rule(
        START,
        &[&[
            "exec format error",
            "no matching manifest",
            "no match for platform",
            "descriptor matching platform",
            "cannot be used on this platform",
            "does not match the detected host",
            "does not match the specified platform",
            "does not match the host operating system",
            "operating system does not match",
            "incompatible with a",
            "image's platform",
            "wrong architecture",
            "unsupported architecture",
            "architecture mismatch",
            "not supported on this platform",
        ]],
        &[],
        (C::ImageWrongArchitecture, High),
        "the image[ {image}] is not made for this platform[: {platform}][, command {command}]",
        "runtimePlatform of the task definition (or the instance's processor and OS) against what the image was built for",
    ),
];

/// What a pull can fail of.
pub(super) const PULLS: &[Rule] = &[
    rule(
        START,
        &[
            PULL,
            &[
                "whether the image exists",
                "check if the image exists",
                "manifest unknown",
                "manifest_unknown",
                "name unknown",
                "name_unknown",
                "repositorynotfound",
                "imagenotfound",
                "does not exist in the registry",
                "does not exist within the repository",
            ],
        ],
        &["not authorized to perform"],
        (C::ImageNotFound, High),
        IMAGE_ABSENT,
        IMAGE_ABSENT_NEXT,
    ),
    // The agent's own word for a login that it could not get.
    rule(
        START,
        &[PULL, &["autherror", "credentials: not found", "get credentials", "retrieve credentials", "decode docker auth"]],
        UNREACHED,
        (C::ImagePullDenied, High),
        DENIED,
        DENIED_NEXT,
    ),
    // The secret is there, but it holds no login.
    rule(
        START,
        &[
            &[
                "registry auth from asm",
                "registry credentials",
                "asm fetching authorization",
                "asm fetching username",
                "asm fetching password",
            ],
            &["malformed", "empty field", "invalid schema", "unmarshal", "empty secrets value", "empty response"],
        ],
        &[],
        (C::ImagePullDenied, High),
        "the image may not be pulled: the secret of the registry's login cannot be read as one[: {detail}]",
        "that the secret in repositoryCredentials is JSON with username and password",
    ),
    rule(
        START,
        &[PULL, &["authorization token has expired"]],
        &[],
        (C::ImagePullDenied, High),
        "the image[ {image}] may not be pulled: the authorization token has expired",
        "the clock of the host, for a token holds twelve hours, and the login that the agent keeps (restart the agent); then try again",
    ),
    rule(START, &[PULL, REFUSED], UNPACKED, (C::ImagePullDenied, High), DENIED, DENIED_NEXT),
    // It was reached, and fails by itself.
    rule(
        START,
        &[PULL, FAILS_ITSELF],
        &["dial ", "proxyconnect"],
        (C::ImagePullNetwork, High),
        "the registry[ of {image}] answers with an error of its own[: {answer}]",
        "the registry's own status page (for ECR AWS Health), and the pull once more: it passes by itself",
    ),
    rule(
        START,
        &[PULL, UNREACHED],
        &[],
        (C::ImagePullNetwork, High),
        "the registry[ of {image}] cannot be reached[ at {host}]",
        "a route out: NAT or assignPublicIp, or endpoints for ecr.api, ecr.dkr and s3; security groups; DNS",
    ),
    rule(START, &[PULL, ABSENT], UNPACKED, (C::ImageNotFound, High), IMAGE_ABSENT, IMAGE_ABSENT_NEXT),
    rule(START, &[&["no such image"]], &[], (C::ImageNotFound, High), IMAGE_ABSENT, IMAGE_ABSENT_NEXT),
    rule(
        START,
        &[PULL, &["invalid reference", "normalize image"]],
        &[],
        (C::ImageNotFound, Medium),
        "the image[ {image}] is no valid name of an image",
        "how the image is spelled in the task definition",
    ),
    rule(
        START,
        &[&["pull command failed", "error pulling image conf", "the task cannot pull", "=cannotpullcontainererror: api error"]],
        &["secrets"],
        (C::ImagePullNetwork, Low),
        "the registry[ of {image}], or the S3 behind it, did not answer as it should",
        "a route out: NAT or assignPublicIp, or endpoints for ecr.api, ecr.dkr and s3; security groups; DNS",
    ),
    rule(
        START,
        &[PULL, &[": denied", "permissions to pull", "permission to pull"]],
        UNPACKED,
        (C::ImagePullDenied, Medium),
        DENIED,
        DENIED_NEXT,
    ),
    // It came, but it is broken, or the disk's driver is.
    rule(
        START,
        &[
            PULL,
            &[
                "register layer",
                "extract layer",
                "unpack image",
                "layers and diffids",
                "stream processor",
                "unexpected commit digest",
                "failed size validation",
                "invalid checksum",
                "filesystem layer verification failed",
                "archive/tar",
            ],
        ],
        &[],
        (C::Other, High),
        "the image[ {image}] could not be unpacked[: {detail}]",
        "the image itself (build and push it again, without attestations if an old runtime reads it) and, on an instance, docker's storage",
    ),
    rule(
        START,
        &[PULL, &["unexpected status"]],
        &[],
        (C::ImagePullDenied, Low),
        "the image[ {image}] was refused by its registry with a status that the text does not name",
        "the execution role's ecr and s3 rights, endpoint policies, and the route to the registry",
    ),
];
