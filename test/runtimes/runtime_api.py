"""A Runtime API for the tests of the bootstraps: the server's side of the protocol, one process at a
time, in the test's own process."""

import http.server
import json
import os
import queue
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE_S = float(os.environ.get("WOLKE_TEST_PATIENCE_S", "30"))
PREFIX = "/2018-06-01/runtime/"


class Report:
    """What a bootstrap told of an invocation, or of the initialisation."""

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.kind = path.rsplit("/", 1)[1]

    @property
    def json(self):
        return json.loads(self.body)


class RuntimeApi:
    """
    with RuntimeApi() as api:
        function = api.start(["python3", "bootstrap.py"], files, "app.handler")
        function.invoke({"a": 1}).json
    """

    def __init__(self):
        self.invocations = queue.Queue()
        self.reports = queue.Queue()
        self.environment = queue.Queue()
        self.asked = queue.Queue()  # a line for each question for the next invocation
        self.functions = []
        self.count = 0
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                if self.path == "/_wolke/environment":
                    self.answer(200, {}, json.dumps(api.environment.get()).encode())
                    return
                assert self.path == PREFIX + "invocation/next"
                api.asked.put(None)
                item = api.invocations.get()
                if item is None:
                    self.close_connection = True
                    return
                self.answer(200, *item)

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = self.chunks()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path.startswith(PREFIX)
                api.reports.put(Report(self.path, self.headers, body))
                self.answer(202, {}, b'{"status":"OK"}\n')

            def chunks(self):
                body = b""
                while True:
                    n = int(self.rfile.readline(), 16)
                    body += self.rfile.read(n)
                    if n:
                        self.rfile.readline()
                        continue
                    line = self.rfile.readline().decode().strip()
                    while line:
                        name, _, value = line.partition(":")
                        self.headers[name] = value.strip()
                        line = self.rfile.readline().decode().strip()
                    return body

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server.server_port

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        for function in self.functions:
            function.end()
        self.server.shutdown()
        self.server.server_close()

    def start(self, argv, files, handler, env=None, prestart=False):
        function = Function(self, argv, files, handler, env or {}, prestart)
        self.functions.append(function)
        return function


class Function:
    def __init__(self, api, argv, files, handler, env, prestart):
        self.api = api
        self.task = tempfile.TemporaryDirectory(prefix="wolke-test-")
        self.log_path = os.path.join(self.task.name, ".log")
        for name, text in files.items():
            path = os.path.join(self.task.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(path, 0o755)
        own = {
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": self.task.name,
            "AWS_LAMBDA_FUNCTION_NAME": "tested",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]abc",
            "PATH": os.environ["PATH"],
            "TZ": ":UTC",
            **env,
        }
        outer = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": api.address}
        if prestart:
            api.environment.put(own)
        else:
            outer.update(own)
        self.out = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            argv, env=outer, stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL, cwd="/")

    def send(self, event, seconds=3, **headers):
        """Puts an event up for the bootstrap to take; its request id."""
        self.api.count += 1
        request_id = "request-%d" % self.api.count
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.api.invocations.put((
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn":
                    "arn:aws:lambda:us-east-1:000000000000:function:tested",
                **{"Lambda-Runtime-" + k.replace("_", "-"): v for k, v in headers.items()},
            },
            body,
        ))
        return request_id

    def report(self):
        return self.api.reports.get(timeout=PATIENCE_S)

    def invoke(self, event=None, **headers):
        self.send(event, **headers)
        return self.report()

    def wait(self):
        return self.process.wait(timeout=PATIENCE_S)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", newline="") as f:
            return f.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.out.close()
        self.api.invocations.put(None)
        self.task.cleanup()
