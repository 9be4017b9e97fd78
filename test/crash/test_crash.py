"""kill -9 at any moment is a normal event: what was acknowledged is there afterwards, with its
content; of what was not, all is there or nothing; and nothing is left lying about."""
import base64
import hashlib
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from conftest import PATIENCE_S, PROGRAM, TRUST, free_port, make_role, zip_of

ROUNDS = 4
WRITES_PER_ROUND = 260
WRITERS = 2  # of each kind
BUCKET = "crash"
GROUP = "/crash"
POOL = Config(max_pool_connections=4)


def wait_until(true, what):
    end = time.monotonic() + PATIENCE_S * 4
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def body_of(key):
    """What the object of this name holds: small ones lie in the store, large ones beside it."""
    seed = hashlib.sha256(key.encode()).digest()
    return seed * (3 if seed[0] % 2 else 4000)


class Writes:
    """What was begun and what was acknowledged, by kind."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begun, self.acknowledged = {}, {}
        self.failures = []
        self.n = 0

    def begin(self, kind, name):
        with self.lock:
            self.begun.setdefault(kind, set()).add(name)

    def acknowledge(self, kind, name):
        with self.lock:
            self.acknowledged.setdefault(kind, set()).add(name)
            self.n += 1


def write_object(server, writes, name):
    server.client("s3").put_object(Bucket=BUCKET, Key=name, Body=body_of(name))


def write_role(server, writes, name):
    iam = server.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description="of " + name)
    writes.begin("policy", name)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy_of(name))
    writes.acknowledge("policy", name)


def policy_of(name):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % name}]})


def write_events(server, writes, name):
    now = int(time.time() * 1000)
    server.client("logs").put_log_events(
        logGroupName=GROUP, logStreamName=name.split("-")[0],
        logEvents=[{"timestamp": now, "message": "%s %d" % (name, i)} for i in range(5)])


def code_of(name):
    return zip_of({"bootstrap": (0o755, "#!/bin/sh\n# %s\n" % name + "# padding\n" * 500)})


def write_function(server, writes, name):
    server.client("lambda").create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="h", Role=server.role,
        Description="of " + name, Code={"ZipFile": code_of(name)})


KINDS = {"object": write_object, "role": write_role, "events": write_events,
         "function": write_function}


def write_until_killed(server, writes, kind, prefix):
    for i in itertools.count():
        name = "%s-%d" % (prefix, i)
        writes.begin(kind, name)
        try:
            KINDS[kind](server, writes, name)
        except ClientError as error:
            writes.failures.append((kind, name, error))
            return
        except BotoCoreError:
            return
        writes.acknowledge(kind, name)


def all_names(page_iterator, member, key):
    return {item[key] for page in page_iterator for item in page.get(member, [])}


def check_objects(server, writes):
    s3 = server.client("s3")
    there = all_names(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET), "Contents", "Key")
    assert writes.acknowledged["object"] <= there <= writes.begun["object"]
    for key in there:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body_of(key), key


def check_roles(server, writes):
    iam = server.client("iam")
    there = all_names(iam.get_paginator("list_roles").paginate(), "Roles", "RoleName")
    there.discard("executor")
    assert writes.acknowledged["role"] <= there <= writes.begun["role"]
    for name in there:
        assert iam.get_role(RoleName=name)["Role"]["Description"] == "of " + name
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        assert policies == ["p"] or name not in writes.acknowledged["policy"]
        if policies:
            got = iam.get_role_policy(RoleName=name, PolicyName="p")["PolicyDocument"]
            assert got == json.loads(policy_of(name))


def check_events(server, writes):
    logs, there = server.client("logs"), {}
    for stream in {name.split("-")[0] for name in writes.begun["events"]}:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=GROUP, logStreamNames=[stream])
        for event in (e for page in pages for e in page["events"]):
            name, i = event["message"].split()
            there.setdefault(name, []).append(int(i))
    assert writes.acknowledged["events"] <= set(there) <= writes.begun["events"]
    assert all(sorted(v) == [0, 1, 2, 3, 4] for v in there.values())


def check_functions(server, writes):
    client = server.client("lambda")
    there = all_names(client.get_paginator("list_functions").paginate(), "Functions", "FunctionName")
    assert writes.acknowledged["function"] <= there <= writes.begun["function"]
    for name in there:
        got = client.get_function(FunctionName=name)
        want = base64.b64encode(hashlib.sha256(code_of(name)).digest()).decode()
        assert got["Configuration"]["CodeSha256"] == want
        assert got["Configuration"]["Description"] == "of " + name
        assert urllib.request.urlopen(got["Code"]["Location"], timeout=60).read() == code_of(name)


def delete_everything(server):
    s3, client = server.client("s3"), server.client("lambda")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        s3.delete_objects(Bucket=BUCKET, Delete={
            "Objects": [{"Key": o["Key"]} for o in page.get("Contents", [])]})
    for page in list(client.get_paginator("list_functions").paginate()):
        for f in page["Functions"]:
            client.delete_function(FunctionName=f["FunctionName"])


def blobs_of(server):
    top = os.path.join(server.data_dir, "store", "blobs")
    return [os.path.join(d, f) for d, _, files in os.walk(top) for f in files]


def write_and_kill(server, writes, round_):
    goal = writes.n + random.randint(WRITES_PER_ROUND, WRITES_PER_ROUND + 40)
    threads = [threading.Thread(target=write_until_killed, args=(
        server, writes, kind, "r%dw%d%s" % (round_, i, kind))) for kind in KINDS
        for i in range(WRITERS)]
    for name in {"r%dw%devents" % (round_, i) for i in range(WRITERS)}:
        server.client("logs").create_log_stream(logGroupName=GROUP, logStreamName=name)
    for t in threads:
        t.start()
    wait_until(lambda: writes.n >= goal or writes.failures, "the writers do not get on")
    server.kill()
    for t in threads:
        t.join()
    assert not writes.failures


def test_writes(wolke_server):
    server, writes = wolke_server(), Writes()
    server.client("s3").create_bucket(Bucket=BUCKET)
    server.client("logs").create_log_group(logGroupName=GROUP)
    server.role = make_role(server.client("iam"), "executor")
    for round_ in range(ROUNDS):
        write_and_kill(server, writes, round_)
        server.start()
        for check in (check_objects, check_roles, check_events, check_functions):
            check(server, writes)
    assert writes.n > 1000
    delete_everything(server)
    wait_until(lambda: not blobs_of(server), "files remain that nothing refers to")


def test_overwrites_and_deletes(wolke_server):
    """The same keys again and again: the last acknowledged state, or the one under way."""
    server = wolke_server()
    server.client("s3").create_bucket(Bucket=BUCKET)
    may_be = {}

    def write(n):
        s3, i = server.client("s3"), 0
        while True:
            key = "w%d/%d" % (n, i % 7)
            body = None if i % 5 == 4 else os.urandom(50 if i % 2 else 150000)
            before = may_be.get(key, [None])
            may_be[key] = [before[-1], body]
            try:
                if body is None:
                    s3.delete_object(Bucket=BUCKET, Key=key)
                else:
                    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            except BotoCoreError:
                return
            may_be[key] = [body]
            i += 1

    for _ in range(3):
        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        time.sleep(random.uniform(0.5, 1.5))
        server.kill()
        for t in threads:
            t.join()
        server.start()
        s3 = server.client("s3")
        for key, bodies in may_be.items():
            try:
                got = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            except s3.exceptions.NoSuchKey:
                got = None
            assert any(got == body for body in bodies), key
            may_be[key] = [got]
    large = sum(1 for bodies in may_be.values() if bodies[0] and len(bodies[0]) > 50)
    wait_until(lambda: len(blobs_of(server)) == large, "files remain that nothing refers to")


MARKER = """
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket="crash", Key=event["id"], Body=context.aws_request_id)
"""


def test_async_invocations(wolke_server):
    # Throttled events are tried again with growing pauses: the clock is moved over these.
    server = wolke_server("--iam", "enforce", "--clock", "manual")
    server.client("s3").create_bucket(Bucket=BUCKET)
    role = make_role(server.client("iam"), "marker", json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::crash/*"}]}))
    server.client("lambda").create_function(
        FunctionName="marker", Runtime="python3.12", Handler="app.handler", Role=role, Timeout=60,
        MemorySize=1769,
        Code={"ZipFile": zip_of({"app.py": MARKER})})
    server.client("lambda").put_function_concurrency(
        FunctionName="marker", ReservedConcurrentExecutions=4)
    accepted = {}

    def invoke(prefix):
        client = server.client("lambda")
        for i in range(1000):
            name = "%s-%d" % (prefix, i)
            try:
                answer = client.invoke(FunctionName="marker", InvocationType="Event",
                                       Payload=json.dumps({"id": name}))
            except BotoCoreError:
                return
            assert answer["StatusCode"] == 202
            accepted[name] = answer["ResponseMetadata"]["RequestId"]

    for round_ in range(2):
        goal = len(accepted) + 30
        threads = [threading.Thread(target=invoke, args=("r%dw%d" % (round_, i),))
                   for i in range(3)]
        for t in threads:
            t.start()
        wait_until(lambda: len(accepted) >= goal, "nobody accepts events")
        server.kill()
        for t in threads:
            t.join()
        server.start()
    s3 = server.client("s3")

    def ran():
        time.sleep(0.5)
        server.advance(20)  # far from the six hours after which AWS drops an event
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return all_names(pages, "Contents", "Key")
    wait_until(lambda: set(accepted) <= ran(), "an accepted event did not run")
    for name, request in random.sample(sorted(accepted.items()), 10):
        assert s3.get_object(Bucket=BUCKET, Key=name)["Body"].read().decode() == request


# ---- what is left lying about ----

def descendants(pid):
    """{pid: start time} of all processes below this one."""
    found, todo = {}, [pid]
    while todo:
        parent = todo.pop()
        try:
            for thread in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, thread)) as f:
                    for child in map(int, f.read().split()):
                        found[child] = start_time(child)
                        todo.append(child)
        except OSError:
            continue
    return found


def start_time(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
            return None if fields[0] == "Z" else fields[19]
    except OSError:
        return None


def cgroups_of(pids):
    names = {"wolke-%d" % pid for pid in pids}
    return [os.path.join(d, c) for d, folders, _ in os.walk("/sys/fs/cgroup")
            for c in folders if c in names]


def mounts_of(server):
    with open("/proc/self/mountinfo") as f:
        return [line for line in f if server.directory in line]


SLEEPER = """
import subprocess, time
def handler(event, context):
    open("/tmp/x", "w").write("x" * 1000000)
    subprocess.Popen(["sleep", "1000"])
    if event.get("stay"):
        time.sleep(100)
"""


@pytest.fixture
def busy_server(wolke_server):
    """With an idle environment, and one that runs and has children of its own."""
    server = wolke_server()
    client = server.client("lambda")
    client.create_function(
        FunctionName="sleeper", Runtime="python3.12", Handler="app.handler", Timeout=120,
        Role=make_role(server.client("iam"), "sleeper"),
        Code={"ZipFile": zip_of({"app.py": SLEEPER})})
    client.invoke(FunctionName="sleeper", Payload="{}")
    client.invoke(FunctionName="sleeper", InvocationType="Event", Payload='{"stay": 1}')
    client.invoke(FunctionName="sleeper", InvocationType="Event", Payload='{"stay": 1}')
    wait_until(lambda: states(server).count("busy") == 2, "the functions do not run")
    return server


def states(server):
    got = urllib.request.urlopen(server.endpoint + "/_wolke/environments", timeout=30).read()
    return [e["state"] for e in json.loads(got)]


def test_nothing_outlives_a_kill(busy_server):
    children = descendants(busy_server.process.pid)
    assert len(children) > 6 and cgroups_of(children)
    busy_server.kill()
    wait_until(lambda: not any(start_time(p) == s for p, s in children.items() if s),
               "processes remain")
    wait_until(lambda: not cgroups_of(children), "cgroups remain")
    assert not mounts_of(busy_server)
    busy_server.start()
    busy_server.client("lambda").invoke(FunctionName="sleeper", Payload="{}")


def test_nothing_outlives_a_kill_of_the_helper_too(busy_server):
    children = descendants(busy_server.process.pid)
    os.kill(busy_server.process.pid, signal.SIGSTOP)
    with open("/proc/%d/task/%d/children" % ((busy_server.process.pid,) * 2)) as f:
        helpers = [int(p) for p in f.read().split()]
    for pid in helpers:
        os.kill(pid, signal.SIGKILL)
    busy_server.kill()
    wait_until(lambda: not any(start_time(p) == s for p, s in children.items() if s),
               "processes remain")
    assert not mounts_of(busy_server)
    busy_server.start()  # sweeps what nobody was left to remove
    wait_until(lambda: not cgroups_of(children), "cgroups remain")
    busy_server.client("lambda").invoke(FunctionName="sleeper", Payload="{}")


def test_killed_while_it_starts_for_the_first_time(tmp_path):
    """Secrets and certificates are made once: half-made ones must not lock the next start out."""
    for i in range(25):
        data, port = str(tmp_path / str(i)), free_port()
        command = [PROGRAM, "start", "--port", str(port), "--data", data]
        started = time.monotonic()
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.25))
        first.kill()
        first.wait()
        assert time.monotonic() - started < PATIENCE_S
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(port) or second.poll() is not None, "no answer")
            assert second.poll() is None, second.stdout.read().decode()
        finally:
            second.terminate()
            second.wait()
            second.stdout.close()


def answers(port):
    try:
        return urllib.request.urlopen("http://127.0.0.1:%d/_wolke/health" % port, timeout=9).read()
    except OSError:
        return None
