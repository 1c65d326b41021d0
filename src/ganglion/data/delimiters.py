"""How a text file of a table is laid out: what separates its fields, and whether its first row holds names."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ganglion.data.cells import MISSING, parse_numbers

DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 65_536
_NAME_WORDS = 5  # more make a sentence
_DECIMAL_COMMA = re.compile(r"[+-]?\d*(,\d+)?")


def sniff_delimiter(text: str) -> str | None:
    """Return what separates the fields of a text, or None when it has one single column.

    The delimiter that gives the most rows equal width wins; of two equal ones, the one that gives more fields. A
    comma loses against a semicolon whose fields are numbers with a decimal comma.
    """
    rows_of = {mark: _sample(text, mark) for mark in DELIMITERS}
    scores = {mark: _evenness(rows) for mark, rows in rows_of.items() if rows and len(rows[0]) > 1}
    if not scores:
        return None
    if ";" in scores and "," in scores and scores[";"][0] >= scores[","][0] and _decimal_commas(rows_of[";"]):
        return ";"
    return max(scores, key=lambda mark: scores[mark])


def evenness(text: str) -> float:
    """Return the largest share of rows that a mark between fields gives equal width; 0 if none gives two fields."""
    rows_of = [rows for mark in DELIMITERS if (rows := _sample(text, mark))]
    return max((_evenness(rows)[0] for rows in rows_of), default=0.0)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether the first of some rows holds names, and not values.

    Names are no numbers (save for running ones: 0, 1, 2 or years), and never stand again in the column below. They
    are believed when a column below holds numbers, or when all differ and none is a sentence.
    """
    first = [cell.strip() for cell in rows[0]]
    body = [[cell.strip() for cell in row] for row in rows[1:] if len(row) == len(first)]
    if any(cell in MISSING for cell in first[1:]):
        return False
    if not body:
        return not any(map(_is_number, first))
    numbers = [cell for cell in first if _is_number(cell)]
    if numbers:
        return _running(numbers) and not _running([cell for cell in body[0] if _is_number(cell)])
    below = [{row[i] for row in body} for i in range(len(first))]
    repeated = any(name in cells for name, cells in zip(first, below, strict=True))
    if repeated and len(set(first)) < len(first):
        return False
    if any(all(cell in MISSING or _is_number(cell) for cell in cells) for cells in below):
        return True
    sentences = any(len(name.split()) > _NAME_WORDS for name in first)
    return not repeated and not sentences and len(set(first)) == len(first)


def _sample(text: str, delimiter: str) -> list[list[str]]:
    cut = text[:_SAMPLE_CHARACTERS]
    lines = cut.splitlines(keepends=True)[: 4 * _SAMPLE_ROWS]  # quoted fields may run over several lines
    if len(cut) < len(text) and len(lines) > 1:
        lines.pop()  # its end may be missing
    rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
    return rows[:_SAMPLE_ROWS]


def _evenness(rows: list[list[str]]) -> tuple[float, int]:
    """Return the share of rows that have the commonest width, and that width."""
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return (count / len(rows), width) if width > 1 else (0.0, 1)


def _decimal_commas(rows: list[list[str]]) -> bool:
    commas = [cell for row in rows[1:] or rows for cell in row if "," in cell]
    return bool(commas) and all(_DECIMAL_COMMA.fullmatch(cell.strip()) for cell in commas)


def _is_number(cell: str) -> bool:
    return cell not in MISSING and parse_numbers([cell]) is not None


def _running(cells: Sequence[str]) -> bool:
    """Say whether there are two or more whole numbers that count up by one, as the names 0, 1, 2 do."""
    if len(cells) < 2 or not all(cell.isdecimal() for cell in cells):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(cells))
