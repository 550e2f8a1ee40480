# SPDX-License-Identifier: Apache-2.0
"""diff: two checkpoints, side by side; 0 the same, 1 different, else sysexits.h."""

import json
import math
import os
import pty

import processes
import pytest
from imitation import Model, Tensor, checkpoint, file

SAME, DIFFERENT = 0, 1
# sysexits.h
USAGE, NOINPUT, UNAVAILABLE, IOERR = 64, 66, 69, 74


@pytest.fixture
def diff(modelfs_bin):
    """diff(argument, ..., code=0): the finished run."""

    def run(*arguments, code=SAME, **env):
        done = processes.run_modelfs(modelfs_bin, "diff", *arguments, **env)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    return run


def told(done):
    return json.loads(done.stdout)


@pytest.fixture
def pair(tmp_path):
    """pair(a, b): two checkpoints of these tensors; their paths."""
    made = Model(tmp_path)

    def make(*sides, metrics=None):
        return [
            made.add(checkpoint(step, metrics or {}, tensors), tensors)
            for step, tensors in zip((600, 800), sides)
        ]

    return make


def floats(name, *values):
    return Tensor(name, "F32", "f", values)


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "c"], ["--nonsense", "a", "b"]])
def test_a_wrong_command_line_is_a_usage_error(diff, arguments):
    assert diff(*arguments, code=USAGE).stderr


def test_help_goes_to_standard_output(diff):
    assert diff("--help").stdout.startswith("usage: modelfs diff ")


def test_a_checkpoint_is_the_same_as_itself(diff, tmp_path):
    model = Model(tmp_path)
    path = model.add(checkpoint(600, {"loss": 1}, files=[file("a", 1, "aa")]))
    for one, other in (path, path), (model.path, path), (model.path / "latest", model.path):
        assert "files: 1 the same, 0 changed, 0 added, 0 removed\n" in diff(one, other).stdout


def test_files_tensors_and_metrics_are_compared(diff, tmp_path):
    model = Model(tmp_path)
    one = model.add(
        checkpoint(
            600,
            {"loss": 0.5, "accuracy": 0.9},
            [floats("same", 1), floats("shape", 1, 2), floats("gone", 1)],
            [file("model-600.bin", 10, "aa"), file("config.json", 5, "cc"), file("old", 1, "00")],
        )
    )
    other = model.add(
        checkpoint(
            800,
            {"loss": 0.25, "accuracy": 0.9},
            [floats("same", 1), floats("shape", 1, 2, 3), floats("new", 1)],
            [file("model-800.bin", 10, "bb"), file("config.json", 5, "cc")],
        )
    )
    found = told(diff("--json", one, other, code=DIFFERENT))
    assert found["same"] is False
    assert [m["better"] for m in found["metrics"]] == [None, "b"]
    assert found["metrics"][1]["difference"] == -0.25
    assert found["files"]["same"] == 1
    assert [f["path"] for f in found["files"]["changed"]] == ["model-*.bin"]
    assert [f["path"] for f in found["files"]["removed"]] == ["old"]
    assert [t["name"] for t in found["tensors"]["changed"]] == ["shape"]
    assert [t["name"] for t in found["tensors"]["added"]] == ["new"]
    shown = diff(one, other, code=DIFFERENT).stdout
    assert "loss      0.5000  0.2500     -0.2500  B\n" in shown
    assert "~  shape   F32 [2]  F32 [3]\n" in shown


def test_metrics_alone_make_a_difference(diff, tmp_path):
    model = Model(tmp_path)
    one, other = (model.add(checkpoint(s, {"loss": s})) for s in (1, 2))
    diff(one, other, code=DIFFERENT)


def test_files_without_a_digest_are_read_in_a_mount(diff, tmp_path):
    model = Model(tmp_path)
    files = [file("a/x", 3), file("b", 1)]
    one, other = (model.add(checkpoint(s, {}, files=files)) for s in (1, 2))
    for path, x in (one, "abc"), (other, "abX"):
        (path / "a").mkdir()
        (path / "a" / "x").write_text(x)
        (path / "b").write_text("b")
    found = told(diff("--json", one, other, code=DIFFERENT))
    assert found["files"]["same"] == 1
    assert [f["path"] for f in found["files"]["changed"]] == ["a/x"]
    (other / "a" / "x").write_text("abc")
    diff(one, other)
    (other / "b").unlink()
    assert "b of" in diff(one, other, code=NOINPUT).stderr


def test_a_path_in_the_facts_leads_nowhere_else(diff, tmp_path):
    (tmp_path / "secret").write_text("x")
    model = Model(tmp_path)
    one, other = (model.add(checkpoint(s, {}, files=[file("../../secret", 1)])) for s in (1, 2))
    diff(one, other, code=NOINPUT)


def test_what_cannot_be_known_is_not_called_the_same(diff, sample_source):
    done = diff(f"{sample_source}#mnist/cnn/latest", f"{sample_source}#mnist/cnn/ckpt-1200",
                code=UNAVAILABLE)
    assert "digest" in done.stderr


def test_checkpoints_of_a_registry_by_url_and_path(diff, sample_server, served_mount, watchdog):
    watchdog.processes.append(served_mount.process)
    url = f"{sample_server.source}/mnist/cnn"
    diff(f"{url}/latest", served_mount / "mnist/cnn")
    diff(url, f"{url}/ckpt-1200")
    found = told(diff("--json", f"{url}/best-loss", url, code=DIFFERENT))
    assert found["a"]["name"] == "ckpt-600" and found["b"]["name"] == "ckpt-1200"
    changed = [f["path"] for f in found["files"]["changed"]]
    assert "model.ckpt-*.data-00000-of-00001" in changed
    better = {m["name"]: m["better"] for m in found["metrics"]}
    assert better == {"accuracy": "b", "loss": "a", "train/loss": "b"}


def test_files_of_a_real_mount_without_digests_are_read(diff, sample_mount, watchdog):
    watchdog.processes.append(sample_mount.process)
    cnn = sample_mount / "mnist/cnn"
    diff(cnn / "latest", cnn / "ckpt-1200")
    found = told(diff("--json", cnn / "ckpt-600", cnn / "ckpt-800", code=DIFFERENT))
    assert found["files"]["unknown"] == [] and found["files"]["changed"]


def test_what_is_no_checkpoint_is_said(diff, sample_server, tmp_path):
    assert "project" in diff(sample_server.source + "/mnist", tmp_path, code=USAGE).stderr
    assert "nothing" in diff(tmp_path / "nothing", tmp_path, code=NOINPUT).stderr
    assert "complete" in diff(Model(tmp_path, "empty").path, tmp_path, code=NOINPUT).stderr


# --values.


def test_equal_values_are_the_same(diff, pair):
    tensors = [floats("a", 1, 2, 3), floats("deep/er/b", math.nan)]
    found = told(diff("--values", "--json", *pair(tensors, tensors)))
    assert found["values"] == {"same": 2, "different": [], "lacking": []}


@pytest.mark.parametrize(
    "dtype, code, one, other, greatest",
    [
        ("F16", "e", [1, 2, 3], [1, 2.5, -1], 4),
        ("F32", "f", [1, 2, 3], [1, 2.5, 7], 4),
        ("F64", "d", [1, 2, 3], [1, 2.5, 7], 4),
        ("BF16", "H", [0x3F80, 0x3F80, 0x3F80], [0x3F80, 0x4000, 0x4040], 2),
        ("I8", "b", [1, -128, 3], [1, 127, 4], 255),
        ("I64", "q", [1, 2**62, 3], [1, 2**62 + 1, 3 + 9], 9),
        ("U16", "H", [1, 0, 3], [1, 65535, 4], 65535),
        ("BOOL", "?", [0, 1, 0], [0, 0, 1], 1),
        ("F32", "f", [1, 2, 3], [1, math.inf, 7], "Infinity"),
    ],
)
def test_elements_that_differ_are_counted(diff, pair, dtype, code, one, other, greatest):
    paths = pair([Tensor("t", dtype, code, one)], [Tensor("t", dtype, code, other)])
    found = told(diff("--values", "--json", *paths, code=DIFFERENT))
    assert found["same"] is False
    want = {"name": "t", "dtype": dtype, "elements": 3, "differing": 2, "greatest": greatest}
    assert found["values"]["different"] == [want]


def test_values_that_became_nan_are_counted(diff, pair):
    paths = pair([floats("t", 1, 2, math.nan)], [floats("t", 1, math.nan, 3)])
    found = told(diff("--values", "--json", *paths, code=DIFFERENT))["values"]["different"][0]
    assert (found["differing"], found["nan"], found["greatest"]) == (2, 2, 0)


def test_blocks_differ_without_a_distance(diff, pair):
    paths = pair(*([Tensor("q", "Q4_0", "B", [value] * 18, [32])] for value in (7, 8)))
    found = told(diff("--values", "--json", *paths, code=DIFFERENT))["values"]["different"][0]
    assert (found["elements"], found["differing"], found["greatest"]) == (18, 18, None)


def test_many_windows_are_compared(diff, pair):
    n = 3 * (1 << 20) // 4 + 5
    one, other = [0.0] * n, [0.0] * n
    other[0], other[n - 1] = 1, 3
    done = diff("--values", *pair([floats("big", *one)], [floats("big", *other)]), code=DIFFERENT)
    assert f"big     F32      {n}          2  < 0.1 %         3\n" in done.stdout
    assert "values: 0 tensors the same, 1 different\n" in done.stdout


def test_a_tensor_is_found_by_its_attribute(diff, pair):
    one, other = pair([floats("a", 1)], [floats("a", 2)])
    for path in one, other:
        hidden = path / ".modelfs" / "tensors"
        (hidden / "a.npy").rename(hidden / "0001")
        os.setxattr(hidden / "0001", "user.modelfs.tensor", b"a")
    found = told(diff("--values", "--json", one, other, code=DIFFERENT))
    assert found["values"]["different"][0]["name"] == "a"


def test_a_tensor_that_is_not_shown_is_said(diff, pair):
    one, other = pair([floats("a", 1), floats("b", 1)], [floats("a", 1), floats("b", 1)])
    (other / ".modelfs" / "tensors" / "b.npy").unlink()
    done = diff("--values", one, other)
    assert "values: 1 tensors the same, 0 different, 1 that the mount does not show" in done.stdout


def test_what_is_no_npy_is_an_error(diff, pair):
    one, other = pair([floats("a", 1)], [floats("a", 1)])
    place = other / ".modelfs" / "tensors" / "a.npy"
    for damaged in place.read_bytes()[:-1], b"", b"\x93NUMPY\x01\x00\xff\xff", b"x" * 200:
        place.write_bytes(damaged)
        assert "a: is no .npy" in diff("--values", one, other, code=IOERR).stderr


def test_values_need_a_mount_that_shows_tensors(diff, sample_server, tmp_path):
    url = f"{sample_server.source}/mnist/cnn"
    assert "mount" in diff("--values", url, url, code=UNAVAILABLE).stderr
    path = Model(tmp_path).add(checkpoint(1, {}))
    assert "tensors" in diff("--values", path, path, code=UNAVAILABLE).stderr


def test_a_bar_is_drawn_on_a_terminal(modelfs_bin, pair):
    tensor = Tensor("wide", "U8", "B", bytes(8 << 20))
    main, terminal = pty.openpty()
    done = processes.subprocess.run(
        [modelfs_bin, "diff", "--values", *pair([tensor], [tensor])],
        stdout=processes.subprocess.DEVNULL,
        stderr=terminal,
        env=processes.environment(TERM="xterm"),
    )
    os.close(terminal)
    drawn = os.read(main, 1 << 16)
    os.close(main)
    assert done.returncode == SAME
    assert b"of 8.0 MiB" in drawn and b"wide" in drawn and drawn.endswith(b"\r\x1b[K")


def test_tensors_of_a_real_mount_are_compared(diff, served_mount, watchdog):
    watchdog.processes.append(served_mount.process)
    cnn = served_mount / "mnist/cnn"
    if not (cnn / "latest/.modelfs/tensors").is_dir():
        pytest.skip("this mount has no .modelfs/tensors")
    assert told(diff("--values", "--json", cnn / "latest", cnn / "ckpt-1200"))["values"]["same"] > 0
    found = told(diff("--values", "--json", cnn / "ckpt-600", cnn / "latest", code=DIFFERENT))
    assert found["values"]["different"] and found["values"]["lacking"] == []
