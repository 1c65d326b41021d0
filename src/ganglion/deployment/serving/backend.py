"""What answers: one method that takes checked columns and gives arrays. Only one that does so needs torch."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ganglion.data.summary import Summary
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.serving.interface import Interface


class Backend(Protocol):
    """What a served model offers."""

    engine: str
    platform: str
    is_quick: bool  # holds no lock, so that a short call may be made between two requests
    interface: Interface
    summary: Summary | None
    note: str

    @property
    def original(self) -> Any:
        """The backend of the estimator itself, where there is one behind this; else this."""
        ...

    def answer(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return "prediction", and of classifiers "probabilities", one each row."""
        ...
