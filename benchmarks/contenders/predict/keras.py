"""Keras, called as a function: `model.predict` is slower still for so few rows."""

import os

import keras

from benchmarks.contenders.harness import contend_to_predict


def prepare(job, arrays):
    layers = [keras.layers.Dense(units, activation="relu") for units in job.hidden]
    model = keras.Sequential([keras.Input((784,)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.set_weights([arrays[f"{kind}{i}"] for i in range(len(job.hidden) + 1) for kind in "Wb"])
    if keras.backend.backend() == "torch":
        import torch

        def call(rows):
            with torch.inference_mode():
                return keras.ops.convert_to_numpy(model(rows, training=False))

        return call
    return lambda rows: keras.ops.convert_to_numpy(model(rows, training=False))


if __name__ == "__main__":
    contend_to_predict(prepare, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
