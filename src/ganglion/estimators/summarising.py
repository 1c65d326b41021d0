"""What a fitted model remembers of its training data, in shares: see `ganglion.data.summary`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganglion.data.dataset import Dataset
from ganglion.data.gather import gather
from ganglion.data.ragged import Columns
from ganglion.data.summarising import summarise
from ganglion.data.summary import ColumnSummary, Summary, of_numbers

if TYPE_CHECKING:
    from ganglion.estimators.base import Estimator

_ASKED = {"table": 500, "image": 100}  # training rows whose predictions are looked at, at even distances
_MOST_TARGETS = 20


def summary_of(model: Estimator, data: Dataset, inputs: Columns) -> Summary:
    """Return the summary of the training rows, and of what the fitted model says of some of them.

    Parameters
    ----------
    model : Estimator
        Just fitted.
    data : Dataset
        The features that it was fitted to.
    inputs : mapping of str to Tensor or Ragged
        The same, encoded.
    """
    summary = summarise(data, model.encoder_)
    asked = _ASKED.get(model.modality_, 0)
    if not asked or model.tags.task not in ("classification", "regression"):
        return summary
    rows = torch.arange(0, len(data), max(1, -(-len(data) // asked)))
    return replace(summary, prediction=tuple(_predictions(model, gather(inputs, rows))))


def _predictions(model: Estimator, inputs: Columns) -> list[ColumnSummary]:
    """Return what the network says in shares; `predict` reads what users give, and this was read already."""
    if model.tags.task == "regression":
        numbers = model.answers_to(inputs)[:, : model.target_.n_targets].numpy()
        return numbers_in(numbers[:, 0] if model.target_.flat else numbers)
    classes = model.target_.classes
    if hasattr(model, "predict_proba"):
        return shares_of_classes(classes, model.answers_to(inputs).numpy())
    scores = model.answers_to(inputs, scores=True).numpy()
    chosen = (scores[:, 0] > 0).astype(int) if model.target_.binary else scores.argmax(axis=1)
    return shares_of_classes(classes, np.eye(len(classes))[chosen])


def numbers_in(predicted: np.ndarray) -> list[ColumnSummary]:
    """Return predicted numbers, (n,) or (n, targets), in shares."""
    if predicted.ndim == 1:
        return [of_numbers("prediction", "numeric", predicted)]
    return [of_numbers(f"prediction_{i}", "numeric", column) for i, column in enumerate(predicted.T[:_MOST_TARGETS])]


def shares_of_classes(classes: np.ndarray, probabilities: np.ndarray) -> list[ColumnSummary]:
    """Return the mean probability of each class, (n, classes); of several labels, that of each by itself."""
    means = probabilities.mean(axis=0, dtype=np.float64).clip(0, 1)
    labels = tuple(str(each) for each in classes)
    if abs(means.sum() - 1) < 1e-3:
        return [ColumnSummary("prediction", "categorical", 0.0, (), labels, (*means.tolist(), 0.0))]
    pairs = list(zip(labels, means.tolist(), strict=True))[:_MOST_TARGETS]
    return [ColumnSummary(label, "boolean", 0.0, (0.5,), (), (1 - mean, mean)) for label, mean in pairs]
