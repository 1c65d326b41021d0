"""Tables as text, cut into columns of strings: at a comma, tab, semicolon or bar, with or without quotes and names."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ganglion.data.decoding import NoText, decode_text
from ganglion.data.delimiters import has_header, sniff_delimiter
from ganglion.errors import DataWarning, InvalidFile, InvalidInput

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


class Table(NamedTuple):
    """A text cut into fields: the first row, all columns without it, and whether the first row holds names."""

    first: list[str]
    columns: list[list[str]]
    named: bool


def cut_table(raw: bytes, source: str, columns: Sequence[str] | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the names and the columns of a delimited text, as strings.

    Parameters
    ----------
    raw : bytes
        The file: UTF-8 (also UTF-16 with a mark), else Latin-1 with a warning.
    source : str
        The file's name, for messages.
    columns : sequence of str, optional
        Names for the columns. Without them, and without names in the file, they are column_1, column_2, …

    Raises
    ------
    InvalidFile
        If the bytes are no text, hold no data, or the rows are of unequal length or badly quoted.
    InvalidInput
        If names are not as many as the columns.
    """
    table = _split(decoded(raw, source), source)
    names = _names(table, columns, source)
    if not table.columns[0]:
        raise InvalidFile(f"{source} holds the names {', '.join(names[:10])}, but no row of data below them.")
    return names, table.columns


def decoded(raw: bytes, source: str, what: str = "table") -> str:
    """Return the text of a file; one that is no text, or empty, raises InvalidFile."""
    try:
        text, odd_line = decode_text(raw)
    except NoText as error:
        kind = "text, CSV in UTF-8" if what == "table" else "plain text, in UTF-8"
        raise InvalidFile(f"{source} {error}. Save the {what} again as {kind}.") from error
    if odd_line is not None:
        warnings.warn(
            f"{source} is not UTF-8 (line {odd_line}); it is read as Latin-1. If letters look wrong, save it as UTF-8.",
            DataWarning,
            stacklevel=2,
        )
    if not text.strip():
        raise InvalidFile(
            f"{source} is empty. A {what} needs at least one {'row of data' if what == 'table' else 'word'}."
        )
    return text


def _split(text: str, source: str) -> Table:
    """Cut a text into columns: at every delimiter where it has no quotes, with the csv module where it has."""
    delimiter = sniff_delimiter(text)
    if '"' in text:
        try:
            columns = _quoted(text, delimiter or ",", source)
        except InvalidFile as error:
            columns = _quotes_as_letters(text, delimiter, error)
    else:
        columns = _plain(text, delimiter, source)
    if delimiter == ";":
        columns = [_with_decimal_point(values) for values in columns]
    rows = list(zip(*(values[:200] for values in columns), strict=True))
    named = has_header(rows)
    return Table(list(rows[0]), [values[1:] for values in columns] if named else columns, named)


def _plain(text: str, delimiter: str | None, source: str) -> list[list[str]]:
    """Cut a text without quotes into columns; no Python is run for each row."""
    lines = _lines(text)
    if delimiter is None:
        return [lines]
    counts = [line.count(delimiter) for line in lines]
    if len(set(counts)) > 1:
        raise _ragged(_rows(text, delimiter, strict=False), delimiter, source)
    return _cut(lines, delimiter, counts[0] + 1)


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line and not line.isspace()]


def _cut(lines: list[str], delimiter: str, width: int) -> list[list[str]]:
    cells = delimiter.join(lines).split(delimiter)
    return [cells[i::width] for i in range(width)]


def _quoted(text: str, delimiter: str, source: str) -> list[list[str]]:
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a long document is no mistake
    line, rows = 0, []
    try:
        for line, row in _rows(text, delimiter, strict=True):
            rows.append((line, row))
    except csv.Error as error:
        raise _bad_quote(line + 1, error, source) from error
    finally:
        csv.field_size_limit(limit)
    if len({len(row) for _, row in rows}) > 1:
        raise _ragged(rows, delimiter, source)
    return [list(values) for values in zip(*(row for _, row in rows), strict=True)]


def _rows(text: str, delimiter: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Walk over the rows of a text and the line that each ends on; blank lines are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict)
    width = 0
    for row in reader:
        width = width or len(row)
        if row and (len(row) > 1 or width == 1 or row[0].strip()):
            yield reader.line_num, row


def _quotes_as_letters(text: str, delimiter: str | None, error: InvalidFile) -> list[list[str]]:
    """Read a file whose quotes make no sense as one that does not quote, if that gives equal rows."""
    lines = _lines(text)
    counts = {line.count(delimiter) for line in lines} if delimiter else {0}
    if delimiter is None or len(counts) > 1 or counts == {0}:
        raise error
    warnings.warn(f"{error} With quotes as ordinary letters all rows are equal: read so.", DataWarning, stacklevel=2)
    return _cut(lines, delimiter, counts.pop() + 1)


def _bad_quote(line: int, error: csv.Error, source: str) -> InvalidFile:
    if "unexpected end" in str(error):
        problem = "a quoted field is never closed"
    else:
        problem = "a closing quote is followed by more than a delimiter, or a quote was not closed"
    return InvalidFile(
        f"{source}: in the row that begins in line {line} {problem}. Close it, or write a quote inside a field twice."
    )


def _ragged(rows: Iterable[tuple[int, list[str]]], delimiter: str, source: str) -> InvalidFile:
    """Return the error that names the first row whose length differs from the commonest."""
    rows = list(rows)
    widths = [len(row) for _, row in rows]
    expected = max(set(widths), key=widths.count)
    line, row = next((line, row) for line, row in rows if len(row) != expected)
    return InvalidFile(
        f"{source}, line {line}: {len(row)} fields found, {expected} expected (separated by {delimiter!r}): "
        f"{delimiter.join(row)[:80]!r}. Correct or remove the line, or quote a field that holds the delimiter."
    )


def _with_decimal_point(values: list[str]) -> list[str]:
    """Return a column of numbers such as 3,14, common beside semicolons, with points."""
    commas = {value: value.strip().replace(",", ".") for value in dict.fromkeys(values) if "," in value}
    body = [value for value in commas if value != values[0]]  # the first may be a name
    if not body or not all(_DECIMAL_COMMA.fullmatch(value.strip()) for value in body):
        return values
    return [commas.get(value, value) for value in values]


def _names(table: Table, columns: Sequence[str] | None, source: str) -> list[str]:
    if columns is not None:
        if len(columns) != len(table.first):
            raise InvalidInput(
                f"columns gives {len(columns)} names, but {source} has {len(table.first)} columns. First row: "
                f"{', '.join(table.first[:10])}. Give one name for each."
            )
        return [str(name) for name in columns]
    if not table.named:
        return [f"column_{i}" for i in range(1, len(table.first) + 1)]
    return [name.strip() or f"column_{i}" for i, name in enumerate(table.first, start=1)]
