"""One column of anything, as a field and a tensor: numbers, truth values, dates, categories, text."""

from __future__ import annotations

import datetime
import math
import numbers
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from ganglion.data.cells import plain_label
from ganglion.data.dataset import Field, Kind
from ganglion.data.memory import is_large
from ganglion.data.spool import changed, is_on_disk, pieces, remember
from ganglion.data.strings import Column, infer_strings, infinity_found
from ganglion.errors import InvalidInput, UnsupportedType

_MISSING_TYPES = ("NoneType", "NAType", "NaTType")  # pandas' own two, without importing pandas
_ACCEPTED = (str, bytes, numbers.Number, np.generic, datetime.date)


def infer_column(name: str, values: Any, *, kind: Kind | None = None) -> Column:
    """Return what one column holds and its values.

    Parameters
    ----------
    name : str
        The column's name.
    values : array-like of shape (n_samples,)
        Numbers, truth values, strings, dates, or a mixture with None.
    kind : Kind, optional
        Read the column as this kind instead of finding it out.

    Returns
    -------
    field : Field
        Name, kind, and the categories if there are any.
    column : Tensor of shape (n_samples,), or Ragged
        See `ganglion.data.dataset` for the type of each kind and how missing values are marked.

    Raises
    ------
    InvalidInput
        If a number is infinite or complex, or the values cannot be read as `kind`.
    UnsupportedType
        If a value is neither a string nor a number nor a date.
    """
    if not isinstance(values, np.ndarray):
        return _from_objects(name, values if isinstance(values, list) else list(values), kind)
    letter = values.dtype.kind
    if letter == "c":
        raise complex_data(f"column {name!r}")
    if letter in "OUST":
        return _from_objects(name, values.tolist(), kind)
    if letter == "M":
        return Field(name, "date"), torch.from_numpy(_seconds(values))
    if letter == "m":
        return _from_numbers(name, _seconds(values), kind)
    if letter not in "buif":
        raise UnsupportedType(
            f"column {name!r} has dtype {values.dtype}; argument must be a string or a number. Give one column a field."
        )
    return _from_numbers(name, values, kind)


def share_memory(array: np.ndarray) -> Tensor:
    """Return a tensor on the memory of an array, or on a copy when torch cannot view it.

    Ganglion never writes into data that it was given. torch warns about every read-only array (each column of a
    pandas 3 frame, each memory map of joblib), so such an array is handed over as if it could be written.
    """
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):  # reversed, or a field of records
        array = np.ascontiguousarray(array)
    remember(array)
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Writeable(array)))


class _Writeable:
    """A view of a read-only array that claims to be writeable; it keeps the array alive."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def number_dtype(dtype: np.dtype) -> type[np.floating]:
    """Return the float type that numbers of a type are kept in: float32 stays, all others become float64."""
    return np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64


def as_floats(array: np.ndarray) -> Tensor:
    """Return numbers of any type as a tensor of floats, on the same memory or disk where the type allows."""
    dtype = number_dtype(array.dtype)
    if array.dtype != dtype and lies_on_disk(array):
        kind = torch.float32 if dtype is np.float32 else torch.float64
        return changed(share_memory(array), lambda part: part.to(kind))
    return share_memory(array.astype(dtype, copy=False))


def lies_on_disk(array: np.ndarray) -> bool:
    """Say whether an array of numbers is a memory map that is too large for memory."""
    viewed = array.base is not None and array.dtype.isnative and array.dtype.itemsize <= 8
    return viewed and is_large(array.nbytes) and is_on_disk(share_memory(array))


def first_infinity(numbers: Tensor) -> tuple[int, ...] | None:
    """Return the place of the first infinite value, or None; one sum settles nearly all cases."""
    for rows, part in pieces(numbers):
        values = part.numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            if math.isfinite(np.add.reduce(values, axis=None)):
                continue
        found = np.argwhere(np.isinf(values))
        if len(found):
            row, *place = found[0].tolist()
            return (rows.start + row, *place)
    return None


def complex_data(where: str) -> InvalidInput:
    """Return the error for complex numbers."""
    return InvalidInput(f"Complex data not supported: {where} holds complex numbers. Give real and imaginary parts.")


def _from_numbers(name: str, values: np.ndarray, kind: Kind | None) -> Column:
    if kind in ("categorical", "text"):
        return infer_strings(name, [plain_label(value) for value in values.tolist()], kind)
    if kind == "boolean" or (kind is None and values.dtype.kind == "b"):
        return Field(name, "boolean"), torch.from_numpy(values.astype(np.float32))
    floats = as_floats(values)
    infinite = first_infinity(floats)
    if infinite is not None:
        raise infinity_found(name, infinite[0])
    return Field(name, kind or "numeric"), floats


def _from_objects(name: str, values: list[Any], kind: Kind | None) -> Column:
    types = set(map(type, values))
    if types == {str}:  # by far the commonest
        return infer_strings(name, values, kind)
    missing = {each for each in types if each.__name__ in _MISSING_TYPES}
    present = types - missing
    _refuse_others(name, values, present)
    if missing and present and not any(issubclass(each, str) for each in present):
        values = [None if type(value) in missing else value for value in values]
    if present and all(issubclass(each, datetime.date | np.datetime64) for each in present):
        return Field(name, "date"), torch.from_numpy(
            _seconds(np.array(list(map(_utc, values)), dtype="datetime64[us]"))
        )
    if present and all(issubclass(each, numbers.Number | np.generic) and not issubclass(each, str) for each in present):
        return _from_numbers(name, *_plain_numbers(values, present, kind))
    return infer_strings(name, values, kind)


def _plain_numbers(values: list[Any], types: set[type], kind: Kind | None) -> tuple[np.ndarray, Kind | None]:
    """Return Python numbers as an array; truth values with missing ones among them stay truth values."""
    truth = all(issubclass(each, bool | np.bool_) for each in types)
    return np.array(values, dtype=np.float64), kind or ("boolean" if truth else None)


def _refuse_others(name: str, values: Sequence[Any], types: set[type]) -> None:
    if any(issubclass(each, complex | np.complexfloating) for each in types):
        raise complex_data(f"column {name!r}")
    strange = {each for each in types if not issubclass(each, _ACCEPTED) or issubclass(each, np.void)}
    if strange:
        _refuse(name, values, strange)


def _refuse(name: str, values: Sequence[Any], strange: set[type]) -> NoReturn:
    row = next(i for i, value in enumerate(values) if type(value) in strange)
    shown = repr(values[row])
    raise UnsupportedType(
        f"column {name!r} holds a {type(values[row]).__name__} in row {row} ({shown[:60]}); argument must be a string "
        "or a number (or a date, or None where a value is missing). Take it apart into columns of its own, or drop "
        "the column."
    )


def _utc(value: Any) -> Any:
    """Return a moment as numpy reads it; one with a time zone is brought to UTC."""
    if isinstance(value, datetime.datetime):
        zone = value.tzinfo
        moment = value.astimezone(datetime.UTC).replace(tzinfo=None) if zone else value
        return np.datetime64(moment.isoformat(), "us")
    return np.datetime64("NaT") if value is None else np.datetime64(value)


def _seconds(values: np.ndarray) -> np.ndarray:
    """Return moments or spans as float64 seconds (moments since 1970), NaT as NaN."""
    micros = values.astype(f"{values.dtype.kind}8[us]")
    return np.where(np.isnat(micros), np.nan, micros.astype(np.int64) / 1e6)
