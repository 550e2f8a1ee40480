# SPDX-License-Identifier: Apache-2.0
"""A Gradient-compatible registry that only takes: what is pushed to it, and how, can be looked at.

PUTs can be made to fail: `registry.puts` holds what to do with the next ones, as functions of the
handler that answer in its place, or None for a good answer.
"""

import hashlib
import http.server
import json
import socket
import struct
import threading
import urllib.parse


def answer(code, body=b"", **headers):
    """A PUT is read and answered so."""

    def act(handler, content):
        handler.reply(code, body, headers)

    return act


def drop(handler, content):
    """The connection is reset instead of an answer."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RDWR)


def forget(handler, content):
    """Says that all is well and keeps other bytes."""
    other = hashlib.sha256(content + b"!").hexdigest()
    handler.reply(200, b"", {"ETag": f'"{other}"'})


class PushRegistry:
    """Use as a context manager."""

    def __init__(self):
        self.projects = {}
        self.models = {}
        self.files = {}
        self.requests = []
        self.puts = []
        self.refuse_models = None
        self.arrived = threading.Event()
        self.hold = None

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.registry = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_):
        if self.hold:
            self.hold.set()
        self._server.shutdown()
        self._server.server_close()

    def seen(self, method, path):
        return [r for r in self.requests if r[0] == method and r[1].startswith(path)]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, code, body=b"", headers=None):
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, code, value):
        self.reply(code, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def handle_all(self):
        registry = self.server.registry
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
        if self.command == "PUT" and registry.hold:
            registry.arrived.set()
            registry.hold.wait(60)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        registry.requests.append((self.command, parts.path, query, body, dict(self.headers)))
        if self.command == "PUT":
            self.put(registry, parts.path, body)
        else:
            self.call(registry, parts.path.rstrip("/"), query, body)

    do_GET = do_POST = do_PUT = handle_all

    def call(self, registry, path, query, body):
        call = (self.command, path)
        if call == ("GET", "/projects"):
            data = [{"handle": k, "name": v} for k, v in registry.projects.items()]
            self.reply_json(200, {"data": data})
        elif call == ("POST", "/projects"):
            handle = f"pr{len(registry.projects)}"
            registry.projects[handle] = json.loads(body)["name"]
            self.reply_json(201, {"handle": handle})
        elif call == ("GET", "/mlModels/getModelList"):
            self.reply_json(200, {"modelList": list(registry.models.values())})
        elif call == ("POST", "/mlModels/createModelV2"):
            self.create(registry, json.loads(body))
        elif call == ("GET", "/mlModels/listFiles"):
            model = json.loads(body)["id"]
            files = [(p, c) for (m, p), c in registry.files.items() if m == model]
            self.reply_json(200, [{"file": path, "size": len(c)} for path, c in files])
        elif call == ("GET", "/mlModels/getPresignedModelUrl"):
            name = urllib.parse.quote(query["fileName"][0])
            self.reply_json(200, f"{registry.url}/put/{query['modelHandle'][0]}/{name}?signed=1")
        else:
            self.reply_json(404, {"error": {"message": "no such call"}})

    def create(self, registry, model):
        if registry.refuse_models:
            error = {"message": registry.refuse_models, "status": 422}
            self.reply_json(422, {"error": error})
            return
        model["id"] = f"mo{len(registry.models)}"
        registry.models[model["id"]] = model
        self.reply_json(200, model)

    def put(self, registry, path, content):
        act = registry.puts.pop(0) if registry.puts else None
        if act:
            act(self, content)
            return
        _, _, model, name = path.split("/", 3)
        registry.files[(model, urllib.parse.unquote(name))] = content
        self.reply(200, b"", {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
