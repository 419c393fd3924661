"""CloudWatch of beside.toml: metric data with its limits and pages, alarms of every kind.

botocore speaks JSON to CloudWatch; the same calls in CBOR are the Rust client's, see tests/sim_sdk.rs.
"""

from datetime import datetime, timedelta, timezone

from harness import always_has, pages, refused


def query(name, metric, dimensions, *, namespace="AWS/ECS", stat="Average", period=60):
    dims = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Id": name, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dims}, "Period": period, "Stat": stat}}


FRONT = {"ClusterName": "shop", "ServiceName": "front"}


def run(report, sim):
    client = sim.client("cloudwatch", sim.contexts["shop"])
    with report.section("metric data"):
        metric_data(report, sim, client)
    with report.section("alarms"):
        alarms(report, sim, client)
    with report.section("who may not"):
        narrow = sim.client("cloudwatch", sim.contexts["looker"], attempts=1)
        words = "is not authorized to perform: cloudwatch:DescribeAlarms"
        refused(report, narrow.describe_alarms, "AccessDenied", words)


def metric_data(report, sim, client):
    # A minute that is over, so that nothing comes to the window while it is looked at.
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=1)
    window = {"StartTime": end - timedelta(hours=1), "EndTime": end}
    elb = sim.client("elbv2", sim.contexts["shop"])
    groups = {g["TargetGroupName"]: g for g in elb.describe_target_groups()["TargetGroups"]}
    front = next(g for name, g in groups.items() if "front" in name)
    load_balancer = front["LoadBalancerArns"][0].split(":loadbalancer/")[1]
    target_group = front["TargetGroupArn"].rsplit(":", 1)[1]
    behind = {"LoadBalancer": load_balancer, "TargetGroup": target_group}
    alb = {"namespace": "AWS/ApplicationELB"}
    queries = [
        query("cpu", "CPUUtilization", FRONT),
        query("memory", "MemoryUtilization", FRONT, stat="Maximum"),
        query("requests", "RequestCountPerTarget", behind, stat="Sum", **alb),
        query("slow", "TargetResponseTime", behind, stat="p95", **alb),
        query("usual", "TargetResponseTime", behind, **alb),
        query("errors", "HTTPCode_Target_5XX_Count", behind, stat="Sum", **alb),
        query("healthy", "HealthyHostCount", behind, stat="Minimum", **alb),
        query("waiting", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders"}, namespace="AWS/SQS"),
        query("running", "RunningTaskCount", FRONT, namespace="ECS/ContainerInsights"),
        query("cluster", "CPUUtilization", {"ClusterName": "shop"}, period=300),
        query("nothing", "CPUUtilization", {"ClusterName": "shop", "ServiceName": "nobody"}),
    ]
    found = {r["Id"]: r for r in client.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]}
    report.equal(list(found), [q["Id"] for q in queries], "results come in the order of the queries")
    for name, result in found.items():
        report.equal(len(result["Values"]), len(result["Timestamps"]), f"{name}: a value for each time")
        report.equal(result["StatusCode"], "Complete", f"{name}: status code")
        report.equal(result["Timestamps"], sorted(result["Timestamps"], reverse=True), f"{name}: newest first")
        report.check(all(window["StartTime"] <= t < end for t in result["Timestamps"]), f"{name}: times lie in the window")
    report.equal(found["nothing"]["Values"], [], "no data is no error")
    report.check(len(found["cpu"]["Values"]) >= 55, f"an hour of minutes: {len(found['cpu']['Values'])}")
    report.check(len(found["cluster"]["Values"]) <= 13, "an hour in periods of five minutes")
    report.check(all(40 < v < 60 for v in found["cpu"]["Values"]), f"CPU of front is about 50: {found['cpu']['Values'][:5]}")
    report.check(all(s > u for s, u in zip(found["slow"]["Values"], found["usual"]["Values"])), "p95 is above the average")
    report.check(all(v == 2 for v in found["healthy"]["Values"][:5]), "two healthy targets")
    again = client.get_metric_data(MetricDataQueries=queries[:1], ScanBy="TimestampAscending", **window)["MetricDataResults"][0]
    pairs = dict(zip(found["cpu"]["Timestamps"], found["cpu"]["Values"]))
    report.check(all(pairs.get(t, v) == v for t, v in zip(again["Timestamps"], again["Values"])), "the same minutes have the same values")
    report.equal(again["Timestamps"], sorted(again["Timestamps"]), "TimestampAscending")
    by_pages, token, codes = [], None, []
    while True:
        more = {"NextToken": token} if token else {}
        page = client.get_metric_data(MetricDataQueries=queries[:1], MaxDatapoints=20, **window, **more)
        by_pages += page["MetricDataResults"][0]["Timestamps"]
        codes.append(page["MetricDataResults"][0]["StatusCode"])
        token = page.get("NextToken")
        if not token:
            break
    report.equal(by_pages, found["cpu"]["Timestamps"], "pages of 20 points hold the same")
    report.equal(codes, ["PartialData"] * (len(codes) - 1) + ["Complete"], "status codes of the pages")
    hidden = {**queries[1], "ReturnData": False}
    shown = client.get_metric_data(MetricDataQueries=[queries[0], hidden], **window)["MetricDataResults"]
    report.equal([r["Id"] for r in shown], ["cpu"], "ReturnData=false is not returned")
    limits(report, sim, queries, window)


def limits(report, sim, queries, window):
    loose = sim.client("cloudwatch", sim.contexts["shop"], validate=False)
    invalid = "InvalidParameterValue"
    refused(report, loose.get_metric_data, "MissingParameter", **window)
    refused(report, loose.get_metric_data, invalid, MetricDataQueries=[], **window)
    many = [{**queries[0], "Id": f"q{i}"} for i in range(501)]
    refused(report, loose.get_metric_data, invalid, "500", MetricDataQueries=many, **window)
    report.equal(len(loose.get_metric_data(MetricDataQueries=many[:500], **window)["MetricDataResults"]), 500, "500 queries in one call")
    for change in ({"Id": "Upper"}, {"Id": "a b"}):
        refused(report, loose.get_metric_data, invalid, MetricDataQueries=[{**queries[0], **change}], **window)
    refused(report, loose.get_metric_data, invalid, "not unique", MetricDataQueries=[queries[0], queries[0]], **window)
    odd = query("odd", "CPUUtilization", FRONT, period=90)
    refused(report, loose.get_metric_data, invalid, "Period", MetricDataQueries=[odd], **window)
    refused(report, loose.get_metric_data, invalid, MetricDataQueries=[query("odd", "CPUUtilization", FRONT, stat="Median")], **window)
    turned = {"StartTime": window["EndTime"], "EndTime": window["StartTime"]}
    refused(report, loose.get_metric_data, invalid, "StartTime must be less", MetricDataQueries=queries[:1], **turned)
    refused(report, loose.get_metric_data, "InvalidNextToken", MetricDataQueries=queries[:1], NextToken="no token", **window)


def alarms(report, sim, client):
    metric = pages(report, client, "describe_alarms", "MetricAlarms")
    names = [a["AlarmName"] for a in metric]
    report.check({"front-slow", "pay-errors"} <= set(names), f"metric alarms: {names}")
    report.equal(client.describe_alarms().get("CompositeAlarms", []), [], "composite alarms come only when asked for")
    both = client.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    report.equal([a["AlarmName"] for a in both["CompositeAlarms"]], ["shop-down"], "composite alarms")
    slow = next(a for a in metric if a["AlarmName"] == "front-slow")
    members = ("AlarmArn", "StateValue", "StateReason", "StateUpdatedTimestamp", "Threshold", "ComparisonOperator", "EvaluationPeriods", "Period")
    always_has(report, slow, members, "an alarm")
    report.equal((slow["ExtendedStatistic"], slow["TreatMissingData"]), ("p95", "notBreaching"), "front-slow")
    report.equal(slow["AlarmActions"], ["arn:aws:sns:eu-west-2:555566667777:oncall"], "who is told")
    client.set_alarm_state(AlarmName="pay-errors", StateValue="ALARM", StateReason="contract test")
    ringing = client.describe_alarms(StateValue="ALARM", AlarmNames=["pay-errors", "front-slow"])["MetricAlarms"]
    report.equal([(a["AlarmName"], a["StateReason"]) for a in ringing], [("pay-errors", "contract test")], "an alarm set by hand")
    report.equal([a["AlarmName"] for a in client.describe_alarms(AlarmNamePrefix="pay-")["MetricAlarms"]], ["pay-errors"], "AlarmNamePrefix")
    loose = sim.client("cloudwatch", sim.contexts["shop"], validate=False)
    refused(report, loose.describe_alarms, "InvalidParameterCombination", AlarmNames=["a"], AlarmNamePrefix="a")
    refused(report, loose.describe_alarms, "InvalidParameterValue", MaxRecords=101)
    refused(report, loose.describe_alarms, "InvalidParameterValue", AlarmNames=[f"a{i}" for i in range(101)])
    refused(report, loose.describe_alarms, "InvalidNextToken", NextToken="no token")
    refused(report, client.set_alarm_state, "ResourceNotFound", status=404, AlarmName="nobody", StateValue="OK", StateReason="x")
