//! The container registry, as far as it tells what an image tag stands for.

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::{Estate, Image, Repository};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
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
        "DescribeImages" => images(estate, registry, body, "imageDetails", detail),
        "ListImages" => images(estate, registry, body, "imageIds", identifier),
        _ => batch_get(estate, registry, body),
    }
}

fn repositories(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let names: Vec<&str> = body.get("repositoryNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in &names {
        repository(estate, registry, Some(name))?;
    }
    let shown = estate
        .repositories
        .iter()
        .filter(|(name, _)| registry == estate.account && (names.is_empty() || names.contains(&name.as_str())))
        .map(|(name, repository)| {
            json!({
                "repositoryArn": estate.repository_arn(name),
                "registryId": estate.account,
                "repositoryName": name,
                "repositoryUri": format!("{}/{name}", estate.registry()),
                "createdAt": seconds(repository.created_at),
                "imageTagMutability": "MUTABLE",
                "imageScanningConfiguration": {"scanOnPush": false},
                "encryptionConfiguration": {"encryptionType": "AES256"},
            })
        })
        .collect();
    page(body, "repositories", shown)
}

fn images(estate: &Estate, registry: &str, body: &Value, key: &str, show: fn(&Estate, &str, &Image) -> Value) -> Result<Value, ApiError> {
    let (name, found) = repository(estate, registry, body.get("repositoryName").and_then(Value::as_str))?;
    let ids: Vec<&Value> = body.get("imageIds").and_then(Value::as_array).into_iter().flatten().collect();
    if ids.len() > 100 {
        return Err(invalid("imageIds", "Member must have length less than or equal to 100"));
    }
    let status = body.get("filter").and_then(|filter| filter.get("tagStatus")).and_then(Value::as_str).unwrap_or("ANY");
    let shown = if ids.is_empty() {
        let wanted = |image: &&Image| match status {
            "TAGGED" => !image.tags.is_empty(),
            "UNTAGGED" => image.tags.is_empty(),
            _ => true,
        };
        found.images.iter().filter(wanted).map(|image| show(estate, name, image)).collect()
    } else {
        // One image that is not there fails the whole batch.
        let one = |id: &&Value| {
            let image = find(found, id).ok_or_else(|| refuse(400, "ImageNotFoundException", absent(id, name, registry)))?;
            Ok(show(estate, name, image))
        };
        ids.iter().map(one).collect::<Result<Vec<Value>, ApiError>>()?
    };
    page(body, key, shown)
}

fn detail(estate: &Estate, name: &str, image: &Image) -> Value {
    json!({
        "registryId": estate.account,
        "repositoryName": name,
        "imageDigest": image.digest,
        "imageTags": (!image.tags.is_empty()).then_some(&image.tags),
        "imageSizeInBytes": image.size,
        "imagePushedAt": seconds(image.pushed_at),
        "imageManifestMediaType": MANIFEST,
        "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        "imageStatus": "ACTIVE",
    })
}

fn identifier(_: &Estate, _: &str, image: &Image) -> Value {
    json!({"imageDigest": image.digest, "imageTag": image.tags.first()})
}

fn batch_get(estate: &Estate, registry: &str, body: &Value) -> Result<Value, ApiError> {
    let (name, found) = repository(estate, registry, body.get("repositoryName").and_then(Value::as_str))?;
    let ids: Vec<&Value> = body.get("imageIds").and_then(Value::as_array).into_iter().flatten().collect();
    if ids.is_empty() || ids.len() > 100 {
        return Err(invalid("imageIds", "Member must have length between 1 and 100"));
    }
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match find(found, id) {
            Some(image) => images.push(json!({
                "registryId": estate.account,
                "repositoryName": name,
                "imageId": {"imageDigest": image.digest, "imageTag": id.get("imageTag")},
                "imageManifest": manifest(image),
                "imageManifestMediaType": MANIFEST,
            })),
            None => failures.push(json!({
                "imageId": id,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

fn manifest(image: &Image) -> String {
    let config = json!({"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023, "digest": image.digest});
    let layer = json!({
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": image.size, "digest": image.digest,
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
fn find<'a>(repository: &'a Repository, id: &Value) -> Option<&'a Image> {
    let text = |key: &str| id.get(key).and_then(Value::as_str);
    let (digest, tag) = (text("imageDigest"), text("imageTag"));
    if digest.is_none() && tag.is_none() {
        return None;
    }
    repository
        .images
        .iter()
        .rev()
        .find(|image| digest.is_none_or(|digest| image.digest == digest) && tag.is_none_or(|tag| image.tags.iter().any(|own| own == tag)))
}

fn absent(id: &Value, name: &str, registry: &str) -> String {
    let text = |key: &str| id.get(key).and_then(Value::as_str).unwrap_or("null");
    let (digest, tag) = (text("imageDigest"), text("imageTag"));
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
    let from = match body.get("nextToken").and_then(Value::as_str) {
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
