# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow, ONNX Runtime and numpy load from a mount is what was trained.

Each test runs on mounts and on a plain directory of the same shape, so that a failure tells
whether a mount is at fault. The libraries live in an environment of their own (see
requirements-loaders.txt); loader_script.py runs there and prints what it loaded.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest
import trees

SCRIPT = pathlib.Path(__file__).resolve().parent / "loader_script.py"
HELD_OUT = trees.SAMPLE / "held-out.npz"
EXPECTED = json.loads((trees.SAMPLE / "expected.json").read_text())
STEPS = [int(step) for step in EXPECTED["steps"]]
LAST_STEP = EXPECTED["last_step"]
EXPORT = EXPECTED["export_version"]
VARIABLES = [f"{layer}/{part}" for layer in ("conv", "hidden", "output")
             for part in ("bias", "bias/Momentum", "kernel", "kernel/Momentum")]

# The first import of TensorFlow on a cold machine has been seen to take 47 seconds. Below HANG_S of
# conftest.py, so that a script that hangs is reported as such.
SCRIPT_SECONDS = 140


@pytest.fixture(scope="session")
def loaders_python():
    python = os.environ.get("MODELFS_LOADERS_PYTHON")
    if not python and os.environ.get("MODELFS_REQUIRE_LOADERS") != "1":
        pytest.skip("MODELFS_LOADERS_PYTHON names no python with requirements-loaders.txt")
    assert python, "MODELFS_REQUIRE_LOADERS=1 needs MODELFS_LOADERS_PYTHON"
    return python


@pytest.fixture
def load(loaders_python):
    """load(kind, path, ...) -> what loader_script.py found, one answer per path."""
    def run(kind, *paths):
        command = [str(word) for word in (loaders_python, SCRIPT, kind, HELD_OUT, *paths)]
        done = subprocess.run(command, text=True, capture_output=True, timeout=SCRIPT_SECONDS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def models(any_mount):
    return any_mount / trees.PROJECT


def near(rows):
    return [pytest.approx(row, rel=1e-5, abs=1e-5) for row in rows]


def check_checkpoint(found, directory, step):
    """A checkpoint's directory speaks of this one only, and holds what the training measured."""
    prefix = str(directory / f"model.ckpt-{step}")
    right = EXPECTED["steps"][str(step)]["correct"]
    assert (found["latest"], found["all"]) == (prefix, [prefix])
    assert found["global_step"] == step
    assert found["variables"] == sorted(VARIABLES + ["global_step"])
    assert (found["by_hand"]["correct"], found["restored"]["correct"]) == (right, right)
    assert found["by_hand"]["logits"] == near(found["restored"]["logits"])


def test_tensorflow_loads_the_one_checkpoint_of_each_directory(models, load):
    directories = [models / "cnn" / f"ckpt-{step}" for step in STEPS]
    found = load("checkpoint", *directories)
    assert len(found) == len(STEPS)
    for answer, directory, step in zip(found, directories, STEPS):
        check_checkpoint(answer, directory, step)


def test_latest_is_the_last_checkpoint_with_its_logits(models, load):
    directory = models / "cnn" / "latest"
    [found] = load("checkpoint", directory)
    assert os.readlink(directory) == f"ckpt-{LAST_STEP}"
    check_checkpoint(found, directory, LAST_STEP)
    assert found["by_hand"]["logits"] == near(EXPECTED["logits"])
    assert found["restored"]["logits"] == near(EXPECTED["logits"])


def test_the_state_file_names_its_own_checkpoint_only(models):
    for step in STEPS:
        text = (models / "cnn" / f"ckpt-{step}" / "checkpoint").read_text()
        assert set(re.findall(r'"(.*)"', text)) == {f"model.ckpt-{step}"}


@pytest.mark.parametrize("kind, path", [
    ("saved_model", f"cnn/export-{EXPORT}"),
    ("onnx_model", "cnn-onnx/export-model/model.onnx"),
])
def test_an_export_answers_as_the_last_checkpoint(models, load, kind, path):
    [found] = load(kind, models / path)
    assert found["logits"] == near(EXPECTED["logits"])
    assert found["probabilities"] == near(EXPECTED["probabilities"])
    assert found["correct"] == EXPECTED["steps"][str(LAST_STEP)]["correct"]


def test_a_custom_model_is_as_accurate_as_its_metadata_says(models, load):
    model = models / "digits-custom"
    [found] = load("arrays", model / "export-weights" / "weights.npz")
    metadata = json.loads((model / "files" / "gradient-model-metadata.json").read_text())
    [accuracy] = [m["numberValue"] for m in metadata["metrics"] if m["name"] == "accuracy-score"]
    assert found["correct"] / EXPECTED["held_out_rows"] == pytest.approx(accuracy, abs=1e-9)
    assert accuracy == EXPECTED["custom"]["accuracy-score"]


def test_the_evaluation_events_read_back_as_measured(models, load):
    [path] = (models / "cnn" / "files" / "eval").glob("events.out.tfevents.*")
    [found] = load("events", path)
    assert sorted(found) == sorted([step, tag, EXPECTED["steps"][str(step)][tag]]
                                   for step in STEPS for tag in ("accuracy", "loss"))
