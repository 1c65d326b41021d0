"""Texts that are cut into words already: lists of strings, as a column of codes.

given                                           becomes
a list of lists of strings                      one column of kind "tokens"
texts, in a list or a column                    words, cut at blanks
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput, UnsupportedType, suggestion

NAME = "tokens"
KINDS = ("tokens", "text", "categorical")  # of columns that can be read as words, the surest first


def listed(X: Any) -> list[Any] | None:
    """Return what is held by a list, a tuple, an array of one axis of objects or texts, or a series; else None."""
    if isinstance(X, np.ndarray):
        return X.tolist() if X.ndim == 1 and X.dtype.kind in "OUT" else None
    if isinstance(X, list | tuple):
        return list(X)
    return list(X.to_list()) if hasattr(X, "to_list") and getattr(X, "ndim", 1) == 1 else None


def holds_tokens(X: Any) -> bool:
    """Say whether something is a list of lists of strings, or a matrix of strings: a text a row, cut into words."""
    if isinstance(X, np.ndarray) and X.ndim == 2:
        return X.dtype.kind in "UT"
    rows = listed(X)
    if not rows:
        return False
    cut = [each for each in map(listed, rows) if each is not None]
    return len(cut) == len(rows) and any(cut) and all(isinstance(word, str) for words in cut for word in words)


def tokens_to_dataset(X: Any) -> Dataset:
    """Return lists of strings, for which `holds_tokens` is true, as a data set of one column."""
    field, column = tokens_column(NAME, [listed(each) or [] for each in X])
    return Dataset([field], {field.name: column})


def tokens_column(name: str, texts: Sequence[Sequence[str]]) -> tuple[Field, Ragged]:
    """Return texts that are cut into strings as a column of kind "tokens", letter by letter as they are."""
    codes, distinct = numbered(chain.from_iterable(texts))
    offsets = torch.tensor([0, *map(len, texts)]).cumsum(0)
    return Field(name, "tokens", categories=tuple(distinct)), Ragged(torch.from_numpy(codes), offsets)


def numbered(labels: Iterable[str]) -> tuple[np.ndarray, list[str]]:
    """Return the place of each label among the distinct ones, (n,) int64, and these, in the order of their coming."""
    place: dict[str, int] = {}
    codes = np.fromiter((place.setdefault(label, len(place)) for label in labels), np.int64)
    return codes, list(place)


def words_of(data: Dataset, column: str | None = None) -> tuple[Ragged, tuple[str, ...]]:
    """Return the words of a data set: codes, and what they stand for.

    Parameters
    ----------
    data : Dataset
        Features only. Texts are cut at blanks.
    column : str, optional
        The column to read; without it the first that can be read as words.

    Raises
    ------
    InvalidInput
        If there is no such column.
    UnsupportedType
        If it holds what are no words.
    """
    name = word_column(data) if column is None else column
    if name not in data.columns:
        raise InvalidInput(
            f"the column {name!r} is missing.{suggestion(name, data.names)} Given: {', '.join(data.names[:20])}. Give "
            "a list of lists of words, or that column."
        )
    field, values = data.field(name), data.columns[name]
    if field.kind == "tokens" and isinstance(values, Ragged):
        return values, field.categories
    if field.kind not in KINDS:
        raise UnsupportedType(f"the column {name!r} holds {field.kind} values, and no words. Give lists of words.")
    field, values = tokens_column(name, [str(text or "").split() for text in data.values(name).tolist()])
    return values, field.categories


def word_column(data: Dataset) -> str:
    """Return the name of the feature that holds words; raises InvalidInput if there is none."""
    for kind in KINDS:
        found = [field.name for field in data.features if field.kind == kind]
        if found:
            return found[0]
    raise InvalidInput(
        f"there are no words to read in the columns {', '.join(data.names[:10])}. Give a list of lists of words, or of "
        "texts, which are cut at blanks."
    )
