# SPDX-License-Identifier: Apache-2.0
"""Load models with the libraries that people load them with, and print what came out as JSON.

test_loaders.py runs this with the python of the loaders' environment, which has no pytest, and
compares. Usage: loader_script.py KIND HELD_OUT PATH..., KIND being the name of a function below.
One answer per path is printed, in one list on the last line.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import library_views
import numpy as np

N_EXAMPLES = 8


class HeldOut:
    def __init__(self, path):
        with np.load(path) as arrays:
            self.images = arrays["pixels"].astype(np.float32) / np.float32(16)
            self.labels = arrays["labels"]

    def judge(self, logits):
        """The logits of the first rows, and on how many of all rows they were right."""
        return {"logits": np.asarray(logits)[:N_EXAMPLES].tolist(),
                "correct": int((np.argmax(logits, axis=1) == self.labels).sum())}


def checkpoint(held_out, directory):
    """A checkpoint's variables, in a network computed here; and its own graph, restored."""
    import tensorflow as tf

    state = tf.train.get_checkpoint_state(directory)
    reader = tf.train.load_checkpoint(directory)
    variables = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {
        "latest": tf.train.latest_checkpoint(directory),
        "all": list(state.all_model_checkpoint_paths),
        "variables": sorted(variables),
        "global_step": int(variables["global_step"]),
        "by_hand": held_out.judge(network(variables, held_out.images.astype(np.float64))),
        "restored": held_out.judge(restored_logits(tf, directory, held_out.images)),
    }


def network(variables, images):
    """The network of make_sample.py in plain arithmetic."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    plane = np.einsum("nyxij,ijk->nyxk", windows, variables["conv/kernel"][:, :, 0, :])
    plane = np.maximum(plane + variables["conv/bias"], 0)
    pooled = plane.reshape(-1, 4, 2, 4, 2, 8).max(axis=(2, 4)).reshape(-1, 128)
    hidden = np.maximum(pooled @ variables["hidden/kernel"] + variables["hidden/bias"], 0)
    return hidden @ variables["output/kernel"] + variables["output/bias"]


def restored_logits(tf, directory, images):
    v1 = tf.compat.v1
    path = tf.train.latest_checkpoint(directory)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(path + ".meta").restore(session, path)
        return session.run("logits:0", {"images:0": images})


def saved_model(held_out, directory):
    import tensorflow as tf

    serve = tf.saved_model.load(directory).signatures["serving_default"]
    answer = serve(images=tf.constant(held_out.images))
    return dict(held_out.judge(answer["logits"].numpy()),
                probabilities=answer["probabilities"].numpy()[:N_EXAMPLES].tolist())


def onnx_model(held_out, path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits, probabilities = session.run(["logits", "probabilities"], {"images": held_out.images})
    return dict(held_out.judge(logits), probabilities=probabilities[:N_EXAMPLES].tolist())


def arrays(held_out, path):
    with np.load(path) as weights:
        return held_out.judge(held_out.images @ weights["coefficients"].T + weights["intercepts"])


def events(held_out, path):
    """Every scalar of an event file: [step, tag, value]."""
    import tensorflow as tf

    return [[event.step, value.tag, value.simple_value]
            for event in tf.compat.v1.train.summary_iterator(path)
            for value in event.summary.value]


# What follows loads tests/data/models, which are no networks for digits.


def newest(held_out, directory):
    """The name of the checkpoint that TensorFlow takes a directory's for."""
    import tensorflow as tf

    path = tf.train.latest_checkpoint(directory)
    return path and os.path.relpath(path, directory)


def served_function(held_out, directory):
    import tensorflow as tf

    serve = tf.saved_model.load(directory).signatures["serving_default"]
    return serve(x=tf.ones([2, 3]))["y"].numpy().tolist()


def keras_model(held_out, path):
    import keras

    network = keras.models.load_model(path)
    return {"answer": np.asarray(network(np.ones([1, 6], np.float32))).tolist(),
            "weights": [library_views.tensor(one) for one in network.get_weights()]}


def linear(held_out, path):
    """An ONNX graph whose weights lie in a file beside it."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": np.ones([1, 64], np.float32)})[0].tolist()


def safe_open(held_out, path):
    """As transformers opens a file: by mmap, tensor by tensor."""
    import safetensors

    found = {}
    with safetensors.safe_open(path, framework="numpy") as file:
        for name in file.keys():
            part = file.get_slice(name)
            found[name] = {"dtype": part.get_dtype(), "shape": part.get_shape()}
            if part.get_dtype() not in library_views.RAW:
                found[name]["sha256"] = library_views.tensor(file.get_tensor(name))["sha256"]
    return found


KINDS = {kind.__name__: kind for kind in (
    checkpoint, saved_model, onnx_model, arrays, events, newest, served_function, keras_model,
    linear, safe_open)}

if __name__ == "__main__":
    held_out = HeldOut(sys.argv[2])
    print(json.dumps([KINDS[sys.argv[1]](held_out, path) for path in sys.argv[3:]]))
