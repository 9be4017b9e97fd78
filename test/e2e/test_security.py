"""Signatures and policies as clients meet them, on a server that enforces IAM."""
import http.client
import json
import urllib.error
import urllib.request
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Wolke


@pytest.fixture(scope="module")
def server():
    running = Wolke("--iam", "enforce", "--clock", "manual")
    yield running
    running.close()


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*"):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def new_user(server, *statements):
    iam, name = server.client("iam"), "u" + uuid.uuid4().hex[:12]
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, lambda service: server.client(
        service, key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def fetch(url, method="GET", body=None):
    try:
        with urllib.request.urlopen(
                urllib.request.Request(url, data=body, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_wrong_secret(server):
    code, message = refused(server.client("sts", secret="wrong").get_caller_identity)
    assert code == "SignatureDoesNotMatch"
    assert "Check your AWS Secret Access Key and signing method" in message


def test_user_needs_a_policy(server):
    name, client = new_user(server)
    arn = "arn:aws:iam::%s:user/%s" % (ACCOUNT, name)
    assert client("sts").get_caller_identity()["Arn"] == arn
    code, message = refused(client("lambda").list_functions)
    assert code == "AccessDeniedException"
    assert message == (
        "User: %s is not authorized to perform: lambda:ListFunctions on resource: * because no "
        "identity-based policy allows the lambda:ListFunctions action" % arn)
    server.client("iam").put_user_policy(
        UserName=name, PolicyName="p", PolicyDocument=document(allow("lambda:List*")))
    assert client("lambda").list_functions()["Functions"] == []


def test_explicit_deny_wins(server):
    name, client = new_user(
        server, allow("*"), {"Effect": "Deny", "Action": "lambda:*", "Resource": "*"})
    code, message = refused(client("lambda").list_functions)
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_malformed_policy(server):
    name, _ = new_user(server)
    put = server.client("iam").put_user_policy
    no_resource = document({"Effect": "Allow", "Action": "lambda:List*"})
    assert refused(put, UserName=name, PolicyName="p", PolicyDocument=no_resource) == (
        "MalformedPolicyDocument", "Policy statement must contain resources.")
    assert refused(put, UserName=name, PolicyName="p", PolicyDocument="{}") == (
        "MalformedPolicyDocument", "Syntax errors in policy.")


def test_trust_of_the_account_asks_its_policies(server):
    name, client = new_user(server)
    role = server.client("iam").create_role(
        RoleName="r" + name, AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}))["Role"]
    assume = client("sts").assume_role
    assert refused(assume, RoleArn=role["Arn"], RoleSessionName="session")[0] == "AccessDenied"
    server.client("iam").put_user_policy(
        UserName=name, PolicyName="p",
        PolicyDocument=document(allow("sts:AssumeRole", role["Arn"])))
    session = assume(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    me = server.client("sts", key=session["AccessKeyId"], secret=session["SecretAccessKey"],
                       token=session["SessionToken"]).get_caller_identity()
    assert me["Arn"] == "arn:aws:sts::%s:assumed-role/r%s/session" % (ACCOUNT, name)


def signing(server, version):
    return server.client(
        "s3", config=Config(signature_version=version, s3={"addressing_style": "path"}))


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_url(server, version):
    bucket, key = "b" + uuid.uuid4().hex[:12], "a b/\u00e4:+~"
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    signer = signing(server, version)
    url = signer.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=300)
    assert fetch(url) == (200, b"hello")
    status, body = fetch(url, method="DELETE")
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
    put = signer.generate_presigned_url(
        "put_object", Params={"Bucket": bucket, "Key": "new"}, ExpiresIn=300)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("PUT", put[len(server.endpoint):], b"put")
    assert connection.getresponse().status == 200
    assert s3.get_object(Bucket=bucket, Key="new")["Body"].read() == b"put"


class Chunked(botocore.auth.S3SigV4Auth):
    """Signs the head of an upload whose body comes in chunks."""

    def payload(self, request):
        return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    def _should_sha256_sign_payload(self, request):
        return False


@pytest.mark.parametrize("body, status", [
    (b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 200),
    (b"2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 200),
    (b"5\r\nhellp\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 400),
    (b"5\r\nhello\r\n0\r\nx-amz-acl:public-read\r\n\r\n", 403),
    (b"5\r\nhel", 403),
])
def test_chunked_upload(server, body, status):
    bucket = "b" + uuid.uuid4().hex[:12]
    server.client("s3").create_bucket(Bucket=bucket)
    request = botocore.awsrequest.AWSRequest(
        "PUT", "%s/%s/key" % (server.endpoint, bucket), headers={
            "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "5",
            "content-encoding": "aws-chunked"})
    credentials = botocore.credentials.Credentials(ACCOUNT, server.secret)
    Chunked(credentials, "s3", "us-east-1").add_auth(request)
    headers = {k: v for k, v in request.headers.items()}
    headers["Content-Length"] = str(len(body))
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("PUT", "/%s/key" % bucket, body, headers)
    assert connection.getresponse().status == status
    if status == 200:
        got = server.client("s3").get_object(Bucket=bucket, Key="key")
        assert got["Body"].read() == b"hello"
    else:
        assert refused(server.client("s3").get_object, Bucket=bucket, Key="key")[0] == "NoSuchKey"


def test_presigned_url_expires(server):
    """Last, for it moves the clock."""
    bucket = "b" + uuid.uuid4().hex[:12]
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    urls = [signing(server, v).generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60) for v in ("s3", "s3v4")]
    assert [fetch(url)[0] for url in urls] == [404, 404]
    server.advance(3600)
    for url in urls:
        status, body = fetch(url)
        assert status == 403
        assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
