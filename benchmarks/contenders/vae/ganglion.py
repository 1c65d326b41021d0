"""Ganglion's VAE."""

import numpy as np
import torch

from benchmarks.contenders.vae.measured import contend_as_vae
from ganglion.algorithms.vae import VAE
from ganglion.networks.variational import posterior


def fit(job, X):
    model = VAE(
        latent=job.latent,
        hidden=(job.hidden,),
        likelihood="bernoulli",
        optimizer="adam",
        learning_rate=job.learning_rate,
        schedule="constant",
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_fraction=0,
        random_state=job.seed,
    ).fit(X)
    network = model.network_

    def encode(rows):
        with torch.inference_mode():
            return [part.numpy() for part in posterior(network, torch.from_numpy(rows))]

    def decode(codes):
        with torch.inference_mode():
            return network.law.mean(network.decoded(torch.from_numpy(np.asarray(codes)))).numpy()

    return encode, decode


if __name__ == "__main__":
    contend_as_vae(fit, ["ganglion", "torch", "numpy"])
