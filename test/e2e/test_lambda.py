"""Functions as their owners manage them: creation, versions, permissions, limits, what is kept."""
import base64
import io
import json
import time
import urllib.request
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, LOGS_ONLY, PATIENCE_S, REGION, TRUST, make_role, zip_of

ECHO = "def handler(event, context):\n    return {'version': context.function_version, 'event': event}\n"


@pytest.fixture
def fn(client):
    return client("lambda")


def failure(call, **kw):
    """(code, message) of the error that the call ends in."""
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def start_again(server):
    """After a kill -9: the port is free when the killed server's sandboxes are gone."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return server.start()
        except RuntimeError as e:
            if "Address already in use" not in str(e) or time.monotonic() > end:
                raise
        time.sleep(0.1)


def arn(name, account=ACCOUNT):
    return "arn:aws:lambda:%s:%s:function:%s" % (REGION, account, name)


def run(fn, name, event=None, **kw):
    r = fn.invoke(FunctionName=name, Payload=json.dumps(event or {}), **kw)
    return r, json.loads(r["Payload"].read())


# --- functions -----------------------------------------------------------------------------------


def test_create_get_update_delete(fn, role, name):
    code = zip_of({"app.py": ECHO})
    made = fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                              Code={"ZipFile": code}, Description="first", Tags={"a": "b"},
                              Environment={"Variables": {"KEY": "v"}})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionArn"] == arn(name) and made["Version"] == "$LATEST" and made["CodeSize"] == len(code)
    fn.get_waiter("function_active_v2").wait(FunctionName=name)
    got = fn.get_function(FunctionName=name)
    c = got["Configuration"]
    assert (c["State"], c["LastUpdateStatus"], c["Timeout"], c["MemorySize"]) == ("Active", "Successful", 3, 128)
    assert c["EphemeralStorage"] == {"Size": 512} and c["TracingConfig"] == {"Mode": "PassThrough"}
    assert c["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name}
    assert c["Environment"] == {"Variables": {"KEY": "v"}} and got["Tags"] == {"a": "b"}
    assert urllib.request.urlopen(got["Code"]["Location"]).read() == code
    changed = fn.update_function_configuration(FunctionName=name, Timeout=7, Environment={"Variables": {}},
                                               RevisionId=c["RevisionId"])
    fn.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert changed["Timeout"] == 7 and "Environment" not in changed and changed["RevisionId"] != c["RevisionId"]
    assert failure(fn.update_function_configuration, FunctionName=name, Timeout=8, RevisionId=c["RevisionId"])[0] \
        == "PreconditionFailedException"
    assert failure(fn.update_function_code, FunctionName=name, ZipFile=code, RevisionId=c["RevisionId"])[0] \
        == "PreconditionFailedException"
    new = fn.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": ECHO + "#"}), DryRun=True)
    assert new["CodeSha256"] != c["CodeSha256"]
    assert fn.get_function_configuration(FunctionName=name)["CodeSha256"] == c["CodeSha256"]
    fn.delete_function(FunctionName=name)
    assert failure(fn.get_function, FunctionName=name) == ("ResourceNotFoundException",
                                                           "Function not found: " + arn(name))
    assert failure(fn.delete_function, FunctionName=name)[0] == "ResourceNotFoundException"


def test_names_and_arns(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    for form in (name, arn(name), ACCOUNT + ":function:" + name):
        assert fn.get_function_configuration(FunctionName=form)["FunctionName"] == name
    assert fn.get_function_configuration(FunctionName=name + ":$LATEST")["FunctionArn"] == arn(name) + ":$LATEST"
    assert failure(fn.get_function, FunctionName=name + ":1", Qualifier="2")[0] == "InvalidParameterValueException"
    assert failure(fn.get_function, FunctionName=name, Qualifier="9")[1] == "Function not found: " + arn(name) + ":9"


def test_created_twice(fn, make_function, role, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    assert failure(fn.create_function, FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                   Code={"ZipFile": zip_of({"app.py": ECHO})}) \
        == ("ResourceConflictException", "Function already exist: " + name)


def test_list_pages(wolke, role, name):
    fn = wolke.client("lambda", region="eu-north-1")
    names = ["%s-%d" % (name, i) for i in range(5)]
    for n in names:
        fn.create_function(FunctionName=n, Runtime="python3.12", Handler="app.handler", Role=role,
                           Code={"ZipFile": zip_of({"app.py": ECHO})}, Publish=n.endswith("2"))
    pages = list(fn.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(p["Functions"]) for p in pages] == [2, 2, 1]
    assert [f["FunctionName"] for p in pages for f in p["Functions"]] == names
    everything = [(f["FunctionName"], f["Version"]) for p in fn.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", PaginationConfig={"PageSize": 2}) for f in p["Functions"]]
    assert everything == [(names[0], "$LATEST"), (names[1], "$LATEST"), (names[2], "$LATEST"), (names[2], "1"),
                          (names[3], "$LATEST"), (names[4], "$LATEST")]
    assert failure(fn.list_functions, Marker="no")[0] == "InvalidParameterValueException"
    for n in names:
        fn.delete_function(FunctionName=n)


def test_tags(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name, Tags={"a": "1"})
    fn.tag_resource(Resource=arn(name), Tags={"b": "2", "c": "3"})
    fn.untag_resource(Resource=arn(name), TagKeys=["a", "c"])
    assert fn.list_tags(Resource=arn(name))["Tags"] == {"b": "2"}
    fn.tag_resource(Resource=arn(name), Tags={"t%d" % i: "x" for i in range(49)})
    assert failure(fn.tag_resource, Resource=arn(name), Tags={"one": "more"})[0] == "InvalidParameterValueException"
    assert failure(fn.list_tags, Resource=arn("absent" + name))[0] == "ResourceNotFoundException"


def test_concurrency(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    settings = fn.get_account_settings()
    free = settings["AccountLimit"]["UnreservedConcurrentExecutions"]
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000 and settings["AccountUsage"]["FunctionCount"] > 0
    assert failure(fn.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=free - 99)[1] == \
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution " \
        "below its minimum value of [100]."
    assert fn.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=free - 100)[
        "ReservedConcurrentExecutions"] == free - 100
    assert fn.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": free - 100}
    fn.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(fn.exceptions.TooManyRequestsException) as e:
        fn.invoke(FunctionName=name)
    assert e.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    fn.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in fn.get_function_concurrency(FunctionName=name)
    assert run(fn, name)[0]["StatusCode"] == 200


def test_roles(fn, client, name):
    code = {"ZipFile": zip_of({"app.py": ECHO})}
    settings = {"FunctionName": name, "Runtime": "python3.12", "Handler": "app.handler", "Code": code}
    refused = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
    assert failure(fn.create_function, Role="arn:aws:iam::%s:role/absent-%s" % (ACCOUNT, name), **settings) == refused
    other = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST.replace("lambda", "ec2"))
    assert failure(fn.create_function, Role=other["Role"]["Arn"], **settings) == refused
    client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=TRUST)
    fn.create_function(Role=other["Role"]["Arn"], **settings)
    fn.delete_function(FunctionName=name)


# --- limits: at the limit and one past it --------------------------------------------------------


def test_limits_of_settings(fn, role, make_function, name):
    code = {"ZipFile": zip_of({"app.py": ECHO})}
    settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": role, "Code": code}
    longest = (name + "x" * 64)[:64]
    make_function({"app.py": ECHO}, FunctionName=longest, Timeout=900, MemorySize=10240,
                  EphemeralStorage={"Size": 10240}, Description="d" * 256)
    code_name, text = failure(fn.create_function, FunctionName=longest + "x", **settings)
    assert code_name == "ValidationException" and "length less than or equal to 64" in text
    for bad, text in (({"Timeout": 901}, "less than or equal to 900"),
                      ({"MemorySize": 10241}, "'MemorySize' value failed to satisfy constraint: Member must have value "
                                              "less than or equal to 10240"),
                      ({"EphemeralStorage": {"Size": 10241}}, "less than or equal to 10240"),
                      ({"Description": "d" * 257}, "less than or equal to 256")):
        assert text in failure(fn.update_function_configuration, FunctionName=longest, **bad)[1]
    overhead = len(json.dumps({"KEY": ""}, separators=(",", ":")))
    fn.update_function_configuration(FunctionName=longest, Environment={"Variables": {"KEY": "v" * (4096 - overhead)}})
    text = failure(fn.update_function_configuration, FunctionName=longest,
                   Environment={"Variables": {"KEY": "v" * (4097 - overhead)}})[1]
    assert text.startswith("Lambda was unable to configure your environment variables because the environment "
                           "variables you have provided exceeded the 4KB limit. String measured: {\"KEY\":\"vvv")
    assert "reserved keys" in failure(fn.update_function_configuration, FunctionName=longest,
                                      Environment={"Variables": {"AWS_REGION": "x"}})[1]


def test_limits_of_payloads(fn, make_function, name):
    make_function({"app.py": "def handler(event, context):\n    return len(event)\n"}, FunctionName=name,
                  MemorySize=1024, Timeout=30)
    def text(n):
        return json.dumps("x" * (n - 2))
    assert json.loads(fn.invoke(FunctionName=name, Payload=text(6291456))["Payload"].read()) == 6291454
    code, message = failure(fn.invoke, FunctionName=name, Payload=text(6291457))
    assert message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    assert fn.invoke(FunctionName=name, Payload=text(1048576), InvocationType="Event")["StatusCode"] == 202
    code, message = failure(fn.invoke, FunctionName=name, Payload=text(1048577), InvocationType="Event")
    assert message == "Request must be smaller than 1048576 bytes for the InvokeFunction operation"


def test_limits_of_packages(fn, role, make_function, name):
    """Zeros pack well: a small zip at the limit of what it may unpack to, and one byte past it."""
    def zeros(n):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
            z.writestr("app.py", ECHO)
            with z.open("zeros", "w") as f:
                for at in range(0, n, 1 << 20):
                    f.write(bytes(min(1 << 20, n - at)))
        return out.getvalue()
    make_function({"app.py": ECHO}, FunctionName=name)
    fn.update_function_code(FunctionName=name, ZipFile=zeros(262144000 - len(ECHO)))
    assert failure(fn.update_function_code, FunctionName=name, ZipFile=zeros(262144001 - len(ECHO)))[1] == \
        "Unzipped size must be smaller than 262144000 bytes"
    for bad in (b"not a zip", zip_of({"../up.py": ECHO})):
        assert failure(fn.update_function_code, FunctionName=name, ZipFile=bad)[1] == \
            "Could not unzip uploaded file. Please check your file, then try to upload again."


def test_direct_upload_limit(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    def stored(total):
        def pack(n):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
                z.writestr("app.py", ECHO)
                z.writestr("bytes", b"x" * n)
            return out.getvalue()
        return pack(total - len(pack(0)))
    assert len(stored(52428800)) == 52428800
    fn.update_function_code(FunctionName=name, ZipFile=stored(52428800))
    assert failure(fn.update_function_code, FunctionName=name, ZipFile=stored(52428801))[0].startswith("Request")


# --- versions ------------------------------------------------------------------------------------


def test_versions(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name, Description="mine")
    latest = fn.get_function_configuration(FunctionName=name)
    assert "is different from current CodeSHA256" in failure(fn.publish_version, FunctionName=name,
                                                             CodeSha256="no")[1]
    assert failure(fn.publish_version, FunctionName=name, RevisionId=str(uuid.uuid4()))[0] == \
        "PreconditionFailedException"
    one = fn.publish_version(FunctionName=name, CodeSha256=latest["CodeSha256"], RevisionId=latest["RevisionId"],
                             Description="one")
    assert (one["Version"], one["Description"], one["FunctionArn"]) == ("1", "one", arn(name) + ":1")
    assert fn.publish_version(FunctionName=name)["Version"] == "1"
    fn.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    assert fn.publish_version(FunctionName=name)["Version"] == "1"
    fn.update_function_configuration(FunctionName=name, Description="second")
    assert fn.publish_version(FunctionName=name)["Version"] == "2"
    assert fn.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": ECHO + "\n"}),
                                   Publish=True)["Version"] == "3"
    assert fn.get_function_configuration(FunctionName=name, Qualifier="1")["Description"] == "one"
    assert [v["Version"] for v in fn.list_versions_by_function(FunctionName=name)["Versions"]] == \
        ["$LATEST", "1", "2", "3"]
    pages = list(fn.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}))
    assert [[v["Version"] for v in p["Versions"]] for p in pages] == [["$LATEST"], ["1"], ["2"], ["3"]]
    r, answer = run(fn, name, Qualifier="2")
    assert r["ExecutedVersion"] == "2" == answer["version"]
    fn.delete_function(FunctionName=name, Qualifier="2")
    assert failure(fn.invoke, FunctionName=name, Qualifier="2")[0] == "ResourceNotFoundException"
    fn.update_function_configuration(FunctionName=name, Description="fourth")
    assert fn.publish_version(FunctionName=name)["Version"] == "4"
    assert failure(fn.delete_function, FunctionName=name, Qualifier="$LATEST")[1] == \
        "$LATEST version cannot be deleted without deleting the function."


# --- invocation ----------------------------------------------------------------------------------


def test_invoke(fn, make_function, name):
    make_function({"app.py": "def handler(event, context):\n    print('seen')\n    return event\n"}, FunctionName=name)
    r, answer = run(fn, name, {"a": 1}, LogType="Tail")
    assert (r["StatusCode"], r["ExecutedVersion"], answer) == (200, "$LATEST", {"a": 1})
    assert b"seen" in base64.b64decode(r["LogResult"])
    assert fn.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert fn.invoke(FunctionName=name, InvocationType="Event")["StatusCode"] == 202
    assert fn.invoke_async(FunctionName=name, InvokeArgs=b'{"a": 1}')["Status"] == 202
    assert failure(fn.invoke, FunctionName=name, Payload=b"{no")[0] == "InvalidRequestContentException"
    assert failure(fn.invoke, FunctionName=name, ClientContext="@@@")[0] == "InvalidRequestContentException"
    assert failure(fn.invoke, FunctionName=name + "x")[1] == "Function not found: " + arn(name + "x")


def test_function_error(fn, make_function, name):
    make_function({"app.py": "def handler(event, context):\n    raise ValueError('no')\n"}, FunctionName=name)
    r, answer = run(fn, name)
    assert r["FunctionError"] == "Unhandled" and (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no")


# --- permissions ---------------------------------------------------------------------------------


def test_permissions(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    assert failure(fn.get_policy, FunctionName=name) == ("ResourceNotFoundException",
                                                         "The resource you requested does not exist.")
    s = fn.add_permission(FunctionName=name, StatementId="one", Action="lambda:InvokeFunction",
                          Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT)
    assert json.loads(s["Statement"]) == {
        "Sid": "one", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn(name),
        "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}}}
    for sid, more, condition in (
            ("org", {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
             {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
            ("token", {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "t"},
             {"StringEquals": {"lambda:EventSourceToken": "t"}}),
            ("url", {"Principal": "*", "FunctionUrlAuthType": "NONE", "Action": "lambda:InvokeFunctionUrl"},
             {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
            ("via", {"Principal": "*", "InvokedViaFunctionUrl": True},
             {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
            ("account", {"Principal": "111122223333"}, None)):
        s = fn.add_permission(**{"FunctionName": name, "StatementId": sid, "Action": "lambda:InvokeFunction", **more})
        assert json.loads(s["Statement"]).get("Condition") == condition
    got = fn.get_policy(FunctionName=name)
    policy = json.loads(got["Policy"])
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "default")
    assert [s["Sid"] for s in policy["Statement"]] == ["one", "org", "token", "url", "via", "account"]
    assert policy["Statement"][-1]["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert got["RevisionId"] == fn.get_function_configuration(FunctionName=name)["RevisionId"]
    assert failure(fn.add_permission, FunctionName=name, StatementId="one", Action="lambda:InvokeFunction",
                   Principal="*") == ("ResourceConflictException",
                                      "The statement id (one) provided already exists. Please provide a new "
                                      "statement id, or remove the existing statement.")
    assert failure(fn.add_permission, FunctionName=name, StatementId="x", Action="lambda:InvokeFunction",
                   Principal="nobody")[1].startswith("The provided principal was invalid.")
    assert failure(fn.add_permission, FunctionName=name, StatementId="x", Action="lambda:InvokeFunction",
                   Principal="*", RevisionId=str(uuid.uuid4()))[0] == "PreconditionFailedException"
    assert failure(fn.add_permission, FunctionName=name, StatementId="x", Action="lambda:InvokeFunction",
                   Principal="*", Qualifier="$LATEST")[1] == "We currently do not support adding policies for $LATEST."
    assert failure(fn.remove_permission, FunctionName=name, StatementId="no") == (
        "ResourceNotFoundException", "Statement no is not found in resource policy.")
    for s in policy["Statement"]:
        fn.remove_permission(FunctionName=name, StatementId=s["Sid"])
    assert failure(fn.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


def test_policy_length(fn, make_function, name):
    make_function({"app.py": ECHO}, FunctionName=name)
    with pytest.raises(fn.exceptions.PolicyLengthExceededException):
        for i in range(40):
            fn.add_permission(FunctionName=name, StatementId="s%d" % i, Action="lambda:InvokeFunction",
                              Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + "b" * 700)


# --- aliases -------------------------------------------------------------------------------------


@pytest.fixture
def versions(fn, make_function, name):
    """A function with the versions 1, 2 and 3."""
    make_function({"app.py": ECHO}, FunctionName=name)
    for n in range(1, 4):
        fn.update_function_configuration(FunctionName=name, Description=str(n))
        fn.publish_version(FunctionName=name)
    return name


def test_alias_life(fn, versions):
    a = fn.create_alias(FunctionName=versions, Name="live", FunctionVersion="1", Description="d")
    assert (a["AliasArn"], a["FunctionVersion"]) == (arn(versions) + ":live", "1")
    assert failure(fn.create_alias, FunctionName=versions, Name="live", FunctionVersion="1") == (
        "ResourceConflictException", "Alias already exists: " + arn(versions) + ":live")
    assert failure(fn.create_alias, FunctionName=versions, Name="x", FunctionVersion="9") == (
        "ResourceNotFoundException", "Function not found: " + arn(versions) + ":9")
    assert failure(fn.create_alias, FunctionName=versions, Name="12", FunctionVersion="1")[0] == "ValidationException"
    assert failure(fn.get_alias, FunctionName=versions, Name="no") == (
        "ResourceNotFoundException", "Cannot find alias arn: " + arn(versions) + ":no")
    assert failure(fn.update_alias, FunctionName=versions, Name="no", FunctionVersion="1") == (
        "ResourceNotFoundException", "Alias not found: " + arn(versions) + ":no")
    assert failure(fn.update_alias, FunctionName=versions, Name="live", FunctionVersion="2",
                   RevisionId=str(uuid.uuid4()))[0] == "PreconditionFailedException"
    b = fn.update_alias(FunctionName=versions, Name="live", FunctionVersion="2", RevisionId=a["RevisionId"])
    assert b["RevisionId"] != a["RevisionId"] and b["Description"] == "d"
    got = fn.get_alias(FunctionName=versions, Name="live")
    got.pop("ResponseMetadata"), b.pop("ResponseMetadata")
    assert got == b
    fn.create_alias(FunctionName=versions, Name="old", FunctionVersion="1")
    assert [x["Name"] for x in fn.list_aliases(FunctionName=versions)["Aliases"]] == ["live", "old"]
    assert [x["Name"] for x in fn.list_aliases(FunctionName=versions, FunctionVersion="1")["Aliases"]] == ["old"]
    pages = fn.get_paginator("list_aliases").paginate(FunctionName=versions, PaginationConfig={"PageSize": 1})
    assert [[x["Name"] for x in p["Aliases"]] for p in pages] == [["live"], ["old"]]
    assert failure(fn.delete_function, FunctionName=versions, Qualifier="1")[0] == "ResourceConflictException"
    fn.delete_alias(FunctionName=versions, Name="old")
    fn.delete_alias(FunctionName=versions, Name="old")
    fn.delete_function(FunctionName=versions, Qualifier="1")
    assert failure(fn.delete_function, FunctionName=versions, Qualifier="live")[1] == \
        "Deletion of aliases is not currently supported."


def test_alias_as_qualifier(fn, versions):
    fn.create_alias(FunctionName=versions, Name="live", FunctionVersion="2")
    c = fn.get_function_configuration(FunctionName=versions, Qualifier="live")
    assert (c["Version"], c["FunctionArn"], c["Description"]) == ("2", arn(versions) + ":live", "2")
    for kw in ({"FunctionName": versions, "Qualifier": "live"}, {"FunctionName": versions + ":live"},
               {"FunctionName": arn(versions) + ":live"}):
        r, answer = run(fn, kw.pop("FunctionName"), **kw)
        assert r["ExecutedVersion"] == "2" == answer["version"]
    fn.add_permission(FunctionName=versions, Qualifier="live", StatementId="s", Action="lambda:InvokeFunction",
                      Principal="*", RevisionId=fn.get_alias(FunctionName=versions, Name="live")["RevisionId"])
    statement = json.loads(fn.get_policy(FunctionName=versions, Qualifier="live")["Policy"])["Statement"][0]
    assert statement["Resource"] == arn(versions) + ":live"
    assert failure(fn.get_policy, FunctionName=versions)[0] == "ResourceNotFoundException"
    fn.delete_alias(FunctionName=versions, Name="live")
    assert failure(fn.invoke, FunctionName=versions, Qualifier="live")[0] == "ResourceNotFoundException"
    fn.create_alias(FunctionName=versions, Name="live", FunctionVersion="2")
    assert failure(fn.get_policy, FunctionName=versions, Qualifier="live")[0] == "ResourceNotFoundException"


def test_alias_weights(fn, versions):
    def weights(**w):
        return {"AdditionalVersionWeights": w}
    fn.create_alias(FunctionName=versions, Name="live", FunctionVersion="1", RoutingConfig=weights(**{"2": 0.5}))
    seen = [fn.invoke(FunctionName=versions, Qualifier="live")["ExecutedVersion"] for _ in range(60)]
    assert set(seen) == {"1", "2"}
    fn.update_alias(FunctionName=versions, Name="live", RoutingConfig=weights(**{"3": 1.0}))
    assert {fn.invoke(FunctionName=versions, Qualifier="live")["ExecutedVersion"] for _ in range(5)} == {"3"}
    bad = fn.update_alias
    kw = {"FunctionName": versions, "Name": "live"}
    assert failure(bad, RoutingConfig=weights(**{"2": 0.1, "3": 0.1}), **kw)[1] == \
        "Number of items in AdditionalVersionWeights cannot be greater than 1"
    assert failure(bad, RoutingConfig=weights(**{"1": 0.1}), **kw)[1] == \
        "Invalid function version 1. Function version 1 is already included in routing configuration."
    assert failure(bad, RoutingConfig=weights(**{"9": 0.1}), **kw)[1] == "Function not found: " + arn(versions) + ":9"
    assert failure(bad, RoutingConfig=weights(**{"2": 1.1}), **kw)[0] == "ValidationException"
    assert failure(bad, FunctionVersion="$LATEST", RoutingConfig=weights(**{"2": 0.1}), **kw)[1] == \
        "$LATEST is not supported for an alias pointing to more than 1 version"
    fn.update_alias(RoutingConfig={}, **kw)
    assert "RoutingConfig" not in fn.get_alias(**kw)


# --- other configurations ------------------------------------------------------------------------


def test_recursion_and_runtime_management(fn, versions):
    assert fn.get_function_recursion_config(FunctionName=versions)["RecursiveLoop"] == "Terminate"
    fn.put_function_recursion_config(FunctionName=versions, RecursiveLoop="Allow")
    assert fn.get_function_recursion_config(FunctionName=versions)["RecursiveLoop"] == "Allow"
    got = fn.get_runtime_management_config(FunctionName=versions)
    assert (got["UpdateRuntimeOn"], got["FunctionArn"]) == ("Auto", arn(versions) + ":$LATEST")
    fn.put_runtime_management_config(FunctionName=versions, Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
    assert fn.get_runtime_management_config(FunctionName=versions, Qualifier="1")["UpdateRuntimeOn"] == "FunctionUpdate"
    assert fn.get_runtime_management_config(FunctionName=versions)["UpdateRuntimeOn"] == "Auto"
    assert failure(fn.put_runtime_management_config, FunctionName=versions, UpdateRuntimeOn="Manual")[0] == \
        "InvalidParameterValueException"


def test_recursive_loop_is_stopped(wolke, make_function, name):
    """The lineage in the trace header counts; sixteen times in a chain of events are the end."""
    make_function({"app.py": "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"},
                  FunctionName=name)
    fn = wolke.client("lambda")
    carried = {}
    fn.meta.events.register("before-sign.lambda.Invoke", lambda request, **kw: [
        request.headers.__setitem__(k, v) for k, v in carried.items()])
    carried["X-Amzn-Trace-Id"] = "Root=1-645f7998-4b1e232810b0bb733dba2eab;Parent=5be88d12eefc1fc0;Sampled=1"
    for n in range(16):
        trace = run(fn, name)[1]
        parts = dict(p.split("=", 1) for p in trace.split(";"))
        assert parts["Root"] == "1-645f7998-4b1e232810b0bb733dba2eab" and parts["Sampled"] == "1"
        assert parts["Lineage"].endswith(":%d" % n)
        carried["X-Amzn-Trace-Id"] = trace
    assert failure(fn.invoke, FunctionName=name) == (
        "RecursiveInvocationException", "Lambda has detected your function being invoked in a recursive loop with "
                                        "other AWS resources and stopped your function's invocation.")
    fn.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert "Lineage=" in run(fn, name)[1]
    carried.clear()
    fn.put_function_recursion_config(FunctionName=name, RecursiveLoop="Terminate")
    assert run(fn, name)[1].endswith(":0")


def test_everything_is_kept_and_deleted(wolke_server, name):
    server = wolke_server()
    fn = server.client("lambda")
    role = make_role(server.client("iam"), name, LOGS_ONLY)
    fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role, Tags={"k": "v"},
                       Code={"ZipFile": zip_of({"app.py": ECHO})}, Publish=True)
    fn.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    fn.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    fn.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    fn.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    url = fn.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]

    def state():
        parts = [fn.get_function(FunctionName=name), fn.get_policy(FunctionName=name),
                 fn.get_alias(FunctionName=name, Name="live"),
                 fn.get_function_event_invoke_config(FunctionName=name),
                 fn.get_function_url_config(FunctionName=name), fn.list_versions_by_function(FunctionName=name)]
        for p in parts:
            p.pop("ResponseMetadata")
        parts[0]["Code"].pop("Location")
        return parts

    before = state()
    server.restart()
    assert state() == before and before[4]["FunctionUrl"] == url
    assert run(fn, name, Qualifier="live")[1]["version"] == "1"
    server.kill()
    start_again(server)
    assert state() == before
    fn.delete_function(FunctionName=name)
    fn.create_function(FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=role,
                       Code={"ZipFile": zip_of({"app.py": ECHO})})
    for call, kw in ((fn.get_policy, {}), (fn.get_alias, {"Name": "live"}), (fn.get_function_url_config, {}),
                     (fn.get_function_event_invoke_config, {}), (fn.get_function, {"Qualifier": "1"})):
        assert failure(call, FunctionName=name, **kw)[0] == "ResourceNotFoundException"
