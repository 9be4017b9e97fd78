"""Function URLs: configuration, and requests as browsers and programs send them."""
import base64
import http.client
import json
import re

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from conftest import ACCOUNT, LOGS_ONLY, REGION, make_role, zip_of

MIRROR = "def handler(event, context):\n    return {'statusCode': 200, 'body': __import__('json').dumps(event)}\n"


def failure(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def arn(name):
    return "arn:aws:lambda:%s:%s:function:%s" % (REGION, ACCOUNT, name)


def ask(url, port, method="GET", path="/", body=None, headers=None):
    """(status, headers, body), at the address by its host name; that need not resolve."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    host = url.split("//")[1].split("/")[0]
    c.request(method, path, body=body, headers={"Host": host, **(headers or {})})
    r = c.getresponse()
    return r.status, r.headers, r.read()


@pytest.fixture
def fn(client):
    return client("lambda")


@pytest.fixture
def mirror(fn, make_function, name):
    make_function({"app.py": MIRROR}, FunctionName=name)
    return fn.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]


def test_config_life(wolke, fn, make_function, name):
    make_function({"app.py": MIRROR}, FunctionName=name, Publish=True)
    fn.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    kw = {"FunctionName": name}
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert failure(fn.get_function_url_config, **kw) == gone
    assert failure(fn.update_function_url_config, AuthType="NONE", **kw) == gone
    assert failure(fn.delete_function_url_config, **kw) == gone
    assert failure(fn.create_function_url_config, FunctionName="absent" + name, AuthType="NONE") == (
        "ResourceNotFoundException", "Function does not exist")
    made = fn.create_function_url_config(AuthType="NONE", Cors={"AllowOrigins": ["*"]}, **kw)
    assert re.fullmatch(r"http://[a-z2-7]{32}\.lambda-url\.us-east-1\.localhost:%d/" % wolke.port, made["FunctionUrl"])
    assert (made["AuthType"], made["InvokeMode"], made["FunctionArn"]) == ("NONE", "BUFFERED", arn(name))
    assert failure(fn.create_function_url_config, AuthType="NONE", **kw) == (
        "ResourceConflictException", "Failed to create function url config for [functionArn = %s]. Error message:  "
                                     "FunctionUrlConfig exists for this Lambda function" % arn(name))
    alias = fn.create_function_url_config(AuthType="AWS_IAM", Qualifier="live", **kw)
    assert alias["FunctionArn"] == arn(name) + ":live" and alias["FunctionUrl"] != made["FunctionUrl"]
    assert failure(fn.create_function_url_config, AuthType="NONE", Qualifier="1", **kw)[0] == "ValidationException"
    changed = fn.update_function_url_config(AuthType="AWS_IAM", Cors={"AllowOrigins": ["https://a.example"]}, **kw)
    assert changed["FunctionUrl"] == made["FunctionUrl"] and changed["AuthType"] == "AWS_IAM"
    assert fn.get_function_url_config(**kw)["Cors"] == {"AllowOrigins": ["https://a.example"]}
    assert [u["FunctionArn"] for u in fn.list_function_url_configs(**kw)["FunctionUrlConfigs"]] == \
        [arn(name), arn(name) + ":live"]
    fn.delete_alias(Name="live", **kw)
    assert [u["FunctionArn"] for u in fn.list_function_url_configs(**kw)["FunctionUrlConfigs"]] == [arn(name)]
    assert ask(alias["FunctionUrl"], wolke.port)[0] == 403
    fn.delete_function_url_config(**kw)
    assert ask(made["FunctionUrl"], wolke.port)[0] == 403


def test_event(wolke, mirror):
    status, headers, body = ask(mirror, wolke.port, "POST", "/a%20b/c?x=1&x=2&y=%20z&w", b'{"k":1}',
                                {"Content-Type": "application/json", "Cookie": "a=1; b=2", "X-Own": "v"})
    event = json.loads(body)
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert headers["x-amzn-RequestId"] == event["requestContext"]["requestId"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a%20b/c")
    assert event["rawQueryString"] == "x=1&x=2&y=%20z&w"
    assert event["queryStringParameters"] == {"x": "1,2", "y": " z", "w": ""}
    assert event["cookies"] == ["a=1", "b=2"] and "cookie" not in event["headers"]
    assert event["headers"]["x-own"] == "v" and event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    assert (event["body"], event["isBase64Encoded"]) == ('{"k":1}', False)
    context = event["requestContext"]
    host = mirror.split("/")[2].split(":")[0]
    assert (context["accountId"], context["domainName"], context["domainPrefix"], context["apiId"]) == \
        ("anonymous", host, host.split(".")[0], host.split(".")[0])
    assert context["http"]["method"] == "POST" and context["http"]["path"] == "/a%20b/c"
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])


def test_bodies(wolke, mirror):
    for kind, binary in (("text/plain; charset=utf-8", False), ("application/xml", False),
                         ("application/x-www-form-urlencoded", True), ("image/png", True)):
        event = json.loads(ask(mirror, wolke.port, "POST", "/", b"a=b", {"Content-Type": kind})[2])
        assert (event["isBase64Encoded"], event["body"]) == (binary, "YT1i" if binary else "a=b"), kind
    event = json.loads(ask(mirror, wolke.port)[2])
    assert "body" not in event and event["isBase64Encoded"] is False and "queryStringParameters" not in event
    assert ask(mirror, wolke.port, "POST", "/", b"x" * (6291456 + 1))[0] == 413


def test_by_path(wolke, mirror):
    id = mirror.split("//")[1].split(".")[0]
    status, _, body = ask("http://127.0.0.1:%d/" % wolke.port, wolke.port, path="/_lambda/url/%s/p/q?x=1" % id)
    assert status == 200 and json.loads(body)["rawPath"] == "/p/q"


def test_answers(wolke, fn, make_function, name):
    make_function({"app.py": """
import json
def handler(event, context):
    return json.loads(event["body"])["answer"]
"""}, FunctionName=name)
    url = fn.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    def answer(value):
        return ask(url, wolke.port, "POST", "/", json.dumps({"answer": value}), {"Content-Type": "application/json"})
    status, headers, body = answer({"statusCode": 201, "headers": {"X-Own": "v", "Content-Type": "text/html"},
                                    "cookies": ["a=1; Secure", "b=2"], "body": "<p>"})
    assert (status, headers["X-Own"], headers["Content-Type"], body) == (201, "v", "text/html", b"<p>")
    assert headers.get_all("Set-Cookie") == ["a=1; Secure", "b=2"]
    picture = base64.b64encode(bytes(range(256))).decode()
    assert answer({"statusCode": 200, "body": picture, "isBase64Encoded": True})[2] == bytes(range(256))
    assert answer("plain")[::2] == (200, b"plain")
    assert answer({"message": "m"})[::2] == (200, b'{"message":"m"}')
    assert answer([1, 2])[::2] == (200, b"[1,2]")
    assert answer({"statusCode": 204})[::2] == (204, b"")
    for bad in ({"statusCode": "no"}, {"statusCode": 200, "headers": [1]}, {"statusCode": 200, "cookies": "a"}):
        assert answer(bad)[0] == 502, bad
    assert ask(url, wolke.port)[0] == 502
    fn.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    status, _, body = answer("x")
    assert status == 429 and json.loads(body)["message"] == "Rate Exceeded."


def test_cors(wolke, fn, make_function, name):
    make_function({"app.py": "def handler(event, context):\n    return {'statusCode': 200, 'headers': "
                             "{'Access-Control-Allow-Origin': 'https://own.example'}, 'body': 'b'}\n"},
                  FunctionName=name)
    url = fn.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={
        "AllowOrigins": ["https://a.example"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-own"],
        "ExposeHeaders": ["x-shown"], "AllowCredentials": True, "MaxAge": 60})["FunctionUrl"]
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    status, h, body = ask(url, wolke.port, "OPTIONS", headers=asked)
    assert (status, body) == (200, b"") and h["Access-Control-Allow-Origin"] == "https://a.example"
    assert (h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"], h["Access-Control-Max-Age"],
            h["Access-Control-Allow-Credentials"]) == ("GET,POST", "x-own", "60", "true")
    status, h, body = ask(url, wolke.port, headers={"Origin": "https://a.example"})
    assert (status, body) == (200, b"b") and h.get_all("Access-Control-Allow-Origin") == ["https://a.example"]
    assert h["Access-Control-Expose-Headers"] == "x-shown"
    assert "Access-Control-Allow-Origin" not in ask(url, wolke.port, headers={"Origin": "https://b.example"})[1]
    fn.update_function_url_config(FunctionName=name, Cors={"AllowOrigins": ["*"]})
    assert ask(url, wolke.port, headers={"Origin": "https://b.example"})[1]["Access-Control-Allow-Origin"] == "*"


def test_who_may_call(wolke_server, name):
    """Where IAM is enforced: NONE needs the public permissions, AWS_IAM a signature and rights."""
    server = wolke_server("--iam=enforce")
    fn, iam = server.client("lambda"), server.client("iam")
    role = make_role(iam, name, LOGS_ONLY)
    fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                       Code={"ZipFile": zip_of({"app.py": MIRROR})})
    url = fn.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    status, headers, body = ask(url, server.port)
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException") and "Forbidden" in str(body)
    fn.add_permission(FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                      FunctionUrlAuthType="NONE")
    fn.add_permission(FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*",
                      InvokedViaFunctionUrl=True)
    assert ask(url, server.port)[0] == 200
    fn.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert ask(url, server.port)[0] == 403

    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]
    def signed(secret=key["SecretAccessKey"]):
        request = AWSRequest("POST", url + "p?x=1", data=b"{}", headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(key["AccessKeyId"], secret), "lambda", REGION).add_auth(request)
        return ask(url, server.port, "POST", "/p?x=1", b"{}", dict(request.headers))
    assert signed()[0] == 403
    iam.put_user_policy(UserName="caller", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": arn(name), "Action": [
            "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]}]}))
    status, _, body = signed()
    iam_context = json.loads(body)["requestContext"]["authorizer"]["iam"]
    assert status == 200 and iam_context["userArn"] == "arn:aws:iam::%s:user/caller" % ACCOUNT
    assert iam_context["accessKey"] == key["AccessKeyId"]
    assert signed("wrong" * 8)[0] == 403
