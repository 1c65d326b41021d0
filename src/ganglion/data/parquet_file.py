"""Parquet and Arrow (Feather) files, by way of pyarrow.

A Parquet file that would be too large for memory is read column by column, as it is stored, and each column is put on
disk as raw numbers (`data.spool`): the data set is the same to the bit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.data.gzip_file import DEFLATE_RATIO, SMALL
from ganglion.data.memory import is_large
from ganglion.data.ragged import Ragged
from ganglion.data.spool import on_disk, store
from ganglion.data.strings import STRING_BYTES, Column, find_distinct_in_parts, infer_distinct
from ganglion.errors import GanglionError, InvalidFile, missing_extra

MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"


def parquet_to_dataset(paths: Sequence[Path], source: str) -> Dataset:
    """Return the data set of a Parquet file, or of several with the same columns, one below the other.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    InvalidFile
        If a file is cut or damaged, claims more than it can hold, or has other columns than the first one.
    SaveFailed
        If the data are too large for memory, and the disk has no room for them.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise missing_extra("pyarrow", "tables", f"Reading the Parquet file {paths[0].name}") from error
    reading = source
    try:
        with contextlib.ExitStack() as opened:
            files = []
            for path in paths:
                reading = path.name
                files.append(opened.enter_context(parquet.ParquetFile(path)))
                _check_claim(files[-1].metadata, path)
                _check_columns(files, paths)
            if is_large(_memory_needed(files)):
                return _columns_on_disk(files, source)
            tables = []
            for path, file in zip(paths, files, strict=True):
                reading = path.name
                tables.append(file.read())
    except (GanglionError, MemoryError):
        raise
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(reading, error) from error
    return as_dataset(pyarrow.concat_tables(tables), source=source)


def arrow_to_dataset(path: Path) -> Dataset:
    """Return the data set of an Arrow file (Feather, version 2).

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    InvalidFile
        If the file is cut or damaged.
    """
    try:
        import pyarrow
        from pyarrow import feather
    except ImportError as error:
        raise missing_extra("pyarrow", "tables", f"Reading the Arrow file {path.name}") from error
    try:
        table = feather.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path.name, error) from error
    return as_dataset(table, source=path.name)


def _check_claim(metadata: Any, path: Path) -> None:
    claimed = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if claimed > max(SMALL, DEFLATE_RATIO * path.stat().st_size):
        raise InvalidFile(
            f"{path.name} ({path.stat().st_size:,} bytes) claims to unpack to {claimed:,} bytes, as a zip bomb does. "
            "If you trust it, read it with pyarrow and give the table."
        )


def _check_columns(files: Sequence[Any], paths: Sequence[Path]) -> None:
    first, last = files[0].schema_arrow, files[-1].schema_arrow
    if not last.equals(first, check_metadata=False):
        raise InvalidFile(
            f"{paths[len(files) - 1].name} has other columns than {paths[0].name}: {_described(last)}, and not "
            f"{_described(first)}. Files that are read together need the same names and types."
        )


def _described(schema: Any) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in list(schema)[:20])


def _memory_needed(files: Sequence[Any]) -> int:
    n_rows = sum(file.metadata.num_rows for file in files)
    return n_rows * sum(_row_bytes(field.type) for field in files[0].schema_arrow)


def _row_bytes(kind: Any) -> int:
    """Return how much memory one value of an Arrow type takes in a data set, strings while they are read."""
    from pyarrow import types

    if types.is_float16(kind) or types.is_float32(kind) or types.is_boolean(kind):
        return 4
    return 8 if types.is_primitive(kind) else STRING_BYTES


def _columns_on_disk(files: Sequence[Any], source: str) -> Dataset:
    """Read column by column: one in memory at a time, all on disk."""
    from ganglion.data.frames import refuse_repeated

    names = [str(field.name) for field in files[0].schema_arrow]
    refuse_repeated(names)
    n_rows = sum(file.metadata.num_rows for file in files)
    room = on_disk(dict.fromkeys(names, ((n_rows,), torch.int64)))  # no kind takes more
    fields: list[Field] = []
    columns: dict[str, Tensor | Ragged] = {}
    for name in names:
        field, column = _column(files, name, n_rows)
        fields.append(field)
        columns[name] = column
        if isinstance(column, Tensor):
            columns[name] = place = room[name].view(column.dtype)[:n_rows]
            store(place, 0, column)
    return Dataset(fields, columns, source=source)


def _column(files: Sequence[Any], name: str, n_rows: int) -> Column:
    """Return one column as `frames.series_column` would, without all of its strings in memory at once."""
    import narwhals as nw
    import pyarrow
    from pyarrow import types

    from ganglion.data.frames import series_column

    kind = files[0].schema_arrow.field(name).type
    coded = types.is_dictionary(kind)
    strings = kind.value_type if coded else kind
    if types.is_string(strings) or types.is_large_string(strings):
        found = find_distinct_in_parts(name, _distinct_in_parts(files, name, coded=coded), n_rows)
        return infer_distinct(name, found, "categorical" if coded else None)
    tables = [file.read(columns=[name], use_threads=False).select([name]) for file in files]
    return series_column(name, nw.from_native(pyarrow.concat_tables(tables)).get_column(name))


def _distinct_in_parts(files: Sequence[Any], name: str, *, coded: bool) -> Iterator[tuple[list[Any], Any]]:
    for file in files:
        for batch in file.iter_batches(columns=[name], use_threads=False):
            values = batch.column(batch.schema.get_field_index(name))
            values = (values.dictionary_decode() if coded else values).dictionary_encode(null_encoding="encode")
            yield values.dictionary.to_pylist(), values.indices.to_numpy()


def _damaged(name: str, error: Exception) -> InvalidFile:
    return InvalidFile(f"{name} is cut or damaged: {error}. Fetch or copy it again.")
