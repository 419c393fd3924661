"""IAM, EC2 and KMS, as far as they tell what a session needs: the simulator of policies, roles, profiles, subnets, endpoints, routes."""

from botocore.exceptions import ClientError

from harness import always_has, eventually, pages, refused


def run(report, sim):
    context = sim.contexts["acme-prod"]
    iam, ec2, ecs = (sim.client(service, context) for service in ("iam", "ec2", "ecs"))
    me = sim.client("sts", context).get_caller_identity()["Arn"].split("/")[1]
    mine = f"arn:aws:iam::{context['account']}:role/{me}"
    with report.section("simulate"):
        simulate(report, sim, iam, context, mine)
    with report.section("roles and profiles"):
        roles(report, iam, me, mine, context)
    with report.section("instances and subnets"):
        hosts(report, ec2, ecs)
    with report.section("endpoints and routes"):
        network(report, ec2)
    with report.section("keys"):
        key = ecs.describe_clusters(clusters=["web-prod"], include=["CONFIGURATIONS"])["clusters"][0]
        key = key["configuration"]["executeCommandConfiguration"]["kmsKeyId"]
        found = sim.client("kms", context).describe_key(KeyId=key)["KeyMetadata"]
        report.equal((found["Arn"], found["KeyState"]), (key, "Enabled"), "a key of a cluster")
        refused(report, sim.client("kms", context).describe_key, "NotFoundException", "does not exist", KeyId="nobody")


def simulate(report, sim, iam, context, mine):
    actions = ["ecs:ExecuteCommand", "ssm:StartSession", "s3:GetObject"]
    results = pages(report, iam, "simulate_principal_policy", "EvaluationResults", PolicySourceArn=mine, ActionNames=actions)
    report.equal([result["EvalActionName"] for result in results], actions, "one result for each action, in order")
    report.equal({result["EvalDecision"] for result in results}, {"allowed"}, "who may do everything")
    first = iam.simulate_principal_policy(PolicySourceArn=mine, ActionNames=actions, MaxItems=2)
    report.equal((len(first["EvaluationResults"]), first["IsTruncated"]), (2, True), "a page of two")
    rest = iam.simulate_principal_policy(PolicySourceArn=mine, ActionNames=actions, MaxItems=2, Marker=first["Marker"])
    report.equal((len(rest["EvaluationResults"]), rest["IsTruncated"]), (1, False), "the rest")
    both = [f"arn:aws:ecs:{context['region']}:{context['account']}:{what}" for what in ("task/a/b", "cluster/a")]
    one = iam.simulate_principal_policy(PolicySourceArn=mine, ActionNames=actions[:1], ResourceArns=both)["EvaluationResults"][0]
    report.equal([on["EvalResourceName"] for on in one["ResourceSpecificResults"]], both, "a result for each of several resources")
    refused(report, iam.simulate_principal_policy, "NoSuchEntity", "cannot be found", 404, PolicySourceArn=mine + "x", ActionNames=actions)
    refused(report, iam.simulate_principal_policy, "InvalidInput", PolicySourceArn=mine, ActionNames=["nonsense"])
    bare = sim.client("iam", context, validate=False)
    refused(report, bare.simulate_principal_policy, "ValidationError", PolicySourceArn=mine)


def roles(report, iam, me, mine, context):
    role = iam.get_role(RoleName=me)["Role"]
    report.equal((role["Arn"], role["Path"]), (mine, "/"), "my own role")
    refused(report, iam.get_role, "NoSuchEntity", "cannot be found", 404, RoleName="nobody")
    refused(report, iam.get_instance_profile, "NoSuchEntity", "cannot be found", 404, InstanceProfileName="nobody")
    profile = iam.get_instance_profile(InstanceProfileName="ecsInstanceRole")["InstanceProfile"]
    report.equal([role["RoleName"] for role in profile["Roles"]], ["ecsInstanceRole"], "the role of container instances")
    account = context["account"]
    report.equal(profile["Arn"], f"arn:aws:iam::{account}:instance-profile/ecsInstanceRole", "the profile of container instances")


def hosts(report, ec2, ecs):
    reservations = pages(report, ec2, "describe_instances", "Reservations")
    ids = [instance["InstanceId"] for reservation in reservations for instance in reservation["Instances"]]
    registered = set()
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if arns:
            found = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)["containerInstances"]
            registered |= {host["ec2InstanceId"] for host in found}
    report.check(registered and registered <= set(ids), f"{registered} are instances of EC2, of {ids}")
    one = ec2.describe_instances(InstanceIds=ids[:1])["Reservations"][0]["Instances"][0]
    always_has(report, one, ("InstanceId", "SubnetId", "VpcId", "IamInstanceProfile", "State"), "an instance")
    found = ec2.describe_subnets(SubnetIds=[one["SubnetId"]])["Subnets"]
    report.equal([subnet["VpcId"] for subnet in found], [one["VpcId"]], "the subnet of an instance")
    refused(report, ec2.describe_instances, "InvalidInstanceID.NotFound", "does not exist", InstanceIds=["i-0123456789abcdef0"])
    refused(report, ec2.describe_instances, "InvalidInstanceID.Malformed", InstanceIds=["nonsense"])
    refused(report, ec2.describe_subnets, "InvalidSubnetID.NotFound", "does not exist", SubnetIds=["subnet-0123456789abcdef0"])


def network(report, ec2):
    subnets = pages(report, ec2, "describe_subnets", "Subnets")
    report.equal(len({subnet["VpcId"] for subnet in subnets}), 2, "VPCs")
    tables = pages(report, ec2, "describe_route_tables", "RouteTables")
    for subnet in subnets:
        own = [{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
        main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [subnet["VpcId"]]}]
        found = ec2.describe_route_tables(Filters=own)["RouteTables"] or ec2.describe_route_tables(Filters=main)["RouteTables"]
        report.equal(len(found), 1, f"the table of {subnet['SubnetId']}")
        report.check(found[0] in tables, "a table by a filter is one of all")
        report.check(any(route.get("GatewayId") == "local" for route in found[0]["Routes"]), "the route within the VPC")
    for vpc in {subnet["VpcId"] for subnet in subnets}:
        endpoints = pages(report, ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        report.check(endpoints and all(endpoint["VpcId"] == vpc for endpoint in endpoints), f"endpoints of {vpc}")
    all_of_them = pages(report, ec2, "describe_vpc_endpoints", "VpcEndpoints")
    paged = ec2.describe_vpc_endpoints(MaxResults=5)
    report.equal(len(paged["VpcEndpoints"]), 5, "a page of endpoints")
    report.check(len(all_of_them) > 5 and paged["NextToken"], "more than a page")
    refused(report, ec2.describe_route_tables, "InvalidParameterValue", "is invalid", Filters=[{"Name": "nonsense", "Values": ["a"]}])
    refused(report, ec2.describe_vpc_endpoints, "InvalidParameterValue", MaxResults=1001)


def denied(report, sim):
    """Keys that may not look; `sim` runs doors.toml."""
    reader = sim.contexts["reader"]
    ec2, iam = sim.client("ec2", reader, attempts=1), sim.client("iam", reader, attempts=1)
    words = "You are not authorized to perform this operation. User: "
    with report.section("denials of EC2 and IAM"):
        refused(report, ec2.describe_subnets, "UnauthorizedOperation", words, 403)
        role = "arn:aws:iam::123456789012:role/Reader"
        asked = {"PolicySourceArn": role, "ActionNames": ["ecs:ExecuteCommand"]}
        on = f"is not authorized to perform: iam:SimulatePrincipalPolicy on resource: {role}"
        refused(report, iam.simulate_principal_policy, "AccessDenied", on, 403, **asked)
        late = sim.client("ec2", sim.contexts["expired"], attempts=1)

        def ended():
            try:
                late.describe_subnets()
                return False
            except ClientError:
                return True

        eventually(report, ended, "keys that last a second end")
        refused(report, late.describe_subnets, "RequestExpired", status=400)
