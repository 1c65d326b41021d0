"""Sequences of numbers of different lengths: how they are read, and what a network takes.

given                                                    becomes
(n, T, d) numbers                                         n sequences of T steps of d numbers
a list of arrays (T_i, d), or (T_i,)                      one sequence each

    sequence    sequence (n, of different lengths, d), float32 or float64, NaN for missing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.columns import as_floats, complex_data, first_infinity
from ganglion.data.dataset import Dataset, Field
from ganglion.data.encoding import InputSpec
from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput, UnsupportedType

NAME = "sequence"


def holds_sequences(X: Any, *, equally_long: bool = False) -> bool:
    """Say whether something is a stack (n, T, d) of numbers, or a list of arrays or lists of different lengths.

    With `equally_long` those of one length count too, (n, T): otherwise they are the rows of a table.
    """
    if isinstance(X, np.ndarray | Tensor) and X.ndim >= 2:
        return X.ndim == 3 or (equally_long and X.ndim == 2)
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        X = X.tolist()
    if not isinstance(X, list | tuple) or not X:
        return False
    if all(isinstance(each, np.ndarray | Tensor) for each in X):
        axes, lengths = {each.ndim for each in X}, {len(each) for each in X if each.ndim}
    elif all(isinstance(each, list | tuple) for each in X):
        axes, lengths = {1 + (len(each) > 0 and isinstance(each[0], list | tuple)) for each in X}, set(map(len, X))
    else:
        return False
    return axes == {2} or (axes == {1} and (equally_long or len(lengths) > 1))


def sequences_to_dataset(X: Any) -> Dataset:
    """Return sequences of numbers as a data set of one column.

    Parameters
    ----------
    X : ndarray of shape (n, T, d), or sequence of n arrays of shape (T_i, d) or (T_i,)

    Raises
    ------
    InvalidInput
        If there is none, one has no step, their steps differ in width, or a number is infinite.
    UnsupportedType
        If one does not hold numbers.
    """
    if isinstance(X, Tensor):
        X = X.detach().cpu().numpy()
    samples = [_steps(i, each) for i, each in enumerate(X)]
    if not samples:
        raise InvalidInput("no sequence was given (minimum of 1 is required). Give arrays of shape (steps, numbers).")
    widths = sorted({each.shape[1] for each in samples})
    if len(widths) > 1:
        raise InvalidInput(
            f"sequences have steps of {', '.join(map(str, widths[:5]))} numbers. Give as many in every step of each."
        )
    values = as_floats(np.concatenate(samples))
    infinite = first_infinity(values)
    offsets = torch.tensor([0, *map(len, samples)]).cumsum(0)
    if infinite is not None:
        row = int(torch.searchsorted(offsets, torch.tensor(infinite[0]), right=True)) - 1
        raise InvalidInput(
            f"sequence {row} holds infinity. Only finite numbers are allowed, and NaN for a missing one. Replace it."
        )
    return Dataset([Field(NAME, "sequence", (widths[0],))], {NAME: Ragged(values, offsets)})


@dataclass(frozen=True)
class SequenceEncoder:
    """Reads sequences whose steps have as many numbers as those of training.

    Attributes
    ----------
    width : int
        Numbers in a step.
    longest : int
        Steps of the longest sequence of training.
    """

    width: int
    longest: int

    @classmethod
    def fit(cls, data: Dataset) -> SequenceEncoder:
        """Learn how wide and how long sequences are."""
        field = next(field for field in data.features if field.kind == "sequence")
        return cls(field.shape[0], cast(Ragged, data.columns[field.name]).longest)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(sequence=self.width, longest=self.longest)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Steps have no named numbers."""
        return ()

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the column "sequence"; raises InvalidInput where steps are of another width."""
        given = [field for field in data.features if field.kind == "sequence"]
        if not given or given[0].shape != (self.width,):
            found = f"steps of {given[0].shape[0]} numbers" if given else f"columns {', '.join(data.names[:10])}"
            raise InvalidInput(
                f"the model was trained on sequences with steps of {self.width} numbers, but was given {found}. Give "
                f"arrays of shape (steps, {self.width})."
            )
        return {"sequence": cast(Ragged, data.columns[given[0].name])}

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        return {"modality": "sequence", "width": self.width, "longest": self.longest}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SequenceEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError or KeyError."""
        width, longest = stored["width"], stored["longest"]
        if any(type(each) is not int or not 0 < each < 2**31 for each in (width, longest)):
            raise ValueError(f"sequences of {width!r} numbers, {longest!r} steps")
        return cls(width, longest)


def _steps(i: int, given: Any) -> np.ndarray:
    """Return one sequence as an array of shape (steps, numbers)."""
    given = given.detach().cpu().numpy() if isinstance(given, Tensor) else given
    try:
        steps = np.asarray(given)
    except ValueError as error:
        raise InvalidInput(f"sequence {i} has steps of unequal width. Give an array of (steps, numbers).") from error
    if steps.dtype.kind == "c":
        raise complex_data(f"sequence {i}")
    if steps.dtype.kind == "O":
        try:
            steps = steps.astype(np.float64)  # None becomes NaN
        except (TypeError, ValueError) as error:
            raise UnsupportedType(f"sequence {i} holds what is no number ({error}). Give numbers.") from error
    if steps.dtype.kind not in "buif":
        raise UnsupportedType(f"sequence {i} holds {steps.dtype} values. Give numbers.")
    steps = steps[:, None] if steps.ndim == 1 else steps
    if steps.ndim != 2 or 0 in steps.shape:
        raise InvalidInput(
            f"sequence {i} has shape {steps.shape}. Give at least one step, as an array of (steps, numbers)."
        )
    return steps
