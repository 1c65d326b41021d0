"""Parquet and Arrow (Feather) files, by way of pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.gzip_file import DEFLATE_RATIO, SMALL
from ganglion.errors import InvalidFile, missing_extra

MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"


def parquet_to_dataset(path: Path) -> Dataset:
    """Return the data set of a Parquet file.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    InvalidFile
        If the file is cut or damaged, or claims more than it can hold.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise missing_extra("pyarrow", "tables", f"Reading the Parquet file {path.name}") from error
    try:
        with parquet.ParquetFile(path) as file:
            _check_claim(file.metadata, path)
            table = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    return as_dataset(table, source=path.name)


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
        raise _damaged(path, error) from error
    return as_dataset(table, source=path.name)


def _check_claim(metadata: Any, path: Path) -> None:
    claimed = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if claimed > max(SMALL, DEFLATE_RATIO * path.stat().st_size):
        raise InvalidFile(
            f"{path.name} ({path.stat().st_size:,} bytes) claims to unpack to {claimed:,} bytes, as a zip bomb does. "
            "If you trust it, read it with pyarrow and give the table."
        )


def _damaged(path: Path, error: Exception) -> InvalidFile:
    return InvalidFile(f"{path.name} is cut or damaged: {error}. Fetch or copy it again.")
