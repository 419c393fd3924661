"""The registry of beside.toml: repositories, images by tag, digest and page, indexes, scans, archived and expired images."""

import json

from harness import always_has, pages, refused


def run(report, sim):
    ecr = sim.client("ecr", sim.contexts["shop"])
    with report.section("repositories"):
        found = {r["repositoryName"]: r for r in pages(report, ecr, "describe_repositories", "repositories")}
        report.equal(found["shop/front"]["imageTagMutability"], "MUTABLE", "mutability of shop/front")
        report.check(found["shop/front"]["imageScanningConfiguration"]["scanOnPush"], "shop/front is scanned on push")
        report.equal(found["shop/orders"]["imageTagMutability"], "IMMUTABLE", "mutability of shop/orders")
        report.equal(found["shop/orders"]["encryptionConfiguration"]["encryptionType"], "KMS", "encryption of shop/orders")
        for name in found:
            always_has(report, found[name], ("repositoryArn", "registryId", "repositoryUri", "createdAt"), name)
        invalid = "InvalidParameterException"
        for size in (0, 1001):
            refused(report, sim.client("ecr", sim.contexts["shop"], validate=False).describe_repositories, invalid, maxResults=size)
        refused(report, ecr.describe_repositories, invalid, repositoryNames=["shop/front"], maxResults=5)
        refused(report, ecr.describe_repositories, invalid, nextToken="no token")
    with report.section("images"):
        images(report, ecr)
    with report.section("what may not be seen"):
        narrow = sim.client("ecr", sim.contexts["looker"], attempts=1)
        report.check(narrow.describe_repositories()["repositories"], "an allowed action of the registry")
        arn = "arn:aws:ecr:eu-west-2:555566667777:repository/shop/front"
        refused(report, narrow.describe_images, "AccessDeniedException", f"ecr:DescribeImages on resource: {arn}", repositoryName="shop/front")


def images(report, ecr):
    name = {"repositoryName": "shop/front"}
    all_images = pages(report, ecr, "describe_images", "imageDetails", **name)
    by_two = pages(report, ecr, "describe_images", "imageDetails", PaginationConfig={"PageSize": 2}, **name)
    report.equal([i["imageDigest"] for i in by_two], [i["imageDigest"] for i in all_images], "images by pages of 2")
    tagged = {tag: image for image in all_images for tag in image.get("imageTags", [])}
    report.check({"production", "production-81", "production-80"} <= set(tagged), f"tags of shop/front: {sorted(tagged)}")
    report.equal(tagged["production"]["imageDigest"], tagged["production-81"]["imageDigest"], "two tags of one image")
    for image in all_images:
        always_has(report, image, ("imageDigest", "imageSizeInBytes", "imagePushedAt", "imageManifestMediaType", "imageStatus"), "an image")
        report.equal(image["imageStatus"], "ACTIVE", "only ACTIVE images come without a filter")
    archived = ecr.describe_images(filter={"imageStatus": "ARCHIVED"}, **name)["imageDetails"]
    report.equal([i["imageTags"] for i in archived], [["production-12"]], "archived images")
    untagged = ecr.describe_images(filter={"tagStatus": "UNTAGGED"}, **name)["imageDetails"]
    report.check(untagged and not any(i.get("imageTags") for i in untagged), "filter tagStatus UNTAGGED")
    findings = tagged["production-80"]["imageScanFindingsSummary"]["findingSeverityCounts"]
    report.equal(findings, {"CRITICAL": 1, "HIGH": 4}, "findings of a scan")
    report.equal(tagged["production-80"]["imageScanStatus"]["status"], "COMPLETE", "the scan's status")
    index = tagged["production"]
    report.check("index" in index["imageManifestMediaType"], f"production is an index: {index['imageManifestMediaType']}")
    got = ecr.batch_get_image(imageIds=[{"imageTag": "production"}], acceptedMediaTypes=[index["imageManifestMediaType"]], **name)
    children = [m["digest"] for m in json.loads(got["images"][0]["imageManifest"])["manifests"]]
    report.equal(len(children), 2, "children of the index")
    report.check(set(children) <= {i["imageDigest"] for i in all_images}, "children are images of the repository")
    by_digest = ecr.describe_images(imageIds=[{"imageDigest": children[0]}], **name)["imageDetails"]
    report.equal(by_digest[0]["imageDigest"], children[0], "a child by its digest")
    listed = pages(report, ecr, "list_images", "imageIds", **name)
    tags = [i["imageTag"] for i in listed if "imageTag" in i]
    report.check({"production", "production-81"} <= set(tags), "list_images names every tag")
    missing = refused(report, ecr.describe_images, "ImageNotFoundException", "imageTag:'gone'", imageIds=[{"imageTag": "production"}, {"imageTag": "gone"}], **name)
    report.check(missing and "shop/front" in missing["Error"]["Message"], "the repository is named")
    refused(report, ecr.describe_images, "ImageNotFoundException", "2026_08", repositoryName="shop/orders", imageIds=[{"imageTag": "2026_08"}])
    many = [{"imageTag": f"t{i}"} for i in range(101)]
    refused(report, ecr.describe_images, "InvalidParameterException", imageIds=many, **name)
    refused(report, ecr.batch_get_image, "InvalidParameterException", imageIds=many, **name)
    mixed = ecr.batch_get_image(imageIds=[{"imageTag": "production-80"}, {"imageTag": "gone"}], **name)
    report.equal([f["failureCode"] for f in mixed["failures"]], ["ImageNotFound"], "batch_get_image of a missing tag")
