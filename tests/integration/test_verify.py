# SPDX-License-Identifier: Apache-2.0
"""verify: whether checkpoints are whole, and their bytes those of the registry."""

import json
import os
import pathlib
import shutil

import processes
import pytest
from models import MODELS

# sysexits.h
USAGE, DATAERR, NOINPUT = 64, 65, 66


@pytest.fixture
def verify(modelfs_bin):
    """verify(argument, ..., code=0): what is printed; on standard error for other codes."""

    def run(*arguments, code=0):
        done = processes.run_modelfs(modelfs_bin, "verify", *arguments)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout if code in (0, DATAERR) else done.stderr

    return run


@pytest.fixture
def source(tmp_path):
    """The models in a directory of our own, to be damaged."""
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder, ignore=shutil.ignore_patterns("*.json.tmp"))
    return folder


@pytest.fixture(params=["url", "path"])
def place(request, source, mount):
    """place("project/model[/checkpoint]"): by a URL or as a path in a mount."""
    if request.param == "url":
        return lambda path: f"dir://{source}#{path}"
    # the directory is looked at after it was damaged
    return lambda path: mount(f"dir://{source}") / path


def rows(text):
    return [line.split(None, 2) for line in text.splitlines()]


def test_a_whole_model_is_said_to_be_whole(verify, place):
    assert rows(verify(place("huggingface/trainer"))) == [
        ["CHECKPOINT", "WHOLE", "LACKS"],
        ["ckpt-10", "yes", "-"],
        ["ckpt-20", "yes", "-"],
        ["ckpt-30", "yes", "-"],
    ]


def test_a_shard_that_is_gone_is_named(verify, place, source):
    (source / "safetensors/sharded/model-00002-of-00003.safetensors").unlink()
    found = rows(verify(place("safetensors/sharded"), code=DATAERR))
    assert found[1][:2] == ["export-model", "no"] and "model-00002-of-00003" in found[1][2]


def test_a_file_that_ends_before_its_header_says_is_named(verify, place, source, expected_log):
    expected_log("is incomplete")
    broken = source / "huggingface/trainer/checkpoint-20/model.safetensors"
    os.truncate(broken, broken.stat().st_size - 1)
    found = rows(verify(place("huggingface/trainer"), code=DATAERR))
    assert [row[1] for row in found[1:]] == ["yes", "no", "yes"]
    assert "model.safetensors" in found[2][2]
    # by itself, and as JSON
    one = json.loads(verify("--json", place("huggingface/trainer/ckpt-20"), code=DATAERR))
    [told] = one["checkpoints"]
    assert told["name"] == "ckpt-20" and told["complete"] is False and len(told["missing"]) == 1


def test_a_mount_never_points_at_what_is_known_to_be_broken(verify, source, mount, expected_log):
    expected_log("is incomplete")
    broken = source / "huggingface/trainer/checkpoint-30/model.safetensors"
    os.truncate(broken, broken.stat().st_size - 1)
    model = mount(f"dir://{source}", entry_timeout=0) / "huggingface/trainer"
    assert os.readlink(model / "latest") == "ckpt-30"  # by its names and sizes it is whole
    verify(model, code=DATAERR)
    assert os.readlink(model / "latest") == "ckpt-20"
    assert os.getxattr(model / "ckpt-30", "user.modelfs.complete") == b"no"
    assert all(
        os.readlink(model / name) != "ckpt-30"
        for name in os.listdir(model)
        if name.startswith("best-")
    )


def test_bytes_are_compared_with_what_the_registry_knows(verify, models_served, models_server):
    for of in models_served / "numpy/stored", f"{models_server.source}/numpy/stored":
        told = json.loads(verify("--bytes", "--json", of))
        n = len([p for p in pathlib.Path(MODELS / "numpy/stored").rglob("*") if p.is_file()])
        assert told["files"] == {"right": n, "unknown": 0, "damaged": []}


def test_files_without_a_digest_are_read_and_that_is_said(verify, place):
    assert "2 read without a SHA-256" in verify("-b", place("onnx/external"))


def spoil(server, source, at):
    """Turns one bit of the object that holds a file, behind the registry's back."""
    content = bytearray(source.read_bytes())
    [stored] = [
        p for p in server.data.rglob("*") if p.is_file() and p.read_bytes() == bytes(content)
    ]
    content[at] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(content)


def test_other_bytes_are_found(verify, serve):
    serve.push(MODELS / "numpy/stored", "numpy", "stored", "Custom")
    spoil(serve, MODELS / "numpy/stored/weights.npz", -200)
    told = json.loads(verify("-b", "--json", f"{serve.source}/numpy/stored", code=DATAERR))
    assert [item["path"] for item in told["files"]["damaged"]] == ["weights.npz"]


def test_other_bytes_say_nothing_of_a_files_format(verify, serve, mount, expected_log):
    expected_log("SHA-256")
    serve.push(MODELS / "safetensors/dtypes", "p", "m", "Custom")
    spoil(serve, MODELS / "safetensors/dtypes/model.safetensors", 8)
    model = mount(serve.source) / "p/m"
    told = json.loads((model / "latest/.modelfs/info.json").read_text())
    assert told["unread"] is True and told["complete"] is True and "tensors" not in told
    [row] = rows(verify(model, code=DATAERR))[1:]
    assert row[:2] == ["export-model", "?"]


@pytest.mark.parametrize("arguments, code", [
    ((), USAGE),
    (("--no-such",), USAGE),
    (("/", "/"), USAGE),
    (("/no/such/place",), NOINPUT),
])
def test_what_makes_no_sense_is_refused(verify, arguments, code):
    assert verify(*arguments, code=code).startswith(("modelfs verify:", "verify: unrecognized"))


def test_a_project_is_neither(verify, place):
    assert "name a model or a checkpoint" in verify(place("huggingface"), code=USAGE)


def test_help_tells_what_it_does(verify):
    assert "--bytes" in verify("--help")
