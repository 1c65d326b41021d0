"""Whatever a user holds in memory, as a data set: arrays, lists, tensors, frames, dictionaries of columns.

given                                  becomes
2-D numbers                            one numeric block "x" of shape (d,), without a copy
2-D strings or objects                 one field a column, x0, x1, …; the block if all of them are numbers
3-D or 4-D numbers                     one field "image", (n, channels, height, width)
a list or 1-D array of strings         one field "text"
a list of arrays of different lengths  one field "sequence", steps of numbers
a list of pairs (rate, samples)        one field "audio", recordings
a frame, a dictionary, a record array  one field a column
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.columns import as_floats, complex_data, first_infinity, infer_column, lies_on_disk
from ganglion.data.dataset import Dataset, Field
from ganglion.data.images import image_column
from ganglion.data.recordings import holds_pairs, pairs_to_dataset
from ganglion.data.sequences import holds_sequences, sequences_to_dataset
from ganglion.data.spool import split_columns
from ganglion.data.strings import Column, infinity_found, text_column
from ganglion.errors import InvalidInput, UnsupportedType


def as_dataset(X: Any, *, names: Sequence[str] | None = None, source: str = "") -> Dataset:
    """Return data in memory as a data set.

    Parameters
    ----------
    X : Dataset, array-like, Tensor, frame, or mapping of str to columns
        See the table at the top of the module. A Dataset is returned as it is.
    names : sequence of str, optional
        Names of the columns; an array of numbers then has one field a column.
    source : str
        Where the data come from, for messages and reports.

    Returns
    -------
    Dataset
        It shares the memory of `X` where that is possible.

    Raises
    ------
    InvalidInput
        If there are no rows or columns, the shape is neither a table, images nor texts, names repeat, or a number is
        infinite or complex.
    UnsupportedType
        If `X`, or a value in it, is of a type that cannot be read.
    """
    if type(X) is np.ndarray and X.dtype != object:
        return _from_array(X, names, source)
    if isinstance(X, Dataset):
        return X if names is None else _renamed(X, names)
    if isinstance(X, Tensor):
        return _from_array(_array_of(X), names, source)
    if isinstance(X, Mapping):
        return _renamed(_from_columns(X, source), names)
    if hasattr(X, "tocsr"):
        raise UnsupportedType(
            f"Sparse data was given ({type(X).__name__} of shape {X.shape}), but only dense data can be read. "
            "Call .toarray() on it first."
        )
    if not isinstance(X, np.ndarray | list | tuple | str):
        from ganglion.data.frames import frame_to_dataset, is_frame  # loading narwhals takes 30 ms

        if is_frame(X):
            return _renamed(_not_empty(frame_to_dataset(X, source)), names)
    if holds_pairs(X):
        return _renamed(pairs_to_dataset(list(X)), names)
    if isinstance(X, list | tuple) and _are_arrays_of_different_lengths(X):
        return _renamed(sequences_to_dataset(X), names)
    return _from_array(_listed(X), names, source)


def _are_arrays_of_different_lengths(X: Sequence[Any]) -> bool:
    return all(isinstance(each, np.ndarray | Tensor) for each in X) and holds_sequences(X) and len(set(map(len, X))) > 1


def holds_texts(X: Any) -> bool:
    """Say whether something is a list, a series, or an array of one axis, of strings; None and NaN are missing ones."""
    if hasattr(X, "to_list") and getattr(X, "ndim", 1) == 1:
        return holds_texts(X.to_list())
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "OUT" and holds_texts(X.tolist())
    if not isinstance(X, list | tuple):
        return False
    return any(isinstance(each, str) for each in X) and all(isinstance(each, str) or _is_missing(each) for each in X)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def refuse_mixed_texts(X: Sequence[Any]) -> None:
    """Raise UnsupportedType if a list has texts, and something else among them: an array would make texts of all."""
    if not any(isinstance(each, str) for each in X):
        return
    for i, each in enumerate(X):
        if not isinstance(each, str):
            raise UnsupportedType(
                f"text {i} is a {type(each).__name__} ({each!r:.60}). Give texts only; leave the row out where one is "
                "missing."
            )


def array_column(name: str, values: Any) -> Column:
    """Return one column that may itself be a block of numbers or a stack of images.

    Parameters
    ----------
    name : str
        The column's name.
    values : array-like of shape (n_samples,), (n_samples, d), or that of images
    """
    if isinstance(values, Tensor):
        values = _array_of(values)
    if not isinstance(values, np.ndarray):
        values = values.to_list() if hasattr(values, "to_list") else values
        return infer_column(name, list(values))
    if values.ndim == 1:
        return infer_column(name, values)
    if values.ndim == 2 and values.dtype.kind in "buif":
        return _block(name, values)
    if values.ndim in (3, 4):
        return image_column(name, values)
    raise InvalidInput(
        f"column {name!r} has shape {values.shape} and dtype {values.dtype}. Allowed are one value a row, a block of "
        "numbers (n, d), or images (n, height, width)."
    )


def _from_array(array: np.ndarray, names: Sequence[str] | None, source: str) -> Dataset:
    if array.ndim == 2:
        if array.dtype.kind in "buif" and names is None:
            _check_size(array.shape)
            field, column = _block("x", array)
            return Dataset((field,), {"x": column}, source=source)
        return _from_cells(array, names, source)
    if array.dtype.names:  # a record array: each field is a column
        return _renamed(_from_columns({name: array[name] for name in array.dtype.names}, source), names)
    if array.ndim < 2:
        if not holds_texts(array):
            raise _too_flat(array)
        given = [each if isinstance(each, str) else None for each in array.tolist()]
        field, texts = text_column(_checked(names or ["text"], 1)[0], given)
        return Dataset((field,), {field.name: texts}, source=source)
    if array.ndim > 4:
        raise InvalidInput(
            f"Found array with dim {array.ndim}: shape {array.shape}. Allowed are tables (dim 2) and "
            "images (dim 3 or 4)."
        )
    _check_size(array.shape)
    field, images = image_column(names[0] if names else "image", array)
    return Dataset((field,), {field.name: images}, source=source)


def _block(name: str, array: np.ndarray) -> tuple[Field, Tensor]:
    """Return 2-D numbers as one field of shape (d,), on the same memory where the type allows."""
    floats = as_floats(array)
    infinite = first_infinity(floats)
    if infinite is not None:
        raise infinity_found(f"{name}{infinite[1]}", infinite[0])
    return Field(name, "numeric", tuple(floats.shape[1:])), floats


def _from_cells(array: np.ndarray, names: Sequence[str] | None, source: str) -> Dataset:
    """Read a 2-D array column by column; without names, all numbers make one block."""
    _check_size(array.shape)
    if array.dtype.kind == "c":
        raise complex_data("the array")
    width = array.shape[1]
    labels = [f"x{i}" for i in range(width)] if names is None else _checked(names, width)
    if array.dtype.kind in "buif" and lies_on_disk(array):
        return numbered(labels, _block("x", array)[1], source)
    read = [infer_column(label, array[:, i]) for i, label in enumerate(labels)]
    if names is None and all(field.kind in ("numeric", "boolean") for field, _ in read):
        block = torch.stack([column.double() for _, column in read if isinstance(column, Tensor)], dim=1)
        return Dataset((Field("x", "numeric", (width,)),), {"x": block}, source=source)
    return Dataset([field for field, _ in read], {field.name: column for field, column in read}, source=source)


def numbered(names: Sequence[str], block: Tensor, source: str) -> Dataset:
    """Return the data set whose fields are the columns of a block of numbers, (n_samples, d)."""
    columns = dict(zip(names, split_columns(block), strict=True))
    return Dataset([Field(name, "numeric") for name in names], columns, source=source)


def _from_columns(columns: Mapping[Any, Any], source: str) -> Dataset:
    if not columns:
        raise InvalidInput("Found a mapping with 0 feature(s) while a minimum of 1 is required. Give name: values.")
    read = [array_column(str(name), values) for name, values in columns.items()]
    return _not_empty(Dataset([f for f, _ in read], {f.name: column for f, column in read}, source=source))


def _renamed(data: Dataset, names: Sequence[str] | None) -> Dataset:
    if names is None:
        return data
    return data.rename(dict(zip(data.names, _checked(names, len(data.fields)), strict=True)))


def _checked(names: Sequence[str], width: int) -> list[str]:
    if len(names) != width:
        raise InvalidInput(f"{len(names)} names were given for {width} columns: {', '.join(map(str, names[:10]))}.")
    return [str(name) for name in names]


def _array_of(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if tensor.is_sparse:
        raise UnsupportedType("Sparse data was given (a sparse Tensor). Call .to_dense() on it first.")
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()  # numpy has no bfloat16


def _listed(X: Any) -> np.ndarray:
    """Return a list, or anything that knows how to be an array, as an array."""
    try:
        array = np.asarray(X)
    except ValueError as error:
        lengths = sorted({len(row) for row in X if hasattr(row, "__len__")})
        raise InvalidInput(
            f"rows of unequal length were given ({', '.join(map(str, lengths[:5]))} values). Give as many to each row."
        ) from error
    if array.dtype.kind in "US" and isinstance(X, list | tuple):
        return np.array(X, dtype=object)  # [["a", 1.5]]: numpy would have turned the number into text
    if array.ndim == 0 and array.dtype.kind in "OUS":
        raise UnsupportedType(
            f"a {type(X).__name__} cannot be read as data. Give a 2D array, a list of rows, a frame, or a dictionary "
            "of columns; for a file call read(path)."
        )
    return array


def _check_size(shape: tuple[int, ...]) -> None:
    if 0 in shape:
        what = "sample(s)" if shape[0] == 0 else "feature(s)"
        raise InvalidInput(
            f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required. Was a filter too strict?"
        )


def _not_empty(data: Dataset) -> Dataset:
    _check_size((len(data), len(data.fields)))
    return data


def _too_flat(array: np.ndarray) -> InvalidInput:
    if array.size and isinstance(array.flat[0], bytes):
        return UnsupportedType(
            f"Expected 2D array, got 1D array instead, and of bytes: {bytes(array.flat[0])!r:.40}. If they are text, "
            "decode them: [each.decode('utf-8') for each in X]."
        )
    given = "1D" if array.ndim else "scalar"
    return InvalidInput(
        f"Expected 2D array, got {given} array instead: shape {array.shape}, but (n_samples, n_features) is wanted. "
        "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) "
        "if it contains a single sample."
    )
