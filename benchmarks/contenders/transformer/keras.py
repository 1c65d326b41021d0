"""Keras, on the backend that KERAS_BACKEND names; its windows are drawn before `model.fit`."""

import os

import keras
import numpy as np
from keras import layers

from benchmarks.contenders.text import contend_on_text, windows


class Positions(layers.Layer):
    """Adds a learned vector for each place."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], initializer=small(), name="table")

    def call(self, x):
        return x + self.table


def small():
    return keras.initializers.RandomNormal(stddev=0.02)


def norm():
    return layers.LayerNormalization(epsilon=1e-5, center=False)


def dense(units, activation=None):
    return layers.Dense(units, activation, use_bias=False, kernel_initializer=small())


def gpt(job):
    tokens = keras.Input((job.length,), dtype="int32")
    embedding = layers.ReversibleEmbedding(job.symbols, job.width, embeddings_initializer=small())
    x = Positions()(embedding(tokens))
    for _ in range(job.layers):
        h = norm()(x)
        attention = layers.MultiHeadAttention(
            job.heads, job.width // job.heads, use_bias=False, kernel_initializer=small()
        )
        x = x + attention(h, h, use_causal_mask=True)
        x = x + dense(job.width)(dense(4 * job.width, "gelu")(norm()(x)))
    return keras.Model(tokens, embedding(norm()(x), reverse=True))


def fit(job, tokens):
    keras.utils.set_random_seed(job.seed)
    X, y = windows(tokens, job.steps * job.batch_size, job.length, np.random.default_rng(job.seed))
    model = gpt(job)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=job.steps - job.warmup,
        alpha=job.least_rate / job.learning_rate,
        warmup_target=job.learning_rate,
        warmup_steps=job.warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=job.weight_decay, beta_2=job.beta2, epsilon=1e-8, global_clipnorm=job.clip
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma"])
    model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, y, batch_size=job.batch_size, verbose=0)
    return lambda rows: model.predict(rows, batch_size=100, verbose=0)


if __name__ == "__main__":
    contend_on_text(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
