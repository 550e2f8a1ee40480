# SPDX-License-Identifier: Apache-2.0
"""show: a model or a checkpoint, told to people."""

import json
import re

import processes
import pytest
import trees
from imitation import Model, Tensor, checkpoint, file

# sysexits.h
USAGE, DATAERR, UNAVAILABLE = 64, 65, 69
UTF8 = {"LC_ALL": "C.UTF-8"}


@pytest.fixture
def show(modelfs_bin):
    """show(argument, ..., code=0, **env): what is printed."""

    def run(*arguments, code=0, **env):
        done = processes.run_modelfs(modelfs_bin, "show", *arguments, **{"LC_ALL": "C", **env})
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    return run


def facts_of(text):
    return dict(re.split(r"  +", line, maxsplit=1) for line in text.splitlines())


def rows_of(text):
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


@pytest.fixture
def model(tmp_path):
    made = Model(tmp_path, "m", best={"loss": "ckpt-600", "accuracy": "ckpt-400"})
    for step, accuracy, loss in (200, 0.5, 0.75), (400, 0.9, "NaN"), (600, 0.8, 0.25):
        made.add(
            checkpoint(
                step,
                {"accuracy": accuracy, "loss": loss},
                files=[file("model.safetensors", 2048, "ab" * 32)],
                framework="PyTorch",
                parameters=7241732096,
                dtypes={"F32": 14483464, "BF16": 7227248632},
            )
        )
    return made


def test_a_model_s_checkpoints_stand_in_a_table_with_the_best_marked(show, model):
    facts, table, history = show(model.path).split("\n\n")
    lines = facts_of(facts)
    assert lines["type"] == "Custom" and lines["framework"] == "PyTorch"
    assert lines["parameters"] == "7.24 B (7241732096)"
    assert lines["dtypes"] == "BF16 99.8 %, F32 0.2 %"
    assert rows_of(table) == [
        ["CHECKPOINT", "STEP", "SIZE", "accuracy", "loss", "NOTE"],
        ["ckpt-200", "200", "2.0 KiB", "0.5000", "0.7500", "-"],
        ["ckpt-400", "400", "2.0 KiB", "0.9000*", "NaN", "-"],
        ["ckpt-600", "600", "2.0 KiB", "0.8000", "0.2500*", "latest"],
    ]
    assert rows_of(history) == [
        ["METRIC", "LAST", "BEST", "AT STEP", "HISTORY"],
        ["accuracy", "0.8000", "0.9000", "400", "_#*"],
        ["loss", "0.2500", "0.2500", "600", "# _"],
    ]


def test_history_is_drawn_where_the_mount_has_it(show, model):
    model.history("loss", {step: 7 - step for step in range(8)})
    assert "loss      0.0000  0.0000        7  █▇▆▅▄▃▂▁\n" in show(model.path, **UTF8)
    assert "loss      0.0000  0.0000        7  #*+=:-._\n" in show(model.path)


def test_history_that_is_none_is_said(show, model):
    model.history("loss", "time,value\n1,2\n")
    assert "loss.csv: line 1" in show(model.path, code=DATAERR)


def test_a_checkpoint_s_facts_stand_a_line_each(show, model):
    facts, files = show(model.path / "ckpt-400").split("\n\n")
    lines = facts_of(facts)
    assert lines["model"] == "m" and lines["step"] == "400" and lines["complete"] == "yes"
    assert lines["parameters"] == "7.24 B (7241732096)" and lines["metric loss"] == "NaN"
    assert rows_of(files)[1] == ["model.safetensors", "2048", "ab" * 32]


@pytest.mark.parametrize("missing", ["x.index", ["x.index", "y.bin"]])
def test_what_a_checkpoint_lacks_is_said(show, model, missing):
    path = model.add(checkpoint(800, {}, missing=missing))
    said = "x.index" if isinstance(missing, str) else "x.index, y.bin"
    assert facts_of(show(path).split("\n\n")[0])["complete"] == f"no, lacks {said}"
    assert f"incomplete, lacks {said}\n" in show(model.path)


def test_tensors_are_listed(show, model):
    weight = Tensor("layer/0.weight", "F32", "f", [1] * 6, [2, 3])
    tensors = [weight, Tensor("s", "I8", "b", [1], [])]
    path = model.add(checkpoint(800, {}, tensors))
    assert rows_of(show("--tensors", path)) == [
        ["TENSOR", "DTYPE", "SHAPE", "BYTES"],
        ["layer/0.weight", "F32", "[2, 3]", "24"],
        ["s", "I8", "[]", "1"],
    ]
    assert json.loads(show("--json", path))["tensors"][0]["name"] == "layer/0.weight"


def test_tensors_of_a_model_or_of_nothing_known_are_not_told(show, model):
    assert "latest" in show("--tensors", model.path, code=USAGE)
    assert "tensors" in show("-t", model.path / "ckpt-200", code=UNAVAILABLE)


def test_hostile_names_cannot_speak_to_the_terminal(show, tmp_path):
    model = Model(tmp_path, "m", best={"lo\x1b[2Jss": "a\x07b"})
    facts = checkpoint(1, {"lo\x1b[2Jss": 1.0}, missing="q\x1b", dtypes={"F\x1b": 1})
    path = model.add({**facts, "framework": "\x1b]0;x\x07", "tensors": [{"name": "t\x9b\nx"}]})
    for shown in show(model.path), show(path), show("-t", path):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", shown)


def test_a_mount_tells_of_tensors(show, served_mount, watchdog):
    watchdog.processes.append(served_mount.process)
    latest = served_mount / "mnist/cnn/latest"
    if not (latest / ".modelfs/tensors").is_dir():
        pytest.skip("this mount has no .modelfs/tensors")
    rows = rows_of(show("--tensors", latest))
    assert rows[0] == ["TENSOR", "DTYPE", "SHAPE", "BYTES"] and len(rows) > 1


def test_a_model_by_url_has_the_curves_of_its_checkpoints(show, sample_server):
    history = show(f"{sample_server.source}/mnist/cnn").split("\n\n")[2]
    rows = {row[0]: row[1:] for row in rows_of(history)}
    assert rows["accuracy"][:3] == ["0.9806", "0.9833", "800"]
    assert len(rows["accuracy"][3]) == len(trees.STEPS)
