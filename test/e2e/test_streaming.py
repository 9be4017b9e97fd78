"""Response streaming: pieces arrive while the function still runs."""
import http.client
import json
import time
import urllib.parse

import pytest


NODE = {"Runtime": "nodejs22.x", "Handler": "index.handler"}
STREAMER = """
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain');
  stream.write('first');
  await sleep(event.pause ?? 0);
  if (event.fail)
    throw new TypeError('half way');
  if (event.exit)
    process.exit(3);
  for (let i = 0; i < (event.blocks ?? 0); i++)
    if (!stream.write(Buffer.alloc(1 << 20, 'x')))
      await new Promise((resolve) => stream.once('drain', resolve));
  stream.write('last');
  stream.end();
});
"""

# AWS's Runtime API with nothing but a socket, as a custom runtime in Python would do it.
CUSTOM = '''#!/usr/bin/env python3
import http.client, json, os, time
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
while True:
    c = http.client.HTTPConnection(api)
    c.request("GET", "/2018-06-01/runtime/invocation/next")
    r = c.getresponse()
    event = json.loads(r.read())
    request = r.getheader("Lambda-Runtime-Aws-Request-Id")
    c = http.client.HTTPConnection(api)
    c.putrequest("POST", "/2018-06-01/runtime/invocation/%s/response" % request)
    c.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    c.putheader("Transfer-Encoding", "chunked")
    c.putheader("Content-Type", "text/event-stream")
    if event.get("fail"):
        c.putheader("Trailer", "Lambda-Runtime-Function-Error-Type")
        c.putheader("Trailer", "Lambda-Runtime-Function-Error-Body")
    c.endheaders()
    for piece in event["pieces"]:
        data = piece.encode()
        c.send(b"%x\\r\\n%s\\r\\n" % (len(data), data))
        time.sleep(event.get("pause", 0))
    if event.get("fail"):
        import base64
        body = base64.b64encode(b'{"errorType":"Own.Error","errorMessage":"no"}').decode()
        c.send(("0\\r\\nLambda-Runtime-Function-Error-Type: Own.Error\\r\\n"
                "Lambda-Runtime-Function-Error-Body: %s\\r\\n\\r\\n" % body).encode())
    else:
        c.send(b"0\\r\\n\\r\\n")
    assert c.getresponse().status == 202
'''


def stream(client, function, event, **kw):
    answer = client("lambda").invoke_with_response_stream(
        FunctionName=function, Payload=json.dumps(event), **kw)
    start, pieces, complete = time.monotonic(), [], None
    for e in answer["EventStream"]:
        if "PayloadChunk" in e:
            pieces.append((time.monotonic() - start, e["PayloadChunk"]["Payload"]))
        else:
            complete = e["InvokeComplete"]
    return pieces, complete, answer


def body(pieces):
    return b"".join(p for _, p in pieces)


def test_the_first_byte_leaves_before_the_function_ends(client, make_function):
    function = make_function({"index.js": STREAMER}, **NODE)
    pieces, complete, answer = stream(client, function, {"pause": 700}, LogType="Tail")
    assert body(pieces) == b"firstlast"
    assert pieces[0][1] == b"first" and pieces[-1][0] - pieces[0][0] > 0.5
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "ErrorCode" not in complete and complete["LogResult"]


def test_more_than_a_plain_answer_may_have(client, make_function):
    function = make_function({"index.js": STREAMER}, Timeout=30, MemorySize=512, **NODE)
    pieces, complete, _ = stream(client, function, {"blocks": 20})
    assert len(body(pieces)) == 20 * (1 << 20) + len("firstlast")
    assert "ErrorCode" not in complete


def test_the_limit_is_200_mib(client, make_function):
    function = make_function({"index.js": STREAMER}, Timeout=60, MemorySize=1769, **NODE)
    pieces, complete, _ = stream(client, function, {"blocks": 200})
    assert len(body(pieces)) <= 200 << 20
    assert complete["ErrorCode"] == "Function.ResponseSizeTooLarge"


def test_errors_on_the_way(client, make_function):
    function = make_function({"index.js": STREAMER}, Timeout=2, **NODE)
    pieces, complete, _ = stream(client, function, {"fail": True})
    assert body(pieces) == b"first"
    assert complete["ErrorCode"] == "TypeError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "half way"
    pieces, complete, _ = stream(client, function, {"exit": True, "pause": 100})
    assert body(pieces) == b"first"
    assert complete["ErrorCode"] == "Runtime.ExitError"
    pieces, complete, _ = stream(client, function, {"pause": 10000})
    assert body(pieces) == b"first"
    assert complete["ErrorCode"] == "Sandbox.Timedout"
    pieces, complete, _ = stream(client, function, {})
    assert body(pieces) == b"firstlast"


def test_functions_that_do_not_stream(client, make_function):
    function = make_function({"app.py": "def handler(e, c):\n  return {'n': e['n'] + 1}\n"})
    pieces, complete, _ = stream(client, function, {"n": 1})
    assert len(pieces) == 1 and json.loads(body(pieces)) == {"n": 2}
    pieces, complete, _ = stream(client, function, {})
    assert not pieces and complete["ErrorCode"] == "KeyError"


def test_plain_invocation_of_a_streaming_function(client, make_function):
    function = make_function({"index.js": STREAMER}, **NODE)
    answer = client("lambda").invoke(FunctionName=function, Payload="{}")
    assert answer["Payload"].read() == b"firstlast" and "FunctionError" not in answer
    answer = client("lambda").invoke(FunctionName=function, Payload='{"fail": true}')
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "TypeError"


def test_custom_runtime_in_python(client, make_function):
    function = make_function({"bootstrap": (0o755, CUSTOM)}, Runtime="provided.al2023",
                             Handler="x")
    pieces, complete, _ = stream(client, function, {"pieces": ["a", "b" * 70000, "c"], "pause": 0.2})
    assert body(pieces) == b"a" + b"b" * 70000 + b"c"
    assert pieces[-1][0] - pieces[0][0] > 0.3
    pieces, complete, _ = stream(client, function, {"pieces": ["a"], "fail": True})
    assert complete["ErrorCode"] == "Own.Error"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no"


def test_throttles_come_before_the_stream(client, make_function):
    function = make_function({"index.js": STREAMER}, **NODE)
    client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(client("lambda").exceptions.TooManyRequestsException):
        stream(client, function, {})
    with pytest.raises(client("lambda").exceptions.InvalidRequestContentException):
        client("lambda").invoke_with_response_stream(FunctionName=function, Payload="{")
    answer = client("lambda").invoke_with_response_stream(
        FunctionName=function, InvocationType="DryRun")
    assert answer["StatusCode"] == 204


PRELUDE = """
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const query = event.queryStringParameters ?? {};
  if (query.early)
    throw new Error('early');
  if (query.plain) {
    stream.setContentType('text/csv');
    stream.write('a,b');
  } else {
    stream = awslambda.HttpResponseStream.from(stream,
      { statusCode: 201, headers: { 'x-own': 'yes', 'content-type': 'text/html' }, cookies: ['a=b'] });
    stream.write('<p>');
  }
  await sleep(500);
  if (query.late)
    throw new Error('late');
  stream.write('</p>');
  stream.end();
});
"""


def test_function_url_streams(client, make_function):
    function = make_function({"index.js": PRELUDE}, **NODE)
    url = client("lambda").create_function_url_config(
        FunctionName=function, AuthType="NONE", InvokeMode="RESPONSE_STREAM")["FunctionUrl"]
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        kind = {"FunctionUrlAuthType": "NONE"} if action.endswith("Url") else {
            "InvokedViaFunctionUrl": True}
        client("lambda").add_permission(FunctionName=function, StatementId=action[-3:],
                                        Action=action, Principal="*", **kind)
    address = urllib.parse.urlsplit(url)

    def get(query):
        c = http.client.HTTPConnection("127.0.0.1", address.port, timeout=30)
        c.request("GET", "/?" + query, headers={"Host": address.netloc})
        return c.getresponse()

    r = get("")
    assert r.status == 201 and r.getheader("x-own") == "yes"
    assert r.getheader("Content-Type") == "text/html" and r.getheader("Set-Cookie") == "a=b"
    start = time.monotonic()
    assert r.read(3) == b"<p>"
    assert r.read() == b"</p>" and time.monotonic() - start > 0.3
    r = get("plain=1")
    assert r.status == 200 and r.getheader("Content-Type") == "text/csv"
    assert r.read() == b"a,b</p>"
    assert get("early=1").status == 502
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        get("late=1").read()
