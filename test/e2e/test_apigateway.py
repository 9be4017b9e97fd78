"""REST APIs: made with boto3, called with plain HTTP."""
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
import uuid

import botocore.exceptions
import pytest

from conftest import ACCOUNT, REGION

JSON = {"Content-Type": "application/json"}
ECHO = """
import json

def handler(event, context):
    return {"statusCode": 201, "headers": {"X-One": "1"}, "multiValueHeaders": {"X-Two": ["a", "b"]},
            "body": json.dumps(event)}
"""
PLAIN = """
def handler(event, context):
    if event.get("fail"):
        raise Exception("Bad: " + event["fail"])
    return {"got": event}
"""


def call(method, url, body=None, headers=None):
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def function_arn(function):
    return "arn:aws:lambda:%s:%s:function:%s" % (REGION, ACCOUNT, function)


def invocation_uri(arn):
    return "arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations" % (REGION, arn)


class Api:
    """A REST API under test."""

    def __init__(self, wolke, client, name):
        self.wolke, self.g, self.client = wolke, client("apigateway"), client
        made = self.g.create_rest_api(name=name)
        self.id, self.root = made["id"], made["rootResourceId"]

    def resource(self, part, parent=None):
        return self.g.create_resource(restApiId=self.id, parentId=parent or self.root,
                                      pathPart=part)["id"]

    def method(self, resource, verb="GET", auth="NONE", **kw):
        self.g.put_method(restApiId=self.id, resourceId=resource, httpMethod=verb,
                          authorizationType=auth, **kw)

    def integration(self, resource, verb, kind, **kw):
        self.g.put_integration(restApiId=self.id, resourceId=resource, httpMethod=verb, type=kind, **kw)

    def response(self, resource, verb, status, parameters=None, **kw):
        self.g.put_method_response(restApiId=self.id, resourceId=resource, httpMethod=verb,
                                   statusCode=status,
                                   responseParameters={k: False for k in parameters or {}})
        self.g.put_integration_response(restApiId=self.id, resourceId=resource, httpMethod=verb,
                                        statusCode=status, responseParameters=parameters or {}, **kw)

    def mock(self, resource, verb="GET", template="", status="200", parameters=None, **kw):
        self.method(resource, verb, **kw)
        self.integration(resource, verb, "MOCK",
                         requestTemplates={"application/json": '{"statusCode": %s}' % status})
        self.response(resource, verb, status, parameters,
                      responseTemplates={"application/json": template})

    def proxy(self, resource, function, verb="ANY", **kw):
        self.method(resource, verb, **kw)
        self.integration(resource, verb, "AWS_PROXY", integrationHttpMethod="POST",
                         uri=invocation_uri(function_arn(function)))

    def permit(self, function, what="*/*/*"):
        self.client("lambda").add_permission(
            FunctionName=function, StatementId="s" + uuid.uuid4().hex,
            Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
            SourceArn="arn:aws:execute-api:%s:%s:%s/%s" % (REGION, ACCOUNT, self.id, what))

    def deploy(self, stage="prod", **kw):
        return self.g.create_deployment(restApiId=self.id, stageName=stage, **kw)["id"]

    def url(self, path, stage="prod"):
        return "%s/restapis/%s/%s/_user_request_%s" % (self.wolke.endpoint, self.id, stage, path)

    def call(self, method, path, body=None, headers=None, stage="prod"):
        return call(method, self.url(path, stage), body, headers)


@pytest.fixture
def api(wolke, client, name):
    made = Api(wolke, client, name)
    yield made
    made.g.delete_rest_api(restApiId=made.id)


def refused(fn, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        fn(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


# ---- the control plane ----

def test_api_life(client, name):
    g = client("apigateway")
    made = g.create_rest_api(name=name, description="d", tags={"a": "b"}, binaryMediaTypes=["image/png"])
    assert len(made["id"]) == 10 and made["endpointConfiguration"]["types"] == ["EDGE"]
    assert g.get_rest_api(restApiId=made["id"])["tags"] == {"a": "b"}
    changed = g.update_rest_api(restApiId=made["id"], patchOperations=[
        {"op": "replace", "path": "/name", "value": name + "2"},
        {"op": "add", "path": "/binaryMediaTypes/application~1zip"},
        {"op": "replace", "path": "/minimumCompressionSize", "value": "100"}])
    assert changed["name"] == name + "2" and changed["minimumCompressionSize"] == 100
    assert sorted(changed["binaryMediaTypes"]) == ["application/zip", "image/png"]
    code, message = refused(g.update_rest_api, restApiId=made["id"],
                            patchOperations=[{"op": "replace", "path": "/id", "value": "x"}])
    assert code == "BadRequestException" and "Invalid patch path" in message
    ids, position = [], None
    while True:
        page = g.get_rest_apis(limit=1, **({"position": position} if position else {}))
        ids += [a["id"] for a in page["items"]]
        position = page.get("position")
        if not position:
            break
    assert made["id"] in ids and len(ids) == len(set(ids))
    g.delete_rest_api(restApiId=made["id"])
    assert refused(g.get_rest_api, restApiId=made["id"]) == (
        "NotFoundException", "Invalid API identifier specified %s:%s" % (ACCOUNT, made["id"]))


def test_resources(api):
    pets = api.resource("pets")
    one = api.resource("{id}", pets)
    assert refused(api.g.create_resource, restApiId=api.id, parentId=api.root, pathPart="pets") == (
        "ConflictException", "Another resource with the same parent already has this name: pets")
    assert refused(api.g.create_resource, restApiId=api.id, parentId=pets, pathPart="{other}")[0] == \
        "BadRequestException"
    assert refused(api.g.create_resource, restApiId=api.id, parentId=pets, pathPart="a b")[0] == \
        "BadRequestException"
    api.g.update_resource(restApiId=api.id, resourceId=pets, patchOperations=[
        {"op": "replace", "path": "/pathPart", "value": "animals"}])
    assert api.g.get_resource(restApiId=api.id, resourceId=one)["path"] == "/animals/{id}"
    api.method(one)
    items = api.g.get_resources(restApiId=api.id, embed=["methods"])["items"]
    assert [i["resourceMethods"]["GET"]["authorizationType"] for i in items if i["id"] == one] == ["NONE"]
    api.g.delete_resource(restApiId=api.id, resourceId=pets)
    assert [i["path"] for i in api.g.get_resources(restApiId=api.id)["items"]] == ["/"]
    assert refused(api.g.get_resource, restApiId=api.id, resourceId=one) == (
        "NotFoundException", "Invalid Resource identifier specified")


def test_methods_and_integrations(api):
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}
    assert refused(api.g.get_method, **where)[1] == "Invalid Method identifier specified"
    api.method(api.root, requestParameters={"method.request.querystring.q": True})
    assert refused(api.g.put_method, authorizationType="NONE", **where)[0] == "ConflictException"
    assert refused(api.g.get_integration, **where)[0] == "NotFoundException"
    assert refused(api.g.create_deployment, restApiId=api.id)[1] == "No integration defined for method"
    assert refused(api.g.put_integration, type="AWS", integrationHttpMethod="POST", uri="x", **where)[1] == \
        "Invalid ARN specified in the request"
    api.integration(api.root, "GET", "MOCK")
    assert refused(api.g.put_integration_response, statusCode="200", **where)[1] == \
        "Invalid Response status code specified"
    api.response(api.root, "GET", "200")
    changed = api.g.update_integration(patchOperations=[
        {"op": "add", "path": "/requestTemplates/application~1json", "value": "{}"},
        {"op": "replace", "path": "/timeoutInMillis", "value": "1000"}], **where)
    assert changed["requestTemplates"] == {"application/json": "{}"}
    assert changed["timeoutInMillis"] == 1000 and changed["passthroughBehavior"] == "WHEN_NO_MATCH"
    method = api.g.update_method(patchOperations=[
        {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}], **where)
    assert method["authorizationType"] == "AWS_IAM"
    assert method["requestParameters"] == {"method.request.querystring.q": True}
    api.g.delete_method(**where)
    assert refused(api.g.create_deployment, restApiId=api.id)[1] == "The REST API doesn't contain any methods"


def test_stages(api):
    api.mock(api.root)
    first, second = api.deploy(), api.deploy("other")
    assert refused(api.g.create_stage, restApiId=api.id, stageName="prod", deploymentId=first) == (
        "ConflictException", "Stage already exists")
    assert refused(api.g.delete_deployment, restApiId=api.id, deploymentId=first)[1] == \
        "Active stages pointing to this deployment must be moved or deleted"
    stage = api.g.update_stage(restApiId=api.id, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/deploymentId", "value": second},
        {"op": "replace", "path": "/variables/a", "value": "1"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "7"},
        {"op": "replace", "path": "/~1/GET/metrics/enabled", "value": "true"}])
    assert stage["deploymentId"] == second and stage["variables"] == {"a": "1"}
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 7
    assert [s["stageName"] for s in api.g.get_stages(restApiId=api.id)["item"]] == ["other", "prod"]
    api.g.delete_deployment(restApiId=api.id, deploymentId=first)
    api.g.delete_stage(restApiId=api.id, stageName="other")
    assert refused(api.g.get_stage, restApiId=api.id, stageName="other")[1] == \
        "Invalid stage identifier specified"
    assert api.call("GET", "/", stage="other")[0] == 403


# ---- calling ----

def test_mock_and_routing(api):
    pets = api.resource("pets")
    for resource, text in ((pets, "literal"), (api.resource("{id}"), "variable $input.params('id')"),
                           (api.resource("{rest+}", pets), "greedy $input.params('rest')")):
        api.mock(resource, template=text)
    api.mock(pets, "OPTIONS", parameters={"method.response.header.Access-Control-Allow-Origin": "'*'"})
    api.deploy()
    assert api.call("GET", "/pets")[2] == b"literal"
    assert api.call("GET", "/pets/")[2] == b"literal"
    assert api.call("GET", "/7")[2] == b"variable 7"
    assert api.call("GET", "/pets/a/b")[2] == b"greedy a/b"
    status, headers, body = api.call("OPTIONS", "/pets")
    assert status == 200 and headers["Access-Control-Allow-Origin"] == "*"
    status, headers, body = api.call("GET", "/7/8")
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert headers["x-amzn-RequestId"] and headers["x-amz-apigw-id"]
    for host in (".execute-api.localhost", ".execute-api.us-east-1.localhost:%d" % api.wolke.port):
        assert call("GET", api.wolke.endpoint + "/prod/pets", headers={"Host": api.id + host})[2] == b"literal"


def test_a_deployment_is_a_snapshot(api):
    api.mock(api.root, template="old")
    first = api.deploy()
    api.g.update_integration_response(
        restApiId=api.id, resourceId=api.root, httpMethod="GET", statusCode="200",
        patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": "new"}])
    assert api.call("GET", "/")[2] == b"old"
    api.deploy()
    assert api.call("GET", "/")[2] == b"new"
    api.g.update_stage(restApiId=api.id, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/deploymentId", "value": first}])
    assert api.call("GET", "/")[2] == b"old"


def test_proxy_event(api, make_function):
    function = make_function({"app.py": ECHO})
    resource = api.resource("{proxy+}")
    api.proxy(resource, function)
    deployment = api.deploy(variables={"v": "w"})
    api.permit(function)
    status, headers, body = api.call("PUT", "/x/y%20z?a=1&a=2&b=%20c", b"hello",
                                     {"X-Q": "v", "Content-Type": "text/plain", "User-Agent": "test"})
    assert status == 201 and headers["X-One"] == "1" and headers.get_all("X-Two") == ["a", "b"]
    event = json.loads(body)
    context = event.pop("requestContext")
    sent = event.pop("headers")
    multi = event.pop("multiValueHeaders")
    assert event == {
        "resource": "/{proxy+}", "path": "/x/y%20z", "httpMethod": "PUT",
        "queryStringParameters": {"a": "2", "b": " c"},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [" c"]},
        "pathParameters": {"proxy": "x/y%20z"}, "stageVariables": {"v": "w"},
        "body": "hello", "isBase64Encoded": False}
    assert sent["X-Q"] == "v" and multi["X-Q"] == ["v"] and sent["X-Forwarded-Proto"] == "http"
    assert sent["X-Amzn-Trace-Id"].startswith("Root=1-") and "X-Forwarded-For" in sent
    identity = context.pop("identity")
    assert identity["sourceIp"] == "127.0.0.1" and identity["userAgent"] == "test"
    assert set(identity) == {"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp",
                             "principalOrgId", "accessKey", "cognitoAuthenticationType",
                             "cognitoAuthenticationProvider", "userArn", "userAgent", "user"}
    assert context.pop("requestId") == headers["x-amzn-RequestId"]
    assert context.pop("extendedRequestId") == headers["x-amz-apigw-id"]
    assert context.pop("requestTimeEpoch") > 1e12 and context.pop("requestTime").endswith(" +0000")
    assert context == {
        "resourceId": resource, "resourcePath": "/{proxy+}", "httpMethod": "PUT",
        "path": "/prod/x/y%20z", "accountId": ACCOUNT, "protocol": "HTTP/1.1", "stage": "prod",
        "domainPrefix": api.id, "domainName": "%s.execute-api.%s.amazonaws.com" % (api.id, REGION),
        "deploymentId": deployment, "apiId": api.id}
    event = json.loads(api.call("GET", "/x")[2])
    assert event["queryStringParameters"] is None and event["body"] is None
    assert event["multiValueQueryStringParameters"] is None


def test_without_permission(api, make_function):
    function = make_function({"app.py": ECHO})
    api.proxy(api.resource("x"), function)
    api.deploy()
    status, _, body = api.call("GET", "/x")
    assert (status, json.loads(body)) == (500, {"message": "Internal server error"})
    assert "lambda:InvokeFunction" in api.wolke.log()
    api.permit(function, "prod/POST/x")
    assert api.call("GET", "/x")[0] == 500
    api.permit(function, "prod/GET/x")
    assert api.call("GET", "/x")[0] == 201


@pytest.mark.parametrize("answer", ['"text"', "{'statusCode': 'x'}", "{'other': 1}", "{'body': {}}"])
def test_malformed_answers(api, make_function, answer):
    function = make_function({"app.py": "def handler(event, context):\n    return " + answer})
    api.proxy(api.root, function)
    api.deploy()
    api.permit(function, "*")
    status, _, body = api.call("GET", "/")
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})


def test_binary(api, make_function):
    function = make_function({"app.py": """
import base64

def handler(event, context):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "isBase64Encoded": True,
            "body": base64.b64encode(body[::-1]).decode()}
"""})
    api.g.update_rest_api(restApiId=api.id, patchOperations=[
        {"op": "add", "path": "/binaryMediaTypes/image~1png"}])
    api.proxy(api.root, function)
    api.deploy()
    api.permit(function, "*")
    bytes_ = bytes(range(256))
    assert api.call("POST", "/", bytes_, {"Content-Type": "image/png", "Accept": "image/png"})[2] == bytes_[::-1]


def test_function_without_proxy(api, make_function):
    function = make_function({"app.py": PLAIN})
    api.method(api.root, "POST")
    api.integration(api.root, "POST", "AWS", integrationHttpMethod="POST",
                    uri=invocation_uri(function_arn("${stageVariables.fn}")))
    api.response(api.root, "POST", "200", {
        "method.response.header.X-Got": "integration.response.body.got.a",
        "method.response.header.X-Fixed": "'fixed'"})
    api.response(api.root, "POST", "400", selectionPattern="Bad: .*", responseTemplates={
        "application/json": "#set($m = $input.path('$.errorMessage')){\"error\": \"$m\"}"})
    api.deploy(variables={"fn": function})
    api.permit(function, "*/POST/")
    status, headers, body = api.call("POST", "/", b'{"a": 1}', JSON)
    assert (status, json.loads(body)) == (200, {"got": {"a": 1}})
    assert headers["X-Got"] == "1" and headers["X-Fixed"] == "fixed"
    status, _, body = api.call("POST", "/", b'{"fail": "no"}', JSON)
    assert (status, json.loads(body)) == (400, {"error": "Bad: no"})
    api.g.update_integration(restApiId=api.id, resourceId=api.root, httpMethod="POST", patchOperations=[
        {"op": "replace", "path": "/passthroughBehavior", "value": "NEVER"},
        {"op": "add", "path": "/requestTemplates/application~1json",
         "value": '{"a": $input.json("$.b"), "q": "$input.params(\'q\')"}'}])
    api.deploy()
    status, _, body = api.call("POST", "/?q=z", b'{"b": [2]}', JSON)
    assert json.loads(body) == {"got": {"a": [2], "q": "z"}}
    assert api.call("POST", "/", b"x", {"Content-Type": "text/plain"})[0] == 415


class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = json.dumps({"path": self.path, "body": body.decode(), "x": self.headers.get("X-In")}).encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Back", "yes")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def backend():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()


def test_http_integrations(api, backend):
    rest, mapped = api.resource("{proxy+}"), api.resource("mapped")
    api.method(rest, "POST", requestParameters={"method.request.path.proxy": True})
    api.integration(rest, "POST", "HTTP_PROXY", integrationHttpMethod="POST", uri=backend + "/base/{proxy}",
                    requestParameters={"integration.request.path.proxy": "method.request.path.proxy"})
    api.method(mapped, "POST", requestParameters={"method.request.querystring.q": False})
    api.integration(mapped, "POST", "HTTP", integrationHttpMethod="POST", uri=backend + "/missing",
                    requestParameters={"integration.request.header.X-In": "method.request.querystring.q",
                                       "integration.request.querystring.s": "'static'"})
    api.response(mapped, "POST", "200")
    api.response(mapped, "POST", "418", {"method.response.header.X-Out": "integration.response.header.X-Back"},
                 selectionPattern="4\\d{2}")
    api.deploy()
    status, headers, body = api.call("POST", "/a/b?c=d", b"hi")
    assert status == 200 and headers["X-Back"] == "yes"
    assert json.loads(body)["path"] == "/base/a/b?c=d" and json.loads(body)["body"] == "hi"
    status, headers, body = api.call("POST", "/mapped?q=v", b"{}", JSON)
    assert status == 418 and headers["X-Out"] == "yes"
    assert json.loads(body) == {"path": "/missing?s=static", "body": "{}", "x": "v"}


# ---- who may ----

def test_request_validation(api):
    api.g.create_model(restApiId=api.id, name="Pet", contentType="application/json", schema=json.dumps(
        {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}))
    validator = api.g.create_request_validator(restApiId=api.id, name="all", validateRequestBody=True,
                                               validateRequestParameters=True)["id"]
    api.mock(api.root, "POST", "ok", requestValidatorId=validator,
             requestParameters={"method.request.querystring.q": True},
             requestModels={"application/json": "Pet"})
    api.deploy()
    assert api.call("POST", "/", b'{"name": "x"}', JSON)[2] == \
        b'{"message":"Missing required request parameters: [q]"}'
    assert api.call("POST", "/?q=1", b'{"name": 1}', JSON)[2] == b'{"message":"Invalid request body"}'
    assert api.call("POST", "/?q=1", b'{"name": "x"}', JSON)[2] == b"ok"


def test_api_keys(api, name):
    api.mock(api.root, template="$context.identity.apiKeyId", apiKeyRequired=True)
    api.deploy()
    key = api.g.create_api_key(name=name, enabled=True)
    plan = api.g.create_usage_plan(name=name, apiStages=[{"apiId": api.id, "stage": "prod"}],
                                   quota={"limit": 2, "period": "DAY"})["id"]
    assert api.call("GET", "/")[2] == b'{"message":"Forbidden"}'
    assert api.call("GET", "/", headers={"x-api-key": key["value"]})[0] == 403
    api.g.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    for _ in range(2):
        assert api.call("GET", "/", headers={"x-api-key": key["value"]})[2].decode() == key["id"]
    status, _, body = api.call("GET", "/", headers={"x-api-key": key["value"]})
    assert (status, body) == (429, b'{"message":"Limit Exceeded"}')
    api.g.update_usage_plan(usagePlanId=plan, patchOperations=[
        {"op": "remove", "path": "/apiStages", "value": api.id + ":prod"}])
    api.g.delete_usage_plan(usagePlanId=plan)
    api.g.delete_api_key(apiKey=key["id"])


AUTHORIZER = """
def handler(event, context):
    token = event.get("authorizationToken") or event["headers"].get("Authorization")
    if token == "who":
        raise Exception("Unauthorized")
    if token == "odd":
        return {}
    return {"principalId": "me", "context": {"n": 1, "made": context.aws_request_id},
            "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow" if token == "yes" else "Deny", "Action": "execute-api:Invoke",
                 "Resource": event["methodArn"]}]}}
"""


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_lambda_authorizer(api, make_function, kind):
    function = make_function({"app.py": AUTHORIZER})
    authorizer = api.g.create_authorizer(
        restApiId=api.id, name="a", type=kind, authorizerUri=invocation_uri(function_arn(function)),
        identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=300)["id"]
    api.mock(api.root, template="$context.authorizer.principalId $context.authorizer.n "
             "$context.authorizer.made", auth="CUSTOM", authorizerId=authorizer)
    api.deploy()
    assert api.call("GET", "/")[2] == b'{"message":"Unauthorized"}'
    assert api.call("GET", "/", headers={"Authorization": "yes"})[0] == 500
    api.permit(function, "authorizers/" + authorizer)
    status, _, body = api.call("GET", "/", headers={"Authorization": "yes"})
    assert status == 200 and body.startswith(b"me 1 ")
    assert api.call("GET", "/", headers={"Authorization": "yes"})[2] == body, "the result is kept"
    assert api.call("GET", "/", headers={"Authorization": "no"})[::2] == (
        403, b'{"Message":"User is not authorized to access this resource with an explicit deny"}')
    assert api.call("GET", "/", headers={"Authorization": "who"})[0] == 401
    assert api.call("GET", "/", headers={"Authorization": "odd"})[0] == 500


def test_iam_and_resource_policy(api, wolke):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    api.mock(api.root, template="$context.identity.accountId", auth="AWS_IAM")
    open_ = api.resource("open")
    api.mock(open_, template="open")
    api.deploy()
    assert api.call("GET", "/")[2] == b'{"message":"Missing Authentication Token"}'
    request = AWSRequest("GET", api.url("/"))
    SigV4Auth(Credentials(ACCOUNT, wolke.secret), "execute-api", REGION).add_auth(request)
    assert api.call("GET", "/", headers=dict(request.headers))[2].decode() == ACCOUNT
    api.g.update_rest_api(restApiId=api.id, patchOperations=[{"op": "replace", "path": "/policy", "value": json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke",
             "Resource": "execute-api:/*/GET/open"},
            {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]})}])
    api.deploy()
    status, _, body = api.call("GET", "/open")
    assert status == 403 and "is not authorized to perform: execute-api:Invoke" in body.decode()


def test_gateway_responses(api):
    api.mock(api.root)
    api.g.put_gateway_response(
        restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={"application/json": '{"m": $context.error.messageString}'})
    api.deploy()
    status, headers, body = api.call("GET", "/nowhere")
    assert status == 404 and headers["Access-Control-Allow-Origin"] == "*"
    assert json.loads(body) == {"m": "Missing Authentication Token"}


# ---- import ----

SWAGGER = """
swagger: "2.0"
info: {title: TITLE, version: "7"}
definitions:
  Pet: {type: object, required: [name], properties: {tag: {$ref: "#/definitions/Tag"}}}
  Tag: {type: string, maxLength: 3}
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
paths:
  /pets/{id}:
    post:
      x-amazon-apigateway-request-validator: all
      parameters:
        - {in: path, name: id, required: true, type: string}
        - {in: body, name: body, schema: {$ref: "#/definitions/Pet"}}
      responses: {"200": {description: ok, headers: {X-Id: {type: string}}}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default:
            statusCode: "200"
            responseTemplates: {application/json: "id $input.params('id')"}
"""


def test_import_swagger(client, wolke, name):
    g = client("apigateway")
    made = g.import_rest_api(body=SWAGGER.replace("TITLE", name).encode())
    assert made["name"] == name and made["version"] == "7"
    g.create_deployment(restApiId=made["id"], stageName="prod")
    url = "%s/restapis/%s/prod/_user_request_" % (wolke.endpoint, made["id"])
    assert call("POST", url + "/pets/7", b'{"name": "x", "tag": "abc"}', JSON)[2] == b"id 7"
    assert call("POST", url + "/pets/7", b'{"name": "x", "tag": "abcd"}', JSON)[0] == 400
    before = {r["path"]: r["id"] for r in g.get_resources(restApiId=made["id"])["items"]}
    document = {"openapi": "3.0.1", "info": {"title": name + "-3", "version": "8"}, "paths": {"/new": {
        "x-amazon-apigateway-any-method": {
            "responses": {"200": {"description": "ok"}},
            "x-amazon-apigateway-integration": {
                "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
                "responses": {"default": {"statusCode": "200"}}}}}}}
    g.put_rest_api(restApiId=made["id"], mode="merge", body=json.dumps(document).encode())
    after = {r["path"]: r["id"] for r in g.get_resources(restApiId=made["id"])["items"]}
    assert set(after) == {"/", "/pets", "/pets/{id}", "/new"} and after["/pets"] == before["/pets"]
    g.put_rest_api(restApiId=made["id"], mode="overwrite", body=json.dumps(document).encode())
    after = {r["path"]: r for r in g.get_resources(restApiId=made["id"])["items"]}
    assert set(after) == {"/", "/new"} and list(after["/new"]["resourceMethods"]) == ["ANY"]
    assert refused(g.import_rest_api, body=b"{]")[0] == "BadRequestException"
    assert refused(g.import_rest_api, body=b'{"swagger": "1.0"}')[0] == "BadRequestException"
    g.delete_rest_api(restApiId=made["id"])


# ---- logs, restart ----

def test_logs(api, client, name):
    iam = client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                 "Principal": {"Service": "apigateway.amazonaws.com"}}]}))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))
    api.g.update_account(patchOperations=[
        {"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Role"]["Arn"]}])
    api.mock(api.root, template="hello")
    api.deploy()
    client("logs").create_log_group(logGroupName=name)
    api.g.update_stage(restApiId=api.id, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
        {"op": "replace", "path": "/*/*/logging/dataTrace", "value": "true"},
        {"op": "replace", "path": "/accessLogSettings/destinationArn",
         "value": "arn:aws:logs:%s:%s:log-group:%s" % (REGION, ACCOUNT, name)},
        {"op": "replace", "path": "/accessLogSettings/format",
         "value": "$context.requestId $context.status $context.resourcePath."}])
    request_id = api.call("GET", "/")[1]["x-amzn-RequestId"]

    def lines(group):
        for _ in range(200):
            try:
                events = client("logs").filter_log_events(logGroupName=group)["events"]
            except client("logs").exceptions.ResourceNotFoundException:
                events = []
            if events:
                return [e["message"] for e in events]
            time.sleep(0.05)
        raise AssertionError("nothing in " + group)

    execution = lines("API-Gateway-Execution-Logs_%s/prod" % api.id)
    assert all(line.startswith("(%s) " % request_id) for line in execution)
    texts = [line.split(") ", 1)[1] for line in execution]
    assert "Starting execution for request: " + request_id in texts
    assert "HTTP Method: GET, Resource Path: /" in texts
    assert "Method response body after transformations: hello" in texts
    assert texts[-1] == "Method completed with status: 200"
    assert lines(name) == ["%s 200 /." % request_id]


def test_restart_keeps_everything(wolke_server):
    server = wolke_server()
    api = Api(server, server.client, "kept")
    api.mock(api.root, template="kept")
    api.deploy()
    server.kill()
    server.start()
    assert api.call("GET", "/")[2] == b"kept"
    assert Api.__init__ and server.client("apigateway").get_rest_api(restApiId=api.id)["name"] == "kept"
