//! What ECR knows of the images that containers name.

use super::{Str, Time};

/// An image in a private ECR repository, as `DescribeImages` gives it.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Media type of the manifest.
    pub media_type: Option<Str>,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`, when told; an archived image cannot be pulled.
    pub status: Option<Str>,
}

impl Image {
    /// Whether the tag names a list of images, one for each platform: a task may then report the digest of either.
    #[must_use]
    pub fn is_index(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_index)
    }
}

/// Whether a media type is that of an index: OCI's word and Docker's.
#[must_use]
pub fn is_index(media_type: &str) -> bool {
    media_type.contains("image.index") || media_type.contains("manifest.list")
}

/// The images that an index names, one for each platform.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageIndex {
    /// Digest, with `linux/arm64` and the like when told.
    pub children: Vec<(Str, Option<Str>)>,
}

/// A repository with its images, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryImages {
    /// `MUTABLE`, `IMMUTABLE`, `MUTABLE_WITH_EXCLUSION`, …; absent when not known.
    pub mutability: Option<Str>,
    /// Tagged images, newest push first.
    pub images: Vec<Image>,
    /// Whether there are more than were read. ECR does not order them, so the newest may be among the others.
    pub cut: bool,
}
