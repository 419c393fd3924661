//! Names that AWS gives to things: ARNs and image references, kept whole, read in part.

use super::Str;
use std::fmt;

/// An Amazon Resource Name. Two rows are the same row exactly when their ARNs are equal.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Arn(pub Str);

impl Arn {
    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last slash: a cluster's, service's or task's short name; `family:revision` of a task definition.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The account's twelve digits, or nothing when the text is no ARN.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or("")
    }

    /// The region, or nothing when the text is no ARN.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or("")
    }

    /// The target group's name inside `…:targetgroup/NAME/ID`; any other ARN's [`Arn::name`].
    #[must_use]
    pub fn target_group_name(&self) -> &str {
        self.0.split(":targetgroup/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_else(|| self.name())
    }

    /// The cluster's name inside a service's or task's long ARN, `…:service/CLUSTER/NAME`.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        let parts: Vec<&str> = self.0.rsplit(':').next()?.split('/').collect();
        (parts.len() == 3).then(|| parts[1])
    }
}

impl From<&str> for Arn {
    fn from(text: &str) -> Self {
        Arn(text.into())
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image reference taken apart: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG@DIGEST` and its simpler kin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageUri {
    /// Registry host; empty for Docker Hub's short form.
    pub registry: Str,
    /// Repository, slashes included.
    pub repository: Str,
    /// Tag; `latest` when neither tag nor digest is named.
    pub tag: Option<Str>,
    /// `sha256:…`.
    pub digest: Option<Str>,
}

impl ImageUri {
    /// Takes a reference apart. Anything parses: what is not understood ends up in the repository.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest.into())));
        let (registry, path) = match rest.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("", rest),
        };
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.into())),
            _ => (path, None),
        };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".into()));
        ImageUri { registry: registry.into(), repository: repository.into(), tag, digest }
    }

    /// Account and region of a private ECR registry; nothing for any other registry.
    #[must_use]
    pub fn ecr(&self) -> Option<(&str, &str)> {
        let mut parts = self.registry.split('.');
        let account = parts.next().filter(|a| a.len() == 12 && a.bytes().all(|b| b.is_ascii_digit()))?;
        match (parts.next()?, parts.next()?) {
            ("dkr", "ecr" | "ecr-fips") => parts.next().map(|region| (account, region)),
            ("dkr-ecr", region) => Some((account, region)),
            _ => None,
        }
    }

    /// The registry as people call it, for an image that is in no private ECR registry.
    #[must_use]
    pub fn registry_name(&self) -> &str {
        match &*self.registry {
            "" | "docker.io" | "index.docker.io" | "registry-1.docker.io" => "Docker Hub",
            "public.ecr.aws" => "ECR Public",
            host => host,
        }
    }

    /// `registry/repository`, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        if self.registry.is_empty() { self.repository.to_string() } else { format!("{}/{}", self.registry, self.repository) }
    }

    /// What a reader tells releases apart by: the tag, else the first twelve digits of the digest.
    #[must_use]
    pub fn short(&self) -> &str {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => tag,
            (None, Some(digest)) => digest.strip_prefix("sha256:").map_or(digest, |hex| hex.get(..12).unwrap_or(hex)),
            (None, None) => "latest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_its_parts() {
        let arn = Arn::from("arn:aws:ecs:eu-west-1:123456789012:service/payments/checkout");
        assert_eq!((arn.name(), arn.account(), arn.region()), ("checkout", "123456789012", "eu-west-1"));
        assert_eq!(arn.cluster_name(), Some("payments"));
        let group = Arn::from("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/tg-checkout/0123456789abcdef");
        assert_eq!(group.target_group_name(), "tg-checkout");
    }

    #[test]
    fn an_image_reference_tells_registry_repository_tag_and_digest() {
        let ecr = ImageUri::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/checkout:v2");
        assert_eq!(ecr.ecr(), Some(("123456789012", "eu-west-1")));
        assert_eq!((&*ecr.repository, ecr.short()), ("shop/checkout", "v2"));
        let hub = ImageUri::parse("busybox");
        assert_eq!((hub.ecr(), &*hub.repository, hub.short()), (None, "busybox", "latest"));
        assert_eq!((hub.registry_name(), hub.name()), ("Docker Hub", "busybox".to_owned()));
        let pinned = ImageUri::parse("host:5000/app@sha256:0123456789abcdef");
        assert_eq!((&*pinned.registry, pinned.tag.as_deref(), pinned.short()), ("host:5000", None, "0123456789ab"));
    }
}
