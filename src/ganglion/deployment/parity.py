"""Whether an exported model gives the answers of the original, and if not, in which part it begins to differ.

    probabilities   |a - b|
    numbers         |a - b| / max(d, |a|)       d the target's deviation in training: tons and grams alike
    scores          |a - b| / max(1, |a|)

Labels must be equal, save where the original's best two are closer together than that tolerance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ganglion.estimators.base import Estimator
from ganglion.estimators.targets import NumberTarget

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
    """

    rows: int
    difference: float
    where: str
    agreement: float
    wrong: int
    tolerance: float = TOLERANCE
    mean: float = 0.0
    labels: bool = False

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
        apart = np.zeros(rows)
        for role in own.keys() - {"label"}:
            found = differences(model, role, own[role], said[role])
            apart = np.maximum(apart, found.reshape(len(found), -1).max(1))
        if apart.max() > worst[0] or not worst[1]:
            worst = (float(apart.max()), what)
        equal, tied = (
            _labels(own, said, tolerance) if "label" in own else (apart <= tolerance, np.zeros(rows, dtype=bool))
        )
        n_rows, n_equal, n_said = n_rows + rows, n_equal + int(equal.sum()), n_said + equal.size
        n_wrong, total = n_wrong + int((~equal & ~tied).sum()), total + float(apart.sum())
    share, mean = n_equal / max(1, n_said), total / max(1, n_rows)
    return Parity(n_rows, *worst, share, n_wrong, tolerance, mean, "label" in own)


def answers_of(model: Any, X: Any) -> dict[str, np.ndarray]:
    """Return what a fitted classifier or regressor says of X, by role, as an exported model has it."""
    if isinstance(model.target_, NumberTarget):
        deviation = {"deviation": model.predict_deviation(X)} if model.target_.normal else {}
        return {"prediction": model.predict(X), **deviation}
    if hasattr(model, "predict_proba"):
        return {"label": model.predict(X), "probabilities": model.predict_proba(X)}
    scores = model.decision_function(X)
    return {"label": model.predict(X), "scores": scores[:, None] if scores.ndim == 1 else scores}


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
    unit = model.target_.deviation if isinstance(model.target_, NumberTarget) and not model.target_.flat else 1.0
    if isinstance(model.target_, NumberTarget) and model.target_.flat:
        unit = float(model.target_.deviation[0])
    with np.errstate(invalid="ignore"):
        return np.where(apart == 0, 0.0, apart / np.maximum(unit, np.abs(a)))


def _labels(own: dict[str, np.ndarray], said: dict[str, np.ndarray], tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels are equal, and which are a tie: closer to another one than the tolerance."""
    equal = own["label"] == said["label"] if own["label"].shape == said["label"].shape else np.zeros(1, dtype=bool)
    if "scores" in own:
        scores = own["scores"].astype(np.float64)
        room = tolerance * np.maximum(1.0, np.abs(scores).max(1))
    else:
        scores, room = own["probabilities"].astype(np.float64), 2 * tolerance
    if own["label"].ndim == 2:
        return equal, np.abs(scores - 0.5) < room
    if scores.shape[1] == 1:
        return equal, np.abs(scores[:, 0]) < room
    best = np.sort(scores, axis=1)
    return equal, best[:, -1] - best[:, -2] < room
