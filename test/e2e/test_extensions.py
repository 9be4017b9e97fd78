"""Extensions: programs of a layer, and threads of the function, beside the runtime."""
import base64
import json
import time
import uuid

import pytest

from conftest import zip_of

# What the tests' extensions share: the API with nothing but the standard library.
COMMON = '''#!/usr/bin/env python3
import http.client, json, os, sys, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(__file__)
def call(method, path, body=None, **headers):
    c = http.client.HTTPConnection(API)
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    c.request(method, path, json.dumps(body) if body is not None else None, headers)
    r = c.getresponse()
    text = r.read()
    return r.status, r.headers, json.loads(text) if text else None
def register(events, name=NAME):
    status, headers, body = call("POST", "/2020-01-01/extension/register", {"events": events},
                                 Lambda_Extension_Name=name,
                                 Lambda_Extension_Accept_Feature="accountId")
    return headers.get("Lambda-Extension-Identifier"), status, body
def next_event(id):
    return call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=id)
def say(*what):
    print(*what, flush=True)
'''

LOGGER = COMMON + '''
id, status, body = register(["INVOKE", "SHUTDOWN"])
say("EXT registered", status, json.dumps(body), "_HANDLER" in os.environ, os.environ.get("OWN"))
while True:
    status, headers, event = next_event(id)
    say("EXT event", json.dumps(event))
    if event["eventType"] == "SHUTDOWN":
        say("EXT says good-bye")
        break
    time.sleep(float(os.environ.get("WORK", 0)))
'''


@pytest.fixture
def layer(client, name):
    def make(files):
        files = {"extensions/" + k: (0o755, v) for k, v in files.items()}
        return client("lambda").publish_layer_version(
            LayerName="%s-%s" % (name, uuid.uuid4().hex[:6]),
            Content={"ZipFile": zip_of(files)})["LayerVersionArn"]
    return make


def invoke(fn, function, event=None):
    r = fn.invoke(FunctionName=function, Payload=json.dumps(event or {}), LogType="Tail")
    log = base64.b64decode(r.get("LogResult", "")).decode()
    return r, json.loads(r["Payload"].read()), log


def log_of(client, function, until, limit_s=15):
    """All lines of the function's log, once one has the text."""
    end = time.monotonic() + limit_s
    while True:
        try:
            events = client("logs").filter_log_events(logGroupName="/aws/lambda/" + function)["events"]
        except client("logs").exceptions.ResourceNotFoundException:
            events = []
        lines = [e["message"] for e in events]
        if any(until in l for l in lines):
            return lines
        assert time.monotonic() < end, "".join(lines)
        time.sleep(0.1)


HANDLER = "def handler(e, c):\n  return c.aws_request_id\n"


def test_external_extension(client, make_function, layer):
    fn = client("lambda")
    function = make_function({"app.py": HANDLER}, Layers=[layer({"logger.py": LOGGER})],
                             Environment={"Variables": {"OWN": "mine"}})
    ids = [invoke(fn, function)[1] for _ in range(3)]
    fn.update_function_configuration(FunctionName=function, Description="new")  # ends it
    lines = log_of(client, function, "EXT says good-bye")
    assert any(l == "EXTENSION\tName: logger.py\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n" for l in lines)
    registered = next(l for l in lines if "EXT registered" in l)
    assert '"functionName": "%s"' % function in registered and "200" in registered
    assert '"handler": "app.handler"' in registered and '"accountId": "000000000000"' in registered
    assert registered.endswith("False mine\n")
    events = [json.loads(l[len("EXT event "):]) for l in lines if l.startswith("EXT event")]
    assert [e["eventType"] for e in events] == ["INVOKE"] * 3 + ["SHUTDOWN"]
    assert [e["requestId"] for e in events[:3]] == ids
    assert events[0]["invokedFunctionArn"].endswith(function)
    assert events[0]["tracing"]["type"] == "X-Amzn-Trace-Id" and "Root=" in events[0]["tracing"]["value"]
    assert events[0]["deadlineMs"] > time.time() * 1000 - 60000
    assert events[3]["shutdownReason"] == "spindown"


def test_busy_extension_delays_the_next_invocation_not_the_answer(client, make_function, layer):
    fn = client("lambda")
    function = make_function({"app.py": HANDLER}, Layers=[layer({"slow.py": LOGGER})], Timeout=20,
                             Environment={"Variables": {"WORK": "1.0"}})
    fn.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    invoke(fn, function)
    time.sleep(1.2)
    start = time.monotonic()
    invoke(fn, function)
    assert time.monotonic() - start < 0.9
    invoke(fn, function)
    lines = log_of(client, function, "EXT event")
    assert len([l for l in lines if l.startswith("EXT registered")]) >= 1


def test_crash_of_an_extension_in_init(client, make_function, layer):
    crash = COMMON + "register(['INVOKE'])\nsys.exit(7)\n"
    function = make_function({"app.py": HANDLER}, Layers=[layer({"crash.py": crash})])
    r, answer, _ = invoke(client("lambda"), function)
    assert r["FunctionError"] == "Unhandled" and answer["errorType"] == "Extension.Crash"
    assert answer["errorMessage"].endswith("Error: exit status 7")


def test_crash_of_an_extension_in_an_invocation(client, make_function, layer):
    crash = COMMON + "id = register(['INVOKE'])[0]\nnext_event(id)\nsys.exit(1)\n"
    slow = "import time\ndef handler(e, c):\n  time.sleep(5)\n"
    function = make_function({"app.py": slow}, Layers=[layer({"crash.py": crash})], Timeout=20)
    r, answer, _ = invoke(client("lambda"), function)
    assert r["FunctionError"] == "Unhandled" and answer["errorType"] == "Extension.Crash"


def test_extension_that_cannot_be_executed(client, make_function, layer):
    function = make_function({"app.py": HANDLER}, Layers=[layer({"odd": "#!/no/such/program\n"})])
    r, answer, _ = invoke(client("lambda"), function)
    assert r["FunctionError"] == "Unhandled" and answer["errorType"] == "Extension.LaunchError"


def test_reported_init_error(client, make_function, layer):
    fails = COMMON + """
id = register([])[0]
r = call("POST", "/2020-01-01/extension/init/error", {"errorMessage": "no", "errorType": "x"},
         Lambda_Extension_Identifier=id, Lambda_Extension_Function_Error_Type="Extension.Own")
say("EXT", r[0], r[2])
sys.exit(1)
"""
    function = make_function({"app.py": HANDLER}, Layers=[layer({"fails.py": fails})])
    r, answer, _ = invoke(client("lambda"), function)
    assert r["FunctionError"] == "Unhandled" and answer["errorType"] == "Extension.Own"
    log_of(client, function, "EXT 202 {'status': 'OK'}")


def test_runtime_ends_and_extensions_are_told(client, make_function, layer):
    function = make_function({"app.py": "import os\ndef handler(e, c):\n  os._exit(3)\n"},
                             Layers=[layer({"logger.py": LOGGER})])
    r, answer, _ = invoke(client("lambda"), function)
    assert answer["errorType"] == "Runtime.ExitError"
    lines = log_of(client, function, "EXT says good-bye")
    assert any('"shutdownReason": "failure"' in l for l in lines)


def test_timeout_is_told(client, make_function, layer):
    function = make_function({"app.py": "import time\ndef handler(e, c):\n  time.sleep(9)\n"},
                             Layers=[layer({"logger.py": LOGGER})], Timeout=1)
    r, answer, _ = invoke(client("lambda"), function)
    assert "timed out" in answer["errorMessage"]
    lines = log_of(client, function, "EXT says good-bye")
    assert any('"shutdownReason": "timeout"' in l for l in lines)


INTERNAL = COMMON.split("\n", 1)[1].replace("NAME = os.path.basename(__file__)", "NAME = 'inside'") + '''
import signal, threading
seen = []
id, status, body = register(["INVOKE"])
tries = [register(["SHUTDOWN"], "other")[1:], register(["INVOKE"])[1:], register(["BAD"], "other")[1:],
         register([], "x" * 200)[1:]]
def work():
    while True:
        seen.append(next_event(id)[2]["requestId"])
threading.Thread(target=work, daemon=True).start()
def on_term(*_):
    say("SIGTERM came")
    sys.exit(0)
signal.signal(signal.SIGTERM, on_term)
def handler(event, context):
    end = time.time() + 5
    while context.aws_request_id not in seen and time.time() < end:
        time.sleep(0.01)
    late = register([], "late")[1:]
    return {"status": status, "tries": tries, "seen": context.aws_request_id in seen, "late": late,
            "no_id": call("GET", "/2020-01-01/extension/event/next")[0],
            "bad_id": next_event("x")[2]["errorType"]}
'''


def test_internal_extension(client, make_function):
    fn = client("lambda")
    function = make_function({"app.py": INTERNAL}, Timeout=20)
    for _ in range(2):
        _, answer, _ = invoke(fn, function)
        assert answer["status"] == 200 and answer["seen"]
    types = [(s, b["errorType"]) for s, b in answer["tries"]]
    assert types == [(403, "Extension.InvalidEventType"), (403, "Extension.AlreadyRegistered"),
                     (403, "Extension.InvalidEventType"), (403, "Extension.InvalidExtensionName")]
    assert answer["late"][1]["errorType"] == "Extension.RegistrationClosed"
    assert answer["no_id"] == 403 and answer["bad_id"] == "Extension.InvalidExtensionIdentifier"
    fn.update_function_configuration(FunctionName=function, Description="new")
    lines = log_of(client, function, "SIGTERM came")
    assert any(l == "EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]\n" for l in lines)
