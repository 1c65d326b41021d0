"""A training set in shares: how its summary is made (see `ganglion.data.summary`)."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.encoding import TableEncoder
from ganglion.data.spool import load
from ganglion.data.summary import ColumnSummary, Summary, of_labels, of_numbers

MOST_COLUMNS = 100  # of a block of numbers, the first
_MOST_CELLS = 500_000  # looked at
_STRETCHES = 64  # of rows, where not all are looked at


def summarise(data: Dataset, encoder: Any) -> Summary:
    """Return the summary of a training set; of others than tables, that of no column.

    Parameters
    ----------
    data : Dataset
        Features only.
    encoder : encoder
        That was fitted to them: it knows which categories are kept.
    """
    if not isinstance(encoder, TableEncoder):
        return Summary(len(data))
    width = sum(math.prod(field.shape) for field in encoder.fields)
    step = max(1, math.ceil(len(data) * min(width, MOST_COLUMNS) / _MOST_CELLS))
    columns, n_rows = list[ColumnSummary](), len(data)
    for field in encoder.fields:
        values = _some(cast(Tensor, data.columns[field.name]), step).numpy()
        columns += _of_field(field, data.field(field.name), values)
        n_rows = len(values)
    return Summary(n_rows, tuple(columns))


def _some(column: Tensor, step: int) -> Tensor:
    """Return one of `step` rows of a column, in stretches at even distances, which are quickly read from a disk too."""
    if step == 1:
        return load(column)
    length = max(1, len(column) // (step * _STRETCHES))
    starts = range(0, len(column), max(length, len(column) // _STRETCHES))[:_STRETCHES]
    return torch.cat([load(column, slice(start, start + length)) for start in starts])


def _of_field(field: Field, given: Field, values: np.ndarray) -> list[ColumnSummary]:
    if field.kind == "categorical":
        labels = np.array([*given.categories, None], dtype=object)
        return [of_labels(field.name, labels[values], field.categories)]
    if field.shape:
        block = values.reshape(len(values), -1)[:, :MOST_COLUMNS]
        return [of_numbers(f"{field.name}{i}", "numeric", column) for i, column in enumerate(block.T)]
    return [of_numbers(field.name, field.kind, values)]
