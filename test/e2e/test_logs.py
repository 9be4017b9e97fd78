"""CloudWatch Logs with the real SDK and the real command line."""
import contextlib
import json
import subprocess
import threading
import time

import botocore.config
import botocore.exceptions
import pytest

from conftest import ACCOUNT, REGION

DAY_MS = 86400 * 1000
NO_PREFIX = {"config": botocore.config.Config(inject_host_prefix=False)}


def now_ms():
    return int(time.time() * 1000)


@pytest.fixture
def logs(client):
    return client("logs")


@pytest.fixture
def group(logs, name):
    logs.create_log_group(logGroupName=name)
    yield name
    try:
        logs.delete_log_group(logGroupName=name)
    except logs.exceptions.ResourceNotFoundException:
        pass


def put(logs, group, stream, *events):
    """Events are (timestamp, message); makes the stream when it is missing."""
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": t, "message": m} for t, m in events])


def messages(answer):
    return [e["message"] for e in answer["events"]]


def refused(call, code, message=None, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code
    if message:
        assert message in e.value.response["Error"]["Message"]


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_groups(logs, name):
    logs.create_log_group(logGroupName=name, tags={"team": "a"})
    refused(logs.create_log_group, "ResourceAlreadyExistsException",
            "The specified log group already exists", logGroupName=name)
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    arn = "arn:aws:logs:%s:%s:log-group:%s" % (REGION, ACCOUNT, name)
    assert found["arn"] == arn + ":*"
    assert found["logGroupArn"] == arn
    assert found["storedBytes"] == 0 and found["metricFilterCount"] == 0
    assert found["logGroupClass"] == "STANDARD"
    assert "retentionInDays" not in found
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    logs.delete_log_group(logGroupName=name)
    refused(logs.delete_log_group, "ResourceNotFoundException",
            "The specified log group does not exist.", logGroupName=name)
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []


def test_group_names_are_validated(logs):
    refused(logs.create_log_group, "InvalidParameterException",
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint",
            logGroupName="a b")
    refused(logs.create_log_group, "InvalidParameterException", "reserved for AWS",
            logGroupName="aws/x")


def test_groups_are_listed_in_pages(logs, name):
    names = ["%s/%02d" % (name, i) for i in range(7)]
    for n in names:
        logs.create_log_group(logGroupName=n)
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=name + "/", PaginationConfig={"PageSize": 3})
    assert [[g["logGroupName"] for g in p["logGroups"]] for p in pages] == [
        names[0:3], names[3:6], names[6:7]]
    found = logs.describe_log_groups(logGroupNamePattern=name[3:] + "/03")["logGroups"]
    assert [g["logGroupName"] for g in found] == [names[3]]
    found = logs.list_log_groups(logGroupNamePattern="^" + name)["logGroups"]
    assert [g["logGroupName"] for g in found] == names
    refused(logs.describe_log_groups, "InvalidParameterException", "mutually exclusive",
            logGroupNamePrefix="a", logGroupNamePattern="b")
    refused(logs.describe_log_groups, "InvalidParameterException",
            "The specified nextToken is invalid.", nextToken="nonsense")
    for n in names:
        logs.delete_log_group(logGroupName=n)


def test_accounts_and_regions_are_apart(wolke, group):
    for elsewhere in (wolke.client("logs", region="eu-central-1"),
                      wolke.client("logs", key="111122223333")):
        assert elsewhere.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
        refused(elsewhere.create_log_stream, "ResourceNotFoundException",
                logGroupName=group, logStreamName="s")


def test_tags(logs, group):
    arn = "arn:aws:logs:%s:%s:log-group:%s" % (REGION, ACCOUNT, group)
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {}
    logs.tag_log_group(logGroupName=group, tags={"a": "1", "b": "2"})
    logs.tag_resource(resourceArn=arn, tags={"b": "3", "c": "4"})
    logs.untag_log_group(logGroupName=group, tags=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "3", "c": "4"}
    logs.untag_resource(resourceArn=arn, tagKeys=["b", "c"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {}
    logs.tag_resource(resourceArn=arn, tags={"k%d" % i: "v" for i in range(50)})
    refused(logs.tag_resource, "TooManyTagsException", resourceArn=arn, tags={"one": "more"})


def test_streams(logs, group):
    for s in ("b", "a/2", "a/1"):
        logs.create_log_stream(logGroupName=group, logStreamName=s)
    refused(logs.create_log_stream, "ResourceAlreadyExistsException",
            "The specified log stream already exists", logGroupName=group, logStreamName="b")
    refused(logs.create_log_stream, "ResourceNotFoundException",
            "The specified log group does not exist.", logGroupName=group + "x", logStreamName="b")

    def names(**kw):
        found = logs.describe_log_streams(logGroupName=group, **kw)
        return [s["logStreamName"] for s in found["logStreams"]]

    assert names() == ["a/1", "a/2", "b"]
    assert names(descending=True) == ["b", "a/2", "a/1"]
    assert names(logStreamNamePrefix="a/") == ["a/1", "a/2"]
    t = now_ms()
    put(logs, group, "a/2", (t - 3000, "x"))
    put(logs, group, "b", (t - 2000, "x"), (t - 1000, "y"))
    assert names(orderBy="LastEventTime", descending=True) == ["b", "a/2", "a/1"]
    assert names(orderBy="LastEventTime") == ["a/1", "a/2", "b"]
    b = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="b")["logStreams"][0]
    assert (b["firstEventTimestamp"], b["lastEventTimestamp"]) == (t - 2000, t - 1000)
    assert b["lastIngestionTime"] >= t
    assert b["arn"].endswith(":log-group:%s:log-stream:b" % group)
    for kw in ({}, {"orderBy": "LastEventTime", "descending": True}, {"descending": True}):
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 1}, **kw)
        assert [s["logStreamName"] for p in pages for s in p["logStreams"]] == names(**kw)
    logs.delete_log_stream(logGroupName=group, logStreamName="b")
    assert names() == ["a/1", "a/2"]
    refused(logs.delete_log_stream, "ResourceNotFoundException",
            "The specified log stream does not exist.", logGroupName=group, logStreamName="b")
    # A new stream of the same name is empty.
    put(logs, group, "b", (t, "new"))
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="b")) == ["new"]


def test_put_limits(logs, group):
    t = now_ms()
    put(logs, group, "s", (t, "x"))

    def bad(message, *events):
        refused(logs.put_log_events, "InvalidParameterException", message, logGroupName=group,
                logStreamName="s", logEvents=[{"timestamp": a, "message": m} for a, m in events])

    bad("must be in chronological order", (t, "b"), (t - 1, "a"))
    bad("cannot span more than 24 hours", (t - DAY_MS - 1, "a"), (t, "b"))
    bad("Log event too large: 1048577 bytes exceeds limit of 1048576", (t, "x" * (1048577 - 26)))
    bad("Upload too large: 1048602 bytes exceeds limit of 1048576",
        (t, "x" * (524288)), (t, "x" * (524288 - 26)))
    refused(logs.put_log_events, "ResourceNotFoundException",
            "The specified log stream does not exist.", logGroupName=group, logStreamName="none",
            logEvents=[{"timestamp": t, "message": "m"}])
    answer = put(logs, group, "s", (t - 15 * DAY_MS, "old"), (t - 14 * DAY_MS - 5000, "old too"),
                 (t, "good"), (t + 3 * 3600 * 1000, "new"))
    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3}
    assert answer["nextSequenceToken"]
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="s",
                                        startFromHead=True)) == ["x", "good"]
    # As much as goes: one event of a megabyte less its overhead.
    put(logs, group, "big", (t, "x" * (1048576 - 26)))
    assert len(messages(logs.get_log_events(logGroupName=group, logStreamName="big"))[0]) == 1048550
    # Sequence tokens are ignored.
    logs.put_log_events(logGroupName=group, logStreamName="s", sequenceToken="wrong",
                        logEvents=[{"timestamp": t, "message": "m"}])


def test_stored_bytes(logs, group):
    put(logs, group, "s", (now_ms(), "12345"), (now_ms(), "1234567890"))
    put(logs, group, "other", (now_ms(), "x"))

    def stored():
        return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["storedBytes"]

    assert stored() == 15 + 2 * 26 + 27
    logs.delete_log_stream(logGroupName=group, logStreamName="s")
    assert stored() == 27


def test_get_log_events_both_ways(logs, group):
    t = now_ms() - 60000
    for i in range(0, 100, 10):
        put(logs, group, "s", *[(t + j, "m%02d" % j) for j in range(i, i + 10)])
    everything = ["m%02d" % i for i in range(100)]
    where = {"logGroupName": group, "logStreamName": "s"}
    assert messages(logs.get_log_events(limit=10, **where)) == everything[90:]
    page = logs.get_log_events(limit=30, startFromHead=True, **where)
    got = messages(page)
    while True:
        token = page["nextForwardToken"]
        page = logs.get_log_events(limit=30, startFromHead=True, nextToken=token, **where)
        if not page["events"]:
            break
        got += messages(page)
    assert got == everything
    assert page["nextForwardToken"] == token
    # Back again over the whole stream.
    got, page = [], logs.get_log_events(limit=30, nextToken=page["nextBackwardToken"], **where)
    while page["events"]:
        got = messages(page) + got
        token = page["nextBackwardToken"]
        page = logs.get_log_events(limit=30, nextToken=token, **where)
    assert got == everything
    assert page["nextBackwardToken"] == token
    # The forward token at the end sees what comes later.
    put(logs, group, "s", (t + 1000, "later"))
    page = logs.get_log_events(nextToken=logs.get_log_events(
        limit=1, endTime=t + 1000, **where)["nextForwardToken"], startFromHead=True, **where)
    assert messages(page) == ["later"]
    # Time ranges: the end is not included.
    assert messages(logs.get_log_events(startTime=t + 5, endTime=t + 8, **where)) == [
        "m05", "m06", "m07"]
    refused(logs.get_log_events, "InvalidParameterException",
            "The specified nextToken is invalid.", nextToken="f/123", **where)


def test_an_empty_stream_can_be_followed(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    where = {"logGroupName": group, "logStreamName": "s"}
    page = logs.get_log_events(startFromHead=True, **where)
    assert page["events"] == []
    put(logs, group, "s", (now_ms(), "first"))
    assert messages(logs.get_log_events(nextToken=page["nextForwardToken"], **where)) == ["first"]


def test_events_out_of_order_are_sorted(logs, group):
    t = now_ms() - 60000
    put(logs, group, "s", (t + 10, "c"), (t + 30, "e"))
    put(logs, group, "s", (t, "a"), (t + 20, "d"), (t + 40, "f"))
    put(logs, group, "s", (t + 5, "b"))
    where = {"logGroupName": group, "logStreamName": "s"}
    assert messages(logs.get_log_events(startFromHead=True, **where)) == list("abcdef")
    assert messages(logs.get_log_events(limit=3, **where)) == list("def")
    assert messages(logs.get_log_events(startTime=t + 15, endTime=t + 35, **where)) == list("de")


def test_filter_merges_streams(logs, group):
    t = now_ms() - 60000
    for s in range(5):
        for half in range(2):
            put(logs, group, "s%d" % s,
                *[(t + i * 5 + s, "%03d" % (i * 5 + s)) for i in range(half * 20, half * 20 + 20)])
    everything = ["%03d" % i for i in range(200)]
    answer = logs.filter_log_events(logGroupName=group)
    assert messages(answer) == everything
    assert answer["searchedLogStreams"] == []
    assert len({e["eventId"] for e in answer["events"]}) == 200
    assert [e["eventId"] for e in answer["events"]] == sorted(e["eventId"] for e in answer["events"])
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupIdentifier=group, PaginationConfig={"PageSize": 33})
    assert [m for p in pages for m in messages(p)] == everything
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNames=["s1", "s3"],
                                           limit=4)) == ["001", "003", "006", "008"]
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="s4")) == [
        m for m in everything if int(m) % 5 == 4]
    # The end is included here.
    assert messages(logs.filter_log_events(logGroupName=group, startTime=t + 7, endTime=t + 9)) == [
        "007", "008", "009"]
    # Older SDKs do not know the parameter.
    if "startFromHead" in logs.meta.service_model.operation_model(
            "FilterLogEvents").input_shape.members:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=t, startFromHead=False, PaginationConfig={"PageSize": 33})
        assert [m for p in pages for m in messages(p)] == everything[::-1]
    refused(logs.filter_log_events, "ResourceNotFoundException",
            "The specified log stream does not exist.", logGroupName=group, logStreamNames=["no"])


@pytest.mark.parametrize("pattern,found", [
    ("", ["ERROR 401 a", "INFO ok", '{"level": "WARN", "n": 7}']),
    ("ERROR", ["ERROR 401 a"]),
    ("-ERROR", ["INFO ok", '{"level": "WARN", "n": 7}']),
    ("?ERROR ?INFO", ["ERROR 401 a", "INFO ok"]),
    ('"401 a"', ["ERROR 401 a"]),
    ("%[0-9]{3}%", ["ERROR 401 a"]),
    ('{ $.level = "W*" && $.n >= 5 }', ['{"level": "WARN", "n": 7}']),
    ("[level = ERROR, code = 4*, ...]", ["ERROR 401 a"]),
])
def test_filter_patterns(logs, group, pattern, found):
    t = now_ms()
    put(logs, group, "s", (t, "ERROR 401 a"), (t, "INFO ok"), (t, '{"level": "WARN", "n": 7}'))
    assert messages(logs.filter_log_events(logGroupName=group, filterPattern=pattern)) == found


def test_invalid_patterns(logs, group):
    refused(logs.filter_log_events, "InvalidParameterException",
            "If a filter pattern starts with '{' it must end with '}'",
            logGroupName=group, filterPattern="{ $.a = 1")
    refused(logs.filter_log_events, "InvalidParameterException",
            "Invalid character(s) in term 'a.b'", logGroupName=group, filterPattern="a.b")
    refused(logs.test_metric_filter, "InvalidParameterException", "Invalid filter pattern",
            filterPattern="{ $.a = }", logEventMessages=["x"])


def test_metric_filter(logs):
    line = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" %d 1534'
    matches = logs.test_metric_filter(filterPattern="[..., request=*.html*, status_code=4*,]",
                                      logEventMessages=[line % 200, line % 404])["matches"]
    assert matches == [{"eventNumber": 2, "eventMessage": line % 404, "extractedValues": {
        "$1": "127.0.0.1", "$2": "-", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0", "$status_code": "404", "$7": "1534"}}]


def test_retention(wolke_server, name):
    server = wolke_server("--clock=manual")
    logs = server.client("logs")
    logs.create_log_group(logGroupName=name)
    refused(logs.put_retention_policy, "InvalidParameterException", "retentionInDays",
            logGroupName=name, retentionInDays=2)
    logs.put_retention_policy(logGroupName=name, retentionInDays=3)
    group = logs.describe_log_groups()["logGroups"][0]
    assert group["retentionInDays"] == 3
    t = group["creationTime"]
    answer = put(logs, name, "s", (t - 3 * DAY_MS - 9000, "expired"), (t - 3 * DAY_MS - 1, "expired"),
                 (t - 3 * DAY_MS + DAY_MS // 2, "soon"), (t - 3 * DAY_MS + DAY_MS // 2, "soon"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 2}
    put(logs, name, "s", (t, "kept"))

    def state():
        stored = logs.describe_log_groups()["logGroups"][0]["storedBytes"]
        return messages(logs.filter_log_events(logGroupName=name)), stored

    assert state() == (["soon", "soon", "kept"], 90)
    server.advance(86400)
    assert state() == (["kept"], 30)
    logs.delete_retention_policy(logGroupName=name)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    server.advance(30 * 86400)
    assert state() == (["kept"], 30)
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    server.advance(0)
    assert state() == ([], 0)


def test_everything_is_there_after_kill(wolke_server, name):
    server = wolke_server()
    logs = server.client("logs")
    logs.create_log_group(logGroupName=name, tags={"a": "b"})
    t = now_ms()
    for i in range(20):
        put(logs, name, "s%d" % (i % 3), (t + i, "m%02d" % i))
    before = logs.filter_log_events(logGroupName=name)["events"]
    streams = logs.describe_log_streams(logGroupName=name)["logStreams"]
    server.kill()
    server.start()
    assert logs.filter_log_events(logGroupName=name)["events"] == before
    assert len(before) == 20
    assert logs.describe_log_streams(logGroupName=name)["logStreams"] == streams


def test_many_events(logs, group):
    t = now_ms() - 60000
    for i in range(10):
        put(logs, group, "s", *[(t + i, "%05d " % (i * 1000 + j) + "x" * 300) for j in range(1000)])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    got = [m[:5] for p in pages for m in messages(p)]
    assert got == ["%05d" % i for i in range(10000)]
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert logs.filter_log_events(logGroupName=group)["events"] == []


def test_live_tail(wolke, logs, group):
    put(logs, group, "s", (now_ms(), "before"))
    tail = wolke.client("logs", **NO_PREFIX).start_live_tail(
        logGroupIdentifiers=["arn:aws:logs:%s:%s:log-group:%s" % (REGION, ACCOUNT, group)],
        logEventFilterPattern="-ignored")
    stream = tail["responseStream"]
    got, started = [], False
    for event in stream:
        if "sessionStart" in event:
            started = True
            assert event["sessionStart"]["logEventFilterPattern"] == "-ignored"
            put(logs, group, "s", (now_ms(), "one"), (now_ms(), "ignored"))
            put(logs, group, "new", (now_ms(), "two"))
        else:
            assert event["sessionUpdate"]["sessionMetadata"]["sampled"] is False
            got += event["sessionUpdate"]["sessionResults"]
        if len(got) >= 2:
            break
    stream.close()
    assert started
    assert sorted((e["logStreamName"], e["message"]) for e in got) == [("new", "two"), ("s", "one")]
    assert got[0]["logGroupIdentifier"] == "%s:%s" % (ACCOUNT, group)


def cli_v2():
    """Beside the version 1 that the tests bring, the distribution's version 2."""
    for aws in ("aws", "/usr/bin/aws"):
        with contextlib.suppress(OSError):
            version = subprocess.run([aws, "--version"], capture_output=True, text=True).stdout
            if version.startswith("aws-cli/2"):
                return aws
    return None


@pytest.mark.skipif(not cli_v2(), reason="aws logs tail came with version 2 of the AWS CLI")
def test_cli_tail(wolke, logs, group):
    put(logs, group, "s", (now_ms(), "already there"))
    tail = subprocess.Popen([cli_v2(), "--endpoint-url", wolke.endpoint, "logs", "tail", group,
                             "--follow", "--format", "short"],
                            env=wolke.env(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True)
    try:
        assert "already there" in tail.stdout.readline()
        put(logs, group, "s", (now_ms(), "and then"))
        watchdog = threading.Timer(60, tail.kill)
        watchdog.start()
        assert "and then" in tail.stdout.readline()
        watchdog.cancel()
    finally:
        tail.kill()
        tail.wait()


KEEPER = """
import base64, gzip, json
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("GOT " + json.dumps(data))
"""


def test_subscription(wolke, client, logs, group, make_function):
    function = make_function({"app.py": KEEPER})
    arn = client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    subscription = {"logGroupName": group, "filterName": "f", "filterPattern": "ERROR",
                    "destinationArn": arn}
    refused(logs.put_subscription_filter, "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs "
            "permission to execute your function.", **subscription)
    client("lambda").add_permission(
        FunctionName=function, StatementId="logs", Action="lambda:InvokeFunction",
        Principal="logs.%s.amazonaws.com" % REGION,
        SourceArn="arn:aws:logs:%s:%s:log-group:%s:*" % (REGION, ACCOUNT, group))
    logs.put_subscription_filter(**subscription)
    found = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [(f["filterName"], f["filterPattern"], f["destinationArn"], f["distribution"])
            for f in found] == [("f", "ERROR", arn, "ByLogStream")]
    t = now_ms()
    put(logs, group, "s", (t, "INFO no"), (t + 1, "ERROR yes"))

    def delivered():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/" + function,
                                            filterPattern="GOT")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return [json.loads(e["message"][4:]) for e in events]

    data = wait_for(delivered)[0]
    assert data["messageType"] == "DATA_MESSAGE"
    assert (data["owner"], data["logGroup"], data["logStream"]) == (ACCOUNT, group, "s")
    assert data["subscriptionFilters"] == ["f"]
    event = logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"][0]
    assert data["logEvents"] == [
        {"id": event["eventId"], "timestamp": t + 1, "message": "ERROR yes"}]
    for n in ("g", "h"):
        if n == "h":
            refused(logs.put_subscription_filter, "LimitExceededException",
                    "Resource limit exceeded.", **{**subscription, "filterName": n})
        else:
            logs.put_subscription_filter(**{**subscription, "filterName": n})
    logs.delete_subscription_filter(logGroupName=group, filterName="f")
    refused(logs.delete_subscription_filter, "ResourceNotFoundException",
            "The specified subscription filter does not exist.", logGroupName=group,
            filterName="f")
    refused(logs.put_subscription_filter, "InvalidParameterException", "Kinesis",
            **{**subscription, "destinationArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
               "roleArn": "arn:aws:iam::000000000000:role/r"})


def test_what_is_not_built_says_so(logs):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        logs.describe_metric_filters()
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
