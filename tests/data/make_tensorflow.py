# SPDX-License-Identifier: Apache-2.0
"""Make tests/data/tensorflow: small checkpoints and event files, as TensorFlow itself writes them.

How to run it (from the root of the project, in an environment of its own):

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install -r tests/requirements-loaders.txt
    /tmp/venv/bin/python tests/data/make_tensorflow.py

It replaces the directory it writes. Times of events are set to fixed ones, so that the same
versions give the same bytes again. The answers stand in tests/unit/test_bundle.c and
test_tfevents.c.
"""
import os
import pathlib
import shutil
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
from tensorflow.core.util import event_pb2
from tensorflow.python.framework import dtypes

OUT = pathlib.Path(__file__).resolve().parent / "tensorflow"
FIRST_SECOND = 1557442800

NUMBERS = [1, 2, 3]
TYPES = [
    "float32", "float64", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "int8", "int16",
    "int32", "int64", "uint8", "uint16", "uint32", "uint64", "int4", "uint4", "bool", "complex64",
    "complex128", "qint8", "quint8", "qint16", "quint16", "qint32",
]


def save(prefix, tensors, slices=None):
    """tensors: [(name, tensor)]; slices: as SaveV2 takes them."""
    names = [name for name, _ in tensors]
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names,
                      shape_and_slices=slices or [""] * len(names),
                      tensors=[tensor for _, tensor in tensors])


def tensor_of(name):
    kind = getattr(dtypes, name)
    return tf.constant(np.array(NUMBERS).astype(kind.as_numpy_dtype), dtype=kind)


def make_types():
    """A tensor of each type, a scalar, an empty one, a text."""
    tensors = [(f"types/{name}", tensor_of(name)) for name in TYPES]
    tensors += [("step", tf.constant(7, tf.int64)), ("empty", tf.zeros([0, 3])),
                ("words", tf.constant(["a", "text"])), ("matrix", tf.ones([2, 3]))]
    save(OUT / "types.ckpt", tensors)


def make_partitioned():
    """A variable in two slices by rows beside one in one piece."""
    rows = tf.reshape(tf.range(12, dtype=tf.float32), [4, 3])
    save(OUT / "partitioned.ckpt", [("part", rows[:2]), ("part", rows[2:]), ("whole", rows)],
         ["4 3 0,2:-", "4 3 2,2:-", ""])


def make_sharded():
    """Two shards."""
    with tempfile.TemporaryDirectory() as work:
        parts = [f"{work}/part-{i}" for i in range(2)]
        save(parts[0], [("a", tf.ones([4])), ("c", tf.ones([2]))])
        save(parts[1], [("b", tf.ones([3], tf.float64))])
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts,
                                      destination_prefix=str(OUT / "sharded.ckpt"))


def event(second, **fields):
    return event_pb2.Event(wall_time=FIRST_SECOND + second, **fields)


def write_events(path, events):
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for one in events:
            writer.write(one.SerializeToString())


def summary_of(**values):
    value = tf.compat.v1.Summary.Value
    return tf.compat.v1.Summary(value=[value(tag=t, simple_value=v) for t, v in values.items()])


def start(second, step):
    log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    return event(second, step=step, session_log=log)


def make_old_events():
    """simple_value, a restart at step 20 with two files; the second has an image too."""
    version = event(0, file_version="brain.Event:2")
    losses = [event(s, step=10 * s, summary=summary_of(loss=1 / (1 + s), rate=0.5))
              for s in range(4)]
    name = "events.out.tfevents.{}.host"
    write_events(OUT / "old" / name.format(FIRST_SECOND), [version, start(0, 0), *losses])
    image = tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(
        tag="picture", image=tf.compat.v1.Summary.Image(
            height=1, width=1, colorspace=1, encoded_image_string=b"not really one"))])
    again = event(100, file_version="brain.Event:2")
    losses = [event(100 + s, step=10 * s, summary=summary_of(loss=s / 8)) for s in range(2, 5)]
    write_events(OUT / "old" / name.format(FIRST_SECOND + 100),
                 [again, start(100, 20), event(101, step=20, summary=image), *losses])


def make_older_events():
    """A file of the version before sessions, in which the step goes back."""
    steps = [0, 10, 20, 30, 20, 30]
    events = [event(i, step=step, summary=summary_of(loss=float(i), rate=float(-i)))
              for i, step in enumerate(steps[:4])]
    events += [event(i, step=steps[i], summary=summary_of(loss=float(i))) for i in (4, 5)]
    write_events(OUT / "older" / f"events.out.tfevents.{FIRST_SECOND}.host",
                 [event(0, file_version="brain.Event:1"), *events])


def make_new_events():
    """What tf.summary writes, with the times set."""
    with tempfile.TemporaryDirectory() as work:
        writer = tf.summary.create_file_writer(work)
        with writer.as_default():
            for step in range(3):
                tf.summary.scalar("epoch_loss", 1 / (1 + step), step=step)
                tf.summary.scalar("epoch_accuracy", step / 4, step=step)
            tf.summary.histogram("weights", [1.0, 2.0], step=2)
            tf.summary.text("note", "hello", step=2)
            tf.summary.image("picture", tf.zeros([1, 1, 1, 1]), step=2)
        writer.close()
        [path] = pathlib.Path(work).iterdir()
        events = [event_pb2.Event.FromString(record.numpy())
                  for record in tf.data.TFRecordDataset(str(path))]
    for second, one in enumerate(events):
        one.wall_time = FIRST_SECOND + second
        one.ClearField("source_metadata")
    write_events(OUT / "new" / f"events.out.tfevents.{FIRST_SECOND}.host.v2", events)


def make_state():
    """The state file as tf.train writes it, with a name that needs escapes."""
    tf.compat.v1.train.update_checkpoint_state(
        str(OUT), "sharded.ckpt", ["types.ckpt", 'odd "name"\\.ckpt', "sharded.ckpt"])


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for make in (make_types, make_partitioned, make_sharded, make_old_events, make_older_events,
                 make_new_events, make_state):
        make()


if __name__ == "__main__":
    main()
