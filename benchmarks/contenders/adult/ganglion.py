"""Ganglion: the file, and the network that reads it."""

import numpy as np
import torch  # noqa: F401 - Ganglion imports late; the user's top-level imports are outside the clock

from benchmarks.contenders.adult.rows import labels
from benchmarks.contenders.harness import contend_from_file
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.data.read import read


def run(job):
    X, y = read(job.train, target=-1).X_y()
    model = MLPClassifier(hidden=(64,), epochs=5, validation_fraction=0, random_state=job.seed).fit(X, y)
    X_test, _ = read(job.test, target=-1).X_y()
    return model.predict_proba(X_test)[:, int(np.flatnonzero([">" in label for label in model.classes_])[0])]


if __name__ == "__main__":
    contend_from_file(run, labels, ["ganglion", "torch", "numpy"])
