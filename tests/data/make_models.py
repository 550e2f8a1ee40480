# SPDX-License-Identifier: Apache-2.0
"""Make tests/data/models: small models in every form that a mount knows, and what is in them.

How to run it (from the root of the project, in an environment of its own):

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install -r tests/requirements-loaders.txt
    /tmp/venv/bin/python tests/data/make_models.py

The files are written by the libraries themselves (TensorFlow, Keras, onnx, safetensors, gguf,
numpy, TensorBoard); only what is plain text is written here as those programs write it, that said
at each. expected.json is what the same libraries read back out of them (library_views.py). No
network is needed; seeds, times and names are fixed, and the directory is replaced.
"""
import argparse
import io
import json
import pathlib
import re
import shutil
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import library_views as views  # says how TensorFlow is to behave: before it
import gguf
import ml_dtypes
import numpy as np
import onnx
import safetensors
import tensorflow as tf
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

v1 = tf.compat.v1

SEED = 7
START_TIME = 1557442800  # of the event files
BAD_FOR_A_PATH = ["..", "a//b", "./c", "d/", "tab\tand\nline", "100%25", "grüße/世界",
                  "long." + "x" * 300, "a", "a/b", "a.npy/b"]


class Model:
    """One model's directory, and its part of expected.json."""

    def __init__(self, root, name):
        self.name, self.path = name, root / name
        self.path.mkdir(parents=True)
        self.expected = {"checkpoints": [], "scalars": {}, "metrics": {}, "best": {}}

    def holds(self, file, form, at, step=None, files=None):
        """A checkpoint, known by a @file of it, with all that the library sees @at a path."""
        tensors = views.FORMS[form](self.path / at)
        self.expected["checkpoints"].append({
            "file": file, "form": form, "at": at, "step": step, "files": files or [file],
            "tensors": dict(sorted(tensors.items()))})

    def tells(self, session):
        """The scalars of a directory of event files."""
        self.expected["scalars"].update(sorted(views.events(self.path / session).items()))

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write_json(self, name, value):
        self.write(name, json.dumps(value, indent=2) + "\n")


def normal(*shape, dtype=np.float32):
    """Numbers that depend on the shape alone."""
    return np.random.RandomState(SEED + sum(shape)).standard_normal(shape).astype(dtype)


# --- Events ---------------------------------------------------------------------------------


def old_scalar(tag, value):
    """As TensorFlow 1 writes it."""
    return v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=value)])


def new_scalar(tag, value):
    """As tf.summary.scalar writes it: a tensor, and a plugin's name."""
    return v1.Summary.FromString(scalar_pb(tag, value).SerializeToString(deterministic=True))


def write_events(directory, number, events):
    """An event file: (step, Summary or SessionLog), a second per step."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"events.out.tfevents.{START_TIME + number}.trainer"
    with tf.io.TFRecordWriter(str(path)) as records:
        head = v1.Event(wall_time=START_TIME + number, file_version="brain.Event:2")
        records.write(head.SerializeToString(deterministic=True))
        for step, what in events:
            event = v1.Event(wall_time=START_TIME + number + step + 0.25, step=step)
            (event.summary if hasattr(what, "value") else event.session_log).MergeFrom(what)
            records.write(event.SerializeToString(deterministic=True))


# --- TensorFlow -----------------------------------------------------------------------------


def write_state(directory, newest, everything):
    """The text that a Saver with save_relative_paths keeps."""
    lines = [f'model_checkpoint_path: "{newest}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in everything]
    (directory / "checkpoint").write_text("\n".join(lines) + "\n")


def saver(root):
    """Saved by steps as TensorFlow 1 does, with events in both forms; the state file's newest is
    not the highest step, as after going back."""
    model = Model(root, "tensorflow/saver")
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(SEED)
        with v1.variable_scope("layer"):
            kernel = v1.get_variable("kernel", initializer=normal(6, 5))
            v1.get_variable("bias", initializer=normal(5, dtype=np.float16))
        v1.get_variable("half", initializer=normal(3, 4).astype(ml_dtypes.bfloat16))
        v1.get_variable("words", initializer=np.array([b"yes", b"no"]), dtype=tf.string)
        v1.get_variable("flags", initializer=np.array([True, False, True]))
        step_now = v1.train.get_or_create_global_step()
        advance = [v1.assign_add(step_now, 10), v1.assign_add(kernel, normal(6, 5))]
        keep = v1.train.Saver(max_to_keep=9, save_relative_paths=True)
        session.run(v1.global_variables_initializer())
        for step in (10, 20, 30):
            session.run(advance)
            keep.save(session, str(model.path / "model.ckpt"), global_step=step,
                      write_meta_graph=False, write_state=False)
    names = [f"model.ckpt-{step}" for step in (10, 20, 30)]
    write_state(model.path, names[1], names)
    measured = {10: (0.95, 0.5), 20: (0.75, 0.4), 30: (0.85, 0.3)}
    write_events(model.path, 0, [(step, old_scalar("loss", 2 / step)) for step in range(2, 31, 2)])
    write_events(model.path / "eval", 0, [
        (step, summary) for step, (accuracy, loss) in measured.items()
        for summary in (new_scalar("accuracy", accuracy), old_scalar("loss", loss))])
    model.tells("eval")
    model.expected["scalars"]["train/loss"] = views.events(model.path)["loss"]
    for name, step in zip(names, measured):
        model.holds(f"{name}.index", "tensorflow", name, step)
        model.expected["metrics"][step] = {
            "accuracy": float(np.float32(measured[step][0])),
            "loss": float(np.float32(measured[step][1]))}
    model.expected.update(latest=20, best={"accuracy": 10, "loss": 30})
    return model


def objects(root):
    """Saved by objects as TensorFlow 2 does."""
    model = Model(root, "tensorflow/objects")
    layer = tf.Module()
    layer.kernel = tf.Variable(normal(4, 3))
    layer.counts = tf.Variable(np.arange(5, dtype=np.int64))
    layer.parts = [tf.Variable(normal(2, 2).astype(ml_dtypes.bfloat16)),
                   tf.Variable(normal(7, dtype=np.float64))]
    saved = tf.train.Checkpoint(model=layer)
    for _ in range(2):
        layer.kernel.assign_add(tf.ones([4, 3]))
        saved.save(str(model.path / "ckpt"))
    write_state(model.path, "ckpt-2", ["ckpt-1", "ckpt-2"])
    for step in (1, 2):
        model.holds(f"ckpt-{step}.index", "tensorflow", f"ckpt-{step}", step)
    model.expected["latest"] = 2
    return model


def saved_model(root):
    model = Model(root, "tensorflow/saved-model")

    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(normal(3, 2), name="kernel")

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
        def __call__(self, x):
            return {"y": x @ self.kernel}

    served = Served()
    export = model.path / str(START_TIME)
    tf.saved_model.save(served, str(export), signatures=served.__call__)
    (export / "fingerprint.pb").unlink()  # holds a number of chance
    model.holds(f"{START_TIME}/saved_model.pb", "tensorflow", f"{START_TIME}/variables/variables")
    return model


def keras(root):
    """Keras's own file, its archive made again with fixed times."""
    model = Model(root, "keras/classifier")
    tf.keras.utils.set_random_seed(SEED)
    network = tf.keras.Sequential([
        tf.keras.Input([6], name="pixels"), tf.keras.layers.Dense(4, name="hidden"),
        tf.keras.layers.Dense(3, name="output")], name="classifier")
    kept = model.path / "model.keras"
    network.save(kept)
    with zipfile.ZipFile(kept) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    members["metadata.json"] = json.dumps({**metadata, "date_saved": "2019-05-09@23:00:00"}
                                          ).encode()
    members["config.json"] = re.sub(rb'("shared_object_id"): \d+', rb"\1: 1",
                                    members["config.json"])  # they are addresses in memory
    with zipfile.ZipFile(kept, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    model.holds("model.keras", "keras", "model.keras")
    return model


def events(root):
    """Events alone: training that began anew after a crash, and two sessions, one of them in the
    new form. (TensorBoard forgets what a crash made void in the old form only.)"""
    model = Model(root, "tensorflow/events")
    start = v1.SessionLog(status=v1.SessionLog.START)
    train, evaluation = model.path / "train", model.path / "eval"
    write_events(train, 0, [(step, old_scalar("epoch_loss", 1 / (step + 1))) for step in range(9)])
    write_events(train, 100, [(6, start)] + [
        (step, old_scalar("epoch_loss", 2 / (step + 1))) for step in range(6, 12)])
    write_events(train, 200, [(step, new_scalar("learning/rate", 10.0 ** -step))
                              for step in range(3)])
    write_events(evaluation, 0, [(step, new_scalar("epoch_loss", 3 / (step + 1)))
                                 for step in (0, 5, 10)])
    model.tells("eval")
    learned = views.events(train)
    model.expected["scalars"]["train/epoch_loss"] = learned["epoch_loss"]
    model.expected["scalars"]["learning/rate"] = learned["learning/rate"]
    return model


# --- ONNX, safetensors, GGUF, NumPy -----------------------------------------------------------


def write_onnx(path, external):
    """y = x W + b, and tensors that only lie there."""
    tensors = [onnx.numpy_helper.from_array(normal(64, 8), "layer/W"),
               onnx.numpy_helper.from_array(normal(8), "layer/b"),
               onnx.numpy_helper.from_array(normal(300, dtype=np.float16), "half"),
               onnx.numpy_helper.from_array(np.arange(400, dtype=np.int64), "order"),
               onnx.numpy_helper.from_array(normal(200).astype(ml_dtypes.bfloat16), "brain")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Gemm", ["x", "layer/W", "layer/b"], ["y"])], "linear",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["rows", 64])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["rows", 8])], tensors)
    model = onnx.helper.make_model(graph, producer_name="make_models", ir_version=10,
                                   opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    onnx.save(model, str(path), save_as_external_data=external, size_threshold=128,
              location=f"{path.name}.data")


def onnx_external(root):
    model = Model(root, "onnx/external")
    write_onnx(model.path / "model.onnx", True)
    model.holds("model.onnx", "onnx", "model.onnx", files=["model.onnx", "model.onnx.data"])
    return model


def mlflow(root):
    """A model as mlflow.onnx.log_model leaves it; the texts are written here."""
    model = Model(root, "mlflow/linear")
    model.write("MLmodel", """artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.18.0
    providers:
    - CPUExecutionProvider
  python_function:
    data: model.onnx
    env:
      virtualenv: python_env.yaml
    loader_module: mlflow.onnx
    python_version: 3.11.2
mlflow_version: 2.22.0
model_size_bytes: 6842
model_uuid: 0123456789abcdef0123456789abcdef
run_id: fedcba9876543210fedcba9876543210
utc_time_created: '2019-05-09 23:00:00.000000'
""")
    model.write("python_env.yaml", "python: 3.11.2\ndependencies:\n- -r requirements.txt\n")
    model.write("requirements.txt", "mlflow==2.22.0\nonnx==1.18.0\n")
    write_onnx(model.path / "model.onnx", False)
    model.holds("model.onnx", "onnx", "model.onnx")
    return model


SAFETENSORS_WORDS = {"BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}


def write_safetensors(path, arrays, metadata=None):
    def flat(array):
        word = SAFETENSORS_WORDS.get(views.DTYPES[array.dtype.name], array.dtype.name)
        return {"dtype": word, "shape": list(array.shape), "data": array.tobytes()}

    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.serialize_file({name: flat(array) for name, array in arrays.items()}, str(path),
                               metadata)


def dtypes(root):
    model = Model(root, "safetensors/dtypes")
    types = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn,
             ml_dtypes.float8_e5m2, np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32,
             np.uint16, np.uint8, np.bool_]
    arrays = {f"types.{np.dtype(one).name}": (normal(5, 3) * 20).astype(one)
              if np.dtype(one).kind not in "u" else np.arange(15, dtype=one).reshape(5, 3)
              for one in types}
    arrays.update({"scalar": np.array(2.5, np.float32), "nothing": np.zeros([0, 3], np.float32),
                   "deep": normal(2, 1, 2, 1, 2, 1, 2)})
    write_safetensors(model.path / "model.safetensors", arrays, {"format": "np"})
    model.holds("model.safetensors", "safetensors", "model.safetensors")
    return model


def names(root):
    """Names that no directory may have, or that would meet as files and directories."""
    model = Model(root, "safetensors/names")
    arrays = {name: np.full([2, number + 1], number, np.float32)
              for number, name in enumerate(BAD_FOR_A_PATH)}
    write_safetensors(model.path / "model.safetensors", arrays)
    model.holds("model.safetensors", "safetensors", "model.safetensors")
    return model


def write_shards(directory, n_shards, layers=9):
    """As huggingface_hub's split writes it: shards and an index."""
    every = {f"model.layers.{layer}.{part}.weight": normal(16, 8 + layer).astype(
        ml_dtypes.bfloat16) for layer in range(layers) for part in ("attention", "mlp")}
    every["lm_head.weight"] = normal(32, 16)
    files = [f"model-{n + 1:05}-of-{n_shards:05}.safetensors" for n in range(n_shards)]
    placed = {name: files[number * n_shards // len(every)] for number, name in enumerate(every)}
    for file in files:
        write_safetensors(directory / file, {name: every[name] for name in every
                                             if placed[name] == file}, {"format": "pt"})
    index = {"metadata": {"total_size": sum(array.nbytes for array in every.values())},
             "weight_map": placed}
    path = directory / "model.safetensors.index.json"
    path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    return files + [path.name]


def sharded(root):
    model = Model(root, "safetensors/sharded")
    files = write_shards(model.path, 3)
    model.write_json("config.json", {"architectures": ["LlamaForCausalLM"], "model_type": "llama",
                                     "torch_dtype": "bfloat16"})
    model.holds(files[0], "safetensors", "", files=files)
    return model


def trainer(root):
    """A directory of transformers' Trainer: checkpoint-N/ with its state, as it writes it."""
    model = Model(root, "huggingface/trainer")
    measured = {10: (0.8125, 0.75), 20: (0.90625, 0.5), 30: (0.875, 0.625)}
    history = []
    for step, (accuracy, loss) in measured.items():
        history.append({"epoch": step / 10, "grad_norm": 1.5, "learning_rate": 5e-5 - step * 1e-6,
                        "loss": round(3 / step, 4), "step": step})
        history.append({"epoch": step / 10, "eval_accuracy": accuracy, "eval_loss": loss,
                        "eval_runtime": 0.5, "eval_samples_per_second": 64.0,
                        "eval_steps_per_second": 8.0, "step": step})
        directory = f"checkpoint-{step}"
        write_safetensors(model.path / directory / "model.safetensors",
                          {"classifier.weight": normal(3, 8) + np.float32(step),
                           "classifier.bias": normal(3)}, {"format": "pt"})
        model.write_json(f"{directory}/config.json", {"model_type": "bert"})
        model.write_json(f"{directory}/trainer_state.json", {
            "best_global_step": 20, "best_metric": 0.5,
            "best_model_checkpoint": "out/checkpoint-20", "epoch": step / 10, "eval_steps": 10,
            "global_step": step, "is_hyper_param_search": False, "is_local_process_zero": True,
            "is_world_process_zero": True, "log_history": list(history), "logging_steps": 10,
            "max_steps": 30, "num_train_epochs": 3, "save_steps": 10})
        model.holds(f"{directory}/model.safetensors", "safetensors",
                    f"{directory}/model.safetensors", step)
        model.expected["metrics"][step] = {"eval_accuracy": accuracy, "eval_loss": loss}
    for name in ("loss", "learning_rate", "eval_accuracy", "eval_loss"):
        model.expected["scalars"][name] = [[row["step"], None, row[name]]
                                           for row in history if name in row]
    model.expected.update(latest=30, best={"eval_accuracy": 20, "eval_loss": 20})
    return model


def card(root):
    """A model whose card says how good it is, as huggingface_hub writes model-index."""
    model = Model(root, "huggingface/card")
    write_safetensors(model.path / "model.safetensors", {"weight": normal(4, 4)})
    model.write("README.md", """---
language: en
license: apache-2.0
metrics:
- accuracy
model-index:
- name: card
  results:
  - task:
      type: text-classification
      name: Text Classification
    dataset:
      name: GLUE
      type: glue
      config: sst2
      split: validation
    metrics:
    - type: accuracy
      value: 0.9105504587155964
      name: Accuracy
    - type: f1
      value: 0.913978494623656
      name: F1
---

# A card
""")
    model.holds("model.safetensors", "safetensors", "model.safetensors")
    model.expected["metrics"][""] = {"accuracy": 0.9105504587155964, "f1": 0.913978494623656}
    return model


def quantised(root):
    model = Model(root, "gguf/quantised")
    writer = gguf.GGUFWriter(str(model.path / "model.gguf"), "llama")
    writer.add_name("tiny")
    writer.add_context_length(128)
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "</s>", "grüße"])
    weights = normal(4, 64)
    writer.add_tensor("token_embd.weight", normal(8, 64))
    writer.add_tensor("blk.0.ffn_up.weight", normal(6, 32, dtype=np.float16))
    for word in ("Q8_0", "Q4_0", "BF16"):
        kind = gguf.GGMLQuantizationType[word]
        writer.add_tensor(f"blk.0.{word.lower()}.weight", gguf.quants.quantize(weights, kind),
                          raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.holds("model.gguf", "gguf", "model.gguf")
    return model


def write_npz(path, arrays, kind):
    """As numpy.savez, with the zip format's first date."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = kind
            archive.writestr(info, member.getvalue())


def arrays(root):
    """Stored and compressed; by columns, and with the other order of bytes."""
    many = {"weights": normal(9, 4), "columns": np.asfortranarray(normal(5, 4, dtype=np.float64)),
            "other_order": normal(6).astype(">f4"), "complex": normal(3).astype(np.complex64),
            "count": np.array(12, np.int64)}
    stored, packed = Model(root, "numpy/stored"), Model(root, "numpy/compressed")
    write_npz(stored.path / "weights.npz", many, zipfile.ZIP_STORED)
    write_npz(packed.path / "weights.npz", many, zipfile.ZIP_DEFLATED)
    alone = Model(root, "numpy/alone")
    np.save(alone.path / "embedding.npy", normal(12, 6))
    for model in (stored, packed):
        model.holds("weights.npz", "npz", "weights.npz")
    alone.holds("embedding.npy", "npy", "embedding.npy")
    return stored, packed, alone


# --- Metrics in files of text -----------------------------------------------------------------


def lightning(root):
    """The CSVLogger's file: a row has what was logged together."""
    model = Model(root, "lightning/run")
    rows = [(0, 0, 2.5, None), (0, 9, 1.25, None), (0, 9, None, 0.5), (1, 19, 0.625, None),
            (1, 19, None, 0.75)]
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    model.write("lightning_logs/version_0/metrics.csv",
                "\n".join(["epoch,step,train_loss,val_acc", *lines]) + "\n")
    model.write("lightning_logs/version_0/hparams.yaml", "lr: 0.001\n")
    model.expected["scalars"] = {
        "train_loss": [[row[1], None, row[2]] for row in rows if row[2] is not None],
        "val_acc": [[row[1], None, row[3]] for row in rows if row[3] is not None]}
    return model


def gradient(root):
    model = Model(root, "gradient/custom")
    write_npz(model.path / "weights.npz", {"w": normal(4, 2)}, zipfile.ZIP_STORED)
    model.write_json("gradient-model-metadata.json", {"metrics": [
        {"name": "accuracy-score", "numberValue": 0.9722222222222222},
        {"name": "loss", "numberValue": 0.14163}]})
    model.holds("weights.npz", "npz", "weights.npz")
    model.expected["metrics"][""] = {"accuracy-score": 0.9722222222222222, "loss": 0.14163}
    return model


def plain(root):
    """metrics.json and metrics.jsonl beside weights."""
    one, lines = Model(root, "plain/json"), Model(root, "plain/lines")
    one.write_json("metrics.json", {"accuracy": 0.9375, "loss": 0.25, "note": "no number"})
    one.expected["metrics"][""] = {"accuracy": 0.9375, "loss": 0.25}
    rows = [{"step": step, "loss": 4 / step, "accuracy": 1 - 1 / step} for step in (1, 2, 4, 8)]
    lines.write("metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    lines.expected["scalars"] = {name: [[row["step"], None, row[name]] for row in rows]
                                 for name in ("loss", "accuracy")}
    for model in (one, lines):
        write_npz(model.path / "weights.npz", {"w": normal(4, 3)}, zipfile.ZIP_STORED)
        model.holds("weights.npz", "npz", "weights.npz")
    return one, lines


MAKERS = [saver, objects, saved_model, keras, events, onnx_external, mlflow, dtypes, names, sharded,
          trainer, card, quantised, arrays, lightning, gradient, plain]


def expected_text(models):
    """JSON with what holds no other on one line."""
    text = json.dumps({model.name: model.expected for model in models}, indent=1)
    for inner in (r"\[[^\[\]{}]*\]", r"\{[^{}]*\}"):
        text = re.sub(inner, lambda found: re.sub(r"\n *", " ", found.group()), text)
    return text + "\n"


def main():
    here = pathlib.Path(__file__).resolve().parent
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--output", type=pathlib.Path, default=here / "models")
    output = options.parse_args().output
    shutil.rmtree(output, ignore_errors=True)
    models = []
    for make in MAKERS:
        made = make(output)
        models += made if isinstance(made, tuple) else [made]
    (output / "expected.json").write_text(expected_text(models))
    print(f"{len(models)} models")


if __name__ == "__main__":
    main()
