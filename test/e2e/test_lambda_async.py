"""Asynchronous invocation: retries by the manual clock, ages, destinations, and nothing accepted is lost."""
import json
import time

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, PATIENCE_S, REGION, make_role, zip_of

ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
FAILS = "def handler(event, context):\n    print('TRIED', context.aws_request_id)\n    raise ValueError('always')\n"
NOTES = "def handler(event, context):\n    import json\n    print('GOT ' + json.dumps(event))\n    return {'done': event}\n"


def failure(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def arn(name):
    return "arn:aws:lambda:%s:%s:function:%s" % (REGION, ACCOUNT, name)


def start_again(server):
    """After a kill -9: the port is free when the killed server's sandboxes are gone."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return server.start()
        except RuntimeError as e:
            if "Address already in use" not in str(e) or time.monotonic() > end:
                raise
        time.sleep(0.1)


class Cloud:
    def __init__(self, server):
        self.server = server
        self.fn, self.logs, self.s3 = (server.client(s) for s in ("lambda", "logs", "s3"))
        self.role = make_role(server.client("iam"), "role", ALL)

    def function(self, name, source, **kw):
        self.fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler",
                                **{"Role": self.role, "Code": {"ZipFile": zip_of({"app.py": source})}, **kw})

    def send(self, name, event, **kw):
        r = self.fn.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **kw)
        assert r["StatusCode"] == 202
        return r["ResponseMetadata"]["RequestId"]

    def lines(self, name, word):
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/" + name)
            return [e["message"].strip() for p in pages for e in p["events"] if e["message"].startswith(word)]
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def wait_lines(self, name, word, n):
        """The n lines that begin with the word."""
        end = time.monotonic() + PATIENCE_S
        while len(self.lines(name, word)) < n and time.monotonic() < end:
            time.sleep(0.1)
        lines = self.lines(name, word)
        assert len(lines) == n, lines
        return lines


@pytest.fixture
def cloud(wolke_server):
    return Cloud(wolke_server("--clock=manual"))


def test_function_errors_are_retried_after_one_and_two_minutes(cloud):
    cloud.function("fails", FAILS)
    request = cloud.send("fails", {})
    cloud.wait_lines("fails", "TRIED", 1)
    for advance, n in ((59, 1), (2, 2), (118, 2), (3, 3), (600, 3)):
        cloud.server.advance(advance)
        lines = cloud.wait_lines("fails", "TRIED", n)
    assert set(lines) == {"TRIED " + request}


def test_retries_as_configured(cloud):
    cloud.function("none", FAILS)
    cloud.function("once", FAILS)
    cloud.fn.put_function_event_invoke_config(FunctionName="none", MaximumRetryAttempts=0)
    cloud.fn.put_function_event_invoke_config(FunctionName="once", MaximumRetryAttempts=1)
    for name in ("none", "once"):
        cloud.send(name, {})
        cloud.wait_lines(name, "TRIED", 1)
    for _ in range(4):
        cloud.server.advance(130)
    cloud.wait_lines("once", "TRIED", 2)
    cloud.wait_lines("none", "TRIED", 1)


def test_destinations_to_functions(cloud):
    cloud.function("notes", NOTES)
    cloud.function("fails", FAILS)
    cloud.function("works", NOTES)
    for name in ("fails", "works"):
        cloud.fn.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0,
            DestinationConfig={"OnSuccess": {"Destination": arn("notes")}, "OnFailure": {"Destination": arn("notes")}})
    request = cloud.send("works", {"a": 1})
    got = json.loads(cloud.wait_lines("notes", "GOT", 1)[0][4:])
    assert got.pop("timestamp").endswith("Z")
    assert got == {
        "version": "1.0", "requestPayload": {"a": 1}, "responsePayload": {"done": {"a": 1}},
        "requestContext": {"requestId": request, "functionArn": arn("works") + ":$LATEST", "condition": "Success",
                           "approximateInvokeCount": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}}
    cloud.send("fails", {"b": 2})
    got = [json.loads(l[4:]) for l in cloud.wait_lines("notes", "GOT", 2)]
    got = [g for g in got if g["requestContext"]["condition"] == "RetriesExhausted"][0]
    assert got["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert got["responsePayload"]["errorMessage"] == "always" and got["requestPayload"] == {"b": 2}


def test_failures_to_s3(cloud):
    cloud.s3.create_bucket(Bucket="failures")
    cloud.function("fails", FAILS)
    cloud.fn.put_function_event_invoke_config(FunctionName="fails", MaximumRetryAttempts=0, DestinationConfig={
        "OnFailure": {"Destination": "arn:aws:s3:::failures"}})
    cloud.send("fails", {"a": 1})
    end = time.monotonic() + PATIENCE_S
    found = []
    while not found and time.monotonic() < end:
        found = cloud.s3.list_objects_v2(Bucket="failures").get("Contents", [])
        time.sleep(0.1)
    key = found[0]["Key"]
    assert key.startswith("aws/lambda/async/fails/") and len(key.split("/")) == 8
    record = json.loads(cloud.s3.get_object(Bucket="failures", Key=key)["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted" and record["requestPayload"] == {"a": 1}


def test_maximum_age(cloud):
    """Events that cannot run are tried until they are too old."""
    cloud.function("notes", NOTES)
    cloud.function("busy", NOTES)
    cloud.fn.put_function_event_invoke_config(FunctionName="busy", MaximumEventAgeInSeconds=60, MaximumRetryAttempts=2,
                                              DestinationConfig={"OnFailure": {"Destination": arn("notes")}})
    cloud.fn.update_function_code(FunctionName="busy", ZipFile=zip_of({"app.py": FAILS}))
    cloud.send("busy", {})
    cloud.wait_lines("busy", "TRIED", 1)
    cloud.server.advance(59)
    cloud.server.advance(3)
    got = json.loads(cloud.wait_lines("notes", "GOT", 1)[0][4:])
    assert got["requestContext"]["condition"] == "EventAgeExceeded"
    assert got["requestContext"]["approximateInvokeCount"] in (1, 2)


def test_no_concurrency_at_all(cloud):
    cloud.function("notes", NOTES)
    cloud.function("stopped", NOTES)
    cloud.fn.put_function_concurrency(FunctionName="stopped", ReservedConcurrentExecutions=0)
    cloud.fn.put_function_event_invoke_config(FunctionName="stopped", DestinationConfig={
        "OnFailure": {"Destination": arn("notes")}})
    cloud.send("stopped", {"a": 1})
    got = json.loads(cloud.wait_lines("notes", "GOT", 1)[0][4:])
    assert got["requestContext"]["condition"] == "ZeroReservedConcurrency" and "responseContext" not in got


def test_throttled_events_wait(cloud):
    cloud.function("one", "import time\ndef handler(event, context):\n    time.sleep(event['s'])\n"
                          "    print('RAN', event['n'])\n")
    cloud.fn.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=1)
    for n in range(3):
        cloud.send("one", {"n": n, "s": 0.5})
    end = time.monotonic() + PATIENCE_S
    while len(cloud.lines("one", "RAN")) < 3 and time.monotonic() < end:
        cloud.server.advance(1)
        time.sleep(0.3)
    assert sorted(cloud.lines("one", "RAN")) == ["RAN 0", "RAN 1", "RAN 2"]


def test_dead_letter_target_that_nobody_serves(cloud):
    cloud.function("fails", FAILS, DeadLetterConfig={"TargetArn": "arn:aws:sqs:%s:%s:dead" % (REGION, ACCOUNT)})
    cloud.fn.put_function_event_invoke_config(FunctionName="fails", MaximumRetryAttempts=0)
    request = cloud.send("fails", {})
    end = time.monotonic() + PATIENCE_S
    while "is served by nobody here" not in cloud.server.log() and time.monotonic() < end:
        time.sleep(0.1)
    assert "the outcome of event %s of fails is dropped" % request in cloud.server.log()
    assert failure(cloud.fn.update_function_configuration, FunctionName="fails", DeadLetterConfig={
        "TargetArn": arn("fails")})[0] == "InvalidParameterValueException"


def test_by_alias(cloud):
    cloud.function("notes", NOTES)
    cloud.function("works", NOTES, Publish=True)
    cloud.fn.create_alias(FunctionName="works", Name="live", FunctionVersion="1")
    cloud.fn.put_function_event_invoke_config(FunctionName="works", Qualifier="live", DestinationConfig={
        "OnSuccess": {"Destination": arn("notes")}})
    cloud.send("works", {"plain": True})
    cloud.send("works", {"alias": True}, Qualifier="live")
    got = json.loads(cloud.wait_lines("notes", "GOT", 1)[0][4:])
    assert got["requestContext"]["functionArn"] == arn("works") + ":live"
    assert got["responseContext"]["executedVersion"] == "1" and got["requestPayload"] == {"alias": True}


def test_a_loop_of_destinations_ends(cloud):
    """A tells B, B tells A: recursion detection ends it."""
    count = "def handler(event, context):\n    print('RAN')\n"
    for name in ("a", "b"):
        cloud.function(name, count)
    for name, other in (("a", "b"), ("b", "a")):
        cloud.fn.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
            "OnSuccess": {"Destination": arn(other)}})
    cloud.send("a", {})
    cloud.wait_lines("a", "RAN", 16)
    end = time.monotonic() + PATIENCE_S
    while "in a recursive loop" not in cloud.server.log() and time.monotonic() < end:
        time.sleep(0.1)
    assert "a is invoked in a recursive loop" in cloud.server.log()
    assert len(cloud.lines("a", "RAN")) == 16


def test_accepted_events_survive_kill(wolke_server):
    """Each event's outcome reaches S3, though the server is killed right after the last was accepted."""
    server = wolke_server()
    cloud = Cloud(server)
    cloud.s3.create_bucket(Bucket="failures")
    cloud.function("fails", FAILS)
    cloud.fn.put_function_event_invoke_config(FunctionName="fails", MaximumRetryAttempts=0, DestinationConfig={
        "OnFailure": {"Destination": "arn:aws:s3:::failures"}})
    sent = {cloud.send("fails", {"n": n}) for n in range(40)}
    server.kill()
    start_again(server)
    end = time.monotonic() + 4 * PATIENCE_S
    seen, keys = set(), set()
    while seen != sent and time.monotonic() < end:
        for o in cloud.s3.list_objects_v2(Bucket="failures").get("Contents", []):
            if o["Key"] not in keys:
                keys.add(o["Key"])
                record = json.loads(cloud.s3.get_object(Bucket="failures", Key=o["Key"])["Body"].read())
                seen.add(record["requestContext"]["requestId"])
        time.sleep(0.3)
    assert seen == sent


def test_config_life(client, make_function, name):
    fn = client("lambda")
    make_function({"app.py": NOTES}, FunctionName=name, Publish=True)
    make_function({"app.py": NOTES}, FunctionName=name + "-to")
    put, kw = fn.put_function_event_invoke_config, {"FunctionName": name}
    missing = ("ResourceNotFoundException", "The function %s:$LATEST doesn't have an EventInvokeConfig" % arn(name))
    assert failure(fn.get_function_event_invoke_config, **kw) == missing
    assert failure(fn.update_function_event_invoke_config, MaximumRetryAttempts=1, **kw) == missing
    assert failure(fn.delete_function_event_invoke_config, **kw) == missing
    assert failure(put, **kw)[1] == "You must specify at least one of error handling or destination setting."
    assert failure(put, FunctionName="absent" + name, MaximumRetryAttempts=1) == (
        "ResourceNotFoundException", "The function doesn't exist.")
    assert failure(put, Qualifier="9", MaximumRetryAttempts=1, **kw)[1] == "The function doesn't exist."
    made = put(MaximumRetryAttempts=1, MaximumEventAgeInSeconds=21600, **kw)
    assert made["FunctionArn"] == arn(name) + ":$LATEST" and made["DestinationConfig"] == {
        "OnSuccess": {}, "OnFailure": {}}
    fn.update_function_event_invoke_config(
        DestinationConfig={"OnSuccess": {"Destination": arn(name + "-to")}}, **kw)
    got = fn.get_function_event_invoke_config(**kw)
    assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (1, 21600)
    assert got["DestinationConfig"] == {"OnSuccess": {"Destination": arn(name + "-to")}, "OnFailure": {}}
    got = put(MaximumRetryAttempts=0, **kw)
    assert "MaximumEventAgeInSeconds" not in got and got["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    def to(target):
        return {"DestinationConfig": {"OnSuccess": {"Destination": target}}, **kw}
    assert failure(put, **to(arn(name)))[1] == "You can't specify the function as a destination for itself."
    assert failure(put, **to(arn("absent" + name)))[1] == \
        "The destination ARN %s is invalid." % arn("absent" + name)
    assert failure(put, **to("arn:aws:iam:::x"))[1] == "The destination ARN arn:aws:iam:::x is invalid."
    put(Qualifier="1", MaximumRetryAttempts=2, **kw)
    listed = fn.list_function_event_invoke_configs(**kw)["FunctionEventInvokeConfigs"]
    assert [x["FunctionArn"] for x in listed] == [arn(name) + ":$LATEST", arn(name) + ":1"]
    fn.delete_function_event_invoke_config(**kw)
    assert failure(fn.get_function_event_invoke_config, **kw) == missing


def test_role_must_be_allowed_to_send(wolke_server):
    server = wolke_server("--iam=enforce")
    cloud = Cloud(server)
    role = make_role(server.client("iam"), "weak")
    cloud.function("works", NOTES, Role=role)
    kw = {"FunctionName": "works", "DestinationConfig": {"OnSuccess": {
        "Destination": "arn:aws:sqs:%s:%s:queue" % (REGION, ACCOUNT)}}}
    assert failure(cloud.fn.put_function_event_invoke_config, **kw)[1] == \
        "The provided execution role does not have permissions to call SendMessage on SQS"
    cloud.fn.update_function_configuration(FunctionName="works", Role=cloud.role)
    cloud.fn.put_function_event_invoke_config(**kw)
