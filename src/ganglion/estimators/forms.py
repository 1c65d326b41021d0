"""The forms in which users have data, and new data in the form that those of training had."""

from __future__ import annotations

import importlib
from typing import Any, Literal, get_args

import numpy as np

from ganglion.data.dataset import Dataset, Field
from ganglion.errors import missing_extra

Form = Literal["array", "pandas", "polars", "dataset"]
FORMS: tuple[str, ...] = get_args(Form)
_FRAMES = ("pandas", "polars")


def form_of(X: Any) -> Form:
    """Return the form of what a user gives: a frame, a data set (so are files and mappings), or array."""
    package = type(X).__module__.split(".")[0]
    if package in _FRAMES and hasattr(X, "columns"):
        return package  # type: ignore[return-value]
    if isinstance(X, Dataset | dict | str) or hasattr(X, "__fspath__"):
        return "dataset"
    return "array"


def in_form(data: Dataset, form: Form) -> Any:
    """Return a data set as a user had those of training.

    Parameters
    ----------
    data : Dataset
    form : {"array", "pandas", "polars", "dataset"}

    Returns
    -------
    ndarray, frame or Dataset
        Images are always an array, (n, height, width), or (n, height, width, channels) of several; an array of mixed
        columns holds objects.

    Raises
    ------
    MissingExtra
        If the frame's package is not installed.
    """
    first = data.fields[0]
    if first.kind == "image":
        images = data.values(first.name)
        return images[:, 0] if images.shape[1] == 1 else np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    if form == "dataset":
        return data
    if form == "array" and len(data.fields) == 1 and first.shape:
        return data.values(first.name)
    columns = {field.name: _column(data, field) for field in data.fields}
    if form == "array":
        numbers = all(column.dtype.kind == "f" for column in columns.values())
        return np.column_stack([column.astype(np.float64 if numbers else object) for column in columns.values()])
    try:
        return importlib.import_module(form).DataFrame(columns)
    except ImportError as error:
        raise missing_extra(form, "tables", f"data in the form of {form}") from error


def _column(data: Dataset, field: Field) -> np.ndarray:
    values = data.values(field.name)
    if field.kind == "boolean":
        return values > 0.5
    if field.kind == "date":
        return (values * 1e6).round().astype("datetime64[us]")
    return values.astype(object) if field.kind == "categorical" else values
