"""Functions in their environments: results, failures and limits, as their callers and logs see them."""
import base64
import concurrent.futures
import json
import re
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

SHELL_BOOTSTRAP = """#!/bin/sh
# A custom runtime in a dozen lines.
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while :; do
    event=$(curl -s -D /tmp/headers $api/invocation/next)
    id=$(tr -d '\\r' < /tmp/headers | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
    echo "event: $event"
    curl -s -o /dev/null -X POST --data-binary "{\\"echo\\":$event}" $api/invocation/$id/response
done
"""


def invoke(client, function, event=None, **kw):
    """(FunctionError or None, decoded payload, log tail)"""
    r = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event if event is not None else {}),
                                LogType="Tail", **kw)
    tail = base64.b64decode(r.get("LogResult", "")).decode()
    return r.get("FunctionError"), json.loads(r["Payload"].read()), tail


def python(make_function, source, **kw):
    return make_function({"app.py": source}, Runtime="python3.12", Handler="app.handler", **kw)


def log_lines(client, function, until, patience_s=20):
    """The messages of all streams, once a line matches."""
    logs, group = client("logs"), "/aws/lambda/" + function
    end = time.monotonic() + patience_s
    lines = []
    while time.monotonic() < end:
        try:
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            lines = [e["message"] for page in events for e in page["events"]]
        except ClientError:
            lines = []
        if any(re.search(until, line) for line in lines):
            break
        time.sleep(0.1)
    return lines


# --- what goes well ------------------------------------------------------------------------------


def test_custom_runtime(client, make_function):
    function = make_function({"bootstrap": (0o755, SHELL_BOOTSTRAP)}, Runtime="provided.al2023", MemorySize=1769)
    for n in range(2):
        error, answer, tail = invoke(client, function, {"n": n})
        assert error is None and answer == {"echo": {"n": n}}
        assert 'event: {"n": %d}\n' % n in tail
        assert ("Init Duration" in tail) == (n == 0)


def test_python(client, make_function):
    function = python(make_function, """
def handler(event, context):
    print("seen", event)
    return {"event": event, "left": context.get_remaining_time_in_millis()}
""")
    error, answer, tail = invoke(client, function, {"a": "ü"})
    assert error is None and answer["event"] == {"a": "ü"} and 0 < answer["left"] <= 3000
    lines = tail.splitlines()
    assert re.fullmatch(r"START RequestId: [0-9a-f-]{36} Version: \$LATEST", lines[0])
    assert lines[1] == "seen {'a': 'ü'}"
    assert lines[2].startswith("END RequestId: ")
    assert re.fullmatch(r"REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
                        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t", lines[3])


def test_node(client, make_function):
    function = make_function({"index.js": """
exports.handler = async (event, context) => {
    console.log('seen', event.a);
    return { twice: event.a * 2, name: context.functionName };
};
"""}, Runtime="nodejs20.x", Handler="index.handler", MemorySize=512)
    error, answer, tail = invoke(client, function, {"a": 21})
    assert error is None and answer == {"twice": 42, "name": function}
    assert "INFO\tseen 21\n" in tail


def test_context_and_environment(client, make_function):
    function = python(make_function, """
import os
def handler(event, context):
    return {"env": dict(os.environ), "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "client": context.client_context and context.client_context.custom, "cwd": os.getcwd()}
""", Environment={"Variables": {"OWN": "value", "TZ": "Europe/Berlin"}}, MemorySize=256)
    context = base64.b64encode(json.dumps({"custom": {"k": "v"}}).encode()).decode()
    r = client("lambda").invoke(FunctionName=function, ClientContext=context, Qualifier="$LATEST")
    answer = json.loads(r["Payload"].read())
    env = answer["env"]
    assert answer["id"] == r["ResponseMetadata"]["RequestId"]
    assert answer["arn"].endswith(":function:%s:$LATEST" % function)
    assert answer["client"] == {"k": "v"} and answer["cwd"] == "/var/task"
    expected = {
        "_HANDLER": "app.handler", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + function,
        "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "LANG": "en_US.UTF-8",
        "OWN": "value", "TZ": "Europe/Berlin",
    }
    assert {k: env.get(k) for k in expected} == expected
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", env["AWS_LAMBDA_LOG_STREAM_NAME"])
    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA") and env["AWS_SESSION_TOKEN"]


def test_calls_aws_with_the_role(client, make_function, role):
    function = python(make_function, """
import datetime, hashlib, hmac, os, urllib.request

def handler(event, context):
    # Signed by hand: this test needs no SDK inside.
    host, now = "127.0.0.1:4566", datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    token = os.environ["AWS_SESSION_TOKEN"]
    names = "host;x-amz-date;x-amz-security-token"
    canonical = "\\n".join(["POST", "/", "", "host:" + host, "x-amz-date:" + now,
                            "x-amz-security-token:" + token, "", names,
                            hashlib.sha256(body.encode()).hexdigest()])
    scope = now[:8] + "/us-east-1/sts/aws4_request"
    text = "\\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    headers = {"X-Amz-Date": now, "X-Amz-Security-Token": token,
               "Content-Type": "application/x-www-form-urlencoded",
               "Authorization": "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
                   os.environ["AWS_ACCESS_KEY_ID"], scope, names,
                   hmac.new(key, text.encode(), "sha256").hexdigest())}
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], data=body.encode(), headers=headers)
    return urllib.request.urlopen(request).read().decode()
""", Timeout=20)
    error, answer, _ = invoke(client, function)
    assert error is None, answer
    assert "assumed-role/%s/%s</Arn>" % (role.rpartition("/")[2], function) in answer


def test_tmp_is_its_own(client, make_function):
    function = python(make_function, """
import os
def handler(event, context):
    before = sorted(os.listdir("/tmp"))
    open("/tmp/" + event["name"], "w").write("x" * 1000)
    return before
""")
    assert invoke(client, function, {"name": "one"})[1] == []
    assert invoke(client, function, {"name": "two"})[1] == ["one"]


# --- logs ----------------------------------------------------------------------------------------


def test_logs_are_kept(client, make_function):
    function = python(make_function, "def handler(event, context):\n    print('first')\n    print('second')\n")
    invoke(client, function)
    lines = log_lines(client, function, "^REPORT")
    assert lines[0].startswith("INIT_START Runtime Version: python:3.12")
    assert [line for line in lines if line in ("first\n", "second\n")] == ["first\n", "second\n"]


def test_json_logs(client, make_function):
    function = python(make_function, "def handler(event, context):\n    return 1\n",
                      LoggingConfig={"LogFormat": "JSON"})
    _, _, tail = invoke(client, function)
    records = [json.loads(line) for line in tail.splitlines()]
    assert [r["type"] for r in records] == ["platform.start", "platform.report"]
    assert records[1]["record"]["status"] == "success"
    assert records[1]["record"]["metrics"]["memorySizeMB"] == 128


def test_tail_is_the_last_4_kib(client, make_function):
    function = python(make_function, "def handler(event, context):\n    print('x' * 10000)\n")
    _, _, tail = invoke(client, function)
    assert len(tail) == 4096 and "REPORT RequestId" in tail and "START" not in tail


# --- failures ------------------------------------------------------------------------------------


def test_handler_error(client, make_function):
    function = python(make_function, "def handler(event, context):\n    raise ValueError('no good')\n")
    error, answer, tail = invoke(client, function)
    assert error == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no good")
    assert "[ERROR] ValueError: no good" in tail
    assert "END RequestId" in tail


def test_timeout_and_recovery(client, make_function):
    function = python(make_function, """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return "awake"
""", Timeout=1)
    error, answer, tail = invoke(client, function, {"sleep": 30})
    assert error == "Unhandled" and answer["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(r"RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds", answer["errorMessage"])
    assert re.search(r"Z [0-9a-f-]{36} Task timed out after 1\.00 seconds", tail)
    assert "\tDuration: 1000.00 ms\t" in tail and "Status: timeout" in tail
    assert invoke(client, function)[1] == "awake"


@pytest.mark.parametrize("code,message", [
    ("os._exit(1)", "Runtime exited with error: exit status 1"),
    ("os._exit(0)", "Runtime exited without providing a reason"),
    ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
])
def test_exit(client, make_function, code, message):
    function = python(make_function, """
import os
def handler(event, context):
    if event.get("exit"):
        %s
    return "alive"
""" % code)
    error, answer, tail = invoke(client, function, {"exit": True})
    assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith(" Error: " + message)
    assert "%s\nRuntime.ExitError\n" % message in tail
    assert "Status: error\tError Type: Runtime.ExitError" in tail
    assert invoke(client, function)[1] == "alive"


def test_out_of_memory(client, make_function):
    function = python(make_function, """
def handler(event, context):
    if event.get("eat"):
        held = []
        while True:
            held.append(bytearray(8 << 20))
    return "alive"
""", Timeout=60)
    error, answer, tail = invoke(client, function, {"eat": True})
    assert error == "Unhandled"
    assert answer["errorType"] in ("Runtime.OutOfMemory", "MemoryError"), answer
    assert "Max Memory Used: 128 MB" in tail
    assert invoke(client, function)[1] == "alive"


def test_init_error_is_tried_twice(client, make_function):
    function = python(make_function, "import no_such_module\ndef handler(event, context):\n    pass\n")
    error, answer, tail = invoke(client, function)
    assert error == "Unhandled" and answer["errorType"] == "Runtime.ImportModuleError"
    assert answer["errorMessage"] == "Unable to import module 'app': No module named 'no_such_module'"
    assert "Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError" in tail
    reports = [line for line in log_lines(client, function, "^REPORT") if line.startswith("INIT_REPORT")]
    assert [re.search(r"Phase: (\w+)", line).group(1) for line in reports] == ["init", "invoke"]


def test_no_bootstrap(client, make_function):
    function = make_function({"other": "x"}, Runtime="provided.al2023")
    error, answer, _ = invoke(client, function)
    assert error == "Unhandled" and answer["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer["errorMessage"].endswith(
        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")


def test_response_limit(client, make_function):
    function = python(make_function, "def handler(event, context):\n    return 'x' * event['n']\n",
                      Timeout=30, MemorySize=1769)
    error, answer, _ = invoke(client, function, {"n": 6291556 - 2})
    assert error is None and len(answer) == 6291554
    error, answer, _ = invoke(client, function, {"n": 7000000})
    assert error == "Unhandled" and answer == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}
    assert invoke(client, function, {"n": 1})[:2] == (None, "x")


# --- concurrency and change ----------------------------------------------------------------------


def many(client, function, n, event):
    lam = client("lambda", config=Config(max_pool_connections=n))

    def one(_):
        try:
            r = lam.invoke(FunctionName=function, Payload=json.dumps(event))
            return json.loads(r["Payload"].read())
        except ClientError as e:
            return e.response
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def test_fifty_at_once(client, make_function):
    function = python(make_function, """
import os, time
HERE = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
def handler(event, context):
    time.sleep(0.5)
    return HERE
""", Timeout=30)
    answers = many(client, function, 50, {})
    assert all(isinstance(a, str) for a in answers), answers
    # Each at its own time in an environment of its own: at most as many as asked at once.
    assert 2 <= len(set(answers)) <= 50


def test_reserved_concurrency(client, make_function):
    function = python(make_function, "import time\ndef handler(event, context):\n    time.sleep(1)\n    return 1\n",
                      Timeout=30)
    invoke(client, function)
    client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=2)
    answers = many(client, function, 6, {})
    throttled = [a for a in answers if isinstance(a, dict)]
    assert 1 <= len(throttled) <= 4
    for t in throttled:
        assert t["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert t["Error"]["Code"] == "TooManyRequestsException"
        assert t["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_account_concurrency(wolke_server):
    from conftest import make_role, zip_of

    server = wolke_server("--concurrency", "2")
    role = make_role(server.client("iam"), "role")
    source = "import time\ndef handler(event, context):\n    time.sleep(1)\n    return 1\n"
    server.client("lambda").create_function(
        FunctionName="few", Runtime="python3.12", Handler="app.handler", Role=role, Timeout=30,
        Code={"ZipFile": zip_of({"app.py": source})})
    answers = many(server.client, "few", 5, {})
    throttled = [a for a in answers if isinstance(a, dict)]
    assert len(answers) - len(throttled) >= 2 and throttled
    assert {t["Reason"] for t in throttled} == {"ConcurrentInvocationLimitExceeded"}


def test_new_code_is_next(client, make_function):
    from conftest import zip_of

    lam = client("lambda")
    function = python(make_function, "def handler(event, context):\n    return 'old'\n")
    assert invoke(client, function)[1] == "old"
    lam.update_function_code(FunctionName=function,
                             ZipFile=zip_of({"app.py": "def handler(event, context):\n    return 'new'\n"}))
    lam.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    assert invoke(client, function)[1] == "new"


# --- bad neighbours ------------------------------------------------------------------------------

HARMS = {
    "forks": """
import os
pids = 0
try:
    for _ in range(5000):
        if os.fork() == 0:
            signal.pause()
        pids += 1
except OSError:
    pass
return pids < 5000
""",
    "fills_tmp": """
try:
    with open("/tmp/big", "wb") as f:
        for _ in range(2000):
            f.write(b"x" * (1 << 20))
except OSError as e:
    return e.errno == 28
return False
""",
    "ignores_sigterm": """
for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)
time.sleep(60)
""",
    "opens_files": """
held = []
try:
    for _ in range(2000):
        held.append(open("/dev/null"))
except OSError as e:
    return e.errno == 24
return False
""",
    "floods_log": """
line = "x" * 999 + "\\n"
for _ in range(100):
    sys.stdout.write(line * 1000)
sys.stdout.flush()
return True
""",
}


@pytest.mark.parametrize("harm", sorted(HARMS))
def test_harms_nobody_else(client, make_function, harm):
    body = "\n".join("    " + line for line in HARMS[harm].strip().splitlines())
    function = python(make_function, "import os, signal, sys, time\ndef handler(event, context):\n%s\n" % body,
                      Timeout=10 if harm != "ignores_sigterm" else 2, MemorySize=1024)
    other = python(make_function, "def handler(event, context):\n    return 'fine'\n")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, client, function)
        while not running.done():
            assert invoke(client, other)[:2] == (None, "fine")
        error, answer, _ = running.result()
    assert answer is True or (error == "Unhandled" and answer["errorType"] in (
        "Sandbox.Timedout", "Runtime.OutOfMemory", "Runtime.ExitError")), answer
    assert invoke(client, other)[:2] == (None, "fine")
