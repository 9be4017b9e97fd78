"""The examples, deployed by their own tools and called as their users call them."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from conftest import ROOT

MEDITATIONS = os.path.join(ROOT, "examples", "meditations")
NOTES = os.path.join(ROOT, "examples", "notes-to-s3")
BRIDGE = os.path.join(os.path.dirname(os.environ.get("WOLKE", os.path.join(
    ROOT, "build", "release", "wolke"))), "stdio_bootstrap")


def deploy_meditations(wolke):
    done = subprocess.run([sys.executable, os.path.join(MEDITATIONS, "tools", "deploy.py")],
                          env=wolke.env(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def call(address, data=None):
    request = urllib.request.Request(address, data=data)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_meditations(wolke, client):
    address = deploy_meditations(wolke)
    status, body = call(address, b"")
    assert status == 200
    answer = json.loads(body)
    assert answer["status"] == "success"
    assert answer["meditation"]

    # Once more: nothing is made twice, and it still answers.
    assert deploy_meditations(wolke) == address
    assert call(address, b"{}")[0] == 200
    apis = client("apigateway").get_rest_apis(limit=500)["items"]
    api = [a for a in apis if a["name"] == "meditations"]
    assert len(api) == 1
    assert len(client("apigateway").get_deployments(restApiId=api[0]["id"])["items"]) == 1


def test_meditations_without_the_permission(wolke, client):
    address = deploy_meditations(wolke)
    functions = client("lambda")
    policy = json.loads(functions.get_policy(FunctionName="meditations")["Policy"])
    for statement in policy["Statement"]:
        functions.remove_permission(FunctionName="meditations", StatementId=statement["Sid"])
    status, body = call(address, b"{}")
    assert (status, json.loads(body)) == (500, {"message": "Internal server error"})
    deploy_meditations(wolke)
    assert call(address, b"{}")[0] == 200


@pytest.mark.skipif(not shutil.which("zip") or not shutil.which("perl"), reason="needs zip and perl")
def test_notes_to_s3(wolke, client, tmp_path):
    folder = tmp_path / "notes-to-s3"
    shutil.copytree(NOTES, folder, ignore=shutil.ignore_patterns("out"))
    for _ in range(2):
        done = subprocess.run(["make", "--no-print-directory", "-C", str(folder), "deploy", "BOOTSTRAP=" + BRIDGE],
                              env=wolke.env(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    address = done.stdout.strip().split(" ")[-1]

    status, body = call(address, "Milk & ☕".encode())
    assert status == 201
    note = json.loads(body)["id"]
    assert call(address + note) == (200, "Milk & ☕")
    assert call(address + "nosuch")[0] == 404
    stored = client("s3").get_object(Bucket="notes-000000000000", Key="notes/" + note)
    assert stored["Body"].read().decode() == "Milk & ☕"
