"""The Python runtime: what runs a handler inside a sandbox.

It speaks the Lambda Runtime API over one kept-alive connection to $AWS_LAMBDA_RUNTIME_API. There are
two ways in, and main() is both:

  python3 /var/runtime/bootstrap.py     with the environment complete
  import bootstrap; bootstrap.main()    in a process forked from a zygote, or started ahead of need:
                                        _HANDLER is not set, and GET /_wolke/environment answers
                                        with all environment variables once there is a function

Only the standard library, Python 3.9 and later. The raw socket and the short list of imports are
what makes a cold start short: http.client alone costs more than everything here.
"""

import _socket
import json
import logging
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime/"
NO_BREAK_SPACE = "\u00a0"
DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"

# Modules that most handlers import sooner or later and that do nothing but define things. A zygote
# imports them once, for all the sandboxes forked from it.
PRELOADED = (
    "ast base64 bisect calendar collections.abc concurrent.futures contextlib copy csv dataclasses "
    "datetime decimal email.message email.parser enum functools gzip hashlib hmac html http.client "
    "inspect io itertools math operator pathlib platform queue random secrets shutil socket ssl "
    "string struct subprocess tempfile textwrap threading typing urllib.parse urllib.request uuid "
    "xml.etree.ElementTree zipfile zlib"
).split()


class Fault(Exception):
    """An error that the runtime itself reports, by the name that Lambda gives it."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = "Runtime." + error_type
        self.message = message
        self.trace = trace


# --- the Runtime API -----------------------------------------------------------------------------


class Connection:
    """HTTP/1.1 to one server, one connection, requests written whole."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self.host_line = "Host: %s\r\n" % address
        self.socket = None
        self.buffer = b""

    def connect(self):
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.socket.connect(self.address)
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.buffer = b""

    def get(self, path):
        return ("GET %s HTTP/1.1\r\n%s\r\n" % (path, self.host_line)).encode()

    def post(self, path, body, content_type="application/json", more=""):
        head = "POST %s HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
            path,
            self.host_line,
            content_type,
            len(body),
            more,
        )
        return head.encode("latin-1", "replace") + body

    def exchange(self, *requests):
        """Sends the requests at once and returns the last one's (status, headers, body). A server
        may have closed the connection while a handler ran for long: then once more, on a new one."""
        data = b"".join(requests)
        if self.socket:
            try:
                return self._exchange(data, len(requests))
            except OSError:
                self.socket.close()
        self.connect()
        return self._exchange(data, len(requests))

    def _exchange(self, data, n):
        self.socket.sendall(data)
        for _ in range(n):
            answer = self._receive()
        return answer

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the Runtime API closed the connection")
        return data

    def _receive(self):
        buffer = self.buffer
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            buffer += self._more()
            end = buffer.find(b"\r\n\r\n")
        lines = buffer[:end].decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.buffer = buffer[end + 4 :]
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunked()
        else:
            body = self._take(int(headers.get("content-length") or 0))
        return int(lines[0].split(" ", 2)[1]), headers, body

    def _take(self, n):
        have = len(self.buffer)
        if have < n:
            pieces = [self.buffer]
            while have < n:
                pieces.append(self._more())
                have += len(pieces[-1])
            self.buffer = b"".join(pieces)
        body, self.buffer = self.buffer[:n], self.buffer[n:]
        return body

    def _chunked(self):
        pieces = []
        while True:
            while b"\r\n" not in self.buffer:
                self.buffer += self._more()
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            n = int(line.split(b";")[0], 16)
            pieces.append(self._take(n + 2)[:n])
            if n == 0:
                return b"".join(pieces)


# --- the log -------------------------------------------------------------------------------------


class StreamSink:
    """Standard output. A line is one log event; line ends within an event become carriage returns."""

    def write(self, text):
        body = text[:-1] if text.endswith("\n") else text
        sys.stdout.write(body.replace("\n", "\r") + text[len(body) :])

    def error(self, lines):
        sys.stdout.write("\r".join(lines) + "\n")


class FrameSink:
    """The descriptor that _LAMBDA_TELEMETRY_LOG_FD names: type, length, time in microseconds, text."""

    TYPES = {10: 0x8, 20: 0xC, 30: 0x10, 40: 0x14, 50: 0x18}

    def __init__(self, fd, is_json):
        self.fd = fd
        self.base = 0xA55A0002 if is_json else 0xA55A0003

    def write(self, text, level=0):
        data = text.encode("utf-8", "backslashreplace")
        kind = self.base | self.TYPES.get(level, 0)
        head = (
            kind.to_bytes(4, "big")
            + len(data).to_bytes(4, "big")
            + (time.time_ns() // 1000).to_bytes(8, "big")
        )
        data = head + data
        while data:
            data = data[os.write(self.fd, data) :]

    def error(self, lines):
        self.write("\n".join(lines), 40)


class Handler(logging.Handler):
    """Root logger's handler."""

    def __init__(self, sink):
        super().__init__()
        self.log_sink = sink

    def emit(self, record):
        try:
            self.log_sink.write(self.format(record))
        except Exception:
            self.handleError(record)


class RequestFilter(logging.Filter):
    """Gives records the id of the request that is being served."""

    request_id = None
    tenant_id = None

    def filter(self, record):
        record.aws_request_id = self.request_id or ""
        record.tenant_id = self.tenant_id
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with the fields of LoggingConfig's JSON format."""

    # What every record has of its own is not repeated as an extra field.
    OWN = set(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "tenant_id", "taskName"}

    def format(self, record):
        level = min(50, max(0, record.levelno)) // 10 * 10
        exc = record.exc_info
        result = {
            "timestamp": timestamp(record.created),
            "level": logging.getLevelName(level),
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(exc[2]) if exc else None,
            "errorType": exc[0].__name__ if exc and exc[0] else None,
            "errorMessage": str(exc[1]) if exc else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
            if exc
            else None,
            "tenantId": getattr(record, "tenant_id", None),
        }
        for key, value in record.__dict__.items():
            if key not in self.OWN and key not in result:
                result[key] = value
        result = {k: v for k, v in result.items() if v is not None}
        return json.dumps(result, ensure_ascii=False, default=str) + "\n"


def timestamp(seconds):
    millis = int(seconds * 1000)
    return "%s.%03dZ" % (time.strftime(DATE_FORMAT, time.gmtime(millis // 1000)), millis % 1000)


def set_up_logging():
    """Root logger as in Lambda: a handler with the request id, level WARNING unless configured."""
    is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    sink = FrameSink(int(fd), is_json) if fd else StreamSink()
    handler = Handler(sink)
    logging.Formatter.converter = time.gmtime
    if is_json:
        handler.setFormatter(JsonFormatter())
    else:
        text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(text, DATE_FORMAT))
    handler.addFilter(RequestFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = "DEBUG" if level == "TRACE" else level
    if level in logging._nameToLevel:
        root.setLevel(level)
    return sink, is_json


# --- errors --------------------------------------------------------------------------------------


def error_document(error, request_id=""):
    """What the caller gets for an exception."""
    if isinstance(error, Fault):
        message, name, trace = error.message, error.error_type, error.trace or []
    else:
        message, name = str(error), type(error).__name__
        # Without columns, and so without the marks below each line that newer Pythons draw.
        frames = [(f.filename, f.lineno, f.name, f.line) for f in user_frames(error)]
        trace = traceback.format_list(frames)
    return {
        "errorMessage": message,
        "errorType": name,
        "requestId": request_id,
        "stackTrace": trace,
    }


def user_frames(error):
    """The stack without this file's frames at its start."""
    frames = traceback.extract_tb(error.__traceback__)
    for i, frame in enumerate(frames):
        if frame.filename != __file__:
            return frames[i:]
    return frames


def xray_cause(error):
    """The header that gives X-Ray the exception."""
    frames = [] if isinstance(error, Fault) else user_frames(error)
    stack = [{"label": f.name, "path": f.filename, "line": f.lineno} for f in frames]
    name = "LambdaValidationError" if isinstance(error, Fault) else type(error).__name__
    cause = json.dumps(
        {
            "working_directory": os.getcwd(),
            "exceptions": [{"message": str(error), "type": name, "stack": stack}],
            "paths": sorted({f.filename for f in frames}),
        }
    )
    return cause if len(cause) < 32768 else ""


def log_error(sink, is_json, document):
    if is_json:
        line = {"timestamp": timestamp(time.time()), "level": "ERROR", **document}
        sink.error([json.dumps(line, ensure_ascii=False)])
        return
    head = "[ERROR] " + document["errorType"]
    if document["errorMessage"]:
        head += ": " + document["errorMessage"]
    lines = head.split("\n") + ["Traceback (most recent call last):"]
    for element in document["stackTrace"]:
        for line in element.splitlines():
            text = line.lstrip(" ")
            # Blanks at the start of a line would be lost on the way to the log's reader.
            lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    sink.error(lines)


# --- the handler ---------------------------------------------------------------------------------


def load_handler(name):
    import importlib

    module_name, dot, function = name.rpartition(".")
    if not dot:
        raise Fault(
            "MalformedHandlerName",
            "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name,
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "BuiltInModuleConflict",
            "Cannot use built-in module %s as a handler module" % module_name,
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        where = '  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)
        raise Fault(
            "UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e), [where]
        )
    try:
        return getattr(module, function)
    except AttributeError:
        raise Fault(
            "HandlerNotFound", "Handler '%s' missing on module '%s'" % (function, module_name)
        )


class Slots:
    """An object whose fields are named by __slots__ and come from a dictionary."""

    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, fields)


class CognitoIdentity(Slots):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(Slots):
    __slots__ = (
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )


class ClientContext(Slots):
    __slots__ = ("custom", "env", "client")


class LambdaContext:
    """The handler's second argument."""

    # Of this process, set once by main(): reading the environment takes its time.
    log_sink = None
    constants = {}

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.__dict__.update(self.constants)
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        identity = json_header(headers.get("lambda-runtime-cognito-identity"), "Cognito Identity")
        identity = identity or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": identity.get("cognitoIdentityId"),
                "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
            }
        )
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms") or 0)

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, message):
        self.log_sink.write(str(message))

    @classmethod
    def set_up(cls, sink):
        env = os.environ.get
        cls.log_sink = sink
        cls.constants = {
            "log_group_name": env("AWS_LAMBDA_LOG_GROUP_NAME"),
            "log_stream_name": env("AWS_LAMBDA_LOG_STREAM_NAME"),
            "function_name": env("AWS_LAMBDA_FUNCTION_NAME"),
            "memory_limit_in_mb": env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            "function_version": env("AWS_LAMBDA_FUNCTION_VERSION"),
        }

    def __repr__(self):
        fields = ",".join("%s=%s" % i for i in self.__dict__.items() if i[0][0] != "_")
        return "LambdaContext([%s])" % fields


def json_header(text, name):
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as e:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, e))


def client_context(text):
    values = json_header(text, "Client Context")
    if values is None:
        return None
    context = ClientContext(values)
    if context.client is not None:
        context.client = Client(context.client)
    return context


class Encoder(json.JSONEncoder):
    """JSON as Lambda's runtime writes it: Decimal is a number with all its digits, bytes are UTF-8
    text, and from Python 3.12 on other alphabets are not escaped. The standard encoder cannot write
    a number that is neither int nor float: a mark takes its place, and is replaced at the end."""

    def __init__(self):
        name = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("python3.")[2]
        minor = int(name) if name.isdigit() else sys.version_info[1]
        super().__init__(ensure_ascii=minor < 12, allow_nan=True)
        self.mark = None
        self.numbers = []

    def default(self, value):
        if isinstance(value, (bytes, bytearray)):
            return value.decode("utf-8")
        decimal = sys.modules.get("decimal")
        if decimal is None or not isinstance(value, decimal.Decimal):
            return super().default(value)
        if value.is_nan():
            return float("nan")
        if self.mark is None:
            self.mark = os.urandom(16).hex()
        self.numbers.append(str(value))
        return "%s%d." % (self.mark, len(self.numbers) - 1)

    def document(self, value):
        """The bytes to answer with."""
        del self.numbers[:]
        text = self.encode(value)
        if self.numbers:
            import re

            pattern = '"%s(\\d+)\\."' % self.mark
            text = re.sub(pattern, lambda m: self.numbers[int(m.group(1))], text)
        return text.encode("utf-8")


# --- life ----------------------------------------------------------------------------------------


def preload():
    """For zygotes: what handlers import later is there already. Nothing here reads the environment
    or starts a thread, so nobody can tell but by the time it takes: 4 ms instead of 155 for a handler
    that imports ssl, urllib.request, uuid and the like, and half the memory."""
    import importlib

    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    json.loads("{}")
    time.strptime("2000", "%Y")


def take_environment(connection):
    """Waits until this sandbox has a function, and becomes its process."""
    status, _, body = connection.exchange(connection.get("/_wolke/environment"))
    if status != 200:
        sys.exit("bootstrap: no environment: status %d" % status)
    os.environ.clear()
    os.environ.update(json.loads(body))
    time.tzset()
    if "random" in sys.modules:
        sys.modules["random"].seed()


def start_debugger():
    """debugpy, where wolke has installed it, listens inside of the sandbox."""
    port = os.environ.pop("WOLKE_DEBUG_PORT", None)
    if not port:
        return
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path.append("%s/debug/python%d.%d" % (own, *sys.version_info[:2]))
    try:
        import debugpy

        debugpy.listen(("127.0.0.1", int(port)))
    except Exception as e:
        print("[wolke] no debugger: %s: %s" % (type(e).__name__, e))


def answer_where():
    """When an invocation's time is up, wolke asks by a signal that nothing else uses (SIGSTKFLT):
    the stacks of all threads go to the log, also from within C code."""
    import faulthandler

    try:
        faulthandler.register(16, file=2, all_threads=True, chain=False)
    except (OSError, RuntimeError, ValueError):
        pass


def set_up_path():
    """sys.path in Lambda's order. The host's own site-packages are left out: a function that needs
    a package brings it, here as there."""
    env = os.environ
    task = env.get("LAMBDA_TASK_ROOT", "/var/task")
    version = "python%d.%d" % sys.version_info[:2]
    # What a zygote imported this file from is not there in the sandbox.
    imported_from = os.path.dirname(os.path.abspath(__file__))
    runtime = env.get("LAMBDA_RUNTIME_DIR") or imported_from
    standard = [
        p
        for p in sys.path
        if p
        and p not in (runtime, imported_from)
        and not p.endswith(("site-packages", "dist-packages"))
    ]
    own = [p for p in env.get("PYTHONPATH", "").split(":") if p]
    path = [task, "/opt/python/lib/%s/site-packages" % version, "/opt/python"]
    path += own + [runtime + "/sdk"] + [p for p in standard if p not in own]
    sys.path[:] = dict.fromkeys(path)
    try:
        os.chdir(task)
    except OSError:
        pass


def trace_id(value):
    if value:
        os.environ["_X_AMZN_TRACE_ID"] = value
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def answer(connection, handler, encoder, invocation, report):
    """Runs the handler on one invocation; the request that reports its end."""
    headers, body = invocation
    path = "%sinvocation/%s/" % (API, headers["lambda-runtime-aws-request-id"])
    try:
        context = LambdaContext(headers)
        try:
            event = json.loads(body)
        except ValueError as e:
            raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % e)
        result = handler(event, context)
        if isinstance(result, bytes):
            return connection.post(path + "response", result, "application/unknown")
        try:
            return connection.post(path + "response", encoder.document(result))
        except Exception as e:
            raise Fault("MarshalError", "Unable to marshal response: %s" % e)
    except Exception as e:
        document, more = report(e, headers["lambda-runtime-aws-request-id"])
        return connection.post(path + "error", document, more=more)


def serve(connection, handler, report):
    """The loop. The report of one invocation and the question for the next go out together."""
    encoder = Encoder()
    next_one = connection.get(API + "invocation/next")
    requests = [next_one]
    while True:
        status, headers, body = connection.exchange(*requests)
        if status != 200:
            sys.exit("bootstrap: the Runtime API answered %d" % status)
        RequestFilter.request_id = headers["lambda-runtime-aws-request-id"]
        RequestFilter.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace_id(headers.get("lambda-runtime-trace-id"))
        done = answer(connection, handler, encoder, (headers, body), report)
        sys.stdout.flush()
        requests = [done, next_one]


def hooks(name):
    """Those that the function has registered, with AWS's module or its own copy of that."""
    module = sys.modules.get("snapshot_restore_py")
    return list(getattr(module, name)()) if module else []


def reseed():
    """What libraries have made unique before the snapshot is made anew."""
    if "random" in sys.modules:
        sys.modules["random"].seed()
    if "ssl" in sys.modules:
        sys.modules["ssl"].RAND_add(os.urandom(32), 32.0)
    if "tempfile" in sys.modules:
        sys.modules["tempfile"]._name_sequence = None


def snapshot(connection, report):
    """The snapshot is taken within restore/next, which answers when somebody needs it."""
    try:
        for function, args, kwargs in reversed(hooks("get_before_snapshot")):
            function(*args, **kwargs)
    except Exception as e:
        document, _ = report(e)
        more = "Lambda-Runtime-Function-Error-Type: Runtime.BeforeSnapshotError\r\n"
        connection.exchange(connection.post(API + "init/error", document, more=more))
        sys.exit(1)
    sys.stdout.flush()
    status, _, _ = connection.exchange(connection.get(API + "restore/next"))
    if status != 200:
        sys.exit("bootstrap: the Runtime API answered %d" % status)
    reseed()
    try:
        for function, args, kwargs in hooks("get_after_restore"):
            function(*args, **kwargs)
    except Exception as e:
        document, _ = report(e)
        more = "Lambda-Runtime-Function-Error-Type: Runtime.AfterRestoreError\r\n"
        connection.exchange(connection.post(API + "restore/error", document, more=more))
        sys.exit(1)


def reporter(sink, is_json):
    """A function that logs an exception and returns what the Runtime API is told of it."""

    def report(error, request_id=""):
        document = error_document(error, request_id)
        log_error(sink, is_json, document)
        more = "Lambda-Runtime-Function-Error-Type: %s\r\n" % document["errorType"]
        cause = xray_cause(error)
        if cause:
            more += "Lambda-Runtime-Function-XRay-Error-Cause: %s\r\n" % cause
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), more

    return report


def main():
    connection = Connection(os.environ.get("AWS_LAMBDA_RUNTIME_API") or "127.0.0.1:9001")
    if "_HANDLER" not in os.environ:
        take_environment(connection)
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    sys.stderr.reconfigure(encoding="utf-8", line_buffering=True)
    set_up_path()
    start_debugger()
    sink, is_json = set_up_logging()
    LambdaContext.set_up(sink)
    report = reporter(sink, is_json)
    answer_where()
    sys.modules.pop("bootstrap", None)  # a handler's module may be called that, too
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as e:
        document, more = report(e)
        connection.exchange(connection.post(API + "init/error", document, more=more))
        sys.exit(1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        snapshot(connection, report)
    serve(connection, handler, report)
