# SPDX-License-Identifier: Apache-2.0
"""What the libraries that wrote a model say is in it: the truth that a mount is held against.

make_models.py notes in expected.json what these functions say of plain files; test_loaders.py runs
this with the python of the loaders' environment, on mounts. Usage: library_views.py FORM PATH...
prints one answer per path, in one list on the last line.

A view is {name: {"dtype", "numpy", "shape", "bytes", "sha256"}}: the type under the name that
modelfs gives it, NumPy's where NumPy has it (else null), elements with the slowest dimension first,
and the digest of the elements' bytes in C order. `bytes` is null for what lies in no one run of
bytes: texts, and what is compressed.
"""
import hashlib
import io
import json
import os
import pathlib
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np

# NumPy's names, and those that ml_dtypes adds, under the names of safetensors.
DTYPES = {
    "bool": "BOOL", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "float16": "F16", "float32": "F32", "float64": "F64",
    "complex64": "C64", "complex128": "C128",
    "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}
# What NumPy has no type for: it is read as integers of the same size.
RAW = {"BF16", "F8_E4M3", "F8_E5M2"}


def tensor(array):
    """The view of one array that numpy (with ml_dtypes) can hold."""
    array = np.asarray(array)
    dtype = DTYPES.get(array.dtype.name)
    if dtype is None:
        return {"dtype": None, "numpy": None, "shape": list(array.shape), "bytes": None}
    numpy_name = None if dtype in RAW else array.dtype.str
    return run_of_bytes(dtype, numpy_name, array.shape, array.tobytes())


def run_of_bytes(dtype, numpy_name, shape, data):
    return {"dtype": dtype, "numpy": numpy_name, "shape": [int(n) for n in shape],
            "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def scattered(view):
    """The same of a tensor whose bytes are not in the file as they are."""
    return {**view, "bytes": None}


def tensorflow(prefix):
    """A checkpoint of TensorFlow's second form, by its prefix: `model.ckpt-10`."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    return {name: tensor(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}


def keras(path):
    """A .keras file: a zip that holds the weights as HDF5, under HDF5's own names."""
    import h5py

    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = tensor(item[()])

    with zipfile.ZipFile(path) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights.visititems(note)
    return found


def onnx(path):
    """A graph's initializers, those beside the file too."""
    import onnx as library

    model = library.load(str(path))
    return {one.name: tensor(library.numpy_helper.to_array(one))
            for one in model.graph.initializer}


def safetensors(path):
    """One file, or all of a directory; raw bytes, since safe_open cannot give NumPy every type."""
    import safetensors as library

    path = pathlib.Path(path)
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    numpy_names = {word: name for name, word in DTYPES.items() if word not in RAW}
    found = {}
    for file in files:
        for name, one in library.deserialize(file.read_bytes()):
            word = one["dtype"]
            numpy_name = np.dtype(numpy_names[word]).str if word in numpy_names else None
            found[name] = run_of_bytes(word, numpy_name, one["shape"], bytes(one["data"]))
    return found


def gguf(path):
    """GGUF's dimensions have the fastest first: they are turned round."""
    import gguf as library

    found = {}
    for one in library.GGUFReader(str(path)).tensors:
        word = one.tensor_type.name
        plain = DTYPES.get(one.data.dtype.name) == word
        found[one.name] = run_of_bytes(word, one.data.dtype.str if plain else None,
                                       [int(n) for n in one.shape][::-1], one.data.tobytes())
    return found


def npz(path):
    with zipfile.ZipFile(path) as archive:
        packed = {info.filename: info.compress_type != zipfile.ZIP_STORED
                  for info in archive.infolist()}
    with np.load(path) as arrays:
        return {name: scattered(tensor(arrays[name])) if packed[f"{name}.npy"]
                else tensor(arrays[name]) for name in arrays.files}


def npy(path):
    return {pathlib.Path(path).stem: tensor(np.load(path))}


def events(directory):
    """{tag: [[step, wall time, value]]} of one directory of event files, as TensorBoard has it."""
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    everything = {event_accumulator.SCALARS: 0, event_accumulator.TENSORS: 0}
    accumulator = event_accumulator.EventAccumulator(str(directory), everything)
    accumulator.Reload()
    tags = accumulator.Tags()
    found = {tag: [[one.step, one.wall_time, one.value] for one in accumulator.Scalars(tag)]
             for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            found[tag] = [
                [one.step, one.wall_time, float(tensor_util.make_ndarray(one.tensor_proto).item())]
                for one in accumulator.Tensors(tag)]
    return found


FORMS = {form.__name__: form for form in (tensorflow, keras, onnx, safetensors, gguf, npz, npy,
                                          events)}

if __name__ == "__main__":
    print(json.dumps([FORMS[sys.argv[1]](path) for path in sys.argv[2:]]))
