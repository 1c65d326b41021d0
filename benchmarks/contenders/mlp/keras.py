"""Keras, on the backend that KERAS_BACKEND names."""

import os

import keras

from benchmarks.contenders.harness import contend_to_fit, softmax


def fit(job, X, y):
    keras.utils.set_random_seed(job.seed)
    layers = [keras.layers.Dense(units, activation="relu") for units in job.hidden]
    return train(job, [*layers, keras.layers.Dense(int(y.max()) + 1)], X, y)


def train(job, layers, X, y):
    model = keras.Sequential([keras.Input(X.shape[1:]), *layers])
    model.compile(
        optimizer=keras.optimizers.Adam(job.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(X, y, batch_size=job.batch_size, epochs=job.epochs, verbose=0)
    return lambda rows: softmax(model.predict(rows, batch_size=1024, verbose=0))


if __name__ == "__main__":
    contend_to_fit(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
