"""CodeDeploy of beside.toml: groups, a canary that is stopped and rolled back, one that waits to be continued.

botocore speaks CBOR to CodeDeploy; the same calls in JSON are the Rust client's, see tests/sim_sdk.rs.
"""

import json

from harness import always_has, eventually, pages, refused

PAY = {"applicationName": "shop-pay", "deploymentGroupName": "shop-pay-production"}
EDGE = {"applicationName": "AppECS-shop-edge", "deploymentGroupName": "DgpECS-shop-edge"}


def spec(definition, container, port):
    properties = {"TaskDefinition": definition, "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port}}
    return json.dumps({"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}]})


def revision(content):
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}


def run(report, sim):
    client = sim.client("codedeploy", sim.contexts["shop"])
    with report.section("applications, groups and configurations"):
        reads(report, sim, client)
    with report.section("a canary is stopped in its bake and rolled back"):
        canary(report, sim, client)
    with report.section("a deployment waits to be continued"):
        waits(report, client)
    with report.section("who may not"):
        narrow = sim.client("codedeploy", sim.contexts["looker"], attempts=1)
        refused(report, narrow.list_applications, "AccessDeniedException", "is not authorized to perform: codedeploy:ListApplications")


def reads(report, sim, client):
    names = pages(report, client, "list_applications", "applications")
    report.equal(names, ["AppECS-shop-edge", "shop-pay"], "applications")
    report.equal(client.get_application(applicationName="shop-pay")["application"]["computePlatform"], "ECS", "an application")
    batch = client.batch_get_applications(applicationNames=names)["applicationsInfo"]
    report.equal([a["applicationName"] for a in batch], names, "a batch of applications")
    report.equal(pages(report, client, "list_deployment_groups", "deploymentGroups", applicationName="shop-pay"), ["shop-pay-production"], "groups")
    group = client.get_deployment_group(**PAY)["deploymentGroupInfo"]
    report.equal(group["ecsServices"], [{"serviceName": "pay", "clusterName": "shop"}], "the service of the group")
    pair = group["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    report.equal(len(pair["targetGroups"]), 2, "a pair of target groups")
    report.check(pair["prodTrafficRoute"]["listenerArns"] and pair["testTrafficRoute"]["listenerArns"], "listeners of both routes")
    listener = sim.client("elbv2", sim.contexts["shop"]).describe_listeners(ListenerArns=pair["testTrafficRoute"]["listenerArns"])["Listeners"][0]
    report.equal(listener["Port"], 9443, "the listener for test traffic")
    report.equal(group["alarmConfiguration"]["alarms"], [{"name": "pay-errors"}], "alarms of the group")
    report.check("DEPLOYMENT_STOP_ON_ALARM" in group["autoRollbackConfiguration"]["events"], "what rolls back")
    wait = group["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    report.equal(wait, {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5}, "termination wait")
    groups = client.batch_get_deployment_groups(applicationName="shop-pay", deploymentGroupNames=["shop-pay-production", "nobody"])
    report.equal(len(groups["deploymentGroupsInfo"]), 1, "a batch of groups")
    report.check("nobody" in groups.get("errorMessage", ""), "a group that is not there is named")
    own = client.get_deployment_config(deploymentConfigName="shop-canary-10-10")["deploymentConfigInfo"]["trafficRoutingConfig"]
    report.equal(own, {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 10}}, "a configuration of one's own")
    linear = client.get_deployment_config(deploymentConfigName="CodeDeployDefault.ECSLinear10PercentEvery1Minutes")
    report.equal(linear["deploymentConfigInfo"]["trafficRoutingConfig"]["type"], "TimeBasedLinear", "one of AWS's own")
    report.check("shop-canary-10-10" in client.list_deployment_configs()["deploymentConfigsList"], "configurations are listed")
    last = client.get_deployment(deploymentId=group["lastSuccessfulDeployment"]["deploymentId"])["deploymentInfo"]
    report.equal(last["status"], "Succeeded", "the last successful deployment")
    report.equal(last["revision"], group["targetRevision"], "its revision is the group's")
    refused(report, client.get_application, "ApplicationDoesNotExistException", applicationName="nobody")
    refused(report, client.get_deployment_group, "DeploymentGroupDoesNotExistException", applicationName="shop-pay", deploymentGroupName="nobody")
    refused(report, client.get_deployment_config, "DeploymentConfigDoesNotExistException", deploymentConfigName="nobody")
    refused(report, client.get_deployment, "DeploymentDoesNotExistException", deploymentId="d-ABCDEFGHI")
    refused(report, client.get_deployment, "InvalidDeploymentIdException", deploymentId="nonsense")
    refused(report, client.batch_get_deployments, "BatchLimitExceededException", deploymentIds=[f"d-ABCDEFG{i:02}" for i in range(26)])
    refused(report, client.list_deployments, "ApplicationNameRequiredException", deploymentGroupName="shop-pay-production")
    refused(report, client.list_deployments, "InvalidNextTokenException", nextToken="no token")


def canary(report, sim, client):
    ecs = sim.client("ecs", sim.contexts["shop"])

    def sets():
        return ecs.describe_services(cluster="shop", services=["pay"])["services"][0]["taskSets"]

    before = sets()
    report.equal([s["status"] for s in before], ["PRIMARY"], "one task set at rest")
    started = client.create_deployment(revision=revision(spec(before[0]["taskDefinition"], "api", 3000)), description="contract", **PAY)["deploymentId"]
    words = f"already has an active Deployment '{started}'"
    refused(report, client.create_deployment, "DeploymentLimitExceededException", words, revision=revision(spec("pay:17", "api", 3000)), **PAY)
    refused(report, client.create_deployment, "InvalidRevisionException", revision=revision("{}"), **PAY)
    running = client.list_deployments(includeOnlyStatuses=["Created", "Queued", "InProgress", "Baking", "Ready"], **PAY)["deployments"]
    report.equal(running, [started], "the one deployment under way")

    def target():
        return client.get_deployment_target(deploymentId=started, targetId="shop:pay")["deploymentTarget"]["ecsTarget"]

    def begun():
        return client.get_deployment(deploymentId=started)["deploymentInfo"]["status"] == "InProgress"

    eventually(report, begun, "the deployment begins")

    def baking():
        return [s["trafficWeight"] for s in target().get("taskSetsInfo", [])] == [90.0, 10.0]

    eventually(report, baking, "ten percent are shifted")
    report.equal(client.list_deployment_targets(deploymentId=started)["targetIds"], ["shop:pay"], "targets")
    seen = client.batch_get_deployment_targets(deploymentId=started, targetIds=["shop:pay"])["deploymentTargets"][0]["ecsTarget"]
    events = {e["lifecycleEventName"]: e["status"] for e in seen["lifecycleEvents"]}
    report.equal((events["Install"], events["AllowTraffic"], events["AfterAllowTraffic"]), ("Succeeded", "InProgress", "Pending"), "lifecycle events")
    report.check("AllowTestTraffic" in events, "a group with a test listener has its events")
    report.equal([s["taskSetLabel"] for s in seen["taskSetsInfo"]], ["Blue", "Green"], "labels of the task sets")
    now = sets()
    report.equal([s["status"] for s in now], ["PRIMARY", "ACTIVE"], "the service has two task sets")
    report.equal((now[1]["externalId"], now[1]["startedBy"]), (started, "CODE_DEPLOY"), "whose the new one is")
    elb = sim.client("elbv2", sim.contexts["shop"])
    listener = elb.describe_load_balancers(Names=["shop-public"])["LoadBalancers"][0]["LoadBalancerArn"]
    arn = next(li["ListenerArn"] for li in elb.describe_listeners(LoadBalancerArn=listener)["Listeners"] if li["Port"] == 443)
    rule = next(r for r in elb.describe_rules(ListenerArn=arn)["Rules"] if r["Conditions"] and r["Conditions"][0]["Values"] == ["pay.shop.example"])
    weights = {g["TargetGroupArn"]: g["Weight"] for g in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]}
    report.equal(weights[now[1]["loadBalancers"][0]["targetGroupArn"]], 10, "the listener rule's weight of the new target group")
    reply = client.stop_deployment(deploymentId=started, autoRollbackEnabled=True)
    report.check(reply["status"] in ("Pending", "Succeeded"), "the stop is accepted")
    info = client.get_deployment(deploymentId=started)["deploymentInfo"]
    report.equal(info["status"], "Stopped", "the deployment is stopped")
    always_has(report, info, ("createTime", "startTime", "completeTime", "previousRevision", "deploymentOverview", "rollbackInfo"), "a stopped deployment")
    back = info["rollbackInfo"]["rollbackDeploymentId"]

    def rolled_back():
        return client.get_deployment(deploymentId=back)["deploymentInfo"]["status"] == "Succeeded"

    eventually(report, rolled_back, "the rollback succeeds")
    eventually(report, lambda: [s["id"] for s in sets()] == [before[0]["id"]], "the old task set is alone again")
    both = client.batch_get_deployments(deploymentIds=[started, back, "d-ABCDEFGHI"])["deploymentsInfo"]
    report.equal([d.get("creator") for d in both], ["user", "codeDeployRollback"], "who made the two")
    newest = pages(report, client, "list_deployments", "deployments", **PAY)
    report.equal(newest[:2], [back, started], "deployments are listed newest first")
    refused(report, client.stop_deployment, "DeploymentAlreadyCompletedException", deploymentId=started)
    refused(report, client.get_deployment_target, "DeploymentTargetDoesNotExistException", deploymentId=started, targetId="shop:nobody")


def waits(report, client):
    made = client.create_deployment(revision=revision(spec("edge:3", "proxy", 8443)), **EDGE)["deploymentId"]

    def status():
        return client.get_deployment(deploymentId=made)["deploymentInfo"]["status"]

    eventually(report, lambda: status() == "Ready", "the deployment waits")
    refused(report, client.continue_deployment, "DeploymentIsNotInReadyStateException", deploymentId=made, deploymentWaitType="TERMINATION_WAIT")
    client.continue_deployment(deploymentId=made, deploymentWaitType="READY_WAIT")
    eventually(report, lambda: status() == "Succeeded", "it goes on and succeeds")
    refused(report, client.continue_deployment, "DeploymentAlreadyCompletedException", deploymentId=made)
