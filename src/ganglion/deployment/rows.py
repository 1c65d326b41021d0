"""What users have, as the inputs of a graph: columns of anything → arrays of the right type, or an error that says why.

Nothing here imports torch: an exported model runs where there is none.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ganglion.data.cells import BOOLEANS, MISSING, parse_numbers, plain_label
from ganglion.data.dates import parse_dates
from ganglion.data.samples import as_floats
from ganglion.data.vocabulary import BETWEEN
from ganglion.deployment.signature import Input, Signature
from ganglion.errors import InvalidInput, suggestion

_MISSING_TYPES = ("NoneType", "NAType", "NaTType")
_FLAGS = BOOLEANS | {"1": 1.0, "0": 0.0}


def feeds_of(signature: Signature, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the inputs of a graph, from one array-like under the name of each.

    Parameters
    ----------
    signature : Signature
    columns : mapping of str to array-like of shape (N,) or (N, …)
        Numbers may be texts of them; None, NaN and what tables write for it (NA, ?, …) are missing. Names that the
        model does not know are passed over.

    Raises
    ------
    InvalidInput
        If an input is missing, lengths differ, there are no rows, or values are of another kind.
    """
    for each in signature.inputs:
        if each.name not in columns:
            raise InvalidInput(
                f"the input {each.name!r} is missing.{suggestion(each.name, map(str, columns))} Given: "
                f"{', '.join(map(str, list(columns)[:20]))}. The model takes: "
                f"{', '.join(known.name for known in signature.inputs[:20])}."
            )
    feeds = {each.name: _values(each, columns[each.name]) for each in signature.inputs}
    lengths = {name: len(values) for name, values in feeds.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInput(f"inputs must have equal length, but have {lengths}. Give one value a row to each.")
    if not next(iter(lengths.values())):
        raise InvalidInput("no rows were given (a minimum of 1 is required). Give one row or more.")
    if signature.inputs[0].kind == "text":
        _refuse_empty(signature, feeds)
    return feeds


def _refuse_empty(signature: Signature, feeds: Mapping[str, np.ndarray]) -> None:
    """Raise InvalidInput if a text has nothing to read; blanks are tokens to those alone who cut letters."""
    texts = map(BETWEEN.join, zip(*feeds.values(), strict=True))
    blanks = None if signature.tokenizer["tokenizer"] == "words" else ""
    for i, text in enumerate(texts):
        if not text.strip(blanks):
            raise InvalidInput(f"text {i} is empty: there is nothing to read in it. Leave it out.")


def _values(each: Input, given: Any) -> np.ndarray:
    """Return the array of one input."""
    if each.kind == "categorical":
        return np.array(labels_of(_flat(each, given)), dtype=object)[:, None]
    if each.kind == "text":
        return _texts(_flat(each, given))
    if each.kind in ("numeric", "boolean", "date"):
        return numbers_of(each.name, each.kind, _flat(each, given))[:, None]
    array = _as_array(each, given)
    if each.kind == "image":
        return _pixels(each, array)
    if each.kind == "audio":
        array = _finite(each.name, each.kind, as_floats(array))
    elif each.kind in ("tokens", "words", "length"):
        if array.dtype.kind not in "iu":
            raise _unsuited(each, f"holds {array.dtype} values", "whole numbers")
        array = array.astype(np.int64)
    else:
        array = _finite(each.name, each.kind, array.astype(np.float64))
    if array.ndim != len(each.shape) or any(
        n not in (size, 0) for n, size in zip(each.shape, array.shape, strict=True) if isinstance(n, int)
    ):
        raise _unsuited(each, f"has shape {array.shape}", f"shape ({', '.join(map(str, each.shape))})")
    return array


def _flat(each: Input, given: Any) -> np.ndarray | list[Any]:
    """Return a column, (N,), of what may be (N,) or (N, 1)."""
    if isinstance(given, str | bytes) or not hasattr(given, "__len__"):
        raise _unsuited(each, f"is one {type(given).__name__}", "a list or an array, one value a row")
    array = (
        given if isinstance(given, np.ndarray) else np.array(list(given), dtype=object) if len(given) else np.empty(0)
    )
    if array.shape[1:] == (1,):
        array = array[:, 0]
    if array.ndim != 1:
        raise _unsuited(each, f"has shape {array.shape}", "one value a row")
    return array


def _texts(values: Iterable[Any]) -> np.ndarray:
    """Return texts, the empty one where one is missing; half a surrogate pair, which no file can hold, is "?"."""
    texts = ["" if is_missing(value) else str(value).encode(errors="replace").decode() for value in values]
    return np.array(texts, dtype=object)


def _listed(given: Any) -> np.ndarray:
    values = list(given)
    listed = np.empty(len(values), dtype=object)  # filled one by one: an array of lists would be a matrix
    for row, value in enumerate(values):
        listed[row] = value[0] if isinstance(value, list | tuple | np.ndarray) and len(value) == 1 else value
    return listed


def is_missing(value: Any) -> bool:
    """Return whether there is no value: None, NaN, and pandas' own two, without importing pandas."""
    return type(value).__name__ in _MISSING_TYPES or bool(value != value)


def labels_of(values: Iterable[Any]) -> list[str]:
    """Return categories as text; those that are missing as the empty one."""
    return [_label(value) for value in values]


def _label(value: Any) -> str:
    if is_missing(value):
        return ""
    label = plain_label(value)
    return "" if label in MISSING else label


def numbers_of(name: str, kind: str, values: Any) -> np.ndarray:
    """Return a column of numbers, truth values or dates, (N,) float64, NaN where one is missing.

    Parameters
    ----------
    name : str
        Of the column, for messages.
    kind : "numeric", "boolean" or "date"
    values : array, or sequence of numbers, moments and texts of them

    Raises
    ------
    InvalidInput
        If a value is of another kind, with its row.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "buif":
        return _finite(name, kind, values.astype(np.float64))
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return _seconds(values)
    known: dict[str, float] = {}  # each text is read once
    for row, value in enumerate(values):
        if type(value) is str and value not in known:
            known[value] = _number(name, kind, row, value)
    found = [
        known[value] if type(value) is str else _number(name, kind, row, value) for row, value in enumerate(values)
    ]
    return _finite(name, kind, np.array(found, dtype=np.float64))


def _number(name: str, kind: str, row: int, value: Any) -> float:
    if is_missing(value):
        return np.nan
    if isinstance(value, datetime.date | np.datetime64):
        return float(_seconds(np.array([_utc(value)], dtype="datetime64[us]"))[0])
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    text = plain_label(value)
    if text in MISSING:
        return np.nan
    if kind == "boolean" and text in _FLAGS:
        return _FLAGS[text]
    found = parse_dates(name, [text]) if kind == "date" else parse_numbers([text])
    if found is None:
        wanted = {"boolean": "true, false, 1 or 0", "date": "a date such as 2024-03-31"}.get(kind, "a number")
        raise _wrong(name, kind, f"holds {text[:40]!r} in row {row}", f"{wanted}, or nothing where it is missing")
    return float(found[0])


def _utc(value: Any) -> Any:
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


def _seconds(moments: np.ndarray) -> np.ndarray:
    """Return moments as seconds since 1970, NaN where there is none."""
    micros = moments.astype("datetime64[us]")
    return np.where(np.isnat(micros), np.nan, micros.astype(np.int64) / 1e6)


def _finite(name: str, kind: str, numbers: np.ndarray) -> np.ndarray:
    infinite = np.argwhere(np.isinf(numbers))
    if len(infinite):
        raise _wrong(name, kind, f"holds infinity in row {infinite[0][0]}", "finite numbers, and NaN for a missing one")
    return numbers


def _as_array(each: Input, given: Any) -> np.ndarray:
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise _wrong(
            each.name, each.kind, f"is no array ({error})", f"shape ({', '.join(map(str, each.shape))})"
        ) from error
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)  # None becomes NaN
        except (TypeError, ValueError) as error:
            raise _unsuited(each, f"holds what is no number ({error})", "numbers") from error
    if array.dtype.kind not in "buif":
        raise _unsuited(each, f"holds {array.dtype} values", "numbers")
    return array


def _pixels(each: Input, array: np.ndarray) -> np.ndarray:
    """Return images with their channels last, in the type of training."""
    _, *sides, channels = each.shape
    free = isinstance(sides[0], str)
    if array.ndim == 3 and channels == 1:
        array = array[..., None]
    first = array.ndim == 4 and (array.shape[1] == channels if free else array.shape[1:] == (channels, *sides))
    if first and array.shape[-1 if free else slice(1, None)] != (channels if free else each.shape[1:]):
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[3] != channels or not (free or list(array.shape[1:3]) == sides) or not array.size:
        size = "any height and width" if free else f"{sides[0]} × {sides[1]} pixels"
        raise _unsuited(
            each,
            f"has shape {array.shape}",
            f"images of {size} and {channels} channel(s), as those of training: (N, {sides[0]}, {sides[1]}, {channels})"
            + ("" if free else ". Resize them first"),
        )
    if each.dtype == "uint8" and array.dtype != np.uint8:
        bytes_alone = array.astype(np.float64)
        if ((bytes_alone < 0) | (bytes_alone > 255) | (bytes_alone != np.round(bytes_alone))).any():
            raise _wrong(
                each.name, each.kind, "holds other numbers than 0 to 255", "whole pixels from 0 to 255, as training had"
            )
    return np.ascontiguousarray(_finite(each.name, each.kind, array.astype(each.dtype)))


def _unsuited(each: Input, what: str, wanted: str) -> InvalidInput:
    return _wrong(each.name, each.kind, what, wanted)


def _wrong(name: str, kind: str, what: str, wanted: str) -> InvalidInput:
    return InvalidInput(f"the input {name!r} ({kind}) {what}. Give {wanted}.")
