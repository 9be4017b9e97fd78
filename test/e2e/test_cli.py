"""The command line: what it prints, what it says when something is wrong, and its exit codes."""
import json
import os
import re
import socket
import subprocess
import time
import uuid

import pytest
from conftest import ACCOUNT, PATIENCE_S, PROGRAM, free_port, make_role, zip_of

COMMANDS = ("start", "status", "invoke", "logs", "functions", "runtimes", "cert", "env")


def run(*args, code=0, env=None, stdin=None):
    """(standard output, standard error) of wolke with these arguments."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WOLKE"))}
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=PATIENCE_S * 2,
                          env={**clean, **(env or {})}, input=stdin)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def at(wolke):
    return ("--port", str(wolke.port), "--data", wolke.data_dir)


@pytest.fixture
def function(client, role, name):
    client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
        Code={"ZipFile": zip_of({"app.py": """
def handler(event, context):
    print("saw", event)
    if event == "fail":
        raise ValueError("as asked")
    return {"got": event}
"""})})
    yield name
    client("lambda").delete_function(FunctionName=name)


# ---- help ----

def test_help():
    for arguments in ((), ("help",), ("--help",), ("-h",)):
        out, _ = run(*arguments)
        for command in COMMANDS:
            assert "wolke " + command in out
        assert "--port" in out and "--iam" in out


@pytest.mark.parametrize("command", COMMANDS + ("version",))
def test_help_of_each(command):
    for flag in ("--help", "-h"):
        out, err = run(command, flag)
        assert out.startswith("wolke " + command) and not err


def test_version():
    for arguments in (("version",), ("--version",)):
        assert re.fullmatch(r"wolke \d+\.\d+\.\d+\n", run(*arguments)[0])


# ---- what is wrong ----

@pytest.mark.parametrize("arguments, said", [
    (("strat",), "no command strat"),
    (("start", "--prot", "1"), "no option --prot"),
    (("start", "--port"), "--port takes a value"),
    (("start", "--port", "many"), "--port takes a number"),
    (("start", "--port", "-1"), "--port takes a number"),
    (("start", "--port", "65536"), "--port takes a number"),
    (("start", "--iam", "maybe"), "--iam takes warn|enforce|off"),
    (("start", "--iam=maybe"), "--iam takes warn|enforce|off"),
    (("start", "--clock", "sundial"), "--clock takes system|manual"),
    (("start", "--access-log=yes"), "--access-log takes no value"),
    (("start", "now"), "start takes no"),
    (("status", "now"), "status takes no"),
    (("invoke",), "which function?"),
    (("logs",), "whose?"),
    (("invoke", "a", "b", "c"), "invoke takes no c"),
    (("start", "--account", "12"), "--account takes"),
])
def test_bad_arguments(arguments, said):
    out, err = run(*arguments, code=2)
    assert said in err and err.startswith("wolke: ") and not out


def test_nobody_answers(tmp_path):
    port = str(free_port())
    for arguments in (("status",), ("functions",), ("invoke", "f"), ("logs", "f")):
        _, err = run(*arguments, "--port", port, "--data", str(tmp_path), code=1)
        assert "nothing answers at http://127.0.0.1:" + port in err and "wolke start" in err


def test_port_taken(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = str(s.getsockname()[1])
        _, err = run("start", "--port", port, "--data", str(tmp_path / "d"), code=1)
    assert "port " + port in err and "in use" in err


def test_host_that_is_none(tmp_path):
    _, err = run("start", "--host", "not-an-address", "--port", str(free_port()), "--data",
                 str(tmp_path / "d"), code=1)
    assert "not-an-address" in err


def test_data_in_use(wolke):
    _, err = run("start", "--port", str(free_port()), "--data", wolke.data_dir, code=1)
    assert "another wolke" in err


def test_data_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    _, err = run("start", "--port", str(free_port()), "--data", str(tmp_path / "file" / "d"), code=1)
    assert str(tmp_path / "file") in err


# ---- a running server ----

def test_status(wolke, at):
    out, _ = run("status", *at)
    assert re.search(r"running, version [\d.]+, at http://127\.0\.0\.1:%d, \d+ environments"
                     % wolke.port, out)


def test_invoke(at, function, tmp_path):
    out, err = run("invoke", function, '{"a": 1}', *at)
    assert json.loads(out) == {"got": {"a": 1}}
    assert "START RequestId" in err and "saw {'a': 1}" in err and "REPORT RequestId" in err
    assert json.loads(run("invoke", function, *at)[0]) == {"got": {}}
    (tmp_path / "event").write_text('"from a file"')
    assert json.loads(run("invoke", function, "@%s" % (tmp_path / "event"), *at)[0]) == {
        "got": "from a file"}
    assert json.loads(run("invoke", function, "-", *at, stdin='"piped"')[0]) == {"got": "piped"}


def test_invoke_that_fails(at, function):
    out, err = run("invoke", function, '"fail"', *at, code=1)
    assert json.loads(out)["errorType"] == "ValueError" and "as asked" in err
    _, err = run("invoke", "no-such-function", *at, code=1)
    assert "404" in err and "Function not found" in err
    _, err = run("invoke", function, "@/no/such/file", *at, code=1)
    assert "cannot read" in err
    _, err = run("invoke", function, "{", *at, code=1)
    assert "400" in err


def test_logs(at, function):
    run("invoke", function, '"first"', *at)

    def has(text):  # its lines come a moment later
        return text in subprocess.run([PROGRAM, "logs", function, *at], capture_output=True,
                                      text=True, check=False).stdout
    wait_until(lambda: has("saw first"))
    assert has("START RequestId") and has("REPORT RequestId")
    follower = subprocess.Popen([PROGRAM, "logs", "-f", function, *at], stdout=subprocess.PIPE,
                                text=True)
    try:
        run("invoke", function, '"second"', *at)
        seen = ""
        while "saw second" not in seen:
            line = follower.stdout.readline()
            assert line
            seen += line
        assert seen.count("saw first") == 1
    finally:
        follower.terminate()
        follower.wait()
        follower.stdout.close()


def wait_until(true):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_logs_of_nobody(at):
    _, err = run("logs", "no-such-function", *at, code=1)
    assert "log group does not exist" in err


def test_functions(at, function):
    run("invoke", function, *at)
    line, = [l for l in run("functions", *at)[0].splitlines() if l.startswith(function)]
    assert line.split() == [function, "python3.12", "128", "3s", "1"]


def test_functions_are_all_listed(wolke_server):
    """AWS lists fifty at a time."""
    server = wolke_server()
    role = make_role(server.client("iam"), "r")
    for i in range(55):
        server.client("lambda").create_function(
            FunctionName="f%02d" % i, Runtime="provided.al2023", Handler="h", Role=role,
            Code={"ZipFile": zip_of({"bootstrap": "x"})})
    out, _ = run("functions", "--port", str(server.port), "--data", server.data_dir)
    assert [l.split()[0] for l in out.splitlines()[1:]] == ["f%02d" % i for i in range(55)]


def test_runtimes():
    out, _ = run("runtimes")
    for runtime in ("python3.12", "nodejs22.x", "provided.al2023"):
        assert runtime in out


def test_cert(tmp_path):
    path = run("cert", "--data", str(tmp_path))[0].strip()
    with open(path) as f:
        first = f.read()
    assert first.startswith("-----BEGIN CERTIFICATE-----")
    assert run("cert", "--data", str(tmp_path))[0].strip() == path
    with open(path) as f:
        assert f.read() == first


def test_env(wolke, at):
    lines, _ = run("env", *at)
    script = lines + '\nexec "$@"'
    shown = subprocess.run(["sh", "-c", script, "sh", "env"], capture_output=True, text=True,
                           check=True).stdout
    env = dict(line.split("=", 1) for line in shown.splitlines() if line.startswith("AWS_"))
    assert env["AWS_ENDPOINT_URL"] == wolke.endpoint
    assert env["AWS_ACCESS_KEY_ID"] == ACCOUNT
    assert env["AWS_SECRET_ACCESS_KEY"] == wolke.secret
    assert env["AWS_DEFAULT_REGION"] == "us-east-1"
    assert env["AWS_DISABLE_HOST_PREFIX_INJECTION"] == "true"
    # With it, this command line needs no options, and AWS's own works.
    assert "running" in run("status", env=env)[0]
    answer = subprocess.run(["aws", "sts", "get-caller-identity"], capture_output=True, text=True,
                            env={**os.environ, **env, "AWS_CONFIG_FILE": os.devnull}, check=True)
    assert json.loads(answer.stdout)["Account"] == ACCOUNT


def test_env_of_another_account_and_region(tmp_path):
    out, _ = run("env", "--data", str(tmp_path), "--account", "123456789012", "--region",
                 "eu-central-1", "--host", "127.0.0.1", "--port", "9999")
    assert "AWS_ACCESS_KEY_ID=123456789012\n" in out
    assert "AWS_DEFAULT_REGION=eu-central-1\n" in out
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:9999\n" in out


def test_environment_variables(wolke, tmp_path):
    out, _ = run("env", env={"WOLKE_DATA": wolke.data_dir})
    assert "AWS_SECRET_ACCESS_KEY=%s\n" % wolke.secret in out
    assert str(tmp_path) in run("cert", env={"WOLKE_DATA": str(tmp_path)})[0]


def test_names_of_functions_are_data(at):
    _, err = run("invoke", "../x?y=%s#" % uuid.uuid4(), *at, code=1)
    assert "400" in err or "404" in err
