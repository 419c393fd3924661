"""STS and ECR, and who may do what: signatures, keys, allow-lists, throttles, unknown operations, garbage."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from harness import eventually, make_client, pages, refused


def run(report, sim):
    for context in sim.contexts.values():
        with report.section(f"STS of {context['name']}"):
            sts(report, sim, context)
        with report.section(f"ECR of {context['name']}"):
            ecr(report, sim, context)
    first = next(iter(sim.contexts.values()))
    with report.section("wrong keys and signatures"):
        signatures(report, sim, first)
    with report.section("operations and services that are not offered"):
        unknown(report, sim, first)
    with report.section("bytes that are no request"):
        garbage(report, sim, first)


def sts(report, sim, context):
    client = sim.client("sts", context)
    me = client.get_caller_identity()
    report.equal(me["Account"], context["account"], "the caller's account")
    report.check(re.match(r"arn:aws:(sts|iam)::\d{12}:", me["Arn"]), f"the caller's ARN is {me['Arn']}")
    name = me["Arn"].split("/")[1]
    role = f"arn:aws:iam::{context['account']}:role/{name}"
    reply = client.assume_role(RoleArn=role, RoleSessionName="contract")
    report.equal(reply["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{context['account']}:assumed-role/{name}/contract", "the assumed role")
    keys = reply["Credentials"]
    report.check(keys["AccessKeyId"].startswith("ASIA"), f"temporary keys begin with ASIA: {keys['AccessKeyId']}")
    temporary = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assumed = sim.client("sts", context, keys=temporary).get_caller_identity()
    report.equal(assumed["Arn"], reply["AssumedRoleUser"]["Arn"], "the caller with temporary keys")
    mine = sim.client("ecs", context).list_clusters()["clusterArns"]
    report.equal(sim.client("ecs", context, keys=temporary).list_clusters()["clusterArns"], mine, "temporary keys see the same clusters")
    refused(report, sim.client("sts", context, validate=False).assume_role, "ValidationError", RoleArn=role)
    refused(report, client.assume_role, "AccessDenied", "is not authorized to perform: sts:AssumeRole", 403, RoleArn=role + "x", RoleSessionName="contract")


def ecr(report, sim, context):
    client = sim.client("ecr", context)
    repositories = pages(report, client, "describe_repositories", "repositories")
    report.check(repositories, f"{context['name']} has repositories")
    for repository in repositories:
        name = repository["repositoryName"]
        uri = f"{context['account']}.dkr.ecr.{context['region']}.amazonaws.com/{name}"
        report.equal(repository["repositoryUri"], uri, f"repositoryUri of {name}")
        images = pages(report, client, "describe_images", "imageDetails", repositoryName=name)
        report.check(images, f"{name} has images")
        tagged = [i for i in images if i.get("imageTags")]
        if tagged:
            tag = tagged[0]["imageTags"][0]
            one = client.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])["imageDetails"]
            report.equal([i["imageDigest"] for i in one], [tagged[0]["imageDigest"]], f"{name}:{tag} by its tag")
            got = client.batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}, {"imageTag": "no-such-tag"}])
            report.equal([i["imageId"]["imageDigest"] for i in got["images"]], [tagged[0]["imageDigest"]], f"batch_get_image {name}:{tag}")
            report.equal([f["failureCode"] for f in got["failures"]], ["ImageNotFound"], "batch_get_image of an unknown tag")
        refused(report, client.describe_images, "ImageNotFoundException", repositoryName=name, imageIds=[{"imageTag": "no-such-tag"}])
    refused(report, client.describe_images, "RepositoryNotFoundException", repositoryName="no-such-repository")
    refused(report, client.describe_repositories, "RepositoryNotFoundException", repositoryNames=["no-such-repository"])


def signatures(report, sim, context):
    key, secret = context["access_key"], context["secret_key"]
    words = "The request signature we calculated does not match the signature you provided."
    for service, call, wrong, stranger in (
        ("ecs", "list_clusters", "InvalidSignatureException", "UnrecognizedClientException"),
        ("logs", "describe_log_groups", "InvalidSignatureException", "UnrecognizedClientException"),
        ("ecr", "describe_repositories", "InvalidSignatureException", "UnrecognizedClientException"),
        ("application-autoscaling", "describe_scalable_targets", "InvalidSignatureException", "UnrecognizedClientException"),
        ("codedeploy", "list_applications", "InvalidSignatureException", "UnrecognizedClientException"),
        ("elbv2", "describe_target_groups", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId"),
    ):
        # JSON services answer 400, query services 403.
        status = 403 if service in ("elbv2", "sts") else 400
        forged = sim.client(service, context, keys=(key, secret[:-1] + ("A" if secret[-1] != "A" else "B")), attempts=1)
        more = {"ServiceNamespace": "ecs"} if service == "application-autoscaling" else {}
        refused(report, getattr(forged, call), wrong, words, status, **more)
        foreign = sim.client(service, context, keys=("AKIAQQQQQQQQQQQQQQQQ", secret), attempts=1)
        refused(report, getattr(foreign, call), stranger, "The security token included in the request is invalid", status, **more)


def unknown(report, sim, context):
    ecs = sim.client("ecs", context, attempts=1)
    refused(report, ecs.list_account_settings, "UnknownOperationException")
    refused(report, ecs.delete_cluster, "UnknownOperationException", cluster="a")
    refused(report, sim.client("ssm", context, attempts=1).list_documents, "UnknownOperationException")
    refused(report, sim.client("elbv2", context, attempts=1).describe_ssl_policies, "InvalidAction")
    refused(report, sim.client("sts", context, attempts=1).get_session_token, "InvalidAction")
    for service, call in (("s3", "list_buckets"), ("cloudtrail", "describe_trails"), ("lambda", "list_functions")):
        client = sim.client(service, context, attempts=1)
        try:
            getattr(client, call)()
            report.check(False, f"{service}.{call} was answered")
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            report.check(400 <= status < 500, f"{service}.{call} is refused with {status}, not a 4xx")


def garbage(report, sim, context):
    place = urlparse(sim.endpoint)

    def send(data):
        with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
            connection.sendall(data)
            reply = b""
            while chunk := connection.recv(65536):
                reply += chunk
            return reply

    def post(target, body, more=""):
        head = f"POST / HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n"
        return (head + f"Content-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n{body}").encode()

    unsigned = send(post("AmazonEC2ContainerServiceV20141113.ListClusters", "{}"))
    report.check(b"MissingAuthenticationToken" in unsigned, f"an unsigned request: {unsigned[:300]!r}")
    report.check(unsigned.startswith(b"HTTP/1.1 4"), "an unsigned request is a 4xx")
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    head = f"POST / HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    unsigned = send((head + f"Content-Length: {len(form)}\r\nConnection: close\r\n\r\n{form}").encode())
    report.check(b"MissingAuthenticationToken" in unsigned, f"an unsigned query request: {unsigned[:400]!r}")
    for data in (b"\x00\xff\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"PUT /a/b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"):
        reply = send(data)
        report.check(reply == b"" or reply.startswith(b"HTTP/1.1 4"), f"{data[:20]!r} is answered {reply[:100]!r}")
    ecs = make_client(report, "ecs", sim.endpoint, context["region"], (context["access_key"], context["secret_key"]), attempts=1, validate=False)

    def broken(request, **_):
        request.data = b"{not json"

    ecs.meta.events.register("before-sign.ecs.ListClusters", lambda request, **_: broken(request))
    refused(report, ecs.list_clusters, "SerializationException")
    refused(report, sim.client("ecs", context, validate=False, attempts=1).list_services, "SerializationException", cluster=7)
    report.check(sim.client("ecs", context).list_clusters()["clusterArns"], "the server still answers")


def doors(report, sim):
    """Allow-lists and expiry; `sim` runs doors.toml."""
    everything, reader = sim.contexts["everything"], sim.contexts["reader"]
    with report.section("allow-lists"):
        ecs = sim.client("ecs", reader, attempts=1)
        arns = ecs.list_clusters()["clusterArns"]
        report.equal(arns, sim.client("ecs", everything).list_clusters()["clusterArns"], "two keys of one account see the same")
        report.equal(len(ecs.describe_services(cluster=arns[0], services=["a"])["failures"]), 1, "an allowed action by its own name")
        me = "User: arn:aws:sts::123456789012:assumed-role/Reader/night is not authorized to perform: "

        def denied(call, action, code="AccessDeniedException", status=400, **arguments):
            reply = refused(report, call, code, me + action, status, **arguments)
            text = reply["Error"]["Message"] if reply else ""
            report.check(text.endswith(f"because no identity-based policy allows the {action} action"), f"AWS's words for a denied {action}: {text}")

        denied(ecs.describe_clusters, "ecs:DescribeClusters", clusters=arns)
        denied(ecs.describe_tasks, "ecs:DescribeTasks", cluster=arns[0], tasks=["a"])
        denied(ecs.update_service, "ecs:UpdateService", cluster=arns[0], service="a", desiredCount=1)
        logs = sim.client("logs", reader, attempts=1)
        report.equal(logs.describe_log_groups()["logGroups"], [], "an allowed action of Logs")
        denied(logs.describe_log_streams, "logs:DescribeLogStreams", logGroupName="a")
        group = "arn:aws:logs:eu-west-1:123456789012:log-group:a"
        denied(logs.start_live_tail, "logs:StartLiveTail", logGroupIdentifiers=[group])
        denied(sim.client("ecr", reader, attempts=1).describe_repositories, "ecr:DescribeRepositories")
        elb = sim.client("elbv2", reader, attempts=1)
        denied(elb.describe_target_groups, "elasticloadbalancing:DescribeTargetGroups", "AccessDenied", 403)
        me_again = sim.client("sts", reader).get_caller_identity()["Arn"]
        report.equal(me_again, "arn:aws:sts::123456789012:assumed-role/Reader/night", "GetCallerIdentity needs no permission")
    with report.section("temporary keys and expiry"):
        temporary, expired = sim.contexts["temporary"], sim.contexts["expired"]
        report.equal(sim.client("ecs", temporary).list_clusters()["clusterArns"], arns, "temporary keys with their token")
        bare = (temporary["access_key"], temporary["secret_key"])
        words = "The security token included in the request is "
        refused(report, sim.client("ecs", temporary, keys=bare, attempts=1).list_clusters, "UnrecognizedClientException", words + "invalid")
        late = sim.client("ecs", expired, attempts=1)

        def ended():
            try:
                late.list_clusters()
                return False
            except ClientError:
                return True

        eventually(report, ended, "keys that last a second end")
        refused(report, late.list_clusters, "ExpiredTokenException", words + "expired")
        refused(report, sim.client("logs", expired, attempts=1).describe_log_groups, "ExpiredTokenException", words + "expired")
        refused(report, sim.client("elbv2", expired, attempts=1).describe_target_groups, "ExpiredToken", words + "expired", 403)
        refused(report, sim.client("sts", expired, attempts=1).get_caller_identity, "ExpiredToken", words + "expired", 403)


def throttles(report, sim):
    """Buckets of AWS's documented size; each client shows every refusal. `sim` is used for nothing else."""
    context = next(iter(sim.contexts.values()))
    with report.section("throttles"):
        ecs = sim.client("ecs", context, attempts=1)
        cluster = ecs.list_clusters()["clusterArns"][0]
        # Service reads: 100 at once, then 20 a second.
        burst(report, lambda: ecs.list_services(cluster=cluster), 100, "ThrottlingException", "ecs:ListServices")
        # Another bucket is untouched by that.
        report.check(ecs.describe_clusters(clusters=[cluster])["clusters"], "cluster reads have a bucket of their own")
        elb = sim.client("elbv2", context, attempts=1)
        burst(report, elb.describe_load_balancers, 40, "Throttling", "elbv2:DescribeLoadBalancers")
        # With a bucket of its own, thirty calls would pass; from the shared one a few do, as it fills again meanwhile.
        shared = False
        for _ in range(30):
            try:
                elb.describe_target_groups()
            except ClientError as error:
                shared = shared or error.response["Error"]["Code"] == "Throttling"
        report.check(shared, "all of elbv2's Describe calls share one bucket")
        patient = sim.client("ecs", context)
        report.check(all(patient.list_services(cluster=cluster)["serviceArns"] for _ in range(5)), "botocore's retries ride the throttle out")


def burst(report, call, size, code, name):
    """Sends from many threads until refused, far faster than the bucket fills."""

    def attempt(_):
        try:
            call()
            return None
        except ClientError as error:
            return error.response["Error"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(size * 4)))
    refusals = [a for a in answers if a]
    report.check(refusals, f"{name}: {size * 4} calls at once are throttled")
    report.check(len(answers) - len(refusals) >= size, f"{name}: {len(answers) - len(refusals)} of a burst of {size} were let through")
    for refusal in refusals[:1]:
        report.equal((refusal["Code"], refusal["Message"]), (code, "Rate exceeded"), f"{name}: AWS's words for a throttle")
