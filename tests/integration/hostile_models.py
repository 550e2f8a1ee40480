# SPDX-License-Identifier: Apache-2.0
"""Files that call themselves models and are none: spoilt copies of good ones, and for each form
what its fields allow and no reader should believe."""

import io
import json
import random
import struct
import zipfile
import zlib

from models import MODELS, safetensors_header

SEED = 11
HUGE = (1 << 63) + 8
NESTED = 100_000

# A good file of each form, and how it is called in the spoilt model.
GOOD = {
    "safetensors": ("safetensors/dtypes/model.safetensors", "model.safetensors"),
    "index": ("safetensors/sharded/model.safetensors.index.json", "model.safetensors.index.json"),
    "gguf": ("gguf/quantised/model.gguf", "model.gguf"),
    "onnx": ("onnx/external/model.onnx", "model.onnx"),
    "mlflow": ("mlflow/linear/model.onnx", "model.onnx"),
    "npz": ("numpy/stored/weights.npz", "weights.npz"),
    "packed": ("numpy/compressed/weights.npz", "weights.npz"),
    "npy": ("numpy/alone/embedding.npy", "embedding.npy"),
    "keras": ("keras/classifier/model.keras", "model.keras"),
    "tensorflow": ("tensorflow/saver/model.ckpt-20.index", "model.ckpt-20.index"),
    "saved_model": ("tensorflow/saved-model/1557442800/saved_model.pb", "1/saved_model.pb"),
    "variables": ("tensorflow/saved-model/1557442800/variables/variables.index",
                  "1/variables/variables.index"),
    "state": ("tensorflow/saver/checkpoint", "checkpoint"),
    "events": ("tensorflow/saver/eval/events.out.tfevents.1557442800.trainer",
               "events.out.tfevents.1557442800.trainer"),
    "trainer": ("huggingface/trainer/checkpoint-30/trainer_state.json",
                "checkpoint-30/trainer_state.json"),
    "card": ("huggingface/card/README.md", "README.md"),
    "csv": ("lightning/run/lightning_logs/version_0/metrics.csv", "metrics.csv"),
    "json": ("plain/json/metrics.json", "metrics.json"),
    "lines": ("plain/lines/metrics.jsonl", "metrics.jsonl"),
    "gradient": ("gradient/custom/gradient-model-metadata.json", "gradient-model-metadata.json"),
    "mlmodel": ("mlflow/linear/MLmodel", "MLmodel"),
}
# What stands beside a spoilt file, so that a checkpoint of its form is seen.
BESIDE = {
    "tensorflow": "tensorflow/saver/model.ckpt-20.data-00000-of-00001",
    "onnx": "onnx/external/model.onnx.data",
    "state": "tensorflow/saver/model.ckpt-20.index",
}


def spoilt(data, seed):
    """{how: bytes}: cut, overwritten, of nothing but zeros or noise, and too long."""
    noise = random.Random(seed)
    found = {"empty": b"", "zeros": bytes(len(data)), "noise": noise.randbytes(len(data)),
             "half": data[:len(data) // 2], "third": data[:len(data) // 3], "less": data[:-1],
             "more": data + noise.randbytes(100), "twice": data + data}
    for number in range(6):
        changed = bytearray(data)
        for _ in range(1 + number * 3):
            changed[noise.randrange(len(data))] = noise.randrange(256)
        found[f"changed{number}"] = bytes(changed)
    for number, at in enumerate((0, 4, 8, 16, 24)):
        found[f"ones{at}"] = data[:at] + b"\xff" * 8 + data[at + 8:]
    return found


def length_and(text):
    return struct.pack("<Q", len(text)) + text


def one_tensor(**changes):
    row = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return length_and(json.dumps({"a": row}).encode()) + bytes(8)


def safetensors():
    deep = b'{"a":' + b"[" * NESTED + b"]" * NESTED + b"}"
    odd = '{"\\u0000":%s,"\\ud800":%s,"":%s,"__metadata__":{"a":[1]}}'
    row = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    twice = '{"a":%s,"a":%s}' % (row, row)
    return {
        "length": struct.pack("<Q", HUGE) + b"{}", "ones": b"\xff" * 64,
        "longer": struct.pack("<Q", 1 << 40) + b"{" + b" " * 1000,
        "nothing": length_and(b"{}"), "list": length_and(b"[]"), "text": length_and(b"hello"),
        "deep": length_and(deep), "odd": length_and((odd % (row, row, row)).encode()) + bytes(8),
        "twice": length_and(twice.encode()) + bytes(8),
        "end": one_tensor(data_offsets=[0, (1 << 64) - 1]), "back": one_tensor(data_offsets=[8, 0]),
        "minus": one_tensor(data_offsets=[-8, 0]),
        "far": one_tensor(data_offsets=[1 << 62, 1 << 63]),
        "shape": one_tensor(shape=[1 << 40] * 3), "dims": one_tensor(shape=[1] * 100),
        "float": one_tensor(shape=[2.5]), "below": one_tensor(shape=[-2]),
        "unknown": one_tensor(dtype="F1024"), "number": one_tensor(dtype=7),
        "name": safetensors_header(
            {"../" * 500: ("U8", [1], 1), "x/" * 3000: ("U8", [1], 1)}) + b"ab",
    }


def index():
    def weights(value):
        return json.dumps({"weight_map": value}).encode()

    return {
        "up": weights({"a": "../../../../etc/passwd", "b": "/etc/passwd", "c": ".", "d": ""}),
        "itself": weights({"a": "model.safetensors.index.json"}), "list": weights(["a"]),
        "numbers": weights({"a": 1, "b": None, "c": {}}),
        "deep": b'{"weight_map":' + b"[" * NESTED, "absent": weights(
            {str(n): f"model-{n}.safetensors" for n in range(2000)}),
    }


def text(data):
    return struct.pack("<Q", len(data)) + data


def gguf():
    def head(n_tensors, n_pairs, version=3):
        return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_pairs)

    def tensor(dims, kind=0, offset=0):
        shape = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
        return text(b"a") + shape + struct.pack("<IQ", kind, offset)

    arrays = b"".join(struct.pack("<IQ", 9, 1) for _ in range(NESTED))
    return {
        "tensors": head(HUGE, 0), "pairs": head(0, HUGE), "both": head(1 << 40, 1 << 40),
        "version": head(1, 1, 99), "other": b"FUGG" + bytes(40),
        "key": head(0, 1) + struct.pack("<Q", HUGE), "value": head(0, 1) + text(b"a") + struct.pack(
            "<IQ", 8, HUGE), "kind": head(0, 1) + text(b"a") + struct.pack("<I", 77) + bytes(8),
        "array": head(0, 1) + text(b"a") + struct.pack("<IIQ", 9, 4, HUGE),
        "deep": head(0, 1) + text(b"a") + struct.pack("<I", 9) + arrays,
        "align": head(1, 1) + text(b"general.alignment") + struct.pack("<II", 4, 0) + tensor([2]),
        "aligned": head(1, 1) + text(b"general.alignment") + struct.pack(
            "<II", 4, 0xffffffff) + tensor([2]),
        "dims": head(1, 0) + text(b"a") + struct.pack("<I", 0xffffffff) + bytes(64),
        "shape": head(1, 0) + tensor([1 << 40] * 3) + bytes(64), "type": head(1, 0) + tensor(
            [2], kind=1000) + bytes(64),
        "offset": head(1, 0) + tensor([2], offset=HUGE) + bytes(64),
        "block": head(1, 0) + tensor([33], kind=8) + bytes(64),
    }


def varint(value):
    out = b""
    while value > 0x7f:
        out, value = out + bytes([value & 0x7f | 0x80]), value >> 7
    return out + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def protobufs():
    deep = b""
    for _ in range(3000):
        deep = field(7, deep)
    return {
        "varint": b"\x3a" + b"\xff" * 20, "length": b"\x3a" + varint((1 << 64) - 1),
        "longer": b"\x3a" + varint(1 << 40) + b"abc", "group": b"\x3b" * 5000, "deep": deep,
        "wire": bytes([0x3e, 0x3f]), "zero": bytes(64),
    }


def onnx():
    def graph(*fields):
        tensor = field(8, b"a") + varint(1 << 3) + varint(2) + varint(2 << 3) + varint(1)
        return varint(8) + varint(8) + field(7, field(5, tensor + b"".join(fields)))

    def outside(**pairs):
        rows = [field(13, field(1, name.encode()) + field(2, str(value).encode()))
                for name, value in pairs.items()]
        return graph(*rows, varint(14 << 3) + varint(1))

    return {
        **protobufs(), "up": outside(location="../../../../etc/passwd", offset=0, length=8),
        "root": outside(location="/etc/passwd"), "itself": outside(location="model.onnx", length=8),
        "far": outside(location="model.onnx.data", offset=HUGE, length=8),
        "minus": outside(location="model.onnx.data", offset=-8, length=8),
        "long": outside(location="model.onnx.data", offset=0, length=(1 << 64) - 1),
        "words": outside(location="model.onnx.data", offset="many", length=""),
        "short": graph(field(9, b"abc")), "none": graph(),
    }


def npy_head(header, version=1):
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header


def npy():
    def array(descr="'<f4'", order="False", shape="(2,)"):
        head = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)
        return npy_head(head.encode() + b"\n") + bytes(8)

    return {
        "length": b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xffffffff) + b"{",
        "version": npy_head(b"{}", 9), "brackets": npy_head(b"(" * 60000),
        "objects": array("'|O'"), "fields": array("[('a', '<f4'), ('b', '<f4')]"),
        "shape": array(shape="(99999999999999999999,)"), "many": array(shape="(4294967296,) * 9"),
        "product": array(shape="(4294967296, 4294967296, 4294967296)"),
        "minus": array(shape="(-2,)"), "huge": array("'<f999999999999'"), "text": array("'<U3'"),
        "unclosed": array(order="Fal"),
    }


def zipped(members, change=lambda data: data, kind=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, kind)
    return change(out.getvalue())


def npz():
    good = npy()["shape"]

    def directory(**changes):
        """The central directory's first row, or its end, with other numbers."""
        def change(data):
            data = bytearray(data)
            row, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
            places = {"size": row + 20, "offset": row + 42, "name": row + 28, "extra": row + 30,
                      "start": end + 16, "length": end + 12, "count": end + 10, "comment": end + 20}
            for name, value in changes.items():
                wide = name in ("size", "offset", "start", "length")
                struct.pack_into("<I" if wide else "<H", data, places[name], value)
            return bytes(data)
        return change

    ones, full = 0xffffffff, 0xffff
    made = {f"npy-{how}": zipped([("a.npy", data)]) for how, data in npy().items()}
    made.update({name: zipped([("a.npy", good)], directory(**{name: value})) for name, value in [
        ("size", ones), ("offset", ones), ("name", full), ("extra", full), ("start", ones),
        ("length", ones), ("count", full), ("comment", full)]})
    made["names"] = zipped([("../../a.npy", good), ("/b.npy", good), (".npy", good), ("c", good)])
    made["bomb"] = zipped([("a.npy", npy_head(b" " * 60000) + bytes(1 << 20))],
                          kind=zipfile.ZIP_DEFLATED)
    return made


def tables():
    """TensorFlow's index: a table whose end names two blocks."""
    magic = struct.pack("<Q", 0xdb4775248b80fb57)

    def footer(*handles):
        words = b"".join(varint(value) for value in handles)
        return bytes(100) + words[:40].ljust(40, b"\0") + magic

    return {
        "far": footer(1 << 62, 1 << 62, 1 << 62, 1 << 62), "ones": footer(*[(1 << 64) - 1] * 4),
        "itself": footer(0, 100, 0, 100), "varint": bytes(100) + b"\xff" * 40 + magic,
        "short": magic,
    }


def record(data, length=None):
    head = struct.pack("<Q", len(data) if length is None else length)
    return head + masked(head) + data + masked(data)


def masked(data):
    """Not TFRecord's sum: a reader that checks it stops here, one that does not goes on."""
    return struct.pack("<I", zlib.crc32(data))


def events():
    event = struct.pack("<Bd", 9, 1.0) + varint(16) + varint(5)
    odd = [field(5, field(1, field(1, b"loss") + b"\x15" + struct.pack("<f", value)))
           for value in (float("nan"), float("inf"), 3.0)]
    return {
        "length": struct.pack("<QI", HUGE, 0) + bytes(8), "minus": record(event, (1 << 64) - 1),
        "sums": record(event) * 3, "odd": b"".join(record(event + one) for one in odd),
        **{f"event-{how}": record(data) for how, data in protobufs().items()},
    }


def json_texts():
    return {
        "deep": b"[" * NESTED, "objects": b'{"a":' * NESTED, "number": b"1e999", "nan": b"NaN",
        "text": b'"\\ud800"', "keys": b'{"":1,"\\u0000":2,"a/b":3,"..":4,".":5}',
        "long": b'{"' + b"k" * 70000 + b'":1}', "big": b'{"loss":1e400,"step":1e300}',
        "list": b"[1,2,3]", "bytes": b'{"\xff\xfe":1}', "many": json.dumps(
            {f"m{n}": n for n in range(5000)}).encode(),
    }


def trainer():
    def state(rows):
        return json.dumps({"global_step": 30, "log_history": rows}).encode()

    return {**json_texts(), "rows": state([1, "a", None, [], {}]),
            "steps": state([{"step": step, "loss": 1} for step in (-5, 1 << 62, 1e30, "9", None)]),
            "values": state([{"step": 1, "loss": value} for value in ("x", None, [], {}, True)]),
            "history": json.dumps({"log_history": {"step": 1}}).encode()}


def csvs():
    return {"columns": b",".join(b"c%d" % n for n in range(20000)) + b"\n" + b"1," * 20000,
            "nul": b"step,loss\n1,\0\n\0,2\n", "cell": b"step,loss\n1," + b"9" * 100000,
            "quotes": b'step,"loss\n1,2\n',
            "values": b"step,loss\n1,nan\n2,inf\n3,1e999\n,4\nx,5\n",
            "steps": b"step,loss\n99999999999999999999,1\n-1,1\n1.5,1\n", "commas": b"," * 100000}


def cards():
    return {"open": b"---\nmodel-index:\n- name: x\n", "only": b"---", "deep": b"---\n" + b"".join(
        b" " * n + b"a:\n" for n in range(500)) + b"---\n", "flow": b"---\nmodel-index: " +
        b"[" * NESTED + b"\n---\n", "anchors": b"---\na: &a [*a, *a]\nmodel-index: *a\n---\n",
        "tabs": b"---\n\tmodel-index:\n\t- results:\n---\n", "binary": b"---\n" + bytes(range(256))}


def states():
    return {"up": b'model_checkpoint_path: "../../../x"\n', "open": b'model_checkpoint_path: "',
            "itself": b'model_checkpoint_path: "checkpoint"\n',
            "long": b'model_checkpoint_path: "' + b"x" * 100000 + b'"\n',
            "escapes": b'model_checkpoint_path: "\\777\\x\\"\n',
            "absent": b'model_checkpoint_path: "model.ckpt-99"\n'}


MADE = {
    "safetensors": safetensors, "index": index, "gguf": gguf, "onnx": onnx, "npy": npy, "npz": npz,
    "tensorflow": tables, "variables": tables, "events": events, "trainer": trainer, "csv": csvs,
    "json": json_texts, "lines": json_texts, "gradient": json_texts, "card": cards,
    "state": states, "saved_model": protobufs, "mlmodel": cards, "keras": npz,
}


def files_of(form):
    """{model's name: {path: bytes}} of one form."""
    source, name = GOOD[form]
    data = (MODELS / source).read_bytes()
    every = {**{f"made-{how}": made for how, made in MADE.get(form, dict)().items()},
             **spoilt(data, f"{SEED} {form}")}
    beside = {}
    if form in BESIDE:
        beside[BESIDE[form].rsplit("/", 1)[1]] = (MODELS / BESIDE[form]).read_bytes()
    return {how: {name: content, **beside} for how, content in every.items()}


def write_all(root):
    """Every form as a project, every way of being spoilt as a model of it."""
    for form in GOOD:
        for model, files in files_of(form).items():
            for path, content in files.items():
                place = root / f"hostile-{form}" / model / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
