//! The container registry, as far as it tells what an image tag stands for.
//!
//! It renders what the world holds; who pushes and what a push does to tags is the world's matter. Images come in no
//! order of time, as AWS gives them.

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::{Child, Estate, Image, Repository};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Pages hold at most so many, and a hundred unless the caller says otherwise.
const LARGEST_PAGE: u64 = 1000;

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    let registry = body.get("registryId").and_then(Value::as_str).unwrap_or(&estate.account);
    match operation {
        "DescribeRepositories" => repositories(estate, registry, body),
        "DescribeImages" => describe_images(estate, registry, body),
        "ListImages" => list_images(estate, registry, body),
        _ => batch_get(estate, registry, body),
    }
}

fn repositories(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let names: Vec<&str> = list(body, "repositoryNames").iter().filter_map(|name| name.as_str()).collect();
    if names.len() > 100 {
        return Err(invalid("repositoryNames", "Member must have length less than or equal to 100"));
    }
    if !names.is_empty() && (body.get("maxResults").is_some() || body.get("nextToken").is_some()) {
        return Err(invalid("maxResults", "Member must not be given together with repositoryNames"));
    }
    for name in &names {
        repository(estate, registry, Some(name))?;
    }
    let shown = estate
        .repositories
        .iter()
        .filter(|(name, _)| registry == estate.account && (names.is_empty() || names.contains(&name.as_str())))
        .map(|(name, repository)| {
            let key = repository.kms.then(|| format!("{}/{name}", estate.arn("kms", "key")));
            json!({
                "repositoryArn": estate.repository_arn(name),
                "registryId": estate.account,
                "repositoryName": name,
                "repositoryUri": format!("{}/{name}", estate.registry()),
                "createdAt": seconds(repository.created_at),
                "imageTagMutability": if repository.immutable { "IMMUTABLE" } else { "MUTABLE" },
                "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
                "encryptionConfiguration": {"encryptionType": if repository.kms { "KMS" } else { "AES256" }, "kmsKey": key},
            })
        })
        .collect();
    page(body, "repositories", shown)
}

/// An image of a repository, or a child of an index: a client sees both.
#[derive(Clone, Copy)]
enum Found<'a> {
    Image(&'a Image),
    Child(&'a Image, &'a Child),
}

impl<'a> Found<'a> {
    fn image(self) -> &'a Image {
        match self {
            Self::Image(image) | Self::Child(image, _) => image,
        }
    }

    fn digest(self) -> &'a str {
        match self {
            Self::Image(image) => &image.digest,
            Self::Child(_, child) => &child.digest,
        }
    }

    fn tags(self) -> &'a [String] {
        match self {
            Self::Image(image) => &image.tags,
            Self::Child(..) => &[],
        }
    }

    fn size(self) -> u64 {
        match self {
            Self::Image(image) => image.size,
            Self::Child(_, child) => child.size,
        }
    }

    fn is_index(self) -> bool {
        matches!(self, Self::Image(image) if !image.children.is_empty())
    }
}

/// Every image in the order of digests, which is none of time.
fn all(repository: &Repository) -> Vec<Found<'_>> {
    let with_children =
        |image| std::iter::once(Found::Image(image)).chain(image.children.iter().map(move |child| Found::Child(image, child)));
    let mut all: Vec<Found<'_>> = repository.images.iter().flat_map(with_children).collect();
    all.sort_by_key(|found| found.digest());
    all
}

fn describe_images(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let (name, repository) = repository(estate, registry, text(body, "repositoryName"))?;
    let ids = list(body, "imageIds");
    if ids.len() > 100 {
        return Err(invalid("imageIds", "Member must have length less than or equal to 100"));
    }
    let shown = if ids.is_empty() {
        filtered(body, all(repository))?.into_iter().map(|found| detail(estate, name, found)).collect()
    } else {
        if body.get("maxResults").is_some() || body.get("nextToken").is_some() {
            return Err(invalid("maxResults", "Member must not be given together with imageIds"));
        }
        // One image that is not there fails the whole batch.
        let one = |id: &&Value| {
            let found = find(repository, id).ok_or_else(|| refuse(400, "ImageNotFoundException", absent(id, name, registry)))?;
            Ok(detail(estate, name, found))
        };
        ids.iter().map(one).collect::<Result<Vec<Value>, ApiError>>()?
    };
    page(body, "imageDetails", shown)
}

fn list_images(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let (_, repository) = repository(estate, registry, text(body, "repositoryName"))?;
    let identifiers = |found: Found<'_>| {
        let digest = found.digest();
        // An image with two tags comes twice.
        let tagged = found.tags().iter().map(|tag| json!({"imageDigest": digest, "imageTag": tag}));
        let untagged = found.tags().is_empty().then(|| json!({"imageDigest": digest}));
        tagged.chain(untagged).collect::<Vec<Value>>()
    };
    let shown = filtered(body, all(repository))?.into_iter().flat_map(identifiers).collect();
    page(body, "imageIds", shown)
}

/// `filter` of both calls; without `imageStatus` only ACTIVE images come.
fn filtered<'a>(body: &Value, images: Vec<Found<'a>>) -> Result<Vec<Found<'a>>, ApiError> {
    let filter = body.get("filter");
    let word = |key: &str, allowed: &[&str]| match filter.and_then(|filter| text(filter, key)) {
        Some(word) if !allowed.contains(&word) => {
            Err(invalid(key, &format!("Member must satisfy enum value set: [{}]", allowed.join(", "))))
        }
        word => Ok(word.map(str::to_owned)),
    };
    let tagged = word("tagStatus", &["TAGGED", "UNTAGGED", "ANY"])?;
    let status = word("imageStatus", &["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])?;
    let wanted = |found: &Found<'a>| {
        let by_tag = match tagged.as_deref() {
            Some("TAGGED") => !found.tags().is_empty(),
            Some("UNTAGGED") => found.tags().is_empty(),
            _ => true,
        };
        by_tag
            && match status.as_deref().unwrap_or("ACTIVE") {
                "ANY" => true,
                "ARCHIVED" => found.image().archived,
                "ACTIVATING" => false,
                _ => !found.image().archived,
            }
    };
    Ok(images.into_iter().filter(wanted).collect())
}

fn detail(estate: &Estate, name: &str, found: Found<'_>) -> Value {
    let (image, index) = (found.image(), found.is_index());
    // An index itself is not scanned, its children are.
    let findings = image.findings.as_ref().filter(|_| !index);
    let scanned_at = seconds(image.pushed_at + 25_000);
    json!({
        "registryId": estate.account,
        "repositoryName": name,
        "imageDigest": found.digest(),
        "imageTags": (!found.tags().is_empty()).then(|| found.tags()),
        "imageSizeInBytes": found.size(),
        "imagePushedAt": seconds(image.pushed_at),
        "imageScanStatus": findings.map(|_| json!({"status": "COMPLETE", "description": "The scan was completed successfully."})),
        "imageScanFindingsSummary": findings.map(|counts| json!({
            "imageScanCompletedAt": scanned_at, "vulnerabilitySourceUpdatedAt": scanned_at, "findingSeverityCounts": counts,
        })),
        "imageManifestMediaType": if index { INDEX } else { MANIFEST },
        "artifactMediaType": (!index).then_some(CONFIG),
        "lastRecordedPullTime": image.pulled_at.map(seconds),
        "imageStatus": if image.archived { "ARCHIVED" } else { "ACTIVE" },
        "lastArchivedAt": image.archived.then(|| seconds(image.pushed_at + 30 * 86_400_000)),
    })
}

fn batch_get(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let (name, repository) = repository(estate, registry, text(body, "repositoryName"))?;
    let ids = list(body, "imageIds");
    if ids.is_empty() || ids.len() > 100 {
        return Err(invalid("imageIds", "Member must have length between 1 and 100"));
    }
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        let fail = |code: &str, reason: &str| json!({"imageId": id, "failureCode": code, "failureReason": reason});
        if text(id, "imageDigest").is_none() && text(id, "imageTag").is_none() {
            failures.push(fail("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"));
            continue;
        }
        match find(repository, id) {
            Some(found) => images.push(json!({
                "registryId": estate.account,
                "repositoryName": name,
                "imageId": {"imageDigest": found.digest(), "imageTag": id.get("imageTag")},
                "imageManifest": manifest(found),
                "imageManifestMediaType": if found.is_index() { INDEX } else { MANIFEST },
            })),
            None => failures.push(fail("ImageNotFound", "Requested image not found")),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

fn manifest(found: Found<'_>) -> String {
    if let Found::Image(image) = found
        && !image.children.is_empty()
    {
        let child = |child: &Child| {
            let mut parts = child.platform.splitn(3, '/');
            let (os, architecture) = (parts.next().unwrap_or("linux"), parts.next().unwrap_or("amd64"));
            let mut platform = json!({"architecture": architecture, "os": os});
            if let Some(variant) = parts.next() {
                platform["variant"] = json!(variant);
            }
            json!({"mediaType": MANIFEST, "digest": child.digest, "size": 1573, "platform": platform})
        };
        let manifests: Vec<Value> = image.children.iter().map(child).collect();
        return json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    }
    let config = json!({"mediaType": CONFIG, "size": 7023, "digest": found.digest()});
    let layer = json!({
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": found.size(), "digest": found.digest(),
    });
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}).to_string()
}

fn repository<'a>(estate: &'a Estate, registry: &str, name: Option<&'a str>) -> Result<(&'a str, &'a Repository), ApiError> {
    let name = name.ok_or_else(|| invalid("repositoryName", "Member must not be null"))?;
    // The registry of another account looks like one without repositories.
    let found = estate.repositories.get(name).filter(|_| registry == estate.account);
    found.map(|found| (name, found)).ok_or_else(|| {
        let message = format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
        refuse(400, "RepositoryNotFoundException", message)
    })
}

/// An image by its digest, its tag, or both if they agree.
fn find<'a>(repository: &'a Repository, id: &Value) -> Option<Found<'a>> {
    let (digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
    if digest.is_none() && tag.is_none() {
        return None;
    }
    let fits = |found: &Found<'_>| {
        digest.is_none_or(|digest| found.digest() == digest) && tag.is_none_or(|tag| found.tags().iter().any(|own| own == tag))
    };
    all(repository).into_iter().find(fits)
}

fn absent(id: &Value, name: &str, registry: &str) -> String {
    let part = |key: &str| text(id, key).unwrap_or("null");
    let (digest, tag) = (part("imageDigest"), part("imageTag"));
    format!(
        "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository with name '{name}' \
         in the registry with id '{registry}'"
    )
}

fn page(body: &Value, key: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let size = match body.get("maxResults").map(Value::as_u64) {
        None => 100,
        Some(Some(size)) if (1..=LARGEST_PAGE).contains(&size) => usize::try_from(size).expect("it is at most a thousand"),
        Some(_) => {
            return Err(invalid("maxResults", "Member must have value between 1 and 1000"));
        }
    };
    let from = match text(body, "nextToken") {
        None => 0,
        Some(token) => offset(key, token).filter(|at| *at < all.len()).ok_or_else(|| invalid("nextToken", "Invalid token"))?,
    };
    let total = all.len();
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    let next = from + shown.len();
    let token = (next < total).then(|| STANDARD.encode(format!("{key}:{next}")));
    Ok(json!({key: shown, "nextToken": token}))
}

fn offset(key: &str, token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix(key)?.strip_prefix(':')?.parse().ok()
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn list<'a>(body: &'a Value, key: &str) -> Vec<&'a Value> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().collect()
}

fn invalid(member: &str, constraint: &str) -> ApiError {
    refuse(400, "InvalidParameterException", format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"))
}

/// JSON services count time in seconds since the epoch, with a fraction.
fn seconds(ms: i64) -> f64 {
    // Exact: milliseconds of this century have 41 bits.
    #[allow(clippy::cast_precision_loss)]
    let ms = ms as f64;
    ms / 1000.0
}
