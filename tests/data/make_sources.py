# SPDX-License-Identifier: Apache-2.0
"""Makes the small files of corpus/ that libraries write: what the parsers of metrics, of ONNX and
of descriptions are tested with, and the first inputs of their fuzzers.

    python -m venv V; V/bin/pip install onnx==1.23.2 numpy pandas transformers==5.24.0 \\
        mlflow-skinny==3.17.2 huggingface_hub==2.4.0
    V/bin/python tests/data/make_sources.py

metrics.csv is written as Lightning's CSVLogger does, which is not needed for that. The rest of each
folder is written by hand.
"""

import csv
import json
from pathlib import Path

import numpy as np
import onnx
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from mlflow.models import Model
from mlflow.models.signature import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from onnx import TensorProto, helper, numpy_helper
from transformers import BertConfig
from transformers.trainer_callback import TrainerState

CORPUS = Path(__file__).parent / "corpus"


def folder(name):
    path = CORPUS / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def onnx_tensors():
    """Inline as raw bytes, as packed floats, as varints; and texts."""
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    return [
        numpy_helper.from_array(rows, "raw"),
        helper.make_tensor("floats", TensorProto.FLOAT, [4], [0.5, 1.5, 2.5, 3.5]),
        helper.make_tensor("doubles", TensorProto.DOUBLE, [2], [0.25, -0.25]),
        helper.make_tensor("varints", TensorProto.INT64, [3], [1, 2, 300]),
        helper.make_tensor("halves", TensorProto.BFLOAT16, [2], [1.0, 2.0]),
        helper.make_tensor("texts", TensorProto.STRING, [2], ["a", "bc"]),
        numpy_helper.from_array(np.array(7, dtype=np.int32), "scalar"),
        numpy_helper.from_array(np.zeros((0, 3), dtype=np.float32), "empty"),
        helper.make_tensor("fours", TensorProto.INT4, [4], bytes([0x21, 0x43]), raw=True),
    ]


def onnx_model(tensors, name):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])
    first = tensors[0].name
    nodes = [helper.make_node("MatMul", ["x", first], ["y"])]
    graph = helper.make_graph(nodes, name, [x], [y], initializer=tensors)
    model = helper.make_model(
        graph,
        producer_name="seed",
        producer_version="1.2",
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.example", 1)],
    )
    helper.set_model_props(model, {"author": "nobody", "task": "adding"})
    return model


def make_onnx():
    to = folder("onnx")
    onnx.save(onnx_model(onnx_tensors(), "inline"), to / "inline.onnx")
    model = onnx_model(
        [
            numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "weight"),
            numpy_helper.from_array(np.arange(8, dtype=np.float16), "bias"),
        ],
        "outside",
    )
    (to / "outside.bin").unlink(missing_ok=True)
    onnx.save(
        model,
        to / "outside.onnx",
        save_as_external_data=True,
        location="outside.bin",
        size_threshold=0,
    )
    values = helper.make_tensor("thin", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("at", TensorProto.INT64, [2], [0, 4])
    sparse = helper.make_sparse_tensor(values, indices, [6])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    old = numpy_helper.from_array(np.ones(2, dtype=np.uint8), "old")
    named = helper.make_tensor_value_info("old", TensorProto.UINT8, [2])
    texts = helper.make_tensor_value_info("t", TensorProto.STRING, [1, "n", None])
    many = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        [], "sparse", [x, named, texts, many], [], initializer=[old], sparse_initializer=[sparse]
    )
    model = helper.make_model(graph, ir_version=3, opset_imports=[helper.make_opsetid("", 9)])
    (to / "sparse.onnx").write_bytes(model.SerializeToString())


def make_trainer_state():
    to = folder("trainer_state")
    state = TrainerState(global_step=20, epoch=2.0, max_steps=20)
    state.log_history = [
        {"step": 10, "epoch": 1.0, "loss": 0.5, "grad_norm": float("nan"), "learning_rate": 1e-5},
        {"step": 10, "epoch": 1.0, "eval_loss": 0.25, "eval_runtime": 1.5},
        {"step": 20, "epoch": 2.0, "loss": float("inf"), "grad_norm": 2, "learning_rate": 0.0},
        {"step": 20, "epoch": 2.0, "eval_loss": float("-inf")},
    ]
    state.save_to_json(str(to / "trainer_state.json"))


def make_metrics_csv():
    rows = [
        {"epoch": 0, "step": 9, "train_loss": 0.5},
        {"epoch": 0, "step": 9, "val_loss": 0.75, "val_acc": 0.5},
        {"epoch": 1, "step": 19, "train_loss": 0.25},
        {"epoch": 1, "step": 19, "val_loss": float("nan"), "val_acc": 0.625},
    ]
    keys = ["epoch", "step", "train_loss", "val_acc", "val_loss"]
    with (folder("metrics_csv") / "lightning.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=keys)
        writer.writeheader()
        writer.writerows(rows)


def make_mlmodel():
    tensor = Schema([TensorSpec(np.dtype("float32"), (-1, 784), "pixels")])
    columns = Schema([ColSpec("double", "score")])
    model = Model(
        artifact_path="model",
        run_id="0123456789abcdef0123456789abcdef",
        utc_time_created="2024-01-02 03:04:05.678901",
        signature=ModelSignature(inputs=tensor, outputs=columns),
        model_uuid="89abcdef0123456789abcdef01234567",
    )
    model.add_flavor("python_function", loader_module="mlflow.sklearn", python_version="3.11.2")
    model.add_flavor("sklearn", pickled_model="model.pkl", sklearn_version="1.5.0", code=None)
    model.save(str(folder("mlmodel") / "MLmodel"))


def make_model_card():
    def result(dataset, kind, value, name=None):
        return EvalResult(
            task_type="text-classification",
            dataset_type=dataset.lower(),
            dataset_name=dataset,
            metric_type=kind,
            metric_value=value,
            metric_name=name,
        )

    to = folder("model_card")
    for path, results in {
        "one.md": [result("IMDb", "accuracy", 0.9375, "Accuracy"), result("IMDb", "f1", 1e-05)],
        "two.md": [result("IMDb", "accuracy", 0.9375), result("SST-2", "accuracy", "0.5")],
    }.items():
        data = ModelCardData(
            language="no", license="mit", model_name="small", eval_results=results
        )
        text = f"---\n{data.to_yaml()}\n---\n\n# small\n\nWhat it is for.\n"
        ModelCard(text).save(to / path)


def make_hf_config():
    config = BertConfig(
        architectures=["BertForMaskedLM"],
        dtype="float16",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    (folder("hf_config") / "config.json").write_text(config.to_json_string(use_diff=False))


def make_metrics_json():
    to = folder("metrics_json")
    rows = [
        {"_step": 0, "_timestamp": 1557442800.5, "loss": 2.5, "epoch": 0},
        {"_step": 10, "_timestamp": 1557442801.5, "loss": float("nan"), "note": "odd"},
    ]
    (to / "wandb.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    make_onnx()
    make_trainer_state()
    make_metrics_csv()
    make_mlmodel()
    make_model_card()
    make_hf_config()
    make_metrics_json()
