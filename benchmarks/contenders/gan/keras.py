"""Keras on torch: a model with a training step of its own, as its guide to GANs writes it."""

import os

import keras
import torch
from keras import layers, ops

from benchmarks.contenders.gan.measured import contend_as_gan
from benchmarks.contenders.gan.network import SLOPE


class GAN(keras.Model):
    def __init__(self, job, pixels):
        super().__init__()
        self.latent = job.latent
        self.generator = keras.Sequential(
            [keras.Input((job.latent,)), *(layers.Dense(width, "relu") for width in job.hidden)]
        )
        self.generator.add(layers.Dense(pixels, "tanh"))
        self.critic = keras.Sequential([keras.Input((pixels,))])
        for width in job.hidden[::-1]:
            self.critic.add(layers.Dense(width))
            self.critic.add(layers.LeakyReLU(SLOPE))
        self.critic.add(layers.Dense(1))
        self.seed = keras.random.SeedGenerator(job.seed)
        self.optimizers = [keras.optimizers.Adam(job.learning_rate, beta_1=job.beta1) for _ in range(2)]
        for optimizer, side in zip(self.optimizers, (self.critic, self.generator), strict=True):
            optimizer.build(side.trainable_weights)
        self.built = True

    def made(self, n):
        return self.generator(keras.random.normal((n, self.latent), seed=self.seed))

    def train_step(self, data):
        rows = data[0] if isinstance(data, tuple) else data
        real, made = self.critic(rows), self.critic(self.made(len(rows)))
        self._step(0, ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(made)))
        self._step(1, ops.mean(ops.softplus(-self.critic(self.made(len(rows))))))
        return {}

    def _step(self, i, loss):
        self.zero_grad()
        loss.backward()
        weights = (self.critic, self.generator)[i].trainable_weights
        with torch.no_grad():
            self.optimizers[i].apply([weight.value.grad for weight in weights], weights)


def fit(job, X):
    keras.utils.set_random_seed(job.seed)
    model = GAN(job, X.shape[1])
    model.compile()
    model.fit(X * 2 - 1, batch_size=job.batch_size, epochs=job.epochs, verbose=0)

    def sample(n):
        with torch.inference_mode():
            return ops.convert_to_numpy(model.made(n) * 0.5 + 0.5)

    return sample


if __name__ == "__main__":
    contend_as_gan(fit, ["keras", os.environ["KERAS_BACKEND"], "numpy"])
