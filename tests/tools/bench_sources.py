# SPDX-License-Identifier: Apache-2.0
"""Where bytes come from: `modelfs serve`, nginx, an S3 server; and the far link before them.

A source of the bench has
  url       a plain URL of the big file, for curl
  listing   the registry that a mount is made from: "gradient+http://..."
nginx and S3 are no registries; the Registry here lists their files with links to them. All sources
answer from the page cache, what warm() sees to, so that no disk is measured.
"""

import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import random
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from processes import TIED, Server, environment
from seeded import Seeded

MIB = 1 << 20
A_TIME = "2026-01-01T00:00:00.000Z"
RTT_MS, CONNECTION_MIB_S, LINK_MIB_S = 30, 40, 300
KEY, SECRET, REGION, BUCKET = "bench", "bench-secret", "us-east-1", "models"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port, process, seconds=30):
    """Waits until something answers there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args} does not listen on its port")


def start(command, log, env=None):
    """A server that ends with the bench; what it says goes to a log."""
    with open(log, "ab") as out:
        return subprocess.Popen(
            [*TIED, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(**(env or {})),
        )


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def warm(folder):
    """All files below a folder are in the page cache from here on."""
    room = bytearray(MIB)
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.readinto(room):
                    pass


class Registry:
    """Lists files that lie elsewhere: models of one project, answered from prepared texts, so that
    a listing costs this process next to nothing."""

    PROJECT = {"handle": "prbench", "name": "bench", "dtCreated": A_TIME}

    def __init__(self):
        self.models, self.listings = {}, {}
        handler = type("Handler", (_Handler,), {"registry": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.listing = f"gradient+{self.url}"

    def add(self, name, files):
        """A model; files are (name, size, url)."""
        model_id = f"mo{name}"
        self.models[name] = {
            "id": model_id,
            "name": name,
            "projectId": self.PROJECT["handle"],
            "modelType": "Custom",
            "dtCreated": A_TIME,
            "dtModified": A_TIME,
        }
        rows = ",".join(
            f'{{"file":{json.dumps(file)},"size":{size},"url":{json.dumps(url)}}}'
            for file, size, url in files
        )
        self.listings[model_id] = f"[{rows}]".encode()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    registry = None

    def log_message(self, *args):
        pass

    def do_GET(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.answer(json.loads(asked) if asked else {})
        self.send_response(200 if reply else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def answer(self, asked):
        if self.path.startswith("/projects"):
            return json.dumps({"data": [self.registry.PROJECT]}).encode()
        if self.path.startswith("/mlModels/getModelList"):
            return json.dumps({"modelList": self.models(asked)}).encode()
        return self.registry.listings.get(asked.get("id"), b"")

    def models(self, asked):
        found = list(self.registry.models.values())
        for condition in asked.get("filter", {}).get("where", {}).get("and", []):
            found = [m for m in found if all(m.get(k) == v for k, v in condition.items())]
        return found


class Serve:
    """`modelfs serve` with what rows need, pushed when they first need it."""

    name = "modelfs serve"

    def __init__(self, binary, folder):
        self.folder = folder
        self.server = Server(binary, folder / "registry", folder / "serve.log", ["."])
        self.server.start()
        self.pushed = set()

    @property
    def listing(self):
        return self.server.source

    @property
    def address(self):
        return self.server.url.removeprefix("http://")

    @property
    def url(self):
        return self.link("big0")

    def need(self, name, make):
        """The model `name`; make(folder) writes its files when it is not here yet."""
        if name in self.pushed:
            return
        folder = self.folder / f"push-{name}"
        folder.mkdir()
        make(folder)
        self.server.push(folder, "bench", name, "Custom")
        subprocess.run(["rm", "-rf", folder], check=True)
        self.pushed.add(name)

    def ask(self, path, body):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Content-Type": "application/json"}
        connection.request("GET", path, body=json.dumps(body), headers=headers)
        return json.loads(connection.getresponse().read())

    def link(self, name, file="data.bin"):
        """A signed URL of a model's file."""
        body = {"filter": {"where": {"and": [{"name": name}]}}}
        models = self.ask("/mlModels/getModelList/?limit=-1", body)["modelList"]
        [model] = [m for m in models if m["name"] == name]
        rows = self.ask("/mlModels/listFiles/", {"id": model["id"], "links": True})
        return next(row["url"] for row in rows if row["file"] == file)

    def warm(self):
        warm(self.folder / "registry")

    def stop(self):
        self.server.stop()


NGINX_CONF = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; etag on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {root}; autoindex on; }}
    location ~ ^/as/[^/]+/(.*)$ {{ alias {root}/$1; }}
  }}
}}
"""


class Nginx:
    """The files of a folder; /as/ANYTHING/PATH is PATH again, a file of another name."""

    name = "nginx"

    def __init__(self, binary, folder, root, registry):
        self.port, self.root = free_port(), root
        self.address = f"127.0.0.1:{self.port}"
        home = folder / "nginx"
        home.mkdir()
        conf = home / "nginx.conf"
        conf.write_text(NGINX_CONF.format(folder=home, port=self.port, root=root))
        log = folder / "nginx.out"
        self.process = start([binary, "-c", conf, "-p", home, "-e", home / "nginx.log"], log)
        wait_port(self.port, self.process)
        self.url = f"http://{self.address}/big/data.bin"
        size = (root / "big/data.bin").stat().st_size
        registry.add("nginx", [("data.bin", size, self.url)])
        self.listing, self.model = registry.listing, "nginx"

    def warm(self):
        warm(self.root / "big")

    def stop(self):
        stop(self.process)


class S3:
    """versitygw over a folder, signed URLs made here."""

    name = "versitygw"
    model = "s3"

    def __init__(self, binary, folder, root, registry):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = folder / "s3"
        self.data.mkdir()
        command = [binary, "--port", self.address, "--keep-alive", "--quiet", "posix", self.data]
        env = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
        self.process = start(command, folder / "s3.log", env)
        wait_port(self.port, self.process)
        self.put(f"/{BUCKET}", None)
        self.put(f"/{BUCKET}/big/data.bin", root / "big/data.bin")
        self.url = presign("GET", self.address, f"/{BUCKET}/big/data.bin")
        size = (root / "big/data.bin").stat().st_size
        registry.add(self.model, [("data.bin", size, self.url)])
        self.listing = registry.listing

    def put(self, path, file):
        """Uploads a file; a file of None makes a bucket."""
        body = open(file, "rb") if file else b""
        length = str(file.stat().st_size if file else 0)
        request = urllib.request.Request(
            presign("PUT", self.address, path), body, {"Content-Length": length}, method="PUT"
        )
        with urllib.request.urlopen(request, timeout=300) as reply:
            assert reply.status == 200, f"S3 answered {reply.status}"
        if file:
            body.close()

    def warm(self):
        warm(self.data / BUCKET / "big")

    def stop(self):
        stop(self.process)


def presign(method, host, path, now=None, seconds=86400):
    """An AWS signature (version 4) in the URL: nothing but the host is signed beside it."""
    moment = now or datetime.datetime.now(datetime.timezone.utc)
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    scope = f"{day}/{REGION}/s3/aws4_request"
    query = urllib.parse.urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{KEY}/{scope}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=urllib.parse.quote,
        safe="",
    )
    path = urllib.parse.quote(path, safe="/-_.~")
    asked = f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(asked.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signed = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    return f"http://{host}{path}?{query}&X-Amz-Signature={signature}"


class Gcs:
    """fake-gcs-server with the big file: what gcsfuse reads from."""

    def __init__(self, binary, folder, plain):
        data = folder / "gcs"
        data.mkdir()
        port = free_port()
        self.data, self.address = data, f"127.0.0.1:{port}"
        command = [binary, "-scheme", "http", "-host", "127.0.0.1", "-port", port]
        command += ["-backend", "filesystem", "-filesystem-root", data]
        command += ["-public-host", self.address, "-log-level", "error"]
        self.process = start(command, folder / "gcs.log")
        wait_port(port, self.process)
        self.post("/storage/v1/b", json.dumps({"name": BUCKET}).encode())
        with open(plain, "rb") as body:
            where = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=big%2Fdata.bin"
            self.post(where, body, plain.stat().st_size)

    def post(self, path, body, length=None):
        headers = {"Content-Type": "application/json"}
        if length:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers)
        urllib.request.urlopen(request, timeout=300).close()

    def warm(self):
        warm(self.data)

    def stop(self):
        stop(self.process)


class Far:
    """The far link: tests/tools/relay.c before an address of this machine."""

    def __init__(self, relay, address):
        self.process = subprocess.Popen(
            [*TIED, relay, address, str(RTT_MS), str(CONNECTION_MIB_S), str(LINK_MIB_S)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"

    def stop(self):
        stop(self.process)
        self.process.stdout.close()


class Sources:
    """All of them, each started when a row first asks for it."""

    def __init__(self, bench):
        self.bench, self.made, self.fars = bench, {}, {}
        self.folder = bench.folder
        self.root = self.folder / "www"

    def __call__(self, name):
        """"serve", "nginx", "s3"; None when it cannot run."""
        if name not in self.made:
            self.made[name] = getattr(self, f"_{name}")()
            if self.made[name]:
                self.bench.ends.callback(self.made[name].stop)
        return self.made[name]

    def big(self, number=0):
        """The model of the n-th big file in `modelfs serve`."""
        size = self.bench.size
        self("serve").need(
            f"big{number}", lambda folder: Seeded(number, size).write_to(folder / "data.bin")
        )
        return f"big{number}"

    def plain(self):
        """The big file on the local disk; nginx serves this very one."""
        path = self.root / "big/data.bin"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            Seeded(0, self.bench.size).write_to(path)
            os.sync()
        return path

    def small(self, n_files):
        """A folder of files of 8 KiB, below what nginx serves."""
        folder = self.root / f"small{n_files}"
        if not folder.exists():
            folder.mkdir(parents=True)
            for number in range(n_files):
                data = random.Random(number).randbytes(8192)
                (folder / f"{number:06d}.bin").write_bytes(data)
        return folder

    def far(self, address):
        if address not in self.fars:
            self.fars[address] = Far(self.bench.relay, address)
            self.bench.ends.callback(self.fars[address].stop)
        return self.fars[address].address

    def _serve(self):
        return Serve(self.bench.modelfs, self.folder)

    def _registry(self):
        return Registry()

    def _nginx(self):
        self.plain()
        binary = self.bench.find("nginx")
        return binary and Nginx(binary, self.folder, self.root, self("registry"))

    def _gcs(self):
        plain, binary = self.plain(), self.bench.rivals.binaries.get("fake-gcs-server")
        return binary and Gcs(binary, self.folder, plain)

    def _s3(self):
        self.plain()
        binary = self.bench.find("versitygw", "BENCH_VERSITYGW")
        return binary and S3(binary, self.folder, self.root, self("registry"))
