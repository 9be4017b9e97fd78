"""IAM: roles, users, groups, keys, policies, providers; who may do what."""
import json
import time

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
     "Action": "sts:AssumeRole"}]})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


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


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def role(iam, name):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]


@pytest.fixture
def user(iam, name):
    return iam.create_user(UserName=name)["User"]


def as_user(server, iam, user_name, service="iam"):
    key = iam.create_access_key(UserName=user_name)["AccessKey"]
    return server.client(service, key=key["AccessKeyId"], secret=key["SecretAccessKey"])


# ---- roles ----

def test_role_life(iam, name):
    made = iam.create_role(
        RoleName=name, Path="/team/", AssumeRolePolicyDocument=TRUST, Description="does things",
        MaxSessionDuration=7200, Tags=[{"Key": "Stage", "Value": "dev"}])["Role"]
    assert made["Arn"] == "arn:aws:iam::%s:role/team/%s" % (ACCOUNT, name)
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    assert made["AssumeRolePolicyDocument"] == json.loads(TRUST)
    got = iam.get_role(RoleName=name)["Role"]
    assert got["Description"] == "does things" and got["MaxSessionDuration"] == 7200
    assert got["Tags"] == [{"Key": "Stage", "Value": "dev"}]
    assert got["CreateDate"] == made["CreateDate"]
    iam.update_role(RoleName=name, Description="does more", MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST.replace("lambda", "states"))
    got = iam.get_role(RoleName=name)["Role"]
    assert got["Description"] == "does more" and got["MaxSessionDuration"] == 3600
    assert "states" in json.dumps(got["AssumeRolePolicyDocument"])
    iam.delete_role(RoleName=name)
    assert fails("NoSuchEntity", "The role with name %s cannot be found." % name,
                 iam.get_role, RoleName=name) == 404


def test_names_are_not_distinguished_by_case(iam, name, role):
    assert fails("EntityAlreadyExists", "Role with name %s already exists." % name.upper(),
                 iam.create_role, RoleName=name.upper(), AssumeRolePolicyDocument=TRUST) == 409


def test_role_name_rules(iam):
    with pytest.raises(ClientError) as e:
        iam.create_role(RoleName="not a name", AssumeRolePolicyDocument=TRUST)
    assert e.value.response["Error"]["Code"] == "ValidationError"
    assert "at 'roleName' failed to satisfy constraint" in e.value.response["Error"]["Message"]


@pytest.mark.parametrize("document", [
    "{", "[]", "{}",
    json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}),
    json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}),
])
def test_malformed_trust(iam, name, document):
    assert fails("MalformedPolicyDocument", None, iam.create_role, RoleName=name,
                 AssumeRolePolicyDocument=document) == 400
    fails("NoSuchEntity", None, iam.get_role, RoleName=name)


def test_trusted_users_and_roles_exist(iam, name):
    def trusting(arn):
        return TRUST.replace('"Service": "lambda.amazonaws.com"', '"AWS": ["%s"]' % arn)

    user = "arn:aws:iam::%s:user/%s" % (ACCOUNT, name)
    fails("MalformedPolicyDocument", 'Invalid principal in policy: "AWS":"%s"' % user,
          iam.create_role, RoleName=name, AssumeRolePolicyDocument=trusting(user))
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(user))
    fails("MalformedPolicyDocument", None, iam.update_assume_role_policy, RoleName=name,
          PolicyDocument=trusting(user + "x"))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting(
        "arn:aws:iam::%s:root" % ACCOUNT))


def test_trust_quota(iam, name):
    statement = json.loads(TRUST)["Statement"][0]
    statement["Condition"] = {"StringEquals": {"sts:ExternalId": ["x" * 100 + str(i) for i in range(25)]}}
    assert fails("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", iam.create_role,
                 RoleName=name, AssumeRolePolicyDocument=json.dumps(
                     {"Version": "2012-10-17", "Statement": [statement]})) == 409


def test_role_with_policies_is_not_deleted(iam, name, role):
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=allow("s3:GetObject"))
    fails("DeleteConflict", "Cannot delete entity, must detach all policies first.",
          iam.delete_role, RoleName=name)
    iam.detach_role_policy(RoleName=name, PolicyArn=BASIC)
    fails("DeleteConflict", "Cannot delete entity, must delete policies first.",
          iam.delete_role, RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)


def test_inline_policies(iam, name, role):
    document = allow("s3:GetObject", "arn:aws:s3:::a b/${aws:username}/*")
    iam.put_role_policy(RoleName=name, PolicyName="b", PolicyDocument=document)
    iam.put_role_policy(RoleName=name, PolicyName="a", PolicyDocument=allow("sqs:*"))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["a", "b"]
    got = iam.get_role_policy(RoleName=name, PolicyName="b")
    assert got["PolicyDocument"] == json.loads(document) and got["RoleName"] == name
    fails("NoSuchEntity", "The role policy with name c cannot be found.",
          iam.get_role_policy, RoleName=name, PolicyName="c")
    fails("NoSuchEntity", "The role policy with name c cannot be found.",
          iam.delete_role_policy, RoleName=name, PolicyName="c")
    fails("MalformedPolicyDocument", None, iam.put_role_policy, RoleName=name, PolicyName="c",
          PolicyDocument="nonsense")
    big = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + "x" * 1000] * 11}]})
    fails("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role " + name,
          iam.put_role_policy, RoleName=name, PolicyName="c", PolicyDocument=big)


def test_attached_policies(iam, name, role):
    xray = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
    for arn in (xray, BASIC, BASIC):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    both = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert sorted(p["PolicyArn"] for p in both) == sorted([xray, BASIC])
    assert {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC} in both
    some = iam.list_attached_role_policies(RoleName=name, PathPrefix="/service-role/")
    assert [p["PolicyArn"] for p in some["AttachedPolicies"]] == [BASIC]
    iam.detach_role_policy(RoleName=name, PolicyArn=xray)
    fails("NoSuchEntity", "Policy %s was not found." % xray,
          iam.detach_role_policy, RoleName=name, PolicyArn=xray)
    none = "arn:aws:iam::aws:policy/Nonesuch"
    fails("NoSuchEntity", "Policy %s does not exist or is not attachable." % none,
          iam.attach_role_policy, RoleName=name, PolicyArn=none)


def test_ten_managed_policies(iam, name, role):
    arns = [iam.create_policy(PolicyName="%s-%d" % (name, i), PolicyDocument=allow("s3:*"))
            ["Policy"]["Arn"] for i in range(11)]
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    fails("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10",
          iam.attach_role_policy, RoleName=name, PolicyArn=arns[10])


def test_role_tags(iam, name, role):
    iam.tag_role(RoleName=name, Tags=[{"Key": k, "Value": "1"} for k in "abc"])
    iam.tag_role(RoleName=name, Tags=[{"Key": "B", "Value": "2"}])
    iam.untag_role(RoleName=name, TagKeys=["c"])
    tags = iam.list_role_tags(RoleName=name)
    assert [t["Value"] for t in tags["Tags"]] == ["1", "2"] and not tags["IsTruncated"]
    fails("LimitExceeded", "The number of tags has reached the maximum limit.", iam.tag_role,
          RoleName=name, Tags=[{"Key": "k%d" % i, "Value": ""} for i in range(49)])


def test_boundary(iam, name, role):
    power = "arn:aws:iam::aws:policy/PowerUserAccess"
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=power)
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": power}
    users = iam.list_entities_for_policy(PolicyArn=power, PolicyUsageFilter="PermissionsBoundary")
    assert name in [r["RoleName"] for r in users["PolicyRoles"]]
    iam.delete_role_permissions_boundary(RoleName=name)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=name)["Role"]
    fails("NoSuchEntity", None, iam.put_role_permissions_boundary, RoleName=name,
          PermissionsBoundary="arn:aws:iam::%s:policy/none" % ACCOUNT)


def test_pages(iam, name):
    names = ["%s-%d" % (name, i) for i in range(7)]
    for n in names:
        iam.create_role(RoleName=n, Path="/%s/" % name, AssumeRolePolicyDocument=TRUST)
    first = iam.list_roles(PathPrefix="/%s/" % name, MaxItems=3)
    assert first["IsTruncated"] and len(first["Roles"]) == 3
    pages = list(iam.get_paginator("list_roles").paginate(
        PathPrefix="/%s/" % name, PaginationConfig={"PageSize": 3}))
    assert [r["RoleName"] for p in pages for r in p["Roles"]] == names
    fails("ValidationError", "Invalid Marker.", iam.list_roles, Marker="x" + first["Marker"])
    fails("ValidationError", "Invalid Marker.", iam.list_users, Marker=first["Marker"])


def test_service_linked_role(iam):
    service = "ops.apigateway.amazonaws.com"
    made = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    assert made["Path"] == "/aws-service-role/%s/" % service
    assert made["RoleName"] == "AWSServiceRoleForAPIGateway"
    fails("InvalidInput", "Service role name AWSServiceRoleForAPIGateway has been taken in this "
          "account, please try a different suffix.", iam.create_service_linked_role,
          AWSServiceName=service)
    fails("UnmodifiableEntity", None, iam.attach_role_policy, RoleName=made["RoleName"],
          PolicyArn=BASIC)
    fails("UnmodifiableEntity", None, iam.delete_role, RoleName=made["RoleName"])
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    fails("NoSuchEntity", None, iam.get_service_linked_role_deletion_status,
          DeletionTaskId=task[:-1] + "x")
    fails("NoSuchEntity", None, iam.get_role, RoleName=made["RoleName"])


def test_instance_profiles(iam, name, role):
    made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert made["Arn"] == "arn:aws:iam::%s:instance-profile/%s" % (ACCOUNT, name)
    assert made["InstanceProfileId"].startswith("AIPA") and made["Roles"] == []
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    got = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert [r["RoleName"] for r in got["Roles"]] == [name]
    of_role = iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]
    assert [p["InstanceProfileName"] for p in of_role] == [name]
    conflict = "Cannot delete entity, must remove roles from instance profile first."
    fails("DeleteConflict", conflict, iam.delete_role, RoleName=name)
    fails("DeleteConflict", conflict, iam.delete_instance_profile, InstanceProfileName=name)
    fails("LimitExceeded", None, iam.add_role_to_instance_profile, InstanceProfileName=name,
          RoleName=name)
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    fails("NoSuchEntity", "Instance Profile %s cannot be found." % name,
          iam.get_instance_profile, InstanceProfileName=name)


# ---- users, groups, keys ----

def test_user_life(iam, name):
    made = iam.create_user(UserName=name, Path="/a/")["User"]
    assert made["Arn"] == "arn:aws:iam::%s:user/a/%s" % (ACCOUNT, name)
    assert made["UserId"].startswith("AIDA")
    fails("EntityAlreadyExists", "User with name %s already exists." % name,
          iam.create_user, UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=BASIC)
    iam.update_user(UserName=name, NewUserName=name + "2", NewPath="/b/")
    got = iam.get_user(UserName=name + "2")["User"]
    assert got["UserId"] == made["UserId"] and got["Path"] == "/b/"
    fails("NoSuchEntity", "The user with name %s cannot be found." % name,
          iam.get_user, UserName=name)
    users = iam.list_entities_for_policy(PolicyArn=BASIC, EntityFilter="User")["PolicyUsers"]
    assert name + "2" in [u["UserName"] for u in users]
    iam.detach_user_policy(UserName=name + "2", PolicyArn=BASIC)
    iam.delete_user(UserName=name + "2")


def test_groups(iam, name, user):
    group = iam.create_group(GroupName=name)["Group"]
    assert group["GroupId"].startswith("AGPA")
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    assert [u["UserName"] for u in iam.get_group(GroupName=name)["Users"]] == [name]
    conflict = "Cannot delete entity, must remove users from group first."
    fails("DeleteConflict", conflict, iam.delete_group, GroupName=name)
    fails("DeleteConflict", conflict, iam.delete_user, UserName=name)
    iam.update_group(GroupName=name, NewGroupName=name + "2")
    groups = iam.list_groups_for_user(UserName=name)["Groups"]
    assert [g["GroupName"] for g in groups] == [name + "2"]
    iam.remove_user_from_group(GroupName=name + "2", UserName=name)
    iam.delete_group(GroupName=name + "2")
    fails("NoSuchEntity", "The group with name %s2 cannot be found." % name,
          iam.get_group, GroupName=name + "2")


def test_access_keys(wolke, iam, name, user):
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA") and len(key["AccessKeyId"]) == 20
    assert len(key["SecretAccessKey"]) == 40 and key["Status"] == "Active"
    sts = wolke.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == user["Arn"]
    assert sts.get_caller_identity()["UserId"] == user["UserId"]
    listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert listed == [{"UserName": name, "AccessKeyId": key["AccessKeyId"], "Status": "Active",
                       "CreateDate": key["CreateDate"]}]
    iam.create_access_key(UserName=name)
    fails("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2",
          iam.create_access_key, UserName=name)
    fails("DeleteConflict", "Cannot delete entity, must delete access keys first.",
          iam.delete_user, UserName=name)
    wrong = wolke.client("sts", key=key["AccessKeyId"], secret="w" * 40)
    fails("SignatureDoesNotMatch", None, wrong.get_caller_identity)
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    fails("InvalidClientTokenId", "The security token included in the request is invalid.",
          sts.get_caller_identity)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    fails("NoSuchEntity", "The Access Key with id %s cannot be found." % key["AccessKeyId"],
          iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])


def test_key_last_used(wolke, iam, name, user):
    key = iam.create_access_key(UserName=name)["AccessKey"]
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert used["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    wolke.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"]).get_caller_identity()
    for _ in range(100):
        used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
        if used["AccessKeyLastUsed"]["ServiceName"] != "N/A":
            break
        time.sleep(0.05)
    assert used["UserName"] == name and used["AccessKeyLastUsed"]["ServiceName"] == "sts"


def test_users_without_a_name_are_the_caller(wolke, iam, name, user):
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allow("iam:*"))
    own = as_user(wolke, iam, name)
    assert own.get_user()["User"]["UserName"] == name
    assert len(own.list_access_keys()["AccessKeyMetadata"]) == 1
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::%s:root" % ACCOUNT


def test_login_profiles(iam, name, user):
    fails("PasswordPolicyViolation", "Password should have a minimum length of 8",
          iam.create_login_profile, UserName=name, Password="short")
    iam.create_login_profile(UserName=name, Password="long enough", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName=name)["LoginProfile"]["PasswordResetRequired"]
    fails("EntityAlreadyExists", None, iam.create_login_profile, UserName=name, Password="another one")
    fails("DeleteConflict", "Cannot delete entity, must delete login profile first.",
          iam.delete_user, UserName=name)
    iam.delete_login_profile(UserName=name)
    fails("NoSuchEntity", "Login Profile for User %s cannot be found." % name,
          iam.get_login_profile, UserName=name)


# ---- managed policies ----

def test_policy_versions(iam, name):
    policy = iam.create_policy(PolicyName=name, Path="/p/", PolicyDocument=allow("s3:Get*"),
                               Description="reads")["Policy"]
    arn = policy["Arn"]
    assert arn == "arn:aws:iam::%s:policy/p/%s" % (ACCOUNT, name)
    assert policy["PolicyId"].startswith("ANPA") and policy["DefaultVersionId"] == "v1"
    fails("EntityAlreadyExists",
          "A policy called %s already exists. Duplicate names are not allowed." % name,
          iam.create_policy, PolicyName=name, PolicyDocument=allow("s3:*"))
    for i in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:Put%d" % i),
                                  SetAsDefault=i == 2)
    fails("LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new "
          "version, you must delete an existing version.", iam.create_policy_version,
          PolicyArn=arn, PolicyDocument=allow("s3:*"))
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    assert got["DefaultVersionId"] == "v4" and got["Description"] == "reads"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [v["VersionId"] for v in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [v["VersionId"] for v in versions if v["IsDefaultVersion"]] == ["v4"]
    fails("DeleteConflict", "Cannot delete the default version of a policy.",
          iam.delete_policy_version, PolicyArn=arn, VersionId="v4")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert document == json.loads(allow("s3:Get*"))
    fails("DeleteConflict", None, iam.delete_policy, PolicyArn=arn)
    for v in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=v)
    iam.delete_policy(PolicyArn=arn)
    fails("NoSuchEntity", "Policy %s was not found." % arn, iam.get_policy, PolicyArn=arn)


def test_attached_policy_is_not_deleted(iam, name, role):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    roles = iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
    assert [r["RoleName"] for r in roles] == [name]
    assert arn in [p["Arn"] for p in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]]
    fails("DeleteConflict", "Cannot delete a policy attached to entities.",
          iam.delete_policy, PolicyArn=arn)


def test_aws_policies(iam):
    listed = [p for page in iam.get_paginator("list_policies").paginate(
        Scope="AWS", PaginationConfig={"PageSize": 10}) for p in page["Policies"]]
    assert len({p["Arn"] for p in listed}) == len(listed) > 40
    for p in listed:
        version = iam.get_policy_version(PolicyArn=p["Arn"], VersionId=p["DefaultVersionId"])
        assert version["PolicyVersion"]["Document"]["Statement"]
        got = iam.get_policy(PolicyArn=p["Arn"])["Policy"]
        assert got["PolicyName"] == p["PolicyName"]


def test_policy_language(iam, name):
    fails("MalformedPolicyDocument", None, iam.create_policy, PolicyName=name,
          PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
              {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}))
    big = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::" + "x" * 1000] * 7}]})
    fails("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", iam.create_policy,
          PolicyName=name, PolicyDocument=big)


# ---- the account ----

def test_account(wolke_server):
    iam = wolke_server().client("iam")
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="our-cloud")
    assert iam.list_account_aliases()["AccountAliases"] == ["our-cloud"]
    fails("EntityAlreadyExists", "The account alias our-cloud already exists.",
          iam.create_account_alias, AccountAlias="our-cloud")
    iam.delete_account_alias(AccountAlias="our-cloud")
    fails("NoSuchEntity", "The Password Policy with domain name %s cannot be found." % ACCOUNT,
          iam.get_account_password_policy)
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True)
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert policy["MinimumPasswordLength"] == 12 and policy["RequireNumbers"]
    assert not policy["RequireSymbols"] and not policy["ExpirePasswords"]
    iam.create_user(UserName="u")
    fails("PasswordPolicyViolation", "Password should have at least one number",
          iam.create_login_profile, UserName="u", Password="no digits in here")
    iam.delete_account_password_policy()
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] == 1 and summary["Roles"] == 1 and summary["Groups"] == 0
    assert summary["RolesQuota"] == 1000


def test_authorization_details(wolke_server):
    iam = wolke_server().client("iam")
    iam.create_group(GroupName="g")
    for n in ("a", "b"):
        iam.create_user(UserName=n)
        iam.add_user_to_group(GroupName="g", UserName=n)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("s3:*"))
    iam.attach_role_policy(RoleName="r", PolicyArn=BASIC)
    arn = iam.create_policy(PolicyName="own", PolicyDocument=allow("sqs:*"))["Policy"]["Arn"]
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(
        PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    users = [u for p in pages for u in p["UserDetailList"]]
    assert [(u["UserName"], u["GroupList"]) for u in users] == [("a", ["g"]), ("b", ["g"])]
    role = [r for p in pages for r in p["RoleDetailList"]][0]
    assert role["RolePolicyList"] == [
        {"PolicyName": "p", "PolicyDocument": json.loads(allow("s3:*"))}]
    assert [p["PolicyArn"] for p in role["AttachedManagedPolicies"]] == [BASIC]
    assert {p["Arn"] for page in pages for p in page["Policies"]} == {arn, BASIC}
    only = iam.get_account_authorization_details(Filter=["Group"])
    assert [g["GroupName"] for g in only["GroupDetailList"]] == ["g"]
    assert only["UserDetailList"] == [] and only["Policies"] == []


def test_accounts_are_apart(wolke, iam, name, role):
    other = wolke.client("iam", key="111111111111")
    fails("NoSuchEntity", None, other.get_role, RoleName=name)
    made = other.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    assert made["Arn"] == "arn:aws:iam::111111111111:role/" + name
    assert made["RoleId"] != role["RoleId"]


# ---- identity providers ----

def test_open_id_connect_providers(iam, name):
    url = "https://%s.example.com/x" % name
    arn = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["one"], ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    assert arn == "arn:aws:iam::%s:oidc-provider/%s.example.com/x" % (ACCOUNT, name)
    fails("EntityAlreadyExists", "Provider with url %s already exists." % url,
          iam.create_open_id_connect_provider, Url=url)
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn,
                                                   ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert got["Url"] == url[8:] and got["ClientIDList"] == ["two"]
    assert got["ThumbprintList"] == ["b" * 40] and got["Tags"] == [{"Key": "k", "Value": "v"}]
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    fails("NoSuchEntity", "OpenIDConnect Provider not found for arn " + arn,
          iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def test_saml_providers(iam, name):
    metadata = ('<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x" '
                'validUntil="2040-01-01T00:00:00Z"><!-- %s --></EntityDescriptor>' % ("x" * 1000))
    arn = iam.create_saml_provider(Name=name, SAMLMetadataDocument=metadata)["SAMLProviderArn"]
    got = iam.get_saml_provider(SAMLProviderArn=arn)
    assert got["SAMLMetadataDocument"] == metadata and got["ValidUntil"].year == 2040
    fails("InvalidInput", "Could not parse metadata", iam.update_saml_provider,
          SAMLProviderArn=arn, SAMLMetadataDocument="x" * 1000)
    assert arn in [p["Arn"] for p in iam.list_saml_providers()["SAMLProviderList"]]
    iam.delete_saml_provider(SAMLProviderArn=arn)
    fails("NoSuchEntity", None, iam.get_saml_provider, SAMLProviderArn=arn)


# ---- simulation ----

def test_simulate_custom(iam):
    document = allow("dynamodb:*", Condition={
        "DateGreaterThan": {"aws:CurrentTime": "2015-08-16T12:00:00Z"}})
    document = json.dumps(json.loads(document), separators=(",", ":"))
    asked = dict(PolicyInputList=[document], ActionNames=["dynamodb:CreateBackup", "s3:GetObject"])
    first, second = iam.simulate_custom_policy(
        **asked, ContextEntries=[{"ContextKeyName": "aws:CurrentTime", "ContextKeyType": "date",
                                  "ContextKeyValues": ["2016-01-01T00:00:00Z"]}])["EvaluationResults"]
    assert first["EvalActionName"] == "dynamodb:CreateBackup" and first["EvalResourceName"] == "*"
    assert first["EvalDecision"] == "allowed" and second["EvalDecision"] == "implicitDeny"
    matched = first["MatchedStatements"][0]
    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    assert matched["StartPosition"] == {"Line": 1, "Column": 39}
    assert second["MatchedStatements"] == []
    without = iam.simulate_custom_policy(**asked)["EvaluationResults"][0]
    assert without["EvalDecision"] == "implicitDeny"
    assert without["MissingContextValues"] == ["aws:CurrentTime"]
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[document])
    assert keys["ContextKeyNames"] == ["aws:CurrentTime"]
    fails("InvalidInput", None, iam.simulate_custom_policy, PolicyInputList=["{"],
          ActionNames=["s3:GetObject"])


def test_simulate_principal(iam, name, user):
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.put_group_policy(GroupName=name, PolicyName="g", PolicyDocument=allow("s3:*"))
    iam.put_user_policy(UserName=name, PolicyName="u", PolicyDocument=allow(
        "s3:DeleteObject", effect="Deny"))

    def decide(action, **kw):
        return iam.simulate_principal_policy(PolicySourceArn=user["Arn"], ActionNames=[action],
                                             ResourceArns=["arn:aws:s3:::b/k"], **kw)["EvaluationResults"][0]

    assert decide("s3:GetObject")["EvalDecision"] == "allowed"
    assert decide("s3:GetObject")["MatchedStatements"][0]["SourcePolicyId"] == "group_%s_g" % name
    denied = decide("s3:DeleteObject")
    assert denied["EvalDecision"] == "explicitDeny"
    assert denied["MatchedStatements"][0]["SourcePolicyId"] == "user_%s_u" % name
    assert decide("sqs:SendMessage")["EvalDecision"] == "implicitDeny"
    added = decide("sqs:SendMessage", PolicyInputList=[allow("sqs:*")])
    assert added["EvalDecision"] == "allowed"
    iam.put_user_permissions_boundary(
        UserName=name, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSQSFullAccess")
    cut = decide("s3:GetObject")
    assert cut["EvalDecision"] == "implicitDeny"
    assert cut["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    pages = list(iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=user["Arn"], ActionNames=["s3:A", "s3:B", "s3:C"],
        PaginationConfig={"PageSize": 2}))
    assert [len(p["EvaluationResults"]) for p in pages] == [2, 1]
    fails("NoSuchEntity", None, iam.simulate_principal_policy,
          PolicySourceArn=user["Arn"] + "x", ActionNames=["s3:GetObject"])


# ---- enforcement ----

@pytest.fixture
def enforced(wolke_server):
    return wolke_server("--iam=enforce")


def test_users_may_what_their_policies_say(enforced):
    iam = enforced.client("iam")
    arn = iam.create_user(UserName="u")["User"]["Arn"]
    own = as_user(enforced, iam, "u")
    message = ("User: %s is not authorized to perform: iam:GetUser on resource: %s because no "
               "identity-based policy allows the iam:GetUser action" % (arn, arn))
    assert fails("AccessDenied", message, own.get_user) == 403
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=allow("iam:GetUser", arn))
    assert own.get_user()["User"]["UserName"] == "u"
    fails("AccessDenied", None, own.get_user, UserName="someone")
    fails("AccessDenied", None, own.list_roles)
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=allow("iam:List*"))
    iam.add_user_to_group(GroupName="g", UserName="u")
    own.list_roles()
    iam.put_user_permissions_boundary(
        UserName="u", PermissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess")
    own.list_roles()
    fails("AccessDenied", None, own.list_users)
    iam.delete_user_permissions_boundary(UserName="u")
    own.list_users()
    iam.put_user_policy(UserName="u", PolicyName="q", PolicyDocument=allow("iam:*", effect="Deny"))
    with pytest.raises(ClientError) as e:
        own.list_users()
    assert e.value.response["Error"]["Message"].endswith(
        "with an explicit deny in an identity-based policy")


def test_unknown_keys_are_refused(enforced):
    stranger = enforced.client("sts", key="AKIAIOSFODNN7EXAMPLE", secret="x" * 40)
    fails("InvalidClientTokenId", "The security token included in the request is invalid.",
          stranger.get_caller_identity)


def test_conditions_of_iam(enforced):
    iam = enforced.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*", "Condition": {
                "ArnEquals": {"iam:PolicyARN": BASIC}}},
            {"Effect": "Allow", "Action": "iam:CreateRole",
             "Resource": "arn:aws:iam::%s:role/mine/*" % ACCOUNT}]}))
    own = as_user(enforced, iam, "u")
    fails("AccessDenied", None, own.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST)
    own.create_role(RoleName="r", Path="/mine/", AssumeRolePolicyDocument=TRUST)
    own.attach_role_policy(RoleName="r", PolicyArn=BASIC)
    fails("AccessDenied", None, own.attach_role_policy, RoleName="r",
          PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


# ---- durability ----

def test_a_restart_keeps_everything(wolke_server):
    server = wolke_server()
    iam = server.client("iam")
    iam.create_user(UserName="u", Path="/x/", Tags=[{"Key": "k", "Value": "v"}])
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=allow("s3:*"))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName="own", PolicyDocument=allow("sqs:*"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    before = [iam.get_user(UserName="u")["User"], iam.get_role(RoleName="r")["Role"],
              iam.get_policy(PolicyArn=arn)["Policy"]]
    server.kill()
    server.start()
    assert before == [iam.get_user(UserName="u")["User"], iam.get_role(RoleName="r")["Role"],
                      iam.get_policy(PolicyArn=arn)["Policy"]]
    own = server.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert own.get_caller_identity()["Arn"].endswith(":user/x/u")


def test_secrets_are_not_in_the_store_in_the_clear(wolke_server):
    server = wolke_server()
    iam = server.client("iam")
    iam.create_user(UserName="u")
    secret = iam.create_access_key(UserName="u")["AccessKey"]["SecretAccessKey"].encode()
    server.stop()
    import os
    for directory, _, files in os.walk(server.data_dir):
        for f in files:
            with open(os.path.join(directory, f), "rb") as opened:
                assert secret not in opened.read()
    server.start()


def test_not_built_is_said(iam):
    assert fails("NotImplemented", None, iam.generate_credential_report) == 501


def test_linked_roles_and_providers_are_checked(enforced):
    iam = enforced.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
             "Resource": "arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
             "Condition": {"StringLike": {"iam:AWSServiceName": "ecs.amazonaws.com"}}},
            {"Effect": "Allow", "Action": "iam:CreateOpenIDConnectProvider",
             "Resource": "arn:aws:iam::*:oidc-provider/good.example.com"}]}))
    own = as_user(enforced, iam, "u")
    own.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    fails("AccessDenied", None, own.create_service_linked_role,
          AWSServiceName="ops.apigateway.amazonaws.com")
    own.create_open_id_connect_provider(Url="https://good.example.com")
    fails("AccessDenied", None, own.create_open_id_connect_provider, Url="https://bad.example.com")
