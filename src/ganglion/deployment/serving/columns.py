"""Rows of JSON as checked columns: each value is of the kind that training had, or the request is refused.

kind                     comes as                       becomes
numeric, boolean         number or true, null           float64, NaN where it is missing
date                     text, null                     float64, seconds since 1970 UTC, NaN where it is missing
categorical              text, number or true, null     text, None where it is missing
text                     text                           text
a block of d numbers     d columns, or d in a list      float64, (n, d)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ganglion.data.cells import plain_label
from ganglion.data.dates import parse_dates
from ganglion.deployment.serving.refused import Refused, wrong_value
from ganglion.deployment.serving.wanted import allowed
from ganglion.deployment.signature import Input, Signature
from ganglion.errors import suggestion

Columns = dict[str, np.ndarray]
_NONE = type(None)
_NUMBERS = {int, float, _NONE}
_TRUTH = {bool, _NONE}
_LABELS = {str, int, float, bool, _NONE}
_ALONE = {"text": {str}, "series": {int, float, _NONE}}  # what a row may be where it has one column
_SHOWN = 20  # names in a message


def columns_of(rows: Sequence[Any], signature: Signature) -> Columns:
    """Return rows as checked columns.

    Parameters
    ----------
    rows : sequence of mappings or of lists
        All of one kind: an object names its columns, a list has them in the order of the signature. Of texts a row may
        be the text itself, of series of one column the number.
    signature : Signature

    Raises
    ------
    Refused
        422, with the column, the row, what came and what is allowed.
    """
    if not rows:
        raise Refused(422, "no row came: give at least one.")
    kinds = set(map(type, rows))
    given = signature.given
    if kinds == {dict}:
        return {each.name: _named(rows, each, given) for each in given}
    if kinds == {list}:
        return _listed(rows, given)
    if len(given) == 1 and kinds <= _ALONE.get(signature.modality, set()):
        return {given[0].name: checked(list(rows), given[0])}
    row, odd = next((i, each) for i, each in enumerate(rows) if type(each) is not type(rows[0]) or i == len(rows) - 1)
    raise Refused(
        422,
        f"row {row} is {shown(odd)}; a row is an object of columns, {{{signature.names[0]!r}: …}}, or a list of "
        f"{len(signature.names):,} values, and all rows are of one kind.",
        details={"row": row},
    )


def _named(rows: Sequence[dict[str, Any]], each: Input, given: Sequence[Input]) -> np.ndarray:
    try:
        if each.kind == "numbers":
            names = each.names
            return _block([[row[name] for name in names] for row in rows], each)
        name = each.name
        return checked([row[name] for row in rows], each)
    except KeyError as error:
        missing = str(error.args[0])
        row = next(i for i, row in enumerate(rows) if missing not in row)
        raise _missing(missing, row, rows[row], given) from None


def _missing(column: str, row: int, came_row: dict[str, Any], given: Sequence[Input]) -> Refused:
    names = _all_names(given)
    near = suggestion(column, [name for name in came_row if name not in names][:1000])
    came = ", ".join(map(repr, list(came_row)[:_SHOWN])) or "nothing"
    wanted = next(allowed(each) for each in given if column in each.names)
    return Refused(
        422,
        f"row {row} has no column {column!r}.{near.replace('Did you mean', 'Is it')} It has {came[:400]}. Each row has "
        f"{_shown_names(names)}; a missing value is null.",
        details={"column": column, "row": row, "came": None, "allowed": wanted},
    )


def _all_names(given: Sequence[Input]) -> list[str]:
    return [name for each in given for name in each.names]


def _shown_names(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _listed(rows: Sequence[list[Any]], given: Sequence[Input]) -> Columns:
    widths = [int(each.shape[1]) if each.kind == "numbers" else 1 for each in given]
    width = sum(widths)
    for row, values in enumerate(rows):
        if len(values) != width:
            raise Refused(
                422,
                f"row {row} has {len(values):,} values; a list has {width:,}: {_shown_names(_all_names(given))}.",
                details={"row": row, "came": len(values), "allowed": width},
            )
    if len(given) == 1 and given[0].kind == "numbers":
        return {given[0].name: _block(rows, given[0])}
    columns, start = {}, 0
    for each, n in zip(given, widths, strict=True):
        part = [values[start : start + n] for values in rows]
        is_block = each.kind == "numbers"
        columns[each.name] = _block(part, each) if is_block else checked([value for (value,) in part], each)
        start += n
    return columns


def _block(rows: Sequence[list[Any]], each: Input) -> np.ndarray:
    """Return the numbers of a block, (n, d)."""
    kinds = set(map(type, chain.from_iterable(rows)))
    if kinds <= _NUMBERS:
        numbers = _floats(rows)
        if numbers is not None:
            return numbers
    for j, name in enumerate(each.names):  # which it is
        checked([values[j] for values in rows], Input(name, "numeric", "float64", ("N",)))
    raise AssertionError("a column of the block is wrong")


def checked(values: list[Any], each: Input) -> np.ndarray:
    """Return one column, or raise Refused for the first value that is not allowed."""
    return _READERS[each.kind](values, each)


def _numbers(values: list[Any], each: Input) -> np.ndarray:
    if set(map(type, values)) <= _NUMBERS:
        numbers = _floats(values)
        if numbers is not None:
            return numbers
    row = next(i for i, value in enumerate(values) if type(value) not in _NUMBERS or _floats([value]) is None)
    raise wrong_value(each.name, row, shown(values[row]), allowed(each))


def _floats(values: Sequence[Any]) -> np.ndarray | None:
    """Return numbers as float64, null as NaN; None if one is too large to be one."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        return None
    return None if np.isinf(numbers).any() else numbers


def _truths(values: list[Any], each: Input) -> np.ndarray:
    if not set(map(type, values)) <= _TRUTH:
        row = next(i for i, value in enumerate(values) if type(value) not in _TRUTH)
        raise wrong_value(each.name, row, shown(values[row]), allowed(each))
    return np.array(values, dtype=np.float64)


def _labels(values: list[Any], each: Input) -> np.ndarray:
    kinds = set(map(type, values))
    if not kinds <= _LABELS:
        row = next(i for i, value in enumerate(values) if type(value) not in _LABELS)
        raise wrong_value(each.name, row, shown(values[row]), allowed(each))
    if kinds != {str}:
        values = [None if value is None else plain_label(value) for value in values]
    labels = np.empty(len(values), dtype=object)
    labels[:] = values
    return labels


def _texts(values: list[Any], each: Input) -> np.ndarray:
    for row, value in enumerate(values):
        if type(value) is not str or not value.strip():
            raise wrong_value(each.name, row, shown(value), allowed(each) + " that is not empty")
    return _labels(values, each)


def _dates(values: list[Any], each: Input) -> np.ndarray:
    seconds = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if value is None:
            continue
        moment = parse_dates(each.name, [value.strip()]) if type(value) is str and value.strip() else None
        if moment is None:
            raise wrong_value(each.name, row, shown(value), allowed(each))
        seconds[row] = moment[0]
    return seconds


_READERS = {
    "numeric": _numbers,
    "numbers": _numbers,
    "boolean": _truths,
    "date": _dates,
    "categorical": _labels,
    "text": _texts,
}


def shown(value: Any) -> str:
    """Return a value of JSON as a message shows it: short, and with what it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value[:40]!r}{'…' if len(value) > 40 else ''}"
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value):,}"
    return f"the number {value:.6g}" if isinstance(value, float) else f"the number {str(value)[:40]}"
