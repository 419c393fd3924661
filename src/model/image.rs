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

/// How the digest that a task tells stands to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It is the image.
    Itself,
    /// The image is an index, and it is one of its platforms, `linux/arm64` where that is told.
    Platform(Option<Str>),
    /// It is something else.
    No,
    /// The image is an index whose platforms are not known (yet).
    Unread,
}

/// The reference by which the platforms of an image are asked for; nothing for an image of one platform.
#[must_use]
pub fn index_of(name: &str, image: &Image) -> Option<Str> {
    image.is_index().then(|| format!("{name}@{}", image.digest).into())
}

/// The platform of an index that stands for all of it: one of `running`, else that of most machines, else the first that is told. What
/// is no image, as a signature, has no platform that is known.
#[must_use]
pub fn foremost<'a>(index: &'a ImageIndex, running: &dyn Fn(&str) -> bool) -> Option<(&'a Str, &'a str)> {
    let images = || {
        let told = |(digest, platform): &'a (Str, Option<Str>)| Some((digest, platform.as_deref()?));
        index.children.iter().filter_map(told).filter(|(_, platform)| !platform.starts_with("unknown"))
    };
    let runs = images().find(|(digest, _)| running(digest));
    runs.or_else(|| images().find(|(_, platform)| *platform == "linux/amd64")).or_else(|| images().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_stands_for_an_index_and_a_signature_never_does() {
        let child = |digest: &str, platform: Option<&str>| (Str::from(digest), platform.map(Str::from));
        let index = ImageIndex {
            children: vec![
                child("s", Some("unknown/unknown")),
                child("x", None),
                child("r", Some("linux/arm64")),
                child("i", Some("linux/amd64")),
            ],
        };
        let of = |running: &str| {
            foremost(&index, &|digest| digest == running).map(|(digest, platform)| (digest.to_string(), platform.to_owned()))
        };
        assert_eq!(of("r"), Some(("r".to_owned(), "linux/arm64".to_owned())));
        assert_eq!(of("nothing"), Some(("i".to_owned(), "linux/amd64".to_owned())));
        assert_eq!(foremost(&ImageIndex { children: vec![child("s", Some("unknown/unknown"))] }, &|_| true), None);
    }
}
