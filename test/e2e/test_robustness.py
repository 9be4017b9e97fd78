"""What no well-behaved client sends: it gets AWS's error, changes nothing, and harms nobody else."""
import datetime
import hashlib
import http.client
import io
import json
import os
import re
import resource
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
import uuid
import zipfile

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from conftest import ACCOUNT, PATIENCE_S, PROGRAM, REGION, Wolke, make_role, zip_of


@pytest.fixture(scope="module")
def server():
    running = Wolke("--iam", "enforce", "--access-log")
    yield running
    running.close()


class Raw:
    """A connection that says exactly what it is told."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def status_line(self):
        return self.file.readline().decode("latin-1").rstrip("\r\n")

    def answer(self, head=False):
        """(status, headers, body), or None when the server has hung up."""
        try:
            line = self.status_line()
        except ConnectionError:
            return None
        if not line:
            return None
        headers = {}
        while True:
            field = self.file.readline().decode("latin-1").rstrip("\r\n")
            if not field:
                break
            name, value = field.split(":", 1)
            headers[name.lower()] = value.strip()
        if head:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self.chunks()
        elif "content-length" in headers:
            body = self.file.read(int(headers["content-length"]))
        else:
            body = self.file.read()
        return int(line.split()[1]), headers, body

    def chunks(self):
        body = b""
        while True:
            n = int(self.file.readline().split(b";")[0], 16)
            body += self.file.read(n)
            self.file.readline()
            if n == 0:
                return body

    def hung_up(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def say(server, data):
    with Raw(server) as c:
        c.send(data)
        return c.answer()


HEALTH = "GET /_wolke/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def lives(server):
    assert server.process.poll() is None
    return say(server, HEALTH)[0] == 200


# ---- HTTP ----

@pytest.mark.parametrize("request_, status", [
    ("\x00\x01\x02\x03\r\n\r\n", 400),
    ("GET\r\n\r\n", 400),
    ("GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nname without colon\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nName : space\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nA: b\x00c\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n folded\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    ("GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nxx", 400),
    ("GET /" + "a" * 70000 + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: h\r\nA: " + "a" * 70000 + "\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: h\r\n" + "".join("A%d: b\r\n" % i for i in range(3000)) + "\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: h\r\n" + "A:\r\n" * 201 + "\r\n", 431),
], ids=lambda v: repr(v[:40]) if isinstance(v, str) else str(v))
def test_malformed_http(server, request_, status):
    with Raw(server) as c:
        c.send(request_)
        got = c.answer()
        assert got is not None and got[0] == status
        assert got[1]["connection"] == "close" and c.hung_up()
    assert lives(server)


SIGNED_CALL = ("sts", "POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15",
               {"Content-Type": "application/x-www-form-urlencoded"})


def signed(server, service, method, path, body=b"", headers=None, secret=None, key=ACCOUNT):
    """The headers that a signed request has, as a dict."""
    request = botocore.awsrequest.AWSRequest(
        method, server.endpoint + path, data=body, headers=dict(headers or {}))
    credentials = botocore.credentials.Credentials(key, secret or server.secret)
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    request.context["payload_signing_enabled"] = True
    signer(credentials, service, REGION).add_auth(request)
    got = dict(request.headers.items())
    got["Host"] = "127.0.0.1:%d" % server.port
    return got


def head_of(method, target, headers, version="1.1"):
    return "%s %s HTTP/%s\r\n%s\r\n" % (
        method, target, version, "".join("%s: %s\r\n" % h for h in headers.items()))


def call(server, service, method, path, body=b"", headers=None, change=None, **kw):
    """Signs, lets `change` break the headers, sends; (status, headers, body)."""
    got = signed(server, service, method, path, body, headers, **kw)
    if change:
        change(got)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, got)
        answer = connection.getresponse()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_pipelining(server):
    service, method, path, body, headers = SIGNED_CALL
    headers = signed(server, service, method, path, body, headers)
    headers["Content-Length"] = len(body)
    one = head_of(method, path, headers).encode() + body
    with Raw(server) as c:
        c.send(one * 20 + HEALTH.encode())
        for _ in range(20):
            assert c.answer()[0] == 200
        assert json.loads(c.answer()[2])["status"] == "running"


def test_chunked_request(server):
    service, method, path, body, headers = SIGNED_CALL
    headers = signed(server, service, method, path, body, headers)
    headers["Transfer-Encoding"] = "chunked"
    with Raw(server) as c:
        for size in (1, 7, 1000):
            c.send(head_of(method, path, headers))
            for at in range(0, len(body), size):
                piece = body[at:at + size]
                c.send(b"%x;extension=1\r\n%s\r\n" % (len(piece), piece))
            c.send("0\r\nTrailer: dropped\r\n\r\n")
            got = c.answer()
            assert got[0] == 200 and b"GetCallerIdentityResult" in got[2]


@pytest.mark.parametrize("chunks", [b"zz\r\nab\r\n0\r\n\r\n", b"2\r\nabcd\r\n0\r\n\r\n",
                                    b"ffffffffffffffffffff\r\n", b"-1\r\n"])
def test_malformed_chunks(server, chunks):
    service, method, path, body, headers = SIGNED_CALL
    headers = signed(server, service, method, path, body, headers)
    headers["Transfer-Encoding"] = "chunked"
    with Raw(server) as c:
        c.send(head_of(method, path, headers).encode() + chunks)
        assert c.answer()[0] == 400
        assert c.hung_up()
    assert lives(server)


def test_large_head_with_chunks(server):
    """The head may fill its buffer to the last byte: there is room for the chunks all the same."""
    service, method, path, body, headers = SIGNED_CALL
    for size in (16384, 16383, 32768, 65536):
        fresh = signed(server, service, method, path, body, headers)
        fresh["Transfer-Encoding"] = "chunked"
        fresh["Padding"] = ""
        fresh["Padding"] = "x" * (size - len(head_of(method, path, fresh)))
        with Raw(server) as c:
            c.send(head_of(method, path, fresh))
            time.sleep(0.05)
            c.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            assert c.answer()[0] == 200, size


def test_chunked_answer(server, name):
    """A log event stream has no length: HTTP/1.1 gets it in chunks."""
    logs = server.client("logs", config=Config(inject_host_prefix=False))
    logs.create_log_group(logGroupName=name)
    arn = "arn:aws:logs:%s:%s:log-group:%s" % (REGION, ACCOUNT, name)
    body = json.dumps({"logGroupIdentifiers": [arn]}).encode()
    headers = signed(server, "logs", "POST", "/", body, {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "Logs_20140328.StartLiveTail"})
    headers["Content-Length"] = len(body)
    with Raw(server) as c:
        c.send(head_of("POST", "/", headers).encode() + body)
        assert c.status_line() == "HTTP/1.1 200 OK"
        fields = []
        while (field := c.file.readline()) != b"\r\n":
            fields.append(field.lower().strip())
        assert b"transfer-encoding: chunked" in fields
        seen = b""
        while b"sessionStart" not in seen:
            seen += c.file.read(int(c.file.readline(), 16))
            assert c.file.readline() == b"\r\n"
    assert lives(server)


def test_expect_continue(server):
    service, method, path, body, headers = SIGNED_CALL
    headers = signed(server, service, method, path, body, headers)
    headers.update({"Expect": "100-continue", "Content-Length": len(body)})
    with Raw(server) as c:
        c.send(head_of(method, path, headers))
        assert c.status_line() == "HTTP/1.1 100 Continue" and c.status_line() == ""
        c.send(body)
        assert c.answer()[0] == 200
        c.send(HEALTH)
        assert c.answer()[0] == 200


def test_expect_continue_of_what_is_refused(server):
    """Nobody is asked for a body that will not be used."""
    headers = signed(server, "s3", "PUT", "/no-such-bucket-%s/k" % uuid.uuid4().hex, b"")
    headers.update({"Expect": "100-continue", "Content-Length": 5 << 30})
    with Raw(server) as c:
        c.send(head_of("PUT", "/no-such-bucket/k", headers))
        assert c.answer()[0] == 403


def test_http_1_0(server):
    for connection, stays in (("", False), ("Connection: keep-alive\r\n", True)):
        with Raw(server) as c:
            c.send("GET /_wolke/health HTTP/1.0\r\n%s\r\n" % connection)
            status, headers, body = c.answer()
            assert status == 200 and json.loads(body)["status"] == "running"
            assert "transfer-encoding" not in headers
            if stays:
                c.send(HEALTH)
                assert c.answer()[0] == 200
            else:
                assert c.hung_up()


def test_absolute_form(server):
    got = say(server, "GET http://127.0.0.1:%d/_wolke/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
              % server.port)
    assert got[0] == 200
    got = say(server, "GET http://localhost?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert got[0] in (403, 404)


def test_empty_lines_before_a_request(server):
    assert say(server, "\r\n\r\n" + HEALTH)[0] == 200


def test_body_shorter_than_said(server, name):
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    path = "/%s/short" % name
    headers = signed(server, "s3", "PUT", path, b"0123456789")
    headers["Content-Length"] = 10
    with Raw(server) as c:
        c.send(head_of("PUT", path, headers).encode() + b"01234")
        c.socket.shutdown(socket.SHUT_WR)
        c.answer()
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0


def test_body_longer_than_said(server):
    """What follows is the next request, and a malformed one."""
    service, method, path, body, headers = SIGNED_CALL
    headers = signed(server, service, method, path, body, headers)
    headers["Content-Length"] = len(body)
    with Raw(server) as c:
        c.send(head_of(method, path, headers).encode() + body + b"rest of it\r\n\r\n")
        assert c.answer()[0] == 200
        assert c.answer()[0] in (400, 501)
        assert c.hung_up()


def test_slow_clients(wolke_server):
    """They hold up nobody but themselves."""
    server = wolke_server()
    with Raw(server) as slow:
        for byte in HEALTH:
            slow.send(byte)
            assert lives(server)
        assert slow.answer()[0] == 200


def test_a_thousand_slow_clients(server):
    slow = [Raw(server) for _ in range(1000)]
    for c in slow:
        c.send(HEALTH[:20])
    assert lives(server)
    for c in slow:
        c.send(HEALTH[20:])
    for c in slow:
        assert c.answer()[0] == 200
        c.__exit__()


def test_client_that_reads_nothing(server, name):
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="large", Body=os.urandom(1 << 20) * 16)
    headers = signed(server, "s3", "GET", "/%s/large" % name)
    with Raw(server) as c:
        for _ in range(10):
            c.send(head_of("GET", "/%s/large" % name, headers))
        for _ in range(20):
            assert lives(server)
    assert len(s3.get_object(Bucket=name, Key="large")["Body"].read()) == 16 << 20


# ---- bodies ----

JSON_1_1 = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"\"text\"", b"null", b"{\"logGroupName\": 1", b"{}{}", b"\xff\xfe{}",
    b"{\"logGroupName\": \"\xff\"}", b"[" * 100000, b"{\"a\":" * 50000 + b"1" + b"}" * 50000,
    b"{\"logGroupName\": " + b"1" * 100000 + b"}", b"{\"logGroupName\": {\"a\": 1}}",
    b"{\"logGroupName\": [\"a\"]}", b"{\"limit\": 1e999}", b"{\"limit\": \"ten\"}",
    b"{\"limit\": 1.5}",
], ids=lambda b: repr(b[:24]))
def test_malformed_json(server, body):
    status, headers, answer = call(server, "logs", "POST", "/", body, dict(
        JSON_1_1, **{"X-Amz-Target": "Logs_20140328.CreateLogGroup"}))
    assert status == 400
    error = json.loads(answer)["__type"].split("#")[-1]
    assert error in ("SerializationException", "InvalidParameterException", "ValidationException")
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-requestid"]


@pytest.mark.parametrize("body", [
    b"{", b"[1]", b"{\"Runtime\": 3}", b"{\"Code\": \"x\"}", b"{\"Code\": {\"ZipFile\": \"***\"}}",
    b"{\"Timeout\": {}}", b"{\"Layers\": {}}", b"\x00", b"{\"Environment\": {\"Variables\": []}}",
], ids=lambda b: repr(b[:24]))
def test_malformed_rest_json(server, body):
    status, headers, answer = call(server, "lambda", "POST", "/2015-03-31/functions", body,
                                   {"Content-Type": "application/json"})
    assert status == 400
    assert headers["x-amzn-errortype"].split(":")[0] in (
        "SerializationException", "InvalidRequestContentException", "ValidationException",
        "InvalidParameterValueException")
    assert json.loads(answer)
    assert server.client("lambda").list_functions()["Functions"] == []


@pytest.mark.parametrize("target", ["", "x", "Logs_20140328.", "Logs_20140328.NoSuchThing",
                                    ".CreateLogGroup", "NoSuchService.CreateLogGroup"])
def test_unknown_targets(server, target):
    status, _, answer = call(server, "logs", "POST", "/", b"{}", dict(
        JSON_1_1, **{"X-Amz-Target": target}))
    assert status in (400, 404)
    assert json.loads(answer)["__type"].split("#")[-1] == "UnknownOperationException"


@pytest.mark.parametrize("body, code", [
    (b"", "MissingAction"),
    (b"Version=2010-05-08", "MissingAction"),
    (b"Action=NoSuchAction&Version=2010-05-08", "InvalidAction"),
    (b"Action=CreateRole&Version=2010-05-08", "ValidationError"),
    (b"Action=CreateRole&Version=2010-05-08&RoleName=%zz&AssumeRolePolicyDocument={}", None),
    (b"Action=CreateRole&Version=2010-05-08&RoleName=%00%ff&AssumeRolePolicyDocument={}", None),
    (b"Action=CreateRole&Version=2010-05-08&RoleName=a&AssumeRolePolicyDocument={}"
     b"&Tags.member.99999999999999999999.Key=a", None),
    (b"Action=CreateRole&Version=2010-05-08&RoleName=a&AssumeRolePolicyDocument={}"
     b"&Tags.member.x.Key=a", None),
    (b"Action=CreateRole&Version=2010-05-08&MaxSessionDuration=many&RoleName=a"
     b"&AssumeRolePolicyDocument={}", None),
    (b"&".join(b"A%d=b" % i for i in range(100000)), None),
], ids=lambda v: repr(v and v[:60]))
def test_malformed_query(server, body, code):
    status, headers, answer = call(server, "iam", "POST", "/", body, FORM)
    assert status in (400, 404)
    assert headers["content-type"] == "text/xml"
    got = re.search(rb"<Code>(\w+)</Code>", answer).group(1).decode()
    assert b"<RequestId>" in answer
    assert code in (None, got)
    assert server.client("iam").list_roles()["Roles"] == []


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "lol">%s]><Delete>
<Object><Key>&z;</Key></Object></Delete>""" % b"".join(
    b"<!ENTITY %c \"%s\">" % (c, (b"&%c;" % (c - 1)) * 20) for c in range(ord("b"), ord("z") + 1))
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>
<Object><Key>&x;</Key></Object></Delete>"""


@pytest.mark.parametrize("body", [
    b"", b"<", b"<Delete>", b"<Delete></Other>", b"text", b"<Delete/><Delete/>", b"\xff\xfe",
    b"<Delete><Object></Object></Delete>", b"<a>" * 100000, b"<Delete a='1' a='2'/>", LAUGHS,
    OUTSIDE, b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
    b"<Delete><Object><Key>" + b"k" * 1100000 + b"</Key></Object></Delete>",
], ids=lambda b: repr(b[:24]))
def test_malformed_xml(server, name, body):
    import base64
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"")
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    status, headers, answer = call(server, "s3", "POST", "/%s?delete=" % name, body,
                                   {"Content-MD5": digest})
    assert status == 400
    assert re.search(rb"<Code>(\w+)</Code>", answer).group(1) in (
        b"MalformedXML", b"MissingRequestBodyError", b"KeyTooLongError")
    assert headers["content-type"] == "application/xml"
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)


# ---- zip ----

def zip_with(path, content=b"x", mode=0o100644, make=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        info = zipfile.ZipInfo(path)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(info, content)
        if make:
            make(z)
    return out.getvalue()


def bomb(n_mib):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        with z.open("zeros", "w") as f:
            for _ in range(n_mib):
                f.write(bytes(1 << 20))
    return out.getvalue()


def many_entries(n):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        for i in range(n):
            z.writestr("f%d" % i, b"")
    return out.getvalue()


GOOD_ZIP = zip_of({"app.py": "def handler(event, context):\n    return 'fine'\n"})
BAD_ZIPS = {
    "empty": b"", "text": b"this is no zip", "magic only": b"PK\x03\x04",
    "cut": GOOD_ZIP[:len(GOOD_ZIP) // 2], "no directory": GOOD_ZIP[:-22],
    "up": zip_with("../../../../tmp/wolke-escaped"), "up inside": zip_with("a/../../b"),
    "absolute": zip_with("/tmp/wolke-escaped"), "bomb": bomb(300),
    "huge count": GOOD_ZIP[:-12] + struct.pack("<HH", 0xfffe, 0xfffe) + GOOD_ZIP[-8:],
    "link out": zip_with("passwd", "/etc/passwd", 0o120777),
    "link up": zip_with("l", "../../..", 0o120777, lambda z: z.writestr("l/tmp/wolke-escaped", "x")),
    "device": zip_with("null", "", 0o020666),
}


@pytest.fixture(scope="module")
def server_role(server):
    return make_role(server.client("iam"), "zips")


@pytest.mark.parametrize("what", BAD_ZIPS)
def test_malformed_zip(server, server_role, name, what):
    """Refused, or run without what is malicious: but nothing gets out, and the server lives."""
    client = server.client("lambda")
    try:
        client.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler",
                               Role=server_role, Code={"ZipFile": BAD_ZIPS[what]})
    except ClientError as error:
        answer = error.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
        assert answer["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_function(FunctionName=name)
    else:
        assert what.startswith(("link", "device"))
        assert client.invoke(FunctionName=name)["FunctionError"]
        client.delete_function(FunctionName=name)
    assert not os.path.exists("/tmp/wolke-escaped")
    assert lives(server)


def test_links_inside_a_zip_lead_to_the_sandbox(server, server_role, name):
    """A link is part of some packages; it must not show the host's files."""
    secret = os.path.join(server.directory, "secret")
    with open(secret, "w") as f:
        f.write("of the host")
    code = zip_with("app.py", "def handler(event, context):\n    return open('/var/task/l').read()",
                    make=lambda z: link(z, "l", secret))
    client = server.client("lambda")
    try:
        client.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler",
                               Role=server_role, Code={"ZipFile": code})
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidParameterValueException"
        return
    got = client.invoke(FunctionName=name)
    assert got["FunctionError"] == "Unhandled" and b"of the host" not in got["Payload"].read()
    client.delete_function(FunctionName=name)


def link(z, path, target):
    info = zipfile.ZipInfo(path)
    info.external_attr = 0o120777 << 16
    z.writestr(info, target)


def test_a_failed_update_keeps_the_code(server, server_role, name):
    client = server.client("lambda")
    client.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler",
                           Role=server_role, Code={"ZipFile": GOOD_ZIP})
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    for what in ("text", "cut", "up", "bomb"):
        with pytest.raises(ClientError):
            client.update_function_code(FunctionName=name, ZipFile=BAD_ZIPS[what])
    assert client.invoke(FunctionName=name)["Payload"].read() == b'"fine"'
    client.delete_function(FunctionName=name)


# ---- signatures ----

def set_header(name, value):
    return lambda headers: headers.__setitem__(name, value)


def replace(old, new):
    def change(headers):
        headers["Authorization"] = re.sub(old, new, headers["Authorization"])
    return change


def keep(headers):
    pass


# What breaks it, and the error in JSON RPC, in REST JSON, in query and in S3.
SIGNATURES = {
    "none": (lambda h: h.pop("Authorization"), "MissingAuthenticationTokenException",
             "MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied"),
    "wrong": (replace(r"Signature=\w{4}", "Signature=0000"), "InvalidSignatureException",
              "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "short": (replace(r"Signature=\w{4}", "Signature="), "InvalidSignatureException",
              "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "unknown key": (replace(r"Credential=\w+", "Credential=AKIAIOSFODNN7EXAMPLE"),
                    "UnrecognizedClientException", "UnrecognizedClientException",
                    "InvalidClientTokenId", "InvalidAccessKeyId"),
    "old": (keep, "InvalidSignatureException", "InvalidSignatureException",
            "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    "future": (keep, "InvalidSignatureException", "InvalidSignatureException",
               "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    "no signature": (replace(r", *Signature=\w+", ""), "IncompleteSignatureException",
                     "IncompleteSignatureException", "IncompleteSignature",
                     "AuthorizationHeaderMalformed"),
    "no credential": (replace(r"Credential=[^,]+, *", ""), "IncompleteSignatureException",
                      "IncompleteSignatureException", "IncompleteSignature",
                      "AuthorizationHeaderMalformed"),
    "short scope": (replace(r"/aws4_request", ""), "IncompleteSignatureException",
                    "IncompleteSignatureException", "IncompleteSignature",
                    "AuthorizationHeaderMalformed"),
    "another date": (set_header("X-Amz-Date", "20300101T000000Z"), "InvalidSignatureException",
                     "InvalidSignatureException", "SignatureDoesNotMatch",
                     "AuthorizationHeaderMalformed"),
}
DAYS_OFF = {"old": -2, "future": 2}
CALLS = (
    ("logs", "POST", "/", lambda n: json.dumps({"logGroupName": n}).encode(),
     dict(JSON_1_1, **{"X-Amz-Target": "Logs_20140328.CreateLogGroup"})),
    ("lambda", "POST", "/2015-03-31/functions", lambda n: json.dumps({"FunctionName": n}).encode(),
     {"Content-Type": "application/json"}),
    ("iam", "POST", "/", lambda n: ("Action=CreateUser&Version=2010-05-08&UserName=" + n).encode(),
     FORM),
    ("s3", "PUT", "/%s", lambda n: b"", {}),
)
STATUS = {"MissingAuthenticationTokenException": (400, 403), "AccessDenied": (403,),
          "IncompleteSignatureException": (400, 403), "IncompleteSignature": (400, 403),
          "AuthorizationHeaderMalformed": (400,), "InvalidSignatureException": (400, 403),
          "UnrecognizedClientException": (400, 403)}


def error_code(service, headers, body):
    if service in ("iam", "s3"):
        return re.search(rb"<Code>(\w+)</Code>", body).group(1).decode()
    if service == "lambda":
        return headers["x-amzn-errortype"].split(":")[0]
    return json.loads(body)["__type"].split("#")[-1]


@pytest.mark.parametrize("kind", range(4), ids=["json", "rest-json", "query", "s3"])
@pytest.mark.parametrize("what", SIGNATURES)
def test_bad_signatures(server, name, what, kind, monkeypatch):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        days=DAYS_OFF.get(what, 0))
    service, method, path, body, headers = CALLS[kind]
    path = path % name if "%" in path else path
    with monkeypatch.context() as patched:
        patched.setattr(botocore.auth, "get_current_datetime", lambda **_: then)
        status, headers, answer = call(
            server, service, method, path, body(name), headers, change=SIGNATURES[what][0])
    code = SIGNATURES[what][1 + kind]
    assert error_code(service, headers, answer) == code
    assert status in STATUS.get(code, (403,))
    assert server.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
    assert name not in [u["UserName"] for u in server.client("iam").list_users()["Users"]]
    assert name not in [b["Name"] for b in server.client("s3").list_buckets()["Buckets"]]


def test_signed_body_that_was_changed(server, name):
    headers = signed(server, "iam", "POST", "/", b"Action=CreateUser&Version=2010-05-08&UserName=" +
                     name.encode(), FORM)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("POST", "/", b"Action=CreateUser&Version=2010-05-08&UserName=x" +
                       name.encode(), headers)
    answer = connection.getresponse()
    assert answer.status == 403 and b"SignatureDoesNotMatch" in answer.read()
    connection.close()
    assert server.client("iam").list_users()["Users"] == []


def test_token_that_was_made_up(server):
    client = server.client("sts", key="ASIAQAAAAAAAEXAMPLE0", secret="x" * 40, token="made up")
    with pytest.raises(ClientError) as caught:
        client.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_authorization_of_any_bytes(server):
    for value in ("Basic dXNlcjpwYXNz", "Bearer eyJhbGciOiJub25lIn0.e30.", "AWS4-HMAC-SHA256",
                  "AWS4-HMAC-SHA256 " + "Credential=a/b/c/d/e," * 2000, "\x80\xff",
                  "AWS4-HMAC-SHA256 Credential=/////, SignedHeaders=;;;, Signature=" + "f" * 64):
        status, _, _ = call(server, *SIGNED_CALL, change=set_header("Authorization", value))
        assert status in (400, 403)
    assert lives(server)


# ---- TLS ----

def test_tls_and_plain_on_one_port(server):
    path = subprocess.run([PROGRAM, "cert", "--data", server.data_dir], check=True,
                          capture_output=True, text=True).stdout.strip()
    context = ssl.create_default_context(cafile=path)
    for host in ("localhost", "lambda.localhost", "abc.execute-api.us-east-1.localhost"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as plain:
            with context.wrap_socket(plain, server_hostname=host) as c:
                c.sendall(HEALTH.encode())
                assert c.recv(100).startswith(b"HTTP/1.1 200 OK")
                c.sendall(HEALTH.encode())
                assert b"running" in c.recv(4096) + c.recv(4096)
    assert lives(server)
    https = server.client("sts")
    import boto3
    https = boto3.client("sts", endpoint_url="https://localhost:%d" % server.port, verify=path,
                         region_name=REGION, aws_access_key_id=ACCOUNT,
                         aws_secret_access_key=server.secret)
    assert https.get_caller_identity()["Account"] == ACCOUNT


def test_authority_is_not_trusted_by_itself(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as plain:
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    assert lives(server)


@pytest.mark.parametrize("data", [b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff",
                                  b"\x16" * 70000])
def test_malformed_tls(server, data):
    with Raw(server) as c:
        try:
            c.send(data)
            c.socket.shutdown(socket.SHUT_WR)
            while c.socket.recv(4096):
                pass
        except OSError:
            pass
    assert lives(server)


# ---- stopping ----

def test_sigterm_finishes_what_runs(wolke_server, name):
    server = wolke_server()
    client = server.client("lambda")
    client.create_function(
        FunctionName=name, Runtime="python3.12", Handler="app.handler", Timeout=20,
        Role=make_role(server.client("iam"), name), Code={"ZipFile": zip_of({
            "app.py": "import time\ndef handler(e, c):\n    time.sleep(e)\n    return 'done'"})})
    client.invoke(FunctionName=name, Payload="0")
    got = []
    running = threading.Thread(target=lambda: got.append(
        client.invoke(FunctionName=name, Payload="2")["Payload"].read()))
    idle = Raw(server)
    idle.send(HEALTH)
    assert idle.answer()[0] == 200
    running.start()
    end = time.monotonic() + PATIENCE_S
    while b'"busy"' not in say(server, HEALTH.replace("health", "environments"))[2]:
        assert time.monotonic() < end
    server.process.terminate()
    assert idle.hung_up()
    with pytest.raises(OSError):
        while time.monotonic() < end and running.is_alive():
            Raw(server).__exit__()
            time.sleep(0.05)
        raise AssertionError("it accepts connections while it stops")
    running.join()
    assert got == [b'"done"']
    assert server.process.wait(PATIENCE_S) == 0


# ---- many ----

def rss_kib(server):
    with open("/proc/%d/status" % server.process.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def test_ten_thousand_idle_connections(wolke_server):
    n = 300 if "san-thread" in PROGRAM else 10000  # each costs its memory a mebibyte
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n + 1000:
        pytest.skip("this host allows %d open files" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 1000), hard))
    server = wolke_server()
    assert lives(server)
    before = rss_kib(server)
    connections = []
    try:
        for i in range(n):
            c = socket.socket()
            c.bind(("127.0.0.%d" % (2 + i % 4), 0))
            c.settimeout(PATIENCE_S)
            c.connect(("127.0.0.1", server.port))
            connections.append(c)
        for c in connections[::10]:  # some have been used
            c.sendall(HEALTH.encode())
        for c in connections[::10]:
            assert c.recv(4096).startswith(b"HTTP/1.1 200")
        assert lives(server)
        used_mib = (rss_kib(server) - before) / 1024
        if "san-" not in PROGRAM:
            assert used_mib < 200
        for c in (connections[0], connections[-1], connections[n // 2]):
            c.sendall(HEALTH.encode())
            assert c.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for c in connections:
            c.close()
    assert lives(server)


def test_accounts_and_regions_are_apart(wolke, name):
    """The same names in two accounts and two regions are different things."""
    places = [("111111111111", "us-east-1"), ("111111111111", "eu-west-1"),
              ("222222222222", "us-east-1")]
    roles = {account: make_role(wolke.client("iam", key=account), name)
             for account in {account for account, _ in places}}
    for account, region in places:
        logs = wolke.client("logs", region=region, key=account)
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
        wolke.client("lambda", region=region, key=account).create_function(
            FunctionName=name, Runtime="provided.al2023", Handler="h", Role=roles[account],
            Description=account + region, Code={"ZipFile": zip_of({"bootstrap": "x"})})
    for account, region in places:
        client = wolke.client("lambda", region=region, key=account)
        function, = client.list_functions()["Functions"]
        assert function["Description"] == account + region
        assert function["FunctionArn"] == "arn:aws:lambda:%s:%s:function:%s" % (
            region, account, name)
        group, = wolke.client("logs", region=region, key=account).describe_log_groups(
            logGroupNamePrefix=name)["logGroups"]
        assert group["arn"].startswith("arn:aws:logs:%s:%s:" % (region, account))
    first = wolke.client("lambda", key="111111111111")
    first.delete_function(FunctionName=name)
    with pytest.raises(first.exceptions.ResourceNotFoundException):
        first.get_function(FunctionName=name)
    for account, region in places[1:]:
        client = wolke.client("lambda", region=region, key=account)
        assert client.get_function(FunctionName=name)
        client.delete_function(FunctionName=name)


def test_an_arn_reaches_no_other_region_or_account(server, server_role, name):
    elsewhere = server.client("lambda", region="eu-west-1")
    elsewhere.create_function(FunctionName=name, Runtime="provided.al2023", Handler="h",
                              Role=server_role, Code={"ZipFile": zip_of({"bootstrap": "x"})})
    arn = elsewhere.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    with pytest.raises(ClientError) as caught:
        server.client("lambda").get_function(FunctionName=arn)
    assert caught.value.response["Error"] == {
        "Code": "ResourceNotFoundException", "Message":
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"}
    with pytest.raises(ClientError) as caught:
        server.client("lambda", region="eu-west-1", key="111111111111").get_function(
            FunctionName=arn)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    elsewhere.delete_function(FunctionName=arn)
