"""The Python bootstrap as a process, with every Python of this machine."""

import glob
import json
import os
import re
import shutil

import pytest
from runtime_api import ROOT

BOOTSTRAP = os.path.join(ROOT, "runtimes", "python", "bootstrap.py")


def pythons():
    found = {}
    homes = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin")) + ["/usr/bin", "/usr/local/bin"]
    for path in sorted(p for home in homes for p in glob.glob(home + "/python3.*")):
        minor = re.fullmatch(r".*/python3\.(\d+)", path)
        if minor and int(minor.group(1)) >= 9:
            found.setdefault(int(minor.group(1)), path)
    return [found[minor] for minor in sorted(found)] or [shutil.which("python3")]


@pytest.fixture(params=pythons(), ids=os.path.basename)
def start(request, api):
    def start(code, handler="app.handler", files=None, **kw):
        files = {"app.py": code, **(files or {})}
        return api.start([request.param, BOOTSTRAP], files, handler, **kw)

    start.minor = int(request.param.rsplit(".", 1)[1])
    return start


ECHO = "def handler(event, context):\n    return event\n"


def test_answers_one_event_after_the_other(start):
    function = start(ECHO)
    for event in ({"key": "välue"}, [1, 2.5, None, True], "text", 0, None):
        report = function.invoke(event)
        assert report.kind == "response"
        assert report.json == event
        assert report.headers["Content-Type"] == "application/json"


def test_large_events_and_answers(start):
    function = start(ECHO)
    event = {"data": "x" * (6 << 20)}
    assert function.invoke(event).json == event
    assert function.invoke({"after": 1}).json == {"after": 1}


def test_prestarted_it_becomes_the_function_it_is_given(start):
    function = start(
        "import os, sys, time\n"
        "def handler(event, context):\n"
        "    return [os.environ['OWN'], os.getcwd() == os.environ['LAMBDA_TASK_ROOT'],\n"
        "            sys.path[0] == os.getcwd(), time.tzname[0], 'PATH' in os.environ,\n"
        "            context.function_name]\n",
        env={"OWN": "value", "TZ": "Asia/Tokyo"}, prestart=True)
    assert function.invoke({}).json == ["value", True, True, "JST", True, "tested"]


def test_context(start):
    function = start(
        "def handler(event, context):\n"
        "    c = context\n"
        "    return {'left': 0 < c.get_remaining_time_in_millis() <= 3000,\n"
        "      'names': [c.function_name, c.function_version, c.invoked_function_arn,\n"
        "                c.memory_limit_in_mb, c.log_group_name, c.log_stream_name],\n"
        "      'id': c.aws_request_id, 'custom': c.client_context.custom,\n"
        "      'app': c.client_context.client.app_title, 'env': c.client_context.env,\n"
        "      'identity': [c.identity.cognito_identity_id, c.identity.cognito_identity_pool_id]}\n")
    client = {"custom": {"a": "ü"}, "client": {"app_title": "T"}, "env": {"e": "1"}}
    request_id = function.send(
        {}, Client_Context=json.dumps(client),
        Cognito_Identity='{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}')
    assert function.report().json == {
        "left": True,
        "names": ["tested", "$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:tested", "128",
                  "/aws/lambda/tested", "2026/01/01/[$LATEST]abc"],
        "id": request_id, "custom": {"a": "ü"}, "app": "T", "env": {"e": "1"}, "identity": ["i", "p"],
    }


def test_context_without_client_and_identity(start):
    function = start(
        "def handler(event, context):\n"
        "    return [context.client_context, context.identity.cognito_identity_id]\n")
    assert function.invoke({}).json == [None, None]


def test_trace_id_is_that_of_the_invocation(start):
    function = start("import os\ndef handler(e, c):\n    return os.environ.get('_X_AMZN_TRACE_ID')\n")
    assert function.invoke({}, Trace_Id="Root=1-2-3").json == "Root=1-2-3"
    assert function.invoke({}).json is None


def test_an_exception_is_reported_and_logged(start):
    function = start("def handler(event, context):\n    deeper()\n\n\n"
                     "def deeper():\n    raise ValueError('bad\\nluck')\n")
    request_id = function.send({})
    report = function.report()
    assert report.kind == "error"
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == "ValueError"
    assert report.json["errorMessage"] == "bad\nluck"
    assert report.json["errorType"] == "ValueError"
    assert report.json["requestId"] == request_id
    stack = report.json["stackTrace"]
    assert len(stack) == 2
    assert re.fullmatch(r'  File ".*/app.py", line 2, in handler\n    deeper\(\)\n', stack[0])
    cause = json.loads(report.headers["Lambda-Runtime-Function-XRay-Error-Cause"])
    assert cause["exceptions"][0]["type"] == "ValueError"
    lines = function.log.splitlines()
    assert lines[0] == "[ERROR] ValueError: bad" and lines[1] == "luck"
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[3].startswith('\u00a0\u00a0File "')
    assert function.log.count("\n") == 1, "one event of the log"
    assert function.invoke({}).kind == "error", "it goes on"


@pytest.mark.parametrize("handler, error, message", [
    ("nosuch.handler", "Runtime.ImportModuleError",
     "Unable to import module 'nosuch': No module named 'nosuch'"),
    ("app.nosuch", "Runtime.HandlerNotFound", "Handler 'nosuch' missing on module 'app'"),
    ("handler", "Runtime.MalformedHandlerName",
     "Bad handler 'handler': not enough values to unpack (expected 2, got 1)"),
    ("sys.exit", "Runtime.BuiltInModuleConflict",
     "Cannot use built-in module sys as a handler module"),
])
def test_handlers_that_are_not_there(start, handler, error, message):
    function = start(ECHO, handler)
    report = function.report()
    assert report.path.endswith("/init/error")
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == error
    assert report.json == {"errorMessage": message, "errorType": error, "requestId": "",
                           "stackTrace": []}
    assert function.wait() == 1
    assert "[ERROR] %s: %s" % (error, message) in function.log


def test_a_syntax_error(start):
    function = start("def handler(event, context)\n    return 1\n")
    report = function.report().json
    assert report["errorType"] == "Runtime.UserCodeSyntaxError"
    assert report["errorMessage"].startswith("Syntax error in module 'app': ")
    assert 'app.py" Line 1\n' in report["stackTrace"][0]


def test_an_exception_while_the_module_is_loaded(start):
    function = start("raise KeyError('configuration')\n")
    report = function.report()
    assert report.path.endswith("/init/error")
    assert report.json["errorType"] == "KeyError"
    assert function.wait() == 1


def test_a_handler_in_a_folder(start):
    function = start("", "a/b.c.handler", files={"a/__init__.py": "", "a/b/__init__.py": "",
                                                 "a/b/c.py": ECHO})
    assert function.invoke(7).json == 7


def test_decimal_bytes_and_other_alphabets(start):
    function = start(
        "from decimal import Decimal\n"
        "def handler(event, context):\n"
        "    return {'d': [Decimal('1.10'), Decimal('12345678901234567890.123456789')],\n"
        "            'b': b'bytes', 't': (1, 2), 'u': 'é☺'}\n")
    body = function.invoke({}).body.decode()
    assert '"d": [1.10, 12345678901234567890.123456789]' in body
    assert json.loads(body)["b"] == "bytes" and json.loads(body)["t"] == [1, 2]
    assert ('"é☺"' in body) == (start.minor >= 12)
    assert json.loads(body)["u"] == "é☺"


def test_the_function_s_runtime_decides_how_it_is_written(start):
    function = start("def handler(e, c):\n    return 'é'\n",
                     env={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12"})
    assert function.invoke({}).body == '"é"'.encode()


def test_what_cannot_be_written(start):
    function = start("def handler(event, context):\n    return {1, 2}\n")
    report = function.invoke({}).json
    assert report["errorType"] == "Runtime.MarshalError"
    assert report["errorMessage"] == \
        "Unable to marshal response: Object of type set is not JSON serializable"


def test_an_event_that_is_not_json(start):
    report = start(ECHO).invoke(b"{not json").json
    assert report["errorType"] == "Runtime.UnmarshalError"
    assert report["errorMessage"].startswith("Unable to unmarshal input: ")


def test_logging(start):
    function = start(
        "import logging\n"
        "logging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n"
        "    logging.getLogger('own').info('two\\nlines é')\n"
        "    logging.debug('unseen')\n"
        "    print('printed')\n"
        "    context.log('by context\\n')\n")
    request_id = function.send({})
    function.report()
    lines = function.log.split("\n")
    assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t" + request_id +
                        "\ttwo\rlines é", lines[0])
    assert lines[1:] == ["printed", "by context", ""]


def test_json_logging(start):
    function = start(
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.info('hello %s', 'there', extra={'own': {'k': 1}})\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError:\n"
        "        logging.exception('divided')\n"
        "    raise RuntimeError('end')\n",
        env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"})
    request_id = function.send({})
    function.report()
    info, error, end = [json.loads(line) for line in function.log.splitlines()]
    assert info.pop("timestamp").endswith("Z")
    assert info == {"level": "INFO", "message": "hello there", "logger": "root",
                    "requestId": request_id, "own": {"k": 1}}
    assert error["errorType"] == "ZeroDivisionError" and error["message"] == "divided"
    assert error["location"].endswith("app.py:handler:7") and len(error["stackTrace"]) == 1
    assert end["level"] == "ERROR" and end["errorType"] == "RuntimeError"
    assert end["requestId"] == request_id


def test_sys_exit_ends_the_process(start):
    function = start("import sys\ndef handler(event, context):\n    sys.exit(3)\n")
    function.send({})
    assert function.wait() == 3


def test_print_is_out_before_a_crash(start):
    function = start("import os\ndef handler(event, context):\n    print('last words')\n    os._exit(9)\n")
    function.send({})
    assert function.wait() == 9
    assert function.log == "last words\n"


def test_the_host_s_packages_are_not_there(start):
    function = start(
        "import sys\ndef handler(event, context):\n"
        "    return [p for p in sys.path if p.endswith(('site-packages', 'dist-packages'))]\n")
    paths = function.invoke({}).json
    assert paths == ["/opt/python/lib/python3.%d/site-packages" % start.minor]


def test_a_handler_s_module_may_be_called_bootstrap(start):
    function = start("", "bootstrap.handler", files={"bootstrap.py": ECHO})
    assert function.invoke("mine").json == "mine"


@pytest.mark.parametrize("python", pythons(), ids=os.path.basename)
def test_forked_from_a_preloaded_process(python, api):
    """As a zygote does it; what is preloaded starts no thread."""
    code = ("import os, sys, threading; sys.path.insert(0, %r); import bootstrap\n"
            "assert threading.active_count() == 1\n"
            "pid = os.fork()\n"
            "if pid == 0: bootstrap.main()\n"
            "os.waitpid(pid, 0)\n" % os.path.dirname(BOOTSTRAP))
    app = "import os, sys\ndef handler(e, c):\n    sys.exit(0) if e == 'end' else None\n    return e\n"
    function = api.start([python, "-c", code], {"app.py": app}, "app.handler", prestart=True)
    assert function.invoke({"forked": True}).json == {"forked": True}
    function.send("end")
    assert function.wait() == 0
