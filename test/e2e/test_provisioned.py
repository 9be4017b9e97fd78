"""Provisioned concurrency: environments that are ready before the first call."""
import json
import time

import botocore.exceptions
import pytest

from conftest import LOGS_ONLY, make_role, zip_of

SOURCE = """
import os, time
started = time.time()
def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    time.sleep(event.get("sleep", 0))
    return {"type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "age": time.time() - started,
            "stream": context.log_stream_name}
"""


def ready(fn, function, qualifier, wanted, limit_s=20):
    end = time.monotonic() + limit_s
    while True:
        got = fn.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)
        if got["Status"] == wanted:
            return got
        assert time.monotonic() < end, got
        time.sleep(0.05)


def call(fn, function, qualifier, event=None):
    r = fn.invoke(FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event or {}))
    return json.loads(r["Payload"].read())


def code_of(operation, *a, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        operation(*a, **kw)
    return e.value.response["Error"]["Code"]


def test_ready_ahead_kept_and_replaced(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": SOURCE})
    version = fn.publish_version(FunctionName=function)["Version"]
    put = fn.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=version, ProvisionedConcurrentExecutions=2)
    assert put["RequestedProvisionedConcurrentExecutions"] == 2 and put["Status"] == "IN_PROGRESS"
    got = ready(fn, function, version, "READY")
    assert got["AvailableProvisionedConcurrentExecutions"] == 2
    time.sleep(0.5)
    first = call(fn, function, version)
    assert first["type"] == "provisioned-concurrency" and first["age"] > 0.4
    assert call(fn, function, "$LATEST")["type"] == "on-demand"
    for _ in range(2):
        assert call(fn, function, version, {"exit": True})["errorType"] == "Runtime.ExitError"
    ready(fn, function, version, "READY")
    assert call(fn, function, version)["type"] == "provisioned-concurrency"
    fn.delete_provisioned_concurrency_config(FunctionName=function, Qualifier=version)
    assert code_of(fn.get_provisioned_concurrency_config, FunctionName=function, Qualifier=version) == \
        "ProvisionedConcurrencyConfigNotFoundException"
    assert call(fn, function, version)["type"] == "on-demand"


def test_spill_over(client, make_function):
    import concurrent.futures
    fn = client("lambda")
    function = make_function({"app.py": SOURCE})
    version = fn.publish_version(FunctionName=function)["Version"]
    fn.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=version, ProvisionedConcurrentExecutions=1)
    ready(fn, function, version, "READY")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda _: call(fn, function, version, {"sleep": 1}), range(3)))
    assert sorted(g["type"] for g in got) == ["on-demand", "on-demand", "provisioned-concurrency"]


def test_alias_moves_it(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": SOURCE})
    fn.publish_version(FunctionName=function)
    fn.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": SOURCE + "\n# two\n"}))
    fn.publish_version(FunctionName=function)
    fn.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    fn.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier="live", ProvisionedConcurrentExecutions=1)
    ready(fn, function, "live", "READY")
    assert call(fn, function, "1")["type"] == "provisioned-concurrency"
    fn.update_alias(FunctionName=function, Name="live", FunctionVersion="2")
    ready(fn, function, "live", "READY")
    assert call(fn, function, "live")["type"] == "provisioned-concurrency"
    listed = fn.list_provisioned_concurrency_configs(FunctionName=function)
    (one,) = listed["ProvisionedConcurrencyConfigs"]
    assert one["FunctionArn"].endswith(function + ":live") and one["Status"] == "READY"
    fn.delete_alias(FunctionName=function, Name="live")
    assert not fn.list_provisioned_concurrency_configs(FunctionName=function)["ProvisionedConcurrencyConfigs"]


def test_what_is_refused(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": SOURCE})
    version = fn.publish_version(FunctionName=function)["Version"]
    put = fn.put_provisioned_concurrency_config
    assert code_of(put, FunctionName=function, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1) == \
        "InvalidParameterValueException"
    assert code_of(put, FunctionName=function, Qualifier="7", ProvisionedConcurrentExecutions=1) == \
        "ResourceNotFoundException"
    fn.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=2)
    assert code_of(put, FunctionName=function, Qualifier=version, ProvisionedConcurrentExecutions=3) == \
        "InvalidParameterValueException"


def test_init_that_fails(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": "raise RuntimeError('no')\n"})
    version = fn.publish_version(FunctionName=function)["Version"]
    fn.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=version, ProvisionedConcurrentExecutions=1)
    got = ready(fn, function, version, "FAILED")
    assert got["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"


def test_survives_a_restart(wolke_server, name):
    server = wolke_server()
    fn = server.client("lambda")
    role = make_role(server.client("iam"), name, LOGS_ONLY)
    fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                       Code={"ZipFile": zip_of({"app.py": SOURCE})}, Publish=True)
    fn.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    ready(fn, name, "1", "READY")
    server.restart()
    fn = server.client("lambda")
    ready(fn, name, "1", "READY")
    assert call(fn, name, "1")["type"] == "provisioned-concurrency"
