"""Elastic Load Balancing v2: the query protocol with XML, and how targets join with the tasks of ECS."""

from ecs_reads import described_services, described_tasks
from harness import always_has, pages, refused

TARGET_GROUP = """TargetGroupArn TargetGroupName Protocol Port VpcId HealthCheckProtocol HealthCheckPort HealthCheckEnabled
    HealthCheckIntervalSeconds HealthCheckTimeoutSeconds HealthyThresholdCount UnhealthyThresholdCount
    LoadBalancerArns TargetType IpAddressType""".split()
LOAD_BALANCER = """LoadBalancerArn DNSName CanonicalHostedZoneId CreatedTime LoadBalancerName Scheme VpcId State Type
    AvailabilityZones IpAddressType""".split()


def run(report, sim):
    for context in sim.contexts.values():
        elb = sim.client("elbv2", context)
        with report.section(f"target groups of {context['name']}"):
            found = target_groups(report, elb)
        with report.section(f"target health of {context['name']}"):
            for group in found:
                health(report, elb, group)
        with report.section(f"load balancers of {context['name']}"):
            load_balancers(report, elb, found)
        with report.section(f"targets are tasks of {context['name']}"):
            joins(report, sim.client("ecs", context), elb)
    first = next(iter(sim.contexts.values()))
    with report.section("limits and errors of elbv2"):
        limits(report, sim.client("elbv2", first, validate=False))


def target_groups(report, elb):
    found = pages(report, elb, "describe_target_groups", "TargetGroups")
    report.check(found, "there are target groups")
    arns = [g["TargetGroupArn"] for g in found]
    ones = pages(report, elb, "describe_target_groups", "TargetGroups", PaginationConfig={"PageSize": 1})
    report.equal([g["TargetGroupArn"] for g in ones], arns, "describe_target_groups by pages of one")
    for group in found:
        always_has(report, group, TARGET_GROUP, f"target group {group['TargetGroupName']}")
        if group["HealthCheckProtocol"] in ("HTTP", "HTTPS"):
            always_has(report, group, ["HealthCheckPath", "Matcher"], f"target group {group['TargetGroupName']}")
    by_arn = elb.describe_target_groups(TargetGroupArns=arns[:2])["TargetGroups"]
    report.equal(sorted(g["TargetGroupArn"] for g in by_arn), sorted(arns[:2]), "target groups by ARN")
    by_name = elb.describe_target_groups(Names=[found[0]["TargetGroupName"]])["TargetGroups"]
    report.equal([g["TargetGroupArn"] for g in by_name], arns[:1], "a target group by its name")
    balancer = found[0]["LoadBalancerArns"][0]
    behind = elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    wanted = [g["TargetGroupArn"] for g in found if balancer in g["LoadBalancerArns"]]
    report.equal(sorted(g["TargetGroupArn"] for g in behind), sorted(wanted), "target groups of a load balancer")
    return found


def health(report, elb, group):
    name, arn = group["TargetGroupName"], group["TargetGroupArn"]
    found = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    for description in found:
        target, state = description["Target"], description["TargetHealth"]
        always_has(report, target, ["Id", "Port"], f"target of {name}")
        report.check(target["Id"].startswith("i-") == (group["TargetType"] == "instance"), f"{target['Id']} suits the {group['TargetType']} targets of {name}")
        # AWS gives a reason, and words for it, for every state but healthy.
        report.equal("Reason" in state, state["State"] != "healthy", f"a reason for {state['State']} in {name}")
        report.equal("Description" in state, state["State"] != "healthy", f"a description for {state['State']} in {name}")
    everything = elb.describe_target_health(TargetGroupArn=arn, Include=["All"])["TargetHealthDescriptions"]
    report.check(abs(len(everything) - len(found)) <= 2, f"Include=All answers the same targets of {name}")
    stranger = {"Id": "i-0123456789abcdef0" if group["TargetType"] == "instance" else "10.255.255.254", "Port": 9}
    asked = elb.describe_target_health(TargetGroupArn=arn, Targets=[stranger])["TargetHealthDescriptions"]
    report.equal([(d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")) for d in asked], [("unused", "Target.NotRegistered")], f"a stranger in {name}")
    if found:
        known = elb.describe_target_health(TargetGroupArn=arn, Targets=[{k: found[0]["Target"][k] for k in ("Id", "Port")}])
        report.equal(len(known["TargetHealthDescriptions"]), 1, f"one target of {name} by its id and port")


def load_balancers(report, elb, groups):
    found = pages(report, elb, "describe_load_balancers", "LoadBalancers")
    arns = [b["LoadBalancerArn"] for b in found]
    report.check(found, "there are load balancers")
    for balancer in found:
        always_has(report, balancer, LOAD_BALANCER, f"load balancer {balancer['LoadBalancerName']}")
        if balancer["Type"] == "application":
            always_has(report, balancer, ["SecurityGroups"], f"load balancer {balancer['LoadBalancerName']}")
    by_name = elb.describe_load_balancers(Names=[found[0]["LoadBalancerName"]])["LoadBalancers"]
    report.equal([b["LoadBalancerArn"] for b in by_name], arns[:1], "a load balancer by its name")
    by_arn = elb.describe_load_balancers(LoadBalancerArns=arns[:1])["LoadBalancers"]
    report.equal([b["LoadBalancerArn"] for b in by_arn], arns[:1], "a load balancer by its ARN")
    reached = set()
    for arn in arns:
        listeners = pages(report, elb, "describe_listeners", "Listeners", LoadBalancerArn=arn)
        report.check(listeners, f"{arn} has listeners")
        for listener in listeners:
            always_has(report, listener, ["ListenerArn", "LoadBalancerArn", "Port", "Protocol", "DefaultActions"], "listener")
            again = elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"]
            report.equal(again, [listener], "a listener by its ARN")
            rules = pages(report, elb, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
            report.equal([r["Priority"] for r in rules if r["IsDefault"]], ["default"], "a listener has one default rule")
            for rule in rules:
                always_has(report, rule, ["RuleArn", "Priority", "Conditions", "Actions", "IsDefault"], "rule")
                for action in rule["Actions"]:
                    reached |= {action.get("TargetGroupArn")}
                    reached |= {g["TargetGroupArn"] for g in action.get("ForwardConfig", {}).get("TargetGroups", [])}
            one = elb.describe_rules(RuleArns=[rules[0]["RuleArn"]])["Rules"]
            report.equal(one, rules[:1], "a rule by its ARN")
    for group in groups:
        if group["LoadBalancerArns"]:
            report.check(group["TargetGroupArn"] in reached, f"a rule leads to {group['TargetGroupName']}, which names a load balancer")


def joins(report, ecs, elb):
    """Every target of a steady service is one of its tasks, by address or by instance and host port."""
    joined = 0
    for cluster in ecs.list_clusters()["clusterArns"]:
        instances = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        hosts = {}
        if instances:
            described = ecs.describe_container_instances(cluster=cluster, containerInstances=instances)
            hosts = {i["containerInstanceArn"]: i["ec2InstanceId"] for i in described["containerInstances"]}
        arns = pages(report, ecs, "list_services", "serviceArns", cluster=cluster)
        for service in described_services(ecs, cluster, arns):
            if not service["loadBalancers"] or len(service["deployments"]) > 1 or service["runningCount"] != service["desiredCount"]:
                continue
            balancer = service["loadBalancers"][0]
            always_has(report, balancer, ["targetGroupArn", "containerName", "containerPort"], f"loadBalancers of {service['serviceName']}")
            listed = ecs.list_tasks(cluster=cluster, serviceName=service["serviceName"])["taskArns"]
            addresses = set()
            for task in described_tasks(ecs, cluster, listed):
                addresses |= reachable(task, balancer, hosts)
            group = elb.describe_target_health(TargetGroupArn=balancer["targetGroupArn"])["TargetHealthDescriptions"]
            serving = {(d["Target"]["Id"], d["Target"]["Port"]) for d in group if d["TargetHealth"]["State"] in ("healthy", "unhealthy")}
            report.check(serving <= addresses, f"targets of {service['serviceName']} without a task: {serving - addresses}")
            joined += len(serving & addresses)
    report.check(joined, "some targets are tasks")


def reachable(task, balancer, hosts):
    """Where a load balancer finds the task."""
    found = set()
    for container in task["containers"]:
        if container["name"] != balancer["containerName"]:
            continue
        for interface in container["networkInterfaces"]:
            found.add((interface["privateIpv4Address"], balancer["containerPort"]))
        for binding in container.get("networkBindings", []):
            if binding.get("containerPort") == balancer["containerPort"]:
                found.add((hosts.get(task.get("containerInstanceArn")), binding["hostPort"]))
    return found


def limits(report, elb):
    arn = elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    gone = arn[:-1] + ("0" if arn[-1] != "0" else "1")
    refused(report, elb.describe_target_groups, "TargetGroupNotFound", TargetGroupArns=[arn, gone])
    refused(report, elb.describe_target_groups, "TargetGroupNotFound", Names=["no-such-group"])
    refused(report, elb.describe_target_health, "TargetGroupNotFound", TargetGroupArn=gone)
    refused(report, elb.describe_target_health, "ValidationError")
    refused(report, elb.describe_target_groups, "ValidationError", TargetGroupArns=["not an arn"])
    for size in (0, 401):
        refused(report, elb.describe_target_groups, "ValidationError", PageSize=size)
        refused(report, elb.describe_load_balancers, "ValidationError", PageSize=size)
    balancer = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    rule = elb.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
    last = "0" if listener[-1] != "0" else "1"
    refused(report, elb.describe_listeners, "ListenerNotFound", ListenerArns=[listener[:-1] + last])
    refused(report, elb.describe_rules, "ListenerNotFound", ListenerArn=listener[:-1] + last)
    refused(report, elb.describe_rules, "RuleNotFound", RuleArns=[rule[:-1] + ("0" if rule[-1] != "0" else "1")])
    refused(report, elb.describe_load_balancers, "LoadBalancerNotFound", Names=["no-such-balancer"])
    refused(report, elb.describe_listeners, "LoadBalancerNotFound", LoadBalancerArn=balancer[:-1] + ("0" if balancer[-1] != "0" else "1"))
