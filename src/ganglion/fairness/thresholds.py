"""Thresholds of their own for each group: a mitigation after training.

Hardt, Price & Srebro 2016, "Equality of opportunity in supervised learning", arXiv:1610.02413: in each group a
threshold, or a coin between two of them, so that rates agree and accuracy is the best that this allows. The thresholds
are found on rows that the estimator did not learn from: on its own training rows it is surer than elsewhere. Rates
that agree exactly come from fairlearn's `ThresholdOptimizer`; with slack, which costs less accuracy, from `relaxed`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split

from ganglion.data.rows import n_rows
from ganglion.errors import InvalidInput, InvalidParameter, missing_extra
from ganglion.fairness.debiased import fit_weighted
from ganglion.fairness.drawn import Drawn
from ganglion.fairness.groups import Array, Groups, Sensitive
from ganglion.fairness.relaxed import Thresholds, find_thresholds, number_to_json
from ganglion.fairness.rows import Rows


class Thresholded(Drawn):
    """A classifier whose answers are cut by a threshold for each group. It needs the group of each row to answer.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba`.
    sensitive : str, int, or list of str, optional
        Columns of X; without, their values are given to `fit` and `predict`.
    hide : bool
        Whether the estimator is not shown these columns; the thresholds need them all the same.
    constraint : {"equalized_odds", "demographic_parity", "true_positive_rate_parity", "false_positive_rate_parity"}
        Which rates agree between groups.
    slack : float
        By how much they may differ, on the rows that the thresholds are found on.
    holdout : float
        Part of the rows that the thresholds are found on, and the estimator does not learn from; 0 finds them on the
        rows that it learned from.
    random_state : int
        Of that part, and of the coins: the same rows get the same answers.

    Attributes
    ----------
    estimator_ : classifier
    optimizer_ : fairlearn.postprocessing.ThresholdOptimizer
        Without slack.
    thresholds_ : Thresholds
        Those of each group, and how often each is used.

    References
    ----------
    Hardt et al. 2016, arXiv:1610.02413.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        sensitive: Sensitive = None,
        hide: bool = False,
        constraint: str = "equalized_odds",
        slack: float = 0.0,
        holdout: float = 0.2,
        random_state: int = 0,
    ) -> None:
        self.estimator, self.sensitive, self.hide = estimator, sensitive, hide
        self.constraint, self.slack = constraint, slack
        self.holdout, self.random_state = holdout, random_state

    def _fit(self, X: Any, y: Array, groups: Groups, weight: Array | None) -> None:
        self._check("a threshold")
        if not 0 <= self.slack < 1:
            raise InvalidParameter(f"slack={self.slack!r}: give a difference of rates, 0 or more and below 1.")
        optimizer = None if self.slack else threshold_optimizer()
        codes = np.searchsorted(self.classes_, y)
        learned, held = self._parts(codes, groups)
        rows = Rows(X)
        self.estimator_ = fit_weighted(
            self.estimator, rows.take(learned), y[learned], None if weight is None else weight[learned]
        )
        scores = self._scores(rows.take(held))
        if optimizer is None:
            limits = {"constraint": self.constraint, "slack": self.slack}
            self.thresholds_ = find_thresholds(scores[:, 0], codes[held] == 1, groups.codes[held], **limits)
            return
        self.optimizer_ = optimizer(
            estimator=_Given().fit(scores, codes[held]),
            constraints=self.constraint,
            prefit=True,
            predict_method="predict_proba",
        )
        self.optimizer_.fit(scores, codes[held], sensitive_features=groups.codes[held])
        self.thresholds_ = _thresholds(self.optimizer_.interpolated_thresholder_.interpolation_dict)

    def _parts(self, codes: Array, groups: Groups) -> tuple[Array, Array]:
        """Return the rows to learn from and those to find thresholds on; each group and class stands in both."""
        every = np.arange(len(codes))
        if not 0 <= self.holdout < 1:
            raise InvalidParameter(f"holdout={self.holdout!r}: give a share of the rows, 0 or more and below 1.")
        cells = groups.codes * 2 + codes
        found, counts = np.unique(cells, return_counts=True)
        if len(found) < 2 * len(groups.labels):
            lacking = next(g for g in range(len(groups.labels)) if (found // 2 == g).sum() < 2)
            raise InvalidInput(
                f"all rows of the group {groups.labels[lacking]!r} have one class, so it has no threshold of its own. "
                "Join it with another group."
            )
        if self.holdout == 0:
            return every, every
        if (np.minimum(counts * self.holdout, counts * (1 - self.holdout)) < 1).any():
            raise InvalidInput(
                f"groups are too small to hold out {self.holdout:.0%} of each class in them. Give more rows, join "
                "groups, or holdout=0."
            )
        learned, held = train_test_split(every, test_size=self.holdout, random_state=self.random_state, stratify=cells)
        return np.sort(learned), np.sort(held)

    def _scores(self, X: Any) -> Array:
        return np.asarray(self._inner().predict_proba(X), dtype=np.float64)[:, 1:]

    def saved(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the classifier, and the thresholds of each group with how often each is used."""
        pairs = zip(self.thresholds_.cuts, self.thresholds_.shares, strict=True)
        return [self._inner()], {
            "thresholds": [
                [[number_to_json(cut), float(share)] for cut, share in zip(cuts, shares, strict=True)]
                for cuts, shares in pairs
            ]
        }

    def restore(self, networks: list[Any], rule: dict[str, Any]) -> None:
        """Take what `saved` returned."""
        super().restore(networks, rule)
        groups = [np.array([[float(cut), float(share)] for cut, share in pairs]).T for pairs in rule["thresholds"]]
        self.thresholds_ = Thresholds(tuple(each[0] for each in groups), tuple(each[1] for each in groups))

    def predict_proba(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the chance of each class to be answered, (n_samples, 2): 0 or 1 but where a coin decides.

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : array-like, frame or mapping, optional
            As for `predict`.
        """
        self._inner()
        groups = self._groups_again(X, sensitive, n_rows(X))
        scores = self._scores(self._shown(X))
        chance = self.thresholds_.chances(scores[:, 0], groups)
        return np.column_stack([1 - chance, chance])


def _thresholds(rules: Any) -> Thresholds:
    """Return fairlearn's rules, one a group: two thresholds by chance, or now and then a coin whatever the score."""
    cuts, shares = [], []
    for _, rule in sorted(rules.items()):
        ignored = float(rule.get("p_ignore", 0.0))
        kept = [(1 - ignored) * float(rule.p0), (1 - ignored) * float(rule.p1)]
        above = [rule.operation0.threshold, rule.operation1.threshold]
        # it asks for scores above a threshold, and we for the least such number or more
        cuts.append(np.array([-np.inf, *np.nextafter(np.asarray(above, dtype=np.float64), np.inf)]))
        shares.append(np.array([ignored * float(rule.get("prediction_constant", 0.0)), *kept]))
    return Thresholds(tuple(cuts), tuple(shares))


class _Given(ClassifierMixin, BaseEstimator):
    """Takes scores for features, and says them again: what fairlearn asks is known already."""

    def fit(self, X: Array, y: Array) -> _Given:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Array) -> Array:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def threshold_optimizer() -> Any:
    """Return fairlearn's class, or raise MissingExtra."""
    try:
        from fairlearn.postprocessing import ThresholdOptimizer
    except ImportError as error:
        raise missing_extra("fairlearn", "fairness", "a threshold for each group") from error
    return ThresholdOptimizer
