"""Ganglion's GAN, without the average of its generator's weights, which the others do not have."""

from benchmarks.contenders.gan.measured import contend_as_gan
from ganglion.algorithms.gan import GAN


def fit(job, X):
    model = GAN(
        network="dense",
        latent=job.latent,
        hidden=tuple(job.hidden),
        penalty=0.0,
        averaging=0.0,
        optimizer=f"adam(beta1={job.beta1})",
        learning_rate=job.learning_rate,
        schedule="constant",
        batch_size=job.batch_size,
        epochs=job.epochs,
        random_state=job.seed,
    ).fit(X.reshape(-1, 28, 28))
    return lambda n: model.sample(n, random_state=job.seed).reshape(n, -1)


if __name__ == "__main__":
    contend_as_gan(fit, ["ganglion", "torch", "numpy"])
