//! What ECR knows of an image that a container names.

use super::{Str, Time};

/// An image in a private ECR repository, as `DescribeImages` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// `sha256:…` that the tag names now.
    pub digest: Str,
    /// All tags of the image.
    pub tags: Vec<Str>,
    /// Push time.
    pub pushed_at: Option<Time>,
    /// Compressed size in bytes.
    pub size: Option<u64>,
    /// Findings by severity, as a basic or enhanced scan counted them; empty when not scanned.
    pub findings: Vec<(Str, u32)>,
}
