"""Deployments that shift traffic, hooks that wait, task sets by hand, hosts that drain and tasks that are protected."""

from ecs_reads import described_tasks
from harness import always_has, eventually, pages, refused


def run(report, sim):
    context = next(iter(sim.contexts.values()))
    ecs, elb = sim.client("ecs", context), sim.client("elbv2", context)
    with report.section("a canary with a hook that waits"):
        canary(report, ecs, elb)
    with report.section("task protection"):
        protection(report, ecs)
    with report.section("task sets"):
        task_sets(report, ecs)
    with report.section("hosts"):
        hosts(report, ecs)
    with report.section("a revision is deregistered"):
        deregister(report, ecs)
    with report.section("success before the end"):
        early(report, ecs)
    with report.section("a service is deleted"):
        delete(report, ecs)


def web(ecs):
    return ecs.describe_services(cluster="main", services=["web"])["services"][0]


def canary(report, ecs, elb):
    before = web(ecs)
    config = before["deploymentConfiguration"]
    report.equal(config["strategy"], "CANARY", "the strategy")
    report.equal(config["canaryConfiguration"], {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 2}, "canaryConfiguration")
    report.equal(sorted(h["targetType"] for h in config["lifecycleHooks"]), ["AWS_LAMBDA", "PAUSE"], "hooks of both kinds")
    pair = before["loadBalancers"][0]
    always_has(report, pair["advancedConfiguration"], ["alternateTargetGroupArn", "productionListenerRule", "testListenerRule", "roleArn"], "a pair")
    rule = pair["advancedConfiguration"]["productionListenerRule"]

    def weights():
        actions = elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
        found = {g["TargetGroupArn"]: g["Weight"] for g in actions[0]["ForwardConfig"]["TargetGroups"]}
        return found[pair["targetGroupArn"]], found[pair["advancedConfiguration"]["alternateTargetGroupArn"]]

    report.equal(weights(), (100, 0), "all traffic before")
    arn = ecs.update_service(cluster="main", service="web", forceNewDeployment=True)["service"]["currentServiceDeployment"]

    def deployment():
        return ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    def waiting():
        return next((h for h in deployment().get("lifecycleHookDetails", []) if h["status"] == "AWAITING_ACTION"), None)

    hook = eventually(report, waiting, "a PAUSE waits for an answer", 60)
    report.equal(deployment()["lifecycleStage"], "POST_TEST_TRAFFIC_SHIFT", "the stage that it holds up")
    always_has(report, hook, ["hookId", "targetType", "expiresAt", "timeoutAction"], "a hook")
    refused(report, ecs.continue_service_deployment, "InvalidParameterException", serviceDeploymentArn=arn, hookId="nonsense")
    reply = ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"], action="CONTINUE")
    report.equal(reply["serviceDeploymentArn"], arn, "continue_service_deployment answers the ARN")

    def shifted():
        now = deployment()
        return now if now["targetServiceRevision"]["requestedProductionTrafficWeight"] == 20.0 else None

    now = eventually(report, shifted, "the canary has its share", 60)
    report.equal(now["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"], 80.0, "and the source the rest")
    report.equal(weights(), (80, 20), "the rule has the same weights")
    eventually(report, lambda: deployment()["status"] == "SUCCESSFUL", "the canary ends SUCCESSFUL", 60)
    report.equal(weights(), (0, 100), "all traffic after")
    revision = ecs.describe_service_revisions(serviceRevisionArns=[now["targetServiceRevision"]["arn"]])["serviceRevisions"][0]
    resolved = revision["resolvedConfiguration"]["loadBalancers"][0]
    report.equal(resolved["productionListenerRule"], rule, "the resolved rule")
    unknown = arn[:-4] + "zzzz"
    refused(report, ecs.continue_service_deployment, "ServiceDeploymentNotFoundException", serviceDeploymentArn=unknown, hookId="x")
    bad = {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 1.0}}
    refused(report, ecs.update_service, "InvalidParameterException", cluster="main", service="web", deploymentConfiguration=bad)


def protection(report, ecs):
    arns = ecs.list_tasks(cluster="main", serviceName="web")["taskArns"]
    reply = ecs.update_task_protection(cluster="main", tasks=arns, protectionEnabled=True, expiresInMinutes=60)
    report.check(all(t["protectionEnabled"] and t["expirationDate"] for t in reply["protectedTasks"]), "tasks are protected until a time")
    shown = ecs.get_task_protection(cluster="main", tasks=arns)["protectedTasks"]
    report.equal(shown, reply["protectedTasks"], "get_task_protection agrees")
    refused(report, ecs.update_task_protection, "InvalidParameterException", cluster="main", tasks=arns * 6, protectionEnabled=True)
    refused(report, ecs.get_task_protection, "ClusterNotFoundException", cluster="no-such-cluster")
    reply = ecs.update_task_protection(cluster="main", tasks=arns, protectionEnabled=False)
    report.check(not any(t["protectionEnabled"] for t in reply["protectedTasks"]), "and no longer")


def task_sets(report, ecs):
    of = {"cluster": "main", "service": "batch"}
    service = ecs.describe_services(cluster="main", services=["batch"])["services"][0]
    report.equal(service["deployments"], [], "an EXTERNAL service has no deployments")
    first = service["taskSets"][0]
    made = ecs.create_task_set(
        taskDefinition=first["taskDefinition"], externalId="r-1", launchType="FARGATE", scale={"value": 50, "unit": "PERCENT"},
        networkConfiguration=first["networkConfiguration"], **of,
    )["taskSet"]
    report.equal((made["status"], made["computedDesiredCount"], made["externalId"]), ("ACTIVE", 1, "r-1"), "a task set of a half")

    def stable():
        found = ecs.describe_task_sets(taskSets=[made["id"]], **of)["taskSets"][0]
        return found["stabilityStatus"] == "STEADY_STATE" and found["runningCount"] == found["computedDesiredCount"]

    eventually(report, stable, "the task set is steady", 60)
    updated = ecs.update_task_set(taskSet=made["id"], scale={"value": 100, "unit": "PERCENT"}, **of)["taskSet"]
    report.equal(updated["computedDesiredCount"], 2, "the task set is scaled")
    report.equal(ecs.update_service_primary_task_set(primaryTaskSet=made["id"], **of)["taskSet"]["status"], "PRIMARY", "it leads")
    refused(report, ecs.delete_task_set, "InvalidParameterException", taskSet=first["id"], **of)
    report.equal(ecs.delete_task_set(taskSet=first["id"], force=True, **of)["taskSet"]["status"], "DRAINING", "the old one goes")
    eventually(report, lambda: len(ecs.describe_task_sets(**of)["taskSets"]) == 1, "and has gone", 60)
    refused(report, ecs.update_task_set, "TaskSetNotFoundException", taskSet=first["id"], scale={"value": 1, "unit": "PERCENT"}, **of)
    refused(report, ecs.describe_task_sets, "InvalidParameterException", cluster="main", service="web")
    refused(report, ecs.update_service, "InvalidParameterException", "EXTERNAL deployment controller", forceNewDeployment=True, **of)


def hosts(report, ecs):
    arns = pages(report, ecs, "list_container_instances", "containerInstanceArns", cluster="main")
    described = ecs.describe_container_instances(cluster="main", containerInstances=arns)["containerInstances"]
    for instance in described:
        left = {r["name"]: r for r in instance["remainingResources"]}
        total = {r["name"]: r for r in instance["registeredResources"]}
        report.equal(total["MEMORY"]["integerValue"] - left["MEMORY"]["integerValue"], 512 * instance["runningTasksCount"], "memory is counted")
        report.equal(total["CPU"]["integerValue"] - left["CPU"]["integerValue"], 256 * instance["runningTasksCount"], "CPU is counted")
        report.check("80" in left["PORTS"]["stringSetValue"], "the fixed port is taken")
    tasks = described_tasks(ecs, "main", ecs.list_tasks(cluster="main", serviceName="hosted")["taskArns"])
    bindings = [b for t in tasks for c in t["containers"] for b in c["networkBindings"]]
    report.equal({b["hostPort"] for b in bindings}, {80}, "bindings name the host port")
    ecs.update_service(cluster="main", service="hosted", desiredCount=3)

    def said():
        events = ecs.describe_services(cluster="main", services=["hosted"])["services"][0]["events"]
        return any("is already using a port required by your task" in e["message"] for e in events)

    eventually(report, said, "a third task does not fit beside the fixed port", 30)
    failed = ecs.run_task(cluster="main", taskDefinition="hosted", launchType="EC2")["failures"][0]
    report.equal(failed["reason"], "RESOURCE:PORTS", "run_task says so too")
    ecs.update_service(cluster="main", service="hosted", desiredCount=1)
    reply = ecs.update_container_instances_state(cluster="main", containerInstances=arns[:1], status="DRAINING")
    report.equal(reply["containerInstances"][0]["status"], "DRAINING", "a host drains")
    report.equal(ecs.list_container_instances(cluster="main", status="DRAINING")["containerInstanceArns"], arns[:1], "and is listed so")
    eventually(report, lambda: not ecs.list_tasks(cluster="main", containerInstance=arns[0])["taskArns"], "and is empty in the end", 60)
    ecs.update_container_instances_state(cluster="main", containerInstances=arns[:1], status="ACTIVE")
    update = Hosts(ecs).update_container_instances_state
    refused(report, update, "InvalidParameterException", cluster="main", containerInstances=arns, to="REGISTERING")
    refused(report, update, "InvalidParameterException", cluster="main", containerInstances=arns * 6, to="ACTIVE")


class Hosts:
    """`refused` takes `status` for the HTTP status, so that of hosts goes by another name."""

    def __init__(self, ecs):
        self.ecs, self.meta = ecs, ecs.meta

    def update_container_instances_state(self, to, **arguments):
        return self.ecs.update_container_instances_state(status=to, **arguments)


def deregister(report, ecs):
    newest = ecs.list_task_definitions(familyPrefix="hosted", sort="DESC")["taskDefinitionArns"][0]
    gone = ecs.deregister_task_definition(taskDefinition=newest)["taskDefinition"]
    report.equal(gone["status"], "INACTIVE", "a deregistered revision")
    report.check(gone.get("deregisteredAt"), "since when")
    refused(report, ecs.run_task, "InvalidParameterException", "TaskDefinition is inactive", cluster="main", taskDefinition=newest)
    refused(report, ecs.update_service, "ClientException", "TaskDefinition is inactive", cluster="main", service="hosted", taskDefinition=newest)
    report.check(newest not in ecs.list_task_definitions(familyPrefix="hosted")["taskDefinitionArns"], "it is no longer listed as ACTIVE")


def early(report, ecs):
    criteria = {"enable": True, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED"}
    wrong = {**criteria, "healthyPercent": 50}
    update = {"cluster": "main", "service": "hosted"}
    refused(report, ecs.update_service, "InvalidParameterException", "minimumHealthyPercent", deploymentConfiguration={"earlySuccessCriteria": wrong}, **update)
    refused(report, ecs.update_service, "InvalidParameterException", "ROLLING", cluster="main", service="web", deploymentConfiguration={"earlySuccessCriteria": criteria})
    shown = ecs.update_service(deploymentConfiguration={"earlySuccessCriteria": criteria}, **update)["service"]["deploymentConfiguration"]
    report.equal(shown["earlySuccessCriteria"], criteria, "early success criteria are kept")


def delete(report, ecs):
    refused(report, ecs.delete_service, "InvalidParameterException", "scaled above 0", cluster="main", service="hosted")
    gone = ecs.delete_service(cluster="main", service="hosted", force=True)["service"]
    report.check(gone["status"] in ("DRAINING", "INACTIVE"), f"a deleted service is {gone['status']}")
    refused(report, ecs.update_service, "ServiceNotActiveException", "Service was not ACTIVE.", cluster="main", service="hosted", desiredCount=2)
    report.check(not any(a.endswith("/hosted") for a in ecs.list_services(cluster="main")["serviceArns"]), "it is listed no more")

    def inactive():
        return ecs.describe_services(cluster="main", services=["hosted"])["services"][0]["status"] == "INACTIVE"

    eventually(report, inactive, "it is INACTIVE once its tasks are gone", 60)
