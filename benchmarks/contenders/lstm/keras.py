"""Keras, on the backend that KERAS_BACKEND names; its windows are drawn before `model.fit`.

Its embeddings begin as torch's do: with its own, which are small, it learns far less in so few steps.
"""

import os

import keras
import numpy as np
from keras import layers

from benchmarks.contenders.text import contend_on_text, windows


def fit(job, tokens):
    keras.utils.set_random_seed(job.seed)
    X, y = windows(tokens, job.steps * job.batch_size, job.length, np.random.default_rng(job.seed))
    model = keras.Sequential(
        [
            keras.Input((job.length,), dtype="int32"),
            layers.Embedding(job.symbols, job.embedding, keras.initializers.RandomNormal(stddev=1.0)),
            *(layers.LSTM(job.width, return_sequences=True) for _ in range(job.layers)),
            layers.Dense(job.symbols),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(job.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(X, y, batch_size=job.batch_size, verbose=0)
    return lambda rows: model.predict(rows, batch_size=job.batch_size, verbose=0)


if __name__ == "__main__":
    contend_on_text(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
