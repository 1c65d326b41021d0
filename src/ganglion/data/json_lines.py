"""JSON lines: one object a line, whose keys are columns (jsonlines.org)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch

from ganglion.data.columns import infer_column
from ganglion.data.dataset import Dataset
from ganglion.data.decoding import NoText, decode_text
from ganglion.data.dialogues import ANSWER, pairs_of, turns_in
from ganglion.data.strings import Column, text_column
from ganglion.data.tokens import tokens_column
from ganglion.errors import DataWarning, InvalidFile

SUFFIXES = (".jsonl", ".ndjson")
TEXT = "text"  # a column of this name that holds strings is text, however short they are
_EXAMPLE = '{"text": "It rains.", "label": "weather"}'


def json_lines_to_dataset(raw: bytes, source: str) -> Dataset:
    """Return the data set of JSON lines.

    Parameters
    ----------
    raw : bytes
        The file, in UTF-8. Blank lines count as none. Keys may differ from line to line: what a line lacks is missing,
        as is null. One column of lists of texts of several words, such as "turns", holds dialogues: each turn answers
        the one before it. Another column of lists of texts is one of words, and of two that are equally long in every
        line, the one with fewer different texts is the target: labels of words. Columns with other lists or objects in
        them are left out with a DataWarning.
    source : str
        The file's name, for messages.

    Raises
    ------
    InvalidFile
        If the bytes are no text, a line is no object, or there is nothing to read.
    InvalidInput
        If a number is infinite.
    """
    rows = _rows(_text(raw, source), source)
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in names}
    turns = turns_in(columns)
    if turns is not None:
        return _dialogues(columns, turns, source)
    cut = [name for name, values in columns.items() if all(map(_is_words, values))]
    deep = [
        name
        for name, values in columns.items()
        if name not in cut and any(isinstance(value, list | dict) for value in values)
    ]
    if len(deep) == len(names):
        what = f"only lists and objects, in {', '.join(deep)}" if deep else "no key in any object"
        raise InvalidFile(f"{source} holds {what}. Give objects of texts and numbers, such as {_EXAMPLE}.")
    if deep:
        warnings.warn(
            f"{source}: {', '.join(deep)} hold lists or objects, and are left out. Where they matter, write what is in "
            "them under keys of its own.",
            DataWarning,
            stacklevel=2,
        )
    read = [
        tokens_column(name, values) if name in cut else _column(name, values)
        for name, values in columns.items()
        if name not in deep
    ]
    target = _labels_of_words([pair for pair in read if pair[0].kind == "tokens"])
    values = {field.name: column for field, column in read}
    return Dataset([field for field, _ in read], values, target=target, source=source)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _labels_of_words(columns: Sequence[Any]) -> list[str]:
    """Return the name of the column that labels the words of another one, if there are two equally long ones."""
    if len(columns) != 2 or not torch.equal(columns[0][1].offsets, columns[1][1].offsets):
        return []
    fewer, more = sorted((field for field, _ in columns), key=lambda field: len(field.categories))
    return [fewer.name] if len(fewer.categories) < len(more.categories) else []


def _dialogues(columns: Mapping[str, Sequence[Any]], turns: str, source: str) -> Dataset:
    """Return the pairs of turns as a data set whose target are the answers; what else a line holds is no feature."""
    pairs = pairs_of(columns, turns)
    if not pairs[ANSWER]:
        raise InvalidFile(
            f"{source}: no line has two turns in {turns}, one after the other. Give dialogues, such as "
            '{"turns": ["How are you?", "Fine."]}.'
        )
    texts = (TEXT, ANSWER)
    read = [(text_column if name in texts else infer_column)(name, values) for name, values in pairs.items()]
    values = {field.name: column for field, column in read}
    index = [name for name in values if name not in (TEXT, ANSWER)]
    return Dataset([field for field, _ in read], values, target=[ANSWER], index=index, source=source)


def _text(raw: bytes, source: str) -> str:
    try:
        text, odd_line = decode_text(raw)
    except NoText as error:
        raise InvalidFile(f"{source} {error}. Save it again as text, in UTF-8.") from error
    if odd_line is not None:
        raise InvalidFile(
            f"{source}, line {odd_line}: the bytes are not UTF-8, as JSON must be. Save it again in UTF-8."
        )
    return text


def _rows(text: str, source: str) -> list[dict[str, Any]]:
    rows = []
    for i, line in enumerate(text.split("\n"), start=1):  # splitlines would cut at marks that a JSON text may hold
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line, parse_int=float)  # whole numbers of any length
        except (ValueError, RecursionError) as error:
            raise InvalidFile(
                f"{source}, line {i}: no JSON ({error}): {line[:60]!r}. Give one object a line, such as {_EXAMPLE}."
            ) from error
        if not isinstance(row, dict):
            raise InvalidFile(
                f"{source}, line {i}: a {type(row).__name__}, and no object: {line[:60]!r}. Give one object a line, "
                f"such as {_EXAMPLE}."
            )
        rows.append(row)
    if not rows:
        raise InvalidFile(f"{source} is empty. It needs at least one line, such as {_EXAMPLE}.")
    return rows


def _column(name: str, values: Sequence[Any]) -> Column:
    kinds = {type(value) for value in values}
    if name == TEXT and str in kinds and kinds <= {str, type(None)}:
        return text_column(name, values)
    return infer_column(name, list(values))
