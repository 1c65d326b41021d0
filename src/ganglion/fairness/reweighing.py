"""Reweighing: rows count by how rare their class is in their group, until group and class are independent.

    W(s, y) = P(s) P(y) / P(s, y)                                                     algorithm 3

Kamiran & Calders 2012, "Data preprocessing techniques for classification without discrimination", Knowledge and
Information Systems 33, 1-33, section 5.3. Any number of groups and classes; P is counted with the rows' own weights.
Differs: W may be raised to a power below 1 (`strength`), since full independence of class and group is more than equal
error rates ask for where the classes differ in truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganglion.errors import InvalidParameter
from ganglion.evaluation.inputs import check_weight, read_answers
from ganglion.fairness.debiased import Debiased, fit_weighted
from ganglion.fairness.groups import Array, Groups, Sensitive, crossed, read_groups


class Reweighed(Debiased):
    """A classifier that learns from reweighed rows.

    Parameters
    ----------
    estimator : classifier
        Whose `fit` takes `sample_weight`.
    sensitive : str, int, or list of str, optional
        Columns of X; without, their values are given to `fit`.
    hide : bool
        Whether the estimator is not shown these columns.
    strength : float
        The power that W is raised to: 1 is the paper's, 0 leaves the rows as they are.

    Attributes
    ----------
    estimator_ : classifier
    weights_ : ndarray of shape (n_samples,)
        What each row counted, its own weight included.

    References
    ----------
    Kamiran & Calders 2012, Knowledge and Information Systems 33, 1-33.
    """

    def __init__(
        self, estimator: Any, *, sensitive: Sensitive = None, hide: bool = False, strength: float = 1.0
    ) -> None:
        self.estimator, self.sensitive, self.hide, self.strength = estimator, sensitive, hide, strength

    def _fit(self, X: Any, y: Array, groups: Groups, weight: Array | None) -> None:
        if not 0 <= self.strength < np.inf:
            raise InvalidParameter(f"strength={self.strength!r}: give the power of the weights, a number of 0 or more.")
        self.weights_ = _weights(groups.codes, np.searchsorted(self.classes_, y), weight, self.strength)
        self.estimator_ = fit_weighted(self.estimator, X, y, self.weights_)


def reweigh(
    y: Any,
    sensitive: Sensitive,
    *,
    X: Any = None,
    sample_weight: Any = None,
    bins: Mapping[str, Sequence[float]] | None = None,
) -> Array:
    """Return the weight of each row that makes class and group independent, eq. of algorithm 3.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels.
    sensitive : array-like of shape (n_rows,), frame, mapping of str to array-like, or names of columns of X
        Of several columns the groups that they make together.
    X : Dataset, frame or mapping, optional
        Where columns that `sensitive` names are looked up.
    sample_weight : array-like of shape (n_rows,), optional
        Weights that the rows have already; they are part of the result.
    bins : mapping of str to sequence of float, optional
        Where to cut columns of numbers, as for `audit`.

    Returns
    -------
    ndarray of shape (n_rows,), float64

    References
    ----------
    Kamiran & Calders 2012, Knowledge and Information Systems 33, 1-33, section 5.3.

    Examples
    --------
    >>> reweigh([1, 1, 0, 1], {"sex": ["m", "m", "f", "f"]}).tolist()
    [0.75, 0.75, 0.5, 1.5]
    """
    labels = read_answers(y, "y")
    columns = read_groups(sensitive, X, len(labels), bins=bins)
    groups = columns[0] if len(columns) == 1 else crossed(columns)
    return _weights(groups.codes, np.unique(labels, return_inverse=True)[1], check_weight(sample_weight, len(labels)))


def _weights(groups: Array, classes: Array, weight: Array | None, strength: float = 1.0) -> Array:
    own = np.ones(len(groups)) if weight is None else weight
    joint = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(joint, (groups, classes), own)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True) / own.sum()
    ratio = np.divide(apart, joint, out=np.zeros_like(joint), where=joint > 0)
    return own * ratio[groups, classes] ** strength
