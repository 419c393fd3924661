//! Log groups and image repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Ms, TaskDefinition, TaskId};
use crate::sim::scenario::Behaviour;

/// A `CloudWatch` log group.
#[derive(Debug, Clone)]
pub struct LogGroup {
    /// When it was made.
    pub created_at: Ms,
    /// Retention; none keeps for ever.
    pub retention_days: Option<u32>,
    /// Streams by name.
    pub streams: BTreeMap<String, LogStream>,
}

/// A log stream: one container of one task. Its lines are a pure function of
/// the estate's seed, its name and the time asked for.
#[derive(Debug, Clone)]
pub struct LogStream {
    /// The task, maybe gone by now.
    pub task: TaskId,
    /// Index of the container in the task definition.
    pub container: usize,
    /// What ran.
    pub definition: Arc<TaskDefinition>,
    /// How it fared when `sick`.
    pub behaviour: Arc<Behaviour>,
    /// When the container started.
    pub started_at: Ms,
    /// When it ended.
    pub ended_at: Option<Ms>,
    /// Whether the container ended of itself, so that its last words
    /// (the behaviour's `tail`) are the last lines of the stream.
    pub last_words: bool,
    /// The task suffers its revision's behaviour.
    pub sick: bool,
}

/// An ECR repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// When it was made.
    pub created_at: Ms,
    /// `imageTagMutability` IMMUTABLE instead of MUTABLE.
    pub immutable: bool,
    /// A push is scanned.
    pub scan_on_push: bool,
    /// Encrypted by KMS instead of AES256.
    pub kms: bool,
    /// Tags that each push moves.
    pub moving: Vec<String>,
    /// Tags that a lifecycle policy took away.
    pub expired: Vec<String>,
    /// Images, oldest first.
    pub images: Vec<Image>,
}

impl Repository {
    /// An empty one as `CreateRepository` makes it.
    #[must_use]
    pub fn new(created_at: Ms) -> Self {
        let (moving, expired, images) = Default::default();
        Self { created_at, immutable: false, scan_on_push: false, kms: false, moving, expired, images }
    }
}

/// An ECR image, or the index of one for several platforms.
#[derive(Debug, Clone)]
pub struct Image {
    /// `sha256:…`.
    pub digest: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Tags that later pushes took from it.
    pub former: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Ms,
    /// When it was last pulled.
    pub pulled_at: Option<Ms>,
    /// Compressed size in bytes; of an index the size of its largest child.
    pub size: u64,
    /// With children it is an index.
    pub children: Vec<Child>,
    /// Findings by severity of a finished scan; none for an image that was never scanned.
    pub findings: Option<BTreeMap<String, u32>>,
    /// `imageStatus` ARCHIVED instead of ACTIVE.
    pub archived: bool,
    /// Described by the scenario, which then knows which tags it had and when.
    pub declared: bool,
}

/// The image for one platform in an index.
#[derive(Debug, Clone)]
pub struct Child {
    /// `sha256:…`.
    pub digest: String,
    /// `linux/arm64/v8`.
    pub platform: String,
    /// Compressed size in bytes.
    pub size: u64,
}
