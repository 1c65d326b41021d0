"""Frames of any library that narwhals knows (pandas, polars, pyarrow, …), column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import torch

from ganglion.data.columns import infer_column
from ganglion.data.dataset import Dataset, Field
from ganglion.data.strings import Column
from ganglion.errors import InvalidInput, UnsupportedType


def is_frame(X: Any) -> bool:
    """Say whether narwhals can read `X` as a frame, eager or lazy."""
    return isinstance(X, nw.DataFrame | nw.LazyFrame) or nw.dependencies.is_into_dataframe(X) or hasattr(X, "collect")


def frame_to_dataset(X: Any, source: str = "") -> Dataset:
    """Return the data set of a frame: one field a column, its name as text.

    Raises
    ------
    InvalidInput
        If names repeat, or the frame has no rows or columns.
    UnsupportedType
        If the frame is lazy, or a column holds lists or structures.
    """
    lazy = hasattr(X, "collect")  # asking it for its names could start a computation
    names = [] if lazy else [str(name) for name in getattr(X, "column_names", X.columns)]  # pyarrow's word, all others'
    refuse_repeated(names)
    try:
        frame = nw.from_native(X, eager_only=True)
    except TypeError as error:
        raise UnsupportedType(
            f"a {type(X).__name__} is not in memory yet. Call .collect() (or .compute()) first."
        ) from error
    series = {str(name): frame.get_column(name) for name in frame.columns}
    columns = {name: series_column(name, each) for name, each in series.items()}
    return Dataset([field for field, _ in columns.values()], {k: v for k, (_, v) in columns.items()}, source=source)


def refuse_repeated(names: Sequence[str]) -> None:
    """Raise InvalidInput when a name stands more than once."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InvalidInput(
            f"column names must differ, but these stand more than once: {', '.join(twice)}. Rename them."
        )


def series_column(name: str, series: nw.Series[Any]) -> Column:
    """Return the field and the values of one column of a frame."""
    dtype = series.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        return infer_column(name, series.to_list(), kind="categorical")
    if isinstance(dtype, nw.Datetime | nw.Date):
        return _moments(name, series)
    if isinstance(dtype, nw.Duration):
        return Field(name, "numeric"), torch.from_numpy(_floats(name, series.dt.total_microseconds()) / 1e6)
    if isinstance(dtype, nw.Boolean):
        return infer_column(name, series.to_numpy(), kind="boolean")
    if dtype.is_numeric():
        return infer_column(name, series.to_numpy())
    if isinstance(dtype, nw.List | nw.Array | nw.Struct):
        raise UnsupportedType(
            f"column {name!r} holds {dtype}; argument must be a string or a number. Take it apart into columns of its "
            "own, or drop it."
        )
    return infer_column(name, series.to_list())


def _floats(name: str, series: nw.Series[Any]) -> np.ndarray:
    """Return numbers as float64 (n,), null as NaN."""
    column = infer_column(name, series.to_numpy(), kind="numeric")[1]
    return np.asarray(column, dtype=np.float64)


def _moments(name: str, series: nw.Series[Any]) -> Column:
    """Return dates and date-times as seconds; narwhals counts an aware moment from 1970 in UTC."""
    if isinstance(series.dtype, nw.Date):
        series = series.cast(nw.Datetime("us"))
    return Field(name, "date"), torch.from_numpy(_floats(name, series.dt.timestamp("us")) / 1e6)
