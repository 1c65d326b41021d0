"""Mistakes in training data that cost next to nothing to see, looked for whenever an estimator is fitted.

`inspect` looks at everything and takes seconds; these few checks take milliseconds: a sample of rows settles nearly
every column, and only what passes it is looked at in full.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.findings import ID_DISTINCT
from ganglion.data.ragged import Ragged
from ganglion.data.splits import duplicate_rows
from ganglion.data.spool import load, pieces
from ganglion.errors import DataWarning, InvalidInput

MIN_ROWS = 30  # in fewer rows a column may equal the target, or count its rows, by chance
SAMPLE = 64
MOST_TARGETS = 10
MOST_NAMED = 5
WARN_SHARE = 0.01  # of rows that stand twice: a few are chance where columns have few values


class SuspiciousData(DataWarning):
    """The training data hold a mistake that `inspect` reports too."""


def refuse_swapped_axes(data: Dataset, y: Any) -> None:
    """Raise InvalidInput when y has one value a column of X, and not one a row."""
    n = len(y) if hasattr(y, "__len__") else -1
    if len(data) != n and len(data.fields) == 1 and data.fields[0].shape == (n,):
        raise InvalidInput(
            f"X and y have inconsistent numbers of samples: X has shape ({len(data)}, {n}), y has {n} values. The axes "
            "of X seem to be swapped: rows are samples, columns are features. Give X.T."
        )


def warn_of_suspicions(data: Dataset, y: np.ndarray) -> None:
    """Give a DataWarning for features that equal the target, and for named columns that only number the rows.

    Parameters
    ----------
    data : Dataset
        Features only.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The target as it was read.
    """
    if len(data) < MIN_ROWS:
        return
    copies = list(_copies_of_target(data, y))
    if copies:
        warnings.warn(
            f"leakage: in every row the target equals the feature {_listed(copies)}. A model then learns nothing but "
            "to copy it: drop it from the features.",
            SuspiciousData,
            stacklevel=4,
        )
    empty = list(_empty(data))
    if empty:
        warnings.warn(f"no row has a value of {_listed(empty)}. Drop what is empty.", SuspiciousData, stacklevel=4)
    identifiers = [repr(field.name) for field in data.features if _is_identifier(field, data)]
    if identifiers:
        warnings.warn(
            f"(nearly) every row has another value of {_listed(identifiers)}, as with names and row numbers. Drop such "
            "columns: their values do not come again in new data.",
            SuspiciousData,
            stacklevel=4,
        )


def repeated_rows(data: Dataset, training: Dataset) -> np.ndarray | None:
    """Say which rows of `data` have the features of a training row, (n_samples,), or None if they have others."""
    if {field.name for field in data.features} != {field.name for field in training.features}:
        return None
    return duplicate_rows(data.drop(data.target), training)


def warn_of_repeated_rows(data: Dataset, training: Dataset, what: str) -> str:
    """Say how many rows of `data` were trained on, and give a DataWarning when they are more than chance makes equal.

    Parameters
    ----------
    data, training : Dataset
        Their features are compared, if they have the same.
    what : str
        What the rows of `data` are for: "validation".

    Returns
    -------
    str
        What was found, in words; empty where nothing was.
    """
    repeated = repeated_rows(data, training)
    n_twice = 0 if repeated is None else int(repeated.sum())
    if not n_twice:
        return ""
    remark = (
        f"{n_twice:,} of the {len(data):,} {what} rows stand among the training rows too (features compared): the "
        "figures may be too good. Remove duplicates, or split so that copies stay together."
    )
    if n_twice >= WARN_SHARE * len(data):
        warnings.warn(remark, DataWarning, stacklevel=5)
    return remark


def _copies_of_target(data: Dataset, y: np.ndarray) -> Iterator[str]:
    if y.dtype.kind == "O" and isinstance(y[0], list):
        return  # a list of labels each: no column has such
    rows = np.linspace(0, len(data) - 1, SAMPLE).astype(np.intp)
    some = data.take(rows).columns
    for target in y.reshape(len(y), -1).T[:MOST_TARGETS]:
        if (target == target[0]).all():
            continue
        for field in data.features:
            column = data.columns[field.name]
            if isinstance(column, Ragged) or field.kind == "image":
                continue
            sample = cast(Tensor, some[field.name]).numpy()
            if field.kind == "categorical":
                if target.dtype.kind in "UO" and _same_labels(field, column, sample, target, rows):
                    yield repr(field.name)
            elif target.dtype.kind in "biuf":
                yield from _same_numbers(field, column, sample, target, rows)


def _same_labels(field: Field, codes: Tensor, sample: np.ndarray, target: np.ndarray, rows: np.ndarray) -> bool:
    labels = np.array([*field.categories, None], dtype=object)  # code -1, missing, picks the last one
    if not (labels[sample] == target[rows]).all():
        return False
    return all((labels[part.numpy()] == target[where]).all() for where, part in pieces(codes))


def _same_numbers(
    field: Field, values: Tensor, sample: np.ndarray, target: np.ndarray, rows: np.ndarray
) -> Iterator[str]:
    if values.dim() == 1:
        same = (sample == target[rows]).all()
        if same and all((part.numpy() == target[where]).all() for where, part in pieces(values)):
            yield repr(field.name)
        return
    for i in np.flatnonzero((sample == target[rows, None]).all(axis=0)).tolist():
        if all((part[:, i].numpy() == target[where]).all() for where, part in pieces(values)):
            yield f"X[:, {i}]"


def _empty(data: Dataset) -> Iterator[str]:
    for field in data.features:
        column = data.columns[field.name]
        if isinstance(column, Ragged) or field.kind == "image":
            continue
        if field.kind == "categorical":
            if not field.categories:
                yield repr(field.name)
            continue
        head = load(column, slice(SAMPLE)).numpy().reshape(min(SAMPLE, len(column)), -1)
        for i in np.flatnonzero(np.isnan(head).all(axis=0)).tolist():
            if all(part.reshape(len(part), -1)[:, i].isnan().all() for _, part in pieces(column)):
                yield f"X[:, {i}]" if field.shape else repr(field.name)


def _is_identifier(field: Field, data: Dataset) -> bool:
    """Say whether a named column hardly repeats: labels, or whole numbers without many gaps (as `inspect` has it)."""
    n = len(data)
    if field.kind == "categorical":
        return len(field.categories) >= ID_DISTINCT * n
    if field.kind != "numeric" or field.shape:
        return False
    column = cast(Tensor, data.columns[field.name])
    head = load(column, slice(SAMPLE)).numpy()
    if (head != np.floor(head)).any() or len(np.unique(head)) < len(head):  # NaN differs from itself
        return False
    values = load(column).numpy()
    low, high = values.min(), values.max()
    if not high - low < 2 * n or (values != np.floor(values)).any():
        return False
    return bool(np.bincount((values - low).astype(np.intp)).max() == 1)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
