# SPDX-License-Identifier: Apache-2.0
"""What a mount knows of models is what the libraries that wrote them say: tensors, metrics, which
checkpoint is whole, newest, best. Of files that lie, it knows nothing and stays alive.

tests/data/models are the models, its expected.json what the libraries say; both come from
tests/data/make_models.py. These tests need nothing but numpy.
"""

import csv
import json
import os
import re
import shutil
import time

import hostile_models
import models
import numpy as np
import pytest
from conftest import Mounts
from fake_registry import late
from models import EXPECTED, MODELS
from processes import LOG, Server, Watchdog, run_modelfs
from trees import files_below, run

MIB = 1 << 20
# Keras keeps weights as HDF5, which is not looked into.
CHECKPOINTS = [pair for pair in models.every_checkpoint() if pair[1]["form"] != "keras"]
# For mounts where checkpoints turn out to be damaged: their links are gone at once.
FORGETFUL = {"entry_timeout": 0, "attr_timeout": 0}


@pytest.fixture(params=["served", "directory"])
def mounted(request, watchdog):
    """All the models, as a registry serves them and from a directory."""
    found = request.getfixturevalue(f"models_{request.param}")
    watchdog.processes.append(found.process)
    return found


def each_checkpoint(keep=lambda name, expected: True):
    chosen = [pair for pair in CHECKPOINTS if keep(*pair)]
    return pytest.mark.parametrize("name, expected", chosen, ids=models.label)


def each_model(key):
    """The models of which expected.json tells something under a key."""
    return pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name].get(key)])


def in_one_run(expected):
    return {name: one for name, one in expected["tensors"].items() if one["bytes"] is not None}


# --- Tensors ----------------------------------------------------------------------------------


@each_checkpoint()
def test_every_tensor_is_an_npy_of_the_librarys_bytes(mounted, name, expected):
    checkpoint = models.checkpoint_of(mounted / name, expected["file"])
    found = {tensor: models.view(path) for tensor, path in models.windows(checkpoint).items()}
    wanted = {tensor: models.expected_view(one) for tensor, one in in_one_run(expected).items()}
    for tensor, one in wanted.items():
        if tensor in found and one["shape"] is None:
            found[tensor]["shape"] = None
    assert sorted(found) == sorted(wanted), f"the tensors below {checkpoint}/.modelfs/tensors"
    for tensor, one in wanted.items():
        assert found[tensor] == one, f"{tensor}, which the library reads so, as .npy"


@each_checkpoint(lambda name, expected: name != "safetensors/names")
def test_a_tensors_path_is_its_name_and_attributes_tell_more(mounted, name, expected):
    checkpoint = models.checkpoint_of(mounted / name, expected["file"])
    for tensor in in_one_run(expected):
        path = checkpoint / ".modelfs" / "tensors" / f"{tensor}.npy"
        assert path.is_file(), f"{tensor} should be {path}"
        assert models.attribute(path, "tensor") == tensor
        shape = models.shape_text(expected["tensors"][tensor]["shape"])
        assert models.attribute(path, "shape") == shape, tensor


def test_a_tensors_attributes_are_listed(mounted):
    checkpoint = models.checkpoint_of(mounted / "safetensors/dtypes", "model.safetensors")
    for path in models.windows(checkpoint).values():
        assert {"user.modelfs.tensor", "user.modelfs.dtype"} <= set(os.listxattr(path)), path


@each_checkpoint(lambda name, expected: name.startswith(("safetensors", "gguf", "numpy/stored")))
def test_elements_begin_where_a_cpu_wants_them(mounted, name, expected):
    for tensor, path in models.windows(
            models.checkpoint_of(mounted / name, expected["file"])).items():
        array = models.mapped(path)
        assert array.nbytes == 0 or array.offset % 64 == 0, f"{tensor} begins at {array.offset}"


def test_a_window_reads_the_same_in_every_piece(mounted):
    expected = EXPECTED["safetensors/sharded"]["checkpoints"][0]
    checkpoint = models.checkpoint_of(mounted / "safetensors/sharded", expected["file"])
    for tensor, path in models.windows(checkpoint).items():
        whole = path.read_bytes()
        assert len(whole) == os.stat(path).st_size, f"the size of {tensor}"
        with open(path, "rb") as file:
            for off in range(0, len(whole), 37):
                assert os.pread(file.fileno(), 41, off) == whole[off:off + 41], (tensor, off)
            assert os.pread(file.fileno(), 10, len(whole)) == b""


def test_tensors_are_read_only(mounted):
    expected = EXPECTED["safetensors/dtypes"]["checkpoints"][0]
    checkpoint = models.checkpoint_of(mounted / "safetensors/dtypes", expected["file"])
    path = checkpoint / ".modelfs" / "tensors" / "scalar.npy"
    with pytest.raises(OSError, match="Read-only"):
        os.truncate(path, 0)


def test_a_copy_of_a_checkpoint_takes_no_tensors_along(mounted, tmp_path):
    checkpoint = models.checkpoint_of(mounted / "safetensors/dtypes", "model.safetensors")
    assert not [name for name in os.listdir(checkpoint) if name.startswith(".")]
    run("cp", "-r", checkpoint, tmp_path / "copy")
    assert os.listdir(tmp_path / "copy") == ["model.safetensors"]


# --- info.json --------------------------------------------------------------------------------


def elements(one):
    return int(np.prod(one["shape"], dtype=np.int64))


@each_checkpoint()
def test_info_tells_of_every_tensor(mounted, name, expected):
    checkpoint = models.checkpoint_of(mounted / name, expected["file"])
    told = {row["name"]: row for row in models.info(checkpoint, "tensors")["tensors"]}
    assert sorted(told) == sorted(expected["tensors"]), "the names in info.json"
    for tensor, one in expected["tensors"].items():
        if one["bytes"] is not None:
            row = told[tensor]
            wanted = (one["dtype"], one["shape"], one["bytes"])
            assert (row["dtype"], row["shape"], row["bytes"]) == wanted, tensor


@each_checkpoint()
def test_info_sums_up(mounted, name, expected):
    info = models.info(models.checkpoint_of(mounted / name, expected["file"]),
                       "complete", "parameters", "dtypes", "format", "framework")
    tensors, dtypes = expected["tensors"].values(), {}
    for one in tensors:
        if one["dtype"]:
            dtypes[one["dtype"]] = dtypes.get(one["dtype"], 0) + elements(one)
    assert info["complete"] is True and not info.get("missing"), "it is whole"
    assert info["parameters"] == sum(elements(one) for one in tensors), "elements of all tensors"
    assert {dtype: info["dtypes"].get(dtype) for dtype in dtypes} == dtypes, "elements by type"
    assert info["format"] and info["framework"], "what it is"


def test_info_of_what_is_compressed_tells_of_no_bytes(mounted):
    """Shapes and types are compressed too, and are told all the same."""
    [expected] = EXPECTED["numpy/compressed"]["checkpoints"]
    checkpoint = models.checkpoint_of(mounted / "numpy/compressed", expected["file"])
    told = {row["name"]: row["offset"] for row in models.info(checkpoint, "tensors")["tensors"]}
    assert told == dict.fromkeys(expected["tensors"])
    assert models.windows(checkpoint) == {}, "there is no run of bytes to show"


@each_checkpoint(lambda name, expected: name != "numpy/stored")
def test_bytes_lie_where_info_says(mounted, name, expected):
    checkpoint = models.checkpoint_of(mounted / name, expected["file"])
    for row in models.info(checkpoint, "tensors")["tensors"]:
        wanted = in_one_run(expected).get(row["name"])
        if not wanted:
            continue
        path = checkpoint / row["file"]
        with open(path, "rb") as file:
            data = np.frombuffer(os.pread(file.fileno(), row["bytes"], row["offset"]), np.uint8)
        assert models.digest(data) == wanted["sha256"], f"{row['name']}: {row['offset']}, {path}"


@pytest.mark.parametrize("name, word, value", [
    ("gguf/quantised", "general.architecture", "llama"),
    ("gguf/quantised", "llama.context_length", 128),
    ("safetensors/dtypes", "format", "np"),
    ("safetensors/sharded", "format", "pt"),
    ("safetensors/sharded", "model_type", "llama"),
    ("mlflow/linear", "run_id", "fedcba9876543210fedcba9876543210"),
    ("onnx/external", "graph", "linear"),
])
def test_info_has_the_files_own_facts(mounted, name, word, value):
    expected = EXPECTED[name]["checkpoints"][0]
    info = models.info(models.checkpoint_of(mounted / name, expected["file"]), "metadata")
    found = [facts[word] for facts in info["metadata"].values() if word in facts]
    assert value in found, f"{word} of {name}, in {info['metadata']}"


def test_a_form_that_is_not_looked_into_is_told_of_all_the_same(mounted):
    info = models.info(models.checkpoint_of(mounted / "keras/classifier", "model.keras"),
                       "framework", "complete", "files")
    assert info["framework"] == "Keras" and info["complete"] is True
    assert [file["path"] for file in info["files"]] == ["model.keras"]


def test_a_list_of_tokens_does_not_make_info_large(mounted):
    checkpoint = models.checkpoint_of(mounted / "gguf/quantised", "model.gguf")
    assert os.stat(checkpoint / ".modelfs" / "info.json").st_size < 64 << 10


# --- Metrics ----------------------------------------------------------------------------------


@each_model("metrics")
def test_metrics_are_those_of_the_files(mounted, name):
    for step, values in EXPECTED[name]["metrics"].items():
        checkpoint = directory_of_step(mounted, name, step)
        for metric, value in values.items():
            assert models.metric(checkpoint, metric) == value, f"{metric} of {checkpoint}"


@each_model("scalars")
def test_the_history_is_tensorboards(mounted, name):
    for tag, rows in EXPECTED[name]["scalars"].items():
        found = models.history(mounted / name, tag)
        wanted = models.last_of_each_step(rows)
        assert [row[::2] for row in found] == [row[::2] for row in wanted], f"{tag}: step, value"
        for (step, seen, _), (_, wall, _) in zip(found, wanted):
            assert wall is None or seen == pytest.approx(wall, abs=1e-3), f"when {tag} was {step}"


@each_model("metrics")
def test_one_table_has_the_metrics_of_all_checkpoints(mounted, name):
    with open(models.hidden(mounted / name, "metrics.csv"), newline="") as file:
        rows = {row["checkpoint"]: row for row in csv.DictReader(file)}
    for step, values in EXPECTED[name]["metrics"].items():
        checkpoint = directory_of_step(mounted, name, step).name
        assert checkpoint in rows, f"a line for each checkpoint of {name}"
        assert rows[checkpoint]["step"] == step or not step
        for metric, value in values.items():
            assert float(rows[checkpoint][metric]) == value, f"{metric} of {checkpoint}"


@each_model("metrics")
def test_a_metric_is_an_attribute_too(mounted, name):
    for step, values in EXPECTED[name]["metrics"].items():
        checkpoint = directory_of_step(mounted, name, step)
        for metric, value in values.items():
            assert float(models.attribute(checkpoint, f"metric.{metric}")) == value, checkpoint


def directory_of_step(mounted, name, step):
    """Of a step, which may be a text; the only checkpoint where that is empty."""
    wanted = int(step) if step != "" else None
    [file] = [one["file"] for one in EXPECTED[name]["checkpoints"] if one["step"] == wanted]
    return models.checkpoint_of(mounted / name, file)


@each_model("latest")
def test_latest_is_what_the_files_say(mounted, name):
    wanted = directory_of_step(mounted, name, EXPECTED[name]["latest"])
    assert models.link(mounted / name, "latest") == wanted.name


@each_model("best")
def test_best_is_the_best_by_the_files_metrics(mounted, name):
    for metric, step in EXPECTED[name]["best"].items():
        wanted = directory_of_step(mounted, name, step)
        assert models.link(mounted / name, f"best-{metric}") == wanted.name, metric


@each_checkpoint(lambda name, expected: expected["step"] is not None)
def test_a_checkpoint_tells_its_step_and_that_it_is_whole(mounted, name, expected):
    checkpoint = models.checkpoint_of(mounted / name, expected["file"])
    assert models.attribute(checkpoint, "step") == str(expected["step"])
    assert models.attribute(checkpoint, "complete") == "yes"


# --- What is not whole ------------------------------------------------------------------------


def cut(path, n_bytes=1):
    os.truncate(path, os.stat(path).st_size - n_bytes)


def lay_shards(model, spoil):
    """Two checkpoints in shards, the newer one spoilt."""
    for step in (5, 6):
        shutil.copytree(MODELS / "safetensors" / "sharded", model / f"checkpoint-{step}")
    spoil(model / "checkpoint-6")


def lay_copy(name, spoil):
    def lay(model):
        shutil.copytree(MODELS / name, model)
        spoil(model)

    return lay


def shard(number):
    return f"model-{number:05}-of-00003.safetensors"


# How a model is made, a file of the checkpoint that is spoilt, what latest and best are then.
SPOILT = {
    "a shard is absent": (lambda model: lay_shards(model, lambda at: (at / shard(2)).unlink()),
                          f"checkpoint-6/{shard(1)}", f"checkpoint-5/{shard(1)}", {}),
    "a shard is cut": (lambda model: lay_shards(model, lambda at: cut(at / shard(3))),
                       f"checkpoint-6/{shard(1)}", f"checkpoint-5/{shard(1)}", {}),
    "the newest safetensors is cut": (
        lay_copy("huggingface/trainer",
                 lambda model: cut(model / "checkpoint-30" / "model.safetensors")),
        "checkpoint-30/model.safetensors", "checkpoint-20/model.safetensors",
        {"eval_accuracy": "checkpoint-20/model.safetensors"}),
    "the best safetensors is cut": (
        lay_copy("huggingface/trainer",
                 lambda model: cut(model / "checkpoint-20" / "model.safetensors", 50)),
        "checkpoint-20/model.safetensors", "checkpoint-30/model.safetensors",
        {"eval_accuracy": "checkpoint-30/model.safetensors",
         "eval_loss": "checkpoint-30/model.safetensors"}),
    "TensorFlow's newest has no data": (
        lay_copy("tensorflow/saver",
                 lambda model: (model / "model.ckpt-20.data-00000-of-00001").unlink()),
        "model.ckpt-20.index", "model.ckpt-30.index", {"loss": "model.ckpt-30.index"}),
    "TensorFlow's best is cut": (
        lay_copy("tensorflow/saver",
                 lambda model: cut(model / "model.ckpt-30.data-00000-of-00001")),
        "model.ckpt-30.index", "model.ckpt-20.index", {"loss": "model.ckpt-20.index"}),
}


@pytest.fixture(scope="module")
def spoilt_models(tmp_path_factory):
    root = tmp_path_factory.mktemp("spoilt")
    for number, (lay, *_) in enumerate(SPOILT.values()):
        model = root / "spoilt" / f"m{number}"
        model.parent.mkdir(exist_ok=True)
        lay(model)
    return root


@pytest.fixture(scope="module")
def spoilt_server(spoilt_models, modelfs_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spoilt-registry")
    server = Server(modelfs_bin, folder / "registry", folder / "serve.log").start()
    for number in range(len(SPOILT)):
        server.push(spoilt_models / "spoilt" / f"m{number}", "spoilt", f"m{number}", "Custom")
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["served", "directory"])
def spoilt(request, spoilt_models, spoilt_server, modelfs_bin, tmp_path_factory):
    served = request.param == "served"
    dog = Watchdog(600)
    mounts = Mounts(modelfs_bin, tmp_path_factory.mktemp("spoilt-mount"), ["is incomplete: "], dog)
    source = spoilt_server.source if served else f"dir://{spoilt_models}"
    yield mounts(source, **FORGETFUL)
    dog.stop()
    mounts.end()


@pytest.mark.parametrize("how", SPOILT)
def test_a_checkpoint_that_lacks_bytes_says_so(spoilt, how):
    model = spoilt / "spoilt" / f"m{list(SPOILT).index(how)}"
    _, file, newest, _ = SPOILT[how]
    checkpoint, whole = models.checkpoint_of(model, file), models.checkpoint_of(model, newest)
    info = models.info(checkpoint, "complete", "missing")
    assert models.attribute(checkpoint, "complete") == "no", f"{checkpoint}: {how}"
    assert info["complete"] is False and info["missing"], f"{checkpoint}: {how}"
    assert models.attribute(whole, "complete") == "yes", f"nothing is wrong with {whole}"


@pytest.mark.parametrize("how", SPOILT)
def test_a_checkpoint_that_lacks_bytes_is_never_latest_nor_best(spoilt, how):
    model = spoilt / "spoilt" / f"m{list(SPOILT).index(how)}"
    _, file, newest, best = SPOILT[how]
    bad = models.checkpoint_of(model, file).name
    wanted = {"latest": models.checkpoint_of(model, newest).name}
    wanted.update({f"best-{metric}": models.checkpoint_of(model, good).name
                   for metric, good in best.items()})
    models.info(model / bad)  # what only headers tell is known from here on
    links = {name: os.readlink(model / name) for name in os.listdir(model)
             if os.path.islink(model / name)}
    assert {name: links.get(name) for name in wanted} == wanted, how
    assert bad not in links.values(), f"{bad} is not whole: {how}"


# --- Weights that only a graph knows of ---------------------------------------------------------


def lay_odd(model, name):
    """onnx/external with its weights under another name, which must be as long as the old one."""
    old = "model.onnx.data"
    assert len(name) == len(old)
    graph = (MODELS / "onnx" / "external" / "model.onnx").read_bytes()
    assert graph.count(old.encode()) > 1
    (model / name).parent.mkdir(parents=True)
    (model / "model.onnx").write_bytes(graph.replace(old.encode(), name.encode()))
    shutil.copy(MODELS / "onnx" / "external" / old, model / name)
    (model / "notes").write_text("none of the model's")


ODD = ["onnx__MatMul_12", "sub/weights.bin"]


@pytest.fixture(params=["served", "directory"])
def mounted_odd(request, serve, mount, expected_log, tmp_path):
    """mounted_odd(lay) -> what lay(directory) made, mounted."""
    expected_log("is incomplete: ")

    def make(lay):
        model = tmp_path / "odd" / "p" / "odd"
        lay(model)
        if request.param == "directory":
            return mount(f"dir://{tmp_path / 'odd'}", **FORGETFUL) / "p" / "odd"
        serve.push(model, "p", "odd", "ONNX")
        return mount(serve.source, **FORGETFUL) / "p" / "odd"

    return make


@pytest.mark.parametrize("name", ODD)
def test_weights_that_a_graph_names_are_its_checkpoints(mounted_odd, name):
    model = mounted_odd(lambda path: lay_odd(path, name))
    checkpoint = model / "export-model"
    assert files_below(checkpoint) == ["model.onnx", name]
    assert os.listdir(model / "files") == ["notes"]
    assert (checkpoint / name).read_bytes() == \
        (MODELS / "onnx" / "external" / "model.onnx.data").read_bytes()
    expected = EXPECTED["onnx/external"]["checkpoints"][0]
    info = models.info(checkpoint, "complete", "tensors", "files")
    assert info["complete"] is True and "missing" not in info
    assert {one["file"] for one in info["tensors"]} == {"model.onnx", name}
    assert {one["path"] for one in info["files"]} == {"model.onnx", name}
    found = {tensor: models.view(path) for tensor, path in models.windows(checkpoint).items()}
    assert found == {tensor: models.expected_view(one)
                     for tensor, one in in_one_run(expected).items()}
    assert models.attribute(checkpoint, "complete") == "yes"
    assert os.readlink(model / "latest") == "export-model"


def test_what_a_graph_names_and_is_not_there_is_told_by_its_place(mounted_odd):
    def lay(model):
        lay_odd(model / "deep", "sub/weights.bin")
        (model / "deep" / "sub" / "weights.bin").unlink()

    model = mounted_odd(lay)
    checkpoint = model / "export-model"
    info = models.info(checkpoint, "complete", "missing")
    assert info["complete"] is False and info["missing"] == ["sub/weights.bin"]
    assert models.attribute(checkpoint, "complete") == "no"
    assert not os.path.lexists(model / "latest")


def test_a_file_without_bytes_is_told_of_once(mounted_odd):
    def lay(model):
        model.mkdir(parents=True)
        (model / "m.onnx").write_bytes(b"")

    checkpoint = mounted_odd(lay) / "export-m"
    assert models.info(checkpoint, "missing")["missing"] == "m.onnx (empty)"
    assert models.attribute(checkpoint, "complete") == "no"


def test_a_graph_is_read_once_and_where_its_name_suffices_never(registry, mount):
    external = MODELS / "onnx" / "external"
    files = {name: (external / name).read_bytes() for name in os.listdir(external)}
    registry.add_model("p", "usual", kind="ONNX", files={**files, "notes": b"n"})
    registry.add_model("p", "alone", kind="ONNX", files={"m.onnx": b"x" * 99, "README.md": b"r"})
    odd = files["model.onnx"].replace(b"model.onnx.data", b"onnx__MatMul_12")
    registry.add_model("p", "odd", kind="ONNX", files={
        "model.onnx": odd, "onnx__MatMul_12": files["model.onnx.data"]})
    mounted = mount(registry.source, list_timeout=0)
    read = []
    registry.fail("content", lambda request: None, where=lambda request: read.append(request.path))
    run("ls", "-lR", mounted / "p" / "usual", mounted / "p" / "alone")
    assert [path for path in read if path.endswith(".onnx")] == [], "names tell what is what"
    for _ in range(3):
        run("ls", "-lR", mounted / "p" / "odd")
    assert [path.rsplit("/", 1)[1] for path in read if "README" not in path] == ["model.onnx"]


def test_get_by_url_takes_what_a_graph_names(modelfs_bin, serve, tmp_path):
    lay_odd(tmp_path / "odd", ODD[1])
    serve.push(tmp_path / "odd", "p", "odd", "ONNX")
    done = run_modelfs(modelfs_bin, "get", f"{serve.source}/p/odd/export-model", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    assert files_below(tmp_path / "got") == ["model.onnx", ODD[1]]


# --- Files that lie ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(modelfs_bin, tmp_path_factory):
    """Hundreds of models that are none, and two good ones beside them, from a directory."""
    folder = tmp_path_factory.mktemp("hostile")
    root = folder / "models"
    hostile_models.write_all(root)
    for name in ("safetensors/dtypes", "tensorflow/saver"):
        shutil.copytree(MODELS / name, root / name)
    dog = Watchdog(600)
    mounts = Mounts(modelfs_bin, folder, [LOG], dog)
    yield mounts(f"dir://{root}", **FORGETFUL), root
    dog.stop()
    mounts.end()


def look_at_headers(model):
    """A checkpoint that is found to be damaged loses links: what follows sees the model settled."""
    for checkpoint in model.iterdir():
        path = checkpoint / ".modelfs" / "info.json"
        if path.is_file():
            path.read_text()


def look_at_everything(directory):
    """Reads and lists all below, what is hidden too; gives every info.json there is."""
    hidden = directory / ".modelfs"
    infos = [hidden / "info.json"] if (hidden / "info.json").exists() else []
    for path in [*directory.iterdir(), *(hidden.iterdir() if hidden.is_dir() else [])]:
        if path.is_symlink():
            os.readlink(path)
            continue
        for name in os.listxattr(path):
            os.getxattr(path, name)
        if path.is_dir():
            infos += look_at_everything(path)
        else:
            with open(path, "rb") as file:
                file.read(64 << 10)
    return infos


def check_hostile(mounted, root, form, how):
    model, plain = mounted / f"hostile-{form}" / how, root / f"hostile-{form}" / how
    look_at_headers(model)
    for path in look_at_everything(model):
        info = models.strict_json(path.read_text())
        assert isinstance(info, dict), path
    for path in plain.rglob("*"):
        if path.is_file():
            seen = model / ".modelfs" / "files" / path.relative_to(plain)
            assert seen.read_bytes() == path.read_bytes(), f"{seen} is what it is"


@pytest.mark.parametrize("form", hostile_models.GOOD)
def test_files_that_lie_leave_the_mount_alive(hostile, form, watchdog):
    mounted, root = hostile
    watchdog.processes.append(mounted.process)
    for how in sorted(os.listdir(root / f"hostile-{form}")):
        try:
            check_hostile(mounted, root, form, how)
        except (OSError, ValueError, AssertionError) as error:
            said = mounted.log_text()[-2000:]
            raise AssertionError(f"{form}, {how}: {error!r}; {said}") from error
        assert mounted.process.poll() is None, f"{form}, {how}: {mounted.log_text()[-2000:]}"
    for name in ("safetensors/dtypes", "tensorflow/saver"):
        check_neighbour(mounted, name)


def check_neighbour(mounted, name):
    expected = EXPECTED[name]["checkpoints"][0]
    found = models.windows(models.checkpoint_of(mounted / name, expected["file"]))
    for tensor, one in in_one_run(expected).items():
        assert tensor in found, f"{tensor} of {name}, which nobody spoilt"
        assert models.digest(models.mapped(found[tensor])) == one["sha256"], tensor


@pytest.mark.big  # a sanitizer's build takes several times the memory
def test_files_that_lie_cost_little_memory(hostile):
    """Lengths that files speak of are not what is allocated."""
    mounted, root = hostile
    for form in ("safetensors", "gguf", "onnx", "npz"):
        for how in sorted(os.listdir(root / f"hostile-{form}")):
            if how.startswith("made-"):
                check_hostile(mounted, root, form, how)
    assert mounted.peak_rss_bytes() < 600 * MIB


# --- How much is fetched ----------------------------------------------------------------------


@pytest.fixture
def large(serve, mount, tmp_path):
    """50 random tensors of 4 MiB in one file, served: the mount, and the path of the plain file."""
    path = tmp_path / "large" / "model.safetensors"
    path.parent.mkdir()
    head = models.safetensors_header({f"layers.{n}": ("F32", [1024, 1024], 4 * MIB)
                                      for n in range(50)})
    noise = np.random.default_rng(3)
    with open(path, "wb") as out:
        out.write(head)
        for _ in range(50):
            out.write(noise.bytes(4 * MIB))
    serve.push(path.parent, "p", "large", "Custom")
    return mount(serve.source), path, len(head)


@pytest.mark.big
def test_one_tensor_of_a_large_file_is_all_that_is_fetched(large):
    mounted, path, head_bytes = large
    checkpoint = models.checkpoint_of(mounted / "p" / "large", "model.safetensors")
    tensor = checkpoint / ".modelfs" / "tensors" / "layers.25.npy"
    found = models.digest(models.mapped(tensor))
    fetched = fetched_at_rest(mounted)
    with open(path, "rb") as plain:
        plain.seek(head_bytes + 25 * 4 * MIB)
        assert found == models.digest(np.frombuffer(plain.read(4 * MIB), np.uint8))
    assert 4 * MIB <= fetched <= 6 * MIB, "4 MiB were read, and a header"


@pytest.mark.big
def test_a_tensor_and_its_file_share_what_is_cached(large):
    mounted, path, head_bytes = large
    checkpoint = models.checkpoint_of(mounted / "p" / "large", "model.safetensors")
    with open(checkpoint / "model.safetensors", "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        data = os.pread(file.fileno(), 4 * MIB, head_bytes + 7 * 4 * MIB)
    os.listdir(checkpoint / ".modelfs" / "tensors")
    before = fetched_at_rest(mounted)
    found = models.mapped(checkpoint / ".modelfs" / "tensors" / "layers.7.npy").tobytes()
    assert found == data
    assert fetched_at_rest(mounted) - before <= MIB, "the bytes were here already"


def fetched_at_rest(mounted):
    """How much was fetched, once nothing is read ahead any more."""
    last, fetched = -1, mounted.stats()["bytes_fetched"]
    while fetched != last:
        time.sleep(0.3)
        last, fetched = fetched, mounted.stats()["bytes_fetched"]
    return fetched


N_SHARDS, N_TENSORS = 300, 5000
ROUND_TRIP_S = 0.1


@pytest.fixture
def many(registry, mount):
    """A model of many shards in a registry that notes its requests: (mount, placed, registry)."""
    files, placed = models.many_shards(N_SHARDS, N_TENSORS)
    registry.add_model("p", "many", kind="Custom", files=files)
    return mount(registry.source), placed, registry


def checkpoint_of_many(mounted):
    """By its name alone: whatever looks at it in another way may read."""
    names = [name for name in sorted(os.listdir(mounted / "p" / "many"))
             if re.match("ckpt-|export-", name)]
    assert len(names) == 1, "the shards are one checkpoint"
    return mounted / "p" / "many" / names[0]


def test_a_listing_reads_no_header(many):
    mounted, _, registry = many
    run("ls", mounted / "p" / "many")
    assert len(run("ls", "-l", checkpoint_of_many(mounted)).splitlines()) > N_SHARDS
    assert mounted.stats()["bytes_fetched"] == 0, "only names and sizes were asked for"
    assert registry.count["content"] == 0


def test_all_of_many_tensors_are_there(many):
    mounted, placed, _ = many
    folder = checkpoint_of_many(mounted) / ".modelfs" / "tensors"
    assert sorted(os.listdir(folder)) == sorted(f"{name}.npy" for name in placed)
    numbers = [0, 1, 2499, 4998, 4999]
    found = [np.load(folder / f"layers.{n}.weight.npy").ravel().tolist() for n in numbers]
    assert found == [[n] * 4 for n in numbers]


def trips(times):
    """How many round trips after one another requests begun at these times are at least."""
    n, end = 0, 0
    for begun in sorted(times):
        if begun >= end:
            n, end = n + 1, begun + ROUND_TRIP_S
    return n


def test_info_of_many_shards_takes_three_round_trips_at_most(many):
    mounted, _, registry = many
    begun = {}

    def note(request):
        begun.setdefault(request.path.rsplit("/", 1)[1], []).append(time.monotonic())
        return True

    registry.fail("content", late(ROUND_TRIP_S), where=note)
    checkpoint = checkpoint_of_many(mounted)
    started = time.monotonic()
    info = models.info(checkpoint, "tensors", "parameters")
    seconds = time.monotonic() - started
    assert len(info["tensors"]) == N_TENSORS and info["parameters"] == 4 * N_TENSORS
    index = trips(begun.pop("model.safetensors.index.json", []))
    shards = max(trips(times) for times in begun.values())
    assert index + shards <= 3, f"one behind the other: {index} for the index, {shards} for a shard"
    assert seconds < ROUND_TRIP_S * (3 + N_SHARDS / 8), "headers are read many at a time"


def test_what_was_read_of_headers_is_not_read_again(many):
    mounted, _, registry = many
    checkpoint = checkpoint_of_many(mounted)
    first = models.info(checkpoint)
    asked = registry.count["content"]
    assert models.info(checkpoint) == first
    os.listdir(checkpoint / ".modelfs" / "tensors")
    assert registry.count["content"] == asked, "the headers are known"


def test_expected_json_is_of_these_files():
    """The data is whole: every file that expected.json speaks of is there, and none is large."""
    for name, expected in models.every_checkpoint():
        for file in expected["files"]:
            assert (MODELS / name / file).is_file(), f"{name}/{file}"
    sizes = [path.stat().st_size for path in MODELS.rglob("*") if path.is_file()]
    assert sum(sizes) < MIB, "the whole set is small"
    assert json.dumps(EXPECTED)


def test_many_checkpoints_may_be_looked_into(mount, tmp_path):
    """More than a mount keeps in mind at a time; what is open stays what it is."""
    n = 70
    for step in range(1, n + 1):
        folder = tmp_path / "registry/p/m" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        head = models.safetensors_header({"layer/w": ("F32", (2,), 8)})
        content = head + np.array([step, -step], "<f4").tobytes()
        (folder / "model.safetensors").write_bytes(content)
    model = mount(f"dir://{tmp_path / 'registry'}") / "p/m"
    first = model / "ckpt-1/.modelfs/tensors/layer"
    folder = os.open(first, os.O_RDONLY | os.O_DIRECTORY)
    tensor = os.open(first / "w.npy", os.O_RDONLY)
    for _ in range(2):
        for step in range(1, n + 1):
            found = np.load(model / f"ckpt-{step}/.modelfs/tensors/layer/w.npy", mmap_mode="r")
            assert found.tolist() == [step, -step]
            told = json.loads((model / f"ckpt-{step}/.modelfs/info.json").read_text())
            assert told["parameters"] == 2
    assert os.listdir(folder) == ["w.npy"]
    assert os.pread(tensor, 8, 128) == np.array([1, -1], "<f4").tobytes()
    os.close(folder)
    os.close(tensor)
