# SPDX-License-Identifier: Apache-2.0
"""A registry that lies, breaks or hangs: no crash, no wrong byte, a clear error, and healing."""

import errno
import json
import mmap
import os
import random
import re
import threading
import time

import fake_registry as fake
import pytest
import trees
from fake_registry import File
from processes import LOG, SLOWNESS
from seeded import Seeded
from trees import run

MIB = 1 << 20
CONTENT = Seeded(77, 6 * MIB + 99)
DEADLINE_S = 4
# What a test allows above a deadline: a loaded machine, not a design.
SLACK_S = 6 * SLOWNESS


@pytest.fixture
def troubled(registry, mount, expected_log):
    """troubled(**options): mounts a registry with a file that is in for trouble; the file."""
    expected_log(LOG)
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT, "small": b"small"})

    def make(**options):
        make.mounted = mount(registry.source, **{"deadline": DEADLINE_S, **options})
        return make.mounted / "p/m/files/data.bin"

    return make


def error_of(action):
    """The errno that an action ends with, and how long it took."""
    began = time.monotonic()
    with pytest.raises(OSError) as caught:
        action()
    return caught.value.errno, time.monotonic() - began


def check(path, content=CONTENT):
    assert path.read_bytes() == content.read(0, content.size)


# What passes by itself.


PASSING = {
    "429 with Retry-After": (fake.status(429, Retry_After="1"), 2),
    "500": (fake.status(500), 3),
    "502 in HTML": (fake.status(502, b"<html>bad gateway"), 2),
    "503": (fake.status(503, Retry_After="0"), 2),
    "reset before the head": (fake.reset(0), 3),
    "reset in the body": (fake.reset(100_000), 3),
    "a body that is cut": (fake.cut(100_000), 3),
    "an announced length that is too long": (fake.announce(1000), 2),
    "a wrong Content-Range": (fake.header("Content-Range", "bytes 5-10/11"), 2),
    "a Content-Range of another size": (
        fake.header("Content-Range", f"bytes 0-65535/{CONTENT.size + 1}"),
        2,
    ),
    "no Content-Range": (fake.header("Content-Range", None), 2),
    "a Content-Range that is no such thing": (fake.header("Content-Range", "bytes"), 2),
    "more bytes than were asked for": (fake.longer(b"x" * 70000), 2),
    "a whole reply to a Range request": (fake.whole, 2),
    "an empty body": (fake.body(b""), 2),
    "a page of a captive portal": (fake.status(200, b"<html>log in here"), 2),
}


@pytest.mark.parametrize("trouble", PASSING)
def test_passing_trouble_with_content_is_not_seen_by_readers(trouble, troubled, registry):
    fault, times = PASSING[trouble]
    path = troubled(deadline=60)
    os.stat(path)
    registry.fail("content", fault, times=times)
    check(path)


@pytest.mark.parametrize("route", ["projects", "models", "files"])
@pytest.mark.parametrize(
    "fault",
    [fake.status(429, Retry_After="1"), fake.status(500), fake.reset(0), fake.cut(10)],
    ids=["429", "500", "reset", "cut"],
)
def test_passing_trouble_with_a_listing_is_not_seen_by_readers(route, fault, troubled, registry):
    registry.fail(route, fault, times=1)
    check(troubled(deadline=60))


def test_retry_after_is_waited_for(troubled, registry):
    path = troubled(deadline=60)
    os.stat(path)
    wait = fake.status(429, Retry_After="2")
    registry.fail("content", wait, times=1, where=lambda r: r.range is None or r.range[0] == 0)
    began = time.monotonic()
    with open(path, "rb", buffering=0) as f:
        f.read(100)
    assert time.monotonic() - began >= 1.9


@pytest.mark.slow
def test_a_stalled_transfer_is_begun_again_elsewhere(troubled, registry):
    path = troubled(deadline=60)
    os.stat(path)
    registry.fail("content", fake.stall(64 * 1024), times=1)
    check(path)


def test_a_slow_registry_is_waited_for(troubled, registry):
    path = troubled(deadline=60)
    registry.fail("content", fake.slow(4 * MIB))
    check(path)


# What does not pass.


LASTING = {
    "500": (fake.status(500), {errno.EIO, errno.ETIMEDOUT}),
    "429": (fake.status(429, Retry_After="1"), {errno.EIO, errno.ETIMEDOUT}),
    "reset": (fake.reset(0), {errno.EIO, errno.ETIMEDOUT}),
    "a stall": (fake.hold, {errno.EIO, errno.ETIMEDOUT}),
    "a cut body": (fake.cut(10), {errno.EIO, errno.ETIMEDOUT}),
    "a wrong Content-Range": (
        fake.header("Content-Range", "bytes 5-10/11"),
        {errno.EIO, errno.ETIMEDOUT},
    ),
    "401": (fake.status(401), {errno.EACCES}),
    "403": (fake.status(403), {errno.EACCES}),
    "404": (fake.status(404), {errno.ENOENT, errno.ESTALE, errno.EIO}),
}


@pytest.mark.slow
@pytest.mark.parametrize("trouble", LASTING)
def test_lasting_trouble_with_content_is_an_error_in_time_and_heals(trouble, troubled, registry):
    fault, wanted = LASTING[trouble]
    path = troubled()
    os.stat(path)
    registry.fail("content", fault)
    number, seconds = error_of(path.read_bytes)
    assert number in wanted, errno.errorcode[number]
    assert seconds <= DEADLINE_S + SLACK_S
    registry.heal()
    check(path)


def test_who_keeps_a_file_open_that_was_gone_keeps_nobody_from_it(troubled, registry):
    path = troubled()
    with open(path, "rb", buffering=0) as kept:
        registry.fail("content", fake.status(404))
        assert error_of(lambda: kept.read(10))[0] == errno.ESTALE
        registry.heal()
        check(path)


@pytest.mark.parametrize(
    "code, wanted", [(401, errno.EACCES), (403, errno.EACCES), (404, errno.ENOENT)]
)
def test_an_answer_with_authority_to_a_listing_is_not_asked_for_again(
    code, wanted, troubled, registry
):
    folder = troubled().parent.parent
    os.stat(folder.parent)
    registry.fail("files", fake.status(code))
    number, seconds = error_of(lambda: os.listdir(folder))
    assert number == wanted and seconds < DEADLINE_S
    assert str(code) in troubled.mounted.log_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [fake.status(500), fake.reset(0), fake.hold], ids=["500", "reset", "hang"]
)
def test_a_listing_that_cannot_be_had_is_eio_in_time_and_heals(fault, troubled, registry):
    path = troubled()
    os.listdir(path.parents[2])
    registry.fail("files", fault)
    number, seconds = error_of(lambda: os.listdir(path.parent))
    assert number in (errno.EIO, errno.ETIMEDOUT)
    assert seconds <= DEADLINE_S + SLACK_S
    registry.heal()
    check(path)


def test_a_listing_that_failed_for_a_moment_is_never_cached_as_absent(troubled, registry):
    path = troubled(entry_timeout=3600, attr_timeout=3600, list_timeout=3600)
    registry.fail("files", fake.status(500))
    error_of(lambda: os.stat(path))
    registry.heal()
    check(path)


@pytest.mark.slow
def test_the_log_names_the_url_and_never_its_signature(troubled, registry):
    path = troubled()
    os.stat(path)
    registry.fail("content", fake.status(500))
    error_of(path.read_bytes)
    text = troubled.mounted.log_text()
    assert "/content/" in text and "500" in text
    assert "Signature" not in text


@pytest.mark.slow
def test_trouble_is_one_line_an_incident_and_not_a_flood(troubled, registry):
    path = troubled()
    os.stat(path)
    registry.fail("content", fake.status(500))
    for _ in range(3):
        error_of(path.read_bytes)
    assert len(troubled.mounted.log_text().splitlines()) < 60


# The registry goes and comes back.


@pytest.mark.slow
def test_with_the_registry_stopped_what_was_read_lists_and_reads_and_the_rest_is_eio(
    troubled, registry
):
    path = troubled(list_timeout=0, attr_timeout=0, entry_timeout=0)
    check(path)
    seen = run("ls", "-lR", path.parents[3])
    registry.stop()
    assert run("ls", "-lR", path.parents[3]) == seen
    check(path)
    number, seconds = error_of((path.parent / "small").read_bytes)
    assert number in (errno.EIO, errno.ETIMEDOUT) and seconds <= DEADLINE_S + SLACK_S
    registry.start()
    assert (path.parent / "small").read_bytes() == b"small"
    check(path)


def test_with_the_registry_hung_what_was_read_lists_and_reads_at_once(troubled, registry):
    path = troubled(list_timeout=0, attr_timeout=0, entry_timeout=0)
    check(path)
    os.listdir(path.parents[3])
    registry.hangs = True
    began = time.monotonic()
    check(path)
    assert "data.bin" in os.listdir(path.parent)
    assert time.monotonic() - began <= DEADLINE_S + SLACK_S
    registry.release()


def test_what_was_read_is_there_in_the_next_mount_without_a_registry(troubled, registry, tmp_path):
    path = troubled(cache_dir=tmp_path / "c")
    check(path)
    troubled.mounted.end()
    registry.stop()
    check(troubled(cache_dir=tmp_path / "c"))


@pytest.mark.slow
def test_many_readers_survive_a_registry_that_comes_and_goes(troubled, registry):
    path = troubled(deadline=60)
    os.stat(path)
    failures = []

    def reader():
        try:
            check(path)
        except (OSError, AssertionError) as failure:
            failures.append(failure)

    registry.fail("content", fake.slow(8 * MIB))
    readers = [threading.Thread(target=reader) for _ in range(8)]
    for one in readers:
        one.start()
    for _ in range(3):
        seen = registry.count["content"]
        registry.wait_for(lambda: registry.count["content"] > seen, seconds=2)
        registry.stop()
        registry.start()
    for one in readers:
        one.join(100)
    assert failures == []


# Signed URLs that run out.


@pytest.mark.parametrize("uses", [1, 2, 5])
def test_a_url_that_expired_is_asked_for_anew(uses, troubled, registry):
    registry.url_uses = uses
    check(troubled(deadline=60))


def test_urls_that_are_dead_when_they_are_listed_are_an_error_in_time(troubled, registry):
    registry.url_uses = 0
    number, seconds = error_of(troubled().read_bytes)
    assert number in (errno.EACCES, errno.EIO)
    assert seconds <= DEADLINE_S + SLACK_S
    registry.url_uses = None


# ESTALE: a file without a URL is taken for one that is no more.
BAD_URL = {errno.EIO, errno.EACCES, errno.ENOENT, errno.EPROTO, errno.ETIMEDOUT, errno.ESTALE}


@pytest.mark.slow
@pytest.mark.parametrize(
    "url", ["", "not a url", "file:///etc/passwd", "gopher://127.0.0.1/", None, 5]
)
def test_a_url_that_is_none_is_an_error_and_not_a_crash(url, troubled, registry):
    row = [{"file": "data.bin", "size": 5, "url": url}]
    registry.fail("files", fake.body(json.dumps(row).encode()))
    number, _ = error_of(troubled(list_timeout=0).read_bytes)
    assert number in BAD_URL


def test_a_url_of_a_file_of_this_machine_is_refused(troubled, registry, tmp_path):
    (tmp_path / "private").write_bytes(b"mine!")
    row = [{"file": "data.bin", "size": 5, "url": f"file://{tmp_path}/private"}]
    registry.fail("files", fake.body(json.dumps(row).encode()))
    number, _ = error_of(troubled().read_bytes)
    assert number in BAD_URL


# Content that changes, sizes that lie.


def the_model(registry):
    [model] = registry.models.values()
    return model


def test_content_that_changed_is_estale_on_the_old_handle_and_never_mixed(troubled, registry):
    path = troubled(list_timeout=0, attr_timeout=0, entry_timeout=0)
    fresh = Seeded(78, CONTENT.size)
    with open(path, "rb", buffering=0) as old:
        assert os.pread(old.fileno(), 4096, 0) == CONTENT.read(0, 4096)
        the_model(registry).files["data.bin"].replace(fresh)
        number, _ = error_of(lambda: os.pread(old.fileno(), 4096, 5 * MIB))
        assert number == errno.ESTALE
    assert path.read_bytes() in (fresh.read(0, fresh.size),)


def test_a_new_size_is_a_new_file(troubled, registry):
    path = troubled(list_timeout=0, attr_timeout=0, entry_timeout=0)
    check(path)
    before = os.stat(path)
    fresh = Seeded(79, 2 * MIB)
    the_model(registry).files["data.bin"].replace(fresh)
    after = os.stat(path)
    assert (after.st_size, after.st_ino != before.st_ino) == (fresh.size, True)
    check(path, fresh)


@pytest.mark.parametrize("lie", [CONTENT.size + 1, CONTENT.size * 2, CONTENT.size - 1, 10])
def test_a_listed_size_that_lies_is_an_error_and_never_made_up_bytes(lie, troubled, registry):
    the_model(registry).files["data.bin"].listed_size = lie
    path = troubled()
    assert os.stat(path).st_size == lie
    number, _ = error_of(path.read_bytes)
    assert number in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT)


@pytest.mark.parametrize(
    "size", [-1, 2**63, 2**64, 1e300, "many", None, [], 9_000_000_000_000_000_000]
)
def test_a_size_that_is_none_does_no_harm(size, troubled, registry):
    model = the_model(registry)
    model.files["odd"] = File(b"x")
    model.files["odd"].listed_size = size
    path = troubled()
    run("ls", "-l", path.parent.parent)
    check(path)


@pytest.mark.slow
def test_a_digest_that_does_not_match_is_said_and_drops_the_bytes(troubled, registry, tmp_path):
    """Bytes go to readers as they come; what is checked is what is kept, once it is whole."""
    the_model(registry).files["data.bin"].digest = "sha256:" + Seeded(1, 5).sha256()
    path = troubled(cache_dir=tmp_path / "c")
    direct = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        path.read_bytes()
        wait_for_log(troubled.mounted, "dropped")
        with mmap.mmap(-1, MIB) as page:
            assert error_of(lambda: os.preadv(direct, [page], 0))[0] == errno.EIO
    finally:
        os.close(direct)
    troubled.mounted.end()
    registry.stop()
    error_of(troubled(cache_dir=tmp_path / "c").read_bytes)


def wait_for_log(mounted, word):
    deadline = time.monotonic() + SLACK_S
    while word not in mounted.log_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert word in mounted.log_text()


def test_a_digest_that_matches_is_fine(troubled, registry):
    the_model(registry).files["data.bin"].digest = "sha256:" + CONTENT.sha256()
    check(troubled())


def test_etags_that_come_and_go_do_not_mix_versions(troubled, registry):
    path = troubled(deadline=60)
    os.stat(path)
    registry.fail("content", fake.header("ETag", None))
    check(path)


# Hostile names.


HOSTILE = [
    ".",
    "..",
    "",
    "/",
    "a/b",
    "../../etc/passwd",
    "/abs",
    "x\0y",
    "n" * 300,
    "é" * 200,
    "new\nline",
    "tab\t",
    "\x01\x7f",
    " lead",
    "trail ",
    ".hidden",
    ".modelfs",
    "latest",
    "%2e%2e",
    "a%2Fb",
    "~",
    "a~b",
    "名前",
    "e\u0301",
    "\u00e9",
    "CASE",
    "case",
    "-rf",
    "$(x)",
    "*",
    "\\",
    "\ud800",
]


def check_names(folder, n):
    found = os.listdir(os.fsencode(folder))
    assert len(found) == len(set(found)) == n
    for name in found:
        assert (
            0 < len(name) <= 255
            and name not in (b".", b"..")
            and b"/" not in name
            and b"\0" not in name
        )
        os.lstat(os.path.join(os.fsencode(folder), name))
    run("ls", "-lR", folder, text=False)
    return found


def without_lone_surrogate(names):
    return [name for name in names if name != "\ud800"]


def test_hostile_project_names_are_mapped_and_lead_to_their_own_models(
    mount, registry, expected_log
):
    expected_log(LOG)
    for i, name in enumerate(without_lone_surrogate(HOSTILE)):
        key = registry.add_project(name, f"pr{i}")
        model = registry.add_model(None, "m", files={"id": key.encode()})
        model.fields["projectId"] = key
    root = mount(registry.source).path
    found = check_names(root, len(HOSTILE) - 1)
    ids = {open(os.path.join(os.fsencode(root), n, b"m/files/id"), "rb").read() for n in found}
    assert len(ids) == len(HOSTILE) - 1


def test_hostile_model_names_are_mapped_and_lead_to_their_own_files(mount, registry, expected_log):
    expected_log(LOG)
    for name in without_lone_surrogate(HOSTILE):
        registry.add_model("p", name, files={"id": repr(name).encode()})
    folder = mount(registry.source) / "p"
    names = [n for n in HOSTILE if n != "\ud800"]
    found = check_names(folder, len(names))
    ids = {open(os.path.join(os.fsencode(folder), n, b"files/id"), "rb").read() for n in found}
    assert ids == {repr(name).encode() for name in names}


def test_hostile_file_names_are_mapped_and_lead_to_their_own_bytes(mount, registry, expected_log):
    expected_log(LOG)
    names = [n for n in HOSTILE if n not in ("\ud800", "/", "", "a/b")]
    files = {name: f"bytes of {i}".encode() for i, name in enumerate(names)}
    registry.add_model("p", "m", kind="Custom", files=files)
    folder = mount(registry.source) / "p/m/files"
    found = {
        open(os.path.join(d, n), "rb").read()
        for d, _, ns in os.walk(os.fsencode(folder))
        for n in ns
    }
    reachable = {v for k, v in files.items() if "\0" not in k}
    assert found >= reachable - {files["../../etc/passwd"], files["/abs"], files["."], files[".."]}
    run("ls", "-lR", folder, text=False)


@pytest.mark.parametrize(
    "name",
    ["../../../escape", "/abs/olute", "a/../../b", "./x", "a//b", "a/./b", "d/", "/", "..", "."],
)
def test_a_path_that_climbs_stays_inside_and_spoils_no_other(name, mount, registry, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", kind="Custom", files={name: b"hostile", "good": b"good"})
    folder = mount(registry.source) / "p/m/files"
    assert (folder / "good").read_bytes() == b"good"
    for directory, folders, files in os.walk(folder):
        assert os.path.realpath(directory).startswith(str(folder))
        assert not {".", ".."} & set(folders + files)


def test_a_file_and_a_folder_of_one_name_are_both_there(mount, registry, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", kind="Custom", files={"a": b"file", "a/b": b"inner"})
    folder = mount(registry.source) / "p/m/files"
    found = {open(os.path.join(d, n), "rb").read() for d, _, ns in os.walk(folder) for n in ns}
    assert found == {b"file", b"inner"}


def test_a_file_listed_twice_is_there(mount, registry, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", kind="Custom", files={"a": b"one"})
    registry.fail("files", lambda reply: reply.set_body(twice(reply)), times=1)
    folder = mount(registry.source) / "p/m/files"
    found = os.listdir(folder)
    assert found and all(name.startswith("a") for name in found)
    assert {(folder / name).read_bytes() for name in found} == {b"one"}


def twice(reply):
    rows = json.loads(reply.content.data)
    return json.dumps(rows + rows).encode()


RAW = {
    "invalid UTF-8": b'"bad\xff\xfename"',
    "an overlong form": b'"\xc0\xaf"',
    "a lone surrogate": b'"\\ud800"',
    "a NUL": b'"nul\\u0000inside"',
    "only a NUL": b'"\\u0000"',
}


@pytest.mark.parametrize("what", RAW)
def test_a_name_that_is_no_text_is_shown_or_refused_and_the_mount_goes_on(
    what, mount, registry, expected_log
):
    expected_log(LOG)
    registry.add_model("p", "good", files={"x": b"1"})
    registry.add_model("q", "PLACEHOLDER", files={"x": b"2"})
    registry.fail("models", raw_name(RAW[what]))
    mounted = mount(registry.source, deadline=2)
    assert (mounted / "p/good/files/x").read_bytes() == b"1"
    try:
        assert len(os.listdir(mounted / "q")) == 1
    except OSError as refused:
        assert refused.errno in (errno.EIO, errno.EPROTO, errno.ETIMEDOUT)
        assert re.search(LOG, mounted.log_text())


def raw_name(raw):
    return lambda reply: reply.set_body(reply.content.data.replace(b'"PLACEHOLDER"', raw))


# JSON that is none.


JSON = {
    "empty": b"",
    "cut": b'{"modelList":[{"id":"mo1","na',
    "html": b"<html><body>sign in</body></html>",
    "an array": b"[]",
    "a number": b"5",
    "null": b"null",
    "of wrong types": b'{"modelList":{"id":5},"data":7}',
    "with wrong members": b'{"modelList":[5,null,"x",{"id":7,"name":[]},{}],'
    b'"data":[5,null,{"handle":{}}]}',
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "deep inside": b'{"modelList":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "long numbers": b'{"modelList":[{"id":"x","name":' + b"9" * 100_000 + b"}]}",
    "a long name": b'{"modelList":[{"id":"x","name":"' + b"n" * 5_000_000 + b'"}]}',
    "trailing": b'{"modelList":[]} and more',
    "NUL bytes": b"\0" * 1000,
    "a huge text": b'"' + b"x" * (64 << 20) + b'"',
}


@pytest.mark.parametrize(
    "route, place", [("projects", ""), ("models", "p"), ("files", "p/m/files")]
)
@pytest.mark.parametrize("what", JSON)
def test_json_that_makes_no_sense_is_an_error_or_empty_and_heals(
    what, route, place, mount, registry, expected_log
):
    expected_log(LOG)
    registry.add_model("p", "m", files={"x": b"1"})
    mounted = mount(registry.source, deadline=2, list_timeout=0, attr_timeout=0, entry_timeout=0)
    registry.fail(route, fake.body(JSON[what]))
    try:
        os.listdir(mounted / place)
    except OSError as refused:
        assert refused.errno in (
            errno.EIO,
            errno.EPROTO,
            errno.ENOENT,
            errno.ETIMEDOUT,
            errno.EFBIG,
        )
    registry.heal()
    assert (mounted / "p/m/files/x").read_bytes() == b"1"


def test_metrics_of_wrong_types_spoil_no_checkpoint(mount, registry, expected_log):
    expected_log(LOG)
    details = [
        5,
        "x",
        [5],
        [{"session": 7}],
        [{"scalars": [{"scalar": 1, "data": {}}]}],
        [
            {
                "session": "eval",
                "scalars": [
                    {
                        "scalar": "../x",
                        "data": [
                            {
                                "operation": "mean",
                                "checkpoints": [
                                    {"checkpoint": "a", "value": "b"},
                                    {"checkpoint": 5, "value": None},
                                    {"checkpoint": 5, "value": 0.5},
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    ]
    for i, detail in enumerate(details):
        registry.add_model(
            "p",
            f"m{i}",
            files={"model.ckpt-5.index": b"i", "model.ckpt-5.data-00000-of-00001": b"d"},
            detail=detail,
            summary=detail,
        )
    mounted = mount(registry.source)
    for i in range(len(details)):
        assert (mounted / f"p/m{i}/latest/model.ckpt-5.index").read_bytes() == b"i"
    trees.shape(mounted.path)


def test_random_damage_to_every_listing_never_ends_the_mount(mount, registry, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", files={"model.ckpt-5.index": b"i", "dir/x": b"1"})
    mounted = mount(registry.source, deadline=1, list_timeout=0, attr_timeout=0, entry_timeout=0)
    chance = random.Random(3)
    for route in ("projects", "models", "files"):
        registry.fail(route, lambda reply: reply.set_body(damaged(reply.content.data, chance)))
    for _ in range(15):
        for folder, _, names in os.walk(os.fsencode(mounted.path)):
            for name in names:
                try:
                    os.lstat(os.path.join(folder, name))
                except OSError:
                    pass
    registry.heal()
    assert (mounted / "p/m/files/dir/x").read_bytes() == b"1"


def damaged(data, chance):
    changed = bytearray(data)
    for _ in range(chance.randrange(4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.randrange(len(changed) // 2, len(changed) + 1)])
