"""What kind of column a list of strings is: the one inference behind CSV files, frames and object arrays.

    every present value is …             kind
    a number                             numeric        (also when 95 % are: the rest is missing, with a warning)
    True or False (true, TRUE, …)        boolean
    a date                               date
    mostly different, 5 words or more    text
    anything else                        categorical

All work is done once for each distinct value, then spread over the rows.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganglion.data.cells import BOOLEANS, MISSING, parse_numbers, plain_label
from ganglion.data.dataset import Field, Kind
from ganglion.data.dates import parse_dates
from ganglion.data.memory import VARIABLE, is_large
from ganglion.data.ragged import Ragged
from ganglion.errors import DataWarning, InvalidInput

NUMERIC_SHARE = 0.95  # so many rows must be numbers for the others to count as typing errors
TEXT_WORDS = 5.0  # names of people have about 4 words, sentences more
STRING_BYTES = 64  # of memory, beside its letters
TEXT_DISTINCT_SHARE = 0.5  # answers of a questionnaire are long too, but repeat

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

Column = tuple[Field, Tensor | Ragged]


class Distinct(NamedTuple):
    """A column of strings as its distinct values and where they stand.

    `labels` holds each distinct value without surrounding blanks, `missing` (k,) bool says which of them mean that
    there is no value, and `positions` (n,) int64 gives the label of each row.
    """

    labels: list[str]
    missing: np.ndarray
    positions: np.ndarray

    @property
    def present(self) -> list[str]:
        """The labels that are values."""
        return [label for label, gone in zip(self.labels, self.missing.tolist(), strict=True) if not gone]

    def spread(self, values: np.ndarray | Sequence[float], missing: float) -> np.ndarray:
        """Return one number a row, given one for each present label."""
        table = np.full(len(self.labels), missing)
        table[~self.missing] = values
        return table[self.positions]

    def row_of(self, label: str) -> int:
        """Return the first row (from 0) that holds `label`."""
        return int(np.argmax(self.positions == self.labels.index(label)))


def infer_strings(name: str, values: Sequence[Any], kind: Kind | None = None) -> Column:
    """Return the field and the values of a column of strings, of which some may be None or numbers.

    Parameters
    ----------
    name : str
        The column's name.
    values : sequence of str, number or None, hashable
        One a row.
    kind : Kind, optional
        Read the column as this kind, whatever it looks like.

    Raises
    ------
    InvalidInput
        If a number is infinite, or a value cannot be read as `kind`.
    """
    return infer_distinct(name, find_distinct(values), kind)


def infer_distinct(name: str, found: Distinct, kind: Kind | None = None) -> Column:
    """Return what a column of strings holds, as `infer_strings` does, from its distinct values."""
    if kind is not None:
        return _as_kind(name, found, kind)
    present = found.present
    if not present:  # categorical without categories: nothing but missing values tells no kind
        return _categorical(name, found)
    numbers = parse_numbers(present)
    if numbers is not None:
        return _numeric(name, found, numbers)
    if BOOLEANS.keys() >= set(present):
        return _boolean(name, found)
    dates = parse_dates(name, present)
    if dates is not None:
        return Field(name, "date"), torch.from_numpy(found.spread(dates, np.nan))
    mixed = _mostly_numbers(name, found)
    if mixed is not None:
        return _numeric(name, found, mixed)
    return _text(name, found) if _is_text(found) else _categorical(name, found)


def find_distinct(values: Sequence[Any]) -> Distinct:
    """Return the distinct values of a column and where they stand."""
    index = _numbering()
    return _distinct(index, _numbered(index, values))


def find_distinct_in_parts(name: str, parts: Iterable[tuple[list[Any], np.ndarray]], n: int) -> Distinct:
    """Return the distinct values of a column of n rows that comes in parts.

    Parameters
    ----------
    name : str
    parts : iterable of (list, ndarray of int)
        The distinct values of each part, and which of them each row has.
    n : int

    Raises
    ------
    InvalidInput
        If the distinct values are too large for memory.
    """
    index, positions, start, n_bytes = _numbering(), np.empty(n, dtype=np.int64), 0, 0
    for values, codes in parts:
        known, numbers = len(index), _numbered(index, values)
        positions[start : start + len(codes)] = numbers[codes]
        start += len(codes)
        n_bytes += sum(STRING_BYTES + len(values[i] or "") for i in np.flatnonzero(numbers >= known))
        if is_large(n_bytes):
            raise InvalidInput(
                f"column {name!r} holds {len(index):,} different texts in its first {start:,} rows, too many for "
                f"memory. Leave the column out of the file, or allow more memory with {VARIABLE} (in MB)."
            )
    return _distinct(index, positions)


def _numbering() -> defaultdict[Any, int]:
    return defaultdict(itertools.count().__next__)  # numbers new values without Python code


def _numbered(index: defaultdict[Any, int], values: Sequence[Any]) -> np.ndarray:
    return np.fromiter(map(index.__getitem__, values), dtype=np.int64, count=len(values))


def _distinct(index: Mapping[Any, int], positions: np.ndarray) -> Distinct:
    labels = [key.strip() if isinstance(key, str) else plain_label(key) for key in index]
    return Distinct(labels, np.array([label in MISSING for label in labels], dtype=bool), positions)


def text_column(name: str, texts: Sequence[str | None]) -> Column:
    """Return texts as a column of kind "text", letter by letter as they are; None becomes an empty one."""
    encoded = [(text or "").encode("utf-8", errors="replace") for text in texts]
    offsets = torch.tensor([0, *map(len, encoded)]).cumsum(0)
    joined = bytearray(b"".join(encoded))
    values = torch.frombuffer(joined, dtype=torch.uint8) if joined else torch.empty(0, dtype=torch.uint8)
    return Field(name, "text"), Ragged(values, offsets)


def label_column(name: str, labels: Sequence[str]) -> Column:
    """Return names of classes as a categorical column; unlike in a table, no name means a missing value."""
    categories = sorted(set(labels))
    code_of = {label: code for code, label in enumerate(categories)}
    return Field(name, "categorical", categories=tuple(categories)), torch.tensor([code_of[label] for label in labels])


def _mostly_numbers(name: str, found: Distinct) -> np.ndarray | None:
    """Return the numbers of a column that is nearly all numbers, NaN for the rest, and warn; or None."""
    counts = np.bincount(found.positions, minlength=len(found.labels))[~found.missing]
    present = found.present
    good = np.array([_NUMBER.fullmatch(label) is not None for label in present])
    if counts[good].sum() < NUMERIC_SHARE * counts.sum():
        return None
    odd = [label for label, is_number in zip(present, good, strict=True) if not is_number]
    warnings.warn(
        f"column {name!r} holds numbers, but {counts[~good].sum()} of {counts.sum()} values are none "
        f"({', '.join(map(repr, odd[:3]))}, first in row {found.row_of(odd[0])}); they are taken as missing. Correct "
        "them, or make the whole column text if it holds names.",
        DataWarning,
        stacklevel=2,
    )
    return np.array([float(label) if ok else np.nan for label, ok in zip(present, good, strict=True)])


def _is_text(found: Distinct) -> bool:
    present = found.present
    words = sum(len(label.split()) for label in present) / len(present)
    rows = int(np.count_nonzero(~found.missing[found.positions]))
    return words >= TEXT_WORDS and len(present) > TEXT_DISTINCT_SHARE * rows


def _numeric(name: str, found: Distinct, numbers: np.ndarray) -> Column:
    if np.isinf(numbers).any():
        label = found.present[int(np.argmax(np.isinf(numbers)))]
        raise infinity_found(name, found.row_of(label))
    return Field(name, "numeric"), torch.from_numpy(found.spread(numbers, np.nan))


def _boolean(name: str, found: Distinct) -> Column:
    values = found.spread([BOOLEANS[label] for label in found.present], np.nan)
    return Field(name, "boolean"), torch.from_numpy(values.astype(np.float32))


def _categorical(name: str, found: Distinct) -> Column:
    categories = sorted(set(found.present))
    code_of = {label: code for code, label in enumerate(categories)}
    codes = found.spread([code_of[label] for label in found.present], -1).astype(np.int64)
    return Field(name, "categorical", categories=tuple(categories)), torch.from_numpy(codes)


def _text(name: str, found: Distinct) -> Column:
    pairs = zip(found.labels, found.missing.tolist(), strict=True)
    encoded = [b"" if gone else label.encode("utf-8", errors="replace") for label, gone in pairs]
    lengths = np.array([len(each) for each in encoded], dtype=np.int64)[found.positions]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    joined = bytearray(b"".join([encoded[i] for i in found.positions.tolist()]))
    values = torch.frombuffer(joined, dtype=torch.uint8) if joined else torch.empty(0, dtype=torch.uint8)
    return Field(name, "text"), Ragged(values, torch.from_numpy(offsets))


def _as_kind(name: str, found: Distinct, kind: Kind) -> Column:
    """Read a column as a kind that was asked for."""
    present = found.present
    if kind == "categorical":
        return _categorical(name, found)
    if kind == "text":
        return _text(name, found)
    if kind == "boolean" and set(present) <= {*BOOLEANS, "0", "1"}:
        values = found.spread([BOOLEANS.get(label, float(label == "1")) for label in present], np.nan)
        return Field(name, "boolean"), torch.from_numpy(values.astype(np.float32))
    if kind == "numeric":
        numbers = parse_numbers(present)
        if numbers is not None:
            return _numeric(name, found, numbers)
    if kind == "date":
        dates = parse_dates(name, present) if present else np.empty(0)
        if dates is not None:
            return Field(name, "date"), torch.from_numpy(found.spread(dates, np.nan))
    examples = ", ".join(map(repr, present[:3]))
    raise InvalidInput(f"column {name!r} cannot be read as {kind}: it holds {examples}. Correct it, or choose a kind.")


def infinity_found(name: str, row: int) -> InvalidInput:
    """Return the error for an infinite value in a row (from 0) of a column."""
    return InvalidInput(
        f"column {name!r} holds infinity in row {row}. Only finite numbers are allowed, and NaN for a missing one. "
        "Remove the row, or replace the value with NaN or a bound."
    )
