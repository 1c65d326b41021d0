"""Whether an exported model gives the answers of the original, and if not, in which part it begins to differ.

    probabilities   |a - b|
    numbers         |a - b| / max(d, |a|)       d the target's deviation in training: tons and grams alike
    scores          |a - b| / max(1, |a|)
    codes           |a - b| / max(1, |c|)       c the largest number of the code: what is far has large ones

Labels must be equal, save where the original's best two are closer together than that tolerance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ganglion.deployment.kind import CLOSE
from ganglion.deployment.kinds import kind_of
from ganglion.estimators.base import Estimator

TOLERANCE = 1e-5


class Answering(Protocol):
    """What an exported model of any format offers: its answers by role."""

    def answer(self, X: Any) -> dict[str, np.ndarray]:
        """Return the answers to rows: "label", "probabilities", "prediction" or whichever there are."""
        ...


@dataclass(frozen=True)
class Parity:
    """What a comparison found.

    Attributes
    ----------
    rows : int
        Rows compared.
    difference : float
        The largest difference, as the table at the top of the module has it.
    where : str
        Which rows had it.
    agreement : float
        Share of the labels that are equal; of numbers, of the rows within the tolerance.
    wrong : int
        Labels that differ where there is no tie.
    tolerance : float
    mean : float
        The mean over rows of the largest difference in each.
    labels : bool
        Whether there are labels.
    said : int
        Labels, or numbers of rows, compared: none where no object was found in any picture.
    """

    rows: int
    difference: float
    where: str
    agreement: float
    wrong: int
    tolerance: float = TOLERANCE
    mean: float = 0.0
    labels: bool = False
    said: int = 0

    @property
    def holds(self) -> bool:
        """Whether the answers are the same, within the tolerance."""
        return self.difference <= self.tolerance and not self.wrong


def compare(
    model: Estimator,
    exported: Answering,
    batches: Iterable[tuple[str, Any, Any]],
    *,
    tolerance: float = TOLERANCE,
) -> Parity:
    """Compare the answers of an exported model with those of the original.

    Parameters
    ----------
    model : Estimator
    exported : Answering
    batches : iterable of (str, X, X)
        What each batch is, its rows as the original takes them, and as the exported model does.
    tolerance : float
    """
    n_rows, n_equal, n_wrong, n_said, total, worst, own = 0, 0, 0, 0, 0.0, (0.0, ""), {}
    for what, given, X in batches:
        own = answers_of(model, given)
        said = exported.answer(X)
        rows = len(next(iter(own.values())))
        own, said = _flat(own), _flat(kind_of(model).aligned(own, said))
        found = {role: differences(model, role, own[role], said[role]) for role in own.keys() - {"label", CLOSE}}
        apart = np.zeros(max(map(len, found.values())))
        for each in found.values():
            apart = np.maximum(apart, each.reshape(len(each), -1).max(1)) if each.size else apart
        if apart.max(initial=0.0) > worst[0] or not worst[1]:
            worst = (float(apart.max(initial=0.0)), what)
        equal, tied = apart <= tolerance, np.zeros(len(apart), dtype=bool)
        if "label" in own:
            same = own["label"].shape == said["label"].shape
            equal = own["label"] == said["label"] if same else np.zeros(1, dtype=bool)
            tied = kind_of(model).tied(own, tolerance) if same else np.zeros(1, dtype=bool)
        n_rows, n_equal, n_said = n_rows + rows, n_equal + int(equal.sum()), n_said + equal.size
        n_wrong += int((~equal & ~tied).sum())
        total += float(apart.mean()) * rows if apart.size else 0.0
    share, mean = n_equal / max(1, n_said), total / max(1, n_rows)
    return Parity(n_rows, *worst, share, n_wrong, tolerance, mean, "label" in own, n_said)


def _flat(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return answers whose samples differ in length end to end."""
    ragged = {role for role, each in answers.items() if each.dtype == object and isinstance(each[0], np.ndarray)}
    return {role: np.concatenate(each.tolist()) if role in ragged else each for role, each in answers.items()}


def answers_of(model: Any, X: Any) -> dict[str, np.ndarray]:
    """Return what a fitted model says of X, by role, as an exported one has it."""
    return kind_of(model).own(model, X)


def differences(model: Any, role: str, own: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return how far an exported answer is from the original's, by its role's measure; infinite for other shapes."""
    if own.shape != said.shape:
        return np.array([np.inf])
    a, b = own.astype(np.float64), said.astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        apart = np.abs(a - b)
    apart = np.where((np.isnan(a) & np.isnan(b)) | (a == b), 0.0, np.where(np.isnan(apart), np.inf, apart))
    if role == "probabilities":
        return apart
    size = np.abs(a).max(1, keepdims=True) if role == "codes" else np.abs(a)
    with np.errstate(invalid="ignore"):
        return np.where(apart == 0, 0.0, apart / np.maximum(kind_of(model).unit(model, role), size))
