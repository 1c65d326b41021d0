"""Ganglion's MLPClassifier."""

from benchmarks.contenders.harness import contend_to_fit
from ganglion.algorithms.mlp import MLPClassifier


def fit(job, X, y):
    model = MLPClassifier(
        hidden=tuple(job.hidden),
        optimizer="adam",
        learning_rate=job.learning_rate,
        schedule="constant",
        weight_decay=0,
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_fraction=0,
        scaling=getattr(job, "scaling", "standard"),
        random_state=job.seed,
    )
    return model.fit(X, y).predict_proba


if __name__ == "__main__":
    contend_to_fit(fit, ["ganglion", "torch", "numpy"])
