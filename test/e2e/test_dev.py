"""The development loop: wolke dev, bill, what a timeout says; record, replay, debuggers."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.request

import pytest

from conftest import PATIENCE_S, PROGRAM, make_role, zip_of

pytestmark = pytest.mark.usefixtures("wolke")


def eventually(check, what):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("not within %g s: %s" % (PATIENCE_S, what))


class Command:
    """A wolke command that runs beside the test; what it prints so far is in text()."""

    def __init__(self, wolke, tmp_path, *args, **env):
        self.path = tmp_path / ("out-%d" % time.monotonic_ns())
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen([PROGRAM, *args], env=wolke.env(**env), stdout=out, stderr=out)

    def text(self):
        return self.path.read_text(errors="replace")

    def wait_for(self, pattern):
        def look():
            assert self.process.poll() is None or re.search(pattern, self.text()), self.text()
            return re.search(pattern, self.text())

        return eventually(look, pattern)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


def run(wolke, *args):
    return subprocess.run([PROGRAM, *args], env=wolke.env(), capture_output=True, text=True,
                          timeout=PATIENCE_S * 2)


@pytest.fixture
def dev(wolke, client, tmp_path, name):
    """dev({"app.py": ...}, *args) -> (running command, directory); the function is called `name`."""
    commands = []
    directory = tmp_path / "app"
    # Functions run as users of their own.
    for d in (tmp_path, *list(tmp_path.parents)[:2]):
        os.chmod(d, 0o755)
    directory.mkdir()
    os.chmod(directory, 0o755)

    def start(files, *args, **env):
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        commands.append(Command(wolke, tmp_path, "dev", str(directory), "--name", name, *args, **env))
        return commands[-1], directory

    yield start
    for c in commands:
        if c.process.poll() is None:
            c.stop()
    try:
        client("lambda").delete_function(FunctionName=name)
    except client("lambda").exceptions.ResourceNotFoundException:
        pass


def call(client, function, event=None):
    r = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
    return json.loads(r["Payload"].read())


# --- wolke dev -----------------------------------------------------------------------------------

APP = "import os\ndef handler(event, context):\n    print('seen', event)\n    return %r\n"


def test_a_save_counts_for_the_next_request(client, dev, name):
    command, directory = dev({"app.py": APP % 1})
    command.wait_for("serves")
    assert call(client, name) == 1
    for n in range(2, 6):
        (directory / "app.py").write_text(APP % n)
        # The watcher needs a moment, less than anybody needs from the editor to the terminal.
        time.sleep(0.05)
        assert call(client, name) == n
    command.wait_for("changed: app.py")
    command.wait_for(r"seen \{\}")
    command.wait_for(r"✓ [\d.]+ ms.* billed \d+ ms  memory \d+ of 128 MB  \$0\.0\d+")


def test_what_it_chooses_and_honours(client, dev, name, tmp_path):
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "below.py").write_text("VALUE = 'from the layer'\n")
    source = ("import os, below\ndef lambda_handler(event, context):\n"
              "    return [os.environ['WORD'], below.VALUE, context.memory_limit_in_mb]\n")
    command, _ = dev({"lambda_function.py": source}, "--env", "WORD=b", "--layer", str(layer),
                     "--memory", "256", "--timeout", "7")
    assert "lambda_function.lambda_handler" in command.wait_for("serves.*").group()
    assert call(client, name) == ["b", "from the layer", "256"]
    f = client("lambda").get_function(FunctionName=name)
    assert f["Code"] == {"RepositoryType": "Directory", "Location": "file://%s" % (tmp_path / "app")}
    assert f["Configuration"]["Timeout"] == 7
    (layer / "python" / "below.py").write_text("VALUE = 'changed'\n")
    eventually(lambda: call(client, name)[1] == "changed", "the changed layer")


def test_subdirectories_and_new_ones(client, dev, name):
    command, directory = dev({"app.py": "from lib.deep import V\ndef handler(e, c):\n    return V\n",
                              "lib/deep.py": "V = 1\n", "a/x.py": "", "b/x.py": "", "z/x.py": ""})
    command.wait_for("serves")
    assert call(client, name) == 1
    (directory / "lib" / "deep.py").write_text("V = 22\n")
    eventually(lambda: call(client, name) == 22, "a change in a subdirectory")
    (directory / "more").mkdir()
    (directory / "more" / "new.py").write_text("V = 3\n")
    (directory / "app.py").write_text("from more.new import V\ndef handler(e, c):\n    return V\n")
    eventually(lambda: call(client, name) == 3, "a new directory")
    (directory / "more" / "new.py").write_text("V = 44\n")
    eventually(lambda: call(client, name) == 44, "a change in the new directory")


def test_errors_are_seen_in_colour(client, dev, name):
    command, _ = dev({"app.py": "def handler(event, context):\n    raise ValueError('broken')\n"},
                     FORCE_COLOR="1")
    command.wait_for("serves")
    assert call(client, name)["errorMessage"] == "broken"
    command.wait_for(r"\x1b\[31m\[ERROR\] ValueError: broken\nTraceback")
    command.wait_for(r"\x1b\[31m✗ ")


def test_node_and_the_projects_build(client, dev, name):
    # The build of this project is a copy; what it makes is what is served.
    command, directory = dev({"src/index.js": "exports.handler = async () => 1;\n"},
                             "--build", "mkdir -p dist && cp src/index.js dist/")
    assert "dist/index.handler" in command.wait_for("serves.*").group()
    assert call(client, name) == 1
    (directory / "src" / "index.js").write_text("exports.handler = async () => 2;\n")
    eventually(lambda: call(client, name) == 2, "the built change")


def test_it_is_durable_and_ends_with_a_deployment(wolke_server, tmp_path, name):
    server = wolke_server()
    directory = tmp_path / "app"
    directory.mkdir()
    for d in (directory, tmp_path, tmp_path.parent):
        os.chmod(d, 0o755)
    (directory / "app.py").write_text(APP % 1)
    command = Command(server, tmp_path, "dev", str(directory), "-n", name)
    command.wait_for("serves")
    server.restart()
    assert call(server.client, name) == 1
    (directory / "app.py").write_text(APP % 2)
    eventually(lambda: call(server.client, name) == 2, "the change after a restart")
    # The log is shown again, too, once the command has found the server.
    n = iter(range(10, 1000))

    def shown():
        (directory / "app.py").write_text(APP % next(n))
        call(server.client, name)
        return "changed: app.py" in command.text()

    eventually(shown, "the log after a restart")
    assert command.stop() == 0
    functions = server.client("lambda")
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.publish_version(FunctionName=name)
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": APP % 3}))
    assert call(server.client, name) == 3
    assert functions.get_function(FunctionName=name)["Code"]["RepositoryType"] == "S3"


def test_in_place_of_what_is_deployed(client, wolke, make_function, tmp_path):
    function = make_function({"app.py": APP % "deployed"}, MemorySize=192)
    (tmp_path / "app.py").write_text(APP % "local")
    os.chmod(tmp_path, 0o755)
    command = Command(wolke, tmp_path, "dev", str(tmp_path), "--name", function)
    command.wait_for("in place of what is deployed")
    assert call(client, function) == "local"
    assert client("lambda").get_function_configuration(FunctionName=function)["MemorySize"] == 192
    assert command.stop() == 0
    assert call(client, function) == "deployed"


def test_what_cannot_be_served(wolke, dev, tmp_path, name):
    command, directory = dev({"README": "nothing to run"})
    assert command.process.wait(PATIENCE_S) == 1 and "--handler" in command.text()
    (directory / "app.py").write_text(APP % 1)
    os.chmod(directory, 0o700)
    r = run(wolke, "dev", str(directory), "--name", name)
    assert r.returncode == 1 and "chmod o+rx" in r.stderr


def test_only_the_root_operates(wolke, client, name):
    user = client("iam").create_user(UserName=name)["User"]["UserName"]
    key = client("iam").create_access_key(UserName=user)["AccessKey"]
    env = wolke.env()
    env.update(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
    r = subprocess.run([PROGRAM, "bill"], env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert r.returncode == 1 and "403" in r.stderr and "root" in r.stderr


# --- wolke bill ----------------------------------------------------------------------------------


def test_bill(wolke_server, name):
    server = wolke_server("--clock=manual")
    role = make_role(server.client("iam"), "r" + name)
    functions = server.client("lambda")
    functions.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                              MemorySize=1024, Code={"ZipFile": zip_of({"app.py": """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("x")
"""})})
    for event in ({}, {}, {"fail": True}):
        call(server.client, name, event)

    def bill(*args):
        r = run(server, "bill", *args)
        assert r.returncode == 0, r.stderr
        return r.stdout

    line = re.search(r"^%s +x86_64 +3 +1 +([\d.]+) +(\d+) +([\d.]+)$" % name, bill(), re.M)
    assert line, bill()
    assert float(line[1]) > 0 and int(line[2]) > 0
    # What is printed is rounded; requests alone are $0.0000006.
    assert abs(float(line[3]) - (3 * 0.0000002 + float(line[1]) * 0.0000166667)) < 2e-8
    assert re.search(r"prices of \d{4}-\d\d-\d\d", bill())
    server.restart("--clock=manual")
    assert re.search(r"^%s +x86_64 +3 +1 " % name, bill("--function", name), re.M)
    server.advance(3 * 3600)
    assert name not in bill("--since", "1h")
    assert name in bill("--since", "4h")
    assert run(server, "bill", "--since", "yesterday").returncode != 0


# --- where it was when its time was up -----------------------------------------------------------


def timed_out(wolke, client, make_function, files, **kw):
    function = make_function(files, Timeout=1, **kw)
    r = run(wolke, "invoke", function)
    assert r.returncode == 1 and "Task timed out after 1.00 seconds" in r.stdout
    lines = r.stderr.splitlines()
    at = next(i for i, l in enumerate(lines) if "Task timed out" in l)
    end = next(i for i, l in enumerate(lines) if l.startswith("END RequestId"))
    told = lines[at + 1:end]
    assert told and all(l.startswith("[wolke] ") for l in told), r.stderr
    return "\n".join(told)


def test_timeout_python(wolke, client, make_function):
    told = timed_out(wolke, client, make_function, {"app.py": """
def inner():
    while True:
        pass
def handler(event, context):
    inner()
"""})
    assert re.search(r"It was here.*\n.*/var/task/app.py:[34] inner\n.*/var/task/app.py:6 handler", told)
    assert re.search(r"it used \d+\.\d\d s of CPU, and at most \d+ of 128 MB", told)
    assert "held back" in told and "128 MB of memory give it 0.07 of a CPU" in told


def test_timeout_while_waiting_for_a_process(wolke, client, make_function):
    told = timed_out(wolke, client, make_function, {"app.py": """
import subprocess
def handler(event, context):
    subprocess.run(["sleep", "30"])
"""})
    assert "/var/task/app.py:4 handler" in told and "sleep 30" in told and "held back" not in told


def test_timeout_node(wolke, client, make_function):
    node = {"Runtime": "nodejs20.x", "Handler": "index.handler", "MemorySize": 256}
    told = timed_out(wolke, client, make_function, {"index.js": """
exports.handler = () => new Promise((done) => setTimeout(done, 30000));
"""}, **node)
    assert "No JavaScript was running. It waited for: Timeout" in told
    told = timed_out(wolke, client, make_function, {"index.js": """
exports.handler = async () => { for (;;); };
"""}, **node)
    assert "JavaScript was running" in told


def test_timeout_of_a_custom_runtime(wolke, client, make_function):
    told = timed_out(wolke, client, make_function, {"bootstrap": (0o755, """#!/bin/sh
curl -s "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" >/dev/null
sleep 30
""")}, Runtime="provided.al2023", Handler="x")
    assert "sleep 30" in told and "nanosleep" in told


# --- record and replay ---------------------------------------------------------------------------

RECORDED = """
import os
def handler(event, context):
    if event.get("fail"):
        raise ValueError("only in production")
    return {"v": %d, "event": event, "env": os.environ["WORD"], "id": context.aws_request_id,
            "then": "WOLKE_REPLAY_TIME" in os.environ and "replayed"}
"""


def recordings(wolke, function):
    r = run(wolke, "recordings", function)
    assert r.returncode == 0, r.stderr
    return [l.split() for l in r.stdout.splitlines()[1:]]


def test_record_and_replay(wolke, client, make_function):
    functions = client("lambda")
    function = make_function({"app.py": RECORDED % 1}, Environment={"Variables": {"WORD": "then"}})
    assert call(client, function)["v"] == 1
    assert recordings(wolke, function) == []
    assert "being recorded" in run(wolke, "record", function).stdout
    first = call(client, function, {"n": 1})
    call(client, function, {"fail": True})
    listed = eventually(lambda: len(recordings(wolke, function)) == 2 and recordings(wolke, function), "two")
    assert listed[0][0] == first["id"] and listed[1][-1] == "failed"
    assert "no longer" in run(wolke, "record", function, "off").stdout
    call(client, function)
    # The code and the environment have changed since; what ran then runs again.
    functions.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": RECORDED % 2}))
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": {"WORD": "now"}})
    assert call(client, function, {"n": 1})["v"] == 2
    r = run(wolke, "replay", first["id"])
    assert r.returncode == 0, r.stderr
    assert "START RequestId: " + first["id"] in r.stderr
    assert '- ' in r.stdout and re.search(r'^\+ +"then": "replayed"', r.stdout, re.M)
    assert '"v": 1' in r.stdout and '"env": "then"' in r.stdout and '"v": 2' not in r.stdout
    r = run(wolke, "replay", listed[1][0][:13])
    assert "the result" in r.stdout and "only in production" in r.stdout
    assert len(recordings(wolke, function)) == 2
    assert run(wolke, "replay", "zz").returncode == 1


def test_recordings_are_durable_and_bounded(wolke_server, name):
    server = wolke_server()
    role = make_role(server.client("iam"), "r" + name)
    server.client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
        Code={"ZipFile": zip_of({"app.py": "def handler(event, context):\n    return event\n"})})
    run(server, "record", name)
    for n in range(105):
        call(server.client, name, n)
    eventually(lambda: len(recordings(server, name)) == 100, "the bound")
    listed = recordings(server, name)
    server.kill()
    server.start()
    assert recordings(server, name) == listed
    assert "the result is the same:\n104" in run(server, "replay", listed[-1][0]).stdout
    server.client("lambda").delete_function(FunctionName=name)
    assert recordings(server, name) == []


# --- debuggers -----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Inspector:
    """A client of Node.js's inspector, as far as it is needed: a WebSocket with JSON in it."""

    def __init__(self, port):
        listed = json.load(urllib.request.urlopen("http://127.0.0.1:%d/json/list" % port, timeout=PATIENCE_S))
        path = listed[0]["webSocketDebuggerUrl"].split("/", 3)[3]
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.sendall(("GET /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % (path, port)).encode())
        self.file = self.socket.makefile("rb")
        assert b"101" in self.file.readline()
        while self.file.readline().strip():
            pass
        self.n = 0
        self.events = []

    def send(self, method, **params):
        self.n += 1
        data = json.dumps({"id": self.n, "method": method, "params": params}).encode()
        head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else \
            bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(data))
        self.socket.sendall(head + b"\0\0\0\0" + data)
        n = self.n
        return self.wait(lambda m: m.get("id") == n)

    def receive(self):
        head = self.file.read(2)
        n = head[1] & 127
        if n == 126:
            n = struct.unpack(">H", self.file.read(2))[0]
        elif n == 127:
            n = struct.unpack(">Q", self.file.read(8))[0]
        return json.loads(self.file.read(n))

    def wait(self, wanted):
        for m in self.events:
            if wanted(m):
                self.events.remove(m)
                return m
        while True:
            m = self.receive()
            if wanted(m):
                return m
            self.events.append(m)

    def close(self):
        self.file.close()
        self.socket.close()


def later(call_it):
    """Runs it beside the test; .result() has what it returned."""
    return concurrent.futures.ThreadPoolExecutor(1).submit(call_it)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js here")
def test_debug_node(wolke, client, dev, name):
    port = free_port()
    command, directory = dev({"index.js": """
exports.handler = async (event) => {
    const secret = event.n * 2;
    debugger;
    return secret;
};
"""}, "--timeout", "1", "--debug", str(port))
    command.wait_for("Node.js inspector at 127.0.0.1:%d" % port)
    inspector = Inspector(port)
    inspector.send("Debugger.enable")
    answer = later(lambda: call(client, name, {"n": 21}))
    paused = inspector.wait(lambda m: m.get("method") == "Debugger.paused")
    frame = paused["params"]["callFrames"][0]
    assert frame["functionName"] == "exports.handler" and frame["location"]["lineNumber"] == 3
    # Longer than the timeout, which waits.
    time.sleep(1.6)
    value = inspector.send("Debugger.evaluateOnCallFrame", callFrameId=frame["callFrameId"], expression="secret")
    assert value["result"]["result"]["value"] == 42
    inspector.send("Debugger.resume")
    assert answer.result(PATIENCE_S) == 42
    inspector.close()
    # A save, and the same port leads to the new code.
    (directory / "index.js").write_text("exports.handler = async () => 'new';\n")
    eventually(lambda: call(client, name) == "new", "the new code")
    Inspector(port).close()


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js here")
def test_debug_several_and_end(wolke, client, make_function):
    ports = [free_port(), free_port()]
    functions = [make_function({"index.js": "exports.handler = async () => %d;\n" % n}, Runtime="nodejs20.x",
                               Handler="index.handler", MemorySize=256) for n in (1, 2)]
    for f, port in zip(functions, ports):
        r = run(wolke, "debug", f, str(port))
        assert r.returncode == 0 and str(port) in r.stdout, r.stderr
    for n, (f, port) in enumerate(zip(functions, ports), 1):
        inspector = Inspector(port)
        answer = inspector.send("Runtime.evaluate", expression="process.env.AWS_LAMBDA_FUNCTION_NAME")
        assert answer["result"]["result"]["value"] == f
        inspector.close()
        assert call(client, f) == n
    assert run(wolke, "debug", functions[0], str(ports[1])).returncode == 1
    for f in functions:
        assert run(wolke, "debug", f, "off").returncode == 0
        assert call(client, f) in (1, 2)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", ports[1]), 1)


class Dap:
    """A client of the Debug Adapter Protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.file = self.socket.makefile("rb")
        self.n = 0
        self.seen = []

    def post(self, command, **arguments):
        self.n += 1
        data = json.dumps({"seq": self.n, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        return self.n

    def send(self, command, **arguments):
        n = self.post(command, **arguments)
        answer = self.wait(lambda m: m["type"] == "response" and m["request_seq"] == n)
        assert answer["success"], answer
        return answer.get("body")

    def wait(self, wanted):
        for m in self.seen:
            if wanted(m):
                self.seen.remove(m)
                return m
        while True:
            length = int(self.file.readline().split(b":")[1])
            self.file.readline()
            m = json.loads(self.file.read(length))
            if wanted(m):
                return m
            self.seen.append(m)

    def event(self, name):
        return self.wait(lambda m: m["type"] == "event" and m["event"] == name).get("body")


def test_debug_python(wolke, client, dev, name):
    port = free_port()
    command, directory = dev({"app.py": "def handler(event, context):\n    double = event['n'] * 2\n"
                                        "    return double\n"}, "--timeout", "2")
    command.wait_for("serves")
    r = run(wolke, "debug", name, str(port))
    if "cannot be installed" in r.stderr:
        pytest.skip("debugpy is not there, and nothing can be installed: " + r.stderr)
    assert r.returncode == 0, r.stderr
    dap = Dap(port)
    dap.send("initialize", adapterID="test", pathFormat="path")
    attach = dap.post("attach", justMyCode=False, pathMappings=[
        {"localRoot": str(directory), "remoteRoot": "/var/task"}])
    dap.event("initialized")
    points = dap.send("setBreakpoints", source={"path": str(directory / "app.py")}, breakpoints=[{"line": 3}])
    assert points["breakpoints"][0]["verified"]
    dap.send("configurationDone")
    dap.wait(lambda m: m["type"] == "response" and m["request_seq"] == attach)
    answer = later(lambda: call(client, name, {"n": 21}))
    stopped = dap.event("stopped")
    top = dap.send("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
    assert (top["name"], top["line"], top["source"]["path"]) == ("handler", 3, str(directory / "app.py"))
    time.sleep(2.5)
    assert dap.send("evaluate", expression="double", frameId=top["id"])["result"] == "42"
    dap.send("continue", threadId=stopped["threadId"])
    assert answer.result(PATIENCE_S) == 42


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node.js here")
def test_replay_under_the_debugger(wolke, client, make_function, tmp_path):
    port = free_port()
    function = make_function({"index.js": "exports.handler = async (event) => { debugger; return event; };\n"},
                             Runtime="nodejs20.x", Handler="index.handler", MemorySize=256)
    run(wolke, "record", function)
    call(client, function, {"only": "in production"})
    recorded = eventually(lambda: recordings(wolke, function), "the recording")
    command = Command(wolke, tmp_path, "replay", recorded[0][0], "--debug", str(port))

    def attach():
        try:
            return Inspector(port)
        except OSError:
            return None

    inspector = eventually(attach, "the inspector")
    inspector.send("Debugger.enable")
    frame = inspector.wait(lambda m: m.get("method") == "Debugger.paused")["params"]["callFrames"][0]
    value = inspector.send("Debugger.evaluateOnCallFrame", callFrameId=frame["callFrameId"],
                           expression="event.only")
    assert value["result"]["result"]["value"] == "in production"
    inspector.send("Debugger.resume")
    assert command.process.wait(PATIENCE_S) == 0 and "the result is the same" in command.text()
