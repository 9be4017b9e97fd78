"""What the runtimes carry and how they behave inside a real sandbox."""

import base64
import json
import os

import pytest
from conftest import ROOT

BRIDGE = os.path.join(os.path.dirname(os.environ.get("WOLKE", os.path.join(
    ROOT, "build", "release", "wolke"))), "stdio_bootstrap")


def invoke(client, function, event=None):
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


def test_python_has_boto3_and_its_role(client, make_function):
    # The first environments start by themselves, later ones are forked: all find it.
    for _ in range(4):
        function = make_function({"app.py": (
            "import boto3\n"
            "def handler(event, context):\n"
            "    return [boto3.__file__, boto3.client('sts').get_caller_identity()['Arn']]\n")},
            Runtime="python3.12", Handler="app.handler", Timeout=30)
        (file, arn), _ = invoke(client, function)
        assert file.startswith("/var/runtime/sdk/")
        assert arn.startswith("arn:aws:sts::000000000000:assumed-role/")
        assert arn.endswith("/" + function)


@pytest.mark.parametrize("file, code", [
    ("index.js", "const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');\n"
                 "exports.handler = async () =>\n"
                 "  (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;\n"),
    ("index.mjs", "import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';\n"
                  "export const handler = async () =>\n"
                  "  (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;\n"),
])
def test_node_has_the_sdk_and_its_role(client, make_function, file, code):
    function = make_function({file: code}, Runtime="nodejs20.x", Handler="index.handler", Timeout=30,
                             MemorySize=512)
    arn, _ = invoke(client, function)
    assert arn.endswith("/" + function)


def test_a_python_exception(client, make_function):
    function = make_function({"app.py": (
        "def handler(event, context):\n"
        "    raise ValueError('no luck')\n")}, Runtime="python3.12", Handler="app.handler")
    error, log = invoke(client, function)
    assert error.pop("requestId")
    assert error == {"errorMessage": "no luck", "errorType": "ValueError", "stackTrace": [
        '  File "/var/task/app.py", line 2, in handler\n    raise ValueError(\'no luck\')\n']}
    assert "[ERROR] ValueError: no luck" in log


def test_a_node_exception(client, make_function):
    function = make_function({"index.js": (
        "exports.handler = async () => {\n"
        "  throw new TypeError('no luck');\n"
        "};\n")}, Runtime="nodejs20.x", Handler="index.handler")
    error, log = invoke(client, function)
    assert (error["errorType"], error["errorMessage"]) == ("TypeError", "no luck")
    assert error["trace"][0] == "TypeError: no luck"
    assert error["trace"][1].endswith("(/var/task/index.js:2:9)")
    assert "\tERROR\tInvoke Error \t{" in log


def test_any_program_behind_the_stdio_bridge(client, make_function):
    with open(BRIDGE, "rb") as f:
        bridge = f.read()
    program = "#!/bin/sh\nn=0\nwhile read -r event; do n=$((n + 1)); echo \"saw $event\" >&2\n" \
              "printf '{\"n\": %d, \"event\": %s}\\n' $n \"$event\"; done\n"
    function = make_function({"bootstrap": (0o755, bridge), "count.sh": (0o755, program)},
                             Runtime="provided.al2023", Handler="count.sh")
    for n in 1, 2:
        answer, log = invoke(client, function, {"k": "v"})
        assert answer == {"n": n, "event": {"k": "v"}}
        assert 'saw {"k": "v"}\n' in log
