"""Layers: publication, permissions, and functions that find them below /opt."""
import io
import json
import urllib.request
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, make_role, zip_of


@pytest.fixture
def fn(client):
    return client("lambda")


def failure(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def layer_arn(name, version=None, account=ACCOUNT):
    return "arn:aws:lambda:%s:%s:layer:%s" % (REGION, account, name) + (":%d" % version if version else "")


def publish(fn, name, files, **kw):
    return fn.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of(files)}, **kw)


def invoke(fn, name, event=None):
    r = fn.invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.loads(r["Payload"].read())


def test_life(fn, name):
    code = zip_of({"python/a.py": "A = 1\n"})
    made = fn.publish_layer_version(LayerName=name, Content={"ZipFile": code}, Description="d", LicenseInfo="MIT",
                                    CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (layer_arn(name), layer_arn(name, 1), 1)
    assert made["Content"]["CodeSize"] == len(code)
    assert urllib.request.urlopen(made["Content"]["Location"]).read() == code
    for got in (fn.get_layer_version(LayerName=name, VersionNumber=1),
                fn.get_layer_version(LayerName=layer_arn(name), VersionNumber=1),
                fn.get_layer_version_by_arn(Arn=layer_arn(name, 1))):
        assert (got["Description"], got["LicenseInfo"], got["CompatibleRuntimes"], got["CompatibleArchitectures"]) == \
            ("d", "MIT", ["python3.12"], ["x86_64"])
        assert got["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert failure(fn.get_layer_version, LayerName=name, VersionNumber=2) == gone
    assert failure(fn.get_layer_version, LayerName=name, VersionNumber=0)[1] == "Layer Version Cannot be less than 1"
    assert publish(fn, name, {"x": "y"})["Version"] == 2
    fn.delete_layer_version(LayerName=name, VersionNumber=2)
    fn.delete_layer_version(LayerName=name, VersionNumber=2)
    assert failure(fn.get_layer_version, LayerName=name, VersionNumber=2) == gone
    assert publish(fn, name, {"x": "y"})["Version"] == 3


def test_lists(wolke):
    fn = wolke.client("lambda", region="eu-west-3")
    for layer, runtimes in (("a", ["python3.12"]), ("b", ["nodejs20.x"]), ("c", ["python3.12"]), ("a", ["nodejs20.x"]),
                            ("a", [])):
        fn.publish_layer_version(LayerName=layer, Content={"ZipFile": zip_of({"x": "y"})}, CompatibleRuntimes=runtimes,
                                 CompatibleArchitectures=["arm64"] if layer == "c" else [])
    def layers(**kw):
        return [(x["LayerName"], x["LatestMatchingVersion"]["Version"])
                for p in fn.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1}, **kw)
                for x in p["Layers"]]
    assert layers() == [("a", 3), ("b", 1), ("c", 1)]
    assert layers(CompatibleRuntime="python3.12") == [("a", 1), ("c", 1)]
    assert layers(CompatibleRuntime="nodejs20.x") == [("a", 2), ("b", 1)]
    assert layers(CompatibleArchitecture="arm64") == [("c", 1)]
    pages = fn.get_paginator("list_layer_versions").paginate(LayerName="a", PaginationConfig={"PageSize": 2})
    assert [[v["Version"] for v in p["LayerVersions"]] for p in pages] == [[3, 2], [1]]
    assert [v["Version"] for v in fn.list_layer_versions(LayerName="a", CompatibleRuntime="python3.12")[
        "LayerVersions"]] == [1]
    assert fn.list_layer_versions(LayerName="absent")["LayerVersions"] == []


def test_from_s3(fn, client, name):
    code = zip_of({"python/a.py": "A = 1\n"})
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="layer.zip", Body=code)
    made = fn.publish_layer_version(LayerName=name, Content={"S3Bucket": name, "S3Key": "layer.zip"})
    assert made["Content"]["CodeSize"] == len(code)
    assert "NoSuchKey" in failure(fn.publish_layer_version, LayerName=name,
                                  Content={"S3Bucket": name, "S3Key": "absent"})[1]


def test_permissions(wolke, fn, client, name):
    publish(fn, name, {"python/shared.py": "VALUE = 'shared'\n"})
    kw = {"LayerName": name, "VersionNumber": 1}
    assert failure(fn.get_layer_version_policy, **kw) == ("ResourceNotFoundException",
                                                          "No policy is associated with the given resource.")
    other = wolke.client("lambda", key="111122223333")
    s = fn.add_layer_version_permission(StatementId="one", Action="lambda:GetLayerVersion", Principal="111122223333",
                                        **kw)
    assert json.loads(s["Statement"]) == {"Sid": "one", "Effect": "Allow", "Action": "lambda:GetLayerVersion",
                                          "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                                          "Resource": layer_arn(name, 1)}
    got = fn.get_layer_version_policy(**kw)
    assert got["RevisionId"] == s["RevisionId"]
    assert [x["Sid"] for x in json.loads(got["Policy"])["Statement"]] == ["one"]
    assert failure(fn.add_layer_version_permission, StatementId="one", Action="lambda:GetLayerVersion", Principal="*",
                   **kw)[0] == "ResourceConflictException"
    assert failure(fn.add_layer_version_permission, StatementId="two", Action="lambda:GetLayerVersion", Principal="*",
                   RevisionId=str(uuid.uuid4()), **kw)[0] == "PreconditionFailedException"
    assert failure(fn.add_layer_version_permission, StatementId="two", Action="lambda:GetLayerVersion", Principal="*",
                   LayerName=name, VersionNumber=9) == (
        "ResourceNotFoundException", "Layer version %s does not exist." % layer_arn(name, 9))
    org = fn.add_layer_version_permission(StatementId="org", Action="lambda:GetLayerVersion", Principal="*",
                                          OrganizationId="o-1234567890", RevisionId=s["RevisionId"], **kw)
    assert json.loads(org["Statement"])["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    assert other.get_layer_version_by_arn(Arn=layer_arn(name, 1))["Version"] == 1
    for sid in ("one", "org"):
        fn.remove_layer_version_permission(StatementId=sid, **kw)
    assert failure(fn.remove_layer_version_permission, StatementId="one", **kw)[0] == "ResourceNotFoundException"
    assert failure(fn.get_layer_version_policy, **kw)[0] == "ResourceNotFoundException"


def test_other_account_is_refused_without_permission(wolke_server, name):
    server = wolke_server("--iam=enforce")
    mine, other = server.client("lambda"), server.client("lambda", key="111122223333")
    publish(mine, name, {"python/shared.py": "VALUE = 'shared'\n"})
    role = make_role(server.client("iam", key="111122223333"), name)
    settings = {"FunctionName": name, "Runtime": "python3.12", "Handler": "app.handler", "Role": role,
                "Code": {"ZipFile": zip_of({"app.py": "import shared\ndef handler(e, c):\n    return shared.VALUE\n"})},
                "Layers": [layer_arn(name, 1)]}
    assert failure(other.get_layer_version_by_arn, Arn=layer_arn(name, 1))[0] == "AccessDeniedException"
    assert failure(other.create_function, **settings)[0] == "AccessDeniedException"
    mine.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="s", Principal="111122223333",
                                      Action="lambda:GetLayerVersion")
    other.create_function(**settings)
    assert invoke(other, name) == "shared"


def test_functions_use_them(fn, make_function, name):
    """Python modules, in the order of the layers; what a deleted version held stays."""
    publish(fn, name + "-a", {"python/first.py": "VALUE = 'a'\n", "both": "a"})
    publish(fn, name + "-b", {"python/second.py": "VALUE = 'b'\n", "both": "b"})
    make_function({"app.py": """
import first, second
def handler(event, context):
    return [first.VALUE, second.VALUE, open("/opt/both").read()]
"""}, FunctionName=name, Layers=[layer_arn(name + "-a", 1), layer_arn(name + "-b", 1)])
    assert invoke(fn, name) == ["a", "b", "b"]
    c = fn.get_function_configuration(FunctionName=name)
    assert [x["Arn"] for x in c["Layers"]] == [layer_arn(name + "-a", 1), layer_arn(name + "-b", 1)]
    assert all(x["CodeSize"] > 0 for x in c["Layers"])
    fn.update_function_configuration(FunctionName=name, Layers=[layer_arn(name + "-b", 1), layer_arn(name + "-a", 1)])
    assert invoke(fn, name) == ["a", "b", "a"]
    for part in "ab":
        fn.delete_layer_version(LayerName=name + "-" + part, VersionNumber=1)
    fn.update_function_configuration(FunctionName=name, Description="environments anew")
    assert invoke(fn, name) == ["a", "b", "a"]
    assert failure(fn.update_function_configuration, FunctionName=name, Layers=[layer_arn(name + "-a", 1)]) == (
        "InvalidParameterValueException", "Layer version %s does not exist." % layer_arn(name + "-a", 1))
    fn.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in fn.get_function_configuration(FunctionName=name)
    assert "No module named 'first'" in invoke(fn, name)["errorMessage"]


def test_native_layer(fn, make_function, name):
    """Programs below /opt/bin are on the path; a bootstrap in a layer is the runtime."""
    publish(fn, name, {"bin/hello": (0o755, "#!/bin/sh\necho hello from a layer\n"),
                       "bootstrap": (0o755, """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while :; do
    curl -s -D /tmp/headers -o /dev/null $api/invocation/next
    id=$(tr -d '\\r' < /tmp/headers | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
    curl -s -o /dev/null -X POST --data-binary "\\"$(hello)\\"" $api/invocation/$id/response
done
""")})
    make_function({"anything": "x"}, FunctionName=name, Runtime="provided.al2023", MemorySize=1024,
                  Layers=[layer_arn(name, 1)])
    assert invoke(fn, name) == "hello from a layer"


def test_limits(fn, make_function, name):
    for i in range(6):
        publish(fn, "%s-%d" % (name, i), {"f%d" % i: "x"})
    arns = [layer_arn("%s-%d" % (name, i), 1) for i in range(6)]
    make_function({"app.py": "import os\ndef handler(e, c):\n    return sorted(os.listdir('/opt'))\n"},
                  FunctionName=name, Layers=arns[:5])
    assert invoke(fn, name) == ["f%d" % i for i in range(5)]
    change = fn.update_function_configuration
    assert failure(change, FunctionName=name, Layers=arns)[1] == "Cannot reference more than 5 layers."
    publish(fn, name + "-0", {"f": "y"})
    assert failure(change, FunctionName=name, Layers=[arns[0], layer_arn(name + "-0", 2)])[1] == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        "%s and %s are versions of the same layer." % (arns[0], layer_arn(name + "-0", 2)))
    assert "same region" in failure(change, FunctionName=name, Layers=[arns[0].replace(REGION, "eu-west-1")])[1]


def test_unpacked_size(fn, make_function, name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        with z.open("zeros", "w") as f:
            for _ in range(249):
                f.write(bytes(1 << 20))
    made = fn.publish_layer_version(LayerName=name, Content={"ZipFile": out.getvalue()})
    source = "def handler(e, c):\n    return 1\n"
    rest = 262144000 - (249 << 20)
    make_function({"app.py": source, "pad": "x" * (rest - len(source))}, FunctionName=name,
                  Layers=[made["LayerVersionArn"]])
    assert failure(fn.update_function_code, FunctionName=name,
                   ZipFile=zip_of({"app.py": source, "pad": "x" * (rest - len(source) + 1)}))[1] == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is "
        "262144001 bytes.")
