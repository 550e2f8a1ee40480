# SPDX-License-Identifier: Apache-2.0
"""A small convolutional network for digits, trained and exported in TensorFlow 1.x's ways.

The files are those that a 1.x estimator leaves: checkpoints with their state file, graph.pbtxt,
event files of the training and, in eval/, of the evaluation, and a SavedModel. make_sample.py
calls this; importing it needs TensorFlow.
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # plain kernels, so that runs are comparable

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

SEED = 1
START_TIME = 1557442800  # of the training, in the events and their files' names
LAST_STEP = 1200
SAVE_EVERY = 200
LOSS_EVERY = 20
BATCH_ROWS = 32
LEARNING_RATE = 0.03


class Network:
    """A convolution, a hidden layer and ten logits, in the graph that is current."""

    def __init__(self):
        self.images = v1.placeholder(tf.float32, [None, 64], name="images")
        plane = tf.reshape(self.images, [-1, 8, 8, 1])
        kernel, bias = layer_variables("conv", [3, 3, 1, 8])
        plane = tf.nn.relu(tf.nn.conv2d(plane, kernel, strides=1, padding="SAME") + bias)
        plane = tf.nn.max_pool2d(plane, ksize=2, strides=2, padding="VALID")
        kernel, bias = layer_variables("hidden", [4 * 4 * 8, 32])
        hidden = tf.nn.relu(tf.matmul(tf.reshape(plane, [-1, 4 * 4 * 8]), kernel) + bias)
        kernel, bias = layer_variables("output", [32, 10])
        self.logits = tf.add(tf.matmul(hidden, kernel), bias, name="logits")
        self.probabilities = tf.nn.softmax(self.logits, name="probabilities")


def layer_variables(name, shape):
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", shape, initializer=v1.glorot_uniform_initializer(SEED))
        bias = v1.get_variable("bias", shape[-1:], initializer=v1.zeros_initializer())
    return kernel, bias


class Training:
    """The network with its loss, its optimizer and the global step."""

    def __init__(self):
        self.network = Network()
        self.labels = v1.placeholder(tf.int32, [None], name="labels")
        self.step = v1.train.get_or_create_global_step()
        self.loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=self.labels, logits=self.network.logits), name="loss")
        optimizer = v1.train.MomentumOptimizer(LEARNING_RATE, 0.9)
        self.train = optimizer.minimize(self.loss, global_step=self.step)

    def feed(self, images, labels):
        return {self.network.images: images, self.labels: labels}

    def evaluate(self, session, digits):
        """Measure loss and accuracy on the held-out rows, as float32, which is what events keep."""
        loss, logits = session.run([self.loss, self.network.logits],
                                   self.feed(digits.images, digits.labels))
        correct = int((logits.argmax(axis=1) == digits.labels).sum())
        return {"correct": correct, "loss": float(loss),
                "accuracy": float(np.float32(correct / len(digits.labels)))}


class Events:
    """An event file whose name and times are those of START_TIME, not of today."""

    def __init__(self, directory, graph=None):
        self.directory = directory
        self.writer = v1.summary.FileWriter(str(directory), graph=graph)

    def add(self, step, **scalars):
        values = [v1.Summary.Value(tag=tag, simple_value=x) for tag, x in scalars.items()]
        self.writer.add_event(v1.Event(step=step, summary=v1.Summary(value=values)))

    def close(self):
        """Copy what was written into the file with the fixed name, one second per ten steps."""
        self.writer.close()
        [written] = self.directory.glob("events.out.tfevents.*")
        events = list(v1.train.summary_iterator(str(written)))
        written.unlink()
        name = self.directory / f"events.out.tfevents.{START_TIME}.trainer"
        with tf.io.TFRecordWriter(str(name)) as records:
            for event in events:
                event.wall_time = START_TIME + event.step // 10
                records.write(fixed_order(event).SerializeToString(deterministic=True))


def fixed_order(event):
    """Put the maps inside an event's graph, which come in an order of chance, into a fixed one."""
    for field, kind in (("graph_def", v1.GraphDef), ("meta_graph_def", v1.MetaGraphDef)):
        if event.HasField(field):
            graph = kind.FromString(getattr(event, field))
            setattr(event, field, graph.SerializeToString(deterministic=True))
    return event


def one_thread():
    return v1.Session(config=v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1))


def batches(images, labels):
    """Batches without end, each pass over the rows in a new order."""
    order = np.random.RandomState(SEED)
    while True:
        rows = order.permutation(len(labels))
        for first in range(0, len(rows) - BATCH_ROWS + 1, BATCH_ROWS):
            batch = rows[first:first + BATCH_ROWS]
            yield images[batch], labels[batch]


def train(directory, digits):
    """Train, save and evaluate. Returns {step: what the evaluation measured}."""
    with tf.Graph().as_default() as graph, one_thread() as session:
        v1.set_random_seed(SEED)
        training = Training()
        saver = v1.train.Saver(max_to_keep=100, save_relative_paths=True)
        session.run(v1.global_variables_initializer())
        tf.io.write_graph(graph, str(directory), "graph.pbtxt")
        train_events = Events(directory, graph)
        eval_events = Events(directory / "eval")
        measured = {}
        rows = batches(digits.train_images, digits.train_labels)
        for step, (images, labels) in zip(range(LAST_STEP + 1), rows):
            if step % SAVE_EVERY == 0:
                saver.save(session, str(directory / "model.ckpt"), global_step=step)
                measured[step] = found = training.evaluate(session, digits)
                eval_events.add(step, accuracy=found["accuracy"], loss=found["loss"])
            if step < LAST_STEP:
                loss, _ = session.run([training.loss, training.train],
                                      training.feed(images, labels))
                if step % LOSS_EVERY == 0:
                    train_events.add(step, loss=loss)
        train_events.close()
        eval_events.close()
    return measured


def export(checkpoint, directory):
    """Write the SavedModel of a checkpoint. Returns its variables by name."""
    with tf.Graph().as_default(), one_thread() as session:
        network = Network()
        v1.train.Saver().restore(session, str(checkpoint))
        signature = v1.saved_model.predict_signature_def(
            {"images": network.images},
            {"logits": network.logits, "probabilities": network.probabilities})
        builder = v1.saved_model.Builder(str(directory))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
        variables = v1.global_variables()
        return {v.op.name: x for v, x in zip(variables, session.run(variables))}


def run_export(directory, images):
    answer = tf.saved_model.load(str(directory)).signatures["serving_default"](
        images=tf.constant(images))
    return answer["logits"].numpy(), answer["probabilities"].numpy()
