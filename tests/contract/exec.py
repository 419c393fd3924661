"""Sessions inside containers of `small`, as far as calls go: what begins one, takes it up again, encrypts it and ends it."""

import base64

from harness import always_has, refused

PLAIN, SEALED = "payments-prod", "web-prod"


def run(report, sim):
    context = sim.contexts["acme-prod"]
    ecs, ssm, kms = (sim.client(service, context) for service in ("ecs", "ssm", "kms"))
    with report.section("execute"):
        granted = execute(report, sim, ecs)
    with report.section("resume and terminate"):
        sessions(report, ssm, granted["session"]["sessionId"])
    with report.section("forward"):
        forward(report, ecs, ssm)
    with report.section("configuration"):
        key = configuration(report, ecs)
    with report.section("data keys"):
        data_keys(report, kms, key)


def task_of(ecs, cluster, service):
    return ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"][0]


def execute(report, sim, ecs):
    task = task_of(ecs, PLAIN, "checkout")
    granted = ecs.execute_command(cluster=PLAIN, task=task, container="app", command="/bin/sh", interactive=True)
    always_has(report, granted, ("clusterArn", "containerArn", "containerName", "interactive", "session", "taskArn"), "a session")
    always_has(report, granted["session"], ("sessionId", "streamUrl", "tokenValue"), "what opens a channel")
    report.equal(granted["taskArn"], task, "the task of a session")
    described = ecs.describe_tasks(cluster=PLAIN, tasks=[task])["tasks"][0]
    containers = {container["name"]: container for container in described["containers"]}
    report.equal(granted["containerArn"], containers["app"]["containerArn"], "the container of a session")
    report.equal(containers["app"]["managedAgents"][0]["lastStatus"], "RUNNING", "the agent of a container")
    session = granted["session"]
    host = sim.endpoint.removeprefix("http://")
    report.check(session["streamUrl"].startswith(f"ws://{host}/v1/data-channel/{session['sessionId']}?"), session["streamUrl"])
    asked = {"cluster": PLAIN, "task": task, "container": "app", "command": "/bin/sh"}
    refused(report, ecs.execute_command, "InvalidParameterException", interactive=False, **asked)
    asked["cluster"] = "nowhere"
    refused(report, ecs.execute_command, "ClusterNotFoundException", interactive=True, **asked)
    without = {"cluster": PLAIN, "task": task_of(ecs, PLAIN, "fx-rates"), "container": "app", "command": "sh", "interactive": True}
    refused(report, ecs.execute_command, "InvalidParameterException", "execute command was not enabled when the task was run", **without)
    return granted


def sessions(report, ssm, session):
    resumed = ssm.resume_session(SessionId=session)
    report.equal(resumed["SessionId"], session, "the session that is resumed")
    report.check(resumed["TokenValue"] and session in resumed["StreamUrl"], f"a new token and address: {resumed}")
    report.equal(ssm.terminate_session(SessionId=session)["SessionId"], session, "the session that is terminated")
    refused(report, ssm.resume_session, "DoesNotExistException", SessionId="ecs-execute-command-0123456789abcdef0")


def forward(report, ecs, ssm):
    task = task_of(ecs, PLAIN, "checkout")
    described = ecs.describe_tasks(cluster=PLAIN, tasks=[task])["tasks"][0]
    runtime = next(container["runtimeId"] for container in described["containers"] if container["name"] == "app")
    target = f"ecs:{PLAIN}_{task.rsplit('/', 1)[1]}_{runtime}"
    document = "AWS-StartPortForwardingSession"
    begun = ssm.start_session(Target=target, DocumentName=document, Parameters={"portNumber": ["8080"], "localPortNumber": ["8080"]})
    always_has(report, begun, ("SessionId", "StreamUrl", "TokenValue"), "a forward")
    ssm.terminate_session(SessionId=begun["SessionId"])
    gone = f"ecs:{PLAIN}_{'0' * 32}_{runtime}"
    refused(report, ssm.start_session, "TargetNotConnected", f"{gone} is not connected", Target=gone, DocumentName=document)


def configuration(report, ecs):
    clusters = ecs.describe_clusters(clusters=[PLAIN, SEALED], include=["CONFIGURATIONS"])["clusters"]
    plain, sealed = (cluster["configuration"]["executeCommandConfiguration"] for cluster in clusters)
    report.equal(plain, {"logging": "DEFAULT"}, "a cluster that was never told otherwise")
    report.equal((sealed["logging"], sealed["logConfiguration"]["cloudWatchLogGroupName"]), ("OVERRIDE", "/ecs/exec/web-prod"), "logs")
    report.check(sealed["kmsKeyId"].startswith("arn:aws:kms:"), f"the key of a cluster: {sealed}")
    bare = ecs.describe_clusters(clusters=[SEALED])["clusters"][0]
    report.check("configuration" not in bare, "a configuration comes only where it was asked for")
    return sealed["kmsKeyId"]


def data_keys(report, kms, key):
    context = {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": "t"}
    made = kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=context)
    report.equal((len(made["Plaintext"]), made["KeyId"]), (64, key), "a data key")
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
    report.equal(opened["Plaintext"], made["Plaintext"], "what comes back")
    refused(report, kms.decrypt, "InvalidCiphertextException", CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
    refused(report, kms.decrypt, "InvalidCiphertextException", CiphertextBlob=base64.b64decode("AQID"), EncryptionContext=context)
    refused(report, kms.generate_data_key, "NotFoundException", "does not exist", KeyId="nobody", NumberOfBytes=64)
