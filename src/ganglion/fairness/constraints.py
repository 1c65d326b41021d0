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

from ganglion.data.rows import n_rows
from ganglion.errors import InvalidParameter, missing_extra
from ganglion.fairness.debiased import fit_weighted
from ganglion.fairness.drawn import Drawn
from ganglion.fairness.groups import Array, Groups, Sensitive
from ganglion.fairness.rows import Rows

_MOMENTS = {
    "equalized_odds": "EqualizedOdds",
    "demographic_parity": "DemographicParity",
    "true_positive_rate_parity": "TruePositiveRateParity",
    "false_positive_rate_parity": "FalsePositiveRateParity",
}


class Constrained(Drawn):
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
    mixture_ : list of tuple of float and classifier or int
        How often, and which classifier is drawn; 0 or 1 is one that always says that class.

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
        self._check("a constraint")
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
            (float(shares[k]), _alone(each)) for k, each in enumerate(reduction.predictors_) if shares.get(k, 0) > 0
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

    def saved(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the classifiers of the mixture, and how often each is drawn."""
        self._inner()
        networks = [each for _, each in self.mixture_ if not isinstance(each, int)]
        if not networks:
            raise InvalidParameter(
                "the mixture always answers the same class, so there is nothing to save. Give more slack."
            )
        mixture = [[share, each if isinstance(each, int) else "network"] for share, each in self.mixture_]
        return networks, {"mixture": mixture, "n_columns": self.n_columns_}

    def restore(self, networks: list[Any], rule: dict[str, Any]) -> None:
        """Take what `saved` returned; fairlearn's own object is not there any more."""
        left = iter(networks)
        self.mixture_ = [
            (float(share), int(each) if isinstance(each, int) else next(left)) for share, each in rule["mixture"]
        ]
        self.n_columns_, self.estimator_ = int(rule["n_columns"]), None

    @property
    def n_features_in_(self) -> int:
        """Features of X in `fit`."""
        self._inner()
        return self.n_columns_ + len(self.hidden_)

    def predict_proba(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the chance of each class to be answered, (n_samples, 2).

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : optional
            Not needed.
        """
        self._inner()
        shown, n = self._shown(X), n_rows(X)
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


def _alone(predictor: Any) -> Any:
    """Return a classifier of the mixture as it was fitted, or the class that fairlearn lets it always say."""
    return predictor.model_ if isinstance(predictor, _OnRows) else int(predictor.predict(np.zeros((1, 1)))[0])


def _said(model: Any, X: Any, n: int) -> Array:
    """Return what one classifier of the mixture says of other rows, 0 or 1."""
    return np.full(n, float(model)) if isinstance(model, int) else np.asarray(model.predict(X), dtype=np.float64)


def _width(X: Any) -> int:
    shape = getattr(X, "shape", ())
    return int(shape[1]) if len(shape) > 1 else len(getattr(X, "names", (0,)))
