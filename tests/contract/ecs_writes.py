"""Writes to ECS and what the world makes of them, watched with botocore's own waiters. Time runs faster here."""

import time

from botocore.exceptions import WaiterError

from ecs_reads import described_services, described_tasks
from harness import always_has, eventually, pages, refused

# What DescribeTaskDefinition answers and RegisterTaskDefinition refuses.
ANSWERED_ONLY = """taskDefinitionArn revision status requiresAttributes compatibilities registeredAt registeredBy
    deregisteredAt deleteRequestedAt""".split()


def run(report, sim):
    context = next(iter(sim.contexts.values()))
    ecs = sim.client("ecs", context)
    service = quietest(report, ecs, sim.client("elbv2", context))
    with report.section(f"redeploy, scale and roll back {service['serviceName']}"):
        deploy(report, ecs, service)
    with report.section("stop a task of a service"):
        stop(report, ecs, service)
    with report.section("run a task by itself"):
        run_task(report, ecs, service)
    with report.section("refused writes"):
        refusals(report, ecs, service)


def quietest(report, ecs, elb):
    """The healthy Fargate service whose last deployment is longest ago: nobody else writes to that one."""
    candidates = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        for service in described_services(ecs, cluster, pages(report, ecs, "list_services", "serviceArns", cluster=cluster)):
            balanced = len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"] > 1
            if balanced and service.get("launchType") == "FARGATE" and service["loadBalancers"]:
                group = service["loadBalancers"][0]["targetGroupArn"]
                targets = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
                if all(target["TargetHealth"]["State"] == "healthy" for target in targets):
                    candidates.append(service)

    def last(service):
        listed = ecs.list_service_deployments(cluster=service["clusterArn"], service=service["serviceArn"])
        return listed["serviceDeployments"][0]["createdAt"]

    return min(candidates, key=last)


def breaker(report, sim):
    """A release that keeps failing: the circuit breaker counts, trips and rolls back, and each call tells the same story."""
    context = next(iter(sim.contexts.values()))
    ecs = sim.client("ecs", context)
    with report.section("circuit breaker"):
        cluster = "payments-prod"
        service = ecs.describe_services(cluster=cluster, services=["checkout"])["services"][0]

        def settled():
            rollouts = describe(ecs, service)["deployments"]
            return len(rollouts) == 1 and rollouts[0]["rolloutState"] == "COMPLETED"

        # At the start one such release may be half over.
        eventually(report, settled, "checkout settles between two releases", 60)
        good = describe(ecs, service)["taskDefinition"]
        limits = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
        report.check(limits["enable"] and limits["rollback"], "checkout has a circuit breaker with rollback")

        def rolling():
            found = describe(ecs, service)
            return found if found["deployments"][0]["rolloutState"] == "IN_PROGRESS" and found["taskDefinition"] != good else None

        failing = eventually(report, rolling, "a new release of checkout starts", 60)
        if not failing:
            return
        primary, current = failing["deployments"][0]["id"], failing["currentServiceDeployment"]
        counts, tripped = follow(report, ecs, service, current, primary)
        report.check(counts and counts == sorted(counts), f"the count of failures only grows: {counts}")
        report.equal(tripped.get("status"), "TRIGGERED", "the circuit breaker has tripped")
        report.check(tripped.get("failureCount", 0) >= tripped.get("threshold", 99), f"it trips at its threshold: {tripped}")
        found = ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]
        report.equal(found["status"], "ROLLBACK_SUCCESSFUL", "the service deployment is rolled back")
        back = describe(ecs, service)
        report.equal(back["taskDefinition"], good, "the rollback leads to the former task definition")
        messages = [event["message"] for event in back["events"]]
        home = back["deployments"][0]["id"]
        report.check(any(f"rolling back to deployment {home}" in m for m in messages), f"an event names the rollback to {home}: {messages[:8]}")
        report.check(any("deployment failed: tasks failed to start" in m for m in messages), f"an event says why: {messages[:12]}")
        stopped = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, serviceName="checkout", desiredStatus="STOPPED")
        dead = [task for task in described_tasks(ecs, cluster, stopped) if task.get("startedBy") == primary]
        died = [task for task in dead if task.get("stopCode") == "EssentialContainerExited"]
        report.check(died, f"tasks of the failed release can still be looked at ({len(dead)} stopped)")
        for task in died:
            report.equal(task["taskDefinitionArn"], failing["taskDefinition"], "a failed task ran the failing release")
            codes = [c.get("exitCode") for c in task["containers"]]
            report.check(137 in codes, f"a container that ran out of memory has exit code 137: {codes}")
            report.check(any("OutOfMemory" in c.get("reason", "") for c in task["containers"]), "and its reason says so")


def follow(report, ecs, service, current, primary):
    """Watches until the deployment has ended: the failures counted on the way, and the circuit breaker's last word."""
    counts, last = [], {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]
        last = found.get("deploymentCircuitBreaker", {})
        counts.append(last.get("failureCount", 0))
        for rollout in describe(ecs, service)["deployments"]:
            if rollout["id"] == primary and rollout["rolloutState"] == "FAILED":
                report.check("circuit breaker" in rollout["rolloutStateReason"], f"a failed rollout says why: {rollout['rolloutStateReason']}")
        if found["status"] in ("ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "SUCCESSFUL", "STOPPED"):
            break
        time.sleep(0.3)
    return counts, last


def describe(ecs, service):
    return ecs.describe_services(cluster=service["clusterArn"], services=[service["serviceArn"]])["services"][0]


def wait(report, ecs, waiter, message, **arguments):
    try:
        ecs.get_waiter(waiter).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 90}, **arguments)
        return report.check(True, message)
    except WaiterError as error:
        return report.check(False, f"{message}: {error}")


def deploy(report, ecs, service):
    cluster, name = service["clusterArn"], service["serviceName"]
    envelope = ecs.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
    definition = envelope["taskDefinition"]
    clone = {key: value for key, value in definition.items() if key not in ANSWERED_ONLY}
    if envelope.get("tags"):
        clone["tags"] = envelope["tags"]
    registered = ecs.register_task_definition(**clone)["taskDefinition"]
    report.check(registered["revision"] > definition["revision"], "a registered revision is a new number")
    report.equal(registered["containerDefinitions"], definition["containerDefinitions"], "a clone has the same containers")
    again = ecs.describe_task_definition(taskDefinition=registered["taskDefinitionArn"])["taskDefinition"]
    report.equal(again, registered, "describe_task_definition answers what was registered")
    before = describe(ecs, service)["deployments"][0]["id"]
    reply = ecs.update_service(cluster=cluster, service=name, taskDefinition=registered["taskDefinitionArn"])["service"]
    always_has(report, reply, ["serviceArn", "deployments", "taskDefinition"], "the answer of update_service")
    primary = next(d for d in reply["deployments"] if d["status"] == "PRIMARY")
    report.equal(primary["taskDefinition"], registered["taskDefinitionArn"], "the new deployment has the new task definition")
    report.check(primary["id"] != before, "update_service with a task definition starts a deployment")
    report.equal(primary["rolloutState"], "IN_PROGRESS", "the new deployment is in progress")
    old = [d for d in reply["deployments"] if d["id"] == before]
    report.equal([d["status"] for d in old], ["ACTIVE"], "the old deployment is ACTIVE while the new one rolls")
    current = describe(ecs, service).get("currentServiceDeployment")
    report.check(current, "a service in deployment names currentServiceDeployment")
    watch(report, ecs, service)
    wait(report, ecs, "services_stable", f"{name} becomes stable on the new revision", cluster=cluster, services=[name])
    eventually(report, lambda: describe(ecs, service)["deployments"][0]["rolloutState"] == "COMPLETED", f"{name}'s rollout completes")
    messages = [event["message"] for event in describe(ecs, service)["events"][:20]]
    report.check(any("has reached a steady state." in m for m in messages), f"{name} says that it has reached a steady state: {messages[:4]}")
    report.check(any("has started" in m for m in messages), f"{name} says that it has started tasks")
    if current:
        ended = ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]
        report.equal(ended["status"], "SUCCESSFUL", "the service deployment ends SUCCESSFUL")
    scale(report, ecs, service)
    roll_back(report, ecs, service)


def watch(report, ecs, service):
    """While it rolls, the counts keep to minimumHealthyPercent and maximumPercent."""
    limits = service["deploymentConfiguration"]
    least = -(-service["desiredCount"] * limits["minimumHealthyPercent"] // 100)
    most = service["desiredCount"] * limits["maximumPercent"] // 100
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = describe(ecs, service)
        active = now["runningCount"] + now["pendingCount"]
        report.check(now["runningCount"] >= least, f"{now['runningCount']} running, at least {least} must")
        report.check(active <= most, f"{active} running or pending, at most {most} may")
        if len(now["deployments"]) == 1:
            return
        time.sleep(0.25)


def scale(report, ecs, service):
    cluster, name, wanted = service["clusterArn"], service["serviceName"], service["desiredCount"] + 1
    before = [d["id"] for d in describe(ecs, service)["deployments"]]
    reply = ecs.update_service(cluster=cluster, service=name, desiredCount=wanted)["service"]
    report.equal(reply["desiredCount"], wanted, "update_service answers the new desired count")
    report.equal([d["id"] for d in reply["deployments"]], before, "scaling starts no deployment")
    eventually(report, lambda: describe(ecs, service)["runningCount"] == wanted, f"{name} runs {wanted} tasks", 60)
    ecs.update_service(cluster=cluster, service=name, desiredCount=wanted - 1)
    eventually(report, lambda: describe(ecs, service)["runningCount"] == wanted - 1, f"{name} runs {wanted - 1} tasks again", 60)


def roll_back(report, ecs, service):
    cluster, name = service["clusterArn"], service["serviceName"]
    # Settled first: a deployment that is superseded is not rolled back but replaced.
    eventually(report, lambda: describe(ecs, service)["deployments"][0]["rolloutState"] == "COMPLETED", f"{name} is settled", 60)
    ecs.update_service(cluster=cluster, service=name, forceNewDeployment=True)
    current = describe(ecs, service).get("currentServiceDeployment")
    if not report.check(current, "a forced deployment names currentServiceDeployment"):
        return
    reply = ecs.stop_service_deployment(serviceDeploymentArn=current, stopType="ROLLBACK")
    report.equal(reply["serviceDeploymentArn"], current, "stop_service_deployment answers the deployment's ARN")

    def status():
        return ecs.describe_service_deployments(serviceDeploymentArns=[current])["serviceDeployments"][0]["status"]

    found = status()
    report.check(found in ("STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"), f"a stopped deployment is {found}")
    eventually(report, lambda: status() == "ROLLBACK_SUCCESSFUL", "the rollback ends ROLLBACK_SUCCESSFUL", 60)
    refused(report, ecs.stop_service_deployment, "ConflictException", serviceDeploymentArn=current, stopType="ROLLBACK")
    wait(report, ecs, "services_stable", f"{name} is stable after the rollback", cluster=cluster, services=[name])


def stop(report, ecs, service):
    cluster, name = service["clusterArn"], service["serviceName"]
    arn = ecs.list_tasks(cluster=cluster, serviceName=name)["taskArns"][0]
    reply = ecs.stop_task(cluster=cluster, task=arn, reason="drill")["task"]
    report.equal(reply["taskArn"], arn, "stop_task answers the task")
    report.equal(reply["desiredStatus"], "STOPPED", "a task being stopped is wanted STOPPED")
    wait(report, ecs, "tasks_stopped", "a stopped task stops", cluster=cluster, tasks=[arn])
    task = described_tasks(ecs, cluster, [arn])[0]
    report.equal(task.get("stopCode"), "UserInitiated", "stopCode after stop_task")
    report.equal(task.get("stoppedReason"), "drill", "stoppedReason is the reason given")
    report.check(arn in pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED"), "a stopped task is listed as such")
    for container in task["containers"]:
        report.equal(container["lastStatus"], "STOPPED", "containers of a stopped task")
        report.check("exitCode" in container, f"container {container['name']} of a stopped task has an exit code")
    wait(report, ecs, "services_stable", f"{name} replaces the stopped task", cluster=cluster, services=[name])
    report.check(arn not in pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name), "the replacement is another task")


def run_task(report, ecs, service):
    cluster = service["clusterArn"]
    arguments = dict(
        cluster=cluster, taskDefinition=service["taskDefinition"], launchType="FARGATE", startedBy="contract",
        networkConfiguration=service["networkConfiguration"],
    )
    reply = ecs.run_task(count=2, **arguments)
    report.equal(reply["failures"], [], "run_task has no failures")
    arns = [task["taskArn"] for task in reply["tasks"]]
    report.equal(len(arns), 2, "run_task count=2")
    for task in reply["tasks"]:
        report.equal(task["lastStatus"], "PROVISIONING", "a task that was just run")
        report.check(task["group"].startswith("family:"), f"group of a standalone task: {task['group']}")
        report.equal(task.get("startedBy"), "contract", "startedBy of a standalone task")
    listed = ecs.list_tasks(cluster=cluster, startedBy="contract")["taskArns"]
    report.equal(sorted(listed), sorted(arns), "list_tasks startedBy of our own")
    wait(report, ecs, "tasks_running", "tasks that were run come to RUNNING", cluster=cluster, tasks=arns)
    for arn in arns:
        ecs.stop_task(cluster=cluster, task=arn)
    wait(report, ecs, "tasks_stopped", "tasks that were run can be stopped", cluster=cluster, tasks=arns)
    refused(report, ecs.run_task, "InvalidParameterException", count=11, **arguments)
    again = [ecs.run_task(clientToken="contract-1", **arguments)["tasks"][0]["taskArn"] for _ in range(2)]
    report.equal(again[0], again[1], "the same clientToken starts no second task")
    refused(report, ecs.run_task, "ConflictException", "clientToken", clientToken="contract-1", count=2, **arguments)
    nobody = {"containerOverrides": [{"name": "nobody", "command": ["true"]}]}
    refused(report, ecs.run_task, "InvalidParameterException", "Override for container named nobody is not", overrides=nobody, **arguments)


def refusals(report, ecs, service):
    cluster, name = service["clusterArn"], service["serviceName"]
    refused(report, ecs.update_service, "ServiceNotFoundException", cluster=cluster, service="no-such-service", desiredCount=1)
    refused(report, ecs.update_service, "ClusterNotFoundException", cluster="no-such-cluster", service=name, desiredCount=1)
    refused(report, ecs.update_service, "ClientException", cluster=cluster, service=name, taskDefinition="no-such-family:1")
    refused(report, ecs.update_service, "InvalidParameterException", cluster=cluster, service=name, desiredCount=-1)
    refused(report, ecs.stop_task, "InvalidParameterException", cluster=cluster, task="0123456789abcdef0123456789abcdef")
    refused(report, ecs.run_task, "ClusterNotFoundException", cluster="no-such-cluster", taskDefinition=service["taskDefinition"])
    unknown = service["serviceArn"].replace(":service/", ":service-deployment/") + "/0123456789abcdefghijk"
    refused(report, ecs.stop_service_deployment, "ServiceDeploymentNotFoundException", serviceDeploymentArn=unknown)
    refused(report, ecs.register_task_definition, "ClientException", family="bad name!", containerDefinitions=[{"name": "a", "image": "b", "memory": 64}])
    refused(report, ecs.register_task_definition, "ClientException", family="empty", containerDefinitions=[])
    private = [{"name": "a", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"}]
    fargate = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    words = "execution role ARN to support ECR images"
    refused(report, ecs.register_task_definition, "ClientException", words, family="bare", containerDefinitions=private, **fargate)
    long = [{"name": "a", "image": "b", "memory": 64, "command": ["x" * 70_000]}]
    refused(report, ecs.register_task_definition, "ClientException", "Max allowed length is '65536' bytes.", family="long", containerDefinitions=long)
