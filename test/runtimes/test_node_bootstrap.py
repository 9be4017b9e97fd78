"""The Node.js bootstrap as a process."""

import glob
import json
import os
import re
import shutil
import subprocess

import pytest
from runtime_api import ROOT

BOOTSTRAP = os.path.join(ROOT, "runtimes", "nodejs", "bootstrap.cjs")


def nodes():
    found = {}
    paths = glob.glob(os.path.expanduser("~/.nvm/versions/node/*/bin/node")) + [shutil.which("node")]
    for path in filter(None, paths):
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        major = int(version[1:].split(".")[0])
        if major >= 18:
            found[major] = path
    return found


@pytest.fixture(params=sorted(nodes()), ids=lambda major: "node%d" % major)
def start(request, api):
    def start(code="", handler="index.handler", files=None, **kw):
        files = {"index.js": code, **(files or {})}
        return api.start([nodes()[request.param], BOOTSTRAP], files, handler, **kw)

    start.major = request.param
    return start


ECHO = "exports.handler = async (event) => event;"
AS_22 = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
AS_24 = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x"}


def test_answers_one_event_after_the_other(start):
    function = start(ECHO)
    for event in ({"key": "välue"}, [1, 2.5, None, True], "text", 0, None):
        report = function.invoke(event)
        assert report.kind == "response" and report.json == event
        assert report.headers["Content-Type"] == "application/json"


def test_large_events_and_answers(start):
    function = start(ECHO)
    event = {"data": "é" * (3 << 20)}
    assert function.invoke(event).json == event
    assert function.invoke({"after": 1}).json == {"after": 1}


def test_prestarted_it_becomes_the_function_it_is_given(start):
    function = start(
        "exports.handler = async (e, c) => [process.env.OWN, process.cwd() ===\n"
        "  require('fs').realpathSync(process.env.LAMBDA_TASK_ROOT), process.env.TZ,\n"
        "  new Date(0).getHours(), c.functionName, Object.keys(process.env).includes('HOME')];",
        env={"OWN": "value", "TZ": "Asia/Tokyo"}, prestart=True)
    assert function.invoke({}).json == ["value", True, "Asia/Tokyo", 9, "tested", False]


def test_prestarted_node_options_count_too(start, api):
    function = start(
        "exports.handler = async () => globalThis.preloaded;", prestart=True,
        files={"first.js": "globalThis.preloaded = 'it is';"},
        env={"NODE_OPTIONS": "--require ./first.js", "AWS_LAMBDA_RUNTIME_API": api.address})
    assert function.invoke({}).json == "it is"
    subprocess.run(["pkill", "-KILL", "-P", str(function.process.pid)], check=True)


def test_context(start):
    function = start(
        "exports.handler = async (e, c) => ({ left: c.getRemainingTimeInMillis(), id: c.awsRequestId,\n"
        "  names: [c.functionName, c.functionVersion, c.invokedFunctionArn, c.memoryLimitInMB,\n"
        "    c.logGroupName, c.logStreamName], client: c.clientContext, identity: c.identity });")
    client = {"custom": {"a": "ü"}, "client": {}, "env": {}}
    request_id = function.send({}, Client_Context=json.dumps(client),
                               Cognito_Identity='{"cognitoIdentityId":"i"}')
    answer = function.report().json
    assert 0 < answer.pop("left") <= 3000
    assert answer == {
        "id": request_id, "client": client, "identity": {"cognitoIdentityId": "i"},
        "names": ["tested", "$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:tested", "128",
                  "/aws/lambda/tested", "2026/01/01/[$LATEST]abc"],
    }


def test_trace_id_is_that_of_the_invocation(start):
    function = start("exports.handler = async () => process.env._X_AMZN_TRACE_ID ?? 'none';")
    assert function.invoke({}, Trace_Id="Root=1-2-3").json == "Root=1-2-3"
    assert function.invoke({}).json == "none"


def test_undefined_is_null(start):
    assert start("exports.handler = async () => {};").invoke({}).body == b"null"


@pytest.mark.parametrize("code", [
    "(e, c, callback) => callback(null, 'done')",
    "(e, c, callback) => { setTimeout(() => callback(null, 'done'), 5); }",
    "(e, c) => { setTimeout(() => c.succeed('done'), 5); }",
    "(e, c) => c.done(null, 'done')",
    "(e, c, callback) => { callback(null, 'done'); callback(null, 'twice'); }",
    "(e, c, callback) => { setInterval(() => {}, 1000); c.callbackWaitsForEmptyEventLoop = false;"
    " callback(null, 'done'); }",
    "() => Promise.resolve('done')",
])
def test_callbacks(start, code):
    function = start("exports.handler = %s;" % code, env=AS_22)
    for _ in range(2):
        report = function.invoke({})
        assert (report.kind, report.json) == ("response", "done")


def test_a_callback_waits_for_the_event_loop(start):
    function = start("exports.handler = (e, c, callback) => {\n"
                     "  setTimeout(() => console.log('late'), 50); callback(null, 1); };", env=AS_22)
    assert function.invoke({}).json == 1
    assert "late" in function.log


def test_without_a_callback_the_answer_is_null(start):
    function = start("exports.handler = (e, c, callback) => 'ignored';", env=AS_22)
    assert function.invoke({}).json is None
    assert function.invoke({}).json is None


@pytest.mark.parametrize("code, error, message", [
    ("(e, c, callback) => callback(new TypeError('no'))", "TypeError", "no"),
    ("(e, c, callback) => callback('text')", "string", "text"),
    ("(e, c) => c.fail()", "string", "handled"),
    ("(e, c, callback) => { throw new RangeError('far'); }", "RangeError", "far"),
])
def test_failing_callbacks(start, code, error, message):
    function = start("exports.handler = %s;" % code, env=AS_22)
    for _ in range(2):
        report = function.invoke({})
        assert report.kind == "error"
        assert (report.json["errorType"], report.json["errorMessage"]) == (error, message)


def test_from_24_on_callbacks_are_refused(start):
    function = start("exports.handler = (e, c, callback) => callback(null, 1);", env=AS_24)
    report = function.report()
    assert report.path.endswith("/init/error")
    assert report.json["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert function.wait() == 129


def test_from_24_on_what_is_returned_is_the_answer(start):
    function = start("exports.handler = (e, c) => ['now', 'done' in c];", env=AS_24)
    assert function.invoke({}).json == ["now", False]


@pytest.mark.parametrize("env", [AS_22, AS_24], ids=["22", "24"])
def test_a_promise_that_is_never_settled(start, env):
    function = start("exports.handler = async () => new Promise(() => {});", env=env)
    for _ in range(2):
        assert function.invoke({}).json["errorType"] == "Runtime.NodeJsExit"


def test_an_exception_is_reported_and_logged(start):
    function = start("exports.handler = async () => {\n  const e = new TypeError('bad\\nluck');\n"
                     "  e.code = 'E1';\n  throw e;\n};")
    request_id = function.send({})
    report = function.report()
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == "TypeError"
    assert report.json["errorType"] == "TypeError" and report.json["errorMessage"] == "bad\nluck"
    assert report.json["trace"][0:2] == ["TypeError: bad", "luck"]
    assert "index.js:2:" in report.json["trace"][2]
    cause = json.loads(report.headers["Lambda-Runtime-Function-XRay-Error-Cause"])
    assert cause["exceptions"][0]["stack"][0]["line"] == 2
    time, logged_id, level, text, details = function.log.rstrip("\n").split("\t")
    assert (logged_id, level, text) == (request_id, "ERROR", "Invoke Error ")
    assert json.loads(details)["code"] == "E1"


@pytest.mark.parametrize("code, error, status", [
    ("setTimeout(() => { throw new Error('late'); }, 1); await new Promise(r => setTimeout(r, 500));",
     "Error", 129),
    ("Promise.reject(new Error('late')); await new Promise(r => setTimeout(r, 500));",
     "Runtime.UnhandledPromiseRejection", 128),
])
def test_what_nobody_catches_ends_the_process(start, code, error, status):
    function = start("exports.handler = async () => { %s };" % code)
    report = function.invoke({})
    assert report.kind == "error" and report.path.endswith("invocation/request-1/error")
    assert report.json["errorType"] == error and "late" in report.json["errorMessage"]
    assert function.wait() == status


@pytest.mark.parametrize("handler, error, message", [
    ("nosuch.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'nosuch'"),
    ("index.nosuch", "Runtime.HandlerNotFound", "index.nosuch is undefined or not exported"),
    ("index.number", "Runtime.HandlerNotFound", "index.number is not a function"),
    ("index", "Runtime.MalformedHandlerName", "Bad handler"),
    ("../index.handler", "Runtime.MalformedHandlerName", "'../index.handler' is not a valid handler "
     "name. Use absolute paths when specifying root directories in handler names."),
])
def test_handlers_that_are_not_there(start, handler, error, message):
    function = start("exports.number = 1;", handler)
    report = function.report()
    assert report.path.endswith("/init/error")
    assert report.json["errorType"] == error
    assert report.json["errorMessage"].split("\n")[0] == message
    assert function.wait() == 129
    assert re.search(r"Z\tundefined\tERROR\tUncaught Exception \t\{\"errorType\":\"" + error,
                     function.log)


def test_a_syntax_error(start):
    report = start("exports.handler = async ( => 1;").report().json
    assert report["errorType"] == "Runtime.UserCodeSyntaxError"
    assert report["errorMessage"].startswith("SyntaxError: ")


def test_an_exception_while_the_module_is_loaded(start):
    report = start("throw new Error('configuration');").report()
    assert report.path.endswith("/init/error") and report.json["errorMessage"] == "configuration"


@pytest.mark.parametrize("handler, files", [
    ("a/b.handler", {"a/b.js": ECHO}),
    ("b.x.y.handler", {"b.js": "exports.x = { y: { handler: async (e) => e } };"}),
    ("m.handler", {"m.mjs": "export const handler = async (e) => e;"}),
    ("m.handler", {"m.mjs": "export default { handler: async (e) => e };"}),
    ("m.handler", {"m.mjs": "const v = await Promise.resolve(1);\n"
                            "export const handler = async (e) => e;"}),
    ("c.handler", {"c.cjs": ECHO}),
    ("t.handler", {"t.js": "export const handler = async (e) => e;",
                   "package.json": '{"type": "module"}'}),
    ("d.handler", {"d/index.js": ECHO}),
    ("pkg.handler", {"node_modules/pkg/index.js": ECHO}),
])
def test_where_handlers_are_looked_for(start, handler, files):
    assert start("", handler, files).invoke({"found": True}).json == {"found": True}


@pytest.mark.parametrize("prestart", [False, True])
def test_layers_are_found_by_node_path(start, tmp_path, prestart):
    (tmp_path / "lib-of-layer.js").write_text("module.exports = 'from the layer';")
    function = start("exports.handler = async () => require('lib-of-layer');",
                     env={"NODE_PATH": str(tmp_path)}, prestart=prestart)
    assert function.invoke({}).json == "from the layer"


def test_console(start):
    function = start("exports.handler = async () => { console.log('a %d', 1, { b: 2 });\n"
                     "  console.warn('two\\nlines é'); console.error('e'); console.debug('d'); };")
    request_id = function.send({})
    function.report()
    lines = [line.split("\t") for line in function.log.split("\n")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0][0])
    assert [line[1:] for line in lines[:-1]] == [
        [request_id, "INFO", "a 1 { b: 2 }"], [request_id, "WARN", "two\rlines é"],
        [request_id, "ERROR", "e"], [request_id, "DEBUG", "d"]]


def test_console_in_json_and_by_level(start):
    function = start(
        "exports.handler = async () => { console.log('unseen'); console.warn({ k: [1] });\n"
        "  console.error('failed: %s', 'x', new TypeError('t')); };",
        env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"})
    request_id = function.send({})
    function.report()
    warning, error = [json.loads(line) for line in function.log.splitlines()]
    assert warning.pop("timestamp").endswith("Z")
    assert warning == {"level": "WARN", "requestId": request_id, "message": {"k": [1]}}
    assert error["message"].startswith("failed: x TypeError: t")
    assert error["errorType"] == "TypeError" and error["stackTrace"][0] == "TypeError: t"


def test_what_cannot_be_written(start):
    function = start("exports.handler = async () => { const o = {}; o.o = o; return o; };")
    assert function.invoke({}).json["errorMessage"] == "Unable to stringify response body"


def test_process_exit_ends_the_process(start):
    function = start("exports.handler = async () => { console.log('last'); process.exit(3); };")
    function.send({})
    assert function.wait() == 3
    assert function.log.endswith("\tlast\n")


def test_streaming(start):
    function = start(
        "exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {\n"
        "  if (event.fail) throw new Error('before');\n"
        "  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });\n"
        "  stream.write('one '); if (event.late) throw new Error('after');\n"
        "  await new Promise(r => setTimeout(r, 5)); stream.end('two'); });")
    for _ in range(2):
        report = function.invoke({})
        assert report.body == b'{"statusCode":201}' + bytes(8) + b"one two"
        assert report.headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
        assert report.headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"
    assert function.invoke({"fail": 1}).json["errorMessage"] == "before"
    report = function.invoke({"late": 1})
    assert report.body.endswith(b"one ")
    assert report.headers["Lambda-Runtime-Function-Error-Type"] == "Error"
    assert function.invoke({}).body.endswith(b"one two")
