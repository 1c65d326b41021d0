"""Metrics of many resamples at once, from weights of shape (n, b): n rows, b resamples.

Each function here looks at the predictions once and returns a function of the weights, which gives every metric as an
array (b,). What scikit-learn would say of the resampled rows is what these say; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from ganglion.evaluation.calibration import bin_of, top_label
from ganglion.evaluation.predictions import Array, Predictions, Truth
from ganglion.evaluation.ranking import Ranking

Resampled = Callable[[Array], dict[str, Array]]


def resampled_metrics(truth: Truth, said: Predictions) -> list[Resampled]:
    """Return the functions of the weights that together give every metric of the task."""
    if truth.task == "regression":
        return [_errors(truth, said), _median_errors(truth, said)]
    counted = _label_counts(truth, said) if truth.task == "multilabel" else _class_counts(truth, said)
    found = [counted]
    if said.scores is not None:
        found.append(_rankings(truth, said.scores))
    if said.probabilities is not None and truth.task != "multilabel":
        found.append(_losses(truth, said.probabilities))
    return found


def values_at(functions: list[Resampled], weight: Array, reason: Callable[[str], str]) -> dict[str, float | str]:
    """Return what functions of resampled weights give at one weight a row, (n,); where that is NaN, the reason."""
    found = {name: float(values[0]) for function in functions for name, values in function(weight[:, None]).items()}
    return {name: value if np.isfinite(value) else reason(name) for name, value in found.items()}


def indicator(groups: Array, n_groups: int, values: Array | None = None) -> Any:
    """Return the sparse matrix (n_groups, n) whose product with the weights (n, b) sums them, or `values`, by group."""
    n = len(groups)
    data = np.ones(n) if values is None else values
    return sparse.csc_matrix((data, groups, np.arange(n + 1)), shape=(n_groups, n)).tocsr()


def ratio(part: Array, whole: Array, otherwise: float = np.nan) -> Array:
    """Return part / whole, and `otherwise` where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, otherwise), where=whole > 0)


def mean_where(values: Array, counted: Array) -> Array:
    """Return the mean over axis 0 of the entries that count, (b,)."""
    return ratio(np.where(counted, values, 0.0).sum(axis=0), counted.sum(axis=0))


def _class_counts(truth: Truth, said: Predictions) -> Resampled:
    n_classes = len(truth.classes)
    cells, cell_of = np.unique(truth.values * n_classes + said.values, return_inverse=True)
    in_cell = indicator(cell_of, len(cells))
    true, guessed = cells // n_classes, cells % n_classes
    support_of, guesses_of = indicator(true, n_classes), indicator(guessed, n_classes)
    hits_of = indicator(true, n_classes, (true == guessed).astype(np.float64))

    def metrics(weights: Array) -> dict[str, Array]:
        counts = in_cell @ weights
        hits, support, guesses = hits_of @ counts, support_of @ counts, guesses_of @ counts
        recall = ratio(hits, support)
        found = {
            "accuracy": ratio(hits.sum(axis=0), support.sum(axis=0)),
            "balanced_accuracy": mean_where(recall, support > 0),
        }
        if truth.task == "binary":
            hits, support, guesses = hits[1], support[1], guesses[1]
            f1 = ratio(2 * hits, support + guesses)
            return found | {"precision": ratio(hits, guesses), "recall": recall[1], "f1": f1}
        seen = support + guesses > 0  # a class that is neither true nor predicted says nothing, as in scikit-learn
        return found | {
            "precision": mean_where(ratio(hits, guesses, 0.0), seen),
            "recall": mean_where(ratio(hits, support, 0.0), seen),
            "f1": mean_where(ratio(2 * hits, support + guesses, 0.0), seen),
        }

    return metrics


def _label_counts(truth: Truth, said: Predictions) -> Resampled:
    right, guess = truth.values.astype(np.float64), said.values.astype(np.float64)
    rows = np.column_stack([(right == guess).all(axis=1), (right != guess).mean(axis=1)]).astype(np.float64)
    hits_of, whole_of = (right * guess).T.copy(), (right + guess).T.copy()

    def metrics(weights: Array) -> dict[str, Array]:
        total = weights.sum(axis=0)
        exact, wrong = rows.T @ weights / total
        hits, whole = hits_of @ weights, whole_of @ weights
        return {
            "subset_accuracy": exact,
            "hamming_loss": wrong,
            "f1_micro": ratio(2 * hits.sum(axis=0), whole.sum(axis=0), 0.0),
            "f1_macro": ratio(2 * hits, whole, 0.0).mean(axis=0),
        }

    return metrics


def _rankings(truth: Truth, scores: Array) -> Resampled:
    if truth.task == "multilabel":
        rankings = [Ranking(truth.values[:, k] == 1, scores[:, k]) for k in range(scores.shape[1])]
    elif truth.task == "binary":
        rankings = [Ranking(truth.values == 1, scores[:, 1])]
    else:
        rankings = [Ranking(truth.values == k, scores[:, k]) for k in range(scores.shape[1])]
    rankings = [ranking for ranking in rankings if ranking.is_defined]

    def metrics(weights: Array) -> dict[str, Array]:
        if not rankings:
            return {}
        areas, precisions = zip(*(ranking.areas(weights) for ranking in rankings), strict=True)
        area, precision = np.stack(areas), np.stack(precisions)
        return {
            "roc_auc": mean_where(area, np.isfinite(area)),
            "average_precision": mean_where(precision, np.isfinite(precision)),
        }

    return metrics


def _losses(truth: Truth, probabilities: Array) -> Resampled:
    n, n_classes = probabilities.shape
    of_truth = probabilities[np.arange(n), truth.values]
    squares = ((probabilities - np.eye(n_classes)[truth.values]) ** 2).sum(axis=1)
    brier = squares / 2 if truth.task == "binary" else squares
    rows = np.stack([-np.log(np.clip(of_truth, np.finfo(np.float64).eps, None)), brier])
    confidence, right = top_label(truth.values, probabilities)
    gap_of = indicator(*bin_of(confidence), right - confidence)

    def metrics(weights: Array) -> dict[str, Array]:
        total = weights.sum(axis=0)
        log_loss, brier_score = rows @ weights / total
        gap = np.abs(gap_of @ weights).sum(axis=0) / total
        return {"log_loss": log_loss, "brier": brier_score, "calibration_error": gap}

    return metrics


def _errors(truth: Truth, said: Predictions) -> Resampled:
    y = truth.values - truth.values.mean(axis=0)  # centred: the sum of squares must not drown the variance
    error = said.values - truth.values
    absolute, squared, y_of, y2_of = (np.ascontiguousarray(a.T) for a in (np.abs(error), error**2, y, y**2))

    def metrics(weights: Array) -> dict[str, Array]:
        total = weights.sum(axis=0)
        squares = squared @ weights
        variation = y2_of @ weights - (y_of @ weights) ** 2 / total
        variation[variation <= 1e-12 * (y2_of @ weights)] = 0.0  # the same value in every row of the resample
        return {
            "rmse": np.sqrt(squares / total).mean(axis=0),
            "mae": (absolute @ weights / total).mean(axis=0),
            "r2": (1 - ratio(squares, variation)).mean(axis=0),
        }

    return metrics


def _median_errors(truth: Truth, said: Predictions) -> Resampled:
    error = np.abs(said.values - truth.values)
    orders = np.argsort(error, axis=0, kind="stable")

    def metrics(weights: Array) -> dict[str, Array]:
        medians = [_medians(error[order, k], weights[order]) for k, order in enumerate(orders.T)]
        return {"median_absolute_error": np.mean(medians, axis=0)}

    return metrics


def _medians(ordered: Array, weights: Array) -> Array:
    """Return weighted medians, (b,), of values in rising order: the mean of the lower and the upper one."""
    running = np.cumsum(weights, axis=0)
    half = running[-1] / 2
    last = len(ordered) - 1
    lower = np.minimum((running < half).sum(axis=0), last)
    upper = np.minimum((running <= half).sum(axis=0), last)
    return (ordered[lower] + ordered[upper]) / 2
