//! What ECR is asked: the image behind a reference, the platforms behind an index, the newest images of a repository.

use super::super::api::{Api, Call};
use super::super::connect::Sdk;
use super::super::failure::{Doing, failure};
use super::super::{AwsError, ErrorKind, convert};
use super::scaling::goes_on;
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Image, ImageUri, RepositoryImages, Str};
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageIdentifier, TagStatus};
use std::sync::Arc;

/// Largest page of images.
const PAGE: i32 = 1000;

/// Pages of a repository that are read. ECR does not order images by age, so what lies beyond may be newer: that is said.
const PAGES: usize = 5;

/// Newest images that are kept of a repository.
const KEPT: usize = 200;

/// Media types under which ECR hands out an index rather than one of its images.
const INDEXES: [&str; 2] = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// Account and region of the registry, or why there are none.
fn registry<'a>(uri: &'a ImageUri, doing: Doing<'_>) -> Result<(&'a str, &'a str), AwsError> {
    uri.ecr().ok_or_else(|| failure(ErrorKind::Invalid, doing, "it is not in a private ECR registry", ""))
}

/// The image behind a reference.
pub(in crate::aws) async fn image(api: &Api, reference: &Str, priority: Priority) -> Result<Value, AwsError> {
    let uri = ImageUri::parse(reference);
    let what = format!("describe image {reference}");
    let action = "ecr:DescribeImages";
    let doing = Doing { action, what: &what, profile: None };
    let (account, region) = registry(&uri, doing)?;
    let mut id = ImageIdentifier::builder();
    // With both, ECR wants the tag to point to that very digest; what runs is the digest.
    match &uri.digest {
        Some(digest) => id = id.image_digest(&**digest),
        None => id = id.image_tag(uri.tag.as_deref().unwrap_or("latest")),
    }
    let call = Call { throttle: Throttle::Images, priority, action, what: &what };
    let ask = |sdk: Arc<Sdk>| {
        sdk.ecr(region).describe_images().registry_id(account).repository_name(&*uri.repository).image_ids(id.clone().build()).send()
    };
    let answer = api.call(call, ask).await?;
    let found: Option<Image> = answer.image_details().first().map(convert::image);
    found.map(|image| Value::Image(Arc::new(image))).ok_or_else(|| failure(ErrorKind::NotFound, doing, "it does not exist", ""))
}

/// The platforms of the index that a reference with a digest names.
pub(super) async fn index(api: &Api, reference: &Str, priority: Priority) -> Result<Value, AwsError> {
    let uri = ImageUri::parse(reference);
    let what = format!("read the index {reference}");
    let action = "ecr:BatchGetImage";
    let doing = Doing { action, what: &what, profile: None };
    let (account, region) = registry(&uri, doing)?;
    let id = ImageIdentifier::builder().set_image_digest(uri.digest.as_deref().map(str::to_owned)).build();
    let call = Call { throttle: Throttle::Images, priority, action, what: &what };
    let ask = |sdk: Arc<Sdk>| {
        let ask = sdk.ecr(region).batch_get_image().registry_id(account).repository_name(&*uri.repository).image_ids(id.clone());
        ask.accepted_media_types(INDEXES[0]).accepted_media_types(INDEXES[1]).send()
    };
    let answer = api.call(call, ask).await?;
    let manifest = answer.images().first().and_then(|image| image.image_manifest());
    let missing = || failure(ErrorKind::NotFound, doing, "ECR has no such index", "");
    Ok(Value::ImageIndex(Arc::new(convert::image_index(manifest.ok_or_else(missing)?))))
}

/// The newest tagged images of a repository, named as `registry/repository`.
pub(super) async fn repository(api: &Api, name: &Str, priority: Priority) -> Result<Value, AwsError> {
    let uri = ImageUri::parse(name);
    let what = format!("list the images of {}", uri.repository);
    let action = "ecr:DescribeImages";
    let (account, region) = registry(&uri, Doing { action, what: &what, profile: None })?;
    let call = Call { throttle: Throttle::Images, priority, action, what: &what };
    let filter = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
    let (mut images, mut token, mut cut) = (Vec::new(), None, false);
    for n in 1..=PAGES {
        let ask = |sdk: Arc<Sdk>| {
            let ask = sdk.ecr(region).describe_images().registry_id(account).repository_name(&*uri.repository).filter(filter.clone());
            ask.max_results(PAGE).set_next_token(token.clone()).send()
        };
        let page = api.call(call, ask).await?;
        images.extend(page.image_details().iter().map(convert::image));
        if !goes_on(&mut token, page.next_token) {
            break;
        }
        cut = n == PAGES;
    }
    images.sort_by(|a, b| (b.pushed_at, &b.digest).cmp(&(a.pushed_at, &a.digest)));
    images.truncate(KEPT);
    let mutability = mutability(api, &uri, (account, region), priority).await;
    Ok(Value::RepositoryImages(Arc::new(RepositoryImages { mutability, images, cut })))
}

/// Whether tags can move; not known where it may not be read.
async fn mutability(api: &Api, uri: &ImageUri, (account, region): (&str, &str), priority: Priority) -> Option<Str> {
    let what = format!("describe the repository {}", uri.repository);
    let call = Call { throttle: Throttle::Images, priority, action: "ecr:DescribeRepositories", what: &what };
    let ask = |sdk: Arc<Sdk>| sdk.ecr(region).describe_repositories().registry_id(account).repository_names(&*uri.repository).send();
    let answer = api.call(call, ask).await.ok()?;
    answer.repositories().first()?.image_tag_mutability().map(|word| convert::clean(word.as_str()))
}
