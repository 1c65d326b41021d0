"""Keras, on the backend that KERAS_BACKEND names: a model that draws codes and adds the divergence to its loss."""

import os

import keras
from keras import layers, ops

from benchmarks.contenders.vae.measured import contend_as_vae


class VAE(keras.Model):
    def __init__(self, job, pixels):
        super().__init__()
        self.encoder = keras.Sequential(
            [keras.Input((pixels,)), layers.Dense(job.hidden, "relu"), layers.Dense(2 * job.latent)]
        )
        self.decoder = keras.Sequential(
            [keras.Input((job.latent,)), layers.Dense(job.hidden, "relu"), layers.Dense(pixels)]
        )
        self.seed = keras.random.SeedGenerator(job.seed)

    def call(self, X):
        means, log_variances = ops.split(self.encoder(X), 2, axis=1)
        divergence = 0.5 * (ops.square(means) + ops.exp(log_variances) - 1 - log_variances)
        self.add_loss(ops.mean(ops.sum(divergence, axis=1)))
        codes = means + ops.exp(log_variances / 2) * keras.random.normal(ops.shape(means), seed=self.seed)
        return self.decoder(codes)


def cross_entropy(X, scores):
    return ops.sum(ops.binary_crossentropy(X, scores, from_logits=True), axis=1)


def fit(job, X):
    keras.utils.set_random_seed(job.seed)
    model = VAE(job, X.shape[1])
    model.compile(optimizer=keras.optimizers.Adam(job.learning_rate), loss=cross_entropy)
    model.fit(X, X, batch_size=job.batch_size, epochs=job.epochs, verbose=0)

    def encode(rows):
        moments = model.encoder.predict(rows, batch_size=1000, verbose=0)
        return moments[:, : job.latent], moments[:, job.latent :]

    def decode(codes):
        return ops.convert_to_numpy(ops.sigmoid(model.decoder.predict(codes, batch_size=1000, verbose=0)))

    return encode, decode


if __name__ == "__main__":
    contend_as_vae(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
