"""Labels that are probably wrong, by confident learning.

    t_j = mean of p(j | x) over rows that are labelled j          how sure the model is of class j where it is said
    a row that is labelled i is suspected of j ≠ i                if p(j | x) >= t_j, and j is the likeliest such class

Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, eq. 1 and 2.
Rows must be ones that the model did not learn from: of others it knows the wrong labels by heart. Letters: n rows, k
classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.predictions import Array


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is probably wrong.

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
    counts = np.bincount(codes, minlength=probabilities.shape[1])
    sums = np.bincount(codes, probabilities[np.arange(len(codes)), codes], probabilities.shape[1])
    least = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)  # of a class that no row has nothing is known
    confident = np.where(probabilities >= least, probabilities, -np.inf)
    likely = confident.argmax(axis=1)
    rows = np.flatnonzero((confident.max(axis=1) > -np.inf) & (likely != codes))
    margin = probabilities[rows, likely[rows]] - probabilities[rows, codes[rows]]
    rows = rows[margin > 0][np.argsort(-margin[margin > 0], kind="stable")]
    return rows, likely[rows]


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
