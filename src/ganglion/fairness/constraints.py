"""Constraints while training: a mitigation through fairlearn's reduction to weighted classification.

Agarwal et al. 2018, "A reductions approach to fair classification", arXiv:1803.02453: a game between a classifier,
which is fitted again and again to weighted rows, and multipliers of the constraints; the result is a mixture of
classifiers, one of which is drawn for each row that is to be answered.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ganglion.errors import InvalidParameter, missing_extra
from ganglion.fairness.debiased import Debiased, check_binary, drawn, fit_weighted, n_rows_of
from ganglion.fairness.groups import Array, Groups, Sensitive
from ganglion.fairness.rows import Rows
from ganglion.fairness.thresholds import check_constraint

_MOMENTS = {
    "equalized_odds": "EqualizedOdds",
    "demographic_parity": "DemographicParity",
    "true_positive_rate_parity": "TruePositiveRateParity",
    "false_positive_rate_parity": "FalsePositiveRateParity",
}


class Constrained(Debiased):
    """A mixture of classifiers that keeps a constraint on the training rows. Each of them is a training of its own.

    Parameters
    ----------
    estimator : classifier
        Whose `fit` takes `sample_weight`.
    sensitive : str, int, or list of str, optional
        Columns of X; without, their values are given to `fit`. They are not needed to answer.
    hide : bool
        Whether the estimator is not shown these columns.
    constraint : {"equalized_odds", "demographic_parity", "true_positive_rate_parity", "false_positive_rate_parity"}
        Which rates agree between groups.
    slack : float
        By how much they may differ from the mean.
    max_iter : int
        Rounds of the game; each fits the estimator, sometimes twice.
    random_state : int
        Of the draws: the same rows get the same answers.

    Attributes
    ----------
    estimator_ : fairlearn.reductions.ExponentiatedGradient
    mixture_ : list of tuple of float and classifier
        The classifiers that are drawn, and how often.

    References
    ----------
    Agarwal et al. 2018, arXiv:1803.02453.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        sensitive: Sensitive = None,
        hide: bool = False,
        constraint: str = "equalized_odds",
        slack: float = 0.01,
        max_iter: int = 10,
        random_state: int = 0,
    ) -> None:
        self.estimator, self.sensitive, self.hide = estimator, sensitive, hide
        self.constraint, self.slack, self.max_iter, self.random_state = constraint, slack, max_iter, random_state

    def _fit(self, X: Any, y: Array, groups: Groups, weight: Array | None) -> None:
        check_constraint(self.constraint)
        check_binary("a constraint", self.classes_)
        if weight is not None and weight.min() < weight.max():
            raise InvalidParameter(
                "sample_weight cannot be given to the method constraints, which weighs rows itself. Leave it out, or "
                "use another method."
            )
        places = np.arange(len(y))[:, None]
        reduction = self._reduction(Rows(X))
        with warnings.catch_warnings():
            # how fairlearn 0.15 fills a pandas Series, which pandas 3 does and says that pandas 4 will not
            warnings.filterwarnings("ignore", message="Setting a", category=DeprecationWarning)
            reduction.fit(places, np.searchsorted(self.classes_, y), sensitive_features=groups.codes)
        self.estimator_ = reduction
        shares = reduction.weights_.to_dict()
        self.mixture_ = [
            (float(shares[k]), each) for k, each in enumerate(reduction.predictors_) if shares.get(k, 0) > 0
        ]
        self.n_columns_ = _width(X)

    def _reduction(self, rows: Rows) -> Any:
        try:
            from fairlearn import reductions
        except ImportError as error:
            raise missing_extra("fairlearn", "fairness", "a constraint while training") from error
        moment = getattr(reductions, _MOMENTS[self.constraint])(difference_bound=self.slack)
        return reductions.ExponentiatedGradient(
            _OnRows(self.estimator, rows), moment, eps=self.slack, max_iter=self.max_iter
        )

    @property
    def n_features_in_(self) -> int:
        """Features of X in `fit`."""
        self._inner()
        return self.n_columns_ + len(self.hidden_)

    def predict(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the class of each sample, said by a classifier of the mixture that is drawn for it.

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : optional
            Not needed.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        chance = self.predict_proba(X)[:, 1]
        return self.classes_[drawn(chance, self.random_state).astype(np.intp)]

    def predict_proba(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the chance of each class to be answered, (n_samples, 2).

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : optional
            Not needed.
        """
        self._inner()
        shown, n = self._shown(X), n_rows_of(X)
        said = sum(share * _said(each, shown, n) for share, each in self.mixture_)
        total = sum(share for share, _ in self.mixture_)
        chance = np.clip(np.asarray(said) / total, 0, 1)
        return np.column_stack([1 - chance, chance])

    def decision_function(self, X: Any) -> Array:
        """Return how much oftener the second class is answered than the first, (n_samples,).

        Parameters
        ----------
        X : array-like, frame or Dataset
        """
        return self.predict_proba(X)[:, 1] - 0.5


class _OnRows(ClassifierMixin, BaseEstimator):
    """An estimator that fairlearn can handle whatever X is: its features are places of rows."""

    def __init__(self, estimator: Any, rows: Rows) -> None:
        self.estimator, self.rows = estimator, rows

    def fit(self, X: Array, y: Any, sample_weight: Any = None) -> _OnRows:
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        labels = np.asarray(y)
        self.model_ = fit_weighted(self.estimator, self.rows.take(np.asarray(X)[:, 0]), labels, weight)
        self.classes_ = np.unique(labels)
        return self

    def predict(self, X: Array) -> Array:
        return np.asarray(self.model_.predict(self.rows.take(np.asarray(X)[:, 0])))


def _said(predictor: Any, X: Any, n_rows: int) -> Array:
    """Return what one classifier of the mixture says of other rows, 0 or 1; one that always says the same sees none."""
    if isinstance(predictor, _OnRows):
        return np.asarray(predictor.model_.predict(X), dtype=np.float64)
    return np.asarray(predictor.predict(np.zeros((n_rows, 1))), dtype=np.float64)


def _width(X: Any) -> int:
    shape = getattr(X, "shape", ())
    return int(shape[1]) if len(shape) > 1 else len(getattr(X, "names", (0,)))
