"""SnapStart for Python: published versions start from behind their init."""
import json
import time

import botocore.exceptions
import pytest

from conftest import LOGS_ONLY, make_role, zip_of
from test_extensions import invoke, log_of

SOURCE = """
import os, random, time, uuid
from snapshot_restore_py import register_before_snapshot, register_after_restore
trace = []
token = random.random()

@register_before_snapshot
def before():
    trace.append("before")

register_before_snapshot(lambda what: trace.append(what), "earlier")

@register_after_restore
def after():
    trace.append("after")
    trace.append(os.environ.get("OWN"))

time.sleep(1.5)

def handler(event, context):
    return {"trace": trace, "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
            "random": random.random(), "uuid": str(uuid.uuid4()), "token": token}
"""
SNAP = {"SnapStart": {"ApplyOn": "PublishedVersions"}}


def active(fn, function, qualifier, wanted="Active", limit_s=25):
    end = time.monotonic() + limit_s
    while True:
        got = fn.get_function_configuration(FunctionName=function, Qualifier=qualifier)
        if got["State"] == wanted:
            return got
        assert got["State"] == "Pending" and time.monotonic() < end, got
        time.sleep(0.05)


def call(fn, function, qualifier):
    r = fn.invoke(FunctionName=function, Qualifier=qualifier, Payload="{}", LogType="Tail")
    return json.loads(r["Payload"].read()), r


def test_restored_versions(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": SOURCE}, Timeout=10,
                             Environment={"Variables": {"OWN": "mine"}}, **SNAP)
    latest = fn.get_function_configuration(FunctionName=function)
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    assert latest["State"] == "Active"
    version = fn.publish_version(FunctionName=function)
    assert version["State"] == "Pending" and version["SnapStart"]["OptimizationStatus"] == "On"
    with pytest.raises(fn.exceptions.SnapStartNotReadyException):
        fn.invoke(FunctionName=function, Qualifier="1")
    active(fn, function, "1")
    start = time.monotonic()
    first, r = call(fn, function, "1")
    assert time.monotonic() - start < 1.2
    assert first["trace"] == ["earlier", "before", "after", "mine"] and first["type"] == "snap-start"
    again, _ = call(fn, function, "1")
    assert again["trace"] == first["trace"] and again["random"] != first["random"]
    lines = log_of(client, function, "REPORT RequestId")
    assert any(l.startswith("RESTORE_START Runtime Version: python:3.12") for l in lines)
    assert any(l.startswith("RESTORE_REPORT Restore Duration: ") for l in lines)
    report = next(l for l in lines if l.startswith("REPORT"))
    assert "\tRestore Duration: " in report and "\tBilled Restore Duration: " in report
    assert "Init Duration" not in report
    assert call(fn, function, "$LATEST")[0]["type"] == "on-demand"


def test_environments_of_one_snapshot_differ(client, make_function):
    import concurrent.futures
    fn = client("lambda")
    function = make_function({"app.py": SOURCE.replace("return", "time.sleep(0.5)\n    return")},
                             Timeout=10, **SNAP)
    fn.publish_version(FunctionName=function)
    active(fn, function, "1")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda _: call(fn, function, "1")[0], range(3)))
    for key in ("random", "uuid"):
        assert len({g[key] for g in got}) == 3
    assert all(g["type"] == "snap-start" for g in got)


def test_failures(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": "raise RuntimeError('no')\n"}, **SNAP)
    fn.publish_version(FunctionName=function)
    got = active(fn, function, "1", "Failed")
    assert got["StateReasonCode"] == "FunctionError"
    with pytest.raises(fn.exceptions.ResourceConflictException):
        fn.invoke(FunctionName=function, Qualifier="1")
    bad_hook = ("from snapshot_restore_py import register_after_restore\n"
                "@register_after_restore\ndef after():\n  raise ValueError('hook')\n"
                "def handler(e, c):\n  return 1\n")
    function = make_function({"app.py": bad_hook}, **SNAP)
    fn.publish_version(FunctionName=function)
    active(fn, function, "1")
    answer, r = call(fn, function, "1")
    assert r["FunctionError"] == "Unhandled" and answer["errorType"] == "ValueError"
    assert any("Runtime.AfterRestoreError" in l for l in log_of(client, function, "RESTORE_REPORT"))


def test_what_is_refused(client, make_function):
    for kw in ({"Runtime": "nodejs22.x"}, {"Runtime": "python3.11"}, {"EphemeralStorage": {"Size": 1024}}):
        with pytest.raises(botocore.exceptions.ClientError) as e:
            make_function({"app.py": SOURCE}, **SNAP, **kw)
        assert e.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_after_a_restart(wolke_server, name):
    server = wolke_server()
    fn = server.client("lambda")
    role = make_role(server.client("iam"), name, LOGS_ONLY)
    fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role, Timeout=10,
                       Code={"ZipFile": zip_of({"app.py": SOURCE})}, Publish=True, **SNAP)
    server.restart()  # the snapshot may not be taken yet
    fn = server.client("lambda")
    active(fn, name, "1")
    for _ in range(2):
        answer, _ = call(fn, name, "1")
        assert answer["type"] == "snap-start" and answer["trace"][:3] == ["earlier", "before", "after"]
