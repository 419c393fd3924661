"""CloudWatch Logs: groups, streams, events by both calls, and the live tail's event stream, frame by frame."""

import json
import time

from harness import pages, refused
from shapes import Comparison


def run(report, sim):
    for context in sim.contexts.values():
        logs = sim.client("logs", context)
        with report.section(f"log groups of {context['name']}"):
            found = groups(report, logs, context)
        with report.section(f"log streams and events of {context['name']}"):
            busy = [group for group in found if has_streams(logs, group)]
            report.check(busy, "some log groups have streams")
            for group in busy[:4]:
                streams(report, logs, group)
    context = next(iter(sim.contexts.values()))
    with report.section("limits and errors of logs"):
        limits(report, sim.client("logs", context, validate=False), sim.client("logs", context))
    with report.section("live tail"):
        live_tail(report, sim, context)


def groups(report, logs, context):
    found = pages(report, logs, "describe_log_groups", "logGroups")
    report.check(found, f"{context['name']} has log groups")
    by_two = pages(report, logs, "describe_log_groups", "logGroups", PaginationConfig={"PageSize": 2})
    report.equal([g["logGroupName"] for g in by_two], [g["logGroupName"] for g in found], "describe_log_groups by pages of 2")
    names = [g["logGroupName"] for g in found]
    report.equal(names, sorted(names), "log groups come in the order of their names")
    for group in found:
        arn = f"arn:aws:logs:{context['region']}:{context['account']}:log-group:{group['logGroupName']}"
        report.equal(group.get("arn"), f"{arn}:*", "arn of a log group")
        report.equal(group.get("logGroupArn"), arn, "logGroupArn of a log group")
        report.check(0 < group["creationTime"] < (time.time() + 60) * 1000, "creationTime is in milliseconds and past")
    prefix = names[-1][:-1]
    wanted = [n for n in names if n.startswith(prefix)]
    reply = logs.describe_log_groups(logGroupNamePrefix=prefix)
    report.equal([g["logGroupName"] for g in reply["logGroups"]], wanted, "logGroupNamePrefix")
    return found


def has_streams(logs, group):
    """A service that never ran a task has a group and no stream in it."""
    return bool(logs.describe_log_streams(logGroupName=group["logGroupName"], limit=1)["logStreams"])


def streams(report, logs, group):
    name = group["logGroupName"]
    found = pages(report, logs, "describe_log_streams", "logStreams", logGroupName=name)
    names = [s["logStreamName"] for s in found]
    report.equal(names, sorted(names), f"streams of {name} come in the order of their names")
    newest = logs.describe_log_streams(logGroupName=name, orderBy="LastEventTime", descending=True)["logStreams"]
    times = [s.get("lastEventTimestamp", 0) for s in newest]
    # New lines may come while the page is made.
    report.check(all(a + 60_000 >= b for a, b in zip(times, times[1:])), f"orderBy=LastEventTime of {name}")
    prefix = names[0].rsplit("/", 1)[0]
    by_prefix = pages(report, logs, "describe_log_streams", "logStreams", logGroupName=name, logStreamNamePrefix=prefix)
    report.check(all(s["logStreamName"].startswith(prefix) for s in by_prefix), f"logStreamNamePrefix in {name}")
    refused(report, logs.describe_log_streams, "InvalidParameterException", logGroupName=name, logStreamNamePrefix=prefix, orderBy="LastEventTime")
    by_arn = logs.describe_log_streams(logGroupIdentifier=group["logGroupArn"], limit=1)["logStreams"]
    report.equal(len(by_arn), 1, f"streams of {name} by the group's ARN")
    stream = newest[0]["logStreamName"]
    events(report, logs, name, stream, newest[0].get("lastEventTimestamp", int(time.time() * 1000)))
    get_events(report, logs, name, stream)


def events(report, logs, name, stream, last):
    start = last - 30 * 60_000
    found = pages(report, logs, "filter_log_events", "events", logGroupName=name, logStreamNames=[stream], startTime=start, endTime=last)
    report.check(found, f"{stream} has events")
    times = [e["timestamp"] for e in found]
    report.equal(times, sorted(times), f"events of {stream} are oldest first")
    report.check(all(start <= t < last + 1 for t in times), f"events of {stream} keep to startTime and endTime")
    report.equal(len({e["eventId"] for e in found}), len(found), f"eventIds of {stream} are unique")
    for event in found[:50]:
        report.check(len(event["eventId"]) == 56 and event["eventId"].isdigit(), f"eventId {event['eventId']} is 56 digits")
        report.equal(event["logStreamName"], stream, "an event names its stream")
        report.check(event["timestamp"] <= event["ingestionTime"], "an event is ingested after it happened")
    small = pages(
        report, logs, "filter_log_events", "events", logGroupName=name, logStreamNames=[stream], startTime=start, endTime=last,
        PaginationConfig={"PageSize": max(1, len(found) // 3)},
    )
    report.equal([e["eventId"] for e in small], [e["eventId"] for e in found], f"filter_log_events of {stream} by small pages")
    limited = logs.filter_log_events(logGroupName=name, logStreamNames=[stream], startTime=start, endTime=last, limit=1)
    report.check(len(limited["events"]) <= 1, "filter_log_events keeps to its limit")
    word = next((w for e in found for w in e["message"].split() if w.isalpha() and len(w) > 3), None)
    if word:
        matched = pages(report, logs, "filter_log_events", "events", logGroupName=name, logStreamNames=[stream], startTime=start, endTime=last, filterPattern=word)
        report.check(matched and all(word in e["message"] for e in matched), f"filterPattern={word} finds lines with the word")
        report.check({e["eventId"] for e in matched} <= {e["eventId"] for e in found}, f"filterPattern={word} finds a part of all")
    prefix = stream.rsplit("/", 1)[0]
    whole = logs.filter_log_events(logGroupName=name, logStreamNamePrefix=prefix, startTime=start, endTime=last, limit=100)
    report.check(all(e["logStreamName"].startswith(prefix) for e in whole["events"]), "logStreamNamePrefix of filter_log_events")
    refused(report, logs.filter_log_events, "InvalidParameterException", logGroupName=name, logStreamNames=[stream], logStreamNamePrefix=prefix)


def get_events(report, logs, name, stream):
    head = logs.get_log_events(logGroupName=name, logStreamName=stream, startFromHead=True, limit=10)
    times = [e["timestamp"] for e in head["events"]]
    report.equal(times, sorted(times), f"get_log_events of {stream} is oldest first")
    report.check(0 < len(times) <= 10, f"get_log_events keeps to its limit: {len(times)}")
    report.check(all("eventId" not in e for e in head["events"]), "get_log_events has no eventId")
    report.check(head["nextForwardToken"].startswith("f/") and head["nextBackwardToken"].startswith("b/"), "tokens begin with f/ and b/")
    following = logs.get_log_events(logGroupName=name, logStreamName=stream, startFromHead=True, nextToken=head["nextForwardToken"], limit=10)
    if head["events"] and following["events"]:
        report.check(following["events"][0]["timestamp"] >= times[-1], "the forward token goes on where the page ended")
    tail = logs.get_log_events(logGroupName=name, logStreamName=stream, limit=10)
    report.check(tail["events"] and tail["events"][-1]["timestamp"] >= times[-1], "get_log_events begins at the tail by default")
    older = logs.get_log_events(logGroupName=name, logStreamName=stream, nextToken=tail["nextBackwardToken"], limit=10)
    if older["events"]:
        report.check(older["events"][-1]["timestamp"] <= tail["events"][0]["timestamp"], "the backward token goes back")
    token, end = tail["nextForwardToken"], time.monotonic() + 20
    while time.monotonic() < end:
        reply = logs.get_log_events(logGroupName=name, logStreamName=stream, nextToken=token)
        if reply["nextForwardToken"] == token:
            report.equal(reply["events"], [], "a page whose forward token stands still is empty")
            return
        token = reply["nextForwardToken"]
    report.check(False, f"the forward token of {stream} never stands still")


def limits(report, loose, logs):
    invalid, missing = "InvalidParameterException", "ResourceNotFoundException"
    group = next(g for g in logs.describe_log_groups()["logGroups"] if has_streams(logs, g))["logGroupName"]
    stream = logs.describe_log_streams(logGroupName=group, limit=1)["logStreams"][0]["logStreamName"]
    for size in (0, 51):
        refused(report, loose.describe_log_groups, invalid, limit=size)
        refused(report, loose.describe_log_streams, invalid, logGroupName=group, limit=size)
    for size in (0, 10_001):
        refused(report, loose.filter_log_events, invalid, logGroupName=group, limit=size)
        refused(report, loose.get_log_events, invalid, logGroupName=group, logStreamName=stream, limit=size)
    refused(report, loose.filter_log_events, invalid, logGroupName=group, logStreamNames=[f"s{i}" for i in range(101)])
    words = "The specified log group does not exist."
    refused(report, logs.filter_log_events, missing, words, logGroupName="/no/such/group")
    refused(report, logs.describe_log_streams, missing, words, logGroupName="/no/such/group")
    refused(report, logs.get_log_events, missing, words, logGroupName="/no/such/group", logStreamName="s")
    refused(report, logs.get_log_events, missing, "The specified log stream does not exist.", logGroupName=group, logStreamName="no-such-stream")
    refused(report, logs.filter_log_events, invalid, logGroupName=group, nextToken="not a token")
    refused(report, logs.get_log_events, invalid, logGroupName=group, logStreamName=stream, nextToken="not a token")


def live_tail(report, sim, context):
    # The stream is read without retries, and AWS sends a frame each second.
    logs = sim.client("logs", context, attempts=1, validate=False, read_timeout=10)
    found = logs.describe_log_groups()["logGroups"]
    arns = [g["logGroupArn"] for g in found]
    frames(report, logs, arns[:10])
    reply = logs.start_live_tail(logGroupIdentifiers=arns[:1])
    stream = reply["responseStream"]
    names = []
    for event in stream:
        names += list(event)
        if len(names) >= 3:
            break
    stream.close()
    report.equal(names, ["sessionStart", "sessionUpdate", "sessionUpdate"], "botocore's parser reads the live tail")
    invalid = "InvalidParameterException"
    refused(report, logs.start_live_tail, invalid, logGroupIdentifiers=[found[0]["arn"]])
    refused(report, logs.start_live_tail, invalid, logGroupIdentifiers=[])
    refused(report, logs.start_live_tail, invalid, logGroupIdentifiers=[f"{arns[0]}{i}" for i in range(11)])
    refused(report, logs.start_live_tail, "ResourceNotFoundException", logGroupIdentifiers=[arns[0] + "-no-such"])
    refused(report, logs.start_live_tail, invalid, logGroupIdentifiers=arns[:1], logStreamNames=["a"], logStreamNamePrefixes=["b"])
    if len(arns) > 1:
        refused(report, logs.start_live_tail, invalid, logGroupIdentifiers=arns[:2], logStreamNames=["a"])
    patient, sessions = sim.client("logs", context), []
    try:
        for _ in range(15):
            sessions.append(patient.start_live_tail(logGroupIdentifiers=arns[:1])["responseStream"])
        time.sleep(1.5)  # The bucket of StartLiveTail fills again.
        refused(report, logs.start_live_tail, "LimitExceededException", logGroupIdentifiers=arns[:1])
    finally:
        for session in sessions:
            session.close()
    report.equal(len(sessions), 15, "15 live tails run at once")


def frames(report, logs, arns):
    """Each frame's headers and payload, compared with the model before any parser has seen them."""
    shape = logs.meta.service_model.operation_model("StartLiveTail").output_shape.members["responseStream"]
    report.answered.add("logs:StartLiveTail")
    stream = logs.start_live_tail(logGroupIdentifiers=arns)["responseStream"]
    started, lines, updates = time.monotonic(), 0, 0
    for i, message in enumerate(stream._event_generator):  # pylint: disable=protected-access
        headers = message.headers
        kind = headers.get(":event-type")
        report.equal(headers.get(":message-type"), "event", ":message-type of a frame")
        report.equal(headers.get(":content-type"), "application/json", ":content-type of a frame")
        if not report.check(kind in shape.members, f"event type {kind!r} is no member of {shape.name}"):
            break
        comparison = Comparison()
        payload = json.loads(message.payload)
        comparison.json(payload, shape.members[kind], f"StartLiveTail.{kind}")
        report.compared("logs:StartLiveTail", comparison)
        if i == 0:
            report.equal(kind, "sessionStart", "the first event of a live tail")
            report.check(time.monotonic() - started < 5, "sessionStart comes at once")
            report.equal(sorted(payload.get("logGroupIdentifiers", [])), sorted(arns), "sessionStart repeats the groups")
            continue
        report.equal(kind, "sessionUpdate", "an event after the first")
        report.check("sampled" in payload.get("sessionMetadata", {}), "sessionMetadata says whether lines were left out")
        updates += 1
        for event in payload["sessionResults"]:
            lines += 1
            report.check(event["timestamp"] <= event["ingestionTime"], "a tailed event is ingested after it happened")
        if updates >= 6:
            break
    took = time.monotonic() - started
    stream.close()
    report.check(4 <= took <= 15, f"six updates took {took:.1f} s; one comes each second")
    report.check(lines, "a live tail of all groups shows lines within six seconds")
