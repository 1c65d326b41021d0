"""Conformal prediction: sets of classes, and intervals of numbers, that hold the truth as often as they promise.

    s_i = 1 - p(y_i | x_i)         classes: how little was thought of the true one        Sadinle, Lei & Wasserman 2019
    s_i = |y_i - ŷ_i|              numbers: how far off                                   Lei et al. 2018
    q = the ⌈(n + 1) c⌉-th smallest of n such scores, of rows that the model did not learn from
    P(s_new <= q) >= c             whatever the model, if new rows come from where these came    Vovk et al. 2005

The set of a row is {k : 1 - p(k | x) <= q}; it may be empty, where the model has no idea. Letters: n rows, k classes,
t targets, c the coverage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.inputs import check_model, split_target, truth_of
from ganglion.evaluation.predictions import Array, Predictions, Truth, predict
from ganglion.evaluation.proportions import proportion

FEWEST = 20  # rows to learn a quantile from, and as many to check it on


def conformal_quantile(scores: Array, coverage: float) -> Array:
    """Return how strange a row may be: the ⌈(n + 1) c⌉-th smallest score of each column, inf where n is too small.

    Parameters
    ----------
    scores : ndarray of shape (n, t)
    coverage : float in (0, 1)

    Returns
    -------
    ndarray of shape (t,)
    """
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    if rank > len(scores):
        return np.full(scores.shape[1], np.inf)
    return np.partition(scores, rank - 1, axis=0)[rank - 1]


def strangeness(truth: Truth, said: Any) -> Array:
    """Return the score of each row and target, (n, t); of classes t is 1."""
    if truth.task == "regression":
        return np.abs(truth.values - said.values)
    return 1 - said.probabilities[np.arange(len(truth)), truth.values][:, None]


def sets_of(probabilities: Array, quantile: float) -> Array:
    """Return which classes the set of each row holds, (n, k) bool."""
    return 1 - probabilities <= quantile + 1e-12


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether sets or intervals held what they promised, on rows that neither model nor quantile had seen.

    Attributes
    ----------
    nominal : float
        What was promised.
    held : Estimate
        The share of rows whose truth was inside, with Wilson's 95 % interval; of several targets, of all numbers.
    size : float
        Mean number of classes of a set, or mean width of an interval in the units of the (first) target.
    empty, single : float or None
        Shares of sets without a class, and with one; None of numbers.
    unit : str
        "classes" or "units".
    """

    nominal: float
    held: Estimate
    size: float
    empty: float | None
    single: float | None
    unit: str

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        what = "prediction sets" if self.unit == "classes" else "prediction intervals"
        wide = f"{self.size:.3g} classes each" if self.unit == "classes" else f"{self.size:.4g} wide"
        return f"{self.nominal:.0%} {what}, {wide} on average, hold the truth of {self.held} of new rows."


def check_coverage_level(coverage: Any) -> float:
    """Return a share in (0, 1), or raise InvalidParameter."""
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0 < coverage < 1:
        raise InvalidParameter(f"conformal={coverage!r}: give the share to be covered, between 0 and 1, as 0.9.")
    return float(coverage)


def checked_coverage(truth: Truth, said: Predictions, coverage: float, *, seed: int = 0) -> Coverage | None:
    """Learn the quantile on one half of the rows, look at the other, and the other way round.

    Returns None where there is nothing to learn it from: no probabilities, or too few rows.
    """
    if not _is_possible(truth, said) or len(truth) < 2 * FEWEST:
        return None
    order = np.random.default_rng(seed).permutation(len(truth))
    halves, scores = np.array_split(order, 2), strangeness(truth, said)
    limits = np.empty_like(scores)
    for here, there in (halves, halves[::-1]):
        limits[there] = conformal_quantile(scores[here], coverage)
    inside = scores <= limits + 1e-12
    held = proportion(int(inside.sum()), inside.size)
    if truth.task == "regression":
        return Coverage(coverage, held, float(2 * limits[:, 0].mean()), None, None, "units")
    sizes = (1 - np.asarray(said.probabilities) <= limits + 1e-12).sum(axis=1)
    none, one = (float((sizes == k).mean()) for k in (0, 1))
    return Coverage(coverage, held, float(sizes.mean()), none, one, "classes")


def _is_possible(truth: Truth, said: Any) -> bool:
    return truth.task == "regression" or (truth.task in ("binary", "multiclass") and said.probabilities is not None)


class Conformal:
    """A fitted model whose answers come as sets of classes, or as intervals, that hold the truth at a stated rate.

    Made by `conformal`.

    Attributes
    ----------
    model : estimator
    coverage : float
    quantile_ : ndarray of shape (n_targets,)
        The greatest strangeness that is inside; of classes one number.
    n_rows_ : int
        Rows that it was learned from.
    """

    def __init__(self, model: Any, coverage: float, quantile: Array, n_rows: int) -> None:
        self.model, self.coverage, self.quantile_, self.n_rows_ = model, coverage, quantile, n_rows

    def __repr__(self) -> str:
        return f"Conformal({self.model!r}, coverage={self.coverage}, {self.n_rows_:,} rows)"

    def predict(self, X: Any) -> Array:
        """Return what the model itself answers."""
        return self.model.predict(X)

    def predict_set(self, X: Any) -> Array:
        """Return which classes may be the true one.

        Parameters
        ----------
        X : as the model takes it

        Returns
        -------
        ndarray of shape (n_samples, n_classes), bool
            In the order of the model's `classes_`.

        Raises
        ------
        InvalidInput
            If the model predicts numbers.
        """
        if not hasattr(self.model, "classes_"):
            raise InvalidInput(f"{type(self.model).__name__} predicts numbers: ask predict_interval for intervals.")
        return sets_of(np.asarray(self.model.predict_proba(X), dtype=np.float64), float(self.quantile_[0]))

    def predict_interval(self, X: Any) -> Array:
        """Return between what the true number lies.

        Parameters
        ----------
        X : as the model takes it

        Returns
        -------
        ndarray of shape (n_samples, 2), or (n_samples, n_targets, 2)
            The least and the greatest number.

        Raises
        ------
        InvalidInput
            If the model predicts classes.
        """
        if hasattr(self.model, "classes_"):
            raise InvalidInput(f"{type(self.model).__name__} predicts classes: ask predict_set for sets of them.")
        said = np.asarray(self.model.predict(X), dtype=np.float64)
        wide = self.quantile_ if said.ndim == 2 else self.quantile_[0]
        return np.stack([said - wide, said + wide], axis=-1)


def conformal(model: Any, X: Any, y: Any = None, *, coverage: float = 0.9) -> Conformal:
    """Return a model whose answers are sets of classes, or intervals, that hold the truth at the rate `coverage`.

    Parameters
    ----------
    model : estimator
        A fitted classifier with `predict_proba`, or regressor, of ours or of scikit-learn.
    X, y : features and true answers
        Of rows that the model did not learn from, and that come from where new rows will come from: 20 at least, and
        1 / (1 - coverage) for a finite limit.
    coverage : float in (0, 1)

    Returns
    -------
    Conformal

    Raises
    ------
    InvalidParameter
        If the coverage is no share.
    InvalidInput
        If the model has no probabilities, or the rows are too few.

    References
    ----------
    Vovk, Gammerman & Shafer 2005; Lei et al. 2018, JASA 113; Sadinle, Lei & Wasserman 2019, JASA 114.
    """
    coverage = check_coverage_level(coverage)
    check_model(model)
    X, y = split_target(model, X, y)
    truth = truth_of(model, X, y)
    fewest = max(FEWEST, math.ceil(1 / (1 - coverage) - 1e-9) - 1)
    if len(truth) < fewest:
        raise InvalidInput(f"{len(truth)} rows are too few to promise {coverage:.0%}. Give {fewest} or more.")
    said = predict(model, X, truth)
    if not _is_possible(truth, said):
        raise InvalidInput(
            f"{type(model).__name__} gives no probabilities of one class among several, which sets are made of. Give a "
            "classifier that has predict_proba, or a regressor."
        )
    return Conformal(model, coverage, conformal_quantile(strangeness(truth, said), coverage), len(truth))
