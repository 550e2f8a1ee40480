# SPDX-License-Identifier: Apache-2.0
"""The registry server, seen from outside: requests over HTTP and the files it keeps.

The binary is $MODELFS_BIN or build/fs/modelfs. Each test has a server of its own on a free port.
"""

import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("MODELFS_BIN", str(ROOT / "build" / "fs" / "modelfs"))
BOUNDARY = "0123456789abcdef" * 2
HEAD = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
        'filename="/x/é.bin"\r\n\r\n').encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


class Reply:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["error"]["message"]


class Server:
    """A running `modelfs serve`. request() and url() give a Reply, the rest what is in it."""

    def __init__(self, data, *options, listen="127.0.0.1:0", key=None, **process):
        self.data, self.key = pathlib.Path(data), key
        self.errors = open(str(data) + ".log", "ab+")
        self.process = subprocess.Popen(
            [BIN, "serve", "--listen", listen, "--data", str(data), "--verbose", *options],
            stdout=subprocess.PIPE, stderr=self.errors, text=True, **process)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"modelfs: serving (.*) on http://(.*):(\d+)/\n", line)
        assert match, f"no such line: {line!r}, {self.log()}"
        assert match[1] == str(data)
        self.port = int(match[3])

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def request(self, method, path, body=None, headers=None, key=True):
        headers = dict(headers or {})
        if key and self.key:
            headers["X-API-Key"] = self.key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Reply(response, response.read())
        finally:
            connection.close()

    def url(self, method, url, body=None, headers=None):
        """A request to an absolute URL, without a key."""
        parts = urllib.parse.urlsplit(url)
        assert parts.netloc == f"127.0.0.1:{self.port}"
        return self.request(method, f"{parts.path}?{parts.query}", body, headers, key=False)

    def project(self, name="p", **more):
        reply = self.request("POST", "/projects/", {"name": name, **more})
        assert reply.status == 201
        return reply.json

    def projects(self, where=None, tags=()):
        query = [("tagFilter", tag) for tag in tags]
        if where is not None:
            query.append(("filter", json.dumps({"where": where})))
        reply = self.request("GET", "/projects/?" + urllib.parse.urlencode(query))
        assert reply.status == 200
        return reply.json

    def model(self, name="m", **more):
        query = urllib.parse.urlencode({"name": name, "modelType": "Custom", **more})
        reply = self.request("POST", "/mlModels/createModelV2?" + query)
        assert reply.status == 200, reply.body
        return reply.json

    def models(self, query="limit=-1", tags=None, **where):
        body = {}
        if where:
            body["filter"] = {"where": {"and": [where]}}
        if tags is not None:
            body["tagFilter"] = tags
        reply = self.request("GET", "/mlModels/getModelList/?" + query, body or None)
        assert reply.status == 200, reply.body
        return reply.json

    def presign(self, model, name, content_type=""):
        query = urllib.parse.urlencode(
            {"fileName": name, "modelHandle": model, "contentType": content_type})
        return self.request("GET", "/mlModels/getPresignedModelUrl?" + query)

    def upload(self, model, name, content, **headers):
        url = self.presign(model, name)
        assert url.status == 200, url.body
        return self.url("PUT", url.json, content, headers)

    def files(self, model):
        reply = self.request("GET", "/mlModels/listFiles/",
                             {"id": model, "links": True, "size": True})
        assert reply.status == 200, reply.body
        return {entry["file"]: entry for entry in reply.json}

    def tags(self, entity, entity_id, tags):
        return self.request("PUT", "/entityTags/updateTags",
                            {"entity": entity, "entityId": entity_id, "tags": tags})

    def objects(self):
        return sorted(p for p in (self.data / "objects").rglob("*") if p.is_file())


@pytest.fixture
def start(tmp_path):
    """Starts servers, on one data directory unless told otherwise, and ends them with the test."""
    servers = []

    def start_one(*options, data=tmp_path / "data", **how):
        servers.append(Server(data, *options, **how))
        return servers[-1]

    yield start_one
    for server in servers:
        ended = server.process.poll() is not None
        assert server.stop() == 0 or ended
        assert "Sanitizer" not in server.log() and "runtime error" not in server.log()
        server.errors.close()


@pytest.fixture
def server(start):
    return start()


def run(*args):
    return subprocess.run([BIN, "serve", *args], capture_output=True, text=True, timeout=20)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# The command


def test_help_names_all_options():
    result = run("--help")
    assert result.returncode == 0
    for option in ("--listen", "--data", "--add-key", "--remove-key", "--verbose"):
        assert option in result.stdout


@pytest.mark.parametrize("args", [
    ["--nonsense"], ["extra"], ["--listen"], ["--listen", "127.0.0.1"], ["--listen", ":1"],
    ["--listen", "127.0.0.1:x"], ["--listen", "127.0.0.1:99999"], ["--listen", "::1:80"],
])
def test_wrong_usage_is_64(args, tmp_path):
    result = run("--data", str(tmp_path / "d"), *args)
    assert result.returncode == 64
    assert result.stderr


def test_another_address_needs_a_key(tmp_path, start):
    data = tmp_path / "data"
    refused = run("--listen", "0.0.0.0:0", "--data", str(data))
    assert refused.returncode == 78
    assert "--add-key" in refused.stderr
    key = run("--data", str(data), "--add-key", "ci").stdout.strip()
    server = start(listen="0.0.0.0:0", key=key)
    assert server.projects()["data"] == []
    assert run("--data", str(data), "--remove-key", "ci").returncode == 0
    assert server.request("GET", "/projects/").status == 401
    assert server.request("GET", "/projects/", key=False).status == 401


def test_a_port_in_use_is_said(server, tmp_path):
    result = run("--listen", f"127.0.0.1:{server.port}", "--data", str(tmp_path / "other"))
    assert result.returncode == 69
    assert "Address already in use" in result.stderr


def test_a_data_directory_has_one_server(server):
    result = run("--listen", "127.0.0.1:0", "--data", str(server.data))
    assert result.returncode == 75
    assert "in use" in result.stderr


def test_an_empty_data_directory_name_is_wrong_usage():
    result = run("--data", "", "--add-key", "k")
    assert result.returncode == 64 and "--data" in result.stderr


def test_a_key_that_nobody_got_to_see_is_not_kept(tmp_path):
    data = ["--data", str(tmp_path / "d")]
    with open("/dev/full", "w") as full:
        result = subprocess.run([BIN, "serve", *data, "--add-key", "k"], stdout=full,
                                stderr=subprocess.PIPE, text=True, timeout=20)
    assert result.returncode == 74 and "not added" in result.stderr
    assert run(*data, "--add-key", "k").returncode == 0


def test_the_data_directory_follows_xdg(tmp_path):
    for variables, place in (({"XDG_DATA_HOME": str(tmp_path / "x")}, "x/modelfs"),
                             ({"HOME": str(tmp_path / "h")}, "h/.local/share/modelfs")):
        result = subprocess.run([BIN, "serve", "--add-key", "k"], env=variables,
                                capture_output=True, timeout=20)
        assert result.returncode == 0
        assert (tmp_path / place).is_dir()
        assert (tmp_path / place).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_good_order(start, how):
    server = start()
    project = server.project("p")["handle"]
    assert server.stop(how) == 0
    assert start().projects()["data"][0]["handle"] == project


def test_a_download_on_its_way_ends_before_the_server(server):
    content = os.urandom(32 << 20)  # more than sockets hold
    model = server.model()["id"]
    server.upload(model, "w", content)
    parts = urllib.parse.urlsplit(server.files(model)["w"]["url"])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    got = response.read(1000)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert server.process.poll() is None
    got += response.read()
    connection.close()
    assert got == content
    assert server.process.wait(timeout=10) == 0


def test_ipv6_works(start):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    server = start(listen="[::1]:0")
    connection = http.client.HTTPConnection("::1", server.port, timeout=10)
    connection.request("GET", "/projects")
    assert connection.getresponse().status == 200
    connection.close()


# Keys


def test_keys_are_wanted_once_there_is_one(server):
    assert server.request("GET", "/projects/").status == 200
    added = run("--data", str(server.data), "--add-key", "ci")
    assert added.returncode == 0
    key = added.stdout.strip()
    assert len(key) == 68
    reply = server.request("GET", "/projects/")
    assert reply.status == 401
    assert reply.json == {"status": 401, "message": "No such API token"}
    for wrong in ("", "x", key[:-1], key + "0", key.upper()):
        for headers in ({"X-API-Key": wrong}, {"Authorization": "Bearer " + wrong}):
            assert server.request("GET", "/projects/", None, headers).status == 401
    for headers in ({"X-API-Key": key}, {"x-api-key": key}, {"Authorization": f"Bearer {key}"},
                    {"authorization": f"bearer {key}"}):
        assert server.request("GET", "/projects/", None, headers).status == 200
    assert key not in server.log()
    assert not any(key.encode() in p.read_bytes()
                   for p in server.data.rglob("*") if p.is_file())


def test_a_key_has_a_name_of_its_own(tmp_path):
    data = ["--data", str(tmp_path / "d")]
    assert run(*data, "--add-key", "a").returncode == 0
    again = run(*data, "--add-key", "a")
    assert again.returncode == 64 and not again.stdout
    assert run(*data, "--add-key", "").returncode == 64
    assert run(*data, "--add-key", "x" * 65).returncode == 64
    assert run(*data, "--remove-key", "b").returncode == 64
    assert run(*data, "--remove-key", "a").returncode == 0
    assert run(*data, "--remove-key", "a").returncode == 64


def test_signed_links_need_no_key(tmp_path, start):
    key = run("--data", str(tmp_path / "data"), "--add-key", "k").stdout.strip()
    server = start(key=key)
    model = server.model()["id"]
    assert server.upload(model, "w", b"hello").status == 200
    assert server.url("GET", server.files(model)["w"]["url"]).body == b"hello"


@pytest.mark.parametrize("headers, status", [
    ({"Host": "localhost:1"}, 200),
    ({"Host": "x.localhost"}, 200),
    ({"Host": "[::1]:8060"}, 200),
    ({"Host": "evil.example"}, 403),
    ({"Host": "evillocalhost"}, 403),
    ({"Host": "127.0.0.1.evil.example"}, 403),
    ({"Host": "127.0.0.1:5", "Origin": "http://127.0.0.1:5"}, 200),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
])
def test_without_keys_web_pages_from_elsewhere_are_kept_out(server, headers, status):
    assert server.request("GET", "/projects/", None, headers).status == status


# Projects


def test_a_new_server_is_empty(server):
    assert server.projects() == {"data": [], "meta": {"totalItems": 0}, "tagFilter": []}
    assert server.models() == {"modelList": [], "total": 0, "displayTotal": 0}
    assert server.request("GET", "/teams/namespace").json == "local"


def test_a_project_is_created_and_found(server):
    project = server.project("mnist é", repoName="r", repoUrl="http://x/y")
    assert re.fullmatch(r"pr[a-z0-9]{7}", project["handle"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", project["dtCreated"])
    assert (project["name"], project["repoName"], project["repoUrl"]) == (
        "mnist é", "r", "http://x/y")
    other = server.project("other")
    assert [p["handle"] for p in server.projects()["data"]] == [other["handle"],
                                                                project["handle"]]
    found = server.projects({"handle": project["handle"]})
    assert found["data"] == [project]
    assert found["meta"] == {"totalItems": 1, "where": {"handle": project["handle"]}}
    assert server.projects({"handle": "prnothing"})["data"] == []


def test_projects_are_paged(server):
    made = [server.project(f"p{i}")["handle"] for i in range(5)]
    for query, want in (({"order": "dtCreated asc", "limit": 2, "offset": 1}, made[1:3]),
                        ({"order": "name desc", "limit": 2}, made[:2:-1]),
                        ({"offset": 5}, [])):
        reply = server.request("GET", "/projects?filter=" + urllib.parse.quote(json.dumps(query)))
        assert [p["handle"] for p in reply.json["data"]] == want
        assert reply.json["meta"]["totalItems"] == 5


@pytest.mark.parametrize("body, field", [
    ({}, "name"), ({"name": ""}, "name"), ({"name": " \t"}, "name"), ({"name": None}, "name"),
    ({"name": 5}, "name"), ({"name": ["x"]}, "name"), ({"name": "x" * 1025}, "name"),
    ({"name": "x" * 10000}, "name"), ({"name": "x", "repoUrl": {}}, "repoUrl"),
    ({"name": "x", "repoName": "y" * 2000}, "repoName"),
])
def test_a_project_that_is_not_valid_is_422(server, body, field):
    reply = server.request("POST", "/projects/", body)
    assert reply.status == 422
    error = reply.json["error"]
    assert (error["name"], error["status"], error["statusCode"]) == ("ValidationError", 422, 422)
    assert error["details"]["context"] == "project"
    assert list(error["details"]["messages"]) == [field]
    assert server.projects()["data"] == []


def test_deleting_a_project_takes_its_models(server):
    project = server.project()["handle"]
    inside, outside = server.model(projectId=project)["id"], server.model()["id"]
    server.upload(inside, "w", b"inside")
    server.upload(outside, "w", b"outside")
    reply = server.request("POST", f"/projects/{project}/deleteProject")
    assert (reply.status, reply.body) == (204, b"")
    assert [m["id"] for m in server.models()["modelList"]] == [outside]
    assert [p.read_bytes() for p in server.objects()] == [b"outside"]
    assert server.projects()["data"] == server.projects({"handle": project})["data"] == []
    again = server.request("POST", f"/projects/{project}/deleteProject")
    assert (again.status, again.message) == (400, f'Project "{project}" is already deleted.')
    assert server.request("POST", "/projects/prnothing/deleteProject").status == 404
    assert server.tags("project", project, ["a"]).status == 404
    reply = server.request("POST", f"/mlModels/createModelV2?name=x&projectId={project}")
    assert reply.status == 404


# Tags


@pytest.mark.parametrize("entity", ["project", "mlModel"])
def test_tags_are_set_read_and_filtered_by(server, entity):
    create, key = ((server.project, "handle") if entity == "project" else (server.model, "id"))
    one, two, three = (create(name)[key] for name in ("one", "two", "three"))

    def get(*ids):
        query = "&".join(f"entityIds={i}" for i in ids)
        return server.request("GET", f"/entityTags/getTags?entity={entity}&{query}").json

    def found(*tags):
        listing = (server.projects(tags=tags)["data"] if entity == "project"
                   else server.models(tags=list(tags))["modelList"])
        return {record[key] for record in listing}

    assert get(one) == {one: []} and get("nothing") == {}
    reply = server.tags(entity, one, ["a", "b", "a"])
    assert reply.status == 200
    assert [t["tag"]["name"] for t in reply.json] == ["a", "b"]
    server.tags(entity, two, ["b", "é"])
    assert get(one, two) == {one: [{"tag": {"name": "a"}}, {"tag": {"name": "b"}}],
                             two: [{"tag": {"name": "b"}}, {"tag": {"name": "é"}}]}
    assert found() == {one, two, three}
    assert found("a") == {one} and found("b") == {one, two} and found("a", "é") == {one, two}
    assert found("x") == set()
    assert server.tags(entity, one, []).json == []
    assert found("a") == set()


@pytest.mark.parametrize("body, status", [
    ({"entity": "mlModel", "entityId": "monothing", "tags": []}, 404),
    ({"entity": "mlModel", "entityId": "x" * 3000, "tags": []}, 404),
    ({"entity": "mlModel", "tags": []}, 422),
    ({"entity": "mlModel", "entityId": "M"}, 422),
    ({"entity": "mlModel", "entityId": "M", "tags": "a"}, 422),
    ({"entity": "mlModel", "entityId": "M", "tags": [1]}, 422),
    ({"entity": "mlModel", "entityId": "M", "tags": [""]}, 422),
    ({"entity": "mlModel", "entityId": "M", "tags": ["x" * 300]}, 422),
    ({"entity": "mlModel", "entityId": "M", "tags": [str(i) for i in range(300)]}, 422),
    ({"entity": "experiment", "entityId": "M", "tags": []}, 501),
    ({"entity": "nonsense", "entityId": "M", "tags": []}, 400),
    ({"entity": 1, "entityId": "M", "tags": []}, 400),
    ([], 400),
])
def test_tags_that_cannot_be_set_are_refused(server, body, status):
    assert server.request("PUT", "/entityTags/updateTags", body).status == status


# Models


def test_a_model_has_all_the_keys(server):
    model = server.model("n", modelType="tensorflow", notes="a note + é",
                         summary='{"accuracy": 0.92}')
    assert re.fullmatch(r"mo[a-z0-9]{13}", model["id"])
    assert set(model) >= {
        "id", "name", "projectId", "experimentId", "modelType", "modelPath", "url", "summary",
        "detail", "params", "notes", "tag", "tags", "deploymentState", "datasetRef", "datasetId",
        "datasetVersion", "datasetVersionId", "updatedByUserId", "updatedByUserEmail",
        "accessorHandles", "isDeleted", "isPublic", "dtCreated", "dtModified", "dtUploaded",
        "dtDeleted"}
    assert (model["modelType"], model["summary"], model["notes"], model["tags"]) == (
        "Tensorflow", {"accuracy": 0.92}, "a note + é", [])
    assert server.models(id=model["id"]) == {"modelList": [model], "total": 1, "displayTotal": 1}


def test_a_model_is_created_from_a_json_body(server):
    detail = [{"session": "eval", "scalars": [{"scalar": "loss", "data": [
        {"operation": "mean", "checkpoints": [{"checkpoint": 600, "value": 0.5},
                                              {"checkpoint": 1200, "value": 0.25}]},
        {"operation": "std", "checkpoints": [{"checkpoint": 1200, "value": 0.1}]}]}]}]
    reply = server.request("POST", "/mlModels/createModelV2/", {
        "name": "n", "modelType": "ONNX", "detail": detail, "modelPath": "/artifacts",
        "params": {"a": 1}, "notes": None})
    assert reply.status == 200
    model = reply.json
    assert (model["name"], model["modelType"], model["modelPath"], model["params"]) == (
        "n", "ONNX", "/artifacts", {"a": 1})
    assert model["detail"] == detail
    assert model["summary"] == {
        "loss": {"scalar": "loss", "result": {"mean": 0.25, "stddev": 0.1}}}
    reply = server.request("POST", "/mlModels/createModelV2", {
        "name": "n", "summary": {"x": 1}, "detail": detail})
    assert reply.json["summary"] == {"x": 1}


def test_models_are_found_by_filter_and_page(server):
    project = server.project()["handle"]
    ids = [server.model(f"m{i}", **({"projectId": project} if i % 2 else {}))["id"]
           for i in range(6)]
    newest_first = ids[::-1]

    def found(query="limit=-1", **where):
        reply = server.models(query, **where)
        assert reply["total"] == 6
        return [m["id"] for m in reply["modelList"]], reply["displayTotal"]

    assert found() == (newest_first, 6)
    assert found(query="") == (newest_first, 6)
    assert found(projectId=project) == (newest_first[::2], 3)
    assert found(projectId=None) == (newest_first[1::2], 3)
    assert found(name="m3") == ([ids[3]], 1)
    assert found(name="m3", projectId=project) == ([ids[3]], 1)
    assert found(name="m2", projectId=project) == ([], 0)
    assert found(experimentId="e") == ([], 0)
    assert found(query="limit=2&offset=1") == (newest_first[1:3], 6)
    assert found(query="limit=0") == ([], 6)
    assert found(query="offset=6") == ([], 6)
    assert found(query="limit=2", projectId=project) == (newest_first[::2][:2], 3)
    assert found(id=ids[1]) == found(id=ids[1], projectId=project) == ([ids[1]], 1)
    for missing in ("x", "x" * 3000, ids[1][:-1], ""):
        assert found(id=missing) == found(projectId=missing) == ([], 0)
    assert found(id=ids[0], projectId=project) == ([], 0)
    assert found(projectId=project[:-1]) == ([], 0)
    server.request("POST", "/mlModels/deleteModel/", {"id": ids[1]})
    assert [m["id"] for m in server.models(projectId=project)["modelList"]] == [ids[5], ids[3]]


@pytest.mark.parametrize("query", [
    "limit=-2", "limit=x", "limit=", "limit=99999999999999999999", "limit=1e3", "offset=-1",
    "offset=x"])
def test_a_page_that_is_no_number_is_400(server, query):
    reply = server.request("GET", "/mlModels/getModelList/?" + query)
    assert reply.status == 400
    assert reply.json["error"]["status"] == 400


@pytest.mark.parametrize("body", [
    "{", "[1", '"x', "nul", '{"a":1}x', "\xff", '{"filter":1}', '{"filter":[]}', "[]", "7",
    '{"filter":{"where":5}}', '{"filter":{"where":{"and":{}}}}', '{"tagFilter":"a"}',
    '{"filter":{"where":{"id":["a"]}}}', '{"a":"\\u0000"}', "[" * 100 + "]" * 100,
    "[" * 1000000, '{"filter":{"limit":-5}}',
])
def test_a_body_that_makes_no_sense_is_400(server, body):
    reply = server.request("GET", "/mlModels/getModelList/", body.encode("latin-1"))
    assert reply.status == 400
    assert reply.json["error"]["status"] == 400


@pytest.mark.parametrize("query, status", [
    ({}, 422), ({"name": ""}, 422), ({"name": "x" * 1025}, 422), ({"name": "x" * 10000}, 422),
    ({"name": "x", "notes": "y" * 65537}, 422), ({"name": "x", "summary": "{"}, 422),
    ({"name": "x", "summary": "[1]"}, 422), ({"name": "x", "summary": "5"}, 422),
    ({"name": "x", "summary": '{"a":' * 60 + "1" + "}" * 60}, 422),
    ({"name": "x", "detail": "{}"}, 422), ({"name": "x", "params": "[]"}, 422),
    ({"name": "x", "projectId": "prnothing"}, 404), ({"name": "x", "projectId": "y" * 300}, 422),
])
def test_a_model_that_is_not_valid_is_refused(server, query, status):
    reply = server.request("POST", "/mlModels/createModelV2?" + urllib.parse.urlencode(query))
    assert reply.status == status
    assert reply.json["error"]["status"] == status
    assert server.models()["total"] == 0


@pytest.mark.parametrize("body", [
    {"name": 1}, {"name": "x", "notes": {}}, {"name": "x", "summary": [1]},
    {"name": "x", "detail": {}}, {"name": "x", "projectId": 7}, {"name": "x", "modelType": []}])
def test_a_model_of_wrong_types_is_422(server, body):
    assert server.request("POST", "/mlModels/createModelV2", body).status == 422


def test_long_notes_fit(server):
    notes = "é" * 32768
    model = server.model("x" * 1024, notes=notes)
    assert server.models(id=model["id"])["modelList"][0]["notes"] == notes


@pytest.mark.parametrize("path, status", [
    ("/mlModels/createModelV2?name=%FF", 400), ("/mlModels/createModelV2?name=a%00b", 400),
    ("/mlModels/createModelV2?name=%C3", 400), ("/projects/%2e%2e", 404), ("/nothing", 404),
    ("/", 404), ("/projects/%0a%1b[31m", 404), ("/mlModels", 404),
    ("/mlModels/deleteModel", 405), ("/datasets", 501), ("/deployments/x", 501),
    ("/experiments/v2/experiments/", 501), ("/mlModels/getModelList?limit=1&x=%FF", 400),
])
def test_odd_requests_are_refused_in_shape(server, path, status):
    method = "POST" if "create" in path else "GET"
    reply = server.request(method, path)
    assert reply.status == status
    assert reply.json["error"]["status"] == status
    assert all(" serve: " in line for line in server.log().splitlines())


def test_a_body_of_two_lengths_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"POST /projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                           b"GET /projects HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while piece := connection.recv(65536):
            got += piece
    assert got.startswith(b"HTTP/1.1 400 ")
    assert got.count(b"HTTP/1.1 ") == 1


def raw(server, data, timeout=10):
    """What comes back for these bytes, after which nothing more is sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
    return got


@pytest.mark.parametrize("head, status", [
    (b"Content-Length: 5\r\nContent-Length: 3\r\n\r\nabcde", 400),
    (b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
    (b"Content-Length: -5\r\n\r\nabcde", 400),
    (b"Content-Length: 99999999999999999999999\r\n\r\nabcde", 413),
    (b"Content-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nabcde", 400),
    (b"\r\n", 411),
    (b"\r\nabcde", 411),
    (b"Transfer-Encoding: gzip\r\n\r\nabcde", 501),
    (b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 501),
    (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n0\r\n\r\n", 400),
    (b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabcde\r\n0\r\n\r\n", 413),
    (b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", None),
    (b"Content-Length: 9\r\n\r\nabcde", None),
])
def test_a_file_whose_end_is_unclear_is_not_stored(server, head, status):
    model = server.model()["id"]
    server.upload(model, "w", b"before")
    parts = urllib.parse.urlsplit(server.presign(model, "w").json)
    request = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: localhost\r\n".encode()
    got = raw(server, request + head)
    assert got.startswith(f"HTTP/1.1 {status} ".encode()) if status else got == b""
    wait_for(lambda: not list((server.data / "tmp").iterdir()))
    assert server.url("GET", server.files(model)["w"]["url"]).body == b"before"


def test_what_is_no_http_does_no_harm(server):
    noise = random.Random(1)
    for n in (0, 1, 100, 3000):
        raw(server, noise.randbytes(n))
    assert b" 414 " in raw(server, b"GET /" + b"a" * 500000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    many = b"".join(b"X%d: y\r\n" % i for i in range(9000))
    assert b" 431 " in raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")
    assert server.projects()["data"] == []


def test_silent_clients_do_not_keep_others_from_being_served(server):
    heads = [b"", b"GET /pro", b"POST /projects HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"]
    silent = []
    for i in range(300):
        silent.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        silent[-1].sendall(heads[i % len(heads)])
    assert server.projects()["data"] == []
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 15
    for connection in silent:
        connection.close()


def test_a_body_that_is_too_large_is_413(server):
    reply = server.request("POST", "/projects/", b" " * ((16 << 20) + 1))
    assert reply.status == 413
    chunked = (b" " * 65536 for _ in range(300))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/projects/", chunked, {}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_deleting_a_model_takes_its_files(server):
    one, two = server.model()["id"], server.model()["id"]
    for model in (one, two):
        server.upload(model, "same", b"same")
        server.upload(model, "own", model.encode())
    link = server.files(one)["same"]["url"]
    assert len(server.objects()) == 3
    reply = server.request("POST", "/mlModels/deleteModel/", {"id": one})
    assert (reply.status, reply.body) == (204, b"")
    assert sorted(p.read_bytes() for p in server.objects()) == [two.encode(), b"same"]
    assert server.url("GET", link).status == 404
    assert server.url("GET", server.files(two)["same"]["url"]).body == b"same"
    again = server.request("POST", "/mlModels/deleteModel/", {"id": one})
    assert (again.status, again.message) == (404, "Unable to find model")
    listing = server.request("GET", "/mlModels/listFiles/", {"id": one})
    assert (listing.status, listing.message) == (404, "Unable to find model")
    for bad in ({}, {"id": 5}, {"id": None}, {"id": "x" * 5000}, [], {"id": two[:-1]}):
        assert server.request("POST", "/mlModels/deleteModel/", bad).status == 404


# Files


@pytest.mark.parametrize("size", [0, 1, 39, 40, 41, 1000, 70000, 5 << 20])
@pytest.mark.parametrize("framed", [True, False])
def test_bytes_come_back_as_they_were(server, size, framed):
    content = random.Random(size).randbytes(size)
    model = server.model()["id"]
    body = HEAD + content + TAIL if framed else content
    reply = server.upload(model, "d/w.bin", body, **{"Content-Type": ""})
    assert (reply.status, reply.headers["ETag"]) == (200, f'"{sha256(content)}"')
    entry = server.files(model)["d/w.bin"]
    assert entry["size"] == size
    assert entry["digest"] == "sha256:" + sha256(content)
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", entry["dtModified"])
    got = server.url("GET", entry["url"])
    assert (got.status, got.body) == (200, content)


@pytest.mark.parametrize("body, want", [
    (HEAD + HEAD + b"x" + TAIL + TAIL, HEAD + b"x" + TAIL),
    (HEAD + b"no end", HEAD + b"no end"),
    (HEAD, HEAD),
    (HEAD + b"x" + TAIL + b"more", HEAD + b"x" + TAIL + b"more"),
    (HEAD[:50], HEAD[:50]),
    (HEAD + os.urandom(1 << 20), None),
    (b"-" * 1000000, None),
])
def test_exactly_one_frame_is_taken_off(server, body, want):
    model = server.model()["id"]
    assert server.upload(model, "w", body).status == 200
    entry = server.files(model)["w"]
    want = body if want is None else want
    assert server.url("GET", entry["url"]).body == want
    assert entry["digest"] == "sha256:" + sha256(want)
    assert not list((server.data / "tmp").iterdir())


def test_a_chunked_upload_works(server):
    model = server.model()["id"]
    parts = urllib.parse.urlsplit(server.presign(model, "w").json)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("PUT", f"{parts.path}?{parts.query}", iter([b"a" * 1000] * 1000), {},
                       encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert server.files(model)["w"]["size"] == 1000000


@pytest.mark.parametrize("name", [
    "a b+%&#\"';=é.bin", "deep/er/and/deep/er", "-", "...", ".hidden", "%41", "a?b", "a\\b",
    "x" * 255, "/".join(["y" * 200] * 5)])
def test_names_survive_both_ways(server, name):
    model = server.model()["id"]
    assert server.upload(model, name, b"hello").status == 200
    files = server.files(model)
    assert list(files) == [name]
    assert server.url("GET", files[name]["url"]).body == b"hello"


@pytest.mark.parametrize("name", [
    "", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\nb",
    "a\x00b", "\x1b", "x" * 1025, "x" * 256, "\x7f"])
def test_names_that_lead_elsewhere_are_refused(server, name):
    reply = server.presign(server.model()["id"], name)
    assert reply.status in (400, 422)
    assert reply.json["error"]["message"]


def test_presign_wants_a_model(server):
    assert server.presign("monothing", "w").status == 404
    assert server.presign("x" * 4000, "w").status == 404
    assert server.request("GET", "/mlModels/getPresignedModelUrl?fileName=w").status == 404


def test_links_and_sizes_come_when_asked_for(server):
    model = server.model()["id"]
    server.upload(model, "w", b"hello")

    def keys(**body):
        reply = server.request("GET", "/mlModels/listFiles/", {"id": model, **body})
        return set(reply.json[0]) - {"file", "digest", "dtModified"}

    assert keys() == set()
    assert keys(links=False, size="False") == set()
    assert keys(links="True") == {"url"}
    assert keys(links=True, size=True) == {"url", "size"}


def test_links_say_what_the_client_calls_the_server(server):
    model = server.model()["id"]
    server.upload(model, "w", b"hello")

    def link(**headers):
        reply = server.request("GET", "/mlModels/listFiles",
                               {"id": model, "links": True}, headers)
        return reply.json[0]["url"].split("/files/")[0]

    assert link() == f"http://127.0.0.1:{server.port}"
    assert link(Host="localhost:99") == "http://localhost:99"
    assert link(Host="localhost:99", **{"X-Forwarded-Proto": "https"}) == "https://localhost:99"


def change(url, **values):
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query), **values)
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()


def test_a_link_is_for_one_file_one_method_and_some_hours(server):
    model = server.model()["id"]
    server.upload(model, "w", b"hello")
    server.upload(model, "v", b"world")
    link = server.files(model)["w"]["url"]
    put = server.presign(model, "w").json
    expires = int(urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["expires"][0])
    assert 8 * 3600 <= expires - time.time() <= 9 * 3600 + 1
    assert server.url("GET", link).status == 200
    assert server.url("HEAD", link).status == 200
    assert server.url("GET", put).status == 403
    assert server.url("PUT", link, b"x").status == 403
    assert server.url("GET", link.replace("/w?", "/v?")).status == 403
    for bad in (change(link, expires=str(expires + 1)), change(link, expires="1"),
                change(link, signature=""), change(link, signature="0" * 64),
                link.split("&")[0], link.split("?")[0] + "?"):
        reply = server.url("GET", bad)
        assert (reply.status, reply.json["error"]["status"]) == (403, 403)
    assert "signature=" not in server.log()
    assert server.url("GET", server.files(model)["w"]["url"]).body == b"hello"


def test_links_outlive_a_restart(start):
    server = start()
    model = server.model()["id"]
    server.upload(model, "w", b"hello")
    link = server.files(model)["w"]["url"]
    server.stop()
    again = start()
    link = link.replace(str(server.port), str(again.port))
    assert again.url("GET", link).body == b"hello"


def test_ranges_and_conditions(server):
    content = os.urandom(100000)
    model = server.model()["id"]
    server.upload(model, "w", content)
    link = server.files(model)["w"]["url"]
    etag = f'"{sha256(content)}"'
    whole = server.url("GET", link)
    assert (whole.headers["ETag"], whole.headers["Accept-Ranges"]) == (etag, "bytes")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", whole.headers["Last-Modified"])
    head = server.url("HEAD", link)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "100000", b"")
    modified = whole.headers["Last-Modified"]

    def get(**headers):
        reply = server.url("GET", link, None, {k.replace("_", "-"): v for k, v in headers.items()})
        return reply.status, reply.headers.get("Content-Range"), reply.body

    assert get(Range="bytes=10-19") == (206, "bytes 10-19/100000", content[10:20])
    assert get(Range="bytes=99990-") == (206, "bytes 99990-99999/100000", content[-10:])
    assert get(Range="bytes=-10") == (206, "bytes 99990-99999/100000", content[-10:])
    assert get(Range="bytes=0-999999") == (206, "bytes 0-99999/100000", content)
    assert get(Range="bytes=0-9", If_Range=etag)[0] == 206
    assert get(Range="bytes=0-9", If_Range=modified)[0] == 206
    assert get(Range="bytes=0-9", If_Range='"other"') == (200, None, content)
    assert get(Range="bytes=0-9", If_Match=etag)[0] == 206
    assert get(Range="bytes=0-9", If_Match='"other"')[0] == 412
    assert get(If_Match="*")[0] == 200
    assert get(Range="bytes=0-1,5-6") == (200, None, content)
    status, content_range, body = get(Range="bytes=100000-")
    assert (status, content_range) == (416, "bytes */100000")
    assert json.loads(body)["error"]["status"] == 416
    assert get(If_None_Match=etag) == (304, None, b"")
    unchanged = server.url("GET", link, None, {"If-None-Match": etag})
    assert unchanged.headers["Content-Length"] in (None, "100000")
    assert server.url("HEAD", link, None, {"Range": "bytes=5-9"}).headers["Content-Length"] == "5"


def test_an_upload_of_the_same_name_replaces(server):
    model = server.model()["id"]
    seen = [server.models(id=model)["modelList"][0]["dtModified"]]
    for content in (b"one", b"two", b"two", b"three"):
        server.upload(model, "w", content)
        record = server.models(id=model)["modelList"][0]
        assert record["dtUploaded"] == record["dtModified"]
        seen.append(record["dtModified"])
        assert server.files(model)["w"]["digest"] == "sha256:" + sha256(content)
    assert sorted(set(seen)) == seen
    assert [p.read_bytes() for p in server.objects()] == [b"three"]
    server.tags("mlModel", model, ["t"])
    assert server.models(id=model)["modelList"][0]["dtModified"] > seen[-1]


def test_the_url_names_the_file_or_the_folder(server):
    model = server.model()
    assert model["url"] is None and model["dtUploaded"] is None
    place = f"s3://modelfs/local/models/{model['id']}/"
    for name, want in (("a/w", "a/w"), ("a/w", "a/w"), ("v", ""), ("a/w", "")):
        server.upload(model["id"], name, b"x")
        assert server.models(id=model["id"])["modelList"][0]["url"] == place + want


def test_a_deleted_model_takes_no_upload(server):
    model = server.model()["id"]
    link = server.presign(model, "w").json
    server.request("POST", "/mlModels/deleteModel/", {"id": model})
    assert server.url("PUT", link, b"hello").status == 404
    assert server.url("PUT", link, os.urandom(4 << 20)).status == 404
    assert not server.objects() and not list((server.data / "tmp").iterdir())


def test_a_model_deleted_during_an_upload_keeps_nothing(server):
    model = server.model()["id"]
    parts = urllib.parse.urlsplit(server.presign(model, "w").json)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", "200000")
    connection.endheaders()
    connection.send(b"x" * 100000)
    wait_for(lambda: list((server.data / "tmp").iterdir()))
    server.request("POST", "/mlModels/deleteModel/", {"id": model})
    connection.send(b"x" * 100000)
    assert connection.getresponse().status == 404
    connection.close()
    assert not server.objects() and not list((server.data / "tmp").iterdir())


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_an_upload_that_is_cut_off_leaves_nothing(server):
    model = server.model()["id"]
    parts = urllib.parse.urlsplit(server.presign(model, "w").json)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"x" * 500000)
    wait_for(lambda: list((server.data / "tmp").iterdir()))
    connection.close()
    wait_for(lambda: not list((server.data / "tmp").iterdir()))
    assert server.files(model) == {} and not server.objects()
    wait_for(lambda: "cut off" in server.log())


def test_zips_are_kept_as_they_are(server):
    model = server.model()["id"]
    url = server.presign(model, "model.zip", "application/zip").json
    server.url("PUT", url, HEAD + b"PK..." + TAIL, {"Content-Type": "application/zip"})
    assert server.url("GET", server.files(model)["model.zip"]["url"]).body == b"PK..."


def test_a_full_disk_is_507_and_the_server_goes_on(start, tmp_path):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
    server = start(preexec_fn=limit)
    model = server.model()["id"]
    reply = server.upload(model, "w", b"x" * (6 << 20))
    assert reply.status == 507
    assert "no room" in reply.message
    assert server.files(model) == {} and not list((server.data / "tmp").iterdir())
    assert server.upload(model, "w", b"x" * (1 << 20)).status == 200


# Many at a time


def in_threads(n, work):
    errors = []

    def guarded(i):
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_writers_of_one_model_lose_nothing(server):
    model = server.model()["id"]

    def work(i):
        for k in range(5):
            assert server.upload(model, f"{i}/{k}", f"{i} {k}".encode()).status == 200
            assert server.tags("mlModel", model, [f"{i}"]).status == 200

    in_threads(8, work)
    files = server.files(model)
    assert len(files) == 40
    for name, entry in files.items():
        assert server.url("GET", entry["url"]).body == name.replace("/", " ").encode()


def test_uploads_and_deletions_of_the_same_content_agree(server):
    """Whoever got 200 and has not deleted yet can read it, however often others come and go."""
    content = os.urandom(20000)
    keeper = server.model()["id"]

    def work(i):
        for _ in range(15):
            model = server.model()["id"]
            assert server.upload(model, "w", content).status == 200
            assert server.url("GET", server.files(model)["w"]["url"]).body == content
            server.request("POST", "/mlModels/deleteModel/", {"id": model})

    in_threads(6, work)
    assert server.objects() == []
    assert server.upload(keeper, "w", content).status == 200
    assert len(server.objects()) == 1


def test_a_reader_sees_the_old_or_the_new_file(server):
    model = server.model()["id"]
    contents = [bytes([i]) * 300000 for i in range(20)]
    server.upload(model, "w", contents[0])
    link = server.files(model)["w"]["url"]
    done = threading.Event()

    def work(i):
        if i == 0:
            for content in contents:
                server.upload(model, "w", content)
            done.set()
        while not done.is_set():
            reply = server.url("GET", link)
            assert reply.status == 200 and reply.body in contents
            assert reply.headers["ETag"] == f'"{sha256(reply.body)}"'

    in_threads(4, work)


# Crashes


def test_everything_is_there_after_a_restart(start):
    server = start()
    project = server.project("p")
    model = server.model("m", projectId=project["handle"])["id"]
    server.upload(model, "a/w", b"hello")
    server.tags("mlModel", model, ["t"])
    before = server.models()
    server.stop(signal.SIGKILL)
    again = start()
    assert again.models() == before
    assert again.projects()["data"][0]["name"] == "p"
    assert again.url("GET", again.files(model)["a/w"]["url"]).body == b"hello"


def test_leftovers_are_removed_at_the_start(start):
    server = start()
    model = server.model()["id"]
    server.upload(model, "w", b"hello")
    server.stop()
    (server.data / "tmp" / "0123456789abcdef0123456789abcdef").write_bytes(b"half")
    orphan = server.data / "objects" / "ab" / ("c" * 62)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"nobody's")
    again = start()
    assert not list((again.data / "tmp").iterdir())
    assert [p.read_bytes() for p in again.objects()] == [b"hello"]


def test_a_lost_object_is_an_error_and_comes_back_with_an_upload(server):
    model = server.model()["id"]
    server.upload(model, "w", b"hello")
    link = server.files(model)["w"]["url"]
    server.objects()[0].unlink()
    assert_is_cut(server, link)
    server.upload(model, "w", b"hello")
    assert server.url("GET", link).body == b"hello"


def assert_is_cut(server, link):
    """A body that tells of the failure would be stored as the file by some clients."""
    with pytest.raises(http.client.RemoteDisconnected):
        server.url("GET", link)
    assert re.search("GET /files/.*: 500 The registry failed", server.log())


@pytest.mark.parametrize("size", [0, 1 << 20, (3 << 20) + 1])
def test_an_object_of_another_size_is_not_sent(server, size):
    content = os.urandom(3 << 20)
    model = server.model()["id"]
    server.upload(model, "w", content)
    link = server.files(model)["w"]["url"]
    os.truncate(server.objects()[0], size)
    assert_is_cut(server, link)
    server.upload(model, "w", content)
    assert server.url("GET", link).body == content


@pytest.mark.parametrize("seed", range(5))
def test_kill_at_any_moment_keeps_what_was_acknowledged(start, seed):
    chance = random.Random(seed)
    acknowledged, lock = {}, threading.Lock()
    model = None
    for _ in range(3):
        server = start()
        model = model or server.model()["id"]
        sent = {}

        def work(i):
            try:
                for k in range(1000):
                    name = f"{i}/{k % 3}"
                    content = random.Random(f"{i}{k}{seed}").randbytes(chance.randrange(200000))
                    with lock:
                        sent.setdefault(name, []).append(content)
                    body = HEAD + content + TAIL if k % 2 else content
                    if server.upload(model, name, body).status == 200:
                        with lock:
                            acknowledged[name] = content
                            sent[name] = []
            except (OSError, http.client.HTTPException, AssertionError):
                pass  # the server is gone

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 0.5))
        server.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        server = start()
        files = server.files(model)
        assert set(files) >= set(acknowledged)
        for name, entry in files.items():
            got = server.url("GET", entry["url"]).body
            # Acknowledged, or sent after that and committed before the acknowledgement could leave.
            assert got in [acknowledged.get(name)] + sent.get(name, [])
            assert entry["digest"] == "sha256:" + sha256(got)
            acknowledged[name] = got
        digests = {entry["digest"][7:] for entry in files.values()}
        assert {p.parent.name + p.name for p in server.objects()} == digests
        assert not list((server.data / "tmp").iterdir())
        assert server.stop() == 0
