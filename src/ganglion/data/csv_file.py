"""Tables as text, read: each column is what its strings look like (see `strings`)."""

from __future__ import annotations

from collections.abc import Sequence

from ganglion.data.dataset import Dataset
from ganglion.data.delimited import cut_table
from ganglion.data.strings import infer_strings


def csv_to_dataset(raw: bytes, source: str, columns: Sequence[str] | None = None) -> Dataset:
    """Return the data set of a delimited text.

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
        If names repeat, or are not as many as the columns.
    """
    names, cut = cut_table(raw, source, columns)
    read = [infer_strings(name, values) for name, values in zip(names, cut, strict=True)]
    return Dataset([field for field, _ in read], {field.name: column for field, column in read}, source=source)
