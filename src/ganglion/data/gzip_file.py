"""Gzip files, unpacked within bounds: a small file cannot fill the memory."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from ganglion.errors import InvalidFile

MAGIC = b"\x1f\x8b"
DEFLATE_RATIO = 1032  # deflate cannot pack tighter than 1032 to 1 (zlib.net/zlib_tech.html)
SMALL = 256 * 2**20  # bytes that may come out of any file, however tightly it is packed
USUAL_RATIO = 100  # tables pack 3 to 30 times
_CHUNK = 4 * 2**20


def unpack(path: Path, *, at_most: int | None = None) -> bytes:
    """Return what a gzip file holds.

    Parameters
    ----------
    path : Path
        A gzip file.
    at_most : int, optional
        Stop after so many bytes. Without it, 256 MiB or 100 times the file's size are the limit.

    Raises
    ------
    InvalidFile
        If the file is cut or damaged, or unpacks to suspiciously much.
    """
    limit = max(SMALL, USUAL_RATIO * path.stat().st_size) if at_most is None else at_most
    chunks, size = [], 0
    try:
        with gzip.open(path) as stream:
            while size < limit + 1 and (chunk := stream.read(min(_CHUNK, limit + 1 - size))):
                chunks.append(chunk)
                size += len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidFile(f"{path.name} is cut or damaged: {error}. Fetch or copy it again.") from error
    if size > limit and at_most is None:
        raise InvalidFile(
            f"{path.name} ({path.stat().st_size:,} bytes) unpacks to more than {limit:,} bytes, as a zip bomb does. If "
            "you trust it, unpack it with gunzip and read the result."
        )
    return b"".join(chunks)[:limit]
