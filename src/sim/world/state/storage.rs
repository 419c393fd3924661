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
    /// Images, oldest first.
    pub images: Vec<Image>,
}

impl Repository {
    /// Without images.
    #[must_use]
    pub fn new(created_at: Ms) -> Self {
        Self { created_at, images: Vec::new() }
    }
}

/// An ECR image.
#[derive(Debug, Clone)]
pub struct Image {
    /// `sha256:…`.
    pub digest: String,
    /// Tags.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Ms,
    /// Compressed size in bytes.
    pub size: u64,
}
