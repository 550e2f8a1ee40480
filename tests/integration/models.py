# SPDX-License-Identifier: Apache-2.0
"""The small models of tests/data/models, what is in them, and how to look at them in a mount."""

import csv
import hashlib
import json
import os
import pathlib
import struct

import numpy as np

MODELS = pathlib.Path(__file__).resolve().parents[1] / "data" / "models"
EXPECTED = json.loads((MODELS / "expected.json").read_text())
# What the registry calls a model's type; of all others Custom.
KINDS = {"tensorflow": "Tensorflow", "onnx": "ONNX"}
# Types that NumPy lacks, and the integers it reads them as; of blocks, bytes.
RAW = {"BF16": "<u2", "F8_E4M3": "|u1", "F8_E5M2": "|u1", "Q8_0": "|u1", "Q4_0": "|u1"}
BLOCKS = {"Q8_0", "Q4_0"}


def split(name):
    """(project, model) of a key of EXPECTED."""
    return tuple(name.split("/", 1))


def every_checkpoint():
    """(model's name, what is expected of a checkpoint) of all."""
    return [(name, one) for name, model in EXPECTED.items() for one in model["checkpoints"]]


def label(value):
    """What pytest shows for one of every_checkpoint()."""
    return value["at"] or "all" if isinstance(value, dict) else None


def push_all(server):
    for name in EXPECTED:
        project, model = split(name)
        server.push(MODELS / name, project, model, KINDS.get(project, "Custom"))


# --- In a mount -----------------------------------------------------------------------------


def path_of(model, file):
    """Where a file of a mounted model, by the registry's path, stands among its checkpoints."""
    wanted = os.stat(model / ".modelfs" / "files" / file).st_ino
    for folder, _, names in os.walk(model):
        for name in names:
            if os.lstat(os.path.join(folder, name)).st_ino == wanted:
                return pathlib.Path(folder, name)
    raise AssertionError(f"{file} stands nowhere in {model}: {os.listdir(model)}")


def checkpoint_of(model, file):
    """The directory of the checkpoint that a file of a mounted model belongs to."""
    return model / path_of(model, file).relative_to(model).parts[0]


def strict_json(text):
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def hidden(directory, *way):
    """A file below a directory's .modelfs, which must be there."""
    path = directory.joinpath(".modelfs", *way)
    assert path.is_file(), f"there should be {path}"
    return path


def info(directory, *keys):
    """What info.json tells, which must have these keys."""
    path = hidden(directory, "info.json")
    told = strict_json(path.read_text())
    lacking = [key for key in keys if key not in told]
    assert not lacking, f"{path} should tell {lacking}"
    return told


def attribute(path, name):
    try:
        return os.getxattr(path, f"user.modelfs.{name}").decode()
    except OSError as error:
        raise AssertionError(f"{path} should have user.modelfs.{name}: {error}") from error


def link(model, name):
    """Where one of a model's own links leads."""
    path = model / name
    assert path.is_symlink(), f"{name} should be a link in {model}: {sorted(os.listdir(model))}"
    return os.readlink(path)


def windows(checkpoint):
    """{tensor's true name: its .npy} of all that a checkpoint holds."""
    found = {}
    for folder, _, names in os.walk(checkpoint / ".modelfs" / "tensors"):
        for name in names:
            path = pathlib.Path(folder, name)
            tensor = attribute(path, "tensor")
            assert tensor not in found, f"{tensor!r} stands there twice: {found[tensor]}, {path}"
            found[tensor] = path
    return found


def mapped(path):
    """An .npy as NumPy maps it."""
    try:
        return np.load(path, mmap_mode="r")
    except ValueError as error:
        if "empty" not in str(error):
            raise
        return np.load(path)


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def view(path):
    """An .npy as library_views.py tells of a tensor: what NumPy says it is, beside the dtype."""
    array = mapped(path)
    return {"dtype": attribute(path, "dtype"), "numpy": array.dtype.str,
            "shape": list(array.shape), "bytes": array.nbytes, "sha256": digest(array)}


def expected_view(tensor):
    """What view() must come to. The shape of blocks is that of their bytes, and is not compared."""
    numpy_name = tensor["numpy"] or RAW[tensor["dtype"]]
    shape = None if tensor["dtype"] in BLOCKS else tensor["shape"]
    return {**tensor, "numpy": numpy_name, "shape": shape}


def entry(name):
    """The directory entry of a metric's name, as far as the names here need it."""
    return name.replace("/", "%2F")


def metric(directory, name):
    return float(hidden(directory, "metrics", entry(name)).read_text())


def history(model, name):
    """[[step, wall time or None, value]] of a metric of a mounted model."""
    path = hidden(model, "history", f"{entry(name)}.csv")
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "wall_time", "value"], f"the first line of {path}"
    return [[int(step), float(wall) if wall else None, float(value)]
            for step, wall, value in rows[1:]]


def shape_text(shape):
    """As a tensor's attribute has it: `4x128`."""
    return "x".join(str(n) for n in shape) or "scalar"


def last_of_each_step(rows):
    """Of several values of one step the last: a history has one a step."""
    return [[step, wall, value] for step, (wall, value) in
            sorted({step: (wall, value) for step, wall, value in rows}.items())]


# --- Made by tests --------------------------------------------------------------------------


def safetensors_header(tensors):
    """The head of a file for {name: (dtype, shape, bytes in number)}, one behind the other."""
    header, at = {}, 0
    for name, (dtype, shape, n_bytes) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + n_bytes]}
        at += n_bytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def shard_name(number, total):
    return f"model-{number + 1:05}-of-{total:05}.safetensors"


def many_shards(n_shards, n_tensors):
    """{file: bytes} of a model of many tiny tensors, with its index; and {tensor: file}."""
    placed = {f"layers.{n}.weight": shard_name(n * n_shards // n_tensors, n_shards)
              for n in range(n_tensors)}
    held = {}
    for number, (name, file) in enumerate(placed.items()):
        held.setdefault(file, {})[name] = np.full([2, 2], number, np.float32)
    files = {}
    for file, arrays in held.items():
        head = safetensors_header({n: ("F32", a.shape, a.nbytes) for n, a in arrays.items()})
        files[file] = head + b"".join(a.tobytes() for a in arrays.values())
    index = {"metadata": {"total_size": 16 * n_tensors}, "weight_map": placed}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    return files, placed
