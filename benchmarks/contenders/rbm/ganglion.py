"""Ganglion's RBM."""

from benchmarks.contenders.rbm.measured import contend_as_rbm
from ganglion.algorithms.rbm import RBM


def fit(job, V):
    model = RBM(
        units=job.hidden,
        visible="bernoulli",
        persistent=True,
        chains=job.batch_size,
        optimizer="sgd(momentum=0.0)",
        learning_rate=job.learning_rate,
        schedule="constant",
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_fraction=0,
        random_state=job.seed,
    ).fit(V)
    return model.components_, model.intercept_hidden_, model.intercept_visible_


if __name__ == "__main__":
    contend_as_rbm(fit, ["ganglion", "torch", "numpy"])
