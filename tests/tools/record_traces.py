# SPDX-License-Identifier: Apache-2.0
"""Records how programs read models, for tests/data/traces: record_traces.py MODELFS RELAY [NAME...]

Each trace is of a fresh mount with an empty cache, of a `modelfs serve` behind a relay that makes
the link far (as in tests/unit/link_sim.h), with the kernel's read-ahead as a mount sets it where it
may: run it as root. Models are made from seeds by the library that loads them, with the python that
MODELFS_LOADERS_PYTHON names (tests/requirements-loaders.txt).

The other use, in that python: record_traces.py --make|--load KIND FOLDER.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
TRACES = HERE.parents[1] / "data" / "traces"
MIB = 1 << 20
RTT_MS, CONNECTION_MIB_PER_S, TOTAL_MIB_PER_S = 30, 40, 300


# The makers and loaders: a folder each. Imports stand inside, since the recorder has no such
# libraries.


def layers(n_layers, width, seed):
    """Tensors as a transformer has them, in the order of its layers: name -> array."""
    import numpy as np

    chance = np.random.default_rng(seed)
    shapes = {"attn.qkv": (3 * width, width), "attn.out": (width, width), "norm": (width,),
              "mlp.up": (4 * width, width), "mlp.bias": (4 * width,),
              "mlp.down": (width, 4 * width)}
    tensors = {"embed": chance.standard_normal((4000, width), dtype=np.float32)}
    for number in range(n_layers):
        for part, shape in shapes.items():
            name = f"layers.{number}.{part}"
            tensors[name] = chance.standard_normal(shape, dtype=np.float32)
    return tensors


def save_tensorflow(folder, tensors):
    import tensorflow as tf

    tf.raw_ops.SaveV2(prefix=str(folder / "model.ckpt-100"), tensor_names=list(tensors),
                      shape_and_slices=[""] * len(tensors), tensors=list(tensors.values()))


def make_tensorflow(folder):
    save_tensorflow(folder, layers(4, 480, 1))


def load_tensorflow(folder, is_wanted=lambda name: True):
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(folder / "model.ckpt-100"))
    names = filter(is_wanted, reader.get_variable_to_shape_map())
    return sum(reader.get_tensor(name).nbytes for name in names)


def make_tensorflow_weights(folder):
    """A checkpoint of a training: each variable has the optimizer's two slots beside it."""
    tensors = layers(3, 320, 7)
    slots = {f"{name}/{slot}": value / 2 for name, value in tensors.items()
             for slot in ("Adam", "Adam_1")}
    save_tensorflow(folder, tensors | slots)


def load_tensorflow_weights(folder):
    """For inference: the variables without the slots between them."""
    return load_tensorflow(folder, lambda name: "Adam" not in name)


def make_safetensors(folder, *shape):
    from safetensors.numpy import save_file

    save_file(layers(*(shape or (16, 352, 2))), folder / "model.safetensors")


def load_safetensors(folder):
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        return sum(weights.get_tensor(name).nbytes for name in weights.keys())


def make_safetensors_rank(folder):
    make_safetensors(folder, 2, 1024, 8)


def load_safetensors_rank(folder):
    """As one of two ranks that share each matrix: its second half."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        slices = (weights.get_slice(name) for name in weights.keys())
        return sum(part[part.get_shape()[0] // 2 :].nbytes for part in slices)


def field(number, value):
    """A field of a protobuf message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def onnx_value(name, width):
    shape = b"".join(field(1, field(1, size)) for size in (1, width))
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def make_onnx(folder):
    """A chain of matrix products, in ONNX's protobuf written by hand."""
    import numpy as np

    width, n = 1024, 12
    chance = np.random.default_rng(3)
    nodes = weights = b""
    for number in range(n):
        names = [field(1, f"x{number}"), field(1, f"w{number}"), field(2, f"x{number + 1}")]
        nodes += field(1, b"".join(names) + field(4, "MatMul"))
        data = chance.standard_normal((width, width), dtype=np.float32).tobytes()
        weights += field(5, field(1, width) + field(1, width) + field(2, 1)
                         + field(8, f"w{number}") + field(9, data))
    graph = nodes + field(2, "chain") + weights
    graph += field(11, onnx_value("x0", width)) + field(12, onnx_value(f"x{n}", width))
    model = field(1, 8) + field(7, graph) + field(8, field(2, 13))
    (folder / "model.onnx").write_bytes(model)


def load_onnx(folder):
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx",
                                           providers=["CPUExecutionProvider"])
    return len(session.get_inputs())


def make_torch_zip(folder):
    """The layout of torch.save: a stored zip of data.pkl and a file for each tensor's bytes, each
    on 64 bytes. torch itself is not needed for that."""
    import zipfile

    with zipfile.ZipFile(folder / "model.pt", "w", zipfile.ZIP_STORED) as archive:
        def add(name, data):
            info = zipfile.ZipInfo(f"model/{name}")
            gap = -(archive.fp.tell() + 30 + len(info.filename) + 4) % 64
            info.extra = b"FB" + gap.to_bytes(2, "little") + b"Z" * gap
            archive.writestr(info, data)

        tensors = layers(8, 384, 4)
        add("data.pkl", json.dumps({n: str(i) for i, n in enumerate(tensors)}).encode())
        for number, tensor in enumerate(tensors.values()):
            add(f"data/{number}", tensor.tobytes())
        add("version", b"3\n")


def load_torch_zip(folder):
    """As torch.load does: the end of the file, the index there, data.pkl, then tensor by tensor."""
    import zipfile

    import numpy as np

    with zipfile.ZipFile(folder / "model.pt") as archive:
        index = json.loads(archive.read("model/data.pkl"))
        return sum(np.frombuffer(archive.read(f"model/data/{n}"), np.float32).nbytes
                   for n in index.values())


def make_shards(folder):
    """A model as people share them: shards, and small files around them."""
    import numpy as np

    chance = np.random.default_rng(5)
    for number in range(1, 5):
        data = chance.bytes(12 * MIB + 4096 * number)
        (folder / f"model-{number:05}-of-00004.safetensors").write_bytes(data)
    sizes = {"config.json": 900, "tokenizer.json": 2300000, "tokenizer_config.json": 1500,
             "merges.txt": 456000, "vocab.json": 798000, "generation_config.json": 120,
             "README.md": 7000, "model.safetensors.index.json": 25000}
    for name, size in sizes.items():
        (folder / name).write_bytes(chance.bytes(size))


def load_shards(folder):
    with tempfile.TemporaryDirectory(dir="/tmp") as copy:
        subprocess.run(["rsync", "-a", f"{folder}/", copy], check=True)
        return sum(path.stat().st_size for path in pathlib.Path(copy).iterdir())


def make_mmap(folder):
    import numpy as np

    at, index = 0, {}
    with open(folder / "weights.bin", "wb") as out:
        for name, tensor in layers(12, 384, 6).items():
            index[name] = (at, tensor.size)
            at += out.write(np.ascontiguousarray(tensor))
    (folder / "weights.json").write_text(json.dumps(index))


def load_mmap(folder):
    """By name, which is not how they lie: layer 10 comes before layer 2."""
    import numpy as np

    index = json.loads((folder / "weights.json").read_text())
    weights = np.memmap(folder / "weights.bin", np.float32, "r")
    return sum(np.array(weights[index[name][0] // 4 :][: index[name][1]]).nbytes
               for name in sorted(index))


KINDS = {"tensorflow": "Tensorflow", "tensorflow_weights": "Tensorflow", "safetensors": "Custom",
         "safetensors_rank": "Custom", "onnx": "ONNX", "torch_zip": "Custom", "shards": "Custom",
         "mmap": "Custom"}


# The recorder.


def in_loaders(what, kind, folder):
    python = os.environ["MODELFS_LOADERS_PYTHON"]
    env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="2", TF_ENABLE_ONEDNN_OPTS="0")
    done = subprocess.run([python, HERE, what, kind, folder], env=env, check=True, text=True,
                          stdout=subprocess.PIPE)
    return done.stdout.splitlines()[-1]


@contextlib.contextmanager
def far_link(relay, url):
    """The relay before a server; its URL."""
    numbers = [str(n) for n in (RTT_MS, CONNECTION_MIB_PER_S, TOTAL_MIB_PER_S)]
    command = [relay, url.removeprefix("http://"), *numbers]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline().split()[-1])}"
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextlib.contextmanager
def recorded(modelfs, folder, output):
    command = [modelfs, "trace", folder, "-o", output]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert "recording" in process.stderr.readline()
    yield
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, process.stderr.read()


def files_of(mounted, name):
    """The folder of a model's files in a mount: that of its one checkpoint, or all of them."""
    model = mounted / "p" / name
    kinds = [entry for entry in os.listdir(model) if entry.startswith(("ckpt-", "export-"))]
    return model / (kinds[0] if kinds else "files")


def record(modelfs, relay, name, folder):
    from processes import Mount, Server

    (folder / "made").mkdir(parents=True)
    (folder / "mnt").mkdir()
    in_loaders("--make", name, folder / "made")
    server = Server(modelfs, folder / "registry", folder / "serve.log").start()
    server.push(folder / "made", "p", name, KINDS[name])
    with far_link(relay, server.url) as url:
        options = {"cache_dir": folder / "cache"}
        mounted = Mount(modelfs, f"gradient+{url}", folder / "mnt", options, folder / "log").wait()
        place, output = files_of(mounted, name), TRACES / f"{name.replace('_', '-')}.trace"
        with recorded(modelfs, mounted.path, output):
            began = time.monotonic()
            loaded = in_loaders("--load", name, place)
            print(f"{name}: {loaded} in {time.monotonic() - began:.1f} s, with the interpreter")
        mounted.end()
    server.stop()


def main(modelfs, relay, *names):
    sys.path.insert(0, str(HERE.parents[1] / "integration"))
    TRACES.mkdir(exist_ok=True)
    for name in names or KINDS:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="traces-"))
        try:
            record(os.path.abspath(modelfs), os.path.abspath(relay), name, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1] in ("--make", "--load"):
        print(globals()[f"{sys.argv[1][2:]}_{sys.argv[2]}"](pathlib.Path(sys.argv[3])))
    else:
        main(*sys.argv[1:])
