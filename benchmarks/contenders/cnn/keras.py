"""Keras, on the backend that KERAS_BACKEND names."""

import os

import keras
from keras import layers

from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.mlp.keras import train


def fit(job, X, y):
    keras.utils.set_random_seed(job.seed)
    network = [
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]
    return train(job, network, X, y)


if __name__ == "__main__":
    contend_to_fit(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
