# SPDX-License-Identifier: Apache-2.0
"""A Gradient-compatible registry inside the test's own process, that can be told to misbehave.

    registry = FakeRegistry().start()
    registry.add_model("mnist", "cnn", files={"a.bin": b"..."})
    registry.fail("content", status(500), times=2)      # the next two file downloads answer 500
    registry.count["files"]                             # how many listFiles there were

Routes: `projects`, `models` (getModelList), `files` (listFiles), `content` (a file's bytes). A
fault is a function that changes a Reply before it is sent; faults stand further down.
"""

import collections
import email.utils
import hashlib
import http.server
import itertools
import json
import socket
import struct
import threading
import time
import urllib.parse

from seeded import as_content

CHUNK = 1 << 18
ISO = "%Y-%m-%dT%H:%M:%S.000Z"
A_TIME = 1554224567


class File:
    """One file of a model. What the listing says and what the bytes are can be set apart."""

    def __init__(self, content, etag=None):
        self.content = as_content(content)
        self._etag = etag or f'"{hashlib.md5(repr(id(self)).encode()).hexdigest()}"'
        self.listed_size = self.content.size
        self.digest = None  # "sha256:<hex>", as `modelfs serve` lists it; elsewhere there is none
        self.mtime = None

    @property
    def etag(self):
        """`modelfs serve` gives the digest as the ETag, and its clients count on that."""
        return f'"{self.digest.removeprefix("sha256:")}"' if self.digest else self._etag

    def replace(self, content, etag=None):
        """New content under the same name, as an upload over it would leave it."""
        fresh = File(content, etag)
        fresh.mtime = (self.mtime or A_TIME) + 60
        self.__dict__ = fresh.__dict__


class Model:
    def __init__(self, project_id, model_id, name, kind, files, detail, summary):
        self.fields = {
            "id": model_id,
            "name": name,
            "projectId": project_id,
            "modelType": kind,
            "summary": summary,
            "detail": detail,
            "dtCreated": time.strftime(ISO, time.gmtime(A_TIME)),
            "dtModified": time.strftime(ISO, time.gmtime(A_TIME)),
        }
        self.files = {path: f if isinstance(f, File) else File(f) for path, f in files.items()}


class Reply:
    """What is about to be sent. Faults change its fields."""

    def __init__(self, code=200, headers=None, content=b"", off=0, length=None):
        self.code = code
        self.headers = dict(headers or {})
        self.content = as_content(content)
        self.off = off
        self.length = self.content.size if length is None else length
        self.extra = b""
        self.stop_after = None
        self.ending = None
        self.bytes_per_s = None
        self.delay_s = 0
        self.hold_before_head = False

    def set_body(self, data):
        self.content, self.off, self.length = as_content(data), 0, len(data)


# Faults: each makes a function over a Reply.


def status(code, body=b'{"status":0,"message":"asked for by a test"}', **headers):
    """Another status, with headers such as Retry_After="1"."""

    def change(reply):
        reply.code = code
        reply.headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        reply.set_body(body)

    return change


def cut(after):
    """The connection ends, politely, after so many bytes of the body."""

    def change(reply):
        reply.stop_after, reply.ending = after, "close"

    return change


def reset(after=0):
    """The connection is reset after so many bytes of the body."""

    def change(reply):
        reply.stop_after, reply.ending = after, "reset"

    return change


def stall(after=0):
    """Nothing comes after so many bytes of the body, until the registry stops or is released."""

    def change(reply):
        reply.stop_after, reply.ending = after, "stall"

    return change


def hold(reply):
    """Not even a head comes before the registry is released."""
    reply.hold_before_head = True


def header(name, value):
    """One header replaced, or left out with None."""

    def change(reply):
        reply.headers.pop(name, None)
        if value is not None:
            reply.headers[name] = value

    return change


def body(data):
    """Another body with a true Content-Length."""

    def change(reply):
        reply.set_body(data)

    return change


def whole(reply):
    """A Range request answered with 200 and all of the content."""
    reply.code, reply.off, reply.length = 200, 0, reply.content.size
    reply.headers.pop("Content-Range", None)


def announce(more):
    """Content-Length and Content-Range say so many bytes more (or less) than there are."""

    def change(reply):
        reply.headers["Content-Length"] = str(reply.length + more)
        if more > 0:
            reply.stop_after, reply.ending = reply.length, "close"

    return change


def longer(extra):
    """More bytes than were asked for, announced as such."""

    def change(reply):
        reply.extra = extra

    return change


def slow(bytes_per_s):
    def change(reply):
        reply.bytes_per_s = bytes_per_s

    return change


def late(seconds):
    def change(reply):
        reply.delay_s = seconds

    return change


class FakeRegistry:
    def __init__(self, port=0):
        self.port = port
        self.projects = {}
        self.models = {}
        self.api_keys = set()
        self.url_uses = None
        self.url_seconds = None
        self.hangs = False
        self.lists_extras = False
        self.count = collections.Counter()
        self.content_bytes = 0
        self.requests = []
        self._faults = []
        self._tokens = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._released = threading.Event()
        self._server = None

    # What stands in the registry.

    def add_project(self, name, project_id=None):
        project_id = project_id or f"pr{next(self._ids):07d}"
        self.projects[project_id] = name
        return project_id

    def project_id(self, name):
        found = [key for key, value in self.projects.items() if value == name]
        return found[0] if found else self.add_project(name)

    def add_model(self, project, name, kind="Tensorflow", files=None, detail=None, summary=None):
        """Adds a model; a project of None is a model that stands in no project."""
        project_id = self.project_id(project) if project is not None else None
        model_id = f"mo{next(self._ids):013d}"
        model = Model(project_id, model_id, name, kind, files or {}, detail, summary)
        self.models[model_id] = model
        return model

    # Life.

    def start(self):
        server = _Server(("127.0.0.1", self.port), _Handler)
        server.registry = self
        self.port = server.server_address[1]
        self._released.clear()
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        """Ends every connection; start() opens the same port again."""
        server, self._server = self._server, None
        if server:
            self._released.set()
            server.shutdown()
            server.server_close()
            server.drop_connections()

    def release(self):
        """Lets go of all that stalls, holds or hangs."""
        self.hangs = False
        self._released.set()
        self._released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def source(self):
        return f"gradient+{self.url}"

    # Trouble, and what was seen.

    def fail(self, route, fault, times=None, where=None):
        """Applies a fault to a route's requests: the next `times`, or all; `where` picks some."""
        rule = {"route": route, "fault": fault, "left": times, "where": where}
        with self._lock:
            self._faults.append(rule)
        return rule

    def heal(self):
        """No faults from now on."""
        with self._lock:
            self._faults.clear()
        self.release()

    def reset_counts(self):
        with self._lock:
            self.count.clear()
            self.requests.clear()
            self.content_bytes = 0

    def wait_for(self, condition, seconds=10):
        """Waits until condition() holds, asked anew with each request; returns whether it did."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    # The handler's side.

    def saw(self, request):
        with self._changed:
            self.count[request.route] += 1
            self.requests.append(request)
            self._changed.notify_all()

    def sent(self, n):
        with self._lock:
            self.content_bytes += n

    def spoil(self, request, reply):
        with self._lock:
            rule = next((r for r in self._faults if _applies(r, request)), None)
            if rule and rule["left"] is not None:
                rule["left"] -= 1
        if rule:
            rule["fault"](reply)

    def wait_released(self):
        self._released.wait(300)

    def signed_url(self, model_id, path):
        token = f"{next(self._ids):x}"
        expires = time.monotonic() + self.url_seconds if self.url_seconds is not None else None
        self._tokens[token] = [self.url_uses, expires]
        quoted = urllib.parse.quote(path.encode("utf-8", "surrogateescape"), safe="/")
        return f"{self.url}/content/{model_id}/{quoted}?Expires=1&Signature={token}"

    def redeem(self, token):
        """Whether a signed URL may be used once more."""
        with self._lock:
            uses_expires = self._tokens.get(token)
            if not uses_expires:
                return False
            uses, expires = uses_expires
            if uses == 0 or (expires is not None and time.monotonic() > expires):
                return False
            if uses is not None:
                uses_expires[0] -= 1
            return True


def _applies(rule, request):
    if rule["route"] != request.route or rule["left"] == 0:
        return False
    return rule["where"] is None or rule["where"](request)


class Request:
    def __init__(self, handler):
        parts = urllib.parse.urlsplit(handler.path)
        self.path = parts.path.rstrip("/")
        self.query = urllib.parse.parse_qs(parts.query)
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.method = handler.command
        length = int(self.headers.get("content-length") or 0)
        self.body = handler.rfile.read(length)
        self.route = _route(self.path)

    def json(self):
        return json.loads(self.body) if self.body else {}

    @property
    def range(self):
        """(first, last) of a Range header, last may be None; or None."""
        text = self.headers.get("range", "")
        if not text.startswith("bytes="):
            return None
        first, _, last = text[len("bytes=") :].partition("-")
        return (int(first), int(last) if last else None)


def _route(path):
    if path.startswith("/content/"):
        return "content"
    names = {
        "/projects": "projects",
        "/mlModels/getModelList": "models",
        "/mlModels/listFiles": "files",
    }
    return names.get(path, "other")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, *args):
        self.connections = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def drop_connections(self):
        for connection in list(self.connections):
            _reset(connection)

    def handle_error(self, request, client_address):
        pass


def _reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        registry = self.server.registry
        request = Request(self)
        registry.saw(request)
        if registry.hangs:
            registry.wait_released()
        reply = self.answer(registry, request)
        registry.spoil(request, reply)
        self.send(registry, request, reply)

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self, registry, request):
        if request.route != "content" and registry.api_keys:
            if request.headers.get("x-api-key") not in registry.api_keys:
                return _json(401, {"status": 401, "message": "No such API token"})
        answers = {"projects": _projects, "models": _models, "files": _files, "content": _content}
        answer = answers.get(request.route)
        return answer(registry, request) if answer else _not_found()

    def send(self, registry, request, reply):
        if reply.delay_s:
            registry._released.wait(reply.delay_s)
        if reply.hold_before_head:
            registry.wait_released()
        length = reply.length + len(reply.extra)
        reply.headers.setdefault("Content-Length", str(length))
        self.send_response(reply.code)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if request.method != "HEAD":
            self.send_body(registry, request, reply)

    def send_body(self, registry, request, reply):
        left = reply.length if reply.stop_after is None else min(reply.stop_after, reply.length)
        announced = int(reply.headers["Content-Length"])
        left, off = min(left, announced), reply.off
        while left > 0:
            data = reply.content.read(off, min(left, CHUNK))
            if not data:
                break
            self.wfile.write(data)
            off, left = off + len(data), left - len(data)
            if request.route == "content":
                registry.sent(len(data))
            if reply.bytes_per_s:
                registry._released.wait(len(data) / reply.bytes_per_s)
        self.wfile.write(reply.extra)
        if reply.stop_after is not None or announced != reply.length + len(reply.extra):
            self.end_badly(registry, reply)

    def end_badly(self, registry, reply):
        self.wfile.flush()
        self.close_connection = True
        if reply.ending == "stall":
            registry.wait_released()
        if reply.ending == "reset":
            _reset(self.connection)


def _json(code, value):
    data = json.dumps(value, ensure_ascii=True).encode()
    return Reply(code, {"Content-Type": "application/json"}, data)


def _not_found():
    error = {"error": {"name": "Error", "status": 404, "message": "Unable to find model"}}
    return _json(404, error)


def _projects(registry, request):
    where = {}
    for text in request.query.get("filter", []):
        where = json.loads(text).get("where", {})
    data = [
        {"handle": key, "name": name, "dtCreated": time.strftime(ISO, time.gmtime(A_TIME))}
        for key, name in registry.projects.items()
        if where.get("handle") in (None, key)
    ]
    return _json(200, {"data": data, "meta": {"totalItems": len(data)}, "tagFilter": []})


def _models(registry, request):
    found = [model.fields for model in registry.models.values()]
    for condition in request.json().get("filter", {}).get("where", {}).get("and", []):
        for key, value in condition.items():
            found = [fields for fields in found if fields.get(key) == value]
    return _json(
        200, {"modelList": found, "total": len(registry.models), "displayTotal": len(found)}
    )


def _files(registry, request):
    wanted = request.json()
    model = registry.models.get(wanted.get("id"))
    if not model:
        return _not_found()
    rows = [_file_row(registry, wanted, path, f) for path, f in model.files.items()]
    return _json(200, rows)


def _file_row(registry, wanted, path, f):
    row = {"file": path}
    if wanted.get("links"):
        row["url"] = registry.signed_url(wanted["id"], path)
    if wanted.get("size"):
        row["size"] = f.listed_size
    if f.digest:
        row["digest"] = f.digest
    if f.mtime:
        row["dtModified"] = time.strftime(ISO, time.gmtime(f.mtime))
    return row


def _content(registry, request):
    _, _, model_id, quoted = request.path.split("/", 3)
    token = (request.query.get("Signature") or [""])[0]
    model = registry.models.get(model_id)
    path = urllib.parse.unquote(quoted, errors="surrogateescape")
    f = model and model.files.get(path)
    if not f:
        return Reply(
            404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code></Error>"
        )
    if not registry.redeem(token):
        expired = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        return Reply(403, {"Content-Type": "application/xml"}, expired)
    return _ranged(request, f)


def _ranged(request, f):
    headers = {
        "ETag": f.etag,
        "Accept-Ranges": "bytes",
        "Last-Modified": email.utils.formatdate(f.mtime or A_TIME, usegmt=True),
        "Content-Type": "application/octet-stream",
    }
    if request.headers.get("if-match", f.etag) not in ("*", f.etag):
        return Reply(412, {}, b"<Error><Code>PreconditionFailed</Code></Error>")
    asked = request.range
    if not asked or request.headers.get("if-range", f.etag) != f.etag:
        return Reply(200, headers, f.content)
    first, last = asked
    if first >= f.content.size:
        headers["Content-Range"] = f"bytes */{f.content.size}"
        return Reply(416, headers, b"")
    last = f.content.size - 1 if last is None else min(last, f.content.size - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{f.content.size}"
    return Reply(206, headers, f.content, first, last - first + 1)
