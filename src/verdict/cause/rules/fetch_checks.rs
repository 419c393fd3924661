//! What to check where something that a start fetches is refused, absent or out of reach: an image, a secret.
//!
//! As in `checks`: rows never change a cause, and the closest come first.

use super::super::Cause as C;
use super::super::fragments::{FAILS_ITSELF, NO_REGION};
use super::super::rule::Check;
use super::checks::check;

const PULL_DENIED: &[C] = &[C::ImagePullDenied];

/// All rows.
pub(super) const ALL: &[Check] = &[
    // Images.
    check(
        PULL_DENIED,
        &[&["private registry credentials"]],
        &[],
        "repositoryCredentials of the container and the secret behind it: that it exists and the execution role may read it",
    ),
    check(
        &[C::ImagePullNetwork],
        &[&["inactivity time"]],
        &[],
        "how large the image's layers are and how fast the instance's disk is (burst balance), then the route to the registry; ECS_IMAGE_PULL_INACTIVITY_TIMEOUT of the agent gives it longer",
    ),
    check(
        PULL_DENIED,
        &[&["starport-layer-bucket", "layer-bucket"]],
        &[],
        "the policy of the S3 gateway endpoint: s3:GetObject on the bucket where ECR keeps its layers; the execution role has no part in it",
    ),
    check(
        &[C::ImagePullNetwork],
        &[&["starport-layer-bucket", "layer-bucket"]],
        FAILS_ITSELF,
        "the way to S3, where ECR keeps its layers: a gateway endpoint in the subnet's route table, or NAT; outbound port 443; DNS",
    ),
    check(
        PULL_DENIED,
        &[&["upstream registry", "pull through cache rule"]],
        &[],
        "the secret of the pull-through cache rule (ecr-pullthroughcache/…): user name and access token of the upstream registry",
    ),
    check(
        PULL_DENIED,
        &[&[".dkr.ecr"], &["403 forbidden"]],
        &["not authorized", "token has expired"],
        "the execution role's ecr rights and the repository's policy; through a pull-through cache: the /library/ prefix of Docker's own images, ecr:BatchImportUpstreamImage and ecr:CreateRepository",
    ),
    check(
        PULL_DENIED,
        &[&["docker.io", "docker hub", "ghcr.io", "quay.io", "gitlab", "gcr.io", "azurecr", "jfrog", "nexus", "harbor"]],
        &["upstream", ".dkr.ecr"],
        "the login at that registry: repositoryCredentials of the container and the secret behind it; and how the name is spelled, for a registry answers so too when there is no such repository",
    ),
    check(
        &[C::ImageNotFound],
        &[&["does not exist in the registry with id"]],
        &[],
        "that the repository is in this account and region, and how its name is spelled; through a pull-through cache: the rule's prefix, and ecr:CreateRepository of the execution role",
    ),
    check(
        &[C::ImagePullRateLimit],
        &[&["public.ecr.aws", "public ecr"]],
        &[],
        "public ECR's own limit, which is higher with a login (ecr-public:GetAuthorizationToken); else pull through ECR's cache or from a copy of the image",
    ),
    check(
        &[C::ImagePullRateLimit],
        &[&[".dkr.ecr", "api.ecr"]],
        &["docker.io", "docker hub", "upstream"],
        "ECR's rates in Service Quotas, and how many tasks start at once",
    ),
    // Secrets.
    check(
        &[C::SecretDenied],
        &[&["pending deletion", "pendingdeletion"]],
        &[],
        "the KMS key, which waits to be deleted: kms CancelKeyDeletion and EnableKey, if it is still needed; else another key for the secret",
    ),
    check(
        &[C::SecretMissing],
        &[&["marked for deletion", "marked deleted", "scheduled for deletion"]],
        &[],
        "who deleted the secret[ {secret}] (CloudTrail DeleteSecret): secretsmanager RestoreSecret, if it is still needed",
    ),
    check(
        &[C::SecretMissing],
        &[&["invalid arn", "unexpected arn"]],
        &[],
        "valueFrom of the task definition: a whole ARN (arn:aws:secretsmanager:region:account:secret:name), and behind it :key:stage:version with all three colons, empty or not",
    ),
    check(&[C::SecretNetwork], &[NO_REGION], &[], "the region in valueFrom of the task definition: that there is such a region"),
    check(
        &[C::SecretNetwork],
        &[FAILS_ITSELF],
        &[],
        "AWS Health for the service that holds the secrets, and the start once more: it passes by itself",
    ),
];
