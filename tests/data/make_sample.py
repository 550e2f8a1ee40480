# SPDX-License-Identifier: Apache-2.0
"""Make tests/data/sample: a directory registry of three small, really trained classifiers.

How to run it (from the root of the project, in an environment of its own):

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install -r tests/requirements-sample.txt
    /tmp/venv/bin/python tests/data/make_sample.py

It needs no network (scikit-learn brings the digits along), takes under a minute, and replaces the
directory it writes. Seeds, event times and file names are fixed, and one thread computes, so that
the pinned versions give the same bytes again; other versions or processors may differ in the last
bits. sample_cnn.py holds the network and its training.

Every number in metrics/ and expected.json was measured here on the held-out fifth of the digits.
"""
import argparse
import io
import json
import pathlib
import shutil
import zipfile

import numpy as np
import onnx
import onnxruntime
import sample_cnn
from onnx import helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

SEED = 1
EXPORT_TIME = 1557442950  # the SavedModel's version
N_EXAMPLES = 8  # held-out rows with their answers in expected.json
TOLERANCE = 1e-4  # between two runtimes' float32 logits

# What the service calls the six aggregates of a scalar over one checkpoint's events.
OPERATIONS = {
    "mean": np.mean, "amin": np.min, "amax": np.max,
    "median": np.median, "std": np.std, "var": np.var,
}


class Digits:
    """The digits, split: pixels as 0 to 16, and as the floats 0 to 1 that the networks take."""

    def __init__(self):
        digits = load_digits()
        split = train_test_split(
            digits.data.astype(np.uint8), digits.target.astype(np.uint8),
            test_size=0.2, random_state=SEED, stratify=digits.target)
        train_pixels, self.pixels, self.train_labels, self.labels = split
        self.train_images, self.images = scale(train_pixels), scale(self.pixels)


def scale(pixels):
    return pixels.astype(np.float32) / np.float32(16)


# --- The same weights as ONNX ---------------------------------------------------------------


def onnx_nodes():
    """The network again. TensorFlow flattened with the channels last: hence the Transpose."""
    node = helper.make_node
    return [
        node("Reshape", ["images", "plane_shape"], ["plane"]),
        node("Conv", ["plane", "conv/kernel", "conv/bias"], ["conv"], pads=[1, 1, 1, 1]),
        node("Relu", ["conv"], ["conv_relu"]),
        node("MaxPool", ["conv_relu"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", ["pool"], ["channels_last"], perm=[0, 2, 3, 1]),
        node("Reshape", ["channels_last", "flat_shape"], ["flat"]),
        node("Gemm", ["flat", "hidden/kernel", "hidden/bias"], ["hidden"]),
        node("Relu", ["hidden"], ["hidden_relu"]),
        node("Gemm", ["hidden_relu", "output/kernel", "output/bias"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]


def onnx_rows(name, columns):
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["rows", columns])


def write_onnx(variables, path):
    tensors = dict(variables, plane_shape=np.array([-1, 1, 8, 8]), flat_shape=np.array([-1, 128]))
    tensors["conv/kernel"] = variables["conv/kernel"].transpose(3, 2, 0, 1)
    graph = helper.make_graph(
        onnx_nodes(), "cnn",
        [onnx_rows("images", 64)], [onnx_rows("logits", 10), onnx_rows("probabilities", 10)],
        [numpy_helper.from_array(np.ascontiguousarray(x), name) for name, x in tensors.items()])
    model = helper.make_model(graph, producer_name="make_sample", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def run_onnx(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits", "probabilities"], {"images": images})


# --- A model of another kind: plain arrays and Gradient's metadata file -----------------------


def train_custom(directory, digits):
    """Fit a linear classifier. Returns {iterations: what was measured}."""
    linear = LogisticRegression(max_iter=500)
    linear.fit(digits.train_images.astype(np.float64), digits.train_labels)
    write_npz(directory / "weights.npz", coefficients=linear.coef_, intercepts=linear.intercept_)
    images = digits.images.astype(np.float64)
    accuracy = float(linear.score(images, digits.labels))
    loss = float(log_loss(digits.labels, linear.predict_proba(images)))
    metadata = {"metrics": [{"name": "accuracy-score", "numberValue": accuracy},
                            {"name": "loss", "numberValue": loss}]}
    write_json(directory / "gradient-model-metadata.json", metadata)
    return {int(linear.n_iter_[0]): {"accuracy-score": accuracy, "loss": loss}}


# --- What is written beside the models ------------------------------------------------------


def metrics_detail(measured, names):
    """The `detail` array of the model service: one value per checkpoint, so min = mean = max."""
    def checkpoints(name, operation):
        return [{"checkpoint": step, "value": float(operation([found[name]]))}
                for step, found in measured.items()]

    scalars = [{"scalar": name,
                "data": [{"operation": word, "checkpoints": checkpoints(name, operation)}
                         for word, operation in OPERATIONS.items()]} for name in names]
    return [{"session": "eval", "scalars": scalars}]


def expected_answers(digits, measured, custom, answers):
    logits, probabilities = answers
    [(_, linear)] = custom.items()
    return {
        "held_out_rows": len(digits.labels),
        "last_step": sample_cnn.LAST_STEP,
        "export_version": EXPORT_TIME,
        "steps": {str(step): found for step, found in measured.items()},
        "custom": linear,
        "labels": digits.labels[:N_EXAMPLES].tolist(),
        "inputs": digits.images[:N_EXAMPLES].tolist(),
        "logits": logits[:N_EXAMPLES].tolist(),
        "probabilities": probabilities[:N_EXAMPLES].tolist(),
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_answers(path, answers):
    """As write_json, with one line per answer: a table of numbers is no reading matter."""
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in answers.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write_npz(path, **arrays):
    """As numpy.savez_compressed, in a fixed order and with the zip format's first date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())


def check_same(what, found, wanted):
    worst = max(np.abs(f - w).max() for f, w in zip(found, wanted))
    assert worst < TOLERANCE, f"{what} is off by {worst}"


def make_sample(root):
    models, metrics = root / "models" / "mnist", root / "metrics"
    for directory in (models / "cnn", models / "cnn-onnx", models / "digits-custom", metrics):
        directory.mkdir(parents=True)
    digits = Digits()

    measured = sample_cnn.train(models / "cnn", digits)
    export = models / "cnn" / str(EXPORT_TIME)
    variables = sample_cnn.export(models / "cnn" / f"model.ckpt-{sample_cnn.LAST_STEP}", export)
    answers = sample_cnn.run_export(export, digits.images)
    write_onnx(variables, models / "cnn-onnx" / "model.onnx")
    check_same("ONNX", run_onnx(models / "cnn-onnx" / "model.onnx", digits.images), answers)
    custom = train_custom(models / "digits-custom", digits)

    last = {sample_cnn.LAST_STEP: measured[sample_cnn.LAST_STEP]}
    write_json(metrics / "cnn.json", metrics_detail(measured, ["loss", "accuracy"]))
    write_json(metrics / "cnn-onnx.json", metrics_detail(last, ["loss", "accuracy"]))
    write_json(metrics / "digits-custom.json", metrics_detail(custom, ["loss", "accuracy-score"]))
    write_npz(root / "held-out.npz", pixels=digits.pixels, labels=digits.labels)
    write_answers(root / "expected.json", expected_answers(digits, measured, custom, answers))
    return measured, custom


def main():
    here = pathlib.Path(__file__).resolve().parent
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--output", type=pathlib.Path, default=here / "sample")
    output = options.parse_args().output
    shutil.rmtree(output, ignore_errors=True)
    measured, custom = make_sample(output)
    for step, found in measured.items():
        print(f"cnn step {step:4}: accuracy {found['accuracy']:.4f} loss {found['loss']:.4f}")
    for iterations, found in custom.items():
        print(f"digits-custom, {iterations} iterations: accuracy {found['accuracy-score']:.4f}")


if __name__ == "__main__":
    main()
