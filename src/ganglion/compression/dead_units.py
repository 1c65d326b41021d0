"""Units that change no answer: nothing reads them, or nothing comes from them.

A network whose weights were pruned has such units. Without them it is smaller, and its answers are the same: to the
bit but for the order of sums.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganglion.compression.settings import noted, some_rows
from ganglion.compression.widths import AGREE, Width, counted, found_widths, without

TRIED = 256  # samples whose answers must stay the same


def without_dead_units(model: Any, X: Any) -> Any:
    """Return a copy of a fitted estimator without the units that change no answer.

    Parameters
    ----------
    model : Estimator
        Fitted, with layers whose units can be removed. It is left as it is.
    X : array-like
        Some samples, whose answers must stay as they are.

    Returns
    -------
    Estimator
        The model itself where no unit is dead; one unit of each layer always stays.

    Raises
    ------
    InvalidParameter
        If the estimator has no units that can be removed one by one.
    """
    columns = model.encoded(some_rows(X, TRIED))
    widths, said = found_widths(model, columns), model.answers_to(columns, scores=True)
    for fed in (False, True):  # what nothing reads changes nothing; what nothing feeds may still say a constant
        kept = {width.place: _alive(model.network_.state_dict(), width, fed=fed) for width in widths}
        if all(len(kept[width.place]) == width.n for width in widths):
            continue
        smaller = without(model, widths, kept)
        if (smaller.answers_to(columns, scores=True) - said).abs().max() > 1e-2 * AGREE * said.abs().max():
            continue
        left = {width.name: counted(smaller.widths())[width.place] for width in widths}
        return without_dead_units(noted(smaller, model, "dead units removed", left=left), X)
    return model


def _alive(tensors: dict[str, Tensor], width: Width, *, fed: bool) -> Tensor:
    """Return the units that something reads, or that something comes into, at least one of them.

    A unit is made by what has it on the first axis, and read by what has it on another.
    """
    size = torch.zeros(width.n, dtype=torch.float64)
    for axis in width.axes:
        if (axis.axis == 0) == fed:
            along = tensors[axis.tensor].abs().double().movedim(axis.axis, 0)
            size += along.reshape(axis.apart, width.n, axis.together, -1).sum((0, 2, 3))
    return size.nonzero()[:, 0] if bool(size.any()) else torch.zeros(1, dtype=torch.int64)
