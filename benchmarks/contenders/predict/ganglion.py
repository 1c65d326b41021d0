"""Ganglion's MLPClassifier."""

from benchmarks.contenders.harness import contend_to_predict
from ganglion.algorithms.mlp import MLPClassifier


def prepare(job, arrays):
    model = MLPClassifier(hidden=tuple(job.hidden), epochs=1, random_state=job.seed, precision=job.precision)
    return model.fit(arrays["X"], arrays["y"]).predict_proba


if __name__ == "__main__":
    contend_to_predict(prepare, ["ganglion", "torch", "numpy"])
