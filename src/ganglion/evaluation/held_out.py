"""The scores of contenders on held-out rows: fold by fold, and on resamples of the rows.

A score is the mean over folds, each fold judged for itself, for ranks of rows that different models were asked about
mean nothing beside one another. A resample draws rows once, for every fold, every repetition and every contender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganglion.errors import InvalidParameter, suggestion
from ganglion.evaluation.bootstrap import affordable_resamples, resampled_weights
from ganglion.evaluation.contest import Answer
from ganglion.evaluation.folds import Folds
from ganglion.evaluation.metrics import METRICS, Metric, point_value
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, resampled_metrics
from ganglion.evaluation.verdict import usual_metric


@dataclass(frozen=True)
class Scored:
    """The scores of all contenders.

    Attributes
    ----------
    by_fold : dict of str to ndarray of shape (n_folds,)
    samples : dict of str to ndarray of shape (n_resamples,)
    n_resamples : int
    left_out : int
        Folds in which the metric is not defined for some contender.
    """

    by_fold: dict[str, Array]
    samples: dict[str, Array]
    n_resamples: int
    left_out: int


def metric_for(truth: Truth, answers: Sequence[Answer], asked: str | None) -> Metric:
    """Return the metric that was asked for, or the one that a report takes.

    Parameters
    ----------
    truth : Truth
    answers : sequence of Answer
        Of one fold, one a contender.
    asked : str, optional

    Raises
    ------
    InvalidParameter
        If the task has no such metric, or a contender cannot be judged by it.
    """
    if asked is None:
        return usual_metric(truth, ranked=lambda: all(each.said.scores is not None for each in answers))
    known = {metric.name: metric for metric in METRICS[truth.task]}
    if asked not in known:
        raise InvalidParameter(
            f"metric={asked!r}: there is no such metric of the task {truth.task}.{suggestion(str(asked), known)} "
            f"Known: {', '.join(known)}."
        )
    return known[asked]


def score(truth: Truth, said: Answer, metric: Metric) -> float:
    """Return the metric of one contender on the rows it was asked of; NaN where it is not defined."""
    value = point_value(truth, said.said, metric.name)
    return value if isinstance(value, float) else np.nan


def scored(
    truth: Truth, folds: Folds, answers: Sequence[Sequence[Answer]], metric: Metric, *, n_bootstrap: int, seed: int
) -> Scored:
    """Score all contenders in all folds.

    Parameters
    ----------
    truth : Truth
        Of all rows.
    folds : Folds
    answers : sequence of sequence of Answer
        Of each fold, one a contender.
    metric : Metric
    n_bootstrap, seed : int
    """
    names = [each.name for each in answers[0]]
    parts = [truth.take(held) for _, held in folds.pairs]
    table = np.array([[score(part, each, metric) for each in fold] for part, fold in zip(parts, answers, strict=True)])
    kept = np.isfinite(table).all(axis=1).reshape(-1)
    places = np.flatnonzero(kept).tolist()
    if kept.sum() < 2:
        worst = names[int(np.isnan(table).sum(axis=0).argmax())]
        raise InvalidParameter(
            f"the {metric.label} is defined in {kept.sum()} of {len(kept)} folds only (it lacks for {worst}). Give "
            "another metric=…, or fewer folds."
        )
    rankings = len(truth.classes) if truth.task in ("multiclass", "multilabel") else 1
    n = affordable_resamples(len(truth), rankings * len(names) * folds.n_repeats, n_bootstrap)
    found: dict[str, list[Array]] = {name: [] for name in names}
    judges = [[resampled_metrics(parts[k], each.said) for each in answers[k]] for k in places]
    helds = [folds.pairs[k][1] for k in places]
    units = np.arange(len(truth)) if folds.units is None else folds.units
    for drawn in resampled_weights(int(units.max()) + 1, n, seed):
        weights = [drawn[units[held]] for held in helds]
        for i, name in enumerate(names):
            of_folds = [_value(each[i], w, metric) for each, w in zip(judges, weights, strict=True)]
            found[name].append(np.mean(of_folds, axis=0))
    samples = {name: np.concatenate(values) for name, values in found.items()}
    by_fold = {name: table[kept, i] for i, name in enumerate(names)}
    return Scored(by_fold, samples, n, int((~kept).sum()))


def _value(functions: Sequence[Resampled], weights: Array, metric: Metric) -> Array:
    """Return one metric of many resamples, (b,)."""
    each = (function(weights) for function in functions)
    return next(values[metric.name] for values in each if metric.name in values)
