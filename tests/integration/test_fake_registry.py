# SPDX-License-Identifier: Apache-2.0
"""The fake registry answers as the real service, and each of its knobs does what it says."""

import http.client
import json

import fake_registry as fake
import pytest
from seeded import Seeded

DATA = bytes(range(256)) * 16


@pytest.fixture
def model(registry):
    return registry.add_model("mnist", "cnn", files={"dir/a b.bin": DATA})


def ask(registry, path, body=None, **headers):
    """(status, headers, body) of one GET; a body is sent along as the service wants it."""
    connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=5)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, body=json.dumps(body) if body else None, headers=headers)
    try:
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def link(registry, model):
    body = {"id": model.fields["id"], "links": True, "size": True}
    _, _, text = ask(registry, "/mlModels/listFiles/", body)
    [row] = json.loads(text)
    return row, row["url"].removeprefix(registry.url)


def test_a_file_is_listed_with_its_size_and_read_by_ranges(registry, model):
    row, path = link(registry, model)
    assert (row["file"], row["size"]) == ("dir/a b.bin", len(DATA))
    code, headers, body = ask(registry, path, Range="bytes=10-19")
    assert (code, body) == (206, DATA[10:20])
    assert headers["Content-Range"] == f"bytes 10-19/{len(DATA)}"
    assert ask(registry, path)[2] == DATA
    assert ask(registry, path, Range=f"bytes={len(DATA)}-")[0] == 416
    assert ask(registry, path, If_Match='"other"')[0] == 412


def test_models_are_filtered_by_the_body_of_a_get(registry, model):
    registry.add_model("other", "x")
    condition = {"projectId": registry.project_id("mnist")}
    body = {"filter": {"where": {"and": [condition]}}}
    _, _, text = ask(registry, "/mlModels/getModelList/?limit=-1", body)
    assert [m["name"] for m in json.loads(text)["modelList"]] == ["cnn"]
    assert registry.count == {"models": 1}


def test_a_missing_key_is_a_401(registry, model):
    registry.api_keys.add("k")
    assert ask(registry, "/projects/")[0] == 401
    assert ask(registry, "/projects/", X_Api_Key="k")[0] == 200


def test_a_signed_url_expires_after_its_uses(registry, model):
    registry.url_uses = 1
    _, path = link(registry, model)
    assert [ask(registry, path)[0] for _ in range(2)] == [200, 403]


def test_a_fault_lasts_as_often_as_it_was_asked_for(registry, model):
    _, path = link(registry, model)
    registry.fail("content", fake.status(429, Retry_After="1"), times=2)
    codes = [ask(registry, path)[0] for _ in range(3)]
    assert codes == [429, 429, 200]


@pytest.mark.parametrize("fault", [fake.cut(100), fake.announce(50)])
def test_a_cut_body_is_seen_as_cut(fault, registry, model):
    _, path = link(registry, model)
    registry.fail("content", fault)
    with pytest.raises(http.client.IncompleteRead):
        ask(registry, path)


def test_a_reset_is_seen_as_a_reset(registry, model):
    _, path = link(registry, model)
    registry.fail("content", fake.reset())
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(registry, path)


def test_a_range_can_be_answered_whole_or_longer_or_elsewhere(registry, model):
    _, path = link(registry, model)
    registry.fail("content", fake.whole, times=1)
    registry.fail("content", fake.longer(b"more"), times=1)
    registry.fail("content", fake.header("Content-Range", "bytes 0-9/77"), times=1)
    assert ask(registry, path, Range="bytes=0-9")[0::2] == (200, DATA)
    assert ask(registry, path, Range="bytes=0-9")[2] == DATA[:10] + b"more"
    assert ask(registry, path, Range="bytes=0-9")[1]["Content-Range"] == "bytes 0-9/77"


@pytest.mark.parametrize("fault", [fake.stall(10), fake.hold])
def test_a_stall_lasts_until_it_is_released(fault, registry, model):
    _, path = link(registry, model)
    registry.fail("content", fault)
    with pytest.raises(TimeoutError):
        connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=0.2)
        connection.request("GET", path)
        connection.getresponse().read()


def test_it_stops_and_starts_on_the_same_port(registry, model):
    port = registry.port
    registry.stop()
    with pytest.raises(ConnectionError):
        ask(registry, "/projects/")
    registry.start()
    assert registry.port == port
    assert ask(registry, "/projects/")[0] == 200


def test_seeded_content_is_the_same_by_any_range(tmp_path):
    content = Seeded(7, 3 * (1 << 20) + 5)
    data = content.write_to(tmp_path / "f").read_bytes()
    assert len(data) == content.size
    for off, length in [(0, 10), ((1 << 20) - 3, 7), (content.size - 4, 100), (content.size, 1)]:
        assert content.read(off, length) == data[off : off + length]
    assert Seeded(8, 100).read(0, 100) != content.read(0, 100)
