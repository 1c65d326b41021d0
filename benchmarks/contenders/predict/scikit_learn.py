"""scikit-learn's MLPClassifier."""

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders.harness import contend_to_predict


def prepare(job, arrays):
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier(tuple(job.hidden), max_iter=1, random_state=job.seed)
    return model.fit(arrays["X"], arrays["y"]).predict_proba


if __name__ == "__main__":
    contend_to_predict(prepare, ["scikit-learn", "numpy"])
