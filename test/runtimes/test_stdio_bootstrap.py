"""The stdio bridge: programs that read lines and print lines, as functions."""

import os
import subprocess

import pytest
from runtime_api import ROOT

SOURCE = os.path.join(ROOT, "runtimes", "stdio", "bootstrap.c")
ECHO = "#!/bin/sh\nwhile read -r line; do printf '%s\\n' \"$line\"; done\n"


@pytest.fixture(scope="session")
def bridge(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("stdio") / "bootstrap")
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-g", "-fsanitize=address,undefined", "-o",
                    program, SOURCE], check=True)
    return program


@pytest.fixture
def start(api, bridge):
    def start(code, handler="f.sh", files=None, **kw):
        files = {"f.sh": code, **(files or {})}
        return api.start([bridge], files, handler, **kw)
    return start


def test_a_line_in_a_line_out(start):
    function = start(ECHO)
    for event in ({"a": "ü"}, [1], "x", None):
        report = function.invoke(event)
        assert report.kind == "response" and report.json == event


def test_the_program_is_kept(start):
    function = start("#!/bin/sh\nn=0\nwhile read -r line; do n=$((n + 1)); echo $n; done\n")
    assert [function.invoke({}).json for _ in range(3)] == [1, 2, 3]


def test_line_ends_between_the_event_s_tokens(start):
    event = b'{\n  "a": [\r\n    1\n  ],\n  "b": "x\\ny"\n}\n'
    assert start(ECHO).invoke(event).json == {"a": [1], "b": "x\ny"}


def test_large_events_and_answers(start):
    function = start("", "cat")
    event = {"data": "x" * (6 << 20)}
    assert function.invoke(event).json == event
    assert function.invoke({"after": 1}).json == {"after": 1}


def test_arguments_follow_behind_commas(start):
    assert start("", "sed,-u,s/a/b/").invoke("aa").json == "ba"


def test_a_program_of_the_package_comes_before_the_system_s(start):
    function = start("", "cat", files={"cat": "#!/bin/sh\nread -r l; echo '\"own\"'\n"})
    assert function.invoke({}).json == "own"


def test_an_empty_line_is_null(start):
    assert start("#!/bin/sh\nwhile read -r l; do echo; done\n").invoke({}).body == b"null"


def test_the_last_line_may_lack_its_end(start):
    assert start("#!/bin/sh\nread -r l; printf 7\n").invoke({}).json == 7


def test_the_context(start):
    function = start(ECHO, env={"WOLKE_STDIO_CONTEXT": "1"})
    request_id = function.send({"e": 1}, Trace_Id="Root=1", Client_Context='{"custom":{"k":"v"}}')
    line = function.report().json
    assert line["event"] == {"e": 1}
    assert line["context"].pop("deadline_ms") > 1700000000000
    assert line["context"] == {
        "aws_request_id": request_id, "trace_id": "Root=1", "identity": None,
        "invoked_function_arn": "arn:aws:lambda:us-east-1:000000000000:function:tested",
        "client_context": {"custom": {"k": "v"}},
    }


def test_an_answer_that_is_an_error(start):
    function = start("#!/bin/sh\nwhile read -r l; do echo "
                     "'{\"errorMessage\": \"say \\\"no\\\"\", \"errorType\": \"Refused\"}'; done\n")
    report = function.invoke({})
    assert report.kind == "error"
    assert report.json == {"errorMessage": 'say "no"', "errorType": "Refused"}
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == "Refused"
    assert "[ERROR] Refused: say" in function.log


@pytest.mark.parametrize("answer", [
    {"deeper": {"errorType": "x", "errorMessage": "y"}},
    [{"errorType": "x", "errorMessage": "y"}],
    {"errorType": "only"},
    {"errorType": 1, "errorMessage": "y"},
    {"k": "errorType", "v": "errorMessage"},
    {"k\"}": "{\\", "errorMessage": "y"},
])
def test_answers_that_are_none(start, answer):
    report = start(ECHO).invoke(answer)
    assert report.kind == "response" and report.json == answer


def test_a_program_that_ends_has_failed_and_is_started_again(start):
    function = start("#!/bin/sh\nread -r line\n[ \"$line\" = 1 ] && exit 3\n"
                     "[ \"$line\" = 2 ] && kill -9 $$\necho \"$line\"\n")
    report = function.invoke(1)
    assert report.kind == "error" and report.json["errorType"] == "Runtime.ExitError"
    assert report.json["errorMessage"] == \
        "RequestId: request-1 Error: The program ended without an answer: exit status 3"
    assert function.invoke(2).json["errorMessage"].endswith("signal: Killed")
    for _ in range(20):  # one event for each process
        assert function.invoke(4).json == 4


def test_output_that_answers_nothing_is_logged(start):
    function = start("#!/bin/sh\nwhile read -r l; do echo 1; echo stray; done\n")
    assert function.invoke({}).json == 1
    # The bridge asks for the next event at once; the line is there when that comes.
    for _ in range(5):
        assert function.invoke({}).json in (1, "stray")
    assert "output that answers no event: stray" in function.log


def test_an_event_that_is_not_read_does_not_reach_the_next_answer(start):
    function = start("#!/bin/sh\nread -r -n 1 l || true\necho '\"early\"'\nexec cat\n", "bash,f.sh")
    assert function.invoke("x" * (4 << 20)).json == "early"
    assert function.invoke({}).kind == "response"


def test_standard_error_is_the_log(start):
    function = start("#!/bin/sh\nwhile read -r l; do echo \"saw $l\" >&2; echo 1; done\n")
    function.invoke({"a": 1})
    assert function.log == 'saw {"a": 1}\n'


def test_the_program_sees_the_environment_and_the_package(start):
    function = start("#!/bin/sh\nread -r l; echo \"\\\"$OWN $(ls f.sh)\\\"\"\n", env={"OWN": "value"})
    assert function.invoke({}).json == "value f.sh"


def test_a_program_that_is_not_there(start):
    function = start("", "nosuch")
    report = function.report()
    assert report.path.endswith("/init/error")
    assert report.json == {"errorType": "Runtime.InvalidEntrypoint",
                           "errorMessage": "Cannot run nosuch: No such file or directory"}
    assert function.wait() == 1
