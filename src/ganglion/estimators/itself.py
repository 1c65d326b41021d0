"""The data as their own target: in what form they were given, and with which labels, if any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.errors import InvalidInput
from ganglion.estimators.forms import FORMS, Form

_DTYPES: dict[str, type] = {"str": np.str_, "int": np.int64, "float": np.float64, "bool": np.bool_}
_PYTHON: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_KINDS = {"U": "str", "i": "int", "u": "int", "f": "float", "b": "bool"}


@dataclass(frozen=True, eq=False)
class Itself:
    """What is to be said is X itself.

    Attributes
    ----------
    form : {"array", "pandas", "polars", "dataset"}
        What X was, and what new data are made to.
    classes : ndarray of shape (n_classes,)
        The labels, sorted; empty where none are learned with.
    shares : ndarray of shape (n_classes,)
        How often each stood in training.
    """

    form: Form = "array"
    classes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    shares: np.ndarray = field(default_factory=lambda: np.empty(0))

    def with_labels(self, y: np.ndarray, weight: np.ndarray | None) -> Itself:
        """Return a target that knows the labels of training."""
        classes, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes, weight, len(classes))
        return replace(self, classes=classes[counts > 0], shares=counts[counts > 0] / counts.sum())

    @property
    def n_scores(self) -> int:
        """How many labels there are."""
        return len(self.classes)

    def output(self) -> nn.Module:
        """Return the output layer, which changes nothing."""
        return nn.Identity()

    def encode(self, y: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
        """Return the places of labels in `classes`, int64 (n,), or nothing for each sample, (n, 0).

        Raises
        ------
        InvalidInput
            If a label is not among those of training.
        """
        if not len(self.classes):
            return torch.empty((len(y), 0), dtype=dtype)
        codes = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        strange = self.classes[codes] != y
        if np.any(strange):
            named = ", ".join(map(repr, self.classes[:20].tolist()))
            raise InvalidInput(
                f"the label {np.asarray(y)[strange].tolist()[0]!r} was not in training. Labels of training: {named}."
            )
        return torch.from_numpy(codes.astype(np.int64))

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        kind = _KINDS[self.classes.dtype.kind]
        return {
            "kind": "itself",
            "form": self.form,
            "dtype": kind,
            "classes": self.classes.tolist(),
            "shares": self.shares.tolist(),
        }


def itself(stored: Mapping[str, Any]) -> Itself:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
    values, python, form = stored["classes"], _PYTHON[stored["dtype"]], stored["form"]
    shares = np.array(stored["shares"], dtype=np.float64)
    if form not in FORMS or not isinstance(values, list) or not all(type(value) is python for value in values):
        raise ValueError("form or classes")
    if sorted(set(values)) != values or shares.shape != (len(values),) or not (shares > 0).all():
        raise ValueError("classes must differ and be sorted, and each have a share above 0")
    return Itself(form, np.array(values, dtype=_DTYPES[stored["dtype"]]), shares)
