"""Labels of the words of a text, or of the steps of a sequence: how they are read, their classes and codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
import torch
from torch import nn

from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput
from ganglion.networks import outputs

FILLING, STRANGE = -1, -2  # codes of what stands behind a text in a batch, and of a label that training did not have
_DTYPES: dict[str, type] = {"str": np.str_, "int": np.int64, "bool": np.bool_}
_PYTHON: dict[str, type] = {"str": str, "int": int, "bool": bool}
_SHOWN = 20  # labels in a message
_GIVE = "Give one list of labels a sample, with one label for each of its words or steps."


def read_tags(y: Any, lengths: np.ndarray) -> np.ndarray:
    """Return the labels of words or steps as an array that can be trusted.

    Parameters
    ----------
    y : sequence of n sequences of labels, or array of shape (n, steps)
        Text, whole numbers or truth values.
    lengths : ndarray of shape (n,), int64
        How many labels each must have.

    Returns
    -------
    ndarray of shape (n,), of lists
        Of `str`, `int` or `bool`, all of one type.

    Raises
    ------
    InvalidInput
        If there are too many or too few, labels are missing or of mixed kinds, or y is no list of lists.
    """
    rows = _rows(y)
    if len(rows) != len(lengths):
        raise InvalidInput(f"X and y have inconsistent numbers of samples: [{len(lengths)}, {len(rows)}]. {_GIVE}")
    given = np.fromiter(map(len, rows), np.int64, count=len(rows))
    wrong = np.flatnonzero(given != lengths)
    if len(wrong):
        row = int(wrong[0])
        raise InvalidInput(
            f"row {row} has {lengths[row]} words or steps, but {given[row]} labels; {len(wrong):,} of {len(rows):,} "
            f"rows are so. {_GIVE}"
        )
    kinds = set(map(type, chain.from_iterable(rows)))
    if not kinds <= {str} and not kinds <= {int} and not kinds <= {bool}:
        rows = [_plain(row, i) for i, row in enumerate(rows)]
        kinds = set(map(type, chain.from_iterable(rows)))
        if len(kinds) > 1:
            raise InvalidInput(
                f"the labels are of mixed kinds: {', '.join(sorted(kind.__name__ for kind in kinds))}. Give labels of "
                "one kind, text or whole numbers."
            )
    tags = np.empty(len(rows), dtype=object)
    tags[:] = rows
    return tags


def _rows(y: Any) -> list[list[Any]]:
    """Return the labels of each sample as a list."""
    if hasattr(y, "detach"):
        y = y.detach().cpu().numpy()
    y = y.to_list() if hasattr(y, "to_list") else y
    if isinstance(y, np.ndarray) and y.ndim == 2:
        return [_labels(row, i) for i, row in enumerate(y.tolist())]
    if y is None or isinstance(y, str | bytes | Mapping) or not hasattr(y, "__len__") or getattr(y, "ndim", 1) != 1:
        shape = f" of shape {y.shape}" if isinstance(y, np.ndarray) else ""
        raise InvalidInput(
            f"a tagger learns from the labels of words, but the target y is {type(y).__name__}{shape}. {_GIVE}"
        )
    return [_labels(row, i) for i, row in enumerate(y)]


def _labels(row: Any, i: int) -> list[Any]:
    row = row.tolist() if isinstance(row, np.ndarray) or hasattr(row, "detach") else row
    row = row.to_list() if hasattr(row, "to_list") else row
    if row is None or row != row:
        raise InvalidInput(f"the labels of row {i} are missing. Leave the row out, or label each of its words.")
    if not isinstance(row, list | tuple):
        raise InvalidInput(f"row {i} of y is {row!r:.60}, and no list of labels. {_GIVE}")
    return list(row)


def _plain(row: Sequence[Any], i: int) -> list[Any]:
    """Return labels as Python has them: numpy's as its own, whole numbers as `int`; refuses what is no label."""
    plain = []
    for j, label in enumerate(row):
        label = label.item() if isinstance(label, np.generic) else label
        if label is None or label != label:
            raise InvalidInput(
                f"the label of word or step {j} in row {i} is missing. Label every one; a label of its own, such as "
                "'O', says that there is nothing to say."
            )
        if isinstance(label, float) and label.is_integer():
            label = int(label)
        if type(label) not in (str, int, bool):
            raise InvalidInput(
                f"the label of word or step {j} in row {i} is {label!r:.40}, a {type(label).__name__}. Give text or "
                "whole numbers."
            )
        plain.append(label)
    return plain


@dataclass(frozen=True, eq=False)
class TagTarget:
    """A label of every word, or step.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    per_sample : float
        Words of a training text on average, each counting by the weight of its label.
    weights : ndarray of shape (n_classes,), or None
        How much a word counts by its label; None if all count alike.
    """

    classes: np.ndarray
    per_sample: float = 1.0
    weights: np.ndarray | None = None

    @classmethod
    def fit(cls, y: np.ndarray, sample_weight: np.ndarray | None, class_weight: Any = None) -> TagTarget:
        """Learn the labels of training texts, as `read_tags` gives them."""
        labels = sorted(set(chain.from_iterable(y)))
        if len(labels) < 2:
            raise InvalidInput(
                f"the target has one class only, {labels[0]!r}, so there is nothing to tell apart. Give texts with at "
                "least two labels (texts of weight 0 do not count)."
            )
        target = cls(np.array(labels))
        codes = target.encode(y)
        of_sample = np.ones(len(y)) if sample_weight is None else sample_weight
        counts = np.bincount(codes.values.numpy(), np.repeat(of_sample, codes.lengths.numpy()), len(labels))
        weights = None
        if class_weight == "balanced":
            weights = counts.sum() / (len(counts) * counts)
        elif class_weight is not None:
            weights = np.array([float(class_weight.get(label, 1.0)) for label in labels])
        counted = counts if weights is None else counts * weights
        return cls(target.classes, float(counted.sum() / of_sample.sum()), weights)

    @property
    def n_scores(self) -> int:
        """How many scores the network gives for a word: one a class."""
        return len(self.classes)

    def output(self) -> nn.Module:
        """Return the output layer that turns scores into probabilities."""
        return outputs.StepSoftmax()

    def encode(self, y: np.ndarray, dtype: torch.dtype | None = None) -> Ragged:
        """Return the places of labels in `classes`, int64, -2 for those that training did not have."""
        code_of = {label: code for code, label in enumerate(self.classes.tolist())}
        codes = np.fromiter(map(code_of.get, chain.from_iterable(y), repeat(STRANGE)), np.int64)
        offsets = torch.tensor([0, *map(len, y)]).cumsum(0)
        return Ragged(torch.from_numpy(codes), offsets, FILLING)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        kind = {"U": "str", "i": "int", "b": "bool"}[self.classes.dtype.kind]
        weights = None if self.weights is None else self.weights.tolist()
        return {
            "kind": "tags",
            "dtype": kind,
            "classes": self.classes.tolist(),
            "per_sample": self.per_sample,
            "weights": weights,
        }


def tag_target(stored: Mapping[str, Any]) -> TagTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError, ValueError or OverflowError."""
    values, python = stored["classes"], _PYTHON[stored["dtype"]]
    if not isinstance(values, list) or len(values) < 2 or not all(type(value) is python for value in values):
        raise ValueError("classes")
    if sorted(set(values)) != values:
        raise ValueError("classes must differ and be sorted")
    per_sample, weights = stored["per_sample"], stored["weights"]
    if type(per_sample) not in (int, float) or not 0 < per_sample < 2**53:
        raise ValueError(f"per_sample {per_sample!r:.40}")
    if weights is not None:
        weights = np.array(weights, dtype=np.float64)
        if weights.shape != (len(values),) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError("weights of classes")
    return TagTarget(np.array(values, dtype=_DTYPES[stored["dtype"]]), float(per_sample), weights)


def strange_labels(y: np.ndarray, classes: np.ndarray) -> dict[Any, int]:
    """Return the labels that are not among the classes, and how often each stands in y."""
    known, counts = set(classes.tolist()), {}
    for label in chain.from_iterable(y):
        if label not in known:
            counts[label] = counts.get(label, 0) + 1
    return counts


def named(labels: Sequence[Any]) -> str:
    """Return labels as a message names them."""
    return ", ".join(map(repr, labels[:_SHOWN])) + (", …" if len(labels) > _SHOWN else "")
