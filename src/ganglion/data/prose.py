"""Whether a .txt file is a text to be read, or a table that is called so; and a text as a data set of one row.

A table has a mark between its fields that gives nearly all lines as many fields, or one value a line. A text has lines
of several words, with now no comma and now three.
"""

from __future__ import annotations

from ganglion.data.dataset import Dataset
from ganglion.data.delimited import decoded
from ganglion.data.delimiters import evenness
from ganglion.data.strings import text_column
from ganglion.data.text_files import is_text

EVEN = 0.9  # so many lines of a table have equally many fields,
FEW_LINES = 5  # which of fewer lines says little
LETTERS = 0.7  # of a text's characters at least, its blanks counted
WORDS = 2.0  # a line of a text has more, on average;
ASCII = 0.5  # where most letters are others, blanks may not part words,
LINE = 10  # and its lines have so many characters
LOOKED_AT = 65_536  # bytes


def is_prose(name: str, head: bytes) -> bool:
    """Say whether a file is a text and not a table, by its name and by how it begins."""
    if not is_text(name):
        return False
    text = head[:LOOKED_AT].decode("utf-8", errors="ignore")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return False
    words, length = len(text.split()) / len(lines), sum(map(len, lines)) / len(lines)
    if evenness(text) >= EVEN and (len(lines) >= FEW_LINES or words < FEW_LINES * WORDS):
        return False
    if sum(letter.isalpha() or letter.isspace() for letter in text) < LETTERS * len(text):
        return False
    foreign = sum(map(str.isascii, text)) < ASCII * len(text)
    return words > WORDS or (foreign and length >= LINE)


def prose_to_dataset(raw: bytes, source: str) -> Dataset:
    """Return the data set of a text: one row, the column "text"; the end of a line is one character.

    Raises
    ------
    InvalidFile
        If the bytes are no text, or hold nothing but blanks.
    """
    field, column = text_column("text", [decoded(raw, source, "text").replace("\r\n", "\n")])
    return Dataset((field,), {field.name: column}, source=source)
