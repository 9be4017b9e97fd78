"""Functions reach the outside: what they find there, what is closed to them, and what is left behind."""
import concurrent.futures
import glob
import http.server
import json
import os
import socket
import stat
import struct
import threading
import time

import pytest

import conftest
from conftest import make_role, zip_of

SOURCE = """
import errno, json, socket, threading, urllib.request

listening = []

def connect(event):
    with socket.create_connection((event["host"], event["port"]), timeout=event.get("timeout", 20)) as s:
        return s.getpeername()[0]

def fetch(event):
    with urllib.request.urlopen("http://%s:%d/" % (event["host"], event["port"]), timeout=20) as r:
        return r.read().decode()

def echo(event):
    sent = b"x" * event["size"]
    with socket.create_connection((event["host"], event["port"])) as s:
        threading.Thread(target=lambda: (s.sendall(sent), s.shutdown(socket.SHUT_WR))).start()
        got = b"".join(iter(lambda: s.recv(1 << 16), b""))
    return got == sent

def lookup(event):
    return sorted({a[4][0] for a in socket.getaddrinfo(event["host"], 80, socket.AF_INET)})

def listen(event):
    listening.append(socket.create_server(("0.0.0.0", event["port"])))

def handler(event, context):
    try:
        return {"result": globals()[event["do"]](event)}
    except socket.gaierror as e:
        return {"error": "gaierror"}
    except OSError as e:
        return {"error": errno.errorcode.get(e.errno, repr(e))}
"""


def own_address():
    """Of this machine, but not of its loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("198.51.100.1", 9))
            return s.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no address but loopback")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from outside")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web():
    """A web server on this machine's address."""
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 200
    server = Server((own_address(), 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"host": server.server_address[0], "port": server.server_address[1]}
    server.shutdown()
    server.server_close()


@pytest.fixture
def echo_server():
    listener = socket.create_server((own_address(), 0))

    def serve(c):
        with c:
            while data := c.recv(1 << 16):
                c.sendall(data)

    def accept():
        try:
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    yield {"host": listener.getsockname()[0], "port": listener.getsockname()[1]}
    listener.close()


def call(client, function, event):
    r = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    answer = json.loads(r["Payload"].read())
    assert "FunctionError" not in r, answer
    return answer


@pytest.fixture
def function(make_function):
    return make_function({"app.py": SOURCE}, Timeout=60, MemorySize=1024)


def create(server, name, **kw):
    """On a server of the test's own."""
    role = make_role(server.client("iam"), name)
    server.client("lambda").create_function(
        FunctionName=name, Code={"ZipFile": zip_of({"app.py": SOURCE})}, Runtime="python3.12",
        Handler="app.handler", Role=role, Timeout=60, MemorySize=1024, **kw)
    return name


def test_http(client, function, web):
    assert call(client, function, {"do": "fetch", **web}) == {"result": "hello from outside"}
    by_name = {"do": "fetch", "host": "host.wolke.internal", "port": web["port"]}
    assert call(client, function, by_name) == {"result": "hello from outside"}


def test_much_data_both_ways_at_once(client, function, echo_server):
    assert call(client, function, {"do": "echo", "size": 20 << 20, **echo_server}) == {"result": True}


def test_ipv6(client, function):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("2001:db8::1", 9))
        except OSError:
            pytest.skip("this machine has no IPv6")
        address = s.getsockname()[0]
    with socket.create_server((address, 0), family=socket.AF_INET6) as s:
        event = {"do": "connect", "host": address, "port": s.getsockname()[1]}
        assert call(client, function, event) == {"result": address}
    assert call(client, function, event) == {"error": "ECONNREFUSED"}


def test_refused_and_unreachable(client, function):
    with socket.socket() as s:
        s.bind((own_address(), 0))
        port = s.getsockname()[1]
    event = {"do": "connect", "host": own_address(), "port": port}
    assert call(client, function, event) == {"error": "ECONNREFUSED"}
    for host in "240.0.0.1", "169.254.169.254", "0.0.0.1":
        answer = call(client, function, {"do": "connect", "host": host, "port": 80})
        assert answer == {"error": "ENETUNREACH"}, host


def test_loopback_of_the_host_is_closed(client, function, wolke):
    with socket.create_server(("127.0.0.1", 0)) as s:
        for host in "127.0.0.1", "host.wolke.internal":
            event = {"do": "connect", "host": host, "port": s.getsockname()[1]}
            assert call(client, function, event) == {"error": "ECONNREFUSED"}


def test_another_sandbox_is_not_reachable(client, make_function):
    listener, other = (make_function({"app.py": SOURCE}, MemorySize=1024) for _ in range(2))
    assert call(client, listener, {"do": "listen", "port": 8085}) == {"result": None}
    assert call(client, listener, {"do": "connect", "host": "127.0.0.1", "port": 8085}) == {"result": "127.0.0.1"}
    for host in "127.0.0.1", "169.254.76.1", "host.wolke.internal", own_address():
        answer = call(client, other, {"do": "connect", "host": host, "port": 8085})
        assert answer == {"error": "ECONNREFUSED"}, host


def test_a_function_that_wants_none(client, function, web):
    arn = client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    client("lambda").tag_resource(Resource=arn, Tags={"wolke:network": "off"})
    assert call(client, function, {"do": "connect", **web}) == {"error": "ENETUNREACH"}
    assert call(client, function, {"do": "lookup", "host": "wolke.test"}) == {"error": "gaierror"}
    client("lambda").untag_resource(Resource=arn, TagKeys=["wolke:network"])
    assert call(client, function, {"do": "connect", **web}) == {"result": web["host"]}


def test_a_hundred_at_once(client, function, web):
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda n: call(client, function, {"do": "fetch", **web}), range(100)))
    assert answers == [{"result": "hello from outside"}] * 100


@pytest.mark.parametrize("mode,plain,tagged", [
    ("on", True, True), ("ask", False, True), ("off", False, False)])
def test_modes(wolke_server, web, mode, plain, tagged):
    server = wolke_server("--network", mode, "--durability", "relaxed")
    for name, tags, reached in ("plain", {}, plain), ("tagged", {"wolke:network": "on"}, tagged):
        create(server, name, Tags=tags)
        answer = call(server.client, name, {"do": "connect", **web})
        assert answer == ({"result": web["host"]} if reached else {"error": "ENETUNREACH"}), name


def test_ports_of_the_host(wolke_server):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        server = wolke_server("--host-ports", "1,%d" % port, "--durability", "relaxed")
        create(server, "f")
        event = {"do": "connect", "host": "host.docker.internal", "port": port}
        assert "result" in call(server.client, "f", event)


# --- names ---------------------------------------------------------------------------------------


def answer_names(s):
    """Every name has the address 192.0.2.77, and none of IPv6."""
    while True:
        try:
            question, sender = s.recvfrom(2048)
        except OSError:
            return
        end = question.index(b"\0", 12) + 5
        is_a = question[end - 4:end - 2] == b"\0\1"
        answer = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" + question[12:end]
        if is_a:
            answer += b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, bytes([192, 0, 2, 77]))
        s.sendto(answer, sender)


@pytest.mark.skipif(os.geteuid() != 0, reason="binds port 53 and a file of its own over /etc/resolv.conf")
def test_names_are_looked_up_where_the_host_does(wolke_server, tmp_path, monkeypatch):
    # The first of the two does not exist.
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("search wolke.test\nnameserver 127.0.0.91\nnameserver 127.0.0.92\n")
    program = tmp_path / "wolke"
    program.write_text('#!/bin/sh\nexec unshare --mount sh -c \'mount --bind "$0" /etc/resolv.conf && exec "$@"\' %s %s "$@"\n'
                       % (resolver, conftest.PROGRAM))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(conftest, "PROGRAM", str(program))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.92", 53))
        except OSError:
            pytest.skip("port 53 is taken")
        thread = threading.Thread(target=answer_names, args=(s,), daemon=True)
        thread.start()
        server = wolke_server("--durability", "relaxed")
        create(server, "f")
        for name in "some.name.example", "short":
            assert call(server.client, "f", {"do": "lookup", "host": name}) == {"result": ["192.0.2.77"]}


# --- what is left ------------------------------------------------------------------------------------


def processes_below(pid):
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                text = f.read()
        except OSError:
            continue
        state, parent = text.rsplit(")", 1)[1].split()[:2]
        if state != "Z":
            parents[int(path.split("/")[2])] = int(parent)
    found, more = set(), {pid}
    while more:
        more = {p for p, parent in parents.items() if parent in more} - found
        found |= more
    return found


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def interfaces_and_routes():
    names = sorted(os.listdir("/sys/class/net"))
    with open("/proc/net/route") as f:
        return names, f.read()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_nothing_is_left(wolke_server, web, end):
    before = interfaces_and_routes()
    server = wolke_server("--durability", "relaxed")
    create(server, "f")
    assert "result" in call(server.client, "f", {"do": "fetch", **web})
    assert interfaces_and_routes() == before
    started = processes_below(server.process.pid)
    assert len(started) >= 3
    getattr(server, end)()
    deadline = time.monotonic() + conftest.PATIENCE_S
    while any(map(is_running, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [p for p in started if is_running(p)]
