"""Labels worth a check, by confident learning: of a good model most of them are wrong, of a weak one its own mistakes.

    t_j = mean of p(j | x) over rows labelled j        how sure the model is of class j where that is said       (eq. 2)
    C_ij = rows labelled i whose likeliest class among those with p(j | x) >= t_j is j                           (eq. 1)
    Q_ij = C_ij / Σ_j C_ij · (share of rows labelled i)                                                          (eq. 3)
    suspected of j ≠ i are the n Q_ij rows labelled i with the largest p(j | x) - p(i | x), above 0 ("by noise rate")

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, section 3.
Rows must be ones that the model did not learn from: of others it knows the wrong labels by heart. Letters: n rows, k
classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.predictions import Array


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is worth a check.

    Attributes
    ----------
    row : int
    given, likely : str
        The label that it has, and the one that the model thinks of.
    margin : float
        p(likely | x) - p(given | x): the surer, the nearer to 1.
    """

    row: int
    given: str
    likely: str
    margin: float


def suspected(codes: Array, probabilities: Array) -> tuple[Array, Array]:
    """Return which rows are suspected, (m,), the surest first, and of what, (m,) codes.

    Parameters
    ----------
    codes : ndarray of shape (n,), int64
        The labels that were given.
    probabilities : ndarray of shape (n, k)
        Of a model that did not learn from these rows.
    """
    n_classes, rows = probabilities.shape[1], np.arange(len(codes))
    counts = np.bincount(codes, minlength=n_classes)
    sums = np.bincount(codes, probabilities[rows, codes], n_classes)
    least = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)  # of a class that no row has nothing is known
    confident = np.where(probabilities >= least, probabilities, -np.inf)
    sure = confident.max(axis=1) > -np.inf
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (codes[sure], confident.argmax(axis=1)[sure]), 1)
    wrong = np.round(joint / np.maximum(joint.sum(axis=1, keepdims=True), 1) * counts[:, None]).astype(int)
    found = [
        _largest(np.flatnonzero(codes == i), probabilities[:, j] - probabilities[:, i], wrong[i, j])
        for i, j in zip(*np.nonzero(wrong), strict=True)
        if i != j
    ]
    suspects = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))
    others = probabilities[suspects].copy()
    others[np.arange(len(suspects)), codes[suspects]] = -np.inf
    margin = others.max(axis=1, initial=-np.inf) - probabilities[suspects, codes[suspects]]
    order = np.argsort(-margin, kind="stable")
    return suspects[order], others.argmax(axis=1)[order]


def _largest(rows: Array, margin: Array, most: int) -> Array:
    """Return at most so many of the rows, those with the largest margin above 0."""
    rows = rows[margin[rows] > 0]
    return rows[np.argsort(-margin[rows], kind="stable")[:most]]


def label_suspects(
    codes: Array, probabilities: Array, classes: tuple[str, ...], *, most: int = 1000
) -> tuple[Suspect, ...]:
    """Return the suspected rows as what a reader sees, the surest first; parameters as of `suspected`."""
    rows, likely = suspected(codes, probabilities)
    margins = probabilities[rows, likely] - probabilities[rows, codes[rows]]
    return tuple(
        Suspect(row, classes[codes[row]], classes[code], margin)
        for row, code, margin in list(zip(rows.tolist(), likely.tolist(), margins.tolist(), strict=True))[:most]
    )
