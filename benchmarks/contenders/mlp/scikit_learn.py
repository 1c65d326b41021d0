"""scikit-learn's MLPClassifier, held to the number of epochs: it never stops early, and pays no penalty."""

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders.harness import contend_to_fit


def fit(job, X, y):
    model = MLPClassifier(
        tuple(job.hidden),
        solver="adam",
        alpha=0.0,
        learning_rate_init=job.learning_rate,
        batch_size=job.batch_size,
        max_iter=job.epochs,
        tol=0.0,
        n_iter_no_change=job.epochs + 1,
        random_state=job.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are what was asked for
        return model.fit(X, y).predict_proba


if __name__ == "__main__":
    contend_to_fit(fit, ["scikit-learn", "numpy"])
