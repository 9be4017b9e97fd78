#!/usr/bin/env python3
"""Deploys the meditations service: role, function, REST API, permission, deployment, stage.

Everything is ensured: what is there is brought up to date, so that it can be run as often as one
likes. Where it deploys to, and as whom, is the AWS SDK's usual configuration: AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL and so on.
"""

import io
import json
import os
import string
import time
import zipfile

import boto3

NAME = "meditations"
ROLE = "meditations-execution"
STAGE = "prod"
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
LOGS_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:*",
        }
    ],
}


def package():
    """The zip: the same bytes for the same files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as z:
        folder = os.path.join(HERE, "server")
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".py")):
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(os.path.join(folder, name), "rb") as f:
                z.writestr(entry, f.read())
    return data.getvalue()


def ensure_role(iam):
    try:
        arn = iam.get_role(RoleName=ROLE)["Role"]["Arn"]
        iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(TRUST))
    except iam.exceptions.NoSuchEntityException:
        created = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
        arn = created["Role"]["Arn"]
        iam.get_waiter("role_exists").wait(RoleName=ROLE)
    iam.put_role_policy(RoleName=ROLE, PolicyName="logs", PolicyDocument=json.dumps(LOGS_ONLY))
    return arn


def create_function(functions, settings, code):
    """A new role takes a while until Lambda may assume it."""
    for attempt in range(10):
        try:
            return functions.create_function(**settings, Code={"ZipFile": code})
        except functions.exceptions.InvalidParameterValueException as e:
            if "cannot be assumed" not in str(e) or attempt == 9:
                raise
            time.sleep(2)


def ensure_function(functions, role):
    settings = {
        "FunctionName": NAME,
        "Runtime": "python3.12",
        "Handler": "meditate.handler",
        "Role": role,
        "Timeout": 10,
        "MemorySize": 128,
        "Description": "A saying to think about",
    }
    code = package()
    try:
        functions.get_function(FunctionName=NAME)
        functions.update_function_code(FunctionName=NAME, ZipFile=code)
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
        functions.update_function_configuration(**settings)
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
    except functions.exceptions.ResourceNotFoundException:
        create_function(functions, settings, code)
        functions.get_waiter("function_active_v2").wait(FunctionName=NAME)
    return functions.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]


def swagger(region, function):
    with open(os.path.join(HERE, "swagger.json")) as f:
        document = json.load(f)
    integration = document["paths"]["/"]["post"]["x-amazon-apigateway-integration"]
    uri = string.Template(integration["uri"])
    integration["uri"] = uri.substitute(region=region, function=function)
    return json.dumps(document).encode()


def ensure_api(gateway, document):
    apis = (api for page in gateway.get_paginator("get_rest_apis").paginate() for api in page["items"])
    api = next((api for api in apis if api["name"] == NAME), None)
    if api:
        gateway.put_rest_api(restApiId=api["id"], mode="overwrite", body=document)
        return api["id"]
    return gateway.import_rest_api(body=document, failOnWarnings=True)["id"]


def ensure_permission(functions, region, function, api):
    account = function.split(":")[4]
    try:
        functions.add_permission(
            FunctionName=NAME,
            StatementId="api-" + api,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn="arn:aws:execute-api:%s:%s:%s/*/POST/" % (region, account, api),
        )
    except functions.exceptions.ResourceConflictException:
        pass


def ensure_stage(gateway, api):
    """A new deployment, which the stage then shows; the ones before it are removed."""
    new = gateway.create_deployment(restApiId=api, stageName=STAGE)["id"]
    for old in gateway.get_deployments(restApiId=api, limit=500)["items"]:
        if old["id"] != new:
            gateway.delete_deployment(restApiId=api, deploymentId=old["id"])


def address(region, api):
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return "%s/restapis/%s/%s/_user_request_/" % (endpoint.rstrip("/"), api, STAGE)
    return "https://%s.execute-api.%s.amazonaws.com/%s/" % (api, region, STAGE)


def main():
    functions = boto3.client("lambda")
    gateway = boto3.client("apigateway")
    region = functions.meta.region_name
    role = ensure_role(boto3.client("iam"))
    function = ensure_function(functions, role)
    api = ensure_api(gateway, swagger(region, function))
    ensure_permission(functions, region, function, api)
    ensure_stage(gateway, api)
    print(address(region, api))


if __name__ == "__main__":
    main()
