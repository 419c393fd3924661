"""Application Auto Scaling of beside.toml: targets, policies, schedules, activities, and a range that moves a service."""

from harness import always_has, eventually, pages, refused

FRONT = "service/shop/front"
DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
ECS = {"ServiceNamespace": "ecs"}


def run(report, sim):
    client = sim.client("application-autoscaling", sim.contexts["shop"])
    with report.section("targets, policies and schedules"):
        reads(report, sim, client)
    with report.section("a range moves its service"):
        moves(report, sim, client)
    with report.section("who may not"):
        narrow = sim.client("application-autoscaling", sim.contexts["looker"], attempts=1)
        words = "is not authorized to perform: application-autoscaling:DescribeScalableTargets"
        refused(report, narrow.describe_scalable_targets, "AccessDeniedException", words, **ECS)


def reads(report, sim, client):
    targets = pages(report, client, "describe_scalable_targets", "ScalableTargets", **ECS)
    report.equal([t["ResourceId"] for t in targets], [FRONT, "service/shop/orders"], "scalable targets")
    by_one = pages(report, client, "describe_scalable_targets", "ScalableTargets", PaginationConfig={"PageSize": 1}, **ECS)
    report.equal([t["ResourceId"] for t in by_one], [t["ResourceId"] for t in targets], "targets by pages of 1")
    always_has(report, targets[0], ("MinCapacity", "MaxCapacity", "RoleARN", "CreationTime", "SuspendedState", "ScalableTargetARN"), "a target")
    one = client.describe_scalable_targets(ResourceIds=[FRONT], **DIMENSION)["ScalableTargets"]
    report.equal([(t["MinCapacity"], t["MaxCapacity"]) for t in one], [(2, 8)], "the range of front")
    report.equal(client.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"], [], "another namespace holds nothing")
    policies = {p["PolicyName"]: p for p in pages(report, client, "describe_scaling_policies", "ScalingPolicies", **ECS)}
    tracking = policies["front-cpu-target-tracking"]["TargetTrackingScalingPolicyConfiguration"]
    report.equal(tracking["PredefinedMetricSpecification"]["PredefinedMetricType"], "ECSServiceAverageCPUUtilization", "the metric of front")
    report.equal((tracking["TargetValue"], tracking["ScaleOutCooldown"]), (65.0, 120), "target and cooldown of front")
    label = policies["front-requests-target-tracking"]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["ResourceLabel"]
    report.check(label.startswith("app/shop-public/") and "/targetgroup/" in label, f"resource label {label}")
    step = policies["orders-backlog"]["StepScalingPolicyConfiguration"]
    report.equal([s["ScalingAdjustment"] for s in step["StepAdjustments"]], [1, 2], "steps of orders")
    report.check("MetricIntervalUpperBound" not in step["StepAdjustments"][-1], "the last step has no upper bound")
    names = [a["AlarmName"] for a in policies["front-cpu-target-tracking"]["Alarms"]]
    report.equal([n.split("-Alarm")[1].split("-")[0] for n in names], ["High", "Low"], "alarms of target tracking")
    alarms = sim.client("cloudwatch", sim.contexts["shop"]).describe_alarms(AlarmNames=names)["MetricAlarms"]
    report.equal(sorted(a["AlarmName"] for a in alarms), sorted(names), "CloudWatch has the policy's alarms")
    schedules = pages(report, client, "describe_scheduled_actions", "ScheduledActions", ResourceId=FRONT, **ECS)
    report.equal([(s["ScheduledActionName"], s["Timezone"]) for s in schedules], [("office-hours", "Europe/London")], "scheduled actions")
    report.equal(schedules[0]["ScalableTargetAction"], {"MinCapacity": 4}, "what the schedule sets")
    loose = sim.client("application-autoscaling", sim.contexts["shop"], validate=False)
    invalid = "ValidationException"
    refused(report, loose.describe_scalable_targets, invalid, "enum value set", ServiceNamespace="eks")
    refused(report, loose.describe_scalable_targets, invalid)
    refused(report, loose.describe_scalable_targets, invalid, MaxResults=51, **ECS)
    refused(report, loose.describe_scalable_targets, invalid, ResourceIds=[f"service/shop/{i}" for i in range(51)], **ECS)
    refused(report, loose.describe_scalable_targets, "InvalidNextTokenException", NextToken="no token", **ECS)


def moves(report, sim, client):
    ecs = sim.client("ecs", sim.contexts["shop"])

    def desired():
        return ecs.describe_services(cluster="shop", services=["front"])["services"][0]["desiredCount"]

    invalid = "ValidationException"
    refused(report, client.register_scalable_target, invalid, "doesn't exist", ResourceId="service/shop/nobody", MinCapacity=1, MaxCapacity=2, **DIMENSION)
    refused(report, client.register_scalable_target, invalid, "both", ResourceId="service/shop/pay", MinCapacity=1, **DIMENSION)
    refused(report, client.register_scalable_target, invalid, "less than", ResourceId=FRONT, MinCapacity=9, MaxCapacity=3, **DIMENSION)
    arn = client.register_scalable_target(ResourceId=FRONT, MinCapacity=5, **DIMENSION)["ScalableTargetARN"]
    report.check(arn.startswith("arn:aws:application-autoscaling:eu-west-2:555566667777:scalable-target/"), f"ARN {arn}")
    report.equal(desired(), 5, "desiredCount is brought into the range")
    activity = client.describe_scaling_activities(ResourceId=FRONT, **ECS)["ScalingActivities"][0]
    report.equal(activity["Cause"], "minimum capacity was set to 5", "the cause of the activity")
    report.equal(activity["Description"], "Setting desired count to 5.", "its description")

    def fulfilled():
        return client.describe_scaling_activities(ResourceId=FRONT, **ECS)["ScalingActivities"][0]["StatusCode"] == "Successful"

    eventually(report, fulfilled, "the activity ends when the tasks run")
    state = {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True}
    client.register_scalable_target(ResourceId=FRONT, SuspendedState=state, **DIMENSION)
    shown = client.describe_scalable_targets(ResourceIds=[FRONT], **ECS)["ScalableTargets"][0]
    report.equal(shown["SuspendedState"], {**state, "DynamicScalingOutSuspended": False}, "what is suspended")
    report.equal((shown["MinCapacity"], shown["MaxCapacity"]), (5, 8), "the range stays")
    everything = pages(report, client, "describe_scaling_activities", "ScalingActivities", **ECS)
    report.check(everything, "activities of all services")
    with_reasons = client.describe_scaling_activities(IncludeNotScaledActivities=True, **ECS)["ScalingActivities"]
    report.check(len(with_reasons) >= len(everything), "activities that did nothing come beside the others")
