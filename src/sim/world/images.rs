//! Images of the account's registry: how the scenario fills it, what a push does to tags, and what an image name
//! resolves to now or resolved to in the past. ECS resolves a tag once for each deployment; who asks says when.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::state::{Child, Estate, Image, Ms, Repository, Task, TaskDefinition};
use crate::sim::rng::hash;
use crate::sim::scenario::schema as file;

impl Estate {
    /// A repository of the scenario with its images.
    pub(super) fn build_repository(&mut self, file: &file::Repository, opened: Ms) {
        let mut images: Vec<Image> = file.image.iter().map(|image| declared(&file.name, image, file.scan_on_push, opened)).collect();
        images.sort_by_key(|image| image.pushed_at);
        let repository = Repository {
            created_at: opened - file.age.0,
            immutable: file.mutability == file::Mutability::Immutable,
            scan_on_push: file.scan_on_push,
            kms: file.kms,
            moving: file.moving.clone(),
            expired: file.expired.clone(),
            images,
        };
        self.repositories.insert(file.name.clone(), repository);
    }

    /// Repository and tag of an image in this account's registry.
    fn own_image<'a>(&self, image: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = image.strip_prefix(&self.registry())?.strip_prefix('/')?;
        let rest = rest.split_once('@').map_or(rest, |(tagged, _)| tagged);
        Some(rest.rsplit_once(':').unwrap_or((rest, "latest")))
    }

    /// The digest that an image resolved to at a time; none when the own registry did not hold it then.
    pub(super) fn image_digest(&self, image: &str, at: Ms) -> Option<String> {
        if let Some((_, digest)) = image.split_once('@') {
            return Some(digest.to_owned());
        }
        let Some((repository, tag)) = self.own_image(image) else {
            return Some(digest_of(image));
        };
        let repository = self.repositories.get(repository)?;
        let past = at < self.now;
        let bears = |image: &&Image| {
            let has = |tags: &[String]| tags.iter().any(|own| own == tag);
            has(&image.tags) || past && image.pushed_at <= at && has(&image.former)
        };
        let of_then = repository.images.iter().rev().find(|image| image.pushed_at <= at && bears(image));
        // A tag that was never moved is the same image whenever one asks.
        of_then.or_else(|| repository.images.iter().find(bears)).map(|image| image.digest.clone())
    }

    /// What the images of a task definition resolved to at a time, in its order; empty for one that is not there.
    pub(super) fn resolve_images(&self, definition: &TaskDefinition, at: Ms) -> Vec<String> {
        definition.containers.iter().map(|c| self.image_digest(&c.image, at).unwrap_or_default()).collect()
    }

    /// Whether an image that was resolved to a digest can be pulled.
    pub(super) fn can_pull(&self, image: &str, digest: &str) -> bool {
        let Some((repository, _)) = self.own_image(image) else { return !digest.is_empty() };
        let images = self.repositories.get(repository).map_or(&[][..], |r| &r.images);
        let holds = |i: &Image| i.digest == digest || i.children.iter().any(|child| child.digest == digest);
        images.iter().any(|image| holds(image) && !image.archived)
    }

    /// The digest that a container reports: of an index it runs the child of its platform.
    #[must_use]
    pub fn platform_digest<'a>(&'a self, task: &Task, image: &str, digest: &'a str) -> &'a str {
        let Some((repository, _)) = self.own_image(image) else { return digest };
        let images = self.repositories.get(repository).map_or(&[][..], |r| &r.images);
        let Some(index) = images.iter().find(|i| i.digest == digest && !i.children.is_empty()) else { return digest };
        let arm = task.definition.document.contains("\"cpuArchitecture\":\"ARM64\"");
        let wanted = if arm { "arm64" } else { "amd64" };
        index.children.iter().find(|child| child.platform.contains(wanted)).map_or(digest, |child| &child.digest)
    }

    /// Notes that an image was pulled.
    pub(super) fn note_pull(&mut self, image: &str, digest: &str) {
        let now = self.now;
        let repository = self.own_image(image).map(|(repository, _)| repository.to_owned());
        let images = repository.and_then(|name| self.repositories.get_mut(&name)).map(|r| &mut r.images);
        if let Some(image) = images.into_iter().flatten().find(|i| i.digest == digest) {
            image.pulled_at = Some(now);
        }
    }

    /// Lays an image down that a revision of the past names, unless the scenario knows better.
    pub(super) fn seed_image(&mut self, repository: &str, tag: &str, revision: u32, at: Ms) {
        // Drawn in any case, so that a declared image does not shift the rest of the world.
        let size = self.rng.between(38_000_000, 410_000_000).unsigned_abs();
        let known = self.repositories.entry(repository.to_owned()).or_insert_with(|| Repository::new(at));
        let named = |tags: &[String]| tags.iter().any(|own| own == tag);
        let gone = known.expired.iter().any(|own| own == tag);
        let moves = known.moving.iter().any(|own| own == tag);
        // Declared images have a history of their own.
        if gone || known.images.iter().any(|i| (!moves || i.declared) && (named(&i.tags) || named(&i.former))) {
            return;
        }
        let extra = moves.then(|| format!("{tag}-{revision}"));
        self.put_image(repository, tag, extra, at, size);
    }

    /// Pushes an image to the own registry. A moving tag comes with one of its own, made with the build's number.
    pub(super) fn push_image(&mut self, repository: &str, tag: &str, build: u32, at: Ms) {
        let size = self.rng.between(38_000_000, 410_000_000).unsigned_abs();
        let known = self.repositories.entry(repository.to_owned()).or_insert_with(|| Repository::new(at));
        let moves = known.moving.iter().any(|own| own == tag);
        let extra = moves.then(|| format!("{tag}-{build}"));
        self.put_image(repository, tag, extra, at, size);
    }

    /// From now on each push moves a tag of a repository.
    pub(super) fn let_move(&mut self, repository: &str, tag: &str, at: Ms) {
        let moving = &mut self.repositories.entry(repository.to_owned()).or_insert_with(|| Repository::new(at)).moving;
        if !moving.iter().any(|own| own == tag) {
            moving.push(tag.to_owned());
        }
    }

    /// A lifecycle policy takes an image away: `REPOSITORY:TAG`.
    pub(super) fn expire_image(&mut self, image: &str) {
        let Some((repository, tag)) = image.rsplit_once(':') else { return };
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.images.retain(|i| !i.tags.iter().any(|t| t == tag));
            repository.expired.push(tag.to_owned());
        }
    }

    /// Whether each push moves a tag of a repository.
    pub(super) fn tag_moves(&self, repository: &str, tag: &str) -> bool {
        self.repositories.get(repository).is_some_and(|r| r.moving.iter().any(|own| own == tag))
    }

    fn put_image(&mut self, repository: &str, tag: &str, extra: Option<String>, at: Ms, size: u64) {
        let named = extra.as_deref().unwrap_or(tag);
        let digest = digest_of(&format!("{}/{repository}:{named}", self.registry()));
        let Some(into) = self.repositories.get_mut(repository) else { return };
        if into.images.iter().any(|i| i.digest == digest) {
            return;
        }
        let taken = into.images.iter().any(|i| i.tags.iter().any(|own| own == tag));
        if taken && (into.immutable || extra.is_none()) {
            // ImageTagAlreadyExistsException to whoever pushed; an equal image otherwise.
            return;
        }
        for image in &mut into.images {
            if let Some(had) = image.tags.iter().position(|own| own == tag) {
                let lost = image.tags.remove(had);
                image.former.push(lost);
            }
        }
        let tags = std::iter::once(tag.to_owned()).chain(extra).collect();
        let findings = into.scan_on_push.then(BTreeMap::new);
        let image = Image {
            digest,
            tags,
            former: Vec::new(),
            pushed_at: at,
            pulled_at: None,
            size,
            children: Vec::new(),
            findings,
            archived: false,
            declared: false,
        };
        let place = into.images.partition_point(|i| i.pushed_at <= at);
        into.images.insert(place, image);
    }
}

fn declared(repository: &str, file: &file::Image, scanned: bool, opened: Ms) -> Image {
    let name = format!("{repository} {:?} {:?} {}", file.tags, file.was, file.pushed.0);
    let size = file.size.unwrap_or_else(|| 38_000_000 + hash(&name) % 200_000_000);
    let child = |platform: &String| {
        let key = format!("{name} {platform}");
        Child { digest: digest_of(&key), platform: platform.clone(), size: size - hash(&key) % (size / 10 + 1) }
    };
    let children = if file.platforms.len() > 1 { file.platforms.iter().map(child).collect() } else { Vec::new() };
    Image {
        digest: digest_of(&name),
        tags: file.tags.clone(),
        former: file.was.clone(),
        pushed_at: opened - file.pushed.0,
        pulled_at: file.pulled.map(|span| opened - span.0),
        size,
        children,
        findings: (scanned || !file.scan.is_empty()).then(|| file.scan.clone()),
        archived: file.archived,
        declared: true,
    }
}

/// `sha256:…` of a text: stable, and looks like a digest because it is one.
pub(super) fn digest_of(text: &str) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}
