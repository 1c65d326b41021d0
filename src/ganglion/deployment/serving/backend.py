"""What answers: one method that takes checked columns and gives arrays. Only one that does so needs torch."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ganglion.data.summary import Summary
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.signature import Signature


class Backend(Protocol):
    """What a served model offers."""

    engine: str
    platform: str
    is_quick: bool  # holds no lock, so that a short call may be made between two requests
    joins: bool  # rows of several requests may be answered together
    signature: Signature
    summary: Summary | None
    note: str

    @property
    def original(self) -> Any:
        """The backend of the estimator itself, where there is one behind this; else this."""
        ...

    def answer(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return what is said of checked columns, by the names that roles have in answers (`answer_names`).

        Each has one part a row; parts of different lengths and sizes are an array of arrays, as in `said.ragged`.
        """
        ...


def joins(signature: Signature) -> bool:
    """Return whether rows of several requests may be answered together: each by itself, and of one size or shape."""
    return signature.modality != "series" and not signature.any_size


def answer_name(role: str) -> str:
    """Return what the answer of a role is called: that which `predict` gives is "prediction"."""
    return "prediction" if role == "label" else role
