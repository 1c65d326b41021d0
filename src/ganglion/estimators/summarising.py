"""What a fitted model remembers of its training data, in shares: see `ganglion.data.summary`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ganglion.data.dataset import Dataset
from ganglion.data.summary import ColumnSummary, Summary, of_numbers, summarise

if TYPE_CHECKING:
    from ganglion.estimators.base import Estimator

_ASKED = {"table": 500, "image": 100}  # training rows whose predictions are looked at, at even distances
_MOST_TARGETS = 20


def summary_of(model: Estimator, data: Dataset) -> Summary:
    """Return the summary of the training rows, and of what the fitted model says of some of them.

    Parameters
    ----------
    model : Estimator
        Just fitted.
    data : Dataset
        The features that it was fitted to.
    """
    summary = summarise(data, model.encoder_)
    asked = _ASKED.get(model.modality_, 0)
    if not asked or model.tags.task not in ("classification", "regression"):
        return summary
    some = data.take(np.arange(0, len(data), max(1, -(-len(data) // asked))))
    return replace(summary, prediction=tuple(_predictions(model, some)))


def _predictions(model: Estimator, data: Dataset) -> list[ColumnSummary]:
    name = model.target_name_ if getattr(model, "target_name_", "") else "prediction"
    if model.tags.task == "regression":
        return numbers_in(name, np.asarray(model.predict(data)))  # type: ignore[attr-defined]
    if hasattr(model, "predict_proba"):
        return shares_of_classes(name, model.classes_, np.asarray(model.predict_proba(data)))  # type: ignore[attr-defined]
    labels = np.asarray(model.predict(data))  # type: ignore[attr-defined]
    classes = model.classes_  # type: ignore[attr-defined]
    return shares_of_classes(name, classes, np.stack([labels == each for each in classes], axis=1))


def numbers_in(name: str, predicted: np.ndarray) -> list[ColumnSummary]:
    """Return predicted numbers, (n,) or (n, targets), in shares."""
    if predicted.ndim == 1:
        return [of_numbers(name, "numeric", predicted)]
    return [of_numbers(f"{name}_{i}", "numeric", column) for i, column in enumerate(predicted.T[:_MOST_TARGETS])]


def shares_of_classes(name: str, classes: np.ndarray, probabilities: np.ndarray) -> list[ColumnSummary]:
    """Return the mean probability of each class, (n, classes); of several labels, that of each by itself."""
    means = probabilities.mean(axis=0, dtype=np.float64).clip(0, 1)
    labels = tuple(str(each) for each in classes)
    if abs(means.sum() - 1) < 1e-3:
        return [ColumnSummary(name, "categorical", 0.0, (), labels, (*means.tolist(), 0.0))]
    pairs = list(zip(labels, means.tolist(), strict=True))[:_MOST_TARGETS]
    return [ColumnSummary(label, "boolean", 0.0, (0.5,), (), (1 - mean, mean)) for label, mean in pairs]
