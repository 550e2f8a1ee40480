# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow, Keras, ONNX Runtime, numpy and their like load from a mount is what was saved.

Each test runs on mounts and on a plain directory of the same shape, so that a failure tells
whether a mount is at fault. The libraries live in an environment of their own (see
requirements-loaders.txt); loader_script.py runs there and prints what it loaded.
"""
import json
import os
import pathlib
import re
import subprocess

import models as small
import pytest
import trees

VIEWS = pathlib.Path(__file__).resolve().parent / "library_views.py"
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
    return lambda kind, *paths: run_script(loaders_python, SCRIPT, kind, HELD_OUT, *paths)


@pytest.fixture
def library_view(loaders_python):
    """library_view(form, path, ...) -> the tensors or scalars that the library reads there."""
    return lambda form, *paths: run_script(loaders_python, VIEWS, form, *paths)


def run_script(*command):
    command = [str(word) for word in command]
    done = subprocess.run(command, text=True, capture_output=True, timeout=SCRIPT_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


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


# --- tests/data/models: every form, with the library that it is of ----------------------------


@pytest.fixture
def small_mounts(models_served, models_directory, watchdog):
    """All of tests/data/models from a registry and from a directory, mounted."""
    watchdog.processes += [models_served.process, models_directory.process]
    return [models_served, models_directory]


def seen_from(mounts, name, expected, path):
    """A path that a library takes, as a checkpoint's directory in each mount has it."""
    inner = os.path.relpath(path, os.path.dirname(expected["file"])) if path else ""
    return [small.path_of(mounted / name, expected["file"]).parent / inner for mounted in mounts]


def of_form(*forms):
    return [pair for pair in small.every_checkpoint() if pair[1]["form"] in forms]


def check_views(library_view, mounts, form):
    pairs = of_form(form)
    paths = [path for name, one in pairs for path in seen_from(mounts, name, one, one["at"])]
    wanted = [one["tensors"] for _, one in pairs for _ in mounts]
    for path, found, tensors in zip(paths, library_view(form, *paths), wanted):
        assert found == tensors, f"what {form} reads of {path}"


@pytest.mark.parametrize("form", sorted({one["form"] for _, one in small.every_checkpoint()}))
def test_a_library_reads_the_same_tensors_from_a_mount(small_mounts, library_view, form):
    check_views(library_view, small_mounts, form)


def test_tensorflow_finds_the_newest_checkpoint_of_a_mounted_directory(small_mounts, load):
    paths, wanted = [], []
    for name in ("tensorflow/saver", "tensorflow/objects"):
        newest = small.EXPECTED[name]["latest"]
        for one in small.EXPECTED[name]["checkpoints"]:
            paths += seen_from(small_mounts, name, one, "")
            wanted += [one["at"]] * len(small_mounts)
            if one["step"] == newest:
                paths += [mounted / name / ".modelfs" / "files" for mounted in small_mounts]
                wanted += [one["at"]] * len(small_mounts)
    assert load("newest", *paths) == wanted


@pytest.mark.parametrize("kind, name, path", [
    ("served_function", "tensorflow/saved-model", ""),
    ("keras_model", "keras/classifier", "model.keras"),
    ("linear", "onnx/external", "model.onnx"),
    ("linear", "mlflow/linear", "model.onnx"),
    ("safe_open", "safetensors/dtypes", "model.safetensors"),
    ("safe_open", "safetensors/sharded", "model-00001-of-00003.safetensors"),
])
def test_a_model_does_in_a_mount_what_it_does_on_a_disk(small_mounts, load, kind, name, path):
    one = small.EXPECTED[name]["checkpoints"][0]
    plain = small.MODELS / name / os.path.dirname(one["file"]) / path
    mounted = [small.path_of(mounted / name, one["file"]).parent / path for mounted in small_mounts]
    wanted, *found = load(kind, plain, *mounted)
    assert wanted and found == [wanted] * len(mounted), f"what {kind} makes of {plain}"


@pytest.mark.parametrize("session, prefix", [("train", "train/"), ("eval", "")])
def test_our_history_is_what_tensorboard_reads_of_the_mounted_events(
        small_mounts, library_view, session, prefix):
    events = [mounted / "tensorflow" / "events" for mounted in small_mounts]
    seen = library_view("events", *[model / "files" / session for model in events])
    for mounted, scalars in zip(events, seen):
        for tag, rows in scalars.items():
            name = prefix + tag if tag == "epoch_loss" else tag
            found = small.history(mounted, name)
            assert [row[::2] for row in found] == [row[::2] for row in rows], f"{name}, {mounted}"
            assert [row[1] for row in found] == pytest.approx([row[1] for row in rows], abs=1e-3)
