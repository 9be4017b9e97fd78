"""Telemetry and Logs API: what extensions get to know; and LoggingConfig."""
import json
import time

from test_extensions import COMMON, invoke, layer, log_of  # noqa: F401 (layer is a fixture)

LISTENER = COMMON + '''
import http.server, threading
got = []
class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        got.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *a):
        pass
server = http.server.ThreadingHTTPServer(("sandbox.localdomain", 4243), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
id, status, body = register(["INVOKE", "SHUTDOWN"])
settings = json.loads(os.environ["SUBSCRIPTION"])
path = os.environ["API_PATH"]
say("first", "line of the extension")
for wrong in json.loads(os.environ.get("WRONG", "[]")):
    say("EXT wrong", json.dumps(call("PUT", path, {**settings, **wrong}, Lambda_Extension_Identifier=id)[0::2]))
say("EXT subscribed", json.dumps(call("PUT", path, settings, Lambda_Extension_Identifier=id)[0::2]))
while True:
    event = next_event(id)[2]
    if event["eventType"] == "SHUTDOWN":
        break
time.sleep(0.3)
say("EXT got", json.dumps(got))
'''
HANDLER = "def handler(e, c):\n  print('one line')\n  return c.aws_request_id\n"


def run(client, make_function, layer, api, settings, wrong=(), **kw):
    fn = client("lambda")
    settings = {"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/path"},
                "buffering": {"timeoutMs": 25}, **settings}
    function = make_function({"app.py": HANDLER}, Layers=[layer({"listener.py": LISTENER})],
                             Environment={"Variables": {"SUBSCRIPTION": json.dumps(settings),
                                                        "API_PATH": api, "WRONG": json.dumps(wrong)}}, **kw)
    id = invoke(fn, function)[1]
    time.sleep(0.5)
    fn.update_function_configuration(FunctionName=function, Description="new")
    lines = log_of(client, function, "EXT got")
    got = json.loads(next(l for l in lines if l.startswith("EXT got"))[len("EXT got "):])
    return id, lines, got


def test_telemetry(client, make_function, layer):  # noqa: F811
    settings = {"schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"]}
    wrong = [{"types": ["other"]}, {"destination": {"protocol": "HTTP", "URI": "http://example.com/"}},
             {"schemaVersion": "1999-01-01"}, {"buffering": {"maxItems": 5}}]
    id, lines, got = run(client, make_function, layer, "/2022-07-01/telemetry", settings, wrong)
    assert [json.loads(l[10:])[0] for l in lines if l.startswith("EXT wrong")] == [400] * 4
    assert any(l == 'EXT subscribed [200, "OK"]\n' for l in lines)
    assert any(l == "TELEMETRY\tName: listener.py\tState: Subscribed\tTypes: [platform,function,extension]\n"
               for l in lines)
    types = [e["type"] for e in got]
    for t in ("platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
              "platform.runtimeDone", "platform.report", "platform.extension",
              "platform.telemetrySubscription", "function", "extension"):
        assert t in types, (t, types)
    assert "platform.end" not in types
    of = {e["type"]: e["record"] for e in got}
    assert of["platform.start"] == {"requestId": id, "version": "$LATEST"}
    assert of["platform.runtimeDone"]["requestId"] == id and of["platform.runtimeDone"]["status"] == "success"
    assert of["platform.report"]["metrics"]["memorySizeMB"] == 128
    assert of["platform.initStart"]["phase"] == "init" and of["platform.initStart"]["functionName"]
    assert of["platform.extension"] == {"name": "listener.py", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    assert of["function"] == "one line\n"
    assert types.index("platform.initStart") < types.index("platform.start") < types.index("function")
    assert any(e["type"] == "extension" and "first line" in e["record"] for e in got)


def test_logs_api(client, make_function, layer):  # noqa: F811
    settings = {"schemaVersion": "2020-08-15", "types": ["platform", "function"]}
    id, lines, got = run(client, make_function, layer, "/2020-08-15/logs", settings)
    types = [e["type"] for e in got]
    assert any(l.startswith("LOGS\tName: listener.py\tState: Subscribed") for l in lines)
    for t in ("platform.start", "platform.end", "platform.report", "platform.extension",
              "platform.logsSubscription", "function"):
        assert t in types, (t, types)
    assert not [t for t in types if t.startswith(("platform.init", "platform.runtimeDone"))]
    assert {e["type"]: e["record"] for e in got}["platform.end"] == {"requestId": id}


# ---- LoggingConfig ----

LEVELS = """
import json, logging
def handler(event, context):
    logging.debug("a debug line")
    logging.info("an info line")
    logging.error("an error line")
    print("a plain line")
"""


def test_json_logs_with_levels(client, make_function, name):
    fn, group = client("lambda"), "/own/" + name
    function = make_function({"app.py": LEVELS}, LoggingConfig={
        "LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN", "LogGroup": group})
    invoke(fn, function)
    lines = wait_for(client, group, "a plain line")
    messages = [json.loads(l)["message"] for l in lines if l.startswith("{") and "message" in json.loads(l)]
    assert messages == ["an error line"] and "a plain line\n" in lines
    assert not [l for l in lines if "platform." in l]
    fn.update_function_configuration(FunctionName=function, LoggingConfig={
        "LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "INFO", "LogGroup": group})
    invoke(fn, function)
    lines = wait_for(client, group, "platform.report")
    messages = [json.loads(l).get("message") for l in lines if l.startswith("{")]
    assert "a debug line" in messages and "an info line" in messages
    types = [json.loads(l).get("type") for l in lines if l.startswith("{")]
    assert "platform.initStart" in types and "platform.start" in types and "platform.report" in types
    assert not [l for l in lines if l.startswith(("START", "END", "REPORT"))]


def wait_for(client, group, text):
    end = time.monotonic() + 15
    while True:
        try:
            events = client("logs").filter_log_events(logGroupName=group)["events"]
        except client("logs").exceptions.ResourceNotFoundException:
            events = []
        lines = [e["message"] for e in events]
        if any(text in l for l in lines):
            return lines
        assert time.monotonic() < end, lines
        time.sleep(0.1)


def test_an_error_is_one_event_with_its_lines(client, make_function):
    function = make_function({"app.py": "def handler(e, c):\n  raise ValueError('first\\nsecond')\n"})
    _, answer, tail = invoke(client("lambda"), function)
    assert answer["errorType"] == "ValueError"
    lines = log_of(client, function, "REPORT")
    event = next(l for l in lines if l.startswith("[ERROR]"))
    assert "\r" not in event and event.split("\n")[0] == "[ERROR] ValueError: first"
    assert "Traceback (most recent call last):" in event.split("\n")
    assert "\r" not in tail
