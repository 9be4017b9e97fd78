"""STS: who am I, assuming roles, sessions and what they may."""
import datetime
import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
ROOT = "arn:aws:iam::%s:root" % ACCOUNT


def trust(principal=None, actions="sts:AssumeRole", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        dict(Effect="Allow", Principal=principal or {"AWS": ROOT}, Action=actions, **more)]})


def allow(action, resource="*", effect="Allow", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        dict(Effect=effect, Action=action, Resource=resource, **more)]})


def fails(code, message, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code
    if message is not None:
        assert e.value.response["Error"]["Message"] == message
    return e.value.response["ResponseMetadata"]["HTTPStatusCode"]


class Cloud:
    """A server that enforces, a user, and short ways to roles."""

    def __init__(self, server):
        self.server = server
        self.iam = server.client("iam")
        self.user = self.iam.create_user(UserName="u", Path="/team/")["User"]
        self.iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=allow(
            ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:GetFederationToken"]))
        key = self.iam.create_access_key(UserName="u")["AccessKey"]
        self.key = key["AccessKeyId"], key["SecretAccessKey"]
        self.sts = self.client("sts", *self.key)

    def client(self, service, key, secret, token=None):
        return self.server.client(service, key=key, secret=secret, token=token)

    def role(self, name, policy=None, document=None, **kw):
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document or trust(),
                                   **kw)["Role"]["Arn"]
        if policy:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        return arn

    def assume(self, arn, service="sts", sts=None, **kw):
        c = (sts or self.sts).assume_role(RoleArn=arn, RoleSessionName="ss", **kw)["Credentials"]
        return self.client(service, c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])


@pytest.fixture
def cloud(wolke_server):
    return Cloud(wolke_server("--iam=enforce"))


def denied(arn, user="arn:aws:iam::%s:user/team/u" % ACCOUNT, action="sts:AssumeRole"):
    return "User: %s is not authorized to perform: %s on resource: %s" % (user, action, arn)


def test_root(client):
    got = client("sts").get_caller_identity()
    assert (got["Account"], got["UserId"], got["Arn"]) == (ACCOUNT, ACCOUNT, ROOT)
    other = client("sts", key="123456789012").get_caller_identity()
    assert other["Arn"] == "arn:aws:iam::123456789012:root"


def test_everyone_may_ask_who_they_are(cloud):
    got = cloud.sts.get_caller_identity()
    assert got["Arn"] == cloud.user["Arn"] and got["UserId"] == cloud.user["UserId"]


def test_assume_role(cloud):
    arn = cloud.role("r", allow("iam:ListRoles"), Path="/x/")
    role_id = cloud.iam.get_role(RoleName="r")["Role"]["RoleId"]
    got = cloud.sts.assume_role(RoleArn=arn, RoleSessionName="me@home")
    assert got["AssumedRoleUser"] == {
        "AssumedRoleId": role_id + ":me@home",
        "Arn": "arn:aws:sts::%s:assumed-role/r/me@home" % ACCOUNT}
    c = got["Credentials"]
    assert c["AccessKeyId"].startswith("ASIA") and len(c["AccessKeyId"]) == 20
    left = c["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 3500 < left.total_seconds() <= 3600
    me = cloud.client("sts", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert me.get_caller_identity()["Arn"] == got["AssumedRoleUser"]["Arn"]
    assert me.get_caller_identity()["UserId"] == role_id + ":me@home"
    iam = cloud.client("iam", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert [r["RoleName"] for r in iam.list_roles()["Roles"]] == ["r"]
    assert fails("AccessDenied", "User: %s is not authorized to perform: iam:ListUsers on resource: "
                 "* because no identity-based policy allows the iam:ListUsers action"
                 % got["AssumedRoleUser"]["Arn"], iam.list_users) == 403


def test_who_may_assume(cloud):
    none = "arn:aws:iam::%s:role/none" % ACCOUNT
    assert fails("AccessDenied", denied(none), cloud.sts.assume_role, RoleArn=none,
                 RoleSessionName="ss") == 403
    # Trusted, but not allowed by its own policies; trusted by name, which is enough.
    cloud.iam.delete_user_policy(UserName="u", PolicyName="p")
    by_account, by_name = cloud.role("a"), cloud.role("b", document=trust({"AWS": cloud.user["Arn"]}))
    fails("AccessDenied", denied(by_account), cloud.sts.assume_role, RoleArn=by_account,
          RoleSessionName="ss")
    cloud.sts.assume_role(RoleArn=by_name, RoleSessionName="ss")
    # Allowed everything, but not trusted.
    cloud.iam.attach_user_policy(UserName="u",
                                 PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    cloud.sts.assume_role(RoleArn=by_account, RoleSessionName="ss")
    lambdas = cloud.role("c", document=trust({"Service": "lambda.amazonaws.com"}))
    fails("AccessDenied", denied(lambdas), cloud.sts.assume_role, RoleArn=lambdas,
          RoleSessionName="ss")
    fails("ValidationError", "nonsense-of-20-letters is invalid", cloud.sts.assume_role,
          RoleArn="nonsense-of-20-letters", RoleSessionName="ss")


def test_root_assumes_no_roles(cloud):
    arn = cloud.role("r")
    fails("AccessDenied", "Roles may not be assumed by root accounts.",
          cloud.server.client("sts").assume_role, RoleArn=arn, RoleSessionName="ss")


def test_another_account(cloud):
    theirs = cloud.server.client("iam", key="222222222222").create_role(
        RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    got = cloud.sts.assume_role(RoleArn=theirs, RoleSessionName="ss")
    assert got["AssumedRoleUser"]["Arn"] == "arn:aws:sts::222222222222:assumed-role/r/ss"
    c = got["Credentials"]
    me = cloud.client("sts", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert me.get_caller_identity()["Account"] == "222222222222"


def test_external_id(cloud):
    arn = cloud.role("r", document=trust(Condition={"StringEquals": {"sts:ExternalId": "42"}}))
    fails("AccessDenied", denied(arn), cloud.sts.assume_role, RoleArn=arn, RoleSessionName="ss")
    fails("AccessDenied", denied(arn), cloud.sts.assume_role, RoleArn=arn, RoleSessionName="ss",
          ExternalId="43")
    cloud.sts.assume_role(RoleArn=arn, RoleSessionName="ss", ExternalId="42")


def test_session_names(cloud):
    arn = cloud.role("r")
    with pytest.raises(ClientError) as e:
        cloud.sts.assume_role(RoleArn=arn, RoleSessionName="a b")
    assert e.value.response["Error"]["Code"] == "ValidationError"
    assert "at 'roleSessionName' failed to satisfy constraint" in e.value.response["Error"]["Message"]


def test_durations(cloud):
    arn = cloud.role("r", allow("sts:AssumeRole"), MaxSessionDuration=7200)
    fails("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for "
          "this role.", cloud.sts.assume_role, RoleArn=arn, RoleSessionName="ss",
          DurationSeconds=7201)
    cloud.sts.assume_role(RoleArn=arn, RoleSessionName="ss", DurationSeconds=7200)
    chained = cloud.assume(arn)
    fails("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for "
          "roles assumed by role chaining", chained.assume_role, RoleArn=arn,
          RoleSessionName="ss", DurationSeconds=3601)
    chained.assume_role(RoleArn=arn, RoleSessionName="ss", DurationSeconds=3600)


def test_session_policies(cloud):
    arn = cloud.role("r", allow("iam:List*"))
    cut = cloud.assume(arn, "iam", Policy=allow("iam:ListRoles"))
    cut.list_roles()
    fails("AccessDenied", None, cut.list_users)
    own = cloud.iam.create_policy(PolicyName="q", PolicyDocument=allow("iam:ListUsers"))["Policy"]
    both = cloud.assume(arn, "iam", Policy=allow("iam:ListRoles"),
                        PolicyArns=[{"arn": own["Arn"]}])
    both.list_roles()
    both.list_users()
    fails("AccessDenied", None, both.list_groups)
    fails("MalformedPolicyDocument", None, cloud.sts.assume_role, RoleArn=arn,
          RoleSessionName="ss", Policy="{}")
    got = cloud.sts.assume_role(RoleArn=arn, RoleSessionName="ss", Policy=allow("s3:*"))
    assert 0 < got["PackedPolicySize"] < 100


def test_tags_and_chains(cloud):
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    document = trust(actions=actions)
    second = cloud.role("second", allow("iam:ListRoles", Condition={
        "StringEquals": {"aws:PrincipalTag/Team": "red"}}), document)
    first = cloud.role("first", allow(actions), document,
                       Tags=[{"Key": "Team", "Value": "blue"}])
    tags = [{"Key": "Team", "Value": "red"}, {"Key": "Other", "Value": "x"}]
    plain = cloud.assume(second, "iam", sts=cloud.assume(first))
    fails("AccessDenied", None, plain.list_roles)
    tagged = cloud.assume(first, Tags=tags, TransitiveTagKeys=["Team"], SourceIdentity="alice")
    chained = cloud.assume(second, "iam", sts=tagged)
    chained.list_roles()
    fails("InvalidParameterValue", "One of the specified transitive tag keys can't be set because "
          "it conflicts with a transitive tag key from the calling session.", tagged.assume_role,
          RoleArn=second, RoleSessionName="ss", Tags=[{"Key": "team", "Value": "green"}])
    assert tagged.assume_role(RoleArn=second, RoleSessionName="ss")["SourceIdentity"] == "alice"
    fails("AccessDenied", None, tagged.assume_role, RoleArn=second, RoleSessionName="ss",
          SourceIdentity="bob")
    fails("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case "
          "insensitive.", cloud.sts.assume_role, RoleArn=first, RoleSessionName="ss",
          Tags=[{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}])


def test_tags_need_a_permission(cloud):
    arn = cloud.role("r")
    fails("AccessDenied", denied(arn, action="sts:TagSession"), cloud.sts.assume_role, RoleArn=arn,
          RoleSessionName="ss", Tags=[{"Key": "a", "Value": "b"}])


def test_sessions_end_with_their_role(cloud):
    arn = cloud.role("r")
    session = cloud.assume(arn)
    session.get_caller_identity()
    cloud.iam.delete_role(RoleName="r")
    invalid = "The security token included in the request is invalid."
    assert fails("InvalidClientTokenId", invalid, session.get_caller_identity) == 403
    cloud.role("r")
    fails("InvalidClientTokenId", invalid, session.get_caller_identity)


def test_old_sessions_can_be_revoked(cloud):
    arn = cloud.role("r", allow("iam:ListRoles"))
    iam = cloud.assume(arn, "iam")
    iam.list_roles()
    cloud.iam.put_role_policy(RoleName="r", PolicyName="AWSRevokeOlderSessions", PolicyDocument=allow(
        "*", effect="Deny", Condition={"DateLessThan": {"aws:TokenIssueTime": "2999-01-01T00:00:00Z"}}))
    fails("AccessDenied", None, iam.list_roles)


def test_tokens_cannot_be_changed(cloud):
    c = cloud.sts.assume_role(RoleArn=cloud.role("r"), RoleSessionName="ss")["Credentials"]
    other = cloud.sts.assume_role(RoleArn=cloud.role("q"), RoleSessionName="ss")["Credentials"]
    token = c["SessionToken"]
    for key, bad in ((c["AccessKeyId"], "A" + token[1:] if token[0] != "A" else "B" + token[1:]),
                     (c["AccessKeyId"], other["SessionToken"]), (other["AccessKeyId"], token),
                     (c["AccessKeyId"], "x"), (c["AccessKeyId"], None)):
        fails("InvalidClientTokenId", None,
              cloud.client("sts", key, c["SecretAccessKey"], bad).get_caller_identity)
    fails("SignatureDoesNotMatch", None,
          cloud.client("sts", c["AccessKeyId"], other["SecretAccessKey"], token).get_caller_identity)


def test_expiry(wolke_server):
    server = wolke_server("--clock=manual")
    iam, sts = server.client("iam"), server.client("sts")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    c = sts.assume_role(RoleArn=arn, RoleSessionName="ss", DurationSeconds=900)["Credentials"]
    me = server.client("sts", key=c["AccessKeyId"], secret=c["SecretAccessKey"],
                       token=c["SessionToken"])

    me.get_caller_identity()
    server.advance(600)
    me.get_caller_identity()
    server.advance(301)
    assert fails("ExpiredToken", "The security token included in the request is expired",
                 me.get_caller_identity) == 403


def test_a_restart_keeps_sessions(cloud):
    session = cloud.assume(cloud.role("r"))
    before = session.get_caller_identity()["Arn"]
    cloud.server.kill()
    cloud.server.start()
    assert session.get_caller_identity()["Arn"] == before


def test_session_tokens_of_users(cloud):
    c = cloud.sts.get_session_token(DurationSeconds=900)["Credentials"]
    me = cloud.client("sts", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert me.get_caller_identity()["Arn"] == cloud.user["Arn"]
    fails("AccessDenied", "Cannot call GetSessionToken with session credentials",
          me.get_session_token)
    me.assume_role(RoleArn=cloud.role("r"), RoleSessionName="ss")
    iam = cloud.client("iam", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    fails("InvalidClientTokenId", None, iam.get_user)
    fails("AccessDenied", None, cloud.sts.get_session_token, SerialNumber="GAHT12345678",
          TokenCode="123456")


def test_federation_tokens(cloud):
    got = cloud.sts.get_federation_token(Name="bob", Policy=allow("sts:*"), DurationSeconds=900)
    assert got["FederatedUser"] == {
        "FederatedUserId": ACCOUNT + ":bob",
        "Arn": "arn:aws:sts::%s:federated-user/bob" % ACCOUNT}
    c = got["Credentials"]
    me = cloud.client("sts", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
    assert me.get_caller_identity()["Arn"] == got["FederatedUser"]["Arn"]
    fails("AccessDenied", "Cannot call GetFederationToken with session credentials",
          me.get_federation_token, Name="carol")


def test_account_of_a_key(cloud):
    assert cloud.server.client("sts").get_access_key_info(
        AccessKeyId=cloud.key[0])["Account"] == ACCOUNT
    assert cloud.server.client("sts").get_access_key_info(
        AccessKeyId="ASIAQNZGKIQY56JQ7WML")["Account"] == "029608264753"


def test_functions_roles(cloud):
    """What is only trusted to another service cannot be a function's role."""
    functions = cloud.server.client("lambda")
    import io
    import zipfile
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as z:
        z.writestr("app.py", "def handler(event, context): return 1")
    asked = dict(FunctionName="f", Runtime="python3.12", Handler="app.handler",
                 Code={"ZipFile": code.getvalue()})
    for role in (cloud.role("states", document=trust({"Service": "states.amazonaws.com"})),
                 "arn:aws:iam::%s:role/none" % ACCOUNT):
        fails("InvalidParameterValueException",
              "The role defined for the function cannot be assumed by Lambda.",
              functions.create_function, Role=role, **asked)
    functions.create_function(
        Role=cloud.role("good", document=trust({"Service": "lambda.amazonaws.com"})), **asked)
