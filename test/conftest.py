"""Fixtures of all tests in Python: a real server, and real clients that point at it.

    def test_it(client):
        client("sts").get_caller_identity()

`wolke` is one server for all tests of a run: each test uses names of its own. `wolke_server(*args)`
starts another one, for tests that need its own options or that kill it.
"""
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
import zipfile

import boto3
import botocore.config
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("WOLKE", os.path.join(ROOT, "build", "release", "wolke"))
REGION = "us-east-1"
ACCOUNT = "000000000000"
# Sanitizer builds answer later, never wrongly.
PATIENCE_S = float(os.environ.get("WOLKE_TEST_PATIENCE_S", "30"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Wolke:
    """A running server with its data below a directory of its own."""

    def __init__(self, *args, data_dir=None):
        self.args = list(args)
        self.port = free_port()
        self.endpoint = "http://127.0.0.1:%d" % self.port
        self.directory = tempfile.mkdtemp(prefix="wolke-test-")
        self.data_dir = data_dir or os.path.join(self.directory, "data")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        self.start()

    def start(self):
        log = open(self.log_path, "a")
        self.process = subprocess.Popen(
            [PROGRAM, "start", "--port", str(self.port), "--data", self.data_dir, *self.args],
            stdout=log, stderr=log, start_new_session=True)
        log.close()
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.endpoint + "/_wolke/health", timeout=5).read()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("wolke did not start:\n" + self.log())

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    @property
    def secret(self):
        with open(os.path.join(self.data_dir, "root-secret")) as f:
            return f.read().strip()

    def client(self, service, region=REGION, key=ACCOUNT, secret=None, token=None, **kw):
        config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=120)
        if "config" in kw:
            config = config.merge(kw.pop("config"))
        return boto3.client(service, endpoint_url=self.endpoint, region_name=region,
                            aws_access_key_id=key, aws_secret_access_key=secret or self.secret,
                            aws_session_token=token, config=config, **kw)

    def env(self, **more):
        """For command-line tools."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env.update(AWS_ENDPOINT_URL=self.endpoint, AWS_ACCESS_KEY_ID=ACCOUNT,
                   AWS_SECRET_ACCESS_KEY=self.secret, AWS_DEFAULT_REGION=REGION,
                   AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                   AWS_PAGER="", AWS_DISABLE_HOST_PREFIX_INJECTION="true", **more)
        return env

    def advance(self, seconds):
        """Moves the clock of a server started with --clock=manual."""
        body = json.dumps({"advance_ms": int(seconds * 1000)}).encode()
        request = urllib.request.Request(self.endpoint + "/_wolke/clock", data=body, method="POST")
        urllib.request.urlopen(request, timeout=60).read()

    def stop(self):
        """Asks it to end, as an operator would; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self, *args):
        if args:
            self.args = list(args)
        self.stop()
        self.start()

    def close(self):
        code = self.stop()
        problems = [l for l in self.log().splitlines()
                    if "Sanitizer" in l or "runtime error:" in l or "ensure failed" in l]
        shutil.rmtree(self.directory, ignore_errors=True)
        assert not problems, "\n".join(problems)
        assert code == 0, "wolke ended with %d" % code


@pytest.fixture
def api():
    """A Runtime API to try bootstraps against."""
    from runtime_api import RuntimeApi  # of test/runtimes, whose tests alone use this
    with RuntimeApi() as api:
        yield api


@pytest.fixture(scope="session")
def wolke():
    server = Wolke()
    yield server
    server.close()


@pytest.fixture
def wolke_server():
    servers = []

    def start(*args, **kw):
        servers.append(Wolke(*args, **kw))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.close()
        else:
            shutil.rmtree(server.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def client(wolke):
    return wolke.client


@pytest.fixture
def name():
    """A name nobody else uses."""
    return "t" + uuid.uuid4().hex[:12]


def zip_of(files):
    """{"app.py": "source", ...} as the bytes of a zip; a value (mode, source) sets the mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for path, content in files.items():
            mode, content = content if isinstance(content, tuple) else (0o644, content)
            info = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, content)
    return out.getvalue()


TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
LOGS_ONLY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Resource": "arn:aws:logs:*:*:*",
     "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}]})


def make_role(iam, role_name, policy=LOGS_ONLY):
    """An execution role; returns its ARN."""
    role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role_name, PolicyName="policy", PolicyDocument=policy)
    return role


@pytest.fixture(scope="session")
def role(client):
    """An execution role that may write logs, for all tests."""
    return make_role(client("iam"), "test-role-" + uuid.uuid4().hex[:8])


@pytest.fixture
def make_function(client, role, name):
    """make_function({"app.py": "..."}, Runtime="python3.12", Handler="app.handler") -> its name."""
    made = []

    def make(files, **kw):
        function = kw.pop("FunctionName", name + "-%d" % len(made))
        settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": role, **kw}
        client("lambda").create_function(FunctionName=function, Code={"ZipFile": zip_of(files)},
                                         **settings)
        made.append(function)
        return function

    yield make
    for function in made:
        try:
            client("lambda").delete_function(FunctionName=function)
        except client("lambda").exceptions.ResourceNotFoundException:
            pass
