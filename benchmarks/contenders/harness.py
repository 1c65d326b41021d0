"""The clock, and the one line that a contender prints. Needs numpy only, whatever the environment."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

Fitted = TypeVar("Fitted")
Job = SimpleNamespace
Probabilities = Callable[[np.ndarray], np.ndarray]


def contend(
    fit: Callable[..., Fitted],
    trained_on: Sequence[str],
    measure: Callable[[Fitted, Mapping[str, np.ndarray]], Mapping[str, float]],
    packages: Sequence[str],
) -> None:
    """Time `fit(job, *arrays)` with the arrays of these names; then `measure(what it returned, all arrays)`."""
    job = job_of_process()
    with np.load(job.data) as file:
        arrays = dict(file)
    given = [arrays[name] for name in trained_on]
    clock = _Clock()
    fitted = fit(job, *given)
    clock.stop()
    report(clock, measure(fitted, arrays), packages)


def contend_to_fit(fit: Callable[[Job, np.ndarray, np.ndarray], Probabilities], packages: Sequence[str]) -> None:
    """Time `fit(job, X, y)`, which returns a function from rows to class probabilities; measure that on test rows."""

    def measure(probabilities: Probabilities, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        return quality(np.asarray(probabilities(arrays["X_test"])), arrays["y_test"])

    contend(fit, ["X_train", "y_train"], measure, packages)


def contend_from_file(run: Callable[[Job], np.ndarray], labels: Callable[[str], np.ndarray], packages: Sequence[str]):
    """Time `run(job)`, which goes from a file to the probability of the second class of each test row."""
    job = job_of_process()
    clock = _Clock()
    p = np.asarray(run(job), dtype=np.float64)
    clock.stop()
    report(clock, quality(np.column_stack([1 - p, p]), labels(job.test)) | {"auc": _auc(p, labels(job.test))}, packages)


def contend_to_predict(prepare: Callable[[Job, Mapping[str, np.ndarray]], Probabilities], packages: Sequence[str]):
    """Time single calls of the function that `prepare` returns; a call's rows differ from those before."""
    job = job_of_process()
    with np.load(job.data) as file:
        arrays = dict(file)
    call, X = prepare(job, arrays), arrays["X"]
    starts = [i * job.rows % (len(X) - job.rows + 1) for i in range(job.calls)]
    for start in starts[: max(10, job.calls // 10)]:
        answer = call(X[start : start + job.rows])
    assert answer.shape == (job.rows, 10), f"probabilities of shape {answer.shape}"
    seconds = []
    for start in starts:
        rows = X[start : start + job.rows].copy()
        before = time.perf_counter()
        call(rows)
        seconds.append(time.perf_counter() - before)
    clock = SimpleNamespace(seconds=float(np.median(seconds)), cpu_seconds=None)
    report(clock, {"p99_seconds": float(np.quantile(seconds, 0.99))}, packages)


def quality(probabilities: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return accuracy and log loss of class probabilities."""
    of_truth = probabilities[np.arange(len(y)), y].astype(np.float64)
    return {
        "accuracy": float((probabilities.argmax(1) == y).mean()),
        "log_loss": float(-np.log(np.clip(of_truth, 1e-15, 1)).mean()),
    }


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of scores, (n_samples, n_classes)."""
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def report(clock: Any, figures: Mapping[str, float], packages: Sequence[str]) -> None:
    """Print the line that the runner reads."""
    line = {"seconds": clock.seconds, "cpu_seconds": clock.cpu_seconds, **figures, "versions": versions(packages)}
    sys.stdout.flush()
    print("\n" + json.dumps(line), flush=True)
    os._exit(0)  # some libraries take seconds to leave, or hang; the figures are out


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed versions of packages."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


class _Clock:
    def __init__(self) -> None:
        self._cpu, self._start = time.process_time(), time.perf_counter()
        self.seconds = self.cpu_seconds = 0.0

    def stop(self) -> None:
        self.seconds = time.perf_counter() - self._start
        self.cpu_seconds = time.process_time() - self._cpu


def job_of_process() -> Job:
    return SimpleNamespace(**json.loads(sys.argv[1]))


def _auc(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the area under the ROC curve: the share of pairs in the right order, ties half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n_positive = int(y.sum())
    return float((rank[y == 1].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * (len(y) - n_positive)))
