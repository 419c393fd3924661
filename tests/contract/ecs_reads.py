"""Reads of ECS: every List and Describe, their limits, filters, failures, and how their answers join."""

from datetime import datetime, timedelta, timezone

from harness import always_has, eventually, pages, refused

SERVICE = """serviceArn serviceName clusterArn loadBalancers serviceRegistries status desiredCount runningCount pendingCount
    taskDefinition deploymentConfiguration deployments events createdAt placementConstraints placementStrategy
    schedulingStrategy enableECSManagedTags propagateTags enableExecuteCommand""".split()
DEPLOYMENT = "id status taskDefinition desiredCount pendingCount runningCount failedTasks createdAt updatedAt".split()
TASK = """taskArn clusterArn taskDefinitionArn containers overrides lastStatus desiredStatus createdAt group launchType
    availabilityZone attachments version cpu memory""".split()
CONTAINER = "containerArn taskArn name image lastStatus cpu".split()
CLUSTER = """clusterArn clusterName status registeredContainerInstancesCount runningTasksCount pendingTasksCount
    activeServicesCount""".split()
TASK_DEFINITION = "taskDefinitionArn family revision status containerDefinitions volumes placementConstraints compatibilities registeredAt".split()
CONTAINER_INSTANCE = """containerInstanceArn ec2InstanceId version versionInfo remainingResources registeredResources status
    agentConnected runningTasksCount pendingTasksCount attributes registeredAt""".split()
TIMES = "createdAt pullStartedAt pullStoppedAt startedAt stoppingAt executionStoppedAt stoppedAt".split()


def run(report, sim):
    for context in sim.contexts.values():
        ecs = sim.client("ecs", context)
        with report.section(f"clusters of {context['name']}"):
            clusters(report, ecs, context)
        for cluster in pages(report, ecs, "list_clusters", "clusterArns"):
            name = cluster.rsplit("/", 1)[1]
            with report.section(f"services of {name}"):
                services(report, ecs, cluster)
            with report.section(f"tasks of {name}"):
                tasks(report, ecs, cluster)
            with report.section(f"container instances of {name}"):
                container_instances(report, ecs, cluster)
            with report.section(f"deployments of {name}"):
                deployments(report, ecs, cluster)
        with report.section(f"task definitions of {context['name']}"):
            task_definitions(report, ecs)
        with report.section(f"capacity providers of {context['name']}"):
            capacity_providers(report, ecs)
    first = next(iter(sim.contexts.values()))
    with report.section("limits and errors"):
        limits(report, sim.client("ecs", first, validate=False))
    with report.section("regions and accounts are apart"):
        apart(report, sim)


def clusters(report, ecs, context):
    arns = pages(report, ecs, "list_clusters", "clusterArns")
    report.check(arns, f"{context['name']} has clusters")
    by_one = pages(report, ecs, "list_clusters", "clusterArns", PaginationConfig={"PageSize": 1})
    report.equal(sorted(by_one), sorted(arns), "list_clusters by pages of one")
    for arn in arns:
        prefix = f"arn:aws:ecs:{context['region']}:{context['account']}:cluster/"
        report.check(arn.startswith(prefix), f"cluster ARN {arn} begins with {prefix}")
    include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
    reply = ecs.describe_clusters(clusters=arns + ["no-such-cluster"], include=include)
    report.equal(len(reply["clusters"]), len(arns), "describe_clusters answers each cluster")
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown cluster is a MISSING failure")
    report.check(reply["failures"][0]["arn"].endswith(":cluster/no-such-cluster"), f"the failure's arn is {reply['failures'][0]['arn']}")
    bare = ecs.describe_clusters(clusters=[arns[0].rsplit("/", 1)[1]])["clusters"][0]
    report.equal(bare["clusterArn"], arns[0], "a cluster is found by its name")
    report.equal(bare.get("statistics", []), [], "statistics come only when asked for")
    for cluster in reply["clusters"]:
        name = cluster["clusterName"]
        always_has(report, cluster, CLUSTER + ["settings", "statistics", "tags"], f"cluster {name}")
        listed = pages(report, ecs, "list_services", "serviceArns", cluster=name)
        report.equal(cluster["activeServicesCount"], len(listed), f"activeServicesCount of {name}")
    nothing = ecs.describe_clusters()
    report.equal(len(nothing["clusters"]) + len(nothing["failures"]), 1, "describe_clusters without names asks for `default`")


def described_services(ecs, cluster, arns, **arguments):
    found = []
    for i in range(0, len(arns), 10):
        found += ecs.describe_services(cluster=cluster, services=arns[i : i + 10], **arguments)["services"]
    return found


def services(report, ecs, cluster):
    arns = pages(report, ecs, "list_services", "serviceArns", cluster=cluster)
    report.check(arns, f"{cluster} has services")
    first = ecs.list_services(cluster=cluster)
    report.equal(len(first["serviceArns"]), min(10, len(arns)), "a page of list_services holds 10 by default")
    report.equal("nextToken" in first, len(arns) > 10, "nextToken comes exactly when there is more")
    threes = pages(report, ecs, "list_services", "serviceArns", cluster=cluster, PaginationConfig={"PageSize": 3})
    report.equal(sorted(threes), sorted(arns), "list_services by pages of 3")
    kinds = [pages(report, ecs, "list_services", "serviceArns", cluster=cluster, schedulingStrategy=s) for s in ("REPLICA", "DAEMON")]
    report.equal(sorted(kinds[0] + kinds[1]), sorted(arns), "REPLICA and DAEMON services are all services")
    found = described_services(ecs, cluster, arns, include=["TAGS"])
    report.equal(sorted(s["serviceArn"] for s in found), sorted(arns), "describe_services answers what list_services names")
    for launch_type in ("EC2", "FARGATE"):
        listed = pages(report, ecs, "list_services", "serviceArns", cluster=cluster, launchType=launch_type)
        own = [s["serviceArn"] for s in found if s.get("launchType") == launch_type]
        report.equal(sorted(listed), sorted(own), f"list_services launchType={launch_type}")
    reply = ecs.describe_services(cluster=cluster, services=[arns[0].rsplit("/", 1)[1], "no-such-service"])
    report.equal([s["serviceArn"] for s in reply["services"]], [arns[0]], "a service is found by its name")
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown service is a MISSING failure")
    report.check(reply["failures"][0]["arn"].endswith("/no-such-service"), f"the failure's arn is {reply['failures'][0]['arn']}")
    report.check("tags" not in reply["services"][0] or not reply["services"][0]["tags"], "tags come only when asked for")
    for service in found:
        one_service(report, service, cluster)


def one_service(report, service, cluster):
    name = service["serviceName"]
    always_has(report, service, SERVICE, f"service {name}")
    report.equal(service["clusterArn"], cluster, f"clusterArn of {name}")
    report.equal(service["status"], "ACTIVE", f"status of {name}")
    report.check("launchType" in service or "capacityProviderStrategy" in service, f"{name} has a launch type or a strategy")
    report.check(":task-definition/" in service["taskDefinition"], f"taskDefinition of {name} is an ARN")
    events = service["events"]
    report.check(len(events) <= 100, f"{name} has {len(events)} events, the most is 100")
    times = [event["createdAt"] for event in events]
    report.equal(times, sorted(times, reverse=True), f"events of {name} are newest first")
    report.equal(len({event["id"] for event in events}), len(events), f"event ids of {name} are unique")
    for event in events:
        report.check(event["message"].startswith(f"(service {name}"), f"event of {name} begins with (service {name}: {event['message']}")
    if service.get("deploymentController", {}).get("type", "ECS") != "ECS":
        return
    rollouts = service["deployments"]
    primary = [d for d in rollouts if d["status"] == "PRIMARY"]
    report.equal(len(primary), 1, f"{name} has one PRIMARY deployment")
    report.equal(primary[0]["taskDefinition"], service["taskDefinition"], f"{name} names its primary deployment's task definition")
    for key in ("runningCount", "pendingCount"):
        report.equal(sum(d[key] for d in rollouts), service[key], f"{key} of {name} is the sum over its deployments")
    for rollout in rollouts:
        always_has(report, rollout, DEPLOYMENT + ["rolloutState", "rolloutStateReason"], f"deployment of {name}")
        report.check(rollout["id"].startswith("ecs-svc/"), f"deployment id {rollout['id']}")
        report.check(rollout["status"] in ("PRIMARY", "ACTIVE", "INACTIVE"), f"deployment status {rollout['status']}")
        report.check(service["createdAt"] <= rollout["createdAt"] <= rollout["updatedAt"], f"times of {name}'s {rollout['id']} are in order")
    if len(rollouts) > 1:
        report.check(any(d["rolloutState"] != "COMPLETED" for d in rollouts), f"{name} has two deployments, so one is not COMPLETED")


def described_tasks(ecs, cluster, arns, **arguments):
    found = []
    for i in range(0, len(arns), 100):
        found += ecs.describe_tasks(cluster=cluster, tasks=arns[i : i + 100], **arguments)["tasks"]
    return found


def tasks(report, ecs, cluster):
    default = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster)
    running = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="RUNNING")
    pending = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="PENDING")
    stopped = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED")
    report.equal(pending, [], "list_tasks desiredStatus=PENDING returns nothing")
    # A task may start or stop between the two calls.
    report.check(len(set(default) ^ set(running)) <= 4, "list_tasks lists desired RUNNING by default")
    report.equal(set(running) & set(stopped), set(), "no task is wanted RUNNING and STOPPED at once") if set(running) & set(stopped) else None
    found = described_tasks(ecs, cluster, default + stopped, include=["TAGS"])
    report.check(len(found) >= len(set(default + stopped)) - 4, "describe_tasks answers what list_tasks names")
    now = datetime.now(timezone.utc)
    for task in found:
        if "stoppedAt" in task:
            report.check(now - task["stoppedAt"] < timedelta(minutes=62), f"a task that stopped at {task['stoppedAt']} is still there")
        latest = max(task[key] for key in TIMES if key in task)
        report.check(latest < now + timedelta(minutes=1), f"{latest} lies in the future")
    for task in found:
        one_task(report, task, cluster)
    if not default:
        return
    identity = default[0].rsplit("/", 1)[1]
    reply = ecs.describe_tasks(cluster=cluster, tasks=[identity, "0123456789abcdef0123456789abcdef"])
    report.equal([t["taskArn"] for t in reply["tasks"]], [default[0]], "a task is found by its id")
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown task is a MISSING failure")
    report.check(reply["failures"][0]["arn"].endswith("/0123456789abcdef0123456789abcdef"), f"the failure's arn is {reply['failures'][0]['arn']}")
    by_two = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, PaginationConfig={"PageSize": 2})
    report.check(len(set(by_two) ^ set(default)) <= 4, "list_tasks by pages of 2")
    task_filters(report, ecs, cluster)


def task_filters(report, ecs, cluster):
    found = described_services(ecs, cluster, pages(report, ecs, "list_services", "serviceArns", cluster=cluster))
    steady = [s for s in found if len(s["deployments"]) == 1 and s["runningCount"] == s["desiredCount"] and not s["pendingCount"] and s["runningCount"]]
    report.check(steady, f"{cluster} has a steady service")
    for service in steady[:4]:
        name, primary = service["serviceName"], service["deployments"][0]
        by_service = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name)
        report.equal(len(by_service), service["runningCount"], f"list_tasks serviceName={name}")
        by_deployment = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, startedBy=primary["id"])
        report.equal(sorted(by_deployment), sorted(by_service), f"list_tasks startedBy={primary['id']} ({name})")
        for task in described_tasks(ecs, cluster, by_service):
            report.equal(task["group"], f"service:{name}", "group of a service's task")
            report.equal(task["startedBy"], primary["id"], f"startedBy of a task of {name}")
            report.equal(task["taskDefinitionArn"], primary["taskDefinition"], f"task definition of a task of {name}")
        family = primary["taskDefinition"].rsplit("/", 1)[1].split(":")[0]
        by_family = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, family=family)
        report.check(set(by_service) <= set(by_family), f"list_tasks family={family} holds the tasks of {name}")
        launched = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, launchType=service.get("launchType", "FARGATE"))
        report.check(set(by_service) <= set(launched), f"list_tasks launchType holds the tasks of {name}")
        refused(report, ecs.list_tasks, "InvalidParameterException", cluster=cluster, serviceName=name, startedBy=primary["id"])
    refused(report, ecs.list_tasks, "ServiceNotFoundException", "Service not found.", cluster=cluster, serviceName="no-such-service")


def one_task(report, task, cluster):
    identity = task["taskArn"].rsplit("/", 1)[1]
    name = f"task {task['group']} {identity[:8]} {task['lastStatus']}"
    always_has(report, task, TASK, name)
    report.equal(task["clusterArn"], cluster, f"clusterArn of {name}")
    report.check(len(identity) == 32 and set(identity) <= set("0123456789abcdef"), f"id of {name} is 32 hexadecimal digits")
    statuses = "PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED".split()
    report.check(task["lastStatus"] in statuses, f"lastStatus of {name}")
    report.check(task["desiredStatus"] in ("RUNNING", "STOPPED"), f"desiredStatus of {name}")
    times = [task[key] for key in TIMES if key in task]
    report.equal(times, sorted(times), f"times of {name} are in order ({[key for key in TIMES if key in task]})")
    if task["lastStatus"] == "STOPPED":
        always_has(report, task, ["stoppedAt", "stoppingAt", "stoppedReason", "stopCode"], name)
    elif task["lastStatus"] in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"):
        report.check("stoppedAt" not in task, f"{name} has no stoppedAt")
    if task["lastStatus"] == "RUNNING":
        always_has(report, task, ["startedAt", "pullStartedAt", "pullStoppedAt"], name)
        report.check(all("exitCode" not in c or c["lastStatus"] == "STOPPED" for c in task["containers"]), f"{name}: no exit code before the end")
    for container in task["containers"]:
        always_has(report, container, CONTAINER + ["networkInterfaces"], f"container {container['name']} of {name}")
        report.equal(container["taskArn"], task["taskArn"], f"taskArn of container {container['name']}")
    if task["launchType"] == "FARGATE":
        always_has(report, task, ["platformVersion", "platformFamily"], name)
        kinds = [attachment["type"] for attachment in task["attachments"]]
        report.check("ElasticNetworkInterface" in kinds, f"{name} has a network interface")
    else:
        always_has(report, task, ["containerInstanceArn"], name)


def container_instances(report, ecs, cluster):
    arns = pages(report, ecs, "list_container_instances", "containerInstanceArns", cluster=cluster)
    active = pages(report, ecs, "list_container_instances", "containerInstanceArns", cluster=cluster, status="ACTIVE")
    report.check(set(active) <= set(arns), "ACTIVE container instances are container instances")
    unknown = "0123456789abcdef0123456789abcdef"
    reply = ecs.describe_container_instances(
        cluster=cluster, containerInstances=arns + [unknown], include=["TAGS", "CONTAINER_INSTANCE_HEALTH"]
    )
    report.equal([i["containerInstanceArn"] for i in reply["containerInstances"]], arns, "describe_container_instances answers each")
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown container instance is a MISSING failure")
    for instance in reply["containerInstances"]:
        arn = instance["containerInstanceArn"]
        always_has(report, instance, CONTAINER_INSTANCE, f"container instance {arn}")
        on_it = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster, containerInstance=arn)
        for task in described_tasks(ecs, cluster, on_it):
            report.equal(task["containerInstanceArn"], arn, "a task listed for a container instance runs there")
        left = {r["name"]: r.get("integerValue") for r in instance["remainingResources"]}
        have = {r["name"]: r.get("integerValue") for r in instance["registeredResources"]}
        for kind in ("CPU", "MEMORY"):
            report.check(0 <= left[kind] <= have[kind], f"{kind} left on {arn}: {left[kind]} of {have[kind]}")


def deployments(report, ecs, cluster):
    found = described_services(ecs, cluster, pages(report, ecs, "list_services", "serviceArns", cluster=cluster))
    for service in [s for s in found if s.get("deploymentController", {}).get("type", "ECS") == "ECS"]:
        name, arn = service["serviceName"], service["serviceArn"]
        reply = ecs.list_service_deployments(service=arn, cluster=cluster)
        brief = reply["serviceDeployments"]
        report.check(brief, f"{name} has service deployments")
        created = [b["createdAt"] for b in brief]
        report.equal(created, sorted(created, reverse=True), f"service deployments of {name} are newest first")
        successful = ecs.list_service_deployments(service=arn, cluster=cluster, status=["SUCCESSFUL"])["serviceDeployments"]
        report.check(all(b["status"] == "SUCCESSFUL" for b in successful), f"list_service_deployments status=SUCCESSFUL of {name}")
        later = ecs.list_service_deployments(service=arn, cluster=cluster, createdAt={"after": created[0]})["serviceDeployments"]
        report.check(all(b["createdAt"] >= created[0] for b in later), f"list_service_deployments createdAt.after of {name}")
        arns = [b["serviceDeploymentArn"] for b in brief[:20]]
        full = ecs.describe_service_deployments(serviceDeploymentArns=arns)
        report.equal(full.get("failures", []), [], f"describe_service_deployments of {name} knows what was listed")
        report.equal(sorted(d["serviceDeploymentArn"] for d in full["serviceDeployments"]), sorted(arns), f"service deployments of {name}")
        for deployment in full["serviceDeployments"]:
            one_deployment(report, ecs, name, deployment)
        current = service.get("currentServiceDeployment")
        if any(d["rolloutState"] == "IN_PROGRESS" for d in service["deployments"]):
            report.check(current, f"{name} is in deployment and names currentServiceDeployment")
        if current:
            report.check(current in arns, f"currentServiceDeployment of {name} is listed")
    missing = f"{found[0]['serviceArn'].replace(':service/', ':service-deployment/')}/0123456789abcdefghijk"
    reply = ecs.describe_service_deployments(serviceDeploymentArns=[missing])
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown service deployment is a MISSING failure")
    missing = missing.replace(":service-deployment/", ":service-revision/")
    reply = ecs.describe_service_revisions(serviceRevisionArns=[missing])
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown service revision is a MISSING failure")


def one_deployment(report, ecs, name, deployment):
    always_has(
        report, deployment,
        "serviceDeploymentArn serviceArn clusterArn createdAt updatedAt targetServiceRevision status deploymentConfiguration".split(),
        f"service deployment of {name}",
    )
    times = [deployment[key] for key in ("createdAt", "startedAt", "finishedAt") if key in deployment]
    report.equal(times, sorted(times), f"times of a service deployment of {name} are in order")
    ended = deployment["status"] in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
    report.equal("finishedAt" in deployment or "stoppedAt" in deployment, ended, f"{deployment['status']} deployment of {name} has an end time")
    if "deploymentCircuitBreaker" in deployment:
        breaker = deployment["deploymentCircuitBreaker"]
        always_has(report, breaker, ["status", "failureCount", "threshold"], f"circuit breaker of {name}")
    if deployment["status"].startswith("ROLLBACK"):
        always_has(report, deployment.get("rollback", {}), ["reason", "startedAt", "serviceRevisionArn"], f"rollback of {name}")
    target = deployment["targetServiceRevision"]["arn"]
    revision = ecs.describe_service_revisions(serviceRevisionArns=[target])
    report.equal(revision.get("failures", []), [], f"the target revision of {name} is known")
    for found in revision["serviceRevisions"]:
        always_has(report, found, "serviceRevisionArn serviceArn clusterArn taskDefinition createdAt containerImages".split(), f"revision of {name}")
        report.equal(found["serviceArn"], deployment["serviceArn"], f"the target revision of {name} is its own")


def task_definitions(report, ecs):
    families = pages(report, ecs, "list_task_definition_families", "families")
    active = pages(report, ecs, "list_task_definition_families", "families", status="ACTIVE")
    report.check(families and set(active) <= set(families), "ACTIVE families are families")
    arns = pages(report, ecs, "list_task_definitions", "taskDefinitionArns")
    by_three = pages(report, ecs, "list_task_definitions", "taskDefinitionArns", PaginationConfig={"PageSize": 3})
    report.equal(sorted(by_three), sorted(arns), "list_task_definitions by pages of 3")
    family = max(families, key=lambda f: sum(arn.rsplit("/", 1)[1].split(":")[0] == f for arn in arns))
    starts = pages(report, ecs, "list_task_definition_families", "families", familyPrefix=family[:3])
    report.equal(sorted(starts), sorted(f for f in families if f.startswith(family[:3])), "list_task_definition_families familyPrefix")
    newest = pages(report, ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, sort="DESC")
    revisions = [int(arn.rsplit(":", 1)[1]) for arn in newest]
    report.check(len(revisions) > 1, f"{family} has several revisions")
    report.equal(revisions, sorted(revisions, reverse=True), "sort=DESC lists the newest revision first")
    oldest = pages(report, ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, sort="ASC")
    report.equal(oldest, newest[::-1], "sort=ASC lists the oldest revision first")
    report.check(all(arn.rsplit("/", 1)[1].split(":")[0] == family for arn in newest), "familyPrefix is the whole family name here")
    shorter = pages(report, ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family[:-1])
    report.check(family[:-1] in families or not shorter, "a part of a family name lists nothing")
    for name in (newest[0], newest[0].rsplit("/", 1)[1], family):
        reply = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
        report.equal(reply["taskDefinition"]["taskDefinitionArn"], newest[0], f"describe_task_definition {name}")
        report.check("tags" in reply and "tags" not in reply["taskDefinition"], "tags come beside the task definition")
    for arn in arns[:12]:
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        always_has(report, definition, TASK_DEFINITION, f"task definition {arn}")
        for container in definition["containerDefinitions"]:
            always_has(report, container, ["name", "image", "cpu", "essential", "environment", "portMappings"], f"container definition of {arn}")
    refused(report, ecs.describe_task_definition, "ClientException", "Unable to describe task definition.", taskDefinition="no-such-family")
    refused(report, ecs.describe_task_definition, "ClientException", "Unable to describe task definition.", taskDefinition=f"{family}:99999")


def capacity_providers(report, ecs):
    found = ecs.describe_capacity_providers()
    names = {provider["name"] for provider in found["capacityProviders"]}
    report.check({"FARGATE", "FARGATE_SPOT"} <= names, f"capacity providers hold FARGATE and FARGATE_SPOT: {names}")
    reply = ecs.describe_capacity_providers(capacityProviders=["FARGATE", "no-such-provider"], include=["TAGS"])
    report.equal([p["name"] for p in reply["capacityProviders"]], ["FARGATE"], "a capacity provider is found by its name")
    report.equal([f["reason"] for f in reply["failures"]], ["MISSING"], "an unknown capacity provider is a MISSING failure")


def limits(report, ecs):
    invalid, cluster = "InvalidParameterException", ecs.list_clusters()["clusterArns"][0]
    names = [f"service-{i}" for i in range(11)]
    refused(report, ecs.describe_services, invalid, cluster=cluster, services=names)
    report.equal(len(ecs.describe_services(cluster=cluster, services=names[:10])["failures"]), 10, "10 services are answered")
    refused(report, ecs.describe_services, invalid, cluster=cluster, services=[])
    identities = [f"{i:032x}" for i in range(101)]
    refused(report, ecs.describe_tasks, invalid, cluster=cluster, tasks=identities)
    report.equal(len(ecs.describe_tasks(cluster=cluster, tasks=identities[:100])["failures"]), 100, "100 tasks are answered")
    refused(report, ecs.describe_tasks, invalid, cluster=cluster, tasks=[])
    refused(report, ecs.describe_clusters, invalid, clusters=[f"cluster-{i}" for i in range(101)])
    refused(report, ecs.describe_container_instances, invalid, cluster=cluster, containerInstances=identities)
    arn = "arn:aws:ecs:eu-west-1:111111111111:service-deployment/a/b/"
    refused(report, ecs.describe_service_deployments, invalid, serviceDeploymentArns=[f"{arn}{i:021}" for i in range(21)])
    arn = arn.replace("deployment", "revision")
    refused(report, ecs.describe_service_revisions, invalid, serviceRevisionArns=[f"{arn}{i:019}" for i in range(21)])
    for size in (0, 101, -1):
        refused(report, ecs.list_clusters, invalid, maxResults=size)
        refused(report, ecs.list_services, invalid, cluster=cluster, maxResults=size)
        refused(report, ecs.list_tasks, invalid, cluster=cluster, maxResults=size)
        refused(report, ecs.list_task_definitions, invalid, maxResults=size)
        refused(report, ecs.list_container_instances, invalid, cluster=cluster, maxResults=size)
    refused(report, ecs.describe_capacity_providers, invalid, maxResults=11)
    for call in (ecs.list_services, ecs.list_tasks, ecs.list_container_instances):
        refused(report, call, "ClusterNotFoundException", "Cluster not found.", cluster="no-such-cluster")
    # Without a name it is the cluster `default`.
    refused(report, ecs.list_services, "ClusterNotFoundException", "Cluster not found.")
    refused(report, ecs.describe_services, "ClusterNotFoundException", cluster="no-such-cluster", services=["a"])
    refused(report, ecs.describe_tasks, "ClusterNotFoundException", cluster="no-such-cluster", tasks=identities[:1])
    for call in (ecs.list_services, ecs.list_tasks):
        refused(report, call, invalid, cluster=cluster, nextToken="not a token")
        refused(report, call, invalid, cluster=cluster, launchType="BALLOON")
    refused(report, ecs.list_tasks, invalid, cluster=cluster, desiredStatus="ASLEEP")
    refused(report, ecs.list_service_deployments, "ServiceNotFoundException", service="no-such-service", cluster=cluster)


def apart(report, sim):
    """The region is the signature's scope, the account is the key's: nothing leaks from one into another."""
    contexts = list(sim.contexts.values())
    owned = [set(sim.client("ecs", c).list_clusters()["clusterArns"]) for c in contexts]
    for i, context in enumerate(contexts):
        for j in range(i):
            if context["account"] != contexts[j]["account"]:
                report.equal(owned[i] & owned[j], set(), "clusters of two accounts")
        elsewhere = sim.client("ecs", context, region="sa-east-1").list_clusters()
        report.equal(elsewhere["clusterArns"], [], f"{context['name']} has nothing in sa-east-1")


def large(report, sim):
    """Pagination under pressure; `sim` runs the scenario `large` with 250 services and 620 tasks in one cluster."""
    context = next(iter(sim.contexts.values()))
    ecs = sim.client("ecs", context)
    cluster = ecs.list_clusters()["clusterArns"][0]
    arns = pages(report, ecs, "list_services", "serviceArns", cluster=cluster)
    report.equal(len(arns), 250, "large holds the services that --set asked for")
    by_hundred = pages(report, ecs, "list_services", "serviceArns", cluster=cluster, PaginationConfig={"PageSize": 100})
    report.equal(sorted(by_hundred), sorted(arns), "pages of 10 and of 100 hold the same services")
    page = ecs.list_services(cluster=cluster, maxResults=100)
    report.equal(len(page["serviceArns"]), 100, "a page of 100 is full")
    other = ecs.list_services(cluster=cluster, maxResults=7, nextToken=page["nextToken"])
    report.equal(len(other["serviceArns"]), 7, "a token goes on with another page size")
    report.equal(set(other["serviceArns"]) & set(page["serviceArns"]), set(), "the next page repeats nothing")
    services_found = described_services(ecs, cluster, arns)
    report.equal(len(services_found), 250, "25 calls describe 250 services")
    listed = pages(report, ecs, "list_tasks", "taskArns", cluster=cluster)
    wanted = sum(s["desiredCount"] for s in services_found)
    report.check(abs(len(listed) - wanted) <= wanted // 20, f"{len(listed)} tasks are listed for {wanted} wanted")
    report.check(abs(len(listed) - 620) <= 31, f"large holds about the tasks that --set asked for: {len(listed)}")
    first = ecs.list_tasks(cluster=cluster)
    report.equal(len(first["taskArns"]), 100, "a page of list_tasks holds 100 by default")
    found = described_tasks(ecs, cluster, listed)
    report.check(len(found) >= len(listed) - 4, "describe_tasks answers all")
    groups = {}
    for task in found:
        groups[task["group"]] = groups.get(task["group"], 0) + (task["lastStatus"] == "RUNNING")
    # Counted some calls apart: a moving service may differ by a task or two.
    off = [s["serviceName"] for s in services_found if abs(groups.get(f"service:{s['serviceName']}", 0) - s["runningCount"]) > 2]
    report.equal(off, [], "services whose runningCount is not the number of their running tasks")
    eventually(report, lambda: ecs.describe_clusters(clusters=[cluster])["clusters"][0]["activeServicesCount"] == 250, "activeServicesCount")
