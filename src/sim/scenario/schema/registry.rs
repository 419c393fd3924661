//! `[[repository]]` of a scenario file: an ECR repository and images beside those that services name.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::sim::scenario::Span;

/// `[[repository]]`. A repository that a service names and that stands nowhere here is made as well, mutable and unscanned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Name; may hold slashes.
    pub name: String,
    /// Context whose account and region hold it.
    pub context: Spanned<String>,
    /// Age.
    #[serde(default = "two_years")]
    pub age: Span,
    /// `imageTagMutability`.
    #[serde(default)]
    pub mutability: Mutability,
    /// Whether a push is scanned. Images get a summary then, without findings unless `scan` says some.
    #[serde(default)]
    pub scan_on_push: bool,
    /// Encrypted by KMS rather than AES256.
    #[serde(default)]
    pub kms: bool,
    /// Tags that each push moves, beside a tag of its own: a release of an image with tag `production` pushes it
    /// again, and as `production-<build>`.
    #[serde(default)]
    pub moving: Vec<String>,
    /// Tags that a lifecycle policy has expired: revisions name them, the repository has them no more.
    #[serde(default)]
    pub expired: Vec<String>,
    /// Images.
    #[serde(default)]
    pub image: Vec<Image>,
}

/// `[[repository.image]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its tags; none for an untagged image.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Tags that it had until a later push took them.
    #[serde(default)]
    pub was: Vec<String>,
    /// How long ago it was pushed.
    pub pushed: Span,
    /// How long ago it was last pulled; default never.
    pub pulled: Option<Span>,
    /// Compressed size in bytes; default some dozens of MB.
    pub size: Option<u64>,
    /// `linux/amd64`, `linux/arm64/v8`: with more than one, the tag is that of an index.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// Findings by severity, such as `{ CRITICAL = 1, HIGH = 4 }`; makes the image a scanned one.
    #[serde(default)]
    pub scan: BTreeMap<String, u32>,
    /// `imageStatus` ARCHIVED instead of ACTIVE.
    #[serde(default)]
    pub archived: bool,
}

/// `imageTagMutability` of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Mutability {
    /// A push may take a tag from another image.
    #[default]
    #[serde(rename = "MUTABLE")]
    Mutable,
    /// A tag stays where it is.
    #[serde(rename = "IMMUTABLE")]
    Immutable,
}

fn two_years() -> Span {
    Span::minutes(2 * 365 * 24 * 60)
}
